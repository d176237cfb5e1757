import assert from 'node:assert/strict';
import {
  bip39Generate, bip39ToSeed, bip39Validate, blake2b, ed25519KeypairFromSeed, ed25519Sign, ed25519Verify, sha256,
  sr25519KeypairFromSeed, sr25519Sign, sr25519Verify, waitReady,
} from '@polkadot/wasm-crypto';

await waitReady();
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const message = new TextEncoder().encode('abc');
assert.equal(hex(sha256(message)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
assert.equal(hex(blake2b(message, new Uint8Array(), 32)), 'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319');

const phrase = bip39Generate(12);
assert.ok(bip39Validate(phrase));
assert.notEqual(phrase, bip39Generate(12));
const seed = bip39ToSeed(phrase, '');

const ed = ed25519KeypairFromSeed(seed);
const signature = ed25519Sign(ed.slice(32), ed.slice(0, 32), message);
assert.ok(ed25519Verify(signature, message, ed.slice(32)));
const sr = sr25519KeypairFromSeed(seed);
const other = sr25519Sign(sr.slice(64), sr.slice(0, 64), message);
assert.ok(sr25519Verify(other, message, sr.slice(64)));
assert.ok(!sr25519Verify(other, seed, sr.slice(64)));
console.log('ok');
