// node:events.
const { create, invalidArgType, outOfRange } = require('errors');
const { validateFunction } = require('validators');
const kCapture = $.symbolFor('nodejs.rejection');
const errorMonitor = Symbol('events.errorMonitor');
let defaultMaxListeners = 10;

/**
 * @constructor
 * @param {object} [_options]
 */
function EventEmitter(_options) {
  EventEmitter.init(this);
}
EventEmitter.init = (emitter) => {
  if (emitter._events === undefined || emitter._events === Object.getPrototypeOf(emitter)._events) {
    emitter._events = { __proto__: null };
    emitter._eventsCount = 0;
  }
  emitter._maxListeners = emitter._maxListeners || undefined;
};
const proto = EventEmitter.prototype;
proto._events = undefined;
proto._eventsCount = 0;
proto._maxListeners = undefined;

// The listeners of one event are a function, an array or, if there are many, a Crowd. From this length on, searching an
// array costs more than maintaining a Crowd.
const MANY = 64;

const ring = (name) => {
  const ring = { name };
  ring.next = ring.previous = ring;
  return ring;
};
const insert = (ring, entry, first) => {
  const before = first ? ring : ring.previous;
  const node = { ring, entry, previous: before, next: before.next };
  before.next = node.next.previous = node;
  return node;
};
// Many listeners, each of which can be found by its names: the listener itself and, for the wrapper of a `once`, what
// it wraps. Listeners that share a name form a ring, in order, because the last one is the one to remove.
class Crowd {
  length = 0;
  warned = false;
  #all = ring();
  #named = new Map();
  add(listener, first) {
    const entry = { listener, nodes: [insert(this.#all, undefined, first)] };
    entry.nodes[0].entry = entry;
    for (const name of $.each(listener.listener === undefined ? [listener] : [listener, listener.listener])) {
      let named = this.#named.get(name);
      if (named === undefined) this.#named.set(name, named = ring(name));
      $.push(entry.nodes, insert(named, entry, first));
    }
    this.length += 1;
  }
  remove(name) {
    const named = this.#named.get(name);
    if (named === undefined) return undefined;
    const { entry } = named.previous;
    for (const { ring, previous, next } of $.each(entry.nodes)) {
      previous.next = next;
      next.previous = previous;
      if (ring.next === ring) this.#named.delete(ring.name);
    }
    this.length -= 1;
    return entry.listener;
  }
  toArray() {
    const array = [];
    for (let node = this.#all.next; node !== this.#all; node = node.next) $.push(array, node.entry.listener);
    return array;
  }
}
const arrayOf = (list) =>
  list === undefined ? []
    : typeof list === 'function' ? [list]
      : list instanceof Crowd ? list.toArray()
        : $.slice(list);
// Returns the list with one more listener.
const withListener = (list, listener, first) => {
  let next = typeof list === 'function' ? [list] : list;
  if (!(next instanceof Crowd)) {
    if (next.length < MANY) {
      if (first) $.unshift(next, listener);
      else $.push(next, listener);
      return next;
    }
    const crowd = new Crowd();
    crowd.warned = next.warned;
    for (const each of $.each(next)) crowd.add(each, false);
    next = crowd;
  }
  next.add(listener, first);
  return next;
};
// Removes the last listener with this name from a list and returns it.
const withoutListener = (list, name) => {
  if (list instanceof Crowd) return list.remove(name);
  const all = typeof list === 'function' ? [list] : list;
  const index = $.findLastIndex(all, (item) => item === name || item.listener === name);
  return index < 0 ? undefined : $.splice(all, index, 1)[0];
};

const eventsOf = (emitter) => {
  if (emitter._events === undefined) EventEmitter.init(emitter);
  return emitter._events;
};
const checkCount = (value, name) => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (value < 0 || Number.isNaN(value)) throw outOfRange(name, '>= 0', value);
};
function add(emitter, type, listener, prepend) {
  validateFunction(listener, 'listener');
  const events = eventsOf(emitter);
  if (events.newListener !== undefined) emitter.emit('newListener', type, listener.listener ?? listener);
  const list = emitter._events[type];
  if (list === undefined) {
    emitter._events[type] = listener;
    ++emitter._eventsCount;
    return emitter;
  }
  const next = withListener(list, listener, prepend);
  emitter._events[type] = next;
  const max = emitter.getMaxListeners();
  if (max > 0 && next.length > max && !next.warned) {
    next.warned = true;
    const name = emitter.constructor?.name ?? 'EventEmitter';
    require('process').process.emitWarning(Object.assign(new Error(
      $.text`Possible EventEmitter memory leak detected. ${next.length} ${String(type)} listeners added ` +
      $.text`to [${name}]. ` +
      $.text`MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`),
    { name: 'MaxListenersExceededWarning' }));
  }
  return emitter;
}
function onceWrapper(emitter, type, listener) {
  validateFunction(listener, 'listener');
  let fired = false;
  const wrapper = function (...args) {
    if (fired) return undefined;
    fired = true;
    emitter.removeListener(type, wrapper);
    return Reflect.apply(listener, emitter, args);
  };
  wrapper.listener = listener;
  return wrapper;
}
const methods = {
  setMaxListeners(count) {
    checkCount(count, 'setMaxListeners');
    this._maxListeners = count;
    return this;
  },
  getMaxListeners() {
    return this._maxListeners ?? defaultMaxListeners;
  },
  emit(type, ...args) {
    const events = eventsOf(this);
    if (type === 'error') {
      if (events[errorMonitor] !== undefined) this.emit(errorMonitor, ...$.each(args));
      if (events.error === undefined) {
        const { 0: error } = args;
        if (error instanceof Error) throw error;
        const text = require('inspect').inspect(error);
        throw create('Error', 'ERR_UNHANDLED_ERROR', $.text`Unhandled error. (${text})`, { context: error });
      }
    }
    const list = events[type];
    if (list === undefined) return false;
    if (typeof list === 'function') {
      Reflect.apply(list, this, args);
    } else {
      for (const listener of $.each(arrayOf(list))) Reflect.apply(listener, this, args);
    }
    return true;
  },
  addListener(type, listener) {
    return add(this, type, listener, false);
  },
  on(type, listener) {
    return add(this, type, listener, false);
  },
  prependListener(type, listener) {
    return add(this, type, listener, true);
  },
  once(type, listener) {
    return add(this, type, onceWrapper(this, type, listener), false);
  },
  prependOnceListener(type, listener) {
    return add(this, type, onceWrapper(this, type, listener), true);
  },
  removeListener(type, listener) {
    validateFunction(listener, 'listener');
    const events = eventsOf(this);
    const list = events[type];
    if (list === undefined) return this;
    const removed = withoutListener(list, listener);
    if (removed === undefined) return this;
    if (typeof list === 'function' || list.length === 0) {
      delete events[type];
      --this._eventsCount;
    }
    if (events.removeListener !== undefined) this.emit('removeListener', type, removed.listener ?? removed);
    return this;
  },
  off(type, listener) {
    return this.removeListener(type, listener);
  },
  removeAllListeners(...types) {
    const events = eventsOf(this);
    const names = types.length > 0 ? types : $.filter(Reflect.ownKeys(events), (name) => name !== 'removeListener');
    for (const name of $.each(names)) {
      if (events.removeListener !== undefined && name !== 'removeListener') {
        for (const listener of $.each($.reverse(this.rawListeners(name)))) this.removeListener(name, listener);
      }
      if (events[name] !== undefined) {
        delete events[name];
        --this._eventsCount;
      }
    }
    if (types.length === 0) EventEmitter.init(Object.assign(this, { _events: undefined }));
    return this;
  },
  listeners(type) {
    return $.map(this.rawListeners(type), (listener) => listener.listener ?? listener);
  },
  rawListeners(type) {
    return arrayOf(eventsOf(this)[type]);
  },
  listenerCount(type, listener) {
    const list = eventsOf(this)[type];
    if (listener === undefined) return list === undefined ? 0 : typeof list === 'function' ? 1 : list.length;
    return $.filter(arrayOf(list), (x) => x === listener || x.listener === listener).length;
  },
  eventNames() {
    return Reflect.ownKeys(eventsOf(this));
  },
};
for (const name of $.each(Object.keys(methods))) proto[name] = methods[name];

/**
 * @param {any} emitter
 * @param {string | symbol} name
 * @param {Options<{ signal?: any }>} [options]
 */
function once(emitter, name, options = { __proto__: null }) {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const abort = () => Object.assign(
      new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
    if (signal?.aborted) {
      reject(abort());
      return;
    }
    if (typeof emitter.on !== 'function') {
      emitter.addEventListener(name, (event) => resolve([event]), { __proto__: null, once: true });
      return;
    }
    const done = (...args) => {
      emitter.removeListener('error', failed);
      resolve(args);
    };
    const failed = (error) => {
      emitter.removeListener(name, done);
      reject(error);
    };
    emitter.once(name, done);
    if (name !== 'error') emitter.once('error', failed);
    signal?.addEventListener('abort', () => {
      emitter.removeListener(name, done);
      emitter.removeListener('error', failed);
      reject(abort());
    }, { __proto__: null, once: true });
  });
}

/**
 * @param {any} emitter
 * @param {string | symbol} name
 * @param {Options<{ signal?: any }>} [options]
 */
async function* on(emitter, name, { signal } = { __proto__: null }) {
  const queue = [];
  let wake;
  /** @type {{ error: unknown } | undefined} */
  let failure;
  const push = (...args) => {
    $.push(queue, args);
    wake?.();
  };
  const fail = (error) => {
    failure = { error };
    wake?.();
  };
  emitter.on(name, push);
  if (name !== 'error') emitter.on('error', fail);
  signal?.addEventListener('abort', () => fail(
    Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' })));
  try {
    while (true) {
      while (queue.length > 0) yield $.shift(queue);
      if (failure) throw failure.error;
      await $.awaited(new Promise((resolve) => (wake = resolve)));
    }
  } finally {
    emitter.removeListener(name, push);
    emitter.removeListener('error', fail);
  }
}

Object.assign(EventEmitter, {
  EventEmitter, once, on, errorMonitor, captureRejectionSymbol: kCapture, captureRejections: false,
  usingDomains: false,
  listenerCount: (emitter, type) => emitter.listenerCount(type),
  getEventListeners: (emitter, type) => emitter.listeners(type),
  getMaxListeners: (emitter) => emitter.getMaxListeners(),
  setMaxListeners(count = defaultMaxListeners, ...emitters) {
    if (emitters.length === 0) EventEmitter.defaultMaxListeners = count;
    for (const emitter of $.each(emitters)) emitter.setMaxListeners?.(count);
  },
});
Object.defineProperty(EventEmitter, 'defaultMaxListeners', {
  enumerable: true, get: () => defaultMaxListeners,
  set(count) {
    checkCount(count, 'defaultMaxListeners');
    defaultMaxListeners = count;
  },
});
Object.assign(exports, EventEmitter);
/**
 * @typedef {typeof methods & { _events: any, _eventsCount: number, constructor: any }} Emitter
 * @typedef {{ new (options?: object): Emitter, prototype: Emitter, init(emitter: object): void }} EmitterClass
 */
exports.EventEmitter = /** @type {EmitterClass} */ (/** @type {any} */ (EventEmitter));
exports.default = EventEmitter;
