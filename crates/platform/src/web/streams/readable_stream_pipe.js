// ReadableStreamPipeTo (Streams Standard, §4.9.1).
const { invalidState, markHandled, nop } = require('web_streams_shared');
const {
  AcquireReadableStreamDefaultReader, ReadableStreamCancel, ReadableStreamDefaultReaderRead,
  ReadableStreamDefaultReaderRelease,
} = require('readable_stream');
const {
  AcquireWritableStreamDefaultWriter, WritableStreamAbort, WritableStreamCloseQueuedOrInFlight,
  WritableStreamDefaultWriterCloseWithErrorPropagation, WritableStreamDefaultWriterRelease,
  WritableStreamDefaultWriterWrite,
} = require('writable_stream');

exports.ReadableStreamPipeTo = (source, dest, { preventAbort, preventCancel, preventClose, signal }) => {
  const reader = AcquireReadableStreamDefaultReader(source);
  const writer = AcquireWritableStreamDefaultWriter(dest);
  source.disturbed = true;
  let shuttingDown = false;
  let currentWrite = $.resolved();
  const { promise, resolve, reject } = $.withResolvers();

  const finalize = (error) => {
    WritableStreamDefaultWriterRelease(writer);
    ReadableStreamDefaultReaderRelease(reader);
    signal?.removeEventListener('abort', aborted);
    if (error === undefined) resolve();
    else reject(error.value);
  };
  // (A write that begins while this one is waited for is waited for as well.)
  const waitForWrites = () => {
    const write = currentWrite;
    return $.then(write, () => (write === currentWrite ? undefined : waitForWrites()));
  };
  const whenWritten = (steps) => {
    if (shuttingDown) return;
    shuttingDown = true;
    if (dest.state === 'writable' && !WritableStreamCloseQueuedOrInFlight(dest)) $.then(waitForWrites(), steps);
    else steps();
  };
  // `error` is an object with the value, because any value can be one.
  const shutdown = (error = undefined) => whenWritten(() => finalize(error));
  const shutdownWithAction = (action, error = undefined) => whenWritten(() => {
    $.then(action(), () => finalize(error), (value) => finalize({ value }));
  });
  const abort = () => {
    const error = signal.reason;
    const actions = [];
    if (!preventAbort && dest.state === 'writable') $.push(actions, WritableStreamAbort(dest, error));
    if (!preventCancel && source.state === 'readable') $.push(actions, ReadableStreamCancel(source, error));
    return $.reduce(actions, (before, action) => {
      markHandled(action);
      return $.then(before, () => action);
    }, $.resolved());
  };
  const aborted = () => shutdownWithAction(abort, { value: signal.reason });

  if (signal !== undefined) {
    if (signal.aborted) {
      aborted();
      return promise;
    }
    signal.addEventListener('abort', aborted);
  }

  // Reads a chunk whenever the destination wants one.
  const next = () => {
    if (shuttingDown) return;
    ReadableStreamDefaultReaderRead(reader, {
      chunk(chunk) {
        currentWrite = $.then(WritableStreamDefaultWriterWrite(writer, chunk), undefined, nop);
        loop();
      },
      close: nop, error: nop,
    });
  };
  const loop = () => $.then(writer.ready.promise, next, nop);

  const onError = (stream, closed, steps) => {
    if (stream.state === 'errored') steps(stream.storedError);
    else $.then(closed, nop, steps);
  };
  onError(source, reader.closed.promise, (value) => {
    if (preventAbort) shutdown({ value });
    else shutdownWithAction(() => WritableStreamAbort(dest, value), { value });
  });
  onError(dest, writer.closed.promise, (value) => {
    if (preventCancel) shutdown({ value });
    else shutdownWithAction(() => ReadableStreamCancel(source, value), { value });
  });
  const closed = () => {
    if (preventClose) shutdown();
    else shutdownWithAction(() => WritableStreamDefaultWriterCloseWithErrorPropagation(writer));
  };
  if (source.state === 'closed') closed();
  else $.then(reader.closed.promise, closed, nop);
  if (WritableStreamCloseQueuedOrInFlight(dest) || dest.state === 'closed') {
    const value = invalidState('Destination WritableStream is closed');
    if (preventCancel) shutdown({ value });
    else shutdownWithAction(() => ReadableStreamCancel(source, value), { value });
  }
  loop();
  return promise;
};
