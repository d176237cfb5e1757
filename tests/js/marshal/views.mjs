// Results by view: typed arrays over their own buffer, which owns the guest's block.
import { addressOf, MemoryManager } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows } from '../harness.mjs';
import {
  assertIncludes,
  copy,
  families,
  guestTest,
  inout,
  into,
  out,
  thrownBy,
  types,
  view,
  withoutLeak,
} from './load.mjs';

const { f64, i32, u8, u32, i8 } = types;
const iota = ({ call }, length) => call('iota_f64', [i32], view(f64, length), length);

for (const { suffix, Type, type, number } of families) {
  guestTest(`${suffix}: a view of its own block`, (guest) => {
    const { call, memory } = guest;
    const result = call(`iota_${suffix}`, [i32], view(type, 5), 5);
    assertEq(Object.getPrototypeOf(result), Type.prototype);
    assertList(result, [0, 1, 2, 3, 4].map(number));
    assertEq(result.byteOffset, 0);
    assertEq(result.buffer.byteLength, 5 * Type.BYTES_PER_ELEMENT);
    assert(result.buffer !== memory.buffer, 'is not the memory’s buffer');
    assertList(new Type(memory.buffer, addressOf(result), 5), result);
    call(`negate_${suffix}`, [view(type), i32], types.void, result, 5);
    assertList(
      result,
      Type.from([0, 1, 2, 3, 4].map(number), (value) => -value),
      'negated in place',
    );
  });
}

guestTest('what a view writes the guest reads, and the other way', (guest) => {
  const { call, exports } = guest;
  const result = iota(guest, 4);
  result.fill(2);
  assertEq(exports.sum_f64(addressOf(result), 4), 8);
  exports.fill_f64(addressOf(result), 4, 3);
  assertList(result, [3, 3, 3, 3]);
});

guestTest('addressOf: views, parts of them, buffers', (guest) => {
  const result = iota(guest, 4);
  const address = addressOf(result);
  assertEq(addressOf(result.buffer), address);
  assertEq(addressOf(result.subarray(1)), address + 8);
  assertEq(addressOf(new Uint8Array(result.buffer, 3)), address + 3);
  assertEq(addressOf(new Uint8Array(guest.memory.buffer, 64, 1)), 64);
  assertEq(addressOf(guest.memory.buffer), 0);
});

guestTest('addressOf refuses what has no address', (guest) => {
  const gone = iota(guest, 1);
  gone.buffer.transfer();
  for (const wrong of [new Float64Array(1), new ArrayBuffer(8), {}, null, undefined, 1, 'text', gone, []]) {
    assertIncludes(
      thrownBy(TypeError, () => addressOf(wrong)),
      'addressOf: argument 1',
    );
  }
  thrownBy(TypeError, () => addressOf());
});

guestTest('a view is freed when it is dropped, at the next safe point', (guest) => {
  const { exports, settle } = guest;
  let result = iota(guest, 4);
  assertEq(exports.live_blocks(), 1);
  result = undefined;
  assertEq(exports.live_blocks(), 1, 'finalizers only enqueue');
  settle();
  assertEq(exports.live_blocks(), 0);
});

guestTest('a loop reuses the blocks that it dropped', (guest) => {
  for (let i = 0; i < 10_000; i++) {
    iota(guest, 16);
    assert(guest.exports.live_blocks() <= 2, `iteration ${i}`);
  }
});

const keepers = {
  'a subarray': (result) => result.subarray(1, 3),
  'a subarray of a subarray': (result) => result.subarray(0, 3).subarray(1),
  'a DataView': (result) => new DataView(result.buffer, 8, 16),
  'a typed array of another kind': (result) => new Uint8Array(result.buffer, 8, 16),
  'the buffer alone': (result) => result.buffer,
  'an iterator': (result) => result.values(),
};
const contents = (kept) => (typeof kept.next === 'function' ? [...kept] : [...new Float64Array(kept.buffer ?? kept)]);
for (const [name, keep] of Object.entries(keepers)) {
  guestTest(`${name} keeps the block alive`, (guest) => {
    const { exports, settle } = guest;
    let kept = keep(iota(guest, 4));
    for (let i = 0; i < 100; i++) guest.call('iota_f64', [i32], copy(f64, 4), 4);
    settle();
    assertEq(exports.live_blocks(), 1);
    assertList(contents(kept), [0, 1, 2, 3]);
    kept = undefined;
    settle();
    assertEq(exports.live_blocks(), 0);
  });
}

guestTest('a WeakRef does not keep the block for longer than the job', async (guest) => {
  const weak = new WeakRef(iota(guest, 4).buffer);
  await new Promise((resolve) => { setTimeout(resolve, 0); });
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
  assert(weak instanceof WeakRef);
});

for (const method of ['transfer', 'transferToFixedLength']) {
  guestTest(`${method}() hands the block to the new buffer`, (guest) => {
    const { exports, settle } = guest;
    let result = iota(guest, 4);
    const address = addressOf(result);
    let moved = result.buffer[method]();
    assert(result.buffer.detached);
    assertEq(result.length, 0);
    settle();
    assertEq(exports.live_blocks(), 1, 'still owned');
    assertEq(moved.byteLength, 32);
    assertList(new Float64Array(moved), [0, 1, 2, 3]);
    assertEq(addressOf(moved), address, 'not copied');
    result = undefined;
    settle();
    assertEq(exports.live_blocks(), 1, 'the old view owned nothing any more');
    moved = undefined;
    settle();
    assertEq(exports.live_blocks(), 0);
  });

  guestTest(`${method}() to another length leaves no block behind`, (guest) => {
    for (const length of [0, 8, 64]) {
      const result = iota(guest, 4);
      let moved;
      try {
        moved = result.buffer[method](length);
      } catch (error) {
        assert(error instanceof TypeError || error instanceof RangeError, String(error));
      }
      if (moved !== undefined) {
        assertEq(moved.byteLength, length);
        assertList(new Float64Array(moved), [0, 1, 2, 3, 0, 0, 0, 0].slice(0, length / 8), `${length} bytes`);
      }
    }
  });
}

guestTest('structuredClone is a copy where it exists', (guest) => {
  if (typeof structuredClone !== 'function') return;
  const copied = structuredClone(iota(guest, 3));
  assertList(copied, [0, 1, 2]);
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('growth detaches no view, by the guest or by a script', (guest) => {
  const result = iota(guest, 4);
  const before = guest.memory.buffer;
  guest.exports.grow_pages(1);
  guest.memory.grow(1);
  assert(before.detached);
  assert(!result.buffer.detached);
  assertList(result, [0, 1, 2, 3]);
  guest.call('negate_f64', [view(f64), i32], types.void, result, 4);
  assertList(result, [-0, -1, -2, -3]);
});

guestTest('a view cannot reach its neighbours', (guest) => {
  const result = iota(guest, 4);
  const neighbour = iota(guest, 4);
  assertThrows(RangeError, () => new Uint8Array(result.buffer, 0, 33));
  assertThrows(RangeError, () => new Uint8Array(result.buffer, 33));
  result[4] = 9;
  result[-1] = 9;
  result.fill(7, -100, 100);
  assertThrows(RangeError, () => result.set([1], 4));
  assertThrows(TypeError, () => result.buffer.resize(64));
  assertEq(result.buffer.resizable, false);
  assertList(neighbour, [0, 1, 2, 3]);
});

guestTest('a view outlives its instance', (guest) => {
  let result;
  {
    const other = guest;
    result = iota(other, 3);
  }
  globalThis.gc();
  assertList(result, [0, 1, 2]);
});

guestTest('no elements: still a block', (guest) => {
  const result = guest.call('bytes', [i32, i32], view(u8, 0), 0, 0);
  assertEq(result.length, 0);
  assertEq(result.byteOffset, 0);
});

guestTest('null where the guest returned a null pointer', (guest) => {
  guest.exports.set_malloc_budget(0);
  assertEq(guest.call('iota_f64', [i32], view(f64, 4), 4), null);
});

// ---- Passing by address -----------------------------------------------------------------------------------------

guestTest('a view is passed by address, in any direction', (guest) => {
  const result = iota(guest, 4);
  const address = addressOf(result);
  for (const descriptor of [
    into(view(f64)),
    inout(view(f64)),
    out(view(f64)),
    into(copy(f64)),
    inout(copy(f64)),
    out(copy(f64)),
  ]) {
    assertEq(guest.call('echo_u32', [descriptor], u32, result), address);
  }
  assertEq(guest.call('echo_u32', [view(f64)], u32, result.subarray(2)), address + 16);
  assertList(result, [0, 1, 2, 3], 'also an Out argument is not cleared');
});

guestTest('passing a view allocates nothing', (guest) => {
  const result = iota(guest, 4);
  guest.exports.set_malloc_budget(0);
  assertEq(guest.call('sum_f64', [view(f64), i32], f64, result, 4), 6);
  guest.call('negate_f64', [inout(view(f64)), i32], types.void, result.subarray(1), 3);
  assertList(result, [0, -1, -2, -3]);
});

guestTest('parts of the memory’s own buffer are passed by address too', (guest) => {
  const block = guest.manager.malloc(16);
  const part = new Float64Array(guest.memory.buffer, block, 2);
  assertEq(guest.call('echo_u32', [view(f64)], u32, part), block);
  guest.manager.free(block);
});

guestTest('a view of another element type is copied', (guest) => {
  const bytes = guest.call('bytes', [i32, i32], view(u8, 3), 3, 5);
  assert(guest.call('echo_u32', [view(i8)], u32, bytes) !== addressOf(bytes));
  assertEq(guest.call('sum_f64', [view(f64), i32], f64, bytes, 3), 15);
  const clamped = new Uint8ClampedArray(bytes.buffer);
  assertEq(guest.call('echo_u32', [view(u8)], u32, clamped), addressOf(bytes));
});

guestTest('a view shorter than its length is refused: the guest would write behind it', (guest) => {
  const result = iota(guest, 4);
  const message = thrownBy(RangeError, () =>
    guest.call('fill_f64', [out(view(f64, 5)), i32, f64], types.void, result, 5, 1),
  );
  assertIncludes(message, 'fill_f64: argument 1', '4 elements', 'fewer than the 5');
  assertList(result, [0, 1, 2, 3]);
});

// ---- One owner --------------------------------------------------------------------------------------------------

guestTest('a block that a view owns cannot be freed or returned again', (guest) => {
  const result = iota(guest, 4);
  const address = addressOf(result);
  thrownBy(RangeError, () => guest.manager.free(address));
  thrownBy(RangeError, () => guest.manager.freeWhenFinalized({}, address));
  const again = (returns) => guest.call('echo_u32', [view(f64)], returns, result);
  assertIncludes(
    thrownBy(RangeError, () => again(view(f64, 4))),
    'result',
    'has an owner',
  );
  thrownBy(RangeError, () => again(copy(f64, 4)));
  guest.settle();
  assertEq(guest.exports.live_blocks(), 1);
  assertList(result, [0, 1, 2, 3]);
});

guestTest('a function that returns its own argument: the copy is freed once', (guest) => {
  const echoed = guest.call('echo_u32', [copy(f64)], copy(f64, 2), [1, 2]);
  assertList(echoed, [1, 2]);
  assertEq(guest.exports.live_blocks(), 0, 'after the call');
});

guestTest('a function that returns its own argument by view: an error, or a view that stays right', (guest) => {
  let echoed;
  try {
    echoed = guest.call('echo_u32', [copy(f64)], view(f64, 2), [1, 2]);
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    return;
  }
  for (let i = 0; i < 10; i++) guest.call('sum_f64', [copy(f64), i32], f64, [9, 9], 2);
  assertList(echoed, [1, 2]);
});

// ---- MemoryManager ----------------------------------------------------------------------------------------------

guestTest('malloc and free', ({ manager, exports }) => {
  const address = manager.malloc(100);
  assert(exports.live_bytes() >= 100);
  manager.free(address);
  manager.free(0);
  manager.free(manager.malloc(0));
  assertEq(exports.live_blocks(), 0);
  for (const wrong of [-1, 1.5, NaN, Infinity]) assertThrows(RangeError, () => manager.malloc(wrong), /malloc/);
  for (const wrong of ['1', undefined, null, {}, 1n]) assertThrows(TypeError, () => manager.malloc(wrong), /malloc/);
  for (const wrong of ['1', undefined, null, {}, -1, 1.5, NaN])
    assertThrows(TypeError, () => manager.free(wrong), /free.*address/);
  for (const wrong of [1, 2n, 1023]) assertThrows(RangeError, () => manager.free(wrong), /free: .*multiple of 4/);
  const twice = manager.malloc(8);
  manager.free(twice);
  assertThrows(RangeError, () => manager.free(twice), /freed already/);
  assertEq(exports.live_blocks(), 0);
  assertThrows(RangeError, () => manager.free(2 ** 32), /free/);
  assertThrows(RangeError, () => manager.free(2 ** 52), /free/);
});

guestTest('createTypedArray by length and by contents', ({ manager, exports }) => {
  for (const { Type, number } of families) {
    const zeros = manager.createTypedArray(Type, 3);
    assertEq(Object.getPrototypeOf(zeros), Type.prototype);
    assertList(zeros, [0, 0, 0].map(number));
    const filled = manager.createTypedArray(Type, [1, 2, 3].map(number));
    assertList(filled, [1, 2, 3].map(number));
    assertList(manager.createTypedArray(Type, filled), filled);
    assert(addressOf(filled) > 0);
  }
  assertEq(manager.createTypedArray(Float64Array, 0).length, 0);
  assertEq(manager.createTypedArray(Float64Array, []).length, 0);
  assertList(
    manager
      .createTypedArray(
        Float64Array,
        Array.from({ length: 70_000 }, (_, i) => i),
      )
      .subarray(69_998),
    [69_998, 69_999],
  );
});

guestTest('createTypedArray refuses', (guest) => {
  const { manager } = guest;
  withoutLeak(guest, () => {
    for (const wrong of [Array, DataView, {}, 'Float64Array', undefined, null]) {
      assertThrows(TypeError, () => manager.createTypedArray(wrong, 1), /createTypedArray: argument 1/);
    }
    for (const wrong of [-1, 0.5, NaN])
      assertThrows(RangeError, () => manager.createTypedArray(Uint8Array, wrong), /length/);
    for (const wrong of ['3', undefined, {}, 3n])
      assertThrows(TypeError, () => manager.createTypedArray(Uint8Array, wrong));
    assertThrows(TypeError, () => manager.createTypedArray(Float64Array, [1, 'two']), /element 1/);
    assertThrows(RangeError, () => manager.createTypedArray(Float64Array, 2 ** 60));
    assertThrows(RangeError, () => manager.createTypedArray(Float64Array, 2 ** 53 - 1));
    assertThrows(RangeError, () => manager.createTypedArray(Uint8Array, 2 ** 32));
  });
});

guestTest('a block longer than a buffer can be: RangeError, and it goes back', (guest) => {
  withoutLeak(guest, () => assertThrows(RangeError, () => guest.manager.createTypedArray(Uint8Array, 2 ** 31)));
});

guestTest('freeWhenFinalized: the block lives as long as the target', (guest) => {
  const { manager, exports, settle } = guest;
  let target = {};
  manager.freeWhenFinalized(target, manager.malloc(10));
  manager.freeWhenFinalized(target, manager.malloc(10));
  settle();
  assertEq(exports.live_blocks(), 2);
  assertList(Object.keys(target), []);
  target.self = target;
  target = undefined;
  settle();
  assertEq(exports.live_blocks(), 0);
});

guestTest('freeWhenFinalized refuses, and then owns nothing', (guest) => {
  const { manager } = guest;
  const address = manager.malloc(8);
  for (const wrong of [1, 'text', null, undefined, Symbol('s')]) {
    assertThrows(TypeError, () => manager.freeWhenFinalized(wrong, address), /argument 1/);
  }
  for (const wrong of ['x', -1, 1.5, undefined])
    assertThrows(TypeError, () => manager.freeWhenFinalized({}, wrong), /address/);
  assertThrows(RangeError, () => manager.freeWhenFinalized({}, 0));
  assertThrows(RangeError, () => manager.freeWhenFinalized({}, 2 ** 40));
  manager.free(address);
});

guestTest('freeWhenFinalized of a frozen target', (guest) => {
  const { manager, exports, settle } = guest;
  const [target, address] = [Object.freeze({}), manager.malloc(8)];
  try {
    manager.freeWhenFinalized(target, address);
  } catch (error) {
    // Refused: the block is still the caller's.
    assert(error instanceof TypeError, String(error));
    manager.free(address);
    return;
  }
  settle();
  assertEq(exports.live_blocks(), 1, 'as long as the target');
});

guestTest('memory and dataView', ({ manager, memory }) => {
  assertEq(manager.memory, memory);
  const block = manager.malloc(8);
  manager.dataView.setUint32(block, 7, true);
  assertEq(new Uint32Array(memory.buffer, block, 1)[0], 7);
  memory.grow(1);
  assertEq(manager.dataView.byteLength, memory.buffer.byteLength);
  manager.free(block);
});

guestTest('a manager of one’s own shares the heap with the first', (guest) => {
  const { exports, manager } = guest;
  const other = new MemoryManager(exports.memory, exports.malloc, exports.free);
  const result = other.createTypedArray(Float64Array, [1, 2]);
  assertThrows(RangeError, () => manager.free(addressOf(result)), /owner/);
  assertEq(guest.call('sum_f64', [view(f64), i32], f64, result, 2), 3);
});
