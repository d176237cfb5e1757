// Bodies of Request and Response as streams, and FormData.

import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const assertThrows = (fn) => assert(thrown(fn, 'TypeError') instanceof TypeError);
const rejects = async (promise) => {
  const error = await promise.then(() => undefined, (why) => why);
  assert(error instanceof TypeError, 'a TypeError');
};
const streamOf = (...texts) => ReadableStream.from(texts).pipeThrough(new TextEncoderStream());
const post = (body, more) => new Request('http://host/', { method: 'POST', body, ...more });

test('a body is read once', async () => {
  const response = new Response('text');
  assertEq(response.bodyUsed, false);
  assertEq(await response.text(), 'text');
  assertEq(response.bodyUsed, true);
  await rejects(response.text());
  assertThrows(() => response.clone());
  const locked = new Response('text');
  locked.body.getReader();
  assertEq(locked.bodyUsed, false);
  await rejects(locked.text());
});

test('streams are bodies', async () => {
  assertEq(await new Response(streamOf('a', 'b')).text(), 'ab');
  assertEq(await new Response(streamOf('{"a":', '1}')).json().then(({ a }) => a), 1);
  await rejects(new Response(ReadableStream.from(['text'])).text());
  const used = streamOf('a');
  used.getReader();
  assertThrows(() => new Response(used));
  assertThrows(() => post(streamOf('a')));
  assertEq(await post(streamOf('a'), { duplex: 'half' }).text(), 'a');
});

test('clones share what they read', async () => {
  const one = new Response(streamOf('a', 'b'));
  const two = one.clone();
  assertEq(await one.text(), 'ab');
  assertEq(await two.text(), 'ab');
  const request = post('text');
  assertEq(await request.clone().text(), 'text');
  assertEq(await request.text(), 'text');
});

test('a body moves to the request that is made from it', async () => {
  const first = post('text');
  const second = new Request(first);
  assertEq(first.bodyUsed, true);
  assertEq(await second.text(), 'text');
  const streamed = post(streamOf('x'), { duplex: 'half' });
  const moved = new Request(streamed);
  assertEq(streamed.bodyUsed, true);
  assertEq(await moved.text(), 'x');
});

test('Blobs have their types', async () => {
  const response = new Response(new Blob(['abc'], { type: 'a/b' }));
  assertEq(response.headers.get('content-type'), 'a/b');
  const blob = await response.blob();
  assertEq(blob.type, 'a/b');
  assertEq(await blob.text(), 'abc');
  assertList(await new Response(new Blob(['abc'])).bytes(), [97, 98, 99]);
  const url = URL.createObjectURL(new Blob(['found'], { type: 'text/x' }));
  const found = await fetch(url);
  assertEq(found.headers.get('content-type'), 'text/x');
  assertEq(await found.text(), 'found');
  URL.revokeObjectURL(url);
  await rejects(fetch(url));
});

test('requests have Node\'s properties', () => {
  const request = new Request('http://host/', { cache: 'no-store', credentials: 'omit', redirect: 'manual', referrer: '', keepalive: true, integrity: 'x' });
  const { mode, destination, cache, credentials, redirect, referrer, referrerPolicy, keepalive, integrity, duplex } = request;
  assertList([mode, destination, cache, credentials, redirect, referrer, referrerPolicy, keepalive, integrity, duplex],
    ['cors', '', 'no-store', 'omit', 'manual', '', '', true, 'x', 'half']);
  assertThrows(() => new Request('http://host/', { cache: 'none' }));
  assertThrows(() => new Request('http://host/', { mode: 'navigate' }));
  assertThrows(() => new Request('http://host/', { body: 'a' }));
});

test('FormData keeps its entries in order', () => {
  const form = new FormData();
  form.append('a', 1);
  form.append('b', 'x');
  form.append('a', '2');
  assertList(form.getAll('a'), ['1', '2']);
  assertEq(form.get('none'), null);
  form.set('a', '3');
  assertList([...form].flat(), ['a', '3', 'b', 'x']);
  form.set('c', 'new');
  form.delete('a');
  assertList([...form.keys()], ['b', 'c']);
  assertEq(form.has('a'), false);
  const seen = [];
  form.forEach((value, name) => seen.push(name, value));
  assertList(seen, ['b', 'x', 'c', 'new']);
  assertEq(Object.prototype.toString.call(form), '[object FormData]');
  assertThrows(() => form.append('a'));
  assertThrows(() => form.append('a', 'text', 'name'));
  assertThrows(() => FormData.prototype.get.call({}, 'a'));
  assertThrows(() => new FormData(1));
});

test('Blobs in a form become files', () => {
  const form = new FormData();
  form.append('blob', new Blob(['x'], { type: 'a/b' }));
  form.append('named', new Blob(['x']), 'name');
  const file = new File(['x'], 'own', { lastModified: 5 });
  form.append('file', file);
  assert(form.get('blob') instanceof File);
  assertEq(form.get('blob').name, 'blob');
  assertEq(form.get('blob').type, 'a/b');
  assertEq(form.get('named').name, 'name');
  assertEq(form.get('file').name, 'own');
  assertEq(form.get('file').lastModified, 5);
});

test('forms survive a body', async () => {
  const form = new FormData();
  form.append('text', 'one\ntwo');
  form.append('quo"te\n', 'é');
  form.append('file', new File([new Uint8Array([0, 13, 10, 45, 45, 255])], 'a "b".bin', { type: 'x/y' }));
  const response = new Response(form);
  assert(/^multipart\/form-data; boundary=\S+$/.test(response.headers.get('content-type')));
  const back = await response.formData();
  assertList([...back.keys()], ['text', 'quo"te\r\n', 'file']);
  assertEq(back.get('text'), 'one\r\ntwo');
  const file = back.get('file');
  assertEq(file.name, 'a "b".bin');
  assertEq(file.type, 'x/y');
  assertList(await file.bytes(), [0, 13, 10, 45, 45, 255]);
  const empty = await new Response(new FormData()).formData();
  assertEq([...empty].length, 0);
});

test('forms are parsed', async () => {
  const parse = (text, type) => new Response(text, { headers: { 'content-type': type } }).formData();
  const query = await parse('a=1&b=%C3%A9+x', 'application/x-www-form-urlencoded');
  assertList([...query].flat(), ['a', '1', 'b', 'é x']);
  const body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x\r\nContent-Type: text/css\r\ncontent-disposition: form-data; name="f"; filename="n"\r\n\r\n\r\n--x--\r\n';
  const form = await parse(body, 'multipart/form-data; boundary="x"');
  assertEq(form.get('a'), '1');
  assertEq(form.get('f').type, 'text/css');
  assertEq(form.get('f').size, 0);
  for (const [text, type] of [['', 'text/plain'], ['', 'multipart/form-data'], ['no', 'multipart/form-data; boundary=x'],
    ['--x\r\n\r\n\r\n--x--', 'multipart/form-data; boundary=x'], ['--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', 'multipart/form-data; boundary=x']]) {
    await rejects(parse(text, type));
  }
});
