// Exported GC Objects: structs and arrays of a guest as opaque objects of scripts, and the values below `any`.
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, groupBytes, op, ref, refNull, structTypeBytes, subTypeBytes } from '../wasm-builder.mjs';

const { Global, Instance, LinkError, RuntimeError, Table } = WebAssembly;

/**
 * A builder with the types `point` (a struct that may have subtypes), `point3` below it, `other` (a struct that is
 * neither) and `ints` (an array); functions that make one of each and read it.
 */
function heap() {
  const b = new WasmBuilder();
  const point = b.rawType(subTypeBytes(structTypeBytes(['i32'])));
  const point3 = b.rawType(subTypeBytes(structTypeBytes(['i32', 'i64']), point));
  const other = b.structType(['f64']);
  const ints = b.arrayType('i32');
  b.func(['i32'], [ref(point)], [op.localGet(0), op.structNew(point)], { export: 'newPoint' });
  b.func(['i32'], [ref(point3)], [op.localGet(0), op.i64(5), op.structNew(point3)], { export: 'newPoint3' });
  b.func([], [ref(other)], [op.f64(0.5), op.structNew(other)], { export: 'newOther' });
  b.func(['i32'], [ref(ints)], [op.localGet(0), op.arrayNewDefault(ints)], { export: 'newInts' });
  b.func([ref(point)], ['i32'], [op.localGet(0), op.structGet(point, 0)], { export: 'x' });
  b.func([ref(point), 'i32'], [], [op.localGet(0), op.localGet(1), op.structSet(point, 0)], { export: 'setX' });
  b.func([ref(ints)], ['i32'], [op.localGet(0), op.arrayLen], { export: 'length' });
  return { b, point, point3, other, ints };
}

/** Functions `any`, `eq`, … that return what they are given, one for each type of `types`: `{ name: type }`. */
function passing({ b, ...more }, types) {
  for (const [name, type] of Object.entries(types)) b.func([type], [type], op.localGet(0), { export: name });
  return { ...b.instance(more.imports).exports };
}

const ABSTRACT = { any: 'anyref', eq: 'eqref', i31: 'i31ref', struct: 'structref', array: 'arrayref', none: 'nullref' };

test('the internal methods of a struct and of an array', () => {
  const { newPoint, newInts } = heap().b.instance().exports;
  for (const object of [newPoint(1), newInts(3)]) {
    assertEq(typeof object, 'object');
    assertEq(Object.getPrototypeOf(object), null);
    assertEq(Reflect.getPrototypeOf(object), null);
    assertEq(Object.isExtensible(object), false);
    assertEq(Reflect.isExtensible(object), false);
    assertEq(Object.isFrozen(object), true);
    assertEq(Object.isSealed(object), true);
    for (const key of [
      'x', 0, '0', 'length', '__proto__', 'constructor', 'toString', 'then', Symbol.toPrimitive, Symbol.iterator,
    ]) {
      assertEq(object[key], undefined);
      assertEq(Reflect.get(object, key, {}), undefined);
      assertEq(key in object, false);
      assertEq(Reflect.has(object, key), false);
      assertEq(Object.getOwnPropertyDescriptor(object, key), undefined);
      assertEq(Reflect.getOwnPropertyDescriptor(object, key), undefined);
      assertEq(Object.hasOwn(object, key), false);
      assertThrows(TypeError, () => Object.defineProperty(object, key, { value: 1 }));
      assertThrows(TypeError, () => Object.defineProperty(object, key, { get() {} }));
      assertThrows(TypeError, () => { object[key] = 1; });
      assertThrows(TypeError, () => Reflect.set(object, key, 1));
      assertThrows(TypeError, () => delete object[key]);
      assertThrows(TypeError, () => Reflect.deleteProperty(object, key));
    }
    assertList(Reflect.ownKeys(object), []);
    assertList(Object.keys(object), []);
    assertList(Object.getOwnPropertySymbols(object), []);
    for (const key in object) throw new Error(`enumerates ${key}`);
    assertList(Object.keys({ ...object }), []);
  }
});

test('[[Set]] and [[Delete]] throw in sloppy code, too', () => {
  const object = heap().b.instance().exports.newPoint(1);
  assertThrows(TypeError, () => new Function('o', 'o.x = 1')(object));
  assertThrows(TypeError, () => new Function('o', 'delete o.x')(object));
  assertThrows(TypeError, () => new Function('o', 'with (o) { delete o[1] }')(object));
});

test('as JSON it is an empty object', () => {
  assertEq(JSON.stringify({ object: heap().b.instance().exports.newPoint(1) }), '{"object":{}}');
}, { v8: 'leaves it out' });

test('[[DefineOwnProperty]] returns false', () => {
  const object = heap().b.instance().exports.newPoint(1);
  assertEq(Reflect.defineProperty(object, 'x', { value: 1 }), false);
  assertEq(Reflect.defineProperty(object, 0, {}), false);
  assertEq(Reflect.set({}, 'x', 1, object), false, 'as the receiver');
}, { v8: 'throws' });

test('[[Set]] throws where the object is in a prototype chain', () => {
  const heir = Object.create(heap().b.instance().exports.newPoint(1));
  assertEq(heir.x, undefined);
  assertThrows(TypeError, () => { heir.x = 1; });
  assertThrows(TypeError, () => { heir[0] = 1; });
  assertThrows(TypeError, () => Reflect.set(heir, 'x', 1, {}));
  assertList(Reflect.ownKeys(heir), []);
}, { v8: 'sets an own property' });

test('the target of a proxy', () => {
  const object = heap().b.instance().exports.newPoint(1);
  const proxy = new Proxy(object, {});
  assertEq(proxy.x, undefined);
  assertThrows(TypeError, () => { proxy.x = 1; });
  assertThrows(TypeError, () => delete proxy.x);
  assertEq(Reflect.ownKeys(proxy).length, 0);
  assertEq(Object.getPrototypeOf(proxy), null);
});

test('prototype and extensibility cannot be changed', () => {
  const object = heap().b.instance().exports.newPoint(1);
  assertThrows(TypeError, () => Object.setPrototypeOf(object, {}));
  for (const method of ['preventExtensions', 'freeze', 'seal']) assertThrows(TypeError, () => Object[method](object));
  const setter = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').set;
  assertThrows(TypeError, () => setter.call(object, {}));
  assertEq(Object.getPrototypeOf(object), null);
});

test('[[SetPrototypeOf]] and [[PreventExtensions]] return false, always', () => {
  const object = heap().b.instance().exports.newPoint(1);
  assertEq(Reflect.setPrototypeOf(object, {}), false);
  assertEq(Reflect.setPrototypeOf(object, null), false);
  assertThrows(TypeError, () => Object.setPrototypeOf(object, null));
  assertEq(Reflect.preventExtensions(object), false);
}, { v8: 'throws' });

test('so they do below a proxy, and the setter of __proto__', () => {
  const object = heap().b.instance().exports.newPoint(1);
  const setter = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').set;
  assertThrows(TypeError, () => setter.call(object, null));
  const proxy = new Proxy(object, {});
  assertEq(Reflect.setPrototypeOf(proxy, null), false);
  assertEq(Reflect.preventExtensions(proxy), false);
  assertThrows(TypeError, () => Object.freeze(proxy));
}, { v8: 'some throw, some succeed' });

test('private fields of a class cannot be put on it', () => {
  const object = heap().b.instance().exports.newPoint(1);
  class Identity { constructor(value) { return value; } }
  class Stamped extends Identity {
    #mark = 1;
    static has(value) { return #mark in value; }
  }
  try { new Stamped(object); } catch { /* Either is an answer. */ }
  Stamped.has(object);
});

test('conversions to primitives: TypeError, and true', () => {
  const object = heap().b.instance().exports.newPoint(1);
  for (const convert of [String, Number, BigInt, (o) => `${o}`, (o) => o + 1, (o) => o == 1, Symbol]) {
    assertThrows(TypeError, () => convert(object));
  }
  assertEq(Boolean(object), true);
  assertEq(object === object, true);
  assertEq(Object(object), object);
  assertThrows(TypeError, () => object());
  assertThrows(TypeError, () => new object());
  assertThrows(TypeError, () => [...object]);
  assertThrows(TypeError, () => ({} instanceof object));
});

test('a struct of a guest is one object while it is held', () => {
  const { b, point } = heap();
  b.global(refNull(point), op.refNull(point), { mutable: true, export: 'kept' });
  b.table({ element: 'anyref', min: 3 }, { export: 'table' });
  const exports = passing({ b }, { ...ABSTRACT, point: refNull(point), extern: 'externref' });
  const object = exports.newPoint(4);
  assert(object !== exports.newPoint(4));
  for (const name of ['any', 'eq', 'struct', 'point', 'extern']) assertEq(exports[name](object), object, name);
  exports.kept.value = object;
  assertEq(exports.kept.value, object);
  exports.table.set(0, object);
  exports.table.set(2, object);
  assertEq(exports.table.get(0), object);
  assertEq(exports.table.get(2), object);
  assertEq(exports.table.get(1), null);
  assertEq(exports.table.grow(1, object), 3);
  assertEq(exports.table.get(3), object);
  const [map, weak, set] = [new Map([[object, 'm']]), new WeakMap([[object, 'w']]), new WeakSet([object])];
  assertEq(map.get(exports.kept.value), 'm');
  assertEq(weak.get(exports.table.get(0)), 'w');
  assert(set.has(exports.any(object)));
  assertEq([object].indexOf(exports.eq(object)), 0);
  exports.setX(exports.kept.value, 9);
  assertEq(exports.x(object), 9);
});

test('several results may be one object', () => {
  const { b, point } = heap();
  b.func([ref(point)], [ref(point), 'anyref', 'externref', 'i32'], [
    op.localGet(0), op.localGet(0), op.localGet(0), op.externConvertAny, op.i32(3),
  ], { export: 'thrice' });
  b.func([], ['anyref', 'anyref'], [op.i32(1), op.structNew(point), op.localTee(0), op.localGet(0)], {
    export: 'fresh', locals: [refNull(point)],
  });
  const { thrice, newPoint, fresh, x } = b.instance().exports;
  const object = newPoint(1);
  assertList(thrice(object), [object, object, object, 3]);
  const [first, second] = fresh();
  assertEq(first, second);
  assertEq(x(first), 1);
  assert(fresh()[0] !== first);
});

test('what is a value of each type below any', () => {
  const { b, point, point3, other, ints } = heap();
  const types = { ...ABSTRACT, point: refNull(point), point3: refNull(point3), other: refNull(other), ints: refNull(ints) };
  const strict = {};
  for (const name of Object.keys(ABSTRACT)) strict[`${name}!`] = ref(name);
  for (const [name, index] of Object.entries({ point, point3, other, ints })) strict[`${name}!`] = ref(index);
  const exports = passing({ b }, { ...types, ...strict });
  const values = {
    null: null, i31: 7, point: exports.newPoint(1), point3: exports.newPoint3(1), other: exports.newOther(),
    ints: exports.newInts(1), double: 1.5, text: 'text', function: exports.x, object: {}, undefined,
  };
  const fits = {
    any: Object.keys(values), eq: ['null', 'i31', 'point', 'point3', 'other', 'ints'], i31: ['null', 'i31'],
    struct: ['null', 'point', 'point3', 'other'], array: ['null', 'ints'], none: ['null'],
    point: ['null', 'point', 'point3'], point3: ['null', 'point3'], other: ['null', 'other'], ints: ['null', 'ints'],
  };
  for (const [type, names] of Object.entries(fits)) {
    for (const [name, value] of Object.entries(values)) {
      const why = `${name} as ${type}`;
      if (names.includes(name)) assertEq(exports[type](value), value, why);
      else assertThrows(TypeError, () => exports[type](value), /./);
      if (names.includes(name) && value !== null) assertEq(exports[`${type}!`](value), value, `${why}, not null`);
      else assertThrows(TypeError, () => exports[`${type}!`](value));
    }
  }
});

test('the same at results of imports', () => {
  const { b, point, point3 } = heap();
  let result;
  const b2 = new WasmBuilder();
  const same = b2.rawType(subTypeBytes(structTypeBytes(['i32'])));
  const types = { anyref: 'anyref', eqref: 'eqref', i31ref: ref('i31'), point: ref(same) };
  const indices = Object.entries(types).map(([name, type]) => [b2.importFunc('m', name, [], [type]), name, type]);
  for (const [index, name, type] of indices) b2.func([], [type], op.call(index), { export: name });
  const source = b.instance().exports;
  const module = b2.module();
  const give = () => result;
  // One island for both: an import of the other's function links them.
  const imports = { m: { anyref: give, eqref: give, i31ref: give, point: give } };
  const { anyref, eqref, i31ref, point: pointOf } = new Instance(module, imports).exports;
  for (result of [5, null, 'text', undefined, {}]) assertEq(anyref(), result);
  for (result of [5, null]) assertEq(eqref(), result);
  for (result of ['text', undefined, {}, 1.5]) assertThrows(TypeError, eqref);
  result = null;
  assertThrows(TypeError, i31ref);
  result = 2 ** 30;
  assertThrows(TypeError, i31ref);
  for (result of [null, 5, 'text', {}, source.newOther(), source.newInts(1)]) assertThrows(TypeError, pointOf);
  assert(point !== point3);
});

test('small integers are i31, other numbers are not', () => {
  const { b } = heap();
  b.func([ref('i31')], ['i32'], [op.localGet(0), op.i31GetS], { export: 'get' });
  b.func(['anyref'], ['i32'], [op.localGet(0), op.refTest('i31')], { export: 'isI31' });
  b.func(['externref'], ['i32'], [op.localGet(0), op.anyConvertExtern, op.refTest('i31')], { export: 'isExternI31' });
  b.func(['i32'], [ref('i31')], [op.localGet(0), op.refI31], { export: 'make' });
  b.func(['i32'], ['externref'], [op.localGet(0), op.refI31, op.externConvertAny], { export: 'makeExtern' });
  const { any, i31, get, isI31, isExternI31, make, makeExtern, extern } = passing({ b }, { ...ABSTRACT, extern: 'externref' });
  for (const small of [0, 1, -1, 2 ** 30 - 1, -(2 ** 30)]) {
    assertEq(get(small), small);
    assertEq(i31(small), small);
    assertEq(any(small), small);
    assertEq(isI31(small), 1);
    assertEq(isExternI31(small), 1);
    assertEq(make(small), small);
    assertEq(makeExtern(small), small);
  }
  for (const large of [2 ** 30, -(2 ** 30) - 1, 2 ** 31, 2 ** 32, 2 ** 53, 1.5, NaN, Infinity, -Infinity, 5n]) {
    assertThrows(TypeError, () => get(large));
    assertThrows(TypeError, () => i31(large));
    assertEq(any(large), large);
    assertEq(extern(large), large);
    assertEq(isI31(large), 0);
    assertEq(isExternI31(large), 0);
  }
  for (const wrong of ['7', true, undefined, null, new Number(7), [7], { valueOf: () => 7 }]) {
    assertThrows(TypeError, () => get(wrong));
  }
  // The guest's integers wrap to 31 bits.
  for (const [wide, narrow] of [[2 ** 30, -(2 ** 30)], [-(2 ** 30) - 1, 2 ** 30 - 1], [-(2 ** 31), 0], [2 ** 31 - 1, -1]]) {
    assertEq(make(wide), narrow);
    assertEq(makeExtern(wide), narrow);
  }
});

test('minus zero stays minus zero', () => {
  const { any, extern } = passing(heap(), { ...ABSTRACT, extern: 'externref' });
  assertEq(any(-0), -0);
  assertEq(extern(-0), -0);
});

test('numbers that look alike are eq, integers or doubles', () => {
  const { b } = heap();
  b.func(['eqref', 'eqref'], ['i32'], [op.localGet(0), op.localGet(1), op.refEq], { export: 'same' });
  const { same, newPoint, newInts } = b.instance().exports;
  assertEq(same(1, 0.5 + 0.5), 1);
  assertEq(same(1, 2), 0);
  const object = newPoint(1);
  assertEq(same(object, object), 1);
  assertEq(same(object, newPoint(1)), 0);
  assertEq(same(object, newInts(1)), 0);
  assertEq(same(null, null), 1);
  assertEq(same(object, null), 0);
});

test('any JavaScript value is an anyref and comes back the same', () => {
  const { any, extern } = passing(heap(), { any: 'anyref', extern: 'externref' });
  const values = [
    undefined, null, true, false, '', 'text', '\ud800', Symbol('s'), Symbol.iterator, 0n, 2n ** 70n, {}, [], () => {}, any,
    new Proxy({}, {}), new Proxy(() => {}, {}), globalThis, /r/, new Date(0), new Error('e'), new Map(), new Uint8Array(3),
    Object.create(null), Object.freeze({}), new WebAssembly.Memory({ initial: 0 }), WebAssembly, class {}, 0.1, NaN,
  ];
  for (const value of values) {
    assertEq(any(value), value);
    assertEq(extern(value), value);
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert(any(proxy) === proxy);
});

test('conversions between externref and anyref inside the guest', () => {
  const { b, point } = heap();
  b.func(['externref'], ['anyref'], [op.localGet(0), op.anyConvertExtern], { export: 'toAny' });
  b.func(['anyref'], ['externref'], [op.localGet(0), op.externConvertAny], { export: 'toExtern' });
  b.func(['externref'], ['externref'], [op.localGet(0), op.anyConvertExtern, op.externConvertAny], { export: 'there' });
  b.func(['anyref'], ['anyref'], [op.localGet(0), op.externConvertAny, op.anyConvertExtern], { export: 'back' });
  b.func(['externref'], ['i32'], [
    op.localGet(0), op.anyConvertExtern, op.refCast(point), op.structGet(point, 0),
  ], { export: 'castX' });
  b.func(['externref'], ['i32'], [
    op.block('anyref'), op.localGet(0), op.anyConvertExtern, op.brOnCast(0, 'any', 'struct'), op.drop, op.i32(0), op.return,
    op.end, op.drop, op.i32(1),
  ], { export: 'isStruct' });
  const exports = b.instance().exports;
  const { newPoint, newInts, castX, isStruct } = exports;
  const object = newPoint(6);
  const array = newInts(1);
  for (const value of [1, 1.5, -0, 'text', undefined, null, {}, exports.toAny, () => {}, 3n, Symbol('s'), object, array]) {
    for (const name of ['toAny', 'toExtern', 'there', 'back']) assertEq(exports[name](value), value, name);
  }
  assertEq(castX(object), 6);
  for (const value of [1, null, {}, array, 'text', castX]) assertThrows(RuntimeError, () => castX(value));
  assertEq(isStruct(object), 1);
  for (const value of [1, {}, array, 'text', null, undefined]) assertEq(isStruct(value), 0);
});

test('values of JavaScript inside structs and arrays', () => {
  const b = new WasmBuilder();
  const box = b.structType(['externref', 'anyref', 'funcref']);
  b.func(['externref', 'anyref', 'funcref'], [ref(box)], [
    op.localGet(0), op.localGet(1), op.localGet(2), op.structNew(box),
  ], { export: 'box' });
  b.func([ref(box)], ['externref', 'anyref', 'funcref'], [0, 1, 2].map((at) => [op.localGet(0), op.structGet(box, at)]), {
    export: 'unbox',
  });
  const { box: make, unbox } = b.instance().exports;
  const [first, second] = [{ first: 1 }, { second: 2 }];
  const made = make(first, second, unbox);
  assertList(unbox(made), [first, second, unbox]);
  const nested = make(made, made, null);
  assertList(unbox(nested), [made, made, null]);
  globalThis.gc?.();
  assertList(unbox(unbox(nested)[0]), [first, second, unbox]);
});

test('what only a guest keeps comes back whole', () => {
  const { b, point } = heap();
  const list = b.rawType(structTypeBytes([ref(point), refNull(b.type([], []) + 1)]));
  assertEq(list, b.type([], []) + 1);
  b.global(refNull(list), op.refNull(list), { mutable: true });
  b.func(['i32'], [], [
    op.localGet(0), op.structNew(point), op.globalGet(0), op.structNew(list), op.globalSet(0),
  ], { export: 'push' });
  b.func([], [ref(point)], [
    op.globalGet(0), op.structGet(list, 0), op.globalGet(0), op.structGet(list, 1), op.globalSet(0),
  ], { export: 'pop' });
  b.func([], [ref(point)], [op.globalGet(0), op.structGet(list, 0)], { export: 'top' });
  const { push, pop, top, x } = b.instance().exports;
  for (let i = 0; i < 1000; i++) push(i);
  globalThis.gc?.();
  assertEq(top(), top());
  for (let i = 999; i >= 0; i--) assertEq(x(pop()), i);
  assertThrows(RuntimeError, pop);
});

test('objects and exceptions stay the same when the collector moves what they stand for', () => {
  const { b, point } = heap();
  const tag = b.tag([refNull(point)], { export: 'tag' });
  b.table({ element: 'anyref', min: 2000 }, { export: 'table' });
  b.func(['i32'], [], [
    op.loop(), op.i32(1), op.structNew(point), op.drop,
    op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
  ], { export: 'churn' });
  b.func([ref(point)], [], [op.localGet(0), op.throw(tag)], { export: 'fail' });
  const { newPoint, x, table, churn, fail, tag: failed } = b.instance().exports;
  const catchFrom = (run) => { try { return run(); } catch (error) { return error; } };
  const objects = [];
  const errors = [];
  for (let i = 0; i < 1000; i++) {
    // Half of the places hold what no script has, so that what is kept moves by more than its own size.
    table.set(2 * i, newPoint(-i));
    objects.push(newPoint(i));
    table.set(2 * i + 1, objects[i]);
    if (i % 100 === 0) errors.push(catchFrom(() => fail(objects[i])));
  }
  for (let round = 0; round < 5; round++) {
    churn(200_000);
    for (let i = round; i < 1000; i += 7) table.set(2 * i, null);
    for (let i = 0; i < 1000; i++) {
      assertEq(table.get(2 * i + 1), objects[i], `object ${i}, round ${round}`);
      assertEq(x(objects[i]), i);
    }
    errors.forEach((error, at) => assertEq(error.getArg(failed, 0), objects[100 * at]));
    // What is let go of does not become another's object.
    for (let i = 0; i < 50; i++) assert(!objects.includes(newPoint(i)));
  }
});

test('groups of types that are the same in two modules are one type', () => {
  const define = (b) => {
    const first = b.type([], []) + 1;
    b.rawType(groupBytes(structTypeBytes([refNull(first + 1), 'i32']), structTypeBytes([refNull(first)])), 2);
    return first;
  };
  const maker = new WasmBuilder();
  const made = define(maker);
  maker.func(['i32'], [ref(made)], [op.refNull(made + 1), op.localGet(0), op.structNew(made)], { export: 'make' });
  maker.func([], [ref(made + 1)], [op.refNull(made), op.structNew(made + 1)], { export: 'makeOther' });
  const { make, makeOther } = maker.instance().exports;
  const taker = new WasmBuilder();
  taker.type(['f64'], []);
  const taken = define(taker);
  const host = taker.importFunc('m', 'make', ['i32'], [ref(taken)]);
  taker.func([ref(taken)], ['i32'], [op.localGet(0), op.structGet(taken, 1)], { export: 'take' });
  taker.func(['i32'], ['i32'], [op.localGet(0), op.call(host), op.structGet(taken, 1)], { export: 'direct' });
  const { take, direct } = taker.instance({ m: { make } }).exports;
  assertEq(direct(8), 8);
  assertEq(take(make(9)), 9);
  assertThrows(TypeError, () => take(makeOther()));
});

test('types of groups that differ are not one type', () => {
  const maker = new WasmBuilder();
  maker.rawType(groupBytes(structTypeBytes(['i32']), structTypeBytes(['i64'])), 2);
  maker.func([], [ref(0)], [op.structNewDefault(0)], { export: 'make' });
  const { make } = maker.instance().exports;
  const taker = new WasmBuilder();
  const alone = taker.structType(['i32']);
  taker.importFunc('m', 'make', [], ['externref']);
  taker.func([ref(alone)], [], [], { export: 'take' });
  const { take } = taker.instance({ m: { make: () => {} } }).exports;
  assertThrows(TypeError, () => take(make()));
  const wants = new WasmBuilder();
  wants.importFunc('m', 'make', [], [ref(wants.structType(['i32']))]);
  assertThrows(LinkError, () => wants.instance({ m: { make } }));
});

test('globals and tables of reference types that a guest exports check what scripts put in', () => {
  const { b, point } = heap();
  b.global(refNull(point), op.refNull(point), { mutable: true, export: 'point' });
  b.global('i31ref', [op.i32(5), op.refI31], { mutable: true, export: 'small' });
  b.global(ref(point), [op.i32(3), op.structNew(point)], { export: 'fixed' });
  b.table({ element: ref(point), min: 2 }, { export: 'strict', init: [op.i32(4), op.structNew(point)] });
  b.table({ element: 'i31ref', min: 1, max: 4 }, { export: 'smalls' });
  const { newPoint, newPoint3, newOther, ...exports } = b.instance().exports;
  const { point: global, small, fixed, strict, smalls, x } = exports;
  global.value = newPoint3(2);
  assertEq(x(global.value), 2);
  for (const wrong of [1, 'text', undefined, {}, newOther()]) assertThrows(TypeError, () => { global.value = wrong; });
  assertEq(x(global.value), 2);
  global.value = null;
  assertEq(global.value, null);
  assertEq(small.value, 5);
  assertThrows(TypeError, () => { small.value = 2 ** 30; });
  small.value = -4;
  assertEq(small.value, -4);
  assertEq(x(fixed.value), 3);
  assertThrows(TypeError, () => { fixed.value = newPoint(1); });
  assertEq(strict.get(0), strict.get(1));
  assertEq(x(strict.get(0)), 4);
  assertThrows(TypeError, () => strict.set(0));
  assertThrows(TypeError, () => strict.set(0, null));
  assertThrows(TypeError, () => strict.grow(1));
  assertThrows(TypeError, () => strict.grow(1, undefined));
  assertEq(strict.grow(1, newPoint(11)), 2);
  assertEq(x(strict.get(2)), 11);
  strict.set(0, newPoint(12));
  assertEq(x(strict.get(0)), 12);
  assertThrows(RangeError, () => strict.set(9, newPoint(1)));
  assertEq(smalls.get(0), null);
  smalls.set(0, 6);
  assertEq(smalls.get(0), 6);
  smalls.set(0);
  assertEq(smalls.get(0), null);
  assertEq(smalls.grow(2, 7), 1);
  assertEq(smalls.get(2), 7);
  assertThrows(TypeError, () => smalls.set(0, {}));
  assertThrows(RangeError, () => smalls.grow(5, 7));
});

test('scripts make tables, globals and tags of types below any', () => {
  const { newPoint, newInts } = heap().b.instance().exports;
  const [point, ints, object] = [newPoint(1), newInts(1), {}];
  const fits = {
    anyref: [point, ints, 5, 1.5, 'text', object, undefined], eqref: [point, ints, 5], i31ref: [5], structref: [point],
    arrayref: [ints],
  };
  for (const [type, values] of Object.entries(fits)) {
    const table = new Table({ element: type, initial: 1 });
    const global = new Global({ value: type, mutable: true });
    const tag = new WebAssembly.Tag({ parameters: [type] });
    assertEq(table.get(0), null);
    assertEq(global.value, null);
    for (const value of fits.anyref) {
      const fails = !values.includes(value);
      const put = [
        () => { table.set(0, value); return table.get(0); }, () => { global.value = value; return global.value; },
        () => new WebAssembly.Exception(tag, [value]).getArg(tag, 0),
        // An explicit `undefined` is a missing argument here.
        ...(value === undefined ? [] : [() => new Global({ value: type }, value).value]),
      ];
      for (const fn of put) {
        if (fails) assertThrows(TypeError, fn);
        else assertEq(fn(), value);
      }
    }
  }
});

test('immutable globals of reference types take a value of a script', () => {
  const b = new WasmBuilder();
  b.importGlobal('m', 'any', 'anyref');
  b.importGlobal('m', 'eq', 'eqref');
  b.importGlobal('m', 'small', ref('i31'));
  b.export('any', 'global', 0);
  b.export('eq', 'global', 1);
  b.export('small', 'global', 2);
  const module = b.module();
  const object = {};
  const good = { any: object, eq: 3, small: -9 };
  const { any, eq, small } = new Instance(module, { m: good }).exports;
  assertEq(any.value, object);
  assertEq(eq.value, 3);
  assertEq(small.value, -9);
  for (const wrong of [{ eq: 'text' }, { eq: 1.5 }, { eq: undefined }, { small: null }, { small: 2 ** 30 }]) {
    assertThrows(LinkError, () => new Instance(module, { m: { ...good, ...wrong } }));
  }
});

test('structs as arguments and results of imports keep their identity', () => {
  const { b, point } = heap();
  const b2 = new WasmBuilder();
  const type = b2.rawType(subTypeBytes(structTypeBytes(['i32'])));
  const host = b2.importFunc('m', 'f', [ref(type), 'anyref', 'externref'], ['anyref', refNull(type)]);
  b2.func(['i32'], ['anyref', refNull(type)], [
    op.localGet(0), op.structNew(type), op.localTee(1), op.refAsNonNull, op.localGet(1), op.localGet(1), op.externConvertAny,
    op.call(host),
  ], { export: 'run', locals: [refNull(type)] });
  let seen;
  let give = (object) => [object, object];
  const { run } = b2.instance({ m: { f(...args) { seen = args; return give(args[0]); } } }).exports;
  const [first, second] = run(1);
  assertList(seen, [first, first, first]);
  assertEq(first, second);
  give = () => [{}, 'text'];
  assertThrows(TypeError, () => run(1));
  give = () => ['text', null];
  assertList(run(1), ['text', null]);
  assertEq(typeof point, 'number');
});

/**
 * An instance whose results, parameters, global and table are of `type`, and a check that each gives back what it gets.
 */
function carrier(type, more = () => {}) {
  const b = new WasmBuilder();
  let result;
  const host = b.importFunc('m', 'f', [], [type]);
  more(b);
  b.func([], [type], op.call(host), { export: 'calls' });
  b.func([type], [type], op.localGet(0), { export: 'takes' });
  b.global(type, op.refNull(type), { mutable: true, export: 'global' });
  b.table({ element: type, min: 1 }, { export: 'table' });
  const exports = b.instance({ m: { f: () => result } }).exports;
  const check = (object) => {
    const { calls, takes, global, table } = exports;
    result = object;
    assertEq(calls(), object);
    assertEq(takes(object), object);
    global.value = object;
    assertEq(global.value, object);
    table.set(0, object);
    assertEq(table.get(0), object);
    assertEq(table.get(table.grow(1, object)), object);
  };
  return { exports, check };
}

test('objects go to instances that import nothing of each other', () => {
  const { newPoint, newInts } = heap().b.instance().exports;
  const { exports, check } = carrier('anyref', (b) => b.tag(['anyref'], { export: 'tag' }));
  const exported = exports.tag;
  for (const object of [newPoint(1), newInts(1)]) {
    check(object);
    assertEq(new WebAssembly.Exception(exported, [object]).getArg(exported, 0), object);
  }
});

test('to an instance that knows externrefs alone they are values as any', () => {
  const { newPoint, newInts } = heap().b.instance().exports;
  const { check } = carrier('externref');
  for (const object of [newPoint(1), newInts(1)]) check(object);
});

test('an object goes to instances that are linked with its own, whatever links them', () => {
  const types = (b) => b.rawType(subTypeBytes(structTypeBytes(['i32'])));
  const source = () => {
    const b = new WasmBuilder();
    const point = types(b);
    b.func(['i32'], [ref(point)], [op.localGet(0), op.structNew(point)], { export: 'make' });
    b.global('i32', op.i32(0), { mutable: true, export: 'counter' });
    b.memory({ min: 1 }, { export: 'memory' });
    b.table({ min: 1 }, { export: 'table' });
    return b.instance().exports;
  };
  const links = {
    make: (b, point) => b.importFunc('m', 'make', ['i32'], [ref(point)]),
    counter: (b) => b.importGlobal('m', 'counter', 'i32', true),
    memory: (b) => b.importMemory('m', 'memory', { min: 1 }),
    table: (b) => b.importTable('m', 'table', { min: 1 }),
  };
  for (const [name, link] of Object.entries(links)) {
    const exports = source();
    const b = new WasmBuilder();
    const point = types(b);
    link(b, point);
    b.func([ref(point)], ['i32'], [op.localGet(0), op.structGet(point, 0)], { export: 'read' });
    assertEq(b.instance({ m: exports }).exports.read(exports.make(12)), 12, name);
  }
});

test('an imported global that holds an object brings its instance along', () => {
  const { newPoint, x } = heap().b.instance().exports;
  const object = newPoint(3);
  const holder = new Global({ value: 'externref' }, object);
  assertEq(holder.value, object);
  const b = new WasmBuilder();
  const point = b.rawType(subTypeBytes(structTypeBytes(['i32'])));
  const global = b.importGlobal('m', 'object', 'externref');
  const direct = b.importGlobal('m', 'direct', ref(point));
  b.func([], ['i32'], [op.globalGet(global), op.anyConvertExtern, op.refCast(point), op.structGet(point, 0)], {
    export: 'read',
  });
  b.func([], ['i32'], [op.globalGet(direct), op.structGet(point, 0)], { export: 'readDirect' });
  const { read, readDirect } = b.instance({ m: { object: holder, direct: object } }).exports;
  assertEq(read(), 3);
  assertEq(readDirect(), 3);
  assertEq(x(object), 3);
});

test('100,000 structs cross, one after another', () => {
  const { newPoint, x, newInts, any } = passing(heap(), { any: 'anyref' });
  let sum = 0;
  for (let i = 0; i < 100_000; i++) sum += x(newPoint(i));
  assertEq(sum, 4999950000);
  // Each would be 40 KB: 4 GB, if they stayed.
  for (let i = 0; i < 100_000; i++) any(newInts(10_000));
});

test('many structs at a time', () => {
  const { newPoint, x } = heap().b.instance().exports;
  const objects = [];
  for (let i = 0; i < 20_000; i++) objects.push(newPoint(i));
  globalThis.gc?.();
  assertEq(new Set(objects).size, 20_000);
  objects.forEach((object, i) => { if (x(object) !== i) throw new Error(`struct ${i} is ${x(object)}`); });
});

test('100,000 JavaScript objects cross as anyref, held by the guest one at a time', () => {
  const b = new WasmBuilder();
  b.global('anyref', op.refNull('anyref'), { mutable: true });
  b.func(['anyref'], ['anyref'], [op.globalGet(0), op.localGet(0), op.globalSet(0)], { export: 'exchange' });
  const { exchange } = b.instance().exports;
  exchange({ i: -1 });
  for (let i = 0; i < 100_000; i++) assertEq(exchange({ i }).i, i - 1);
});
