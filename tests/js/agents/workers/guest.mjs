// A worker with an instance of guests/shared.wasm on the memory it is given. It runs what it is told, and says so in
// the first word of `state`, which counts up: once it is about to run, and once it has run.
import { parentPort, workerData } from 'node:worker_threads';

const { memory, module, state } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const step = () => { Atomics.add(state, 0, 1); Atomics.notify(state, 0); };

parentPort.on('message', ({ run, args = [] }) => {
  step();
  let result;
  switch (run) {
    case 'close': parentPort.close(); break;
    case 'memory.grow': result = memory.grow(...args); break;
    case 'memory.byteLength': result = memory.buffer.byteLength; break;
    case 'Atomics.wait': result = Atomics.wait(new Int32Array(memory.buffer), ...args); break;
    case 'Atomics.wait64': result = Atomics.wait(new BigInt64Array(memory.buffer), ...args); break;
    case 'Atomics.notify': result = Atomics.notify(new Int32Array(memory.buffer), ...args); break;
    default: result = exports[run](...args);
  }
  step();
  parentPort.postMessage({ result });
});
