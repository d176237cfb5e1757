// JavaScript functions as C function pointers.
import { addressOf, Callback, CallbackType, MemoryManager, Pointer } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import {
  assertSame, byCopy, byView, copy, guestTest, inout, into, leavesNothing, pointer, records, t, underEveryBudget, view, vocabulary,
} from './vocabulary.mjs';
import { WasmBuilder } from '../wasm-builder.mjs';

const { pair, wrapped } = records;
const fn = (params, returns) => new CallbackType(params.map((type) => (type.isInput === undefined ? into(type) : type)), returns);
const table = ({ exports }) => exports.__indirect_function_table.length;

const values = {
  i8: [-128, 127], u8: [0, 255], i16: [-32768, 32767], u16: [0, 65535], i32: [-2147483648, 2147483647], u32: [0, 4294967295],
  i64: [-(2n ** 63n), 2n ** 63n - 1n], u64: [0n, 2n ** 64n - 1n], f32: [0.5, -Infinity], f64: [0.1, NaN], bool: [true, false],
  size: [0, 4294967295], long: [-2147483648, 2147483647], colour: [0, 5],
};
for (const [name, [one, two]] of Object.entries(values)) {
  guestTest(`${name} to a callback and back`, (guest) => {
    const type = t[name];
    const apply = guest.bind(`apply_${name}`, [fn([type], type), type], type);
    const seen = [];
    assertEq(apply((value) => { seen.push(value); return two; }, one), two);
    assertEq(apply((value) => value, two), two);
    assertList(seen, [one]);
    leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => apply(() => 'x', one)), 'callback', 'result'));
    leavesNothing(guest, () => thrownBy(TypeError, () => apply(() => undefined, one)));
  });
}

guestTest('this and the number of arguments', (guest) => {
  let seen;
  guest.call('apply_i32', [fn([t.i32], t.i32), t.i32], t.i32, function (...args) { seen = [this, ...args]; return 0; }, 5);
  assertList(seen, [undefined, 5]);
  guest.call('call_void', [fn([], null)], t.void, function (...args) { seen = args; return 'ignored'; });
  assertList(seen, []);
  guest.call('call_void', [fn([], t.void)], t.void, () => 1);
});

guestTest('sort: pointers to numbers', (guest) => {
  const compare = fn([pointer(t.i32), pointer(t.i32)], t.i32);
  const list = [5, 3, 9, -1, 3, 0];
  underEveryBudget(guest, () => {
    list.splice(0, list.length, 5, 3, 9, -1, 3, 0);
    guest.call('sort', [inout(copy(t.i32)), t.i32, compare], t.void, list, list.length, (a, b) => a.contents - b.contents);
  });
  assertList(list, [-1, 0, 3, 3, 5, 9]);
  const seen = guest.manager.createTypedArray(Int32Array, 1000).map((_, i) => (i * 7919) % 1000);
  const block = guest.manager.createTypedArray(Int32Array, seen);
  guest.call('sort', [inout(view(t.i32)), t.i32, compare], t.void, block, 1000, (a, b) => b.contents - a.contents);
  for (let i = 0; i < 1000; i++) assertEq(block[i], 999 - i);
  block[Symbol.dispose]();
});

guestTest('sort: pointers to structs, by copy and by view', (guest) => {
  for (const make of [byCopy, byView]) {
    const list = [{ a: 2, b: 0 }, { a: 1, b: 1 }, { a: 3, b: 2 }];
    const compare = fn([make(pair), make(pair)], t.i32);
    guest.call('sort_any', [inout(copy(pair)), t.size, t.size, compare], t.void, list, 3, pair.size, (x, y) => x.a - y.a);
    assertList(list.map(({ b }) => b), [1, 0, 2]);
  }
});

guestTest('strings, user data, an early end', (guest) => {
  const f = fn([t.any, t.string, t.i32], t.i32);
  const each = guest.bind('each_string', [copy(t.string), t.i32, f, t.any], t.i32);
  const seen = [];
  assertEq(each(['a', 'ü', ''], 3, (user, text, i) => { seen.push(user, text, i); return i === 1 ? 42 : 0; }, 1234), 42);
  assertList(seen, [1234, 'a', 0, 1234, 'ü', 1]);
  assertEq(underEveryBudget(guest, () => each(['a', 'b'], 2, () => 0, null)).value, 0);
});

guestTest('arrays of strings with a length that is another argument', (guest) => {
  const strings = copy(t.string, { argument: 1 });
  const rows = [];
  const result = guest.call('each_row', [t.i32, fn([t.any, t.i32, strings, strings], t.i32), t.any], t.i32, 3,
    (user, count, row, titles) => { rows.push(user, count, ...row, ...titles); return 0; }, null);
  assertEq(result, 0);
  assertList(rows, [null, 2, '0', 'zero', 'id', 'name', null, 2, '1', null, 'id', 'name', null, 2, '2', 'two', 'id', 'name']);
});

guestTest('struct pointers by view are the guest’s memory, and end never', (guest) => {
  const list = [{ a: 1, b: 2 }, { a: 3, b: 4 }];
  guest.call('each_pair', [inout(copy(pair)), t.i32, fn([byView(pair)], null)], t.void, list, 2, (one) => { one.a += 100; });
  assertSame(list, [{ a: 101, b: 2 }, { a: 103, b: 4 }]);
  guest.call('each_pair', [inout(copy(pair)), t.i32, fn([byCopy(pair)], null)], t.void, list, 2, (one) => { one.a = 0; });
  assertSame(list, [{ a: 101, b: 2 }, { a: 103, b: 4 }], 'a copy');
  guest.call('each_pair', [inout(copy(pair)), t.i32, fn([inout(byCopy(pair))], null)], t.void, list, 2, (one) => { one.b = 9; });
  assertSame(list, [{ a: 101, b: 9 }, { a: 103, b: 9 }], 'a copy that comes out');
  const mine = new Error('mine');
  leavesNothing(guest, () =>
    assertThrowsValue(mine, () =>
      guest.call('each_pair', [inout(copy(pair)), t.i32, fn([inout(byCopy(pair))], null)], t.void, list, 2, (one) => {
        Object.defineProperty(one, 'a', { get() { throw mine; } });
      })));
});

guestTest('what a callback fills in', (guest) => {
  const array = inout(copy(t.i32, { argument: 1 }));
  const sum = guest.bind('sum_filled', [fn([array, t.i32], null), t.i32], t.i32);
  assertEq(sum((list, n) => { for (let i = 0; i < n; i++) list[i] = i + 1; }, 4), 10);
  assertEq(sum((list) => { list[0] = 1; }, 2), 1 - 100);
  assert([5, 5 - 100].includes(sum((list) => { list.length = 1; list[0] = 5; }, 2)), 'fewer');
  leavesNothing(guest, () => assertThrows(RangeError, () => sum((list) => { for (let i = 0; i < 64; i++) list.push(i); }, 2)));
  leavesNothing(guest, () => assertThrows(RangeError, () => sum((list) => { list.length = 2 ** 32 - 1; }, 2)));
  leavesNothing(guest, () => assertThrows(TypeError, () => sum((list) => { list[1] = 'x'; }, 2)));
  const views = guest.bind('sum_filled', [fn([view(t.i32, { argument: 1 }), t.i32], null), t.i32], t.i32);
  assertEq(views((list) => list.fill(7), 5), 35);
});

guestTest('a string that a callback puts into what it is given', (guest) => {
  const f = fn([inout(pointer(t.string))], null);
  assertEq(guest.call('ask', [f], t.i32, (answer) => { assertEq(answer.contents, null); answer.contents = 'twelve bytes'; }), 12);
  assertEq(guest.call('ask', [f], t.i32, () => {}), -1);
});

guestTest('a string that a callback returns is the guest’s', (guest) => {
  const f = fn([t.i32], t.string);
  assertEq(guest.call('length_of_made', [f, t.i32], t.i32, (n) => 'x'.repeat(n), 30), 30);
  assertEq(guest.call('length_of_made', [f, t.i32], t.i32, () => null, 3), -1);
  guest.exports.set_malloc_budget(0);
  const message = thrownBy(RangeError, () => guest.call('length_of_made', [f, t.i32], t.i32, () => 'x', 3));
  guest.exports.set_malloc_budget(-1);
  assertIncludes(message, 'bytes');
});

guestTest('what a callback is given to own, and returns something else', async (guest) => {
  const { owned } = await import('tombolo:marshal');
  const f = fn([owned(t.string)], t.string);
  leavesNothing(guest, () => assertEq(guest.call('hand_over', [f, t.string], t.i32, (text) => `${text}!`, 'abc'), 4));
  leavesNothing(guest, () => assertEq(guest.call('hand_over', [f, t.string], t.i32, () => null, 'abc'), -1));
});

guestTest('structs by value', (guest) => {
  assertEq(guest.call('name_wrapped', [fn([wrapped], t.string), t.f64], t.i32, ({ value }) => String(value), 0.25), 4);
  assertSame(guest.call('map_wrapped', [wrapped, fn([wrapped], wrapped)], wrapped, { value: 2 }, ({ value }) => ({ value: 3 * value })), { value: 6 });
  assertSame(guest.call('map_pair', [pair, fn([pair], pair)], pair, { a: 1, b: 2 }, ({ a, b }) => ({ a: b, b: a })), { a: 2, b: 1 });
});

guestTest('an error of a callback passes through the guest, and nothing is left', (guest) => {
  for (const mine of [new Error('mine'), 'text', null, undefined, 5]) {
    leavesNothing(guest, () =>
      assertThrowsValue(mine, () => guest.call('apply_i32', [fn([t.i32], t.i32), t.i32], t.i32, () => { throw mine; }, 1)));
    leavesNothing(guest, () =>
      assertThrowsValue(mine, () =>
        guest.call('each_string', [copy(t.string), t.i32, fn([t.any, t.string, t.i32], t.i32), t.any], t.i32, ['a'], 1, () => { throw mine; }, null)));
  }
});

guestTest('null, a Callback, a function pointer of the guest', (guest) => {
  const f = fn([t.i32], t.i32);
  assertEq(guest.call('function_is_null', [f], t.i32, null), 1);
  assertEq(guest.call('function_is_null', [f], t.i32, undefined), 1);
  assertEq(guest.call('function_is_null', [f], t.i32, () => 1), 0);
  const thrice = guest.call('get_thrice', [], f);
  assertEq(guest.call('apply_i32', [f, t.i32], t.i32, thrice, 5), 15);
  const callback = new Callback(guest.manager, f, (n) => n + 1);
  assertEq(guest.call('apply_i32', [f, t.i32], t.i32, callback, 5), 6);
  assertEq(guest.call('apply_i32', [f, t.i32], t.i32, callback.address, 5), 6);
  assertEq(addressOf(callback), callback.address);
  assertEq(guest.call('same', [t.any], t.any, callback), callback.address);
  for (const bad of ['x', {}, [], true, 1.5, -1.5]) {
    leavesNothing(guest, () => {
      const error = thrown(() => guest.call('apply_i32', [f, t.i32], t.i32, bad, 1), 'an error');
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
    });
  }
  callback[Symbol.dispose]();
});

guestTest('a function lives as long as the call', (guest) => {
  const f = fn([t.i32], t.i32);
  guest.call('store_callback', [f], t.void, (n) => n);
  assertIncludes(thrownBy(TypeError, () => guest.call('call_stored', [t.i32], t.i32, 1)), 'ended');
  guest.call('store_callback', [f], t.void, null);
  assertEq(guest.call('call_stored', [t.i32], t.i32, 1), -1);
});

guestTest('a Callback lives as long as its object', (guest) => {
  const f = fn([t.i32], t.i32);
  let callback = new Callback(guest.manager, f, (n) => n * 2);
  guest.call('store_callback', [f], t.void, callback);
  guest.settle();
  assertEq(guest.call('call_stored', [t.i32], t.i32, 21), 42);
  callback[Symbol.dispose]();
  callback[Symbol.dispose]();
  assertIncludes(thrownBy(TypeError, () => guest.call('call_stored', [t.i32], t.i32, 21)), 'ended');
  assertIncludes(thrownBy(TypeError, () => guest.call('store_callback', [f], t.void, callback)), 'ended');
  assertIncludes(thrownBy(TypeError, () => guest.call('same', [t.any], t.any, callback)), 'ended');
  callback = new Callback(guest.manager, f, (n) => n * 3);
  guest.call('store_callback', [f], t.void, callback);
  callback = null;
  guest.settle();
  assertIncludes(thrownBy(TypeError, () => guest.call('call_stored', [t.i32], t.i32, 21)), 'ended');
  {
    using other = new Callback(guest.manager, f, (n) => n * 4);
    guest.call('store_callback', [f], t.void, other);
    assertEq(guest.call('call_stored', [t.i32], t.i32, 2), 8);
  }
  thrownBy(TypeError, () => guest.call('call_stored', [t.i32], t.i32, 21));
});

guestTest('a Callback whose function refers to it is collected', (guest) => {
  const f = fn([t.i32], t.i32);
  (() => {
    const callback = new Callback(guest.manager, f, () => callback.address);
    guest.call('store_callback', [f], t.void, callback);
    assertEq(guest.call('call_stored', [t.i32], t.i32, 0), callback.address);
  })();
  guest.settle();
  thrownBy(TypeError, () => guest.call('call_stored', [t.i32], t.i32, 0));
});

guestTest('keep: until the guest is gone', (guest) => {
  const f = fn([t.i32], t.i32);
  (() => {
    const callback = new Callback(guest.manager, f, (n) => n * 5);
    assertEq(callback.keep(), callback);
    guest.call('store_callback', [f], t.void, callback);
  })();
  guest.settle();
  assertEq(guest.call('call_stored', [t.i32], t.i32, 3), 15);
});

guestTest('in a struct: a Callback or null', (guest) => {
  const { StructType } = marshalOf;
  const f = fn([t.any, t.i32], t.i32);
  const listener = new StructType({ function: f, user: t.any }, { name: 'listener' });
  using callback = new Callback(guest.manager, f, (user, event) => user + event);
  assertEq(guest.call('notify', [byCopy(listener), t.i32], t.i32, { function: callback, user: 100 }, 5), 105);
  assertEq(guest.call('notify', [byCopy(listener), t.i32], t.i32, { function: (user, event) => event, user: 100 }, 5), 5, 'a function, for the call');
  assertEq(guest.call('notify', [byCopy(listener), t.i32], t.i32, { function: null }, 5), -1);
  using made = listener.create(guest.manager, { function: callback, user: 7 });
  assertEq(guest.call('notify', [byView(listener), t.i32], t.i32, made, 5), 12);
  made.function = null;
  assertEq(guest.call('notify', [byView(listener), t.i32], t.i32, made, 5), -1);
  assertIncludes(thrownBy(TypeError, () => { made.function = () => 1; }), 'Callback');
});
import * as marshalOf from 'tombolo:marshal';

guestTest('a slot that ended is never another callback’s call', (guest) => {
  const f = fn([t.i32], t.i32);
  const first = new Callback(guest.manager, f, () => 1);
  guest.call('store_callback', [f], t.void, first);
  first[Symbol.dispose]();
  const second = new Callback(guest.manager, f, () => 2);
  // The pointer may be used again, as any freed pointer may; what must not be is a crash.
  try { assertEq(guest.call('call_stored', [t.i32], t.i32, 1), 2); } catch (error) { assertEq(error.constructor, TypeError); }
  second[Symbol.dispose]();
});

guestTest('deep: calls back and forth', (guest) => {
  const f = fn([t.i32], t.i32);
  const descend = guest.bind('descend', [t.i32, f], t.i32);
  const down = (n) => descend(n, down);
  assertEq(down(50), 50);
});

guestTest('without end: an error, not a crash', (guest) => {
  const f = fn([t.i32], t.i32);
  const descend = guest.bind('descend', [t.i32, f], t.i32);
  const down = () => descend(1, down);
  const error = thrown(down, 'an error');
  assert(error instanceof Error, String(error));
  assertEq(descend(1, () => 5), 6, 'and works again');
  const manager = new MemoryManager(guest.memory, () => manager.malloc(8), () => {});
  const again = thrown(() => manager.malloc(8), 'an error');
  assert(again instanceof Error, String(again));
});

guestTest('100,000 callbacks in a loop are flat', (guest) => {
  const f = fn([t.i32], t.i32);
  const apply = guest.bind('apply_i32', [f, t.i32], t.i32);
  for (let i = 0; i < 10; i++) apply((n) => n + 1, i);
  const [bytes, length] = [guest.memory.buffer.byteLength, table(guest)];
  for (let i = 0; i < 100_000; i++) if (apply((n) => n + 1, i) !== i + 1) assertEq('wrong', i);
  assertEq(guest.memory.buffer.byteLength, bytes);
  assertEq(table(guest), length, 'table');
  for (let i = 0; i < 100_000; i++) {
    const callback = new Callback(guest.manager, f, () => i);
    callback[Symbol.dispose]();
  }
  assertEq(table(guest), length, 'table after Callbacks that ended');
  for (let i = 0; i < 100_000; i++) new Callback(guest.manager, f, () => i);
  assert(table(guest) < length + 20, `table of ${table(guest)} after Callbacks that were dropped`);
});

guestTest('Callbacks in cycles do not fill the table', (guest) => {
  const f = fn([t.i32], t.i32);
  const length = table(guest);
  for (let i = 0; i < 100_000; i++) { const callback = new Callback(guest.manager, f, () => callback); }
  assert(table(guest) < length + 50_000, `table of ${table(guest)}`);
});

guestTest('a function of the table that outlives its Callback, its manager and its guest', () => {
  const f = fn([t.i32], t.i32);
  for (const keepsGuest of [true, false]) {
    const kept = [];
    const slot = (() => {
      const other = vocabulary();
      if (keepsGuest) kept.push(other);
      const callback = new Callback(other.manager, f, (n) => n + 1);
      const found = other.exports.__indirect_function_table.get(callback.address);
      assertEq(found(4), 5);
      return found;
    })();
    globalThis.gc();
    globalThis.gc();
    const error = thrown(() => slot(4), 'an error');
    assert(error instanceof Error, `an Error, of type ${typeof error}`);
    assertIncludes(error.message, 'ended');
  }
});

guestTest('of another guest', (guest) => {
  const f = fn([t.i32], t.i32);
  const other = vocabulary();
  const callback = new Callback(other.manager, f, (n) => n);
  assertIncludes(thrownBy(TypeError, () => guest.call('apply_i32', [f, t.i32], t.i32, callback, 1)), 'another guest');
});

guestTest('a guest without a table', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [[0x41, 0x80, 0x08]], { export: 'malloc' });
  b.func(['i32'], [], [], { export: 'free' });
  const manager = MemoryManager.of(b.instance({}));
  assertIncludes(thrownBy(TypeError, () => new Callback(manager, fn([], null), () => {})), 'table');
});

guestTest('a table that cannot grow', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.table({ min: 1, max: 3 }, { export: '__indirect_function_table' });
  b.func(['i32'], ['i32'], [[0x41, 0x80, 0x08]], { export: 'malloc' });
  b.func(['i32'], [], [], { export: 'free' });
  const manager = MemoryManager.of(b.instance({}));
  const made = [new Callback(manager, fn([], null), () => {}), new Callback(manager, fn([], null), () => {})];
  assertIncludes(thrownBy(TypeError, () => new Callback(manager, fn([], null), () => {})), 'grow');
  made.pop()[Symbol.dispose]();
  assert(new Callback(manager, fn([], null), () => {}).address > 0, 'a slot that was given back');
});

guestTest('wrong types of callbacks', (guest) => {
  const f = fn([t.i32], t.i32);
  for (const bad of [undefined, null, 1, 'x', [t.i32], [1]]) thrownBy(TypeError, () => new CallbackType(bad));
  thrownBy(TypeError, () => new CallbackType([], 1));
  for (const bad of [undefined, null, 1, {}, 'x']) {
    thrownBy(TypeError, () => new Callback(guest.manager, f, bad));
    thrownBy(TypeError, () => new Callback(bad, f, () => 1));
    thrownBy(TypeError, () => new Callback(guest.manager, bad, () => 1));
  }
  thrownBy(TypeError, () => new Callback(guest.manager, t.i32, () => 1));
  const many = new CallbackType(new Array(2000).fill(into(t.i32)), t.i32);
  const error = (() => { try { return new Callback(guest.manager, many, () => 1); } catch (caught) { return caught; } })();
  assert(error instanceof Error || error instanceof Callback, String(error));
});

guestTest('a callback of another signature than the guest calls: a trap', (guest) => {
  const error = thrown(() => guest.call('apply_i32', [fn([t.f64], t.f64), t.i32], t.i32, (x) => x, 1), 'a trap');
  assert(error instanceof WebAssembly.RuntimeError, String(error));
});

guestTest('a callback that grows the memory, collects garbage and allocates', (guest) => {
  const list = [3, 1, 2];
  const compare = fn([pointer(t.i32), pointer(t.i32)], t.i32);
  guest.call('sort', [inout(copy(t.i32)), t.i32, compare], t.void, list, 3, (a, b) => {
    guest.exports.grow_pages(1);
    globalThis.gc();
    guest.manager.createTypedArray(Uint8Array, 10_000);
    return a.contents - b.contents;
  });
  assertList(list, [1, 2, 3]);
});

guestTest('a callback that disposes what the call was given', (guest) => {
  const block = guest.manager.createTypedArray(Int32Array, [3, 1, 2]);
  const compare = fn([pointer(t.i32), pointer(t.i32)], t.i32);
  let other;
  try {
    guest.call('sort', [inout(view(t.i32)), t.i32, compare], t.void, block, 3, (a, b) => {
      if (other === undefined) {
        block[Symbol.dispose]();
        other = guest.manager.createTypedArray(Int32Array, [77, 77, 77]);
      }
      return a.contents - b.contents;
    });
  } catch (error) {
    assertEq(error.constructor, TypeError);
  }
  assertList(other, [77, 77, 77]);
  other[Symbol.dispose]();
  assert(new Pointer(1) instanceof Pointer);
});
