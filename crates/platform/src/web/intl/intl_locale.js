// Intl.Locale.
const { intlClass, isObject, likely, option, parseTag, toObject } = require('intl_shared');

const KEYS = {
  __proto__: null, calendar: 'ca', collation: 'co', firstDayOfWeek: 'fw', hourCycle: 'hc', caseFirst: 'kf', numberingSystem: 'nu',
};
const NAME = 'Intl.Locale';
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const wrong = () => new RangeError('Incorrect locale information provided');
const matching = (options, key, pattern) => {
  const value = option(options, key, undefined, undefined, NAME);
  if (value !== undefined && !$.test(pattern, value)) throw wrong();
  return value;
};
const LANGUAGE = $.regex(/^(?:[a-z]{2,3}|[a-z]{5,8})$/i);
const SCRIPT = $.regex(/^[a-z]{4}$/i);
const REGION = $.regex(/^(?:[a-z]{2}|[0-9]{3})$/i);
const VARIANTS = $.regex(/^(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3})(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*$/i);
const TYPE = $.regex(/^[a-z0-9]{3,8}(?:-[a-z0-9]{3,8})*$/i);

const initialize = (given, options) => {
  if (typeof given !== 'string' && !isObject(given)) {
    throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
  }
  let parsed;
  try {
    parsed = parseTag(exports.tagOf(given) ?? $.text`${given}`);
  } catch (error) {
    if (error instanceof RangeError) throw wrong();
    throw error;
  }
  options = toObject(options);
  const language = matching(options, 'language', LANGUAGE) ?? parsed.language;
  const script = matching(options, 'script', SCRIPT) ?? parsed.script;
  const region = matching(options, 'region', REGION) ?? parsed.region;
  const variants = matching(options, 'variants', VARIANTS) ?? parsed.variants;
  const { keywords } = parsed;
  for (const key of $.each(['calendar', 'collation', 'firstDayOfWeek'])) {
    let value = option(options, key, undefined, undefined, NAME);
    if (value === undefined) continue;
    if (key === 'firstDayOfWeek' && $.test($.regex(/^[0-7]$/), value)) value = DAYS[+value];
    if (!$.test(TYPE, value)) throw wrong();
    keywords.set(KEYS[key], value);
  }
  const hourCycle = option(options, 'hourCycle', ['h11', 'h12', 'h23', 'h24'], undefined, NAME);
  if (hourCycle !== undefined) keywords.set('hc', hourCycle);
  const caseFirst = option(options, 'caseFirst', ['upper', 'lower', 'false'], undefined, NAME);
  if (caseFirst !== undefined) keywords.set('kf', caseFirst);
  const { numeric } = options;
  if (numeric !== undefined) keywords.set('kn', numeric ? '' : 'false');
  const numberingSystem = matching(options, 'numberingSystem', TYPE);
  if (numberingSystem !== undefined) keywords.set('nu', numberingSystem);
  const id = $.join($.filter([language, script, region, variants], (part) => part !== ''), '-');
  // Other extensions stay as they are.
  const rest = $.slice(parsed.tag, parsed.baseName.length);
  const others = $.replace(rest, $.regex(/-u(?:-[a-z0-9]{2,8})+/i), '');
  // Attributes come before the first keyword.
  const { 1: attributes = '' } = $.regex(/^(?:-[a-tv-wyz0-9](?:-[a-z0-9]{2,8})+)*-u((?:-[a-z0-9]{3,8})+)/i).exec(rest) ?? [];
  let text = attributes;
  for (const { 0: key, 1: value } of $.each(keywords)) text += value === '' ? $.text`-${key}` : $.text`-${key}-${value}`;
  return parseTag(id + (text === '' ? '' : $.text`-u${text}`) + others);
};
const keyword = (key) => (state) => state.keywords.get(key);
const orAbsent = (key) => (state) => (state[key] === '' ? undefined : state[key]);

// What is said of a territory here holds for the greater part of the world.
const SUNDAY = 'AG AS AU BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE ' +
  'PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW';
const SATURDAY = 'AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY';
const TWELVE = 'US CA AU NZ IN PH PK BD EG SA AE JO KR MY SG HK CO MX ZA';
const inList = (list, region) => region !== '' && $.includes($.split(list, ' '), region);
const regionOf = (state) => parseTag(likely(state.tag, true)).region;

const { made: Locale, stateOf } = intlClass('Locale', {
  initialize,
  length: 1,
  members: {
    toString: (state) => state.tag,
    maximize: (state) => new Locale(likely(state.tag, true)),
    minimize: (state) => new Locale(likely(state.tag, false)),
    language: { get: (state) => state.language },
    script: { get: orAbsent('script') },
    region: { get: orAbsent('region') },
    baseName: { get: (state) => state.baseName },
    calendar: { get: keyword('ca') },
    caseFirst: { get: keyword('kf') },
    collation: { get: keyword('co') },
    firstDayOfWeek: { get: keyword('fw') },
    hourCycle: { get: keyword('hc') },
    numeric: { get: (state) => state.keywords.has('kn') && state.keywords.get('kn') !== 'false' },
    numberingSystem: { get: keyword('nu') },
    getCalendars: (state) => [state.keywords.get('ca') ?? 'gregory'],
    getCollations: (state) => (state.keywords.has('co') ? [state.keywords.get('co')] : ['emoji', 'eor']),
    getHourCycles: (state) => [state.keywords.get('hc') ?? (inList(TWELVE, regionOf(state)) ? 'h12' : 'h23')],
    getNumberingSystems: (state) => [state.keywords.get('nu') ?? 'latn'],
    getTimeZones: (state) => (state.region === '' ? undefined : require('intl_zones').zonesOf(state.region)),
    getTextInfo: (state) => ({
      direction: $.includes(['Arab', 'Hebr', 'Syrc', 'Thaa', 'Nkoo', 'Adlm', 'Rohg'], parseTag(likely(state.tag, true)).script)
        ? 'rtl' : 'ltr',
    }),
    getWeekInfo: (state) => {
      const region = regionOf(state);
      const named = $.indexOf(DAYS, state.keywords.get('fw') ?? '', 1);
      const firstDay = named > 0 ? named : inList(SATURDAY, region) ? 6 : inList(SUNDAY, region) ? 7 : 1;
      const weekend = region === 'IR' ? [5] : inList(SATURDAY, region) || region === 'IL' ? [5, 6] : region === 'IN' ? [7] : [6, 7];
      return { firstDay, weekend };
    },
  },
});
exports.Locale = Locale;
/** The tag of a Locale; `undefined` for anything else. */
exports.tagOf = (value) => (isObject(value) ? stateOf(value)?.tag : undefined);
