// The `stack` of errors. Loaded before any script runs, so that nothing a script does to `Error` matters here.
const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect;
const { Error } = globalThis;
const { toString } = Error.prototype;
const { endsWith, slice, startsWith } = String.prototype;
const { get } = getOwnPropertyDescriptor(Error.prototype, 'stack');
const limit = getOwnPropertyDescriptor(Error, 'stackTraceLimit');
const prepare = getOwnPropertyDescriptor(Error, 'prepareStackTrace');

// QuickJS leaves out the first line, `Name: message`. A `stack` that somebody has assigned stays as it is.
defineProperty(Error.prototype, 'stack', {
  configurable: true, enumerable: false,
  set: { stack(value) {
    defineProperty(this, 'stack', { __proto__: null, value, writable: true, configurable: true, enumerable: false });
  } }.stack,
  get: { stack() {
    const frames = exports.frames(this);
    if (typeof frames !== 'string' || (frames !== '' && !apply(startsWith, frames, ['    at ']))) return frames;
    let head;
    try { head = apply(toString, this, []); } catch { head = 'Error'; }
    if (frames === '') return head;
    return head + '\n' + (apply(endsWith, frames, ['\n']) ? apply(slice, frames, [0, -1]) : frames);
  } }.stack,
});

// The engine keeps a reference to whatever is assigned, never releases it, and calls an object's `valueOf` whenever an
// error is made. So it only gets numbers; without a number there are no frames, as in V8. A subclass gets a property of
// its own.
let stackTraceLimit = apply(limit.get, Error, []);
defineProperty(Error, 'stackTraceLimit', {
  ...limit,
  get: { stackTraceLimit() { return stackTraceLimit; } }.stackTraceLimit,
  set: { stackTraceLimit(value) {
    if (/** @type {unknown} */ (this) !== Error) {
      const own = { __proto__: null, value, writable: true, enumerable: true, configurable: true };
      defineProperty(this, 'stackTraceLimit', own);
      return;
    }
    stackTraceLimit = value;
    apply(limit.set, Error, [typeof value === 'number' ? value : 0]);
  } }.stackTraceLimit,
});

const { get: getStack } = getOwnPropertyDescriptor(Error.prototype, 'stack');
const shared = getOwnPropertyDescriptor(Error.prototype, 'stack');
// Gives the errors of another context the same.
exports.share = (prototype) => defineProperty(prototype, 'stack', shared);
exports.stackOf = (error) => apply(getStack, error, []);

// The lines of an error's stack, without those of a function and what it called, if there is one.
const { captureStackTrace } = /** @type {any} */ (Error);
exports.framesAbove = (error, caller) => {
  let frames;
  if (typeof caller === 'function') {
    const holder = { stack: undefined };
    apply(captureStackTrace, Error, [holder, caller]);
    frames = holder.stack;
  } else {
    frames = exports.frames(error);
  }
  if (typeof frames !== 'string' || !apply(startsWith, frames, ['    at '])) return '';
  return apply(endsWith, frames, ['\n']) ? apply(slice, frames, [0, -1]) : frames;
};

// The engine's own part of `stack`, or what `Error.prepareStackTrace` has made of it.
exports.frames = (error) => apply(get, error, []);

// Until the returned function is called, errors get the engine's own stacks, and no script is called.
exports.keepPlain = () => {
  const before = [apply(limit.get, Error, []), apply(prepare.get, Error, [])];
  apply(limit.set, Error, [10]);
  apply(prepare.set, Error, [undefined]);
  return () => {
    apply(limit.set, Error, [before[0]]);
    apply(prepare.set, Error, [before[1]]);
  };
};
