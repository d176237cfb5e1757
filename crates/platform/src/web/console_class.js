// The class Console of node:console: a console on streams of its own.
const { create, invalidArgType } = require('errors');
const { validateInteger, validateObject, validateOneOf } = require('validators');
const { formatWithOptions } = require('inspect');
const { methods, writeQuietly } = require('console_methods');

const checkStream = (stream, name) => {
  if (!stream || typeof stream.write !== 'function') {
    throw create('TypeError', 'ERR_CONSOLE_WRITABLE_STREAM', $.text`Console expects a writable stream instance for ${name}`);
  }
};

/**
 * @this {any}
 * @param {any} options
 */
function Console(options, ...rest) {
  if (!new.target) return Reflect.construct(Console, [options, ...$.each(rest)]);
  if (!options || typeof options.write === 'function') {
    options = { __proto__: null, stdout: options, stderr: rest[0], ignoreErrors: rest[1] };
  }
  const {
    stdout, stderr = stdout, ignoreErrors = true, colorMode = 'auto', inspectOptions, groupIndentation = 2,
  } = options;
  checkStream(stdout, 'stdout');
  checkStream(stderr, 'stderr');
  if (typeof colorMode !== 'boolean') validateOneOf(colorMode, 'colorMode', ['auto', true, false]);
  validateInteger(groupIndentation, 'groupIndentation', 0, 1000);
  if (inspectOptions !== undefined) {
    validateObject(inspectOptions, 'options.inspectOptions');
    if (inspectOptions.colors !== undefined && options.colorMode !== undefined) {
      throw create('TypeError', 'ERR_INCOMPATIBLE_OPTION_PAIR',
        'Option "options.inspectOptions.color" cannot be used in combination with option "colorMode"');
    }
  }
  let perStream;
  if (inspectOptions instanceof $.real.Map) {
    perStream = new Map();
    for (const { 0: key, 1: value } of $.eachIn(inspectOptions, 'Map')) perStream.set(key, value);
  }
  let indentation = '';
  const print = (toStderr, ...args) => {
    const stream = toStderr ? stderr : stdout;
    const colors = colorMode === 'auto' ? require('util').shouldColor(stream) : colorMode;
    const options = perStream === undefined ? inspectOptions : perStream.get(stream);
    let text = formatWithOptions({ colors, ...options }, ...$.each(args));
    if (indentation !== '') text = indentation + $.replaceAll(text, '\n', $.text`\n${indentation}`);
    if (!ignoreErrors) {
      stream.write($.text`${text}\n`);
      return;
    }
    writeQuietly(stream, $.text`${text}\n`);
  };
  const indent = (by) => {
    indentation = by > 0 ? indentation + $.repeat(' ', groupIndentation)
      : $.slice(indentation, 0, Math.max(0, indentation.length - groupIndentation));
  };
  const clear = () => {
    if (stdout.isTTY && /** @type {any} */ (require('process')).process.env.TERM !== 'dumb') {
      stdout.write('\u001b[1;1H\u001b[0J');
    }
  };
  const rest_ = methods(print, indent, clear);
  const printing = (name, toStderr) => ({ [name]: (...args) => print(toStderr, ...$.each(args)) })[name];
  const own = {
    log: printing('log', false), info: printing('info', false), debug: printing('debug', false),
    warn: printing('warn', true), error: printing('error', true), ...rest_,
  };
  for (const name of $.each(Object.keys(own))) {
    // A subclass may have methods of the same names.
    const { value = own[name] } = findMethod(this, name) ?? { __proto__: null };
    const method = value === prototype[name] ? own[name] : value;
    Object.defineProperty(this, name, { value: bound(method, this), writable: true, enumerable: true, configurable: true });
  }
  Object.defineProperties(this, {
    _stdout: { value: stdout, writable: true, configurable: true },
    _stderr: { value: stderr, writable: true, configurable: true },
    _ignoreErrors: { value: ignoreErrors, writable: true, configurable: true },
  });
  return this;
}
const bound = (method, self) => Object.defineProperty((...args) => Reflect.apply(method, self, args), 'name',
  { value: method.name, configurable: true });
const findMethod = (object, name) => {
  for (let holder = Object.getPrototypeOf(object); holder !== null; holder = Object.getPrototypeOf(holder)) {
    const found = Object.getOwnPropertyDescriptor(holder, name);
    if (found !== undefined) return found;
  }
  return undefined;
};
/** @type {any} */
const { prototype } = Console;
for (const name of $.each(['log', 'info', 'debug', 'warn', 'error', 'dir', 'time', 'timeEnd', 'timeLog', 'trace', 'assert',
  'clear', 'count', 'countReset', 'group', 'groupEnd', 'table', 'dirxml', 'groupCollapsed'])) {
  prototype[name] = { [name]() {
    throw invalidArgType('this', 'an instance of Console', this);
  } }[name];
}
Object.defineProperty(Console, Symbol.hasInstance, {
  value: (instance) => instance !== null && (typeof instance === 'object' || typeof instance === 'function') &&
    ($.isPrototypeOf(prototype, instance) || $.textOf(instance) === '[object console]'),
});
exports.Console = Console;
