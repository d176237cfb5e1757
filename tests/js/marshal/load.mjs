// What the tests of `tombolo:marshal` share: the demo guest, and a test that fails when the guest's heap was not left
// as it was found. Needs `--expose-gc`.
import { readFileSync } from 'node:fs';
import {
  ArrayType,
  Float32Type,
  Float64Type,
  FunctionPrototype,
  In,
  InOut,
  Int16Type,
  Int32Type,
  Int64Type,
  Int8Type,
  Out,
  StringType,
  TypedArrayType,
  Uint16Type,
  Uint32Type,
  Uint64Type,
  Uint8Type,
  VoidType,
  Wasi,
} from 'tombolo:marshal';
import { assert, assertEq, fail, test } from '../harness.mjs';

const bytes = (name) => readFileSync(new URL(`../../../guests/${name}.wasm`, import.meta.url));
const module = new WebAssembly.Module(bytes('demo'));

export const types = {
  i8: new Int8Type(),
  u8: new Uint8Type(),
  i16: new Int16Type(),
  u16: new Uint16Type(),
  i32: new Int32Type(),
  u32: new Uint32Type(),
  i64: new Int64Type(),
  u64: new Uint64Type(),
  f32: new Float32Type(),
  f64: new Float64Type(),
  string: new StringType(),
  void: new VoidType(),
};

/** Every number type by the suffix of the guest's functions: its typed array, and how a literal of it is made. */
export const families = Object.entries({
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
}).map(([suffix, Type]) => ({
  suffix,
  Type,
  type: types[suffix],
  number: suffix === 'i64' || suffix === 'u64' ? BigInt : Number,
}));

export { ArrayType, FunctionPrototype, TypedArrayType };
export const copy = (type, length) => new ArrayType(type, length);
export const view = (type, length) => new TypedArrayType(type, length);
export const into = (type) => new In(type);
export const out = (type) => new Out(type);
export const inout = (type) => new InOut(type);

/** A demo guest of its own, by the class `Wasi`. */
export function demo() {
  const wasi = new Wasi({});
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
  wasi.init(instance);
  const { exports } = instance;
  exports._initialize();
  const manager = wasi.memoryManager;
  /** Calls `name` by a prototype made on the spot; `params` are types (meaning `In`) or arguments' descriptors. */
  const call = (name, params, returns, ...args) => {
    const prototype = new FunctionPrototype(
      params.map((one) => (isType(one) ? new In(one) : one)),
      returns,
    );
    return prototype.invoke(manager, exports[name], ...args);
  };
  /** Frees what scripts no longer hold, as the next allocation would. */
  const settle = () => {
    globalThis.gc();
    manager.free(manager.malloc(1));
  };
  return { exports, instance, wasi, manager, memory: wasi.memory, call, settle };
}

const isType = (thing) =>
  Object.values(types).includes(thing) || thing instanceof ArrayType || thing instanceof TypedArrayType;

/** The blocks and bytes that the guest counts as allocated. */
export const heap = ({ exports }) => ({ blocks: exports.live_blocks(), bytes: exports.live_bytes() });

/** Fails unless the guest's heap is as `before` says, once garbage is collected. */
export function assertNoLeak(guest, before, why = 'after the test') {
  guest.exports.set_malloc_budget(-1);
  guest.settle();
  const { blocks, bytes: left } = heap(guest);
  assertEq(blocks, before.blocks, `${why}: live blocks`);
  assertEq(left, before.bytes, `${why}: live bytes`);
}

/** A test with a demo guest, whose heap must be in the end as it was in the beginning. */
export function guestTest(name, fn) {
  test(name, async () => {
    const guest = demo();
    const before = heap(guest);
    await fn(guest);
    assertNoLeak(guest, before);
  });
}

/** Runs `fn`, after which no block may be left, whether it throws or not. */
export function withoutLeak(guest, fn) {
  const before = heap(guest);
  try {
    return fn();
  } finally {
    assertNoLeak(guest, before, 'after the call');
  }
}

/** The message of what `fn` throws, which must be of exactly this class. */
export function thrownBy(Class, fn) {
  let result;
  try {
    result = fn();
  } catch (error) {
    if (error?.constructor !== Class) fail(`expected ${Class.name}, got ${error?.name}: ${error?.message}`);
    return error.message;
  }
  fail(`expected ${Class.name}, got a result (${typeof result})`);
}

export function assertIncludes(text, ...parts) {
  for (const part of parts) assert(text.includes(part), `${JSON.stringify(text)} contains ${JSON.stringify(part)}`);
}
