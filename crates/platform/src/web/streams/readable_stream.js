// ReadableStream and the parts of it for chunks of any kind (Streams Standard, §4). Functions bear the names of the
// standard's algorithms and work on slots, as `web_streams_shared.js` says.
const {
  DequeueValue, EnqueueValueWithSize, ExtractHighWaterMark, ExtractSizeAlgorithm, Queue, ResetQueue, asInterface,
  callback, deferred, dictionary, enforceRange, handledRejection, illegalConstructor, invalidState, invalidThis, isObject,
  markHandled, needArgs, optionalObject, pending, promiseCall, rejectedDeferred, resolvedDeferred, secret, strategyOf,
  forNode,
} = require('web_streams_shared');
const { invalidArgType, invalidArgValue } = require('errors');
const byteStreams = () => require('readable_byte_stream');
let slotsOf, readerSlotsOf, controllerSlotsOf;

/** The slots of a stream that no script has made. */
const newSlots = () => ({
  object: undefined, state: 'readable', storedError: undefined, reader: undefined, controller: undefined,
  disturbed: false, whenClosed: undefined,
});

class ReadableStream {
  #slots;
  constructor(underlyingSource = undefined, strategy = undefined) {
    if (underlyingSource === secret) {
      this.#slots = strategy;
      strategy.object = this;
      return;
    }
    const source = optionalObject(underlyingSource, 'source');
    const queuing = strategyOf(strategy);
    const { autoAllocateChunkSize } = source;
    const size = autoAllocateChunkSize === undefined ? undefined
      : enforceRange(autoAllocateChunkSize, 'source.autoAllocateChunkSize');
    const cancel = callback(source, 'cancel', 'source');
    const pull = callback(source, 'pull', 'source');
    const start = callback(source, 'start', 'source');
    const { type } = source;
    if (type !== undefined && $.text`${type}` !== 'bytes') throw invalidArgValue('source.type', type);
    const slots = newSlots();
    slots.object = this;
    this.#slots = slots;
    const algorithms = (controller) => ({
      start: () => (start === undefined ? undefined : Reflect.apply(start, underlyingSource, [controller.object])),
      pull: pull === undefined ? () => $.resolved() : () => promiseCall(pull, underlyingSource, controller.object),
      cancel: cancel === undefined ? () => $.resolved() : (reason) => promiseCall(cancel, underlyingSource, reason),
    });
    if (type === undefined) {
      const sizeAlgorithm = ExtractSizeAlgorithm(queuing);
      const highWaterMark = ExtractHighWaterMark(queuing, 1);
      const controller = newController();
      new ReadableStreamDefaultController(secret, controller);
      SetUpReadableStreamDefaultController(slots, controller, algorithms(controller), highWaterMark, sizeAlgorithm);
    } else {
      if (queuing.size !== undefined) {
        throw require('errors').create('RangeError', 'ERR_INVALID_ARG_VALUE',
          'A byte stream cannot have a strategy with a `size` function');
      }
      const highWaterMark = ExtractHighWaterMark(queuing, 0);
      if (size === 0) throw invalidArgValue('source.autoAllocateChunkSize', autoAllocateChunkSize);
      byteStreams().SetUpReadableByteStreamControllerFromUnderlyingSource(slots, algorithms, highWaterMark, size);
    }
  }
  static {
    slotsOf = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
  }
  static from(asyncIterable) {
    needArgs(arguments.length, 1, 'iterable');
    return require('readable_stream_from').ReadableStreamFromIterable(asyncIterable).object;
  }
  get locked() {
    return IsReadableStreamLocked(thisStream(this));
  }
  cancel(reason = undefined) {
    const stream = slotsOf(this);
    if (stream === undefined) return $.rejected(invalidThis('ReadableStream'));
    if (IsReadableStreamLocked(stream)) return $.rejected(locked());
    return ReadableStreamCancel(stream, reason);
  }
  getReader(options = undefined) {
    const stream = thisStream(this);
    const { mode } = dictionary(options, 'options');
    if (mode === undefined) return AcquireReadableStreamDefaultReader(stream).object;
    if ($.text`${mode}` !== 'byob') throw invalidArgValue('options.mode', mode);
    return byteStreams().AcquireReadableStreamBYOBReader(stream).object;
  }
  pipeThrough(transform, options = undefined) {
    const stream = thisStream(this);
    needArgs(arguments.length, 1, 'transform');
    const pair = dictionary(transform, 'transform');
    const { readable } = pair;
    if (slotsOf(readable) === undefined) {
      throw invalidArgType('transform.readable', 'an instance of ReadableStream', readable);
    }
    const { writable } = pair;
    const dest = require('writable_stream').slotsOf(writable);
    if (dest === undefined) throw invalidArgType('transform.writable', 'an instance of WritableStream', writable);
    const pipe = pipeOptions(options);
    if (IsReadableStreamLocked(stream)) throw locked();
    if (require('writable_stream').IsWritableStreamLocked(dest)) {
      throw invalidState('The WritableStream is locked');
    }
    markHandled(require('readable_stream_pipe').ReadableStreamPipeTo(stream, dest, pipe));
    return readable;
  }
  pipeTo(destination, options = undefined) {
    try {
      const stream = thisStream(this);
      needArgs(arguments.length, 1, 'destination');
      const dest = require('writable_stream').slotsOf(destination);
      if (dest === undefined) throw invalidArgType('destination', 'an instance of WritableStream', destination);
      const pipe = pipeOptions(options);
      if (IsReadableStreamLocked(stream)) throw locked();
      if (require('writable_stream').IsWritableStreamLocked(dest)) {
        throw invalidState('The WritableStream is locked');
      }
      return require('readable_stream_pipe').ReadableStreamPipeTo(stream, dest, pipe);
    } catch (error) {
      return $.rejected(error);
    }
  }
  tee() {
    const { 0: one, 1: two } = ReadableStreamTee(thisStream(this), false);
    return [one.object, two.object];
  }
  values(options = undefined) {
    const stream = thisStream(this);
    const preventCancel = Boolean(dictionary(options, 'options').preventCancel);
    return require('readable_stream_from').iterate(stream, preventCancel);
  }
}
const thisStream = (value) => {
  const slots = slotsOf(value);
  if (slots === undefined) throw invalidThis('ReadableStream');
  return slots;
};
const locked = () => invalidState('ReadableStream is locked');
const pipeOptions = (value) => {
  const options = dictionary(value, 'options');
  const preventAbort = Boolean(options.preventAbort);
  const preventCancel = Boolean(options.preventCancel);
  const preventClose = Boolean(options.preventClose);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof require('abort').AbortSignal)) {
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  }
  return { preventAbort, preventCancel, preventClose, signal };
};

// §4.9.1
const CreateReadableStream = (start, pull, cancel, highWaterMark = 1, sizeAlgorithm = () => 1) => {
  const stream = newSlots();
  new ReadableStream(secret, stream);
  const controller = newController();
  new ReadableStreamDefaultController(secret, controller);
  SetUpReadableStreamDefaultController(stream, controller, { start, pull, cancel }, highWaterMark, sizeAlgorithm);
  return stream;
};
const IsReadableStreamLocked = (stream) => stream.reader !== undefined;
const ReadableStreamTee = (stream, cloneForBranch2) => {
  const { ReadableByteStreamTee, ReadableStreamDefaultTee } = require('readable_stream_tee');
  if (stream.controller.isByteController) return ReadableByteStreamTee(stream);
  return ReadableStreamDefaultTee(stream, cloneForBranch2);
};

// §4.9.2
const ReadableStreamAddReadRequest = (stream, request) => stream.reader.requests.push(request);
const ReadableStreamCancel = (stream, reason) => {
  stream.disturbed = true;
  if (stream.state === 'closed') return $.resolved();
  if (stream.state === 'errored') return $.rejected(stream.storedError);
  ReadableStreamClose(stream);
  const { reader } = stream;
  if (reader?.isByobReader) {
    for (const request of $.each(reader.requests.drain())) request.close(undefined);
  }
  return $.then(stream.controller.cancelSteps(reason), () => undefined);
};
const ReadableStreamClose = (stream) => {
  stream.state = 'closed';
  stream.whenClosed?.resolve();
  const { reader } = stream;
  if (reader === undefined) return;
  reader.closed.resolve(undefined);
  if (!reader.isByobReader) for (const request of $.each(reader.requests.drain())) request.close();
};
const ReadableStreamError = (stream, error) => {
  stream.state = 'errored';
  stream.storedError = error;
  stream.whenClosed?.reject(error);
  const { reader } = stream;
  if (reader === undefined) return;
  reader.closed.reject(error);
  markHandled(reader.closed.promise);
  for (const request of $.each(reader.requests.drain())) request.error(error);
};
const ReadableStreamFulfillReadRequest = (stream, chunk, done) => {
  const request = stream.reader.requests.shift();
  if (done) request.close();
  else request.chunk(chunk);
};
const ReadableStreamGetNumReadRequests = (stream) => stream.reader.requests.length;
const ReadableStreamHasDefaultReader = (stream) => stream.reader !== undefined && !stream.reader.isByobReader;

// §4.9.3
const ReadableStreamReaderGenericInitialize = (reader, stream) => {
  reader.stream = stream;
  stream.reader = reader;
  if (stream.state === 'readable') reader.closed = pending();
  else if (stream.state === 'closed') reader.closed = resolvedDeferred();
  else reader.closed = rejectedDeferred(stream.storedError);
};
const ReadableStreamReaderGenericRelease = (reader) => {
  const { stream } = reader;
  const error = invalidState('Reader released');
  if (stream.state === 'readable') {
    reader.closed.reject(error);
    markHandled(reader.closed.promise);
  } else {
    reader.closed = rejectedDeferred(error);
  }
  stream.controller.releaseSteps();
  stream.reader = undefined;
  reader.stream = undefined;
};
const newReader = (isByobReader) => ({
  object: undefined, isByobReader, stream: undefined, closed: undefined, requests: new Queue(),
});
const AcquireReadableStreamDefaultReader = (stream) => {
  if (IsReadableStreamLocked(stream)) throw locked();
  const reader = newReader(false);
  new ReadableStreamDefaultReader(secret, reader);
  ReadableStreamReaderGenericInitialize(reader, stream);
  return reader;
};
const ReadableStreamDefaultReaderRead = (reader, request) => {
  const { stream } = reader;
  stream.disturbed = true;
  if (stream.state === 'closed') request.close();
  else if (stream.state === 'errored') request.error(stream.storedError);
  else stream.controller.pullSteps(request);
};
const ReadableStreamDefaultReaderRelease = (reader) => {
  ReadableStreamReaderGenericRelease(reader);
  const error = invalidState('Reader released');
  for (const request of $.each(reader.requests.drain())) request.error(error);
};
/** What the `read` of a reader that is released returns. */
const detached = () => invalidState('The reader is not attached to a stream');

class ReadableStreamDefaultReader {
  #slots;
  constructor(stream, slots = undefined) {
    if (stream === secret) {
      this.#slots = slots;
      slots.object = this;
      return;
    }
    needArgs(arguments.length, 1, 'stream');
    const of = slotsOf(stream);
    if (of === undefined) throw invalidArgType('stream', 'an instance of ReadableStream', stream);
    if (IsReadableStreamLocked(of)) throw locked();
    this.#slots = newReader(false);
    this.#slots.object = this;
    ReadableStreamReaderGenericInitialize(this.#slots, of);
  }
  static {
    readerSlotsOf = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
  }
  read() {
    const reader = readerSlotsOf(this);
    if (reader === undefined) return $.rejected(invalidThis('ReadableStreamDefaultReader'));
    if (reader.stream === undefined) return $.rejected(detached());
    return read(reader);
  }
  releaseLock() {
    const reader = readerSlotsOf(this);
    if (reader === undefined) throw invalidThis('ReadableStreamDefaultReader');
    if (reader.stream !== undefined) ReadableStreamDefaultReaderRelease(reader);
  }
  get closed() {
    const reader = readerSlotsOf(this);
    return reader === undefined ? $.rejected(invalidThis('ReadableStreamDefaultReader')) : reader.closed.promise;
  }
  cancel(reason = undefined) {
    const reader = readerSlotsOf(this);
    if (reader === undefined) return $.rejected(invalidThis('ReadableStreamDefaultReader'));
    if (reader.stream === undefined) return $.rejected(detached());
    return ReadableStreamCancel(reader.stream, reason);
  }
}
/** A read whose result is a promise. */
const read = (reader) => {
  const { promise, resolve, reject } = $.withResolvers();
  ReadableStreamDefaultReaderRead(reader, {
    chunk: (value) => resolve({ value, done: false }), close: () => resolve({ value: undefined, done: true }),
    error: reject,
  });
  return promise;
};

class ReadableStreamDefaultController {
  #slots;
  constructor(key = undefined, slots = undefined) {
    if (key !== secret) throw illegalConstructor();
    this.#slots = slots;
    slots.object = this;
  }
  static {
    controllerSlotsOf = (value) => {
      if (isObject(value) && #slots in value) return value.#slots;
      throw invalidThis('ReadableStreamDefaultController');
    };
  }
  get desiredSize() {
    return ReadableStreamDefaultControllerGetDesiredSize(controllerSlotsOf(this));
  }
  close() {
    const controller = controllerSlotsOf(this);
    if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(controller)) {
      throw invalidState('Controller is already closed');
    }
    ReadableStreamDefaultControllerClose(controller);
  }
  enqueue(chunk = undefined) {
    const controller = controllerSlotsOf(this);
    if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(controller)) {
      throw invalidState('Controller is already closed');
    }
    ReadableStreamDefaultControllerEnqueue(controller, chunk);
  }
  error(error = undefined) {
    ReadableStreamDefaultControllerError(controllerSlotsOf(this), error);
  }
}

// §4.9.4
const newController = () => {
  const controller = {
    object: undefined, isByteController: false, stream: undefined, queue: undefined, queueTotalSize: 0,
    started: false, closeRequested: false, pullAgain: false, pulling: false, strategyHWM: 0,
    strategySizeAlgorithm: undefined, pullAlgorithm: undefined, cancelAlgorithm: undefined,
    // §4.6.4
    cancelSteps(reason) {
      ResetQueue(controller);
      const result = controller.cancelAlgorithm(reason);
      ReadableStreamDefaultControllerClearAlgorithms(controller);
      return result;
    },
    pullSteps(request) {
      const { stream } = controller;
      if (controller.queue.length > 0) {
        const chunk = DequeueValue(controller);
        if (controller.closeRequested && controller.queue.length === 0) {
          ReadableStreamDefaultControllerClearAlgorithms(controller);
          ReadableStreamClose(stream);
        } else {
          ReadableStreamDefaultControllerCallPullIfNeeded(controller);
        }
        request.chunk(chunk);
      } else {
        ReadableStreamAddReadRequest(stream, request);
        ReadableStreamDefaultControllerCallPullIfNeeded(controller);
      }
    },
    releaseSteps() {},
  };
  return controller;
};
const ReadableStreamDefaultControllerCallPullIfNeeded = (controller) => {
  if (!ReadableStreamDefaultControllerShouldCallPull(controller)) return;
  if (controller.pulling) {
    controller.pullAgain = true;
    return;
  }
  controller.pulling = true;
  $.then(controller.pullAlgorithm(), () => {
    controller.pulling = false;
    if (!controller.pullAgain) return;
    controller.pullAgain = false;
    ReadableStreamDefaultControllerCallPullIfNeeded(controller);
  }, (error) => ReadableStreamDefaultControllerError(controller, error));
};
const ReadableStreamDefaultControllerShouldCallPull = (controller) => {
  const { stream } = controller;
  if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(controller) || !controller.started) return false;
  if (IsReadableStreamLocked(stream) && ReadableStreamGetNumReadRequests(stream) > 0) return true;
  return ReadableStreamDefaultControllerGetDesiredSize(controller) > 0;
};
const ReadableStreamDefaultControllerClearAlgorithms = (controller) => {
  controller.pullAlgorithm = controller.cancelAlgorithm = controller.strategySizeAlgorithm = undefined;
};
const ReadableStreamDefaultControllerClose = (controller) => {
  if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(controller)) return;
  controller.closeRequested = true;
  if (controller.queue.length > 0) return;
  ReadableStreamDefaultControllerClearAlgorithms(controller);
  ReadableStreamClose(controller.stream);
};
const ReadableStreamDefaultControllerEnqueue = (controller, chunk) => {
  if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(controller)) return;
  const { stream } = controller;
  if (IsReadableStreamLocked(stream) && ReadableStreamGetNumReadRequests(stream) > 0) {
    ReadableStreamFulfillReadRequest(stream, chunk, false);
  } else {
    try {
      EnqueueValueWithSize(controller, chunk, controller.strategySizeAlgorithm(chunk));
    } catch (error) {
      ReadableStreamDefaultControllerError(controller, error);
      throw error;
    }
  }
  ReadableStreamDefaultControllerCallPullIfNeeded(controller);
};
const ReadableStreamDefaultControllerError = (controller, error) => {
  const { stream } = controller;
  if (stream.state !== 'readable') return;
  ResetQueue(controller);
  ReadableStreamDefaultControllerClearAlgorithms(controller);
  ReadableStreamError(stream, error);
};
const ReadableStreamDefaultControllerGetDesiredSize = ({ stream, strategyHWM, queueTotalSize }) => {
  if (stream.state === 'errored') return null;
  return stream.state === 'closed' ? 0 : strategyHWM - queueTotalSize;
};
const ReadableStreamDefaultControllerHasBackpressure = (controller) =>
  !ReadableStreamDefaultControllerShouldCallPull(controller);
const ReadableStreamDefaultControllerCanCloseOrEnqueue = ({ stream, closeRequested }) =>
  !closeRequested && stream.state === 'readable';
const SetUpReadableStreamDefaultController = (stream, controller, algorithms, highWaterMark, sizeAlgorithm) => {
  controller.stream = stream;
  ResetQueue(controller);
  controller.strategySizeAlgorithm = sizeAlgorithm;
  controller.strategyHWM = highWaterMark;
  controller.pullAlgorithm = algorithms.pull;
  controller.cancelAlgorithm = algorithms.cancel;
  stream.controller = controller;
  const startResult = algorithms.start();
  $.then($.resolved(startResult), () => {
    controller.started = true;
    ReadableStreamDefaultControllerCallPullIfNeeded(controller);
  }, (error) => ReadableStreamDefaultControllerError(controller, error));
};

/** Fails a stream from outside. */
exports.errorStream = (stream, error) => {
  if (stream.controller.isByteController) byteStreams().ReadableByteStreamControllerError(stream.controller, error);
  else ReadableStreamDefaultControllerError(stream.controller, error);
};
/** A promise of the end of a stream, whoever reads it. */
exports.whenClosed = (stream) => {
  if (stream.state === 'closed') return $.resolved();
  if (stream.state === 'errored') return handledRejection(stream.storedError);
  stream.whenClosed ??= deferred();
  return stream.whenClosed.promise;
};

asInterface(ReadableStream, (stream) => {
  const { state, controller } = slotsOf(stream) ?? { __proto__: null };
  return { locked: stream.locked, state, supportsBYOB: Boolean(controller?.isByteController) };
});
Object.defineProperty(ReadableStream, 'from', { enumerable: true });
Object.defineProperty(ReadableStream.prototype, Symbol.asyncIterator, {
  value: ReadableStream.prototype.values, writable: true, configurable: true,
});
forNode(ReadableStream, thisStream, {
  disturbed: (stream) => stream.disturbed, errored: (stream) => stream.state === 'errored',
  readable: (stream) => stream.state === 'readable',
});
asInterface(ReadableStreamDefaultReader, (reader) => {
  const { stream, requests, closed } = readerSlotsOf(reader);
  return { stream: stream?.object, readRequests: requests.length, close: closed.promise };
});
asInterface(ReadableStreamDefaultController, () => ({}));
exports.ReadableStream = ReadableStream;
exports.ReadableStreamDefaultReader = ReadableStreamDefaultReader;
exports.ReadableStreamDefaultController = ReadableStreamDefaultController;
exports.slotsOf = slotsOf;
exports.AcquireReadableStreamDefaultReader = AcquireReadableStreamDefaultReader;
exports.CreateReadableStream = CreateReadableStream;
exports.IsReadableStreamLocked = IsReadableStreamLocked;
exports.ReadableStreamAddReadRequest = ReadableStreamAddReadRequest;
exports.ReadableStreamCancel = ReadableStreamCancel;
exports.ReadableStreamClose = ReadableStreamClose;
exports.ReadableStreamDefaultControllerCanCloseOrEnqueue = ReadableStreamDefaultControllerCanCloseOrEnqueue;
exports.ReadableStreamDefaultControllerClose = ReadableStreamDefaultControllerClose;
exports.ReadableStreamDefaultControllerEnqueue = ReadableStreamDefaultControllerEnqueue;
exports.ReadableStreamDefaultControllerError = ReadableStreamDefaultControllerError;
exports.ReadableStreamDefaultControllerGetDesiredSize = ReadableStreamDefaultControllerGetDesiredSize;
exports.ReadableStreamDefaultControllerHasBackpressure = ReadableStreamDefaultControllerHasBackpressure;
exports.ReadableStreamDefaultReaderRead = ReadableStreamDefaultReaderRead;
exports.ReadableStreamDefaultReaderRelease = ReadableStreamDefaultReaderRelease;
exports.ReadableStreamError = ReadableStreamError;
exports.ReadableStreamFulfillReadRequest = ReadableStreamFulfillReadRequest;
exports.ReadableStreamGetNumReadRequests = ReadableStreamGetNumReadRequests;
exports.ReadableStreamHasDefaultReader = ReadableStreamHasDefaultReader;
exports.ReadableStreamReaderGenericInitialize = ReadableStreamReaderGenericInitialize;
exports.ReadableStreamReaderGenericRelease = ReadableStreamReaderGenericRelease;
exports.ReadableStreamTee = ReadableStreamTee;
exports.detached = detached;
exports.locked = locked;
exports.newReader = newReader;
exports.newSlots = newSlots;
exports.read = read;
