// node:test, by running files of tests. What is expected is what Node does.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, assertEq, test } from '../harness.mjs';

/** Runs a file of tests: its exit code, and the figures at the end of what it prints. */
const run = (text) => {
  const folder = mkdtempSync(join(tmpdir(), 'node-test-'));
  try {
    const file = join(folder, 'tests.mjs');
    writeFileSync(file, `import test, { describe, it, before, after, beforeEach, afterEach, mock } from 'node:test';\nimport assert from 'node:assert';\n${text}`);
    let printed;
    let code = 0;
    try {
      printed = execFileSync(process.execPath, [file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      ({ stdout: printed, status: code } = error);
    }
    const figures = {};
    for (const [, name, count] of printed.matchAll(/^ℹ (\w+) (\d+)/gm)) figures[name] = Number(count);
    return { code, printed, figures };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('tests, suites, subtests and what is skipped', () => {
  const { code, figures } = run(`
    test('a', () => {});
    test('async', async () => { await 1; });
    test('callback', (t, done) => setTimeout(done, 1));
    test.skip('skipped', () => { throw new Error(); });
    test.todo('to do', () => { throw new Error(); });
    test('with subtests', async (t) => { await t.test('one', () => {}); await t.test('two', () => {}); });
    describe('suite', () => { it('x', () => {}); describe('inner', () => { it('y', () => {}); }); });
  `);
  assertEq(code, 0);
  assertEq(`${figures.tests} ${figures.suites} ${figures.pass} ${figures.fail} ${figures.skipped} ${figures.todo}`, '10 2 8 0 1 1');
});
test('failures set the exit code and are told at the end', () => {
  const { code, printed, figures } = run("test('bad', () => assert.strictEqual(1, 2)); test('good', () => {});");
  assertEq(`${code} ${figures.pass} ${figures.fail}`, '1 1 1');
  assert(printed.includes('✖ failing tests:') && printed.includes('1 !== 2'), printed);
});
test('hooks', () => {
  const { printed } = run(`
    describe('s', () => {
      before(() => console.log('#before')); after(() => console.log('#after'));
      beforeEach(() => console.log('#each')); afterEach(() => console.log('#done'));
      it('1', () => console.log('#one')); it('2', () => console.log('#two'));
    });
  `);
  assertEq(printed.match(/#\w+/g).join(' '), '#before #each #one #done #each #two #done #after');
});
test('mocks', () => {
  const { code } = run(`
    test('functions', (t) => {
      const fn = t.mock.fn((x) => x + 1);
      assert.equal(fn(1), 2);
      assert.deepEqual(fn.mock.calls[0].arguments, [1]);
      const object = { method() { return 1; } };
      mock.method(object, 'method', () => 2);
      assert.equal(object.method(), 2);
      mock.restoreAll();
      assert.equal(object.method(), 1);
    });
    test('timers', (t) => {
      t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
      let fired = 0;
      setTimeout(() => fired++, 1000);
      t.mock.timers.tick(999);
      assert.equal(fired, 0);
      t.mock.timers.tick(1);
      assert.equal(fired, 1);
      assert.equal(Date.now(), 1000);
    });
  `);
  assertEq(code, 0);
});
