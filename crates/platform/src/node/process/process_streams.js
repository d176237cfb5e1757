// The streams of descriptors that are not files: standard input, output and error, and the pipes of child processes.
/**
 * What Rust provides.
 * @type {{
 *   setStream(): void,
 * }}
 */
const native = rust;
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { Duplex } = require('stream_duplex');
const { start, cancel, setRef, perform } = require('fs_operations');
const { toBuffer } = require('fs_bytes');
const tty = require('tty');
const proc = () => require('process').process;

const WAIT = Symbol('wait');
const REFED = Symbol('refed');
const SIZE = 65536;

// Reading: one read at a time, which is taken back when the stream is paused, so that what was not read stays for
// whoever reads next.
const read = (stream) => {
  if (stream[WAIT] !== undefined || stream.destroyed) return;
  stream[WAIT] = start({ __proto__: null, call: ['read', stream.fd, SIZE, undefined] }, (error, bytes) => {
    stream[WAIT] = undefined;
    if (stream.destroyed) return;
    if (error !== null) {
      // A terminal whose other end has gone.
      if (error.code === 'EIO') stream.push(null);
      else stream.destroy(error);
      return;
    }
    const count = $.length(bytes);
    if (count === 0) {
      stream.push(null);
      return;
    }
    stream.bytesRead += count;
    if (stream.push(toBuffer(bytes))) read(stream);
  });
  if (!stream[REFED]) setRef(stream[WAIT], false);
};
const stopReading = (stream) => {
  if (stream[WAIT] !== undefined && cancel(stream[WAIT])) {
    stream[WAIT] = undefined;
    return true;
  }
  return false;
};
const closeFd = (stream) => {
  const { fd } = stream;
  if (fd <= 2 || fd === null) return;
  stream.fd = null;
  start({ __proto__: null, call: ['close', fd] }, () => {});
};
exports.closeFd = closeFd;
const writeTo = (stream, bytes, callback) => {
  const { fd } = stream;
  if (fd === 1 || fd === 2) {
    // Output keeps its place among what the console prints.
    let error = null;
    try {
      perform({ __proto__: null, call: ['writeAll', fd, bytes] });
    } catch (thrown) {
      // A text that does not fit is told to whoever writes it.
      if (thrown?.syscall === undefined) throw thrown;
      error = thrown;
    }
    callback(error);
    return;
  }
  start({ __proto__: null, call: ['writeAll', fd, bytes] }, (error) => callback(error));
};

/**
 * A pipe or a socket. `options`: fd, readable, writable, and what streams take.
 * @this {any}
 */
function Socket(options) {
  if (!(this instanceof Socket)) return new (/** @type {any} */ (Socket))(options);
  this.fd = options.fd;
  this.bytesRead = 0;
  this[REFED] = true;
  Reflect.apply(Duplex, this, [{
    __proto__: null, allowHalfOpen: true, emitClose: true, autoDestroy: true, decodeStrings: true, ...options,
    readable: options.readable === true, writable: options.writable === true,
  }]);
  return this;
}
Object.setPrototypeOf(Socket.prototype, Duplex.prototype);
Object.setPrototypeOf(Socket, Duplex);
const inputMethods = {
  /** @this {any} */
  _read() {
    read(this);
  },
  /** @this {any} */
  ref() {
    this[REFED] = true;
    if (this[WAIT] !== undefined) setRef(this[WAIT], true);
    return this;
  },
  /** @this {any} */
  unref() {
    this[REFED] = false;
    if (this[WAIT] !== undefined) setRef(this[WAIT], false);
    return this;
  },
};
/** @type {any} */
const socketMethods = {
  ...inputMethods,
  /** @this {any} */
  _write(chunk, encoding, callback) {
    writeTo(this, chunk, callback);
  },
  /** @this {any} */
  _writev(chunks, callback) {
    start({ __proto__: null, call: ['writevAll', this.fd, $.map(chunks, ({ chunk }) => chunk)] }, (error) => callback(error));
  },
  /** @this {any} */
  _final(callback) {
    if (this.whenFinal) this.whenFinal();
    callback();
  },
  /** @this {any} */
  _destroy(error, callback) {
    stopReading(this);
    closeFd(this);
    callback(error);
  },
  /** @this {any} */
  destroySoon() {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', this.destroy);
  },
  setNoDelay() {
    return this;
  },
  setKeepAlive() {
    return this;
  },
  setTimeout() {
    return this;
  },
};
const install = (Class, methods) => Object.assign(Class.prototype, methods);
install(Socket, socketMethods);
exports.Socket = Socket;

// Standard input: paused until somebody listens, and then again when they stop.
const constructInput = (stream, fd, options) => {
  Reflect.apply(Socket, stream, [{ __proto__: null, highWaterMark: 0, ...options, fd, readable: true, writable: false }]);
};
exports.constructInput = constructInput;
const watchPause = (stream) => {
  // `pause` takes the read back, in the turn after, as Node does: a `resume` in between leaves it.
  stream.on('pause', () => {
    proc().nextTick(() => {
      if (stream.readableFlowing === false && !stream.readableListening) stopReading(stream);
    });
  });
  stream.on('resume', () => {
    if (!stream.readableEnded) read(stream);
  });
};

/** @this {any} */
function Output() {}
Object.setPrototypeOf(Output.prototype, Writable.prototype);
Object.setPrototypeOf(Output, Writable);
// Output is written at once. The streams of the process are never closed.
exports.constructOutput = (stream, fd) => {
  stream.fd = fd;
  Reflect.apply(Writable, stream, [{ __proto__: null, decodeStrings: false, emitClose: false, autoDestroy: false }]);
};
install(Output, {
  /** @this {any} */
  _write(chunk, encoding, callback) {
    writeTo(this, typeof chunk === 'string' ? require('fs_bytes').encode(chunk, encoding) : chunk, callback);
  },
  /** @this {any} */
  _destroy(error, callback) {
    callback(error);
  },
  destroySoon: Writable.prototype.destroy,
});
tty.inherit(Socket, Output);

// What was written could not be. Returns whether somebody listens for that.
let output;
exports.outputFailed = (number) => {
  if (output.listenerCount('error') === 0) return false;
  output.emit('error', require('fs_errors').errnoException(number, 'write'));
  return true;
};

const named = (name, make) => make(name);
exports.makeOutput = (fd) => {
  let stream;
  const kind = tty.kind(fd);
  if (kind === 'TTY') {
    stream = new (/** @type {any} */ (tty.WriteStream))(fd);
    require('process_signals').onWinch(() => stream._refreshSize());
  } else {
    stream = Object.create(named(kind, () => Output.prototype));
    exports.constructOutput(stream, fd);
  }
  stream._type = kind === 'TTY' ? 'tty' : kind === 'PIPE' ? 'pipe' : 'fs';
  stream._isStdio = true;
  if (fd === 1) {
    output = stream;
    native.setStream();
  }
  made.add(stream);
  stream.destroySoon = stream.destroy;
  // A script cannot end them.
  stream._destroy = (error, callback) => callback(error);
  return stream;
};
// Whether what is written to a stream goes to standard output or standard error as it is.
const made = new WeakSet();
exports.isUntouched = (stream) => made.has(stream) && !Object.hasOwn(stream, 'write');
exports.makeInput = () => {
  const kind = tty.kind(0);
  let stream;
  switch (kind) {
    case 'TTY':
      stream = new (/** @type {any} */ (tty.ReadStream))(0);
      watchPause(stream);
      break;
    case 'FILE':
      stream = require('fs_streams').createReadStream(null, { __proto__: null, fd: 0, autoClose: false });
      break;
    case 'PIPE':
      stream = Object.create(Socket.prototype);
      constructInput(stream, 0, { __proto__: null, highWaterMark: SIZE });
      watchPause(stream);
      break;
    default:
      stream = new Readable({ __proto__: null, read() {} });
      stream.push(null);
  }
  stream.fd = 0;
  return stream;
};
// Workers have no input unless they are given some.
exports.makeNoInput = () => {
  const { input } = require('workers');
  if (input !== undefined) return require('worker_streams').inputFrom(input);
  const stream = new Readable({ __proto__: null, read() {} });
  stream.push(null);
  return stream;
};
