// node:module.
const { create } = require('errors');

class Module {}
Object.assign(Module, {
  Module,
  builtinModules: native.names().filter((name) => !name.includes(':')),
  isBuiltin: (name) => native.builtin(`${name}`) !== undefined,
  createRequire: () => (name) => {
    const builtin = native.builtin(`${name}`);
    if (builtin !== undefined) return builtin;
    throw create('Error', 'ERR_UNSUPPORTED_COMMONJS', `Cannot require '${name}': CommonJS modules are not supported yet`);
  },
  register() {
    throw create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', 'module.register is not implemented');
  },
  findSourceMap: () => undefined,
  syncBuiltinESMExports() {},
});
Object.assign(exports, Module, { default: Module });
