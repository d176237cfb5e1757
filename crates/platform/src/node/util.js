// node:util.
const inspector = require('inspect');
const { inspect, brand } = inspector;
const { create } = require('errors');
const { validateFunction } = require('validators');
const custom = $.symbolFor('nodejs.util.promisify.custom');

function promisify(original) {
  validateFunction(original, 'original');
  if (original[custom]) return original[custom];
  /** @this {unknown} */
  const promised = function (...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [
        ...$.each(args), (error, ...values) => (error ? reject(error) : resolve(values[0])),
      ]);
    });
  };
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, custom, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
Object.assign(promisify, { custom });
function callbackify(original) {
  validateFunction(original, 'original');
  /** @this {unknown} */
  return function (...args) {
    const callback = $.pop(args);
    validateFunction(callback, 'last argument');
    $.then($.awaited(Reflect.apply(original, this, args)),
      (value) => require('process').process.nextTick(callback, null, value),
      (error) => require('process').process.nextTick(callback, error ||
        create('Error', 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value', { reason: error })));
  };
}
const tagged = (name) => (value) => inspector.isTypedArray(value) && $.tagOf(value) === name;
const types = {
  isPromise: inspector.isPromise, isProxy: inspector.isProxy, isNativeError: inspector.isError,
  isTypedArray: (v) => $.isView(v) && inspector.isTypedArray(v), isArrayBufferView: $.isView,
  isDataView: inspector.isDataView, isAnyArrayBuffer: (v) => types.isArrayBuffer(v) || types.isSharedArrayBuffer(v),
  isArgumentsObject: (v) => typeof v === 'object' && v !== null && inspector.isArguments(v),
  isModuleNamespaceObject: (v) => typeof v === 'object' && v !== null && inspector.isNamespace(v),
  isGeneratorFunction: (v) => typeof v === 'function' && $.endsWith(inspector.functionType(v), 'GeneratorFunction'),
  isAsyncFunction: (v) => typeof v === 'function' && $.startsWith(inspector.functionType(v), 'Async'),
  isGeneratorObject: (v) => $.textOf(v) === '[object Generator]',
  isExternal: () => false,
  isMapIterator: (v) => $.textOf(v) === '[object Map Iterator]',
  isSetIterator: (v) => $.textOf(v) === '[object Set Iterator]',
  isBoxedPrimitive: (v) =>
    $.some(['Number', 'String', 'Boolean', 'BigInt', 'Symbol'], (n) => types[$.text`is${n}Object`](v)),
};
const isObject = (value) => typeof value === 'object' && value !== null;
for (const name of $.each(['Map', 'Set', 'WeakMap', 'WeakSet', 'Date', 'RegExp', 'ArrayBuffer', 'SharedArrayBuffer'])) {
  types[$.text`is${name}`] = (value) => isObject(value) && brand[name](value);
}
for (const name of $.each(['Number', 'String', 'Boolean', 'BigInt', 'Symbol'])) {
  types[$.text`is${name}Object`] = (value) => isObject(value) && brand[name](value);
}
for (const name of $.each([
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
])) types[$.text`is${name}`] = tagged(name);

const deprecated = new Set();
const debuglog = () => Object.assign(() => {}, { enabled: false });
Object.assign(exports, {
  inspect, format: inspector.format, formatWithOptions: inspector.formatWithOptions, promisify, callbackify, types,
  isDeepStrictEqual: (a, b) => require('deep_equal').isDeepStrictEqual(a, b),
  stripVTControlCharacters: (text) => $.replace(text, $.regex(/\u001b\[[0-9;]*[A-Za-z]/g), ''),
  toUSVString: (text) => $.toWellFormed($.text`${text}`),
  inherits(constructor, parent) {
    validateFunction(constructor, 'ctor');
    validateFunction(parent, 'superCtor');
    Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(constructor.prototype, parent.prototype);
  },
  deprecate(original, message, code) {
    /** @this {unknown} */
    const warning = function (...args) {
      if (!deprecated.has(code ?? message)) {
        deprecated.add(code ?? message);
        require('process').process.emitWarning(message, 'DeprecationWarning', code);
      }
      return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
    };
    return Object.defineProperties(warning, { name: { value: original.name, configurable: true } });
  },
  debuglog,
  aborted: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  styleText(style, text) {
    return $.reduce($.flat([style]),
      (t, name) => $.text`\u001b[${inspect.colors[name][0]}m${t}\u001b[${inspect.colors[name][1]}m`, text);
  },
  isArray: (value) => $.isArray(value),
  getSystemErrorName: (number) => $.text`E${-number}`,
  get TextEncoder() {
    return require('encoding').TextEncoder;
  },
  get TextDecoder() {
    return require('encoding').TextDecoder;
  },
});
exports.debug = debuglog;
