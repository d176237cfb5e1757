// toResizableBuffer and toFixedLengthBuffer: which object they give, and how lengths follow the memory and lead it.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Memory } = WebAssembly;
const PAGE = 65536;
const shared = (initial, maximum) => new Memory({ initial, maximum, shared: true });

/** A guest of a memory of 1 to 8 pages: its own, or the one that is given. */
function guest(memory, isShared = false) {
  const b = new WasmBuilder();
  const type = { min: 1, max: 8, shared: isShared };
  b.export('memory', 'memory', memory ? b.importMemory('m', 'memory', type) : b.memory(type));
  const look = b.importFunc('m', 'look', [], []);
  b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
  b.func(['i32'], [], [op.localGet(0), op.memoryGrow(), op.drop, op.call(look)], { export: 'growAndLook' });
  b.func([], ['i32'], op.memorySize(), { export: 'size' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
  b.func(['i32', 'i32'], [], [op.localGet(0), op.localGet(1), op.store8()], { export: 'poke' });
  const imports = { memory, look: () => imports.onLook() };
  return Object.assign(Object.create(b.instance({ m: imports }).exports), { imports });
}

test('both are methods without arguments, as Web IDL has them', () => {
  for (const name of ['toFixedLengthBuffer', 'toResizableBuffer']) {
    const { value } = assertProperty(Memory.prototype, name, 'wec');
    assertEq(value.name, name);
    assertEq(value.length, 0);
    for (const receiver of [undefined, null, {}, Memory, Memory.prototype, new ArrayBuffer(1)]) {
      assertThrows(TypeError, () => value.call(receiver));
    }
    assertThrows(TypeError, () => new value());
  }
});

test('a memory without maximum has no resizable buffer: TypeError', () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  assertThrows(TypeError, () => memory.toResizableBuffer(), /maximum/);
  assertEq(memory.buffer, buffer);
  assertEq(memory.toFixedLengthBuffer(), buffer);
});

test('a buffer of the kind that there is comes back as it is, one of the other kind detaches it', () => {
  const memory = new Memory({ initial: 1, maximum: 2 });
  const fixed = memory.buffer;
  assertEq(memory.toFixedLengthBuffer(), fixed);
  new Uint8Array(fixed)[5] = 55;
  const resizable = memory.toResizableBuffer();
  assert(fixed.detached && !resizable.detached);
  assertEq(memory.buffer, resizable);
  assertEq(memory.toResizableBuffer('stray'), resizable);
  assertEq(Object.getPrototypeOf(resizable), ArrayBuffer.prototype);
  assert(Object.isExtensible(resizable));
  assertList([resizable.resizable, resizable.byteLength, resizable.maxByteLength], [true, PAGE, 2 * PAGE]);
  assertEq(new Uint8Array(resizable)[5], 55);
  const again = memory.toFixedLengthBuffer();
  assert(resizable.detached && again !== fixed);
  assertEq(memory.buffer, again);
  assertList([again.resizable, again.byteLength, again.maxByteLength], [false, PAGE, PAGE]);
  assertEq(new Uint8Array(again)[5], 55);
  assert(memory.toResizableBuffer() !== resizable);
});

test('it can be the first buffer of a memory', () => {
  const buffer = new Memory({ initial: 0, maximum: 3 }).toResizableBuffer();
  assertList([buffer.resizable, buffer.byteLength, buffer.maxByteLength], [true, 0, 3 * PAGE]);
  buffer.resize(PAGE);
  assertEq(buffer.byteLength, PAGE);
});

test('a memory that can have no page has a resizable buffer that cannot grow', () => {
  const memory = new Memory({ initial: 0, maximum: 0 });
  const buffer = memory.toResizableBuffer();
  assertEq(buffer.resizable, true);
  assertEq(buffer.resize(0), undefined);
  for (const length of [1, PAGE]) assertThrows(RangeError, () => buffer.resize(length));
});

test('resize grows the memory', () => {
  const { memory, size, peek, poke } = guest();
  const buffer = memory.toResizableBuffer();
  assertEq(buffer.resize(3 * PAGE), undefined);
  assertEq(buffer.byteLength, 3 * PAGE);
  assertEq(size(), 3);
  assertEq(memory.buffer, buffer);
  assertEq(memory.grow(0), 3);
  poke(3 * PAGE - 1, 4);
  assertEq(new Uint8Array(buffer)[3 * PAGE - 1], 4);
  new Uint8Array(buffer)[2 * PAGE] = 9;
  assertEq(peek(2 * PAGE), 9);
});

test('resize by nothing is none', () => {
  const { memory } = guest();
  const buffer = memory.toResizableBuffer();
  buffer.resize(PAGE);
  buffer.resize(PAGE + 0.9);
  buffer.resize(String(PAGE));
  assertEq(buffer.byteLength, PAGE);
  assertEq(memory.buffer, buffer);
});

test('resize refuses what no memory can do: RangeError, and nothing changes', () => {
  const { memory, size } = guest();
  memory.grow(1);
  const buffer = memory.toResizableBuffer();
  for (const length of [0, 1, PAGE, 2 * PAGE - 1, 2 * PAGE + 1, 2.5 * PAGE, 9 * PAGE, 2 ** 53 - 1, 2 ** 53, Infinity,
    -1, -Infinity, NaN, undefined, 'text']) {
    assertThrows(RangeError, () => buffer.resize(length));
  }
  assertThrows(TypeError, () => buffer.resize(1n));
  assertThrows(TypeError, () => buffer.resize(Symbol('s')));
  assertEq(buffer.byteLength, 2 * PAGE);
  assertEq(size(), 2);
});

test('resize keeps its shape, and works as before on buffers of scripts', () => {
  const { value } = assertProperty(ArrayBuffer.prototype, 'resize', 'wc');
  assertEq(value.name, 'resize');
  assertEq(value.length, 1);
  const own = new ArrayBuffer(4, { maxByteLength: 8 });
  own.resize(7);
  assertEq(own.byteLength, 7);
  own.resize();
  assertEq(own.byteLength, 0);
  assertThrows(RangeError, () => own.resize(9));
  assertThrows(TypeError, () => new ArrayBuffer(4).resize(4));
  assertThrows(TypeError, () => value.call({}, 4));
  assertThrows(TypeError, () => value.call(new SharedArrayBuffer(4, { maxByteLength: 8 }), 8));
  assertThrows(TypeError, () => new Memory({ initial: 1 }).buffer.resize(PAGE));
  assertThrows(TypeError, () => value.call(shared(1, 2).toResizableBuffer(), 2 * PAGE));
});

test('growth by script and guest shows in the same buffer', () => {
  const { memory, grow } = guest();
  const buffer = memory.toResizableBuffer();
  assertEq(memory.grow(1), 1);
  assertEq(buffer.byteLength, 2 * PAGE);
  assertEq(grow(2), 2);
  assertEq(buffer.byteLength, 4 * PAGE);
  assertEq(memory.grow(0), 4);
  assertEq(grow(0), 4);
  assertEq(memory.buffer, buffer);
  assertEq(buffer.detached, false);
});

test('growth that fails changes nothing', () => {
  const { memory, grow } = guest();
  const buffer = memory.toResizableBuffer();
  assertThrows(RangeError, () => memory.grow(8));
  assertEq(grow(8), -1);
  assertEq(memory.buffer, buffer);
  assertEq(buffer.byteLength, PAGE);
});

test('views of all kinds see the growth', () => {
  const { memory, grow } = guest();
  const buffer = memory.toResizableBuffer();
  const whole = new Uint8Array(buffer);
  const tail = new Int32Array(buffer, 8);
  const part = new Float64Array(buffer, 16, 2);
  const data = new DataView(buffer, 4);
  grow(1);
  assertList([whole.length, tail.length, part.length, data.byteLength], [2 * PAGE, (2 * PAGE - 8) / 4, 2, 2 * PAGE - 4]);
  whole[2 * PAGE - 1] = 0x7f;
  assertEq(data.getUint8(2 * PAGE - 5), 0x7f);
  buffer.resize(3 * PAGE);
  assertList([whole.length, tail.length, part.length, data.byteLength], [3 * PAGE, (3 * PAGE - 8) / 4, 2, 3 * PAGE - 4]);
  memory.toFixedLengthBuffer();
  assertList([whole.length, tail.length, part.length], [0, 0, 0]);
  assertThrows(TypeError, () => data.byteLength);
});

test('what the guest wrote into pages it added survives, and the rest is zero', () => {
  const b = new WasmBuilder();
  b.export('memory', 'memory', b.memory({ min: 1, max: 100 }));
  const places = [0, PAGE, 5 * PAGE + 3, 40 * PAGE, 91 * PAGE - 1];
  b.func([], [], [op.i32(90), op.memoryGrow(), op.drop, places.map((at) => [op.i32(at), op.i32(at % 251 + 1), op.store8()])],
    { export: 'growAndWrite' });
  const { memory, growAndWrite } = b.instance({}).exports;
  const view = new Uint8Array(memory.toResizableBuffer());
  growAndWrite();
  assertEq(view.length, 91 * PAGE);
  for (const at of places) assertEq(view[at], at % 251 + 1, `byte ${at}`);
  assertEq(view.filter((byte) => byte !== 0).length, places.length);
});

test('an import that the guest calls after growing sees the new length', () => {
  const { memory, growAndLook, imports } = guest();
  const buffer = memory.toResizableBuffer();
  const view = new Uint8Array(buffer);
  const seen = [];
  imports.onLook = () => { seen.push(buffer.byteLength / PAGE, view.length / PAGE, memory.buffer === buffer); };
  growAndLook(2);
  assertList(seen, [3, 3, true]);
});

test('a conversion in resize that grows the memory, or takes the buffer', () => {
  const { memory, grow } = guest();
  let buffer = memory.toResizableBuffer();
  assertThrows(RangeError, () => buffer.resize({ valueOf() { memory.grow(2); return 2 * PAGE; } }));
  assertEq(buffer.byteLength, 3 * PAGE);
  buffer.resize({ valueOf() { grow(1); buffer.resize(5 * PAGE); return 6 * PAGE; } });
  assertEq(buffer.byteLength, 6 * PAGE);
  assertThrows(TypeError, () => buffer.resize({ valueOf() { memory.toFixedLengthBuffer(); return 7 * PAGE; } }));
  assertEq(memory.buffer.byteLength, 6 * PAGE);
  buffer = memory.toResizableBuffer();
  assertThrowsValue(7, () => buffer.resize({ valueOf() { memory.toFixedLengthBuffer(); throw 7; } }));
});

test('the buffer cannot be transferred, in any way', () => {
  const memory = new Memory({ initial: 1, maximum: 2 });
  const buffer = memory.toResizableBuffer();
  for (const take of ['transfer', 'transferToFixedLength', 'transferToImmutable']) {
    if (!(take in ArrayBuffer.prototype)) continue;
    for (const args of [[], [0], [PAGE], [2 * PAGE], [{ valueOf: () => 1 }]]) assertThrows(TypeError, () => buffer[take](...args));
    assertEq(buffer.detached, false);
  }
  assertEq(memory.buffer, buffer);
  const copy = buffer.slice();
  assertEq(copy.resizable, false);
  assertEq(copy.transfer(1).byteLength, 1);
});

test('a memory that an instance imports keeps its resizable buffer', () => {
  const memory = new Memory({ initial: 1, maximum: 8 });
  const buffer = memory.toResizableBuffer();
  const { grow, memory: same } = guest(memory);
  assertEq(same, memory);
  grow(1);
  assertEq(buffer.byteLength, 2 * PAGE);
  buffer.resize(3 * PAGE);
  assertEq(grow(0), 3);
});

const collect = globalThis.gc ?? (() => {});

test('the buffer goes on when its Memory object is gone: of no instance', () => {
  const buffer = (() => new Memory({ initial: 1, maximum: 4 }).toResizableBuffer())();
  collect();
  buffer.resize(2 * PAGE);
  assertEq(buffer.byteLength, 2 * PAGE);
  assertThrows(RangeError, () => buffer.resize(5 * PAGE));
  assertThrows(TypeError, () => buffer.transfer());
});

test('the buffer goes on when its Memory object is gone: of an instance that lives', () => {
  const { buffer, grow } = (() => {
    const { memory, grow } = guest();
    return { buffer: memory.toResizableBuffer(), grow };
  })();
  collect();
  assertEq(grow(1), 1);
  assertEq(buffer.byteLength, 2 * PAGE);
  buffer.resize(3 * PAGE);
  assertEq(grow(0), 3);
});

test('the buffer goes on when its instance is gone', () => {
  const buffer = (() => {
    const { memory, poke } = guest();
    poke(3, 33);
    return memory.toResizableBuffer();
  })();
  collect();
  assertEq(new Uint8Array(buffer)[3], 33);
  buffer.resize(4 * PAGE);
  assertEq(new Uint8Array(buffer).length, 4 * PAGE);
});

/** Memories with a resizable buffer that refers back, and an import that refers to both: all that could keep them. */
function cycles(count, makeMemory, isShared) {
  return Array.from({ length: count }, () => {
    const one = guest(makeMemory(), isShared);
    const memory = isShared ? one.imports.memory : one.memory;
    memory.mine = { buffer: memory.toResizableBuffer(), view: new Uint8Array(memory.buffer) };
    one.imports.onLook = () => memory.mine;
    one.growAndLook(1);
    return new WeakRef(memory.mine);
  });
}

test('memories with resizable buffers are collected', async () => {
  if (!globalThis.gc) return;
  const refs = [...cycles(50, () => undefined), ...cycles(50, () => new Memory({ initial: 1, maximum: 8 })),
    ...cycles(50, () => shared(1, 8), true)];
  // V8's references are weak from the next task on.
  await (globalThis.setTimeout ? new Promise((done) => { setTimeout(done); }) : undefined);
  collect();
  const left = refs.filter((ref) => ref.deref() !== undefined).length;
  // With one island for all, what instances have stays as long as any of them.
  assert(left === 0 || (globalThis.process?.execArgv ?? []).includes('--one-island'), `${left} are left`);
});

test('addresses of 64 bits', () => {
  const memory = new Memory({ initial: 1n, maximum: 3n, address: 'i64' });
  const buffer = memory.toResizableBuffer();
  assertEq(buffer.maxByteLength, 3 * PAGE);
  assertEq(memory.grow(1n), 1n);
  assertEq(buffer.byteLength, 2 * PAGE);
  buffer.resize(3 * PAGE);
  assertEq(memory.grow(0n), 3n);
});

// ---- Shared memories ---------------------------------------------------------------------------------------------

test('a shared memory has a growable buffer, frozen; the one before is left alone', () => {
  const memory = shared(1, 4);
  const fixed = memory.buffer;
  assertEq(memory.toFixedLengthBuffer(), fixed);
  const growable = memory.toResizableBuffer();
  assert(growable !== fixed);
  assertEq(memory.buffer, growable);
  assertEq(memory.toResizableBuffer(), growable);
  assertEq(Object.getPrototypeOf(growable), SharedArrayBuffer.prototype);
  assertList([growable.growable, growable.byteLength, growable.maxByteLength], [true, PAGE, 4 * PAGE]);
  assert(Object.isFrozen(growable));
  assertEq(fixed.byteLength, PAGE);
  new Uint8Array(fixed)[1] = 11;
  assertEq(new Uint8Array(growable)[1], 11);
});

test('grow of the buffer grows the memory', () => {
  const memory = shared(1, 4);
  const fixed = memory.buffer;
  const growable = memory.toResizableBuffer();
  const view = new Uint8Array(growable);
  assertEq(growable.grow(3 * PAGE), undefined);
  assertList([growable.byteLength, view.length, fixed.byteLength], [3 * PAGE, 3 * PAGE, PAGE]);
  assertEq(memory.buffer, growable);
  assertEq(memory.grow(0), 3);
  growable.grow(3 * PAGE);
  assertEq(growable.slice().byteLength, 3 * PAGE);
});

test('grow refuses what no memory can do: RangeError, and nothing changes', () => {
  const memory = shared(2, 4);
  const growable = memory.toResizableBuffer();
  for (const length of [0, PAGE, 2 * PAGE + 1, 5 * PAGE, -1, Infinity, undefined, 2 ** 53]) {
    assertThrows(RangeError, () => growable.grow(length));
  }
  assertThrows(TypeError, () => growable.grow(1n));
  assertEq(growable.byteLength, 2 * PAGE);
  assertThrows(TypeError, () => memory.toFixedLengthBuffer().grow(3 * PAGE));
  assertThrows(RangeError, () => growable.grow({ valueOf() { memory.grow(2); return 3 * PAGE; } }));
  assertEq(growable.byteLength, 4 * PAGE);
});

test('grow, slice and byteLength keep their shape, and work as before on buffers of scripts', () => {
  assertEq(assertProperty(SharedArrayBuffer.prototype, 'grow', 'wc').value.length, 1);
  assertEq(assertProperty(SharedArrayBuffer.prototype, 'slice', 'wc').value.length, 2);
  const { get } = assertProperty(SharedArrayBuffer.prototype, 'byteLength', 'c');
  assertEq(get.name, 'get byteLength');
  const own = new SharedArrayBuffer(4, { maxByteLength: 8 });
  own.grow(7);
  assertEq(own.byteLength, 7);
  assertThrows(RangeError, () => own.grow(6));
  assertThrows(RangeError, () => own.grow(9));
  assertThrows(TypeError, () => new SharedArrayBuffer(4).grow(4));
  for (const receiver of [undefined, {}, new ArrayBuffer(4)]) {
    assertThrows(TypeError, () => get.call(receiver));
    assertThrows(TypeError, () => SharedArrayBuffer.prototype.grow.call(receiver, 4));
    assertThrows(TypeError, () => SharedArrayBuffer.prototype.slice.call(receiver));
  }
});

test('the length of a growable buffer follows growth by anyone', () => {
  const memory = shared(1, 8);
  const one = guest(memory, true);
  const growable = memory.toResizableBuffer();
  const view = new Int32Array(growable, 4);
  const data = new DataView(growable);
  memory.grow(1);
  assertList([growable.byteLength, view.length], [2 * PAGE, (2 * PAGE - 4) / 4]);
  one.grow(1);
  assertEq(view.length, (3 * PAGE - 4) / 4, 'a view that is asked first');
  assertList([growable.byteLength, data.byteLength], [3 * PAGE, 3 * PAGE]);
  one.imports.onLook = () => assertEq(view.length, (5 * PAGE - 4) / 4, 'in an import');
  one.growAndLook(2);
  assertEq(memory.buffer, growable);
});

test('toFixedLengthBuffer of a shared memory: one of the length that there is; the growable one goes on', () => {
  const memory = shared(1, 8);
  const one = guest(memory, true);
  const growable = memory.toResizableBuffer();
  growable.grow(2 * PAGE);
  const fixed = memory.toFixedLengthBuffer();
  assertList([fixed.growable, fixed.byteLength, Object.isFrozen(fixed)], [false, 2 * PAGE, true]);
  assertEq(memory.buffer, fixed);
  one.grow(1);
  assertList([growable.byteLength, fixed.byteLength, memory.buffer.byteLength], [3 * PAGE, 2 * PAGE, 3 * PAGE]);
  growable.grow(4 * PAGE);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
  assertEq(memory.buffer.growable, false);
});

test('a growable buffer goes on when its Memory object is gone', () => {
  const growable = (() => shared(1, 4).toResizableBuffer())();
  collect();
  growable.grow(2 * PAGE);
  assertEq(growable.byteLength, 2 * PAGE);
  assertThrows(RangeError, () => growable.grow(5 * PAGE));
});
