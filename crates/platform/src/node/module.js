// node:module.
/**
 * What Rust provides.
 * @type {{
 *   names(): string[],
 *   builtin(name: string): object | undefined,
 * }}
 */
const native = rust;
const { create } = require('errors');

class Module {}
Object.assign(Module, {
  Module,
  builtinModules: $.filter(native.names(), (name) => !$.includes(name, ':')),
  isBuiltin: (name) => native.builtin($.text`${name}`) !== undefined,
  createRequire: () => (name) => {
    const builtin = native.builtin($.text`${name}`);
    if (builtin !== undefined) return builtin;
    throw create('Error', 'ERR_UNSUPPORTED_COMMONJS',
      $.text`Cannot require '${name}': CommonJS modules are not supported yet`);
  },
  register() {
    throw create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', 'module.register is not implemented');
  },
  findSourceMap: () => undefined,
  syncBuiltinESMExports() {},
});
Object.assign(exports, Module);
exports.default = Module;
