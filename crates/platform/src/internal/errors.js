// Errors in the shape of Node's errors.
const classes = { Error, TypeError, RangeError, SyntaxError };
const define = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });

// `Name [CODE]: message`, as Node's own errors are printed; the code is an own property.
exports.create = (name, code, message, more) => {
  const error = new classes[name](message);
  const stack = require('stack').stackOf(error);
  const end = $.indexOf(stack, '\n    at');
  const frames = end < 0 ? []
    : $.filter($.split($.slice(stack, end + 1), '\n'), (line) => !$.includes(line, 'node:internal/errors'));
  define(error, 'stack', $.join([$.text`${name} [${code}]: ${message}`, ...$.each(frames)], '\n'));
  return Object.assign(error, { code }, more);
};

// An error of the operating system: errno, code, syscall, path, dest.
exports.system = (errno, code, description, syscall, path, dest) => {
  let message = $.text`${code}: ${description}, ${syscall}`;
  if (path !== undefined) message += $.text` '${path}'`;
  if (dest !== undefined) message += $.text` -> '${dest}'`;
  const error = new Error(message);
  return Object.assign(
    error, { errno, code, syscall },
    path === undefined ? undefined : { path }, dest === undefined ? undefined : { dest });
};

const kind = (value) => {
  if (value == null) return $.text` Received ${value}`;
  if (typeof value === 'function') return $.text` Received function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return $.text` Received an instance of ${value.constructor.name}`;
    return $.text` Received ${require('inspect').inspect(value, { depth: -1 })}`;
  }
  let text = require('inspect').inspect(value, { colors: false });
  if (text.length > 28) text = $.text`${$.slice(text, 0, 25)}...`;
  return $.text` Received type ${typeof value} (${text})`;
};
exports.invalidArgType = (name, expected, value) => exports.create('TypeError', 'ERR_INVALID_ARG_TYPE',
  $.text`The "${name}" ${$.includes(name, '.') ? 'property' : 'argument'} must be ${expected}.${kind(value)}`);
exports.invalidArgValue = (name, value, reason = 'is invalid') => exports.create('TypeError', 'ERR_INVALID_ARG_VALUE',
  $.text`The ${$.includes(name, '.') ? 'property' : 'argument'} '${name}' ${reason}. ` +
  $.text`Received ${require('inspect').inspect(value)}`);
exports.outOfRange = (name, range, value) => exports.create('RangeError', 'ERR_OUT_OF_RANGE',
  $.text`The value of "${name}" is out of range. It must be ${range}. Received ${require('inspect').inspect(value)}`);
exports.checkFunction = (value, name) => {
  if (typeof value !== 'function') throw exports.invalidArgType(name, 'of type function', value);
};
exports.checkString = (value, name) => {
  if (typeof value !== 'string') throw exports.invalidArgType(name, 'of type string', value);
};
