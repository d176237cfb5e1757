// Intl, in English: what Node gives.
import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const texts = (parts) => parts.map(({ type, value }) => `${type}=${value}`).join(' ');
const code = (fn) => {
  const error = thrown(fn, 'an error');
  return `${error.name}: ${error.message}`;
};

test('Intl has the classes of ECMA-402', () => {
  assertEq(Intl[Symbol.toStringTag], 'Intl');
  for (const name of ['Collator', 'DateTimeFormat', 'DisplayNames', 'DurationFormat', 'ListFormat', 'Locale', 'NumberFormat',
    'PluralRules', 'RelativeTimeFormat', 'Segmenter']) {
    assertEq(Intl[name].name, name);
    assertEq(Intl[name].prototype[Symbol.toStringTag], `Intl.${name}`);
  }
  assertEq(code(() => Intl.PluralRules()), "TypeError: Constructor Intl.PluralRules requires 'new'");
  assert(Intl.NumberFormat() instanceof Intl.NumberFormat);
  class Own extends Intl.NumberFormat {}
  assertEq(new Own('en').format(1234), '1,234');
  assertEq(code(() => Intl.NumberFormat.prototype.formatToParts.call({})),
    'TypeError: Method Intl.NumberFormat.prototype.formatToParts called on incompatible receiver #<Object>');
});
test('locales', () => {
  assertList(Intl.getCanonicalLocales(['EN-us', 'iw', 'zh-hans-cn', 'en-us']), ['en-US', 'he', 'zh-Hans-CN']);
  assertEq(code(() => Intl.getCanonicalLocales('en_US')), 'RangeError: Invalid language tag: en_US');
  assertEq(code(() => new Intl.NumberFormat([3])), 'TypeError: Language ID should be string or object.');
  assertList(Intl.NumberFormat.supportedLocalesOf(['en', 'en-GB']), ['en', 'en-GB']);
  const locale = new Intl.Locale('en-US-u-hc-h12-kn', { region: 'GB', numeric: false });
  assertEq(`${locale}`, 'en-GB-u-hc-h12-kn-false');
  assertEq(locale.hourCycle, 'h12');
  assertEq(locale.numeric, false);
  assertEq(`${new Intl.Locale('zh').maximize()}`, 'zh-Hans-CN');
  assertEq(`${new Intl.Locale('zh-Hant-TW').minimize()}`, 'zh-TW');
  assertEq(new Intl.Locale('en-GB').getWeekInfo().firstDay, 1);
  assertEq(new Intl.Locale('ar-EG').getTextInfo().direction, 'rtl');
  assertEq(new Intl.NumberFormat(locale).resolvedOptions().locale, 'en-GB');
});
test('numbers', () => {
  const format = (value, options) => new Intl.NumberFormat('en-US', options).format(value);
  for (const [value, options, expected] of [
    [1234567.891, {}, '1,234,567.891'], [-0, {}, '-0'], [NaN, {}, 'NaN'], [-Infinity, {}, '-∞'],
    [1e21, {}, '1,000,000,000,000,000,000,000'], [12345678901234567890n, {}, '12,345,678,901,234,567,890'],
    ['123456789012345678901234567890.5', {}, '123,456,789,012,345,678,901,234,567,890.5'],
    [1.005, { maximumFractionDigits: 2 }, '1.01'], [0.256, { style: 'percent' }, '26%'],
    [-1234.5, { style: 'currency', currency: 'USD' }, '-$1,234.50'],
    [-1, { style: 'currency', currency: 'USD', currencySign: 'accounting' }, '($1.00)'],
    [5, { style: 'currency', currency: 'JPY' }, '¥5'], [5, { style: 'currency', currency: 'CHF' }, 'CHF\u00a05.00'],
    [1, { style: 'currency', currency: 'EUR', currencyDisplay: 'name' }, '1.00 euros'],
    [16, { style: 'unit', unit: 'liter' }, '16 L'], [1, { style: 'unit', unit: 'mile-per-hour', unitDisplay: 'long' }, '1 mile per hour'],
    [999999, { notation: 'compact' }, '1M'], [15300, { notation: 'compact', compactDisplay: 'long' }, '15 thousand'],
    [0.000123, { notation: 'scientific' }, '1.23E-4'], [12345, { notation: 'engineering' }, '12.345E3'],
    [1234.5678, { maximumSignificantDigits: 3 }, '1,230'], [5, { minimumIntegerDigits: 3 }, '005'],
    [1234, { useGrouping: 'min2' }, '1234'], [2.5, { maximumFractionDigits: 0, roundingMode: 'halfEven' }, '2'],
    [1.13, { minimumFractionDigits: 2, maximumFractionDigits: 2, roundingIncrement: 5 }, '1.15'],
    [0, { signDisplay: 'exceptZero' }, '0'], [3, { signDisplay: 'exceptZero' }, '+3'],
    [3, { minimumFractionDigits: 2, trailingZeroDisplay: 'stripIfInteger' }, '3'],
  ]) assertEq(format(value, options), expected, `${value} ${JSON.stringify(options)}`);
  assertEq(texts(new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).formatToParts(-1234.5)),
    'minusSign=- currency=€ integer=1 group=, integer=234 decimal=. fraction=50');
  assertEq(new Intl.NumberFormat('en').formatRange(3, 5), '3–5');
  assertEq(code(() => format(1, { style: 'x' })), 'RangeError: Value x out of range for Intl.NumberFormat options property style');
  assertEq(code(() => format(1, { style: 'currency' })), 'TypeError: Currency code is required with currency style.');
  assertEq(code(() => format(1, { minimumFractionDigits: 101 })), 'RangeError: minimumFractionDigits value is out of range.');
});
test('dates', () => {
  const time = Date.UTC(2026, 8, 5, 9, 4, 5, 67);
  const format = (options, locale = 'en-US') => new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).format(time);
  for (const [options, expected, locale] of [
    [{}, '9/5/2026'], [{ dateStyle: 'full', timeStyle: 'long' }, 'Saturday, September 5, 2026 at 9:04:05 AM UTC'],
    [{ dateStyle: 'medium', timeStyle: 'short' }, 'Sep 5, 2026, 9:04 AM'], [{ dateStyle: 'short' }, '9/5/26'],
    [{ hour: 'numeric', hour12: false }, '09'], [{ hour: 'numeric', minute: 'numeric' }, '9:04 AM'],
    [{ weekday: 'short', month: 'short', day: '2-digit' }, 'Sat, Sep 05'], [{ month: 'long', year: 'numeric' }, 'September 2026'],
    [{ minute: 'numeric', second: 'numeric', fractionalSecondDigits: 2 }, '04:05.06'], [{ era: 'long', year: 'numeric' }, '2026 Anno Domini'],
    [{ hour: 'numeric', dayPeriod: 'long' }, '9 in the morning'],
    [{}, '05/09/2026', 'en-GB'], [{}, '2026-09-05', 'en-CA'], [{ dateStyle: 'medium' }, '5 Sept 2026', 'en-GB'],
    [{ timeStyle: 'short' }, '09:04', 'en-GB'],
  ]) assertEq(format(options, locale), expected, JSON.stringify(options));
  const parts = new Intl.DateTimeFormat('en', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'short' }).formatToParts(time);
  assertEq(texts(parts), 'month=9 literal=/ day=5 literal=/ year=26 literal=,  hour=9 literal=: minute=04 literal=  dayPeriod=AM');
  const { locale, timeZone, hourCycle, hour12, hour } = new Intl.DateTimeFormat('en', { hour: 'numeric', timeZone: 'utc' }).resolvedOptions();
  assertList([locale, timeZone, hourCycle, hour12, hour], ['en', 'UTC', 'h12', true, 'numeric']);
  assertEq(new Intl.DateTimeFormat('en', { timeZone: 'UTC', dateStyle: 'medium' }).formatRange(0, 4 * 864e5), 'Jan 1\u2009–\u20095, 1970');
  assertEq(code(() => format({ timeZone: 'Foo/Bar' })), 'RangeError: Invalid time zone specified: Foo/Bar');
  assertEq(code(() => new Intl.DateTimeFormat('en').format(NaN)), 'RangeError: Invalid time value');
});
test('time zones', () => {
  const show = (timeZone, time, timeZoneName = 'short') => new Date(time).toLocaleString('en-US', {
    timeZone, timeZoneName, hourCycle: 'h23', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit',
  });
  // On both sides of a change of the clocks.
  assertEq(show('America/New_York', Date.UTC(2020, 2, 8, 6, 59)), '03/08, 01:59 EST');
  assertEq(show('America/New_York', Date.UTC(2020, 2, 8, 7, 0)), '03/08, 03:00 EDT');
  assertEq(show('Europe/Paris', Date.UTC(2020, 6, 1), 'long'), '07/01, 02:00 Central European Summer Time');
  assertEq(show('Asia/Kolkata', 0), '01/01, 05:30 GMT+5:30');
  assertEq(show('Asia/Kathmandu', Date.UTC(2020, 0, 1), 'longOffset'), '01/01, 05:45 GMT+05:45');
  assertEq(show('+03:30', 0, 'shortOffset'), '01/01, 03:30 GMT+3:30');
  assertEq(new Intl.DateTimeFormat('en', { timeZone: 'us/eastern' }).resolvedOptions().timeZone, 'America/New_York');
  assert(Intl.supportedValuesOf('timeZone').includes('Europe/Berlin'));
  for (const name of ['../../etc/passwd', 'posix/Europe/Paris', '', 'Europe']) {
    assertEq(thrown(() => new Intl.DateTimeFormat('en', { timeZone: name }), 'an error').name, 'RangeError');
  }
});
test('toLocaleString and its kin', () => {
  assertEq((1234.5).toLocaleString(), '1,234.5');
  assertEq((1234.5).toLocaleString('en-US', { style: 'currency', currency: 'EUR' }), '€1,234.50');
  assertEq(12345n.toLocaleString(), '12,345');
  const options = { timeZone: 'UTC' };
  assertEq(new Date(0).toLocaleString('en-US', options), '1/1/1970, 12:00:00 AM');
  assertEq(new Date(0).toLocaleDateString('en-US', options), '1/1/1970');
  assertEq(new Date(0).toLocaleTimeString('en-US', options), '12:00:00 AM');
  assertEq(new Date(0).toLocaleDateString('en-US', { ...options, hour: 'numeric' }), '1/1/1970, 12 AM');
  assertEq(new Date(NaN).toLocaleString(), 'Invalid Date');
  assertEq([1234.5, null, new Date(0), 'x', [1, undefined]].toLocaleString('en-US', options), '1,234.5,,1/1/1970, 12:00:00 AM,x,1,');
  assertEq(new Uint16Array([1000, 2]).toLocaleString(), '1,000,2');
  assertEq('I'.toLocaleLowerCase('tr'), 'ı');
  assertEq('ß'.toLocaleUpperCase(), 'SS');
  assert(/ \(.+\)$/.test(String(new Date())));
});
test('the order of texts', () => {
  const sorted = (list, ...rest) => [...list].sort(new Intl.Collator(...rest).compare).join(' ');
  assertEq(sorted(['b', 'B', 'ä', 'z', 'a', 'A', '_', '10', '9']), '_ 10 9 a A ä b B z');
  assertEq(sorted(['a10', 'a9', 'A1'], 'en', { numeric: true }), 'A1 a9 a10');
  assertEq(sorted(['z', 'ö', 'o'], 'sv'), 'o z ö');
  assertEq(new Intl.Collator('en', { sensitivity: 'base' }).compare('résumé', 'RESUME'), 0);
  assertEq(new Intl.Collator('en', { sensitivity: 'accent' }).compare('a', 'A'), 0);
  assertEq(new Intl.Collator('en', { sensitivity: 'case' }).compare('a', 'á'), 0);
  assertEq(sorted(['a', 'A'], 'en', { caseFirst: 'upper' }), 'A a');
  assertEq('a'.localeCompare('b'), -1);
  assertEq('a'.localeCompare('A', undefined, { sensitivity: 'base' }), 0);
  assertEq(code(() => 'a'.localeCompare('b', 'xx_')), 'RangeError: Invalid language tag: xx_');
});
test('segments', () => {
  const segments = (granularity, text) => [...new Intl.Segmenter('en', { granularity }).segment(text)];
  assertList(segments('grapheme', '👨‍👩‍👧e\u0301🇩🇪\ud800').map(({ segment }) => segment), ['👨‍👩‍👧', 'e\u0301', '🇩🇪', '\ud800']);
  assertList(segments('word', "can't 3.5!").map(({ segment, isWordLike }) => segment + isWordLike), ["can'ttrue", ' false', '3.5true', '!false']);
  assertList(segments('word', '日本語のテキスト').map(({ segment }) => segment), ['日本語', 'の', 'テキスト']);
  assertList(segments('sentence', 'One. Two? Three').map(({ index }) => index), [0, 5, 10]);
  const all = new Intl.Segmenter().segment('abc');
  assertEq(JSON.stringify(all.containing(1)), '{"segment":"b","index":1,"input":"abc"}');
  assertEq(all.containing(3), undefined);
  assertEq(segments('grapheme', '').length, 0);
});
test('plurals, lists, relative times, durations, names', () => {
  const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
  assertList([1, 2, 3, 4, 11, 21, 112].map((n) => ordinals.select(n)), ['one', 'two', 'few', 'other', 'other', 'one', 'other']);
  assertEq(new Intl.PluralRules('en').select(1), 'one');
  assertEq(new Intl.PluralRules('en', { minimumFractionDigits: 1 }).select(1), 'other');
  assertEq(new Intl.ListFormat('en').format(['a', 'b', 'c']), 'a, b, and c');
  assertEq(new Intl.ListFormat('en', { type: 'disjunction' }).format(new Set(['a', 'b'])), 'a or b');
  assertEq(code(() => new Intl.ListFormat('en').format([1])), 'TypeError: Iterable yielded 1 which is not a string');
  const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  assertList([relative.format(-1, 'day'), relative.format(2, 'weeks'), relative.format(0, 'year')], ['yesterday', 'in 2 weeks', 'this year']);
  assertEq(new Intl.RelativeTimeFormat('en', { style: 'narrow' }).format(-3, 'month'), '3mo ago');
  assertEq(new Intl.DurationFormat('en', { style: 'long' }).format({ hours: 1, minutes: 2 }), '1 hour, 2 minutes');
  assertEq(new Intl.DurationFormat('en', { style: 'digital' }).format({ hours: 1, minutes: 2, seconds: 3 }), '1:02:03');
  const name = (type, key) => new Intl.DisplayNames('en', { type }).of(key);
  assertList([name('region', 'DE'), name('language', 'fr-CA'), name('currency', 'USD'), name('script', 'Cyrl')],
    ['Germany', 'Canadian French', 'US Dollar', 'Cyrillic']);
});
