// Instances linked to each other: by functions, tables, memories and globals, in every order.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { Global, Instance, LinkError, Memory, RuntimeError, Table } = WebAssembly;
const constant = (value) => wasmFunction([], ['i32'], op.i32(value));

test('exports of one instance are imports of the next', () => {
  const a = new WasmBuilder();
  a.memory({ min: 1 }, { export: 'memory' });
  a.table({ min: 4 }, { export: 'table' });
  a.global('i32', op.i32(5), { mutable: true, export: 'global' });
  a.func(['i32'], ['i32'], [op.localGet(0), op.globalGet(0), op.i32Add], { export: 'f' });
  const first = a.instance();
  const b = new WasmBuilder();
  const f = b.importFunc('a', 'f', ['i32'], ['i32']);
  b.importMemory('a', 'memory', { min: 1 });
  b.importTable('a', 'table', { min: 1 });
  b.importGlobal('a', 'global', 'i32', true);
  b.func(['i32'], ['i32'], [op.i32(100), op.globalSet(0), op.i32(0), op.localGet(0), op.store8(), op.localGet(0), op.call(f)],
    { export: 'run' });
  b.export('memory', 'memory', 0).export('table', 'table', 0).export('global', 'global', 0).export('f', 'function', f);
  const second = new Instance(b.module(), { a: first.exports });
  assertEq(second.exports.run(7), 107);
  assertEq(new Uint8Array(first.exports.memory.buffer)[0], 7);
  for (const name of ['memory', 'table', 'global', 'f']) assertEq(second.exports[name], first.exports[name]);
});

test('a chain of re-exports keeps identity', () => {
  const memory = new Memory({ initial: 1 });
  let exports = { memory, f: constant(1) };
  const { f } = exports;
  for (let i = 0; i < 10; i++) {
    const b = new WasmBuilder();
    b.export('f', 'function', b.importFunc('m', 'f', [], ['i32']));
    b.export('memory', 'memory', b.importMemory('m', 'memory', { min: 1 }));
    ({ exports } = b.instance({ m: exports }));
  }
  assertEq(exports.memory, memory);
  assertEq(exports.f, f);
});

test('a re-exported JavaScript import stays one exported function down the chain', () => {
  const calls = [];
  const a = new WasmBuilder();
  a.export('f', 'function', a.importFunc('m', 'f', ['i32'], []));
  const { f } = a.instance({ m: { f: (x) => calls.push(x) } }).exports;
  const b = new WasmBuilder();
  const imported = b.importFunc('m', 'f', ['i32'], []);
  b.export('f', 'function', imported);
  b.func([], [], [op.i32(3), op.call(imported)], { export: 'run' });
  const second = b.instance({ m: { f } }).exports;
  assertEq(second.f, f);
  second.run();
  assertList(calls, [3]);
});

/** A module that imports a table and calls its slots. */
function tableCaller(table) {
  const b = new WasmBuilder();
  b.importTable('m', 'table', { min: 1 });
  b.func(['i32'], ['i32'], [op.localGet(0), op.callIndirect(b.type([], ['i32']))], { export: 'call' });
  b.func(['i32'], ['funcref'], [op.localGet(0), op.tableGet(0)], { export: 'get' });
  b.func(['i32', 'funcref'], [], [op.localGet(0), op.localGet(1), op.tableSet(0)], { export: 'set' });
  return b.instance({ m: { table } }).exports;
}

test('functions of unrelated instances in one table', () => {
  const table = new Table({ element: 'anyfunc', initial: 4 });
  const functions = [constant(10), constant(11), constant(12)];
  table.set(0, functions[0]);
  const { call, get, set } = tableCaller(table);
  table.set(1, functions[1]);
  set(2, functions[2]);
  functions.forEach((f, i) => {
    assertEq(call(i), 10 + i);
    assertEq(table.get(i), f);
    assertEq(get(i), f);
  });
  assertThrows(RuntimeError, () => call(3));
});

test('a JavaScript function becomes a wasm function by a module made at run time', () => {
  const wrap = (f, params, results) => {
    const b = new WasmBuilder();
    b.export('f', 'function', b.importFunc('e', 'f', params, results));
    return b.instance({ e: { f } }).exports.f;
  };
  const b = new WasmBuilder();
  b.table({ min: 2 }, { export: 'table' });
  const unary = b.type(['i32'], ['i32']);
  b.func(['i32', 'i32'], ['i32'], [op.localGet(1), op.localGet(0), op.callIndirect(unary)], { export: 'apply' });
  const { table, apply } = b.instance().exports;
  const double = wrap((x) => x * 2, ['i32'], ['i32']);
  table.set(0, double);
  table.grow(1, wrap((x) => { throw x; }, ['i32'], ['i32']));
  assertEq(apply(0, 21), 42);
  assertEq(table.get(0), double);
  assertThrowsValue(5, () => apply(2, 5));
});

test('a table and a memory made by the script link a main module and a side module', () => {
  const memory = new Memory({ initial: 1 });
  const table = new Table({ element: 'anyfunc', initial: 2 });
  const stackPointer = new Global({ value: 'i32', mutable: true }, 1024);
  const module = (offset, value) => {
    const b = new WasmBuilder();
    b.importMemory('env', 'memory', { min: 1 });
    b.importTable('env', 'table', { min: 2 });
    b.importGlobal('env', 'stackPointer', 'i32', true);
    const f = b.func([], ['i32'], [op.globalGet(0), op.i32(value), op.i32Add, op.globalSet(0), op.i32(8), op.load8()]);
    b.elem(0, offset, [f]).data(8 + offset, [value]);
    b.func(['i32'], ['i32'], [op.localGet(0), op.callIndirect(b.type([], ['i32']))], { export: 'call' });
    return b.instance({ env: { memory, table, stackPointer } }).exports;
  };
  const main = module(0, 3);
  const side = module(1, 4);
  assertEq(main.call(1), 3);
  assertEq(side.call(0), 3);
  assertEq(stackPointer.value, 1024 + 3 + 4);
  assertList(new Uint8Array(memory.buffer, 8, 2), [3, 4]);
});

test('two instances that import from each other, through a table', () => {
  const table = new Table({ element: 'anyfunc', initial: 2 });
  const parity = (own, other, base) => {
    const b = new WasmBuilder();
    b.importTable('m', 'table', { min: 2 });
    const type = b.type(['i32'], ['i32']);
    const f = b.func(['i32'], ['i32'], [
      op.localGet(0), op.i32Eqz, op.if('i32'), op.i32(base), op.else,
      op.localGet(0), op.i32(1), op.i32Sub, op.i32(other), op.callIndirect(type), op.end,
    ], { export: 'f' });
    b.elem(0, own, [f]);
    return b.instance({ m: { table } }).exports.f;
  };
  const even = parity(0, 1, 1);
  const odd = parity(1, 0, 0);
  assertEq(even(10), 1);
  assertEq(odd(10), 0);
  assertEq(even(7), 0);
});

test('an exception crosses from one instance through another by a table', () => {
  const table = new Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['i32']);
  b.func([], ['i32'], op.call(f), { export: 'thrower' });
  const reason = {};
  table.set(0, b.instance({ m: { f() { throw reason; } } }).exports.thrower);
  assertThrowsValue(reason, () => tableCaller(table).call(0));
});

test('a trap in one instance leaves the other as it was', () => {
  const table = new Table({ element: 'anyfunc', initial: 2 });
  table.set(0, wasmFunction([], ['i32'], op.unreachable));
  table.set(1, constant(6));
  const { call } = tableCaller(table);
  assertThrows(RuntimeError, () => call(0));
  assertEq(call(1), 6);
});

test('functions pass between instances as arguments and results', () => {
  const b = new WasmBuilder();
  b.table({ min: 1 });
  b.func(['funcref'], ['i32'],
    [op.i32(0), op.localGet(0), op.tableSet(0), op.i32(0), op.callIndirect(b.type([], ['i32']))], { export: 'apply' });
  const { apply } = b.instance().exports;
  for (const value of [1, 2, 3]) assertEq(apply(constant(value)), value);
  assertThrows(RuntimeError, () => apply(null));
  assertThrows(RuntimeError, () => apply(wasmFunction(['i32'], [], [])));
});

test('a function of another instance in a global, an element of a table made by the script', () => {
  const f = constant(2);
  const global = new Global({ value: 'anyfunc', mutable: true }, f);
  const b = new WasmBuilder();
  b.importGlobal('m', 'global', 'funcref', true);
  b.table({ min: 1 }, { export: 'table' });
  b.func([], ['i32'], [op.i32(0), op.globalGet(0), op.tableSet(0), op.i32(0), op.callIndirect(b.type([], ['i32']))],
    { export: 'run' });
  const { run, table } = b.instance({ m: { global } }).exports;
  assertEq(run(), 2);
  assertEq(table.get(0), f);
  const g = constant(3);
  global.value = g;
  assertEq(run(), 3);
  assertEq(global.value, g);
});

test('externrefs pass through tables and globals of several instances', () => {
  const things = new Table({ element: 'externref', initial: 1 });
  const global = new Global({ value: 'externref', mutable: true });
  const b = new WasmBuilder();
  b.importTable('m', 'things', { element: 'externref', min: 1 });
  b.importGlobal('m', 'global', 'externref', true);
  b.func([], [], [op.i32(0), op.tableGet(0), op.globalSet(0)], { export: 'move' });
  const { move } = b.instance({ m: { things, global } }).exports;
  b.instance({ m: { things, global } });
  const thing = { mine: true };
  things.set(0, thing);
  move();
  things.set(0, null);
  globalThis.gc?.();
  assertEq(global.value, thing);
});

test('a memory given to several instances, one after it has grown', () => {
  const memory = new Memory({ initial: 1, maximum: 4 });
  const make = (min) => {
    const b = new WasmBuilder();
    b.importMemory('m', 'memory', { min });
    b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
    b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
    return b.instance({ m: { memory } }).exports;
  };
  const one = make(1);
  assertThrows(LinkError, () => make(2));
  one.grow(1);
  const two = make(2);
  new Uint8Array(memory.buffer)[65536] = 9;
  assertEq(one.peek(65536), 9);
  assertEq(two.peek(65536), 9);
});

test('a failed instantiation does not bind what it was offered', () => {
  const memory = new Memory({ initial: 1 });
  const table = new Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1 });
  b.importTable('m', 'table', { min: 2 });
  assertThrows(LinkError, () => b.instance({ m: { memory, table } }));
  const grown = new Uint8Array((memory.grow(1), memory.buffer));
  grown[65536] = 1;
  table.grow(1);
  assert(b.instance({ m: { memory, table } }));
});

test('memories and tables of two separate groups meet in a third instance', () => {
  const group = (value) => {
    const b = new WasmBuilder();
    b.memory({ min: 1 }, { export: 'memory' });
    b.data(0, [value]);
    b.func([], ['i32'], [op.i32(0), op.load8()], { export: 'read' });
    return b.instance().exports;
  };
  const [one, two] = [group(1), group(2)];
  const b = new WasmBuilder();
  const [readOne, readTwo] = [b.importFunc('one', 'read', [], ['i32']), b.importFunc('two', 'read', [], ['i32'])];
  b.func([], ['i32'], [op.call(readOne), op.i32(10), op.i32Mul, op.call(readTwo), op.i32Add], { export: 'both' });
  assertEq(b.instance({ one, two }).exports.both(), 12);
});

test('a module imports from itself', () => {
  const b = new WasmBuilder();
  const previous = b.importFunc('m', 'f', [], ['i32']);
  b.func([], ['i32'], [op.call(previous), op.i32(1), op.i32Add], { export: 'f' });
  const module = b.module();
  let exports = { f: () => 0 };
  for (let i = 0; i < 20; i++) ({ exports } = new Instance(module, { m: exports }));
  assertEq(exports.f(), 20);
});

test('a tail call into another instance', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['i32']);
  b.func([], ['i32'], op.returnCall(f), { export: 'run' });
  assertEq(b.instance({ m: { f: constant(4) } }).exports.run(), 4);
  assertEq(b.instance({ m: { f: () => 5 } }).exports.run(), 5);
});
