// `tombolo.guestMemory.trace`: which line made which blocks. Tombolo alone has it.
import { readFileSync } from 'node:fs';
import { Wasi } from 'tombolo:marshal';
import { assert, assertEq, assertThrows, test } from '../harness.mjs';

const { trace } = tombolo.guestMemory;
const wasi = new Wasi({});
const module = new WebAssembly.Module(readFileSync(new URL('../../../guests/demo.wasm', import.meta.url)));
wasi.init(new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() }));
const make = (bytes) => wasi.int8Array(bytes);
const heldBy = (name) => trace.snapshot().lines.filter((line) => line.place?.function === name && line.held.blocks > 0);

test('nothing is recorded before it is started', () => {
  assertEq(trace.isOn, false);
  for (const member of ['snapshot', 'text', 'html']) assertThrows(Error, () => trace[member]());
  assertEq(typeof tombolo.guestMemory().blocks.alive, 'number');
});

test('a snapshot', () => {
  const older = make(77);
  trace.start();
  assertEq(trace.isOn, true);
  function helper() {
    return [make(10), make(300)];
  }
  let views = helper();
  const taken = trace.snapshot();
  const [line] = taken.lines;
  assertEq(taken.isOn, true);
  assertEq(taken.held.blocks, 2);
  assertEq(taken.held.bytes, 310);
  assertEq(line.place.function, 'make');
  assert(line.place.file.endsWith('trace.mjs'), line.place.file);
  assertEq(line.place.line, 10);
  assertEq(line.largest, 300);
  assert(line.oldest >= 0 && line.oldest <= taken.duration);
  assertEq(line.held.blocks, 2);
  assertEq(line.callers.length, 2); // Two columns of one line.
  assertEq(line.callers[0].frames[0].function, 'helper');
  assertEq(line.callers[0].held.bytes, 300);
  assertEq(taken.peak.bytes, 310);
  assertEq(taken.peak.lines[0].bytes, 310);
  assertEq(taken.memories.length, 1);
  assertEq(taken.memories[0].length, wasi.memory.buffer.byteLength);
  assertEq(taken.memories[0].isShared, false);
  assertEq(taken.history.at(-1).last, 310);
  assertEq(taken.handles.length, 0);
  assertEq(taken.agents.length, 1);
  assertEq(JSON.stringify(JSON.parse(JSON.stringify(taken))), JSON.stringify(taken));
  views = undefined;
  assertEq(trace.snapshot().held.blocks, 0);
  assertEq(older.length, 77);
});

test('text and page', () => {
  trace.start();
  const view = make(5000);
  const text = trace.text();
  assert(text.includes('trace.mjs:10:') && text.includes('4.9 KiB'), text);
  const html = trace.html();
  assert(html.startsWith('<!DOCTYPE html>') && html.includes('<svg') && html.includes('trace.mjs:10:'), html);
  assertEq(view.length, 5000);
});

test('what is stopped stays as it is', () => {
  trace.start();
  const view = make(5);
  trace.stop();
  assertEq(trace.isOn, false);
  const other = make(6);
  assertEq(trace.snapshot().held.bytes, 5);
  assertEq(trace.snapshot().isOn, false);
  trace.start();
  assertEq(trace.snapshot().owned.blocks, 0);
  assertEq(view.length + other.length, 11);
});

test('a collection comes first, so that garbage is not held', () => {
  trace.start();
  (() => {
    for (let i = 0; i < 10; i++) {
      const cycle = { view: make(100) };
      cycle.self = cycle;
    }
  })();
  assertEq(trace.snapshot().held.blocks, 0);
});

test('no script is asked for the lines', () => {
  const stack = Object.getOwnPropertyDescriptor(Error.prototype, 'stack');
  let asked = 0;
  trace.start();
  try {
    Error.prepareStackTrace = () => (asked++, 'mine');
    Error.stackTraceLimit = { valueOf: () => (asked++, 0) };
    const count = () => asked++;
    Object.defineProperty(Error.prototype, 'stack', { get: count, set: count, configurable: true });
    function innocent() {
      return wasi.int8Array(10);
    }
    const view = innocent();
    assertEq(asked, 0);
    assertEq(view.length, 10);
    assertEq(heldBy('innocent').length, 1);
  } finally {
    Object.defineProperty(Error.prototype, 'stack', stack);
    // The limit stays an object: the engine loses one that is replaced.
    Error.prepareStackTrace = undefined;
  }
});

test('blocks that are made while an exception passes, and deep down', () => {
  trace.start();
  const views = [];
  function deep(n) {
    if (n > 0) return deep(n - 1);
    views.push(wasi.int8Array(8));
    return 0;
  }
  deep(200);
  assertEq(heldBy('deep').length, 1);
  assertEq(heldBy('deep')[0].callers[0].frames.length, 3);
  function finallyMakes() {
    try {
      throw new Error('x');
    } finally {
      views.push(wasi.int8Array(9));
    }
  }
  assertThrows(Error, finallyMakes);
  assertEq(heldBy('finallyMakes')[0].held.bytes, 9);
});

test('freeWhenFinalized', () => {
  trace.start();
  function adopt() {
    const target = {};
    wasi.memoryManager.freeWhenFinalized(target, wasi.memoryManager.malloc(64));
    return target;
  }
  let target = adopt();
  assertEq(heldBy('adopt')[0].held.blocks, 1);
  target = undefined;
  assertEq(heldBy('adopt').length, 0);
});
