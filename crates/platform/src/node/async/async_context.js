// The stores that AsyncLocalStorage gives to what a call starts: a frame is a map from storages to their stores, never
// changed once it is current. Whatever calls a function later keeps the frame of now and calls it in that.
/**
 * What Rust provides.
 * @type {{
 *   watchAwaits(started: Function, enter: Function, leave: Function, asyncFunction: Function, asyncGenerator: object): boolean,
 *   bindContinuations(bind: Function): void,
 *   queueMicrotask(callback: () => void): void,
 * }}
 */
const native = rust;
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
/** A frame that has of one storage what another frame has. */
exports.withStoreOf = (frame, storage, other) => {
  const made = exports.withStore(frame, storage, other?.get(storage));
  if (!other?.has(storage)) made.delete(storage);
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
/** A function that runs in the frame of now. */
const bound = (call) => {
  const frame = current;
  /** @this {unknown} */
  return function (...args) {
    return exports.runIn(frame, call, this, args);
  };
};
/** Forgets the frame of now when the script that runs has returned to the event loop. */
exports.untilReturn = () => native.queueMicrotask(() => {
  current = undefined;
});

// The frames in which async functions, by their promises, and async generators have stopped.
const stopped = new WeakMap();
const keep = (what) => {
  if (current !== undefined) stopped.set(what, current);
  else if (stopped.has(what)) stopped.delete(what);
};
const enter = (what) => {
  const before = current;
  current = stopped.get(what);
  return before;
};
const leave = (what, before) => {
  keep(what);
  current = before;
};
const watchGenerators = (prototype) => {
  for (const name of $.each(['next', 'return', 'throw'])) {
    const original = prototype[name];
    const { [name]: method } = { [name](value) {
      const promise = Reflect.apply(original, this, arguments.length === 0 ? [] : [value]);
      if (typeof this === 'object' && this !== null) keep(this);
      return promise;
    } };
    Object.defineProperty(prototype, name, { value: method, writable: true, enumerable: false, configurable: true });
  }
};

// Frames are kept only once there is one to keep.
let isWatching = false;
exports.watch = () => {
  if (isWatching) return;
  isWatching = true;
  $.setBound(bound);
  native.bindContinuations(bound);
  require('timers').setContext({ current: exports.current, runIn: exports.runIn });
  const { process } = /** @type {any} */ (require('process'));
  const { nextTick } = process;
  process.nextTick = { nextTick(callback, ...args) {
    Reflect.apply(nextTick, process, [typeof callback === 'function' ? bound(callback) : callback, ...$.each(args)]);
  } }.nextTick;
  const original = $.pristine['Promise.prototype'].then;
  /** @type {any} */
  const { then } = { then(fulfilled, rejected) {
    const bind = (handler) => (typeof handler === 'function' ? bound(handler) : handler);
    return Reflect.apply(original, this, [bind(fulfilled), bind(rejected)]);
  } };
  const { prototype } = $.real.Promise;
  Object.defineProperty(prototype, 'then', { value: then, writable: true, enumerable: false, configurable: true });
  const generator = (async function* () {})();
  native.watchAwaits(keep, enter, leave, async () => {}, generator);
  watchGenerators(Object.getPrototypeOf(Object.getPrototypeOf(generator)));
};
