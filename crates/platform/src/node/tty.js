// node:tty, and the streams of terminals.
/**
 * What Rust provides.
 * @type {{
 *   isTerminal(fd: number): boolean,
 *   windowSize(fd: number): [number, number] | undefined,
 *   setRaw(fd: number, raw: boolean): void,
 *   kind(fd: number): string,
 * }}
 */
const native = rust;
const { create } = require('errors');
const { validateFunction, validateInteger } = require('validators');

exports.isatty = (fd) => Number.isInteger(fd) && fd >= 0 && fd <= 2147483647 && native.isTerminal(fd);
Object.defineProperty(exports, 'kind', { value: native.kind });

const checkFd = (fd) => {
  if (!Number.isInteger(fd) || fd < 0) {
    throw create('RangeError', 'ERR_INVALID_FD', $.text`"fd" must be a positive integer: ${fd}`);
  }
  if (!native.isTerminal(fd)) {
    throw Object.assign(create('Error', 'ERR_TTY_INIT_FAILED', 'TTY initialization failed: uv_tty_init returned EINVAL (invalid argument)'),
      { errno: -22, syscall: 'uv_tty_init' });
  }
};
const lazy = () => require('process_streams');

/** @this {any} */
function ReadStream(fd, options) {
  if (!$.isPrototypeOf(ReadStream.prototype, this)) return new (/** @type {any} */ (ReadStream))(fd, options);
  checkFd(fd);
  lazy().constructInput(this, fd, options);
  this.isRaw = false;
  this.isTTY = true;
  return this;
}
/** @this {any} */
ReadStream.prototype.setRawMode = function (flag) {
  flag = Boolean(flag);
  try {
    native.setRaw(this.fd, flag);
  } catch (error) {
    this.emit('error', error);
    return this;
  }
  this.isRaw = flag;
  return this;
};

/** @this {any} */
function WriteStream(fd) {
  if (!$.isPrototypeOf(WriteStream.prototype, this)) return new (/** @type {any} */ (WriteStream))(fd);
  checkFd(fd);
  lazy().constructOutput(this, fd);
  const size = native.windowSize(fd);
  if (size) ({ 0: this.columns, 1: this.rows } = size);
  return this;
}
const { prototype } = /** @type {any} */ (WriteStream);
prototype.isTTY = true;
const defineAll = (methods) => {
  for (const name of $.each(Object.keys(methods))) prototype[name] = methods[name];
};

// Which colours a terminal has, by the names that terminals go by.
const DEPTHS = {
  __proto__: null, eterm: 4, cons25: 4, console: 4, cygwin: 4, dtterm: 4, gnome: 4, hurd: 4, jfbterm: 4, konsole: 4,
  kterm: 4, mlterm: 4, mosh: 24, putty: 4, st: 4, 'rxvt-unicode-24bit': 24, terminator: 24, 'xterm-kitty': 24,
};
const SIXTEEN = $.regex(/ansi|color|linux|direct|^con[0-9]*x[0-9]|^rxvt|^screen|^xterm|^vt100|^vt220/);
const SERVICES = { __proto__: null, APPVEYOR: 8, BUILDKITE: 8, CIRCLECI: 24, DRONE: 8, GITEA_ACTIONS: 24,
  GITHUB_ACTIONS: 24, GITLAB_CI: 8, TRAVIS: 8 };
const environment = () => require('process').process.env;
const depthOf = (env) => {
  if (env.FORCE_COLOR !== undefined) {
    switch (env.FORCE_COLOR) {
      case '': case '1': case 'true': return 4;
      case '2': return 8;
      case '3': return 24;
      default: return 1;
    }
  }
  if (env.NODE_DISABLE_COLORS || env.NO_COLOR || env.TERM === 'dumb') return 1;
  if (env.TMUX) return 24;
  if ('TF_BUILD' in env && 'AGENT_NAME' in env) return 4;
  if (env.CI !== undefined) {
    for (const name of $.each(Object.keys(SERVICES))) if (name in env) return SERVICES[name];
    return env.CI_NAME === 'codeship' ? 8 : 1;
  }
  if ('TEAMCITY_VERSION' in env) {
    return $.test($.regex(/^(9\.(0*[1-9]\d*)\.|\d{2,}\.)/), env.TEAMCITY_VERSION) ? 4 : 1;
  }
  switch (env.TERM_PROGRAM) {
    case 'iTerm.app':
      return !env.TERM_PROGRAM_VERSION || $.test($.regex(/^[0-2]\./), env.TERM_PROGRAM_VERSION) ? 8 : 24;
    case 'HyperTerm': case 'MacTerm': return 24;
    case 'Apple_Terminal': return 8;
  }
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 24;
  if (env.TERM) {
    if ($.startsWith(env.TERM, 'truecolor')) return 24;
    if ($.test($.regex(/^xterm-256/), env.TERM)) return 8;
    const name = $.toLowerCase(env.TERM);
    if (DEPTHS[name]) return DEPTHS[name];
    if ($.test(SIXTEEN, name)) return 4;
  }
  return env.COLORTERM ? 4 : 1;
};

const CSI = '\x1b[';
const cursorText = (x, y) => {
  if (typeof x !== 'number' || Number.isNaN(x)) throw invalid('x', x);
  if (typeof y === 'number' && Number.isNaN(y)) throw invalid('y', y);
  return typeof y !== 'number' ? $.text`${CSI}${x + 1}G` : $.text`${CSI}${y + 1};${x + 1}H`;
};
const invalid = (name, value) => require('errors').invalidArgValue(name, value);
const send = (stream, text, callback) => {
  if (callback !== undefined && callback !== null) validateFunction(callback, 'callback');
  if (text === '') {
    if (callback) require('process').process.nextTick(callback, null);
    return true;
  }
  return stream.write(text, callback);
};
const directions = { __proto__: null, '-1': '1K', 0: '2K', 1: '0K' };
/** @type {Record<string, (this: any, ...args: any[]) => any>} */
const methods = {
  getColorDepth(env = environment()) {
    return depthOf(env);
  },
  hasColors(count, env = undefined) {
    if (env === undefined && (count === undefined || (typeof count === 'object' && count !== null))) {
      env = count;
      count = 16;
    } else {
      validateInteger(count, 'count', 2);
    }
    return count <= 2 ** this.getColorDepth(env);
  },
  _refreshSize() {
    const before = [this.columns, this.rows];
    const size = native.windowSize(this.fd);
    if (!size || (size[0] === before[0] && size[1] === before[1])) return;
    ({ 0: this.columns, 1: this.rows } = size);
    this.emit('resize');
  },
  cursorTo(x, y, callback) {
    if (typeof y === 'function') {
      callback = y;
      y = undefined;
    }
    return send(this, cursorText(x, y), callback);
  },
  moveCursor(dx, dy, callback) {
    let text = '';
    if (dx < 0) text += $.text`${CSI}${-dx}D`;
    else if (dx > 0) text += $.text`${CSI}${dx}C`;
    if (dy < 0) text += $.text`${CSI}${-dy}A`;
    else if (dy > 0) text += $.text`${CSI}${dy}B`;
    return send(this, text, callback);
  },
  clearLine: function clearLine(direction, callback) {
    return send(this, CSI + (direction < 0 ? directions[-1] : direction > 0 ? directions[1] : directions[0]), callback);
  },
  clearScreenDown(callback) {
    return send(this, $.text`${CSI}0J`, callback);
  },
  getWindowSize() {
    return [this.columns, this.rows];
  },
};
defineAll(methods);
exports.ReadStream = ReadStream;
exports.WriteStream = WriteStream;
for (const name of $.each(['getColorDepth', 'hasColors'])) {
  // (For streams that are no terminals.)
  Object.defineProperty(exports, $.text`_${name}`, { value: methods[name] });
}
// The classes of streams are loaded with the first terminal.
Object.defineProperty(exports, 'inherit', { value: (Input, Output) => {
  Object.setPrototypeOf(ReadStream.prototype, Input.prototype);
  Object.setPrototypeOf(ReadStream, Input);
  Object.setPrototypeOf(WriteStream.prototype, Output.prototype);
  Object.setPrototypeOf(WriteStream, Output);
} });
