// Pointers to one value, addresses, `void *`, enums, bool, size_t and long: every scalar in every direction.
import { addressOf, AddressType, EnumType, Pointer, Result, StructType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import {
  assertSame, byCopy, byView, copy, guestTest, inout, leavesNothing, out, pointer, records, result, t, underEveryBudget, view,
} from './vocabulary.mjs';

const { pair, node } = records;

/** Values that each type has, the last of which lie at its ends; what goes in must come out. */
const values = {
  i8: [0, 5, -1, 127, -128],
  u8: [0, 5, 127, 255],
  i16: [0, -1, 32767, -32768],
  u16: [0, 65535],
  i32: [0, -1, 2147483647, -2147483648],
  u32: [0, 1, 4294967295],
  i64: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)],
  u64: [0n, 1n, 2n ** 64n - 1n],
  f32: [0, -0, 0.5, Infinity, -Infinity, NaN, Math.fround(0.1)],
  f64: [0, -0, 0.1, Infinity, NaN, 5e-324, Number.MAX_VALUE],
  bool: [true, false],
  size: [0, 1, 4294967295],
  long: [0, -1, 2147483647, -2147483648],
  colour: [0, 4, 5, 17],
};
const arrayOf = {
  i8: Int8Array, u8: Uint8Array, i16: Int16Array, u16: Uint16Array, i32: Int32Array, u32: Uint32Array, i64: BigInt64Array,
  u64: BigUint64Array, f32: Float32Array, f64: Float64Array, bool: Uint8Array, size: Uint32Array, long: Int32Array,
  colour: Int32Array,
};
const wrong = {
  i64: [1.5, 'x', {}, null, undefined, NaN], u64: [1.5, 'x', {}, null], bool: ['x', {}, null, undefined],
};

for (const [name, list] of Object.entries(values)) {
  const type = t[name];
  guestTest(`${name}: as it is, by Pointer in every direction, as a Result`, (guest) => {
    const echo = guest.bind(`echo_${name}`, [type], type);
    const put = guest.bind(`put_${name}`, [out(pointer(type)), type], t.void);
    const putResult = guest.bind(`put_${name}`, [result(type), type], t.void);
    const get = guest.bind(`get_${name}`, [pointer(type)], type);
    const swap = guest.bind(`swap_${name}`, [inout(pointer(type)), type], type);
    const make = guest.bind(`new_${name}`, [type], pointer(type));
    for (const value of list) {
      assertEq(echo(value), value, 'as it is');
      const target = new Pointer();
      put(target, value);
      assertEq(target.contents, value, 'Out');
      assertEq(putResult(value), value, 'Result');
      assertEq(get(new Pointer(value)), value, 'In');
      const both = new Pointer(value);
      assertEq(swap(both, list[0]), value, 'InOut, what went in');
      assertEq(both.contents, list[0], 'InOut, what came out');
      const made = make(value);
      assert(made instanceof Pointer);
      assertEq(made.contents, value, 'returned');
    }
  });
  guestTest(`${name}: under every budget`, (guest) => {
    const value = list.at(-1);
    underEveryBudget(guest, () => { const p = new Pointer(); guest.call(`put_${name}`, [out(pointer(type)), type], t.void, p, value); });
    underEveryBudget(guest, () => guest.call(`put_${name}`, [result(type), type], t.void, value));
    underEveryBudget(guest, () => guest.call(`new_${name}`, [type], pointer(type), value));
  });
  guestTest(`${name}: arrays of it, by copy and by view`, (guest) => {
    const reversed = [...list].reverse();
    const array = [...list];
    guest.call(`reverse_${name}`, [inout(copy(type)), t.i32], t.void, array, array.length);
    assertSame(array, reversed);
    const unchanged = [...list];
    guest.call(`reverse_${name}`, [copy(type), t.i32], t.void, unchanged, unchanged.length);
    assertSame(unchanged, [...list]);
    const numbers = name === 'bool' ? list.map(Number) : list;
    const seen = guest.manager.createTypedArray(arrayOf[name], numbers);
    guest.call(`reverse_${name}`, [inout(view(type)), t.i32], t.void, seen, seen.length);
    assertSame(seen, name === 'bool' ? reversed.map(Number) : arrayOf[name].from(reversed));
    seen[Symbol.dispose]();
  });
  guestTest(`${name}: null pointers`, (guest) => {
    guest.call(`put_${name}`, [out(pointer(type)), type], t.void, null, list[0]);
  });
  guestTest(`${name}: values of other types`, (guest) => {
    for (const value of wrong[name] ?? ['1', {}, null, undefined, Symbol('s')]) {
      leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call(`echo_${name}`, [type], type, value)), `echo_${name}`, 'argument 1'));
      leavesNothing(guest, () =>
        assertIncludes(thrownBy(TypeError, () => guest.call(`get_${name}`, [pointer(type)], type, new Pointer(value))), `get_${name}`, 'argument 1', 'contents'));
    }
    for (const value of [1, 'x', {}, undefined, [], { contents: list[0] }]) {
      leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call(`get_${name}`, [pointer(type)], type, value)), `get_${name}`, 'argument 1'));
    }
  });
}

guestTest('64-bit sizes are numbers where they are safe, and both are taken', (guest) => {
  assertEq(guest.call('echo_size', [t.size], t.size, 7n), 7);
  assertEq(guest.call('echo_long', [t.long], t.long, -7n), -7);
  assertEq(guest.call('echo_i64', [t.i64], t.i64, 7), 7n);
  assertEq(guest.call('echo_u64', [t.u64], t.u64, 2 ** 53 - 1), 2n ** 53n - 1n);
});

guestTest('enums: names and numbers in, numbers out', (guest) => {
  const { colour } = t;
  for (const [name, value] of Object.entries({ RED: 0, GREEN: 4, BLUE: 5 })) {
    assertEq(guest.call('echo_colour', [colour], colour, name), value);
    assertEq(guest.call('put_colour', [result(colour), colour], t.void, name), value);
    assertEq(guest.call('get_colour', [pointer(colour)], colour, new Pointer(name)), value);
  }
  assertEq(JSON.stringify(colour.members), '{"RED":0,"GREEN":4,"BLUE":5}');
  assert(Object.isFrozen(colour.members));
  leavesNothing(guest, () =>
    assertIncludes(thrownBy(TypeError, () => guest.call('echo_colour', [colour], colour, 'PINK')), 'echo_colour', 'argument 1', 'PINK', 'RED', 'GREEN', 'BLUE'));
  thrownBy(TypeError, () => guest.call('echo_colour', [colour], colour, 'toString'));
  thrownBy(TypeError, () => guest.call('echo_colour', [colour], colour, '__proto__'));
  const small = new EnumType({ A: 1, B: 255 }, t.u8);
  assertEq(small.size, 1);
  assertEq(guest.call('echo_u8', [small], small, 'B'), 255);
  const wide = new EnumType({ A: 1, B: 2n ** 40n }, t.i64);
  assertEq(guest.call('echo_i64', [wide], wide, 'B'), 2 ** 40);
  const list = ['RED', 'BLUE', 4];
  guest.call('reverse_colour', [inout(copy(colour)), t.i32], t.void, list, 3);
  assertList(list, [4, 5, 0]);
  for (const bad of [undefined, null, 1, { A: 'x' }, { A: 1.5 }, { A: null }]) thrownBy(TypeError, () => new EnumType(bad));
  thrownBy(TypeError, () => new EnumType({ A: 1 }, t.f64));
  thrownBy(TypeError, () => new EnumType({ A: 1 }, t.string));
});

guestTest('pointers to pointers', (guest) => {
  const twice = pointer(pointer(t.i32));
  assertEq(guest.call('same', [twice], t.any, null), null);
  const { value } = underEveryBudget(guest, () =>
    guest.call('copy_bytes', [pointer(pointer(t.i32)), t.size], pointer(t.any), new Pointer(new Pointer(7)), 4));
  assert(value.contents > 0);
  leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => guest.call('same', [twice], t.any, new Pointer(new Pointer('x')))), 'contents: contents'));
});

guestTest('a Pointer’s getter that throws, and one that allocates', (guest) => {
  const mine = new Error('mine');
  class Bad extends Pointer { get contents() { throw mine; } set contents(_) {} }
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('get_i32', [pointer(t.i32)], t.i32, new Bad())));
  class Grows extends Pointer { get contents() { guest.exports.grow_pages(1); return 9; } set contents(_) {} }
  assertEq(guest.call('get_i32', [pointer(t.i32)], t.i32, new Grows()), 9);
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('swap_i32', [inout(pointer(t.i32)), t.i32], t.i32, Object.freeze(new Pointer(1)), 2)));
});

guestTest('a typed array of the guest as a pointer to its first element', (guest) => {
  const numbers = guest.manager.createTypedArray(Int32Array, [7, 8]);
  assertEq(guest.call('get_i32', [pointer(t.i32)], t.i32, numbers), 7);
  assertEq(guest.call('swap_i32', [inout(pointer(t.i32)), t.i32], t.i32, numbers.subarray(1), 9), 8);
  assertList(numbers, [7, 9]);
  numbers[Symbol.dispose]();
});

guestTest('void *: null, addresses, Pointers, views and buffers of the guest', (guest) => {
  const same = guest.bind('same', [t.any], t.any);
  assertEq(same(null), null);
  assertEq(same(undefined), null);
  assertEq(same(16), 16);
  assertEq(same(16n), 16);
  assertEq(same(4294967295), 4294967295);
  assertEq(same(new Pointer(32)), 32);
  const block = guest.manager.createTypedArray(Float64Array, [1, 2, 3]);
  assertEq(same(block), addressOf(block));
  assertEq(same(block.subarray(1)), addressOf(block) + 8);
  assertEq(same(block.buffer), addressOf(block));
  assertEq(same(new DataView(block.buffer, 16)), addressOf(block) + 16);
  const struct = pair.create(guest.manager, { a: 1, b: 2 });
  assertEq(same(struct), addressOf(struct));
  assertEq(same(new Uint8Array(guest.memory.buffer, 100, 4)), 100);
  assertEq(same(new Uint8Array(guest.memory.buffer)), 0 || null);
  struct[Symbol.dispose]();
  block[Symbol.dispose]();
  for (const bad of ['x', {}, [], 1.5, -1, true, Symbol('s'), 2n ** 64n, NaN, () => 1]) {
    leavesNothing(guest, () => {
      const error = (() => { try { return same(bad); } catch (caught) { return caught; } })();
      assert(error instanceof TypeError || error instanceof RangeError, `${String(bad)} is refused, got ${String(error)}`);
    });
  }
  assertThrows(TypeError, () => same(block), /ended/);
  assertThrows(TypeError, () => same(struct), /ended/);
});

guestTest('void *: any other buffer is copied there, and back where it comes out', (guest) => {
  const bytes = Uint8Array.of(1, 2, 3, 250);
  for (const buffer of [bytes, bytes.buffer, new DataView(bytes.buffer), new Uint8Array([0, 1, 2, 3, 250]).subarray(1)]) {
    assertEq(underEveryBudget(guest, () => guest.call('sum_bytes', [t.any, t.size], t.i32, buffer, 4)).value, 256);
  }
  guest.call('fill_bytes', [t.any, t.i32, t.size], t.void, bytes, 9, 4);
  assertList(bytes, [1, 2, 3, 250], 'In does not come back');
  guest.call('fill_bytes', [inout(t.any), t.i32, t.size], t.void, bytes, 9, 2);
  assertList(bytes, [9, 9, 3, 250]);
  const part = new Uint8Array(8).subarray(2, 5);
  guest.call('fill_bytes', [out(t.any), t.i32, t.size], t.void, part, 7, 3);
  assertList(new Uint8Array(part.buffer), [0, 0, 7, 7, 7, 0, 0, 0]);
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  guest.call('fill_bytes', [inout(t.any), t.i32, t.size], t.void, shared, 1, 4);
  assertList(shared, [1, 1, 1, 1]);
  assertEq(guest.call('sum_bytes', [t.any, t.size], t.i32, new Uint8Array(0), 0), 0);
  const gone = new Uint8Array(4);
  gone.buffer.transfer();
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('sum_bytes', [t.any, t.size], t.i32, gone, 0)));
});

guestTest('AddressType: an address in a Pointer that owns its block', (guest) => {
  const address = new AddressType();
  let made = guest.call('new_i32', [t.i32], address, 77);
  assert(made instanceof Pointer);
  assertEq(typeof made.contents, 'number');
  assertEq(guest.exports.live_blocks(), 1);
  assertEq(guest.call('get_i32', [address], t.i32, made), 77);
  assertEq(guest.exports.live_blocks(), 1);
  guest.settle();
  assertEq(guest.call('get_i32', [address], t.i32, made), 77);
  made = null;
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
  assertEq(guest.call('same', [t.any], address, null), null);
  for (const bad of [1, 'x', {}, new Pointer('x')]) {
    leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('get_i32', [address], t.i32, bad)));
  }
});

guestTest('linked lists by the address of the next', (guest) => {
  const list = guest.call('new_list', [t.i32], t.any, 3);
  assertEq(guest.call('sum_list', [t.any], t.i32, list), 6);
  const seen = [];
  for (let at = list; at !== null;) {
    const { value, next } = node.at(guest.manager, at);
    seen.push(value);
    at = next;
  }
  assertList(seen, [3, 2, 1]);
  const first = node.at(guest.manager, guest.call('reverse_list', [t.any], t.any, list));
  assertEq(first.value, 1);
  guest.call('free_list', [t.any], t.void, first);
});

guestTest('a linked list that a script makes of views', (guest) => {
  const last = node.create(guest.manager, { value: 1, next: null });
  const middle = node.create(guest.manager, { value: 10, next: last });
  const first = node.create(guest.manager, { value: 100 });
  first.next = middle;
  assertEq(guest.call('sum_list', [byView(node)], t.i32, first), 111);
  assertEq(first.next, addressOf(middle));
  first.next = null;
  assertEq(guest.call('sum_list', [byView(node)], t.i32, first), 100);
  for (const one of [first, middle, last]) one[Symbol.dispose]();
});

guestTest('arrays of pointers to structs', (guest) => {
  const list = [{ a: 1, b: 2 }, null, { a: 3, b: 4 }];
  assertEq(underEveryBudget(guest, () => guest.call('sum_pair_pointers', [copy(byCopy(pair)), t.i32], t.i32, list, 3)).value, 10);
  const made = underEveryBudget(guest, () => guest.call('new_pair_pointers', [t.i32], copy(byCopy(pair), 3), 3)).value;
  assertSame(made, [{ a: 0, b: 0 }, { a: 1, b: 10 }, { a: 2, b: 20 }]);
  const views = guest.call('new_pair_pointers', [t.i32], copy(byView(pair), 3), 3);
  assertEq(guest.exports.live_blocks(), 3, 'the array is freed, its elements are the views’');
  views[1].a = 5;
  assertEq(guest.call('sum_pair_pointers', [copy(byView(pair)), t.i32], t.i32, views, 3), 0 + 15 + 22);
  views.forEach((one) => one[Symbol.dispose]());
  const pointers = guest.call('new_pair_pointers', [t.i32], copy(pointer(pair), 2), 2);
  assertSame(pointers[1].contents, { a: 1, b: 10 });
});

guestTest('Results of many kinds at once, with the function’s own', (guest) => {
  const both = guest.call('range', [t.i32, t.i32, result(t.size)], copy(t.i32, { argument: 2 }), 3, 6);
  assertEq(both.length, 2);
  assertList(both[0], [3, 4, 5]);
  assertEq(both[1], 3);
  const none = guest.call('range', [t.i32, t.i32, result(t.size)], copy(t.i32, { argument: 2 }), 3, 3);
  assertList(none, [null, 0]);
  const into = guest.call('range_into', [t.i32, t.i32, result(copy(t.i32, { argument: 3 })), result(t.i32)], t.i32, 1, 3);
  assertEq(into[0], 0);
  assertList(into[1], [1, 2]);
  assertEq(into[2], 2);
  assertIncludes(thrownBy(RangeError, () => guest.call('put_i32', [result(t.i32), t.i32], t.void, 1, 2)), 'expected 1 argument, got 2');
});

guestTest('a Result that cannot be read: the others and the function’s own are freed', (guest) => {
  const mine = new Error('mine');
  const bad = copy(t.u8, () => { throw mine; });
  const params = (first, second) => [result(first), result(second), t.i32];
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('make_two', params(bad, t.string), t.i32, 0)));
  leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('make_two', params(t.string, bad), t.i32, 0)));
  leavesNothing(guest, () =>
    assertThrowsValue(mine, () => guest.call('range', [t.i32, t.i32, result(t.size)], copy(t.i32, () => { throw mine; }), 3, 6)));
  const setter = { get contents() { return 1; }, set contents(_) { throw mine; } };
  Object.setPrototypeOf(setter, Pointer.prototype);
  leavesNothing(guest, () =>
    assertThrowsValue(mine, () => guest.call('range', [t.i32, t.i32, inout(pointer(t.size))], copy(t.i32, 3), 3, 6, setter)));
});

guestTest('what cannot come out', () => {
  for (const type of [t.i32, t.bool, t.colour, t.string, pair, t.void]) {
    thrownBy(TypeError, () => out(type));
    thrownBy(TypeError, () => inout(type));
  }
  thrownBy(TypeError, () => result(t.void));
  thrownBy(TypeError, () => new Result());
  assert(new StructType({ a: t.i32 }) instanceof StructType);
});

guestTest('a type’s own methods: copy and what they refuse', (guest) => {
  const type = pointer(t.i32);
  const target = new Pointer(1);
  assertEq(type.copy(target, new Pointer(2)), target);
  assertEq(target.contents, 2);
  for (const [to, from] of [[target, 5], [5, target], [null, null], [target, undefined]]) thrownBy(TypeError, () => type.copy(to, from));
  const list = [1];
  copy(t.i32).copy(list, [4, 5]);
  assertList(list, [4, 5]);
  for (const [to, from] of [[list, 5], [5, list], [null, null]]) thrownBy(TypeError, () => copy(t.i32).copy(to, from));
  for (const method of ['alloc', 'marshall']) {
    for (const bad of [undefined, null, {}, 1]) thrownBy(TypeError, () => type[method](bad, 0, [target]));
  }
  for (const method of ['free', 'unmarshall']) {
    thrownBy(TypeError, () => type[method](guest.manager, 'x', 0, [target]));
    thrownBy(TypeError, () => type[method]({}, 8, 0, [target]));
  }
});

guestTest('a Pointer that is no more than that', () => {
  const made = new Pointer(5);
  assertEq(made.contents, 5);
  assertEq(new Pointer().contents, undefined);
  assert(byCopy(pair) !== undefined && view(t.i32) !== undefined);
});
