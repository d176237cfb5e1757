// Deep equality, as node:assert and util.isDeepStrictEqual define it.
const { brand, isDataView, isError, isPromise, isTypedArray } = require('inspect');

// How strictly values are compared: `deepEqual`, `deepStrictEqual`, that without looking at prototypes, and
// `partialDeepStrictEqual`, which is happy if the first value has what the second one has.
const LOOSE = 0, STRICT = 1, NO_PROTOTYPE = 2, PARTIAL = 3;

const boxes = ['Number', 'String', 'Boolean', 'Symbol', 'BigInt'];
const slots = ['Map', 'Set', 'Date', 'RegExp', 'ArrayBuffer', 'SharedArrayBuffer', 'WeakMap', 'WeakSet'];
const kindOf = (value) => {
  if ($.isArray(value)) return 'Array';
  if ($.isView(value)) return isTypedArray(value) ? $.tagOf(value) : 'DataView';
  if (isError(value) || value instanceof Error) return 'Error';
  if (isPromise(value)) return 'Promise';
  const isBrand = (kind) => brand[kind](value);
  return $.find(slots, isBrand) ?? $.find(boxes, isBrand) ?? 'Object';
};
const sameNaN = (a, b) => typeof a === 'number' && typeof b === 'number' && Number.isNaN(a) && Number.isNaN(b);
// eslint-disable-next-line eqeqeq -- Loose equality is the point.
const isLooselyEqual = (a, b) => a == b || sameNaN(a, b);
const isObject = (value) => value !== null && typeof value === 'object';

/** Enumerable properties, without indices if so asked; with symbols unless the comparison is loose. */
const keysOf = (value, mode, isIndexed) => {
  let keys = Object.keys(value);
  if (isIndexed) keys = $.filter(keys, (key) => !$.regex(/^(0|[1-9]\d*)$/).test(key) || +key >= 2 ** 32 - 1);
  if (mode === LOOSE) return keys;
  const symbols = $.filter(Object.getOwnPropertySymbols(value), (symbol) => $.isEnumerable(value, symbol));
  return [...$.each(keys), ...$.each(symbols)];
};

const bytesOf = (value) => ($.isView(value) ? $.bytesOf(value) : new Uint8Array(value));
const sameBytes = (a, b) => {
  const { 0: x, 1: y } = [bytesOf(a), bytesOf(b)];
  const length = $.length(x);
  if (length !== $.length(y)) return false;
  for (let i = 0; i < length; i++) if (x[i] !== y[i]) return false;
  return true;
};
/** Whether one list has the items of another in their order, perhaps with others between them. */
const isSubsequence = (a, b, same) => {
  let found = 0;
  for (let i = 0; i < a.length && found < b.length; i++) if (same(a[i], b[found])) found++;
  return found === b.length;
};
const sameViews = (a, b, kind, mode) => {
  if (mode === PARTIAL) {
    return isSubsequence(bytesOrItems(a), bytesOrItems(b), (x, y) => Object.is(x, y));
  }
  if ($.startsWith(kind, 'Float') && mode === LOOSE) {
    return $.length(a) === $.length(b) && $.every($.arrayFrom(a), (x, i) => x === b[i]);
  }
  return sameBytes(a, b);
};
const bytesOrItems = (value) => $.arrayFrom(isTypedArray(value) ? value : bytesOf(value));

const sameSlots = (a, b, kind, mode, seen) => {
  switch (kind) {
    case 'Date': return Object.is($.getTime(a), $.getTime(b));
    case 'RegExp': return $.text`${a}` === $.text`${b}` && Object.is(a.lastIndex, b.lastIndex);
    case 'Error': return sameErrors(a, b, mode, seen);
    case 'Number': case 'String': case 'Boolean': case 'Symbol': case 'BigInt': {
      const valueOf = $.uncurried($.pristine[$.text`${kind}.prototype`].valueOf);
      return Object.is(valueOf(a), valueOf(b));
    }
    case 'Set': return sameSets(a, b, mode, seen);
    case 'Map': return sameMaps(a, b, mode, seen);
    case 'ArrayBuffer': case 'SharedArrayBuffer':
      return mode === PARTIAL ? isSubsequence(bytesOrItems(a), bytesOrItems(b), (x, y) => x === y) : sameBytes(a, b);
    case 'WeakMap': case 'WeakSet': case 'Promise': return false;
    default: return !$.isView(a) || sameViews(a, b, kind, mode);
  }
};
const sameErrors = (a, b, mode, seen) => {
  for (const key of $.each(['message', 'name', 'cause', 'errors'])) {
    // What is enumerable is compared as any property.
    if ($.isEnumerable(a, key) !== $.isEnumerable(b, key)) return false;
    // An expected error says nothing about what it does not have itself.
    if (mode === PARTIAL && !Object.hasOwn(b, key)) continue;
    const isOwn = key === 'cause' || key === 'errors';
    if (isOwn && Object.hasOwn(b, key) !== Object.hasOwn(a, key)) return false;
    if (isOwn && !Object.hasOwn(b, key)) continue;
    if (!equal(a[key], b[key], mode, seen)) return false;
  }
  return true;
};

const hasTag = (value) => Object.hasOwn(value, Symbol.toStringTag);
// (Those with one prototype are not asked for what it says.)
const mayDifferInTag = (a, b) => Object.getPrototypeOf(a) !== Object.getPrototypeOf(b) || hasTag(a) || hasTag(b);

function equal(a, b, mode, seen) {
  if (a === b) return a !== 0 || mode === LOOSE || Object.is(a, b);
  if (mode === LOOSE) {
    if (!isObject(a)) return !isObject(b) && typeof a !== 'function' && isLooselyEqual(a, b);
    if (!isObject(b)) return false;
  } else {
    if (!isObject(a) || !isObject(b)) return sameNaN(a, b);
    if (mode === STRICT && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  }
  if (mayDifferInTag(a, b) && $.textOf(a) !== $.textOf(b)) return false;
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  // What is being compared further up: if both are there, the structures repeat in the same way.
  const open = seen ?? new Set();
  const { 0: isOpen, 1: isOtherOpen } = [open.has(a), open.has(b)];
  if (isOpen || isOtherOpen) return isOpen && isOtherOpen;
  open.add(a);
  open.add(b);
  const isSame = sameSlots(a, b, kind, mode, open) && sameProperties(a, b, kind, mode, open);
  open.delete(a);
  open.delete(b);
  return isSame;
}
const isUrl = (value) => {
  const { URL } = require('url');
  return value instanceof URL;
};
const sameProperties = (a, b, kind, mode, seen) => {
  if (kind === 'Object' && $.textOf(a) === '[object URL]' && isUrl(a) && a.href !== b.href) return false;
  const isArray = kind === 'Array';
  if (isArray) {
    if (mode === PARTIAL ? a.length < b.length : a.length !== b.length) return false;
    if (!(mode === PARTIAL ? hasItems(a, b, seen) : sameItems(a, b, mode, seen))) return false;
  }
  const isIndexed = isArray || kind === 'String' || ($.isView(a) && !isDataView(a));
  const keys = keysOf(b, mode, isIndexed);
  if (mode !== PARTIAL && keysOf(a, mode, isIndexed).length !== keys.length) return false;
  return $.every(keys, (key) => $.isEnumerable(a, key)) && $.every(keys, (key) => equal(a[key], b[key], mode, seen));
};
const sameItems = (a, b, mode, seen) => {
  // Empty places are skipped, because there may be very many.
  const isDense = (list) => $.every(list, () => true) && Object.keys(list).length >= list.length;
  if (a.length > 1000 && !(isDense(a) && isDense(b))) {
    const keys = (list) => $.filter(Object.keys(list), (key) => $.regex(/^\d+$/).test(key));
    const { 0: x, 1: y } = [keys(a), keys(b)];
    return x.length === y.length && $.every(x, (key) => Object.hasOwn(b, key) && equal(a[key], b[key], mode, seen));
  }
  for (let i = 0; i < a.length; i++) {
    if ((a[i] === undefined || b[i] === undefined) && Object.hasOwn(a, i) !== Object.hasOwn(b, i)) return false;
    if (!equal(a[i], b[i], mode, seen)) return false;
  }
  return true;
};
const hasItems = (a, b, seen) => {
  const isHole = (list, i) => list[i] === undefined && !Object.hasOwn(list, i);
  let found = 0;
  for (let i = 0; i < a.length && found < b.length; i++) {
    if (isHole(b, found) || (isHole(a, i) ? false : equal(a[i], b[found], PARTIAL, seen))) found++;
  }
  return found === b.length;
};

const isPrimitive = (value) => !isObject(value) && typeof value !== 'function';
/** Whether each of the left values has a partner of its own among the right ones. */
const havePartners = (left, right, same) => {
  const rest = $.slice(right);
  return $.every(left, (item) => {
    const index = $.findIndex(rest, (other) => same(item, other));
    if (index < 0) return false;
    $.splice(rest, index, 1);
    return true;
  });
};
const sizes = { __proto__: null };
const sizeOf = (value, kind) => (sizes[kind] ??=
  $.uncurried(Object.getOwnPropertyDescriptor($.pristine[$.text`${kind}.prototype`], 'size').get))(value);
const members = (value, kind) => [...$.eachIn(value, kind)];
const sameSets = (a, b, mode, seen) => {
  const { 0: sizeA, 1: sizeB } = [sizeOf(a, 'Set'), sizeOf(b, 'Set')];
  if (mode === PARTIAL ? sizeA < sizeB : sizeA !== sizeB) return false;
  const has = $.uncurried($.pristine['Set.prototype'].has);
  const missing = $.filter(members(b, 'Set'), (item) => !has(a, item));
  if (mode !== LOOSE && $.some(missing, isPrimitive)) return false;
  if (missing.length === 0) return true;
  const rest = $.filter(members(a, 'Set'), (item) => !has(b, item));
  return havePartners(missing, rest, (item, other) => equal(other, item, mode, seen));
};
const sameMaps = (a, b, mode, seen) => {
  const { 0: sizeA, 1: sizeB } = [sizeOf(a, 'Map'), sizeOf(b, 'Map')];
  if (mode === PARTIAL ? sizeA < sizeB : sizeA !== sizeB) return false;
  const has = $.uncurried($.pristine['Map.prototype'].has);
  const get = $.uncurried($.pristine['Map.prototype'].get);
  const missing = [];
  for (const entry of $.each(members(b, 'Map'))) {
    const { 0: key, 1: value } = entry;
    // Loosely, a key that is there may still belong to another one.
    if (has(a, key) && equal(get(a, key), value, mode, seen)) continue;
    if (mode !== LOOSE && (isPrimitive(key) || has(a, key))) return false;
    $.push(missing, entry);
  }
  if (missing.length === 0) return true;
  const rest = $.filter(members(a, 'Map'), ({ 0: key, 1: value }) =>
    !(has(b, key) && equal(value, get(b, key), mode, seen)));
  return havePartners(missing, rest, ({ 0: key, 1: value }, { 0: other, 1: item }) =>
    equal(other, key, mode, seen) && equal(item, value, mode, seen));
};

exports.isLooselyEqual = isLooselyEqual;
exports.isDeepEqual = (a, b) => equal(a, b, LOOSE, undefined);
exports.isPartlyEqual = (a, b) => equal(a, b, PARTIAL, undefined);
/** @param {boolean | object} [options] */
exports.isDeepStrictEqual = (a, b, options) =>
  equal(a, b, options === true || /** @type {any} */ (options)?.skipPrototype ? NO_PROTOTYPE : STRICT, undefined);
