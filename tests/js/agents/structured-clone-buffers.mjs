// structuredClone: buffers and views, what cannot be cloned, transfer.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { assertDataCloneError, assertTypeError } from './support.mjs';

const clone = structuredClone;
const proto = Object.getPrototypeOf;
const keys = (object) => Reflect.ownKeys(object);
const detached = () => { const buffer = new ArrayBuffer(8); buffer.transfer(); return buffer; };

// Buffers and views.

const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
  BigUint64Array, Float32Array, Float64Array, ...(globalThis.Float16Array ? [Float16Array] : [])];

test('ArrayBuffer: a copy, also of length zero', () => {
  const buffer = Uint8Array.of(1, 2, 3).buffer;
  buffer.extra = 1;
  const copy = clone(buffer);
  assert(copy !== buffer);
  assertEq(proto(copy), ArrayBuffer.prototype);
  assertList(new Uint8Array(copy), [1, 2, 3]);
  assertList(keys(copy), []);
  assertEq(copy.resizable, false);
  new Uint8Array(copy)[0] = 9;
  assertEq(new Uint8Array(buffer)[0], 1);
  const empty = clone(new ArrayBuffer(0));
  assertEq(empty.byteLength, 0);
  assertEq(empty.detached, false);
});

test('a resizable ArrayBuffer keeps its maxByteLength', () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 16 });
  new Uint8Array(buffer)[3] = 7;
  const copy = clone(buffer);
  assertEq(copy.resizable, true);
  assertEq(copy.maxByteLength, 16);
  assertEq(copy.byteLength, 4);
  copy.resize(16);
  assertEq(new Uint8Array(copy)[3], 7);
  assertEq(new Uint8Array(copy)[15], 0);
  assertEq(buffer.byteLength, 4);
});

test('typed arrays of every kind, with offset and length, and the whole buffer behind', () => {
  for (const Kind of kinds) {
    const size = Kind.BYTES_PER_ELEMENT;
    const number = Kind.name.startsWith('Big') ? BigInt : Number;
    const view = new Kind(new ArrayBuffer(size * 6), size, 3);
    view[0] = number(1);
    view[2] = number(100);
    view.extra = 1;
    const copy = clone(view);
    assertEq(proto(copy), Kind.prototype);
    assertEq(copy.byteOffset, size);
    assertEq(copy.length, 3);
    assertEq(copy.buffer.byteLength, size * 6);
    assertList(copy, view);
    assertEq('extra' in copy, false);
    assert(copy.buffer !== view.buffer);
    assertEq(clone(new Kind(0)).length, 0);
  }
});

test('floats keep their bits, NaN included', () => {
  const bits = new Uint32Array([0x7fc00001, 0xff800001, 0x80000000, 0x7f800000]);
  assertList(new Uint32Array(clone(new Float32Array(bits.buffer)).buffer), bits);
});

test('DataView', () => {
  const buffer = Uint8Array.of(1, 2, 3, 4, 5).buffer;
  const copy = clone(new DataView(buffer, 1, 3));
  assertEq(proto(copy), DataView.prototype);
  assertEq(copy.byteOffset, 1);
  assertEq(copy.byteLength, 3);
  assertEq(copy.getUint8(2), 4);
  assertEq(copy.buffer.byteLength, 5);
});

test('subclasses of typed arrays and buffers become plain', () => {
  class Bytes extends Uint8Array {}
  class Buffer extends ArrayBuffer {}
  assertEq(proto(clone(new Bytes(2))), Uint8Array.prototype);
  assertEq(proto(clone(new Buffer(2))), ArrayBuffer.prototype);
});

test('views that share a buffer keep sharing it', () => {
  const buffer = new ArrayBuffer(8);
  const copy = clone({ bytes: new Uint8Array(buffer), words: new Int32Array(buffer, 4), buffer, view: new DataView(buffer) });
  assertEq(copy.bytes.buffer, copy.buffer);
  assertEq(copy.words.buffer, copy.buffer);
  assertEq(copy.view.buffer, copy.buffer);
  copy.words[0] = -1;
  assertEq(copy.bytes[4], 255);
  const [first, second] = clone([new Uint8Array(buffer), buffer]);
  assertEq(first.buffer, second, 'the view came first');
});

test('views that track the length keep tracking', () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 16 });
  const copy = clone([new Uint8Array(buffer), new Uint8Array(buffer, 1, 2), new DataView(buffer, 1), buffer]);
  const [tracking, fixed, view, to] = copy;
  to.resize(10);
  assertEq(tracking.length, 10);
  assertEq(fixed.length, 2);
  assertEq(view.byteLength, 9);
});

test('a detached buffer, views on one, views out of bounds: DataCloneError', () => {
  assertDataCloneError(() => clone(detached()));
  assertDataCloneError(() => clone({ a: detached() }));
  for (const make of [(buffer) => new Uint8Array(buffer), (buffer) => new Float64Array(buffer), (buffer) => new DataView(buffer)]) {
    const buffer = new ArrayBuffer(8);
    const view = make(buffer);
    buffer.transfer();
    assertDataCloneError(() => clone(view), 'view on a detached buffer');
    const shrinking = new ArrayBuffer(16, { maxByteLength: 16 });
    const beyond = view instanceof DataView ? new DataView(shrinking, 8, 8) : new view.constructor(shrinking, 8, 1);
    shrinking.resize(8);
    assertDataCloneError(() => clone(beyond), 'view out of bounds');
  }
});

test('a buffer that a getter has detached before its turn: DataCloneError', () => {
  const buffer = new ArrayBuffer(8);
  assertDataCloneError(() => clone({ get a() { buffer.transfer(); return 1; }, buffer }));
});

test('a buffer that a getter changes after its turn: the copy is of before', () => {
  const buffer = Uint8Array.of(1).buffer;
  const copy = clone({ buffer, get b() { new Uint8Array(buffer)[0] = 2; return 1; } });
  assertEq(new Uint8Array(copy.buffer)[0], 1);
});

test('SharedArrayBuffer: another object, the same bytes', () => {
  const buffer = new SharedArrayBuffer(8);
  const copy = clone(buffer);
  assert(copy !== buffer);
  assertEq(proto(copy), SharedArrayBuffer.prototype);
  new Uint8Array(copy)[5] = 5;
  assertEq(new Uint8Array(buffer)[5], 5);
  const [a, b] = clone([new Int32Array(buffer, 4, 1), buffer]);
  assertEq(a.buffer, b);
  assertEq(a.byteOffset, 4);
  assertEq(Atomics.add(a, 0, 1), 5 << 8);
});

test('SharedArrayBuffer: growth is seen by all', () => {
  const buffer = new SharedArrayBuffer(4, { maxByteLength: 16 });
  const { copy, tracking } = clone({ copy: buffer, tracking: new Uint8Array(buffer) });
  assertEq(copy.growable, true);
  assertEq(copy.maxByteLength, 16);
  buffer.grow(8);
  assertEq(copy.byteLength, 8);
  assertEq(tracking.length, 8);
  copy.grow(16);
  assertEq(buffer.byteLength, 16);
});

test('SharedArrayBuffer: the bytes outlive the first object', () => {
  let copy = (() => { const first = new SharedArrayBuffer(1 << 16); new Uint8Array(first).fill(7); return clone(first); })();
  for (let i = 0; i < 3; i += 1) { globalThis.gc?.(); copy = clone(copy); }
  assertEq(new Uint8Array(copy)[65535], 7);
});

// What cannot be cloned.

test('what has no form of data: DataCloneError', () => {
  const uncloneable = {
    function: () => {}, method: { m() {} }.m, class: class {}, async: async () => {}, native: Math.max, bound: (() => {}).bind(),
    generatorFunction: function* () {}, WeakMap: new WeakMap(), WeakSet: new WeakSet(), WeakRef: new WeakRef({}),
    FinalizationRegistry: new FinalizationRegistry(() => {}), Promise: Promise.resolve(), proxy: new Proxy({}, {}),
    'proxy of an array': new Proxy([], {}), 'proxy of a function': new Proxy(() => {}, {}), 'proxy of a Map': new Proxy(new Map(), {}),
    generator: (function* () {})(), asyncGenerator: (async function* () {})(), arrayIterator: [][Symbol.iterator](),
    mapIterator: new Map().entries(), setIterator: new Set().values(), stringIterator: ''[Symbol.iterator](),
    regexpIterator: 'a'.matchAll(/a/g),
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  uncloneable['revoked proxy'] = revoked.proxy;
  for (const [what, value] of Object.entries(uncloneable)) {
    assertDataCloneError(() => clone(value), what);
    assertDataCloneError(() => clone({ nested: [value] }), `nested ${what}`);
  }
});

test('iterator helpers: DataCloneError', () => {
  assertDataCloneError(() => clone([1].values().map((x) => x)));
});

test('platform objects without serialization: DataCloneError', () => {
  for (const value of [new EventTarget(), new Event('x'), new AbortController(), new URL('a:b'), new URLSearchParams('a=b'),
    new Headers(), new TextDecoder()]) {
    assertDataCloneError(() => clone(value), value.constructor.name);
  }
}, { v8: 'platform objects of Node are objects of classes, plain to V8' });

test('traps of a proxy are not run', () => {
  const handler = new Proxy({}, { get() { throw new Error('a trap was looked for'); } });
  assertDataCloneError(() => clone(new Proxy({}, handler)));
});

test('the DataCloneError has a message, and is a new one each time', () => {
  const one = assertDataCloneError(() => clone(() => {}));
  const two = assertDataCloneError(() => clone(() => {}));
  assert(one !== two);
  assert(one instanceof Error);
  assert(one.message.length > 0);
  assertEq(typeof one.stack, 'string');
});

test('after a failure everything works on', () => {
  const shared = { list: [1] };
  assertDataCloneError(() => clone([shared, () => {}, shared]));
  const [a, b] = clone([shared, shared]);
  assertEq(a, b);
  assertEq(a.list[0], 1);
});

test('a clone within a clone', () => {
  const inner = { x: [1] };
  inner.self = inner;
  const outer = { inner, get copy() { return clone(inner); }, again: inner };
  const copy = clone(outer);
  assertEq(copy.inner, copy.again);
  assert(copy.copy !== copy.inner);
  assertEq(copy.copy.self, copy.copy);
});

// Transfer.

test('transfer: the buffer moves, views come along', () => {
  const view = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
  const { buffer } = view;
  const copy = clone({ view, buffer }, { transfer: [buffer] });
  assertEq(buffer.detached, true);
  assertEq(buffer.byteLength, 0);
  assertEq(view.length, 0);
  assertList(copy.view, [2, 3]);
  assertEq(copy.view.byteOffset, 1);
  assertEq(copy.view.buffer, copy.buffer);
  assertList(new Uint8Array(copy.buffer), [1, 2, 3, 4]);
  assertDataCloneError(() => clone(buffer));
});

test('transfer: a resizable buffer stays resizable, one of length zero is detached', () => {
  const buffer = new ArrayBuffer(4, { maxByteLength: 16 });
  const [copy, tracking] = clone([buffer, new Uint8Array(buffer)], { transfer: [buffer] });
  assertEq(buffer.detached, true);
  assertEq(copy.resizable, true);
  assertEq(copy.maxByteLength, 16);
  copy.resize(9);
  assertEq(tracking.length, 9);
  const empty = new ArrayBuffer(0);
  assertEq(clone(empty, { transfer: [empty] }).byteLength, 0);
  assertEq(empty.detached, true);
});

test('transfer: a buffer that is not in the message is detached all the same', () => {
  const buffer = new ArrayBuffer(8);
  assertEq(clone(1, { transfer: [buffer] }), 1);
  assertEq(buffer.detached, true);
});

test('transfer: the copy is the same object wherever it is', () => {
  const buffer = new ArrayBuffer(8);
  const copy = clone([buffer, buffer, new Map([[buffer, buffer]])], { transfer: [buffer] });
  assertEq(copy[0], copy[1]);
  assertEq(copy[2].get(copy[0]), copy[0]);
});

test('transfer: what a getter writes before it ends is in the copy', () => {
  const buffer = new ArrayBuffer(1);
  const copy = clone({ buffer, get b() { new Uint8Array(buffer)[0] = 2; return 1; } }, { transfer: [buffer] });
  assertEq(new Uint8Array(copy.buffer)[0], 2);
});

test('transfer: any iterable, read once', () => {
  const [a, b, c] = [new ArrayBuffer(1), new ArrayBuffer(2), new ArrayBuffer(3)];
  clone(0, { transfer: new Set([a]) });
  clone(0, { transfer: (function* () { yield b; })() });
  clone(0, { transfer: { [Symbol.iterator]: () => [c].values() } });
  assertList([a.detached, b.detached, c.detached], [true, true, true]);
  let reads = 0;
  clone(0, { get transfer() { reads += 1; return []; } });
  assertEq(reads, 1);
});

test('the options: nothing, null and no transfer', () => {
  for (const options of [undefined, null, {}, { transfer: undefined }, { transfer: [] }, [], () => {}]) {
    assertEq(clone(5, options), 5);
  }
});

test('the options: what is no object, no iterable, no object within', () => {
  for (const options of [1, 'text', true, Symbol()]) assertTypeError( () => clone(5, options));
  for (const transfer of [null, 1, {}, 'text', true]) assertTypeError( () => clone(5, { transfer }));
  for (const item of [1, null, undefined, 'x']) assertTypeError( () => clone(5, { transfer: [item] }));
  const reason = {};
  assertThrowsValue(reason, () => clone(5, { get transfer() { throw reason; } }));
  assertThrowsValue(reason, () => clone(5, { transfer: (function* () { throw reason; })() }));
});

test('the options come before the value', () => {
  const log = [];
  const value = { get v() { log.push('value'); return 1; } };
  clone(value, { get transfer() { log.push('transfer'); return []; } });
  assertList(log, ['transfer', 'value']);
});

test('transfer: what cannot be: DataCloneError, and nothing moves', () => {
  const shared = new SharedArrayBuffer(1);
  for (const other of [{}, [], new Uint8Array(1), new DataView(new ArrayBuffer(1)), shared, new Map(), () => {}, new Date(),
    new Proxy(new ArrayBuffer(1), {}), Promise.resolve(), Object('s')]) {
    for (const order of [(buffer) => [buffer, other], (buffer) => [other, buffer]]) {
      const buffer = new ArrayBuffer(8);
      assertDataCloneError(() => clone(buffer, { transfer: order(buffer) }));
      assertEq(buffer.detached, false);
    }
  }
});

test('transfer: the same twice: DataCloneError, and nothing moves', () => {
  const buffer = new ArrayBuffer(8);
  const other = new ArrayBuffer(8);
  assertDataCloneError(() => clone(0, { transfer: [other, buffer, buffer] }));
  assertEq(buffer.detached, false);
  assertEq(other.detached, false);
});

test('transfer: a detached buffer: DataCloneError', () => {
  const other = new ArrayBuffer(8);
  assertDataCloneError(() => clone(0, { transfer: [detached(), other] }));
  assertEq(other.detached, false);
  const gone = detached();
  assertDataCloneError(() => clone(gone, { transfer: [gone] }));
});

test('transfer: a list that is wrong fails before getters run', () => {
  let ran = false;
  assertDataCloneError(() => clone({ get a() { ran = true; return 1; } }, { transfer: [{}] }));
  assertEq(ran, false);
});

test('transfer: nothing moves when a value cannot be cloned', () => {
  const buffer = Uint8Array.of(5).buffer;
  assertDataCloneError(() => clone([buffer, () => {}], { transfer: [buffer] }));
  const reason = {};
  assertThrowsValue(reason, () => clone({ buffer, get b() { throw reason; } }, { transfer: [buffer] }));
  assertEq(buffer.detached, false);
  assertEq(new Uint8Array(buffer)[0], 5);
  assertEq(new Uint8Array(clone(buffer, { transfer: [buffer] }))[0], 5);
});

test('transfer: a getter detaches a buffer of the list: DataCloneError, what comes later stays', () => {
  const buffer = new ArrayBuffer(8);
  const later = Uint8Array.of(6).buffer;
  assertDataCloneError(() => clone({ get a() { buffer.transfer(); return 1; } }, { transfer: [buffer, later] }));
  assertEq(later.detached, false);
  assertEq(new Uint8Array(later)[0], 6);
}, { v8: 'takes it as detached' });

test('transfer: a getter detaches a buffer of the list, which is also in the message: DataCloneError', () => {
  const among = new ArrayBuffer(8);
  assertDataCloneError(() => clone({ among, get a() { among.transfer(); return 1; } }, { transfer: [among] }));
}, { v8: 'takes it as detached' });

test('transfer: a getter of the value transfers the buffer itself', () => {
  const buffer = Uint8Array.of(7).buffer;
  let inner;
  const value = { get a() { inner = clone(buffer, { transfer: [buffer] }); return 1; }, buffer };
  assertDataCloneError(() => clone(value, { transfer: [buffer] }));
  assertEq(new Uint8Array(inner)[0], 7);
}, { v8: 'takes it as detached' });

test('an immutable ArrayBuffer cannot be transferred', () => {
  if (typeof ArrayBuffer.prototype.transferToImmutable !== 'function') return;
  const buffer = new ArrayBuffer(8).transferToImmutable();
  assertDataCloneError(() => structuredClone(buffer, { transfer: [buffer] }));
  assertEq(buffer.byteLength, 8);
});
