// util.inspect and util.format: any value as text, laid out the way Node lays it out.
// Loaded at the first console call whose arguments are not all plain strings and numbers.
/**
 * What Rust provides.
 * @type {{
 *   isError(value: unknown): boolean,
 *   proxyDetails(value: unknown): [object | null, object | null] | undefined,
 *   proxyTarget(value: unknown): object | null | undefined,
 *   promiseState(value: unknown): [string, unknown] | undefined,
 *   isNative(value: Function): boolean,
 *   areAlike(one: Function, other: Function): boolean,
 *   nonIndexKeys(value: object): (string | symbol)[],
 * }}
 */
const native = rust;

const kObject = 0, kArray = 1, kArrayExtras = 2;
const kMinLineWidth = 16;
const custom = $.symbolFor('nodejs.util.inspect.custom');
const hasOwn = Object.hasOwn;
const { isEnumerable } = $;

const defaults = {
  __proto__: null,
  showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100,
  maxStringLength: 10000, breakLength: 80, compact: 3, sorted: false, getters: false, numericSeparator: false,
};

const styles = {
  __proto__: null,
  special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold',
  string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline',
};
const colors = { __proto__: null };
// Names in the order of their codes, which end with the number behind them.
for (const { 0: names, 1: start, 2: end } of $.each(/** @type {[string, number, number][]} */ ([
  ['reset', 0, 0], ['bold dim', 1, 22], ['italic', 3, 23], ['underline', 4, 24], ['blink', 5, 25], ['inverse', 7, 27],
  ['hidden', 8, 28], ['strikethrough', 9, 29], ['doubleunderline', 21, 24],
  ['black red green yellow blue magenta cyan white', 30, 39],
  ['bgBlack bgRed bgGreen bgYellow bgBlue bgMagenta bgCyan bgWhite', 40, 49],
  ['framed', 51, 54], ['overlined', 53, 55],
  ['gray redBright greenBright yellowBright blueBright magentaBright cyanBright whiteBright', 90, 39],
  ['bgGray bgRedBright bgGreenBright bgYellowBright bgBlueBright bgMagentaBright bgCyanBright bgWhiteBright', 100, 49],
]))) $.forEach($.split(names, ' '), (name, i) => { colors[name] = [start + i, end]; });
for (const { 0: target, 1: aliases } of $.each([
  ['gray', 'grey blackBright'], ['bgGray', 'bgGrey bgBlackBright'], ['dim', 'faint'],
  ['strikethrough', 'crossedout strikeThrough crossedOut'], ['hidden', 'conceal'], ['inverse', 'swapColors swapcolors'],
  ['doubleunderline', 'doubleUnderline'],
])) {
  for (const alias of $.each($.split(aliases, ' '))) {
    Object.defineProperty(colors, alias, {
      configurable: true,
      get: () => colors[target],
      set(value) {
        colors[target] = value;
      },
    });
  }
}
const plain = (text) => text;
const colored = (text, style) => {
  const color = colors[styles[style]];
  return color === undefined ? text : $.text`\u001b[${color[0]}m${text}\u001b[${color[1]}m`;
};
const ansi = $.regex(/\u001b\[\d\d?m/g);
const width = (ctx, text) => (ctx.colors ? $.replace(text, ansi, '').length : text.length);

// Brands. A prototype test comes first: a failing brand check throws, which is slow. (What is no Object may be one of
// another context.)
const method = (name, key) => $.uncurried($.pristine[$.text`${name}.prototype`][key]);
const getterOf = (name, key) =>
  $.uncurried(Object.getOwnPropertyDescriptor($.pristine[$.text`${name}.prototype`], key).get);
const sizeOf = { __proto__: null, Map: getterOf('Map', 'size'), Set: getterOf('Set', 'size') };
const sourceOf = getterOf('RegExp', 'source');
const flags = $.map(
  [['d', 'hasIndices'], ['g', 'global'], ['i', 'ignoreCase'], ['m', 'multiline'], ['s', 'dotAll'], ['u', 'unicode'],
    ['v', 'unicodeSets'], ['y', 'sticky']], ({ 0: flag, 1: name }) => ({ flag, isSet: getterOf('RegExp', name) }));
const flagsOf = (value) => $.reduce(flags, (text, { flag, isSet }) => (isSet(value) ? text + flag : text), '');
const errorText = method('Error', 'toString');
const deref = method('WeakRef', 'deref');
const holds = (check) => (value) => {
  try {
    check(value);
    return true;
  } catch {
    return false;
  }
};
const brand = { __proto__: null };
const key = {};
/** @type {[string, (value: any) => unknown][]} */
const checks = [
  ['Map', sizeOf.Map], ['Set', sizeOf.Set],
  ['WeakMap', (v) => method('WeakMap', 'has')(v, key)], ['WeakSet', (v) => method('WeakSet', 'has')(v, key)],
  ['WeakRef', deref], ['Date', $.getTime], ['RegExp', getterOf('RegExp', 'source')],
  ['ArrayBuffer', method('ArrayBuffer', 'byteLength')],
  ['SharedArrayBuffer', method('SharedArrayBuffer', 'byteLength')],
  ['Number', method('Number', 'valueOf')], ['String', method('String', 'valueOf')],
  ['Boolean', method('Boolean', 'valueOf')], ['Symbol', method('Symbol', 'valueOf')],
  ['BigInt', method('BigInt', 'valueOf')],
];
for (const { 0: name, 1: check } of $.each(checks)) {
  const constructor = $.real[name];
  const isOne = holds(check);
  const proto = constructor.prototype;
  brand[name] = (value) =>
    value !== proto && (value instanceof constructor || !(value instanceof $.real.Object)) && isOne(value);
}
const isTypedArray = (value) => $.tagOf(value) !== undefined;
const isDataView = (value) => $.isView(value) && !isTypedArray(value);
const isArguments = (value) =>
  !(Symbol.toStringTag in value) && $.textOf(value) === '[object Arguments]';
const isNamespace = (value) => {
  const desc = Object.getOwnPropertyDescriptor(value, Symbol.toStringTag);
  return desc !== undefined && desc.value === 'Module' && !desc.writable && Object.getPrototypeOf(value) === null;
};
const GeneratorFunction = Object.getPrototypeOf(function* () {});
const AsyncFunction = Object.getPrototypeOf(async function () {});
const AsyncGeneratorFunction = Object.getPrototypeOf(async function* () {});
const functionType = (value) => {
  if ($.isPrototypeOf(GeneratorFunction, value)) return 'GeneratorFunction';
  if ($.isPrototypeOf(AsyncFunction, value)) return 'AsyncFunction';
  if ($.isPrototypeOf(AsyncGeneratorFunction, value)) return 'AsyncGeneratorFunction';
  return 'Function';
};

const escapes = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 39: "\\'", 92: '\\\\' };
const needsEscape =
  $.regex(/[\u0000-\u001f'\\\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/);
const needsEscapeAll = $.regex(new RegExp(needsEscape.source, 'g'));
const needsEscapeNoQuote = $.regex(new RegExp($.replace(needsEscape.source, "'", ''), 'g'));
const escapeOne = (char) => {
  const code = $.charCodeAt(char, 0);
  if (escapes[code] !== undefined) return escapes[code];
  if (code > 0xff) return $.text`\\u${$.toString(code, 16)}`;
  return $.text`\\x${$.padStart($.toUpperCase($.toString(code, 16)), 2, '0')}`;
};
function quote(text) {
  let mark = "'";
  let pattern = needsEscapeAll;
  if ($.includes(text, "'")) {
    if (!$.includes(text, '"')) mark = '"';
    else if (!$.includes(text, '`') && !$.includes(text, '${')) mark = '`';
    if (mark !== "'") pattern = needsEscapeNoQuote;
  } else if (text.length < 5000 && !needsEscape.test(text)) {
    return $.text`'${text}'`;
  }
  return mark + $.replace(text, pattern, escapeOne) + mark;
}

function formatNumber(style, number, separator) {
  if (Object.is(number, -0)) return style('-0', 'number');
  const text = $.text`${number}`;
  if (!separator || !Number.isFinite(number) || $.includes(text, 'e')) return style(text, 'number');
  const { 0: integer, 1: fraction } = $.split(text, '.');
  const grouped = $.replace(integer, $.regex(/\B(?=(\d{3})+$)/g), '_');
  if (fraction === undefined) return style(grouped, 'number');
  return style($.text`${grouped}.${$.replace(fraction, $.regex(/(\d{3})(?=\d)/g), '$1_')}`, 'number');
}
const formatBigInt = (style, value, separator) => {
  const text = String(value);
  return style($.text`${separator ? $.replace(text, $.regex(/\B(?=(\d{3})+$)/g), '_') : text}n`, 'bigint');
};

// Each line keeps the line break at its end.
const linesOf = (text) => {
  const lines = [];
  for (let start = 0; start < text.length;) {
    const end = $.indexOf(text, '\n', start) + 1 || text.length;
    $.push(lines, $.slice(text, start, end));
    start = end;
  }
  return lines;
};
function formatPrimitive(style, value, ctx) {
  switch (typeof value) {
    case 'string': {
      let trailer = '';
      if (value.length > ctx.maxStringLength) {
        const remaining = value.length - ctx.maxStringLength;
        value = $.slice(value, 0, ctx.maxStringLength);
        trailer = $.text`... ${remaining} more character${remaining > 1 ? 's' : ''}`;
      }
      if (ctx.compact !== true && value.length > kMinLineWidth &&
          value.length > ctx.breakLength - ctx.indentationLvl - 4) {
        const separator = $.text` +\n${$.repeat(' ', ctx.indentationLvl + 2)}`;
        return $.join($.map(linesOf(value), (line) => style(quote(line), 'string')), separator) + trailer;
      }
      return style(quote(value), 'string') + trailer;
    }
    case 'number': return formatNumber(style, value, ctx.numericSeparator);
    case 'bigint': return formatBigInt(style, value, ctx.numericSeparator);
    case 'boolean': return style($.text`${value}`, 'boolean');
    case 'undefined': return style('undefined', 'undefined');
    default: return style($.symbolText(value), 'symbol');
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
    // A function that the target has for this is called on the proxy; otherwise the proxy is marked as one.
    const method = ctx.customInspect ? value[custom] : undefined;
    if (typeof method !== 'function' || method === inspect) {
      const text = formatValue(ctx, proxy[0], depth, typedArray);
      return $.text`${ctx.stylize('Proxy(', 'special')}${text}${ctx.stylize(')', 'special')}`;
    }
  }
  if (ctx.customInspect) {
    const method = value[custom];
    if (typeof method === 'function' && method !== inspect) {
      const { constructor } = value;
      if (constructor === undefined || constructor === null || constructor.prototype !== value) {
        const left = ctx.depth === null ? null : ctx.depth - depth;
        const result = Reflect.apply(method, original, [left, userOptions(ctx), inspect]);
        if (result !== original) {
          if (typeof result !== 'object' || result === null) return $.text`${result}`;
          return $.replaceAll(formatValue(ctx, result, depth), '\n', $.text`\n${$.repeat(' ', ctx.indentationLvl)}`);
        }
      }
    }
  }
  if ($.includes(ctx.seen, value)) {
    ctx.circular ??= new Map();
    let index = ctx.circular.get(value);
    if (index === undefined) {
      index = ctx.circular.size + 1;
      ctx.circular.set(value, index);
    }
    return ctx.stylize($.text`[Circular *${index}]`, 'special');
  }
  return formatRaw(ctx, value, depth, typedArray);
}

function userOptions(ctx) {
  const options = { __proto__: null, stylize: (text, style) => $.text`${ctx.stylize($.text`${text}`, style)}` };
  for (const key of $.each(Object.keys(defaults))) options[key] = ctx[key];
  return { ...ctx.user, ...options };
}

function constructorName(object, ctx, depth, own) {
  const start = object;
  let firstProto;
  while (object) {
    const desc = Object.getOwnPropertyDescriptor(object, 'constructor');
    if (desc !== undefined && typeof desc.value === 'function' && desc.value.name !== '' &&
        isInstance(start, desc.value)) {
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
  if (depth > ctx.depth && ctx.depth !== null) return $.text`${name} <Complex prototype>`;
  const parent = constructorName(firstProto, ctx, depth + 1);
  if (parent === null) {
    return $.text`${name} <${inspect(firstProto, { ...ctx.user, customInspect: false, depth: -1 })}>`;
  }
  return $.text`${name} <${parent}>`;
}
const isInstance = (object, constructor) => {
  try {
    return object instanceof constructor;
  } catch {
    return false;
  }
};
// Functions that are written in JavaScript. (The platform's own are compiled beforehand and have no text.)
const isScripted = (value) => native.areAlike(value, functionType);
const builtIn = (constructor) => native.isNative(constructor) && !isScripted(constructor);
const isClass = (value) => {
  const source = $.functionText(value);
  if ($.startsWith(source, 'class') && $.endsWith(source, '}') && $.regex(/^class[\s{]/).test(source)) return true;
  return native.isNative(value) && isScripted(value) &&
    Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
};
const className = (value) => {
  if (typeof value === 'function') return 'Function';
  if ($.isArray(value)) return 'Array';
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
    for (const key of $.each(Reflect.ownKeys(object))) {
      if (key === 'constructor' || seen.has(key)) continue;
      seen.add(key);
      const desc = Object.getOwnPropertyDescriptor(object, key);
      if (typeof desc.value === 'function') continue;
      const text = formatProperty(ctx, object, depth, key, kObject, desc, main);
      $.push(output, ctx.colors ? $.text`\u001b[2m${text}\u001b[22m` : text);
    }
  } while (++level !== 3);
}

/** Whether the tag is one of the words in the name of the class. */
const isNamedAfter = (constructor, tag) => {
  const at = $.indexOf(constructor, tag);
  if (at === -1) return false;
  const next = constructor[at + tag.length];
  return next === undefined || $.regex(/[A-Z]/).test(next);
};
function prefixOf(constructor, tag, fallback, size = '') {
  if (constructor === null) {
    if (tag !== '' && fallback !== tag) return $.text`[${fallback}${size}: null prototype] [${tag}] `;
    return $.text`[${fallback}${size}: null prototype] `;
  }
  // `WebAssembly.Memory` includes `Memory` and says more.
  if ($.endsWith(tag, $.text`.${constructor}`) && !$.startsWith(tag, '.')) return $.text`${tag}${size} `;
  if (tag !== '' && !isNamedAfter(constructor, tag)) return $.text`${constructor}${size} [${tag}] `;
  return $.text`${constructor}${size} `;
}

function ownKeys(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  if (showHidden) return [...$.each(Object.getOwnPropertyNames(value)), ...$.each(symbols)];
  /** @type {(string | symbol)[]} */
  let keys;
  try {
    keys = Object.keys(value);
  } catch {
    keys = Object.getOwnPropertyNames(value);
  }
  for (const symbol of $.each(symbols)) if (isEnumerable(value, symbol)) $.push(keys, symbol);
  return keys;
}
const isIndex = (key) =>
  typeof key === 'string' && $.regex(/^(0|[1-9][0-9]{0,9})$/).test(key) && Number(key) < 2 ** 32 - 1;
function nonIndexKeys(value, showHidden) {
  const symbols = Object.getOwnPropertySymbols(value);
  /** @type {(string | symbol)[]} */
  let keys;
  if (!showHidden && isTypedArray(value)) keys = native.nonIndexKeys(value);
  else keys = $.filter((showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value)), (key) => !isIndex(key));
  for (const symbol of $.each(symbols)) if (showHidden || isEnumerable(value, symbol)) $.push(keys, symbol);
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
  /** @type {(ctx: any, value: any, depth: number) => string[]} */
  let formatter = () => [];
  let braces = ['{', '}'];
  let keys;
  let extras = kObject;
  const iterable = constructor === null || value[Symbol.iterator] !== undefined;
  if ($.isArray(value)) {
    keys = nonIndexKeys(value, ctx.showHidden);
    const prefix = constructor !== 'Array' || tag !== ''
      ? prefixOf(constructor, tag, 'Array', $.text`(${value.length})`) : '';
    braces = [$.text`${prefix}[`, ']'];
    if (value.length === 0 && noProps()) return $.text`${braces[0]}]`;
    extras = kArrayExtras;
    formatter = formatArray;
  } else if (iterable && brand.Set(value)) {
    keys = ownKeys(value, ctx.showHidden);
    const size = sizeOf.Set(value);
    const prefix = prefixOf(constructor, tag, 'Set', $.text`(${size})`);
    formatter = formatSet;
    if (size === 0 && noProps()) return $.text`${prefix}{}`;
    braces = [$.text`${prefix}{`, '}'];
  } else if (iterable && brand.Map(value)) {
    keys = ownKeys(value, ctx.showHidden);
    const size = sizeOf.Map(value);
    const prefix = prefixOf(constructor, tag, 'Map', $.text`(${size})`);
    formatter = formatMap;
    if (size === 0 && noProps()) return $.text`${prefix}{}`;
    braces = [$.text`${prefix}{`, '}'];
  } else if (iterable && isTypedArray(value)) {
    keys = nonIndexKeys(value, ctx.showHidden);
    const fallback = constructor === null ? $.tagOf(value) : '';
    const size = $.length(value);
    braces = [$.text`${prefixOf(constructor, tag, fallback, $.text`(${size})`)}[`, ']'];
    if (size === 0 && keys.length === 0 && !ctx.showHidden) return $.text`${braces[0]}]`;
    formatter = (c, v, d) => formatTypedArray(c, v, size, d);
    extras = kArrayExtras;
  } else {
    keys = ownKeys(value, ctx.showHidden);
    if (typeof value === 'function') {
      base = functionBase(value, constructor, tag);
      if (noProps()) return ctx.stylize(base, 'special');
    } else if (isArguments(value)) {
      braces[0] = '[Arguments] {';
      if (noProps()) return $.text`${braces[0]}}`;
    } else if (
      constructor === 'Object' && !native.isError(value) && Object.getPrototypeOf(value) === Object.prototype
    ) {
      if (tag !== '') braces[0] = $.text`${prefixOf(constructor, tag, 'Object')}{`;
      if (noProps()) return $.text`${braces[0]}}`;
    } else if (brand.RegExp(value)) {
      base = $.text`/${sourceOf(value)}/${flagsOf(value)}`;
      const prefix = prefixOf(constructor, tag, 'RegExp');
      if (prefix !== 'RegExp ') base = $.text`${prefix}${base}`;
      if (noProps() || (depth > ctx.depth && ctx.depth !== null)) return ctx.stylize(base, 'regexp');
    } else if (brand.Date(value)) {
      const invalid = Number.isNaN($.getTime(value));
      base = invalid ? 'Invalid Date' : $.toISOString(value);
      const prefix = prefixOf(constructor, tag, 'Date');
      if (prefix !== 'Date ') base = $.text`${prefix}${base}`;
      if (noProps()) return ctx.stylize(base, 'date');
    } else if (native.isError(value) || value instanceof Error) {
      base = formatError(value, constructor, tag, ctx, keys);
      if (noProps()) return base;
    } else if (brand.ArrayBuffer(value) || brand.SharedArrayBuffer(value)) {
      const prefix = prefixOf(constructor, tag, brand.ArrayBuffer(value) ? 'ArrayBuffer' : 'SharedArrayBuffer');
      if (typedArray === undefined) formatter = formatArrayBuffer;
      else if (noProps()) {
        const length = (brand.ArrayBuffer(value) ? $.bufferLength : $.sharedLength)(value);
        return $.text`${prefix}{ [byteLength]: ${formatNumber(ctx.stylize, length, false)} }`;
      }
      braces[0] = $.text`${prefix}{`;
      $.unshift(keys, 'byteLength');
    } else if (isDataView(value)) {
      braces[0] = $.text`${prefixOf(constructor, tag, 'DataView')}{`;
      $.unshift(keys, 'byteLength', 'byteOffset', 'buffer');
    } else if (native.promiseState(value) !== undefined) {
      braces[0] = $.text`${prefixOf(constructor, tag, 'Promise')}{`;
      formatter = formatPromise;
    } else if (brand.WeakSet(value)) {
      braces[0] = $.text`${prefixOf(constructor, tag, 'WeakSet')}{`;
      formatter = formatWeak;
    } else if (brand.WeakMap(value)) {
      braces[0] = $.text`${prefixOf(constructor, tag, 'WeakMap')}{`;
      formatter = formatWeak;
    } else if (isNamespace(value)) {
      braces[0] = $.text`${prefixOf(constructor, tag, 'Module')}{`;
      const names = keys;
      keys = [];
      formatter = (c, v, d) => formatNamespace(c, v, d, names);
    } else {
      const type = $.find(['Number', 'String', 'Boolean', 'BigInt', 'Symbol'], (name) => brand[name](value));
      if (type !== undefined) {
        if (type === 'String') keys = $.filter(keys, (key) => !isIndex(key) && (key !== 'length' || ctx.showHidden));
        base = boxedBase(value, type, ctx, keys, constructor, tag);
        if (noProps()) return base;
      } else {
        const prefix = constructor === 'Object' && tag === '' ? '' : prefixOf(constructor, tag, 'Object');
        if (noProps()) return $.text`${prefix}{}`;
        braces[0] = $.text`${prefix}{`;
      }
    }
  }
  if (depth > ctx.depth && ctx.depth !== null) {
    const name = $.slice(prefixOf(constructor, tag, $.isArray(value) ? 'Array' : 'Object'), 0, -1);
    return ctx.stylize($.text`[${name}]`, 'special');
  }
  depth += 1;
  $.push(ctx.seen, value);
  ctx.currentDepth = depth;
  const output = formatter(ctx, value, depth);
  for (const key of $.each(keys)) $.push(output, formatProperty(ctx, value, depth, key, extras));
  if (protoProps !== undefined) $.push(output, ...$.each(protoProps));
  $.pop(ctx.seen);
  if (ctx.circular !== undefined) {
    const index = ctx.circular.get(value);
    if (index !== undefined) {
      const reference = ctx.stylize($.text`<ref *${index}>`, 'special');
      if (ctx.compact !== true) base = base === '' ? reference : $.text`${reference} ${base}`;
      else braces[0] = $.text`${reference} ${braces[0]}`;
    }
  }
  if (ctx.sorted) {
    const compare = ctx.sorted === true ? undefined : ctx.sorted;
    if (extras === kObject) $.sort(output, compare);
    else if (keys.length > 1) $.push(output, ...$.each($.sort($.splice(output, output.length - keys.length), compare)));
  }
  const text = layOut(ctx, output, base, braces, extras, depth, value);
  const total = (ctx.budget[ctx.indentationLvl] || 0) + text.length;
  ctx.budget[ctx.indentationLvl] = total;
  // Output this big is cut short, so that it does not use up all memory.
  if (total > 2 ** 27) ctx.depth = -1;
  return text;
}

function functionBase(value, constructor, tag) {
  if (isClass(value)) return classBase(value, constructor, tag);
  const type = functionType(value);
  let base = $.text`[${type}`;
  if (constructor === null) base += ' (null prototype)';
  base += value.name === '' ? ' (anonymous)'
    : $.text`: ${typeof value.name === 'string' ? value.name : inspect(value.name)}`;
  base += ']';
  if (constructor !== type && constructor !== null) base += $.text` ${constructor}`;
  if (tag !== '' && constructor !== tag) base += $.text` [${tag}]`;
  return base;
}
function classBase(value, constructor, tag) {
  const name = (hasOwn(value, 'name') && value.name) || '(anonymous)';
  let base = $.text`class ${name}`;
  if (constructor !== 'Function' && constructor !== null) base += $.text` [${constructor}]`;
  if (tag !== '' && constructor !== tag) base += $.text` [${tag}]`;
  if (constructor !== null) {
    const parent = Object.getPrototypeOf(value).name;
    if (parent) base += $.text` extends ${parent}`;
  } else {
    base += ' extends [null prototype]';
  }
  return $.text`[${base}]`;
}
function boxedBase(value, type, ctx, keys, constructor, tag) {
  const primitive = method(type, 'valueOf')(value);
  let base = $.text`[${type}`;
  if (type !== constructor) base += constructor === null ? ' (null prototype)' : $.text` (${constructor})`;
  base += $.text`: ${formatPrimitive(plain, primitive, ctx)}]`;
  if (tag !== '' && tag !== constructor) base += $.text` [${tag}]`;
  return keys.length !== 0 ? base : ctx.stylize(base, $.toLowerCase(type));
}

function formatError(error, constructor, tag, ctx, keys) {
  const name = error.name != null ? $.text`${error.name}` : 'Error';
  let stack;
  try {
    stack = error.stack ? String(error.stack) : errorText(error);
  } catch {
    stack = $.textOf(error);
  }
  if (!ctx.showHidden && keys.length !== 0) {
    for (const key of $.each(['name', 'message', 'stack'])) {
      const index = $.indexOf(keys, key);
      if (index !== -1 && (typeof error[key] !== 'string' || $.includes(stack, error[key]))) $.splice(keys, index, 1);
    }
  }
  if ('cause' in error && !$.includes(keys, 'cause')) $.push(keys, 'cause');
  if (hasOwn(error, 'errors') && $.isArray(error.errors) && !$.includes(keys, 'errors')) $.push(keys, 'errors');
  stack = improveStack(stack, constructor, name, tag);
  if ('cause' in error && native.isError(error.cause)) stack = withoutFramesOf(stack, error.cause);
  let at = (error.message && $.indexOf(stack, error.message)) || -1;
  if (at !== -1) at += error.message.length;
  const frames = $.indexOf(stack, '\n    at', at);
  if (frames === -1) {
    stack = $.text`[${stack}]`;
  } else if (ctx.colors) {
    const lines = $.split($.slice(stack, frames + 1), '\n');
    stack = $.slice(stack, 0, frames);
    for (const line of $.each(lines)) {
      stack += $.text`\n${$.regex(/[( ]node:/).test(line) ? $.text`\u001b[90m${line}\u001b[39m` : line}`;
    }
  }
  if (ctx.indentationLvl !== 0) stack = $.replaceAll(stack, '\n', $.text`\n${$.repeat(' ', ctx.indentationLvl)}`);
  return stack;
}
/** A stack without the frames that the stack of the cause has as well. */
function withoutFramesOf(stack, cause) {
  let causeStack;
  try {
    causeStack = String(cause.stack);
  } catch {
    return stack;
  }
  const lines = $.split(stack, '\n');
  const first = $.findIndex(lines, (line) => $.startsWith(line, '    at '));
  const causeFrames = $.filter($.split(causeStack, '\n'), (line) => $.startsWith(line, '    at '));
  if (first === -1) return stack;
  // The longest run of frames that ends where both end is found from any frame that both have.
  for (let i = first; i < lines.length - 3; i++) {
    const at = $.indexOf(causeFrames, lines[i]);
    if (at === -1 || causeFrames.length - at <= 3) continue;
    const most = Math.min(causeFrames.length - at, lines.length - i);
    let length = 1;
    while (length < most && lines[i + length] === causeFrames[at + length]) length++;
    if (length <= 3) continue;
    const skipped = length - 2;
    $.splice(lines, i + 1, skipped, $.text`    ... ${skipped} lines matching cause stack trace ...`);
    return $.join(lines, '\n');
  }
  return stack;
}
function improveStack(stack, constructor, name, tag) {
  let length = name.length;
  if (constructor === null || ($.endsWith(name, 'Error') && $.startsWith(stack, name) &&
      (stack.length === length || stack[length] === ':' || stack[length] === '\n'))) {
    let fallback = 'Error';
    if (constructor === null) {
      const start = $.regex(/^([A-Z][a-z_ A-Z0-9[\]()-]+)(?::|\n\s+at)/).exec(stack) ||
        $.regex(/^([a-z_A-Z0-9-]*Error)$/).exec(stack);
      fallback = (start && start[1]) || '';
      length = fallback.length;
      fallback ||= 'Error';
    }
    const prefix = $.slice(prefixOf(constructor, tag, fallback), 0, -1);
    if (name !== prefix) {
      if ($.includes(prefix, name)) {
        stack = length === 0 ? $.text`${prefix}: ${stack}` : $.text`${prefix}${$.slice(stack, length)}`;
      } else {
        stack = $.text`${prefix} [${name}]${$.slice(stack, length)}`;
      }
    }
  }
  return stack;
}

const more = (count, what) => $.text`... ${count} more ${what}${count > 1 ? 's' : ''}`;
const limitOf = (ctx, length) => Math.min(Math.max(0, ctx.maxArrayLength), length);

function formatArray(ctx, value, depth) {
  const length = limitOf(ctx, value.length);
  const output = [];
  for (let i = 0; i < length; i++) {
    if (!hasOwn(value, i)) return formatHoles(ctx, value, depth, length, output, i);
    $.push(output, formatProperty(ctx, value, depth, i, kArray));
  }
  if (value.length > length) $.push(output, more(value.length - length, 'item'));
  return output;
}
function formatHoles(ctx, value, depth, max, output, i) {
  const keys = Object.keys(value);
  let index = i;
  for (; i < keys.length && output.length < max; i++) {
    const key = keys[i];
    if ($.text`${index}` !== key) {
      if (!isIndex(key)) break;
      const empty = Number(key) - index;
      $.push(output, ctx.stylize($.text`<${empty} empty item${empty > 1 ? 's' : ''}>`, 'undefined'));
      index = Number(key);
      if (output.length === max) break;
    }
    $.push(output, formatProperty(ctx, value, depth, key, kArray));
    index++;
  }
  const remaining = value.length - index;
  if (remaining > 0) {
    $.push(output, output.length !== max
      ? ctx.stylize($.text`<${remaining} empty item${remaining > 1 ? 's' : ''}>`, 'undefined')
      : more(remaining, 'item'));
  }
  return output;
}
function formatTypedArray(ctx, value, length, depth) {
  const max = limitOf(ctx, length);
  const format = length > 0 && typeof value[0] === 'number' ? formatNumber : formatBigInt;
  const output = [];
  for (let i = 0; i < max; i++) $.push(output, format(ctx.stylize, value[i], ctx.numericSeparator));
  if (length > max) $.push(output, more(length - max, 'item'));
  if (ctx.showHidden) {
    ctx.indentationLvl += 2;
    for (const key of $.each(['BYTES_PER_ELEMENT', 'length', 'byteLength', 'byteOffset', 'buffer'])) {
      $.push(output, $.text`[${key}]: ${formatValue(ctx, value[key], depth, true)}`);
    }
    ctx.indentationLvl -= 2;
  }
  return output;
}
function formatSet(ctx, value, depth) {
  const output = [];
  const size = sizeOf.Set(value);
  const max = limitOf(ctx, size);
  ctx.indentationLvl += 2;
  for (const item of $.eachIn(value, 'Set')) {
    if (output.length >= max) break;
    $.push(output, formatValue(ctx, item, depth));
  }
  if (size > max) $.push(output, more(size - max, 'item'));
  ctx.indentationLvl -= 2;
  return output;
}
function formatMap(ctx, value, depth) {
  const output = [];
  const size = sizeOf.Map(value);
  const max = limitOf(ctx, size);
  ctx.indentationLvl += 2;
  for (const { 0: key, 1: item } of $.eachIn(value, 'Map')) {
    if (output.length >= max) break;
    $.push(output, $.text`${formatValue(ctx, key, depth)} => ${formatValue(ctx, item, depth)}`);
  }
  if (size > max) $.push(output, more(size - max, 'item'));
  ctx.indentationLvl -= 2;
  return output;
}
function formatArrayBuffer(ctx, value) {
  let bytes;
  try {
    bytes = new Uint8Array(value);
    if (brand.ArrayBuffer(value) && $.isDetached(value)) throw bytes;
  } catch {
    return [ctx.stylize('(detached)', 'special')];
  }
  const max = limitOf(ctx, $.length(bytes));
  let text = '';
  for (let i = 0; i < max; i++) text += $.text`${i === 0 ? '' : ' '}${$.padStart($.toString(bytes[i], 16), 2, '0')}`;
  if ($.length(bytes) > max) text += $.text` ${more($.length(bytes) - max, 'byte')}`;
  return [$.text`${ctx.stylize('[Uint8Contents]', 'special')}: <${text}>`];
}
function formatPromise(ctx, value, depth) {
  const { 0: state, 1: result } = native.promiseState(value);
  if (state === 'pending') return [ctx.stylize('<pending>', 'special')];
  ctx.indentationLvl += 2;
  const text = formatValue(ctx, result, depth);
  ctx.indentationLvl -= 2;
  return [state === 'rejected' ? $.text`${ctx.stylize('<rejected>', 'special')} ${text}` : text];
}
const formatWeak = (ctx) => [ctx.stylize('<items unknown>', 'special')];
function formatNamespace(ctx, value, depth, keys) {
  const output = [];
  for (const key of $.each(keys)) {
    try {
      $.push(output, formatProperty(ctx, value, depth, key, kObject));
    } catch {
      const desc = { value: '', enumerable: true };
      const line = formatProperty(ctx, value, depth, key, kObject, desc);
      const start = $.slice(line, 0, $.lastIndexOf(line, ' ') + 1);
      $.push(output, $.text`${start}${ctx.stylize('<uninitialized>', 'special')}`);
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
  // (The length of a buffer is an accessor of the prototype, shown like a property that is not enumerable.)
  desc ??= Object.getOwnPropertyDescriptor(value, key) ?? { value: value[key], enumerable: false };
  const style = ctx.stylize;
  let text;
  let space = ' ';
  if (desc.value !== undefined) {
    const indent = ctx.compact !== true || type !== kObject ? 2 : 3;
    ctx.indentationLvl += indent;
    text = formatValue(ctx, desc.value, depth);
    if (indent === 3 && ctx.breakLength < width(ctx, text)) space = $.text`\n${$.repeat(' ', ctx.indentationLvl)}`;
    ctx.indentationLvl -= indent;
  } else if (desc.get !== undefined) {
    const label = desc.set !== undefined ? 'Getter/Setter' : 'Getter';
    if (ctx.getters && (ctx.getters === true || (ctx.getters === 'get') === (desc.set === undefined))) {
      try {
        const result = Reflect.apply(desc.get, original, []);
        ctx.indentationLvl += 2;
        if (result === null) {
          text = $.text`${style($.text`[${label}:`, 'special')} ${style('null', 'null')}${style(']', 'special')}`;
        } else if (typeof result === 'object') {
          text = $.text`${style($.text`[${label}]`, 'special')} ${formatValue(ctx, result, depth)}`;
        } else {
          text = $.text`${style($.text`[${label}:`, 'special')} ` +
            $.text`${formatPrimitive(style, result, ctx)}${style(']', 'special')}`;
        }
        ctx.indentationLvl -= 2;
      } catch (error) {
        text = $.text`${style($.text`[${label}:`, 'special')} ` +
          $.text`<Inspection threw (${error.message})>${style(']', 'special')}`;
      }
    } else {
      text = style($.text`[${label}]`, 'special');
    }
  } else if (desc.set !== undefined) {
    text = style('[Setter]', 'special');
  } else {
    text = style('undefined', 'undefined');
  }
  if (type === kArray) return text;
  let name;
  if (typeof key === 'symbol') {
    name = style($.replace($.symbolText(key), needsEscapeNoQuote, escapeOne), 'symbol');
    if (desc.enumerable === false) name = $.text`[${name}]`;
  } else if (key === '__proto__') {
    name = "['__proto__']";
  } else if (desc.enumerable === false) {
    name = $.text`[${$.replace(key, needsEscapeNoQuote, escapeOne)}]`;
  } else if ($.regex(/^[a-zA-Z_][a-zA-Z_0-9]*$/).test(key)) {
    name = style(key, 'name');
  } else {
    name = style(quote(key), 'string');
  }
  return $.text`${name}:${space}${text}`;
}

// Many short array entries are put in columns.
function columns(ctx, output, value) {
  let total = 0;
  let longest = 0;
  let count = output.length;
  if (ctx.maxArrayLength < output.length) count--;
  const lengths = [];
  for (let i = 0; i < count; i++) {
    $.push(lengths, width(ctx, output[i]));
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
    $.push(widths, max + 2);
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
      line += padStart ? $.padStart($.text`${output[j]}, `, pad) : $.padEnd($.text`${output[j]}, `, pad);
    }
    line += padStart ? $.padStart(output[j], widths[j - i] + output[j].length - lengths[j] - 2) : output[j];
    $.push(lines, line);
  }
  if (ctx.maxArrayLength < output.length) $.push(lines, output[count]);
  return lines;
}

function fits(ctx, output, start, base) {
  let total = output.length + start;
  if (total + output.length > ctx.breakLength) return false;
  for (const text of $.each(output)) {
    total += width(ctx, text);
    if (total > ctx.breakLength) return false;
  }
  return base === '' || !$.includes(base, '\n');
}

// On one line if that fits and the value is not nested too deeply; otherwise one entry per line.
function layOut(ctx, output, base, braces, extras, depth, value) {
  const head = $.text`${base ? $.text`${base} ` : ''}${braces[0]}`;
  if (ctx.compact !== true) {
    if (typeof ctx.compact === 'number' && ctx.compact >= 1) {
      const entries = output.length;
      if (extras === kArrayExtras && entries > 6) output = columns(ctx, output, value);
      if (ctx.currentDepth - depth < ctx.compact && entries === output.length) {
        const start = output.length + ctx.indentationLvl + braces[0].length + base.length + 10;
        if (fits(ctx, output, start, base)) {
          const joined = $.join(output, ', ');
          if (!$.includes(joined, '\n')) return $.text`${head} ${joined} ${braces[1]}`;
        }
      }
    }
    const indent = $.text`\n${$.repeat(' ', ctx.indentationLvl)}`;
    return $.text`${head}${indent}  ${$.join(output, $.text`,${indent}  `)}${indent}${braces[1]}`;
  }
  if (fits(ctx, output, 0, base)) {
    return $.text`${braces[0]}${base ? $.text` ${base}` : ''} ${$.join(output, ', ')} ${braces[1]}`;
  }
  const indent = $.text`\n${$.repeat(' ', ctx.indentationLvl)}`;
  const line = base === '' && braces[0].length === 1 ? ' '
    : $.text`${base ? $.text` ${base}` : ''}\n${$.slice(indent, 1)}  `;
  return $.text`${braces[0]}${line}${$.join(output, $.text`,${indent}  `)} ${braces[1]}`;
}

function inspect(value, options, ...legacy) {
  const ctx = {
    __proto__: null, budget: { __proto__: null }, indentationLvl: 0, seen: [], currentDepth: 0, stylize: plain,
    circular: undefined, user: { __proto__: null }, ...defaults,
  };
  if (typeof options === 'boolean') {
    ctx.showHidden = options;
    if (legacy[0] !== undefined) ctx.depth = legacy[0];
    if (legacy[1] !== undefined) ctx.colors = legacy[1];
  } else if (options) {
    for (const key of $.each(Object.keys(options))) {
      if (hasOwn(defaults, key) || key === 'stylize') ctx[key] = options[key];
      else ctx.user[key] = options[key];
    }
  }
  if (ctx.colors && ctx.stylize === plain) ctx.stylize = colored;
  if (ctx.maxArrayLength === null) ctx.maxArrayLength = Infinity;
  if (ctx.maxStringLength === null) ctx.maxStringLength = Infinity;
  return formatValue(ctx, value, 0);
}

const hasBuiltInToString = (value) => {
  const target = native.proxyTarget(value);
  if (target !== undefined) return target === null || hasBuiltInToString(target);
  if (native.isError(value)) return true;
  const own = (key) => hasOwn(value, key);
  if (typeof value[Symbol.toPrimitive] === 'function' && !(value instanceof Date)) return false;
  if (typeof value.toString !== 'function') return true;
  if (own('toString')) return false;
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
    if ($.includes(error.message, 'circular')) return '[Circular]';
    throw error;
  }
};
const directive = (code, arg, options) => {
  const separator = Boolean(options?.numericSeparator ?? defaults.numericSeparator);
  switch (code) {
    case 's':
      if (typeof arg === 'number') return formatNumber(plain, arg, separator);
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, separator);
      if ((typeof arg !== 'object' && typeof arg !== 'function') || arg === null) return String(arg);
      if (typeof arg === 'function' || !hasBuiltInToString(arg)) return String(arg);
      return inspect(arg, { ...options, depth: 0, colors: false, compact: 3 });
    case 'j': return stringify(arg);
    case 'd':
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, separator);
      return formatNumber(plain, typeof arg === 'symbol' ? NaN : Number(arg), separator);
    case 'i':
      if (typeof arg === 'bigint') return formatBigInt(plain, arg, separator);
      return formatNumber(plain, typeof arg === 'symbol' ? NaN : parseInt(arg), separator);
    case 'f': return formatNumber(plain, typeof arg === 'symbol' ? NaN : parseFloat(arg), separator);
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
        text += $.slice(first, last, i);
        last = i + 1;
      } else if (used + 1 !== args.length) {
        if (!$.includes('sjdiOofc', code)) continue;
        const part = directive(code, args[++used], options);
        text += $.slice(first, last, i - 1) + part;
        last = i + 1;
      }
    }
    if (last !== 0) {
      used++;
      separator = ' ';
      if (last < first.length) text += $.slice(first, last);
    }
  }
  for (; used < args.length; used++) {
    const value = args[used];
    text += separator + (typeof value !== 'string' ? inspect(value, options) : value);
    separator = ' ';
  }
  return text;
}

exports.inspect = Object.assign(inspect, { custom, defaultOptions: defaults, colors, styles });
exports.formatWithOptions = formatWithOptions;
exports.format = function format(...args) {
  return formatWithOptions(undefined, ...$.each(args));
};
exports.custom = custom;
exports.brand = brand;
exports.isTypedArray = isTypedArray;
exports.isDataView = isDataView;
exports.isArguments = isArguments;
exports.isNamespace = isNamespace;
exports.functionType = functionType;
exports.isProxy = (value) => native.proxyTarget(value) !== undefined;
exports.isPromise = (value) => native.promiseState(value) !== undefined;
exports.isError = (value) => native.isError(value);
exports.stripAnsi = (text) => $.replace(text, ansi, '');
