// fs.watchFile: asks again and again whether a file has changed.
const { EventEmitter } = require('events');
const { invalidArgType } = require('errors');
const { validateUint32 } = require('validators');
const { operations, start } = require('fs_operations');
const { toPath } = require('fs_values');
const timers = require('timers');

// By path.
const watchers = new Map();
const TIMES = ['mtimeMs', 'ctimeMs', 'birthtimeMs'];
const FIELDS = [...$.each(TIMES), 'size', 'mode', 'ino', 'nlink', 'uid', 'gid', 'dev', 'rdev'];
const differ = (one, two) => $.some(FIELDS, (field) => one[field] !== two[field]);

class StatWatcher extends EventEmitter {
  #path;
  #options;
  #interval;
  #persistent;
  #timer;
  #last;
  #isStopped = false;
  constructor(path, { bigint, interval, persistent }) {
    super();
    this.#path = path;
    this.#options = { __proto__: null, bigint };
    this.#interval = interval;
    this.#persistent = persistent;
    this.#ask();
  }
  #ask() {
    start(operations.stat(this.#path, this.#options), (error, stats) => {
      if (this.#isStopped) return;
      this.#take(error, stats);
      this.#timer = timers.setTimeout(() => this.#ask(), this.#interval);
      if (!this.#persistent) this.#timer.unref();
    });
  }
  #take(error, stats) {
    // A file that is not there looks like one of which everything is 0.
    const zeros = $.arrayFrom({ length: 18 }, () => (this.#options.bigint ? 0n : 0));
    const now = error === null ? stats : require('fs_stats').makeStats(zeros);
    const before = this.#last;
    this.#last = now;
    if (before === undefined) {
      if (error !== null) this.emit('change', now, now);
    } else if (differ(before, now)) this.emit('change', now, before);
  }
  stop() {
    if (this.#isStopped) return;
    this.#isStopped = true;
    if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
    require('process').process.nextTick(() => this.emit('stop'));
  }
  ref() {
    this.#persistent = true;
    this.#timer?.ref();
    return this;
  }
  unref() {
    this.#persistent = false;
    this.#timer?.unref();
    return this;
  }
}

exports.watchFile = (filename, options, listener) => {
  filename = toPath(filename);
  const { resolve } = require('path').path;
  filename = typeof filename === 'string' ? resolve(filename) : filename;
  if (options === null || typeof options !== 'object') {
    listener = options;
    options = { __proto__: null };
  }
  const { interval = 5007, persistent = true, bigint = false } = options;
  if (typeof listener !== 'function') throw invalidArgType('listener', 'of type function', listener);
  validateUint32(interval, 'interval');
  let watcher = watchers.get(filename);
  if (watcher === undefined) {
    watcher = new StatWatcher(filename, { bigint, interval, persistent });
    watchers.set(filename, watcher);
  }
  watcher.on('change', listener);
  return watcher;
};
exports.unwatchFile = (filename, listener) => {
  filename = toPath(filename);
  const { resolve } = require('path').path;
  filename = typeof filename === 'string' ? resolve(filename) : filename;
  const watcher = watchers.get(filename);
  if (watcher === undefined) return;
  if (typeof listener === 'function') watcher.removeListener('change', listener);
  else watcher.removeAllListeners('change');
  if (watcher.listenerCount('change') > 0) return;
  watcher.stop();
  watchers.delete(filename);
};
