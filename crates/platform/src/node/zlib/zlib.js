// node:zlib.
/**
 * What Rust provides. `run` gives a buffer, how much of the input was used, whether the data has ended and whether there
 * may be more to come; or a failure, which is a code and a message.
 * @type {{
 *   engine(mode: number, level: number, windowBits: number, parameters: number[], dictionary: unknown): any,
 *   run(engine: object, data: ArrayBufferView, start: number, flush: number, limit: number): any[],
 *   setLevel(engine: object, level: number): void,
 *   close(engine: object): void,
 *   crc32(data: ArrayBufferView, value: number): number,
 * }}
 */
const native = rust;
const { create, invalidArgType, outOfRange } = require('errors');
const { validateFunction, validateUint32 } = require('validators');
const { viewOf } = require('bytes');
const { Buffer, encode, fromBytes } = require('buffer');
const { UTF8 } = require('encodings');
const { constants, codes } = require('zlib_constants');
const { LazyTransform, load } = require('lazy_transform');

const { DEFLATE, INFLATE, GZIP, GUNZIP, DEFLATERAW, INFLATERAW, UNZIP } = constants;
const { BROTLI_DECODE, BROTLI_ENCODE, ZSTD_COMPRESS, ZSTD_DECOMPRESS } = constants;
const { Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH, Z_BLOCK } = constants;
const MAX = 2 ** 53 - 1;
// What the module `buffer` says when this one is loaded.
const { kMaxLength: MOST } = require('buffer').module;
const BYTES = 'an instance of Buffer, TypedArray, DataView, or ArrayBuffer';

// Node's number of a failure by its code.
const errnoOf = (code) => constants[code] ?? constants[$.text`BROTLI_DECODER${$.slice(code, 4)}`];
/** @param {any[]} made */
const failure = ({ 0: code, 1: message }) =>
  Object.assign(new Error(message), { errno: errnoOf(code), code });
const tooLarge = (limit) =>
  create('RangeError', 'ERR_BUFFER_TOO_LARGE', $.text`Cannot create a Buffer larger than ${limit} bytes`);

// What is different in each family of formats. Rust knows the flushes of zlib alone.
const isBrotli = (mode) => mode === BROTLI_DECODE || mode === BROTLI_ENCODE;
const isZstd = (mode) => mode === ZSTD_COMPRESS || mode === ZSTD_DECOMPRESS;
const zlibFlush = { flush: Z_NO_FLUSH, finish: Z_FINISH, full: Z_FULL_FLUSH, most: Z_BLOCK };
const otherFlush = { flush: 0, finish: 2, full: 1, most: 3 };
const flushesOf = (mode) => (isBrotli(mode) || isZstd(mode) ? otherFlush : zlibFlush);
const nativeFlush = (mode, flush) =>
  (flushesOf(mode) === zlibFlush ? (flush === Z_BLOCK ? Z_SYNC_FLUSH : flush)
    : [Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH, Z_SYNC_FLUSH][flush] ?? Z_NO_FLUSH);

/** @param {any} value */
const inRange = (value, name, least, most, ordinary) => {
  if (value === undefined || Number.isNaN(value)) return ordinary;
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isFinite(value)) throw outOfRange(name, 'a finite number', value);
  if (value < least || value > most) {
    throw outOfRange(name, most === Infinity ? $.text`>= ${least}` : $.text`>= ${least} and <= ${most}`, value);
  }
  return value;
};
const parametersOf = (params, mode) => {
  const list = [];
  const isKnown = isBrotli(mode)
    ? (key) => Number.isInteger(key) && key >= 0 && key <= (mode === BROTLI_ENCODE ? 8 : 1)
    : (key) => $.some(Object.entries(constants),
      ({ 0: name, 1: value }) => $.startsWith(name, mode === ZSTD_COMPRESS ? 'ZSTD_c_' : 'ZSTD_d_') && value === key);
  for (const name of $.each(Object.keys(params ?? {}))) {
    const key = +name;
    if (!isKnown(key) || $.text`${key}` !== name) {
      throw create('RangeError', isBrotli(mode) ? 'ERR_BROTLI_INVALID_PARAM' : 'ERR_ZSTD_INVALID_PARAM',
        $.text`${name} is not a valid ${isBrotli(mode) ? 'Brotli' : 'zstd'} parameter`);
    }
    const value = params[name];
    if (typeof value !== 'number' && typeof value !== 'boolean') {
      throw invalidArgType('options.params[key]', 'of type number', value);
    }
    const isFlag = mode === BROTLI_ENCODE &&
      (key === constants.BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING || key === constants.BROTLI_PARAM_LARGE_WINDOW);
    if (isFlag && +value !== 0 && +value !== 1) {
      throw create('Error', 'ERR_ZLIB_INITIALIZATION_FAILED', 'Initialization failed');
    }
    $.push(list, key, +value);
  }
  return list;
};
// The options of an engine, checked in the order of Node's.
const settle = (given, mode) => {
  const options = given ?? { __proto__: null };
  const flushes = flushesOf(mode);
  const settled = {
    mode, chunkSize: inRange(options.chunkSize, 'options.chunkSize', 64, Infinity, 16384),
    flush: inRange(options.flush, 'options.flush', 0, flushes.most, flushes.flush),
    finishFlush: inRange(options.finishFlush, 'options.finishFlush', 0, flushes.most, flushes.finish),
    maxOutputLength: inRange(options.maxOutputLength, 'options.maxOutputLength', 1, MAX, MOST),
    info: options.info, rejectGarbage: options.rejectGarbageAfterEnd === true,
    level: -1, strategy: 0, windowBits: 15, parameters: [], dictionary: undefined,
  };
  const { dictionary } = options;
  if (flushes === zlibFlush) {
    const readsHeader = mode === INFLATE || mode === GUNZIP || mode === UNZIP;
    settled.windowBits = readsHeader && (!options.windowBits) ? 0
      : inRange(options.windowBits, 'options.windowBits', mode === GZIP ? 9 : 8, 15, 15);
    settled.level = inRange(options.level, 'options.level', -1, 9, -1);
    inRange(options.memLevel, 'options.memLevel', 1, 9, 8);
    settled.strategy = inRange(options.strategy, 'options.strategy', 0, 4, 0);
  } else {
    settled.parameters = parametersOf(options.params, mode);
  }
  if (dictionary !== undefined && flushes === zlibFlush || (dictionary !== undefined && isZstd(mode))) {
    if (viewOf(dictionary) === undefined) throw invalidArgType('options.dictionary', BYTES, dictionary);
    settled.dictionary = dictionary;
  }
  return settled;
};
const start = ({ mode, level, windowBits, parameters, dictionary }) => {
  const made = native.engine(mode, level, windowBits, parameters, dictionary);
  if (!$.isArray(made)) return made;
  const { 0: code, 1: message } = made;
  throw code === 'ERR_ZLIB_INITIALIZATION_FAILED' ? create('Error', code, message) : failure(made);
};
const trailing = () => create('TypeError', 'ERR_TRAILING_JUNK_AFTER_STREAM_END',
  'Trailing junk found after the end of the compressed stream');

const bytesOf = (buffer) => {
  const bytes = typeof buffer === 'string' ? encode(buffer, UTF8) : viewOf(buffer);
  if (bytes === undefined) throw invalidArgType('buffer', $.text`of type string or ${BYTES}`, buffer);
  return bytes;
};
// The whole of some data at once. Tells how much of it was used.
const process = (engine, options, bytes, flush) => {
  const parts = [];
  let used = 0;
  let size = 0;
  const { maxOutputLength: limit } = options;
  while (true) {
    const made = native.run(engine, bytes, used, nativeFlush(options.mode, flush), limit - size + 1);
    if (made.length === 2) throw failure(made);
    const { 0: buffer, 1: count, 2: hasEnded } = made;
    const part = new Uint8Array(buffer);
    used += count;
    size += $.length(part);
    if (size > limit) throw tooLarge(limit);
    $.push(parts, part);
    if (hasEnded && options.rejectGarbage && used < $.length(bytes)) throw trailing();
    return { buffer: parts.length === 1 ? fromBytes(part) : Buffer.concat(parts), used, hasEnded };
  }
};
const processOnce = (bytes, options) => {
  const engine = start(options);
  try {
    return process(engine, options, bytes, options.finishFlush);
  } finally {
    native.close(engine);
  }
};
const answer = (Class, given, { buffer, used }, { info }) => {
  if (!info) return buffer;
  const engine = new Class(given);
  engine.bytesWritten = used;
  engine.close();
  return { buffer, engine };
};

/**
 * @constructor
 * @param {any} given the options
 * @param {any} options what they mean
 * @this {any}
 */
function ZlibBase(given, options) {
  const Transform = load();
  Reflect.apply(Transform, this, [{ __proto__: null, autoDestroy: true, ...given }]);
  this.bytesWritten = 0;
  this._handle = start(options);
  this._chunkSize = options.chunkSize;
  this._defaultFlushFlag = options.flush;
  this._finishFlushFlag = options.finishFlush;
  this._defaultFullFlushFlag = flushesOf(options.mode).full;
  this._info = options.info;
  this._maxOutputLength = options.maxOutputLength;
  this._level = options.level;
  this._strategy = options.strategy;
  this._mode = options.mode;
  Object.defineProperty(this, kOptions, { value: options });
}
const kOptions = Symbol('kOptions');
// An empty chunk with this property asks for a flush.
const kFlushFlag = Symbol('kFlushFlag');
const FLUSHES = [Z_NO_FLUSH, Z_BLOCK, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH];
const stronger = (one, other) => ($.indexOf(FLUSHES, one) > $.indexOf(FLUSHES, other) ? one : other);
const nextTick = (callback, ...args) => require('process').process.nextTick(callback, ...$.each(args));

/** @type {any} */
const baseMethods = {
  reset() {
    if (!this._handle) throw new Error('zlib binding closed');
    native.close(this._handle);
    this._handle = start(this[kOptions]);
  },
  _flush(callback) {
    this._transform(Buffer.alloc(0), '', callback);
  },
  _final(callback) {
    callback();
  },
  flush(kind, callback) {
    if (typeof kind === 'function' || (kind === undefined && !callback)) {
      callback = kind;
      kind = this._defaultFullFlushFlag;
    }
    if (this.writableFinished) {
      if (callback) nextTick(callback);
    } else if (this.writableEnded) {
      if (callback) this.once('end', callback);
    } else {
      const chunk = Buffer.alloc(0);
      chunk[kFlushFlag] = kind;
      this.write(chunk, '', callback);
    }
  },
  close(callback) {
    if (callback) {
      const { finished } = /** @type {any} */ (require('stream'));
      finished(this, callback);
    }
    this.destroy();
  },
  _destroy(error, callback) {
    if (this._handle) native.close(this._handle);
    this._handle = null;
    callback(error);
  },
  _transform(chunk, encoding, callback) {
    let flush = this._defaultFlushFlag;
    if (typeof chunk[kFlushFlag] === 'number') {
      flush = chunk[kFlushFlag];
    } else if (this.writableEnded && this.writableLength === chunk.byteLength) {
      flush = this._mode < BROTLI_DECODE ? stronger(flush, this._finishFlushFlag)
        : Math.max(flush, this._finishFlushFlag);
    }
    if (!$.isView(chunk)) throw invalidArgType('chunk', $.text`of type string or ${BYTES}`, chunk);
    advance(this, $.bytesOf(chunk), 0, flush, callback);
  },
  _processChunk(chunk, flush, callback) {
    if (typeof callback === 'function') {
      advance(this, $.bytesOf(chunk), 0, flush, callback);
      return undefined;
    }
    if (!this._handle) throw create('Error', 'ERR_INTERNAL_ASSERTION', 'zlib binding closed');
    return process(this._handle, this[kOptions], $.bytesOf(chunk), flush).buffer;
  },
};
// Takes a chunk, piece by piece: each in a turn of its own, and the next one when something reads.
const advance = (self, bytes, at, flush, callback) => {
  const handle = self._handle;
  if (!handle) {
    nextTick(callback);
    return;
  }
  const options = self[kOptions];
  const made = native.run(handle, bytes, at, nativeFlush(options.mode, flush), self._chunkSize);
  require('timers').setImmediate(() => {
    if (self.destroyed || self._handle !== handle) {
      callback();
      return;
    }
    if (made.length === 2) {
      self.destroy(failure(made));
      return;
    }
    const { 0: buffer, 1: used, 2: hasEnded, 3: isFull } = made;
    const end = at + used;
    self.bytesWritten += used;
    const output = fromBytes(new Uint8Array(buffer));
    const size = $.length(output);
    const wantsMore = size === 0 || self.push(output);
    if (self.destroyed) {
      callback();
    } else if (isFull) {
      if (wantsMore) {
        advance(self, bytes, end, flush, callback);
        return;
      }
      const read = self._read;
      self._read = () => {
        self._read = read;
        advance(self, bytes, end, flush, callback);
        self._read();
      };
    } else {
      if (hasEnded && end < $.length(bytes) && options.rejectGarbage) {
        self.destroy(trailing());
        return;
      }
      // What follows the end of the compressed data is of no interest.
      if (end < $.length(bytes)) self.push(null);
      callback();
    }
  });
};

const inherit = (Class, Parent, methods) => {
  Object.setPrototypeOf(Class.prototype, Parent.prototype);
  Object.setPrototypeOf(Class, Parent);
  for (const name of $.each(Object.keys(methods))) Class.prototype[name] = methods[name];
};
inherit(ZlibBase, LazyTransform, baseMethods);
const { get: isClosed } = Object.getOwnPropertyDescriptor({ get _closed() {
  return !(/** @type {any} */ (this))._handle;
} }, '_closed');
Object.defineProperty(ZlibBase.prototype, '_closed', { configurable: true, enumerable: true, get: isClosed });
/**
 * @constructor
 * @param {any} given
 * @param {number} mode
 */
function Zlib(given, mode) {
  Reflect.apply(ZlibBase, this, [given, settle(given, mode)]);
}
inherit(Zlib, ZlibBase, {
  /** @this {any} */
  params(level, strategy, callback) {
    inRange(level, 'level', -1, 9, undefined);
    inRange(strategy, 'strategy', 0, 4, undefined);
    if (this._level === level && this._strategy === strategy) {
      nextTick(callback);
      return;
    }
    this.flush(Z_SYNC_FLUSH, () => {
      if (!this._handle) return;
      native.setLevel(this._handle, level);
      this._level = level;
      this._strategy = strategy;
      if (callback) callback();
    });
  },
});
/**
 * @constructor
 * @param {any} given
 * @param {number} mode
 */
function Brotli(given, mode) {
  Reflect.apply(ZlibBase, this, [given, settle(given, mode)]);
}
inherit(Brotli, Zlib, {});
/**
 * @constructor
 * @param {any} given
 * @param {number} mode
 */
function Zstd(given, mode) {
  Reflect.apply(ZlibBase, this, [given, settle(given, mode)]);
}
inherit(Zstd, ZlibBase, {});

// A class for each mode, with the function that makes one, and the functions that do everything at once.
const classOf = (name, Parent, mode) => {
  /** @type {any} */
  const Class = /** @this {any} */ function (options) {
    if (!new.target) return new Class(options);
    Reflect.apply(Parent, this, [options, mode]);
    return undefined;
  };
  Object.defineProperty(Class, 'name', { value: name, configurable: true });
  inherit(Class, Parent, {});
  return Class;
};
const asyncOf = (Class, mode) => function asyncBufferWrapper(buffer, opts, callback) {
  if (typeof opts === 'function') {
    callback = opts;
    opts = undefined;
  }
  validateFunction(callback, 'callback');
  const bytes = bytesOf(buffer);
  const options = settle(opts, mode);
  require('timers').setImmediate(() => {
    let made;
    try {
      made = processOnce(bytes, options);
    } catch (error) {
      callback(error);
      return;
    }
    callback(null, answer(Class, opts, made, options));
  });
};
const syncOf = (Class, mode) => function syncBufferWrapper(buffer, opts) {
  const bytes = bytesOf(buffer);
  const options = settle(opts, mode);
  return answer(Class, opts, processOnce(bytes, options), options);
};

const MODES = [
  ['Deflate', Zlib, DEFLATE], ['Inflate', Zlib, INFLATE], ['Gzip', Zlib, GZIP], ['Gunzip', Zlib, GUNZIP],
  ['DeflateRaw', Zlib, DEFLATERAW], ['InflateRaw', Zlib, INFLATERAW], ['Unzip', Zlib, UNZIP],
  ['BrotliCompress', Brotli, BROTLI_ENCODE], ['BrotliDecompress', Brotli, BROTLI_DECODE],
  ['ZstdCompress', Zstd, ZSTD_COMPRESS], ['ZstdDecompress', Zstd, ZSTD_DECOMPRESS],
];
const METHODS = [
  'deflate', 'gzip', 'deflateRaw', 'unzip', 'inflate', 'gunzip', 'inflateRaw', 'brotliCompress', 'brotliDecompress',
  'zstdCompress', 'zstdDecompress',
];
/** @type {any} */
const module = {
  crc32(data, value = 0) {
    if (typeof data !== 'string' && !$.isView(data)) {
      throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    }
    validateUint32(value, 'value');
    return native.crc32(typeof data === 'string' ? encode(data, UTF8) : data, value) >>> 0;
  },
};
const modeOf = { __proto__: null };
for (const { 0: name, 1: Parent, 2: mode } of $.each(/** @type {any} */ (MODES))) {
  module[name] = classOf(name, Parent, mode);
  modeOf[$.toLowerCase($.slice(name, 0, 1)) + $.slice(name, 1)] = { Class: module[name], mode };
}
for (const name of $.each(METHODS)) {
  const { Class, mode } = modeOf[name];
  module[name] = asyncOf(Class, mode);
  module[$.text`${name}Sync`] = syncOf(Class, mode);
}
for (const { 0: name } of $.each(/** @type {any} */ (MODES))) {
  const { [name]: Class } = module;
  const value = (options) => new Class(options);
  Object.defineProperty(module, $.text`create${name}`, { value, enumerable: true, configurable: true });
}
Object.defineProperty(module, 'constants', { value: constants, enumerable: true });
Object.defineProperty(module, 'codes', { value: codes, enumerable: true });
for (const name of $.each(Object.keys(constants))) {
  if (!$.startsWith(name, 'BROTLI')) Object.defineProperty(module, name, { value: constants[name] });
}
exports.module = module;

// For CompressionStream and DecompressionStream. `format` is theirs ('deflate', 'deflate-raw', 'gzip', 'brotli',
// 'zstd'), `direction` 'compress' or 'decompress'; bytes are Uint8Arrays, and errors are TypeErrors.
const FORMATS = {
  __proto__: null, deflate: [DEFLATE, INFLATE], 'deflate-raw': [DEFLATERAW, INFLATERAW], gzip: [GZIP, GUNZIP],
  brotli: [BROTLI_ENCODE, BROTLI_DECODE], zstd: [ZSTD_COMPRESS, ZSTD_DECOMPRESS],
};
exports.engine = (format, direction) => {
  const decompresses = direction === 'decompress';
  const options = settle(undefined, FORMATS[format][decompresses ? 1 : 0]);
  const engine = start(options);
  let hasEnded = false;
  const run = (bytes, flush) => {
    if (hasEnded && $.length(bytes) > 0) throw trailing();
    try {
      const made = process(engine, { ...options, rejectGarbage: decompresses }, bytes, flush);
      hasEnded = made.hasEnded;
      return new Uint8Array($.buffer(made.buffer));
    } catch (cause) {
      throw Object.assign(new TypeError(cause.message, { cause }), { code: cause.code });
    }
  };
  const { flush, finish } = flushesOf(options.mode);
  return {
    push: (bytes) => run(bytes, flush),
    finish: () => (hasEnded ? new Uint8Array(0) : run(new Uint8Array(0), finish)),
  };
};
