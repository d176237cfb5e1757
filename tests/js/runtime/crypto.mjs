// node:crypto: random numbers, digests, HMACs, derived keys and ciphers. Expected values come from the standards' test
// vectors and from OpenSSL.
import crypto from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { assert, assertEq, test, thrown } from '../harness.mjs';

const codeOf = (fn) => thrown(fn, 'an error').code;

test('digests of "abc"', () => {
  const expected = {
    md5: '900150983cd24fb0d6963f7d28e17f72',
    sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
    sha224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    'sha512-256': '53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23',
    'sha512-224': '4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa',
    'sha3-256': '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
    ripemd160: '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc',
    blake2s256: '508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982',
    shake128: '5881092dd818bf5cf8a3ddb793fbcba7',
    'RSA-SHA256': 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  };
  for (const [name, digest] of Object.entries(expected)) {
    assertEq(crypto.createHash(name).update('a').update(Buffer.from('bc')).digest('hex'), digest, name);
    assertEq(crypto.hash(name, 'abc'), digest, name);
  }
  assertEq(crypto.createHash('blake2b512').update('abc').digest('base64').slice(0, 20), 'uoClP5gcTQ1qJ5e2nxL2');
  assertEq(crypto.createHash('sha512').update('616263', 'hex').digest('hex').slice(0, 32),
    'ddaf35a193617abacc417349ae204131');
});

test('a hash can be copied, and is used once', () => {
  const hash = crypto.createHash('sha256').update('a');
  const copy = hash.copy().update('bc');
  assertEq(copy.digest('hex'), crypto.hash('sha256', 'abc'));
  assertEq(hash.digest().toString('hex'), crypto.hash('sha256', 'a'));
  assertEq(codeOf(() => hash.digest()), 'ERR_CRYPTO_HASH_FINALIZED');
  assertEq(codeOf(() => hash.update('x')), 'ERR_CRYPTO_HASH_FINALIZED');
  assertEq(thrown(() => crypto.createHash('nope'), 'an error').message, 'Digest method not supported');
  assertEq(codeOf(() => crypto.createHash('md5').update(5)), 'ERR_INVALID_ARG_TYPE');
  assertEq(crypto.createHash('shake256', { outputLength: 5 }).digest('hex'), '46b9dd2b0b');
  assertEq(codeOf(() => crypto.createHash('sha256', { outputLength: 5 })), 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH');
  assert(crypto.getHashes().includes('sha256'));
});

test('a hash is a stream', async () => {
  const hash = crypto.createHash('sha256');
  await pipeline(Readable.from(['a', 'bc']), hash);
  assertEq(hash.read().toString('hex'), crypto.hash('sha256', 'abc'));
  const written = crypto.createHash('md5');
  written.end('abc');
  written.setEncoding('hex');
  let text = '';
  for await (const chunk of written) text += chunk;
  assertEq(text, '900150983cd24fb0d6963f7d28e17f72');
});

test('HMACs (RFC 4231, RFC 2202)', () => {
  const hmac = (name, key, data) => crypto.createHmac(name, key).update(data).digest('hex');
  assertEq(hmac('sha256', 'Jefe', 'what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  assertEq(hmac('md5', 'Jefe', 'what do ya want for nothing?'), '750c783e6ab0b503eaa86e310a5db738');
  assertEq(hmac('sha1', Buffer.alloc(80, 0xaa), 'Test Using Larger Than Block-Size Key - Hash Key First'),
    'aa4ae5e15272d00e95705637ce8a3b55ed402112');
  assertEq(hmac('md5', crypto.createSecretKey(Buffer.from('k')), 'a'), 'ddcf3d210049e7135f61affae73731cd');
  assertEq(codeOf(() => crypto.createHmac('nope', 'k')), 'ERR_CRYPTO_INVALID_DIGEST');
  assertEq(codeOf(() => crypto.createHmac('md5')), 'ERR_INVALID_ARG_TYPE');
});

test('random numbers', async () => {
  assertEq(crypto.randomBytes(40).length, 40);
  assert(!crypto.randomBytes(32).equals(crypto.randomBytes(32)));
  assertEq(crypto.randomFillSync(Buffer.alloc(4), 4).toString('hex'), '00000000');
  assertEq(crypto.randomInt(3, 4), 3);
  for (let i = 0; i < 50; i++) assert([-1, 0, 1].includes(crypto.randomInt(-1, 2)));
  assert(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()));
  const bytes = await new Promise((resolve, reject) => {
    let isSync = true;
    crypto.randomBytes(5, (error, made) => (error || isSync ? reject(error) : resolve(made)));
    isSync = false;
  });
  assertEq(bytes.length, 5);
  assertEq(thrown(() => crypto.randomInt(5, 5), 'an error').message,
    'The value of "max" is out of range. It must be greater than the value of "min" (5). Received 5');
  assertEq(codeOf(() => crypto.randomBytes(-1)), 'ERR_OUT_OF_RANGE');
  assertEq(crypto.webcrypto, globalThis.crypto);
});

test('keys from passwords (RFC 6070, RFC 7914, RFC 5869)', async () => {
  assertEq(crypto.pbkdf2Sync('password', 'salt', 2, 20, 'sha1').toString('hex'),
    'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957');
  assertEq(crypto.pbkdf2Sync('passwd', 'salt', 1, 64, 'sha256').toString('hex').slice(0, 32),
    '55ac046e56e3089fec1691c22544b605');
  assertEq(crypto.scryptSync('', '', 64, { N: 16, r: 1, p: 1 }).toString('hex').slice(0, 32),
    '77d6576238657b203b19ca42c18a0497');
  const secret = Buffer.alloc(22, 0x0b);
  const salt = Buffer.from('000102030405060708090a0b0c', 'hex');
  const info = Buffer.from('f0f1f2f3f4f5f6f7f8f9', 'hex');
  assertEq(Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, 42)).toString('hex'),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  const later = await new Promise((resolve, reject) => {
    crypto.scrypt('', '', 4, { N: 16, r: 1, p: 1 }, (error, key) => (error ? reject(error) : resolve(key)));
  });
  assertEq(later.toString('hex'), '77d65762');
  const key = await new Promise((resolve) => crypto.pbkdf2('p', 's', 1, 20, 'sha1', (error, made) => resolve(made)));
  assertEq(key.toString('hex'), '843c87e7eda3ee2f64a61c8d1f997842651ddad0');
  assertEq(codeOf(() => crypto.scryptSync('p', 's', 16, { N: 3 })), 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS');
  assertEq(codeOf(() => crypto.pbkdf2Sync('p', 's', 0, 20, 'sha1')), 'ERR_OUT_OF_RANGE');
  assertEq(codeOf(() => crypto.hkdfSync('sha256', 'k', 's', 'i', 9999)), 'ERR_CRYPTO_INVALID_KEYLEN');
});

test('AES (NIST SP 800-38A, GCM test case 4)', () => {
  const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex');
  const text = Buffer.from('6bc1bee22e409f96e93d7e117393172a', 'hex');
  const block = (name, iv) => {
    const cipher = crypto.createCipheriv(name, key, iv);
    cipher.setAutoPadding(false);
    return cipher.update(text, undefined, 'hex') + cipher.final('hex');
  };
  assertEq(block('aes-128-ecb', null), '3ad77bb40d7a3660a89ecaf32466ef97');
  assertEq(block('aes-128-cbc', Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')),
    '7649abac8119b246cee98e9b12e9197d');
  assertEq(block('aes-128-ctr', Buffer.from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', 'hex')),
    '874d6191b620e3261bef6864990db6ce');

  const gcmKey = Buffer.from('feffe9928665731c6d6a8f9467308308', 'hex');
  const iv = Buffer.from('cafebabefacedbaddecaf888', 'hex');
  const plain = Buffer.from('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24' +
    '49a6b525b16aedf5aa0de657ba637b39', 'hex');
  const extra = Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex');
  const cipher = crypto.createCipheriv('aes-128-gcm', gcmKey, iv);
  cipher.setAAD(extra);
  const sealed = Buffer.concat([cipher.update(plain.subarray(0, 7)), cipher.update(plain.subarray(7)), cipher.final()]);
  assertEq(sealed.toString('hex'), '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c' +
    '7d8f6a5aac84aa051ba30b396a0aac973d58e091');
  assertEq(cipher.getAuthTag().toString('hex'), '5bc94fbc3221a5db94fae95ae7121a47');
  const open = (tag) => {
    const decipher = crypto.createDecipheriv('aes-128-gcm', gcmKey, iv);
    decipher.setAAD(extra).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed.subarray(0, 20)), decipher.update(sealed.subarray(20)), decipher.final()]);
  };
  assert(open(cipher.getAuthTag()).equals(plain));
  assertEq(thrown(() => open(Buffer.alloc(16)), 'an error').message,
    'Unsupported state or unable to authenticate data');
});

test('ciphers pad, and say what is wrong', () => {
  const key = Buffer.alloc(32, 1);
  const iv = Buffer.alloc(16, 2);
  for (const text of ['', 'a', 'x'.repeat(15), 'x'.repeat(16), 'x'.repeat(100)]) {
    const cipher = crypto.createCipheriv('aes-256-cbc', key, iv);
    const sealed = cipher.update(text, 'utf8', 'base64') + cipher.final('base64');
    const decipher = crypto.createDecipheriv('aes-256-cbc', key, iv);
    assertEq(decipher.update(sealed, 'base64', 'utf8') + decipher.final('utf8'), text);
  }
  const decipher = crypto.createDecipheriv('aes-256-cbc', key, iv);
  decipher.update(Buffer.alloc(16));
  assertEq(codeOf(() => decipher.final()), 'ERR_OSSL_BAD_DECRYPT');
  assertEq(codeOf(() => crypto.createCipheriv('nope', key, iv)), 'ERR_CRYPTO_UNKNOWN_CIPHER');
  assertEq(codeOf(() => crypto.createCipheriv('aes-256-cbc', key, 'x')), 'ERR_CRYPTO_INVALID_IV');
  assertEq(codeOf(() => crypto.createCipheriv('aes-256-cbc', 'k', iv)), 'ERR_CRYPTO_INVALID_KEYLEN');
  assertEq(crypto.getCipherInfo('aes-256-gcm').ivLength, 12);
});

test('timingSafeEqual', () => {
  assert(crypto.timingSafeEqual(Buffer.from('a'), new Uint8Array([97])));
  assert(!crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b')));
  assertEq(codeOf(() => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab'))),
    'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH');
});

test('scrypt that needs more memory than there is', () => {
  const options = { N: 2 ** 30, r: 2 ** 13, p: 1, maxmem: 2 ** 53 - 1 };
  assert(thrown(() => crypto.scryptSync('a', 'b', 8, options)) instanceof Error);
});
