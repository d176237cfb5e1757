// Heaps by every convention that guests have, and by a script's own functions.
import { addressOf, cdef, FunctionPrototype, In, MemoryManager, StringType, StructType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrowsValue, test, thrown } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { byCopy, byView, copy, t, view, vocabulary } from './vocabulary.mjs';

/** A guest whose allocator’s functions are the host’s, by these names and types; `log` has every call. */
function guest(signatures, { memory = { min: 1 }, pointer = 'i32', answer } = {}) {
  const log = [];
  let next = 1024;
  const number = pointer === 'i64' ? BigInt : Number;
  const host = {};
  const b = new WasmBuilder();
  const imports = Object.entries(signatures).map(([name, [params, results]]) => {
    host[name] = (...args) => {
      log.push(`${name}(${args.join()})`);
      const size = Number(answer?.[name] === undefined ? args[{ cabi_realloc: 3 }[name] ?? 0] : 0);
      if (answer?.[name] !== undefined) return answer[name](...args);
      if (/free|unpin/.test(name)) return undefined;
      if (name === '__pin') return args[0];
      const at = next;
      next += Math.max(16, (size + 15) & ~15);
      return number(at);
    };
    return [name, b.importFunc('host', name, params, results), params, results];
  });
  b.memory({ ...memory, ...(pointer === 'i64' ? { address: 'i64' } : {}) }, { export: 'memory' });
  for (const [name, index, params, results] of imports) b.func(params, results, [params.map((_, i) => op.localGet(i)), op.call(index)], { export: name });
  b.func([pointer], [pointer], [op.localGet(0)], { export: 'same' });
  b.func([pointer, 'i32'], [pointer], [op.localGet(0)], { export: 'first' });
  const instance = b.instance({ host });
  return { instance, exports: instance.exports, log };
}
const p = 'i32';
const pair = new StructType({ a: t.i32, b: t.i32 });
const same = (manager, exports, params, returns, ...args) =>
  new FunctionPrototype(params.map((type) => new In(type)), returns).invoke(manager, exports.same, ...args);

/** What every allocator must be able to do; afterwards nothing is allocated. */
function exercise({ exports, log }, manager, freed = 'free') {
  const block = manager.createTypedArray(Float64Array, [1, 2, 3]);
  assertList(block, [1, 2, 3]);
  const at = addressOf(block);
  block[Symbol.dispose]();
  assert(log.some((line) => line.startsWith(`${freed}(${at}`)), `${log} has ${freed}(${at}…)`);
  assert(same(manager, exports, [t.string], t.size, 'text') > 0);
  assertEq(same(manager, exports, [t.string], t.string, 'text'), 'text');
  const made = same(manager, exports, [byCopy(pair)], byView(pair), { a: 1, b: 2 });
  assertEq(made.b, 2);
  made[Symbol.dispose]();
  assertList(same(manager, exports, [copy(t.i32)], copy(t.i32, 2), [5, 6]), [5, 6]);
  const bare = manager.malloc(10);
  manager.free(bare);
  globalThis.gc();
  manager.free(manager.malloc(1));
  const count = (what) => log.filter((line) => what.test(line)).length;
  return { allocated: count(/^(malloc|__wbindgen_malloc|cabi_realloc|__new|alloc)\(/), freed: count(new RegExp(`^${freed}\\(`)) };
}

test('malloc(size), free(address)', () => {
  const one = guest({ malloc: [[p], [p]], free: [[p], []] });
  const { allocated, freed } = exercise(one, MemoryManager.of(one.instance));
  assertEq(allocated, freed);
  assert(one.log.includes('malloc(24)'), one.log.join(' '));
});

test('wasm-bindgen: malloc(size, align), free(address, size, align)', () => {
  const one = guest({ __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] });
  const { allocated, freed } = exercise(one, MemoryManager.of(one.instance), '__wbindgen_free');
  assertEq(allocated, freed);
  const made = one.log.filter((line) => line.startsWith('__wbindgen_malloc')).map((line) => line.match(/\d+/g).map(Number));
  const gone = one.log.filter((line) => line.startsWith('__wbindgen_free')).map((line) => line.match(/\d+/g).map(Number));
  assertList(gone.map(([, size]) => size).sort((a, b) => a - b), made.map(([size]) => size).sort((a, b) => a - b), 'freed by the size that was asked for');
  for (const [, align] of made) assert([1, 2, 4, 8, 16].includes(align), `align ${align}`);
  assertList([...new Set(gone.map(([, , align]) => align))].sort(), [...new Set(made.map(([, align]) => align))].sort(), 'freed by the alignment that was asked for');
});

test('wasm-bindgen: what the guest made is freed by its own size', () => {
  const one = guest({ __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] });
  const manager = MemoryManager.of(one.instance);
  const { buffer } = one.exports.memory;
  new Uint8Array(buffer, 4096, 6).set([104, 101, 108, 108, 111, 0]);
  assertEq(same(manager, one.exports, [t.any], new StringType('utf-8', 5), 4096), 'hello');
  assertEq(one.log.at(-1), '__wbindgen_free(4096,5,1)');
  assertList(same(manager, one.exports, [t.any], copy(t.f64, 3), 4096), new Float64Array(buffer, 4096, 3));
  assertEq(one.log.at(-1), '__wbindgen_free(4096,24,8)');
  same(manager, one.exports, [t.any], view(t.i16, 4), 4096)[Symbol.dispose]();
  assertEq(one.log.at(-1), '__wbindgen_free(4096,8,2)');
  same(manager, one.exports, [t.any], byCopy(pair), 4096);
  assertEq(one.log.at(-1), '__wbindgen_free(4096,8,4)');
});

test('cabi_realloc and free', () => {
  const one = guest({ cabi_realloc: [[p, p, p, p], [p]], free: [[p], []] });
  const { allocated, freed } = exercise(one, MemoryManager.of(one.instance));
  assertEq(allocated, freed);
  for (const line of one.log.filter((entry) => entry.startsWith('cabi_realloc'))) {
    const [old, oldSize, align, size] = line.match(/\d+/g).map(Number);
    assertList([old, oldSize], [0, 0], line);
    assert([1, 2, 4, 8, 16].includes(align) && size > 0, line);
  }
});

test('AssemblyScript: __new, __pin, __unpin', () => {
  const one = guest({ __new: [[p, p], [p]], __pin: [[p], [p]], __unpin: [[p], []] });
  const manager = MemoryManager.of(one.instance);
  const { allocated, freed } = exercise(one, manager, '__unpin');
  assertEq(allocated, freed);
  const pinned = one.log.filter((line) => line.startsWith('__pin')).map((line) => line.slice(6));
  const unpinned = one.log.filter((line) => line.startsWith('__unpin')).map((line) => line.slice(8));
  assertList(pinned.sort(), unpinned.sort(), 'what was pinned is unpinned');
  const { __new, __pin, __unpin } = one.exports;
  const other = new MemoryManager(one.exports.memory, { __new, __pin, __unpin });
  const { allocated: more, freed: gone } = exercise(one, other, '__unpin');
  assertEq(more, gone);
});

test('by an object of functions, in place of exports of those names', () => {
  const one = guest({ alloc: [[p, p], [p]], release: [[p, p, p], []] }, { answer: { release: () => undefined } });
  const manager = new MemoryManager(one.exports.memory, { malloc: one.exports.alloc, free: one.exports.release });
  const block = manager.createTypedArray(Int32Array, [1, 2]);
  const at = addressOf(block);
  block[Symbol.dispose]();
  assert(one.log.some((line) => line.startsWith(`release(${at},8,`)), one.log.join(' '));
});

test('64-bit addresses in each convention', () => {
  const q = 'i64';
  for (const signatures of [
    { malloc: [[q], [q]], free: [[q], []] },
    { __wbindgen_malloc: [[q, q], [q]], __wbindgen_free: [[q, q, q], []] },
    { cabi_realloc: [[q, q, q, q], [q]], free: [[q], []] },
  ]) {
    const one = guest(signatures, { pointer: q });
    const freed = Object.keys(signatures).at(-1);
    const { allocated, freed: gone } = exercise(one, MemoryManager.of(one.instance), freed);
    assertEq(allocated, gone, freed);
    const big = new StructType({ a: t.u8, size: t.size, any: t.any, text: t.string });
    const manager = MemoryManager.of(one.instance);
    const made = big.create(manager, { a: 1, size: 2 ** 40, any: null });
    assertEq(made.size, 2 ** 40);
    assertEq(new DataView(made.constructor === Object ? new ArrayBuffer(8) : one.exports.memory.buffer).byteLength > 0, true);
    const at = Number(addressOf(made));
    assertEq(new DataView(one.exports.memory.buffer).getBigUint64(at + 8, true), 2n ** 40n, 'a field of 64 bits lies at 8');
    made[Symbol.dispose]();
  }
});

test('no block of zero bytes: null may be what an empty array is given', () => {
  for (const signatures of [{ malloc: [[p], [p]], free: [[p], []] }, { cabi_realloc: [[p, p, p, p], [p]], free: [[p], []] }, { __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] }]) {
    const [name] = Object.keys(signatures);
    let next = 1024;
    const one = guest(signatures, { answer: { [name]: (...args) => { const size = args[name === 'cabi_realloc' ? 3 : 0]; return size === 0 ? 0 : (next += 64); } } });
    const manager = MemoryManager.of(one.instance);
    same(manager, one.exports, [copy(t.i32)], t.size, []);
    assertEq(manager.createTypedArray(Int32Array, 0).length, 0, name);
    same(manager, one.exports, [new StringType('utf-8', 0)], t.size, '');
    assert(!one.log.some((line) => /free\(0/.test(line)), one.log.join(' '));
  }
});

test('no memory left: a RangeError in every convention', () => {
  for (const signatures of [
    { malloc: [[p], [p]], free: [[p], []] }, { __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] },
    { cabi_realloc: [[p, p, p, p], [p]], free: [[p], []] }, { __new: [[p, p], [p]], __pin: [[p], [p]], __unpin: [[p], []] },
  ]) {
    const [name] = Object.keys(signatures);
    const one = guest(signatures, { answer: { [name]: () => 0 } });
    const manager = MemoryManager.of(one.instance);
    for (const attempt of [() => manager.malloc(8), () => manager.createTypedArray(Uint8Array, 8), () => same(manager, one.exports, [t.string], t.size, 'text'), () => pair.create(manager)]) {
      assertIncludes(thrownBy(RangeError, attempt), 'bytes');
    }
  }
});

test('allocators that lie: outside the memory, misaligned, in the middle of others', () => {
  const lies = [2 ** 32 - 8, 65536, 65530, 3, -1];
  for (const address of lies) {
    const one = guest({ malloc: [[p], [p]], free: [[p], []] }, { answer: { malloc: () => address } });
    const manager = MemoryManager.of(one.instance);
    for (const attempt of [() => manager.createTypedArray(Float64Array, 4), () => same(manager, one.exports, [t.string], t.size, 'a text'), () => pair.create(manager), () => manager.malloc(16)]) {
      try { attempt(); } catch (error) { assert(error instanceof RangeError || error instanceof TypeError, String(error)); }
    }
  }
  const one = guest({ malloc: [[p], [p]], free: [[p], []] }, { answer: { malloc: () => 1024 } });
  const manager = MemoryManager.of(one.instance);
  const block = manager.createTypedArray(Uint8Array, 8);
  try { manager.createTypedArray(Uint8Array, 8); } catch (error) { assert(error instanceof RangeError || error instanceof TypeError, String(error)); }
  assertEq(block.length, 8);
});

test('allocators that throw and trap', () => {
  const mine = new Error('mine');
  for (const signatures of [{ malloc: [[p], [p]], free: [[p], []] }, { __new: [[p, p], [p]], __pin: [[p], [p]], __unpin: [[p], []] }]) {
    const [name] = Object.keys(signatures);
    const one = guest(signatures, { answer: { [name]: () => { throw mine; } } });
    const manager = MemoryManager.of(one.instance);
    assertThrowsValue(mine, () => manager.malloc(8));
    assertThrowsValue(mine, () => same(manager, one.exports, [t.string], t.size, 'text'));
  }
  const free = guest({ malloc: [[p], [p]], free: [[p], []] }, { answer: { free: () => { throw mine; } } });
  const manager = MemoryManager.of(free.instance);
  assertThrowsValue(mine, () => same(manager, free.exports, [t.string], t.size, 'text'));
  const block = manager.createTypedArray(Uint8Array, 4);
  assert(thrown(() => block[Symbol.dispose](), 'an error') instanceof Error);
  assertEq(block.length, 0);
});

test('an allocator that calls back into the host', () => {
  const made = [];
  const one = guest({ malloc: [[p], [p]], free: [[p], []] }, {
    answer: { malloc() { made.push(0); try { manager.malloc(8); } catch (error) { made.push(error.constructor.name); } globalThis.gc(); return 2048; } },
  });
  const manager = MemoryManager.of(one.instance);
  assertEq(manager.malloc(8), 2048);
  assert(made.length < 1000);
});

test('which exports are an allocator', () => {
  for (const signatures of [{ malloc: [[p], [p]] }, { free: [[p], []] }, { __new: [[p, p], [p]] }, { malloc: [[], [p]], free: [[p], []] }, { malloc: [[p], []], free: [[p], []] }, { malloc: [['f64'], [p]], free: [[p], []] }, { malloc: [[p], [p]], free: [[p, p, p, p, p], []] }, { malloc: [['i64'], ['i64']], free: [['i64'], []] }]) {
    const one = guest(signatures);
    const error = thrown(() => MemoryManager.of(one.instance), `a TypeError for ${Object.keys(signatures)}`);
    assert(error instanceof TypeError, String(error));
    assert(!/internal|unknown error/.test(error.message), error.message);
  }
  for (const wrong of [undefined, null, {}, 1, { exports: {} }]) thrownBy(TypeError, () => MemoryManager.of(wrong));
  const both = guest({ malloc: [[p], [p]], free: [[p], []], __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] });
  MemoryManager.of(both.instance).malloc(8);
  assertEq(both.log.length, 1);
  const memory = new WebAssembly.Memory({ initial: 1 });
  for (const wrong of [undefined, null, 5, {}, { malloc: () => 1 }, { free: () => 1 }, { malloc: 1, free: 2 }, { __new: () => 1 }]) thrownBy(TypeError, () => new MemoryManager(memory, wrong));
  for (const wrong of [undefined, null, {}, new ArrayBuffer(8), { buffer: new ArrayBuffer(8) }]) thrownBy(TypeError, () => new MemoryManager(wrong, () => 8, () => {}));
});

test('a script’s own functions over a memory that a script made', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
  const live = new Map();
  let next = 512;
  const malloc = (size) => {
    while (next + size > memory.buffer.byteLength) if (memory.grow(1) < 0) return 0;
    const at = next;
    next += Math.max(8, (size + 7) & ~7);
    live.set(at, size);
    return at;
  };
  const manager = new MemoryManager(memory, malloc, (at) => { assert(live.delete(at), `free(${at})`); });
  const echo = (params, returns, fn, ...args) => new FunctionPrototype(params.map((type) => new In(type)), returns).invoke(manager, fn, ...args);
  const duplicate = (size) => (at) => { const to = malloc(size); new Uint8Array(memory.buffer).copyWithin(to, at, at + size); return to; };
  assertEq(echo([t.string], t.string, duplicate(6), 'hello'), 'hello');
  assertList(echo([copy(t.f64)], copy(t.f64, 2), duplicate(16), [1, 2]), [1, 2]);
  const made = echo([byCopy(pair)], byView(pair), duplicate(8), { a: 1, b: 2 });
  assertEq(made.a, 1);
  made[Symbol.dispose]();
  assertEq(live.size, 0);
  const block = manager.createTypedArray(Uint8Array, 70_000);
  block[69_999] = 5;
  assertEq(memory.buffer.byteLength > 65536, true);
  assertEq(new Uint8Array(memory.buffer)[addressOf(block) + 69_999], 5, 'grown by malloc itself');
  block[Symbol.dispose]();
  thrownBy(RangeError, () => manager.malloc(1_000_000));
  const mine = new Error('mine');
  assertThrowsValue(mine, () => new MemoryManager(memory, () => { throw mine; }, () => {}).malloc(8));
  for (const nonsense of [undefined, null, 'x', {}, NaN, 1.5, -8, 2 ** 40, 16n, Symbol('s')]) {
    const bad = new MemoryManager(memory, () => nonsense, () => {});
    try { bad.createTypedArray(Uint8Array, 8); } catch (error) { assert(error instanceof RangeError || error instanceof TypeError, `${String(nonsense)}: ${String(error)}`); }
  }
  let dropped = manager.createTypedArray(Uint8Array, 8);
  dropped.self = dropped;
  dropped = null;
  globalThis.gc();
  manager.free(manager.malloc(1));
  assertEq(live.size, 0);
});

test('a manager that turns out to be garbage while another frees is asked for nothing', async () => {
  const asked = [];
  const make = (name, then) => {
    const owner = {};
    owner.manager = new MemoryManager(new WebAssembly.Memory({ initial: 1 }), () => 1024, () => { asked.push(name, owner.manager.constructor.name); then(); });
    // A block that nobody has: it waits for the next safe point.
    owner.manager.createTypedArray(Uint8Array, 8);
    return owner;
  };
  let first = make('first', () => globalThis.gc());
  make('second', () => {});
  await new Promise((resolve) => { setTimeout(resolve); });
  assertEq(asked.join(), 'first,MemoryManager');
  first = undefined;
});

test('a guest’s memory with a script’s functions around the guest’s own', () => {
  const { exports } = vocabulary();
  const log = [];
  const manager = new MemoryManager(exports.memory, (size) => { log.push(size); return exports.malloc(size); }, (at) => { log.push(-at); exports.free(at); });
  assertEq(new FunctionPrototype([new In(t.string)], t.string).invoke(manager, exports.copy_string, 'text'), 'text');
  assertEq(exports.live_blocks(), 0);
  assertEq(log.filter((n) => n > 0).length, 1);
  assertEq(log.filter((n) => n < 0).length, 2);
});

test('cdef over each convention', () => {
  for (const signatures of [{ __wbindgen_malloc: [[p, p], [p]], __wbindgen_free: [[p, p, p], []] }, { __new: [[p, p], [p]], __pin: [[p], [p]], __unpin: [[p], []] }]) {
    const one = guest(signatures);
    const lib = cdef(one.instance, 'const char *same(const char *text) [[borrowed]];');
    assertEq(lib.same('text'), 'text');
    assertEq(one.log.length > 1, true);
  }
});
