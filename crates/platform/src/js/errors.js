// Errors in the shape of Node's.
const classes = { Error, TypeError, RangeError, SyntaxError };
const define = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });

// `Name [CODE]: message`, as Node's own errors print; the code is an own property.
exports.create = (name, code, message, more) => {
  const error = new classes[name](message);
  const stack = error.stack;
  const end = stack.indexOf('\n    at');
  const frames = end < 0 ? [] : stack.slice(end + 1).split('\n').filter((line) => !line.includes('node:internal/errors'));
  define(error, 'stack', [`${name} [${code}]: ${message}`, ...frames].join('\n'));
  error.code = code;
  return more === undefined ? error : Object.assign(error, more);
};

// An error of the operating system: errno, code, syscall, path, dest.
exports.system = (errno, code, description, syscall, path, dest) => {
  let message = `${code}: ${description}, ${syscall}`;
  if (path !== undefined) message += ` '${path}'`;
  if (dest !== undefined) message += ` -> '${dest}'`;
  const error = new Error(message);
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  if (dest !== undefined) error.dest = dest;
  return error;
};

const kind = (value) => {
  if (value == null) return ` Received ${value}`;
  if (typeof value === 'function') return ` Received function ${value.name}`;
  if (typeof value === 'object') {
    if (value.constructor?.name) return ` Received an instance of ${value.constructor.name}`;
    return ` Received ${require('inspect').inspect(value, { depth: -1 })}`;
  }
  let text = require('inspect').inspect(value, { colors: false });
  if (text.length > 28) text = `${text.slice(0, 25)}...`;
  return ` Received type ${typeof value} (${text})`;
};
exports.invalidArgType = (name, expected, value) => exports.create('TypeError', 'ERR_INVALID_ARG_TYPE',
  `The "${name}" ${name.includes('.') ? 'property' : 'argument'} must be ${expected}.${kind(value)}`);
exports.invalidArgValue = (name, value, reason = 'is invalid') => exports.create('TypeError', 'ERR_INVALID_ARG_VALUE',
  `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${require('inspect').inspect(value)}`);
exports.outOfRange = (name, range, value) => exports.create('RangeError', 'ERR_OUT_OF_RANGE',
  `The value of "${name}" is out of range. It must be ${range}. Received ${require('inspect').inspect(value)}`);
exports.checkFunction = (value, name) => {
  if (typeof value !== 'function') throw exports.invalidArgType(name, 'of type function', value);
};
exports.checkString = (value, name) => {
  if (typeof value !== 'string') throw exports.invalidArgType(name, 'of type string', value);
};
