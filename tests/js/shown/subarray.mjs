// A part of a result stays right when the result itself is gone, whatever is allocated afterwards.
import { claim, demo, iotaOf } from './common.mjs';

const ALLOCATIONS = 10_000;
const LENGTH = 1000;
const guest = demo();
const iota = iotaOf(guest);

const tail = iota(LENGTH).subarray(1);
globalThis.gc?.();
for (let i = 0; i < ALLOCATIONS; i++) iota(LENGTH).fill(-1);
guest.manager.createTypedArray(Float64Array, LENGTH).fill(-2);

let wrong = 0;
for (let i = 0; i < tail.length; i++) if (tail[i] !== i + 1) wrong += 1;
claim(
  `${wrong} of ${tail.length} elements are wrong after ${ALLOCATIONS} further allocations`,
  wrong === 0 && tail.length === 999,
);
claim(`${guest.exports.live_blocks()} blocks are in use`, guest.exports.live_blocks() <= 3);
