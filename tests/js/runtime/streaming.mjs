// `compileStreaming` and `instantiateStreaming` (WebAssembly Web API), on responses that are made here.
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { test, assert, assertEq, assertList, assertProperty, assertRejects, fail } from '../harness.mjs';

const { CompileError, LinkError, RuntimeError } = WebAssembly;
const builder = new WasmBuilder();
builder.importFunc('env', 'f', [], ['i32']);
builder.func([], ['i32'], [op.call(0), op.i32(1), op.i32Add], { export: 'g' });
const bytes = builder.bytes();
const empty = new WasmBuilder().bytes();
const imports = { env: { f: () => 41 } };

const response = (body = bytes, type = 'application/wasm', init = {}) => new Response(body, { headers: { 'Content-Type': type }, ...init });
const both = ['compileStreaming', 'instantiateStreaming'];

/** A TypeError, or (in Node) of a class of its own below TypeError. */
async function refuses(fn, pattern = /./) {
  const error = await fn().then(() => fail('expected a rejection'), (reason) => reason);
  assert(error instanceof TypeError && pattern.test(error.message), `${error}`);
}

test('they are methods of the namespace', () => {
  for (const name of both) {
    const { value } = assertProperty(WebAssembly, name, 'wec');
    assertEq(value.length, 1, name);
    assertEq(value.name, name);
    assert(!Object.hasOwn(value, 'prototype'));
  }
});

test('compileStreaming resolves to a Module', async () => {
  const module = await WebAssembly.compileStreaming(response());
  assert(module instanceof WebAssembly.Module);
  assertEq(new WebAssembly.Instance(module, imports).exports.g(), 42);
});

test('instantiateStreaming resolves to a module and an instance', async () => {
  const result = await WebAssembly.instantiateStreaming(response(), imports);
  assertEq(Object.getPrototypeOf(result), Object.prototype);
  assertList(Object.keys(result).sort(), ['instance', 'module']);
  assertProperty(result, 'instance', 'wec');
  assert(result.module instanceof WebAssembly.Module);
  assert(result.instance instanceof WebAssembly.Instance);
  assertEq(result.instance.exports.g(), 42);
});

test('the source may be a promise, and a promise of a promise', async () => {
  await WebAssembly.compileStreaming(Promise.resolve(response()));
  await WebAssembly.compileStreaming({ then: (resolve) => resolve(response()) });
  await WebAssembly.instantiateStreaming((async () => Promise.resolve(response(empty)))());
});

test('a source that rejects rejects with its reason', async () => {
  for (const name of both) {
    let reason;
    await WebAssembly[name](Promise.reject(both)).catch((error) => { reason = error; });
    assertEq(reason, both, name);
  }
});

test('what is no Response is a TypeError', async () => {
  const others = [undefined, null, 5, 'text', bytes, bytes.buffer, {}, Response, Response.prototype, Object.create(Response.prototype)];
  for (const name of both) {
    for (const other of others) {
      await refuses(() => WebAssembly[name](other));
      await refuses(() => WebAssembly[name](Promise.resolve(other)));
    }
    await refuses(() => WebAssembly[name]());
  }
});

test('the type must be application/wasm, without parameters', async () => {
  await WebAssembly.compileStreaming(response(bytes, ' application/wasm\t'));
  const wrong = ['', 'text/plain', 'application/octet-stream', 'application/wasm;', 'application/wasm; charset=utf-8', 'application/wasm, application/wasm', 'application/wasm/'];
  for (const name of both) {
    for (const type of wrong) await refuses(() => WebAssembly[name](response(bytes, type)));
    await refuses(() => WebAssembly[name](new Response(bytes)));
  }
});

test('the type is compared without regard to case', async () => {
  await WebAssembly.compileStreaming(response(bytes, 'Application/WASM'));
}, { v8: 'Node compares exactly' });

test('the status must be ok', async () => {
  for (const status of [200, 201, 299]) await WebAssembly.compileStreaming(response(bytes, 'application/wasm', { status }));
  for (const name of both) {
    for (const status of [300, 404, 500]) await refuses(() => WebAssembly[name](response(bytes, 'application/wasm', { status })));
    await refuses(() => WebAssembly[name](Response.error()));
  }
});

test('the body is consumed, and must not have been', async () => {
  for (const name of both) {
    const source = response();
    await WebAssembly[name](source, imports);
    assertEq(source.bodyUsed, true);
    await refuses(() => WebAssembly[name](source, imports));
    const read = response();
    await read.text();
    await refuses(() => WebAssembly[name](read, imports));
  }
});

test('bytes that are no module are a CompileError', async () => {
  for (const name of both) {
    for (const body of [new Uint8Array(), Uint8Array.of(0, 97, 115), 'text']) {
      await assertRejects(CompileError, () => WebAssembly[name](response(body)));
    }
    await assertRejects(CompileError, () => WebAssembly[name](new Response(null, { headers: { 'content-type': 'application/wasm' } })));
  }
});

test('the import object is converted at once, and read after compilation', async () => {
  for (const wrong of [null, 5, 'text']) {
    await refuses(() => WebAssembly.instantiateStreaming(new Promise(() => {}), wrong));
  }
  const order = [];
  const read = { get env() { order.push('read'); return imports.env; } };
  const promise = WebAssembly.instantiateStreaming(response(), read);
  order.push('called');
  await promise;
  assertList(order, ['called', 'read']);
  await assertRejects(CompileError, () => WebAssembly.instantiateStreaming(response('text'), read));
  assertList(order, ['called', 'read']);
});

test('instantiation fails as that of instantiate', async () => {
  await refuses(() => WebAssembly.instantiateStreaming(response()));
  await refuses(() => WebAssembly.instantiateStreaming(response(), {}));
  await assertRejects(LinkError, () => WebAssembly.instantiateStreaming(response(), { env: {} }), /\bf\b/);
  const trapping = new WasmBuilder();
  trapping.start(trapping.func([], [], [op.unreachable]));
  await assertRejects(RuntimeError, () => WebAssembly.instantiateStreaming(response(trapping.bytes())));
});

test('a script that changes promises and responses is not asked', async () => {
  const { then } = Promise.prototype;
  const { arrayBuffer } = Response.prototype;
  const source = response();
  const { headers } = source;
  Object.defineProperty(source, 'headers', { get() { throw new Error('asked'); } });
  Promise.prototype.then = () => { throw new Error('asked'); };
  Response.prototype.arrayBuffer = Promise.prototype.then;
  let promise;
  try {
    promise = WebAssembly.compileStreaming(source);
  } finally {
    Promise.prototype.then = then;
    Response.prototype.arrayBuffer = arrayBuffer;
  }
  assert(await promise instanceof WebAssembly.Module);
  assertEq(headers.get('content-type'), 'application/wasm');
}, { v8: 'Node asks it' });

test('a source that never settles is forgotten with its promise', () => {
  WebAssembly.instantiateStreaming(new Promise(() => {}), imports);
  globalThis.gc?.();
});
