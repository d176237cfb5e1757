// node:fs: the operations of `fs_operations.js` as functions that wait and functions that call back, and what is made of
// several of them.
const { operations, perform, start } = require('fs_operations');
const { constants, toPath, toText, toFlags, toLength, toTime } = require('fs_values');
const { abortError, notImplemented, promisifyNames } = require('errors');
const { validateFunction } = require('validators');
const { toBuffer } = require('fs_bytes');
const { Stats, Dirent } = require('fs_stats');

const named = (name, call) => Object.defineProperty(call, 'name', { value: name, configurable: true });
const callbackOf = (callback) => {
  validateFunction(callback, 'cb');
  return callback;
};
// The callback is the last argument. Without one, the other arguments are complained about first.
const takeCallback = (args, operation) => {
  if (typeof args[args.length - 1] !== 'function') operation(...$.each(args));
  return callbackOf($.pop(args));
};

/** @type {Record<string, any>} */
const sync = { __proto__: null };
/** @type {Record<string, any>} */
const callbacks = { __proto__: null };
for (const name of $.each(Object.keys(operations))) {
  const operation = operations[name];
  sync[name] = named($.text`${name}Sync`, (...args) => perform(operation(...$.each(args))));
  callbacks[name] = named(name, (...args) => {
    const callback = takeCallback(args, operation);
    const request = operation(...$.each(args));
    const { signal } = request;
    if (signal?.aborted) {
      require('process').process.nextTick(() => callback(abortError(signal.reason)));
      return;
    }
    let isDone = false;
    const abort = () => {
      if (isDone) return;
      isDone = true;
      callback(abortError(signal.reason));
    };
    signal?.addEventListener('abort', abort);
    start(request, (error, value) => {
      if (isDone) return;
      isDone = true;
      signal?.removeEventListener('abort', abort);
      if (error !== null) callback(error);
      else if (request.results) callback(null, value, request.more);
      else if (value === undefined) callback(null);
      else callback(null, value);
    });
  });
}

// Functions that look at their arguments in a way of their own.
const CHUNK = 16384;
/** The arguments of a read that leave out the buffer or come as an object. */
const readArguments = (buffer, rest) => {
  if (buffer !== undefined && ($.isView(buffer) || typeof buffer !== 'object')) return [buffer, ...$.each(rest)];
  const { buffer: own = toBuffer(new Uint8Array(CHUNK)), offset, length, position } = buffer ?? { __proto__: null };
  return [own, offset, length, position];
};
const { read } = callbacks;
callbacks.read = named('read', (fd, buffer, ...rest) => {
  const last = rest.length > 0 ? rest[rest.length - 1] : buffer;
  const callback = typeof last !== 'function' ? undefined : rest.length > 0 ? $.pop(rest) : buffer;
  const args = readArguments(buffer === callback ? undefined : buffer, rest);
  return callback === undefined ? read(fd, ...$.each(args)) : read(fd, ...$.each(args), callback);
});

// A path whose last part is missing exists no more than one that is no path at all.
const existing = (path) => ({ __proto__: null, call: ['exists', toPath(path)], finish: (found) => found === 1 });
sync.exists = named('existsSync', (path) => {
  try {
    return perform(/** @type {any} */ (existing(path)));
  } catch (error) {
    if (error?.code === 'ERR_ACCESS_DENIED') throw error;
    return false;
  }
});
callbacks.exists = named('exists', (path, callback) => {
  callbackOf(callback);
  let request;
  try {
    request = existing(path);
  } catch {
    callback(false);
    return;
  }
  start(/** @type {any} */ (request), (error, found) => callback(error === null && found));
});

Object.defineProperty(callbacks.exists, $.symbolFor('nodejs.util.promisify.custom'), {
  value: named('exists', (path) => new Promise((resolve) => callbacks.exists(path, resolve))),
});

const READ_WRITE = toFlags('r+');
sync.truncate = named('truncateSync', (path, length) => {
  length = toLength(length);
  const fd = sync.open(path, READ_WRITE);
  try {
    return sync.ftruncate(fd, length);
  } finally {
    sync.close(fd);
  }
});
callbacks.truncate = named('truncate', (path, length, callback) => {
  if (typeof length === 'function') {
    callback = length;
    length = 0;
  }
  length = toLength(length);
  callbackOf(callback);
  callbacks.open(path, READ_WRITE, (error, fd) => {
    if (error) callback(error);
    else callbacks.ftruncate(fd, length, (failed) => callbacks.close(fd, (error) => callback(failed ?? error)));
  });
});
const { close } = callbacks;
callbacks.close = named('close', (fd, callback = (error) => {
  if (error) throw error;
}) => close(fd, callback));

// Node walks along the path itself, and its errors name the part that failed; `native` leaves that to the system.
const failedPart = (path, error) => {
  if (error.code === 'ERR_ACCESS_DENIED') throw error;
  const whole = require('path').posix.resolve(toText(path));
  if (error.code === 'ENOENT' && isPipe(whole)) return pipePath(whole);
  const parts = $.split(whole, '/');
  for (let i = 2; i <= parts.length; i++) {
    try {
      perform({ __proto__: null, call: ['lstat', $.join($.slice(parts, 0, i), '/'), false] });
    } catch (failed) {
      // (What leads to a granted folder need not be granted.)
      if (failed.code !== 'ERR_ACCESS_DENIED') throw failed;
    }
  }
  throw error;
};
// What stands for a pipe under `/proc` leads to a name that is in no folder.
const isPipe = (path) => sync.stat(path, { __proto__: null, throwIfNoEntry: false })?.isFIFO() ?? false;
const pipePath = (path) => {
  const { posix } = require('path');
  for (let links = 0; links < 40; links++) {
    let link;
    try {
      link = sync.readlink(path);
    } catch {
      break;
    }
    path = posix.resolve(perform(operations.realpath(posix.dirname(path))), link);
  }
  return path;
};
const walking = (path, options) =>
  ({ ...operations.realpath(path, options), failed: (error) => failedPart(path, error) });
const native = { realpath: callbacks.realpath, realpathSync: sync.realpath };
sync.realpath = named('realpathSync', (path, options) => perform(walking(path, options)));
callbacks.realpath = named('realpath', (path, options, callback = options) => {
  callbackOf(callback);
  start(walking(path, typeof options === 'function' ? undefined : options), callback);
});
Object.assign(sync.realpath, { native: named('native', native.realpathSync) });
Object.assign(callbacks.realpath, { native: named('native', native.realpath) });

sync.mkdtempDisposable = named('mkdtempDisposableSync', (prefix, options) => {
  const path = sync.mkdtemp(prefix, options);
  const whole = require('path').posix.resolve(toText(path));
  const remove = () => sync.rm(whole, { __proto__: null, maxRetries: 0, recursive: true, force: true });
  return { path, remove, [Symbol.dispose]: remove };
});
for (const name of $.each(['read', 'readv', 'write', 'writev'])) {
  const count = name[0] === 'r' ? 'bytesRead' : 'bytesWritten';
  Object.defineProperty(callbacks[name], promisifyNames, { value: [count, $.endsWith(name, 'v') ? 'buffers' : 'buffer'] });
}
const copying = () => require('fs_copy');
sync.cp = named('cpSync', (from, to, options) => copying().cpSync(from, to, options));
callbacks.cp = named('cp', (from, to, options, callback = options) => {
  callbackOf(callback);
  settleWith(copying().cp(from, to, typeof options === 'function' ? undefined : options), callback);
});
sync.glob = named('globSync', (pattern, options) => require('fs_glob').globSync(pattern, options));
callbacks.glob = named('glob', (pattern, options, callback = options) => {
  callbackOf(callback);
  settleWith(require('fs_glob').globAll(pattern, typeof options === 'function' ? undefined : options), callback);
});
// Calls back with what a promise gives, outside of its jobs, so that what the callback throws is not a rejection.
const settleWith = (promise, callback) => {
  const { process } = require('process');
  $.then(promise,
    (value) => process.nextTick(() => (value === undefined ? callback(null) : callback(null, value))),
    (error) => process.nextTick(() => callback(error)));
};

const alone = {
  createReadStream: function createReadStream(path, options) {
    return require('fs_streams').createReadStream(path, options);
  },
  createWriteStream: function createWriteStream(path, options) {
    return require('fs_streams').createWriteStream(path, options);
  },
  openAsBlob(path, options) {
    path = toPath(path);
    if (options !== undefined) require('validators').validateObject(options, 'options');
    const type = options?.type ?? '';
    return $.then((/** @type {any} */ (require('fs_promises'))).readFile(path),
      (bytes) => new (require('blob').Blob)([bytes], { type }));
  },
  watch(filename, options, listener) {
    return require('fs_watcher').watch(filename, options, listener);
  },
  watchFile(filename, options, listener) {
    return require('fs_watch').watchFile(filename, options, listener);
  },
  unwatchFile(filename, listener) {
    require('fs_watch').unwatchFile(filename, listener);
  },
  _toUnixTimestamp: named('toUnixTimestamp', toTime),
};
const order = [
  'appendFile', 'access', 'chown', 'chmod', 'close', 'copyFile', 'cp', 'createReadStream', 'createWriteStream', 'exists',
  'fchown', 'fchmod', 'fdatasync', 'fstat', 'fsync', 'ftruncate', 'futimes', 'glob', 'lchown', 'lchmod', 'link', 'lstat',
  'lutimes', 'mkdir', 'mkdtemp', 'mkdtempDisposable', 'open', 'openAsBlob', 'readdir', 'read', 'readv', 'readFile',
  'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs', 'symlink', 'truncate', 'unwatchFile', 'unlink',
  'utimes', 'watch', 'watchFile', 'writeFile', 'write', 'writev',
];
const define = (name, value) => {
  if (value !== undefined) exports[name] = value;
};
for (const name of $.each(order)) {
  define(name, alone[name] ?? callbacks[name]);
  define($.text`${name}Sync`, sync[name]);
}
// Only systems where links have modes have these.
exports.lchmod = undefined;
exports.lchmodSync = undefined;
delete (/** @type {any} */ (exports)).mkdtempDisposable;
exports.Dirent = Dirent;
exports.Stats = Stats;
// What streams use, unless a script has replaced it here.
const { open, read: readBytes, write, writev, close: closeFile } = callbacks;
Object.defineProperty(exports, 'originals', { value: { open, read: readBytes, write, writev, close: closeFile } });
// The classes of streams are loaded when something is asked of them.
const lazyClass = (name) => {
  const real = () => require('fs_streams')[name];
  const named = Object.defineProperty(function () {}, 'name', { value: name });
  return new Proxy(named, {
    get: (target, key) => Reflect.get(real(), key),
    set: (target, key, value) => Reflect.set(real(), key, value),
    has: (target, key) => Reflect.has(real(), key),
    getPrototypeOf: () => Object.getPrototypeOf(real()),
    apply: (target, self, args) => Reflect.apply(real(), self, args),
    construct: (target, args, newTarget) =>
      Reflect.construct(real(), args, newTarget === exports[name] ? real() : newTarget),
  });
};
exports.ReadStream = exports.FileReadStream = lazyClass('ReadStream');
exports.WriteStream = exports.FileWriteStream = lazyClass('WriteStream');
exports.Utf8Stream = class Utf8Stream {
  constructor() {
    throw notImplemented('fs.Utf8Stream');
  }
};
exports._toUnixTimestamp = alone._toUnixTimestamp;
exports.Dir = require('fs_dir').Dir;
exports.opendir = callbacks.opendir;
exports.opendirSync = sync.opendir;
Object.defineProperty(exports, 'constants', { value: constants, enumerable: true });
Object.defineProperty(exports, 'promises', { enumerable: true, configurable: true, get: () => require('fs_promises') });
