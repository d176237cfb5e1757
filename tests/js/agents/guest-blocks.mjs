// Views of guest blocks in a shared memory, posted from agent to agent: each that has one owns the block, and the last
// that lets go gives it back, whoever that is. Tombolo alone has such views.
import { readFileSync } from 'node:fs';
import { MessageChannel, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { FunctionPrototype, Float64Type, In, Int32Type, MemoryManager, TypedArrayType, addressOf } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { messages, nextOn } from './support.mjs';

const module = new WebAssembly.Module(readFileSync(new URL('../../../guests/heap.wasm', import.meta.url)));
const setUp = () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 64, shared: true });
  const guest = new WebAssembly.Instance(module, { env: { memory } }).exports;
  return { memory, guest, manager: new MemoryManager(memory, guest.malloc, guest.free) };
};
/** The next allocation frees what waits; what it makes itself waits for the one after it. */
const drain = ({ manager }) => manager.free(manager.malloc(8));
/** A worker that does what it is told with the views it is sent. */
const start = (home, options = {}) => new Worker(new URL('./workers/blocks.mjs', import.meta.url),
  { workerData: { memory: home.memory, module, ...options } });
const ask = async (worker, ...message) => {
  const answer = messages(worker, 1);
  worker.postMessage(...message);
  return (await answer)[0];
};
const end = async (worker) => {
  const code = nextOn(worker, 'exit');
  worker.postMessage({ end: true });
  await code;
};

test('a view in a shared memory is over a SharedArrayBuffer of its own', () => {
  const home = setUp();
  const view = home.manager.createTypedArray(Float64Array, [1, 2, 3]);
  assert(view.buffer instanceof SharedArrayBuffer);
  assertEq(view.byteOffset, 0);
  assertEq(view.buffer.byteLength, 24);
  assertEq(new Float64Array(home.memory.buffer)[addressOf(view) / 8 + 1], 2);
});

test('calls take views of shared memory, and return them', () => {
  const home = setUp();
  const f64 = new Float64Type();
  const i32 = new Int32Type();
  const make = new FunctionPrototype([new In(i32)], new TypedArrayType(f64, (_, [length]) => length));
  const sum = new FunctionPrototype([new In(new TypedArrayType(f64)), new In(i32)], f64);
  const view = make.invoke(home.manager, home.guest.make, 5);
  assertList(view, [0, 1, 2, 3, 4]);
  assertEq(sum.invoke(home.manager, home.guest.sum, view, 5), 10);
});

test('both agents see one block, and the last of them frees it: the first', async () => {
  const home = setUp();
  const worker = start(home);
  const view = home.manager.createTypedArray(Float64Array, [1, 2]);
  const address = addressOf(view);
  assertEq(await ask(worker, { keep: view }), address);
  await ask(worker, { set: 0, value: 7 });
  assertEq(view[0], 7);
  await ask(worker, { drop: true });
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  await end(worker);
  assertEq(view[0], 7);
});

test('the last of them frees it: the worker', async () => {
  const home = setUp();
  const worker = start(home);
  await ask(worker, { keep: home.manager.createTypedArray(Float64Array, 10) });
  globalThis.gc?.();
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  await ask(worker, { drop: true });
  assertEq(await ask(worker, { drain: true }), 0);
  assertEq(home.guest.frees(), home.guest.allocations());
  await end(worker);
});

test('a part of a view keeps the whole block', async () => {
  const home = setUp();
  const worker = start(home);
  await ask(worker, { keep: home.manager.createTypedArray(Float64Array, [1, 2, 3]).subarray(2) });
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  assertEq(await ask(worker, { get: 0 }), 3);
  await ask(worker, { drop: true });
  await end(worker);
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
});

test('the first agent ends before the others let go', async () => {
  const home = setUp();
  const one = start(home);
  const other = start(home);
  const { port1, port2 } = new MessageChannel();
  await ask(one, { to: port1 }, [port1]);
  await ask(other, { from: port2 }, [port2]);
  const kept = messages(other, 1);
  await ask(one, { make: [4, 5, 6] });
  await kept;
  await end(one);
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  assertEq(await ask(other, { get: 2 }), 6);
  await end(other);
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
  assertEq(home.guest.check(), 0);
});

test('an agent that is terminated leaves its blocks to the others', async () => {
  const home = setUp();
  const worker = start(home);
  for (let i = 0; i < 10; i++) await ask(worker, { keep: home.manager.createTypedArray(Float64Array, 100) });
  await ask(worker, { make: [1] });
  drain(home);
  assertEq(home.guest.live_blocks(), 11);
  await worker.terminate();
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
});

test('one that has no instance leaves them to one that has', async () => {
  const home = setUp();
  const worker = start(home, { without: true });
  await ask(worker, { keep: home.manager.createTypedArray(Float64Array, 3) });
  await ask(worker, { drop: true });
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
  await end(worker);
});

test('messages that nobody reads own their blocks until they are dropped', () => {
  const home = setUp();
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(home.manager.createTypedArray(Float64Array, 3));
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  assertList(receiveMessageOnPort(port2).message, [0, 0, 0]);
  port1.postMessage(home.manager.createTypedArray(Float64Array, 3));
  port2.close();
  port1.close();
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
});

test('a clone in the same agent is another owner', () => {
  const home = setUp();
  let view = home.manager.createTypedArray(Int32Array, [1, 2]);
  let copy = structuredClone(view);
  view[1] = 5;
  assertEq(copy[1], 5);
  assert(copy.buffer !== view.buffer);
  view = null;
  drain(home);
  assertEq(home.guest.live_blocks(), 1);
  copy = null;
  drain(home);
  assertEq(home.guest.live_blocks(), 0);
});

test('the report counts a block once, whoever has it', async () => {
  const home = setUp();
  const worker = start(home);
  const before = tombolo.guestMemory().blocks;
  await ask(worker, { keep: home.manager.createTypedArray(Float64Array, 3) });
  drain(home);
  const shared = tombolo.guestMemory().blocks;
  assertEq(shared.allocated - before.allocated, 1);
  assertEq(shared.alive - before.alive, 1);
  await end(worker);
  drain(home);
  assertEq(tombolo.guestMemory().blocks.alive, before.alive);
});

test('a view of unshared memory is copied', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  assertThrows(DOMException, () => structuredClone(memory));
  const copy = structuredClone(new Uint8Array(memory.buffer, 8, 4));
  assert(copy.buffer instanceof ArrayBuffer);
  copy[0] = 1;
  assertEq(new Uint8Array(memory.buffer)[8], 0);
});
