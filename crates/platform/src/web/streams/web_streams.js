// The classes of the Streams Standard and those that are built on it: node:stream/web. Their files are loaded one by
// one.
const files = [
  [() => require('readable_stream'), 'ReadableStream', 'ReadableStreamDefaultReader',
    'ReadableStreamDefaultController'],
  [() => require('readable_byte_stream'), 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest',
    'ReadableByteStreamController'],
  [() => require('writable_stream'), 'WritableStream', 'WritableStreamDefaultWriter',
    'WritableStreamDefaultController'],
  [() => require('transform_stream'), 'TransformStream', 'TransformStreamDefaultController'],
  [() => require('queuing_strategies'), 'ByteLengthQueuingStrategy', 'CountQueuingStrategy'],
  [() => require('codec_streams'), 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream',
    'DecompressionStream'],
];
for (const { 0: load, ...names } of $.each(/** @type {any[]} */ (files))) {
  for (const name of $.each(Object.values(names))) {
    Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: () => load()[name] });
  }
}
