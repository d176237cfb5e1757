// The console methods that are called rarely.
const { inspect, formatWithOptions, stripAnsi } = require('inspect');
const counts = new Map();
const timers = new Map();
const out = (...args) => native.print(false, ...args);
const err = (...args) => native.print(true, ...args);

exports.assert = (condition, ...args) => {
  if (condition) return;
  if (typeof args[0] === 'string') err(`Assertion failed: ${args[0]}`, ...args.slice(1));
  else err('Assertion failed', ...args);
};
exports.clear = () => {};
exports.profile = exports.profileEnd = exports.timeStamp = () => {};
exports.count = (label = 'default') => {
  label = `${label}`;
  const count = (counts.get(label) ?? 0) + 1;
  counts.set(label, count);
  out(`${label}: ${count}`);
};
exports.countReset = (label = 'default') => {
  if (!counts.delete(`${label}`)) err(`Warning: Count for '${label}' does not exist`);
};
exports.dir = (value, options) => out(inspect(value, { customInspect: false, ...options }));
exports.dirxml = out;
exports.group = exports.groupCollapsed = (...args) => {
  if (args.length > 0) out(...args);
  native.indent(2);
};
exports.groupEnd = () => native.indent(-2);

const elapsed = (ms) => {
  const trim = (value, unit) => `${value.toFixed(3)}${unit}`;
  if (ms >= 1000) {
    const seconds = ms / 1000;
    if (seconds < 60) return trim(seconds, 's');
    const minutes = Math.floor(seconds / 60);
    return `${minutes}:${(seconds % 60).toFixed(3).padStart(6, '0')} (m:ss.mmm)`;
  }
  return ms >= 1 ? `${Number(ms.toFixed(3))}ms` : `${Number(ms.toPrecision(3))}ms`;
};
exports.time = (label = 'default') => {
  label = `${label}`;
  if (timers.has(label)) err(`Warning: Label '${label}' already exists for console.time()`);
  else timers.set(label, performance.now());
};
const timePassed = (name, label, rest) => {
  label = `${label}`;
  const start = timers.get(label);
  if (start === undefined) {
    err(`Warning: No such label '${label}' for console.${name}()`);
    return;
  }
  out(`${label}: ${elapsed(performance.now() - start)}`, ...rest);
};
exports.timeLog = (label = 'default', ...rest) => timePassed('timeLog', label, rest);
exports.timeEnd = (label = 'default') => {
  timePassed('timeEnd', label, []);
  timers.delete(`${label}`);
};
exports.trace = (...args) => {
  const error = { name: 'Trace', message: args.length > 0 ? formatWithOptions({}, ...args) : '' };
  const { stack } = new Error();
  const frames = stack.slice(stack.indexOf('\n    at')).split('\n').slice(1)
    .filter((line) => !line.includes('node:internal/console') && !/ at trace \(native\)/.test(line)).join('\n');
  err(`${error.name}${error.message ? `: ${error.message}` : ''}\n${frames}`);
};

const cell = (value) => {
  const depth = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 2
    ? -1 : 0;
  return inspect(value, { maxArrayLength: 3, breakLength: Infinity, depth });
};
const draw = (head, columns) => {
  const rows = [];
  const count = Math.max(...columns.map((column) => column.length));
  const widths = head.map((name, i) => Math.max(name.length, ...columns[i].map((text) => (text ?? '').length)) + 2);
  const row = (cells) => `│${cells.map((text, i) => ` ${text ?? ''}`.padEnd(widths[i])).join('│')}│`;
  const bars = widths.map((width) => '─'.repeat(width));
  rows.push(`┌${bars.join('┬')}┐`, row(head), `├${bars.join('┼')}┤`);
  for (let i = 0; i < count; i++) rows.push(row(columns.map((column) => column[i])));
  rows.push(`└${bars.join('┴')}┘`);
  return rows.join('\n');
};
exports.table = (data, properties) => {
  if (data === null || typeof data !== 'object') return out(data);
  const isMap = data instanceof Map;
  const isSet = data instanceof Set;
  const index = [];
  const values = [];
  const columns = new Map();
  if (properties !== undefined) for (const name of properties) columns.set(name, []);
  let hasPrimitive = false;
  const entries = isMap ? [...data].map(([key, value], i) => [i, value, key])
    : isSet ? [...data].map((value, i) => [i, value]) : Object.keys(data).map((key) => [key, data[key]]);
  const keyColumn = [];
  entries.forEach(([name, item, key], i) => {
    index.push(`${name}`);
    if (isMap) keyColumn[i] = cell(key);
    const primitive = item === null || (typeof item !== 'object' && typeof item !== 'function');
    if (isMap || primitive) {
      hasPrimitive = true;
      values[i] = cell(item);
    } else {
      for (const property of properties ?? Object.keys(item)) {
        if (!columns.has(property)) columns.set(property, []);
        if (Object.hasOwn(item, property)) columns.get(property)[i] = cell(item[property]);
      }
    }
  });
  const fill = (list) => Array.from({ length: entries.length }, (_, i) => list[i] ?? '');
  const heads = [isMap || isSet ? '(iteration index)' : '(index)'];
  const body = [fill(index)];
  if (isMap) {
    heads.push('Key');
    body.push(fill(keyColumn));
  }
  for (const [name, list] of columns) {
    heads.push(name);
    body.push(fill(list));
  }
  if (hasPrimitive) {
    heads.push('Values');
    body.push(fill(values));
  }
  out(draw(heads.map((text) => stripAnsi(text)), body));
};
