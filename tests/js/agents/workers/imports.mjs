// A module of its own imports, static and dynamic, and with top-level await.
import { parentPort } from 'node:worker_threads';
import { counter } from './counter.mjs';

counter.count += 1;
const again = await import('./counter.mjs');
parentPort.postMessage({ count: again.counter.count, url: import.meta.url, main: process.argv[1] });
