// The hand-written guests: callback, growth, values, shared.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { guest } from './load.mjs';

test('callback: mutual recursion through the import', () => {
  const { ping } = guest('callback', { host: { callback: (n) => ping(n) } });
  assertEq(ping(100), 100);
});

test('callback: functions of several instances in its table', () => {
  const callback = (x) => x * 10;
  const { table, apply, increment } = guest('callback', { host: { callback } });
  const other = guest('callback', { host: { callback: () => { throw 'other'; } } });
  assertEq(apply(0, 4), 5);
  assertEq(apply(1, 4), 40);
  table.set(2, other.increment);
  table.set(3, other.call_back);
  assertEq(apply(2, 4), 5);
  assertThrowsValue('other', () => apply(3, 4));
  assertEq(table.get(0), increment);
  assertThrows(WebAssembly.RuntimeError, () => apply(4, 0));
});

test('callback: the import exported again, and called often', () => {
  const { callback, sum_of_callbacks } = guest('callback', { host: { callback: (x) => x * 2 } });
  assertEq(callback(3.9), 6);
  assertEq(sum_of_callbacks(1000), 999_000);
});

test('growth: the buffer is detached before the import looks', () => {
  const lengths = [];
  const { memory, look_grow_look, size } = guest('growth', { host: { look: () => lengths.push(memory.buffer.byteLength) } });
  const old = memory.buffer;
  assertEq(look_grow_look(2), 1);
  assertList(lengths, [65536, 3 * 65536]);
  assert(old.detached);
  assertEq(size(), 3);
  assertEq(look_grow_look(100), -1);
});

test('growth: a trap does not take it back', () => {
  const { memory, grow_and_trap, poke, peek } = guest('growth', { host: { look() {} } });
  assertThrows(WebAssembly.RuntimeError, () => grow_and_trap(1));
  poke(65536, 7);
  assertEq(peek(65536), 7);
  assertEq(memory.buffer.byteLength, 131072);
});

const values = (host = {}) => guest('values', { host: { pair: () => [1n, 2], pass: (x) => x, ...host } });

test('values: several results, 64-bit integers', () => {
  const exports = values({ pair: (n) => [BigInt(n), n / 2] });
  assertList(exports.swap(1, 2n ** 63n - 1n), [2n ** 63n - 1n, 1]);
  assertList(exports.ask_pair(3), [1.5, 3n]);
  assertEq(exports.add_i64(2n ** 63n - 1n, 1n), -(2n ** 63n));
  exports.count.value = 41n;
  assertEq(exports.bump(), 42n);
  assertEq(exports.count.value, 42n);
});

test('values: host values', () => {
  const exports = values();
  const thing = {};
  assertEq(exports.same(thing), thing);
  assertEq(exports.through_host(thing), thing);
  assertEq(exports.is_null(null), 1);
  assertEq(exports.is_null(undefined), 0);
  exports.keep(1, thing);
  assertEq(exports.kept(1), thing);
  assertEq(exports.things.get(1), thing);
  assertEq(exports.keep_more('more', 2), 2);
  assertEq(exports.things.get(3), 'more');
  assertEq(exports.thing.value, null);
});

test('values: functions', () => {
  const exports = values();
  const other = values();
  assertEq(exports.pick(0), exports.forty_two);
  exports.put(1, other.forty_two);
  assertEq(exports.pick(1), other.forty_two);
  assertEq(exports.call_slot(1), 42);
  exports.put(0, null);
  assertThrows(WebAssembly.RuntimeError, () => exports.call_slot(0));
});

test('shared: atomics, waiting that ends, growth', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
  const exports = guest('shared', { env: { memory } });
  const view = new Int32Array(memory.buffer);
  assertEq(exports.add(8, 5), 0);
  exports.add_often(8, 10);
  assertEq(Atomics.load(view, 2), 15);
  exports.store(8, 3);
  assertEq(exports.load(8), 3);
  exports.spin_while(8, 4);
  assertEq(exports.notify(8, 1), 0);
  assertEq(exports.wait(8, 4, -1n), 1, 'not equal');
  assertEq(exports.wait(8, 3, 1000n), 2, 'timed out');
  assertEq(exports.wait_i64(8, 3n, 0n), 2);
  assertEq(exports.grow(1), 1);
  assertEq(exports.size(), 2);
  assertEq(memory.buffer.byteLength, 131072);
});
