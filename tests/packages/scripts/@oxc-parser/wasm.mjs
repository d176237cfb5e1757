import assert from 'node:assert/strict';
import { parseSync } from '@oxc-parser/wasm';

const { program, errors } = parseSync('let foo: number = 1 + 2; class A<T> {}', { sourceFilename: 'test.ts' });
assert.equal(errors.length, 0);
assert.deepEqual(program.body.map(({ type }) => type), ['VariableDeclaration', 'ClassDeclaration']);
assert.equal(program.body[0].declarations[0].init.right.value, 2);
assert.notEqual(parseSync('let 1', { sourceFilename: 'bad.js' }).errors.length, 0);
console.log('ok');
