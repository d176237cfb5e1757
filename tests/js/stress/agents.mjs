// Agents that share one memory and do everything to each other at once: they allocate in it, fill and check what they
// have, grow it, post views to each other, and are terminated in the middle of whatever they do, loops and waits
// without end among it, and replaced. At the end no message is lost, every block was freed once, and the guest's heap
// is empty.
//
//     tombolo tests/js/stress/agents.mjs [seconds] [seed]
// Takes long: as long as it is told to.
import { Worker, MessageChannel } from 'node:worker_threads';
import { readFileSync } from 'node:fs';
import { MemoryManager } from 'tombolo:marshal';
import { seededRandom } from '../random.mjs';

const AGENTS = 4;
const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31) | 1;
console.log(`${AGENTS} agents, ${seconds} s, seed ${seed}`);

const random = seededRandom(seed);
const fail = (what) => {
  console.error(`FAILED (seed ${seed}): ${what}`);
  process.exit(1);
};

const memory = new WebAssembly.Memory({ initial: 4, maximum: 1024, shared: true });
const module = new WebAssembly.Module(readFileSync(new URL('../../../guests/heap.wasm', import.meta.url)));
const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = new MemoryManager(memory, guest.malloc, guest.free);
const held = memory.buffer;
const heldLength = held.byteLength;
const totals = { started: 0, terminated: 0, sent: 0, received: 0, views: 0, grown: 0 };

// What each agent was given, by its place; `number` counts agents, so that an old one's messages are known.
const agents = [];
const start = (place) => {
  const number = totals.started++;
  const worker = new Worker(new URL('workers/agent.mjs', import.meta.url), { workerData: { memory, module, number, place, seed: random(2 ** 31) | 1 } });
  const agent = { number, place, worker, ends: Promise.withResolvers(), calm: Promise.withResolvers(), report: null };
  agents[place] = agent;
  worker.on('message', (message) => {
    // At the end only those are terminated that never end by themselves.
    if (message.ask === 'terminate' && (!closing || message.place === place)) terminate(agents[message.place]);
    else if (message.ask === 'terminate') return;
    else if (message.ask === 'calm') agent.calm.resolve();
    else if (message.ask === 'count') for (const key of ['sent', 'received', 'views', 'grown']) totals[key] += message[key];
    else if (message.ask === 'report') agent.report = message;
    else fail(message.text);
  });
  worker.on('error', (error) => fail(`agent ${number}: ${error.stack}`));
  worker.on('exit', (code) => {
    if (!agent.stopping && code !== 0) fail(`agent ${number} ended with ${code}`);
    agent.ends.resolve();
  });
  for (const other of agents) {
    if (!other || other === agent) continue;
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ peer: other.number, place: other.place, port: port1 }, [port1]);
    other.worker.postMessage({ peer: number, place, port: port2 }, [port2]);
  }
};
const terminate = async (agent) => {
  if (agent.stopping) return;
  agent.stopping = true;
  totals.terminated++;
  await agent.worker.terminate();
  if (!closing) start(agent.place);
};
let closing = false;
for (let place = 0; place < AGENTS; place++) start(place);

// In a function of its own, so that nothing of this agent's keeps the view.
const postView = () => {
  const view = manager.createTypedArray(Float64Array, 1 + random(1000));
  view.fill(random(100));
  agents[random(AGENTS)].worker.postMessage({ view, value: view[0] });
};
const deadline = performance.now() + seconds * 1000;
while (performance.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, random(20)));
  if (random(3) === 0) terminate(agents[random(AGENTS)]);
  if (guest.check() !== 0) fail('the heap is not consistent');
  postView();
  if (held.byteLength !== heldLength) fail('a buffer that was held has changed its length');
}

// The end: those that are terminated are waited for, the others say what they have sent and received.
closing = true;
for (const agent of agents) agent.worker.postMessage({ calm: true });
await Promise.all(agents.map((agent) => (agent.stopping ? agent.ends.promise : Promise.race([agent.calm.promise, agent.ends.promise]))));
await Promise.all(agents.filter((agent) => agent.stopping).map((agent) => agent.ends.promise));
const left = agents.filter((agent) => !agent.stopping);
for (const agent of left) agent.worker.postMessage({ end: left.map(({ number }) => number) });
await Promise.all(left.map((agent) => agent.ends.promise));
for (const { number, report } of left) {
  for (const other of left) {
    if (other.number === number) continue;
    const [sent, received] = [report.sentTo[other.number] ?? 0, other.report.receivedFrom[number] ?? 0];
    if (sent !== received) fail(`agent ${number} sent ${sent} messages to ${other.number}, which received ${received}`);
  }
}

// All that the others have let go of is freed by this agent, when it next allocates.
for (let i = 0; i < 3; i++) manager.createTypedArray(Float64Array, 1);
globalThis.gc?.();
await new Promise((resolve) => setTimeout(resolve, 0));
const { blocks } = tombolo.guestMemory();
if (guest.check() !== 0) fail('the heap is not consistent at the end');
if (guest.double_frees() !== 0) fail(`${guest.double_frees()} blocks were freed twice`);
if (guest.live_blocks() !== 0 || blocks.alive !== 0) fail(`${guest.live_blocks()} blocks are left, ${blocks.alive} of them known`);
if (guest.allocations() !== guest.frees()) fail(`${guest.allocations()} blocks were allocated, ${guest.frees()} freed`);
if (guest.blocks() !== 1) fail(`the heap is in ${guest.blocks()} parts`);
console.log(`${totals.started} agents started, ${totals.terminated} terminated; ${totals.received} of ${totals.sent} messages ` +
  `counted, ${totals.views} views; memory grown ${totals.grown} times to ${memory.buffer.byteLength >> 16} pages; ` +
  `${guest.allocations()} blocks allocated and freed`);
console.log('ok');
