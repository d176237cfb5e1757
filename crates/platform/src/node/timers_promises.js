// node:timers/promises.
const timers = require('timers');
const { abortError, create } = require('errors');
const { validateAbortSignal, validateBoolean, validateNumber, validateObject } = require('validators');

/** Checks the options that all of the functions have. */
const check = (options) => {
  validateObject(options, 'options');
  const { signal, ref = true } = options;
  validateAbortSignal(signal, 'options.signal');
  validateBoolean(ref, 'options.ref');
  return { signal, ref };
};
/** A promise for what a timer calls; `start` makes the timer. */
const wait = (start, stop, value, { signal, ref }) => {
  if (signal?.aborted) return $.rejected(abortError(signal.reason));
  const { promise, resolve, reject } = $.withResolvers();
  const onAbort = () => {
    stop(handle);
    reject(abortError(signal.reason));
  };
  const handle = start(() => {
    signal?.removeEventListener('abort', onAbort);
    resolve(value);
  });
  if (!ref) handle.unref();
  signal?.addEventListener('abort', onAbort, { __proto__: null, once: true });
  return promise;
};

function setTimeout(delay, value, options = { __proto__: null }) {
  try {
    if (delay !== undefined) validateNumber(delay, 'delay');
    return wait((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, check(options));
  } catch (error) {
    return $.rejected(error);
  }
}
function setImmediate(value, options = { __proto__: null }) {
  try {
    return wait(timers.setImmediate, timers.clearImmediate, value, check(options));
  } catch (error) {
    return $.rejected(error);
  }
}
async function* setInterval(after, value, options = { __proto__: null }) {
  if (after !== undefined) validateNumber(after, 'delay');
  const { signal, ref } = check(options);
  if (signal?.aborted) throw abortError(signal.reason);
  // Ticks that nobody has waited for are given out at once.
  let ticks = 0;
  let wake;
  const onTick = () => {
    ticks++;
    wake?.();
  };
  const handle = timers.setInterval(onTick, after);
  if (!ref) handle.unref();
  const onAbort = () => {
    timers.clearInterval(handle);
    wake?.();
  };
  signal?.addEventListener('abort', onAbort, { __proto__: null, once: true });
  try {
    while (!signal?.aborted) {
      if (ticks === 0) {
        await $.awaited(new Promise((resolve) => {
          wake = resolve;
        }));
      }
      for (; ticks > 0; ticks--) yield value;
    }
    throw abortError(signal.reason);
  } finally {
    timers.clearInterval(handle);
    signal?.removeEventListener('abort', onAbort);
  }
}

const secret = Symbol();
class Scheduler {
  constructor(key) {
    if (key !== secret) throw create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
  }
  yield() {
    isScheduler(this);
    return setImmediate();
  }
  wait(delay, options = undefined) {
    isScheduler(this);
    return setTimeout(delay, undefined, options);
  }
}
const isScheduler = (it) => {
  if (!(it instanceof Scheduler)) throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type Scheduler');
};
exports['timers/promises'] = { setTimeout, setImmediate, setInterval, scheduler: new Scheduler(secret) };
Object.assign(exports, exports['timers/promises']);
