// node:fs. The synchronous functions are the implementation; the others run them in a later turn of the loop.
/**
 * What Rust provides.
 * @type {{
 *   exists(path: string): boolean,
 *   stat(path: string, follow: boolean): number[],
 *   readdir(path: string): string[],
 *   access(path: string, mode: number): void,
 *   realpath(path: string): string,
 *   readlink(path: string): string,
 *   mkdir(path: string, mode: number): void,
 *   rmdir(path: string): void,
 *   removeAll(path: string): void,
 *   unlink(path: string): void,
 *   rename(from: string, to: string): void,
 *   copyFile(from: string, to: string, exclusive: boolean): void,
 *   symlink(target: string, path: string): void,
 *   link(from: string, to: string): void,
 *   chmod(path: string, mode: number): void,
 *   truncate(path: string, length: number): void,
 *   utimes(path: string, accessed: number, modified: number): void,
 *   readText(path: string): string,
 *   readFile(path: string): Uint8Array,
 *   readRest(fd: number): Uint8Array,
 *   open(path: string, flags: string, mode: number): number,
 *   close(fd: number): void,
 *   read(fd: number, view: Uint8Array, length: number, position?: number): number,
 *   write(fd: number, data: string | ArrayBufferView, position?: number): number,
 *   fstat(fd: number): number[],
 *   ftruncate(fd: number, length: number): void,
 *   fsync(fd: number): void,
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue, outOfRange } = require('errors');
const { validateFunction } = require('validators');
const url = require('url');

const constants = {
  F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1, COPYFILE_FICLONE: 2, COPYFILE_FICLONE_FORCE: 4,
  O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_NOCTTY: 256, O_TRUNC: 512, O_APPEND: 1024,
  O_DIRECTORY: 65536, O_NOFOLLOW: 131072, O_SYNC: 1052672, O_NONBLOCK: 2048,
  S_IFMT: 61440, S_IFREG: 32768, S_IFDIR: 16384, S_IFCHR: 8192, S_IFBLK: 24576, S_IFIFO: 4096, S_IFLNK: 40960,
  S_IFSOCK: 49152, S_IRWXU: 448, S_IRUSR: 256, S_IWUSR: 128, S_IXUSR: 64, S_IRWXG: 56, S_IRGRP: 32, S_IWGRP: 16,
  S_IXGRP: 8, S_IRWXO: 7, S_IROTH: 4, S_IWOTH: 2, S_IXOTH: 1, UV_FS_O_FILEMAP: 0,
};
const toPath = (value, name = 'path') => {
  if (value instanceof url.URL) value = url.fileURLToPath(value);
  else if (value instanceof Uint8Array) value = new (require('encoding').TextDecoder)().decode(value);
  if (typeof value !== 'string') {
    throw invalidArgType(name, 'of type string or an instance of Buffer or URL', value);
  }
  if ($.includes(value, '\0')) {
    throw invalidArgValue(name, value, 'must be a string, Uint8Array, or URL without null bytes');
  }
  return value;
};
const toFlags = (flags = 'r') => {
  if (typeof flags !== 'number') return $.text`${flags}`;
  const access = flags & 3;
  const exclusive = flags & constants.O_EXCL ? 'x' : '';
  if (flags & constants.O_APPEND) return $.text`a${exclusive}${access === 2 ? '+' : ''}`;
  if (flags & constants.O_CREAT || flags & constants.O_TRUNC) return $.text`w${exclusive}${access === 2 ? '+' : ''}`;
  return access === 0 ? 'r' : 'r+';
};
const toMode = (mode, otherwise) => (mode === undefined || mode === null ? otherwise
  : typeof mode === 'string' ? parseInt(mode, 8) : mode);
const toSeconds = (time) => (time instanceof Date ? $.getTime(time) / 1000 : Number(time));
const encodingOf = (options) => (typeof options === 'string' ? options : options?.encoding);
const isFd = (value) => Number.isInteger(value) && value >= 0 && value <= 2147483647;
const checkFd = (fd) => {
  if (typeof fd !== 'number') throw invalidArgType('fd', 'of type number', fd);
  if (!Number.isInteger(fd) || fd < 0 || fd > 2147483647) throw outOfRange('fd', '>= 0 && <= 2147483647', fd);
  return fd;
};
// What a read returns if no encoding is asked for. Once there is a Buffer, this will make one.
Object.defineProperty(exports, 'hooks', { value: { toBuffer: (bytes) => bytes }, writable: true, configurable: true });
const decode = (bytes, encoding) => {
  if (!encoding || encoding === 'buffer') return exports.hooks.toBuffer(bytes);
  switch ($.toLowerCase(encoding)) {
    case 'utf8': case 'utf-8': return new (require('encoding').TextDecoder)('utf-8', { ignoreBOM: true }).decode(bytes);
    case 'latin1': case 'binary': return $.join($.arrayFrom(bytes, (byte) => $.fromCharCode(byte)), '');
    case 'ascii': return $.join($.arrayFrom(bytes, (byte) => $.fromCharCode(byte & 127)), '');
    case 'hex': return $.toHex(bytes);
    case 'base64': return $.toBase64(bytes);
    case 'base64url': return $.toBase64(bytes, { alphabet: 'base64url', omitPadding: true });
    case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2':
      return new (require('encoding').TextDecoder)('utf-16le', { ignoreBOM: true })
        .decode($.subarray(bytes, 0, $.length(bytes) & ~1));
    default: throw create('TypeError', 'ERR_INVALID_ARG_VALUE',
      $.text`The argument 'encoding' is invalid encoding. Received '${encoding}'`);
  }
};
const encode = (data, encoding) => {
  if (typeof data !== 'string') {
    if (!$.isView(data)) {
      throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    }
    return data;
  }
  switch (encoding) {
    case 'hex': return $.fromHex(data);
    case 'base64': return $.fromBase64(data);
    case 'base64url': return $.fromBase64(data, { __proto__: null, alphabet: 'base64url' });
    case 'latin1': case 'binary': case 'ascii': return $.bytesFrom(data, (char) => $.charCodeAt(char, 0));
    default: return data;
  }
};

class StatsBase {
  dev;
  ino;
  mode;
  nlink;
  uid;
  gid;
  rdev;
  size;
  blksize;
  blocks;
  atimeMs;
  mtimeMs;
  ctimeMs;
  birthtimeMs;
}
class Stats extends StatsBase {
  constructor(fields) {
    super();
    ({
      0: this.dev, 1: this.ino, 2: this.mode, 3: this.nlink, 4: this.uid, 5: this.gid, 6: this.rdev, 7: this.size,
      8: this.blksize, 9: this.blocks,
    } = fields);
    const names = ['atime', 'mtime', 'ctime', 'birthtime'];
    $.forEach(names, (name, i) => (this[$.text`${name}Ms`] = fields[10 + 2 * i] * 1000 + fields[11 + 2 * i] / 1e6));
    $.forEach(names, (name) => Object.defineProperty(this, name, {
      value: new Date(this[$.text`${name}Ms`] + 0.5), writable: true, configurable: true, enumerable: true,
    }));
  }
}
class BigIntStats extends StatsBase {
  atimeNs;
  mtimeNs;
  ctimeNs;
  birthtimeNs;
  atime;
  mtime;
  ctime;
  birthtime;
  constructor(fields) {
    super();
    const names = ['dev', 'ino', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'size', 'blksize', 'blocks'];
    $.forEach(names, (name, i) => (this[name] = BigInt(fields[i])));
    const times = ['atime', 'mtime', 'ctime', 'birthtime'];
    $.forEach(times, (name, i) => {
      this[$.text`${name}Ns`] = BigInt(fields[10 + 2 * i]) * 1_000_000_000n + BigInt(fields[11 + 2 * i]);
      this[$.text`${name}Ms`] = this[$.text`${name}Ns`] / 1_000_000n;
      this[name] = new Date(Number(this[$.text`${name}Ms`]));
    });
  }
}
class Dirent {
  name;
  parentPath;
  #kind;
  constructor(name, parent, kind) {
    this.name = name;
    this.parentPath = parent;
    this.#kind = kind;
  }
  is(kind) {
    return this.#kind === kind;
  }
}
Object.defineProperty(Dirent.prototype, 'is', { enumerable: false });
$.forEach([
  ['isFile', 'S_IFREG', 1], ['isDirectory', 'S_IFDIR', 2], ['isSymbolicLink', 'S_IFLNK', 3], ['isFIFO', 'S_IFIFO', 4],
  ['isSocket', 'S_IFSOCK', 5], ['isCharacterDevice', 'S_IFCHR', 6], ['isBlockDevice', 'S_IFBLK', 7],
], ({ 0: name, 1: mode, 2: kind }) => {
  Stats.prototype[name] = function () {
    return (this.mode & constants.S_IFMT) === constants[mode];
  };
  BigIntStats.prototype[name] = function () {
    return (Number(this.mode) & constants.S_IFMT) === constants[mode];
  };
  Dirent.prototype[name] = function () {
    return this.is(kind);
  };
});
/** @returns {any} */
const statsOf = (options, read) => {
  try {
    const fields = read();
    return options?.bigint ? new BigIntStats(fields) : new Stats(fields);
  } catch (error) {
    if (options?.throwIfNoEntry === false && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
};

/** @typedef {typeof sync} Sync */
const sync = {
  readFileSync(path, options) {
    const encoding = encodingOf(options);
    if (isFd(path)) return decode(native.readRest(checkFd(path)), encoding);
    path = toPath(path);
    if (encoding === 'utf8' || encoding === 'utf-8') return native.readText(path);
    return decode(native.readFile(path), encoding);
  },
  writeFileSync(path, data, options) {
    const content = encode(data, encodingOf(options));
    if (isFd(path)) {
      native.write(checkFd(path), content);
      return;
    }
    const fd = native.open(toPath(path), toFlags(options?.flag ?? 'w'), toMode(options?.mode, 0o666));
    try {
      native.write(fd, content);
    } finally {
      native.close(fd);
    }
  },
  appendFileSync(path, data, options) {
    const given = typeof options === 'string' ? { encoding: options } : options;
    sync.writeFileSync(path, data, { __proto__: null, ...given, flag: 'a' });
  },
  existsSync(path) {
    try {
      return native.exists(toPath(path));
    } catch {
      return false;
    }
  },
  statSync: (path, options) => (path = toPath(path), statsOf(options, () => native.stat(path, true))),
  lstatSync: (path, options) => (path = toPath(path), statsOf(options, () => native.stat(path, false))),
  fstatSync: (fd, options) => (checkFd(fd), statsOf(options, () => native.fstat(fd))),
  readdirSync(path, options) {
    path = toPath(path);
    const found = [];
    const walk = (folder, prefix) => {
      const entries = native.readdir(folder);
      const folders = [];
      for (let i = 0; i < entries.length; i += 2) {
        const name = entries[i];
        const kind = Number(entries[i + 1]);
        $.push(found, options?.withFileTypes ? new Dirent(name, folder, kind) : $.text`${prefix}${name}`);
        if (options?.recursive && kind === 2) $.push(folders, name);
      }
      const start = $.replace(folder, $.regex(/\/$/), '');
      for (const name of $.each(folders)) walk($.text`${start}/${name}`, $.text`${prefix}${name}/`);
    };
    walk(path, '');
    return found;
  },
  mkdirSync(path, options) {
    path = toPath(path);
    const mode = toMode(typeof options === 'object' ? options?.mode : options, 0o777);
    if (!options?.recursive) {
      native.mkdir(path, mode);
      return undefined;
    }
    const make = (folder) => {
      try {
        native.mkdir(folder, mode);
        return folder;
      } catch (error) {
        if (error.code === 'ENOENT') {
          const parent = require('path').default.dirname(folder);
          if (parent === folder) throw error;
          const first = make(parent);
          native.mkdir(folder, mode);
          return first ?? folder;
        }
        if (error.code === 'EEXIST' && native.exists(folder) && sync.statSync(folder).isDirectory()) return undefined;
        throw error;
      }
    };
    return make(require('path').default.resolve(path));
  },
  mkdtempSync(prefix) {
    prefix = toPath(prefix, 'prefix');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    for (let attempt = 0; ; attempt++) {
      const random = require('crypto').crypto.getRandomValues(new Uint8Array(6));
      const path = prefix + $.join($.arrayFrom(random, (byte) => letters[byte % letters.length]), '');
      try {
        native.mkdir(path, 0o700);
        return path;
      } catch (error) {
        if (error.code === 'EEXIST' && attempt < 100) continue;
        error.syscall = 'mkdtemp';
        error.path = $.text`${prefix}XXXXXX`;
        error.message = $.replace(error.message, $.regex(/, mkdir '.*'$/), $.text`, mkdtemp '${prefix}XXXXXX'`);
        throw error;
      }
    }
  },
  rmSync(path, options) {
    path = toPath(path);
    let stats;
    try {
      stats = sync.lstatSync(path);
    } catch (error) {
      if (options?.force && error.code === 'ENOENT') return;
      throw error;
    }
    if (!stats.isDirectory()) native.unlink(path);
    else if (options?.recursive) native.removeAll(path);
    else {
      throw create('Error', 'ERR_FS_EISDIR',
        $.text`Path is a directory: rm returned EISDIR (is a directory) ${path}`);
    }
  },
  rmdirSync(path, options) {
    path = toPath(path);
    if (options?.recursive) native.removeAll(path);
    else native.rmdir(path);
  },
  unlinkSync: (path) => native.unlink(toPath(path)),
  renameSync: (from, to) => native.rename(toPath(from, 'oldPath'), toPath(to, 'newPath')),
  copyFileSync: (from, to, mode = 0) =>
    native.copyFile(toPath(from, 'src'), toPath(to, 'dest'), Boolean(mode & constants.COPYFILE_EXCL)),
  realpathSync: (path) => native.realpath(toPath(path)),
  readlinkSync: (path) => native.readlink(toPath(path)),
  symlinkSync: (target, path) => native.symlink(toPath(target, 'target'), toPath(path)),
  linkSync: (from, to) => native.link(toPath(from, 'existingPath'), toPath(to, 'newPath')),
  accessSync: (path, mode = 0) => native.access(toPath(path), mode),
  openSync: (path, flags, mode) => native.open(toPath(path), toFlags(flags), toMode(mode, 0o666)),
  closeSync: (fd) => native.close(checkFd(fd)),
  readSync(fd, buffer, offset, length, position) {
    checkFd(fd);
    if (!$.isView(buffer)) throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
    if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
    offset ??= 0;
    length ??= $.byteLength(buffer) - offset;
    if (offset < 0 || offset > $.byteLength(buffer)) {
      throw outOfRange('offset', $.text`>= 0 && <= ${$.byteLength(buffer)}`, offset);
    }
    if (length < 0 || length > $.byteLength(buffer) - offset) {
      throw outOfRange('length', $.text`<= ${$.byteLength(buffer) - offset}`, length);
    }
    if (length === 0) return 0;
    const view = new Uint8Array($.buffer(buffer), $.byteOffset(buffer) + offset, length);
    return native.read(fd, view, length, position === null || position === undefined ? undefined : Number(position));
  },
  writeSync(fd, data, offset, length, position) {
    checkFd(fd);
    if (typeof data === 'string') return native.write(fd, encode(data, length), offset ?? undefined);
    if (!$.isView(data)) {
      throw invalidArgType('buffer', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
    }
    if (offset !== null && typeof offset === 'object') ({ offset, length, position } = offset);
    offset ??= 0;
    length ??= $.byteLength(data) - offset;
    if (offset < 0 || length < 0 || offset + length > $.byteLength(data)) {
      throw outOfRange('length', $.text`<= ${$.byteLength(data) - offset}`, length);
    }
    return native.write(fd, new Uint8Array($.buffer(data), $.byteOffset(data) + offset, length), position ?? undefined);
  },
  ftruncateSync: (fd, length = 0) => native.ftruncate(checkFd(fd), length),
  fsyncSync: (fd) => native.fsync(checkFd(fd)),
  fdatasyncSync: (fd) => native.fsync(checkFd(fd)),
  truncateSync: (path, length = 0) => native.truncate(toPath(path), length ?? 0),
  chmodSync: (path, mode) => native.chmod(toPath(path), toMode(mode, 0o666)),
  utimesSync: (path, accessed, modified) => native.utimes(toPath(path), toSeconds(accessed), toSeconds(modified)),
};
Object.assign(sync.realpathSync, { native: sync.realpathSync });
for (const name of $.each(Object.keys(sync))) {
  exports[name] = sync[name];
  const short = $.slice(name, 0, -4);
  exports[short] = { [short](...args) {
    const callback = $.pop(args);
    validateFunction(callback, 'cb');
    require('timers').setImmediate(() => {
      let result;
      try {
        result = sync[name](...$.each(args));
      } catch (error) {
        callback(error);
        return;
      }
      if (short === 'exists') callback(result);
      else callback(null, result);
    });
  } }[short];
}
const { realpath } = /** @type {any} */ (exports);
Object.assign(realpath, { native: realpath });
exports.constants = constants;
exports.Stats = Stats;
exports.Dirent = Dirent;
exports.F_OK = 0;
exports.R_OK = 4;
exports.W_OK = 2;
exports.X_OK = 1;
Object.defineProperty(exports, 'promises', { enumerable: true, configurable: true, get: () => require('fs_promises') });
