// Exceptions on their way: through any nesting of scripts and guests, by every kind of catch, kept and thrown again.
import {
  assert, assertEq, assertList, assertRejects, assertThrows, assertThrowsValue, fail, test,
} from '../harness.mjs';
import { WasmBuilder, op, ref, refNull } from '../wasm-builder.mjs';

const { Exception, Instance, JSTag, RuntimeError, Tag } = WebAssembly;

function caught(fn) {
  let result;
  try { result = fn(); } catch (error) { return error; }
  return fail(`threw nothing, returned ${String(result)}`);
}

/**
 * A module with the tag `m.tag` of an i32 and the import `m.f`. Its functions call `f` and
 * - `passes`: catch nothing;
 * - `catches`, `catchesRef`, `catchesAll`, `catchesAllRef`: catch what that says. They return the i32 of what was caught,
 *   -1 if it has none, 0 if nothing was thrown;
 * - `rethrows`, `rethrowsAll`: catch with the exnref and throw that;
 * - `replaces`: catch all and throw 99 instead;
 * - `keeps`: catch all and keep the exnref in a global, a table and return; `again`, `againTable`: throw it.
 */
function catcherModule() {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const tag = b.importTag('m', 'tag', ['i32']);
  const payloadAndRef = b.type([], ['i32', 'exnref']);
  const kept = b.global('exnref', op.refNull('exnref'), { mutable: true });
  const table = b.table({ element: 'exnref', min: 4 });
  b.func(['i32'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
  b.func([], [], op.call(f), { export: 'passes' });
  b.func([], ['i32'], [
    op.block('i32'), op.tryTable('void', { tag, depth: 0 }), op.call(f), op.end, op.i32(0), op.end,
  ], { export: 'catches' });
  b.func([], ['i32'], [
    op.block(payloadAndRef), op.tryTable('void', { tag, depth: 0, ref: true }), op.call(f), op.end, op.i32(0), op.return,
    op.end, op.drop,
  ], { export: 'catchesRef' });
  b.func([], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(f), op.end, op.i32(0), op.return, op.end, op.i32(-1),
  ], { export: 'catchesAll' });
  b.func([], ['i32'], [
    op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.call(f), op.end, op.i32(0), op.return,
    op.end, op.drop, op.i32(-1),
  ], { export: 'catchesAllRef' });
  b.func([], [], [
    op.block(payloadAndRef), op.tryTable('void', { tag, depth: 0, ref: true }), op.call(f), op.end, op.return,
    op.end, op.throwRef,
  ], { export: 'rethrows' });
  b.func([], [], [
    op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.call(f), op.end, op.return, op.end, op.throwRef,
  ], { export: 'rethrowsAll' });
  b.func([], [], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(f), op.end, op.return, op.end, op.i32(99), op.throw(tag),
  ], { export: 'replaces' });
  b.func(['i32'], ['i32'], [
    op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.call(f), op.end, op.i32(0), op.return,
    op.end, op.localSet(1), op.localGet(1), op.globalSet(kept),
    op.localGet(0), op.localGet(1), op.tableSet(table), op.i32(1),
  ], { export: 'keeps', locals: ['exnref'] });
  b.func([], [], [op.globalGet(kept), op.throwRef], { export: 'again' });
  b.func(['i32'], [], [op.localGet(0), op.tableGet(table), op.throwRef], { export: 'againTable' });
  b.func([], [], [op.refNull('exnref'), op.globalSet(kept)], { export: 'forget' });
  return b.module();
}
const CATCHER = catcherModule();
const catcher = (tag, f) => new Instance(CATCHER, { m: { tag, f } }).exports;
const i32Tag = () => new Tag({ parameters: ['i32'] });

const EVERY_VALUE = [
  undefined, null, 0, -0, NaN, 1.5, 2 ** 40, '', 'text', true, 7n, Symbol('s'), {}, [], () => {}, new Error('e'),
  Object.freeze({ frozen: true }), new Proxy({}, {}), catcher(i32Tag(), () => {}).throws, i32Tag(), Promise.resolve(),
];

test('every way of catching, for each thing thrown', () => {
  const tag = i32Tag();
  const guest = catcher(tag, () => {});
  const throwers = [
    [() => { throw new Exception(tag, [7]); }, 7], [() => guest.throws(7), 7], [() => {}, 0],
    [() => { throw new Exception(i32Tag(), [7]); }, undefined],
    ...EVERY_VALUE.map((value) => [() => { throw value; }, undefined]),
  ];
  for (const [f, payload] of throwers) {
    const all = payload === 0 ? 0 : -1;
    const { catches, catchesRef, catchesAll, catchesAllRef } = catcher(tag, f);
    assertEq(catchesAll(), all);
    assertEq(catchesAllRef(), all);
    if (payload !== undefined) {
      assertEq(catches(), payload);
      assertEq(catchesRef(), payload);
    } else {
      const thrown = caught(catches);
      if (!(thrown instanceof Exception)) assertEq(caught(catchesRef), thrown);
    }
  }
});

test('every value passes through, and is thrown again, as it is', () => {
  const tag = i32Tag();
  for (const value of EVERY_VALUE) {
    const { passes, catches, catchesRef, rethrows, rethrowsAll, keeps, again, againTable } =
      catcher(tag, () => { throw value; });
    for (const fn of [passes, catches, catchesRef, rethrows, rethrowsAll]) assertThrowsValue(value, fn);
    assertEq(keeps(2), 1);
    for (let i = 0; i < 3; i++) {
      assertThrowsValue(value, again);
      assertThrowsValue(value, () => againTable(2));
    }
  }
});

test('an Exception keeps its identity and own properties in a global, a table and through rethrows', () => {
  const tag = i32Tag();
  const exception = new Exception(tag, [5]);
  exception.mark = 'own';
  const { passes, rethrows, rethrowsAll, keeps, again, againTable } = catcher(tag, () => { throw exception; });
  for (const fn of [passes, rethrows, rethrowsAll]) assertThrowsValue(exception, fn);
  keeps(1);
  globalThis.gc?.();
  assertThrowsValue(exception, again);
  assertThrowsValue(exception, () => againTable(1));
  assertEq(caught(again).mark, 'own');
});

test('an exception that a guest threw is one object, whoever sees it', () => {
  const tag = i32Tag();
  const { throws } = catcher(tag, () => {});
  let seen;
  const middle = catcher(tag, () => { try { throws(3); } catch (error) { seen = error; error.mark = 1; throw error; } });
  middle.keeps(0);
  assertThrowsValue(seen, middle.again);
  assertThrowsValue(seen, () => middle.againTable(0));
  assertEq(seen.getArg(tag, 0), 3);
  assertEq(caught(middle.again).mark, 1);
});

test('own properties of an exception that a guest alone keeps', () => {
  const tag = i32Tag();
  const exports = catcher(tag, () => { throw Object.assign(new Exception(tag, [1]), { mark: 'own' }); });
  exports.keeps(0);
  globalThis.gc?.();
  for (let i = 0; i < 50; i++) { const e = caught(() => exports.throws(i)); assertEq(e.getArg(tag, 0), i); }
  globalThis.gc?.();
  assertEq(caught(exports.again).mark, 'own');
});

test('own properties of many exceptions that a guest alone keeps', () => {
  const tag = i32Tag();
  const exports = catcher(tag, () => { throw Object.assign(new Exception(tag, [1]), { mark: 'own' }); });
  exports.keeps(0);
  for (let i = 0; i < 200; i++) exports.keeps(1);
  globalThis.gc?.();
  assertEq(caught(() => exports.againTable(0)).mark, 'own');
});

test('values that a guest alone keeps', () => {
  const exports = catcher(i32Tag(), () => { throw { mark: 'own' }; });
  exports.keeps(0);
  globalThis.gc?.();
  for (let i = 0; i < 200; i++) caught(() => exports.throws(i));
  globalThis.gc?.();
  assertEq(caught(exports.again).mark, 'own');
});

test('a null exnref traps', () => {
  const { again, againTable } = catcher(i32Tag(), () => {});
  assertThrows(RuntimeError, again);
  assertThrows(RuntimeError, () => againTable(0));
});

test('scripts and guests alternate: each level may catch, replace or pass on', () => {
  const tag = i32Tag();
  const innermost = new Exception(tag, [1]);
  const levels = [];
  let f = () => { throw innermost; };
  for (let depth = 0; depth < 30; depth++) {
    const inner = f;
    const guest = catcher(tag, () => inner());
    const way = ['passes', 'rethrows', 'rethrowsAll'][depth % 3];
    f = () => {
      try {
        return guest[way]();
      } catch (error) {
        levels.push(error);
        throw error;
      } finally {
        levels.push(depth);
      }
    };
  }
  assertThrowsValue(innermost, f);
  assertList(levels, Array.from({ length: 30 }, (_, depth) => [innermost, depth]).flat());
  const replaced = catcher(tag, f);
  const exception = caught(replaced.replaces);
  assert(exception !== innermost);
  assertEq(exception.getArg(tag, 0), 99);
  assertEq(replaced.catches(), 1);
});

test('one tag in unrelated instances, another in each', () => {
  const [shared, other] = [i32Tag(), i32Tag()];
  const inner = catcher(other, () => { throw new Exception(shared, [4]); });
  const outer = catcher(shared, () => { inner.catches(); });
  assertEq(outer.catches(), 4);
  const thrown = caught(inner.catches);
  assert(thrown.is(shared));
  assert(!thrown.is(other));
});

test('an exported tag imported elsewhere is the same tag', () => {
  const b = new WasmBuilder();
  const tag = b.tag(['i32'], { export: 'tag' });
  b.export('again', 'tag', tag);
  b.func(['i32'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
  const source = b.instance().exports;
  assertEq(source.tag, source.again);
  assert(source.tag instanceof Tag);
  const taker = catcher(source.tag, () => source.throws(21));
  assertEq(taker.catches(), 21);
  assertEq(caught(() => source.throws(1)).getArg(source.tag, 0), 1);
  const other = b.instance().exports;
  assert(other.tag !== source.tag);
  assertEq(catcher(other.tag, () => source.throws(21)).catchesAll(), -1);
  assert(!caught(() => catcher(other.tag, () => source.throws(21)).catches()).is(other.tag));
});

/** A module with a tag of `types`, imported: `throws` takes the payload, `catches` calls `m.f` and returns it. */
function carrier(types, tag, f) {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f');
  const index = b.importTag('m', 'tag', types);
  b.func(types, [], [types.map((_, at) => op.localGet(at)), op.throw(index)], { export: 'throws' });
  const results = b.type([], types);
  b.func([], types, [
    op.block(results), op.tryTable('void', { tag: index, depth: 0 }), op.call(host), op.end, op.unreachable, op.end,
  ], { export: 'catches' });
  return b.instance({ m: { f, tag } }).exports;
}

test('payloads of every type of a script\'s tag', () => {
  const types = ['i32', 'i64', 'f32', 'f64', 'externref', 'funcref'];
  const tag = new Tag({ parameters: types.map((type) => (type === 'funcref' ? 'anyfunc' : type)) });
  const { throws } = catcher(i32Tag(), () => {});
  const object = {};
  for (const payload of [
    [-5, -(2n ** 63n), 0.5, -0, object, throws], [2 ** 31 - 1, 1n, NaN, Infinity, undefined, null], [0, 0n, 0, 0, null, throws],
    [1, 1n, 1, 5e-324, 'text', throws], [1, 1n, 1, 1, Symbol.iterator, null], [1, 1n, 1, 1, -0, null],
  ]) {
    const exception = new Exception(tag, payload);
    assertList(payload.map((_, at) => exception.getArg(tag, at)), payload);
    const guest = carrier(types, tag, () => { throw exception; });
    assertList(guest.catches(), payload);
    const second = caught(() => guest.throws(...payload));
    assertList(payload.map((_, at) => second.getArg(tag, at)), payload);
    assertList(payload.map((_, at) => second.getArg(tag, at)), payload, 'again');
    assertList(carrier(types, tag, () => { throw second; }).catches(), payload);
    assertList(carrier(types, tag, () => guest.throws(...payload)).catches(), payload);
  }
});

test('payloads of types below any, and typed functions', () => {
  const b = new WasmBuilder();
  const struct = b.structType(['i32']);
  const signature = b.type([], ['i32']);
  const types = [ref(struct), 'anyref', 'eqref', ref('i31'), refNull(signature), ref('extern')];
  const tag = b.tag(types, { export: 'tag' });
  const f = b.func([], ['i32'], op.i32(42), { export: 'f' });
  b.declare(f);
  b.func(['externref'], [], [
    op.i32(3), op.structNew(struct), op.i32(4), op.structNew(struct), op.i32(5), op.refI31, op.i32(6), op.refI31,
    op.refFunc(f), op.localGet(0), op.refAsNonNull, op.throw(tag),
  ], { export: 'throws' });
  b.func([ref(struct)], ['i32'], [op.localGet(0), op.structGet(struct, 0)], { export: 'get' });
  const exports = b.instance().exports;
  const exception = caught(() => exports.throws('text'));
  const args = types.map((_, at) => exception.getArg(exports.tag, at));
  assertEq(exports.get(args[0]), 3);
  assertEq(exports.get(args[1]), 4);
  assertList(args.slice(2), [5, 6, exports.f, 'text']);
  assertList(types.map((_, at) => exception.getArg(exports.tag, at)), args);
  const copy = new Exception(exports.tag, args);
  assertList(types.map((_, at) => copy.getArg(exports.tag, at)), args);
  const wrong = [null, undefined, 'text', 2 ** 30, () => {}, null];
  wrong.forEach((value, at) => {
    if (at === 1) return;
    assertThrows(TypeError, () => new Exception(exports.tag, args.with(at, value)));
  });
  assertThrows(TypeError, () => new Exception(exports.tag, args.with(4, exports.get)));
});

test('an exception whose payload is a struct, in an instance that shares its tag alone', () => {
  const make = () => {
    const b = new WasmBuilder();
    const struct = b.structType(['i32']);
    return { b, struct };
  };
  const { b, struct } = make();
  const tag = b.tag([refNull(struct)], { export: 'tag' });
  b.func(['i32'], [], [op.localGet(0), op.structNew(struct), op.throw(tag)], { export: 'throws' });
  const source = b.instance().exports;
  const taker = make();
  const host = taker.b.importFunc('m', 'f');
  const imported = taker.b.importTag('m', 'tag', [refNull(taker.struct)]);
  taker.b.func([], ['i32'], [
    op.block(refNull(taker.struct)), op.tryTable('void', { tag: imported, depth: 0 }), op.call(host), op.end,
    op.i32(0), op.return, op.end, op.structGet(taker.struct, 0),
  ], { export: 'catches' });
  taker.b.func([], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(host), op.end, op.i32(0), op.return, op.end, op.i32(-1),
  ], { export: 'catchesAll' });
  const { catches, catchesAll } = taker.b.instance({ m: { tag: source.tag, f: () => source.throws(9) } }).exports;
  assertEq(catches(), 9);
  assertEq(catchesAll(), -1);
});

test('an exception whose payload cannot follow it goes through an instance that does not know its tag', () => {
  const b = new WasmBuilder();
  const struct = b.structType(['i32']);
  const wide = b.tag(['v128'], { export: 'wide' });
  const inner = b.tag(['exnref'], { export: 'inner' });
  const held = b.tag([ref(struct)], { export: 'held' });
  b.func([], [], [op.structNewDefault(struct), op.throw(held)], { export: 'throwsHeld' });
  b.func([], [], [[0xfd, 0x0c, new Uint8Array(16)], op.throw(wide)], { export: 'throwsWide' });
  b.func([], [], [op.refNull('exnref'), op.throw(inner)], { export: 'throwsInner' });
  const { throwsHeld, throwsWide, throwsInner } = b.instance().exports;
  for (const throws of [throwsHeld, throwsWide, throwsInner]) {
    let seen;
    const f = () => { try { throws(); } catch (error) { seen = error; throw error; } };
    const guest = catcher(i32Tag(), f);
    for (const way of ['passes', 'catches', 'rethrows', 'rethrowsAll']) {
      const exception = caught(guest[way]);
      assert(exception instanceof Exception);
      assertEq(exception, seen);
    }
    assertEq(guest.catchesAll(), -1);
    assertEq(guest.keeps(0), 1);
    const kept = seen;
    assertThrowsValue(kept, guest.again);
    assertThrowsValue(kept, guest.again);
    const exception = caught(jsCatcher(f).catches);
    assertEq(exception, seen, 'JSTag');
  }
});

test('tags that carry v128 or exnref: scripts neither make nor read such payloads', () => {
  const b = new WasmBuilder();
  const tag = b.tag(['i32', 'exnref'], { export: 'tag' });
  const wide = b.tag(['v128'], { export: 'wide' });
  b.func([], [], [op.i32(1), op.refNull('exnref'), op.throw(tag)], { export: 'throws' });
  b.func([], [], [[0xfd, 0x0c, new Uint8Array(16)], op.throw(wide)], { export: 'throwsWide' });
  const { throws, throwsWide, ...tags } = b.instance().exports;
  assertThrows(TypeError, () => new Exception(tags.tag, [1, null]));
  assertThrows(TypeError, () => new Exception(tags.wide, [null]));
  const exception = caught(throws);
  assertEq(exception.getArg(tags.tag, 0), 1);
  assertThrows(TypeError, () => exception.getArg(tags.tag, 1));
  assertThrows(RangeError, () => exception.getArg(tags.tag, 2));
  assertThrows(TypeError, () => caught(throwsWide).getArg(tags.wide, 0));
  assertThrowsValue(exception, catcher(i32Tag(), () => { throw exception; }).passes);
});

test('the conversion of a payload stops at a type that has none, after the values before it', () => {
  const b = new WasmBuilder();
  b.tag(['i32', 'v128', 'i32'], { export: 'tag' });
  const { tag } = b.instance().exports;
  const log = [];
  const value = (name) => ({ valueOf() { log.push(name); return 0; } });
  assertThrows(TypeError, () => new Exception(tag, [value('first'), value('second'), value('third')]));
  assertList(log, ['first']);
});

test('an exception from a start function', async () => {
  const tag = i32Tag();
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  b.start(b.func([], [], op.call(f)));
  const [module, bytes] = [b.module(), b.bytes()];
  const exception = new Exception(tag, [1]);
  const thrower = catcher(tag, () => {});
  for (const value of [exception, ...EVERY_VALUE]) {
    const imports = { m: { f() { throw value; } } };
    assertThrowsValue(value, () => new Instance(module, imports));
    for (const promise of [WebAssembly.instantiate(module, imports), WebAssembly.instantiate(bytes, imports)]) {
      let reason = 'none';
      await promise.then(() => fail('resolved'), (error) => { reason = error; });
      assertEq(reason, value);
    }
  }
  const thrown = caught(() => new Instance(module, { m: { f: () => thrower.throws(6) } }));
  assertEq(thrown.getArg(tag, 0), 6);
  const direct = caught(() => new Instance(startThrows(), { m: { tag } }));
  assertEq(direct.getArg(tag, 0), 12);
  await assertRejects(RuntimeError, () => WebAssembly.instantiate(startTraps()));
});

function startThrows() {
  const b = new WasmBuilder();
  const tag = b.importTag('m', 'tag', ['i32']);
  b.start(b.func([], [], [op.i32(12), op.throw(tag)]));
  return b.module();
}

function startTraps() {
  const b = new WasmBuilder();
  b.start(b.func([], [], op.unreachable));
  return b.module();
}

/** Functions over JSTag: `catches` returns what was thrown, `throws` throws, `rethrows` catches and throws it anew. */
function jsCatcher(f) {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f');
  const tag = b.importTag('m', 'tag', ['externref']);
  b.export('tag', 'tag', tag);
  b.func(['externref'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
  b.func([], ['externref'], [
    op.block('externref'), op.tryTable('void', { tag, depth: 0 }), op.call(host), op.end, op.refNull('externref'), op.end,
  ], { export: 'catches' });
  b.func([], [], [
    op.block('externref'), op.tryTable('void', { tag, depth: 0 }), op.call(host), op.end, op.return, op.end, op.throw(tag),
  ], { export: 'rethrows' });
  return b.instance({ m: { f, tag: JSTag } }).exports;
}

test('JSTag in several instances: values pass from one to the next', () => {
  for (const value of EVERY_VALUE) {
    const first = jsCatcher(() => { throw value; });
    assertEq(first.tag, JSTag);
    assertEq(first.catches(), value);
    assertThrowsValue(value, first.rethrows);
    const second = jsCatcher(first.rethrows);
    assertEq(second.catches(), value);
    assertThrowsValue(value, jsCatcher(second.rethrows).rethrows);
    assertEq(jsCatcher(() => first.throws(value)).catches(), value);
    assertEq(jsCatcher(() => { try { first.throws(value); } catch (error) { throw error; } }).catches(), value);
  }
});

test('JSTag does not catch Exceptions, and a tag of the same type does not catch values', () => {
  const tag = new Tag({ parameters: ['externref'] });
  const exception = new Exception(tag, ['text']);
  assertThrowsValue(exception, jsCatcher(() => { throw exception; }).catches);
  const error = new Error('e');
  assertThrowsValue(error, carrier(['externref'], tag, () => { throw error; }).catches);
  assertEq(carrier(['externref'], tag, () => { throw exception; }).catches(), 'text');
});

test('an Exception thrown by way of JSTag as a value comes out as that Exception', () => {
  const tag = i32Tag();
  const exception = new Exception(tag, [3]);
  const { throws } = jsCatcher(() => {});
  assertThrowsValue(exception, () => throws(exception));
  assertEq(catcher(tag, () => throws(exception)).catches(), 3);
});

test('errors keep their identity, message and stack', () => {
  class Special extends RangeError { constructor() { super('special'); this.extra = {}; } }
  for (const error of [new Error('plain'), new TypeError('type'), new Special()]) {
    const { stack } = error;
    for (const fn of [jsCatcher(() => { throw error; }).rethrows, catcher(i32Tag(), () => { throw error; }).rethrowsAll]) {
      assertThrowsValue(error, fn);
      assertEq(error.stack, stack);
    }
  }
});

test('traps are not caught, also where scripts between pass them on', () => {
  const b = new WasmBuilder();
  b.func([], [], op.unreachable, { export: 'traps' });
  b.func([], ['i32'], [op.i32(1), op.i32(0), op.i32DivS], { export: 'divides' });
  const { traps, divides } = b.instance().exports;
  for (const fail of [traps, () => divides(), () => traps(), () => { try { traps(); } catch (error) { throw error; } }]) {
    for (const name of ['catchesAll', 'catchesAllRef', 'rethrowsAll', 'replaces', 'catches', 'keeps']) {
      assertThrows(RuntimeError, () => catcher(i32Tag(), fail)[name](0));
    }
    assertThrows(RuntimeError, jsCatcher(fail).catches);
  }
});

test('a RuntimeError that a script made is a value like others', () => {
  const error = new RuntimeError('of a script');
  assertEq(catcher(i32Tag(), () => { throw error; }).catchesAll(), -1);
  assertEq(jsCatcher(() => { throw error; }).catches(), error);
});

test('an exhausted stack is not caught, in a guest', () => {
  const b = new WasmBuilder();
  b.func([], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(0), op.drop, op.end, op.i32(0), op.return, op.end, op.i32(1),
  ], { export: 'recurses' });
  const { recurses } = b.instance().exports;
  for (let i = 0; i < 3; i++) {
    const error = caught(recurses);
    assert(error instanceof RangeError || error instanceof RuntimeError || error.name === 'InternalError', String(error));
  }
});

test('an exhausted stack through alternating frames ends in an error, and everything works afterwards', () => {
  const tag = i32Tag();
  let exports;
  let depth = 0;
  exports = catcher(tag, () => { depth += 1; exports.rethrowsAll(); });
  const error = caught(() => exports.rethrowsAll());
  assert(error instanceof Error, String(error));
  assert(depth > 10);
  assertEq(catcher(tag, () => { throw new Exception(tag, [1]); }).catches(), 1);
  assertEq(caught(() => exports.throws(4)).getArg(tag, 0), 4);
});

test('an import whose result does not convert throws into the guest', () => {
  const b = new WasmBuilder();
  const one = b.importFunc('m', 'one', [], ['i32']);
  const two = b.importFunc('m', 'two', [], ['i32', 'funcref']);
  const tag = b.importTag('m', 'tag', ['externref']);
  for (const [name, host, drops] of [['one', one, 1], ['two', two, 2]]) {
    b.func([], ['externref'], [
      op.block('externref'), op.tryTable('void', { tag, depth: 0 }), op.call(host), Array(drops).fill(op.drop), op.end,
      op.refNull('externref'), op.end,
    ], { export: name });
  }
  let result;
  const host = () => result;
  const { one: catchesOne, two: catchesTwo } = b.instance({ m: { tag: JSTag, one: host, two: host } }).exports;
  const reason = { reason: 1 };
  const throwing = { valueOf() { throw reason; } };
  result = 5;
  assertEq(catchesOne(), null);
  result = throwing;
  assertEq(catchesOne(), reason);
  for (result of [Symbol('s'), 1n]) assertEq(Object.getPrototypeOf(catchesOne()), TypeError.prototype);
  result = [1, null];
  assertEq(catchesTwo(), null);
  for (result of [undefined, 7, {}, [], [1], [1, null, 2], [1, {}], [1, undefined], [1n, null]]) {
    assertEq(Object.getPrototypeOf(catchesTwo()), TypeError.prototype);
  }
  for (result of [
    [throwing, null], { get [Symbol.iterator]() { throw reason; } }, { [Symbol.iterator]() { throw reason; } },
    { [Symbol.iterator]: () => ({ next() { throw reason; } }) },
    { [Symbol.iterator]: () => ({ next: () => ({ get done() { throw reason; } }) }) },
  ]) assertEq(catchesTwo(), reason);
  const tagged = new Exception(i32Tag(), [1]);
  result = { valueOf() { throw tagged; } };
  assertThrowsValue(tagged, catchesOne);
});

test('arguments that do not convert are thrown by the call: the callee is never entered', () => {
  const b = new WasmBuilder();
  b.func(['i32'], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.end, op.i32(0), op.return, op.end, op.i32(1),
  ], { export: 'f' });
  const { f } = b.instance().exports;
  const reason = {};
  assertThrowsValue(reason, () => f({ valueOf() { throw reason; } }));
  const seen = jsCatcher(() => f({ valueOf() { throw reason; } }));
  assertEq(seen.catches(), reason);
  assert(jsCatcher(() => f(1n)).catches() instanceof TypeError);
});

test('code that cleans up and throws again, and cleaning up that throws', () => {
  const tag = i32Tag();
  const b = new WasmBuilder();
  const [work, clean] = [b.importFunc('m', 'work'), b.importFunc('m', 'clean')];
  b.func([], [], [
    op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.call(work), op.end, op.call(clean), op.return,
    op.end, op.call(clean), op.throwRef,
  ], { export: 'run' });
  const log = [];
  const [first, second] = [new Exception(tag, [1]), new Error('second')];
  const run = (work, clean) => b.instance({ m: { work, clean } }).exports.run;
  run(() => log.push('work'), () => log.push('clean'))();
  assertThrowsValue(first, run(() => { throw first; }, () => log.push('clean')));
  assertThrowsValue(second, run(() => { throw first; }, () => { throw second; }));
  assertThrowsValue(first, run(() => { throw second; }, () => { throw first; }));
  const nested = run(() => { throw second; }, () => log.push('inner'));
  assertThrowsValue(first, run(nested, () => { throw first; }));
  assertList(log, ['work', 'clean', 'clean', 'inner']);
});

test('a tail call of an import that throws is outside the catch of its caller', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  b.func([], [], [op.block(), op.tryTable('void', { depth: 0 }), op.returnCall(f), op.end, op.end], { export: 'run' });
  const error = {};
  assertThrowsValue(error, b.instance({ m: { f() { throw error; } } }).exports.run);
});

test('nested catches: the innermost that fits', () => {
  const [outer, inner] = [i32Tag(), i32Tag()];
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const tags = [b.importTag('m', 'outer', ['i32']), b.importTag('m', 'inner', ['i32'])];
  b.func([], ['i32'], [
    op.block('i32'), op.tryTable('i32', { tag: tags[0], depth: 0 }),
    op.block('i32'), op.tryTable('void', { tag: tags[1], depth: 0 }), op.call(f), op.end, op.i32(0), op.return, op.end,
    op.i32(100), op.i32Add,
    op.end, op.return, op.end, op.i32(1000), op.i32Add,
  ], { export: 'run' });
  const run = (f) => b.instance({ m: { outer, inner, f } }).exports.run;
  assertEq(run(() => {})(), 0);
  assertEq(run(() => { throw new Exception(inner, [1]); })(), 101);
  assertEq(run(() => { throw new Exception(outer, [2]); })(), 1002);
  assertThrows(TypeError, run(() => { throw new TypeError('other'); }));
});

test('100,000 exceptions thrown by a guest, caught by a script', () => {
  const tag = i32Tag();
  const { throws } = catcher(tag, () => {});
  let sum = 0;
  for (let i = 0; i < 100_000; i++) {
    try { throws(i); } catch (error) { sum += error.getArg(tag, 0); }
  }
  assertEq(sum, 4999950000);
});

test('100,000 values thrown by a script, caught by a guest; and as many Exceptions', () => {
  const tag = i32Tag();
  let i = 0;
  const { catchesAllRef } = catcher(tag, () => { throw { i }; });
  const { catches } = catcher(tag, () => { throw new Exception(tag, [i]); });
  for (i = 1; i <= 100_000; i++) {
    if (catchesAllRef() !== -1) fail('was not caught');
    if (catches() !== i) fail('lost its payload');
  }
});

test('20,000 exceptions through twenty frames', () => {
  const tag = i32Tag();
  let f = () => { throw new Exception(tag, [1]); };
  for (let i = 0; i < 20; i++) f = i % 2 ? catcher(tag, f).rethrowsAll : catcher(tag, f).passes;
  const { catches } = catcher(tag, f);
  for (let i = 0; i < 20_000; i++) if (catches() !== 1) fail('lost its payload');
});

test('Exceptions from tags of instances that are gone', () => {
  let exception;
  let object;
  (() => {
    const b = new WasmBuilder();
    const tag = b.tag(['externref', 'anyref'], { export: 'tag' });
    const struct = b.structType(['i32']);
    b.func(['externref'], [], [op.localGet(0), op.i32(5), op.structNew(struct), op.throw(tag)], { export: 'throws' });
    const exports = b.instance().exports;
    exception = caught(() => exports.throws({ alive: true }));
    exception.tag = exports.tag;
    object = exception.getArg(exports.tag, 1);
  })();
  globalThis.gc?.();
  assertEq(exception.getArg(exception.tag, 0).alive, true);
  assertEq(exception.getArg(exception.tag, 1), object);
  assertThrowsValue(exception, catcher(i32Tag(), () => { throw exception; }).passes);
  assert(new Tag({ parameters: [] }) instanceof Tag);
});

test('subclasses', () => {
  class MyTag extends Tag { constructor(...types) { super({ parameters: types }); } get mine() { return true; } }
  class MyException extends Exception {
    constructor(tag, ...payload) { super(tag, payload); this.extra = payload.length; }
    first(tag) { return this.getArg(tag, 0); }
  }
  const tag = new MyTag('i32');
  assert(tag.mine);
  assertEq(Object.getPrototypeOf(tag), MyTag.prototype);
  const exception = new MyException(tag, 3);
  assertEq(exception.first(tag), 3);
  assert(exception instanceof Exception);
  const exports = catcher(tag, () => { throw exception; });
  assertThrowsValue(exception, exports.passes);
  assertEq(exports.catches(), 3);
  assertEq(Object.getPrototypeOf(caught(() => exports.throws(1))), Exception.prototype);
  const bound = function () {}.bind();
  assertEq(Object.getPrototypeOf(Reflect.construct(Tag, [{ parameters: [] }], bound)), Tag.prototype);
  assertEq(Object.getPrototypeOf(Reflect.construct(Exception, [tag, [1]], bound)), Exception.prototype);
  const withPrototype = Object.assign(function () {}, { prototype: null });
  assertEq(Object.getPrototypeOf(Reflect.construct(Exception, [tag, [1]], withPrototype)), Exception.prototype);
}, { v8: 'makes no instances of subclasses of Tag' });

test('the order in which the constructor of Exception looks at things', () => {
  const log = [];
  const value = (name) => ({ valueOf() { log.push(name); return 1; } });
  const payload = {
    get [Symbol.iterator]() {
      log.push('iterator');
      return function* () { yield value('first'); log.push('between'); yield value('second'); };
    },
  };
  const options = { get traceStack() { log.push('traceStack'); return false; } };
  const tag = new Tag({ parameters: ['i32', 'f64'] });
  new Exception(tag, payload, options);
  assertList(log, ['iterator', 'between', 'traceStack', 'first', 'second']);
  log.length = 0;
  assertThrows(TypeError, () => new Exception({}, payload, options));
  assertList(log, []);
  assertThrows(TypeError, () => new Exception(new Tag({ parameters: ['i32'] }), payload, options));
  assertList(log, ['iterator', 'between', 'traceStack']);
  assertThrows(TypeError, () => new Exception(tag, payload, 7));
}, { v8: 'reads the options late, and payloads as arrays' });

test('payloads that throw on their way', () => {
  const tag = new Tag({ parameters: ['i32', 'i64'] });
  const reason = {};
  const raise = () => { throw reason; };
  for (const payload of [
    { get [Symbol.iterator]() { return raise(); } }, { [Symbol.iterator]: raise },
    { [Symbol.iterator]: () => ({ next: raise }) }, { [Symbol.iterator]: () => ({ get next() { return raise(); } }) },
    { [Symbol.iterator]: () => ({ next: () => ({ done: false, get value() { return raise(); } }) }) },
    new Proxy([1, 2n], { get: raise }),
  ]) assertThrowsValue(reason, () => new Exception(tag, payload));
  assertThrowsValue(reason, () => new Exception(tag, [{ valueOf: raise }, 2n]));
  assertThrowsValue(reason, () => new Exception(tag, [1, { valueOf: raise }]));
  const { proxy, revoke } = Proxy.revocable([1, 2n], {});
  revoke();
  assertThrows(TypeError, () => new Exception(tag, proxy));
}, { v8: 'takes array-like objects for sequences' });

test('the stack is a string or undefined, whatever Error.prepareStackTrace does', () => {
  const tag = new Tag({ parameters: [] });
  try {
    for (const prepare of [() => { throw new Error('no stack'); }, () => null, () => [], () => 7, (error) => String(error)]) {
      Error.prepareStackTrace = prepare;
      const { stack } = new Exception(tag, [], { traceStack: true });
      assert(stack === undefined || typeof stack === 'string', String(stack));
    }
  } finally {
    delete Error.prepareStackTrace;
  }
}, { v8: 'throws what it throws' });

test('a proxy of a tag or an exception is neither', () => {
  const tag = i32Tag();
  const exception = new Exception(tag, [1]);
  assertThrows(TypeError, () => new Exception(new Proxy(tag, {}), [1]));
  assertThrows(TypeError, () => exception.is(new Proxy(tag, {})));
  assertThrows(TypeError, () => Exception.prototype.is.call(new Proxy(exception, {}), tag));
  const proxy = new Proxy(exception, {});
  assertEq(catcher(tag, () => { throw proxy; }).catchesAll(), -1);
  assertThrowsValue(proxy, catcher(tag, () => { throw proxy; }).catches);
  assertThrowsValue(exception, () => { throw Object.freeze(exception); });
  const heir = Object.create(exception);
  assertThrowsValue(heir, catcher(tag, () => { throw heir; }).catches);
});

