// The bodies of Request and Response (Fetch Standard, §2.2.4 and §5.2). A body has bytes, a Blob or a stream; its stream
// is made when something asks for it.
const { isSharedArrayBuffer, viewOf } = require('bytes');
const { URLSearchParams } = require('url');
const streams = () => require('readable_stream');
const { trim } = require('headers');
const utf8 = {
  encode: (text) => new (require('encoding').TextEncoder)().encode(text),
  decode: (bytes) => new (require('encoding').TextDecoder)().decode(bytes),
};
const isBlob = (value) => {
  if (typeof value !== 'object' || value === null || $.isView(value)) return false;
  return value instanceof require('blob').Blob;
};
const newBody = (parts) => ({ bytes: null, blob: null, stream: null, used: false, length: null, ...parts });
exports.ofBytes = (bytes) => newBody({ bytes, length: $.byteLength(bytes) });
exports.ofBlob = (blob) => newBody({ blob, length: blob.size });
exports.ofStream = (stream) => newBody({ stream });

// "Extract a body": a body, and the type that it has by default. `place` is for messages.
exports.extract = (value, place) => {
  if (typeof value === 'string') return { body: exports.ofBytes(utf8.encode(value)), type: 'text/plain;charset=UTF-8' };
  // A BufferSource must not be shared.
  const view = isSharedArrayBuffer(value) ? undefined : viewOf(value);
  if (view !== undefined) return { body: exports.ofBytes(new Uint8Array(view)), type: null };
  if (value instanceof URLSearchParams) {
    return {
      body: exports.ofBytes(utf8.encode($.text`${value}`)), type: 'application/x-www-form-urlencoded;charset=UTF-8',
    };
  }
  if (typeof value === 'object' && value !== null) {
    if (isBlob(value)) return { body: exports.ofBlob(value), type: value.type || null };
    if (value instanceof require('form_data').FormData) return require('form_data').encode(value);
    const { slotsOf, IsReadableStreamLocked } = streams();
    const slots = slotsOf(value);
    if (slots !== undefined) {
      if (slots.disturbed || IsReadableStreamLocked(slots)) {
        throw new TypeError($.text`${place}: the stream has been read already or is locked`);
      }
      return { body: exports.ofStream(value), type: null };
    }
    // As Node has it, with chunks of any kind that makes a Buffer.
    if (value[Symbol.asyncIterator]) {
      const iterator = value[Symbol.asyncIterator]();
      const next = async () => {
        const { value: chunk, done } = await $.awaited(iterator.next());
        return done ? null : new Uint8Array($.bytesOf(require('buffer').Buffer.from(chunk)));
      };
      const stream = byteStream(next, (reason) => iterator.return?.(reason));
      return { body: exports.ofStream(stream), type: null };
    }
  }
  return { body: exports.ofBytes(utf8.encode($.text`${value}`)), type: 'text/plain;charset=UTF-8' };
};

const slotsOfBody = (body) => (body.stream === null ? undefined : streams().slotsOf(body.stream));
const isUsed = (body) => body !== null && (body.used || Boolean(slotsOfBody(body)?.disturbed));
const isUnusable = (body) => {
  if (body === null) return false;
  return isUsed(body) || (body.stream !== null && streams().IsReadableStreamLocked(slotsOfBody(body)));
};
exports.isUnusable = isUnusable;
/** A stream of bytes that come one after another from `next`, which returns null at the end. */
const byteStream = (next, cancel = () => undefined) => {
  const { ReadableStream } = streams();
  return new ReadableStream({
    __proto__: null, type: 'bytes',
    async pull(controller) {
      let chunk;
      do chunk = await $.awaited(next());
      while (chunk !== null && $.byteLength(chunk) === 0);
      if (chunk !== null) {
        controller.enqueue(chunk);
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel,
  });
};
exports.byteStream = byteStream;
const streamOf = (body) => {
  if (body.stream !== null) return body.stream;
  if (body.used) {
    body.stream = byteStream(() => null);
    streams().slotsOf(body.stream).disturbed = true;
  } else if (body.blob !== null) {
    body.stream = body.blob.stream();
  } else {
    let { bytes } = body;
    body.stream = byteStream(() => {
      const chunk = bytes;
      bytes = null;
      return chunk;
    });
  }
  body.bytes = body.blob = null;
  return body.stream;
};
exports.streamOf = streamOf;
/** Reads a stream to its end. */
const readAll = async (slots) => {
  const { AcquireReadableStreamDefaultReader, read } = streams();
  const reader = AcquireReadableStreamDefaultReader(slots);
  const chunks = [];
  let length = 0;
  while (true) {
    const { value, done } = await $.awaited(read(reader));
    if (done) break;
    if (!$.isView(value) || $.tagOf(value) !== 'Uint8Array') {
      throw new TypeError('The stream of a body must have chunks that are Uint8Arrays');
    }
    $.push(chunks, value);
    length += $.byteLength(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of $.each(chunks)) {
    $.set(bytes, chunk, at);
    at += $.byteLength(chunk);
  }
  return bytes;
};
/** "Consume body": all its bytes, in a buffer that nobody else has. */
exports.consume = (body, place) => {
  if (isUnusable(body)) throw new TypeError($.text`${place}: the body has been read already`);
  if (body === null) return $.resolved(new Uint8Array());
  const { bytes, blob, stream } = body;
  if (stream !== null) return readAll(slotsOfBody(body));
  body.used = true;
  body.bytes = body.blob = null;
  if (blob === null) return $.resolved(bytes);
  return $.then($.awaited(blob.arrayBuffer()), (buffer) => new Uint8Array(buffer));
};
/** "Clone a body". */
exports.clone = (body) => {
  if (body === null) return null;
  if (body.bytes !== null) return newBody({ bytes: new Uint8Array(body.bytes), length: body.length });
  if (body.blob !== null) return newBody({ blob: body.blob, length: body.length });
  const { 0: one, 1: two } = streams().ReadableStreamTee(slotsOfBody(body), true);
  body.stream = one.object;
  return newBody({ stream: two.object, length: body.length });
};
/** Moves a body to another Request. */
exports.move = (body) => {
  if (body === null) return null;
  const moved = newBody({ ...body });
  if (body.stream !== null) {
    // What is left behind is locked and has been read.
    const transform = new (require('transform_stream').TransformStream)();
    moved.stream = body.stream.pipeThrough(transform);
  }
  body.used = true;
  body.bytes = body.blob = null;
  return moved;
};

// The type of a body: its essence in lower case, and one of its parameters.
exports.essence = (type) => $.toLowerCase(trim($.split(type ?? '', ';')[0]));
exports.parameter = (type, name) => {
  const found = $.regex(new RegExp($.text`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;]*))`, 'i')).exec(type);
  if (found === null) return undefined;
  return found[1] === undefined ? trim(found[2]) : $.replace(found[1], $.regex(/\\(.)/g), '$1');
};
const toFormData = (bytes, type) => {
  const { FormData, parse } = require('form_data');
  if (exports.essence(type) === 'multipart/form-data') {
    const boundary = exports.parameter(type, 'boundary');
    const form = boundary === undefined ? undefined : parse(bytes, boundary);
    if (form === undefined) throw new TypeError('Failed to parse body as FormData.');
    return form;
  }
  if (exports.essence(type) === 'application/x-www-form-urlencoded') {
    const form = new FormData();
    const add = require('form_data').append;
    new URLSearchParams(utf8.decode(bytes)).forEach((value, name) => add(form, name, value));
    return form;
  }
  throw new TypeError('Content-Type was not one of "multipart/form-data" or "application/x-www-form-urlencoded".');
};

/**
 * Gives a class the Body mixin. `find` returns the state of an object of the class, with `body` and `headers`, and
 * undefined for anything else.
 */
exports.includeBody = (Class, find) => {
  const stateOf = (value, place) => {
    const state = find(value);
    if (state === undefined) throw new TypeError($.text`${place}: \`this\` is not a ${Class.name}`);
    return state;
  };
  const reader = (name, convert) => ({ async [name]() {
    const place = $.text`${Class.name}.${name}`;
    const { body, headers } = stateOf(this, place);
    return convert(await $.awaited(exports.consume(body, place)), headers.get('content-type'));
  } })[name];
  const readers = {
    arrayBuffer: (bytes) => $.buffer(bytes),
    blob: (bytes, type) => new (require('blob').Blob)([bytes], { __proto__: null, type: type ?? '' }),
    bytes: (bytes) => bytes, formData: toFormData, json: (bytes) => JSON.parse(utf8.decode(bytes)), text: utf8.decode,
  };
  const define = (name, descriptor) =>
    Object.defineProperty(Class.prototype, name, { configurable: true, ...descriptor });
  for (const { 0: name, 1: convert } of $.each(Object.entries(readers))) {
    define(name, { value: reader(name, convert), writable: true });
  }
  define('body', { get: { body() {
    const { body } = stateOf(this, $.text`${Class.name}.body`);
    return body === null ? null : streamOf(body);
  } }.body });
  define('bodyUsed', { get: { bodyUsed() {
    return isUsed(stateOf(this, $.text`${Class.name}.bodyUsed`).body);
  } }.bodyUsed });
};
