// fs.Dir: the entries of a folder, one after another. They are read when it is opened.
const { create } = require('errors');
const { validateFunction } = require('validators');

const token = Symbol('token');
const closed = () => create('Error', 'ERR_DIR_CLOSED', 'Directory handle was closed');
class Dir {
  #path;
  #entries;
  #next = 0;
  #isClosed = false;
  constructor(key, path, entries) {
    if (key !== token) throw create('TypeError', 'ERR_MISSING_ARGS', 'The "handle" argument must be specified');
    this.#path = path;
    this.#entries = entries;
  }
  get path() {
    return this.#path;
  }
  readSync() {
    if (this.#isClosed) throw closed();
    return this.#next < this.#entries.length ? this.#entries[this.#next++] : null;
  }
  /** @param {any} [callback] */
  read(callback) {
    return this.#later(() => this.readSync(), callback);
  }
  closeSync() {
    if (this.#isClosed) throw closed();
    this.#isClosed = true;
    this.#entries = [];
  }
  /** @param {any} [callback] */
  close(callback) {
    return this.#later(() => this.closeSync(), callback);
  }
  // What `call` gives, to a callback or a promise.
  #later(call, callback) {
    if (callback === undefined) {
      return new Promise((resolve) => resolve(call()));
    }
    validateFunction(callback, 'callback');
    let error = null;
    let value;
    try {
      value = call();
    } catch (thrown) {
      error = thrown;
    }
    require('process').process.nextTick(() => (error ? callback(error) : callback(null, value)));
    return undefined;
  }
  async *entries() {
    try {
      for (;;) {
        const entry = this.readSync();
        if (entry === null) break;
        yield entry;
      }
    } finally {
      if (!this.#isClosed) this.closeSync();
    }
  }
  [Symbol.dispose]() {
    if (!this.#isClosed) this.closeSync();
  }
  [Symbol.asyncDispose]() {
    return this.#later(() => this[Symbol.dispose](), undefined);
  }
}
Object.defineProperty(Dir.prototype, Symbol.asyncIterator, {
  value: Dir.prototype.entries, writable: true, configurable: true,
});
exports.Dir = Dir;
exports.makeDir = (path, entries) => new Dir(token, path, entries());
