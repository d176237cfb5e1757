// structuredClone: every type, what it keeps and what it does not, the order of side effects, transfer.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { assertDataCloneError, assertTypeError } from './support.mjs';

const clone = structuredClone;
const proto = Object.getPrototypeOf;
const keys = (object) => Reflect.ownKeys(object);

test('structuredClone is a function as WebIDL has it', () => {
  assertProperty(globalThis, 'structuredClone', 'wec');
  assertEq(clone.name, 'structuredClone');
  assertTypeError(() => clone());
  assertEq(clone(undefined), undefined);
});

test('its length is 1', () => assertEq(clone.length, 1), { v8: 'Node says 2' });
test('it is no constructor', () => { assertThrows(TypeError, () => new clone(1)); }, { v8: 'Node constructs' });

// Primitives.

test('primitives stay what they are', () => {
  for (const value of [undefined, null, true, false, 0, -0, 1, -1, 0.1, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 32,
    2 ** 53, -(2 ** 53), Number.MIN_VALUE, Number.MAX_VALUE, 1 << 30, -(1 << 30)]) {
    assertEq(clone(value), value);
    assertEq(clone([value])[0], value);
  }
});

test('BigInts of any size', () => {
  for (const value of [0n, 1n, -1n, 2n ** 31n, -(2n ** 31n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n, -(2n ** 64n),
    2n ** 64n - 1n, 2n ** 128n + 12345678901234567890n, -(3n ** 5000n), 2n ** 100_000n]) {
    assert(clone(value) === value);
    assert(clone({ value }).value === value);
  }
});

test('strings: empty, Latin-1, UTF-16, lone surrogates, NUL', () => {
  const latin1 = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
  for (const value of ['', 'a', latin1, '\0', 'a\0b', '€', '\u{1f600}', '\ud800', '\udc00', 'x\udc00\ud800y', 'é\uffff', '\ufeff']) {
    assertEq(clone(value), value);
    assertEq(keys(clone({ [value]: 1 }))[0], value, 'as a key');
  }
});

test('strings: very long, and made of parts', () => {
  for (const value of ['ab'.repeat(1_500_000), '€x'.repeat(1_500_000)]) assert(clone(value) === value);
  let rope = '';
  for (let i = 0; i < 1000; i += 1) rope += i;
  assert(clone(rope) === rope);
});

test('a symbol: DataCloneError', () => {
  for (const value of [Symbol('s'), Symbol.for('s'), Symbol.iterator]) {
    assertDataCloneError(() => clone(value));
    assertDataCloneError(() => clone({ value }));
    assertDataCloneError(() => clone(Object(value)));
    assertDataCloneError(() => clone(new Map([[value, 1]])));
  }
});

test('boxed primitives stay boxed', () => {
  for (const value of [true, false, 0, -0, NaN, 1.5, '', 'text', 'x\ud800', 0n, -(2n ** 70n)]) {
    const boxed = Object(value);
    const copy = clone(boxed);
    assert(copy !== boxed);
    assertEq(typeof copy, 'object');
    assertEq(proto(copy), proto(boxed));
    assertEq(copy.valueOf(), value);
  }
  const string = clone(Object('abc'));
  assertList(keys(string), ['0', '1', '2', 'length']);
});

test('boxed primitives lose properties, and say what they hold and not what valueOf says', () => {
  const boxed = Object.assign(new Number(5), { extra: 1, valueOf: () => 6 });
  assertList(keys(clone(boxed)), []);
  assertEq(clone(boxed).valueOf(), 5);
  assertList(keys(clone(Object.assign(Object('a'), { extra: () => {} }))), ['0', 'length']);
});

// Date, RegExp.

test('Date, also an invalid one', () => {
  for (const time of [0, -0, 1, -1, 8.64e15, -8.64e15, 1e12 + 1, NaN]) {
    const date = new Date(time);
    const copy = clone(date);
    assert(copy !== date);
    assertEq(proto(copy), Date.prototype);
    assertEq(copy.getTime(), date.getTime());
  }
  const date = Object.assign(new Date(5), { extra: 1, getTime: () => 7, valueOf: () => 8 });
  assertList(keys(clone(date)), []);
  assertEq(clone(date).getTime(), 5);
});

test('RegExp: source and flags; lastIndex is 0', () => {
  const all = [/a/, /[/]\n(?<name>x)\//dgimsuy, /\p{L}/v, new RegExp(''), new RegExp('\u{1f600}€', 'u'), new RegExp('\n')];
  for (const regexp of all) {
    regexp.lastIndex = 3;
    regexp.extra = 1;
    const copy = clone(regexp);
    assert(copy !== regexp);
    assertEq(proto(copy), RegExp.prototype);
    assertEq(copy.source, regexp.source);
    assertEq(copy.flags, regexp.flags);
    assertEq(copy.lastIndex, 0);
    assertList(keys(copy), ['lastIndex']);
    assertProperty(copy, 'lastIndex', 'w');
    assertEq(regexp.lastIndex, 3);
  }
  assertEq(clone(/(?<y>\d{4})/).exec('in 1999').groups.y, '1999');
});

test('RegExp: what it holds, not what its properties say', () => {
  const regexp = Object.defineProperties(/a+/g, { source: { value: 'b' }, flags: { value: 'i' } });
  const copy = clone(regexp);
  assertEq(copy.source, 'a+');
  assertEq(copy.flags, 'g');
});

// Map, Set.

test('Map: order, keys that are objects, identity of keys and values', () => {
  const key = { k: 1 };
  const map = new Map([[key, 'object'], [NaN, key], [-0, 1], ['z', 2], ['a', [key]], [1n, 3], [undefined, null]]);
  const copy = clone(map);
  assertEq(proto(copy), Map.prototype);
  const [[first], ...rest] = copy;
  assertEq(first.k, 1);
  assert(first !== key);
  assertList(rest.map(([k]) => k), [NaN, 0, 'z', 'a', 1n, undefined]);
  assertEq(copy.get(NaN), first);
  assertEq(copy.get('a')[0], first);
  assertEq(copy.get(first), 'object');
  assertEq(copy.has(key), false);
});

test('Set: order, identity', () => {
  const a = {}, b = [a];
  const copy = clone(new Set([b, 3, a, 1, 2, 'x', NaN]));
  assertEq(proto(copy), Set.prototype);
  const items = [...copy];
  assertEq(items[0][0], items[2]);
  assertList(items.slice(3), [1, 2, 'x', NaN]);
  assertEq(items[1], 3);
  assertEq(copy.has(items[2]), true);
});

test('Map and Set that contain themselves', () => {
  const map = new Map();
  map.set(map, map).set('m', map);
  const mapCopy = clone(map);
  assert(mapCopy !== map);
  assertEq(mapCopy.get(mapCopy), mapCopy);
  assertEq(mapCopy.get('m'), mapCopy);
  const set = new Set();
  set.add(set);
  const setCopy = clone(set);
  assertEq([...setCopy][0], setCopy);
  assertEq(setCopy.size, 1);
});

test('Map and Set lose other properties, subclasses become plain', () => {
  class MyMap extends Map { mine = () => {}; }
  class MySet extends Set { mine = () => {}; get size() { throw new Error('size was read'); } }
  const map = clone(new MyMap([[1, 2]]));
  assertEq(proto(map), Map.prototype);
  assertList(keys(map), []);
  const set = clone(new MySet([1]));
  assertEq(proto(set), Set.prototype);
  assertList([...set], [1]);
});

test('Map and Set are copied as their methods are not: patched ones are not called', () => {
  const { set: mapSet } = Map.prototype, { add } = Set.prototype, iterator = Map.prototype[Symbol.iterator];
  const map = new Map([[1, 2]]), set = new Set([7]);
  let calls = 0;
  Map.prototype.set = Set.prototype.add = Map.prototype[Symbol.iterator] = () => { calls += 1; };
  let copies;
  try {
    copies = clone([map, set]);
  } finally {
    Map.prototype.set = mapSet;
    Set.prototype.add = add;
    Map.prototype[Symbol.iterator] = iterator;
  }
  assertEq(calls, 0);
  assertEq(copies[0].get(1), 2);
  assertList([...copies[1]], [7]);
});

test('Map and Set: what is there at the start, whatever getters add and delete', () => {
  const map = new Map([[{ get a() { map.set('new', 1); map.delete('later'); return 1; } }, 1], ['later', 2]]);
  const keysOfCopy = [...clone(map).keys()];
  assertEq(keysOfCopy.length, 2);
  assertEq(keysOfCopy[1], 'later');
  const set = new Set([{ get a() { set.add('new'); set.delete('later'); return 1; } }, 'later']);
  const items = [...clone(set)];
  assertEq(items.length, 2);
  assertEq(items[1], 'later');
});

// Errors.

const natives = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

test('native errors keep class, message and stack', () => {
  for (const Class of natives) {
    const error = new Class('what happened');
    const copy = clone(error);
    assert(copy !== error);
    assertEq(proto(copy), Class.prototype);
    assertEq(copy.name, Class.name);
    assertEq(Object.hasOwn(copy, 'name'), false);
    assertEq(copy.message, 'what happened');
    assertProperty(copy, 'message', 'wc');
    assertEq(copy.stack, error.stack);
    assertEq(Object.prototype.toString.call(copy), '[object Error]');
    assertEq(Object.hasOwn(copy, 'cause'), false);
  }
});

test('errors: no message of their own, none in the copy', () => {
  assertEq(Object.hasOwn(clone(new Error()), 'message'), false);
  const inherits = Object.setPrototypeOf(new Error(), { message: 'inherited', name: 'TypeError' });
  const copy = clone(inherits);
  assertEq(proto(copy), TypeError.prototype);
  assertEq(Object.hasOwn(copy, 'message'), false);
});

test('errors: a made-up name becomes Error, the name decides on the class', () => {
  const made = Object.assign(new TypeError('m'), { name: 'Fancy' });
  assertEq(proto(clone(made)), Error.prototype);
  assertEq(clone(made).name, 'Error');
  assertEq(Object.hasOwn(clone(made), 'name'), false);
  const renamed = Object.assign(new Error('m'), { name: 'RangeError' });
  assertEq(proto(clone(renamed)), RangeError.prototype);
  for (const name of [undefined, null, 5, 'toString', '', 'Object']) {
    assertEq(proto(clone(Object.assign(new TypeError('m'), { name }))), Error.prototype);
  }
});

test('errors: the name is read by [[Get]], its exception passes', () => {
  const reason = {};
  assertThrowsValue(reason, () => clone(Object.defineProperty(new Error(), 'name', { get() { throw reason; } })));
});

test('errors: the name is read once', () => {
  let reads = 0;
  const error = Object.defineProperty(new Error('m'), 'name', { get() { reads += 1; return 'URIError'; } });
  assertEq(proto(clone(error)), URIError.prototype);
  assertEq(reads, 1);
}, { v8: 'reads it twice' });

test('errors: a message that is a getter is not read', () => {
  const error = Object.defineProperty(new Error(), 'message', { get() { throw new Error('was read'); }, configurable: true });
  assertEq(Object.hasOwn(clone(error), 'message'), false);
}, { v8: 'reads it' });

test('errors: the message becomes a string', () => {
  const texts = [[5, '5'], [null, 'null'], [undefined, 'undefined'], [{ toString: () => 'text' }, 'text'], [[1, 2], '1,2'],
    ['', '']];
  for (const [message, text] of texts) {
    const copy = clone(Object.defineProperty(new Error('m'), 'message', { value: message }));
    assertEq(assertProperty(copy, 'message', 'wc').value, text);
  }
  const reason = {};
  const throwing = Object.assign(new Error(), { message: { toString() { throw reason; } } });
  assertThrowsValue(reason, () => clone(throwing));
  assertThrows(TypeError, () => clone(Object.assign(new Error(), { message: Symbol() })));
});

test('errors: cause is kept, nested, of any cloneable value', () => {
  const inner = new RangeError('inner', { cause: { why: [1n] } });
  const copy = clone(new TypeError('outer', { cause: inner }));
  assertProperty(copy, 'cause', 'wc');
  assertEq(proto(copy.cause), RangeError.prototype);
  assertEq(copy.cause.message, 'inner');
  assertEq(copy.cause.cause.why[0], 1n);
  assertEq(clone(new Error('m', { cause: undefined })).cause, undefined);
  const shared = {};
  const [a, b] = clone([shared, new Error('m', { cause: shared })]);
  assertEq(b.cause, a);
});

test('errors: a cause that cannot be cloned: DataCloneError', () => {
  assertDataCloneError(() => clone(new Error('m', { cause: () => {} })));
});

test('errors: own properties are not kept', () => {
  const error = Object.assign(new Error('m'), { code: 'E', fn() {}, [Symbol()]: 1 });
  const copy = clone(error);
  assertEq('code' in copy, false);
  assertEq('fn' in copy, false);
  assertEq(Object.getOwnPropertySymbols(copy).length, 0);
});

test('errors: AggregateError and subclasses', () => {
  const copy = clone(new AggregateError([new Error('one')], 'many'));
  assertEq(proto(copy), Error.prototype);
  assertEq(copy.message, 'many');
  assertEq('errors' in copy, false);
  class Mine extends RangeError {}
  assertEq(proto(clone(new Mine('m'))), RangeError.prototype);
  class Named extends RangeError { get name() { return 'Named'; } }
  assertEq(proto(clone(new Named('m'))), Error.prototype);
});

test('errors: the same error twice is one', () => {
  const error = new Error('m');
  const [a, b] = clone([error, error]);
  assertEq(a, b);
});

test('an error that is its own cause', () => {
  const error = new Error('m');
  error.cause = error;
  const copy = clone(error);
  assertEq(copy.cause, copy);
});

test('DOMException: name, message, code', () => {
  for (const [name, code] of [['DataCloneError', 25], ['AbortError', 20], ['Made up', 0]]) {
    const error = new DOMException('why', name);
    const copy = clone({ error }).error;
    assert(copy !== error);
    assertEq(proto(copy), DOMException.prototype);
    assertList([copy.name, copy.message, copy.code], [name, 'why', code]);
  }
});

// Plain objects.

test('a plain object: keys in order, every kind of value', () => {
  const copy = clone({ b: 1, a: { c: 'x' }, 2: 'two', 1: 'one', '': null });
  assertList(keys(copy), ['1', '2', 'b', 'a', '']);
  assertEq(proto(copy), Object.prototype);
  assertEq(copy.a.c, 'x');
  for (const key of keys(copy)) assertProperty(copy, key, 'wec');
});

test('frozen objects, null prototypes, instances of classes become plain objects', () => {
  class Point { #hidden = 1; x = 2; get y() { return 3; } static z = 4; hidden() { return this.#hidden; } }
  const point = clone(new Point());
  assertEq(proto(point), Object.prototype);
  assertList(keys(point), ['x']);
  const bare = clone(Object.assign(Object.create(null), { a: 1 }));
  assertEq(proto(bare), Object.prototype);
  assertEq(bare.a, 1);
  const thawed = clone(Object.freeze({ a: Object.freeze([1]) }));
  assertEq(Object.isFrozen(thawed), false);
  assertEq(Object.isFrozen(thawed.a), false);
  assertProperty(thawed, 'a', 'wec');
  assertList(keys(clone(Object.create({ inherited: 1 }))), []);
});

test('symbol keys and what is not enumerable is ignored', () => {
  const object = Object.defineProperty({ [Symbol('s')]: Symbol('v'), seen: 1 }, 'hidden', { value() {} });
  assertList(keys(clone(object)), ['seen']);
  assertEq(Object.prototype.toString.call(clone({ [Symbol.toStringTag]: 'Mine' })), '[object Object]');
});

test('namespaces and prototypes are what they are made of', () => {
  for (const object of [Math, JSON, Reflect, Atomics, Object.prototype, Error.prototype, TypeError.prototype, RegExp.prototype,
    Date.prototype, Map.prototype, Set.prototype, WeakMap.prototype, Promise.prototype, Symbol.prototype, BigInt.prototype,
    ArrayBuffer.prototype, SharedArrayBuffer.prototype, Uint8Array.prototype, DataView.prototype]) {
    const copy = clone(object);
    assertEq(proto(copy), Object.prototype);
    assertList(keys(copy), []);
  }
  assert(Array.isArray(clone(Array.prototype)));
  assertEq(clone(Number.prototype).valueOf(), 0);
  assertEq(clone(Boolean.prototype).valueOf(), false);
  assertEq(clone(String.prototype).valueOf(), '');
  assertDataCloneError(() => clone(Function.prototype));
});

test('getters run in order, once, and become data', () => {
  const log = [];
  const object = {
    get a() { log.push('a'); return { get inner() { log.push('inner'); return 1; } }; },
    get b() { log.push('b'); return 2; },
  };
  const copy = clone(object);
  assertList(log, ['a', 'inner', 'b']);
  assertEq(assertProperty(copy, 'a', 'wec').value.inner, 1);
  assertEq(assertProperty(copy, 'b', 'wec').value, 2);
  assertEq(assertProperty(clone({ set c(value) {} }), 'c', 'wec').value, undefined);
});

test('a getter that throws: the same error passes', () => {
  const reason = { mine: true };
  assertThrowsValue(reason, () => clone({ a: 1, get b() { throw reason; } }));
  assertThrowsValue(reason, () => clone([new Map([[1, { get b() { throw reason; } }]])]));
  assertThrowsValue(undefined, () => clone({ get b() { throw undefined; } }));
});

test('keys are those at the start; deleted ones are skipped, added ones are not seen', () => {
  const object = { get a() { delete this.b; this.added = 1; return 1; }, b: 2, c: 3 };
  const copy = clone(object);
  assertList(keys(copy), ['a', 'c']);
  const again = { get a() { delete this.b; this.b = 'again'; return 1; }, b: 2 };
  assertEq(clone(again).b, 'again');
});

test('a key that stops being enumerable is still cloned, by the value it has then', () => {
  const object = { get a() { Object.defineProperty(this, 'b', { value: 5, enumerable: false }); return 1; }, b: 2 };
  assertEq(assertProperty(clone(object), 'b', 'wec').value, 5);
});

test('a property that was deleted is not looked for on the prototype', () => {
  const object = Object.setPrototypeOf({ get a() { delete this.b; return 1; }, b: 2 }, { b: 'inherited' });
  assertList(keys(clone(object)), ['a']);
});

test('__proto__ as an own key stays one', () => {
  const object = JSON.parse('{"__proto__": {"polluted": 1}, "x": 2}');
  const copy = clone(object);
  assertList(keys(copy), ['__proto__', 'x']);
  assertEq(proto(copy), Object.prototype);
  assertEq(copy.polluted, undefined);
  assertEq(assertProperty(copy, '__proto__', 'wec').value.polluted, 1);
});

test('setters of Object.prototype and Array.prototype are not called', () => {
  const set = () => { throw new Error('was called'); };
  Object.defineProperty(Object.prototype, 'trap', { set, configurable: true });
  Object.defineProperty(Array.prototype, '1', { set, configurable: true });
  try {
    const made = { __proto__: null };
    Object.defineProperty(made, 'trap', { value: 1, enumerable: true });
    const array = [0];
    Object.defineProperty(array, '1', { value: 7, enumerable: true });
    assertEq(clone(made).trap, 1);
    assertEq(clone(array)[1], 7);
  } finally {
    delete Object.prototype.trap;
    delete Array.prototype[1];
  }
});

test('an arguments object becomes a plain object, if it is not refused', () => {
  // The text refuses it, as it has an internal slot; engines take it.
  for (const object of [(function () { 'use strict'; return arguments; })(1, 'b'), new Function('a', 'return arguments')(1, 'b')]) {
    let copy;
    try { copy = clone(object); } catch { assertDataCloneError(() => clone(object)); continue; }
    assertEq(proto(copy), Object.prototype);
    assertList(keys(copy), ['0', '1']);
    assertEq(copy[1], 'b');
  }
});

test('many keys, keys that are large indices', () => {
  const object = {};
  for (let i = 0; i < 5000; i += 1) object[`key ${i * 7919 % 5000}`] = i;
  object[4294967294] = 'largest index';
  object[4294967295] = 'no index';
  object['-1'] = 'negative';
  const copy = clone(object);
  assertList(keys(copy), keys(object));
  assertList(Object.values(copy), Object.values(object));
});

// Arrays.

test('arrays: length, holes, undefined', () => {
  const array = [1, , undefined, 'x', ,];
  const copy = clone(array);
  assert(Array.isArray(copy));
  assertEq(proto(copy), Array.prototype);
  assertEq(copy.length, 5);
  assertList(keys(copy), ['0', '2', '3', 'length']);
  assertList(keys(clone(new Array(3))), ['length']);
  assertEq(clone([]).length, 0);
});

test('arrays: sparse ones of large length', () => {
  const array = [];
  array[4_000_000_000] = 'far';
  array[3] = 'near';
  const copy = clone(array);
  assertEq(copy.length, 4_000_000_001);
  assertList(keys(copy), ['3', '4000000000', 'length']);
  assertEq(copy[4_000_000_000], 'far');
  assertEq(clone(new Array(4294967295)).length, 4294967295);
});

test('arrays: other properties are kept', () => {
  const array = Object.assign([1, 2], { extra: { a: 1 }, '-1': 'n', [Symbol()]: 1 });
  const copy = clone(array);
  assertList(keys(copy), ['0', '1', 'length', 'extra', '-1']);
  assertEq(copy.extra.a, 1);
  const match = clone(/b/.exec('abc'));
  assertEq(match.index, 1);
  assertEq(match.input, 'abc');
});

test('arrays: accessors, elements that are not enumerable, frozen ones, subclasses', () => {
  const array = Object.defineProperty([1, 2, 3], 1, { get: () => 'got', enumerable: true });
  Object.defineProperty(array, 2, { enumerable: false });
  const copy = clone(array);
  assertEq(copy.length, 3);
  assertEq(assertProperty(copy, '1', 'wec').value, 'got');
  assertEq(2 in copy, false);
  assertProperty(clone(Object.freeze([1])), '0', 'wec');
  class Mine extends Array {}
  assertEq(proto(clone(Mine.of(1))), Array.prototype);
  assertEq(clone(Object.defineProperty([1], 'length', { writable: false })).push(2), 2);
});

test('arrays: a getter that shortens or lengthens the array', () => {
  const shorter = [{ get a() { shorter.length = 1; return 1; } }, 2, 3];
  const copy = clone(shorter);
  assertEq(copy.length, 3, 'the length at the start');
  assertList(keys(copy), ['0', 'length']);
  const longer = [{ get a() { longer.push('new'); return 1; } }, 2];
  assertList(keys(clone(longer)), ['0', '1', 'length']);
});

test('arrays of numbers: every representation', () => {
  for (const array of [[1, 2, 3], [1.5, -0, NaN], [1, 2.5, 'x'], Array.from({ length: 10_000 }, (_, i) => i / 3)]) {
    assertList(clone(array), array);
  }
});

// Graphs.

test('cycles and shared parts keep their shape', () => {
  const shared = { s: 1 };
  const object = { shared, list: [shared, shared], date: new Date(1) };
  object.self = object;
  object.list.push(object.list, object.date);
  const copy = clone(object);
  assertEq(copy.self, copy);
  assertEq(copy.list[0], copy.shared);
  assertEq(copy.list[1], copy.shared);
  assertEq(copy.list[2], copy.list);
  assertEq(copy.list[3], copy.date);
  assert(copy !== object && copy.shared !== shared);
});

test('every kind of object is one where it was one', () => {
  for (const object of [{}, [], new Date(0), /x/, new Map(), new Set(), Object(1), Object('s'), Object(true), Object(1n), new Error(),
    new ArrayBuffer(1), new SharedArrayBuffer(1), new Uint8Array(1), new DataView(new ArrayBuffer(1)), new DOMException()]) {
    const [a, b] = clone([object, { object }].flatMap((value) => [value]));
    assertEq(a, b.object);
    assert(a !== object);
  }
});

test('100,000 levels: a right result or a RangeError', () => {
  for (const wrap of [(inner) => [inner], (inner) => ({ inner }), (inner) => new Map([[1, inner]]), (inner) => new Set([inner])]) {
    const open = (value) => (Array.isArray(value) ? value[0]
      : value instanceof Map ? value.get(1) : value instanceof Set ? [...value][0] : value.inner);
    let deep = 'bottom';
    for (let i = 0; i < 100_000; i += 1) deep = wrap(deep);
    let copy;
    try { copy = clone(deep); } catch (error) { assertEq(proto(error), RangeError.prototype); continue; }
    let levels = 0;
    for (; typeof copy === 'object'; levels += 1) copy = open(copy);
    assertEq(levels, 100_000);
    assertEq(copy, 'bottom');
  }
  assertEq(clone({ a: [1] }).a[0], 1);
});

test('1,000 levels are no trouble', () => {
  let deep = 0;
  for (let i = 0; i < 1000; i += 1) deep = i % 2 ? [deep] : { deep };
  let copy = clone(deep);
  for (let i = 999; i >= 0; i -= 1) copy = i % 2 ? copy[0] : copy.deep;
  assertEq(copy, 0);
});
