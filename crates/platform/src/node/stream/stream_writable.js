// Writable.
const { abortError } = require('errors');
const { Stream } = require('stream_legacy');
const {
  addAccessors, addMethods, construct, destroy, encodingOf, errorOrDestroy, errors, highWaterMarkOf, inherit, lengthOf,
  nextTick, nop, toBuffer, undestroy,
} = require('stream_shared');

/**
 * @constructor
 * @this {any}
 */
function WritableState(options, stream, isDuplex) {
  this.objectMode = Boolean(options?.objectMode || (isDuplex && options?.writableObjectMode));
  this.highWaterMark = highWaterMarkOf(options, this.objectMode, 'writableHighWaterMark', isDuplex);
  this.finalCalled = false;
  this.needDrain = false;
  // `end()` has been called; it has returned; `finish` has been emitted.
  this.ending = false;
  this.ended = false;
  this.finished = false;
  this.destroyed = false;
  this.decodeStrings = options?.decodeStrings !== false;
  this.defaultEncoding = encodingOf(options?.defaultEncoding);
  // What waits to be written or is being written.
  this.length = 0;
  this.writing = false;
  this.corked = 0;
  // Whether events and callbacks have to wait for the next tick.
  this.sync = true;
  this.bufferProcessing = false;
  this.onwrite = (error) => written(stream, error);
  // The callback and the length of what is being written, and whether `_write` may still call back.
  this.writecb = nop;
  this.writelen = 0;
  this.expectsCallback = false;
  this.afterWriteTickInfo = null;
  this.afterWritePending = false;
  reset(this);
  // The callbacks of writes and of `_final` that have not been called.
  this.pendingcb = 0;
  this.constructed = true;
  this.prefinished = false;
  this.errorEmitted = false;
  this.emitClose = options?.emitClose !== false;
  this.autoDestroy = options?.autoDestroy !== false;
  this.errored = null;
  this.closed = false;
  this.closeEmitted = false;
  this.onFinished = [];
}
const reset = (state) => {
  state.buffered = [];
  state.bufferedIndex = 0;
  state.allBuffers = true;
  state.allNoop = true;
};
addMethods(WritableState.prototype, {
  getBuffer() {
    return $.slice(this.buffered, this.bufferedIndex);
  },
});
addAccessors(WritableState.prototype, {
  get bufferedRequestCount() {
    return this.buffered.length - this.bufferedIndex;
  },
});

/**
 * @constructor
 * @this {any}
 */
function Writable(options) {
  if (!(this instanceof Writable)) return new /** @type {any} */ (Writable)(options);
  this._writableState = new /** @type {any} */ (WritableState)(options, this, false);
  if (options) {
    for (const name of $.each(['write', 'writev', 'destroy', 'final', 'construct'])) {
      if (typeof options[name] === 'function') this[$.text`_${name}`] = options[name];
    }
    if (options.signal) require('stream_finished').addAbortSignal(options.signal, this);
  }
  Reflect.apply(Stream, this, [options]);
  construct(this, () => constructed(this));
  return undefined;
}
inherit(Writable, Stream);
const isInstance = $.real.Function.prototype[Symbol.hasInstance];
// A Duplex is an instance of both.
/** @this {any} */
const hasInstance = function (value) {
  if (Reflect.apply(isInstance, this, [value])) return true;
  return this === Writable && Boolean(value) && value._writableState instanceof WritableState;
};
Object.defineProperty(Writable, Symbol.hasInstance, { value: hasInstance });
const constructed = (stream) => {
  const state = stream._writableState;
  if (!state.writing) writeBuffered(stream, state);
  if (state.ending) finishMaybe(stream, state);
};

const sizeOf = (state, chunk) => (state.objectMode ? 1 : lengthOf(chunk));
// Returns what `write` returns, or the error for which nothing is written.
const write = (stream, chunk, encoding, callback) => {
  const state = stream._writableState;
  if (typeof callback !== 'function') callback = nop;
  if (chunk === null) throw errors.nullValues();
  if (!state.objectMode) {
    if (!encoding) encoding = state.defaultEncoding;
    else if (encoding !== 'buffer') encodingOf(encoding);
    if (typeof chunk === 'string') {
      if (state.decodeStrings) {
        chunk = require('buffer').Buffer.from(chunk, encoding);
        encoding = 'buffer';
      }
    } else {
      const bytes = toBuffer(chunk);
      if (bytes === undefined) throw errors.chunkType(chunk);
      chunk = bytes;
      encoding = 'buffer';
    }
  }
  const error = state.ending ? errors.writeAfterEnd() : state.destroyed ? errors.destroyed('write') : undefined;
  if (error) {
    nextTick(callback, error);
    errorOrDestroy(stream, error, true);
    return error;
  }
  state.pendingcb += 1;
  const size = sizeOf(state, chunk);
  state.length += size;
  if (state.writing || state.errored || state.corked || !state.constructed) {
    $.push(state.buffered, { chunk, encoding, callback });
    if (encoding !== 'buffer') state.allBuffers = false;
    if (callback !== nop) state.allNoop = false;
  } else {
    begin(state, size, callback);
    stream._write(chunk, encoding, state.onwrite);
    state.sync = false;
  }
  const isLow = state.length < state.highWaterMark || state.length === 0;
  if (!isLow) state.needDrain = true;
  return isLow && !state.destroyed && !state.errored;
};
const begin = (state, size, callback) => {
  state.writelen = size;
  state.writecb = callback;
  state.writing = true;
  state.sync = true;
  state.expectsCallback = true;
};
// What `_write` and `_writev` call back.
const written = (stream, error) => {
  const state = stream._writableState;
  if (!state.expectsCallback) {
    errorOrDestroy(stream, errors.multipleCallback());
    return;
  }
  const { sync, writecb: callback } = state;
  state.writecb = nop;
  state.writing = false;
  state.expectsCallback = false;
  state.length -= state.writelen;
  state.writelen = 0;
  if (error) {
    state.errored ||= error;
    if (stream._readableState) stream._readableState.errored ||= error;
    const failed = () => {
      state.pendingcb -= 1;
      callback(error);
      dropBuffered(state);
      errorOrDestroy(stream, error);
    };
    if (sync) nextTick(failed);
    else failed();
    return;
  }
  if (state.buffered.length > state.bufferedIndex) writeBuffered(stream, state);
  if (!sync) {
    afterWrite(stream, state, 1, callback);
    return;
  }
  const needsTick = (state.needDrain && state.length === 0) || state.destroyed || callback !== nop;
  const { afterWriteTickInfo: pending } = state;
  if (callback !== nop && pending !== null && pending.callback === callback) {
    // One tick for many writes with the same callback.
    pending.count += 1;
  } else if (needsTick && (callback !== nop || !state.afterWritePending)) {
    const info = { callback, count: 1 };
    if (callback !== nop) state.afterWriteTickInfo = info;
    state.afterWritePending = true;
    nextTick(() => {
      if (callback !== nop) state.afterWriteTickInfo = null;
      afterWrite(stream, state, info.count, callback);
    });
  } else {
    state.pendingcb -= 1;
    if (state.ending) finishMaybe(stream, state, true);
  }
};
const afterWrite = (stream, state, count, callback) => {
  state.afterWritePending = false;
  if (state.needDrain && !state.ending && !state.destroyed && state.length === 0) {
    state.needDrain = false;
    stream.emit('drain');
  }
  for (; count > 0; count--) {
    state.pendingcb -= 1;
    callback(null);
  }
  if (state.destroyed) dropBuffered(state);
  if (state.ending) finishMaybe(stream, state, true);
};
// Calls the callbacks of what will not be written any more.
const dropBuffered = (state) => {
  if (state.writing) return;
  const { buffered } = state;
  for (let i = state.bufferedIndex; i < buffered.length; i++) {
    const { chunk, callback } = buffered[i];
    state.length -= sizeOf(state, chunk);
    callback(state.errored ?? errors.destroyed('write'));
  }
  callFinished(state, state.errored ?? errors.destroyed('end'));
  reset(state);
};
const writeBuffered = (stream, state) => {
  const { buffered } = state;
  let index = state.bufferedIndex;
  const count = buffered.length - index;
  if (state.corked || state.bufferProcessing || state.destroyed || !state.constructed || count === 0) return;
  state.bufferProcessing = true;
  const start = (size, callback, call) => {
    begin(state, size, callback);
    if (state.destroyed) state.onwrite(errors.destroyed('write'));
    else call();
    state.sync = false;
  };
  if (count > 1 && stream._writev) {
    state.pendingcb -= count - 1;
    const entries = $.slice(buffered, index);
    const callback = state.allNoop ? nop : (error) => {
      for (const { callback } of $.each($.slice(entries))) callback(error);
    };
    const chunks = Object.assign($.slice(entries), { allBuffers: state.allBuffers });
    start(state.length, callback, () => stream._writev(chunks, state.onwrite));
    reset(state);
  } else {
    do {
      const { chunk, encoding, callback } = buffered[index];
      buffered[index++] = null;
      start(sizeOf(state, chunk), callback, () => stream._write(chunk, encoding, state.onwrite));
    } while (index < buffered.length && !state.writing);
    if (index === buffered.length) {
      reset(state);
    } else if (index > 256) {
      $.splice(buffered, 0, index);
      state.bufferedIndex = 0;
    } else {
      state.bufferedIndex = index;
    }
  }
  state.bufferProcessing = false;
};

const needsFinish = (state) =>
  state.ending && state.constructed && state.length === 0 && state.buffered.length === state.bufferedIndex &&
  !state.destroyed && !state.finished && !state.writing && !state.errorEmitted && !state.closeEmitted &&
  !state.errored;
const finalDone = (stream, state, error) => {
  if (state.prefinished) {
    errorOrDestroy(stream, error ?? errors.multipleCallback());
    return;
  }
  state.pendingcb -= 1;
  if (error) {
    callFinished(state, error);
    errorOrDestroy(stream, error, state.sync);
  } else if (needsFinish(state)) {
    state.prefinished = true;
    stream.emit('prefinish');
    state.pendingcb += 1;
    nextTick(finish, stream, state);
  }
};
const prefinish = (stream, state) => {
  if (state.prefinished || state.finalCalled) return;
  state.finalCalled = true;
  if (typeof stream._final !== 'function' || state.destroyed) {
    state.prefinished = true;
    stream.emit('prefinish');
    return;
  }
  state.sync = true;
  state.pendingcb += 1;
  try {
    stream._final((error) => finalDone(stream, state, error));
  } catch (error) {
    finalDone(stream, state, error);
  }
  state.sync = false;
};
const finishMaybe = (stream, state, sync = false) => {
  if (!needsFinish(state)) return;
  prefinish(stream, state);
  if (state.pendingcb !== 0) return;
  if (sync) {
    state.pendingcb += 1;
    nextTick(() => {
      if (needsFinish(state)) finish(stream, state);
      else state.pendingcb -= 1;
    });
  } else if (needsFinish(state)) {
    state.pendingcb += 1;
    finish(stream, state);
  }
};
const finish = (stream, state) => {
  state.pendingcb -= 1;
  state.finished = true;
  callFinished(state, null);
  stream.emit('finish');
  if (!state.autoDestroy) return;
  const reading = stream._readableState;
  if (!reading || (reading.autoDestroy && (reading.endEmitted || reading.readable === false))) stream.destroy();
};
const callFinished = (state, error) => {
  const { onFinished } = state;
  state.onFinished = [];
  for (const call of $.each(onFinished)) call(error);
};

addMethods(Writable.prototype, {
  pipe() {
    errorOrDestroy(this, errors.cannotPipe());
  },
  write(chunk, encoding, callback) {
    if (typeof encoding === 'function') return write(this, chunk, null, encoding) === true;
    return write(this, chunk, encoding, callback) === true;
  },
  cork() {
    this._writableState.corked += 1;
  },
  uncork() {
    const state = this._writableState;
    if (!state.corked) return;
    state.corked -= 1;
    if (!state.writing) writeBuffered(this, state);
  },
  setDefaultEncoding(encoding) {
    if (typeof encoding === 'string') encoding = $.toLowerCase(encoding);
    if (!require('buffer').Buffer.isEncoding(encoding)) throw errors.unknownEncoding(encoding);
    this._writableState.defaultEncoding = encoding;
    return this;
  },
  _write(chunk, encoding, callback) {
    if (!this._writev) throw errors.methodNotImplemented('_write()');
    this._writev([{ chunk, encoding }], callback);
  },
  _writev: null,
  end(chunk, encoding, callback) {
    const state = this._writableState;
    if (typeof chunk === 'function') {
      callback = chunk;
      chunk = encoding = null;
    } else if (typeof encoding === 'function') {
      callback = encoding;
      encoding = null;
    }
    let error;
    if (chunk !== undefined && chunk !== null) {
      const result = write(this, chunk, encoding, undefined);
      if (typeof result !== 'boolean') error = result;
    }
    if (state.corked) {
      state.corked = 1;
      this.uncork();
    }
    if (!error) {
      if (!state.ending && !state.errored) {
        state.ending = true;
        finishMaybe(this, state, true);
        state.ended = true;
      } else if (state.finished) {
        error = errors.alreadyFinished('end');
      } else if (state.destroyed) {
        error = errors.destroyed('end');
      }
    }
    if (typeof callback === 'function') {
      if (error) nextTick(callback, error);
      else if (state.errored) nextTick(callback, state.errored);
      else if (state.finished) nextTick(callback, null);
      else $.push(state.onFinished, callback);
    }
    return this;
  },
  destroy(error, callback) {
    const state = this._writableState;
    if (!state.destroyed && (state.buffered.length > state.bufferedIndex || state.onFinished.length > 0)) {
      nextTick(dropBuffered, state);
    }
    Reflect.apply(destroy, this, [error, callback]);
    return this;
  },
  _undestroy: undestroy,
  _destroy(error, callback) {
    callback(error);
  },
  [$.symbolFor('nodejs.rejection')](error) {
    this.destroy(error);
  },
  async [Symbol.asyncDispose ?? $.symbolFor('nodejs.asyncDispose')]() {
    if (!this.destroyed) this.destroy(this.writableFinished ? null : abortError());
    await $.awaited(new Promise((resolve, reject) => {
      require('stream_finished').finished(this, (error) => {
        if (error && error.name !== 'AbortError') reject(error);
        else resolve(null);
      });
    }));
  },
});

const stateOf = (stream) => stream._writableState;
addAccessors(Writable.prototype, {
  get closed() {
    return stateOf(this)?.closed ?? false;
  },
  get destroyed() {
    return stateOf(this)?.destroyed ?? false;
  },
  set destroyed(value) {
    if (stateOf(this)) stateOf(this).destroyed = Boolean(value);
  },
  get writable() {
    const state = stateOf(this);
    return Boolean(state) && state.writable !== false && !state.ending && !state.ended && !state.destroyed &&
      !state.errored;
  },
  // (Some libraries set it.)
  set writable(value) {
    if (stateOf(this)) stateOf(this).writable = Boolean(value);
  },
  get writableFinished() {
    return stateOf(this)?.finished ?? false;
  },
  get writableObjectMode() {
    return stateOf(this)?.objectMode ?? false;
  },
  get writableBuffer() {
    return stateOf(this)?.getBuffer();
  },
  get writableEnded() {
    return stateOf(this)?.ending ?? false;
  },
  get writableNeedDrain() {
    const state = stateOf(this);
    return Boolean(state) && state.needDrain && !state.destroyed && !state.ending;
  },
  get writableHighWaterMark() {
    return stateOf(this)?.highWaterMark;
  },
  get writableCorked() {
    return stateOf(this)?.corked ?? 0;
  },
  get writableLength() {
    return stateOf(this)?.length;
  },
  get errored() {
    return stateOf(this)?.errored ?? null;
  },
  get writableAborted() {
    const state = stateOf(this);
    return state.writable !== false && Boolean(state.destroyed || state.errored) && !state.finished;
  },
});
Object.assign(Writable, {
  WritableState,
  fromWeb: function fromWeb(stream, options) {
    return require('stream_adapters').writableFromWeb(stream, options);
  },
  toWeb: function toWeb(stream) {
    return require('stream_adapters').writableToWeb(stream);
  },
});
exports.Writable = /** @type {any} */ (Writable);
exports.constructed = constructed;
