// A guest whose memory has 64-bit addresses.
import { addressOf, MemoryManager } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { copy, FunctionPrototype, into, types, view } from './load.mjs';

const { f64, i32, i64, string, u8 } = types;

/** Blocks of 256 bytes from 1024 on, none freed twice; `same` returns its argument. */
function guest() {
  const freed = [];
  const b = new WasmBuilder();
  const free = b.importFunc('host', 'free', ['i64']);
  b.memory({ min: 1, address: 'i64' }, { export: 'memory' });
  const next = b.global('i64', op.i64(1024n), { mutable: true });
  b.func(['i64'], ['i64'], [op.globalGet(next), op.globalGet(next), op.i64(256n), op.i64Add, op.globalSet(next)], {
    export: 'malloc',
  });
  b.func(['i64'], [], [op.localGet(0), op.call(free)], { export: 'free' });
  b.func(['i64'], ['i64'], [op.localGet(0)], { export: 'same' });
  b.func(['i64', 'i64'], ['i64'], [op.localGet(1)], { export: 'second' });
  const { exports } = b.instance({
    host: {
      free(address) {
        freed.push(address);
      },
    },
  });
  return { exports, freed, manager: new MemoryManager(exports.memory, exports.malloc, exports.free) };
}

test('views, arrays and strings by 64-bit pointers', () => {
  const { exports, freed, manager } = guest();
  const made = manager.createTypedArray(Float64Array, [1, 2, 3]);
  assertEq(addressOf(made), 1024);
  assertEq(new FunctionPrototype([into(view(f64))], i64).invoke(manager, exports.same, made), 1024n);
  assertEq(new FunctionPrototype([into(copy(f64))], i64).invoke(manager, exports.same, [1]), 1280n);
  assertList(freed, [1280n]);
  const other = manager.createTypedArray(Uint8Array, [0x68, 0x69, 0]);
  const result = new FunctionPrototype([into(string), into(view(u8))], view(u8, 2));
  assertThrows(RangeError, () => result.invoke(manager, exports.second, 'text', other), /owner/);
  const bare = manager.malloc(3);
  new Uint8Array(exports.memory.buffer, bare, 3).set([0x68, 0x69, 0]);
  assertEq(new FunctionPrototype([into(i64)], string).invoke(manager, exports.same, bare), 'hi');
  assertEq(freed.at(-1), BigInt(bare));
});

test('null pointers, and pointers outside', () => {
  const { exports, manager } = guest();
  assertEq(new FunctionPrototype([into(string)], i64).invoke(manager, exports.same, null), 0n);
  assertEq(new FunctionPrototype([into(i64)], view(f64, 1)).invoke(manager, exports.same, 0n), null);
  for (const address of [65536n, 2n ** 32n + 1024n, 2n ** 63n, -8n]) {
    for (const returns of [view(f64, 1), copy(f64, 1), string]) {
      assertThrows(RangeError, () =>
        new FunctionPrototype([into(i64)], returns).invoke(manager, exports.same, address),
      );
    }
  }
});

test('a prototype with 32-bit pointers does not fit', () => {
  const { exports, manager } = guest();
  assertThrows(TypeError, () => new FunctionPrototype([into(i32)], i64).invoke(manager, exports.same, 1), /type/);
  assert(manager.malloc(1) >= 1024);
});
