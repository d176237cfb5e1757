// Numbers in decimal: how NumberFormat and PluralRules round them.
const { numberIn, option } = require('intl_shared');

// { isNegative, digits, point }: the value is 0.digits × 10^point; no digits for zero. `kind` is 'finite', 'NaN' or
// 'Infinity'.
const DECIMAL = $.regex(/^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i);
const made = (isNegative, digits, point) => {
  let start = 0;
  while (start < digits.length && digits[start] === '0') start++;
  let end = digits.length;
  while (end > start && digits[end - 1] === '0') end--;
  return { kind: 'finite', isNegative, digits: $.slice(digits, start, end), point: end === start ? 0 : point - start };
};
const parsed = (text) => {
  const found = DECIMAL.exec(text);
  if (found === null || (found[2] === '' && !found[3])) return undefined;
  const { 1: sign, 2: whole, 3: fraction = '', 4: exponent = '0' } = found;
  // No number that is written out has more than this.
  if (+exponent > 10000 || +exponent < -10000) return undefined;
  return made(sign === '-', whole + fraction, whole.length + +exponent);
};
/** ToIntlMathematicalValue. */
exports.decimal = (value) => {
  if (typeof value === 'object' && value !== null) value = primitive(value);
  if (typeof value === 'bigint') return parsed(bigintText(value));
  if (typeof value === 'string') {
    const text = $.trim(value);
    const exact = text === '' ? parsed('0') : parsed(text);
    if (exact !== undefined) return exact;
  }
  const number = typeof value === 'bigint' ? 0 : +value;
  if (Number.isNaN(number)) return { kind: 'NaN', isNegative: false, digits: '', point: 0 };
  if (number === Infinity || number === -Infinity) return { kind: 'Infinity', isNegative: number < 0, digits: '', point: 0 };
  const found = /** @type {any} */ (parsed($.toString(number)));
  return Object.is(number, -0) ? { ...found, isNegative: true } : found;
};
const bigintText = (value) => $.text`${value}`;
const primitive = (value) => {
  const convert = value[Symbol.toPrimitive];
  if (convert !== undefined && convert !== null) return Reflect.apply(convert, value, ['number']);
  const plain = value.valueOf();
  return typeof plain === 'object' && plain !== null ? $.text`${value}` : plain;
};
exports.numeric = (value) => (typeof value === 'bigint' ? value
  : typeof value === 'object' && value !== null ? primitive(value) : +value);

const MODES = ['ceil', 'floor', 'expand', 'trunc', 'halfCeil', 'halfFloor', 'halfExpand', 'halfTrunc', 'halfEven'];
const INCREMENTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];

/** SetNumberFormatDigitOptions. */
exports.digitOptions = (options, leastFraction, mostFraction, isCompact, name) => {
  const minimumIntegerDigits = numberIn(options.minimumIntegerDigits, 'minimumIntegerDigits', 1, 21, 1);
  const {
    minimumFractionDigits: minF, maximumFractionDigits: maxF, minimumSignificantDigits: minS, maximumSignificantDigits: maxS,
  } = options;
  const roundingIncrement = numberIn(options.roundingIncrement, 'roundingIncrement', 1, 5000, 1);
  if (!$.includes(INCREMENTS, roundingIncrement)) throw new RangeError('roundingIncrement value is out of range.');
  const roundingMode = option(options, 'roundingMode', MODES, 'halfExpand', name);
  const priority = option(options, 'roundingPriority', ['auto', 'morePrecision', 'lessPrecision'], 'auto', name);
  const trailingZeroDisplay = option(options, 'trailingZeroDisplay', ['auto', 'stripIfInteger'], 'auto', name);
  if (roundingIncrement !== 1) mostFraction = leastFraction;
  const settings = {
    minimumIntegerDigits, minimumFractionDigits: undefined, maximumFractionDigits: undefined,
    minimumSignificantDigits: undefined, maximumSignificantDigits: undefined, roundingIncrement, roundingMode,
    roundingPriority: priority, trailingZeroDisplay,
  };
  const hasSignificant = minS !== undefined || maxS !== undefined;
  const hasFraction = minF !== undefined || maxF !== undefined;
  const needsSignificant = priority !== 'auto' || hasSignificant;
  const needsFraction = priority !== 'auto' || !(hasSignificant || (!hasFraction && isCompact));
  if (needsSignificant) {
    if (hasSignificant) {
      settings.minimumSignificantDigits = numberIn(minS, 'minimumSignificantDigits', 1, 21, 1);
      settings.maximumSignificantDigits =
        numberIn(maxS, 'maximumSignificantDigits', settings.minimumSignificantDigits, 21, 21);
    } else {
      settings.minimumSignificantDigits = 1;
      settings.maximumSignificantDigits = 21;
    }
  }
  if (needsFraction) {
    if (hasFraction) {
      let least = numberIn(minF, 'minimumFractionDigits', 0, 100);
      let most = numberIn(maxF, 'maximumFractionDigits', 0, 100);
      if (least === undefined) least = Math.min(leastFraction, most);
      else if (most === undefined) most = Math.max(mostFraction, least);
      else if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
      settings.minimumFractionDigits = least;
      settings.maximumFractionDigits = most;
    } else {
      settings.minimumFractionDigits = leastFraction;
      settings.maximumFractionDigits = mostFraction;
    }
  }
  if (!needsSignificant && !needsFraction) {
    settings.minimumFractionDigits = 0;
    settings.maximumFractionDigits = 0;
    settings.minimumSignificantDigits = 1;
    settings.maximumSignificantDigits = 2;
    settings.roundingPriority = 'morePrecision';
  }
  if (roundingIncrement !== 1) {
    if (needsSignificant) throw new TypeError('roundingIncrement value is invalid.');
    if (settings.maximumFractionDigits !== settings.minimumFractionDigits) {
      throw new RangeError('roundingIncrement value is out of range.');
    }
  }
  return settings;
};
exports.resolvedDigits = (settings) => {
  const resolved = { __proto__: null };
  for (const key of $.each(Object.keys(settings))) if (settings[key] !== undefined) resolved[key] = settings[key];
  return { ...resolved };
};

// Adds one to the last digit of a text of digits.
const incremented = (digits) => {
  let at = digits.length - 1;
  while (at >= 0 && digits[at] === '9') at--;
  const zeros = $.repeat('0', digits.length - 1 - at);
  if (at < 0) return $.text`1${zeros}`;
  return $.slice(digits, 0, at) + $.text`${+digits[at] + 1}` + zeros;
};
const isUp = (mode, isNegative, rest, lastIsOdd) => {
  // `rest`: -1 below the half, 0 the half, 1 above it.
  switch (mode) {
    case 'ceil': return !isNegative;
    case 'floor': return isNegative;
    case 'expand': return true;
    case 'trunc': return false;
    case 'halfCeil': return rest > 0 || (rest === 0 && !isNegative);
    case 'halfFloor': return rest > 0 || (rest === 0 && isNegative);
    case 'halfTrunc': return rest > 0;
    case 'halfEven': return rest > 0 || (rest === 0 && lastIsOdd);
    default: return rest >= 0;
  }
};
/** The number rounded to a multiple of 10^place. */
const roundAt = (number, place, mode) => {
  const { isNegative, digits, point } = number;
  const keep = point - place;
  if (keep >= digits.length) return number;
  if (keep < 0) {
    const up = digits !== '' && isUp(mode, isNegative, -1, false);
    return up ? made(isNegative, '1', place + 1) : { ...number, digits: '', point: 0 };
  }
  const kept = $.slice(digits, 0, keep);
  const next = digits[keep];
  const rest = next > '5' || (next === '5' && keep + 1 < digits.length) ? 1 : next === '5' ? 0 : -1;
  const lastIsOdd = keep > 0 && +digits[keep - 1] % 2 === 1;
  if (!isUp(mode, isNegative, rest, lastIsOdd)) return made(isNegative, kept, point);
  const up = keep === 0 ? '1' : incremented(kept);
  return made(isNegative, up, point + (up.length > kept.length ? 1 : 0));
};
/** The number rounded to a multiple of increment × 10^place. */
const roundTo = (number, place, increment, mode) => {
  if (increment === 1 || number.digits === '') return roundAt(number, place, mode);
  const { isNegative, digits, point } = number;
  // Both as integers, with as many digits as the number has behind the place.
  const finer = Math.max(digits.length - (point - place), 0);
  const whole = BigInt($.padEnd(digits, point - place + finer, '0'));
  const by = BigInt(increment) * 10n ** BigInt(finer);
  let times = whole / by;
  const rest = whole % by;
  if (rest !== 0n) {
    const twice = rest * 2n;
    const half = twice > by ? 1 : twice === by ? 0 : -1;
    if (isUp(mode, isNegative, half, times % 2n === 1n)) times += 1n;
  }
  const text = bigintText(times * BigInt(increment));
  return made(isNegative, text, text.length + place);
};

/** The digits before and behind the point of a finite number, rounded as the settings say: { number, whole, fraction }. */
exports.rounded = (number, settings) => {
  const {
    minimumIntegerDigits, minimumFractionDigits, maximumFractionDigits, minimumSignificantDigits, maximumSignificantDigits,
    roundingIncrement, roundingMode, roundingPriority, trailingZeroDisplay,
  } = settings;
  // What each way gives: the rounded number, the place it was rounded at, and the fewest digits of its fraction.
  const byFraction = () => ({
    number: roundTo(number, -maximumFractionDigits, roundingIncrement, roundingMode), place: -maximumFractionDigits,
    fraction: minimumFractionDigits,
  });
  const bySignificant = () => {
    const place = (number.digits === '' ? 1 : number.point) - maximumSignificantDigits;
    const result = roundAt(number, place, roundingMode);
    const magnitude = result.digits === '' ? 1 : result.point;
    return { number: result, place, fraction: Math.max(minimumSignificantDigits - magnitude, 0) };
  };
  let result;
  if (maximumSignificantDigits === undefined) result = byFraction();
  else if (maximumFractionDigits === undefined || roundingPriority === 'auto') result = bySignificant();
  else {
    const significant = bySignificant();
    const fraction = byFraction();
    const isFiner = significant.place <= fraction.place;
    result = (roundingPriority === 'morePrecision') === isFiner ? significant : fraction;
  }
  const { digits, point } = result.number;
  let whole = point > 0 ? $.padEnd($.slice(digits, 0, point), point, '0') : '';
  let fraction = point > 0 ? $.slice(digits, point) : $.repeat('0', -point) + digits;
  whole = $.padStart(whole, minimumIntegerDigits, '0');
  if (digits === '') fraction = '';
  if (trailingZeroDisplay !== 'stripIfInteger' || fraction !== '') fraction = $.padEnd(fraction, result.fraction, '0');
  return { number: result.number, whole, fraction };
};
exports.shifted = (number, by) => (number.digits === '' ? number : { ...number, point: number.point + by });
