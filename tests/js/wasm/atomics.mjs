// Atomics on a memory's bytes, where converting an argument grows the memory and so detaches the array.
import { assertEq, assertThrows, assertThrowsValue, test } from '../harness.mjs';

const view = (Type) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
  return [new Type(memory.buffer), memory];
};
const isBig = (Type) => Type === BigInt64Array || Type === BigUint64Array;
const types = [
  Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array,
];
const operations = ['add', 'and', 'exchange', 'or', 'store', 'sub', 'xor'];

test('a value whose conversion detaches the array: TypeError', () => {
  for (const Type of types) {
    for (const name of operations) {
      const [array, memory] = view(Type);
      const value = { valueOf() { memory.grow(1); return isBig(Type) ? 1n : 1; } };
      assertThrows(TypeError, () => Atomics[name](array, 0, value));
      assertEq(memory.buffer.byteLength, 2 * 65536);
      assertEq(new Uint8Array(memory.buffer)[0], 0, 'nothing is written');
    }
    for (const at of [2, 3]) {
      const [array, memory] = view(Type);
      const args = [array, 0, isBig(Type) ? 0n : 0, isBig(Type) ? 1n : 1];
      args[at] = { valueOf() { memory.grow(0); return isBig(Type) ? 1n : 1; } };
      assertThrows(TypeError, () => Atomics.compareExchange(...args));
    }
  }
});

test('an index whose conversion detaches the array: TypeError', () => {
  for (const name of [...operations, 'load', 'compareExchange']) {
    const [array, memory] = view(Int32Array);
    assertThrows(TypeError, () => Atomics[name](array, { valueOf() { memory.grow(1); return 3; } }, 1, 1));
  }
});

test('a guest that grows its memory in a conversion does the same', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const array = new Int32Array(memory.buffer);
  const value = { valueOf: () => memory.grow(0) };
  assertThrows(TypeError, () => Atomics.add(array, 0, value));
});

test('what a conversion throws is thrown, whatever else it did', () => {
  const [array, memory] = view(Int32Array);
  const thrown = {};
  const grows = () => { memory.grow(1); throw thrown; };
  assertThrowsValue(thrown, () => Atomics.add(array, 0, { valueOf: grows }));
});

test('objects as arguments of arrays that stay', () => {
  const [array] = view(Int32Array);
  const number = (value) => ({ valueOf: () => value });
  assertEq(Atomics.store(array, number(1), number(3.7)), 3);
  assertEq(Atomics.store(array, number(2), number(-0)), 0);
  assertEq(Atomics.add(array, number(1), number('4')), 3);
  assertEq(Atomics.compareExchange(array, number(1), number(7), number(9)), 7);
  assertEq(Atomics.load(array, number(1.5)), 9);
  assertEq(Atomics.sub(array, '1', true), 9);
  assertEq(Atomics.exchange(array, number(NaN), number(NaN)), 0);
  assertThrows(RangeError, () => Atomics.load(array, number(-1)));
  assertThrows(RangeError, () => Atomics.load(array, number(array.length)));
  assertThrows(RangeError, () => Atomics.store(array, number(array.length), number(1)));
  assertThrows(TypeError, () => Atomics.add(array, 0, number(1n)));
  const [big] = view(BigInt64Array);
  assertEq(Atomics.store(big, number(0), number(2n ** 65n + 5n)), 2n ** 65n + 5n);
  assertEq(Atomics.or(big, number(0), number(2n)), 5n);
  assertEq(big[0], 7n);
  assertThrows(TypeError, () => Atomics.add(big, 0, number(1)));
  for (const wrong of [new Float64Array(1), new Uint8ClampedArray(1), {}, null]) {
    assertThrows(TypeError, () => Atomics.add(wrong, number(0), number(1)));
  }
});

test('the methods keep their names and lengths', () => {
  for (const name of operations) {
    assertEq(Atomics[name].name, name);
    assertEq(Atomics[name].length, 3);
  }
  assertEq(Atomics.load.length, 2);
  assertEq(Atomics.compareExchange.length, 4);
  assertThrows(TypeError, () => new Atomics.add(new Int32Array(1), 0, 1));
});
