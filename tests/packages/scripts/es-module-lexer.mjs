import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { init, parse } from 'es-module-lexer';

await init();
const source = `import { a } from './dep.js';\nexport var p = 5;\nexport { q as 'a b' } from "x";\nimport.meta.url;`;
const [imports, exports] = parse(source);
assert.equal(imports[0].specifier, './dep.js');
assert.equal(source.slice(imports[0].importStart, imports[0].importEnd), "import { a } from './dep.js'");
assert.deepEqual(exports.map(({ name }) => name), ['p', 'a b']);

// Its own source, which is a module.
const [, own] = parse(readFileSync(new URL(import.meta.resolve('es-module-lexer')), 'utf8'));
assert.ok(own.some(({ name }) => name === 'parse'));
assert.throws(() => parse("import { a from 'b';\nimport("), /Parse error/);
console.log('ok');
