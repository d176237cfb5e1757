// node:test: tests, suites and hooks, reported as Node's `spec` reporter does.
const { create, notImplemented } = require('errors');
const { validateFunction } = require('validators');
const { inspect } = require('inspect');

const { process } = /** @type {any} */ (require('process'));
const now = () => require('performance').performance.now();
const print = (text) => process.stdout.write($.text`${text}\n`);

const counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
const failures = [];
let started;

/** The arguments in the order name, options, function, each of which may be missing. */
const argumentsOf = (name, options, fn) => {
  if (typeof name === 'function') fn = name;
  else if (name !== null && typeof name === 'object') ({ 0: fn, 1: options } = [options, name]);
  else if (typeof options === 'function') fn = options;
  const given = options !== null && typeof options === 'object' ? options : { __proto__: null };
  const title = typeof name === 'string' ? name : (typeof fn === 'function' && fn.name) || '<anonymous>';
  return { name: title, options: given, fn: fn ?? (() => {}) };
};

/** Calls a function that returns a promise, takes a callback, or does neither. */
const call = (fn, self, args) => {
  if (fn.length <= args.length) return Reflect.apply(fn, self, args);
  const { promise, resolve, reject } = $.withResolvers();
  const done = (error) => (error ? reject(error) : resolve());
  const result = Reflect.apply(fn, self, [...$.each(args), done]);
  if (typeof result?.then === 'function') {
    reject(create('Error', 'ERR_TEST_FAILURE', 'passed a callback but also returned a Promise'));
  }
  return promise;
};

/** A promise that is rejected if another one takes too long. */
const limited = (promise, timeout, signal) => {
  if ((timeout === undefined || timeout === null || timeout === Infinity) && signal === undefined) return promise;
  const { promise: result, resolve, reject } = $.withResolvers();
  const { setTimeout, clearTimeout } = require('timers');
  const timer = timeout >= 0 && timeout !== Infinity ? setTimeout(() =>
    reject(create('Error', 'ERR_TEST_FAILURE', $.text`test timed out after ${timeout}ms`)), timeout) : undefined;
  signal?.addEventListener('abort', () => reject(signal.reason), { __proto__: null, once: true });
  $.then(promise, (value) => {
    clearTimeout(timer);
    resolve(value);
  }, (error) => {
    clearTimeout(timer);
    reject(error);
  });
  return result;
};

class Item {
  parent;
  name;
  options;
  fn;
  depth;
  subtests = [];
  hooks = { before: [], after: [], beforeEach: [], afterEach: [] };
  isSuite = false;
  error;
  message;
  isTodo;
  isSkipped;
  diagnostics = [];
  planned;
  asserted = 0;
  passed = true;
  hasStarted = false;
  constructor(parent, { name, options, fn }, isSuite) {
    this.parent = parent;
    this.name = name;
    this.options = options;
    this.fn = fn;
    this.isSuite = isSuite;
    this.isSkipped = options.skip !== undefined && options.skip !== false ? options.skip : undefined;
    this.isTodo = options.todo !== undefined && options.todo !== false ? options.todo : undefined;
    this.planned = options.plan;
    this.depth = parent === undefined ? -1 : parent.depth + 1;
  }
  get fullName() {
    return this.parent === undefined || this.parent.parent === undefined ? this.name
      : $.text`${this.parent.fullName} > ${this.name}`;
  }
}
/** @type {any} */
const root = new Item(undefined, { name: '<root>', options: { __proto__: null }, fn: () => {} }, true);
let current = root;

const each = async (hooks, context) => {
  for (const { fn, options } of $.each(hooks)) await $.awaited(limited(call(fn, context, [context]), options.timeout, undefined));
};
/** The hooks around each test, from the outermost suite inwards. */
const inherited = (item, name) =>
  (item === undefined ? [] : [...$.each(inherited(item.parent, name)), ...$.each(item.hooks[name])]);

const mark = (item) => (item.isSkipped !== undefined ? '﹣' : item.passed ? '✔' : item.isTodo !== undefined ? '⚠' : '✖');
const note = (item) => {
  const word = item.isSkipped !== undefined ? 'SKIP' : item.isTodo !== undefined ? 'TODO' : undefined;
  if (word === undefined) return '';
  const reason = item.isSkipped ?? item.isTodo;
  return typeof reason === 'string' && reason !== '' ? $.text` # ${reason}` : $.text` # ${word}`;
};
const milliseconds = (duration) => $.text`(${+$.toFixed(duration, 6)}ms)`;
const indent = (item) => $.repeat('  ', item.depth);
const announce = (item) => {
  if (item.hasAnnounced || item.depth < 0) return;
  announce(item.parent);
  item.hasAnnounced = true;
  print($.text`${indent(item)}▶ ${item.name}`);
};
const report = (item, duration) => {
  announce(item.parent);
  const line = $.text`${mark(item)} ${item.name} ${milliseconds(duration)}${note(item)}`;
  print($.text`${indent(item)}${line}`);
  for (const text of $.each(item.diagnostics)) print($.text`${indent(item)}ℹ ${text}`);
  if (item.isSuite) counts.suites++;
  else counts.tests++;
  if (item.isSuite) {
    if (item.passed || item.isOwnFailure !== true) return;
  }
  if (item.isSkipped !== undefined) counts.skipped++;
  else if (item.isTodo !== undefined) counts.todo++;
  else if (item.isCancelled) counts.cancelled++;
  else if (item.passed) counts.pass++;
  else counts.fail++;
  if (!item.passed && item.isTodo === undefined) $.push(failures, { line, item });
};

const fail = (item, error, isCancelled = false) => {
  if (!item.passed) return;
  item.passed = false;
  item.isOwnFailure = true;
  item.error = error;
  item.isCancelled = isCancelled;
};

async function run(item) {
  if (item.hasStarted) return;
  item.hasStarted = true;
  const start = now();
  const context = item.isSuite ? new SuiteContext(item) : new TestContext(item);
  item.context = context;
  const isSkipped = item.isSkipped !== undefined;
  if (!isSkipped) {
    try {
      if (!item.isSuite) await $.awaited(each(inherited(item.parent, 'beforeEach'), context));
      if (item.isSuite) {
        await $.awaited(item.collected);
        await $.awaited(each(item.hooks.before, context));
        await $.awaited(runAll(item));
      } else {
        await $.awaited(limited(call(item.fn, context, [context]), item.options.timeout, item.options.signal));
        await $.awaited(runAll(item));
        if (item.planned !== undefined && item.planned !== item.asserted) {
          throw create('Error', 'ERR_TEST_FAILURE',
            $.text`plan expected ${item.planned} assertions but received ${item.asserted}`);
        }
      }
    } catch (error) {
      fail(item, error);
    }
    const finish = async (hooks) => {
      try {
        await $.awaited(each(hooks, context));
      } catch (error) {
        fail(item, error);
      }
    };
    if (!item.isSuite) await $.awaited(finish($.reverse(inherited(item.parent, 'afterEach'))));
    await $.awaited(finish(item.hooks.after));
    item.mock?.reset();
    const failed = $.filter(item.subtests, (one) => !one.passed && one.isTodo === undefined).length;
    if (failed > 0 && item.passed) {
      item.passed = false;
      item.isOwnFailure = !item.isSuite;
      item.error = create('Error', 'ERR_TEST_FAILURE', $.text`${failed} subtest${failed > 1 ? 's' : ''} failed`);
    }
    // What is expected to fail must fail.
    if (item.options.expectFailure) {
      if (item.passed) fail(item, create('Error', 'ERR_TEST_FAILURE', 'test was expected to fail but passed'));
      else item.passed = true;
    }
  }
  report(item, now() - start);
  item.settle.resolve();
}
const isOnly = (item) => Boolean(item.options.only) || $.some(item.subtests, isOnly);
async function runAll(item) {
  let index = 0;
  // Tests may add others while they run.
  while (index < item.subtests.length) {
    const next = item.subtests[index++];
    const only = $.some(item.subtests, isOnly) && process.execArgv !== undefined && $.includes(process.execArgv, '--test-only');
    if (only && !isOnly(next)) next.isSkipped = '\'only\' option not set';
    await $.awaited(run(next));
  }
}

/** Starts everything once the file has been evaluated. */
const begin = () => {
  if (started !== undefined) return;
  const start = now();
  const finish = async () => {
    try {
      await $.awaited(each(root.hooks.before, root));
      await $.awaited(runAll(root));
    } catch (error) {
      fail(root, error);
    }
    try {
      await $.awaited(each(root.hooks.after, root));
    } catch (error) {
      fail(root, error);
    }
    started = undefined;
    root.subtests = [];
  };
  started = new Promise((resolve) => require('timers').setImmediate(() => $.then(finish(), resolve, resolve)));
  if (root.isWatched) return;
  root.isWatched = true;
  process.on('exit', () => {
    cancelRest(root);
    summarize(now() - start);
    if (failures.length > 0 || !root.passed) process.exitCode ||= 1;
  });
};
const cancelRest = (item) => {
  for (const one of $.each(item.subtests)) {
    if (one.settle === undefined || one.isSettled) continue;
    cancelRest(one);
    const error = create('Error', 'ERR_TEST_FAILURE',
      'Promise resolution is still pending but the event loop has already resolved');
    fail(one, error, true);
    report(one, 0);
  }
};
const summarize = (duration) => {
  for (const { 0: name, 1: count } of $.each(Object.entries(counts))) print($.text`ℹ ${name} ${count}`);
  print($.text`ℹ duration_ms ${+$.toFixed(duration, 6)}`);
  if (failures.length === 0) return;
  print('\n✖ failing tests:');
  for (const { line, item } of $.each(failures)) {
    const text = $.replaceAll(inspect(item.error), '\n', '\n  ');
    print($.text`\n${line}\n  ${text}`);
  }
};

const add = (parent, given, isSuite) => {
  const item = /** @type {any} */ (new Item(parent, given, isSuite));
  item.settle = $.withResolvers();
  $.then(item.settle.promise, () => {
    item.isSettled = true;
  });
  $.push(parent.subtests, item);
  if (isSuite) {
    // A suite's function says at once which tests it has.
    const outer = current;
    current = item;
    try {
      const result = item.isSkipped === undefined ? Reflect.apply(item.fn, undefined, [new SuiteContext(item)]) : undefined;
      item.collected = $.resolved(result);
    } catch (error) {
      fail(item, error);
    } finally {
      current = outer;
    }
  }
  if (parent === root) begin();
  // A test that a running one adds runs at once.
  if (parent !== root && !parent.isSuite && parent.hasStarted) void run(item);
  return item.settle.promise;
};

class TestContext {
  #item;
  constructor(item) {
    this.#item = item;
  }
  get name() {
    return this.#item.name;
  }
  get fullName() {
    return this.#item.fullName;
  }
  get filePath() {
    return process.argv[1];
  }
  get error() {
    return this.#item.error ?? null;
  }
  get passed() {
    return this.#item.passed;
  }
  get attempt() {
    return 0;
  }
  get signal() {
    this.#item.controller ??= new (require('abort').AbortController)();
    return this.#item.controller.signal;
  }
  get mock() {
    return (this.#item.mock ??= new (require('mock').MockTracker)());
  }
  /** The functions of node:assert, which count for the plan. */
  get assert() {
    const item = this.#item;
    const { assert } = require('assert');
    const made = {};
    for (const name of $.each(Object.keys(assert))) {
      if (typeof assert[name] !== 'function' || $.regex(/^[A-Z]|^strict$/).test(name)) continue;
      made[name] = (...args) => {
        item.asserted++;
        return assert[name](...$.each(args));
      };
    }
    for (const { 0: name, 1: fn } of $.each(registered)) {
      made[name] = (...args) => {
        item.asserted++;
        return Reflect.apply(fn, this, args);
      };
    }
    return made;
  }
  diagnostic(message) {
    $.push(this.#item.diagnostics, $.text`${message}`);
  }
  plan(count) {
    this.#item.planned = count;
  }
  runOnly() {}
  skip(message = '') {
    this.#item.isSkipped = message;
  }
  todo(message = '') {
    this.#item.isTodo = message;
  }
  test(name, options, fn) {
    this.#item.asserted++;
    return add(this.#item, argumentsOf(name, options, fn), false);
  }
  async waitFor(condition, { interval = 50, timeout = 1000 } = /** @type {any} */ ({ __proto__: null })) {
    validateFunction(condition, 'condition');
    const end = now() + timeout;
    for (;;) {
      try {
        return await $.awaited(condition());
      } catch (error) {
        if (now() >= end) throw create('Error', 'ERR_TEST_FAILURE', 'waitFor() timed out', { cause: error });
        await $.awaited(new Promise((resolve) => require('timers').setTimeout(resolve, interval)));
      }
    }
  }
  before(fn, options) {
    addHook(this.#item, 'before', fn, options);
  }
  after(fn, options) {
    addHook(this.#item, 'after', fn, options);
  }
  beforeEach(fn, options) {
    addHook(this.#item, 'beforeEach', fn, options);
  }
  afterEach(fn, options) {
    addHook(this.#item, 'afterEach', fn, options);
  }
}
class SuiteContext {
  #item;
  constructor(item) {
    this.#item = item;
  }
  get name() {
    return this.#item.name;
  }
  get fullName() {
    return this.#item.fullName;
  }
  get filePath() {
    return process.argv[1];
  }
  get signal() {
    this.#item.controller ??= new (require('abort').AbortController)();
    return this.#item.controller.signal;
  }
  diagnostic(message) {
    $.push(this.#item.diagnostics, $.text`${message}`);
  }
}
const addHook = (item, name, fn, options) => {
  validateFunction(fn, 'fn');
  $.push(item.hooks[name], { fn, options: options ?? { __proto__: null } });
  // The hooks before a test that already runs are late, and run now.
  if (name === 'before' && item.hasStarted && !item.isSuite) void call(fn, item.context, [item.context]);
  if (item === root) begin();
};
const hook = (name) => ({ [name]: (fn, options) => addHook(current, name, fn, options) })[name];

const variants = (fn, isSuite) => {
  for (const kind of $.each(['expectFailure', 'skip', 'todo', 'only'])) {
    fn[kind] = { [kind]: (name, options, body) => {
      const given = argumentsOf(name, options, body);
      return add(current, { ...given, options: { ...given.options, [kind]: given.options[kind] ?? true } }, isSuite);
    } }[kind];
    Object.defineProperty(fn[kind], 'name', { value: '' });
  }
  return fn;
};
/** @type {any} */
const test = variants((name, options, fn) => add(current, argumentsOf(name, options, fn), false), false);
Object.defineProperty(test, 'name', { value: 'test' });
/** @type {any} */
const suite = variants((name, options, fn) => add(current, argumentsOf(name, options, fn), true), true);
Object.defineProperty(suite, 'name', { value: 'test' });

const registered = new Map();
Object.assign(test, {
  after: hook('after'), afterEach: hook('afterEach'), before: hook('before'), beforeEach: hook('beforeEach'),
  describe: suite, it: test,
  run() {
    throw notImplemented('test.run');
  },
  suite, test, mock: undefined,
  snapshot: {
    setDefaultSnapshotSerializers() {}, setResolveSnapshotPath() {},
  },
  assert: {
    register(name, fn) {
      registered.set(name, fn);
    },
  },
});
let tracker;
Object.defineProperty(test, 'mock', {
  configurable: true, enumerable: true, get: () => (tracker ??= new (require('mock').MockTracker)()),
});
exports.test = test;
