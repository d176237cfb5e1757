// What goes wrong while wasm runs: traps as RuntimeErrors, and an exhausted stack.
import { assert, assertEq, assertProperty, assertThrows, test } from '../harness.mjs';
import { WasmBuilder, op, wasmFunction } from '../wasm-builder.mjs';

const { CompileError, LinkError, RuntimeError } = WebAssembly;

function traps() {
  const b = new WasmBuilder();
  b.memory({ min: 1, max: 1 });
  b.table({ min: 2 });
  const other = b.func(['f32'], [], []);
  b.elem(0, 1, [other]);
  const none = b.type([], []);
  b.func([], [], op.unreachable, { export: 'unreachable' });
  b.func([], ['i32'], [op.i32(1), op.i32(0), op.i32DivS], { export: 'division by zero' });
  b.func([], ['i32'], [op.i32(-(2 ** 31)), op.i32(-1), op.i32DivS], { export: 'division overflow' });
  b.func([], ['i32'], [op.f64(NaN), op.i32TruncF64], { export: 'conversion of NaN' });
  b.func([], ['i32'], [op.f64(1e10), op.i32TruncF64], { export: 'conversion overflow' });
  b.func([], ['i32'], [op.i32(65536), op.load8()], { export: 'load behind the end' });
  b.func([], ['i32'], [op.i32(65533), op.load32()], { export: 'load across the end' });
  b.func([], ['i32'], [op.i32(-1), op.load8(0xffffffff)], { export: 'load with a large offset' });
  b.func([], [], [op.i32(65536), op.i32(1), op.store8()], { export: 'store behind the end' });
  b.func([], [], [op.i32(0), op.callIndirect(none)], { export: 'call of null' });
  b.func([], [], [op.i32(1), op.callIndirect(none)], { export: 'call of another type' });
  b.func([], [], [op.i32(2), op.callIndirect(none)], { export: 'call behind the end' });
  b.func([], [], [op.i32(2), op.tableGet(0), op.drop], { export: 'table.get behind the end' });
  b.func([], [], [op.i32(2), op.refNull('funcref'), op.tableSet(0)], { export: 'table.set behind the end' });
  b.func([], ['i32'], op.i32(7), { export: 'fine' });
  return b.instance().exports;
}

for (const [name, f] of Object.entries(traps())) {
  if (name === 'fine') continue;
  test(`trap: ${name}`, () => {
    const { fine, ...exports } = traps();
    for (let i = 0; i < 3; i++) {
      const error = assertThrows(RuntimeError, exports[name]);
      assert(error.message.length > 0, 'has a message');
      assertEq(error.name, 'RuntimeError');
    }
    assertEq(fine(), 7, 'the instance works on');
    assertThrows(RuntimeError, f);
  });
}

test('each trap makes a new error', () => {
  const f = wasmFunction([], [], op.unreachable);
  assert(assertThrows(RuntimeError, f) !== assertThrows(RuntimeError, f));
});

test('the error of a trap has a message and a stack, both its own', () => {
  const error = assertThrows(RuntimeError, wasmFunction([], [], op.unreachable));
  assertProperty(error, 'message', 'wc');
  assertEq(typeof error.stack, 'string');
  assertEq(Object.keys(error).length, 0);
});

test('compile and link errors have a message', () => {
  assert(assertThrows(CompileError, () => new WebAssembly.Module(new Uint8Array(1))).message.length > 0);
  const b = new WasmBuilder();
  b.importFunc('m', 'f');
  assert(assertThrows(LinkError, () => b.instance({ m: {} })).message.length > 0);
});

/** An exhausted stack: the class is the engine's, the same for wasm and JavaScript, and no RuntimeError. */
function stackError(fn) {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error('no error');
}
const inJavaScript = stackError(function deeper() { deeper(); });

test('an exhausted stack in wasm throws what it throws in JavaScript, and the instance works on', () => {
  const b = new WasmBuilder();
  b.func(['i32'], ['i32'], [op.localGet(0), op.i32(1), op.i32Add, op.call(0), op.i32(1), op.i32Add], { export: 'recurse' });
  b.func([], ['i32'], op.i32(3), { export: 'fine' });
  const { recurse, fine } = b.instance().exports;
  for (let i = 0; i < 3; i++) {
    const error = stackError(() => recurse(0));
    assertEq(error.constructor, inJavaScript.constructor);
    assert(!(error instanceof RuntimeError));
    assertEq(fine(), 3);
  }
});

test('so does a stack exhausted by wasm and JavaScript in turns', () => {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f');
  b.func([], [], op.call(host), { export: 'run' });
  let depth = 0;
  const { run } = b.instance({ m: { f() { depth += 1; run(); } } }).exports;
  for (let i = 0; i < 3; i++) {
    depth = 0;
    const error = stackError(run);
    assertEq(error.constructor, inJavaScript.constructor);
    assert(depth > 10, `reached a depth of ${depth}`);
  }
});

test('an exhausted stack unwinds through catch blocks and can be caught there', () => {
  const b = new WasmBuilder();
  const host = b.importFunc('m', 'f');
  b.func([], [], op.call(host), { export: 'run' });
  let caught = 0;
  const { run } = b.instance({ m: { f() { try { run(); } catch (error) { caught += 1; throw error; } } } }).exports;
  stackError(run);
  assert(caught > 10);
});

test('error classes can be extended', () => {
  class Mine extends RuntimeError { get name() { return 'Mine'; } }
  const error = new Mine('x');
  assert(error instanceof RuntimeError);
  assertEq(String(error), 'Mine: x');
});
