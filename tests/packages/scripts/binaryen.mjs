import assert from 'node:assert/strict';
import binaryen from 'binaryen';

const module = new binaryen.Module();
module.addFunction(
  'add', binaryen.createType([binaryen.i32, binaryen.i32]), binaryen.i32, [binaryen.i32],
  module.block(null, [
    module.local.set(2, module.i32.add(module.local.get(0, binaryen.i32), module.local.get(1, binaryen.i32))),
    module.return(module.local.get(2, binaryen.i32)),
  ]),
);
module.addFunctionExport('add', 'add');
module.optimize();
assert.ok(module.validate());
// The local is optimized away.
assert.doesNotMatch(module.emitText(), /local\.set/);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emitBinary()));
assert.equal(exports.add(41, 1), 42);
module.dispose();
console.log('ok');
