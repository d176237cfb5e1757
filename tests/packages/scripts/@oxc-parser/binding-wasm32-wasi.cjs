const assert = require('node:assert/strict');
const { parse, parseSync } = require('@oxc-parser/binding-wasm32-wasi');

const types = (result) => JSON.parse(result.program).node.body.map(({ type }) => type);
const result = parseSync('a.ts', 'let foo: number = 1; export class A {}');
assert.deepEqual(result.errors, []);
assert.deepEqual(types(result), ['VariableDeclaration', 'ExportNamedDeclaration']);
assert.equal(parseSync('b.js', 'let 1').errors.length, 1);

// On a thread of the package's.
parse('c.js', 'for (;;) break').then((result) => {
  assert.deepEqual(types(result), ['ForStatement']);
  console.log('ok');
});
