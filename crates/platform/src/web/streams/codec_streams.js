// TextEncoderStream, TextDecoderStream (Encoding Standard, §7), CompressionStream and DecompressionStream (Compression
// Standard).
const { asInterface, invalidThis, isObject, needArgs } = require('web_streams_shared');
const { createTransform } = require('transform_stream');
const { create, invalidArgType } = require('errors');

const of = (slots, name) => {
  if (slots === undefined) throw invalidThis(name);
  return slots;
};

class TextEncoderStream {
  #transform;
  constructor() {
    const encoder = new (require('encoding').TextEncoder)();
    // A leading surrogate that waits for its other half.
    let pending = '';
    const enqueueText = (text, enqueue) => {
      if (text !== '') enqueue(encoder.encode(text));
    };
    this.#transform = createTransform((chunk, enqueue) => {
      let text = pending + $.text`${chunk}`;
      pending = '';
      const last = $.charCodeAt(text, text.length - 1);
      if (last >= 0xd800 && last <= 0xdbff) {
        pending = $.slice(text, -1);
        text = $.slice(text, 0, -1);
      }
      enqueueText(text, enqueue);
    }, (enqueue) => enqueueText(pending, enqueue));
  }
  static #of(value) {
    return of(isObject(value) && #transform in value ? value.#transform : undefined, 'TextEncoderStream');
  }
  get encoding() {
    return TextEncoderStream.#of(this) && 'utf-8';
  }
  get readable() {
    return TextEncoderStream.#of(this).readable;
  }
  get writable() {
    return TextEncoderStream.#of(this).writable;
  }
}

class TextDecoderStream {
  #slots;
  constructor(encoding = 'utf-8', options = undefined) {
    const decoder = new (require('encoding').TextDecoder)(encoding, options);
    const enqueueText = (text, enqueue) => {
      if (text !== '') enqueue(text);
    };
    this.#slots = {
      decoder,
      transform: createTransform(
        (chunk, enqueue) => {
          // (No bytes would mean the end.)
          if (chunk === undefined) throw invalidArgType('chunk', 'an instance of ArrayBuffer or ArrayBufferView', chunk);
          enqueueText(decoder.decode(chunk, { __proto__: null, stream: true }), enqueue);
        },
        (enqueue) => enqueueText(decoder.decode(), enqueue)),
    };
  }
  static #of(value) {
    return of(isObject(value) && #slots in value ? value.#slots : undefined, 'TextDecoderStream');
  }
  get encoding() {
    return TextDecoderStream.#of(this).decoder.encoding;
  }
  get fatal() {
    return TextDecoderStream.#of(this).decoder.fatal;
  }
  get ignoreBOM() {
    return TextDecoderStream.#of(this).decoder.ignoreBOM;
  }
  get readable() {
    return TextDecoderStream.#of(this).transform.readable;
  }
  get writable() {
    return TextDecoderStream.#of(this).transform.writable;
  }
}

const FORMATS = ['deflate', 'deflate-raw', 'gzip', 'brotli'];
const compressor = (format, direction) => {
  const name = $.text`${format}`;
  if (!$.includes(FORMATS, name)) {
    throw create('TypeError', 'ERR_INVALID_ARG_VALUE', $.text`The argument 'format' must be one of: ` +
      $.text`${$.join($.map(FORMATS, (each) => $.text`'${each}'`), ', ')}. Received '${name}'`);
  }
  const engine = /** @type {any} */ (require('zlib')).engine(name, direction);
  const enqueueBytes = (bytes, enqueue) => {
    if ($.byteLength(bytes) > 0) enqueue(bytes);
  };
  return createTransform((chunk, enqueue) => {
    const { isSharedArrayBuffer, viewOf } = require('bytes');
    const view = viewOf(chunk);
    if (view === undefined || isSharedArrayBuffer($.buffer(view))) {
      throw invalidArgType('chunk', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', chunk);
    }
    enqueueBytes(engine.push(view), enqueue);
  }, (enqueue) => enqueueBytes(engine.finish(), enqueue));
};

class CompressionStream {
  #transform;
  constructor(format) {
    needArgs(arguments.length, 1, 'format');
    this.#transform = compressor(format, 'compress');
  }
  static #of(value) {
    return of(isObject(value) && #transform in value ? value.#transform : undefined, 'CompressionStream');
  }
  get readable() {
    return CompressionStream.#of(this).readable;
  }
  get writable() {
    return CompressionStream.#of(this).writable;
  }
}
class DecompressionStream {
  #transform;
  constructor(format) {
    needArgs(arguments.length, 1, 'format');
    this.#transform = compressor(format, 'decompress');
  }
  static #of(value) {
    return of(isObject(value) && #transform in value ? value.#transform : undefined, 'DecompressionStream');
  }
  get readable() {
    return DecompressionStream.#of(this).readable;
  }
  get writable() {
    return DecompressionStream.#of(this).writable;
  }
}

const pair = ({ readable, writable }) => ({ readable, writable });
asInterface(TextEncoderStream, (stream) => ({ encoding: stream.encoding, ...pair(stream) }));
asInterface(TextDecoderStream, (stream) => {
  const { encoding, fatal, ignoreBOM } = stream;
  return { encoding, fatal, ignoreBOM, ...pair(stream) };
});
asInterface(CompressionStream, pair);
asInterface(DecompressionStream, pair);
exports.TextEncoderStream = TextEncoderStream;
exports.TextDecoderStream = TextDecoderStream;
exports.CompressionStream = CompressionStream;
exports.DecompressionStream = DecompressionStream;
