// node:string_decoder, node:querystring and node:punycode, as in Node 26.
import punycode from 'node:punycode';
import querystring from 'node:querystring';
import { StringDecoder } from 'node:string_decoder';
import { assertEq, test, thrown } from '../harness.mjs';

const pieces = (encoding, ...parts) => {
  const decoder = new StringDecoder(encoding);
  return [...parts.map((part) => decoder.write(Buffer.from(part, 'hex'))), decoder.end()].join('|');
};

test('characters that are split between writes are put together', () => {
  assertEq(pieces('utf8', 'e2', '82', 'ac'), '||\u20ac|');
  assertEq(pieces('utf8', '61f09f', '92a962'), 'a|\u{1f4a9}b|');
  assertEq(pieces('utf8', 'f090', '41'), '|\ufffdA|');
  assertEq(pieces('utf8', 'c9b5a942', 'eda0', 'b541'), '\u0275\ufffdB||\ufffd\ufffd\ufffdA|');
  assertEq(pieces('utf8', 'e282'), '|\ufffd');
  assertEq(pieces('utf16le', '3dd8', 'a9', 'dc'), '||\u{1f4a9}|');
  assertEq(pieces('utf16le', '3dd84d'), '\ud83d|');
  assertEq(pieces('base64', '61', '62', '63'), '||YWJj|');
  assertEq(pieces('base64url', 'fb'), '|-w');
  assertEq(pieces('hex', '61', '62'), '61|62|');
});

test('a StringDecoder tells what it waits for', () => {
  const decoder = new StringDecoder('utf-8');
  decoder.write(Buffer.from([0xe2, 0x82]));
  assertEq(decoder.encoding, 'utf8');
  assertEq(decoder.lastNeed, 1);
  assertEq(decoder.lastTotal, 3);
  assertEq(decoder.lastChar.toString('hex'), 'e2820000');
  assertEq(decoder.end(Buffer.from([0xac])), '\u20ac');
  assertEq(thrown(() => new StringDecoder('zz'), 'an error').code, 'ERR_UNKNOWN_ENCODING');
  assertEq(thrown(() => decoder.write(5), 'an error').message,
    'The "buf" argument must be an instance of Buffer, TypedArray, or DataView. Received type number (5)');
});

test('querystring parses and formats', () => {
  const parsed = (...args) => JSON.stringify(querystring.parse(...args));
  assertEq(parsed('a=1&b=2&a=3&c'), '{"a":["1","3"],"b":"2","c":""}');
  assertEq(parsed('a+b=c+d&%41=%c3%a9&x=%zz'), '{"a b":"c d","A":"\u00e9","x":"%zz"}');
  assertEq(parsed('a:1;b:2', ';', ':'), '{"a":"1","b":"2"}');
  assertEq(parsed('a=1&&b=2', null, null, { maxKeys: 2 }), '{"a":"1"}');
  assertEq(parsed('a==b&=c&&'), '{"a":"=b","":"c"}');
  assertEq(Object.getPrototypeOf(querystring.parse('a')), null);
  assertEq(querystring.parse('__proto__=1').__proto__, '1');
  assertEq(querystring.stringify({ a: 1, b: [1, '', 2], c: null, d: 5n, e: true, f: NaN, g: '\u00e9&=' }),
    'a=1&b=1&b=&b=2&c=&d=5&e=true&f=&g=%C3%A9%26%3D');
  assertEq(querystring.unescape('%E4%BD%'), '\ufffd%');
  assertEq(querystring.unescapeBuffer('a%20b%zz%4').toString('latin1'), 'a b%zz%4');
  assertEq(thrown(() => querystring.escape('\ud800'), 'an error').code, 'ERR_INVALID_URI');
});

test('punycode', () => {
  assertEq(punycode.encode('ma\u00f1ana'), 'maana-pta');
  assertEq(punycode.decode('--dqo34k'), '\u2603-\u2318');
  assertEq(punycode.toASCII('me@b\u00fccher.com'), 'me@xn--bcher-kva.com');
  assertEq(punycode.toUnicode('xn--bcher-kva\u3002com'), 'b\u00fccher.com');
  assertEq(JSON.stringify(punycode.ucs2.decode('a\u{1f4a9}\ud800')), '[97,128169,55296]');
  assertEq(punycode.ucs2.encode([97, 0x1f4a9]), 'a\u{1f4a9}');
  assertEq(thrown(() => punycode.decode('a-\u00e9'), 'an error').message, 'Invalid input');
});
