// Tags and exceptions: Tag, Exception, JSTag, and exceptions that wasm throws and catches.
import { assert, assertEq, assertList, assertProperty, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Exception, Instance, JSTag, LinkError, RuntimeError, Tag } = WebAssembly;
const pairTag = () => new Tag({ parameters: ['i32', 'i64'] });

function caught(fn) {
  try { fn(); } catch (error) { return error; }
  throw new Error('threw nothing');
}

test('Tag and Exception are interfaces', () => {
  for (const [Interface, name, length] of [[Tag, 'Tag', 1], [Exception, 'Exception', 2]]) {
    assertEq(assertProperty(WebAssembly, name, 'wc').value, Interface);
    assertEq(Interface.name, name);
    assertEq(Interface.length, length);
    assertEq(assertProperty(Interface.prototype, Symbol.toStringTag, 'c').value, `WebAssembly.${name}`);
    assertThrows(TypeError, () => Interface({ parameters: [] }, []));
  }
  assertEq(Exception.prototype.is.length, 1);
  assertEq(Exception.prototype.getArg.length, 2);
});

test('an Exception is no Error', () => {
  assertEq(Object.getPrototypeOf(Exception.prototype), Object.prototype);
});

test('the type of a tag is any iterable of value types', () => {
  new Tag({ parameters: new Set(['i32', 'externref']) });
}, { v8: 'wants an array-like object' });

test('the type of a tag is made of value types', () => {
  new Tag({ parameters: [] });
  new Tag({ parameters: ['i32', 'i64', 'f32', 'f64', 'externref', 'anyfunc'] });
  for (const wrong of [undefined, null, {}, { parameters: 7 }, { parameters: ['int'] }, { parameters: [undefined] }]) {
    assertThrows(TypeError, () => new Tag(wrong));
  }
});

test('an Exception carries converted values of its tag', () => {
  const tag = pairTag();
  const exception = new Exception(tag, ['7.5', 2n ** 64n - 1n]);
  assertEq(exception.getArg(tag, 0), 7);
  assertEq(exception.getArg(tag, 1), -1n);
  assertEq(exception.is(tag), true);
  assertEq(exception.is(pairTag()), false);
  assertThrows(RangeError, () => exception.getArg(tag, 2));
  assertThrows(TypeError, () => exception.getArg(tag, -1));
  assertThrows(TypeError, () => exception.getArg(pairTag(), 0));
});

test('an Exception wants a tag and as many values as it has parameters', () => {
  for (const payload of [[], [1], [1, 2n, 3]]) assertThrows(TypeError, () => new Exception(pairTag(), payload));
  assertThrows(TypeError, () => new Exception(pairTag(), [1, 2]));
  assertThrows(TypeError, () => new Exception({}, []));
  assertThrows(TypeError, () => new Exception(pairTag()));
});

test('the stack of an Exception is undefined unless asked for', () => {
  const tag = new Tag({ parameters: [] });
  assertEq(new Exception(tag, []).stack, undefined);
  assertEq(new Exception(tag, [], { traceStack: false }).stack, undefined);
  assert(['string', 'undefined'].includes(typeof new Exception(tag, [], { traceStack: true }).stack));
});

/** A module with the imported tag `m.tag` and the import `m.f`: throws, passes through, catches. */
function thrower(imports) {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const tag = b.importTag('m', 'tag', ['i32', 'i64']);
  b.export('tag', 'tag', tag);
  b.func(['i32', 'i64'], [], [op.localGet(0), op.localGet(1), op.throw(tag)], { export: 'throws' });
  b.func([], [], op.call(f), { export: 'passes' });
  const results = b.type([], ['i32', 'i64']);
  b.func([], ['i32', 'i64'], [
    [0x02, results], op.tryTable('void', { tag, depth: 0 }), op.call(f), op.end, op.i32(-1), op.i64(-1), op.end,
  ], { export: 'catches' });
  b.func([], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.call(f), op.end, op.i32(0), op.return, op.end, op.i32(1),
  ], { export: 'catchesAll' });
  return b.instance({ m: { f() {}, tag: pairTag(), ...imports } }).exports;
}

test('what wasm throws arrives as an Exception of the tag', () => {
  const tag = pairTag();
  const exports = thrower({ tag });
  assertEq(exports.tag, tag);
  const exception = caught(() => exports.throws(3, 4n));
  assertEq(Object.getPrototypeOf(exception), Exception.prototype);
  assert(exception.is(tag));
  assertList([exception.getArg(tag, 0), exception.getArg(tag, 1)], [3, 4n]);
});

test('an Exception keeps its identity through wasm frames', () => {
  const tag = pairTag();
  const exception = new Exception(tag, [1, 2n]);
  assertThrowsValue(exception, thrower({ tag, f() { throw exception; } }).passes);
  const { throws } = thrower({ tag });
  let seen;
  const again = thrower({ tag, f() { try { throws(5, 6n); } catch (error) { seen = error; throw error; } } });
  assertEq(caught(again.passes), seen);
});

test('wasm catches an Exception that JavaScript threw, and one of another instance', () => {
  const tag = pairTag();
  assertList(thrower({ tag, f() { throw new Exception(tag, [8, 9n]); } }).catches(), [8, 9n]);
  const { throws } = thrower({ tag });
  assertList(thrower({ tag, f: () => throws(1, 2n) }).catches(), [1, 2n]);
  assertList(thrower({ tag, f() {} }).catches(), [-1, -1n]);
});

test('an Exception of another tag passes a catch', () => {
  const other = new Exception(pairTag(), [1, 2n]);
  assertThrowsValue(other, thrower({ f() { throw other; } }).catches);
});

test('catch_all catches every JavaScript value, but no trap and no exhausted stack', () => {
  for (const value of [undefined, null, 7, 'text', {}, new Error('e'), new Exception(pairTag(), [1, 2n])]) {
    assertEq(thrower({ f() { throw value; } }).catchesAll(), 1);
  }
  const b = new WasmBuilder();
  b.func([], ['i32'], [
    op.block(), op.tryTable('void', { depth: 0 }), op.unreachable, op.end, op.i32(0), op.return, op.end, op.i32(1),
  ], { export: 'run' });
  assertThrows(RuntimeError, b.instance().exports.run);
});

test('JSTag stands for what JavaScript throws', () => {
  const { get, set } = assertProperty(WebAssembly, 'JSTag', 'ec');
  assertEq(typeof get, 'function');
  assertEq(set, undefined);
  assertEq(WebAssembly.JSTag, JSTag);
  assert(JSTag instanceof Tag);
  assertThrows(TypeError, () => new Exception(JSTag, ['value']));
}, { v8: 'is a data property' });

test('JSTag: wasm catches the value, and throws one', () => {
  assert(JSTag instanceof Tag);
  assertThrows(TypeError, () => new Exception(JSTag, ['value']));
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f');
  const tag = b.importTag('m', 'tag', ['externref']);
  b.func([], ['externref'], [
    op.block('externref'), op.tryTable('void', { tag, depth: 0 }), op.call(f), op.end, op.refNull('externref'), op.end,
  ], { export: 'catches' });
  b.func(['externref'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
  const reason = { any: 'value' };
  const { catches, throws } = b.instance({ m: { f() { throw reason; }, tag: JSTag } }).exports;
  assertEq(catches(), reason);
  for (const value of [undefined, null, 7, reason]) assertThrowsValue(value, () => throws(value));
});

test('tags are imported by identity and type', () => {
  const b = new WasmBuilder();
  b.importTag('m', 'tag', ['i32']);
  const module = b.module();
  assert(new Instance(module, { m: { tag: new Tag({ parameters: ['i32'] }) } }));
  for (const tag of [undefined, {}, pairTag(), new Tag({ parameters: [] }), JSTag]) {
    assertThrows(LinkError, () => new Instance(module, { m: { tag } }));
  }
  assertEq(WebAssembly.Module.imports(module)[0].kind, 'tag');
});
