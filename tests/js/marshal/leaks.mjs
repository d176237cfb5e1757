// After any way that a call can end, the guest's heap is as it was.
import { addressOf, MemoryManager } from 'tombolo:marshal';
import { assert, assertEq, assertThrows, assertThrowsValue } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { copy, guestTest, heap, inout, out, thrownBy, types, view, withoutLeak } from './load.mjs';

const { f64, i32, u32, string } = types;

guestTest('a thousand calls of every kind', ({ call, exports }) => {
  for (let i = 0; i < 1000; i++) {
    call('multiply', [copy(f64), copy(f64), i32], copy(f64, 3), [1, 2, 3], [4, 5, 6], 3);
    call('multiply', [view(f64), view(f64), i32], view(f64, 3), [1, 2, 3], [4, 5, 6], 3);
    call('echo_string', [string], string, 'text');
    call('negate_f64', [inout(copy(f64)), i32], types.void, [1, 2], 2);
    assert(exports.live_blocks() <= 1);
  }
});

guestTest('a wrong argument after others were copied', (guest) => {
  const params = [copy(f64), view(f64), string, i32];
  for (const wrong of ['x', undefined, {}]) {
    withoutLeak(guest, () =>
      thrownBy(TypeError, () => guest.call('multiply_into', params, types.void, [1], [2], 'text', wrong)),
    );
  }
});

guestTest('an element that is wrong in the last array of three', (guest) => {
  withoutLeak(guest, () =>
    thrownBy(TypeError, () =>
      guest.call('multiply_into', [copy(f64), copy(f64), inout(copy(f64)), i32], types.void, [1], [2], [3, 'x'], 1),
    ),
  );
});

guestTest('a getter that throws half-way', (guest) => {
  const thrown = new Error('half-way');
  for (const length of [4, 100, 40_000]) {
    const values = Array.from({ length }, () => 1);
    Object.defineProperty(values, length - 1, {
      get() {
        throw thrown;
      },
    });
    withoutLeak(guest, () =>
      assertThrowsValue(thrown, () => guest.call('sum_f64', [copy(f64), i32], f64, values, length)),
    );
  }
});

guestTest('a setter that throws when the results are copied back', (guest) => {
  const thrown = new Error('setter');
  const target = [1, 2, 3];
  Object.defineProperty(target, 1, {
    get: () => 2,
    set() {
      throw thrown;
    },
  });
  withoutLeak(guest, () =>
    assertThrowsValue(thrown, () => guest.call('negate_f64', [inout(copy(f64)), i32], types.void, target, 3)),
  );
});

guestTest('a trap in the guest', (guest) => {
  const { call } = guest;
  withoutLeak(guest, () =>
    thrownBy(WebAssembly.RuntimeError, () =>
      call('multiply_into', [copy(f64), view(f64), out(view(f64)), i32], types.void, [1], [2], [0], 0x7fffffff),
    ),
  );
  withoutLeak(guest, () => thrownBy(WebAssembly.RuntimeError, () => call('divide', [i32, i32], i32, 1, 0)));
  withoutLeak(guest, () =>
    thrownBy(WebAssembly.RuntimeError, () =>
      call('map_f64', [inout(copy(f64)), i32, u32], types.void, [1], 1, 4_000_000),
    ),
  );
});

guestTest('stack exhaustion in the guest', (guest) => {
  for (let i = 0; i < 3; i++) {
    withoutLeak(guest, () => {
      try {
        guest.call('recurse', [i32], i32, 0);
      } catch (error) {
        assert(error instanceof RangeError, String(error));
      }
    });
  }
});

guestTest('an exception of an import that the guest called', (guest) => {
  const { exports, call } = guest;
  const thrown = Symbol('thrown');
  const slot = exports.__indirect_function_table.length;
  const { wrap } = callbacks(() => {
    throw thrown;
  });
  exports.__indirect_function_table.grow(1, wrap);
  withoutLeak(guest, () =>
    assertThrowsValue(thrown, () => call('map_f64', [inout(copy(f64)), i32, u32], types.void, [1, 2], 2, slot)),
  );
});

guestTest('a result that cannot be marshalled is freed', (guest) => {
  withoutLeak(guest, () => thrownBy(RangeError, () => guest.call('iota_f64', [i32], view(f64, 2 ** 40), 3)));
  withoutLeak(guest, () => thrownBy(RangeError, () => guest.call('iota_f64', [i32], copy(f64, 2 ** 40), 3)));
});

guestTest('an allocation that fails in the middle', (guest) => {
  const { call, exports } = guest;
  for (let budget = 0; budget < 3; budget++) {
    withoutLeak(guest, () => {
      exports.set_malloc_budget(budget);
      thrownBy(RangeError, () =>
        call('multiply_into', [copy(f64), copy(f64), inout(copy(f64)), i32], types.void, [1], [2], [3], 1),
      );
    });
  }
});

guestTest('view after view, each one’s block known to the host', (guest) => {
  const before = tombolo.guestMemory().blocks.alive;
  let views = [];
  for (let i = 0; i < 100; i++) views.push(guest.call('iota_f64', [i32], view(f64, 10), 10));
  assertEq(tombolo.guestMemory().blocks.alive - before, 100);
  assertEq(heap(guest).blocks, 100);
  views = undefined;
  guest.settle();
  assertEq(tombolo.guestMemory().blocks.alive, before);
});

guestTest('managers that come and go', (guest) => {
  const { memory, malloc, free } = guest.exports;
  for (let i = 0; i < 1000; i++) new MemoryManager(memory, malloc, free).createTypedArray(Float64Array, 4);
  const kept = new MemoryManager(memory, malloc, free).createTypedArray(Float64Array, [7]);
  globalThis.gc();
  assertEq(kept[0], 7);
  assertThrows(RangeError, () => guest.manager.free(addressOf(kept)));
});

/** A wasm function (f64) -> f64 that calls `callback`. */
function callbacks(callback) {
  const b = new WasmBuilder();
  const imported = b.importFunc('host', 'callback', ['f64'], ['f64']);
  b.func(['f64'], ['f64'], [op.localGet(0), op.call(imported)], { export: 'wrap' });
  return b.instance({ host: { callback } }).exports;
}
