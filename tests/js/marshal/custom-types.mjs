// Types that a script makes of its own, by subclasses that override what a type does.
import {
  ArrayType, Callback, CallbackType, Float64Type, FunctionPrototype, In, InOut, Int32Type, MemoryManager, Out, Pointer, PointerType, ReferenceType,
  Result, StringType, StructType, Type, ValueType,
} from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrowsValue, test, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { byCopy, copy, guestTest, inout, leavesNothing, out, pointer, result, t, underEveryBudget } from './vocabulary.mjs';

/** A date as a `char *` in ISO format, with a log of what was asked of it. */
class DateType extends StringType {
  log = [];
  marshall(manager, index, args) {
    this.log.push(['marshall', manager instanceof MemoryManager, index, args.length]);
    return super.marshall(manager, 0, [args[index].toISOString()]);
  }
  unmarshall(manager, address, index, args) {
    this.log.push(['unmarshall', address >= 0, index, Array.isArray(args)]);
    const text = super.unmarshall(manager, address, -1, []);
    return text === null ? null : new Date(text);
  }
  free(manager, address, index, args) {
    this.log.push(['free', address > 0, index]);
    super.free(manager, address, index, args);
  }
}
const day = new Date(Date.UTC(2020, 1, 29));

guestTest('a subclass of StringType: in, and as a result', (guest) => {
  const type = new DateType();
  const made = underEveryBudget(guest, () => guest.call('copy_string', [type], type, day)).value;
  assert(made instanceof Date);
  assertEq(made.getTime(), day.getTime());
  type.log.length = 0;
  guest.call('copy_string', [type], type, day);
  assertList(type.log.map(([name]) => name).sort(), ['free', 'marshall', 'unmarshall']);
  for (const [name, , index] of type.log) assertEq(index, name === 'unmarshall' ? -1 : 0, name);
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('its errors come out, and nothing is left', (guest) => {
  const mine = new Error('mine');
  class Bad extends StringType {
    constructor(where) { super(); this.where = where; }
    marshall(...args) { if (this.where === 'marshall') throw mine; return super.marshall(...args); }
    unmarshall(...args) { const value = super.unmarshall(...args); if (this.where === 'unmarshall') throw mine; return value; }
    free(...args) { super.free(...args); if (this.where === 'free') throw mine; }
  }
  for (const where of ['marshall', 'unmarshall', 'free']) {
    leavesNothing(guest, () => assertThrowsValue(mine, () => guest.call('join', [copy(t.string), t.i32, new Bad(where)], new Bad(where), ['a', 'b'], 2, '-')));
  }
  assertEq(guest.call('copy_string', [new Bad()], new Bad(), 'x'), 'x');
  leavesNothing(guest, () => thrownBy(TypeError, () => guest.call('each_string', [new Bad(), t.i32, t.any, t.any], t.i32, 'x', 'no number', null, null)));
});

guestTest('in arrays, in structs, behind Pointers, in Results', (guest) => {
  const type = new DateType();
  leavesNothing(guest, () => assertEq(guest.call('join', [copy(type), t.i32, t.string], t.string, [day, day], 2, '|'), `${day.toISOString()}|${day.toISOString()}`));
  const one = new StructType({ text: type }, { name: 'one' });
  leavesNothing(guest, () => guest.call('echo_one_pointer', [one], t.any, { text: day }));
  leavesNothing(guest, () => assertEq(guest.call('get_u32', [pointer(type)], t.u32, new Pointer(day)) > 0, true));
  class Shout extends StringType { unmarshall(...args) { return `${super.unmarshall(...args)}!`; } }
  leavesNothing(guest, () => assertEq(guest.call('fail_with', [t.i32, result(new Shout())], t.void, 1), 'one!'));
  leavesNothing(guest, () => assertList(guest.call('new_names', [t.i32], copy(new Shout(), 2), 2), ['zero!', 'one!']));
});

/** A list of numbers as text, `1,2,3`, for an array of doubles. */
class ListType extends ReferenceType {
  alloc(manager, index, args) { return manager.malloc(8 * this.count(args[index])); }
  count(list) { return list.text.split(',').length; }
  marshall(manager, index, args) {
    const address = this.alloc(manager, index, args);
    new Float64Array(manager.memory.buffer, address).set(args[index].text.split(',').map(Number));
    return address;
  }
  unmarshall(manager, address, index, args) {
    const numbers = new Float64Array(manager.memory.buffer, address, index < 0 ? 3 : this.count(args[index]));
    const made = { text: numbers.join() };
    manager.free(address);
    return made;
  }
  free(manager, address) { manager.free(address); }
  copy(dest, source) { dest.text = source.text; return dest; }
  get mangledName() { return 'list'; }
}

guestTest('a subclass of ReferenceType: In, Out, InOut, result', (guest) => {
  const type = new ListType();
  const list = { text: '3,1,2' };
  leavesNothing(guest, () => guest.call('reverse_f64', [type, t.i32], t.void, list, 3));
  assertEq(list.text, '3,1,2');
  leavesNothing(guest, () => guest.call('reverse_f64', [inout(type), t.i32], t.void, list, 3));
  assertEq(list.text, '2,1,3');
  const filled = { text: '0,0' };
  leavesNothing(guest, () => guest.call('write_until_bad', [out(type), t.i32, t.i32], t.i32, filled, 2, -1));
  assertEq(filled.text, '1,2');
  leavesNothing(guest, () => assertEq(guest.call('copy_bytes', [copy(t.f64), t.size], type, [7, 8, 9], 24).text, '7,8,9'));
  assertEq(new FunctionPrototype([new In(type)], null).mangledArgs, 'list');
  leavesNothing(guest, () => assertEq(guest.call('is_null', [type], t.i32, null), 1));
});

guestTest('methods that give nonsense', (guest) => {
  class Nonsense extends ReferenceType {
    constructor(value) { super(); this.value = value; }
    marshall() { return this.value; }
    free() {}
  }
  for (const value of [undefined, null, 'x', {}, -1, 1.5, NaN, 2 ** 40, 2n ** 70n, Symbol('s')]) {
    leavesNothing(guest, () => {
      const error = (() => { try { guest.call('is_null', [new Nonsense(value)], t.i32, 'x'); } catch (caught) { return caught; } return undefined; })();
      if (error !== undefined) {
        assert(error instanceof TypeError || error instanceof RangeError, `${String(value)}: ${String(error)}`);
        assertIncludes(error.message, 'is_null', 'argument 1');
      } else assert(value === null || value === undefined, `${String(value)} is refused`);
    });
  }
  class Missing extends ReferenceType {}
  leavesNothing(guest, () => {
    const error = thrown(() => guest.call('is_null', [new Missing()], t.i32, 'x'), 'an error');
    assert(error instanceof TypeError, String(error));
  });
  class Recursive extends ReferenceType { marshall(manager, index, args) { return guest.call('is_null', [this], t.i32, args[index]); } free() {} }
  const error = thrown(() => guest.call('is_null', [new Recursive()], t.i32, 'x'), 'an error');
  assert(error instanceof Error, String(error));
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('methods that dispose, grow and collect', (guest) => {
  class Busy extends StringType {
    marshall(manager, index, args) { guest.exports.grow_pages(1); globalThis.gc(); return super.marshall(manager, index, args); }
    unmarshall(manager, address, index, args) { guest.exports.grow_pages(1); globalThis.gc(); return super.unmarshall(manager, address, index, args); }
  }
  const type = new Busy();
  leavesNothing(guest, () => assertEq(guest.call('join', [copy(type), t.i32, type], type, ['a', 'b'], 2, '+'), 'a+b'));
});

guestTest('a type that was changed after it was bound', (guest) => {
  const type = new StringType();
  const bound = guest.bind('copy_string', [type], type);
  type.marshall = () => { throw new Error('never asked'); };
  assertEq(bound('x'), 'x', 'no subclass: native');
  class Late extends StringType {}
  const late = new Late();
  const again = guest.bind('copy_string', [late], late);
  Late.prototype.unmarshall = function (manager, address) { manager.free(address); return 'late'; };
  assertEq(again('x'), 'late');
});

guestTest('subclasses that override nothing are as fast, and the same', (guest) => {
  class Mine extends Float64Type {}
  class Text extends StringType {}
  class List extends ArrayType {}
  class Box extends PointerType {}
  class Point extends StructType { constructor() { super({ id: t.i32, x: t.f64, y: t.f64 }); } }
  assertEq(guest.call('echo_f64', [new Mine()], new Mine(), 1.5), 1.5);
  leavesNothing(guest, () => assertEq(guest.call('copy_string', [new Text()], new Text(), 'x'), 'x'));
  const list = [1, 2];
  leavesNothing(guest, () => guest.call('reverse_i32', [inout(new List(t.i32)), t.i32], t.void, list, 2));
  assertList(list, [2, 1]);
  leavesNothing(guest, () => assertEq(guest.call('get_i32', [new Box(t.i32)], t.i32, new Pointer(4)), 4));
  const box = new Pointer(1);
  leavesNothing(guest, () => guest.call('swap_i32', [inout(new Box(t.i32)), t.i32], t.i32, box, 9));
  assertEq(box.contents, 9);
  leavesNothing(guest, () => assertEq(guest.call('copy_point', [byCopy(new Point())], t.string, null), null));
  leavesNothing(guest, () => assertEq(guest.call('echo_point', [new Point()], new Point(), { x: 2 }).x, 2));
  const [own] = [guest.call('echo_i32', [new (class extends Int32Type {})()], new (class extends Int32Type {})(), 3)];
  assertEq(own, 3);
});

guestTest('in callbacks', (guest) => {
  class Shout extends StringType { unmarshall(manager, address) { return `${address > 0}!`; } free() {} }
  const f = new CallbackType([new In(t.any), new In(new Shout()), new In(t.i32)], t.i32);
  const seen = [];
  leavesNothing(guest, () => guest.call('each_string', [copy(t.string), t.i32, f, t.any], t.i32, ['a'], 1, (user, text) => { seen.push(text); return 0; }, null));
  assertList(seen, ['true!']);
  const callback = new Callback(guest.manager, f, () => 0);
  callback[Symbol.dispose]();
});

test('abstract classes are extended, not made', () => {
  for (const Class of [Type, ValueType, ReferenceType]) thrownBy(TypeError, () => new Class());
  class Small extends ValueType { constructor() { super(Int16Array); } }
  assertEq(new Small().TypedArrayType, Int16Array);
  assert(new Small() instanceof Type);
  for (const Class of [In, Out, InOut, Result]) {
    for (const wrong of [undefined, null, 1, {}, StringType]) thrownBy(TypeError, () => new Class(wrong));
  }
});
