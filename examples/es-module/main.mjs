// WebAssembly as ES modules: run it with
//
//     tombolo examples/es-module/main.mjs
//
// counter.wasm is counter.wat, compiled. It imports a function of host.mjs.
import { count, increment } from './counter.wasm';
import source counter from './counter.wasm';

increment(); // the guest counts 1
increment(); // the guest counts 2
console.log(count); // 2: the binding of a mutable global is live

// The source phase gives the module itself, to be instantiated with other imports, any number of times.
const quiet = new WebAssembly.Instance(counter, { './host.mjs': { report() {} } });
quiet.exports.increment();
console.log(quiet.exports.count.value, count); // 1 2
