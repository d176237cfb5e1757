// The names of Buffer's encodings. Each has a number, which Rust knows it by (`encodings.rs`).
const { create, invalidArgType } = require('errors');
exports.UTF8 = 0;
exports.UTF16LE = 1;
exports.LATIN1 = 2;
exports.ASCII = 3;
exports.HEX = 4;
exports.BASE64 = 5;
exports.BASE64URL = 6;
const ids = {
  __proto__: null, utf8: 0, 'utf-8': 0, utf16le: 1, 'utf-16le': 1, ucs2: 1, 'ucs-2': 1, latin1: 2, binary: 2, ascii: 3,
  hex: 4, base64: 5, base64url: 6,
};
exports.names = ['utf8', 'utf16le', 'latin1', 'ascii', 'hex', 'base64', 'base64url'];

// The number of an encoding, or undefined.
const find = (name) => ids[name] ?? ids[$.toLowerCase(name)];
exports.find = (encoding) => find(typeof encoding === 'string' ? encoding : $.text`${encoding}`);
exports.unknown = (encoding) => create('TypeError', 'ERR_UNKNOWN_ENCODING', $.text`Unknown encoding: ${encoding}`);
exports.idOf = (encoding) => {
  const name = typeof encoding === 'string' ? encoding : $.text`${encoding}`;
  const id = find(name);
  if (id === undefined) throw exports.unknown(name);
  return id;
};
// For an argument that is UTF-8 unless it says otherwise; anything but a string is refused.
exports.orUtf8 = (encoding) => {
  if (encoding === undefined || encoding === null || encoding === '') return 0;
  if (typeof encoding !== 'string') throw invalidArgType('encoding', 'of type string', encoding);
  return exports.idOf(encoding);
};
