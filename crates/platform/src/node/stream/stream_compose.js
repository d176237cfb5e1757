// compose: several streams as one Duplex.
const { abortError, invalidArgValue } = require('errors');
const { finished } = require('stream_finished');
const { Duplex } = require('stream_duplex');
const {
  destroyer, errors, isNodeStream, isReadable, isReadableStream, isTransformStream, isWebStream, isWritable,
  isWritableStream, nop,
} = require('stream_shared');

const canRead = (stream) => Boolean(isReadable(stream) || isReadableStream(stream) || isTransformStream(stream));
const canWrite = (stream) => Boolean(isWritable(stream) || isWritableStream(stream) || isTransformStream(stream));

exports.compose = function compose(...given) {
  if (given.length === 0) throw errors.missingStreams();
  if (given.length === 1) return Duplex.from(given[0]);
  const last = given.length - 1;
  const streams = $.map(given, (stream, i) =>
    (typeof stream === 'function' && (i === 0 || i === last) ? Duplex.from(stream) : stream));
  for (let i = 0; i < streams.length; i++) {
    const stream = streams[i];
    if (!isNodeStream(stream) && !isWebStream(stream)) continue;
    if (i < last && !canRead(stream)) throw invalidArgValue($.text`streams[${i}]`, given[i], 'must be readable');
    if (i > 0 && !canWrite(stream)) throw invalidArgValue($.text`streams[${i}]`, given[i], 'must be writable');
  }

  // What the Duplex waits for: each is called once.
  let drained = nop;
  let ended = nop;
  let readable = nop;
  let closed = undefined;
  const call = (callback) => callback();
  const { 0: head } = streams;
  const tail = require('stream_pipeline').pipeline(...$.each(streams), (error) => {
    const callback = closed;
    closed = null;
    if (callback) callback(error);
    else if (error) duplex.destroy(error);
    else if (!reads && !writes) duplex.destroy();
  });
  const writes = canWrite(head);
  const reads = canRead(tail);
  const duplex = new Duplex({
    __proto__: null, writableObjectMode: Boolean(head?.writableObjectMode), readableObjectMode: Boolean(tail?.readableObjectMode),
    writable: writes, readable: reads,
  });

  if (writes) {
    if (isNodeStream(head)) {
      duplex._write = (chunk, encoding, callback) => {
        if (head.write(chunk, encoding)) callback();
        else drained = callback;
      };
      duplex._final = (callback) => {
        head.end();
        ended = callback;
      };
      head.on('drain', () => {
        const callback = drained;
        drained = nop;
        call(callback);
      });
    } else {
      const writer = (isTransformStream(head) ? head.writable : head).getWriter();
      duplex._write = async (chunk, encoding, callback) => {
        try {
          await $.awaited(writer.ready);
          $.then(writer.write(chunk), nop, nop);
          callback();
        } catch (error) {
          callback(error);
        }
      };
      duplex._final = async (callback) => {
        try {
          await $.awaited(writer.ready);
          $.then(writer.close(), nop, nop);
          ended = callback;
        } catch (error) {
          callback(error);
        }
      };
    }
    finished(isTransformStream(tail) ? tail.readable : tail, () => {
      const callback = ended;
      ended = nop;
      call(callback);
    });
  }

  if (reads && isNodeStream(tail)) {
    tail.on('readable', () => {
      const callback = readable;
      readable = nop;
      call(callback);
    });
    tail.on('end', () => duplex.push(null));
    duplex._read = () => {
      while (true) {
        const chunk = tail.read();
        if (chunk === null) {
          readable = duplex._read;
          return;
        }
        if (!duplex.push(chunk)) return;
      }
    };
  } else if (reads) {
    const reader = (isTransformStream(tail) ? tail.readable : tail).getReader();
    duplex._read = async () => {
      try {
        while (true) {
          const { value, done } = await $.awaited(reader.read());
          if (!duplex.push(value)) return;
          if (done) {
            duplex.push(null);
            return;
          }
        }
      } catch {
        // The pipeline has the error as well.
      }
    };
  }

  duplex._destroy = (error, callback) => {
    if (!error && closed !== null) error = abortError();
    readable = drained = ended = nop;
    if (isNodeStream(tail)) destroyer(tail, error);
    if (closed === null) callback(error);
    else closed = callback;
  };
  return duplex;
};
