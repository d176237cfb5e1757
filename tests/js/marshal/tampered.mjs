// Scripts that change the globals: marshalling works on, or throws; it never does anything else.
import { addressOf } from 'tombolo:marshal';
import { assert, assertEq, assertList } from '../harness.mjs';
import { copy, guestTest, types, view } from './load.mjs';

const { f64, i32 } = types;

/** Runs `fn` with properties of `object` replaced. */
function replaced(object, properties, fn) {
  const before = Object.keys(properties).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)]);
  for (const [key, value] of Object.entries(properties))
    Object.defineProperty(object, key, { value, configurable: true, writable: true });
  try {
    return fn();
  } finally {
    for (const [key, descriptor] of before) Object.defineProperty(object, key, descriptor);
  }
}
const error = (fn) => {
  try {
    fn();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

const gone = {
  ArrayBuffer: undefined,
  Float64Array: undefined,
  DataView: undefined,
  Symbol: undefined,
  Error: 1,
  TypeError: null,
  RangeError: 7,
  Array: undefined,
};
const Doubles = Float64Array;
const iota = (guest) => guest.call('iota_f64', [i32], view(f64, 3), 3);

guestTest('globals that are gone: calls and views', (guest) => {
  assertList(
    replaced(globalThis, gone, () => [...iota(guest)]),
    [0, 1, 2],
  );
  assertEq(replaced(globalThis, gone, () => guest.manager.createTypedArray(Doubles, [7]))[0], 7);
});

guestTest('globals that are gone: dataView', (guest) => {
  assertEq(replaced(globalThis, gone, () => guest.manager.dataView).byteLength, guest.memory.buffer.byteLength);
});

guestTest('globals that are gone: freeWhenFinalized', (guest) => {
  const thrown = replaced(globalThis, gone, () =>
    error(() => guest.manager.freeWhenFinalized({}, guest.manager.malloc(8))),
  );
  assertEq(thrown, undefined);
});

guestTest('globals that are gone: errors', (guest) => {
  const [overflow, trap, range] = replaced(globalThis, gone, () =>
    [() => guest.exports.recurse(0), () => guest.exports.divide(1, 0), () => guest.manager.malloc(-1)].map(error),
  );
  assert(overflow instanceof RangeError, `a RangeError, got ${overflow?.name}: ${overflow?.message}`);
  assert(trap instanceof WebAssembly.RuntimeError, `a RuntimeError, got ${trap?.name}: ${trap?.message}`);
  assert(range instanceof RangeError, `a RangeError, got ${range?.name}: ${range?.message}`);
});

guestTest('species and subclasses of buffers', (guest) => {
  const result = guest.call('iota_f64', [i32], view(f64, 4), 4);
  class Mine extends ArrayBuffer {}
  result.buffer.constructor = Mine;
  error(() => result.buffer.slice(0, 8));
  result.constructor = {
    [Symbol.species]: function Other() {
      return new Float64Array(100);
    },
  };
  error(() => result.subarray(1));
  error(() => result.map((x) => x));
  assertList(result, [0, 1, 2, 3]);
});

guestTest('properties that lie', (guest) => {
  const given = Float64Array.of(1, 2);
  for (const [key, value] of [
    ['length', 1000],
    ['byteOffset', 1e9],
    ['buffer', null],
    ['byteLength', -1],
  ])
    Object.defineProperty(given, key, { value });
  assertEq(guest.call('sum_f64', [copy(f64), i32], f64, given, 2), 3);
  const made = guest.call('iota_f64', [i32], view(f64, 4), 4);
  const address = addressOf(made);
  Object.defineProperty(made, 'byteOffset', { value: 64 });
  assertEq(addressOf(made), address);
});

guestTest('an array whose `length` takes its buffer away', (guest) => {
  // Large enough that the system takes the bytes away at once.
  const count = 4 << 20;
  for (let last = 1; last <= 3; last++) {
    const buffer = new ArrayBuffer(count * 8);
    const doubles = new Doubles(buffer, 0, count - 1);
    let asked = 0;
    Object.defineProperty(doubles, 'length', { get() {
      asked += 1;
      if (asked === last) buffer.transfer(0);
      return count - 1;
    } });
    const outcome = error(() => guest.call('sum_f64', [copy(f64), i32], f64, doubles, count - 1));
    assert(outcome === undefined || outcome instanceof TypeError || outcome instanceof RangeError, String(outcome));
  }
});
