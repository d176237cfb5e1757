/**
 * A `.wasm` file, imported as a module is: its exports by name, be they functions, values of globals, memories or
 * tables. What a file exports is not known here; a declaration of your own for one file,
 * `declare module '*counter.wasm' { … }`, is preferred to this one. TypeScript has no syntax for
 * `import source counter from './counter.wasm'`.
 */
declare module '*.wasm';
