// What Rust leaves of reading and writing numbers in Buffers: conversions, and errors. `format` is that of
// `numbers.rs`.
/**
 * What Rust provides.
 * @type {{
 *   set(view: Uint8Array, value: number, offset: unknown, format: number): number | undefined,
 *   setBig(view: Uint8Array, value: bigint, offset: unknown, format: number): number | undefined,
 * }}
 */
const native = rust;
const { create, invalidArgType, outOfRange } = require('errors');
const { validateNumber } = require('validators');
const SIZE = 15, SIGNED = 32, FLOAT = 64;

const badPosition = (value, most, name = 'offset', least = 0) => {
  validateNumber(value, name);
  if (Math.floor(value) !== value) return outOfRange(name, 'an integer', value);
  if (most < 0) {
    return create('RangeError', 'ERR_BUFFER_OUT_OF_BOUNDS', 'Attempt to access memory outside buffer bounds');
  }
  return outOfRange(name, $.text`>= ${least} and <= ${most}`, value);
};
const last = (view, size) => {
  if ($.tagOf(view) === undefined) throw invalidArgType('this', 'an instance of Buffer or Uint8Array', view);
  return $.byteLength(view) - size;
};
const checkSize = (size) => {
  if (size === undefined) throw invalidArgType('byteLength', 'of type number', size);
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 6) {
    throw badPosition(size, 6, 'byteLength', 1);
  }
};

/** @this {any} */
exports.read = function (offset, _1, _2, format) {
  throw badPosition(offset === undefined ? 0 : offset, last(this, format & SIZE));
};
/** @this {any} */
exports.readSome = function (offset, size, _, _format) {
  if (offset === undefined) throw invalidArgType('offset', 'of type number', offset);
  checkSize(size);
  throw badPosition(offset, last(this, size));
};

const write = (view, value, offset, format) => {
  const size = format & SIZE;
  value = +value;
  if (!(format & FLOAT)) {
    const bits = size * 8;
    const least = format & SIGNED ? -(2 ** (bits - 1)) : 0;
    const most = format & SIGNED ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    if (value < least || value > most) {
      const range = size <= 4 ? $.text`>= ${least} and <= ${most}`
        : least === 0 ? $.text`>= 0 and < 2 ** ${bits}`
          : $.text`>= -(2 ** ${bits - 1}) and < 2 ** ${bits - 1}`;
      throw outOfRange('value', range, value);
    }
  }
  return native.set(view, value, offset, format) ?? unwritable(view, offset, size);
};
const unwritable = (view, offset, size) => {
  if (!(Number.isInteger(offset) && offset >= 0 && offset <= last(view, size))) throw badPosition(offset, last(view, size));
  // So the buffer is immutable.
  throw new TypeError('the buffer is immutable');
};
/** @this {any} */
exports.write = function (value, offset, _, format) {
  return write(this, value, offset === undefined ? 0 : offset, format);
};
/** @this {any} */
exports.writeSome = function (value, offset, size, format) {
  checkSize(size);
  if (offset === undefined) throw invalidArgType('offset', 'of type number', offset);
  return write(this, value, offset, format | size);
};
/** @this {any} */
exports.writeBig = function (value, offset, _, format) {
  if (offset === undefined) offset = 0;
  const least = format & SIGNED ? -(2n ** 63n) : 0n;
  const most = format & SIGNED ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  if (value > most || value < least) {
    throw outOfRange('value', least === 0n ? '>= 0n and < 2n ** 64n' : '>= -(2n ** 63n) and < 2n ** 63n', value);
  }
  if (typeof value !== 'bigint') throw new TypeError('Cannot mix BigInt and other types, use explicit conversions');
  return native.setBig(this, value, offset, format) ?? unwritable(this, offset, 8);
};
