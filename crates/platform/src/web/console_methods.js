// The methods of a console, whatever it prints to.
const { inspect, formatWithOptions, stripAnsi } = require('inspect');

const cell = (value) => {
  const depth = value !== null && typeof value === 'object' && !$.isArray(value) && Object.keys(value).length > 2
    ? -1 : 0;
  return inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth });
};
const draw = (head, columns) => {
  const rows = [];
  const count = Math.max(...$.each($.map(columns, (column) => column.length)));
  const widths = $.map(head, (name, i) =>
    Math.max(name.length, ...$.each($.map(columns[i], (text) => (text ?? '').length))) + 2);
  const row = (cells) =>
    $.text`│${$.join($.map(cells, (text, i) => $.padEnd($.text` ${text ?? ''}`, widths[i])), '│')}│`;
  const bars = $.map(widths, (width) => $.repeat('─', width));
  $.push(rows, $.text`┌${$.join(bars, '┬')}┐`, row(head), $.text`├${$.join(bars, '┼')}┤`);
  for (let i = 0; i < count; i++) $.push(rows, row($.map(columns, (column) => column[i])));
  $.push(rows, $.text`└${$.join(bars, '┴')}┘`);
  return $.join(rows, '\n');
};
const table = (out, data, properties) => {
  if (properties !== undefined) require('validators').validateArray(properties, 'properties');
  if (data === null || typeof data !== 'object') return out(data);
  const isMap = data instanceof $.real.Map;
  const isSet = data instanceof $.real.Set;
  const index = [];
  const values = [];
  const columns = new Map();
  if (properties !== undefined) for (const name of $.each(properties)) columns.set(name, []);
  let hasPrimitive = false;
  const entries = isMap ? $.map([...$.each(data)], ({ 0: key, 1: value }, i) => [i, value, key])
    : isSet ? $.map([...$.each(data)], (value, i) => [i, value]) : $.map(Object.keys(data), (key) => [key, data[key]]);
  const keyColumn = [];
  $.forEach(entries, ({ 0: name, 1: item, 2: key }, i) => {
    $.push(index, $.text`${name}`);
    if (isMap) keyColumn[i] = cell(key);
    const primitive = item === null || (typeof item !== 'object' && typeof item !== 'function');
    if (isMap || (primitive && properties === undefined)) {
      hasPrimitive = true;
      values[i] = cell(item);
    } else {
      for (const property of $.each(properties ?? Object.keys(item))) {
        if (!columns.has(property)) columns.set(property, []);
        if (!primitive && Object.hasOwn(item, property)) columns.get(property)[i] = cell(item[property]);
      }
    }
  });
  const fill = (list) => $.arrayFrom({ length: entries.length }, (_, i) => list[i] ?? '');
  const heads = [isMap || isSet ? '(iteration index)' : '(index)'];
  const body = [fill(index)];
  if (isMap) {
    $.push(heads, 'Key');
    $.push(body, fill(keyColumn));
  }
  for (const { 0: name, 1: list } of $.each(columns)) {
    $.push(heads, name);
    $.push(body, fill(list));
  }
  if (hasPrimitive) {
    $.push(heads, 'Values');
    $.push(body, fill(values));
  }
  out(draw($.map(heads, (text) => stripAnsi(text)), body));
};

const elapsed = (ms) => {
  const trim = (value, unit) => $.text`${$.toFixed(value, 3)}${unit}`;
  if (ms >= 1000) {
    const seconds = ms / 1000;
    if (seconds < 60) return trim(seconds, 's');
    const minutes = Math.floor(seconds / 60);
    return $.text`${minutes}:${$.padStart($.toFixed((seconds % 60), 3), 6, '0')} (m:ss.mmm)`;
  }
  return ms >= 1 ? $.text`${Number($.toFixed(ms, 3))}ms` : $.text`${Number($.toPrecision(ms, 3))}ms`;
};

// Writes to a stream. An error of one that nobody listens to is neither thrown nor uncaught.
exports.writeQuietly = (stream, text) => {
  const ignore = () => {};
  if (typeof stream.once !== 'function') {
    try {
      stream.write(text, ignore);
    } catch (error) {
      if (isOverflow(error)) throw error;
    }
    return;
  }
  const listen = () => {
    if (stream.listenerCount('error') === 0) stream.once('error', ignore);
  };
  try {
    listen();
    stream.write(text, (error) => {
      if (error !== null && error !== undefined && !stream._writableState?.errorEmitted) listen();
    });
  } catch (error) {
    if (isOverflow(error)) throw error;
  } finally {
    stream.removeListener('error', ignore);
  }
};
const isOverflow = (error) => error instanceof RangeError && $.includes(error.message, 'stack');

/**
 * @param {(toStderr: boolean, ...args: unknown[]) => void} print
 * @param {(by: number) => void} indent
 * @param {() => void} clear
 */
exports.methods = (print, indent, clear) => {
  const counts = new Map();
  const timers = new Map();
  const out = (...args) => print(false, ...$.each(args));
  const err = (...args) => print(true, ...$.each(args));
  const now = () => require('performance').performance.now();
  const warn = (text) => require('process').process.emitWarning(text);
  const timePassed = (name, label, rest) => {
    label = $.text`${label}`;
    const start = timers.get(label);
    if (start === undefined) {
      warn($.text`No such label '${label}' for console.${name}()`);
      return false;
    }
    out($.text`${label}: ${elapsed(now() - start)}`, ...$.each(rest));
    return true;
  };
  const group = (...args) => {
    if (args.length > 0) out(...$.each(args));
    indent(2);
  };
  return {
    dir(value, options) {
      out(inspect(value, { customInspect: false, ...options }));
    },
    time(label = 'default') {
      label = $.text`${label}`;
      if (timers.has(label)) warn($.text`Label '${label}' already exists for console.time()`);
      else timers.set(label, now());
    },
    timeEnd(label = 'default') {
      if (timePassed('timeEnd', label, [])) timers.delete($.text`${label}`);
    },
    timeLog(label = 'default', ...data) {
      timePassed('timeLog', label, data);
    },
    trace: function trace(...args) {
      const message = args.length > 0 ? formatWithOptions({}, ...$.each(args)) : '';
      const stack = require('stack').stackOf(new Error());
      const isOurs = (line) => $.includes(line, 'node:internal/console') || $.regex(/ at trace \(native\)/).test(line);
      const lines = $.slice($.split($.slice(stack, $.indexOf(stack, '\n    at')), '\n'), 1);
      const frames = $.join($.filter(lines, (line) => !isOurs(line)), '\n');
      err($.text`Trace${message ? $.text`: ${message}` : ''}\n${frames}`);
    },
    assert(expression, ...args) {
      if (expression) return;
      if (typeof args[0] === 'string') err($.text`Assertion failed: ${args[0]}`, ...$.each($.slice(args, 1)));
      else err('Assertion failed', ...$.each(args));
    },
    clear() {
      clear();
    },
    count(label = 'default') {
      label = $.text`${label}`;
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      out($.text`${label}: ${count}`);
    },
    countReset(label = 'default') {
      label = $.text`${label}`;
      if (!counts.delete(label)) warn($.text`Count for '${label}' does not exist`);
    },
    group,
    groupEnd() {
      indent(-2);
    },
    table(tabularData, properties) {
      table(out, tabularData, properties);
    },
    dirxml(...data) {
      out(...$.each(data));
    },
    groupCollapsed: group,
  };
};
