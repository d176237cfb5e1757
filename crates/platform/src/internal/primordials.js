// The language as it was before any script ran. Every other embedded file gets these exports as `$`:
//
// - `$.globals`: constructors and namespaces, whose names are in scope in each file. `Object`, `Reflect`, `Math`,
//   `JSON` and `Number` are copies; instances of `Map`, `Set`, `WeakMap`, `WeakSet` and `WeakRef` have methods of their
//   own, which can be called as usual;
// - methods of strings, arrays and other values as functions: `$.slice(text, 1)` for `text.slice(1)`;
// - `$.each(list)` for anything that is iterated: `for (const item of $.each(list))`, `[...$.each(list)]`;
// - `$.text` before each template literal;
// - `$.regex(/x/)` for each regular expression, which can then be used as usual, except for splitting.
/**
 * What Rust provides.
 * @type {{
 *   pristine: any,
 *   detached(string: Function | undefined, array: Function | undefined, other: Function | undefined): Function,
 *   isPromise(value: unknown): boolean,
 * }}
 */
const native = rust;
const { pristine, detached, isPromise } = native;
const { globals } = pristine;
const { apply } = pristine.Reflect;
const { defineProperty: define, getOwnPropertyDescriptor, hasOwn, keys, setPrototypeOf } = pristine.Object;
const { ownKeys } = pristine.Reflect;
const { isArray } = pristine.Array;
const { Promise: RealPromise, TypeError: RealTypeError, Symbol: RealSymbol, Uint8Array: Bytes } = globals;
const string = pristine['String.prototype'];
const array = pristine['Array.prototype'];
const typedArray = pristine['TypedArray.prototype'];
const { iterator: iteratorSymbol } = RealSymbol;

// Objects without a prototype are safe as property descriptors and as options.
const defineProperty = (object, key, descriptor) => define(object, key, { __proto__: null, ...descriptor });
const assign = (target, ...sources) => {
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source === undefined || source === null) continue;
    const names = ownKeys(source);
    for (let j = 0; j < names.length; j++) {
      const found = getOwnPropertyDescriptor(source, names[j]);
      if (!found?.enumerable) continue;
      const value = source[names[j]];
      define(target, names[j], { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    }
  }
  return target;
};
const describe = (object, key) => {
  const found = getOwnPropertyDescriptor(object, key);
  return found === undefined ? found : setPrototypeOf(found, null);
};
// Template literals: `$.text` goes in front of each, because QuickJS makes them with `String.prototype.concat`.
const { String: toString } = globals;
const text = (strings, ...values) => {
  let made = strings[0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // `String` would describe a symbol.
    if (typeof value === 'symbol') throw new RealTypeError('Cannot convert a Symbol value to a string');
    made += (typeof value === 'object' || typeof value === 'function' ? toString(value) : value) + strings[i + 1];
  }
  return made;
};
const callable = (call, members) => assign((value) => call(value), members);

// Iteration that never looks up anything a script can change.
const { ArrayIterator, MapIterator, SetIterator } = pristine;

const eachIn = (collection, kind) => (kind === 'Map'
  ? setPrototypeOf(apply(pristine['Map.prototype'].entries, collection, []), MapIterator)
  : setPrototypeOf(apply(pristine['Set.prototype'].values, collection, []), SetIterator));
const each = (items) => (isArray(items) ? setPrototypeOf(apply(array.values, items, []), ArrayIterator) : items);

// The methods that make arrays are written here, because the language's own would ask `constructor` for the class to
// make. Elements are defined, because an assignment would run setters that a script gave `Array.prototype`.
const element = { __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true };
const add = (list, item) => {
  element.value = item;
  define(list, list.length, element);
  element.value = undefined;
};
/** @type {any} */
const arrays = {
  __proto__: null,
  map(call) {
    const made = [];
    for (let i = 0; i < this.length; i++) add(made, call(this[i], i, this));
    return made;
  },
  filter(call) {
    const made = [];
    for (let i = 0; i < this.length; i++) {
      const item = this[i];
      if (call(item, i, this)) add(made, item);
    }
    return made;
  },
  flatMap(call) {
    const made = [];
    for (let i = 0; i < this.length; i++) {
      const part = call(this[i], i, this);
      if (isArray(part)) for (let j = 0; j < part.length; j++) add(made, part[j]);
      else add(made, part);
    }
    return made;
  },
  flat() {
    return apply(arrays.flatMap, this, [(item) => item]);
  },
  slice(start = 0, end = undefined) {
    const { length } = this;
    const made = [];
    const stop = end < 0 ? length + end : end < length ? end : length;
    for (let i = start < 0 ? (length + start > 0 ? length + start : 0) : start; i < stop; i++) add(made, this[i]);
    return made;
  },
  splice(start, count = undefined, ...items) {
    // QuickJS moves the elements behind at once; with this property, it does not ask for a class.
    define(this, 'constructor', { __proto__: null, value: undefined, configurable: true });
    try {
      return apply(array.splice, this, [start, count === undefined ? this.length : count, ...each(items)]);
    } finally {
      delete this.constructor;
    }
  },
};

// For typed arrays and DataViews.
const dataView = pristine['DataView.prototype'];
const part = (name) => (view) =>
  apply((apply(typedArray.tag, view, []) === undefined ? dataView : typedArray)[name], view, []);
const { 0: buffer, 1: byteOffset, 2: byteLength } = apply(arrays.map, ['buffer', 'byteOffset', 'byteLength'], [part]);

// By name: functions for strings, for arrays, and for anything else.
const number = pristine['Number.prototype'];
const others = {
  __proto__: null, ...pristine['Date.prototype'], ...pristine['Uint8Array.prototype'], ...typedArray, ...number,
  isPrototypeOf: pristine['Object.prototype'].isPrototypeOf,
};
const methods = { __proto__: null, ...others, ...string, ...array, ...arrays };
const names = keys(methods);
for (let i = 0; i < names.length; i++) {
  const name = names[i];
  exports[name] = detached(string[name], arrays[name] ?? array[name], others[name]);
}

// Copies of classes whose instances look nothing up on the originals.
const hardened = (name, own) => {
  const Class = globals[name];
  const methods = pristine[name + '.prototype'];
  const Safe = { [name]: class extends Class {} }[name];
  const { prototype } = Safe;
  const all = ownKeys(methods);
  for (let i = 0; i < all.length; i++) {
    if (all[i] !== 'constructor') define(prototype, all[i], describe(methods, all[i]));
  }
  assign(prototype, own);
  return setPrototypeOf(prototype, null).constructor;
};
const iterating = (methods, names, Iterator) => {
  const own = { __proto__: null };
  for (let i = 0; i < names.length; i++) {
    const method = methods[names[i]];
    /** @this {any} */
    own[names[i]] = { method() {
      return setPrototypeOf(apply(method, this, []), Iterator);
    } }.method;
  }
  return own;
};
const kinds = ['keys', 'values', 'entries', iteratorSymbol];
const RegExpMethods = setPrototypeOf(pristine['RegExp.prototype'], null);
// A species that a script gave the class is not used.
RegExpMethods.constructor = undefined;

// A promise's `then`, which would ask the promise's `constructor` what to return.
const then = (promise, fulfilled, rejected) => {
  const { then } = pristine['Promise.prototype'];
  if (hasOwn(promise, 'constructor')) return apply(then, promise, [fulfilled, rejected]);
  define(promise, 'constructor', { __proto__: null, value: undefined, configurable: true });
  try {
    return apply(then, promise, [fulfilled, rejected]);
  } finally {
    delete promise.constructor;
  }
};

exports.globals = {
  __proto__: null,
  ...globals,
  Object: callable(globals.Object, {
    __proto__: null, ...pristine.Object, assign, defineProperty, getOwnPropertyDescriptor: describe,
    prototype: globals.Object.prototype,
    defineProperties(object, descriptors) {
      const names = ownKeys(descriptors);
      for (let i = 0; i < names.length; i++) defineProperty(object, names[i], descriptors[names[i]]);
      return object;
    },
    fromEntries(list) {
      const object = {};
      for (const { 0: key, 1: value } of each(list)) {
        defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      }
      return object;
    },
  }),
  Number: callable(globals.Number, pristine.Number),
  Reflect: { __proto__: null, ...pristine.Reflect, getOwnPropertyDescriptor: describe },
  JSON: pristine.JSON,
  Math: pristine.Math,
  Map: hardened('Map', iterating(pristine['Map.prototype'], kinds, MapIterator)),
  Set: hardened('Set', iterating(pristine['Set.prototype'], kinds, SetIterator)),
  WeakMap: hardened('WeakMap'),
  WeakSet: hardened('WeakSet'),
  WeakRef: hardened('WeakRef'),
};
assign(exports, {
  __proto__: null,
  real: globals, pristine, text, each, eachIn, isArray, isView: pristine.ArrayBuffer.isView, now: pristine.Date.now,
  fromCharCode: pristine.String.fromCharCode,
  fromBase64: (text, options) => apply(pristine.Uint8Array.fromBase64, Bytes, [text, options]),
  fromHex: (text) => apply(pristine.Uint8Array.fromHex, Bytes, [text]), symbolFor: pristine.Symbol.for,
  // Accessors and methods of one class each, as functions.
  tagOf: detached(undefined, undefined, typedArray.tag),
  textOf: detached(undefined, undefined, pristine['Object.prototype'].toString),
  symbolText: detached(undefined, undefined, pristine['Symbol.prototype'].toString),
  functionText: detached(undefined, undefined, pristine['Function.prototype'].toString),
  isEnumerable: detached(undefined, undefined, pristine['Object.prototype'].propertyIsEnumerable),
  // Turns a method into a function whose first argument is its `this`.
  uncurried: (method) => detached(undefined, undefined, method),
  regex: (expression) => setPrototypeOf(expression, RegExpMethods),
  buffer, byteOffset, byteLength,
  bufferLength: detached(undefined, undefined, pristine['ArrayBuffer.prototype'].byteLength),
  sharedLength: detached(undefined, undefined, pristine['SharedArrayBuffer.prototype'].byteLength),
  isDetached: detached(undefined, undefined, pristine['ArrayBuffer.prototype'].detached),
  bytesOf: (view) => new Bytes(buffer(view), byteOffset(view), byteLength(view)),
  // Another view of the same bytes; `subarray` would ask `constructor` for the class.
  subarray: (bytes, start, end) => new Bytes(buffer(bytes), byteOffset(bytes) + start, end - start),
  // Whether a script's own expression matches.
  test: (expression, text) => apply(RegExpMethods.exec, expression, [text]) !== null,
  /**
   * An array with as many items as `source` has.
   * @param {ArrayLike<any>} source
   * @param {(item: any, index: number) => any} [make]
   */
  arrayFrom(source, make = (item) => item) {
    const made = [];
    const length = pristine.ArrayBuffer.isView(source) ? apply(typedArray.length, source, []) : source.length;
    for (let i = 0; i < length; i++) add(made, make(source[i], i));
    return made;
  },
  bytesFrom(source, make) {
    const { length } = source;
    const made = new Bytes(length);
    for (let i = 0; i < length; i++) made[i] = make(source[i]);
    return made;
  },
  then,
  // A function that runs with what AsyncLocalStorage has for the caller, once a program uses that.
  bound: (call) => call,
  setBound: (bound) => {
    exports.bound = bound;
  },
  resolved: (value) => new RealPromise((resolve) => resolve(value)),
  rejected: (error) => new RealPromise((resolve, reject) => reject(error)),
  withResolvers() {
    let resolve;
    let reject;
    const promise = new RealPromise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    return { promise, resolve, reject };
  },
  // For `await`, which would ask a promise for its `constructor`.
  awaited(value) {
    const promise = new RealPromise((resolve, reject) => {
      if (isPromise(value)) then(value, resolve, reject);
      else resolve(value);
    });
    return define(promise, 'constructor', { __proto__: null, value: RealPromise, configurable: true });
  },
});
