// A view taken before the memory grows, again and again, still reads and writes its data.
import { addressOf } from 'tombolo:marshal';
import { claim, demo, iotaOf } from './common.mjs';

const TIMES = 1000;
const guest = demo();
const view = iotaOf(guest)(1000);
const pages = guest.memory.buffer.byteLength / 65536;

let wrong = 0;
for (let i = 0; i < TIMES; i++) {
  guest.memory.grow(1);
  if (view.length !== 1000 || view[999] !== 999 - i) wrong += 1;
  view[999] -= 1;
}
const grown = guest.memory.buffer.byteLength / 65536 - pages;
const seen = new Float64Array(guest.memory.buffer, addressOf(view), 1000)[999];
claim(`the memory grew by ${grown} pages in ${TIMES} calls of memory.grow`, grown === TIMES);
claim(
  `the view was wrong after ${wrong} of them, and is ${view.buffer.detached ? '' : 'not '}detached`,
  wrong === 0 && !view.buffer.detached,
);
claim(`the guest sees what the view wrote: ${seen}`, seen === 999 - TIMES);
