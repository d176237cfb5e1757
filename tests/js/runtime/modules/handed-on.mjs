// Exports of a WebAssembly module, through a JavaScript module under other names.
export { count as total, increment as grow, answer } from './counter.wasm';
export * from './counter.wasm';
