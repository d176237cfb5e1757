// The frames of guests in the stacks of errors, between those of scripts.
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { RuntimeError } = WebAssembly;

/** Guests `outer` and `inner`: the one calls the other, which calls the import. */
function nest(imported) {
  const b = new WasmBuilder();
  const f = b.importFunc('env', 'f');
  const inner = b.func([], [], [op.call(f)]);
  const outer = b.func([], [], [op.call(inner)], { export: 'run' });
  const trapping = b.func([], [], [op.unreachable]);
  const trapped = b.func([], [], [op.call(trapping)], { export: 'trap' });
  b.functionNames({ [f]: 'f', [inner]: 'inner', [outer]: 'outer', [trapping]: 'trapping', [trapped]: 'trapped' });
  return b.instance({ env: { f: imported } }).exports;
}

/** What `name`s the frames of `stack` have, without those outside this file. */
function names(stack) {
  const lines = stack.split('\n').filter((line) => /^ +at /.test(line));
  const functions = lines.map((line) => /^ +at (?:async )?(?:[\w.]*\.)?([\w<>]+) \(/.exec(line)?.[1] ?? '-');
  return functions.slice(0, functions.indexOf('test'));
}

/** Runs `body` in a function called `test`. */
const run = (body) => (function test() { return body(); })();

test('an error made below a guest', () => {
  let stack;
  const { run: guest } = nest(function imported() { stack = new Error('x').stack; });
  run(function caller() { guest(); });
  assertList(names(stack), ['imported', 'inner', 'outer', 'caller']);
  const places = stack.split('\n').filter((line) => /inner|outer/.test(line));
  for (const place of places) assert(/wasm-function\[\d\]:0x[0-9a-f]+\)$/.test(place), place);
});

test('an error that the engine throws below a guest', () => {
  let stack;
  const { run: guest } = nest(function imported() {
    try { null.x; } catch (error) { ({ stack } = error); }
  });
  run(function caller() { guest(); });
  assertList(names(stack), ['imported', 'inner', 'outer', 'caller']);
});

test('guests and scripts in turns, of one instance and of two', () => {
  let stack;
  let depth = 0;
  let other;
  const { run: guest } = nest(function one() { if (depth++ < 1) guest(); else other(); });
  other = nest(function two() { stack = new Error('x').stack; }).run;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  run(function caller() { guest(); });
  Error.stackTraceLimit = limit;
  assertList(names(stack),
    ['two', 'inner', 'outer', 'one', 'inner', 'outer', 'one', 'inner', 'outer', 'caller']);
});

test('native functions between', () => {
  let stack;
  const { run: guest } = nest(function imported() { [0].forEach(() => { stack = new Error('x').stack; }); });
  run(function caller() { [0].map(guest); });
  assertList(names(stack).filter((name) => name !== '<anonymous>' && name !== '-'),
    ['forEach', 'imported', 'inner', 'outer', 'map', 'caller']);
});

test('an async function that calls a guest', async () => {
  let stack;
  const { run: guest } = nest(function imported() { stack = new Error('x').stack; });
  const asynchronous = async () => { guest(); };
  run(function caller() { return asynchronous(); });
  assertList(names(stack), ['imported', 'inner', 'outer', 'asynchronous', 'caller']);
  stack = undefined;
  await Promise.resolve();
  await asynchronous();
  assert(/imported[^]*inner[^]*outer[^]*asynchronous/.test(stack), stack);
});

test('an async function that a guest calls', () => {
  let stack;
  const { run: guest } = nest(async function imported() { stack = new Error('x').stack; });
  run(function caller() { guest(); });
  assertList(names(stack), ['imported', 'inner', 'outer', 'caller']);
});

test('a generator that calls a guest', () => {
  let stack;
  const { run: guest } = nest(function imported() { stack = new Error('x').stack; });
  function* generate() { yield guest(); }
  run(function caller() { return [...generate()]; });
  assertList(names(stack).filter((name) => name !== 'next'), ['imported', 'inner', 'outer', 'generate', 'caller']);
});

test('a trap has the frames of its own guest first', () => {
  const { trap } = nest(() => {});
  let error;
  run(function caller() { try { trap(); } catch (thrown) { error = thrown; } });
  assert(error instanceof RuntimeError);
  assertList(names(error.stack), ['trapping', 'trapped', 'caller']);
});

test('a trap below a guest has both guests’ frames, each once', () => {
  let error;
  const { run: guest, trap } = nest(function imported() { try { trap(); } catch (thrown) { error = thrown; } });
  run(function caller() { guest(); });
  assertList(names(error.stack), ['trapping', 'trapped', 'imported', 'inner', 'outer', 'caller']);
});

test('stackTraceLimit counts all frames', () => {
  const limit = Error.stackTraceLimit;
  let stack;
  const { run: guest, trap } = nest(function imported() { stack = new Error('x').stack; });
  const count = () => stack.split('\n').filter((line) => /^ +at /.test(line)).length;
  for (const frames of [0, 1, 2, 3, 4]) {
    Error.stackTraceLimit = frames;
    guest();
    assertEq(count(), frames);
    try { trap(); } catch (error) { ({ stack } = error); }
    assertEq(count(), frames);
  }
  Error.stackTraceLimit = limit;
});

function prepared(prepare, body) {
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = prepare;
  try { return run(body); } finally { Error.prepareStackTrace = before; }
}

test('prepareStackTrace gets the frames of guests as call sites', () => {
  let sites;
  const { run: guest } = nest(function imported() { sites = new Error('x').stack; });
  const prepare = (error, frames) => frames;
  prepared(prepare, function caller() { guest(); });
  assertList(sites.slice(0, 4).map((site) => site.getFunctionName()), ['imported', 'inner', 'outer', 'caller']);
  const [, inner, outer] = sites;
  assertEq(inner.getFunction(), 1);
  assertEq(outer.getFunction(), 2);
  assertEq(inner.isNative(), false);
  assertEq(inner.isConstructor(), false);
  assertEq(inner.isToplevel(), false);
  assertEq(inner.isEval(), false);
  assertEq(inner.isAsync(), false);
  assertEq(inner.getTypeName(), null);
  assertEq(inner.getMethodName(), null);
  assertEq(inner.getLineNumber(), 1);
  assertEq(inner.getColumnNumber(), inner.getPosition() + 1);
  assert(inner.getFileName().startsWith('wasm://wasm'));
  assert(new RegExp(`^inner \\(.*wasm-function\\[1\\]:0x${inner.getPosition().toString(16)}\\)$`).test(String(inner)));
  assert(outer.getPosition() > inner.getPosition());
});

test('prepareStackTrace is asked once for each error, with the error, and may throw', () => {
  const asked = [];
  const { run: guest, trap } = nest(function imported() { new TypeError('script'); });
  prepared((error) => { asked.push(error.message); return 'mine'; }, () => {
    guest();
    let error;
    try { trap(); } catch (thrown) { error = thrown; }
    assertEq(error.stack, 'mine');
  });
  assertList(asked, ['script', 'unreachable']);
  const wild = { };
  prepared(() => { throw wild; }, () => {
    let error;
    try { trap(); } catch (thrown) { error = thrown; }
    assert(error instanceof RuntimeError);
  });
}, { v8: 'makes stacks when they are read' });

test('prepareStackTrace that makes errors below guests itself', () => {
  const stacks = [];
  const { run: guest } = nest(function imported() { stacks.push(new Error('inner').stack); });
  let depth = 0;
  prepared((error, frames) => {
    if (depth++ === 0) guest();
    return frames.length;
  }, () => { new Error('outer').stack; });
  assert(stacks.length === 1);
});

test('captureStackTrace', () => {
  let stack;
  function hidden() {
    const holder = {};
    Error.captureStackTrace(holder, hidden);
    ({ stack } = holder);
  }
  const { run: guest } = nest(function imported() { hidden(); });
  run(function caller() { guest(); });
  assertList(names(stack), ['imported', 'inner', 'outer', 'caller']);
  const { run: second } = nest(hidden);
  run(function caller() { second(); });
  assertList(names(stack), ['inner', 'outer', 'caller']);
});

test('no frame of the constructors of WebAssembly’s own errors', () => {
  for (const name of ['CompileError', 'LinkError', 'RuntimeError']) {
    const made = run(function making() { return new WebAssembly[name]('x'); });
    assertEq(names(made.stack)[0], 'making');
    assertEq(made.stack.includes(`at ${name} `), false);
  }
  const thrown = run(function compiling() {
    try { return new WebAssembly.Module(new Uint8Array(1)); } catch (error) { return error; }
  });
  assertEq(thrown.stack.includes('at CompileError'), false);
  assert(thrown.stack.includes('compiling'));
});

test('a constructor of an error below a guest, and a class of the script’s own', () => {
  let stack;
  class Own extends RuntimeError {}
  const { run: guest } = nest(function imported() { ({ stack } = new Own('x')); });
  run(function caller() { guest(); });
  assertList(names(stack).filter((name) => name !== 'Own'), ['imported', 'inner', 'outer', 'caller']);
});

test('what scripts do to Error and its prototype changes no trap', () => {
  const { trap } = nest(() => {});
  const { defineProperty, getOwnPropertyDescriptor } = Object;
  const stack = getOwnPropertyDescriptor(Error.prototype, 'stack');
  const limit = getOwnPropertyDescriptor(Error, 'stackTraceLimit');
  const caught = () => { try { trap(); return undefined; } catch (error) { return error; } };
  defineProperty(Error, 'stackTraceLimit', { get() { throw 1; }, configurable: true });
  const throwing = { get() { throw 2; }, set() { throw 3; }, configurable: true };
  if (stack !== undefined) defineProperty(Error.prototype, 'stack', throwing);
  const error = caught();
  if (stack !== undefined) defineProperty(Error.prototype, 'stack', stack);
  defineProperty(Error, 'stackTraceLimit', limit);
  assert(error instanceof RuntimeError);
  for (const wrong of [{ valueOf() { throw 4; } }, 'x', NaN, -1, Symbol('s'), undefined, Infinity, 1e10]) {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = wrong;
    assert(caught() instanceof RuntimeError);
    Error.stackTraceLimit = before;
  }
});

test('a stack that is used up by guests and scripts in turns', () => {
  const { run: guest } = nest(() => guest());
  let error;
  try { guest(); } catch (thrown) { error = thrown; }
  assert(error instanceof RangeError);
  assertEq(typeof error.stack, 'string');
});

test('deep recursion of guests below an error', () => {
  const b = new WasmBuilder();
  const f = b.importFunc('env', 'f');
  const recurse = b.func(['i32'], [], [
    op.localGet(0), op.if(), op.localGet(0), op.i32(1), op.i32Sub, op.call(1), op.else, op.call(f), op.end,
  ], { export: 'recurse' });
  b.functionNames({ [recurse]: 'recurse' });
  let stack;
  const exports = b.instance({ env: { f: function imported() { stack = new Error('x').stack; } } }).exports;
  run(function caller() { exports.recurse(3); });
  assertList(names(stack), ['imported', 'recurse', 'recurse', 'recurse', 'recurse', 'caller']);
  exports.recurse(5000);
  assertEq(stack.split('\n').filter((line) => /recurse/.test(line)).length, Error.stackTraceLimit - 1);
});
