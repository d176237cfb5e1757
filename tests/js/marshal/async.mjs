// Functions and callbacks of C that are async: the guest waits for what a script promises.
import { Callback, CallbackType, FunctionPrototype, In } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertRejects, assertThrows, test } from '../harness.mjs';
import { guestTest, header, t, vocabulary } from './vocabulary.mjs';

const later = (value, ticks = 1) =>
  ticks > 0 ? new Promise((resolve) => setTimeout(resolve, 0)).then(() => later(value, ticks - 1)) : value;

guestTest('a callback that promises a number', async (guest) => {
  const { apply_i32 } = guest.declare('int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value) [[async]];');
  const promise = apply_i32((value) => later(value * 2), 21);
  assert(promise instanceof Promise);
  assertEq(await promise, 42);
  assertEq(await apply_i32((value) => value + 1, 1), 2, 'a callback may return a value, too');
  assertEq(await apply_i32(async (value) => value - 1, 1), 0);
});

guestTest('by prototypes', async (guest) => {
  const type = new CallbackType([new In(t.i64)], t.i64, { async: true });
  const prototype = new FunctionPrototype([new In(type), new In(t.i64)], t.i64, { async: true });
  const bound = prototype.bind(guest.manager, guest.exports.apply_i64);
  assertEq(await bound((value) => later(value + 1n), 2n ** 40n), 2n ** 40n + 1n);
  assertEq(await prototype.invoke(guest.manager, guest.exports.apply_i64, (value) => later(-value), 5n), -5n);
  using kept = new Callback(guest.manager, type, (value) => later(value * 3n));
  assertEq(await bound(kept, 4n), 12n);
});

guestTest('what fails in a callback comes out of the call', async (guest) => {
  const { apply_i32 } = guest.declare('int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value) [[async]];');
  const error = new Error('no');
  assertEq(await apply_i32(() => { throw error; }, 1).catch((thrown) => thrown), error);
  assertEq(await apply_i32(() => Promise.reject(error), 1).catch((thrown) => thrown), error);
  await assertRejects(TypeError, () => apply_i32(() => later('x'), 1));
  await assertRejects(TypeError, () => apply_i32(() => later(undefined), 1));
});

guestTest('wrong arguments reject', async (guest) => {
  const { apply_i32 } = guest.declare('int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value) [[async]];');
  await assertRejects(RangeError, () => apply_i32());
  await assertRejects(TypeError, () => apply_i32(1.5, 1));
  await assertRejects(TypeError, () => apply_i32((value) => value, {}));
});

guestTest('an async callback needs an async function', (guest) => {
  const { apply_i32 } = guest.declare('int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value);');
  let called = false;
  assertThrows(WebAssembly.SuspendError, () => apply_i32((value) => { called = true; return value; }, 1));
  assertEq(called, false);
});

guestTest('a script in between cannot be suspended', async (guest) => {
  const source = 'int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value)';
  const inner = guest.declare(`${source};`).apply_i32;
  const outer = guest.declare(`int32_t apply_i32(int32_t (*f)(int32_t), int32_t value) [[async]];`).apply_i32;
  await assertRejects(WebAssembly.SuspendError, () => outer((value) => inner((one) => later(one), value), 1));
});

guestTest('text, structs and arrays wait with the call', async (guest) => {
  const lib = guest.declare(`${header}
    int each_string(const char *const *strings [[length(n)]], int n, int (*f)(void *user, const char *text, int i) [[async]],
      void *user) [[async]];
    struct pair map_pair(struct pair p, struct pair (*f)(struct pair) [[async]]) [[async]];
    struct wrapped map_wrapped(struct wrapped w, struct wrapped (*f)(struct wrapped) [[async]]) [[async]];
    void sort(int32_t *a [[inout, length(n)]], int n, int (*compare)(const int32_t *, const int32_t *) [[async]]) [[async]];
    int sum_filled(void (*fill)(int32_t *a [[out, length(n)]], int n) [[async]], int n) [[async]];
  `);
  const seen = [];
  await lib.each_string(['one', 'two', 'thrée'], 3, async (user, text, i) => { seen.push(text); return later(0); }, null);
  assertList(seen, ['one', 'two', 'thrée']);
  const { a, b } = await lib.map_pair({ a: 1, b: 2 }, ({ a, b }) => later({ a: b, b: a }));
  assertList([a, b], [2, 1]);
  assertEq((await lib.map_wrapped({ value: 2.5 }, ({ value }) => later({ value: value * 2 }))).value, 5);
  const numbers = [3, 1, 2];
  await lib.sort(numbers, 3, (one, other) => later(one.contents - other.contents));
  assertList(numbers, [1, 2, 3]);
  assertEq(await lib.sum_filled(async (a, n) => { for (let i = 0; i < n; i++) a[i] = await later(i + 1); }, 4), 10);
});

guestTest('many calls wait at once, and others come in between', async (guest) => {
  const { apply_i32, apply_f64 } = guest.declare(`
    int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value) [[async]];
    double apply_f64(double (*f)(double), double value);
  `);
  const resolves = [];
  const calls = Array.from({ length: 50 }, (_, i) => apply_i32(() => new Promise((resolve) => resolves.push(resolve)), i));
  for (let i = 0; i < 100; i++) assertEq(apply_f64((value) => value / 2, i), i / 2);
  globalThis.gc();
  resolves.reverse().forEach((resolve, i) => resolve(i));
  const results = await Promise.all(calls);
  assertList(results, Array.from({ length: 50 }, (_, i) => 49 - i));
});

guestTest('an array that a call was given stays until the call is over', async (guest) => {
  const lib = guest.declare('int sum_filled(void (*fill)(int32_t *a [[view, length(n)]], int n) [[async]], int n) [[async]];');
  let kept;
  const sum = await lib.sum_filled(async (a) => { kept = a; await later(); globalThis.gc(); a.fill(7); }, 3);
  assertEq(sum, 21);
  assertEq(kept.length, 3);
});

guestTest('a call that nobody can go on with gives back what it borrowed', async (guest) => {
  const lib = guest.declare(`
    int each_string(const char *const *strings [[length(n)]], int n, int (*f)(void *user, const char *text, int i) [[async]],
      void *user) [[async]];
  `);
  // In a function of its own, which leaves nothing on the stack.
  (() => { for (let i = 0; i < 5; i++) lib.each_string(['never', 'told'], 2, () => new Promise(() => {}), null); })();
  await later(null, 3);
});

test('an instance whose only user is a waiting call stays for it', async () => {
  let resolve;
  const promise = (() => {
    const guest = vocabulary();
    const { apply_i32 } = guest.declare('int32_t apply_i32(int32_t (*f)(int32_t) [[async]], int32_t value) [[async]];');
    return apply_i32((value) => new Promise((done) => { resolve = () => done(value); }), 17);
  })();
  await later(null, 2);
  globalThis.gc();
  resolve();
  assertEq(await promise, 17);
});

guestTest('only functions can be async', (guest) => {
  assertThrows(TypeError, () => guest.declare('int32_t apply_i32(int32_t (*f)(int32_t), int32_t value [[async]]);'), /only functions can be `async`/);
});
