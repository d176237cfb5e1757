// Deep equality, as node:assert and util.isDeepStrictEqual define it.
const { brand, isTypedArray } = require('inspect');

const kinds = ['Map', 'Set', 'Date', 'RegExp', 'ArrayBuffer', 'SharedArrayBuffer', 'Number', 'String', 'Boolean', 'Symbol', 'BigInt'];
const kindOf = (value) => {
  if (Array.isArray(value)) return 'Array';
  if (ArrayBuffer.isView(value)) return isTypedArray(value) ? value[Symbol.toStringTag] : 'DataView';
  if (typeof value === 'function') return 'Function';
  if (value instanceof Error) return 'Error';
  return kinds.find((kind) => brand[kind](value)) ?? 'Object';
};
const isPrimitive = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');
const enumerable = (value, strict) => {
  const keys = Object.keys(value);
  if (strict) {
    for (const symbol of Object.getOwnPropertySymbols(value)) {
      if (Object.prototype.propertyIsEnumerable.call(value, symbol)) keys.push(symbol);
    }
  }
  return keys;
};
const sameBytes = (a, b) => {
  const view = (v) => (ArrayBuffer.isView(v) ? new Uint8Array(v.buffer, v.byteOffset, v.byteLength) : new Uint8Array(v));
  const [x, y] = [view(a), view(b)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
};

function equal(a, b, strict, seen) {
  if (strict ? Object.is(a, b) : a == b || (a !== a && b !== b)) return true;
  if (isPrimitive(a) || isPrimitive(b)) return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const kind = kindOf(a);
  if (kind !== kindOf(b) || kind === 'Function') return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  switch (kind) {
    case 'Array': if (a.length !== b.length) return false; break;
    case 'Date': if (a.getTime() !== b.getTime()) return false; break;
    case 'RegExp': if (`${a}` !== `${b}` || a.lastIndex !== b.lastIndex) return false; break;
    case 'Error': if (a.message !== b.message || a.name !== b.name) return false; break;
    case 'Number': case 'String': case 'Boolean': case 'Symbol': case 'BigInt':
      if (!Object.is(a.valueOf(), b.valueOf())) return false;
      break;
    case 'Set': if (!sameSets(a, b, strict, seen)) return false; break;
    case 'Map': if (!sameMaps(a, b, strict, seen)) return false; break;
    default:
      if (kind.startsWith('Float') && !strict) {
        if (a.length !== b.length || !a.every((x, i) => x === b[i])) return false;
      } else if (ArrayBuffer.isView(a) || kind.endsWith('ArrayBuffer')) {
        if (!sameBytes(a, b)) return false;
      }
  }
  if (isTypedArray(a)) return true;
  const keys = enumerable(a, strict);
  if (keys.length !== enumerable(b, strict).length) return false;
  return keys.every((key) => Object.prototype.propertyIsEnumerable.call(b, key) && equal(a[key], b[key], strict, seen));
}
const sameSets = (a, b, strict, seen) => {
  if (a.size !== b.size) return false;
  const rest = [...b].filter((item) => !a.has(item));
  for (const item of a) {
    if (b.has(item)) continue;
    if (strict && isPrimitive(item)) return false;
    const index = rest.findIndex((other) => equal(item, other, strict, new Map(seen)));
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return true;
};
const sameMaps = (a, b, strict, seen) => {
  if (a.size !== b.size) return false;
  const rest = [...b].filter(([key]) => !a.has(key));
  for (const [key, value] of a) {
    if (b.has(key)) {
      if (!equal(value, b.get(key), strict, seen)) return false;
      continue;
    }
    if (strict && isPrimitive(key)) return false;
    const index = rest.findIndex(([other, item]) =>
      equal(key, other, strict, new Map(seen)) && equal(value, item, strict, new Map(seen)));
    if (index < 0) return false;
    rest.splice(index, 1);
  }
  return true;
};
exports.isDeepEqual = (a, b) => equal(a, b, false, new Map());
exports.isDeepStrictEqual = (a, b) => equal(a, b, true, new Map());
