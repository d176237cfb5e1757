// Every built-in module in one program: in both orders, statically and dynamically, and spread over workers.
import { builtinModules } from 'node:module';
import { Worker } from 'node:worker_threads';
import { assert, assertEq, test } from '../harness.mjs';

const names = [...builtinModules.filter((name) => !name.startsWith('internal')), 'tombolo:marshal'].map((name) => (name.includes(':') ? name : `node:${name}`));

/** Runs a module in a worker: what it ends with. */
const run = (text) => new Promise((resolve, reject) => {
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`));
  worker.on('error', reject);
  worker.on('exit', resolve);
});

test('the list is worth it', () => assert(names.length > 15 && names.includes('node:wasi'), names.join()));

for (const [order, list] of [['as they are listed', names], ['the other way round', names.toReversed()]]) {
  test(`imported by one module, ${order}`, async () => {
    assertEq(await run(list.map((name) => `import ${JSON.stringify(name)};`).join('')), 0);
  });
  test(`imported one after another, ${order}`, async () => {
    assertEq(await run(`for (const name of ${JSON.stringify(list)}) await import(name);`), 0);
  });
}

test('each by a worker of its own, all at once', async () => {
  const codes = await Promise.all(names.map((name) => run(`await import(${JSON.stringify(name)});`)));
  assert(codes.every((code) => code === 0), codes.join());
});

test('each together with tombolo:marshal and node:wasi, in this agent', async () => {
  for (const name of names) await Promise.all([import('node:wasi'), import(name), import('tombolo:marshal')]);
});
