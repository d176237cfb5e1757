import assert from 'node:assert/strict';
import * as automerge from '@automerge/automerge';

let one = automerge.from({ tasks: [{ description: 'feed fish', done: false }, { description: 'water plants', done: false }] });
let two = automerge.clone(one);
two = automerge.change(two, (doc) => { doc.tasks[0].done = true; });
one = automerge.change(one, (doc) => { doc.tasks.push({ description: 'water fish', done: false }); });
one = automerge.merge(one, two);
assert.deepEqual(automerge.toJS(one), {
  tasks: [
    { description: 'feed fish', done: true },
    { description: 'water plants', done: false },
    { description: 'water fish', done: false },
  ],
});
const again = automerge.load(automerge.save(one));
assert.deepEqual(automerge.toJS(again), automerge.toJS(one));
assert.equal(automerge.getHistory(again).length, 3);
// An error of the Rust program comes back as an exception.
assert.throws(() => automerge.load(new Uint8Array([1, 2, 3])));
console.log('ok');
