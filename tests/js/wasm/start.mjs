// The start function.
import { assert, assertEq, assertList, assertRejects, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Instance, RuntimeError } = WebAssembly;

/** A module whose start function is the import m.start; it exports a memory with data, and `f`. */
function importedStart() {
  const b = new WasmBuilder();
  b.start(b.importFunc('m', 'start'));
  b.memory({ min: 1 }, { export: 'memory' });
  b.data(0, [5]);
  b.func([], ['i32'], op.i32(1), { export: 'f' });
  return b.module();
}

test('it runs once, during instantiation, with no arguments', () => {
  const calls = [];
  new Instance(importedStart(), { m: { start(...args) { calls.push([this, ...args]); } } });
  assertEq(calls.length, 1);
  assertList(calls[0], [undefined]);
});

test('it runs for each instance', () => {
  let count = 0;
  const module = importedStart();
  for (let i = 0; i < 3; i++) new Instance(module, { m: { start() { count += 1; } } });
  assertEq(count, 3);
});

test('it runs after the segments are in place', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const b = new WasmBuilder();
  const start = b.importFunc('m', 'start');
  b.importMemory('m', 'memory', { min: 1 });
  b.data(3, [9]);
  b.start(start);
  let seen;
  b.instance({ m: { memory, start() { seen = new Uint8Array(memory.buffer)[3]; } } });
  assertEq(seen, 9);
});

test('it may be a function of the module', () => {
  const b = new WasmBuilder();
  b.global('i32', op.i32(1), { mutable: true, export: 'count' });
  b.start(b.func([], [], [op.globalGet(0), op.i32(1), op.i32Add, op.globalSet(0)]));
  assertEq(b.instance().exports.count.value, 2);
});

test('it may be a wasm function of another instance', () => {
  const a = new WasmBuilder();
  a.global('i32', op.i32(0), { mutable: true, export: 'count' });
  a.func([], [], [op.globalGet(0), op.i32(1), op.i32Add, op.globalSet(0)], { export: 'start' });
  const { start, count } = a.instance().exports;
  new Instance(importedStart(), { m: { start } });
  assertEq(count.value, 1);
});

test('what it throws comes out unchanged, asynchronously as a rejection', async () => {
  const reason = { any: 'value' };
  const imports = { m: { start() { throw reason; } } };
  assertThrowsValue(reason, () => new Instance(importedStart(), imports));
  let caught;
  await WebAssembly.instantiate(importedStart(), imports).catch((error) => { caught = error; });
  assertEq(caught, reason);
});

test('a trap in it is a RuntimeError', async () => {
  const b = new WasmBuilder();
  b.start(b.func([], [], op.unreachable));
  assertThrows(RuntimeError, () => b.instance());
  await assertRejects(RuntimeError, () => WebAssembly.instantiate(b.bytes()));
  await assertRejects(RuntimeError, () => WebAssembly.instantiate(b.module()));
});

test('an instance whose start function failed can live on in what it wrote to', () => {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  b.importTable('m', 'table', { min: 1 });
  b.global('i32', op.i32(41), { mutable: true });
  const f = b.func([], ['i32'], [op.globalGet(0), op.i32(1), op.i32Add, op.globalSet(0), op.globalGet(0)]);
  b.elem(0, 0, [f]);
  b.start(b.func([], [], op.unreachable));
  assertThrows(RuntimeError, () => b.instance({ m: { table } }));
  globalThis.gc?.();
  assertEq(table.get(0)(), 42);
  assertEq(table.get(0)(), 43);
});

test('it can call functions of its instance through a table, before there is an exports object', () => {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  const start = b.importFunc('m', 'start');
  b.importTable('m', 'table', { min: 1 });
  const f = b.func([], ['i32'], op.i32(8), { export: 'f' });
  b.elem(0, 0, [f]);
  b.start(start);
  let early;
  const { exports } = b.instance({ m: { table, start() { early = table.get(0); assertEq(early(), 8); } } });
  assertEq(exports.f, early);
});

test('it can make another instance of its own module', () => {
  const module = importedStart();
  let depth = 0;
  const start = () => { depth += 1; if (depth < 5) new Instance(module, { m: { start } }); };
  new Instance(module, { m: { start } });
  assertEq(depth, 5);
});

test('it can grow the memory', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1 });
  b.start(b.func([], [], [op.i32(1), op.memoryGrow(), op.drop]));
  const old = memory.buffer;
  b.instance({ m: { memory } });
  assert(old.detached);
  assertEq(memory.buffer.byteLength, 2 * 65536);
});

test('what it makes on the way does not take the memory of its own instance', () => {
  const inner = new WasmBuilder();
  inner.memory({ min: 2 }, { export: 'memory' });
  const module = inner.module();
  const b = new WasmBuilder();
  const start = b.importFunc('m', 'start');
  b.memory({ min: 1 }, { export: 'memory' });
  b.start(start);
  const made = [];
  const outer = b.instance({ m: { start() {
    made.push(new Instance(module).exports.memory);
    const own = new WebAssembly.Memory({ initial: 3 });
    const user = new WasmBuilder();
    user.importMemory('m', 'memory', { min: 1 });
    made.push(user.instance({ m: { memory: own } }) && own);
  } } });
  assertList([outer.exports.memory, ...made].map((memory) => memory.buffer.byteLength / 65536), [1, 2, 3]);
});
