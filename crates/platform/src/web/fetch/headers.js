// Headers (Fetch Standard, §2.2 and §5.1). As in other runtimes outside of a browser, no name is forbidden.
const { inspect } = require('lazy_inspect');
const TOKEN = $.regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
let listOf, iterate;

// WebIDL's ByteString.
const byteString = (value, what) => {
  const text = $.text`${value}`;
  for (let i = 0; i < text.length; i++) {
    if ($.charCodeAt(text, i) > 255) {
      throw new TypeError($.text`${what} must only have characters up to U+00FF, got ${JSON.stringify(text)}`);
    }
  }
  return text;
};
// Without a regular expression, which would try each run of inner spaces from each of its positions.
const trim = (text, spaces = '\t\n\r ') => {
  let start = 0;
  let end = text.length;
  while (start < end && $.includes(spaces, text[start])) start++;
  while (start < end && $.includes(spaces, text[end - 1])) end--;
  return $.slice(text, start, end);
};
const toName = (value, place) => {
  const name = byteString(value, $.text`${place}: the name`);
  if (!TOKEN.test(name)) throw new TypeError($.text`${place}: ${JSON.stringify(name)} is not a valid header name`);
  return $.toLowerCase(name);
};
// "Normalize", and "header value".
const toValue = (value, place) => {
  const text = trim(byteString(value, $.text`${place}: the value`));
  if ($.regex(/[\0\n\r]/).test(text)) {
    throw new TypeError($.text`${place}: ${JSON.stringify(text)} is not a valid header value`);
  }
  return text;
};
const needArgs = (given, needed, place) => {
  if (given >= needed) return;
  throw new TypeError($.text`${place} takes ${needed} argument${needed === 1 ? '' : 's'}, got ${given}`);
};

class Headers {
  // [name in lower case, value] in the order in which they were added.
  #list = [];
  // The result of "sort and combine", until the list changes.
  #combined = undefined;
  #immutable = false;
  constructor(init = undefined) {
    if (init === undefined) return;
    const place = 'new Headers';
    if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
      const came = init === null ? null : typeof init;
      throw new TypeError($.text`${place}: argument 1 must be an object or an iterable of pairs, got ${came}`);
    }
    const iterate = init[Symbol.iterator];
    const pairs = [];
    if (iterate !== undefined && iterate !== null) {
      // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
      for (const pair of { [Symbol.iterator]: () => Reflect.apply(iterate, init, []) }) {
        if (Object(pair) !== pair || typeof pair[Symbol.iterator] !== 'function') {
          throw new TypeError($.text`${place}: each item must be an iterable of a name and a value`);
        }
        // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
        const items = [...pair];
        if (items.length !== 2) {
          throw new TypeError($.text`${place}: each item must have a name and a value, got ${items.length} items`);
        }
        $.push(pairs, [
          byteString(items[0], $.text`${place}: the name`), byteString(items[1], $.text`${place}: the value`),
        ]);
      }
    } else {
      for (const key of $.each(Reflect.ownKeys(init))) {
        if (!Reflect.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
        $.push(pairs, [
          byteString(key, $.text`${place}: the name`), byteString(init[key], $.text`${place}: the value`),
        ]);
      }
    }
    for (const { 0: name, 1: value } of $.each(pairs)) $.push(this.#list, [toName(name, place), toValue(value, place)]);
  }
  static {
    listOf = (headers) => headers.#list;
    iterate = (headers, place, pick) => {
      if (Object(headers) !== headers || !(#list in headers)) {
        throw new TypeError($.text`${place}: \`this\` is not a Headers`);
      }
      return new HeadersIterator(() => headers.#sortAndCombine(), pick);
    };
    exports.ofList = (list) => {
      const headers = new Headers();
      headers.#list = $.map(list, ({ 0: name, 1: value }) => [name, value]);
      return headers;
    };
    exports.makeImmutable = (headers) => {
      headers.#immutable = true;
      return headers;
    };
  }
  // Called before every change.
  #check(place) {
    if (this.#immutable) throw new TypeError($.text`${place}: these headers are immutable`);
    this.#combined = undefined;
  }
  append(name, value) {
    const place = 'Headers.append';
    needArgs(arguments.length, 2, place);
    const pair = [toName(name, place), toValue(value, place)];
    this.#check(place);
    $.push(this.#list, pair);
  }
  delete(name) {
    const place = 'Headers.delete';
    needArgs(arguments.length, 1, place);
    name = toName(name, place);
    this.#check(place);
    this.#list = $.filter(this.#list, ({ 0: key }) => key !== name);
  }
  get(name) {
    needArgs(arguments.length, 1, 'Headers.get');
    name = toName(name, 'Headers.get');
    const values = $.map($.filter(this.#list, ({ 0: key }) => key === name), ({ 1: value }) => value);
    return values.length === 0 ? null : $.join(values, ', ');
  }
  getSetCookie() {
    return $.map($.filter(this.#list, ({ 0: key }) => key === 'set-cookie'), ({ 1: value }) => value);
  }
  has(name) {
    needArgs(arguments.length, 1, 'Headers.has');
    name = toName(name, 'Headers.has');
    return $.some(this.#list, ({ 0: key }) => key === name);
  }
  set(name, value) {
    const place = 'Headers.set';
    needArgs(arguments.length, 2, place);
    const pair = [toName(name, place), toValue(value, place)];
    this.#check(place);
    const first = $.findIndex(this.#list, ({ 0: key }) => key === pair[0]);
    const rest = $.filter(this.#list, ({ 0: key }, i) => key !== pair[0] || i === first);
    $.splice(rest, first === -1 ? rest.length : first, 1, pair);
    this.#list = rest;
  }
  #sortAndCombine() {
    if (this.#combined !== undefined) return this.#combined;
    const byName = new Map();
    for (const { 0: name, 1: value } of $.each(this.#list)) {
      const values = byName.get(name);
      if (values === undefined) byName.set(name, [value]);
      else $.push(values, value);
    }
    this.#combined = $.flatMap($.sort([...$.each(byName.keys())]), (name) => {
      const values = byName.get(name);
      return name === 'set-cookie' ? $.map(values, (value) => [name, value]) : [[name, $.join(values, ', ')]];
    });
    return this.#combined;
  }
  entries() {
    return iterate(this, 'Headers.entries', ({ 0: name, 1: value }) => [name, value]);
  }
  keys() {
    return iterate(this, 'Headers.keys', ({ 0: name }) => name);
  }
  values() {
    return iterate(this, 'Headers.values', ({ 1: value }) => value);
  }
  forEach(callback, thisArg = globalThis) {
    if (typeof callback !== 'function') {
      throw new TypeError($.text`Headers.forEach: argument 1 must be a function, got ${typeof callback}`);
    }
    for (let i = 0, list; i < (list = this.#sortAndCombine()).length; i++) {
      const { 0: name, 1: value } = list[i];
      Reflect.apply(callback, thisArg, [value, name, this]);
    }
  }
  [inspect.custom](depth, options) {
    return $.text`Headers ${inspect(Object.fromEntries(this.#sortAndCombine()), options)}`;
  }
}
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: Headers.prototype.entries, writable: true, configurable: true,
});

// WebIDL's default iterator objects. They are live: a header added during an iteration is visited if it sorts after
// those already visited.
class HeadersIterator {
  #list;
  #pick;
  #index = 0;
  constructor(list, pick) {
    this.#list = list;
    this.#pick = pick;
  }
  next() {
    if (Object(this) !== this || !(#list in this)) {
      throw new TypeError('Headers Iterator.next: `this` is not a Headers Iterator');
    }
    const list = this.#list();
    if (this.#index >= list.length) return { value: undefined, done: true };
    return { value: this.#pick(list[this.#index++]), done: false };
  }
}
// Scripts cannot make one.
delete HeadersIterator.prototype.constructor;
Object.setPrototypeOf(HeadersIterator.prototype, $.real.Iterator.prototype);
Object.defineProperty(HeadersIterator.prototype, 'next', { enumerable: true });
Object.defineProperty(HeadersIterator.prototype, Symbol.toStringTag, { value: 'Headers Iterator', configurable: true });

// As WebIDL describes interfaces: members are enumerable, and a class has a tag.
exports.asInterface = (Class, statics = []) => {
  const { prototype, name } = Class;
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const key of $.each(Object.getOwnPropertyNames(prototype))) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
  for (const key of $.each([Symbol.iterator, inspect.custom])) {
    if (Object.hasOwn(prototype, key)) Object.defineProperty(prototype, key, { enumerable: false });
  }
  for (const key of $.each(statics)) Object.defineProperty(Class, key, { enumerable: true });
};
exports.asInterface(Headers);
exports.Headers = Headers;
exports.listOf = listOf;
exports.byteString = byteString;
exports.needArgs = needArgs;
exports.trim = trim;
exports.TOKEN = TOKEN;
