// node:fs/promises: the operations of `fs_operations.js` as functions that promise, and FileHandle.
const { operations, start } = require('fs_operations');
const { constants, toLength, toFlags, toOptions, toText } = require('fs_values');
const { abortError, create, notImplemented } = require('errors');
const { toBuffer, encode, encodingOf } = require('fs_bytes');
const { throwIfAborted } = require('validators');
const { EventEmitter } = require('events');

// A function that promises, and in which whatever goes wrong is a rejection.
const promising = (name, call) => ({ async [name](...args) {
  return await $.awaited(call(...$.each(args)));
} }[name]);
const run = (request) => new Promise((resolve, reject) => {
  const { signal } = request;
  if (signal?.aborted) {
    reject(abortError(signal.reason));
    return;
  }
  const abort = () => reject(abortError(signal.reason));
  signal?.addEventListener('abort', abort);
  start(request, (error, value) => {
    signal?.removeEventListener('abort', abort);
    if (error !== null) reject(error);
    else resolve(request.results ? { [request.results[0]]: value, [request.results[1]]: request.more } : value);
  });
});

const token = Symbol('token');
const fdOf = Symbol('kFd');
const closedError = (syscall) => {
  const error = require('errors').system(-9, 'EBADF', 'file closed', syscall);
  error.message = 'file closed';
  return Object.assign(error, { code: 'EBADF', syscall });
};
class FileHandle extends EventEmitter {
  #fd;
  #closing;
  /** @type {undefined | (() => void)} */
  #whenUnused;
  #users = 1;
  // It has been read as a web stream.
  #isLocked = false;
  constructor(key, fd) {
    super();
    if (key !== token) throw new TypeError('Illegal constructor');
    this.#fd = fd;
  }
  getAsyncId() {
    return this.#fd;
  }
  get fd() {
    return this.#fd;
  }
  // The descriptor, for an operation.
  static [fdOf](handle, syscall) {
    if (handle.#fd === -1) throw closedError(syscall);
    return handle.#fd;
  }
  // Streams count as users, and the file is closed when the last one is done.
  static use(handle) {
    handle.#users++;
  }
  static release(handle) {
    handle.#users--;
    if (handle.#users === 0) handle.#whenUnused?.();
  }
  close() {
    if (this.#fd === -1) return $.resolved();
    if (this.#closing) return this.#closing;
    const { promise, resolve, reject } = $.withResolvers();
    const finish = () => {
      const fd = this.#fd;
      this.#fd = -1;
      this.#closing = undefined;
      $.then(run(operations.close(fd)), resolve, reject);
    };
    this.#closing = promise;
    this.#users--;
    if (this.#users === 0) finish();
    else this.#whenUnused = finish;
    this.emit('close');
    return promise;
  }
  readLines(options) {
    const { createInterface } = /** @type {any} */ (require('readline'));
    return createInterface({
      __proto__: null, input: this.createReadStream(options), crlfDelay: Infinity,
    })[Symbol.asyncIterator]();
  }
  readableWebStream(options = { __proto__: null }) {
    if (this.#fd === -1 || this.#closing) {
      throw create('Error', 'ERR_INVALID_STATE',
        $.text`Invalid state: The FileHandle is ${this.#fd === -1 ? 'closed' : 'closing'}`);
    }
    if (this.#isLocked) throw create('Error', 'ERR_INVALID_STATE', 'Invalid state: The FileHandle is locked');
    this.#isLocked = true;
    return require('fs_streams').webStream(this, options);
  }
  createReadStream(options) {
    return require('fs_streams').createReadStream('', { __proto__: null, ...options, fd: this });
  }
  createWriteStream(options) {
    return require('fs_streams').createWriteStream('', { __proto__: null, ...options, fd: this });
  }
  async [Symbol.asyncDispose]() {
    await $.awaited(this.close());
  }
}
require('bytes').unserializable.add(FileHandle.prototype);
const isHandle = (value) => {
  try {
    return typeof value === 'object' && value !== null && FileHandle[fdOf](value, 'open') >= 0;
  } catch {
    return value instanceof FileHandle;
  }
};
exports.isHandle = isHandle;
exports.fdOf = (handle, syscall) => FileHandle[fdOf](handle, syscall);
exports.useHandle = FileHandle.use;
exports.releaseHandle = FileHandle.release;
const originals = { __proto__: null };
exports.isOriginal = (handle, name) => handle[name] === originals[name];
for (const name of $.each(['isHandle', 'fdOf', 'useHandle', 'releaseHandle', 'isOriginal'])) {
  Object.defineProperty(exports, name, { enumerable: false });
}
delete (/** @type {any} */ (FileHandle)).use;
delete (/** @type {any} */ (FileHandle)).release;

// What is written may come in pieces.
const isPieces = (data) => data !== null && typeof data === 'object' && !$.isView(data) && typeof data !== 'string'
  && (typeof data[Symbol.iterator] === 'function' || typeof data[Symbol.asyncIterator] === 'function');
const writePieces = async (fd, data, options) => {
  const encoding = encodingOf({ __proto__: null, encoding: options?.encoding ?? (typeof options === 'string' ? options : 'utf8') });
  throwIfAborted(options?.signal);
  for await (const piece of $.each(data)) {
    if (options?.signal?.aborted) throw abortError(options.signal.reason);
    const { Buffer } = /** @type {any} */ (require('buffer'));
    const bytes = typeof piece === 'string' ? encode(piece, encoding) : $.isView(piece) ? piece : Buffer.from(piece);
    await $.awaited(run({ __proto__: null, call: ['writeAll', fd, bytes] }));
  }
};
const readArguments = (buffer, rest) => {
  if (buffer !== undefined && buffer !== null && ($.isView(buffer) || typeof buffer !== 'object')) {
    if (rest.length === 1 && rest[0] !== null && typeof rest[0] === 'object') {
      const { offset, length, position } = rest[0];
      return [buffer, offset, length, position];
    }
    return [buffer, rest[0], rest[1], rest[2]];
  }
  const { buffer: own = toBuffer(new Uint8Array(16384)), offset, length, position } = buffer ?? { __proto__: null };
  return [own, offset, length, position];
};

// FileHandle's methods that are operations on its descriptor, by their names there.
const methods = {
  __proto__: null, chmod: 'fchmod', chown: 'fchown', datasync: 'fdatasync', sync: 'fsync', read: 'read',
  readv: 'readv', readFile: 'readFile', stat: 'fstat', truncate: 'ftruncate', utimes: 'futimes', write: 'write',
  writev: 'writev', writeFile: 'writeFile', appendFile: 'appendFile',
};
for (const method of $.each(Object.keys(methods))) {
  const operation = methods[method];
  const call = (handle, args) => {
    const fd = FileHandle[fdOf](handle, operation);
    if (method === 'read') args = readArguments(args[0], $.slice(args, 1));
    if (method === 'write' && typeof args[0] === 'string') {
      // (text, position, encoding)
      args = [args[0], args[1] ?? null, args[2]];
    }
    if ((method === 'writeFile' || method === 'appendFile') && isPieces(args[0])) return writePieces(fd, args[0], args[1]);
    return run(operations[operation](fd, ...$.each(args)));
  };
  /** @this {any} */
  const asMethod = { async [method](...args) {
    return await $.awaited(call(this, args));
  } }[method];
  originals[method] = asMethod;
  Object.defineProperty(FileHandle.prototype, method, { value: asMethod, writable: true, configurable: true });
}

const open = async (path, flags, mode) => new FileHandle(token, await $.awaited(run(operations.open(path, flags, mode))));
const withHandle = async (handle, call) => {
  try {
    return await $.awaited(call(handle));
  } finally {
    await $.awaited(handle.close());
  }
};
const target = (file) => (isHandle(file) ? FileHandle[fdOf](file, 'write') : file);
const writing = (operation, flag) => (file, data, options) => {
  if (!isPieces(data)) return run(operations[operation](target(file), data, options));
  const { flag: flags, mode, signal } = toOptions(options);
  if (signal?.aborted) throw abortError(signal.reason);
  if (isHandle(file)) return writePieces(FileHandle[fdOf](file, 'write'), data, options);
  return $.then(open(file, flags || flag, mode), (handle) => withHandle(handle, ({ fd }) => writePieces(fd, data, options)));
};
const special = {
  __proto__: null,
  open,
  cp: (from, to, options) => require('fs_copy').cp(from, to, options),
  readFile: (file, options) => run(operations.readFile(isHandle(file) ? FileHandle[fdOf](file, 'read') : file, options)),
  writeFile: writing('writeFile', 'w'),
  appendFile: writing('appendFile', 'a'),
  truncate: async (path, length = 0) => {
    length = toLength(length);
    const handle = await $.awaited(open(path, toFlags('r+'), undefined));
    return withHandle(handle, ({ fd }) => run(operations.ftruncate(fd, length)));
  },
  lchmod() {
    throw notImplemented('lchmod()');
  },
  mkdtempDisposable: async (prefix, options) => {
    const path = await $.awaited(run(operations.mkdtemp(prefix, options)));
    const whole = require('path').posix.resolve(toText(path));
    const remove = async () => {
      const how = { __proto__: null, maxRetries: 0, recursive: true, force: true };
      await $.awaited(run(operations.rm(whole, how)));
    };
    return { __proto__: null, path, remove, [Symbol.asyncDispose]: remove };
  },
};
const names = [
  'access', 'copyFile', 'cp', 'glob', 'open', 'opendir', 'rename', 'truncate', 'rm', 'rmdir', 'mkdir', 'readdir',
  'readlink', 'symlink', 'lstat', 'stat', 'statfs', 'link', 'unlink', 'chmod', 'lchmod', 'lchown', 'chown', 'utimes',
  'lutimes', 'realpath', 'mkdtemp', 'mkdtempDisposable', 'writeFile', 'appendFile', 'readFile', 'watch',
];
for (const name of $.each(names)) {
  exports[name] = promising(name, special[name] ?? ((...args) => run(operations[name](...$.each(args)))));
}
exports.glob = { glob: (pattern, options) => require('fs_glob').glob(pattern, options) }.glob;
exports.watch = { watch: (filename, options) => require('fs_watcher').watchEach(filename, options) }.watch;
exports.constants = constants;
