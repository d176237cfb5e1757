// 2,000 results of 8 MB in one synchronous loop.
import { manyResults } from './common.mjs';

await manyResults();
