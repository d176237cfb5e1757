// The parts of ReadableStream for bytes (Streams Standard, §4.5, §4.7, §4.8 and §4.9.5).
const {
  ResetQueue, asInterface, dictionary, enforceRange, illegalConstructor, invalidState, invalidThis, isObject,
  needArgs, secret,
} = require('web_streams_shared');
const stream = require('readable_stream');
const {
  IsReadableStreamLocked, ReadableStreamAddReadRequest, ReadableStreamCancel, ReadableStreamClose,
  ReadableStreamError, ReadableStreamFulfillReadRequest, ReadableStreamGetNumReadRequests,
  ReadableStreamHasDefaultReader, ReadableStreamReaderGenericInitialize, ReadableStreamReaderGenericRelease,
} = stream;
const { create, invalidArgType, invalidArgValue } = require('errors');
const { isSharedArrayBuffer } = require('bytes');
let readerSlotsOf, controllerSlotsOf, requestSlotsOf;

// Views, of which only the brand is trusted.
const constructors = { __proto__: null };
for (const name of $.each([
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'DataView',
])) constructors[name] = $.real[name];
const elementSizes = {
  __proto__: null, Int16Array: 2, Uint16Array: 2, Float16Array: 2, Int32Array: 4, Uint32Array: 4, Float32Array: 4,
  Float64Array: 8, BigInt64Array: 8, BigUint64Array: 8,
};
const transferOf = $.uncurried($.pristine['ArrayBuffer.prototype'].transfer);
const isBuffer = (value) => isObject(value) && !isSharedArrayBuffer(value);
// TransferArrayBuffer
const TransferArrayBuffer = (buffer) => {
  try {
    return transferOf(buffer);
  } catch (error) {
    throw create('TypeError', 'ERR_INVALID_STATE', $.text`Invalid state: ${error.message}`);
  }
};
exports.CloneAsUint8Array = (view) => new Uint8Array($.bytesOf(view));
const copyBytes = (to, at, from, start, count) =>
  $.set(new Uint8Array(to, at, count), new Uint8Array(from, start, count));
const isValidView = (view, name) => {
  if (!$.isView(view)) throw invalidArgType(name, 'an instance of Buffer, TypedArray, or DataView', view);
  if (!isBuffer($.buffer(view))) throw invalidArgValue(name, view, 'must not be shared');
};

class ReadableStreamBYOBReader {
  #slots;
  constructor(stream, slots = undefined) {
    if (stream === secret) {
      this.#slots = slots;
      slots.object = this;
      return;
    }
    needArgs(arguments.length, 1, 'stream');
    const of = require('readable_stream').slotsOf(stream);
    if (of === undefined) throw invalidArgType('stream', 'an instance of ReadableStream', stream);
    this.#slots = SetUpReadableStreamBYOBReader(of);
    this.#slots.object = this;
  }
  static {
    readerSlotsOf = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
  }
  read(view, options = undefined) {
    try {
      const reader = readerSlotsOf(this);
      if (reader === undefined) throw invalidThis('ReadableStreamBYOBReader');
      needArgs(arguments.length, 1, 'view');
      isValidView(view, 'view');
      const { min: given = 1 } = dictionary(options, 'options');
      const min = enforceRange(given, 'options.min');
      if ($.byteLength(view) === 0) throw invalidState('View or Viewed ArrayBuffer is zero-length or detached');
      const buffer = $.buffer(view);
      if ($.bufferLength(buffer) === 0 || $.isDetached(buffer)) {
        throw invalidState('View or Viewed ArrayBuffer is zero-length or detached');
      }
      if (min === 0) throw invalidArgValue('options.min', min, 'must be greater than 0');
      const tag = $.tagOf(view);
      const elements = tag === undefined ? $.byteLength(view) : $.length(view);
      if (min > elements) {
        throw create('RangeError', 'ERR_OUT_OF_RANGE', $.text`The value of "options.min" is out of range. It must ` +
          $.text`be <= view.length. Received ${min}`);
      }
      if (reader.stream === undefined) throw stream.detached();
      const { promise, resolve, reject } = $.withResolvers();
      ReadableStreamBYOBReaderRead(reader, view, min, {
        chunk: (value) => resolve({ value, done: false }), close: (value) => resolve({ value, done: true }),
        error: reject,
      });
      return promise;
    } catch (error) {
      return $.rejected(error);
    }
  }
  releaseLock() {
    const reader = readerSlotsOf(this);
    if (reader === undefined) throw invalidThis('ReadableStreamBYOBReader');
    if (reader.stream !== undefined) ReadableStreamBYOBReaderRelease(reader);
  }
  get closed() {
    const reader = readerSlotsOf(this);
    return reader === undefined ? $.rejected(invalidThis('ReadableStreamBYOBReader')) : reader.closed.promise;
  }
  cancel(reason = undefined) {
    const reader = readerSlotsOf(this);
    if (reader === undefined) return $.rejected(invalidThis('ReadableStreamBYOBReader'));
    if (reader.stream === undefined) return $.rejected(stream.detached());
    return ReadableStreamCancel(reader.stream, reason);
  }
}
const SetUpReadableStreamBYOBReader = (of) => {
  if (IsReadableStreamLocked(of)) throw stream.locked();
  if (!of.controller.isByteController) {
    throw invalidArgValue('reader', of.object, 'must be a byte stream');
  }
  const reader = stream.newReader(true);
  ReadableStreamReaderGenericInitialize(reader, of);
  return reader;
};
exports.AcquireReadableStreamBYOBReader = (of) => {
  const reader = SetUpReadableStreamBYOBReader(of);
  new ReadableStreamBYOBReader(secret, reader);
  return reader;
};
const ReadableStreamBYOBReaderRead = (reader, view, min, request) => {
  const { stream } = reader;
  stream.disturbed = true;
  if (stream.state === 'errored') request.error(stream.storedError);
  else ReadableByteStreamControllerPullInto(stream.controller, view, min, request);
};
const ReadableStreamBYOBReaderRelease = (reader) => {
  ReadableStreamReaderGenericRelease(reader);
  const error = invalidState('Reader released');
  for (const request of $.each(reader.requests.drain())) request.error(error);
};
const ReadableStreamHasBYOBReader = (stream) => Boolean(stream.reader?.isByobReader);

class ReadableStreamBYOBRequest {
  #slots;
  constructor(key = undefined, slots = undefined) {
    if (key !== secret) throw illegalConstructor();
    this.#slots = slots;
    slots.object = this;
  }
  static {
    requestSlotsOf = (value) => {
      if (isObject(value) && #slots in value) return value.#slots;
      throw invalidThis('ReadableStreamBYOBRequest');
    };
  }
  get view() {
    return requestSlotsOf(this).view;
  }
  respond(bytesWritten) {
    const request = requestSlotsOf(this);
    needArgs(arguments.length, 1, 'bytesWritten');
    const count = enforceRange(bytesWritten, 'bytesWritten');
    if (request.controller === undefined) throw invalidState('This BYOB request has been invalidated');
    if ($.isDetached($.buffer(request.view))) throw invalidState('Viewed ArrayBuffer is detached');
    ReadableByteStreamControllerRespond(request.controller, count);
  }
  respondWithNewView(view) {
    const request = requestSlotsOf(this);
    needArgs(arguments.length, 1, 'view');
    isValidView(view, 'view');
    if (request.controller === undefined) throw invalidState('This BYOB request has been invalidated');
    if ($.isDetached($.buffer(view))) throw invalidState('Viewed ArrayBuffer is detached');
    ReadableByteStreamControllerRespondWithNewView(request.controller, view);
  }
}

class ReadableByteStreamController {
  #slots;
  constructor(key = undefined, slots = undefined) {
    if (key !== secret) throw illegalConstructor();
    this.#slots = slots;
    slots.object = this;
  }
  static {
    controllerSlotsOf = (value) => {
      if (isObject(value) && #slots in value) return value.#slots;
      throw invalidThis('ReadableByteStreamController');
    };
  }
  get byobRequest() {
    return ReadableByteStreamControllerGetBYOBRequest(controllerSlotsOf(this))?.object ?? null;
  }
  get desiredSize() {
    return ReadableByteStreamControllerGetDesiredSize(controllerSlotsOf(this));
  }
  close() {
    const controller = controllerSlotsOf(this);
    if (controller.closeRequested || controller.stream.state !== 'readable') {
      throw invalidState('Controller is already closed');
    }
    ReadableByteStreamControllerClose(controller);
  }
  enqueue(chunk) {
    const controller = controllerSlotsOf(this);
    needArgs(arguments.length, 1, 'chunk');
    isValidView(chunk, 'chunk');
    if ($.byteLength(chunk) === 0 || $.bufferLength($.buffer(chunk)) === 0) {
      throw invalidState('chunk ArrayBuffer is zero-length or detached');
    }
    if (controller.closeRequested || controller.stream.state !== 'readable') {
      throw invalidState('Controller is already closed');
    }
    ReadableByteStreamControllerEnqueue(controller, chunk);
  }
  error(error = undefined) {
    ReadableByteStreamControllerError(controllerSlotsOf(this), error);
  }
}
const newController = () => {
  const controller = {
    object: undefined, isByteController: true, stream: undefined, queue: undefined, queueTotalSize: 0,
    started: false, closeRequested: false, pullAgain: false, pulling: false, strategyHWM: 0,
    pullAlgorithm: undefined, cancelAlgorithm: undefined, autoAllocateChunkSize: undefined, byobRequest: null,
    pendingPullIntos: [],
    // §4.7.4
    cancelSteps(reason) {
      ReadableByteStreamControllerClearPendingPullIntos(controller);
      ResetQueue(controller);
      const result = controller.cancelAlgorithm(reason);
      ReadableByteStreamControllerClearAlgorithms(controller);
      return result;
    },
    pullSteps(request) {
      const { stream, autoAllocateChunkSize } = controller;
      if (controller.queueTotalSize > 0) {
        ReadableByteStreamControllerFillReadRequestFromQueue(controller, request);
        return;
      }
      if (autoAllocateChunkSize !== undefined) {
        let buffer;
        try {
          buffer = new ArrayBuffer(autoAllocateChunkSize);
        } catch (error) {
          request.error(error);
          return;
        }
        $.push(controller.pendingPullIntos, {
          buffer, bufferByteLength: autoAllocateChunkSize, byteOffset: 0, byteLength: autoAllocateChunkSize,
          bytesFilled: 0, minimumFill: 1, elementSize: 1, viewName: 'Uint8Array', readerType: 'default',
        });
      }
      ReadableStreamAddReadRequest(stream, request);
      ReadableByteStreamControllerCallPullIfNeeded(controller);
    },
    releaseSteps() {
      if (controller.pendingPullIntos.length === 0) return;
      const { 0: first } = controller.pendingPullIntos;
      first.readerType = 'none';
      controller.pendingPullIntos = [first];
    },
  };
  return controller;
};

// §4.9.5
const ReadableByteStreamControllerCallPullIfNeeded = (controller) => {
  if (!ReadableByteStreamControllerShouldCallPull(controller)) return;
  if (controller.pulling) {
    controller.pullAgain = true;
    return;
  }
  controller.pulling = true;
  $.then(controller.pullAlgorithm(), () => {
    controller.pulling = false;
    if (!controller.pullAgain) return;
    controller.pullAgain = false;
    ReadableByteStreamControllerCallPullIfNeeded(controller);
  }, (error) => ReadableByteStreamControllerError(controller, error));
};
const ReadableByteStreamControllerClearAlgorithms = (controller) => {
  controller.pullAlgorithm = controller.cancelAlgorithm = undefined;
};
const ReadableByteStreamControllerClearPendingPullIntos = (controller) => {
  ReadableByteStreamControllerInvalidateBYOBRequest(controller);
  controller.pendingPullIntos = [];
};
const ReadableByteStreamControllerClose = (controller) => {
  const { stream, pendingPullIntos } = controller;
  if (controller.closeRequested || stream.state !== 'readable') return;
  if (controller.queueTotalSize > 0) {
    controller.closeRequested = true;
    return;
  }
  if (pendingPullIntos.length > 0) {
    const { 0: { bytesFilled, elementSize } } = pendingPullIntos;
    if (bytesFilled % elementSize !== 0) {
      const error = invalidState('Partial read');
      ReadableByteStreamControllerError(controller, error);
      throw error;
    }
  }
  ReadableByteStreamControllerClearAlgorithms(controller);
  ReadableStreamClose(stream);
};
const ReadableByteStreamControllerCommitPullIntoDescriptor = (stream, descriptor) => {
  const done = stream.state === 'closed';
  const view = ReadableByteStreamControllerConvertPullIntoDescriptor(descriptor);
  if (descriptor.readerType === 'default') ReadableStreamFulfillReadRequest(stream, view, done);
  else ReadableStreamFulfillReadIntoRequest(stream, view, done);
};
const ReadableStreamFulfillReadIntoRequest = (stream, chunk, done) => {
  const request = stream.reader.requests.shift();
  if (done) request.close(chunk);
  else request.chunk(chunk);
};
const ReadableByteStreamControllerConvertPullIntoDescriptor = (descriptor) => {
  const { bytesFilled, elementSize, buffer, byteOffset, viewName } = descriptor;
  return new constructors[viewName](TransferArrayBuffer(buffer), byteOffset, bytesFilled / elementSize);
};
const ReadableByteStreamControllerEnqueue = (controller, chunk) => {
  const { stream } = controller;
  if (controller.closeRequested || stream.state !== 'readable') return;
  const { 0: buffer, 1: byteOffset, 2: byteLength } = [$.buffer(chunk), $.byteOffset(chunk), $.byteLength(chunk)];
  if ($.isDetached(buffer)) throw invalidState('chunk ArrayBuffer is zero-length or detached');
  const transferred = TransferArrayBuffer(buffer);
  if (controller.pendingPullIntos.length > 0) {
    const { 0: first } = controller.pendingPullIntos;
    if ($.isDetached(first.buffer)) {
      throw invalidState('Destination ArrayBuffer is detached');
    }
    ReadableByteStreamControllerInvalidateBYOBRequest(controller);
    first.buffer = TransferArrayBuffer(first.buffer);
    if (first.readerType === 'none') {
      ReadableByteStreamControllerEnqueueDetachedPullIntoToQueue(controller, first);
    }
  }
  if (ReadableStreamHasDefaultReader(stream)) {
    // ReadableByteStreamControllerProcessReadRequestsUsingQueue
    while (stream.reader.requests.length > 0 && controller.queueTotalSize > 0) {
      ReadableByteStreamControllerFillReadRequestFromQueue(controller, stream.reader.requests.shift());
    }
    if (ReadableStreamGetNumReadRequests(stream) === 0) {
      ReadableByteStreamControllerEnqueueChunkToQueue(controller, transferred, byteOffset, byteLength);
    } else {
      if (controller.pendingPullIntos.length > 0) ReadableByteStreamControllerShiftPendingPullInto(controller);
      ReadableStreamFulfillReadRequest(stream, new Uint8Array(transferred, byteOffset, byteLength), false);
    }
  } else if (ReadableStreamHasBYOBReader(stream)) {
    ReadableByteStreamControllerEnqueueChunkToQueue(controller, transferred, byteOffset, byteLength);
    const filled = ReadableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(controller);
    for (const descriptor of $.each(filled)) ReadableByteStreamControllerCommitPullIntoDescriptor(stream, descriptor);
  } else {
    ReadableByteStreamControllerEnqueueChunkToQueue(controller, transferred, byteOffset, byteLength);
  }
  ReadableByteStreamControllerCallPullIfNeeded(controller);
};
const ReadableByteStreamControllerEnqueueChunkToQueue = (controller, buffer, byteOffset, byteLength) => {
  controller.queue.push({ buffer, byteOffset, byteLength });
  controller.queueTotalSize += byteLength;
};
const ReadableByteStreamControllerEnqueueClonedChunkToQueue = (controller, buffer, byteOffset, byteLength) => {
  let clone;
  try {
    clone = $.buffer(new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)));
  } catch (error) {
    ReadableByteStreamControllerError(controller, error);
    throw error;
  }
  ReadableByteStreamControllerEnqueueChunkToQueue(controller, clone, 0, byteLength);
};
const ReadableByteStreamControllerEnqueueDetachedPullIntoToQueue = (controller, descriptor) => {
  const { buffer, byteOffset, bytesFilled } = descriptor;
  if (bytesFilled > 0) {
    ReadableByteStreamControllerEnqueueClonedChunkToQueue(controller, buffer, byteOffset, bytesFilled);
  }
  ReadableByteStreamControllerShiftPendingPullInto(controller);
};
const ReadableByteStreamControllerError = (controller, error) => {
  const { stream } = controller;
  if (stream.state !== 'readable') return;
  ReadableByteStreamControllerClearPendingPullIntos(controller);
  ResetQueue(controller);
  ReadableByteStreamControllerClearAlgorithms(controller);
  ReadableStreamError(stream, error);
};
const ReadableByteStreamControllerFillPullIntoDescriptorFromQueue = (controller, descriptor) => {
  const { elementSize, minimumFill, byteLength, bytesFilled } = descriptor;
  const maxCopy = controller.queueTotalSize < byteLength - bytesFilled ? controller.queueTotalSize
    : byteLength - bytesFilled;
  const maxFilled = bytesFilled + maxCopy;
  let left = maxCopy;
  const ready = maxFilled - (maxFilled % elementSize) >= minimumFill;
  if (ready) left = maxFilled - (maxFilled % elementSize) - bytesFilled;
  while (left > 0) {
    const { first: head } = controller.queue;
    const count = left < head.byteLength ? left : head.byteLength;
    copyBytes(descriptor.buffer, descriptor.byteOffset + descriptor.bytesFilled, head.buffer, head.byteOffset, count);
    if (head.byteLength === count) {
      controller.queue.shift();
    } else {
      head.byteOffset += count;
      head.byteLength -= count;
    }
    controller.queueTotalSize -= count;
    descriptor.bytesFilled += count;
    left -= count;
  }
  return ready;
};
const ReadableByteStreamControllerFillReadRequestFromQueue = (controller, request) => {
  const { buffer, byteOffset, byteLength } = controller.queue.shift();
  controller.queueTotalSize -= byteLength;
  ReadableByteStreamControllerHandleQueueDrain(controller);
  request.chunk(new Uint8Array(buffer, byteOffset, byteLength));
};
const ReadableByteStreamControllerGetBYOBRequest = (controller) => {
  if (controller.byobRequest === null && controller.pendingPullIntos.length > 0) {
    const { 0: { buffer, byteOffset, bytesFilled, byteLength } } = controller.pendingPullIntos;
    const view = new Uint8Array(buffer, byteOffset + bytesFilled, byteLength - bytesFilled);
    controller.byobRequest = { object: undefined, controller, view };
    new ReadableStreamBYOBRequest(secret, controller.byobRequest);
  }
  return controller.byobRequest;
};
const ReadableByteStreamControllerGetDesiredSize = ({ stream, strategyHWM, queueTotalSize }) => {
  if (stream.state === 'errored') return null;
  return stream.state === 'closed' ? 0 : strategyHWM - queueTotalSize;
};
const ReadableByteStreamControllerHandleQueueDrain = (controller) => {
  if (controller.queueTotalSize === 0 && controller.closeRequested) {
    ReadableByteStreamControllerClearAlgorithms(controller);
    ReadableStreamClose(controller.stream);
  } else {
    ReadableByteStreamControllerCallPullIfNeeded(controller);
  }
};
const ReadableByteStreamControllerInvalidateBYOBRequest = (controller) => {
  if (controller.byobRequest === null) return;
  controller.byobRequest.controller = undefined;
  controller.byobRequest.view = null;
  controller.byobRequest = null;
};
const ReadableByteStreamControllerProcessPullIntoDescriptorsUsingQueue = (controller) => {
  const filled = [];
  while (controller.pendingPullIntos.length > 0 && controller.queueTotalSize > 0) {
    const { 0: descriptor } = controller.pendingPullIntos;
    if (!ReadableByteStreamControllerFillPullIntoDescriptorFromQueue(controller, descriptor)) continue;
    ReadableByteStreamControllerShiftPendingPullInto(controller);
    $.push(filled, descriptor);
  }
  return filled;
};
const ReadableByteStreamControllerPullInto = (controller, view, min, request) => {
  const { stream } = controller;
  const viewName = $.tagOf(view) ?? 'DataView';
  const elementSize = elementSizes[viewName] ?? 1;
  const { 0: byteOffset, 1: byteLength } = [$.byteOffset(view), $.byteLength(view)];
  let buffer;
  try {
    buffer = TransferArrayBuffer($.buffer(view));
  } catch (error) {
    request.error(error);
    return;
  }
  const descriptor = {
    buffer, bufferByteLength: $.bufferLength(buffer), byteOffset, byteLength, bytesFilled: 0,
    minimumFill: min * elementSize, elementSize, viewName, readerType: 'byob',
  };
  if (controller.pendingPullIntos.length > 0) {
    $.push(controller.pendingPullIntos, descriptor);
    stream.reader.requests.push(request);
    return;
  }
  if (stream.state === 'closed') {
    request.close(new constructors[viewName](descriptor.buffer, byteOffset, 0));
    return;
  }
  if (controller.queueTotalSize > 0) {
    if (ReadableByteStreamControllerFillPullIntoDescriptorFromQueue(controller, descriptor)) {
      const filled = ReadableByteStreamControllerConvertPullIntoDescriptor(descriptor);
      ReadableByteStreamControllerHandleQueueDrain(controller);
      request.chunk(filled);
      return;
    }
    if (controller.closeRequested) {
      const error = invalidState('ReadableStream closed');
      ReadableByteStreamControllerError(controller, error);
      request.error(error);
      return;
    }
  }
  $.push(controller.pendingPullIntos, descriptor);
  stream.reader.requests.push(request);
  ReadableByteStreamControllerCallPullIfNeeded(controller);
};
const outOfRange = (message) => create('RangeError', 'ERR_INVALID_ARG_VALUE', message);
const ReadableByteStreamControllerRespond = (controller, bytesWritten) => {
  const { 0: first } = controller.pendingPullIntos;
  if (controller.stream.state === 'closed') {
    if (bytesWritten !== 0) throw invalidState('Controller is already closed');
  } else {
    if (bytesWritten === 0) throw invalidState('A response to an open stream must have bytes');
    if (first.bytesFilled + bytesWritten > first.byteLength) {
      throw outOfRange('The buffer of the BYOB request has fewer bytes');
    }
  }
  first.buffer = TransferArrayBuffer(first.buffer);
  ReadableByteStreamControllerRespondInternal(controller, bytesWritten);
};
const ReadableByteStreamControllerRespondInClosedState = (controller, first) => {
  if (first.readerType === 'none') ReadableByteStreamControllerShiftPendingPullInto(controller);
  const { stream } = controller;
  if (!ReadableStreamHasBYOBReader(stream)) return;
  const filled = [];
  while (filled.length < stream.reader.requests.length) {
    $.push(filled, ReadableByteStreamControllerShiftPendingPullInto(controller));
  }
  for (const descriptor of $.each(filled)) ReadableByteStreamControllerCommitPullIntoDescriptor(stream, descriptor);
};
const ReadableByteStreamControllerRespondInReadableState = (controller, bytesWritten, descriptor) => {
  const { stream } = controller;
  descriptor.bytesFilled += bytesWritten;
  if (descriptor.readerType === 'none') {
    ReadableByteStreamControllerEnqueueDetachedPullIntoToQueue(controller, descriptor);
  } else {
    if (descriptor.bytesFilled < descriptor.minimumFill) return;
    ReadableByteStreamControllerShiftPendingPullInto(controller);
    const rest = descriptor.bytesFilled % descriptor.elementSize;
    if (rest > 0) {
      const end = descriptor.byteOffset + descriptor.bytesFilled;
      ReadableByteStreamControllerEnqueueClonedChunkToQueue(controller, descriptor.buffer, end - rest, rest);
    }
    descriptor.bytesFilled -= rest;
  }
  const filled = ReadableByteStreamControllerProcessPullIntoDescriptorsUsingQueue(controller);
  if (descriptor.readerType !== 'none') ReadableByteStreamControllerCommitPullIntoDescriptor(stream, descriptor);
  for (const each of $.each(filled)) ReadableByteStreamControllerCommitPullIntoDescriptor(stream, each);
};
const ReadableByteStreamControllerRespondInternal = (controller, bytesWritten) => {
  const { 0: first } = controller.pendingPullIntos;
  ReadableByteStreamControllerInvalidateBYOBRequest(controller);
  if (controller.stream.state === 'closed') ReadableByteStreamControllerRespondInClosedState(controller, first);
  else ReadableByteStreamControllerRespondInReadableState(controller, bytesWritten, first);
  ReadableByteStreamControllerCallPullIfNeeded(controller);
};
const ReadableByteStreamControllerRespondWithNewView = (controller, view) => {
  const { 0: first } = controller.pendingPullIntos;
  const length = $.byteLength(view);
  if (controller.stream.state === 'closed') {
    if (length !== 0) throw invalidState('Controller is already closed');
  } else if (length === 0) {
    throw invalidState('A response to an open stream must have bytes');
  }
  if (first.byteOffset + first.bytesFilled !== $.byteOffset(view)) {
    throw outOfRange('The view must begin where that of the BYOB request does');
  }
  if (first.bufferByteLength !== $.bufferLength($.buffer(view))) {
    throw outOfRange('The view must have a buffer as long as that of the BYOB request');
  }
  if (first.bytesFilled + length > first.byteLength) {
    throw outOfRange('The view must not be longer than that of the BYOB request');
  }
  first.buffer = TransferArrayBuffer($.buffer(view));
  ReadableByteStreamControllerRespondInternal(controller, length);
};
const ReadableByteStreamControllerShiftPendingPullInto = (controller) => $.shift(controller.pendingPullIntos);
const ReadableByteStreamControllerShouldCallPull = (controller) => {
  const { stream } = controller;
  if (stream.state !== 'readable' || controller.closeRequested || !controller.started) return false;
  if (stream.reader !== undefined && stream.reader.requests.length > 0) return true;
  return ReadableByteStreamControllerGetDesiredSize(controller) > 0;
};
const SetUpReadableByteStreamController = (stream, controller, algorithms, highWaterMark, autoAllocateChunkSize) => {
  controller.stream = stream;
  ResetQueue(controller);
  controller.strategyHWM = highWaterMark;
  controller.pullAlgorithm = algorithms.pull;
  controller.cancelAlgorithm = algorithms.cancel;
  controller.autoAllocateChunkSize = autoAllocateChunkSize;
  stream.controller = controller;
  const startResult = algorithms.start();
  $.then($.resolved(startResult), () => {
    controller.started = true;
    ReadableByteStreamControllerCallPullIfNeeded(controller);
  }, (error) => ReadableByteStreamControllerError(controller, error));
};
exports.SetUpReadableByteStreamControllerFromUnderlyingSource = (stream, algorithms, highWaterMark, size) => {
  const controller = newController();
  new ReadableByteStreamController(secret, controller);
  SetUpReadableByteStreamController(stream, controller, algorithms(controller), highWaterMark, size);
};
exports.CreateReadableByteStream = (start, pull, cancel, highWaterMark = 0) => {
  const made = stream.newSlots();
  new stream.ReadableStream(secret, made);
  const controller = newController();
  new ReadableByteStreamController(secret, controller);
  SetUpReadableByteStreamController(made, controller, { start, pull, cancel }, highWaterMark, undefined);
  return made;
};

asInterface(ReadableStreamBYOBReader, (reader) => {
  const { stream, requests, closed } = readerSlotsOf(reader);
  return { stream: stream?.object, requests: requests.length, close: closed.promise };
});
asInterface(ReadableStreamBYOBRequest, ({ view }) => ({ view }));
asInterface(ReadableByteStreamController, () => ({}));
exports.ReadableByteStreamController = ReadableByteStreamController;
exports.ReadableStreamBYOBReader = ReadableStreamBYOBReader;
exports.ReadableStreamBYOBRequest = ReadableStreamBYOBRequest;
exports.ReadableByteStreamControllerClose = ReadableByteStreamControllerClose;
exports.ReadableByteStreamControllerEnqueue = ReadableByteStreamControllerEnqueue;
exports.ReadableByteStreamControllerError = ReadableByteStreamControllerError;
exports.ReadableByteStreamControllerGetBYOBRequest = ReadableByteStreamControllerGetBYOBRequest;
exports.ReadableByteStreamControllerRespond = ReadableByteStreamControllerRespond;
exports.ReadableByteStreamControllerRespondWithNewView = ReadableByteStreamControllerRespondWithNewView;
exports.ReadableStreamBYOBReaderRead = ReadableStreamBYOBReaderRead;
exports.ReadableStreamBYOBReaderRelease = ReadableStreamBYOBReaderRelease;
