// Workers of node:worker_threads from functions, which see nothing of the scope they were written in.
import { Worker } from 'node:worker_threads';

const url = new URL('./workers/run.mjs', import.meta.url);

/** A worker that runs `fn({ ...threads, data })`. */
export const spawn = (fn, data, { transferList, ...options } = {}) =>
  new Worker(url, { ...options, transferList, workerData: { code: `(${fn})`, data } });
