// A script that overwrites all of the language changes nothing in what `tombolo:marshal` does.
import {
  addressOf, borrowed, Callback, CallbackType, consumed, EnumType, Float64Type, FunctionPrototype, FunctionRegistry, HandleType, In,
  InlineStringType, MemoryManager, nonNull, opaque, Out, owned, Pointer, StatusError, StatusType, StringBuffer, StringType, StructType, Type,
  UnionType, ValueType, Wasi,
} from 'tombolo:marshal';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { hostile, overwritten } from '../hostile.mjs';
import {
  assertSame, byCopy, byView, copy, guestTest, header, inline, inout, into, out, pointer, records, result, samples, t, view, vocabulary,
} from './vocabulary.mjs';

const { dispose } = Symbol;
const { apply } = Reflect;
const endOf = Object.getPrototypeOf(Uint8Array.prototype)[dispose];
const { Memory } = WebAssembly;
const Classes = { Float64Array, Int32Array, Uint8Array, Int16Array, BigInt64Array };
const fn = (params, returns) => new CallbackType(params.map(into), returns);
const numbers = () => Float64Array.of(4, 3, 2, 1);

test('much is overwritten', () => assert(overwritten > 700, overwritten));

guestTest('numbers, in and out', (guest) => {
  for (const [name, value] of Object.entries({ i8: -5, u16: 500, i32: -7, i64: -(2n ** 60n), u64: 2n ** 63n, f32: 0.5, f64: 0.1, bool: true, size: 7, colour: 4 })) {
    assertEq(hostile(() => echo(guest, name)(value)), value, name);
  }
});
function echo(guest, name) {
  bound[name] ??= new FunctionPrototype([new In(t[name])], t[name]);
  return (value) => bound[name].invoke(guest.manager, guest.exports['echo_' + name], value);
}
const bound = { __proto__: null };

guestTest('prototypes, types and enums are made', (guest) => {
  const make = () => {
    const colour = new EnumType({ __proto__: null, RED: 0, GREEN: 4 });
    return { colour, prototype: new FunctionPrototype([new In(colour)], colour), array: copy(t.f64, 3), status: new StatusType(t.i32, { __proto__: null, success: [0, 1] }) };
  };
  const { colour, prototype, array } = hostile(make);
  assertEq(colour.members.GREEN, 4);
  assertEq(hostile(() => colour.members.GREEN), 4);
  assertEq(hostile(() => prototype.bind(guest.manager, guest.exports.echo_colour)('GREEN')), 4);
  assertEq(hostile(() => prototype.mangledName + array.mangledName), prototype.mangledName + 'a(f64)');
  assertEq(hostile(() => t.i16.TypedArrayType), Int16Array);
  assertEq(hostile(() => t.f64.size + t.f64.alignment), 16);
  assertSame(hostile(() => copy(t.f64, { __proto__: null, argument: 1 }).length), { argument: 1 });
  class Small extends ValueType { constructor() { super(Classes.Int16Array); } }
  assertEq(hostile(() => new Small().TypedArrayType), Int16Array);
});

guestTest('arrays of numbers: in, out, results, growing ones', (guest) => {
  for (const length of [4, 40]) {
    const reverse = guest.bind('reverse_f64', [inout(copy(t.f64)), t.i32], t.void);
    const list = Array.from({ length }, (_, i) => i);
    hostile(() => reverse(list, length));
    assertList(list, Array.from({ length }, (_, i) => length - 1 - i));
  }
  const same = guest.bind('reverse_f64', [inout(copy(t.f64)), t.i32], t.void);
  for (const View of [Float64Array, Float32Array, Int8Array]) {
    const passed = View.from(numbers());
    hostile(() => same(passed, 4));
    assertList(passed, [1, 2, 3, 4]);
  }
  const out3 = guest.bind('write_until_bad', [out(copy(t.f64, 3)), t.i32, t.i32], t.i32);
  const grown = [];
  hostile(() => out3(grown, 3, -1));
  assertList(grown, [1, 2, 3]);
  const bytes = guest.bind('copy_bytes', [copy(t.f64), t.size], copy(t.f64, 2));
  assertList(hostile(() => bytes([0.5, 1.5], 16)), [0.5, 1.5]);
  const typed = Float64Array.of(2, 3);
  assertList(hostile(() => bytes(typed, 16)), [2, 3]);
  assertList(guest.call('copy_bytes', [copy(t.i64), t.size], copy(t.i64, 1), [5n], 8), [5n]);
});

guestTest('strings and arrays of them', (guest) => {
  const echoString = guest.bind('copy_string', [t.string], t.string);
  for (const text of ['', 'añ€😀', 'x'.repeat(500)]) assertEq(hostile(() => echoString(text)), text);
  const join = guest.bind('join', [copy(t.string), t.i32, t.string], t.string);
  assertEq(hostile(() => join(['a', 'b'], 2, '+')), 'a+b');
  const names = guest.bind('new_names', [t.i32], copy(t.string, { argument: 0 }));
  assertList(hostile(() => names(3)), ['zero', 'one', 'two']);
  const replaced = ['a', 'b'];
  const replace = guest.declare('void replace_strings(char **strings [[inout]], int n);').replace_strings;
  hostile(() => replace(replaced, 2));
  assert(replaced.every((text) => typeof text === 'string'));
  assertEq(hostile(() => new StringType('utf-16').mangledName !== undefined), true);
});

guestTest('views: results, arguments, the end', (guest) => {
  const iota = guest.bind('iota', [t.i32], view(t.i32, { argument: 0 }));
  const got = hostile(() => iota(4));
  assert(got instanceof Int32Array);
  assertList(got, [0, 1, 2, 3]);
  const back = guest.bind('reverse_i32', [inout(view(t.i32)), t.i32], t.void);
  hostile(() => back(got, 4));
  assertList(got, [3, 2, 1, 0]);
  hostile(() => apply(endOf, got, []));
  assertEq(got.length, 0);
  const made = hostile(() => guest.manager.createTypedArray(Classes.Float64Array, [1, 2]));
  assertList(made, [1, 2]);
  assert(hostile(() => addressOf(made)) > 0);
  hostile(() => apply(endOf, made, []));
  const zeros = hostile(() => guest.wasi.int16Array(2));
  assertList(zeros, [0, 0]);
  zeros[dispose]();
});

guestTest('structs and unions: by copy, by view, by value', (guest) => {
  for (const name of ['scalars', 'pair', 'nested', 'packed', 'deep']) {
    const echoRecord = guest.bind(`echo_${name}`, [records[name]], records[name]);
    assertSame(hostile(() => echoRecord(samples[name])), samples[name]);
  }
  const pair = records.pair;
  const swap = guest.bind('swap_pairs', [inout(copy(pair)), t.i32], t.void);
  const list = [{ a: 1, b: 2 }, { a: 3, b: 4 }];
  hostile(() => swap(list, 2));
  const copied = guest.bind('copy_pair', [byCopy(pair)], byView(pair));
  const seen = hostile(() => copied({ a: 1, b: 2 }));
  hostile(() => { seen.a = seen.b + 5; });
  assertSame(seen, { a: 7, b: 2 });
  hostile(() => seen[dispose]());
  const made = hostile(() => new StructType([['x', t.i32], ['y', t.f64]], { __proto__: null, name: 'made' }).create(guest.manager, { __proto__: null, x: 1, y: 2 }));
  assertSame(made, { x: 1, y: 2 });
  made[dispose]();
  const fresh = hostile(() => new UnionType({ __proto__: null, i: t.i32, f: t.f32, s: new InlineStringType(4), l: inline(t.u8, 4) }, { __proto__: null }));
  assertSame(hostile(() => fresh.offsets), { i: 0, f: 0, s: 0, l: 0 });
  const all = guest.bind('new_pairs', [t.i32], view(pair, { argument: 0 }));
  const pairs = hostile(() => all(3));
  assertEq(hostile(() => pairs.at(2).b + pairs.length), 1);
  hostile(() => pairs.set(0, { a: 8, b: 9 }));
  assertSame([...pairs][0], { a: 8, b: 9 });
  pairs[dispose]();
  const person = guest.bind('new_person', [t.string, t.i32, t.i32], owned(byCopy(records.person)));
  assertSame(hostile(() => person('Ada', 36, 2)), { name: 'Ada', age: 36, scores: [0, 0.5], score_count: 2 });
});

guestTest('pointers, out-parameters and Results', (guest) => {
  const get = guest.bind('get_i32', [pointer(t.i32)], t.i32);
  assertEq(hostile(() => get(new Pointer(4))), 4);
  const swap = guest.bind('swap_i32', [inout(pointer(t.i32)), t.i32], t.i32);
  const box = hostile(() => new Pointer(1));
  assert(Object.hasOwn(box, 'contents'));
  assertEq(hostile(() => swap(box, 9)), 1);
  assertEq(box.contents, 9);
  class Box extends Pointer {}
  assertEq(new Box(3).contents, 3);
  const made = guest.bind('new_i32', [t.i32], pointer(t.i32));
  assertEq(hostile(() => made(5).contents), 5);
  const two = guest.bind('make_two', [result(t.string), result(t.string), t.i32], new StatusType());
  assertList(hostile(() => two(0)), ['first', 'second']);
});

guestTest('callbacks', (guest) => {
  const applied = guest.bind('apply_i32', [fn([t.i32], t.i32), t.i32], t.i32);
  assertEq(hostile(() => applied((value) => value * 2, 21)), 42);
  const sort = guest.bind('sort', [inout(copy(t.i32)), t.i32, fn([pointer(t.i32), pointer(t.i32)], t.i32)], t.void);
  const list = [3, 1, 2];
  hostile(() => sort(list, 3, (a, b) => a.contents - b.contents));
  assertList(list, [1, 2, 3]);
  const each = guest.bind('each_string', [copy(t.string), t.i32, fn([t.any, t.string, t.i32], t.i32), t.any], t.i32);
  assertEq(hostile(() => each(['a', 'b'], 2, (user, text, i) => (text === 'b' ? i + 7 : 0), null)), 8);
  const row = fn([t.any, t.i32, copy(t.string, { argument: 1 }), copy(t.string, { argument: 1 })], t.i32);
  const rows = guest.bind('each_row', [t.i32, row, t.any], t.i32);
  let last;
  hostile(() => rows(2, (user, count, values) => { last = values; return 0; }, null));
  assertList(last, ['1', null]);
  const type = fn([t.i32], t.i32);
  const callback = hostile(() => new Callback(guest.manager, type, (value) => value + 1));
  assertEq(hostile(() => applied(callback, 4)), 5);
  hostile(() => callback[dispose]());
  const error = new Error('mine');
  let came;
  hostile(() => { try { applied(() => { throw error; }, 1); } catch (caught) { came = caught; } });
  assertEq(came, error);
});

guestTest('handles', (guest) => {
  const counter = hostile(() => opaque(guest.exports.counter_close, 'counter'));
  const open = guest.bind('counter_open', [t.i32], counter);
  const next = guest.bind('counter_next', [nonNull(counter)], t.i32);
  const handle = hostile(() => open(3));
  assertEq(hostile(() => next(handle)), 3);
  hostile(() => handle.close());
  assertEq(handle.closed, true);
  const other = hostile(() => open(1));
  hostile(() => other[dispose]());
  assert(hostile(() => new HandleType(guest.exports.counter_close)) instanceof HandleType);
  const given = open(2);
  const close = guest.bind('counter_close', [consumed(counter)], t.i32);
  hostile(() => close(given));
  assertEq(given.closed, true);
  const name = guest.bind('name_of', [t.i32], borrowed(t.string));
  assertEq(hostile(() => name(1)), 'one');
});

guestTest('statuses and errors', (guest) => {
  const status = guest.bind('status_of', [t.i32], new StatusType(t.i32, { error: (code, name, results) => name + ' said ' + code + results.length }));
  const caught = (body) => hostile(() => { try { body(); } catch (error) { return error; } return undefined; });
  const error = caught(() => status(5));
  assertEq(Object.getPrototypeOf(error), StatusError.prototype);
  assertEq(error.message, 'status_of: status_of said 50');
  assertEq(error.code, 5);
  assert(Object.hasOwn(error, 'function'));
  assertEq(caught(() => new FunctionPrototype(5)).constructor, TypeError);
  assertEq(caught(() => new Wasi({ __proto__: null }).memory).message, 'Wasi.memory: call init(instance) first');
  assertEq(caught(() => guest.exports.trap()).constructor, WebAssembly.RuntimeError);
  assertEq(hostile(() => new StatusError('x').message), 'x');
});

guestTest('the memory manager', (guest) => {
  const { memory, malloc, free } = guest.exports;
  const manager = hostile(() => new MemoryManager(memory, malloc, free));
  const address = hostile(() => manager.malloc(8));
  hostile(() => manager.free(address));
  assert(hostile(() => manager.dataView) instanceof DataView);
  assertEq(hostile(() => manager.memory), memory);
  assert(hostile(() => MemoryManager.of(guest.instance)) instanceof MemoryManager);
  let target = {};
  hostile(() => { guest.manager.freeWhenFinalized(target, guest.manager.malloc(8)); guest.manager.freeWhenFinalized(target, guest.manager.malloc(8)); });
  target = undefined;
  guest.settle();
  const keeper = new StructType({ list: view(t.i32), n: t.i32 }).create(guest.manager);
  const block = guest.manager.createTypedArray(Int32Array, [1, 2]);
  hostile(() => { keeper.list = block; keeper.list = null; });
  for (const made of [keeper, block]) made[dispose]();
});

guestTest('string buffers', (guest) => {
  const buffer = hostile(() => StringBuffer.fromString(guest.manager, 'añ', true));
  assertEq(hostile(() => buffer.toString()), 'añ');
  const at = hostile(() => StringBuffer.fromAddress(guest.manager, addressOf(buffer), false));
  assertEq(at.toString(), 'añ');
  assert(buffer instanceof Uint8Array);
  hostile(() => buffer[dispose]());
});

guestTest('types of a script’s own', (guest) => {
  class Shout extends StringType { unmarshall(manager, address, index, args) { return super.unmarshall(manager, address, index, args) + '!'; } }
  const type = hostile(() => new Shout());
  const shout = guest.bind('copy_string', [t.string], type);
  assertEq(hostile(() => shout('x')), 'x!');
  const strings = copy(t.string, 2);
  const address = hostile(() => strings.marshall(guest.manager, 0, [['a', 'b']]));
  assertList(hostile(() => strings.unmarshall(guest.manager, address, -1, [])), ['a', 'b']);
  const to = [];
  hostile(() => strings.copy(to, ['c', 'd']));
  assertList(to, ['c', 'd']);
  const room = hostile(() => copy(t.f64).alloc(guest.manager, 0, [[1, 2]]));
  hostile(() => copy(t.f64, 2).free(guest.manager, room, 0, [[1, 2]]));
  assert(hostile(() => type) instanceof Type);
});

guestTest('the registry', (guest) => {
  const { mangleValue, mangleValues } = FunctionPrototype;
  const cases = [[1, 'u32'], [1.5, 'f64'], ['x', 'b8'], [null, 'v0'], [true, 'b1'], [1n, 'i64'], [[1.5], 'a(f64)'], [['x'], 'a(b8)'], [[[1]], 'a(a(u32))'],
    [new Int16Array(1), 't(i16)']];
  for (const [value, name] of cases) {
    assertEq(hostile(() => mangleValue(value)), name);
    assertEq(hostile(() => mangleValue(value, { __proto__: null, defaultInt: 'u32' })), name);
  }
  assertEq(hostile(() => mangleValues([1, 'x'], { __proto__: null, defaultInt: 'i32' })), 'i32b8');
  const prototype = new FunctionPrototype([new In(t.f64)], t.f64);
  const registry = hostile(() => new FunctionRegistry(guest.manager));
  assertEq(registry.memoryManager, guest.manager);
  hostile(() => { registry.registerImplied('f', prototype, guest.exports.echo_f64); registry.registerUnmarshalled('f', (x) => x); });
  assertEq(hostile(() => registry.findImplied('f', [1.5])(1.5)), 1.5);
  assertList(hostile(() => registry.overloads('f')), ['f64', '*']);
  assertEq(hostile(() => registry.has('g')), false);
  const { wasi } = guest;
  hostile(() => { wasi.registerFunction('f', prototype, guest.exports.echo_f64); wasi.registerFunction('g', null, (a, b) => a + b); });
  assertEq(hostile(() => wasi.hasFunction('f')), true);
  assertEq(hostile(() => wasi.invoke('f', 2.5)), 2.5);
  assertEq(hostile(() => wasi.invoke('g', 'a', 'b')), 'ab');
  assertEq(hostile(() => wasi.invokeExplicitFunction('f', [3.5], 'f64')), 3.5);
  const refused = (body) => hostile(() => { try { body(); } catch (error) { return error; } return undefined; });
  assert(/no overload for \(b8\)/.test(refused(() => { wasi.registerFunction('h', prototype, guest.exports.echo_f64); wasi.invoke('h', 'x'); }).message));
  assert(/no function nothing/.test(refused(() => wasi.invoke('nothing')).message));
});

guestTest('cdef', (guest) => {
  const lib = hostile(() => guest.declare(header + '#define LIMIT 3\nstruct pair echo_pair(struct pair value); char *copy_string(const char *text) [[owned]];' +
    'int32_t *iota(int n) [[owned, length(n)]]; int status_of(int code) [[status]]; int apply_i32(int (*f)(int), int value);' +
    'typedef struct counter counter [[opaque(counter_close)]]; counter *counter_open(int start); int counter_next(counter *c);'));
  assertEq(hostile(() => lib.LIMIT), 3);
  assertSame(hostile(() => lib.echo_pair({ a: 1, b: 2 })), { a: 1, b: 2 });
  assertEq(hostile(() => lib.copy_string('x')), 'x');
  assertList(hostile(() => lib.iota(3)), [0, 1, 2]);
  assertEq(hostile(() => lib.apply_i32((x) => x + 1, 1)), 2);
  const counter = hostile(() => lib.counter_open(7));
  assertEq(hostile(() => lib.counter_next(counter)), 7);
  counter.close();
  const error = hostile(() => { try { lib.status_of(3); } catch (caught) { return caught; } return undefined; });
  assertEq(error.code, 3);
  const wrong = hostile(() => { try { guest.declare('int nothing_of_that_name(int);'); } catch (caught) { return caught; } return undefined; });
  assert(/nothing_of_that_name/.test(wrong.message));
});

test('a guest of its own, from the beginning, and the report', () => {
  const { wasi } = vocabulary();
  assertEq(hostile(() => new Wasi({ __proto__: null, A: 'b' }).env.A), 'b');
  const bare = hostile(() => new MemoryManager(new Memory({ __proto__: null, initial: 1 }), () => 8, () => {}));
  assert(bare instanceof MemoryManager && wasi !== undefined);
  const { guestMemory } = tombolo;
  assertEq(typeof hostile(() => guestMemory()).blocks.alive, 'number');
  assert(hostile(() => new Out(copy(new Float64Type()))) instanceof Out);
});
