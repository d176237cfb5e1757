const assert = require('node:assert/strict');
const brotli = require('brotli-wasm');

const compressed = brotli.compress(Buffer.from('some input'));
assert.equal(Buffer.from(brotli.decompress(compressed)).toString('utf8'), 'some input');

const text = Buffer.from('the same line again\n'.repeat(10_000));
const small = brotli.compress(text, { quality: 5 });
assert.ok(small.length < 200);
assert.ok(text.equals(brotli.decompress(small)));
assert.throws(() => brotli.decompress(Buffer.from('this was never compressed')));
console.log('ok');
