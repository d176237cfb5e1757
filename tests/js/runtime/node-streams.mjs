// node:stream: what its classes do, in the order in which Node does it.

import { Readable, Writable, Duplex, Transform, PassThrough, Stream, pipeline, finished, compose, addAbortSignal,
  getDefaultHighWaterMark, duplexPair } from 'node:stream';
import streamDefault from 'node:stream';
import * as promises from 'node:stream/promises';
import * as consumers from 'node:stream/consumers';
import { inherits, promisify } from 'node:util';
import { test, assert, assertEq, assertList } from '../harness.mjs';

const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const events = (stream, ...names) => {
  const seen = [];
  for (const name of names) stream.on(name, (value) => seen.push(value instanceof Error ? `${name} ${value.code ?? value.message}` : name));
  return seen;
};
const closed = (stream) => new Promise((resolve) => stream.on('close', resolve));
const codeOf = (call) => {
  try {
    call();
  } catch (error) {
    return error.code;
  }
  return undefined;
};

test('the default export is the class of streams', () => {
  assertEq(streamDefault, Stream);
  assertEq(streamDefault.Readable, Readable);
  assert(new Duplex() instanceof Writable, 'a Duplex is a Writable');
  assert(!(new Readable() instanceof Writable), 'a Readable is not');
  assertEq(promisify(pipeline), promises.pipeline);
  assertEq(promisify(finished), promises.finished);
});

test('classes can be called without new', () => {
  for (const Class of [Readable, Writable, Duplex, Transform, PassThrough]) {
    assert(Class() instanceof Class, Class.name);
  }
  function Old() { Transform.call(this); }
  inherits(Old, Transform);
  Old.prototype._transform = function (chunk, encoding, callback) { callback(null, chunk); };
  const old = new Old();
  assert(old instanceof Readable && old instanceof Old);
});

test('events of a Readable come in order', async () => {
  const stream = new Readable({ read() {} });
  const seen = events(stream, 'resume', 'data', 'end', 'close');
  stream.push('a');
  stream.push(null);
  await closed(stream);
  assertList(seen, ['resume', 'data', 'end', 'close']);
  assert(stream.destroyed && stream.readableEnded && stream.closed);
});

test('events of a Writable come in order', async () => {
  const stream = new Writable({ highWaterMark: 2, write(chunk, encoding, callback) { setImmediate(callback); } });
  const seen = events(stream, 'drain', 'prefinish', 'finish', 'close');
  assertEq(stream.write('abc'), false);
  assert(stream.writableNeedDrain);
  await new Promise((resolve) => stream.once('drain', resolve));
  stream.end(() => seen.push('callback'));
  await closed(stream);
  assertList(seen, ['drain', 'prefinish', 'callback', 'finish', 'close']);
});

test('errors destroy a stream', async () => {
  const stream = new Writable({ write(chunk, encoding, callback) { callback(new Error('no')); } });
  const seen = events(stream, 'error', 'close');
  stream.write('a', (error) => seen.push(`callback ${error.message}`));
  stream.write('b', (error) => seen.push(`second ${error.message}`));
  await closed(stream);
  assertList(seen, ['callback no', 'second no', 'error no', 'close']);
});

test('misuse has codes', async () => {
  assertEq(codeOf(() => new Writable().write(null)), 'ERR_STREAM_NULL_VALUES');
  assertEq(codeOf(() => new Writable().write({})), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => new Writable().write('a', 'none')), 'ERR_UNKNOWN_ENCODING');
  assertEq(codeOf(() => new Readable({ highWaterMark: -1 })), 'ERR_INVALID_ARG_VALUE');
  assertEq(codeOf(() => pipeline(new Readable(), () => {})), 'ERR_MISSING_ARGS');
  assertEq(codeOf(() => finished({}, () => {})), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => new Readable().read(2 ** 30 + 1)), 'ERR_OUT_OF_RANGE');
  for (const [make, code] of [
    [() => { const s = new Readable({ read() {} }); s.push(null); s.push('a'); return s; }, 'ERR_STREAM_PUSH_AFTER_EOF'],
    [() => { const s = new Writable({ write() {} }); s.end(); s.write('a'); return s; }, 'ERR_STREAM_WRITE_AFTER_END'],
    [() => { const s = new Readable(); s.resume(); return s; }, 'ERR_METHOD_NOT_IMPLEMENTED'],
    [() => { const s = new Writable({ write(c, e, cb) { cb(); cb(); } }); s.write('a'); return s; }, 'ERR_MULTIPLE_CALLBACK'],
    [() => { const s = new Writable(); s.pipe(s); return s; }, 'ERR_STREAM_CANNOT_PIPE'],
  ]) {
    const error = await new Promise((resolve) => make().on('error', resolve));
    assertEq(error.code, code);
  }
});

test('chunks of bytes are Buffers', async () => {
  const seen = [];
  const stream = new Writable({ write(chunk, encoding, callback) { seen.push(Buffer.isBuffer(chunk), encoding); callback(); } });
  stream.write('ä');
  stream.write(new Uint8Array([1]));
  stream.write(new DataView(new ArrayBuffer(2)));
  assertList(seen, [true, 'buffer', true, 'buffer', true, 'buffer']);
  const plain = new Writable({ decodeStrings: false, write(chunk, encoding, callback) { seen.push(chunk, encoding); callback(); } });
  plain.write('ä', 'latin1');
  assertList(seen.slice(6), ['ä', 'latin1']);
});

test('read takes what is asked for', () => {
  const stream = new Readable({ read() {} });
  stream.push('abc');
  stream.push('defg');
  assertEq(stream.read(2).toString(), 'ab');
  assertEq(stream.read(3).toString(), 'cde');
  assertEq(stream.read(9), null);
  stream.unshift('X');
  assertEq(stream.readableLength, 3);
  assertEq(stream.read(3).toString(), 'Xfg');
  assertEq(stream.read(), null);
});

test('setEncoding decodes characters across chunks', async () => {
  const stream = new Readable({ read() {} });
  stream.setEncoding('utf8');
  const bytes = Buffer.from('a€b');
  for (const byte of bytes) stream.push(Buffer.from([byte]));
  stream.push(null);
  assertEq((await collect(stream)).join(''), 'a€b');
});

test('cork gathers writes for writev', async () => {
  const sizes = [];
  const stream = new Writable({
    write(chunk, encoding, callback) { sizes.push(1); callback(); },
    writev(chunks, callback) { sizes.push(chunks.length); callback(); },
  });
  stream.cork();
  for (const text of ['a', 'b', 'c']) stream.write(text);
  assertEq(stream.writableLength, 3);
  assertEq(stream.writableCorked, 1);
  stream.uncork();
  stream.write('d');
  stream.end();
  await closed(stream);
  assertList(sizes, [3, 1]);
});

test('construct comes before everything else', async () => {
  const seen = [];
  const stream = new Duplex({
    construct(callback) { setImmediate(() => { seen.push('construct'); callback(); }); },
    read() { seen.push('read'); this.push(null); },
    write(chunk, encoding, callback) { seen.push('write'); callback(); },
    destroy(error, callback) { seen.push('destroy'); callback(error); },
  });
  stream.end('a');
  stream.resume();
  await closed(stream);
  assertList(seen, ['construct', 'write', 'read', 'destroy']);
  const failing = new Writable({ construct(callback) { callback(new Error('no')); }, write() {} });
  assertList(await new Promise((resolve) => {
    const got = events(failing, 'error', 'close');
    failing.on('close', () => resolve(got));
  }), ['error no', 'close']);
});

test('transform and flush', async () => {
  const upper = new Transform({
    transform(chunk, encoding, callback) { callback(null, String(chunk).toUpperCase()); },
    flush(callback) { this.push('!'); callback(); },
  });
  upper.write('a');
  upper.end('b');
  assertEq((await collect(upper)).join(''), 'AB!');
});

test('pipe waits for the destination to drain', async () => {
  const got = [];
  const slow = new Writable({ highWaterMark: 1, objectMode: true, write(chunk, encoding, callback) { got.push(chunk); setImmediate(callback); } });
  const source = Readable.from([1, 2, 3, 4, 5]);
  const seen = events(slow, 'pipe', 'unpipe', 'finish');
  assertEq(source.pipe(slow), slow);
  await closed(slow);
  assertList(got, [1, 2, 3, 4, 5]);
  assertList(seen, ['pipe', 'finish', 'unpipe']);
});

test('unpipe stops the flow', () => {
  const source = new Readable({ read() {} });
  const dest = new PassThrough();
  source.pipe(dest);
  assertEq(source._readableState.pipes.length, 1);
  source.unpipe(dest);
  assertEq(source._readableState.pipes.length, 0);
  assertEq(source.readableFlowing, false);
});

test('a pipeline ends, or fails as a whole', async () => {
  const got = [];
  const sink = () => new Writable({ objectMode: true, write(chunk, encoding, callback) { got.push(chunk); callback(); } });
  await promises.pipeline(Readable.from([1, 2]), async function* (source) { for await (const x of source) yield x * 2; }, sink());
  assertList(got, [2, 4]);
  assertEq(await promises.pipeline(Readable.from(['a', 'b']), async (source) => {
    let text = '';
    for await (const x of source) text += x;
    return text;
  }), 'ab');
  const source = new Readable({ read() {} });
  const through = new PassThrough();
  const last = sink();
  const done = promises.pipeline(source, through, last).then(() => 'done', (error) => error.message);
  source.destroy(new Error('broken'));
  assertEq(await done, 'broken');
  assert(through.destroyed && last.destroyed);
  const controller = new AbortController();
  const waiting = promises.pipeline(new Readable({ read() {} }), sink(), { signal: controller.signal });
  controller.abort();
  assertEq(await waiting.catch((error) => `${error.name} ${error.code}`), 'AbortError ABORT_ERR');
});

test('finished tells of ends, errors and premature ends', async () => {
  const ended = Readable.from([1]);
  const promise = promises.finished(ended);
  ended.resume();
  await promise;
  const cut = new Readable({ read() {} });
  const why = promises.finished(cut).catch((error) => error.code);
  cut.destroy();
  assertEq(await why, 'ERR_STREAM_PREMATURE_CLOSE');
  const aborted = new AbortController();
  const stream = addAbortSignal(aborted.signal, new Readable({ read() {} }));
  const error = new Promise((resolve) => stream.on('error', resolve));
  aborted.abort(new Error('why'));
  assertEq((await error).cause.message, 'why');
});

test('iterators become streams, and streams iterators', async () => {
  assertList(await collect(Readable.from('text')), ['text']);
  assertList(await collect(Readable.from(new Set([1, Promise.resolve(2), 3]))), [1, 2, 3]);
  assertList(await collect(Readable.from((async function* () { yield 'x'; })())), ['x']);
  const left = Readable.from([1, 2, 3]);
  for await (const chunk of left) { assertEq(chunk, 1); break; }
  assert(left.destroyed);
  const kept = Readable.from([1, 2, 3]);
  for await (const chunk of kept.iterator({ destroyOnReturn: false })) { assertEq(chunk, 1); break; }
  assert(!kept.destroyed);
  let closedWith;
  const failing = Readable.from((function* () { try { for (;;) yield 1; } catch (error) { closedWith = error.message; } })());
  failing.on('error', () => {});
  await new Promise((resolve) => failing.once('data', () => resolve(failing.pause())));
  failing.destroy(new Error('stop'));
  await closed(failing);
  assertEq(closedWith, 'stop');
});

test('methods as iterators have them', async () => {
  const numbers = () => Readable.from([1, 2, 3, 4]);
  assertList(await numbers().map((x) => x * 2).toArray(), [2, 4, 6, 8]);
  assertList(await numbers().map(async (x) => x, { concurrency: 3 }).toArray(), [1, 2, 3, 4]);
  assertList(await numbers().filter((x) => x % 2).toArray(), [1, 3]);
  assertList(await numbers().flatMap((x) => [x, x]).toArray(), [1, 1, 2, 2, 3, 3, 4, 4]);
  assertList(await numbers().drop(1).take(2).toArray(), [2, 3]);
  assertEq(await numbers().reduce((a, b) => a + b), 10);
  assertEq(await numbers().some((x) => x > 3), true);
  assertEq(await numbers().every((x) => x > 3), false);
  assertEq(await numbers().find((x) => x > 2), 3);
  const seen = [];
  await numbers().forEach((x) => { seen.push(x); });
  assertList(seen, [1, 2, 3, 4]);
  assertEq(codeOf(() => numbers().map(1)), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => numbers().take(-1)), 'ERR_OUT_OF_RANGE');
  assertEq(await Readable.from([]).reduce((a) => a).catch((error) => error.code), 'ERR_MISSING_ARGS');
});

test('streams are composed', async () => {
  const double = new Transform({ objectMode: true, transform(chunk, encoding, callback) { callback(null, chunk * 2); } });
  const both = compose(double, async function* (source) { for await (const x of source) yield x + 1; });
  both.end(5);
  assertList(await collect(both), [11]);
  assertList(await Readable.from([1, 2]).compose(async function* (source) { for await (const x of source) yield -x; }).toArray(), [-1, -2]);
  const [one, two] = duplexPair();
  one.end('hello');
  assertEq((await collect(two)).join(''), 'hello');
});

test('anything becomes a Duplex', async () => {
  assertList(await collect(Duplex.from([1, 2])), [1, 2]);
  assertList(await collect(Duplex.from(Promise.resolve('x'))), ['x']);
  const echo = Duplex.from(async function* (source) { for await (const x of source) yield `<${x}>`; });
  echo.end('a');
  assertList(await collect(echo), ['<a>']);
  const got = [];
  const pair = Duplex.from({ readable: Readable.from(['r']), writable: new Writable({ write(c, e, cb) { got.push(String(c)); cb(); } }) });
  pair.end('w');
  assertEq((await collect(pair)).join(''), 'r');
  assertList(got, ['w']);
  assertEq(codeOf(() => Duplex.from(1)), 'ERR_INVALID_ARG_TYPE');
});

test('streams are consumed whole', async () => {
  const bytes = () => Readable.from([Buffer.from('{"a"'), Buffer.from(':1}')]);
  assertEq(await consumers.text(bytes()), '{"a":1}');
  assertEq((await consumers.json(bytes())).a, 1);
  assertEq((await consumers.buffer(bytes())).toString(), '{"a":1}');
  assertEq((await consumers.arrayBuffer(bytes())).byteLength, 7);
  assertEq((await consumers.blob(bytes())).size, 7);
});

test('Web streams and back', async () => {
  const web = Readable.toWeb(Readable.from(['a', 'b']));
  assert(web instanceof ReadableStream);
  assertList(await collect(Readable.fromWeb(web, { objectMode: true })), ['a', 'b']);
  const got = [];
  const sink = Writable.toWeb(new Writable({ objectMode: true, write(c, e, cb) { got.push(c); cb(); } }));
  const writer = sink.getWriter();
  await writer.write(1);
  await writer.close();
  assertList(got, [1]);
  const { readable, writable } = Duplex.toWeb(new PassThrough());
  const out = writable.getWriter();
  out.write(Buffer.from('x'));
  out.close();
  assertEq(new TextDecoder().decode((await readable.getReader().read()).value), 'x');
  const back = Duplex.fromWeb(new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk); controller.enqueue(chunk); } }), { objectMode: true });
  back.end('z');
  assertList(await collect(back), ['z', 'z']);
});

test('what a stream tells about itself', async () => {
  const stream = new Readable({ read() {} });
  assertEq(Stream.isReadable(stream), true);
  assertEq(Stream.isDisturbed(stream), false);
  assertEq(Stream.isWritable(stream), null);
  stream.push('a');
  stream.read();
  assertEq(Stream.isDisturbed(stream), true);
  stream.on('error', () => {});
  stream.destroy(new Error('no'));
  await closed(stream);
  assertEq(Stream.isErrored(stream), true);
  assertEq(stream.errored.message, 'no');
  assertEq(Stream.isReadable(stream), false);
  assertEq(getDefaultHighWaterMark(false), 65536);
  assertEq(getDefaultHighWaterMark(true), 16);
  assertList(Object.keys(Readable.prototype).slice(0, 3), ['destroy', '_undestroy', '_destroy']);
});

test('old streams are wrapped', async () => {
  const old = new Stream();
  old.pause = old.resume = () => {};
  const wrapped = new Readable({ objectMode: true }).wrap(old);
  old.emit('data', 1);
  old.emit('data', 2);
  old.emit('end');
  assertList(await collect(wrapped), [1, 2]);
  const got = [];
  const source = new Stream();
  source.readable = true;
  source.pipe(new Writable({ objectMode: true, write(c, e, cb) { got.push(c); cb(); } }));
  source.emit('data', 'x');
  source.emit('end');
  assertList(got, ['x']);
});
