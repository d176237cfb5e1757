// Streams in the transfer lists of structuredClone and postMessage (Streams Standard, §4.2.5, §5.2.5 and §6.2.4).
import { assertEq, test as plainTest } from '../harness.mjs';
import { Worker } from 'node:worker_threads';

// (In Node, a stream at the other end of a channel does not hold the loop.)
const test = (name, body) => plainTest(name, async () => {
  const hold = setInterval(() => {}, 1000);
  try {
    await body();
  } finally {
    clearInterval(hold);
  }
});
const all = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const thrown = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
};

test('a readable stream gives its chunks at the other end', async () => {
  const source = ReadableStream.from([1, { two: 2 }, new Uint8Array([3])]);
  const moved = structuredClone(source, { transfer: [source] });
  assertEq(moved instanceof ReadableStream, true);
  assertEq(source.locked, true);
  const chunks = await all(moved);
  assertEq(chunks.length, 3);
  assertEq(chunks[1].two, 2);
  assertEq(chunks[2][0], 3);
});

test('a readable stream fails at the other end, and is cancelled from there', async () => {
  const failing = new ReadableStream({ pull(controller) {
    controller.error(new RangeError('no more'));
  } });
  const error = await all(structuredClone(failing, { transfer: [failing] })).catch((error) => error);
  assertEq(error.name, 'RangeError');
  assertEq(error.message, 'no more');
  const { promise, resolve } = Promise.withResolvers();
  const endless = new ReadableStream({ cancel: resolve });
  await structuredClone(endless, { transfer: [endless] }).cancel('enough');
  assertEq(await promise, 'enough');
});

test('a chunk that cannot be cloned fails the stream', async () => {
  const source = ReadableStream.from([() => {}]);
  const error = await all(structuredClone(source, { transfer: [source] })).catch((error) => error);
  assertEq(error.name, 'DataCloneError');
});

test('a writable stream gets what is written at the other end', async () => {
  const written = [];
  const { promise, resolve } = Promise.withResolvers();
  const sink = new WritableStream({ write: (chunk) => void written.push(chunk), close: resolve });
  const writer = structuredClone(sink, { transfer: [sink] }).getWriter();
  await writer.write('a');
  await writer.write('b');
  await writer.close();
  await promise;
  assertEq(written.join(), 'a,b');
  const aborted = Promise.withResolvers();
  const other = new WritableStream({ abort: aborted.resolve });
  await structuredClone(other, { transfer: [other] }).abort('stop');
  assertEq(await aborted.promise, 'stop');
});

test('a transform stream transforms where it was made', async () => {
  const transform = new TransformStream({ transform: (chunk, controller) => controller.enqueue(chunk * 2) });
  const moved = structuredClone({ it: transform }, { transfer: [transform] }).it;
  assertEq(moved instanceof TransformStream, true);
  assertEq((await all(ReadableStream.from([1, 2]).pipeThrough(moved))).join(), '2,4');
});

test('locked streams, and streams that are not listed, are refused', () => {
  const locked = new ReadableStream();
  locked.getReader();
  assertEq(thrown(() => structuredClone(locked, { transfer: [locked] })).name, 'DataCloneError');
  const stream = new WritableStream();
  assertEq(thrown(() => structuredClone(stream)).name, 'DataCloneError');
  assertEq(thrown(() => structuredClone(stream, { transfer: [stream, stream] })).name, 'DataCloneError');
  assertEq(stream.locked, false);
});

test('a worker reads a stream of its parent', async () => {
  const worker = new Worker(`
    const { parentPort } = require('node:worker_threads');
    parentPort.once('message', async (stream) => {
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      parentPort.postMessage(chunks.join());
    });
  `, { eval: true });
  const stream = ReadableStream.from(['x', 'y', 'z']);
  worker.postMessage(stream, [stream]);
  const { promise, resolve } = Promise.withResolvers();
  worker.once('message', resolve);
  assertEq(await promise, 'x,y,z');
  await worker.terminate();
});
