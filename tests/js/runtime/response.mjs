// Headers, Response and Request (Fetch Standard).
import { test, assert, assertEq, assertList, assertProperty, assertRejects, assertThrows } from '../harness.mjs';

const bytesOf = async (response) => [...new Uint8Array(await response.arrayBuffer())];

test('names are tokens without case, values are trimmed', () => {
  const headers = new Headers({ 'X-One': ' \t\r\n a b\n' });
  assertEq(headers.get('x-ONE'), 'a b');
  assertEq(headers.get('x-two'), null);
  for (const name of ['', ' ', 'a b', 'a:', 'é', 'a\n', '"']) {
    assertThrows(TypeError, () => headers.append(name, ''));
    assertThrows(TypeError, () => headers.get(name));
    assertThrows(TypeError, () => headers.has(name));
  }
  for (const value of ['a\0b', 'a\nb', 'a\rb', 'Ā']) assertThrows(TypeError, () => headers.append('a', value));
  headers.append('a', 'ÿ');
  assertEq(headers.get('a'), 'ÿ');
  assertThrows(TypeError, () => headers.append('a'));
});

test('values of one name are combined, cookies are not', () => {
  const headers = new Headers([['b', '1'], ['Set-Cookie', 'x'], ['A', '2'], ['B', '3'], ['set-cookie', 'y']]);
  assertEq(headers.get('b'), '1, 3');
  assertEq(headers.get('set-cookie'), 'x, y');
  assertList(headers.getSetCookie(), ['x', 'y']);
  assertEq(JSON.stringify([...headers]), '[["a","2"],["b","1, 3"],["set-cookie","x"],["set-cookie","y"]]');
  assertList(headers.keys(), ['a', 'b', 'set-cookie', 'set-cookie']);
  assertList(headers.values(), ['2', '1, 3', 'x', 'y']);
  const seen = [];
  headers.forEach(function (value, name, all) { seen.push(this.tag + name + value); assertEq(all, headers); }, { tag: '#' });
  assertList(seen, ['#a2', '#b1, 3', '#set-cookiex', '#set-cookiey']);
});

test('set replaces all of a name, delete removes them', () => {
  const headers = new Headers([['a', '1'], ['b', '2'], ['a', '3']]);
  headers.set('A', '4');
  assertEq(headers.get('a'), '4');
  headers.set('c', '5');
  headers.delete('B');
  headers.delete('not-there');
  assertEq(JSON.stringify([...headers]), '[["a","4"],["c","5"]]');
  assertEq(headers.has('b'), false);
});

test('headers from headers, pairs and objects', () => {
  const from = (init) => JSON.stringify([...new Headers(init)]);
  assertEq(from(new Headers({ a: 'b' })), '[["a","b"]]');
  assertEq(from(new Map([['a', 'b']])), '[["a","b"]]');
  assertEq(from({ a: 1, B: null }), '[["a","1"],["b","null"]]');
  assertEq(from(undefined), '[]');
  for (const wrong of [null, 5, 'text', [['a']], [['a', 'b', 'c']], [5], ['ab'], { [Symbol.iterator]: 5 }, { [Symbol('x')]: 'y' }]) {
    assertThrows(TypeError, () => new Headers(wrong));
  }
});

test('an iterator sees what comes meanwhile', () => {
  const headers = new Headers({ a: '1', b: '2' });
  const seen = [];
  for (const [name] of headers) {
    seen.push(name);
    if (name === 'a') headers.append('c', '3');
  }
  assertList(seen, ['a', 'b', 'c']);
});

test('an iterator goes on after its end, and its items are its own', () => {
  const headers = new Headers({ a: '1', b: '2' });
  const iterator = headers.entries();
  iterator.next().value[1] = 'changed';
  assertEq(headers.get('a'), '1');
  assertEq([...headers].join(), 'a,1,b,2');
  headers.delete('b');
  assertEq(iterator.next().done, true);
  headers.set('c', '3');
  assertList(iterator.next().value, ['c', '3']);
  const seen = [];
  headers.forEach((value, name) => {
    seen.push(name + value);
    if (name === 'a') headers.set('c', '4');
  });
  assertList(seen, ['a1', 'c4']);
});

test('iterators have a prototype of their own', () => {
  const prototype = Object.getPrototypeOf(new Headers().entries());
  assertEq(Object.getPrototypeOf(prototype), Iterator.prototype);
  assertEq(prototype[Symbol.toStringTag], 'Headers Iterator');
  assertList(Reflect.ownKeys(prototype), ['next', Symbol.toStringTag]);
  assertProperty(prototype, 'next', 'wec');
  assertProperty(prototype, Symbol.toStringTag, 'c');
  for (const name of ['keys', 'values', 'entries']) {
    assertEq(Object.getPrototypeOf(new Headers()[name]()), prototype);
    for (const wrong of [{}, 5, undefined, prototype]) assertThrows(TypeError, () => Headers.prototype[name].call(wrong));
  }
  for (const wrong of [{}, 5, undefined, prototype, [].values()]) assertThrows(TypeError, () => prototype.next.call(wrong));
});

test('many headers, and many spaces within values', () => {
  const headers = new Headers();
  for (let i = 0; i < 2000; i++) headers.append(`a${i}`, `${i}`);
  for (let i = 0; i < 2000; i++) headers.append('b', `${i}`);
  assertEq([...headers].length, 2001);
  assertEq(headers.get('b').split(', ').length, 2000);
  const value = `x${' '.repeat(300_000)}y`;
  assertEq(new Headers({ a: `\t${value} ` }).get('a'), value);
});

test('a response by default', async () => {
  const response = new Response();
  assertEq(response.status, 200);
  assertEq(response.ok, true);
  assertEq(response.statusText, '');
  assertEq(response.type, 'default');
  assertEq(response.url, '');
  assertEq(response.redirected, false);
  assertEq(response.body, null);
  assertEq(response.bodyUsed, false);
  assertList(response.headers, []);
  assertEq(response.headers, response.headers);
  assertEq(await response.text(), '');
  assertEq(response.bodyUsed, false, 'there was none');
});

test('bodies of text, bytes and parameters', async () => {
  const source = Uint8Array.of(1, 2, 3, 4);
  const buffer = new Response(source.buffer);
  const view = new Response(new DataView(source.buffer, 1, 2));
  source.fill(9);
  assertList(await bytesOf(buffer), [1, 2, 3, 4]);
  assertList(await bytesOf(view), [2, 3]);
  assertEq(buffer.headers.get('content-type'), null);
  const text = new Response('é😀\ud800');
  assertEq(text.headers.get('content-type'), 'text/plain;charset=UTF-8');
  assertEq(await text.text(), 'é😀\ufffd');
  const query = new Response(new URLSearchParams({ a: 'b c' }));
  assertEq(query.headers.get('content-type'), 'application/x-www-form-urlencoded;charset=UTF-8');
  assertEq(await query.text(), 'a=b+c');
  assertEq(await new Response(5).text(), '5');
  const shared = new Response(new SharedArrayBuffer(4));
  assertEq(await shared.clone().text(), '[object SharedArrayBuffer]');
  assertEq(shared.headers.get('content-type'), 'text/plain;charset=UTF-8');
  assertEq(await new Response({ [Symbol.toStringTag]: 'ArrayBuffer' }).text(), '[object ArrayBuffer]');
  assertEq(new Response('', { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type'), 'a/b');
});

test('a body is read as bytes, text or JSON, once', async () => {
  assertEq((await new Response('[1]').json())[0], 1);
  await assertRejects(SyntaxError, () => new Response('{').json());
  assertEq(await new Response(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).text(), 'a', 'without the byte order mark');
  const array = await new Response('ab').bytes();
  assertEq(Object.getPrototypeOf(array), Uint8Array.prototype);
  assertList(array, [97, 98]);
  for (const name of ['arrayBuffer', 'bytes', 'text', 'json']) {
    const response = new Response('1');
    const promise = response[name]();
    assertEq(response.bodyUsed, true, name);
    await promise;
    await assertRejects(TypeError, () => response.text());
    assertThrows(TypeError, () => response.clone());
    await assertRejects(TypeError, () => Response.prototype[name].call({}));
  }
});

test('a clone has the same body', async () => {
  const response = new Response('text', { status: 201, statusText: 'Made', headers: { a: 'b' } });
  const clone = response.clone();
  clone.headers.set('a', 'c');
  assertEq(response.headers.get('a'), 'b');
  assertEq(clone.status, 201);
  assertEq(clone.statusText, 'Made');
  const bytes = await clone.bytes();
  bytes.fill(0);
  assertEq(await response.text(), 'text');
});

test('status and status text', () => {
  for (const status of [0, 100, 199, 600, 1000, -1, NaN, 'a']) assertThrows(RangeError, () => new Response('', { status }));
  assertEq(new Response('', { status: 65_536 + 404 }).status, 404, 'an unsigned short');
  assertEq(new Response('', { status: '404' }).ok, false);
  for (const statusText of ['a\nb', 'a\0', 'Ā']) assertThrows(TypeError, () => new Response('', { statusText }));
  for (const status of [204, 205, 304]) {
    assertThrows(TypeError, () => new Response('', { status }));
    assertEq(new Response(null, { status }).status, status);
  }
  assertThrows(TypeError, () => new Response('', 5));
  assertThrows(TypeError, () => Response());
});

test('Response.error, json and redirect', async () => {
  const error = Response.error();
  assertEq(error.type, 'error');
  assertEq(error.status, 0);
  assertEq(error.ok, false);
  assertThrows(TypeError, () => error.headers.append('a', 'b'));
  const json = Response.json({ a: [1] }, { status: 201 });
  assertEq(json.headers.get('content-type'), 'application/json');
  assertEq(json.status, 201);
  assertEq(await json.text(), '{"a":[1]}');
  assertEq(Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type'), 'a/b');
  assertThrows(TypeError, () => Response.json(undefined));
  assertThrows(TypeError, () => Response.json('', { status: 204 }));
  const redirect = Response.redirect('http://example.org/a b');
  assertEq(redirect.status, 302);
  assertEq(redirect.headers.get('location'), 'http://example.org/a%20b');
  assertThrows(TypeError, () => redirect.headers.set('location', 'x'));
  assertEq(Response.redirect('http://example.org', 308).status, 308);
  assertThrows(RangeError, () => Response.redirect('http://example.org', 200));
  assertThrows(TypeError, () => Response.redirect('no url'));
  assertEq(Response.redirect('http://example.org', 65536 + 302).status, 302);
});

test('members are those of the interfaces', () => {
  for (const name of ['arrayBuffer', 'bytes', 'text', 'json', 'clone']) assertProperty(Response.prototype, name, 'wec');
  for (const name of ['status', 'ok', 'headers', 'url', 'type', 'body', 'bodyUsed', 'redirected', 'statusText']) {
    assertProperty(Response.prototype, name, 'ec');
    assertThrows(TypeError, () => Response.prototype[name]);
  }
  for (const name of ['error', 'json', 'redirect']) assertProperty(Response, name, 'wec');
  for (const name of ['append', 'delete', 'get', 'getSetCookie', 'has', 'set', 'forEach', 'keys']) assertProperty(Headers.prototype, name, 'wec');
  assertEq(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
  for (const Class of [Headers, Response, Request]) {
    assertEq(Class.prototype[Symbol.toStringTag], Class.name);
    assertProperty(globalThis, Class.name, 'wc');
  }
});

test('a request', async () => {
  const request = new Request('file:///a/../b c#d');
  assertEq(request.url, 'file:///b%20c#d');
  assertEq(request.method, 'GET');
  assertEq(request.signal.aborted, false);
  const post = new Request('http://example.org', { method: 'post', body: 'text', headers: { a: 'b' } });
  assertEq(post.method, 'POST');
  assertEq(post.headers.get('content-type'), 'text/plain;charset=UTF-8');
  const moved = new Request(post, { headers: { c: 'd' } });
  assertEq(post.bodyUsed, true);
  assertList(moved.headers.keys(), ['c']);
  assertEq(await moved.clone().text(), 'text');
  assertEq(await moved.text(), 'text');
  assertThrows(TypeError, () => new Request(post));
  assertThrows(TypeError, () => new Request('./relative'));
  assertThrows(TypeError, () => new Request('http://user@example.org'));
  assertThrows(TypeError, () => new Request('http://example.org', { body: '' }));
  assertThrows(TypeError, () => new Request('http://example.org', { method: 'a b' }));
  assertThrows(TypeError, () => new Request('http://example.org', { method: 'trace' }));
  assertThrows(TypeError, () => new Request());
});

test('a request’s signal depends on the one that it is given', () => {
  const controller = new AbortController();
  const request = new Request('http://example.org', { signal: controller.signal });
  const requests = [request, new Request(request), request.clone(), new Request(request, {})];
  const free = [new Request(request, { signal: null }), new Request('http://example.org')];
  const signals = [controller.signal, ...[...requests, ...free].map((each) => each.signal)];
  assertEq(new Set(signals).size, signals.length);
  assertEq(request.signal, request.signal);
  const reason = { why: 'abort' };
  controller.abort(reason);
  for (const { signal } of requests) assertEq(signal.reason, reason);
  for (const { signal } of free) assertEq(signal.aborted, false);
  assertEq(new Request(request).signal.reason, reason);
});

test('getters say which object they miss', () => {
  for (const Class of [Response, Request]) {
    for (const name of ['body', 'bodyUsed']) {
      const { get } = Object.getOwnPropertyDescriptor(Class.prototype, name);
      for (const wrong of [5, undefined, null, {}, Class.prototype]) assertThrows(TypeError, () => get.call(wrong), new RegExp(`${Class.name}.${name}: .*${Class.name}`));
    }
  }
}, { v8: 'Node words it otherwise' });

test('a body is a stream', async () => {
  const response = new Response('text');
  const { body } = response;
  assert(body instanceof ReadableStream);
  assertEq(response.body, body);
  const { value } = await body.getReader().read();
  assertEq(new TextDecoder().decode(value), 'text');
  assertEq(response.bodyUsed, true);
  assertEq(new Response().body, null);
});
