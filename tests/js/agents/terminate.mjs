// terminate() ends a worker whatever its thread is in: native functions of the engine that ask nobody whether to stop.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel, MessageChannel, Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { ended, nextOn, turns, within } from './support.mjs';

const evaluated = (source, options) => new Worker(source, { eval: true, ...options });

/** Terminates a worker that has begun something which takes for ever: its exit code. */
async function terminated(endless, options) {
  const worker = evaluated(`require('node:worker_threads').parentPort.postMessage('begins'); ${endless}`, options);
  await nextOn(worker, 'message');
  // It must be in the middle of it, which begins within this time or is ended all the same.
  await turns(20);
  return within(worker.terminate(), 'the end');
}

const huge = '{ length: 2 ** 53 - 1 }';
const endless = {
  'reverse of a long array-like': `[].reverse.call(${huge})`,
  'the same, caught': `for (;;) try { [].reverse.call(${huge}) } catch {}`,
  'indexOf, which neither calls nor allocates': `[].indexOf.call(${huge}, 1)`,
  'join': `[].join.call(${huge})`,
  'sort of a long array-like': `[].sort.call(${huge})`,
  'sort of an array, again and again': 'const list = Array.from({ length: 1e5 }, (_, i) => (i * 7919) % 100003); for (;;) [...list].sort()',
  'sort of a typed array': 'const list = new Float64Array(2e6); for (;;) list.fill(0.5).sort()',
  'JSON.stringify': 'const list = Array.from({ length: 2e5 }, (_, i) => ({ i })); for (;;) JSON.stringify(list)',
  'structuredClone': 'const list = Array.from({ length: 2e5 }, (_, i) => ({ i })); for (;;) structuredClone(list)',
  'a regular expression that backtracks': '/^(a+)+$/.test("a".repeat(40) + "b")',
  'products of BigInts': 'const factor = 3n ** 200000n; for (;;) factor * factor',
  'a BigInt in decimal': 'const number = 3n ** 200000n; for (;;) String(number)',
  'a search in a long string': 'const text = "a".repeat(2e7); for (;;) text.indexOf("a".repeat(1e6) + "b")',
  'iterator helpers over one that never ends': 'Iterator.from({ next: () => ({ done: false }) }).drop(Infinity).next()',
  'compilations': `const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 4, 1, 2, 0, 11]);
    for (;;) new WebAssembly.Module(bytes)`,
  'evaluated texts': 'const text = "x;".repeat(1e5); globalThis.x = 0; for (;;) (0, eval)(text)',
};
for (const [name, source] of Object.entries(endless)) {
  test(`a worker is terminated in ${name}`, async () => { assertEq(await terminated(source), 1); });
}

test('so is one with a limited heap', async () => {
  assertEq(await terminated(endless['indexOf, which neither calls nor allocates'], { resourceLimits: { maxOldGenerationSizeMb: 16 } }), 1);
});

test('what was posted before still arrives, and no error comes', async () => {
  const posted = new Int32Array(new SharedArrayBuffer(4));
  const worker = evaluated(`
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.postMessage('first');
    parentPort.postMessage('second');
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
    [].indexOf.call(${huge}, 1)`, { workerData: posted });
  const got = [];
  worker.on('message', (value) => got.push(value));
  worker.on('error', (error) => got.push(error));
  assert(Atomics.wait(posted, 0, 0, 30_000) !== 'timed-out', 'nothing was posted');
  await within(worker.terminate(), 'the end');
  assertList(got, ['first', 'second']);
});

test('ports of a worker that is cut off are closed, and its channels empty', async () => {
  // Before the worker begins, whose only broadcast would come to nobody otherwise.
  const channel = new BroadcastChannel('cut off');
  const ready = within(new Promise((resolve) => { channel.onmessage = resolve; }), 'the broadcast');
  const [first, second] = [new MessageChannel(), new MessageChannel()];
  const closes = [first, second].map(({ port1 }) => nextOn(port1, 'close'));
  const worker = evaluated(`
    const { BroadcastChannel, workerData } = require('node:worker_threads');
    const channel = new BroadcastChannel('cut off');
    workerData.first.on('message', () => [].indexOf.call(${huge}, 1));
    channel.postMessage('ready');`,
  { workerData: { first: first.port2, second: second.port2 }, transferList: [first.port2, second.port2] });
  await ready;
  first.port1.postMessage('begin');
  await turns(20);
  const { port1: inMessage, port2 } = new MessageChannel();
  const closed = nextOn(port2, 'close');
  second.port1.postMessage(null, [inMessage]);
  await within(worker.terminate(), 'the end');
  await within(Promise.all([...closes, closed]), 'the ends of the ports');
  channel.postMessage('to nobody');
  channel.close();
});

test('the workers of a worker that is cut off end with it', async () => {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = evaluated(`
    const { Worker, workerData } = require('node:worker_threads');
    new Worker(\`
      const { workerData } = require('node:worker_threads');
      for (;;) { Atomics.add(workerData, 0, 1); Atomics.notify(workerData, 0); }\`, { eval: true, workerData });
    Atomics.wait(workerData, 0, 0);
    Atomics.store(workerData, 1, 1);
    [].indexOf.call(${huge}, 1)`, { workerData: shared });
  while (Atomics.load(shared, 1) === 0) await turns(1);
  await turns(20);
  await within(worker.terminate(), 'the end');
  await within((async () => {
    for (let before = -1; before !== Atomics.load(shared, 0); await turns(20)) before = Atomics.load(shared, 0);
  })(), "the end of the worker's worker");
});

test('workers are terminated at any moment of a compilation', async () => {
  // Each function is the first to name a variable of another, for which the compiler asks for memory.
  const functions = Array.from({ length: 4000 }, (_, i) => `function f${i}(a, b) {
    let c = a + ${i};
    const g = (x) => { let d = c * x; return [1].map((y) => y + d + b + c + f${Math.max(i - 1, 0)}.length); };
    class K { #p = c; m() { return this.#p + b; } }
    return [g, K];
  }`).join('\n');
  const folder = mkdtempSync(join(tmpdir(), 'terminate-'));
  const file = join(folder, 'functions.mjs');
  writeFileSync(file, functions);
  try {
    // It takes a tenth of a second to compile; late ones are terminated after that.
    for (let i = 0; i < 50; i++) {
      const worker = new Worker(file);
      await turns(5 + 3 * i);
      await within(worker.terminate(), `the end of number ${i}`);
      assertEq(worker.threadId, -1);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the program goes on: another worker does the same and ends by itself', async () => {
  const { code } = await ended(evaluated('require("node:worker_threads").parentPort.postMessage([3, 1, 2].sort())'));
  assertEq(code, 0);
});
