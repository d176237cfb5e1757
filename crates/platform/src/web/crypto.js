// The part of Web Crypto that needs no ciphers.
/**
 * What Rust provides.
 * @type {{
 *   fill(view: ArrayBufferView, length: number): void,
 *   uuid(): string,
 * }}
 */
const native = rust;
const { BigInt64Array, BigUint64Array, Int16Array, Int32Array, Int8Array, Uint16Array, Uint8ClampedArray } = $.globals;
const integers = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
  BigUint64Array,
];

class Crypto {
  getRandomValues(array) {
    if (!$.some(integers, (type) => array instanceof type)) {
      throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
    }
    if ($.byteLength(array) > 65536) {
      throw new DOMException(`The requested length exceeds 65,536 bytes`, 'QuotaExceededError');
    }
    native.fill(array, $.byteLength(array));
    return array;
  }
  randomUUID() {
    return native.uuid();
  }
}
Object.defineProperty(Crypto.prototype, Symbol.toStringTag, { value: 'Crypto', configurable: true });
exports.crypto = new Crypto();
