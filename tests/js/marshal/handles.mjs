// Opaque handles: what a library gives out as a pointer to a struct that nobody declares.
import { addressOf, borrowed, consumed, FunctionPrototype, HandleType, nonNull, opaque, owned } from 'tombolo:marshal';
import { assert, assertEq, test } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { byCopy, copy, guestTest, leavesNothing, records, result, t, underEveryBudget, vocabulary } from './vocabulary.mjs';

const { pair } = records;
const kinds = ({ exports }) => ({
  counter: opaque(exports.counter_close, 'counter'),
  cursor: opaque(exports.cursor_close, 'cursor'),
  plain: new HandleType(null, 'counter'),
});
const books = ({ exports }) => [exports.counters_open(), exports.cursors_open(), exports.wrong_closes(), exports.orphaned()].join();

guestTest('opened, used, closed', (guest) => {
  const { counter } = kinds(guest);
  const open = guest.bind('counter_open', [t.i32], counter);
  const next = guest.bind('counter_next', [counter], t.i32);
  const handle = open(5);
  assertEq(handle.closed, false);
  assertEq(typeof handle.address, 'number');
  assertEq(addressOf(handle), handle.address);
  assertEq(next(handle), 5);
  assertEq(next(handle), 6);
  assertEq(handle.close(), 0, 'what the destructor returned');
  assertEq(handle.closed, true);
  assertEq(books(guest), '0,0,0,0');
  assertIncludes(thrownBy(TypeError, () => next(handle)), 'counter_next', 'argument 1', 'closed');
  handle.close();
  handle[Symbol.dispose]();
  assertEq(books(guest), '0,0,0,0', 'closed once');
  assertEq(counter.name, 'counter');
});

guestTest('using, gc and a loop', (guest) => {
  const { counter } = kinds(guest);
  const open = guest.bind('counter_open', [t.i32], counter);
  {
    using handle = open(1);
    assertEq(handle.closed, false);
  }
  assertEq(books(guest), '0,0,0,0');
  open(1);
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
  const ring = { handle: open(2) };
  ring.ring = ring;
  guest.settle();
  assertEq(guest.exports.counters_open(), 1);
  ring.handle.close();
});

guestTest('handles in cycles are closed by gc()', (guest) => {
  const { counter } = kinds(guest);
  (() => { const ring = { handle: guest.call('counter_open', [t.i32], counter, 1) }; ring.ring = ring; })();
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('100,000 handles in a loop are flat', (guest) => {
  const { counter, cursor } = kinds(guest);
  const open = guest.bind('counter_open', [t.i32], counter);
  const openCursor = guest.bind('cursor_open', [counter], cursor);
  for (let i = 0; i < 10; i++) open(i);
  const bytes = guest.memory.buffer.byteLength;
  for (let i = 0; i < 100_000; i++) open(i);
  assertEq(guest.memory.buffer.byteLength, bytes);
  assert(guest.exports.counters_open() < 10, `${guest.exports.counters_open()} are open`);
  const one = open(1);
  for (let i = 0; i < 20_000; i++) openCursor(one);
  assertEq(guest.memory.buffer.byteLength, bytes);
  one.close();
});

guestTest('as an out-parameter, with a status', (guest) => {
  const { counter } = kinds(guest);
  const { value } = underEveryBudget(guest, () => {
    const [status, handle] = guest.call('counter_open_into', [t.i32, result(counter)], t.i32, 3);
    assertEq(status, handle === null ? 7 : 0);
    return handle;
  });
  assertEq(guest.call('counter_next', [counter], t.i32, value), 3);
  value.close();
});

guestTest('null', (guest) => {
  const { counter } = kinds(guest);
  guest.exports.set_malloc_budget(0);
  assertEq(guest.call('counter_open', [t.i32], counter, 1), null);
  guest.exports.set_malloc_budget(-1);
  assertEq(guest.call('is_null', [counter], t.i32, null), 1);
  assertIncludes(thrownBy(TypeError, () => guest.call('is_null', [nonNull(counter)], t.i32, null)), 'is_null', 'argument 1', 'null');
  guest.exports.set_malloc_budget(0);
  const message = thrownBy(RangeError, () => guest.call('counter_open', [t.i32], nonNull(counter), 1));
  guest.exports.set_malloc_budget(-1);
  assertIncludes(message, 'counter_open', 'null');
});

guestTest('borrowed: nobody closes it', (guest) => {
  const { counter, plain, cursor } = kinds(guest);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  for (const type of [plain, borrowed(counter)]) {
    const seen = guest.call('same', [t.any], type, handle);
    assertEq(guest.call('counter_next', [plain], t.i32, seen) > 0, true);
    assertEq(seen.closed, false);
    {
      using same = seen;
      assertEq(same.address, handle.address);
    }
    assertEq(guest.call('counter_next', [plain], t.i32, handle) > 0, true, 'the end of a borrowed one is nothing');
    guest.settle();
    assertEq(books(guest), '1,0,0,0');
  }
  const child = guest.call('cursor_open', [counter], cursor, handle);
  assertEq(guest.call('cursor_counter', [cursor], borrowed(counter), child).address, handle.address);
  child.close();
  handle.close();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('two objects for one pointer close it once', (guest) => {
  const { counter } = kinds(guest);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  try {
    const again = guest.call('same', [t.any], counter, handle);
    again.close();
    assertEq(handle.closed, true);
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
  }
  handle.close();
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('consumed: the guest closes it', (guest) => {
  const { counter } = kinds(guest);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  assertEq(guest.call('counter_close', [consumed(counter)], t.i32, handle), 0);
  assertEq(handle.closed, true);
  assertIncludes(thrownBy(TypeError, () => guest.call('counter_next', [counter], t.i32, handle)), 'closed');
  handle.close();
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('a handle that a later argument closes', (guest) => {
  const { counter } = kinds(guest);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  const spoiler = { get a() { handle.close(); return 1; }, b: 2 };
  try {
    guest.call('write_pair', [counter, byCopy(pair)], t.void, handle, spoiler);
  } catch (error) {
    assert(error instanceof TypeError, String(error));
  }
  handle.close();
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('what is no such handle', (guest) => {
  const { counter, cursor } = kinds(guest);
  const next = guest.bind('counter_next', [counter], t.i32);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  const child = guest.call('cursor_open', [counter], cursor, handle);
  for (const wrong of [1, 'x', {}, undefined, [], handle.address, true]) {
    leavesNothing(guest, () => assertIncludes(thrownBy(TypeError, () => next(wrong)), 'counter_next', 'argument 1', 'counter'));
  }
  assertIncludes(thrownBy(TypeError, () => next(child)), 'counter', 'cursor');
  const other = vocabulary();
  const foreign = other.call('counter_open', [t.i32], kinds(other).counter, 1);
  assertIncludes(thrownBy(TypeError, () => next(foreign)), 'another guest');
  child.close();
  handle.close();
  foreign.close();
});

guestTest('a handle in an array, by its address', (guest) => {
  const { counter } = kinds(guest);
  const handle = guest.call('counter_open', [t.i32], counter, 1);
  const [address] = guest.call('copy_bytes', [copy(counter), t.size], copy(t.size, 1), [handle], 4);
  assertEq(address, handle.address);
  handle.close();
});

guestTest('destructors that trap, throw or are none', (guest) => {
  const bad = opaque(guest.exports.trap_with === undefined ? null : guest.exports.eat, 'eaten');
  const block = guest.call('new_i32', [t.i32], bad, 5);
  assertEq(block.close(), undefined, 'a destructor that returns nothing');
  for (const wrong of [1, 'x', {}, () => 1]) thrownBy(TypeError, () => new HandleType(wrong));
  thrownBy(TypeError, () => new HandleType(guest.exports.mix));
  thrownBy(TypeError, () => new HandleType(guest.exports.trap, 'no parameter'));
  const own = guest.call('new_i32', [t.i32], owned(new HandleType(guest.exports.other_free)), 5);
  own.close();
  assertEq(guest.exports.other_frees(), 1);
});

guestTest('cdef: handles, children that keep their parents', (guest) => {
  const lib = guest.declare(`
    typedef struct counter counter [[opaque(counter_close)]];
    typedef struct cursor cursor [[opaque(cursor_close)]];
    counter *counter_open(int start) [[nonnull]];
    int counter_close(counter *c [[consumed]]);
    int counter_next(counter *c [[nonnull]]);
    int counter_open_into(int start, counter **out [[out]]) [[status]];
    cursor *cursor_open(counter *c) [[keeps(c)]];
    int cursor_next(cursor *c);
    counter *cursor_counter(cursor *c) [[borrowed]];
  `);
  const handle = lib.counter_open_into(4);
  assertEq(lib.counter_next(handle), 4);
  let child = lib.cursor_open(handle);
  assertEq(lib.cursor_next(child), 5);
  assertEq(lib.cursor_counter(child).address, handle.address);
  child.close();
  assertEq(lib.counter_close(handle), 0);
  assertEq(handle.closed, true);
  assertEq(books(guest), '0,0,0,0');
  child = lib.cursor_open(lib.counter_open(1));
  guest.settle();
  assertEq(guest.exports.counters_open(), 1, 'the child keeps its parent');
  assertEq(lib.cursor_next(child), 1);
  child = null;
  guest.settle();
  assertEq(books(guest), '0,0,0,0', 'and goes before it');
  assertIncludes(thrownBy(Object.getPrototypeOf(lib.types.counter).constructor === HandleType ? TypeError : Error, () => lib.counter_next(null)), 'counter_next', 'null');
  // The status is a failure, and the handle that came out with it is closed.
  const error = (() => { try { return lib.counter_open_into(-1); } catch (caught) { return caught; } })();
  assertEq(error.code, 21);
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

guestTest('cdef: ten thousand parents and children, dropped in any order', (guest) => {
  const lib = guest.declare(`
    typedef struct counter counter [[opaque(counter_close)]];
    typedef struct cursor cursor [[opaque(cursor_close)]];
    counter *counter_open(int start);
    cursor *cursor_open(counter *c) [[keeps(c)]];
  `);
  const make = (circle) => {
    const made = { parent: lib.counter_open(1) };
    made.child = lib.cursor_open(made.parent);
    if (circle) made.made = made;
  };
  for (let i = 0; i < 10_000; i++) make(i % 2 === 1);
  guest.settle();
  assertEq(books(guest), '0,0,0,0');
});

test('a destructor of another guest is a TypeError', () => {
  const own = vocabulary();
  const other = vocabulary();
  const { counter } = kinds(other);
  const error = thrownBy(TypeError, () => own.call('counter_open', [t.i32], counter, 1));
  assertIncludes(error, 'counter_open', 'counter_close', 'another guest');
});

test('functions bound to functions, 100,000 deep, are refused by the stack and dropped', () => {
  const { manager } = vocabulary();
  const prototype = new FunctionPrototype([], t.i32);
  let f = () => 5;
  for (let i = 0; i < 100_000; i++) f = prototype.bind(manager, f);
  thrownBy(RangeError, () => f());
  f = null;
});
