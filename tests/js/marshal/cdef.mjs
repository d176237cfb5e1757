// C declarations as the interface to a guest.
import { addressOf, Callback, cdef, MemoryManager, StatusError, StructType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { assertSame, guestTest, header, layoutOf, leavesNothing, records, samples, underEveryBudget, vocabulary } from './vocabulary.mjs';

const scalars = {
  i8: ['int8_t', [-128, 127]], u8: ['uint8_t', [0, 255]], i16: ['short', [-32768, 32767]], u16: ['unsigned short', [65535]],
  i32: ['int', [-2147483648]], u32: ['unsigned', [4294967295]], i64: ['long long', [-(2n ** 63n)]],
  u64: ['unsigned long long', [2n ** 64n - 1n]], f32: ['float', [0.5]], f64: ['double', [0.1]], bool: ['_Bool', [true, false]],
  size: ['size_t', [4294967295]], long: ['long', [-2147483648]], colour: ['enum colour', [4, 17]],
};

for (const [name, struct] of Object.entries(records)) {
  guestTest(`layout of ${name}`, (guest) => {
    const lib = guest.declare(header);
    const type = lib.types[name];
    assert(type instanceof struct.constructor);
    const { size, alignment, offsets } = layoutOf(guest, name);
    assertEq(type.size, size);
    assertEq(type.alignment, alignment);
    assertList(Object.values(type.offsets), offsets);
    assertList(Object.keys(type.offsets), Object.keys(struct.offsets));
  });
}

for (const views of [false, true]) {
  for (const [name, sample] of Object.entries(samples)) {
    guestTest(`${name}, ${views ? 'views' : 'copies'}: by pointer, by value, written, returned`, (guest) => {
      const kind = ['number', 'wide'].includes(name) ? 'union' : 'struct';
      const lib = guest.declare(`${header}
        ${kind} ${name} *copy_${name}(const ${kind} ${name} *from) [[owned]];
        void write_${name}(${kind} ${name} *to, const ${kind} ${name} *from);
        ${kind} ${name} echo_${name}(${kind} ${name} value);
      `, { views });
      const made = underEveryBudget(guest, () => lib[`copy_${name}`](sample)).value;
      assertSame(made, sample);
      assertEq(guest.exports.live_blocks(), views ? 1 : 0);
      assertSame(underEveryBudget(guest, () => lib[`echo_${name}`](sample)).value, sample);
      const target = views ? lib.types[name].create(lib.memoryManager) : {};
      lib[`write_${name}`](target, sample);
      assertSame(target, sample);
      for (const one of [made, target]) one[Symbol.dispose]?.();
    });
  }
}

for (const [name, [type, values]] of Object.entries(scalars)) {
  guestTest(`${type}: as it is, in, out, inout, in arrays, in callbacks`, (guest) => {
    const lib = guest.declare(`
      enum colour { RED, GREEN = 4, BLUE };
      ${type} echo_${name}(${type} value);
      void put_${name}(${type} *to [[out]], ${type} value);
      ${type} get_${name}(const ${type} *from);
      ${type} swap_${name}(${type} *to, ${type} value);
      ${type} *new_${name}(${type} value) [[owned, length(1)]];
      void reverse_${name}(${type} *a, int n);
      ${type} apply_${name}(${type} (*function)(${type}), ${type} value);
    `);
    for (const value of values) {
      assertEq(lib[`echo_${name}`](value), value);
      assertEq(lib[`put_${name}`](value), value);
      assertEq(lib[`get_${name}`]([value]), value);
      const list = [value];
      assertEq(lib[`swap_${name}`](list, values[0]), value);
      assertEq(list[0], values[0]);
      assertSame(lib[`new_${name}`](value), [value]);
      const three = [value, values[0], values[0]];
      lib[`reverse_${name}`](three, 3);
      assertEq(three[2], value);
      assertEq(lib[`apply_${name}`]((x) => x, value), value);
    }
  });
}

guestTest('constants', (guest) => {
  const lib = guest.declare(`
    #define ONE 1
    #define MASK (0xffu << 8 | 1)
    #define OCTAL 0755
    #define NEGATIVE (-ONE * 3)
    #define LETTER 'A'
    #define NEWLINE '\\n'
    #define TENTH 0.1
    #define NAME "text \\"quoted\\" \\x41"
    #define BIG 0xffffffffffffffffULL
    #define LONG_ONE \\
      (1 + \\
       2)
    #define SHIFT (1 << 31)
    #define NOT (~0)
    enum colour { RED, GREEN = 4, BLUE, LAST = BLUE + 10 };
    typedef enum { A = -1, B } ab;
  `);
  assertEq(lib.ONE, 1);
  assertEq(lib.MASK, 0xff01);
  assertEq(lib.OCTAL, 493);
  assertEq(lib.NEGATIVE, -3);
  assertEq(lib.LETTER, 65);
  assertEq(lib.NEWLINE, 10);
  assertEq(lib.TENTH, 0.1);
  assertEq(lib.NAME, 'text "quoted" A');
  assertEq(lib.BIG, 2n ** 64n - 1n);
  assertEq(lib.LONG_ONE, 3);
  assertEq(lib.NOT, -1);
  assertList([lib.RED, lib.GREEN, lib.BLUE, lib.LAST, lib.A, lib.B], [0, 4, 5, 15, -1, 0]);
  assertEq(lib.types.ab.members.A, -1);
  assertEq(lib.types.colour.members.LAST, 15);
});

guestTest('strings and arrays of them', (guest) => {
  const lib = guest.declare(`
    char *copy_string(const char *text) [[owned]];
    size_t string_length(const char *text);
    const char *name_of(int i);
    const char *const *all_names(void) [[until(0)]];
    char *join(const char *const *strings, int n, const char *separator) [[owned]];
    char **new_names(int n) [[owned, length(n)]];
    void replace_strings(char **strings [[inout]], int n);
    int count_strings(const char *const *strings [[until(0)]]);
  `);
  assertEq(underEveryBudget(guest, () => lib.copy_string('héllo')).value, 'héllo');
  assertEq(lib.copy_string(null), null);
  assertEq(lib.string_length('é'), 2);
  leavesNothing(guest, () => assertEq(lib.name_of(3), 'three'));
  leavesNothing(guest, () => assertList(lib.all_names(), ['zero', 'one', 'two', 'three']));
  assertEq(underEveryBudget(guest, () => lib.join(['a', 'b'], 2, '+')).value, 'a+b');
  assertList(underEveryBudget(guest, () => lib.new_names(3)).value, ['zero', 'one', 'two']);
  assertEq(lib.count_strings(['a', 'b']), 2);
});

guestTest('lengths: parameters, out-parameters, numbers, sentinels, functions', (guest) => {
  const seen = [];
  const lib = guest.declare(`
    int32_t *iota(int n) [[owned, length(n)]];
    int32_t *range(int from, int to, size_t *count [[out]]) [[owned, length(count)]];
    int range_into(int from, int to, int32_t **out [[out, owned, length(count)]], int *count [[out]]) [[status]];
    int32_t *until(int n, int32_t end) [[owned, until(-1)]];
    int count_until(const int32_t *a [[until(-1)]], int32_t end);
    void take(int32_t *to [[length(n)]], int *n, int available);
    void *copy_bytes(const void *from, size_t n) [[owned, length(size)]];
    int sum_bytes(const void *from [[length(n)]], size_t n);
  `, { lengths: { size(index, args) { seen.push(index, [...args]); return args[1]; } } });
  assertList(lib.iota(3), [0, 1, 2]);
  const both = lib.range(5, 8);
  assertList(both[0], [5, 6, 7]);
  assertEq(both[1], 3);
  assertList(lib.range(8, 5), [null, 0]);
  const into = underEveryBudget(guest, () => { try { return lib.range_into(1, 3); } catch (error) { if (error instanceof StatusError) return null; throw error; } }).value;
  assertList(into[0], [1, 2]);
  assertEq(into[1], 2);
  assertList(lib.until(4, -1), [1, 2, 3, 4]);
  assertList(lib.until(0, -1), []);
  assertEq(lib.count_until([9, 9, 9], -1), 3);
  const list = [0, 0, 0, 0, 0];
  const capacity = [5];
  lib.take(list, capacity, 3);
  assertEq(capacity[0], 3);
  assertList(list.slice(0, 3), [1, 2, 3]);
  assertList(lib.copy_bytes(Uint8Array.of(1, 2, 3), 3), [1, 2, 3]);
  assertEq(seen[0], -1);
  assertEq(lib.sum_bytes([1, 2, 3], 3), 6);
  leavesNothing(guest, () => thrownBy(RangeError, () => lib.sum_bytes([1, 2, 3, 4], 3)));
});

guestTest('callbacks: sort, user data, strings, rows, kept ones', (guest) => {
  const lib = guest.declare(`
    struct pair { int32_t a, b; };
    void sort(int32_t *a, int n, int (*compare)(const int32_t *, const int32_t *));
    int each_string(const char *const *strings, int n, int (*f)(void *user, const char *text, int i), void *user);
    void each_pair(struct pair *pairs [[length(n)]], int n, void (*f)(struct pair *pair [[view]]));
    typedef int row(void *user, int columns, char **values [[length(columns)]], char **titles [[length(columns)]]);
    int each_row(int rows, row *f, void *user);
    typedef int (*stored_callback)(int);
    void store_callback(stored_callback f [[keep]]);
    int call_stored(int argument);
    int apply_i32(int (*f)(int), int value);
    int (*get_thrice(void))(int);
  `);
  const list = [3, 1, 2];
  lib.sort(list, 3, (a, b) => (a.contents ?? a[0] ?? a) - (b.contents ?? b[0] ?? b));
  assertList(list, [1, 2, 3]);
  const seen = [];
  lib.each_string(['a', 'b'], 2, (user, text, i) => { seen.push(user, text, i); return 0; }, 5);
  assertList(seen, [5, 'a', 0, 5, 'b', 1]);
  const pairs = [{ a: 1, b: 2 }];
  lib.each_pair(pairs, 1, (pair) => { pair.a = 10; });
  assertSame(pairs, [{ a: 10, b: 2 }]);
  const rows = [];
  lib.each_row(2, (user, n, values, titles) => { rows.push([...values], [...titles]); return 0; }, null);
  assertSame(rows, [['0', 'zero'], ['id', 'name'], ['1', null], ['id', 'name']]);
  lib.store_callback((n) => n * 2);
  guest.settle();
  assertEq(lib.call_stored(21), 42);
  assertEq(lib.apply_i32(lib.get_thrice(), 4), 12);
  assert(lib.types.stored_callback !== undefined);
  const callback = new Callback(lib.memoryManager, lib.types.stored_callback, (n) => n + 1);
  assertEq(lib.apply_i32(callback, 4), 5);
  callback[Symbol.dispose]();
});

guestTest('statuses', (guest) => {
  const source = `
    int status_of(int code) [[status]];
    int fail_with(int code, char **message [[out, owned]]) [[status]];
    int write_until_bad(double *to, int n, int bad) [[fails(-1)]];
    char *copy_string(const char *text) [[owned, fails(NULL)]];
  `;
  const lib = guest.declare(source);
  assertEq(lib.status_of(0), undefined);
  const error = thrown(() => lib.status_of(5), 'an error');
  assert(error instanceof StatusError);
  assertEq(error.code, 5);
  assertEq(error.function, 'status_of');
  leavesNothing(guest, () => assertEq(thrown(() => lib.fail_with(2), 'an error').code, 2));
  assertEq(thrown(() => lib.write_until_bad([0, 0], 2, 1), 'an error').code, -1);
  assertEq(lib.write_until_bad([0, 0], 2, 7), 0);
  assertEq(thrown(() => lib.copy_string(null), 'an error').code, 0);
  assertEq(lib.copy_string('x'), 'x');
  const mine = new Error('mine');
  const other = guest.declare(source, { error: (code, name) => (code === 1 ? mine : `${name} says ${code}`) });
  assertThrowsValue(mine, () => other.status_of(1));
  assertIncludes(thrown(() => other.status_of(2), 'an error').message, 'status_of says 2');
});

guestTest('records with pointers, both modes', (guest) => {
  const source = `
    struct person { char *name [[owned]]; int32_t age; double *scores [[owned, length(score_count)]]; size_t score_count; };
    struct pair { int32_t a, b; };
    struct crowd { uint8_t count; struct person people[2]; struct pair *favourite; };
    struct node { int32_t value; struct node *next; };
    struct person *new_person(const char *name, int age, int scores) [[owned]];
    double weigh_person(const struct person *p);
    double weigh_crowd(const struct crowd *c);
    int age_person(struct person *p);
    struct node *new_list(int n) [[owned]];
    int sum_list(const struct node *list);
    void free_person(struct person *p [[consumed]]);
  `;
  const lib = guest.declare(source);
  const made = underEveryBudget(guest, () => lib.new_person('Ada', 36, 2)).value;
  assertSame(made, { name: 'Ada', age: 36, scores: [0, 0.5], score_count: 2 });
  assertEq(guest.exports.live_blocks(), 0);
  assertEq(lib.weigh_person({ name: 'Ada', age: 36, scores: [1, 2] }), 42);
  assertEq(lib.weigh_crowd({ count: 1, people: [{ name: 'Ada', age: 36, scores: [1, 2] }], favourite: { a: 2, b: 3 } }), 48);
  const ada = { name: 'Ada', age: 36, scores: [1, 2], score_count: 2 };
  leavesNothing(guest, () => assertEq(lib.age_person(ada), 0));
  assertSame(ada, { name: 'ADA', age: 37, scores: [0.5, 1], score_count: 2 });
  assertEq(lib.sum_list({ value: 1, next: { value: 10, next: null } }), 11);
});

guestTest('records that refer to themselves, and to each other', (guest) => {
  const source = `
    struct tree;
    struct leaf { int32_t value; struct tree *parent; };
    struct tree { struct leaf leaf; struct tree *children[2]; };
    struct node { int32_t value; struct node *next; };
    int sum_list(struct node *list);
    struct node *reverse_list(struct node *list [[in]]) [[borrowed]];
    struct node *new_list(int n) [[owned]];
    int is_null(struct tree *tree);
    struct many { int32_t value; struct many *others [[length(2)]]; };
    struct many *same(struct many *many [[length(1)]]) [[borrowed]];
  `;
  for (const views of [false, true]) {
    const lib = guest.declare(source, { views });
    const list = () => ({ value: 1, next: { value: 2, next: { value: 3, next: null } } });
    const passed = list();
    leavesNothing(guest, () => assertEq(lib.sum_list(passed), 6));
    assertSame(passed, list());
    const tree = { leaf: { value: 1, parent: null }, children: [{ leaf: { value: 2 }, children: [] }, null] };
    leavesNothing(guest, () => assertEq(lib.is_null(tree), 0));
    leavesNothing(guest, () => thrownBy(TypeError, () => lib.sum_list({ value: 1, next: { value: 'x' } })));
    const ring = { value: 1 };
    ring.next = ring;
    leavesNothing(guest, () => thrownBy(RangeError, () => lib.sum_list(ring)));
    leavesNothing(guest, () => lib.same([{ value: 1, others: [{ value: 2, others: null }, { value: 3, others: null }] }]));
    if (views) continue;
    leavesNothing(guest, () => assertEq(lib.reverse_list(list()).value, 3));
  }
});

guestTest('views: a result is a view, an argument may be either', (guest) => {
  const lib = guest.declare(`
    struct pair { int32_t a, b; };
    struct pair *new_pairs(int n) [[owned, length(n)]];
    struct pair *copy_pair(const struct pair *p) [[owned]];
    void swap_pairs(struct pair *p [[length(n)]], int n);
    int sum_pairs(const struct pair *p [[length(n)]], int n);
    int32_t *iota(int n) [[owned, length(n)]];
    int count_until(const int32_t *a, int32_t end);
    struct pair *get_shared_pair(void);
    int32_t *until(int n, int32_t end) [[owned, copy, until(0)]];
  `, { views: true });
  const pairs = lib.new_pairs(3);
  assertEq(pairs.at(2).b, -2);
  lib.swap_pairs(pairs, 3);
  assertSame(pairs.at(1), { a: -1, b: 1 });
  assertEq(lib.sum_pairs(pairs, 3), 0);
  assertEq(lib.sum_pairs([{ a: 1, b: 2 }], 1), 3);
  leavesNothing(guest, () => thrownBy(RangeError, () => lib.sum_pairs(pairs, 4)));
  const numbers = lib.iota(4);
  assert(numbers instanceof Int32Array);
  assertEq(lib.count_until(numbers, 3), 3);
  const one = lib.copy_pair({ a: 1, b: 2 });
  one.a = 5;
  assertSame(lib.copy_pair(one), { a: 5, b: 2 });
  assertEq(addressOf(lib.get_shared_pair()), guest.exports.get_shared_pair());
  assert(Array.isArray(lib.until(3, 0)));
  for (const view of [pairs, numbers, one]) view[Symbol.dispose]();
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('the library object', (guest) => {
  const lib = guest.declare('#define LIMIT 3\nint status_of(int code);\nstruct pair { int a, b; };');
  assert(Object.isFrozen(lib));
  assertList(Object.keys(lib).sort(), ['LIMIT', 'status_of'].sort());
  assertEq(lib.status_of.name, 'status_of');
  assertEq(lib.status_of.length, 1);
  assert(lib.memoryManager instanceof MemoryManager);
  assert(lib.types.pair instanceof StructType);
  assertIncludes(thrownBy(RangeError, () => lib.status_of()), 'status_of', 'expected 1 argument, got 0');
  assertIncludes(thrownBy(TypeError, () => lib.status_of('x')), 'status_of', 'argument 1');
  assertThrows(TypeError, () => { 'use strict'; lib.LIMIT = 4; });
});

guestTest('by a WebAssembly.Instance, by a Wasi, by a memory manager', (guest) => {
  const source = 'char *copy_string(const char *text) [[owned]];';
  assertEq(cdef(guest.instance, source).copy_string('a'), 'a');
  assertEq(cdef(guest.wasi, source).copy_string('b'), 'b');
  const { memory, malloc, free } = guest.exports;
  const manager = new MemoryManager(memory, malloc, free);
  const lib = cdef(guest.instance, source, { memoryManager: manager });
  assertEq(lib.memoryManager, manager);
  assertEq(lib.copy_string('c'), 'c');
  assertEq(cdef(guest.instance, '').types !== undefined, true);
  for (const wrong of [undefined, null, {}, 1, guest.exports]) thrownBy(TypeError, () => cdef(wrong, source));
  for (const wrong of [undefined, null, {}, 1, ['int f(int);']]) thrownBy(TypeError, () => cdef(guest.instance, wrong));
  for (const options of [{ memoryManager: {} }, { memoryManager: null }, { error: 'x' }, 5, 'x']) {
    thrownBy(TypeError, () => cdef(guest.instance, source, options));
  }
  const other = vocabulary();
  const error = thrown(() => cdef(guest.instance, source, { memoryManager: other.manager }), 'an error');
  assert(error instanceof TypeError, String(error));
});

guestTest('C as headers write it', (guest) => {
  const lib = guest.declare(`
    /* a comment with "quotes", [[brackets]] and // another */
    #ifndef_is_no_directive_here
  `.replace(/#.*\n/, '\n') + `
    extern "C" {
    extern int status_of(int code); // trailing
    static inline unsigned int echo_u32(unsigned int value);
    }
    typedef unsigned char byte;
    typedef struct pair { int32_t a; int32_t b; } pair_t, *pair_ptr;
    int sum_pairs(const pair_t *p, int n);
    int sum_bytes(const void *restrict from, size_t n) __attribute__((nonnull));
    byte echo_u8(byte);
    double echo_f64(double);
    int spoil_pair(pair_t);
  `);
  assertEq(lib.status_of(3), 3);
  assertEq(lib.echo_u32(4294967295), 4294967295);
  assertEq(lib.echo_u8(200), 200);
  assertEq(lib.sum_pairs({ a: 1, b: 2 }, 1), 3);
  assertEq(lib.spoil_pair({ a: 1, b: 2 }), -1);
  assertEq(lib.types.pair, lib.types.pair_t);
});

guestTest('many libraries of one guest, in a loop', (guest) => {
  let bytes;
  for (let i = 0; i < 300; i++) {
    if (i === 10) bytes = guest.memory.buffer.byteLength;
    const lib = guest.declare(`${header} struct pair echo_pair(struct pair value);`);
    assertEq(lib.echo_pair({ a: i, b: 2 }).a, i);
  }
  assertEq(guest.memory.buffer.byteLength, bytes);
});
