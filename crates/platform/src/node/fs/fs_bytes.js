// Bytes and text of node:fs, by encoding.
const { create, invalidArgType, invalidArgValue } = require('errors');

const encodings = ['utf8', 'utf-8', 'latin1', 'binary', 'ascii', 'hex', 'base64', 'base64url', 'utf16le', 'utf-16le',
  'ucs2', 'ucs-2', 'buffer'];
// The encoding of `options`, a string or an object; undefined stands for bytes.
exports.encodingOf = (options) => {
  const encoding = typeof options === 'string' ? options : options?.encoding;
  if (encoding === undefined || encoding === null || encoding === 'buffer') return undefined;
  if (typeof encoding === 'string' && $.includes(encodings, $.toLowerCase(encoding))) return $.toLowerCase(encoding);
  throw invalidArgValue('encoding', encoding, 'is invalid encoding');
};
exports.isUtf8 = (encoding) => encoding === 'utf8' || encoding === 'utf-8';
exports.toBuffer = (bytes) => bytes;
exports.decode = (bytes, encoding) => {
  switch (encoding) {
    case undefined: return exports.toBuffer(bytes);
    case 'utf8': case 'utf-8': return new (require('encoding').TextDecoder)('utf-8', { ignoreBOM: true }).decode(bytes);
    case 'latin1': case 'binary': return $.join($.arrayFrom(bytes, (byte) => $.fromCharCode(byte)), '');
    case 'ascii': return $.join($.arrayFrom(bytes, (byte) => $.fromCharCode(byte & 127)), '');
    case 'hex': return $.toHex(bytes);
    case 'base64': return $.toBase64(bytes);
    case 'base64url': return $.toBase64(bytes, { alphabet: 'base64url', omitPadding: true });
    case 'utf16le': case 'utf-16le': case 'ucs2': case 'ucs-2':
      return new (require('encoding').TextDecoder)('utf-16le', { ignoreBOM: true })
        .decode($.subarray(bytes, 0, $.length(bytes) & ~1));
    default: throw create('TypeError', 'ERR_UNKNOWN_ENCODING', $.text`Unknown encoding: ${encoding}`);
  }
};
// What Rust takes for the text: a string as it is means UTF-8.
exports.encode = (text, encoding) => {
  switch (encoding) {
    case 'hex': return $.fromHex(text);
    case 'base64': return $.fromBase64(text);
    case 'base64url': return $.fromBase64(text, { __proto__: null, alphabet: 'base64url' });
    case 'latin1': case 'binary': case 'ascii': return $.bytesFrom(text, (char) => $.charCodeAt(char, 0));
    default: return text;
  }
};
// What is written: a string or a view.
exports.content = (data, encoding) => {
  if (typeof data === 'string') return exports.encode(data, encoding);
  if ($.isView(data)) return data;
  throw invalidArgType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data);
};
