// Intl.DateTimeFormat, for the Gregorian calendar.
const { intlClass, matcher, numberIn, option, resolveLocale, toObject, typeOption } = require('intl_shared');
const { nameAt, offsetAt, zoneOf } = require('intl_zones');
const { datePattern, hourStyle, styleFields, timePattern, texts } = require('intl_date_patterns');

const NAME = 'Intl.DateTimeFormat';
const WIDTHS = ['narrow', 'short', 'long'];
const COUNTS = ['2-digit', 'numeric'];
const FIELDS = {
  __proto__: null,
  weekday: WIDTHS, era: WIDTHS, year: COUNTS, month: [...$.each(COUNTS), ...$.each(WIDTHS)], day: COUNTS,
  dayPeriod: WIDTHS, hour: COUNTS, minute: COUNTS, second: COUNTS, fractionalSecondDigits: undefined,
  timeZoneName: ['short', 'long', 'shortOffset', 'longOffset', 'shortGeneric', 'longGeneric'],
};
const ORDER = Object.keys(FIELDS);
const DATE_FIELDS = ['weekday', 'year', 'month', 'day'];
const TIME_FIELDS = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
const STYLES = ['full', 'long', 'medium', 'short'];

/**
 * CreateDateTimeFormat.
 * @param {'any' | 'date' | 'time'} [required]
 * @param {'all' | 'date' | 'time'} [defaults]
 */
const initialize = (locales, given, required = 'any', defaults = 'date') => {
  const { locale, keywords } = resolveLocale(locales);
  const options = toObject(given, NAME);
  matcher(options, NAME);
  const calendar = typeOption(options, 'calendar', NAME) === 'iso8601' ? 'iso8601' : 'gregory';
  typeOption(options, 'numberingSystem', NAME);
  const hour12 = options.hour12 === undefined ? undefined : Boolean(options.hour12);
  const askedCycle = option(options, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], undefined, NAME);
  const zone = zoneOf(options.timeZone === undefined ? undefined : $.text`${options.timeZone}`);
  /** @type {any} */
  const fields = { __proto__: null };
  let explicit = false;
  for (const key of $.each(ORDER)) {
    const value = key === 'fractionalSecondDigits' ? numberIn(options[key], key, 1, 3)
      : option(options, key, FIELDS[key], undefined, NAME);
    if (value === undefined) continue;
    fields[key] = value;
    explicit = true;
  }
  option(options, 'formatMatcher', ['basic', 'best fit'], 'best fit', NAME);
  const dateStyle = option(options, 'dateStyle', STYLES, undefined, NAME);
  const timeStyle = option(options, 'timeStyle', STYLES, undefined, NAME);
  const hasStyle = dateStyle !== undefined || timeStyle !== undefined;
  if (hasStyle) {
    if (explicit) throw new TypeError('Invalid option : option');
    if (required === 'date' && timeStyle !== undefined) throw new TypeError('Invalid option : timeStyle');
    if (required === 'time' && dateStyle !== undefined) throw new TypeError('Invalid option : dateStyle');
    Object.assign(fields, styleFields(locale, dateStyle, timeStyle));
  } else addDefaults(fields, required, defaults);
  const hasHour = fields.hour !== undefined;
  const cycle = hour12 !== undefined ? (hour12 ? 'h12' : 'h23') : askedCycle ?? keywords.get('hc');
  const hourCycle = hasHour ? ($.includes(['h11', 'h12', 'h23', 'h24'], cycle) ? cycle : hourStyle(locale)) : undefined;
  settle(fields, hourCycle);
  const date = datePattern(locale, fields);
  const time = timePattern(locale, fields, hourCycle);
  const pattern = join(locale, fields, date, time, dateStyle);
  const isFromTag = hasHour && hour12 === undefined && hourCycle === keywords.get('hc');
  const shownLocale = isFromTag ? $.text`${locale}-u-hc-${hourCycle}` : locale;
  return { locale, shownLocale, calendar, zone, hourCycle, fields, dateStyle, timeStyle, pattern };
};
const addDefaults = (fields, required, defaults) => {
  const has = (keys) => $.some(keys, (key) => fields[key] !== undefined);
  if (required !== 'time' && has(DATE_FIELDS)) return;
  if (required !== 'date' && has(TIME_FIELDS)) return;
  if (defaults !== 'time') for (const key of $.each(['year', 'month', 'day'])) fields[key] = 'numeric';
  if (defaults !== 'date') for (const key of $.each(['hour', 'minute', 'second'])) fields[key] = 'numeric';
};
/** Minutes and seconds have two digits if something is before them, and so do hours that are counted to 24. */
const settle = (fields, hourCycle) => {
  const { hour, minute, second } = fields;
  if (hourCycle === 'h23' || hourCycle === 'h24') fields.hour = '2-digit';
  if (hour !== undefined && minute === undefined) return;
  const isPair = hour !== undefined || (minute !== undefined && second !== undefined);
  if (minute !== undefined) fields.minute = isPair ? '2-digit' : 'numeric';
  if (second !== undefined) fields.second = isPair ? '2-digit' : 'numeric';
};
const join = (locale, { month, weekday, year, day, minute }, date, time, dateStyle) => {
  if (date.length === 0 || time.length === 0) return [...$.each(date), ...$.each(time)];
  const isWeekday = weekday !== undefined && month === undefined && year === undefined && day === undefined;
  const isSpaced = isWeekday && time[0].type === 'hour' && (locale !== 'en-GB' || minute !== undefined);
  const between = dateStyle === 'full' || dateStyle === 'long' || month === 'long' ? ' at ' : isSpaced ? ' ' : ', ';
  return [...$.each(date), between, ...$.each(time)];
};

const DAY = 86_400_000;
const two = (value) => $.padStart($.toString(value), 2, '0');
/** What clocks and calendars in a zone show. */
const read = (zone, time) => {
  const offset = offsetAt(zone, time);
  const local = time + offset * 1000;
  const days = Math.floor(local / DAY);
  const rest = local - days * DAY;
  // The days of the year are counted from March on, in eras of 400 years.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra =
    Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const part = Math.floor((5 * ofYear + 2) / 153);
  const month = part < 10 ? part + 2 : part - 10;
  return {
    time, year: yearOfEra + era * 400 + (month <= 1 ? 1 : 0), month, day: ofYear - Math.floor((153 * part + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7, hour: Math.floor(rest / 3_600_000), minute: Math.floor(rest / 60_000) % 60,
    second: Math.floor(rest / 1000) % 60, millisecond: rest % 1000,
  };
};
const countedHour = (hour, hourCycle) => {
  switch (hourCycle) {
    case 'h11': return hour % 12;
    case 'h12': return hour % 12 === 0 ? 12 : hour % 12;
    case 'h24': return hour === 0 ? 24 : hour;
    default: return hour;
  }
};
const value = (state, type, at) => {
  const { fields, locale, zone, hourCycle } = state;
  const counted = (number) => (fields[type] === '2-digit' ? two(number) : $.toString(number));
  switch (type) {
    case 'weekday': return texts(locale).weekday(at.weekday, fields.weekday);
    case 'era': return texts(locale).era(at.year, fields.era);
    case 'year': {
      const year = at.year > 0 ? at.year : 1 - at.year;
      return fields.year === '2-digit' ? two(year % 100) : $.toString(year);
    }
    case 'month':
      return $.includes(WIDTHS, fields.month) ? texts(locale).month(at.month, fields.month) : counted(at.month + 1);
    case 'dayPeriod':
      return fields.dayPeriod === undefined ? texts(locale).halfDay(at.hour) : texts(locale).dayPeriod(at, fields.dayPeriod);
    case 'hour': return counted(countedHour(at.hour, hourCycle));
    case 'fractionalSecond':
      return $.slice($.padStart($.toString(at.millisecond), 3, '0'), 0, fields.fractionalSecondDigits);
    case 'timeZoneName': return nameAt(zone, fields.timeZoneName, at.time);
    default: return counted(at[type]);
  }
};
const toTime = (date) => {
  const time = date === undefined ? $.now() : +date;
  if (!(time >= -8.64e15 && time <= 8.64e15)) throw new RangeError('Invalid time value');
  return Math.trunc(time) + 0;
};
const partition = (state, time, pattern = state.pattern) => {
  const at = read(state.zone, time);
  const parts = [];
  for (const token of $.each(pattern)) {
    if (typeof token !== 'string') $.push(parts, { type: token.type, value: value(state, token.type, at) });
    else if (parts.length > 0 && $.at(parts, -1).type === 'literal') $.at(parts, -1).value += token;
    else $.push(parts, { type: 'literal', value: token });
  }
  return parts;
};
const isSameDay = (zone, one, two) => {
  const { 0: a, 1: b } = [read(zone, one), read(zone, two)];
  return a.year === b.year && a.month === b.month && a.day === b.day;
};
const withDate = (state) => {
  const fields = { __proto__: null, ...state.fields, year: 'numeric', month: 'numeric', day: 'numeric' };
  const date = datePattern(state.locale, fields);
  return { ...state, fields, pattern: [...$.each(date), ', ', ...$.each(state.pattern)] };
};
const textOf = (parts) => $.join($.map(parts, (part) => part.value), '');

// With thin spaces around it.
const DASH = '\u2009–\u2009';
const rangeParts = (state, start, end) => {
  if (start === undefined || end === undefined) throw new TypeError('startDate or endDate cannot be undefined');
  const { 0: first, 1: last } = [toTime(start), toTime(end)];
  // Times of different days need the days.
  const isTimeOnly = !$.some(state.pattern, ({ type }) => $.includes(['era', ...$.each(DATE_FIELDS)], type));
  if (isTimeOnly && !isSameDay(state.zone, first, last)) state = withDate(state);
  const one = partition(state, first);
  const two = partition(state, last);
  const tagged = (parts, source) => $.map(parts, (part) => ({ ...part, source }));
  if (textOf(one) === textOf(two)) return tagged(one, 'shared');
  // What both have at the beginning, up to the time or to the day of a month that has a name, is said once.
  const has = (type) => (part) => part.type === type;
  const same = (type) => $.find(one, has(type))?.value === $.find(two, has(type))?.value;
  const sameDay = $.every(['weekday', 'era', 'year', 'month', 'day'], same);
  const isNamed = $.includes(WIDTHS, state.fields.month ?? '');
  const timeAt = $.findIndex(one, (part) => $.includes(['hour', 'minute', 'second', 'fractionalSecond'], part.type));
  if (timeAt >= 0 && sameDay) {
    let early = $.slice(one, timeAt);
    const halfAt = $.findIndex(early, has('dayPeriod'));
    const isLast = halfAt > 0 && halfAt === early.length - 1;
    if (isLast && state.fields.second === undefined && same('dayPeriod')) early = $.slice(early, 0, halfAt - 1);
    return [
      ...$.each(tagged($.slice(one, 0, timeAt), 'shared')), ...$.each(tagged(early, 'startRange')),
      { type: 'literal', value: DASH, source: 'shared' }, ...$.each(tagged($.slice(two, timeAt), 'endRange')),
    ];
  }
  if (timeAt < 0 && isNamed && state.fields.weekday === undefined && same('year') && same('era')) {
    const dayFirst = $.findIndex(one, has('day')) === 0;
    const monthAt = $.findIndex(one, has('month'));
    const yearAt = $.findIndex(one, has('year'));
    const stop = yearAt > 0 ? yearAt - 1 : one.length;
    const keeps = same('month') ? (dayFirst ? [0, 1] : [monthAt + 2, stop]) : [0, stop];
    const head = same('month') && !dayFirst ? $.slice(two, 0, monthAt + 2) : [];
    return [
      ...$.each(tagged(head, 'shared')), ...$.each(tagged($.slice(one, keeps[0], keeps[1]), 'startRange')),
      { type: 'literal', value: DASH, source: 'shared' },
      ...$.each(tagged($.slice(two, head.length, dayFirst && same('month') ? 1 : stop), 'endRange')),
      ...$.each(tagged($.slice(two, dayFirst && same('month') ? 1 : stop), 'shared')),
    ];
  }
  return [
    ...$.each(tagged(one, 'startRange')), { type: 'literal', value: DASH, source: 'shared' },
    ...$.each(tagged(two, 'endRange')),
  ];
};

exports.DateTimeFormat = intlClass('DateTimeFormat', {
  initialize,
  callable: true,
  members: {
    resolvedOptions: ({ shownLocale, calendar, zone, hourCycle, fields, dateStyle, timeStyle }) => {
      /** @type {any} */
      const resolved = { __proto__: null, locale: shownLocale, calendar, numberingSystem: 'latn', timeZone: zone.name };
      if (hourCycle !== undefined) {
        resolved.hourCycle = hourCycle;
        resolved.hour12 = hourCycle === 'h11' || hourCycle === 'h12';
      }
      if (dateStyle === undefined && timeStyle === undefined) {
        for (const key of $.each(ORDER)) if (fields[key] !== undefined) resolved[key] = fields[key];
      }
      if (dateStyle !== undefined) resolved.dateStyle = dateStyle;
      if (timeStyle !== undefined) resolved.timeStyle = timeStyle;
      return { ...resolved };
    },
    formatToParts: (state, date) => partition(state, toTime(date)),
    format: { length: 1, bound: (state, date) => textOf(partition(state, toTime(date))) },
    formatRange: (state, start, end) => textOf(rangeParts(state, start, end)),
    formatRangeToParts: (state, start, end) => rangeParts(state, start, end),
  },
}).made;

// The formats of calls that give no options, by locale, for as long as the zone stays.
const plain = new Map();
/** What `toLocaleString` and its kin give for a time value. */
exports.formatDate = (time, locales, options, required, defaults) => {
  if (options !== undefined || (locales !== undefined && typeof locales !== 'string')) {
    return textOf(partition(initialize(locales, options, required, defaults), toTime(time)));
  }
  const key = $.text`${required} ${defaults} ${locales}`;
  const zone = zoneOf(undefined);
  let state = plain.get(key);
  if (state?.zone.name !== zone.name) {
    state = initialize(locales, options, required, defaults);
    if (plain.size < 100) plain.set(key, state);
  }
  return textOf(partition(state, toTime(time)));
};
