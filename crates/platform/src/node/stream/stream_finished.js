// finished and addAbortSignal.
const { abortError, invalidArgType } = require('errors');
const { validateAbortSignal, validateBoolean, validateFunction, validateObject } = require('validators');
const {
  errors, isClosed, isNodeStream, isReadable, isReadableFinished, isReadableNodeStream, isReadableStream, isRequest,
  isWebStream, isWritable, isWritableFinished, isWritableNodeStream, isWritableStream, nextTick, nop, once, onAbort,
  willEmitClose,
} = require('stream_shared');
const errorOf = (state, error) => error || (state?.errored ?? null);

exports.finished = function finished(stream, options, callback) {
  if (arguments.length === 2) {
    callback = options;
    options = { __proto__: null };
  } else if (options === undefined || options === null) {
    options = { __proto__: null };
  } else {
    validateObject(options, 'options');
  }
  validateFunction(callback, 'callback');
  validateAbortSignal(options.signal, 'options.signal');
  const call = once(callback);
  if (isReadableStream(stream) || isWritableStream(stream)) return finishedWeb(stream, options, call);
  if (!isNodeStream(stream)) {
    throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
  }
  const reads = options.readable ?? isReadableNodeStream(stream);
  const writes = options.writable ?? isWritableNodeStream(stream);
  const { _writableState: writing, _readableState: reading } = stream;
  let tellsClose = willEmitClose(stream) &&
    isReadableNodeStream(stream) === reads && isWritableNodeStream(stream) === writes;
  let wrote = isWritableFinished(stream, false);
  let read = isReadableFinished(stream, false);
  let closed = isClosed(stream);
  let done = (...args) => Reflect.apply(call, stream, args);

  const finish = () => {
    wrote = true;
    // A stream that is destroyed before it has finished is one whose `close` may not come.
    if (stream.destroyed) tellsClose = false;
    if (tellsClose && (!stream.readable || reads)) return;
    if (!reads || read) done();
  };
  const end = () => {
    read = true;
    if (stream.destroyed) tellsClose = false;
    if (tellsClose && (!stream.writable || writes)) return;
    if (!writes || wrote) done();
  };
  const legacyFinish = () => {
    if (!stream.writable) finish();
  };
  const failed = (error) => done(error);
  const errored = () => errorOf(writing, stream.writableErrored) || errorOf(reading, stream.readableErrored);
  const close = () => {
    closed = true;
    const error = errored();
    if (error && typeof error !== 'boolean') {
      done(error);
    } else if ((reads && !read && isReadableNodeStream(stream, true) && !isReadableFinished(stream, false)) ||
      (writes && !wrote && !isWritableFinished(stream, false))) {
      done(errors.prematureClose());
    } else {
      done();
    }
  };
  const wasClosed = () => {
    closed = true;
    const error = errored();
    if (error && typeof error !== 'boolean') done(error);
    else done();
  };
  const request = () => stream.req.on('finish', finish);

  const own = [];
  const listen = (event, listener) => {
    stream.on(event, listener);
    $.push(own, [event, listener]);
  };
  if (isRequest(stream)) {
    listen('complete', finish);
    if (!tellsClose) listen('abort', close);
    if (stream.req) request();
    else listen('request', request);
  } else if (writes && !writing) {
    listen('end', legacyFinish);
    listen('close', legacyFinish);
  }
  if (!tellsClose && typeof stream.aborted === 'boolean') listen('aborted', close);
  listen('end', end);
  listen('finish', finish);
  if (options.error !== false) listen('error', failed);
  listen('close', close);

  // What has happened already.
  if (closed) {
    nextTick(close);
  } else if (writing?.errorEmitted || reading?.errorEmitted) {
    if (!tellsClose) nextTick(wasClosed);
  } else if (!reads && (!tellsClose || isReadable(stream)) && (wrote || isWritable(stream) === false) &&
    !writing?.pendingcb) {
    nextTick(wasClosed);
  } else if (!writes && (!tellsClose || isWritable(stream)) && (read || isReadable(stream) === false)) {
    nextTick(wasClosed);
  } else if (reading && stream.req && stream.aborted) {
    nextTick(wasClosed);
  }

  const cleanup = () => {
    done = nop;
    for (const { 0: event, 1: listener } of $.each(own)) stream.removeListener(event, listener);
    if (stream.req) stream.req.removeListener('finish', finish);
  };
  if (options.signal && !closed) {
    const abort = () => {
      const last = done;
      cleanup();
      last(abortError(options.signal.reason));
    };
    if (options.signal.aborted) {
      nextTick(abort);
    } else {
      const stop = onAbort(options.signal, abort);
      const last = done;
      done = (...args) => {
        stop();
        last(...$.each(args));
      };
    }
  }
  return cleanup;
};

// Calls a function that the files of both kinds of Web streams have.
const webStream = (name, stream, ...args) => {
  for (const file of $.each([require('readable_stream'), require('writable_stream')])) {
    const slots = file.slotsOf(stream);
    if (slots !== undefined) return file[name](slots, ...$.each(args));
  }
  throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
};
const finishedWeb = (stream, { signal }, call) => {
  let aborted = false;
  let stop = nop;
  const abort = () => {
    aborted = true;
    Reflect.apply(call, stream, [abortError(signal.reason)]);
  };
  if (signal?.aborted) nextTick(abort);
  else if (signal) stop = onAbort(signal, abort);
  const done = (...args) => {
    stop();
    if (!aborted) nextTick(() => Reflect.apply(call, stream, args));
  };
  $.then(webStream('whenClosed', stream), () => done(), done);
  return nop;
};

// The same as a promise.
exports.promised = function finished(stream, options) {
  if (options === null) options = { __proto__: null };
  if (options?.cleanup) validateBoolean(options.cleanup, 'cleanup');
  return new Promise((resolve, reject) => {
    const cleanup = exports.finished(stream, options, (error) => {
      if (options?.cleanup) cleanup();
      if (error) reject(error);
      else resolve();
    });
  });
};

exports.addAbortSignal = function addAbortSignal(signal, stream) {
  if (typeof signal !== 'object' || signal === null || !('aborted' in signal)) {
    throw invalidArgType('signal', 'an instance of AbortSignal', signal);
  }
  if (!isNodeStream(stream) && !isWebStream(stream)) {
    throw invalidArgType('stream', 'an instance of ReadableStream, WritableStream, or Stream', stream);
  }
  const abort = () => {
    const error = abortError(signal.reason);
    if (isNodeStream(stream)) stream.destroy(error);
    else webStream('errorStream', stream, error);
  };
  if (signal.aborted) abort();
  else exports.finished(stream, onAbort(signal, abort));
  return stream;
};
