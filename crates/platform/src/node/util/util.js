// node:util.
const inspector = require('inspect');
const { inspect } = inspector;
const { create, invalidArgType, notImplemented, outOfRange, promisifyNames } = require('errors');
const {
  validateAbortSignal, validateBoolean, validateFunction, validateInteger, validateObject, validateOneOf, validateString,
} = require('validators');

const promisifyCustom = $.symbolFor('nodejs.util.promisify.custom');
const hidden = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: false, enumerable: false, configurable: true });

const warnOfDeprecation = (message, code) => require('deprecation').warn(message, code);
/**
 * @param {string} [code]
 * @param {Options<{ modifyPrototype?: boolean }>} [options]
 */
function deprecate(method, message, code, options = { __proto__: null }) {
  const { modifyPrototype = true } = options;
  if (require('process').process.noDeprecation === true) return method;
  if (code !== undefined) validateString(code, 'code');
  let warned = false;
  /** @this {unknown} */
  function deprecated(...args) {
    if (!warned && require('process').process.noDeprecation !== true) {
      warned = true;
      warnOfDeprecation(message, code);
    }
    return new.target ? Reflect.construct(method, args, new.target) : Reflect.apply(method, this, args);
  }
  if (modifyPrototype) {
    Object.setPrototypeOf(deprecated, method);
    if (method.prototype) deprecated.prototype = method.prototype;
  }
  Object.defineProperty(deprecated, 'length', { ...Object.getOwnPropertyDescriptor(method, 'length') });
  return deprecated;
}

function promisify(original) {
  validateFunction(original, 'original');
  const own = original[promisifyCustom];
  if (own) {
    validateFunction(own, 'util.promisify.custom');
    return hidden(own, promisifyCustom, own);
  }
  const names = original[promisifyNames];
  /** @this {unknown} */
  function promised(...args) {
    return new Promise((resolve, reject) => {
      const result = Reflect.apply(original, this, [...$.each(args), (error, ...values) => {
        if (error) return reject(error);
        if (names === undefined || values.length < 2) return resolve(values[0]);
        return resolve(Object.fromEntries($.map(names, (name, i) => [name, values[i]])));
      }]);
      if (inspector.isPromise(result)) {
        warnOfDeprecation('Calling promisify on a function that returns a Promise is likely a mistake.', 'DEP0174');
      }
    });
  }
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  hidden(promised, promisifyCustom, promised);
  const descriptors = Object.getOwnPropertyDescriptors(original);
  for (const key of $.each(Reflect.ownKeys(descriptors))) {
    Object.defineProperty(promised, key, { ...descriptors[/** @type {string} */ (key)] });
  }
  return promised;
}
promisify.custom = promisifyCustom;

function callbackify(original) {
  validateFunction(original, 'original');
  /** @this {unknown} */
  function callbackified(...args) {
    const callback = $.pop(args);
    validateFunction(callback, 'last argument');
    const { nextTick } = require('process').process;
    const call = (...values) => Reflect.apply(callback, this, values);
    const fulfilled = (value) => nextTick(call, null, value);
    const rejected = (error) => nextTick(call, error || create('Error', 'ERR_FALSY_VALUE_REJECTION',
      'Promise was rejected with falsy value', { reason: error }));
    const promise = Reflect.apply(original, this, args);
    if (inspector.isPromise(promise)) $.then(promise, fulfilled, rejected);
    else promise.then(fulfilled, rejected);
  }
  const descriptors = Object.getOwnPropertyDescriptors(original);
  if (typeof descriptors.length.value === 'number') descriptors.length.value++;
  if (typeof descriptors.name.value === 'string') descriptors.name.value += 'Callbackified';
  for (const key of $.each(Reflect.ownKeys(descriptors))) {
    Object.defineProperty(callbackified, key, { ...descriptors[/** @type {string} */ (key)] });
  }
  return callbackified;
}

function inherits(ctor, superCtor) {
  if (ctor === undefined || ctor === null) throw invalidArgType('ctor', 'of type function', ctor);
  if (superCtor === undefined || superCtor === null) throw invalidArgType('superCtor', 'of type function', superCtor);
  if (superCtor.prototype === undefined) {
    throw invalidArgType('superCtor.prototype', 'of type object', superCtor.prototype);
  }
  Object.defineProperty(ctor, 'super_', { value: superCtor, writable: true, configurable: true });
  Object.setPrototypeOf(ctor.prototype, superCtor.prototype);
}

/** Whether NODE_DEBUG names a set; a `*` in it stands for anything. */
const isDebugged = (set) => {
  const { env: { NODE_DEBUG } } = /** @type {any} */ (require('process').process);
  if (!NODE_DEBUG) return false;
  return $.some($.split(NODE_DEBUG, ','), (name) => {
    const pattern = $.replaceAll($.replace($.trim(name), $.regex(/[|\\{}()[\]^$+?.]/g), '\\$&'), '*', '.*');
    return $.regex(new RegExp($.text`^${pattern}$`, 'i')).test(set);
  });
};
/** @param {(log: Function) => void} [callback] */
function debuglog(set, callback) {
  let enabled;
  const isEnabled = () => {
    if (enabled === undefined) {
      set = $.toUpperCase($.text`${set}`);
      enabled = isDebugged(set);
    }
    return enabled;
  };
  let isFirst = true;
  const logger = (...args) => {
    if (isEnabled()) {
      const { process } = require('process');
      const colors = shouldColor(process.stderr);
      const text = inspector.formatWithOptions({ colors }, ...$.each(args));
      process.stderr.write($.text`${set} ${process.pid}: ${text}\n`);
    }
    if (isFirst) {
      isFirst = false;
      if (typeof callback === 'function') callback(logger);
    }
  };
  return Object.defineProperty(logger, 'enabled', { get: isEnabled, configurable: true, enumerable: true });
}

/** Whether text for this stream should have colours. */
function shouldColor(stream) {
  const { process } = /** @type {any} */ (require('process'));
  if (process.env.FORCE_COLOR !== undefined) return colorDepth(process.env.FORCE_COLOR) > 2;
  return Boolean(stream?.isTTY) && (typeof stream.getColorDepth !== 'function' || stream.getColorDepth() > 2);
}
const colorDepth = (forced) =>
  (forced === '' || forced === '1' || forced === 'true' ? 4 : forced === '2' ? 8 : forced === '3' ? 24 : 1);

/** @param {Options<{ validateStream?: boolean, stream?: any }>} options */
function styleText(format, text, options) {
  options ??= { __proto__: null };
  validateString(text, 'text');
  validateObject(options, 'options');
  const { validateStream = true, stream = validateStream ? require('process').process.stdout : undefined } = options;
  validateBoolean(validateStream, 'options.validateStream');
  let isPlain = false;
  if (validateStream) {
    const isStream = stream !== null && typeof stream === 'object' &&
      (typeof stream.write === 'function' || typeof stream.pipe === 'function' || typeof stream.on === 'function' ||
        typeof stream.getReader === 'function' || typeof stream.getWriter === 'function');
    if (!isStream) throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
    isPlain = !shouldColor(stream);
  }
  const formats = $.isArray(format) ? format : [format];
  let before = '';
  let after = '';
  for (const name of $.each(formats)) {
    if (name === 'none') continue;
    const codes = inspect.colors[name];
    if (codes === undefined) validateOneOf(name, 'format', Object.getOwnPropertyNames(inspect.colors));
    before += $.text`\u001b[${codes[0]}m`;
    after = $.text`\u001b[${codes[1]}m${after}`;
    // What ends inside of the text goes on behind it; bold and dim have the same end.
    const end = $.text`\u001b[${codes[1]}m`;
    const again = codes[1] === 22 ? end : '';
    if (!isPlain) {
      // (What ends at the end of the text needs nothing behind it.)
      const isLast = $.endsWith(text, end);
      const inner = isLast ? $.slice(text, 0, -end.length) : text;
      text = $.replaceAll(inner, end, $.text`${again}\u001b[${codes[0]}m`) + (isLast ? end : '');
    }
  }
  return isPlain ? text : before + text + after;
}

const systemError = (number) => {
  if (typeof number !== 'number') throw invalidArgType('err', 'of type number', number);
  if (number >= 0 || !Number.isInteger(number)) throw outOfRange('err', 'a negative integer', number);
  return require('errno').systemErrors().get(number);
};
const exception = (code, message, more) => {
  const error = new Error(message);
  return Object.assign(error, more, { code });
};
function _errnoException(...args) {
  const { 0: number, 1: syscall, 2: original } = args;
  const name = getSystemErrorName(number);
  const message = original ? $.text`${syscall} ${name} ${original}` : $.text`${syscall} ${name}`;
  return Object.assign(exception(name, message, { errno: number }), { syscall });
}
function _exceptionWithHostPort(...args) {
  const { 0: number, 1: syscall, 2: address, 3: port, 4: additional } = args;
  const name = getSystemErrorName(number);
  let details = port && port > 0 ? $.text` ${address}:${port}` : address ? $.text` ${address}` : '';
  if (additional) details += $.text` - Local (${additional})`;
  const error = Object.assign(exception(name, $.text`${syscall} ${name}${details}`, { errno: number }),
    { syscall, address });
  return port ? Object.assign(error, { port }) : error;
}
function getSystemErrorName(number) {
  return systemError(number)?.[0] ?? $.text`Unknown system error ${number}`;
}
function getSystemErrorMessage(number) {
  return systemError(number)?.[1];
}
function getSystemErrorMap() {
  return require('errno').systemErrors();
}

function convertProcessSignalToExitCode(signal) {
  const { signals } = /** @type {any} */ (require('os')).constants;
  validateOneOf(signal, 'signalCode', Object.keys(signals));
  return 128 + signals[signal];
}

function getCallSites(count = 8, options = undefined) {
  if (options === undefined && typeof count === 'object') ({ 0: options, 1: count } = [count, 8]);
  if (options !== undefined) {
    validateObject(options, 'options');
    if (options.sourceMap !== undefined) validateBoolean(options.sourceMap, 'options.sourceMap');
  }
  validateInteger(count, 'frameCount', 1, 200);
  const { frames, keepPlain } = require('stack');
  const restore = keepPlain();
  let stack;
  try {
    stack = frames(new Error());
  } finally {
    restore();
  }
  const lines = $.split(stack, '\n');
  const sites = [];
  for (const line of $.each(lines)) {
    const found = $.regex(/^ {4}at (?:(.*) \()?(.*?)(?::(\d+))?(?::(\d+))?\)?$/).exec(line);
    if (found === null || $.startsWith(found[2], 'node:internal/')) continue;
    const { 1: name = '', 2: scriptName, 3: lineNumber = 0, 4: column = 0 } = found;
    const functionName = name === '<anonymous>' || name === '<module>' || name === '<eval>' ? '' : name;
    const columnNumber = +column;
    $.push(sites, {
      functionName, scriptId: '0', scriptName, lineNumber: +lineNumber, columnNumber, column: columnNumber,
    });
  }
  return $.slice(sites, 0, count);
}

function aborted(signal, resource) {
  // (Like Node, this rejects instead of throwing.)
  try {
    if (signal === undefined) throw invalidArgType('signal', 'an instance of AbortSignal', signal);
    validateAbortSignal(signal, 'signal');
    validateObject(resource, 'resource', { __proto__: null, nullable: false, array: false, callable: true });
  } catch (error) {
    return $.rejected(error);
  }
  if (signal.aborted) return $.resolved();
  const { promise, resolve } = $.withResolvers();
  signal.addEventListener('abort', resolve, { __proto__: null, once: true });
  return promise;
}

function parseEnv(content) {
  validateString(content, 'content');
  return require('parse_env').parseEnv(content);
}
function diff(actual, expected) {
  return require('diff').diff(actual, expected);
}
function parseArgs(config = { __proto__: null }) {
  return require('parse_args').parseArgs(config);
}

// Sequences of a terminal: commands that end with a letter, texts for the terminal with their ends, and short ones.
const controlSequences = $.regex(new RegExp($.join([
  '(?:\\u001b\\]|\\u009d)[^\\u0007\\u009c\\u001b]*(?:\\u0007|\\u001b\\\\|\\u009c)',
  '(?:\\u001b\\[|\\u009b)[\\[0-?]*[ -/]*[@-~]', '\\u001b[ -/]+[0-~]', '\\u001b[0-Z\\\\^-~]',
], '|'), 'g'));
const util = {
  _errnoException, _exceptionWithHostPort,
  _extend: deprecate(function _extend(target, source) {
    if (source === null || typeof source !== 'object') return target;
    for (const key of $.each($.reverse(Object.keys(source)))) target[key] = source[key];
    return target;
  }, 'The `util._extend` API is deprecated. Please use Object.assign() instead.', 'DEP0060'),
  callbackify, convertProcessSignalToExitCode, debug: debuglog, debuglog, deprecate,
  format: inspector.format, styleText, formatWithOptions: inspector.formatWithOptions,
  getCallSites, getSystemErrorMap, getSystemErrorName, getSystemErrorMessage, inherits, inspect,
  isArray: deprecate((value) => $.isArray(value),
    'The `util.isArray` API is deprecated. Please use `Array.isArray()` instead.', 'DEP0044'),
  isDeepStrictEqual: function isDeepStrictEqual(a, b, options) {
    return /** @type {any} */ (require('deep_equal')).isDeepStrictEqual(a, b, options);
  },
  promisify,
  stripVTControlCharacters: function stripVTControlCharacters(text) {
    validateString(text, 'str');
    return $.replace(text, controlSequences, '');
  },
  toUSVString: function toUSVString(text) {
    return $.toWellFormed($.text`${text}`);
  },
  transferableAbortSignal: function transferableAbortSignal(signal) {
    if (signal === undefined) throw invalidArgType('signal', 'an instance of AbortSignal', signal);
    validateAbortSignal(signal, 'signal');
    return signal;
  },
  transferableAbortController: function transferableAbortController() {
    return new (require('abort').AbortController)();
  },
  aborted, types: undefined, parseEnv, parseArgs,
  TextDecoder: undefined, TextEncoder: undefined, MIMEType: undefined, MIMEParams: undefined,
  diff,
  setTraceSigInt: function setTraceSigInt(enable) {
    validateBoolean(enable, 'enable');
    throw notImplemented('util.setTraceSigInt');
  },
};
const lazily = (name, file) => Object.defineProperty(util, name, {
  enumerable: true, configurable: true,
  get() {
    const value = require(file)[name];
    Object.defineProperty(util, name, { value, writable: true, enumerable: true, configurable: true });
    return value;
  },
});
lazily('types', 'util_types');
for (const name of $.each(['TextDecoder', 'TextEncoder'])) lazily(name, 'encoding');
for (const name of $.each(['MIMEType', 'MIMEParams'])) lazily(name, 'mime');

// Other files use the functions; `util`, `sys` and `util/types` are the modules.
Object.defineProperties(exports, Object.getOwnPropertyDescriptors(util));
exports.util = exports.sys = util;
Object.defineProperty(exports, 'util/types', { enumerable: true, get: () => util.types });
Object.defineProperty(exports, 'shouldColor', { value: shouldColor });
