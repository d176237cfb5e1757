// node:buffer and the global Buffer. Other files use `Buffer`, and `fromBytes` for bytes that nobody else has.
/**
 * What Rust provides.
 * @type {{
 *   byteLength(text: string, encoding: number): number,
 *   encode(text: string, encoding: number): ArrayBuffer,
 *   write(view: Uint8Array, text: string, start: number, end: number, encoding: number): number,
 *   decode(view: Uint8Array, start: number, end: number, encoding: number): string,
 *   copy(target: ArrayBufferView, at: number, source: ArrayBufferView, start: number, end: number): number,
 *   fill(view: Uint8Array, start: number, end: number, pattern: ArrayBufferView): number,
 *   swap(view: Uint8Array, size: number): void,
 *   isUtf8(bytes: ArrayBufferView | ArrayBuffer): boolean,
 *   isAscii(bytes: ArrayBufferView | ArrayBuffer): boolean,
 *   compare(one: Uint8Array, from: number, to: number, two: Uint8Array, start: number, end: number): number,
 *   find(view: Uint8Array, needle: Uint8Array, at: number, step: number, isForward: boolean): number,
 *   transcode(bytes: Uint8Array, from: number, to: number): ArrayBuffer | string,
 *   numbers: Record<string, Function>,
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue, outOfRange, received } = require('errors');
const { validateArray, validateInteger, validateNumber } = require('validators');
const encodings = require('encodings');
const { idOf, orUtf8, UTF8, UTF16LE } = encodings;
const { isArrayBuffer, isSharedArrayBuffer, untransferable } = require('bytes');

const MAX_LENGTH = 2 ** 53 - 1;
const MAX_STRING_LENGTH = 2 ** 29 - 24;
const custom = $.symbolFor('nodejs.util.inspect.custom');
let inspectMaxBytes = 50;

// What Buffers are instances of. `Buffer` has the same prototype, and can be called without `new`.
class FastBuffer extends Uint8Array {
  /**
   * @param {any} [source] a length or a buffer
   * @param {number} [offset]
   * @param {number} [length]
   */
  constructor(source, offset, length) {
    super(source, offset, length);
  }
}
const proto = /** @type {any} */ (FastBuffer.prototype);

const isAnyBuffer = (value) => isArrayBuffer(value) || isSharedArrayBuffer(value);
const isBytes = (value) => $.tagOf(value) === 'Uint8Array';
const A_BUFFER = 'an instance of Buffer or Uint8Array';
const checkBytes = (value, name) => {
  if (!isBytes(value)) throw invalidArgType(name, A_BUFFER, value);
};
const checkOffset = (value, name, least = 0, most = MAX_LENGTH) => validateInteger(value, name, least, most);
const outOfBounds = (name) =>
  create('RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS', $.text`"${name}" is outside of buffer bounds`);
const checkSize = (size) => validateNumber(size, 'size', 0, MAX_LENGTH);
const toInteger = (value) => {
  value = +value;
  return value >= -MAX_LENGTH && value <= MAX_LENGTH ? Math.floor(value) : 0;
};

// Small Buffers share an ArrayBuffer.
let pool = new Uint8Array(0);
let poolUsed = 0;
const isSmall = (size) => size < Buffer.poolSize >>> 1;
// Makes sure that there are so many bytes in the pool.
const reserve = (size) => {
  if (size <= $.length(pool) - poolUsed) return true;
  poolUsed = 0;
  pool = new Uint8Array(Buffer.poolSize);
  untransferable.add($.buffer(pool));
  return size <= $.length(pool);
};
const fromPool = (size) => {
  const buffer = new FastBuffer($.buffer(pool), poolUsed, size);
  poolUsed += size + 7 & ~7;
  return buffer;
};
const allocate = (size) => (size > 0 && isSmall(size) && reserve(size) ? fromPool(size) : new FastBuffer(size));

const fromString = (text, encoding) => {
  const { length } = text;
  if (length === 0) return new FastBuffer();
  // No character takes more than three bytes.
  const size = length * 3;
  if (isSmall(size) && reserve(size)) {
    return fromPool(native.write(pool, text, poolUsed, $.length(pool), encoding));
  }
  return new FastBuffer(native.encode(text, encoding));
};
const fromArrayBuffer = (buffer, offset = 0, length = undefined) => {
  offset = +offset || 0;
  const most = (isArrayBuffer(buffer) ? $.bufferLength(buffer) : $.sharedLength(buffer)) - offset;
  if (most < 0) throw outOfBounds('offset');
  if (length === undefined) return new FastBuffer(buffer, offset);
  length = +length;
  if (length > most) throw outOfBounds('length');
  return new FastBuffer(buffer, offset, length > 0 ? length : 0);
};
const fromArrayLike = (list) => {
  const { length } = list;
  if (!(length > 0)) return new FastBuffer();
  const buffer = allocate(length);
  if ($.tagOf(list) !== undefined) {
    $.set(buffer, list);
    return buffer;
  }
  for (let i = 0; i < length; i++) buffer[i] = list[i];
  return buffer;
};
const fromObject = (value) => {
  if (value.length !== undefined || isAnyBuffer(value.buffer)) {
    return typeof value.length === 'number' ? fromArrayLike(value) : new FastBuffer();
  }
  return value.type === 'Buffer' && $.isArray(value.data) ? fromArrayLike(value.data) : undefined;
};

/**
 * @param {any} [value]
 * @param {any} [encodingOrOffset]
 * @param {any} [length]
 */
function Buffer(value, encodingOrOffset, length) {
  require('deprecation').warnProgram('Buffer() is deprecated due to security and usability issues. Please use the ' +
    'Buffer.alloc(), Buffer.allocUnsafe(), or Buffer.from() methods instead.', 'DEP0005');
  if (typeof value !== 'number') return statics.from(value, encodingOrOffset, length);
  if (typeof encodingOrOffset === 'string') throw invalidArgType('string', 'of type string', value);
  return statics.alloc(value);
}
Buffer.poolSize = 8192;
/** @type {any} */
const statics = {
  from(value, encodingOrOffset, length) {
    if (typeof value === 'string') {
      const encoding = typeof encodingOrOffset === 'string' && encodingOrOffset !== '' ? idOf(encodingOrOffset) : UTF8;
      return fromString(value, encoding);
    }
    if (typeof value === 'object' && value !== null) {
      if (isAnyBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
      const plain = value.valueOf && value.valueOf();
      if (plain !== null && plain !== undefined && plain !== value &&
        (typeof plain === 'string' || typeof plain === 'object')) {
        return statics.from(plain, encodingOrOffset, length);
      }
      const buffer = fromObject(value);
      if (buffer !== undefined) return buffer;
      const convert = value[Symbol.toPrimitive];
      if (typeof convert === 'function') {
        const text = Reflect.apply(convert, value, ['string']);
        if (typeof text === 'string') return statics.from(text, encodingOrOffset);
      }
    }
    throw create('TypeError', 'ERR_INVALID_ARG_TYPE', 'The first argument must be of type string or an instance of ' +
      $.text`Buffer, ArrayBuffer, or Array or an Array-like Object.${received(value)}`);
  },
  copyBytesFrom(view, offset, length) {
    if ($.tagOf(view) === undefined) throw invalidArgType('view', 'an instance of TypedArray', view);
    if (offset !== undefined) validateInteger(offset, 'offset', 0);
    if (length !== undefined) validateInteger(length, 'length', 0);
    const count = $.length(view);
    const start = Math.min(offset ?? 0, count);
    const end = Math.min(length === undefined ? count : start + length, count);
    if (end === start) return new FastBuffer();
    const size = $.byteLength(view) / count;
    const buffer = allocate((end - start) * size);
    native.copy(buffer, 0, view, start * size, end * size);
    return buffer;
  },
  of(...items) {
    const buffer = allocate(items.length);
    for (let i = 0; i < items.length; i++) buffer[i] = items[i];
    return buffer;
  },
  alloc(size, fill, encoding) {
    checkSize(size);
    const buffer = new FastBuffer(size);
    return fill !== undefined && fill !== 0 && size > 0 ? fillBuffer(buffer, fill, 0, $.length(buffer), encoding) : buffer;
  },
  allocUnsafe(size) {
    checkSize(size);
    return allocate(size);
  },
  allocUnsafeSlow(size) {
    checkSize(size);
    return new FastBuffer(size);
  },
  isBuffer: (value) => value instanceof Buffer,
  compare(buf1, buf2) {
    checkBytes(buf1, 'buf1');
    checkBytes(buf2, 'buf2');
    return buf1 === buf2 ? 0 : native.compare(buf1, 0, $.length(buf1), buf2, 0, $.length(buf2));
  },
  isEncoding: (encoding) => typeof encoding === 'string' && encoding !== '' && encodings.find(encoding) !== undefined,
  concat(list, length) {
    validateArray(list, 'list');
    const parts = [];
    let total = 0;
    for (let i = 0; i < list.length; i++) {
      const part = list[i];
      if (!isBytes(part)) throw invalidArgType($.text`list[${i}]`, A_BUFFER, part);
      $.push(parts, part);
      total += $.length(part);
    }
    if (parts.length === 0) return new FastBuffer();
    if (length === undefined) length = total;
    else checkOffset(length, 'length');
    const buffer = new FastBuffer(length);
    let at = 0;
    for (let i = 0; i < parts.length && at < length; i++) {
      at += native.copy(buffer, at, parts[i], 0, $.length(parts[i]));
    }
    return buffer;
  },
  byteLength(string, encoding) {
    if (typeof string === 'string') {
      return native.byteLength(string, encoding ? encodings.find(encoding) ?? UTF8 : UTF8);
    }
    if ($.isView(string)) return $.byteLength(string);
    if (isArrayBuffer(string)) return $.bufferLength(string);
    if (isSharedArrayBuffer(string)) return $.sharedLength(string);
    throw invalidArgType('string', 'of type string or an instance of Buffer or ArrayBuffer', string);
  },
};
for (const name of $.each(Object.keys(statics))) Buffer[name] = statics[name];
Object.defineProperty(Buffer, Symbol.species, {
  configurable: true, enumerable: false,
  get: Object.getOwnPropertyDescriptor({ get [Symbol.species]() {
    return FastBuffer;
  } }, Symbol.species).get,
});

// The bytes of a value to fill with or to look for.
const bytesOf = (value, encoding) => (typeof value === 'string' ? new Uint8Array(native.encode(value, encoding)) : value);
const fillBuffer = (buffer, value, offset, end, encoding) => {
  const { length } = buffer;
  let id = UTF8;
  if (typeof value === 'string') {
    if (offset === undefined || typeof offset === 'string') {
      encoding = offset;
      offset = 0;
      end = length;
    } else if (typeof end === 'string') {
      encoding = end;
      end = length;
    }
    id = orUtf8(encoding);
    if (value === '') value = 0;
  }
  if (offset === undefined) {
    offset = 0;
    end = length;
  } else {
    checkOffset(offset, 'offset');
    if (end === undefined) end = length;
    else checkOffset(end, 'end', 0, length);
    if (offset >= end) return buffer;
  }
  // (A script may have given it another length.)
  if (end > $.length(buffer)) {
    throw create('RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  }
  const pattern = typeof value === 'string' || $.isView(value) ? bytesOf(value, id) : new Uint8Array(1);
  if ($.byteLength(pattern) === 0) throw invalidArgValue('value', value);
  if (pattern !== value && typeof value !== 'string') pattern[0] = value;
  native.fill(buffer, offset, end, pattern);
  return buffer;
};

const indexOf = (buffer, value, offset, encoding, isForward) => {
  checkBytes(buffer, 'buffer');
  const length = $.length(buffer);
  if (typeof offset === 'string') {
    encoding = offset;
    offset = undefined;
  }
  offset = Math.trunc(+offset);
  if (Number.isNaN(offset)) offset = isForward ? 0 : length;
  /** @type {number} */
  let id = UTF8;
  let needle;
  if (typeof value === 'number') {
    needle = new Uint8Array(1);
    needle[0] = value;
  } else if (typeof value === 'string') {
    if (encoding !== undefined) id = idOf(encoding);
    needle = bytesOf(value, id);
  } else if (isBytes(value)) {
    if (encoding !== undefined) id = encodings.find(encoding);
    needle = value;
  } else {
    throw invalidArgType('value', $.text`one of type number or string or ${A_BUFFER}`, value);
  }
  const size = $.length(needle);
  if (offset < 0) offset = offset + length >= 0 ? offset + length : isForward || size === 0 ? 0 : -1;
  else if (offset + size > length) offset = size === 0 ? length : isForward ? -1 : length - 1;
  if (size === 0 || offset < 0) return offset;
  if (id !== UTF16LE) return native.find(buffer, needle, offset, 1, isForward);
  return size < 2 ? -1 : native.find(buffer, $.subarray(needle, 0, size & ~1), offset & ~1, 2, isForward);
};

const relative = (offset, length) => {
  offset = Math.trunc(offset);
  if (Number.isNaN(offset)) return 0;
  return offset < 0 ? Math.max(offset + length, 0) : Math.min(offset, length);
};
const part = (buffer, start, end) => {
  const length = $.length(buffer);
  const from = relative(start, length);
  const to = end === undefined ? length : relative(end, length);
  return new FastBuffer($.buffer(buffer), $.byteOffset(buffer) + from, to > from ? to - from : 0);
};
const swapped = (buffer, size) => {
  if ($.length(buffer) % size !== 0) {
    throw create('RangeError', 'ERR_INVALID_BUFFER_SIZE', $.text`Buffer size must be a multiple of ${size * 8}-bits`);
  }
  native.swap(buffer, size);
  return buffer;
};
const notAString = () => create('TypeError', 'ERR_INVALID_ARG_TYPE', 'argument must be a string');

// `utf8Slice`, `utf8Write` and the like.
const slice = (encoding) => /** @this {any} */ function (start, end) {
  const length = $.length(this);
  const from = start === undefined ? 0 : Math.trunc(start) || 0;
  const to = end === undefined ? length : Math.trunc(end) || 0;
  if (from < 0 || to < 0 || Math.max(from, to) > length) {
    throw create('RangeError', 'ERR_OUT_OF_RANGE', 'Index out of range');
  }
  return native.decode(this, from, to, encoding);
};
const write = (encoding) => /** @this {any} */ function (string, offset, length) {
  if (typeof string !== 'string') throw notAString();
  const size = $.length(this);
  offset = offset === undefined ? 0 : Math.trunc(offset) || 0;
  if (offset < 0 || offset > size) throw outOfBounds('offset');
  length = length === undefined ? size - offset : Math.trunc(length) || 0;
  if (length < 0 || length > size - offset) throw outOfBounds('length');
  return native.write(this, string, offset, offset + length, encoding);
};
const pieces = {};
const order = ['ascii', 'base64', 'base64url', 'latin1', 'hex', 'ucs2', 'utf8'];
for (const name of $.each(order)) pieces[$.text`${name}Slice`] = slice(idOf(name));
for (const name of $.each(order)) pieces[$.text`${name}Write`] = write(idOf(name));

/** @type {any} */
const methods = {
  copy(target, targetStart, sourceStart, sourceEnd) {
    checkBytes(this, 'source');
    if (!$.isView(target)) throw invalidArgType('target', A_BUFFER, target);
    const length = $.length(this);
    const at = targetStart === undefined ? 0 : toInteger(targetStart);
    if (at < 0) throw outOfRange('targetStart', '>= 0', at);
    const start = sourceStart === undefined ? 0 : toInteger(sourceStart);
    if (start < 0 || start > length) throw outOfRange('sourceStart', $.text`>= 0 && <= ${length}`, start);
    const end = sourceEnd === undefined ? length : toInteger(sourceEnd);
    if (end < 0) throw outOfRange('sourceEnd', '>= 0', end);
    return at >= $.byteLength(target) || start >= end ? 0 : native.copy(target, at, this, start, end);
  },
  toString(encoding, start, end) {
    const length = $.length(this);
    if (arguments.length === 0) return native.decode(this, 0, length, UTF8);
    const from = start > 0 ? Math.trunc(start) : 0;
    if (from >= length) return '';
    const to = end === undefined || end > length ? length : Math.trunc(end) || 0;
    if (to <= from) return '';
    return native.decode(this, from, to, encoding === undefined ? UTF8 : idOf(encoding));
  },
  equals(otherBuffer) {
    checkBytes(this, 'this');
    checkBytes(otherBuffer, 'otherBuffer');
    const length = $.length(this);
    if (length !== $.length(otherBuffer)) return false;
    return this === otherBuffer || native.compare(this, 0, length, otherBuffer, 0, length) === 0;
  },
  inspect(_recurseTimes, context) {
    const length = $.length(this);
    const shown = Math.min(inspectMaxBytes, length);
    const hex = native.decode(this, 0, shown, encodings.HEX);
    const bytes = [];
    for (let i = 0; i < hex.length; i += 2) $.push(bytes, $.slice(hex, i, i + 2));
    let text = $.join(bytes, ' ');
    const more = length - shown;
    if (more > 0) text += $.text` ... ${more} more byte${more > 1 ? 's' : ''}`;
    // (A list of all keys of a large Buffer would take too much memory.)
    if (context && length < 2 ** 20) {
      const extras = { __proto__: null };
      let has = false;
      for (const key of $.each($.slice(Reflect.ownKeys(this), length))) {
        if (!context.showHidden && !$.isEnumerable(this, key)) continue;
        extras[key] = this[key];
        has = true;
      }
      if (has) {
        if (length !== 0) text += ', ';
        const { inspect } = require('inspect');
        text += $.slice(inspect(extras, { __proto__: null, ...context, breakLength: Infinity, compact: true }), 27, -2);
      }
    }
    let name = 'Buffer';
    try {
      ({ constructor: { name } } = this);
    } catch {
      // A Buffer without a constructor.
    }
    return $.text`<${name} ${text}>`;
  },
  compare(target, targetStart, targetEnd, sourceStart, sourceEnd) {
    checkBytes(this, 'source');
    checkBytes(target, 'target');
    if (targetStart === undefined) targetStart = 0;
    else checkOffset(targetStart, 'targetStart');
    if (targetEnd === undefined) targetEnd = $.length(target);
    else checkOffset(targetEnd, 'targetEnd', 0, $.length(target));
    if (sourceStart === undefined) sourceStart = 0;
    else checkOffset(sourceStart, 'sourceStart');
    if (sourceEnd === undefined) sourceEnd = $.length(this);
    else checkOffset(sourceEnd, 'sourceEnd', 0, $.length(this));
    if (sourceStart >= sourceEnd) return targetStart >= targetEnd ? 0 : -1;
    if (targetStart >= targetEnd) return 1;
    return native.compare(this, sourceStart, sourceEnd, target, targetStart, targetEnd);
  },
  indexOf(value, byteOffset, encoding) {
    return indexOf(this, value, byteOffset, encoding, true);
  },
  lastIndexOf(value, byteOffset, encoding) {
    return indexOf(this, value, byteOffset, encoding, false);
  },
  includes(value, byteOffset, encoding) {
    return indexOf(this, value, byteOffset, encoding, true) !== -1;
  },
  fill(value, offset, end, encoding) {
    return fillBuffer(this, value, offset, end, encoding);
  },
  write(string, offset, length, encoding) {
    if (typeof string !== 'string') throw notAString();
    const size = $.length(this);
    if (offset === undefined) return native.write(this, string, 0, size, UTF8);
    if (length === undefined && typeof offset === 'string') {
      return native.write(this, string, 0, size, offset ? idOf(offset) : UTF8);
    }
    checkOffset(offset, 'offset', 0, size);
    if (length === undefined) {
      length = size;
    } else if (typeof length === 'string') {
      encoding = length;
      length = size;
    } else {
      checkOffset(length, 'length', 0, size);
    }
    return native.write(this, string, offset, Math.min(offset + length, size), encoding ? idOf(encoding) : UTF8);
  },
  toJSON() {
    return { type: 'Buffer', data: $.arrayFrom(this) };
  },
  subarray(start, end) {
    return part(this, start, end);
  },
  // (Of a Uint8Array, this makes a Uint8Array.)
  slice(start, end) {
    return this.subarray(start, end);
  },
  swap16() {
    return swapped(this, 2);
  },
  swap32() {
    return swapped(this, 4);
  },
  swap64() {
    return swapped(this, 8);
  },
};

// Everything in the order that Node has.
const define = (object, name, value, enumerable = true) =>
  Object.defineProperty(object, name, { value, enumerable, writable: true, configurable: true });
const accessor = (get) => /** @this {any} */ function () {
  return this instanceof Buffer && isBytes(this) ? get(this) : undefined;
};
define(proto, 'constructor', Buffer, false);
// Each method that reads or writes an unsigned integer has two names; the second ones follow a group of the first.
let unsigned = [];
for (const name of $.each(Object.keys(native.numbers))) {
  const isUnsigned = $.includes(name, 'UInt');
  if (!isUnsigned) {
    for (const first of $.each(unsigned)) define(proto, $.replace(first, 'UInt', 'Uint'), native.numbers[first]);
    unsigned = [];
  }
  define(proto, name, native.numbers[name]);
  if (isUnsigned) $.push(unsigned, name);
}
for (const name of $.each(Object.keys(pieces))) define(proto, name, pieces[name]);
Object.defineProperty(proto, 'parent', { enumerable: true, get: accessor($.buffer) });
Object.defineProperty(proto, 'offset', { enumerable: true, get: accessor($.byteOffset) });
for (const name of $.each(Object.keys(methods))) define(proto, name, methods[name]);
define(proto, 'toLocaleString', methods.toString);
define(proto, custom, methods.inspect);
Object.defineProperty(Buffer, 'prototype', { value: proto, writable: true });
Object.setPrototypeOf(Buffer, Uint8Array);

exports.Buffer = /** @type {any} */ (Buffer);
// A Buffer of the bytes of a Uint8Array, which are not copied.
exports.fromBytes = (bytes) => new FastBuffer($.buffer(bytes), $.byteOffset(bytes), $.length(bytes));
// A string's bytes, and the string of bytes, by the numbers of encodings.
exports.encode = (text, encoding) => new FastBuffer(native.encode(text, encoding));
exports.decode = (bytes, encoding, start = 0, end = $.length(bytes)) => native.decode(bytes, start, end, encoding);

const checkInput = (input) => {
  if ($.tagOf(input) === undefined && !isAnyBuffer(input)) {
    throw invalidArgType('input', 'an instance of ArrayBuffer, Buffer, or TypedArray', input);
  }
  const buffer = isAnyBuffer(input) ? input : $.buffer(input);
  if (isArrayBuffer(buffer) && $.isDetached(buffer)) {
    throw create('Error', 'ERR_INVALID_STATE', 'Invalid state: Cannot validate on a detached buffer');
  }
  return input;
};
/** @type {any} */
const module = {
  Buffer,
  transcode(source, fromEncoding, toEncoding) {
    checkBytes(source, 'source');
    if ($.length(source) === 0) return new FastBuffer();
    const from = orUtf8(fromEncoding);
    const to = orUtf8(toEncoding);
    const made = Math.max(from, to) > encodings.ASCII ? 'U_ILLEGAL_ARGUMENT_ERROR' : native.transcode(source, from, to);
    if (typeof made !== 'string') return new FastBuffer(made);
    throw Object.assign(new Error($.text`Unable to transcode Buffer [${made}]`), { code: made });
  },
  isUtf8: (input) => native.isUtf8(checkInput(input)),
  isAscii: (input) => native.isAscii(checkInput(input)),
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_STRING_LENGTH,
};
const later = (object, name, file) => Object.defineProperty(object, name, {
  enumerable: true, configurable: true,
  get() {
    const value = require(file)[name];
    define(object, name, value);
    return value;
  },
  set(value) {
    define(object, name, value);
  },
});
later(module, 'btoa', 'base64');
later(module, 'atob', 'base64');
Object.defineProperty(module, 'constants', { enumerable: true, value: { MAX_LENGTH, MAX_STRING_LENGTH } });
Object.defineProperty(module, 'INSPECT_MAX_BYTES', {
  enumerable: true, configurable: true, get: () => inspectMaxBytes, set(value) {
    validateNumber(value, 'INSPECT_MAX_BYTES', 0);
    inspectMaxBytes = value;
  },
});
later(module, 'Blob', 'blob');
later(module, 'resolveObjectURL', 'blob');
later(module, 'File', 'blob');
exports.module = module;
later(exports, 'Blob', 'blob');
later(exports, 'File', 'blob');
