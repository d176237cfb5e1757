// The console methods that are rarely called, and the class of other consoles.
/**
 * What Rust provides.
 * @type {{
 *   print(toStderr: boolean, ...args: unknown[]): void,
 *   indent(by: number): void,
 *   write(toStderr: boolean, text: string): void,
 * }}
 */
const native = rust;
const { methods } = require('console_methods');

const clear = () => {
  const { stdout, env } = /** @type {any} */ (require('process')).process;
  if (stdout.isTTY && env.TERM !== 'dumb') stdout.write('\u001b[1;1H\u001b[0J');
};
Object.assign(exports, methods(native.print, native.indent, clear), {
  profile() {}, profileEnd() {}, timeStamp() {},
  context() {},
  createTask: () => ({ run: (task) => task() }),
});

// Once a script has asked for the process's streams, it may have replaced what they write with, or what the console
// writes to.
const { writeQuietly } = require('console_methods');
const chosen = { __proto__: null, stdout: undefined, stderr: undefined };
exports.stream = (name) => (chosen[name] ??= /** @type {any} */ (require('process')).process[name]);
exports.setStream = (name, stream) => {
  require('process_streams');
  chosen[name] = stream;
};
exports.write = (toStderr, text) => {
  const stream = exports.stream(toStderr ? 'stderr' : 'stdout');
  if (require('process_streams').isUntouched(stream)) native.write(toStderr, text);
  else writeQuietly(stream, text);
};
exports.publish = (name, args) => /** @type {any} */ (require('diagnostics_channel')).channel($.text`console.${name}`).publish(args);
