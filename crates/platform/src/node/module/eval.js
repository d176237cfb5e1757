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
    let module;
    const get = () => module ??= load(name);
    Object.defineProperty(globalThis, name, { get, set, enumerable: false, configurable: true });
  }
};
