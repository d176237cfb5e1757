// node:assert: what it throws. The expected messages are Node's.
import assert from 'node:assert';
import strict from 'node:assert/strict';
import { assertEq, test } from '../harness.mjs';

const thrown = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
const messages = (name, call, expected, code = 'ERR_ASSERTION') => test(name, () => {
  const error = thrown(call);
  assertEq(error.message, expected);
  assertEq(error.code, code);
});

messages('numbers', () => assert.strictEqual(1, 2), 'Expected values to be strictly equal:\n\n1 !== 2\n');
messages('a message comes before the difference', () => assert.strictEqual(1, 2, 'why %d', 3), 'why 3\n\n1 !== 2\n');
messages('strings that differ in the middle', () => assert.strictEqual('hello world!', 'hello warld!'),
  "Expected values to be strictly equal:\n+ actual - expected\n\n+ 'hello world!'\n- 'hello warld!'\n          ^\n");
messages('objects', () => assert.deepStrictEqual({ a: 1, b: [1, 2] }, { a: 1, b: [1, 3], c: 1 }),
  'Expected values to be strictly deep-equal:\n+ actual - expected\n\n  {\n    a: 1,\n    b: [\n      1,\n+     2\n-     3\n    ],\n-   c: 1\n  }\n');
messages('long runs of equal lines', () => assert.deepStrictEqual(Array.from({ length: 20 }, (_, i) => i), Array.from({ length: 20 }, (_, i) => (i === 19 ? 0 : i))),
  'Expected values to be strictly deep-equal:\n+ actual - expected\n... Skipped lines\n\n  [\n    0,\n    1,\n    2,\n    3,\n...\n    18,\n+   19\n-   0\n  ]\n');
messages('equal structures', () => assert.strictEqual({ a: 1 }, { a: 1 }), 'Values have same structure but are not reference-equal:\n\n{\n  a: 1\n}\n');
messages('loosely', () => assert.deepEqual([1], [2]), 'Expected values to be loosely deep-equal:\n\n[\n  1\n]\n\nshould loosely deep-equal\n\n[\n  2\n]');
messages('not', () => assert.notStrictEqual(1, 1), 'Expected "actual" to be strictly unequal to: 1');
messages('partially', () => assert.partialDeepStrictEqual({ a: 1 }, { a: 2 }),
  'Expected values to be partially and strictly deep-equal:\n+ actual - expected\n\n  {\n+   a: 1\n-   a: 2\n  }\n');
messages('no exception', () => assert.throws(() => {}, TypeError), 'Missing expected exception (TypeError).');
messages('another class', () => assert.throws(() => { throw new Error('x'); }, TypeError),
  'The error is expected to be an instance of "TypeError". Received "Error"\n\nError message:\n\nx');
messages('another message', () => assert.throws(() => { throw new Error('x'); }, { message: /y/ }),
  'Expected values to be strictly deep-equal:\n+ actual - expected\n\n  Comparison {\n+   message: \'x\'\n-   message: /y/\n  }\n');
messages('a pattern', () => assert.match('abc', /x/), "The input did not match the regular expression /x/. Input:\n\n'abc'\n");
messages('an unwanted exception', () => assert.doesNotThrow(() => { throw new Error('x'); }, 'm'), 'Got unwanted exception: m\nActual message: "x"');
messages('ifError', () => assert.ifError(new Error('q')), 'ifError got unwanted exception: q');
messages('too few arguments', () => assert.strictEqual(1), 'The "actual" and "expected" arguments must be specified', 'ERR_MISSING_ARGS');
messages('an ambiguous message', () => assert.throws(() => { throw new Error('foo'); }, 'foo'),
  'The "error/message" argument is ambiguous. The error message "foo" is identical to the message.', 'ERR_AMBIGUOUS_ARGUMENT');
messages('fail', () => assert.fail(), 'Failed');
messages('the text of the call', () => assert.ok(null === 1),
  'The expression evaluated to a falsy value:\n\n  assert.ok(null === 1)\n');

test('what an error has', () => {
  const error = thrown(() => strict.equal(1, '1'));
  assertEq(Object.keys(error).join(), 'generatedMessage,code,actual,expected,operator,diff');
  assertEq(`${error.name} ${error.operator} ${error.generatedMessage} ${error.diff}`, 'AssertionError strictEqual true simple');
  assertEq(error.stack.startsWith('AssertionError [ERR_ASSERTION]: Expected values'), true);
});
test('what is equal', () => {
  assert.deepEqual([1, '2'], ['1', 2]);
  assert.deepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }]));
  assert.partialDeepStrictEqual({ a: [1, 2, 3], b: new Set([1, 2]) }, { a: [1, 3], b: new Set([2]) });
  assert.notDeepStrictEqual(new Error('a'), new Error('b'));
  const circle = () => { const it = {}; it.it = it; return it; };
  assert.deepStrictEqual(circle(), circle());
});
test('promises', async () => {
  await assert.rejects(Promise.reject(new TypeError('x')), TypeError);
  await assert.doesNotReject(async () => {});
  assertEq(await assert.rejects(async () => {}).catch((error) => error.message), 'Missing expected rejection.');
  assertEq(await assert.rejects(() => 1).catch((error) => error.code), 'ERR_INVALID_RETURN_VALUE');
});
test('Assert', () => {
  const loose = new assert.Assert({ strict: false, diff: 'full' });
  loose.equal(1, '1');
  assertEq(thrown(() => new assert.Assert().equal(1, '1')).operator, 'strictEqual');
});
