// node:assert.
const { inspect, isError, isPromise, brand } = require('inspect');
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateFunction, validateObject, validateOneOf } = require('validators');
const { isDeepEqual, isDeepStrictEqual, isLooselyEqual, isPartlyEqual } = require('deep_equal');
const { AssertionError } = require('assertion_error');

/** The message of an assertion: text, text to format, an error to throw, or a function that makes it. */
const messageFrom = (args, error) => {
  let { 0: message } = args;
  if (args.length > 1 && typeof message === 'string') return require('inspect').format(...$.each(args));
  if (typeof message === 'function') {
    if (args.length > 1) throw invalidArgValue('message', message, 'must not be a function with further arguments');
    message = message(error.actual, error.expected);
    if (message !== undefined && typeof message !== 'string') return undefined;
  }
  return message;
};
const isThrown = (message) => isError(message) || message instanceof Error;

/** Throws; `args` is what the caller gave as a message. */
const fail = (details, args) => {
  const message = messageFrom(args, details);
  if (isThrown(message)) throw message;
  if (message !== undefined && message !== null && typeof message !== 'string') {
    throw invalidArgType('message', 'one of type string, function, or an instance of Error', message);
  }
  throw new AssertionError({ ...details, message });
};

const ok = (count, value, args, stackStartFn, diff) => {
  if (value) return;
  let generatedMessage = false;
  let list = args;
  if (count === 0) {
    generatedMessage = true;
    list = ['No value argument passed to `assert.ok()`'];
  } else if (args.length === 0 || args[0] === undefined || args[0] === null) {
    generatedMessage = true;
    // (Where the text is not to be had, the message is that of a comparison.)
    list = [require('call_text').falsy(stackStartFn)];
  }
  const message = messageFrom(list, { actual: value, expected: true });
  if (isThrown(message)) throw message;
  const error = new AssertionError({ actual: value, expected: true, message, operator: '==', stackStartFn, diff });
  /** @type {any} */ (error).generatedMessage = generatedMessage;
  throw error;
};

class Comparison {
  constructor(source, keys, other = undefined) {
    for (const key of $.each(keys)) {
      if (!(key in source)) continue;
      const isMatch = other !== undefined && typeof other[key] === 'string' && brand.RegExp(source[key] ?? 0) &&
        $.test(source[key], other[key]);
      this[key] = isMatch ? other[key] : source[key];
    }
  }
}
const describeInput = (isExpected) =>
  $.text`The input ${isExpected ? 'did not match' : 'was expected to not match'} the regular expression `;

/** Throws if what was caught is not what the test expects: a class, a pattern, a shape or a predicate. */
const checkCaught = (actual, expected, message, caller) => {
  const operator = caller.name;
  const rest = message === undefined ? [] : [message];
  let isGenerated = false;
  let throwsActual = false;
  let made = message;
  if (typeof expected !== 'function') {
    if (brand.RegExp(expected)) {
      const text = String(actual);
      if ($.test(expected, text)) return;
      if (message === undefined) {
        isGenerated = true;
        made = $.text`${describeInput(true)}${inspect(expected)}. Input:\n\n${inspect(text)}\n`;
      }
    } else if (typeof actual !== 'object' || actual === null) {
      const error = new AssertionError({ actual, expected, message, operator: 'deepStrictEqual', stackStartFn: caller });
      /** @type {any} */ (error).operator = operator;
      throw error;
    } else {
      const keys = Object.keys(expected);
      if (expected instanceof Error) $.push(keys, 'name', 'message');
      else if (keys.length === 0) throw invalidArgValue('error', expected, 'may not be an empty object');
      for (const key of $.each(keys)) {
        const isMatch = typeof actual[key] === 'string' && isRegExp(expected[key]) && $.test(expected[key], actual[key]);
        if (isMatch || (key in actual && isDeepStrictEqual(actual[key], expected[key]))) continue;
        if (message !== undefined) fail({ actual, expected, operator, stackStartFn: caller }, rest);
        const error = new AssertionError({
          actual: new Comparison(actual, keys), expected: new Comparison(expected, keys, actual),
          operator: 'deepStrictEqual', stackStartFn: caller,
        });
        throw Object.assign(error, { actual, expected, operator });
      }
      return;
    }
  } else if (expected.prototype !== undefined && actual instanceof expected) {
    return;
  } else if ($.isPrototypeOf(Error, expected)) {
    if (message === undefined) {
      isGenerated = true;
      made = $.text`The error is expected to be an instance of "${expected.name}". Received `;
      made += isError(actual) || actual instanceof Error
        ? $.text`"${actual.constructor?.name ?? actual.name}"` : $.text`"${inspect(actual, { depth: -1 })}"`;
    }
    throwsActual = true;
  } else {
    const result = Reflect.apply(expected, {}, [actual]);
    if (result === true) return;
    if (message === undefined) {
      isGenerated = true;
      const name = expected.name ? $.text`"${expected.name}" ` : '';
      made = $.text`The ${name}validation function is expected to return "true". Received ${inspect(result)}`;
    }
    throwsActual = true;
  }
  if (throwsActual && isGenerated && (isError(actual) || actual instanceof Error)) {
    made += $.text`\n\nCaught error:\n\n${actual}`;
    if ($.isPrototypeOf(Error, expected)) {
      made = $.text`${$.slice(made, 0, $.indexOf(made, '\n\nCaught'))}\n\nError message:\n\n${actual.message}`;
    }
  }
  const error = new AssertionError({ actual, expected, message: made, operator, stackStartFn: caller });
  /** @type {any} */ (error).generatedMessage = isGenerated;
  throw error;
};
const isRegExp = (value) => value !== null && typeof value === 'object' && brand.RegExp(value);

const nothing = Symbol('nothing');
const caughtBy = (body) => {
  validateFunction(body, 'fn');
  try {
    body();
  } catch (error) {
    return error;
  }
  return nothing;
};
const isThenable = (value) => isPromise(value) ||
  (value !== null && typeof value === 'object' && typeof value.then === 'function' && typeof value.catch === 'function');
const caughtFrom = async (promiseFn) => {
  let promise = promiseFn;
  if (typeof promiseFn === 'function') {
    promise = promiseFn();
    if (!isThenable(promise)) {
      const text = $.slice(require('errors').received(promise), ' Received '.length);
      throw create('TypeError', 'ERR_INVALID_RETURN_VALUE',
        $.text`Expected instance of Promise to be returned from the "promiseFn" function but got ${text}.`);
    }
  } else if (!isThenable(promise)) {
    throw invalidArgType('promiseFn', 'of type function or an instance of Promise', promiseFn);
  }
  try {
    await $.awaited(promise);
  } catch (error) {
    return error;
  }
  return nothing;
};

const expectsError = (caller, actual, expected, message, count) => {
  if (typeof expected === 'string') {
    if (count === 4) throw invalidArgType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
    if (typeof actual === 'object' && actual !== null) {
      if (actual.message === expected) throw ambiguous($.text`The error message "${actual.message}" is identical to the message.`);
    } else if (actual === expected) {
      throw ambiguous($.text`The error "${actual}" is identical to the message.`);
    }
    message = expected;
    expected = undefined;
  } else if (expected != null && typeof expected !== 'object' && typeof expected !== 'function') {
    throw invalidArgType('error', 'of type function or an instance of Error, RegExp, or Object', expected);
  }
  if (actual === nothing) {
    let details = expected?.name ? $.text` (${expected.name})` : '';
    details += message ? $.text`: ${message}` : '.';
    const kind = caller.name === 'rejects' ? 'rejection' : 'exception';
    fail({ actual: undefined, expected, operator: caller.name, stackStartFn: caller },
      [$.text`Missing expected ${kind}${details}`]);
  }
  if (expected != null) checkCaught(actual, expected, message, caller);
};
const ambiguous = (reason) => create('TypeError', 'ERR_AMBIGUOUS_ARGUMENT',
  $.text`The "error/message" argument is ambiguous. ${reason}`);

const expectsNoError = (caller, actual, error, message) => {
  if (actual === nothing) return;
  if (typeof error === 'string') {
    message = error;
    error = undefined;
  }
  const matches = (expected) => {
    if (typeof expected === 'function') {
      if (expected.prototype !== undefined && actual instanceof expected) return true;
      return $.isPrototypeOf(Error, expected) ? false : Reflect.apply(expected, {}, [actual]) === true;
    }
    if (isRegExp(expected)) return $.test(expected, String(actual));
    throw invalidArgType('expected', 'of type function or an instance of RegExp', expected);
  };
  if (error && !matches(error)) throw actual;
  const kind = caller.name === 'doesNotReject' ? 'rejection' : 'exception';
  const details = message ? $.text`: ${message}` : '.';
  fail({ actual, expected: error, operator: caller.name, stackStartFn: caller },
    [$.text`Got unwanted ${kind}${details}\nActual message: "${actual?.message}"`]);
};

const needsTwo = (count) => {
  if (count < 2) {
    throw create('TypeError', 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
  }
};
/** Gives an object the functions; `options` are those of an `Assert`. */
const install = (target, options) => {
  // A function that is called without its object knows nothing of the object's options.
  const diffOf = (self) => (self === target ? options.diff : undefined);
  const comparison = (name, holds, operator = name) => {
    const call = { [name](actual, expected) {
      needsTwo(arguments.length);
      if (holds(actual, expected, this)) return;
      const args = $.slice($.arrayFrom(arguments), 2);
      fail({ actual, expected, operator, stackStartFn: call, diff: diffOf(this) }, args);
    } }[name];
    target[name] = call;
  };
  const isSkipping = (self) => self === target && options.skipPrototype === true;
  target.fail = function (message) {
    if (isThrown(message)) throw message;
    const isGenerated = message === undefined;
    const error = new AssertionError({
      operator: 'fail', stackStartFn: target.fail, message: isGenerated ? 'Failed' : message,
      diff: diffOf(this),
    });
    /** @type {any} */ (error).generatedMessage = isGenerated;
    throw error;
  };
  Object.defineProperty(target.fail, 'name', { value: 'fail' });
  comparison('equal', isLooselyEqual, '==');
  comparison('notEqual', (a, b) => !isLooselyEqual(a, b), '!=');
  comparison('deepEqual', isDeepEqual);
  comparison('notDeepEqual', (a, b) => !isDeepEqual(a, b));
  comparison('deepStrictEqual', (a, b, self) => isDeepStrictEqual(a, b, isSkipping(self)));
  comparison('notDeepStrictEqual', (a, b, self) => !isDeepStrictEqual(a, b, isSkipping(self)));
  comparison('strictEqual', Object.is);
  comparison('notStrictEqual', (a, b) => !Object.is(a, b));
  comparison('partialDeepStrictEqual', isPartlyEqual);
  for (const name of $.each(['match', 'doesNotMatch'])) {
    const isExpected = name === 'match';
    target[name] = { [name](text, pattern, ...args) {
      if (!isRegExp(pattern)) throw invalidArgType('regexp', 'an instance of RegExp', pattern);
      if (typeof text === 'string' && $.test(pattern, text) === isExpected) return;
      const message = messageFrom(args, { actual: text, expected: pattern });
      if (isThrown(message)) throw message;
      const error = new AssertionError({
        actual: text, expected: pattern, operator: name, stackStartFn: target[name], diff: diffOf(this),
        message: message ?? (typeof text !== 'string'
          ? $.text`The "string" argument must be of type string. Received type ${typeof text} (${inspect(text)})`
          : $.text`${describeInput(isExpected)}${inspect(pattern)}. Input:\n\n${inspect(text)}\n`),
      });
      /** @type {any} */ (error).generatedMessage = message === undefined || message === null;
      throw error;
    } }[name];
  }
  target.throws = function throws(body, ...args) {
    expectsError(throws, caughtBy(body), args[0], args[1], args.length + 2);
  };
  target.rejects = async function rejects(promise, ...args) {
    expectsError(rejects, await $.awaited(caughtFrom(promise)), args[0], args[1], args.length + 2);
  };
  target.doesNotThrow = function doesNotThrow(body, ...args) {
    expectsNoError(doesNotThrow, caughtBy(body), args[0], args[1]);
  };
  target.doesNotReject = async function doesNotReject(body, ...args) {
    expectsNoError(doesNotReject, await $.awaited(caughtFrom(body)), args[0], args[1]);
  };
  target.ifError = function ifError(error) {
    if (error === null || error === undefined) return;
    let text = 'ifError got unwanted exception: ';
    if (typeof error === 'object' && typeof error.message === 'string') {
      text += error.message.length === 0 && error.constructor ? error.constructor.name : error.message;
    } else {
      text += inspect(error);
    }
    const made = new AssertionError({
      actual: error, expected: null, operator: 'ifError', message: text, stackStartFn: ifError, diff: diffOf(this),
    });
    /** @type {any} */ (made).generatedMessage = false;
    throw made;
  };
  return target;
};

const order = ['fail', 'equal', 'notEqual', 'deepEqual', 'notDeepEqual', 'deepStrictEqual', 'notDeepStrictEqual',
  'strictEqual', 'notStrictEqual', 'partialDeepStrictEqual', 'match', 'doesNotMatch', 'throws', 'rejects',
  'doesNotThrow', 'doesNotReject', 'ifError'];
const loosely = { equal: 'strictEqual', notEqual: 'notStrictEqual', deepEqual: 'deepStrictEqual',
  notDeepEqual: 'notDeepStrictEqual' };
const made = install({}, {});

/**
 * @this {any}
 * @param {any} [options]
 */
function Assert(options) {
  if (!new.target) {
    throw create('TypeError', 'ERR_CONSTRUCT_CALL_REQUIRED', "Class constructor Assert cannot be invoked without 'new'");
  }
  const { strict = true, skipPrototype = false, diff = 'simple' } = options ?? { __proto__: null };
  if (options !== undefined) validateObject(options, 'options');
  if (options?.diff !== undefined) validateOneOf(diff, 'options.diff', ['simple', 'full']);
  const it = install(this, { diff, skipPrototype });
  it.AssertionError = AssertionError;
  it.ok = function ok_(...args) {
    ok(args.length, args[0], $.slice(args, 1), it.ok, this === it ? diff : undefined);
  };
  Object.defineProperty(it.ok, 'name', { value: 'ok' });
  if (strict) for (const name of $.each(Object.keys(loosely))) it[name] = it[loosely[name]];
}
const prototype = /** @type {any} */ (Assert.prototype);
for (const name of $.each(order)) prototype[name] = made[name];
prototype.ok = { ok(...args) {
  ok(args.length, args[0], $.slice(args, 1), prototype.ok);
} }.ok;

/** @type {any} */
const assert = function (...args) {
  ok(args.length, args[0], $.slice(args, 1), assert);
};
/** @type {any} */
const strict = function (...args) {
  ok(args.length, args[0], $.slice(args, 1), strict);
};
Object.defineProperty(assert, 'name', { value: 'ok' });
Object.defineProperty(strict, 'name', { value: 'strict' });
assert.AssertionError = AssertionError;
assert.ok = { ok(...args) {
  ok(args.length, args[0], $.slice(args, 1), assert.ok);
} }.ok;
Object.assign(assert, Object.fromEntries($.map(order, (name) => [name, made[name]])));
Object.assign(strict, assert);
for (const name of $.each(Object.keys(loosely))) strict[name] = strict[loosely[name]];
assert.strict = strict;
assert.Assert = Assert;
strict.Assert = Assert;
strict.strict = strict;

Object.assign(exports, assert);
exports.assert = assert;
exports['assert/strict'] = strict;
exports.default = assert;
