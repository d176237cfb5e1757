// node:util.
const inspector = require('inspect');
const { inspect, brand } = inspector;
const { checkFunction, create } = require('errors');
const custom = Symbol.for('nodejs.util.promisify.custom');

function promisify(original) {
  checkFunction(original, 'original');
  if (original[custom]) return original[custom];
  const promised = function (...args) {
    return new Promise((resolve, reject) => {
      Reflect.apply(original, this, [...args, (error, ...values) => (error ? reject(error) : resolve(values[0]))]);
    });
  };
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original));
  Object.defineProperty(promised, custom, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;
function callbackify(original) {
  checkFunction(original, 'original');
  return function (...args) {
    const callback = args.pop();
    checkFunction(callback, 'last argument');
    Reflect.apply(original, this, args).then(
      (value) => process.nextTick(callback, null, value),
      (error) => process.nextTick(callback, error || create('Error', 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value', { reason: error })));
  };
}
const tagged = (name) => (value) => inspector.isTypedArray(value) && Object.getPrototypeOf(Uint8Array).prototype.__lookupGetter__(Symbol.toStringTag).call(value) === name;
const types = {
  isPromise: inspector.isPromise, isProxy: inspector.isProxy, isNativeError: inspector.isError,
  isTypedArray: (v) => ArrayBuffer.isView(v) && inspector.isTypedArray(v), isArrayBufferView: ArrayBuffer.isView,
  isDataView: inspector.isDataView, isAnyArrayBuffer: (v) => types.isArrayBuffer(v) || types.isSharedArrayBuffer(v),
  isArgumentsObject: (v) => typeof v === 'object' && v !== null && inspector.isArguments(v),
  isModuleNamespaceObject: (v) => typeof v === 'object' && v !== null && inspector.isNamespace(v),
  isGeneratorFunction: (v) => typeof v === 'function' && inspector.functionType(v).endsWith('GeneratorFunction'),
  isAsyncFunction: (v) => typeof v === 'function' && inspector.functionType(v).startsWith('Async'),
  isGeneratorObject: (v) => Object.prototype.toString.call(v) === '[object Generator]',
  isExternal: () => false,
  isMapIterator: (v) => Object.prototype.toString.call(v) === '[object Map Iterator]',
  isSetIterator: (v) => Object.prototype.toString.call(v) === '[object Set Iterator]',
  isBoxedPrimitive: (v) => ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].some((n) => types[`is${n}Object`](v)),
};
const isObject = (value) => typeof value === 'object' && value !== null;
for (const name of ['Map', 'Set', 'WeakMap', 'WeakSet', 'Date', 'RegExp', 'ArrayBuffer', 'SharedArrayBuffer']) {
  types[`is${name}`] = (value) => isObject(value) && brand[name](value);
}
for (const name of ['Number', 'String', 'Boolean', 'BigInt', 'Symbol']) {
  types[`is${name}Object`] = (value) => isObject(value) && brand[name](value);
}
for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array']) types[`is${name}`] = tagged(name);

const deprecated = new Set();
Object.assign(exports, {
  inspect, format: inspector.format, formatWithOptions: inspector.formatWithOptions, promisify, callbackify, types,
  isDeepStrictEqual: (a, b) => require('deep_equal').isDeepStrictEqual(a, b),
  stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, ''),
  toUSVString: (text) => `${text}`.toWellFormed(),
  inherits(constructor, parent) {
    checkFunction(constructor, 'ctor');
    checkFunction(parent, 'superCtor');
    Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
    Object.setPrototypeOf(constructor.prototype, parent.prototype);
  },
  deprecate(original, message, code) {
    return Object.defineProperties(function (...args) {
      if (!deprecated.has(code ?? message)) {
        deprecated.add(code ?? message);
        process.emitWarning(message, 'DeprecationWarning', code);
      }
      return new.target ? Reflect.construct(original, args, new.target) : Reflect.apply(original, this, args);
    }, { name: { value: original.name, configurable: true } });
  },
  debuglog: () => Object.assign(() => {}, { enabled: false }),
  aborted: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  styleText(style, text) {
    return [style].flat().reduce((t, name) => `\u001b[${inspect.colors[name][0]}m${t}\u001b[${inspect.colors[name][1]}m`, text);
  },
  isArray: Array.isArray,
  getSystemErrorName: (number) => `E${-number}`,
  get TextEncoder() {
    return require('encoding').TextEncoder;
  },
  get TextDecoder() {
    return require('encoding').TextDecoder;
  },
});
exports.debug = exports.debuglog;
