// The global `Intl`: its classes are made when they are first asked for.
const { canonicalList, hidden } = require('intl_shared');

const Intl = {};
exports.Intl = Intl;
hidden(Intl, 'getCanonicalLocales', {
  getCanonicalLocales(locales) {
    return canonicalList(locales);
  },
}.getCanonicalLocales);

const CALENDARS = ['gregory', 'iso8601'];
hidden(Intl, 'supportedValuesOf', {
  supportedValuesOf(key) {
    key = $.text`${key}`;
    switch (key) {
      case 'calendar': return [...$.each(CALENDARS)];
      case 'collation': return $.split('compat dict emoji eor phonebk phonetic pinyin searchjl stroke trad unihan zhuyin', ' ');
      case 'currency': return [...$.each(require('intl_names').currencies())];
      case 'numberingSystem': return ['latn'];
      case 'timeZone': return require('intl_zones').allZones();
      case 'unit': return [...$.each(require('intl_number_names').units())];
      default: throw new RangeError($.text`Invalid key : ${key}`);
    }
  },
}.supportedValuesOf);

const files = {
  __proto__: null,
  DateTimeFormat: 'intl_date', NumberFormat: 'intl_number', Collator: 'intl_collator', PluralRules: 'intl_plurals',
  RelativeTimeFormat: 'intl_relative', ListFormat: 'intl_list', Locale: 'intl_locale', DisplayNames: 'intl_display_names',
  Segmenter: 'intl_segmenter', DurationFormat: 'intl_duration',
};
for (const name of $.each(Object.keys(files))) {
  Object.defineProperty(Intl, name, {
    get() {
      const value = require(files[name])[name];
      hidden(Intl, name, value);
      return value;
    },
    set(value) {
      hidden(Intl, name, value);
    },
    enumerable: false, configurable: true,
  });
}
Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });
