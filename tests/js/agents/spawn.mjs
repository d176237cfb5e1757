// Workers of node:worker_threads from functions, which see nothing of the scope they were written in.
import { Worker } from 'node:worker_threads';
import { assertEndsWell } from './support.mjs';

const url = new URL('./workers/run.mjs', import.meta.url);

/** A worker that runs `fn({ ...threads, data })`. */
export const spawn = (fn, data, { transferList, ...options } = {}) =>
  new Worker(url, { ...options, transferList, workerData: { code: `(${fn})`, data } });

/** What the function posts in a worker: its messages, once it has ended well. */
export async function told(fn, data, options) {
  const got = [];
  const worker = spawn(fn, data, options);
  worker.on('message', (value) => got.push(value));
  await assertEndsWell(worker);
  return got;
}

/** An array that agents share. */
export const shared = (length = 16) => new Int32Array(new SharedArrayBuffer(4 * length));
