// 2,000 results of 8 MB in one synchronous loop, each the only holder of itself: garbage that reference counts do not
// see.
import { claim, demo, iotaOf, mib, MIB, peakResident } from './common.mjs';

const COUNT = 2000;
const LENGTH = 1_000_000;
const guest = demo();
const iota = iotaOf(guest);

let most = 0;
for (let i = 0; i < COUNT; i++) {
  const result = iota(LENGTH);
  if (result[LENGTH - 1] !== LENGTH - 1) throw new Error('wrong result');
  result.self = { result };
  most = Math.max(most, guest.memory.buffer.byteLength);
}
claim(`${COUNT} results of ${mib(8 * LENGTH)}: ${mib(most)} of guest memory (less than 64)`, most < 64 * MIB);
claim(`resident at most ${mib(peakResident())} (less than 90)`, peakResident() < 90 * MIB);
