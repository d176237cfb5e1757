// KeyObjects of node:crypto: secret keys only.
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateInteger, validateFunction, validateOneOf, validateString, validateObject } = require('validators');
const { viewOf } = require('bytes');
const { decode, encode, fromBytes, Buffer } = require('buffer');
const { orUtf8, BASE64URL } = require('encodings');
const BYTES = 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView';
const KEY = 'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey';

let bytesIn;
class KeyObject {
  #bytes;
  constructor(type, handle) {
    if (type !== 'secret' && type !== 'public' && type !== 'private') throw invalidArgValue('type', type);
    if (typeof handle !== 'object' || !($.isView(handle))) throw invalidArgType('handle', 'of type object', handle);
    this.#bytes = new Uint8Array($.bytesOf(handle));
  }
  static {
    bytesIn = (value) => (Object(value) === value && #bytes in value ? value.#bytes : undefined);
  }
  static from(key) {
    const bytes = require('subtle').bytesOfKey(key);
    if (bytes === undefined) throw invalidArgType('key', 'an instance of CryptoKey', key);
    return make(bytes);
  }
  get type() {
    return this.#bytes && 'secret';
  }
  equals(otherKeyObject) {
    const other = bytesIn(otherKeyObject);
    if (other === undefined) throw invalidArgType('otherKeyObject', 'an instance of KeyObject', otherKeyObject);
    return require('derive').equal(this.#bytes, other);
  }
}
Object.defineProperty(KeyObject.prototype, Symbol.toStringTag, { value: 'KeyObject', configurable: true });
class SecretKeyObject extends KeyObject {
  get symmetricKeySize() {
    return $.length(bytesIn(this));
  }
  export(options = undefined) {
    const bytes = bytesIn(this);
    if (options !== undefined) {
      validateObject(options, 'options');
      validateOneOf(options.format, 'options.format', [undefined, 'buffer', 'jwk']);
      if (options.format === 'jwk') return { kty: 'oct', k: decode(bytes, BASE64URL) };
    }
    return fromBytes(new Uint8Array(bytes));
  }
  toCryptoKey(algorithm, extractable, keyUsages) {
    return require('subtle').keyOf(bytesIn(this), algorithm, extractable, keyUsages);
  }
}
const make = (bytes) => new SecretKeyObject('secret', bytes);

exports.KeyObject = KeyObject;
// The bytes of a secret KeyObject or CryptoKey; undefined for anything else.
exports.bytesOfSecret = (value) => (typeof value === 'object' && value !== null && !$.isView(value)
  ? bytesIn(value) ?? require('subtle').bytesOfKey(value) : undefined);
// The bytes of a key in any form.
exports.secretOf = (key, encoding) => {
  if (typeof key === 'string') return encode(key, orUtf8(encoding));
  const bytes = viewOf(key) ?? exports.bytesOfSecret(key);
  if (bytes === undefined) throw invalidArgType('key', KEY, key);
  return bytes;
};
exports.createSecretKey = function createSecretKey(key, encoding) {
  const bytes = typeof key === 'string' ? encode(key, orUtf8(encoding)) : viewOf(key);
  if (bytes === undefined) throw invalidArgType('key', BYTES, key);
  return make(bytes);
};
const generate = (type, options) => {
  validateString(type, 'type');
  validateObject(options, 'options');
  const { length } = options;
  if (type === 'hmac') {
    validateInteger(length, 'options.length', 8, 2 ** 31 - 1);
  } else if (type === 'aes') {
    validateOneOf(length, 'options.length', [128, 192, 256]);
  } else {
    throw create('TypeError', 'ERR_INVALID_ARG_VALUE', $.text`The argument 'type' must be a supported key type. ` +
      $.text`Received ${require('inspect').inspect(type)}`);
  }
  const bytes = Buffer.alloc(Math.floor(length / 8));
  require('random').fill(bytes);
  return make(bytes);
};
exports.generateKeySync = function generateKeySync(type, options) {
  return generate(type, options);
};
exports.generateKey = function generateKey(type, options, callback) {
  validateFunction(callback, 'callback');
  const key = generate(type, options);
  require('timers').setImmediate(() => callback(null, key));
};
