// Results whose address in the guest is past 2 GiB.
import { addressOf } from 'tombolo:marshal';
import { claim, demo, iotaOf, mib, peakResident, MIB } from './common.mjs';

const guest = demo();
// Never touched, so they cost address space alone.
const fillers = [guest.manager.malloc(2 ** 30 - 65536), guest.manager.malloc(2 ** 30 - 65536)];
const iota = iotaOf(guest);

let [lowest, wrong] = [Infinity, 0];
for (let i = 0; i < 1000; i++) {
  const view = iota(100_000);
  lowest = Math.min(lowest, addressOf(view));
  if (view[99_999] !== 99_999 || view.subarray(50_000)[0] !== 50_000) wrong += 1;
}
claim(`1000 results, the lowest at address ${lowest} (2 GiB is ${2 ** 31})`, lowest >= 2 ** 31);
claim(`${wrong} of them are wrong`, wrong === 0);
for (const filler of fillers) guest.manager.free(filler);
claim(`resident at most ${mib(peakResident())} (less than 90)`, peakResident() < 90 * MIB);
