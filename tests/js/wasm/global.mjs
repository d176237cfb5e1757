// Global: constructor, value, valueOf.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { Global } = WebAssembly;
const constant = (value, ...rest) => new Global({ value }, ...rest);
const variable = (value, ...rest) => new Global({ value, mutable: true }, ...rest);

test('the default value of each type', () => {
  assertEq(constant('i32').value, 0);
  assertEq(constant('i64').value, 0n);
  assertEq(constant('f32').value, 0);
  assertEq(constant('f64').value, 0);
  assertEq(constant('externref').value, undefined);
  assertEq(constant('anyfunc').value, null);
});

test('values convert to the type', () => {
  assertEq(constant('i32', 2 ** 32 + 5.7).value, 5);
  assertEq(constant('i32', 2 ** 31).value, -(2 ** 31));
  assertEq(constant('i32', NaN).value, 0);
  assertEq(constant('i32', '0x10').value, 16);
  assertEq(constant('i64', 2n ** 63n).value, -(2n ** 63n));
  assertEq(constant('i64', '7').value, 7n);
  assertEq(constant('i64', true).value, 1n);
  assertEq(constant('f32', 0.1).value, Math.fround(0.1));
  assertEq(constant('f32', 1e40).value, Infinity);
  assertEq(constant('f64', -0).value, -0);
  assertEq(constant('f64', null).value, 0);
  assertEq(constant('f64', [3]).value, 3);
  assertEq(constant('f64', NaN).value, NaN);
});

test('values that do not convert: TypeError', () => {
  assertThrows(TypeError, () => constant('i32', 1n));
  assertThrows(TypeError, () => constant('f64', 1n));
  assertThrows(TypeError, () => constant('f32', Symbol('s')));
  assertThrows(TypeError, () => constant('i64', 1));
  assertThrows(TypeError, () => constant('i64', null));
  assertThrows(SyntaxError, () => constant('i64', 'text'));
  assertThrows(TypeError, () => constant('anyfunc', () => {}));
  assertThrows(TypeError, () => constant('anyfunc', 0));
});

// Web IDL takes undefined for a missing value where an argument is optional.
test('an explicit undefined is a missing value', () => {
  for (const type of ['i32', 'i64', 'f32', 'f64', 'externref']) {
    assertEq(constant(type, undefined).value, constant(type).value);
  }
});

test('so it is for functions', () => {
  assertEq(constant('anyfunc', undefined).value, null);
}, { v8: 'finds undefined to be no function' });

test('null is a value', () => {
  assertEq(constant('externref', null).value, null);
  assertEq(constant('anyfunc', null).value, null);
});

test('a descriptor that is no object or lacks value: TypeError', () => {
  for (const descriptor of [undefined, null, 1, '', 1n, {}, { mutable: true }]) {
    assertThrows(TypeError, () => new Global(descriptor));
  }
});

test('value is the name of a type', () => {
  for (const value of ['', 'I32', 'int', 'func', null, 7]) assertThrows(TypeError, () => new Global({ value }));
  assertEq(constant({ toString: () => 'i64' }).value, 0n);
});

test('v128 is a type, but not one for scripts: TypeError', () => assertThrows(TypeError, () => constant('v128')));

test('members are read in the order of their names, before the value converts', () => {
  const log = [];
  const descriptor = {
    get value() { log.push('value'); return { toString() { log.push('value to string'); return 'i32'; } }; },
    get mutable() { log.push('mutable'); return true; },
  };
  new Global(descriptor, { valueOf() { log.push('v'); return 1; } });
  assertList(log, ['mutable', 'value', 'value to string', 'v']);
});

test('mutable is a boolean, false by default', () => {
  for (const mutable of [false, undefined, null, 0, '', NaN]) {
    const global = new Global({ value: 'i32', mutable }, 1);
    assertThrows(TypeError, () => { global.value = 2; });
    assertEq(global.value, 1);
  }
  for (const mutable of [true, 1, 'false', {}]) {
    const global = new Global({ value: 'i32', mutable }, 1);
    global.value = 2;
    assertEq(global.value, 2);
  }
});

test('a constant is constant before its new value is looked at', () => {
  assertThrows(TypeError, () => { constant('i32').value = { valueOf() { throw new Error('converted'); } }; });
});

test('assignments convert, or throw and leave the value', () => {
  const i32 = variable('i32', 1);
  i32.value = '5.5';
  assertEq(i32.value, 5);
  assertThrows(TypeError, () => { i32.value = 1n; });
  assertThrowsValue('why', () => { i32.value = { valueOf() { throw 'why'; } }; });
  assertEq(i32.value, 5);
  i32.value = undefined;
  assertEq(i32.value, 0);
  const i64 = variable('i64');
  i64.value = 2n ** 64n + 3n;
  assertEq(i64.value, 3n);
  assertThrows(TypeError, () => { i64.value = 3; });
});

// Web IDL: a setter that is called without argument gets `undefined`.
test('the setter without argument sets undefined', () => {
  const { set } = Object.getOwnPropertyDescriptor(Global.prototype, 'value');
  const global = variable('i32', 1);
  assertEq(set.call(global, 2), undefined);
  assertEq(global.value, 2);
  assertEq(set.call(global), undefined);
  assertEq(global.value, 0);
}, { v8: 'throws' });

test('valueOf is the value', () => {
  assertEq(constant('i32', 6).valueOf(), 6);
  assertEq(constant('i64', 6n).valueOf(), 6n);
  assertEq(constant('f64', 1.5) + 1, 2.5);
  assertEq(`${constant('i32', 6)}`, '[object WebAssembly.Global]');
  const thing = {};
  assertEq(constant('externref', thing).valueOf(), thing);
});

test('references keep their identity', () => {
  const f = wasmFunction([], [], []);
  const functions = variable('anyfunc', f);
  assertEq(functions.value, f);
  functions.value = null;
  assertEq(functions.value, null);
  assertThrows(TypeError, () => { functions.value = {}; });
  assertThrows(TypeError, () => { functions.value = undefined; });
  const things = variable('externref');
  for (const thing of [0, -0, NaN, '', 'text', 1n, Symbol.iterator, {}, [], f, () => {}, null, undefined]) {
    things.value = thing;
    assertEq(things.value, thing);
  }
});

test('the script and the guest see the same global', () => {
  const b = new WasmBuilder();
  b.global('i32', op.i32(1), { mutable: true, export: 'global' });
  b.func([], ['i32'], op.globalGet(0), { export: 'get' });
  b.func(['i32'], [], [op.localGet(0), op.globalSet(0)], { export: 'set' });
  const { global, get, set } = b.instance().exports;
  assert(global instanceof Global);
  global.value = 5;
  assertEq(get(), 5);
  set(6);
  assertEq(global.value, 6);
});

test('an imported Global is exported as the same object', () => {
  for (const mutable of [false, true]) {
    const global = new Global({ value: 'i64', mutable }, 9n);
    const b = new WasmBuilder();
    b.export('again', 'global', b.importGlobal('m', 'global', 'i64', mutable));
    assertEq(b.instance({ m: { global } }).exports.again, global);
    assertEq(b.instance({ m: { global } }).exports.again, global);
  }
});

test('an initial value may come from an imported global', () => {
  const b = new WasmBuilder();
  const imported = b.importGlobal('m', 'global', 'i32');
  b.global('i32', op.globalGet(imported), { export: 'copy' });
  const { copy } = b.instance({ m: { global: 8 } }).exports;
  assertEq(copy.value, 8);
});

test('a global of type v128 can be exported and imported, not read', () => {
  const b = new WasmBuilder();
  b.global('v128', [0xfd, 0x0c, ...new Array(16).fill(1)], { mutable: true, export: 'vector' });
  const { vector } = b.instance().exports;
  assertThrows(TypeError, () => vector.value);
  assertThrows(TypeError, () => vector.valueOf());
  assertThrows(TypeError, () => { vector.value = 0; });
  const importer = new WasmBuilder();
  importer.importGlobal('m', 'vector', 'v128', true);
  assert(importer.instance({ m: { vector } }));
});
