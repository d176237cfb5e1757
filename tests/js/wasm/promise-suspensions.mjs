// What is suspended by JavaScript Promise Integration: frames of guests with all that is in them, many at once; and what
// happens in their instance meanwhile. (promise-integration.mjs has what scripts see of it.)
import {
  assert, assertEq, assertList, assertRejects, assertThrows, assertThrowsValue, rejection, test,
} from '../harness.mjs';
import { seededRandom } from '../random.mjs';
import { WasmBuilder, op, ref, refNull } from '../wasm-builder.mjs';

const { Exception, Instance, JSTag, Module, RuntimeError, Suspending, Tag, promising } = WebAssembly;
const deferred = () => Promise.withResolvers();
const collect = () => globalThis.gc?.();
const jobs = async (count = 10) => { for (let i = 0; i < count; i++) await 0; };

/** An import that suspends until the test says so: `waits` has what it was called with and how to settle it, in order. */
function gate() {
  const waits = [];
  const f = new Suspending((...args) => {
    const wait = deferred();
    waits.push({ args, ...wait });
    return wait.promise;
  });
  return { f, waits };
}

// Frames

test('locals and operands of all types', async () => {
  const types = ['i32', 'i64', 'f32', 'f64', 'externref', 'funcref', 'anyref'];
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const run = b.func(types, types, [
    // Everything is in locals and on the operand stack, twice, while it waits.
    types.map((_, i) => op.localGet(i)), op.call(f),
    [...types].reverse().map((_, i) => op.localSet(types.length + types.length - 1 - i)), op.call(f),
    types.map((_, i) => op.localGet(types.length + i)),
  ], { export: 'run', locals: types });
  assertEq(run, 1);
  const { f: wait, waits } = gate();
  const { exports } = b.instance({ m: { f: wait } });
  const values = [-1, -(2n ** 63n), 0.5, -0, { own: 1 }, exports.run, [1]];
  const calls = Array.from({ length: 20 }, () => promising(exports.run)(...values));
  collect();
  for (let round = 0; round < 2; round++) {
    for (const { resolve } of waits.splice(0).reverse()) resolve();
    await jobs();
    collect();
  }
  for (const result of await Promise.all(calls)) assertList(result, values);
});

test('v128 in a local', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const splat = [0xfd, 0x11]; // i32x4.splat
  const lane = [0xfd, 0x1b, 3]; // i32x4.extract_lane 3
  b.func(['i32'], ['i32'], [op.localGet(0), splat, op.localSet(1), op.call(f), op.localGet(1), lane], { export: 'run', locals: ['v128'] });
  const { f: wait, waits } = gate();
  const { run } = b.instance({ m: { f: wait } }).exports;
  const calls = [3, 4, 5].map((x) => promising(run)(x));
  for (const i of [1, 0, 2]) waits[i].resolve();
  assertList(await Promise.all(calls), [3, 4, 5]);
});

/** `run(n, x)` calls itself n times, waits at the bottom for a number, and adds x at each level on the way back. */
function recursive() {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  const run = 1;
  b.func(['i32', 'i32'], ['i32'], [
    op.localGet(0), op.i32Eqz, op.if('i32'), op.localGet(1), op.call(f), op.else,
    op.localGet(0), op.i32(1), op.i32Sub, op.localGet(1), op.call(run), op.localGet(1), op.i32Add, op.end,
  ], { export: 'run' });
  return b.module();
}
const RECURSIVE = recursive();

test('deep recursion, suspended at the bottom', async () => {
  const { f, waits } = gate();
  const { run } = new Instance(RECURSIVE, { m: { f } }).exports;
  const depths = [0, 1, 10, 100, 1000, 3000];
  const calls = depths.map((depth) => promising(run)(depth, 2));
  for (const i of [3, 5, 0, 1, 4, 2]) waits[i].resolve(i);
  assertList(await Promise.all(calls), depths.map((depth, i) => i + 2 * depth));
});

test('500 calls at once, settled in any order, some by rejections', async () => {
  const random = seededRandom(7);
  const { f, waits } = gate();
  const { run } = new Instance(RECURSIVE, { m: { f } }).exports;
  const expected = [];
  const calls = Array.from({ length: 500 }, (_, i) => promising(run)(i % 50, i).catch((error) => error));
  const order = waits.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const other = random(i + 1);
    [order[i], order[other]] = [order[other], order[i]];
  }
  for (const i of order) {
    if (random(4) === 0) waits[i].reject(expected[i] = `rejected ${i}`);
    else { waits[i].resolve(i); expected[i] = i + (i % 50) * i; }
    if (random(10) === 0) await 0;
  }
  assertList(await Promise.all(calls), expected);
});

test('calls that end in another order than they began', async () => {
  const ended = [];
  const { f, waits } = gate();
  const { run } = new Instance(RECURSIVE, { m: { f } }).exports;
  const calls = [0, 1, 2, 3].map((i) => promising(run)(0, i).then((value) => ended.push(value)));
  for (const i of [2, 0, 3, 1]) { waits[i].resolve(i); await jobs(3); }
  await Promise.all(calls);
  assertList(ended, [2, 0, 3, 1]);
});

test('infinite recursion on the way to an import, and after one', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  const down = b.func(['i32'], ['i32'], [op.localGet(0), op.i32(1), op.i32Add, op.call(1), op.i32(1), op.i32Add], { export: 'down' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(f), op.call(down)], { export: 'later' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(f)], { export: 'once' });
  const { down: recurse, later, once } = b.instance({ m: { f: new Suspending((x) => Promise.resolve(x)) } }).exports;
  for (let i = 0; i < 5; i++) {
    await assertRejects(RangeError, () => promising(recurse)(0));
    await assertRejects(RangeError, () => promising(later)(0));
    assertEq(await promising(once)(i), i);
    assertThrows(RangeError, () => recurse(0));
  }
});

// Exceptions

const tag = new Tag({ parameters: ['i32', 'externref'] });
const other = new Tag({ parameters: [] });

/** `run(x)` calls the import and says what it caught: by `tag`, by JSTag, anything else; or returns what it returned. */
function catcher() {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['externref']);
  const [t, js] = [b.importTag('m', 'tag', ['i32', 'externref']), b.importTag('m', 'js', ['externref'])];
  const note = b.importFunc('m', 'note', ['i32']);
  const both = b.type([], ['i32', 'externref']);
  b.func(['i32'], ['externref'], [
    op.block(), op.block('externref'), op.block(both),
    op.tryTable('void', { tag: t, depth: 0 }, { tag: js, depth: 1 }, { depth: 2 }),
    op.localGet(0), op.call(f), op.return, op.end, op.unreachable,
    op.end, op.localSet(1), op.call(note), op.localGet(1), op.return,
    op.end, op.i32(-1), op.call(note), op.return,
    op.end, op.i32(-2), op.call(note), op.refNull('externref'),
  ], { export: 'run', locals: ['externref'] });
  b.func(['i32'], ['externref'], [op.localGet(0), op.call(f)], { export: 'lets' });
  return b.module();
}
const CATCHER = catcher();
const catching = (f) => {
  const notes = [];
  const imports = { f: new Suspending(f), tag, js: JSTag, note: (x) => notes.push(x) };
  const { run, lets } = new Instance(CATCHER, { m: imports }).exports;
  return { run: promising(run), lets: promising(lets), notes };
};

for (const [name, throws] of Object.entries({
  'a rejected promise': (error) => Promise.reject(error),
  'an async function that throws': async (error) => { throw error; },
  'one that throws later': async (error) => { await 0; throw error; },
  'a throw': (error) => { throw error; },
  'a thenable that throws': (error) => ({ then() { throw error; } }),
})) {
  test(`${name} is caught by tag, by JSTag, or by all`, async () => {
    const payload = {};
    const values = [new Exception(tag, [7, payload]), payload, new Error('no'), undefined, null, 5, new Exception(other, [])];
    const { run, notes } = catching((i) => throws(values[i]));
    assertEq(await run(0), payload);
    for (const i of [1, 2, 3, 4, 5]) assertEq(await run(i), values[i]);
    assertEq(await run(6), null);
    assertList(notes, [7, -1, -1, -1, -1, -1, -2]);
  });

  test(`${name} goes through a guest that does not catch it`, async () => {
    const values = [new Exception(tag, [7, null]), {}, new Error('no'), undefined, 5, new Exception(other, [], { traceStack: true })];
    const { lets } = catching((i) => throws(values[i]));
    for (const [i, value] of values.entries()) assertEq(await rejection(lets(i)), value);
  });
}

test('legacy try, rethrow and delegate', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['i32']);
  const t = b.importTag('m', 'tag', ['i32', 'externref']);
  b.func([], ['i32'], [op.try('i32'), op.call(f), op.catch(t), op.drop, op.end], { export: 'by tag' });
  b.func([], ['i32'], [op.try('i32'), op.call(f), op.catchAll, op.i32(-1), op.end], { export: 'all' });
  b.func([], ['i32'], [op.try('i32'), op.call(f), op.catchAll, op.call(f), op.drop, op.rethrow(0), op.end], { export: 'again' });
  b.func([], ['i32'], [
    op.try('i32'), op.try('i32'), op.call(f), op.delegate(0), op.catchAll, op.i32(-3), op.end,
  ], { export: 'delegates' });
  let next = [];
  const { exports } = b.instance({ m: { tag, f: new Suspending(() => next.shift()()) } });
  const rejects = (value) => () => Promise.reject(value);
  const run = (name, ...steps) => { next = steps; return promising(exports[name])(); };
  const exception = new Exception(tag, [9, null]);
  assertEq(await run('by tag', rejects(exception)), 9);
  assertEq(await rejection(run('by tag', rejects(5))), 5);
  assertEq(await run('all', rejects(5)), -1);
  assertEq(await run('delegates', rejects(exception)), -3);
  assertEq(await rejection(run('again', rejects(exception), async () => 1)), exception);
  assertEq(await rejection(run('again', rejects('first'), rejects('second'))), 'second');
});

test('an exception that waits in a frame, and is thrown again', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], []);
  b.func([], [], [
    op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.i32(0), op.call(f), op.end, op.unreachable, op.end,
    op.localSet(0), op.i32(1), op.call(f), op.localGet(0), op.throwRef,
  ], { export: 'run', locals: ['exnref'] });
  const { f: wait, waits } = gate();
  const { run } = b.instance({ m: { f: wait } }).exports;
  const values = [new Exception(tag, [1, {}]), {}, 'text', new Error('no')];
  const calls = values.map(() => rejection(promising(run)()));
  values.forEach((value, i) => waits[i].reject(value));
  await jobs();
  collect();
  waits.splice(0, values.length);
  for (const { args, resolve } of waits.reverse()) { assertEq(args[0], 1); resolve(); }
  assertList(await Promise.all(calls), values);
});

test('an exception of the guest after a suspension', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['externref']);
  const own = b.tag(['externref', 'i32'], { export: 'tag' });
  const inner = b.func(['i32'], [], [op.call(f), op.localGet(0), op.throw(own)], { export: 'throws' });
  b.func(['i32'], ['externref', 'i32'], [
    op.block(b.type([], ['externref', 'i32'])), op.tryTable('void', { tag: own, depth: 0 }), op.localGet(0), op.call(inner), op.end,
    op.unreachable, op.end,
  ], { export: 'catches' });
  const object = {};
  const { catches, tag: thrownTag, throws } = b.instance({ m: { f: new Suspending(async () => object) } }).exports;
  assertList(await promising(catches)(5), [object, 5]);
  const error = await rejection(promising(throws)(6));
  assert(error instanceof Exception && error.is(thrownTag));
  assertEq(error.getArg(thrownTag, 0), object);
  assertEq(error.getArg(thrownTag, 1), 6);
});

test('a plain import that throws after a suspension', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const plain = b.importFunc('m', 'plain', ['i32']);
  b.func([], [], [
    op.call(f), op.block(), op.tryTable('void', { depth: 0 }), op.i32(0), op.call(plain), op.end, op.unreachable, op.end,
    op.call(f), op.i32(1), op.call(plain),
  ], { export: 'run' });
  const errors = [{}, {}];
  const { run } = b.instance({ m: { f: new Suspending(async () => {}), plain(i) { throw errors[i]; } } }).exports;
  assertEq(await rejection(promising(run)()), errors[1]);
});

test('traps', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['i32']);
  b.memory({ min: 1 });
  b.table({ min: 1 });
  const traps = {
    unreachable: [op.call(f), op.unreachable],
    'division by zero': [op.i32(1), op.call(f), op.i32DivS],
    'a load out of bounds': [op.i32(-1), op.call(f), op.i32Add, op.load32(), op.drop, op.i32(0)],
    'a call of null': [op.call(f), op.callIndirect(b.type([], ['i32']))],
    'null as non-null': [op.call(f), op.drop, op.refNull('externref'), op.refAsNonNull, op.unreachable],
  };
  for (const [name, body] of Object.entries(traps)) {
    b.func([], ['i32'], body, { export: name });
    // A trap is no exception.
    b.func([], ['i32'], [op.block(), op.tryTable('i32', { depth: 0 }), body, op.end, op.return, op.end, op.i32(9)], { export: `caught ${name}` });
  }
  b.func([], ['i32'], op.call(f), { export: 'works' });
  const { exports } = b.instance({ m: { f: new Suspending(async () => 0) } });
  for (const [name, f] of Object.entries(exports)) {
    if (name === 'works') continue;
    const error = await rejection(promising(f)());
    assert(error instanceof RuntimeError && Object.getPrototypeOf(error) === RuntimeError.prototype, `${name}: ${error}`);
    assertEq(await promising(exports.works)(), 0);
  }
});

test('a trap with other calls suspended', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  b.func(['i32'], ['i32'], [op.i32(12), op.localGet(0), op.call(f), op.i32DivS], { export: 'run' });
  const { f: wait, waits } = gate();
  const { run } = b.instance({ m: { f: wait } }).exports;
  const calls = [0, 1, 2, 3].map((i) => promising(run)(i));
  waits[2].resolve(0);
  await assertRejects(RuntimeError, () => calls[2]);
  for (const i of [3, 1, 0]) waits[i].resolve(i + 1);
  assertList(await Promise.all([calls[0], calls[1], calls[3]]), [12, 6, 3]);
});

// The instance meanwhile

/** An instance with a bit of everything; `run` and its like wait in `f`. */
function busy(f, plain = () => {}) {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'f', ['i32'], ['i32']);
  const host = b.importFunc('m', 'plain', ['i32'], []);
  b.memory({ min: 1, max: 10 }, { export: 'memory' });
  const count = b.global('i32', op.i32(0), { mutable: true, export: 'count' });
  b.table({ min: 2 }, { export: 'table' });
  const type = b.type([], ['i32']);
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(wait), op.globalGet(count), op.i32Add], { export: 'addsCount' });
  b.func([], [], [op.globalGet(count), op.i32(1), op.i32Add, op.globalSet(count)], { export: 'increment' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(wait), op.load8()], { export: 'loads' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(wait), op.callIndirect(type)], { export: 'calls' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(wait), op.memoryGrow()], { export: 'grows' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(wait), op.drop, op.memorySize()], { export: 'size' });
  b.func(['i32'], [], [op.localGet(0), op.call(wait), op.call(host)], { export: 'host' });
  b.func([], ['i32'], op.i32(1), { export: 'one' });
  b.func([], ['i32'], op.i32(2), { export: 'two' });
  return b.instance({ m: { f, plain } }).exports;
}

test('ordinary and promising calls into the instance of a suspended call', async () => {
  const { f, waits } = gate();
  const { addsCount, count, increment } = busy(f);
  const first = promising(addsCount)(0);
  increment();
  await promising(increment)();
  const second = promising(addsCount)(0);
  count.value += 1;
  waits[1].resolve(10);
  assertEq(await second, 13);
  for (let i = 0; i < 1000; i++) increment();
  waits[0].resolve(20);
  assertEq(await first, 1023);
});

test('a memory that grows and changes meanwhile', async () => {
  const { f, waits } = gate();
  const { grows, loads, memory, size } = busy(f);
  const old = memory.buffer;
  const [load, far, sized] = [promising(loads)(0), promising(loads)(0), promising(size)(0)];
  new Uint8Array(old)[100] = 7;
  assertEq(memory.grow(2), 1);
  assertEq(old.byteLength, 0, 'detached');
  new Uint8Array(memory.buffer)[150_000] = 8;
  waits[0].resolve(100);
  waits[1].resolve(150_000);
  waits[2].resolve(0);
  assertList(await Promise.all([load, far, sized]), [7, 8, 3]);
  // The guest grows it, in a job.
  const before = memory.buffer;
  const growing = promising(grows)(0);
  waits[3].resolve(1);
  assertEq(before.byteLength, 3 * 65536, 'not yet');
  assertEq(await growing, 3);
  assertEq(before.byteLength, 0);
  assertEq(memory.buffer.byteLength, 4 * 65536);
  const failing = promising(grows)(0);
  waits[4].resolve(100);
  assertEq(await failing, -1);
});

test('a plain import after a suspension sees the memory that the guest has grown', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const plain = b.importFunc('m', 'plain');
  b.memory({ min: 1, max: 5 }, { export: 'memory' });
  b.func([], [], [op.call(f), op.i32(1), op.memoryGrow(), op.drop, op.call(plain), op.i32(1), op.memoryGrow(), op.drop, op.call(f)], { export: 'run' });
  const seen = [];
  const look = () => seen.push(memory.buffer.byteLength / 65536);
  const { memory, run } = b.instance({ m: { f: new Suspending(() => { look(); return Promise.resolve(); }), plain: look } }).exports;
  await promising(run)();
  assertList(seen, [1, 2, 3]);
});

test('a table that changes meanwhile', async () => {
  const { f, waits } = gate();
  const { calls, one, table, two } = busy(f);
  table.set(0, one);
  const call = promising(calls)(0);
  table.set(0, two);
  waits[0].resolve(0);
  assertEq(await call, 2);
  const trapping = promising(calls)(0);
  table.set(0, null);
  waits[1].resolve(0);
  await assertRejects(RuntimeError, () => trapping);
  const grown = promising(calls)(0);
  table.grow(5, one);
  waits[2].resolve(6);
  assertEq(await grown, 1);
});

test('plain imports after a suspension, which call everything', async () => {
  const { f, waits } = gate();
  const log = [];
  const exports = busy(f, (x) => {
    log.push(x);
    exports.increment();
    inner.push(promising(exports.addsCount)(x));
    log.push(exports.one());
    collect();
  });
  const inner = [];
  const calls = [1, 2, 3].map((x) => promising(exports.host)(x));
  for (const wait of waits.splice(0).reverse()) wait.resolve(wait.args[0] * 10);
  await Promise.all(calls);
  assertList(log, [30, 1, 20, 1, 10, 1]);
  assertEq(exports.count.value, 3);
  for (const wait of waits) wait.resolve(100);
  assertList(await Promise.all(inner), [103, 103, 103]);
});

test('instances made in imports, suspending and plain', async () => {
  const made = [];
  const { f, waits } = gate();
  const make = () => {
    const instance = new Instance(RECURSIVE, { m: { f } });
    made.push(promising(instance.exports.run)(3, 1));
    return Promise.resolve(5);
  };
  const b = new WasmBuilder();
  const [wait, plain] = [b.importFunc('m', 'f', [], ['i32']), b.importFunc('m', 'plain', [], ['externref'])];
  b.func([], ['i32'], [op.call(plain), op.drop, op.call(wait), op.call(plain), op.drop], { export: 'run' });
  const { run } = b.instance({ m: { f: new Suspending(make), plain: make } }).exports;
  assertEq(await promising(run)(), 5);
  assertEq(made.length, 3);
  for (const { resolve } of waits) resolve(10);
  assertList(await Promise.all(made), [13, 13, 13]);
});

test('start functions and segments of instances made while calls are suspended', async () => {
  const { f, waits } = gate();
  const { run } = new Instance(RECURSIVE, { m: { f } }).exports;
  const call = promising(run)(2, 2);
  const b = new WasmBuilder();
  const [runs, note] = [b.importFunc('m', 'run', ['i32', 'i32'], ['i32']), b.importFunc('m', 'note', ['externref'])];
  const type = b.structType(['i32', refNull('any')]);
  b.table({ element: 'anyref', min: 1 }, { export: 'table', init: [op.i32(3), op.refNull('anyref'), op.structNew(type)] });
  b.start(b.func([], [], [op.i32(7), op.refI31, op.externConvertAny, op.call(note)]));
  b.func(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), op.call(runs)], { export: 'again' });
  const notes = [];
  const { again } = b.instance({ m: { run, note: (x) => { collect(); notes.push(x); } } }).exports;
  assertList(notes, [7]);
  const second = promising(again)(3, 3);
  waits[1].resolve(1);
  waits[0].resolve(0);
  assertList(await Promise.all([call, second]), [4, 10]);
});

// References that only frames have

test('objects in frames survive collections', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['externref'], ['externref']);
  const pair = b.structType(['externref', 'anyref']);
  const array = b.arrayType('i8');
  b.func(['externref', 'i32'], ['externref', 'anyref', 'i32'], [
    op.localGet(0), op.i32(77), op.refI31, op.structNew(pair), op.localSet(2),
    op.localGet(1), op.arrayNewDefault(array), op.localSet(3),
    op.refNull('externref'), op.call(f), op.localSet(4),
    op.localGet(4), op.localGet(2), op.structNew(pair), op.localSet(2),
    op.refNull('externref'), op.call(f), op.drop,
    op.localGet(2), op.structGet(pair, 0), op.localGet(2), op.structGet(pair, 1), op.localGet(3), op.arrayLen,
  ], { export: 'run', locals: [refNull(pair), refNull(array), 'externref'] });
  b.func(['anyref'], ['externref', 'i32'], [
    op.localGet(0), op.refCast(pair), op.structGet(pair, 0),
    op.localGet(0), op.refCast(pair), op.structGet(pair, 1), op.refCast('i31'), op.i31GetS,
  ], { export: 'open' });
  // Garbage of the guest, and of the crossing.
  b.func(['i32', 'externref'], ['anyref'], [
    op.loop(), op.localGet(1), op.localGet(2), op.structNew(pair), op.localSet(2), op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
    op.localGet(2),
  ], { export: 'litter', locals: ['anyref'] });
  b.func(['externref'], ['externref'], op.localGet(0), { export: 'pass' });
  const { f: wait, waits } = gate();
  const { litter, open, pass, run } = b.instance({ m: { f: wait } }).exports;
  const calls = Array.from({ length: 30 }, (_, i) => promising(run)({ given: i }, i));
  const disturb = () => {
    litter(500, {});
    for (let i = 0; i < 3000; i++) assertEq(pass({ i }).i, i);
    collect();
  };
  for (const part of [0, 1]) {
    disturb();
    for (const [i, { resolve }] of waits.splice(0).entries()) {
      resolve({ part, i });
      if (i % 10 === 0) { await jobs(3); disturb(); }
    }
    await jobs();
  }
  disturb();
  for (const [i, call] of calls.entries()) {
    const [extern, any, length] = await call;
    assertEq(length, i);
    assertEq(extern.i, i);
    assertEq(extern.part, 0);
    const [given, number] = open(any);
    assertEq(given.given, i);
    assertEq(number, 77);
  }
});

test('a list that a guest builds across suspensions, with others that do the same', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['externref']);
  const node = b.structType(['externref', 'anyref']);
  b.func(['i32'], ['anyref'], [
    op.loop(),
    op.localGet(0), op.call(f), op.localGet(1), op.structNew(node), op.localSet(1),
    op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
    op.localGet(1),
  ], { export: 'build', locals: ['anyref'] });
  b.func(['anyref'], ['externref', 'anyref'], [
    op.localGet(0), op.refCast(node), op.structGet(node, 0), op.localGet(0), op.refCast(node), op.structGet(node, 1),
  ], { export: 'next' });
  let made = 0;
  const { build, next } = b.instance({ m: { f: new Suspending((i) => {
    if (++made % 50 === 0) collect();
    return Promise.resolve({ i });
  }) } }).exports;
  const lists = await Promise.all(Array.from({ length: 20 }, (_, i) => promising(build)(i + 20)));
  for (const [i, list] of lists.entries()) {
    let rest = list;
    for (let expected = 1; expected <= i + 20; expected++) {
      const [value, tail] = next(rest);
      assertEq(value.i, expected);
      rest = tail;
    }
    assertEq(rest, null);
  }
});

test('references as arguments of imports that start calls, which return references', async () => {
  const b = new WasmBuilder();
  const [wait, plain] = [b.importFunc('m', 'f', ['externref'], ['externref']), b.importFunc('m', 'plain', ['externref', 'i32'], ['externref'])];
  b.func(['externref', 'i32'], ['externref'], [op.localGet(0), op.call(wait), op.localGet(1), op.call(plain), op.call(wait)], { export: 'run' });
  b.func(['externref', 'i32'], ['externref'], [op.localGet(0), op.localGet(1), op.call(plain)], { export: 'direct' });
  const begun = [];
  const { direct, run } = b.instance({ m: {
    f: new Suspending((x) => Promise.resolve(x)),
    plain(x, depth) {
      if (depth > 0) {
        begun.push(promising(run)({ depth }, depth - 1), promising(direct)({ depth }, depth - 1));
        assertEq(direct(x, depth - 1), x);
      }
      collect();
      return x;
    },
  } }).exports;
  const objects = [{}, {}, {}];
  assertEq(direct(objects[0], 3), objects[0]);
  const calls = objects.map((object) => promising(run)(object, 3));
  assertList(await Promise.all(calls), objects);
  for (const call of begun) assert((await call).depth > 0);
});

test('exceptions with references, with calls suspended', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['externref'], ['externref']);
  const own = b.tag(['externref'], { export: 'tag' });
  const thrower = b.func(['externref'], [], [op.localGet(0), op.throw(own)], { export: 'throws' });
  b.func(['externref'], ['externref'], [
    op.block('externref'), op.tryTable('void', { tag: own, depth: 0 }), op.localGet(0), op.call(f), op.call(thrower), op.end,
    op.unreachable, op.end,
  ], { export: 'run' });
  const { f: wait, waits } = gate();
  const { run, tag: its, throws } = b.instance({ m: { f: wait } }).exports;
  const objects = Array.from({ length: 20 }, (_, i) => ({ i }));
  const calls = objects.map((object) => promising(run)(object));
  for (let i = 0; i < 200; i++) {
    const payload = { i };
    let error;
    try { throws(payload); } catch (caught) { error = caught; }
    assert(error.is(its));
    assertEq(error.getArg(its, 0), payload);
  }
  collect();
  for (const { args, resolve } of waits.reverse()) resolve(args[0]);
  assertList(await Promise.all(calls), objects);
});

test('stacks of errors below guests, before and after a suspension', async () => {
  const b = new WasmBuilder();
  const [wait, plain] = [b.importFunc('m', 'f'), b.importFunc('m', 'plain')];
  const inner = b.func([], [], [op.call(plain), op.call(wait), op.call(plain)]);
  const outer = b.func([], [], [op.call(inner)], { export: 'run' });
  b.functionNames({ [wait]: 'wait', [plain]: 'plain', [inner]: 'inner', [outer]: 'outer' });
  const stacks = [];
  const note = (name) => ({ [name]() { stacks.push(new Error('x').stack); return Promise.resolve(); } })[name];
  const { run } = b.instance({ m: { f: new Suspending(note('suspends')), plain: note('imported') } }).exports;
  await promising(run)();
  assertEq(stacks.length, 3);
  const expected = ['imported inner outer', 'suspends inner outer', 'imported inner outer'];
  for (const [i, stack] of stacks.entries()) {
    const names = [...stack.matchAll(/^ +at (?:\w+\.)?(imported|suspends|inner|outer)\b/gm)].map((match) => match[1]);
    assertEq(names.join(' '), expected[i]);
  }
});

test('the stack of a trap after a suspension', async () => {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'f');
  const inner = b.func([], [], [op.call(wait), op.unreachable]);
  const outer = b.func([], [], [op.call(inner)], { export: 'run' });
  b.functionNames({ [wait]: 'wait', [inner]: 'inner', [outer]: 'outer' });
  const { run } = b.instance({ m: { f: new Suspending(async () => {}) } }).exports;
  const { stack } = await rejection(promising(run)());
  assertList([...stack.matchAll(/^ +at (inner|outer) \(.*wasm-function\[\d\]:0x[0-9a-f]+\)$/gm)].map((match) => match[1]), ['inner', 'outer']);
});

test('a guest that is suspended in two islands at once', async () => {
  // Each import is a promising function of the other island.
  const { f, waits } = gate();
  const first = new Instance(RECURSIVE, { m: { f } }).exports.run;
  const second = new Instance(RECURSIVE, { m: { f: new Suspending((x) => promising(first)(2, x)) } }).exports.run;
  const third = new Instance(RECURSIVE, { m: { f: new Suspending((x) => promising(second)(2, x)) } }).exports.run;
  const calls = [1, 2, 3].map((x) => promising(third)(2, x));
  for (const i of [2, 0, 1]) waits[i].resolve(100 * i);
  assertList(await Promise.all(calls), [6, 112, 218]);
});

test('values thrown are the same that were thrown', () => {
  // Ordinary calls are as they were, with promising ones around.
  const { f } = gate();
  const value = {};
  const exports = busy(f, () => { throw value; });
  void promising(exports.host)(1);
  const b = new WasmBuilder();
  const plain = b.importFunc('m', 'plain');
  b.func([], [], op.call(plain), { export: 'run' });
  assertThrowsValue(value, b.instance({ m: { plain() { throw value; } } }).exports.run);
});

test('the builtins of strings make strings in promising calls, before and after they are suspended', async () => {
  const b = new WasmBuilder();
  const string = ref('extern');
  const concat = b.importFunc('wasm:js-string', 'concat', ['externref', 'externref'], [string]);
  const substring = b.importFunc('wasm:js-string', 'substring', ['externref', 'i32', 'i32'], [string]);
  const fromCodePoint = b.importFunc('wasm:js-string', 'fromCodePoint', ['i32'], [string]);
  const length = b.importFunc('wasm:js-string', 'length', ['externref'], ['i32']);
  const equals = b.importFunc('wasm:js-string', 'equals', ['externref', 'externref'], ['i32']);
  const cast = b.importFunc('wasm:js-string', 'cast', ['externref'], [string]);
  const wait = b.importFunc('m', 'wait', ['externref'], ['externref']);
  b.func(['externref'], ['externref', 'i32', 'i32'], [
    op.localGet(0), op.i32(0x1f600), op.call(fromCodePoint), op.call(concat), op.localTee(1),
    op.call(wait), op.call(cast), op.localGet(1), op.i32(1), op.i32(4), op.call(substring), op.call(concat), op.localTee(2),
    op.localGet(2), op.call(length), op.localGet(1), op.localGet(0), op.call(equals),
  ], { export: 'run', locals: ['externref', 'externref'] });
  const module = new Module(b.bytes(), { builtins: ['js-string'] });
  const { exports } = new Instance(module, { m: { wait: new Suspending(async (x) => `${x}!`) } });
  assertList(await promising(exports.run)('ab'), ['ab\u{1f600}!b\u{1f600}', 8, 0]);
  await assertRejects(RuntimeError, () => promising(exports.run)(null));
});
