// atob and btoa (HTML Standard, §8.3).
/**
 * What Rust provides.
 * @type {{
 *   decode(text: string): string | undefined,
 *   encode(text: string): string | undefined,
 * }}
 */
const native = rust;
const { create } = require('errors');
const checkCount = (count) => {
  if (count === 0) throw create('TypeError', 'ERR_MISSING_ARGS', 'The "input" argument must be specified');
};
const made = (text, message) => {
  if (text === undefined) throw new DOMException(message, 'InvalidCharacterError');
  return text;
};
exports.atob = function atob(input) {
  checkCount(arguments.length);
  return made(native.decode($.text`${input}`), 'The string to be decoded is not correctly encoded.');
};
exports.btoa = function btoa(input) {
  checkCount(arguments.length);
  return made(native.encode($.text`${input}`), 'Invalid character');
};
