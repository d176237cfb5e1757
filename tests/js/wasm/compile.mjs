// validate, compile and the constructor of Module: what they take, and what they say of it.
import { assert, assertEq, assertRejects, assertThrows, fail, onV8, test } from '../harness.mjs';
import { WasmBuilder, emptyModule, op } from '../wasm-builder.mjs';

const withFunction = () => {
  const b = new WasmBuilder();
  b.func([], ['i32'], op.i32(42), { export: 'f' });
  return b.bytes();
};
const illTyped = () => {
  const b = new WasmBuilder();
  b.func([], ['i32'], [], { export: 'f' });
  return b.bytes();
};

/** The same bytes in every kind of buffer and view that Web IDL's BufferSource (shared and resizable allowed) takes. */
function sources(bytes) {
  const padded = new Uint8Array(bytes.length + 8);
  padded.set(bytes, 4);
  const shared = new SharedArrayBuffer(bytes.length);
  new Uint8Array(shared).set(bytes);
  const resizable = new ArrayBuffer(bytes.length, { maxByteLength: bytes.length * 2 });
  new Uint8Array(resizable).set(bytes);
  const growable = new SharedArrayBuffer(bytes.length, { maxByteLength: bytes.length * 2 });
  new Uint8Array(growable).set(bytes);
  return {
    'ArrayBuffer': bytes.slice().buffer,
    'Uint8Array': bytes,
    'Int8Array in the middle of a buffer': new Int8Array(padded.buffer, 4, bytes.length),
    'DataView in the middle of a buffer': new DataView(padded.buffer, 4, bytes.length),
    'Uint8ClampedArray': new Uint8ClampedArray(bytes),
    'SharedArrayBuffer': shared,
    'view of a SharedArrayBuffer': new Uint8Array(shared),
    'resizable ArrayBuffer': resizable,
    'length-tracking view of a resizable ArrayBuffer': new Uint8Array(resizable),
    'growable SharedArrayBuffer': growable,
  };
}

// V8 takes typed arrays of any buffer, but no DataView and no bare SharedArrayBuffer.
const v8Refuses = (source) => (source instanceof DataView || source instanceof SharedArrayBuffer
  ? { v8: 'is no buffer source to it' } : {});

for (const [kind, source] of Object.entries(sources(withFunction()))) {
  test(`bytes in: ${kind}`, async () => {
    assertEq(WebAssembly.validate(source), true);
    assert(new WebAssembly.Module(source) instanceof WebAssembly.Module);
    assert(await WebAssembly.compile(source) instanceof WebAssembly.Module);
    const { instance } = await WebAssembly.instantiate(source);
    assertEq(instance.exports.f(), 42);
  }, v8Refuses(source));
}

for (const [kind, source] of Object.entries(sources(illTyped()))) {
  test(`invalid bytes in: ${kind}`, async () => {
    assertEq(WebAssembly.validate(source), false);
    assertThrows(WebAssembly.CompileError, () => new WebAssembly.Module(source));
    await assertRejects(WebAssembly.CompileError, () => WebAssembly.compile(source));
    await assertRejects(WebAssembly.CompileError, () => WebAssembly.instantiate(source));
  }, v8Refuses(source));
}

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const malformed = {
  'nothing': [],
  'half a header': header.slice(0, 4),
  'a wrong magic number': [0x00, 0x61, 0x73, 0x6e, 0x01, 0x00, 0x00, 0x00],
  'a wrong version': [0x00, 0x61, 0x73, 0x6d, 0x02, 0x00, 0x00, 0x00],
  'an unknown section': [...header, 0x7f, 0x00],
  'a section that ends early': [...header, 0x01, 0x04, 0x01],
  'a section that is longer than its contents': [...header, 0x01, 0x02, 0x00, 0x00],
  'sections out of order': [...header, 0x05, 0x03, 0x01, 0x00, 0x00, 0x01, 0x01, 0x00],
  'a section twice': [...header, 0x01, 0x01, 0x00, 0x01, 0x01, 0x00],
  'a function without code': [...header, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00],
  'a name that is not UTF-8': [...header, 0x00, 0x02, 0x01, 0xff],
  'the text format': [...new TextEncoder().encode('(module)')],
};
for (const [what, bytes] of Object.entries(malformed)) {
  test(`rejects ${what}`, async () => {
    const source = new Uint8Array(bytes);
    assertEq(WebAssembly.validate(source), false);
    const error = assertThrows(WebAssembly.CompileError, () => new WebAssembly.Module(source));
    assert(error.message.length > 0, 'has a message');
    await assertRejects(WebAssembly.CompileError, () => WebAssembly.compile(source));
  });
}

test('rejects two exports of one name', () => {
  const b = new WasmBuilder();
  b.memory({ min: 0 }, { export: 'x' });
  b.export('x', 'memory', 0);
  assertEq(WebAssembly.validate(b.bytes()), false);
});

test('rejects an export of something that is not there', () => {
  assertEq(WebAssembly.validate(new WasmBuilder().export('f', 'function', 0).bytes()), false);
});

test('rejects a start function with a parameter', () => {
  const b = new WasmBuilder();
  b.start(b.func(['i32'], [], []));
  assertEq(WebAssembly.validate(b.bytes()), false);
});

test('accepts the empty module', async () => {
  assertEq(WebAssembly.validate(emptyModule()), true);
  assertEq(Object.getPrototypeOf(await WebAssembly.compile(emptyModule())), WebAssembly.Module.prototype);
});

const notBytes = [undefined, null, true, 7, '', '\0asm', 7n, Symbol('s'), {}, [], [0, 0x61, 0x73, 0x6d],
  { length: 8 }, () => {}, new Proxy(emptyModule(), {})];
test('bytes that are no buffer: TypeError', async () => {
  for (const source of notBytes) {
    assertThrows(TypeError, () => WebAssembly.validate(source));
    assertThrows(TypeError, () => new WebAssembly.Module(source));
    await assertRejects(TypeError, () => WebAssembly.compile(source));
    await assertRejects(TypeError, () => WebAssembly.instantiate(source));
  }
});

test('missing arguments: validate throws, the asynchronous ones reject', async () => {
  assertThrows(TypeError, () => WebAssembly.validate());
  await assertRejects(TypeError, () => WebAssembly.compile());
  await assertRejects(TypeError, () => WebAssembly.instantiate());
});

test('a Module is not bytes', async () => {
  const module = new WebAssembly.Module(emptyModule());
  assertThrows(TypeError, () => WebAssembly.validate(module));
  assertThrows(TypeError, () => new WebAssembly.Module(module));
  await assertRejects(TypeError, () => WebAssembly.compile(module));
});

test('operations of the namespace do not look at this', async () => {
  const { validate, compile } = WebAssembly;
  for (const receiver of [undefined, null, {}, 7]) {
    assertEq(validate.call(receiver, emptyModule()), true);
    assert(await compile.call(receiver, emptyModule()) instanceof WebAssembly.Module);
  }
});

test('a detached buffer counts as no bytes', async () => {
  const buffer = withFunction().slice().buffer;
  buffer.transfer();
  assertEq(WebAssembly.validate(buffer), false);
  assertThrows(WebAssembly.CompileError, () => new WebAssembly.Module(buffer));
  await assertRejects(WebAssembly.CompileError, () => WebAssembly.compile(buffer));
});

test('a view that its buffer shrank away from counts as no bytes', () => {
  const bytes = withFunction();
  const buffer = new ArrayBuffer(8 + bytes.length, { maxByteLength: 8 + bytes.length });
  new Uint8Array(buffer).set(bytes, 8);
  const views = [new Uint8Array(buffer, 8), new Uint8Array(buffer, 8, bytes.length), new Uint8Array(buffer, 4, 2)];
  if (!onV8) views.push(new DataView(buffer, 8), new DataView(buffer, 8, bytes.length));
  for (const [at, view] of views.entries()) assertEq(WebAssembly.validate(view), at !== 2);
  buffer.resize(4);
  for (const view of views) assertEq(WebAssembly.validate(view), false);
});

test('what a view shows is no question of its properties', () => {
  const bytes = withFunction();
  const buffer = new ArrayBuffer(16 + bytes.length);
  new Uint8Array(buffer).set(bytes, 8);
  for (const Class of onV8 ? [Uint8Array] : [Uint8Array, DataView]) {
    const view = new Class(buffer, 8, bytes.length);
    for (const name of ['buffer', 'byteOffset', 'byteLength', 'length']) {
      Object.defineProperty(view, name, { get() { throw new Error('read'); } });
    }
    assertEq(WebAssembly.validate(view), true);
    Object.setPrototypeOf(view, null);
    assertEq(WebAssembly.validate(view), true);
  }
});

test('bytes are copied by the call: a later change does not matter', async () => {
  const bytes = withFunction();
  const compiled = WebAssembly.compile(bytes);
  const instantiated = WebAssembly.instantiate(bytes);
  bytes.fill(0);
  assert(await compiled instanceof WebAssembly.Module);
  assertEq((await instantiated).instance.exports.f(), 42);
});

test('the same holds where the later bytes would have been valid', async () => {
  const bytes = new Uint8Array(withFunction().length);
  const compiled = WebAssembly.compile(bytes);
  bytes.set(withFunction());
  await assertRejects(WebAssembly.CompileError, () => compiled);
});

test('the bytes stay as they were, and usable', () => {
  const bytes = withFunction();
  const before = bytes.join();
  new WebAssembly.Module(bytes);
  assertEq(bytes.join(), before);
  assertEq(bytes.buffer.byteLength, bytes.length);
});

test('promises are of the built-in class, and settle after the call', async () => {
  let settled = false;
  const promise = WebAssembly.compile(emptyModule());
  assertEq(Object.getPrototypeOf(promise), Promise.prototype);
  promise.then(() => { settled = true; });
  assertEq(settled, false);
  await promise;
});

test('a replaced Promise is not used', async () => {
  const { Promise: Original } = globalThis;
  let promise;
  try {
    globalThis.Promise = class extends Original { constructor() { super(() => {}); fail('was used'); } };
    promise = WebAssembly.compile(emptyModule());
  } finally {
    globalThis.Promise = Original;
  }
  assertEq(Object.getPrototypeOf(promise), Original.prototype);
  assert(await promise instanceof WebAssembly.Module);
});

test('stray arguments are ignored', () => {
  assertEq(WebAssembly.validate(emptyModule(), {}, 1, 2), true);
  assert(new WebAssembly.Module(emptyModule(), {}, 1) instanceof WebAssembly.Module);
});

test('each compilation makes an object of its own', async () => {
  const bytes = emptyModule();
  assert(new WebAssembly.Module(bytes) !== new WebAssembly.Module(bytes));
  assert(await WebAssembly.compile(bytes) !== await WebAssembly.compile(bytes));
});

test('compile options that are no dictionary: TypeError', () => {
  assertEq(WebAssembly.validate(emptyModule(), undefined), true);
  assertEq(WebAssembly.validate(emptyModule(), null), true);
  assertThrows(TypeError, () => WebAssembly.validate(emptyModule(), 7));
  assertThrows(TypeError, () => new WebAssembly.Module(emptyModule(), 'options'));
}, { v8: 'takes anything for an empty dictionary' });
