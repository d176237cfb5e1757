// Checks of arguments, under the names and with the messages that Node has.
const { abortError, create, invalidArgType, invalidArgValue, outOfRange, received } = require('errors');

const ofType = (type) => (value, name) => {
  if (typeof value !== type) throw invalidArgType(name, $.text`of type ${type}`, value);
};
exports.validateBoolean = ofType('boolean');
exports.validateFunction = ofType('function');
exports.validateString = ofType('string');
/** @param {any} value */
exports.validateNumber = (value, name, min = undefined, max = undefined) => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if ((min !== undefined && !(value >= min)) || (max !== undefined && !(value <= max))) {
    const low = min === undefined ? '' : $.text`>= ${min}`;
    const high = max === undefined ? '' : $.text`<= ${max}`;
    throw outOfRange(name, low && high ? $.text`${low} && ${high}` : low + high, value);
  }
};
exports.validateInteger = (value, name, min = -(2 ** 53 - 1), max = 2 ** 53 - 1) => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, $.text`>= ${min} && <= ${max}`, value);
};
exports.validateInt32 = (value, name, min = -(2 ** 31), max = 2 ** 31 - 1) =>
  exports.validateInteger(value, name, min, max);
exports.validateUint32 = (value, name, positive = false) =>
  exports.validateInteger(value, name, positive ? 1 : 0, 2 ** 32 - 1);
/** @param {{ __proto__: null, nullable?: boolean, array?: boolean, callable?: boolean }} [allowed] */
exports.validateObject = (value, name, allowed = { __proto__: null }) => {
  const right = value === null ? allowed.nullable
    : $.isArray(value) ? allowed.array
      : typeof value === 'object' || (allowed.callable && typeof value === 'function');
  if (!right) throw invalidArgType(name, 'of type object', value);
};
exports.validateArray = (value, name, least = 0) => {
  if (!$.isArray(value)) throw invalidArgType(name, 'an instance of Array', value);
  if (value.length < least) throw invalidArgValue(name, value, $.text`must be longer than ${least}`);
};
exports.validateOneOf = (value, name, allowed) => {
  if ($.includes(allowed, value)) return;
  const { inspect } = require('inspect');
  const list = $.join($.map(allowed, (item) => inspect(item)), ', ');
  throw invalidArgValue(name, value, $.text`must be one of: ${list}`);
};
// (Undefined is right as well.)
exports.validateAbortSignal = (value, name) => {
  if (value !== undefined && !(typeof value === 'object' && value !== null && 'aborted' in value)) {
    throw invalidArgType(name, 'an instance of AbortSignal', value);
  }
};
exports.throwIfAborted = (signal) => {
  if (signal?.aborted) throw abortError(signal.reason);
};
exports.validateBuffer = (value, name = 'buffer') => {
  if (!$.isView(value)) throw invalidArgType(name, 'an instance of Buffer, TypedArray, or DataView', value);
};
/** The port as a number. */
exports.validatePort = (value, name = 'Port') => {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && $.trim(value) !== '');
  const port = isNumeric ? +value : -1;
  if (Number.isInteger(port) && port >= 0 && port <= 0xffff) return port;
  throw create('RangeError', 'ERR_SOCKET_BAD_PORT',
    $.text`${name} should be >= 0 and < 65536.${received(value)}.`);
};
