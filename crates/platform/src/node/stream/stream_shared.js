// What all kinds of Node's streams share: errors, questions about streams, and how they begin and end.
const { abortError, create, invalidArgType, invalidArgValue } = require('errors');
const { validateInteger } = require('validators');
const proc = require('process').process;
const { apply } = Reflect;
// (As in Node, a script that replaces `process.nextTick` sees these calls.)
exports.nextTick = (...args) => proc.nextTick(...$.each(args));
const { nextTick } = exports;
exports.nop = (..._args) => {};

const plain = (code, message, name = 'Error') => () => create(name, code, message);
exports.errors = {
  alreadyFinished: (name) =>
    create('Error', 'ERR_STREAM_ALREADY_FINISHED', $.text`Cannot call ${name} after a stream was finished`),
  cannotPipe: plain('ERR_STREAM_CANNOT_PIPE', 'Cannot pipe, not readable'),
  chunkType: (chunk) =>
    invalidArgType('chunk', 'of type string or an instance of Buffer, TypedArray, or DataView', chunk),
  destroyed: (name) =>
    create('Error', 'ERR_STREAM_DESTROYED', $.text`Cannot call ${name} after a stream was destroyed`),
  illegalConstructor: plain('ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor', 'TypeError'),
  methodNotImplemented: (name) =>
    create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', $.text`The ${name} method is not implemented`),
  missingStreams: plain('ERR_MISSING_ARGS', 'The "streams" argument must be specified', 'TypeError'),
  multipleCallback: plain('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'),
  nullValues: plain('ERR_STREAM_NULL_VALUES', 'May not write null values to stream', 'TypeError'),
  prematureClose: plain('ERR_STREAM_PREMATURE_CLOSE', 'Premature close'),
  pushAfterEof: plain('ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'),
  returnValue(expected, name, value) {
    const kind = value?.constructor?.name ? $.text`an instance of ${value.constructor.name}`
      : value === null || value === undefined ? $.text`${value}`
        : $.slice(require('errors').received(value), ' Received '.length);
    return create('TypeError', 'ERR_INVALID_RETURN_VALUE',
      $.text`Expected ${expected} to be returned from the "${name}" function but got ${kind}.`);
  },
  unableToPipe: plain('ERR_STREAM_UNABLE_TO_PIPE', 'Cannot pipe to a closed or destroyed stream'),
  unknownEncoding(encoding) {
    const text = typeof encoding === 'object' ? require('inspect').inspect(encoding, { depth: 0 }) : String(encoding);
    return create('TypeError', 'ERR_UNKNOWN_ENCODING', $.text`Unknown encoding: ${text}`);
  },
  unshiftAfterEnd: plain('ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'),
  writeAfterEnd: plain('ERR_STREAM_WRITE_AFTER_END', 'write after end'),
};
// The later of two errors, which says what came before it.
exports.aggregate = (inner, outer) => {
  if (!inner || !outer || inner === outer) return inner || outer;
  if ($.isArray(outer.errors)) {
    $.push(outer.errors, inner);
    return outer;
  }
  return Object.assign(new $.real.AggregateError([outer, inner], outer.message), { code: outer.code });
};

// Calls a function at most once.
exports.once = (call) => {
  let called = false;
  /** @this {any} */
  return function (...args) {
    if (called) return;
    called = true;
    apply(call, this, args);
  };
};
// Calls `listener` when a signal aborts, until the function that this returns is called.
exports.onAbort = (signal, listener) => {
  signal.addEventListener('abort', listener, { __proto__: null, once: true, [require('abort').insists]: true });
  return () => signal.removeEventListener('abort', listener);
};

// How much a stream buffers.
const marks = { __proto__: null, bytes: 64 * 1024, objects: 16 };
exports.getDefaultHighWaterMark = function getDefaultHighWaterMark(objectMode) {
  return objectMode ? marks.objects : marks.bytes;
};
exports.setDefaultHighWaterMark = function setDefaultHighWaterMark(objectMode, value) {
  validateInteger(value, 'value', 0);
  marks[objectMode ? 'objects' : 'bytes'] = value;
};
/** The mark that options ask for; `side` is the option of one side of a Duplex. */
exports.highWaterMarkOf = (options, objectMode, side, isDuplex) => {
  const mark = options?.highWaterMark ?? (isDuplex ? options?.[side] : undefined);
  if (mark === undefined || mark === null) return exports.getDefaultHighWaterMark(objectMode);
  if (!Number.isInteger(mark) || mark < 0) {
    throw invalidArgValue(isDuplex ? $.text`options.${side}` : 'options.highWaterMark', mark);
  }
  return mark;
};

// Chunks of streams of bytes.
exports.lengthOf = (chunk) => (typeof chunk === 'string' ? chunk.length : $.byteLength(chunk));
/** A chunk of bytes as a Buffer; `undefined` for what is not a view. */
exports.toBuffer = (chunk) => {
  const { Buffer, fromBytes } = /** @type {any} */ (require('buffer'));
  if (chunk instanceof Buffer) return chunk;
  return $.isView(chunk) ? fromBytes($.bytesOf(chunk)) : undefined;
};
exports.encodingOf = (encoding) => {
  if (encoding === undefined || encoding === null || encoding === 'utf8' || encoding === 'utf-8') return 'utf8';
  if (require('buffer').Buffer.isEncoding(encoding)) return encoding;
  throw exports.errors.unknownEncoding(encoding);
};

// Adds methods or accessors as Node's streams have them.
/** @param {object} prototype @param {Record<string | symbol, any> & ThisType<any>} methods */
exports.addMethods = (prototype, methods) => {
  for (const key of $.each(Reflect.ownKeys(methods))) {
    const enumerable = typeof key === 'string';
    Object.defineProperty(prototype, key, { value: methods[key], writable: true, enumerable, configurable: true });
  }
};
/** @param {object} prototype @param {Record<string, any> & ThisType<any>} accessors */
exports.addAccessors = (prototype, accessors) => {
  for (const key of $.each(Object.keys(accessors))) {
    const { get, set } = Object.getOwnPropertyDescriptor(accessors, key);
    Object.defineProperty(prototype, key, { get, set });
  }
};
exports.inherit = (Class, Base) => {
  Object.setPrototypeOf(Class.prototype, Base.prototype);
  Object.setPrototypeOf(Class, Base);
};

// Symbols by which streams of other implementations can be asked.
const kIsDestroyed = $.symbolFor('nodejs.stream.destroyed');
const kIsErrored = $.symbolFor('nodejs.stream.errored');
const kIsReadable = $.symbolFor('nodejs.stream.readable');
const kIsWritable = $.symbolFor('nodejs.stream.writable');
const kIsDisturbed = $.symbolFor('nodejs.stream.disturbed');

const has = (value, ...names) => Boolean(value) && $.every(names, (name) => typeof value[name] === 'function');
const isNodeStream = (value) => Boolean(value) && Boolean(
  value._readableState || value._writableState || has(value, 'write', 'on') || has(value, 'pipe', 'on'));
const isReadableNodeStream = (value, strict = false) =>
  has(value, 'pipe', 'on') && (!strict || has(value, 'pause', 'resume')) &&
  (!value._writableState || (Boolean(value._readableState) && value._readableState.readable !== false));
const isWritableNodeStream = (value) =>
  has(value, 'write', 'on') && (!value._readableState || value._writableState?.writable !== false);
const isDuplexNodeStream = (value) => has(value, 'pipe', 'on', 'write') && Boolean(value._readableState);
const isReadableStream = (value) =>
  Boolean(value) && !isNodeStream(value) && has(value, 'pipeThrough', 'getReader', 'cancel');
const isWritableStream = (value) => Boolean(value) && !isNodeStream(value) && has(value, 'getWriter', 'abort');
const isTransformStream = (value) => Boolean(value) && !isNodeStream(value) &&
  typeof value.readable === 'object' && typeof value.writable === 'object';
const isWebStream = (value) => isReadableStream(value) || isWritableStream(value) || isTransformStream(value);
/** Whether a value is iterable; `isAsync` asks for one kind of iteration alone. */
const isIterable = (value, isAsync = undefined) => {
  if (value === undefined || value === null) return false;
  return (isAsync !== false && typeof value[Symbol.asyncIterator] === 'function') ||
    (isAsync !== true && typeof value[Symbol.iterator] === 'function');
};

// These return null for what is not such a stream.
const isDestroyed = function isDestroyed(stream) {
  if (!isNodeStream(stream)) return null;
  const state = stream._writableState || stream._readableState;
  return Boolean(stream.destroyed || stream[kIsDestroyed] || state?.destroyed);
};
const isWritableEnded = (stream) => {
  if (!isWritableNodeStream(stream)) return null;
  if (stream.writableEnded === true) return true;
  const state = stream._writableState;
  if (state?.errored) return false;
  return typeof state?.ended === 'boolean' ? state.ended : null;
};
const isWritableFinished = (stream, strict = true) => {
  if (!isWritableNodeStream(stream)) return null;
  if (stream.writableFinished === true) return true;
  const state = stream._writableState;
  if (state?.errored) return false;
  if (typeof state?.finished !== 'boolean') return null;
  return state.finished || (!strict && state.ended === true && state.length === 0);
};
const isReadableFinished = (stream, strict = true) => {
  if (!isReadableNodeStream(stream)) return null;
  const state = stream._readableState;
  if (state?.errored) return false;
  if (typeof state?.endEmitted !== 'boolean') return null;
  return state.endEmitted || (!strict && state.ended === true && state.length === 0);
};
const isReadable = function isReadable(stream) {
  if (stream && stream[kIsReadable] !== undefined && stream[kIsReadable] !== null) return stream[kIsReadable];
  if (typeof stream?.readable !== 'boolean') return null;
  if (isDestroyed(stream)) return false;
  return isReadableNodeStream(stream) && stream.readable && !isReadableFinished(stream);
};
const isWritable = function isWritable(stream) {
  if (stream && stream[kIsWritable] !== undefined && stream[kIsWritable] !== null) return stream[kIsWritable];
  if (typeof stream?.writable !== 'boolean') return null;
  if (isDestroyed(stream)) return false;
  return isWritableNodeStream(stream) && stream.writable && !isWritableEnded(stream);
};
const isFinished = (stream) =>
  (isNodeStream(stream) ? Boolean(isDestroyed(stream)) || !(isReadable(stream) || isWritable(stream)) : null);
const isDisturbed = function isDisturbed(stream) {
  return Boolean(stream && (stream[kIsDisturbed] ?? (stream.readableDidRead || stream.readableAborted)));
};
const isErrored = function isErrored(stream) {
  return Boolean(stream && (stream[kIsErrored] ?? stream.readableErrored ?? stream.writableErrored ??
    stream._readableState?.errorEmitted ?? stream._writableState?.errorEmitted ??
    stream._readableState?.errored ?? stream._writableState?.errored));
};
// Messages of HTTP, which are streams of older kinds.
const isOutgoingMessage = (stream) => $.every(
  ['_closed', '_defaultKeepAlive', '_removedConnection', '_removedContLen'],
  (name) => typeof stream[name] === 'boolean');
const isServerRequest = (stream) => typeof stream._consuming === 'boolean' &&
  typeof stream._dumped === 'boolean' && stream.req?.upgradeOrConnect === undefined;
const isRequest = (stream) => Boolean(stream?.setHeader) && typeof stream.abort === 'function';
const isClosed = (stream) => {
  if (!isNodeStream(stream)) return null;
  if (typeof stream.closed === 'boolean') return stream.closed;
  const { _readableState: reading, _writableState: writing } = stream;
  if (typeof writing?.closed === 'boolean' || typeof reading?.closed === 'boolean') {
    return writing?.closed || reading?.closed;
  }
  return typeof stream._closed === 'boolean' && isOutgoingMessage(stream) ? stream._closed : null;
};
const willEmitClose = (stream) => {
  if (!isNodeStream(stream)) return null;
  const state = stream._writableState || stream._readableState;
  if (!state) return typeof stream._sent100 === 'boolean' && isOutgoingMessage(stream);
  return Boolean(state.autoDestroy && state.emitClose && state.closed === false);
};
exports.kIsErrored = kIsErrored;
exports.kIsReadable = kIsReadable;
exports.kIsWritable = kIsWritable;
exports.kIsDisturbed = kIsDisturbed;
exports.isNodeStream = isNodeStream;
exports.isReadableNodeStream = isReadableNodeStream;
exports.isWritableNodeStream = isWritableNodeStream;
exports.isDuplexNodeStream = isDuplexNodeStream;
exports.isReadableStream = isReadableStream;
exports.isWritableStream = isWritableStream;
exports.isTransformStream = isTransformStream;
exports.isWebStream = isWebStream;
exports.isIterable = isIterable;
exports.isDestroyed = isDestroyed;
exports.isWritableFinished = isWritableFinished;
exports.isReadableFinished = isReadableFinished;
exports.isReadable = isReadable;
exports.isWritable = isWritable;
exports.isDisturbed = isDisturbed;
exports.isErrored = isErrored;
exports.isRequest = isRequest;
exports.isClosed = isClosed;
exports.willEmitClose = willEmitClose;

// Beginnings. `_construct` runs in the next tick; until it is done, nothing is read, written or destroyed.
const kConstruct = Symbol('kConstruct');
const kDestroy = Symbol('kDestroy');
/** @returns {any[]} */
const statesOf = (stream) => $.filter([stream._writableState, stream._readableState], Boolean);
const setAll = (stream, name, value) => {
  for (const state of $.each(statesOf(stream))) state[name] = value;
};
const anyHas = (stream, name) => $.some(statesOf(stream), (state) => state[name]);
exports.construct = (stream, done) => {
  if (typeof stream._construct !== 'function') return;
  setAll(stream, 'constructed', false);
  stream.once(kConstruct, done);
  // Both sides of an old-style Duplex come here.
  if (stream.listenerCount(kConstruct) > 1) return;
  nextTick(() => {
    let called = false;
    const constructed = (error) => {
      if (called) {
        exports.errorOrDestroy(stream, error ?? exports.errors.multipleCallback());
        return;
      }
      called = true;
      setAll(stream, 'constructed', true);
      if (statesOf(stream)[0].destroyed) stream.emit(kDestroy, error);
      else if (error) exports.errorOrDestroy(stream, error, true);
      else stream.emit(kConstruct);
    };
    try {
      stream._construct((error) => nextTick(constructed, error));
    } catch (error) {
      nextTick(constructed, error);
    }
  });
};

// Ends.
const noteError = (stream, error) => {
  if (!error) return;
  for (const state of $.each(statesOf(stream))) state.errored ||= error;
};
const emitError = (stream, error) => {
  if (anyHas(stream, 'errorEmitted')) return;
  setAll(stream, 'errorEmitted', true);
  stream.emit('error', error);
};
const emitClose = (stream) => {
  setAll(stream, 'closeEmitted', true);
  if (anyHas(stream, 'emitClose')) stream.emit('close');
};
const runDestroy = (stream, error, callback) => {
  let called = false;
  const done = (error) => {
    if (called) return;
    called = true;
    noteError(stream, error);
    setAll(stream, 'closed', true);
    if (typeof callback === 'function') callback(error);
    nextTick(() => {
      if (error) emitError(stream, error);
      emitClose(stream);
    });
  };
  try {
    stream._destroy(error || null, done);
  } catch (thrown) {
    done(thrown);
  }
};
/** @this {any} */
exports.destroy = function destroy(error, callback) {
  if (anyHas(this, 'destroyed')) {
    if (typeof callback === 'function') callback();
    return this;
  }
  // Noted first, because `_destroy` may call this again.
  noteError(this, error);
  setAll(this, 'destroyed', true);
  if (statesOf(this)[0].constructed) {
    runDestroy(this, error, callback);
  } else {
    this.once(kDestroy, (failure) => runDestroy(this, exports.aggregate(failure, error), callback));
  }
  return this;
};
/** @this {any} */
exports.undestroy = function undestroy() {
  const fresh = {
    constructed: true, closed: false, closeEmitted: false, destroyed: false, errored: null, errorEmitted: false,
  };
  const { _readableState: reading, _writableState: writing } = this;
  if (reading) {
    const ended = reading.readable === false;
    Object.assign(reading, fresh, { reading: false, ended, endEmitted: ended });
  }
  if (writing) {
    const ended = writing.writable === false;
    Object.assign(writing, fresh, { finalCalled: false, prefinished: false, ended, ending: ended, finished: ended });
  }
};
// Destroys a stream with an error, or only emits the error if the stream is not to destroy itself.
exports.errorOrDestroy = (stream, error, sync = false) => {
  if (anyHas(stream, 'destroyed')) return;
  if (anyHas(stream, 'autoDestroy')) {
    stream.destroy(error);
  } else if (error) {
    noteError(stream, error);
    if (sync) nextTick(emitError, stream, error);
    else emitError(stream, error);
  }
};
// Destroys a stream of whatever kind.
exports.destroyer = function destroy(stream, error) {
  if (!stream || isDestroyed(stream)) return;
  if (!error && !isFinished(stream)) error = abortError();
  if (isServerRequest(stream)) {
    stream.socket = null;
    stream.destroy(error);
  } else if (isRequest(stream)) {
    stream.abort();
  } else if (isRequest(stream.req)) {
    stream.req.abort();
  } else if (typeof stream.destroy === 'function') {
    stream.destroy(error);
  } else if (typeof stream.close === 'function') {
    stream.close();
  } else {
    nextTick(() => {
      if (!error) {
        stream.emit('close');
        return;
      }
      stream.emit('error', error);
      nextTick(() => stream.emit('close'));
    });
  }
  if (!stream.destroyed) stream[kIsDestroyed] = true;
};
