// Guest memory past 2 GiB, where a signed address turns negative: everything marshals as it does below.
import { addressOf } from 'tombolo:marshal';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { copy, demo, families, inout, into, out, types, view } from './load.mjs';

const { f64, i32, u32, string } = types;
const guest = demo();
const { call, exports, manager } = guest;

// Two blocks of almost a gigabyte, which nobody touches, push the rest up.
const fillers = [manager.malloc(2 ** 30 - 65536), manager.malloc(2 ** 30 - 65536)];
const high = (address) => assert(address >= 2 ** 31 && address < 2 ** 32, `address ${address} is past 2 GiB`);

test('malloc and free give and take positive addresses', () => {
  const address = manager.malloc(100_000);
  high(address);
  manager.free(address);
  assertEq(exports.live_blocks(), 2);
});

for (const { suffix, Type, type, number } of families) {
  test(`${suffix}: views, copies, both ways`, () => {
    const length = 20_000;
    const result = call(`iota_${suffix}`, [i32], view(type, length), length);
    high(addressOf(result));
    assertList(result.subarray(0, 3), [0, 1, 2].map(number));
    high(addressOf(result.subarray(10_000)));
    assertEq(call('echo_u32', [view(type)], u32, result), addressOf(result));
    call(`negate_${suffix}`, [inout(view(type)), i32], types.void, result, length);
    assertList(
      result.subarray(0, 3),
      Type.from([0, 1, 2].map(number), (value) => -value),
    );
    assertList(call(`iota_${suffix}`, [i32], copy(type, length), length).slice(0, 3), [0, 1, 2].map(number));
    const plain = Array.from({ length }, () => number(1));
    call(`scale_${suffix}`, [inout(copy(type)), i32, type], types.void, plain, length, number(3));
    assert(plain.every((value) => value === number(3)));
    const target = new Type(length);
    call(`scale_${suffix}`, [out(view(type)), i32, type], types.void, target, length, number(3));
    assert(target.every((value) => value === number(0)));
    high(call('echo_u32', [into(copy(type))], u32, new Type(length)));
  });
}

test('strings', () => {
  const text = 'äöü€😀'.repeat(10_000);
  high(call('echo_u32', [string], u32, text));
  assertEq(call('echo_string', [string], string, text), text);
});

test('createTypedArray and freeWhenFinalized', () => {
  const made = manager.createTypedArray(
    Float64Array,
    Array.from({ length: 10_000 }, (_, i) => i),
  );
  high(addressOf(made));
  assertEq(call('sum_f64', [view(f64), i32], f64, made, 10_000), 49_995_000);
  const address = manager.malloc(100_000);
  high(address);
  manager.freeWhenFinalized({}, address);
});

test('growth up here detaches no view', () => {
  const result = call('iota_f64', [i32], view(f64, 10_000), 10_000);
  exports.grow_pages(100);
  assertEq(result[9999], 9999);
});

test('everything comes back', () => {
  for (const filler of fillers) manager.free(filler);
  guest.settle();
  assertEq(exports.live_blocks(), 0);
  assertEq(exports.live_bytes(), 0);
});
