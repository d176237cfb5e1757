// node:crypto. What is there and not implemented throws when it is called.
const { create, notImplemented } = require('errors');
const { crypto } = require('crypto');
const ciphers = require('ciphers');
const derive = require('derive');
const hash = require('hash');
const keys = require('keys');
const random = require('random');

const ORDER = [
  'argon2', 'argon2Sync', 'checkPrime', 'checkPrimeSync', 'createCipheriv', 'createDecipheriv', 'createDiffieHellman',
  'createDiffieHellmanGroup', 'createECDH', 'createHash', 'createHmac', 'createPrivateKey', 'createPublicKey',
  'createSecretKey', 'createSign', 'createVerify', 'diffieHellman', 'generatePrime', 'generatePrimeSync', 'getCiphers',
  'getCipherInfo', 'getCurves', 'getDiffieHellman', 'getHashes', 'hkdf', 'hkdfSync', 'pbkdf2', 'pbkdf2Sync',
  'generateKeyPair', 'generateKeyPairSync', 'generateKey', 'generateKeySync', 'privateDecrypt', 'privateEncrypt',
  'publicDecrypt', 'publicEncrypt', 'randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'scrypt',
  'scryptSync', 'sign', 'setEngine', 'timingSafeEqual', 'getFips', 'setFips', 'verify', 'hash', 'encapsulate',
  'decapsulate', 'Certificate', 'Cipheriv', 'Decipheriv', 'DiffieHellman', 'DiffieHellmanGroup', 'ECDH', 'Hash', 'Hmac',
  'KeyObject', 'Sign', 'Verify', 'X509Certificate', 'secureHeapUsed',
];
const own = {
  __proto__: null,
  getCurves() {
    return [];
  },
  getFips() {
    return 0;
  },
  setFips(value) {
    if (value) throw create('Error', 'ERR_CRYPTO_FIPS_UNAVAILABLE', 'Cannot set FIPS mode in a non-FIPS build.');
  },
  secureHeapUsed() {
    return { total: 0, used: 0, utilization: NaN, min: 2 };
  },
};
// (Classes are among them, so these are functions that can be called with `new`.)
const stub = (name) => Object.defineProperty(function () {
  throw notImplemented($.text`crypto.${name}`);
}, 'name', { value: name, configurable: true });
/** @type {any} */
const module = {};
for (const name of $.each(ORDER)) {
  module[name] = own[name] ?? ciphers[name] ?? derive[name] ?? hash[name] ?? keys[name] ?? random[name] ?? stub(name);
}
Object.defineProperty(module, 'fips', { get: own.getFips, set: own.setFips });
Object.defineProperty(module, 'constants', { enumerable: true, value: Object.assign({ __proto__: null }, {
  RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_X931_PADDING: 5, RSA_PKCS1_PSS_PADDING: 6,
  RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2, TLS1_VERSION: 769,
  TLS1_1_VERSION: 770, TLS1_2_VERSION: 771, TLS1_3_VERSION: 772, POINT_CONVERSION_COMPRESSED: 2,
  POINT_CONVERSION_UNCOMPRESSED: 4, POINT_CONVERSION_HYBRID: 6, DH_CHECK_P_NOT_SAFE_PRIME: 2, DH_CHECK_P_NOT_PRIME: 1,
  DH_UNABLE_TO_CHECK_GENERATOR: 4, DH_NOT_SUITABLE_GENERATOR: 8, ENGINE_METHOD_RSA: 1, ENGINE_METHOD_DSA: 2,
  ENGINE_METHOD_DH: 4, ENGINE_METHOD_RAND: 8, ENGINE_METHOD_EC: 2048, ENGINE_METHOD_CIPHERS: 64,
  ENGINE_METHOD_DIGESTS: 128, ENGINE_METHOD_PKEY_METHS: 512, ENGINE_METHOD_PKEY_ASN1_METHS: 1024,
  ENGINE_METHOD_ALL: 65535, ENGINE_METHOD_NONE: 0,
}) });
// (Bound, as Node has it: scripts call it without `crypto`.)
const getRandomValues = (array) => crypto.getRandomValues(array);
const getters = { webcrypto: () => crypto, subtle: () => crypto.subtle, getRandomValues: () => getRandomValues };
for (const name of $.each(Object.keys(getters))) {
  Object.defineProperty(module, name, { enumerable: true, get: getters[name] });
}
for (const name of $.each(['prng', 'pseudoRandomBytes', 'rng'])) {
  Object.defineProperty(module, name, { configurable: true, get: () => random.randomBytes });
}
exports.module = module;
