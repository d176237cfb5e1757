// ES modules that import CommonJS, and the other way round.
import { spawnSync } from 'node:child_process';
import { assert, assertEq, assertList, fail, test } from '../harness.mjs';
import { load, path, require, url, write } from './common-js/folder.mjs';

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return fail('nothing was thrown');
};
const code = async (call) => (await failure(call)).code;
const names = async (name) => Object.keys(await load(name)).join();

write({
  'named.cjs': 'exports.a = 1; module.exports.b = 2; exports["c d"] = 3; exports.default = 4; exports.late = undefined;',
  'function.cjs': 'module.exports = function f() {}; module.exports.x = 1;',
  'literal.cjs': 'const a = 1, b = 2; module.exports = { a, b, "c": b, d: 3, e };\nvar e;',
  'primitive.cjs': 'module.exports = null;',
  'reexport.cjs': 'module.exports = require("./named.cjs");',
  'star.cjs': `"use strict";
    var __exportStar = function (m, e) { for (var p in m) if (p !== "default") e[p] = m[p]; };
    Object.defineProperty(exports, "__esModule", { value: true });
    __exportStar(require("./named.cjs"), exports);
    Object.defineProperty(exports, "own", { enumerable: true, get: function () { return 5; } });
    Object.defineProperty(exports, "getter", { enumerable: true, get: function () { return other.x; } });
    const other = { x: 6 };`,
  'babel.cjs': `"use strict";
    Object.defineProperty(exports, "__esModule", { value: true });
    var _named = require("./named.cjs");
    Object.keys(_named).forEach(function (key) {
      if (key === "default" || key === "__esModule") return;
      if (key in exports && exports[key] === _named[key]) return;
      Object.defineProperty(exports, key, { enumerable: true, get: function () { return _named[key]; } });
    });`,
  'esbuild.cjs': `var made = {}; for (const k of ["x", "y"]) Object.defineProperty(made, k, { get: () => k, enumerable: true });
    module.exports = made;
    0 && (module.exports = { x, y });`,
  'circle-a.cjs': 'exports.a = 1; module.exports = { ...require("./circle-b.cjs"), aa: 1 };',
  'circle-b.cjs': 'exports.b = 2; __exportStar(require("./circle-a.cjs"), exports);function __exportStar() {}',
  'throwing-getter.cjs': 'exports.good = 1; exports.bad = 2; Object.defineProperty(exports, "bad", { get() { throw 1; } });',
  'counted.cjs': 'globalThis.counted = (globalThis.counted ?? 0) + 1; exports.count = globalThis.counted;',
  'counted-twice.mjs': 'import "./counted.cjs"; import { count } from "./counted.cjs?again"; export { count };',
  'throws.cjs': 'globalThis.thrown = (globalThis.thrown ?? 0) + 1; throw new Error(`on purpose ${globalThis.thrown}`); exports.x = 1;',
  'syntax.cjs': 'exports.x = ;',
  'order.mjs': 'import "./order-a.cjs"; import "./order-b.mjs"; globalThis.order.push("main");',
  'order-a.cjs': 'globalThis.order = ["a"];',
  'order-b.mjs': 'globalThis.order.push("b");',
  'missing-name.mjs': 'import { nothing } from "./named.cjs";',

  'plain.mjs': 'export const a = 1; export let b = 2; export function set(v) { b = v; }',
  'default.mjs': 'export default class Thing {} export const extra = 1;',
  'marked.mjs': 'export default 1; export const __esModule = true;',
  'exports.mjs': 'export { f as "module.exports" }; export default 1; function f() { return "f"; }',
  'waits.mjs': 'globalThis.waited = true; await 0; export default 1;',
  'imports-waits.mjs': 'import "./waits.mjs"; export default 1;',
  'awaits-inside.mjs': 'export const f = async () => { await 0; for await (const x of []) ; }; export const text = "await";',
  'rejects.mjs': 'globalThis.rejected = (globalThis.rejected ?? 0) + 1; throw new TypeError("rejects");',
  'bad-import.mjs': 'import { nothing } from "./plain.mjs";',
  'cycle-start.mjs': 'import "./cycle.cjs"; export const done = true;',
  'cycle.cjs': 'try { require("./cycle-start.mjs"); exports.code = "none"; } catch (error) { exports.code = error.code; }',
  'cycle-self.mjs': `import { createRequire } from 'node:module';
    export let code;
    try { createRequire(import.meta.url)('./cycle-back.mjs'); } catch (error) { code = error.code; }
    const deep = (n) => { if (n > 0) return deep(n - 1); return createRequire(import.meta.url)('./cycle-back.mjs'); };
    export let deepCode;
    try { deep(200); } catch (error) { deepCode = error.code; }`,
  'cycle-back.mjs': 'import "./cycle-self.mjs";',
  'later.mjs': `import { createRequire } from 'node:module';
    export const require = createRequire(import.meta.url); export const again = () => require('./later-too.mjs').default;`,
  'later-too.mjs': 'import "./later.mjs"; export default "later";',
  'in-order.mjs': `import { createRequire } from 'node:module'; import { value } from './plain-dep.mjs';
    export const got = createRequire(import.meta.url)('./uses-dep.mjs').value === value;`,
  'plain-dep.mjs': 'export const value = {};',
  'uses-dep.mjs': 'export * from "./plain-dep.mjs";',
  'type-module/package.json': { type: 'module' },
  'type-module/x.js': 'export const kind = import.meta.url ? "module" : "";',
  'type-module/y.cjs': 'module.exports = typeof require;',
  'type-commonjs/package.json': { type: 'commonjs' },
  'type-commonjs/x.js': 'module.exports = typeof require;',
  'type-commonjs/esm.js': 'export const x = 1;',
  'no-type/module.js': 'import "node:fs"; export const kind = "module";',
  'no-type/meta.js': 'export {}; globalThis.metaUrl = import.meta.url;',
  'no-type/script.js': 'exports.kind = "script"; // import x from "y"; export const z = await 1',
  'no-type/text.js': 'exports.kind = `\nimport x from "y";\nexport default 1;\n`;',
  'no-type/dynamic.js': 'exports.kind = "script"; exports.load = () => import("./module.js");',
  'no-type/awaits.js': 'globalThis.awaitedValue = await Promise.resolve(7);',
  'no-type/empty.js': '',
  'data.json': { x: 1 },
});

test('default and named exports', async () => {
  const named = await load('named.cjs');
  assertEq(await names('named.cjs'), 'a,b,c d,default,late,module.exports');
  assertEq(named.a, 1);
  assertEq(named.default, require('./named.cjs'));
  assertEq(named['module.exports'], named.default);
  assertEq(named.default.default, 4);
  assertEq(await names('function.cjs'), 'default,module.exports,x');
  assertEq(await names('literal.cjs'), 'a,b,c,default,module.exports');
  assertEq((await load('primitive.cjs')).default, null);
});

test('exports that come from other modules', async () => {
  assertEq(await names('reexport.cjs'), 'a,b,c d,default,late,module.exports');
  assertEq(await names('star.cjs'), '__esModule,a,b,c d,default,getter,late,module.exports');
  assertEq((await load('star.cjs')).getter, 6);
  assertEq((await load('star.cjs')).b, 2);
  assertEq(await names('babel.cjs'), '__esModule,a,b,c d,default,late,module.exports');
  assertEq(await names('esbuild.cjs'), 'default,module.exports,x,y');
  assertEq((await load('esbuild.cjs')).y, 'y');
  assertEq(await names('circle-a.cjs'), 'a,b,default,module.exports');
  assertEq((await load('throwing-getter.cjs')).good, 1);
  assertEq((await load('throwing-getter.cjs')).bad, undefined);
});

test('a module runs once, whoever asks', async () => {
  assertEq((await load('counted-twice.mjs')).count, 1);
  assertEq(require('./counted.cjs').count, 1);
  await load('order.mjs');
  assertList(globalThis.order, ['a', 'b', 'main']);
});

test('errors', async () => {
  assertEq((await failure(() => load('throws.cjs'))).message, 'on purpose 1');
  assertEq((await failure(() => load('throws.cjs'))).message, 'on purpose 1');
  assertEq((await failure(() => require('./throws.cjs'))).message, 'on purpose 2');
  assertEq((await failure(() => load('syntax.cjs'))).name, 'SyntaxError');
  assertEq((await failure(() => load('missing-name.mjs'))).name, 'SyntaxError');
});

test('require of ES modules', async () => {
  const plain = require('./plain.mjs');
  assertEq(plain, await load('plain.mjs'));
  plain.set(3);
  assertEq(plain.b, 3);
  assertEq(Object.prototype.toString.call(plain), '[object Module]');
  const made = require('./default.mjs');
  assertEq(made.default.name, 'Thing');
  assertEq(made.__esModule, true);
  assertEq(made.extra, 1);
  assertEq(made, require('./default.mjs'));
  assertEq(require('./marked.mjs'), await load('marked.mjs'));
  assertEq(require('./exports.mjs')(), 'f');
  assertEq(require('./awaits-inside.mjs').text, 'await');
  assertEq(require.cache[path('plain.mjs')].exports, plain);
});

test('ES modules that cannot be required', async () => {
  assertEq(await code(() => require('./waits.mjs')), 'ERR_REQUIRE_ASYNC_MODULE');
  assertEq(await code(() => require('./imports-waits.mjs')), 'ERR_REQUIRE_ASYNC_MODULE');
  assertEq(globalThis.waited, undefined);
  assertEq((await load('waits.mjs')).default, 1);
  assertEq((await failure(() => require('./rejects.mjs'))).message, 'rejects');
  assertEq((await failure(() => require('./rejects.mjs'))).message, 'rejects');
  assertEq(globalThis.rejected, 1);
  assertEq((await failure(() => require('./bad-import.mjs'))).name, 'SyntaxError');
});

test('cycles through require are errors, and what is done is no cycle', async () => {
  await load('cycle-start.mjs');
  assertEq(require('./cycle.cjs').code, 'ERR_REQUIRE_CYCLE_MODULE');
  const self = await load('cycle-self.mjs');
  assertEq(self.code, 'ERR_REQUIRE_CYCLE_MODULE');
  assertEq(self.deepCode, 'ERR_REQUIRE_CYCLE_MODULE');
  assertEq((await load('later.mjs')).again(), 'later');
  assertEq((await load('in-order.mjs')).got, true);
});

test('which files are what', async () => {
  assertEq((await load('type-module/x.js')).kind, 'module');
  assertEq(require('./type-module/x.js').kind, 'module');
  assertEq((await load('type-module/y.cjs')).default, 'function');
  assertEq((await load('type-commonjs/x.js')).default, 'function');
  assertEq((await failure(() => load('type-commonjs/esm.js'))).name, 'SyntaxError');
  assertEq((await failure(() => require('./type-commonjs/esm.js'))).name, 'SyntaxError');
  assertEq((await load('no-type/module.js')).kind, 'module');
  assertEq(require('./no-type/module.js').kind, 'module');
  await load('no-type/meta.js');
  assertEq(globalThis.metaUrl, url('no-type/meta.js'));
  assertEq((await load('no-type/script.js')).default.kind, 'script');
  assertEq((await load('no-type/text.js')).default.kind.length, 38);
  assertEq((await (await load('no-type/dynamic.js')).default.load()).kind, 'module');
  await load('no-type/awaits.js');
  assertEq(globalThis.awaitedValue, 7);
  assertEq(await names('no-type/empty.js'), 'default,module.exports');
});

test('JSON and data: imports', async () => {
  assertEq((await import(url('data.json'), { with: { type: 'json' } })).default.x, 1);
  assertEq(await code(() => import(url('data.json'))), 'ERR_IMPORT_ATTRIBUTE_MISSING');
  assertEq(await code(() => import(url('plain.mjs'), { with: { type: 'json' } })), 'ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE');
  assertEq(await code(() => import(url('plain.mjs'), { with: { type: 'css' } })), 'ERR_IMPORT_ATTRIBUTE_UNSUPPORTED');
  assertEq((await import('data:text/javascript,export default 1 + 1')).default, 2);
  assertEq((await import('data:text/javascript;base64,ZXhwb3J0IGxldCB4ID0gMw==')).x, 3);
  assertEq((await import('data:application/json,{"y":4}', { with: { type: 'json' } })).default.y, 4);
  assertEq((await import('data:text/javascript,import fs from "fs"; export default fs')).default, require('fs'));
  assertEq(await code(() => import('data:text/javascript,import "./x.mjs"')), 'ERR_UNSUPPORTED_RESOLVE_REQUEST');
  assertEq(await code(() => import('data:text/plain,x')), 'ERR_UNKNOWN_MODULE_FORMAT');
  const wasm = 'AGFzbQEAAAABBQFgAAF/AwIBAAcFAQFmAAAKBgEEAEEqCw==';
  assertEq((await import(`data:application/wasm;base64,${wasm}`)).f(), 42);
});

test('import.meta', async () => {
  write({ 'meta.mjs': 'export default import.meta;' });
  const { default: meta } = await load('meta.mjs');
  assertEq(meta.url, url('meta.mjs'));
  assertEq(meta.filename, path('meta.mjs'));
  assertEq(meta.dirname, path('.').replace(/\/\.?$/, ''));
  assertEq(meta.main, false);
  assertEq(meta.resolve('./x.mjs'), url('x.mjs'));
  assertEq(meta.resolve('fs'), 'node:fs');
  assertEq(meta.resolve('data:text/javascript,1'), 'data:text/javascript,1');
  assertEq(await code(() => meta.resolve('no-such-package')), 'ERR_MODULE_NOT_FOUND');
  assert(Object.getPrototypeOf(meta) === null);
  const { default: data } = await import('data:text/javascript,export default import.meta');
  assertList(Object.keys(data), ['main', 'resolve', 'url']);
});

test('import() in the text of a function resolves from the main module', () => {
  write({
    'text/found.mjs': 'export default 5;',
    'text/bin/main.cjs':
      'new Function("name", "return import(name)")("../found.mjs").then(({ default: five }) => console.log(five));',
  });
  const { stdout, stderr } = spawnSync(process.execPath, [path('text/bin/main.cjs')], { cwd: '/', encoding: 'utf8' });
  assertEq(stdout, '5\n', stderr);
});
