// The arguments of node:fs, checked and turned into what Rust takes.
const { create, invalidArgType, invalidArgValue, outOfRange } = require('errors');
const { validateInteger, validateInt32, validateNumber, validateAbortSignal } = require('validators');
const url = require('url');

const constants = {
  UV_FS_SYMLINK_DIR: 1, UV_FS_SYMLINK_JUNCTION: 2, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, UV_DIRENT_UNKNOWN: 0,
  UV_DIRENT_FILE: 1, UV_DIRENT_DIR: 2, UV_DIRENT_LINK: 3, UV_DIRENT_FIFO: 4, UV_DIRENT_SOCKET: 5, UV_DIRENT_CHAR: 6,
  UV_DIRENT_BLOCK: 7, S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096,
  S_IFLNK: 40960, S_IFSOCK: 49152, O_CREAT: 64, O_EXCL: 128, UV_FS_O_FILEMAP: 0, O_NOCTTY: 256, O_TRUNC: 512,
  O_APPEND: 1024, O_DIRECTORY: 65536, O_NOATIME: 262144, O_NOFOLLOW: 131072, O_SYNC: 1052672, O_DSYNC: 4096,
  O_DIRECT: 16384, O_NONBLOCK: 2048, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32,
  S_IWGRP: 16, S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1,
  UV_FS_COPYFILE_EXCL: 1, COPYFILE_EXCL: 1, UV_FS_COPYFILE_FICLONE: 2, COPYFILE_FICLONE: 2,
  UV_FS_COPYFILE_FICLONE_FORCE: 4, COPYFILE_FICLONE_FORCE: 4,
};
Object.setPrototypeOf(constants, null);
exports.constants = constants;

// A path as a string or, if it came as bytes, as bytes.
exports.toPath = (value, name = 'path') => {
  if (value instanceof url.URL) value = url.fileURLToPath(value);
  const isText = typeof value === 'string';
  if (!isText && $.tagOf(value) !== 'Uint8Array') {
    throw invalidArgType(name, 'of type string or an instance of Buffer or URL', value);
  }
  if (isText ? $.includes(value, '\0') : $.some($.arrayFrom(value), (byte) => byte === 0)) {
    throw invalidArgValue(name, value, 'must be a string, Uint8Array, or URL without null bytes');
  }
  return value;
};
// The same as text, for what is computed from it.
exports.toText = (value, name) => {
  const path = exports.toPath(value, name);
  return typeof path === 'string' ? path : new (require('encoding').TextDecoder)().decode(path);
};

exports.toFd = (fd) => {
  validateInteger(fd, 'fd', 0, 2 ** 31 - 1);
  return fd;
};
exports.isFd = (value) => Number.isInteger(value) && value >= 0 && value <= 2147483647;

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants;
const WRITE = O_TRUNC | O_CREAT | O_WRONLY;
const READ_WRITE = O_TRUNC | O_CREAT | O_RDWR;
const ADD = O_APPEND | O_CREAT | O_WRONLY;
const READ_ADD = O_APPEND | O_CREAT | O_RDWR;
const flagNames = {
  __proto__: null, r: O_RDONLY, rs: O_RDONLY | O_SYNC, sr: O_RDONLY | O_SYNC, 'r+': O_RDWR, 'rs+': O_RDWR | O_SYNC,
  'sr+': O_RDWR | O_SYNC, w: WRITE, wx: WRITE | O_EXCL, xw: WRITE | O_EXCL, 'w+': READ_WRITE, 'wx+': READ_WRITE | O_EXCL,
  'xw+': READ_WRITE | O_EXCL, a: ADD, ax: ADD | O_EXCL, xa: ADD | O_EXCL, as: ADD | O_SYNC, sa: ADD | O_SYNC,
  'a+': READ_ADD, 'ax+': READ_ADD | O_EXCL, 'xa+': READ_ADD | O_EXCL, 'as+': READ_ADD | O_SYNC,
  'sa+': READ_ADD | O_SYNC,
};
exports.toFlags = (flags, name = 'flags') => {
  if (typeof flags === 'number') {
    validateInt32(flags, name);
    return flags;
  }
  if (flags === undefined || flags === null) return O_RDONLY;
  const known = typeof flags === 'string' ? flagNames[flags] : undefined;
  if (known === undefined) throw invalidArgValue('flags', flags);
  return known;
};

const octal = $.regex(/^[0-7]+$/);
/** @param {any} [otherwise] */
exports.toMode = (mode, name = 'mode', otherwise = undefined) => {
  mode ??= otherwise;
  if (typeof mode === 'string') {
    if (!$.test(octal, mode)) {
      throw invalidArgValue(name, mode, 'must be a 32-bit unsigned integer or an octal string');
    }
    mode = parseInt(mode, 8);
  }
  validateInteger(mode, name, 0, 2 ** 32 - 1);
  return mode;
};
exports.toAccess = (mode) => {
  if (mode === undefined || mode === null) return 0;
  if (typeof mode !== 'number' || !Number.isInteger(mode) || mode > 2 ** 31 - 1 || mode < -(2 ** 31)) {
    if (typeof mode === 'number' && Number.isInteger(mode)) throw outOfRange('mode', '>= 0 && <= 7', mode);
    throw create('TypeError', 'ERR_INVALID_ARG_TYPE', 'mode must be int32 or null/undefined');
  }
  if (mode < 0 || mode > 7) throw outOfRange('mode', '>= 0 && <= 7', mode);
  return mode;
};
exports.toCopyMode = (mode) => {
  if (mode === undefined || mode === null) return 0;
  validateInteger(mode, 'mode', 0, 7);
  return mode;
};
exports.toOwner = (id, name) => {
  validateInteger(id, name, -1, 2 ** 32 - 1);
  return id;
};
exports.toLength = (length, name = 'len') => {
  if (length === undefined) return 0;
  validateInteger(length, name);
  return Math.max(0, length);
};
// Seconds since 1970.
exports.toTime = (time, name = 'time') => {
  if (typeof time === 'string' && $.test($.regex(/^[-+]?[0-9.]+(e[-+]?[0-9]+)?$/i), time)) time = +time;
  if (typeof time === 'number' && Number.isFinite(time)) return time < 0 ? $.now() / 1000 : time;
  if (time instanceof Date) return $.getTime(time) / 1000;
  throw invalidArgType(name, 'an instance of Date or an Time in seconds', time);
};

// Options that may be a string, which is the encoding.
exports.toOptions = (options, otherwise = { __proto__: null }) => {
  if (options === null || options === undefined || typeof options === 'function') return otherwise;
  if (typeof options === 'string') return { __proto__: null, ...otherwise, encoding: options };
  if (typeof options !== 'object') throw invalidArgType('options', 'one of type string or an instance of Object', options);
  validateAbortSignal(options.signal, 'options.signal');
  const all = Object.assign({ __proto__: null }, otherwise);
  // Inherited options count too.
  for (const key in options) all[key] = options[key];
  return all;
};

exports.toView = (buffer, name = 'buffer') => {
  if (!$.isView(buffer)) throw invalidArgType(name, 'an instance of Buffer, TypedArray, or DataView', buffer);
  return buffer;
};
exports.toViews = (buffers) => {
  if (!$.isArray(buffers)) throw invalidArgType('buffers', 'an ArrayBufferView[]', buffers);
  const views = $.slice(buffers);
  for (let i = 0; i < views.length; i++) {
    if (!$.isView(views[i])) throw invalidArgType('buffers', 'an ArrayBufferView[]', buffers);
  }
  return views;
};

const wholePart = (value, name) => {
  validateInteger(value, name);
  return value;
};
// Which part of a buffer is meant, and where in the file: arguments, or an object with them.
exports.toPart = (buffer, offset, length, position) => {
  if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
  const size = $.byteLength(buffer);
  offset = offset === undefined || offset === null ? 0 : wholePart(offset, 'offset');
  if (offset < 0 || (offset > size && length !== 0)) {
    throw outOfRange('offset', offset < 0 ? $.text`>= 0 && <= ${2 ** 53 - 1}` : $.text`<= ${size}`, offset);
  }
  length = length === undefined || length === null ? size - offset : length | 0;
  return { offset, length, position, size };
};
const places = (value, name, length) => {
  if (typeof value === 'bigint') {
    // The end of what is read has to be a place, too.
    const last = 2n ** 63n - 1n - BigInt(length);
    if (value < -1n || value > last) {
      throw outOfRange(name, $.text`>= -1 && <= ${last}`, value);
    }
    return value > 2n ** 53n ? value : Number(value);
  }
  if (typeof value !== 'number') throw invalidArgType(name, 'one of type number or bigint', value);
  validateInteger(value, name, -1);
  return value;
};
// Where to read: undefined for the present place.
exports.toReadPosition = (position, length = 0) => {
  if (position === undefined || position === null) return undefined;
  const place = places(position, 'position', length);
  return place < 0 ? undefined : place;
};
// Where to write: what is no number stands for the present place.
exports.toWritePosition = (position) => (typeof position === 'number' || typeof position === 'bigint'
  ? exports.toReadPosition(position) : undefined);
exports.validateNumber = validateNumber;
