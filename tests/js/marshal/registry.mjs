// The vocabulary of the npm package `@jetblack/wasi-marshalling`: mangled names and overloads, types' own methods,
// Pointer and StringBuffer, FunctionRegistry, and Wasi with the lines that a guest prints.
import {
  AddressType, ArgumentDef, ArrayType, Float32Type, Float64Type, FunctionPrototype, FunctionRegistry, In, InOut, Int16Type, Int32Type,
  Int64Type, Int8Type, Marshaller, MemoryManager, Out, Pointer, PointerType, ReferenceType, StringBuffer, StringBufferType, StringType,
  Type, TypedArrayType, Uint16Type, Uint32Type, Uint64Type, Uint8Type, ValueType, VoidType, Wasi,
} from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { assertIncludes, demo, thrownBy } from './load.mjs';
import { guestTest, vocabulary } from './vocabulary.mjs';

const numbers = [
  [Int8Type, 'i8', Int8Array], [Uint8Type, 'u8', Uint8Array], [Int16Type, 'i16', Int16Array], [Uint16Type, 'u16', Uint16Array],
  [Int32Type, 'i32', Int32Array], [Uint32Type, 'u32', Uint32Array], [Int64Type, 'i64', BigInt64Array], [Uint64Type, 'u64', BigUint64Array],
  [Float32Type, 'f32', Float32Array], [Float64Type, 'f64', Float64Array],
];
const [i32, u32, f64, string] = [new Int32Type(), new Uint32Type(), new Float64Type(), new StringType()];
const { mangleValue, mangleValues } = FunctionPrototype;

test('the classes’ tree', () => {
  for (const [Number_] of numbers) assert(new Number_() instanceof ValueType && new Number_() instanceof Type);
  for (const one of [string, new StringBufferType(), new AddressType(), new PointerType(i32), new ArrayType(i32), new TypedArrayType(i32)]) {
    assert(one instanceof ReferenceType && one instanceof Type);
  }
  const nothing = new VoidType();
  assert(nothing instanceof Type && !(nothing instanceof ValueType) && !(nothing instanceof ReferenceType));
  for (const Class of [In, Out, InOut]) assert(new Class(new ArrayType(i32)) instanceof ArgumentDef);
  const both = new ArgumentDef(new ArrayType(i32), true, true);
  assertList([both.isInput, both.isOutput], [true, true]);
  assertList([new In(i32).isInput, new In(i32).isOutput], [true, false]);
  const array = new ArrayType(i32);
  assertList([new Out(array).isInput, new Out(array).isOutput, new InOut(array).isInput, new InOut(array).isOutput], [false, true, true, true]);
  assertEq(new In(i32).type, i32);
  thrownBy(TypeError, () => new ArgumentDef(i32, false, false));
});

test('mangled names of types', () => {
  for (const [Number_, name, View] of numbers) {
    assertEq(Number_.MANGLED_NAME, name);
    assertEq(new Number_().mangledName, name);
    assertEq(new Number_().TypedArrayType, View);
    assertEq(new ArrayType(new Number_()).mangledName, `a(${name})`);
    assertEq(new TypedArrayType(new Number_(), 4).mangledName, `t(${name})`);
    assertEq(new PointerType(new Number_()).mangledName, `p(${name})`);
  }
  assertEq(VoidType.MANGLED_NAME, 'v0');
  assertEq(new VoidType().mangledName, 'v0');
  assertEq(StringType.MANGLED_NAME, 's8');
  assertEq(string.mangledName, 's8');
  assertEq(StringBufferType.MANGLED_NAME, 'b8');
  assertEq(new StringBufferType().mangledName, 'b8');
  assertEq(new AddressType().mangledName, 'a32');
  assertEq(new ArrayType(new ArrayType(string)).mangledName, 'a(a(s8))');
  assertEq(new PointerType(new PointerType(string)).mangledName, 'p(p(s8))');
});

test('mangled names of prototypes', () => {
  const prototype = new FunctionPrototype([new In(new TypedArrayType(f64)), new InOut(new ArrayType(string)), new In(i32)], new StringBufferType());
  assertEq(prototype.mangledArgs, 't(f64)a(s8)i32');
  assertEq(prototype.mangleReturns, 'b8');
  assertEq(prototype.mangledName, 'b8_t(f64)a(s8)i32');
  for (const none of [new VoidType(), null, undefined]) {
    const empty = new FunctionPrototype([], none);
    assertEq(empty.mangledArgs, '');
    assertEq(empty.mangleReturns, 'v0');
    assertEq(empty.mangledName, 'v0_');
  }
  assertEq(prototype.argDefs.length, 3);
  assert(prototype.returns instanceof StringBufferType);
});

test('mangled values: numbers by their defaults', () => {
  assertEq(mangleValue(1, {}), 'u32');
  assertEq(mangleValue(-1, {}), 'u32');
  assertEq(mangleValue(1.5, {}), 'f64');
  assertEq(mangleValue(NaN, {}), 'f64');
  assertEq(mangleValue(1, { defaultInt: 'i16' }), 'i16');
  assertEq(mangleValue(1.5, { defaultInt: 'i16' }), 'f64');
  assertEq(mangleValue(1.5, { defaultFloat: 'f32' }), 'f32');
  assertEq(mangleValue(1, { defaultFloat: 'f32' }), 'u32');
  for (const value of [1, 1.5]) assertEq(mangleValue(value, { defaultNumber: 'u8', defaultInt: 'i8', defaultFloat: 'f32' }), 'u8');
  assertEq(mangleValue('text', {}), 'b8');
  assertEq(mangleValue('text', { defaultString: 's8' }), 's8');
  for (const none of [null, undefined]) assertEq(mangleValue(none, {}), 'v0');
});

guestTest('mangled values: views and arrays', ({ manager }) => {
  for (const [, name, View] of numbers) assertEq(mangleValue(new View(2), {}), `t(${name})`);
  const buffer = StringBuffer.fromString(manager, 'x', true);
  assertEq(mangleValue(buffer, {}), 'b8');
  assertEq(mangleValue([buffer, buffer], {}), 'a(b8)');
  buffer[Symbol.dispose]();
  assertEq(mangleValue(['a', 'b'], {}), 'a(b8)');
  assertEq(mangleValue(['a', 'b'], { defaultString: 's8' }), 'a(s8)');
  assertEq(mangleValue([1, 2], { defaultInt: 'i32' }), 'a(i32)');
  assertEq(mangleValue([1.5, 2.5], {}), 'a(f64)');
  assertEq(mangleValue([[1.5], [2.5]], {}), 'a(a(f64))');
  assertEq(mangleValue([[['x']]], { defaultString: 's8' }), 'a(a(a(s8)))');
  assertEq(mangleValues([new Int8Array(1), 4, 'x', [1.5]], { defaultInt: 'i32' }), 't(i8)i32b8a(f64)');
  assertEq(mangleValues([], {}), '');
  for (const wrong of [{}, [1, 'x'], [{}], Symbol('s'), () => 1, new Map()]) thrownBy(TypeError, () => mangleValue(wrong, {}));
});

guestTest('FunctionRegistry: overloads, explicit names, a fallback', ({ manager, exports }) => {
  const registry = new FunctionRegistry(manager);
  const ints = new FunctionPrototype([new In(new ArrayType(i32)), new In(i32)], new ArrayType(i32, { argument: 1 }));
  const floats = new FunctionPrototype([new In(new ArrayType(f64)), new In(i32)], f64);
  const name = Symbol.for('total');
  assertEq(registry.has(name), false);
  assertEq(registry.findImplied(name, [[1], 1], {}), null);
  registry.registerImplied(name, floats, (address, n) => new Float64Array(exports.memory.buffer, address, n).reduce((a, b) => a + b));
  registry.registerExplicit(name, ints.mangledArgs, ints, exports.same === undefined ? null : (address, n) => exports.copy_bytes(address, 4 * n));
  assertEq(registry.has(name), true);
  assertEq(registry.has('total'), false, 'a symbol is no string');
  const options = { defaultInt: 'i32' };
  assertEq(registry.findImplied(name, [[0.5, 1.5], 2], options)([0.5, 1.5], 2), 2);
  assertList(registry.findImplied(name, [[1, 2], 2], options)([1, 2], 2), [1, 2]);
  assertEq(registry.findImplied(name, ['x'], options), null, 'no such overload');
  assertList(registry.findExplicit(name, 'a(i32)i32')([7], 1), [7]);
  assertEq(registry.findExplicit(name, 'nothing'), null);
  const fallback = (...args) => args.length;
  registry.registerUnmarshalled(name, fallback);
  assertEq(registry.findExplicit(name, 'nothing'), fallback);
  assertEq(registry.findImplied(name, ['x'], options), fallback);
  assertEq(registry.findImplied(name, [[0.5], 1], options)([0.5], 1), 0.5, 'an overload goes before it');
  for (const odd of ['toString', '__proto__', 'constructor', '']) {
    assertEq(registry.has(odd), false);
    registry.registerUnmarshalled(odd, () => odd);
    assertEq(registry.findExplicit(odd, 'x')(), odd);
  }
  thrownBy(TypeError, () => registry.registerImplied('f', ints, 5));
  thrownBy(TypeError, () => new FunctionRegistry({}));
});

guestTest('registering again replaces', ({ manager }) => {
  const registry = new FunctionRegistry(manager);
  const one = new FunctionPrototype([new In(i32)], i32);
  registry.registerImplied('f', one, () => 1);
  registry.registerImplied('f', one, () => 2);
  assertEq(registry.findExplicit('f', 'i32')(0), 2);
});

guestTest('Wasi: functions by name', (guest) => {
  const { wasi, exports } = guest;
  const pow = new FunctionPrototype([new In(f64), new In(f64)], f64);
  const count = new FunctionPrototype([new In(string)], u32);
  assertEq(wasi.hasFunction('f'), false);
  wasi.registerFunction('f', pow, (a, b) => a ** b);
  wasi.registerFunction('f', count, exports.string_length);
  wasi.registerFunction('g', null, (...args) => args);
  assertEq(wasi.hasFunction('f'), true);
  assertEq(wasi.invoke('f', 1.5, 2.5), 1.5 ** 2.5);
  assertEq(wasi.invokeImpliedFunction('f', ['four'], { defaultString: 's8' }), 4);
  assertEq(wasi.invokeImpliedFunction('f', [2, 3], { defaultNumber: 'f64' }), 8);
  assertEq(wasi.invokeExplicitFunction('f', ['four'], 's8'), 4);
  assertList(wasi.invoke('g', 'a', 2), ['a', 2]);
  assertIncludes((() => { try { wasi.invoke('nothing', 1); } catch (error) { return String(error.message); } })(), 'nothing');
  assertIncludes(thrownBy(TypeError, () => wasi.invoke('f', [1])), 'f', 'f64f64', 's8');
  assert(wasi.functionRegistry instanceof FunctionRegistry);
  assert(wasi.memoryManager instanceof MemoryManager);
  assertEq(wasi.instance, guest.instance);
});

test('Wasi before init', () => {
  const wasi = new Wasi({ A: '1' });
  assertEq(wasi.env.A, '1');
  assertEq(wasi.instance, null);
  assertEq(wasi.memoryManager, null);
  assertEq(wasi.functionRegistry, null);
  for (const use of [() => wasi.registerFunction('f', null, () => 1), () => wasi.hasFunction('f'), () => wasi.invoke('f'), () => wasi.uint8Array(4)]) {
    const error = (() => { try { use(); } catch (caught) { return caught; } return undefined; })();
    assert(error instanceof Error, 'an error');
    assert(!/not a function|undefined/.test(error.message), error.message);
  }
  for (const wrong of [undefined, null, {}, 1]) thrownBy(TypeError, () => wasi.init(wrong));
  assertEq(Marshaller, Wasi);
  assertEq(typeof new Marshaller({}).wasiImplementation().fd_write, 'function');
});

guestTest('Wasi: typed arrays', ({ wasi }) => {
  const makers = {
    int8Array: Int8Array, uint8Array: Uint8Array, int16Array: Int16Array, uint16Array: Uint16Array, int32Array: Int32Array, uint32Array: Uint32Array,
    int64Array: BigInt64Array, uint64Array: BigUint64Array, float32Array: Float32Array, float64Array: Float64Array,
  };
  for (const [name, View] of Object.entries(makers)) {
    const values = name.includes('64A') && !name.startsWith('float') ? [1n, 2n] : [1, 2];
    const made = wasi[name](values);
    assert(made instanceof View, name);
    assertList(made, values);
    assertEq(wasi[name](3).length, 3);
    made[Symbol.dispose]();
  }
});

/** What `body` prints, by the console’s methods. */
function printed(body) {
  const { log, error } = console;
  const lines = [];
  console.log = (...args) => lines.push(['log', ...args]);
  console.error = (...args) => lines.push(['error', ...args]);
  try { body(); } finally { Object.assign(console, { log, error }); }
  return lines.map((line) => line.join(':'));
}

test('a guest’s lines on the console: by line, however they were written, both streams apart', () => {
  const guest = demo();
  const text = new FunctionPrototype([new In(string)], new VoidType());
  const say = text.bind(guest.manager, guest.exports.say);
  const complain = text.bind(guest.manager, guest.exports.complain);
  assertList(printed(() => say('one\n')), ['log:one']);
  assertList(printed(() => say('one\ntwo\n\nfour\n')), ['log:one', 'log:two', 'log:', 'log:four']);
  assertList(printed(() => { say('a'); complain('x'); say('b'); complain('y\n'); say('c\nrest'); }), ['error:xy', 'log:abc']);
  assertList(printed(() => say('\n')), ['log:rest']);
  assertList(printed(() => { say('über 漢'); say('字\n'); }), ['log:über 漢字']);
  const bytes = new TextEncoder().encode('é😀\n');
  assertList(printed(() => {
    const { fd_write: write } = guest.wasi.imports();
    const block = guest.manager.createTypedArray(Uint8Array, 64);
    const at = addressOf(block);
    for (const byte of bytes) {
      block[32] = byte;
      const view = new DataView(block.buffer);
      view.setUint32(0, at + 32, true);
      view.setUint32(4, 1, true);
      assertEq(write(1, at, 1, at + 16), 0);
      assertEq(view.getUint32(16, true), 1);
    }
    block[Symbol.dispose]();
  }), ['log:é😀'], 'a character split over writes');
  assertList(printed(() => say(`${'x'.repeat(100_000)}\n`)), [`log:${'x'.repeat(100_000)}`]);
  assertList(printed(() => say('after\n')), ['log:after']);
});
import { addressOf } from 'tombolo:marshal';

test('a line of many writes', () => {
  const guest = demo();
  const say = new FunctionPrototype([new In(string)], new VoidType()).bind(guest.manager, guest.exports.say);
  assertList(printed(() => { for (let i = 0; i < 1000; i++) say('x'.repeat(1000)); say('\n'); }).map((line) => line.length), [1_000_004]);
});

test('the environment', () => {
  const env = { HOME: '/', ü: 'é', EMPTY: '' };
  const wasi = new Wasi(env);
  const guest = vocabulary();
  wasi.init(guest.instance);
  const { environ_get: get, environ_sizes_get: sizes } = wasi.imports();
  const block = guest.manager.createTypedArray(Uint8Array, 256);
  const [at, view] = [addressOf(block), new DataView(block.buffer)];
  assertEq(sizes(at, at + 4), 0);
  assertEq(view.getUint32(0, true), 3);
  const expected = 'HOME=/\0ü=é\0EMPTY=\0';
  assertEq(view.getUint32(4, true), new TextEncoder().encode(expected).length);
  assertEq(get(at + 8, at + 64), 0);
  assertEq(new TextDecoder().decode(block.subarray(64, 64 + view.getUint32(4, true))), expected);
  const pointers = [0, 1, 2].map((i) => view.getUint32(8 + 4 * i, true) - at - 64);
  assertEq(pointers[0], 0);
  assertEq(pointers[1], 7);
  block[Symbol.dispose]();
});

test('imports with addresses outside', () => {
  const guest = vocabulary();
  const imports = guest.wasi.imports();
  for (const [name, fn] of Object.entries(imports)) {
    for (const value of [-1, 0x7fffffff, 2 ** 32 - 4]) {
      if (name === 'proc_exit' || name === 'sched_yield' || /sleep|poll/.test(name)) continue;
      try { fn(...new Array(fn.length || 4).fill(value)); } catch (error) {
        assert(error instanceof Error, name);
        assert(!/internal error|unknown error/.test(error.message), `${name}: ${error.message}`);
      }
    }
  }
});

guestTest('a type’s own methods: marshall, unmarshall, alloc, free', ({ manager, exports }) => {
  const strings = new ArrayType(string, 3);
  const address = strings.marshall(manager, 0, [['a', 'bc', 'def']]);
  assertEq(exports.live_blocks(), 4);
  assertList(strings.unmarshall(manager, address, -1, []), ['a', 'bc', 'def']);
  assertEq(exports.live_blocks(), 0);
  const again = strings.marshall(manager, 1, [null, ['a', 'b', 'c']]);
  strings.free(manager, again, 1, [null, ['a', 'b', 'c']]);
  assertEq(exports.live_blocks(), 0, 'free, with what it points to');
  for (const [Number_, , View] of numbers) {
    const type = new Number_();
    const value = View.BYTES_PER_ELEMENT === 8 && View !== Float64Array ? 5n : 5;
    const at = type.marshall(manager, 0, [value]);
    assertEq(new View(exports.memory.buffer, at, 1)[0], value);
    assertEq(type.unmarshall(manager, at, -1, []), value);
    type.free(manager, type.alloc(manager, 0, [value]), 0, [value]);
    const array = new ArrayType(type);
    const list = array.marshall(manager, 0, [[value, value]]);
    assertList(array.unmarshall(manager, list, 0, [[value, value]]), [value, value]);
    assertEq(type.size, View.BYTES_PER_ELEMENT);
  }
  const pointer = new PointerType(i32);
  const at = pointer.marshall(manager, 0, [new Pointer(9)]);
  assertEq(pointer.unmarshall(manager, at, -1, []).contents, 9);
  const text = string.marshall(manager, 0, ['text']);
  assertEq(string.unmarshall(manager, text, -1, []), 'text');
  assertEq(exports.live_blocks(), 0);
  const view = manager.createTypedArray(Int32Array, [1, 2]);
  const views = new TypedArrayType(i32);
  assertEq(views.marshall(manager, 0, [view]), addressOf(view));
  assertEq(views.unmarshall(manager, addressOf(view), 0, [view]), view);
  views.free(manager, addressOf(view), 0, [view]);
  assertList(view, [1, 2]);
  assertEq(views.copy(view, view), view);
  view[Symbol.dispose]();
  const nested = new ArrayType(new ArrayType(i32, 2), 2);
  assertEq(JSON.stringify(nested.unmarshall(manager, nested.marshall(manager, 0, [[[1, 2], [3, 4]]]), -1, [])), '[[1,2],[3,4]]');
});

guestTest('MemoryManager: malloc, free, dataView, freeWhenFinalized, createTypedArray', ({ manager, exports }) => {
  const address = manager.malloc(16);
  manager.dataView.setInt32(address, -5, true);
  assertEq(new Int32Array(exports.memory.buffer, address, 1)[0], -5);
  exports.grow_pages(1);
  assertEq(manager.dataView.getInt32(address, true), -5, 'after growth');
  manager.free(address);
  let target = {};
  manager.freeWhenFinalized(target, manager.malloc(8));
  globalThis.gc();
  assertEq(exports.live_blocks(), 1);
  target = null;
  globalThis.gc();
  manager.free(manager.malloc(1));
  assertEq(exports.live_blocks(), 0);
  for (const wrong of [undefined, 'x', -1, NaN, 1.5, 2 ** 53]) assert((() => { try { manager.malloc(wrong); } catch (error) { return error instanceof TypeError || error instanceof RangeError; } })(), `malloc(${wrong})`);
  for (const wrong of [1, 'x', null, undefined]) thrownBy(TypeError, () => manager.freeWhenFinalized(wrong, 8));
  for (const wrong of [Array, DataView, {}, undefined, 'Int8Array']) thrownBy(TypeError, () => manager.createTypedArray(wrong, 4));
  assertEq(manager.memory, exports.memory);
  for (const wrong of ['x', {}, null, NaN, 1.5]) assert((() => { try { manager.free(wrong); } catch (error) { return error instanceof TypeError || error instanceof RangeError; } })(), `free(${String(wrong)})`);
});

test('a scripted memory manager, as the package’s own tests make one', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let next = 1024;
  const live = new Set();
  const malloc = (size) => { const at = next; next += Math.max(8, (size + 7) & ~7); live.add(at); return at; };
  const free = (at) => { assert(live.delete(at), `free(${at})`); };
  const manager = new MemoryManager(memory, malloc, free);
  const prototype = new FunctionPrototype(
    [new In(new ArrayType(f64)), new In(new ArrayType(f64)), new Out(new ArrayType(f64)), new In(i32)], new VoidType());
  const add = (a, b, to, n) => {
    const list = (at) => new Float64Array(memory.buffer, at, n);
    list(to).set(list(a).map((x, i) => x + list(b)[i]));
  };
  const out = new Array(3);
  prototype.invoke(manager, add, [1, 2, 3], [10, 20, 30], out, 3);
  assertList(out, [11, 22, 33]);
  assertEq(live.size, 0);
  const made = manager.createTypedArray(Int32Array, [1, 2, 3]);
  assertList(made, [1, 2, 3]);
  assertEq(live.size, 1);
  made[Symbol.dispose]();
  assertEq(live.size, 0);
  const echo = new FunctionPrototype([new In(string)], string);
  assertEq(echo.invoke(manager, (at) => { const copy = malloc(8); new Uint8Array(memory.buffer).copyWithin(copy, at, at + 6); return copy; }, 'hello'), 'hello');
  assertEq(live.size, 0);
  assertThrows(RangeError, () => prototype.invoke(manager, add, [1], [2]), /4 arguments/);
});
