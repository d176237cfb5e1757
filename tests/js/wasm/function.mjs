// Exported functions: what they are, who they are, and how their arguments and results convert.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

test('an exported function is a built-in function: name, length, no prototype', () => {
  const b = new WasmBuilder();
  b.importFunc('m', 'x');
  b.func([], [], []);
  b.func(['i32', 'i64', 'f64'], [], [], { export: 'called something else' });
  const f = b.instance({ m: { x() {} } }).exports['called something else'];
  assertEq(typeof f, 'function');
  assertEq(Object.getPrototypeOf(f), (WebAssembly.Function ?? Function).prototype);
  assertEq(assertProperty(f, 'name', 'c').value, '2');
  assertEq(assertProperty(f, 'length', 'c').value, 3);
  assertEq(Object.hasOwn(f, 'prototype'), false);
  assertList(Reflect.ownKeys(f).sort(), ['length', 'name']);
  assert(Object.isExtensible(f));
  assert(/native code/.test(Function.prototype.toString.call(f)));
});

test('an exported function is no constructor', () => {
  const f = wasmFunction([], ['i32'], op.i32(1));
  assertThrows(TypeError, () => new f());
  assertThrows(TypeError, () => Reflect.construct(f, []));
  assertThrows(TypeError, () => class extends f {});
  assertThrows(TypeError, () => ({}) instanceof f);
});

test('the name section does not name the function', () => {
  const b = new WasmBuilder();
  b.func([], [], [], { export: 'f' });
  b.functionNames({ 0: 'named' });
  assertEq(b.instance().exports.f.name, '0');
});

test('this does not matter, and call, apply and bind work', () => {
  const f = wasmFunction(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), op.i32Sub]);
  assertEq(f.call(null, 5, 3), 2);
  assertEq(f.apply({}, [5, 3]), 2);
  assertEq(f.bind(7, 5)(3), 2);
  assertEq(Reflect.apply(f, undefined, [1, 2]), -1);
});

test('missing arguments are undefined, stray ones are ignored', () => {
  const f = wasmFunction(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), op.i32Sub]);
  assertEq(f(), 0);
  assertEq(f(5), 5);
  assertEq(f(5, 3, 1n, Symbol('s'), { valueOf() { throw new Error('converted'); } }), 2);
  assertEq(wasmFunction(['f64'], ['f64'], op.localGet(0))(), NaN);
  assertEq(wasmFunction(['externref'], ['externref'], op.localGet(0))(), undefined);
  assertThrows(TypeError, () => wasmFunction(['i64'], [], [])());
  assertThrows(TypeError, () => wasmFunction(['funcref'], [], [])());
});

test('a function of no results returns undefined', () => {
  assertEq(wasmFunction([], [], [])(), undefined);
});

const echo = (type) => wasmFunction([type], [type], op.localGet(0));

test('i32: the conversion is ToInt32', () => {
  const f = echo('i32');
  const cases = [[0, 0], [-0, 0], [1.9, 1], [-1.9, -1], [2 ** 31, -(2 ** 31)], [2 ** 32 - 1, -1], [2 ** 32, 0],
    [2 ** 53 + 2, 2], [-(2 ** 31) - 1, 2 ** 31 - 1], [NaN, 0], [Infinity, 0], [-Infinity, 0], [1e300, 0], ['12', 12],
    ['0x1f', 31], ['text', 0], ['', 0], [null, 0], [undefined, 0], [true, 1], [[], 0], [[7], 7], [{}, 0],
    [{ valueOf: () => 3 }, 3], [{ toString: () => '4' }, 4], [new Date(5), 5]];
  for (const [from, to] of cases) assertEq(f(from), to);
  assertThrows(TypeError, () => f(1n));
  assertThrows(TypeError, () => f(Symbol('s')));
  assertThrows(TypeError, () => f(Object.create(null)));
});

test('i64: the conversion is ToBigInt64', () => {
  const f = echo('i64');
  const cases = [[0n, 0n], [-1n, -1n], [2n ** 31n, 2n ** 31n], [-(2n ** 31n) - 1n, -(2n ** 31n) - 1n],
    [2n ** 53n + 1n, 2n ** 53n + 1n], [2n ** 62n, 2n ** 62n], [2n ** 63n - 1n, 2n ** 63n - 1n], [2n ** 63n, -(2n ** 63n)],
    [-(2n ** 63n), -(2n ** 63n)], [-(2n ** 63n) - 1n, 2n ** 63n - 1n], [2n ** 64n, 0n], [2n ** 64n - 1n, -1n],
    [2n ** 200n + 5n, 5n], [-(2n ** 200n) - 5n, -5n], ['12', 12n], ['', 0n], ['0x10', 16n], [true, 1n], [false, 0n],
    [[8], 8n], [{ valueOf: () => 9n }, 9n]];
  for (const [from, to] of cases) assertEq(f(from), to);
  for (const wrong of [1, 1.5, NaN, null, undefined, Symbol('s')]) assertThrows(TypeError, () => f(wrong));
  for (const wrong of ['text', '1.5', '1n']) assertThrows(SyntaxError, () => f(wrong));
});

test('f32 and f64: the conversion is ToNumber', () => {
  for (const [type, round] of [['f32', Math.fround], ['f64', (x) => x]]) {
    const f = echo(type);
    for (const value of [0, -0, 1.5, 0.1, -1e-50, 1e39, 16777217, NaN, Infinity, -Infinity, 2 ** 53, 5e-324]) {
      assertEq(f(value), round(value));
    }
    assertEq(f('1.5'), 1.5);
    assertEq(f(''), 0);
    assertEq(f(null), 0);
    assertEq(f(), NaN);
    assertEq(f(true), 1);
    assertThrows(TypeError, () => f(1n));
    assertThrows(TypeError, () => f(Symbol('s')));
  }
});

test('f32 rounds to the nearest, ties to even, once', () => {
  const f = echo('f32');
  assertEq(f(16777217), 16777216);
  assertEq(f(16777219), 16777220);
  assertEq(f(3.4028235677973366e38), Infinity);
  assertEq(f(3.4028234e38), Math.fround(3.4028234e38));
  assertEq(f(1.401298464324817e-45), 1.401298464324817e-45);
  assertEq(f(7e-46), 0);
});

test('arguments convert from left to right, all before the call', () => {
  const log = [];
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'x');
  b.func(['i32', 'f64', 'i64'], [], op.call(host), { export: 'f' });
  const { f } = b.instance({ m: { x() { log.push('call'); } } }).exports;
  const argument = (name, value) => ({ valueOf() { log.push(name); return value; } });
  f(argument('first', 1), argument('second', 2), argument('third', 3n));
  assertList(log, ['first', 'second', 'third', 'call']);
  log.length = 0;
  assertThrowsValue('stop', () => f(argument('first', 1), { valueOf() { throw 'stop'; } }, argument('third', 3n)));
  assertList(log, ['first']);
});

test('externref: any value, the same out as in', () => {
  const f = echo('externref');
  const values = [undefined, null, true, 0, -0, NaN, 1, 2 ** 30, 2 ** 31, -(2 ** 30) - 1, 1.5, '', 'text', 1n, 2n ** 64n,
    Symbol('s'), Symbol.iterator, {}, [], Object.create(null), () => {}, f, new Proxy({}, {}), globalThis, new WeakMap()];
  for (const value of values) assertEq(f(value), value);
});

test('externref: null is null in the guest, undefined is not', () => {
  const isNull = wasmFunction(['externref'], ['i32'], [op.localGet(0), op.refIsNull]);
  assertEq(isNull(null), 1);
  for (const value of [undefined, 0, '', false, {}]) assertEq(isNull(value), 0);
  assertEq(isNull(), 0);
});

test('funcref: exported functions and null', () => {
  const f = echo('funcref');
  assertEq(f(f), f);
  assertEq(f(null), null);
  const other = wasmFunction([], [], []);
  assertEq(f(other), other);
  for (const wrong of [undefined, () => {}, Math.max, {}, 0, '', new Proxy(f, {}), f.bind(null)]) {
    assertThrows(TypeError, () => f(wrong));
  }
});

test('several results are an array', () => {
  const swap = wasmFunction(['i32', 'i64'], ['i64', 'i32'], [op.localGet(1), op.localGet(0)]);
  const result = swap(1, 2n);
  assert(Array.isArray(result));
  assertEq(Object.getPrototypeOf(result), Array.prototype);
  assertList(result, [2n, 1]);
  assert(swap(1, 2n) !== result);
  const thing = {};
  const many = wasmFunction(['externref'], ['i32', 'f32', 'f64', 'externref', 'funcref'],
    [op.i32(-1), op.f32(0.5), op.f64(-0), op.localGet(0), op.refNull('funcref')]);
  assertList(many(thing), [-1, 0.5, -0, thing, null]);
});

test('a function with a v128 in its type throws a TypeError when called, before it converts', () => {
  const b = new WasmBuilder();
  b.func(['v128'], [], [], { export: 'takes' });
  b.func(['i32'], ['v128'], [0xfd, 0x0c, ...new Array(16).fill(0)], { export: 'gives' });
  const { takes, gives } = b.instance().exports;
  assertThrows(TypeError, () => takes(0));
  assertThrows(TypeError, () => takes());
  assertThrows(TypeError, () => gives({ valueOf() { throw new Error('converted'); } }));
});

// ---- Identity ------------------------------------------------------------------------------------------------------

test('one function, one object: two names, a table, a global', () => {
  const b = new WasmBuilder();
  b.table({ min: 2 }, { export: 'table' });
  const f = b.func([], [], [], { export: 'a' });
  b.export('b', 'function', f);
  b.global('funcref', op.refFunc(f), { export: 'global' });
  b.func([], ['funcref'], op.refFunc(f), { export: 'get' });
  b.elem(0, 0, [f, f]);
  const { a, b: same, table, global, get } = b.instance().exports;
  for (const other of [same, table.get(0), table.get(1), global.value, get()]) assertEq(other, a);
});

test('each instance has functions of its own', () => {
  const b = new WasmBuilder();
  b.func([], [], [], { export: 'f' });
  const module = b.module();
  const [one, two] = [new WebAssembly.Instance(module), new WebAssembly.Instance(module)];
  assert(one.exports.f !== two.exports.f);
});

test('an imported wasm function is exported as itself, name included', () => {
  const inner = new WasmBuilder();
  inner.func([], [], []);
  inner.func([], ['i32'], op.i32(9), { export: 'f' });
  const { f } = inner.instance().exports;
  const outer = new WasmBuilder();
  outer.export('again', 'function', outer.importFunc('m', 'f', [], ['i32']));
  const { again } = outer.instance({ m: { f } }).exports;
  assertEq(again, f);
  assertEq(again.name, '1');
});

test('an imported JavaScript function is exported as an exported function of the import\'s type', () => {
  const b = new WasmBuilder();
  b.importFunc('m', 'other');
  const imported = b.importFunc('m', 'f', ['i32'], ['i32']);
  b.export('again', 'function', imported).export('twice', 'function', imported);
  const f = (x) => x + 0.5;
  const { again, twice } = b.instance({ m: { f, other() {} } }).exports;
  assert(again !== f);
  assertEq(again, twice);
  assertEq(again(7.9), 7, 'argument and result convert');
  assertEq(again.length, 1);
  assertEq(again.name, '1', 'its index among the imported functions');
  assertThrows(TypeError, () => again(1n));
  assertThrows(TypeError, () => new again());
  new WebAssembly.Table({ element: 'anyfunc', initial: 1 }, again);
});

test('one JavaScript function imported twice makes two exported functions', () => {
  const b = new WasmBuilder();
  b.export('a', 'function', b.importFunc('m', 'f')).export('b', 'function', b.importFunc('m', 'f'));
  const { a, b: other } = b.instance({ m: { f() {} } }).exports;
  assert(a !== other);
});

test('own properties of a function stay with it', () => {
  const b = new WasmBuilder();
  b.table({ min: 1 }, { export: 'table' });
  const f = b.func([], [], [], { export: 'f' });
  b.elem(0, 0, [f]);
  const instance = b.instance();
  instance.exports.f.mark = 'mine';
  const weak = new WeakMap([[instance.exports.f, 'weak']]);
  globalThis.gc?.();
  assertEq(instance.exports.table.get(0).mark, 'mine');
  assertEq(weak.get(instance.exports.f), 'weak');
});

test('a function works when only it is left of its instance', () => {
  const make = () => {
    const b = new WasmBuilder();
    b.memory({ min: 1 });
    b.data(8, [42]);
    b.func([], ['i32'], [op.i32(8), op.load8()], { export: 'f' });
    return b.instance().exports.f;
  };
  const f = make();
  globalThis.gc?.();
  assertEq(f(), 42);
});
