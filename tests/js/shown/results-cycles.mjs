// 2,000 results of 8 MB in one synchronous loop, each the only holder of itself: garbage that reference counts do not
// see.
import { manyResults } from './common.mjs';

await manyResults((result) => {
  result.self = { result };
});
