import assert from 'node:assert/strict';
import fs from 'node:fs/promises';
import { DefaultRubyVM } from '@ruby/wasm-wasi/dist/node';

const binary = await fs.readFile(new URL(import.meta.resolve('@ruby/3.4-wasm-wasi/dist/ruby+stdlib.wasm')));
const { vm } = await DefaultRubyVM(await WebAssembly.compile(binary));
assert.equal(vm.eval('(1..20).inject(:*)').toString(), '2432902008176640000');
assert.deepEqual(JSON.parse(vm.eval('require "json"; JSON.generate({ a: [1, nil, "é".upcase] })').toString()), { a: [1, null, 'É'] });
vm.eval('require "js"; JS.global[:answer] = [40, 2].sum');
assert.equal(Number(globalThis.answer), 42);
assert.throws(() => vm.eval('raise ArgumentError, "no"'), /no \(ArgumentError\)/);
console.log('ok');
