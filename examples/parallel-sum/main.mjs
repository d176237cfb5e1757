// Sums a big array in guest memory, by one thread and by several: the guest, its memory and one view of the array are
// posted to workers, and each sums its slice where it is. Nothing is copied, and the array is freed when the last of
// them lets go.
//
//     tombolo examples/parallel-sum/main.mjs [workers] [millions of elements]
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { availableParallelism } from 'node:os';
import { readFileSync } from 'node:fs';
import { MemoryManager, addressOf } from 'tombolo:marshal';

const count = Number(process.argv[2] ?? availableParallelism());
const length = Number(process.argv[3] ?? 4) * 1_000_000;
const ROUNDS = 20;

// One memory for all agents; each has an instance of its own, with the same allocator in it.
const memory = new WebAssembly.Memory({ initial: 4, maximum: 1024, shared: true });
const module = new WebAssembly.Module(readFileSync(new URL('../../guests/heap.wasm', import.meta.url)));
const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
const manager = new MemoryManager(memory, guest.malloc, guest.free);

let view = manager.createTypedArray(Float64Array, length);
for (let i = 0; i < length; i++) view[i] = i % 1000;
const expected = view.length / 1000 * (999 * 1000 / 2);

const best = async (sum) => {
  let time = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const result = await sum();
    time = Math.min(time, performance.now() - start);
    if (result !== expected) throw new Error(`the sum is ${result}, not ${expected}`);
  }
  return time;
};

const alone = await best(() => guest.sum(addressOf(view), length));

const workers = Array.from({ length: count }, () => new Worker(new URL('worker.mjs', import.meta.url), { workerData: { module, memory } }));
const answer = async (worker) => (await once(worker, 'message'))[0];
// The view goes to every worker once; all of them own the array from then on.
await Promise.all(workers.map((worker) => {
  const ready = answer(worker);
  worker.postMessage({ view });
  return ready;
}));
view = null;
const together = await best(async () => {
  const parts = await Promise.all(workers.map((worker, at) => {
    const part = answer(worker);
    worker.postMessage({ from: Math.floor(length * at / count), to: Math.floor(length * (at + 1) / count) });
    return part;
  }));
  return parts.reduce((a, b) => a + b);
});
console.log(`${length} elements: ${alone.toFixed(2)} ms by one thread, ${together.toFixed(2)} ms by ${count} workers, ` +
  `${(alone / together).toFixed(2)} times as fast`);

// With the workers' views the last ones go; this agent, which can, gives the block back to the guest.
await Promise.all(workers.map((worker) => worker.terminate()));
manager.createTypedArray(Float64Array, 1);
await new Promise((resolve) => setTimeout(resolve));
console.log(`blocks left in the guest: ${guest.live_blocks()}`);
