// What the kinds of streams share (Streams Standard, §7 and §8): strategies, queues, promises and checks.
//
// An object's internal slots are in an object of their own, which its private field leads to. The algorithms work on
// those, so that nothing a script does to the objects reaches them; `object` leads back.
const { create, invalidArgType, invalidArgValue } = require('errors');
const { inspect } = require('lazy_inspect');
const { unserializable } = require('bytes');

exports.invalidState = (message) => create('TypeError', 'ERR_INVALID_STATE', $.text`Invalid state: ${message}`);
exports.invalidThis = (name) =>
  create('TypeError', 'ERR_INVALID_THIS', $.text`Value of "this" must be of type ${name}`);
exports.illegalConstructor = () => create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
// Given to a constructor together with slots.
exports.secret = Symbol('secret');
exports.nop = (..._args) => {};
const { nop } = exports;

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
exports.isObject = isObject;
/** WebIDL's conversion to a dictionary, of which nothing is read yet. */
exports.dictionary = (value, name) => {
  if (value === undefined || value === null) return { __proto__: null };
  if (!isObject(value)) throw invalidArgType(name, 'of type object', value);
  return value;
};
/** An argument whose type is `object`. */
exports.optionalObject = (value, name) => {
  if (value !== undefined && !isObject(value)) throw invalidArgType(name, 'of type object', value);
  return value ?? { __proto__: null };
};
/** A member that is a callback function. */
exports.callback = (dictionary, key, name) => {
  const call = dictionary[key];
  if (call !== undefined && typeof call !== 'function') {
    throw invalidArgType($.text`${name}.${key}`, 'of type function', call);
  }
  return call;
};
/** Calls a script's function; the result as a promise, also of what it throws. */
exports.promiseCall = (call, self, ...args) => {
  try {
    return $.resolved(Reflect.apply(call, self, args));
  } catch (error) {
    return $.rejected(error);
  }
};
/** WebIDL's `[EnforceRange] unsigned long long`. */
exports.enforceRange = (value, name) => {
  const number = +value;
  const whole = Math.trunc(number) || 0;
  if (!Number.isFinite(number) || whole < 0 || whole > 2 ** 53 - 1) throw invalidArgValue(name, value);
  return whole;
};
exports.needArgs = (given, needed, name) => {
  if (given < needed) {
    throw create('TypeError', 'ERR_MISSING_ARGS', $.text`The "${name}" argument must be specified`);
  }
};

// Promises whose rejection is not reported.
exports.markHandled = (promise) => {
  $.then(promise, undefined, nop);
  return promise;
};
exports.handledRejection = (error) => exports.markHandled($.rejected(error));
/** A promise that is settled from outside, and whether it is pending. */
exports.pending = () => {
  const { promise, resolve, reject } = $.withResolvers();
  const made = {
    promise, isPending: true,
    resolve(value = undefined) {
      made.isPending = false;
      resolve(value);
    },
    reject(error) {
      made.isPending = false;
      reject(error);
    },
  };
  return made;
};
/** The same, settled already. */
exports.resolvedDeferred = () => ({ promise: $.resolved(), isPending: false, resolve: nop, reject: nop });
exports.rejectedDeferred = (error) =>
  ({ promise: exports.handledRejection(error), isPending: false, resolve: nop, reject: nop });
/** A deferred promise whose rejection is not reported. */
exports.deferred = () => {
  const made = $.withResolvers();
  exports.markHandled(made.promise);
  return made;
};

// A queue in which taking out the first does not move the others.
exports.Queue = class Queue {
  length = 0;
  #first = undefined;
  #last = undefined;
  get first() {
    return this.#first?.value;
  }
  push(value) {
    const entry = { value, next: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.length += 1;
  }
  shift() {
    const entry = this.#first;
    if (entry === undefined) return undefined;
    this.#first = entry.next;
    if (this.#first === undefined) this.#last = undefined;
    this.length -= 1;
    return entry.value;
  }
  /** Takes out all. */
  drain() {
    const values = [];
    while (this.length > 0) $.push(values, this.shift());
    return values;
  }
};

// §8.1, queue-with-sizes. `container` has `queue` and `queueTotalSize`.
exports.ResetQueue = (container) => {
  container.queue = new exports.Queue();
  container.queueTotalSize = 0;
};
exports.EnqueueValueWithSize = (container, value, size) => {
  if (typeof size !== 'number' || !(size >= 0) || size === 1 / 0) throw invalidSize(size);
  container.queue.push({ value, size });
  container.queueTotalSize += size;
};
const invalidSize = (size) =>
  create('RangeError', 'ERR_INVALID_ARG_VALUE', $.text`The argument 'size' is invalid. Received ${inspect(size)}`);
exports.DequeueValue = (container) => {
  const { value, size } = container.queue.shift();
  container.queueTotalSize -= size;
  if (container.queueTotalSize < 0) container.queueTotalSize = 0;
  return value;
};

// §7.3. `strategy` has been converted by `strategyOf`.
exports.strategyOf = (value, name = 'strategy') => {
  const strategy = exports.dictionary(value, name);
  const { highWaterMark } = strategy;
  const mark = highWaterMark === undefined ? undefined : +highWaterMark;
  return { highWaterMark: mark, size: exports.callback(strategy, 'size', name) };
};
exports.ExtractHighWaterMark = ({ highWaterMark }, byDefault) => {
  if (highWaterMark === undefined) return byDefault;
  if (!(highWaterMark >= 0)) {
    throw create('RangeError', 'ERR_INVALID_ARG_VALUE',
      $.text`The property 'strategy.highWaterMark' is invalid. Received ${inspect(highWaterMark)}`);
  }
  return highWaterMark;
};
exports.ExtractSizeAlgorithm = ({ size }) =>
  (size === undefined ? () => 1 : (chunk) => +Reflect.apply(size, undefined, [chunk]));

// How node:stream looks into a stream of a class. `slotsOf` returns the slots of its objects; `asks` are by the ends of
// the symbols' names.
exports.forNode = (Class, slotsOf, asks) => {
  for (const { 0: key, 1: ask } of $.each(Object.entries(asks))) {
    Object.defineProperty(Class.prototype, $.symbolFor($.text`nodejs.stream.${key}`), {
      configurable: true, get() {
        return ask(slotsOf(this));
      },
    });
  }
};
// Gives a class what WebIDL asks of an interface: enumerable members, a tag, and how it is printed.
exports.asInterface = (Class, show = undefined) => {
  const { prototype, name } = Class;
  for (const key of $.each(Object.getOwnPropertyNames(prototype))) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  unserializable.add(prototype);
  if (show === undefined) return;
  Object.defineProperty(prototype, inspect.custom, {
    configurable: true, writable: true,
    value: { /** @this {any} */ inspect(depth, options) {
      if (depth < 0) return this;
      const inner = { ...options, depth: options.depth === null ? null : options.depth - 1 };
      return $.text`${name} ${inspect(show(this), inner)}`;
    } }.inspect,
  });
};
