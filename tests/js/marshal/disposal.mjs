// Views, handles and callbacks end by `using`, by `[Symbol.dispose]()` and by gc(); what is used after the end says so.
import {
  addressOf, borrowed, Callback, CallbackType, FunctionPrototype, In, MemoryManager, opaque, owned, Pointer, StringBuffer,
} from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { heap, thrownBy } from './load.mjs';
import { assertSame, byView, copy, guestTest, inout, leavesNothing, out, pointer, records, samples, t, view, vocabulary } from './vocabulary.mjs';

const { pair, nested } = records;
/** Everything that owns a block, made anew, and a way to pass it to the guest. */
const makers = {
  'a typed array': [(guest) => guest.call('iota', [t.i32], view(t.i32, 4), 4), (guest, one) => guest.call('count_until', [view(t.i32), t.i32], t.i32, one, 3)],
  'a created typed array': [({ manager }) => manager.createTypedArray(Int32Array, [0, 1, 2, 3]), (guest, one) => guest.call('count_until', [view(t.i32), t.i32], t.i32, one, 3)],
  'a struct': [({ manager }) => pair.create(manager, { a: 1, b: 2 }), (guest, one) => guest.call('sum_pairs', [byView(pair), t.i32], t.i32, one, 1)],
  'a returned struct': [(guest) => guest.call('copy_nested', [byView(nested)], byView(nested), samples.nested), (guest, one) => guest.call('copy_nested', [byView(nested)], pointer(nested), one).contents.tag],
  'an array of structs': [(guest) => guest.call('new_pairs', [t.i32], view(pair, 2), 2), (guest, one) => guest.call('sum_pairs', [view(pair), t.i32], t.i32, one, 2)],
  'a StringBuffer': [({ manager }) => StringBuffer.fromString(manager, 'text', true), (guest, one) => guest.call('string_length', [t.buffer], t.size, one)],
};

for (const [name, [make, use]] of Object.entries(makers)) {
  guestTest(`${name}: using`, (guest) => {
    let kept;
    {
      using one = make(guest);
      kept = one;
      use(guest, one);
      assertEq(guest.exports.live_blocks(), 1);
    }
    assertEq(guest.exports.live_blocks(), 0, 'at once');
    assert(/ended|detached/.test(thrownBy(TypeError, () => use(guest, kept))));
    kept[Symbol.dispose]();
    kept[Symbol.dispose]();
    assertEq(guest.exports.live_blocks(), 0);
    assertThrows(TypeError, () => addressOf(kept));
  });
  guestTest(`${name}: using, left by an exception`, (guest) => {
    assertThrows(Error, () => { using one = make(guest); throw new Error(`with ${typeof one}`); });
    assertEq(guest.exports.live_blocks(), 0);
  });
  guestTest(`${name}: gc()`, (guest) => {
    make(guest);
    guest.settle();
    assertEq(guest.exports.live_blocks(), 0);
    (() => { const ring = { one: make(guest) }; ring.ring = ring; })();
    guest.settle();
    assertEq(guest.exports.live_blocks(), 0, 'in a circle');
    (() => { const map = new WeakMap(); const key = {}; map.set(key, [make(guest), key]); })();
    guest.settle();
    assertEq(guest.exports.live_blocks(), 0, 'in a WeakMap');
  });
  guestTest(`${name}: a loop is flat`, (guest) => {
    for (let i = 0; i < 10; i++) make(guest);
    const { byteLength } = guest.memory.buffer;
    for (let i = 0; i < 20_000; i++) make(guest);
    for (let i = 0; i < 20_000; i++) make(guest)[Symbol.dispose]();
    assertEq(guest.memory.buffer.byteLength, byteLength);
    assert(guest.exports.live_blocks() < 10);
  });
  guestTest(`${name}: circles in a loop`, (guest) => {
    const round = () => { const ring = { one: make(guest) }; ring.ring = ring; };
    for (let i = 0; i < 50_000; i++) round();
    assert(guest.memory.buffer.byteLength < 64 * 2 ** 20, `memory of ${guest.memory.buffer.byteLength} bytes`);
  });
  guestTest(`${name}: a DisposableStack`, (guest) => {
    const stack = new DisposableStack();
    for (let i = 0; i < 3; i++) stack.use(make(guest));
    assertEq(guest.exports.live_blocks(), 3);
    stack.dispose();
    assertEq(guest.exports.live_blocks(), 0);
  });
  guestTest(`${name}: WeakRef and FinalizationRegistry`, async (guest) => {
    const dropped = new Promise((resolve) => {
      const registry = new FinalizationRegistry(resolve);
      (() => registry.register(make(guest), name))();
      globalThis.registryOfDisposal = registry;
    });
    globalThis.gc();
    assertEq(await dropped, name);
    delete globalThis.registryOfDisposal;
  });
  guestTest(`${name}: freed when the guest’s own free was called before, is no crash`, (guest) => {
    const one = make(guest);
    const before = heap(guest);
    assertEq(before.blocks, 1);
    guest.memory.grow(1);
    guest.exports.grow_pages(1);
    use(guest, one);
    one[Symbol.dispose]();
  });
}

guestTest('fields of what has ended', (guest) => {
  const made = nested.create(guest.manager, samples.nested);
  const { at, grid, pairs, name } = made;
  made[Symbol.dispose]();
  for (const use of [() => made.tag, () => { made.tag = 1; }, () => made.at, () => made.grid, () => made.pairs, () => made.name, () => at.x, () => { at.x = 1; }, () => pairs.at(0).a, () => pairs.set(0, { a: 1, b: 2 }), () => [...pairs][0].a, () => JSON.stringify(made)]) {
    assertThrows(TypeError, use, /ended/);
  }
  assertEq(name.length, 0);
  assert(grid !== undefined);
});

guestTest('a part disposes the whole', (guest) => {
  const made = nested.create(guest.manager, samples.nested);
  made.at[Symbol.dispose]();
  assertEq(guest.exports.live_blocks(), 0);
  assertThrows(TypeError, () => made.tag, /ended/);
});

guestTest('borrowed views: the end is the view’s alone', (guest) => {
  const seen = guest.call('get_shared_pair', [], borrowed(byView(pair)));
  const other = guest.call('get_shared_pair', [], borrowed(byView(pair)));
  leavesNothing(guest, () => seen[Symbol.dispose]());
  assertThrows(TypeError, () => seen.a, /ended/);
  assertEq(other.a, 10);
  leavesNothing(guest, () => pair.at(guest.manager, addressOf(other))[Symbol.dispose]());
  assertEq(other.a, 10);
});

guestTest('a subarray and a DataView keep the block', (guest) => {
  let part = guest.call('iota', [t.i32], view(t.i32, 4), 4).subarray(2);
  guest.settle();
  assertList(part, [2, 3]);
  let data = new DataView(part.buffer);
  part = null;
  guest.settle();
  assertEq(data.getInt32(4, true), 1);
  data = null;
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('memory’s own buffer is not to be disposed', (guest) => {
  const bytes = new Uint8Array(guest.memory.buffer);
  assertThrows(TypeError, () => bytes[Symbol.dispose](), /not a view/);
  assertThrows(TypeError, () => new Uint8Array(4)[Symbol.dispose](), /not a view/);
  for (const wrong of [{}, 1, undefined, [], new ArrayBuffer(4)]) assertThrows(TypeError, () => Uint8Array.prototype[Symbol.dispose].call(wrong));
  const one = pair.create(guest.manager);
  for (const wrong of [{}, 1, undefined, [], new Uint8Array(4)]) assertThrows(TypeError, () => one[Symbol.dispose].call(wrong));
  one[Symbol.dispose]();
});

guestTest('views, handles and callbacks of a guest that nobody has any more', () => {
  const left = (() => {
    const guest = vocabulary();
    return {
      numbers: guest.call('iota', [t.i32], view(t.i32, 4), 4),
      struct: pair.create(guest.manager, { a: 1, b: 2 }),
      list: guest.call('new_pairs', [t.i32], view(pair, 2), 2),
      handle: guest.call('counter_open', [t.i32], opaque(guest.exports.counter_close, 'counter'), 1),
      callback: new Callback(guest.manager, new CallbackType([new In(t.i32)], t.i32), (n) => n),
      text: StringBuffer.fromString(guest.manager, 'text', true),
    };
  })();
  for (let i = 0; i < 3; i++) globalThis.gc();
  assertList(left.numbers, [0, 1, 2, 3]);
  assertSame(left.struct, { a: 1, b: 2 });
  left.struct.a = 7;
  assertEq(left.struct.a, 7);
  assertEq(left.list.at(1).b, -1);
  assertEq(String(left.text), 'text');
  assertEq(left.handle.closed, false);
  assert(left.callback.address > 0);
  for (const one of Object.values(left)) one[Symbol.dispose]();
  assertEq(left.handle.closed, true);
  assertThrows(TypeError, () => left.struct.a, /ended/);
});

test('guests in a loop, each with all kinds of things left over, are flat', () => {
  const leave = () => {
    const guest = vocabulary();
    const kept = [
      guest.call('iota', [t.i32], view(t.i32, 1000), 1000), pair.create(guest.manager), guest.call('counter_open', [t.i32], opaque(guest.exports.counter_close), 1),
      new Callback(guest.manager, new CallbackType([], null), () => kept),
    ];
    kept[3].keep();
    guest.kept = kept;
  };
  for (let i = 0; i < 200; i++) leave();
  globalThis.gc();
  const { alive } = globalThis.tombolo.guestMemory().blocks;
  assert(alive < 400, `${alive} blocks are alive`);
});

guestTest('a call in progress keeps what it was given', (guest) => {
  const f = new CallbackType([new In(t.i32)], t.i32);
  let numbers = guest.call('iota', [t.i32], view(t.i32, 4), 4);
  const log = [];
  const descend = guest.bind('descend', [t.i32, f], t.i32);
  const result = guest.call('each_pair', [inout(view(t.i32)), t.i32, new CallbackType([new In(byView(pair))], null)], t.void, numbers, 2, (one) => {
    numbers = null;
    globalThis.gc();
    guest.manager.createTypedArray(Int32Array, [9, 9, 9, 9])[Symbol.dispose]();
    log.push(one.a, one.b);
  });
  assertEq(result, undefined);
  assertList(log, [0, 1, 2, 3]);
  assertEq(descend(1, () => 1), 2);
});

guestTest('owned by two: the second owner is refused, the first goes on', (guest) => {
  const first = guest.call('iota', [t.i32], view(t.i32, 2), 2);
  const at = addressOf(first);
  assertThrows(RangeError, () => guest.call('same', [t.any], view(t.i32, 2), at), /owner/);
  assertThrows(RangeError, () => guest.call('same', [t.any], byView(pair), at), /owner/);
  const error = (() => { try { return guest.call('same', [t.any], copy(t.i32, 2), at); } catch (caught) { return caught; } })();
  assert(error instanceof RangeError, `a copied result would free the view’s block: ${String(error)}`);
  assertList(first, [0, 1]);
  first[Symbol.dispose]();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('free by hand of what a view owns', (guest) => {
  const made = guest.manager.createTypedArray(Int32Array, [1, 2]);
  const error = (() => { try { guest.manager.free(addressOf(made)); } catch (caught) { return caught; } return undefined; })();
  if (error === undefined) {
    assertEq(made.length, 0, 'it has ended');
  } else {
    assert(error instanceof RangeError || error instanceof TypeError, String(error));
    made[Symbol.dispose]();
  }
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
});

guestTest('transfer and structuredClone of a view’s buffer', (guest) => {
  (() => {
    const made = guest.manager.createTypedArray(Int32Array, [1, 2]);
    assertList(structuredClone(made), [1, 2]);
    try {
      const moved = made.buffer.transfer();
      assertEq(made.length, 0);
      assertList(new Int32Array(moved), [1, 2]);
    } catch (error) {
      assert(error instanceof TypeError, String(error));
      made[Symbol.dispose]();
    }
  })();
  guest.settle();
  assertEq(guest.exports.live_blocks(), 0);
  for (const one of [pair.create(guest.manager), guest.call('new_pairs', [t.i32], view(pair, 1), 1)]) {
    try { structuredClone(one); } catch (error) { assert(error instanceof Error, String(error)); }
    one[Symbol.dispose]();
  }
  assert([out, owned, Pointer].length === 3);
});

for (const kind of ['a block', 'a handle']) {
  test(`${kind} of a guest in a circle that nobody has: freed by an import that collects garbage`, async () => {
    let calls = 0;
    (() => {
      const b = new WasmBuilder();
      const imported = b.importFunc('host', 'free', ['i32'], []);
      b.memory({ min: 1 }, { export: 'memory' });
      b.func(['i32'], ['i32'], [op.i32(1024)], { export: 'malloc' });
      b.func(['i32'], [], [op.localGet(0), op.call(imported)], { export: 'free' });
      const free = () => {
        calls++;
        globalThis.gc();
        return manager;
      };
      const { exports } = b.instance({ host: { free } });
      const manager = new MemoryManager(exports.memory, exports.malloc, exports.free);
      if (kind === 'a block') manager.createTypedArray(Uint8Array, 8);
      else new FunctionPrototype([new In(t.i32)], opaque(exports.free)).invoke(manager, exports.malloc, 8);
    })();
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 1));
    assert(calls <= 1, `freed ${calls} times`);
  });
}
