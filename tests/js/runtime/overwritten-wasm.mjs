// A script that overwrites all of the language changes nothing in what the WebAssembly namespace, waits, messages and
// clones do. (What the specifications look up themselves is given here by objects that have it as their own.)
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { hostile, hostileUntil } from '../hostile.mjs';
import { WasmBuilder, op, ref } from '../wasm-builder.mjs';

const { apply, defineProperty, getOwnPropertyDescriptor } = Reflect;
const { then } = Promise.prototype;
const { Exception, Function: WasmFunction, Global, Instance, JSTag, LinkError, Memory, Module, RuntimeError, Table, Tag } = WebAssembly;
const { compile, compileStreaming, instantiate, instantiateStreaming, validate } = WebAssembly;
const { wait, waitAsync, notify } = Atomics;
const getter = (object, name) => getOwnPropertyDescriptor(object, name).get;
const buffer = getter(Memory.prototype, 'buffer');
const exportsOf = getter(Instance.prototype, 'exports');
const value = getter(Global.prototype, 'value');
const tableLength = getter(Table.prototype, 'length');
const stack = getter(Error.prototype, 'stack');

// An array that is iterated by functions of its own.
const { iterator } = Symbol;
const own = (list) => {
  const next = () => {
    let i = 0;
    return { __proto__: null, next: () => ({ __proto__: null, done: i === list.length, value: i < list.length ? list[i++] : undefined }) };
  };
  defineProperty(list, iterator, { __proto__: null, value: next });
  return list;
};
// What a promise settles with, which is asked for no class.
const settled = (begin) => hostileUntil((resolve, reject) => {
  const promise = begin();
  defineProperty(promise, 'constructor', { __proto__: null, value: undefined });
  apply(then, promise, [resolve, reject]);
});
const caught = (body) => hostile(() => {
  try { body(); } catch (error) { return error; }
  return undefined;
});

const b = new WasmBuilder();
const host = b.importFunc('env', 'f', ['i32'], ['i32']);
b.func(['i32'], ['i32'], [op.localGet(0), op.call(host), op.i32(1), op.i32Add], { export: 'g' });
b.func([], ['i32', 'i32'], [op.i32(1), op.i32(2)], { export: 'two' });
b.func([], [], [op.unreachable], { export: 'trap' });
b.func([], [], [op.i32(0), op.i32(0), op.i32DivS, op.drop], { export: 'divide' });
b.func(['externref'], ['externref'], [op.localGet(0)], { export: 'same' });
b.memory({ initial: 1, maximum: 4 }, { export: 'memory' });
b.table({ type: 'funcref', initial: 2 }, { export: 'table' });
b.global('i32', op.i32(7), { mutable: true, export: 'global' });
const tag = b.tag(['i32'], { export: 'tag' });
b.func(['i32'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
const bytes = b.bytes();
const imports = () => ({ __proto__: null, env: { __proto__: null, f: (x) => x * 2 } });

test('modules and instances', () => {
  const module = hostile(() => new Module(bytes));
  const instance = hostile(() => new Instance(module, imports()));
  const exports = hostile(() => apply(exportsOf, instance, []));
  assertEq(hostile(() => exports.g(3)), 7);
  assertList(hostile(() => exports.two()), [1, 2]);
  const object = {};
  assertEq(hostile(() => exports.same(object)), object);
  assertEq(hostile(() => validate(bytes)), true);
  assertEq(hostile(() => Module_exports(module)).length, 10);
  assertList(hostile(() => Module_imports(module)).map(({ name, kind }) => name + kind), ['ffunction']);
  assertList(hostile(() => Module_customSections(module, 'x')), []);
});
const { exports: Module_exports, imports: Module_imports, customSections: Module_customSections } = Module;

test('compile and instantiate', async () => {
  assert((await settled(() => compile(bytes))) instanceof Module);
  const { instance } = await settled(() => instantiate(bytes, imports()));
  assertEq(instance.exports.g(1), 3);
  const module = new Module(bytes);
  assert((await settled(() => instantiate(module, imports()))) instanceof Instance);
});

test('compile and instantiate: failures', async () => {
  const reason = async (begin) => settled(begin).then(() => undefined, (error) => error);
  const short = new Uint8Array(4);
  assertEq((await reason(() => compile(short))).constructor, WebAssembly.CompileError);
  assertEq((await reason(() => instantiate(bytes, { __proto__: null, env: { __proto__: null, f: 1 } }))).constructor, LinkError);
});

test('streaming', async () => {
  const response = () => new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } });
  const { 0: one, 1: two } = [response(), response()];
  assert((await settled(() => compileStreaming(one))) instanceof Module);
  assertEq((await settled(() => instantiateStreaming(two, imports()))).instance.exports.g(2), 5);
});

test('traps and exceptions', () => {
  const { exports } = b.instance(imports());
  for (const name of ['trap', 'divide']) {
    const error = caught(() => exports[name]());
    assertEq(error.constructor, RuntimeError);
    assert(apply(stack, error, []) !== undefined && /wasm/.test(error.stack), error.stack);
  }
  const thrown = caught(() => exports.throws(5));
  assert(thrown instanceof Exception);
  assertEq(hostile(() => apply(getArg, thrown, [exports.tag, 0])), 5);
  const mine = new Error('mine');
  const { exports: others } = b.instance({ env: { f() { throw mine; } } });
  assertEq(caught(() => others.g(1)), mine);
  const made = hostile(() => new Tag({ __proto__: null, parameters: own(['i32']) }));
  const exception = hostile(() => new Exception(made, own([3]), { __proto__: null, traceStack: true }));
  assertEq(typeof exception.stack, 'string');
  assertEq(hostile(() => apply(is, exception, [made])), true);
  assert(JSTag instanceof Tag);
  assertEq(hostile(() => new RuntimeError('x').message), 'x');
});
const { getArg, is } = Exception.prototype;

test('memories, tables and globals', () => {
  const memory = hostile(() => new Memory({ __proto__: null, initial: 1, maximum: 3 }));
  assertEq(hostile(() => apply(growMemory, memory, [1])), 1);
  assertEq(hostile(() => apply(buffer, memory, [])).byteLength, 131072);
  assertEq(hostile(() => apply(toResizableBuffer, memory, [])).resizable, true);
  assertEq(hostile(() => apply(growMemory, memory, [1])), 2);
  assertEq(hostile(() => apply(toFixedLengthBuffer, memory, [])).resizable, false);
  assertEq(hostile(() => apply(typeOfMemory, memory, [])).maximum, 3);
  const shared = hostile(() => new Memory({ __proto__: null, initial: 1, maximum: 3, shared: true }));
  assert(Object.isFrozen(hostile(() => apply(buffer, shared, []))));
  assertEq(hostile(() => apply(toResizableBuffer, shared, [])).growable, true);
  assertEq(hostile(() => apply(growMemory, shared, [1])), 1);
  const table = hostile(() => new Table({ __proto__: null, element: 'externref', initial: 2 }, 'x'));
  hostile(() => apply(setElement, table, [1, 'y']));
  assertEq(hostile(() => apply(getElement, table, [0]) + apply(getElement, table, [1])), 'xy');
  assertEq(hostile(() => apply(growTable, table, [2, 'z'])), 2);
  assertEq(hostile(() => apply(tableLength, table, [])), 4);
  const global = hostile(() => new Global({ __proto__: null, value: 'i64', mutable: true }, 5n));
  assertEq(hostile(() => apply(value, global, [])), 5n);
  assertEq(hostile(() => apply(typeOfGlobal, global, [])).value, 'i64');
});
const { grow: growMemory, toResizableBuffer, toFixedLengthBuffer, type: typeOfMemory } = Memory.prototype;
const { get: getElement, set: setElement, grow: growTable } = Table.prototype;
const { type: typeOfGlobal } = Global.prototype;

test('functions with a type', () => {
  const add = hostile(() => new WasmFunction({ __proto__: null, parameters: own(['i32', 'f64']), results: own(['f64']) }, (x, y) => x + y));
  assertEq(hostile(() => add(1, 0.5)), 1.5);
  assertList(hostile(() => apply(typeOfFunction, add, [])).parameters, ['i32', 'f64']);
  const { exports } = b.instance(imports());
  const table = new Table({ element: 'funcref', initial: 1 });
  hostile(() => apply(setElement, table, [0, exports.g]));
  assertEq(hostile(() => apply(getElement, table, [0])(4)), 9);
});
const { type: typeOfFunction } = WasmFunction.prototype;

test('js-string', () => {
  const js = new WasmBuilder();
  const string = ref('extern');
  const names = { concat: [['externref', 'externref'], [string]], substring: [['externref', 'i32', 'i32'], [string]], length: [['externref'], ['i32']], equals: [['externref', 'externref'], ['i32']], fromCodePoint: [['i32'], [string]] };
  const indices = Object.entries(names).map(([name, [params, results]]) => js.importFunc('wasm:js-string', name, params, results));
  Object.entries(names).forEach(([name, [params, results]], at) => {
    js.func(params, results, [params.map((_, i) => op.localGet(i)), op.call(indices[at])], { export: name });
  });
  const code = js.bytes();
  const module = hostile(() => new Module(code, { __proto__: null, builtins: own(['js-string']) }));
  const { exports } = hostile(() => new Instance(module, { __proto__: null })) && new Instance(module, {});
  assertEq(hostile(() => exports.concat('ab', 'cd')), 'abcd');
  assertEq(hostile(() => exports.substring('abcd', 1, 3)), 'bc');
  assertEq(hostile(() => exports.length('abc')), 3);
  assertEq(hostile(() => exports.equals('a', 'a')), 1);
  assertEq(hostile(() => exports.fromCodePoint(0x1f600)), '\u{1f600}');
});

test('waits', async () => {
  const array = new Int32Array(new Memory({ initial: 1, maximum: 1, shared: true }).buffer);
  assertEq(hostile(() => wait(array, 0, 1)), 'not-equal');
  assertEq(hostile(() => wait(array, 0, 0, 1)), 'timed-out');
  assertEq(hostile(() => waitAsync(array, 0, 1)).value, 'not-equal');
  const outcome = await settled(() => {
    const { value: promise } = waitAsync(array, 0, 0);
    notify(array, 0, 1);
    return promise;
  });
  assertEq(outcome, 'ok');
});

const everything = () => {
  const error = new RangeError('m', { cause: 'c' });
  return {
    map: new Map([['k', new Set([1, 'two'])]]), error, expression: /a+/gu, date: new Date(5), list: [1, , 3], big: 5n, boxed: new String('s'),
    resizable: new ArrayBuffer(4, { maxByteLength: 16 }), view: Float64Array.of(1, 2), data: new DataView(new ArrayBuffer(8), 2, 4), nested: [[{ a: 1 }]],
    shared: new Memory({ initial: 1, maximum: 2, shared: true }), module: new Module(bytes), exception: new DOMException('m', 'DataCloneError'),
  };
};
const assertEverything = (copy, original) => {
  assertEq(copy.map.get('k').has('two'), true);
  assertEq(copy.error.constructor, RangeError);
  assertList([copy.error.message, copy.error.cause], ['m', 'c']);
  assertEq(typeof copy.error.stack, 'string');
  assertEq(String(copy.expression), '/a+/gu');
  assertEq(copy.date.getTime(), 5);
  assertList([copy.list.length, 1 in copy.list, copy.list[2]], [3, false, 3]);
  assertEq(copy.big, 5n);
  assertEq(copy.boxed.valueOf(), 's');
  assertList([copy.resizable.resizable, copy.resizable.maxByteLength], [true, 16]);
  assertList(copy.view, [1, 2]);
  assertList([copy.data.byteOffset, copy.data.byteLength], [2, 4]);
  assertEq(copy.nested[0][0].a, 1);
  assertEq(copy.shared.buffer.byteLength, 65536);
  new Int32Array(original.shared.buffer)[0] = 8;
  assertEq(new Int32Array(copy.shared.buffer)[0], 8);
  assert(copy.module instanceof Module);
  assertEq(copy.exception.name, 'DataCloneError');
};

test('structured clones', () => {
  const clone = structuredClone;
  const original = everything();
  assertEverything(hostile(() => clone(original)), original);
  const moved = new ArrayBuffer(8);
  const views = new Uint8Array(moved);
  const copy = hostile(() => clone(views, { __proto__: null, transfer: own([moved]) }));
  assertList([copy.length, moved.detached], [8, true]);
});

test('messages', async () => {
  const { port1, port2 } = hostile(() => new MessageChannel());
  const original = everything();
  hostile(() => port1.postMessage(original));
  assertEverything(hostile(() => receiveMessageOnPort(port2)).message, original);
  const got = hostileUntil((resolve) => {
    port2.onmessage = ({ data, ports }) => resolve([data.text, ports.length]);
    const channel = new MessageChannel();
    port1.postMessage({ __proto__: null, text: 'x', port: channel.port1 }, own([channel.port1]));
  });
  assertList(await got, ['x', 1]);
  port1.close();
});
