// References: funcref, externref and typed function references, as arguments and results, in globals and in tables.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, ref, refNull } from '../wasm-builder.mjs';

const { Global, Instance, LinkError, RuntimeError, Table } = WebAssembly;

/** A module's worth of functions: `one` returns 1, `id` its argument, `add` a sum. */
function functions() {
  const b = new WasmBuilder();
  b.func([], ['i32'], op.i32(1), { export: 'one' });
  b.func(['i32'], ['i32'], op.localGet(0), { export: 'id' });
  b.func(['i32', 'i32'], ['i32'], [op.localGet(0), op.localGet(1), op.i32Add], { export: 'add' });
  return b.instance().exports;
}

/** Functions `t0`, `t1`, … that return what they are given, of the types that `types` makes with the builder. */
function passing(types) {
  const b = new WasmBuilder();
  const list = types(b);
  list.forEach((type, at) => b.func([type], [type], op.localGet(0), { export: `t${at}` }));
  const exports = b.instance().exports;
  return list.map((_, at) => exports[`t${at}`]);
}

const OTHERS = [undefined, 0, 1.5, 'text', true, 1n, Symbol('s'), {}, [], () => {}, Math.max, class {}, new Proxy(() => {}, {})];

test('what is a value of each type of functions', () => {
  const { one, id, add } = functions();
  const [funcref, strict, ones, strictOnes, ids, none] = passing((b) => {
    const [noArgument, oneArgument] = [b.type([], ['i32']), b.type(['i32'], ['i32'])];
    return ['funcref', ref('func'), refNull(noArgument), ref(noArgument), refNull(oneArgument), 'nullfuncref'];
  });
  for (const fn of [one, id, add, funcref, strict]) {
    assertEq(funcref(fn), fn);
    assertEq(strict(fn), fn);
    assertThrows(TypeError, () => none(fn));
  }
  for (const fn of [funcref, ones, ids, none]) assertEq(fn(null), null);
  for (const fn of [strict, strictOnes]) assertThrows(TypeError, () => fn(null));
  for (const fn of [ones, strictOnes]) {
    assertEq(fn(one), one);
    for (const wrong of [id, add, fn]) assertThrows(TypeError, () => fn(wrong));
  }
  assertEq(ids(id), id);
  assertThrows(TypeError, () => ids(one));
  for (const fn of [funcref, strict, ones, strictOnes, ids, none]) {
    for (const other of OTHERS) assertThrows(TypeError, () => fn(other));
    assertThrows(TypeError, () => fn());
    assertThrows(TypeError, () => fn(new Proxy(one, {})));
    assertThrows(TypeError, () => fn(one.bind(null)));
  }
});

test('what is a value of each type of external references', () => {
  const [externref, strict, none] = passing(() => ['externref', ref('extern'), 'nullexternref']);
  for (const value of [...OTHERS, externref]) {
    assertEq(externref(value), value);
    assertEq(strict(value), value);
    assertThrows(TypeError, () => none(value));
  }
  assertEq(externref(), undefined);
  assertEq(strict(), undefined);
  assertThrows(TypeError, () => none());
  assertEq(externref(null), null);
  assertThrows(TypeError, () => strict(null));
  assertEq(none(null), null);
});

test('a function of a subtype', () => {
  const b = new WasmBuilder();
  const base = b.rawType([0x50, [0], [0x60, [0], [0]]]);
  const below = b.rawType([0x50, [1, base], [0x60, [0], [0]]]);
  b.funcOf(base, [], { export: 'base' });
  b.funcOf(below, [], { export: 'below' });
  b.func([ref(base)], [], [], { export: 'takesBase' });
  b.func([ref(below)], [], [], { export: 'takesBelow' });
  b.table({ element: refNull(below), min: 1 }, { export: 'table' });
  const { base: f, below: g, takesBase, takesBelow, table } = b.instance().exports;
  takesBase(f);
  takesBase(g);
  takesBelow(g);
  assertThrows(TypeError, () => takesBelow(f));
  table.set(0, g);
  assertEq(table.get(0), g);
  assertThrows(TypeError, () => table.set(0, f));
});

test('a TypeError for a reference says what was expected and what came', () => {
  const { id } = functions();
  const [funcref, strict, ones, extern, any, i31, struct, defined] = passing((b) => [
    'funcref', ref('func'), ref(b.type([], ['i32'])), ref('extern'), ref('any'), 'i31ref', ref('struct'),
    ref(b.structType(['i32'])),
  ]);
  const says = (fn, value, ...patterns) => {
    for (const pattern of patterns) assertThrows(TypeError, () => fn(value), pattern);
  };
  says(funcref, {}, /function/, /object/);
  says(funcref, 7, /function/, /7|number/);
  says(strict, null, /function/, /got null/);
  says(ones, id, /function/, /i32/);
  says(extern, null, /extern/, /got null/);
  says(any, null, /any/, /got null/);
  says(i31, 'text', /i31/, /text|string/);
  says(struct, null, /struct/, /got null/);
  says(strict, null, /^(?!.*or null)/);
  says(defined, null, /null .*struct/, /^(?!.*Index)/);
  says(defined, 5, /struct/, /i31/, /^(?!.*Index)/);
  says(defined, {}, /struct/, /^(?!.*Index)/);
}, { v8: 'says "type incompatibility"' });

test('null and undefined in tables and globals of external references', () => {
  const b = new WasmBuilder();
  b.table({ element: 'externref', min: 2 }, { export: 'table' });
  b.global('externref', op.refNull('externref'), { mutable: true, export: 'global' });
  b.func([], ['i32'], [op.i32(0), op.tableGet(0), op.refIsNull], { export: 'isNull' });
  b.func(['externref'], ['i32'], [op.localGet(0), op.i32(1), op.tableGrow(0)], { export: 'grow' });
  const { table, global, isNull, grow } = b.instance().exports;
  assertEq(table.get(0), null);
  assertEq(global.value, null);
  assertEq(isNull(), 1);
  table.set(0, undefined);
  assertEq(table.get(0), undefined);
  assertEq(isNull(), 0);
  table.set(0, null);
  assertEq(isNull(), 1);
  table.set(0);
  assertEq(table.get(0), undefined);
  assertEq(isNull(), 0);
  global.value = undefined;
  assertEq(global.value, undefined);
  assertEq(grow(undefined), 2);
  assertEq(table.get(2), undefined);
  assertEq(table.grow(1), 3);
  assertEq(table.get(3), undefined);
  assertEq(table.grow(1, null), 4);
  assertEq(table.get(4), null);
  assertEq(new Table({ element: 'externref', initial: 1 }).get(0), undefined);
  assertEq(new Global({ value: 'externref' }).value, undefined);
  assertEq(new Global({ value: 'externref' }, null).value, null);
});

test('one function, one object, whichever way it is read', () => {
  const b = new WasmBuilder();
  const signature = b.type([], ['i32']);
  const host = b.importFunc('m', 'host', ['funcref', refNull(signature)], ['funcref']);
  const hidden = b.func([], ['i32'], op.i32(77));
  b.declare(hidden);
  b.table({ min: 2 }, { export: 'table' });
  b.table({ element: ref(signature), min: 2 }, { export: 'strict', init: op.refFunc(hidden) });
  b.elem(0, 1, [hidden]);
  b.global('funcref', op.refFunc(hidden), { mutable: true, export: 'loose' });
  b.global(ref(signature), op.refFunc(hidden), { export: 'typed' });
  const tag = b.tag(['funcref', ref(signature)], { export: 'tag' });
  b.func([], ['funcref', ref(signature)], [op.refFunc(hidden), op.refFunc(hidden)], { export: 'get' });
  b.func([], ['funcref'], [op.refFunc(hidden), op.refFunc(hidden), op.call(host)], { export: 'ask' });
  b.func([], [], [op.refFunc(hidden), op.refFunc(hidden), op.throw(tag)], { export: 'throws' });
  b.func([], ['externref'], [op.i32(0), op.tableGet(2), op.drop, op.i32(0), op.tableGet(2)], { export: 'fromExtern' });
  b.table({ element: 'externref', min: 1 }, { export: 'externs' });
  let seen;
  const exports = b.instance({ m: { host: (...args) => { seen = args; return args[1]; } } }).exports;
  const [fn, again] = exports.get();
  assertEq(fn(), 77);
  assertEq(again, fn);
  assertEq(exports.table.get(1), fn);
  assertEq(exports.strict.get(0), fn);
  assertEq(exports.strict.get(1), fn);
  assertEq(exports.loose.value, fn);
  assertEq(exports.typed.value, fn);
  assertEq(exports.typed.valueOf(), fn);
  assertEq(exports.ask(), fn);
  assertList(seen, [fn, fn]);
  exports.externs.set(0, fn);
  assertEq(exports.fromExtern(), fn);
  exports.table.set(0, fn);
  assertEq(exports.table.get(0), fn);
  try { exports.throws(); } catch (error) {
    assertList([error.getArg(exports.tag, 0), error.getArg(exports.tag, 1)], [fn, fn]);
  }
  fn.mark = 1;
  assertEq(exports.get()[0].mark, 1);
});

test('typed function references to functions of unrelated instances', () => {
  const { one, id, add } = functions();
  const b = new WasmBuilder();
  const [noArgument, oneArgument] = [b.type([], ['i32']), b.type(['i32'], ['i32'])];
  const kept = b.global(refNull(oneArgument), op.refNull(oneArgument), { mutable: true, export: 'kept' });
  const table = b.table({ element: refNull(noArgument), min: 2 }, { export: 'table' });
  b.func([ref(noArgument)], ['i32'], [op.localGet(0), op.callRef(noArgument)], { export: 'call' });
  b.func([ref(noArgument)], ['i32'], [op.localGet(0), op.returnCallRef(noArgument)], { export: 'tailCall' });
  b.func(['i32', refNull(oneArgument)], ['i32'], [op.localGet(0), op.localGet(1), op.callRef(oneArgument)], {
    export: 'callWith',
  });
  b.func(['i32'], ['i32'], [op.localGet(0), op.globalGet(kept), op.callRef(oneArgument)], { export: 'callKept' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.tableGet(table), op.callRef(noArgument)], { export: 'callTable' });
  b.func([refNull(oneArgument)], [refNull(oneArgument)], op.localGet(0), { export: 'pass' });
  const exports = b.instance().exports;
  assertEq(exports.call(one), 1);
  assertEq(exports.tailCall(one), 1);
  assertEq(exports.callWith(5, id), 5);
  assertThrows(RuntimeError, () => exports.callWith(5, null));
  assertThrows(TypeError, () => exports.callWith(5, add));
  assertEq(exports.pass(id), id);
  exports.kept.value = id;
  assertEq(exports.kept.value, id);
  assertEq(exports.callKept(6), 6);
  assertThrows(TypeError, () => { exports.kept.value = add; });
  exports.table.set(1, one);
  assertEq(exports.table.get(1), one);
  assertEq(exports.callTable(1), 1);
  assertThrows(RuntimeError, () => exports.callTable(0));
  const error = new Error('of the other');
  const source = new WasmBuilder();
  source.export('f', 'function', source.importFunc('m', 'f', [], ['i32']));
  const { f } = source.instance({ m: { f() { throw error; } } }).exports;
  assertThrowsValue(error, () => exports.call(f));
  assertThrowsValue(error, () => exports.tailCall(f));
});

test('imports and exports of globals with typed references', () => {
  const { one, id } = functions();
  const b = new WasmBuilder();
  const signature = b.type([], ['i32']);
  b.importGlobal('m', 'f', ref(signature));
  b.importGlobal('m', 'g', 'funcref');
  b.importGlobal('m', 'e', ref('extern'));
  b.export('f', 'global', 0);
  b.export('g', 'global', 1);
  b.export('e', 'global', 2);
  b.func([], ['i32'], [op.globalGet(0), op.callRef(signature)], { export: 'call' });
  const module = b.module();
  const good = { f: one, g: id, e: undefined };
  const { f, g, e, call } = new Instance(module, { m: good }).exports;
  assertEq(f.value, one);
  assertEq(g.value, id);
  assertEq(e.value, undefined);
  assertEq(call(), 1);
  for (const wrong of [{ f: null }, { f: id }, { f: () => 1 }, { f: undefined }, { g: undefined }, { g: () => {} }, { e: null }]) {
    assertThrows(LinkError, () => new Instance(module, { m: { ...good, ...wrong } }));
  }
  // A Global is imported by its type, not by its value.
  assertThrows(LinkError, () => new Instance(module, { m: { ...good, f: new Global({ value: 'anyfunc' }, one) } }));
  const again = new Instance(module, { m: { ...good, f } }).exports;
  assertEq(again.f, f);
  assertEq(new Instance(module, { m: { ...good, g: new Global({ value: 'anyfunc' }, one) } }).exports.g.value, one);
});

test('mutable globals of references are shared by those who import them', () => {
  const { one, id } = functions();
  for (const [value, first, second] of [['anyfunc', one, id], ['externref', {}, undefined]]) {
    const global = new Global({ value, mutable: true }, first);
    const b = new WasmBuilder();
    const type = value === 'anyfunc' ? 'funcref' : value;
    b.importGlobal('m', 'g', type, true);
    b.func([], [type], op.globalGet(0), { export: 'get' });
    b.func([type], [], [op.localGet(0), op.globalSet(0)], { export: 'set' });
    const { get, set } = b.instance({ m: { g: global } }).exports;
    assertEq(get(), first);
    global.value = second;
    assertEq(get(), second);
    set(null);
    assertEq(global.value, null);
    set(first);
    assertEq(global.value, first);
  }
});

test('tables of every type of references: initial values, fill, copy, init, grow', () => {
  const b = new WasmBuilder();
  const signature = b.type([], ['i32']);
  const f = b.func([], ['i32'], op.i32(1), { export: 'f' });
  const g = b.func([], ['i32'], op.i32(2), { export: 'g' });
  b.declare(f, g);
  const struct = b.structType(['i32']);
  const kinds = {
    loose: ['funcref', op.refFunc(f)], typed: [refNull(signature), op.refFunc(f)], strict: [ref(signature), op.refFunc(f)],
    small: ['i31ref', [op.i32(3), op.refI31]], object: [refNull(struct), [op.i32(4), op.structNew(struct)]],
    any: ['anyref', [op.i32(5), op.refI31]], extern: ['externref', [op.i32(6), op.refI31, op.externConvertAny]],
  };
  const second = { loose: op.refFunc(g), typed: op.refFunc(g), strict: op.refFunc(g), small: [op.i32(-3), op.refI31],
    object: [op.i32(-4), op.structNew(struct)], any: [op.i32(-5), op.structNew(struct)], extern: op.refNull('externref') };
  for (const [name, [element, init]] of Object.entries(kinds)) {
    const table = b.table({ element, min: 3, max: 10 }, { init, export: name });
    const segment = b.passiveElem(element, [second[name], init]);
    b.func([element], [], [op.i32(0), op.localGet(0), op.i32(2), op.tableFill(table)], { export: `${name}Fill` });
    b.func([], [], [op.i32(1), op.i32(0), op.i32(2), op.tableCopy(table, table)], { export: `${name}Copy` });
    b.func([], [], [op.i32(0), op.i32(0), op.i32(1), op.tableInit(segment, table)], { export: `${name}Init` });
    b.func([element], ['i32'], [op.localGet(0), op.i32(2), op.tableGrow(table)], { export: `${name}Grow` });
  }
  b.func([ref(struct)], ['i32'], [op.localGet(0), op.structGet(struct, 0)], { export: 'read' });
  const exports = b.instance().exports;
  const initial = { loose: exports.f, typed: exports.f, strict: exports.f, small: 3, any: 5, extern: 6 };
  for (const name of Object.keys(kinds)) {
    const table = exports[name];
    const all = () => Array.from({ length: table.length }, (_, at) => table.get(at));
    const value = table.get(0);
    assertList(all(), [value, value, value], name);
    if (name === 'object') assertEq(exports.read(value), 4);
    else assertEq(value, initial[name], name);
    exports[`${name}Init`]();
    const other = table.get(0);
    assert(other !== value, name);
    assertList(all(), [other, value, value], name);
    exports[`${name}Copy`]();
    assertList(all(), [other, other, value], name);
    exports[`${name}Fill`](value);
    assertList(all(), [value, value, value], name);
    assertEq(exports[`${name}Grow`](other), 3);
    assertEq(table.grow(1, value), 5);
    assertList(all(), [value, value, value, other, other, value], name);
    assertEq(exports[`${name}Grow`](value), 6);
    assertThrows(RangeError, () => table.grow(3, value));
    assertEq(exports[`${name}Grow`](value), 8);
    assertEq(exports[`${name}Grow`](value), -1);
  }
});

test('a table of typed functions links by its type', () => {
  const b = new WasmBuilder();
  const signature = b.type([], ['i32']);
  b.table({ element: refNull(signature), min: 1 }, { export: 'typed' });
  b.table({ min: 1 }, { export: 'loose' });
  const { typed, loose } = b.instance().exports;
  const taker = new WasmBuilder();
  taker.importTable('m', 't', { element: refNull(taker.type([], ['i32'])), min: 1 });
  taker.export('t', 'table', 0);
  const module = taker.module();
  assertEq(new Instance(module, { m: { t: typed } }).exports.t, typed);
  for (const wrong of [loose, new Table({ element: 'anyfunc', initial: 1 }), {}, null]) {
    assertThrows(LinkError, () => new Instance(module, { m: { t: wrong } }));
  }
});

test('tables and globals of exnref: no script reads or writes them', () => {
  const b = new WasmBuilder();
  b.table({ element: 'exnref', min: 1 }, { export: 'table' });
  b.global('exnref', op.refNull('exnref'), { mutable: true, export: 'global' });
  b.func(['exnref'], [], [], { export: 'takes' });
  b.func([], ['exnref'], op.refNull('exnref'), { export: 'gives' });
  b.func(['i32', 'nullexnref'], [], [], { export: 'takesNone' });
  const { table, global, takes, gives, takesNone } = b.instance().exports;
  assertEq(table.length, 1);
  for (const fn of [
    () => table.get(0), () => table.set(0, null), () => global.value,
    () => global.valueOf(), () => { global.value = null; }, () => takes(null), gives, () => takesNone({ valueOf() { throw 1; } }),
  ]) assertThrows(TypeError, fn);
  const taker = new WasmBuilder();
  const f = taker.importFunc('m', 'f', ['exnref'], []);
  const g = taker.importFunc('m', 'g', [], ['exnref']);
  taker.func([], [], [op.refNull('exnref'), op.call(f)], { export: 'f' });
  taker.func([], [], [op.call(g), op.drop], { export: 'g' });
  let called = false;
  const call = () => { called = true; return null; };
  const exports = taker.instance({ m: { f: call, g: call } }).exports;
  assertThrows(TypeError, exports.f);
  assertThrows(TypeError, exports.g);
  assertEq(called, false);
});

test('the TypeError for a table of exnref comes before the index is looked at', () => {
  const b = new WasmBuilder();
  b.table({ element: 'exnref', min: 1 }, { export: 'table' });
  const { table } = b.instance().exports;
  const log = [];
  assertThrows(TypeError, () => table.get({ valueOf() { log.push('index'); return 0; } }));
  assertThrows(TypeError, () => table.set({ valueOf() { log.push('index'); return 0; } }, null));
  assertThrows(TypeError, () => table.set(0));
  assertThrows(TypeError, () => table.get(5));
  assertList(log, []);
}, { v8: 'looks at the index first, and sets null' });

test('immutable globals that no script can read are imported all the same', () => {
  const source = new WasmBuilder();
  source.global('v128', [0xfd, 0x0c, ...new Uint8Array(16).fill(7)], { export: 'vector' });
  source.global('exnref', op.refNull('exnref'), { export: 'exception' });
  const exports = source.instance().exports;
  const b = new WasmBuilder();
  const vector = b.importGlobal('m', 'vector', 'v128');
  b.importGlobal('m', 'exception', 'exnref');
  b.func([], ['i32'], [op.globalGet(vector), [0xfd, 0x1b, 0]], { export: 'lane' });
  assertEq(b.instance({ m: exports }).exports.lane(), 0x07070707);
});
