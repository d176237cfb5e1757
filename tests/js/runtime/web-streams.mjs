// The Streams Standard's classes: what the standard says and every engine does.

import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const of = (...chunks) => new ReadableStream({
  start(controller) { for (const chunk of chunks) controller.enqueue(chunk); controller.close(); },
});
// (Node's errors have classes of their own.)
const assertThrows = (Class, fn) => assert(thrown(fn, Class.name) instanceof Class, Class.name);
const assertRejects = async (Class, fn) => assert((await rejection(fn())) instanceof Class, Class.name);
const rejection = (promise) => promise.then(() => { throw new Error('was fulfilled'); }, (error) => error);

test('interfaces have their members, tags and brands', () => {
  for (const Class of [ReadableStream, WritableStream, TransformStream, ReadableStreamDefaultReader,
    ReadableStreamBYOBReader, WritableStreamDefaultWriter, ByteLengthQueuingStrategy, CountQueuingStrategy]) {
    assertEq(Class.prototype[Symbol.toStringTag], Class.name);
    for (const [name, { enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(Class.prototype))) {
      if (name !== 'constructor') assert(enumerable, `${Class.name}.${name}`);
    }
  }
  assertThrows(TypeError, () => ReadableStream.prototype.getReader.call({}));
  assertThrows(TypeError, () => Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked').get.call({}));
  for (const Class of [ReadableStreamDefaultController, ReadableByteStreamController, ReadableStreamBYOBRequest,
    WritableStreamDefaultController, TransformStreamDefaultController]) {
    assertThrows(TypeError, () => new Class());
  }
  assertEq(ReadableStream.prototype[Symbol.asyncIterator], ReadableStream.prototype.values);
  assertEq(ReadableStream.length, 0);
  assertEq(new CountQueuingStrategy({ highWaterMark: 4 }).size(), 1);
  assertEq(new ByteLengthQueuingStrategy({ highWaterMark: 4 }).size({ byteLength: 7 }), 7);
});

test('methods that return promises reject instead of throwing', async () => {
  await assertRejects(TypeError, () => ReadableStream.prototype.cancel.call({}));
  await assertRejects(TypeError, () => ReadableStream.prototype.pipeTo.call({}));
  await assertRejects(TypeError, () => of().pipeTo({}));
  await assertRejects(TypeError, () => WritableStream.prototype.abort.call({}));
  const locked = of(1);
  locked.getReader();
  await assertRejects(TypeError, () => locked.cancel());
  assertThrows(TypeError, () => locked.getReader());
  assertThrows(TypeError, () => locked.tee());
});

test('members of sources are read in the order of their names', () => {
  const read = [];
  const watch = (object) => new Proxy(object, { get(target, key) { read.push(String(key)); return target[key]; } });
  new ReadableStream(watch({}), watch({}));
  assertList(read, ['highWaterMark', 'size', 'autoAllocateChunkSize', 'cancel', 'pull', 'start', 'type']);
  read.length = 0;
  new WritableStream(watch({}), watch({}));
  assertList(read, ['highWaterMark', 'size', 'abort', 'close', 'start', 'type', 'write']);
}, { v8: 'Node reads them in another order' });

test('sources are checked', () => {
  assertThrows(TypeError, () => new ReadableStream({ start: 1 }));
  assertThrows(TypeError, () => new ReadableStream(null));
  assertThrows(TypeError, () => new ReadableStream({ type: 'text' }));
  assertThrows(RangeError, () => new ReadableStream({}, { highWaterMark: -1 }));
  assertThrows(RangeError, () => new ReadableStream({ type: 'bytes' }, { size() {} }));
  assertThrows(RangeError, () => new WritableStream({ type: 'bytes' }));
});

test('pull is called as long as chunks are wanted', async () => {
  let pulls = 0;
  const stream = new ReadableStream({ pull(controller) { controller.enqueue(++pulls); } }, { highWaterMark: 2 });
  await new Promise((resolve) => setTimeout(resolve));
  assertEq(pulls, 2);
  const reader = stream.getReader();
  assertEq((await reader.read()).value, 1);
  await new Promise((resolve) => setTimeout(resolve));
  assertEq(pulls, 3);
  await reader.cancel();
  assertEq((await reader.read()).done, true);
});

test('errors reach readers', async () => {
  const why = new Error('why');
  const stream = new ReadableStream({ pull() { throw why; } });
  const reader = stream.getReader();
  assertEq(await rejection(reader.read()), why);
  assertEq(await rejection(reader.closed), why);
  const other = new ReadableStream({ start(controller) { controller.enqueue(1); controller.error(why); } });
  assertEq(await rejection(other.getReader().read()), why);
  assertThrows(TypeError, () => { let c; new ReadableStream({ start(given) { c = given; } }); c.close(); c.enqueue(1); });
});

test('a released reader rejects what it was asked for', async () => {
  const stream = new ReadableStream();
  const reader = stream.getReader();
  const pending = reader.read();
  reader.releaseLock();
  assert((await rejection(pending)) instanceof TypeError);
  assert((await rejection(reader.closed)) instanceof TypeError);
  assertEq(stream.locked, false);
  await assertRejects(TypeError, () => reader.read());
});

test('cancel reaches the source', async () => {
  let reason;
  const stream = new ReadableStream({ cancel(given) { reason = given; } });
  assertEq(await stream.cancel('enough'), undefined);
  assertEq(reason, 'enough');
  const why = new Error('why');
  assertEq(await rejection(new ReadableStream({ cancel() { throw why; } }).cancel()), why);
});

test('asynchronous iteration', async () => {
  assertList(await collect(of(1, 2, 3)), [1, 2, 3]);
  let reason = 'none';
  const stream = new ReadableStream({ pull(controller) { controller.enqueue(1); }, cancel(given) { reason = given; } });
  for await (const chunk of stream) { assertEq(chunk, 1); break; }
  assertEq(reason, undefined);
  assertEq(stream.locked, false);
  const kept = of(1, 2);
  for await (const chunk of kept.values({ preventCancel: true })) { assertEq(chunk, 1); break; }
  assertEq((await kept.getReader().read()).value, 2);
  const iterator = of(1, 2)[Symbol.asyncIterator]();
  const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.return('r')]);
  assertList(results.map(({ value, done }) => `${value} ${done}`), ['1 false', '2 false', 'undefined true', 'r true']);
});

test('from takes every kind of iterable', async () => {
  assertList(await collect(ReadableStream.from([1, Promise.resolve(2)])), [1, 2]);
  assertList(await collect(ReadableStream.from((async function* () { yield 'x'; })())), ['x']);
  assertList(await collect(ReadableStream.from(of('y'))), ['y']);
  assertThrows(TypeError, () => ReadableStream.from(null));
  assertThrows(TypeError, () => ReadableStream.from({}));
});

test('an iterator is told why it is not wanted any more', async () => {
  let returned;
  const stream = ReadableStream.from({ [Symbol.iterator]: () => ({
    next: () => ({ value: 1, done: false }), return(value) { returned = value; return {}; },
  }) });
  await stream.cancel('enough');
  assertEq(returned, 'enough');
}, { v8: 'Node does not tell synchronous iterators' });

test('tee gives each branch all chunks', async () => {
  const [one, two] = of(1, 2).tee();
  assertList(await collect(one), [1, 2]);
  assertList(await collect(two), [1, 2]);
  let reasons;
  const [left, right] = new ReadableStream({ cancel(given) { reasons = given; } }).tee();
  const first = left.cancel('a');
  right.cancel('b');
  await first;
  assertList(reasons, ['a', 'b']);
});

test('a byte stream fills the buffers of its readers', async () => {
  const stream = new ReadableStream({
    type: 'bytes', autoAllocateChunkSize: 8,
    pull(controller) {
      const { view } = controller.byobRequest;
      view[0] = view.byteLength;
      controller.byobRequest.respond(1);
    },
  });
  const reader = stream.getReader({ mode: 'byob' });
  const given = new Uint8Array(4);
  const { value, done } = await reader.read(given);
  assertEq(given.byteLength, 0, 'the buffer is transferred');
  assertList(value, [4]);
  assertEq(done, false);
  const pairs = await reader.read(new Uint16Array(2), { min: 2 });
  assertEq(pairs.value.length, 2);
  assert(pairs.value instanceof Uint16Array);
  reader.releaseLock();
  const plain = stream.getReader();
  assertList((await plain.read()).value, [8]);
  await assertRejects(TypeError, () => new ReadableStream({ type: 'bytes' }).getReader({ mode: 'byob' }).read(new Uint8Array(0)));
  assertThrows(TypeError, () => of(1).getReader({ mode: 'byob' }));
});

test('bytes that are enqueued are taken from their owner', async () => {
  let controller;
  const stream = new ReadableStream({ type: 'bytes', start(given) { controller = given; } });
  const bytes = new Uint8Array([1, 2, 3, 4, 5]);
  controller.enqueue(bytes.subarray(1));
  assertEq(bytes.byteLength, 0);
  assertEq(controller.desiredSize, -4);
  const reader = stream.getReader({ mode: 'byob' });
  assertList((await reader.read(new Uint8Array(3))).value, [2, 3, 4]);
  assertList((await reader.read(new Uint8Array(3))).value, [5]);
  const last = reader.read(new DataView(new ArrayBuffer(3)));
  controller.close();
  controller.byobRequest.respond(0);
  const { value, done } = await last;
  assertEq(done, true);
  assert(value instanceof DataView && value.byteLength === 0);
  assertThrows(TypeError, () => controller.enqueue(new Uint8Array(1)));
});

test('teed byte streams can be read into buffers', async () => {
  let left = 3;
  const stream = new ReadableStream({ type: 'bytes', pull(controller) {
    if (left === 0) { controller.close(); controller.byobRequest?.respond(0); } else controller.enqueue(new Uint8Array([left--]));
  } });
  const [one, two] = stream.tee();
  const reader = one.getReader({ mode: 'byob' });
  const got = [];
  for (let result; !(result = await reader.read(new Uint8Array(2))).done;) got.push(...result.value);
  assertList(got, [3, 2, 1]);
  assertList((await collect(two)).flatMap((chunk) => [...chunk]), [3, 2, 1]);
});

test('writes come one after another, and backpressure is told', async () => {
  const seen = [];
  let proceed;
  const stream = new WritableStream({
    write(chunk) { seen.push(`write ${chunk}`); return new Promise((resolve) => { proceed = resolve; }); },
    close() { seen.push('close'); },
  });
  const writer = stream.getWriter();
  assertEq(writer.desiredSize, 1);
  await writer.ready;
  const first = writer.write('a');
  writer.write('b');
  assertEq(writer.desiredSize, -1);
  const closing = writer.close();
  await Promise.resolve();
  assertList(seen, ['write a']);
  proceed();
  await first;
  await Promise.resolve();
  assertList(seen, ['write a', 'write b']);
  proceed();
  await closing;
  assertList(seen, ['write a', 'write b', 'close']);
  await writer.closed;
  await assertRejects(TypeError, () => writer.write('c'));
});

test('abort and errors end a writable stream', async () => {
  let reason, signalled;
  const stream = new WritableStream({ start(controller) { controller.signal.addEventListener('abort', () => { signalled = controller.signal.reason; }); }, abort(given) { reason = given; } });
  const writer = stream.getWriter();
  const why = new Error('why');
  await writer.abort(why);
  assertEq(reason, why);
  assertEq(signalled, why);
  assertEq(await rejection(writer.closed), why);
  const failing = new WritableStream({ write() { throw why; } }).getWriter();
  assertEq(await rejection(failing.write(1)), why);
  assertEq(await rejection(failing.write(2)), why);
  assertEq(failing.desiredSize, null);
});

test('pipeTo closes, aborts and cancels', async () => {
  const got = [];
  const sink = () => new WritableStream({ write(chunk) { got.push(chunk); }, close() { got.push('close'); }, abort(why) { got.push(`abort ${why.message}`); } });
  assertEq(await of(1, 2, 3).pipeTo(sink()), undefined);
  assertList(got.splice(0), [1, 2, 3, 'close']);
  const kept = sink();
  await of(1).pipeTo(kept, { preventClose: true });
  assertEq(kept.locked, false);
  assertList(got.splice(0), [1]);
  const why = new Error('why');
  assertEq(await rejection(new ReadableStream({ start(c) { c.error(why); } }).pipeTo(sink())), why);
  assertList(got.splice(0), ['abort why']);
  let cancelled;
  const failing = new WritableStream({ write() { throw why; } });
  const endless = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(reason) { cancelled = reason; } });
  assertEq(await rejection(endless.pipeTo(failing)), why);
  assertEq(cancelled, why);
  const controller = new AbortController();
  const piping = new ReadableStream().pipeTo(sink(), { signal: controller.signal });
  controller.abort(why);
  assertEq(await rejection(piping), why);
  assertList(got.splice(0), ['abort why']);
});

test('a long pipe does not grow', async () => {
  let left = 20000, sum = 0;
  await new ReadableStream({ pull(c) { if (left === 0) c.close(); else c.enqueue(left--); } })
    .pipeThrough(new TransformStream())
    .pipeTo(new WritableStream({ write(chunk) { sum += chunk; } }));
  assertEq(sum, 20000 * 20001 / 2);
});

test('transforms transform, flush and terminate', async () => {
  const doubling = new TransformStream({
    start(controller) { controller.enqueue('start'); },
    transform(chunk, controller) { controller.enqueue(chunk); controller.enqueue(chunk); },
    flush(controller) { controller.enqueue('end'); },
  });
  assertList(await collect(of(1, 2).pipeThrough(doubling)), ['start', 1, 1, 2, 2, 'end']);
  const first = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk); controller.terminate(); } });
  const writer = first.writable.getWriter();
  writer.write(1);
  const late = writer.write(2);
  assertList(await collect(first.readable), [1]);
  assert((await rejection(late)) instanceof TypeError);
  const why = new Error('why');
  const broken = new TransformStream({ transform() { throw why; } });
  const writes = broken.writable.getWriter();
  const reads = broken.readable.getReader().read();
  assertEq(await rejection(writes.write(1)), why);
  assertEq(await rejection(reads), why);
  let cancelled;
  const cancelling = new TransformStream({ cancel(reason) { cancelled = reason; } });
  await cancelling.readable.cancel(why);
  assertEq(cancelled, why);
});

test('text is encoded and decoded across chunks', async () => {
  const bytes = (await collect(of('a\ud83d', '\ude00', 'b\ud83d').pipeThrough(new TextEncoderStream()))).flatMap((x) => [...x]);
  assertList(bytes, [...new TextEncoder().encode('a\u{1f600}b\ufffd')]);
  const source = new TextEncoder().encode('€uro');
  const text = await collect(of(source.slice(0, 1), source.slice(1, 2), source.slice(2)).pipeThrough(new TextDecoderStream()));
  assertEq(text.join(''), '€uro');
  const decoder = new TextDecoderStream('utf-16le', { fatal: true });
  assertEq(decoder.encoding, 'utf-16le');
  assertEq(decoder.fatal, true);
  assert((await rejection(collect(of(new Uint8Array([0xff])).pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))))) instanceof TypeError);
});

test('bytes are compressed and decompressed', async () => {
  const input = new TextEncoder().encode('the same words again and again '.repeat(200));
  for (const format of ['gzip', 'deflate', 'deflate-raw']) {
    const packed = await collect(of(input.slice()).pipeThrough(new CompressionStream(format)));
    const size = packed.reduce((sum, chunk) => sum + chunk.length, 0);
    assert(size > 0 && size < 500, format);
    const unpacked = await collect(ReadableStream.from(packed).pipeThrough(new DecompressionStream(format)));
    assertEq(new TextDecoder().decode(new Uint8Array(unpacked.flatMap((chunk) => [...chunk]))), new TextDecoder().decode(input), format);
  }
  assertThrows(TypeError, () => new CompressionStream('zip'));
  assert((await rejection(collect(of(new Uint8Array([1, 2, 3])).pipeThrough(new DecompressionStream('gzip'))))) instanceof TypeError);
});

test('streams are not cloned', () => {
  for (const object of [new ReadableStream(), new WritableStream(), new TransformStream()]) {
    assertEq(thrown(() => structuredClone(object), 'an error').name, 'DataCloneError');
  }
});
