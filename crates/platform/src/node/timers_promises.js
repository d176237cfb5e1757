// node:timers/promises.
const timers = require('timers');

const aborted = (signal) => signal?.reason !== undefined && signal.reason.name !== 'AbortError'
  ? Object.assign(
    new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' })
  : Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' });
const wait = (start, stop, value, options = { __proto__: null }) => new Promise((resolve, reject) => {
  const { signal, ref = true } = options;
  if (signal?.aborted) {
    reject(aborted(signal));
    return;
  }
  const onAbort = () => {
    stop(handle);
    reject(aborted(signal));
  };
  const handle = start(() => {
    signal?.removeEventListener('abort', onAbort);
    resolve(value);
  });
  if (!ref) handle.unref();
  signal?.addEventListener('abort', onAbort, { __proto__: null, once: true });
});

exports.setTimeout = (delay, value, options) =>
  wait((done) => timers.setTimeout(done, delay), timers.clearTimeout, value, options);
exports.setImmediate = (value, options) => wait(timers.setImmediate, timers.clearImmediate, value, options);
exports.setInterval = async function* setInterval(delay, value, options) {
  while (true) yield await $.awaited(exports.setTimeout(delay, value, options));
};
exports.scheduler = {
  wait: (delay, options) => exports.setTimeout(delay, undefined, options),
  yield: () => exports.setImmediate(),
};
