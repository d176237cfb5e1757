// util.inspect and util.format: any value as text, laid out the way Node lays it out.
// Loaded at the first console call whose arguments are not all plain strings and numbers.

const kObject = 0, kArray = 1, kArrayExtras = 2;
const kMinLineWidth = 16;
const custom = Symbol.for('nodejs.util.inspect.custom');
const hasOwn = Object.hasOwn;
const isEnumerable = (o, k) => Object.prototype.propertyIsEnumerable.call(o, k);

const defaults = {
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
};

const styles = {
  special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
  string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
};
const colors = {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39],
  cyan: [36, 39], white: [37, 39], grey: [90, 39], gray: [90, 39],
};
const plain = (text) => text;
const colored = (text, style) => {
  const color = colors[styles[style]];
  return color === undefined ? text : `\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
};
const ansi = /\u001b\[\d\d?m/g;
const width = (ctx, text) => (ctx.colors ? text.replace(ansi, '').length : text.length);

// Brands. A prototype test first: a failing brand check throws, which is slow.
const getter = (proto, key) => Object.getOwnPropertyDescriptor(proto, key).get;
const holds = (check) => (value) => {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
};
const TypedArray = Object.getPrototypeOf(Uint8Array);
const typedArrayTag = getter(TypedArray.prototype, Symbol.toStringTag);
const brand = {};
for (const [name, constructor, check] of [
  ['Map', Map, (v) => getter(Map.prototype, 'size').call(v)],
  ['Set', Set, (v) => getter(Set.prototype, 'size').call(v)],
  ['WeakMap', WeakMap, (v) => WeakMap.prototype.has.call(v, brand)],
  ['WeakSet', WeakSet, (v) => WeakSet.prototype.has.call(v, brand)],
  ['WeakRef', WeakRef, (v) => WeakRef.prototype.deref.call(v)],
  ['Date', Date, (v) => Date.prototype.getTime.call(v)],
  ['RegExp', RegExp, (v) => getter(RegExp.prototype, 'source').call(v) && RegExp.prototype.exec.length],
  ['ArrayBuffer', ArrayBuffer, (v) => getter(ArrayBuffer.prototype, 'byteLength').call(v)],
  ['SharedArrayBuffer', SharedArrayBuffer, (v) => getter(SharedArrayBuffer.prototype, 'byteLength').call(v)],
  ['Number', Number, (v) => Number.prototype.valueOf.call(v)],
  ['String', String, (v) => String.prototype.valueOf.call(v)],
  ['Boolean', Boolean, (v) => Boolean.prototype.valueOf.call(v)],
  ['Symbol', Symbol, (v) => Symbol.prototype.valueOf.call(v)],
  ['BigInt', BigInt, (v) => BigInt.prototype.valueOf.call(v)],
]) {
  const checks = holds(check);
  const proto = constructor.prototype;
  brand[name] = (value) =>
    value !== proto && (value instanceof constructor || Object.getPrototypeOf(value) === null) && checks(value);
}
const isTypedArray = (value) => typedArrayTag.call(value) !== undefined;
const isDataView = (value) => ArrayBuffer.isView(value) && !isTypedArray(value);
const isArguments = (value) =>
  !(Symbol.toStringTag in value) && Object.prototype.toString.call(value) === '[object Arguments]';
const isNamespace = (value) => {
  const desc = Object.getOwnPropertyDescriptor(value, Symbol.toStringTag);
  return desc !== undefined && desc.value === 'Module' && !desc.writable && Object.getPrototypeOf(value) === null;
};
const GeneratorFunction = Object.getPrototypeOf(function* () {});
const AsyncFunction = Object.getPrototypeOf(async function () {});
const AsyncGeneratorFunction = Object.getPrototypeOf(async function* () {});
const functionType = (value) => {
  if (GeneratorFunction.isPrototypeOf(value)) return 'GeneratorFunction';
  if (AsyncFunction.isPrototypeOf(value)) return 'AsyncFunction';
  if (AsyncGeneratorFunction.isPrototypeOf(value)) return 'AsyncGeneratorFunction';
  return 'Function';
};

const escapes = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 39: "\\'", 92: '\\\\' };
const needsEscape = /[\u0000-\u001f'\\\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const needsEscapeAll = new RegExp(needsEscape, 'g');
const needsEscapeNoQuote = new RegExp(needsEscape.source.replace("'", ''), 'g');
const escapeOne = (char) => {
  const code = char.charCodeAt(0);
  if (escapes[code] !== undefined) return escapes[code];
  return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
};
function quote(text) {
  let mark = "'";
  let pattern = needsEscapeAll;
  if (text.includes("'")) {
    if (!text.includes('"')) mark = '"';
    else if (!text.includes('`') && !text.includes('${')) mark = '`';
    if (mark !== "'") pattern = needsEscapeNoQuote;
  } else if (text.length < 5000 && !needsEscape.test(text)) {
    return `'${text}'`;
  }
  return mark + text.replace(pattern, escapeOne) + mark;
}

function formatNumber(style, number, separator) {
  if (Object.is(number, -0)) return style('-0', 'number');
  const text = `${number}`;
  if (!separator || !Number.isFinite(number) || text.includes('e')) return style(text, 'number');
  const [integer, fraction] = text.split('.');
  const grouped = integer.replace(/\B(?=(\d{3})+$)/g, '_');
  return style(fraction === undefined ? grouped : `${grouped}.${fraction.replace(/(\d{3})(?=\d)/g, '$1_')}`, 'number');
}
const formatBigInt = (style, value, separator) => {
  const text = String(value);
  return style(`${separator ? text.replace(/\B(?=(\d{3})+$)/g, '_') : text}n`, 'bigint');
};

function formatPrimitive(style, value, ctx) {
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > ctx.maxStringLength) {
        const remaining = value.length - ctx.maxStringLength;
        value = value.slice(0, ctx.maxStringLength);
        trailer = `... ${remaining} more character${remaining > 1 ? 's' : ''}`;
      }
      if (ctx.compact !== true && value.length > kMinLineWidth &&
          value.length > ctx.breakLength - ctx.indentationLvl - 4) {
        const separator = ` +\n${' '.repeat(ctx.indentationLvl + 2)}`;
        return value.split(/(?<=\n)/).map((line) => style(quote(line), 'string')).join(separator) + trailer;
      }
      return style(quote(value), 'string') + trailer;
    }
    case 'number': return formatNumber(style, value, ctx.numericSeparator);
    case 'bigint': return formatBigInt(style, value, ctx.numericSeparator);
    case 'boolean': return style(`${value}`, 'boolean');
    case 'undefined': return style('undefined', 'undefined');
    default: return style(Symbol.prototype.toString.call(value), 'symbol');
  }
}

function formatValue(ctx, value, depth, typedArray) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    return value === null ? ctx.stylize('null', 'null') : formatPrimitive(ctx.stylize, value, ctx);
  }
  const original = value;
  const proxy = native.proxyDetails(value);
  if (proxy !== undefined) {
    if (proxy[0] === null) return ctx.stylize('<Revoked Proxy>', 'special');
    if (ctx.showProxy) return formatProxy(ctx, proxy, depth);
    value = native.proxyTarget(value);
    if (value === null) return ctx.stylize('<Revoked Proxy>', 'special');
  }
  if (ctx.customInspect) {
    const method = value[custom];
    if (typeof method === 'function' && method !== inspect) {
      const { constructor } = value;
      if (constructor === undefined || constructor === null || constructor.prototype !== value) {
        const left = ctx.depth === null ? null : ctx.depth - depth;
        const result = method.call(original, left, userOptions(ctx), inspect);
        if (result !== original) {
          if (typeof result !== 'object' || result === null) return `${result}`;
          return formatValue(ctx, result, depth).replaceAll('\n', `\n${' '.repeat(ctx.indentationLvl)}`);
        }
      }
    }
  }
  if (ctx.seen.includes(value)) {
    ctx.circular ??= new Map();
    let index = ctx.circular.get(value);
    if (index === undefined) {
      index = ctx.circular.size + 1;
      ctx.circular.set(value, index);
    }
    return ctx.stylize(`[Circular *${index}]`, 'special');
  }
  return formatRaw(ctx, value, depth, typedArray);
}

function userOptions(ctx) {
  const options = { ...ctx.user };
  for (const key of Object.keys(defaults)) options[key] = ctx[key];
  options.stylize = (text, style) => `${ctx.stylize(`${text}`, style)}`;
  return options;
}

function constructorName(object, ctx, depth, own) {
  const start = object;
  let firstProto;
  while (object) {
    const desc = Object.getOwnPropertyDescriptor(object, 'constructor');
    if (desc !== undefined && typeof desc.value === 'function' && desc.value.name !== '' && isInstance(start, desc.value)) {
      if (own !== undefined && (firstProto !== object || !builtIn(desc.value))) {
        protoProperties(ctx, start, firstProto || start, depth, own);
      }
      return String(desc.value.name);
    }
    object = Object.getPrototypeOf(object);
    if (firstProto === undefined) firstProto = object;
  }
  if (firstProto === null) return null;
  const name = className(start);
  if (depth > ctx.depth && ctx.depth !== null) return `${name} <Complex prototype>`;
  const parent = constructorName(firstProto, ctx, depth + 1);
  if (parent === null) return `${name} <${inspect(firstProto, { ...ctx.user, customInspect: false, depth: -1 })}>`;
  return `${name} <${parent}>`;
}
const isInstance = (object, constructor) => {
  try {
    return object instanceof constructor;
  } catch {
    return false;
  }
};
const builtIn = (constructor) => native.isNative(constructor);
const className = (value) => {
  if (typeof value === 'function') return 'Function';
  if (Array.isArray(value)) return 'Array';
  if (native.isError(value)) return 'Error';
  return 'Object';
};

// With showHidden, accessors of a class's prototype are listed too.
function protoProperties(ctx, main, object, depth, output) {
  let level = 0;
  const seen = new Set(Reflect.ownKeys(main));
  do {
    if (level !== 0 || main === object) {
      object = Object.getPrototypeOf(object);
      if (object === null) return;
      const desc = Object.getOwnPropertyDescriptor(object, 'constructor');
      if (desc !== undefined && typeof desc.value === 'function' && builtIn(desc.value)) return;
    }
    for (const key of Reflect.ownKeys(object)) {
      if (key === 'constructor' || seen.has(key)) continue;
      seen.add(key);
      const desc = Object.getOwnPropertyDescriptor(object, key);
      if (typeof desc.value === 'function') continue;
      const text = formatProperty(ctx, object, depth, key, kObject, desc, main);
      output.push(ctx.colors ? `\u001b[2m${text}\u001b[22m` : text);
    }
  } while (++level !== 3);
}

function prefixOf(constructor, tag, fallback, size = '') {
  if (constructor === null) {
    if (tag !== '' && fallback !== tag) return `[${fallback}${size}: null prototype] [${tag}] `;
    return `[${fallback}${size}: null prototype] `;
  }
  // `WebAssembly.Memory` says more than `Memory`, and the same.
  if (tag.endsWith(`.${constructor}`) && !tag.startsWith('.')) return `${tag}${size} `;
  if (tag !== '' && constructor !== tag) return `${constructor}${size} [${tag}] `;
  return `${constructor}${size} `;
}

function ownKeys(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  if (showHidden) return [...Object.getOwnPropertyNames(value), ...symbols];
  let keys;
  try {
    keys = Object.keys(value);
  } catch {
    keys = Object.getOwnPropertyNames(value);
  }
  for (const symbol of symbols) if (isEnumerable(value, symbol)) keys.push(symbol);
  return keys;
}
const isIndex = (key) => typeof key === 'string' && /^(0|[1-9][0-9]{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
function nonIndexKeys(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  let keys;
  if (!showHidden && isTypedArray(value)) keys = native.nonIndexKeys(value);
  else keys = (showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value)).filter((key) => !isIndex(key));
  for (const symbol of symbols) if (showHidden || isEnumerable(value, symbol)) keys.push(symbol);
  return keys;
}

function formatRaw(ctx, value, depth, typedArray) {
  const protoProps = ctx.showHidden && (depth <= ctx.depth || ctx.depth === null) ? [] : undefined;
  const constructor = constructorName(value, ctx, depth, protoProps);
  const noProps = () => keys.length === 0 && (protoProps === undefined || protoProps.length === 0);
  let tag = value[Symbol.toStringTag];
  if (typeof tag !== 'string' || (tag !== '' &&
      (ctx.showHidden ? hasOwn : isEnumerable)(value, Symbol.toStringTag))) tag = '';
  let base = '';
  let formatter = () => [];
  let braces = ['{', '}'];
  let keys;
  let extras = kObject;
  const iterable = constructor === null || value[Symbol.iterator] !== undefined;
  if (Array.isArray(value)) {
    keys = nonIndexKeys(value, ctx.showHidden);
    const prefix = constructor !== 'Array' || tag !== '' ? prefixOf(constructor, tag, 'Array', `(${value.length})`) : '';
    braces = [`${prefix}[`, ']'];
    if (value.length === 0 && noProps()) return `${braces[0]}]`;
    extras = kArrayExtras;
    formatter = formatArray;
  } else if (iterable && brand.Set(value)) {
    keys = ownKeys(value, ctx.showHidden);
    const size = getter(Set.prototype, 'size').call(value);
    const prefix = prefixOf(constructor, tag, 'Set', `(${size})`);
    formatter = formatSet;
    if (size === 0 && noProps()) return `${prefix}{}`;
    braces = [`${prefix}{`, '}'];
  } else if (iterable && brand.Map(value)) {
    keys = ownKeys(value, ctx.showHidden);
    const size = getter(Map.prototype, 'size').call(value);
    const prefix = prefixOf(constructor, tag, 'Map', `(${size})`);
    formatter = formatMap;
    if (size === 0 && noProps()) return `${prefix}{}`;
    braces = [`${prefix}{`, '}'];
  } else if (iterable && isTypedArray(value)) {
    keys = nonIndexKeys(value, ctx.showHidden);
    const fallback = constructor === null ? typedArrayTag.call(value) : '';
    const size = getter(TypedArray.prototype, 'length').call(value);
    braces = [`${prefixOf(constructor, tag, fallback, `(${size})`)}[`, ']'];
    if (size === 0 && keys.length === 0 && !ctx.showHidden) return `${braces[0]}]`;
    formatter = (c, v, d) => formatTypedArray(c, v, size, d);
    extras = kArrayExtras;
  } else {
    keys = ownKeys(value, ctx.showHidden);
    if (typeof value === 'function') {
      base = functionBase(value, constructor, tag);
      if (noProps()) return ctx.stylize(base, 'special');
    } else if (isArguments(value)) {
      braces[0] = '[Arguments] {';
      if (noProps()) return `${braces[0]}}`;
    } else if (constructor === 'Object' && !native.isError(value) && Object.getPrototypeOf(value) === Object.prototype) {
      if (tag !== '') braces[0] = `${prefixOf(constructor, tag, 'Object')}{`;
      if (noProps()) return `${braces[0]}}`;
    } else if (brand.RegExp(value)) {
      base = RegExp.prototype.toString.call(constructor !== null ? value : new RegExp(value));
      const prefix = prefixOf(constructor, tag, 'RegExp');
      if (prefix !== 'RegExp ') base = `${prefix}${base}`;
      if (noProps() || (depth > ctx.depth && ctx.depth !== null)) return ctx.stylize(base, 'regexp');
    } else if (brand.Date(value)) {
      const invalid = Number.isNaN(Date.prototype.getTime.call(value));
      base = (invalid ? Date.prototype.toString : Date.prototype.toISOString).call(value);
      const prefix = prefixOf(constructor, tag, 'Date');
      if (prefix !== 'Date ') base = `${prefix}${base}`;
      if (noProps()) return ctx.stylize(base, 'date');
    } else if (native.isError(value) || value instanceof Error) {
      base = formatError(value, constructor, tag, ctx, keys);
      if (noProps()) return base;
    } else if (brand.ArrayBuffer(value) || brand.SharedArrayBuffer(value)) {
      const prefix = prefixOf(constructor, tag, brand.ArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer');
      if (typedArray === undefined) formatter = formatArrayBuffer;
      else if (noProps()) return `${prefix}{ byteLength: ${formatNumber(ctx.stylize, value.byteLength, false)} }`;
      braces[0] = `${prefix}{`;
      keys.unshift('byteLength');
    } else if (isDataView(value)) {
      braces[0] = `${prefixOf(constructor, tag, 'DataView')}{`;
      keys.unshift('byteLength', 'byteOffset', 'buffer');
    } else if (native.promiseState(value) !== undefined) {
      braces[0] = `${prefixOf(constructor, tag, 'Promise')}{`;
      formatter = formatPromise;
    } else if (brand.WeakSet(value)) {
      braces[0] = `${prefixOf(constructor, tag, 'WeakSet')}{`;
      formatter = formatWeak;
    } else if (brand.WeakMap(value)) {
      braces[0] = `${prefixOf(constructor, tag, 'WeakMap')}{`;
      formatter = formatWeak;
    } else if (brand.WeakRef(value)) {
      braces[0] = `${prefixOf(constructor, tag, 'WeakRef')}{`;
      formatter = formatWeakRef;
    } else if (isNamespace(value)) {
      braces[0] = `${prefixOf(constructor, tag, 'Module')}{`;
      const names = keys;
      keys = [];
      formatter = (c, v, d) => formatNamespace(c, v, d, names);
    } else {
      const type = ['Number', 'String', 'Boolean', 'BigInt', 'Symbol'].find((name) => brand[name](value));
      if (type !== undefined) {
        if (type === 'String') keys = keys.filter((key) => !isIndex(key) && (key !== 'length' || ctx.showHidden));
        base = boxedBase(value, type, ctx, keys, constructor, tag);
        if (noProps()) return base;
      } else {
        const prefix = constructor === 'Object' && tag === '' ? '' : prefixOf(constructor, tag, 'Object');
        if (noProps()) return `${prefix}{}`;
        braces[0] = `${prefix}{`;
      }
    }
  }
  if (depth > ctx.depth && ctx.depth !== null) {
    const name = prefixOf(constructor, tag, Array.isArray(value) ? 'Array' : 'Object').slice(0, -1);
    return ctx.stylize(`[${name}]`, 'special');
  }
  depth += 1;
  ctx.seen.push(value);
  ctx.currentDepth = depth;
  const output = formatter(ctx, value, depth);
  for (const key of keys) output.push(formatProperty(ctx, value, depth, key, extras));
  if (protoProps !== undefined) output.push(...protoProps);
  ctx.seen.pop();
  if (ctx.circular !== undefined) {
    const index = ctx.circular.get(value);
    if (index !== undefined) {
      const reference = ctx.stylize(`<ref *${index}>`, 'special');
      if (ctx.compact !== true) base = base === '' ? reference : `${reference} ${base}`;
      else braces[0] = `${reference} ${braces[0]}`;
    }
  }
  if (ctx.sorted) {
    const compare = ctx.sorted === true ? undefined : ctx.sorted;
    if (extras === kObject) output.sort(compare);
    else if (keys.length > 1) output.push(...output.splice(output.length - keys.length).sort(compare));
  }
  const text = layOut(ctx, output, base, braces, extras, depth, value);
  const total = (ctx.budget[ctx.indentationLvl] || 0) + text.length;
  ctx.budget[ctx.indentationLvl] = total;
  // Something this big is cut short rather than eat all memory.
  if (total > 2 ** 27) ctx.depth = -1;
  return text;
}

function functionBase(value, constructor, tag) {
  const source = Function.prototype.toString.call(value);
  if (source.startsWith('class') && source.endsWith('}') && /^class[\s{]/.test(source)) {
    return classBase(value, constructor, tag);
  }
  const type = functionType(value);
  let base = `[${type}`;
  if (constructor === null) base += ' (null prototype)';
  base += value.name === '' ? ' (anonymous)' : `: ${typeof value.name === 'string' ? value.name : inspect(value.name)}`;
  base += ']';
  if (constructor !== type && constructor !== null) base += ` ${constructor}`;
  if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
  return base;
}
function classBase(value, constructor, tag) {
  const name = (hasOwn(value, 'name') && value.name) || '(anonymous)';
  let base = `class ${name}`;
  if (constructor !== 'Function' && constructor !== null) base += ` [${constructor}]`;
  if (tag !== '' && constructor !== tag) base += ` [${tag}]`;
  if (constructor !== null) {
    const parent = Object.getPrototypeOf(value).name;
    if (parent) base += ` extends ${parent}`;
  } else {
    base += ' extends [null prototype]';
  }
  return `[${base}]`;
}
function boxedBase(value, type, ctx, keys, constructor, tag) {
  const primitive = globalThis[type].prototype.valueOf.call(value);
  let base = `[${type}`;
  if (type !== constructor) base += constructor === null ? ' (null prototype)' : ` (${constructor})`;
  base += `: ${formatPrimitive(plain, primitive, ctx)}]`;
  if (tag !== '' && tag !== constructor) base += ` [${tag}]`;
  return keys.length !== 0 ? base : ctx.stylize(base, type.toLowerCase());
}

function formatError(error, constructor, tag, ctx, keys) {
  const name = error.name != null ? `${error.name}` : 'Error';
  let stack;
  try {
    stack = error.stack ? String(error.stack) : Error.prototype.toString.call(error);
  } catch {
    stack = Object.prototype.toString.call(error);
  }
  if (!ctx.showHidden && keys.length !== 0) {
    for (const key of ['name', 'message', 'stack']) {
      const index = keys.indexOf(key);
      if (index !== -1 && (typeof error[key] !== 'string' || stack.includes(error[key]))) keys.splice(index, 1);
    }
  }
  if ('cause' in error && !keys.includes('cause')) keys.push('cause');
  if (hasOwn(error, 'errors') && Array.isArray(error.errors) && !keys.includes('errors')) keys.push('errors');
  stack = improveStack(stack, constructor, name, tag);
  let at = (error.message && stack.indexOf(error.message)) || -1;
  if (at !== -1) at += error.message.length;
  const frames = stack.indexOf('\n    at', at);
  if (frames === -1) {
    stack = `[${stack}]`;
  } else if (ctx.colors) {
    const lines = stack.slice(frames + 1).split('\n');
    stack = stack.slice(0, frames);
    for (const line of lines) stack += `\n${/[( ]node:/.test(line) ? `\u001b[90m${line}\u001b[39m` : line}`;
  }
  if (ctx.indentationLvl !== 0) stack = stack.replaceAll('\n', `\n${' '.repeat(ctx.indentationLvl)}`);
  return stack;
}
function improveStack(stack, constructor, name, tag) {
  let length = name.length;
  if (constructor === null || (name.endsWith('Error') && stack.startsWith(name) &&
      (stack.length === length || stack[length] === ':' || stack[length] === '\n'))) {
    let fallback = 'Error';
    if (constructor === null) {
      const start = /^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/.exec(stack) || /^([a-z_A-Z0-9-]*Error)$/.exec(stack);
      fallback = (start && start[1]) || '';
      length = fallback.length;
      fallback ||= 'Error';
    }
    const prefix = prefixOf(constructor, tag, fallback).slice(0, -1);
    if (name !== prefix) {
      if (prefix.includes(name)) stack = length === 0 ? `${prefix}: ${stack}` : `${prefix}${stack.slice(length)}`;
      else stack = `${prefix} [${name}]${stack.slice(length)}`;
    }
  }
  return stack;
}

const more = (count, what) => `... ${count} more ${what}${count > 1 ? 's' : ''}`;
const limitOf = (ctx, length) => Math.min(Math.max(0, ctx.maxArrayLength), length);

function formatArray(ctx, value, depth) {
  const length = limitOf(ctx, value.length);
  const output = [];
  for (let i = 0; i < length; i++) {
    if (!hasOwn(value, i)) return formatHoles(ctx, value, depth, length, output, i);
    output.push(formatProperty(ctx, value, depth, i, kArray));
  }
  if (value.length > length) output.push(more(value.length - length, 'item'));
  return output;
}
function formatHoles(ctx, value, depth, max, output, i) {
  const keys = Object.keys(value);
  let index = i;
  for (; i < keys.length && output.length < max; i++) {
    const key = keys[i];
    if (`${index}` !== key) {
      if (!isIndex(key)) break;
      const empty = key - index;
      output.push(ctx.stylize(`<${empty} empty item${empty > 1 ? 's' : ''}>`, 'undefined'));
      index = Number(key);
      if (output.length === max) break;
    }
    output.push(formatProperty(ctx, value, depth, key, kArray));
    index++;
  }
  const remaining = value.length - index;
  if (remaining > 0) {
    output.push(output.length !== max
      ? ctx.stylize(`<${remaining} empty item${remaining > 1 ? 's' : ''}>`, 'undefined')
      : more(remaining, 'item'));
  }
  return output;
}
function formatTypedArray(ctx, value, length, depth) {
  const max = limitOf(ctx, length);
  const format = length > 0 && typeof value[0] === 'number' ? formatNumber : formatBigInt;
  const output = new Array(max);
  for (let i = 0; i < max; i++) output[i] = format(ctx.stylize, value[i], ctx.numericSeparator);
  if (length > max) output.push(more(length - max, 'item'));
  if (ctx.showHidden) {
    ctx.indentationLvl += 2;
    for (const key of ['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer']) {
      output.push(`[${key}]: ${formatValue(ctx, value[key], depth, true)}`);
    }
    ctx.indentationLvl -= 2;
  }
  return output;
}
function formatSet(ctx, value, depth) {
  const output = [];
  const size = getter(Set.prototype, 'size').call(value);
  const max = limitOf(ctx, size);
  ctx.indentationLvl += 2;
  for (const item of Set.prototype.values.call(value)) {
    if (output.length >= max) break;
    output.push(formatValue(ctx, item, depth));
  }
  if (size > max) output.push(more(size - max, 'item'));
  ctx.indentationLvl -= 2;
  return output;
}
function formatMap(ctx, value, depth) {
  const output = [];
  const size = getter(Map.prototype, 'size').call(value);
  const max = limitOf(ctx, size);
  ctx.indentationLvl += 2;
  for (const [key, item] of Map.prototype.entries.call(value)) {
    if (output.length >= max) break;
    output.push(`${formatValue(ctx, key, depth)} => ${formatValue(ctx, item, depth)}`);
  }
  if (size > max) output.push(more(size - max, 'item'));
  ctx.indentationLvl -= 2;
  return output;
}
function formatArrayBuffer(ctx, value) {
  let bytes;
  try {
    bytes = new Uint8Array(value);
    if (value.detached) throw bytes;
  } catch {
    return [ctx.stylize('(detached)', 'special')];
  }
  const max = limitOf(ctx, bytes.length);
  let text = '';
  for (let i = 0; i < max; i++) text += `${i === 0 ? '' : ' '}${bytes[i].toString(16).padStart(2, '0')}`;
  if (bytes.length > max) text += ` ${more(bytes.length - max, 'byte')}`;
  return [`${ctx.stylize('[Uint8Contents]', 'special')}: <${text}>`];
}
function formatPromise(ctx, value, depth) {
  const [state, result] = native.promiseState(value);
  if (state === 'pending') return [ctx.stylize('<pending>', 'special')];
  ctx.indentationLvl += 2;
  const text = formatValue(ctx, result, depth);
  ctx.indentationLvl -= 2;
  return [state === 'rejected' ? `${ctx.stylize('<rejected>', 'special')} ${text}` : text];
}
const formatWeak = (ctx) => [ctx.stylize('<items unknown>', 'special')];
function formatWeakRef(ctx, value, depth) {
  const target = WeakRef.prototype.deref.call(value);
  if (target === undefined) return [ctx.stylize('<cleared>', 'special')];
  ctx.indentationLvl += 2;
  const text = formatValue(ctx, target, depth);
  ctx.indentationLvl -= 2;
  return [text];
}
function formatNamespace(ctx, value, depth, keys) {
  const output = [];
  for (const key of keys) {
    try {
      output.push(formatProperty(ctx, value, depth, key, kObject));
    } catch {
      const desc = { value: '', enumerable: true };
      const line = formatProperty(ctx, value, depth, key, kObject, desc);
      output.push(`${line.slice(0, line.lastIndexOf(' ') + 1)}${ctx.stylize('<uninitialized>', 'special')}`);
    }
  }
  return output;
}
function formatProxy(ctx, details, depth) {
  if (depth > ctx.depth && ctx.depth !== null) return ctx.stylize('Proxy [Array]', 'special');
  depth += 1;
  ctx.indentationLvl += 2;
  const output = [formatValue(ctx, details[0], depth), formatValue(ctx, details[1], depth)];
  ctx.indentationLvl -= 2;
  return layOut(ctx, output, '', ['Proxy [', ']'], kArrayExtras, depth);
}

function formatProperty(ctx, value, depth, key, type, desc, original = value) {
  desc ??= Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: true };
  const style = ctx.stylize;
  let text;
  let space = ' ';
  if (desc.value !== undefined) {
    const indent = ctx.compact !== true || type !== kObject ? 2 : 3;
    ctx.indentationLvl += indent;
    text = formatValue(ctx, desc.value, depth);
    if (indent === 3 && ctx.breakLength < width(ctx, text)) space = `\n${' '.repeat(ctx.indentationLvl)}`;
    ctx.indentationLvl -= indent;
  } else if (desc.get !== undefined) {
    const label = desc.set !== undefined ? 'Getter/Setter' : 'Getter';
    if (ctx.getters && (ctx.getters === true || (ctx.getters === 'get') === (desc.set === undefined))) {
      try {
        const result = desc.get.call(original);
        ctx.indentationLvl += 2;
        if (result === null) text = `${style(`[${label}:`, 'special')} ${style('null', 'null')}${style(']', 'special')}`;
        else if (typeof result === 'object') text = `${style(`[${label}]`, 'special')} ${formatValue(ctx, result, depth)}`;
        else text = `${style(`[${label}:`, 'special')} ${formatPrimitive(style, result, ctx)}${style(']', 'special')}`;
        ctx.indentationLvl -= 2;
      } catch (error) {
        text = `${style(`[${label}:`, 'special')} <Inspection threw (${error.message})>${style(']', 'special')}`;
      }
    } else {
      text = style(`[${label}]`, 'special');
    }
  } else if (desc.set !== undefined) {
    text = style('[Setter]', 'special');
  } else {
    text = style('undefined', 'undefined');
  }
  if (type === kArray) return text;
  let name;
  if (typeof key === 'symbol') {
    name = `[${style(Symbol.prototype.toString.call(key).replace(needsEscapeNoQuote, escapeOne), 'symbol')}]`;
  } else if (key === '__proto__') {
    name = "['__proto__']";
  } else if (desc.enumerable === false) {
    name = `[${key.replace(needsEscapeNoQuote, escapeOne)}]`;
  } else if (/^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key)) {
    name = style(key, 'name');
  } else {
    name = style(quote(key), 'string');
  }
  return `${name}:${space}${text}`;
}

// Many short array entries go into columns.
function columns(ctx, output, value) {
  let total = 0;
  let longest = 0;
  let count = output.length;
  if (ctx.maxArrayLength < output.length) count--;
  const lengths = new Array(count);
  for (let i = 0; i < count; i++) {
    lengths[i] = width(ctx, output[i]);
    total += lengths[i] + 2;
    if (longest < lengths[i]) longest = lengths[i];
  }
  const cell = longest + 2;
  if (!(cell * 3 + ctx.indentationLvl < ctx.breakLength && (total / cell > 5 || longest <= 6))) return output;
  const biased = Math.max(cell - 3 - Math.sqrt(cell - total / output.length), 1);
  const number = Math.min(Math.round(Math.sqrt(2.5 * biased * count) / biased),
    Math.floor((ctx.breakLength - ctx.indentationLvl) / cell), ctx.compact * 4, 15);
  if (number <= 1) return output;
  const widths = [];
  for (let i = 0; i < number; i++) {
    let max = 0;
    for (let j = i; j < count; j += number) if (lengths[j] > max) max = lengths[j];
    widths.push(max + 2);
  }
  let padStart = true;
  if (value !== undefined) {
    for (let i = 0; i < output.length; i++) {
      if (typeof value[i] !== 'number' && typeof value[i] !== 'bigint') {
        padStart = false;
        break;
      }
    }
  }
  const lines = [];
  for (let i = 0; i < count; i += number) {
    const end = Math.min(i + number, count);
    let line = '';
    let j = i;
    for (; j < end - 1; j++) {
      const pad = widths[j - i] + output[j].length - lengths[j];
      line += padStart ? `${output[j]}, `.padStart(pad) : `${output[j]}, `.padEnd(pad);
    }
    line += padStart ? output[j].padStart(widths[j - i] + output[j].length - lengths[j] - 2) : output[j];
    lines.push(line);
  }
  if (ctx.maxArrayLength < output.length) lines.push(output[count]);
  return lines;
}

function fits(ctx, output, start, base) {
  let total = output.length + start;
  if (total + output.length > ctx.breakLength) return false;
  for (const text of output) {
    total += width(ctx, text);
    if (total > ctx.breakLength) return false;
  }
  return base === '' || !base.includes('\n');
}

// On one line where it fits and is not nested too deeply, else one entry a line.
function layOut(ctx, output, base, braces, extras, depth, value) {
  const head = `${base ? `${base} ` : ''}${braces[0]}`;
  if (ctx.compact !== true) {
    if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
      const entries = output.length;
      if (extras === kArrayExtras && entries > 6) output = columns(ctx, output, value);
      if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indentationLvl + braces[0].length + base.length + 10;
        if (fits(ctx, output, start, base)) {
          const joined = output.join(', ');
          if (!joined.includes('\n')) return `${head} ${joined} ${braces[1]}`;
        }
      }
    }
    const indent = `\n${' '.repeat(ctx.indentationLvl)}`;
    return `${head}${indent}  ${output.join(`,${indent}  `)}${indent}${braces[1]}`;
  }
  if (fits(ctx, output, 0, base)) return `${braces[0]}${base ? ` ${base}` : ''} ${output.join(', ')} ${braces[1]}`;
  const indent = `\n${' '.repeat(ctx.indentationLvl)}`;
  const line = base === '' && braces[0].length === 1 ? ' ' : `${base ? ` ${base}` : ''}\n${indent.slice(1)}  `;
  return `${braces[0]}${line}${output.join(`,${indent}  `)} ${braces[1]}`;
}

function inspect(value, options, ...legacy) {
  const ctx = { budget: {}, indentationLvl: 0, seen: [], currentDepth: 0, stylize: plain, circular: undefined, ...defaults };
  ctx.user = {};
  if (typeof options === 'boolean') {
    ctx.showHidden = options;
    if (legacy[0] !== undefined) ctx.depth = legacy[0];
    if (legacy[1] !== undefined) ctx.colors = legacy[1];
  } else if (options) {
    for (const key of Object.keys(options)) {
      if (hasOwn(defaults, key) || key === 'stylize') ctx[key] = options[key];
      else ctx.user[key] = options[key];
    }
  }
  if (ctx.colors && ctx.stylize === plain) ctx.stylize = colored;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return formatValue(ctx, value, 0);
}
inspect.custom = custom;
inspect.defaultOptions = defaults;
inspect.colors = colors;
inspect.styles = styles;

const hasBuiltInToString = (value) => {
  const target = native.proxyTarget(value);
  if (target !== undefined) return target === null || hasBuiltInToString(target);
  if (native.isError(value)) return true;
  const own = (key) => hasOwn(value, key);
  if (own('toString') || (Symbol.toPrimitive in value && !(value instanceof Date))) return false;
  let pointer = value;
  do {
    pointer = Object.getPrototypeOf(pointer);
  } while (pointer !== null && !hasOwn(pointer, 'toString'));
  if (pointer === null) return true;
  const desc = Object.getOwnPropertyDescriptor(pointer, 'constructor');
  return desc !== undefined && typeof desc.value === 'function' && builtIn(desc.value);
};
const stringify = (value) => {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error.message.includes('circular')) return '[Circular]';
    throw error;
  }
};
const directive = (code, arg, options) => {
  switch (code) {
    case 's':
      if (typeof arg === 'number') return formatNumber(plain, arg, false);
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, false);
      if ((typeof arg !== 'object' && typeof arg !== 'function') || arg === null) return String(arg);
      if (typeof arg === 'function' || !hasBuiltInToString(arg)) return String(arg);
      return inspect(arg, { ...options, depth: 0, colors: false, compact: 3 });
    case 'j': return stringify(arg);
    case 'd':
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, false);
      return formatNumber(plain, typeof arg === 'symbol' ? NaN : Number(arg), false);
    case 'i':
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, false);
      return formatNumber(plain, typeof arg === 'symbol' ? NaN : parseInt(arg), false);
    case 'f': return formatNumber(plain, typeof arg === 'symbol' ? NaN : parseFloat(arg), false);
    case 'O': return inspect(arg, options);
    case 'o': return inspect(arg, { ...options, showHidden: true, showProxy: true, depth: 4 });
    case 'c': return '';
    default: return undefined;
  }
};

function formatWithOptions(options, ...args) {
  const first = args[0];
  let used = 0;
  let text = '';
  let separator = '';
  if (typeof first === 'string') {
    if (args.length === 1) return first;
    let last = 0;
    for (let i = 0; i < first.length - 1; i++) {
      if (first[i] !== '%') continue;
      const code = first[++i];
      if (code === '%') {
        text += first.slice(last, i);
        last = i + 1;
      } else if (used + 1 !== args.length) {
        if (!'sjdiOofc'.includes(code)) continue;
        const part = directive(code, args[++used], options);
        text += first.slice(last, i - 1) + part;
        last = i + 1;
      }
    }
    if (last !== 0) {
      used++;
      separator = ' ';
      if (last < first.length) text += first.slice(last);
    }
  }
  for (; used < args.length; used++) {
    const value = args[used];
    text += separator + (typeof value !== 'string' ? inspect(value, options) : value);
    separator = ' ';
  }
  return text;
}

Object.assign(exports, {
  inspect, formatWithOptions, format: (...args) => formatWithOptions(undefined, ...args), custom, brand, isTypedArray,
  isDataView, isArguments, isNamespace, functionType, isProxy: (value) => native.proxyTarget(value) !== undefined,
  isPromise: (value) => native.promiseState(value) !== undefined, isError: (value) => native.isError(value), stripAnsi: (t) => t.replace(ansi, ''),
});
