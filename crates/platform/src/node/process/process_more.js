// What few programs ask `process` for.
const { create, invalidArgType, notImplemented } = require('errors');
const { validateString } = require('validators');
const notThere = (name) => class { constructor() { throw notImplemented($.text`process.binding's ${name}`); } };
const proc = () => require('process').process;

exports.binding = (name) => {
  if ($.text`${name}` === 'tty_wrap') return { isTTY: require('tty').isatty, TTY: notThere('TTY') };
  if ($.text`${name}` !== 'constants') throw create('Error', 'ERR_INVALID_MODULE', $.text`No such module: ${name}`);
  const { constants } = require('os_constants');
  const { constants: fs } = require('fs_values');
  return { os: constants, fs, crypto: {}, zlib: {}, trace: {}, internal: {} };
};
const usage = ['userCPUTime', 'systemCPUTime', 'maxRSS', 'sharedMemorySize', 'unsharedDataSize', 'unsharedStackSize',
  'minorPageFault', 'majorPageFault', 'swappedOut', 'fsRead', 'fsWrite', 'ipcSent', 'ipcReceived', 'signalsCount',
  'voluntaryContextSwitches', 'involuntaryContextSwitches'];
exports.resourceUsage = (numbers) => Object.fromEntries($.map(usage, (name, i) => [name, numbers[i]]));

/**
 * @param {any} warning
 * @param {any} [type]
 * @param {any} [code]
 * @param {any} [constructor]
 */
exports.emitWarning = (warning, type, code, constructor) => {
  void constructor;
  let detail;
  if (type !== null && typeof type === 'object' && !$.isArray(type)) {
    ({ detail } = type);
    ({ type = 'Warning', code } = type);
    if (typeof detail !== 'string') detail = undefined;
  } else if (typeof type === 'function') {
    type = 'Warning';
    code = undefined;
  }
  if (type !== undefined) validateString(type, 'type');
  if (typeof code === 'function') code = undefined;
  else if (code !== undefined) validateString(code, 'code');
  if (typeof warning === 'string') {
    warning = new Error(warning);
    Object.defineProperty(warning, 'name', {
      value: String(type || 'Warning'), enumerable: false, writable: true, configurable: true,
    });
    if (code !== undefined) Object.assign(warning, { code });
    if (detail !== undefined) Object.assign(warning, { detail });
  } else if (!(warning instanceof Error)) {
    throw invalidArgType('warning', 'of type string or an instance of Error', warning);
  }
  const process = proc();
  if (warning.name === 'DeprecationWarning') {
    if (process.noDeprecation) return;
    if (process.throwDeprecation) {
      process.nextTick(() => {
        throw warning;
      });
      return;
    }
  }
  process.nextTick(() => {
    process.emit('warning', warning);
    print(warning, process);
  });
};
let hinted = false;
const print = (warning, process) => {
  const isDeprecation = warning.name === 'DeprecationWarning';
  if (isDeprecation && process.noDeprecation) return;
  const label = warning.code ? $.text`[${warning.code}] ` : '';
  const trace = process.traceProcessWarnings || (isDeprecation && process.traceDeprecation);
  let text = $.text`(node:${process.pid}) ${label}`;
  text += trace && warning.stack ? warning.stack : $.text`${warning.name}: ${warning.message}`;
  if (typeof warning.detail === 'string') text += $.text`\n${warning.detail}`;
  if (!trace && !hinted) {
    hinted = true;
    const flag = isDeprecation ? '--trace-deprecation' : '--trace-warnings';
    text += $.text`\n(Use \`node ${flag} ...\` to show where the warning was created)`;
  }
  process._rawDebug(text);
};

exports.loadEnvFile = (path = '.env') => {
  const text = (/** @type {any} */ (require('fs'))).readFileSync(path, 'utf8');
  const parsed = /** @type {any} */ (require('util')).util.parseEnv(text);
  if (parsed === undefined) throw notImplemented('process.loadEnvFile');
  const { env } = proc();
  for (const name of $.each(Object.keys(parsed))) if (env[name] === undefined) env[name] = parsed[name];
};

const unavailable = (name) => ({ [name]() {
  throw notImplemented($.text`process.report.${name}`);
} }[name]);
exports.report = {
  writeReport: unavailable('writeReport'), getReport: unavailable('getReport'), directory: '', filename: '',
  compact: false, excludeNetwork: false, signal: 'SIGUSR2', reportOnFatalError: false, reportOnSignal: false,
  reportOnUncaughtException: false, excludeEnv: false,
};

// There is one if not everything is granted.
exports.permission = (granted) => ({
  has(scope, reference) {
    const { validateString } = require('validators');
    validateString(scope, 'scope');
    if (reference !== undefined) {
      if (typeof reference !== 'string' && $.tagOf(reference) !== 'Uint8Array') validateString(reference, 'reference');
      reference = $.text`${reference}`;
    }
    return granted(scope, reference);
  },
});
