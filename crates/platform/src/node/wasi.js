// node:wasi: the class as Node has it. A guest's calls go straight to Rust.
/**
 * What Rust provides.
 * @type {{
 *   create(args: string[], env: string[], preopens: string[], stdio: number[]): any,
 *   imports(host: any, version: string): any,
 *   setMemory(host: any, memory: any, isGiven: boolean): boolean,
 *   exitCode(thrown: any): number | undefined,
 *   exit(code: number): void,
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateArray, validateBoolean, validateFunction, validateInt32, validateObject, validateString } =
  require('validators');

// Glue code looks for these by their descriptions.
const kBindingName = Symbol('kBindingName');
const kSetMemory = Symbol('kSetMemory');
const kStarted = Symbol('kStarted');
const kExitCode = Symbol('kExitCode');
const kInstance = Symbol('kInstance');

const MODULES = { __proto__: null, preview1: 'wasi_snapshot_preview1', unstable: 'wasi_unstable' };

// The errors that there can be of the files and directories that a guest is given, by their numbers.
const NAMES = {
  __proto__: null, 2: 'EACCES', 8: 'EBADF', 28: 'EINVAL', 29: 'EIO', 32: 'ELOOP', 33: 'EMFILE', 37: 'ENAMETOOLONG',
  41: 'ENFILE', 44: 'ENOENT', 48: 'ENOMEM', 54: 'ENOTDIR', 63: 'EPERM',
};
const refuse = ({ errno, path }) => {
  const code = $.text`UVWASI_${NAMES[errno] ?? 'EIO'}`;
  const message = $.text`${code}, uvwasi_init`;
  const error = new Error(path === undefined ? message : $.text`${message} '${path}'`);
  return Object.assign(error, { errno, code, syscall: 'uvwasi_init' }, path === undefined ? undefined : { path });
};

const validateUndefined = (value, name) => {
  if (value !== undefined) throw invalidArgType(name, 'undefined', value);
};

class WASI {
  constructor(options = {}) {
    validateObject(options, 'options');
    const { version } = options;
    validateString(version, 'options.version');
    const name = MODULES[version];
    if (name === undefined) throw invalidArgValue('options.version', version, 'unsupported WASI version');
    const args = [];
    if (options.args !== undefined) {
      validateArray(options.args, 'options.args');
      for (let i = 0; i < options.args.length; i++) $.push(args, String(options.args[i]));
    }
    const env = [];
    if (options.env !== undefined) {
      validateObject(options.env, 'options.env');
      for (const key in options.env) {
        const value = options.env[key];
        if (value !== undefined) $.push(env, $.text`${key}=${value}`);
      }
    }
    const preopens = [];
    if (options.preopens !== undefined) {
      validateObject(options.preopens, 'options.preopens');
      for (const key in options.preopens) $.push(preopens, key, String(options.preopens[key]));
    }
    const { stdin = 0, stdout = 1, stderr = 2 } = options;
    validateInt32(stdin, 'options.stdin', 0);
    validateInt32(stdout, 'options.stdout', 0);
    validateInt32(stderr, 'options.stderr', 0);
    const made = native.create(args, env, preopens, [stdin, stdout, stderr]);
    if (made.errno !== undefined) throw refuse(made);
    const { host } = made;
    const { returnOnExit = true } = options;
    validateBoolean(returnOnExit, 'options.returnOnExit');
    this.wasiImport = native.imports(host, name);
    if (!returnOnExit) {
      this.wasiImport.proc_exit = function proc_exit(code) {
        native.exit(code | 0);
      };
    }
    this[kBindingName] = name;
    // `isGiven`: the memory is everybody's, even of those who export another.
    this[kSetMemory] = function _setMemory(memory, isGiven = true) {
      if (!native.setMemory(host, memory, isGiven)) {
        throw create('TypeError', 'ERR_INVALID_ARG_TYPE',
          '"instance.exports.memory" property must be a WebAssembly.Memory object');
      }
    };
    this[kStarted] = false;
    this[kExitCode] = 0;
    this[kInstance] = undefined;
  }

  finalizeBindings(instance, options = {}) {
    const { memory: given } = options;
    const memory = given === undefined ? instance?.exports?.memory : given;
    if (this[kStarted]) throw create('Error', 'ERR_WASI_ALREADY_STARTED', 'WASI instance has already started');
    validateObject(instance, 'instance');
    validateObject(instance.exports, 'instance.exports');
    this[kSetMemory](memory, given !== undefined);
    this[kInstance] = instance;
    this[kExitCode] = 0;
    this[kStarted] = true;
  }

  // Must not export _initialize, must export _start.
  start(instance) {
    this.finalizeBindings(instance);
    const { _start, _initialize } = this[kInstance].exports;
    validateFunction(_start, 'instance.exports._start');
    validateUndefined(_initialize, 'instance.exports._initialize');
    try {
      _start();
    } catch (error) {
      const code = native.exitCode(error);
      if (code === undefined) throw error;
      this[kExitCode] = code;
    }
    return this[kExitCode];
  }

  // Must not export _start, may export _initialize.
  initialize(instance) {
    this.finalizeBindings(instance);
    const { _start, _initialize } = this[kInstance].exports;
    validateUndefined(_start, 'instance.exports._start');
    if (_initialize !== undefined) {
      validateFunction(_initialize, 'instance.exports._initialize');
      _initialize();
    }
  }

  getImportObject() {
    return { [this[kBindingName]]: this.wasiImport };
  }
}
exports.WASI = WASI;
