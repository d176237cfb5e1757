import assert from 'node:assert/strict';
import xxhash from 'xxhash-wasm';

const { h32, h64ToString, create64 } = await xxhash();
// The test vectors of XXH32 and XXH64.
assert.equal(h32(''), 0x02cc5d05);
assert.equal(h32('Nobody inspects the spammish repetition', 0), 0xe2293b2f);
assert.equal(h64ToString('Nobody inspects the spammish repetition', 0n), 'fbcea83c8a378bf1');

const text = 'sand '.repeat(100_000);
const hash = create64();
for (let at = 0; at < text.length; at += 999) hash.update(text.slice(at, at + 999));
assert.equal(hash.digest().toString(16).padStart(16, '0'), h64ToString(text));
console.log('ok');
