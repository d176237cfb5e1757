// node:util. The expected values are Node's.
import util from 'node:util';
import sys from 'node:sys';
import * as types from 'node:util/types';
import { assert, assertEq, test, thrown } from '../harness.mjs';

/** Node's errors are of classes of their own. */
const fails = (Class, call, pattern = /^/) => {
  const error = thrown(call, Class.name);
  assert(error instanceof Class && pattern.test(error.message), `${error}`);
  return error;
};
const json = (value) => JSON.stringify(value);

test('sys is util', () => assertEq(sys, util));

test('promisify: several values, custom functions, properties', async () => {
  const add = (a, b, callback) => callback(null, a + b, 'ignored');
  add.mark = 1;
  const promised = util.promisify(add);
  assertEq(await promised(1, 2), 3);
  assertEq(promised.mark, 1);
  assertEq(util.promisify(promised), promised);
  const own = async () => 'own';
  add[util.promisify.custom] = own;
  assertEq(await util.promisify(add)(), 'own');
  assertEq(await util.promisify((callback) => callback(new Error('no')))().catch((error) => error.message), 'no');
  fails(TypeError, () => util.promisify(1), /The "original" argument must be of type function/);
});

test('callbackify: this, names and falsy reasons', async () => {
  const { fn } = { async fn(x) { return [this.y, x]; } };
  const back = util.callbackify(fn);
  assertEq(back.name + back.length, 'fnCallbackified2');
  assertEq(json(await new Promise((resolve) => back.call({ y: 1 }, 2, (error, value) => resolve([error, value])))), '[null,[1,2]]');
  const reason = await new Promise((resolve) => util.callbackify(() => Promise.reject(null))(resolve));
  assertEq(`${reason.code} ${reason.reason}`, 'ERR_FALSY_VALUE_REJECTION null');
});

test('deprecate warns once and keeps what the function is', () => {
  class Old { static s = 1; }
  const wrapped = util.deprecate(Old, 'old', 'DEP_TEST_1');
  assert(new wrapped() instanceof Old && wrapped.s === 1 && wrapped.prototype === Old.prototype);
  assertEq(wrapped.name, 'deprecated');
});

test('inherits', () => {
  function A() {}
  function B() {}
  util.inherits(A, B);
  assert(new A() instanceof B && A.super_ === B && !Object.keys(A).includes('super_'));
  fails(TypeError, () => util.inherits(A, {}), /superCtor/);
});

test('styleText', () => {
  const plain = { validateStream: false };
  assertEq(util.styleText(['red', 'bold'], 'x', plain), '\u001b[31m\u001b[1mx\u001b[22m\u001b[39m');
  assertEq(util.styleText('none', 'x', plain), 'x');
  fails(TypeError, () => util.styleText('nope', 'x', plain), /The argument 'format' must be one of/);
  assertEq(util.stripVTControlCharacters('\u001b[31mx\u001b[39m'), 'x');
});

test('parseArgs', () => {
  const options = { foo: { type: 'string', short: 'f', multiple: true }, bar: { type: 'boolean', short: 'b', default: true } };
  const parse = (args, more) => util.parseArgs({ args, options, allowPositionals: true, ...more });
  assertEq(json(parse(['-bf1', '--foo=2', 'p', '--', '-x'])), '{"values":{"bar":true,"foo":["1","2"]},"positionals":["p","-x"]}');
  assertEq(json(parse(['--no-bar'], { allowNegative: true }).values), '{"bar":false}');
  assertEq(fails(TypeError, () => parse(['--zed'])).code, 'ERR_PARSE_ARGS_UNKNOWN_OPTION');
  assertEq(fails(TypeError, () => parse(['--foo'])).code, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE');
  assertEq(json(parse(['-f', 'x'], { tokens: true }).tokens), '[{"kind":"option","name":"foo","rawName":"-f","index":0,"value":"x","inlineValue":false}]');
});

test('parseEnv', () => {
  assertEq(json(util.parseEnv('A=1 # x\nB="a\\nb"\n export C=\'d # e\'\n#D=1\nE=')), '{"A":"1","B":"a\\nb","C":"d # e","E":""}');
});

test('MIMEType', () => {
  const type = new util.MIMEType(' Text/HTML; charset="utf-8"; q=\'a b\';q=2');
  assertEq(String(type), 'text/html;charset=utf-8;q="\'a b\'"');
  type.params.set('x', 'a"b');
  assertEq(String(type.params), 'charset=utf-8;q="\'a b\'";x="a\\"b"');
  assertEq(type.essence, 'text/html');
  assertEq(fails(TypeError, () => new util.MIMEType('a')).code, 'ERR_INVALID_MIME_SYNTAX');
});

test('diff', () => {
  assertEq(json(util.diff('abc', 'axc')), '[[0,"a"],[1,"b"],[-1,"x"],[0,"c"]]');
  assertEq(json(util.diff(['a', 'b'], ['b', 'c'])), '[[1,"a"],[0,"b"],[-1,"c"]]');
  assertEq(json(util.diff('same', 'same')), '[]');
});

test('names of errors of the system', () => {
  assertEq(util.getSystemErrorName(-2), 'ENOENT');
  assertEq(util.getSystemErrorMessage(-13), 'permission denied');
  assertEq(util.getSystemErrorMap().get(-110)[0], 'ETIMEDOUT');
  fails(RangeError, () => util.getSystemErrorName(1), /It must be a negative integer/);
});

test('types', () => {
  assert(types.isMapIterator(new Map().keys()) && types.isSetIterator(new Set().values()) && types.isGeneratorObject((function* () {})()));
  assert(!types.isMapIterator({ [Symbol.toStringTag]: 'Map Iterator' }), 'a tag makes no iterator');
  assert(types.isBoxedPrimitive(Object(1n)) && types.isUint8Array(new Uint8Array()) && !types.isUint8Array(new Int8Array()));
  assert(types.isProxy(new Proxy({}, {})) && types.isAsyncFunction(async () => {}) && types.isArgumentsObject((function () { return arguments; })()));
  assert(types.isModuleNamespaceObject(types) && types.isExternal({}) === false);
});

test('aborted', async () => {
  const controller = new AbortController();
  const promise = util.aborted(controller.signal, {});
  controller.abort();
  assertEq((await promise).type, 'abort');
  assertEq(await util.aborted().catch((error) => error.code), 'ERR_INVALID_ARG_TYPE');
});

test('isDeepStrictEqual', () => {
  assert(util.isDeepStrictEqual(new Map([[{ a: 1 }, new Set([1])]]), new Map([[{ a: 1 }, new Set([1])]])));
  assert(!util.isDeepStrictEqual([, 1], [undefined, 1]) && !util.isDeepStrictEqual(0, -0));
  class A {}
  assert(!util.isDeepStrictEqual(new A(), {}) && util.isDeepStrictEqual(new A(), {}, { skipPrototype: true }));
});

for (const [value, options, expected] of [
  [{ [Symbol('a')]: 1 }, undefined, '{ Symbol(a): 1 }'], [new Proxy({ a: 1 }, {}), undefined, 'Proxy({ a: 1 })'],
  [new ArrayBuffer(1), undefined, 'ArrayBuffer { [Uint8Contents]: <00>, [byteLength]: 1 }'],
  [new (class MyMap extends Map {})([[1, 2]]), undefined, 'MyMap(1) { 1 => 2 }'], [[, 1], undefined, '[ <1 empty item>, 1 ]'],
  [{ get a() { return 1; } }, { getters: true }, '{ a: [Getter: 1] }'], [1234567.891, { numericSeparator: true }, '1_234_567.891'],
  ['a'.repeat(5), { maxStringLength: 2 }, "'aa'... 3 more characters"], [{ b: 1, a: 2 }, { sorted: true }, '{ a: 2, b: 1 }'],
]) {
  test(`inspect gives ${expected}`, () => assertEq(util.inspect(value, options), expected));
}
