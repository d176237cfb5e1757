// Results that come often: views whose objects are used again, and small arguments that share a block. Nothing of that
// shows.
import { addressOf, cdef } from 'tombolo:marshal';
import { assert, assertEq, assertList } from '../harness.mjs';
import { copy, FunctionPrototype, guestTest, into, thrownBy, types, view } from './load.mjs';

const { f64, i32, string } = types;

/** Calls that return a view of `length` numbers from 0, by one prototype. */
const iotas = ({ manager, exports }, length = 4) => {
  const prototype = new FunctionPrototype([into(i32)], view(f64, length));
  return () => prototype.invoke(manager, exports.iota_f64, length);
};

guestTest('a view is new, whatever was done with the last one', (guest) => {
  const next = iotas(guest);
  const marks = [
    (view) => { view.mark = 1; },
    (view) => { view.buffer.mark = 1; },
    (view) => Object.setPrototypeOf(view, Array.prototype),
    (view) => Object.setPrototypeOf(view.buffer, null),
    (view) => Object.preventExtensions(view),
    (view) => Object.preventExtensions(view.buffer),
    (view) => { view.mark = 1; delete view.mark; },
    (view) => view.fill(7),
    (view) => view[Symbol.dispose](),
    (view) => { view.buffer.transfer(); },
    (view) => { structuredClone(view, { transfer: [view.buffer] }); },
    () => {},
  ];
  for (const mark of [...marks, ...marks]) {
    mark(next());
    const view = next();
    assertList(view, [0, 1, 2, 3], mark);
    assertEq(Object.getPrototypeOf(view), Float64Array.prototype);
    assertEq(Object.getPrototypeOf(view.buffer), ArrayBuffer.prototype);
    assertEq(Reflect.ownKeys(view).length, 4);
    assertEq(Reflect.ownKeys(view.buffer).length, 0);
    assert(Object.isExtensible(view) && Object.isExtensible(view.buffer));
    assert(!view.buffer.detached);
  }
});

guestTest('a view that is remembered weakly is not another one', async (guest) => {
  const next = iotas(guest);
  const [seen, keys, values] = [new WeakSet(), new WeakMap(), new Set()];
  const registry = new FinalizationRegistry((value) => values.add(value));
  for (let i = 0; i < 10; i++) {
    const remember = [
      (view) => seen.add(view),
      (view) => keys.set(view.buffer, i),
      (view) => registry.register(view, i),
      (view) => new WeakRef(view),
    ][i % 4];
    remember(next());
    const view = next();
    assert(!seen.has(view) && !keys.has(view.buffer), `call ${i}`);
    await null;
  }
  await new Promise((resolve) => setTimeout(resolve));
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve));
  assertList([...values].sort(), [2, 6], 'those that were registered have ended');
});

guestTest('views that are kept, in whole or in part, stay what they are', (guest) => {
  const next = iotas(guest);
  const kept = [];
  for (let i = 0; i < 50; i++) {
    const view = next();
    view[0] = i;
    if (i % 3 === 0) kept.push([i, view]);
    if (i % 3 === 1) kept.push([i, new Float64Array(view.buffer)]);
    if (i % 7 === 0) kept.push([i, view.subarray(0, 1)]);
  }
  for (const [i, view] of kept) assertEq(view[0], i);
  assertEq(new Set(kept.map(([, view]) => view.buffer)).size, new Set(kept.map(([, view]) => addressOf(view))).size);
});

guestTest('a view in a cycle is collected', (guest) => {
  const next = iotas(guest);
  const make = () => {
    const view = next();
    view.self = view;
  };
  for (let i = 0; i < 5; i++) make();
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('a variable has the last result while the next one comes', (guest) => {
  const next = iotas(guest);
  let last = next();
  for (let i = 0; i < 20; i++) {
    last[1] = 100 + i;
    const before = last;
    last = next();
    assertEq(before[1], 100 + i);
    assert(before !== last && before.buffer !== last.buffer);
    assertList(last, [0, 1, 2, 3]);
  }
});

guestTest('thousands of calls with small arguments, and calls within calls', (guest) => {
  const { manager, exports } = guest;
  const echo = new FunctionPrototype([into(string)], string);
  const sum = new FunctionPrototype([into(copy(f64)), into(i32)], f64);
  const nested = (depth) =>
    new FunctionPrototype(
      [into(copy(f64)), into(copy(f64)), into(i32)],
      copy(f64, (_, [, , length]) => {
        assertEq(echo.invoke(manager, exports.echo_string, `level ${depth}`), `level ${depth}`);
        if (depth > 0) {
          const inner = nested(depth - 1).invoke(manager, exports.multiply, [depth, 2], [3, depth], 2);
          assertList(inner, [3 * depth, 2 * depth]);
        }
        return length;
      }),
    );
  for (let i = 0; i < 5000; i++) {
    assertEq(echo.invoke(manager, exports.echo_string, `text ${i}`), `text ${i}`);
    assertEq(sum.invoke(manager, exports.sum_f64, [i, 1, 2], 3), i + 3);
  }
  assertList(nested(40).invoke(manager, exports.multiply, [1, 2], [3, 4], 2), [3, 8]);
  // A getter that calls, an element that is wrong, and what is too long for the block that is kept.
  const hostile = [1, 2, 3];
  Object.defineProperty(hostile, 1, { get: () => sum.invoke(manager, exports.sum_f64, [20, 1], 2) });
  assertEq(sum.invoke(manager, exports.sum_f64, hostile, 3), 25);
  thrownBy(TypeError, () => sum.invoke(manager, exports.sum_f64, [1, 'x', 3], 3));
  const long = Array.from({ length: 1000 }, (_, i) => i);
  assertEq(sum.invoke(manager, exports.sum_f64, long, 1000), 499_500);
  const text = 'x'.repeat(600);
  assertEq(echo.invoke(manager, exports.echo_string, text), text);
  for (const odd of ['', 'é', 'a\u{1F600}', '\x7f']) assertEq(echo.invoke(manager, exports.echo_string, odd), odd);
  thrownBy(TypeError, () => echo.invoke(manager, exports.echo_string, 'a\0b'));
});

guestTest('arrays of every make and length', ({ manager, exports }) => {
  const sum = new FunctionPrototype([into(copy(f64)), into(i32)], f64);
  const total = (values) => sum.invoke(manager, exports.sum_f64, values, values.length);
  for (const length of [0, 1, 7, 23, 24, 25, 100, 70_000]) {
    const values = Array.from({ length }, (_, i) => i % 5);
    const expected = values.reduce((a, b) => a + b, 0);
    assertEq(total(values), expected, `${length} in an array`);
    assertEq(total(Float64Array.from(values)), expected, `${length} in a typed array`);
    class Own extends Array {}
    assertEq(total(Own.from(values)), expected, `${length} in a subclass`);
    if (length > 1) {
      const sparse = [...values];
      delete sparse[0];
      thrownBy(TypeError, () => total(sparse));
      sparse[0] = 0.5;
      assertEq(total(sparse), expected + 0.5);
      const last = [...values];
      last[length - 1] = {};
      thrownBy(TypeError, () => total(last));
    }
  }
});

guestTest('by declarations of C', (guest) => {
  const { multiply } = cdef(guest.wasi, 'double *multiply(const double *a, const double *b, int n) [[owned, length(n)]];', {
    views: true,
  });
  let sum = 0;
  for (let i = 0; i < 3000; i++) sum += multiply([i, 1], [2, 3], 2)[0];
  assertEq(sum, 2 * 2999 * 1500);
});
