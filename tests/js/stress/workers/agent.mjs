// One of the agents of agents.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { MemoryManager, addressOf } from 'tombolo:marshal';
import { seededRandom } from '../../random.mjs';

const { memory, module, number, place: ownPlace, seed } = workerData;
const random = seededRandom(seed);
const fail = (text) => parentPort.postMessage({ ask: 'fail', text: `agent ${number}: ${text}` });

const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = new MemoryManager(memory, guest.malloc, guest.free);
const peers = new Map();
const views = [];
const sentTo = {}, receivedFrom = {};
const counts = { sent: 0, received: 0, views: 0, grown: 0 };
let ending = null, calm = false;

// What a view holds: one value all over, which the guest's sum tells too.
const check = ({ view, value }) => {
  const at = random(view.length);
  if (view[at] !== value) fail(`a view has ${view[at]} at ${at}, not ${value}`);
  if (guest.sum(addressOf(view), view.length) !== value * view.length) fail('the guest sees another sum');
};
const make = () => {
  const value = random(1000);
  const length = random(40) === 0 ? 20_000 + random(50_000) : 1 + random(500);
  const view = manager.createTypedArray(Float64Array, length);
  view.fill(value);
  counts.views++;
  return { view, value };
};
const take = () => views.splice(random(views.length), 1)[0];
const anyPeer = () => [...peers.values()][random(peers.size)];

const actions = [
  () => views.push(make()),
  () => { if (views.length > 0) check(views[random(views.length)]); },
  () => { while (views.length > random(30)) take(); },
  () => {
    const peer = anyPeer();
    if (peer === undefined || views.length === 0) return;
    const { view, value } = random(2) === 0 ? take() : views[random(views.length)];
    sentTo[peer.number] = (sentTo[peer.number] ?? 0) + 1;
    counts.sent++;
    // The part keeps the whole block, as every view of it does.
    const part = random(4) === 0 && view.length > 1 ? view.subarray(1) : view;
    peer.port.postMessage({ order: sentTo[peer.number], view: part, value });
  },
  () => {
    if (random(20) !== 0) return;
    const before = memory.buffer;
    const length = before.byteLength;
    try {
      memory.grow(1);
      counts.grown++;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return;
    }
    if (before.byteLength !== length) fail('a buffer that was held has changed its length');
    if (memory.buffer.byteLength < length + 65536) fail('growth does not show');
  },
  () => { if (random(50) === 0) globalThis.gc?.(); },
  // What never ends, in the hope that somebody ends it.
  () => {
    if (calm || random(400) !== 0 || peers.size === 0) return;
    const kind = random(4);
    // Those that come after the request are not counted.
    flush();
    parentPort.postMessage({ ask: 'terminate', place: ownPlace });
    const zero = 512;
    if (kind === 0) for (;;);
    else if (kind === 1) guest.spin(zero);
    else if (kind === 2) guest.wait_forever(zero);
    else Atomics.wait(new Int32Array(memory.buffer), zero >> 2, 0);
  },
  () => { if (random(500) === 0 && peers.size > 0) parentPort.postMessage({ ask: 'terminate', place: anyPeer().place }); },
];
const flush = () => {
  parentPort.postMessage({ ask: 'count', ...counts });
  for (const key of Object.keys(counts)) counts[key] = 0;
};

parentPort.on('message', (message) => {
  if (message.port) {
    const { peer, place, port } = message;
    // The one that it takes the place of has gone, or will have.
    for (const [other, old] of peers) if (old.place === place) { old.port.close(); peers.delete(other); }
    peers.set(peer, { number: peer, place, port });
    receivedFrom[peer] = 0;
    port.on('message', (sent) => {
      if (sent.bye) return bye(peer);
      if (sent.order !== ++receivedFrom[peer]) fail(`message ${sent.order} of ${peer} came as number ${receivedFrom[peer]}`);
      counts.received++;
      check(sent);
      if (random(2) === 0 && !ending) views.push(sent);
    });
  } else if (message.calm) {
    calm = true;
    parentPort.postMessage({ ask: 'calm' });
  } else if (message.end) {
    ending = new Set(message.end.filter((other) => other !== number));
    for (const other of ending) peers.get(other)?.port.postMessage({ bye: true });
    for (const other of ending) if (!peers.has(other)) ending.delete(other);
    end();
  } else {
    check(message);
    views.push(message);
  }
});
const gone = new Set();
const bye = (peer) => {
  gone.add(peer);
  end();
};
const end = () => {
  if (ending === null || [...ending].some((other) => !gone.has(other))) return;
  flush();
  parentPort.postMessage({ ask: 'report', sentTo, receivedFrom });
  views.length = 0;
  for (const { port } of peers.values()) port.close();
  parentPort.close();
};

const turn = () => {
  if (ending) return;
  for (let i = random(20); i >= 0; i--) actions[random(actions.length)]();
  setImmediate(turn);
};
turn();
