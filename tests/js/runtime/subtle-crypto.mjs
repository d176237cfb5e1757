// crypto.subtle (Web Cryptography): digests, HMAC, AES, PBKDF2, HKDF, keys and their formats.
import { assert, assertEq, assertList, test, thrown } from '../harness.mjs';

const { subtle } = crypto;
const bytes = (hex) => new Uint8Array((hex.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
const utf8 = (text) => new TextEncoder().encode(text);
const fails = async (name, fn) => {
  let error;
  try {
    await fn();
  } catch (caught) {
    error = caught;
  }
  assertEq(error?.name, name);
};

test('digest', async () => {
  assertEq(hex(await subtle.digest('SHA-256', utf8('abc'))),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assertEq(hex(await subtle.digest({ name: 'sha-1' }, utf8('abc').buffer)), 'a9993e364706816aba3e25717850c26c9cd0d89d');
  assertEq((await subtle.digest('SHA-512', new DataView(new ArrayBuffer(3)))).byteLength, 64);
  await fails('NotSupportedError', () => subtle.digest('MD5', utf8('')));
  await fails('TypeError', () => subtle.digest('SHA-1', 'abc'));
});

test('HMAC', async () => {
  const key = await subtle.importKey('raw', utf8('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
  const data = utf8('what do ya want for nothing?');
  const signature = await subtle.sign('HMAC', key, data);
  assertEq(hex(signature), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  assert(await subtle.verify('HMAC', key, signature, data));
  assert(!await subtle.verify('HMAC', key, signature.slice(1), data));
  assertEq(JSON.stringify(key.algorithm), '{"name":"HMAC","length":32,"hash":{"name":"SHA-256"}}');
  assertList(key.usages, ['sign', 'verify']);
  await fails('InvalidAccessError', () => subtle.exportKey('raw', key));
  await fails('InvalidAccessError', () => subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, data));
});

test('AES-GCM, AES-CBC and AES-CTR', async () => {
  const raw = bytes('feffe9928665731c6d6a8f9467308308');
  const key = await subtle.importKey('raw', raw, 'AES-GCM', true, ['encrypt', 'decrypt']);
  const params = {
    name: 'AES-GCM', iv: bytes('cafebabefacedbaddecaf888'),
    additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2'),
  };
  const plain = bytes('d9313225f88406e5a55909c5aff5269a');
  const sealed = await subtle.encrypt(params, key, plain);
  assertEq(sealed.byteLength, 32);
  assertEq(hex(sealed).slice(0, 32), '42831ec2217774244b7221b784d0d49c');
  assertEq(hex(await subtle.decrypt(params, key, sealed)), hex(plain));
  await fails('OperationError', () => subtle.decrypt({ ...params, additionalData: new Uint8Array(1) }, key, sealed));
  await fails('OperationError', () => subtle.encrypt({ ...params, tagLength: 5 }, key, plain));

  const cbc = await subtle.importKey('raw', raw, 'AES-CBC', true, ['encrypt', 'decrypt']);
  const iv = { name: 'AES-CBC', iv: new Uint8Array(16) };
  assertEq(hex(await subtle.decrypt(iv, cbc, await subtle.encrypt(iv, cbc, plain))), hex(plain));
  await fails('OperationError', () => subtle.decrypt(iv, cbc, new Uint8Array(16)));

  // The counter is eight bits and wraps around (a value of OpenSSL's).
  const ctr = await subtle.importKey('raw', new Uint8Array(16), 'AES-CTR', false, ['encrypt', 'decrypt']);
  const counter = { name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 8 };
  assertEq(hex(await subtle.encrypt(counter, ctr, new Uint8Array(40))),
    '3f5b8cc9ea855a0afa7347d23e8d664e3bd141ee84a0e6414a26e7a4f281f8a232a9d98f0375f170');
  await fails('OperationError', () => subtle.encrypt({ ...counter, length: 1 }, ctr, new Uint8Array(70)));
});

test('PBKDF2 and HKDF', async () => {
  const password = await subtle.importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits', 'deriveKey']);
  const params = { name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 2 };
  assertEq(hex(await subtle.deriveBits(params, password, 160)), 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957');
  const key = await subtle.deriveKey(params, password, { name: 'AES-GCM', length: 128 }, true, ['encrypt']);
  assertEq(hex(await subtle.exportKey('raw', key)), 'ea6c014dc72d6f8ccd1ed92ace1d41f0');
  const secret = await subtle.importKey('raw', new Uint8Array(22).fill(0x0b), 'HKDF', false, ['deriveBits']);
  const hkdf = {
    name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9'),
  };
  assertEq(hex(await subtle.deriveBits(hkdf, secret, 64)), '3cb25f25faacd57a');
  await fails('OperationError', () => subtle.deriveBits(hkdf, secret, 7));
  await fails('SyntaxError', () => subtle.importKey('raw', utf8('p'), 'PBKDF2', true, ['deriveBits']));
});

test('keys as JSON, generated keys, wrapped keys', async () => {
  const key = await subtle.generateKey({ name: 'AES-CBC', length: 256 }, true, ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']);
  const jwk = await subtle.exportKey('jwk', key);
  assertEq(`${jwk.kty} ${jwk.alg} ${jwk.ext} ${jwk.key_ops} ${jwk.k.length}`,
    'oct A256CBC true encrypt,decrypt,wrapKey,unwrapKey 43');
  const again = await subtle.importKey('jwk', jwk, 'AES-CBC', true, ['encrypt']);
  assertEq(hex(await subtle.exportKey('raw', again)), hex(await subtle.exportKey('raw', key)));
  await fails('DataError', () => subtle.importKey('jwk', { ...jwk, alg: 'A128CBC' }, 'AES-CBC', true, ['encrypt']));
  const hmac = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-384' }, true, ['sign']);
  assertEq(hmac.algorithm.length, 1024);
  const iv = { name: 'AES-CBC', iv: new Uint8Array(16) };
  const wrapped = await subtle.wrapKey('jwk', hmac, key, iv);
  const unwrapped = await subtle.unwrapKey('jwk', wrapped, key, iv, { name: 'HMAC', hash: 'SHA-384' }, true, ['sign']);
  assertEq(hex(await subtle.exportKey('raw', unwrapped)), hex(await subtle.exportKey('raw', hmac)));
  await fails('SyntaxError', () => subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, []));
  await fails('OperationError', () => subtle.generateKey({ name: 'AES-GCM', length: 5 }, true, ['encrypt']));
});

test('brands and constructors', () => {
  for (const Class of [Crypto, SubtleCrypto, CryptoKey]) {
    assertEq(thrown(() => new Class(), 'an error').code, 'ERR_ILLEGAL_CONSTRUCTOR');
  }
  assert(crypto instanceof Crypto && subtle instanceof SubtleCrypto);
  assertEq(thrown(() => CryptoKey.prototype.type, 'an error').code, 'ERR_INVALID_THIS');
  assertEq(thrown(() => Crypto.prototype.getRandomValues.call({}, new Uint8Array(1)), 'an error').code,
    'ERR_INVALID_THIS');
  assertEq(thrown(() => crypto.getRandomValues(new Float32Array(1)), 'an error').name, 'TypeMismatchError');
  assertEq(thrown(() => crypto.getRandomValues(new Uint8Array(65537)), 'an error').name, 'QuotaExceededError');
});
