// English texts around numbers, from CLDR 48: with units, in short, narrow and long form, each of one and of several.
const UNITS =
  'acre=# ac|# ac|#ac|#ac|# acre|# acres;bit=# bit|# bit|#bit|#bit|# bit|# bits;byte=# byte|# byte|#B|#B|# ' +
  'byte|# bytes;celsius=#°C|#°C|#°C|#°C|# degree Celsius|# degrees Celsius;centimeter=# cm|# cm|#cm|#cm|# ' +
  'centimeter|# centimeters;day=# day|# days|#d|#d|# day|# days;degree=# deg|# deg|#°|#°|# degree|# degrees;' +
  'fahrenheit=#°F|#°F|#°|#°|# degree Fahrenheit|# degrees Fahrenheit;fluid-ounce=# fl oz|# fl oz|#fl oz|#fl oz|# ' +
  'fluid ounce|# fluid ounces;foot=# ft|# ft|#′|#′|# foot|# feet;gallon=# gal|# gal|#gal|#gal|# gallon|# gallons;' +
  'gigabit=# Gb|# Gb|#Gb|#Gb|# gigabit|# gigabits;gigabyte=# GB|# GB|#GB|#GB|# gigabyte|# gigabytes;gram=# g|# ' +
  'g|#g|#g|# gram|# grams;hectare=# ha|# ha|#ha|#ha|# hectare|# hectares;hour=# hr|# hr|#h|#h|# hour|# hours;' +
  'inch=# in|# in|#″|#″|# inch|# inches;kilobit=# kb|# kb|#kb|#kb|# kilobit|# kilobits;kilobyte=# kB|# ' +
  'kB|#kB|#kB|# kilobyte|# kilobytes;kilogram=# kg|# kg|#kg|#kg|# kilogram|# kilograms;kilometer=# km|# ' +
  'km|#km|#km|# kilometer|# kilometers;liter=# L|# L|#L|#L|# liter|# liters;megabit=# Mb|# Mb|#Mb|#Mb|# ' +
  'megabit|# megabits;megabyte=# MB|# MB|#MB|#MB|# megabyte|# megabytes;meter=# m|# m|#m|#m|# meter|# meters;' +
  'microsecond=# μs|# μs|#μs|#μs|# microsecond|# microseconds;mile=# mi|# mi|#mi|#mi|# mile|# miles;' +
  'mile-scandinavian=# smi|# smi|#smi|#smi|# mile-scandinavian|# miles-scandinavian;milliliter=# mL|# ' +
  'mL|#mL|#mL|# milliliter|# milliliters;millimeter=# mm|# mm|#mm|#mm|# millimeter|# millimeters;millisecond=# ' +
  'ms|# ms|#ms|#ms|# millisecond|# milliseconds;minute=# min|# min|#m|#m|# minute|# minutes;month=# mth|# ' +
  'mths|#m|#m|# month|# months;nanosecond=# ns|# ns|#ns|#ns|# nanosecond|# nanoseconds;ounce=# oz|# oz|#oz|#oz|# ' +
  'ounce|# ounces;percent=#%|#%|#%|#%|# percent|# percent;petabyte=# PB|# PB|#PB|#PB|# petabyte|# petabytes;' +
  'pound=# lb|# lb|##|##|# pound|# pounds;second=# sec|# sec|#s|#s|# second|# seconds;stone=# st|# st|#st|#st|# ' +
  'stone|# stones;terabit=# Tb|# Tb|#Tb|#Tb|# terabit|# terabits;terabyte=# TB|# TB|#TB|#TB|# terabyte|# ' +
  'terabytes;week=# wk|# wks|#w|#w|# week|# weeks;yard=# yd|# yd|#yd|#yd|# yard|# yards;year=# yr|# yrs|#y|#y|# ' +
  'year|# years;mile-per-hour=# mph|# mph|#mph|#mph|# mile per hour|# miles per hour;mile-per-gallon=# mpg|# ' +
  'mpg|#mpg|#mpg|# mile per gallon|# miles per gallon';
// What follows a unit after "per".
const PER =
  'acre=/ac|/ac| per acre;bit=/bit|/bit| per bit;byte=/byte|/B| per byte;celsius=/°C|/°C| per degree Celsius;' +
  'centimeter=/cm|/cm| per centimeter;day=/d|/d| per day;degree=/deg|/°| per degree;fahrenheit=/°F|/°| per ' +
  'degree Fahrenheit;fluid-ounce=/fl oz|/fl oz| per fluid ounce;foot=/ft|/ft| per foot;gallon=/gal US|/gal| per ' +
  'gallon;gigabit=/Gb|/Gb| per gigabit;gigabyte=/GB|/GB| per gigabyte;gram=/g|/g| per gram;hectare=/ha|/ha| per ' +
  'hectare;hour=/h|/h| per hour;inch=/in|/in| per inch;kilobit=/kb|/kb| per kilobit;kilobyte=/kB|/kB| per ' +
  'kilobyte;kilogram=/kg|/kg| per kilogram;kilometer=/km|/km| per kilometer;liter=/L|/L| per liter;' +
  'megabit=/Mb|/Mb| per megabit;megabyte=/MB|/MB| per megabyte;meter=/m|/m| per meter;microsecond=/μs|/μs| per ' +
  'microsecond;mile=/mi|/mi| per mile;mile-scandinavian=/smi|/smi| per mile-scandinavian;milliliter=/mL|/mL| per ' +
  'milliliter;millimeter=/mm|/mm| per millimeter;millisecond=/ms|/ms| per millisecond;minute=/min|/min| per ' +
  'minute;month=/m|/m| per month;nanosecond=/ns|/ns| per nanosecond;ounce=/oz|/oz| per ounce;percent=/%|/%| per ' +
  'percent;petabyte=/PB|/PB| per petabyte;pound=/lb|/lb| per pound;second=/s|/s| per second;stone=/st|/st| per ' +
  'stone;terabit=/Tb|/Tb| per terabit;terabyte=/TB|/TB| per terabyte;week=/w|/w| per week;yard=/yd|/yd| per yard;' +
  'year=/y|/y| per year';
const table = (text) => {
  const made = new Map();
  for (const item of $.each($.split(text, ';'))) {
    const { 0: name, 1: cells } = $.split(item, '=');
    made.set(name, $.split(cells, '|'));
  }
  return made;
};
let units;
let per;
const load = () => {
  units ??= table(UNITS);
  per ??= table(PER);
};

const DISPLAYS = ['short', 'narrow', 'long'];
exports.units = () => {
  load();
  return $.filter($.map([...$.each(units)], ({ 0: name }) => name), (name) => !$.includes(name, '-per-'));
};
exports.isUnit = (unit) => {
  load();
  const { 0: one, 1: other, length } = $.split(unit, '-per-');
  return length <= 2 && per.has(one) && (length === 1 || per.has(other));
};
/** The text with `#` in place of the number. */
exports.unitPattern = (unit, display, isOne) => {
  load();
  const form = $.indexOf(DISPLAYS, display);
  const whole = units.get(unit);
  const column = form * 2 + (isOne ? 0 : 1);
  if (whole !== undefined) return whole[column];
  const { 0: one, 1: other } = $.split(unit, '-per-');
  return units.get(one)[column] + per.get(other)[form];
};
