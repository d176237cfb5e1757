// JavaScript Promise Integration in workers: how they end, by themselves and cut off, with calls that are suspended, that
// run on a fiber, or that wait below one; and what needs a process of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { assertEndsWell, ended, messages, nextOn, turns, within } from './support.mjs';

/** Guests that wait, that call, and that never end. */
function guests() {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait', ['externref'], ['externref']);
  const plain = b.importFunc('m', 'plain', ['externref'], ['externref']);
  b.memory({ min: 1 }, { export: 'memory' });
  const struct = b.structType(['externref']);
  const endless = [op.loop(), op.br(0), op.end];
  const keeps = [op.localGet(0), op.structNew(struct), op.drop];
  b.func(['externref'], ['externref'], [keeps, op.localGet(0), op.call(wait)], { export: 'waits' });
  b.func(['externref'], ['externref'], [keeps, op.localGet(0), op.call(plain)], { export: 'calls' });
  b.func(['externref'], ['externref'], [op.localGet(0), op.call(wait), op.call(plain)], { export: 'waitsAndCalls' });
  b.func(['externref'], ['externref'], [op.localGet(0), op.call(plain), op.call(wait)], { export: 'callsAndWaits' });
  b.func(['externref'], [], [op.localGet(0), op.call(wait), op.drop, endless], { export: 'waitsThenLoops' });
  b.func(['externref'], [], [op.localGet(0), op.call(plain), op.drop, endless], { export: 'loops' });
  b.func(['externref'], [], [
    op.loop(), op.localGet(0), op.call(wait), op.drop, op.br(0), op.end,
  ], { export: 'waitsForEver' });
  b.func(['externref'], [], [
    // An end is nothing that a guest can catch.
    op.loop(), op.block(), op.tryTable('void', { depth: 0 }), op.localGet(0), op.call(wait), op.drop, op.end, op.end, op.br(0), op.end,
  ], { export: 'catchesForEver' });
  return b.module();
}
const MODULE = guests();

/** A worker that runs `source`, with `make(wait, plain)` for exports, `promising`, `post` and `never`. */
function run(source, options) {
  return new Worker(`
    const { parentPort, workerData, isMainThread, Worker } = require('node:worker_threads');
    const post = (value) => parentPort.postMessage(value);
    const { Suspending, promising } = WebAssembly;
    const never = () => new Promise(() => {});
    const make = (wait, plain = (x) => x) =>
      new WebAssembly.Instance(workerData.module, { m: { wait: new Suspending(wait), plain } }).exports;
    ${source}`, { eval: true, workerData: { module: MODULE, shared: options?.shared }, ...options });
}

test('calls that wait for nothing do not keep a worker', async () => {
  const worker = run(`
    const { waits } = make(never);
    for (let i = 0; i < 100; i++) promising(waits)({ i }).then(() => post('settled'));
    post('done')`);
  const got = [];
  worker.on('message', (value) => got.push(value));
  await assertEndsWell(worker);
  assertList(got, ['done']);
});

test('one that waits for a timer does, and goes on', async () => {
  const worker = run(`
    const { waits } = make((x) => new Promise((resolve) => setTimeout(resolve, 1, x)));
    promising(waits)('later').then(post)`);
  const [end, got] = [assertEndsWell(worker), messages(worker, 1)];
  assertList(await got, ['later']);
  await end;
});

test('one that waits for a message', async () => {
  const worker = run(`
    const { waitsAndCalls } = make(() => new Promise((resolve) => parentPort.once('message', resolve)), (x) => x + '!');
    promising(waitsAndCalls)(1).then(post)`);
  const [end, got] = [assertEndsWell(worker), messages(worker, 1)];
  worker.postMessage('answer');
  assertList(await got, ['answer!']);
  await end;
});

test('a rejection that nobody handles ends a worker with the error', async () => {
  const worker = run(`
    const { waits } = make(() => Promise.reject(new RangeError('unhandled')));
    promising(waits)(1)`);
  const { code, error } = await ended(worker);
  assertEq(code, 1);
  assert(error instanceof RangeError);
  assertEq(error.message, 'unhandled');
});

// process.exit in each place where a call can be.
for (const [name, source] of Object.entries({
  'a suspending import': 'promising(make(() => process.exit(7)).waits)(1)',
  'one that is called after a resumption': `
    let count = 0;
    promising(make(() => { if (count++ > 3) process.exit(7); return Promise.resolve(); }).waitsForEver)(1)`,
  'one, with a guest that catches all': 'promising(make(() => process.exit(7)).catchesForEver)(1)',
  'a plain import on a fiber': 'promising(make(never, () => process.exit(7)).calls)(1)',
  'a plain import after a resumption': 'promising(make(() => Promise.resolve(), () => process.exit(7)).waitsAndCalls)(1)',
  'a getter of a thenable': 'promising(make(() => ({ get then() { return process.exit(7); } })).waits)(1)',
  'a handler, with calls suspended': `
    const { waits } = make(never);
    for (let i = 0; i < 50; i++) promising(waits)({});
    Promise.resolve().then(() => process.exit(7))`,
  'the import of a call below another': `
    const inner = make(() => process.exit(7));
    const outer = make(never, () => promising(inner.waits)(1));
    const outermost = make(() => promising(outer.calls)(1));
    promising(outermost.waits)(1)`,
  'a conversion of a result': `
    const b = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 7, 1, 1, 109, 1, 102, 0, 0, 3, 2, 1, 0,
      7, 5, 1, 1, 114, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11]);
    const { r } = new WebAssembly.Instance(new WebAssembly.Module(b),
      { m: { f: new Suspending(() => Promise.resolve({ valueOf() { process.exit(7); } })) } }).exports;
    promising(r)()`,
})) {
  test(`process.exit in ${name}`, async () => {
    const worker = run(`
      ${source}.then(() => post('fulfilled'), () => post('rejected')).finally?.(() => post('finally'));
      setTimeout(() => {}, 60_000)`);
    const got = [];
    worker.on('message', (value) => got.push(value));
    const { code, failed } = await ended(worker);
    assertEq(code, 7);
    assertEq(failed, false);
    assertList(got, []);
  });
}

// terminate() while a worker is in each of these: it says when it begins.
for (const [name, source] of Object.entries({
  'suspended calls': `
    const { waits } = make(never);
    for (let i = 0; i < 1000; i++) promising(waits)({});
    post('begins'); setTimeout(() => {}, 60_000)`,
  'suspended calls, blocked in Atomics.wait': `
    const { waits } = make(never);
    for (let i = 0; i < 100; i++) promising(waits)({});
    post('begins'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  'a guest\'s loop on a fiber': 'promising(make(never, (x) => { post("begins"); return x; }).loops)(1)',
  'a guest\'s loop on a fiber that was resumed': `
    promising(make(() => Promise.resolve().then(() => post('begins'))).waitsThenLoops)(1)`,
  'a loop of suspensions': `
    let count = 0;
    promising(make(() => { if (++count === 10) post('begins'); return Promise.resolve(); }).waitsForEver)(1)`,
  'one that catches all': `
    let count = 0;
    promising(make(() => { if (++count === 10) post('begins'); return Promise.reject(count); }).catchesForEver)(1)`,
  'one that catches what is thrown at once': `
    let count = 0;
    promising(make(() => { if (++count === 10) post('begins'); throw count; }).catchesForEver)(1)`,
  'a script\'s loop in a suspending import': 'promising(make(() => { post("begins"); for (;;); }).waits)(1)',
  'a script\'s loop in a plain import on a fiber': 'promising(make(never, () => { post("begins"); for (;;); }).calls)(1)',
  'a script\'s loop in a plain import, after a resumption': `
    promising(make(() => Promise.resolve(), () => { post("begins"); for (;;); }).waitsAndCalls)(1)`,
  'a wait in a suspending import': `
    promising(make(() => { post('begins'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); }).waits)(1)`,
  'a loop of an ordinary guest below a fiber\'s import, with calls suspended': `
    const other = make(never, (x) => { post('begins'); return x; });
    const { calls, waits } = make(never, (x) => other.loops(x));
    for (let i = 0; i < 100; i++) promising(waits)({});
    promising(calls)(1)`,
  'a loop of a guest on a fiber below a fiber\'s import of the same instance': `
    const { calls, loops, waits } = make(never, (x) => { if (x === 1) { promising(loops)(2); return x; } post('begins'); return x; });
    for (let i = 0; i < 100; i++) promising(waits)({});
    promising(calls)(1)`,
  'calls that begin without end': `
    const { waits } = make(never);
    post('begins');
    for (;;) promising(waits)({})`,
  'calls that begin and end without end': `
    const { waits } = make(async (x) => x);
    post('begins');
    (async () => { for (;;) await promising(waits)({}); })()`,
  'an instantiation whose start function never ends': `
    const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11]);
    const module = new WebAssembly.Module(bytes);
    promising(make(() => { post('begins'); new WebAssembly.Instance(module); }).waits)(1)`,
})) {
  test(`a worker is terminated in ${name}`, async () => {
    const worker = run(source);
    await nextOn(worker, 'message');
    await turns(5);
    assertEq(await within(worker.terminate(), 'the end'), 1);
  });
}

test('workers are terminated at any moment', async () => {
  for (let i = 0; i < 20; i++) {
    const worker = run(`
      const { callsAndWaits, waits, waitsAndCalls } = make(
        (x) => (x.deep > 0 ? promising(waitsAndCalls)({ deep: x.deep - 1 }) : new Promise((resolve) => setTimeout(resolve, 0, x))),
        (x) => { if (x.deep > 0) promising(callsAndWaits)({ deep: x.deep - 1 }); return x; });
      post('begins');
      const again = () => promising(callsAndWaits)({ deep: 4 }).then(again);
      for (let i = 0; i < 10; i++) { again(); promising(waits)({ deep: 3 }); }`);
    await nextOn(worker, 'message');
    await turns(i % 7);
    assertEq(await within(worker.terminate(), 'the end'), 1);
  }
});

test('a worker with suspended calls whose own worker has some', async () => {
  const worker = run(`
    const { waits } = make(never);
    promising(waits)({});
    if (workerData.shared === undefined) {
      const inner = new Worker(
        'const { workerData: { module }, parentPort } = require("node:worker_threads");' +
        'const { waits } = new WebAssembly.Instance(module, { m: { wait: new WebAssembly.Suspending(() => new Promise(() => {})), plain: (x) => x } }).exports;' +
        'for (let i = 0; i < 10; i++) WebAssembly.promising(waits)({}); parentPort.postMessage(1); setTimeout(() => {}, 60000)',
        { eval: true, workerData: { module: workerData.module } });
      inner.on('message', () => post('begins'));
    }`);
  await nextOn(worker, 'message');
  assertEq(await within(worker.terminate(), 'the end'), 1);
});

/** Runs a script in a process of its own: what it prints, and how it ends. */
function processOf(source) {
  const builder = new URL('../wasm-builder.mjs', import.meta.url).href;
  const text = `
    import { WasmBuilder, op } from ${JSON.stringify(builder)};
    const { Suspending, promising } = WebAssembly;
    const never = () => new Promise(() => {});
    const relay = (wait, plain = (x) => x) => {
      const b = new WasmBuilder();
      const f = b.importFunc('m', 'wait', ['i32'], ['i32']);
      const g = b.importFunc('m', 'plain', ['i32'], ['i32']);
      b.func(['i32'], ['i32'], [op.localGet(0), op.call(f)], { export: 'waits' });
      b.func(['i32'], ['i32'], [op.localGet(0), op.call(g)], { export: 'calls' });
      return b.instance({ m: { wait: new Suspending(wait), plain } }).exports;
    };
    ${source}`;
  const folder = mkdtempSync(join(tmpdir(), 'promise-integration-'));
  const file = join(folder, 'script.mjs');
  writeFileSync(file, text);
  const { status, signal, stdout } = spawnSync(process.execPath, ['--expose-gc', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return { status, signal, lines: stdout.split('\n').slice(0, -1) };
}

test('a process ends with calls suspended', () => {
  const { status, signal, lines } = processOf(`
    const { waits } = relay(never);
    for (let i = 0; i < 1000; i++) promising(waits)(i).then(() => console.log('settled'));
    process.on('exit', (code) => console.log('exit', code));`);
  assertEq(signal, null);
  assertEq(status, 0);
  assertList(lines, ['exit 0']);
});

test('a top-level await of a call that nobody can settle', () => {
  const { status, signal } = processOf('await promising(relay(never).waits)(1); console.log("settled");');
  assertEq(signal, null);
  assertEq(status, 13);
});

test('process.exit in a suspending import of a process', () => {
  const { status, signal, lines } = processOf(`
    process.on('exit', (code) => console.log('exit', code));
    promising(relay((x) => process.exit(x)).waits)(5).finally(() => console.log('settled'));`);
  assertEq(signal, null);
  assertEq(status, 5);
  assertList(lines, ['exit 5']);
});

test('recursion of a promising function through its imports ends in a RangeError', () => {
  for (const kind of ['waits', 'calls']) {
    // What is rejected where no stack is left may find no handler in time.
    const { status, signal, lines } = processOf(`
      process.on('unhandledRejection', () => {});
      let depth = 0, failed;
      const again = (x) => { depth = x; const promise = p(x + 1); promise.catch((error) => { failed ??= error; }); return ${kind === 'waits' ? 'promise' : 'x'}; };
      const p = promising(relay(again, again).${kind});
      try { await p(0); } catch (error) { failed ??= error; }
      for (let i = 0; i < 10; i++) await new Promise((resolve) => setTimeout(resolve, 0));
      console.log(failed instanceof RangeError, depth > 10);
      console.log(await promising(relay(async (x) => x).waits)(5));`);
    assertEq(signal, null);
    assertEq(status, 0);
    assertList(lines, ['true true', '5']);
  }
});

test('AsyncLocalStorage has its value after a suspension', () => {
  const { status, lines } = processOf(`
    import { AsyncLocalStorage } from 'node:async_hooks';
    const storage = new AsyncLocalStorage();
    const { calls, waits } = relay(() => new Promise((resolve) => setTimeout(resolve, 1, storage.getStore())));
    const results = await Promise.all([1, 2, 3].map((i) => storage.run(i, async () => [await promising(waits)(i), storage.getStore()])));
    console.log(results.join(' '), storage.getStore());`);
  assertEq(status, 0);
  assertList(lines, ['1,1 2,2 3,3 undefined']);
});
