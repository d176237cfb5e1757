// Keeps and drops views as guest-blocks.mjs tells it to.
import { parentPort, workerData } from 'node:worker_threads';
import { MemoryManager, addressOf } from 'tombolo:marshal';

const { memory, module, without } = workerData;
const guest = without ? null : new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = without ? null : new MemoryManager(memory, guest.malloc, guest.free);
let kept = [];
let to = null;
const keep = (view) => {
  kept.push(view);
  return addressOf(view);
};
const answer = (message) => {
  if (message.keep) return keep(message.keep);
  if (message.make) {
    const view = manager.createTypedArray(Float64Array, message.make);
    to?.postMessage(view);
    return keep(view);
  }
  if (message.to) ({ to } = message);
  if (message.from) {
    message.from.once('message', (view) => {
      parentPort.postMessage(keep(view));
      message.from.close();
    });
  }
  if ('set' in message) kept.at(-1)[message.set] = message.value;
  if ('get' in message) return kept.at(-1)[message.get];
  if (message.drop) kept = [];
  if (message.drain) {
    manager.free(manager.malloc(8));
    return guest.live_blocks();
  }
  return 'done';
};
parentPort.on('message', (message) => {
  if (!message.end) return parentPort.postMessage(answer(message));
  to?.close();
  parentPort.close();
});
