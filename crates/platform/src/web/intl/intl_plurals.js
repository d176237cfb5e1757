// Intl.PluralRules: those of English.
const { intlClass, matcher, option, resolveLocale, toObject } = require('intl_shared');
const { decimal, digitOptions, resolvedDigits, rounded } = require('intl_digits');

const NAME = 'Intl.PluralRules';
const select = ({ type, digits }, value) => {
  const number = decimal(value);
  if (number.kind !== 'finite') return 'other';
  const { whole, fraction } = rounded(number, digits);
  if (type === 'cardinal') return fraction === '' && $.test($.regex(/^0*1$/), whole) ? 'one' : 'other';
  if (fraction !== '') return 'other';
  const last = $.slice(whole, -1);
  if ($.slice(whole, -2, -1) === '1') return 'other';
  return last === '1' ? 'one' : last === '2' ? 'two' : last === '3' ? 'few' : 'other';
};

exports.PluralRules = intlClass('PluralRules', {
  initialize(locales, given) {
    const options = toObject(given, NAME);
    matcher(options, NAME);
    const type = option(options, 'type', ['cardinal', 'ordinal'], 'cardinal', NAME);
    const notation = option(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard', NAME);
    const digits = digitOptions(options, 0, 3, notation === 'compact', NAME);
    const compactDisplay = option(options, 'compactDisplay', ['short', 'long'], 'short', NAME);
    return { locale: resolveLocale(locales).locale, type, notation, compactDisplay, digits };
  },
  members: {
    resolvedOptions: ({ locale, type, notation, compactDisplay, digits }) => {
      const { roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay, ...counts } = digits;
      const pluralCategories = type === 'cardinal' ? ['one', 'other'] : ['one', 'two', 'few', 'other'];
      return resolvedDigits({
        locale, type, notation, compactDisplay: notation === 'compact' ? compactDisplay : undefined, ...counts, pluralCategories, roundingIncrement, roundingMode, roundingPriority,
        trailingZeroDisplay,
      });
    },
    select: (state, value) => select(state, +value),
    selectRange: (state, start, end) => {
      if (start === undefined || end === undefined) throw new TypeError('startRange or endRange is undefined');
      const { 0: one, 1: two } = [+start, +end];
      if (Number.isNaN(one) || Number.isNaN(two)) throw new RangeError('startRange or endRange is NaN');
      return state.type === 'cardinal' ? 'other' : select(state, two);
    },
  },
}).made;
