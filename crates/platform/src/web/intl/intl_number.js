// Intl.NumberFormat.
const { flag, intlClass, matcher, option, resolveLocale, toObject, typeOption } = require('intl_shared');
const { decimal, digitOptions, numeric, resolvedDigits, rounded, shifted } = require('intl_digits');

const NAME = 'Intl.NumberFormat';
const CODE = $.regex(/^[a-z]{3}$/i);
const SYMBOL_END = $.regex(/\p{S}$/u);
const NO_BREAK = '\u00a0';

/** SetNumberFormatUnitOptions, and what follows it in InitializeNumberFormat. */
const initialize = (locales, given) => {
  const options = toObject(given, NAME);
  const { locale } = resolveLocale(locales);
  matcher(options, NAME);
  typeOption(options, 'numberingSystem', NAME);
  const style = option(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal', NAME);
  let currency = option(options, 'currency', undefined, undefined, NAME);
  if (currency === undefined) {
    if (style === 'currency') throw new TypeError('Currency code is required with currency style.');
  } else if (!$.test(CODE, currency)) throw new RangeError($.text`Invalid currency code : ${currency}`);
  const currencyDisplay = option(options, 'currencyDisplay', ['code', 'symbol', 'narrowSymbol', 'name'], 'symbol', NAME);
  const currencySign = option(options, 'currencySign', ['standard', 'accounting'], 'standard', NAME);
  const unit = option(options, 'unit', undefined, undefined, NAME);
  if (unit === undefined) {
    if (style === 'unit') throw new TypeError("Invalid unit argument for Intl.NumberFormat() ''");
  } else if (!require('intl_number_names').isUnit(unit)) {
    throw new RangeError($.text`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  }
  const unitDisplay = option(options, 'unitDisplay', ['short', 'narrow', 'long'], 'short', NAME);
  const resolved = { locale, numberingSystem: 'latn', style };
  if (style === 'currency') {
    currency = $.toUpperCase(/** @type {string} */ (currency));
    Object.assign(resolved, { currency, currencyDisplay, currencySign });
  } else if (style === 'unit') Object.assign(resolved, { unit, unitDisplay });
  const notation = option(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard', NAME);
  const isMoney = style === 'currency' && notation === 'standard';
  const least = isMoney ? require('intl_names').currencyDigits(currency) : 0;
  const most = isMoney ? least : style === 'percent' ? 0 : 3;
  const digits = digitOptions(options, least, most, notation === 'compact', NAME);
  const compactDisplay = option(options, 'compactDisplay', ['short', 'long'], 'short', NAME);
  const useGrouping = groupingOption(options, notation === 'compact' ? 'min2' : 'auto');
  const signDisplay =
    option(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto', NAME);
  return { resolved, digits, notation, compactDisplay, useGrouping, signDisplay };
};
const groupingOption = (options, fallback) => {
  const { useGrouping: value } = options;
  if (value === undefined) return fallback;
  if (value === true) return 'always';
  if (!flag({ __proto__: null, value }, 'value')) return false;
  const text = $.text`${value}`;
  if (text === 'true' || text === 'false') return fallback;
  if (!$.includes(['min2', 'auto', 'always'], text)) {
    throw new RangeError($.text`Value ${text} out of range for ${NAME} options property useGrouping`);
  }
  return text;
};

const COMPACT = { __proto__: null, 3: ['K', 'thousand'], 6: ['M', 'million'], 9: ['B', 'billion'], 12: ['T', 'trillion'] };
/** The power of ten that a magnitude is written with. */
const exponentFor = (notation, magnitude) => {
  switch (notation) {
    case 'scientific': return magnitude;
    case 'engineering': return Math.floor(magnitude / 3) * 3;
    case 'compact': return magnitude < 3 ? 0 : Math.min(Math.floor(magnitude / 3) * 3, 12);
    default: return 0;
  }
};
const magnitudeOf = (number) => (number.digits === '' ? 0 : number.point - 1);

const grouped = (parts, whole, useGrouping) => {
  const groups = [];
  const isGrouped = useGrouping !== false && whole.length > (useGrouping === 'min2' ? 4 : 3);
  while (isGrouped && whole.length > 3) {
    $.unshift(groups, $.slice(whole, -3));
    whole = $.slice(whole, 0, -3);
  }
  $.push(parts, { type: 'integer', value: whole });
  for (const group of $.each(groups)) $.push(parts, { type: 'group', value: ',' }, { type: 'integer', value: group });
};
/** The sign that is shown: '-', '+', or none. */
const signOf = (number, isZero, signDisplay) => {
  const { isNegative } = number;
  switch (signDisplay) {
    case 'never': return '';
    case 'always': return isNegative ? '-' : '+';
    case 'exceptZero': return isZero ? '' : isNegative ? '-' : '+';
    case 'negative': return isNegative && !isZero ? '-' : '';
    default: return isNegative ? '-' : '';
  }
};

/** The parts of the number alone, without sign and unit. */
const bareParts = (state, number) => {
  const { resolved, digits, notation, compactDisplay, useGrouping } = state;
  const parts = [];
  if (number.kind === 'NaN') return { parts: [{ type: 'nan', value: 'NaN' }], isZero: true, isOne: false };
  if (number.kind === 'Infinity') return { parts: [{ type: 'infinity', value: '∞' }], isZero: false, isOne: false };
  let exponent = exponentFor(notation, magnitudeOf(number));
  let result = rounded(shifted(number, -exponent), digits);
  // Rounding can lead to one more digit: 999,999 is a million, in short.
  const next = exponentFor(notation, magnitudeOf(result.number) + exponent);
  if (result.number.digits !== '' && next !== exponent) {
    exponent = next;
    result = rounded(shifted(number, -exponent), digits);
  }
  grouped(parts, result.whole, useGrouping);
  if (result.fraction !== '') $.push(parts, { type: 'decimal', value: '.' }, { type: 'fraction', value: result.fraction });
  const isOne = result.whole === '1' && result.fraction === '' && exponent === 0;
  if (notation === 'compact' && exponent > 0) {
    const isLong = compactDisplay === 'long' && resolved.style !== 'currency';
    if (isLong) $.push(parts, { type: 'literal', value: ' ' });
    $.push(parts, { type: 'compact', value: COMPACT[exponent][isLong ? 1 : 0] });
  } else if (notation === 'scientific' || notation === 'engineering') {
    $.push(parts, { type: 'exponentSeparator', value: 'E' });
    if (exponent < 0) $.push(parts, { type: 'exponentMinusSign', value: '-' });
    $.push(parts, { type: 'exponentInteger', value: $.toString(Math.max(exponent, -exponent)) });
  }
  return { parts, isZero: result.number.digits === '', isOne };
};

/** PartitionNumberPattern: what is before the number, the number, and what is after it. */
const partition = (state, value) => {
  const { resolved, signDisplay } = state;
  let number = decimal(value);
  if (resolved.style === 'percent') number = shifted(number, 2);
  const { parts, isZero, isOne } = bareParts(state, number);
  const sign = signOf(number, isZero, signDisplay);
  const before = [];
  const after = [];
  const signPart = { type: sign === '-' ? 'minusSign' : 'plusSign', value: sign };
  const isAccounting = resolved.style === 'currency' && resolved.currencySign === 'accounting' && sign === '-' &&
    resolved.currencyDisplay !== 'name';
  if (isAccounting) $.push(before, { type: 'literal', value: '(' });
  else if (sign !== '') $.push(before, signPart);
  if (resolved.style === 'currency') {
    const { currency, currencyDisplay } = resolved;
    const { currencySymbol, currencyText } = require('intl_names');
    if (currencyDisplay === 'name') {
      $.push(after, { type: 'literal', value: ' ' }, { type: 'currency', value: currencyText(currency, isOne) });
    } else {
      const symbol = currencyDisplay === 'code' ? currency : currencySymbol(currency, currencyDisplay === 'narrowSymbol');
      $.push(before, { type: 'currency', value: symbol });
      if (number.kind === 'finite' && !$.test(SYMBOL_END, symbol)) $.push(before, { type: 'literal', value: NO_BREAK });
    }
  } else if (resolved.style === 'percent') $.push(after, { type: 'percentSign', value: '%' });
  else if (resolved.style === 'unit') {
    const text = require('intl_number_names').unitPattern(resolved.unit, resolved.unitDisplay, isOne);
    const name = $.slice(text, 1);
    const hasSpace = $.startsWith(name, ' ') || $.startsWith(name, NO_BREAK);
    if (hasSpace) $.push(after, { type: 'literal', value: name[0] });
    $.push(after, { type: 'unit', value: hasSpace ? $.slice(name, 1) : name });
  }
  if (isAccounting) $.push(after, { type: 'literal', value: ')' });
  return { before, parts, after };
};
const allParts = ({ before, parts, after }) => [...$.each(before), ...$.each(parts), ...$.each(after)];
const textOf = (parts) => $.join($.map(parts, ({ value }) => value), '');

const range = (state, start, end) => {
  if (start === undefined || end === undefined) throw new TypeError('start or end is undefined');
  for (const value of $.each([start, end])) {
    if (decimal(value).kind === 'NaN') throw new RangeError('Invalid argument');
  }
  const one = partition(state, start);
  const two = partition(state, end);
  const tagged = (parts, source) => $.map(parts, (part) => ({ ...part, source }));
  if (textOf(allParts(one)) === textOf(allParts(two))) {
    return [{ type: 'approximatelySign', value: '~', source: 'shared' }, ...$.each(tagged(allParts(one), 'shared'))];
  }
  const { style, currencyDisplay, unit } = state.resolved;
  const isShared = (style === 'unit' && unit !== 'percent') || (style === 'currency' && currencyDisplay === 'name');
  if (isShared) one.after = [];
  const isMarked = ({ before, parts, after }) => before.length + after.length > 0 || $.some(parts, ({ type }) => type === 'compact');
  const dash = isMarked(one) || (isMarked(two) && !(isShared && two.before.length === 0)) ? ' – ' : '–';
  return [
    ...$.each(tagged(allParts(one), 'startRange')), { type: 'literal', value: dash, source: 'shared' },
    ...$.each(tagged([...$.each(two.before), ...$.each(two.parts)], 'endRange')),
    ...$.each(tagged(two.after, isShared ? 'shared' : 'endRange')),
  ];
};

const { made: NumberFormat, stateOf } = intlClass('NumberFormat', {
  initialize,
  callable: true,
  members: {
    resolvedOptions: ({ resolved, digits, notation, compactDisplay, useGrouping, signDisplay }) => {
      const {
        minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits, minimumSignificantDigits,
        maximumSignificantDigits, roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay,
      } = digits;
      return resolvedDigits({
        ...resolved, minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits, minimumSignificantDigits,
        maximumSignificantDigits, useGrouping, notation,
        compactDisplay: notation === 'compact' ? compactDisplay : undefined,
        signDisplay, roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay,
      });
    },
    formatToParts: (state, value) => allParts(partition(state, numeric(value))),
    format: { length: 1, bound: (state, value) => textOf(allParts(partition(state, value))) },
    formatRange: (state, start, end) => textOf(range(state, start, end)),
    formatRangeToParts: (state, start, end) => range(state, start, end),
  },
});
exports.NumberFormat = NumberFormat;
/** What `new NumberFormat(locales, options).format(value)` gives. */
exports.formatNumber = (value, locales = undefined, options = undefined) =>
  textOf(allParts(partition(initialize(locales, options), value)));
exports.partsOf = (format, value) => allParts(partition(stateOf(format), value));
