// The limits of `vm` scripts: `timeout` and `breakOnSigint`.
import vm from 'node:vm';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { test, assert, assertEq, thrown } from '../harness.mjs';

const ended = (ms) => (run) => {
  const error = thrown(run, 'a timeout');
  assertEq(error.code, 'ERR_SCRIPT_EXECUTION_TIMEOUT');
  assertEq(error.message, `Script execution timed out after ${ms}ms`);
};

test('a loop ends when its time is up, in each kind of context', () => {
  ended(5)(() => vm.runInNewContext('for (;;);', {}, { timeout: 5 }));
  ended(5)(() => vm.runInThisContext('for (;;);', { timeout: 5 }));
  ended(5)(() => new vm.Script('for (;;);').runInContext(vm.createContext({}), { timeout: 5 }));
});
test('the script cannot catch it', () => {
  const sandbox = { log: [] };
  ended(5)(() => vm.runInNewContext('try { for (;;); } catch { log.push(1) } finally { log.push(2) }', sandbox, { timeout: 5 }));
  assertEq(sandbox.log.length, 0);
});
test('a script that ends in time is not disturbed', () => {
  assertEq(vm.runInNewContext('6 * 7', {}, { timeout: 10_000 }), 42);
  const error = thrown(() => vm.runInNewContext('throw new RangeError("own")', {}, { timeout: 10_000 }), 'an error');
  assertEq(error.message, 'own');
});
test('what runs afterwards is not disturbed', () => {
  for (let i = 0; i < 20; i++) ended(1)(() => vm.runInNewContext('for (;;);', {}, { timeout: 1 }));
  let sum = 0;
  for (let i = 0; i < 1e6; i++) sum += i;
  assertEq(sum, 499999500000);
});
test('of two nested limits, the inner one ends the inner script', () => {
  const sandbox = {
    inner: () => {
      ended(3)(() => vm.runInNewContext('for (;;);', {}, { timeout: 3 }));
      return 'caught';
    },
  };
  assertEq(vm.runInNewContext('inner()', sandbox, { timeout: 60_000 }), 'caught');
});
test('of two nested limits, the outer one ends both scripts', () => {
  const log = [];
  const sandbox = {
    inner: () => {
      try {
        vm.runInNewContext('for (;;);', {}, { timeout: 60_000 });
      } catch (error) {
        log.push(error);
      }
    },
  };
  ended(5)(() => vm.runInNewContext('inner()', sandbox, { timeout: 5 }));
  assertEq(log.length, 0);
});
test('a guest in a loop ends, too', () => {
  // (module (func (export "f") (loop (br 0))))
  const bytes = new Uint8Array([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  ended(5)(() => vm.runInNewContext('f()', { f: exports.f }, { timeout: 5 }));
  ended(5)(() => vm.runInNewContext('f()', { f: exports.f }, { timeout: 5 }));
});
test('a worker that is terminated meanwhile ends', async () => {
  const code = `
    const vm = require('node:vm');
    require('node:worker_threads').parentPort.postMessage('begun');
    for (;;) { try { vm.runInNewContext('for (;;);', {}, { timeout: 1 }); } catch {} }`;
  const worker = new Worker(code, { eval: true });
  await once(worker, 'message');
  assertEq(await worker.terminate(), 1);
});
test('Ctrl-C ends a script that wants it, and only that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vm-limits-'));
  const file = join(folder, 'main.cjs');
  writeFileSync(file, `
    const vm = require('node:vm');
    const begin = () => require('node:fs').writeSync(1, 'begun\\n');
    try {
      vm.runInNewContext('begin(); for (;;);', { begin }, { breakOnSigint: true });
    } catch (error) {
      console.log(error.code, error.message);
    }`);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    if (text === 'begun\n') child.kill('SIGINT');
  });
  const [status, signal] = await once(child, 'close');
  rmSync(folder, { recursive: true });
  assertEq(text, 'begun\nERR_SCRIPT_EXECUTION_INTERRUPTED Script execution was interrupted by `SIGINT`\n');
  assertEq(status, 0);
  assertEq(signal, null);
});
test('the options are checked', () => {
  for (const timeout of [0, -1, 1.5, '5']) {
    assert(thrown(() => vm.runInNewContext('1', {}, { timeout }), 'an error').code.startsWith('ERR_'), String(timeout));
  }
});
