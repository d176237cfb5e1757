// The methods that Readable has in common with iterators.
const { abortError, create, outOfRange } = require('errors');
const { validateAbortSignal, validateFunction, validateInteger, validateObject } = require('validators');
const { errors, nop } = require('stream_shared');
const { finished } = require('stream_finished');
const isSet = (value) => value !== undefined && value !== null;

const check = (options) => {
  if (isSet(options)) validateObject(options, 'options');
  if (isSet(options?.signal)) validateAbortSignal(options.signal, 'options.signal');
};
const checkAbort = (signal) => {
  if (signal?.aborted) throw abortError();
};
const signalOf = (options) => {
  const { any } = require('abort');
  return any(options?.signal ? [options.signal] : []);
};
const count = (value) => {
  const number = Number(value);
  if (Number.isNaN(number)) return 0;
  if (number < 0) throw outOfRange('number', '>= 0', number);
  return number;
};

// What a call of `map` leaves out.
const NOTHING = Symbol('nothing');
/** Calls `call` for several items at once; the results come in the order of the items. */
async function* mapped(stream, call, options, concurrency, highWaterMark) {
  const signal = signalOf(options);
  const argument = { signal };
  // Promises, of which the last is undefined.
  const queue = [];
  let running = 0;
  let isOver = false;
  let wakeReader = nop;
  let wakePump = nop;
  const resume = () => {
    if (isOver || running >= concurrency || queue.length >= highWaterMark) return;
    const wake = wakePump;
    wakePump = nop;
    wake();
  };
  const settled = () => {
    running -= 1;
    resume();
  };
  const failed = () => {
    isOver = true;
    settled();
  };
  const add = (promise) => {
    $.push(queue, promise);
    const wake = wakeReader;
    wakeReader = nop;
    wake();
  };
  const pump = async () => {
    try {
      for await (const item of $.each(stream)) {
        if (isOver) return;
        checkAbort(signal);
        let promise;
        try {
          const result = call(item, argument);
          if (result === NOTHING) continue;
          promise = $.awaited(result);
        } catch (error) {
          promise = $.rejected(error);
        }
        running += 1;
        $.then(promise, settled, failed);
        add(promise);
        if (!isOver && (queue.length >= highWaterMark || running >= concurrency)) {
          await $.awaited(new Promise((resolve) => (wakePump = resolve)));
        }
      }
      add(undefined);
    } catch (error) {
      const promise = $.rejected(error);
      $.then(promise, nop, nop);
      isOver = true;
      add(promise);
    } finally {
      isOver = true;
    }
  };
  pump();
  try {
    while (true) {
      while (queue.length > 0) {
        if (queue[0] === undefined) return;
        const result = await $.awaited(queue[0]);
        checkAbort(signal);
        if (result !== NOTHING) yield result;
        $.shift(queue);
        resume();
      }
      await $.awaited(new Promise((resolve) => (wakeReader = resolve)));
    }
  } finally {
    isOver = true;
    wakePump();
  }
}
const map = (stream, call, options) => {
  validateFunction(call, 'fn');
  check(options);
  const concurrency = isSet(options?.concurrency) ? Math.floor(options.concurrency) : 1;
  const mark = isSet(options?.highWaterMark) ? Math.floor(options.highWaterMark) : concurrency - 1;
  validateInteger(concurrency, 'options.concurrency', 1);
  validateInteger(mark, 'options.highWaterMark', 0);
  return mapped(stream, call, options, concurrency, mark + concurrency);
};
const filter = (stream, call, options) => {
  validateFunction(call, 'fn');
  return map(stream, async (item, argument) => (await $.awaited(call(item, argument)) ? item : NOTHING), options);
};
async function* flattened(lists) {
  for await (const list of $.each(lists)) {
    for await (const item of $.each(list)) yield item;
  }
}
async function* dropped(stream, number, signal) {
  checkAbort(signal);
  for await (const item of $.each(stream)) {
    checkAbort(signal);
    if (number-- <= 0) yield item;
  }
}
async function* taken(stream, number, signal) {
  checkAbort(signal);
  for await (const item of $.each(stream)) {
    checkAbort(signal);
    if (number-- > 0) yield item;
    // Nothing more is asked of the stream.
    if (number <= 0) return;
  }
}

/** @type {Record<string, Function> & ThisType<any>} */
const returningStreams = {
  drop(number, options = undefined) {
    check(options);
    return dropped(this, count(number), options?.signal);
  },
  filter(fn, options) {
    return filter(this, fn, options);
  },
  flatMap(fn, options) {
    return flattened(map(this, fn, options));
  },
  map(fn, options) {
    return map(this, fn, options);
  },
  take(number, options = undefined) {
    check(options);
    return taken(this, count(number), options?.signal);
  },
};
/** @type {Record<string, Function> & ThisType<any>} */
const returningPromises = {
  async every(fn, options = undefined) {
    validateFunction(fn, 'fn');
    const fails = async (...args) => !(await $.awaited(fn(...$.each(args))));
    for await (const _item of $.each(filter(this, fails, options))) return false;
    return true;
  },
  async forEach(fn, options) {
    validateFunction(fn, 'fn');
    const call = async (item, argument) => {
      await $.awaited(fn(item, argument));
      return NOTHING;
    };
    const iterator = map(this, call, options);
    while (!(await $.awaited(iterator.next())).done);
  },
  async reduce(reducer, initialValue, options) {
    validateFunction(reducer, 'reducer');
    check(options);
    let hasValue = arguments.length > 1;
    let value = initialValue;
    if (options?.signal?.aborted) {
      const error = abortError(options.signal.reason);
      this.once('error', nop);
      await $.awaited(new Promise((resolve) => finished(this.destroy(error), () => resolve())));
      throw error;
    }
    const controller = new (require('abort').AbortController)();
    options?.signal?.addEventListener('abort', () => controller.abort(), { __proto__: null, once: true });
    try {
      for await (const item of $.each(this)) {
        checkAbort(options?.signal);
        if (hasValue) value = await $.awaited(reducer(value, item, { signal: controller.signal }));
        else value = item;
        hasValue = true;
      }
      if (!hasValue) {
        throw create('TypeError', 'ERR_MISSING_ARGS', 'Reduce of an empty stream requires an initial value');
      }
    } finally {
      controller.abort();
    }
    return value;
  },
  async toArray(options) {
    check(options);
    const items = [];
    for await (const item of $.each(this)) {
      if (options?.signal?.aborted) throw abortError(options.signal.reason);
      $.push(items, item);
    }
    return items;
  },
  async some(fn, options = undefined) {
    for await (const _item of $.each(filter(this, fn, options))) return true;
    return false;
  },
  async find(fn, options) {
    for await (const item of $.each(filter(this, fn, options))) return item;
    return undefined;
  },
};

/** Gives Readable the methods. */
exports.install = (Readable) => {
  const add = (methods, wrap) => {
    for (const name of $.each(Object.keys(methods))) {
      const method = methods[name];
      /** @this {any} */
      const called = function (...args) {
        if (new.target) throw errors.illegalConstructor();
        return wrap(Reflect.apply(method, this, args));
      };
      Object.defineProperty(called, 'name', { value: name });
      Object.defineProperty(called, 'length', { value: method.length });
      Object.defineProperty(Readable.prototype, name, { value: called, writable: true, configurable: true });
    }
  };
  add(returningStreams, (iterator) => Readable.from(iterator));
  add(returningPromises, (promise) => promise);
};
