// What a Module tells of itself: imports, exports, custom sections.
import { assert, assertEq, assertList, assertProperty, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, emptyModule, op } from '../wasm-builder.mjs';

const { Module } = WebAssembly;

function everything() {
  const b = new WasmBuilder();
  b.importFunc('m', 'f', ['i32'], ['i32']);
  b.importTable('m', 't', { min: 1 });
  b.importMemory('other', 'memory', { min: 1, max: 2 });
  b.importGlobal('m', 'g', 'i64');
  b.func([], [], [], { export: 'run' });
  b.table({ min: 2 }, { export: 'table' });
  b.global('f64', op.f64(1), { export: 'global' });
  b.export('memory', 'memory', 0);
  b.export('again', 'function', 0);
  return b;
}

test('the empty module imports and exports nothing', () => {
  const module = new Module(emptyModule());
  for (const list of [Module.imports(module), Module.exports(module), Module.customSections(module, '')]) {
    assert(Array.isArray(list));
    assertEq(Object.getPrototypeOf(list), Array.prototype);
    assertEq(list.length, 0);
  }
});

test('imports are listed in the order of the module', () => {
  const imports = Module.imports(everything().module());
  assertList(imports.map(({ module, name, kind }) => `${module}.${name}: ${kind}`),
    ['m.f: function', 'm.t: table', 'other.memory: memory', 'm.g: global']);
});

test('exports are listed in the order of the module', () => {
  const exports = Module.exports(everything().module());
  assertList(exports.map(({ name, kind }) => `${name}: ${kind}`),
    ['run: function', 'table: table', 'global: global', 'memory: memory', 'again: function']);
});

test('a module that imports one thing twice lists it twice', () => {
  const b = new WasmBuilder();
  b.importFunc('m', 'f');
  b.importFunc('m', 'f', ['i32']);
  b.importGlobal('m', 'f', 'i32');
  assertList(Module.imports(b.module()).map(({ name, kind }) => name + kind), ['ffunction', 'ffunction', 'fglobal']);
});

test('descriptors are plain objects with plain properties', () => {
  const module = everything().module();
  for (const descriptor of [...Module.imports(module), ...Module.exports(module)]) {
    assertEq(Object.getPrototypeOf(descriptor), Object.prototype);
    assert(Object.isExtensible(descriptor));
    for (const key of Object.keys(descriptor)) assertProperty(descriptor, key, 'wec');
  }
});

test('members of a descriptor come in the order of Web IDL: those of ExternType first, each alphabetically', () => {
  const module = everything().module();
  assertList(Object.keys(Module.imports(module)[0]), ['kind', 'type', 'module', 'name']);
  assertList(Object.keys(Module.exports(module)[0]), ['kind', 'type', 'name']);
}, { v8: 'module, name, kind, and no types' });

test('a setter on Object.prototype is not called', () => {
  let called = false;
  Object.defineProperty(Object.prototype, 'kind', { configurable: true, set() { called = true; } });
  try {
    const [first] = Module.exports(everything().module());
    assertEq(called, false);
    assertEq(first.kind, 'function');
  } finally {
    delete Object.prototype.kind;
  }
});

test('each call makes new arrays and objects', () => {
  const module = everything().module();
  assert(Module.exports(module) !== Module.exports(module));
  assert(Module.exports(module)[0] !== Module.exports(module)[0]);
  assert(Module.imports(module) !== Module.imports(module));
  Module.imports(module).length = 0;
  assertEq(Module.imports(module).length, 4);
});

test('names may be empty, long, or any Unicode text', () => {
  const names = ['', ' ', '0', '-1', '__proto__', 'constructor', 'ä𝄞', '\u0000', '\uFEFFbom', 'x'.repeat(1000)];
  const b = new WasmBuilder();
  for (const name of names) b.importFunc(name, name);
  for (const [i, name] of names.entries()) b.export(name, 'function', i);
  const module = b.module();
  assertList(Module.imports(module).map(({ module: from }) => from), names);
  assertList(Module.imports(module).map(({ name }) => name), names);
  assertList(Module.exports(module).map(({ name }) => name), names);
});

test('static operations work detached from Module', () => {
  const { exports, imports, customSections } = Module;
  const module = everything().module();
  assertEq(exports.call(undefined, module).length, 5);
  assertEq(imports.call(null, module).length, 4);
  assertEq(customSections.call(7, module, 'x').length, 0);
});

test('custom sections: all of one name, in order, wherever they stand', () => {
  const b = everything()
    .custom('mine', [1, 2, 3], { before: 'type' })
    .custom('other', [9])
    .custom('mine', [], { before: 'export' })
    .custom('mine', [4]);
  const sections = Module.customSections(b.module(), 'mine');
  assertEq(Object.getPrototypeOf(sections), Array.prototype);
  assertList(sections.map((buffer) => new Uint8Array(buffer).join()), ['1,2,3', '', '4']);
  for (const buffer of sections) assertEq(Object.getPrototypeOf(buffer), ArrayBuffer.prototype);
  assertEq(Module.customSections(b.module(), 'nobody').length, 0);
});

test('custom sections: each call copies', () => {
  const module = everything().custom('mine', [1, 2, 3]).module();
  const [first] = Module.customSections(module, 'mine');
  new Uint8Array(first).fill(0);
  assertEq(first.transfer().byteLength, 3);
  assertEq(new Uint8Array(Module.customSections(module, 'mine')[0]).join(), '1,2,3');
});

test('custom sections: the name section is one', () => {
  assertEq(Module.customSections(everything().functionNames({ 0: 'f' }).module(), 'name').length, 1);
});

test('custom sections: a broken name section is no reason to reject the module', () => {
  const module = everything().custom('name', [1, 99, 1]).module();
  assertEq(Module.customSections(module, 'name').length, 1);
});

test('custom sections: a lone surrogate is in no name', () => {
  const module = everything().custom('\ufffd', [1]).custom('\ufffd\ufffd\ufffd', [2]).custom('\u{10000}', [3]).module();
  assertEq(Module.customSections(module, '\ufffd').length, 1);
  assertEq(Module.customSections(module, '\ud800\udc00').length, 1);
  for (const name of ['\ud800', '\udc00', '\udc00\ud800']) assertEq(Module.customSections(module, name).length, 0);
});

test('custom sections: the name is converted to a string', () => {
  const module = everything().custom('null', [1]).custom('7', [3]).custom('', [4]).module();
  const first = (name) => new Uint8Array(Module.customSections(module, name)[0])[0];
  assertEq(first(null), 1);
  assertEq(first(7), 3);
  assertEq(first(''), 4);
  assertEq(first({ toString: () => 'null' }), 1);
  assertThrows(TypeError, () => Module.customSections(module, Symbol('s')));
});

test('custom sections: undefined is the name "undefined", as only a missing argument is missing', () => {
  const module = everything().custom('undefined', [2]).module();
  assertEq(Module.customSections(module, undefined).length, 1);
  assertThrows(TypeError, () => Module.customSections(module));
}, { v8: 'takes undefined for a missing argument' });

test('custom sections: names are compared as they are, a byte order mark and lone surrogates included', () => {
  const module = everything().custom('\uFEFFmine', [1]).custom('mine', [2]).custom('\uFFFD', [3]).module();
  assertEq(new Uint8Array(Module.customSections(module, '\uFEFFmine')[0])[0], 1);
  assertEq(new Uint8Array(Module.customSections(module, 'mine')[0])[0], 2);
  assertEq(Module.customSections(module, '\uD800').length, 0);
});

test('a Module can be made many instances of', () => {
  const b = new WasmBuilder();
  b.global('i32', op.i32(0), { mutable: true, export: 'count' });
  const module = b.module();
  const [one, two] = [new WebAssembly.Instance(module), new WebAssembly.Instance(module)];
  one.exports.count.value = 5;
  assertEq(two.exports.count.value, 0);
});

test('100 memories, loops and recursion among them', () => {
  const b = new WasmBuilder();
  const first = b.memory({ min: 1, max: 2 });
  for (let at = 1; at < 100; at++) b.memory({ min: 0 });
  // Counts down in a loop, and grows the first memory by nothing.
  b.func(['i32'], ['i32'], [
    op.loop(), op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
    op.i32(0), op.memoryGrow(first),
  ], { export: 'count' });
  const exports = b.instance().exports;
  assertEq(exports.count(1000), 1);
  assertEq(WebAssembly.validate(b.bytes()), true);
});
