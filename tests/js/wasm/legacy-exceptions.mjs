// Legacy exception handling: try, catch, catch_all, delegate and rethrow, which are translated before compilation.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { CompileError, Exception, Instance, JSTag, Module, RuntimeError, Tag } = WebAssembly;

/** A builder with what most tests use, and what its modules import. */
function start(f = () => {}) {
  const b = new WasmBuilder();
  const call = op.call(b.importFunc('m', 'f'));
  const tags = {
    none: b.importTag('m', 'none'), pair: b.importTag('m', 'pair', ['i32', 'i64']), js: b.importTag('m', 'js', ['externref']),
  };
  const none = new Tag({ parameters: [] });
  const pair = new Tag({ parameters: ['i32', 'i64'] });
  const imports = { m: { f, none, pair, js: JSTag } };
  return { b, call, tags, none, pair, imports };
}

test('the first clause that fits is taken, with the values', () => {
  let thrown;
  const { b, call, tags, none, pair, imports } = start(() => { if (thrown !== undefined) throw thrown; });
  b.func([], ['i32'], [
    op.try('i32'), call, op.i32(0),
    op.catch(tags.pair), op.drop, op.i32(1), op.i32Add,
    op.catch(tags.none), op.i32(2),
    op.catch(tags.none), op.i32(3),
    op.catchAll, op.i32(4),
    op.end,
  ], { export: 'run' });
  const { run } = b.instance(imports).exports;
  assertEq(run(), 0);
  for (const [value, result] of [[new Exception(pair, [41, 0n]), 42], [new Exception(none, []), 2], ['text', 4]]) {
    thrown = value;
    assertEq(run(), result);
  }
});

test('what no clause catches passes, and traps pass all', () => {
  const { b, tags, none, pair, imports } = start();
  b.func([], [], [op.try(), op.throw(tags.none), op.catch(tags.pair), op.drop, op.drop, op.end], { export: 'passes' });
  b.func([], ['i32'], [
    op.try('i32'), op.i32(1), op.i32(0), op.i32DivS, op.catchAll, op.i32(2), op.end,
  ], { export: 'traps' });
  const { passes, traps } = b.instance(imports).exports;
  try { passes(); assert(false); } catch (error) { assert(error.is(none) && !error.is(pair)); }
  assertThrows(RuntimeError, traps);
});

test('rethrow throws the exception of the clause that its label names', () => {
  const values = [];
  const { b, call, tags, imports } = start(() => { throw values[values.length - 1]; });
  const next = b.importFunc('m', 'next');
  imports.m.next = () => { values.push({}); throw values[values.length - 1]; };
  for (const depth of [0, 1]) {
    b.func([], [], [
      op.try(), call, op.catchAll,
      op.try(), op.call(next), op.catchAll, op.rethrow(depth), op.end,
      op.end,
    ], { export: `rethrows${depth}` });
  }
  b.func([], [], [
    op.try(), op.call(next), op.catchAll,
    // A clause of the same depth takes the place of the one before, but not of those around it.
    op.try(), op.call(next), op.catchAll, op.end,
    op.try(), op.call(next), op.catch(tags.js), op.drop, op.end,
    op.block(), op.rethrow(1), op.end,
    op.end,
  ], { export: 'outer' });
  const { rethrows0, rethrows1, outer } = b.instance(imports).exports;
  values.push('before');
  assertThrowsValue('before', rethrows1);
  const count = values.length;
  try { rethrows0(); assert(false); } catch (error) { assertEq(error, values[count]); }
  try { outer(); assert(false); } catch (error) { assertEq(error, values[count + 1]); }
});

test('delegate skips what lies between', () => {
  const { b, call, imports } = start(() => { throw 7; });
  const body = (depth) => [
    op.try('i32'),
    op.block('i32'),
    op.try('i32'),
    op.try('i32'), call, op.i32(0), op.delegate(depth),
    op.catchAll, op.i32(1), op.end,
    op.end,
    op.catchAll, op.i32(2), op.end,
  ];
  for (const depth of [0, 1, 2, 3]) b.func([], ['i32'], body(depth), { export: `to${depth}` });
  // Where a clause begins, a body has ended.
  b.func([], ['i32'], [
    op.try('i32'), op.try('i32'), call, op.i32(0),
    op.catchAll, op.try('i32'), call, op.i32(1), op.delegate(0), op.end,
    op.catchAll, op.i32(2), op.end,
  ], { export: 'fromClause' });
  b.func([], ['i32'], [
    op.try('i32'),
    op.try('i32'), op.try('i32'), op.try('i32'), call, op.i32(0), op.delegate(0), op.end, op.delegate(1),
    op.catchAll, op.i32(1), op.end,
  ], { export: 'further' });
  const { to0, to1, to2, to3, fromClause, further } = b.instance(imports).exports;
  assertList([to0(), to1(), to2(), fromClause()], [1, 2, 2, 2]);
  // Out of the function, past the `try` that is around it all.
  assertThrowsValue(7, to3);
  assertThrowsValue(7, further);
});

test('delegate to the function lets results and returns pass', () => {
  const { b, call, imports } = start();
  b.func(['i32'], ['i32', 'i64'], [
    op.try(b.type([], ['i32', 'i64'])), call, op.i32(1), op.i64(2n), op.localGet(0), op.brIf(1), op.drop, op.drop,
    op.i32(3), op.i64(4n), op.localGet(0), op.i32Eqz, op.brIf(0), op.return, op.delegate(0),
  ], { export: 'run' });
  const { run } = b.instance(imports).exports;
  assertList(run(1), [1, 2n]);
  assertList(run(0), [3, 4n]);
});

test('parameters, values below, and branches', () => {
  const { b, call, tags, imports } = start(() => { throw new Exception(imports.m.pair, [5, 6n]); });
  const two = b.type(['i32', 'i64'], ['i64', 'i32']);
  b.func(['i32'], ['i32'], [
    op.i32(1000),
    op.i32(10), op.i64(20n),
    op.try(two), op.localSet(1), op.drop, call, op.i64(0n), op.i32(0),
    op.catch(tags.pair), op.localSet(1), op.drop, op.localGet(1), op.i64(1n), op.i64Add, op.i32(7),
    op.localGet(0), op.brIf(0), op.drop, op.i32(8), op.end,
    op.localSet(2), op.localSet(1), op.localGet(2), op.i32Add,
  ], { locals: ['i64', 'i32'], export: 'run' });
  const { run } = b.instance(imports).exports;
  assertList([run(0), run(1)], [1008, 1007]);

  // Round a loop: each pass leaves the clause by a branch.
  const loop = start(() => { throw 1; });
  loop.b.func(['i32'], ['i32'], [
    op.loop(), op.try(), loop.call, op.catchAll,
    op.localGet(1), op.i32(3), op.i32Add, op.localSet(1), op.localGet(0), op.i32(1), op.i32Sub, op.localSet(0),
    op.localGet(0), op.brIf(1), op.end, op.end, op.localGet(1),
  ], { locals: ['i32'], export: 'run' });
  assertEq(loop.b.instance(loop.imports).exports.run(1000), 3000);
});

test('offsets in stacks are those of the module', () => {
  const { b, call, imports } = start(() => { throw 1; });
  b.func([], [], [
    op.try(), call, op.catchAll, op.try(), call, op.catchAll, op.unreachable, op.rethrow(1), op.end, op.end,
  ], { export: 'traps' });
  b.func([], [], [op.loop(), op.end, op.call(1)], { export: 'outer' });
  const bytes = b.bytes();
  const module = new Module(bytes);
  // The only such bytes: catch_all, unreachable, rethrow. And the call at the end.
  const at = bytes.findIndex((_, at) => bytes[at] === 0x19 && bytes[at + 1] === 0 && bytes[at + 2] === 9) + 1;
  const { outer } = new Instance(module, imports).exports;
  try { outer(); assert(false); } catch (error) {
    const offsets = [...error.stack.matchAll(/wasm-function\[\d+\]:0x([0-9a-f]+)/g)].map(([, hex]) => parseInt(hex, 16));
    assertList(offsets.slice(0, 2), [at, bytes.length - 3]);
  }
});

test('the module shows what it was made of', () => {
  const { b, call, tags, imports } = start(() => { throw new Exception(imports.m.pair, [1, 2n]); });
  const body = [op.try(), call, op.catch(tags.pair), op.rethrow(0), op.end];
  b.func([], [], body, { export: 'run' });
  b.memory({ min: 1 }, { export: 'memory' });
  b.data(3, [7, 8, 9]).custom('before', [1, 2], { before: 'code' }).custom('after', [3]);
  const module = b.module();
  assertList(Module.imports(module).map(({ name, kind }) => `${name} ${kind}`), ['f function', 'none tag', 'pair tag', 'js tag']);
  assertList(Module.exports(module).map(({ name }) => name), ['run', 'memory']);
  assertList([...new Uint8Array(Module.customSections(module, 'before')[0])], [1, 2]);
  assertList([...new Uint8Array(Module.customSections(module, 'after')[0])], [3]);
  const { memory, run } = new Instance(module, imports).exports;
  assertList([...new Uint8Array(memory.buffer, 2, 5)], [0, 7, 8, 9, 0]);
  assertThrows(Exception, run);
});

test('both kinds of exception handling in one module are refused', () => {
  const { b, call } = start();
  b.func([], [], [op.try(), call, op.end]);
  assert(WebAssembly.validate(b.bytes()));
  b.func([], [], [op.block(), op.tryTable('void', { depth: 0 }), call, op.end, op.end]);
  assert(!WebAssembly.validate(b.bytes()));
  assertThrows(CompileError, () => new Module(b.bytes()));
});

test('what is not valid is refused', () => {
  for (const body of [
    [op.try(), op.catch(9), op.end],
    [op.try('i32'), op.catchAll, op.i32(1), op.end, op.drop],
    [op.try(), op.catchAll, op.catchAll, op.end],
    [op.try(), op.rethrow(0), op.end],
    [op.try(), op.delegate(1)],
    [op.try(), op.catchAll, op.delegate(0)],
    [op.block(), op.catchAll, op.end],
    [op.rethrow(0)],
  ]) {
    const { b } = start();
    b.func([], [], body);
    assert(!WebAssembly.validate(b.bytes()));
    assertThrows(CompileError, () => new Module(b.bytes()));
  }
});

test('large functions', () => {
  const { b, call, tags, imports } = start(() => { throw new Exception(imports.m.pair, [2, 0n]); });
  const step = [
    op.try('i32'), call, op.i32(1), op.catch(tags.pair), op.drop, op.localGet(0), op.i32Add, op.end, op.localSet(0),
  ];
  b.func([], ['i32'], [new Array(5000).fill(step), op.localGet(0)], { locals: ['i32'], export: 'wide' });
  const depth = 300;
  b.func([], ['i32'], [
    new Array(depth).fill(op.try('i32')), call, op.i32(0),
    new Array(depth - 1).fill([op.catch(tags.none), op.i32(9), op.end]), op.catchAll, op.i32(3), op.end,
  ], { export: 'deep' });
  const { wide, deep } = b.instance(imports).exports;
  assertEq(wide(), 10000);
  assertEq(deep(), 3);
});
