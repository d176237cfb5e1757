import assert from 'node:assert/strict';
import { argon2id, argon2Verify, blake3, createSHA256, md5, sha1, sha3 } from 'hash-wasm';

// What the RFCs and the standards say about "abc".
assert.equal(await md5('abc'), '900150983cd24fb0d6963f7d28e17f72');
assert.equal(await sha1('abc'), 'a9993e364706816aba3e25717850c26c9cd0d89d');
assert.equal(await sha3('abc', 256), '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532');
assert.equal(await blake3('abc'), '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85');

// A million times "a", in parts.
const hash = (await createSHA256()).init();
for (let part = 0; part < 1000; part += 1) hash.update('a'.repeat(1000));
assert.equal(hash.digest(), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');

const salt = crypto.getRandomValues(new Uint8Array(16));
const encoded = await argon2id({
  password: 'pass', salt, parallelism: 1, iterations: 2, memorySize: 256, hashLength: 32, outputType: 'encoded',
});
assert.ok(await argon2Verify({ password: 'pass', hash: encoded }));
assert.ok(!await argon2Verify({ password: 'passé', hash: encoded }));
console.log('ok');
