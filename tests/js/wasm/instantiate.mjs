// WebAssembly.instantiate, both forms, and the constructor of Instance.
import {
  assert, assertEq, assertList, assertProperty, assertRejects, assertThrows, assertThrowsValue, test,
} from '../harness.mjs';
import { WasmBuilder, emptyModule, op } from '../wasm-builder.mjs';

const { Instance, Module, LinkError } = WebAssembly;

const withImport = () => {
  const b = new WasmBuilder();
  const f = b.importFunc('host', 'f', [], ['i32']);
  b.func([], ['i32'], op.call(f), { export: 'run' });
  return b.bytes();
};
const seven = { host: { f: () => 7 } };

test('instantiate(bytes) gives a module and an instance', async () => {
  const result = await WebAssembly.instantiate(withImport(), seven);
  assertEq(Object.getPrototypeOf(result), Object.prototype);
  assert(Object.isExtensible(result));
  assertList(Object.keys(result).sort(), ['instance', 'module']);
  assertEq(Object.getPrototypeOf(assertProperty(result, 'module', 'wec').value), Module.prototype);
  assertEq(Object.getPrototypeOf(assertProperty(result, 'instance', 'wec').value), Instance.prototype);
  assertEq(result.instance.exports.run(), 7);
  assertEq(new Instance(result.module, { host: { f: () => 8 } }).exports.run(), 8);
});

test('instantiate(bytes): members come in the order of Web IDL, alphabetically', async () => {
  assertList(Object.keys(await WebAssembly.instantiate(emptyModule())), ['instance', 'module']);
}, { v8: 'module, instance' });

test('instantiate(module) gives an instance', async () => {
  const instance = await WebAssembly.instantiate(new Module(withImport()), seven);
  assertEq(Object.getPrototypeOf(instance), Instance.prototype);
  assertEq(instance.exports.run(), 7);
});

test('each instantiation makes a new instance', async () => {
  const module = new Module(withImport());
  assert(await WebAssembly.instantiate(module, seven) !== await WebAssembly.instantiate(module, seven));
});

test('the promise has the built-in class in both forms', async () => {
  for (const source of [emptyModule(), new Module(emptyModule())]) {
    const promise = WebAssembly.instantiate(source);
    assertEq(Object.getPrototypeOf(promise), Promise.prototype);
    await promise;
  }
});

test('an import object is needed only where there are imports', async () => {
  for (const nothing of [[], [undefined]]) {
    assert(new Instance(new Module(emptyModule()), ...nothing) instanceof Instance);
    assert(await WebAssembly.instantiate(new Module(emptyModule()), ...nothing) instanceof Instance);
    assertThrows(TypeError, () => new Instance(new Module(withImport()), ...nothing));
    await assertRejects(TypeError, () => WebAssembly.instantiate(new Module(withImport()), ...nothing));
    await assertRejects(TypeError, () => WebAssembly.instantiate(withImport(), ...nothing));
  }
});

test('an import object must be an object, also where nothing is imported', async () => {
  for (const wrong of [null, true, 7, '', 'host', 7n, Symbol('s')]) {
    for (const bytes of [emptyModule(), withImport()]) {
      assertThrows(TypeError, () => new Instance(new Module(bytes), wrong));
      await assertRejects(TypeError, () => WebAssembly.instantiate(new Module(bytes), wrong));
      await assertRejects(TypeError, () => WebAssembly.instantiate(bytes, wrong));
    }
  }
});

test('a wrong import object is found before the bytes are looked at', async () => {
  await assertRejects(TypeError, () => WebAssembly.instantiate(new Uint8Array([1, 2, 3]), 7));
});

test('invalid bytes are found before the imports are', async () => {
  const imports = { get host() { throw new Error('was read'); } };
  await assertRejects(WebAssembly.CompileError, () => WebAssembly.instantiate(new Uint8Array([1, 2, 3]), imports));
});

test('Instance accepts only a Module', () => {
  for (const wrong of [undefined, null, {}, emptyModule(), emptyModule().buffer, Module, Module.prototype, '']) {
    assertThrows(TypeError, () => new Instance(wrong));
  }
});

test('what is imported from must be an object', () => {
  const module = new Module(withImport());
  for (const wrong of [undefined, null, true, 7, 'host', 7n, Symbol('s')]) {
    assertThrows(TypeError, () => new Instance(module, { host: wrong }));
  }
  assertThrows(TypeError, () => new Instance(module, {}));
  const callable = Object.assign(() => {}, seven.host);
  assertEq(new Instance(module, { host: callable }).exports.run(), 7);
  assertEq(new Instance(module, Object.assign(() => {}, { host: seven.host })).exports.run(), 7);
});

test('imports may be inherited, accessors or from a proxy', () => {
  const module = new Module(withImport());
  assertEq(new Instance(module, Object.create(seven)).exports.run(), 7);
  assertEq(new Instance(module, { host: Object.create(seven.host) }).exports.run(), 7);
  assertEq(new Instance(module, { get host() { return { get f() { return () => 9; } }; } }).exports.run(), 9);
  assertEq(new Instance(module, new Proxy(seven, {})).exports.run(), 7);
});

const wrongKinds = {
  function: [undefined, null, 7, '', {}, new WebAssembly.Memory({ initial: 1 })],
  memory: [undefined, null, 7, {}, () => {}, new ArrayBuffer(65536), new WebAssembly.Table({ element: 'anyfunc', initial: 1 }),
    Object.create(WebAssembly.Memory.prototype)],
  table: [undefined, null, 7, {}, [], () => {}, new WebAssembly.Memory({ initial: 1 }),
    Object.create(WebAssembly.Table.prototype)],
  global: [undefined, null, {}, '', '7', true, Symbol('s'), 7n, { valueOf: () => 7 }, () => {}, new Number(7),
    Object.create(WebAssembly.Global.prototype)],
};
const importOf = {
  function: (b) => b.importFunc('m', 'x'),
  memory: (b) => b.importMemory('m', 'x', { min: 0 }),
  table: (b) => b.importTable('m', 'x', { min: 0 }),
  global: (b) => b.importGlobal('m', 'x', 'i32'),
};
for (const [kind, values] of Object.entries(wrongKinds)) {
  test(`a ${kind} import of another kind: LinkError`, async () => {
    const b = new WasmBuilder();
    importOf[kind](b);
    const module = b.module();
    for (const x of values) {
      assertThrows(LinkError, () => new Instance(module, { m: { x } }));
      await assertRejects(LinkError, () => WebAssembly.instantiate(module, { m: { x } }));
      await assertRejects(LinkError, () => WebAssembly.instantiate(b.bytes(), { m: { x } }));
    }
  });
}

test('a LinkError names the import', () => {
  const b = new WasmBuilder();
  b.importFunc('some_module', 'some_field');
  const error = assertThrows(LinkError, () => b.instance({ some_module: {} }));
  assert(error.message.includes('some_module') && error.message.includes('some_field'), error.message);
});

/** Imports in the order a.one, b.two (a global), a.three, c.four (a memory), and a list of what was read. */
function spiedImports(two) {
  const b = new WasmBuilder();
  b.importFunc('a', 'one');
  b.importGlobal('b', 'two', 'i32');
  b.importFunc('a', 'three');
  b.importMemory('c', 'four', { min: 0 });
  const log = [];
  const spy = (path, object) => new Proxy(object, {
    get(target, key) { log.push(`${path}${String(key)}`); return target[key]; },
    has() { log.push('has'); return true; },
    ownKeys() { log.push('keys'); return []; },
  });
  const imports = { a: spy('a.', { one() {}, three() {} }), b: spy('b.', { two }), c: spy('c.', {}) };
  assertThrows(LinkError, () => b.instance(spy('', imports)));
  return log;
}

test('imports are read in the order of the module, each from the import object anew', () => {
  assertList(spiedImports(2), ['a', 'a.one', 'b', 'b.two', 'a', 'a.three', 'c', 'c.four']);
});

test('no import is read after one of a wrong kind', () => {
  assertList(spiedImports(null), ['a', 'a.one', 'b', 'b.two']);
}, { v8: 'reads all of them before it looks at one' });

test('what a getter of an import throws comes out unchanged', async () => {
  const reason = { any: 'value' };
  const module = new Module(withImport());
  for (const imports of [{ get host() { throw reason; } }, { host: { get f() { throw reason; } } }]) {
    assertThrowsValue(reason, () => new Instance(module, imports));
    for (const source of [module, withImport()]) {
      let caught;
      await WebAssembly.instantiate(source, imports).catch((error) => { caught = error; });
      assertEq(caught, reason);
    }
  }
});

test('instantiate(module) reads the imports during the call', async () => {
  const module = new Module(withImport());
  let reads = 0;
  const promise = WebAssembly.instantiate(module, { get host() { reads += 1; return seven.host; } });
  assertEq(reads, 1);
  await promise;
  assertEq(reads, 1);
});

test('instantiate(bytes) reads them once the module is compiled', async () => {
  let reads = 0;
  const promise = WebAssembly.instantiate(withImport(), { get host() { reads += 1; return seven.host; } });
  assertEq(reads, 0);
  await promise;
  assertEq(reads, 1);
});

test('a change of the import object after the call of instantiate(module) comes too late', async () => {
  const imports = { host: { f: () => 7 } };
  const promise = WebAssembly.instantiate(new Module(withImport()), imports);
  imports.host.f = () => 8;
  assertEq((await promise).exports.run(), 7);
});

test('instantiate(module) runs the start function in a task of its own', async () => {
  const b = new WasmBuilder();
  b.start(b.importFunc('host', 'f'));
  let ran = false;
  const promise = WebAssembly.instantiate(b.module(), { host: { f() { ran = true; } } });
  assertEq(ran, false);
  await promise;
  assertEq(ran, true);
}, { v8: 'runs it during the call' });

test('imports that nobody asks for are not read', () => {
  const imports = { host: { f: () => 7, get g() { throw new Error('read'); } }, get other() { throw new Error('read'); } };
  assertEq(new Instance(new Module(withImport()), imports).exports.run(), 7);
});

test('an empty name is a name', () => {
  const b = new WasmBuilder();
  b.export('', 'function', b.importFunc('', '', [], ['i32']));
  assertEq(b.instance({ '': { '': () => 3 } }).exports[''](), 3);
});

test('the exports object is frozen and has no prototype', () => {
  const b = new WasmBuilder();
  const f = b.func([], [], [], { export: 'f' });
  b.memory({ min: 1 }, { export: 'memory' });
  b.export('0', 'function', f).export('__proto__', 'function', f).export('constructor', 'function', f);
  const { exports } = b.instance();
  assertEq(Object.getPrototypeOf(exports), null);
  assert(Object.isFrozen(exports));
  assertList(Reflect.ownKeys(exports), ['0', 'f', 'memory', '__proto__', 'constructor']);
  for (const key of Reflect.ownKeys(exports)) assertProperty(exports, key, 'e');
  assertEq(exports.__proto__, exports.f);
  assertThrows(TypeError, () => { exports.f = 1; });
  assertThrows(TypeError, () => { exports.g = 1; });
  assertThrows(TypeError, () => { delete exports.f; });
  assertThrows(TypeError, () => Object.setPrototypeOf(exports, {}));
});

test('exports is the same object each time', () => {
  const instance = new Instance(new Module(emptyModule()));
  assertEq(instance.exports, instance.exports);
  assertList(Reflect.ownKeys(instance.exports), []);
});

test('exports come in the order of the module, whatever their kind', () => {
  const b = new WasmBuilder();
  b.memory({ min: 0 }, { export: 'z' });
  b.func([], [], [], { export: 'y' });
  b.global('i32', op.i32(1), { export: 'x' });
  b.table({ min: 0 }, { export: 'w' });
  assertList(Object.keys(b.instance().exports), ['z', 'y', 'x', 'w']);
});

test('exports that the script never looked at are there later', () => {
  const b = new WasmBuilder();
  b.global('i32', op.i32(1), { mutable: true, export: 'count' });
  b.func([], ['i32'], [op.globalGet(0), op.i32(1), op.i32Add, op.globalSet(0), op.globalGet(0)], { export: 'bump' });
  const { exports } = b.instance();
  const copy = { ...exports };
  copy.bump();
  assertEq(exports.count.value, 2);
  assertEq(copy.count, exports.count);
  assertEq(Object.entries(exports)[1][1], copy.bump);
});

test('imports with a type of their own are checked', () => {
  const b = new WasmBuilder();
  b.importMemory('m', 'x', { min: 2, max: 4 });
  const module = b.module();
  const memory = (initial, maximum) => ({ m: { x: new WebAssembly.Memory({ initial, maximum }) } });
  for (const [initial, maximum] of [[2, 4], [2, 3], [3, 3]]) assert(new Instance(module, memory(initial, maximum)));
  for (const [initial, maximum] of [[1, 4], [2, 5], [2, undefined]]) {
    assertThrows(LinkError, () => new Instance(module, memory(initial, maximum)));
  }
  const grown = memory(1, 4);
  grown.m.x.grow(1);
  assert(new Instance(module, grown), 'the present size counts');
});

test('table imports are checked for size, maximum and element type', () => {
  const b = new WasmBuilder();
  b.importTable('m', 'x', { min: 2, max: 4 });
  const module = b.module();
  const table = (element, initial, maximum) => ({ m: { x: new WebAssembly.Table({ element, initial, maximum }) } });
  assert(new Instance(module, table('anyfunc', 2, 4)));
  assert(new Instance(module, table('anyfunc', 3, 3)));
  for (const wrong of [['anyfunc', 1, 4], ['anyfunc', 2, 5], ['anyfunc', 2, undefined], ['externref', 2, 4]]) {
    assertThrows(LinkError, () => new Instance(module, table(...wrong)));
  }
});

test('global imports are checked for type and mutability', () => {
  const module = (mutable) => { const b = new WasmBuilder(); b.importGlobal('m', 'x', 'i32', mutable); return b.module(); };
  const global = (value, mutable) => ({ m: { x: new WebAssembly.Global({ value, mutable }, value === 'i64' ? 1n : 1) } });
  assert(new Instance(module(false), global('i32', false)));
  assert(new Instance(module(true), global('i32', true)));
  assertThrows(LinkError, () => new Instance(module(false), global('i32', true)));
  assertThrows(LinkError, () => new Instance(module(true), global('i32', false)));
  assertThrows(LinkError, () => new Instance(module(false), global('i64', false)));
  assertThrows(LinkError, () => new Instance(module(false), global('f64', false)));
  assertThrows(LinkError, () => new Instance(module(true), { m: { x: 1 } }));
});

test('a wasm function is imported by its type', () => {
  const exporter = new WasmBuilder();
  exporter.func(['i32'], ['i32'], op.localGet(0), { export: 'f' });
  const { f } = exporter.instance().exports;
  const importer = (params, results) => {
    const b = new WasmBuilder();
    b.importFunc('m', 'x', params, results);
    return b.module();
  };
  assert(new Instance(importer(['i32'], ['i32']), { m: { x: f } }));
  for (const [params, results] of [[[], []], [['i64'], ['i32']], [['i32'], []], [['i32', 'i32'], ['i32']]]) {
    assertThrows(LinkError, () => new Instance(importer(params, results), { m: { x: f } }));
  }
  assert(new Instance(importer(['i64'], ['f32']), { m: { x: (...args) => f(...args) } }), 'a JavaScript function fits any');
});

test('numbers are imported as constant globals', () => {
  const b = new WasmBuilder();
  const globals = [['i32', 2 ** 31 + 0.5], ['f32', 0.1], ['f64', 0.1], ['i64', 2n ** 64n - 1n]];
  for (const [type] of globals) b.export(type, 'global', b.importGlobal('m', type, type));
  const { exports } = b.instance({ m: Object.fromEntries(globals) });
  assertEq(exports.i32.value, -(2 ** 31));
  assertEq(exports.f32.value, Math.fround(0.1));
  assertEq(exports.f64.value, 0.1);
  assertEq(exports.i64.value, -1n);
  assertThrows(TypeError, () => { exports.i32.value = 1; });
});

test('i64 globals are imported from BigInts alone, other numbers from Numbers alone', () => {
  for (const [type, wrong] of [['i64', 1], ['i32', 1n], ['f32', 1n], ['f64', 1n], ['i64', undefined]]) {
    const b = new WasmBuilder();
    b.importGlobal('m', 'x', type);
    assertThrows(LinkError, () => b.instance({ m: { x: wrong } }));
  }
});

test('references are imported as constant globals', () => {
  const b = new WasmBuilder();
  b.export('thing', 'global', b.importGlobal('m', 'thing', 'externref'));
  b.export('func', 'global', b.importGlobal('m', 'func', 'funcref'));
  const module = b.module();
  const { exports } = new Instance(module, { m: { thing: 'any', func: null } });
  assertEq(exports.thing.value, 'any');
  assertEq(exports.func.value, null);
  assertEq(new Instance(module, { m: { thing: undefined, func: null } }).exports.thing.value, undefined);
  assertThrows(LinkError, () => new Instance(module, { m: { thing: 1, func: () => {} } }));
  assertThrows(LinkError, () => new Instance(module, { m: { thing: 1, func: undefined } }));
});

test('callable proxies, classes and bound functions are functions to import', () => {
  const module = new Module(withImport());
  const f = () => 5;
  assertEq(new Instance(module, { host: { f: new Proxy(f, {}) } }).exports.run(), 5);
  assertEq(new Instance(module, { host: { f: f.bind(null) } }).exports.run(), 5);
  const { run } = new Instance(module, { host: { f: class {} } }).exports;
  assertThrows(TypeError, run);
});

test('active segments that do not fit: RuntimeError, and what came before stays', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1 });
  b.data(0, [1, 2, 3]).data(65535, [4, 5]);
  assertThrows(WebAssembly.RuntimeError, () => b.instance({ m: { memory } }));
  assertEq(new Uint8Array(memory.buffer, 0, 3).join(), '1,2,3');
  assertEq(new Uint8Array(memory.buffer)[65535], 0);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 2 });
  const c = new WasmBuilder();
  c.importTable('m', 'table', { min: 1 });
  const f = c.func([], ['i32'], op.i32(6));
  c.elem(0, 0, [f]).elem(0, 1, [f, f]);
  assertThrows(WebAssembly.RuntimeError, () => c.instance({ m: { table } }));
  assertEq(table.get(0)(), 6, 'a function of the instance that failed lives on in the table');
  assertEq(table.get(1), null);
});
