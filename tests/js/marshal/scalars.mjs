// Numbers as arguments and results: every type, at its limits and beyond them.
import { assertEq, test } from '../harness.mjs';
import { assertIncludes, demo, guestTest, thrownBy, types } from './load.mjs';

const { i8, u8, i16, u16, i32, u32, i64, u64, f32, f64 } = types;

const integers = {
  i8: [
    [0, 0],
    [127, 127],
    [128, -128],
    [-128, -128],
    [-129, 127],
    [255, -1],
    [256, 0],
  ],
  u8: [
    [0, 0],
    [255, 255],
    [256, 0],
    [-1, 255],
    [-255, 1],
  ],
  i16: [
    [32767, 32767],
    [32768, -32768],
    [-32768, -32768],
    [-32769, 32767],
    [65535, -1],
  ],
  u16: [
    [65535, 65535],
    [65536, 0],
    [-1, 65535],
  ],
  i32: [
    [2 ** 31 - 1, 2 ** 31 - 1],
    [2 ** 31, -(2 ** 31)],
    [-(2 ** 31) - 1, 2 ** 31 - 1],
    [2 ** 32, 0],
    [2 ** 53 - 1, -1],
  ],
  u32: [
    [2 ** 31, 2 ** 31],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 32, 0],
    [-1, 2 ** 32 - 1],
    [-(2 ** 31), 2 ** 31],
  ],
};
const alike = [
  [7.9, 7],
  [-0, 0],
  [NaN, 0],
  [Infinity, 0],
  [-Infinity, 0],
  [2 ** 32 + 5, 5],
  [1e300, 0],
];

for (const [suffix, cases] of Object.entries(integers)) {
  guestTest(`${suffix}: limits, wrapping, fractions`, ({ call }) => {
    for (const [given, expected] of [...cases, ...alike]) {
      assertEq(call(`echo_${suffix}`, [types[suffix]], types[suffix], given), expected, String(given));
    }
  });
}

guestTest('negative fractions are cut off towards zero', ({ call }) => {
  for (const suffix of ['i8', 'i16', 'i32']) assertEq(call(`echo_${suffix}`, [types[suffix]], types[suffix], -7.9), -7);
  assertEq(call('echo_u8', [u8], u8, -7.9), 249);
});

guestTest('small integers are narrowed and extended before the guest sees them', ({ call }) => {
  assertEq(call('echo_i32', [u8], i32, 0x1ff), 0xff);
  assertEq(call('echo_i32', [i8], i32, 0xff), -1);
  assertEq(call('echo_i32', [u16], i32, -1), 0xffff);
  assertEq(call('echo_i32', [i16], i32, 0x18000), -32768);
});

guestTest('small integers are narrowed when they come back', ({ call }) => {
  assertEq(call('echo_i32', [i32], u8, 0x1fe), 0xfe);
  assertEq(call('echo_i32', [i32], i8, 0xfe), -2);
  assertEq(call('echo_i32', [i32], u16, -2), 0xfffe);
  assertEq(call('echo_i32', [i32], i16, 0xfffe), -2);
  assertEq(call('echo_i32', [i32], u32, -2), 2 ** 32 - 2);
});

guestTest('i64: BigInts wrap', ({ call }) => {
  for (const [given, expected] of [
    [0n, 0n],
    [2n ** 63n - 1n, 2n ** 63n - 1n],
    [2n ** 63n, -(2n ** 63n)],
    [-(2n ** 63n), -(2n ** 63n)],
    [2n ** 64n + 3n, 3n],
    [-(2n ** 63n) - 1n, 2n ** 63n - 1n],
    [2n ** 200n - 1n, -1n],
  ]) {
    assertEq(call('echo_i64', [i64], i64, given), expected, String(given));
  }
});

guestTest('u64: BigInts wrap', ({ call }) => {
  for (const [given, expected] of [
    [2n ** 64n - 1n, 2n ** 64n - 1n],
    [2n ** 64n, 0n],
    [-1n, 2n ** 64n - 1n],
    [2n ** 63n, 2n ** 63n],
    [-(2n ** 70n) + 9n, 9n],
  ]) {
    assertEq(call('echo_u64', [u64], u64, given), expected, String(given));
  }
});

guestTest('64-bit integers take exact numbers, and give BigInts', ({ call }) => {
  assertEq(call('echo_i64', [i64], i64, Number.MAX_SAFE_INTEGER), 2n ** 53n - 1n);
  assertEq(call('echo_i64', [i64], i64, Number.MIN_SAFE_INTEGER), -(2n ** 53n) + 1n);
  assertEq(call('echo_i64', [i64], i64, -0), 0n);
  assertEq(call('echo_u64', [u64], u64, -1), 2n ** 64n - 1n);
  for (const inexact of [2 ** 53, 1.5, NaN, Infinity, -Infinity, 1e30]) {
    assertIncludes(
      thrownBy(TypeError, () => call('echo_i64', [i64], i64, inexact)),
      'echo_i64: argument 1: expected a BigInt or an integer for Int64, got ',
    );
  }
});

guestTest('f64: every number', ({ call }) => {
  for (const value of [
    0,
    -0,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    2 ** 53,
    0.1,
    -1e-310,
  ]) {
    assertEq(call('echo_f64', [f64], f64, value), value);
  }
});

guestTest('f32: rounded to single precision', ({ call }) => {
  for (const value of [0, -0, 0.1, NaN, Infinity, -Infinity, 1e40, -1e40, 1e-50, 2 ** 24 + 1, 3.4028234663852886e38]) {
    assertEq(call('echo_f32', [f32], f32, value), Math.fround(value), String(value));
  }
});

guestTest('what is no number is refused, by argument and type', ({ call }) => {
  for (const wrong of ['1', undefined, null, true, {}, [], Symbol('s'), () => 1, 1n, { valueOf: () => 1 }]) {
    for (const suffix of ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'f32', 'f64']) {
      const message = thrownBy(TypeError, () => call(`echo_${suffix}`, [types[suffix]], types[suffix], wrong));
      assertIncludes(message, `echo_${suffix}: argument 1: expected a number`);
    }
  }
  for (const wrong of ['1', undefined, null, true, {}, { valueOf: () => 1n }]) {
    assertIncludes(
      thrownBy(TypeError, () => call('echo_i64', [i64], i64, wrong)),
      'echo_i64: argument 1: expected a BigInt',
    );
  }
});

guestTest('the number of the wrong argument is the function’s own', ({ call }) => {
  assertIncludes(
    thrownBy(TypeError, () => call('divide', [i32, i32], i32, 1, 'two')),
    'divide: argument 2',
  );
});

guestTest('a void function gives undefined, and so does a prototype without result', ({ call }) => {
  assertEq(call('set_malloc_budget', [i32], types.void, -1), undefined);
  assertEq(call('set_malloc_budget', [i32], undefined, -1), undefined);
  assertEq(call('divide', [i32, i32], types.void, 6, 3), undefined);
});

test('conversions run no script', () => {
  const { call } = demo();
  let ran = 0;
  const sly = {
    valueOf() {
      ran += 1;
      return 1;
    },
    [Symbol.toPrimitive]() {
      ran += 1;
      return 1;
    },
  };
  thrownBy(TypeError, () => call('echo_i32', [i32], i32, sly));
  thrownBy(TypeError, () => call('echo_i64', [i64], i64, sly));
  assertEq(ran, 0);
});

guestTest('a prototype serves many calls and many functions', ({ call, manager, exports }) => {
  for (let i = 0; i < 10_000; i++) assertEq(call('divide', [i32, i32], i32, i, 2), Math.trunc(i / 2));
});
