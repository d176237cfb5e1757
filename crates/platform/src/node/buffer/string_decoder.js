// node:string_decoder.
/**
 * What Rust provides.
 * @type {{
 *   decoder(encoding: number): object,
 *   write(decoder: object, bytes: ArrayBufferView, length: number): string,
 *   flush(decoder: object): string,
 *   reset(decoder: object): void,
 *   missing(decoder: object): number,
 *   held(decoder: object): ArrayBuffer,
 * }}
 */
const native = rust;
const { create, invalidArgType } = require('errors');
const { idOf, names } = require('encodings');
const kDecoder = Symbol('kNativeDecoder');

/**
 * @constructor
 * @param {unknown} [encoding]
 * @this {any}
 */
function StringDecoder(encoding) {
  const id = encoding === undefined || encoding === null || encoding === '' ? 0 : idOf(encoding);
  Object.assign(this, { encoding: names[id] });
  this[kDecoder] = native.decoder(id);
}
/** @type {any} */
const methods = {
  write(buf) {
    if (typeof buf === 'string') return buf;
    if (!$.isView(buf)) throw invalidArgType('buf', 'an instance of Buffer, TypedArray, or DataView', buf);
    const { [kDecoder]: decoder } = this;
    if (decoder === undefined) {
      throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type StringDecoder');
    }
    return native.write(decoder, buf, $.byteLength(buf));
  },
  end(buf) {
    const text = buf === undefined ? '' : this.write(buf);
    return text + native.flush(this[kDecoder]);
  },
  text(buf, offset) {
    native.reset(this[kDecoder]);
    return this.write(buf.slice(offset));
  },
};
const held = (decoder) => new Uint8Array(native.held(decoder));
/** @type {Record<string, (decoder: object) => any>} */
const getters = {
  lastChar(decoder) {
    const { Buffer } = require('buffer');
    const char = Buffer.alloc(4);
    $.set(char, held(decoder));
    return char;
  },
  lastNeed: native.missing,
  lastTotal: (decoder) => $.length(held(decoder)) + native.missing(decoder),
};
const accessor = (get) => /** @this {any} */ function () {
  return get(this[kDecoder]);
};
Object.assign(StringDecoder.prototype, methods);
for (const name of $.each(Object.keys(getters))) {
  const get = accessor(getters[name]);
  Object.defineProperty(StringDecoder.prototype, name, { configurable: true, enumerable: true, get });
}
exports.StringDecoder = StringDecoder;
