// Imported JavaScript functions: what they get, what becomes of what they return or throw.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

/** An exported function that passes its arguments to `f` and returns what `f` returns. */
function through(f, params, results) {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f', params, results);
  b.func(params, results, [params.map((_, i) => op.localGet(i)), op.call(host)], { export: 'run' });
  return b.instance({ m: { f } }).exports.run;
}

test('this is undefined, the arguments are those of the type', () => {
  let seen;
  const run = through(function (...args) { seen = [this, ...args]; }, ['i32', 'i64', 'f32', 'f64', 'externref'], []);
  const thing = {};
  run(-1, 2n ** 63n, 0.1, -0, thing);
  assertList(seen, [undefined, -1, -(2n ** 63n), Math.fround(0.1), -0, thing]);
});

test('no parameters, no arguments', () => {
  let count;
  through(function () { count = arguments.length; }, [], [])(1, 2);
  assertEq(count, 0);
});

test('what a function of no results returns is ignored', () => {
  assertEq(through(() => Symbol('s'), [], [])(), undefined);
  assertEq(through(() => ({ valueOf() { throw new Error('converted'); } }), [], [])(), undefined);
});

test('a result converts like an argument', () => {
  const result = (type, value) => through(() => value, [], [type])();
  assertEq(result('i32', 2 ** 32 + 1.5), 1);
  assertEq(result('i32', '12'), 12);
  assertEq(result('i32', undefined), 0);
  assertEq(result('i64', 2n ** 64n - 1n), -1n);
  assertEq(result('f32', 0.1), Math.fround(0.1));
  assertEq(result('f64', undefined), NaN);
  assertEq(result('f64', { valueOf: () => 3 }), 3);
  assertEq(result('externref', undefined), undefined);
  assertEq(result('funcref', null), null);
  for (const [type, wrong] of [['i32', 1n], ['i64', 1], ['i64', undefined], ['f64', Symbol('s')], ['funcref', undefined],
    ['funcref', () => {}]]) {
    assertThrows(TypeError, () => result(type, wrong));
  }
});

test('what a conversion of a result throws comes out unchanged', () => {
  assertThrowsValue('why', through(() => ({ valueOf() { throw 'why'; } }), [], ['i32']));
});

test('a function value keeps its identity on the way in and out', () => {
  let seen;
  const run = through((f) => { seen = f; return f; }, ['funcref'], ['funcref']);
  assertEq(run(run), run);
  assertEq(seen, run);
});

const pair = (value) => through(() => value, [], ['i32', 'i64']);

test('several results come from any iterable', () => {
  assertList(pair([1.5, 2n])(), [1, 2n]);
  assertList(pair(new Set(['7', '8']))(), [7, 8n]);
  assertList(pair((function* () { yield 1; yield 2n; })())(), [1, 2n]);
  assertList(pair('12')(), [1, 2n]);
  assertList(pair({ [Symbol.iterator]: () => [3, 4n].values() })(), [3, 4n]);
});

test('several results that are not iterable, or too few or many: TypeError', () => {
  for (const wrong of [undefined, null, 7, 1n, {}, { length: 2, 0: 1, 1: 2n }, [], [1], [1, 2n, 3],
    { [Symbol.iterator]: 7 }, { [Symbol.iterator]: () => 7 }, '1', '123']) {
    assertThrows(TypeError, pair(wrong));
  }
});

test('several results: the iterator ends before any value converts, each in order', () => {
  const log = [];
  const value = (name, number) => ({ valueOf() { log.push(name); return number; } });
  const run = pair((function* () { yield value('first', 1); yield value('second', 2n); log.push('end'); })());
  assertList(run(), [1, 2n]);
  assertList(log, ['end', 'first', 'second']);
});

test('several results: what the iteration throws comes out unchanged', () => {
  assertThrowsValue('next', pair({ [Symbol.iterator]: () => ({ next() { throw 'next'; } }) }));
  assertThrowsValue('method', pair({ get [Symbol.iterator]() { throw 'method'; } }));
  assertThrowsValue('value', pair([{ valueOf() { throw 'value'; } }, 1n]));
});

test('Symbol.iterator is read once', () => {
  let reads = 0;
  const run = pair({ get [Symbol.iterator]() { reads += 1; return () => [1, 2n].values(); } });
  run();
  assertEq(reads, 1);
});

// ---- Exceptions ----------------------------------------------------------------------------------------------------

const thrown = [undefined, null, 0, NaN, 'text', 1n, Symbol('s'), {}, () => {}, new Error('e'), new RangeError('r'),
  new WebAssembly.RuntimeError('mine'), Object.freeze([])];

test('what an import throws comes out unchanged', () => {
  for (const value of thrown) {
    const run = through(() => { throw value; }, [], []);
    assertThrowsValue(value, run);
    assertThrowsValue(value, run, 'again');
  }
});

test('an error gains no property on its way', () => {
  const error = new Error('mine');
  const { stack } = error;
  const keys = Reflect.ownKeys(error).join();
  assertThrowsValue(error, through(() => { throw error; }, [], []));
  assertEq(error.stack, stack);
  assertEq(Reflect.ownKeys(error).join(), keys);
});

test('an exception crosses several frames of several instances', () => {
  const reason = {};
  let run = through(() => { throw reason; }, [], []);
  for (let i = 0; i < 5; i++) {
    run = through(run, [], []);
    run = through(((inner) => () => inner())(run), [], []);
  }
  assertThrowsValue(reason, run);
});

test('code after a call that throws does not run', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  b.global('i32', op.i32(0), { mutable: true, export: 'reached' });
  b.func([], [], [op.call(f), op.i32(1), op.globalSet(0)], { export: 'run' });
  const { run, reached } = b.instance({ m: { f() { throw 1; } } }).exports;
  assertThrowsValue(1, run);
  assertEq(reached.value, 0);
});

test('an import can catch what the wasm function that it calls throws, a trap too', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  b.func([], [], op.call(f), { export: 'outer' });
  b.func([], [], op.unreachable, { export: 'trap' });
  const caught = [];
  const { outer, trap } = b.instance({ m: { f() { try { trap(); } catch (error) { caught.push(error); } } } }).exports;
  outer();
  outer();
  assertEq(caught.length, 2);
  assert(caught.every((error) => error instanceof WebAssembly.RuntimeError));
  assert(caught[0] !== caught[1]);
});

test('after an exception the instance works on', () => {
  let fails = true;
  const run = through(() => { if (fails) throw 'no'; return 7; }, [], ['i32']);
  for (let i = 0; i < 100; i++) assertThrowsValue('no', run);
  fails = false;
  assertEq(run(), 7);
});

test('a rejected promise is a value like any other', () => {
  const promise = Promise.reject(new Error('later'));
  promise.catch(() => {});
  assertEq(through(() => promise, [], ['externref'])(), promise);
});

test('jobs wait until the outermost call is over', async () => {
  const log = [];
  const run = through(() => { Promise.resolve().then(() => log.push('job')); log.push('import'); }, [], []);
  run();
  log.push('returned');
  await undefined;
  assertList(log, ['import', 'returned', 'job']);
});

test('an exported function with a v128 in the type of an import: TypeError when called', () => {
  const b = new WasmBuilder();
  let called = false;
  const f = b.importFunc('m', 'f', [], ['v128']);
  b.func([], [], [op.call(f), op.drop], { export: 'run' });
  const { run } = b.instance({ m: { f() { called = true; } } }).exports;
  assertThrows(TypeError, run);
  assertEq(called, false);
});
