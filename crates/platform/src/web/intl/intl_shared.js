// What the classes of Intl have in common: locales, options, and how a class is made.
//
// There is English alone, as the United States, Britain and Canada write it; any other locale is answered in that of the
// United States. (Collators and segmenters know all languages.)
/**
 * What Rust provides.
 * @type {{
 *   parts(tag: string): string[] | undefined,
 *   likely(tag: string, maximize: boolean): string | undefined,
 * }}
 */
const native = rust;

exports.likely = native.likely;
exports.isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** The parts of a tag; throws if it is none. */
exports.parseTag = (tag) => {
  const parts = native.parts(tag);
  if (parts === undefined || parts === null) throw new RangeError($.text`Invalid language tag: ${tag}`);
  const { 0: text, 1: baseName, 2: language, 3: script, 4: region, 5: variants } = parts;
  const keywords = new Map();
  for (let i = 6; i < parts.length; i += 2) keywords.set(parts[i], parts[i + 1]);
  return { tag: text, baseName, language, script, region, variants, keywords };
};

/** CanonicalizeLocaleList. */
exports.canonicalList = (locales) => {
  const list = [];
  if (locales === undefined) return list;
  if (locales === null) throw new TypeError('Cannot convert undefined or null to object');
  const add = (item) => {
    if (typeof item !== 'string' && !exports.isObject(item)) {
      throw new TypeError('Language ID should be string or object.');
    }
    const { tag } = exports.parseTag(require('intl_locale').tagOf(item) ?? $.text`${item}`);
    if (!$.includes(list, tag)) $.push(list, tag);
  };
  if (typeof locales === 'string' || require('intl_locale').tagOf(locales) !== undefined) add(locales);
  else {
    const items = Object(locales);
    const length = Math.min(Math.max(Math.trunc(+items.length) || 0, 0), 2 ** 32);
    for (let i = 0; i < length; i++) if (i in items) add(items[i]);
  }
  return list;
};

/** @param {{ language: string, tag: string }} parsed */
const isEnglish = ({ language }) => language === 'en';
/** Whether a tag has a language that there are words and an order of letters for. */
exports.isLanguage = ({ language }) => language === 'en' ||
  (!$.includes(['und', 'zxx', 'mul', 'mis'], language) && require('intl_names').languages().has(language));
const REGIONS = ['US', 'GB', 'CA'];
/**
 * The locale that answers for those requested, and the keywords of its tag.
 * @param {(parsed: { language: string, tag: string }) => boolean} [has]
 */
exports.resolveLocale = (locales, has = isEnglish) => {
  for (const tag of $.each(exports.canonicalList(locales))) {
    const parsed = exports.parseTag(tag);
    if (!has(parsed)) continue;
    const region = parsed.region === '' || has !== isEnglish || $.includes(REGIONS, parsed.region) ? parsed.region : 'US';
    return { ...parsed, locale: region === '' ? parsed.language : $.text`${parsed.language}-${region}`, region };
  }
  return { locale: 'en-US', language: 'en', region: 'US', keywords: new Map() };
};
exports.supported = (locales, options, has = isEnglish) => {
  const list = exports.canonicalList(locales);
  if (options !== undefined) exports.option(exports.toObject(options), 'localeMatcher', MATCHERS, 'best fit', 'Intl');
  return $.filter(list, (tag) => has(exports.parseTag(tag)));
};
const MATCHERS = ['lookup', 'best fit'];

exports.toObject = (options, name = 'Intl') => {
  if (options === undefined) return { __proto__: null };
  if (options === null) throw new TypeError($.text`${name} called on null or undefined`);
  return exports.isObject(options) ? options : Object(options);
};
exports.onlyObject = (options) => {
  if (options === undefined) return { __proto__: null };
  if (!exports.isObject(options)) throw new TypeError('invalid_argument');
  return options;
};
/** GetOption for texts; without a list of `values`, any. */
exports.option = (options, key, values, fallback, name) => {
  const value = options[key];
  if (value === undefined) return fallback;
  const text = $.text`${value}`;
  if (values !== undefined && !$.includes(values, text)) {
    throw new RangeError($.text`Value ${text} out of range for ${name} options property ${key}`);
  }
  return text;
};
const TYPE = $.regex(/^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i);
/** A kind that extensions of tags can name, such as a calendar. */
exports.typeOption = (options, key, name) => {
  const value = exports.option(options, key, undefined, undefined, name);
  if (value !== undefined && !$.test(TYPE, value)) throw new RangeError($.text`Invalid ${key} : ${value}`);
  return value;
};
exports.flag = (options, key, fallback = undefined) => {
  const value = options[key];
  return value === undefined ? fallback : Boolean(value);
};
/** DefaultNumberOption of what `value` is. */
exports.numberIn = (value, key, least, most, fallback = undefined) => {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number >= least && number <= most)) throw new RangeError($.text`${key} value is out of range.`);
  return Math.floor(number);
};
exports.matcher = (options, name) => exports.option(options, 'localeMatcher', MATCHERS, 'best fit', name);

// What goes into a message for a value of any kind.
const shown = (value) => {
  if (typeof value === 'symbol') return $.symbolText(value);
  return exports.isObject(value) ? '#<Object>' : $.text`${value}`;
};
const hidden = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true });
exports.hidden = hidden;

/**
 * A class of Intl. Its members get what `initialize` has made of the arguments of the constructor: methods; `{ get }` for
 * getters; `{ bound, length }` for a getter whose value is a function that needs no `this`.
 * @param {string} name
 * @param {{
 *   initialize(locales: any, options: any): any,
 *   members: Record<string, any>,
 *   callable?: boolean,
 *   length?: number,
 *   has?: (parsed: { language: string, tag: string }) => boolean,
 * }} parts
 */
exports.intlClass = (name, { initialize, members, callable = false, length = 0, has }) => {
  const full = $.text`Intl.${name}`;
  const states = new WeakMap();
  /**
   * @this {any}
   * @type {any}
   */
  const made = function (locales, options) {
    if (new.target === undefined) {
      if (!callable) throw new TypeError($.text`Constructor ${full} requires 'new'`);
      return new made(locales, options);
    }
    states.set(this, initialize(locales, options));
  };
  const { prototype } = made;
  Object.defineProperty(made, 'prototype', { writable: false });
  Object.defineProperty(made, 'length', { value: length });
  Object.defineProperty(made, 'name', { value: name });
  const stateOf = (object, key) => {
    const state = exports.isObject(object) ? states.get(object) : undefined;
    if (state === undefined) {
      throw new TypeError($.text`Method ${full}.prototype.${key} called on incompatible receiver ${shown(object)}`);
    }
    return state;
  };
  hidden(prototype, 'constructor', made);
  for (const key of $.each(Object.keys(members))) {
    const member = members[key];
    if (typeof member === 'function') hidden(prototype, key, method(key, member, stateOf));
    else if (member.get !== undefined) getter(prototype, key, (object) => member.get(stateOf(object, key)));
    else getter(prototype, key, (object) => boundFunction(stateOf(object, key), member));
  }
  if (name !== 'Locale') {
    hidden(made, 'supportedLocalesOf', {
      supportedLocalesOf: (locales, options = undefined) => exports.supported(locales, options, has),
    }.supportedLocalesOf);
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: full, configurable: true });
  return { made, stateOf: (object) => states.get(object) };
};
const method = (key, call, stateOf) => {
  const made = {
    /** @this {any} */
    [key](...args) {
      return call(stateOf(this, key), ...$.each(args));
    },
  }[key];
  return Object.defineProperty(made, 'length', { value: Math.max(call.length - 1, 0) });
};
const boundFunction = (state, { bound, length }) => {
  if (state.bound === undefined) {
    state.bound = Object.defineProperty((...args) => bound(state, ...$.each(args)), 'length', { value: length });
    Object.defineProperty(state.bound, 'name', { value: '' });
  }
  return state.bound;
};
const getter = (prototype, key, read) => {
  /** @this {any} */
  const get = { get() {
    return read(this);
  } }.get;
  Object.defineProperty(get, 'name', { value: $.text`get ${key}` });
  Object.defineProperty(prototype, key, { get, set: undefined, enumerable: false, configurable: true });
};
