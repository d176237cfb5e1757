// `fetch` of `data:` and `file:` URLs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, assert, assertEq, assertList, assertRejects, assertThrows, fail } from '../harness.mjs';

const files = { v8: 'Node fetches no files' };
const wasm = new URL('./modules/cycle.wasm', import.meta.url);

test('a file, with the type that its name says', async () => {
  const response = await fetch(wasm);
  assertEq(response.status, 200);
  assertEq(response.url, wasm.href);
  assertEq(response.headers.get('content-type'), 'application/wasm');
  assertThrows(TypeError, () => response.headers.delete('content-type'));
  const bytes = await response.bytes();
  assertList(bytes.subarray(0, 4), [0, 97, 115, 109]);
}, files);

test('a module by fetch and instantiateStreaming', async () => {
  const imports = { './cycle.mjs': { double: (value) => 2 * value } };
  const { instance } = await WebAssembly.instantiateStreaming(fetch(wasm), imports);
  assertEq(instance.exports.quadruple(3), 12);
}, files);

test('types by extension, none without', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-fetch-'));
  const types = {
    'a.WASM': 'application/wasm', 'a.json': 'application/json', 'a.js': 'text/javascript', 'a.mjs': 'text/javascript',
    'a.html': 'text/html', 'a.txt': 'text/plain', 'a.unknown': null, plain: null, '.wasm': 'application/wasm', 'ä b#?.txt': 'text/plain',
  };
  try {
    for (const [name, type] of Object.entries(types)) {
      const path = join(folder, name);
      writeFileSync(path, name);
      const response = await fetch(`${pathToFileURL(path)}?query#fragment`);
      assertEq(response.headers.get('content-type'), type, name);
      assertEq(response.url, `${pathToFileURL(path)}?query`);
      assertEq(await response.text(), name);
    }
    const query = pathToFileURL(join(folder, 'plain'));
    assertEq((await fetch(`${query}?a.wasm`)).headers.get('content-type'), null);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, files);

test('a file that cannot be read is a TypeError with a cause', async () => {
  for (const [url, code] of [['file:///not/there', 'ENOENT'], [new URL('.', import.meta.url), 'EISDIR']]) {
    const error = await fetch(url).then(() => fail('it was read'), (reason) => reason);
    assertEq(Object.getPrototypeOf(error), TypeError.prototype);
    assertEq(error.cause.code, code);
  }
}, files);

test('data: URLs', async () => {
  const cases = [
    ['data:,Hello%2C%20World', 'text/plain;charset=US-ASCII', 'Hello, World'],
    ['data:text/html,<b>%41</b>#fragment', 'text/html', '<b>A</b>'],
    ['data:;charset=utf-8,%C3%A9', 'text/plain;charset=utf-8', 'é'],
    ['data:TEXT/Plain;Charset="a b";x=y;x=z,é', 'text/plain;charset="a b";x=y', 'é'],
    ['data:nonsense,x', 'text/plain;charset=US-ASCII', 'x'],
    ['data:;base64,aGk=', 'text/plain;charset=US-ASCII', 'hi'],
    ['data:application/wasm; BASE64 ,aGk', 'application/wasm', 'hi'],
    ['data:a/b;base64,aG%6b%3d', 'a/b', 'hi'],
    ['data:a/b,100%', 'a/b', '100%'],
    ['data:a/b,%zz%4', 'a/b', '%zz%4'],
    ['data:a/b,a,b?c', 'a/b', 'a,b?c'],
  ];
  for (const [url, type, text] of cases) {
    const response = await fetch(url);
    assertEq(response.headers.get('content-type'), type, url);
    assertEq(await response.text(), text, url);
  }
  for (const wrong of ['data:', 'data:text/plain', 'data:;base64,a', 'data:;base64,a!==']) await assertRejects(TypeError, () => fetch(wrong));
});

test('data: URLs by any method', async () => {
  assertEq(await (await fetch('data:,x', { method: 'POST', body: 'y' })).text(), 'x');
  assertEq(await (await fetch('data:,x', { method: 'PATCH' })).text(), 'x');
  const response = await fetch('data:a/b,x', { method: 'HEAD' });
  assertEq(response.headers.get('content-type'), 'a/b');
  assertEq(response.status, 200);
  assertEq(await response.text(), '');
});

test('many spaces in the type of a data: URL', async () => {
  const many = ' '.repeat(300_000);
  for (const [type, shown] of [[`a/b;c="d${many}e"`, `a/b;c="d${many}e"`], [`a${many}/b`, 'text/plain;charset=US-ASCII'], [`a/b;${many};c= d ;e =f`, 'a/b;c=" d"']]) {
    assertEq((await fetch(`data:${type},x`)).headers.get('content-type'), shown);
  }
});

test('a module in a data: URL', async () => {
  const module = await WebAssembly.compileStreaming(fetch('data:application/wasm;base64,AGFzbQEAAAA='));
  assert(module instanceof WebAssembly.Module);
});

test('what cannot be fetched is a rejection', async () => {
  for (const wrong of ['./relative', '', 'unknown://x', 'http://user:password@localhost/']) await assertRejects(TypeError, () => fetch(wrong));
  await assertRejects(TypeError, () => fetch());
  await assertRejects(TypeError, () => fetch('data:,', { method: 'a b' }));
});

test('files are read by GET alone', async () => {
  await assertRejects(TypeError, () => fetch(wasm, { method: 'POST' }), /GET/);
}, { v8: 'Node fetches no files' });

test('an aborted signal rejects with its reason', async () => {
  const reason = { why: 'abort' };
  let came;
  await fetch('data:,', { signal: AbortSignal.abort(reason) }).catch((error) => { came = error; });
  assertEq(came, reason);
  const controller = new AbortController();
  const promise = fetch(new Request('data:,', { signal: controller.signal }));
  controller.abort();
  await promise.catch(() => {});
});

test('a URL that cannot be used is named, with the reason as the cause', async () => {
  const invalid = (error, url) => error.message === `Failed to parse URL from ${url}` && error.cause.input === url &&
    error.cause.code === 'ERR_INVALID_URL';
  for (const [what, url] of [[() => new Request('/x'), '/x'], [() => Response.redirect('y'), 'y']]) {
    let error;
    try { what(); } catch (thrown) { error = thrown; }
    assert(error instanceof TypeError && invalid(error, url), String(error));
  }
  const error = await fetch('/z').catch((reason) => reason);
  assert(error instanceof TypeError && invalid(error, '/z'), String(error));
  let other;
  try { new Request('http://a:b@c/'); } catch (thrown) { other = thrown; }
  assertEq(other.message, 'Request cannot be constructed from a URL that includes credentials: http://a:b@c/');
});
