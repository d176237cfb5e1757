// The mocks of node:test: functions, methods and timers that remember how they were called.
const { create, invalidArgValue, notImplemented } = require('errors');
const { validateFunction, validateInteger, validateObject } = require('validators');

/** What a mocked function remembers. */
class MockFunctionContext {
  #calls = [];
  #implementation;
  #once = new Map();
  #original;
  #restore;
  #times;
  constructor(original, implementation, restore, times) {
    this.#original = original;
    this.#implementation = implementation;
    this.#restore = restore;
    this.#times = times;
  }
  get calls() {
    return $.slice(this.#calls);
  }
  callCount() {
    return this.#calls.length;
  }
  mockImplementation(implementation) {
    validateFunction(implementation, 'implementation');
    this.#implementation = implementation;
  }
  mockImplementationOnce(implementation, onCall = undefined) {
    validateFunction(implementation, 'implementation');
    const next = this.#calls.length;
    const at = onCall ?? next;
    validateInteger(at, 'onCall', next);
    this.#once.set(at, implementation);
  }
  restore() {
    this.#restore?.();
    this.#implementation = this.#original;
  }
  resetCalls() {
    this.#calls = [];
  }
  static next(context) {
    const index = context.#calls.length;
    const once = context.#once.get(index);
    context.#once.delete(index);
    const { 0: implementation, 1: times } = [context.#implementation, context.#times];
    if (times !== undefined && index + 1 === times) context.restore();
    return once ?? implementation;
  }
  static track(context, call) {
    $.push(context.#calls, call);
  }
}

/** A function that calls the implementation and remembers the call. */
const mocked = (original, implementation, restore, times) => {
  const context = new MockFunctionContext(original, implementation, restore, times);
  const record = (args, self, target, run) => {
    const implementation = MockFunctionContext.next(context);
    let result;
    let error;
    try {
      return (result = run(implementation));
    } catch (thrown) {
      error = thrown;
      throw thrown;
    } finally {
      MockFunctionContext.track(context, {
        arguments: args, error, result, stack: new Error(), target, this: target === undefined ? self : result,
      });
    }
  };
  const made = new Proxy(original, Object.setPrototypeOf({
    apply: (target, self, args) =>
      record(args, self, undefined, (implementation) => Reflect.apply(implementation, self, args)),
    construct: (target, args, newTarget) => record(args, undefined, target, (implementation) =>
      Reflect.construct(implementation, args, newTarget === made ? implementation : newTarget)),
    get: (target, key, receiver) => (key === 'mock' ? context : Reflect.get(target, key, receiver)),
  }, null));
  return { made, context };
};

const kept = ['setTimeout', 'setInterval', 'setImmediate'];
/** Timers and a clock that go on when a test says so. */
class MockTimers {
  #isEnabled = false;
  #now = 0;
  #timers = [];
  #undo = [];
  #number = 0;
  #replace(object, name, value) {
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { value, writable: true, enumerable: before?.enumerable, configurable: true });
    $.push(this.#undo, () => {
      if (before === undefined) delete object[name];
      else Object.defineProperty(object, name, before);
    });
  }
  #start(callback, delay, args, repeats) {
    const every = Math.max(1, +delay || 1);
    const timer = {
      id: ++this.#number, at: this.#now + (repeats === null ? 0 : every), callback, args, every: repeats ? every : 0,
      ref: () => timer, unref: () => timer, hasRef: () => true, refresh: () => timer, [Symbol.toPrimitive]: () => timer.id,
      close: () => this.#stop(timer), [Symbol.dispose]: () => this.#stop(timer),
    };
    $.push(this.#timers, timer);
    return timer;
  }
  #stop(timer) {
    const index = $.findIndex(this.#timers, (one) => one === timer || one.id === timer);
    if (index !== -1) $.splice(this.#timers, index, 1);
  }
  enable(options = { __proto__: null }) {
    if (this.#isEnabled) throw create('Error', 'ERR_INVALID_STATE', 'Invalid state: MockTimers is already enabled!');
    validateObject(options, 'options');
    const { apis = [...$.each(kept), 'Date', 'AbortSignal.timeout'], now = 0 } = options;
    this.#isEnabled = true;
    this.#now = +now;
    for (const api of $.each(apis)) {
      if (api === 'Date') {
        this.#mockDate();
      } else if ($.includes(kept, api)) {
        const make = { [api]: (callback, delay, ...args) => {
          validateFunction(callback, 'callback');
          return api === 'setImmediate' ? this.#start(callback, 0, delay === undefined ? args : [delay, ...$.each(args)], null)
            : this.#start(callback, delay, args, api === 'setInterval');
        } }[api];
        const stopName = $.text`clear${$.slice(api, 3)}`;
        const stop = { [stopName]: (timer) => this.#stop(timer) }[stopName];
        for (const object of $.each([$.globals.globalThis, require('timers')])) {
          this.#replace(object, api, make);
          this.#replace(object, stopName, stop);
        }
      } else if (api !== 'AbortSignal.timeout' && api !== 'scheduler.wait') {
        throw invalidArgValue('options.apis', api, $.text`option ${api} is not supported`);
      }
    }
  }
  #mockDate() {
    const Real = $.real.Date;
    const now = () => this.#now;
    /** @type {any} */
    const Mock = function Date(...args) {
      if (!new.target) return new Real(now()).toString();
      return Reflect.construct(Real, args.length === 0 ? [now()] : args, new.target === Mock ? Real : new.target);
    };
    for (const key of $.each(Reflect.ownKeys(Real))) {
      Object.defineProperty(Mock, key, Object.getOwnPropertyDescriptor(Real, key));
    }
    Mock.now = now;
    this.#replace($.globals.globalThis, 'Date', Mock);
  }
  #check() {
    if (!this.#isEnabled) {
      throw create('Error', 'ERR_INVALID_STATE',
        'Invalid state: You should enable MockTimers first by calling the .enable function');
    }
  }
  #runUntil(end) {
    for (;;) {
      const next = $.reduce(this.#timers, (first, one) => (first === undefined || one.at < first.at ? one : first), undefined);
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      if (next.every > 0) next.at += next.every;
      else this.#stop(next);
      next.callback(...$.each(next.args));
    }
  }
  tick(time = 1) {
    this.#check();
    if (time < 0) throw invalidArgValue('time', time, 'positive integer');
    const end = this.#now + time;
    this.#runUntil(end);
    this.#now = end;
  }
  runAll() {
    this.#check();
    this.tick($.reduce(this.#timers, (longest, timer) => Math.max(longest, timer.at - this.#now), /** @type {any} */ (0)));
  }
  setTime(time = 0) {
    this.#check();
    this.#now = time;
    this.#runUntil(time);
  }
  reset() {
    for (const undo of $.each($.reverse(this.#undo))) undo();
    this.#undo = [];
    this.#timers = [];
    this.#isEnabled = false;
  }
  [Symbol.dispose]() {
    this.reset();
  }
}

class MockTracker {
  #mocks = [];
  #timers;
  get timers() {
    return (this.#timers ??= new MockTimers());
  }
  fn(original = function () {}, implementation = original, options = { __proto__: null }) {
    if (original !== null && typeof original === 'object') ({ 0: original, 1: implementation, 2: options } =
      [function () {}, undefined, original]);
    else if (implementation !== null && typeof implementation === 'object') ({ 0: implementation, 1: options } =
      [original, implementation]);
    validateFunction(original, 'original');
    const { times } = /** @type {any} */ (options);
    if (times !== undefined) validateInteger(times, 'options.times', 1);
    const { made, context } = mocked(original, implementation ?? original, undefined, times);
    $.push(this.#mocks, context);
    return made;
  }
  method(object, name, implementation = undefined, options = { __proto__: null }) {
    if (implementation !== null && typeof implementation === 'object') ({ 0: implementation, 1: options } =
      [undefined, implementation]);
    const { getter = false, setter = false, times } = /** @type {any} */ (options);
    let holder = object;
    let found;
    while (holder !== null && holder !== undefined && found === undefined) {
      found = Object.getOwnPropertyDescriptor(holder, name);
      if (found === undefined) holder = Object.getPrototypeOf(holder);
    }
    const key = getter ? 'get' : setter ? 'set' : 'value';
    const original = found?.[key];
    if (typeof original !== 'function') {
      throw invalidArgValue('methodName', original, 'must be a method');
    }
    const wasOwn = Object.hasOwn(object, name);
    const restore = () => {
      if (wasOwn) Object.defineProperty(object, name, found);
      else delete object[name];
    };
    const { made, context } = mocked(original, implementation ?? original, restore, times);
    Object.defineProperty(object, name, { ...found, [key]: made, configurable: true });
    $.push(this.#mocks, context);
    return made;
  }
  getter(object, name, implementation, options) {
    return this.method(object, name, implementation ?? undefined, { ...options, getter: true });
  }
  setter(object, name, implementation, options) {
    return this.method(object, name, implementation ?? undefined, { ...options, setter: true });
  }
  module() {
    throw notImplemented('mock.module');
  }
  property() {
    throw notImplemented('mock.property');
  }
  reset() {
    this.restoreAll();
    this.#timers?.reset();
    this.#mocks = [];
  }
  restoreAll() {
    for (const context of $.each(this.#mocks)) context.restore();
  }
}
exports.MockTracker = MockTracker;
