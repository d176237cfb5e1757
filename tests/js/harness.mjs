// A harness that runs on any runtime with `console.log`. A test file imports `test` and the assertions and registers
// its tests; they run one after another, in order, once the file has been evaluated. Output: a line a test, then the
// totals.
//
//     ok <name>
//     ok <name> # differs on V8: <why>           (a deviation of V8, expected; see `onV8`)
//     not ok <name>: <what went wrong>
//     N passed, M failed
//
// The exit code is 1 until the last test has ended well, so that a run which stops half-way counts as failed.

const queue = [];

/** What a test still waits for, with a timer perhaps: a test that leaves any of it behind fails. */
export const awaited = new Set();

const totals = { passed: 0, failed: 0 };
let running = false;

const setExitCode = (code) => { if (globalThis.process) globalThis.process.exitCode = code; };

/** Whether this engine is V8, whose known deviations are marked in the tests. */
export const onV8 = globalThis.tombolo === undefined && globalThis.process?.versions?.v8 !== undefined
  && globalThis.Bun === undefined;

/**
 * Registers a test. `fn` may return a promise. `options.v8` says how V8 deviates from what the test asks: there it must
 * fail, so that the mark goes when V8 changes.
 */
export function test(name, fn, options = {}) {
  queue.push({ name, fn, deviation: onV8 ? options.v8 : undefined });
  if (running) return;
  running = true;
  setExitCode(1);
  Promise.resolve().then(run);
}

async function run() {
  while (queue.length > 0) {
    const { name, fn, deviation } = queue.shift();
    let failure;
    try {
      await fn();
    } catch (error) {
      failure = error instanceof Error ? `${error.name}: ${error.message}` : `threw ${show(error)}`;
    }
    if (awaited.size > 0) {
      failure ??= `AssertionError: ended while it was waiting for ${[...awaited].map(({ what }) => what).join(', ')}`;
      awaited.clear();
    }
    if (deviation !== undefined) {
      if (failure === undefined) failure = `is marked as differing on V8 (${deviation}), and does not`;
      else { failure = undefined; note(`ok ${name} # differs on V8: ${deviation}`, 'passed'); continue; }
    }
    if (failure === undefined) note(`ok ${name}`, 'passed');
    else note(`not ok ${name}: ${failure}`, 'failed');
  }
  running = false;
  console.log(`${totals.passed} passed, ${totals.failed} failed`);
  setExitCode(totals.failed > 0 ? 1 : 0);
}

function note(line, counter) {
  totals[counter] += 1;
  console.log(line.replaceAll('\n', ' '));
}

/** A failed assertion. */
export class AssertionError extends Error {
  get name() { return 'AssertionError'; }
}

/** Fails the running test. */
export function fail(message) { throw new AssertionError(message); }

const explain = (why) => (why === undefined ? '' : `${why}: `);

/** Same value (NaN equals NaN, 0 is not -0). */
export function assertEq(actual, expected, why) {
  if (!Object.is(actual, expected)) fail(`${explain(why)}expected ${show(expected)}, got ${show(actual)}`);
}

/** A value that counts as true. */
export function assert(value, why) {
  if (!value) fail(`${explain(why)}expected something true, got ${show(value)}`);
}

/** Two lists of the same values. */
export function assertList(actual, expected, why) {
  const [got, want] = [Array.from(actual), Array.from(expected)];
  if (got.length !== want.length || got.some((value, i) => !Object.is(value, want[i]))) {
    fail(`${explain(why)}expected [${want.map(show).join(', ')}], got [${got.map(show).join(', ')}]`);
  }
}

/** What `fn` throws. */
export function thrown(fn, expected, why) {
  let result;
  try {
    result = fn();
  } catch (error) {
    return error;
  }
  fail(`${explain(why)}expected ${expected}, got the result ${show(result)}`);
}

/** `fn` throws an error whose class is exactly `Class`, with a message that matches `pattern` if there is one. */
export function assertThrows(Class, fn, pattern) {
  return checkError(Class, thrown(fn, Class.name), pattern);
}

/** `fn` throws this very value. */
export function assertThrowsValue(value, fn) {
  assertEq(thrown(fn, 'a throw'), value, 'thrown value');
}

/** `fn` returns a promise (and does not throw) that rejects with an error of class `Class`. */
export async function assertRejects(Class, fn, pattern) {
  let promise;
  try {
    promise = fn();
  } catch (error) {
    fail(`expected a rejected promise, but the call threw ${show(error)}`);
  }
  assert(promise instanceof Promise, 'is a promise');
  let result;
  try {
    result = await promise;
  } catch (error) {
    return checkError(Class, error, pattern);
  }
  fail(`expected a rejection with ${Class.name}, got the result ${show(result)}`);
}

/** What a promise was rejected with. */
export async function rejection(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  return fail(`expected a rejection, got ${String(value)}`);
}

function checkError(Class, error, pattern) {
  if (Object(error) !== error || Object.getPrototypeOf(error) !== Class.prototype) {
    fail(`expected ${Class.name}, got ${show(error)}`);
  }
  if (pattern !== undefined && !pattern.test(error.message)) fail(`${show(error)} does not match ${pattern}`);
  return error;
}

/** A property and its attributes: `flags` names those that are true, of w(ritable), e(numerable), c(onfigurable). */
export function assertProperty(object, key, flags, why = String(key)) {
  const found = Object.getOwnPropertyDescriptor(object, key);
  assert(found !== undefined, `${why}: is an own property`);
  const actual = (found.writable ? 'w' : '') + (found.enumerable ? 'e' : '') + (found.configurable ? 'c' : '');
  assertEq(actual, flags, `${why}: attributes`);
  return found;
}

/** A short text for any value. */
export function show(value) {
  switch (typeof value) {
    case 'string': return JSON.stringify(value);
    case 'bigint': return `${value}n`;
    case 'symbol': return value.toString();
    case 'number': return Object.is(value, -0) ? '-0' : String(value);
    case 'function': return `function ${value.name}`;
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Error) return `${value.name}: ${value.message}`;
      return Object.prototype.toString.call(value);
    default: return String(value);
  }
}
