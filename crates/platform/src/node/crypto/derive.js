// Keys derived from passwords and other secrets, and comparison in constant time, of node:crypto.
/**
 * What Rust provides. Keys are ArrayBuffers, or undefined if they cannot be made; with `settle`, another thread makes
 * them, and `settle` is called with them.
 * @type {{
 *   pbkdf2(digest: string, password: Uint8Array, salt: Uint8Array, rounds: number, length: number, settle?: Function): any,
 *   hkdf(digest: string, secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number, settle?: Function): any,
 *   scrypt(password: Uint8Array, salt: Uint8Array, costs: number[], length: number, settle?: Function): any,
 *   equal(one: ArrayBufferView | ArrayBuffer, two: ArrayBufferView | ArrayBuffer): boolean,
 * }}
 */
const native = rust;
const { create, invalidArgType, outOfRange } = require('errors');
const { validateFunction, validateInteger, validateInt32, validateString, validateUint32 } = require('validators');
const { viewOf } = require('bytes');
const { encode, fromBytes } = require('buffer');
const { UTF8 } = require('encodings');
const { sizeOf, invalidDigest } = require('hash');
const ANY_BYTES = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView';

const bytesOf = (value, name, expected = ANY_BYTES) => {
  const bytes = typeof value === 'string' ? encode(value, UTF8) : viewOf(value);
  if (bytes === undefined) throw invalidArgType(name, expected, value);
  return bytes;
};
// Starts work that ends with a key, and calls back with what `convert` makes of it.
const start = (work, convert, callback) => work((error, made) => {
  let key;
  try {
    if (error) throw error;
    key = convert(made);
  } catch (failure) {
    callback(failure);
    return;
  }
  callback(null, key);
});
const bufferOf = (made) => fromBytes(new Uint8Array(made));

const pbkdf2Work = (password, salt, iterations, keylen, digest) => {
  validateString(digest, 'digest');
  password = new Uint8Array(bytesOf(password, 'password'));
  salt = new Uint8Array(bytesOf(salt, 'salt'));
  validateInt32(iterations, 'iterations', 1);
  validateInt32(keylen, 'keylen', 0);
  if (sizeOf(digest) === undefined) throw invalidDigest(digest);
  // (An argument that is undefined is still one.)
  return (...settle) => native.pbkdf2(digest, password, salt, iterations, keylen, ...$.each(settle));
};
const pbkdf2Key = (made) => {
  if (made === undefined || $.bufferLength(made) === 0) throw new Error('PBKDF2 derivation failed');
  return bufferOf(made);
};
exports.pbkdf2 = function pbkdf2(password, salt, iterations, keylen, digest, callback) {
  if (typeof digest === 'function') {
    callback = digest;
    digest = undefined;
  }
  const work = pbkdf2Work(password, salt, iterations, keylen, digest);
  validateFunction(callback, 'callback');
  start(work, pbkdf2Key, callback);
};
exports.pbkdf2Sync = function pbkdf2Sync(password, salt, iterations, keylen, digest) {
  return pbkdf2Key(pbkdf2Work(password, salt, iterations, keylen, digest)());
};

const scryptOption = (options, name, other, ordinary) => {
  const one = options?.[name];
  const two = options?.[other];
  if (one !== undefined) validateUint32(one, name);
  if (two === undefined) return one || ordinary;
  if (one !== undefined) {
    throw create('TypeError', 'ERR_INCOMPATIBLE_OPTION_PAIR',
      $.text`Option "${name}" cannot be used in combination with option "${other}"`);
  }
  validateUint32(two, other);
  return two || ordinary;
};
const invalidScrypt = (why) =>
  create('RangeError', 'ERR_CRYPTO_INVALID_SCRYPT_PARAMS', $.text`Invalid scrypt params${why}`);
const scryptWork = (password, salt, keylen, options) => {
  password = new Uint8Array(bytesOf(password, 'password'));
  salt = new Uint8Array(bytesOf(salt, 'salt'));
  validateInt32(keylen, 'keylen', 0);
  const cost = scryptOption(options, 'N', 'cost', 16384);
  const blockSize = scryptOption(options, 'r', 'blockSize', 8);
  const parallelization = scryptOption(options, 'p', 'parallelization', 1);
  const limit = options?.maxmem;
  if (limit !== undefined) validateInteger(limit, 'maxmem', 0);
  let power = 0;
  while (2 ** power < cost) power++;
  if (2 ** power !== cost) throw invalidScrypt('');
  const memory = 128 * blockSize * (cost + parallelization + 2);
  const isTooMuch = cost < 2 || cost >= 2 ** (blockSize * 16) || parallelization > (2 ** 30 - 1) / blockSize;
  if (isTooMuch || memory > (limit || 32 * 1024 * 1024)) {
    throw invalidScrypt(': error:030000AC:digital envelope routines::memory limit exceeded');
  }
  return (...settle) =>
    native.scrypt(password, salt, [power, blockSize, parallelization], keylen, ...$.each(settle));
};
const scryptKey = (made) => {
  if (made === undefined) throw invalidScrypt('');
  return bufferOf(made);
};
exports.scrypt = function scrypt(password, salt, keylen, options, callback) {
  if (callback === undefined) {
    callback = options;
    options = undefined;
  }
  const work = scryptWork(password, salt, keylen, options);
  validateFunction(callback, 'callback');
  start(work, scryptKey, callback);
};
exports.scryptSync = function scryptSync(password, salt, keylen, options) {
  return scryptKey(scryptWork(password, salt, keylen, options)());
};

const HKDF_BYTES = 'of type string or an instance of ArrayBuffer, TypedArray, DataView, or Buffer';
const hkdfWork = (digest, ikm, salt, info, length) => {
  validateString(digest, 'digest');
  const secret = require('keys').bytesOfSecret(ikm) ?? bytesOf(ikm, 'ikm',
    'of type string or an instance of SecretKeyObject, ArrayBuffer, TypedArray, DataView, or Buffer');
  const key = new Uint8Array(secret);
  salt = new Uint8Array(bytesOf(salt, 'salt', HKDF_BYTES));
  info = new Uint8Array(bytesOf(info, 'info', HKDF_BYTES));
  validateInteger(length, 'length', 0, 2 ** 53 - 1);
  if ($.length(info) > 1024) {
    throw outOfRange('info', 'must not contain more than 1024 bytes', $.length(info));
  }
  const size = sizeOf(digest);
  if (size === undefined) throw invalidDigest(digest);
  if (length > size * 255) throw create('RangeError', 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
  return (...settle) => native.hkdf(digest, key, salt, info, length, ...$.each(settle));
};
const hkdfKey = (made) => {
  if (made === undefined) throw new Error('HKDF derivation failed');
  return made;
};
exports.hkdf = function hkdf(digest, ikm, salt, info, length, callback) {
  const work = hkdfWork(digest, ikm, salt, info, length);
  validateFunction(callback, 'callback');
  start(work, hkdfKey, callback);
};
exports.hkdfSync = function hkdfSync(digest, ikm, salt, info, length) {
  return hkdfKey(hkdfWork(digest, ikm, salt, info, length)());
};

exports.timingSafeEqual = function timingSafeEqual(buf1, buf2) {
  for (const { 0: name, 1: value } of $.each([['buf1', buf1], ['buf2', buf2]])) {
    if (viewOf(value) === undefined) {
      throw create('TypeError', 'ERR_INVALID_ARG_TYPE',
        $.text`The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
    }
  }
  if ($.length(viewOf(buf1)) !== $.length(viewOf(buf2))) {
    throw create('RangeError', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', 'Input buffers must have the same byte length');
  }
  return native.equal(buf1, buf2);
};
exports.equal = native.equal;
exports.derive = native;
