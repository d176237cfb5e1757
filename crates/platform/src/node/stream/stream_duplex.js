// Duplex, Transform and PassThrough.
const { Stream } = require('stream_legacy');
const readable = require('stream_readable');
const writable = require('stream_writable');
const {
  addAccessors, addMethods, construct, errors, highWaterMarkOf, inherit, lengthOf, nextTick,
} = require('stream_shared');
const { Readable } = readable;
const { Writable } = writable;

/**
 * @constructor
 * @this {any}
 * @param {any} [options]
 */
function Duplex(options) {
  if (!(this instanceof Duplex)) return new /** @type {any} */ (Duplex)(options);
  this._readableState = new Readable.ReadableState(options, this, true);
  this._writableState = new Writable.WritableState(options, this, true);
  this.allowHalfOpen = options?.allowHalfOpen !== false;
  if (options) {
    if (options.readable === false) {
      Object.assign(this._readableState, { readable: false, ended: true, endEmitted: true });
    }
    if (options.writable === false) {
      Object.assign(this._writableState, { writable: false, ending: true, ended: true, finished: true });
    }
    for (const name of $.each(['read', 'write', 'writev', 'destroy', 'final', 'construct'])) {
      if (typeof options[name] === 'function') this[$.text`_${name}`] = options[name];
    }
    if (options.signal) require('stream_finished').addAbortSignal(options.signal, this);
  }
  Reflect.apply(Stream, this, [options]);
  construct(this, () => {
    readable.constructed(this);
    writable.constructed(this);
  });
  return undefined;
}
inherit(Duplex, Readable);
for (const name of $.each(Object.keys(Writable.prototype))) {
  if (!Duplex.prototype[name]) Object.assign(Duplex.prototype, { [name]: Writable.prototype[name] });
}
Object.assign(Duplex.prototype, { destroy: Writable.prototype.destroy, _writev: null });
for (const { 0: name, 1: accessor } of $.each(Object.entries(Object.getOwnPropertyDescriptors(Writable.prototype)))) {
  if ($.startsWith(name, 'writable') && accessor.get && name !== 'writableAborted') {
    Object.defineProperty(Duplex.prototype, name, accessor);
  }
}
addAccessors(Duplex.prototype, {
  get destroyed() {
    return Boolean(this._readableState?.destroyed && this._writableState?.destroyed);
  },
  set destroyed(value) {
    if (!this._readableState || !this._writableState) return;
    this._readableState.destroyed = value;
    this._writableState.destroyed = value;
  },
});
Object.assign(Duplex, {
  from: function from(body) {
    return require('stream_duplexify').duplexify(body, 'body');
  },
  fromWeb: function fromWeb(pair, options) {
    return require('stream_adapters').duplexFromWeb(pair, options);
  },
  toWeb: function toWeb(duplex, options) {
    return require('stream_adapters').duplexToWeb(duplex, options);
  },
});

const kCallback = Symbol('kCallback');
/** @this {any} */
function final(callback) {
  const done = (error, data) => {
    if (error) {
      if (callback) callback(error);
      else this.destroy(error);
      return;
    }
    if (data !== undefined && data !== null) this.push(data);
    this.push(null);
    if (callback) callback();
  };
  if (typeof this._flush === 'function' && !this.destroyed) this._flush(done);
  else done();
}
// There are classes with a `_final` of their own that expect `_flush` to be called as well.
/** @this {any} */
function prefinish() {
  if (this._final !== final) Reflect.apply(final, this, []);
}
/**
 * @constructor
 * @this {any}
 */
function Transform(options) {
  if (!(this instanceof Transform)) return new /** @type {any} */ (Transform)(options);
  const readableHighWaterMark =
    options ? highWaterMarkOf(options, false, 'readableHighWaterMark', true) : null;
  // What must not be buffered on one side is not buffered on the other either.
  if (readableHighWaterMark === 0) {
    options = {
      ...options, highWaterMark: null, readableHighWaterMark,
      writableHighWaterMark: options.writableHighWaterMark || 0,
    };
  }
  Reflect.apply(Duplex, this, [options]);
  const stream = /** @type {any} */ (this);
  stream._readableState.sync = false;
  stream[kCallback] = null;
  if (typeof options?.transform === 'function') stream._transform = options.transform;
  if (typeof options?.flush === 'function') stream._flush = options.flush;
  stream.on('prefinish', prefinish);
  return undefined;
}
inherit(Transform, Duplex);
addMethods(Transform.prototype, {
  _final: final,
  _transform(_chunk, _encoding, _callback) {
    throw errors.methodNotImplemented('_transform()');
  },
  _write(chunk, encoding, callback) {
    const { _readableState: reading, _writableState: writing } = this;
    const { length } = reading;
    this._transform(chunk, encoding, (error, value) => {
      if (error) {
        callback(error);
        return;
      }
      if (value !== undefined && value !== null) this.push(value);
      if (reading.ended) nextTick(callback);
      else if (writing.ended || length === reading.length || reading.length < reading.highWaterMark) callback();
      else this[kCallback] = callback;
    });
  },
  _read() {
    const { [kCallback]: callback } = this;
    if (!callback) return;
    this[kCallback] = null;
    callback();
  },
});

/**
 * @constructor
 * @this {any}
 */
function PassThrough(options) {
  if (!(this instanceof PassThrough)) return new /** @type {any} */ (PassThrough)(options);
  Reflect.apply(Transform, this, [options]);
  return undefined;
}
inherit(PassThrough, Transform);
addMethods(PassThrough.prototype, {
  _transform(chunk, encoding, callback) {
    callback(null, chunk);
  },
});

// Two streams, each of which reads what the other one writes.
class DuplexSide extends /** @type {new (options: any) => any} */ (/** @type {any} */ (Duplex)) {
  other;
  callback = null;
  _read() {
    const { callback } = this;
    if (!callback) return;
    this.callback = null;
    callback();
  }
  _write(chunk, encoding, callback) {
    if (!this._writableState.objectMode && lengthOf(chunk) === 0) {
      nextTick(callback);
      return;
    }
    this.other.push(chunk);
    this.other.callback = callback;
  }
  _final(callback) {
    this.other.on('end', callback);
    this.other.push(null);
  }
}
exports.duplexPair = function duplexPair(options) {
  const { 0: one, 1: two } = [new DuplexSide(options), new DuplexSide(options)];
  one.other = two;
  two.other = one;
  return [one, two];
};
exports.Duplex = /** @type {any} */ (Duplex);
exports.Transform = /** @type {any} */ (Transform);
exports.PassThrough = /** @type {any} */ (PassThrough);
