// node:worker_threads: how a worker ends, and how it is ended.
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as threads from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { shared, spawn, told } from './spawn.mjs';
import { assertEndsWell, ended, messages, nextOn, script, turns, within } from './support.mjs';
import { counter } from './workers/counter.mjs';

const { MessageChannel, Worker, receiveMessageOnPort } = threads;

// Ends.

test('process.exit ends the worker only, with its code', async () => {
  const { code, failed } = await ended(spawn(({ parentPort }) => { parentPort.on('message', () => {}); process.exit(7); }));
  assertEq(code, 7);
  assertEq(failed, false);
});

test('process.exit runs nothing after it: no finally, no catch, no microtask', async () => {
  const array = shared();
  const { code } = await ended(spawn(({ data }) => {
    Promise.resolve().then(() => Atomics.store(data, 0, 1));
    try { process.exit(3); } catch { Atomics.store(data, 1, 1); } finally { Atomics.store(data, 2, 1); }
    Atomics.store(data, 3, 1);
  }, array));
  assertEq(code, 3);
  assertList(array.slice(0, 4), [0, 0, 0, 0]);
});

test('process.exitCode, and the events of process in a worker', async () => {
  const array = shared();
  const { code } = await ended(spawn(({ data }) => {
    process.exitCode = 9;
    process.on('exit', (exitCode) => Atomics.store(data, 0, exitCode));
  }, array));
  assertEq(code, 9);
  assertEq(array[0], 9);
  assertEq(process.exitCode, 1, 'the main agent has its own');
});

test('a worker ends when nothing is left to do', async () => {
  const got = await told(({ parentPort }) => { setTimeout(() => parentPort.postMessage('last'), 5); });
  assertList(got, ['last']);
});

test('a listener on parentPort keeps it; removed, unref’d, closed it does not', async () => {
  for (const release of ['parentPort.close()', 'parentPort.unref()', 'parentPort.off("message", listener)']) {
    const worker = spawn(({ parentPort, data }) => {
      const listener = (value) => {
        if (value !== 'release') return parentPort.postMessage(value);
        eval(data);
      };
      parentPort.on('message', listener);
    }, release);
    const end = assertEndsWell(worker);
    await nextOn(worker, 'online');
    for (const value of [1, 2]) {
      worker.postMessage(value);
      assertList(await messages(worker, 1), [value]);
    }
    worker.postMessage('release');
    await end;
  }
});

test('without a listener on parentPort a worker ends, whatever is posted to it', async () => {
  const worker = spawn(() => {});
  worker.postMessage('nobody hears');
  await assertEndsWell(worker);
  worker.postMessage('too late');
});

test('terminate: a promise of exit code 1, and exit', async () => {
  const worker = new Worker(script('echo.mjs'));
  await nextOn(worker, 'online');
  const exit = nextOn(worker, 'exit');
  const result = worker.terminate();
  assert(result instanceof Promise);
  assertEq(await within(result), 1);
  assertEq(await exit, 1);
});

test('terminate before it has started', async () => {
  const array = shared();
  const worker = spawn(async ({ data }) => { Atomics.store(data, 0, 1); setInterval(() => {}, 1000); }, array);
  const end = ended(worker);
  worker.terminate();
  const { code, failed } = await end;
  // Node ends with 0 what it has not started.
  assert(code === 0 || code === 1, `exit code ${code}`);
  assertEq(failed, false);
});

test('terminate twice, and after the end', async () => {
  const worker = new Worker(script('echo.mjs'));
  await nextOn(worker, 'online');
  let exits = 0;
  worker.on('exit', () => { exits += 1; });
  assertList(await within(Promise.all([worker.terminate(), worker.terminate()])), [1, 1]);
  await within(worker.terminate());
  await turns(2);
  assertEq(exits, 1);
});

test('terminate after the worker has ended by itself', async () => {
  const worker = spawn(() => {});
  await assertEndsWell(worker);
  await within(worker.terminate());
});

/** A worker that runs `fn` with a cell to say that it is busy, and what terminate gives. */
async function terminated(fn, data = {}) {
  const state = shared();
  const worker = spawn(fn, { ...data, state });
  const end = ended(worker);
  await within((async () => { while (Atomics.load(state, 0) === 0) await turns(1); })(), 'the worker’s start');
  assertEq(await within(worker.terminate(), 'the end'), 1);
  const { code, failed } = await end;
  assertEq(code, 1);
  assertEq(failed, false);
  return state;
}

const loops = {
  'an empty loop': ({ data }) => { Atomics.store(data.state, 0, 1); for (;;); },
  'a loop with calls': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    const f = (x) => x + 1;
    for (let x = 0; ; x = f(x)) ;
  },
  'a loop within try and finally': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    try { for (;;); } catch { Atomics.store(data.state, 1, 1); } finally { Atomics.store(data.state, 2, 1); }
  },
  'loops again and again in finally': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    for (;;) { try { for (;;) throw 0; } catch { continue; } finally { continue; } }
  },
  'recursion that catches the overflow': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    const f = () => { try { f(); } catch {} f(); };
    for (;;) f();
  },
  'calls that a proper tail call would not nest': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    const f = (n) => { 'use strict'; return n === 0 ? 0 : f(n - 1); };
    for (;;) f(100);
  },
  'microtasks without end': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    const f = () => { Promise.resolve().then(f); };
    f();
  },
  'a regular expression': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    /^(a+)+$/.test(`${'a'.repeat(60)}b`);
  },
  'a built-in that calls back': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    const list = Array.from({ length: 1e6 }, (_, i) => i);
    for (;;) list.sort((a, b) => b - a);
  },
  'a getter within structuredClone': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    structuredClone({ get a() { for (;;); } });
  },
  'tasks without end': ({ data }) => { setInterval(() => Atomics.store(data.state, 0, 1), 0); },
  'allocation that is dropped': ({ data }) => {
    Atomics.store(data.state, 0, 1);
    for (let list = []; ; list = [list.length, {}]) ;
  },
};
for (const [name, fn] of Object.entries(loops)) {
  test(`terminate: ${name}`, async () => {
    const state = await terminated(fn);
    assertList(state.slice(1, 3), [0, 0], 'nothing ran afterwards');
  });
}

test('terminate: Atomics.wait', async () => {
  const state = await terminated(({ data }) => {
    Atomics.store(data.state, 0, 1);
    try { Atomics.wait(data.state, 5, 0); } finally { Atomics.store(data.state, 1, 1); }
  });
  assertEq(state[1], 0);
  assertEq(Atomics.notify(state, 5), 0, 'nobody waits any more');
});

test('terminate: Atomics.wait before the worker is terminated, for a long time', async () => {
  await terminated(({ data }) => {
    Atomics.store(data.state, 0, 1);
    for (;;) Atomics.wait(data.state, 5, 0, 1e9);
  });
});

/** A module: loops in several ways, with an import to say that it is in there. */
function loopModule() {
  const b = new WasmBuilder();
  const entered = b.importFunc('m', 'entered');
  const back = b.importFunc('m', 'back');
  b.importMemory('m', 'memory', { min: 1, max: 1, shared: true });
  b.func([], [], [op.call(entered), op.loop(), op.br(0), op.end], { export: 'loop' });
  b.func([], [], [op.call(entered), op.loop(), op.call(back), op.br(0), op.end], { export: 'imports' });
  const type = b.type([], []);
  b.funcOf(type, [op.returnCall(4)], { export: 'tail' });
  b.func([], [], [op.call(entered), op.call(4)], { export: 'tailCall' });
  const notified = [op.i32(0), op.i32(0), op.i64(-1n), 0xfe, 1, 2, 0, op.drop];
  b.func([], [], [op.call(entered), ...notified], { export: 'wait' });
  b.func([], [], [op.call(entered), op.i32(8), op.i64(0n), op.i64(-1n), 0xfe, 2, 3, 0, op.drop], { export: 'wait64' });
  return b.module();
}

for (const [name, what] of [['loop', 'an endless loop of wasm'], ['imports', 'a loop of wasm that calls JavaScript'],
  ['tailCall', 'tail calls of wasm without end'], ['wait', 'memory.atomic.wait32'], ['wait64', 'memory.atomic.wait64']]) {
  test(`terminate: ${what}`, async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const state = await terminated(({ data }) => {
      const imports = { m: { memory: data.memory, entered() { Atomics.store(data.state, 0, 1); }, back() {} } };
      const { exports } = new WebAssembly.Instance(data.module, imports);
      try { exports[data.name](); } catch { Atomics.store(data.state, 1, 1); } finally { Atomics.store(data.state, 2, 1); }
      Atomics.store(data.state, 3, 1);
    }, { module: loopModule(), name, memory });
    assertList(state.slice(1, 4), [0, 0, 0], 'nothing ran afterwards');
    assertEq(Atomics.notify(new Int32Array(memory.buffer), 0), 0, 'nobody waits any more');
    assertEq(Atomics.notify(new Int32Array(memory.buffer), 2), 0, 'nobody waits any more');
  });
}

test('terminate: recursion of wasm that traps and starts again', async () => {
  const b = new WasmBuilder();
  b.func([], [], [op.call(0)], { export: 'recurse' });
  await terminated(({ data }) => {
    const { recurse } = new WebAssembly.Instance(data.module).exports;
    for (;;) {
      try { recurse(); } catch { Atomics.store(data.state, 0, 1); }
    }
  }, { module: b.module() });
});

test('terminate from the worker’s own message', async () => {
  const worker = spawn(({ parentPort }) => { parentPort.postMessage('end me'); for (;;); });
  worker.once('message', () => worker.terminate());
  const { code, failed } = await ended(worker);
  assertEq(code, 1);
  assertEq(failed, false);
});

test('what a terminated worker had posted is not lost on a port', async () => {
  const { port1, port2 } = new MessageChannel();
  const state = shared();
  const worker = spawn(({ data }) => {
    data.port2.postMessage('posted');
    Atomics.store(data.state, 0, 1);
    Atomics.notify(data.state, 0);
    for (;;);
  }, { port2, state }, { transferList: [port2] });
  Atomics.wait(state, 0, 0);
  await within(worker.terminate());
  assertEq(receiveMessageOnPort(port1).message, 'posted');
  port1.close();
});

test('resourceLimits: a worker that allocates for ever ends, the others do not', async () => {
  const worker = spawn(() => {
    const list = [];
    for (;;) list.push({ number: list.length, text: [String(list.length)] });
  }, undefined, { resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 } });
  const { code, error } = await ended(worker);
  assertEq(code, 1);
  assertEq(error.code, 'ERR_WORKER_OUT_OF_MEMORY');
  await assertEndsWell(spawn(() => {}));
});

test('await using terminates', async () => {
  assertEq(typeof Worker.prototype[Symbol.asyncDispose], 'function');
  const worker = new Worker(script('echo.mjs'));
  await nextOn(worker, 'online');
  const exit = nextOn(worker, 'exit');
  await within(worker[Symbol.asyncDispose]());
  assertEq(await exit, 1);
});

// ref and unref.

test('messages without end from workers that are unref’d hold nothing', async () => {
  const main = new threads.Worker(`
    const { Worker } = require('node:worker_threads');
    for (let i = 0; i < 4; i++) {
      const worker = new Worker(\`
        const { parentPort } = require('node:worker_threads');
        setInterval(() => { for (let i = 0; i < 100; i++) parentPort.postMessage({ a: [1, 2, 3] }); }, 0);
      \`, { eval: true });
      worker.on('message', () => {});
      worker.unref();
    }
    setTimeout(() => {}, 50);`, { eval: true });
  await within(assertEndsWell(main), 'the end of the worker');
});

test('a worker that is unref’d lets the process end, one that is ref’d again does not', async () => {
  const worker = new Worker(script('echo.mjs'));
  worker.unref();
  worker.unref();
  worker.ref();
  worker.postMessage('x');
  assertList(await messages(worker, 1), ['x']);
  worker.unref();
  globalThis.keptOpen = worker;
});

// Nested.

test('workers within workers', async () => {
  const got = await told(async ({ Worker: Inner, parentPort, threadId, data }) => {
    const inner = new Inner(new URL(data), { workerData: {
      code: '({ parentPort, isMainThread, threadId }) => { parentPort.postMessage({ isMainThread, threadId }); }' } });
    inner.on('message', (value) => parentPort.postMessage({ ...value, differs: value.threadId !== threadId }));
    inner.on('exit', (code) => parentPort.postMessage(`inner ${code}`));
  }, script('run.mjs').href);
  assertEq(got.length, 2);
  assertEq(got[0].isMainThread, false);
  assertEq(got[0].differs, true);
  assertEq(got[1], 'inner 0');
});

test('an error of an inner worker is its parent’s', async () => {
  const { code, error } = await ended(spawn(({ Worker: Inner, data }) => { new Inner(new URL(data)); }, script('throws.mjs').href));
  assertEq(code, 1);
  assertEq(error.message, 'from a worker');
});

test('inner workers end with the outer one, in loops too', async () => {
  const state = shared();
  const { port1, port2 } = new MessageChannel();
  const worker = spawn(({ Worker: Inner, data }) => {
    new Inner(new URL(data.run), { workerData: {
      code: '({ data }) => { data.port2.postMessage("runs"); Atomics.store(data.state, 0, 1); for (;;); }',
      data: { state: data.state, port2: data.port2 },
    }, transferList: [data.port2] });
    setInterval(() => {}, 1000);
  }, { state, run: script('run.mjs').href, port2 }, { transferList: [port2] });
  const closed = nextOn(port1, 'close');
  assertList(await messages(port1, 1), ['runs']);
  port1.on('message', () => {});
  await within(worker.terminate());
  await closed;
});

// Synchronous results.

test('Atomics.wait and receiveMessageOnPort: a synchronous call', () => {
  const { port1, port2 } = new MessageChannel();
  const state = shared();
  const worker = spawn(({ data }) => {
    data.port2.on('message', ({ x }) => {
      if (x === undefined) return data.port2.close();
      data.port2.postMessage({ square: x * x });
      Atomics.store(data.state, 0, 1);
      Atomics.notify(data.state, 0);
    });
  }, { port2, state }, { transferList: [port2] });
  const call = (x) => {
    Atomics.store(state, 0, 0);
    port1.postMessage({ x });
    Atomics.wait(state, 0, 0);
    return receiveMessageOnPort(port1).message.square;
  };
  for (let x = 0; x < 100; x += 1) assertEq(call(x), x * x);
  port1.postMessage({});
  return assertEndsWell(worker);
});

test('a worker starts while its parent waits', () => {
  const state = shared();
  const worker = spawn(({ data }) => { Atomics.store(data, 0, 1); Atomics.notify(data, 0); }, state);
  assert(Atomics.wait(state, 0, 0) !== 'timed-out');
  assertEq(state[0], 1);
  return assertEndsWell(worker);
});

test('a terminated waiter is not counted, others still wait', async () => {
  const state = shared();
  const wait = ({ data }) => {
    Atomics.add(data, 0, 1);
    Atomics.wait(data, 1, 0);
  };
  const [one, two] = [spawn(wait, state), spawn(wait, state)];
  const end = assertEndsWell(two);
  await within((async () => { while (Atomics.load(state, 0) < 2) await turns(1); })(), 'two workers');
  await within(one.terminate());
  let woken = 0;
  await within((async () => { while ((woken += Atomics.notify(state, 1)) < 1) await turns(1); })(), 'one to wake');
  assertEq(woken, 1);
  await end;
});

test('many workers at once', async () => {
  const state = shared();
  const workers = Array.from({ length: 8 }, () => spawn(({ data }) => { for (let i = 0; i < 1000; i += 1) Atomics.add(data, 0, 1); }, state));
  await Promise.all(workers.map(assertEndsWell));
  assertEq(state[0], 8000);
});

test('many workers, one after another', async () => {
  for (let i = 0; i < 10; i += 1) await assertEndsWell(spawn(() => {}));
});

test('files are there in a worker', async () => {
  const [got] = await told(async ({ parentPort, data }) => {
    const { readFileSync } = await import('node:fs');
    parentPort.postMessage(readFileSync(data, 'utf8'));
  }, fileURLToPath(script('counter.mjs')));
  assertEq(got, fs.readFileSync(script('counter.mjs'), 'utf8'));
});

test('resourceLimits: a stack that no thread has is cut to what there is', async () => {
  for (const stackSizeMb of [64, 1e300]) {
    const worker = spawn(({ parentPort }) => {
      const down = () => down() + 1;
      try { down(); } catch (error) { parentPort.postMessage(error.name); }
    }, undefined, { resourceLimits: { stackSizeMb } });
    assertList(await messages(worker, 1), ['RangeError']);
  }
}, { v8: 'Node ends the process' });
