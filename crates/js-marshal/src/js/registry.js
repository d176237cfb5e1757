// The part of the vocabulary that needs no native code: overloads by the types of their arguments, and the methods of
// Wasi that use them. Called with the module's exports and with what was taken from the language before any script ran
// (`language.rs`). It uses nothing else of the language: no method of a value, no iteration, no template literal (which
// is a call of `concat`).
(exports, language) => {
  const { FunctionPrototype, MemoryManager, StringBuffer, Wasi } = exports;
  const { Error, Map, String, TypeError } = language.globalThis;
  const { defineProperty, keys, setPrototypeOf } = language.Object;
  const { isPrototypeOf, toString } = language['Object.prototype'];
  const { every, join } = language['Array.prototype'];
  const { isArray } = language.Array;
  const { isInteger } = language.Number;
  const { apply } = language.Reflect;

  const isA = (prototype, value) => apply(isPrototypeOf, prototype, [value]);
  const all = (list, test) => apply(every, list, [test]);
  const newMap = () => setPrototypeOf(new Map(), language['Map.prototype']);

  const views = [
    ['Int8Array', 'Int8Type'], ['Uint8Array', 'Uint8Type'], ['Int16Array', 'Int16Type'], ['Uint16Array', 'Uint16Type'],
    ['Int32Array', 'Int32Type'], ['Uint32Array', 'Uint32Type'], ['BigInt64Array', 'Int64Type'],
    ['BigUint64Array', 'Uint64Type'], ['Float32Array', 'Float32Type'], ['Float64Array', 'Float64Type'],
  ];
  for (let i = 0; i < views.length; i++) {
    const { 0: view, 1: type } = views[i];
    views[i] = { __proto__: null, prototype: language.globalThis[view].prototype, name: 't(' + exports[type].MANGLED_NAME + ')' };
  }
  const nothing = exports.VoidType.MANGLED_NAME;
  const integer = exports.Uint32Type.MANGLED_NAME;
  const float = exports.Float64Type.MANGLED_NAME;
  const bigint = exports.Int64Type.MANGLED_NAME;
  const boolean = exports.BoolType.MANGLED_NAME;
  const text = exports.StringBufferType.MANGLED_NAME;
  const noOptions = { __proto__: null };

  function mangleNumber(value, options) {
    if ('defaultNumber' in options) return options.defaultNumber;
    if (isInteger(value)) return 'defaultInt' in options ? options.defaultInt : integer;
    return 'defaultFloat' in options ? options.defaultFloat : float;
  }

  const mangleString = (options) => 'defaultString' in options ? options.defaultString : text;
  const isBuffer = (value) => isA(StringBuffer.prototype, value);

  function mangleArray(value, options) {
    if (all(value, (element) => typeof element === 'string')) return 'a(' + mangleString(options) + ')';
    if (all(value, isBuffer)) return 'a(' + text + ')';
    if (all(value, (element) => typeof element === 'number')) return 'a(' + mangleNumber(value[0], options) + ')';
    if (all(value, (element) => typeof element === 'bigint')) return 'a(' + bigint + ')';
    if (all(value, isArray)) return 'a(' + mangleValue(value[0], options) + ')';
    throw new TypeError('FunctionPrototype.mangleValue: the elements of the array are not all of one type that is known');
  }

  function mangleValue(value, options = noOptions) {
    switch (typeof value) {
      case 'undefined': return nothing;
      case 'number': return mangleNumber(value, options);
      case 'bigint': return bigint;
      case 'boolean': return boolean;
      case 'string': return mangleString(options);
    }
    if (value === null) return nothing;
    if (isBuffer(value)) return text;
    if (isArray(value)) return mangleArray(value, options);
    for (let i = 0; i < views.length; i++) if (isA(views[i].prototype, value)) return views[i].name;
    throw new TypeError('FunctionPrototype.mangleValue: no type is implied by ' + apply(toString, value, []));
  }

  function mangleValues(values, options = noOptions) {
    let mangled = '';
    for (let i = 0; i < values.length; i++) mangled += mangleValue(values[i], options);
    return mangled;
  }

  const define = (object, name, value, enumerable) => {
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable, configurable: true });
  };
  const hide = (object, methods) => {
    const names = keys(methods);
    for (let i = 0; i < names.length; i++) define(object, names[i], methods[names[i]], false);
  };
  hide(FunctionPrototype, { mangleValue, mangleValues });

  /** Functions by name, each with its overloads by the mangled types of their arguments. */
  class FunctionRegistry {
    #functions = newMap();
    // (A field is defined; an assignment would ask the prototypes.)
    memoryManager;
    constructor(memoryManager) {
      if (!isA(MemoryManager.prototype, memoryManager)) {
        throw new TypeError('FunctionRegistry: argument 1 must be a MemoryManager');
      }
      this.memoryManager = memoryManager;
    }

    #add(name, mangledArgs, callback) {
      if (typeof callback !== 'function') throw new TypeError('FunctionRegistry: the callback must be a function');
      if (!this.#functions.has(name)) this.#functions.set(name, newMap());
      this.#functions.get(name).set(mangledArgs, callback);
    }

    registerImplied(name, prototype, callback) {
      this.registerExplicit(name, prototype.mangledArgs, prototype, callback);
    }

    registerExplicit(name, mangledArgs, prototype, callback) {
      if (typeof callback !== 'function') throw new TypeError('FunctionRegistry: the callback must be a function');
      this.#add(name, mangledArgs, prototype.bind(this.memoryManager, callback));
    }

    registerUnmarshalled(name, callback) {
      this.#add(name, '*', callback);
    }

    findImplied(name, values, options = noOptions) {
      return this.has(name) ? this.findExplicit(name, mangleValues(values, options)) : null;
    }

    findExplicit(name, mangledValues) {
      const overloads = this.#functions.get(name);
      return overloads?.get(mangledValues) ?? overloads?.get('*') ?? null;
    }

    has(name) {
      return this.#functions.has(name);
    }

    /** The mangled types of a function's overloads. */
    overloads(name) {
      const list = [];
      this.#functions.get(name)?.forEach((_, mangled) => define(list, list.length, mangled, true));
      return list;
    }
  }
  define(exports, 'FunctionRegistry', FunctionRegistry, true);

  const found = (wasi, name, callback, mangledValues) => {
    if (callback !== null) return callback;
    const registry = wasi.functionRegistry;
    const label = String(name);
    if (!registry.has(name)) throw new Error('Wasi.invoke: no function ' + label + ' is registered');
    const known = apply(join, registry.overloads(name), ['), (']);
    throw new TypeError('Wasi.invoke: ' + label + ' has no overload for (' + mangledValues() + '); it has (' + known + ')');
  };
  const call = (callback, values) => isArray(values) ? apply(callback, undefined, values) : callback(...values);
  const registryOf = (wasi) => {
    if (wasi.functionRegistry === null) throw new Error('Wasi: call init(instance) first');
    return wasi.functionRegistry;
  };
  hide(Wasi.prototype, {
    registerFunction(name, prototype, callback) {
      const registry = registryOf(this);
      if (prototype == null) registry.registerUnmarshalled(name, callback);
      else registry.registerImplied(name, prototype, callback);
    },
    hasFunction(name) {
      return registryOf(this).has(name);
    },
    invokeImpliedFunction(name, values, options = noOptions) {
      const callback = registryOf(this).findImplied(name, values, options);
      return call(found(this, name, callback, () => mangleValues(values, options)), values);
    },
    invokeExplicitFunction(name, values, mangledArgs) {
      const callback = registryOf(this).findExplicit(name, mangledArgs);
      return call(found(this, name, callback, () => mangledArgs), values);
    },
    invoke(name, ...values) {
      return this.invokeImpliedFunction(name, values, noOptions);
    },
  });
  define(exports, 'Marshaller', Wasi, true);
}
