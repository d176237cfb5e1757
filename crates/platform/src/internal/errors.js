// Errors in the shape of Node's errors.
const classes = { Error, TypeError, RangeError, SyntaxError, URIError: $.globals.URIError };
const define = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });

/** @this {any} */
const toText = function toString() {
  return $.text`${this.name} [${this.code}]: ${this.message}`;
};
// `Name [CODE]: message`, as Node's own errors are printed; the code is an own property.
exports.create = (name, code, message, more) => {
  const error = new classes[name](message);
  const stack = require('stack').stackOf(error);
  const end = $.indexOf(stack, '\n    at');
  const frames = end < 0 ? []
    : $.filter($.split($.slice(stack, end + 1), '\n'), (line) => !$.includes(line, 'node:internal/errors'));
  define(error, 'toString', toText);
  define(error, 'stack', $.join([$.text`${name} [${code}]: ${message}`, ...$.each(frames)], '\n'));
  return Object.assign(error, { code }, more);
};

// An error of the operating system: errno, code, syscall, path, dest.
exports.system = (errno, code, description, syscall, path, dest) => {
  if (code === 'UNKNOWN') ({ 0: code, 1: description } = require('errno').systemErrors().get(errno) ?? [code, description]);
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
exports.received = kind;
exports.invalidArgType = (name, expected, value) => exports.create('TypeError', 'ERR_INVALID_ARG_TYPE',
  $.endsWith(name, ' argument') ? $.text`The ${name} must be ${expected}.${kind(value)}`
    : $.text`The "${name}" ${$.includes(name, '.') ? 'property' : 'argument'} must be ${expected}.${kind(value)}`);
exports.invalidArgValue = (name, value, reason = 'is invalid') => exports.create('TypeError', 'ERR_INVALID_ARG_VALUE',
  $.text`The ${$.includes(name, '.') ? 'property' : 'argument'} '${name}' ${reason}. ` +
  $.text`Received ${require('inspect').inspect(value)}`);
exports.outOfRange = (name, range, value) => exports.create('RangeError', 'ERR_OUT_OF_RANGE',
  $.text`The value of "${name}" is out of range. It must be ${range}. Received ${separated(value)}`);
// A number as Node writes it in messages: integers over 2³² in groups of three digits.
const separated = (value) => {
  const isBigInt = typeof value === 'bigint';
  const text = require('inspect').inspect(value);
  if ((!isBigInt && !Number.isInteger(value)) || (value <= 2 ** 32 && value >= -(2 ** 32))) return text;
  const end = isBigInt ? 'n' : '';
  let digits = isBigInt ? $.slice(text, 0, -1) : text;
  const sign = $.startsWith(digits, '-') ? '-' : '';
  digits = $.slice(digits, sign.length);
  let made = '';
  for (; digits.length > 3; digits = $.slice(digits, 0, -3)) made = $.text`_${$.slice(digits, -3)}${made}`;
  return sign + digits + made + end;
};
// What is there for `import` and does not work: `name` as scripts write it, such as `fs.watch`.
exports.notImplemented = (name) =>
  exports.create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', $.text`The ${name} method is not implemented`);
// What was not granted, and which.
exports.accessDenied = (message, permission, resource) =>
  exports.create('Error', 'ERR_ACCESS_DENIED', message, { permission, resource });
// A function whose callback gets several values has their names under this symbol; promisified, it gives an object.
exports.promisifyNames = Symbol('customPromisifyArgs');
exports.abortError = (cause) => {
  const error = cause === undefined ? new Error('The operation was aborted')
    : new Error('The operation was aborted', { cause });
  define(error, 'name', 'AbortError');
  return Object.assign(error, { code: 'ABORT_ERR' });
};
