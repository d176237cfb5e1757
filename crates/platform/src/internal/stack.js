// The `stack` of errors. Loaded before any script runs, so that nothing a script does to `Error` matters here.
const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { Error } = globalThis;
const { toString } = Error.prototype;
const { endsWith, slice, startsWith } = String.prototype;
const { get } = getOwnPropertyDescriptor(Error.prototype, 'stack');
const limit = getOwnPropertyDescriptor(Error, 'stackTraceLimit');
const prepare = getOwnPropertyDescriptor(Error, 'prepareStackTrace');

const isPlain = (frames) => typeof frames === 'string' && (frames === '' || apply(startsWith, frames, ['    at ']));
const withoutEnd = (frames) => apply(endsWith, frames, ['\n']) ? apply(slice, frames, [0, -1]) : frames;

// QuickJS leaves out the first line, `Name: message`.
const withHead = (error, frames) => {
  let head;
  try { head = apply(toString, error, []); } catch { head = 'Error'; }
  return frames === '' ? head : head + '\n' + withoutEnd(frames);
};

// A `stack` that somebody has assigned stays as it is.
const stackAccessor = {
  __proto__: null, configurable: true, enumerable: false,
  set: { stack(value) {
    defineProperty(this, 'stack', { __proto__: null, value, writable: true, configurable: true, enumerable: false });
  } }.stack,
  get: { stack() {
    const frames = exports.frames(this);
    return isPlain(frames) ? withHead(this, frames) : frames;
  } }.stack,
};

const { captureStackTrace } = /** @type {any} */ (Error);
const capture = { captureStackTrace(error, caller) {
  apply(captureStackTrace, Error, [error, typeof caller === 'function' ? caller : capture]);
  if (typeof apply(prepare.get, Error, []) === 'function') return;
  const found = getOwnPropertyDescriptor(error, 'stack');
  if (isPlain(found?.value)) defineProperty(error, 'stack', { ...found, value: withHead(error, found.value) });
} }.captureStackTrace;

// Lets the errors of a new context have stacks as those of this one do.
exports.complete = (constructor) => {
  defineProperty(constructor.prototype, 'stack', stackAccessor);
  defineProperty(constructor, 'captureStackTrace', {
    __proto__: null, value: capture, writable: true, configurable: true, enumerable: false,
  });
};
exports.complete(Error);

// What V8's call sites have and QuickJS's have not. They get it when a script first wants to see one.
let isCompleted = false;
const completeCallSites = () => {
  isCompleted = true;
  const methods = {
    __proto__: null,
    getThis() {}, getTypeName() { return null; }, getMethodName() { return null; }, getEvalOrigin() {},
    getScriptNameOrSourceURL() { return this.getFileName(); }, getScriptHash() { return ''; },
    getEnclosingLineNumber() { return this.getLineNumber(); },
    getEnclosingColumnNumber() { return this.getColumnNumber(); },
    getPosition() { return 0; }, getPromiseIndex() { return null; },
    isToplevel() { return true; }, isEval() { return false; }, isAsync() { return false; },
    isPromiseAll() { return false; },
    toString() {
      const name = this.getFunctionName();
      let place = 'native';
      if (!this.isNative()) {
        place = this.getFileName() ?? '<anonymous>';
        const line = this.getLineNumber();
        if (line !== null) place += ':' + line + ':' + this.getColumnNumber();
      }
      if (!name) return place;
      return (this.isConstructor() ? 'new ' : '') + name + ' (' + place + ')';
    },
  };
  const restore = exports.keepPlain();
  let site;
  try {
    apply(prepare.set, Error, [(_, sites) => { site = sites[0]; }]);
    apply(captureStackTrace, Error, [{}]);
  } finally {
    restore();
  }
  const prototype = getPrototypeOf(site);
  for (const name in methods) {
    defineProperty(prototype, name, {
      __proto__: null, value: methods[name], writable: true, configurable: true, enumerable: false,
    });
  }
};
defineProperty(Error, 'prepareStackTrace', {
  ...prepare,
  set: { prepareStackTrace(value) {
    if (typeof value === 'function' && !isCompleted) completeCallSites();
    apply(prepare.set, this, [value]);
  } }.prepareStackTrace,
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
exports.stackOf = (error) => apply(getStack, error, []);

// The lines of an error's stack, without those of a function and what it called, if there is one.
exports.framesAbove = (error, caller) => {
  let frames;
  if (typeof caller === 'function') {
    const holder = { stack: undefined };
    apply(captureStackTrace, Error, [holder, caller]);
    frames = holder.stack;
  } else {
    frames = exports.frames(error);
  }
  return isPlain(frames) ? withoutEnd(frames) : '';
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
