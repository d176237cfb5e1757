// Where an array's length comes from: the argument, a number, a function of the arguments.
import * as marshal from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue } from '../harness.mjs';
import {
  assertIncludes,
  copy,
  FunctionPrototype,
  guestTest,
  inout,
  out,
  thrownBy,
  types,
  view,
  withoutLeak,
} from './load.mjs';

const { f64, i32 } = types;

guestTest('a number', ({ call }) => {
  for (const length of [0, 1, 7, 40_000]) {
    assertEq(call('iota_f64', [i32], copy(f64, length), length).length, length);
    assertEq(call('iota_f64', [i32], view(f64, length), length).length, length);
  }
});

guestTest('a function of the result’s index and all arguments', ({ call }) => {
  for (const make of [copy, view]) {
    let seen;
    const length = function (...given) {
      seen = [this, ...given];
      return given[1][0];
    };
    assertList(call('iota_f64', [i32], make(f64, length), 3), [0, 1, 2]);
    assertEq(seen.length, 3);
    assertEq(seen[0], undefined, 'this');
    assertEq(seen[1], -1, 'index of a result');
    assert(Array.isArray(seen[2]));
    assertList(seen[2], [3]);
  }
});

guestTest('a function of the argument’s index and all arguments', ({ call }) => {
  const calls = [];
  const length = (index, args) => {
    calls.push([index, args]);
    return args[3];
  };
  const [a, b, c] = [[1, 2], Float64Array.of(3, 4), []];
  call('multiply_into', [copy(f64, length), copy(f64, length), out(copy(f64, length)), i32], types.void, a, b, c, 2);
  assertList(c, [3, 8]);
  assertList(
    calls.map(([index]) => index),
    [0, 1, 2],
  );
  for (const [, args] of calls) assertList(args, [a, b, c, 2]);
});

guestTest('an Out argument that depends on another', ({ call }) => {
  const target = [];
  call('fill_f64', [out(copy(f64, (_, args) => args[1])), i32, f64], types.void, target, 5, 0.25);
  assertList(target, [0.25, 0.25, 0.25, 0.25, 0.25]);
});

const wrongNumbers = [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 60, -0.5, 1e300];
const wrongTypes = ['3', true, {}, [], Symbol('s'), 3n];

guestTest('a wrong number in a descriptor', () => {
  for (const make of [copy, view]) {
    for (const wrong of wrongNumbers)
      assertThrows(RangeError, () => make(f64, wrong), /argument 2: a length must be a whole number/);
    for (const wrong of wrongTypes) assertThrows(TypeError, () => make(f64, wrong), /argument 2: a length must be/);
  }
});

guestTest('a wrong number from a function: nothing leaks, neither arguments nor result', (guest) => {
  for (const wrong of [...wrongNumbers, ...wrongTypes, undefined, null]) {
    const Class = typeof wrong === 'number' ? RangeError : TypeError;
    for (const make of [copy, view]) {
      withoutLeak(guest, () =>
        assertIncludes(
          thrownBy(Class, () =>
            guest.call(
              'multiply',
              [make(f64), make(f64), i32],
              make(f64, () => wrong),
              [1],
              [2],
              1,
            ),
          ),
          'multiply: result',
          'a whole number',
        ),
      );
      withoutLeak(guest, () =>
        assertIncludes(
          thrownBy(Class, () =>
            guest.call('multiply', [make(f64), make(f64, () => wrong), i32], make(f64, 1), [1], [2], 1),
          ),
          'multiply: argument 2',
          'a whole number',
        ),
      );
    }
  }
});

guestTest('-0 is none', ({ call }) => {
  assertEq(call('iota_f64', [i32], copy(f64, -0), 0).length, 0);
  assertEq(
    call(
      'iota_f64',
      [i32],
      view(f64, () => -0),
      0,
    ).length,
    0,
  );
});

guestTest('a length past any memory', (guest) => {
  for (const length of [2 ** 29, 2 ** 32, 2 ** 50, 2 ** 53 - 1]) {
    for (const make of [copy, view]) {
      withoutLeak(guest, () => thrownBy(RangeError, () => guest.call('iota_f64', [i32], make(f64, length), 1)));
      withoutLeak(guest, () =>
        thrownBy(RangeError, () =>
          guest.call(
            'iota_f64',
            [i32],
            make(f64, () => length),
            1,
          ),
        ),
      );
      withoutLeak(guest, () =>
        thrownBy(RangeError, () => guest.call('fill_f64', [out(make(f64, length)), i32, f64], types.void, [], 1, 1)),
      );
    }
  }
});

guestTest('a length that leads behind the memory’s end', (guest) => {
  const elements = guest.memory.buffer.byteLength / 8;
  for (const make of [copy, view]) {
    withoutLeak(guest, () => thrownBy(RangeError, () => guest.call('iota_f64', [i32], make(f64, elements), 1)));
  }
});

guestTest('what a length function throws comes out, and nothing leaks', (guest) => {
  const thrown = { mine: true };
  const throwing = () => {
    throw thrown;
  };
  for (const make of [copy, view]) {
    withoutLeak(guest, () => assertThrowsValue(thrown, () => guest.call('iota_f64', [i32], make(f64, throwing), 3)));
    withoutLeak(guest, () =>
      assertThrowsValue(thrown, () =>
        guest.call('multiply', [make(f64), make(f64, throwing), i32], make(f64, 1), [1], [2], 1),
      ),
    );
    withoutLeak(guest, () =>
      assertThrowsValue(thrown, () =>
        guest.call(
          'multiply_into',
          [make(f64), make(f64), inout(make(f64, throwing)), i32],
          types.void,
          [1],
          [2],
          [3],
          1,
        ),
      ),
    );
  }
});

guestTest('a result’s length must be told', () => {
  for (const make of [copy, view]) {
    for (const none of [undefined, null]) {
      assertThrows(TypeError, () => new FunctionPrototype([], make(f64, none)), /result needs a length/);
    }
  }
});

guestTest('the arguments’ array is a copy: changing it changes no argument', ({ call }) => {
  const length = (_, args) => {
    args[0] = 'spoiled';
    args.length = 0;
    return 2;
  };
  assertEq(call('sum_f64', [copy(f64, length), i32], f64, [1, 2], 2), 3);
});

guestTest('sizes that no memory has', ({ call }) => {
  for (const length of [2 ** 31, 2 ** 40]) {
    const text = new marshal.StructType({ text: new marshal.InlineArrayType(new marshal.Int8Type(), length) });
    const returned = [
      new marshal.ArrayType(new marshal.Int8Type(), length),
      new marshal.ArrayType(text, 1),
      new marshal.StructPointerType(text),
    ];
    for (const type of returned) thrownBy(RangeError, () => call('iota_f64', [i32], type, 1));
  }
});
