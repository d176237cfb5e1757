// 2,000 results of 8 MB in a loop that lets other tasks run between two of them.
// Takes long: 2,000 timers.
import { manyResults } from './common.mjs';

await manyResults(() => new Promise((resolve) => {
  setTimeout(resolve, 0);
}));
