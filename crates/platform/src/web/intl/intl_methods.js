// `toLocaleString` and its kin, which ECMA-402 defines for classes of the language.
const { canonicalList, toObject } = require('intl_shared');

const { pristine } = $;
const numberOf = $.uncurried(pristine['Number.prototype'].valueOf);
const bigintOf = $.uncurried(pristine['BigInt.prototype'].valueOf);
const typedLength = $.length;
const valuesOf = $.uncurried(pristine['TypedArray.prototype'].values);

exports.Number = {
  toLocaleString: (number, locales, options) => require('intl_number').formatNumber(numberOf(number), locales, options),
};
exports.BigInt = {
  toLocaleString: (bigint, locales, options) => require('intl_number').formatNumber(bigintOf(bigint), locales, options),
};

const dateMethod = (required, defaults) => (date, locales, options) => {
  const time = $.getTime(date);
  return Number.isNaN(time) ? 'Invalid Date' : require('intl_date').formatDate(time, locales, options, required, defaults);
};
// The engine leaves out the name of the zone.
const named = (method) => {
  const write = $.uncurried(pristine['Date.prototype'][method]);
  return (date) => {
    const text = write(date);
    const time = $.getTime(date);
    if (Number.isNaN(time)) return text;
    const { nameAt, zoneOf } = require('intl_zones');
    return $.text`${text} (${nameAt(zoneOf(undefined), 'long', time)})`;
  };
};
exports.Date = {
  toString: named('toString'),
  toTimeString: named('toTimeString'),
  toLocaleString: dateMethod('any', 'all'),
  toLocaleDateString: dateMethod('date', 'date'),
  toLocaleTimeString: dateMethod('time', 'time'),
};

// Arrays that are being written, which are left out where they contain themselves.
const writing = [];
const joined = (list, length, locales, options) => {
  if ($.includes(writing, list)) return '';
  $.push(writing, list);
  try {
    let text = '';
    for (let i = 0; i < length; i++) {
      if (i > 0) text += ',';
      const item = list[i];
      if (item !== undefined && item !== null) text += $.text`${item.toLocaleString(locales, options)}`;
    }
    return text;
  } finally {
    $.pop(writing);
  }
};
exports.Array = {
  toLocaleString: (list, locales, options) => {
    if (list === undefined || list === null) {
      throw new TypeError('Array.prototype.toLocaleString called on null or undefined');
    }
    const object = Object(list);
    return joined(object, Math.min(Math.max(Math.trunc(+object.length) || 0, 0), 2 ** 53 - 1), locales, options);
  },
};
exports.Uint8Array = {
  toLocaleString: (list, locales, options) => {
    // This throws if it is no typed array, or if its bytes are gone.
    valuesOf(list);
    return joined(list, typedLength(list), locales, options);
  },
};

const thisText = (value, name) => {
  if (value === undefined || value === null) {
    throw new TypeError($.text`String.prototype.${name} called on null or undefined`);
  }
  return $.text`${value}`;
};
// The collators of calls that give a locale alone, as comparisons of sorting do.
const collators = new Map();
const collatorFor = (locales, options) => {
  const { Collator } = require('intl_collator');
  if (options !== undefined || (locales !== undefined && typeof locales !== 'string')) return new Collator(locales, options);
  let found = collators.get(locales);
  if (found === undefined) {
    found = new Collator(locales, options);
    if (collators.size < 100) collators.set(locales, found);
  }
  return found;
};
const compareOf = $.uncurried(Object.getOwnPropertyDescriptor(require('intl_collator').Collator.prototype, 'compare').get);
// Turkish, Azerbaijani and Lithuanian have rules of their own, which need a table of their own.
const cased = (convert) => (value, locales) => {
  const text = thisText(value, convert === $.toLowerCase ? 'toLocaleLowerCase' : 'toLocaleUpperCase');
  const { 0: locale = '' } = canonicalList(locales);
  if (!$.test($.regex(/^(?:tr|az)(?:-|$)/), locale)) return convert(text);
  return convert === $.toLowerCase
    ? convert($.replaceAll($.replaceAll($.replaceAll(text, 'I\u0307', 'i'), 'I', 'ı'), 'İ', 'i'))
    : convert($.replaceAll(text, 'i', 'İ'));
};
exports.String = {
  localeCompare: (value, other, locales, options) => {
    const text = thisText(value, 'localeCompare');
    other = $.text`${other}`;
    return compareOf(collatorFor(locales, options === undefined ? options : toObject(options)))(text, other);
  },
  toLocaleLowerCase: cased($.toLowerCase),
  toLocaleUpperCase: cased($.toUpperCase),
};
