const assert = require('node:assert/strict');
const { crc32, crc32c } = require('@node-rs/crc32-wasm32-wasi');

// The check values of both.
assert.equal(crc32('123456789'), 0xcbf43926);
assert.equal(crc32c('123456789'), 0xe3069283);
assert.equal(crc32(Buffer.from('6789'), crc32('12345')), 0xcbf43926);
console.log('ok');
