// fs.watch and fs.promises.watch.
const { EventEmitter } = require('events');
const { abortError, create, invalidArgType, invalidArgValue } = require('errors');
const { validateAbortSignal, validateBoolean, validateInteger, validateObject, validateOneOf } = require('validators');
const { perform, start, cancel, setRef, operations } = require('fs_operations');
const { toPath, toOptions } = require('fs_values');
const { decode } = require('fs_bytes');
const encodings = require('encodings');

const KINDS = ['rename', 'change'];

// What `options.ignore` says, as a function; undefined if it says nothing.
const toIgnored = (given) => {
  if (given === undefined || given === null) return undefined;
  const tests = $.map($.isArray(given) ? given : [given], (one, i) => {
    const name = $.isArray(given) ? $.text`options.ignore[${i}]` : 'options.ignore';
    if (typeof one === 'function') return one;
    if ($.tagOf(one) === 'RegExp' || one instanceof RegExp) return (path) => $.regex(new RegExp(one)).test(path);
    if (typeof one !== 'string') {
      throw invalidArgType(name, 'of type string or function or an instance of RegExp', one);
    }
    if (one === '') throw invalidArgValue(name, one, 'must be a non-empty string');
    const { matches } = require('glob');
    const isName = !$.includes(one, '/');
    // A pattern without a slash is about the last name of a path.
    return (path) => matches(isName ? $.slice(path, $.lastIndexOf(path, '/') + 1) : path, one, false);
  });
  return (path) => $.some(tests, (test) => test(path));
};
const checked = (options) => {
  const { persistent = true, recursive = false, encoding = 'utf8', signal, ignore } = options;
  validateBoolean(persistent, 'options.persistent');
  validateBoolean(recursive, 'options.recursive');
  validateAbortSignal(signal, 'options.signal');
  if (encoding !== 'buffer' && encoding !== null && (typeof encoding !== 'string' || encodings.find(encoding) === undefined)) {
    throw invalidArgValue('encoding', encoding);
  }
  return { persistent, recursive, encoding: encoding ?? 'utf8', signal, isIgnored: toIgnored(ignore) };
};

class FSWatcher extends EventEmitter {
  #fd = -1;
  #wait;
  #persistent;
  #encoding;
  #isIgnored;
  constructor(path, { persistent, recursive, encoding, isIgnored }) {
    super();
    this.#persistent = persistent;
    this.#encoding = encoding;
    this.#isIgnored = isIgnored;
    try {
      this.#fd = perform({ __proto__: null, call: ['watch', path, recursive] });
    } catch (error) {
      error.filename = path;
      throw error;
    }
    this.#listen();
  }
  #listen() {
    this.#wait = start({ __proto__: null, call: ['watchEvents', this.#fd] }, (error, found) => {
      this.#wait = undefined;
      if (this.#fd < 0) return;
      if (error !== null) {
        this.close();
        this.emit('error', error);
        return;
      }
      const { 0: names, 1: kinds } = found;
      for (let i = 0; i < names.length && this.#fd >= 0; i++) this.#tell(KINDS[kinds[i]], names[i]);
      if (this.#fd >= 0 && this.#wait === undefined) this.#listen();
    });
    if (!this.#persistent) setRef(this.#wait, false);
  }
  #tell(kind, bytes) {
    if (this.#isIgnored?.(decode(bytes, 'utf8'))) return;
    const { find, names } = encodings;
    const encoding = this.#encoding === 'buffer' ? undefined : names[/** @type {number} */ (find(this.#encoding))];
    this.emit('change', kind, decode(bytes, encoding));
  }
  close() {
    if (this.#fd < 0) return;
    if (this.#wait !== undefined) cancel(this.#wait);
    const fd = this.#fd;
    this.#fd = -1;
    perform(operations.close(fd));
    require('process').process.nextTick(() => this.emit('close'));
  }
  #hold(persistent) {
    this.#persistent = persistent;
    if (this.#wait !== undefined) setRef(this.#wait, persistent);
    return this;
  }
  ref() {
    return this.#hold(true);
  }
  unref() {
    return this.#hold(false);
  }
}

exports.watch = (filename, options, listener) => {
  if (typeof options === 'function') listener = options;
  const given = checked(toOptions(options));
  const watcher = new FSWatcher(toPath(filename, 'filename'), given);
  if (listener) watcher.addListener('change', listener);
  const { signal } = given;
  if (signal) {
    const stop = () => watcher.close();
    if (signal.aborted) require('process').process.nextTick(stop);
    else {
      signal.addEventListener('abort', stop, { __proto__: null, once: true });
      watcher.once('close', () => signal.removeEventListener('abort', stop));
    }
  }
  return watcher;
};

exports.watchEach = async function* watch(filename, options = { __proto__: null }) {
  const path = toPath(filename, 'filename');
  validateObject(options, 'options');
  const { maxQueue = 2048, overflow = 'ignore' } = options;
  validateInteger(maxQueue, 'options.maxQueue');
  validateOneOf(overflow, 'options.overflow', ['ignore', 'error', 'throw']);
  const given = checked(options);
  const { signal } = given;
  if (signal?.aborted) throw abortError(signal.reason);
  const watcher = new FSWatcher(path, given);
  const queue = [];
  let failure;
  let wake = $.withResolvers();
  const fail = (error) => {
    failure ??= { error };
    wake.resolve();
  };
  const abort = () => fail(abortError(signal.reason));
  watcher.on('change', (eventType, name) => {
    if (queue.length < maxQueue) {
      $.push(queue, { __proto__: null, eventType, filename: name });
      wake.resolve();
    } else if (overflow === 'ignore') {
      require('process').process.emitWarning('fs.watch maxQueue exceeded');
    } else {
      fail(create('Error', 'ERR_FS_WATCH_QUEUE_OVERFLOW',
        $.text`fs.watch() queued more than ${maxQueue} events`));
    }
  });
  watcher.on('error', fail);
  signal?.addEventListener('abort', abort, { __proto__: null, once: true });
  try {
    while (failure === undefined) {
      if (queue.length > 0) yield $.shift(queue);
      else {
        await $.awaited(wake.promise);
        wake = $.withResolvers();
      }
    }
    throw /** @type {any} */ (failure).error;
  } finally {
    watcher.close();
    signal?.removeEventListener('abort', abort);
  }
};
