// Blob and File (File API), and blob URLs.
/**
 * What Rust provides.
 * @type {{
 *   register(url: string, bytes: Uint8Array, type: string): void,
 *   revoke(url: string): void,
 *   resolve(url: string): [ArrayBuffer, string] | undefined,
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue } = require('errors');
const { invalidThis } = require('crypto');
const { viewOf } = require('bytes');
const { inspect } = require('lazy_inspect');
const CHUNK = 65536;

const utf8 = (text) => new (require('encoding').TextEncoder)().encode($.toWellFormed(text));
const dictionary = (options) => {
  if (options === undefined || options === null) return { __proto__: null };
  if (typeof options === 'object' || typeof options === 'function') return options;
  throw invalidArgType('options', 'a dictionary', options);
};
const joined = (parts) => {
  const whole = new Uint8Array($.reduce(parts, (sum, part) => sum + $.length(part), 0));
  let at = 0;
  for (const part of $.each(parts)) {
    $.set(whole, part, at);
    at += $.length(part);
  }
  return whole;
};
const typeOf = (type) => {
  const text = $.text`${type}`;
  return $.regex(/[^\x20-\x7e]/).test(text) ? '' : $.toLowerCase(text);
};

// The bytes of a Blob never change, so its slices share them.
let stateOf;
let make;
class Blob {
  #state;
  /**
   * @param {any} [sources]
   * @param {any} [options]
   */
  constructor(sources = [], options = undefined) {
    if (options === makeToken) {
      this.#state = sources;
      return;
    }
    if (sources === null || typeof sources !== 'object' || typeof sources[Symbol.iterator] !== 'function') {
      throw invalidArgType('sources', 'a sequence', sources);
    }
    const { type = '', endings = 'transparent' } = dictionary(options);
    const kind = $.text`${endings}`;
    if (kind !== 'transparent' && kind !== 'native') throw invalidArgValue('options.endings', endings);
    const parts = [];
    // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
    for (const source of sources) {
      const view = viewOf(source);
      const blob = stateOf(source);
      if (blob !== undefined) {
        $.push(parts, blob.bytes);
      } else if (view !== undefined) {
        $.push(parts, new Uint8Array(view));
      } else {
        const text = $.text`${source}`;
        $.push(parts, utf8(kind === 'native' ? $.replaceAll(text, '\r\n', '\n') : text));
      }
    }
    this.#state = { bytes: joined(parts), type: typeOf(type) };
  }
  static {
    stateOf = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    make = (state) => new Blob(state, makeToken);
  }
  get type() {
    return known(this).type;
  }
  get size() {
    return $.length(known(this).bytes);
  }
  slice(start = 0, end = undefined, contentType = '') {
    const { bytes } = known(this);
    const length = $.length(bytes);
    const relative = (value) => {
      const place = Math.trunc(+value) || 0;
      return place < 0 ? Math.max(length + place, 0) : Math.min(place, length);
    };
    const from = relative(start);
    const to = end === undefined ? length : relative(end);
    return make({ bytes: $.subarray(bytes, from, Math.max(from, to)), type: typeOf(contentType) });
  }
  async arrayBuffer() {
    return $.buffer(new Uint8Array(known(this).bytes));
  }
  async text() {
    return new (require('encoding').TextDecoder)().decode(known(this).bytes);
  }
  async bytes() {
    return new Uint8Array(known(this).bytes);
  }
  stream() {
    const { bytes } = known(this);
    let at = 0;
    return new (/** @type {any} */ (require('web_streams')).ReadableStream)({
      __proto__: null, type: 'bytes',
      pull(controller) {
        const end = Math.min(at + CHUNK, $.length(bytes));
        if (end > at) controller.enqueue(new Uint8Array($.subarray(bytes, at, end)));
        at = end;
        if (at < $.length(bytes)) return;
        controller.close();
        controller.byobRequest?.respond(0);
      },
    });
  }
  [inspect.custom](depth, options) {
    if (depth < 0) return '[Blob]';
    const { size, type } = this;
    return $.text`Blob ${inspect({ size, type }, inner(options))}`;
  }
}
const makeToken = {};
const inner = (options) => ({ ...options, depth: options.depth === null ? null : options.depth - 1 });
const known = (value) => {
  const state = stateOf(value);
  if (state === undefined) throw invalidThis('Blob');
  return state;
};

let fileOf;
let isFile;
class File extends Blob {
  #file;
  /**
   * @param {any} fileBits
   * @param {any} fileName
   * @param {any} [options]
   */
  constructor(fileBits, fileName, options = undefined) {
    if (arguments.length < 2) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "fileBits" and "fileName" arguments must be specified');
    }
    super(fileBits, dictionary(options));
    const { lastModified } = dictionary(options);
    this.#file = {
      name: $.toWellFormed($.text`${fileName}`), lastModified: lastModified === undefined ? $.now() : +lastModified || 0,
    };
  }
  static {
    isFile = (value) => Object(value) === value && #file in value;
    fileOf = (value) => {
      if (isFile(value)) return value.#file;
      throw invalidThis('File');
    };
  }
  get name() {
    return fileOf(this).name;
  }
  get lastModified() {
    return fileOf(this).lastModified;
  }
  [inspect.custom](depth, options) {
    if (depth < 0) return '[File]';
    const { size, type, name, lastModified } = this;
    return $.text`File ${inspect({ size, type, name, lastModified }, inner(options))}`;
  }
}
const enumerable = (Class, names) => {
  for (const name of $.each(names)) Object.defineProperty(Class.prototype, name, { enumerable: true });
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
};
enumerable(Blob, ['type', 'size', 'slice', 'arrayBuffer', 'text', 'bytes', 'stream']);
enumerable(File, ['name', 'lastModified']);

exports.Blob = Blob;
// For structured clone: what a Blob or File is made of, or undefined; and how it is made again.
exports.serialize = (value) => {
  const state = stateOf(value);
  if (state === undefined) return undefined;
  const file = isFile(value) ? fileOf(value) : undefined;
  return [state.bytes, state.type, file?.name, file?.lastModified];
};
exports.deserialize = (buffer, type, name, lastModified) => {
  const blob = make({ bytes: new Uint8Array(buffer), type });
  return name === undefined ? blob : new File([blob], name, { __proto__: null, type, lastModified });
};
exports.File = File;
exports.createObjectURL = (obj) => {
  const state = stateOf(obj);
  if (state === undefined) throw invalidArgType('obj', 'an instance of Blob', obj);
  const url = $.text`blob:nodedata:${require('crypto').crypto.randomUUID()}`;
  native.register(url, state.bytes, state.type);
  return url;
};
const withoutFragment = (url) => {
  const end = $.indexOf(url, '#');
  return end < 0 ? url : $.slice(url, 0, end);
};
exports.revokeObjectURL = (url) => native.revoke(withoutFragment($.text`${url}`));
exports.resolveObjectURL = function resolveObjectURL(url) {
  const found = native.resolve(withoutFragment($.text`${url}`));
  return found === undefined || found === null ? undefined : make({ bytes: new Uint8Array(found[0]), type: found[1] });
};
