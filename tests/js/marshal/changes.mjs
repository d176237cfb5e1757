// What C leaves alone stays the script's own, what it changes is taken over; and what C means by lengths, ends, empty
// structs and large enums. With addresses of 32 bits and of 64. The expected values are those of C.
import { readFileSync } from 'node:fs';
import * as marshal from 'tombolo:marshal';
import { Callback, cdef, exact, FunctionPrototype, In, InOut, Int32Type, ArrayType, MemoryManager, StructType, StructPointerType, Uint8Type } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';

const modules = ['changes', 'changes64'].map((name) => new WebAssembly.Module(readFileSync(new URL(`../../../guests/${name}.wasm`, import.meta.url))));

/** The test with each guest; nothing may stay behind in it. */
function each(name, fn) {
  modules.forEach((module, index) => {
    test(`${name} (${index ? 64 : 32} bits)`, () => {
      const instance = new WebAssembly.Instance(module, {});
      const { exports } = instance;
      const guest = {
        instance, exports, wide: index === 1, bind: (text, options) => cdef(instance, text, options),
        /** `fn` leaves as many blocks as there were. */
        balanced(fn) {
          const before = exports.live_blocks();
          const result = fn();
          assertEq(exports.live_blocks(), before, 'blocks are left');
          return result;
        },
      };
      fn(guest);
      gc();
    });
  });
}

const things = `typedef struct thing thing [[opaque(thing_close)]]; int thing_open(int value, thing **out [[out]]) [[status]];
  int thing_value(const thing *t); int thing_close(thing *t); int things_open(void);`;
const job = `${things}
  typedef int (*step)(void *user, int n);
  struct job { step step; void *user; const char *name; char *text; const int *given [[length(3)]]; int *work [[length(2)]];
    void *bytes; size_t size; thing *thing; double result; };
  int run_job(struct job *job); int run_jobs(struct job *jobs [[length(n)]], int n); int run_job_within(struct job **job [[inout]]);
  void fill_job(const struct job *job); void fill_job_value(struct job job); void reset_job(struct job *job); void shout(struct job *job);`;

each('a struct that comes back keeps what its pointers stand for', (guest) => {
  const lib = guest.bind(job);
  const thing = lib.thing_open(5);
  const made = { step: (user, n) => user + n, user: 100, name: 'name', text: 'text', given: Object.freeze([1, 2, 3]), work: [4, 5], bytes: new Uint8Array(3), size: 3, thing, result: 0 };
  const before = { ...made };
  for (let times = 1; times <= 3; times++) {
    assertEq(guest.balanced(() => lib.run_job(made)), 5);
    for (const key of Object.keys(made)) if (key !== 'result') assertEq(made[key], before[key], key);
    assertEq(made.result, 103);
    assertList(made.work, [4, 5 + 10 * times]);
    assertList([...made.bytes], [1, 2, 3]);
  }
  thing.close();
  assertEq(lib.things_open(), 0);
});

each('Callbacks, views, other buffers', (guest) => {
  const lib = guest.bind(job);
  using step = new Callback(lib.memoryManager, lib.types.step, (user, n) => n);
  const buffers = { view: lib.memoryManager.createTypedArray(Uint8Array, 4), part: lib.memoryManager.createTypedArray(Uint8Array, 8).subarray(2, 6), array: new Uint8Array(4), buffer: new ArrayBuffer(4), data: new DataView(new ArrayBuffer(4)) };
  const bytesOf = (b) => [...(ArrayBuffer.isView(b) ? new Uint8Array(b.buffer, b.byteOffset, b.byteLength) : new Uint8Array(b))];
  const works = [];
  for (const [name, bytes] of Object.entries(buffers)) {
    const work = name === 'view' ? lib.memoryManager.createTypedArray(Int32Array, [1, 2]) : Int32Array.of(1, 2);
    works.push(work);
    const made = { step, user: null, name: null, text: null, given: null, work, bytes, size: 4, thing: null, result: 0 };
    assertEq(guest.balanced(() => lib.run_job(made)), 0);
    assertEq(made.step, step);
    assertEq(made.bytes, bytes, name);
    assertEq(made.work, work);
    assertList([...work], [1, 12]);
    assertList(bytesOf(bytes), [1, 2, 3, 4], name);
    assertEq(made.result, 3);
    assertEq(made.name, null);
  }
});

each('in arrays, behind pointers to pointers, by value, through const', (guest) => {
  const lib = guest.bind(job);
  const step = () => 1;
  const make = () => ({ step, user: 0, name: 'n', text: 't', given: [1, 2, 3], work: [1, 1], bytes: new Uint8Array(2), size: 2, thing: null, result: 0 });
  const jobs = [make(), make(), make()], before = jobs.map((one) => ({ ...one }));
  guest.balanced(() => lib.run_jobs(jobs, 3));
  jobs.forEach((one, at) => {
    for (const key of ['step', 'given', 'work', 'bytes']) assertEq(one[key], before[at][key], key);
    assertList(one.work, [1, 11]);
    assertList([...one.bytes], [1, 2]);
    assertEq(one.result, 1);
  });
  const single = make(), box = [single], { bytes } = single;
  guest.balanced(() => lib.run_job_within(new marshal.Pointer(single)));
  assertList([...bytes], [1, 2]);
  guest.balanced(() => lib.run_job_within(box));
  assertEq(box[0], single);
  assertEq(single.bytes, bytes);
  const frozen = Object.freeze(make());
  guest.balanced(() => lib.fill_job(frozen));
  assertList([...frozen.bytes], [9, 9]);
  assertList(frozen.work, [99, 1]);
  const valued = make();
  guest.balanced(() => lib.fill_job_value(valued));
  assertList([...valued.bytes], [9, 9]);
  assertList(valued.work, [99, 1]);
});
each('a struct by value is the guest\'s own variable; what it points to is not', (guest) => {
  const lib = guest.bind(`struct numbers { int n; int *a [[length(n)]]; }; void drain(struct numbers numbers);
    struct item { char *name [[owned]]; int n; }; struct holder { struct item *item; }; struct wide_holder { struct item *item; int n; };
    void rename_one(struct holder holder); void rename_wide(struct wide_holder holder); void rename_behind(struct wide_holder *holder);
    void rename_and_trap(struct wide_holder holder); void rename_one_and_trap(struct holder holder);`);
  const a = [1, 2, 3];
  guest.balanced(() => lib.drain({ a }));
  assertList(a, [8, 8, 8]);
  const make = (more) => ({ item: { name: 'old', n: 1 }, ...more });
  for (const [name, more] of [['rename_one', {}], ['rename_wide', { n: 0 }], ['rename_behind', { n: 0 }]]) {
    const made = make(more), { item } = made;
    guest.balanced(() => lib[name](made));
    assertEq(made.item, item, name);
    assertEq(item.name, 'new', name);
    assertEq(item.n, 2, name);
  }
  const before = guest.exports.live_blocks();
  for (const [name, more] of [['rename_and_trap', { n: 0 }], ['rename_one_and_trap', {}]]) {
    assertThrows(WebAssembly.RuntimeError, () => lib[name](make(more)), /unreachable/);
  }
  assertEq(guest.exports.live_blocks(), before + 2, 'only the new names stay, which nobody was given');
});

each('what is replaced or rewritten is taken over', (guest) => {
  const lib = guest.bind(job);
  const given = [1, 2, 3], made = { step: () => 1, user: 3, name: 'n', text: 'abc', given, work: [1, 2], bytes: new Uint8Array(2), size: 2, thing: null, result: 1 };
  guest.balanced(() => lib.shout(made));
  assertEq(made.text, 'ABC');
  guest.balanced(() => lib.reset_job(made));
  assertEq(made.name, 'reset');
  assertList(made.given, [7, 8, 9]);
  assertList(given, [1, 2, 3]);
  for (const key of ['step', 'text', 'work', 'bytes', 'thing']) assertEq(made[key], null, key);
  assertEq(made.result, 0.5);
});

each('lists of structs, circles, nested structs and unions', (guest) => {
  const lib = guest.bind(`struct node { int value; struct node *next; }; int add_to_all(struct node *node, int n); void cut(struct node *node); void close_ring(struct node *node);
    struct inner { const char *text; int n; }; struct outer { struct inner parts[2]; union choice { int *numbers [[length(1)]]; double number; } choice; };
    void touch_outer(struct outer *outer); void touch_choice(struct outer *outer);`);
  const third = { value: 3, next: null }, second = { value: 2, next: third }, first = { value: 1, next: second };
  assertEq(guest.balanced(() => lib.add_to_all(first, 10)), 3);
  assertEq(first.next, second);
  assertEq(second.next, third);
  assertList([first.value, second.value, third.value], [11, 12, 13]);
  guest.balanced(() => lib.close_ring(first));
  assertEq(first.next, second);
  assertEq(second.next, second);
  second.next = third;
  guest.balanced(() => lib.cut(first));
  assertEq(first.next, null);
  const parts = [{ text: 'a', n: 1 }, { text: 'b', n: 2 }], [a, b] = parts, numbers = [1];
  const outer = { parts, choice: { numbers } }, { choice } = outer;
  guest.balanced(() => lib.touch_outer(outer));
  assertEq(outer.parts, parts);
  assertEq(parts[0], a);
  assertEq(parts[1], b);
  assertList([a.n, b.n], [1, 5]);
  assertEq(outer.choice, choice);
  guest.balanced(() => lib.touch_choice(outer));
  assertEq(choice.numbers, numbers);
  assertList(numbers, [42]);
});

each('arrays of pointers: the elements move with the pointers', (guest) => {
  const lib = guest.bind(`${things} void swap_things(thing **things [[length(2)]]); void swap_rows(int **rows [[length(2)]]);
    void fill_each(void *const *buffers [[length(n)]], int n, size_t size); void double_in_place(int *numbers [[length(n)]], int n);`);
  const one = lib.thing_open(1), two = lib.thing_open(2), list = [one, two];
  lib.swap_things(list);
  assertEq(list[0], two);
  assertEq(list[1], one);
  assertEq(lib.thing_close(one), 7);
  assertThrows(TypeError, () => lib.thing_value(one), /closed/);
  one.close();
  two.close();
  assertEq(lib.things_open(), 0, 'closed once each');
  const buffers = [new Uint8Array(3), lib.memoryManager.createTypedArray(Uint8Array, 3)];
  guest.balanced(() => lib.fill_each(buffers, 2, 3));
  assertList(buffers.map((b) => [...b].join()), ['1,1,1', '2,2,2']);
  const numbers = [1, 2, 3];
  Object.defineProperty(numbers, 1, { writable: false });
  lib.double_in_place(numbers, 3);
  assertList(numbers, [2, 2, 6], 'what C left alone is not assigned');
});

each('callbacks: what the script leaves alone stays where it is', (guest) => {
  const lib = guest.bind(`${things} struct inner { const char *text; int n; };
    struct state { const char *name; int n; int *numbers [[length(count)]]; size_t count; struct inner inner; };
    int visit(void (*function)(struct state *state [[inout]]), const char *name, int *numbers [[length(count)]], size_t count, int times);
    int visit_last(void (*function)(struct state *state [[inout]]), const char *name); int visit_thing(int (*function)(thing *t), thing *t);`);
  const numbers = [1, 2, 3];
  assertEq(guest.balanced(() => lib.visit((s) => { s.n++; s.numbers[1] += 1; s.inner.n = 9; }, 'x'.repeat(1000), numbers, 3, 50)), 50);
  assertList(numbers, [1, 52, 3]);
  guest.exports.set_malloc_budget(-1);
  const blocks = guest.exports.live_blocks();
  assertEq(lib.visit_last((s) => { s.name = 'longer'; s.n = 4; }, 'abc'), 6034);
  assertEq(guest.exports.live_blocks(), blocks + 1, 'what the script puts there is the guest\'s');
  const thing = lib.thing_open(6);
  assertEq(lib.visit_thing((t) => lib.thing_value(t), thing), 6);
  assertEq(lib.things_open(), 1);
  thing.close();
  assertEq(lib.things_open(), 0);
});

each('what a callback returns stays valid, in a struct of one pointer too', (guest) => {
  const lib = guest.bind(`struct one { const char *text; }; struct list { const int *numbers [[length(3)]]; }; struct nested { struct one one; };
    struct array { const char *text[1]; }; struct two { const char *text; int n; };
    int made_one(struct one (*f)(void)); int made_nested(struct nested (*f)(void)); int made_array(struct array (*f)(void)); int made_two(struct two (*f)(void)); int made_list(struct list (*f)(void));`);
  assertEq(lib.made_one(() => ({ text: 'hello' })), 5);
  assertEq(lib.made_nested(() => ({ one: { text: 'hello' } })), 5);
  assertEq(lib.made_array(() => ({ text: ['hello'] })), 5);
  assertEq(lib.made_two(() => ({ text: 'hello', n: 1 })), 5);
  assertEq(lib.made_list(() => ({ numbers: [1, 2, 3] })), 6);
  assertEq(guest.exports.live_blocks(), 5, 'one block each, and none for the struct itself');
});

each('lengths in structs', (guest) => {
  const lib = guest.bind(`struct pair { int n; const int *a [[length(n)]]; const int *b [[length(n)]]; }; int pair_sum(const struct pair *p);
    struct small { uint8_t n; const int *a [[length(n)]]; }; int small_n(const struct small *s);
    struct signed_small { int8_t n; const char *text [[length(n)]]; }; int signed_n(const struct signed_small *s);
    struct record { const char *key [[length(key_size)]]; uint16_t key_size; }; int key_sum(const struct record *r);`);
  assertEq(lib.pair_sum({ a: [1, 2], b: [3, 4] }), 307);
  assertEq(lib.pair_sum({ a: [1, 2], b: null }), 300);
  assertEq(lib.pair_sum({ n: 1, a: [1, 2], b: [3] }), 103);
  guest.balanced(() => {
    assertThrows(RangeError, () => lib.pair_sum({ a: [1, 2], b: [3] }), /`n`.*`a`.*`b`/);
    assertThrows(RangeError, () => lib.pair_sum({ n: 2, a: [1, 2], b: [3] }), /`n` says 2.*`b`/);
    assertEq(lib.small_n({ a: new Int32Array(255) }), 255);
    assertThrows(RangeError, () => lib.small_n({ a: new Int32Array(256) }), /`a`.*256.*`n`.*255/);
    assertEq(lib.signed_n({ text: 'x'.repeat(127) }), 127);
    assertThrows(RangeError, () => lib.signed_n({ text: 'x'.repeat(128) }), /`text`.*128.*`n`.*127/);
  });
  const record = lib.types.record.create(lib.memoryManager, { key: 'abcd' });
  assertThrows(RangeError, () => { record.key = 'a'; }, /says 4/);
  assertEq(lib.key_sum(record), 97 + 98 + 99 + 100);
  assertThrows(TypeError, () => guest.bind('struct f { float n; const int *a [[length(n)]]; };'), /not an integer/);
});

each('ends', (guest) => {
  const lib = guest.bind(`const double *zeros(void) [[until(0)]]; const float *until_minus(void) [[until(-1)]]; int count_doubles(const double *a [[until(0)]]);
    int count_texts(const char *const *texts [[until(0)]]); int line_length(const char *line [[until(10)]]); const char *line(void) [[until(10)]];`);
  assertList(lib.zeros(), [1, -2]);
  assertList(lib.until_minus(), [NaN, 4]);
  assertEq(lib.count_doubles([1, NaN, 3]), 3);
  assertEq(lib.line_length('abc'), 3);
  assertEq(lib.line(), 'first');
  guest.balanced(() => {
    for (const inside of [[1, 0, 2], [-0]]) assertThrows(RangeError, () => lib.count_doubles(inside), /element \d is 0/);
    assertThrows(RangeError, () => lib.count_texts(['a', null, 'b']), /element 1 is null/);
    assertThrows(TypeError, () => lib.line_length('a\nb'), /index 1/);
  });
  const view = lib.memoryManager.createTypedArray(Float64Array, [5, 6, 0, 7]);
  assertEq(lib.count_doubles(view), 2);
  assertThrows(RangeError, () => lib.count_doubles(view.subarray(0, 2)), /no element/);
  assertThrows(TypeError, () => guest.bind('int get_text(char *buffer [[out, until(0)]], size_t size);'), /how much room/);
});

each('text where there is room', (guest) => {
  const lib = guest.bind(`int get_text(char *buffer [[out, length(size)]], size_t size) [[fails(-1)]];
    int get_units(uint16_t *buffer [[out, utf16, length(size)]], size_t size) [[fails(-1)]]; void get_counted(char *buffer [[out, length(size)]], int *size [[inout]]);`);
  assertList(lib.get_text(20), [6, 'héllo']);
  assertList(lib.get_text(7), [6, 'héllo']);
  assertList(lib.get_units(10), [2, 'hé']);
  const size = new marshal.Pointer(8);
  assertEq(lib.get_counted(size), 'a\0b');
  assertEq(size.contents, 3);
});

each('a length that says more than there was room for', (guest) => {
  const lib = guest.bind(`void too_many(int *items [[out, length(n)]], int *n [[inout]]); void too_many_units(uint16_t *items [[out, utf16, length(n)]], uint64_t *n [[inout]]);
    void too_many_bytes(char *text [[out, length(n)]], int *n [[inout]]); int get_text(char *buffer [[out, length(room)]], size_t size);
    int pair_sum(int *items [[out, length(room)]]);`, { lengths: { room: () => rooms.shift() } });
  let rooms;
  guest.balanced(() => {
    const n = new marshal.Pointer(4);
    assertList(lib.too_many(n), [5, 0, 0, 0]);
    assertEq(n.contents, 2 ** 29);
    assertEq(lib.too_many_units(new marshal.Pointer(3n)), 'a\0\0');
    assertEq(lib.too_many_bytes(new marshal.Pointer(4)), 'ab\0\0');
    rooms = [7, 1e9];
    assertList(lib.get_text(7), [6, 'héllo']);
    rooms = [3, 1e9];
    const [sum, items] = lib.pair_sum();
    assertEq(sum, 0);
    assertList(items, [0, 0, 0]);
  });
});

each('arrays of structs by view are as long as they say, and end', (guest) => {
  const lib = guest.bind(`struct point { int x, y; }; struct point *points(int n) [[owned, view, length(n)]];
    int sum_points(const struct point *points [[length(n)]], int n); int count_points(const struct point *points [[until(0)]]);`);
  const [none, three] = [lib.points(0), lib.points(3)];
  assertEq(lib.sum_points(none, 0), 0);
  assertEq(lib.sum_points(three, 3), 6);
  for (const view of [none, three]) {
    assertThrows(RangeError, () => lib.sum_points(view, 4), /fewer than the 4/);
    assertThrows(RangeError, () => lib.count_points(view), /no element that is all zero/);
  }
  three.set(2, { x: 0, y: 0 });
  assertEq(lib.count_points(three), 2);
});

each('immutable buffers', (guest) => {
  const lib = guest.bind(`void double_in_place(int *numbers [[length(n)]], int n); void fill_each(void *const *buffers [[length(n)]], int n, size_t size);`);
  const numbers = new Int32Array(Int32Array.of(0, 2, 3).buffer.transferToImmutable());
  guest.balanced(() => {
    lib.double_in_place(numbers.subarray(0, 1), 1);
    assertThrows(TypeError, () => lib.double_in_place(numbers, 3), /argument 1.*immutable/);
    assertThrows(TypeError, () => lib.fill_each([numbers.buffer], 1, 2), /element 0.*immutable/);
  });
  assertList([...numbers], [0, 2, 3]);
});

each('no memory for an argument', (guest) => {
  const lib = guest.bind('int sum_u16(const uint16_t *a [[length(n)]], int n); int line_length(const char *line);');
  guest.balanced(() => {
    for (const [which, call] of [['sum_u16', () => lib.sum_u16([1, 2], 2)], ['line_length', () => lib.line_length('a\n')]]) {
      guest.exports.set_malloc_budget(0);
      assertThrows(RangeError, call, new RegExp(`${which}: argument 1: .*heap`));
      guest.exports.set_malloc_budget(-1);
      call();
    }
  });
});

test('a guest with addresses of 64 bits and without an allocator', () => {
  // (module (memory (export "memory") i64 1) (func (export "add") (param i64 i64) (result i64) …))
  const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 1, 0x60, 2, 0x7e, 0x7e, 1, 0x7e, 3, 2, 1, 0, 5, 3, 1, 4, 1, 7, 0x10, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 3, 0x61, 0x64, 0x64, 0, 0, 0xa, 9, 1, 7, 0, 0x20, 0, 0x20, 1, 0x7c, 0xb);
  const lib = cdef(new WebAssembly.Instance(new WebAssembly.Module(bytes), {}), 'size_t add(size_t a, size_t b);');
  assertEq(lib.add(2 ** 40, 1n), 2 ** 40 + 1);
});

each('encodings have to fit the units', (guest) => {
  for (const [text, message] of [['const wchar_t *s [[utf16]]', /16 bits.*32/], ['const char *s [[utf16]]', /16 bits.*8/], ['const uint16_t *s [[latin1]]', /8 bits.*16/], ['const float *s [[utf8]]', /8 bits/]]) {
    assertThrows(TypeError, () => guest.bind(`int thing_value(${text});`), message);
  }
  assertThrows(TypeError, () => guest.bind('struct s { wchar_t name[4] [[utf16]]; };'), /16 bits.*32/);
  assertEq(guest.bind('struct s { uint16_t name[4] [[utf16]]; int after; };').types.s.size, 12);
});

each('empty structs, and structs with padding', (guest) => {
  const lib = guest.bind(`typedef struct {} empty; int take_empty(empty e, int n, empty f); empty make_empty(int n); int call_empty(int (*function)(empty e, int n), int n);`);
  assertEq(lib.take_empty({}, 4, {}), 5);
  assertEq(Object.keys(lib.make_empty(1)).length, 0);
  assertEq(lib.call_empty((e, n) => n * 2, 4), 8);
});

each('enums of 64 bits', (guest) => {
  const lib = guest.bind(`enum large { LARGE_ONE = 1, LARGE_BIT = 1LL << 40, LARGE_MINUS = -(1LL << 40) }; enum large echo_large(enum large value);
    void put_large(enum large *to [[out]], enum large value); enum large call_large(enum large (*function)(enum large value), enum large value);`);
  assertEq(lib.LARGE_BIT, 2 ** 40);
  for (const value of ['LARGE_BIT', 2 ** 40, 2n ** 40n]) {
    assertEq(lib.echo_large(value), lib.LARGE_BIT);
    assertEq(lib.put_large(value), lib.LARGE_BIT);
  }
  assertEq(lib.echo_large('LARGE_MINUS'), -(2 ** 40));
  assertEq(lib.call_large((value) => { assertEq(value, 2 ** 40); return 'LARGE_ONE'; }, 'LARGE_BIT'), 1);
  const top = new marshal.EnumType({ TOP: 2n ** 63n }, new marshal.Uint64Type());
  const echo = new FunctionPrototype([new In(top)], top).bind(lib.memoryManager, guest.exports.echo_i64);
  for (const value of ['TOP', 2n ** 63n]) assertEq(echo(value), 2n ** 63n);
});

each('a variadic function, without further arguments', (guest) => {
  assertEq(guest.bind('int first_of(int first, ...);').first_of(5), 5);
});

each('numbers that stand for functions', (guest) => {
  const lib = guest.bind('typedef void (*destructor)(void *); int set_destructor(void *data, destructor function);');
  assertEq(lib.set_destructor(null, -1), -2);
  assertEq(lib.set_destructor(null, null), 0);
  assertEq(lib.set_destructor(null, () => {}), 1);
});

each('numbers that do not fit', (guest) => {
  const text = 'uint8_t echo_u8(uint8_t n); int64_t echo_i64(int64_t n); float echo_f32(float n); int sum_u16(const uint16_t *a [[length(n)]], int n);';
  const wrap = guest.bind(text), refuse = guest.bind(text, { numbers: 'exact' });
  assertEq(wrap.echo_u8(300), 44);
  assertEq(wrap.echo_i64(2n ** 64n + 5n), 5n);
  assertEq(wrap.echo_f32(1e300), Infinity);
  assertEq(wrap.sum_u16([65536, 5], 2), 5);
  for (const lib of [wrap, refuse]) {
    assertEq(lib.echo_u8(255), 255);
    assertEq(lib.echo_i64(-(2n ** 63n)), -(2n ** 63n));
    assertEq(lib.echo_f32(0.1), Math.fround(0.1));
    assertEq(lib.echo_f32(Infinity), Infinity);
  }
  guest.balanced(() => {
    for (const bad of [256, -1, 1.5, NaN]) assertThrows(RangeError, () => refuse.echo_u8(bad), /does not fit a Uint8/);
    assertThrows(RangeError, () => refuse.echo_i64(2n ** 63n), /does not fit/);
    assertThrows(RangeError, () => refuse.echo_f32(1e300), /does not fit/);
    assertThrows(RangeError, () => refuse.sum_u16([1, 65536], 2), /element 1: 65536 does not fit/);
  });
  const bits = 'struct bits { unsigned a : 3; int b : 3; long long c : 40; };';
  const make = (lib, values) => { const { a, b, c } = lib.types.bits.create(lib.memoryManager, values); return [a, b, c]; };
  const wrapping = guest.bind(bits), refusing = guest.bind(bits, { numbers: 'exact' });
  assertList(make(wrapping, { a: 9, b: 4, c: 2n ** 40n + 1n }), [1, -4, 1n]);
  assertList(make(refusing, { a: 7, b: -4, c: -(2n ** 39n) }), [7, -4, -(2n ** 39n)]);
  for (const bad of [{ a: 8 }, { a: -1 }, { b: 4 }, { b: -5 }, { c: 2n ** 39n }]) {
    assertThrows(RangeError, () => make(refusing, bad), /does not fit an? U?[iI]nt\d+ of \d+ bits|does not fit a Uint32/);
  }
  assertThrows(TypeError, () => guest.bind(text, { numbers: 'some' }), /`wrap` or `exact`/);
  const memory = new MemoryManager(guest.exports.memory, guest.exports.malloc, guest.exports.free);
  const prototype = new FunctionPrototype([new In(exact(new Uint8Type()))], new Uint8Type());
  assertThrows(RangeError, () => prototype.invoke(memory, guest.exports.echo_u8, 256), /does not fit/);
});

each('prototypes: InOut goes all the way, In does not', (guest) => {
  const i32 = new Int32Type(), memory = new MemoryManager(guest.exports.memory, guest.exports.malloc, guest.exports.free);
  const node = new StructType();
  node.define({ value: i32, next: new StructPointerType(node) });
  const call = (Direction, value) => new FunctionPrototype([new Direction(new StructPointerType(node)), new In(i32)], i32).invoke(memory, guest.exports.add_to_all, value, 5);
  const second = { value: 2, next: null }, first = { value: 1, next: second };
  guest.balanced(() => call(In, first));
  assertList([first.value, second.value], [1, 2]);
  guest.balanced(() => call(InOut, first));
  assertEq(first.next, second);
  assertList([first.value, second.value], [6, 7]);
  const rows = [[1, 2], [3, 4]], [one, two] = rows;
  new FunctionPrototype([new InOut(new ArrayType(new ArrayType(i32)))]).invoke(memory, guest.exports.swap_rows, rows);
  assertEq(rows[0], two);
  assertEq(rows[1], one);
  assertList(two, [-1, 4]);
  assert(guest.exports.live_blocks() === 0);
});
