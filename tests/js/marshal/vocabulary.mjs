// The guest `vocabulary`, its types, its declarations, and a test that fails when its heap was not left as it was
// found. Needs `--expose-gc`.
import { readFileSync } from 'node:fs';
import * as marshal from 'tombolo:marshal';
import { assert, assertEq, fail, show, test } from '../harness.mjs';
import { assertNoLeak, heap } from './load.mjs';

const {
  ArgumentDef, ArrayType, BoolType, cdef, EnumType, Float32Type, Float64Type, FunctionPrototype, In, InlineArrayType,
  InOut, Int16Type, Int32Type, Int64Type, Int8Type, Out, PointerType, Result, SignedSizeType, SizeType,
  StringBufferType, StringType, StructPointerType, StructType, StructViewType, TypedArrayType, Uint16Type, Uint32Type,
  Uint64Type, Uint8Type, UnionType, VoidPointerType, VoidType, Wasi,
} = marshal;

const module = new WebAssembly.Module(readFileSync(new URL('../../../guests/vocabulary.wasm', import.meta.url)));

export const t = {
  i8: new Int8Type(), u8: new Uint8Type(), i16: new Int16Type(), u16: new Uint16Type(), i32: new Int32Type(),
  u32: new Uint32Type(), i64: new Int64Type(), u64: new Uint64Type(), f32: new Float32Type(), f64: new Float64Type(),
  bool: new BoolType(), size: new SizeType(), long: new SignedSizeType(), string: new StringType(),
  buffer: new StringBufferType(), any: new VoidPointerType(), void: new VoidType(),
  colour: new EnumType({ RED: 0, GREEN: 4, BLUE: 5 }),
};
export const copy = (type, length) => new ArrayType(type, length);
export const view = (type, length) => new TypedArrayType(type, length);
export const inline = (type, length) => new InlineArrayType(type, length);
export const into = (type) => new In(type);
export const out = (type) => new Out(type);
export const inout = (type) => new InOut(type);
export const result = (type) => new Result(type);
export const pointer = (type) => new PointerType(type);
export const byCopy = (struct) => new StructPointerType(struct);
export const byView = (struct) => new StructViewType(struct);

const pair = new StructType({ a: t.i32, b: t.i32 }, { name: 'pair' });
const point = new StructType({ id: t.i32, x: t.f64, y: t.f64 }, { name: 'point' });
const number = new UnionType({ i: t.i32, f: t.f32, bytes: inline(t.u8, 5) }, { name: 'number' });
const packed = new StructType({ a: t.u8, b: t.i32, c: t.f64, d: t.u16 }, { name: 'packed', pack: 1 });
const person = new StructType(
  { name: t.string, age: t.i32, scores: copy(t.f64, { field: 'score_count' }), score_count: t.size },
  { name: 'person' },
);
/** The guest's records, in the order of its function `layout`. */
export const records = {
  scalars: new StructType({
    flag: t.bool, i8: t.i8, u16: t.u16, i32: t.i32, u8: t.u8, i64: t.i64, f32: t.f32, f64: t.f64, size: t.size,
    offset: t.long, colour: t.colour, u64: t.u64, i16: t.i16, u32: t.u32,
  }, { name: 'scalars' }),
  pair,
  point,
  nested: new StructType({
    tag: t.u8, at: point, grid: inline(inline(t.i16, 3), 2), pairs: inline(pair, 2), name: inline(t.i8, 7), last: t.bool,
  }, { name: 'nested' }),
  node: new StructType({ value: t.i32, next: t.any }, { name: 'node' }),
  number,
  tagged: new StructType({ kind: t.u8, value: number, after: t.u8 }, { name: 'tagged' }),
  wide: new UnionType({ d: t.f64, pair }, { name: 'wide' }),
  packed,
  holds_packed: new StructType({ a: t.u8, packed, b: t.u32 }, { name: 'holds_packed' }),
  person,
  wrapped: new StructType({ value: t.f64 }, { name: 'wrapped' }),
  deep: new StructType({ inner: new StructType({ only: inline(t.i16, 1) }) }, { name: 'deep' }),
  one_pointer: new StructType({ text: t.string }, { name: 'one_pointer' }),
  crowd: new StructType({ count: t.u8, people: inline(person, 2), favourite: byCopy(pair) }, { name: 'crowd' }),
};

/** A value of every record that its echoes give back the same. */
export const samples = {
  scalars: {
    flag: true, i8: -128, u16: 65535, i32: -2147483648, u8: 255, i64: -(2n ** 63n), f32: 0.5, f64: -1e300,
    size: 4294967295, offset: -2147483648, colour: 5, u64: 2n ** 64n - 1n, i16: -32768, u32: 4294967295,
  },
  pair: { a: 3, b: -7 },
  point: { id: -1, x: 1.25, y: -0 },
  nested: {
    tag: 200, at: { id: 7, x: 0.1, y: Infinity }, grid: [[1, -2, 3], [-4, 5, -6]], pairs: [{ a: 1, b: 2 }, { a: 3, b: 4 }],
    name: [1, 2, 3, 4, 5, 6, 127], last: true,
  },
  packed: { a: 1, b: -2, c: 3.5, d: 65535 },
  holds_packed: { a: 255, packed: { a: 1, b: -2, c: 3.5, d: 65535 }, b: 4294967295 },
  wrapped: { value: -2.5 },
  deep: { inner: { only: [-1234] } },
};

/** The same guest as a header says it. */
export const header = `
  enum colour { RED, GREEN = 4, BLUE };
  struct scalars {
    bool flag; int8_t i8; uint16_t u16; int32_t i32; uint8_t u8; int64_t i64; float f32; double f64; size_t size;
    long offset; enum colour colour; uint64_t u64; int16_t i16; uint32_t u32;
  };
  struct pair { int32_t a, b; };
  struct point { int32_t id; double x, y; };
  struct nested {
    uint8_t tag; struct point at; int16_t grid[2][3]; struct pair pairs[2]; int8_t name[7]; bool last;
  };
  struct node { int32_t value; struct node *next; };
  union number { int32_t i; float f; uint8_t bytes[5]; };
  struct tagged { uint8_t kind; union number value; uint8_t after; };
  union wide { double d; struct pair pair; };
  struct [[packed]] packed { uint8_t a; int32_t b; double c; uint16_t d; };
  struct holds_packed { uint8_t a; struct packed packed; uint32_t b; };
  struct person { char *name; int32_t age; double *scores [[length(score_count)]]; size_t score_count; };
  struct wrapped { double value; };
  struct deep { struct { int16_t only[1]; } inner; };
  struct one_pointer { const char *text; };
  struct crowd { uint8_t count; struct person people[2]; struct pair *favourite; };
`;

/** Where C puts a record: `{ size, alignment, offsets }`, the offsets in order. */
export function layoutOf({ exports }, name) {
  const index = Object.keys(records).indexOf(name);
  const [size, alignment, ...offsets] = (function* read(at) {
    for (let value; (value = exports.layout(index, at)) !== -1; at++) yield value;
  })(0);
  return { size, alignment, offsets };
}

/** A guest of its own. */
export function vocabulary() {
  const wasi = new Wasi({});
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
  wasi.init(instance);
  const { exports } = instance;
  exports._initialize();
  const manager = wasi.memoryManager;
  const prototype = (params, returns) =>
    new FunctionPrototype(params.map((one) => (one instanceof ArgumentDef ? one : new In(one))), returns);
  /** Calls `name` by a prototype made on the spot; a bare type among the parameters means `In`. */
  const call = (name, params, returns, ...args) => prototype(params, returns).invoke(manager, exports[name], ...args);
  const bind = (name, params, returns) => prototype(params, returns).bind(manager, exports[name]);
  const settle = () => {
    globalThis.gc();
    manager.free(manager.malloc(1));
  };
  const declare = (source, options) => cdef(wasi, source, options);
  return { exports, instance, wasi, manager, memory: exports.memory, call, bind, settle, declare };
}

/** A test with a guest whose heap must be in the end as it was in the beginning. */
export function guestTest(name, fn) {
  test(name, async () => {
    const guest = vocabulary();
    const before = heap(guest);
    await fn(guest);
    assertNoLeak(guest, before);
  });
}

/** Runs `fn`, after which no block may be left, and gives its result. */
export function leavesNothing(guest, fn) {
  const before = heap(guest);
  try {
    return fn();
  } finally {
    assertNoLeak(guest, before, 'after the call');
  }
}

/**
 * Runs `fn` with room for no allocation, then one, and so on until it gives a result other than null. Each failure must
 * be a RangeError that speaks of bytes, or null if it was the guest that found no memory, and leave nothing.
 */
export function underEveryBudget(guest, fn) {
  for (let budget = 0; budget < 200; budget++) {
    const before = heap(guest);
    guest.exports.set_malloc_budget(budget);
    let value;
    try {
      value = fn();
    } catch (error) {
      guest.exports.set_malloc_budget(-1);
      if (error?.constructor !== RangeError || !/bytes/.test(error.message)) {
        fail(`with room for ${budget} blocks: expected a RangeError about memory, got ${show(error)}`);
      }
      assertNoLeak(guest, before, `with room for ${budget} blocks, after the error`);
      continue;
    }
    guest.exports.set_malloc_budget(-1);
    if (value !== null) return { value, budget };
    assertNoLeak(guest, before, `with room for ${budget} blocks, after null`);
  }
  return fail('never succeeded');
}

/**
 * Two values of the same shape: numbers by `Object.is`, arrays and typed arrays by elements, objects by their fields.
 * (A view of an array of bool is one of bytes.)
 */
export function assertSame(actual, expected, why = 'value') {
  if (Object(expected) !== expected) return assertEq(actual, expected, why);
  assert(Object(actual) === actual, `${why}: expected an object, got ${show(actual)}`);
  if (Array.isArray(expected) || ArrayBuffer.isView(expected)) {
    assertEq(actual.length, expected.length, `${why}: length`);
    const at = (list, i) => (list[i] === undefined && typeof list.at === 'function' ? list.at(i) : list[i]);
    for (let i = 0; i < expected.length; i++) {
      const value = at(expected, i);
      const byte = typeof value === 'boolean' && ArrayBuffer.isView(actual);
      assertSame(at(actual, i), byte ? Number(value) : value, `${why}[${i}]`);
    }
    return undefined;
  }
  for (const key of Object.keys(expected)) assertSame(actual[key], expected[key], `${why}.${key}`);
  return undefined;
}
