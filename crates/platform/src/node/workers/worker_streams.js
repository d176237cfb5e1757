// The standard streams of workers, as their parents see them, and a worker's own input.
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { ports } = require('messaging');

/** What a worker writes, for the parent to read. */
exports.output = () => new (/** @type {any} */ (Readable))({ __proto__: null, read() {} });

/** A stream of which each piece is posted when the worker has room for it. */
exports.inputTo = (port) => {
  let done;
  ports.start(port, { message: () => done?.(), messageerror() {}, close() {} });
  const post = (chunk, callback) => {
    done = () => {
      done = undefined;
      ports.ref(port, false);
      callback();
    };
    ports.ref(port, true);
    const bytes = new Uint8Array(chunk);
    ports.post(port, bytes, [$.buffer(bytes)]);
  };
  return new (/** @type {any} */ (Writable))({
    __proto__: null,
    decodeStrings: true,
    write: (chunk, encoding, callback) => post(chunk, callback),
    final(callback) {
      ports.post(port, null, []);
      callback();
    },
  });
};

/** The other end, in the worker. */
exports.inputFrom = (port) => {
  let owesAnswer = false;
  const answer = () => {
    owesAnswer = false;
    ports.post(port, undefined, []);
  };
  let isStarted = false;
  const stream = new (/** @type {any} */ (Readable))({
    __proto__: null,
    read() {
      // Whoever reads waits for what comes.
      ports.ref(port, true);
      if (owesAnswer) answer();
      if (isStarted) return;
      isStarted = true;
      ports.start(port, { message: take, messageerror() {}, close() {} });
    },
  });
  const take = (chunk) => {
    if (chunk === null) {
      ports.close(port);
      stream.push(null);
      return;
    }
    owesAnswer = true;
    if (stream.push(require('buffer').fromBytes(chunk))) answer();
  };
  stream.on('pause', () => ports.ref(port, false));
  return stream;
};
