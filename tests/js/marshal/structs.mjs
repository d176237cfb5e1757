// Structs and unions: C's layout, by copy, by view and by value, in every direction, and what goes wrong in them.
import { addressOf, borrowed, StructType, UnionType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import {
  assertSame, byCopy, byView, copy, guestTest, inline, inout, layoutOf, leavesNothing, out, pointer, records, result,
  samples, t, underEveryBudget, view,
} from './vocabulary.mjs';

const { pair, point, nested, person, packed, number, tagged, wide, wrapped, deep, scalars, crowd, one_pointer } = records;

for (const [name, struct] of Object.entries(records)) {
  guestTest(`layout of ${name} as the C compiler’s`, (guest) => {
    const { size, alignment, offsets } = layoutOf(guest, name);
    assertEq(struct.size, size, 'size');
    assertEq(struct.alignment, alignment, 'alignment');
    assertList(Object.values(struct.offsets), offsets, 'offsets');
    assertEq(struct.name, name, 'name');
  });
}

for (const [name, sample] of Object.entries(samples)) {
  const struct = records[name];
  guestTest(`${name}: In by copy, owned result by copy`, (guest) => {
    const { value } = underEveryBudget(guest, () => guest.call(`copy_${name}`, [byCopy(struct)], byCopy(struct), sample));
    assertSame(value, sample);
    assertList(Object.keys(value), Object.keys(sample), 'fields in order');
  });
  guestTest(`${name}: In by copy, result by view, and that view in again`, (guest) => {
    const { value } = underEveryBudget(guest, () => guest.call(`copy_${name}`, [byCopy(struct)], byView(struct), sample));
    assertSame(value, sample);
    assertEq(guest.exports.live_blocks(), 1);
    const again = guest.call(`copy_${name}`, [byView(struct)], byCopy(struct), value);
    assertSame(again, sample);
    assertEq(guest.exports.live_blocks(), 1);
    value[Symbol.dispose]();
    assertEq(guest.exports.live_blocks(), 0);
  });
  guestTest(`${name}: by value, in and out`, (guest) => {
    const { value } = underEveryBudget(guest, () => guest.call(`echo_${name}`, [struct], struct, sample));
    assertSame(value, sample);
  });
  guestTest(`${name}: Out by copy`, (guest) => {
    underEveryBudget(guest, () => {
      const target = {};
      guest.call(`write_${name}`, [out(byCopy(struct)), byCopy(struct)], t.void, target, sample);
      assertSame(target, sample);
    });
  });
  guestTest(`${name}: Out into a view`, (guest) => {
    const target = struct.create(guest.manager);
    guest.call(`write_${name}`, [out(byView(struct)), byCopy(struct)], t.void, target, sample);
    assertSame(target, sample);
    target[Symbol.dispose]();
  });
  guestTest(`${name}: Result`, (guest) => {
    const { value } = underEveryBudget(guest, () =>
      guest.call(`write_${name}`, [result(struct), byCopy(struct)], t.void, sample));
    assertSame(value, sample);
  });
  guestTest(`${name}: through a Pointer`, (guest) => {
    const made = guest.call(`copy_${name}`, [byCopy(struct)], pointer(struct), sample);
    assertSame(made.contents, sample);
    assertSame(guest.call(`copy_${name}`, [pointer(struct)], pointer(struct), made).contents, sample);
  });
  guestTest(`${name}: create, read and write each field of a view`, (guest) => {
    const made = struct.create(guest.manager, sample);
    assertSame(made, sample);
    const empty = struct.create(guest.manager);
    for (const key of Object.keys(sample)) empty[key] = sample[key];
    assertSame(empty, sample);
    assertList(Object.keys(empty), Object.keys(sample), 'keys');
    const seen = struct.at(guest.manager, addressOf(made));
    assertSame(seen, sample);
    assert(key0(seen) in seen, 'has');
    assertEq('nothing' in seen, false);
    made[Symbol.dispose]();
    empty[Symbol.dispose]();
  });
}
const key0 = (object) => Object.keys(object)[0];

guestTest('create leaves no byte of what was there before', (guest) => {
  const old = nested.create(guest.manager, samples.nested);
  old[Symbol.dispose]();
  const made = nested.create(guest.manager, { tag: 1 });
  assertEq(made.tag, 1);
  assertEq(made.at.x, 0);
  assertEq(made.last, false);
  assertList(made.name, [0, 0, 0, 0, 0, 0, 0]);
  made[Symbol.dispose]();
});

guestTest('a partial object leaves the rest zero', (guest) => {
  const made = guest.call('copy_point', [byCopy(point)], byCopy(point), { x: 2 });
  assertSame(made, { id: 0, x: 2, y: 0 });
});

guestTest('InOut by copy goes back into the object, by view into the guest', (guest) => {
  const object = { a: 3, b: 4 };
  underEveryBudget(guest, () => {
    object.a = 3;
    object.b = 4;
    guest.call('double_pair', [inout(byCopy(pair))], t.void, object);
  });
  assertSame(object, { a: 6, b: 8 });
  const seen = pair.create(guest.manager, { a: 5, b: 6 });
  guest.call('double_pair', [inout(byView(pair))], t.void, seen);
  assertSame(seen, { a: 10, b: 12 });
  guest.call('double_pair', [byView(pair)], t.void, seen);
  assertSame(seen, { a: 20, b: 24 }, 'a view as In is still the guest’s memory');
  seen[Symbol.dispose]();
  const passed = { a: 1, b: 1 };
  guest.call('double_pair', [byCopy(pair)], t.void, passed);
  assertSame(passed, { a: 1, b: 1 }, 'In by copy does not come back');
});

guestTest('null is a null pointer, in and out', (guest) => {
  for (const make of [byCopy, byView]) {
    assertEq(guest.call('copy_pair', [make(pair)], make(pair), null), null);
    guest.call('double_pair', [inout(make(pair))], t.void, null);
  }
});

guestTest('by value: the callee’s own copy', (guest) => {
  const object = { a: 1, b: 2 };
  assertEq(guest.call('spoil_pair', [pair], t.i32, object), -1);
  assertSame(object, { a: 1, b: 2 });
  const seen = pair.create(guest.manager, object);
  guest.call('spoil_pair', [pair], t.i32, seen);
  assertSame(seen, { a: 1, b: 2 }, 'a view that is passed by value');
  seen[Symbol.dispose]();
});

guestTest('by value between other arguments', (guest) => {
  const params = [t.i32, point, t.f64, wrapped, deep, pair];
  const { value } = underEveryBudget(guest, () =>
    guest.call('mix', params, t.f64, 1, { id: 2, x: 3, y: 4 }, 0.5, { value: 0.25 }, { inner: { only: [7] } }, { a: 5, b: 6 }));
  assertEq(value, 1 + 20 + 300 + 4000 + 0.5 + 0.25 + 7 + 30);
});

guestTest('a struct of one pointer by value', (guest) => {
  const { value } = underEveryBudget(guest, () =>
    guest.call('copy_one_pointer', [byCopy(one_pointer)], pointer(new StructType({ text: t.any })), { text: 'gone' }));
  assert(value.contents.text > 0);
  assertEq(guest.call('echo_one_pointer', [one_pointer], t.any, { text: null }), null, 'is passed as the pointer');
});

guestTest('unions: one member in, any out', (guest) => {
  const one = guest.call('copy_number', [byCopy(number)], byCopy(number), { f: 1 });
  assertEq(one.f, 1);
  assertEq(one.i, 0x3f800000);
  assertList(one.bytes, [0, 0, 0x80, 0x3f, 0]);
  const by = guest.call('echo_number', [number], number, { bytes: [1, 2, 3, 4, 5] });
  assertEq(by.i, 0x04030201);
  assertList(by.bytes, [1, 2, 3, 4, 5]);
  const inside = guest.call('echo_tagged', [tagged], tagged, { kind: 1, value: { i: -1 }, after: 2 });
  assertEq(inside.kind, 1);
  assertEq(inside.after, 2);
  assertEq(inside.value.i, -1);
  assertList(inside.value.bytes, [255, 255, 255, 255, 0]);
  const both = guest.call('copy_wide', [byCopy(wide)], byView(wide), { pair: { a: 0, b: 0x3ff00000 } });
  assertEq(both.d, 1);
  both.d = 2;
  assertEq(both.pair.b, 0x40000000);
  both[Symbol.dispose]();
  assertEq(guest.call('echo_wide', [wide], wide, { d: 0.5 }).d, 0.5);
});

guestTest('what a union gave goes in again', (guest) => {
  const one = guest.call('echo_number', [number], number, { bytes: [1, 2, 3, 4, 5] });
  assertList(guest.call('echo_number', [number], number, one).bytes, [1, 2, 3, 4, 5]);
});

guestTest('unions refuse none, two and unknown members', (guest) => {
  for (const wrong of [{}, { i: 1, f: 2 }, { x: 1 }]) {
    leavesNothing(guest, () =>
      assertIncludes(thrownBy(TypeError, () => guest.call('echo_number', [number], number, wrong)), 'echo_number', 'argument 1', 'number'));
  }
});

guestTest('arrays of structs: In, InOut, result; copies and views', (guest) => {
  const list = () => [{ a: 1, b: 2 }, { a: 3, b: 4 }, { a: 5, b: 6 }];
  for (const make of [copy, view]) {
    assertEq(underEveryBudget(guest, () => guest.call('sum_pairs', [make(pair), t.i32], t.i32, list(), 3)).value, 21);
  }
  const changed = list();
  guest.call('swap_pairs', [inout(copy(pair)), t.i32], t.void, changed, 3);
  assertSame(changed, [{ a: 2, b: 1 }, { a: 4, b: 3 }, { a: 6, b: 5 }]);
  const made = underEveryBudget(guest, () => guest.call('new_pairs', [t.i32], copy(pair, { argument: 0 }), 4)).value;
  assertEq(made.length, 4);
  assertSame(made[3], { a: 3, b: -3 });
  assert(Array.isArray(made));
});

guestTest('an array of structs up to one of zeros', (guest) => {
  const list = [{ id: 1, x: 0, y: 5 }, { id: 2, x: 0, y: 0 }];
  const block = guest.call('copy_bytes', [copy(point, { until: 0 }), t.size], t.any, list, 3 * point.size);
  assertSame(guest.call('same', [t.any], borrowed(copy(point, { until: 0 })), block), list);
  assertSame(guest.call('same', [t.any], borrowed(view(point, { until: 0 })), block), list);
  guest.call('eat', [t.any], t.void, block);
  const both = [...list];
  guest.call('is_null', [inout(copy(point, { until: 0 }))], t.i32, both);
  assertSame(both, list);
  const three = [{ x: 1 }];
  guest.call('is_null', [inout(copy(new StructType({ a: t.u8, b: t.u8, x: t.u8 }), { until: 0 }))], t.i32, three);
  assertSame(three, [{ x: 1 }]);
});

guestTest('a StructArray', (guest) => {
  const made = guest.call('new_pairs', [t.i32], view(pair, { argument: 0 }), 4);
  assertEq(made.length, 4);
  assertSame(made.at(2), { a: 2, b: -2 });
  assertSame(made.at(-1), { a: 3, b: -3 });
  assertEq(made.at(4), undefined);
  assertEq(made.at(-5), undefined);
  made.at(1).a = 100;
  made.set(0, { a: 7, b: 8 });
  assertEq(guest.call('sum_pairs', [view(pair), t.i32], t.i32, made, 4), 15 + 99 + 0 + 0);
  assertList([...made].map(({ a }) => a), [7, 100, 2, 3]);
  for (const wrong of [-1, 4, 1.5, NaN]) assertThrows(RangeError, () => made.set(wrong, { a: 0, b: 0 }));
  assertIncludes(thrownBy(TypeError, () => made.set(3, { a: 'x' })), 'a');
  guest.call('swap_pairs', [inout(view(pair)), t.i32], t.void, made, 4);
  assertSame(made.at(0), { a: 8, b: 7 });
  const element = made.at(0);
  made[Symbol.dispose]();
  assertThrows(TypeError, () => element.a, /ended/);
  assertThrows(TypeError, () => made.at(0).a, /ended/);
  assertThrows(TypeError, () => guest.call('sum_pairs', [view(pair), t.i32], t.i32, made, 4), /ended/);
});

guestTest('no structs at all', (guest) => {
  assertEq(guest.call('sum_pairs', [copy(pair), t.i32], t.i32, [], 0), 0);
  assertSame(guest.call('new_pairs', [t.i32], copy(pair, 0), 0), []);
  const none = guest.call('new_pairs', [t.i32], view(pair, 0), 0);
  assertEq(none.length, 0);
  assertEq([...none].length, 0);
  assertEq(guest.call('sum_pairs', [view(pair), t.i32], t.i32, none, 0), 0, 'a view of none goes in again');
  none[Symbol.dispose]();
});

guestTest('a view keeps its block as long as a part of it is there', (guest) => {
  let part = guest.call('copy_nested', [byCopy(nested)], byView(nested), samples.nested).at;
  guest.settle();
  assertEq(guest.exports.live_blocks(), 1);
  assertEq(part.id, 7);
  part = null;
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('views in views are the guest’s memory', (guest) => {
  const made = nested.create(guest.manager, samples.nested);
  made.at.x = 99;
  made.grid[1] = [7, 8, 9];
  made.pairs.at(1).b = 55;
  made.name[0] = -5;
  const copied = guest.call('copy_nested', [byView(nested)], byCopy(nested), made);
  assertEq(copied.at.x, 99);
  assertEq(copied.pairs[1].b, 55);
  assertEq(copied.name[0], -5);
  made.at = { id: 1, x: 2, y: 3 };
  assertSame(made.at, { id: 1, x: 2, y: 3 });
  made.pairs = [{ a: 9, b: 9 }];
  assertSame(made.pairs.at(1), { a: 0, b: 0 });
  made[Symbol.dispose]();
  assertThrows(TypeError, () => made.tag, /ended/);
  assertThrows(TypeError, () => { made.tag = 1; }, /ended/);
});

guestTest('growth of the memory ends no view', (guest) => {
  const made = pair.create(guest.manager, { a: 1, b: 2 });
  const list = guest.call('new_pairs', [t.i32], view(pair, 2), 2);
  guest.exports.grow_pages(3);
  made.a = 10;
  assertSame(made, { a: 10, b: 2 });
  assertEq(list.at(1).b, -1);
  made[Symbol.dispose]();
  list[Symbol.dispose]();
});

guestTest('a getter that throws half-way: its own error, and nothing is left', (guest) => {
  const mine = new Error('mine');
  const bad = (object, key) => Object.defineProperty({ ...object }, key, { enumerable: true, get() { throw mine; } });
  for (const [name, sample] of Object.entries(samples)) {
    for (const key of Object.keys(sample)) {
      for (const type of [byCopy(records[name]), byView(records[name]), pointer(records[name])]) {
        const value = type.type ? { __proto__: null } : bad(sample, key);
        if (type.type) continue;
        leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call(`copy_${name}`, [type], t.any, value)));
      }
      leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call(`echo_${name}`, [records[name]], records[name], bad(sample, key))));
      leavesNothing(guest, () => assertThrowsValue(mine, () => records[name].create(guest.manager, bad(sample, key))));
    }
  }
  leavesNothing(guest, () =>
    assertThrowsValue(mine, () => guest.call('sum_pairs', [copy(pair), t.i32], t.i32, [{ a: 1, b: 1 }, bad({ a: 1, b: 2 }, 'b')], 2)));
  leavesNothing(guest, () =>
    assertThrowsValue(mine, () =>
      guest.call('weigh_crowd', [byCopy(crowd)], t.f64, {
        count: 2, people: [{ name: 'x', age: 1, scores: [1] }, bad({ name: 'y', age: 1, scores: [1] }, 'scores')], favourite: { a: 1, b: 1 },
      })));
});

guestTest('a getter that disposes the view that is written', (guest) => {
  const { manager, exports } = guest;
  const made = nested.create(manager, samples.nested);
  let other;
  const spoiler = {
    id: 5,
    get x() {
      made[Symbol.dispose]();
      other = manager.createTypedArray(Uint8Array, new Array(nested.size).fill(0x77));
      return 1;
    },
    y: 2,
  };
  const error = (() => { try { made.at = spoiler; } catch (caught) { return caught; } return undefined; })();
  if (error !== undefined) assertEq(error.constructor, TypeError);
  assert(other.every((byte) => byte === 0x77), 'a block that was allocated meanwhile is as it was');
  other[Symbol.dispose]();
  assertEq(exports.live_blocks(), 0);
});

guestTest('a getter that disposes the array whose element is set', (guest) => {
  const { manager } = guest;
  const list = guest.call('new_pairs', [t.i32], view(pair, 3), 3);
  let other;
  const spoiler = {
    get a() {
      list[Symbol.dispose]();
      other = manager.createTypedArray(Uint8Array, new Array(3 * pair.size).fill(0x77));
      return 1;
    },
    b: 2,
  };
  try { list.set(1, spoiler); } catch (error) { assertEq(error.constructor, TypeError); }
  assert(other.every((byte) => byte === 0x77), 'a block that was allocated meanwhile is as it was');
  other[Symbol.dispose]();
});

guestTest('a getter that disposes a view which is an earlier argument', (guest) => {
  const { manager } = guest;
  const first = pair.create(manager, { a: 20, b: 22 });
  const params = [byView(pair), byCopy(pair)];
  let other;
  const spoiler = {
    get a() {
      first[Symbol.dispose]();
      other = manager.createTypedArray(Uint8Array, new Array(pair.size).fill(0x77));
      return 1;
    },
    b: 2,
  };
  try {
    guest.call('write_pair', params, t.void, first, spoiler);
  } catch (error) {
    assertEq(error.constructor, TypeError);
  }
  assert(other.every((byte) => byte === 0x77), 'a block that was allocated meanwhile is as it was');
  other[Symbol.dispose]();
});

guestTest('a getter that grows the memory', (guest) => {
  const grown = { get a() { guest.exports.grow_pages(5); return 41; }, b: 1 };
  assertEq(guest.call('sum_pairs', [copy(pair), t.i32], t.i32, [grown, { a: 0, b: 0 }], 2), 42);
  assertSame(guest.call('copy_pair', [byCopy(pair)], byCopy(pair), grown), { a: 41, b: 1 });
  const made = pair.create(guest.manager, grown);
  assertSame(made, { a: 41, b: 1 });
  made[Symbol.dispose]();
});

guestTest('wrong values: messages name the function, the argument, the element and the field', (guest) => {
  const says = (fn, ...parts) => leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, fn), ...parts));
  says(() => guest.call('copy_pair', [byCopy(pair)], t.any, { a: 1, b: 'x' }), 'copy_pair', 'argument 1', 'field `b`', 'string');
  says(() => guest.call('copy_nested', [byCopy(nested)], t.any, { at: { x: null } }), 'copy_nested', 'argument 1', 'field `at`', 'field `x`');
  says(() => guest.call('copy_nested', [byCopy(nested)], t.any, { grid: [[1], [2, 'x']] }), 'field `grid`', 'element 1');
  says(() => guest.call('sum_pairs', [copy(pair), t.i32], t.i32, [{ a: 1 }, { a: 1, b: {} }], 2), 'sum_pairs', 'argument 1', 'element 1', 'field `b`');
  says(() => guest.call('mix', [t.i32, point, t.f64, wrapped, deep, pair], t.f64, 1, { id: 2 }, 0, { value: 'x' }, {}, {}), 'mix', 'argument 4', 'field `value`');
  for (const wrong of [1, 'x', true, Symbol('s'), 1n, undefined, [], () => 1]) {
    says(() => guest.call('copy_pair', [byCopy(pair)], t.any, wrong), 'copy_pair', 'argument 1');
    says(() => guest.call('spoil_pair', [pair], t.i32, wrong), 'spoil_pair', 'argument 1');
  }
  says(() => guest.call('spoil_pair', [pair], t.i32, null), 'spoil_pair', 'argument 1');
  says(() => guest.call('copy_pair', [byCopy(pair)], t.any, { a: 1, c: 2 }), '`c`');
  const other = point.create(guest.manager);
  says(() => guest.call('copy_pair', [byView(pair)], t.any, other), 'argument 1', 'pair');
  other[Symbol.dispose]();
  says(() => pair.create(guest.manager, { a: 'x' }), 'a');
  says(() => pair.create({}), 'argument 1');
  says(() => pair.at(guest.manager, 'x'), 'address');
});

guestTest('an inline array that is too long is a RangeError', (guest) => {
  leavesNothing(guest, () =>
    assertIncludes(thrownBy(RangeError, () => guest.call('copy_nested', [byCopy(nested)], t.any, { name: [1, 2, 3, 4, 5, 6, 7, 8] })), 'field `name`', '8', '7'));
  leavesNothing(guest, () =>
    assertIncludes(thrownBy(RangeError, () => guest.call('copy_nested', [byCopy(nested)], t.any, { grid: [[1], [2], [3]] })), 'field `grid`'));
});

guestTest('a struct outside the memory', (guest) => {
  const end = guest.memory.buffer.byteLength;
  for (const address of [end, end - pair.size + 1, 2 ** 32 - 4]) {
    assertThrows(RangeError, () => pair.at(guest.manager, address));
    assertThrows(RangeError, () => guest.call('same', [t.any], borrowed(byCopy(pair)), address));
    assertThrows(RangeError, () => guest.call('same', [t.any], borrowed(byView(pair)), address));
  }
  assertSame(Object.keys(pair.at(guest.manager, end - pair.size)), ['a', 'b']);
});

guestTest('structs with strings and counted arrays', (guest) => {
  const ada = { name: 'Ada', age: 36, scores: [1, 2.5] };
  assertEq(underEveryBudget(guest, () => guest.call('weigh_person', [byCopy(person)], t.f64, ada)).value, 36 + 3 + 3.5);
  assertEq(guest.call('weigh_person', [byCopy(person)], t.f64, { name: null, age: 1, scores: null }), 1);
  assertEq(guest.call('weigh_person', [byCopy(person)], t.f64, { ...ada, score_count: 1 }), 36 + 3 + 1, 'a count that is told');
  leavesNothing(guest, () => thrownBy(RangeError, () => guest.call('weigh_person', [byCopy(person)], t.f64, { ...ada, score_count: 3 })));
  const made = underEveryBudget(guest, () => guest.call('new_person', [t.string, t.i32, t.i32], byCopy(person), 'Grace', 85, 3)).value;
  assertSame(made, { name: 'Grace', age: 85, scores: [0, 0.5, 1], score_count: 3 });
  assertEq(guest.exports.live_blocks(), 0, 'what it points to is owned as it is');
  const all = { count: 2, people: [ada, { name: 'Bo', age: 1, scores: [] }], favourite: { a: 6, b: 7 } };
  assertEq(underEveryBudget(guest, () => guest.call('weigh_crowd', [byCopy(crowd)], t.f64, all)).value, 42 + 42.5 + 3);
});

guestTest('InOut of a struct with strings: what the guest replaced', (guest) => {
  const ada = () => ({ name: 'Ada', age: 36, scores: [1, 2.5], score_count: 2 });
  underEveryBudget(guest, () => {
    const object = ada();
    const status = guest.call('age_person', [inout(byCopy(person))], t.i32, object);
    assertSame(object, status === 0 ? { name: 'ADA', age: 37, scores: [0.5, 1.25], score_count: 2 } : ada());
    return status === 0 ? 0 : null;
  });
  const object = ada();
  assertEq(guest.call('weigh_person', [inout(byCopy(person))], t.f64, object), 42.5);
  assertSame(object, ada(), 'where the guest replaces nothing');
});

guestTest('InOut fields that are refused when they go back', (guest) => {
  const frozen = Object.freeze({ a: 1, b: 2 });
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('double_pair', [inout(byCopy(pair))], t.void, frozen)));
  const mine = new Error('mine');
  const setter = { a: 1, get b() { return 2; }, set b(_) { throw mine; } };
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('double_pair', [inout(byCopy(pair))], t.void, setter)));
  const named = Object.freeze({ name: 'Ada', age: 1, scores: [1] });
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('age_person', [inout(byCopy(person))], t.i32, named)));
});

guestTest('a trap in the middle of a call', (guest) => {
  const before = guest.exports.live_blocks();
  const error = thrown(() => guest.call('trap_with', [t.string, inout(copy(t.f64)), t.i32], t.i32, 'text', [1, 2], 2), 'a trap');
  assert(error instanceof WebAssembly.RuntimeError, String(error));
  assertEq(guest.exports.live_blocks(), before);
});

guestTest('wrong definitions', () => {
  for (const wrong of [1, 'x', () => 1, { a: 1 }, { a: null }, [['a']], [[1, t.i32, 2], null], { a: t.void }, [['a', {}]]]) {
    thrownBy(TypeError, () => new StructType(wrong));
    thrownBy(TypeError, () => new UnionType(wrong));
  }
  thrownBy(TypeError, () => new StructType([['a', t.i32], ['a', t.i32]]));
  thrownBy(TypeError, () => byCopy(t.i32));
  thrownBy(TypeError, () => byView(byCopy(pair)));
  for (const pack of [0, 3, -1, 1.5, 'x']) {
    const made = (() => { try { return new StructType({ a: t.i32 }, { pack }); } catch (error) { return error; } })();
    assert(made instanceof TypeError || made instanceof RangeError, `pack: ${String(pack)}`);
  }
  assertList(Object.values(new StructType([['a', t.u8], ['b', t.f64]], { pack: 2 }).offsets), [0, 2]);
  assertEq(new StructType([['a', t.u8], ['b', t.f64]], { pack: 4 }).size, 12);
  assertEq(new StructType([['b', t.f64], ['a', t.u8]], { pack: 4 }).size, 12);
});

guestTest('a struct without fields has no size', (guest) => {
  const empty = new StructType({});
  assertEq(empty.size, 0);
  leavesNothing(guest, () => {
    const list = [{}, {}];
    guest.call('swap_pairs', [inout(copy(empty)), t.i32], t.void, list, 0);
    assertEq(list.length, 2);
  });
  leavesNothing(guest, () => assertSame(guest.call('new_pairs', [t.i32], copy(empty, 3), 1), [{}, {}, {}]));
  for (const count of [2 ** 32, 2 ** 40, 2 ** 53 - 1]) {
    leavesNothing(guest, () => thrownBy(RangeError, () => guest.call('new_pairs', [t.i32], copy(empty, count), 1)));
  }
});

guestTest('records that no memory has', (guest) => {
  const huge = inline(t.u8, 2 ** 53 - 1);
  for (const make of [
    () => new StructType({ a: inline(huge, 1024), b: inline(huge, 1024) }),
    () => new StructType({ a: inline(huge, 2 ** 40) }),
    () => inline(inline(huge, 2 ** 20), 2 ** 20),
  ]) {
    let type;
    try { type = make(); } catch (error) { assert(error instanceof TypeError || error instanceof RangeError, String(error)); continue; }
    leavesNothing(guest, () => {
      const error = thrown(() => guest.call('same', [t.any], pointer(type), 16), 'an error');
      assert(error instanceof TypeError || error instanceof RangeError, String(error));
    });
  }
});

guestTest('types that are nested very deeply', (guest) => {
  let type = t.i32;
  let error;
  try {
    for (let i = 0; i < 200_000; i++) type = i % 2 ? inline(type, 1) : new StructType({ a: type });
    type.size;
    type.mangledName;
  } catch (caught) {
    error = caught;
  }
  if (error !== undefined) assert(error instanceof TypeError || error instanceof RangeError, String(error));
  let chain = t.i32;
  error = undefined;
  try {
    for (let i = 0; i < 200_000; i++) chain = pointer(chain);
    chain.mangledName;
    guest.call('same', [chain], t.any, 'no pointer');
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof TypeError || error instanceof RangeError, String(error));
});

guestTest('a value that contains itself', (guest) => {
  const node = new StructType({ value: t.i32, next: byCopy(pair) });
  assertEq(node.size, 8);
  const ring = [];
  ring.push(ring);
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('sum_pairs', [copy(copy(copy(pair))), t.i32], t.i32, ring, 1)));
});

guestTest('JSON and enumeration of a view', (guest) => {
  const made = pair.create(guest.manager, { a: 1, b: 2 });
  assertEq(JSON.stringify(made), '{"a":1,"b":2}');
  assertSame({ ...made }, { a: 1, b: 2 });
  assertList(Object.entries(made).flat(), ['a', 1, 'b', 2]);
  const { a, b } = made;
  assertList([a, b], [1, 2]);
  made[Symbol.dispose]();
});

guestTest('no size and a sentinel: refused, rather than searched for ever', (guest) => {
  const empty = new StructType({});
  for (const make of [copy, view]) {
    for (const until of [0, -1, 5]) {
      try {
        guest.call('same', [t.any], borrowed(make(empty, { until })), 1024);
      } catch (error) {
        assert(error instanceof TypeError || error instanceof RangeError, String(error));
      }
    }
  }
});
