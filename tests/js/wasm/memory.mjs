// Memory: its constructor, growth, and what becomes of the buffer.
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Memory } = WebAssembly;
const PAGE = 65536;
const detached = (buffer) => buffer.byteLength === 0 && buffer.detached;

test('initial is the size in pages', () => {
  for (const initial of [0, 1, 10]) assertEq(new Memory({ initial }).buffer.byteLength, initial * PAGE);
  assertEq(new Memory({ initial: 2, maximum: 2 }).buffer.byteLength, 2 * PAGE);
});

test('a new memory is zero throughout, and can be written', () => {
  const bytes = new Uint8Array(new Memory({ initial: 1 }).buffer);
  assert(bytes.every((byte) => byte === 0));
  bytes[PAGE - 1] = 7;
  assertEq(bytes[PAGE - 1], 7);
});

test('initial and maximum convert like numbers', () => {
  const size = (initial) => new Memory({ initial }).buffer.byteLength / PAGE;
  assertEq(size('3'), 3);
  assertEq(size(true), 1);
  assertEq(size(null), 0);
  assertEq(size(1.9), 1);
  assertEq(size([2]), 2);
  assertEq(size({ valueOf: () => 4 }), 4);
  assertEq(size(''), 0);
  new Memory({ initial: 1, maximum: '1.5' });
});

test('a fraction between -1 and 0 is truncated to 0', () => {
  assertEq(new Memory({ initial: -0.5 }).buffer.byteLength, 0);
}, { v8: 'finds it negative' });

const outOfRange = [NaN, Infinity, -Infinity, -1, -1e20, 2 ** 32, 1e20, 'text', {}, undefined, 1n, Symbol('s')];
test('an initial size that is no unsigned long: TypeError', () => {
  for (const initial of outOfRange) assertThrows(TypeError, () => new Memory({ initial }));
});

test('a maximum that is no unsigned long: TypeError', () => {
  for (const maximum of outOfRange) if (maximum !== undefined) assertThrows(TypeError, () => new Memory({ initial: 0, maximum }));
});

test('sizes that no memory can have: RangeError', () => {
  assertThrows(RangeError, () => new Memory({ initial: 65537 }));
  assertThrows(RangeError, () => new Memory({ initial: 2 ** 32 - 1 }));
  assertThrows(RangeError, () => new Memory({ initial: 0, maximum: 65537 }));
  assertThrows(RangeError, () => new Memory({ initial: 10, maximum: 9 }));
});

test('a maximum of 65,536 pages is allowed', () => {
  assertEq(new Memory({ initial: 0, maximum: 65536 }).buffer.byteLength, 0);
});

test('a descriptor that is no object, or lacks initial: TypeError', () => {
  for (const descriptor of [undefined, null, {}, 1, '', true, 1n, Symbol('s'), { maximum: 1 }]) {
    assertThrows(TypeError, () => new Memory(descriptor));
  }
});

test('an undefined maximum is a missing one', () => {
  const memory = new Memory({ initial: 0, maximum: undefined });
  assertEq(memory.grow(1), 0);
});

test('a descriptor may be a function or a proxy, its members inherited', () => {
  assertEq(new Memory(Object.assign(() => {}, { initial: 1 })).buffer.byteLength, PAGE);
  assertEq(new Memory(Object.create({ initial: 1 })).buffer.byteLength, PAGE);
  assertEq(new Memory(new Proxy({ initial: 1 }, {})).buffer.byteLength, PAGE);
});

/** A descriptor that writes down what is done to it, and the list it writes to. */
function spied(values) {
  const log = [];
  const descriptor = new Proxy({}, {
    get(_, key) {
      log.push(`get ${String(key)}`);
      return key in values ? { valueOf() { log.push(`convert ${key}`); return values[key]; } } : undefined;
    },
    has() { log.push('has'); return true; },
  });
  return { descriptor, log };
}

test('members are converted in the order of their names', () => {
  const { descriptor, log } = spied({ initial: 1, maximum: 2 });
  new Memory(descriptor);
  assertList(log.filter((entry) => entry.startsWith('convert')), ['convert initial', 'convert maximum']);
  assertList(log.filter((entry) => /initial|maximum/.test(entry) && entry.startsWith('get')), ['get initial', 'get maximum']);
});

// AddressValue is `any` in the text, which would convert after the dictionary; the official tests, and engines, convert
// each size as it is read.
test('each size is converted as it is read, and address comes before them', () => {
  const { descriptor, log } = spied({ initial: 1, maximum: 2 });
  new Memory(descriptor);
  const sizes = log.filter((entry) => /address|initial|maximum/.test(entry));
  assertList(sizes, ['get address', 'get initial', 'convert initial', 'get maximum', 'convert maximum']);
});

test('a missing initial is found before maximum is read', () => {
  const { descriptor, log } = spied({ maximum: 2 });
  assertThrows(TypeError, () => new Memory(descriptor), /initial/);
  assert(!log.includes('get maximum'), log.join());
});

test('shared is read last, and is true or false without a conversion that scripts can see', () => {
  const { descriptor, log } = spied({ initial: 1, maximum: 2, shared: true });
  assertEq(new Memory(descriptor).buffer.constructor, SharedArrayBuffer);
  assert(log.indexOf('get shared') > log.indexOf('convert maximum'), log.join());
  assert(!log.includes('convert shared'), log.join());
});

test('address: i64 takes what ToBigInt takes, in range', () => {
  const make = (initial) => new Memory({ address: 'i64', initial, maximum: 8n });
  for (const [initial, pages] of [[2n, 2], ['3', 3], ['0x4', 4], ['', 0], [true, 1], [{ valueOf: () => 5n }, 5]]) {
    assertEq(make(initial).buffer.byteLength, pages * PAGE);
  }
  const none = [-1n, 2n ** 64n, '-1', '18446744073709551616', '0x10000000000000000', 1, 1.5, null, Symbol('s'),
    { valueOf: () => 2n ** 65n }, { valueOf: () => '0x1ffffffffffffffff' }];
  const memory = make(1n);
  for (const value of none) {
    assertThrows(TypeError, () => make(value));
    assertThrows(TypeError, () => new Memory({ address: 'i64', initial: 0n, maximum: value }));
    assertThrows(TypeError, () => memory.grow(value));
  }
  assertThrows(TypeError, () => memory.grow(undefined));
  assertThrows(SyntaxError, () => memory.grow('1.5'));
  assertEq(memory.grow('0x2'), 1n);
  assertEq(memory.grow({ valueOf: () => true }), 3n);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
});

test('address: i64 converts once, by what BigInt was at first', () => {
  const { asIntN } = BigInt;
  let conversions = 0;
  BigInt.asIntN = () => 7n;
  try {
    const memory = new Memory({ address: 'i64', initial: { valueOf() { conversions += 1; return '1'; } } });
    assertEq(memory.buffer.byteLength, PAGE);
  } finally {
    BigInt.asIntN = asIntN;
  }
  assertEq(conversions, 1);
});

test('a range error comes after all conversions', () => {
  const { descriptor, log } = spied({ initial: 70000, maximum: 2 });
  assertThrows(RangeError, () => new Memory(descriptor));
  assert(log.includes('convert maximum'), log.join());
}, { v8: 'checks the range of initial first' });

test('what a getter or a conversion throws comes out unchanged', () => {
  const reason = Symbol('reason');
  assertThrowsValue(reason, () => new Memory({ get initial() { throw reason; } }));
  assertThrowsValue(reason, () => new Memory({ initial: 1, get maximum() { throw reason; } }));
  assertThrowsValue(reason, () => new Memory({ initial: { valueOf() { throw reason; } } }));
});

test('address: i32 is the default, another value is a TypeError', () => {
  assertEq(new Memory({ initial: 1, address: 'i32' }).buffer.byteLength, PAGE);
  assertEq(new Memory({ initial: 1, address: undefined }).buffer.byteLength, PAGE);
  assertEq(new Memory({ initial: 1, address: { toString: () => 'i32' } }).buffer.byteLength, PAGE);
  for (const address of ['', 'i33', 'I32', null, 32, {}]) assertThrows(TypeError, () => new Memory({ initial: 1, address }));
});

test('the buffer is the same object until the memory grows', () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  assertEq(memory.buffer, buffer);
  assertEq(Object.getPrototypeOf(buffer), ArrayBuffer.prototype);
  assertEq(buffer.resizable, false);
  assertEq(buffer.maxByteLength, PAGE);
  assert(Object.isExtensible(buffer));
  buffer.mine = 'kept';
  assertEq(memory.buffer.mine, 'kept');
});

test('grow returns the old size, detaches the old buffer and keeps the contents', () => {
  const memory = new Memory({ initial: 1, maximum: 4 });
  const old = memory.buffer;
  const view = new Uint8Array(old);
  view[PAGE - 1] = 9;
  assertEq(memory.grow(2), 1);
  assert(detached(old));
  assertEq(view.length, 0);
  assertEq(view[0], undefined);
  const { buffer } = memory;
  assert(buffer !== old);
  assertEq(buffer, memory.buffer);
  assertEq(buffer.byteLength, 3 * PAGE);
  const now = new Uint8Array(buffer);
  assertEq(now[PAGE - 1], 9);
  assert(now.subarray(PAGE).every((byte) => byte === 0));
  assertEq(memory.grow(1), 3);
  assert(detached(buffer));
});

test('grow(0) detaches too', () => {
  for (const initial of [0, 1]) {
    const memory = new Memory({ initial });
    const old = memory.buffer;
    assertEq(memory.grow(0), initial);
    assertEq(old.detached, true);
    assert(memory.buffer !== old);
    assertEq(memory.buffer.byteLength, initial * PAGE);
  }
});

test('a buffer that no script has seen is right all the same', () => {
  const memory = new Memory({ initial: 1 });
  memory.grow(1);
  memory.grow(1);
  assertEq(memory.buffer.byteLength, 3 * PAGE);
});

test('a growth that fails changes nothing: RangeError', () => {
  const memory = new Memory({ initial: 1, maximum: 2 });
  const { buffer } = memory;
  for (const delta of [2, 65536, 2 ** 32 - 1]) {
    assertThrows(RangeError, () => memory.grow(delta));
    assertEq(memory.buffer, buffer);
    assertEq(buffer.byteLength, PAGE);
  }
  assertEq(memory.grow(1), 1);
  assertThrows(RangeError, () => memory.grow(1));
  assertThrows(RangeError, () => new Memory({ initial: 1 }).grow(65536));
});

test('grow converts its argument like an unsigned long, in range', () => {
  const memory = new Memory({ initial: 0 });
  for (const delta of outOfRange) assertThrows(TypeError, () => memory.grow(delta));
  assertEq(memory.grow('1'), 0);
  assertEq(memory.grow({ valueOf: () => 1.9 }), 1);
  assertEq(memory.grow(null), 2);
  assertEq(memory.grow(true, 'stray'), 2);
  assertEq(memory.buffer.byteLength, 3 * PAGE);
});

test('a conversion that throws leaves the buffer alone', () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  assertThrowsValue(7, () => memory.grow({ valueOf() { throw 7; } }));
  assertEq(memory.buffer, buffer);
});

test('scripts cannot take the buffer away: transfer', () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  for (const take of [() => buffer.transfer(), () => buffer.transfer(0), () => buffer.transfer(2 * PAGE),
    () => buffer.transferToFixedLength(), () => buffer.resize(0)]) {
    assertThrows(TypeError, take);
    assertEq(buffer.detached, false);
    assertEq(memory.buffer, buffer);
  }
});

test('scripts cannot take the buffer away: structuredClone refuses to transfer it', () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  let thrown;
  try { structuredClone(buffer, { transfer: [buffer] }); } catch (error) { thrown = error; }
  assert(thrown instanceof Error, 'throws');
  assertEq(buffer.detached, false);
  assertEq(memory.buffer.byteLength, PAGE);
});

// The detach key makes DetachArrayBuffer throw a TypeError, which StructuredSerializeWithTransfer passes on.
test('copies of the buffer are ordinary buffers', () => {
  const memory = new Memory({ initial: 1 });
  new Uint8Array(memory.buffer)[3] = 4;
  for (const copy of [memory.buffer.slice()]) {
    memory.grow(0);
    assertEq(copy.byteLength, PAGE);
    assertEq(new Uint8Array(copy)[3], 4);
    assertEq(copy.transfer(1).byteLength, 1);
  }
});

test('an unshared Memory cannot be cloned', () => {
  let thrown;
  try { structuredClone(new Memory({ initial: 1 })); } catch (error) { thrown = error; }
  assert(thrown instanceof Error);
});

// ---- Growth by the guest -------------------------------------------------------------------------------------------

function growing(look = () => {}) {
  const b = new WasmBuilder();
  const host = b.importFunc('host', 'look');
  b.memory({ min: 1, max: 8 }, { export: 'memory' });
  const grow = b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
  b.func(['i32'], ['i32'],
    [op.call(host), op.localGet(0), op.call(grow), op.localSet(1), op.call(host), op.localGet(1)],
    { export: 'lookGrowLook', locals: ['i32'] });
  b.func(['i32'], [], [op.localGet(0), op.call(grow), op.drop, op.unreachable], { export: 'growAndTrap' });
  b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
  b.func(['i32', 'i32'], [], [op.localGet(0), op.localGet(1), op.store8()], { export: 'poke' });
  b.func([], ['i32'], op.memorySize(), { export: 'size' });
  return b.instance({ host: { look } }).exports;
}

test('the guest sees what the script writes, and the other way round', () => {
  const { memory, peek, poke } = growing();
  new Uint8Array(memory.buffer)[100] = 200;
  assertEq(peek(100), 200);
  poke(101, 77);
  assertEq(new Uint8Array(memory.buffer)[101], 77);
});

test('growth by the guest detaches the old buffer by the time the call returns', () => {
  const { memory, grow, poke } = growing();
  const old = memory.buffer;
  poke(5, 55);
  assertEq(grow(2), 1);
  assert(detached(old));
  assertEq(memory.buffer.byteLength, 3 * PAGE);
  assertEq(memory.buffer, memory.buffer);
  assertEq(new Uint8Array(memory.buffer)[5], 55);
});

test('growth by the guest detaches it before an import runs', () => {
  const seen = [];
  const { memory, lookGrowLook } = growing(() => seen.push(memory.buffer));
  const first = memory.buffer;
  assertEq(lookGrowLook(1), 1);
  assertEq(seen[0], first);
  assert(detached(first));
  assert(seen[1] !== first);
  assertEq(seen[1].byteLength, 2 * PAGE);
  assertEq(memory.buffer, seen[1]);
});

test('an import that only holds a view sees it detached', () => {
  const lengths = [];
  let view;
  const { memory, lookGrowLook } = growing(() => lengths.push(view.length));
  view = new Uint8Array(memory.buffer);
  lookGrowLook(1);
  assertList(lengths, [PAGE, 0]);
});

test('growth by 0 pages in the guest detaches as well', () => {
  const { memory, grow } = growing();
  const old = memory.buffer;
  assertEq(grow(0), 1);
  assert(detached(old));
  assertEq(memory.buffer.byteLength, PAGE);
});

test('growth that fails in the guest gives -1 and keeps the buffer', () => {
  const { memory, grow } = growing();
  const { buffer } = memory;
  assertEq(grow(8), -1);
  assertEq(grow(-1), -1);
  assertEq(memory.buffer, buffer);
  assertEq(buffer.byteLength, PAGE);
});

test('growth before a trap stays', () => {
  const { memory, growAndTrap, size } = growing();
  const old = memory.buffer;
  assertThrows(WebAssembly.RuntimeError, () => growAndTrap(1));
  assert(detached(old));
  assertEq(memory.buffer.byteLength, 2 * PAGE);
  assertEq(size(), 2);
});

test('growth by the script is seen by the guest at once', () => {
  const { memory, size, poke, peek } = growing();
  assertThrows(WebAssembly.RuntimeError, () => poke(PAGE, 1));
  memory.grow(1);
  assertEq(size(), 2);
  poke(PAGE, 1);
  assertEq(peek(PAGE), 1);
});

test('growth by the script while the guest runs', () => {
  const { memory, lookGrowLook, size } = growing(() => memory.grow(1));
  assertEq(lookGrowLook(1), 2);
  assertEq(size(), 4);
  assertEq(memory.buffer.byteLength, 4 * PAGE);
});

test('a memory of two instances grows for both', () => {
  const memory = new Memory({ initial: 1, maximum: 8 });
  const make = () => {
    const b = new WasmBuilder();
    b.export('memory', 'memory', b.importMemory('m', 'memory', { min: 1 }));
    b.func([], ['i32'], op.memorySize(), { export: 'size' });
    b.func(['i32'], ['i32'], [op.localGet(0), op.memoryGrow()], { export: 'grow' });
    b.func(['i32'], ['i32'], [op.localGet(0), op.load8()], { export: 'peek' });
    return b.instance({ m: { memory } }).exports;
  };
  const [one, two] = [make(), make()];
  assertEq(one.memory, memory);
  assertEq(two.memory, memory);
  const old = memory.buffer;
  assertEq(one.grow(1), 1);
  assert(detached(old));
  assertEq(two.size(), 2);
  memory.grow(1);
  assertEq(one.size(), 3);
  new Uint8Array(memory.buffer)[2 * PAGE] = 8;
  assertEq(two.peek(2 * PAGE), 8);
});

test('a buffer works after every reference to its memory and instance is gone', () => {
  const buffer = (() => growing().memory.buffer)();
  globalThis.gc?.();
  const bytes = new Uint8Array(buffer);
  bytes[PAGE - 1] = 1;
  assertEq(bytes[PAGE - 1], 1);
});

test('addresses above 2 GiB are not negative', () => {
  const { peek } = growing();
  assertThrows(WebAssembly.RuntimeError, () => peek(0x80000000));
  assertThrows(WebAssembly.RuntimeError, () => peek(-1));
});

test('a buffer whose Memory object is gone is detached when the guest grows, and cannot be transferred', () => {
  const { buffer, grow } = (() => {
    const { memory, grow } = growing();
    return { buffer: memory.buffer, grow };
  })();
  globalThis.gc?.();
  assertThrows(TypeError, () => buffer.transfer());
  assertEq(buffer.detached, false);
  grow(1);
  assertEq(buffer.detached, true);
  const alone = (() => new WebAssembly.Memory({ initial: 1 }).buffer)();
  globalThis.gc?.();
  assertThrows(TypeError, () => alone.transfer());
  assertThrows(TypeError, () => alone.transferToFixedLength());
});

test('a Memory object that is made again has the buffer that a script kept', () => {
  const instance = (() => {
    const b = new WasmBuilder();
    b.memory({ min: 1 }, { export: 'memory' });
    return b.instance();
  })();
  const buffer = instance.exports.memory.buffer;
  globalThis.gc?.();
  assertEq(instance.exports.memory.buffer, buffer);
});
