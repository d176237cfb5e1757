// The `stack` of errors. Loaded before any script runs, so that nothing a script does to `Error` matters here.
const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect;
const { Error } = globalThis;
const { toString } = Error.prototype;
const { get } = getOwnPropertyDescriptor(Error.prototype, 'stack');
const limit = getOwnPropertyDescriptor(Error, 'stackTraceLimit');
const prepare = getOwnPropertyDescriptor(Error, 'prepareStackTrace');

// QuickJS leaves out the first line, `Name: message`. Whoever assigns `stack` is left alone.
defineProperty(Error.prototype, 'stack', {
  configurable: true, enumerable: false,
  set: { stack(value) {
    Object.defineProperty(this, 'stack', { value, writable: true, configurable: true, enumerable: false });
  } }.stack,
  get: { stack() {
    const frames = exports.frames(this);
    if (typeof frames !== 'string' || (frames !== '' && !frames.startsWith('    at '))) return frames;
    let head;
    try { head = apply(toString, this, []); } catch { head = 'Error'; }
    return frames === '' ? head : `${head}\n${frames.endsWith('\n') ? frames.slice(0, -1) : frames}`;
  } }.stack,
});

// The engine's own part of `stack`; or what `Error.prepareStackTrace` has made of it.
exports.frames = (error) => apply(get, error, []);

// Until the function is called that it returns, errors get the engine's own stacks, and no script is asked.
exports.keepPlain = () => {
  const before = [apply(limit.get, Error, []), apply(prepare.get, Error, [])];
  apply(limit.set, Error, [10]);
  apply(prepare.set, Error, [undefined]);
  return () => {
    apply(limit.set, Error, [before[0]]);
    apply(prepare.set, Error, [before[1]]);
  };
};
