// Scripts that run in the middle of a call, and what they may do there.
import { addressOf, MemoryManager } from 'tombolo:marshal';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { copy, FunctionPrototype, guestTest, inout, into, out, thrownBy, types, view, withoutLeak } from './load.mjs';

const { f64, i32, u32, string } = types;

/** Puts a wasm function (f64) -> f64 that calls `callback` into the guest's table; its index, a function pointer. */
function pointerTo({ exports }, callback) {
  const b = new WasmBuilder();
  const imported = b.importFunc('host', 'callback', ['f64'], ['f64']);
  b.func(['f64'], ['f64'], [op.localGet(0), op.call(imported)], { export: 'f' });
  return exports.__indirect_function_table.grow(1, b.instance({ host: { callback } }).exports.f);
}
function map(guest, values, callback) {
  const pointer = pointerTo(guest, callback);
  guest.call('map_f64', [inout(view(f64)), i32, u32], types.void, values, values.length, pointer);
  guest.exports.__indirect_function_table.set(pointer, null);
}

guestTest('a length function that calls the same function by the same prototype', ({ manager, exports }) => {
  const sums = [];
  const prototype = new FunctionPrototype(
    [
      into(
        copy(f64, (_, [values, length]) => {
          if (values[0] > 0) sums.push(prototype.invoke(manager, exports.sum_f64, [values[0] - 1, 1], 2));
          return length;
        }),
      ),
      into(i32),
    ],
    f64,
  );
  assertEq(prototype.invoke(manager, exports.sum_f64, [5, 1], 2), 6);
  assertList(sums, [1, 2, 3, 4, 5]);
});

guestTest('length functions nested in length functions', (guest) => {
  const { manager, exports } = guest;
  const sum = (level) =>
    new FunctionPrototype(
      [
        into(
          copy(f64, () => {
            if (level > 0) assertEq(sum(level - 1).invoke(manager, exports.sum_f64, [level, level], 2), 2 * level);
            return 2;
          }),
        ),
        into(i32),
      ],
      f64,
    );
  assertEq(sum(20).invoke(manager, exports.sum_f64, [1, 2], 2), 3);
  const result = (level) =>
    new FunctionPrototype(
      [into(i32)],
      view(f64, () => {
        if (level > 0) assertList(result(level - 1).invoke(manager, exports.iota_f64, 3), [0, 1, 2]);
        return 3;
      }),
    );
  assertList(result(20).invoke(manager, exports.iota_f64, 3), [0, 1, 2]);
});

guestTest('a getter in an array that grows the memory', (guest) => {
  for (const length of [3, 100, 40_000]) {
    const values = Array.from({ length }, () => 1);
    Object.defineProperty(values, 1, {
      get() {
        guest.memory.grow(1);
        guest.exports.grow_pages(1);
        return 1;
      },
    });
    assertEq(guest.call('sum_f64', [copy(f64), i32], f64, values, length), length);
  }
});

guestTest('a getter in an array that makes calls and collects garbage', (guest) => {
  for (const length of [3, 100]) {
    const values = Array.from({ length }, () => 1);
    Object.defineProperty(values, 1, {
      get() {
        guest.call('iota_f64', [i32], view(f64, 100), 100);
        assertEq(guest.call('echo_string', [string], string, 'inside'), 'inside');
        guest.settle();
        return 1;
      },
    });
    assertEq(guest.call('sum_f64', [copy(f64), i32], f64, values, length), length);
  }
});

guestTest('a getter that makes the array shorter', (guest) => {
  for (const length of [10, 100, 40_000]) {
    const values = Array.from({ length }, () => 1);
    Object.defineProperty(values, 0, {
      get() {
        values.length = 5;
        return 1;
      },
    });
    withoutLeak(guest, () => thrownBy(TypeError, () => guest.call('sum_f64', [copy(f64), i32], f64, values, length)));
  }
});

guestTest('a getter that makes the array longer', (guest) => {
  for (const length of [10, 100, 40_000]) {
    const values = Array.from({ length }, () => 1);
    Object.defineProperty(values, 0, {
      get() {
        for (let i = 0; i < 100; i++) values.push(1000);
        return 1;
      },
    });
    assertEq(guest.call('sum_f64', [copy(f64), i32], f64, values, length), length);
  }
});

guestTest('a length function that detaches its own argument', (guest) => {
  const given = Float64Array.of(1, 2);
  withoutLeak(guest, () =>
    thrownBy(TypeError, () =>
      guest.call(
        'sum_f64',
        [
          copy(f64, () => {
            given.buffer.transfer();
            return 2;
          }),
          i32,
        ],
        f64,
        given,
        2,
      ),
    ),
  );
});

guestTest('a length function that lets go of the block that its argument views', (guest) => {
  const { call, exports } = guest;
  let freed = 0;
  const given = call('iota_f64', [i32], view(f64, 4), 4);
  const [address, live] = [addressOf(given), exports.live_blocks()];
  const length = () => {
    given.buffer.transfer();
    guest.settle();
    freed = live - exports.live_blocks();
    return 4;
  };
  let passed;
  try {
    passed = call('echo_u32', [view(f64, length)], u32, given);
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    return;
  }
  assert(freed === 0 || passed !== address, 'the guest was given the address of a block that was freed');
});

guestTest('a later argument’s length function that lets go of an earlier argument’s block', (guest) => {
  const { call } = guest;
  const a = call('iota_f64', [i32], view(f64, 4), 4);
  const target = new Float64Array(4);
  const length = () => {
    a.buffer.transfer();
    guest.settle();
    return 4;
  };
  try {
    call(
      'multiply_into',
      [view(f64), copy(f64, length), out(copy(f64)), i32],
      types.void,
      a,
      [10, 10, 10, 10],
      target,
      4,
    );
  } catch (error) {
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    return;
  }
  assertList(target, [0, 10, 20, 30], 'the guest read the block that it was given');
});

guestTest('an import that drops views during a call', (guest) => {
  let views = Array.from({ length: 10 }, () => guest.call('iota_f64', [i32], view(f64, 4), 4));
  const values = [1, 2, 3];
  map(guest, values, (value) => {
    views = undefined;
    globalThis.gc();
    return value + 1;
  });
  assertList(values, [2, 3, 4]);
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('an import that allocates, frees and calls during a call', (guest) => {
  const values = [1, 2, 3];
  map(guest, values, (value) => {
    const square = guest.call('multiply', [copy(f64), copy(f64), i32], view(f64, 1), [value], [value], 1);
    guest.manager.free(guest.manager.malloc(1000));
    return square[0];
  });
  assertList(values, [1, 4, 9]);
});

guestTest('an import that grows the memory during a call, with views on both sides', (guest) => {
  let values = guest.call('iota_f64', [i32], view(f64, 3), 3);
  map(guest, values, (value) => {
    guest.memory.grow(1);
    return values.length + value;
  });
  assertList(values, [3, 4, 5]);
  values = undefined; // the guest's table may keep the callback for as long as there is a guest
});

guestTest('an import that transfers a view that the call is working on', (guest) => {
  const values = guest.call('iota_f64', [i32], view(f64, 3), 3);
  let moved;
  map(guest, values, (value) => {
    moved ??= values.buffer.transfer();
    return value + 1;
  });
  assertList([...new Float64Array(moved)], [1, 2, 3]);
  assertEq(values.length, 0);
  moved = undefined;
});

guestTest('an import that lets go of a view that the call is working on', (guest) => {
  const { call } = guest;
  const values = call('iota_f64', [i32], view(f64, 3), 3);
  let others;
  map(guest, values, (value) => {
    if (!values.buffer.detached) {
      values.buffer.transfer();
      guest.settle();
      others = Array.from({ length: 8 }, () => guest.manager.createTypedArray(Float64Array, [50, 50, 50]));
    }
    return value + 1;
  });
  const seen = others.map((other) => [...other]).flat();
  others = undefined;
  assertList(seen, new Array(24).fill(50), 'blocks that were allocated during the call');
});

guestTest('an import that lets go of a view that the call is working on, and throws', (guest) => {
  for (const twice of [false, true]) {
    const values = guest.call('iota_f64', [i32], view(f64, 3), 3);
    const thrown = new Error('from the import');
    let error;
    try {
      map(guest, values, () => {
        values.buffer.transfer();
        guest.settle();
        if (twice)
          map(guest, [1], () => {
            throw thrown;
          });
        throw thrown;
      });
    } catch (caught) {
      error = caught;
    }
    assertEq(error, thrown);
    guest.settle();
    assertEq(guest.exports.live_blocks(), 0, 'after the call the block goes back');
  }
});

guestTest('the same view in several arguments and in calls inside of each other, let go in the innermost', (guest) => {
  const { call } = guest;
  const values = call('iota_f64', [i32], view(f64, 3), 3);
  let sum;
  const inner = () => {
    values.buffer.transfer();
    guest.settle();
    return 3;
  };
  const outer = () => {
    sum = call('multiply', [view(f64), copy(f64, inner), i32], copy(f64, 3), values, [1, 1, 1], 3);
    guest.settle();
    return 3;
  };
  const result = call('multiply', [view(f64), view(f64), i32], copy(f64, 3), values, values, 3);
  assertList(result, [0, 1, 4]);
  const target = new Float64Array(3);
  const params = [view(f64), copy(f64, outer), out(copy(f64)), i32];
  call('multiply_into', params, types.void, values, [10, 10, 10], target, 3);
  assertList(sum, [0, 1, 2]);
  assertList(target, [0, 10, 20]);
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('an argument that is detached during the call gets nothing back, and nothing breaks', (guest) => {
  const values = Float64Array.of(1, 2, 3);
  map(guest, values, (value) => {
    if (!values.buffer.detached) values.buffer.transfer();
    return value;
  });
  assertEq(values.length, 0);
});

guestTest('a plain array that is shortened during the call grows back', (guest) => {
  const values = [1, 2, 3];
  map(guest, values, (value) => {
    values.length = 0;
    return value + 1;
  });
  assertList(values, [2, 3, 4]);
});

guestTest('setters that make calls while results are copied back', (guest) => {
  const target = [0, 0, 0];
  let stored;
  Object.defineProperty(target, 1, {
    get: () => 0,
    set(value) {
      guest.call('iota_f64', [i32], view(f64, 100), 100);
      guest.settle();
      guest.memory.grow(1);
      stored = value;
    },
  });
  guest.call('fill_f64', [out(copy(f64)), i32, f64], types.void, target, 3, 6);
  assertEq(stored, 6);
  assertEq(target[2], 6);
});

test('malloc that calls a script which uses the heap: refused there, and nothing breaks', () => {
  const errors = [];
  const b = new WasmBuilder();
  const hook = b.importFunc('host', 'hook');
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.call(hook), op.i32(1024)], { export: 'malloc' });
  b.func(['i32'], [], [op.call(hook)], { export: 'free' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'first' });
  const attempts = () => [
    () => manager.malloc(1),
    () => manager.free(2048),
    () => manager.createTypedArray(Uint8Array, 1),
    () => prototype.invoke(manager, first, [1]),
  ];
  const { memory, malloc, free, first } = b.instance({
    host: {
      hook() {
        for (const attempt of attempts())
          try {
            attempt();
            errors.push('none');
          } catch (error) {
            errors.push(error.name);
          }
      },
    },
  }).exports;
  const manager = new MemoryManager(memory, malloc, free);
  const prototype = new FunctionPrototype([into(copy(types.u8))], i32);
  assertEq(prototype.invoke(manager, first, [42]), 42);
  assertList(errors, Array(8).fill('RangeError'));
});

test('malloc that calls a script which drops views and collects garbage', () => {
  let views = [];
  let next = 1024;
  const freed = [];
  const b = new WasmBuilder();
  const malloc = b.importFunc('host', 'malloc', ['i32'], ['i32']);
  const free = b.importFunc('host', 'free', ['i32']);
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.call(malloc)], { export: 'malloc' });
  b.func(['i32'], [], [op.localGet(0), op.call(free)], { export: 'free' });
  const exports = b.instance({
    host: {
      malloc() {
        views.pop();
        globalThis.gc();
        return (next += 64);
      },
      free(address) {
        views.pop();
        globalThis.gc();
        freed.push(address);
      },
    },
  }).exports;
  const manager = new MemoryManager(exports.memory, exports.malloc, exports.free);
  const made = [];
  for (let i = 0; i < 20; i++) made.push(addressOf(views[views.push(manager.createTypedArray(Uint8Array, 8)) - 1]));
  views = [];
  for (let i = 0; i < 40; i++) manager.free(manager.malloc(8));
  assertEq(new Set(freed).size, freed.length, 'nothing twice');
  assert(
    made.every((address) => freed.includes(address)),
    'everything once',
  );
});

guestTest('a length function that throws away its whole world', (guest) => {
  const { manager, exports } = guest;
  let prototype = new FunctionPrototype(
    [
      into(
        copy(f64, () => {
          prototype = undefined;
          globalThis.gc();
          return 2;
        }),
      ),
      into(i32),
    ],
    f64,
  );
  assertEq(prototype.invoke(manager, exports.sum_f64, [1, 2], 2), 3);
});

test('garbage collection in the middle of calls, with managers and guests as garbage', () => {
  for (let i = 0; i < 20; i++) {
    const b = new WasmBuilder();
    const hook = b.importFunc('host', 'hook', [], ['i32']);
    b.memory({ min: 1 }, { export: 'memory' });
    b.func(['i32'], ['i32'], [op.i32(1024)], { export: 'malloc' });
    b.func(['i32'], [], [], { export: 'free' });
    b.func(['i32'], ['i32'], [op.call(hook)], { export: 'f' });
    let instance = b.instance({
      host: {
        hook() {
          instance = undefined;
          globalThis.gc();
          return 9;
        },
      },
    });
    const { memory, malloc, free, f } = instance.exports;
    assertEq(new FunctionPrototype([into(copy(f64))], i32).invoke(new MemoryManager(memory, malloc, free), f, [1]), 9);
  }
});
