// Teeing (Streams Standard, §4.9.1).
const { nop } = require('web_streams_shared');
const {
  AcquireReadableStreamDefaultReader, CreateReadableStream, ReadableStreamCancel,
  ReadableStreamDefaultControllerClose, ReadableStreamDefaultControllerEnqueue, ReadableStreamDefaultControllerError,
  ReadableStreamDefaultReaderRead, ReadableStreamDefaultReaderRelease,
} = require('readable_stream');
const bytes = /** @type {typeof import('readable_byte_stream')} */ (require('readable_byte_stream'));

// What both kinds of teeing have: a cancellation waits for the other branch's.
const cancelling = (stream) => {
  const { promise, resolve } = $.withResolvers();
  const reasons = [undefined, undefined];
  const canceled = [false, false];
  const cancel = (at) => (reason) => {
    canceled[at] = true;
    reasons[at] = reason;
    if (canceled[1 - at]) resolve(ReadableStreamCancel(stream, $.slice(reasons)));
    return promise;
  };
  return { canceled, resolve, cancel: [cancel(0), cancel(1)] };
};

exports.ReadableStreamDefaultTee = (stream, cloneForBranch2) => {
  const reader = AcquireReadableStreamDefaultReader(stream);
  const { canceled, resolve, cancel } = cancelling(stream);
  const branches = [];
  let reading = false;
  let readAgain = false;
  const pull = () => {
    if (reading) {
      readAgain = true;
      return $.resolved();
    }
    reading = true;
    ReadableStreamDefaultReaderRead(reader, {
      // Later, because the branches must not see a chunk before an error of the stream that comes at the same time.
      chunk: (chunk) => $.then($.resolved(), () => {
        readAgain = false;
        const chunks = [chunk, chunk];
        if (!canceled[1] && cloneForBranch2) {
          try {
            chunks[1] = require('messaging').structuredClone(chunk);
          } catch (error) {
            for (const { controller } of $.each(branches)) ReadableStreamDefaultControllerError(controller, error);
            resolve(ReadableStreamCancel(stream, error));
            return;
          }
        }
        for (let i = 0; i < 2; i++) {
          if (!canceled[i]) ReadableStreamDefaultControllerEnqueue(branches[i].controller, chunks[i]);
        }
        reading = false;
        if (readAgain) pull();
      }),
      close() {
        reading = false;
        for (let i = 0; i < 2; i++) if (!canceled[i]) ReadableStreamDefaultControllerClose(branches[i].controller);
        if (!canceled[0] || !canceled[1]) resolve();
      },
      error: () => (reading = false),
    });
    return $.resolved();
  };
  for (let i = 0; i < 2; i++) $.push(branches, CreateReadableStream(nop, pull, cancel[i]));
  $.then(reader.closed.promise, nop, (error) => {
    for (const { controller } of $.each(branches)) ReadableStreamDefaultControllerError(controller, error);
    if (!canceled[0] || !canceled[1]) resolve();
  });
  return branches;
};

exports.ReadableByteStreamTee = (stream) => {
  let reader = AcquireReadableStreamDefaultReader(stream);
  const { canceled, resolve, cancel } = cancelling(stream);
  const branches = [];
  let reading = false;
  const readAgain = [false, false];
  const forwardReaderError = (thisReader) => $.then(thisReader.closed.promise, nop, (error) => {
    if (thisReader !== reader) return;
    for (const { controller } of $.each(branches)) bytes.ReadableByteStreamControllerError(controller, error);
    if (!canceled[0] || !canceled[1]) resolve();
  });
  const fail = (error) => {
    for (const { controller } of $.each(branches)) bytes.ReadableByteStreamControllerError(controller, error);
    resolve(ReadableStreamCancel(stream, error));
  };
  const pullAgain = () => {
    reading = false;
    const at = readAgain[0] ? 0 : readAgain[1] ? 1 : -1;
    if (at >= 0) pull[at]();
  };
  const pullWithDefaultReader = () => {
    if (reader.isByobReader) {
      bytes.ReadableStreamBYOBReaderRelease(reader);
      reader = AcquireReadableStreamDefaultReader(stream);
      forwardReaderError(reader);
    }
    ReadableStreamDefaultReaderRead(reader, {
      chunk: (chunk) => $.then($.resolved(), () => {
        readAgain[0] = readAgain[1] = false;
        const chunks = [chunk, chunk];
        if (!canceled[0] && !canceled[1]) {
          try {
            chunks[1] = bytes.CloneAsUint8Array(chunk);
          } catch (error) {
            fail(error);
            return;
          }
        }
        for (let i = 0; i < 2; i++) {
          if (!canceled[i]) bytes.ReadableByteStreamControllerEnqueue(branches[i].controller, chunks[i]);
        }
        pullAgain();
      }),
      close() {
        reading = false;
        for (let i = 0; i < 2; i++) if (!canceled[i]) bytes.ReadableByteStreamControllerClose(branches[i].controller);
        for (const { controller } of $.each(branches)) {
          if (controller.pendingPullIntos.length > 0) bytes.ReadableByteStreamControllerRespond(controller, 0);
        }
        if (!canceled[0] || !canceled[1]) resolve();
      },
      error: () => (reading = false),
    });
  };
  const pullWithBYOBReader = (view, at) => {
    if (!reader.isByobReader) {
      ReadableStreamDefaultReaderRelease(reader);
      reader = bytes.AcquireReadableStreamBYOBReader(stream);
      forwardReaderError(reader);
    }
    const { [at]: byobBranch, [1 - at]: otherBranch } = branches;
    bytes.ReadableStreamBYOBReaderRead(reader, view, 1, {
      chunk: (chunk) => $.then($.resolved(), () => {
        readAgain[0] = readAgain[1] = false;
        if (!canceled[1 - at]) {
          let clone;
          try {
            clone = bytes.CloneAsUint8Array(chunk);
          } catch (error) {
            fail(error);
            return;
          }
          if (!canceled[at]) bytes.ReadableByteStreamControllerRespondWithNewView(byobBranch.controller, chunk);
          bytes.ReadableByteStreamControllerEnqueue(otherBranch.controller, clone);
        } else if (!canceled[at]) {
          bytes.ReadableByteStreamControllerRespondWithNewView(byobBranch.controller, chunk);
        }
        pullAgain();
      }),
      close(chunk) {
        reading = false;
        if (!canceled[at]) bytes.ReadableByteStreamControllerClose(byobBranch.controller);
        if (!canceled[1 - at]) bytes.ReadableByteStreamControllerClose(otherBranch.controller);
        if (chunk !== undefined) {
          if (!canceled[at]) bytes.ReadableByteStreamControllerRespondWithNewView(byobBranch.controller, chunk);
          if (!canceled[1 - at] && otherBranch.controller.pendingPullIntos.length > 0) {
            bytes.ReadableByteStreamControllerRespond(otherBranch.controller, 0);
          }
        }
        if (!canceled[0] || !canceled[1]) resolve();
      },
      error: () => (reading = false),
    });
  };
  const pull = $.map([0, 1], (at) => () => {
    if (reading) {
      readAgain[at] = true;
      return $.resolved();
    }
    reading = true;
    const request = bytes.ReadableByteStreamControllerGetBYOBRequest(branches[at].controller);
    if (request === null) pullWithDefaultReader();
    else pullWithBYOBReader(request.view, at);
    return $.resolved();
  });
  for (let i = 0; i < 2; i++) $.push(branches, bytes.CreateReadableByteStream(nop, pull[i], cancel[i]));
  forwardReaderError(reader);
  return branches;
};
