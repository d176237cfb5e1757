// WritableStream (Streams Standard, §5). Functions bear the names of the standard's algorithms and work on slots, as
// `web_streams_shared.js` says.
const {
  DequeueValue, EnqueueValueWithSize, ExtractHighWaterMark, ExtractSizeAlgorithm, Queue, ResetQueue, asInterface,
  callback, deferred, handledRejection, illegalConstructor, invalidState, invalidThis, isObject, markHandled, needArgs,
  optionalObject, pending, promiseCall, rejectedDeferred, resolvedDeferred, secret, strategyOf, forNode,
} = require('web_streams_shared');
const { create, invalidArgType } = require('errors');
let slotsOf, writerSlotsOf, controllerSlotsOf;
const CLOSE = Symbol('close');

const newSlots = () => ({
  object: undefined, state: 'writable', storedError: undefined, writer: undefined, controller: undefined,
  backpressure: false, closeRequest: undefined, inFlightWriteRequest: undefined, inFlightCloseRequest: undefined,
  pendingAbortRequest: undefined, writeRequests: new Queue(), whenClosed: undefined,
});

class WritableStream {
  #slots;
  constructor(underlyingSink = undefined, strategy = undefined) {
    if (underlyingSink === secret) {
      this.#slots = strategy;
      strategy.object = this;
      return;
    }
    const sink = optionalObject(underlyingSink, 'sink');
    const queuing = strategyOf(strategy);
    const abort = callback(sink, 'abort', 'sink');
    const close = callback(sink, 'close', 'sink');
    const start = callback(sink, 'start', 'sink');
    const { type } = sink;
    if (type !== undefined) {
      throw create('RangeError', 'ERR_INVALID_ARG_VALUE',
        $.text`The property 'sink.type' is invalid. Received ${require('inspect').inspect(type)}`);
    }
    const write = callback(sink, 'write', 'sink');
    const slots = newSlots();
    slots.object = this;
    this.#slots = slots;
    const sizeAlgorithm = ExtractSizeAlgorithm(queuing);
    const highWaterMark = ExtractHighWaterMark(queuing, 1);
    const controller = newController();
    new WritableStreamDefaultController(secret, controller);
    const { object } = controller;
    const algorithm = (call) => (call === undefined ? () => $.resolved()
      : (...args) => promiseCall(call, underlyingSink, ...$.each(args)));
    SetUpWritableStreamDefaultController(slots, controller, {
      start: () => (start === undefined ? undefined : Reflect.apply(start, underlyingSink, [object])),
      write: (chunk) => (write === undefined ? $.resolved() : promiseCall(write, underlyingSink, chunk, object)),
      close: algorithm(close), abort: algorithm(abort),
    }, highWaterMark, sizeAlgorithm);
  }
  static {
    slotsOf = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
  }
  get locked() {
    return IsWritableStreamLocked(thisStream(this));
  }
  abort(reason = undefined) {
    const stream = slotsOf(this);
    if (stream === undefined) return $.rejected(invalidThis('WritableStream'));
    if (IsWritableStreamLocked(stream)) return $.rejected(locked());
    return WritableStreamAbort(stream, reason);
  }
  close() {
    const stream = slotsOf(this);
    if (stream === undefined) return $.rejected(invalidThis('WritableStream'));
    if (IsWritableStreamLocked(stream)) return $.rejected(locked());
    if (WritableStreamCloseQueuedOrInFlight(stream)) return $.rejected(closing());
    return WritableStreamClose(stream);
  }
  getWriter() {
    return AcquireWritableStreamDefaultWriter(thisStream(this)).object;
  }
}
const thisStream = (value) => {
  const slots = slotsOf(value);
  if (slots === undefined) throw invalidThis('WritableStream');
  return slots;
};
const locked = () => invalidState('WritableStream is locked');
const closing = () => invalidState('Failure to close WritableStream');

class WritableStreamDefaultWriter {
  #slots;
  constructor(stream, slots = undefined) {
    if (stream === secret) {
      this.#slots = slots;
      slots.object = this;
      return;
    }
    needArgs(arguments.length, 1, 'stream');
    const of = slotsOf(stream);
    if (of === undefined) throw invalidArgType('stream', 'an instance of WritableStream', stream);
    this.#slots = SetUpWritableStreamDefaultWriter(of);
    this.#slots.object = this;
  }
  static {
    writerSlotsOf = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
  }
  get closed() {
    const writer = writerSlotsOf(this);
    return writer === undefined ? $.rejected(invalidThis('WritableStreamDefaultWriter')) : writer.closed.promise;
  }
  get desiredSize() {
    const writer = writerSlotsOf(this);
    if (writer === undefined) throw invalidThis('WritableStreamDefaultWriter');
    if (writer.stream === undefined) throw detached();
    return WritableStreamDefaultWriterGetDesiredSize(writer);
  }
  get ready() {
    const writer = writerSlotsOf(this);
    return writer === undefined ? $.rejected(invalidThis('WritableStreamDefaultWriter')) : writer.ready.promise;
  }
  abort(reason = undefined) {
    const writer = writerSlotsOf(this);
    if (writer === undefined) return $.rejected(invalidThis('WritableStreamDefaultWriter'));
    if (writer.stream === undefined) return $.rejected(detached());
    return WritableStreamAbort(writer.stream, reason);
  }
  close() {
    const writer = writerSlotsOf(this);
    if (writer === undefined) return $.rejected(invalidThis('WritableStreamDefaultWriter'));
    if (writer.stream === undefined) return $.rejected(detached());
    if (WritableStreamCloseQueuedOrInFlight(writer.stream)) return $.rejected(closing());
    return WritableStreamClose(writer.stream);
  }
  releaseLock() {
    const writer = writerSlotsOf(this);
    if (writer === undefined) throw invalidThis('WritableStreamDefaultWriter');
    if (writer.stream !== undefined) WritableStreamDefaultWriterRelease(writer);
  }
  write(chunk = undefined) {
    const writer = writerSlotsOf(this);
    if (writer === undefined) return $.rejected(invalidThis('WritableStreamDefaultWriter'));
    if (writer.stream === undefined) return $.rejected(detached());
    return WritableStreamDefaultWriterWrite(writer, chunk);
  }
}
const detached = () => invalidState('Writer is not bound to a WritableStream');

class WritableStreamDefaultController {
  #slots;
  constructor(key = undefined, slots = undefined) {
    if (key !== secret) throw illegalConstructor();
    this.#slots = slots;
    slots.object = this;
  }
  static {
    controllerSlotsOf = (value) => {
      if (isObject(value) && #slots in value) return value.#slots;
      throw invalidThis('WritableStreamDefaultController');
    };
  }
  get signal() {
    return controllerSlotsOf(this).abortController.signal;
  }
  error(error = undefined) {
    const controller = controllerSlotsOf(this);
    if (controller.stream.state === 'writable') WritableStreamDefaultControllerError(controller, error);
  }
}
const newController = () => {
  const controller = {
    object: undefined, stream: undefined, queue: undefined, queueTotalSize: 0, started: false, strategyHWM: 0,
    strategySizeAlgorithm: undefined, writeAlgorithm: undefined, closeAlgorithm: undefined,
    abortAlgorithm: undefined, abortController: undefined,
    // §5.4.4
    abortSteps(reason) {
      const result = controller.abortAlgorithm(reason);
      WritableStreamDefaultControllerClearAlgorithms(controller);
      return result;
    },
    errorSteps: () => ResetQueue(controller),
  };
  return controller;
};

// §5.5.1
const AcquireWritableStreamDefaultWriter = (stream) => {
  const writer = SetUpWritableStreamDefaultWriter(stream);
  new WritableStreamDefaultWriter(secret, writer);
  return writer;
};
const CreateWritableStream = (start, write, close, abort, highWaterMark = 1, sizeAlgorithm = () => 1) => {
  const stream = newSlots();
  new WritableStream(secret, stream);
  const controller = newController();
  new WritableStreamDefaultController(secret, controller);
  SetUpWritableStreamDefaultController(
    stream, controller, { start, write, close, abort }, highWaterMark, sizeAlgorithm);
  return stream;
};
const IsWritableStreamLocked = (stream) => stream.writer !== undefined;
const SetUpWritableStreamDefaultWriter = (stream) => {
  if (IsWritableStreamLocked(stream)) throw locked();
  const writer = { object: undefined, stream, ready: undefined, closed: undefined };
  stream.writer = writer;
  if (stream.state === 'writable') {
    const waits = !WritableStreamCloseQueuedOrInFlight(stream) && stream.backpressure;
    writer.ready = waits ? pending() : resolvedDeferred();
    writer.closed = pending();
  } else if (stream.state === 'erroring') {
    writer.ready = rejectedDeferred(stream.storedError);
    writer.closed = pending();
  } else if (stream.state === 'closed') {
    writer.ready = resolvedDeferred();
    writer.closed = resolvedDeferred();
  } else {
    writer.ready = rejectedDeferred(stream.storedError);
    writer.closed = rejectedDeferred(stream.storedError);
  }
  return writer;
};
const WritableStreamAbort = (stream, reason) => {
  if (stream.state === 'closed' || stream.state === 'errored') return $.resolved();
  stream.controller.abortController.abort(reason);
  // (A listener may have done something with the stream.)
  const { state } = stream;
  if (state === 'closed' || state === 'errored') return $.resolved();
  if (stream.pendingAbortRequest !== undefined) return stream.pendingAbortRequest.promise;
  const wasAlreadyErroring = state === 'erroring';
  const { promise, resolve, reject } = $.withResolvers();
  stream.pendingAbortRequest = {
    promise, resolve, reject, reason: wasAlreadyErroring ? undefined : reason, wasAlreadyErroring,
  };
  if (!wasAlreadyErroring) WritableStreamStartErroring(stream, reason);
  return promise;
};
const WritableStreamClose = (stream) => {
  const { state } = stream;
  if (state === 'closed' || state === 'errored') return $.rejected(invalidState('WritableStream is closed'));
  const made = $.withResolvers();
  stream.closeRequest = made;
  if (stream.writer !== undefined && stream.backpressure && state === 'writable') stream.writer.ready.resolve();
  WritableStreamDefaultControllerClose(stream.controller);
  return made.promise;
};

// §5.5.2
const WritableStreamAddWriteRequest = (stream) => {
  const made = $.withResolvers();
  stream.writeRequests.push(made);
  return made.promise;
};
const WritableStreamCloseQueuedOrInFlight = (stream) =>
  stream.closeRequest !== undefined || stream.inFlightCloseRequest !== undefined;
const WritableStreamDealWithRejection = (stream, error) => {
  if (stream.state === 'writable') WritableStreamStartErroring(stream, error);
  else WritableStreamFinishErroring(stream);
};
const WritableStreamFinishErroring = (stream) => {
  stream.state = 'errored';
  stream.controller.errorSteps();
  const { storedError } = stream;
  for (const request of $.each(stream.writeRequests.drain())) request.reject(storedError);
  const abort = stream.pendingAbortRequest;
  if (abort === undefined) {
    WritableStreamRejectCloseAndClosedPromiseIfNeeded(stream);
    return;
  }
  stream.pendingAbortRequest = undefined;
  if (abort.wasAlreadyErroring) {
    abort.reject(storedError);
    WritableStreamRejectCloseAndClosedPromiseIfNeeded(stream);
    return;
  }
  $.then(stream.controller.abortSteps(abort.reason), () => {
    abort.resolve();
    WritableStreamRejectCloseAndClosedPromiseIfNeeded(stream);
  }, (error) => {
    abort.reject(error);
    WritableStreamRejectCloseAndClosedPromiseIfNeeded(stream);
  });
};
const WritableStreamFinishInFlightClose = (stream) => {
  stream.inFlightCloseRequest.resolve();
  stream.inFlightCloseRequest = undefined;
  if (stream.state === 'erroring') {
    stream.storedError = undefined;
    stream.pendingAbortRequest?.resolve();
    stream.pendingAbortRequest = undefined;
  }
  stream.state = 'closed';
  stream.writer?.closed.resolve();
  stream.whenClosed?.resolve();
};
const WritableStreamFinishInFlightCloseWithError = (stream, error) => {
  stream.inFlightCloseRequest.reject(error);
  stream.inFlightCloseRequest = undefined;
  stream.pendingAbortRequest?.reject(error);
  stream.pendingAbortRequest = undefined;
  WritableStreamDealWithRejection(stream, error);
};
const WritableStreamFinishInFlightWrite = (stream) => {
  stream.inFlightWriteRequest.resolve();
  stream.inFlightWriteRequest = undefined;
};
const WritableStreamFinishInFlightWriteWithError = (stream, error) => {
  stream.inFlightWriteRequest.reject(error);
  stream.inFlightWriteRequest = undefined;
  WritableStreamDealWithRejection(stream, error);
};
const WritableStreamHasOperationMarkedInFlight = (stream) =>
  stream.inFlightWriteRequest !== undefined || stream.inFlightCloseRequest !== undefined;
const WritableStreamRejectCloseAndClosedPromiseIfNeeded = (stream) => {
  stream.closeRequest?.reject(stream.storedError);
  stream.closeRequest = undefined;
  if (stream.writer !== undefined) {
    stream.writer.closed.reject(stream.storedError);
    markHandled(stream.writer.closed.promise);
  }
  stream.whenClosed?.reject(stream.storedError);
};
const WritableStreamStartErroring = (stream, reason) => {
  stream.state = 'erroring';
  stream.storedError = reason;
  if (stream.writer !== undefined) {
    WritableStreamDefaultWriterEnsurePromiseRejected(stream.writer, 'ready', reason);
  }
  if (!WritableStreamHasOperationMarkedInFlight(stream) && stream.controller.started) {
    WritableStreamFinishErroring(stream);
  }
};
const WritableStreamUpdateBackpressure = (stream, backpressure) => {
  const { writer } = stream;
  if (writer !== undefined && backpressure !== stream.backpressure) {
    if (backpressure) writer.ready = pending();
    else writer.ready.resolve();
  }
  stream.backpressure = backpressure;
};

// §5.5.3
const WritableStreamDefaultWriterCloseWithErrorPropagation = ({ stream }) => {
  if (WritableStreamCloseQueuedOrInFlight(stream) || stream.state === 'closed') return $.resolved();
  if (stream.state === 'errored') return $.rejected(stream.storedError);
  return WritableStreamClose(stream);
};
// Both of the standard's algorithms: `name` is `ready` or `closed`.
const WritableStreamDefaultWriterEnsurePromiseRejected = (writer, name, error) => {
  if (writer[name].isPending) {
    writer[name].reject(error);
    markHandled(writer[name].promise);
  } else {
    writer[name] = rejectedDeferred(error);
  }
};
const WritableStreamDefaultWriterGetDesiredSize = ({ stream }) => {
  if (stream.state === 'errored' || stream.state === 'erroring') return null;
  return stream.state === 'closed' ? 0 : WritableStreamDefaultControllerGetDesiredSize(stream.controller);
};
const WritableStreamDefaultWriterRelease = (writer) => {
  const { stream } = writer;
  const error = detached();
  WritableStreamDefaultWriterEnsurePromiseRejected(writer, 'ready', error);
  WritableStreamDefaultWriterEnsurePromiseRejected(writer, 'closed', error);
  stream.writer = undefined;
  writer.stream = undefined;
};
const WritableStreamDefaultWriterWrite = (writer, chunk) => {
  const { stream } = writer;
  const { controller } = stream;
  const chunkSize = WritableStreamDefaultControllerGetChunkSize(controller, chunk);
  // (The size function may have released the writer or failed the stream.)
  if (stream !== writer.stream) return $.rejected(detached());
  const { state } = stream;
  if (state === 'errored') return $.rejected(stream.storedError);
  if (WritableStreamCloseQueuedOrInFlight(stream) || state === 'closed') {
    return $.rejected(invalidState('WritableStream is closed'));
  }
  if (state === 'erroring') return $.rejected(stream.storedError);
  const promise = WritableStreamAddWriteRequest(stream);
  WritableStreamDefaultControllerWrite(controller, chunk, chunkSize);
  return promise;
};

// §5.5.4
const SetUpWritableStreamDefaultController = (stream, controller, algorithms, highWaterMark, sizeAlgorithm) => {
  controller.stream = stream;
  stream.controller = controller;
  ResetQueue(controller);
  controller.abortController = new (require('abort').AbortController)();
  controller.strategySizeAlgorithm = sizeAlgorithm;
  controller.strategyHWM = highWaterMark;
  controller.writeAlgorithm = algorithms.write;
  controller.closeAlgorithm = algorithms.close;
  controller.abortAlgorithm = algorithms.abort;
  WritableStreamUpdateBackpressure(stream, WritableStreamDefaultControllerGetBackpressure(controller));
  const startResult = algorithms.start();
  $.then($.resolved(startResult), () => {
    controller.started = true;
    WritableStreamDefaultControllerAdvanceQueueIfNeeded(controller);
  }, (error) => {
    controller.started = true;
    WritableStreamDealWithRejection(stream, error);
  });
};
const WritableStreamDefaultControllerAdvanceQueueIfNeeded = (controller) => {
  const { stream } = controller;
  if (!controller.started || stream.inFlightWriteRequest !== undefined) return;
  if (stream.state === 'erroring') {
    WritableStreamFinishErroring(stream);
    return;
  }
  if (controller.queue.length === 0) return;
  const { first: { value } } = controller.queue;
  if (value === CLOSE) WritableStreamDefaultControllerProcessClose(controller);
  else WritableStreamDefaultControllerProcessWrite(controller, value);
};
const WritableStreamDefaultControllerClearAlgorithms = (controller) => {
  controller.writeAlgorithm = controller.closeAlgorithm = controller.abortAlgorithm = undefined;
  controller.strategySizeAlgorithm = undefined;
};
const WritableStreamDefaultControllerClose = (controller) => {
  EnqueueValueWithSize(controller, CLOSE, 0);
  WritableStreamDefaultControllerAdvanceQueueIfNeeded(controller);
};
const WritableStreamDefaultControllerError = (controller, error) => {
  WritableStreamDefaultControllerClearAlgorithms(controller);
  WritableStreamStartErroring(controller.stream, error);
};
const WritableStreamDefaultControllerErrorIfNeeded = (controller, error) => {
  if (controller.stream.state === 'writable') WritableStreamDefaultControllerError(controller, error);
};
const WritableStreamDefaultControllerGetBackpressure = (controller) =>
  WritableStreamDefaultControllerGetDesiredSize(controller) <= 0;
const WritableStreamDefaultControllerGetChunkSize = (controller, chunk) => {
  if (controller.strategySizeAlgorithm === undefined) return 1;
  try {
    return controller.strategySizeAlgorithm(chunk);
  } catch (error) {
    WritableStreamDefaultControllerErrorIfNeeded(controller, error);
    return 1;
  }
};
const WritableStreamDefaultControllerGetDesiredSize = ({ strategyHWM, queueTotalSize }) =>
  strategyHWM - queueTotalSize;
const WritableStreamDefaultControllerProcessClose = (controller) => {
  const { stream } = controller;
  stream.inFlightCloseRequest = stream.closeRequest;
  stream.closeRequest = undefined;
  DequeueValue(controller);
  const result = controller.closeAlgorithm();
  WritableStreamDefaultControllerClearAlgorithms(controller);
  $.then(result, () => WritableStreamFinishInFlightClose(stream),
    (error) => WritableStreamFinishInFlightCloseWithError(stream, error));
};
const WritableStreamDefaultControllerProcessWrite = (controller, chunk) => {
  const { stream } = controller;
  stream.inFlightWriteRequest = stream.writeRequests.shift();
  $.then(controller.writeAlgorithm(chunk), () => {
    WritableStreamFinishInFlightWrite(stream);
    DequeueValue(controller);
    if (!WritableStreamCloseQueuedOrInFlight(stream) && stream.state === 'writable') {
      WritableStreamUpdateBackpressure(stream, WritableStreamDefaultControllerGetBackpressure(controller));
    }
    WritableStreamDefaultControllerAdvanceQueueIfNeeded(controller);
  }, (error) => {
    if (stream.state === 'writable') WritableStreamDefaultControllerClearAlgorithms(controller);
    WritableStreamFinishInFlightWriteWithError(stream, error);
  });
};
const WritableStreamDefaultControllerWrite = (controller, chunk, chunkSize) => {
  const { stream } = controller;
  try {
    EnqueueValueWithSize(controller, chunk, chunkSize);
  } catch (error) {
    WritableStreamDefaultControllerErrorIfNeeded(controller, error);
    return;
  }
  if (!WritableStreamCloseQueuedOrInFlight(stream) && stream.state === 'writable') {
    WritableStreamUpdateBackpressure(stream, WritableStreamDefaultControllerGetBackpressure(controller));
  }
  WritableStreamDefaultControllerAdvanceQueueIfNeeded(controller);
};

/** Fails a stream from outside. */
exports.errorStream = (stream, error) => WritableStreamDefaultControllerErrorIfNeeded(stream.controller, error);
/** A promise of the end of a stream, whoever writes to it. */
exports.whenClosed = (stream) => {
  if (stream.state === 'closed') return $.resolved();
  if (stream.state === 'errored') return handledRejection(stream.storedError);
  stream.whenClosed ??= deferred();
  return stream.whenClosed.promise;
};

asInterface(WritableStream, (stream) => {
  const { state } = slotsOf(stream) ?? { __proto__: null };
  return { locked: stream.locked, state };
});
forNode(WritableStream, thisStream, {
  errored: (stream) => stream.state === 'errored', writable: (stream) => stream.state === 'writable',
});
asInterface(WritableStreamDefaultWriter, (writer) => {
  const { stream, closed, ready } = writerSlotsOf(writer);
  return { stream: stream?.object, close: closed.promise, ready: ready.promise };
});
asInterface(WritableStreamDefaultController, () => ({}));
exports.WritableStream = WritableStream;
exports.WritableStreamDefaultController = WritableStreamDefaultController;
exports.WritableStreamDefaultWriter = WritableStreamDefaultWriter;
exports.slotsOf = slotsOf;
exports.AcquireWritableStreamDefaultWriter = AcquireWritableStreamDefaultWriter;
exports.CreateWritableStream = CreateWritableStream;
exports.IsWritableStreamLocked = IsWritableStreamLocked;
exports.WritableStreamAbort = WritableStreamAbort;
exports.WritableStreamCloseQueuedOrInFlight = WritableStreamCloseQueuedOrInFlight;
exports.WritableStreamDefaultControllerErrorIfNeeded = WritableStreamDefaultControllerErrorIfNeeded;
exports.WritableStreamDefaultWriterCloseWithErrorPropagation = WritableStreamDefaultWriterCloseWithErrorPropagation;
exports.WritableStreamDefaultWriterGetDesiredSize = WritableStreamDefaultWriterGetDesiredSize;
exports.WritableStreamDefaultWriterRelease = WritableStreamDefaultWriterRelease;
exports.WritableStreamDefaultWriterWrite = WritableStreamDefaultWriterWrite;
