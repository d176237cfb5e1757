// node:module, and with it CommonJS. What programs replace here takes part in every `require`, as in Node: `_load`,
// `_resolveFilename`, `_findPath`, `_extensions`, `_cache`, `_pathCache`, `wrap`, `prototype.load`, `prototype._compile`
// and `prototype.require`.
/**
 * What Rust provides.
 * @type {{
 *   names(): string[],
 *   builtin(name: string): any,
 *   isBuiltin(name: string): boolean,
 *   variable(name: string): string | undefined,
 *   execPath(): string,
 *   stat(path: string): number,
 *   realpath(path: string): string | undefined,
 *   check(path: string): void,
 *   read(path: string): string,
 *   main(folder: string): string | undefined,
 *   packageType(path: string): string | undefined,
 *   fromExports(folder: string, subpath: string): string | undefined,
 *   fromSelf(parent: string, request: string): string | undefined,
 *   fromImports(parent: string, request: string): string | undefined,
 *   findPackage(specifier: string, parent: string): string | undefined,
 *   url(path: string): string,
 *   compile(text: string, path: string): Function,
 *   run(text: string, path: string): any,
 *   isModule(text: string): boolean,
 *   lex(text: string): { names: string[], reexports: string[] },
 *   strip(text: string, path: string): string,
 *   requireModule(url: string, path: string, parent: string | undefined): object,
 *   facade(url: string): object,
 *   importMain(path: string): void,
 * }}
 */
const native = rust;
const { create, invalidArgValue } = require('errors');
const { validateString } = require('validators');
const { basename, dirname, extname, resolve: resolvePath } = /** @type {any} */ (require('path').posix);

const kParent = Symbol('kModuleParent');
const kIsMain = Symbol('kIsMainSymbol');
const kByImport = Symbol('kIsCachedByESMLoader');
const kURL = Symbol('kURL');
const kFormat = Symbol('kFormat');
const kIsExecuting = Symbol('kIsExecuting');
const define = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
const isAbsolute = (path) => path[0] === '/';
const isRelative = (request) => request === '.' || request === '..' || $.startsWith(request, './') ||
  $.startsWith(request, '../');

/** @type {any} */
let mainModule;

/**
 * @constructor
 * @param {string} [id]
 * @param {any} [parent]
 */
function Module(id = '', parent = undefined) {
  define(this, 'id', id);
  define(this, 'path', dirname(id));
  define(this, 'exports', {});
  Object.defineProperty(this, kParent, { value: parent, writable: true, configurable: true });
  addChild(parent, this, false);
  define(this, 'filename', null);
  define(this, 'loaded', false);
  define(this, 'children', []);
}

const addChild = (parent, child, once) => {
  const children = parent?.children;
  if ($.isArray(children) && !(once && $.includes(children, child))) $.push(children, child);
};

/** @type {any} */
const statics = Module;
statics._stat = (filename) => native.stat($.text`${filename}`);
Object.defineProperty(Module, '_stat', { enumerable: false });
statics._cache = { __proto__: null };
statics._pathCache = { __proto__: null };
statics._extensions = { __proto__: null };
statics.globalPaths = [];
let modulePaths = [];

// Programs that put something of their own around each module.
const ends = ['(function (exports, require, module, __filename, __dirname) { ', '\n});'];
let isWrapped = false;
let wrap = (script) => statics.wrapper[0] + script + statics.wrapper[1];
/** @type {string[]} */
let wrapper = new Proxy(ends, {
  set(target, key, value, receiver) {
    isWrapped = true;
    return Reflect.set(target, key, value, receiver);
  },
  defineProperty(target, key, descriptor) {
    isWrapped = true;
    return Reflect.defineProperty(target, key, descriptor);
  },
});
Object.defineProperty(wrap, 'name', { value: 'wrap' });
Object.defineProperty(Module, 'wrap', {
  configurable: false, enumerable: false,
  get: () => wrap,
  set(value) {
    isWrapped = true;
    wrap = value;
  },
});
Object.defineProperty(Module, 'wrapper', {
  configurable: false, enumerable: false,
  get: () => wrapper,
  set(value) {
    isWrapped = true;
    wrapper = value;
  },
});

const isBuiltin = (name) => native.isBuiltin($.text`${name}`);
statics.isBuiltin = function isBuiltin(moduleName) {
  return native.isBuiltin($.text`${moduleName}`);
};
// The built-in module that a request names: with `node:`, or without for those that have a name without.
const isBuiltinRequest = (request) => $.startsWith(request, 'node:') || isBuiltin(request);
const builtin = (request) => {
  const found = native.builtin(request);
  if (found === undefined) {
    throw create('Error', 'ERR_UNKNOWN_BUILTIN_MODULE', $.text`No such built-in module: ${request}`);
  }
  return found;
};

// Where a module is looked for.

const tryFile = (path) => (statics._stat(path) === 0 ? native.realpath(path) ?? false : false);
const tryExtensions = (path, extensions) => {
  for (const extension of $.each(extensions)) {
    const found = tryFile(path + extension);
    if (found) return found;
  }
  return false;
};
const tryPackage = (folder, extensions, request) => {
  const main = native.main(folder);
  const index = resolvePath(folder, 'index');
  if (!main) return tryExtensions(index, extensions);
  const path = resolvePath(folder, main);
  const found = tryFile(path) || tryExtensions(path, extensions) ||
    tryExtensions(resolvePath(path, 'index'), extensions);
  if (found) return found;
  const json = resolvePath(folder, 'package.json');
  const guessed = tryExtensions(index, extensions);
  if (guessed) {
    require('process').process.emitWarning($.text`Invalid 'main' field in '${json}' of '${main}'. ` +
      'Please either fix that or report it to the module author', 'DeprecationWarning', 'DEP0128');
    return guessed;
  }
  const error = new Error(
    $.text`Cannot find module '${path}'. Please verify that the package.json has a valid "main" entry`);
  throw Object.assign(error, {
    code: 'MODULE_NOT_FOUND', path: json, requestPath: request,
  });
};
// `name` and `./sub/path` of a request that can name a package.
const packageParts = (request) => $.regex(/^((?:@[^/\\%]+\/)?[^./\\%][^/\\%]*)(\/.*)?$/s).exec(request);

Object.defineProperty(Module, '_readPackage', {
  value: function _readPackage(path) {
    const main = native.main(path);
    return { exists: native.stat(resolvePath(path, 'package.json')) === 0, main };
  }, writable: true, configurable: true, enumerable: false,
});

// These have no names in Node either.
const anonymous = (call) => Object.defineProperty(call, 'name', { value: '' });

statics._findPath = anonymous(function(request, paths, _isMain) {
  const absolute = isAbsolute(request);
  if (absolute) paths = [''];
  else if (!paths || paths.length === 0) return false;
  const key = $.text`${request}\0${$.join(paths, '\0')}`;
  const known = statics._pathCache[key];
  if (known) return known;
  const isFolder = $.regex(/(?:^|\/)(?:\.\.?)?$/).test(request);
  /** @type {string[] | undefined} */
  let extensions;
  for (let i = 0; i < paths.length; i++) {
    const folder = paths[i];
    if (typeof folder !== 'string') throw require('errors').invalidArgType('path', 'of type string', folder);
    if (folder !== '' && statics._stat(folder) < 1) continue;
    if (!absolute) {
      const { 1: name, 2: rest = '' } = packageParts(request) ?? [];
      const exported = name === undefined ? undefined
        : native.fromExports(resolvePath(folder, name), $.text`.${rest}`);
      if (exported !== undefined) {
        statics._pathCache[key] = exported;
        return exported;
      }
    }
    const path = resolvePath(folder, request);
    const kind = statics._stat(path);
    let found;
    if (!isFolder) {
      if (kind === 0) found = native.realpath(path);
      if (!found) {
        extensions ??= Object.keys(statics._extensions);
        found = tryExtensions(path, extensions);
      }
    }
    if (!found && kind === 1) {
      extensions ??= Object.keys(statics._extensions);
      found = tryPackage(path, extensions, request);
    }
    if (found) {
      statics._pathCache[key] = found;
      return found;
    }
  }
  return false;
});

statics._nodeModulePaths = anonymous(function(from) {
  from = resolvePath(from);
  const paths = [];
  for (let end = from.length; end > 0; end = $.lastIndexOf(from, '/', end - 1)) {
    const folder = $.slice(from, 0, end);
    if (folder !== '/' && basename(folder) !== 'node_modules') $.push(paths, $.text`${folder}/node_modules`);
    if (end === 1) break;
  }
  $.push(paths, '/node_modules');
  return paths;
});

statics._resolveLookupPaths = anonymous(function(request, parent) {
  if (isBuiltinRequest(request)) return null;
  const first = request[1];
  if (request[0] !== '.' || (request.length > 1 && first !== '.' && first !== '/')) {
    const own = parent?.paths;
    const paths = own?.length ? [...$.each(own), ...$.each(modulePaths)] : modulePaths;
    return paths.length > 0 ? paths : null;
  }
  if (!parent?.id || !parent.filename) {
    return ['.', ...$.each(statics._nodeModulePaths('.')), ...$.each(modulePaths)];
  }
  return [dirname(parent.filename)];
});

const notFound = (request, path) => {
  const error = new Error($.text`Cannot find module '${request}'`);
  return Object.assign(error, path === undefined ? { code: 'MODULE_NOT_FOUND' } : { code: 'MODULE_NOT_FOUND', path });
};
const lookupPathsOf = (request, options, parent) => {
  const given = typeof options === 'object' && options !== null ? options.paths : undefined;
  if (given === undefined) return statics._resolveLookupPaths(request, parent);
  if (!$.isArray(given)) throw invalidArgValue('options.paths', given);
  if (isRelative(request)) return given;
  const paths = [];
  const stand = new /** @type {any} */ (Module)('', null);
  for (const path of $.each(given)) {
    stand.paths = statics._nodeModulePaths(path);
    for (const found of $.each(statics._resolveLookupPaths(request, stand) ?? [])) {
      if (!$.includes(paths, found)) $.push(paths, found);
    }
  }
  return paths;
};
const selfParentOf = (parent) => {
  if (!parent) return undefined;
  if (parent.filename) return parent.filename;
  if (parent.id !== '<repl>' && parent.id !== 'internal/preload') return undefined;
  return $.text`${require('process').process.cwd()}/`;
};

statics._resolveFilename = anonymous(function(request, parent, isMain, options) {
  if (isBuiltin(request)) return request;
  const paths = lookupPathsOf(request, options, parent);
  if (request[0] === '#' && (parent?.filename || parent?.id === '<repl>')) {
    const found = native.fromImports(parent.filename ?? $.text`${require('process').process.cwd()}/`, request);
    if (found !== undefined) {
      if (isBuiltin(found)) return found;
      const file = tryFile(found);
      if (file) return file;
      throw notFound(found);
    }
  }
  const self = selfParentOf(parent);
  const own = self === undefined ? undefined : native.fromSelf(self, request);
  if (own !== undefined) {
    const file = tryFile(own);
    if (file) return file;
    throw notFound(own);
  }
  const found = statics._findPath(request, paths, isMain);
  if (found) {
    if (typeof found === 'string' && statics._stat(found) !== 0 && native.stat(found) !== 0) {
      // A map of exports leads to a file that is not there, or a file is gone since it was found.
      throw notFound(found);
    }
    return found;
  }
  // A path that leads out of what is granted is refused, whether there is anything or not.
  if (isAbsolute(request) || (request[0] === '.' && paths)) {
    native.check(isAbsolute(request) ? request : resolvePath(paths[0], request));
  }
  const requireStack = [];
  for (let cursor = parent; cursor; cursor = cursor[kParent]) $.push(requireStack, cursor.filename || cursor.id);
  const stack = requireStack.length > 0 ? $.text`\nRequire stack:\n- ${$.join(requireStack, '\n- ')}` : '';
  const error = new Error($.text`Cannot find module '${request}'${stack}`);
  throw Object.assign(error, { code: 'MODULE_NOT_FOUND', requireStack });
});

// Loading.

const makeRequire = (module) => {
  const make = () => {
    /** @type {any} */
    const require = function require(path) {
      return module.require(path);
    };
    return require;
  };
  const resolve = function resolve(request, options) {
    validateString(request, 'request');
    return statics._resolveFilename(request, module, false, options);
  };
  define(resolve, 'paths', function paths(request) {
    validateString(request, 'request');
    return statics._resolveLookupPaths(request, module);
  });
  return Object.assign(make(), { resolve, main: mainModule, extensions: statics._extensions, cache: statics._cache });
};

// What warns of circles, once there has been one.
let circles;
statics._load = anonymous(function(request, parent, isMain) {
  if (typeof request === 'string' && $.startsWith(request, 'node:')) return builtin(request);
  const filename = statics._resolveFilename(request, parent, isMain);
  const cached = statics._cache[filename];
  if (cached !== undefined) {
    addChild(parent, cached, true);
    if (!cached.loaded) (circles ??= require('module_extras')).enter(cached.exports);
    return cached.exports;
  }
  if (isBuiltin(filename)) return builtin(filename);
  const module = new /** @type {any} */ (Module)(filename, parent);
  if (isMain) {
    mainModule = module;
    require('process').process.mainModule = module;
    module.id = '.';
  }
  module[kIsMain] = Boolean(isMain);
  statics._cache[filename] = module;
  module[kByImport] = false;
  module[kURL] = undefined;
  module[kFormat] = undefined;
  module[kIsExecuting] = false;
  let threw = true;
  try {
    module.load(filename);
    threw = false;
  } finally {
    if (threw) {
      delete statics._cache[filename];
      const children = parent?.children;
      const index = $.isArray(children) ? $.indexOf(children, module) : -1;
      if (index >= 0) $.splice(children, index, 1);
    } else {
      circles?.leave(module.exports);
    }
  }
  return module.exports;
});

Object.defineProperty(Module.prototype, 'constructor', {
  configurable: false, enumerable: false, get: () => Module,
});
Object.defineProperty(Module.prototype, 'isPreloading', { configurable: false, enumerable: false, get: () => false });
Object.defineProperty(Module.prototype, 'parent', {
  configurable: false, enumerable: false,
  /** @this {any} */
  get: function parent() { return this[kParent]; },
  /** @this {any} */
  set: function parent(value) { this[kParent] = value; },
});

const extensionOf = (filename) => {
  const name = basename(filename);
  for (let at = $.indexOf(name, '.'); at >= 0; at = $.indexOf(name, '.', at + 1)) {
    if (at === 0) continue;
    const extension = $.slice(name, at);
    if (statics._extensions[extension]) return extension;
  }
  return '.js';
};

/** @type {any} */
const proto = Module.prototype;
proto.load = anonymous(/** @this {any} */ function(filename) {
  this.filename ??= filename;
  this.paths ??= statics._nodeModulePaths(dirname(filename));
  statics._extensions[extensionOf(filename)](this, filename);
  this.loaded = true;
});

proto.require = anonymous(/** @this {any} */ function(id) {
  validateString(id, 'id');
  if (id === '') throw invalidArgValue('id', id, 'must be a non-empty string');
  return statics._load(id, this, false);
});

// A program compiled as the body of a function, or undefined if it is an ES module.
const compile = (content, filename, format) => {
  if (isWrapped && format !== 'module') return native.run(statics.wrap(content), filename);
  try {
    return native.compile(content, filename);
  } catch (error) {
    if (format !== 'commonjs' && native.isModule(content)) return undefined;
    throw error;
  }
};

// What `require` returns for an ES module.
const requireModule = (module, filename) => {
  const url = native.url(filename);
  const namespace = native.requireModule(url, filename, module[kParent]?.filename ?? undefined);
  if (Object.hasOwn(namespace, 'module.exports')) module.exports = namespace['module.exports'];
  else if (!Object.hasOwn(namespace, 'default') || Object.hasOwn(namespace, '__esModule')) module.exports = namespace;
  else module.exports = native.facade(url);
};

const loadModule = (module, filename) => {
  module[kFormat] = 'module';
  if (!module[kIsMain]) {
    requireModule(module, filename);
    return;
  }
  // The program starts over as an ES module, without `require.main`.
  mainModule = undefined;
  require('process').process.mainModule = undefined;
  native.importMain(filename);
};

proto._compile = anonymous(/** @this {any} */ function(content, filename, format = undefined) {
  if (format === 'commonjs-typescript' || format === 'module-typescript' || format === 'typescript') {
    content = native.strip(content, filename);
    format = format === 'typescript' ? undefined : $.slice(format, 0, -'-typescript'.length);
  }
  if (format === 'module') {
    loadModule(this, filename);
    return undefined;
  }
  const compiled = compile($.text`${content}`, filename, format);
  if (compiled === undefined) {
    loadModule(this, filename);
    return undefined;
  }
  this[kFormat] = 'commonjs';
  const { exports } = this;
  const require = makeRequire(this);
  this[kIsExecuting] = true;
  try {
    return Reflect.apply(compiled, exports, [exports, require, this, filename, dirname(filename)]);
  } finally {
    this[kIsExecuting] = false;
  }
});

const stripMark = (text) => ($.charCodeAt(text, 0) === 0xfeff ? $.slice(text, 1) : text);
const isTypeScript = (filename) => $.regex(/\.[cm]?ts$/).test(filename);

// How a file is to be read: by its extension or, for `.js`, its package; undefined if its syntax decides.
const formatOf = (filename) => {
  const extension = extname(filename);
  const suffix = isTypeScript(filename) ? '-typescript' : '';
  if (extension === '.mjs' || extension === '.mts') return $.text`module${suffix}`;
  if (extension === '.cjs' || extension === '.cts') return $.text`commonjs${suffix}`;
  if (extension !== '.js' && extension !== '.ts') return undefined;
  const type = native.packageType(filename);
  if (type === 'module' || type === 'commonjs') return type + suffix;
  return suffix === '' ? undefined : 'typescript';
};

statics._extensions['.js'] = anonymous(function(module, filename) {
  const format = formatOf(filename);
  if (format === 'module') {
    loadModule(module, filename);
    return;
  }
  module._compile(native.read(filename), filename, format);
});
statics._extensions['.json'] = anonymous(function(module, filename) {
  const content = native.read(filename);
  try {
    define(module, 'exports', JSON.parse(stripMark(content)));
  } catch (error) {
    error.message = $.text`${filename}: ${error.message}`;
    throw error;
  }
});
statics._extensions['.node'] = anonymous(function(module, filename) {
  // In the words of the system, which would not load such a file either.
  const { length } = native.read(filename);
  if (length < 64) throw create('Error', 'ERR_DLOPEN_FAILED', $.text`${filename}: file too short`);
  throw create('Error', 'ERR_DLOPEN_FAILED',
    $.text`${filename} is a native addon for Node.js, which cannot be loaded here`);
});

statics.createRequire = function createRequire(filename) {
  const expected = 'must be a file URL object, file URL string, or absolute path string';
  let path = filename;
  const isUrl = typeof filename === 'object' && filename !== null && filename.href && filename.protocol;
  if (isUrl || (typeof filename === 'string' && !isAbsolute(filename))) {
    try {
      path = require('url').fileURLToPath(filename);
    } catch {
      throw invalidArgValue('filename', filename, expected);
    }
  } else if (typeof filename !== 'string') {
    throw invalidArgValue('filename', filename, expected);
  }
  // (A folder stands for a file in it.)
  if ($.endsWith(path, '/')) path += 'noop.js';
  const module = new /** @type {any} */ (Module)(path);
  module.filename = path;
  module.paths = statics._nodeModulePaths(module.path);
  return makeRequire(module);
};

statics._initPaths = anonymous(function() {
  const home = native.variable('HOME');
  const paths = [resolvePath(native.execPath(), '..', '..', 'lib', 'node')];
  if (home) $.unshift(paths, resolvePath(home, '.node_modules'), resolvePath(home, '.node_libraries'));
  const given = native.variable('NODE_PATH');
  if (given) $.unshift(paths, ...$.each($.filter($.split(given, ':'), Boolean)));
  modulePaths = paths;
  statics.globalPaths = $.slice(paths);
});
statics._preloadModules = anonymous(function(requests) {
  if (!$.isArray(requests)) return;
  const parent = new /** @type {any} */ (Module)('internal/preload', null);
  parent.paths = statics._nodeModulePaths(require('process').process.cwd());
  for (const request of $.each(requests)) parent.require(request);
});
statics.syncBuiltinESMExports = function syncBuiltinESMExports() {};
statics.Module = Module;
Object.assign(Module, require('module_extras').extras(native));
statics.builtinModules = $.filter(native.names(), (name) => !$.includes(name, ':') || $.startsWith(name, 'node:'));
statics._initPaths();

// What an ES module sees of a CommonJS module before it has run: the names that its text gives away.

const lexed = new Map();
const namesOf = (filename, text) => {
  const known = lexed.get(filename);
  if (known !== undefined) return known;
  // (Other modules may ask for these while they are being found.)
  const all = new Set();
  lexed.set(filename, all);
  const { names, reexports } = native.lex(text);
  for (const name of $.each(names)) all.add(name);
  if (reexports.length === 0) return all;
  const parent = new /** @type {any} */ (Module)(filename);
  parent.filename = filename;
  parent.paths = statics._nodeModulePaths(parent.path);
  for (const request of $.each(reexports)) {
    try {
      const found = statics._resolveFilename(request, parent);
      const extension = extname(found);
      const isScript = extension === '.js' || extension === '.cjs' || !statics._extensions[extension];
      if (!isScript || !isAbsolute(found)) continue;
      for (const name of $.eachIn(namesOf(found, native.read(found)), 'Set')) all.add(name);
    } catch {
      // Running the module will say what is wrong.
    }
  }
  return all;
};
exports.exportNames = (filename, text) => [...$.eachIn(namesOf(filename, text), 'Set')];

// Runs a CommonJS module that an ES module imports. Returns its exports, and the values of some of them.
exports.importCommonJs = (filename, isMain, names) => {
  const cached = statics._cache[filename];
  const value = cached?.loaded ? cached.exports : statics._load(filename, undefined, isMain);
  const values = [];
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  for (const name of $.each(names)) {
    let found;
    let has = isObject && Object.hasOwn(value, name);
    if (has) {
      try {
        found = value[name];
      } catch {
        has = false;
      }
    }
    $.push(values, has, found);
  }
  return { value, values };
};

// Runs a program's main file.
exports.runMain = (filename) => {
  statics._load(filename, null, true);
};

// Gives a text that is no file, such as a worker's, what a CommonJS module has, in the global scope.
exports.prepareText = (name) => {
  const module = new /** @type {any} */ (Module)(name);
  const folder = require('process').process.cwd();
  module.filename = resolvePath(folder, name);
  module.paths = statics._nodeModulePaths(folder);
  define(globalThis, '__filename', name);
  define(globalThis, 'module', module);
  define(globalThis, 'exports', module.exports);
  define(globalThis, '__dirname', '.');
  define(globalThis, 'require', makeRequire(module));
};

exports.module = { ...statics, default: Module };
