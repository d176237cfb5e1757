// Who frees what: results are owned, arguments borrowed, unless their type says otherwise.
import { addressOf, borrowed, consumed, InOut, nonNull, owned, StringBuffer } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import {
  assertSame, byCopy, byView, copy, guestTest, inout, leavesNothing, pointer, records, result, t, underEveryBudget, view,
} from './vocabulary.mjs';

const { pair, person } = records;

guestTest('borrowed results: copied, or viewed where they lie', (guest) => {
  leavesNothing(guest, () => {
    assertEq(guest.call('name_of', [t.i32], borrowed(t.string), 2), 'two');
    assertEq(guest.call('name_of', [t.i32], borrowed(t.string), 9), null);
    assertSame(guest.call('get_shared_pair', [], borrowed(byCopy(pair))), { a: 10, b: 20 });
    const seen = guest.call('get_shared_pair', [], borrowed(byView(pair)));
    seen.a = 11;
    assertSame(guest.call('get_shared_pair', [], borrowed(byCopy(pair))), { a: 11, b: 20 });
    seen[Symbol.dispose]();
    assertThrows(TypeError, () => seen.a, /ended/);
    const bytes = guest.call('get_shared_pair', [], borrowed(view(t.i32, 2)));
    assertList(bytes, [11, 20]);
    bytes[Symbol.dispose]();
    assertEq(bytes.length, 0);
    assertList(guest.call('all_names', [], borrowed(copy(borrowed(t.string), { until: 0 }))), ['zero', 'one', 'two', 'three']);
    assertList(guest.call('all_names', [], borrowed(copy(t.string, { until: null }))), ['zero', 'one', 'two', 'three'], 'elements are owned as their array is');
    assertEq(String(guest.call('name_of', [t.i32], borrowed(t.buffer), 1)), 'one');
    assertEq(guest.call('get_shared_pair', [], borrowed(pointer(pair))).contents.b, 20);
  });
});

guestTest('owned by another function', (guest) => {
  const { other_free: free, other_frees: frees } = guest.exports;
  assertEq(guest.call('copy_string', [t.string], owned(t.string, free), 'x'), 'x');
  assertEq(frees(), 1);
  assertSame(guest.call('copy_pair', [byCopy(pair)], owned(byCopy(pair), free), { a: 1, b: 2 }), { a: 1, b: 2 });
  assertEq(frees(), 2);
  const seen = guest.call('copy_pair', [byCopy(pair)], owned(byView(pair), free), { a: 1, b: 2 });
  seen[Symbol.dispose]();
  assertEq(frees(), 3);
  let list = guest.call('iota', [t.i32], owned(view(t.i32, 3), free), 3);
  assertList(list, [0, 1, 2]);
  list = null;
  guest.settle();
  assertEq(frees(), 4);
  assertEq(guest.call('fail_with', [t.i32, result(owned(t.string, free))], t.void, 1), 'one');
  assertEq(frees(), 5);
  for (const wrong of [1, 'x', {}, null]) thrownBy(TypeError, () => owned(t.string, wrong));
  leavesNothing(guest, () => assertEq(guest.call('copy_string', [t.string], owned(t.string), 'x'), 'x'));
  const mine = () => {};
  const error = thrown(() => guest.call('name_of', [t.i32], owned(t.string, mine), 1), 'an error');
  assert(error instanceof TypeError, String(error));
});

guestTest('consumed arguments by copy are the guest’s', (guest) => {
  assertEq(underEveryBudget(guest, () => guest.call('eat_string', [consumed(t.string)], t.i32, 'four')).value, 4);
  assertEq(underEveryBudget(guest, () => guest.call('eat_doubles', [consumed(copy(t.f64)), t.i32], t.f64, [1, 2, 3], 3)).value, 6);
  assertEq(underEveryBudget(guest, () => guest.call('eat_pair', [consumed(byCopy(pair))], t.i32, { a: 3, b: 4 })).value, 7);
  assertEq(guest.call('eat_string', [consumed(t.string)], t.i32, null), -1);
  guest.call('eat', [consumed(t.any)], t.void, new Uint8Array(8));
  assertEq(underEveryBudget(guest, () => guest.call('eat_strings', [consumed(copy(consumed(t.string))), t.i32], t.i32, ['a', 'bc'], 2)).value, 3);
});

guestTest('consumed views end', (guest) => {
  const list = guest.manager.createTypedArray(Float64Array, [1, 2]);
  const part = list.subarray(1);
  assertEq(guest.call('eat_doubles', [consumed(view(t.f64)), t.i32], t.f64, list, 2), 3);
  assertEq(list.length, 0);
  assertEq(part.length, 0);
  list[Symbol.dispose]();
  const seen = pair.create(guest.manager, { a: 1, b: 2 });
  assertEq(guest.call('eat_pair', [consumed(byView(pair))], t.i32, seen), 3);
  assertThrows(TypeError, () => seen.a, /ended/);
  seen[Symbol.dispose]();
  const text = StringBuffer.fromString(guest.manager, 'text', true);
  assertEq(guest.call('eat_string', [consumed(t.buffer)], t.i32, text), 4);
  assertEq(text.length, 0);
  const any = guest.manager.createTypedArray(Uint8Array, 4);
  guest.call('eat', [consumed(t.any)], t.void, any);
  assertEq(any.length, 0);
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('only a whole block can be consumed', (guest) => {
  const list = guest.manager.createTypedArray(Float64Array, [1, 2, 3]);
  const refused = (fn) => {
    const error = thrown(fn, 'an error');
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
  };
  refused(() => guest.call('eat_doubles', [consumed(view(t.f64)), t.i32], t.f64, list.subarray(1), 2));
  assertList(list, [1, 2, 3]);
  list[Symbol.dispose]();
  const shared = guest.call('get_shared_pair', [], borrowed(byView(pair)));
  refused(() => guest.call('eat_pair', [consumed(byView(pair))], t.i32, shared));
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('a refused argument behind a consumed one: it stays the script’s', (guest) => {
  const list = guest.manager.createTypedArray(Float64Array, [1, 2]);
  thrownBy(TypeError, () => guest.call('eat_doubles', [consumed(view(t.f64)), t.i32], t.f64, list, 'x'));
  assertList(list, [1, 2]);
  list[Symbol.dispose]();
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('eat_doubles', [consumed(copy(t.f64)), t.i32], t.f64, [1], 'x')));
});

guestTest('functions that return their argument', (guest) => {
  leavesNothing(guest, () => assertEq(guest.call('same', [t.string], t.string, 'text'), 'text', 'one block is freed once'));
  leavesNothing(guest, () => assertSame(guest.call('same', [byCopy(pair)], byCopy(pair), { a: 1, b: 2 }), { a: 1, b: 2 }));
  leavesNothing(guest, () => assertEq(guest.call('skip', [t.string, t.i32], borrowed(t.string), 'text', 2), 'xt'));
  const seen = guest.call('same', [byCopy(pair)], byView(pair), { a: 5, b: 6 });
  assertSame(seen, { a: 5, b: 6 }, 'the copy is the result’s now');
  assertEq(guest.exports.live_blocks(), 1);
  seen[Symbol.dispose]();
  const list = guest.call('same', [copy(t.f64)], view(t.f64, 2), [1, 2]);
  assertList(list, [1, 2]);
  list[Symbol.dispose]();
  const own = pair.create(guest.manager, { a: 1, b: 2 });
  const error = (() => { try { return guest.call('same', [byView(pair)], byView(pair), own); } catch (caught) { return caught; } })();
  assert(error instanceof RangeError || error.a === 1, String(error));
  own[Symbol.dispose]();
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('arrays of strings InOut: what the guest replaced', (guest) => {
  underEveryBudget(guest, () => {
    const list = ['a', 'b', 'c', 'd'];
    guest.call('replace_strings', [inout(copy(t.string)), t.i32], t.void, list, 4);
    assertEq(list[0], 'a');
    assertEq(list[2], null);
    return list[1] === 'B' && list[3] === 'D' ? true : null;
  });
});

guestTest('InOut beside In: the strings of both are freed', (guest) => {
  const params = (first) => [first, copy(t.string), t.i32];
  leavesNothing(guest, () => assertEq(guest.call('count_same', params(copy(t.string)), t.i32, ['a', 'b'], ['a', 'c'], 2), 1));
  leavesNothing(guest, () => assertEq(guest.call('count_same', params(inout(copy(t.string))), t.i32, ['a', 'b'], ['a', 'c'], 2), 1));
  leavesNothing(guest, () =>
    assertEq(guest.call('count_same', [inout(copy(t.string)), inout(copy(t.string)), t.i32], t.i32, ['a', 'b'], ['a', 'c'], 2), 1));
});

guestTest('InOut of borrowed elements: what the host lent is freed', (guest) => {
  const list = ['a', 'b'];
  leavesNothing(guest, () => assertEq(guest.call('count_same', [new InOut(copy(borrowed(t.string))), copy(t.string), t.i32], t.i32, list, ['a', 'b'], 2), 2));
  assertList(list, ['a', 'b']);
});

guestTest('InOut that cannot go back: nothing is left', (guest) => {
  const frozen = Object.freeze(['a', 'b', 'c', 'd']);
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('replace_strings', [inout(copy(t.string)), t.i32], t.void, frozen, 4)));
  const mine = new Error('mine');
  const list = ['a', 'b', 'c', 'd'];
  Object.defineProperty(list, 1, { get: () => 'b', set() { throw mine; } });
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('replace_strings', [inout(copy(t.string)), t.i32], t.void, list, 4)));
});

guestTest('a trap after the guest took something', (guest) => {
  const error = thrown(() => guest.call('make_and_trap', [result(t.string), result(t.string)], t.i32), 'a trap');
  assert(error instanceof WebAssembly.RuntimeError, String(error));
});

guestTest('nonNull in both directions', (guest) => {
  assertIncludes(thrownBy(TypeError, () => guest.call('copy_string', [nonNull(t.string)], t.string, null)), 'copy_string', 'argument 1', 'null');
  assertIncludes(thrownBy(TypeError, () => guest.call('join', [copy(nonNull(t.string)), t.i32, t.string], t.string, ['a', null], 2, '')), 'element 1', 'null');
  assertIncludes(thrownBy(RangeError, () => guest.call('copy_string', [t.string], nonNull(t.string), null)), 'copy_string', 'result', 'null');
  assertEq(guest.call('copy_string', [nonNull(t.string)], nonNull(t.string), 'x'), 'x');
  assertIncludes(thrownBy(RangeError, () => guest.call('fail_with', [t.i32, result(nonNull(t.string))], t.void, 0)), 'null');
});

guestTest('the rules apply to pointers only, and keep the type’s class', () => {
  for (const rule of [owned, borrowed, consumed, nonNull]) {
    for (const wrong of [t.i32, t.bool, pair, t.void, 1, undefined, null, 'x', {}]) thrownBy(TypeError, () => rule(wrong));
    assert(rule(t.string) instanceof t.string.constructor);
    assert(rule(t.string) !== t.string, 'a new type');
    assertEq(rule(copy(t.i32, 3)).length, 3);
  }
  assert(borrowed(nonNull(t.string)) instanceof t.string.constructor);
});

guestTest('rules add up', (guest) => {
  assertThrows(RangeError, () => guest.call('name_of', [t.i32], nonNull(borrowed(t.string)), 9), /null/);
  assertThrows(RangeError, () => guest.call('name_of', [t.i32], borrowed(nonNull(t.string)), 9), /null/);
  assertEq(guest.call('name_of', [t.i32], borrowed(nonNull(t.string)), 1), 'one');
});

guestTest('cdef: what nobody says is to be freed is not', (guest) => {
  const lib = guest.declare(`
    struct person { char *name; int32_t age; double *scores [[length(score_count)]]; size_t score_count; };
    struct pair { int32_t a, b; };
    double weigh_person(struct person *p);
    const char *name_of(int i);
    char *copy_string(const char *text) [[owned(other_free)]];
    int eat_string(char *text [[consumed, utf8]]);
    int eat_pair(struct pair *p [[consumed, view]]);
    struct pair *get_shared_pair(void) [[view]];
    int sum_pairs(const struct pair *p [[length(n)]], int n);
  `);
  leavesNothing(guest, () => assertEq(lib.name_of(1), 'one'));
  leavesNothing(guest, () => assertEq(lib.copy_string('abc'), 'abc'));
  assertEq(guest.exports.other_frees(), 1);
  leavesNothing(guest, () => assertEq(lib.eat_string('abc'), 3));
  const made = lib.types.pair.create(lib.memoryManager, { a: 1, b: 2 });
  leavesNothing(guest, () => assertEq(lib.sum_pairs([{ a: 1, b: 2 }, { a: 3, b: 4 }], 2), 10));
  assertEq(lib.eat_pair(made), 3);
  assertSame(lib.get_shared_pair(), { a: 10, b: 20 });
  const ada = { name: 'Ada', age: 36, scores: [1], score_count: 1 };
  leavesNothing(guest, () => assertEq(lib.weigh_person(ada), 40));
  assertSame(ada, { name: 'Ada', age: 36, scores: [1], score_count: 1 });
});

guestTest('addressOf', (guest) => {
  const list = guest.manager.createTypedArray(Uint16Array, 4);
  assertEq(addressOf(list.subarray(1)), addressOf(list) + 2);
  assertEq(addressOf(list.buffer), addressOf(list));
  assertEq(addressOf(new DataView(list.buffer, 2)), addressOf(list) + 2);
  for (const wrong of [1, 'x', null, undefined, {}, new Uint8Array(4), new ArrayBuffer(4), () => 1]) thrownBy(TypeError, () => addressOf(wrong));
  list[Symbol.dispose]();
  thrownBy(TypeError, () => addressOf(list));
});
