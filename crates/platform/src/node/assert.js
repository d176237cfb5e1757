// node:assert.
const { inspect } = require('inspect');
const { invalidArgType, create } = require('errors');
const { validateFunction } = require('validators');
const { isDeepEqual, isDeepStrictEqual, isLooselyEqual } = require('deep_equal');

const show = (value) =>
  inspect(value, { depth: 1000, maxArrayLength: Infinity, sorted: true, getters: true, customInspect: false });
const headlines = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:', strictEqual: 'Expected values to be strictly equal:',
  deepEqual: 'Expected values to be loosely deep-equal:', equal: 'Expected values to be loosely equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notEqual: 'Expected "actual" to be loosely unequal to:',
};
const describe = (actual, expected, operator) => {
  const head = headlines[operator];
  if (head === undefined) return $.text`${show(actual)} ${operator} ${show(expected)}`;
  const { 0: left, 1: right } = [show(actual), show(expected)];
  if (operator === 'equal') return $.text`${left} == ${right}`;
  if (operator === 'notEqual') return $.text`${left} != ${right}`;
  if ($.startsWith(operator, 'not')) return $.text`${head} ${$.includes(right, '\n') ? $.text`\n\n${right}` : right}`;
  if (operator === 'strictEqual' && !$.includes(left, '\n') && !$.includes(right, '\n')) {
    return $.text`${head}\n\n${left} !== ${right}\n`;
  }
  if (operator === 'deepEqual') return $.text`${head}\n\n${left}\n\nshould loosely deep-equal\n\n${right}`;
  // A line diff by longest common subsequence.
  const { 0: a, 1: b } = [$.split(left, '\n'), $.split(right, '\n')];
  const table = $.arrayFrom({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  const lines = [];
  let { 0: i, 1: j } = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      $.push(lines, $.text`  ${a[i++]}`);
      j++;
    } else if (i < a.length && (j >= b.length || table[i + 1][j] >= table[i][j + 1])) {
      $.push(lines, $.text`+ ${a[i++]}`);
    } else {
      $.push(lines, $.text`- ${b[j++]}`);
    }
  }
  return $.text`${head}\n+ actual - expected\n\n${$.join(lines, '\n')}`;
};

class AssertionError extends Error {
  generatedMessage = undefined;
  code = 'ERR_ASSERTION';
  actual = undefined;
  expected = undefined;
  operator = undefined;
  constructor(options) {
    if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
    const { message, operator, actual, expected } = options;
    super(message != null ? String(message) : describe(actual, expected, operator));
    this.generatedMessage = message == null;
    Object.defineProperty(this, 'name', {
      value: 'AssertionError', enumerable: false, writable: true, configurable: true,
    });
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    const stack = require('stack').stackOf(this);
    const at = $.indexOf(stack, '\n    at');
    Object.defineProperty(this, 'stack', {
      value: $.text`AssertionError [ERR_ASSERTION]: ${this.message}` +
        (at < 0 ? '' : $.slice(stack, $.indexOf(stack, '\n    at', this.message.length))),
      enumerable: false, writable: true, configurable: true,
    });
  }
  toString() {
    return $.text`${this.name} [${this.code}]: ${this.message}`;
  }
}
const fail = (actual, expected, message, operator) => {
  if (message instanceof Error) throw message;
  throw new AssertionError({ actual, expected, message, operator });
};
function ok(...args) {
  if (!args[0]) {
    const message = args.length === 0 ? 'No value argument passed to `assert.ok()`'
      : args[1] ?? 'The expression evaluated to a falsy value';
    if (message instanceof Error) throw message;
    const error = new AssertionError({ actual: args[0], expected: true, message, operator: '==' });
    error.generatedMessage = args[1] === undefined;
    throw error;
  }
}
/** @type {any} */
const assert = function assert(...args) {
  ok(...$.each(args));
};
const compare = (name, check) => {
  assert[name] = { [name](actual, expected, message) {
    if (!check(actual, expected)) fail(actual, expected, message, name);
  } }[name];
};
compare('equal', isLooselyEqual);
compare('notEqual', (a, b) => !isLooselyEqual(a, b));
compare('strictEqual', Object.is);
compare('notStrictEqual', (a, b) => !Object.is(a, b));
compare('deepEqual', isDeepEqual);
compare('notDeepEqual', (a, b) => !isDeepEqual(a, b));
compare('deepStrictEqual', isDeepStrictEqual);
compare('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b));

const unmatched = (pattern, text) =>
  $.text`The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`;

// Whether `actual` is the error that a test expects: class, pattern, shape or predicate.
const matches = (actual, expected, message, operator) => {
  if (expected === undefined) return;
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && actual instanceof expected) return;
    if ($.isPrototypeOf(Error, expected) || expected === Error) {
      if (message !== undefined) fail(actual, expected, message, operator);
      throw actual;
    }
    if (Reflect.apply(expected, {}, [actual]) === true) return;
    fail(actual, expected, message ?? $.text`The ${expected.name ? $.text`"${expected.name}" ` : ''}` +
      'validation function is expected to return "true". ' +
      $.text`Received ${inspect(Reflect.apply(expected, {}, [actual]))}\n\nCaught error:\n\n${inspect(actual)}`,
    operator);
  } else if (expected instanceof RegExp) {
    const text = String(actual);
    if (!$.test(expected, text)) {
      fail(actual, expected, message ?? unmatched(expected, text), operator);
    }
  } else {
    const keys = Object.keys(expected);
    if (expected instanceof Error) $.push(keys, 'name', 'message');
    for (const key of $.each(keys)) {
      const { 0: left, 1: right } = [actual[key], expected[key]];
      const isMatch = right instanceof RegExp && typeof left === 'string' ? $.test(right, left)
        : isDeepStrictEqual(left, right);
      if (isMatch) continue;
      const pick = (source) =>
        Object.fromEntries($.map($.filter(keys, (name) => name in source), (name) => [name, source[name]]));
      fail(pick(actual), pick(expected), message, 'deepStrictEqual');
    }
  }
};
const missing = (expected, message, operator, what) => {
  if (typeof expected === 'string') ({ 0: message, 1: expected } = [expected, undefined]);
  const name = expected?.name ? $.text` (${expected.name})` : '';
  fail(undefined, expected, message instanceof Error ? message
    : $.text`Missing expected ${what}${name}${message ? $.text`: ${message}` : '.'}`, operator);
};
const settle = async (promise) => {
  const value = typeof promise === 'function' ? promise() : promise;
  if (typeof value?.then !== 'function') {
    throw typeof promise === 'function'
      ? create('TypeError', 'ERR_INVALID_RETURN_VALUE',
        'Expected instance of Promise to be returned from the "promiseFn" function')
      : invalidArgType('promiseFn', 'of type function or an instance of Promise', promise);
  }
  try {
    await $.awaited(value);
  } catch (error) {
    return { error };
  }
  return undefined;
};
Object.assign(assert, {
  AssertionError, ok,
  /** @param {any} [message] */
  fail(message = 'Failed') {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message, operator: 'fail' });
    error.generatedMessage = arguments.length === 0;
    throw error;
  },
  throws(body, expected, message) {
    validateFunction(body, 'fn');
    let caught;
    try {
      body();
    } catch (error) {
      caught = { error };
    }
    if (caught === undefined) missing(expected, message, 'throws', 'exception');
    if (typeof expected === 'string') expected = undefined;
    matches(caught.error, expected, message, 'throws');
  },
  doesNotThrow(body, expected, message) {
    validateFunction(body, 'fn');
    try {
      body();
    } catch (error) {
      const text = typeof expected === 'string' ? expected : message;
      fail(error, expected, $.text`Got unwanted exception${text ? $.text`: ${text}` : '.'}\n` +
        $.text`Actual message: "${error?.message}"`, 'doesNotThrow');
    }
  },
  async rejects(promise, expected, message) {
    const caught = await $.awaited(settle(promise));
    if (caught === undefined) missing(expected, message, 'rejects', 'rejection');
    if (typeof expected === 'string') expected = undefined;
    matches(caught.error, expected, message, 'rejects');
  },
  async doesNotReject(promise, expected, message) {
    const caught = await $.awaited(settle(promise));
    if (caught === undefined) return;
    fail(caught.error, expected,
      message ?? $.text`Got unwanted rejection.\nActual message: "${caught.error?.message}"`, 'doesNotReject');
  },
  ifError(value) {
    if (value === null || value === undefined) return;
    fail(value, null, $.text`ifError got unwanted exception: ${value.message ?? inspect(value)}`, 'ifError');
  },
  match(text, pattern, message) {
    if (typeof text !== 'string' || !$.test(pattern, text)) {
      fail(text, pattern, message ?? (typeof text !== 'string'
        ? $.text`The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
        : unmatched(pattern, text)), 'match');
    }
  },
  doesNotMatch(text, pattern, message) {
    if (typeof text === 'string' && $.test(pattern, text)) {
      fail(text, pattern, message ?? $.text`The input was expected to not match the regular expression ` +
        $.text`${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, 'doesNotMatch');
    }
  },
});
const strict = Object.assign(function strict(...args) {
  ok(...$.each(args));
}, assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual,
  deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
Object.assign(assert, { strict });
Object.assign(strict, { strict });
Object.assign(exports, assert);
exports.default = assert;
