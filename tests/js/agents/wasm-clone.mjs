// structuredClone of WebAssembly's objects: modules and shared memories have a form of data, nothing else does.
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { assertDataCloneError } from './support.mjs';

const { Instance, Memory, Module } = WebAssembly;
const PAGE = 65536;
const clone = structuredClone;
const shared = (initial = 1, maximum = 8) => new Memory({ initial, maximum, shared: true });
const same = (a, b) => assertEq(JSON.stringify(a), JSON.stringify(b));

function sample() {
  const b = new WasmBuilder();
  const host = b.importFunc('host', 'f', ['i32'], ['i32']);
  b.func([], ['i32'], [op.i32(20), op.call(host)], { export: 'run' });
  b.memory({ min: 1 }, { export: 'memory' });
  b.global('i32', op.i32(3), { mutable: true, export: 'global' });
  b.table({ min: 2 }, { export: 'table' });
  b.custom('mine', [1, 2, 3]);
  b.custom('mine', [4]);
  return b;
}

// Module.

test('a Module: another object, the same module', () => {
  const module = sample().module();
  const copy = clone(module);
  assert(copy !== module);
  assertEq(Object.getPrototypeOf(copy), Module.prototype);
  same(Module.exports(copy), Module.exports(module));
  same(Module.imports(copy), Module.imports(module));
  assertList(Module.customSections(copy, 'mine').map((section) => [...new Uint8Array(section)].join()), ['1,2,3', '4']);
  assertEq(Module.customSections(copy, 'other').length, 0);
  assertEq(new Instance(copy, { host: { f: (x) => x + 1 } }).exports.run(), 21);
  assertEq(new Instance(module, { host: { f: (x) => x + 2 } }).exports.run(), 22);
});

test('a Module within a message keeps its identity there', () => {
  const module = sample().module();
  const copy = clone({ list: [module, module], map: new Map([[module, 1]]) });
  assertEq(copy.list[0], copy.list[1]);
  assertEq(copy.map.get(copy.list[0]), 1);
});

test('a Module: own properties and the prototype are not kept', () => {
  const module = Object.assign(sample().module(), { extra: () => {} });
  Object.setPrototypeOf(module, null);
  const copy = clone(module);
  assertEq(Object.getPrototypeOf(copy), Module.prototype);
  assertList(Reflect.ownKeys(copy), []);
});

test('a Module: clones of clones, when the first is gone', () => {
  let copy = sample().module();
  for (let i = 0; i < 5; i += 1) { copy = clone(copy); globalThis.gc?.(); }
  assertEq(new Instance(copy, { host: { f: (x) => x } }).exports.run(), 20);
});

test('a Module: instances of clones have nothing in common', () => {
  const module = sample().module();
  const [a, b] = [module, clone(module)].map((of) => new Instance(of, { host: { f: (x) => x } }).exports);
  a.global.value = 9;
  assertEq(b.global.value, 3);
  new Uint8Array(a.memory.buffer)[0] = 1;
  assertEq(new Uint8Array(b.memory.buffer)[0], 0);
});

// Memory.

test('a shared Memory: another object each time, another buffer, the same bytes', () => {
  const memory = shared();
  const [one, two] = [clone(memory), clone(memory)];
  assertEq(new Set([memory, one, two]).size, 3);
  assertEq(new Set([memory, one, two].map(({ buffer }) => buffer)).size, 3);
  for (const copy of [one, two]) {
    assertEq(Object.getPrototypeOf(copy), Memory.prototype);
    assertEq(Object.getPrototypeOf(copy.buffer), SharedArrayBuffer.prototype);
    assertEq(copy.buffer.byteLength, PAGE);
    assertEq(copy.buffer, copy.buffer);
    assertEq(copy.buffer.growable, false);
  }
  new Uint8Array(memory.buffer)[9] = 99;
  assertEq(new Uint8Array(two.buffer)[9], 99);
  Atomics.add(new Int32Array(one.buffer), 3, 5);
  assertEq(Atomics.load(new Int32Array(memory.buffer), 3), 5);
});

test('the buffer of a clone is frozen too', () => {
  assert(Object.isFrozen(clone(shared()).buffer));
});

test('a shared Memory within a message keeps its identity there', () => {
  const memory = shared();
  const [a, { b }] = clone([memory, { b: memory }]);
  assertEq(a, b);
});

test('a shared Memory: own properties are not kept', () => {
  const memory = Object.assign(shared(), { extra: () => {} });
  assertList(Reflect.ownKeys(clone(memory)), []);
});

test('growth by any shows at the next buffer of the others; held buffers keep their length', () => {
  const memory = shared();
  const copy = clone(memory);
  const buffers = [memory, copy].map(({ buffer }) => buffer);
  assertEq(memory.grow(2), 1);
  assertList([memory, copy].map(({ buffer }) => buffer.byteLength), [3 * PAGE, 3 * PAGE]);
  assertEq(copy.grow(1), 3);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
  assertEq(memory.grow(0), 4);
  assertList(buffers.map((buffer) => buffer.byteLength), [PAGE, PAGE]);
  assertEq(memory.buffer, memory.buffer);
  new Uint8Array(memory.buffer)[3 * PAGE] = 4;
  assertEq(new Uint8Array(copy.buffer)[3 * PAGE], 4);
  new Uint8Array(buffers[1])[5] = 6;
  assertEq(new Uint8Array(memory.buffer)[5], 6);
});

test('growth by one leaves the buffers of the others alone, until they are asked for', () => {
  const memory = shared();
  const copy = clone(memory);
  const held = copy.buffer;
  memory.grow(1);
  assertEq(held.byteLength, PAGE);
  assert(copy.buffer !== held);
  assertEq(copy.buffer, copy.buffer);
});

test('growth by nothing keeps the buffer where nothing grew', () => {
  const memory = shared();
  const copy = clone(memory);
  const held = [memory.buffer, copy.buffer];
  assertEq(copy.grow(0), 1);
  assertEq(memory.buffer, held[0]);
  assertEq(copy.buffer, held[1]);
}, { v8: 'makes a new buffer' });

test('all clones have one maximum', () => {
  const memory = shared(1, 3);
  const copy = clone(memory);
  copy.grow(2);
  assertThrows(RangeError, () => memory.grow(1));
  assertThrows(RangeError, () => copy.grow(1));
  assertEq(memory.buffer.byteLength, 3 * PAGE);
});

test('a clone of a grown memory is as long as that is', () => {
  const memory = shared();
  memory.grow(3);
  assertEq(clone(memory).buffer.byteLength, 4 * PAGE);
});

test('guests on memory and clone share it, and grow it for each other', () => {
  const memory = shared();
  const b = new WasmBuilder();
  b.export('memory', 'memory', b.importMemory('m', 'memory', { min: 1, max: 8, shared: true }));
  b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
  b.func([], ['i32'], op.memorySize(), { export: 'size' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
  const copy = clone(memory);
  const [one, two] = [memory, copy].map((of) => b.instance({ m: { memory: of } }).exports);
  const held = memory.buffer;
  assertEq(one.memory, memory);
  assertEq(two.memory, copy);
  assertEq(two.grow(2), 1);
  assertEq(one.size(), 3);
  assertEq(memory.buffer.byteLength, 3 * PAGE);
  assertEq(held.byteLength, PAGE);
  new Uint8Array(memory.buffer)[2 * PAGE] = 8;
  assertEq(two.peek(2 * PAGE), 8);
});

test('the bytes outlive the first memory', () => {
  let copy = (() => { const memory = shared(); new Uint8Array(memory.buffer)[7] = 7; return clone(memory); })();
  for (let i = 0; i < 4; i += 1) { globalThis.gc?.(); copy = clone(copy); }
  assertEq(new Uint8Array(copy.buffer)[7], 7);
  copy.grow(1);
  assertEq(new Uint8Array(copy.buffer)[7], 7);
});

test('the buffer of a shared memory is a SharedArrayBuffer like any', () => {
  const memory = shared();
  const { copy, view } = clone({ copy: memory.buffer, view: new Uint8Array(memory.buffer, 8, 8) });
  assertEq(view.buffer, copy);
  assert(copy !== memory.buffer);
  assertEq(copy.byteLength, PAGE);
  view[0] = 5;
  assertEq(new Uint8Array(memory.buffer)[8], 5);
  memory.grow(1);
  assertEq(copy.byteLength, PAGE);
});

test('the buffer and the memory in one message', () => {
  const memory = shared();
  const copy = clone([memory, memory.buffer]);
  new Uint8Array(copy[0].buffer)[1] = 2;
  assertEq(new Uint8Array(copy[1])[1], 2);
});

// The rest.

test('what has no form of data: DataCloneError', () => {
  const { exports } = new Instance(sample().module(), { host: { f: (x) => x } });
  const tag = new WebAssembly.Tag({ parameters: [] });
  const values = {
    'unshared Memory': new Memory({ initial: 1 }), 'exported Memory': exports.memory, Table: exports.table, Global: exports.global,
    function: exports.run, Tag: tag, Exception: new WebAssembly.Exception(tag, []),
    Instance: new Instance(new WasmBuilder().module()),
  };
  for (const [what, value] of Object.entries(values)) {
    assertDataCloneError(() => clone(value), what);
    assertDataCloneError(() => clone({ nested: [value] }), `nested ${what}`);
  }
});

test('the exports object holds functions: DataCloneError; an empty one is plain', () => {
  const { exports } = new Instance(sample().module(), { host: { f: (x) => x } });
  assertDataCloneError(() => clone(exports));
  const copy = clone(new Instance(new WasmBuilder().module()).exports);
  assertEq(Object.getPrototypeOf(copy), Object.prototype);
});

test('the buffer of an unshared memory is copied', () => {
  const memory = new Memory({ initial: 1, maximum: 2 });
  new Uint8Array(memory.buffer)[3] = 3;
  const copy = clone(memory.buffer);
  assertEq(copy.byteLength, PAGE);
  assertEq(new Uint8Array(copy)[3], 3);
  new Uint8Array(copy)[3] = 4;
  assertEq(new Uint8Array(memory.buffer)[3], 3);
  assertEq(copy.transfer().byteLength, PAGE, 'and may be detached');
});

test('the WebAssembly errors are of made-up names', () => {
  for (const Class of [WebAssembly.CompileError, WebAssembly.LinkError, WebAssembly.RuntimeError]) {
    const copy = clone(new Class('m'));
    assertEq(Object.getPrototypeOf(copy), Error.prototype);
    assertEq(copy.message, 'm');
  }
});

test('nothing of WebAssembly is transferable: DataCloneError', () => {
  const { exports } = new Instance(sample().module(), { host: { f: (x) => x } });
  for (const value of [shared(), shared().buffer, sample().module(), new Memory({ initial: 1 }), exports.table, exports.run]) {
    const buffer = new ArrayBuffer(1);
    assertDataCloneError(() => clone(0, { transfer: [buffer, value] }));
    assertEq(buffer.detached, false);
  }
});

test('a message that fails leaves memory and module as they were', () => {
  const [memory, module] = [shared(), sample().module()];
  assertDataCloneError(() => clone([memory, module, () => {}]));
  memory.grow(1);
  assertEq(memory.buffer.byteLength, 2 * PAGE);
  assertEq(new Instance(module, { host: { f: (x) => x } }).exports.run(), 20);
});

test('the buffer of an unshared memory cannot be transferred: TypeError, and nothing else is', () => {
  const memory = new Memory({ initial: 1 });
  const other = new ArrayBuffer(8);
  assertThrows(TypeError, () => clone(0, { transfer: [other, memory.buffer] }));
  assertEq(other.byteLength, 8);
  assertEq(memory.buffer.byteLength, PAGE);
}, { v8: 'Node throws a DataCloneError' });

test('a copy of a memory\u2019s buffer is an ordinary buffer', () => {
  const memory = new Memory({ initial: 1 });
  const copy = clone(memory.buffer);
  memory.grow(1);
  assertEq(copy.byteLength, PAGE);
  assertEq(copy.transfer(1).byteLength, 1);
});
