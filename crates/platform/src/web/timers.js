// setTimeout, setInterval and setImmediate with Node's handle objects.
/**
 * What Rust provides.
 * @type {{
 *   set(timeout: object, delay: number, refed: boolean): number,
 *   clear(id: number): void,
 *   ref(id: number, refed: boolean): void,
 *   number(): number,
 *   setImmediate(immediate: object): number,
 *   clearImmediate(id: number): void,
 *   refImmediate(id: number, refed: boolean): void,
 *   queueMicrotask(callback: () => void): void,
 * }}
 */
const native = rust;
const { validateFunction } = require('validators');

// How callbacks keep what AsyncLocalStorage has given their maker: set once a program uses that.
let context;
exports.setContext = (given) => {
  context = given;
};
const call = (frame, callback, self, args) =>
  (context === undefined ? Reflect.apply(callback, self, args) : context.runIn(frame, callback, self, args));

const known = new Map(); // by the number that Symbol.toPrimitive gave out

const warned = { __proto__: null, nan: false, negative: false };
const warn = (name, text) => require('process').process.emitWarning(
  $.text`${text}\nTimeout duration was set to 1.`, name);
const toDelay = (delay) => {
  if (delay === undefined) return 1;
  delay *= 1;
  if (delay >= 1 && delay <= 2 ** 31 - 1) return Math.trunc(delay);
  if (delay > 2 ** 31 - 1) {
    warn('TimeoutOverflowWarning', $.text`${delay} does not fit into a 32-bit signed integer.`);
  } else if (delay < 0 && !warned.negative) {
    warned.negative = true;
    warn('TimeoutNegativeWarning', $.text`${delay} is a negative number.`);
  } else if (Number.isNaN(delay) && !warned.nan) {
    warned.nan = true;
    warn('TimeoutNaNWarning', $.text`${delay} is not a number.`);
  }
  return 1;
};

class Timeout {
  _onTimeout;
  _idleTimeout;
  _repeat;
  _destroyed;
  #id = 0;
  #args;
  #refed = true;
  #frame = context?.current();
  constructor(callback, delay, args, repeats) {
    this._onTimeout = callback;
    this._idleTimeout = toDelay(delay);
    this._repeat = repeats ? this._idleTimeout : null;
    this._destroyed = false;
    this.#args = args;
    this.#start();
  }
  #start() {
    this.#id = native.set(this, this._idleTimeout, this.#refed);
  }
  static fire(timeout) {
    timeout.#id = 0;
    // A script may have taken the callback away.
    if (!timeout._onTimeout) {
      timeout.close();
      return;
    }
    try {
      call(timeout.#frame, timeout._onTimeout, timeout, timeout.#args);
    } finally {
      if (!timeout._destroyed && timeout.#id === 0) {
        if (timeout._repeat !== null && timeout._idleTimeout !== -1) timeout.#start();
        else timeout.close();
      }
    }
  }
  static clear(timeout) {
    timeout.close();
  }
  ref() {
    if (!(#refed in this)) return this;
    this.#refed = true;
    native.ref(this.#id, true);
    return this;
  }
  unref() {
    if (!(#refed in this)) return this;
    this.#refed = false;
    native.ref(this.#id, false);
    return this;
  }
  hasRef() {
    return this.#refed;
  }
  refresh() {
    if (this._destroyed) return this;
    native.clear(this.#id);
    this.#start();
    return this;
  }
  close() {
    this._destroyed = true;
    native.clear(this.#id);
    const { primitive } = /** @type {{ primitive?: number }} */ (this);
    if (primitive !== undefined) known.delete(primitive);
    return this;
  }
  [Symbol.toPrimitive]() {
    let { primitive } = /** @type {{ primitive?: number }} */ (this);
    if (primitive === undefined) {
      primitive = native.number();
      Object.defineProperty(this, 'primitive', { value: primitive });
      if (!this._destroyed) known.set(primitive, this);
    }
    return primitive;
  }
  [Symbol.dispose]() {
    this.close();
  }
}

class Immediate {
  _onImmediate;
  _destroyed = false;
  #id;
  #args;
  #refed = true;
  #frame = context?.current();
  constructor(callback, args) {
    this._onImmediate = callback;
    this.#args = args;
    this.#id = native.setImmediate(this);
  }
  static fire(immediate) {
    immediate.#id = 0;
    immediate._destroyed = true;
    call(immediate.#frame, immediate._onImmediate, immediate, immediate.#args);
  }
  static clear(immediate) {
    native.clearImmediate(immediate.#id);
    immediate.#id = 0;
    immediate._destroyed = true;
  }
  ref() {
    this.#refed = true;
    native.refImmediate(this.#id, true);
    return this;
  }
  unref() {
    this.#refed = false;
    native.refImmediate(this.#id, false);
    return this;
  }
  hasRef() {
    return this.#refed;
  }
  [Symbol.dispose]() {
    Immediate.clear(this);
  }
}

exports.fireTimeout = Timeout.fire;
exports.fireImmediate = Immediate.fire;
exports.setTimeout = function setTimeout(callback, delay, ...args) {
  validateFunction(callback, 'callback');
  return new Timeout(callback, delay, args, false);
};
exports.setInterval = function setInterval(callback, delay, ...args) {
  validateFunction(callback, 'callback');
  return new Timeout(callback, delay, args, true);
};
exports.setImmediate = function setImmediate(callback, ...args) {
  validateFunction(callback, 'callback');
  return new Immediate(callback, args);
};
exports.clearTimeout = function clearTimeout(timer) {
  if (timer instanceof Timeout) timer.close();
  else if (typeof timer === 'number' || typeof timer === 'string') known.get(Number(timer))?.close();
};
exports.clearInterval = function clearInterval(timer) {
  exports.clearTimeout(timer);
};
exports.clearImmediate = function clearImmediate(immediate) {
  if (immediate instanceof Immediate) Immediate.clear(immediate);
};
exports.queueMicrotask = function queueMicrotask(callback) {
  validateFunction(callback, 'callback');
  const frame = context?.current();
  native.queueMicrotask(() => call(frame, callback, undefined, []));
};
// What node:timers exports.
exports.timers = {
  setTimeout: exports.setTimeout, clearTimeout: exports.clearTimeout, setImmediate: exports.setImmediate,
  clearImmediate: exports.clearImmediate, setInterval: exports.setInterval, clearInterval: exports.clearInterval,
};
Object.defineProperty(exports.timers, 'promises', {
  enumerable: true, configurable: true, get: () => require('timers_promises')['timers/promises'],
});
const promisify = $.symbolFor('nodejs.util.promisify.custom');
for (const name of $.each(['setTimeout', 'setImmediate'])) {
  Object.defineProperty(exports[name], promisify, {
    configurable: true, get: () => require('timers_promises')[name],
  });
}
