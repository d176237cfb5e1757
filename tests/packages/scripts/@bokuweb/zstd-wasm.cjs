const assert = require('node:assert/strict');
const { init, compress, decompress } = require('@bokuweb/zstd-wasm');

(async () => {
  await init();
  const compressed = compress(Buffer.from('Hello zstd!!'), 10);
  assert.equal(Buffer.from(decompress(compressed)).toString(), 'Hello zstd!!');
  const text = Buffer.from('a line of which there are many\n'.repeat(20_000));
  const small = compress(text, 3);
  assert.ok(small.length < 1000);
  assert.ok(text.equals(decompress(small)));
  assert.throws(() => decompress(Buffer.from('never compressed')));
  console.log('ok');
})();
