// Agents, as a script sees them: how long a worker takes to its first message, what messages cost there and back, how
// fast two agents wake each other, and how soon a worker has ended that would never end. Medians; no two machines are
// alike, so compare runtimes on one (only node:worker_threads is used):
//
//     tombolo crates/tombolo/benches/agents.mjs
//     node crates/tombolo/benches/agents.mjs
import { Worker, isMainThread, parentPort } from 'node:worker_threads';

const PAGE = 65536;
/** `(loop (br 0))` and `memory.atomic.wait32` for ever, exported, on an imported shared memory of one page. */
const guest = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 9, 1, 1, 109, 1, 109, 2, 3, 1, 1, 3, 3, 2, 0, 0,
  7, 15, 2, 4, 108, 111, 111, 112, 0, 0, 4, 119, 97, 105, 116, 0, 1,
  10, 23, 2, 7, 0, 3, 0x40, 12, 0, 11, 11, 13, 0, 65, 0, 65, 0, 66, 0x7f, 0xfe, 1, 2, 0, 0x1a, 11,
]);

if (isMainThread) await main(); else worker();

function worker() {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer);
  const instance = () => new WebAssembly.Instance(new WebAssembly.Module(guest), { m: { m: memory } }).exports;
  const endless = {
    'a script': () => () => { for (;;); }, 'Atomics.wait': () => () => Atomics.wait(words, 0, 0),
    "a guest's loop": () => instance().loop, "a guest's wait": () => instance().wait,
  };
  parentPort.on('message', (message) => {
    if (message.endless) {
      const run = endless[message.endless]();
      parentPort.postMessage('begins');
      run();
    } else if (message.pong) {
      const { pong, rounds } = message;
      parentPort.postMessage('ready');
      for (let i = 0; i < rounds; i++) {
        while (Atomics.load(pong, 0) !== 2 * i + 1) Atomics.wait(pong, 0, 2 * i);
        Atomics.store(pong, 0, 2 * i + 2);
        Atomics.notify(pong, 0, 1);
      }
    } else {
      parentPort.postMessage(message, message.transfer ? [message.bytes] : []);
    }
  });
  parentPort.postMessage('hello');
}

async function main() {
  const row = (name, value, unit) => console.log(`${name.padEnd(36)} ${value.toFixed(value < 10 ? 2 : 1).padStart(9)} ${unit}`);
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const next = (agent) => new Promise((resolve) => agent.once('message', resolve));
  const start = async () => {
    const agent = new Worker(new URL(import.meta.url));
    await next(agent);
    return agent;
  };
  const samples = async (count, sample) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const { time = null, from } = await sample();
      times.push(time ?? performance.now() - from);
    }
    return median(times);
  };

  row('worker to its first message', await samples(15, async () => {
    const from = performance.now();
    const agent = await start();
    const time = performance.now() - from;
    await agent.terminate();
    return { time };
  }), 'ms');

  const agent = await start();
  const roundTrip = async (name, rounds, message) => row(`message there and back: ${name}`, 1000 * await samples(7, async () => {
    let bytes = new ArrayBuffer(1 << 20);
    const from = performance.now();
    for (let i = 0; i < rounds; i++) {
      const answer = next(agent);
      agent.postMessage(...message(bytes));
      ({ bytes } = await answer);
    }
    return { time: (performance.now() - from) / rounds };
  }), 'µs');
  await roundTrip('a small object', 1000, () => [{ a: 1, s: 'x' }]);
  await roundTrip('1 MB, copied', 100, () => [{ bytes: new ArrayBuffer(1 << 20) }]);
  await roundTrip('1 MB, transferred', 500, (bytes) => [{ bytes, transfer: true }, [bytes]]);
  const shared = new SharedArrayBuffer(1 << 20);
  await roundTrip('1 MB, shared', 500, () => [{ shared }]);

  row('wait and notify, there and back', 1000 * await samples(7, async () => {
    const rounds = 5000;
    const pong = new Int32Array(new SharedArrayBuffer(PAGE));
    const ready = next(agent);
    agent.postMessage({ pong, rounds });
    await ready;
    const from = performance.now();
    for (let i = 0; i < rounds; i++) {
      Atomics.store(pong, 0, 2 * i + 1);
      Atomics.notify(pong, 0, 1);
      while (Atomics.load(pong, 0) !== 2 * i + 2) Atomics.wait(pong, 0, 2 * i + 1);
    }
    return { time: (performance.now() - from) / rounds };
  }), 'µs');
  await agent.terminate();

  for (const endless of ['a script', "a guest's loop", 'Atomics.wait', "a guest's wait"]) {
    row(`terminated in ${endless}`, await samples(15, async () => {
      const agent = await start();
      const begins = next(agent);
      agent.postMessage({ endless });
      await begins;
      // It is in the middle of it then.
      await new Promise((resolve) => setTimeout(resolve, 5));
      const from = performance.now();
      await agent.terminate();
      return { from };
    }), 'ms');
  }
}
