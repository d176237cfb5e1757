// JavaScript Promise Integration: WebAssembly.promising, Suspending and SuspendError. What scripts see of it: the
// interface, conversions, when things happen, and where an import may not suspend.
// (promise-suspensions.mjs has what is suspended: guests' frames, exceptions, references; promise-lifetimes.mjs has
// what lives how long.)
import {
  assert, assertEq, assertList, assertProperty, assertRejects, assertThrows, assertThrowsValue, fail, onV8, rejection,
  test, thrown,
} from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { Instance, JSTag, LinkError, RuntimeError, SuspendError, Suspending, promising } = WebAssembly;

const deferred = () => Promise.withResolvers();
const never = () => new Promise(() => {});

/** Exports of a guest whose `run` passes its arguments on to the import `f`, and returns what that returns. */
function relay(params, results, f) {
  const b = new WasmBuilder();
  const index = b.importFunc('m', 'f', params, results);
  b.func(params, results, [params.map((_, i) => op.localGet(i)), op.call(index)], { export: 'run' });
  b.export('f', 'function', index);
  return b.instance({ m: { f } }).exports;
}
/** The same, where the import suspends: `run` as a promising function. */
const suspending = (params, results, f) => promising(relay(params, results, new Suspending(f)).run);
/** A promising function that takes and returns values of these types, and suspends nowhere. */
const echo = (...types) => promising(wasmFunction(types, types, types.map((_, i) => op.localGet(i))));

// The interface

test('promising is an operation of the namespace', () => {
  assertEq(assertProperty(WebAssembly, 'promising', 'wec').value, promising);
  assertEq(assertProperty(promising, 'name', 'c').value, 'promising');
  assertEq(assertProperty(promising, 'length', 'c').value, 1);
  assertEq('prototype' in promising, false);
  assertThrows(TypeError, () => new promising(wasmFunction([], [], [])));
  assertEq(typeof promising.call(null, wasmFunction([], [], [])), 'function', 'any receiver');
});

test('Suspending is an interface of the namespace', () => {
  assertEq(assertProperty(WebAssembly, 'Suspending', 'wc').value, Suspending);
  assertEq(assertProperty(Suspending, 'name', 'c').value, 'Suspending');
  assertEq(assertProperty(Suspending, 'length', 'c').value, 1);
  assertEq(Object.getPrototypeOf(Suspending), Function.prototype);
  const prototype = assertProperty(Suspending, 'prototype', '').value;
  assertEq(Object.getPrototypeOf(prototype), Object.prototype);
  assertEq(assertProperty(prototype, 'constructor', 'wc').value, Suspending);
  assertEq(assertProperty(prototype, Symbol.toStringTag, 'c').value, 'WebAssembly.Suspending');
  assertEq(Reflect.ownKeys(prototype).length, 2);
});

test('SuspendError is a native error', () => {
  assertEq(assertProperty(WebAssembly, 'SuspendError', 'wc').value, SuspendError);
  assertEq(assertProperty(SuspendError, 'name', 'c').value, 'SuspendError');
  assertEq(assertProperty(SuspendError, 'length', 'c').value, 1);
  assertEq(Object.getPrototypeOf(SuspendError), Error);
  const prototype = assertProperty(SuspendError, 'prototype', '').value;
  assertEq(Object.getPrototypeOf(prototype), Error.prototype);
  assertEq(assertProperty(prototype, 'name', 'wc').value, 'SuspendError');
  assertEq(assertProperty(prototype, 'message', 'wc').value, '');
  assertEq(assertProperty(prototype, 'constructor', 'wc').value, SuspendError);
  const error = new SuspendError('why', { cause: 1 });
  assertEq(String(error), 'SuspendError: why');
  assertEq(assertProperty(error, 'message', 'wc').value, 'why');
  assertEq(assertProperty(error, 'cause', 'wc').value, 1);
  assertEq(Object.getPrototypeOf(SuspendError()), prototype, 'without new');
  class Own extends SuspendError {}
  assert(new Own() instanceof SuspendError && new Own() instanceof Own);
});

test('promising takes exported functions only', () => {
  const f = wasmFunction([], [], []);
  for (const value of [undefined, null, 1, 'f', {}, Symbol(), new Suspending(() => {}), { __proto__: f }]) {
    assertThrows(TypeError, () => promising(value));
  }
  for (const value of [() => {}, class {}, Math.max, f.bind(), new Proxy(f, {}), promising, Suspending]) {
    assertThrows(TypeError, () => promising(value));
  }
  assertThrows(TypeError, () => promising());
  for (const value of [f, relay([], [], () => {}).f, relay([], [], new Suspending(() => {})).f]) promising(value);
});

test('nor what promising returns', () => {
  const p = promising(wasmFunction([], [], []));
  assertThrows(TypeError, () => promising(p));
}, { v8: 'takes it' });

test('what promising returns', () => {
  for (const f of [wasmFunction([], [], []), wasmFunction(['i32', 'i64', 'f64'], [], [])]) {
    f.extra = 1;
    const p = promising(f);
    assertEq(Object.getPrototypeOf(p), Function.prototype);
    assertEq(assertProperty(p, 'length', 'c').value, 1);
    assertEq(assertProperty(p, 'name', 'c').value, '');
    assertList(Reflect.ownKeys(p), ['length', 'name']);
    assertThrows(TypeError, () => new p());
    assert(Object.isExtensible(p));
    assert(promising(f) !== p, 'a new one each time');
    assertEq(Object.prototype.toString.call(p), '[object Function]');
    assert(/\[native code\]/.test(Function.prototype.toString.call(p)));
  }
}, { v8: 'has the function\'s own length and index' });

test('a promising function returns a promise of the realm, whatever became of Promise', async () => {
  const p = echo('i32');
  const { Promise } = globalThis;
  let promise;
  try {
    globalThis.Promise = class Own {};
    promise = p(7);
  } finally {
    globalThis.Promise = Promise;
  }
  assertEq(Object.getPrototypeOf(promise), Promise.prototype);
  assertEq(Reflect.ownKeys(promise).length, 0);
  assertEq(await promise, 7);
  assert(p(1) !== p(1));
  assertEq(await p.call({ valueOf: fail }, 3), 3);
  assertEq(await Reflect.apply(p, null, [4, 5, 6]), 4, 'more arguments');
  assertEq(await p(), 0, 'fewer arguments');
});

test('Suspending takes functions only, and wants new', () => {
  for (const value of [undefined, null, 1, 'f', {}, Symbol(), /x/, new Suspending(() => {})]) {
    assertThrows(TypeError, () => new Suspending(value));
  }
  assertThrows(TypeError, () => new Suspending());
  assertThrows(TypeError, () => Suspending(() => {}));
  for (const f of [() => {}, class {}, Math.max, new Proxy(() => {}, {}), (() => {}).bind(), Suspending]) {
    const object = new Suspending(f);
    assertEq(Object.getPrototypeOf(object), Suspending.prototype);
    assertEq(Reflect.ownKeys(object).length, 0);
    assertEq(typeof object, 'object');
    assertEq(Object.prototype.toString.call(object), '[object WebAssembly.Suspending]');
  }
});

test('Suspending asks its function for nothing', () => {
  const f = new Proxy(() => {}, new Proxy({}, { get: (_, trap) => fail(`asked for ${String(trap)}`) }));
  assert(new Suspending(f) instanceof Suspending);
});

test('an object of a subclass of Suspending suspends', async () => {
  class Own extends Suspending {}
  const object = new Own(() => Promise.resolve(5));
  assertEq(Object.getPrototypeOf(object), Own.prototype);
  Object.setPrototypeOf(object, null);
  assertEq(await promising(relay([], ['i32'], object).run)(), 5);
}, { v8: 'makes no instances of subclasses' });

// Imports

test('an object with the slot is what counts, and only for functions', () => {
  const s = new Suspending(() => {});
  for (const value of [new Proxy(s, {}), Object.create(s), { __proto__: Suspending.prototype }, Suspending.prototype]) {
    assertThrows(LinkError, () => relay([], [], value));
  }
  for (const kind of ['Memory', 'Table', 'Global', 'Tag']) {
    const b = new WasmBuilder();
    b[`import${kind}`]('m', 'x', { Memory: { min: 0 }, Table: { min: 0 }, Global: 'i32', Tag: [] }[kind]);
    assertThrows(LinkError, () => b.instance({ m: { x: s } }));
  }
});

test('as an import of a global of externref it is an object like others', () => {
  const s = new Suspending(() => {});
  const b = new WasmBuilder();
  b.importGlobal('m', 'x', 'externref');
  b.export('x', 'global', 0);
  assertEq(b.instance({ m: { x: s } }).exports.x.value, s);
});

test('a Suspending object in many imports and instances', async () => {
  const calls = [];
  const s = new Suspending((x) => { calls.push(x); return Promise.resolve(x + 1); });
  const b = new WasmBuilder();
  const [f, g] = [b.importFunc('m', 'f', ['i32'], ['i32']), b.importFunc('m', 'f', ['f64'], ['f64'])];
  b.func(['i32', 'f64'], ['i32', 'f64'], [op.localGet(0), op.call(f), op.localGet(1), op.call(g)], { export: 'run' });
  const module = b.module();
  const results = await Promise.all([0, 10].map((x) => promising(new Instance(module, { m: { f: s } }).exports.run)(x, x + 0.5)));
  assertList(results.flat(), [1, 1.5, 11, 11.5]);
  assertList(calls, [0, 10, 0.5, 10.5]);
});

test('the function is called with undefined and the arguments, once a call', async () => {
  const seen = [];
  const run = suspending(['i32', 'f64'], [], function f(...args) { seen.push([this, new.target, ...args]); });
  assertEq(await run(1, 2.5), undefined);
  assertEq(await run(3, -0), undefined);
  assertList(seen.flat(), [undefined, undefined, 1, 2.5, undefined, undefined, 3, -0]);
});

test('proxies, bound functions and classes as the function', async () => {
  const bound = (function f(x, y) { return Promise.resolve(this.base + x + y); }).bind({ base: 100 }, 20);
  assertEq(await suspending(['i32'], ['i32'], bound)(3), 123);
  const traps = [];
  const proxy = new Proxy((x) => Promise.resolve(x), { apply(target, receiver, args) { traps.push(receiver, ...args); return target(9); } });
  assertEq(await suspending(['i32'], ['i32'], proxy)(3), 9);
  assertList(traps, [undefined, 3]);
  await assertRejects(TypeError, () => suspending([], [], class {})());
  const { proxy: revoked, revoke } = Proxy.revocable(() => {}, {});
  const late = suspending([], [], revoked);
  revoke();
  await assertRejects(TypeError, () => late());
});

test('a function of a guest as the function: it is converted to and from', async () => {
  const run = suspending(['i64'], ['i64'], wasmFunction(['externref'], ['externref'], op.localGet(0)));
  assertEq(await run(5n), 5n);
}, { v8: 'refuses it' });

test('a promising function as the function: both wait', async () => {
  const { promise, resolve } = deferred();
  const order = [];
  const inner = suspending(['i32'], ['i32'], (x) => { order.push(`inner ${x}`); return promise; });
  const outer = suspending(['i32'], ['i32'], inner)(1);
  outer.then((value) => order.push(`outer ${value}`));
  await 0;
  assertList(order, ['inner 1']);
  resolve(7);
  assertEq(await outer, 7);
  assertList(order, ['inner 1', 'outer 7']);
}, { v8: 'refuses it' });

test('a suspending import that is exported', async () => {
  const { f, run } = relay(['i32'], ['i32'], new Suspending((x) => Promise.resolve(x * 2)));
  assertEq(await promising(f)(4), 8);
  assertEq(await promising(run)(5), 10);
  assertThrows(SuspendError, () => f(1));
  // Imported by another, it is the same function: nothing is between the two guests.
  assertEq(await promising(relay(['i32'], ['i32'], f).run)(6), 12);
  assertThrows(SuspendError, () => relay(['i32'], ['i32'], f).run(6));
});

test('an export of another instance between the promising call and the import', async () => {
  const inner = relay(['i32'], ['i32'], new Suspending((x) => Promise.resolve(x + 1)));
  const outer = relay(['i32'], ['i32'], inner.run);
  assertEq(await promising(outer.run)(1), 2);
  const calls = Array.from({ length: 10 }, (_, i) => promising(outer.run)(i));
  assertList(await Promise.all(calls), calls.map((_, i) => i + 1));
});

// Arguments and results

test('numbers through an import that suspends', async () => {
  for (const [type, pairs] of Object.entries({
    i32: [[0, 0], [-1, -1], [2 ** 31, -(2 ** 31)], [4.9, 4], ['7', 7], [undefined, 0], [{ valueOf: () => 3 }, 3]],
    i64: [[0n, 0n], [-1n, -1n], [2n ** 63n, -(2n ** 63n)], ['12', 12n], [true, 1n]],
    f32: [[0.1, Math.fround(0.1)], [NaN, NaN], [-0, -0], [1e300, Infinity], [undefined, NaN]],
    f64: [[0.1, 0.1], [NaN, NaN], [-0, -0], ['1e3', 1000], [-Infinity, -Infinity]],
  })) {
    for (const [given, expected] of pairs) {
      let seen;
      const run = suspending([type], [type], (x) => { seen = x; return Promise.resolve(given); });
      assertEq(await run(given), expected, `${type} back`);
      assertEq(seen, expected, `${type} there`);
      assertEq(await echo(type)(given), expected, `${type} without suspension`);
    }
  }
});

test('references through an import that suspends', async () => {
  const f = wasmFunction([], [], []);
  const object = { x: 1 };
  for (const [type, values] of Object.entries({
    externref: [object, null, undefined, 'text', 5, 5n, Symbol.iterator, f, NaN, true],
    funcref: [f, null, promising === null ? f : relay([], [], () => {}).f],
    anyref: [object, null, 5, -7, 'text', f, 2 ** 40],
  })) {
    for (const value of values) {
      let seen;
      const run = suspending([type], [type], (x) => { seen = x; return Promise.resolve(value); });
      assertEq(await run(value), value, `${type} back`);
      assertEq(seen, value, `${type} there`);
      assertEq(await echo(type)(value), value, `${type} without suspension`);
    }
  }
});

test('many parameters and results of all types', async () => {
  const types = ['i32', 'i64', 'f32', 'f64', 'externref', 'funcref', 'i64', 'externref', 'f64', 'i32', 'anyref'];
  const f = wasmFunction([], [], []);
  const [a, b, c] = [{}, [], { c: 1 }];
  const values = [-5, 2n ** 62n, 1.5, Math.PI, a, f, -3n, b, -0, 2 ** 31 - 1, c];
  const seen = [];
  const run = suspending(types, types, (...args) => { seen.push(...args); return Promise.resolve({ *[Symbol.iterator]() { yield* args; } }); });
  const result = await run(...values);
  assert(Array.isArray(result) && Object.getPrototypeOf(result) === Array.prototype);
  assertList(result, values);
  assertList(seen, values);
  assertList(await echo(...types)(...values), values);
});

test('several results are read from an iterable, after the promise', async () => {
  const log = [];
  const iterable = {
    get [Symbol.iterator]() {
      log.push('asked');
      return function* () { log.push('first'); yield { valueOf() { log.push('converted'); return 1; } }; log.push('second'); yield 2; };
    },
  };
  const promise = suspending([], ['i32', 'i32'], () => Promise.resolve(iterable))();
  assertList(log, []);
  assertList(await promise, [1, 2]);
  assertList(log, ['asked', 'first', 'second', 'converted']);
  for (const wrong of [[1], [1, 2, 3], undefined, null, 5, { 0: 1, 1: 2, length: 2 }]) {
    await assertRejects(TypeError, () => suspending([], ['i32', 'i32'], () => Promise.resolve(wrong))());
  }
});

test('results of functions without any are ignored, and not converted', async () => {
  assertEq(await suspending([], [], () => Promise.resolve({ valueOf: fail, [Symbol.iterator]: fail }))(), undefined);
});

test('an argument that cannot be converted rejects', async () => {
  const calls = [];
  const run = suspending(['i32', 'i64'], [], () => { calls.push(1); });
  await assertRejects(TypeError, () => run(Symbol(), 1n));
  await assertRejects(TypeError, () => run(1, 1));
  await assertRejects(TypeError, () => run(1n, 1n));
  const error = { own: 1 };
  assertEq(await rejection(run({ valueOf() { throw error; } }, 1n)), error);
  await assertRejects(TypeError, () => echo('funcref')(() => {}));
  await assertRejects(TypeError, () => run());
  assertList(calls, []);
}, { v8: 'throws' });

test('v128 at the boundary rejects, after nothing has been converted or called', async () => {
  const b = new WasmBuilder();
  b.func(['v128'], [], [], { export: 'takes' });
  b.func([], ['v128'], [op.unreachable], { export: 'gives' });
  const { takes, gives } = b.instance().exports;
  await assertRejects(TypeError, () => promising(takes)({ valueOf: fail }));
  await assertRejects(TypeError, () => promising(gives)());
}, { v8: 'throws' });

test('v128 in an import that suspends: a TypeError that the guest can catch, without a call', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', [], ['v128']);
  b.func([], [], [op.call(f), op.drop], { export: 'run' });
  await assertRejects(TypeError, () => promising(b.instance({ m: { f: new Suspending(fail) } }).exports.run)());
});

test('a result that cannot be converted is thrown into the guest, which can catch it', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  const js = b.importTag('m', 'js', ['externref']);
  b.func(['i32'], ['externref'], [
    op.block('externref'), op.tryTable('void', { tag: js, depth: 0 }), op.localGet(0), op.call(f), op.drop, op.end,
    op.refNull('externref'), op.end,
  ], { export: 'caught' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(f)], { export: 'run' });
  const error = { own: 1 };
  const values = [Symbol.iterator, 1n, { valueOf() { throw error; } }, 5];
  const { caught, run } = b.instance({ m: { f: new Suspending((i) => Promise.resolve(values[i])), js: JSTag } }).exports;
  assertEq(await promising(caught)(3), null);
  assertEq(await promising(caught)(2), error);
  assertEq(await rejection(promising(run)(2)), error);
  for (const i of [0, 1]) {
    assert(await promising(caught)(i) instanceof TypeError);
    await assertRejects(TypeError, () => promising(run)(i));
  }
});

test('conversions of a result run scripts, with the guest still waiting', async () => {
  const log = [];
  const { run } = relay(['i32'], ['i32'], new Suspending((x) => {
    log.push(`import ${x}`);
    return Promise.resolve({ valueOf() { log.push(`convert ${x}`); again?.(); return x + 1; } });
  }));
  let again = () => { again = undefined; others.push(promising(run)(10)); };
  const others = [];
  assertEq(await promising(run)(1), 2);
  assertEq(await others[0], 11);
  assertList(log, ['import 1', 'convert 1', 'import 10', 'convert 10']);
});

test('an externref that is a promise or a thenable resolves the promise of the call', async () => {
  const p = echo('externref');
  assertEq(await p(Promise.resolve(5)), 5);
  assertEq(await p({ then(resolve) { resolve('thenable'); } }), 'thenable');
  const error = {};
  assertEq(await rejection(p(Promise.reject(error))), error);
  assertEq(await rejection(p({ get then() { throw error; } })), error);
  const given = suspending([], ['externref'], async () => [promise]);
  const promise = Promise.resolve(6);
  assertEq(await (await given())[0], 6);
}, { v8: 'fulfils with it' });

test('several results that are thenables are left alone', async () => {
  const thenable = { then: fail };
  const result = await echo('externref', 'i32')(thenable, 1);
  assertEq(result[0], thenable);
});

// When things happen

test('a call runs up to its first import that suspends before it returns', async () => {
  const order = [];
  const b = new WasmBuilder();
  const plain = b.importFunc('m', 'plain', ['i32']);
  const wait = b.importFunc('m', 'wait');
  b.func([], [], [op.i32(1), op.call(plain), op.call(wait), op.i32(2), op.call(plain), op.call(wait), op.i32(3), op.call(plain)],
    { export: 'run' });
  const { run } = b.instance({ m: { plain: (x) => order.push(x), wait: new Suspending(() => { order.push('wait'); }) } }).exports;
  const promise = promising(run)();
  order.push('returned');
  promise.then(() => order.push('settled'));
  assertList(order, [1, 'wait', 'returned']);
  await promise;
  assertList(order, [1, 'wait', 'returned', 2, 'wait', 3, 'settled']);
});

test('what is no promise suspends all the same', async () => {
  for (const value of [5, undefined, null, {}, { then: 1 }]) {
    const order = [];
    const b = new WasmBuilder();
    const wait = b.importFunc('m', 'wait', [], ['externref']);
    const plain = b.importFunc('m', 'plain', ['externref']);
    b.func([], [], [op.call(wait), op.call(plain)], { export: 'run' });
    const { run } = b.instance({ m: { plain: (x) => order.push(x), wait: new Suspending(() => value) } }).exports;
    const promise = promising(run)();
    order.push('returned');
    await promise;
    assertList(order, ['returned', value]);
  }
});

test('a call that suspends nowhere settles like an async function without await', async () => {
  const order = [];
  const p = echo('i32');
  (async () => 1)().then(() => order.push('async 1'));
  p(2).then(() => order.push('guest 2'));
  (async () => 3)().then(() => order.push('async 3'));
  p(Symbol()).catch(() => order.push('guest 4'));
  (async () => { throw 5; })().catch(() => order.push('async 5'));
  await never.length;
  for (let i = 0; i < 5; i++) await 0;
  assertList(order, ['async 1', 'guest 2', 'async 3', 'guest 4', 'async 5']);
}, { v8: 'throws where an argument cannot be converted' });

/** How many jobs run before `promise` is fulfilled. */
async function ticks(promise) {
  let count = 0;
  let done = false;
  promise.then(() => { done = true; }, () => { done = true; });
  for (; !done; count++) await 0;
  return count;
}

test('a suspension takes as many jobs as an await', async () => {
  const values = {
    'a number': () => 1,
    'a fulfilled promise': () => Promise.resolve(1),
    'a rejected promise': () => Promise.reject(new Error('no')),
    'a thenable': () => ({ then(f) { f(1); } }),
    'an async function': async () => 1,
    'an async function that waits': async () => { await 0; return 1; },
    'a promise of a subclass': () => (class extends Promise {}).resolve(1),
    'a throw': () => { throw new Error('no'); },
  };
  for (const [name, f] of Object.entries(values)) {
    const expected = await ticks((async () => { await f(); })());
    assertEq(await ticks(suspending([], [], f)()), expected, name);
  }
});

test('in a loop too', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  b.func(['i32'], [], [
    op.loop(), op.call(f), op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
  ], { export: 'run' });
  const { run } = b.instance({ m: { f: new Suspending(() => Promise.resolve()) } }).exports;
  const expected = await ticks((async () => { for (let i = 0; i < 10; i++) await Promise.resolve(); })());
  assertEq(await ticks(promising(run)(10)), expected);
});

test('jobs of guests and of scripts take turns', async () => {
  const order = [];
  const { run } = relay(['i32'], [], new Suspending((x) => { order.push(`import ${x}`); return Promise.resolve(); }));
  const p = promising(run);
  p(1).then(() => order.push('settled 1'));
  Promise.resolve().then(() => order.push('job'));
  p(2).then(() => order.push('settled 2'));
  for (let i = 0; i < 5; i++) await 0;
  assertList(order, ['import 1', 'import 2', 'job', 'settled 1', 'settled 2']);
});

test('an import that throws does so at once', async () => {
  const order = [];
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const plain = b.importFunc('m', 'plain');
  b.func([], [], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(f), op.end, op.return, op.end, op.call(plain),
  ], { export: 'run' });
  const { run } = b.instance({ m: { f: new Suspending(() => { throw new Error('no'); }), plain: () => order.push('caught') } }).exports;
  const promise = promising(run)();
  order.push('returned');
  assertEq(await promise, undefined);
  assertList(order, ['caught', 'returned']);
});

test('neither then nor constructor of native promises are asked for, but what PromiseResolve asks for', async () => {
  const promise = Promise.resolve(5);
  const asked = [];
  Object.defineProperty(promise, 'then', { get: () => fail('asked for then') });
  Object.defineProperty(promise, 'constructor', { get() { asked.push('constructor'); return Promise; } });
  assertEq(await suspending([], ['i32'], () => promise)(), 5);
  assertList(asked, ['constructor']);
});

test('a constructor that cannot be read is thrown into the guest at once', async () => {
  const error = {};
  const promise = Promise.resolve(5);
  Object.defineProperty(promise, 'constructor', { get() { throw error; } });
  assertEq(await rejection(suspending([], ['i32'], () => promise)()), error);
});

test('promises of subclasses are asked for then', async () => {
  let asked = 0;
  class Own extends Promise { then(...args) { asked++; return super.then(...args); } }
  assertEq(await suspending([], ['i32'], () => Own.resolve(5))(), 5);
  assertEq(asked, 1);
});

test('Promise, its prototype and its species overwritten by a script', async () => {
  const { then, constructor } = Promise.prototype;
  const [run, plain] = [suspending(['i32'], ['i32'], (x) => promise ?? x), echo('i32')];
  const promise = new Promise((resolve) => { resolve(6); });
  const { resolve } = Promise;
  let call; let other;
  Promise.prototype.then = () => fail('Promise.prototype.then was called');
  Promise.resolve = () => fail('Promise.resolve was called');
  Object.defineProperty(Promise, Symbol.species, { configurable: true, get: () => fail('species was asked for') });
  try {
    call = run(1);
    other = plain(2);
  } finally {
    Promise.prototype.then = then;
    Promise.prototype.constructor = constructor;
    Promise.resolve = resolve;
    Object.defineProperty(Promise, Symbol.species, { configurable: true, get() { return this; } });
  }
  assertEq(await call, 6);
  assertEq(await other, 2);
});

test('a thenable that settles often, late, or throws afterwards settles once', async () => {
  let again;
  const run = suspending([], ['i32'], () => ({
    then(resolve, reject) { again = [resolve, reject]; resolve(1); resolve(2); reject(3); throw 4; },
  }));
  assertEq(await run(), 1);
  again[0](5);
  again[1](6);
  const error = {};
  assertEq(await rejection(suspending([], [], () => ({ then() { throw error; } }))()), error);
  assertEq(await suspending([], ['i32'], () => ({ then(resolve) { resolve({ then(f) { f(8); } }); } }))(), 8);
});

test('a rejected call that nobody handles is like any rejected promise', async () => {
  // With a handler that comes in time, nothing is reported.
  const promise = suspending([], [], () => Promise.reject(new Error('handled')))();
  await 0;
  assertEq((await rejection(promise)).message, 'handled');
});

// Where an import may not suspend

/** `outer` calls the import `between`; `inner` calls the import `wait`, which suspends; both return what they get. */
function sandwich(between, wait) {
  const b = new WasmBuilder();
  const [f, g] = [b.importFunc('m', 'between', [], ['i32']), b.importFunc('m', 'wait', [], ['i32'])];
  b.func([], ['i32'], [op.call(f)], { export: 'outer' });
  b.func([], ['i32'], [op.call(g)], { export: 'inner' });
  b.func([], ['i32'], [op.call(f), op.call(g), op.i32Add], { export: 'both' });
  return b.instance({ m: { between, wait: new Suspending(wait) } }).exports;
}

test('an ordinary call: the function is not called', () => {
  const { inner } = sandwich(() => 0, () => fail('called'));
  assertThrows(SuspendError, () => inner());
  assertThrows(SuspendError, () => [1].map(inner));
});

test('a frame of a script between the promising call and the import', async () => {
  const e = sandwich(() => e.inner(), () => fail('called'));
  await assertRejects(SuspendError, () => promising(e.outer)());
  const other = sandwich(() => e.inner(), () => 0);
  await assertRejects(SuspendError, () => promising(other.outer)());
});

test('the script between may catch it, and the guest may suspend afterwards', async () => {
  let seen;
  const e = sandwich(() => { seen = thrown(() => e.inner(), 'a SuspendError'); return 1; }, () => Promise.resolve(41));
  assertEq(await promising(e.both)(), 42);
  assert(seen instanceof SuspendError);
});

test('native functions between, getters and conversions', async () => {
  const ways = {
    'Array.prototype.map': (f) => [0].map(f)[0],
    'a proxy': (f) => new Proxy(f, {})(),
    'a bound function': (f) => f.bind()(),
    'Reflect.apply': (f) => Reflect.apply(f, undefined, []),
    'a getter': (f) => ({ get x() { return f(); } }).x,
    'valueOf': (f) => +{ valueOf: f },
    'a conversion of what is returned': (f) => ({ valueOf: f }),
    'a conversion of an argument': (f) => wasmFunction(['i32'], ['i32'], op.localGet(0))({ valueOf: f }),
    'a generator': (f) => [...(function* () { yield f(); })()][0],
    'a tagged template': (f) => f`x`,
    'a finally block': (f) => { try { /* Empty. */ } finally { f(); } return 0; },
  };
  for (const [name, way] of Object.entries(ways)) {
    const e = sandwich(() => way(e.inner), () => fail('called'));
    const error = await rejection(promising(e.outer)());
    assert(error instanceof SuspendError, `${name}: ${error}`);
  }
});

test('an import that is the export itself has no script in between', async () => {
  const { inner } = sandwich(() => 0, () => Promise.resolve(3));
  assertEq(await promising(sandwich(inner, () => 0).outer)(), 3);
});

test('as an import, what promising returns is a function like others: its promise is converted', async () => {
  const inner = promising(sandwich(() => 0, () => Promise.resolve(3)).inner);
  assertEq(await promising(sandwich(inner, () => 0).outer)(), 0);
  assertEq(await promising(relay([], ['externref'], inner).run)(), 3);
  const promise = relay([], ['externref'], inner).run();
  assert(promise instanceof Promise);
  assertEq(await promise, 3);
}, { v8: 'imports the function below it' });

test('the function of a suspending import is a script: no suspension below it', async () => {
  let seen;
  const e = sandwich(() => 0, () => { seen ??= thrown(() => e.inner(), 'a SuspendError'); return Promise.resolve(1); });
  assertEq(await promising(e.inner)(), 1);
  assert(seen instanceof SuspendError);
});

test('but a promising call of its own may suspend anywhere', async () => {
  const inner = [];
  let count = 0;
  const e = sandwich(() => { inner.push(promising(e.inner)()); return 1; }, () => Promise.resolve(++count));
  assertEq(e.outer(), 1, 'below an ordinary call');
  assertEq(await promising(e.outer)(), 1);
  assertEq(await promising(e.both)(), 1 + 4, 'and so does the outer one');
  assertList(await Promise.all(inner), [1, 2, 3]);
});

test('after a call has suspended, an ordinary call still may not', async () => {
  const { promise, resolve } = deferred();
  const { inner } = sandwich(() => 0, () => promise);
  const waiting = promising(inner)();
  assertThrows(SuspendError, () => inner());
  await 0;
  assertThrows(SuspendError, () => inner());
  resolve(5);
  assertEq(await waiting, 5);
  assertThrows(SuspendError, () => inner());
});

test('nor may it in a job that goes on with a guest', async () => {
  let seen;
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait');
  const plain = b.importFunc('m', 'plain');
  b.func([], [], [op.call(wait), op.call(plain), op.call(wait)], { export: 'run' });
  const { run } = b.instance({ m: { wait: new Suspending(() => 0), plain() { seen = thrown(run, 'a SuspendError'); } } }).exports;
  assertEq(await promising(run)(), undefined);
  assert(seen instanceof SuspendError);
});

test('start functions', async () => {
  const b = new WasmBuilder();
  b.start(b.func([], [], op.call(b.importFunc('m', 'f'))));
  const module = b.module();
  const imports = { m: { f: new Suspending(() => fail('called')) } };
  assertThrows(SuspendError, () => new Instance(module, imports));
  await assertRejects(SuspendError, () => WebAssembly.instantiate(module, imports));
  // Below a promising call, the constructor is in between.
  const { run } = relay([], [], () => { new Instance(module, imports); });
  await assertRejects(SuspendError, () => promising(run)());
});

test('a suspending import as the start function', () => {
  const b = new WasmBuilder();
  b.start(b.importFunc('m', 'f'));
  assertThrows(SuspendError, () => b.instance({ m: { f: new Suspending(() => fail('called')) } }));
}, { v8: 'calls it' });

test('a start function that catches it', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const global = b.global('i32', op.i32(0), { mutable: true, export: 'g' });
  b.start(b.func([], [], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(f), op.end, op.return, op.end, op.i32(1), op.globalSet(global),
  ]));
  assertEq(b.instance({ m: { f: new Suspending(fail) } }).exports.g.value, 1);
});

test('a SuspendError that the guest catches by JSTag', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const js = b.importTag('m', 'js', ['externref']);
  b.func([], ['externref'], [
    op.block('externref'), op.tryTable('void', { tag: js, depth: 0 }), op.call(f), op.end, op.refNull('externref'), op.end,
  ], { export: 'run' });
  const { run } = b.instance({ m: { f: new Suspending(fail), js: JSTag } }).exports;
  assert(run() instanceof SuspendError);
  assertEq(Object.getPrototypeOf(run()), SuspendError.prototype);
  const { run: outer } = relay([], ['externref'], () => run());
  assert(await promising(outer)() instanceof SuspendError);
});

test('SuspendError of the script makes no difference', () => {
  const { SuspendError: original } = WebAssembly;
  WebAssembly.SuspendError = class Own {};
  try {
    assertThrows(original, () => relay([], [], new Suspending(() => {})).run());
  } finally {
    WebAssembly.SuspendError = original;
  }
});

test('tables and globals of functions', async () => {
  const b = new WasmBuilder();
  const type = b.type(['i32'], ['i32']);
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  b.table({ min: 2 }, { export: 'table' });
  b.global('funcref', op.refFunc(f), { export: 'global' });
  b.elem(0, 0, [f]);
  b.func(['i32', 'i32'], ['i32'], [op.localGet(1), op.localGet(0), op.callIndirect(type)], { export: 'call' });
  b.func([], ['funcref'], [op.refFunc(f)], { export: 'get' });
  const { call, get, global, table } = b.instance({ m: { f: new Suspending((x) => Promise.resolve(x + 1)) } }).exports;
  assertEq(await promising(call)(0, 5), 6);
  assertThrows(SuspendError, () => call(0, 5));
  for (const found of [table.get(0), global.value, get()]) {
    assertEq(found, get());
    assertEq(await promising(found)(7), 8);
    assertThrows(SuspendError, () => found(7));
  }
  await assertRejects(RuntimeError, () => promising(call)(1, 5));
});

test('a function of another guest in a table', async () => {
  const b = new WasmBuilder();
  b.table({ min: 1 }, { export: 'table' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.i32(0), op.callIndirect(b.type(['i32'], ['i32']))], { export: 'call' });
  const { call, table } = b.instance().exports;
  table.set(0, relay(['i32'], ['i32'], new Suspending((x) => Promise.resolve(x * 3))).run);
  // Here a call to an instance that is not linked goes through JavaScript (docs/deviations.md).
  if (onV8) assertEq(await promising(call)(5), 15);
  else await assertRejects(SuspendError, () => promising(call)(5));
});

test('tail calls of suspending imports', async () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32'], ['i32']);
  b.func(['i32'], ['i32'], [op.localGet(0), op.returnCall(f)], { export: 'run' });
  const { run } = b.instance({ m: { f: new Suspending((x) => Promise.resolve(x + 1)) } }).exports;
  assertEq(await promising(run)(1), 2);
  assertThrows(SuspendError, () => run(1));
});

if (WebAssembly.Function) {
  const typed = (parameters, results, f) => new WebAssembly.Function({ parameters, results }, f);

  test('promising of a WebAssembly.Function', async () => {
    const f = typed(['i32'], ['i32'], (x) => x + 1);
    assertEq(await promising(f)(1), 2);
    const error = {};
    assertEq(await rejection(promising(typed([], [], () => { throw error; }))()), error);
    await assertRejects(TypeError, () => promising(f)(Symbol()));
    assertEq(await promising(typed([], ['externref'], () => Promise.resolve(4)))(), 4);
  });

  test('below a WebAssembly.Function of a script nothing suspends', async () => {
    const e = sandwich(typed([], ['i32'], () => e.inner()), () => fail('called'));
    await assertRejects(SuspendError, () => promising(e.outer)());
  });

  test('Suspending of a WebAssembly.Function', async () => {
    assertEq(await suspending(['i32'], ['i32'], typed(['i32'], ['i32'], (x) => x + 1))(1), 2);
  });
}
