// Strings in UTF-8, UTF-16 and Latin-1, by terminator and by length; buffers that the guest fills; StringBuffers.
// Takes long: strings of half a gigabyte.
import { addressOf, borrowed, owned, StringBuffer, StringType, StructType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { seededRandom } from '../random.mjs';
import { byCopy, byView, copy, guestTest, inline, inout, leavesNothing, out, pointer, result, t, underEveryBudget, view } from './vocabulary.mjs';

const utf8 = t.string;
const utf16 = new StringType('utf-16');
const latin1 = new StringType('latin1');
const texts = ['', 'a', 'ASCII only, and longer than a small buffer would be'.repeat(20), 'é', 'ÿ', '€', '漢字', '😀', 'a😀b', '\u{10ffff}', '\ufeffbom', '\uffff', '\u0001\u007f\u0080'];
const bytesOf = (guest, type, text, n) => Array.from({ length: n }, (_, i) => guest.call('string_byte', [type, t.i32], t.i32, text, i));

guestTest('UTF-8: in and out, and what the guest sees', (guest) => {
  for (const text of texts) {
    assertEq(underEveryBudget(guest, () => guest.call('copy_string', [utf8], utf8, text)).value, text);
    const bytes = new TextEncoder().encode(text);
    assertEq(guest.call('string_length', [utf8], t.size, text), bytes.length);
    assertList(bytesOf(guest, utf8, text, Math.min(bytes.length, 20)), bytes.slice(0, 20));
  }
});

guestTest('UTF-16: in and out, and what the guest sees', (guest) => {
  for (const text of [...texts, '\ud800', 'a\udfffb']) {
    assertEq(underEveryBudget(guest, () => guest.call('copy_utf16', [utf16], utf16, text)).value, text);
    assertEq(guest.call('length_utf16', [utf16], t.size, text), text.length);
    for (let i = 0; i < Math.min(text.length, 20); i++) assertEq(guest.call('unit_utf16', [utf16, t.i32], t.i32, text, i), text.charCodeAt(i));
  }
});

guestTest('Latin-1: in and out; what it has no byte for is refused', (guest) => {
  for (const text of ['', 'a', 'é', 'ÿ', '\u0001\u0080\u009f\u00a0', 'x'.repeat(1000)]) {
    assertEq(underEveryBudget(guest, () => guest.call('copy_string', [latin1], latin1, text)).value, text);
    assertList(bytesOf(guest, latin1, text, Math.min(text.length, 20)), [...text.slice(0, 20)].map((c) => c.charCodeAt(0)));
  }
  for (const text of ['€', 'aĀ', '😀', '\ud800']) {
    leavesNothing(guest, () => {
      const error = (() => { try { guest.call('copy_string', [latin1], latin1, text); } catch (caught) { return caught; } return undefined; })();
      assert(error instanceof TypeError || error instanceof RangeError, `${text} is refused`);
      assertIncludes(error.message, 'copy_string', 'argument 1');
    });
  }
});

guestTest('lone surrogates, which UTF-8 has not, are refused', (guest) => {
  for (const text of ['a\ud800b', '\udc00', '\udc00\ud800']) {
    leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call('copy_string', [utf8], utf8, text)), 'copy_string', 'argument 1', 'surrogate'));
  }
});

guestTest('bytes that are not UTF-8 become U+FFFD, as TextDecoder does', (guest) => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80, 0x61]]) {
    const expected = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    assertEq(guest.call('copy_bytes', [copy(t.u8), t.size], utf8, [...bytes, 0], bytes.length + 1), expected);
    assertEq(guest.call('copy_bytes', [copy(t.u8), t.size], new StringType('utf-8', bytes.length), bytes, bytes.length), expected);
  }
});

guestTest('zeros: by terminator the text ends there or is refused, by length they are text', (guest) => {
  const error = (() => { try { return guest.call('copy_string', [utf8], utf8, 'a\0b'); } catch (caught) { return caught; } })();
  assert(error instanceof TypeError || error instanceof RangeError, `expected an error, got ${JSON.stringify(error)}`);
  const counted = new StringType('utf-8', { argument: 1 });
  assertEq(underEveryBudget(guest, () => guest.call('copy_bytes', [counted, t.size], counted, 'a\0b€', 6)).value, 'a\0b€');
  const wide = new StringType('utf-16', { argument: 1 });
  assertEq(guest.call('copy_utf16_units', [wide, t.size], wide, 'a\0b😀', 5), 'a\0b😀');
  const narrow = new StringType('latin1', { argument: 1 });
  assertEq(guest.call('copy_bytes', [narrow, t.size], narrow, 'a\0ÿ', 3), 'a\0ÿ');
});

guestTest('lengths of strings: numbers, functions, fewer and more than there are', (guest) => {
  const fixed = new StringType('utf-8', 3);
  assertEq(guest.call('sum_bytes', [fixed, t.size], t.i32, 'abc', 3), 294);
  assertEq(guest.call('sum_bytes', [fixed, t.size], t.i32, 'a', 3), 97, 'the rest is zero');
  leavesNothing(guest, () => assertIncludes(thrownBy(RangeError, () => guest.call('sum_bytes', [fixed, t.size], t.i32, 'abcd', 4)), 'sum_bytes', 'argument 1', '4', '3'));
  leavesNothing(guest, () => thrownBy(RangeError, () => guest.call('sum_bytes', [fixed, t.size], t.i32, '€€', 4)));
  const asked = [];
  const length = (index, args) => { asked.push(index, args.length); return 2; };
  assertEq(guest.call('copy_bytes', [utf8, t.size], new StringType('utf-8', length), 'abc', 3), 'ab');
  assertList(asked, [-1, 2]);
  const mine = new Error('mine');
  const throwing = new StringType('utf-8', () => { throw mine; });
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('copy_bytes', [throwing, t.size], t.any, 'abc', 3)));
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('copy_bytes', [utf8, t.size], throwing, 'abc', 3)));
  for (const count of [2 ** 31, 2 ** 40, 2 ** 53 - 1]) {
    for (const encoding of ['utf-8', 'utf-16', 'latin1']) {
      leavesNothing(guest, () => thrownBy(RangeError, () => guest.call('copy_bytes', [utf8, t.size], new StringType(encoding, count), 'abc', 3)));
      leavesNothing(guest, () => thrownBy(RangeError, () => guest.call('sum_bytes', [new StringType(encoding, count), t.size], t.i32, 'abc', 3)));
    }
  }
});

guestTest('no terminator up to the memory’s end', (guest) => {
  guest.settle();
  const end = guest.memory.buffer.byteLength;
  new Uint8Array(guest.memory.buffer, end - 16).fill(0x41);
  for (const type of [utf8, utf16, latin1, t.buffer]) thrownBy(RangeError, () => guest.call('same', [t.any], borrowed(type), end - 16));
  new Uint8Array(guest.memory.buffer, end - 16).fill(0);
  assertEq(guest.call('same', [t.any], borrowed(utf8), end - 1), '');
  thrownBy(RangeError, () => guest.call('same', [t.any], borrowed(utf16), end - 1));
});

guestTest('a UTF-16 string at an odd address', (guest) => {
  const bytes = [0, 0x61, 0, 0xe9, 0, 0, 0];
  const block = guest.manager.createTypedArray(Uint8Array, bytes);
  assertEq(guest.call('same', [t.any], borrowed(utf16), addressOf(block) + 1), 'aé');
  block[Symbol.dispose]();
});

guestTest('null', (guest) => {
  for (const type of [utf8, utf16, latin1]) assertEq(guest.call('same', [type], type, null), null);
  assertEq(guest.call('same', [t.buffer], t.buffer, null), null);
});

guestTest('what is no string', (guest) => {
  for (const type of [utf8, utf16, latin1, new StringType('utf-8', 3)]) {
    for (const wrong of [1, true, {}, [], undefined, Symbol('s'), 1n, Object('x'), () => 'x']) {
      leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call('same', [type], t.any, wrong)), 'same', 'argument 1'));
    }
  }
});

guestTest('wrong definitions', () => {
  for (const wrong of ['utf-32', '', 5, null, {}, 'UTF-8 ']) thrownBy(TypeError, () => new StringType(wrong));
  assertThrows(RangeError, () => new StringType('utf-8', -1));
  thrownBy(TypeError, () => new StringType('utf-8', 'x'));
  assertEq(new StringType().mangledName, 's8');
  assertEq(StringType.MANGLED_NAME, 's8');
});

guestTest('arrays of strings in every encoding', (guest) => {
  const list = ['a', 'é', null, ''];
  assertEq(underEveryBudget(guest, () => guest.call('join', [copy(utf8), t.i32, utf8], utf8, list, 4, '/')).value, 'a/é/-/');
  assertEq(underEveryBudget(guest, () => guest.call('join', [copy(latin1), t.i32, latin1], latin1, list, 4, '/')).value, 'a/é/-/');
  const made = underEveryBudget(guest, () => guest.call('new_names', [t.i32], copy(utf8, { argument: 0 }), 3)).value;
  assertList(made, ['zero', 'one', 'two']);
  const until = underEveryBudget(guest, () => guest.call('new_names', [t.i32], copy(utf8, { until: 0 }), 5)).value;
  assertList(until, ['zero', 'one', 'two', 'three', 'zero']);
  const filled = new Array(3);
  underEveryBudget(guest, () => {
    filled.fill(undefined);
    guest.call('write_names', [out(copy(utf8)), t.i32], t.void, filled, 3);
    return filled.includes(null) ? null : true;
  });
  assertList(filled, ['zero', 'one', 'two']);
  leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call('join', [copy(utf8), t.i32, utf8], utf8, ['a', 5], 2, '')), 'join', 'argument 1', 'element 1'));
  assertEq(guest.call('count_strings', [copy(utf8, { until: 0 })], t.i32, ['a', 'b', 'c']), 3);
});

guestTest('char buffers that the guest fills', (guest) => {
  const bytes = new Array(16).fill(0);
  assertEq(guest.call('format', [out(copy(t.u8)), t.i32, t.i32], t.i32, bytes, 16, -1234), 5);
  assertEq(String.fromCharCode(...bytes.slice(0, 5)), '-1234');
  const buffer = StringBuffer.fromString(guest.manager, ' '.repeat(15), true);
  assertEq(guest.call('format', [t.buffer, t.i32, t.i32], t.i32, buffer, 16, 42), 2);
  assertEq(buffer.toString(), '42');
  guest.call('upper', [t.buffer], t.void, buffer);
  buffer[Symbol.dispose]();
  const lib = guest.declare(`
    int format(char *to [[out, length(capacity)]], int capacity, int number);
    void upper(char *text [[inout, bytes]]);
    size_t string_length(const char *text);
    char16_t *copy_utf16(const char16_t *text [[utf16]]) [[owned, utf16]];
    char *copy_string(const char *text [[latin1]]) [[owned, latin1]];
  `);
  const [length, text] = underEveryBudget(guest, () => lib.format(16, -2147483648)).value;
  assertEq(length, 11);
  assertEq(text.replace(/\0.*/s, ''), '-2147483648');
  assertEq(lib.format(4, 12345)[1].replace(/\0.*/s, ''), '123', 'cut as snprintf does');
  assertEq(lib.copy_utf16('a😀'), 'a😀');
  assertEq(lib.copy_string('é'), 'é');
  assertEq(lib.string_length('é'), 2);
});

guestTest('StringBuffer', (guest) => {
  const made = StringBuffer.fromString(guest.manager, 'héllo', true);
  assert(made instanceof Uint8Array && made instanceof StringBuffer);
  assertEq(made.length, 7, 'the bytes, and a zero');
  assertEq(made.toString(), 'héllo');
  assertEq(`${made}`, 'héllo');
  const again = guest.call('copy_string', [t.buffer], t.buffer, made);
  assertEq(again.length, 6);
  assertEq(again.toString(), 'héllo');
  again[0] = 0x48;
  assertEq(again.toString(), 'Héllo');
  assertEq(guest.exports.live_blocks(), 2);
  const seen = StringBuffer.fromAddress(guest.manager, addressOf(made), false);
  assertEq(seen.toString(), 'héllo');
  for (const one of [seen, again, made]) one[Symbol.dispose]();
  assertEq(guest.exports.live_blocks(), 0);
  assertThrows(TypeError, () => made.toString(), /ended/);
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('copy_string', [t.buffer], t.buffer, made)));
  for (const wrong of ['text', 1, {}, new Uint8Array(4), [1]]) {
    leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('copy_string', [t.buffer], t.buffer, wrong)));
  }
  underEveryBudget(guest, () => { const one = StringBuffer.fromString(guest.manager, 'x', true); const text = one.toString(); one[Symbol.dispose](); return text; });
  const unowned = StringBuffer.fromString(guest.manager, 'x', false);
  guest.manager.free(addressOf(unowned));
  for (const wrong of [undefined, 'x', -1, 2 ** 32 + 5]) {
    const error = (() => { try { return StringBuffer.fromAddress(guest.manager, wrong, false); } catch (caught) { return caught; } })();
    assert(error instanceof TypeError || error instanceof RangeError, `fromAddress(${String(wrong)})`);
  }
  thrownBy(TypeError, () => StringBuffer.fromString({}, 'x', true));
  thrownBy(TypeError, () => StringBuffer.fromString(guest.manager, 5, true));
});

guestTest('a string that changes while it is converted cannot', (guest) => {
  // Strings have no getters; an array of them has.
  const list = ['a'.repeat(50), 'b'];
  Object.defineProperty(list, 1, { get() { guest.exports.grow_pages(2); list[0] = 'other'; return 'b'; } });
  assertEq(guest.call('join', [copy(utf8), t.i32, utf8], utf8, list, 2, ''), `${'a'.repeat(50)}b`);
});

guestTest('strings in structs by view: read, written, null', (guest) => {
  const one = new StructType({ text: utf8, wide: borrowed(utf16) }, { name: 'one' });
  const made = one.create(guest.manager);
  assertEq(made.text, null);
  made.text = 'hello';
  assertEq(made.text, 'hello');
  const first = guest.exports.live_blocks();
  made.wide = 'a😀';
  assertEq(made.wide, 'a😀');
  assertEq(guest.exports.live_blocks(), first + 1);
  assertIncludes(thrownBy(TypeError, () => { made.text = 5; }), 'one', 'text');
  const raw = new StructType({ text: t.any, wide: t.any }).at(guest.manager, addressOf(made));
  guest.call('eat', [t.any], t.void, raw.text);
  guest.call('eat', [t.any], t.void, raw.wide);
  made[Symbol.dispose]();
});

guestTest('a thousand random strings in each encoding', (guest) => {
  const random = seededRandom(7);
  const unit = { utf8: () => [0x41, 0xe9, 0x20ac, 0x1f600][random(4)] + random(16), latin1: () => 1 + random(255) };
  for (let i = 0; i < 1000; i++) {
    const length = random(40);
    const text = Array.from({ length }, () => String.fromCodePoint(unit.utf8())).join('');
    assertEq(guest.call('copy_string', [utf8], utf8, text), text);
    assertEq(guest.call('copy_utf16', [utf16], utf16, text), text);
    const narrow = Array.from({ length }, () => String.fromCodePoint(unit.latin1())).join('');
    assertEq(guest.call('copy_string', [latin1], latin1, narrow), narrow);
    assertEq(guest.call('copy_utf16_units', [new StringType('utf-16', { argument: 1 }), t.size], new StringType('utf-16', { argument: 1 }), text, text.length), text);
  }
});

guestTest('large strings', (guest) => {
  for (const part of ['x', 'é', '漢', '😀']) {
    const text = part.repeat(300_000);
    assertEq(guest.call('copy_string', [utf8], utf8, text) === text, true);
    assertEq(guest.call('copy_utf16', [utf16], utf16, text) === text, true);
  }
  const error = (() => { try { return guest.call('string_length', [utf8], t.size, 'x'.repeat(2 ** 29)); } catch (caught) { return caught; } })();
  assert(error === 2 ** 29 || error instanceof RangeError, String(error));
  assert([byCopy, byView, inline, inout, pointer, result, view, owned].length === 8);
});
