// Digests and HMACs of node:crypto.
/**
 * What Rust provides.
 * @type {{
 *   hasher(name: string): object | undefined,
 *   hmac(name: string, key: ArrayBufferView): object | undefined,
 *   update(hasher: object, data: ArrayBufferView): void,
 *   finish(hasher: object, length: number): ArrayBuffer,
 *   copy(hasher: object): object,
 *   size(name: string): number | undefined,
 *   isExtendable(name: string): boolean,
 *   names(): string[],
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateObject, validateString, validateUint32 } = require('validators');
const { find, UTF8 } = require('encodings');
const { decode, encode, fromBytes } = require('buffer');
const { LazyTransform } = require('lazy_transform');
const kHandle = Symbol('kHandle');
const kState = Symbol('kState');
const kFinalized = Symbol('kFinalized');
const DATA = 'of type string or an instance of Buffer, TypedArray, or DataView';

const finalized = () => create('Error', 'ERR_CRYPTO_HASH_FINALIZED', 'Digest already called');
const unsupported = (name) => new Error($.text`Digest method ${name}not supported`);
exports.invalidDigest = (name) => create('TypeError', 'ERR_CRYPTO_INVALID_DIGEST', $.text`Invalid digest: ${name}`);
// (An encoding that does not exist is taken for UTF-8.)
const bytesOf = (data, encoding, name) => {
  if (typeof data === 'string') return encode(data, encoding ? find(encoding) ?? UTF8 : UTF8);
  if (!$.isView(data)) throw invalidArgType(name, DATA, data);
  return data;
};
const output = (buffer, encoding = undefined) => {
  const bytes = fromBytes(new Uint8Array(buffer));
  const id = encoding === undefined || encoding === null || encoding === 'buffer' ? undefined : find(encoding);
  return id === undefined ? bytes : decode(bytes, id);
};
// How many bytes a digest makes; a wish for another length is only granted by some.
const lengthOf = (algorithm, wish) => {
  const size = native.size(algorithm);
  if (wish === undefined || wish === size || native.isExtendable(algorithm)) return wish ?? size;
  throw Object.assign(new Error('error:030000B2:digital envelope routines::not XOF or invalid length'), {
    library: 'digital envelope routines', reason: 'not XOF or invalid length',
    code: 'ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH',
  });
};

/**
 * @constructor
 * @param {any} algorithm
 * @param {any} [options]
 * @this {any}
 */
function Hash(algorithm, options) {
  if (!new.target) return new Hash(algorithm, options);
  const isCopy = algorithm instanceof Hash;
  if (!isCopy) validateString(algorithm, 'algorithm');
  const wish = options?.outputLength;
  if (wish !== undefined) validateUint32(wish, 'options.outputLength');
  const from = isCopy ? /** @type {any} */ (algorithm) : undefined;
  Reflect.apply(LazyTransform, this, [options]);
  this[kHandle] = isCopy ? native.copy(from[kHandle]) : native.hasher(algorithm);
  if (this[kHandle] === undefined) throw unsupported('');
  const name = isCopy ? from[kState].algorithm : algorithm;
  const length = lengthOf(name, wish);
  this[kState] = Object.defineProperty({ [kFinalized]: false }, 'algorithm', { value: name });
  Object.defineProperty(this[kState], 'length', { value: length });
}
/**
 * @constructor
 * @param {any} hmac
 * @param {any} key
 * @param {any} [options]
 * @this {any}
 */
function Hmac(hmac, key, options) {
  if (!new.target) return new Hmac(hmac, key, options);
  validateString(hmac, 'hmac');
  const secret = require('keys').secretOf(key, options?.encoding);
  if (native.size(hmac) === undefined) throw exports.invalidDigest(hmac);
  Reflect.apply(LazyTransform, this, [options]);
  this[kHandle] = native.hmac(hmac, secret);
  if (this[kHandle] === undefined) throw new Error('error:00000000:lib(0)::reason(0)');
  this[kState] = { [kFinalized]: false };
}

// The result, which a stream and one call of `digest` can ask for.
const results = new WeakMap();
const finish = (self) => {
  if (!results.has(self)) results.set(self, native.finish(self[kHandle], self[kState].length ?? 0));
  return $.buffer(new Uint8Array(new Uint8Array(results.get(self))));
};
/** @type {any} */
const methods = {
  copy(options) {
    if (this[kState][kFinalized]) throw finalized();
    return new Hash(this, options);
  },
  _transform(chunk, encoding, callback) {
    native.update(this[kHandle], bytesOf(chunk, encoding, 'data'));
    callback();
  },
  _flush(callback) {
    this.push(output(finish(this)));
    callback();
  },
  update(data, encoding) {
    if (this[kState][kFinalized]) throw finalized();
    native.update(this[kHandle], bytesOf(data, encoding, 'data'));
    return this;
  },
  digest(outputEncoding) {
    const state = this[kState];
    if (state[kFinalized]) throw finalized();
    const encoding = outputEncoding === undefined || outputEncoding === null ? undefined : $.text`${outputEncoding}`;
    state[kFinalized] = true;
    return output(finish(this), encoding);
  },
};
/** @type {any} */
const hmacMethods = {
  update: methods.update,
  digest: { digest(outputEncoding) {
    const state = this[kState];
    const encoding = outputEncoding === undefined || outputEncoding === null ? undefined : $.text`${outputEncoding}`;
    // (A second call gives nothing.)
    if (state[kFinalized]) return output(new ArrayBuffer(0), encoding);
    state[kFinalized] = true;
    return output(finish(this), encoding);
  } }.digest,
  _flush: methods._flush,
  _transform: methods._transform,
};
for (const { Class, own } of $.each([{ Class: Hash, own: methods }, { Class: Hmac, own: hmacMethods }])) {
  Object.setPrototypeOf(Class.prototype, LazyTransform.prototype);
  Object.setPrototypeOf(Class, LazyTransform);
  Object.assign(Class.prototype, own);
}

const deprecated = (Class, code) => Object.defineProperties(function (...args) {
  require('deprecation').warn($.text`crypto.${Class.name} constructor is deprecated.`, code);
  return Reflect.construct(Class, args, new.target ?? Class);
}, {
  name: { value: Class.name, configurable: true }, length: { value: Class.length, configurable: true },
  prototype: { value: Class.prototype },
});
exports.Hash = deprecated(Hash, 'DEP0179');
exports.Hmac = deprecated(Hmac, 'DEP0181');
exports.createHash = function createHash(algorithm, options) {
  return new Hash(algorithm, options);
};
exports.createHmac = function createHmac(hmac, key, options) {
  return new Hmac(hmac, key, options);
};
exports.getHashes = function getHashes() {
  return native.names();
};
exports.hash = function hash(algorithm, input, options) {
  validateString(algorithm, 'algorithm');
  const bytes = bytesOf(input, 'utf8', 'input');
  if (options !== undefined && typeof options !== 'string') validateObject(options, 'options');
  const wished = typeof options === 'string' ? options : options?.outputEncoding;
  const encoding = wished ?? 'hex';
  if (typeof encoding !== 'string' || (encoding !== 'buffer' && find(encoding) === undefined)) {
    throw invalidArgValue('outputEncoding', encoding);
  }
  const hasher = native.hasher(algorithm);
  if (hasher === undefined) throw unsupported($.text`${algorithm} is `);
  const wish = typeof options === 'string' ? undefined : options?.outputLength;
  if (wish !== undefined) validateUint32(wish, 'options.outputLength');
  const size = native.size(algorithm);
  if (wish !== undefined && wish !== size && !native.isExtendable(algorithm)) {
    throw new Error($.text`Output length ${wish} is invalid for ${algorithm}, which does not support XOF`);
  }
  const length = wish ?? size;
  native.update(hasher, bytes);
  return output(native.finish(hasher, length), encoding);
};
// For other files: whether there is a digest with this name, and digests and HMACs of bytes.
exports.sizeOf = native.size;
exports.digestOf = (name, bytes) => {
  const hasher = native.hasher(name);
  native.update(hasher, bytes);
  return native.finish(hasher, native.size(name));
};
exports.hmacOf = (name, key, bytes) => {
  const hasher = native.hmac(name, key);
  native.update(hasher, bytes);
  return native.finish(hasher, 0);
};
