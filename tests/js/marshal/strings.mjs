// Strings: UTF-8 with a zero behind them on the guest's side.
import { assert, assertEq } from '../harness.mjs';
import { assertIncludes, guestTest, out, inout, thrownBy, types, withoutLeak } from './load.mjs';

const { string, u32 } = types;
const echo = ({ call }, text) => call('echo_string', [string], string, text);

guestTest('text of every kind comes back as it was', (guest) => {
  for (const text of [
    '',
    'a',
    'plain ASCII',
    'ñandú Ærø',
    'e\u0301',
    '€ 漢字 עברית',
    '😀',
    '👨‍👩‍👧',
    '🇩🇪',
    '\u{10FFFF}',
    '\uFFFD',
    '\uFEFFbom',
    '\u0001\u007f',
    'line\nbreak\t"quotes"\\',
    '\u2028',
  ]) {
    assertEq(echo(guest, text), text);
  }
});

guestTest('the guest sees UTF-8', ({ call }) => {
  for (const [text, length] of [
    ['', 0],
    ['abc', 3],
    ['ñ', 2],
    ['€', 3],
    ['😀', 4],
    ['añ€😀', 10],
  ]) {
    assertEq(call('string_bytes', [string], u32, text), length, text);
  }
});

guestTest('reverse: characters of several code points', ({ call }) => {
  for (const [text, expected] of [
    ['', ''],
    ['abc', 'cba'],
    ['ñandú', 'údnañ'],
    ['e\u0301a', 'ae\u0301'],
    ['👍🏽!', '!👍🏽'],
  ]) {
    assertEq(call('reverse', [string], string, text), expected);
  }
});

guestTest('long texts, of each of the engine’s representations', (guest) => {
  for (const unit of ['a', 'é', '€', '😀', 'aé€😀']) {
    const text = unit.repeat(300_000);
    assertEq(echo(guest, text), text);
  }
  let rope = '';
  for (let i = 0; i < 20_000; i++) rope += i % 2 ? 'x' : '€';
  assertEq(echo(guest, rope), rope);
  assertEq(echo(guest, 'abc€def'.slice(2, 5)), 'c€d');
});

guestTest('a NUL inside is refused, by its index in UTF-16', (guest) => {
  for (const [text, at] of [
    ['\0', 0],
    ['ab\0c', 2],
    ['€\0', 1],
    ['😀😀\0', 4],
    ['x'.repeat(1000) + '\0\0', 1000],
  ]) {
    withoutLeak(guest, () =>
      assertIncludes(
        thrownBy(TypeError, () => echo(guest, text)),
        'echo_string: argument 1',
        'NUL',
        `index ${at},`,
      ),
    );
  }
});

guestTest('a lone surrogate is refused, by its index in UTF-16', (guest) => {
  for (const [text, at] of [
    ['\ud800', 0],
    ['\udfff', 0],
    ['ab\udc00', 2],
    ['€\ud83d', 1],
    ['😀\ude00', 2],
    ['\ude00\ud83d', 0],
    ['\ud83d\ud83d\ude00', 0],
    ['x'.repeat(1000) + '\ud800y', 1000],
    ['é'.repeat(100) + '\udbff', 100],
  ]) {
    withoutLeak(guest, () =>
      assertIncludes(
        thrownBy(TypeError, () => echo(guest, text)),
        'echo_string: argument 1',
        'lone surrogate',
        `index ${at},`,
      ),
    );
  }
});

guestTest('null is a null pointer, both ways', (guest) => {
  const { call, exports } = guest;
  assertEq(call('echo_u32', [string], u32, null), 0);
  assertEq(call('echo_u32', [u32], string, 0), null);
  exports.set_malloc_budget(1);
  assertEq(echo(guest, 'no room for the copy'), null);
});

guestTest('what is no string is refused', (guest) => {
  for (const wrong of [undefined, 1, true, {}, ['a'], new String('a'), Symbol('s'), 1n, { toString: () => 'a' }]) {
    withoutLeak(guest, () =>
      assertIncludes(
        thrownBy(TypeError, () => echo(guest, wrong)),
        'echo_string: argument 1: expected a string',
      ),
    );
  }
});

guestTest('bytes that are no UTF-8 become U+FFFD', (guest) => {
  const { call, exports } = guest;
  for (const [bytes, text] of [
    [[0x61, 0xff, 0x62], 'a\ufffdb'],
    [[0xc3], '\ufffd'],
    [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'],
    [[0xe2, 0x82, 0x41], '\ufffdA'],
    [[0xc0, 0x80], '\ufffd\ufffd'],
  ]) {
    const block = exports.malloc(bytes.length + 1);
    new Uint8Array(exports.memory.buffer).set([...bytes, 0], block);
    assertEq(call('echo_u32', [u32], string, block), text, 'a result by pointer, which is freed');
  }
});

guestTest('a result that does not end within the memory', (guest) => {
  const { call, exports, memory } = guest;
  const end = memory.buffer.byteLength;
  const bytes = new Uint8Array(memory.buffer);
  const kept = bytes.slice(end - 16);
  bytes.fill(0x41, end - 16);
  thrownBy(RangeError, () => call('echo_u32', [u32], string, end + 8));
  bytes.set(kept, end - 16);
  assertEq(exports.live_blocks(), 0);
});

guestTest('a function that returns its own argument: the text is freed once', (guest) => {
  assertEq(guest.call('echo_u32', [string], string, 'the same'), 'the same');
  assertEq(guest.exports.live_blocks(), 0, 'after the call');
});

guestTest('strings go in only', () => {
  thrownBy(TypeError, () => out(string));
  thrownBy(TypeError, () => inout(string));
});

guestTest('many strings leave nothing', (guest) => {
  for (let i = 0; i < 5000; i++) assertEq(echo(guest, `number ${i} ñ`), `number ${i} ñ`);
  assert(guest.exports.live_blocks() === 0);
});
