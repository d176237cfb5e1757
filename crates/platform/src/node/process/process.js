// The process object.
/**
 * What Rust provides.
 * @type {{
 *   facts(): Record<'node' | 'version' | 'quickjs' | 'title' | 'arch' | 'platform' | 'argv0' | 'execPath', string>
 *     & Record<'argv' | 'execArgv', string[]> & Record<'pid' | 'ppid' | 'uid' | 'euid' | 'gid' | 'egid', number>
 *     & { isWorker: boolean, isRestricted: boolean },
 *   variables(): string[],
 *   variable(name: string): string | undefined,
 *   setVariable(name: string, value: string): void,
 *   deleteVariable(name: string): void,
 *   cwd(): string,
 *   chdir(path: string): void,
 *   umask(mask?: number): number,
 *   hasPermission(scope: string, reference: string | undefined): boolean,
 *   now(): number,
 *   hrtime(): bigint,
 *   memoryUsage(): Record<'rss' | 'heapTotal' | 'heapUsed' | 'external' | 'arrayBuffers', number>,
 *   usage(ofThread: boolean): number[],
 *   memoryLimit(): number | undefined,
 *   groups(): number[],
 *   abort(): void,
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
const { create, invalidArgType, notImplemented, outOfRange } = require('errors');
const { validateArray, validateBoolean, validateFunction, validateObject, validateString } = require('validators');

class process extends EventEmitter {}
Object.defineProperty(process.prototype, Symbol.toStringTag, { value: 'process', configurable: true });
const it = Object.create(process.prototype);
Reflect.apply(EventEmitter.init, it, []);

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
    if (!desc.configurable || !desc.writable || !desc.enumerable) {
      throw create('TypeError', 'ERR_INVALID_OBJECT_DEFINE_PROPERTY',
        "'process.env' only accepts a configurable, writable, and enumerable data descriptor");
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

const more = () => require('process_more');
const signals = () => require('process_signals');
// Calls what an object has for that, under a symbol or by name.
const hold = (value, name) => {
  const call = value?.[$.symbolFor($.text`nodejs.${name}`)] ?? value?.[name];
  if (typeof call === 'function') Reflect.apply(call, value, []);
};
const usageOf = (ofThread, earlier) => {
  const { 0: user, 1: system } = native.usage(ofThread);
  if (!earlier) return { user, system };
  validateObject(earlier, 'prevValue');
  const since = (name, now) => {
    const before = earlier[name];
    if (typeof before !== 'number') throw invalidArgType($.text`prevValue.${name}`, 'of type number', before);
    if (!(before >= 0 && before < 2 ** 53)) {
      throw create('RangeError', 'ERR_INVALID_ARG_VALUE',
        $.text`The property 'prevValue.${name}' is invalid. Received ${before}`);
    }
    return now - before;
  };
  return { user: since('user', user), system: since('system', system) };
};
const notInWorkers = (name) => {
  if (facts.isWorker) {
    throw create('TypeError', 'ERR_WORKER_UNSUPPORTED_OPERATION', $.text`${name} is not supported in workers`);
  }
};
const hrtime = (earlier) => {
  const now = native.hrtime();
  const seconds = Number(now / 1_000_000_000n);
  const nanoseconds = Number(now % 1_000_000_000n);
  if (earlier === undefined) return [seconds, nanoseconds];
  validateArray(earlier, 'time');
  if (earlier.length !== 2) throw outOfRange('time', '2', earlier.length);
  const rest = nanoseconds - earlier[1];
  return rest < 0 ? [seconds - earlier[0] - 1, rest + 1e9] : [seconds - earlier[0], rest];
};
const notThere = (name) => ({ [name]: () => {
  throw notImplemented($.text`process.${name}`);
} }[name]);

/** @type {any} */
const members = {
  version: $.text`v${facts.node}`,
  versions: Object.freeze({
    node: facts.node, modules: '147', napi: '10', uv: '1.52.1', zlib: '1.3.1', unicode: '17.0', tombolo: facts.version,
    quickjs: facts.quickjs,
  }),
  arch: facts.arch, platform: facts.platform,
  release: {
    name: 'node', sourceUrl: $.text`https://nodejs.org/download/release/v${facts.node}/node-v${facts.node}.tar.gz`,
    headersUrl: $.text`https://nodejs.org/download/release/v${facts.node}/node-v${facts.node}-headers.tar.gz`,
  },
  _rawDebug(...args) {
    native.write(2, $.text`${require('inspect').format(...$.each(args))}\n`);
  },
  moduleLoadList: [],
  binding: (name) => more().binding(name),
  _linkedBinding: notThere('_linkedBinding'),
  domain: null, _exiting: false, exitCode: undefined,
  config: Object.freeze({ target_defaults: Object.freeze({}), variables: Object.freeze({ napi_build_version: '10' }) }),
  dlopen: notThere('dlopen'),
  uptime: () => native.now() / 1000,
  _getActiveRequests: () => [], _getActiveHandles: () => [], getActiveResourcesInfo: () => [],
  reallyExit: (code) => native.exit(code ?? 0),
  _kill: (pid, signal) => signals().kill(pid, signal) ? 0 : -1,
  loadEnvFile: (path) => more().loadEnvFile(path),
  cpuUsage: (earlier) => usageOf(false, earlier),
  threadCpuUsage: (earlier) => usageOf(true, earlier),
  resourceUsage: () => more().resourceUsage(native.usage(false)),
  memoryUsage: Object.assign(() => native.memoryUsage(), { rss: () => native.memoryUsage().rss }),
  constrainedMemory: () => native.memoryLimit() ?? 2 ** 64,
  availableMemory: () => Math.min(native.memoryLimit() ?? Infinity, (/** @type {any} */ (require('os'))).freemem()),
  kill: (pid, signal) => signals().kill(pid, signal),
  exit(code) {
    if (code !== undefined) it.exitCode = code;
    emitExit();
    native.exit(it.exitCode ?? 0);
  },
  execve: notThere('execve'),
  ref: (value) => hold(value, 'ref'), unref: (value) => hold(value, 'unref'),
  finalization: { register() {}, registerBeforeExit() {}, unregister() {} },
  hrtime: Object.assign(hrtime, { bigint: () => native.hrtime() }),
  openStdin() {
    it.stdin.resume();
    return it.stdin;
  },
  getuid: () => facts.uid, geteuid: () => facts.euid, getgid: () => facts.gid, getegid: () => facts.egid,
  getgroups: () => native.groups(),
  allowedNodeEnvironmentFlags: new Set(),
  features: {
    inspector: false, debug: false, uv: true, ipv6: true, tls_alpn: false, tls_sni: false, tls_ocsp: false, tls: false,
    openssl_is_boringssl: false, cached_builtins: true, require_module: true, quic: false, typescript: 'strip',
  },
  _fatalException: (error) => exports.uncaught(error, 'uncaughtException'),
  setUncaughtExceptionCaptureCallback(call) {
    if (call === null) {
      captured = undefined;
      return;
    }
    if (typeof call !== 'function') throw invalidArgType('fn', 'of type function or null', call);
    if (captured) {
      throw create('Error', 'ERR_UNCAUGHT_EXCEPTION_CAPTURE_ALREADY_SET',
        '`process.setupUncaughtExceptionCapture()` was called while a capture callback was already active');
    }
    captured = call;
  },
  addUncaughtExceptionCaptureCallback(call) {
    validateFunction(call, 'fn');
    $.push(capturing, call);
  },
  hasUncaughtExceptionCaptureCallback: () => captured !== undefined,
  emitWarning: (warning, type, code, constructor) => more().emitWarning(warning, type, code, constructor),
  nextTick(callback, ...args) {
    validateFunction(callback, 'callback');
    native.nextTick(args.length === 0 ? callback : () => callback(...$.each(args)));
  },
  _tickCallback() {},
  sourceMapsEnabled: false, setSourceMapsEnabled: (value) => validateBoolean(value, 'val'),
  getBuiltinModule(name) {
    validateString(name, 'id');
    return native.builtin(name);
  },
  _debugProcess: notThere('_debugProcess'), _debugEnd() {},
  _startProfilerIdleNotifier() {}, _stopProfilerIdleNotifier() {},
  stdout: undefined, stderr: undefined, stdin: undefined,
  abort() {
    native.abort();
  },
  umask(mask) {
    if (mask === undefined) return native.umask();
    notInWorkers('Setting process.umask()');
    return native.umask(require('fs_values').toMode(mask, 'mask'));
  },
  chdir(directory) {
    validateString(directory, 'directory');
    native.chdir(directory);
  },
  cwd: () => native.cwd(),
  initgroups: notThere('initgroups'), setgroups: notThere('setgroups'), setegid: notThere('setegid'),
  seteuid: notThere('seteuid'), setgid: notThere('setgid'), setuid: notThere('setuid'),
  env, title: facts.title, argv: facts.argv, execArgv: facts.execArgv, pid: facts.pid, ppid: facts.ppid,
  execPath: facts.execPath, debugPort: 9229, argv0: facts.argv0, _preload_modules: [], report: undefined,
};
for (const name of $.each(Object.keys(members))) {
  const value = members[name];
  // (Functions that a table makes have their names already.)
  if (typeof value === 'function' && value.name !== name) {
    Object.defineProperty(value, 'name', { value: name, configurable: true });
  }
  it[name] = value;
}
// What is the whole process's business.
if (facts.isWorker) {
  const hasChannel = native.variable('NODE_CHANNEL_FD');
  const refused = ['abort', 'chdir', 'setuid', 'seteuid', 'setgid', 'setegid', 'setgroups', 'initgroups'];
  for (const name of $.each(hasChannel ? [...$.each(refused), 'send', 'disconnect'] : refused)) {
    const refuse = { unavailableInWorker: () => notInWorkers($.text`process.${name}()`) }.unavailableInWorker;
    it[name] = Object.assign(refuse, { disabled: true });
  }
  for (const name of $.each(hasChannel ? ['channel', 'connected'] : [])) {
    Object.defineProperty(it, name, {
      configurable: true, enumerable: false, get: () => notInWorkers($.text`process.${name}`), set: undefined,
    });
  }
  for (const name of $.each([
    '_startProfilerIdleNotifier', '_stopProfilerIdleNotifier', '_debugProcess', '_debugPause', '_debugEnd',
  ])) delete it[name];
}
Object.defineProperty(it, 'exitCode', {
  configurable: false, enumerable: true,
  get: () => native.exitCode(),
  set(code) {
    if (code !== undefined && code !== null) {
      const isNumeric = typeof code === 'string' && $.trim(code) !== '' && Number.isInteger(Number(code));
      const value = isNumeric ? Number(code) : code;
      if (typeof value !== 'number') throw invalidArgType('code', 'of type number', code);
      if (!Number.isInteger(value)) throw outOfRange('code', 'an integer', code);
      native.setExitCode(value);
    } else {
      native.setExitCode(undefined);
    }
  },
});
lazy('stdout', () => require('process_streams').makeOutput(1));
lazy('stderr', () => require('process_streams').makeOutput(2));
lazy('stdin', () => (facts.isWorker ? require('process_streams').makeNoInput() : require('process_streams').makeInput()));
lazy('report', () => more().report);
if (facts.isRestricted) lazy('permission', () => more().permission(native.hasPermission));
Object.defineProperty(it, Symbol.toStringTag, { value: 'process', configurable: true });
if (!facts.isWorker) {
  it.on('newListener', function follow(name) {
    if (typeof name !== 'string' || !$.startsWith(name, 'SIG')) return;
    it.removeListener('newListener', follow);
    signals().follow(it, name);
  });
  if (native.variable('NODE_CHANNEL_FD')) require('process_ipc').connect(it);
}

let captured;
const capturing = [];
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
  for (const call of $.each(capturing)) if (call(error)) return true;
  if (captured) {
    captured(error);
    return true;
  }
  return it.emit('uncaughtException', error, origin);
};
exports.rejected = (reason, promise) => it.emit('unhandledRejection', reason, promise);
exports.process = it;
