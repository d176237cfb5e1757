// pipeline.
const { abortError, invalidArgType } = require('errors');
const { validateAbortSignal, validateFunction } = require('validators');
const { finished } = require('stream_finished');
const shared = require('stream_shared');
const {
  aggregate, errors, isIterable, isNodeStream, isReadable, isReadableFinished, isReadableNodeStream, isReadableStream,
  isTransformStream, isWebStream, nextTick, nop, onAbort, once,
} = shared;

// A stream that is to be destroyed unless it ends by itself.
const destroyable = (stream, readable, writable) => {
  let isOver = false;
  stream.on('close', () => (isOver = true));
  const cleanup = finished(stream, { __proto__: null, readable, writable }, (error) => (isOver = !error));
  const destroy = (error) => {
    if (isOver) return;
    isOver = true;
    shared.destroyer(stream, error || errors.destroyed('pipe'));
  };
  return { destroy, cleanup };
};
const iterableOf = (value) => {
  if (isIterable(value)) return value;
  if (isReadableNodeStream(value)) {
    return Reflect.apply(require('stream_readable').Readable.prototype[Symbol.asyncIterator], value, []);
  }
  throw invalidArgType('val', 'an instance of Readable, Iterable, or AsyncIterable', value);
};
const webReadable = (value) => (isTransformStream(value) ? value.readable : value);

const pumpToNode = async (iterable, writable, done, { end }) => {
  let failure;
  let wake = nop;
  const resume = (error) => {
    if (error) failure = error;
    const call = wake;
    wake = nop;
    call();
  };
  const wait = () => new Promise((resolve, reject) => {
    const settle = () => {
      if (failure) reject(failure);
      else resolve();
    };
    if (failure) settle();
    else wake = settle;
  });
  writable.on('drain', resume);
  const cleanup = finished(writable, { __proto__: null, readable: false }, resume);
  try {
    if (writable.writableNeedDrain) await $.awaited(wait());
    for await (const chunk of $.each(iterable)) {
      if (!writable.write(chunk)) await $.awaited(wait());
    }
    if (end) {
      writable.end();
      await $.awaited(wait());
    }
    done();
  } catch (error) {
    done(failure !== error ? aggregate(failure, error) : error);
  } finally {
    cleanup();
    writable.off('drain', resume);
  }
};
const pumpToWeb = async (iterable, writable, done, { end }) => {
  const writer = (isTransformStream(writable) ? writable.writable : writable).getWriter();
  try {
    for await (const chunk of $.each(iterable)) {
      await $.awaited(writer.ready);
      $.then(writer.write(chunk), nop, nop);
    }
    await $.awaited(writer.ready);
    if (end) await $.awaited(writer.close());
    done();
  } catch (error) {
    try {
      await $.awaited(writer.abort(error));
      done(error);
    } catch (abortFailure) {
      done(abortFailure);
    }
  }
};
const pipe = (source, dest, done, failed, { end }) => {
  let ended = false;
  dest.on('close', () => {
    if (!ended) failed(errors.prematureClose());
  });
  source.pipe(dest, { __proto__: null, end: false });
  if (end) {
    const atEnd = () => {
      ended = true;
      dest.end();
    };
    if (isReadableFinished(source)) nextTick(atEnd);
    else source.once('end', atEnd);
  } else {
    done();
  }
  finished(source, { __proto__: null, readable: true, writable: false }, (error) => {
    const state = source._readableState;
    if (error?.code === 'ERR_STREAM_PREMATURE_CLOSE' && state?.ended && !state.errored && !state.errorEmitted) {
      // Some streams emit `close` before `end`.
      source.once('end', done);
      source.once('error', done);
    } else {
      done(error);
    }
  });
  return finished(dest, { __proto__: null, readable: false, writable: true }, done);
};
const KINDS = 'an instance of Readable, Iterable, AsyncIterable, ReadableStream, or TransformStream';

/** Pipes `streams` and calls `callback` with an error or with what the last function returned. */
exports.run = (streams, callback, options) => {
  if (streams.length === 1 && $.isArray(streams[0])) ({ 0: streams } = streams);
  if (streams.length < 2) throw errors.missingStreams();
  const controller = new (require('abort').AbortController)();
  const { signal } = controller;
  const outer = options?.signal;
  validateAbortSignal(outer, 'options.signal');
  const { Duplex } = require('stream_duplex');

  let failure;
  let result;
  let pending = 0;
  const destroys = [];
  // What takes the listeners off the last stream, which may be used further.
  const cleanups = [];
  const conclude = (error, isLast) => {
    if (error && (!failure || failure.code === 'ERR_STREAM_PREMATURE_CLOSE' || failure.name === 'AbortError')) {
      failure = error;
    }
    if (!failure && !isLast) return;
    while (destroys.length > 0) $.shift(destroys)(failure);
    stopListening();
    controller.abort();
    if (!isLast) return;
    if (!failure) for (const call of $.each(cleanups)) call();
    nextTick(callback, failure, result);
  };
  const done = (error = undefined) => conclude(error, --pending === 0);
  const failed = (error) => conclude(error, false);
  const abort = () => conclude(abortError(outer?.reason), false);
  const stopListening = outer ? onAbort(outer, abort) : nop;

  // What the stream before has to be read from.
  let current;
  for (let i = 0; i < streams.length; i++) {
    const stream = streams[i];
    const { [i + 1]: next } = streams;
    const isLast = i === streams.length - 1;
    const end = !isLast || options?.end !== false;
    const keep = (cleanup) => {
      if (isLast && isReadable(stream)) $.push(cleanups, cleanup);
    };
    if (isNodeStream(stream)) {
      if (!isLast && (next?.closed || next?.destroyed)) throw errors.unableToPipe();
      if (end) {
        const { destroy, cleanup } = destroyable(stream, !isLast, i > 0);
        $.push(destroys, destroy);
        keep(cleanup);
      }
      // Also for errors after the end.
      const onError = (error) => {
        if (error && error.name !== 'AbortError' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') failed(error);
      };
      stream.on('error', onError);
      keep(() => stream.removeListener('error', onError));
    }
    if (i === 0) {
      if (typeof stream === 'function') {
        current = stream({ signal });
        if (!isIterable(current)) {
          throw errors.returnValue('Iterable, AsyncIterable or Stream', 'source', current);
        }
      } else if (isIterable(stream) || isReadableNodeStream(stream) || isTransformStream(stream)) {
        current = stream;
      } else {
        current = Duplex.from(stream);
      }
    } else if (typeof stream === 'function') {
      current = stream(iterableOf(webReadable(current)), { signal });
      if (!isLast) {
        if (!isIterable(current, true)) throw errors.returnValue('AsyncIterable', $.text`transform[${i - 1}]`, current);
        continue;
      }
      // So that a stream is returned in any case.
      const through = new (require('stream_duplex').PassThrough)({ __proto__: null, objectMode: true });
      const then = current?.then;
      if (typeof then === 'function') {
        pending += 1;
        Reflect.apply(then, current, [(value) => {
          result = value;
          if (value !== undefined && value !== null) through.write(value);
          if (end) through.end();
          nextTick(done);
        }, (error) => {
          through.destroy(error);
          nextTick(done, error);
        }]);
      } else if (isIterable(current, true) || isReadableStream(current) || isTransformStream(current)) {
        pending += 1;
        pumpToNode(isIterable(current, true) ? current : webReadable(current), through, done, { end });
      } else {
        throw errors.returnValue('AsyncIterable or Promise', 'destination', current);
      }
      current = through;
      const { destroy, cleanup } = destroyable(through, false, true);
      $.push(destroys, destroy);
      $.push(cleanups, cleanup);
    } else if (isNodeStream(stream)) {
      if (isReadableNodeStream(current)) {
        pending += 2;
        keep(pipe(current, stream, done, failed, { end }));
      } else if (isTransformStream(current) || isReadableStream(current) || isIterable(current)) {
        pending += 1;
        pumpToNode(webReadable(current), stream, done, { end });
      } else {
        throw invalidArgType('val', KINDS, current);
      }
      current = stream;
    } else if (isWebStream(stream)) {
      const isNode = isReadableNodeStream(current);
      if (!isNode && !isReadableStream(current) && !isIterable(current) && !isTransformStream(current)) {
        throw invalidArgType('val', KINDS, current);
      }
      pending += 1;
      pumpToWeb(isNode ? iterableOf(current) : webReadable(current), stream, done, { end });
      current = stream;
    } else {
      current = Duplex.from(stream);
    }
  }
  if (signal.aborted || outer?.aborted) nextTick(abort);
  return current;
};
exports.pipeline = function pipeline(...streams) {
  validateFunction(streams[streams.length - 1], 'streams[stream.length - 1]');
  const callback = $.pop(streams);
  return exports.run(streams, once(callback), undefined);
};
