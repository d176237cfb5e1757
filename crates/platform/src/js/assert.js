// node:assert.
const { inspect } = require('inspect');
const { invalidArgType, create, checkFunction } = require('errors');
const { isDeepEqual, isDeepStrictEqual } = require('deep_equal');

const show = (value) => inspect(value, { depth: 1000, maxArrayLength: Infinity, sorted: true, getters: true, customInspect: false });
const headlines = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:', strictEqual: 'Expected values to be strictly equal:',
  deepEqual: 'Expected values to be loosely deep-equal:', equal: 'Expected values to be loosely equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:', notEqual: 'Expected "actual" to be loosely unequal to:',
};
const describe = (actual, expected, operator) => {
  const head = headlines[operator];
  if (head === undefined) return `${show(actual)} ${operator} ${show(expected)}`;
  const [left, right] = [show(actual), show(expected)];
  if (operator === 'equal' || operator === 'notEqual') return `${left} ${operator === 'equal' ? '==' : '!='} ${right}`;
  if (operator.startsWith('not')) return `${head} ${right.includes('\n') ? `\n\n${right}` : right}`;
  if (operator === 'strictEqual' && !left.includes('\n') && !right.includes('\n')) return `${head}\n\n${left} !== ${right}\n`;
  if (operator === 'deepEqual') return `${head}\n\n${left}\n\nshould loosely deep-equal\n\n${right}`;
  // A line diff by longest common subsequence.
  const [a, b] = [left.split('\n'), right.split('\n')];
  const table = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push(`  ${a[i++]}`);
      j++;
    } else if (i < a.length && (j >= b.length || table[i + 1][j] >= table[i][j + 1])) lines.push(`+ ${a[i++]}`);
    else lines.push(`- ${b[j++]}`);
  }
  return `${head}\n+ actual - expected\n\n${lines.join('\n')}`;
};

class AssertionError extends Error {
  constructor(options) {
    if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
    const { message, operator, actual, expected } = options;
    super(message != null ? String(message) : describe(actual, expected, operator));
    this.generatedMessage = message == null;
    Object.defineProperty(this, 'name', { value: 'AssertionError', enumerable: false, writable: true, configurable: true });
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    const { stack } = this;
    const at = stack.indexOf('\n    at');
    Object.defineProperty(this, 'stack', {
      value: `AssertionError [ERR_ASSERTION]: ${this.message}${at < 0 ? '' : stack.slice(stack.indexOf('\n    at', this.message.length))}`,
      enumerable: false, writable: true, configurable: true,
    });
  }
  toString() {
    return `${this.name} [${this.code}]: ${this.message}`;
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
const assert = function assert(...args) {
  ok(...args);
};
const compare = (name, check) => {
  assert[name] = { [name](actual, expected, message) {
    if (!check(actual, expected)) fail(actual, expected, message, name);
  } }[name];
};
compare('equal', (a, b) => a == b || (a !== a && b !== b));
compare('notEqual', (a, b) => !(a == b || (a !== a && b !== b)));
compare('strictEqual', Object.is);
compare('notStrictEqual', (a, b) => !Object.is(a, b));
compare('deepEqual', isDeepEqual);
compare('notDeepEqual', (a, b) => !isDeepEqual(a, b));
compare('deepStrictEqual', isDeepStrictEqual);
compare('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b));

// Whether `actual` is the error that a test expects: class, pattern, shape or predicate.
const matches = (actual, expected, message, operator) => {
  if (expected === undefined) return;
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && actual instanceof expected) return;
    if (Error.isPrototypeOf(expected) || expected === Error) {
      if (message !== undefined) fail(actual, expected, message, operator);
      throw actual;
    }
    if (expected.call({}, actual) === true) return;
    fail(actual, expected, message ?? `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(expected.call({}, actual))}\n\nCaught error:\n\n${inspect(actual)}`, operator);
  } else if (expected instanceof RegExp) {
    const text = String(actual);
    if (!expected.test(text)) {
      fail(actual, expected, message ?? `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(text)}\n`, operator);
    }
  } else {
    const keys = Object.keys(expected);
    if (expected instanceof Error) keys.push('name', 'message');
    for (const key of keys) {
      const [left, right] = [actual[key], expected[key]];
      if (right instanceof RegExp && typeof left === 'string' ? right.test(left) : isDeepStrictEqual(left, right)) continue;
      const pick = (source) => Object.fromEntries(keys.filter((name) => name in source).map((name) => [name, source[name]]));
      fail(pick(actual), pick(expected), message, 'deepStrictEqual');
    }
  }
};
const missing = (expected, message, operator, what) => {
  if (typeof expected === 'string') [message, expected] = [expected, undefined];
  const name = expected?.name ? ` (${expected.name})` : '';
  fail(undefined, expected, message instanceof Error ? message : `Missing expected ${what}${name}${message ? `: ${message}` : '.'}`, operator);
};
const settle = async (promise) => {
  const value = typeof promise === 'function' ? promise() : promise;
  if (typeof value?.then !== 'function') {
    throw typeof promise === 'function'
      ? create('TypeError', 'ERR_INVALID_RETURN_VALUE', 'Expected instance of Promise to be returned from the "promiseFn" function')
      : invalidArgType('promiseFn', 'of type function or an instance of Promise', promise);
  }
  try {
    await value;
  } catch (error) {
    return { error };
  }
  return undefined;
};
Object.assign(assert, {
  AssertionError, ok,
  fail(message = 'Failed') {
    if (message instanceof Error) throw message;
    const error = new AssertionError({ message, operator: 'fail' });
    error.generatedMessage = arguments.length === 0;
    throw error;
  },
  throws(body, expected, message) {
    checkFunction(body, 'fn');
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
    checkFunction(body, 'fn');
    try {
      body();
    } catch (error) {
      const text = typeof expected === 'string' ? expected : message;
      fail(error, expected, `Got unwanted exception${text ? `: ${text}` : '.'}\nActual message: "${error?.message}"`, 'doesNotThrow');
    }
  },
  async rejects(promise, expected, message) {
    const caught = await settle(promise);
    if (caught === undefined) missing(expected, message, 'rejects', 'rejection');
    if (typeof expected === 'string') expected = undefined;
    matches(caught.error, expected, message, 'rejects');
  },
  async doesNotReject(promise, expected, message) {
    const caught = await settle(promise);
    if (caught !== undefined) fail(caught.error, expected, message ?? `Got unwanted rejection.\nActual message: "${caught.error?.message}"`, 'doesNotReject');
  },
  ifError(value) {
    if (value !== null && value !== undefined) fail(value, null, `ifError got unwanted exception: ${value.message ?? inspect(value)}`, 'ifError');
  },
  match(text, pattern, message) {
    if (typeof text !== 'string' || !pattern.test(text)) {
      fail(text, pattern, message ?? (typeof text !== 'string'
        ? `The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
        : `The input did not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`), 'match');
    }
  },
  doesNotMatch(text, pattern, message) {
    if (typeof text === 'string' && pattern.test(text)) {
      fail(text, pattern, message ?? `The input was expected to not match the regular expression ${inspect(pattern)}. Input:\n\n${inspect(text)}\n`, 'doesNotMatch');
    }
  },
});
const strict = Object.assign(function strict(...args) {
  ok(...args);
}, assert, {
  equal: assert.strictEqual, notEqual: assert.notStrictEqual, deepEqual: assert.deepStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
assert.strict = strict;
strict.strict = strict;
Object.assign(exports, assert, { default: assert });
