// The process object.
/**
 * What Rust provides.
 * @type {{
 *   facts(): Record<'node' | 'version' | 'quickjs' | 'title' | 'arch' | 'platform' | 'argv0' | 'execPath', string>
 *     & Record<'argv' | 'execArgv', string[]> & Record<'pid' | 'ppid' | 'uid' | 'euid' | 'gid' | 'egid', number>
 *     & { isWorker: boolean },
 *   variables(): string[],
 *   variable(name: string): string | undefined,
 *   setVariable(name: string, value: string): void,
 *   deleteVariable(name: string): void,
 *   cwd(): string,
 *   chdir(path: string): void,
 *   umask(mask?: number): number,
 *   now(): number,
 *   hrtime(): bigint,
 *   memoryUsage(): Record<'rss' | 'heapTotal' | 'heapUsed' | 'external' | 'arrayBuffers', number>,
 *   cpuUsage(): Record<'user' | 'system', number>,
 *   isatty(fd: number): boolean,
 *   windowSize(fd: number): number[],
 *   write(fd: number, chunk: string | ArrayBufferView): void,
 *   nextTick(callback: () => void): void,
 *   exit(code: number): void,
 *   exitCode(): number | undefined,
 *   setExitCode(code: number | undefined): void,
 *   builtin(name: string): object | undefined,
 * }}
 */
const native = rust;
const EventEmitter = require('events').EventEmitter;
const { invalidArgType, create } = require('errors');
const { validateFunction } = require('validators');

class process extends EventEmitter {}
Object.defineProperty(process.prototype, Symbol.toStringTag, { value: 'process', configurable: true });
const it = Object.create(process.prototype);
EventEmitter.init(it);

const facts = native.facts();
const toVariable = (value) => {
  if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
  return $.text`${value}`;
};
// Other agents may share the variables, so nothing about them is kept here.
const variable = (key) => (typeof key === 'symbol' ? undefined : native.variable(key) ?? undefined);
const env = new Proxy({}, {
  get: (target, key) => variable(key) ?? Reflect.get(target, key),
  has: (target, key) => variable(key) !== undefined || Reflect.has(target, key),
  set(target, key, value) {
    native.setVariable(toVariable(key), toVariable(value));
    return true;
  },
  defineProperty(target, key, desc) {
    if ('get' in desc || 'set' in desc) {
      throw create('TypeError', 'ERR_INVALID_OBJECT_DEFINE_PROPERTY',
        "'process.env' does not accept an accessor(getter/setter) descriptor");
    }
    native.setVariable(toVariable(key), toVariable(desc.value));
    return true;
  },
  deleteProperty(target, key) {
    if (typeof key === 'string') native.deleteVariable(key);
    return true;
  },
  ownKeys: () => native.variables(),
  getOwnPropertyDescriptor(target, key) {
    const value = variable(key);
    if (value === undefined) return undefined;
    return { __proto__: null, value, writable: true, enumerable: true, configurable: true };
  },
});

class Output extends EventEmitter {
  writable = true;
  fd;
  _type;
  constructor(fd) {
    super();
    this.fd = fd;
    this._type = native.isatty(fd) ? 'tty' : 'fs';
    if (native.isatty(fd)) {
      const { 0: columns, 1: rows } = native.windowSize(fd);
      Object.assign(this, { isTTY: true, columns, rows });
    }
  }
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') callback = encoding;
    if (typeof chunk !== 'string' && !$.isView(chunk)) {
      throw invalidArgType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk);
    }
    native.write(this.fd, chunk);
    if (callback) it.nextTick(callback, null);
    return true;
  }
  end(chunk, encoding, callback) {
    if (chunk !== undefined && typeof chunk !== 'function') this.write(chunk);
    const done = $.find([chunk, encoding, callback], (x) => typeof x === 'function');
    if (done) it.nextTick(done);
    return this;
  }
  getColorDepth() {
    return /** @type {any} */ (this).isTTY ? 8 : 1;
  }
  hasColors() {
    return Boolean(/** @type {any} */ (this).isTTY);
  }
  getWindowSize() {
    const { columns, rows } = /** @type {any} */ (this);
    return [columns, rows];
  }
  cork() {}
  uncork() {}
  destroy() {
    return this;
  }
}
const lazy = (name, make) => Object.defineProperty(it, name, {
  configurable: true, enumerable: true,
  get() {
    const value = make();
    Object.defineProperty(it, name, { value, writable: true, configurable: true, enumerable: true });
    return value;
  },
  set(value) {
    Object.defineProperty(it, name, { value, writable: true, configurable: true, enumerable: true });
  },
});

Object.assign(it, {
  title: 'tombolo', version: $.text`v${facts.node}`,
  versions: { node: facts.node, tombolo: facts.version, quickjs: facts.quickjs, modules: '127', uv: '1.0.0' },
  arch: facts.arch, platform: facts.platform, release: { name: 'node' },
  argv: facts.argv, execArgv: facts.execArgv, env, pid: facts.pid, ppid: facts.ppid,
  execPath: facts.execPath, debugPort: 9229, argv0: facts.argv0,
  features: {}, config: { variables: {}, target_defaults: {} },
  exiting: false,
  cwd: () => native.cwd(),
  chdir(directory) {
    if (facts.isWorker) {
      throw create('TypeError', 'ERR_WORKER_UNSUPPORTED_OPERATION', 'process.chdir() is not supported in workers');
    }
    native.chdir(directory);
  },
  umask: (mask) => native.umask(typeof mask === 'string' ? parseInt(mask, 8) : mask),
  uptime: () => native.now() / 1000,
  memoryUsage: Object.assign(() => native.memoryUsage(), { rss: () => native.memoryUsage().rss }),
  cpuUsage: (earlier) => {
    const usage = native.cpuUsage();
    if (earlier === undefined) return usage;
    if (typeof earlier !== 'object' || earlier === null) throw invalidArgType('prevValue', 'of type object', earlier);
    const since = (name) => {
      const before = earlier[name];
      if (typeof before !== 'number') throw invalidArgType($.text`prevValue.${name}`, 'of type number', before);
      if (!(before >= 0 && before < 2 ** 53)) {
        throw create('RangeError', 'ERR_INVALID_ARG_VALUE',
          $.text`The property 'prevValue.${name}' is invalid. Received ${before}`);
      }
      return usage[name] - before;
    };
    return { user: since('user'), system: since('system') };
  },
  resourceUsage: () => ({}),
  hrtime: Object.assign((earlier) => {
    const now = native.hrtime();
    let seconds = Number(now / 1_000_000_000n);
    let nanoseconds = Number(now % 1_000_000_000n);
    if (earlier !== undefined) {
      seconds -= earlier[0];
      nanoseconds -= earlier[1];
      if (nanoseconds < 0) {
        seconds--;
        nanoseconds += 1e9;
      }
    }
    return [seconds, nanoseconds];
  }, { bigint: () => native.hrtime() }),
  nextTick(callback, ...args) {
    validateFunction(callback, 'callback');
    native.nextTick(args.length === 0 ? callback : () => callback(...$.each(args)));
  },
  exit(code) {
    if (code !== undefined) it.exitCode = code;
    emitExit();
    native.exit(it.exitCode ?? 0);
  },
  reallyExit: (code) => native.exit(code ?? 0),
  abort: () => native.exit(134),
  kill: () => {
    throw create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', 'process.kill is not implemented');
  },
  /**
   * @param {any} warning
   * @param {any} [type]
   * @param {string} [code]
   */
  emitWarning(warning, type = 'Warning', code) {
    let detail;
    if (type !== null && typeof type === 'object') ({ type = 'Warning', code, detail } = type);
    if (typeof warning === 'string') {
      warning = new Error(warning);
      warning.name = String(type);
      if (code !== undefined) warning.code = code;
      if (detail !== undefined) warning.detail = detail;
    }
    it.nextTick(() => {
      if (it.listenerCount('warning') > 0) it.emit('warning', warning);
      const label = warning.code ? $.text`[${warning.code}] ` : '';
      native.write(2, $.text`(${facts.title}:${it.pid}) ${label}${warning.name}: ${warning.message}\n`);
    });
  },
  getBuiltinModule: (name) => native.builtin($.text`${name}`),
  binding(name) {
    throw create('Error', 'ERR_INVALID_MODULE', $.text`No such module: ${name}`);
  },
  getuid: () => facts.uid, geteuid: () => facts.euid, getgid: () => facts.gid, getegid: () => facts.egid,
  setUncaughtExceptionCaptureCallback() {}, hasUncaughtExceptionCaptureCallback: () => false,
  stdin: undefined,
});
delete it.exiting;
Object.defineProperty(it, 'exitCode', {
  configurable: true, enumerable: true,
  get: () => native.exitCode(),
  set(code) {
    if (code !== undefined && code !== null) {
      const value = typeof code === 'string' && $.trim(code) !== '' ? Number(code) : code;
      if (typeof value !== 'number') throw invalidArgType('code', 'of type number', code);
      if (!Number.isInteger(value)) throw require('errors').outOfRange('code', 'an integer', code);
      native.setExitCode(value);
    } else {
      native.setExitCode(undefined);
    }
  },
});
lazy('stdout', () => new Output(1));
lazy('stderr', () => new Output(2));
lazy('stdin', () => Object.assign(new EventEmitter(), {
  fd: 0, isTTY: native.isatty(0) || undefined, pause() {}, resume() {}, setEncoding() {}, unref() {}, ref() {},
  [Symbol.toStringTag]: 'ReadStream',
}));
Object.defineProperty(it, Symbol.toStringTag, { value: 'process', configurable: true });

let exited = false;
const emitExit = () => {
  if (exited) return;
  exited = true;
  it._exiting = true;
  it.emit('exit', it.exitCode ?? 0);
};
exports.emitExit = emitExit;
exports.emitBeforeExit = () => it.emit('beforeExit', it.exitCode ?? 0);
// Returns true if a listener took it.
exports.uncaught = (error, origin) => {
  if (it.listenerCount('uncaughtExceptionMonitor') > 0) it.emit('uncaughtExceptionMonitor', error, origin);
  return it.emit('uncaughtException', error, origin);
};
exports.rejected = (reason, promise) => it.emit('unhandledRejection', reason, promise);
exports.process = it;
