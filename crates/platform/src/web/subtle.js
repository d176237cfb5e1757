// SubtleCrypto and CryptoKey (Web Cryptography): digests, HMAC, AES, PBKDF2 and HKDF.
const { create } = require('errors');
const { illegalConstructor, invalidThis, fillRandom } = require('crypto');
const { viewOf, isSharedArrayBuffer } = require('bytes');
const { inspect } = require('lazy_inspect');
const { digestOf, hmacOf } = require('hash');
const { derive, equal } = require('derive');
const { crypt } = require('ciphers');
const { decode, encode } = require('buffer');
const { BASE64URL, UTF8 } = require('encodings');
const BigIntOf = $.globals.BigInt;

const failure = (name, message) => new DOMException(message, name);
const operationFailed = () =>
  failure('OperationError', 'The operation failed for an operation-specific reason');
const invalidKey = () => failure('InvalidAccessError', 'The requested operation is not valid for the provided key');

// The digests, by their names here and in OpenSSL, with the sizes of their blocks in bits.
const HASHES = {
  __proto__: null, 'SHA-1': ['sha1', 512], 'SHA-256': ['sha256', 512], 'SHA-384': ['sha384', 1024],
  'SHA-512': ['sha512', 1024], 'SHA3-256': ['sha3-256', 1088], 'SHA3-384': ['sha3-384', 832],
  'SHA3-512': ['sha3-512', 576],
};
const AES = ['AES-CBC', 'AES-CTR', 'AES-GCM'];
const hashes = Object.keys(HASHES);
// Which algorithms each operation has, and the names of their parameters' types in messages.
const OPERATIONS = {
  __proto__: null, digest: hashes, encrypt: AES, decrypt: AES, wrapKey: AES, unwrapKey: AES, sign: ['HMAC'],
  verify: ['HMAC'], generateKey: [...$.each(AES), 'HMAC'], importKey: [...$.each(AES), 'HMAC', 'PBKDF2', 'HKDF'],
  deriveBits: ['PBKDF2', 'HKDF'], getKeyLength: [...$.each(AES), 'HMAC'],
};
const PARAMETERS = {
  __proto__: null,
  encrypt: { 'AES-CBC': ['AesCbcParams', 'iv'], 'AES-CTR': ['AesCtrParams', 'counter', 'length'], 'AES-GCM': ['AeadParams', 'iv'] },
  generateKey: {
    'AES-CBC': ['AesKeyGenParams', 'length'], 'AES-CTR': ['AesKeyGenParams', 'length'],
    'AES-GCM': ['AesKeyGenParams', 'length'], HMAC: ['HmacKeyGenParams', 'hash'],
  },
  importKey: { HMAC: ['HmacImportParams', 'hash'] },
  deriveBits: {
    PBKDF2: ['Pbkdf2Params', 'hash', 'iterations', 'salt'], HKDF: ['HkdfParams', 'hash', 'info', 'salt'],
  },
};
const missing = (type, name) => create('TypeError', 'ERR_MISSING_OPTION', $.text`Failed to normalize algorithm: passed ` +
  $.text`algorithm can not be converted to '${type}' because '${name}' is required in '${type}'.`);

// "Normalize an algorithm": the name as the standard writes it, and the members that this algorithm has.
/** @returns {any} */
const normalize = (algorithm, operation) => {
  const isObject = Object(algorithm) === algorithm;
  const given = isObject ? algorithm.name : algorithm;
  if (isObject && given === undefined) throw missing('Algorithm', 'name');
  const upper = $.toUpperCase($.text`${given}`);
  const name = $.find(OPERATIONS[operation], (known) => known === upper);
  if (name === undefined) throw failure('NotSupportedError', 'Unrecognized algorithm name');
  const kinds = operation === 'getKeyLength' ? 'generateKey'
    : $.includes(['decrypt', 'wrapKey', 'unwrapKey'], operation) ? 'encrypt' : operation;
  const { 0: type, ...members } = PARAMETERS[kinds]?.[name] ?? ['Algorithm'];
  const made = { name };
  for (const member of $.each(Object.values(members))) {
    const value = isObject ? algorithm[member] : undefined;
    if (value === undefined) throw missing(type, member);
    Object.assign(made, { [member]: convert(member, value, type) });
  }
  for (const member of $.each(['additionalData', 'tagLength', 'length'])) {
    const value = isObject && !Object.hasOwn(made, member) ? algorithm[member] : undefined;
    if (value !== undefined) Object.assign(made, { [member]: convert(member, value, type) });
  }
  return made;
};
const convert = (member, value, type) => {
  if (member === 'hash') return normalize(value, 'digest');
  if (member === 'length' || member === 'tagLength' || member === 'iterations') {
    const number = Math.trunc(+value);
    if (!(number >= 0 && number < 2 ** 32)) {
      throw new TypeError($.text`Failed to normalize algorithm: '${member}' of '${type}' is outside the expected range`);
    }
    return number;
  }
  return bytesOf(value, $.text`Failed to normalize algorithm: '${member}' of '${type}'`);
};
// A copy of a BufferSource.
const bytesOf = (value, place) => {
  const view = isSharedArrayBuffer(value) || ($.isView(value) && isSharedArrayBuffer($.buffer(value))) ? undefined
    : viewOf(value);
  if (view === undefined) {
    throw create('TypeError', 'ERR_INVALID_ARG_TYPE',
      $.text`${place} is not instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
  }
  return new Uint8Array(view);
};

const USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
const ALLOWED = {
  __proto__: null, HMAC: ['sign', 'verify'], PBKDF2: ['deriveKey', 'deriveBits'], HKDF: ['deriveKey', 'deriveBits'],
};
const allowedFor = (name) => ALLOWED[name] ?? ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey'];

let keyState;
let isOurs = false;
class CryptoKey {
  #state;
  constructor(state = undefined) {
    if (!isOurs) throw illegalConstructor();
    this.#state = state;
  }
  static {
    keyState = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
  }
  static #of(value) {
    const state = keyState(value);
    if (state === undefined) throw invalidThis('CryptoKey');
    return state;
  }
  get type() {
    return CryptoKey.#of(this) && 'secret';
  }
  get extractable() {
    return CryptoKey.#of(this).extractable;
  }
  get algorithm() {
    return CryptoKey.#of(this).shownAlgorithm;
  }
  get usages() {
    return CryptoKey.#of(this).shownUsages;
  }
  [inspect.custom](depth, options) {
    if (depth < 0) return '[CryptoKey]';
    const { type, extractable, algorithm, usages } = this;
    const inner = { ...options, depth: options.depth === null ? null : options.depth - 1 };
    return $.text`CryptoKey ${inspect({ type, extractable, algorithm, usages }, inner)}`;
  }
}
for (const name of $.each(['type', 'extractable', 'algorithm', 'usages'])) {
  Object.defineProperty(CryptoKey.prototype, name, { enumerable: true });
}
Object.defineProperty(CryptoKey.prototype, Symbol.toStringTag, { value: 'CryptoKey', configurable: true });

const makeKey = (bytes, algorithm, extractable, usages) => {
  const sorted = $.filter(USAGES, (usage) => $.includes(usages, usage));
  // (What scripts are shown they can change.)
  const { hash } = algorithm;
  const shownAlgorithm = hash === undefined ? { ...algorithm } : { ...algorithm, hash: { ...hash } };
  isOurs = true;
  try {
    return new CryptoKey({
      bytes, algorithm, extractable, usages: sorted, shownAlgorithm, shownUsages: $.slice(sorted),
    });
  } finally {
    isOurs = false;
  }
};
const place = (method, index) => $.text`Failed to execute '${method}' on 'SubtleCrypto': ${index} argument`;
const usagesOf = (method, index, value) => {
  const usages = [];
  // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
  for (const usage of value) {
    const text = $.text`${usage}`;
    if (!$.includes(USAGES, text)) {
      throw create('TypeError', 'ERR_INVALID_ARG_VALUE', $.text`${place(method, index)}[${usages.length}] value ` +
        $.text`'${text}' is not a valid enum value of type KeyUsage.`);
    }
    $.push(usages, text);
  }
  return usages;
};
const checkUsages = (name, usages) => {
  const allowed = allowedFor(name);
  if ($.every(usages, (usage) => $.includes(allowed, usage))) return;
  const kind = $.startsWith(name, 'AES') ? 'an AES' : name === 'HMAC' || name === 'HKDF' ? $.text`an ${name}` : $.text`a ${name}`;
  throw failure('SyntaxError', $.text`Unsupported key usage for ${kind} key`);
};
const stateOf = (method, index, key) => {
  const state = keyState(key);
  if (state === undefined) {
    throw create('TypeError', 'ERR_INVALID_ARG_TYPE', $.text`${place(method, index)} is not of type CryptoKey.`);
  }
  return state;
};
// The key's state, if it may be used so.
const usable = (state, { name }, usage) => {
  if (state.algorithm.name !== name) {
    throw usage === 'sign' || usage === 'verify'
      ? failure('InvalidAccessError', $.text`Unable to use this key to ${usage}`) : invalidKey();
  }
  if (!$.includes(state.usages, usage)) {
    throw usage === 'sign' || usage === 'verify'
      ? failure('InvalidAccessError', $.text`Unable to use this key to ${usage}`) : invalidKey();
  }
  return state;
};
const checkFormat = (method, index, format) => {
  const text = $.text`${format}`;
  if ($.includes(['raw', 'pkcs8', 'spki', 'jwk', 'raw-secret', 'raw-public', 'raw-seed', 'raw-private'], text)) return text;
  throw create('TypeError', 'ERR_INVALID_ARG_VALUE',
    $.text`${place(method, index)} value '${text}' is not a valid enum value of type KeyFormat.`);
};

const HMAC_NAMES = { __proto__: null, 'SHA-1': 'HS1', 'SHA-256': 'HS256', 'SHA-384': 'HS384', 'SHA-512': 'HS512' };
const jwkName = ({ name, length, hash }) =>
  (name === 'HMAC' ? HMAC_NAMES[hash.name] : $.text`A${length}${$.slice(name, 4)}`);

const importKey = (format, data, algorithm, extractable, usages) => {
  const { name } = algorithm;
  checkUsages(name, usages);
  const isJwk = format === 'jwk';
  const isPassword = name === 'PBKDF2' || name === 'HKDF';
  if ((isJwk && isPassword) || (!isJwk && format !== 'raw' && format !== 'raw-secret')) {
    throw failure('NotSupportedError', $.text`Unable to import ${name} using ${format} format`);
  }
  let bytes = data;
  if (isJwk) {
    const { kty, k, ext, use, key_ops: operations } = data;
    if (kty !== 'oct') throw failure('DataError', 'Invalid JWK "kty" Parameter');
    if (typeof k !== 'string') throw failure('DataError', 'Invalid JWK');
    if (use !== undefined && use !== (name === 'HMAC' ? 'sig' : 'enc')) {
      throw failure('DataError', 'Invalid JWK "use" Parameter');
    }
    if (operations !== undefined && !$.every(usages, (usage) => $.includes(operations, usage))) {
      throw failure('DataError', 'Key operations and usage mismatch');
    }
    if (ext !== undefined && ext === false && extractable) {
      throw failure('DataError', 'JWK "ext" Parameter and extractable mismatch');
    }
    bytes = encode(k, BASE64URL);
  }
  const bits = $.length(bytes) * 8;
  /** @type {any} */
  let made = { name };
  if (isPassword) {
    if (extractable) throw failure('SyntaxError', $.text`${name} keys are not extractable`);
  } else if (name === 'HMAC') {
    if (bits === 0) throw failure('DataError', 'Zero-length key is not supported');
    if (algorithm.length !== undefined && algorithm.length !== bits) {
      throw failure('NotSupportedError', 'Unsupported HmacImportParams.length');
    }
    made = { name, length: bits, hash: algorithm.hash };
  } else {
    if (bits !== 128 && bits !== 192 && bits !== 256) throw failure('DataError', 'Invalid key length');
    made = { name, length: bits };
  }
  if (isJwk && data.alg !== undefined && data.alg !== jwkName(made)) {
    throw failure('DataError', 'JWK "alg" does not match the requested algorithm');
  }
  if (usages.length === 0) throw failure('SyntaxError', 'Usages cannot be empty when importing a secret key.');
  return makeKey(new Uint8Array(bytes), made, extractable, usages);
};
/** @returns {any} */
const exportKey = (format, state) => {
  const { name } = state.algorithm;
  if (name === 'PBKDF2' || name === 'HKDF') {
    throw failure('NotSupportedError', $.text`${name} key export is not supported`);
  }
  if (!state.extractable) throw failure('InvalidAccessError', 'key is not extractable');
  if (format === 'raw' || format === 'raw-secret') return $.buffer(new Uint8Array(state.bytes));
  if (format !== 'jwk') {
    throw failure('NotSupportedError', $.text`Unable to export ${name} secret key using ${format} format`);
  }
  const alg = jwkName(state.algorithm);
  const made = { key_ops: $.slice(state.usages), ext: state.extractable };
  return Object.assign(made, alg === undefined ? undefined : { alg }, { kty: 'oct', k: decode(state.bytes, BASE64URL) });
};
const keyLength = ({ name, length, hash }) => {
  if (name === 'HMAC') {
    if (length === 0) throw failure('OperationError', 'Zero-length key is not supported');
    return length ?? HASHES[hash.name][1];
  }
  if (length === 128 || length === 192 || length === 256) return length;
  throw failure('OperationError', 'AES key length must be 128, 192, or 256 bits');
};

// AES-CTR counts in the last `length` bits of the counter, which wrap around.
const counter = ({ counter, length }, bytes, data) => {
  if ($.length(counter) !== 16) throw failure('OperationError', 'algorithm.counter must contain exactly 16 bytes');
  if (!(length >= 1 && length <= 128)) {
    throw failure('OperationError', 'AES-CTR algorithm.length must be between 1 and 128');
  }
  const size = $.length(data);
  const start = BigIntOf($.text`0x${$.toHex(counter)}`);
  const all = 1n << BigIntOf(length);
  const blocks = BigIntOf(Math.trunc((size + 15) / 16));
  if (blocks > all) throw operationFailed();
  const beforeWrap = all - start % all;
  if (blocks <= beforeWrap) return crypt('ctr', bytes, counter, data, true);
  const split = Number(beforeWrap) * 16;
  const wrapped = $.fromHex($.padStart(hexOf(start - start % all), 32, '0'));
  const made = new Uint8Array(size);
  $.set(made, new Uint8Array(crypt('ctr', bytes, counter, $.subarray(data, 0, split), true)));
  $.set(made, new Uint8Array(crypt('ctr', bytes, wrapped, $.subarray(data, split, size), true)), split);
  return $.buffer(made);
};
const hexOf = (number) => {
  let text = '';
  for (let rest = number; rest > 0n; rest /= 16n) text = $.toString(Number(rest % 16n), 16) + text;
  return text;
};
const cipher = (algorithm, { bytes }, data, isEncrypting) => {
  const { name, iv, additionalData, tagLength = 128 } = algorithm;
  if (name === 'AES-CTR') return counter(algorithm, bytes, data);
  if (name === 'AES-CBC' && $.length(iv) !== 16) {
    throw failure('OperationError', 'algorithm.iv must contain exactly 16 bytes');
  }
  if (name === 'AES-GCM' && !$.includes([32, 64, 96, 104, 112, 120, 128], tagLength)) {
    throw failure('OperationError', $.text`${tagLength} is not a valid AES-GCM tag length`);
  }
  const mode = name === 'AES-CBC' ? 'cbc' : 'gcm';
  const made = crypt(mode, bytes, iv, data, isEncrypting, mode === 'gcm' ? additionalData : undefined, tagLength / 8);
  if (made === undefined) throw operationFailed();
  return made;
};
const deriveBits = (algorithm, { bytes }, length) => {
  const { name, hash, salt, info, iterations } = algorithm;
  if (length === null || length === undefined) throw failure('OperationError', 'length cannot be null');
  if (length % 8 !== 0) throw failure('OperationError', 'length must be a multiple of 8');
  if (iterations === 0) throw failure('OperationError', 'iterations cannot be zero');
  if (length === 0) return new ArrayBuffer(0);
  const digest = HASHES[hash.name][0];
  const made = name === 'PBKDF2' ? derive.pbkdf2(digest, bytes, salt, iterations, length / 8)
    : derive.hkdf(digest, bytes, salt, info, length / 8);
  if (made === undefined) throw operationFailed();
  return made;
};
const dictionary = (value) => {
  if (Object(value) === value) return value;
  throw create('TypeError', 'ERR_INVALID_ARG_TYPE', $.text`${place('importKey', '2nd')} can not be converted to a dictionary`);
};

const operations = {
  async digest(algorithm, data) {
    const { name } = normalize(algorithm, 'digest');
    return digestOf(HASHES[name][0], bytesOf(data, place('digest', '2nd')));
  },
  async encrypt(algorithm, key, data) {
    const state = stateOf('encrypt', '2nd', key);
    const bytes = bytesOf(data, place('encrypt', '3rd'));
    const normal = normalize(algorithm, 'encrypt');
    return cipher(normal, usable(state, normal, 'encrypt'), bytes, true);
  },
  async decrypt(algorithm, key, data) {
    const state = stateOf('decrypt', '2nd', key);
    const bytes = bytesOf(data, place('decrypt', '3rd'));
    const normal = normalize(algorithm, 'decrypt');
    return cipher(normal, usable(state, normal, 'decrypt'), bytes, false);
  },
  async sign(algorithm, key, data) {
    const state = stateOf('sign', '2nd', key);
    const bytes = bytesOf(data, place('sign', '3rd'));
    usable(state, normalize(algorithm, 'sign'), 'sign');
    return hmacOf(HASHES[state.algorithm.hash.name][0], state.bytes, bytes);
  },
  async verify(algorithm, key, signature, data) {
    const state = stateOf('verify', '2nd', key);
    const given = bytesOf(signature, place('verify', '3rd'));
    const bytes = bytesOf(data, place('verify', '4th'));
    usable(state, normalize(algorithm, 'verify'), 'verify');
    return equal(hmacOf(HASHES[state.algorithm.hash.name][0], state.bytes, bytes), given);
  },
  async generateKey(algorithm, extractable, keyUsages) {
    const usages = usagesOf('generateKey', '3rd', keyUsages);
    const normal = normalize(algorithm, 'generateKey');
    const { name, hash } = normal;
    checkUsages(name, usages);
    const length = keyLength(normal);
    if (usages.length === 0) throw failure('SyntaxError', 'Usages cannot be empty when creating a key.');
    const bytes = new Uint8Array(Math.trunc((length + 7) / 8));
    fillRandom(bytes, $.length(bytes));
    const made = name === 'HMAC' ? { name, length, hash } : { name, length };
    return makeKey(bytes, made, Boolean(extractable), usages);
  },
  async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    const state = stateOf('deriveKey', '2nd', baseKey);
    const usages = usagesOf('deriveKey', '5th', keyUsages);
    const normal = normalize(algorithm, 'deriveBits');
    const type = normalize(derivedKeyType, 'importKey');
    const length = keyLength(normalize(derivedKeyType, 'getKeyLength'));
    usable(state, normal, 'deriveKey');
    const bits = new Uint8Array(deriveBits(normal, state, length));
    return importKey('raw', bits, type, Boolean(extractable), usages);
  },
  async deriveBits(algorithm, baseKey, length = null) {
    const state = stateOf('deriveBits', '2nd', baseKey);
    const normal = normalize(algorithm, 'deriveBits');
    return deriveBits(normal, usable(state, normal, 'deriveBits'), length === null ? null : +length);
  },
  async importKey(format, keyData, algorithm, extractable, keyUsages) {
    const kind = checkFormat('importKey', '1st', format);
    const data = kind === 'jwk' ? dictionary(keyData) : bytesOf(keyData, place('importKey', '2nd'));
    const usages = usagesOf('importKey', '5th', keyUsages);
    return importKey(kind, data, normalize(algorithm, 'importKey'), Boolean(extractable), usages);
  },
  async exportKey(format, key) {
    const kind = checkFormat('exportKey', '1st', format);
    return exportKey(kind, stateOf('exportKey', '2nd', key));
  },
  async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    const kind = checkFormat('wrapKey', '1st', format);
    const state = stateOf('wrapKey', '2nd', key);
    const normal = normalize(wrapAlgorithm, 'wrapKey');
    const wrapping = usable(stateOf('wrapKey', '3rd', wrappingKey), normal, 'wrapKey');
    const made = exportKey(kind, state);
    return cipher(normal, wrapping, kind === 'jwk' ? encode(JSON.stringify(made), UTF8) : new Uint8Array(made), true);
  },
  async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgo, unwrappedKeyAlgo, extractable, keyUsages) {
    const kind = checkFormat('unwrapKey', '1st', format);
    const bytes = bytesOf(wrappedKey, place('unwrapKey', '2nd'));
    const normal = normalize(unwrapAlgo, 'unwrapKey');
    const type = normalize(unwrappedKeyAlgo, 'importKey');
    const usages = usagesOf('unwrapKey', '7th', keyUsages);
    const state = usable(stateOf('unwrapKey', '3rd', unwrappingKey), normal, 'unwrapKey');
    const made = new Uint8Array(cipher(normal, state, bytes, false));
    return importKey(kind, kind === 'jwk' ? JSON.parse(decode(made, UTF8)) : made, type, Boolean(extractable), usages);
  },
};
// How many arguments each method needs, and the number of its parameters where that is another.
const NEEDED = {
  __proto__: null, encrypt: 3, decrypt: 3, sign: 3, verify: 4, digest: 2, generateKey: 3, deriveKey: 5, deriveBits: 2,
  importKey: 5, exportKey: 2, wrapKey: 4, unwrapKey: 7,
};
const UNSUPPORTED = ['getPublicKey', 'encapsulateBits', 'encapsulateKey', 'decapsulateBits', 'decapsulateKey'];
let subtleBrand;
class SubtleCrypto {
  #brand = true;
  constructor() {
    if (!isOurs) throw illegalConstructor();
  }
  // (Some algorithms fail later, because of their parameters.)
  static supports(operation, algorithm, _lengthOrAdditionalAlgorithm = null) {
    if (this !== SubtleCrypto) throw invalidThis('SubtleCrypto constructor');
    const kind = operation === 'exportKey' ? 'importKey' : operation === 'deriveKey' ? 'deriveBits' : $.text`${operation}`;
    if (OPERATIONS[kind] === undefined) return false;
    try {
      normalize(algorithm, kind);
      return true;
    } catch {
      return false;
    }
  }
  static {
    subtleBrand = (value) => Object(value) === value && #brand in value && value.#brand;
  }
}
Object.defineProperty(SubtleCrypto, 'supports', { enumerable: true });
const method = (name, needed, run) => {
  const { [name]: made } = { async [name](...args) {
    if (!subtleBrand(this)) throw invalidThis('SubtleCrypto');
    if (args.length < needed) {
      throw create('TypeError', 'ERR_MISSING_ARGS', $.text`Failed to execute '${name}' on 'SubtleCrypto': ` +
        $.text`${needed} arguments required, but only ${args.length} present.`);
    }
    return await $.awaited(run(...$.each(args)));
  } };
  Object.defineProperty(made, 'length', { value: needed, configurable: true });
  Object.defineProperty(SubtleCrypto.prototype, name, {
    value: made, writable: true, enumerable: true, configurable: true,
  });
};
for (const name of $.each(Object.keys(NEEDED))) method(name, NEEDED[name], operations[name]);
for (const name of $.each(UNSUPPORTED)) {
  method(name, 0, async () => {
    throw require('errors').notImplemented($.text`crypto.subtle.${name}`);
  });
}
Object.defineProperty(SubtleCrypto.prototype, Symbol.toStringTag, { value: 'SubtleCrypto', configurable: true });
isOurs = true;
const subtle = new SubtleCrypto();
isOurs = false;
exports.subtle = subtle;
exports.SubtleCrypto = SubtleCrypto;
exports.CryptoKey = CryptoKey;
// For node:crypto: the bytes of a key, and a key of bytes.
exports.bytesOfKey = (key) => keyState(key)?.bytes;
exports.keyOf = (bytes, algorithm, extractable, usages) =>
  importKey('raw', bytes, normalize(algorithm, 'importKey'), Boolean(extractable), usagesOf('importKey', '5th', usages));
