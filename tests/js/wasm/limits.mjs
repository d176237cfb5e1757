// Limits that the specification of the API sets, on both sides where that is cheap; and many of something.
// Takes long: modules as large as they may be.
import { assertEq, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op, u32 } from '../wasm-builder.mjs';

const { CompileError, Instance, LinkError, Memory, Module, Table, validate } = WebAssembly;
const WIDE = { address: 'i64' };
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
limit('largest size of a 64-bit memory', 2 ** 37 - 1, (b, n) => b.memory({ min: 0, max: n, ...WIDE }),
  { v8: 'allows as many pages as a memory can have' });
limit('largest size of an imported 64-bit memory', 2 ** 37 - 1,
  (b, n) => b.importMemory('m', 'm', { min: 0, max: n, ...WIDE }), { v8: 'as above' });
limit('pages of a 64-bit memory', 2 ** 37 - 1, (b, n) => b.memory({ min: n, ...WIDE }), { v8: 'as above' });
limit('entries of a table', 10_000_000, (b, n) => b.table({ min: n }));
limit('entries of a 64-bit table', 10_000_000, (b, n) => b.table({ min: n, ...WIDE }));
limit('entries of an imported table', 10_000_000, (b, n) => b.importTable('m', 't', { min: n }));
limit('fields of a structure', 10_000, (b, n) => b.rawType([0x5f, u32(n), repeat(n, [0x7f, 0])]));
limit('depth of a hierarchy of types', 63, (b, n) => {
  let above = b.rawType([0x50, 0, 0x5f, 0]);
  for (let i = 0; i < n; i++) above = b.rawType([0x50, 1, u32(above), 0x5f, 0]);
});
limit('parameters of a block', 1000, (b, n) => {
  const type = b.type(repeat(n, 'i32'), []);
  b.func([], [], [repeat(n, op.i32(0)), 0x02, u32(type), repeat(n, op.drop), op.end]);
});
limit('operands of array.new_fixed', 10_000, (b, n) => {
  const array = b.arrayType('i32');
  b.func([], [], [repeat(n, op.i32(0)), op.arrayNewFixed(array, n), op.drop]);
});
limit('operands of array.new_fixed in a constant', 10_000, (b, n) => {
  const array = b.arrayType('i32');
  b.global([0x63, array], [repeat(n, op.i32(0)), op.arrayNewFixed(array, n)]);
});
limit('operands of array.new_fixed in a table', 10_000, (b, n) => {
  const array = b.arrayType('i32');
  b.passiveElem([0x63, array], [[repeat(n, op.i32(0)), op.arrayNewFixed(array, n)]]);
});
limit('bytes of a function', 7_654_321, (b, n) => b.func([], [], new Uint8Array(n - 2).fill(op.nop[0])));
limit('data segments', 100_000, (b, n) => { b.memory({ min: 1 }); for (let i = 0; i < n; i++) b.data(0, []); });
limit('tables', 100_000, (b, n) => { for (let i = 0; i < n; i++) b.table({ min: 0 }); });
limit('memories', 100, (b, n) => { for (let i = 0; i < n; i++) b.memory({ min: 0, max: 0 }); },
  { v8: 'allows more' });

/** The bytes of a module of a few sections: `[id, count, entry]`, the entry repeated. */
function sections(...list) {
  const parts = list.map(([id, count, entry]) => {
    const vector = u32(count);
    const bytes = new Uint8Array(vector.length + count * entry.length);
    bytes.set(vector);
    bytes.set(entry, vector.length);
    for (let at = entry.length; at < count * entry.length; at *= 2) {
      bytes.copyWithin(vector.length + at, vector.length, vector.length + Math.min(at, count * entry.length - at));
    }
    return [[id], u32(bytes.length), bytes];
  });
  const flat = [[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], ...parts.flat()];
  const out = new Uint8Array(flat.reduce((sum, part) => sum + part.length, 0));
  flat.reduce((at, part) => { out.set(part, at); return at + part.length; }, 0);
  return out;
}
const EMPTY_FUNCTION = [1, 1, [0x60, 0, 0]];

/** A million of something. Only that it is valid is checked where compiling it takes long. */
function million(name, build, options) {
  test(`${name}: 1,000,000 are allowed, one more is not`, () => {
    assertEq(validate(build(1_000_000)), true);
    const tooMany = build(1_000_001);
    assertEq(validate(tooMany), false);
    assertThrows(CompileError, () => new Module(tooMany));
  }, options);
}

million('types', (n) => sections([1, n, [0x60, 1, 0x7f, 0]]));
million('functions', (n) => sections(EMPTY_FUNCTION, [3, n, [0]], [10, n, [2, 0, 0x0b]]));
million('imports', (n) => sections(EMPTY_FUNCTION, [2, n, [0, 0, 0, 0]]));
million('globals', (n) => sections([6, n, [0x7f, 0, 0x41, 0, 0x0b]]));
million('tags', (n) => sections(EMPTY_FUNCTION, [13, n, [0, 0]]));

test('half a million imports', () => {
  const module = new Module(sections(EMPTY_FUNCTION, [2, 490_000, [0, 0, 0, 0]]));
  assertThrows(LinkError, () => new Instance(module, { '': {} }));
});

test('a module of more than 1 GiB is refused', () => {
  let bytes;
  try { bytes = new Uint8Array(2 ** 30 + 1); } catch { return; }
  // One custom section, to the end.
  const length = bytes.length - 14;
  bytes.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, ...[0, 7, 14, 21].map((shift) => (length >>> shift) & 127 | 128), length >>> 28]);
  assertThrows(CompileError, () => new Module(bytes), /1073741825|1073741824/);
  assertEq(validate(bytes.subarray(0, 14)), false);
});

test('a 64-bit memory has 262,144 pages at most', () => {
  const of = (min) => {
    const b = new WasmBuilder();
    b.memory({ min, ...WIDE });
    b.func(['i64'], ['i64'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
    return b;
  };
  const { grow } = of(1).instance().exports;
  assertEq(grow(262_144n), -1n);
  assertEq(grow(262_143n), 1n);
  assertEq(grow(1n), -1n);
  assertThrows(RangeError, () => new Instance(of(262_145).module()), /17179934720|262144/);
}, { v8: 'refuses the module' });

test('a guest cannot grow a table above 10,000,000 entries', () => {
  const b = new WasmBuilder();
  b.table({ min: 1 });
  b.func(['i32'], ['i32'], [op.refNull('funcref'), op.localGet(0), op.tableGrow(0)], { export: 'grow' });
  const { grow } = b.instance().exports;
  assertEq(grow(10_000_000), -1);
  assertEq(grow(-1), -1);
  assertEq(grow(9_999_999), 1);
});

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
