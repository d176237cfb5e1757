// Intl.DisplayNames, in English.
const { intlClass, isObject, matcher, option, parseTag, resolveLocale } = require('intl_shared');
const names = require('intl_names');

const NAME = 'Intl.DisplayNames';
const KINDS = ['language', 'region', 'script', 'currency', 'calendar', 'dateTimeField'];
const CALENDARS = {
  __proto__: null, buddhist: 'Buddhist Calendar', chinese: 'Chinese Calendar', coptic: 'Coptic Calendar',
  gregory: 'Gregorian Calendar', hebrew: 'Hebrew Calendar', indian: 'Indian National Calendar',
  islamic: 'Hijri Calendar', iso8601: 'Gregorian Calendar (Year First)', japanese: 'Japanese Calendar',
  persian: 'Persian Calendar', roc: 'Minguo Calendar',
};
const FIELDS = {
  __proto__: null, era: ['era'], year: ['year', 'yr.', 'yr'], quarter: ['quarter', 'qtr.', 'qtr'],
  month: ['month', 'mo.', 'mo'], weekOfYear: ['week', 'wk.', 'wk'], weekday: ['day of the week', 'day of wk.', 'day of wk.'],
  day: ['day'], dayPeriod: ['AM/PM'], hour: ['hour', 'hr.', 'hr'], minute: ['minute', 'min.', 'min'],
  second: ['second', 'sec.', 'sec'], timeZoneName: ['time zone', 'zone', 'zone'],
};
const wrong = () => new RangeError('invalid_argument');

const SHORT = { __proto__: null, 'en-US': 'US English', 'en-GB': 'UK English' };
const SHORT_REGIONS = { __proto__: null, US: 'US', GB: 'UK', HK: 'Hong Kong', MO: 'Macao', PS: 'Palestine' };
// What scripts are called beside the name of a language.
const HAN = { __proto__: null, Hans: 'Simplified', Hant: 'Traditional' };
const regionName = (code, style) => (style === 'long' ? undefined : SHORT_REGIONS[code]) ?? names.regions().get(code) ?? code;
const languageName = (code, languageDisplay, style) => {
  let parsed;
  try {
    parsed = parseTag(code);
  } catch {
    throw wrong();
  }
  const { tag, baseName, language, script, region, variants } = parsed;
  if (tag !== baseName) throw wrong();
  const all = names.languages();
  const dialects = names.dialects();
  const rest = [];
  let name;
  if (languageDisplay === 'dialect') {
    name = script === '' ? dialects.get($.text`${language}-${region}`)
      : region === '' ? dialects.get($.text`${language}-${script}`) : undefined;
    if (name !== undefined && style !== 'long') name = SHORT[$.text`${language}-${region}`] ?? name;
  }
  if (name === undefined) {
    name = all.get(language);
    if (name === undefined) return { code: baseName, name: undefined };
    if (script !== '') $.push(rest, HAN[script] ?? names.scripts().get(script) ?? script);
    if (region !== '') $.push(rest, regionName(region, style));
  }
  if (variants !== '') $.push(rest, $.toUpperCase(variants));
  return { code: baseName, name: rest.length === 0 ? name : $.text`${name} (${$.join(rest, ', ')})` };
};
const of = ({ type, style, languageDisplay }, code) => {
  switch (type) {
    case 'language': return languageName(code, languageDisplay, style);
    case 'region':
      if (!$.test($.regex(/^(?:[a-z]{2}|[0-9]{3})$/i), code)) throw wrong();
      code = $.toUpperCase(code);
      return { code, name: names.regions().has(code) ? regionName(code, style) : undefined };
    case 'script':
      if (!$.test($.regex(/^[a-z]{4}$/i), code)) throw wrong();
      code = $.toUpperCase($.slice(code, 0, 1)) + $.toLowerCase($.slice(code, 1));
      return { code, name: names.scripts().get(code) };
    case 'currency': {
      if (!$.test($.regex(/^[a-z]{3}$/i), code)) throw wrong();
      code = $.toUpperCase(code);
      return { code, name: names.currencyName(code) };
    }
    case 'calendar':
      if (!$.test($.regex(/^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i), code)) throw wrong();
      code = $.toLowerCase(code);
      return { code, name: CALENDARS[code] };
    default: {
      const forms = FIELDS[code];
      if (forms === undefined) throw wrong();
      const form = style === 'long' ? 0 : style === 'short' ? 1 : 2;
      return { code, name: forms[form] ?? forms[0] };
    }
  }
};

exports.DisplayNames = intlClass('DisplayNames', {
  length: 2,
  initialize(locales, options) {
    const { locale } = resolveLocale(locales);
    if (!isObject(options)) throw new TypeError('invalid_argument');
    matcher(options, NAME);
    const style = option(options, 'style', ['narrow', 'short', 'long'], 'long', NAME);
    const type = option(options, 'type', KINDS, undefined, NAME);
    if (type === undefined) throw new TypeError('Required option "type" must not be undefined');
    const fallback = option(options, 'fallback', ['code', 'none'], 'code', NAME);
    const languageDisplay = option(options, 'languageDisplay', ['dialect', 'standard'], 'dialect', NAME);
    return { locale, style, type, fallback, languageDisplay };
  },
  members: {
    resolvedOptions: ({ locale, style, type, fallback, languageDisplay }) => (type === 'language'
      ? { locale, style, type, fallback, languageDisplay } : { locale, style, type, fallback }),
    of: (state, value) => {
      const { code, name } = of(state, $.text`${value}`);
      return name ?? (state.fallback === 'code' ? code : undefined);
    },
  },
}).made;
