// What node:fs says about files: Stats, BigIntStats, StatFs and Dirent.
const { constants } = require('fs_values');
const { S_IFMT } = constants;

const times = ['atime', 'mtime', 'ctime', 'birthtime'];
const fields = ['dev', 'mode', 'nlink', 'uid', 'gid', 'rdev', 'blksize', 'ino', 'size', 'blocks'];
const own = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: true });

function StatsBase() {}
const types = [
  ['isDirectory', 'S_IFDIR', 2], ['isFile', 'S_IFREG', 1], ['isBlockDevice', 'S_IFBLK', 7],
  ['isCharacterDevice', 'S_IFCHR', 6], ['isSymbolicLink', 'S_IFLNK', 3], ['isFIFO', 'S_IFIFO', 4],
  ['isSocket', 'S_IFSOCK', 5],
];
for (const { 0: name, 1: type } of $.each(types)) {
  StatsBase.prototype[name] = function () {
    const isType = /** @type {any} */ (this)._checkModeProperty;
    return Reflect.apply(isType, this, [constants[type]]);
  };
  Object.defineProperty(StatsBase.prototype[name], 'name', { value: name, configurable: true });
}

// The dates are made when they are asked for.
const addDates = (prototype) => {
  for (const name of $.each(times)) {
    Object.defineProperty(prototype, name, {
      enumerable: true, configurable: true,
      get() {
        const date = new Date(Number(this[$.text`${name}Ms`]) + (typeof this.mode === 'bigint' ? 0 : 0.5));
        own(this, name, date);
        return date;
      },
      set(value) {
        own(this, name, value);
      },
    });
  }
};
/** @this {any} */
function Stats(...values) {
  for (let i = 0; i < fields.length; i++) own(this, fields[i], values[i]);
  for (let i = 0; i < times.length; i++) own(this, $.text`${times[i]}Ms`, values[10 + i]);
}
Object.setPrototypeOf(Stats.prototype, StatsBase.prototype);
Object.setPrototypeOf(Stats, StatsBase);
addDates(Stats.prototype);
/** @this {any} */
Stats.prototype._checkModeProperty = function (type) {
  return (this.mode & S_IFMT) === type;
};
/** @this {any} */
function BigIntStats(...values) {
  for (let i = 0; i < fields.length; i++) own(this, fields[i], values[i]);
  for (let i = 0; i < times.length; i++) own(this, $.text`${times[i]}Ms`, values[10 + i] / 1_000_000n);
  for (let i = 0; i < times.length; i++) own(this, $.text`${times[i]}Ns`, values[10 + i]);
}
Object.setPrototypeOf(BigIntStats.prototype, StatsBase.prototype);
Object.setPrototypeOf(BigIntStats, StatsBase);
addDates(BigIntStats.prototype);
/** @this {any} */
BigIntStats.prototype._checkModeProperty = function (type) {
  return (this.mode & BigInt(S_IFMT)) === BigInt(type);
};

// From the numbers that Rust gives.
exports.makeStats = (numbers) => {
  const isBig = typeof numbers[0] === 'bigint';
  const values = $.slice(numbers, 0, 10);
  for (let i = 10; i < 18; i += 2) {
    $.push(values, isBig ? numbers[i] * 1_000_000_000n + numbers[i + 1] : numbers[i] * 1000 + numbers[i + 1] / 1e6);
  }
  return Reflect.construct(isBig ? BigIntStats : Stats, values);
};
exports.Stats = Stats;
exports.BigIntStats = BigIntStats;

class StatFs {
  type;
  bsize;
  blocks;
  bfree;
  bavail;
  files;
  ffree;
}
exports.makeStatFs = (numbers) => {
  const made = new StatFs();
  $.forEach(Object.keys(made), (name, i) => (made[name] = numbers[i]));
  return made;
};

const typeSymbol = Symbol('type');
class Dirent {
  name;
  parentPath;
  constructor(name, parentPath, type) {
    this.name = name;
    this.parentPath = parentPath;
    own(this, typeSymbol, type);
  }
}
for (const { 0: name, 2: type } of $.each(types)) {
  /** @this {any} */
  const is = { [name]() {
    return (/** @type {any} */ (this))[typeSymbol] === type;
  } }[name];
  Object.defineProperty(Dirent.prototype, name, { value: is, writable: true, configurable: true });
}
exports.Dirent = Dirent;
