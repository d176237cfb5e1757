// A guest that has nothing but WASI's functions, each exported under its own name, and the memory that they work on.
import { WASI } from 'node:wasi';
import { WasmBuilder, op } from './wasm-builder.mjs';

// The parameters of preview 1's functions, by `i` for 32 and `l` for 64 bits; all but one return an i32.
const SIGNATURES = {
  args_get: 'ii', args_sizes_get: 'ii', clock_res_get: 'ii', clock_time_get: 'ili', environ_get: 'ii',
  environ_sizes_get: 'ii', fd_advise: 'illi', fd_allocate: 'ill', fd_close: 'i', fd_datasync: 'i', fd_fdstat_get: 'ii',
  fd_fdstat_set_flags: 'ii', fd_fdstat_set_rights: 'ill', fd_filestat_get: 'ii', fd_filestat_set_size: 'il',
  fd_filestat_set_times: 'illi', fd_pread: 'iiili', fd_prestat_dir_name: 'iii', fd_prestat_get: 'ii',
  fd_pwrite: 'iiili', fd_read: 'iiii', fd_readdir: 'iiili', fd_renumber: 'ii', fd_seek: 'ilii', fd_sync: 'i',
  fd_tell: 'ii', fd_write: 'iiii', path_create_directory: 'iii', path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiilli', path_link: 'iiiiiii', path_open: 'iiiiillii', path_readlink: 'iiiiii',
  path_remove_directory: 'iii', path_rename: 'iiiiii', path_symlink: 'iiiii', path_unlink_file: 'iii',
  poll_oneoff: 'iiii', proc_exit: 'i', proc_raise: 'i', random_get: 'ii', sched_yield: '', sock_accept: 'iii', sock_recv: 'iiiiii',
  sock_send: 'iiiii', sock_shutdown: 'ii',
};

/** A module with all functions of WASI under their own names, and a memory. */
export function wasiModule({ module = 'wasi_snapshot_preview1', pages = 2 } = {}) {
  const builder = new WasmBuilder();
  const functions = Object.entries(SIGNATURES).filter(([name]) => module !== 'wasi_unstable' || name !== 'sock_accept');
  const imported = functions.map(([name, letters]) => {
    const params = [...letters].map((letter) => (letter === 'l' ? 'i64' : 'i32'));
    const results = name === 'proc_exit' ? [] : ['i32'];
    return { name, params, results, index: builder.importFunc(module, name, params, results) };
  });
  builder.memory({ min: pages }, { export: 'memory' });
  for (const { name, params, results, index } of imported) {
    builder.func(params, results, [...params.map((_, at) => op.localGet(at)), op.call(index)], { export: name });
  }
  return new WebAssembly.Module(builder.bytes());
}

const shared = wasiModule();
// Rights: what can be done with any file, and with one to read or to write.
const ANY = (1n << 2n) | (1n << 3n) | (1n << 4n) | (1n << 5n) | (1n << 7n) | (1n << 21n) | (1n << 23n) | (1n << 27n);
export const READ = ANY | (1n << 1n);
export const WRITE = ANY | 1n | (1n << 6n) | (1n << 8n) | (1n << 22n);
export const CREAT = 1;
export const DIRECTORY = 2;
export const EXCL = 4;
export const TRUNC = 8;
export const APPEND = 1;
export const NONBLOCK = 4;
export const FOLLOW = 1;

// Addresses in the memory, so far apart that nothing overlaps.
const [RESULT, VECTOR, PATH, OTHER_PATH, DATA] = [8, 64, 1024, 16_384, 65_536];
const ROOM = 65_536;

/** The functions of a guest with these options of WASI's, in JavaScript's terms: they return a value, or throw a number. */
export class Guest {
  constructor(options = {}, { module = shared, wasi = new WASI({ version: 'preview1', ...options }) } = {}) {
    this.wasi = wasi;
    this.instance = new WebAssembly.Instance(module, wasi.getImportObject());
    this.raw = this.instance.exports;
    if (!options.unattached) wasi.initialize(this.instance);
  }

  get bytes() { return new Uint8Array(this.raw.memory.buffer); }
  get view() { return new DataView(this.raw.memory.buffer); }

  /** Calls a function, and throws what it returns unless that is 0. */
  call(name, ...args) {
    const errno = this.raw[name](...args);
    if (errno !== 0) throw errno;
  }

  /** Puts a text, or bytes, at an address; address and length. */
  put(data, at) {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    this.bytes.set(bytes, at);
    return [at, bytes.length];
  }

  path(path) { return this.put(path, PATH); }
  vector(at, length) {
    this.view.setUint32(VECTOR, at, true);
    this.view.setUint32(VECTOR + 4, length, true);
    return [VECTOR, 1];
  }

  result() { return this.view.getUint32(RESULT, true); }
  text(length, at = DATA) { return new TextDecoder().decode(this.bytes.slice(at, at + length)); }

  open(path, { dir = 3, follow = 0, how = 0, rights = READ | WRITE, flags = 0 } = {}) {
    this.call('path_open', dir, follow, ...this.path(path), how, rights, rights, flags, RESULT);
    return this.result();
  }

  openDirectory(path, { dir = 3 } = {}) {
    const { rights, inheriting } = this.fdstat(dir);
    this.call('path_open', dir, 0, ...this.path(path), DIRECTORY, rights, inheriting, 0, RESULT);
    return this.result();
  }
  close(fd) { this.call('fd_close', fd); }

  read(fd, length = ROOM) {
    this.call('fd_read', fd, ...this.vector(DATA, length), RESULT);
    return this.text(this.result());
  }

  pread(fd, offset, length = ROOM) {
    this.call('fd_pread', fd, ...this.vector(DATA, length), BigInt(offset), RESULT);
    return this.text(this.result());
  }

  write(fd, data) {
    this.call('fd_write', fd, ...this.vector(...this.put(data, DATA)), RESULT);
    return this.result();
  }

  pwrite(fd, offset, data) {
    this.call('fd_pwrite', fd, ...this.vector(...this.put(data, DATA)), BigInt(offset), RESULT);
    return this.result();
  }

  seek(fd, offset, whence = 0) {
    this.call('fd_seek', fd, BigInt(offset), whence, RESULT);
    return Number(this.view.getBigUint64(RESULT, true));
  }

  tell(fd) {
    this.call('fd_tell', fd, RESULT);
    return Number(this.view.getBigUint64(RESULT, true));
  }

  fdstat(fd) {
    this.call('fd_fdstat_get', fd, DATA);
    const { view } = this;
    return {
      type: this.bytes[DATA], flags: view.getUint16(DATA + 2, true), rights: view.getBigUint64(DATA + 8, true),
      inheriting: view.getBigUint64(DATA + 16, true),
    };
  }

  #stat() {
    const { view } = this;
    const number = (at) => view.getBigUint64(DATA + at, true);
    return {
      inode: number(8), type: this.bytes[DATA + 16], links: Number(number(24)), size: Number(number(32)),
      accessed: number(40), modified: number(48),
    };
  }

  stat(path, { dir = 3, follow = 0 } = {}) {
    this.call('path_filestat_get', dir, follow, ...this.path(path), DATA);
    return this.#stat();
  }

  fstat(fd) {
    this.call('fd_filestat_get', fd, DATA);
    return this.#stat();
  }

  mkdir(path, { dir = 3 } = {}) { this.call('path_create_directory', dir, ...this.path(path)); }
  rmdir(path, { dir = 3 } = {}) { this.call('path_remove_directory', dir, ...this.path(path)); }
  unlink(path, { dir = 3 } = {}) { this.call('path_unlink_file', dir, ...this.path(path)); }
  rename(from, to, { dir = 3, other = dir } = {}) {
    this.call('path_rename', dir, ...this.path(from), other, ...this.put(to, OTHER_PATH));
  }

  link(from, to, { dir = 3, other = dir, follow = 0 } = {}) {
    this.call('path_link', dir, follow, ...this.path(from), other, ...this.put(to, OTHER_PATH));
  }

  symlink(target, path, { dir = 3 } = {}) {
    this.call('path_symlink', ...this.path(target), dir, ...this.put(path, OTHER_PATH));
  }

  readlink(path, { dir = 3, length = ROOM } = {}) {
    this.call('path_readlink', dir, ...this.path(path), DATA, length, RESULT);
    return this.text(this.result());
  }

  /** One call of `fd_readdir`: the whole entries that fit, and whether there may be more. */
  someEntries(fd, cookie = 0n, length = ROOM) {
    this.call('fd_readdir', fd, DATA, length, cookie, RESULT);
    const used = this.result();
    const entries = [];
    for (let at = DATA; at + 24 <= DATA + used;) {
      const size = this.view.getUint32(at + 16, true);
      if (at + 24 + size > DATA + used) break;
      entries.push({
        cookie: this.view.getBigUint64(at, true), inode: this.view.getBigUint64(at + 8, true), type: this.bytes[at + 20],
        name: this.text(size, at + 24), bytes: this.bytes.slice(at + 24, at + 24 + size),
      });
      at += 24 + size;
    }
    return { entries, more: used === length };
  }

  /** The names in a directory but `.` and `..`, sorted. */
  names(path, options) {
    const fd = this.openDirectory(path, options);
    const { entries } = this.someEntries(fd);
    this.close(fd);
    return entries.map(({ name }) => name).filter((name) => name !== '.' && name !== '..').sort();
  }

  /** Waits for `[type, descriptor]` or `['clock', nanoseconds]`; the events. */
  poll(...wishes) {
    this.bytes.fill(0, DATA, DATA + 48 * wishes.length);
    wishes.forEach(([type, what, clock = 1, flags = 0], index) => {
      const at = DATA + 48 * index;
      this.view.setBigUint64(at, BigInt(index + 100), true);
      this.bytes[at + 8] = { clock: 0, read: 1, write: 2 }[type] ?? type;
      if (type === 'clock') {
        this.view.setUint32(at + 16, clock, true);
        this.view.setBigUint64(at + 24, BigInt(what), true);
        this.view.setUint16(at + 40, flags, true);
      } else {
        this.view.setUint32(at + 16, what, true);
      }
    });
    const to = DATA + 16_384;
    this.call('poll_oneoff', DATA, to, wishes.length, RESULT);
    return Array.from({ length: this.result() }, (_, index) => {
      const at = to + 32 * index;
      return {
        wish: Number(this.view.getBigUint64(at, true)) - 100, errno: this.view.getUint16(at + 8, true),
        bytes: Number(this.view.getBigUint64(at + 16, true)), hangup: this.view.getUint16(at + 24, true) === 1,
      };
    });
  }
}

/** What `fn` throws, which is an errno if it is a number; `undefined` if it throws nothing. */
export function errno(fn) {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** The numbers of the errors that tests expect. */
export const E = {
  ACCES: 2, AGAIN: 6, BADF: 8, BUSY: 10, EXIST: 20, FAULT: 21, INVAL: 28, ISDIR: 31, LOOP: 32, MFILE: 33, NAMETOOLONG: 37,
  NOENT: 44, NOSPC: 51, NOTDIR: 54, NOTEMPTY: 55, NOTSOCK: 57, NOTSUP: 58, PERM: 63, PIPE: 64, SPIPE: 70, XDEV: 75,
  NOTCAPABLE: 76,
};
