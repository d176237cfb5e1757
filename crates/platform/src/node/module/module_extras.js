// What node:module has besides CommonJS.
const { create, invalidArgType, notImplemented } = require('errors');
const { validateObject, validateOneOf, validateString } = require('validators');

const status = { __proto__: null, FAILED: 0, ENABLED: 1, ALREADY_ENABLED: 2, DISABLED: 3 };

// The functions, which need what Rust provides for node:module.
exports.extras = (native) => ({
  registerHooks: function registerHooks(hooks) {
    validateObject(hooks, 'hooks');
    throw notImplemented('module.registerHooks');
  },
  builtinModules: [],
  runMain: function executeUserEntryPoint(main = require('process').process.argv[1]) {
    native.builtin('module')._load(main, null, true);
  },
  register: function register(specifier) {
    if (specifier === undefined) throw invalidArgType('specifier', 'of type string', specifier);
    throw notImplemented('module.register');
  },
  constants: { __proto__: null, compileCacheStatus: status },
  // There is no such cache, which programs are told.
  enableCompileCache: function enableCompileCache(options) {
    if (options !== undefined && typeof options !== 'string') validateObject(options, 'options');
    return { status: status.DISABLED };
  },
  findPackageJSON: function findPackageJSON(specifier, base = 'data:') {
    if (arguments.length === 0) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "specifier" argument must be specified');
    }
    const { fileURLToPath } = require('url');
    const path = (value, name) => {
      if (typeof value === 'object' && value !== null && value.href) return fileURLToPath(value.href);
      validateString(value, name);
      return $.startsWith(value, 'file:') ? fileURLToPath(value) : value;
    };
    const isObject = typeof specifier === 'object' && specifier !== null;
    const text = isObject ? path(specifier, 'specifier') : $.text`${specifier}`;
    const isPath = isObject || $.startsWith(text, 'file:') || $.regex(/^(?:\/|\.\.?(?:\/|$))/).test(text);
    const parent = base === 'data:' ? $.text`${require('process').process.cwd()}/` : path(base, 'base');
    if (!isPath) return native.findPackage(text, parent);
    const { dirname, resolve } = /** @type {any} */ (require('path').posix);
    const target = resolve(dirname(parent), $.startsWith(text, 'file:') ? fileURLToPath(text) : text);
    return native.findPackage('', native.stat(target) === 1 ? $.text`${target}/` : target);
  },
  flushCompileCache: function flushCompileCache() {},
  getCompileCacheDir: function getCompileCacheDir() {},
  stripTypeScriptTypes: function stripTypeScriptTypes(code, options = { __proto__: null }) {
    validateString(code, 'code');
    validateObject(options, 'options');
    const { mode = 'strip', sourceMap = false, sourceUrl = '' } = options;
    validateOneOf(mode, 'options.mode', ['strip']);
    validateOneOf(sourceMap, 'options.sourceMap', [false]);
    validateString(sourceUrl, 'options.sourceUrl');
    const stripped = native.strip(code, sourceUrl);
    return sourceUrl === '' ? stripped : $.text`${stripped}\n\n//# sourceURL=${sourceUrl}`;
  },
  findSourceMap: function findSourceMap(_path) {},
  SourceMap: class SourceMap {
    constructor(_payload) {
      throw notImplemented('module.SourceMap');
    }
  },
  getSourceMapsSupport: function getSourceMapsSupport() {
    return { __proto__: null, enabled: false, nodeModules: false, generatedCode: false };
  },
  setSourceMapsSupport: function setSourceMapsSupport(enabled, options = undefined) {
    const { validateBoolean } = require('validators');
    validateBoolean(enabled, 'enabled');
    const { nodeModules = false, generatedCode = false } = options ?? { __proto__: null };
    validateBoolean(nodeModules, 'options.nodeModules');
    validateBoolean(generatedCode, 'options.generatedCode');
  },
});

// Whoever is in a circle and asks the exports of a module that is not loaded yet for what is not there is warned.
const warn = (key) => require('process').process.emitWarning(
  $.text`Accessing non-existent property '${typeof key === 'symbol' ? $.symbolText(key) : key}' of module exports inside ` +
  'circular dependency');
/** @type {any} */
const traps = {
  __proto__: null,
  get(target, key) {
    if (key in target || key === '__esModule') return target[key];
    warn(key);
    return undefined;
  },
  getOwnPropertyDescriptor(target, key) {
    if (Object.hasOwn(target, key) || key === '__esModule') return Reflect.getOwnPropertyDescriptor(target, key);
    warn(key);
    return undefined;
  },
};
const warning = new Proxy({}, traps);
const hasPrototype = (value, prototype) => typeof value === 'object' && value !== null &&
  !require('inspect').isProxy(value) && Object.getPrototypeOf(value) === prototype;
exports.enter = (value) => {
  if (hasPrototype(value, Object.prototype) && !value.__esModule) Object.setPrototypeOf(value, warning);
};
exports.leave = (value) => {
  if (hasPrototype(value, warning)) Object.setPrototypeOf(value, Object.prototype);
};
