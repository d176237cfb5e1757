// The stores that AsyncLocalStorage gives to what a call starts: a frame is a map from storages to their stores, never
// changed once it is current. Whatever calls a function later keeps the frame of now and calls it in that.
let current;

exports.current = () => current;
exports.isUsed = () => current !== undefined;
/** Makes a frame current and returns the one before. */
exports.exchange = (frame) => {
  const before = current;
  current = frame;
  return before;
};
/** A frame that differs in one store. */
exports.withStore = (frame, storage, store) => {
  const made = new Map();
  if (frame !== undefined) for (const { 0: key, 1: value } of $.each(frame)) made.set(key, value);
  made.set(storage, store);
  return made;
};
exports.runIn = (frame, call, self, args) => {
  const before = current;
  current = frame;
  try {
    return Reflect.apply(call, self, args);
  } finally {
    current = before;
  }
};
/** A function that runs in the frame of now; the function itself if there is none. */
exports.bound = (call) => {
  const frame = current;
  if (frame === undefined) return call;
  /** @this {unknown} */
  return function (...args) {
    return exports.runIn(frame, call, this, args);
  };
};

// Timers, ticks and promises keep the frame only once there is one to keep.
let isWatching = false;
exports.watch = () => {
  if (isWatching) return;
  isWatching = true;
  require('timers').setContext({ current: exports.current, runIn: exports.runIn });
  const { process } = /** @type {any} */ (require('process'));
  const { nextTick } = process;
  process.nextTick = { nextTick(callback, ...args) {
    Reflect.apply(nextTick, process, [
      typeof callback === 'function' ? exports.bound(callback) : callback, ...$.each(args),
    ]);
  } }.nextTick;
  const original = $.pristine['Promise.prototype'].then;
  /** @type {any} */
  const { then } = { then(fulfilled, rejected) {
    const bind = (handler) => (typeof handler === 'function' ? exports.bound(handler) : handler);
    return Reflect.apply(original, this, [bind(fulfilled), bind(rejected)]);
  } };
  const { prototype } = $.real.Promise;
  Object.defineProperty(prototype, 'then', { value: then, writable: true, enumerable: false, configurable: true });
};
