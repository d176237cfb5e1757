// ReadableStream.from, and the asynchronous iteration of a ReadableStream (Streams Standard, §4.2.5 and §4.9.1).
const { invalidThis, isObject, promiseCall } = require('web_streams_shared');
const {
  AcquireReadableStreamDefaultReader, CreateReadableStream, ReadableStreamCancel,
  ReadableStreamDefaultControllerClose, ReadableStreamDefaultControllerEnqueue, ReadableStreamDefaultReaderRead,
  ReadableStreamDefaultReaderRelease,
} = require('readable_stream');
const { create, invalidArgType } = require('errors');

// GetIterator(value, async), with the `next` method that the language keeps.
const GetAsyncIterator = (value) => {
  const wrong = () => create('TypeError', 'ERR_ARG_NOT_ITERABLE', 'iterable must be iterable');
  if (value === null || value === undefined) throw wrong();
  let method = value[Symbol.asyncIterator];
  const isAsync = method !== undefined && method !== null;
  if (!isAsync) method = value[Symbol.iterator];
  if (typeof method !== 'function') throw wrong();
  const iterator = Reflect.apply(method, value, []);
  if (!isObject(iterator)) throw invalidArgType('iterator', 'of type object', iterator);
  return { iterator, next: iterator.next, isAsync };
};
const notObject = (what) =>
  create('TypeError', 'ERR_INVALID_STATE', $.text`Invalid state: The ${what} result must be an object`);

exports.ReadableStreamFromIterable = (iterable) => {
  const { iterator, next, isAsync } = GetAsyncIterator(iterable);
  const pull = () => $.then(promiseCall(next, iterator), (result) => {
    if (!isObject(result)) throw notObject('iterator.next()');
    if (result.done) {
      ReadableStreamDefaultControllerClose(stream.controller);
      return undefined;
    }
    const enqueue = (value) => ReadableStreamDefaultControllerEnqueue(stream.controller, value);
    // (The values of a synchronous iterator may be promises.)
    return isAsync ? enqueue(result.value) : $.then($.resolved(result.value), enqueue);
  });
  const cancel = (reason) => {
    let method;
    try {
      ({ return: method } = iterator);
    } catch (error) {
      return $.rejected(error);
    }
    if (method === undefined || method === null) return $.resolved();
    return $.then(promiseCall(method, iterator, reason), (result) => {
      if (!isObject(result)) throw notObject('iterator.return()');
    });
  };
  const stream = CreateReadableStream(() => undefined, pull, cancel, 0);
  return stream;
};

// WebIDL's asynchronous iterators: what is asked of one is done in turn.
const AsyncIteratorPrototype =
  Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype));
class ReadableStreamAsyncIterator {
  #reader;
  #preventCancel;
  #ongoing = undefined;
  #isFinished = false;
  constructor(reader, preventCancel) {
    this.#reader = reader;
    this.#preventCancel = preventCancel;
  }
  #next() {
    if (this.#isFinished) return $.resolved({ value: undefined, done: true });
    const { promise, resolve, reject } = $.withResolvers();
    const reader = this.#reader;
    ReadableStreamDefaultReaderRead(reader, {
      chunk: (value) => resolve({ value, done: false }),
      close: () => {
        this.#isFinished = true;
        ReadableStreamDefaultReaderRelease(reader);
        resolve({ value: undefined, done: true });
      },
      error: (error) => {
        this.#isFinished = true;
        ReadableStreamDefaultReaderRelease(reader);
        reject(error);
      },
    });
    return promise;
  }
  #return(value) {
    if (this.#isFinished) return $.resolved({ value, done: true });
    this.#isFinished = true;
    const reader = this.#reader;
    const result = this.#preventCancel ? $.resolved() : ReadableStreamCancel(reader.stream, value);
    ReadableStreamDefaultReaderRelease(reader);
    return $.then(result, () => ({ value, done: true }));
  }
  #enqueue(steps) {
    this.#ongoing = this.#ongoing === undefined ? steps() : $.then(this.#ongoing, steps, steps);
    return this.#ongoing;
  }
  next() {
    if (!isObject(this) || !(#reader in this)) return $.rejected(invalidThis('ReadableStreamAsyncIterator'));
    return this.#enqueue(() => this.#next());
  }
  return(value = undefined) {
    if (!isObject(this) || !(#reader in this)) return $.rejected(invalidThis('ReadableStreamAsyncIterator'));
    return this.#enqueue(() => this.#return(value));
  }
}
// Scripts cannot make one.
delete ReadableStreamAsyncIterator.prototype.constructor;
Object.setPrototypeOf(ReadableStreamAsyncIterator.prototype, AsyncIteratorPrototype);
for (const key of $.each(['next', 'return'])) {
  Object.defineProperty(ReadableStreamAsyncIterator.prototype, key, { enumerable: true });
}
exports.iterate = (stream, preventCancel) =>
  new ReadableStreamAsyncIterator(AcquireReadableStreamDefaultReader(stream), preventCancel);
