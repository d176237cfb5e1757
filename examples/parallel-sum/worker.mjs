// Sums slices of the view that it is given first.
import { parentPort, workerData } from 'node:worker_threads';
import { addressOf } from 'tombolo:marshal';

const { module, memory } = workerData;
const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
let view;
parentPort.on('message', (message) => {
  if (message.view) {
    ({ view } = message);
    parentPort.postMessage('ready');
  } else {
    parentPort.postMessage(guest.sum_range(addressOf(view), message.from, message.to));
  }
});
