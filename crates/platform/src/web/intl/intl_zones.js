// Time zones: their names, and how far they are from UTC.
/**
 * What Rust provides.
 * @type {{
 *   zone(name: string): object | null,
 *   zoneName(zone: object): string | null,
 *   ownZone(): string,
 *   offset(zone: object, time: number): number[],
 * }}
 */
const native = rust;
const { allZones, canonicalZone, zoneNames, zonesOf } = require('intl_zone_names');

exports.allZones = allZones;
exports.zonesOf = zonesOf;

const OFFSET = $.regex(/^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/);
const two = (value) => $.padStart($.toString(value), 2, '0');
/** A zone by its name or its offset; without either, the one that the program runs in. */
exports.zoneOf = (name) => {
  if (name === undefined) name = native.ownZone();
  const fixed = OFFSET.exec(name);
  if (fixed !== null) {
    const { 1: sign, 2: hours, 3: minutes = '00' } = fixed;
    const seconds = (sign === '-' ? -1 : 1) * (+hours * 3600 + +minutes * 60);
    return { name: $.text`${seconds === 0 ? '+' : sign}${hours}:${minutes}`, fixed: seconds, zone: undefined };
  }
  const zone = native.zone(name);
  if (zone === null || zone === undefined) throw new RangeError($.text`Invalid time zone specified: ${name}`);
  return { name: canonicalZone(native.zoneName(zone)), fixed: undefined, zone };
};
/** Seconds east of UTC, and whether daylight saving time holds. */
const stateAt = ({ fixed, zone }, time) => {
  if (fixed !== undefined) return { seconds: fixed, daylight: false };
  const { 0: seconds, 1: daylight } = native.offset(zone, time);
  return { seconds, daylight: daylight === 1 };
};
exports.offsetAt = (zone, time) => stateAt(zone, time).seconds;

const offsetText = (seconds, isLong) => {
  const sign = seconds < 0 ? '-' : '+';
  const rest = seconds < 0 ? -seconds : seconds;
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor(rest / 60) % 60;
  const end = rest % 60 === 0 ? '' : $.text`:${two(rest % 60)}`;
  if (isLong) return $.text`GMT${sign}${two(hours)}:${two(minutes)}${end}`;
  return $.text`GMT${sign}${hours}${minutes === 0 && end === '' ? '' : $.text`:${two(minutes)}${end}`}`;
};
/** What `timeZoneName` asks for. */
exports.nameAt = (zone, style, time) => {
  const { seconds, daylight } = stateAt(zone, time);
  const names = $.endsWith(style, 'Offset') || zone.fixed !== undefined ? undefined : zoneNames(zone.name);
  const isLong = $.startsWith(style, 'long');
  if (names !== undefined) {
    const isDaylight = zone.name === 'Europe/Dublin' ? seconds !== 0 : daylight;
    if (style === 'longGeneric') return names.generic;
    if (isLong) return isDaylight ? names.daylight : names.standard;
    if (style === 'short' && names.shortStandard !== '') return isDaylight ? names.shortDaylight : names.shortStandard;
    // As in "ET" for "EST".
    if (style === 'shortGeneric' && names.shortStandard.length === 3 && zone.name !== 'Europe/London') {
      return names.shortStandard === 'UTC' || names.shortStandard === 'GMT' ? names.shortStandard
        : $.replace(names.shortStandard, $.regex(/.(?=.$)/), '');
    }
  }
  if (seconds === 0 && style === 'short') return 'GMT';
  return offsetText(seconds, isLong);
};
