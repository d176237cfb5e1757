// node:events.
const { checkFunction, create, invalidArgType, outOfRange } = require('errors');
const kCapture = $.symbolFor('nodejs.rejection');
const errorMonitor = Symbol('events.errorMonitor');
let defaultMaxListeners = 10;

function EventEmitter(options) {
  EventEmitter.init(this, options);
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

const eventsOf = (emitter) => {
  if (emitter._events === undefined) EventEmitter.init(emitter);
  return emitter._events;
};
const checkCount = (value, name) => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (value < 0 || Number.isNaN(value)) throw outOfRange(name, '>= 0', value);
};
function add(emitter, type, listener, prepend) {
  checkFunction(listener, 'listener');
  const events = eventsOf(emitter);
  if (events.newListener !== undefined) emitter.emit('newListener', type, listener.listener ?? listener);
  const list = emitter._events[type];
  if (list === undefined) {
    emitter._events[type] = listener;
    ++emitter._eventsCount;
    return emitter;
  }
  const next = typeof list === 'function' ? [list] : list;
  if (prepend) $.unshift(next, listener);
  else $.push(next, listener);
  emitter._events[type] = next;
  const max = emitter.getMaxListeners();
  if (max > 0 && next.length > max && !next.warned) {
    next.warned = true;
    const name = emitter.constructor?.name ?? 'EventEmitter';
    require('process').process.emitWarning(Object.assign(new Error(
      $.text`Possible EventEmitter memory leak detected. ${next.length} ${String(type)} listeners added to [${name}]. ` +
      $.text`MaxListeners is ${max}. Use emitter.setMaxListeners() to increase limit`), { name: 'MaxListenersExceededWarning' }));
  }
  return emitter;
}
function onceWrapper(emitter, type, listener) {
  checkFunction(listener, 'listener');
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
      for (const listener of $.each($.slice(list))) Reflect.apply(listener, this, args);
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
    checkFunction(listener, 'listener');
    const events = eventsOf(this);
    const list = events[type];
    if (list === undefined) return this;
    const all = typeof list === 'function' ? [list] : list;
    const own = $.lastIndexOf(all, listener);
    const index = own >= 0 ? own : $.findLastIndex(all, (item) => item.listener === listener);
    if (index < 0) return this;
    const { 0: removed } = typeof list === 'function' ? all : $.splice(all, index, 1);
    if (typeof list === 'function' || all.length === 0) {
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
    const list = eventsOf(this)[type];
    return list === undefined ? [] : typeof list === 'function' ? [list] : $.slice(list);
  },
  listenerCount(type, listener) {
    const all = this.rawListeners(type);
    return listener === undefined ? all.length : $.filter(all, (x) => x === listener || x.listener === listener).length;
  },
  eventNames() {
    return Reflect.ownKeys(eventsOf(this));
  },
};
for (const name of $.each(Object.keys(methods))) proto[name] = methods[name];

function once(emitter, name, options = { __proto__: null }) {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const abort = () => Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
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

async function* on(emitter, name, { signal } = { __proto__: null }) {
  const queue = [];
  let wake;
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
  signal?.addEventListener('abort', () => fail(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' })));
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
Object.assign(exports, EventEmitter, { EventEmitter, default: EventEmitter });
