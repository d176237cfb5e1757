// A stand-in for testharness.js, with what the tests of the JavaScript API use of it. For each subtest it prints
// `@PASS NAME` or `@FAIL NAME @@ WHY`, and `@END` after the last.
(function () {
  const global = globalThis;
  global.self ??= global;

  class AssertionError extends Error {}

  const show = (value) => {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (Object.is(value, -0)) return '-0';
    if (typeof value === 'function') return `function ${value.name}`;
    if (value === null || typeof value !== 'object') return String(value);
    try { return Object.prototype.toString.call(value); } catch { return 'an object'; }
  };
  const fail = (message, description) => {
    throw new AssertionError(description === undefined ? message : `${description}: ${message}`);
  };
  const check = (holds, message, description) => { if (!holds) fail(message(), description); };

  const assertions = {
    format_value: show,
    assert_true: (value, why) => check(value === true, () => `expected true, got ${show(value)}`, why),
    assert_false: (value, why) => check(value === false, () => `expected false, got ${show(value)}`, why),
    assert_equals: (got, want, why) => check(Object.is(got, want), () => `expected ${show(want)}, got ${show(got)}`, why),
    assert_not_equals: (got, other, why) => check(!Object.is(got, other), () => `got ${show(got)}`, why),
    assert_array_equals: (got, want, why) => {
      check(got.length === want.length, () => `expected ${want.length} elements, got ${got.length}`, why);
      for (let i = 0; i < want.length; i += 1) {
        check(Object.is(got[i], want[i]), () => `element ${i}: expected ${show(want[i])}, got ${show(got[i])}`, why);
      }
    },
    assert_in_array: (got, list, why) => check(list.includes(got), () => `${show(got)} is not in the list`, why),
    assert_less_than: (a, b, why) => check(a < b, () => `${show(a)} is not less than ${show(b)}`, why),
    assert_greater_than: (a, b, why) => check(a > b, () => `${show(a)} is not greater than ${show(b)}`, why),
    assert_greater_than_equal: (a, b, why) => check(a >= b, () => `${show(a)} is less than ${show(b)}`, why),
    assert_own_property: (object, key, why) => check(Object.hasOwn(object, key), () => `has no own ${String(key)}`, why),
    assert_not_own_property: (object, key, why) => check(!Object.hasOwn(object, key), () => `has an own ${String(key)}`, why),
    assert_class_string: (object, name, why) => {
      const got = Object.prototype.toString.call(object);
      check(got === `[object ${name}]`, () => `expected [object ${name}], got ${got}`, why);
    },
    assert_implements: (value, why) => check(value, () => 'is not implemented', why),
    assert_implements_optional: (value, why) => check(value, () => 'is not implemented', why),
    assert_unreached: (why) => fail('was reached', why),
    assert_throws_js: (Class, fn, why) => instance(thrown(fn, why), Class, why),
    assert_throws_exactly: (value, fn, why) => {
      const error = thrown(fn, why);
      check(Object.is(error, value), () => `threw ${show(error)}`, why);
    },
    assert_throws: (like, fn, why) => named(thrown(fn, why), like, why),
    promise_rejects_js: (t, Class, promise, why) => rejected(promise, why).then((error) => instance(error, Class, why)),
    promise_rejects_exactly: (t, value, promise, why) =>
      rejected(promise, why).then((error) => check(Object.is(error, value), () => `rejected with ${show(error)}`, why)),
    promise_rejects: (t, like, promise, why) => rejected(promise, why).then((error) => named(error, like, why)),
  };
  Object.assign(global, assertions);

  function thrown(fn, why) {
    try { fn(); } catch (error) { return error; }
    return fail('did not throw', why);
  }
  const rejected = (promise, why) => Promise.resolve(promise).then(() => fail('did not reject', why), (error) => error);
  function instance(error, Class, why) {
    if (error instanceof AssertionError) throw error;
    check(Object(error) === error, () => `threw ${show(error)}, which is no object`, why);
    check(error.constructor === Class, () => `threw ${error.name} (${error.message}), not ${Class.name}`, why);
  }
  function named(error, like, why) {
    if (like?.name) check(error.name === like.name, () => `threw ${error.name}, not ${like.name}`, why);
  }

  class Test {
    cleanups = [];
    ended = Promise.withResolvers();
    constructor(name) { this.name = name; }
    step(fn, ...args) { return fn.apply(this, args); }
    step_func(fn) { return (...args) => this.#guard(fn, args); }
    step_func_done(fn) {
      return (...args) => { this.#guard(fn, args); this.done(); };
    }
    #guard(fn, args) {
      try { return fn?.apply(this, args); } catch (error) { this.ended.reject(error); return undefined; }
    }
    unreached_func(why) { return () => fail('was reached', why); }
    add_cleanup(fn) { this.cleanups.push(fn); }
    step_timeout(fn, delay) { return setTimeout(fn, delay); }
    done() { this.ended.resolve(); }
    clean() { for (const fn of this.cleanups) { try { fn(); } catch { /* as the test has ended */ } } }
  }

  const results = [];
  const waiting = [];
  let untitled = 0;
  const title = (name) => (typeof name === 'string' ? name : `untitled ${untitled += 1}`).replace(/\s+/g, ' ').slice(0, 200);
  const note = (test, error) => {
    results.push(error === undefined ? `@PASS ${test.name}`
      : `@FAIL ${test.name} @@ ${String(error.value?.message || error.value).replace(/\s+/g, ' ').slice(0, 200)}`);
    test.clean();
  };

  global.setup = (fn) => { if (typeof fn === 'function') fn(); };
  global.done = () => {};
  global.test = (fn, name) => {
    const test = new Test(title(name));
    let error;
    try { fn.call(test, test); } catch (value) { error = { value }; }
    note(test, error);
  };
  global.promise_test = (fn, name) => {
    const test = new Test(title(name));
    waiting.push([test, () => fn.call(test, test)]);
  };
  global.async_test = (fn, name) => {
    const test = new Test(title(typeof fn === 'string' ? fn : name));
    waiting.push([test, () => test.ended.promise]);
    if (typeof fn === 'function') {
      try { fn.call(test, test); } catch (error) { test.ended.reject(error); }
    }
    return test;
  };

  // A subtest that waits without end must not hide the others.
  const limit = (promise) => {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('timeout')), 8000); });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  };
  global.finishTests = async () => {
    for (const [test, run] of waiting) {
      let error;
      try { await limit(Promise.resolve().then(run)); } catch (value) { error = { value }; }
      note(test, error);
    }
    for (const line of results) console.log(line);
    console.log('@END');
    // Whatever a subtest has left running.
    process.exit(0);
  };
})();
