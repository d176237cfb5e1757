// Atomics.wait and Atomics.notify on shared memories and on SharedArrayBuffers of scripts, within one agent, and the
// guest's own instructions: arguments, results, and who is refused. Agents meet in crates/js-api/tests/waiting.rs.
import { assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Memory, RuntimeError } = WebAssembly;
const PAGE = 65536;
const shared = (initial = 1, maximum = 4) => new Memory({ initial, maximum, shared: true });
/** The buffers that can be waited on. */
const buffers = () => [shared().buffer, shared().toResizableBuffer(), new SharedArrayBuffer(64),
  new SharedArrayBuffer(64, { maxByteLength: 128 })];

function guest(memory) {
  const b = new WasmBuilder();
  const isShared = memory !== undefined;
  if (isShared) b.importMemory('m', 'memory', { min: 1, max: 4, shared: true });
  else b.memory({ min: 1, max: 4 });
  const args = [op.localGet(0), op.localGet(1), op.localGet(2)];
  b.func(['i32', 'i32', 'i64'], ['i32'], [args, 0xfe, 1, 2, 0], { export: 'wait32' });
  b.func(['i32', 'i64', 'i64'], ['i32'], [args, 0xfe, 2, 3, 0], { export: 'wait64' });
  b.func(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), 0xfe, 0, 2, 0], { export: 'notify' });
  return b.instance({ m: { memory } }).exports;
}

test('wait and notify are functions as ECMAScript has them', () => {
  for (const [name, length] of [['wait', 4], ['notify', 3]]) {
    const { value } = assertProperty(Atomics, name, 'wc');
    assertEq(value.name, name);
    assertEq(value.length, length);
    assertThrows(TypeError, () => new value());
  }
});

test('wait: another value is not-equal, a time that is over is timed-out', () => {
  for (const buffer of buffers()) {
    const narrow = new Int32Array(buffer, 8);
    const wide = new BigInt64Array(buffer, 8);
    narrow[1] = 5;
    wide[1] = -7n;
    assertEq(Atomics.wait(narrow, 1, 4), 'not-equal');
    assertEq(Atomics.wait(narrow, 1, 4, 0), 'not-equal');
    assertEq(Atomics.wait(narrow, 1, 5, 0), 'timed-out');
    assertEq(Atomics.wait(narrow, 1, 5, 1), 'timed-out');
    assertEq(Atomics.wait(wide, 1, 7n), 'not-equal');
    assertEq(Atomics.wait(wide, 1, -7n, 0), 'timed-out');
    assertEq(Atomics.wait(wide, 1, -7n, 1), 'timed-out');
  }
});

test('wait: values convert as they are stored, and times like numbers', () => {
  for (const buffer of buffers()) {
    const narrow = new Int32Array(buffer);
    const wide = new BigInt64Array(buffer);
    narrow[0] = -1;
    assertEq(Atomics.wait(narrow, 0, 2 ** 32 - 1, 0), 'timed-out');
    assertEq(Atomics.wait(narrow, '0', '-1', -Infinity), 'timed-out');
    assertEq(Atomics.wait(narrow, undefined, { valueOf: () => -1.5 }, -5), 'timed-out');
    assertEq(Atomics.wait(narrow, 0.9, -1, null), 'timed-out');
    for (const infinite of [undefined, NaN, Infinity, 1e300, 'text', {}]) {
      assertEq(Atomics.wait(narrow, 0, 3, infinite), 'not-equal');
    }
    wide[0] = -1n;
    assertEq(Atomics.wait(wide, 0, 2n ** 64n - 1n, 0), 'timed-out');
    assertEq(Atomics.wait(wide, 0, '-1', false), 'timed-out');
    assertThrows(TypeError, () => Atomics.wait(narrow, 0, 1n, 0));
    assertThrows(TypeError, () => Atomics.wait(wide, 0, 1, 0));
    assertThrows(TypeError, () => Atomics.wait(narrow, 0, 0, 1n));
    assertThrows(TypeError, () => Atomics.wait(narrow, 0, 0, Symbol('s')));
  }
});

test('only an Int32Array or a BigInt64Array can be waited on or notified: TypeError, before anything converts', () => {
  const never = { valueOf() { throw new Error('converted'); } };
  const { buffer } = shared();
  const others = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Uint32Array, Float32Array,
    Float64Array, BigUint64Array].map((Type) => new Type(buffer));
  const { toResizableBuffer } = Memory.prototype;
  const memory = new Memory({ initial: 1, maximum: 2 });
  const gone = new Int32Array(memory.buffer);
  toResizableBuffer.call(memory);
  for (const array of [undefined, null, 0, {}, [], buffer, new DataView(buffer), ...others, gone]) {
    assertThrows(TypeError, () => Atomics.wait(array, never, never, never));
    assertThrows(TypeError, () => Atomics.notify(array, never, never));
  }
});

test('wait on bytes that are not shared: TypeError, before anything converts; nobody is there to be notified', () => {
  const never = { valueOf() { throw new Error('converted'); } };
  for (const buffer of [new ArrayBuffer(16), new Memory({ initial: 1 }).buffer]) {
    for (const array of [new Int32Array(buffer), new BigInt64Array(buffer)]) {
      assertThrows(TypeError, () => Atomics.wait(array, never, never, never));
      assertEq(Atomics.notify(array, 0), 0);
      assertEq(Atomics.notify(array, 1, 1), 0);
      assertThrows(RangeError, () => Atomics.notify(array, array.length, never));
      assertThrowsValue(7, () => Atomics.notify(array, 0, { valueOf() { throw 7; } }));
    }
  }
});

test('an index outside the array: RangeError, before the value converts', () => {
  const never = { valueOf() { throw new Error('converted'); } };
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer, 4, 3);
    for (const index of [3, -1, Infinity, 2 ** 53, '3', { valueOf: () => 4 }]) {
      assertThrows(RangeError, () => Atomics.wait(array, index, never, never));
      assertThrows(RangeError, () => Atomics.notify(array, index, never));
    }
    assertThrows(TypeError, () => Atomics.wait(array, 1n, 0, 0));
    assertThrows(RangeError, () => Atomics.wait(new Int32Array(buffer, 0, 0), 0, 0, 0));
  }
});

test('arguments convert in their order, and what a conversion throws comes out unchanged', () => {
  const { buffer } = shared();
  const array = new Int32Array(buffer);
  const log = [];
  const argument = (name, value) => ({ valueOf() { log.push(name); return value; } });
  assertEq(Atomics.wait(array, argument('index', 1), argument('value', 9), argument('timeout', 0)), 'not-equal');
  assertEq(Atomics.notify(array, argument('at', 1), argument('count', 1)), 0);
  assertList(log, ['index', 'value', 'timeout', 'at', 'count']);
  for (const at of [1, 2, 3]) {
    const args = [array, 0, 0, 0];
    args[at] = { valueOf() { throw args; } };
    assertThrowsValue(args, () => Atomics.wait(...args));
  }
});

test('a conversion may store the value that is waited for, or grow the memory', () => {
  const memory = shared();
  const array = new Int32Array(memory.toResizableBuffer());
  assertEq(Atomics.wait(array, 3, { valueOf() { array[3] = 8; memory.grow(1); return 8; } }, 0), 'timed-out');
});

// ValidateAtomicAccess takes the length first.
test('the length of the array counts from before its index converts', () => {
  const memory = shared(2);
  const array = new Int32Array(memory.toResizableBuffer());
  assertThrows(RangeError, () => Atomics.notify(array, { valueOf() { memory.grow(1); return 2 * PAGE / 4; } }));
  assertEq(Atomics.notify(array, 2 * PAGE / 4), 0);
}, { v8: 'counts from after it' });

test('notify counts from 0 up', () => {
  for (const buffer of buffers()) {
    const array = new Int32Array(buffer);
    for (const count of [undefined, 0, 1, -1, NaN, Infinity, -Infinity, 2 ** 40, '2', null]) {
      assertEq(Atomics.notify(array, 0, count), 0);
    }
    assertThrows(TypeError, () => Atomics.notify(array, 0, 1n));
  }
});

test('the instructions of a guest: results', () => {
  const memory = shared();
  const { wait32, wait64, notify } = guest(memory);
  new Int32Array(memory.buffer)[2] = 6;
  assertEq(wait32(8, 5, -1n), 1);
  assertEq(wait32(8, 6, 0n), 2);
  assertEq(wait32(8, 6, 1000n), 2);
  assertEq(wait64(8, 5n, -1n), 1);
  assertEq(wait64(8, 6n, 1000n), 2);
  assertEq(notify(8, 1), 0);
});

test('the instructions of a guest: a trap outside the memory, off the alignment, and where it is not shared', () => {
  const { wait32, wait64, notify } = guest(shared());
  for (const at of [PAGE, 2, -4]) assertThrows(RuntimeError, () => wait32(at, 0, 0n));
  for (const at of [PAGE - 4, 4, PAGE]) assertThrows(RuntimeError, () => wait64(at, 0n, 0n));
  for (const at of [PAGE, 2]) assertThrows(RuntimeError, () => notify(at, 0));
  const own = guest();
  assertThrows(RuntimeError, () => own.wait32(0, 0, 0n));
  assertThrows(RuntimeError, () => own.wait64(0, 1n, 0n));
  assertEq(own.notify(0, 1), 0);
});

test('where an array ends is not what a script says', () => {
  const shared = new SharedArrayBuffer(64);
  const longer = Object.defineProperty(new Int32Array(shared, 0, 2), 'length', { value: 10 });
  const shorter = Object.defineProperty(new Int32Array(shared, 0, 2), 'length', { get() { throw new Error('asked'); } });
  for (const array of [longer, shorter, Object.setPrototypeOf(new Int32Array(shared, 0, 2), null)]) {
    assertEq(Atomics.notify(array, 1), 0);
    assertThrows(RangeError, () => Atomics.notify(array, 5));
  }
});
