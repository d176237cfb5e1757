// Deep equality, as node:assert and util.isDeepStrictEqual define it.
const { brand, isTypedArray } = require('inspect');

const kinds = [
  'Map', 'Set', 'Date', 'RegExp', 'ArrayBuffer', 'SharedArrayBuffer', 'Number', 'String', 'Boolean', 'Symbol', 'BigInt',
];
const kindOf = (value) => {
  if ($.isArray(value)) return 'Array';
  if ($.isView(value)) return isTypedArray(value) ? $.tagOf(value) : 'DataView';
  if (typeof value === 'function') return 'Function';
  if (value instanceof Error) return 'Error';
  return $.find(kinds, (kind) => brand[kind](value)) ?? 'Object';
};
// eslint-disable-next-line eqeqeq -- Loose equality is the point.
const isLooselyEqual = (a, b) => a == b || (Number.isNaN(a) && Number.isNaN(b));
const isPrimitive = (value) => value === null || (typeof value !== 'object' && typeof value !== 'function');
const enumerable = (value, strict) => {
  /** @type {(string | symbol)[]} */
  const keys = Object.keys(value);
  if (strict) {
    for (const symbol of $.each(Object.getOwnPropertySymbols(value))) {
      if ($.isEnumerable(value, symbol)) $.push(keys, symbol);
    }
  }
  return keys;
};
const sameBytes = (a, b) => {
  const view = (v) => ($.isView(v) ? $.bytesOf(v) : new Uint8Array(v));
  const { 0: x, 1: y } = [view(a), view(b)];
  const length = $.length(x);
  if (length !== $.length(y)) return false;
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return false;
  return true;
};

function equal(a, b, strict, seen) {
  if (strict ? Object.is(a, b) : isLooselyEqual(a, b)) return true;
  if (isPrimitive(a) || isPrimitive(b)) return false;
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const kind = kindOf(a);
  if (kind !== kindOf(b) || kind === 'Function') return false;
  if (seen.get(a) === b) return true;
  seen.set(a, b);
  switch (kind) {
    case 'Array': if (a.length !== b.length) return false; break;
    case 'Date': if ($.getTime(a) !== $.getTime(b)) return false; break;
    case 'RegExp': if ($.text`${a}` !== $.text`${b}` || a.lastIndex !== b.lastIndex) return false; break;
    case 'Error': if (a.message !== b.message || a.name !== b.name) return false; break;
    case 'Number': case 'String': case 'Boolean': case 'Symbol': case 'BigInt':
      if (!Object.is($.valueOf(a), $.valueOf(b))) return false;
      break;
    case 'Set': if (!sameSets(a, b, strict, seen)) return false; break;
    case 'Map': if (!sameMaps(a, b, strict, seen)) return false; break;
    default:
      if ($.startsWith(kind, 'Float') && !strict) {
        if (a.length !== b.length || !$.every(a, (x, i) => x === b[i])) return false;
      } else if ($.isView(a) || $.endsWith(kind, 'ArrayBuffer')) {
        if (!sameBytes(a, b)) return false;
      }
  }
  if (isTypedArray(a)) return true;
  const keys = enumerable(a, strict);
  if (keys.length !== enumerable(b, strict).length) return false;
  return $.every(keys, (key) => $.isEnumerable(b, key) && equal(a[key], b[key], strict, seen));
}
const sameSets = (a, b, strict, seen) => {
  if (a.size !== b.size) return false;
  const rest = $.filter([...$.each(b)], (item) => !a.has(item));
  for (const item of $.each(a)) {
    if (b.has(item)) continue;
    if (strict && isPrimitive(item)) return false;
    const index = $.findIndex(rest, (other) => equal(item, other, strict, new Map(seen)));
    if (index < 0) return false;
    $.splice(rest, index, 1);
  }
  return true;
};
const sameMaps = (a, b, strict, seen) => {
  if (a.size !== b.size) return false;
  const rest = $.filter([...$.each(b)], ({ 0: key }) => !a.has(key));
  for (const { 0: key, 1: value } of $.each(a)) {
    if (b.has(key)) {
      if (!equal(value, b.get(key), strict, seen)) return false;
      continue;
    }
    if (strict && isPrimitive(key)) return false;
    const index = $.findIndex(rest, ({ 0: other, 1: item }) =>
      equal(key, other, strict, new Map(seen)) && equal(value, item, strict, new Map(seen)));
    if (index < 0) return false;
    $.splice(rest, index, 1);
  }
  return true;
};
exports.isLooselyEqual = isLooselyEqual;
exports.isDeepEqual = (a, b) => equal(a, b, false, new Map());
exports.isDeepStrictEqual = (a, b) => equal(a, b, true, new Map());
