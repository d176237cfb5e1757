// What goes wrong stays what it is: errors that scripts have tampered with, exits that are caught, links that fail, and
// stacks that are used up by a chain of guests.
import { WASI } from 'node:wasi';
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { test, assert, assertEq, assertThrows } from '../harness.mjs';

const { Global, Memory, RuntimeError, LinkError } = WebAssembly;

/** A module whose `f` traps, or which traps when it starts. */
function trapping({ start = false } = {}) {
  const builder = new WasmBuilder();
  const f = builder.func([], [], [op.unreachable], { export: 'f' });
  if (start) builder.start(f);
  return builder;
}

/** Runs `fn` while `Error.prepareStackTrace` returns something else than text. */
async function withStackTrace(prepare, fn) {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  Error.prepareStackTrace = prepare;
  try {
    return await fn();
  } finally {
    if (before) Object.defineProperty(Error, 'prepareStackTrace', before);
    else delete Error.prepareStackTrace;
  }
}

test('a trap is a RuntimeError whatever prepareStackTrace returns', async () => {
  const { f } = trapping().instance({}).exports;
  for (const stack of [5, [], undefined, null, {}]) {
    const thrown = await withStackTrace(() => stack, () => {
      try { f(); } catch (error) { return error; }
    });
    assert(thrown instanceof RuntimeError, `with a stack of ${typeof stack}`);
    assertEq(thrown.message, 'unreachable');
  }
});

test('a promise of an instance is settled whatever prepareStackTrace returns', async () => {
  const bytes = trapping({ start: true }).bytes();
  const thrown = await withStackTrace((_error, frames) => frames, () => WebAssembly.instantiate(bytes, {}).then(
    () => undefined,
    (error) => error,
  ));
  assert(thrown instanceof RuntimeError);
});

/** A command that ends itself. */
function exiting(code) {
  const builder = new WasmBuilder();
  const exit = builder.importFunc('wasi_snapshot_preview1', 'proc_exit', ['i32'], []);
  builder.memory({ min: 1 }, { export: 'memory' });
  builder.func([], [], [op.i32(code), op.call(exit)], { export: '_start' });
  return builder;
}

test('an exit that a script has caught is no other guest’s', () => {
  const first = new WASI({ version: 'preview1' });
  const { _start } = exiting(42).instance(first.getImportObject()).exports;
  assertThrows(Error, _start, /exited with code 42/);
  const builder = new WasmBuilder();
  builder.memory({ min: 1 }, { export: 'memory' });
  builder.func([], [], [op.unreachable], { export: '_start' });
  const second = new WASI({ version: 'preview1' });
  assertThrows(RuntimeError, () => second.start(builder.instance({})), /unreachable/);
});

test('start returns the exit code', () => {
  const wasi = new WASI({ version: 'preview1' });
  assertEq(wasi.start(exiting(7).instance(wasi.getImportObject())), 7);
});

test('an instance that cannot be linked leaves its imports as they were', () => {
  const owner = new WasmBuilder();
  owner.memory({ min: 1 }, { export: 'memory' });
  const { memory } = owner.instance({}).exports;
  const global = new Global({ value: 'i32', mutable: true }, 1);
  const link = (pages, with_) => {
    const builder = new WasmBuilder();
    builder.importGlobal('e', 'g', 'i32', true);
    builder.importMemory('e', 'm', { min: pages });
    return builder.instance({ e: { g: global, m: with_ } });
  };
  assertThrows(LinkError, () => link(5, new Memory({ initial: 1 })), /import e\.m: expected at least 5 pages, got 1/);
  link(1, memory);
});

test('an export that JavaScript cannot use yet hides no other', () => {
  const builder = new WasmBuilder();
  builder.tag(['i32'], { export: 't' });
  builder.func([], [], [], { export: 'f' });
  assertEq(Object.keys(builder.instance({}).exports).sort().join(), 'f,t');
});

test('several results do not go through setters of Array.prototype', () => {
  const builder = new WasmBuilder();
  builder.func([], ['i32', 'i32'], [op.i32(1), op.i32(2)], { export: 'two' });
  const { two } = builder.instance({}).exports;
  let seen;
  Object.defineProperty(Array.prototype, 0, { configurable: true, set(value) { seen = value; } });
  let result;
  try { result = two(); } finally { delete Array.prototype[0]; }
  assertEq(seen, undefined);
  assertEq(result.join(), '1,2');
});

/** A guest that recurses `depth` deep and then calls `next`, in an island of its own. */
function link(next, depth) {
  const own = new WasmBuilder();
  own.func([], [], [], { export: 'own' });
  const { own: anchor } = own.instance({}).exports;
  const builder = new WasmBuilder();
  builder.importFunc('e', 'own', [], []);
  const call = builder.importFunc('e', 'next', ['i32'], ['i32']);
  builder.func(['i32'], ['i32'], [
    op.localGet(0), op.i32Eqz, op.if('i32'), op.i32(depth), op.call(call),
    op.else, op.localGet(0), op.i32(1), op.i32Sub, op.call(2), op.i32(1), op.i32Add, op.end,
  ], { export: 'f' });
  return builder.instance({ e: { own: anchor, next } }).exports.f;
}

test('a chain of guests that each recurse deeply ends in a RangeError', () => {
  let [low, high] = [100, 1_000_000];
  const probe = link(() => 0, 0);
  while (high - low > 100) {
    const middle = (low + high) >> 1;
    try { probe(middle); low = middle; } catch { high = middle; }
  }
  const depth = Math.floor(low * 0.95);
  let chain = () => 0;
  for (let i = 0; i < 16; i++) chain = link(chain, depth);
  assertThrows(RangeError, () => chain(depth), /Maximum call stack size exceeded/);
  // And from JavaScript that is deep already.
  let outcome;
  const deep = () => {
    try { deep(); } catch { /* the end of JavaScript's own stack */ }
    if (outcome === undefined) {
      try { outcome = chain(depth); } catch (error) { outcome = error; }
    }
  };
  deep();
  assert(outcome instanceof RangeError, `deep: ${outcome}`);
  assertEq(probe(100) >= 100, true, 'and afterwards guests run');
});
