// How English writes dates and times: the order of fields, and what goes between them.

const field = (type) => ({ type });
const listed = (...items) => $.map(items, (item) => ($.includes(TYPES, item) ? field(item) : item));
const TYPES = ['weekday', 'era', 'year', 'month', 'day', 'dayPeriod', 'hour', 'minute', 'second', 'fractionalSecond', 'timeZoneName'];

const isNumeric = (month) => month === 'numeric' || month === '2-digit';
/** Year, month and day, as far as they are asked for. */
const core = (locale, fields) => {
  const { year, month, day } = fields;
  const has = (value) => value !== undefined;
  if (!has(month)) {
    if (has(year) && has(day)) return listed('year', ' (day: ', 'day', ')');
    return has(year) ? listed('year') : has(day) ? listed('day') : [];
  }
  if (!has(year) && !has(day)) return listed('month');
  if (isNumeric(month)) {
    if (locale === 'en-GB' || locale === 'en-CA') {
      fields.month = '2-digit';
      if (has(day)) fields.day = '2-digit';
    }
    const order = locale === 'en-GB' ? ['day', 'month', 'year'] : locale === 'en-CA' ? ['year', 'month', 'day']
      : ['month', 'day', 'year'];
    const between = locale === 'en-CA' ? '-' : '/';
    return listed(...$.each($.flatMap($.filter(order, (key) => has(fields[key])), (key, index) => (index ? [between, key] : [key]))));
  }
  if (!has(day)) return listed('month', ' ', 'year');
  if (locale === 'en-GB') return has(year) ? listed('day', ' ', 'month', ' ', 'year') : listed('day', ' ', 'month');
  return has(year) ? listed('month', ' ', 'day', ', ', 'year') : listed('month', ' ', 'day');
};
exports.datePattern = (locale, fields) => {
  const { weekday, era, year, month, day } = fields;
  let pattern = core(locale, fields);
  if (era !== undefined) pattern = pattern.length === 0 ? listed('era') : [...$.each(pattern), ' ', field('era')];
  if (weekday === undefined) return pattern;
  if (pattern.length === 0) return listed('weekday');
  if (month === undefined && year === undefined && day !== undefined) {
    return locale === 'en-US' || locale === 'en' ? [...$.each(pattern), ' ', field('weekday')]
      : [field('weekday'), ' ', ...$.each(pattern)];
  }
  if (day === undefined) return [...$.each(pattern), ' ', field('weekday')];
  return [field('weekday'), locale === 'en-GB' && year === undefined ? ' ' : ', ', ...$.each(pattern)];
};

exports.timePattern = (locale, fields, hourCycle) => {
  const { hour, minute, second, fractionalSecondDigits, dayPeriod, timeZoneName } = fields;
  const isHalfDay = hourCycle === 'h11' || hourCycle === 'h12';
  const clock = [];
  let after = [];
  if (hour !== undefined) $.push(clock, 'hour');
  if (minute !== undefined) $.push(clock, 'minute');
  if (second !== undefined && hour !== undefined && minute === undefined) after = listed(' (second: ', 'second', ')');
  else if (second !== undefined) $.push(clock, 'second');
  const pattern = listed(...$.each($.flatMap(clock, (key, index) => (index ? [':', key] : [key]))));
  if (fractionalSecondDigits !== undefined) {
    if (pattern.length > 0) $.push(pattern, '.');
    $.push(pattern, field('fractionalSecond'));
  }
  if (hour === undefined ? dayPeriod !== undefined : isHalfDay) {
    if (pattern.length > 0) $.push(pattern, ' ');
    $.push(pattern, field('dayPeriod'));
  }
  $.push(pattern, ...$.each(after));
  if (timeZoneName !== undefined) {
    if (pattern.length > 0) $.push(pattern, ' ');
    $.push(pattern, field('timeZoneName'));
  }
  return pattern;
};
exports.hourStyle = (locale) => (locale === 'en-GB' ? 'h23' : 'h12');

/** The fields that `dateStyle` and `timeStyle` stand for. */
exports.styleFields = (locale, dateStyle, timeStyle) => {
  /** @type {any} */
  const fields = {};
  if (dateStyle !== undefined) {
    const short = dateStyle === 'short';
    if (dateStyle === 'full') fields.weekday = 'long';
    fields.year = short && locale !== 'en-GB' && locale !== 'en-CA' ? '2-digit' : 'numeric';
    fields.month = short ? 'numeric' : dateStyle === 'medium' ? 'short' : 'long';
    fields.day = 'numeric';
  }
  if (timeStyle !== undefined) {
    fields.hour = fields.minute = 'numeric';
    if (timeStyle !== 'short') fields.second = 'numeric';
    if (timeStyle === 'full' || timeStyle === 'long') fields.timeZoneName = timeStyle === 'full' ? 'long' : 'short';
  }
  return fields;
};

const MONTHS = $.split('January February March April May June July August September October November December', ' ');
const DAYS = $.split('Sunday Monday Tuesday Wednesday Thursday Friday Saturday', ' ');
const ERAS = { __proto__: null, narrow: ['B', 'A'], short: ['BC', 'AD'], long: ['Before Christ', 'Anno Domini'] };
const cut = (text, width) => (width === 'long' ? text : $.slice(text, 0, width === 'short' ? 3 : 1));
exports.texts = (locale) => ({
  month: (month, width) => (locale === 'en-GB' && width === 'short' && month === 8 ? 'Sept' : cut(MONTHS[month], width)),
  weekday: (day, width) => cut(DAYS[day], width),
  era: (year, width) => ERAS[width][year > 0 ? 1 : 0],
  halfDay: (hour) => {
    if (locale === 'en-CA') return hour < 12 ? 'a.m.' : 'p.m.';
    if (locale === 'en-GB') return hour < 12 ? 'am' : 'pm';
    return hour < 12 ? 'AM' : 'PM';
  },
  dayPeriod: ({ hour, minute }, width) => {
    if (hour === 12 && minute === 0) return width === 'narrow' ? 'n' : 'noon';
    return hour < 12 ? 'in the morning' : hour < 18 ? 'in the afternoon' : hour < 21 ? 'in the evening' : 'at night';
  },
});
