// node:querystring.
const { create } = require('errors');
const { HEX } = require('encodings');
const { decodeURIComponent, encodeURIComponent } = $.globals;

const HEX_PAIR = $.regex(/^[0-9A-Fa-f]{2}$/);
const unescapeBuffer = (s, decodeSpaces) => {
  const { Buffer, fromBytes, encode } = require('buffer');
  const bytes = Buffer.allocUnsafe(s.length);
  let length = 0;
  for (let i = 0; i < s.length; i++) {
    let code = $.charCodeAt(s, i);
    if (code === 0x2b && decodeSpaces) code = 0x20;
    const pair = code === 0x25 ? $.slice(s, i + 1, i + 3) : '';
    if (HEX_PAIR.test(pair)) {
      code = encode(pair, HEX)[0];
      i += 2;
    }
    bytes[length++] = code;
  }
  return fromBytes($.subarray(bytes, 0, length));
};
function qsUnescape(s, decodeSpaces) {
  try {
    return decodeURIComponent(s);
  } catch {
    return $.text`${exports.unescapeBuffer(s, decodeSpaces)}`;
  }
}
// Makes a pair of a surrogate and whatever follows it, as Node does.
const paired = (text) => {
  let made = '';
  for (let i = 0; i < text.length; i++) {
    const unit = $.charCodeAt(text, i);
    made += text[i];
    if ((unit & 0xf800) !== 0xd800) continue;
    if (i === text.length - 1) throw create('URIError', 'ERR_INVALID_URI', 'URI malformed');
    made = $.slice(made, 0, -1) + $.fromCharCode(0xd800 | unit & 0x3ff) +
      $.fromCharCode(0xdc00 | $.charCodeAt(text, ++i) & 0x3ff);
  }
  return made;
};
function qsEscape(str) {
  const text = typeof str === 'string' ? str : typeof str === 'object' ? String(str) : $.text`${str}`;
  try {
    return encodeURIComponent(text);
  } catch {
    return encodeURIComponent(paired(text));
  }
}
const primitive = (value) => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return $.text`${value}`;
  if (typeof value === 'bigint' || typeof value === 'boolean') return $.text`${value}`;
  return '';
};
/**
 * @param {any} obj
 * @param {any} sep
 * @param {any} eq
 * @param {any} options
 */
function stringify(obj, sep, eq, options) {
  sep = sep || '&';
  eq = eq || '=';
  let encode = exports.escape;
  if (options && typeof options.encodeURIComponent === 'function') encode = options.encodeURIComponent;
  if (obj === null || typeof obj !== 'object') return '';
  let text = '';
  for (const key of $.each(Object.keys(obj))) {
    const value = obj[key];
    const start = $.text`${encode(primitive(key))}${eq}`;
    for (const item of $.each($.isArray(value) ? $.slice(value) : [value])) {
      text += $.text`${text === '' ? '' : sep}${start}${encode(primitive(item))}`;
    }
  }
  return text;
}

const ENCODED = $.regex(/%[0-9A-Fa-f]{2}/);
/**
 * @param {any} qs
 * @param {any} sep
 * @param {any} eq
 * @param {any} options
 */
function parse(qs, sep, eq, options) {
  const made = { __proto__: null };
  if (typeof qs !== 'string' || qs === '') return made;
  sep = sep ? $.text`${sep}` : '&';
  eq = eq ? $.text`${eq}` : '=';
  const { maxKeys } = options || { __proto__: null };
  let left = typeof maxKeys === 'number' ? (maxKeys > 0 ? maxKeys : -1) : 1000;
  let decode = exports.unescape;
  if (options && typeof options.decodeURIComponent === 'function') decode = options.decodeURIComponent;
  const isCustom = decode !== qsUnescape;
  const decoded = (text) => {
    if (text === '') return text;
    const spaced = $.includes(text, '+') ? $.replaceAll(text, '+', '%20') : text;
    if (!isCustom && !ENCODED.test(spaced)) return spaced;
    try {
      return decode(spaced);
    } catch {
      return exports.unescape(spaced, true);
    }
  };
  for (let at = 0; at < qs.length && left !== 0;) {
    const found = sep === '' ? -1 : $.indexOf(qs, sep, at);
    const end = found < 0 ? qs.length : found;
    const pair = $.slice(qs, at, end);
    at = end + Math.max(sep.length, 1);
    left -= 1;
    if (pair === '') continue;
    const middle = $.indexOf(pair, eq);
    const key = decoded(middle < 0 ? pair : $.slice(pair, 0, middle));
    const value = middle < 0 ? decoded('') : decoded($.slice(pair, middle + eq.length));
    if (!(key in made)) made[key] = value;
    else if ($.isArray(made[key])) $.push(made[key], value);
    else made[key] = [made[key], value];
  }
  return made;
}
exports.unescapeBuffer = unescapeBuffer;
exports.unescape = qsUnescape;
exports.escape = qsEscape;
exports.stringify = stringify;
exports.encode = stringify;
exports.parse = parse;
exports.decode = parse;
