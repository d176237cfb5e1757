// Intl.ListFormat.
const { intlClass, isObject, matcher, onlyObject, option, resolveLocale } = require('intl_shared');

const NAME = 'Intl.ListFormat';
/** The texts of what is iterated. */
const texts = (list) => {
  const made = [];
  if (list === undefined) return made;
  if (typeof list === 'string') return [...$.each($.split(list, ''))];
  const method = list[Symbol.iterator];
  if (typeof method !== 'function') throw new TypeError('list is not iterable');
  const iterator = Reflect.apply(method, list, []);
  if (!isObject(iterator)) throw new TypeError('Result of the Symbol.iterator method is not an object');
  for (;;) {
    const { done, value } = iterator.next();
    if (done) return made;
    if (typeof value !== 'string') {
      iterator.return?.();
      throw new TypeError($.text`Iterable yielded ${isObject(value) ? '#<Object>' : $.text`${value}`} which is not a string`);
    }
    $.push(made, value);
  }
};
/** What goes between the items: of two, inside longer lists, and before the last of those. */
const separators = (type, style, locale) => {
  if (type === 'unit') return style === 'narrow' ? [' ', ' ', ' '] : [', ', ', ', ', '];
  if (type === 'disjunction') return [' or ', ', ', ', or '];
  return style === 'long' || (style === 'short' && locale === 'en-GB') ? [' and ', ', ', ', and '] : style === 'short' ? [' & ', ', ', ', & '] : [', ', ', ', ', '];
};
const partition = ({ type, style, locale }, items) => {
  const parts = [];
  const { 0: pair, 1: middle, 2: last } = separators(type, style, locale);
  // Only in American English is there a comma before the last "and".
  const end = locale === 'en-GB' && $.test($.regex(/^, \S/), last) ? $.slice(last, 1) : last;
  $.forEach(items, (value, index) => {
    if (index > 0) {
      const separator = items.length === 2 ? pair : index === items.length - 1 ? end : middle;
      $.push(parts, { type: 'literal', value: separator });
    }
    $.push(parts, { type: 'element', value });
  });
  return parts;
};

exports.ListFormat = intlClass('ListFormat', {
  initialize(locales, given) {
    const options = onlyObject(given);
    matcher(options, NAME);
    const { locale } = resolveLocale(locales);
    const type = option(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction', NAME);
    const style = option(options, 'style', ['long', 'short', 'narrow'], 'long', NAME);
    return { locale, type, style };
  },
  members: {
    resolvedOptions: ({ locale, type, style }) => ({ locale, type, style }),
    format: (state, list) => $.join($.map(partition(state, texts(list)), ({ value }) => value), ''),
    formatToParts: (state, list) => partition(state, texts(list)),
  },
}).made;
exports.joined = (items, type, style) => partition({ type, style, locale: 'en-US' }, items);
