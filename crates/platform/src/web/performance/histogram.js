// The histograms of node:perf_hooks.
const { create, invalidArgType, outOfRange } = require('errors');
const { validateFunction, validateInteger, validateNumber, validateObject } = require('validators');
const { inspect } = require('lazy_inspect');

const secret = Symbol();
const toNumber = (value) => Number(value);
const { BigInt: Big } = $.real;
// (No value is larger; what a number cannot hold is rounded up.)
const toBigInt = (value) => (value >= 2 ** 63 ? 2n ** 63n - 1n : Big(value));

// Values and how often each was recorded, as precise as the number of digits demands.
class Histogram {
  #counts = new Map();
  #count = 0;
  #sum = 0;
  #squares = 0;
  #min = 2 ** 63;
  #max = 0;
  #exceeds = 0;
  #lowest;
  #highest;
  #digits;
  /**
   * @param {symbol} [key]
   * @param {any} options
   */
  constructor(key = undefined, options = { __proto__: null }) {
    if (key !== secret) throw create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    ({ lowest: this.#lowest = 1, highest: this.#highest = 2 ** 53 - 1, figures: this.#digits = 3 } = options);
  }
  static add(histogram, value, times = 1) {
    if (value < histogram.#lowest || value > histogram.#highest) {
      histogram.#exceeds += times;
      return;
    }
    // Large values are kept with so many digits of the binary number.
    const bits = Math.max(0, Math.floor($.toString(value, 2).length) - 1 - Math.floor(histogram.#digits * 3.33) - 1);
    const place = Math.floor(value / 2 ** bits) * 2 ** bits;
    histogram.#counts.set(place, (histogram.#counts.get(place) ?? 0) + times);
    histogram.#count += times;
    histogram.#sum += place * times;
    histogram.#squares += place * place * times;
    if (value < histogram.#min) histogram.#min = value;
    if (value > histogram.#max) histogram.#max = value;
  }
  static merge(histogram, other) {
    for (const { 0: value, 1: times } of $.each(other.#counts)) add(histogram, value, times);
    histogram.#exceeds += other.#exceeds;
    return other.#count;
  }
  static is(value) {
    return value !== null && typeof value === 'object' && #counts in value;
  }
  get count() {
    return this.#count;
  }
  get countBigInt() {
    return toBigInt(this.#count);
  }
  get min() {
    return this.#min;
  }
  get minBigInt() {
    return toBigInt(this.#min);
  }
  get max() {
    return this.#max;
  }
  get maxBigInt() {
    return toBigInt(this.#max);
  }
  get mean() {
    return this.#sum / this.#count;
  }
  get exceeds() {
    return this.#exceeds;
  }
  get exceedsBigInt() {
    return toBigInt(this.#exceeds);
  }
  get stddev() {
    const mean = this.#sum / this.#count;
    return Math.sqrt(Math.max(0, this.#squares / this.#count - mean * mean));
  }
  #at(percentile) {
    const values = $.sort([...$.each(this.#counts.keys())], (a, b) => a - b);
    const wanted = Math.max(1, Math.round(percentile / 100 * this.#count + 1e-9));
    let seen = 0;
    for (const value of $.each(values)) {
      seen += this.#counts.get(value);
      if (seen >= wanted) return value;
    }
    return 0;
  }
  percentile(percentile) {
    validateNumber(percentile, 'percentile');
    if (!(percentile > 0 && percentile <= 100)) throw outOfRange('percentile', '> 0 && <= 100', percentile);
    return this.#at(percentile);
  }
  percentileBigInt(percentile) {
    return toBigInt(this.percentile(percentile));
  }
  get percentiles() {
    return this.#all(toNumber);
  }
  get percentilesBigInt() {
    return this.#all(toBigInt);
  }
  #all(convert) {
    const made = new $.real.Map();
    const set = $.uncurried($.pristine['Map.prototype'].set);
    if (this.#count === 0) {
      set(made, 100, convert(0));
      return made;
    }
    // Steps halve with the distance to 100.
    let percentile = 0;
    let seen = 0;
    for (const value of $.each($.sort([...$.each(this.#counts.keys())], (a, b) => a - b))) {
      seen += this.#counts.get(value);
      while (percentile <= 100 * seen / this.#count) {
        set(made, percentile, convert(value));
        percentile += (100 - percentile) / 2;
        if (seen === this.#count) break;
      }
    }
    set(made, 100, convert(this.#at(100)));
    return made;
  }
  reset() {
    this.#counts = new Map();
    this.#count = this.#sum = this.#squares = this.#max = this.#exceeds = 0;
    this.#min = 2 ** 63;
  }
  toJSON() {
    const percentiles = {};
    for (const { 0: key, 1: value } of $.each([...$.eachIn(this.percentiles, 'Map')])) percentiles[key] = value;
    return {
      count: this.count, min: this.min, max: this.max, mean: this.mean, exceeds: this.exceeds, stddev: this.stddev,
      percentiles,
    };
  }
  [inspect.custom](depth, options) {
    if (depth < 0) return options.stylize($.text`[${this.constructor.name}]`, 'special');
    const shown = {
      min: this.min, max: this.max, mean: this.mean, exceeds: this.exceeds, stddev: this.stddev, count: this.count,
      percentiles: this.percentiles,
    };
    return $.text`Histogram ${inspect(shown, options)}`;
  }
}
const { add, is, merge } = Histogram;
for (const name of $.each(['add', 'is', 'merge'])) Reflect.deleteProperty(Histogram, name);

class RecordableHistogram extends Histogram {
  #last;
  record(value) {
    if (typeof value === 'bigint') value = Number(value);
    validateInteger(value, 'val', 1);
    add(this, value);
  }
  recordDelta() {
    const now = /** @type {any} */ (require('process')).process.hrtime.bigint();
    if (this.#last !== undefined) add(this, Number(now - this.#last));
    this.#last = now;
  }
  add(other) {
    if (!is(other)) throw invalidArgType('other', 'an instance of RecordableHistogram', other);
    merge(this, other);
  }
}
function createHistogram(options = { __proto__: null }) {
  validateObject(options, 'options');
  const { lowest = 1, highest = 2 ** 53 - 1, figures = 3 } = /** @type {any} */ (options);
  if (typeof lowest !== 'bigint') validateInteger(lowest, 'options.lowest', 1);
  if (typeof highest !== 'bigint') validateInteger(highest, 'options.highest', 2 * Number(lowest));
  validateInteger(figures, 'options.figures', 1, 5);
  return new RecordableHistogram(secret, { lowest: Number(lowest), highest: Number(highest), figures });
}

class ELDHistogram extends Histogram {
  #timer;
  #resolution;
  constructor(key, resolution) {
    super(key);
    this.#resolution = resolution;
  }
  enable() {
    if (this.#timer !== undefined) return false;
    const { performance } = require('performance');
    let before = performance.now();
    this.#timer = require('timers').setInterval(() => {
      const now = performance.now();
      add(this, Math.max(1, Math.round((now - before) * 1e6)));
      before = now;
    }, this.#resolution);
    this.#timer.unref();
    return true;
  }
  disable() {
    if (this.#timer === undefined) return false;
    require('timers').clearInterval(this.#timer);
    this.#timer = undefined;
    return true;
  }
}
Object.defineProperty(ELDHistogram.prototype, Symbol.dispose, {
  value: ELDHistogram.prototype.disable, writable: true, configurable: true,
});
function monitorEventLoopDelay(options = { __proto__: null }) {
  validateObject(options, 'options');
  const { resolution = 10 } = /** @type {any} */ (options);
  validateInteger(resolution, 'options.resolution', 1);
  return new ELDHistogram(secret, resolution);
}

/** A function that reports how long each of its calls takes. */
const timerify = (fn, options, now, report) => {
  validateFunction(fn, 'fn');
  validateObject(options, 'options');
  const { histogram } = options;
  if (histogram !== undefined && !(histogram instanceof RecordableHistogram)) {
    throw invalidArgType('options.histogram', 'an instance of RecordableHistogram', histogram);
  }
  /** @this {unknown} */
  const timerified = function (...args) {
    const start = now();
    const done = () => {
      const duration = now() - start;
      histogram?.record(Math.max(1, Math.round(duration * 1e6)));
      report(fn.name, start, duration, args);
    };
    const result = new.target ? Reflect.construct(fn, args, fn) : Reflect.apply(fn, this, args);
    if (!new.target && typeof result?.finally === 'function') return result.finally(done);
    done();
    return result;
  };
  return Object.defineProperties(timerified, {
    length: { value: fn.length, configurable: false, enumerable: true },
    name: { value: $.text`timerified ${fn.name}`, configurable: false, enumerable: true },
  });
};
exports.createHistogram = createHistogram;
exports.monitorEventLoopDelay = monitorEventLoopDelay;
exports.timerify = timerify;
