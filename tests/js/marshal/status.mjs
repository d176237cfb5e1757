// Results that say whether the call failed.
import { borrowed, nonNull, owned, StatusError, StatusType, StringType } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, thrown } from '../harness.mjs';
import { assertIncludes, thrownBy } from './load.mjs';
import { copy, guestTest, inout, leavesNothing, out, result, t, underEveryBudget, view } from './vocabulary.mjs';

const status = (options, type) => new StatusType(type, options);

guestTest('0 is success, and no result', (guest) => {
  const call = (type, code) => guest.call('status_of', [t.i32], type, code);
  for (const type of [new StatusType(), status({}), status(undefined, t.i32), new StatusType(null)]) {
    assertEq(call(type, 0), undefined);
    for (const code of [1, -1, 21, -2147483648]) {
      const error = thrown(() => call(type, code), 'a StatusError');
      assertEq(Object.getPrototypeOf(error), StatusError.prototype);
      assert(error instanceof Error);
      assertEq(error.name, 'StatusError');
      assertEq(error.code, code);
      assertEq(error.function, 'status_of');
      assertIncludes(error.message, 'status_of', String(code));
      assertEq(typeof error.stack, 'string');
    }
  }
});

guestTest('several successes are results', (guest) => {
  const type = status({ success: [100, 101] });
  assertEq(guest.call('status_of', [t.i32], type, 100), 100);
  assertEq(guest.call('status_of', [t.i32], type, 101), 101);
  for (const code of [0, 99]) assertEq(thrown(() => guest.call('status_of', [t.i32], type, code), 'an error').code, code);
  assertEq(guest.call('status_of', [t.i32], status({ success: [7] }), 7), undefined);
});

guestTest('failures: all others are results', (guest) => {
  const type = status({ failure: [-1, -2] });
  for (const value of [0, 5, -3]) assertEq(guest.call('status_of', [t.i32], type, value), value);
  for (const code of [-1, -2]) assertEq(thrown(() => guest.call('status_of', [t.i32], type, code), 'an error').code, code);
  assertEq(guest.call('echo_u32', [t.u32], status({ failure: [4294967295] }, t.u32), 5), 5);
  assertEq(thrown(() => guest.call('echo_u32', [t.u32], status({ failure: [4294967295] }, t.u32), 4294967295), 'an error').code, 4294967295);
  const wide = status({ failure: [-1] }, t.i64);
  assertEq(guest.call('echo_i64', [t.i64], wide, 2n ** 40n), 2n ** 40n);
  const { code } = thrown(() => guest.call('echo_i64', [t.i64], wide, -1n), 'an error');
  assert(code === -1 || code === -1n, String(code));
  assertEq(thrown(() => guest.call('echo_i8', [t.i8], status({ failure: [-1] }, t.i8), -1), 'an error').code, -1);
  assertEq(guest.call('echo_bool', [t.bool], status({ failure: [0] }, t.bool), true), true);
  assertEq(thrown(() => guest.call('echo_bool', [t.bool], status({ failure: [0] }, t.bool), false), 'an error').code, 0);
});

guestTest('a pointer that is null is a failure', (guest) => {
  const type = status({ failure: [0] }, t.string);
  assertEq(guest.call('copy_string', [t.string], type, 'text'), 'text');
  const error = thrown(() => guest.call('copy_string', [t.string], type, null), 'an error');
  assertEq(error.code, 0);
  assertEq(guest.call('copy_string', [t.string], new StatusType(t.string), 'text'), 'text');
  thrown(() => guest.call('copy_string', [t.string], new StatusType(t.string), null), 'an error');
  assertEq(guest.call('name_of', [t.i32], status({ failure: [0] }, borrowed(t.string)), 1), 'one');
  leavesNothing(guest, () => thrown(() => guest.call('name_of', [t.i32], status({ failure: [0] }, borrowed(t.string)), 9), 'an error'));
  leavesNothing(guest, () => assertThrows(RangeError, () => guest.call('name_of', [t.i32], nonNull(borrowed(t.string)), 9), /null/));
});

guestTest('an error of one’s own', (guest) => {
  const seen = [];
  const type = (make) => status({ error: (...args) => { seen.push(args.slice(0, 2)); return make(args); } });
  const call = (make) => thrown(() => guest.call('status_of', [t.i32], type(make), 5), 'an error');
  const error = call(() => 'out of luck');
  assertEq(Object.getPrototypeOf(error), StatusError.prototype);
  assertIncludes(error.message, 'out of luck');
  assertEq(error.code, 5);
  assertList(seen[0], [5, 'status_of']);
  const mine = new TypeError('mine');
  assertEq(call(() => mine), mine);
  const other = new Error('other');
  assertEq(call(() => { throw other; }), other);
  assert(call(() => undefined) instanceof StatusError);
  assertEq(call(() => 5).constructor, TypeError);
});

guestTest('results beside a status, the message by an out-parameter', (guest) => {
  const params = [t.i32, result(t.string)];
  assertEq(underEveryBudget(guest, () => guest.call('fail_with', params, new StatusType(), 0) ?? undefined).value, undefined);
  leavesNothing(guest, () => assertEq(thrown(() => guest.call('fail_with', params, new StatusType(), 2), 'an error').code, 2));
  const several = guest.call('fail_with', params, status({ success: [0, 2] }), 2);
  assertList(several, [2, 'two']);
  const two = [result(t.string), result(t.string), t.i32];
  assertList(guest.call('make_two', two, new StatusType(), 0), ['first', 'second']);
  leavesNothing(guest, () => assertEq(thrown(() => guest.call('make_two', two, new StatusType(), 1), 'an error').code, -1));
});

guestTest('failures half-way: what was written comes out all the same, and nothing is left', (guest) => {
  const params = [out(copy(t.f64)), t.i32, t.i32];
  const list = [0, 0, 0, 0];
  guest.call('write_until_bad', params, new StatusType(), list, 4, -1);
  assertList(list, [1, 2, 3, 4]);
  leavesNothing(guest, () => thrown(() => guest.call('write_until_bad', params, new StatusType(), list, 4, 2), 'an error'));
  const block = guest.manager.createTypedArray(Float64Array, 4);
  thrown(() => guest.call('write_until_bad', [inout(view(t.f64)), t.i32, t.i32], new StatusType(), block, 4, 2), 'an error');
  assertList(block, [1, 2, 0, 0]);
  block[Symbol.dispose]();
});

guestTest('an owned result of another free, under a status', (guest) => {
  const type = status({ failure: [0] }, owned(t.string, guest.exports.other_free));
  assertEq(guest.call('copy_string', [t.string], type, 'x'), 'x');
  assertEq(guest.exports.other_frees(), 1);
  assert(new StringType() instanceof StringType);
});

guestTest('wrong definitions', () => {
  thrownBy(TypeError, () => status({ success: [0], failure: [-1] }));
  for (const wrong of ['x', 5, {}, ['x'], [1.5], [null], [{}]]) {
    thrownBy(TypeError, () => status({ success: wrong }));
    thrownBy(TypeError, () => status({ failure: wrong }));
  }
  thrownBy(TypeError, () => status({ error: 'text' }));
  thrownBy(TypeError, () => new StatusType(t.void));
  thrownBy(TypeError, () => new StatusType(new StatusType()));
  thrownBy(TypeError, () => new StatusType(5));
  thrownBy(TypeError, () => out(new StatusType()));
});

guestTest('StatusError is a class that scripts can use', () => {
  const error = new StatusError('text');
  assertEq(error.message, 'text');
  assertEq(String(error), 'StatusError: text');
  class Mine extends StatusError {}
  assert(new Mine('x') instanceof StatusError);
});
