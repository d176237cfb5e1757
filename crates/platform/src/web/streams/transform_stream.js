// TransformStream (Streams Standard, §6). Functions bear the names of the standard's algorithms and work on slots, as
// `web_streams_shared.js` says.
const {
  ExtractHighWaterMark, ExtractSizeAlgorithm, asInterface, callback, illegalConstructor, invalidState, invalidThis,
  isObject, optionalObject, promiseCall, secret, strategyOf,
} = require('web_streams_shared');
const {
  CreateReadableStream, ReadableStreamDefaultControllerCanCloseOrEnqueue, ReadableStreamDefaultControllerClose,
  ReadableStreamDefaultControllerEnqueue, ReadableStreamDefaultControllerError,
  ReadableStreamDefaultControllerGetDesiredSize, ReadableStreamDefaultControllerHasBackpressure,
} = require('readable_stream');
const { CreateWritableStream, WritableStreamDefaultControllerErrorIfNeeded } = require('writable_stream');
const { create } = require('errors');
let slotsOf, findSlots, controllerSlotsOf;

class TransformStream {
  #slots;
  constructor(transformer = undefined, writableStrategy = undefined, readableStrategy = undefined) {
    if (transformer === secret) {
      this.#slots = writableStrategy;
      writableStrategy.object = this;
      return;
    }
    const given = optionalObject(transformer, 'transformer');
    const writableQueuing = strategyOf(writableStrategy, 'writableStrategy');
    const readableQueuing = strategyOf(readableStrategy, 'readableStrategy');
    const cancel = callback(given, 'cancel', 'transformer');
    const flush = callback(given, 'flush', 'transformer');
    for (const name of $.each(['readableType', 'start', 'transform', 'writableType'])) {
      if (!$.endsWith(name, 'Type') || given[name] === undefined) continue;
      throw create('RangeError', 'ERR_INVALID_ARG_VALUE',
        $.text`The property 'transformer.${name}' is invalid. Received ${require('inspect').inspect(given[name])}`);
    }
    const start = callback(given, 'start', 'transformer');
    const transform = callback(given, 'transform', 'transformer');
    const readableSize = ExtractSizeAlgorithm(readableQueuing);
    const readableMark = ExtractHighWaterMark(readableQueuing, 0);
    const writableSize = ExtractSizeAlgorithm(writableQueuing);
    const writableMark = ExtractHighWaterMark(writableQueuing, 1);
    const started = $.withResolvers();
    const slots = newSlots();
    slots.object = this;
    this.#slots = slots;
    InitializeTransformStream(slots, started.promise, writableMark, writableSize, readableMark, readableSize);
    const controller = newController();
    new TransformStreamDefaultController(secret, controller);
    const { object } = controller;
    SetUpTransformStreamDefaultController(slots, controller, {
      transform: transform === undefined ? enqueueAlgorithm(controller)
        : (chunk) => promiseCall(transform, transformer, chunk, object),
      flush: flush === undefined ? () => $.resolved() : () => promiseCall(flush, transformer, object),
      cancel: cancel === undefined ? () => $.resolved() : (reason) => promiseCall(cancel, transformer, reason),
    });
    started.resolve(start === undefined ? undefined : Reflect.apply(start, transformer, [object]));
  }
  static {
    findSlots = (value) => (isObject(value) && #slots in value ? value.#slots : undefined);
    slotsOf = (value) => {
      const slots = findSlots(value);
      if (slots === undefined) throw invalidThis('TransformStream');
      return slots;
    };
  }
  get readable() {
    return slotsOf(this).readable.object;
  }
  get writable() {
    return slotsOf(this).writable.object;
  }
}
const newSlots = () => ({
  object: undefined, readable: undefined, writable: undefined, controller: undefined, backpressure: undefined,
  backpressureChange: undefined,
});

class TransformStreamDefaultController {
  #slots;
  constructor(key = undefined, slots = undefined) {
    if (key !== secret) throw illegalConstructor();
    this.#slots = slots;
    slots.object = this;
  }
  static {
    controllerSlotsOf = (value) => {
      if (isObject(value) && #slots in value) return value.#slots;
      throw invalidThis('TransformStreamDefaultController');
    };
  }
  get desiredSize() {
    return ReadableStreamDefaultControllerGetDesiredSize(controllerSlotsOf(this).stream.readable.controller);
  }
  enqueue(chunk = undefined) {
    TransformStreamDefaultControllerEnqueue(controllerSlotsOf(this), chunk);
  }
  error(reason = undefined) {
    TransformStreamError(controllerSlotsOf(this).stream, reason);
  }
  terminate() {
    TransformStreamDefaultControllerTerminate(controllerSlotsOf(this));
  }
}
const newController = () => ({
  object: undefined, stream: undefined, transformAlgorithm: undefined, flushAlgorithm: undefined,
  cancelAlgorithm: undefined, finish: undefined,
});
const enqueueAlgorithm = (controller) => (chunk) => {
  try {
    TransformStreamDefaultControllerEnqueue(controller, chunk);
    return $.resolved();
  } catch (error) {
    return $.rejected(error);
  }
};

// §6.4.1
const InitializeTransformStream = (stream, startPromise, writableMark, writableSize, readableMark, readableSize) => {
  const start = () => startPromise;
  stream.writable = CreateWritableStream(start,
    (chunk) => TransformStreamDefaultSinkWriteAlgorithm(stream, chunk),
    () => TransformStreamDefaultSinkCloseAlgorithm(stream),
    (reason) => TransformStreamDefaultSinkAbortAlgorithm(stream, reason), writableMark, writableSize);
  stream.readable = CreateReadableStream(start,
    () => TransformStreamDefaultSourcePullAlgorithm(stream),
    (reason) => TransformStreamDefaultSourceCancelAlgorithm(stream, reason), readableMark, readableSize);
  TransformStreamSetBackpressure(stream, true);
};
const TransformStreamError = (stream, error) => {
  ReadableStreamDefaultControllerError(stream.readable.controller, error);
  TransformStreamErrorWritableAndUnblockWrite(stream, error);
};
const TransformStreamErrorWritableAndUnblockWrite = (stream, error) => {
  TransformStreamDefaultControllerClearAlgorithms(stream.controller);
  WritableStreamDefaultControllerErrorIfNeeded(stream.writable.controller, error);
  TransformStreamUnblockWrite(stream);
};
const TransformStreamSetBackpressure = (stream, backpressure) => {
  stream.backpressureChange?.resolve();
  stream.backpressureChange = $.withResolvers();
  stream.backpressure = backpressure;
};
const TransformStreamUnblockWrite = (stream) => {
  if (stream.backpressure) TransformStreamSetBackpressure(stream, false);
};

// §6.4.2
const SetUpTransformStreamDefaultController = (stream, controller, { transform, flush, cancel }) => {
  controller.stream = stream;
  stream.controller = controller;
  controller.transformAlgorithm = transform;
  controller.flushAlgorithm = flush;
  controller.cancelAlgorithm = cancel;
};
const TransformStreamDefaultControllerClearAlgorithms = (controller) => {
  controller.transformAlgorithm = controller.flushAlgorithm = controller.cancelAlgorithm = undefined;
};
const TransformStreamDefaultControllerEnqueue = (controller, chunk) => {
  const { stream } = controller;
  const { controller: readableController } = stream.readable;
  if (!ReadableStreamDefaultControllerCanCloseOrEnqueue(readableController)) {
    throw invalidState('Unable to enqueue');
  }
  try {
    ReadableStreamDefaultControllerEnqueue(readableController, chunk);
  } catch (error) {
    TransformStreamErrorWritableAndUnblockWrite(stream, error);
    throw stream.readable.storedError;
  }
  const backpressure = ReadableStreamDefaultControllerHasBackpressure(readableController);
  if (backpressure !== stream.backpressure) TransformStreamSetBackpressure(stream, true);
};
const TransformStreamDefaultControllerPerformTransform = (controller, chunk) =>
  $.then(controller.transformAlgorithm(chunk), undefined, (error) => {
    TransformStreamError(controller.stream, error);
    throw error;
  });
const TransformStreamDefaultControllerTerminate = ({ stream }) => {
  ReadableStreamDefaultControllerClose(stream.readable.controller);
  TransformStreamErrorWritableAndUnblockWrite(stream, invalidState('TransformStream terminated'));
};

// §6.4.3
const TransformStreamDefaultSinkWriteAlgorithm = (stream, chunk) => {
  const { controller, writable } = stream;
  if (!stream.backpressure) return TransformStreamDefaultControllerPerformTransform(controller, chunk);
  return $.then(stream.backpressureChange.promise, () => {
    if (writable.state === 'erroring') throw writable.storedError;
    return TransformStreamDefaultControllerPerformTransform(controller, chunk);
  });
};
// What the three algorithms below do around their steps, once for a controller: `begin` calls the transformer, `side` is
// the stream at the other end, `succeed` and `fail` are what happens to it.
const finish = (controller, begin, side, succeed, fail) => {
  if (controller.finish !== undefined) return controller.finish.promise;
  controller.finish = $.withResolvers();
  const { finish } = controller;
  const finished = begin();
  TransformStreamDefaultControllerClearAlgorithms(controller);
  $.then(finished, () => {
    if (side.state === 'errored') {
      finish.reject(side.storedError);
    } else {
      succeed();
      finish.resolve();
    }
  }, (error) => {
    fail(error);
    finish.reject(error);
  });
  return finish.promise;
};
const TransformStreamDefaultSinkAbortAlgorithm = (stream, reason) => {
  const { controller, readable } = stream;
  const fail = (error) => ReadableStreamDefaultControllerError(readable.controller, error);
  return finish(controller, () => controller.cancelAlgorithm(reason), readable, () => fail(reason), fail);
};
const TransformStreamDefaultSinkCloseAlgorithm = (stream) => {
  const { controller, readable } = stream;
  return finish(controller, () => controller.flushAlgorithm(), readable,
    () => ReadableStreamDefaultControllerClose(readable.controller),
    (error) => ReadableStreamDefaultControllerError(readable.controller, error));
};

// §6.4.4
const TransformStreamDefaultSourceCancelAlgorithm = (stream, reason) => {
  const { controller, writable } = stream;
  const fail = (error) => {
    WritableStreamDefaultControllerErrorIfNeeded(writable.controller, error);
    TransformStreamUnblockWrite(stream);
  };
  return finish(controller, () => controller.cancelAlgorithm(reason), writable, () => fail(reason), fail);
};
const TransformStreamDefaultSourcePullAlgorithm = (stream) => {
  TransformStreamSetBackpressure(stream, false);
  return stream.backpressureChange.promise;
};

/**
 * "Set up" a TransformStream for a class that wraps one (§9.3.1): `transform(chunk, enqueue)` and `flush(enqueue)` may
 * throw.
 */
exports.createTransform = (transform, flush) => {
  const slots = newSlots();
  new TransformStream(secret, slots);
  InitializeTransformStream(slots, $.resolved(), 1, () => 1, 0, () => 1);
  const controller = newController();
  new TransformStreamDefaultController(secret, controller);
  const enqueue = (chunk) => TransformStreamDefaultControllerEnqueue(controller, chunk);
  SetUpTransformStreamDefaultController(slots, controller, {
    transform: (chunk) => promiseCall(transform, undefined, chunk, enqueue),
    flush: () => promiseCall(flush, undefined, enqueue), cancel: () => $.resolved(),
  });
  return slots.object;
};

asInterface(TransformStream, ({ readable, writable }) => {
  return { readable, writable };
});
asInterface(TransformStreamDefaultController, () => ({}));
exports.transformOf = (value) => findSlots(value);
/** A TransformStream of two streams that are there already. */
exports.makeTransform = (readable, writable) => new TransformStream(secret, { ...newSlots(), readable, writable });
exports.TransformStream = TransformStream;
exports.TransformStreamDefaultController = TransformStreamDefaultController;
