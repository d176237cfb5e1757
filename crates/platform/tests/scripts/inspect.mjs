// Every kind of value that the inspector treats in its own way; the output is compared with Node's.
import util from 'node:util';
const show = (...args) => console.log(...args);

show('a string', "it's", { s: "it's", t: 'say "hi"', u: `both ' and "`, v: 'all \' " `', n: '\n\t\x07\x7f\u{1F600}\ud800' });
show(0, -0, 1.5, NaN, Infinity, 1e21, 123456789012, 10n, true, null, undefined, Symbol('s'), Symbol());
show([0, -0, 1.5, NaN], [10n, true, null, undefined, Symbol('s')], [[]], [{}], {});
show([1, , 3], [, ,], [, 'a', , , 'b'], Object.assign([1, 2], { extra: 'x', '-1': 2 }), new Array(3));
show(Array.from({ length: 7 }, (_, i) => i), Array.from({ length: 101 }, (_, i) => i), Array.from({ length: 120 }, (_, i) => i * 1000));
show(Array.from({ length: 30 }, (_, i) => `item ${i}`), Array.from({ length: 27 }, (_, i) => 'x'.repeat(i)));
show(Array.from({ length: 10 }, (_, i) => ({ i })), ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
show({ a: 1, 'b-c': 2, 3: 4, [Symbol('k')]: 5, [Symbol.iterator]: 6, __proto__: { hidden: 1 } });
show({ a: { b: { c: { d: 1 } } } }, { a: { b: { c: {} } } }, { a: { b: { c: [] } } }, { a: { b: { c: [1] } } }, [[[[1]]]], [[[[]]]]);
show({ a: { b: { c: new Map([[1, 2]]) } } }, { a: { b: { c: new (class Foo { x = 1 })() } } }, { a: { b: { c: () => {} } } });
const circular = { name: 'c' };
circular.self = circular;
circular.list = [circular, { circular }];
const other = { circular };
circular.other = other;
show(circular, [other]);
show(new Map(), new Map([['a', 1], [{ k: 1 }, [1, 2]]]), new Set(), new Set([1, 'two', { three: 3 }]), { m: new Map([[1, new Set([1])]]) });
show(new Map([[new Map([[1, 2]]), new Set([[1, 2]])]]), Object.assign(new Map([[1, 2]]), { extra: true }), new Set(Array.from({ length: 120 }, (_, i) => i)));
show(new Uint8Array(3), new Float64Array([1.5, -0, NaN]), new BigInt64Array([1n, -2n]), new Uint8Array(0), new Uint8ClampedArray(120));
show(new ArrayBuffer(4), new Uint8Array([1, 2, 255]).buffer, new SharedArrayBuffer(2), new DataView(new ArrayBuffer(2)), new ArrayBuffer(60));
show(new Date(0), new Date(NaN), [new Date(1e12)], /a\/b/gi, [/x/], Object.assign(/y/, { p: 1 }), Object.assign(new Date(0), { p: 1 }));
show(function f() {}, () => {}, async () => {}, function* g() {}, async function* ag() {}, class A {}, class B extends Array {}, class {}, [function f() {}, class C {}]);
show(Object.assign(function f() {}, { a: 1, b: { c: 2 } }), class D { static x = 1 }, Math.max, Map, { f() {}, g: () => {}, h: class {} });
class Foo { a = 1; #p = 2; get x() { return 1; } }
class Bar extends Foo { b = { c: [1, 2, { d: 1 }] }; }
class Empty {}
class Tagged { get [Symbol.toStringTag]() { return 'Tag'; } }
show(new Foo(), new Bar(), new Empty(), new Tagged(), [new Foo(), new Empty()], Object.create(null), Object.assign(Object.create(null), { x: 1 }), Object.create({}), Object.create(Foo.prototype));
show(class MyArray extends Array {}, new (class MyArray extends Array {})(3), new (class MyMap extends Map {})([[1, 2]]), new (class MySet extends Set {})([1]), new (class P extends Promise {})(() => {}));
show({ get a() { return 1; }, set a(v) {}, get b() { return 1; }, set c(v) {} }, Object.defineProperty({}, 'hidden', { value: 1 }));
show(Promise.resolve(42), new Promise(() => {}), Promise.resolve({ a: [1, 2] }), (() => { const p = Promise.reject(7); p.catch(() => {}); return p; })());
show(new Proxy({ a: 1 }, {}), new Proxy([1, 2], {}), new Proxy(function f() {}, {}), [new Proxy(new Map([[1, 2]]), {})]);
show(Object(1), Object(-0), Object('str'), Object(true), Object(1n), Object(Symbol('s')), Object.assign(Object(1), { a: 1 }), Object.assign(Object('ab'), { c: 1 }));
show(new WeakMap(), new WeakSet(), [new WeakMap()], globalThis === global, Math, JSON, Reflect, Atomics);
show((function () { return arguments; })(1, 'two'), (function () { return arguments; })(), (function* g() {})());
show({ long: 'x'.repeat(60), other: 1 }, { long: 'x'.repeat(50), other: 12345 }, { a: 'x'.repeat(30), b: 'y'.repeat(30), c: 'z' });
show({ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, j: 10, k: 11, l: 12, m: 13, n: 14, o: 15, p: 16, q: 17, r: 18, s: 19 });
show(['x'.repeat(40), 'y'.repeat(40)], [['x'.repeat(40)], ['y'.repeat(40)]], { text: 'line one\nline two', list: ['a\nb'] }, { deep: { text: 'a long line of text that ends with a newline\nand goes on for quite some time' } });
show({ nested: { object: { with: { many: 'levels' }, and: ['some', 'array', 'items', 'here'] }, number: 42, string: 'some string here' } });
const noStack = (e) => { e.stack = undefined; delete e.stack; Object.defineProperty(e, 'stack', { value: `${e.name}: ${e.message}`, configurable: true, writable: true }); return e; };
show(noStack(new Error('msg')), [noStack(new TypeError('t'))], { e: noStack(new RangeError('r')) }, noStack(new Error('')));
show(noStack(Object.assign(new Error('props'), { code: 'E_X', info: { a: 1 } })), noStack(new Error('outer', { cause: noStack(new Error('inner')) })), noStack(new AggregateError([noStack(new Error('one'))], 'many')));
class MyError extends Error { name = 'MyError'; }
class Other extends Error {}
show(noStack(new MyError('mine')), noStack(new Other('other')), noStack(Object.assign(new Error('x'), { name: 'Custom' })));
show({ [util.inspect.custom](depth, options, inspect) { return `custom ${depth} ${typeof options.stylize} ${inspect === util.inspect}`; } }, [{ [util.inspect.custom]: () => ({ replaced: true }) }]);
show(util.inspect({ a: { b: { c: { d: { e: 1 } } } } }, { depth: null }), util.inspect({ a: { b: 1 } }, { depth: 0 }), util.inspect('s'), util.inspect([1, [2, [3]]], { compact: false }));
show(util.inspect({ b: 1, a: 2 }, { sorted: true }), util.inspect([1, 2, 3, 4], { maxArrayLength: 2 }), util.inspect('abcdef', { maxStringLength: 3 }), util.inspect({ get a() { return { x: 1 }; } }, { getters: true }));
show(util.inspect([1, 2], { showHidden: true }), util.inspect(new Proxy({ a: 1 }, { get() {} }), { showProxy: true }), util.inspect({ a: 1, s: 'x', n: null, u: undefined, f() {}, y: Symbol('q'), d: new Date(0), r: /x/, b: true }, { colors: true }));
show(util.inspect(1234567.891, { numericSeparator: true }), util.inspect({ a: [1, 2, { b: 3 }] }, { breakLength: 10 }), util.inspect({ a: 1, b: 'x' }, { compact: true }), util.inspect(new Map([['k', { v: [1] }]]), { breakLength: 5 }));
show('%s is %d years and %i, %f, %j %o %O %c%%', 'Bob', 42.5, 42.9, '1.50', { a: 1 }, [1], { b: { c: {} } }, 'css', 'extra', { x: 1 });
show('%s %s %s %s %s', null, undefined, Symbol('a'), 5n, { a: { b: 1 } }, '%s');
show('%s', class Q {}, '%d', '0x10'); show('%d %d %i', '0x10', {}, 'x'); show('100%', 1); show('%', 2); show('%x', 3); show('a%sb%sc', 1); show('%%', 1); show('%s'); show('%s', -0, 'x'); show('%s', () => 5);
show('%s', new (class T { toString() { return 'own'; } })(), [1, [2, [3]]], new Date(0)); show('%s', [1, [2, [3]]]); show('%j', circular); show('%O', { a: { b: { c: { d: {} } } } }); show('%o', { f() {} });
show(new URL('https://user:pw@example.org:8080/p/a?q=1#h'), new URLSearchParams('a=1&b=2'), new URLSearchParams());
show(util.inspect(new (class extends Map { constructor() { super([['a', 1]]); } })()), util.inspect(Object.create({ constructor: undefined })));
show([undefined, null, , 3], [[1, 2, [3, 4, [5, [6]]]], { a: 1 }], { a: [{ b: { c: {} } }] }, [['a', 1], ['b', 2]], { 'quoted key': 1, valid_key: 2, $dollar: 3, 'ünïcode': 4 });
show(Object.entries({ alpha: 1, beta: 2, gamma: 3 }), [1.25, 100, 3.5, 20000, 5, 6, 7.125, 8], ['short', 'a much longer string here', 'x', 'medium length', 'y', 'z', 'w', 'v']);
show(new Error('real').stack.split('\n')[0], String(new TypeError('x')), Object.prototype.toString.call(new Error('x')));
show([new Map([[{ a: 1 }, 'b']]), new Set([[1]])], { a: new Map([['x', new Map([['y', new Map([['z', {}]])]])]]) }, Symbol.for('x y'), { [Symbol('a b')]: 1 });
show(process.argv.length > 0, typeof process.pid, [true, false], ['a'.repeat(100)], { a: 'b'.repeat(100) }, 'lone \ud800 surrogate', ['lone \udc00']);
console.group('group'); console.log('inside\ntwo lines'); console.group(); console.info({ a: 1, b: [1, 2] }); console.groupEnd(); console.groupEnd(); console.log('outside');
console.count(); console.count('x'); console.count(); console.countReset(); console.count(); console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 }); console.assert(true, 'no');
console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]); console.table([[1, 2], [3, 4]]); console.table(new Map([['k', 1]])); console.table(new Set([1])); console.table([1, 'two', { x: 3 }]); console.table([{ a: 1, b: 2 }], ['b']); console.table(5);
