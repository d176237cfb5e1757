// Signals: listeners of `process`, and `process.kill`.
/**
 * What Rust provides.
 * @type {{
 *   listen(signal: number, call: (...given: any[]) => void): number,
 *   unlisten(signal: number, id: number): void,
 *   kill(process: number, signal: number): number,
 * }}
 */
const native = rust;
const { create, invalidArgType } = require('errors');
const { signals } = require('os_constants').constants;

/** The number of a signal, by name or number. */
exports.toSignal = (signal) => {
  if (typeof signal === 'number' && $.includes(Object.values(signals), signal)) return signal;
  if (typeof signal === 'string') {
    const found = signals[signal] ?? signals[$.toUpperCase(signal)];
    if (found !== undefined) return found;
  }
  throw create('TypeError', 'ERR_UNKNOWN_SIGNAL', $.text`Unknown signal: ${signal}`);
};
exports.nameOf = (number) => $.find(Object.keys(signals), (name) => signals[name] === number) ?? null;

exports.kill = (pid, signal) => {
  // eslint-disable-next-line eqeqeq
  if (pid != (pid | 0)) throw invalidArgType('pid', 'of type number', pid);
  const number = typeof signal === 'number' ? signal : exports.toSignal(signal ?? 'SIGTERM');
  const error = native.kill(pid | 0, number);
  if (error !== 0) throw require('fs_errors').errnoException(error, 'kill');
  return true;
};

// Follows what scripts listen for, from the first signal on.
exports.follow = (process, first) => {
  const listening = new Map();
  const begin = (name) => {
    if (typeof name !== 'string' || !$.startsWith(name, 'SIG') || listening.has(name)) return;
    const number = signals[name];
    if (number === undefined) return;
    listening.set(name, native.listen(number, () => process.emit(name, name, number)));
  };
  begin(first);
  process.on('newListener', begin);
  process.on('removeListener', (name) => {
    if (!listening.has(name) || process.listenerCount(name) > 0) return;
    native.unlisten(signals[name], listening.get(name));
    listening.delete(name);
  });
};
// Calls when the window's size has changed.
let winch;
exports.onWinch = (call) => {
  if (winch) {
    $.push(winch, call);
    return;
  }
  winch = [call];
  native.listen(signals.SIGWINCH, () => $.forEach($.slice(winch), (call) => call()));
};
