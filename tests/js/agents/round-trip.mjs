// structuredClone of generated graphs: `round-trip.mjs [SEED]`.
// Takes long: some thousand random values.
import { assert, assertEq, fail, show, test } from '../harness.mjs';

const seed = Number(process.argv[2] ?? 20_250_817) >>> 0;
const COUNT = 2000;

/** mulberry32: 32 random bits a call. */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const kinds = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array,
  Float64Array, BigInt64Array, BigUint64Array, ...(globalThis.Float16Array ? [Float16Array] : [])];
const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];

/** A graph: its root, and the buffers that may be transferred. */
function generate(seed) {
  const bits = random(seed);
  const below = (limit) => bits() % limit;
  const pick = (list) => list[below(list.length)];
  const made = [];
  const buffers = [];
  let budget = 1 + below(60);

  const number = () => pick([
    () => bits() | 0, () => below(100), () => -below(100), () => bits() / 7, () => bits() * bits(), () => -0, () => NaN,
    () => Infinity, () => -Infinity, () => 2 ** below(1000), () => 5e-324, () => bits(), () => (bits() | 0) / 2,
  ])();
  const bigint = () => {
    let value = 0n;
    for (let parts = below(6); parts > 0; parts -= 1) value = (value << 32n) | BigInt(bits());
    return below(2) ? value : -value;
  };
  const string = () => {
    const alphabet = pick([[0x61, 26], [0, 256], [0x20ac, 20], [0, 0x10000], [0xd800, 0x800]]);
    let text = '';
    for (let length = pick([0, 1, 3, 10, 40, 300]); length > 0; length -= 1) {
      text += String.fromCharCode(alphabet[0] + below(alphabet[1]));
    }
    return text;
  };
  const primitive = () => pick([() => undefined, () => null, () => true, () => false, number, number, bigint, string, string])();
  const key = () => pick([string, string, () => `k${below(10)}`, () => String(below(20)), () => '__proto__', () => 'length ',
    () => '4294967295', () => 'toString'])();
  const define = (object, name, value) =>
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });

  const note = (object) => { made.push(object); return object; };
  const buffer = () => {
    const length = pick([0, 1, 8, 16, 64, 1000]);
    const shared = below(4) === 0;
    const Kind = shared ? SharedArrayBuffer : ArrayBuffer;
    const result = below(3) === 0 ? new Kind(length, { maxByteLength: length + below(100) }) : new Kind(length);
    const bytes = new Uint8Array(result);
    for (let i = 0; i < length; i += 1) bytes[i] = bits();
    if (!shared) buffers.push(result);
    return note(result);
  };
  const anyBuffer = () => {
    const there = made.filter((object) => object instanceof ArrayBuffer || object instanceof SharedArrayBuffer);
    return there.length > 0 && below(2) ? pick(there) : buffer();
  };
  const view = () => {
    const on = anyBuffer();
    const Kind = pick([...kinds, DataView]);
    const size = Kind.BYTES_PER_ELEMENT ?? 1;
    const offset = below(Math.floor(on.byteLength / size) + 1) * size;
    const room = Math.floor((on.byteLength - offset) / size);
    const tracking = (on.resizable || on.growable) && below(2) === 0;
    return note(tracking ? new Kind(on, offset) : new Kind(on, offset, below(room + 1)));
  };

  const fill = (object, count) => { for (let i = 0; i < count; i += 1) define(object, key(), value()); return object; };
  const size = () => pick([0, 1, 2, 3, 6]);
  const composite = [
    () => fill(note({}), size()),
    () => fill(note(Object.create(null)), size()),
    () => {
      const array = note([]);
      for (let i = size(); i > 0; i -= 1) { if (below(5) === 0) array.length += 1; else array.push(value()); }
      if (below(8) === 0) array[below(100_000)] = value();
      if (below(6) === 0) fill(array, size());
      return array;
    },
    () => {
      const map = note(new Map());
      for (let i = size(); i > 0; i -= 1) map.set(value(), value());
      return map;
    },
    () => {
      const set = note(new Set());
      for (let i = size(); i > 0; i -= 1) set.add(value());
      return set;
    },
    () => {
      const error = note(new (pick(errors))(...(below(4) ? [string()] : [])));
      if (below(2)) Object.defineProperty(error, 'cause', { value: value(), writable: true, configurable: true });
      return error;
    },
    () => note(new Date(pick([NaN, 0, -1, 8.64e15, bits() * 1000]))),
    () => note(new RegExp(pick(['a', '(?:)', '[\\/]', '€+', '\\n', '(?<x>y)']), pick(['', 'g', 'dgimsy', 'u', 'v']))),
    () => note(Object(pick([true, false, number(), string(), bigint()]))),
    buffer, view, view,
  ];
  function value() {
    if (made.length > 0 && below(5) === 0) return pick(made);
    if (budget <= 0 || below(2) === 0) return primitive();
    budget -= 1;
    return pick(composite)();
  }
  const root = note({ parts: [] });
  while (budget > 0) root.parts.push(value());
  return { root, buffers: buffers.filter(() => below(3) === 0) };
}

/** Fails unless `copy` is what a clone of `original` must be. `bytes` has what is in buffers that were transferred. */
function compare(original, copy, moved) {
  const pairs = new Map();
  const found = new Map();
  const work = [['root', original, copy]];
  const same = (path, a, b) => { if (!Object.is(a, b)) fail(`${path}: expected ${show(a)}, got ${show(b)}`); };
  const properties = (path, a, b, names = Object.keys(a)) => {
    const there = Object.keys(b);
    if (names.length !== there.length || names.some((name, i) => name !== there[i])) {
      fail(`${path}: keys [${names.map(show)}], got [${there.map(show)}]`);
    }
    for (const name of names) {
      const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(b, name);
      assert(writable && enumerable && configurable, `${path}.${name}: attributes`);
      work.push([`${path}.${name}`, Object.getOwnPropertyDescriptor(a, name).value, value]);
    }
  };
  while (work.length > 0) {
    const [path, a, b] = work.pop();
    if (Object(a) !== a) { same(path, a, b); continue; }
    if (Object(b) !== b) fail(`${path}: expected an object, got ${show(b)}`);
    if (pairs.has(a)) { if (pairs.get(a) !== b) fail(`${path}: is another object than before`); continue; }
    if (found.has(b)) fail(`${path}: is an object that stands for another`);
    if (a === b) fail(`${path}: is the original`);
    pairs.set(a, b);
    found.set(b, a);
    same(`${path}: prototype`, Object.getPrototypeOf(a) ?? Object.prototype, Object.getPrototypeOf(b));
    if (a instanceof Date) { same(path, a.getTime(), b.getTime()); continue; }
    if (a instanceof RegExp) { same(path, `${a}`, `${b}`); same(path, 0, b.lastIndex); continue; }
    if (a instanceof Map || a instanceof Set) {
      const [from, to] = [[...a], [...b]];
      same(`${path}: size`, from.length, to.length);
      from.forEach((entry, i) => {
        if (a instanceof Set) { work.push([`${path}{${i}}`, entry, to[i]]); return; }
        work.push([`${path}{key ${i}}`, entry[0], to[i][0]], [`${path}{value ${i}}`, entry[1], to[i][1]]);
      });
      continue;
    }
    if (a instanceof Error) {
      for (const name of ['message', 'cause']) {
        same(`${path}: has ${name}`, Object.hasOwn(a, name), Object.hasOwn(b, name));
        if (Object.hasOwn(a, name)) work.push([`${path}.${name}`, a[name], b[name]]);
      }
      same(`${path}.stack`, a.stack, b.stack);
      continue;
    }
    if (a instanceof ArrayBuffer || a instanceof SharedArrayBuffer) {
      const before = moved.get(a);
      for (const name of ['byteLength', 'maxByteLength', 'resizable', 'growable']) {
        same(`${path}.${name}`, (before ?? a)[name], b[name]);
      }
      same(`${path}: detached`, before !== undefined, a instanceof ArrayBuffer && a.detached);
      const bytes = before?.bytes ?? new Uint8Array(a);
      const there = new Uint8Array(b);
      if (bytes.some((byte, i) => byte !== there[i])) fail(`${path}: other bytes`);
      if (a instanceof SharedArrayBuffer && a.byteLength > 0) {
        there[0] ^= 1;
        same(`${path}: shared`, there[0], bytes[0]);
      }
      continue;
    }
    if (ArrayBuffer.isView(a)) {
      work.push([`${path}.buffer`, a.buffer, b.buffer]);
      const before = moved.get(a) ?? a;
      for (const name of ['byteOffset', 'byteLength', 'length']) same(`${path}.${name}`, before[name], b[name]);
      continue;
    }
    if ([Boolean, Number, String, BigInt].includes(a.constructor) && typeof a.valueOf() !== 'object') {
      same(path, a.valueOf(), b.valueOf());
      continue;
    }
    if (Array.isArray(a)) {
      assert(Array.isArray(b), `${path}: is an array`);
      same(`${path}.length`, a.length, b.length);
    }
    properties(path, a, b);
  }
}

/** What transfer takes from buffers and the views on them. */
function remember(root, buffers) {
  const moved = new Map();
  for (const buffer of buffers) {
    const { byteLength, maxByteLength, resizable, growable } = buffer;
    moved.set(buffer, { byteLength, maxByteLength, resizable, growable, bytes: new Uint8Array(buffer.slice()) });
  }
  const seen = new Set();
  const work = [root];
  while (work.length > 0) {
    const value = work.pop();
    if (Object(value) !== value || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value) && moved.has(value.buffer)) {
      const { byteOffset, byteLength, length } = value;
      moved.set(value, { byteOffset, byteLength, length });
    } else if (value instanceof Map) work.push(...value.keys(), ...value.values());
    else if (value instanceof Set) work.push(...value);
    else if (value instanceof Error) work.push(value.cause);
    else if (!ArrayBuffer.isView(value)) for (const name of Object.keys(value)) work.push(value[name]);
  }
  return moved;
}

/** `check` on all graphs; says which seed gave the one that fails. */
const forAll = (name, check) => test(name, () => {
  for (let i = 0; i < COUNT / 2; i += 1) {
    const one = (seed + i) >>> 0;
    try {
      check(generate(one));
    } catch (error) {
      fail(`seed ${one}: ${error.name}: ${error.message}`);
    }
  }
});

console.log(`seed ${seed}`);

test('the comparison finds what differs', () => {
  const shared = {};
  for (const [a, b] of [[1, 2], [0, -0], [{}, []], [[1], [1, 2]], [[,], [undefined]], [{ a: 1 }, { b: 1 }], [new Map(), new Set()],
    [[shared, shared], [{}, {}]], [[{}, {}], ((x) => [x, x])({})], [new Date(0), new Date(1)], [/a/, /a/g], [Object(1), Object(2)],
    [new Error('a'), new TypeError('a')], [Uint8Array.of(1), Uint8Array.of(2)], [Uint8Array.of(1), Int8Array.of(1)],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }]]) {
    let difference;
    try { compare(a, b, new Map()); } catch (error) { difference = error; }
    assertEq(difference?.name, 'AssertionError');
  }
  compare({ a: [1, { x: new Map([[1, new Set([2])]]) }] }, { a: [1, { x: new Map([[1, new Set([2])]]) }] }, new Map());
});

forAll('clones are what they were', ({ root }) => compare(root, structuredClone(root), new Map()));

forAll('with buffers that are transferred', ({ root, buffers }) => {
  const moved = remember(root, buffers);
  compare(root, structuredClone(root, { transfer: buffers }), moved);
});

test('clones of clones', () => {
  for (let i = 0; i < 100; i += 1) {
    const { root } = generate((seed + i) >>> 0);
    const first = structuredClone(root);
    compare(first, structuredClone(first), new Map());
  }
});

test('through a port', async () => {
  const { port1, port2 } = new MessageChannel();
  for (let i = 0; i < 100; i += 1) {
    const one = (seed + i) >>> 0;
    const { root, buffers } = generate(one);
    const moved = remember(root, buffers);
    const got = new Promise((resolve) => { port2.onmessage = resolve; });
    port1.postMessage(root, buffers);
    try {
      compare(root, (await got).data, moved);
    } catch (error) {
      fail(`seed ${one}: ${error.message}`);
    }
  }
  port1.close();
});
