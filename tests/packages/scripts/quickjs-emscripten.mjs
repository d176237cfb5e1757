import assert from 'node:assert/strict';
import { getQuickJS, shouldInterruptAfterDeadline } from 'quickjs-emscripten';

const QuickJS = await getQuickJS();
const vm = QuickJS.newContext();
const seen = [];
const log = vm.newFunction('log', (value) => { seen.push(vm.dump(value)); });
vm.setProp(vm.global, 'log', log);
log.dispose();
const result = vm.evalCode(`
  function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) }
  log({ fib: fib(15) });
  [...'añ🏝'].map((c) => c.codePointAt(0))
`);
assert.deepEqual(vm.dump(vm.unwrapResult(result)), [97, 241, 0x1f3dd]);
assert.deepEqual(seen, [{ fib: 610 }]);
result.value.dispose();

const failed = vm.evalCode('throw new RangeError("out of range")');
assert.equal(vm.dump(failed.error).name, 'RangeError');
failed.error.dispose();
vm.dispose();
assert.throws(() => QuickJS.evalCode('for (;;) {}', { shouldInterrupt: shouldInterruptAfterDeadline(0) }), { message: 'interrupted' });
console.log('ok');
