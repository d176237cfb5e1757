// Scripts at blob: URLs: workers, modules and fetch, as in browsers.
import { assert, assertEq, test } from '../harness.mjs';

const urlOf = (text, type = 'text/javascript') => URL.createObjectURL(new Blob([text], { type }));
const answer = (worker) => new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
  worker.onerror = ({ message }) => reject(new Error(message));
});

test('a classic worker, whose URL is revoked at once', async () => {
  const url = urlOf('postMessage(typeof importScripts)');
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  assertEq(await answer(worker), 'function');
});

test('a module worker that imports another blob', async () => {
  const dependency = urlOf('export const x = 42;');
  const worker = new Worker(urlOf(`import { x } from '${dependency}'; postMessage(x);`), { type: 'module' });
  assertEq(await answer(worker), 42);
});

test('a worker that starts a worker, and reads a blob of its parent', async () => {
  const data = urlOf('hello', 'text/plain');
  const inner = urlOf(`fetch('${data}').then((response) => response.text()).then(postMessage)`);
  const outer = new Worker(urlOf(`const w = new Worker('${inner}'); w.onmessage = ({ data }) => postMessage(data);`));
  assertEq(await answer(outer), 'hello');
});

test('a blob that a worker made and sends', async () => {
  const worker = new Worker(urlOf("postMessage(new Blob(['abc'], { type: 'x/y' }))"));
  const blob = await answer(worker);
  assert(blob instanceof Blob);
  assertEq(`${blob.type} ${await blob.text()}`, 'x/y abc');
});

test('import and fetch', async () => {
  const module = await import(urlOf('export default import.meta.url.slice(0, 5);', ''));
  assertEq(module.default, 'blob:');
  const response = await fetch(urlOf('{"a":1}', 'application/json'));
  assertEq(response.headers.get('content-type'), 'application/json');
  assertEq((await response.json()).a, 1);
  const gone = urlOf('');
  URL.revokeObjectURL(gone);
  assertEq((await import(gone).catch((error) => error)) instanceof Error, true);
  assertEq((await fetch(gone).catch((error) => error)) instanceof TypeError, true);
});
