// C's stack: each async call has one of its own, and what does not return gives back what it has taken.
import { cdef, MemoryManager } from 'tombolo:marshal';
import { readFileSync } from 'node:fs';
import { assert, assertEq, assertRejects, assertThrows, test } from '../harness.mjs';

const declarations = `
  size_t stack_end(void);
  int64_t ask(int (*next)(int) [[async]], int mark, int times) [[async]];
  int64_t drain(int (*read)(uint8_t *buffer [[view, length(size)]], size_t size) [[async]]) [[async]];
  int use(int (*next)(int) [[async]], size_t bytes) [[async]];
`;
const plain = 'int64_t ask(int (*next)(int), int mark, int times);';

const read = (name) => readFileSync(new URL(`../../../guests/${name}.wasm`, import.meta.url));

/** The module with a name section that tells where the stack pointer is, and nothing else. */
const named = (bytes) => {
  const names = [7, 18, 1, 0, 15, ...Buffer.from('__stack_pointer')];
  return Buffer.concat([bytes, Buffer.from([0, 5 + names.length, 4, ...Buffer.from('name'), ...names])]);
};

for (const [name, bytes] of [
  ['32 bits', read('waiting')],
  ['64 bits', read('waiting64')],
  ['32 bits, with names', named(read('waiting'))],
]) {
  const guest = () => {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    const memoryManager = MemoryManager.of(instance);
    return {
      bind: (text, options) => cdef(instance, text, { memoryManager, ...options }),
      exports: instance.exports,
    };
  };

  test(`${name}: calls that end in any order keep what they have on the stack`, async () => {
    const { bind, exports } = guest();
    const lib = bind(declarations);
    const end = exports.stack_end();
    const waiting = [];
    const next = (mark) => new Promise((resolve) => waiting.push(() => resolve(mark)));
    const calls = [];
    for (let mark = 1; mark <= 6; ++mark) calls.push(lib.ask(next, mark, 4));
    // The oldest first, the youngest first, and others in between.
    let turn = 0;
    while (waiting.length > 0) {
      const at = [0, waiting.length - 1, waiting.length >> 1][turn++ % 3];
      waiting.splice(at, 1)[0]();
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEq(exports.stack_end(), end, 'while calls wait, the stack is what it was');
    }
    assertEq(String(await Promise.all(calls)), '4,8,12,16,20,24');
    assertEq(exports.stack_end(), end);
  });

  test(`${name}: a call below a call that waits`, async () => {
    const { bind, exports } = guest();
    const [lib, sync] = [bind(declarations), bind(plain)];
    const end = exports.stack_end();
    let resolve;
    const outer = lib.ask((mark) => new Promise((done) => { resolve = () => done(mark); }), 3, 1);
    assertEq(sync.ask((mark) => { resolve(); return mark; }, 5, 6), 30n);
    assertEq(await outer, 3n);
    // A call that runs inside of another's callback, on the other's stack.
    assertEq(await lib.ask(async (mark) => mark + Number(sync.ask((inner) => inner, 2, 5)), 1, 3), 33n);
    assertEq(exports.stack_end(), end);
  });

  test(`${name}: a buffer on the stack is the call's own while it waits`, async () => {
    const { bind } = guest();
    const lib = bind(declarations);
    const reader = (value, times) => async (buffer, size) => {
      assertEq(Number(size), 512);
      for (let at = 0; at < 512; at += 128) {
        buffer.fill(value, at, at + 128);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return times-- > 0 ? 512 : 0;
    };
    const sums = await Promise.all([1, 2, 3, 4, 5].map((value) => lib.drain(reader(value, 6 - value))));
    assertEq(String(sums), [1, 2, 3, 4, 5].map((value) => 512 * value * (6 - value)).join());
  });

  test(`${name}: what throws leaves nothing on the stack`, async () => {
    const { bind, exports } = guest();
    const [lib, sync] = [bind(declarations), bind(plain)];
    const end = exports.stack_end();
    // 64 KiB of stack would be gone after 60 of these.
    for (let n = 0; n < 300; ++n) {
      assertThrows(RangeError, () => sync.ask(() => { throw new RangeError('no'); }, 1, 1));
      await assertRejects(RangeError, () => lib.ask(() => { throw new RangeError('no'); }, 1, 1));
      await assertRejects(RangeError, () => lib.ask(() => Promise.reject(new RangeError('no')), 1, 1));
    }
    assertEq(exports.stack_end(), end);
    // Inside of a callback, the stack goes on where the outer call is.
    const inner = () => {
      const here = exports.stack_end();
      assert(here < end);
      assertThrows(RangeError, () => sync.ask(() => { throw new RangeError('no'); }, 2, 3));
      assertEq(exports.stack_end(), here);
      return 1;
    };
    assertEq(sync.ask(inner, 1, 3), 3n);
    assertEq(exports.stack_end(), end);
  });

  test(`${name}: the stacks' blocks are freed`, async () => {
    const { bind, exports } = guest();
    const lib = bind(declarations);
    const before = exports.live_blocks();
    const calls = Array.from({ length: 20 }, (_, mark) => lib.ask(async (value) => value, mark % 8, 3));
    assert(exports.live_blocks() >= before + 20);
    await Promise.all(calls);
    (() => {
      for (let n = 0; n < 20; ++n) lib.ask(() => new Promise(() => {}), 1, 1); // given up
    })();
    for (let n = 0; n < 3; ++n) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await lib.ask(async () => 0, 1, 1); // its end and the next one's beginning are safe points
    await lib.ask(async () => 0, 1, 0);
    assert(exports.live_blocks() <= before + 2, `${exports.live_blocks()} blocks are alive, ${before} were`);
  });

  test(`${name}: how large it is`, async () => {
    const { bind, exports } = guest();
    const next = async (bytes) => bytes;
    const bytes = exports.live_bytes();
    const call = bind(declarations).use(next, 40_000);
    const taken = Number(exports.live_bytes() - bytes);
    // The guest was linked with 64 KiB, and a stack that it does not share has as much, but for what cannot be seen.
    assert(taken >= 65536 && taken < 71000, `${taken} bytes`);
    assertEq(await call, 40_000);
    const large = bind(declarations, { stackSize: 300_000 });
    assertEq(await large.use(next, 290_000), 290_000);
    const small = bind(declarations, { stackSize: 2000 });
    assertEq(await small.use(next, 1500), 1500);
    const error = await small.use(next, 2100).catch((thrown) => thrown);
    assert(error instanceof RangeError && error.message.includes('2000 bytes'), String(error));
    const shared = bind(declarations, { stackSize: 0 });
    const before = exports.live_blocks();
    const waits = shared.use(next, 100);
    assert(exports.live_blocks() <= before, 'nothing is allocated');
    assertEq(await waits, 100);
    for (const stackSize of [-1, 2 ** 32, NaN, 'x', {}]) {
      assertThrows(TypeError, () => bind(declarations, { stackSize }));
    }
  });
}
