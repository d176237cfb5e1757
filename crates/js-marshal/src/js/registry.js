// What of the vocabulary needs no native code: overloads by the types of their arguments, and the methods of Wasi that use them.
// Evaluated with the module's exports before any script runs.
(exports) => {
  const { FunctionPrototype, MemoryManager, StringBuffer, Wasi } = exports;
  const { isArray } = Array;
  const { isInteger } = Number;

  const mangled = (name) => exports[name].MANGLED_NAME;
  const views = new Map([
    [Int8Array, 'Int8Type'], [Uint8Array, 'Uint8Type'], [Int16Array, 'Int16Type'], [Uint16Array, 'Uint16Type'],
    [Int32Array, 'Int32Type'], [Uint32Array, 'Uint32Type'], [BigInt64Array, 'Int64Type'],
    [BigUint64Array, 'Uint64Type'], [Float32Array, 'Float32Type'], [Float64Array, 'Float64Type'],
  ].map(([View, name]) => [View, `t(${mangled(name)})`]));

  function mangleNumber(value, options) {
    if ('defaultNumber' in options) return options.defaultNumber;
    if (isInteger(value)) return 'defaultInt' in options ? options.defaultInt : mangled('Uint32Type');
    return 'defaultFloat' in options ? options.defaultFloat : mangled('Float64Type');
  }

  const mangleString = (options) => 'defaultString' in options ? options.defaultString : mangled('StringBufferType');

  function mangleArray(value, options) {
    if (value.every((element) => typeof element === 'string')) return `a(${mangleString(options)})`;
    if (value.every((element) => element instanceof StringBuffer)) return `a(${mangled('StringBufferType')})`;
    if (value.every((element) => typeof element === 'number')) return `a(${mangleNumber(value[0], options)})`;
    if (value.every((element) => typeof element === 'bigint')) return `a(${mangled('Int64Type')})`;
    if (value.every(isArray)) return `a(${mangleValue(value[0], options)})`;
    throw new TypeError('FunctionPrototype.mangleValue: the elements of the array are not all of one type that is known');
  }

  function mangleValue(value, options = {}) {
    switch (typeof value) {
      case 'undefined': return mangled('VoidType');
      case 'number': return mangleNumber(value, options);
      case 'bigint': return mangled('Int64Type');
      case 'boolean': return mangled('BoolType');
      case 'string': return mangleString(options);
    }
    if (value === null) return mangled('VoidType');
    if (value instanceof StringBuffer) return mangled('StringBufferType');
    if (isArray(value)) return mangleArray(value, options);
    for (const [View, name] of views) if (value instanceof View) return name;
    throw new TypeError(`FunctionPrototype.mangleValue: no type is implied by ${Object.prototype.toString.call(value)}`);
  }

  const hide = (object, methods) => {
    for (const [name, value] of Object.entries(methods)) {
      Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
    }
  };
  hide(FunctionPrototype, {
    mangleValue,
    mangleValues: (values, options = {}) => values.map((value) => mangleValue(value, options)).join(''),
  });

  /** Functions by name, each with its overloads by the mangled types of their arguments. */
  class FunctionRegistry {
    #functions = new Map();
    constructor(memoryManager) {
      if (!(memoryManager instanceof MemoryManager)) {
        throw new TypeError('FunctionRegistry: argument 1 must be a MemoryManager');
      }
      this.memoryManager = memoryManager;
    }

    #add(name, mangledArgs, callback) {
      if (typeof callback !== 'function') throw new TypeError('FunctionRegistry: the callback must be a function');
      if (!this.#functions.has(name)) this.#functions.set(name, new Map());
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

    findImplied(name, values, options = {}) {
      return this.has(name) ? this.findExplicit(name, FunctionPrototype.mangleValues(values, options)) : null;
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
      return [...this.#functions.get(name)?.keys() ?? []];
    }
  }
  exports.FunctionRegistry = FunctionRegistry;

  const found = (wasi, name, callback, mangledValues) => {
    if (callback !== null) return callback;
    const registry = wasi.functionRegistry;
    const label = String(name);
    if (!registry.has(name)) throw new Error(`Wasi.invoke: no function ${label} is registered`);
    throw new TypeError(
      `Wasi.invoke: ${label} has no overload for (${mangledValues()}); it has (${registry.overloads(name).join('), (')})`);
  };
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
    invokeImpliedFunction(name, values, options = {}) {
      const callback = registryOf(this).findImplied(name, values, options);
      return found(this, name, callback, () => FunctionPrototype.mangleValues(values, options))(...values);
    },
    invokeExplicitFunction(name, values, mangledArgs) {
      const callback = registryOf(this).findExplicit(name, mangledArgs);
      return found(this, name, callback, () => mangledArgs)(...values);
    },
    invoke(name, ...values) {
      return this.invokeImpliedFunction(name, values, {});
    },
  });
  exports.Marshaller = Wasi;
}
