// Active data segments: what is in a memory when scripts and guests first see it, and who sees it.
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { assertEq, assertThrows, test } from '../harness.mjs';

const { Memory, Instance, Table, RuntimeError } = WebAssembly;
const bytesOf = (memory, at, length) => [...new Uint8Array(memory.buffer, at, length)];


test('later segments lie over earlier ones, and what lies between is zero', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.data(2, [1, 2, 3]).data(5, [4]).data(3, [9, 9]).data(65536, []).data(65535, [7]);
  const { memory } = b.instance().exports;
  assertEq(bytesOf(memory, 0, 8).join(), '0,0,1,9,9,4,0,0');
  assertEq(bytesOf(memory, 65535, 1).join(), '7');
});

test('each instance begins with its own', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.data(0, [5]);
  const module = b.module();
  const [first, second] = [new Instance(module).exports.memory, new Instance(module).exports.memory];
  new Uint8Array(first.buffer)[0] = 6;
  assertEq(bytesOf(second, 0, 1).join(), '5');
  assertEq(bytesOf(new Instance(module).exports.memory, 0, 1).join(), '5');
});

test('a segment that does not fit leaves what came before it, in a memory that others have', () => {
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1 });
  b.data(0, [5]).data(65536, [1]);
  const memory = new Memory({ initial: 1 });
  assertThrows(RuntimeError, () => b.instance({ m: { memory } }));
  assertEq(bytesOf(memory, 0, 1).join(), '5');
});

test('a start function finds the data', () => {
  const b = new WasmBuilder();
  let seen;
  const tell = b.importFunc('m', 'tell', ['i32'], []);
  b.memory({ min: 1 });
  b.data(0, [42]);
  b.start(b.func([], [], [op.i32(0), op.load8(), op.call(tell)]));
  b.instance({ m: { tell(value) { seen = value; } } });
  assertEq(seen, 42);
});

test('where an element segment fails, what an earlier one has let out sees no data', () => {
  const b = new WasmBuilder();
  b.importTable('m', 'table', { element: 'funcref', min: 1 });
  b.memory({ min: 1 });
  const read = b.func([], ['i32'], [op.i32(0), op.load8()]);
  b.elem(0, 0, [read]).elem(0, 100, [read]);
  b.data(0, [97]);
  const table = new Table({ element: 'anyfunc', initial: 10 });
  assertThrows(RuntimeError, () => b.instance({ m: { table } }));
  assertEq(table.get(0)(), 0);
});
