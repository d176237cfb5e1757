// Intl.DurationFormat.
const { intlClass, isObject, matcher, numberIn, onlyObject, option, resolveLocale, typeOption } = require('intl_shared');
const { partsOf } = require('intl_number');

const NAME = 'Intl.DurationFormat';
const UNITS = ['years', 'months', 'weeks', 'days', 'hours', 'minutes', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds'];
const WORDS = ['long', 'short', 'narrow'];
const NUMERIC = ['numeric', '2-digit', 'fractional'];
const isClock = (unit) => unit === 'hours' || unit === 'minutes' || unit === 'seconds';
const isPart = (unit) => $.indexOf(UNITS, unit) > 6;

/** GetDurationUnitOptions. */
const unitOptions = (options, unit, base, previous) => {
  const styles = isClock(unit) ? [...$.each(WORDS), 'numeric', '2-digit'] : isPart(unit) ? [...$.each(WORDS), 'numeric'] : WORDS;
  let style = option(options, unit, styles, undefined, NAME);
  let shown = 'always';
  const follows = $.includes(NUMERIC, previous);
  if (style === undefined) {
    if (base === 'digital') {
      if (!isClock(unit)) shown = 'auto';
      style = isClock(unit) || isPart(unit) ? 'numeric' : 'short';
    } else if (follows) {
      if (unit !== 'minutes' && unit !== 'seconds') shown = 'auto';
      style = 'numeric';
    } else {
      shown = 'auto';
      style = base;
    }
  }
  if (style === 'numeric' && isPart(unit)) {
    style = 'fractional';
    shown = 'auto';
  }
  const display = option(options, $.text`${unit}Display`, ['auto', 'always'], shown, NAME);
  const isWrong = (display === 'always' && style === 'fractional') ||
    (previous === 'fractional' && style !== 'fractional') ||
    ((previous === 'numeric' || previous === '2-digit') && !$.includes(NUMERIC, style));
  if (isWrong) throw new RangeError($.text`Value ${style} out of range for ${NAME} options property ${unit}`);
  if (follows && (unit === 'minutes' || unit === 'seconds')) style = '2-digit';
  return { style, display };
};
const numberFormat = (options) => {
  const { NumberFormat } = require('intl_number');
  return new NumberFormat('en', { __proto__: null, ...options });
};
// The nanoseconds that a unit has, and how many a duration may have.
/** @type {[string, bigint][]} */
const SECONDS = [
  ['days', 86_400_000_000_000n], ['hours', 3_600_000_000_000n], ['minutes', 60_000_000_000n], ['seconds', 1_000_000_000n],
  ['milliseconds', 1_000_000n], ['microseconds', 1000n], ['nanoseconds', 1n],
];
const LONGEST = 2n ** 53n * 1_000_000_000n;
/** ToDurationRecord. */
const record = (input) => {
  if (typeof input === 'string') throw new RangeError('Invalid duration');
  if (!isObject(input)) throw new TypeError('Invalid duration');
  const made = { __proto__: null };
  let sign = 0;
  let isAny = false;
  for (const unit of $.each(UNITS)) {
    const value = input[unit];
    made[unit] = 0;
    if (value === undefined) continue;
    const number = +value;
    if (!Number.isInteger(number)) throw new RangeError($.text`Invalid duration value for ${unit}`);
    isAny = true;
    made[unit] = number + 0;
    const own = number < 0 ? -1 : number > 0 ? 1 : 0;
    if (own !== 0 && sign !== 0 && own !== sign) throw new RangeError('Invalid duration: mixed signs');
    if (own !== 0) sign = own;
  }
  if (!isAny) throw new TypeError('Invalid duration');
  const isLong = $.some(['years', 'months', 'weeks'], (unit) => size(made[unit]) >= 2 ** 32);
  if (isLong || $.reduce(SECONDS, (sum, { 0: unit, 1: scale }) => sum + BigInt(size(made[unit])) * scale, 0n) >= LONGEST) {
    throw new RangeError('Invalid duration');
  }
  return { duration: made, isNegative: sign < 0 };
};
const size = (value) => Math.max(value, -value);
/** A number whose further digits are the smaller units: seconds with milliseconds, and so on. */
const withFraction = (duration, at) => {
  let sum = 0n;
  for (let i = at; i < UNITS.length; i++) sum = sum * 1000n + BigInt(size(duration[UNITS[i]]));
  // The sum in the smallest unit, with a point where the larger one ends.
  const places = 3 * (UNITS.length - 1 - at);
  const digits = $.padStart($.text`${sum}`, places + 1, '0');
  return $.text`${$.slice(digits, 0, -places)}.${$.slice(digits, -places)}`;
};

const partition = (state, input) => {
  const { duration, isNegative } = record(input);
  const { units, fractionalDigits, style: base } = state;
  const groups = [];
  let signed = isNegative;
  let clock;
  for (let at = 0; at < UNITS.length; at++) {
    const unit = UNITS[at];
    const { style, display } = units[unit];
    if (style === 'fractional') continue;
    const value = duration[unit];
    const next = units[UNITS[at + 1] ?? unit].style;
    const carries = at >= 6 && at < 9 && next === 'fractional';
    const isZero = value === 0 && !(carries && $.some($.slice(UNITS, at + 1), (smaller) => duration[smaller] !== 0));
    const isNumeric = style === 'numeric' || style === '2-digit';
    // Minutes stand between hours and seconds even if there are none.
    const isBetween = unit === 'minutes' && clock !== undefined &&
      (units.seconds.display === 'always' || duration.seconds !== 0 || duration.milliseconds !== 0 ||
        duration.microseconds !== 0 || duration.nanoseconds !== 0);
    if (isZero && display === 'auto' && !isBetween) continue;
    const shown = carries ? withFraction(duration, at) : $.toString(size(value));
    const digits = carries
      ? { minimumFractionDigits: fractionalDigits ?? 0, maximumFractionDigits: fractionalDigits ?? 9, roundingMode: 'trunc' } : {};
    const sign = signed ? '-' : '';
    signed = false;
    const single = $.slice(unit, 0, -1);
    const options = isNumeric
      ? { ...digits, minimumIntegerDigits: style === '2-digit' ? 2 : 1, useGrouping: false }
      : { ...digits, style: 'unit', unit: single, unitDisplay: style };
    const parts = $.map(partsOf(numberFormat(options), sign + shown), (part) => ({ ...part, unit: single }));
    if (!isNumeric) {
      $.push(groups, parts);
      continue;
    }
    if (clock === undefined) $.push(groups, clock = parts);
    else $.push(clock, { type: 'literal', value: ':' }, ...$.each(parts));
  }
  const joined = require('intl_list').joined(groups, 'unit', base === 'digital' ? 'short' : base);
  return $.flatMap(joined, (part) => (part.type === 'element' ? part.value : part));
};

exports.DurationFormat = intlClass('DurationFormat', {
  initialize(locales, given) {
    const options = onlyObject(given);
    matcher(options, NAME);
    const { locale } = resolveLocale(locales);
    typeOption(options, 'numberingSystem', NAME);
    const style = option(options, 'style', ['long', 'short', 'narrow', 'digital'], 'short', NAME);
    const units = { __proto__: null };
    let previous = '';
    for (const unit of $.each(UNITS)) {
      units[unit] = unitOptions(options, unit, style, previous);
      if (isClock(unit) || isPart(unit)) previous = units[unit].style;
    }
    return { locale, style, units, fractionalDigits: numberIn(options.fractionalDigits, 'fractionalDigits', 0, 9) };
  },
  members: {
    resolvedOptions: ({ locale, style, units, fractionalDigits }) => {
      const resolved = { __proto__: null, locale, numberingSystem: 'latn', style };
      for (const unit of $.each(UNITS)) {
        resolved[unit] = units[unit].style === 'fractional' ? 'numeric' : units[unit].style;
        resolved[$.text`${unit}Display`] = units[unit].display;
      }
      return fractionalDigits === undefined ? { ...resolved } : { ...resolved, fractionalDigits };
    },
    format: (state, duration) => $.join($.map(partition(state, duration), ({ value }) => value), ''),
    formatToParts: (state, duration) => partition(state, duration),
  },
}).made;
