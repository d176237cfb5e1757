// Agents on one shared memory: growth, atomics, who waits for whom, in JavaScript and in guests.
import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, assertRejects, assertThrows, test } from '../harness.mjs';
import { spawn } from './spawn.mjs';
import { assertEndsWell, messages, nextOn, turns, within } from './support.mjs';

const { Instance, Memory, Module } = WebAssembly;
const PAGE = 65536;
const module = new Module(fs.readFileSync(new URL('../../../guests/shared.wasm', import.meta.url)));
const [WOKEN, NOT_EQUAL, TIMED_OUT] = [0, 1, 2];
const FOREVER = -1n;

/** An agent of its own on `memory`, of workers/guest.mjs. */
class Agent {
  #state = new Int32Array(new SharedArrayBuffer(4));
  #steps = 0;
  #result;
  constructor(memory) {
    this.worker = new Worker(new URL('./workers/guest.mjs', import.meta.url), { workerData: { memory, module, state: this.#state } });
    this.ended = assertEndsWell(this.worker);
    this.ended.catch(() => {});
  }
  /** Begins `run` in the agent, and returns once the agent is about to do it. */
  begin(run, ...args) {
    if (run !== 'close') {
      this.#result = messages(this.worker, 1);
      this.#result.catch(() => {});
    }
    this.worker.postMessage({ run, args });
    this.#steps += 1;
    for (let seen; (seen = Atomics.load(this.#state, 0)) < this.#steps;) Atomics.wait(this.#state, 0, seen);
    this.#steps += 1;
  }
  /** The result of what was begun. */
  async result() { return (await this.#result)[0].result; }
  async call(run, ...args) {
    this.begin(run, ...args);
    return this.result();
  }
  async close() {
    this.begin('close');
    await this.ended;
  }
}

/** `fn` with a memory, the exports of a guest on it, and `count` other agents on it. */
const agentsTest = (name, count, fn, options) => test(name, async () => {
  const memory = new Memory({ initial: 1, maximum: 64, shared: true });
  const { exports } = new Instance(module, { env: { memory } });
  const agents = Array.from({ length: count }, () => new Agent(memory));
  let done = false;
  try {
    await fn({ memory, exports, cells: new Int32Array(memory.buffer) }, ...agents);
    done = true;
  } finally {
    await Promise.all(agents.map((agent) => (done ? agent.close() : agent.worker.terminate())));
  }
}, options);

/**
 * Wakes `count` in all at `address`, of those that are on their way to wait there, by `notify`, which returns how many.
 */
async function wake(notify, count = 1) {
  let woken = 0;
  await within((async () => {
    for (;;) {
      woken += notify(count - woken);
      if (woken >= count) return;
      await turns(1);
    }
  })(), `a waiter (${woken} of ${count})`);
  assertEq(woken, count);
}

// The memory itself.

agentsTest('a memory in workerData is the same memory', 1, async ({ exports, cells }, agent) => {
  await agent.call('store', 16, 77);
  assertEq(cells[4], 77);
  exports.store(20, 88);
  assertEq(await agent.call('load', 20), 88);
});

test('a memory in a message is the same memory; two messages give two Memory objects', async () => {
  const memory = new Memory({ initial: 1, maximum: 4, shared: true });
  const worker = spawn(({ parentPort }) => {
    const got = [];
    parentPort.on('message', (value) => {
      got.push(value);
      if (got.length < 2) return;
      const [one, two] = got;
      one.grow(1);
      new Uint8Array(two.buffer)[65536] = 9;
      parentPort.postMessage([one === two, one.buffer === two.buffer, two.buffer.byteLength, one instanceof WebAssembly.Memory]);
      parentPort.close();
    });
  });
  const end = assertEndsWell(worker);
  worker.postMessage(memory);
  worker.postMessage(memory);
  assertList((await messages(worker, 1))[0], [false, false, 2 * PAGE, true]);
  assertEq(new Uint8Array(memory.buffer)[PAGE], 9);
  await end;
});

test('a memory that a worker made outlives it', async () => {
  const worker = spawn(({ parentPort }) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 3, shared: true });
    new Uint8Array(memory.buffer)[5] = 55;
    parentPort.postMessage({ memory, buffer: memory.buffer });
  });
  const end = assertEndsWell(worker);
  const [{ memory, buffer }] = await messages(worker, 1);
  await end;
  globalThis.gc?.();
  assertEq(new Uint8Array(memory.buffer)[5], 55);
  assertEq(memory.grow(1), 1);
  new Uint8Array(memory.buffer)[PAGE] = 1;
  new Uint8Array(buffer)[6] = 66;
  assertEq(new Uint8Array(memory.buffer)[6], 66);
});

test('a module in a message compiles to the same', async () => {
  const worker = spawn(({ parentPort }) => parentPort.once('message', (given) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64, shared: true });
    const { exports } = new WebAssembly.Instance(given, { env: { memory } });
    exports.store(0, 5);
    parentPort.postMessage({ sum: exports.add(0, 6) + exports.load(0), back: given });
  }));
  const end = assertEndsWell(worker);
  worker.postMessage(module);
  const [{ sum, back }] = await messages(worker, 1);
  assertEq(sum, 5 + 11);
  assertEq(JSON.stringify(Module.exports(back)), JSON.stringify(Module.exports(module)));
  await end;
});

agentsTest('agents race in guests and lose no addition', 2, async ({ exports, cells }, one, two) => {
  one.begin('add_often', 64, 20_000);
  two.begin('add_often', 64, 20_000);
  exports.add_often(64, 20_000);
  for (let i = 0; i < 2000; i += 1) Atomics.add(cells, 16, 1);
  await Promise.all([one.result(), two.result()]);
  assertEq(cells[16], 62_000);
});

agentsTest('a guest that spins sees what others store', 1, async ({ cells }, agent) => {
  agent.begin('spin_while', 128, 0);
  Atomics.store(cells, 32, 1);
  await agent.result();
});

// Growth.

for (const by of ['memory.grow', 'grow']) {
  agentsTest(`growth elsewhere by ${by} shows at the next buffer; held buffers keep their length`, 1,
    async ({ memory, exports, cells }, agent) => {
      const held = memory.buffer;
      assertEq(await agent.call(by, 2), 1);
      assertEq(held.byteLength, PAGE);
      assertEq(cells.length, PAGE / 4);
      const { buffer } = memory;
      assert(buffer !== held);
      assertEq(buffer.byteLength, 3 * PAGE);
      assertEq(memory.buffer, buffer);
      assert(Object.isFrozen(buffer));
      assertEq(exports.size(), 3);
      exports.store(2 * PAGE, 22);
      assertEq(await agent.call('load', 2 * PAGE), 22);
      assertEq(new Int32Array(buffer)[PAGE / 2], 22);
      cells[1] = 11;
      assertEq(await agent.call('load', 4), 11);
      assertEq(await agent.call('memory.byteLength'), 3 * PAGE);
    });
}

agentsTest('growth here shows in the other agent', 1, async ({ memory, exports }, agent) => {
  assertEq(await agent.call('memory.byteLength'), PAGE);
  memory.grow(1);
  assertEq(await agent.call('memory.byteLength'), 2 * PAGE);
  assertEq(exports.grow(1), 2);
  assertEq(await agent.call('memory.byteLength'), 3 * PAGE);
  assertEq(await agent.call('size'), 3);
});

agentsTest('agents that grow at once: each gets pages of its own, and no more than the maximum', 2,
  async ({ memory, exports }, one, two) => {
    const before = [];
    for (let i = 0; i < 10; i += 1) {
      one.begin('grow', 1);
      two.begin('memory.grow', 1);
      before.push(exports.grow(1), ...await Promise.all([one.result(), two.result()]));
    }
    assertList(before.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i + 1));
    assertEq(await one.call('grow', 60), -1);
    assertThrows(RangeError, () => memory.grow(60));
    assertEq(memory.buffer.byteLength, 31 * PAGE);
  });

agentsTest('growth while somebody waits leaves the wait alone', 1, async ({ memory, exports }, agent) => {
  agent.begin('wait', 32, 0, FOREVER);
  memory.grow(5);
  await wake((count) => exports.notify(32, count));
  assertEq(await agent.result(), WOKEN);
});

test('a growable SharedArrayBuffer grows for all agents, views that track it too', async () => {
  const buffer = new SharedArrayBuffer(8, { maxByteLength: 64 });
  const view = new Uint8Array(buffer);
  const worker = spawn(({ data, parentPort }) => {
    data.grow(16);
    new Uint8Array(data)[15] = 15;
    parentPort.once('message', () => { parentPort.postMessage(data.byteLength); });
    parentPort.postMessage('grown');
  }, buffer);
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), ['grown']);
  assertEq(buffer.byteLength, 16);
  assertEq(view.length, 16);
  assertEq(view[15], 15);
  buffer.grow(64);
  worker.postMessage('go');
  assertList(await messages(worker, 1), [64]);
  await end;
});

// Waiting. What notifies and what waits may each be JavaScript or a guest.

const notifiers = {
  'a guest’s notify': ({ exports }) => (count) => exports.notify(32, count),
  'Atomics.notify': ({ cells }) => (count) => Atomics.notify(cells, 8, count),
};
const waiters = {
  'a guest’s wait32': { begin: ['wait', 32, 0, FOREVER], woken: WOKEN },
  'a guest’s wait64': { begin: ['wait_i64', 32, 0n, FOREVER], woken: WOKEN },
  'Atomics.wait': { begin: ['Atomics.wait', 8, 0], woken: 'ok' },
  'Atomics.wait of 64 bits': { begin: ['Atomics.wait64', 4, 0n], woken: 'ok' },
};
for (const [notifier, notifyOf] of Object.entries(notifiers)) {
  for (const [waiter, { begin, woken }] of Object.entries(waiters)) {
    agentsTest(`${waiter} elsewhere is woken by ${notifier} here`, 1, async (here, agent) => {
      agent.begin(...begin);
      await wake(notifyOf(here));
      assertEq(await agent.result(), woken);
      assertEq(notifyOf(here)(1), 0, 'nobody is left');
    });
  }
}

for (const [notify, args] of [['notify', [32, 1]], ['Atomics.notify', [8, 1]]]) {
  agentsTest(`a wait in one worker is woken by ${notify} in another`, 2, async (here, agent, other) => {
    other.begin('Atomics.wait', 8, 0);
    let woken = 0;
    await within((async () => { while (!woken) woken = await agent.call(notify, ...args); })(), 'a waiter');
    assertEq(woken, 1);
    assertEq(await other.result(), 'ok');
  });
}

for (const wait of ['Atomics.wait', 'a guest’s wait32', 'a guest’s wait64']) {
  test(`${wait} in the main agent is woken by a guest elsewhere`, async () => {
    const memory = new Memory({ initial: 1, maximum: 64, shared: true });
    const worker = spawn(({ data }) => {
      const { exports } = new WebAssembly.Instance(data.module, { env: { memory: data.memory } });
      while (exports.notify(32, 1) === 0) ;
    }, { memory, module });
    const end = assertEndsWell(worker);
    const { exports } = new Instance(module, { env: { memory } });
    if (wait === 'Atomics.wait') assertEq(Atomics.wait(new Int32Array(memory.buffer), 8, 0), 'ok');
    else if (wait === 'a guest’s wait32') assertEq(exports.wait(32, 0, FOREVER), WOKEN);
    else assertEq(exports.wait_i64(32, 0n, FOREVER), WOKEN);
    await end;
  });
}

agentsTest('not equal, timed out', 1, async ({ cells }, agent) => {
  cells[8] = 5;
  assertEq(await agent.call('wait', 32, 0, FOREVER), NOT_EQUAL);
  assertEq(await agent.call('wait_i64', 32, 0n, FOREVER), NOT_EQUAL);
  assertEq(await agent.call('Atomics.wait', 8, 0), 'not-equal');
  assertEq(await agent.call('Atomics.wait64', 4, 0n), 'not-equal');
  assertEq(await agent.call('wait', 32, 5, 0n), TIMED_OUT);
  assertEq(await agent.call('wait', 32, 5, 1000n), TIMED_OUT);
  assertEq(await agent.call('wait_i64', 32, 5n, 1000n), TIMED_OUT);
  assertEq(await agent.call('Atomics.wait', 8, 5, 0), 'timed-out');
  assertEq(await agent.call('Atomics.wait', 8, 5, 1), 'timed-out');
  assertEq(Atomics.notify(cells, 8), 0);
});

agentsTest('notify counts, and wakes no more than it is told', 3, async ({ exports, cells }, ...agents) => {
  for (const agent of agents) agent.begin('wait', 32, 0, FOREVER);
  await wake((count) => exports.notify(32, count), 2);
  const results = agents.map((agent) => agent.result());
  await Promise.any(results);
  await wake(() => Atomics.notify(cells, 8), 1);
  assertList(await Promise.all(results), [WOKEN, WOKEN, WOKEN]);
});

agentsTest('other addresses are not woken', 2, async ({ exports }, one, two) => {
  one.begin('wait', 32, 0, FOREVER);
  two.begin('wait', 36, 0, FOREVER);
  assertEq(exports.notify(40, -1), 0);
  await wake((count) => exports.notify(36, count));
  assertEq(await two.result(), WOKEN);
  await wake((count) => exports.notify(32, count));
  assertEq(await one.result(), WOKEN);
});

agentsTest('notify with -1 wakes all', 2, async ({ exports }, one, two) => {
  one.begin('wait', 32, 0, FOREVER);
  two.begin('Atomics.wait', 8, 0);
  await wake(() => exports.notify(32, -1), 2);
  assertList([await one.result(), await two.result()], [WOKEN, 'ok']);
});

agentsTest('two memories do not wake each other', 1, async ({ exports }, agent) => {
  const other = new Memory({ initial: 1, maximum: 64, shared: true });
  agent.begin('wait', 32, 0, FOREVER);
  assertEq(new Instance(module, { env: { memory: other } }).exports.notify(32, 1), 0);
  assertEq(Atomics.notify(new Int32Array(other.buffer), 8), 0);
  await wake((count) => exports.notify(32, count));
  await agent.result();
});

agentsTest('a clone of the memory wakes who waits on the memory', 1, async ({ memory }, agent) => {
  const cells = new Int32Array(structuredClone(memory).buffer);
  agent.begin('wait', 32, 0, FOREVER);
  await wake((count) => Atomics.notify(cells, 8, count));
  await agent.result();
});

// Plain SharedArrayBuffers.

test('SharedArrayBuffer: Atomics.wait elsewhere, notify here', async () => {
  for (const make of [() => new SharedArrayBuffer(64), () => new SharedArrayBuffer(64, { maxByteLength: 128 })]) {
    const cells = new Int32Array(make());
    const worker = spawn(({ data, parentPort }) => parentPort.postMessage(Atomics.wait(data, 3, 0)), cells);
    const end = assertEndsWell(worker);
    const got = messages(worker, 1);
    await wake((count) => Atomics.notify(cells, 3, count));
    assertList(await got, ['ok']);
    await end;
  }
});

test('SharedArrayBuffer: Atomics.wait here, notify elsewhere, of 32 and of 64 bits', async () => {
  for (const [cells, value] of [[new Int32Array(new SharedArrayBuffer(64)), 0], [new BigInt64Array(new SharedArrayBuffer(64)), 0n]]) {
    const worker = spawn(({ data }) => { while (Atomics.notify(data, 3, 1) === 0) ; }, cells);
    const end = assertEndsWell(worker);
    assertEq(Atomics.wait(cells, 3, value), 'ok');
    await end;
  }
});

test('SharedArrayBuffer: a view with another offset is the same cell', async () => {
  const buffer = new SharedArrayBuffer(64);
  const worker = spawn(({ data, parentPort }) => parentPort.postMessage(Atomics.wait(new Int32Array(data, 16), 2, 0)), buffer);
  const end = assertEndsWell(worker);
  const got = messages(worker, 1);
  await wake((count) => Atomics.notify(new Int32Array(buffer), 6, count));
  assertList(await got, ['ok']);
  await end;
});

test('SharedArrayBuffer: values handed over under a lock', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(16));
  const work = ({ data }) => {
    for (let i = 0; i < 500; i += 1) {
      for (let held; (held = Atomics.compareExchange(data, 0, 0, 1)) !== 0;) Atomics.wait(data, 0, held);
      data[1] += 1;
      Atomics.store(data, 0, 0);
      Atomics.notify(data, 0, 1);
    }
  };
  const ends = [spawn(work, cells), spawn(work, cells)].map(assertEndsWell);
  work({ data: cells });
  await Promise.all(ends);
  assertEq(cells[1], 1500);
});

test('Atomics.wait in a worker holds up its messages only', async () => {
  const cells = new Int32Array(new SharedArrayBuffer(16));
  const worker = spawn(({ data, parentPort }) => {
    parentPort.on('message', (value) => { parentPort.postMessage(value); parentPort.close(); });
    parentPort.postMessage(Atomics.wait(data, 0, 0));
  }, cells);
  const end = assertEndsWell(worker);
  const got = messages(worker, 2);
  worker.postMessage('held up');
  await wake((count) => Atomics.notify(cells, 0, count));
  assertList(await got, ['ok', 'held up']);
  await end;
});

// Atomics.waitAsync.

if (Atomics.waitAsync) {
  /** A wait that did not end at once; its promise. */
  const waiting = (...args) => {
    const result = Atomics.waitAsync(...args);
    assertEq(result.async, true);
    return result.value;
  };

  for (const notify of ['notify', 'Atomics.notify']) {
    agentsTest(`waitAsync here is woken by ${notify} elsewhere`, 1, async ({ cells }, agent) => {
      const promise = waiting(cells, 8, 0);
      assertEq(await agent.call(notify, notify === 'notify' ? 32 : 8, 1), 1);
      assertEq(await within(promise), 'ok');
      assertEq(await agent.call(notify, notify === 'notify' ? 32 : 8, 1), 0);
    });
  }

  agentsTest('waitAsync with a time is woken by a guest elsewhere', 1, async ({ cells }, agent) => {
    const promise = waiting(cells, 8, 0, 1e9);
    assertEq(await agent.call('notify', 32, -1), 1);
    assertEq(await within(promise), 'ok');
  });

  agentsTest('waitAsync times out, and then a guest elsewhere finds nobody', 1, async ({ cells }, agent) => {
    assertEq(await waiting(cells, 8, 0, 1), 'timed-out');
    assertEq(await agent.call('notify', 32, 1), 0);
  });

  agentsTest('waitAsync here and waits elsewhere are in one list', 1, async ({ cells, exports }, agent) => {
    const promise = waiting(cells, 8, 0);
    agent.begin('wait', 32, 0, FOREVER);
    await wake(() => exports.notify(32, -1), 2);
    assertEq(await within(promise), 'ok');
    assertEq(await agent.result(), WOKEN);
  });

  agentsTest('waitAsync in a worker', 0, async ({ memory, exports }) => {
    const worker = spawn(async ({ data, parentPort }) => {
      const { async, value } = Atomics.waitAsync(new Int32Array(data.buffer), 8, 0);
      const running = setInterval(() => {}, 1000);
      parentPort.postMessage(async);
      parentPort.postMessage(await value);
      clearInterval(running);
    }, memory);
    const end = assertEndsWell(worker);
    const got = messages(worker, 2);
    await wake((count) => exports.notify(32, count));
    assertList(await got, [true, 'ok']);
    await end;
  });

  agentsTest('waitAsync of a worker that has ended is counted no more', 0, async ({ memory, exports }) => {
    const worker = spawn(({ data, parentPort }) => {
      globalThis.promise = Atomics.waitAsync(new Int32Array(data.buffer), 8, 0).value;
      parentPort.postMessage('waits');
      setInterval(() => {}, 1000);
    }, memory);
    await messages(worker, 1);
    await within(worker.terminate());
    assertEq(exports.notify(32, 1), 0);
    assertEq(Atomics.notify(new Int32Array(memory.buffer), 8), 0);
  });

  test('waitAsync on a plain SharedArrayBuffer, woken elsewhere', async () => {
    const cells = new Int32Array(new SharedArrayBuffer(64));
    const promise = waiting(cells, 3, 0);
    await assertEndsWell(spawn(({ data }) => {
      if (Atomics.notify(data, 3) !== 1) throw new Error('nobody waits');
    }, cells));
    assertEq(await within(promise), 'ok');
  });
}

// What guests may not do.

agentsTest('guests: unaligned and out of bounds, in other agents too', 1, async ({ exports }) => {
  assertThrows(WebAssembly.RuntimeError, () => exports.wait(33, 0, 0n));
  assertThrows(WebAssembly.RuntimeError, () => exports.wait_i64(36, 0n, 0n));
  assertThrows(WebAssembly.RuntimeError, () => exports.notify(PAGE, 1));
  assertThrows(WebAssembly.RuntimeError, () => exports.load(PAGE));
});

test('a trap of a worker’s guest is the worker’s error', async () => {
  const memory = new Memory({ initial: 1, maximum: 64, shared: true });
  const worker = spawn(({ data }) => {
    new WebAssembly.Instance(data.module, { env: { memory: data.memory } }).exports.load(65536);
  }, { memory, module });
  const error = nextOn(worker, 'error');
  const exit = nextOn(worker, 'exit');
  assert((await error) instanceof Error);
  assertEq(await exit, 1);
});

test('an unshared memory cannot be posted', async () => {
  const worker = spawn(({ parentPort }) => parentPort.once('message', () => {}));
  const end = assertEndsWell(worker);
  await assertRejects(DOMException, async () => worker.postMessage(new Memory({ initial: 1 })));
  worker.postMessage('end');
  await end;
});

test('buffers of a memory that has grown in place: cloned, and waited on in what was added', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 8, shared: true });
  const buffer = memory.toResizableBuffer();
  memory.grow(3);
  assertEq(structuredClone(buffer).byteLength, 4 * 65536);
  const words = new Int32Array(buffer);
  assertEq(Atomics.wait(words, words.length - 1, 0, 0), 'timed-out');
}, { v8: 'Node 26 has no resizable buffers of memories' });

test('very short asynchronous waits all end', async () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const waits = Array.from({ length: 5000 }, (_, i) => Atomics.waitAsync(words, 0, 0, 0.0005 * (1 + i % 100)).value);
  for (const outcome of await Promise.all(waits)) assertEq(outcome, 'timed-out');
});
