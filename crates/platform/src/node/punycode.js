// node:punycode.
/**
 * What Rust provides.
 * @type {{
 *   encode(text: string): string | undefined,
 *   decode(text: string): string | undefined,
 * }}
 */
const native = rust;

const SEPARATORS = ['\u3002', '\uff0e', '\uff61'];
const isAscii = (text) => !$.regex(/[^\0-\x7f]/).test(text);
// Converts each label of a domain name, or of the domain of a mail address.
const mapLabels = (domain, convert) => {
  const at = $.indexOf(domain, '@');
  const end = at < 0 ? -1 : $.indexOf(domain, '@', at + 1);
  let name = at < 0 ? domain : $.slice(domain, at + 1, end < 0 ? undefined : end);
  for (const separator of $.each(SEPARATORS)) name = $.replaceAll(name, separator, '.');
  const labels = $.join($.map($.split(name, '.'), convert), '.');
  return at < 0 ? labels : $.slice(domain, 0, at + 1) + labels;
};

const version = '2.1.0';
const ucs2 = {
  decode(string) {
    const points = [];
    for (let i = 0; i < string.length; i++) {
      const unit = $.charCodeAt(string, i);
      const next = $.charCodeAt(string, i + 1);
      if ((unit & 0xfc00) === 0xd800 && (next & 0xfc00) === 0xdc00) {
        $.push(points, ((unit & 0x3ff) << 10) + (next & 0x3ff) + 0x10000);
        i++;
      } else {
        $.push(points, unit);
      }
    }
    return points;
  },
  encode(codePoints) {
    let text = '';
    for (let i = 0; i < codePoints.length; i++) {
      const point = codePoints[i];
      if (!(Number.isInteger(point) && point >= 0 && point <= 0x10ffff)) throw new RangeError('Invalid code point');
      const over = point - 0x10000;
      text += over < 0 ? $.fromCharCode(point) : $.fromCharCode(0xd800 | over >> 10) + $.fromCharCode(0xdc00 | over & 0x3ff);
    }
    return text;
  },
};
const valid = (text) => {
  if (text === undefined) throw new RangeError('Invalid input');
  return text;
};
const decode = (input) => {
  const text = $.text`${input}`;
  if (!isAscii($.slice(text, 0, Math.max($.lastIndexOf(text, '-'), 0)))) {
    throw new RangeError('Illegal input >= 0x80 (not a basic code point)');
  }
  return valid(native.decode(text));
};
const encode = (input) => valid(native.encode($.text`${input}`));
const toASCII = (input) => mapLabels(input, (label) => (isAscii(label) ? label : $.text`xn--${encode(label)}`));
const toUnicode = (input) =>
  mapLabels(input, (label) => ($.startsWith(label, 'xn--') ? decode($.toLowerCase($.slice(label, 4))) : label));
exports.version = version;
exports.ucs2 = ucs2;
exports.decode = decode;
exports.encode = encode;
exports.toASCII = toASCII;
exports.toUnicode = toUnicode;
