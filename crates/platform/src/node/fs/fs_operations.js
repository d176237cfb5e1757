// The operations of node:fs, said once. Each function checks its arguments and returns a request: what Rust is to do,
// and what to make of its result. `fs.js` and `fs_promises.js` turn requests into the three kinds of functions: those
// that wait, those that call back, and those that promise.
/**
 * What Rust provides.
 * @type {{
 *   perform(name: string, ...rest: unknown[]): any,
 *   start(settle: (...given: any[]) => void, name: string, ...rest: unknown[]): number,
 *   cancel(id: number): boolean,
 *   setRef(id: number, refed: boolean): void,
 * }}
 */
const native = rust;
const { invalidArgType, invalidArgValue, outOfRange } = require('errors');
const { validateAbortSignal, validateBoolean, validateInteger, validateObject, validateOneOf } =
  require('validators');
const {
  constants, toPath, toText, toFd, isFd, toFlags, toMode, toAccess, toCopyMode, toOwner, toLength, toTime, toOptions,
  toView, toViews, toPart, toReadPosition, toWritePosition,
} = require('fs_values');
const { encodingOf, isUtf8, toBuffer, decode, encode, content } = require('fs_bytes');
const { makeStats, makeStatFs, Dirent } = require('fs_stats');

/**
 * @typedef {{
 *   call: unknown[], finish?: (result: any) => any, failed?: (error: any) => any, signal?: any,
 *   results?: string[], more?: unknown, __proto__?: null,
 * }} Request
 *   `finish` makes the value of Rust's result; `failed` may make a value of an error, or throws it; `results` and `more`
 *   are for functions that give their callbacks two values: their names, and the second one.
 */

const identity = (result) => result;
/** @param {Request} request */
exports.perform = (request) => {
  let result;
  try {
    result = native.perform(.../** @type {[string]} */ ($.each(request.call)));
  } catch (error) {
    if (!request.failed) throw error;
    return request.failed(error);
  }
  return (request.finish ?? identity)(result);
};
/**
 * Calls `settle(error)` or `settle(null, value)` in a later turn of the loop.
 * @param {Request} request
 * @param {(error: any, value?: any) => void} settle
 */
exports.start = ({ call, finish = identity, failed }, settle) => native.start((error, result) => {
  let value;
  try {
    value = error === null ? finish(result) : failed ? failed(error) : undefined;
    if (error !== null && failed) error = null;
  } catch (thrown) {
    error = thrown;
  }
  if (error === null) settle(null, value);
  else settle(error);
}, .../** @type {[string]} */ ($.each(call)));
exports.cancel = native.cancel;
exports.setRef = native.setRef;

/** @param {any} [finish] @returns {Request} */
const request = (call, finish = undefined) => ({ __proto__: null, call, finish });

const isRaw = (options) => (typeof options === 'string' ? options : options?.encoding) === 'buffer';
// Names and paths come as text, as bytes, or in an encoding.
const names = (options) => {
  const encoding = encodingOf(options);
  const raw = isRaw(options) || (encoding !== undefined && !isUtf8(encoding));
  return { raw, read: raw ? (name) => decode(name, isRaw(options) ? undefined : encoding) : identity };
};
const named = (operation, path, options) => {
  const { raw, read } = names(options);
  return request([operation, path, raw], read);
};
const statsRequest = (operation, target, options, isOptional) => {
  if (options !== undefined && typeof options !== 'function') validateObject(options ?? {}, 'options');
  const made = request([operation, target, Boolean(options?.bigint)], makeStats);
  if (isOptional && options?.throwIfNoEntry === false) {
    made.failed = (error) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    };
  }
  return made;
};
const dataRequest = (target, data, options, flag) => {
  const { encoding, mode, flag: flags, flush } = toOptions(options, { __proto__: null, encoding: 'utf8', mode: 0o666, flag });
  if (flush !== undefined && flush !== null) validateBoolean(flush, 'options.flush');
  const written = content(data, encodingOf({ __proto__: null, encoding }));
  if (isFd(target)) return request(['writeAll', target, written], () => undefined);
  const path = toPath(target);
  return request(['writeFile', path, written, toFlags(flags || flag, 'options.flag'), toMode(mode, 'mode', 0o666), Boolean(flush)]);
};
// Bytes that were read, put where the script wants them; a buffer that has shrunk meanwhile gets none.
const fill = (view, offset, bytes) => {
  try {
    $.set(new Uint8Array($.buffer(view), $.byteOffset(view) + offset, $.length(bytes)), bytes);
  } catch {
    // The memory is gone.
  }
};
const partOf = (view, offset, length) => new Uint8Array($.buffer(view), $.byteOffset(view) + offset, length);

let hasWarnedOfX = false;
const warnOfX = (prefix) => {
  if (hasWarnedOfX || !(typeof prefix === 'string' ? $.endsWith(prefix, 'X') : prefix[$.length(prefix) - 1] === 0x58)) return;
  hasWarnedOfX = true;
  require('process').process.emitWarning('mkdtemp() templates ending with X are not portable. ' +
    'For details see: https://nodejs.org/api/fs.html');
};

/** @type {Record<string, (...args: any[]) => Request>} */
const operations = {
  __proto__: null,
  access: (path, mode) => request(['access', toPath(path), toAccess(mode)]),
  open: (path, flags, mode) => request(['open', toPath(path), toFlags(flags), toMode(mode, 'mode', 0o666)]),
  close: (fd) => request(['close', toFd(fd)]),
  stat: (path, options) => statsRequest('stat', toPath(path), options, true),
  lstat: (path, options) => statsRequest('lstat', toPath(path), options, true),
  fstat: (fd, options) => statsRequest('fstat', toFd(fd), options, false),
  statfs: (path, options) => request(['statfs', toPath(path), Boolean(options?.bigint)], makeStatFs),
  mkdir(path, options) {
    path = toPath(path);
    let mode = 0o777;
    let recursive = false;
    if (typeof options === 'number' || typeof options === 'string') mode = toMode(options, 'mode');
    else if (options) {
      if (options.recursive !== undefined) {
        validateBoolean(options.recursive, 'options.recursive');
        ({ recursive } = options);
      }
      if (options.mode !== undefined) mode = toMode(options.mode, 'options.mode');
    }
    if (!recursive) return request(['mkdir', path, mode]);
    return request(['mkdirAll', path, mode]);
  },
  mkdtemp(prefix, options) {
    const path = toPath(prefix, 'prefix');
    warnOfX(path);
    return named('mkdtemp', path, options);
  },
  rmdir(path, options) {
    path = toPath(path);
    if (options?.recursive !== undefined) {
      throw invalidArgValue('options.recursive', options.recursive, 'is no longer supported');
    }
    return request(['rmdir', path]);
  },
  rm(path, options) {
    path = toPath(path);
    if (options !== undefined && options !== null) validateObject(options, 'options');
    const { force = false, recursive = false, retryDelay = 100, maxRetries = 0 } = options ?? { __proto__: null };
    validateBoolean(force, 'options.force');
    validateBoolean(recursive, 'options.recursive');
    validateInteger(retryDelay, 'options.retryDelay', 0, 2 ** 31 - 1);
    validateInteger(maxRetries, 'options.maxRetries', 0, 2 ** 32 - 1);
    return request(['rm', path, recursive, force, maxRetries, retryDelay]);
  },
  unlink: (path) => request(['unlink', toPath(path)]),
  rename: (from, to) => request(['rename', toPath(from, 'oldPath'), toPath(to, 'newPath')]),
  copyFile: (from, to, mode) => request(['copyFile', toPath(from, 'src'), toPath(to, 'dest'), toCopyMode(mode)]),
  link: (from, to) => request(['link', toPath(from, 'existingPath'), toPath(to, 'newPath')]),
  symlink(target, path, type) {
    if (type !== undefined && type !== null) validateOneOf(type, 'type', ['dir', 'file', 'junction']);
    return request(['symlink', toPath(target, 'target'), toPath(path)]);
  },
  readlink: (path, options) => named('readlink', toPath(path), options),
  realpath: (path, options) => named('realpath', toPath(path), options),
  chmod: (path, mode) => request(['chmod', toPath(path), toMode(mode)]),
  fchmod: (fd, mode) => request(['fchmod', toFd(fd), toMode(mode)]),
  chown: (path, user, group) => request(['chown', toPath(path), toOwner(user, 'uid'), toOwner(group, 'gid')]),
  lchown: (path, user, group) => request(['lchown', toPath(path), toOwner(user, 'uid'), toOwner(group, 'gid')]),
  fchown: (fd, user, group) => request(['fchown', toFd(fd), toOwner(user, 'uid'), toOwner(group, 'gid')]),
  utimes: (path, accessed, modified) => request(['utimes', toPath(path), toTime(accessed), toTime(modified)]),
  lutimes: (path, accessed, modified) => request(['lutimes', toPath(path), toTime(accessed), toTime(modified)]),
  futimes: (fd, accessed, modified) =>
    request(['futimes', toFd(fd), toTime(accessed, 'atime'), toTime(modified, 'mtime')]),
  ftruncate: (fd, length) => request(['ftruncate', toFd(fd), toLength(length)]),
  fsync: (fd) => request(['fsync', toFd(fd)]),
  fdatasync: (fd) => request(['fdatasync', toFd(fd)]),

  readdir(path, options) {
    options = toOptions(options);
    path = toPath(path);
    const { recursive, withFileTypes } = options;
    if (recursive !== undefined && recursive !== null) validateBoolean(recursive, 'options.recursive');
    const { raw, read } = names(options);
    const parent = typeof path === 'string' || !withFileTypes ? path : toBuffer(path);
    return request(['readdir', path, Boolean(recursive), raw], ({ 0: found, 1: kinds }) => {
      if (!withFileTypes) return $.map(found, read);
      return $.map(found, (name, i) => direntOf(parent, read(name), kinds[i]));
    });
  },
  opendir(path, options) {
    options = toOptions(options, { __proto__: null, encoding: 'utf8' });
    path = toPath(path);
    const { bufferSize = 32, recursive = false } = options;
    validateInteger(bufferSize, 'options.bufferSize', 1, 2 ** 32 - 1);
    const { raw, read } = names(options);
    const operation = recursive ? ['readdir', path, true, raw] : ['opendir', path, raw];
    return request(operation, ({ 0: found, 1: kinds }) => {
      const { makeDir } = require('fs_dir');
      return makeDir(path, () => $.map(found, (name, i) => direntOf(path, read(name), kinds[i])));
    });
  },

  readFile(target, options) {
    options = toOptions(options, { __proto__: null, flag: 'r' });
    const encoding = encodingOf(options);
    const isText = encoding !== undefined && isUtf8(encoding);
    const finish = isText ? identity : (bytes) => decode(bytes, encoding);
    const call = isFd(target) ? ['readRest', target, isText] : ['readFile', toPath(target), isText, toFlags(options.flag)];
    return { __proto__: null, call, finish, signal: options.signal };
  },
  writeFile: (target, data, options) => ({ __proto__: null, ...dataRequest(target, data, options, 'w'), signal: signalOf(options) }),
  appendFile: (target, data, options) => ({ __proto__: null, ...dataRequest(target, data, options, 'a'), signal: signalOf(options) }),
  read(fd, buffer, ...where) {
    fd = toFd(fd);
    toView(buffer);
    // A single argument that says where is an object.
    if (where.length === 1 && where[0] !== undefined) validateObject(where[0], 'options', { __proto__: null, nullable: true });
    const part = toPart(buffer, where[0], where[1], where[2]);
    const place = toReadPosition(part.position, Math.max(part.length, 0));
    if (part.length === 0) return { __proto__: null, ...request(['fstat', fd], () => 0), results: ['bytesRead', 'buffer'], more: buffer };
    if (part.size === 0) {
      throw invalidArgValue('buffer', buffer, 'is empty and cannot be written');
    }
    if (part.length < 0) throw outOfRange('length', '>= 0', part.length);
    if (part.offset + part.length > part.size) {
      throw outOfRange('length', $.text`<= ${part.size - part.offset}`, part.length);
    }
    return {
      __proto__: null, call: ['read', fd, part.length, place], results: ['bytesRead', 'buffer'], more: buffer,
      finish(bytes) {
        fill(buffer, part.offset, bytes);
        return $.length(bytes);
      },
    };
  },
  readv(fd, buffers, position) {
    fd = toFd(fd);
    const views = toViews(buffers);
    const total = $.reduce(views, (sum, view) => sum + $.byteLength(view), 0);
    const place = typeof position === 'number' || typeof position === 'bigint' ? toReadPosition(position) : undefined;
    return {
      __proto__: null, call: ['read', fd, total, place], results: ['bytesRead', 'buffers'], more: buffers,
      finish(bytes) {
        const count = $.length(bytes);
        let at = 0;
        for (let i = 0; i < views.length && at < count; i++) {
          const end = Math.min(count, at + $.byteLength(views[i]));
          fill(views[i], 0, $.subarray(bytes, at, end));
          at = end;
        }
        return count;
      },
    };
  },
  write(fd, data, offset, length, position) {
    fd = toFd(fd);
    const both = { results: ['bytesWritten', 'buffer'], more: data };
    if (typeof data === 'string') {
      // (fd, text, position, encoding)
      const encoding = require('encodings').find(typeof length === 'string' ? length : 'utf8') === undefined ? 'utf8'
        : encodingOf({ __proto__: null, encoding: typeof length === 'string' ? length : 'utf8' });
      if (encoding === 'hex' && data.length % 2 !== 0) {
        throw invalidArgValue('encoding', length, $.text`is invalid for data of length ${data.length}`);
      }
      return { __proto__: null, call: ['write', fd, encode(data, encoding), toWritePosition(offset)], ...both };
    }
    if (!$.isView(data)) {
      throw invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    }
    const part = toPart(data, offset, length, position);
    if (part.offset > part.size) throw outOfRange('offset', $.text`<= ${part.size}`, part.offset);
    if (part.length > part.size - part.offset) {
      throw outOfRange('length', $.text`<= ${part.size - part.offset}`, part.length);
    }
    if (part.length < 0) throw outOfRange('length', '>= 0', part.length);
    return { __proto__: null, call: ['write', fd, partOf(data, part.offset, part.length), toWritePosition(part.position)], ...both };
  },
  writev: (fd, buffers, position) => ({
    __proto__: null, call: ['writev', toFd(fd), toViews(buffers), toWritePosition(position)],
    results: ['bytesWritten', 'buffers'], more: buffers,
  }),
};
const signalOf = (options) => {
  const signal = options !== null && typeof options === 'object' ? options.signal : undefined;
  validateAbortSignal(signal, 'options.signal');
  return signal;
};
const direntOf = (folder, name, kind) => {
  if (typeof name !== 'string') return new Dirent(name, folder, kind);
  const at = $.lastIndexOf(name, '/');
  if (at < 0) return new Dirent(name, folder, kind);
  const path = require('path').posix;
  return new Dirent($.slice(name, at + 1), path.join(toText(folder), $.slice(name, 0, at)), kind);
};
exports.operations = operations;
exports.constants = constants;
