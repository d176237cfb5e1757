// What suspended calls keep alive, and what goes with those that nobody can settle any more. Wants `gc()`; without one
// (Node: --expose-gc) nothing is registered.
import { assert, assertEq, assertList, assertRejects, fail, test } from '../harness.mjs';
import { WasmBuilder, op, ref } from '../wasm-builder.mjs';

const { Instance, Suspending, promising } = WebAssembly;
const gcTest = (name, fn, options) => { if (globalThis.gc) test(name, fn, options); };
const never = () => new Promise(() => {});

/** Lets the runtime clear what WeakRefs kept for the running job, and collects, until nothing more can be expected. */
async function collect() {
  for (let i = 0; i < 4; i++) {
    await (globalThis.setTimeout ? new Promise((resolve) => { setTimeout(resolve, 0); }) : undefined);
    globalThis.gc();
  }
}

/** The same for what a guest has let go of that lives on: enough crossings to make its own collector run. */
async function collectWith({ calls }) {
  for (let i = 0; i < 20_000; i++) calls({});
  await collect();
  for (let i = 0; i < 20_000; i++) calls({});
  await collect();
}

/** What `make` returns, a list of objects, by WeakRefs; made in a frame of its own, which has ended. */
async function weakly(make) {
  const refs = (() => [make()].flat().map((object) => new WeakRef(object)))();
  // Promises are settled, and jobs that hold what they were called with are done.
  for (let i = 0; i < 10; i++) await 0;
  return refs;
}
async function assertDies(make, exports) {
  const refs = await weakly(make);
  await (exports ? collectWith(exports) : collect());
  refs.forEach((weak, at) => assert(weak.deref() === undefined, `object ${at} is alive`));
}

/** `run(x)` keeps x and a struct in its frame while it waits, twice, and returns x; with things that only it does. */
function waiter() {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait', ['externref'], ['externref']);
  const plain = b.importFunc('m', 'plain', ['externref'], ['externref']);
  b.memory({ min: 1 }, { export: 'memory' });
  const count = b.global('i32', op.i32(0), { mutable: true, export: 'count' });
  b.global('externref', op.refNull('externref'), { mutable: true, export: 'extern' });
  const box = b.structType(['externref']);
  b.func(['externref'], ['externref'], [
    op.localGet(0), op.structNew(box), op.localSet(1),
    op.localGet(0), op.call(wait), op.drop, op.localGet(0), op.call(wait), op.drop,
    op.localGet(1), op.structGet(box, 0), op.call(plain),
  ], { export: 'run', locals: [ref(box, { nullable: true })] });
  b.func(['externref'], ['externref'], [
    // An end of the call is nothing that a guest can catch.
    op.block(), op.tryTable('void', { depth: 0 }), op.localGet(0), op.call(wait), op.return, op.end, op.unreachable, op.end,
    op.i32(100), op.globalSet(count), op.localGet(0), op.call(plain),
  ], { export: 'catches' });
  b.func(['externref'], ['externref'], [op.localGet(0), op.call(plain)], { export: 'calls' });
  b.func(['externref'], [ref(box)], [op.localGet(0), op.structNew(box)], { export: 'box' });
  b.func([], ['i32'], [op.globalGet(count), op.i32(1), op.i32Add, op.globalSet(count), op.globalGet(count)], { export: 'increment' });
  return b.module();
}
const WAITER = waiter();
const make = (wait, plain = (x) => x) => new Instance(WAITER, { m: { wait: new Suspending(wait), plain } });

// Calls that nobody can settle

const goneTest = (name, fn) => gcTest(name, fn, { v8: 'keeps every suspended call' });

goneTest('a call, its instance, its import and its argument', () => assertDies(() => {
  const argument = {};
  const wait = () => never();
  const plain = () => fail('went on');
  const instance = make(wait, plain);
  const run = promising(instance.exports.run);
  return [run(argument), run, argument, wait, plain, instance, instance.exports, instance.exports.run, instance.exports.memory];
}));

goneTest('one that has been resumed before', () => assertDies(() => {
  const argument = {};
  let count = 0;
  const instance = make(() => (count++ === 0 ? Promise.resolve() : never()));
  return [promising(instance.exports.run)(argument), argument, instance];
}));

goneTest('one whose promise has handlers, and an async function that awaits it', () => assertDies(() => {
  const argument = {};
  const instance = make(never);
  const promise = promising(instance.exports.run)(argument);
  const handler = () => fail('settled');
  const waits = (async (object) => { await promise; fail(object); })(argument);
  return [promise.then(handler, handler).finally(handler), handler, promise, waits, argument, instance];
}));

goneTest('one whose frames hold everything else', () => assertDies(() => {
  const argument = {};
  argument.wait = () => argument.pending;
  argument.pending = never();
  argument.instance = make(argument.wait, () => argument);
  argument.run = promising(argument.instance.exports.run);
  argument.promise = argument.run(argument);
  argument.again = argument.run(argument.promise);
  argument.instance.exports.extern.value = argument;
  return [...Object.values(argument), argument];
}));

goneTest('one whose resolving functions only it has', () => assertDies(() => {
  const argument = {};
  const wait = () => { const { promise, ...rest } = Promise.withResolvers(); Object.assign(argument, rest); return promise; };
  const instance = make(wait);
  return [promising(instance.exports.run)(argument), argument, wait, instance];
}));

goneTest('one that waits for a thenable that keeps nothing', () => assertDies(() => {
  const argument = {};
  const thenable = { then() { /* Forgets what it is given. */ } };
  const instance = make(() => thenable);
  return [promising(instance.exports.run)(argument), argument, thenable, instance];
}));

goneTest('calls that wait for each other, across islands', () => assertDies(() => {
  const argument = {};
  const calls = [];
  const first = make(() => calls[1] ?? never());
  const second = make(() => calls[0]);
  calls.push(promising(first.exports.run)(argument));
  calls.push(promising(second.exports.run)(argument));
  const third = make((x) => promising(second.exports.run)(x));
  calls.push(promising(third.exports.run)(argument));
  return [...calls, argument, first, second, third];
}));

goneTest('a promise that waits for itself', () => assertDies(() => {
  const instance = make((argument) => argument.promise ?? later.promise);
  const later = Promise.withResolvers();
  const argument = {};
  argument.promise = promising(instance.exports.run)(argument);
  later.resolve(argument.promise);
  return [argument, argument.promise, instance];
}));

goneTest('a kept promise does not keep the call', async () => {
  const kept = [];
  await assertDies(() => {
    const argument = {};
    const instance = make(never);
    kept.push(promising(instance.exports.run)(argument));
    return [argument, instance];
  });
  assert(kept[0] instanceof Promise);
});

goneTest('a kept instance goes on without the call, which does nothing any more', async () => {
  const { exports } = make(never, (x) => (x.mark ? fail('went on') : x));
  const { catches, count, increment, memory, run } = exports;
  await assertDies(() => {
    const objects = [{ mark: 1 }, { mark: 2 }, { mark: 3 }];
    return [...objects, ...objects.map((object) => promising(run)(object)), ...objects.map((object) => promising(catches)(object))];
  }, exports);
  assertEq(count.value, 0);
  assertEq(increment(), 1);
  assertEq(memory.grow(1), 1);
  await promising(increment)();
  assertEq(count.value, 2);
});

goneTest('a kept promising function does not keep its calls', async () => {
  let wait = never;
  const { exports } = make(() => wait());
  const run = promising(exports.run);
  await assertDies(() => { const object = {}; return [object, run(object)]; }, exports);
  wait = () => Promise.resolve();
  assertEq(await run(5), 5);
});

goneTest('one among others that go on', async () => {
  const waits = [];
  const { exports } = make(({ abandoned }) => (abandoned ? never() : new Promise((resolve) => { waits.push(resolve); })));
  const { run } = exports;
  const kept = [];
  const keep = (i) => kept.push(promising(run)({ i }));
  const refs = await weakly(() => Array.from({ length: 20 }, (_, i) => {
    keep(i);
    const object = { abandoned: true };
    void promising(run)(object);
    return object;
  }));
  await collectWith(exports);
  assertEq(refs.filter((weak) => weak.deref()).length, 0);
  while (waits.length > 0) { waits.pop()(); await 0; await 0; }
  const results = await Promise.all(kept);
  assertList(results.map(({ i }) => i), results.map((_, i) => i));
});

goneTest('thousands, one after another', async () => {
  const { exports } = make(never);
  const { increment, run } = exports;
  const alive = new Set();
  const registry = new FinalizationRegistry((i) => { alive.delete(i); });
  const begin = (i) => { const object = { i }; alive.add(i); registry.register(object, i); void promising(run)(object); };
  for (let i = 0; i < 3000; i++) {
    begin(i);
    if (i % 500 === 499) { await 0; globalThis.gc(); }
  }
  await collectWith(exports);
  assertEq(alive.size, 0);
  assertEq(increment(), 1);
});

goneTest('one that is collected while an import of its instance runs', async () => {
  let weak;
  let collects = false;
  const { exports } = make(never, (x) => {
    for (let i = 0; collects && i < 3; i++) globalThis.gc();
    return x;
  });
  const { calls, run } = exports;
  // Begins in a frame that has ended when the import collects.
  const begin = () => { const object = {}; weak = new WeakRef(object); void promising(run)(object); };
  for (const call of [calls, promising(calls)]) {
    begin();
    await collect();
    begin();
    for (let i = 0; i < 10; i++) await 0;
    const object = { call };
    collects = true;
    assertEq(await call(object), object);
    collects = false;
    await collectWith(exports);
    assertEq(weak.deref(), undefined);
  }
});

gcTest('one that is collected below the import, with calls in between', async () => {
  const begin = () => { void promising(exports.run)({}); };
  const exports = make(never, (depth) => {
    begin();
    globalThis.gc();
    if (depth > 0) assertEq(exports.calls(depth - 1), depth - 1);
    globalThis.gc();
    return depth;
  }).exports;
  assertEq(exports.calls(10), 10);
  assertEq(await promising(exports.calls)(10), 10);
  await collect();
  assertEq(exports.calls(3), 3);
});

goneTest('callbacks of registries that call the instance of a call that is gone', async () => {
  const { exports } = make(never);
  const heard = [];
  const registry = new FinalizationRegistry((name) => {
    heard.push(name, exports.increment());
    const object = { name };
    if (exports.calls(object) !== object) heard.push('wrong');
    heard.push(promising(exports.increment)());
    void promising(exports.run)({});
    globalThis.gc();
  });
  (() => {
    const object = {};
    registry.register(object, 'argument');
    void promising(exports.run)(object);
  })();
  await collectWith(exports);
  await collect();
  assertEq(heard.length, 3);
  assertEq(heard[0], 'argument');
  assertEq(heard[1], 1);
  assertEq(await heard[2], 2);
});

goneTest('what a guest throws into is not reached: a call at each of its suspensions', async () => {
  for (const at of [0, 1, 2]) {
    let count = 0;
    const notes = [];
    const { exports } = make(() => (count++ === at ? never() : Promise.resolve()), (x) => { if (x.mark) notes.push('plain'); return x; });
    await assertDies(() => { const object = { mark: 1 }; return [object, promising(exports.run)(object)]; }, exports);
    assertEq(notes.length, at === 2 ? 1 : 0);
    count = at;
    await assertDies(() => { const object = { mark: 1 }; return [object, promising(exports.catches)(object)]; }, exports);
    assertEq(notes.length, at === 2 ? 1 : 0);
  }
});

// Calls that somebody can settle

gcTest('who can settle the promise keeps the call, its instance and all that it needs', async () => {
  let resolve;
  const results = [];
  const refs = await weakly(() => {
    const object = { own: 1 };
    let count = 0;
    const wait = () => (count++ === 0 ? new Promise((settle) => { resolve = settle; }) : Promise.resolve());
    const plain = (x) => [x];
    const instance = make(wait, plain);
    promising(instance.exports.run)(object).then((value) => results.push(value));
    return [instance.exports.memory.buffer, object, wait, plain];
  });
  await collect();
  for (const [i, weak] of refs.entries()) if (i > 0) assert(weak.deref() !== undefined, `object ${i} is gone`);
  resolve();
  for (let i = 0; i < 20; i++) await 0;
  assertEq(results[0][0].own, 1);
  results.length = 0;
  resolve = undefined;
  await collect();
  for (const [i, weak] of refs.entries()) assert(weak.deref() === undefined, `object ${i} is alive`);
});

gcTest('so does who can reject it', async () => {
  let reject;
  const results = [];
  const refs = await weakly(() => {
    const object = { own: 1 };
    const instance = make(() => new Promise((_, settle) => { reject = settle; }));
    promising(instance.exports.run)(object).catch((error) => results.push(error));
    return [object];
  });
  await collect();
  assertEq(refs[0].deref().own, 1);
  reject(results);
  for (let i = 0; i < 10; i++) await 0;
  assertEq(results[0], results);
  results.length = 0;
  reject = undefined;
  await collect();
  assertEq(refs[0].deref(), undefined);
});

gcTest('objects that only frames hold are the same when they come back', async () => {
  const waits = [];
  const { run } = make(() => new Promise((resolve) => { waits.push(resolve); })).exports;
  const calls = [];
  const begin = (i) => calls.push(promising(run)(Object.assign(() => {}, { i })));
  for (let i = 0; i < 50; i++) begin(i);
  for (let round = 0; round < 2; round++) {
    await collect();
    for (const resolve of waits.splice(0)) resolve();
    for (let i = 0; i < 5; i++) await 0;
  }
  for (const [i, call] of calls.entries()) assertEq((await call).i, i);
});

gcTest('what a settled call held is let go, though its promise and its function are kept', async () => {
  const kept = [];
  const { exports } = make(() => Promise.resolve(), () => null);
  const run = promising(exports.run);
  const refs = await weakly(() => { const object = {}; kept.push(run(object)); return [object]; });
  await collectWith(exports);
  assertEq(refs[0].deref(), undefined);
  assertEq(await kept[0], null);
});

gcTest('so it is after a rejection and after a trap', async () => {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait', ['externref']);
  b.func(['externref'], [], [op.localGet(0), op.call(wait), op.unreachable], { export: 'run' });
  b.func(['externref'], [], [], { export: 'calls' });
  const error = new Error('rejected');
  for (const f of [async () => {}, async () => { throw error; }, () => { throw error; }]) {
    const { exports } = b.instance({ m: { wait: new Suspending(f) } });
    const run = promising(exports.run);
    const refs = await weakly(() => { const object = {}; run(object).catch(() => {}); return [object]; });
    await collectWith(exports);
    assertEq(refs[0].deref(), undefined);
  }
});

gcTest('a Suspending object does not outlive its function\'s instance', () => assertDies(() => {
  const holder = {};
  holder.suspending = new Suspending(() => holder);
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['externref']);
  b.export('f', 'function', f);
  holder.instance = b.instance({ m: { f: holder.suspending } });
  holder.f = holder.instance.exports.f;
  holder.promising = promising(holder.f);
  void holder.promising();
  return [holder, ...Object.values(holder)];
}));

gcTest('an unhandled failure of a call that is gone is not reported', async () => {
  // Its end is no rejection: nobody hears of it.
  const { run } = make(never).exports;
  (() => { for (let i = 0; i < 10; i++) void promising(run)({}); })();
  await collect();
  await assertRejects(TypeError, () => promising(make(() => { throw new TypeError('own'); }).exports.run)({}));
});

// Calls that begin below an ordinary one, which goes on and collects while they wait

/** Makes as many structs as it takes for a collection, in a function whose local 0 counts. */
const collects = (box) => [
  op.i32(200_000), op.localSet(0), op.loop(),
  op.refNull('externref'), op.refNull('externref'), op.structNew(box), op.drop,
  op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
];

/** Begins ten calls of `run` while `ordinary(begin)` is running, which has to call `begin`, and looks at what becomes of
 * their arguments. Whatever waits has to be told to go on by `settle`. */
async function beginsBelow(run, ordinary, settle) {
  const promises = [];
  ordinary(() => { for (let i = 0; i < 10; i++) promises.push(run({ i })); });
  settle.forEach((resolve) => resolve());
  assertList((await Promise.all(promises)).map((object) => object?.i), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/** `run(x)` waits and returns x. `begin()` calls an import and collects. */
function beginner() {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait', [], []);
  const begin = b.importFunc('m', 'begin', [], []);
  const box = b.structType(['externref', 'externref']);
  b.func(['externref'], ['externref'], [op.call(wait), op.localGet(0)], { export: 'run' });
  b.func([], [], [op.call(begin), collects(box)], { export: 'begin', locals: ['i32'] });
  return b.module();
}
const waiting = (settle) => new Suspending(() => new Promise((resolve) => { settle.push(resolve); }));

test('a call that begins below an ordinary one keeps what it has', async () => {
  const settle = [];
  let began;
  const { run, begin } = new Instance(beginner(), { m: { wait: waiting(settle), begin: () => began() } }).exports;
  await beginsBelow(promising(run), (begins) => { began = begins; begin(); }, settle);
});

test('so does one that begins below a start function', async () => {
  const settle = [];
  const { run } = new Instance(beginner(), { m: { wait: waiting(settle), begin() {} } }).exports;
  const b = new WasmBuilder();
  b.importFunc('m', 'run', ['externref'], ['externref']);
  const begin = b.importFunc('m', 'begin', [], []);
  const box = b.structType(['externref', 'externref']);
  b.start(b.func([], [], [op.call(begin), collects(box)], { locals: ['i32'] }));
  await beginsBelow(promising(run), (begins) => { b.instance({ m: { run, begin: begins } }); }, settle);
});

test('so does one whose island had no suspending function when the ordinary call began', async () => {
  const settle = [];
  let began;
  const { run, begin } = new Instance(beginner(), { m: { wait() {}, begin: () => began() } }).exports;
  /** Of an instance of the same island, which is made in the middle. */
  const inner = () => {
    const b = new WasmBuilder();
    const wait = b.importFunc('m', 'wait', [], []);
    b.importFunc('m', 'run', ['externref'], ['externref']);
    b.func(['externref'], ['externref'], [op.call(wait), op.localGet(0)], { export: 'run' });
    return promising(b.instance({ m: { wait: waiting(settle), run } }).exports.run);
  };
  await beginsBelow((x) => inner()(x), (begins) => { began = begins; begin(); }, settle);
});

test('exceptions that are caught by guests whose types name no reference', async () => {
  const settle = [];
  for (const legacy of [false, true]) {
    const b = new WasmBuilder();
    const wait = b.importFunc('m', 'wait', [], []);
    const fail = b.importFunc('m', 'fail', [], []);
    b.func([], [], legacy
      ? [op.try(), op.call(fail), op.catchAll, op.call(wait), op.rethrow(0), op.end]
      : [
        op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.call(fail), op.end, op.unreachable, op.end,
        op.localSet(0), op.call(wait), op.localGet(0), op.throwRef,
      ], { export: 'run', locals: legacy ? [] : ['exnref'] });
    b.func([], [], legacy
      ? [op.try(), op.call(fail), op.catchAll, op.end]
      : [op.block(), op.tryTable('void', { depth: 0 }), op.call(fail), op.end, op.end], { export: 'litter' });
        let count = 0;
    const errors = [];
    const { exports } = b.instance({ m: { wait: waiting(settle), fail() { throw (errors[count] = { count: count++ }); } } });
    const outcome = promising(exports.run)().catch((error) => error);
    for (let i = 0; i < 20_000; i++) exports.litter();
    globalThis.gc?.();
    settle.splice(0).forEach((resolve) => resolve());
    assertEq(await outcome, errors[0]);
  }
});

test('thousands of calls with references at once', async () => {
  const settle = [];
  const { run, begin } = new Instance(beginner(), { m: { wait: waiting(settle), begin() {} } }).exports;
  const call = promising(run);
  const objects = Array.from({ length: 5000 }, (_, i) => ({ i }));
  const running = objects.map((object) => call(object));
  begin();
  settle.forEach((resolve) => resolve());
  assertList(await Promise.all(running), objects);
});
