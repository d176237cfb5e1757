// Bytes and text of node:fs, by encoding.
const { invalidArgType, invalidArgValue } = require('errors');
const encodings = require('encodings');

// The name of the encoding that `options`, a string or an object, asks for; undefined stands for bytes.
exports.encodingOf = (options) => {
  const encoding = typeof options === 'string' ? options : options?.encoding;
  if (encoding === undefined || encoding === null || encoding === '' || encoding === 'buffer') return undefined;
  const id = typeof encoding === 'string' ? encodings.find(encoding) : undefined;
  if (id === undefined) throw invalidArgValue('encoding', encoding, 'is invalid encoding');
  return encodings.names[id];
};
exports.isUtf8 = (encoding) => encoding === 'utf8';
exports.toBuffer = (bytes) => require('buffer').fromBytes(bytes);
exports.decode = (bytes, encoding) => (encoding === undefined ? exports.toBuffer(bytes)
  : require('buffer').decode(bytes, encodings.idOf(encoding)));
// What Rust takes for the text: a string as it is means UTF-8.
exports.encode = (text, encoding) => {
  const id = encoding === undefined ? encodings.UTF8 : encodings.idOf(encoding);
  return id === encodings.UTF8 ? text : require('buffer').encode(text, id);
};
// What is written: a string or a view.
exports.content = (data, encoding) => {
  if (typeof data === 'string') return exports.encode(data, encoding);
  if ($.isView(data)) return data;
  throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
};
