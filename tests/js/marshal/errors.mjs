// Mistakes in the use of the module: each a clear exception, and nothing left in the guest.
import * as marshal from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import {
  assertIncludes,
  copy,
  demo,
  FunctionPrototype,
  guestTest,
  into,
  thrownBy,
  types,
  view,
  withoutLeak,
} from './load.mjs';

const { f64, i32, i64, f32, u32, string } = types;

test('the module’s exports', () => {
  const expected = [
    'ArrayType',
    'Float32Type',
    'Float64Type',
    'FunctionPrototype',
    'In',
    'InOut',
    'Int16Type',
    'Int32Type',
    'Int64Type',
    'Int8Type',
    'MemoryManager',
    'Out',
    'StringType',
    'TypedArrayType',
    'Uint16Type',
    'Uint32Type',
    'Uint64Type',
    'Uint8Type',
    'VoidType',
    'Wasi',
    'addressOf',
  ];
  for (const name of expected) assertEq(typeof marshal[name], 'function', name);
});

test('every class wants `new`', () => {
  for (const [name, Class] of Object.entries(marshal)) {
    if (typeof Class !== 'function' || name[0] !== name[0].toUpperCase()) continue;
    // (The class that is written in JavaScript has the engine's message.)
    const expected = name === 'FunctionRegistry' ? 'new' : name === 'Marshaller' ? 'Wasi' : name;
    assertIncludes(
      thrownBy(TypeError, () => Class(f64)),
      expected,
    );
  }
});

test('classes can be extended', () => {
  class Mine extends marshal.Float64Type {
    get size() {
      return 8;
    }
  }
  const mine = new Mine();
  assert(mine instanceof Mine && mine instanceof marshal.Float64Type);
  assertEq(mine.size, 8);
  const { manager, exports } = demo();
  assertEq(new FunctionPrototype([into(mine)], mine).invoke(manager, exports.echo_f64, 1.5), 1.5);
});

guestTest('too few and too many arguments', (guest) => {
  withoutLeak(guest, () => {
    assertIncludes(
      thrownBy(RangeError, () => guest.call('divide', [i32, i32], i32, 1)),
      'divide: expected 2 arguments, got 1',
    );
    assertIncludes(
      thrownBy(RangeError, () => guest.call('divide', [i32, i32], i32, 1, 2, 3)),
      'expected 2 arguments, got 3',
    );
    assertIncludes(
      thrownBy(RangeError, () => guest.call('echo_i32', [i32], i32)),
      'expected 1 argument, got 0',
    );
    assertIncludes(
      thrownBy(RangeError, () => guest.call('unreachable_now', [], types.void, 1)),
      'expected 0 arguments, got 1',
    );
  });
});

guestTest('the first two arguments of invoke', ({ manager, exports }) => {
  const prototype = new FunctionPrototype([], i32);
  for (const wrong of [undefined, null, {}, exports.memory, prototype]) {
    assertIncludes(
      thrownBy(TypeError, () => prototype.invoke(wrong, exports.live_blocks)),
      'invoke: argument 1',
    );
  }
  for (const wrong of [undefined, null, {}, 'live_blocks', 1]) {
    assertIncludes(
      thrownBy(TypeError, () => prototype.invoke(manager, wrong)),
      'invoke: argument 2',
    );
  }
  thrownBy(TypeError, () => prototype.invoke());
  thrownBy(TypeError, () => FunctionPrototype.prototype.invoke.call({}, manager, exports.live_blocks));
});

guestTest('a function of another guest', (guest) => {
  const other = demo();
  const prototype = new FunctionPrototype([into(copy(f64)), into(i32)], f64);
  withoutLeak(guest, () => {
    assertIncludes(
      thrownBy(TypeError, () => prototype.invoke(guest.manager, other.exports.sum_f64, [1], 1)),
      'another guest',
    );
  });
  assertEq(other.exports.live_blocks(), 0);
});

guestTest('a function that a script made', ({ manager, exports, call }) => {
  const seen = [];
  const prototype = new FunctionPrototype([into(copy(f64)), into(i32), into(i64), into(f32)], f64);
  const result = prototype.invoke(
    manager,
    function (address, ...rest) {
      seen.push(this, ...rest);
      return exports.sum_f64(address, 2);
    },
    [1, 2],
    2,
    5n,
    0.1,
  );
  assertEq(result, 3);
  assertList(seen, [undefined, 2, 5n, Math.fround(0.1)]);
  assertEq(exports.live_blocks(), 0);
  assertList(call('iota_f64', [i32], copy(f64, 2), 2), [0, 1]);
  assertThrows(TypeError, () => new FunctionPrototype([], i64).invoke(manager, () => 1));
  assertEq(
    new FunctionPrototype([], i32).invoke(manager, () => 2 ** 32 + 7),
    7,
  );
  assertEq(
    new FunctionPrototype([], view(f64, 1)).invoke(manager, () => null),
    null,
  );
});

guestTest('a prototype that does not fit the function’s type', (guest) => {
  const cases = [
    ['divide', [i32], i32, 1],
    ['divide', [f64, i32], i32, 1, 2],
    ['divide', [i32, i32], f64, 1, 2],
    ['divide', [i32, i32], i64, 1, 2],
    ['sum_f64', [f64, i32], f64, 1, 2],
    ['sum_f64', [copy(f64), i64], f64, [1], 1n],
    ['sum_f64', [copy(f64), i32], string, [1], 1],
    ['echo_f32', [f64], f32, 1],
    ['echo_f64', [f64], view(f64, 1), 1],
    ['unreachable_now', [], i32],
    ['live_blocks', [], f32],
  ];
  for (const [name, params, returns, ...args] of cases) {
    withoutLeak(guest, () => {
      assertIncludes(
        thrownBy(TypeError, () => guest.call(name, params, returns, ...args)),
        `${name}: the prototype passes (`,
        "function's type is",
      );
    });
  }
});

test('wrong descriptors', () => {
  for (const wrong of [undefined, null, {}, 1, f64, 'In']) {
    if (wrong !== undefined)
      assertThrows(TypeError, () => new FunctionPrototype([wrong], i32), /FunctionPrototype: argument 1/);
    assertThrows(TypeError, () => new FunctionPrototype(wrong, i32), /argument 1 must be an array/);
  }
  assertThrows(TypeError, () => new FunctionPrototype([], into(i32)), /argument 2/);
  assertThrows(TypeError, () => new FunctionPrototype([], 'i32'), /argument 2/);
  for (const wrong of [undefined, null, {}, 1, into(i32)])
    assertThrows(TypeError, () => new marshal.In(wrong), /In: argument 1/);
  for (const Direction of [marshal.In, marshal.Out, marshal.InOut])
    assertThrows(TypeError, () => new Direction(types.void), /VoidType/);
  for (const Direction of [marshal.Out, marshal.InOut]) assertThrows(TypeError, () => new Direction(i32), /: an Int32Type cannot/);
  for (const Make of [marshal.ArrayType, marshal.TypedArrayType]) {
    assertThrows(TypeError, () => new Make(types.void), /VoidType/);
    for (const wrong of [undefined, {}, into(f64)]) assertThrows(TypeError, () => new Make(wrong), /argument 1/);
  }
  for (const wrong of [string, copy(f64), view(f64)])
    assertThrows(TypeError, () => new marshal.TypedArrayType(wrong), /number type or a struct/);
});

guestTest('a pointer outside the memory', (guest) => {
  const { call, memory } = guest;
  const end = memory.buffer.byteLength;
  for (const address of [end, end + 8, 2 ** 31, 2 ** 32 - 8]) {
    for (const returns of [view(f64, 1), copy(f64, 1)]) {
      thrownBy(RangeError, () => call('echo_u32', [u32], returns, address));
    }
  }
  for (const address of [end, 2 ** 32 - 1]) thrownBy(RangeError, () => call('echo_u32', [u32], string, address));
});

test('a pointer that is not aligned for its elements: refused, or read right', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.i32(1024)], { export: 'malloc' });
  b.func(['i32'], [], [], { export: 'free' });
  b.func([], ['i32'], [op.i32(1027)], { export: 'f' });
  const { memory, malloc, free, f } = b.instance().exports;
  new DataView(memory.buffer).setFloat64(1027, 1.5, true);
  const manager = new marshal.MemoryManager(memory, malloc, free);
  for (const returns of [view(f64, 1), copy(f64, 1)]) {
    let result;
    try {
      result = new FunctionPrototype([], returns).invoke(manager, f);
    } catch (error) {
      assert(error instanceof RangeError, String(error));
      continue;
    }
    assertList(result, [1.5]);
  }
});

test('MemoryManager wants a memory, malloc and free of one guest', () => {
  const { exports } = demo();
  const other = demo();
  const { memory, malloc, free } = exports;
  const make = (...args) => new marshal.MemoryManager(...args);
  assertThrows(TypeError, () => make(), /argument 1 must be a WebAssembly.Memory/);
  assertThrows(TypeError, () => make({}, malloc, free), /argument 1/);
  assertThrows(TypeError, () => make(memory, undefined, free), /argument 2/);
  assertThrows(TypeError, () => make(memory, malloc, null), /argument 3/);
  assertThrows(TypeError, () => make(memory, malloc, other.exports.free), /linked/);
  assertThrows(TypeError, () => make(other.exports.memory, malloc, free), /linked/);
  assertThrows(TypeError, () => make(new WebAssembly.Memory({ initial: 1 }), malloc, free), /linked/);
  assertThrows(TypeError, () => make(memory, exports.sum_f64, free), /malloc/);
  assertThrows(TypeError, () => make(memory, malloc, exports.sum_f64), /free/);
  assert(make(memory, malloc, free) instanceof marshal.MemoryManager);
});

test('methods on the wrong object', () => {
  for (const name of ['malloc', 'free', 'createTypedArray', 'freeWhenFinalized']) {
    assertThrows(TypeError, () => marshal.MemoryManager.prototype[name].call({}, 1), new RegExp(name));
  }
  for (const name of ['memory', 'dataView']) {
    assertThrows(TypeError, () => marshal.MemoryManager.prototype[name], new RegExp(name));
    assertThrows(TypeError, () => Reflect.get(marshal.MemoryManager.prototype, name, {}));
  }
});

test('Wasi: before init, and with an instance that has no heap', () => {
  const wasi = new marshal.Wasi({ HOME: '/' });
  for (const name of ['instance', 'memoryManager', 'functionRegistry']) assertEq(wasi[name], null, name);
  assertThrows(Error, () => wasi.memory, /init\(instance\) first/);
  assertThrows(Error, () => wasi.float64Array(3), /init\(instance\) first/);
  for (const wrong of [undefined, null, {}, demo().exports])
    assertThrows(TypeError, () => wasi.init(wrong), /init: argument 1/);
  assertThrows(TypeError, () => wasi.init(new WasmBuilder().instance()), /`memory` is missing/);
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  assertThrows(TypeError, () => wasi.init(b.instance()), /`malloc` and `free`; an allocator/);
  assertThrows(TypeError, () => new marshal.Wasi(1), /Wasi: argument 1/);
});

test('Wasi: its members, and views by its methods', () => {
  const { wasi, instance, exports, manager } = demo();
  assertEq(wasi.instance, instance);
  assertEq(wasi.memory, exports.memory);
  assertEq(wasi.memoryManager, manager);
  assert(manager instanceof marshal.MemoryManager);
  assertEq(wasi.imports(), wasi.imports());
  for (const name of ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64']) {
    assertList(wasi[`${name}Array`]([1, 2]), [1, 2]);
    assertList(wasi[`${name}Array`](2), [0, 0]);
  }
  for (const name of ['int64', 'uint64']) assertList(wasi[`${name}Array`]([1n, 2n]), [1n, 2n]);
  assertThrows(TypeError, () => wasi.float64Array(['x']), /element 0/);
});

test('malloc that lies about addresses', () => {
  for (const [address, Class] of [
    [65_536, RangeError],
    [65_530, RangeError],
    [-8, RangeError],
    [0, RangeError],
  ]) {
    const b = new WasmBuilder();
    b.memory({ min: 1 }, { export: 'memory' });
    b.func(['i32'], ['i32'], [op.i32(address)], { export: 'malloc' });
    b.func(['i32'], [], [], { export: 'free' });
    b.func(['i32', 'i32'], ['i32'], [op.localGet(1)], { export: 'f' });
    const { memory, malloc, free, f } = b.instance().exports;
    const manager = new marshal.MemoryManager(memory, malloc, free);
    assertThrows(Class, () => manager.malloc(16));
    assertThrows(Class, () => manager.createTypedArray(Float64Array, [1, 2]));
    assertThrows(Class, () => new FunctionPrototype([into(copy(f64)), into(i32)], i32).invoke(manager, f, [1, 2], 2));
    assertThrows(Class, () =>
      new FunctionPrototype([into(string), into(i32)], i32).invoke(manager, f, 'a long text', 2),
    );
  }
});

test('malloc that returns the same block twice', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.i32(1024)], { export: 'malloc' });
  b.func(['i32'], [], [], { export: 'free' });
  const { memory, malloc, free } = b.instance().exports;
  const manager = new marshal.MemoryManager(memory, malloc, free);
  const first = manager.createTypedArray(Uint8Array, [1, 2]);
  assertThrows(RangeError, () => manager.createTypedArray(Uint8Array, [3, 4]), /owner/);
  assertList(first, [1, 2]);
});

test('malloc and free that trap', () => {
  const b = new WasmBuilder();
  const throws = b.importFunc('host', 'f');
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.unreachable], { export: 'bad_malloc' });
  b.func(['i32'], ['i32'], [op.i32(1024)], { export: 'malloc' });
  b.func(['i32'], [], [op.unreachable], { export: 'bad_free' });
  b.func(['i32'], [], [op.call(throws)], { export: 'throwing_free' });
  b.func(['i32'], ['f64'], [op.f64(1)], { export: 'f' });
  const mine = new SyntaxError('mine');
  const { memory, malloc, bad_malloc, bad_free, throwing_free, f } = b.instance({
    host: {
      f() {
        throw mine;
      },
    },
  }).exports;
  const prototype = new FunctionPrototype([into(copy(f64))], f64);
  const first = new marshal.MemoryManager(memory, bad_malloc, bad_free);
  assertThrows(WebAssembly.RuntimeError, () => prototype.invoke(first, f, [1]));
  const second = new marshal.MemoryManager(memory, malloc, bad_free);
  assertThrows(WebAssembly.RuntimeError, () => prototype.invoke(second, f, [1]));
  const third = new marshal.MemoryManager(memory, malloc, throwing_free);
  assertEq(
    assertThrows(SyntaxError, () => prototype.invoke(third, f, [1])),
    mine,
  );
  // The call's own error counts more than the one from freeing.
  assertThrows(
    TypeError,
    () => new FunctionPrototype([into(copy(f64)), into(i32)], f64).invoke(third, f, [1], 'x'),
    /argument 2/,
  );
});
