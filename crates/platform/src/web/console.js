// The console methods that are rarely called, and the class of other consoles.
/**
 * What Rust provides.
 * @type {{
 *   print(toStderr: boolean, ...args: unknown[]): void,
 *   indent(by: number): void,
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
