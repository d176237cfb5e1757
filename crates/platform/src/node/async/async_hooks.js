// node:async_hooks.
const context = require('async_context');
const { create, invalidArgType } = require('errors');
const { validateFunction, validateObject, validateString } = require('validators');

class AsyncLocalStorage {
  #default;
  #name;
  constructor(options = { __proto__: null }) {
    validateObject(options, 'options');
    this.#default = options.defaultValue;
    if (options.name !== undefined) this.#name = $.text`${options.name}`;
  }
  static bind(fn) {
    return AsyncResource.bind(fn);
  }
  static snapshot() {
    return AsyncLocalStorage.bind((callback, ...args) => callback(...$.each(args)));
  }
  get name() {
    return this.#name || '';
  }
  disable() {
    const frame = context.current();
    if (frame?.has(this)) context.exchange(context.withStoreOf(frame, this, undefined));
  }
  enterWith(store) {
    context.watch();
    context.exchange(context.withStore(context.current(), this, store));
    context.untilReturn();
  }
  run(store, callback, ...args) {
    if (Object.is(this.getStore(), store)) return Reflect.apply(callback, null, args);
    context.watch();
    const before = context.current();
    const frame = context.withStore(before, this, store);
    context.exchange(frame);
    try {
      return Reflect.apply(callback, null, args);
    } finally {
      // What was entered of other storages meanwhile stays.
      const after = context.exchange(before);
      if (after !== frame) context.exchange(context.withStoreOf(after, this, before));
    }
  }
  exit(callback, ...args) {
    return this.run(undefined, callback, ...$.each(args));
  }
  getStore() {
    const frame = context.current();
    return frame?.has(this) ? frame.get(this) : this.#default;
  }
  withScope(store) {
    const before = context.current();
    this.enterWith(store);
    let isOpen = true;
    return { [Symbol.dispose]() {
      if (isOpen) context.exchange(before);
      isOpen = false;
    } };
  }
}

// Node numbers what goes on; here, only resources that scripts make have numbers.
let lastId = 1;
let execution = { id: 1, trigger: 0, resource: {} };
class AsyncResource {
  #id;
  #trigger;
  #frame = context.current();
  /** @param {any} options */
  constructor(type, options = { __proto__: null }) {
    validateString(type, 'type');
    let trigger = options;
    if (typeof options !== 'number') {
      trigger = options.triggerAsyncId ?? execution.id;
      const { requireManualDestroy } = options;
      if (requireManualDestroy !== undefined && typeof requireManualDestroy !== 'boolean') {
        throw invalidArgType('options.requireManualDestroy', 'of type boolean', requireManualDestroy);
      }
    }
    if (!Number.isInteger(trigger) || trigger < -1) {
      throw create('RangeError', 'ERR_INVALID_ASYNC_ID', $.text`Invalid triggerAsyncId value: ${trigger}`);
    }
    if (type.length === 0) {
      throw create('TypeError', 'ERR_ASYNC_TYPE', $.text`Invalid name for async "type": ${type}`);
    }
    this.#id = ++lastId;
    this.#trigger = trigger;
  }
  runInAsyncScope(fn, thisArg, ...args) {
    const before = execution;
    execution = { id: this.#id, trigger: this.#trigger, resource: this };
    try {
      return context.runIn(this.#frame, fn, thisArg, args);
    } finally {
      execution = before;
    }
  }
  emitDestroy() {
    return this;
  }
  asyncId() {
    return this.#id;
  }
  triggerAsyncId() {
    return this.#trigger;
  }
  bind(fn, thisArg) {
    validateFunction(fn, 'fn');
    const resource = this;
    /** @this {unknown} */
    const bound = function (...args) {
      return resource.runInAsyncScope(fn, thisArg === undefined ? this : thisArg, ...$.each(args));
    };
    Object.defineProperties(bound, {
      length: { value: fn.length, writable: false, enumerable: false, configurable: true },
    });
    return bound;
  }
  /**
   * @param {Function} fn
   * @param {string} [type]
   * @param {unknown} [thisArg]
   */
  static bind(fn, type, thisArg) {
    type ||= fn.name || 'bound-anonymous-fn';
    return new AsyncResource(type).bind(fn, thisArg);
  }
}

class AsyncHook {
  enable() {
    return this;
  }
  disable() {
    return this;
  }
}
// What Node calls for each asynchronous operation is never called: there is nothing in the engine that would tell.
function createHook(callbacks) {
  for (const name of $.each(['init', 'before', 'after', 'destroy', 'promiseResolve'])) {
    if (callbacks[name] !== undefined && typeof callbacks[name] !== 'function') {
      throw create('TypeError', 'ERR_ASYNC_CALLBACK', $.text`hook.${name} must be a function`);
    }
  }
  return new AsyncHook();
}

exports.AsyncLocalStorage = AsyncLocalStorage;
exports.createHook = createHook;
exports.executionAsyncId = function executionAsyncId() {
  return execution.id;
};
exports.triggerAsyncId = function triggerAsyncId() {
  return execution.trigger;
};
exports.executionAsyncResource = function executionAsyncResource() {
  return execution.resource;
};
exports.asyncWrapProviders = Object.freeze({ __proto__: null, NONE: 0 });
exports.AsyncResource = AsyncResource;
