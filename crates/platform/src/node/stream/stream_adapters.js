// toWeb and fromWeb: Node's streams as Web streams, and the other way round.
const { abortError, invalidArgType, invalidArgValue } = require('errors');
const { validateBoolean, validateObject, validateOneOf } = require('validators');
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { Duplex } = require('stream_duplex');
const { finished } = require('stream_finished');
const {
  destroyer, errors, isDestroyed, isReadable, isReadableStream, isWritable, isWritableStream, nextTick, nop,
} = require('stream_shared');
const web = /** @type {any} */ (require('web_streams'));
const isEnded = (stream) => Boolean(stream.writableEnded || stream._writableState?.ended);

// (A stream of another implementation may return promises of another.)
const settled = (promise, fulfilled, rejected = fulfilled) => $.then($.awaited(promise), fulfilled, rejected);
// What a callback throws is an uncaught error, not a rejection.
const outside = (callback, ...args) => {
  try {
    callback(...$.each(args));
  } catch (error) {
    nextTick(() => {
      throw error;
    });
  }
};
const webError = (error) => (error?.code === 'ERR_STREAM_PREMATURE_CLOSE' ? abortError(error) : error);

const closedWritable = () => {
  const stream = new web.WritableStream();
  stream.close();
  return stream;
};
const closedReadable = (type) => {
  const stream = new web.ReadableStream({ __proto__: null, type });
  stream.cancel();
  return stream;
};

exports.writableToWeb = (stream) => {
  if (!stream || typeof stream.write !== 'function' || typeof stream.on !== 'function') {
    throw invalidArgType('streamWritable', 'an instance of stream.Writable', stream);
  }
  if (isDestroyed(stream) || !isWritable(stream)) return closedWritable();
  const { writableHighWaterMark: highWaterMark } = stream;
  let controller;
  let drained;
  let closing;
  const cleanup = finished(stream, (failure) => {
    const error = webError(failure);
    cleanup();
    // Errors of old streams that come later.
    stream.on('error', nop);
    if (error !== undefined && error !== null) {
      drained?.reject(error);
      closing?.reject(error);
      closing = undefined;
      controller.error(error);
    } else if (closing !== undefined) {
      closing.resolve();
      closing = undefined;
    } else {
      controller.error(abortError());
    }
  });
  stream.on('drain', () => drained?.resolve());
  return new web.WritableStream({
    __proto__: null,
    start(given) {
      controller = given;
    },
    write(chunk) {
      if (!stream.writableObjectMode && !$.isView(chunk)) chunk = require('bytes').viewOf(chunk) ?? chunk;
      if (!stream.writableNeedDrain && stream.write(chunk)) return undefined;
      drained = $.withResolvers();
      return $.then(drained.promise, () => (drained = undefined));
    },
    abort: (reason) => destroyer(stream, reason),
    close() {
      if (closing !== undefined || isEnded(stream)) return undefined;
      closing = $.withResolvers();
      stream.end();
      return closing.promise;
    },
  }, stream.writableObjectMode ? new web.CountQueuingStrategy({ highWaterMark }) : { __proto__: null, highWaterMark });
};

exports.readableToWeb = (stream, options = { __proto__: null }) => {
  if (typeof stream?._readableState !== 'object') {
    throw invalidArgType('streamReadable', 'an instance of stream.Readable', stream);
  }
  validateObject(options, 'options');
  const { type } = options;
  if (type !== undefined) validateOneOf(type, 'options.type', ['bytes', undefined]);
  if (isDestroyed(stream) || !isReadable(stream)) return closedReadable(type);
  const { readableObjectMode: objectMode, readableHighWaterMark: highWaterMark } = stream;
  const strategy = type === 'bytes' ? { __proto__: null, highWaterMark }
    : options.strategy || new (objectMode ? web.CountQueuingStrategy : web.ByteLengthQueuingStrategy)({ highWaterMark });
  let controller;
  let isOver = false;
  stream.pause();
  const cleanup = finished(stream, (failure) => {
    const error = webError(failure);
    cleanup();
    stream.on('error', nop);
    if (error) controller.error(error);
    else if (!isOver) controller.close();
  });
  stream.on('data', (chunk) => {
    // (A copy, because a Buffer may be a part of a pool.)
    const isBytes = !objectMode && $.isView(chunk);
    controller.enqueue(isBytes ? new Uint8Array($.bytesOf(chunk)) : chunk);
    if (controller.desiredSize <= 0) stream.pause();
  });
  return new web.ReadableStream({
    __proto__: null, type,
    start(given) {
      controller = given;
      if (type !== 'bytes') return;
      stream.once('end', () => {
        controller.close();
        controller.byobRequest?.respond(0);
        isOver = true;
      });
    },
    pull() {
      stream.resume();
    },
    cancel(reason) {
      isOver = true;
      destroyer(stream, reason);
    },
  }, strategy);
};

exports.duplexToWeb = (duplex, options = { __proto__: null }) => {
  if (typeof duplex?._writableState !== 'object' || typeof duplex?._readableState !== 'object') {
    throw invalidArgType('duplex', 'an instance of stream.Duplex', duplex);
  }
  validateObject(options, 'options');
  const type = options.readableType ?? options.type ?? undefined;
  if (isDestroyed(duplex)) return { readable: closedReadable(type), writable: closedWritable() };
  return {
    writable: isWritable(duplex) ? exports.writableToWeb(duplex) : closedWritable(),
    readable: isReadable(duplex) ? exports.readableToWeb(duplex, { __proto__: null, type }) : closedReadable(type),
  };
};

// What a Node stream does with a writer and with a reader. `side` remembers whether the Web stream is closed.
const writing = (writer, side, streamOf, { decodeStrings, objectMode }) => {
  // (The callback gives what it is called with to `_write`'s caller, whose errors destroy the stream.)
  const done = (callback) => (error = undefined) => {
    try {
      callback(error);
    } catch (thrown) {
      nextTick(() => destroyer(streamOf(), thrown));
    }
  };
  const encoded = (chunk, encoding) => {
    if (typeof chunk !== 'string' || !decodeStrings || objectMode) return chunk;
    return $.bytesOf(require('buffer').Buffer.from(chunk, encoding));
  };
  return {
    writev(chunks, callback) {
      const end = done(callback);
      settled(writer.ready, () => {
        let left = chunks.length;
        const failures = [];
        const one = (error) => {
          if (error) $.push(failures, error);
          left -= 1;
          if (left === 0) end(failures.length === 0 ? undefined : failures);
        };
        for (const { chunk } of $.each(chunks)) settled(writer.write(chunk), () => one(undefined), one);
      }, end);
    },
    write(chunk, encoding, callback) {
      const end = done(callback);
      settled(writer.ready, () => settled(writer.write(encoded(chunk, encoding)), () => end(), end), end);
    },
    final(callback) {
      const end = done(callback);
      if (!side.isClosed) settled(writer.close(), () => end(), end);
    },
  };
};
const reading = (reader, streamOf) => ({
  read() {
    settled(reader.read(), ({ value, done }) => streamOf().push(done ? null : value),
      (error) => destroyer(streamOf(), error));
  },
});
const watch = (end, side, closed, failed) => {
  settled(end.closed, () => {
    side.isClosed = true;
    closed();
  }, (error) => {
    side.isClosed = true;
    failed(error);
  });
};
const checkEncoding = (encoding) => {
  if (encoding !== undefined && !require('buffer').Buffer.isEncoding(encoding)) {
    throw invalidArgValue('options.encoding', encoding);
  }
};

exports.writableFromWeb = (stream, options = { __proto__: null }) => {
  if (!isWritableStream(stream)) throw invalidArgType('writableStream', 'an instance of WritableStream', stream);
  validateObject(options, 'options');
  const { highWaterMark, decodeStrings = true, objectMode = false, signal } = options;
  validateBoolean(objectMode, 'options.objectMode');
  validateBoolean(decodeStrings, 'options.decodeStrings');
  const writer = stream.getWriter();
  const side = { isClosed: false };
  const writable = new Writable({
    __proto__: null, highWaterMark, objectMode, decodeStrings, signal,
    ...writing(writer, side, () => writable, { decodeStrings, objectMode }),
    destroy(error, callback) {
      const done = () => outside(callback, error);
      if (side.isClosed) done();
      else settled(error === undefined || error === null ? writer.close() : writer.abort(error), done);
    },
  });
  watch(writer, side, () => {
    if (!isEnded(writable)) destroyer(writable, errors.prematureClose());
  }, (error) => destroyer(writable, error));
  return writable;
};

exports.readableFromWeb = (stream, options = { __proto__: null }) => {
  if (!isReadableStream(stream)) throw invalidArgType('readableStream', 'an instance of ReadableStream', stream);
  validateObject(options, 'options');
  const { highWaterMark, encoding, objectMode = false, signal } = options;
  checkEncoding(encoding);
  validateBoolean(objectMode, 'options.objectMode');
  const reader = stream.getReader();
  const side = { isClosed: false };
  const readable = new Readable({
    __proto__: null, objectMode, highWaterMark, encoding, signal, ...reading(reader, () => readable),
    destroy(error, callback) {
      const done = () => outside(callback, error);
      if (side.isClosed) done();
      else settled(reader.cancel(error), done);
    },
  });
  watch(reader, side, nop, (error) => destroyer(readable, error));
  return readable;
};

exports.duplexFromWeb = (pair = { __proto__: null }, options = { __proto__: null }) => {
  validateObject(pair, 'pair');
  const { readable, writable } = pair;
  if (!isReadableStream(readable)) throw invalidArgType('pair.readable', 'an instance of ReadableStream', readable);
  if (!isWritableStream(writable)) throw invalidArgType('pair.writable', 'an instance of WritableStream', writable);
  validateObject(options, 'options');
  const { allowHalfOpen = false, objectMode = false, encoding, decodeStrings = true, highWaterMark, signal } = options;
  validateBoolean(objectMode, 'options.objectMode');
  checkEncoding(encoding);
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const writes = { isClosed: false };
  const reads = { isClosed: false };
  const duplex = new Duplex({
    __proto__: null, allowHalfOpen, highWaterMark, objectMode, encoding, decodeStrings, signal,
    ...writing(writer, writes, () => duplex, { decodeStrings, objectMode }), ...reading(reader, () => duplex),
    destroy(error, callback) {
      const ends = [
        writes.isClosed ? undefined : writer.abort(error),
        reads.isClosed ? undefined : reader.cancel(error),
      ];
      settled(ends[0], () => settled(ends[1], () => outside(callback, error)));
    },
  });
  watch(writer, writes, () => {
    if (!isEnded(duplex)) destroyer(duplex, errors.prematureClose());
  }, (error) => {
    reads.isClosed = true;
    destroyer(duplex, error);
  });
  watch(reader, reads, nop, (error) => {
    writes.isClosed = true;
    destroyer(duplex, error);
  });
  return duplex;
};
