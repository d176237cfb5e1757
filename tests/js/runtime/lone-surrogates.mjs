// Text that leaves JavaScript is text: U+FFFD stands for each lone surrogate, as in Node.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BroadcastChannel, Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';

/** What a worker with these options says of itself. */
const ofWorker = (options) => new Promise((resolve, reject) => {
  const text = `require('node:worker_threads').parentPort.postMessage([process.argv.slice(2), { ...process.env }]);`;
  new Worker(text, { eval: true, ...options }).on('message', resolve).on('error', reject);
});

test('the name, the arguments and the environment of a worker', async () => {
  const [argv, env] = await ofWorker({ name: 'n\ud800', argv: ['a\ud800b', '\udc00'], env: { X: 'v\udc00', 'K\ud800': 'w' } });
  assertList(argv, ['a\ufffdb', '\ufffd']);
  assertEq(env.X, 'v\ufffd');
  assertEq(env['K\ufffd'], 'w');
}, { v8: 'Node hands on arguments as they are' });

test('process.env', () => {
  process.env.LONE = '\ud800';
  process.env['LONE\ud800'] = 'value';
  assertEq(process.env.LONE, '\ufffd');
  assertEq(process.env['LONE\ufffd'], 'value');
  assert('LONE\ud800' in process.env);
  assert(delete process.env['LONE\ud800']);
  assertEq(process.env['LONE\ufffd'], undefined);
  delete process.env.LONE;
});

test('files: names and contents', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lone-'));
  fs.writeFileSync(path.join(folder, 'a\ud800'), 'x\udc00y');
  assertList(fs.readdirSync(folder), ['a\ufffd']);
  assertEq(fs.readFileSync(path.join(folder, 'a\udfff'), 'utf8'), 'x\ufffdy');
  fs.rmSync(folder, { recursive: true });
});

test('channels of names that read the same are one', async () => {
  const one = new BroadcastChannel('n\ud800');
  const two = new BroadcastChannel('n\ufffd');
  const heard = new Promise((resolve) => { two.onmessage = resolve; });
  one.postMessage('\ud800');
  assertEq((await heard).data, '\ud800');
  one.close();
  two.close();
});

test('a specifier, a folder, a module of the platform, a title', () => {
  assert(import.meta.resolve('./a\ud800').endsWith('/a%EF%BF%BD'));
  let code;
  try { process.chdir('/none\ud800'); } catch (error) { ({ code } = error); }
  assertEq(code, 'ENOENT');
  assertEq(process.getBuiltinModule('\ud800'), undefined);
  process.title = 'title\ud800';
});
