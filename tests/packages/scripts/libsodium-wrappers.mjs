import assert from 'node:assert/strict';
import sodium from 'libsodium-wrappers';

await sodium.ready;
const key = sodium.crypto_secretstream_xchacha20poly1305_keygen();
const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
const encrypted = sodium.crypto_secretstream_xchacha20poly1305_push(
  state, sodium.from_string('message 1'), null, sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
);
const pull = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, key);
const { message, tag } = sodium.crypto_secretstream_xchacha20poly1305_pull(pull, encrypted);
assert.equal(sodium.to_string(message), 'message 1');
assert.equal(tag, sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL);

// BLAKE2b of "abc", as RFC 7693 has it.
assert.match(sodium.to_hex(sodium.crypto_generichash(64, 'abc')), /^ba80a53f981c4d0d6a2797b69f12f6e9/);
const pair = sodium.crypto_sign_keypair();
const signed = sodium.crypto_sign('text', pair.privateKey);
assert.equal(sodium.to_string(sodium.crypto_sign_open(signed, pair.publicKey)), 'text');
signed[0] ^= 1;
assert.throws(() => sodium.crypto_sign_open(signed, pair.publicKey), /incorrect signature/);
console.log('ok');
