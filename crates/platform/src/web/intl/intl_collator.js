// Intl.Collator.
/**
 * What Rust provides.
 * @type {{
 *   collator(tag: string, sensitivity: string, numeric: boolean, caseFirst: string, ignorePunctuation: boolean): object,
 *   compare(collator: object, one: string, two: string): number,
 * }}
 */
const native = rust;
const { flag, intlClass, matcher, option, resolveLocale, toObject } = require('intl_shared');

const NAME = 'Intl.Collator';
// All that can be written; those that CLDR does not know are compared as the root of all locales is.
const has = ({ language }) => language !== 'und' && language.length <= 3;

const initialize = (locales, given) => {
  const options = toObject(given, NAME);
  const usage = option(options, 'usage', ['sort', 'search'], 'sort', NAME);
  matcher(options, NAME);
  const { locale, keywords, tag } = /** @type {any} */ (resolveLocale(locales, has));
  const collation = option(options, 'collation', undefined, undefined, NAME) ?? keywords.get('co') ?? 'default';
  const numeric = flag(options, 'numeric') ?? (keywords.has('kn') && keywords.get('kn') !== 'false');
  const caseFirst = option(options, 'caseFirst', ['upper', 'lower', 'false'], keywords.get('kf') ?? 'false', NAME);
  const sensitivity = option(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant', NAME);
  const ignorePunctuation = flag(options, 'ignorePunctuation', $.startsWith(locale, 'th'));
  return {
    collator: native.collator(tag ?? 'en-US', sensitivity, numeric, caseFirst, ignorePunctuation),
    resolved: { locale, usage, sensitivity, ignorePunctuation, collation, numeric, caseFirst },
  };
};

exports.Collator = intlClass('Collator', {
  initialize,
  callable: true,
  has,
  methods: { resolvedOptions: (state) => ({ ...state.resolved }) },
  bound: {
    name: 'compare', length: 2,
    call: (state, one, two) => native.compare(state.collator, $.text`${one}`, $.text`${two}`),
  },
}).made;
