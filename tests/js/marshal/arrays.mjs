// Arrays of numbers: copied in, out and both ways; plain arrays and typed ones.
import { assert, assertEq, assertList } from '../harness.mjs';
import {
  assertIncludes,
  copy,
  families,
  guestTest,
  inout,
  into,
  out,
  thrownBy,
  types,
  view,
  withoutLeak,
} from './load.mjs';

const { f64, i32, u8, u32 } = types;
const array = copy(f64);
const sum = (guest, values) => guest.call('sum_f64', [array, i32], f64, values, values.length);
for (const { suffix, Type, type, number } of families) {
  const values = [1, 2, 3, 100].map(number);
  const negated = Type.from(values, (value) => -value);

  guestTest(`${suffix}: a plain array in and out`, ({ call }) => {
    const given = [...values];
    assertEq(call(`negate_${suffix}`, [inout(copy(type)), i32], types.void, given, 4), undefined);
    assertList(given, negated);
    assert(Array.isArray(given));
  });

  guestTest(`${suffix}: a typed array in and out, by either descriptor`, ({ call }) => {
    for (const descriptor of [copy(type), view(type)]) {
      const given = Type.from(values);
      call(`negate_${suffix}`, [inout(descriptor), i32], types.void, given, 4);
      assertList(given, negated);
    }
  });

  guestTest(`${suffix}: in alone leaves the argument as it was`, ({ call }) => {
    for (const given of [[...values], Type.from(values)]) {
      call(`negate_${suffix}`, [into(copy(type)), i32], types.void, given, 4);
      assertList(given, values);
    }
  });

  guestTest(`${suffix}: a part of a typed array touches no neighbour`, ({ call }) => {
    const whole = Type.from([9, 1, 2, 9].map(number));
    call(`scale_${suffix}`, [inout(view(type)), i32, type], types.void, whole.subarray(1, 3), 2, number(3));
    assertList(whole, Type.from([9, 3, 6, 9].map(number)));
  });

  guestTest(`${suffix}: an array as result, copied`, ({ call }) => {
    const result = call(`iota_${suffix}`, [i32], copy(type, 5), 5);
    assert(Array.isArray(result));
    assertList(result, [0, 1, 2, 3, 4].map(number));
  });

  guestTest(`${suffix}: limits survive both ways`, ({ call }) => {
    const extremes = Type.from([-1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1].map(number));
    const given = [...extremes];
    call(`scale_${suffix}`, [inout(copy(type)), i32, type], types.void, given, 4, number(1));
    assertList(given, extremes);
  });

  guestTest(`${suffix}: more than 70,000 elements, both ways`, ({ call }) => {
    const length = 70_001;
    const plain = Array.from({ length }, (_, i) => number(i % 100));
    const typed = Type.from(plain);
    const expected = Type.from(plain, (value) => -value);
    for (const given of [plain, typed]) call(`negate_${suffix}`, [inout(copy(type)), i32], types.void, given, length);
    assert(
      expected.every((value, i) => Object.is(plain[i], value)),
      'plain',
    );
    assert(
      expected.every((value, i) => Object.is(typed[i], value)),
      'typed',
    );
    const iota = call(`iota_${suffix}`, [i32], copy(type, length), length);
    assertEq(iota.length, length);
    assert(
      Type.from(iota).every((value, i) => value === Type.of(number(i))[0] && Object.is(value, iota[i])),
      'result',
    );
  });
}

guestTest('lengths around the ways that arrays are read', (guest) => {
  for (const length of [0, 1, 2, 23, 24, 25, 1000, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 98_304, 131_073]) {
    const values = Array.from({ length }, (_, i) => i + 1);
    const expected = (length * (length + 1)) / 2;
    assertEq(sum(guest, values), expected, `plain, ${length}`);
    assertEq(sum(guest, Float64Array.from(values)), expected, `typed, ${length}`);
    assertEq(sum(guest, Uint32Array.from(values)), expected, `of another type, ${length}`);
  }
});

guestTest('a million elements', (guest) => {
  assertEq(
    sum(
      guest,
      Array.from({ length: 1_000_000 }, () => 0.5),
    ),
    500_000,
  );
});

guestTest('no elements', (guest) => {
  for (const empty of [[], new Float64Array(0), new Float64Array(new ArrayBuffer(8), 8)])
    assertEq(sum(guest, empty), 0);
  const nothing = [];
  guest.call('fill_f64', [out(array), i32, f64], types.void, nothing, 0, 1);
  assertEq(nothing.length, 0);
  assertList(guest.call('iota_f64', [i32], copy(f64, 0), 0), []);
});

guestTest('null is a null pointer', ({ call }) => {
  assertEq(call('sum_f64', [array, i32], f64, null, 0), 0);
  assertEq(call('echo_u32', [array], u32, null), 0);
  assertEq(call('echo_u32', [inout(view(f64))], u32, null), 0);
  assertEq(call('echo_u32', [u32], copy(f64, 3), 0), null);
});

guestTest('out: the argument’s own length, zeros before the call', ({ call }) => {
  const target = [7, 7, 7, 7];
  call('fill_f64', [out(array), i32, f64], types.void, target, 2, 1.5);
  assertList(target, [1.5, 1.5, 0, 0]);
  const typed = Float64Array.of(7, 7, 7);
  call('fill_f64', [out(array), i32, f64], types.void, typed, 3, -2);
  assertList(typed, [-2, -2, -2]);
});

guestTest('out: a length makes a plain array as long', ({ call }) => {
  const target = [];
  call('fill_f64', [out(copy(f64, 30)), i32, f64], types.void, target, 30, 2);
  assertList(target, new Array(30).fill(2));
});

guestTest('out: a typed array gets as many as fit', ({ call }) => {
  const target = Float64Array.of(7, 7);
  call('fill_f64', [out(copy(f64, 4)), i32, f64], types.void, target, 4, 2);
  assertList(target, [2, 2]);
});

guestTest('an array shorter than its length: the rest is zero', (guest) => {
  const { call, exports } = guest;
  // Where the guest's next blocks of this size will be, there is rubbish.
  for (let i = 0; i < 4; i++) {
    const block = exports.malloc(64);
    new Uint8Array(exports.memory.buffer, block, 64).fill(0x41);
    exports.free(block);
  }
  assertEq(call('sum_f64', [copy(f64, 8), i32], f64, [1, 2], 8), 3);
  const target = [1, 2];
  call('scale_f64', [inout(copy(f64, 4)), i32, f64], types.void, target, 4, 2);
  assertList(target, [2, 4, 0, 0]);
});

guestTest('an array longer than its length is refused', (guest) => {
  withoutLeak(guest, () => {
    const message = thrownBy(RangeError, () => guest.call('sum_f64', [copy(f64, 2), i32], f64, [1, 2, 3], 2));
    assertIncludes(message, 'sum_f64: argument 1', '3 elements', 'more than the 2');
  });
});

guestTest('several arrays in one call', ({ call }) => {
  const target = new Float64Array(3);
  call('multiply_into', [array, array, out(array), i32], types.void, [1, 2, 3], Float64Array.of(4, 5, 6), target, 3);
  assertList(target, [4, 10, 18]);
  assertList(call('multiply', [array, array, i32], copy(f64, 3), [1, 2, 3], [4, 5, 6], 3), [4, 10, 18]);
});

guestTest('the same array twice', ({ call }) => {
  const a = [2, 3];
  assertList(call('multiply', [array, array, i32], copy(f64, 2), a, a, 2), [4, 9]);
  call('multiply_into', [array, array, out(array), i32], types.void, a, a, a, 2);
  assertList(a, [4, 9]);
});

guestTest('typed arrays of another element type are converted', ({ call }) => {
  const given = Float32Array.of(1.5, -2.5);
  assertEq(call('sum_f64', [array, i32], f64, given, 2), -1);
  call('negate_f64', [inout(array), i32], types.void, given, 2);
  assertList(given, [-1.5, 2.5]);
  const bytes = Uint8Array.of(1, 2);
  call('negate_i32', [inout(copy(i32)), i32], types.void, bytes, 2);
  assertList(bytes, [255, 254]);
  const clamped = Uint8ClampedArray.of(1, 2);
  call('scale_u8', [inout(copy(u8)), i32, u8], types.void, clamped, 2, 100);
  assertList(clamped, [100, 200]);
});

guestTest('a typed array that can change its length', ({ call }) => {
  const buffer = new ArrayBuffer(16, { maxByteLength: 32 });
  const tracking = new Float64Array(buffer);
  tracking.set([1, 2]);
  buffer.resize(24);
  call('negate_f64', [inout(array), i32], types.void, tracking, 3);
  assertList(tracking, [-1, -2, -0], 'grown');
  buffer.resize(8);
  call('negate_f64', [inout(array), i32], types.void, tracking, 1);
  assertList(tracking, [1], 'shrunk');
});

guestTest('a detached typed array', (guest) => {
  const gone = Float64Array.of(1);
  gone.buffer.transfer();
  withoutLeak(guest, () => {
    assertIncludes(
      thrownBy(TypeError, () => sum(guest, gone)),
      'sum_f64: argument 1',
      'detached',
    );
  });
});

guestTest('holes are no numbers', (guest) => {
  for (const [length, at] of [
    [3, 1],
    [100, 50],
    [70_000, 69_999],
  ]) {
    const holed = Array.from({ length }, () => 1);
    delete holed[at];
    withoutLeak(guest, () => {
      assertIncludes(
        thrownBy(TypeError, () => sum(guest, holed)),
        `sum_f64: argument 1: element ${at}:`,
        'undefined',
      );
    });
  }
});

guestTest('a wrong element is named by its index', (guest) => {
  for (const wrong of ['1', null, undefined, {}, 1n, true, Symbol('s')]) {
    for (const [length, at] of [
      [3, 2],
      [23, 0],
      [24, 23],
      [40_000, 32_768],
      [70_000, 65_536],
    ]) {
      const values = Array.from({ length }, () => 1);
      values[at] = wrong;
      withoutLeak(guest, () =>
        assertIncludes(
          thrownBy(TypeError, () => sum(guest, values)),
          `element ${at}: expected a number`,
        ),
      );
    }
  }
  assertIncludes(
    thrownBy(TypeError, () => guest.call('negate_i64', [copy(types.i64), i32], types.void, [1n, 1.5], 2)),
    'negate_i64: argument 1: element 1: expected a BigInt',
  );
});

guestTest('what is no array is refused', (guest) => {
  const wrong = [
    1,
    'text',
    {},
    undefined,
    true,
    { length: 1, 0: 1 },
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
    new Map(),
    () => 1,
    new Set([1]),
  ];
  for (const value of wrong) {
    withoutLeak(guest, () =>
      assertIncludes(
        thrownBy(TypeError, () => guest.call('sum_f64', [array, i32], f64, value, 1)),
        'sum_f64: argument 1: expected an array or a Float64Array',
      ),
    );
  }
});

guestTest('an array of another kind: subclass, frozen, with prototype tricks', (guest) => {
  class Mine extends Array {}
  assertEq(sum(guest, Mine.from([1, 2])), 3);
  assertEq(sum(guest, Object.freeze([1, 2])), 3);
  const strange = Object.setPrototypeOf([1, 2], null);
  assertEq(guest.call('sum_f64', [array, i32], f64, strange, 2), 3);
});

guestTest('copying back into a frozen array throws, and leaks nothing', (guest) => {
  withoutLeak(guest, () => {
    thrownBy(TypeError, () => guest.call('negate_f64', [inout(array), i32], types.void, Object.freeze([1, 2]), 2));
  });
});

guestTest('a long array whose slice is somebody else’s', (guest) => {
  // Array.prototype.slice asks the constructor: a piece can be anything.
  for (const piece of [[], [1], { length: 2, 0: 1, 1: 1 }, new Float64Array(3), new Proxy([], {})]) {
    const values = Array.from({ length: 40_000 }, () => 1);
    values.constructor = {
      [Symbol.species]: function Piece() {
        return piece;
      },
    };
    try {
      assertEq(sum(guest, values), 40_000);
    } catch (error) {
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
    }
  }
  const values = Array.from({ length: 40_000 }, () => 1);
  values.constructor = {
    get [Symbol.species]() {
      throw new RangeError('mine');
    },
  };
  withoutLeak(guest, () => {
    try {
      sum(guest, values);
    } catch (error) {
      assertEq(error.message, 'mine');
    }
  });
});

guestTest('scripts that change Array.prototype do not reach into a call', (guest) => {
  const { slice } = Array.prototype;
  Array.prototype.slice = () => {
    throw new Error('called');
  };
  try {
    assertEq(sum(guest, new Array(40_000).fill(1)), 40_000);
  } finally {
    Array.prototype.slice = slice;
  }
});
