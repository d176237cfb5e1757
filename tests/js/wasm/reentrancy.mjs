// JavaScript that runs in the middle of things: getters, conversions and imports that grow, call and instantiate.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Global, Instance, Memory, Table } = WebAssembly;
const PAGE = 65536;

test('a conversion of grow\'s argument that grows: the old size is the one at the growth', () => {
  const memory = new Memory({ initial: 1, maximum: 10 });
  const first = memory.buffer;
  let between;
  assertEq(memory.grow({ valueOf() { memory.grow(2); between = memory.buffer; return 1; } }), 3);
  assert(first.detached && between.detached);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
});

test('a conversion that uses up the room: RangeError', () => {
  const memory = new Memory({ initial: 1, maximum: 2 });
  assertThrows(RangeError, () => memory.grow({ valueOf() { memory.grow(1); return 1; } }));
  assertEq(memory.buffer.byteLength, 2 * PAGE);
});

// Step 3 of Table.grow reads the size before step 5 converts the delta.
test('a conversion of Table.grow\'s argument that grows: the old length is the one before the conversion', () => {
  const table = new Table({ element: 'anyfunc', initial: 1 });
  assertEq(table.grow({ valueOf() { table.grow(2); return 1; } }), 1);
  assertEq(table.length, 4);
}, { v8: 'returns the length at the growth' });

test('the table has grown by both', () => {
  const table = new Table({ element: 'anyfunc', initial: 1 });
  table.grow({ valueOf() { table.grow(2); return 1; } });
  assertEq(table.length, 4);
});

test('a conversion of an index that grows the table makes the index valid', () => {
  const table = new Table({ element: 'externref', initial: 1 });
  table.set({ valueOf() { table.grow(1); return 1; } }, 'thing');
  assertEq(table.get({ valueOf() { table.grow(1, 'new'); return 2; } }), 'new');
  assertEq(table.get(1), 'thing');
});

test('a getter of a descriptor may make and grow memories', () => {
  const other = new Memory({ initial: 1 });
  const memory = new Memory({
    get initial() { other.grow(1); return new Memory({ initial: 3 }).buffer.byteLength / PAGE; },
    get maximum() { other.grow(1); return 4; },
  });
  assertEq(memory.buffer.byteLength, 3 * PAGE);
  assertEq(other.buffer.byteLength, 3 * PAGE);
});

test('a conversion in an assignment may assign to the same global', () => {
  const global = new Global({ value: 'i32', mutable: true }, 1);
  global.value = { valueOf() { global.value = 5; return global.value + 1; } };
  assertEq(global.value, 6);
});

test('a getter of the imports may grow a memory that is imported', () => {
  const memory = new Memory({ initial: 1 });
  const b = new WasmBuilder();
  b.importFunc('m', 'f');
  b.importMemory('m', 'memory', { min: 2 });
  b.func([], ['i32'], op.memorySize(), { export: 'size' });
  const { size } = b.instance({ m: { get f() { memory.grow(1); return () => {}; }, memory } }).exports;
  assertEq(size(), 2);
});

test('a getter of the imports may instantiate the same module', () => {
  const b = new WasmBuilder();
  b.importGlobal('m', 'depth', 'i32');
  b.export('depth', 'global', 0);
  const module = b.module();
  let depth = 0;
  const imports = { m: { get depth() {
    depth += 1;
    const mine = depth;
    if (depth < 4) new Instance(module, imports);
    return mine;
  } } };
  assertEq(new Instance(module, imports).exports.depth.value, 1);
  assertEq(depth, 4);
});

function host(f, extra = {}) {
  const b = new WasmBuilder();
  const imported = b.importFunc('m', 'f', ['i32'], ['i32']);
  b.memory({ min: 1, max: 8 }, { export: 'memory' });
  b.global('i32', op.i32(0), { mutable: true, export: 'global' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(imported)], { export: 'call' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(imported), op.drop, op.globalGet(0)], { export: 'callThenRead' });
  b.func(['i32', 'i32'], ['i32'],
    [op.i32(8), op.localGet(0), op.store8(), op.localGet(1), op.call(imported), op.drop, op.i32(8), op.load8()],
    { export: 'storeCallLoad' });
  return b.instance({ m: { f, ...extra } }).exports;
}

test('a conversion of an argument may call the same function', () => {
  const { call } = host((x) => x * 2);
  assertEq(call({ valueOf() { return call({ valueOf: () => call(1) }); } }), 8);
});

test('mutual recursion through an import', () => {
  const { call } = host((n) => (n === 0 ? 0 : call(n - 1) + 1));
  assertEq(call(50), 50);
});

test('the guest sees what an import did to its globals and memory', () => {
  const { callThenRead, storeCallLoad, global, memory } = host((x) => {
    global.value = x;
    new Uint8Array(memory.buffer)[8] += x;
    return 0;
  });
  assertEq(callThenRead(17), 17);
  assertEq(storeCallLoad(40, 2), 42);
});

test('the guest sees its memory when an import has grown it', () => {
  const { storeCallLoad, memory } = host((pages) => memory.grow(pages));
  const old = memory.buffer;
  assertEq(storeCallLoad(99, 3), 99);
  assert(old.detached);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
});

test('an import that throws after it grew', () => {
  const { call, memory } = host(() => { memory.grow(1); throw 'grown'; });
  assertThrowsValue('grown', () => call(0));
  assertEq(memory.buffer.byteLength, 2 * PAGE);
});

test('an import may replace itself in the table that it was called from', () => {
  const table = new Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['i32']);
  b.importTable('m', 'table', { min: 1 });
  const caller = b.func([], ['i32'], op.call(f), { export: 'caller' });
  b.elem(0, 0, [caller]);
  b.func([], ['i32'], [op.i32(0), op.callIndirect(b.type([], ['i32']))], { export: 'run' });
  const { run } = b.instance({ m: { table, f() { table.set(0, null); globalThis.gc?.(); return 3; } } }).exports;
  assertEq(run(), 3);
  assertThrows(WebAssembly.RuntimeError, run);
});

test('an import may drop the last reference to the instance that called it', () => {
  let exports;
  const f = (x) => {
    exports = undefined;
    globalThis.gc?.();
    new Instance(new WebAssembly.Module(new WasmBuilder().bytes()));
    return x + 1;
  };
  exports = host(f);
  assertEq(exports.storeCallLoad(5, 1), 5);
  assertEq(exports, undefined);
});

test('a conversion of a result may call the function whose result it is', () => {
  let depth = 0;
  const { call } = host(() => ({ valueOf() { depth += 1; return depth < 5 ? call(0) : 11; } }));
  assertEq(call(0), 11);
});

test('an iterator of several results may call into the instance between them', () => {
  const b = new WasmBuilder();
  const pair = b.importFunc('m', 'pair', [], ['i32', 'i32']);
  b.global('i32', op.i32(0), { mutable: true });
  b.func([], ['i32'], [op.globalGet(0), op.i32(1), op.i32Add, op.globalSet(0), op.globalGet(0)], { export: 'next' });
  b.func([], ['i32', 'i32'], op.call(pair), { export: 'run' });
  const exports = b.instance({ m: { *pair() { yield exports.next(); yield exports.next(); } } }).exports;
  assertList(exports.run(), [1, 2]);
});

test('generators may be suspended between two calls', () => {
  const { call } = host((x) => x + 1);
  const run = function* () { for (let i = 0; i < 3; i++) yield call(i); };
  assertList([...run()], [1, 2, 3]);
});

test('calls into another instance nest', () => {
  const inner = host((x) => x + 1);
  const outer = host((x) => inner.call(x) * 10);
  assertEq(outer.call(4), 50);
  const log = [];
  const a = host((n) => { log.push(`a${n}`); return n === 0 ? 0 : b.call(n - 1); });
  const b = host((n) => { log.push(`b${n}`); return n === 0 ? 0 : a.call(n - 1); });
  a.call(3);
  assertList(log, ['a3', 'b2', 'a1', 'b0']);
});
