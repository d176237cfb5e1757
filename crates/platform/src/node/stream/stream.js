// node:stream.
const { Stream } = require('stream_legacy');
const { Readable } = require('stream_readable');
const { Writable } = require('stream_writable');
const { Duplex, Transform, PassThrough, duplexPair } = require('stream_duplex');
const { addAbortSignal, finished } = require('stream_finished');
const { pipeline } = require('stream_pipeline');
const shared = require('stream_shared');
require('stream_operators').install(Readable);

Object.assign(Stream, {
  isDestroyed: shared.isDestroyed, isDisturbed: shared.isDisturbed, isErrored: shared.isErrored,
  isReadable: shared.isReadable, isWritable: shared.isWritable,
  Readable, Writable, Duplex, Transform, PassThrough, duplexPair, pipeline, addAbortSignal, finished,
  destroy: shared.destroyer,
  compose: function compose(...streams) {
    return require('stream_compose').compose(...$.each(streams));
  },
  setDefaultHighWaterMark: shared.setDefaultHighWaterMark, getDefaultHighWaterMark: shared.getDefaultHighWaterMark,
});
const lazy = (object, key, get) => Object.defineProperty(object, key, { get, enumerable: true, configurable: true });
lazy(Stream, 'promises', () => require('stream_promises'));
for (const call of $.each([pipeline, finished])) {
  lazy(call, $.symbolFor('nodejs.util.promisify.custom'), () => require('stream_promises')[call.name]);
}
Object.assign(Stream, {
  Stream,
  _isArrayBufferView: $.isView,
  _isUint8Array: function isUint8Array(value) {
    return $.isView(value) && $.tagOf(value) === 'Uint8Array';
  },
  _uint8ArrayToBuffer: function _uint8ArrayToBuffer(chunk) {
    return require('buffer').fromBytes($.bytesOf(chunk));
  },
});
for (const name of $.each(Object.keys(Stream))) {
  if (name === 'promises') lazy(exports, name, () => Stream.promises);
  else exports[name] = Stream[name];
}
// (For the type checker.)
exports.Readable = Readable;
exports.Writable = Writable;
exports.Duplex = Duplex;
exports.Transform = Transform;
exports.finished = finished;
exports.pipeline = pipeline;
exports.default = Stream;
