// Random types with random values through the guest: what goes in comes out the same, by every way there is.
import { addressOf, InOut, Pointer, StructType, UnionType } from 'tombolo:marshal';
import { assert, assertEq } from '../harness.mjs';
import { seededRandom } from '../random.mjs';
import { heap } from './load.mjs';
import { assertSame, byCopy, byView, copy, guestTest, inline, inout, out, pointer, result, t, view } from './vocabulary.mjs';

const scalars = {
  bool: { type: t.bool, size: 1, make: (r) => r(2) === 1 },
  i8: { type: t.i8, size: 1, make: (r) => r(256) - 128 },
  u8: { type: t.u8, size: 1, make: (r) => r(256) },
  i16: { type: t.i16, size: 2, make: (r) => r(65536) - 32768 },
  u16: { type: t.u16, size: 2, make: (r) => r(65536) },
  i32: { type: t.i32, size: 4, make: (r) => r(2 ** 32) - 2 ** 31 },
  u32: { type: t.u32, size: 4, make: (r) => r(2 ** 32) },
  i64: { type: t.i64, size: 8, make: (r) => BigInt.asIntN(64, (BigInt(r(2 ** 32)) << 32n) | BigInt(r(2 ** 32))) },
  u64: { type: t.u64, size: 8, make: (r) => (BigInt(r(2 ** 32)) << 32n) | BigInt(r(2 ** 32)) },
  f32: { type: t.f32, size: 4, make: (r) => Math.fround((r(2 ** 24) - 2 ** 23) / (1 << r(20))) },
  f64: { type: t.f64, size: 8, make: (r) => [NaN, -0, Infinity, 5e-324][r(40)] ?? (r(2 ** 32) - 2 ** 31) / (1 + r(1000)) },
  size: { type: t.size, size: 4, make: (r) => r(2 ** 32) },
  long: { type: t.long, size: 4, make: (r) => r(2 ** 32) - 2 ** 31 },
  colour: { type: t.colour, size: 4, make: (r) => [0, 4, 5, 77][r(4)] },
};
for (const one of Object.values(scalars)) one.align = one.size;
const names = Object.keys(scalars);

/** Text with characters of every length, and none that is zero. */
const text = (r) => Array.from({ length: r(12) }, () => String.fromCodePoint([0x41, 0xe9, 0x20ac, 0x1f600][r(4)] + r(20))).join('');

/** A random type: `{ type, size, align, make, flat }`, laid out by C's rules; `flat` where it has no pointers. */
function anyType(r, depth, pointers) {
  const kind = r(pointers ? 10 : 7);
  if (depth === 0 || kind < 3) return { ...scalars[names[r(names.length)]], flat: true };
  if (kind < 5) return anyStruct(r, depth, pointers);
  if (kind < 7) {
    const element = anyType(r, depth - 1, pointers);
    const length = 1 + r(4);
    return {
      type: inline(element.type, length), size: element.size * length, align: element.align, flat: element.flat,
      make: (r_) => Array.from({ length }, () => element.make(r_)),
    };
  }
  const address = { size: 4, align: 4, flat: false };
  if (kind === 7) return { type: t.string, ...address, make: (r_) => (r_(6) === 0 ? null : text(r_)) };
  if (kind === 8) {
    const inner = anyStruct(r, depth - 1, pointers);
    return { type: byCopy(inner.type), ...address, make: (r_) => (r_(6) === 0 ? null : inner.make(r_)) };
  }
  const element = anyType(r, depth - 1, pointers);
  const length = 1 + r(4);
  return { type: copy(element.type, length), ...address, make: (r_) => Array.from({ length }, () => element.make(r_)) };
}

function anyStruct(r, depth, pointers) {
  const fields = Array.from({ length: 1 + r(5) }, (_, i) => [`f${i}`, anyType(r, Math.max(0, depth - 1), pointers)]);
  const pack = [undefined, undefined, undefined, 1, 2, 4][r(6)];
  let [size, align] = [0, 1];
  const offsets = {};
  for (const [name, field] of fields) {
    const fieldAlign = Math.min(field.align, pack ?? field.align);
    size = Math.ceil(size / fieldAlign) * fieldAlign;
    offsets[name] = size;
    size += field.size;
    align = Math.max(align, fieldAlign);
  }
  return {
    type: new StructType(fields.map(([name, field]) => [name, field.type]), pack === undefined ? undefined : { pack }),
    size: Math.ceil(size / align) * align, align, offsets, fields, flat: fields.every(([, field]) => field.flat),
    make: (r_) => Object.fromEntries(fields.map(([name, field]) => [name, field.make(r_)])),
  };
}

const CASES = 500;
const shown = (seed) => `seed ${seed}`;

guestTest(`${CASES} random structs without pointers: layout, by copy, by view, by value, Out, InOut, Result, in arrays`, (guest) => {
  for (let seed = 1; seed <= CASES; seed++) {
    const r = seededRandom(seed * 7919);
    const { type, size, align, offsets, make } = anyStruct(r, 3, false);
    assertEq(type.size, size, `${shown(seed)}: size`);
    assertEq(type.alignment, align, `${shown(seed)}: alignment`);
    assertSame(type.offsets, offsets, `${shown(seed)}: offsets`);
    const value = make(r);
    const before = heap(guest);
    assertSame(guest.call('copy_bytes', [byCopy(type), t.size], byCopy(type), value, size), value, `${shown(seed)}: by copy`);
    const seen = guest.call('copy_bytes', [byCopy(type), t.size], byView(type), value, size);
    assertSame(seen, value, `${shown(seed)}: by view`);
    assertSame(guest.call('copy_bytes', [byView(type), t.size], byCopy(type), seen, size), value, `${shown(seed)}: a view in`);
    const made = type.create(guest.manager, value);
    const bytes = (one) => guest.call('copy_bytes', [t.any, t.size], copy(t.u8, size), addressOf(one), size);
    assertSame(bytes(made), bytes(seen), `${shown(seed)}: the bytes`);
    const second = make(r);
    for (const key of Object.keys(second)) made[key] = second[key];
    assertSame(made, second, `${shown(seed)}: fields that are set`);
    guest.exports.set_any_size(size);
    const target = {};
    guest.call('write_bytes', [out(byCopy(type)), byView(type), t.size], t.void, target, made, size);
    assertSame(target, second, `${shown(seed)}: Out`);
    const both = { ...value };
    guest.call('write_bytes', [inout(byCopy(type)), byCopy(type), t.size], t.void, both, second, 0);
    assertSame(both, value, `${shown(seed)}: InOut, untouched`);
    guest.call('write_bytes', [inout(byCopy(type)), byCopy(type), t.size], t.void, both, second, size);
    assertSame(both, second, `${shown(seed)}: InOut`);
    assertSame(guest.call('write_bytes', [result(type), byCopy(type), t.size], t.void, value, size), value, `${shown(seed)}: Result`);
    const list = [value, second, make(r)];
    assertSame(guest.call('copy_bytes', [copy(type), t.size], copy(type, 3), list, 3 * size), list, `${shown(seed)}: array`);
    const array = guest.call('copy_bytes', [copy(type), t.size], view(type, 3), list, 3 * size);
    assertSame(array, list, `${shown(seed)}: array by view`);
    assertSame([...array], list, `${shown(seed)}: array, iterated`);
    assertSame(guest.call('copy_bytes', [pointer(type), t.size], pointer(type), new Pointer(value), size).contents, value, `${shown(seed)}: Pointer`);
    for (const one of [seen, made, array]) one[Symbol.dispose]();
    assertSame(heap(guest), before, `${shown(seed)}: the heap`);
  }
});

guestTest(`${CASES} random structs by value`, (guest) => {
  for (let seed = 1; seed <= CASES; seed++) {
    const r = seededRandom(seed * 104729);
    const { type, size, make } = anyStruct(r, 3, false);
    const value = make(r);
    guest.exports.set_any_size(size);
    let back;
    try {
      back = guest.call('echo_any', [type], type, value);
    } catch (error) {
      // A struct of a single number is passed as that number: `echo_any` is of another type.
      assert(error instanceof TypeError && /type/.test(error.message), `${shown(seed)}: ${error}`);
      continue;
    }
    assertSame(back, value, shown(seed));
  }
});

guestTest(`${CASES} random structs with strings, arrays and pointers: what the guest echoes is read before it is freed`, (guest) => {
  for (let seed = 1; seed <= CASES; seed++) {
    const r = seededRandom(seed * 15485863);
    const { type, make } = anyStruct(r, 3, true);
    const value = make(r);
    const before = heap(guest);
    assertSame(guest.call('same', [byCopy(type)], byCopy(type), value), value, shown(seed));
    assertSame(heap(guest), before, `${shown(seed)}: the heap, after an echo`);
    const both = { ...value };
    guest.call('is_null', [new InOut(byCopy(type))], t.i32, both);
    assertSame(both, value, `${shown(seed)}: InOut`);
    assertSame(heap(guest), before, `${shown(seed)}: the heap, after InOut`);
    const list = [value, make(r)];
    assertSame(guest.call('same', [copy(type)], copy(type, 2), list), list, `${shown(seed)}: array`);
    assertSame(heap(guest), before, `${shown(seed)}: the heap, after an array`);
    assertSame(guest.call('same', [pointer(type)], pointer(type), new Pointer(value)).contents, value, `${shown(seed)}: Pointer`);
    assertSame(heap(guest), before, `${shown(seed)}: the heap, after a Pointer`);
  }
});

guestTest(`${CASES} random arrays of anything`, (guest) => {
  for (let seed = 1; seed <= CASES; seed++) {
    const r = seededRandom(seed * 32452843);
    const element = anyType(r, 3, true);
    const list = Array.from({ length: r(8) }, () => element.make(r));
    const before = heap(guest);
    const ways = [{ in: copy(element.type), out: copy(element.type, list.length) }, { in: copy(element.type, list.length), out: copy(element.type, () => list.length) }];
    for (const way of ways) assertSame(guest.call('same', [way.in], way.out, list), list, shown(seed));
    assertSame(heap(guest), before, `${shown(seed)}: the heap`);
    const changed = [...list];
    guest.call('is_null', [inout(copy(element.type))], t.i32, changed);
    assertSame(changed, list, `${shown(seed)}: InOut`);
    assertSame(heap(guest), before, `${shown(seed)}: the heap, after InOut`);
  }
});

guestTest('random unions', (guest) => {
  for (let seed = 1; seed <= 300; seed++) {
    const r = seededRandom(seed * 49979687);
    const members = Array.from({ length: 1 + r(4) }, (_, i) => [`m${i}`, anyType(r, 2, false)]);
    const type = new UnionType(members.map(([name, member]) => [name, member.type]));
    const align = Math.max(...members.map(([, member]) => member.align));
    const size = Math.ceil(Math.max(...members.map(([, member]) => member.size)) / align) * align;
    assertEq(type.size, size, `${shown(seed)}: size`);
    assertEq(type.alignment, align, `${shown(seed)}: alignment`);
    for (const [name, member] of members) {
      const value = member.make(r);
      const back = guest.call('copy_bytes', [byCopy(type), t.size], byCopy(type), { [name]: value }, size);
      assertSame(back[name], value, `${shown(seed)}: ${name}`);
      const again = guest.call('copy_bytes', [byCopy(type), t.size], byView(type), back, size);
      assertSame(again[name], value, `${shown(seed)}: ${name} by view`);
      again[Symbol.dispose]();
    }
  }
});

guestTest('random structs under random budgets: an error or the same, and nothing left', (guest) => {
  for (let seed = 1; seed <= 300; seed++) {
    const r = seededRandom(seed * 86028121);
    const { type, make } = anyStruct(r, 3, true);
    const value = make(r);
    const before = heap(guest);
    guest.exports.set_malloc_budget(r(6));
    try {
      const ways = [
        () => guest.call('same', [byCopy(type)], byCopy(type), value),
        () => { const both = { ...value }; guest.call('is_null', [inout(byCopy(type))], t.i32, both); return both; },
        () => guest.call('same', [copy(type)], copy(type, 1), [value])[0],
      ];
      assertSame(ways[r(3)](), value, shown(seed));
    } catch (error) {
      assert(error?.constructor === RangeError, `${shown(seed)}: ${error}`);
    }
    guest.exports.set_malloc_budget(-1);
    assertSame(heap(guest), before, `${shown(seed)}: the heap`);
  }
});

guestTest('random values with a getter that throws somewhere', (guest) => {
  const mine = new Error('mine');
  const spoil = (value, r) => {
    if (Object(value) !== value) return { get value() { throw mine; } };
    const keys = Object.keys(value);
    const key = keys[r(keys.length)];
    if (key !== undefined && Object(value[key]) === value[key] && r(3) !== 0) spoil(value[key], r);
    else if (key !== undefined) Object.defineProperty(value, key, { enumerable: true, configurable: true, get() { throw mine; } });
    return value;
  };
  for (let seed = 1; seed <= 500; seed++) {
    const r = seededRandom(seed * 122949823);
    const { type, make } = anyStruct(r, 3, true);
    const value = spoil(make(r), r);
    const before = heap(guest);
    const ways = [
      () => guest.call('same', [byCopy(type)], byCopy(type), value), () => guest.call('is_null', [inout(byCopy(type))], t.i32, value),
      () => guest.call('same', [copy(type)], copy(type, 1), [value]), () => guest.call('is_null', [pointer(type)], t.i32, new Pointer(value)),
    ];
    try {
      ways[r(4)]();
    } catch (error) {
      assert(error === mine, `${shown(seed)}: ${error}`);
    }
    assertSame(heap(guest), before, `${shown(seed)}: the heap`);
  }
});
