// node:vm.
/**
 * What Rust provides.
 * @type {{
 *   check(source: string, file: string, line: number): void,
 *   run(source: string, file: string, line: number, timeout: number | undefined, sigint: boolean): unknown,
 *   context(): object,
 *   globalOf(context: object): any,
 *   runIn(context: object, source: string, file: string, line: number, limit: number | undefined, stop: boolean): any,
 * }}
 */
const native = rust;
const { invalidArgType, notImplemented } = require('errors');
const {
  validateArray, validateBoolean, validateInt32, validateObject, validateOneOf, validateString, validateUint32,
} = require('validators');

const constants = Object.freeze({
  __proto__: null,
  USE_MAIN_CONTEXT_DEFAULT_LOADER: Symbol('vm_dynamic_import_main_context_default'),
  DONT_CONTEXTIFY: Symbol('vm_context_no_contextify'),
});

// A context has a global object of its own. What a script finds there is copied from the object that was made a context
// before the script runs, and back to it afterwards.
const contexts = new WeakMap();
const attributesOf = (object, key) => Object.getOwnPropertyDescriptor(object, key);
const isSame = (a, b) => a !== undefined && Object.is(a.value, b.value) && a.get === b.get && a.set === b.set &&
  a.enumerable === b.enumerable;
const copyProperties = (from, to, known) => {
  for (const key of $.each(Reflect.ownKeys(from))) {
    const found = attributesOf(from, key);
    if (found === undefined || isSame(known.get(key), found)) continue;
    known.set(key, found);
    try {
      Object.defineProperty(to, key, { ...found, configurable: true });
    } catch {
      // A property that cannot be changed stays as it is.
    }
  }
};
const dropProperties = (from, to, known) => {
  for (const { 0: key } of $.each([...$.each(known)])) {
    if (attributesOf(from, key) === undefined && attributesOf(to, key) !== undefined) {
      Reflect.deleteProperty(to, key);
      known.delete(key);
    }
  }
};
const runIn = (sandbox, run) => {
  const { handle, global, known } = contexts.get(sandbox);
  if (global !== sandbox) {
    copyProperties(sandbox, global, known.given);
    dropProperties(sandbox, global, known.given);
  }
  // What is there already is not the script's.
  for (const { 0: key, 1: found } of $.each(known.given)) known.made.set(key, found);
  try {
    return run(handle);
  } finally {
    if (global !== sandbox) {
      copyProperties(global, sandbox, known.made);
      dropProperties(global, sandbox, known.made);
      for (const { 0: key, 1: found } of $.each(known.made)) if (known.given.has(key)) known.given.set(key, found);
    }
  }
};

const checkContext = (context) => {
  if (context === null || typeof context !== 'object') {
    throw invalidArgType('contextifiedObject', 'of type object', context);
  }
  if (!contexts.has(context)) throw invalidArgType('contextifiedObject', 'an vm.Context', context);
};
/** The options of a script; a string is the name of its file. */
const scriptOptions = (options) => {
  if (typeof options === 'string') options = { __proto__: null, filename: options };
  else validateObject(options, 'options');
  const { filename = 'evalmachine.<anonymous>', lineOffset = 0, columnOffset = 0, cachedData, produceCachedData = false } =
    options;
  validateString(filename, 'options.filename');
  validateInt32(lineOffset, 'options.lineOffset');
  validateInt32(columnOffset, 'options.columnOffset');
  if (cachedData !== undefined && !$.isView(cachedData)) {
    throw invalidArgType('options.cachedData', 'an instance of Buffer, TypedArray, or DataView', cachedData);
  }
  validateBoolean(produceCachedData, 'options.produceCachedData');
  return { filename, line: lineOffset + 1, cachedData, produceCachedData };
};
/** Checks the options of a run; the result has its limits. */
const runOptions = (options, name = 'options') => {
  if (typeof options === 'string') return { timeout: undefined, breakOnSigint: false };
  validateObject(options, name);
  const { displayErrors = true, breakOnSigint = false, timeout } = options;
  if (timeout !== undefined) validateUint32(timeout, $.text`${name}.timeout`, true);
  validateBoolean(displayErrors, $.text`${name}.displayErrors`);
  validateBoolean(breakOnSigint, $.text`${name}.breakOnSigint`);
  return { timeout, breakOnSigint };
};

// What stands for the compiled code of a script: it tells the script and is of no use for running it, since bytecode
// from anywhere could do anything.
const cacheOf = (source) => {
  const { Buffer } = require('buffer');
  return Buffer.from($.text`tombolo:${require('hash').hash('sha256', source)}`, 'latin1');
};
const isCacheOf = (data, source) => cacheOf(source).equals($.bytesOf(data));

class Script {
  #source;
  #filename;
  #line;
  cachedDataRejected;
  constructor(code, options = { __proto__: null }) {
    code = $.text`${code}`;
    const { filename, line, cachedData, produceCachedData } = scriptOptions(options);
    native.check(code, filename, line);
    this.#source = code;
    this.#filename = filename;
    this.#line = line;
    if (cachedData === undefined) delete this.cachedDataRejected;
    else this.cachedDataRejected = !isCacheOf(cachedData, code);
    if (produceCachedData) {
      Object.assign(this, { cachedDataProduced: true, cachedData: cacheOf(code) });
    }
    const { 1: sourceMapURL } = $.regex(/\/\/# sourceMappingURL=(\S+)\s*$/).exec(code) ?? [];
    /** @type {any} */ (this).sourceMapURL = sourceMapURL;
  }
  runInThisContext(options = { __proto__: null }) {
    const { timeout, breakOnSigint } = runOptions(options);
    return native.run(this.#source, this.#filename, this.#line, timeout, breakOnSigint);
  }
  runInContext(contextifiedObject, options = { __proto__: null }) {
    checkContext(contextifiedObject);
    const { timeout, breakOnSigint } = runOptions(options);
    return runIn(contextifiedObject, (handle) =>
      native.runIn(handle, this.#source, this.#filename, this.#line, timeout, breakOnSigint));
  }
  runInNewContext(contextObject, options = { __proto__: null }) {
    return this.runInContext(createContext(contextObject, contextOptions(options)), options);
  }
  createCachedData() {
    return cacheOf(this.#source);
  }
}
const contextOptions = (options) => {
  if (typeof options === 'string') return { __proto__: null };
  validateObject(options, 'options');
  const { contextName: name, contextOrigin: origin, contextCodeGeneration: codeGeneration, microtaskMode } = options;
  if (name !== undefined) validateString(name, 'options.contextName');
  if (origin !== undefined) validateString(origin, 'options.contextOrigin');
  if (codeGeneration !== undefined) validateObject(codeGeneration, 'options.contextCodeGeneration');
  return { __proto__: null, name, origin, codeGeneration, microtaskMode };
};

function createContext(contextObject = {}, options = { __proto__: null }) {
  const isPlain = contextObject === constants.DONT_CONTEXTIFY;
  if (!isPlain) {
    if (contextObject === null || (typeof contextObject !== 'object' && typeof contextObject !== 'function')) {
      throw invalidArgType('contextObject', 'of type object', contextObject);
    }
    if (contexts.has(contextObject)) return contextObject;
  }
  validateObject(options, 'options');
  const { name, origin, codeGeneration, microtaskMode } = /** @type {any} */ (options);
  if (name !== undefined) validateString(name, 'options.name');
  if (origin !== undefined) validateString(origin, 'options.origin');
  if (codeGeneration !== undefined) {
    validateObject(codeGeneration, 'options.codeGeneration');
    for (const part of $.each(['strings', 'wasm'])) {
      const value = codeGeneration[part];
      if (value !== undefined) validateBoolean(value, $.text`options.codeGeneration.${part}`);
    }
  }
  if (microtaskMode !== undefined) validateOneOf(microtaskMode, 'options.microtaskMode', ['afterEvaluate']);
  const handle = native.context();
  const global = native.globalOf(handle);
  // The engine's own, which a context does not have in Node.
  for (const name of $.each(['performance', 'queueMicrotask'])) Reflect.deleteProperty(global, name);
  const settle = (value) =>
    Object.defineProperty(global, 'Intl', { value, writable: true, enumerable: false, configurable: true });
  Object.defineProperty(global, 'Intl', {
    get() {
      const { Intl } = require('intl');
      settle(Intl);
      return Intl;
    },
    set: settle, enumerable: false, configurable: true,
  });
  require('stack').complete(global.Error);
  const known = { given: new Map(), made: new Map() };
  for (const key of $.each(Reflect.ownKeys(global))) known.made.set(key, attributesOf(global, key));
  const key = isPlain ? global : contextObject;
  contexts.set(key, { handle, global, known });
  return key;
}
function isContext(object) {
  validateObject(object, 'object', { __proto__: null, array: true, callable: true });
  return contexts.has(object);
}
function createScript(code, options) {
  return new Script(code, options);
}
function runInContext(code, contextifiedObject, options) {
  checkContext(contextifiedObject);
  return createScript(code, options ?? { __proto__: null }).runInContext(contextifiedObject, options ?? { __proto__: null });
}
function runInNewContext(code, contextObject, options) {
  return createScript(code, options ?? { __proto__: null }).runInNewContext(contextObject, options ?? { __proto__: null });
}
function runInThisContext(code, options) {
  return createScript(code, options ?? { __proto__: null }).runInThisContext(options ?? { __proto__: null });
}

function compileFunction(code, params, options = { __proto__: null }) {
  validateString(code, 'code');
  if (params !== undefined) {
    validateArray(params, 'params');
    $.forEach(params, (param, i) => validateString(param, $.text`params[${i}]`));
  }
  const { filename, line } = scriptOptions({ __proto__: null, filename: '', ...options });
  const { parsingContext, contextExtensions = [] } = /** @type {any} */ (options);
  if (parsingContext !== undefined && !(typeof parsingContext === 'object' && contexts.has(parsingContext))) {
    throw invalidArgType('options.parsingContext', 'an instance of Context', parsingContext);
  }
  validateArray(contextExtensions, 'options.contextExtensions');
  if (contextExtensions.length > 0) throw notImplemented("vm.compileFunction's contextExtensions");
  const list = $.join(params ?? [], ',');
  // Neither the parameters nor the body can end what is put around them.
  native.check($.text`(function (${list}\n) {})`, filename, line);
  native.check($.text`(function () {${code}\n})`, filename, line);
  native.check($.text`function body() {${code}\n}`, filename, line);
  const source = $.text`(function (${list}) {${code}\n})`;
  if (parsingContext === undefined) return native.run(source, filename, line, undefined, false);
  return runIn(parsingContext, (handle) => native.runIn(handle, source, filename, line, undefined, false));
}
function measureMemory() {
  return $.rejected(notImplemented('vm.measureMemory'));
}

Object.assign(exports, {
  Script, createContext, createScript, runInContext, runInNewContext, runInThisContext, isContext, compileFunction,
  measureMemory, constants,
});
