// node:events.
const { abortError, create, invalidArgType, outOfRange } = require('errors');
const {
  validateAbortSignal, validateBoolean, validateFunction, validateInteger, validateObject,
} = require('validators');
const kRejection = $.symbolFor('nodejs.rejection');
const kCapture = Symbol('kCapture');
const errorMonitor = Symbol('events.errorMonitor');
let defaultMaxListeners = 10;

/**
 * @constructor
 * @param {object} [_options]
 */
function EventEmitter(_options) {
  initialize(this, _options);
}
const initialize = (emitter, options) => {
  if (emitter._events === undefined || emitter._events === Object.getPrototypeOf(emitter)._events) {
    emitter._events = { __proto__: null };
    emitter._eventsCount = 0;
  }
  emitter._maxListeners = emitter._maxListeners || undefined;
  if (options?.captureRejections) {
    validateBoolean(options.captureRejections, 'options.captureRejections');
    setCapture(emitter, true);
  }
};
const setCapture = (emitter, isOn) =>
  Object.defineProperty(emitter, kCapture, { value: isOn, writable: true, configurable: true });
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
/** @type {any} */ (Crowd.prototype).warned = false;
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
    if (next.warned) /** @type {any} */ (crowd).warned = true;
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
  if (emitter._events === undefined) initialize(emitter, undefined);
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
  const max = maxListenersOf(emitter);
  if (max > 0 && next.length > max && !next.warned) {
    next.warned = true;
    const name = emitter.constructor?.name ?? 'EventEmitter';
    require('process').process.emitWarning(Object.assign(new Error(
      $.text`Possible EventEmitter memory leak detected. ${next.length} ${String(type)} listeners added ` +
      $.text`to [${name}]. ` +
      $.text`MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`),
    { name: 'MaxListenersExceededWarning', emitter, type, count: next.length }));
  }
  return emitter;
}
/** Gives the rejection of a listener's promise to the emitter. */
const capture = (emitter, result, type, args) => {
  try {
    const { then } = result;
    if (typeof then !== 'function') return;
    Reflect.apply(then, result, [undefined, (error) => {
      require('process').process.nextTick(() => {
        if (typeof emitter[kRejection] === 'function') {
          emitter[kRejection](error, type, ...$.each(args));
          return;
        }
        // An error of the handler of errors must not come back to it.
        const before = emitter[kCapture];
        try {
          setCapture(emitter, false);
          emitter.emit('error', error);
        } finally {
          setCapture(emitter, before);
        }
      });
    }]);
  } catch (error) {
    emitter.emit('error', error);
  }
};
const maxListenersOf = (emitter) => emitter._maxListeners ?? defaultMaxListeners;
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
    return maxListenersOf(this);
  },
  emit(type, ...args) {
    const events = eventsOf(this);
    if (type === 'error') {
      if (events[errorMonitor] !== undefined) this.emit(errorMonitor, ...$.each(args));
      if (events.error === undefined) {
        const { 0: error } = args;
        if (error instanceof Error) throw error;
        let text;
        try {
          text = require('inspect').inspect(error);
        } catch {
          text = $.text`${error}`;
        }
        throw create('Error', 'ERR_UNHANDLED_ERROR', $.text`Unhandled error. (${text})`, { context: error });
      }
    }
    const list = events[type];
    if (list === undefined) return false;
    const capturing = this[kCapture] ?? EventEmitter.prototype[kCapture];
    if (typeof list === 'function') {
      const result = Reflect.apply(list, this, args);
      if (capturing && result !== undefined && result !== null) capture(this, result, type, args);
    } else {
      for (const listener of $.each(arrayOf(list))) {
        const result = Reflect.apply(listener, this, args);
        if (capturing && result !== undefined && result !== null) capture(this, result, type, args);
      }
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
  // (By the methods, because classes of streams have their own.)
  once(type, listener) {
    return this.on(type, onceWrapper(this, type, listener));
  },
  prependOnceListener(type, listener) {
    return this.prependListener(type, onceWrapper(this, type, listener));
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
    } else if (list.length === 1 && !(list instanceof Crowd)) {
      ({ 0: events[type] } = list);
    }
    if (events.removeListener !== undefined) this.emit('removeListener', type, removed.listener ?? removed);
    return this;
  },
  off(type, listener) {
    return this.removeListener(type, listener);
  },
  removeAllListeners(...types) {
    const events = eventsOf(this);
    const { 0: type } = types;
    if (events.removeListener === undefined) {
      // Nobody listens for what is removed.
      if (types.length === 0) {
        this._events = { __proto__: null };
        this._eventsCount = 0;
      } else if (events[type] !== undefined) {
        delete events[type];
        --this._eventsCount;
      }
      return this;
    }
    if (types.length === 0) {
      const names = $.filter(Reflect.ownKeys(events), (name) => name !== 'removeListener');
      for (const name of $.each(names)) this.removeAllListeners(name);
      this.removeAllListeners('removeListener');
      this._events = { __proto__: null };
      this._eventsCount = 0;
      return this;
    }
    for (const listener of $.each($.reverse(arrayOf(events[type])))) this.removeListener(type, listener);
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
proto.on = proto.addListener;
proto.off = proto.removeListener;

const isEmitter = (emitter) => typeof emitter?.on === 'function';
const isTarget = (emitter) => typeof emitter?.addEventListener === 'function';
const badEmitter = (emitter) => invalidArgType('emitter', 'an instance of EventEmitter', emitter);
/** Listens to an emitter or an event target. */
const listen = (emitter, name, listener, isOnce = false) => {
  if (isEmitter(emitter)) emitter[isOnce ? 'once' : 'on'](name, listener);
  else if (isTarget(emitter)) emitter.addEventListener(name, listener, { __proto__: null, once: isOnce });
  else throw badEmitter(emitter);
};
const unlisten = (emitter, name, listener) => {
  if (typeof emitter.removeListener === 'function') emitter.removeListener(name, listener);
  else emitter.removeEventListener(name, listener);
};
const checkOptions = (options) => {
  validateObject(options, 'options');
  validateAbortSignal(options.signal, 'options.signal');
};

/** @param {any} options */
async function once(emitter, name, options = { __proto__: null }) {
  checkOptions(options);
  const { signal } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const { promise, resolve, reject } = $.withResolvers();
  const done = (...args) => {
    if (isEmitter(emitter)) unlisten(emitter, 'error', failed);
    if (signal) unlisten(signal, 'abort', abort);
    resolve(args);
  };
  const failed = (error) => {
    unlisten(emitter, name, done);
    if (signal) unlisten(signal, 'abort', abort);
    reject(error);
  };
  const abort = () => {
    unlisten(emitter, name, done);
    if (isEmitter(emitter)) unlisten(emitter, 'error', failed);
    reject(abortError(signal.reason));
  };
  listen(emitter, name, done, true);
  if (name !== 'error' && typeof emitter.once === 'function') emitter.once('error', failed);
  if (signal) signal.addEventListener('abort', abort, insistent());
  return await $.awaited(promise);
}

const AsyncIteratorPrototype =
  Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}()))) ?? {};
/** @param {any} options */
function on(emitter, name, options = { __proto__: null }) {
  checkOptions(options);
  const { signal, close } = options;
  if (signal?.aborted) throw abortError(signal.reason);
  const high = options.highWaterMark ?? options.highWatermark ?? Infinity;
  const low = options.lowWaterMark ?? options.lowWatermark ?? 1;
  if (high !== Infinity) validateInteger(high, 'options.highWaterMark', 1);
  validateInteger(low, 'options.lowWaterMark', 1);
  const events = [];
  const waiting = [];
  let failure;
  let isPaused = false;
  let isDone = false;
  const item = (value, done) => ({ value, done });
  const finish = () => {
    unlisten(emitter, name, push);
    if (name !== 'error') unlisten(emitter, 'error', fail);
    for (const event of $.each(close ?? [])) unlisten(emitter, event, finish);
    if (signal) unlisten(signal, 'abort', abort);
    isDone = true;
    for (const { resolve } of $.each(waiting)) resolve(item(undefined, true));
    $.splice(waiting, 0);
    return $.resolved(item(undefined, true));
  };
  const fail = (error) => {
    if (waiting.length > 0) $.shift(waiting).reject(error);
    else failure = { error };
    finish();
  };
  const push = (...args) => {
    if (waiting.length > 0) {
      $.shift(waiting).resolve(item(args, false));
      return;
    }
    $.push(events, args);
    if (!isPaused && events.length > high) {
      isPaused = true;
      emitter.pause?.();
    }
  };
  const abort = () => fail(abortError(signal.reason));
  const iterator = Object.setPrototypeOf({
    next() {
      if (events.length > 0) {
        const value = $.shift(events);
        if (isPaused && events.length < low) {
          isPaused = false;
          emitter.resume?.();
        }
        return $.resolved(item(value, false));
      }
      if (failure) {
        const { error } = failure;
        failure = undefined;
        return $.rejected(error);
      }
      if (isDone) return finish();
      const { promise, resolve, reject } = $.withResolvers();
      $.push(waiting, { resolve, reject });
      return promise;
    },
    return() {
      return finish();
    },
    throw(error) {
      if (!error || !(error instanceof Error)) {
        throw invalidArgType('EventEmitter.AsyncIterator', 'an instance of Error', error);
      }
      fail(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  }, AsyncIteratorPrototype);
  listen(emitter, name, push);
  if (name !== 'error' && isEmitter(emitter)) emitter.on('error', fail);
  for (const event of $.each(close ?? [])) listen(emitter, event, finish);
  if (signal) signal.addEventListener('abort', abort, insistent());
  return iterator;
}

function getEventListeners(emitterOrTarget, type) {
  if (typeof emitterOrTarget?.listeners === 'function') return emitterOrTarget.listeners(type);
  const { EventTarget, listenersOf } = require('abort');
  if (emitterOrTarget instanceof EventTarget) return listenersOf(emitterOrTarget, type);
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitterOrTarget);
}
// Event targets have a limit as well, of which nothing else is known here.
const targetLimits = new WeakMap();
function getMaxListeners(emitterOrTarget) {
  if (typeof emitterOrTarget?.getMaxListeners === 'function') return emitterOrTarget.getMaxListeners();
  if (isTarget(emitterOrTarget)) {
    const isSignal = emitterOrTarget instanceof require('abort').AbortSignal;
    return targetLimits.get(emitterOrTarget) ?? (isSignal ? 0 : defaultMaxListeners);
  }
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitterOrTarget);
}
function setMaxListeners(n = defaultMaxListeners, ...eventTargets) {
  checkCount(n, 'setMaxListeners');
  if (eventTargets.length === 0) defaultMaxListeners = n;
  for (const target of $.each(eventTargets)) {
    if (typeof target?.setMaxListeners === 'function') target.setMaxListeners(n);
    else if (isTarget(target)) targetLimits.set(target, n);
    else throw invalidArgType('eventTargets', 'an instance of EventEmitter or EventTarget', target);
  }
}
function listenerCount(emitterOrTarget, type) {
  if (typeof emitterOrTarget?.listenerCount === 'function') return emitterOrTarget.listenerCount(type);
  if (isTarget(emitterOrTarget)) return getEventListeners(emitterOrTarget, type).length;
  throw invalidArgType('emitter', 'an instance of EventEmitter or EventTarget', emitterOrTarget);
}
// A listener that is called even if a script's own has stopped the event.
const insistent = () => ({ __proto__: null, once: true, [require('abort').insists]: true });
function addAbortListener(signal, listener) {
  if (signal === undefined) throw invalidArgType('signal', 'an instance of AbortSignal', signal);
  validateAbortSignal(signal, 'signal');
  validateFunction(listener, 'listener');
  let remove;
  if (signal.aborted) {
    require('timers').queueMicrotask(() => listener());
  } else {
    signal.addEventListener('abort', listener, insistent());
    remove = () => signal.removeEventListener('abort', listener);
  }
  return {
    [Symbol.dispose]() {
      remove?.();
    },
  };
}

const statics = {
  addAbortListener, once, on, getEventListeners, getMaxListeners, listenerCount, EventEmitter, usingDomains: false,
  captureRejectionSymbol: kRejection, captureRejections: false, EventEmitterAsyncResource: undefined, errorMonitor,
  defaultMaxListeners: 10, setMaxListeners,
  init(options) {
    initialize(this, options);
  },
};
Object.assign(EventEmitter, statics);
Object.defineProperties(EventEmitter, {
  captureRejections: {
    enumerable: true,
    get: () => EventEmitter.prototype[kCapture],
    set(value) {
      validateBoolean(value, 'EventEmitter.captureRejections');
      setCapture(EventEmitter.prototype, value);
    },
  },
  defaultMaxListeners: {
    enumerable: true, get: () => defaultMaxListeners,
    set(count) {
      checkCount(count, 'defaultMaxListeners');
      defaultMaxListeners = count;
    },
  },
  EventEmitterAsyncResource: {
    enumerable: true, get: () => require('emitter_resource').EventEmitterAsyncResource, set: undefined,
  },
});
setCapture(EventEmitter.prototype, false);
Object.defineProperty(proto, 'constructor', { value: EventEmitter, writable: true, configurable: true });
for (const name of $.each(Object.keys(statics))) {
  Object.defineProperty(exports, name, Object.getOwnPropertyDescriptor(EventEmitter, name));
}
/**
 * @typedef {typeof methods & { _events: any, _eventsCount: number, constructor: any }} Emitter
 * @typedef {{ new (options?: object): Emitter, prototype: Emitter, init(emitter: object): void }} EmitterClass
 */
exports.EventEmitter = /** @type {EmitterClass} */ (/** @type {any} */ (EventEmitter));
exports.events = EventEmitter;
exports.default = EventEmitter;
