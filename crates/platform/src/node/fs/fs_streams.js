// fs.ReadStream and fs.WriteStream.
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { finished } = require('stream_finished');
const { errorOrDestroy, errors } = require('stream_shared');
const { start, operations, cancel, setRef } = require('fs_operations');
const { toPath, toOptions } = require('fs_values');
const { create, invalidArgType, outOfRange } = require('errors');
const { validateBoolean, validateFunction, validateInteger, validateObject } = require('validators');
const { encodingOf, toBuffer } = require('fs_bytes');
const handles = () => /** @type {any} */ (require('fs_promises'));

const FS = Symbol('kFs');
const IO = Symbol('kIsPerformingIO');
const DONE = Symbol('kIoDone');
const HANDLE = Symbol('kHandle');
const WAIT = Symbol('wait');

const own = {
  __proto__: null,
  open: (path, flags, mode, callback) => start(operations.open(path, flags, mode), callback),
  close: (fd, callback) => start(operations.close(fd), callback),
};
// A script may have replaced a handle's methods.
const throughHandle = (handle) => {
  const calling = (name, pick) => (fd, ...args) => {
    const callback = $.pop(args);
    $.then(Reflect.apply(handle[name], handle, args), (result) => callback(null, pick(result)), (error) => callback(error));
  };
  return {
    __proto__: null, read: calling('read', ({ bytesRead }) => bytesRead),
    write: calling('write', ({ bytesWritten }) => bytesWritten), writev: calling('writev', ({ bytesWritten }) => bytesWritten),
  };
};
// A script may give streams its own functions, or replace those of node:fs at any time: the methods are then called as
// Node calls them.
const fsOf = (stream, name) => {
  if (stream[FS] !== undefined) return stream[FS];
  if (stream[HANDLE]) return handles().isOriginal(stream[HANDLE], name) ? own : throughHandle(stream[HANDLE]);
  const fs = /** @type {any} */ (require('fs'));
  return fs[name] === fs.originals[name] ? own : fs;
};
const chooseFs = (stream, options, names) => {
  const given = options.fs;
  if (given === undefined || given === null) return;
  validateObject(given, 'options.fs');
  for (const name of $.each(names)) {
    if (given[name] !== undefined || name === 'open') validateFunction(given[name], $.text`options.fs.${name}`);
  }
  stream[FS] = given;
};
const takeFd = (stream, options) => {
  const { fd } = options;
  if (fd === undefined || fd === null) {
    stream.fd = null;
    chooseFs(stream, options, stream instanceof WriteStream ? ['open', 'write', 'writev', 'close'] : ['open', 'read', 'close']);
    return;
  }
  if (typeof fd === 'number') {
    validateInteger(fd, 'fd', 0, 2 ** 31 - 1);
    stream.fd = fd;
    chooseFs(stream, options, []);
    return;
  }
  if (typeof fd === 'object' && handles().isHandle(fd)) {
    if (options.fs) throw require('errors').notImplemented('FileHandle with fs');
    stream[HANDLE] = fd;
    stream.fd = fd.fd;
    handles().useHandle(fd);
    fd.on('close', () => stream.close());
    return;
  }
  throw invalidArgType('fd', 'of type number or an instance of FileHandle', fd);
};
const toPlace = (value, name) => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (value !== Infinity) validateInteger(value, name, 0);
  return value;
};
// How often in a row a script's own `write` may write nothing.
const MOST_FAILURES = 5;
const closeFile = (stream, error, callback) => {
  const done = (failed) => callback(error ?? failed);
  if (typeof stream.fd !== 'number') {
    done(null);
    return;
  }
  if (stream[HANDLE]) {
    const handle = stream[HANDLE];
    handles().releaseHandle(handle);
    $.then(handle.close(), () => done(null), done);
  } else fsOf(stream, 'close').close(stream.fd, done);
  stream.fd = null;
};
/** @this {any} */
function construct(callback) {
  const stream = this;
  if (typeof stream.fd === 'number') {
    callback();
    return;
  }
  if (stream.open !== openNow) {
    // A script that has replaced `open` calls back by events.
    const { emit } = stream;
    stream.emit = function (...args) {
      if (args[0] === 'open') {
        this.emit = emit;
        callback();
        Reflect.apply(emit, this, args);
      } else if (args[0] === 'error') {
        this.emit = emit;
        callback(args[1]);
      } else {
        return Reflect.apply(emit, this, args);
      }
      return true;
    };
    stream.open();
    return;
  }
  fsOf(stream, 'open').open(stream.path, stream.flags, stream.mode, (error, fd) => {
    if (error) {
      callback(error);
      return;
    }
    stream.fd = fd;
    callback();
    stream.emit('open', stream.fd);
    stream.emit('ready');
  });
}
function openNow() {}
const whenDone = (stream, error, callback) => {
  if (stream[IO]) stream.once(DONE, (failed) => closeFile(stream, error ?? failed, callback));
  else closeFile(stream, error, callback);
};
const defineShared = (Class, name) => {
  const { prototype } = Class;
  Object.defineProperty(prototype, 'autoClose', {
    configurable: true, enumerable: true,
    get() {
      if (!this?.[name]) throw create('TypeError', 'ERR_INVALID_THIS', $.text`Value of "this" must be of type ${Class.name}`);
      return this[name].autoDestroy;
    },
    set(value) {
      this[name].autoDestroy = value;
    },
  });
  Object.defineProperty(prototype, '_construct', { value: construct, writable: true, configurable: true, enumerable: true });
  Object.defineProperty(prototype, 'pending', {
    configurable: true,
    get() {
      return this.fd === null;
    },
  });
};

/** @this {any} */
function ReadStream(path, given) {
  if (!$.isPrototypeOf(ReadStream.prototype, this)) return new (/** @type {any} */ (ReadStream))(path, given);
  const options = toOptions(given);
  encodingOf(options);
  options.highWaterMark ??= 64 * 1024;
  options.autoDestroy ??= false;
  takeFd(this, options);
  this[IO] = false;
  this.path = typeof this.fd === 'number' && !path ? undefined : toPath(path);
  if (this[HANDLE]) this.path = undefined;
  this.flags = options.flags === undefined ? 'r' : options.flags;
  Object.assign(this, { mode: options.mode === undefined ? 0o666 : options.mode });
  this.start = options.start;
  this.end = options.end ?? Infinity;
  this.pos = undefined;
  this.bytesRead = 0;
  if (this.start !== undefined) {
    this.pos = toPlace(this.start, 'start');
  }
  if (options.end === undefined || options.end === null) this.end = Infinity;
  else toPlace(this.end, 'end');
  if (this.start !== undefined && this.end !== Infinity && this.start > this.end) {
    throw outOfRange('start', $.text`<= "end" (here: ${this.end})`, this.start);
  }
  options.autoDestroy = options.autoClose === undefined ? true : options.autoClose;
  options.emitClose ??= true;
  Reflect.apply(Readable, this, [options]);
  if (options.encoding) this.setEncoding(options.encoding);
  return this;
}
Object.setPrototypeOf(ReadStream.prototype, Readable.prototype);
Object.setPrototypeOf(ReadStream, Readable);
defineShared(ReadStream, '_readableState');
ReadStream.prototype.open = openNow;
/** @this {any} */
ReadStream.prototype._read = function (size) {
  size = this.pos === undefined ? Math.min(this.end - this.bytesRead + 1, size)
    : Math.min(this.end - this.pos + 1, size);
  if (size <= 0) {
    this.push(null);
    return;
  }
  this[IO] = true;
  const got = (error, bytes, count) => {
    this[IO] = false;
    this[WAIT] = undefined;
    if (this.destroyed) {
      this.emit(DONE, error);
      return;
    }
    if (error) {
      errorOrDestroy(this, error);
      return;
    }
    if (count === 0) {
      this.push(null);
      return;
    }
    if (this.pos !== undefined) this.pos += count;
    this.bytesRead += count;
    this.push(bytes);
  };
  const fs = fsOf(this, 'read');
  if (fs !== own) {
    const { read } = fs;
    const buffer = toBuffer(new Uint8Array(size));
    Reflect.apply(read, fs, [this.fd, buffer, 0, size, this.pos, (error, count) =>
      got(error, count > 0 ? toBuffer($.subarray(buffer, 0, count)) : undefined, count)]);
    return;
  }
  this[WAIT] = start({ __proto__: null, call: ['read', this.fd, size, this.pos] }, (error, bytes) =>
    got(error, error === null ? toBuffer(bytes) : undefined, error === null ? $.length(bytes) : 0));
  if (this[REFED] === false) setRef(this[WAIT], false);
};
const REFED = Symbol('kRefed');
/** @this {any} */
ReadStream.prototype._destroy = function (error, callback) {
  // What waits for input waits no longer.
  if (this[WAIT] !== undefined && cancel(this[WAIT])) this[IO] = false;
  whenDone(this, error, callback);
};
/** @this {any} */
ReadStream.prototype.close = function (callback) {
  if (typeof callback === 'function') finished(this, callback);
  this.destroy();
};

/** @this {any} */
function WriteStream(path, given) {
  if (!$.isPrototypeOf(WriteStream.prototype, this)) return new (/** @type {any} */ (WriteStream))(path, given);
  const options = toOptions(given);
  encodingOf(options);
  options.decodeStrings = true;
  takeFd(this, options);
  this[IO] = false;
  this.path = typeof this.fd === 'number' && !path ? undefined : toPath(path);
  if (this[HANDLE]) this.path = undefined;
  this.flags = options.flags === undefined ? 'w' : options.flags;
  Object.assign(this, { mode: options.mode === undefined ? 0o666 : options.mode });
  this.flush = options.flush ?? false;
  if (typeof this.flush !== 'boolean') throw invalidArgType('options.flush', 'of type boolean', options.flush);
  this.start = options.start;
  this.pos = undefined;
  this.bytesWritten = 0;
  if (this.start !== undefined) this.pos = toPlace(this.start, 'start');
  options.autoDestroy = options.autoClose === undefined ? true : options.autoClose;
  options.emitClose ??= true;
  Reflect.apply(Writable, this, [options]);
  if (options.encoding) this.setDefaultEncoding(options.encoding);
  return this;
}
Object.setPrototypeOf(WriteStream.prototype, Writable.prototype);
Object.setPrototypeOf(WriteStream, Writable);
defineShared(WriteStream, '_writableState');
WriteStream.prototype.open = openNow;
const wrote = (stream, callback) => (error, count) => {
  stream[IO] = false;
  if (stream.destroyed) {
    callback(error ?? errors.destroyed('write'));
    stream.emit(DONE, error);
    return;
  }
  if (error) {
    callback(error);
    return;
  }
  stream.bytesWritten += count;
  callback();
};
/** @this {any} */
WriteStream.prototype._write = function (data, encoding, callback) {
  this[IO] = true;
  const done = wrote(this, callback);
  const at = this.pos;
  const size = $.byteLength(data);
  if (this.pos !== undefined) this.pos += size;
  const fs = fsOf(this, 'write');
  if (fs !== own) {
    let failures = 0;
    const again = (offset, length, place) => Reflect.apply(fs.write, fs, [this.fd, data, offset, length, place,
      (error, count) => {
        if (error?.code === 'EAGAIN') error = count = 0;
        failures = count === 0 ? failures + 1 : 0;
        if (error || count >= length || this.destroyed) done(error || null, size);
        else if (failures > MOST_FAILURES) done(create('Error', 'ERR_SYSTEM_ERROR', 'write failed'), 0);
        else again(offset + count, length - count, place === undefined ? place : place + count);
      }]);
    again(0, size, at);
    return;
  }
  start({ __proto__: null, call: ['writeAll', this.fd, data, at] }, done);
};
/** @this {any} */
WriteStream.prototype._writev = function (chunks, callback) {
  const fs = fsOf(this, 'writev');
  if (fs !== own && !fs.writev) {
    const next = (i) => {
      if (i === chunks.length) callback();
      else this._write(chunks[i].chunk, 'buffer', (error) => (error ? callback(error) : next(i + 1)));
    };
    next(0);
    return;
  }
  this[IO] = true;
  const list = $.map(chunks, ({ chunk }) => chunk);
  const size = $.reduce(list, (sum, chunk) => sum + $.byteLength(chunk), 0);
  const at = this.pos;
  if (this.pos !== undefined) this.pos += size;
  const done = wrote(this, callback);
  if (fs !== own) Reflect.apply(fs.writev, fs, [this.fd, list, at, done]);
  else start({ __proto__: null, call: ['writevAll', this.fd, list, at] }, done);
};
/** @this {any} */
WriteStream.prototype._destroy = function (error, callback) {
  if (this.flush && typeof this.fd === 'number' && !error) {
    start(operations.fsync(this.fd), (failed) => whenDone(this, failed, callback));
    return;
  }
  whenDone(this, error, callback);
};
/** @this {any} */
WriteStream.prototype.close = function (callback) {
  if (callback) {
    if (this.closed) {
      require('process').process.nextTick(callback);
      return;
    }
    this.on('close', callback);
  }
  if (!this.autoClose) this.on('finish', this.destroy);
  this.end();
};
WriteStream.prototype.destroySoon = WriteStream.prototype.end;

exports.ReadStream = ReadStream;
exports.WriteStream = WriteStream;
exports.createReadStream = function createReadStream(path, options) {
  return new (/** @type {any} */ (ReadStream))(path, options);
};
exports.createWriteStream = function createWriteStream(path, options) {
  return new (/** @type {any} */ (WriteStream))(path, options);
};
// Whether a stream that waits holds the loop, for standard input.
exports.setStreamRef = (stream, refed) => {
  stream[REFED] = refed;
  if (stream[WAIT] !== undefined) setRef(stream[WAIT], refed);
};
exports.cancelRead = (stream) => {
  if (stream[WAIT] === undefined || !cancel(stream[WAIT])) return false;
  stream[WAIT] = undefined;
  stream[IO] = false;
  return true;
};
// FileHandle's readableWebStream.
exports.webStream = (handle, /** @type {any} */ { autoClose = false, type }) => {
  validateBoolean(autoClose, 'options.autoClose');
  if (type !== undefined && type !== 'bytes') {
    require('process').process.emitWarning(
      'A non-"bytes" options.type has no effect. A byte-oriented steam is always created.', 'ExperimentalWarning');
  }
  handles().useHandle(handle);
  let isDone = false;
  const done = async () => {
    if (isDone) return;
    isDone = true;
    handles().releaseHandle(handle);
    if (autoClose) await $.awaited(handle.close());
  };
  const { ReadableStream, ReadableStreamCancel, slotsOf } = require('readable_stream');
  const stream = new ReadableStream({
    __proto__: null,
    type: 'bytes',
    autoAllocateChunkSize: 16384,
    async pull(controller) {
      const view = controller.byobRequest.view;
      const { bytesRead } = await $.awaited(handle.read(view, 0, $.byteLength(view)));
      if (bytesRead === 0) {
        controller.close();
        await $.awaited(done());
      }
      controller.byobRequest.respond(bytesRead);
    },
    cancel: done,
  });
  handle.once('close', () => ReadableStreamCancel(slotsOf(stream)));
  return stream;
};
