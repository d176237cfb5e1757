// Intl.RelativeTimeFormat.
const { intlClass, matcher, option, resolveLocale, toObject, typeOption } = require('intl_shared');

const NAME = 'Intl.RelativeTimeFormat';
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
// By unit: of one and of several, in short and narrow.
const SHORT = {
  __proto__: null, second: ['sec.', 'sec.', 's'], minute: ['min.', 'min.', 'm'], hour: ['hr.', 'hr.', 'h'],
  day: ['day', 'days', 'd'], week: ['wk.', 'wk.', 'w'], month: ['mo.', 'mo.', 'mo'], quarter: ['qtr.', 'qtrs.', 'q'],
  year: ['yr.', 'yr.', 'y'],
};
const ABBREVIATED = { __proto__: null, second: 'sec.', minute: 'min.', hour: 'hr.', week: 'wk.', month: 'mo.', quarter: 'qtr.', year: 'yr.' };
const NAMED = ['day', 'week', 'month', 'quarter', 'year'];
const named = (unit, value, style) => {
  if (unit === 'day' && value === 1) return 'tomorrow';
  if (unit === 'day' && Object.is(value, 0)) return 'today';
  if (unit === 'day' && Object.is(value, -0)) return 'today';
  if (unit === 'day' && value === -1) return 'yesterday';
  if (unit === 'second' && value === 0) return 'now';
  const text = style === 'long' ? unit : ABBREVIATED[unit] ?? unit;
  if (value === 0 && $.includes([...$.each(NAMED), 'hour', 'minute'], unit)) {
    return $.text`this ${unit === 'hour' || unit === 'minute' ? unit : text}`;
  }
  if (!$.includes(NAMED, unit)) return undefined;
  return value === 1 ? $.text`next ${text}` : value === -1 ? $.text`last ${text}` : undefined;
};
const singular = (unit) => {
  const text = $.text`${unit}`;
  const found = $.endsWith(text, 's') ? $.slice(text, 0, -1) : text;
  if ($.includes(UNITS, found)) return found;
  throw new RangeError($.text`Invalid unit argument for ${NAME}.prototype.format() '${text}'`);
};
const partition = (state, value, unit) => {
  const number = +value;
  const name = singular(unit);
  if (!Number.isFinite(number)) {
    throw new RangeError($.text`Value need to be finite number for ${NAME}.prototype.format()`);
  }
  if (state.numeric === 'auto') {
    const text = named(name, number, state.style);
    if (text !== undefined) return [{ type: 'literal', value: text }];
  }
  const isPast = number < 0 || Object.is(number, -0);
  const { partsOf } = require('intl_number');
  const size = isPast ? -number : number;
  const parts = $.map(partsOf(state.numbers, size), (part) => ({ ...part, unit: name }));
  const isOne = size === 1;
  const { style } = state;
  const text = style === 'long' ? (isOne ? name : $.text`${name}s`) : SHORT[name][style === 'narrow' ? 2 : isOne ? 0 : 1];
  const words = style === 'narrow' ? text : $.text` ${text}`;
  return isPast ? [...$.each(parts), { type: 'literal', value: $.text`${words} ago` }]
    : [{ type: 'literal', value: 'in ' }, ...$.each(parts), { type: 'literal', value: words }];
};

exports.RelativeTimeFormat = intlClass('RelativeTimeFormat', {
  initialize(locales, given) {
    const options = toObject(given, NAME);
    matcher(options, NAME);
    typeOption(options, 'numberingSystem', NAME);
    const { locale } = resolveLocale(locales);
    const style = option(options, 'style', ['long', 'short', 'narrow'], 'long', NAME);
    const numeric = option(options, 'numeric', ['always', 'auto'], 'always', NAME);
    const { NumberFormat } = require('intl_number');
    return { locale, style, numeric, numbers: new NumberFormat(locale) };
  },
  members: {
    resolvedOptions: ({ locale, style, numeric }) => ({ locale, style, numeric, numberingSystem: 'latn' }),
    format: (state, value, unit) => $.join($.map(partition(state, value, unit), (part) => part.value), ''),
    formatToParts: (state, value, unit) => partition(state, value, unit),
  },
}).made;
