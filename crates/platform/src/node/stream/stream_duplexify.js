// Duplex.from: anything as a Duplex.
const { abortError, invalidArgType } = require('errors');
const { finished } = require('stream_finished');
const { from } = require('stream_from');
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { Duplex } = require('stream_duplex');
const {
  destroyer, errors, isDuplexNodeStream, isIterable, isNodeStream, isReadable, isReadableNodeStream, isReadableStream,
  isWritable, isWritableNodeStream, isWritableStream, nextTick, nop,
} = require('stream_shared');

// Calls an async generator function with what is written as its source. Returns what it returned, and the methods of a
// stream that feeds it.
const fromGenerator = (generator) => {
  let next = $.withResolvers();
  const controller = new (require('abort').AbortController)();
  const { signal } = controller;
  async function* source() {
    while (true) {
      const { promise } = next;
      const { chunk, done, callback } = await $.awaited(promise);
      nextTick(callback);
      if (done) return;
      if (signal.aborted) throw abortError(signal.reason);
      next = $.withResolvers();
      yield chunk;
    }
  }
  const value = generator(source(), { signal });
  return {
    value,
    write(chunk, _encoding, callback) {
      next.resolve({ chunk, done: false, callback });
    },
    final(callback) {
      next.resolve({ done: true, callback });
    },
    destroy(error, callback) {
      controller.abort();
      callback(error);
    },
  };
};

// One Duplex of a Readable and a Writable, of which one may be missing.
const pair = ({ readable, writable }) => {
  const source = readable && typeof readable.read !== 'function' ? Readable.wrap(readable) : readable;
  const reads = Boolean(isReadable(source));
  const writes = Boolean(isWritable(writable));
  let drained = nop;
  let ended = nop;
  let wake = nop;
  let closed = undefined;
  const duplex = new Duplex({
    __proto__: null, readableObjectMode: Boolean(source?.readableObjectMode),
    writableObjectMode: Boolean(writable?.writableObjectMode), readable: reads, writable: writes,
  });
  const over = (error) => {
    if (error) destroyer(source, error);
    const callback = closed;
    closed = null;
    if (callback) callback(error);
    else if (error) duplex.destroy(error);
  };
  if (writes) {
    finished(writable, over);
    duplex._write = (chunk, encoding, callback) => {
      if (writable.write(chunk, encoding)) callback();
      else drained = callback;
    };
    duplex._final = (callback) => {
      writable.end();
      ended = callback;
    };
    writable.on('drain', () => {
      const callback = drained;
      drained = nop;
      callback();
    });
    writable.on('finish', () => {
      const callback = ended;
      ended = nop;
      callback();
    });
  }
  if (reads) {
    finished(source, over);
    source.on('readable', () => {
      const callback = wake;
      wake = nop;
      callback();
    });
    source.on('end', () => duplex.push(null));
    duplex._read = () => {
      while (true) {
        const chunk = source.read();
        if (chunk === null) {
          wake = duplex._read;
          return;
        }
        if (!duplex.push(chunk)) return;
      }
    };
  }
  duplex._destroy = (error, callback) => {
    if (!error && closed !== null) error = abortError();
    wake = drained = ended = nop;
    if (closed === null) {
      callback(error);
      return;
    }
    closed = callback;
    destroyer(writable, error);
    destroyer(source, error);
  };
  return duplex;
};

const fromFunction = (body, name) => {
  const { value, write, final, destroy } = fromGenerator(body);
  // (It may have been a class.)
  if (isDuplexNodeStream(value)) return value;
  if (isIterable(value)) return from(Duplex, value, { __proto__: null, objectMode: true, write, final, destroy });
  const then = value?.then;
  if (typeof then !== 'function') {
    throw errors.returnValue('Iterable, AsyncIterable or AsyncFunction', name, value);
  }
  const promise = Reflect.apply(then, value, [(result) => {
    if (result !== undefined && result !== null) throw errors.returnValue('nully', 'body', result);
  }, (error) => destroyer(duplex, error)]);
  const duplex = new Duplex({
    __proto__: null, objectMode: true, readable: false, write, destroy,
    final(callback) {
      final(async () => {
        try {
          await $.awaited(promise);
          nextTick(callback, null);
        } catch (error) {
          nextTick(callback, error);
        }
      });
    },
  });
  return duplex;
};

exports.duplexify = (body, name) => {
  if (isDuplexNodeStream(body)) return body;
  if (isReadableNodeStream(body)) return pair({ readable: body, writable: undefined });
  if (isWritableNodeStream(body)) return pair({ readable: undefined, writable: body });
  if (isNodeStream(body)) return pair({ readable: undefined, writable: undefined });
  if (isReadableStream(body)) return pair({ readable: Readable.fromWeb(body), writable: undefined });
  if (isWritableStream(body)) return pair({ readable: undefined, writable: Writable.fromWeb(body) });
  if (typeof body === 'function') return fromFunction(body, name);
  if (body instanceof require('blob').Blob) return exports.duplexify(body.arrayBuffer(), name);
  if (isIterable(body)) return from(Duplex, body, { __proto__: null, objectMode: true, writable: false });
  if (isReadableStream(body?.readable) && isWritableStream(body?.writable)) return Duplex.fromWeb(body);
  if (typeof body?.writable === 'object' || typeof body?.readable === 'object') {
    const side = (stream, isRight) =>
      (stream ? isRight(stream) ? stream : exports.duplexify(stream, name) : undefined);
    return pair({
      readable: side(body.readable, isReadableNodeStream), writable: side(body.writable, isWritableNodeStream),
    });
  }
  const then = body?.then;
  if (typeof then === 'function') {
    Reflect.apply(then, body, [(value) => {
      if (value !== undefined && value !== null) duplex.push(value);
      duplex.push(null);
    }, (error) => destroyer(duplex, error)]);
    const duplex = new Duplex({ __proto__: null, objectMode: true, writable: false, read() {} });
    return duplex;
  }
  throw invalidArgType(name, 'an instance of Blob, ReadableStream, WritableStream, Stream, Iterable, AsyncIterable, ' +
    'Function, { readable, writable } pair, or Promise', body);
};
