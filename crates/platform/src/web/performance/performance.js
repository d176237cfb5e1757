// performance and node:perf_hooks.
/**
 * What Rust provides.
 * @type {{
 *   now(): number,
 *   timeOrigin(): number,
 *   loopTimes(): number[],
 * }}
 */
const native = rust;
const { create, invalidArgType } = require('errors');
const { validateFunction, validateObject } = require('validators');
const { EventTarget } = require('abort');
const { inspect } = require('lazy_inspect');

const secret = Symbol();
const illegal = () => create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
const missing = (name) => create('TypeError', 'ERR_MISSING_ARGS', $.text`The "${name}" argument must be specified`);
const clone = (detail) =>
  (detail === undefined || detail === null ? null : require('messaging').structuredClone(detail));

let makeEntry;
let offer;
let check;
class PerformanceEntry {
  #name;
  #type;
  #start;
  #duration;
  constructor(key = undefined, name = undefined, type = undefined, start = 0, duration = 0) {
    if (key !== secret) throw illegal();
    this.#name = name;
    this.#type = type;
    this.#start = start;
    this.#duration = duration;
  }
  static {
    makeEntry = (name, type, start, duration, detail) => {
      const entry = new PerformanceEntry(secret, name, type, start, duration);
      if (detail !== undefined) Object.defineProperty(entry, 'detail', { value: detail, enumerable: true });
      return entry;
    };
  }
  get name() {
    return this.#name;
  }
  get entryType() {
    return this.#type;
  }
  get startTime() {
    return this.#start;
  }
  get duration() {
    return this.#duration;
  }
  toJSON() {
    return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration };
  }
  [inspect.custom](depth, options) {
    if (depth < 0) return this;
    const { constructor: { name } } = this;
    return $.text`${name} ${inspect(shownOf(this), { ...options, depth: options.depth == null ? null : options.depth - 1 })}`;
  }
}
const shownOf = (entry) => {
  const shown = { name: entry.name, entryType: entry.entryType, startTime: entry.startTime, duration: entry.duration };
  return entry.detail === undefined ? shown : { ...shown, detail: entry.detail };
};

class PerformanceMark extends PerformanceEntry {
  #detail;
  constructor(name, options = undefined) {
    if (arguments.length === 0) throw missing('name');
    if (options !== undefined && options !== null) validateObject(options, 'options', { __proto__: null, array: true });
    const start = options?.startTime ?? native.now();
    if (typeof start !== 'number') throw invalidArgType('options.startTime', 'of type number', start);
    if (start < 0) {
      throw create('TypeError', 'ERR_PERFORMANCE_INVALID_TIMESTAMP', $.text`${start} is not a valid timestamp`);
    }
    super(secret, $.text`${name}`, 'mark', start, 0);
    this.#detail = clone(options?.detail);
  }
  get detail() {
    return this.#detail;
  }
  toJSON() {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
class PerformanceMeasure extends PerformanceEntry {
  #detail;
  constructor(key = undefined, name = undefined, start = 0, duration = 0, detail = null) {
    super(key, name, 'measure', start, duration);
    this.#detail = detail;
  }
  get detail() {
    return this.#detail;
  }
  toJSON() {
    return { ...super.toJSON(), detail: this.#detail };
  }
}
class PerformanceResourceTiming extends PerformanceEntry {
  constructor() {
    super();
  }
}

// What has been marked and measured, in the order of the start.
let entries = [];
const byStart = (a, b) => a.startTime - b.startTime;
const observers = new Set();
const bufferEntry = (entry) => {
  if (entry.entryType === 'mark' || entry.entryType === 'measure') $.push(entries, entry);
  for (const observer of $.each(observers)) offer(observer, entry);
};

class PerformanceObserverEntryList {
  #entries;
  constructor(key = undefined, list = []) {
    if (key !== secret) throw illegal();
    this.#entries = $.sort(list, byStart);
  }
  getEntries() {
    return $.slice(this.#entries);
  }
  getEntriesByType(type) {
    if (arguments.length === 0) throw missing('type');
    return $.filter(this.#entries, (entry) => entry.entryType === $.text`${type}`);
  }
  getEntriesByName(name, type = undefined) {
    if (arguments.length === 0) throw missing('name');
    return $.filter(this.#entries,
      (entry) => entry.name === $.text`${name}` && (type === undefined || entry.entryType === type));
  }
}

const supported = ['dns', 'function', 'gc', 'http', 'http2', 'mark', 'measure', 'net', 'resource'];
class PerformanceObserver {
  #callback;
  #types = new Set();
  #records = [];
  #isQueued = false;
  #mode;
  constructor(callback) {
    validateFunction(callback, 'callback');
    this.#callback = callback;
  }
  static get supportedEntryTypes() {
    return $.slice(supported);
  }
  static {
    offer = (observer, entry) => {
      if (!observer.#types.has(entry.entryType)) return;
      $.push(observer.#records, entry);
      observer.#queue();
    };
  }
  #queue() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    require('timers').setImmediate(() => {
      this.#isQueued = false;
      const list = this.takeRecords();
      if (list.length === 0) return;
      Reflect.apply(this.#callback, this, [new PerformanceObserverEntryList(secret, list), this]);
    });
  }
  observe(options = { __proto__: null }) {
    validateObject(options, 'options');
    const { entryTypes, type, buffered = false } = options;
    if (entryTypes === undefined && type === undefined) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "options.entryTypes" and "options.type" arguments must be specified');
    }
    if (entryTypes !== undefined && type !== undefined) {
      throw create('TypeError', 'ERR_INVALID_ARG_VALUE',
        $.text`The property 'options.entryTypes' options.entryTypes can not set with options.type together. ` +
        $.text`Received ${inspect(entryTypes)}`);
    }
    const mode = type === undefined ? 'multiple' : 'single';
    if (this.#mode !== undefined && this.#mode !== mode) {
      throw new DOMException($.text`PerformanceObserver can not change to ${mode} observation`, 'InvalidModificationError');
    }
    this.#mode = mode;
    if (mode === 'multiple') {
      if (!$.isArray(entryTypes)) throw invalidArgType('options.entryTypes', 'string[]', entryTypes);
      this.#types = new Set();
      for (const one of $.each(entryTypes)) if ($.includes(supported, one)) this.#types.add(one);
      this.#records = [];
    } else {
      if (!$.includes(supported, type)) return;
      this.#types.add(type);
      if (buffered) {
        $.push(this.#records, ...$.each($.filter(entries, (entry) => entry.entryType === type)));
        this.#queue();
      }
    }
    if (this.#types.size > 0) observers.add(this);
    else this.disconnect();
  }
  disconnect() {
    observers.delete(this);
    this.#records = [];
    this.#types = new Set();
    this.#mode = undefined;
  }
  takeRecords() {
    const list = this.#records;
    this.#records = [];
    return list;
  }
}

const origin = native.timeOrigin();
const milestones = ['nodeStart', 'v8Start', 'environment', 'loopStart', 'loopExit', 'bootstrapComplete'];
/** A mark's name or a time as a time. */
const timeOf = (mark) => {
  if (typeof mark === 'number') {
    if (mark < 0) {
      throw create('TypeError', 'ERR_PERFORMANCE_INVALID_TIMESTAMP', $.text`${mark} is not a valid timestamp`);
    }
    return mark;
  }
  if ($.includes(milestones, mark)) return timing()[mark];
  const found = $.findLast(entries, (entry) => entry.entryType === 'mark' && entry.name === $.text`${mark}`);
  if (found === undefined) {
    throw new DOMException($.text`The "${mark}" performance mark has not been set`, 'SyntaxError');
  }
  return found.startTime;
};
const span = (startOrOptions, endMark) => {
  if (startOrOptions === null || typeof startOrOptions !== 'object') {
    const end = endMark === undefined ? native.now() : timeOf(endMark);
    return { end, start: startOrOptions === undefined ? 0 : timeOf(startOrOptions), detail: null };
  }
  const { start, end, duration, detail } = startOrOptions;
  if (start === undefined && end === undefined && duration !== undefined) {
    throw create('TypeError', 'ERR_MISSING_ARGS', 'The "options.start" and "options.end" arguments must be specified');
  }
  if (start !== undefined && end !== undefined && duration !== undefined) {
    throw create('TypeError', 'ERR_INVALID_ARG_VALUE', 'Must not have options.start, options.end, and options.duration specified');
  }
  const to = end !== undefined ? timeOf(end)
    : start !== undefined && duration !== undefined ? timeOf(start) + duration : native.now();
  const from = start !== undefined ? timeOf(start) : duration !== undefined ? to - duration : 0;
  return { start: from, end: to, detail: clone(detail) };
};

/** How long the loop has been waiting and working, since it began or between two answers. */
const utilization = (first, second) => {
  const { 0: age, 1: idle } = native.loopTimes();
  if (age === undefined) return { idle: 0, active: 0, utilization: 0 };
  const made = (idle, active) => ({ idle, active, utilization: active / (idle + active) });
  if (second !== undefined) return made(first.idle - second.idle, first.active - second.active);
  const active = age - idle;
  return first === undefined ? made(idle, active) : made(idle - first.idle, active - first.active);
};

class PerformanceNodeTiming extends PerformanceEntry {
  constructor() {
    super(secret, 'node', 'node', 0, 0);
    Object.assign(this, { nodeStart: 0, v8Start: 0, bootstrapComplete: 0, environment: 0, loopExit: -1 });
  }
  get duration() {
    return native.now();
  }
  toJSON() {
    const { nodeStart, v8Start, environment, loopStart, loopExit, bootstrapComplete, idleTime } = /** @type {any} */ (this);
    return {
      ...super.toJSON(), nodeStart, v8Start, bootstrapComplete, environment, loopStart, loopExit, idleTime,
      duration: this.duration,
    };
  }
  get loopStart() {
    const { 0: age } = native.loopTimes();
    return age === undefined ? -1 : native.now() - age;
  }
  get idleTime() {
    return native.loopTimes()[1] ?? 0;
  }
}
let nodeTiming;
const timing = () => (nodeTiming ??= new PerformanceNodeTiming());
const timerify = (fn, options = { __proto__: null }) => require('histogram').timerify(fn, options, native.now,
  (name, start, duration, args) => bufferEntry(Object.assign(makeEntry(name, 'function', start, duration, args), args)));

class Performance extends EventTarget {
  #brand = true;
  constructor(key = undefined) {
    if (key !== secret) throw illegal();
    super();
  }
  static {
    check = (it) => {
      if (it === null || typeof it !== 'object' || !(#brand in it)) {
        throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type Performance');
      }
    };
  }
  clearMarks(name = undefined) {
    check(this);
    drop('mark', name === undefined ? name : $.text`${name}`);
  }
  clearMeasures(name = undefined) {
    check(this);
    drop('measure', name === undefined ? name : $.text`${name}`);
  }
  clearResourceTimings() {
    check(this);
  }
  getEntries() {
    check(this);
    return $.sort($.slice(entries), byStart);
  }
  getEntriesByName(name, type = undefined) {
    check(this);
    if (arguments.length === 0) throw missing('name');
    return $.filter(this.getEntries(),
      (entry) => entry.name === $.text`${name}` && (type === undefined || entry.entryType === type));
  }
  getEntriesByType(type) {
    check(this);
    if (arguments.length === 0) throw missing('type');
    return $.filter(this.getEntries(), (entry) => entry.entryType === $.text`${type}`);
  }
  mark(name, options = undefined) {
    check(this);
    if (arguments.length === 0) throw missing('name');
    const mark = new PerformanceMark(name, options ?? undefined);
    bufferEntry(mark);
    return mark;
  }
  measure(name, startOrMeasureOptions = undefined, endMark = undefined) {
    check(this);
    if (arguments.length === 0) throw missing('name');
    const { start, end, detail } = span(startOrMeasureOptions, endMark);
    const measure = new PerformanceMeasure(secret, $.text`${name}`, start, end - start, detail);
    bufferEntry(measure);
    return measure;
  }
  now() {
    check(this);
    return native.now();
  }
  setResourceTimingBufferSize() {
    check(this);
  }
  get timeOrigin() {
    check(this);
    return origin;
  }
  toJSON() {
    check(this);
    return { nodeTiming: this.nodeTiming, timeOrigin: origin, eventLoopUtilization: utilization() };
  }
  get nodeTiming() {
    return timing();
  }
  get onresourcetimingbufferfull() {
    return null;
  }
  set onresourcetimingbufferfull(_handler) {}
}
const drop = (type, name) => {
  entries = $.filter(entries,
    (entry) => entry.entryType !== type || (name !== undefined && entry.name !== $.text`${name}`));
};
const functions = {
  eventLoopUtilization: (utilization1, utilization2) => utilization(utilization1, utilization2),
  timerify, markResourceTiming() {},
};
for (const name of $.each(Object.keys(functions))) {
  Object.defineProperty(Performance.prototype, name, {
    value: functions[name], writable: true, enumerable: false, configurable: true,
  });
}
Object.defineProperty(Performance.prototype, Symbol.toStringTag, { value: 'Performance', configurable: true });
for (const key of $.each(['clearMarks', 'clearMeasures', 'clearResourceTimings', 'getEntries', 'getEntriesByName',
  'getEntriesByType', 'mark', 'measure', 'now', 'setResourceTimingBufferSize', 'timeOrigin', 'toJSON',
  'onresourcetimingbufferfull'])) Object.defineProperty(Performance.prototype, key, { enumerable: true });

const classes = {
  Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList,
  PerformanceResourceTiming,
};
for (const Class of $.each([PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList,
  PerformanceResourceTiming])) {
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: Class.name, configurable: true });
}
const performance = new Performance(secret);
const lazily = (name) => Object.defineProperty(function (...args) {
  return require('histogram')[name](...$.each(args));
}, 'name', { value: name });
exports.perf_hooks = {
  ...classes,
  monitorEventLoopDelay: lazily('monitorEventLoopDelay'),
  eventLoopUtilization: functions.eventLoopUtilization, timerify,
  createHistogram: lazily('createHistogram'),
  performance,
  constants: {
    NODE_PERFORMANCE_GC_MAJOR: 4, NODE_PERFORMANCE_GC_MINOR: 1, NODE_PERFORMANCE_GC_INCREMENTAL: 8,
    NODE_PERFORMANCE_GC_WEAKCB: 16, NODE_PERFORMANCE_GC_FLAGS_NO: 0,
    NODE_PERFORMANCE_GC_FLAGS_CONSTRUCT_RETAINED: 2, NODE_PERFORMANCE_GC_FLAGS_FORCED: 4,
    NODE_PERFORMANCE_GC_FLAGS_SYNCHRONOUS_PHANTOM_PROCESSING: 8,
    NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE: 16, NODE_PERFORMANCE_GC_FLAGS_ALL_EXTERNAL_MEMORY: 32,
    NODE_PERFORMANCE_GC_FLAGS_SCHEDULE_IDLE: 64,
  },
};
Object.assign(exports, classes);
exports.performance = performance;
