// Limits that the specification of the API sets, on both sides where that is cheap; and many of something.
import { assertEq, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { CompileError, Instance, Memory, Table, validate } = WebAssembly;
const repeat = (count, value) => new Array(count).fill(value);

/** `build` with `limit` makes a valid module, with one more an invalid one. */
function limit(name, count, build, options) {
  test(`${name}: ${count} are allowed, one more is not`, () => {
    const [fits, tooMany] = [new WasmBuilder(), new WasmBuilder()];
    build(fits, count);
    build(tooMany, count + 1);
    assertEq(validate(fits.bytes()), true);
    assertEq(validate(tooMany.bytes()), false);
    assertThrows(CompileError, () => tooMany.module());
  }, options);
}

limit('parameters of a function', 1000, (b, n) => b.func(repeat(n, 'i32'), [], []));
limit('results of a function', 1000, (b, n) => b.func([], repeat(n, 'i32'), repeat(n, op.i32(0))));
limit('locals of a function', 50_000, (b, n) => b.func([], [], [], { locals: repeat(n, 'i32') }));
limit('pages of a memory', 65_536, (b, n) => b.memory({ min: n, max: n }));
limit('largest size of a memory', 65_536, (b, n) => b.memory({ min: 0, max: n }));
limit('entries of a table', 10_000_000, (b, n) => b.table({ min: n }));
limit('bytes of a function', 7_654_321, (b, n) => b.func([], [], new Uint8Array(n - 2).fill(op.nop[0])));
limit('data segments', 100_000, (b, n) => { b.memory({ min: 1 }); for (let i = 0; i < n; i++) b.data(0, []); });
limit('tables', 100_000, (b, n) => { for (let i = 0; i < n; i++) b.table({ min: 0 }); });
limit('memories', 100, (b, n) => { for (let i = 0; i < n; i++) b.memory({ min: 0, max: 0 }); },
  { v8: 'allows more' });

test('parameters count as locals', () => {
  const build = (params, locals) => {
    const b = new WasmBuilder();
    b.func(repeat(params, 'i32'), [], [], { locals: repeat(locals, 'i32') });
    return b.bytes();
  };
  assertEq(validate(build(1000, 49_000)), true);
  assertEq(validate(build(1000, 49_001)), false);
});

test('a table type may name a maximum that no table can reach', () => {
  const b = new WasmBuilder();
  b.table({ min: 0, max: 2 ** 32 - 1 }, { export: 'table' });
  assertThrows(RangeError, () => b.instance().exports.table.grow(10_000_001));
});

test('a table grows to 10,000,000 entries and no further', () => {
  const table = new Table({ element: 'anyfunc', initial: 0 });
  assertEq(table.grow(10_000_000), 0);
  assertEq(table.length, 10_000_000);
  assertThrows(RangeError, () => table.grow(1));
});

test('1,000 arguments and results', () => {
  const b = new WasmBuilder();
  const types = repeat(1000, 'i32');
  const host = b.importFunc('m', 'f', types, types);
  b.func(types, types, [types.map((_, i) => op.localGet(i)), op.call(host)], { export: 'f' });
  const { f } = b.instance({ m: { f: (...args) => args.reverse() } }).exports;
  assertEq(f.length, 1000);
  const result = f(...types.map((_, i) => i));
  assertEq(result.length, 1000);
  assertEq(result[0], 999);
  assertEq(result[999], 0);
});

test('10,000 exports', () => {
  const b = new WasmBuilder();
  for (let i = 0; i < 10_000; i++) b.func([], ['i32'], op.i32(i), { export: `f${i}` });
  const { exports } = b.instance();
  assertEq(Object.keys(exports).length, 10_000);
  assertEq(exports.f9999(), 9999);
});

test('10,000 instances, one after another', () => {
  const b = new WasmBuilder();
  b.importFunc('m', 'f');
  b.memory({ min: 1 }, { export: 'memory' });
  b.func([], ['i32'], op.i32(1), { export: 'f' });
  const module = b.module();
  let sum = 0;
  for (let i = 0; i < 10_000; i++) {
    const instance = new Instance(module, { m: { f: () => instance } });
    sum += instance.exports.f();
  }
  assertEq(sum, 10_000);
});

test('a hundred memories at a time', () => {
  const memories = Array.from({ length: 100 }, (_, i) => new Memory({ initial: 1, maximum: i + 1 }));
  memories.forEach((memory, i) => { new Uint8Array(memory.buffer)[0] = i; });
  memories.forEach((memory, i) => assertEq(new Uint8Array(memory.buffer)[0], i));
});

test('a memory of many pages is no slower to make than it has to be', () => {
  const memory = new Memory({ initial: 16_384 });
  assertEq(memory.buffer.byteLength, 2 ** 30);
  const bytes = new Uint8Array(memory.buffer);
  bytes[2 ** 30 - 1] = 5;
  assertEq(bytes[2 ** 30 - 1], 5);
});

test('deeply nested blocks', () => {
  const b = new WasmBuilder();
  b.func([], ['i32'], [repeat(10_000, op.block()), repeat(10_000, op.end), op.i32(1)], { export: 'f' });
  assertEq(b.instance().exports.f(), 1);
});

test('100,000 calls of an import that throws', () => {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f');
  b.func([], [], op.call(host), { export: 'run' });
  const { run } = b.instance({ m: { f() { throw 1; } } }).exports;
  let caught = 0;
  for (let i = 0; i < 100_000; i++) try { run(); } catch { caught += 1; }
  assertEq(caught, 100_000);
});
