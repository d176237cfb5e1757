// The global crypto (Web Cryptography); `subtle.js` has its ciphers and digests.
/**
 * What Rust provides.
 * @type {{
 *   fill(view: ArrayBufferView, length: number): void,
 *   uuid(): string,
 * }}
 */
const native = rust;
const { create } = require('errors');
const { BigInt64Array, BigUint64Array, Int16Array, Int32Array, Int8Array, Uint16Array, Uint8ClampedArray } = $.globals;
const integers = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
  BigUint64Array,
];
let isOurs = false;
exports.illegalConstructor = () => create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
exports.invalidThis = (name) => create('TypeError', 'ERR_INVALID_THIS', $.text`Value of "this" must be of type ${name}`);

class Crypto {
  #brand = true;
  constructor() {
    if (!isOurs) throw exports.illegalConstructor();
  }
  static #check(value) {
    if (!(Object(value) === value && #brand in value && value.#brand)) throw exports.invalidThis('Crypto');
  }
  get subtle() {
    Crypto.#check(this);
    return require('subtle').subtle;
  }
  getRandomValues(array) {
    Crypto.#check(this);
    if (arguments.length === 0) {
      throw create('TypeError', 'ERR_MISSING_ARGS',
        "Failed to execute 'getRandomValues' on 'Crypto': 1 argument required, but only 0 present.");
    }
    if (!$.some(integers, (type) => array instanceof type)) {
      throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    }
    if ($.byteLength(array) > 65536) {
      throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError');
    }
    native.fill(array, $.byteLength(array));
    return array;
  }
  randomUUID() {
    Crypto.#check(this);
    return native.uuid();
  }
}
for (const name of $.each(['subtle', 'getRandomValues', 'randomUUID'])) {
  Object.defineProperty(Crypto.prototype, name, { enumerable: true });
}
Object.defineProperty(Crypto.prototype, Symbol.toStringTag, { value: 'Crypto', configurable: true });
isOurs = true;
exports.crypto = new Crypto();
isOurs = false;
exports.Crypto = Crypto;
exports.fillRandom = native.fill;
