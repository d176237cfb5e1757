// node:util/types.
/**
 * What Rust provides.
 * @type {{
 *   classOf(value: unknown): string,
 * }}
 */
const native = rust;
const inspector = require('inspect');
const { brand } = inspector;

const isObject = (value) => typeof value === 'object' && value !== null;
const unnamed = (check) => Object.defineProperty({ check() {
  return check(arguments[0]);
} }.check, 'name', { value: '', configurable: true });
const named = (name, check) => Object.defineProperty(check, 'name', { value: name, configurable: true });
const hasClass = (name) => (value) => isObject(value) && native.classOf(value) === name;
const isBrand = (name) => (value) => isObject(value) && brand[name](value);
const isTyped = (name) => (value) => $.isView(value) && $.tagOf(value) === name;

const types = {};
const boxed = ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'];
const checks = {
  isArgumentsObject: (v) => isObject(v) && inspector.isArguments(v),
  isArrayBuffer: isBrand('ArrayBuffer'),
  isAsyncFunction: (v) => typeof v === 'function' && $.startsWith(inspector.functionType(v), 'Async'),
  isBigIntObject: isBrand('BigInt'),
  isBooleanObject: isBrand('Boolean'),
  isDataView: (v) => inspector.isDataView(v),
  isDate: isBrand('Date'),
  isExternal: () => false,
  isGeneratorFunction: (v) => typeof v === 'function' && $.endsWith(inspector.functionType(v), 'GeneratorFunction'),
  isGeneratorObject: (v) => isObject(v) && $.endsWith(native.classOf(v), 'Generator'),
  isMap: isBrand('Map'),
  isMapIterator: hasClass('Map Iterator'),
  isModuleNamespaceObject: (v) => isObject(v) && inspector.isNamespace(v),
  isNativeError: (v) => inspector.isError(v),
  isNumberObject: isBrand('Number'),
  isPromise: (v) => inspector.isPromise(v),
  isProxy: (v) => inspector.isProxy(v),
  isRegExp: isBrand('RegExp'),
  isSet: isBrand('Set'),
  isSetIterator: hasClass('Set Iterator'),
  isSharedArrayBuffer: isBrand('SharedArrayBuffer'),
  isStringObject: isBrand('String'),
  isSymbolObject: isBrand('Symbol'),
  isWeakMap: isBrand('WeakMap'),
  isWeakSet: isBrand('WeakSet'),
  isAnyArrayBuffer: (v) => isObject(v) && (brand.ArrayBuffer(v) || brand.SharedArrayBuffer(v)),
  isBoxedPrimitive: (v) => isObject(v) && $.some(boxed, (name) => brand[name](v)),
};
for (const name of $.each(Object.keys(checks))) types[name] = unnamed(checks[name]);
types.isArrayBufferView = named('isView', (value) => $.isView(value));
types.isTypedArray = named('isTypedArray', (value) => $.isView(value) && inspector.isTypedArray(value));
for (const name of $.each([
  'Uint8Array', 'Uint8ClampedArray', 'Uint16Array', 'Uint32Array', 'Int8Array', 'Int16Array', 'Int32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array',
])) types[$.text`is${name}`] = named($.text`is${name}`, isTyped(name));
for (const name of $.each(['KeyObject', 'CryptoKey'])) {
  types[$.text`is${name}`] = named('value', (value) => {
    const { [name]: Class } = require('crypto');
    return typeof Class === 'function' && value instanceof Class;
  });
}
exports.types = types;
