// TextEncoder and TextDecoder.
/**
 * What Rust provides.
 * @type {{
 *   label(label: string): string | undefined,
 *   decoder(label: string, fatal: boolean, ignoreBOM: boolean): object,
 *   decode(decoder: object, input: unknown, stream: boolean): string,
 *   encode(text: string): Uint8Array,
 *   encodeInto(text: string, view: Uint8Array): number[],
 * }}
 */
const native = rust;
const { invalidArgType, create } = require('errors');

exports.TextEncoder = class TextEncoder {
  get encoding() {
    return 'utf-8';
  }
  encode(input = '') {
    return native.encode($.text`${input}`);
  }
  encodeInto(source, destination) {
    if (typeof source !== 'string') throw invalidArgType('src', 'of type string', source);
    if (!(destination instanceof Uint8Array)) throw invalidArgType('dest', 'an instance of Uint8Array', destination);
    const { 0: read, 1: written } = native.encodeInto(source, destination);
    return { read, written };
  }
};

exports.TextDecoder = class TextDecoder {
  #state;
  #encoding;
  #fatal;
  #ignoreBOM;
  /**
   * @param {string} [label]
   * @param {Options<{ fatal?: boolean, ignoreBOM?: boolean }>} [options]
   */
  constructor(label = 'utf-8', options = { __proto__: null }) {
    label = $.text`${label}`;
    const encoding = native.label(label);
    if (encoding === undefined || encoding === null) {
      throw create('RangeError', 'ERR_ENCODING_NOT_SUPPORTED', $.text`The "${label}" encoding is not supported`);
    }
    if (options !== null && typeof options !== 'object' && typeof options !== 'function') {
      throw invalidArgType('options', 'of type object', options);
    }
    this.#encoding = encoding;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
    this.#state = native.decoder(encoding, this.#fatal, this.#ignoreBOM);
  }
  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#ignoreBOM;
  }
  decode(input, options) {
    return native.decode(this.#state, input, Boolean(options?.stream));
  }
};
for (const { prototype, name } of $.each([exports.TextEncoder, exports.TextDecoder])) {
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const key of $.each(Object.getOwnPropertyNames(prototype))) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
}
