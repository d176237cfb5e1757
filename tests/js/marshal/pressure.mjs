// A guest that has no memory left: what can be freed is freed, once, before anybody hears of it.
import { MemoryManager } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { copy, FunctionPrototype, guestTest, into, thrownBy, types, view, assertIncludes, demo } from './load.mjs';

const { f64, i32, string } = types;

guestTest('no budget: a RangeError that says how much was asked for', ({ call, manager, exports }) => {
  exports.set_malloc_budget(0);
  const attempts = [
    () => manager.malloc(100),
    () => manager.createTypedArray(Float64Array, 100),
    () => manager.createTypedArray(Uint8Array, [1]),
    () => call('sum_f64', [copy(f64), i32], f64, [1], 1),
    () => call('echo_string', [string], string, 'text'),
  ];
  for (const attempt of attempts) assertIncludes(thrownBy(RangeError, attempt), 'no ', 'bytes left', '0 blocks owned');
  exports.set_malloc_budget(-1);
  assertEq(call('sum_f64', [copy(f64), i32], f64, [1], 1), 1, 'and works again');
});

guestTest('the message counts the blocks that the host owns', ({ call, manager, exports }) => {
  const views = [1, 2, 3].map(() => call('iota_f64', [i32], view(f64, 4), 4));
  exports.set_malloc_budget(0);
  assertIncludes(
    thrownBy(RangeError, () => manager.malloc(1)),
    '3 blocks owned',
  );
  assertList(views[2], [0, 1, 2, 3]);
});

/**
 * A guest of `slots` blocks of 1 KiB: malloc takes the first free one, or returns 0 and counts that. Host functions
 * keep the books, so that a test sees every call.
 */
function slotted(slots) {
  const log = [];
  const taken = new Set();
  const b = new WasmBuilder();
  const mallocImport = b.importFunc('host', 'malloc', ['i32'], ['i32']);
  const freeImport = b.importFunc('host', 'free', ['i32'], []);
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(mallocImport)], { export: 'malloc' });
  b.func(['i32'], [], [op.localGet(0), op.call(freeImport)], { export: 'free' });
  b.func(['i32', 'i32'], ['i32'], [op.localGet(1)], { export: 'second' });
  const host = {
    malloc() {
      for (let slot = 1; slot <= slots; slot++) {
        if (taken.has(slot)) continue;
        taken.add(slot);
        log.push(`take ${slot}`);
        return 1024 * slot;
      }
      log.push('none');
      return 0;
    },
    free(address) {
      log.push(`free ${address / 1024}`);
      assert(taken.delete(address / 1024), 'was taken');
    },
  };
  const { memory, malloc, free, second } = b.instance({ host }).exports;
  return { log, taken, second, manager: new MemoryManager(memory, malloc, free) };
}

/** A view that only itself refers to: reference counts do not see that it is garbage. */
function makeGarbage(manager) {
  const block = manager.createTypedArray(Float64Array, 100);
  block.self = { block };
}

test('malloc is asked again once, and no more', () => {
  const { log, manager } = slotted(0);
  assertThrows(RangeError, () => manager.malloc(8));
  assertList(log, ['none', 'none']);
});

test('garbage in a cycle is collected, and the retry succeeds', () => {
  const { log, manager } = slotted(3);
  for (let i = 0; i < 3; i++) makeGarbage(manager);
  const fourth = manager.createTypedArray(Uint8Array, [1, 2]);
  assertList(log.slice(0, 4), ['take 1', 'take 2', 'take 3', 'none']);
  assertList(log.slice(4, 7).sort(), ['free 1', 'free 2', 'free 3']);
  assertEq(log.length, 8);
  assertList(fourth, [1, 2]);
});

test('what is still in use is not given away', () => {
  const { log, taken, manager } = slotted(2);
  const kept = [manager.createTypedArray(Uint8Array, [1]), manager.createTypedArray(Uint8Array, [2])];
  assertThrows(RangeError, () => manager.createTypedArray(Uint8Array, 1), /2 blocks owned/);
  assertList(log, ['take 1', 'take 2', 'none', 'none']);
  assertEq(taken.size, 2);
  assertList([kept[0][0], kept[1][0]], [1, 2]);
});

test('what was dropped is freed before the guest is asked, without pressure', () => {
  const { log, manager } = slotted(1);
  for (let i = 0; i < 5; i++) manager.createTypedArray(Uint8Array, 1);
  assert(!log.includes('none'), log.join());
});

test('a call’s arguments under pressure', () => {
  const { log, manager, second } = slotted(1);
  makeGarbage(manager);
  const prototype = new FunctionPrototype([into(copy(types.u8)), into(i32)], i32);
  assertEq(prototype.invoke(manager, second, [1, 2, 3], 7), 7);
  assertList(log, ['take 1', 'none', 'free 1', 'take 1', 'free 1']);
});

guestTest('garbage cycles under a budget, in the demo guest', (guest) => {
  const { manager, exports } = guest;
  for (let i = 0; i < 100; i++) makeGarbage(manager);
  const live = exports.live_blocks();
  exports.set_malloc_budget(0);
  assertThrows(RangeError, () => manager.malloc(8), /0 blocks owned/);
  assertEq(exports.live_blocks(), 0, `of ${live}`);
});

guestTest('large results in garbage cycles do not pile up', (guest) => {
  const make = () => {
    const result = guest.call('iota_f64', [i32], view(f64, 1_000_000), 1_000_000);
    result.self = result;
  };
  for (let i = 0; i < 200; i++) make();
  const { byteLength } = guest.memory.buffer;
  assert(byteLength < 64 * 2 ** 20, `memory of ${byteLength} bytes`);
});

guestTest('an address space that is full', (guest) => {
  const blocks = [];
  assertThrows(
    RangeError,
    () => {
      for (let i = 0; i < 5; i++) blocks.push(guest.manager.malloc(2 ** 30 - 65536));
    },
    /bytes left/,
  );
  assert(blocks.length >= 2, `${blocks.length} blocks`);
  for (const block of blocks) guest.manager.free(block);
});
