// The compile options `builtins` and `importedStringConstants`, and the functions of the set `js-string`.
import { assert, assertEq, assertList, assertRejects, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op, ref, refNull } from '../wasm-builder.mjs';

const { CompileError, Global, Instance, LinkError, Module, RuntimeError, compile, instantiate, validate } = WebAssembly;
const SET = 'wasm:js-string';
const BUILTINS = { builtins: ['js-string'] };
const STRING = ref('extern');

/** Parameters and results; `array` stands for an array of mutable i16. */
const SIGNATURES = {
  cast: [['externref'], [STRING]],
  test: [['externref'], ['i32']],
  fromCharCodeArray: [['array', 'i32', 'i32'], [STRING]],
  intoCharCodeArray: [['externref', 'array', 'i32'], ['i32']],
  fromCharCode: [['i32'], [STRING]],
  fromCodePoint: [['i32'], [STRING]],
  charCodeAt: [['externref', 'i32'], ['i32']],
  codePointAt: [['externref', 'i32'], ['i32']],
  length: [['externref'], ['i32']],
  concat: [['externref', 'externref'], [STRING]],
  substring: [['externref', 'i32', 'i32'], [STRING]],
  equals: [['externref', 'externref'], ['i32']],
  compare: [['externref', 'externref'], ['i32']],
};
const usesArray = (name) => name.endsWith('Array');

/** Imports a builtin, its array type being `array`. */
function importBuiltin(b, name, array) {
  const types = SIGNATURES[name].map((list) => list.map((type) => (type === 'array' ? refNull(array) : type)));
  return b.importFunc(SET, name, ...types);
}

/** A module that imports `length` alone. */
function lengthModule() {
  const b = new WasmBuilder();
  b.export('length', 'function', importBuiltin(b, 'length'));
  return b;
}

/** Every builtin without arrays, called by a function of its name. */
const calls = (() => {
  const b = new WasmBuilder();
  const names = Object.keys(SIGNATURES).filter((name) => !usesArray(name));
  const indices = names.map((name) => importBuiltin(b, name));
  names.forEach((name, i) => {
    const [params, results] = SIGNATURES[name];
    b.func(params, results, [params.map((_, at) => op.localGet(at)), op.call(indices[i])], { export: name });
  });
  return b.instance({}, BUILTINS).exports;
})();

// Strings that an engine may store in different ways.
const long = 'abcdefghij'.repeat(1000);
const STRINGS = [
  '', 'a', 'b', 'ab', 'é', '\u263a', '\u{1f600}', '\ud800', '\udc00', '\udc00\ud800', 'a\0b', 'x'.repeat(600),
  long, long.substring(10), long.substring(3, 9000), `${long}\u263a`, `${long}\u263a`.substring(2000), long + long,
  `${long}${'\u{1f600}'.repeat(3000)}${long}`,
];
const NO_STRINGS = [undefined, true, 1, -0, 5n, Symbol('s'), {}, [], () => {}, new String('a')];

// --- options

test('without options the import object gives the functions', () => {
  const b = lengthModule();
  const { length } = b.instance({ [SET]: { length: () => 77 } }).exports;
  assertEq(length('abc'), 77);
  assertThrows(TypeError, () => b.instance({}));
  assertList(Module.imports(b.module()).map(({ name }) => name), ['length']);
});

for (const [how, options] of Object.entries({
  'a list': BUILTINS,
  'another iterable': { builtins: new Set(['js-string']) },
  'unknown sets besides': { builtins: ['js-string', 'no such set', 'js-string ', ''] },
  'values that become strings': { builtins: [{ toString: () => 'js-string' }] },
})) {
  const deviation = { v8: how === 'a list' || how.startsWith('unknown') ? undefined : 'reads arrays of strings alone' };
  test(`builtins: ${how}`, () => {
    const module = new Module(lengthModule().bytes(), options);
    assertEq(new Instance(module, {}).exports.length('abc'), 3);
    assertEq(Module.imports(module).length, 0);
    assertEq(new Instance(module, { get [SET]() { throw new Error('not asked for'); } }).exports.length(''), 0);
  }, deviation);
}

test('a set has to be named without its prefix', () => {
  const module = lengthModule().module({ builtins: [SET] });
  assertEq(Module.imports(module).length, 1);
});

test('what is no options object: TypeError', () => {
  const bytes = lengthModule().bytes();
  for (const options of [1, 'js-string', true, Symbol('s'), 1n]) {
    assertThrows(TypeError, () => new Module(bytes, options));
    assertThrows(TypeError, () => validate(bytes, options));
  }
  for (const options of [undefined, null, {}, [], () => {}]) {
    assert(new Module(bytes, options) instanceof Module);
    assert(validate(bytes, options));
  }
}, { v8: 'takes anything' });

test('what is no list of names: TypeError', async () => {
  const bytes = lengthModule().bytes();
  for (const builtins of [null, 'js-string', 1, {}, [Symbol('s')], { [Symbol.iterator]: 1 },
    { [Symbol.iterator]: () => 1 }, { [Symbol.iterator]: () => ({ next: () => 1 }) }]) {
    assertThrows(TypeError, () => new Module(bytes, { builtins }));
    assertThrows(TypeError, () => validate(bytes, { builtins }));
    await assertRejects(TypeError, () => compile(bytes, { builtins }));
    await assertRejects(TypeError, () => instantiate(bytes, {}, { builtins }));
  }
  assertThrows(TypeError, () => new Module(bytes, { importedStringConstants: Symbol('s') }));
}, { v8: 'takes anything' });

test('a set that is named twice: CompileError', async () => {
  const bytes = lengthModule().bytes();
  for (const builtins of [['js-string', 'js-string'], ['x', 'js-string', 'x']]) {
    assertThrows(CompileError, () => new Module(bytes, { builtins }), /named twice|twice|duplicate/);
    assertEq(validate(bytes, { builtins }), false);
    await assertRejects(CompileError, () => compile(bytes, { builtins }));
    await assertRejects(CompileError, () => instantiate(bytes, {}, { builtins }));
  }
}, { v8: 'takes them' });

test('options are converted in order, after the other arguments and before the bytes are copied', async () => {
  const run = async (start) => {
    const log = [];
    const bytes = lengthModule().bytes();
    const magic = bytes[0];
    bytes[0] = magic + 1;
    const options = {
      get builtins() {
        log.push('builtins');
        return {
          * [Symbol.iterator]() {
            for (const name of ['js-string', 'b']) {
              log.push('next');
              yield { toString() { log.push(name); return name; } };
            }
          },
        };
      },
      get importedStringConstants() { log.push('constants'); bytes[0] = magic; return null; },
    };
    await start(bytes, options, log);
    assertList(log, ['builtins', 'next', 'js-string', 'next', 'b', 'constants']);
    // A first argument that is no buffer is refused before.
    log.length = 0;
    try { await start({}, options, log); } catch (error) { assert(error instanceof TypeError); }
    assertList(log, []);
  };
  await run((bytes, options) => new Module(bytes, options));
  await run((bytes, options) => assert(validate(bytes, options)));
  await run((bytes, options) => compile(bytes, options));
  await run((bytes, options) => instantiate(bytes, {}, options));
  await run((bytes, options) => assertRejects(TypeError, () => instantiate(bytes, 1, options))
    .then(() => instantiate(bytes, {}, options)));
}, { v8: 'has an order of its own' });

test('an import of another type: CompileError', async () => {
  const wrong = {
    'other parameters': (b) => b.importFunc(SET, 'length', ['i32'], ['i32']),
    'a nullable result': (b) => b.importFunc(SET, 'cast', ['externref'], ['externref']),
    'a parameter that is never null': (b) => b.importFunc(SET, 'length', [STRING], ['i32']),
    'a type that may have subtypes': (b) =>
      b.importFuncOf(SET, 'length', b.rawType([0x50, 0, 0x60, 1, 0x6f, 1, 0x7f])),
    'a type in a group': (b) =>
      b.importFuncOf(SET, 'length', b.rawType([0x4e, 2, 0x5f, 0, 0x60, 1, 0x6f, 1, 0x7f], 2)),
    'an array that cannot change': (b) => importBuiltin(b, 'fromCharCodeArray', b.arrayType('i16', false)),
    'an array of something else': (b) => importBuiltin(b, 'intoCharCodeArray', b.arrayType('i32')),
    'an array type in a group': (b) =>
      importBuiltin(b, 'fromCharCodeArray', b.rawType([0x4e, 2, 0x5f, 0, 0x5e, 0x77, 1], 2)),
  };
  for (const [what, build] of Object.entries(wrong)) {
    const b = new WasmBuilder();
    build(b);
    const bytes = b.bytes();
    assertEq(validate(bytes), true, what);
    assertEq(validate(bytes, BUILTINS), false, what);
    const error = assertThrows(CompileError, () => new Module(bytes, BUILTINS));
    assert(/length|cast|CharCodeArray/.test(error.message), `${error.message} names the import`);
    await assertRejects(CompileError, () => compile(bytes, BUILTINS));
    await assertRejects(CompileError, () => instantiate(bytes, {}, BUILTINS));
  }
});

test('an import of another kind: CompileError', () => {
  for (const build of [(b) => b.importMemory(SET, 'length', { min: 0 }), (b) => b.importGlobal(SET, 'test', 'externref')]) {
    const b = new WasmBuilder();
    build(b);
    assertEq(validate(b.bytes(), BUILTINS), false);
    assertThrows(CompileError, () => b.module(BUILTINS), /length|test/);
  }
}, { v8: 'takes it from the import object' });

test('a name that the set does not have comes from the import object', () => {
  const b = new WasmBuilder();
  b.export('other', 'function', b.importFunc(SET, 'other', [], ['i32']));
  b.export('length', 'function', importBuiltin(b, 'length'));
  const module = b.module(BUILTINS);
  assertList(Module.imports(module).map(({ name }) => name), ['other']);
  const { exports } = new Instance(module, { [SET]: { other: () => 5, length: () => 6 } });
  assertEq(exports.other(), 5);
  assertEq(exports.length('abc'), 3);
  assertThrows(LinkError, () => new Instance(module, { [SET]: {} }));
});

test('builtins alone need an import object too', () => {
  assertThrows(TypeError, () => new Instance(lengthModule().module(BUILTINS)));
}, { v8: 'does not ask for one' });

test('a module keeps its options', async () => {
  const bytes = lengthModule().bytes();
  const module = await compile(bytes, BUILTINS);
  assertEq((await instantiate(module, {})).exports.length('abcd'), 4);
  const both = await instantiate(bytes, {}, BUILTINS);
  assertEq(both.instance.exports.length('abcde'), 5);
  assertEq(new Instance(both.module, {}).exports.length('abcdef'), 6);
  assertEq(Module.imports(both.module).length, 0);
});

// --- string constants

/** A module that imports and exports a constant of the module `from`. */
function constantModule(from, text, type = STRING, mutable = false) {
  const b = new WasmBuilder();
  b.export('text', 'global', b.importGlobal(from, text, type, mutable));
  return b;
}

test('imported string constants', () => {
  for (const text of ['', '\0', 'a', 'é', '\u263a', '\u{1f600}', '\ufffd', 'wasm:js-string', '0'.repeat(100_000)]) {
    for (const from of ['', '\'', 'strings']) {
      for (const type of [STRING, 'externref']) {
        const module = constantModule(from, text, type).module({ importedStringConstants: from });
        assertEq(Module.imports(module).length, 0);
        const { exports } = new Instance(module, {});
        assert(exports.text instanceof Global);
        assertEq(exports.text.value, text);
        assertThrows(TypeError, () => { exports.text.value = 'b'; });
      }
    }
  }
});

test('constants of a module with a wide name', () => {
  const module = constantModule('\u263a', 'a').module({ importedStringConstants: '\u263a' });
  assertEq(Module.imports(module).length, 0);
  assertEq(new Instance(module, {}).exports.text.value, 'a');
}, { v8: 'takes them from the import object' });

test('constants reach the guest', () => {
  const b = new WasmBuilder();
  const text = b.importGlobal('#', 'h\u00e9llo', STRING);
  const length = importBuiltin(b, 'length');
  b.func([], ['externref'], op.globalGet(text), { export: 'get' });
  b.func([], ['i32'], [op.globalGet(text), op.call(length)], { export: 'length' });
  const { exports } = b.instance({}, { ...BUILTINS, importedStringConstants: '#' });
  assertEq(exports.get(), 'h\u00e9llo');
  assertEq(exports.length(), 5);
});

test('a constant of another type: CompileError', () => {
  const wrong = [
    ...['i32', 'funcref', refNull('any'), ref('any'), refNull('eq')].flatMap((type) => [[type, false], [type, true]]),
    ['externref', true], [STRING, true],
  ];
  for (const [type, mutable] of wrong) {
    const bytes = constantModule('s', 'a', type, mutable).bytes();
    assertEq(validate(bytes), true);
    assertEq(validate(bytes, { importedStringConstants: 's' }), false);
    assertThrows(CompileError, () => new Module(bytes, { importedStringConstants: 's' }), /s\.a|string|global/);
  }
  const b = new WasmBuilder();
  b.importFunc('s', 'f');
  assertThrows(CompileError, () => b.module({ importedStringConstants: 's' }));
});

test('the module name of constants is a string or null', () => {
  const asConstants = (from, importedStringConstants) =>
    Module.imports(constantModule(from, 'a').module({ importedStringConstants })).length === 0;
  assert(asConstants('1', 1));
  assert(asConstants('x', { toString: () => 'x' }));
  assert(asConstants('\ufffd', '\ud800'));
  assert(asConstants('a\ufffdb', 'a\udc00b'));
  for (const none of [null, undefined]) assertEq(asConstants(String(none), none), false);
}, { v8: 'takes strings alone' });

test('constants go before builtins of the same module', () => {
  const options = { ...BUILTINS, importedStringConstants: SET };
  const { exports } = constantModule(SET, 'length').instance({}, options);
  assertEq(exports.text.value, 'length');
  assertThrows(CompileError, () => lengthModule().module(options));
});

// --- functions

test('test and cast', () => {
  for (const text of STRINGS) {
    assertEq(calls.test(text), 1);
    assertEq(calls.cast(text), text);
  }
  for (const other of [null, ...NO_STRINGS]) {
    assertEq(calls.test(other), 0);
    assertThrows(RuntimeError, () => calls.cast(other));
  }
});

test('what is no string traps', () => {
  for (const other of [null, ...NO_STRINGS]) {
    assertThrows(RuntimeError, () => calls.length(other));
    assertThrows(RuntimeError, () => calls.charCodeAt(other, 0));
    assertThrows(RuntimeError, () => calls.codePointAt(other, 0));
    assertThrows(RuntimeError, () => calls.substring(other, 0, 0));
    for (const [one, two] of [[other, 'a'], ['a', other], [other, other]]) {
      assertThrows(RuntimeError, () => calls.concat(one, two));
      assertThrows(RuntimeError, () => calls.compare(one, two));
      if (other !== null) assertThrows(RuntimeError, () => calls.equals(one, two));
    }
  }
});

test('length, charCodeAt and codePointAt', () => {
  for (const text of STRINGS) {
    assertEq(calls.length(text), text.length);
    for (let i = 0; i < text.length; i += i < 20 ? 1 : 997) {
      assertEq(calls.charCodeAt(text, i), text.charCodeAt(i));
      assertEq(calls.codePointAt(text, i), text.codePointAt(i));
    }
    for (const beyond of [text.length, text.length + 1, 2 ** 31, 2 ** 32 - 1]) {
      assertThrows(RuntimeError, () => calls.charCodeAt(text, beyond));
      assertThrows(RuntimeError, () => calls.codePointAt(text, beyond));
    }
  }
});

test('fromCharCode and fromCodePoint', () => {
  for (const code of [0, 0x41, 0x7f, 0x80, 0xff, 0x100, 0xd800, 0xdfff, 0xffff]) {
    assertEq(calls.fromCharCode(code), String.fromCharCode(code));
    assertEq(calls.fromCodePoint(code), String.fromCodePoint(code));
    assertEq(calls.fromCharCode(code + 0x10000), String.fromCharCode(code), 'the low 16 bits count');
  }
  for (const point of [0x10000, 0x1f600, 0x10ffff]) {
    assertEq(calls.fromCodePoint(point), String.fromCodePoint(point));
  }
  for (const none of [0x110000, 2 ** 31, -1]) assertThrows(RuntimeError, () => calls.fromCodePoint(none));
  assertEq(calls.fromCharCode(-1), '\uffff');
  assertEq({ a1: 'found' }[calls.concat(calls.fromCharCode(0x61), calls.fromCodePoint(0x31))], 'found');
});

test('concat', () => {
  for (const one of STRINGS) {
    for (const two of STRINGS) assertEq(calls.concat(one, two), one + two);
  }
});

test('concat of many', () => {
  let [made, expected] = ['', ''];
  for (let i = 0; i < 20_000; i++) {
    const part = String.fromCharCode(i * 3);
    made = calls.concat(made, part);
    expected += part;
  }
  assertEq(made, expected);
  assertEq(calls.length(made), 20_000);
  assertEq(calls.charCodeAt(made, 19_999), 59_997);
});

test('substring', () => {
  for (const text of STRINGS) {
    const n = text.length;
    const indices = [0, 1, 2, n >> 1, n - 1, n, n + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1].filter((index) => index >= 0);
    for (const start of indices) {
      for (const end of indices) {
        const expected = start > end || start > n ? '' : text.substring(start, end);
        assertEq(calls.substring(text, start, end), expected, `${start} to ${end} of ${n}`);
      }
    }
  }
});

test('equals and compare', () => {
  for (const one of STRINGS) {
    for (const two of STRINGS) {
      assertEq(calls.equals(one, two), one === two ? 1 : 0);
      const order = one === two ? 0 : one < two ? -1 : 1;
      assertEq(calls.compare(one, two), order);
    }
    assertEq(calls.equals(one, null), 0);
    assertEq(calls.equals(null, one), 0);
  }
  assertEq(calls.equals(null, null), 1);
  // Units are compared, not code points.
  assertEq(calls.compare('\uff5e', '\u{1f600}'), 1);
});

test('nothing that scripts change is noticed', () => {
  const { substring, concat, charCodeAt } = String.prototype;
  const iterator = String.prototype[Symbol.iterator];
  const refuse = () => { throw new Error('called'); };
  try {
    Object.assign(String.prototype, { substring: refuse, concat: refuse, charCodeAt: refuse });
    String.prototype[Symbol.iterator] = refuse;
    assertEq(calls.substring('hello', 1, 3), 'el');
    assertEq(calls.concat('a', 'b'), 'ab');
    assertEq(calls.charCodeAt('a', 0), 97);
  } finally {
    Object.assign(String.prototype, { substring, concat, charCodeAt });
    String.prototype[Symbol.iterator] = iterator;
  }
});

// --- arrays

/** A module that makes an array of `codes` in a global and has what the tests of arrays need. */
function arrayExports(codes) {
  const b = new WasmBuilder();
  const array = b.arrayType('i16');
  const from = importBuiltin(b, 'fromCharCodeArray', array);
  const into = importBuiltin(b, 'intoCharCodeArray', array);
  const init = [codes.map(op.i32), op.arrayNewFixed(array, codes.length)];
  const it = b.global(refNull(array), init, { mutable: true });
  b.func(['i32', 'i32'], ['externref'], [op.globalGet(it), op.localGet(0), op.localGet(1), op.call(from)],
    { export: 'from' });
  b.func(['externref', 'i32'], ['i32'], [op.localGet(0), op.globalGet(it), op.localGet(1), op.call(into)],
    { export: 'into' });
  b.func(['i32'], ['i32'], [op.globalGet(it), op.localGet(0), op.arrayGetU(array)], { export: 'at' });
  b.func(['i32'], [], [op.localGet(0), op.arrayNewDefault(array), op.globalSet(it)], { export: 'renew' });
  b.func([], [], [op.refNull(array), op.globalSet(it)], { export: 'clear' });
  return b.instance({}, BUILTINS).exports;
}

test('fromCharCodeArray', () => {
  const codes = [0x61, 0xe9, 0x263a, 0xd83d, 0xde00, 0xdc00, 0xd800, 0, 0x62];
  const text = String.fromCharCode(...codes);
  const { from, clear } = arrayExports(codes);
  for (let start = 0; start <= codes.length; start++) {
    for (let end = start; end <= codes.length; end++) assertEq(from(start, end), text.substring(start, end));
  }
  for (const [start, end] of [[1, 0], [0, 10], [10, 10], [-1, -1], [0, -1], [-1, 0], [2 ** 31, 2 ** 31 + 1]]) {
    assertThrows(RuntimeError, () => from(start, end));
  }
  clear();
  assertThrows(RuntimeError, () => from(0, 0));
});

test('intoCharCodeArray', () => {
  const { into, at, renew, clear } = arrayExports([]);
  for (const text of STRINGS) {
    const n = text.length;
    for (const start of [0, 3]) {
      renew(n + 4);
      assertEq(into(text, start), n);
      for (let i = 0; i < n; i += i < 20 ? 1 : 97) assertEq(at(start + i), text.charCodeAt(i));
      if (start > 0) assertEq(at(start - 1), 0);
      assertEq(at(start + n), 0);
    }
    renew(n);
    for (const start of [1, 2 ** 31, -1]) assertThrows(RuntimeError, () => into(text, start));
    for (let i = 0; i < Math.min(n, 5); i++) assertEq(at(i), 0, 'nothing is written then');
  }
  for (const other of [null, ...NO_STRINGS]) assertThrows(RuntimeError, () => into(other, 0));
  clear();
  assertThrows(RuntimeError, () => into('', 0));
});

test('an array of 100,000 there and back', () => {
  const { into, from, renew } = arrayExports([]);
  const text = 'abc\u263a\u{1f600}'.repeat(20_000).substring(0, 100_000);
  renew(100_000);
  assertEq(into(text, 0), 100_000);
  assertEq(from(0, 100_000), text);
});

// --- as functions and traps

test('a builtin that is handed on is an exported function', () => {
  const { length } = lengthModule().instance({}, BUILTINS).exports;
  assertEq(typeof length, 'function');
  assertEq(length.length, 1);
  assertEq(length.name, '0');
  assertEq(length('abc'), 3);
  assertThrows(RuntimeError, () => length());
  // It can be imported, by its type, and called through tables.
  const b = new WasmBuilder();
  const given = b.importFunc('m', 'length', ['externref'], ['i32']);
  b.func(['externref'], ['i32'], [op.localGet(0), op.call(given)], { export: 'f' });
  b.table({ min: 1 }, { export: 'table' });
  const { f, table } = b.instance({ m: { length } }).exports;
  assertEq(f('abcd'), 4);
  table.set(0, length);
  assertEq(table.get(0), length);
  const other = new WasmBuilder();
  other.importFunc('m', 'length', ['i32'], ['i32']);
  assertThrows(LinkError, () => other.instance({ m: { length } }));
});

test('a builtin in a table of the guest', () => {
  const b = new WasmBuilder();
  const length = importBuiltin(b, 'length');
  b.table({ min: 1 });
  b.elem(0, 0, [length]);
  const type = b.type(['externref'], ['i32']);
  b.func(['externref'], ['i32'], [op.localGet(0), op.i32(0), op.callIndirect(type)], { export: 'f' });
  assertEq(b.instance({}, BUILTINS).exports.f('abc'), 3);
});

test('the trap of a builtin is a trap: no guest catches it', () => {
  const b = new WasmBuilder();
  const length = importBuiltin(b, 'length');
  b.func(['externref'], ['i32'],
    [op.block(), op.tryTable('i32', { depth: 0 }), op.localGet(0), op.call(length), op.end, op.return, op.end, op.i32(-1)],
    { export: 'f' });
  const { f } = b.instance({}, BUILTINS).exports;
  assertEq(f('ab'), 2);
  assertThrows(RuntimeError, () => f(null));
  assertThrows(RuntimeError, () => f(1));
  assertEq(f('abc'), 3);
});

test('a trap in the start function is a RuntimeError', () => {
  const b = new WasmBuilder();
  const point = importBuiltin(b, 'fromCodePoint');
  b.start(b.func([], [], [op.i32(-1), op.call(point), op.drop]));
  assertThrows(RuntimeError, () => b.instance({}, BUILTINS));
});

test('a million strings that nobody keeps', () => {
  const b = new WasmBuilder();
  const from = importBuiltin(b, 'fromCharCode');
  const length = importBuiltin(b, 'length');
  b.func(['i32'], ['i32'], [
    op.block(), op.loop(), op.localGet(0), op.i32Eqz, op.brIf(1),
    op.localGet(0), op.call(from), op.call(length), op.localGet(1), op.i32Add, op.localSet(1),
    op.localGet(0), op.i32(1), op.i32Sub, op.localSet(0), op.br(0), op.end, op.end, op.localGet(1),
  ], { export: 'f', locals: ['i32'] });
  assertEq(b.instance({}, BUILTINS).exports.f(1_000_000), 1_000_000);
});
