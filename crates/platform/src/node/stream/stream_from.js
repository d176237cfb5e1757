// Iterators as streams: Readable.from.
const { invalidArgType } = require('errors');
const { errors, nextTick } = require('stream_shared');
const isSet = (value) => value !== undefined && value !== null;

// A value that is a promise counts as what it is fulfilled with.
/** A stream of class `Class` of what an iterable has. */
exports.from = (Class, iterable, options) => {
  if (typeof iterable === 'string' || iterable instanceof require('buffer').Buffer) {
    return new Class({
      __proto__: null, objectMode: true, ...options,
      /** @this {any} */
      read() {
        this.push(iterable);
        this.push(null);
      },
    });
  }
  const isAsync = Boolean(iterable?.[Symbol.asyncIterator]);
  if (!isAsync && !iterable?.[Symbol.iterator]) throw invalidArgType('iterable', 'an instance of Iterable', iterable);
  const iterator = isAsync ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  const stream = new Class({ __proto__: null, objectMode: true, highWaterMark: 1, ...options });
  let reading = false;
  // Pushes the value of a step; false if there is nothing more to do for now.
  const pushed = (value) => {
    if (value === null) {
      reading = false;
      throw errors.nullValues();
    }
    if (stream.push(value)) return true;
    reading = false;
    return false;
  };
  const later = async (step) => {
    try {
      while (true) {
        step ??= isAsync ? await $.awaited(iterator.next()) : iterator.next();
        const { value, done } = step;
        step = undefined;
        if (done) {
          stream.push(null);
          return;
        }
        const isPromise = !isAsync && value && typeof value.then === 'function';
        if (!pushed(isPromise ? await $.awaited(value) : value)) return;
      }
    } catch (error) {
      stream.destroy(error);
    }
  };
  let hasPromises = isAsync;
  stream._read = () => {
    if (reading) return;
    reading = true;
    if (hasPromises) {
      later();
      return;
    }
    try {
      while (true) {
        const { value, done } = iterator.next();
        if (done) {
          stream.push(null);
          return;
        }
        if (value && typeof value.then === 'function') {
          hasPromises = true;
          later({ value, done });
          return;
        }
        if (!pushed(value)) return;
      }
    } catch (error) {
      stream.destroy(error);
    }
  };
  const close = async (error) => {
    if (isSet(error) && typeof iterator.throw === 'function') {
      const { value, done } = await $.awaited(iterator.throw(error));
      await $.awaited(value);
      if (done) return;
    }
    if (typeof iterator.return === 'function') {
      const { value } = await $.awaited(iterator.return());
      await $.awaited(value);
    }
  };
  stream._destroy = (error, callback) => {
    $.then(close(error), () => nextTick(callback, error), (failure) => nextTick(callback, failure || error));
  };
  return stream;
};
