// Runs the function whose text is `workerData.code`, with node:worker_threads and `workerData.data` as `data`.
import * as threads from 'node:worker_threads';

const { code, data } = threads.workerData;
await (0, eval)(code)({ ...threads, data });
