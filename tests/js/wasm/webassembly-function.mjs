// WebAssembly.Function: the class of all exported functions, and functions made of a callable and a type.
// (V8 has it behind --experimental-wasm-type-reflection.)
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { Function: WasmFunction, Global, Instance, LinkError, Memory, RuntimeError, Table } = WebAssembly;
const typed = (parameters, results, f) => new WasmFunction({ parameters, results }, f);
const constant = (value) => typed([], ['i32'], () => value);

/** An instance with a table: `call(i)` calls its slot as a function of no parameters that returns an i32. */
function tableCaller() {
  const b = new WasmBuilder();
  b.table({ min: 4 }, { export: 'table' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.callIndirect(b.type([], ['i32']))], { export: 'call' });
  b.func(['i32'], ['funcref'], [op.localGet(0), op.tableGet(0)], { export: 'get' });
  b.func(['i32', 'funcref'], [], [op.localGet(0), op.localGet(1), op.tableSet(0)], { export: 'set' });
  b.func(['funcref'], ['funcref'], op.localGet(0), { export: 'echo' });
  return b.instance().exports;
}

/** `f` as an export that calls it: what it gives a guest, and what it takes from one. */
function imported(f, parameters, results) {
  const b = new WasmBuilder();
  const index = b.importFunc('m', 'f', parameters, results);
  b.func(parameters, results, [parameters.map((_, i) => op.localGet(i)), op.call(index)], { export: 'run' });
  b.export('f', 'function', index);
  return b.instance({ m: { f } }).exports;
}

test('the interface stands between exported functions and Function', () => {
  assertEq(assertProperty(WebAssembly, 'Function', 'wc').value, WasmFunction);
  assertEq(typeof WasmFunction, 'function');
  assertEq(assertProperty(WasmFunction, 'name', 'c').value, 'Function');
  assertEq(assertProperty(WasmFunction, 'length', 'c').value, 2);
  assertEq(Object.getPrototypeOf(WasmFunction), Function);
  const prototype = assertProperty(WasmFunction, 'prototype', '').value;
  assertEq(Object.getPrototypeOf(prototype), Function.prototype);
  assertEq(typeof prototype, 'object');
  assertEq(assertProperty(prototype, 'constructor', 'wc').value, WasmFunction);
  assertEq(assertProperty(prototype, Symbol.toStringTag, 'c').value, 'WebAssembly.Function');
  assertList(Reflect.ownKeys(prototype).sort((a, b) => (String(a) < String(b) ? -1 : 1)),
    [Symbol.toStringTag, 'constructor', 'type']);
});

test('every exported function is one', () => {
  const b = new WasmBuilder();
  b.export('again', 'function', b.importFunc('m', 'f'));
  b.func([], [], [], { export: 'own' });
  const { again, own } = b.instance({ m: { f() {} } }).exports;
  for (const f of [again, own, constant(1)]) {
    assert(f instanceof WasmFunction && f instanceof Function);
    assertEq(Object.getPrototypeOf(f), WasmFunction.prototype);
    assertEq(Object.prototype.toString.call(f), '[object WebAssembly.Function]');
    assertEq(f.constructor, WasmFunction);
  }
  assertEq((() => {}) instanceof WasmFunction, false);
});

test('a new function is a built-in function: name, length, no prototype, no constructor', () => {
  const f = typed(['i32', 'f64', 'externref'], [], function original() {});
  assertEq(typeof f, 'function');
  assertEq(assertProperty(f, 'length', 'c').value, 3);
  assertEq(assertProperty(f, 'name', 'c').value, 'original');
  assertList(Reflect.ownKeys(f).sort(), ['length', 'name']);
  assert(Object.isExtensible(f));
  assert(/native code/.test(Function.prototype.toString.call(f)));
  assertThrows(TypeError, () => new f());
  assertThrows(TypeError, () => Reflect.construct(Object, [], f));
  assertEq(typed([], [], () => {}).name, '');
  assertEq(typed([], [], Object.defineProperty(() => {}, 'name', { value: 7 })).name, '');
});

test('new is needed, before anything is looked at', () => {
  const untouchable = { get parameters() { throw new Error('read'); } };
  assertThrows(TypeError, () => WasmFunction(untouchable, () => {}));
  assertThrows(TypeError, () => WasmFunction.call(constant(1), untouchable, () => {}));
  assertThrows(TypeError, () => new WasmFunction(), /2 arguments/);
  assertThrows(TypeError, () => new WasmFunction(untouchable), /2 arguments/);
});

test('the type is a dictionary with two lists', () => {
  const f = () => {};
  for (const type of [undefined, null, 0, '', true, 1n, Symbol('s'), {}, [], { parameters: [] }, { results: [] },
    { parameters: undefined, results: [] }, { parameters: [], results: undefined }]) {
    assertThrows(TypeError, () => new WasmFunction(type, f));
  }
  for (const list of [null, 0, '', 'i32', true, {}, { length: 1, 0: 'i32' }, { [Symbol.iterator]: 1 }]) {
    assertThrows(TypeError, () => new WasmFunction({ parameters: list, results: [] }, f));
    assertThrows(TypeError, () => new WasmFunction({ parameters: [], results: list }, f));
  }
  for (const type of ['', 'int', 'I32', 'func', null, undefined, 0, {}]) {
    assertThrows(TypeError, () => typed([type], [], f), /parameters/);
    assertThrows(TypeError, () => typed([], [type], f), /results/);
  }
  assertThrows(TypeError, () => typed([Symbol('i32')], [], f));
});

test('the lists are any iterables of what becomes a string', () => {
  const f = new WasmFunction({
    parameters: new Set(['i32', 'i64']), results: (function* () { yield { toString: () => 'f32' }; yield 'anyfunc'; })(),
    other: 1,
  }, () => {});
  assertList(f.type().parameters, ['i32', 'i64']);
  assertList(f.type().results, ['f32', 'funcref']);
});

test('parameters before results before the callable, each element as it comes', () => {
  const log = [];
  const list = (name) => (function* () {
    for (const at of [0, 1]) {
      log.push(`${name} ${at}`);
      yield { toString() { log.push(`${name} ${at} to string`); return 'i32'; } };
    }
    log.push(`${name} end`);
  })();
  const descriptor = {
    get results() { log.push('results'); return list('result'); },
    get parameters() { log.push('parameters'); return list('parameter'); },
  };
  assertThrows(TypeError, () => new WasmFunction(descriptor, {}), /function/);
  const steps = (name) => [`${name} 0`, `${name} 0 to string`, `${name} 1`, `${name} 1 to string`, `${name} end`];
  assertList(log, ['parameters', ...steps('parameter'), 'results', ...steps('result')]);
});

test('what the lists throw comes through', () => {
  const reason = {};
  const thrower = () => { throw reason; };
  const descriptors = [
    { get parameters() { return thrower(); } },
    { parameters: { [Symbol.iterator]: thrower } },
    { parameters: { [Symbol.iterator]: () => ({ next: thrower }) } },
    { parameters: { [Symbol.iterator]: () => ({ get next() { return thrower(); } }) } },
    { parameters: [{ toString: thrower }] },
    { parameters: [], get results() { return thrower(); } },
  ];
  for (const descriptor of descriptors) assertThrowsValue(reason, () => new WasmFunction(descriptor, () => {}));
  for (const next of [undefined, 1, () => 1]) {
    const parameters = { [Symbol.iterator]: () => ({ next }) };
    assertThrows(TypeError, () => new WasmFunction({ parameters, results: [] }, () => {}));
  }
});

test('at most 1,000 parameters and 1,000 results', () => {
  const types = (count) => Array(count).fill('i32');
  const f = typed(types(1000), types(1000), (...args) => args);
  assertEq(f.length, 1000);
  assertEq(f(...Array(1000).fill(3)).length, 1000);
  assertThrows(TypeError, () => typed(types(1001), [], () => {}), /1000/);
  assertThrows(TypeError, () => typed([], types(1001), () => {}), /1000/);
});

test('the callable is anything that can be called, and nothing else', () => {
  for (const value of [undefined, null, 0, '', {}, [], /x/, Symbol('s'), 1n]) {
    assertThrows(TypeError, () => typed([], [], value), /must be a function/);
  }
  for (const f of [() => 1, function () { return 1; }, { f() { return 1; } }.f, Math.max.bind(null, 1),
    new Proxy(() => 1, {}), Number.bind(null, 1)]) {
    assertEq(typed([], ['i32'], f)(), 1);
  }
  assertThrows(TypeError, typed([], [], class {}));
});

test('subclasses get their prototype from new.target', () => {
  class Mine extends WasmFunction { describe() { return this.type().results.join(); } }
  const f = new Mine({ parameters: [], results: ['i64'] }, () => 5n);
  assert(f instanceof Mine && f instanceof WasmFunction);
  assertEq(f.describe(), 'i64');
  assertEq(f(), 5n);
  const construct = (newTarget) => Reflect.construct(WasmFunction, [{ parameters: [], results: [] }, () => {}], newTarget);
  assertEq(Object.getPrototypeOf(construct(Map)), Map.prototype);
  assertEq(Object.getPrototypeOf(construct(Object.assign(function () {}, { prototype: null }))), WasmFunction.prototype);
  const reason = {};
  const log = [];
  const spy = new Proxy(function () {}, { get(_, key) { log.push(key); throw reason; } });
  assertThrows(TypeError, () => Reflect.construct(WasmFunction, [{ parameters: [], results: [] }, 1], spy));
  assertList(log, []);
  assertThrowsValue(reason, () => construct(spy));
  assertList(log, ['prototype']);
});

const object = { an: 'object' };
const symbol = Symbol('s');
const wasm = wasmFunction([], [], []);
/** For each type: what goes in, and what comes out; then what is refused. */
const conversions = {
  i32: [[[0, 0], [2 ** 31, -(2 ** 31)], [1.9, 1], ['7', 7], [undefined, 0], [null, 0], [NaN, 0], [{ valueOf: () => 3 }, 3]],
    [1n, symbol]],
  i64: [[[0n, 0n], [2n ** 63n, -(2n ** 63n)], ['7', 7n], [true, 1n]], [1, undefined, null, symbol]],
  f32: [[[0.1, Math.fround(0.1)], [-0, -0], ['1.5', 1.5], [undefined, NaN], [1e40, Infinity]], [1n, symbol]],
  f64: [[[0.1, 0.1], [-0, -0], [undefined, NaN], [null, 0]], [1n, symbol]],
  externref: [[[object, object], [symbol, symbol], [null, null], [undefined, undefined], ['text', 'text'], [1n, 1n],
    [-0, -0], [0.5, 0.5]], []],
  funcref: [[[wasm, wasm], [null, null]], [undefined, () => {}, {}, 0, 'text']],
  nullref: [[[null, null]], [undefined, 0, {}]],
  nullfuncref: [[[null, null]], [undefined, wasm]],
  nullexternref: [[[null, null]], [undefined, 0, {}]],
};
for (const [type, [good, bad]] of Object.entries(conversions)) {
  test(`${type}: arguments convert on the way in, results on the way out`, () => {
    for (const [from, to] of good) {
      let came = 'nothing';
      typed([type], [], (value) => { came = value; })(from);
      assertEq(came, to, 'argument');
      assertEq(typed([], [type], () => from)(), to, 'result');
      // The same in a guest's hands.
      const { run } = imported(typed([type], [type], (value) => { came = value; return from; }), [type], [type]);
      assertEq(run(from), to);
      assertEq(came, to);
    }
    let called = false;
    for (const value of bad) {
      assertThrows(TypeError, () => typed([type], [], () => { called = true; })(value));
      assertThrows(TypeError, typed([], [type], () => value));
      assertThrows(TypeError, imported(typed([], [type], () => value), [], [type]).run);
    }
    assertEq(called, false);
  });
}

test('missing arguments are undefined, stray ones do not reach the callable', () => {
  let came;
  const f = typed(['i32', 'externref', 'f64'], [], (...args) => { came = args; });
  assertEq(f(), undefined);
  assertList(came, [0, undefined, NaN]);
  f(1, object);
  assertList(came, [1, object, NaN]);
  f(1, 2, 3, 4, { valueOf() { throw new Error('converted'); } });
  assertList(came, [1, 2, 3]);
  assertThrows(TypeError, typed(['i64'], [], () => {}));
});

test('all arguments convert, in order, before the callable is called', () => {
  const log = [];
  const argument = (name) => ({ valueOf() { log.push(name); return 0; } });
  typed(['i32', 'f64'], [], () => log.push('called'))(argument('first'), argument('second'));
  assertList(log, ['first', 'second', 'called']);
});

test('this is undefined, whatever the caller says', () => {
  const seen = [];
  const f = typed([], [], function () { 'use strict'; seen.push(this); });
  f();
  f.call(object);
  ({ f }).f();
  imported(f, [], []).run();
  assertList(seen, [undefined, undefined, undefined, undefined]);
});

test('without results the callable may return anything', () => {
  for (const value of [1, 1n, symbol, {}]) assertEq(typed([], [], () => value)(), undefined);
});

test('several results are any iterable of as many values', () => {
  const results = ['i32', 'f64', 'externref'];
  const lists = [['1', 2, object], new Set(['1', 2, object]), (function* () { yield 1; yield 2; yield object; })()];
  for (const list of lists) {
    const made = typed([], results, () => list)();
    assert(Array.isArray(made));
    assertList(made, [1, 2, object]);
  }
  assertList(typed([], ['i32', 'i32'], () => '12')(), [1, 2]);
  for (const list of [[], [1, 2], [1, 2, 3, 4], undefined, null, 1, {}, () => {}]) {
    assertThrows(TypeError, typed([], results, () => list));
  }
  assertThrows(TypeError, typed([], ['i32', 'i64'], () => [1, 2]));
});

test('what the callable throws comes through, through a guest as well', () => {
  for (const reason of [object, undefined, 7, new Error('mine')]) {
    const f = typed([], [], () => { throw reason; });
    assertThrowsValue(reason, f);
    assertThrowsValue(reason, imported(f, [], []).run);
  }
});

test('v128 and exnref: a function can have them, not be called with them', () => {
  let called = false;
  for (const type of ['v128', 'exnref']) {
    for (const f of [typed([type], [], () => { called = true; }), typed([], [type], () => { called = true; })]) {
      assertEq([...f.type().parameters, ...f.type().results].join(), type);
      assertThrows(TypeError, () => f({ valueOf() { called = true; } }));
    }
  }
  assertEq(called, false);
});

test('wrapping an exported function: another function, which converts twice', () => {
  const inner = wasmFunction(['f64'], ['f64'], op.localGet(0));
  const same = typed(['f64'], ['f64'], inner);
  assert(same !== inner && typed(['f64'], ['f64'], inner) !== same);
  assertEq(same(1.5), 1.5);
  assertEq(typed(['i32'], ['f64'], inner)(1.5), 1);
  assertEq(typed(['f64'], ['i32'], inner)(1.5), 1);
  assertEq(typed(['i32', 'i32'], ['f64'], inner)(2, 3), 2);
  assertThrows(TypeError, () => typed(['i64'], ['f64'], inner)(1n));
  assertEq(typed(['i32'], ['i32'], typed(['f64'], ['f64'], (x) => x / 2))(5), 2);
  assertEq(imported(typed(['i32'], ['f64'], inner), ['i32'], ['f64']).run(7), 7);
});

test('in a table: the same function comes back, a guest can call it', () => {
  const { table, call, get, set, echo } = tableCaller();
  const f = constant(5);
  table.set(0, f);
  assertEq(table.get(0), f);
  assertEq(get(0), f);
  assertEq(echo(f), f);
  assertEq(call(0), 5);
  set(1, f);
  assertEq(table.get(1), f);
  table.grow(1, f);
  assertEq(table.get(4), f);
  assertEq(call(4), 5);
  table.set(0, null);
  assertEq(table.get(0), null);
  assertThrows(RuntimeError, () => call(0));
});

test('in a table: the exact type counts', () => {
  const { table, call } = tableCaller();
  const others = [typed(['i32'], ['i32'], () => 0), typed([], ['i64'], () => 0n), typed([], [], () => 0)];
  for (const f of others) {
    table.set(0, f);
    assertThrows(RuntimeError, () => call(0));
  }
});

test('in a table that a script made, before and after an instance has it', () => {
  const f = constant(6);
  const table = new Table({ element: 'anyfunc', initial: 2 }, f);
  assertEq(table.get(1), f);
  const g = constant(7);
  table.set(0, g);
  const b = new WasmBuilder();
  b.importTable('m', 'table', { min: 2 });
  b.func(['i32'], ['i32'], [op.localGet(0), op.callIndirect(b.type([], ['i32']))], { export: 'call' });
  const { call } = b.instance({ m: { table } }).exports;
  assertEq(call(0), 7);
  assertEq(call(1), 6);
  assertEq(table.get(0), g);
  assertEq(table.get(1), f);
});

test('as an import: with its exact type, and exported again as itself', () => {
  const f = typed(['i32'], ['i32'], (x) => x * 2);
  const { run, f: again } = imported(f, ['i32'], ['i32']);
  assertEq(run(21), 42);
  assertEq(again, f);
  for (const [parameters, results] of [[[], ['i32']], [['i32'], []], [['i64'], ['i32']], [['i32', 'i32'], ['i32']]]) {
    assertThrows(LinkError, () => imported(f, parameters, results), /m\.f/);
  }
});

test('in globals, as an argument, as a result', () => {
  const f = constant(1);
  const global = new Global({ value: 'anyfunc', mutable: true }, f);
  assertEq(global.value, f);
  const b = new WasmBuilder();
  b.importGlobal('m', 'global', 'funcref', true);
  b.table({ min: 1 });
  b.func([], ['i32'], [op.i32(0), op.globalGet(0), op.tableSet(0), op.i32(0), op.callIndirect(b.type([], ['i32']))],
    { export: 'run' });
  const { run } = b.instance({ m: { global } }).exports;
  assertEq(run(), 1);
  assertEq(global.value, f);
  const g = constant(2);
  global.value = g;
  assertEq(run(), 2);
  assertEq(global.value, g);
  assertEq(imported(typed(['funcref'], ['funcref'], (x) => (x === f ? g : null)), ['funcref'], ['funcref']).run(f), g);
  assertEq(wasmFunction(['funcref'], ['funcref'], op.localGet(0))(f), f);
});

test('as an element of an immutable global of an instance', () => {
  const f = constant(3);
  const b = new WasmBuilder();
  b.importGlobal('m', 'global', 'funcref');
  b.table({ min: 1 }, { export: 'table' });
  b.func([], [], [op.i32(0), op.globalGet(0), op.tableSet(0)], { export: 'run' });
  const { run, table } = b.instance({ m: { global: f } }).exports;
  run();
  assertEq(table.get(0), f);
});

test('one function in many unrelated instances', () => {
  const f = constant(9);
  f.mine = object;
  const callers = [tableCaller(), tableCaller(), tableCaller()];
  for (const { table } of callers) table.set(0, f);
  globalThis.gc?.();
  for (const { table, call, get } of callers) {
    assertEq(call(0), 9);
    assertEq(get(0), f);
    assertEq(table.get(0).mine, object);
  }
  const [one, two] = callers;
  one.set(1, two.get(0));
  assertEq(one.call(1), 9);
  assertEq(one.table.get(1), f);
});

test('an instance is chosen by what else it imports', () => {
  const { table } = tableCaller();
  const memory = new Memory({ initial: 1 });
  const f = constant(4);
  table.set(0, f);
  const b = new WasmBuilder();
  const index = b.importFunc('m', 'f', [], ['i32']);
  b.importTable('m', 'table', { min: 1 });
  b.importMemory('m', 'memory', { min: 1 });
  b.func([], ['i32'], [op.call(index), op.i32(0), op.callIndirect(b.type([], ['i32'])), op.i32Add], { export: 'run' });
  assertEq(new Instance(b.module(), { m: { f, table, memory } }).exports.run(), 8);
});

test('the callable may grow the table that it was called from, replace itself, and call the guest', () => {
  const { table, call } = tableCaller();
  const next = constant(1);
  let depth = 0;
  table.set(0, typed([], ['i32'], () => {
    table.grow(100);
    if (++depth < 5) return call(0) + 1;
    table.set(0, next);
    globalThis.gc?.();
    return call(0) + 1;
  }));
  assertEq(call(0), 6);
  assertEq(table.length, 504);
  assertEq(table.get(0), next);
  assertEq(call(0), 1);
});

test('a conversion may call the same function again', () => {
  const log = [];
  const f = typed(['i32'], ['i32'], (x) => { log.push(x); return x; });
  assertEq(f({ valueOf: () => f({ valueOf: () => f(1) + 1 }) + 1 }), 3);
  assertList(log, [1, 2, 3]);
});

test('an endless recursion is an error that can be caught', () => {
  const { table, call } = tableCaller();
  table.set(0, typed([], ['i32'], () => call(0)));
  let error;
  try { call(0); } catch (thrown) { error = thrown; }
  assert(error instanceof RangeError || error instanceof Error, String(error));
  const self = typed([], [], () => self());
  error = undefined;
  try { self(); } catch (thrown) { error = thrown; }
  assert(error instanceof Error, String(error));
  assertEq(constant(2)(), 2);
});

// (A value that a function's block scope held would stay until the function returns: everything is made in calls.)
const collected = (makeRef) => {
  if (globalThis.gc === undefined || globalThis.WeakRef === undefined) return true;
  const refs = makeRef();
  gc();
  gc();
  return refs.every((reference) => reference.deref() === undefined);
};

test('a function that nobody has goes, and its callable with it', () => {
  assert(collected(() => {
    const callable = () => {};
    return [new WeakRef(callable), new WeakRef(typed([], [], callable))];
  }));
});

test('a table that a script made lets go of what it is told to forget', () => {
  const table = new Table({ element: 'anyfunc', initial: 1 });
  assert(collected(() => {
    const f = typed([], [], () => {});
    table.set(0, f);
    table.set(0, null);
    return [new WeakRef(f)];
  }));
});

test('a cycle through a table and an instance goes as one', () => {
  assert(collected(() => {
    const exports = tableCaller();
    const f = typed([], ['i32'], () => exports.call(1));
    exports.table.set(0, f);
    return [new WeakRef(f), new WeakRef(exports.table), new WeakRef(exports.call)];
  }));
});

test('a cycle through an import goes as one', () => {
  assert(collected(() => {
    const holder = {};
    const f = typed([], [], () => holder.exports);
    holder.exports = imported(f, [], []);
    assertEq(holder.exports.f, f);
    return [new WeakRef(f), new WeakRef(holder), new WeakRef(holder.exports.run)];
  }));
});

test('a table of functions of no island and of one goes to that island', () => {
  const { get, echo, table: other } = tableCaller();
  const table = new Table({ element: 'anyfunc', initial: 2 });
  table.set(0, constant(1));
  table.set(1, echo);
  const b = new WasmBuilder();
  b.importTable('m', 'table', { min: 2 });
  b.func(['i32'], ['funcref'], [op.localGet(0), op.tableGet(0)], { export: 'get' });
  const first = b.instance({ m: { table } }).exports;
  assertEq(first.get(1), echo);
  // In one island with the first: both tables can be imported together.
  const c = new WasmBuilder();
  c.importTable('m', 'table', { min: 2 });
  c.importTable('m', 'other', { min: 2 });
  c.func([], [], [op.i32(0), op.i32(0), op.tableGet(0), op.tableSet(1)], { export: 'copy' });
  c.instance({ m: { table, other } }).exports.copy();
  assertEq(get(0), table.get(0));
});

test('a function in a table stays as long as the table, with what a script hung on it', () => {
  const { table } = tableCaller();
  const keys = new WeakMap();
  (() => {
    const f = typed([], ['i32'], () => 8);
    f.mine = 1;
    keys.set(f, 'kept');
    table.set(0, f);
  })();
  globalThis.gc?.();
  assertEq(table.get(0).mine, 1);
  assertEq(keys.get(table.get(0)), 'kept');
  assertEq(table.get(0)(), 8);
});

test('ten thousand functions in one table', () => {
  const { table, call } = tableCaller();
  table.grow(10_000);
  for (let i = 0; i < 10_000; i++) table.set(i, constant(i));
  for (const i of [0, 1, 4999, 9999]) assertEq(call(i), i);
  assertEq(table.get(77)(), 77);
});

test('functions of functions, 100,000 deep, are refused by the stack and dropped', () => {
  let f = () => 1;
  for (let i = 0; i < 100_000; i++) f = new WebAssembly.Function({ parameters: [], results: ['i32'] }, f);
  assertThrows(RangeError, () => f());
  f = null;
});
