// Files and texts with which a worker starts.
import { assert, assertEq, assertList, fail, test } from '../harness.mjs';
import { Worker } from 'node:worker_threads';
import { folder, path, url, write } from './common-js/folder.mjs';

const post = 'require("worker_threads").parentPort.postMessage';
write({
  'main.cjs': `${post}([require.main === module, module.id, process.mainModule === module, this === exports, __filename, module.parent])`,
  'script.js': `${post}([typeof require, typeof module])`,
  'module.js': 'import { parentPort } from "node:worker_threads"; parentPort.postMessage([typeof require, import.meta.main]);',
  'awaits.js': 'const { parentPort } = await import("node:worker_threads"); parentPort.postMessage([import.meta.url]);',
  'esm/package.json': { type: 'module' },
  'esm/x.js': 'import { parentPort } from "node:worker_threads"; parentPort.postMessage([import.meta.main]);',
  'throws.cjs': 'throw new RangeError("from the main file");',
  'no-extension': `${post}(["no extension"])`,
  'main.json': '{ "x": 1 }',
  'dep.cjs': 'module.exports = __filename;',
});

const first = (file, options) => new Promise((resolve, reject) => {
  const worker = new Worker(file, options);
  worker.on('message', resolve);
  worker.on('error', reject);
  worker.on('exit', (code) => resolve(`exit ${code}`));
});

test('a CommonJS file', async () => {
  assertList(await first(path('main.cjs')), [true, '.', true, true, path('main.cjs'), null]);
});

test('files without a package, by their syntax', async () => {
  assertList(await first(path('script.js')), ['function', 'object']);
  assertList(await first(path('module.js')), ['undefined', true]);
  assertList(await first(path('awaits.js')), [url('awaits.js')]);
  assertList(await first(path('no-extension')), ['no extension']);
  assertEq(await first(path('main.json')), 'exit 0');
});

test('files of a package of modules', async () => {
  assertList(await first(path('esm/x.js')), [true]);
});

test('an error of the main file', async () => {
  try {
    await first(path('throws.cjs'));
  } catch (error) {
    assertEq(error.name, 'RangeError');
    assertEq(error.message, 'from the main file');
    return;
  }
  fail('no error');
});

test('a text', async () => {
  const names = '[typeof require, typeof module, typeof exports, __filename, this === globalThis]';
  assertList(await first(`${post}(${names})`, { eval: true }),
    ['function', 'object', 'object', '[worker eval]', true]);
  assertList(await first(`var top = 1; ${post}([globalThis.top])`, { eval: true }), [1]);
  assertList(await first('import { parentPort } from "node:worker_threads"; parentPort.postMessage([typeof require]);', { eval: true }),
    ['undefined']);
  assertList(await first(`import("node:path").then((m) => ${post}([typeof m.join]))`, { eval: true }), ['function']);
  assert(folder.length > 0);
});

test('a data: URL', async () => {
  const text = 'import { parentPort } from "node:worker_threads"; parentPort.postMessage([typeof require, import.meta.url.slice(0, 5)]);';
  assertList(await first(new URL(`data:text/javascript,${encodeURIComponent(text)}`)), ['undefined', 'data:']);
});
