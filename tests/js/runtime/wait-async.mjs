// Atomics.waitAsync, within one agent: results, order, time, and the guest as the one who notifies.
import { assert, assertEq, assertList, assertProperty, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const shared = (initial = 1, maximum = 4) => new WebAssembly.Memory({ initial, maximum, shared: true });
const buffers = () => [shared().buffer, shared().toResizableBuffer(), new SharedArrayBuffer(64)];

/** A wait that did not end at once; its promise. */
function waiting(...args) {
  const result = Atomics.waitAsync(...args);
  assertEq(result.async, true);
  assert(result.value instanceof Promise);
  return result.value;
}

test('waitAsync is a function as ECMAScript has it', () => {
  const { value } = assertProperty(Atomics, 'waitAsync', 'wc');
  assertList([value.name, value.length], ['waitAsync', 4]);
  assertThrows(TypeError, () => new value());
});

test('the result is a plain object; what is known at once is no promise', () => {
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer);
    for (const [args, value] of [[[array, 0, 1], 'not-equal'], [[array, 0, 1, 0], 'not-equal'], [[array, 0, 0, 0], 'timed-out'],
      [[array, 0, 0, -1], 'timed-out'], [[new BigInt64Array(buffer), 0, 1n, 5], 'not-equal']]) {
      const result = Atomics.waitAsync(...args);
      assertEq(Object.getPrototypeOf(result), Object.prototype);
      assertList(Reflect.ownKeys(result), ['async', 'value']);
      assertEq(assertProperty(result, 'async', 'wec').value, false);
      assertEq(assertProperty(result, 'value', 'wec').value, value);
    }
  }
});

test('it refuses what wait refuses', () => {
  const array = new Int32Array(shared().buffer);
  for (const other of [undefined, {}, new Uint32Array(array.buffer), new Int32Array(4)]) {
    assertThrows(TypeError, () => Atomics.waitAsync(other, 0, 0));
  }
  for (const index of [array.length, -1]) assertThrows(RangeError, () => Atomics.waitAsync(array, index, 0));
  assertThrows(TypeError, () => Atomics.waitAsync(array, 0, 0n));
});

test('notify wakes it, and counts it', async () => {
  for (const buffer of buffers()) {
    for (const [array, value] of [[new Int32Array(buffer), 0], [new BigInt64Array(buffer, 8), 0n]]) {
      const promise = waiting(array, 2, value);
      assertEq(Atomics.notify(array, 1), 0, 'another element');
      assertEq(Atomics.notify(array, 2, 0), 0);
      assertEq(Atomics.notify(array, 2), 1);
      assertEq(Atomics.notify(array, 2), 0, 'once');
      assertEq(await promise, 'ok');
    }
  }
});

test('notify wakes no more than it is told, and all without a number', async () => {
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer);
    let ended = 0;
    const promises = Array.from({ length: 5 }, () => waiting(array, 4, 0).then((value) => { ended += 1; return value; }));
    assertEq(Atomics.notify(array, 4, 2), 2);
    await Promise.any(promises);
    assertEq(Atomics.notify(array, 4), 3);
    assertList(await Promise.all(promises), Array(5).fill('ok'));
    assertEq(ended, 5);
  }
});

test('on bytes of scripts: first in, first out', async () => {
  const array = new Int32Array(new SharedArrayBuffer(64));
  const order = [];
  const promises = [0, 1, 2, 3].map((number) => waiting(array, 0, 0).then(() => order.push(number)));
  for (let count = 0; count < 4; count += 1) assertEq(Atomics.notify(array, 0, 1), 1);
  await Promise.all(promises);
  assertList(order, [0, 1, 2, 3]);
});

test('its time passes, and then nobody is there', async () => {
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer);
    assertEq(await waiting(array, 0, 0, 1), 'timed-out');
    assertEq(Atomics.notify(array, 0), 0);
    const late = waiting(array, 0, 0, 1e9);
    assertEq(Atomics.notify(array, 0), 1);
    assertEq(await late, 'ok');
  }
});

test('a guest notifies it', async () => {
  const memory = shared();
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1, max: 4, shared: true });
  b.func(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), 0xfe, 0, 2, 0], { export: 'notify' });
  const { notify } = b.instance({ m: { memory } }).exports;
  const array = new Int32Array(memory.buffer, 16);
  const promise = waiting(array, 3, 0);
  assertEq(notify(28, 1), 1);
  assertEq(await promise, 'ok');
  assertEq(notify(28, 1), 0);
});

test('memory that grows while somebody waits', async () => {
  const memory = shared();
  const array = new Int32Array(memory.toResizableBuffer());
  const promise = waiting(array, 0, 0);
  memory.grow(1);
  assertEq(Atomics.notify(array, 0), 1);
  assertEq(await promise, 'ok');
});

test('the buffer may be dropped', async () => {
  const promise = waiting(new Int32Array(new SharedArrayBuffer(64)), 0, 0, 5);
  globalThis.gc?.();
  assertEq(await promise, 'timed-out');
});

test('many at once', async () => {
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer);
    const waits = Array.from({ length: 20_000 }, () => waiting(array, 0, 0, 1e6));
    assertEq(Atomics.notify(array, 0), waits.length);
    assertList(new Set(await Promise.all(waits)), ['ok']);
  }
});

test('a wait without a timeout keeps no memory that nobody else has: there is room for any number', async () => {
  const memories = () => new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  for (const buffer of [(memory) => memory.buffer, (memory) => memory.toResizableBuffer()]) {
    // The system has addresses for some 15,000.
    for (let i = 0; i < 20_000; i += 1) waiting(new Int32Array(buffer(memories())), 0, 0);
  }
  // Memory that somebody has keeps its waits.
  const memory = memories();
  const promise = waiting(new Int32Array(memory.buffer), 0, 0);
  globalThis.gc?.();
  assertEq(Atomics.notify(new Int32Array(memory.buffer), 0), 1);
  assertEq(await promise, 'ok');
});
