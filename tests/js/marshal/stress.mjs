// Random sequences of everything, from seeds: views are right at any time, and in the end nothing is left.
import { addressOf } from 'tombolo:marshal';
import { assert, assertEq } from '../harness.mjs';
import { seededRandom } from '../random.mjs';
import { copy, guestTest, inout, into, types, view } from './load.mjs';

const { f64, i32, string } = types;

for (let seed = 1; seed <= 20; seed++) {
  guestTest(`seed ${seed}`, (guest) => {
    const { call, exports, manager, memory } = guest;
    const below = seededRandom(seed * 0x9e3779b9);
    /** Views and what they must contain: a first value and the distance to the next. */
    let kept = [];
    const add = (array, first, step) => kept.push({ array, first, step });
    const pick = () => kept[below(kept.length)];
    const check = ({ array, first, step }) => {
      for (let i = 0; i < array.length; i += 1 + below(7)) assertEq(array[i], first + i * step, `element ${i}`);
    };
    const actions = [
      () => {
        const n = 1 + below(2000);
        add(call('iota_f64', [i32], view(f64, n), n), 0, 1);
      },
      () => {
        const n = 1 + below(50);
        add(
          manager.createTypedArray(
            Float64Array,
            Array.from({ length: n }, (_, i) => 5 + i),
          ),
          5,
          1,
        );
      },
      () => {
        const n = 1 + below(50);
        call('iota_f64', [i32], view(f64, n), n).self = {};
      },
      () => {
        const n = 1 + below(50);
        const a = call('iota_f64', [i32], view(f64, n), n);
        a.self = { a };
      },
      () => {
        if (kept.length) kept.splice(below(kept.length), 1 + below(3));
      },
      () => {
        if (kept.length) check(pick());
      },
      () => {
        if (!kept.length) return;
        const { array, first, step } = pick();
        const from = below(array.length);
        add(array.subarray(from), first + from * step, step);
      },
      () => {
        if (!kept.length) return;
        const at = below(kept.length);
        const { array, first, step } = kept[at];
        if (array.byteOffset !== 0 || kept.some((other, i) => i !== at && other.array.buffer === array.buffer)) return;
        kept[at] = { array: new Float64Array(array.buffer.transfer()), first, step };
      },
      () => {
        if (!kept.length) return;
        const one = pick();
        const { array } = one;
        call('negate_f64', [inout(view(f64)), i32], types.void, array, array.length);
        call('negate_f64', [into(copy(f64)), i32], types.void, array, array.length);
        check(one);
      },
      () => {
        memory.grow(1);
      },
      () => {
        exports.grow_pages(1);
      },
      () => {
        globalThis.gc();
      },
      () => {
        assertEq(call('reverse', [string], string, 'añ'), 'ña');
      },
      () => {
        const values = Array.from({ length: below(60) }, () => 1);
        if (values.length > 3) values[2] = 'wrong';
        try {
          call('sum_f64', [copy(f64), i32], f64, values, values.length);
        } catch (error) {
          assert(error instanceof TypeError);
        }
      },
      () => {
        exports.set_malloc_budget(below(3));
        try {
          manager.createTypedArray(Float64Array, 8);
        } catch (error) {
          assert(error instanceof RangeError);
        }
        exports.set_malloc_budget(-1);
      },
      () => {
        manager.freeWhenFinalized({}, manager.malloc(below(100)));
      },
    ];
    for (let step = 0; step < 1500; step++) actions[below(actions.length)]();
    for (const one of kept) {
      check(one);
      assert(addressOf(one.array) > 0);
    }
    kept = undefined;
    // Values of finished actions may still be in the engine's hands for a turn.
    return Promise.resolve();
  });
}
