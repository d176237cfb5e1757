// What a read–eval–print loop asks of JavaScript.
/**
 * What Rust provides.
 * @type {{
 *   print(text: string): void,
 *   list(folder: string): string[],
 * }}
 */
const native = rust;
const { inspect, isProxy } = require('inspect');
const { getOwnPropertyDescriptor, getOwnPropertyNames, getPrototypeOf, defineProperty } = Object;

// The getters of globals that the platform has not made yet: these may be called.
const safe = new WeakSet();

// `_` is the last value and `_error` the last error, until a script assigns to them.
const automatic = (name) => {
  let isOff = false;
  let last;
  const set = (value) => {
    isOff = true;
    native.print($.text`Expression assignment to ${name} now disabled.\n`);
    defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
  };
  const get = () => last;
  safe.add(get);
  defineProperty(globalThis, name, { get, set, enumerable: false, configurable: true });
  return (value) => {
    if (!isOff) last = value;
  };
};

exports.begin = () => {
  require('eval').addBuiltins();
  require('common_js').prepareText('<repl>');
  globalThis.module.filename = null;
  for (const name of $.each(['__filename', '__dirname'])) Reflect.deleteProperty(globalThis, name);
  for (const name of $.each(getOwnPropertyNames(globalThis))) {
    const { get } = getOwnPropertyDescriptor(globalThis, name);
    if (get) safe.add(get);
  }
  exports.setLast = automatic('_');
  exports.remember = automatic('_error');
};

exports.show = (value, colors) => {
  exports.setLast(value);
  return inspect(value, { __proto__: null, colors, showProxy: true });
};

exports.exit = () => require('process').process.exit();

const KEYWORDS = $.split('async await break case catch class const continue debugger default delete do else export ' +
  'extends false finally for function if import in instanceof let new null return super switch this throw true try ' +
  'typeof var void while with yield', ' ');
const PATH = $.regex(/(?:\brequire\s*\(|\bimport\s*\(?|\bfrom)\s*(['"`])([^'"`]*)$/);
const CHAIN = $.regex(/(?:[\p{ID_Start}$_][\p{ID_Continue}$]*\??\.)*(?:[\p{ID_Start}$_][\p{ID_Continue}$]*)?$/u);
const NAME = $.regex(/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u);
const MOST = 500;

// The property of an object or one of its prototypes: its descriptor, without running anything.
const find = (holder, name) => {
  for (let object = holder; object !== null && !isProxy(object); object = getPrototypeOf(object)) {
    const found = getOwnPropertyDescriptor(object, name);
    if (found) return found;
  }
  return undefined;
};
// What has the properties of a value.
const holderOf = (value) => {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' || typeof value === 'function' ? value : getPrototypeOf(Object(value));
};
const valueOf = (holder, name) => {
  const found = find(holder, name);
  if (found === undefined) return undefined;
  if (found.get === undefined) return found.value;
  return safe.has(found.get) ? Reflect.apply(found.get, globalThis, []) : undefined;
};

const names = (holder) => {
  const all = new Set();
  for (let object = holder; object !== null && !isProxy(object); object = getPrototypeOf(object)) {
    for (const name of $.each(getOwnPropertyNames(object))) {
      if (NAME.test(name)) all.add(name);
    }
  }
  return [...$.eachIn(all, 'Set')];
};
const matching = (list, word) => {
  const found = $.filter(list, (name) => $.startsWith(name, word));
  return $.slice($.sort(found), 0, MOST);
};

const completePath = (word) => {
  const end = $.lastIndexOf(word, '/') + 1;
  const folder = $.slice(word, 0, end);
  const isPath = $.startsWith(word, '.') || $.startsWith(word, '/');
  if (isPath) {
    const entries = $.filter(native.list(folder === '' ? '.' : folder), (name) => !$.startsWith(name, '.'));
    return matching($.map(entries, (name) => folder + name), word);
  }
  const builtins = /** @type {any} */ (require('common_js')).module.builtinModules;
  const own = $.filter(builtins, (name) => !$.startsWith(name, '_'));
  const prefixed = $.startsWith(word, 'node:') ? $.map(own, (name) => $.startsWith(name, 'node:') ? name : 'node:' + name) : [];
  const packages = $.map(native.list('node_modules/' + folder), (name) => folder + name);
  const shown = $.map($.filter(packages, (name) => !$.startsWith(name, '.')), (name) =>
    ($.endsWith(name, '/') && !$.startsWith(name, '@') ? $.slice(name, 0, -1) : name));
  return matching([...$.each(own), ...$.each(prefixed), ...$.each(shown)], word);
};

exports.complete = (line) => {
  const path = PATH.exec(line);
  if (path) return { __proto__: null, word: path[2], names: completePath(path[2]) };
  const chain = CHAIN.exec(line)[0];
  const parts = $.split($.replaceAll(chain, '?.', '.'), '.');
  const word = parts[parts.length - 1];
  // (After `).` or `].` there is no telling.)
  const before = line[line.length - chain.length - 1];
  if (before === '.' || (chain === '' && line !== '' && before !== ' ' && before !== '(')) {
    return { __proto__: null, word: '', names: [] };
  }
  let holder = globalThis;
  for (let at = 0; at < parts.length - 1; at++) {
    holder = holderOf(parts[at] === 'globalThis' && at === 0 ? globalThis : valueOf(holder, parts[at]));
    if (holder === null) break;
  }
  if (holder === null) return { __proto__: null, word, names: [] };
  const all = names(holder);
  return { __proto__: null, word, names: matching(parts.length === 1 ? [...$.each(all), ...$.each(KEYWORDS)] : all, word) };
};
