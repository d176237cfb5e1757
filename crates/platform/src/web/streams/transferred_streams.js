// Streams that are transferred (Streams Standard, §4.2.5, §5.2.5, §6.2.4 and §8.2): the stream stays where it is, and one
// that the receiver gets speaks to it through a channel. Functions bear the names of the standard's algorithms.
const {
  CreateReadableStream, IsReadableStreamLocked, ReadableStreamDefaultControllerClose,
  ReadableStreamDefaultControllerEnqueue, ReadableStreamDefaultControllerError, slotsOf: readableOf,
} = require('readable_stream');
const {
  CreateWritableStream, IsWritableStreamLocked, WritableStreamDefaultControllerErrorIfNeeded, slotsOf: writableOf,
} = require('writable_stream');
const { transformOf, makeTransform } = require('transform_stream');
const { markHandled } = require('web_streams_shared');
const { ports } = require('messaging');
const { 0: READABLE, 1: WRITABLE, 2: TRANSFORM } = [0, 1, 2];

const post = (port, type, value = undefined) => ports.post(port, { type, value }, []);
// What cannot be cloned is told as an error.
const PackAndPostMessageHandlingError = (port, type, value) => {
  try {
    post(port, type, value);
    return undefined;
  } catch (error) {
    post(port, 'error', error);
    return { error };
  }
};
const listen = (port, stream, message) => ports.start(port, {
  message: ({ type, value }) => message(type, value),
  messageerror(error) {
    post(port, 'error', error);
    stream.fail(error);
    ports.close(port);
  },
  close() {},
});
const end = (port, failed) => {
  ports.close(port);
  return failed === undefined ? $.resolved() : $.rejected(failed.error);
};

/** @param {boolean} holds whether somebody who waits for a chunk holds the loop */
const SetUpCrossRealmTransformReadable = (port, holds) => {
  const stream = CreateReadableStream(() => undefined, () => {
    ports.ref(port, holds);
    post(port, 'pull');
    return $.resolved();
  }, (reason) => end(port, PackAndPostMessageHandlingError(port, 'error', reason)), 0);
  const fail = (error) => ReadableStreamDefaultControllerError(stream.controller, error);
  listen(port, { fail }, (type, value) => {
    ports.ref(port, false);
    if (type === 'chunk') {
      ReadableStreamDefaultControllerEnqueue(stream.controller, value);
      return;
    }
    if (type === 'close') ReadableStreamDefaultControllerClose(stream.controller);
    else if (type === 'error') fail(value);
    ports.close(port);
  });
  return stream;
};
const SetUpCrossRealmTransformWritable = (port) => {
  /** @type {any} */
  let backpressure = $.withResolvers();
  const release = () => {
    backpressure?.resolve();
    backpressure = undefined;
  };
  const stream = CreateWritableStream(() => undefined, (chunk) => {
    const before = backpressure?.promise ?? $.resolved();
    return $.then(before, () => {
      backpressure = $.withResolvers();
      const failed = PackAndPostMessageHandlingError(port, 'chunk', chunk);
      return failed === undefined ? undefined : end(port, failed);
    });
  }, () => {
    post(port, 'close');
    return end(port, undefined);
  }, (reason) => end(port, PackAndPostMessageHandlingError(port, 'error', reason)));
  const fail = (error) => {
    WritableStreamDefaultControllerErrorIfNeeded(stream.controller, error);
    release();
  };
  listen(port, { fail }, (type, value) => {
    if (type === 'pull') release();
    else if (type === 'error') fail(value);
  });
  return stream;
};

const kindOf = (value) => (readableOf(value) !== undefined ? READABLE : writableOf(value) !== undefined ? WRITABLE
  : transformOf(value) !== undefined ? TRANSFORM : undefined);
const isFree = (value) => {
  const transform = transformOf(value);
  if (transform !== undefined) {
    return !IsReadableStreamLocked(transform.readable) && !IsWritableStreamLocked(transform.writable);
  }
  const readable = readableOf(value);
  return readable !== undefined ? !IsReadableStreamLocked(readable) : !IsWritableStreamLocked(writableOf(value));
};
const pipe = (source, dest) => markHandled(require('readable_stream_pipe').ReadableStreamPipeTo(
  source, dest, { preventAbort: false, preventCancel: false, preventClose: false, signal: undefined }));
const representReadable = (stream) => {
  const { 0: own, 1: other } = ports.channel();
  pipe(stream, SetUpCrossRealmTransformWritable(own));
  return other;
};
const representWritable = (stream) => {
  const { 0: own, 1: other } = ports.channel();
  pipe(SetUpCrossRealmTransformReadable(own, false), stream);
  return other;
};

exports.isSpokenTo = (value) => kindOf(value) !== undefined;
exports.isFree = isFree;
exports.represent = (value) => {
  const kind = kindOf(value);
  if (kind === READABLE) return [kind, representReadable(readableOf(value))];
  if (kind === WRITABLE) return [kind, representWritable(writableOf(value))];
  const { readable, writable } = transformOf(value);
  return [kind, representReadable(readable), representWritable(writable)];
};
exports.revive = (kind, { 0: first, 1: second }) => {
  if (kind === READABLE) return SetUpCrossRealmTransformReadable(first, true).object;
  if (kind === WRITABLE) return SetUpCrossRealmTransformWritable(first).object;
  return makeTransform(SetUpCrossRealmTransformReadable(first, true), SetUpCrossRealmTransformWritable(second));
};
