// Readable.
const { abortError, outOfRange } = require('errors');
const { validateAbortSignal, validateObject } = require('validators');
const { Stream, prependListener } = require('stream_legacy');
const {
  addAccessors, addMethods, aggregate, construct, destroy, destroyer, encodingOf, errorOrDestroy, errors,
  highWaterMarkOf, inherit, lengthOf, nextTick, nop, toBuffer, undestroy,
} = require('stream_shared');

/**
 * @constructor
 * @this {any}
 */
function ReadableState(options, _stream, isDuplex) {
  this.objectMode = Boolean(options?.objectMode || (isDuplex && options?.readableObjectMode));
  this.highWaterMark = highWaterMarkOf(options, this.objectMode, 'readableHighWaterMark', isDuplex);
  // Chunks from `bufferIndex` on, and how much they are: bytes, characters or objects.
  this.buffer = [];
  this.bufferIndex = 0;
  this.length = 0;
  this.pipes = [];
  // null until something decides about it.
  this.flowing = null;
  this.paused = null;
  this.ended = false;
  this.endEmitted = false;
  // Whether `_read` has been called and nothing was pushed since.
  this.reading = false;
  this.constructed = true;
  // Whether events have to wait for the next tick.
  this.sync = true;
  this.needReadable = false;
  this.emittedReadable = false;
  this.readableListening = false;
  this.dataListening = false;
  this.resumeScheduled = false;
  this.errorEmitted = false;
  this.emitClose = options?.emitClose !== false;
  this.autoDestroy = options?.autoDestroy !== false;
  this.destroyed = false;
  this.errored = null;
  this.closed = false;
  this.closeEmitted = false;
  this.defaultEncoding = encodingOf(options?.defaultEncoding);
  // The destinations of `pipe` that have to drain: one or, with `multiAwaitDrain`, a Set.
  this.awaitDrainWriters = null;
  this.multiAwaitDrain = false;
  this.readingMore = false;
  this.dataEmitted = false;
  this.decoder = null;
  const encoding = options?.encoding || null;
  if (encoding !== null) this.decoder = new (require('string_decoder').StringDecoder)(encoding);
  Object.assign(this, { encoding });
}
addAccessors(ReadableState.prototype, {
  get pipesCount() {
    return this.pipes.length;
  },
});

/**
 * @constructor
 * @this {any}
 */
function Readable(options) {
  if (!(this instanceof Readable)) return new /** @type {any} */ (Readable)(options);
  this._readableState = new /** @type {any} */ (ReadableState)(options, this, false);
  if (options) {
    if (typeof options.read === 'function') this._read = options.read;
    if (typeof options.destroy === 'function') this._destroy = options.destroy;
    if (typeof options.construct === 'function') this._construct = options.construct;
    if (options.signal) require('stream_finished').addAbortSignal(options.signal, this);
  }
  Reflect.apply(Stream, this, [options]);
  construct(this, () => constructed(this));
  return undefined;
}
inherit(Readable, Stream);
const constructed = (stream) => {
  if (stream._readableState.needReadable) maybeReadMore(stream, stream._readableState);
};

// Whether `push` should be called again.
const wantsMore = (state) => !state.ended && (state.length < state.highWaterMark || state.length === 0);
const sizeOf = (state, chunk) => (state.objectMode ? 1 : lengthOf(chunk));
const drained = (state) => {
  if (state.multiAwaitDrain) state.awaitDrainWriters.clear();
  else state.awaitDrainWriters = null;
};

const addChunk = (stream, state, chunk, atFront) => {
  if (state.flowing && !state.sync && state.dataListening && state.length === 0) {
    drained(state);
    state.dataEmitted = true;
    stream.emit('data', chunk);
  } else {
    state.length += sizeOf(state, chunk);
    if (!atFront) $.push(state.buffer, chunk);
    else if (state.bufferIndex > 0) state.buffer[--state.bufferIndex] = chunk;
    else $.unshift(state.buffer, chunk);
    if (state.needReadable) emitReadable(stream, state);
  }
  maybeReadMore(stream, state);
};
const endOfChunks = (stream, state) => {
  state.reading = false;
  if (state.ended) return;
  const rest = state.decoder?.end();
  if (rest?.length) {
    $.push(state.buffer, rest);
    state.length += sizeOf(state, rest);
  }
  state.ended = true;
  if (state.sync) {
    emitReadable(stream, state);
  } else {
    // At once, because there are parsers that rely on it.
    state.needReadable = false;
    state.emittedReadable = true;
    emitReadableNow(stream);
  }
};
// A chunk of a stream of bytes as what its buffer has: a string in the stream's encoding, or a Buffer. `undefined` for
// what is not a chunk.
const toBytes = (state, chunk, encoding, reencode) => {
  if (typeof chunk !== 'string') return toBuffer(chunk);
  encoding = encoding || state.defaultEncoding;
  if (state.encoding === encoding) return chunk;
  const bytes = require('buffer').Buffer.from(chunk, encoding);
  return reencode && state.encoding ? bytes.toString(state.encoding) : bytes;
};
const push = (stream, state, chunk, encoding) => {
  if (chunk === null) {
    endOfChunks(stream, state);
    return false;
  }
  if (!state.objectMode) {
    const bytes = toBytes(state, chunk, encoding, false);
    if (bytes === undefined && chunk !== undefined) {
      errorOrDestroy(stream, errors.chunkType(chunk));
      return false;
    }
    encoding = typeof bytes === 'string' ? encoding || state.defaultEncoding : '';
    chunk = bytes;
    if (chunk === undefined || lengthOf(chunk) === 0) {
      state.reading = false;
      maybeReadMore(stream, state);
      return wantsMore(state);
    }
  }
  if (state.ended) {
    errorOrDestroy(stream, errors.pushAfterEof());
    return false;
  }
  if (state.destroyed || state.errored) return false;
  state.reading = false;
  if (state.decoder && !encoding) {
    chunk = state.decoder.write(chunk);
    if (!state.objectMode && chunk.length === 0) {
      maybeReadMore(stream, state);
      return wantsMore(state);
    }
  }
  addChunk(stream, state, chunk, false);
  return wantsMore(state);
};
const unshift = (stream, state, chunk, encoding) => {
  if (chunk === null) {
    endOfChunks(stream, state);
    return false;
  }
  if (!state.objectMode) {
    const bytes = toBytes(state, chunk, encoding, true);
    if (bytes === undefined && chunk !== undefined) {
      errorOrDestroy(stream, errors.chunkType(chunk));
      return false;
    }
    chunk = bytes;
    if (chunk === undefined || lengthOf(chunk) === 0) return wantsMore(state);
  }
  if (state.endEmitted) errorOrDestroy(stream, errors.unshiftAfterEnd());
  else if (state.destroyed || state.errored) return false;
  else addChunk(stream, state, chunk, true);
  return wantsMore(state);
};

// Announces that there is something to read, or the end.
const emitReadable = (stream, state) => {
  state.needReadable = false;
  if (state.emittedReadable) return;
  state.emittedReadable = true;
  nextTick(emitReadableNow, stream);
};
const emitReadableNow = (stream) => {
  const state = stream._readableState;
  if (!state.destroyed && !state.errored && (state.length || state.ended)) {
    stream.emit('readable');
    state.emittedReadable = false;
  }
  if (!state.flowing && !state.ended && state.length <= state.highWaterMark) state.needReadable = true;
  flow(stream);
};
const flow = (stream) => {
  while (stream._readableState.flowing && stream.read() !== null);
};
// Fills the buffer up to the high water mark.
const maybeReadMore = (stream, state) => {
  if (state.readingMore || state.reading || !state.constructed) return;
  state.readingMore = true;
  nextTick(() => {
    while (!state.reading && !state.ended &&
      (state.length < state.highWaterMark || (state.flowing && state.length === 0))) {
      const { length } = state;
      stream.read(0);
      if (length === state.length) break;
    }
    state.readingMore = false;
  });
};
const endReadable = (stream) => {
  const state = stream._readableState;
  if (state.endEmitted) return;
  state.ended = true;
  nextTick(() => {
    // (A chunk may have been given back.)
    if (state.errored || state.closeEmitted || state.endEmitted || state.length !== 0) return;
    state.endEmitted = true;
    stream.emit('end');
    if (stream.writable && stream.allowHalfOpen === false) {
      nextTick(() => {
        if (stream.writable && !stream.writableEnded && !stream.destroyed) stream.end();
      });
    } else if (state.autoDestroy) {
      const writing = stream._writableState;
      if (!writing || (writing.autoDestroy && (writing.finished || writing.writable === false))) stream.destroy();
    }
  });
};

const MAX_MARK = 2 ** 30;
const raisedMark = (size) => {
  if (size > MAX_MARK) throw outOfRange('size', '<= 1GiB', size);
  let mark = 1;
  while (mark < size) mark *= 2;
  return mark;
};
// How much `read(size)` returns now; NaN is for all.
const readableNow = (size, state) => {
  if (size <= 0 || (state.length === 0 && state.ended)) return 0;
  if (state.objectMode) return 1;
  if (Number.isNaN(size)) {
    // While it flows, one chunk at a time.
    const one = state.length > 0 && (state.flowing || !state.decoder);
    return one ? lengthOf(state.buffer[state.bufferIndex]) : state.length;
  }
  if (size <= state.length) return size;
  return state.ended ? state.length : 0;
};
const part = (chunk, start, end) => (typeof chunk === 'string' ? $.slice(chunk, start, end)
  : require('buffer').fromBytes($.subarray(chunk, start, end)));
// Takes `size` bytes or characters, or one object, out of the buffer.
const take = (size, state) => {
  if (state.length === 0) return null;
  const { buffer } = state;
  let index = state.bufferIndex;
  let taken;
  const shift = () => {
    const chunk = buffer[index];
    buffer[index++] = null;
    return chunk;
  };
  if (state.objectMode) {
    taken = shift();
  } else {
    const all = !size || size >= state.length;
    let left = all ? state.length : size;
    const first = buffer[index];
    const pieces = [];
    if (lengthOf(first) > left) {
      taken = part(first, 0, left);
      buffer[index] = part(first, left, lengthOf(first));
    } else if (lengthOf(first) === left) {
      taken = shift();
    } else {
      while (left > 0 && index < buffer.length) {
        const chunk = buffer[index];
        const length = lengthOf(chunk);
        if (length <= left) {
          $.push(pieces, shift());
          left -= length;
        } else {
          $.push(pieces, part(chunk, 0, left));
          buffer[index] = part(chunk, left, length);
          left = 0;
        }
      }
      taken = typeof first === 'string' ? $.join(pieces, '') : require('buffer').Buffer.concat(pieces);
    }
  }
  if (index === buffer.length) {
    buffer.length = 0;
    index = 0;
  } else if (index > 1024) {
    $.splice(buffer, 0, index);
    index = 0;
  }
  state.bufferIndex = index;
  return taken;
};

// Answers a change of the listeners for `readable`, in the next tick so that `once` in a loop works.
const updateReadableListening = (stream) => {
  const state = stream._readableState;
  state.readableListening = stream.listenerCount('readable') > 0;
  if (state.resumeScheduled && state.paused === false) state.flowing = true;
  else if (state.dataListening) stream.resume();
  else if (!state.readableListening) state.flowing = null;
};
const resumeNow = (stream, state) => {
  if (!state.reading) stream.read(0);
  state.resumeScheduled = false;
  stream.emit('resume');
  flow(stream);
  if (state.flowing && !state.reading) stream.read(0);
};
const isSet = (value) => value !== undefined && value !== null;

addMethods(Readable.prototype, {
  destroy, _undestroy: undestroy,
  _destroy(error, callback) {
    callback(error);
  },
  [$.symbolFor('nodejs.rejection')](error) {
    this.destroy(error);
  },
  push(chunk, encoding) {
    return push(this, this._readableState, chunk, encoding);
  },
  unshift(chunk, encoding) {
    return unshift(this, this._readableState, chunk, encoding);
  },
  isPaused() {
    const { flowing, paused } = this._readableState;
    return paused === true || flowing === false;
  },
  setEncoding(encoding) {
    const decoder = new (/** @type {any} */ (require('string_decoder').StringDecoder))(encoding);
    const state = this._readableState;
    state.decoder = decoder;
    state.encoding = decoder.encoding;
    let text = '';
    for (const chunk of $.each($.slice(state.buffer, state.bufferIndex))) text += decoder.write(chunk);
    state.buffer.length = 0;
    state.bufferIndex = 0;
    if (text !== '') $.push(state.buffer, text);
    state.length = text.length;
    return this;
  },
  read(size) {
    const state = this._readableState;
    const asked = size === undefined ? NaN : Number.isInteger(size) ? size : parseInt(size, 10);
    if (asked > state.highWaterMark) state.highWaterMark = raisedMark(asked);
    if (asked !== 0) state.emittedReadable = false;
    // `read(0)` only makes things move.
    const isFull = state.highWaterMark !== 0 ? state.length >= state.highWaterMark : state.length > 0;
    if (asked === 0 && state.needReadable && (isFull || state.ended)) {
      if (state.length === 0 && state.ended) endReadable(this);
      else emitReadable(this, state);
      return null;
    }
    let count = readableNow(asked, state);
    if (count === 0 && state.ended) {
      if (state.length === 0) endReadable(this);
      return null;
    }
    const low = state.needReadable || state.length === 0 || state.length - count < state.highWaterMark;
    if (low && !state.reading && !state.ended && !state.destroyed && !state.errored && state.constructed) {
      state.reading = true;
      state.sync = true;
      if (state.length === 0) state.needReadable = true;
      try {
        this._read(state.highWaterMark);
      } catch (error) {
        errorOrDestroy(this, error);
      }
      state.sync = false;
      if (!state.reading) count = readableNow(asked, state);
    }
    const taken = count > 0 ? take(count, state) : null;
    if (taken === null) {
      if (state.length <= state.highWaterMark) state.needReadable = true;
      count = 0;
    } else {
      state.length -= count;
      drained(state);
    }
    if (state.length === 0) {
      if (!state.ended) state.needReadable = true;
      else if (asked !== count) endReadable(this);
    }
    if (taken !== null && !state.errorEmitted && !state.closeEmitted) {
      state.dataEmitted = true;
      this.emit('data', taken);
    }
    return taken;
  },
  _read(_size) {
    throw errors.methodNotImplemented('_read()');
  },
  pipe(dest, options) {
    return pipe(this, this._readableState, dest, options);
  },
  unpipe(dest) {
    const { pipes } = this._readableState;
    if (pipes.length === 0) return this;
    if (!dest) {
      this._readableState.pipes = [];
      this.pause();
      for (const each of $.each(pipes)) each.emit('unpipe', this, { hasUnpiped: false });
      return this;
    }
    const index = $.indexOf(pipes, dest);
    if (index === -1) return this;
    $.splice(pipes, index, 1);
    if (pipes.length === 0) this.pause();
    dest.emit('unpipe', this, { hasUnpiped: false });
    return this;
  },
  on(event, listener) {
    const result = Reflect.apply(Stream.prototype.on, this, [event, listener]);
    const state = this._readableState;
    if (event === 'data') {
      state.dataListening = true;
      if (this.listenerCount('readable') > 0) state.readableListening = true;
      if (state.flowing !== false) this.resume();
    } else if (event === 'readable' && !state.endEmitted && !state.readableListening) {
      state.readableListening = true;
      state.needReadable = true;
      state.flowing = false;
      state.emittedReadable = false;
      if (state.length > 0) emitReadable(this, state);
      else if (!state.reading) nextTick(() => this.read(0));
    }
    return result;
  },
  removeListener(event, listener) {
    const result = Reflect.apply(Stream.prototype.removeListener, this, [event, listener]);
    if (event === 'readable') nextTick(updateReadableListening, this);
    else if (event === 'data' && this.listenerCount('data') === 0) this._readableState.dataListening = false;
    return result;
  },
  removeAllListeners(...events) {
    const result = Reflect.apply(Stream.prototype.removeAllListeners, this, events);
    const { 0: event } = events;
    if (event === 'readable' || event === undefined) nextTick(updateReadableListening, this);
    return result;
  },
  resume() {
    const state = this._readableState;
    if (!state.flowing) {
      state.flowing = !state.readableListening;
      if (!state.resumeScheduled) {
        state.resumeScheduled = true;
        nextTick(resumeNow, this, state);
      }
    }
    state.paused = false;
    return this;
  },
  pause() {
    const state = this._readableState;
    if (state.flowing !== false) {
      state.flowing = false;
      this.emit('pause');
    }
    state.paused = true;
    return this;
  },
  wrap(stream) {
    let paused = false;
    stream.on('data', (chunk) => {
      if (this.push(chunk) || !stream.pause) return;
      paused = true;
      stream.pause();
    });
    stream.on('end', () => this.push(null));
    stream.on('error', (error) => errorOrDestroy(this, error));
    for (const event of $.each(['close', 'destroy'])) stream.on(event, () => this.destroy());
    this._read = () => {
      if (!paused || !stream.resume) return;
      paused = false;
      stream.resume();
    };
    // Its other methods, which matter for filters.
    for (const name of $.each($.slice(Object.keys(stream), 1))) {
      const method = stream[name];
      if (this[name] === undefined && typeof method === 'function') {
        this[name] = (...args) => Reflect.apply(method, stream, args);
      }
    }
    return this;
  },
  iterator(options) {
    if (options !== undefined) validateObject(options, 'options');
    return iterate(this, options);
  },
  [Symbol.asyncIterator]() {
    return iterate(this);
  },
  [Symbol.asyncDispose ?? $.symbolFor('nodejs.asyncDispose')]() {
    const error = this.destroyed || this.readableEnded ? null : abortError();
    if (!this.destroyed) this.destroy(error);
    return new Promise((resolve, reject) => {
      require('stream_finished').finished(this, (failure) => {
        if (failure && failure !== error) reject(failure);
        else resolve(null);
      });
    });
  },
  compose(stream, options) {
    if (isSet(options)) validateObject(options, 'options');
    if (isSet(options?.signal)) validateAbortSignal(options.signal, 'options.signal');
    const composed = require('stream_compose').compose(this, stream);
    if (options?.signal) require('stream_finished').addAbortSignal(options.signal, composed);
    return composed;
  },
});
Object.assign(Readable.prototype, {
  addListener: Readable.prototype.on, off: Readable.prototype.removeListener,
});

const pipe = (source, state, dest, options) => {
  if (state.pipes.length === 1 && !state.multiAwaitDrain) {
    state.multiAwaitDrain = true;
    const set = new Set();
    if (state.awaitDrainWriters) set.add(state.awaitDrainWriters);
    state.awaitDrainWriters = set;
  }
  $.push(state.pipes, dest);
  const { process } = require('process');
  const ends = (!options || options.end !== false) && dest !== process.stdout && dest !== process.stderr;
  const unpipe = () => source.unpipe(dest);
  const end = () => dest.end();
  const atEnd = ends ? end : unpipe;
  let isOver = false;
  let drain;
  const unpiped = (readable, info) => {
    if (readable !== source || !info || info.hasUnpiped !== false) return;
    info.hasUnpiped = true;
    dest.removeListener('close', closed);
    dest.removeListener('finish', finished);
    if (drain) dest.removeListener('drain', drain);
    dest.removeListener('error', failed);
    dest.removeListener('unpipe', unpiped);
    source.removeListener('end', end);
    source.removeListener('end', unpipe);
    source.removeListener('data', data);
    isOver = true;
    // Nobody waits for this destination any more.
    if (drain && state.awaitDrainWriters && (!dest._writableState || dest._writableState.needDrain)) drain();
  };
  const pause = () => {
    // (A write may have unpiped the destination.)
    if (!isOver) {
      if (state.pipes.length === 1 && state.pipes[0] === dest) {
        state.awaitDrainWriters = dest;
        state.multiAwaitDrain = false;
      } else if (state.pipes.length > 1 && $.includes(state.pipes, dest)) {
        state.awaitDrainWriters.add(dest);
      }
      source.pause();
    }
    if (drain) return;
    drain = () => {
      if (state.awaitDrainWriters === dest) state.awaitDrainWriters = null;
      else if (state.multiAwaitDrain) state.awaitDrainWriters.delete(dest);
      if ((!state.awaitDrainWriters || state.awaitDrainWriters.size === 0) && state.dataListening) source.resume();
    };
    dest.on('drain', drain);
  };
  const data = (chunk) => {
    try {
      if (dest.write(chunk) === false) pause();
    } catch (error) {
      dest.destroy(error);
    }
  };
  const failed = (error) => {
    unpipe();
    dest.removeListener('error', failed);
    if (dest.listenerCount('error') !== 0) return;
    const there = dest._writableState || dest._readableState;
    if (there && !there.errorEmitted) errorOrDestroy(dest, error);
    else dest.emit('error', error);
  };
  const closed = () => {
    dest.removeListener('finish', finished);
    unpipe();
  };
  const finished = () => {
    dest.removeListener('close', closed);
    unpipe();
  };
  if (state.endEmitted) nextTick(atEnd);
  else source.once('end', atEnd);
  dest.on('unpipe', unpiped);
  source.on('data', data);
  prependListener(dest, 'error', failed);
  dest.once('close', closed);
  dest.once('finish', finished);
  dest.emit('pipe', source);
  if (dest.writableNeedDrain === true) pause();
  else if (!state.flowing) source.resume();
  return dest;
};

const iterate = (stream, options = undefined) => {
  if (typeof stream.read !== 'function') stream = exports.Readable.wrap(stream, { __proto__: null, objectMode: true });
  const iterator = chunksOf(stream, options);
  return Object.assign(iterator, { stream });
};
/** @returns {any} */
async function* chunksOf(stream, options) {
  let wake = nop;
  const woken = () => {
    const call = wake;
    wake = nop;
    call();
  };
  // undefined while the stream goes on, null at its end.
  let error;
  const readable = () => woken();
  stream.on('readable', readable);
  const cleanup = require('stream_finished').finished(stream, { __proto__: null, writable: false }, (failure) => {
    error = failure ? aggregate(error, failure) : null;
    woken();
  });
  try {
    while (true) {
      const chunk = stream.destroyed ? null : stream.read();
      if (chunk !== null) yield chunk;
      else if (error) throw error;
      else if (error === null) return;
      else await $.awaited(new Promise((resolve) => (wake = resolve)));
    }
  } catch (thrown) {
    error = aggregate(error, thrown);
    throw error;
  } finally {
    if ((error || options?.destroyOnReturn !== false) && (error === undefined || stream._readableState.autoDestroy)) {
      destroyer(stream, null);
    } else {
      stream.off('readable', readable);
      cleanup();
    }
  }
}

const stateOf = (stream) => stream._readableState;
addAccessors(Readable.prototype, {
  get readable() {
    const state = stateOf(this);
    return Boolean(state) && state.readable !== false && !state.destroyed && !state.errorEmitted && !state.endEmitted;
  },
  // (Some libraries set it.)
  set readable(value) {
    if (stateOf(this)) stateOf(this).readable = Boolean(value);
  },
  get readableDidRead() {
    return stateOf(this).dataEmitted;
  },
  get readableAborted() {
    const state = stateOf(this);
    return Boolean(state.readable !== false && (state.destroyed || state.errored) && !state.endEmitted);
  },
  get readableHighWaterMark() {
    return stateOf(this).highWaterMark;
  },
  get readableBuffer() {
    return stateOf(this)?.buffer;
  },
  get readableFlowing() {
    return stateOf(this).flowing;
  },
  set readableFlowing(value) {
    if (stateOf(this)) stateOf(this).flowing = value;
  },
  get readableLength() {
    return stateOf(this).length;
  },
  get readableObjectMode() {
    return stateOf(this)?.objectMode ?? false;
  },
  get readableEncoding() {
    return stateOf(this)?.encoding ?? null;
  },
  get errored() {
    return stateOf(this)?.errored ?? null;
  },
  get closed() {
    return stateOf(this)?.closed ?? false;
  },
  get destroyed() {
    return stateOf(this)?.destroyed ?? false;
  },
  set destroyed(value) {
    if (stateOf(this)) stateOf(this).destroyed = value;
  },
  get readableEnded() {
    return stateOf(this)?.endEmitted ?? false;
  },
});

Object.assign(Readable, {
  ReadableState, _fromList: take,
  from: function from(iterable, options) {
    return require('stream_from').from(Readable, iterable, options);
  },
  fromWeb: function fromWeb(stream, options) {
    return require('stream_adapters').readableFromWeb(stream, options);
  },
  toWeb: function toWeb(stream, options) {
    return require('stream_adapters').readableToWeb(stream, options);
  },
  wrap: function wrap(source, options) {
    const stream = new /** @type {any} */ (Readable)({
      objectMode: source.readableObjectMode ?? source.objectMode ?? true, ...options,
      destroy(error, callback) {
        destroyer(source, error);
        callback(error);
      },
    });
    return stream.wrap(source);
  },
});
exports.Readable = /** @type {any} */ (Readable);
exports.constructed = constructed;
