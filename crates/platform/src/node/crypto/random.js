// Randomness of node:crypto.
const { invalidArgType, outOfRange } = require('errors');
const { validateBoolean, validateFunction, validateNumber, validateObject } = require('validators');
const { viewOf } = require('bytes');
const { Buffer } = require('buffer');
const { crypto, fillRandom } = require('crypto');
const MOST = 2 ** 31 - 1;

const checkSize = (size) => {
  validateNumber(size, 'size', 0, MOST);
  return Math.trunc(size);
};
const checkRange = (buf, offset, size) => {
  const view = viewOf(buf);
  if (view === undefined) throw invalidArgType('buf', 'an instance of ArrayBuffer or ArrayBufferView', buf);
  const width = $.isView(buf) && $.tagOf(buf) !== undefined && $.length(buf) > 0 ? $.byteLength(buf) / $.length(buf) : 1;
  const length = $.length(view);
  if (offset === undefined) offset = 0;
  validateNumber(offset, 'offset');
  offset *= width;
  if (Number.isNaN(offset) || offset > Math.min(length, MOST) || offset < 0) {
    throw outOfRange('offset', $.text`>= 0 && <= ${Math.min(length, MOST)}`, offset);
  }
  if (size === undefined) {
    size = length - offset;
  } else {
    validateNumber(size, 'size');
    size *= width;
    if (Number.isNaN(size) || size > MOST || size < 0) throw outOfRange('size', $.text`>= 0 && <= ${MOST}`, size);
  }
  if (size + offset > length) throw outOfRange('size + offset', $.text`<= ${length}`, size + offset);
  return { view, start: Math.trunc(offset), size: Math.trunc(size) };
};
const fillRange = ({ view, start, size }) => {
  if (size > 0) fillRandom($.subarray(view, start, start + size), size);
};
exports.fill = (view) => fillRandom(view, $.byteLength(view));

exports.randomBytes = function randomBytes(size, callback) {
  size = checkSize(size);
  if (callback !== undefined) validateFunction(callback, 'callback');
  const bytes = Buffer.alloc(size);
  exports.fill(bytes);
  if (callback === undefined) return bytes;
  require('timers').setImmediate(() => callback(null, bytes));
  return undefined;
};
exports.randomFillSync = function randomFillSync(buf, offset = 0, size = undefined) {
  fillRange(checkRange(buf, offset, size));
  return buf;
};
exports.randomFill = function randomFill(buf, offset, size, callback) {
  if (typeof offset === 'function') {
    callback = offset;
    offset = 0;
    size = undefined;
  } else if (typeof size === 'function') {
    callback = size;
    size = undefined;
  }
  if (viewOf(buf) === undefined) throw invalidArgType('buf', 'an instance of ArrayBuffer or ArrayBufferView', buf);
  validateFunction(callback, 'callback');
  const range = checkRange(buf, offset, size);
  require('timers').setImmediate(() => {
    fillRange(range);
    callback(null, buf);
  });
};
const RANGE = 2 ** 48 - 1;
const isSafe = (value) => typeof value === 'number' && Number.isInteger(value) && Math.trunc(value) === value &&
  value <= 2 ** 53 - 1 && value >= -(2 ** 53 - 1);
const random48 = () => {
  const bytes = Buffer.alloc(6);
  exports.fill(bytes);
  return bytes.readUIntBE(0, 6);
};
exports.randomInt = function randomInt(min, max, callback) {
  const hasMin = max !== undefined && typeof max !== 'function';
  if (!hasMin) {
    callback = max;
    max = min;
    min = 0;
  }
  if (callback !== undefined) validateFunction(callback, 'callback');
  if (!isSafe(min)) throw invalidArgType('min', 'a safe integer', min);
  if (!isSafe(max)) throw invalidArgType('max', 'a safe integer', max);
  if (max <= min) throw outOfRange('max', $.text`greater than the value of "min" (${min})`, max);
  const range = max - min;
  if (!(range <= RANGE)) throw outOfRange(hasMin ? 'max - min' : 'max', $.text`<= ${RANGE}`, range);
  // Each number is as likely as any other.
  const end = RANGE - RANGE % range;
  let found = random48();
  while (found >= end) found = random48();
  const value = found % range + min;
  if (callback === undefined) return value;
  require('timers').setImmediate(() => callback(undefined, value));
  return undefined;
};
exports.randomUUID = function randomUUID(options) {
  if (options !== undefined) validateObject(options, 'options');
  const { disableEntropyCache } = options ?? { __proto__: null };
  if (disableEntropyCache !== undefined) validateBoolean(disableEntropyCache, 'options.disableEntropyCache');
  return crypto.randomUUID();
};
