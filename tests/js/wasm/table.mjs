// Table: constructor, get, set, grow, length.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { Table } = WebAssembly;
const table = (initial, maximum, element = 'anyfunc') => new Table({ element, initial, maximum });
const constant = (value) => wasmFunction([], ['i32'], op.i32(value));
const outOfRange = [NaN, Infinity, -Infinity, -1, -1e20, 2 ** 32, 1e20, 'text', {}, undefined, 1n, Symbol('s')];

test('a new table holds nothing, as often as initial says', () => {
  const functions = table(3);
  assertEq(functions.length, 3);
  for (let i = 0; i < 3; i++) assertEq(functions.get(i), null);
  const things = table(2, undefined, 'externref');
  assertEq(things.length, 2);
  assertEq(things.get(0), undefined);
  assertEq(table(0).length, 0);
});

test('the second argument of the constructor fills it', () => {
  const f = constant(1);
  const functions = new Table({ element: 'anyfunc', initial: 2 }, f);
  assertEq(functions.get(0), f);
  assertEq(functions.get(1), f);
  assertEq(new Table({ element: 'anyfunc', initial: 1 }, null).get(0), null);
  const thing = {};
  assertEq(new Table({ element: 'externref', initial: 2 }, thing).get(1), thing);
  assertEq(new Table({ element: 'externref', initial: 1 }, null).get(0), null);
  assertEq(new Table({ element: 'externref', initial: 1 }, undefined).get(0), undefined);
});

test('a filler that is no exported function: TypeError', () => {
  for (const value of [() => {}, {}, 0, '', Math.max, Symbol('s')]) {
    assertThrows(TypeError, () => new Table({ element: 'anyfunc', initial: 1 }, value));
  }
});

test('a filler is checked also where there is nothing to fill', () => {
  assertThrows(TypeError, () => new Table({ element: 'anyfunc', initial: 0 }, () => {}));
}, { v8: 'does not look at it' });

// Web IDL takes undefined for a missing value where an argument is optional.
test('a filler that is undefined is a missing one', () => {
  assertEq(new Table({ element: 'anyfunc', initial: 1 }, undefined).get(0), null);
  assertEq(new Table({ element: 'externref', initial: 1 }, undefined).get(0), undefined);
});

// The official tests ask `set`, which the text words alike, to tell the two apart.
test('an undefined that is given to grow is no function: TypeError', () => {
  const t = table(1);
  assertThrows(TypeError, () => t.grow(1, undefined));
  assertEq(t.length, 1);
  assertEq(new Table({ element: 'externref', initial: 0 }).grow(1, undefined), 0);
});

test('a descriptor that is no object or lacks a member: TypeError', () => {
  for (const descriptor of [undefined, null, 1, '', 1n, {}, { initial: 1 }, { element: 'anyfunc' }]) {
    assertThrows(TypeError, () => new Table(descriptor));
  }
});

test('element is the name of a reference type', () => {
  for (const element of ['any', 'func', 'AnyFunc', 'i32', '', null, 0]) {
    assertThrows(TypeError, () => new Table({ element, initial: 0 }));
  }
  assertEq(new Table({ element: { toString: () => 'externref' }, initial: 1 }).get(0), undefined);
});

test('sizes convert like unsigned longs, in range', () => {
  for (const size of outOfRange) {
    assertThrows(TypeError, () => table(size));
    if (size !== undefined) assertThrows(TypeError, () => table(0, size));
  }
  assertEq(table('3').length, 3);
  assertEq(table(1.9).length, 1);
  assertEq(table(true).length, 1);
  assertEq(table(null).length, 0);
  assertEq(table({ valueOf: () => 2 }).length, 2);
});

test('a maximum below initial: RangeError', () => assertThrows(RangeError, () => table(10, 9)));

test('the largest maximum is allowed, a table of more than 10,000,000 entries is not', () => {
  assertEq(table(0, 2 ** 32 - 1).length, 0);
  assertThrows(RangeError, () => table(10_000_001));
  assertThrows(RangeError, () => table(2 ** 32 - 1));
});

test('each member is converted as it is read, element first', () => {
  const log = [];
  const member = (name, value) => ({ [Symbol.toPrimitive]() { log.push(name); return value; } });
  const values = { maximum: 2, initial: 1, element: 'anyfunc', address: 'i32' };
  new Table(new Proxy({}, {
    get(_, key) { log.push(`get ${key}`); return key in values ? member(key, values[key]) : undefined; },
  }));
  const seen = log.filter((entry) => /address|element|initial|maximum/.test(entry));
  assertList(seen, ['element', 'address', 'initial', 'maximum'].flatMap((name) => [`get ${name}`, name]));
});

test('address: i64 takes BigInts in range, and what becomes one', () => {
  const made = new Table({ element: 'externref', address: 'i64', initial: '0x2', maximum: 2n ** 64n - 1n });
  assertEq(made.length, 2n);
  for (const index of [-1n, 2n ** 64n, '0x10000000000000000', 1, null]) {
    assertThrows(TypeError, () => made.get(index));
    assertThrows(TypeError, () => made.set(index, null));
    assertThrows(TypeError, () => made.grow(index, null));
  }
  assertEq(made.grow('1', 'new'), 2n);
  assertEq(made.get({ valueOf: () => '2' }), 'new');
  assertThrows(RangeError, () => made.get(2n ** 64n - 1n));
});

test('set and get', () => {
  const t = table(2);
  const f = constant(5);
  assertEq(t.set(0, f), undefined);
  assertEq(t.get(0), f);
  assertEq(t.get(0)(), 5);
  assertEq(t.get(1), null);
  t.set(1, f);
  assertEq(t.get(1), t.get(0));
  t.set(0, null);
  assertEq(t.get(0), null);
});

test('set without a value sets the default', () => {
  const t = new Table({ element: 'anyfunc', initial: 1 }, constant(1));
  t.set(0);
  assertEq(t.get(0), null);
  const things = new Table({ element: 'externref', initial: 1 }, 'thing');
  things.set(0);
  assertEq(things.get(0), undefined);
  things.set(0, null);
  assertEq(things.get(0), null);
});

test('set with an explicit undefined is set without a value', () => {
  const things = new Table({ element: 'externref', initial: 1 }, 'thing');
  things.set(0, undefined);
  assertEq(things.get(0), undefined);
});

test('an undefined that is given to set is no function: TypeError, and nothing is set', () => {
  const f = constant(1);
  const t = new Table({ element: 'anyfunc', initial: 1 }, f);
  assertThrows(TypeError, () => t.set(0, undefined));
  assertEq(t.get(0), f);
});

test('set of something that is no exported function: TypeError, and nothing is set', () => {
  const f = constant(1);
  const t = new Table({ element: 'anyfunc', initial: 1 }, f);
  for (const value of [{}, 0, '', false, 1n, () => {}, function () {}, class {}, Math.max, new Proxy(f, {}), f.bind(null)]) {
    assertThrows(TypeError, () => t.set(0, value));
  }
  assertEq(t.get(0), f);
});

test('an index outside the table: RangeError', () => {
  const t = table(2, 5);
  for (const index of [2, 3, 5, 2 ** 31, 2 ** 32 - 1]) {
    assertThrows(RangeError, () => t.get(index));
    assertThrows(RangeError, () => t.set(index, null));
    assertThrows(RangeError, () => t.set(index));
  }
});

test('an index that is no unsigned long: TypeError', () => {
  const t = table(2);
  for (const index of outOfRange) {
    assertThrows(TypeError, () => t.get(index));
    assertThrows(TypeError, () => t.set(index, null));
  }
});

test('an index converts', () => {
  const t = table(3);
  const f = constant(1);
  t.set({ valueOf: () => 2 }, f);
  assertEq(t.get('2'), f);
  assertEq(t.get(2.9), f);
  t.set(null, f);
  assertEq(t.get(0, 'stray'), f);
});

test('set converts the index before it looks at the value', () => {
  assertThrowsValue('index', () => table(1).set({ valueOf() { throw 'index'; } }, {}));
});

test('set looks at the value before the bounds', () => {
  assertThrows(TypeError, () => table(1).set(7, {}));
}, { v8: 'looks at the bounds first' });

test('grow returns the old length and fills the new entries', () => {
  const t = table(1, 5);
  const f = constant(3);
  assertEq(t.grow(1), 1);
  assertEq(t.grow(2, f), 2);
  assertEq(t.grow(0), 4);
  assertEq(t.length, 4);
  assertList([0, 1, 2, 3].map((i) => t.get(i)), [null, null, f, f]);
  const things = table(0, undefined, 'externref');
  things.grow(1);
  things.grow(1, 'thing');
  things.grow(1, null);
  assertList([0, 1, 2].map((i) => things.get(i)), [undefined, 'thing', null]);
});

test('grow beyond the maximum: RangeError, and the length stays', () => {
  const t = table(1, 3);
  for (const delta of [3, 10, 2 ** 32 - 1]) assertThrows(RangeError, () => t.grow(delta));
  assertEq(t.length, 1);
  assertEq(t.grow(2), 1);
  assertThrows(RangeError, () => t.grow(1));
  const unlimited = table(1);
  assertThrows(RangeError, () => unlimited.grow(10_000_000));
  assertEq(unlimited.length, 1);
});

test('grow converts its argument and checks the filler', () => {
  const t = table(0);
  for (const delta of outOfRange) assertThrows(TypeError, () => t.grow(delta));
  for (const value of [{}, () => {}, 0, '']) assertThrows(TypeError, () => t.grow(1, value));
  assertEq(t.length, 0);
  assertEq(t.grow('1'), 0);
  assertEq(t.grow(1.5, null, 'stray'), 1);
});

test('length is what the guest sees, and changes with it', () => {
  const b = new WasmBuilder();
  b.table({ min: 1, max: 6 }, { export: 'table' });
  b.func(['i32'], ['i32'], [op.refNull('funcref'), op.localGet(0), op.tableGrow(0)], { export: 'grow' });
  b.func([], ['i32'], op.tableSize(0), { export: 'size' });
  const { table: t, grow, size } = b.instance().exports;
  assertEq(grow(2), 1);
  assertEq(t.length, 3);
  assertEq(t.grow(1), 3);
  assertEq(size(), 4);
  assertEq(grow(3), -1);
  assertEq(t.length, 4);
});

test('an exported table shows what the guest put there, one object for a function', () => {
  const b = new WasmBuilder();
  b.table({ min: 3 }, { export: 'table' });
  const f = b.func([], ['i32'], op.i32(1), { export: 'f' });
  const hidden = b.func([], ['i32'], op.i32(2));
  b.elem(0, 0, [f, hidden]);
  const { exports } = b.instance();
  assertEq(exports.table.get(0), exports.f);
  assertEq(exports.table.get(1)(), 2);
  assertEq(exports.table.get(1), exports.table.get(1));
  assertEq(exports.table.get(2), null);
});

test('the guest calls what the script put there; a null or a wrong type traps', () => {
  const b = new WasmBuilder();
  b.table({ min: 3 }, { export: 'table' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.callIndirect(b.type([], ['i32']))], { export: 'call' });
  const { table: t, call } = b.instance().exports;
  t.set(0, constant(12));
  t.set(1, wasmFunction(['f64'], [], []));
  assertEq(call(0), 12);
  assertThrows(WebAssembly.RuntimeError, () => call(1));
  assertThrows(WebAssembly.RuntimeError, () => call(2));
  assertThrows(WebAssembly.RuntimeError, () => call(3));
  assertThrows(WebAssembly.RuntimeError, () => call(-1));
});

test('things of every kind keep their identity in a table', () => {
  const things = [undefined, null, true, 0, -0, NaN, 1.5, 2 ** 53, 'text', '', 7n, Symbol('s'), {}, [], () => {}, Math.max];
  const t = table(things.length, undefined, 'externref');
  things.forEach((thing, i) => t.set(i, thing));
  assertList(things.map((_, i) => t.get(i)), things);
});

test('a function from a table lives on when it is replaced there', () => {
  const b = new WasmBuilder();
  b.table({ min: 1 }, { export: 'table' });
  b.elem(0, 0, [b.func([], ['i32'], op.i32(4))]);
  const { table: t } = b.instance().exports;
  const f = t.get(0);
  t.set(0, null);
  assertEq(f(), 4);
  t.set(0, f);
  assertEq(t.get(0), f);
});

test('properties of a function are found again through the table', () => {
  const t = table(1);
  t.set(0, constant(1));
  t.get(0).mark = 'mine';
  const marks = new WeakMap([[t.get(0), 'weak']]);
  globalThis.gc?.();
  assertEq(t.get(0).mark, 'mine');
  assertEq(marks.get(t.get(0)), 'weak');
  assert(typeof t.get(0) === 'function');
});

test('a table that no instance has costs nothing for its elements', () => {
  const tables = Array.from({ length: 50 }, () => new WebAssembly.Table({ initial: 10_000_000, element: 'externref' }, 'same'));
  for (const table of tables) assertEq(table.get(9_999_999), 'same');
  const [table] = tables;
  table.set(5_000_000, 'other');
  assertList([table.get(4_999_999), table.get(5_000_000), table.get(5_000_001)], ['same', 'other', 'same']);
});

test('runs and single elements arrive in the instance that imports the table', () => {
  const table = new WebAssembly.Table({ initial: 3, element: 'externref' }, 'first');
  assertEq(table.grow(0, 'none'), 3);
  assertEq(table.grow(2, 'second'), 3);
  assertEq(table.grow(1), 5);
  table.set(1, 'single');
  table.set(4, 'last');
  table.set(4, 'later');
  const expected = ['first', 'single', 'first', 'second', 'later', undefined];
  const elements = () => Array.from({ length: table.length }, (_, i) => table.get(i));
  assertList(elements(), expected);
  const b = new WasmBuilder();
  b.importTable('m', 'table', { element: 'externref', min: 6 });
  b.instance({ m: { table } });
  assertList(elements(), expected);
});
