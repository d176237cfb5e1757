// What `spawn` and its relatives are called with, checked.
const { create, invalidArgType, invalidArgValue, outOfRange } = require('errors');
const { validateBoolean, validateInt32, validateNumber, validateObject, validateString } = require('validators');
const { toText } = require('fs_values');
const { toSignal } = require('process_signals');

const present = (value) => value !== undefined && value !== null;
const noNull = (value, name) => {
  if (typeof value === 'string' && $.includes(value, '\0')) {
    throw invalidArgValue(name, value, 'must be a string without null bytes');
  }
};
exports.checkSignal = (signal, name = 'options.killSignal') => {
  if (typeof signal === 'string' || typeof signal === 'number') return toSignal(signal);
  if (present(signal)) throw invalidArgType(name, 'one of type string or number', signal);
  return undefined;
};
exports.checkTimeout = (timeout) => {
  if (present(timeout) && !(Number.isInteger(timeout) && timeout >= 0)) {
    throw outOfRange('timeout', 'an unsigned integer', timeout);
  }
};
exports.checkMaxBuffer = (most) => {
  if (present(most)) validateNumber(most, 'options.maxBuffer', 0);
};

/**
 * @param {any} file
 * @param {any} [args]
 * @param {any} [options]
 */
exports.normalize = (file, args, options) => {
  validateString(file, 'file');
  noNull(file, 'file');
  if (file.length === 0) throw invalidArgValue('file', file, 'cannot be empty');
  if ($.isArray(args)) args = $.slice(args);
  else if (!present(args)) args = [];
  else if (typeof args !== 'object') throw invalidArgType('args', 'of type object', args);
  else {
    options = args;
    args = [];
  }
  $.forEach(args, (arg, i) => noNull(arg, $.text`args[${i}]`));
  if (options === undefined) options = { __proto__: null };
  else validateObject(options, 'options');
  options = { __proto__: null, ...options };
  let { cwd } = options;
  if (present(cwd)) cwd = toText(cwd, 'options.cwd');
  if (present(options.detached)) validateBoolean(options.detached, 'options.detached');
  if (present(options.uid)) validateInt32(options.uid, 'options.uid');
  if (present(options.gid)) validateInt32(options.gid, 'options.gid');
  const { shell } = options;
  if (present(shell) && typeof shell !== 'boolean' && typeof shell !== 'string') {
    throw invalidArgType('options.shell', 'one of type boolean or string', shell);
  }
  noNull(shell, 'options.shell');
  if (present(options.argv0)) {
    validateString(options.argv0, 'options.argv0');
    noNull(options.argv0, 'options.argv0');
  }
  if (present(options.windowsHide)) validateBoolean(options.windowsHide, 'options.windowsHide');
  if (present(options.windowsVerbatimArguments)) {
    validateBoolean(options.windowsVerbatimArguments, 'options.windowsVerbatimArguments');
  }
  args = $.map(args, (arg) => $.text`${arg}`);
  if (shell) {
    const command = $.join([file, ...$.each(args)], ' ');
    file = typeof shell === 'string' ? shell : '/bin/sh';
    args = ['-c', command];
  }
  $.unshift(args, typeof options.argv0 === 'string' ? options.argv0 : file);
  // (Inherited names count, as in Node.)
  const env = present(options.env) ? options.env : require('process').process.env;
  const envPairs = [];
  const add = (name) => {
    const value = env[name];
    if (value === undefined) return;
    noNull(name, $.text`options.env['${name}']`);
    noNull(value, $.text`options.env['${name}']`);
    $.push(envPairs, $.text`${name}=${value}`);
  };
  if (present(options.env)) for (const name in env) add(name);
  else $.forEach(Object.keys(env), add);
  return { __proto__: null, ...options, args, cwd, detached: Boolean(options.detached), envPairs, file };
};
// Pairs of names and values for Rust.
exports.environment = (envPairs) => $.flatMap(envPairs, (pair) => {
  const at = $.indexOf(pair, '=', 1);
  return at < 0 ? [pair, ''] : [$.slice(pair, 0, at), $.slice(pair, at + 1)];
});

const names = { __proto__: null, pipe: 'pipe', overlapped: 'pipe', ignore: 'ignore', inherit: 'inherit', ipc: 'ipc' };
const fdOf = (value) => (typeof value?.fd === 'number' && value.fd >= 0 ? value.fd
  : typeof value?._handle?.fd === 'number' ? value._handle.fd : undefined);
// The `stdio` option as a list: for each descriptor what it is (`pipe`, `ignore`, `fd` or `ipc`).
exports.stdioOf = (stdio, sync = false) => {
  if (typeof stdio === 'string') {
    if (!$.includes(['ignore', 'pipe', 'overlapped', 'inherit'], stdio)) throw invalidArgValue('stdio', stdio);
    stdio = [stdio, stdio, stdio];
  } else if (!$.isArray(stdio)) {
    throw invalidArgValue('stdio', stdio);
  } else {
    stdio = $.slice(stdio);
  }
  while (stdio.length < 3) $.push(stdio, undefined);
  let ipc = -1;
  const list = $.map(stdio, (value, i) => {
    value ??= i < 3 ? 'pipe' : 'ignore';
    const name = typeof value === 'string' ? names[value] : undefined;
    switch (name) {
      case 'pipe': return { type: 'pipe', input: undefined };
      case 'ignore': return { type: 'ignore' };
      case 'inherit': return { type: 'fd', fd: i };
      case 'ipc':
        if (sync || ipc >= 0) {
          if (sync) {
            throw create('Error', 'ERR_IPC_SYNC_FORK', 'IPC cannot be used with synchronous forks');
          }
          throw create('Error', 'ERR_IPC_ONE_PIPE', 'Child process can have only one IPC pipe');
        }
        ipc = i;
        return { type: 'ipc' };
    }
    if (typeof value === 'number') return { type: 'fd', fd: value };
    if ($.isView(value) || typeof value === 'string') {
      if (!sync) {
        throw create('TypeError', 'ERR_INVALID_SYNC_FORK_INPUT',
          $.text`Asynchronous forks do not support Buffer, TypedArray, DataView or string input: ${value}`);
      }
      return { type: 'pipe', input: value };
    }
    const fd = fdOf(value);
    if (fd === undefined) throw invalidArgValue('stdio', value);
    return { type: 'fd', fd };
  });
  return { list, ipc };
};
/** @param {any} how */
exports.toWish = ({ type, fd }) => (type === 'fd' ? fd : type === 'ignore' ? -1 : -2);
