// The demo guest, called by hand: what the tests of marshalling rely on.
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { demo } from './load.mjs';

const array = (exports, Type, address, length) => new Type(exports.memory.buffer, address, length);
const families = {
  i8: Int8Array, u8: Uint8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array, u32: Uint32Array,
  i64: BigInt64Array, u64: BigUint64Array, f32: Float32Array, f64: Float64Array,
};

test('multiply and multiply_into', () => {
  const { exports } = demo();
  const [a, out] = [exports.iota_f64(4), exports.malloc(32)];
  const product = exports.multiply(a, a, 4);
  exports.multiply_into(a, a, out, 4);
  assertList(array(exports, Float64Array, product, 4), [0, 1, 4, 9]);
  assertList(array(exports, Float64Array, out, 4), [0, 1, 4, 9]);
  assertEq(exports.sum_f64(out, 4), 14);
  exports.fill_f64(out, 4, 0.5);
  assertEq(exports.sum_f64(out, 4), 2);
  for (const block of [a, out, product]) exports.free(block);
  assertEq(exports.live_blocks(), 0);
  assertEq(exports.live_bytes(), 0);
});

for (const [suffix, Type] of Object.entries(families)) {
  test(`iota, negate, scale and echo of ${suffix}`, () => {
    const { exports } = demo();
    const number = suffix.endsWith('64') && suffix !== 'f64' ? BigInt : Number;
    const address = exports[`iota_${suffix}`](4);
    assertList(array(exports, Type, address, 4), Type.of(...[0, 1, 2, 3].map(number)));
    exports[`scale_${suffix}`](address, 4, number(3));
    assertList(array(exports, Type, address, 4), Type.of(...[0, 3, 6, 9].map(number)));
    exports[`negate_${suffix}`](address, 4);
    const expected = suffix.startsWith('f') ? Type.of(-0, -3, -6, -9) : Type.of(...[0, -3, -6, -9].map(number));
    assertList(array(exports, Type, address, 4), expected);
    exports.free(address);
    assertEq(exports[`echo_${suffix}`](number(100)), number(100));
    assertEq(exports.live_blocks(), 0);
  });
}

test('bytes', () => {
  const { exports } = demo();
  const address = exports.bytes(1000, 0x1ff);
  assert(array(exports, Uint8Array, address, 1000).every((byte) => byte === 0xff));
  exports.free(address);
});

test('strings: echo, length, of several', () => {
  const { exports, putText, takeText } = demo();
  const text = 'añ€😀';
  const address = putText(text);
  assertEq(exports.string_bytes(address), 10);
  assertEq(takeText(exports.echo_string(address)), text);
  const pointers = exports.malloc(8);
  array(exports, Uint32Array, pointers, 2).set([address, address]);
  assertEq(exports.strings_bytes(pointers, 2), 20);
  const reversed = exports.reverse_all(pointers, 2);
  for (const one of array(exports, Uint32Array, reversed, 2).slice()) assertEq(takeText(one), '😀€ña');
  for (const block of [address, pointers, reversed]) exports.free(block);
  assertEq(exports.live_blocks(), 0);
});

const reversals = {
  '': '', 'abc': 'cba', 'ñandú': 'údnañ', 'e\u0301a': 'ae\u0301', 'a\u0302\u0301b': 'ba\u0302\u0301',
  '\u0301a': 'a\u0301', 'x\u20dd1': '1x\u20dd', 'a\u200d': 'a\u200d', '❤️ok': 'ko❤️', '👍🏽!': '!👍🏽',
  '🇩🇪🇫🇷🇮': '🇮🇫🇷🇩🇪', '👨‍👩‍👧x': 'x👨‍👩‍👧',
};
test('reverse keeps what belongs to a character behind its base', () => {
  const { exports, putText, takeText } = demo();
  for (const [text, expected] of Object.entries(reversals)) {
    const address = putText(text);
    assertEq(takeText(exports.reverse(address)), expected);
    exports.free(address);
  }
  assertEq(exports.live_blocks(), 0);
});

test('reverse of bytes that are not UTF-8 keeps every byte, and reads none behind the end', () => {
  const { exports, put, take } = demo();
  const cases = [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80, 0x41], [0xc0, 0x80], [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80], [0x41, 0xcc], [0xe2, 0x80, 0x8d, 0xff]];
  for (const bytes of cases) {
    const address = put(Uint8Array.from(bytes));
    const out = take(exports.reverse(address));
    assertList([...out].sort(), [...bytes].sort());
    exports.free(address);
  }
  const address = put(Uint8Array.of(0x41, 0xe2, 0x82, 0x42));
  assertList(take(exports.reverse(address)), [0x42, 0x82, 0xe2, 0x41]);
});

test('say and complain write at once, and nothing besides', () => {
  const { exports, written, putText } = demo();
  const address = putText('häm\n');
  exports.say(address);
  exports.say(address);
  exports.complain(address);
  assertEq(written[1], 'häm\nhäm\n');
  assertEq(written[2], 'häm\n');
});

test('an allocation budget makes malloc fail, and the functions that allocate', () => {
  const { exports, putText } = demo();
  const text = putText('text');
  exports.set_malloc_budget(2);
  const [one, two] = [exports.malloc(1), exports.iota_i32(1)];
  assert(one !== 0 && two !== 0);
  for (const failing of [exports.malloc(1), exports.calloc(1, 1), exports.realloc(one, 100), exports.bytes(1, 0),
    exports.reverse(text), exports.multiply(0, 0, 1), exports.new_point(1, 2, 3)]) assertEq(failing, 0);
  assertEq(exports.live_blocks(), 3);
  exports.set_malloc_budget(-1);
  assert(exports.malloc(1) !== 0);
});

test('sizes that do not fit are refused', () => {
  const { exports } = demo();
  assertEq(exports.iota_f64(0x7fffffff), 0);
  assertEq(exports.iota_f64(-1), 0);
  assertEq(exports.live_blocks(), 0);
});

test('the books follow calloc and realloc', () => {
  const { exports } = demo();
  const block = exports.calloc(10, 10);
  assert(exports.live_bytes() >= 100);
  const moved = exports.realloc(block, 100_000);
  assertEq(exports.live_blocks(), 1);
  assert(exports.live_bytes() >= 100_000);
  exports.free(moved);
  exports.free(0);
  assertEq(exports.live_blocks(), 0);
  assertEq(exports.live_bytes(), 0);
});

test('structs', () => {
  const { exports } = demo();
  const point = exports.new_point(7, 1.5, -2);
  exports.move_point(point, 1, 1);
  const view = new DataView(exports.memory.buffer, point, 24);
  assertList([view.getInt32(0, true), view.getFloat64(8, true), view.getFloat64(16, true)], [7, 2.5, -1]);
});

test('function pointers are indices of the exported table', () => {
  const { exports } = demo();
  const numbers = exports.iota_f64(3);
  exports.map_f64(numbers, 3, exports.get_twice());
  assertList(array(exports, Float64Array, numbers, 3), [0, 2, 4]);
  const table = exports.__indirect_function_table;
  const slot = table.grow(1, exports.echo_f64);
  exports.map_f64(numbers, 3, slot);
  assertList(array(exports, Float64Array, numbers, 3), [0, 2, 4]);
});

test('ways to fail', () => {
  const { exports } = demo();
  const { RuntimeError } = WebAssembly;
  assertEq(exports.divide(-7, 2), -3);
  assertThrows(RuntimeError, () => exports.divide(1, 0));
  assertThrows(RuntimeError, () => exports.divide(-(2 ** 31), -1));
  assertThrows(RuntimeError, () => exports.unreachable_now());
  let thrown;
  try { exports.recurse(0); } catch (error) { thrown = error; }
  assert(thrown instanceof Error);
  assertEq(exports.divide(9, 3), 3);
});

test('growth inside the guest', () => {
  const { exports } = demo();
  const pages = exports.memory.buffer.byteLength / 65536;
  assertEq(exports.grow_pages(3), pages);
  assertEq(exports.memory.buffer.byteLength / 65536, pages + 3);
});
