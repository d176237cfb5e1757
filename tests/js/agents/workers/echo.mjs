// Sends every message back, until it is told to close.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', (value) => {
  if (value === 'close') parentPort.close();
  else parentPort.postMessage(value);
});
