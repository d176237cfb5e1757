// Intl.Collator.
/**
 * What Rust provides.
 * @type {{
 *   collator(tag: string, sensitivity: string, numeric: boolean, caseFirst: string, ignorePunctuation: boolean): object,
 *   caseFirst(collator: object): string,
 *   compare(collator: object, one: string, two: string): number,
 * }}
 */
const native = rust;
const { flag, intlClass, isLanguage, matcher, option, resolveLocale, toObject } = require('intl_shared');

const NAME = 'Intl.Collator';
const has = isLanguage;
const KINDS = $.split('compat dict emoji eor phonebk phonetic pinyin searchjl stroke trad unihan zhuyin', ' ');

const initialize = (locales, given) => {
  const options = toObject(given, NAME);
  const usage = option(options, 'usage', ['sort', 'search'], 'sort', NAME);
  matcher(options, NAME);
  const { locale: base, keywords, tag } = /** @type {any} */ (resolveLocale(locales, has));
  const wished = option(options, 'collation', undefined, undefined, NAME);
  const collation = $.find([wished, keywords.get('co')], (kind) => $.includes(KINDS, kind)) ?? 'default';
  const numeric = flag(options, 'numeric') ?? (keywords.has('kn') && keywords.get('kn') !== 'false');
  const ownFirst = option(options, 'caseFirst', ['upper', 'lower', 'false'], keywords.get('kf'), NAME);
  const sensitivity = option(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant', NAME);
  const ignorePunctuation = flag(options, 'ignorePunctuation', $.startsWith(base, 'th'));
  const collator = native.collator(tag ?? 'en-US', sensitivity, numeric, ownFirst ?? '', ignorePunctuation);
  const caseFirst = native.caseFirst(collator);
  // What the tag asks for is a part of the answer.
  const settled = { __proto__: null, co: collation, kf: caseFirst, kn: numeric };
  const isKept = (key) => keywords.has(key) &&
    (key === 'kn' ? (keywords.get(key) !== 'false') === numeric : keywords.get(key) === settled[key]);
  const kept = $.filter(['co', 'kf', 'kn'], isKept);
  const locale = kept.length === 0 ? base : $.text`${base}-u-${$.join($.map(kept, (key) => {
    const value = keywords.get(key);
    return value === '' ? key : $.text`${key}-${value}`;
  }), '-')}`;
  return {
    collator,
    resolved: { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst },
  };
};

exports.Collator = intlClass('Collator', {
  initialize,
  callable: true,
  has,
  members: {
    resolvedOptions: (state) => ({ ...state.resolved }),
    compare: { length: 2, bound: (state, one, two) => native.compare(state.collator, $.text`${one}`, $.text`${two}`) },
  },
}).made;
