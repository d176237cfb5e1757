// Type reflection: `type()`, the types in a module's descriptors, and constructors that take what these say.
// (V8 has it behind --experimental-wasm-type-reflection.)
import { assert, assertEq, assertList, assertProperty, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op, ref, refNull, wasmFunction } from '../wasm-builder.mjs';

const { Global, Instance, Memory, Module, Table } = WebAssembly;

const named = ['i32', 'i64', 'f32', 'f64', 'v128'];
const references = ['funcref', 'externref', 'anyref', 'eqref', 'i31ref', 'structref', 'arrayref', 'nullref', 'nullfuncref',
  'nullexternref'];
const exceptions = ['exnref', 'nullexnref'];

/** The same members, in this order, with the same values; lists and objects are compared by their members. */
function assertType(actual, expected, why) {
  assertEq(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected), why);
  assertList(Object.keys(actual), Object.keys(expected), why);
  for (const [name, value] of Object.entries(expected)) {
    if (typeof value === 'object') assertType(actual[name], value, why);
    else assertEq(actual[name], value, `${why ?? ''} ${name}`);
  }
}

/** The types of a module's exports by name. */
const exportTypes = (builder) =>
  Object.fromEntries(Module.exports(builder.module()).map(({ name, type }) => [name, type]));

test('type of a memory', () => {
  assertType(new Memory({ initial: 2 }).type(), { address: 'i32', minimum: 2, shared: false });
  assertType(new Memory({ initial: 2, maximum: 5 }).type(), { address: 'i32', maximum: 5, minimum: 2, shared: false });
  assertType(new Memory({ initial: 0, maximum: 65536 }).type(),
    { address: 'i32', maximum: 65536, minimum: 0, shared: false });
  assertType(new Memory({ initial: 1, maximum: 2, shared: true }).type(),
    { address: 'i32', maximum: 2, minimum: 1, shared: true });
  assertType(new Memory({ address: 'i64', initial: 1n }).type(), { address: 'i64', minimum: 1n, shared: false });
  assertType(new Memory({ address: 'i64', initial: 1n, maximum: 2n }).type(),
    { address: 'i64', maximum: 2n, minimum: 1n, shared: false });
});

test('type of a table', () => {
  assertType(new Table({ element: 'anyfunc', initial: 3 }).type(), { address: 'i32', element: 'funcref', minimum: 3 });
  assertType(new Table({ element: 'externref', initial: 0, maximum: 2 ** 32 - 1 }).type(),
    { address: 'i32', element: 'externref', maximum: 2 ** 32 - 1, minimum: 0 });
  assertType(new Table({ element: 'externref', address: 'i64', initial: 1n, maximum: 2n ** 64n - 1n }).type(),
    { address: 'i64', element: 'externref', maximum: 2n ** 64n - 1n, minimum: 1n });
});

test('type of a global', () => {
  assertType(new Global({ value: 'i32' }, 1).type(), { mutable: false, value: 'i32' });
  assertType(new Global({ value: 'anyfunc', mutable: true }).type(), { mutable: true, value: 'funcref' });
});

test('minimum is the size of now, whoever grew it', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1, max: 9 }, { export: 'memory' });
  b.table({ min: 1, max: 9 }, { export: 'table' });
  b.func([], [], [op.i32(2), op.memoryGrow(), op.drop], { export: 'growMemory' });
  b.func([], [], [op.refNull('funcref'), op.i32(3), op.tableGrow(0), op.drop], { export: 'growTable' });
  const { memory, table, growMemory, growTable } = b.instance().exports;
  const sizes = () => [memory.type().minimum, table.type().minimum, memory.type().maximum, table.type().maximum];
  assertList(sizes(), [1, 1, 9, 9]);
  memory.grow(1);
  table.grow(1);
  assertList(sizes(), [2, 2, 9, 9]);
  growMemory();
  growTable();
  assertList(sizes(), [4, 5, 9, 9]);
  const unbound = [new Memory({ initial: 0 }), new Table({ element: 'externref', initial: 0 })];
  for (const object of unbound) {
    object.grow(7);
    assertEq(object.type().minimum, 7);
  }
  const wide = new Memory({ address: 'i64', initial: 0n });
  wide.grow(2n);
  assertEq(wide.type().minimum, 2n);
});

test('type of a function', () => {
  const echo = wasmFunction(['i32', 'i64'], ['f32', 'f64'], [op.f32(0), op.f64(0)]);
  assertType(echo.type(), { parameters: ['i32', 'i64'], results: ['f32', 'f64'] });
  assertType(wasmFunction([], [], []).type(), { parameters: [], results: [] });
  const every = [...named, ...references, ...exceptions];
  assertType(wasmFunction(every, [], []).type(), { parameters: every, results: [] });
});

test('type of an import that is exported again is the type that it was imported with', () => {
  const b = new WasmBuilder();
  b.export('f', 'function', b.importFunc('m', 'f', ['f32'], ['i64']));
  assertType(b.instance({ m: { f() {} } }).exports.f.type(), { parameters: ['f32'], results: ['i64'] });
});

test('types of all kinds of exports', () => {
  const b = new WasmBuilder();
  b.func(['i32'], ['f64', 'externref'], [op.f64(0), op.refNull('externref')], { export: 'function' });
  b.memory({ min: 1 }, { export: 'memory' });
  b.memory({ min: 1, max: 2, shared: true }, { export: 'shared' });
  b.memory({ min: 1, max: 2, address: 'i64' }, { export: 'wide' });
  b.table({ min: 3, element: 'externref' }, { export: 'table' });
  b.table({ min: 3, max: 4, address: 'i64' }, { export: 'wideTable' });
  b.global('i64', op.i64(1), { export: 'constant' });
  b.global('funcref', op.refNull('funcref'), { mutable: true, export: 'variable' });
  b.tag(['i32', 'externref'], { export: 'tag' });
  const types = exportTypes(b);
  const expected = {
    function: { parameters: ['i32'], results: ['f64', 'externref'] },
    memory: { address: 'i32', minimum: 1, shared: false },
    shared: { address: 'i32', maximum: 2, minimum: 1, shared: true },
    wide: { address: 'i64', maximum: 2n, minimum: 1n, shared: false },
    table: { address: 'i32', element: 'externref', minimum: 3 },
    wideTable: { address: 'i64', element: 'funcref', maximum: 4n, minimum: 3n },
    constant: { mutable: false, value: 'i64' },
    variable: { mutable: true, value: 'funcref' },
    tag: { parameters: ['i32', 'externref'] },
  };
  assertType(types, expected);
  const { exports } = b.instance();
  for (const name of Object.keys(expected)) {
    if (name !== 'tag') assertType(exports[name].type(), expected[name], name);
  }
});

test('types of all kinds of imports say what is asked for', () => {
  const b = new WasmBuilder();
  b.importFunc('m', 'f', ['anyref'], []);
  b.importMemory('m', 'memory', { min: 3, max: 4 });
  b.importTable('m', 'table', { min: 1, element: 'anyref' });
  b.importGlobal('m', 'global', 'v128', true);
  b.importTag('m', 'tag', ['f32']);
  const imports = Module.imports(b.module());
  assertList(imports.map(({ kind }) => kind), ['function', 'memory', 'table', 'global', 'tag']);
  assertType(imports.map(({ type }) => type), [
    { parameters: ['anyref'], results: [] },
    { address: 'i32', maximum: 4, minimum: 3, shared: false },
    { address: 'i32', element: 'anyref', minimum: 1 },
    { mutable: true, value: 'v128' },
    { parameters: ['f32'] },
  ]);
  for (const descriptor of imports) {
    assertProperty(descriptor, 'type', 'wec');
    for (const name of Object.keys(descriptor.type)) assertProperty(descriptor.type, name, 'wec');
  }
});

test('each call describes anew', () => {
  const memory = new Memory({ initial: 1 });
  const f = wasmFunction(['i32'], [], []);
  assert(memory.type() !== memory.type());
  memory.type().minimum = 9;
  f.type().parameters.push('i64');
  assertEq(memory.type().minimum, 1);
  assertList(f.type().parameters, ['i32']);
});

test('setters on Object.prototype and Array.prototype are not called', () => {
  const names = [[Object.prototype, 'minimum'], [Object.prototype, 'parameters'], [Array.prototype, '0']];
  const [memory, f] = [new Memory({ initial: 1 }), wasmFunction(['i32'], [], [])];
  let called = false;
  for (const [owner, name] of names) Object.defineProperty(owner, name, { configurable: true, set() { called = true; } });
  try {
    memory.type();
    f.type();
    assertEq(called, false);
  } finally {
    for (const [owner, name] of names) delete owner[name];
  }
});

test('what stands in for imports can be made from their types', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['i32', 'f64'], ['i64']);
  b.importMemory('m', 'memory', { min: 1, max: 2 });
  b.importMemory('n', 'shared', { min: 1, max: 2, shared: true });
  b.importMemory('n', 'wide', { min: 1, max: 2, address: 'i64' });
  b.importTable('m', 'table', { min: 2, max: 5, element: 'externref' });
  b.importTable('n', 'wideTable', { min: 2, address: 'i64' });
  b.importGlobal('m', 'global', 'i64', true);
  b.func([], ['i64'], [op.i32(1), op.f64(2), op.call(f)], { export: 'run' });
  const make = {
    function: (type) => new WebAssembly.Function(type, (a, b) => BigInt(a + b)),
    memory: (type) => new Memory(type),
    table: (type) => new Table(type),
    global: (type) => new Global(type),
  };
  const module = b.module();
  const imports = {};
  for (const { module: from, name, kind, type } of Module.imports(module)) {
    (imports[from] ??= {})[name] = make[kind](type);
    assertType(imports[from][name].type(), type, name);
  }
  assertEq(new Instance(module, imports).exports.run(), 3n);
});

// Such types have no name that a constructor would take: the text is for people.
test('types without a name', () => {
  const b = new WasmBuilder();
  const binary = b.type(['i32'], ['i32']);
  const f = b.func(['i32'], ['i32'], op.localGet(0));
  b.declare(f);
  b.func([ref(binary), refNull(binary), ref('func'), ref('i31')], [], [], { export: 'f' });
  b.global(ref('func'), op.refFunc(f), { export: 'function' });
  b.global(refNull(binary), op.refFunc(f), { export: 'concrete' });
  const names = ['(ref (func ...))', '(ref null (func ...))', '(ref func)', '(ref i31)'];
  const types = exportTypes(b);
  assertList(types.f.parameters, names);
  assertEq(types.function.value, '(ref func)');
  assertEq(types.concrete.value, '(ref null (func ...))');
  const { exports } = b.instance();
  assertList(exports.f.type().parameters, names);
  assertEq(exports.concrete.type().value, '(ref null (func ...))');
  for (const name of names) {
    assertThrows(TypeError, () => new Global({ value: name }), /is not a WebAssembly value type/);
    assertThrows(TypeError, () => new Table({ element: name, initial: 0 }), /is not a WebAssembly value type/);
  }
});

test('every reference type with a name makes tables and globals, with null where it has no other default', () => {
  for (const type of references) {
    const expected = type === 'externref' ? undefined : null;
    const table = new Table({ element: type, initial: 2, maximum: 4 });
    assertEq(table.type().element, type);
    assertEq(table.get(1), expected, type);
    table.grow(1);
    assertEq(table.get(2), expected, type);
    table.set(0, null);
    assertEq(table.get(0), null, type);
    assertEq(new Table({ element: type, initial: 1 }, null).get(0), null, type);
    const global = new Global({ value: type, mutable: true });
    assertEq(global.type().value, type);
    assertEq(global.value, expected, type);
    global.value = null;
    assertEq(global.value, null, type);
    const b = new WasmBuilder();
    b.importTable('m', 'table', { min: 2, element: type });
    b.importGlobal('m', 'global', type, true);
    b.func([], ['i32'], [op.i32(0), op.tableGet(0), op.refIsNull, op.globalGet(0), op.refIsNull, op.i32Add],
      { export: 'nulls' });
    assertEq(b.instance({ m: { table, global } }).exports.nulls(), 2, type);
    assertType(table.type(), { address: 'i32', element: type, maximum: 4, minimum: 3 });
    assertType(global.type(), { mutable: true, value: type });
  }
});

test('what has only null takes nothing else', () => {
  for (const type of ['nullref', 'nullfuncref', 'nullexternref']) {
    const global = new Global({ value: type, mutable: true });
    for (const value of [undefined, 0, {}, '', wasmFunction([], [], [])]) {
      assertThrows(TypeError, () => { global.value = value; });
      if (value !== undefined) assertThrows(TypeError, () => new Table({ element: type, initial: 1 }, value));
    }
  }
});

test('exnref: no globals by scripts, and tables whose elements scripts cannot see', () => {
  for (const type of exceptions) {
    assertThrows(TypeError, () => new Global({ value: type }));
    assertThrows(TypeError, () => new Global({ value: type }, null));
    const table = new Table({ element: type, initial: 1 });
    assertEq(table.type().element, type);
    const untouchable = { valueOf() { throw new Error('converted'); } };
    assertThrows(TypeError, () => table.get(untouchable));
    assertThrows(TypeError, () => table.set(untouchable));
    assertThrows(TypeError, () => table.set(0, null));
    assertEq(table.grow(2), 1);
    assertEq(table.length, 3);
    const b = new WasmBuilder();
    b.importTable('m', 'table', { min: 1, element: type });
    b.func([], ['i32'], [op.i32(0), op.tableGet(0), op.refIsNull], { export: 'isNull' });
    assertEq(b.instance({ m: { table } }).exports.isNull(), 1);
    assertThrows(TypeError, () => table.get(0));
  }
});

test('an exported global of exnref has a type and no value', () => {
  const b = new WasmBuilder();
  b.global('exnref', op.refNull('exnref'), { mutable: true, export: 'global' });
  const { global } = b.instance().exports;
  assertType(global.type(), { mutable: true, value: 'exnref' });
  assertThrows(TypeError, () => global.value);
  assertThrows(TypeError, () => global.valueOf());
  assertThrows(TypeError, () => { global.value = null; });
});

test('names of types are spelled exactly', () => {
  const none = ['', 'I32', 'i8', 'func', 'extern', 'any', 'exn', 'none', 'contref', 'nullcontref', 'anyfunc ', 'ref', 'i32\0',
    'funcref\0', undefined, null, 0];
  for (const name of none) {
    assertThrows(TypeError, () => new Global({ value: name }));
    assertThrows(TypeError, () => new Table({ element: name, initial: 0 }));
  }
  for (const name of named) assertThrows(TypeError, () => new Table({ element: name, initial: 0 }));
});

for (const [Class, rest] of [[Memory, {}], [Table, { element: 'anyfunc' }]]) {
  test(`${Class.name}: minimum stands for initial`, () => {
    assertEq(new Class({ ...rest, minimum: 3 }).type().minimum, 3);
    assertEq(new Class({ ...rest, minimum: '2', maximum: 2 }).type().maximum, 2);
    assertEq(new Class({ ...rest, minimum: 1, initial: undefined }).type().minimum, 1);
    assertEq(new Class({ ...rest, minimum: undefined, initial: 1 }).type().minimum, 1);
    assertEq(new Class({ ...rest, address: 'i64', minimum: 2n }).type().minimum, 2n);
    assertThrows(RangeError, () => new Class({ ...rest, minimum: 3, maximum: 2 }));
    assertThrows(TypeError, () => new Class({ ...rest, minimum: -1 }), /minimum/);
    assertThrows(TypeError, () => new Class({ ...rest, minimum: 2 ** 32 }), /minimum/);
    assertThrows(TypeError, () => new Class({ ...rest, address: 'i64', minimum: 2 }));
  });

  test(`${Class.name}: one of minimum and initial, and not both`, () => {
    assertThrows(TypeError, () => new Class({ ...rest, initial: 1, minimum: 1 }), /initial.*minimum/);
    assertThrows(TypeError, () => new Class({ ...rest, initial: 0, minimum: 0 }), /initial.*minimum/);
    assertThrows(TypeError, () => new Class({ ...rest, maximum: 1 }), /initial/);
  });

  test(`${Class.name}: minimum is read after initial and before maximum`, () => {
    const log = [];
    const member = (name, value) => ({ get() { log.push(name); return value; } });
    const descriptor = Object.defineProperties({ ...rest }, {
      maximum: member('maximum', 2), minimum: member('minimum', 1), initial: member('initial'),
    });
    new Class(descriptor);
    assertList(log, ['initial', 'minimum', 'maximum']);
  });
}

for (const [owner, object] of Object.entries({
  Memory: () => new Memory({ initial: 0 }), Table: () => new Table({ element: 'anyfunc', initial: 0 }),
  Global: () => new Global({ value: 'i32' }), Function: () => wasmFunction([], [], []),
})) {
  test(`${owner}.prototype.type is an operation`, () => {
    const type = assertProperty(WebAssembly[owner].prototype, 'type', 'wec').value;
    assertEq(type.name, 'type');
    assertEq(type.length, 0);
    assertEq('prototype' in type, false);
    assertEq(typeof type.call(object(), 'stray'), 'object');
    const others = [new Memory({ initial: 0 }), new Table({ element: 'anyfunc', initial: 0 }), new Global({ value: 'i32' }),
      wasmFunction([], [], [])].filter((other) => !(other instanceof WebAssembly[owner]));
    assertEq(others.length, 3);
    const strangers = [undefined, null, 0, {}, () => {}, WebAssembly[owner], WebAssembly[owner].prototype,
      new Proxy(object(), {}), Object.create(object()), ...others];
    for (const stranger of strangers) assertThrows(TypeError, () => type.call(stranger));
  });
}

test('a type outlives what it describes', () => {
  let memory = wasmMemory();
  const type = memory.type();
  memory = undefined;
  globalThis.gc?.();
  assertType(type, { address: 'i32', maximum: 2, minimum: 1, shared: false });
});

function wasmMemory() {
  const b = new WasmBuilder();
  b.memory({ min: 1, max: 2 }, { export: 'memory' });
  return b.instance().exports.memory;
}
