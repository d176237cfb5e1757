// performance and node:perf_hooks.
/**
 * What Rust provides.
 * @type {{
 *   now(): number,
 *   timeOrigin(): number,
 * }}
 */
const native = rust;
const entries = [];
class PerformanceEntry {
  constructor(name, entryType, startTime, duration, detail = null) {
    Object.assign(this, { name, entryType, startTime, duration, detail });
  }
  toJSON() {
    return { ...this };
  }
}
class PerformanceMark extends PerformanceEntry {}
class PerformanceMeasure extends PerformanceEntry {}
const timeOrigin = native.timeOrigin?.() ?? $.now();
class Performance {
  timeOrigin = timeOrigin;
  now() {
    return native.now();
  }
  /**
   * @param {unknown} name
   * @param {Options<{ startTime?: number, detail?: unknown }>} [options]
   */
  mark(name, { startTime = native.now(), detail } = { __proto__: null }) {
    const mark = new PerformanceMark($.text`${name}`, 'mark', startTime, 0, detail);
    $.push(entries, mark);
    return mark;
  }
  measure(name, start, end) {
    const time = (mark, otherwise) => {
      if (mark === undefined) return otherwise;
      if (typeof mark === 'number') return mark;
      const found = $.findLast(entries, (entry) => entry.entryType === 'mark' && entry.name === $.text`${mark}`);
      if (found === undefined) {
        throw new DOMException($.text`The "${mark}" performance mark has not been set`, 'SyntaxError');
      }
      return found.startTime;
    };
    let detail;
    let duration;
    if (start !== null && typeof start === 'object') ({ start, end, detail, duration } = start);
    const to = time(end, duration !== undefined ? time(start, 0) + duration : native.now());
    const from = time(start, duration !== undefined ? to - duration : 0);
    const measure = new PerformanceMeasure($.text`${name}`, 'measure', from, to - from, detail);
    $.push(entries, measure);
    return measure;
  }
  getEntries() {
    return $.sort([...$.each(entries)], (a, b) => a.startTime - b.startTime);
  }
  getEntriesByName(name, type) {
    return $.filter(
      this.getEntries(), (entry) => entry.name === name && (type === undefined || entry.entryType === type));
  }
  getEntriesByType(type) {
    return $.filter(this.getEntries(), (entry) => entry.entryType === type);
  }
  clearMarks(name) {
    this.#clear('mark', name);
  }
  clearMeasures(name) {
    this.#clear('measure', name);
  }
  #clear(type, name) {
    for (let i = entries.length - 1; i >= 0; i--) {
      if (entries[i].entryType === type && (name === undefined || entries[i].name === name)) $.splice(entries, i, 1);
    }
  }
  toJSON() {
    return { timeOrigin };
  }
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: 'Performance', configurable: true });
exports.performance = new Performance();
exports.Performance = Performance;
exports.PerformanceEntry = PerformanceEntry;
exports.PerformanceMark = PerformanceMark;
exports.PerformanceMeasure = PerformanceMeasure;
exports.constants = {};
exports.monitorEventLoopDelay = () => ({ enable() {}, disable() {}, min: 0, max: 0, mean: 0 });
