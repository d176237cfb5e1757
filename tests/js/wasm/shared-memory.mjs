// Shared memories within one agent: the constructor, the buffer getter, growth.
import { assert, assertEq, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { LinkError, Memory } = WebAssembly;
const PAGE = 65536;
const shared = (initial, maximum) => new Memory({ initial, maximum, shared: true });

test('a shared memory has a SharedArrayBuffer, frozen and of fixed length', () => {
  const { buffer } = shared(1, 4);
  assertEq(Object.getPrototypeOf(buffer), SharedArrayBuffer.prototype);
  assertEq(buffer.byteLength, PAGE);
  assertEq(buffer.growable, false);
  assert(Object.isFrozen(buffer));
  assertThrows(TypeError, () => { buffer.mine = 1; });
});

test('a shared memory needs a maximum: TypeError', () => {
  assertThrows(TypeError, () => new Memory({ initial: 1, shared: true }));
  assertThrows(TypeError, () => new Memory({ initial: 1, shared: 'yes' }));
});

test('shared is a boolean, false by default', () => {
  for (const value of [false, undefined, null, 0, '']) {
    assertEq(new Memory({ initial: 1, maximum: 1, shared: value }).buffer.constructor, ArrayBuffer);
  }
  for (const value of [true, 1, 'no', {}]) {
    assertEq(new Memory({ initial: 1, maximum: 1, shared: value }).buffer.constructor, SharedArrayBuffer);
  }
});

test('the buffer stays the same while the length does', () => {
  const memory = shared(1, 4);
  const { buffer } = memory;
  assertEq(memory.buffer, buffer);
});

test('growth leaves old buffers as they are, and gives a longer one', () => {
  const memory = shared(1, 4);
  const old = memory.buffer;
  const view = new Uint8Array(old);
  view[7] = 77;
  assertEq(memory.grow(2), 1);
  assertEq(old.byteLength, PAGE);
  assertEq(view[7], 77);
  const { buffer } = memory;
  assert(buffer !== old);
  assertEq(buffer.byteLength, 3 * PAGE);
  assert(Object.isFrozen(buffer));
  assertEq(new Uint8Array(buffer)[7], 77);
  view[8] = 88;
  assertEq(new Uint8Array(buffer)[8], 88, 'both stand on the same bytes');
});

// The text replaces the buffer at any growth; the getter that compares lengths, which the threads proposal needs for
// growth by other agents, has nothing to replace here. Engines differ (V8 replaces, JSC keeps); Tombolo keeps.
test('growth by nothing keeps the buffer', () => {
  const memory = shared(1, 4);
  const { buffer } = memory;
  assertEq(memory.grow(0), 1);
  assertEq(memory.buffer, buffer);
}, { v8: 'makes a new buffer' });

test('growth beyond the maximum: RangeError', () => {
  const memory = shared(1, 2);
  const { buffer } = memory;
  assertThrows(RangeError, () => memory.grow(2));
  assertEq(memory.buffer, buffer);
});

function guest(memory) {
  const b = new WasmBuilder();
  b.export('memory', 'memory', b.importMemory('m', 'memory', { min: 1, max: 8, shared: true }));
  b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
  b.func([], ['i32'], op.memorySize(), { export: 'size' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
  return b.instance({ m: { memory } }).exports;
}

test('growth by the guest shows in the getter', () => {
  const memory = shared(1, 8);
  const { grow, peek, memory: same } = guest(memory);
  assertEq(same, memory);
  const old = memory.buffer;
  assertEq(grow(1), 1);
  assertEq(old.byteLength, PAGE);
  assertEq(memory.buffer.byteLength, 2 * PAGE);
  assertEq(memory.buffer, memory.buffer);
  new Uint8Array(memory.buffer)[PAGE] = 6;
  assertEq(peek(PAGE), 6);
});

test('two instances on one shared memory', () => {
  const memory = shared(1, 8);
  const [one, two] = [guest(memory), guest(memory)];
  one.grow(2);
  assertEq(two.size(), 3);
  memory.grow(1);
  assertEq(one.size(), 4);
});

test('imports must agree on sharing', () => {
  const module = (type) => { const b = new WasmBuilder(); b.importMemory('m', 'memory', type); return b; };
  const plain = new Memory({ initial: 1, maximum: 8 });
  assertThrows(LinkError, () => module({ min: 1, max: 8, shared: true }).instance({ m: { memory: plain } }));
  assertThrows(LinkError, () => module({ min: 1, max: 8 }).instance({ m: { memory: shared(1, 8) } }));
  assertThrows(LinkError, () => module({ min: 1, max: 7, shared: true }).instance({ m: { memory: shared(1, 8) } }));
});

test('Atomics work on the memory', () => {
  const view = new Int32Array(shared(1, 1).buffer);
  assertEq(Atomics.add(view, 3, 5), 0);
  assertEq(Atomics.load(view, 3), 5);
  assertEq(Atomics.notify(view, 3, 1), 0);
});
