// Programs that are no file.
const { builtinModules, createRequire } = /** @type {any} */ (require('common_js')).module;

// Makes the built-in modules globals, which load one when it is first read.
exports.addBuiltins = () => {
  const load = createRequire('/');
  for (const name of $.each(builtinModules)) {
    if ($.startsWith(name, '_') || $.includes(name, '/') || $.includes(name, ':')) continue;
    if (Object.hasOwn(globalThis, name)) continue;
    const set = (value) => {
      Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
    };
    const get = () => {
      const module = load(name);
      Object.defineProperty(globalThis, name, { get: () => module, set, enumerable: false, configurable: true });
      return module;
    };
    Object.defineProperty(globalThis, name, { get, set, enumerable: false, configurable: true });
  }
};
