// What process says of the resources that were used.
import { assert, assertEq, assertThrows, test } from '../harness.mjs';

test('cpuUsage(earlier) is what was used since', () => {
  const before = process.cpuUsage();
  const all = process.cpuUsage({ user: 0, system: 0 });
  const since = process.cpuUsage(before);
  const after = process.cpuUsage();
  for (const name of ['user', 'system']) {
    assert(before[name] <= all[name] && all[name] <= after[name], name);
    assert(0 <= since[name] && since[name] <= after[name] - before[name], name);
  }
  // It is a difference, whatever it is taken from.
  assert(process.cpuUsage({ user: Number.MAX_SAFE_INTEGER, system: 0 }).user < 0, 'less than nothing');
});

test('cpuUsage refuses anything else', () => {
  for (const [earlier, text] of [[1, '"prevValue" argument'],
    [{ system: 1 }, '"prevValue.user" property'], [{ user: 1, system: '1' }, '"prevValue.system" property']]) {
    const error = assertThrows(TypeError, () => process.cpuUsage(earlier));
    assertEq(error.code, 'ERR_INVALID_ARG_TYPE');
    assert(error.message.includes(text), error.message);
  }
  for (const user of [-1, NaN, Infinity, 2 ** 53]) {
    const error = assertThrows(RangeError, () => process.cpuUsage({ user, system: 0 }));
    assertEq(error.code, 'ERR_INVALID_ARG_VALUE');
    assertEq(error.message, `The property 'prevValue.user' is invalid. Received ${user}`);
  }
});
