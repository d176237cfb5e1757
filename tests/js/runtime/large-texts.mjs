// Texts that are large, deep or odd are judged as others are: which kind of module they are, and what they export.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { test, assert, assertEq } from '../harness.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'texts-'));
const write = (name, text) => {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return pathToFileURL(file);
};
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

test('a CommonJS file of megabytes is one, though a comment of it looks like a module', async () => {
  const statement = '/* some words that are here to fill the line */ call(one, two);\n';
  const filler = statement.repeat(Math.ceil((4 << 20) / statement.length));
  const url = write('large.js', [
    '/*', 'export default 1', 'import x from "y";', '*/',
    'exports.first = 1; function call() {} const one = 1, two = 2;', filler, 'exports.second = module.exports.first + one;',
  ].join('\n'));
  const { default: all, first, second } = await import(url);
  assertEq(first, 1);
  assertEq(second, 2);
  assertEq(all.second, 2);
});

test('deep texts of all kinds are parsed', async () => {
  const depth = 3000;
  const deep = {
    parentheses: ['(', '1', ')'], arrays: ['[', '1', ']'], not: ['!', '1', ''], voids: ['void ', '1', ''],
    typeofs: ['typeof ', '1', ''], arrows: ['a=>', '1', ''], sums: ['1+', '1', ''], choices: ['1?2:', '3', ''],
    awaits: ['async()=>', '1', ''], news: ['new ', 'f', ''], members: ['', 'f', '.a'], calls: ['', 'f', '()'],
    templates: ['`${', '1', '}`'], objects: ['{a:', '1', '}'], functions: ['function(){return ', '1', '}'],
  };
  for (const [name, [open, inner, close]] of Object.entries(deep)) {
    const nest = `(()=>{ let f; return () => (${open.repeat(depth)}${inner}${close.repeat(depth)}); });`;
    // An engine may refuse to compile what is so deep; what is read before that still must not overflow.
    const error = await import(write(`${name}.cjs`, `exports.name = ${JSON.stringify(name)};\n${nest}`)).then(
      ({ name: found }) => assertEq(found, name), (reason) => reason);
    assert(error === undefined || error instanceof SyntaxError || error instanceof RangeError, String(error));
  }
});

test('scripts of workers can have NUL characters', async () => {
  const answer = (worker) => new Promise((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
  });
  const text = 'require("worker_threads").parentPort.postMessage("a\0b".length)';
  assertEq(await answer(new Worker(text, { eval: true })), 3);
});

test('a listener that is added after unref keeps the worker and the loop', async () => {
  const text = `const { parentPort } = require('worker_threads');
    parentPort.on('message', () => parentPort.postMessage('done'));`;
  const worker = new Worker(text, { eval: true });
  worker.unref();
  const answer = await new Promise((resolve) => {
    worker.on('message', resolve);
    worker.postMessage(0);
  });
  assertEq(answer, 'done');
  worker.removeAllListeners('message');
});
