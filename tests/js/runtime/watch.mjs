// fs.watch and fs.promises.watch.
import { assertEq, test } from '../harness.mjs';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const folder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'watch-'));
// What a watcher tells until `until` is among it.
const heard = (watcher, until) => new Promise((resolve, reject) => {
  const events = [];
  watcher.on('change', (kind, name) => {
    events.push(`${kind} ${name}`);
    if (events.includes(until)) resolve(events);
  });
  watcher.on('error', reject);
});

test('new, changed and removed files of a folder', async () => {
  const root = folder();
  const watcher = fs.watch(root);
  fs.writeFileSync(path.join(root, 'a'), 'x');
  assertEq((await heard(watcher, 'change a'))[0], 'rename a');
  fs.rmSync(path.join(root, 'a'));
  assertEq((await heard(watcher, 'rename a')).at(-1), 'rename a');
  const closed = new Promise((resolve) => watcher.once('close', resolve));
  watcher.close();
  watcher.close();
  await closed;
  fs.rmSync(root, { recursive: true });
});

test('a file by its own name', async () => {
  const root = folder();
  const file = path.join(root, 'file');
  fs.writeFileSync(file, '');
  const watcher = fs.watch(file, { encoding: 'buffer' });
  const { promise, resolve } = Promise.withResolvers();
  watcher.on('change', (kind, name) => resolve([kind, name]));
  fs.appendFileSync(file, 'more');
  const [kind, name] = await promise;
  assertEq(kind, 'change');
  assertEq(Buffer.isBuffer(name), true);
  assertEq(String(name), 'file');
  watcher.close();
  fs.rmSync(root, { recursive: true });
});

test('folders in a folder, new ones too', async () => {
  const root = folder();
  fs.mkdirSync(path.join(root, 'one'));
  const watcher = fs.watch(root, { recursive: true });
  fs.writeFileSync(path.join(root, 'one', 'a'), '');
  await heard(watcher, `rename ${path.join('one', 'a')}`);
  fs.mkdirSync(path.join(root, 'two', 'three'), { recursive: true });
  await heard(watcher, 'rename two');
  fs.writeFileSync(path.join(root, 'two', 'three', 'b'), '');
  await heard(watcher, `rename ${path.join('two', 'three', 'b')}`);
  watcher.close();
  fs.rmSync(root, { recursive: true });
});

test('what is ignored is not told', async () => {
  for (const ignore of ['*.log', /\.log$/, (name) => name.endsWith('.log'), ['*.tmp', '*.log']]) {
    const root = folder();
    const watcher = fs.watch(root, { ignore });
    fs.writeFileSync(path.join(root, 'a.log'), '');
    fs.writeFileSync(path.join(root, 'b.txt'), '');
    assertEq((await heard(watcher, 'rename b.txt')).some((event) => event.includes('log')), false);
    watcher.close();
    fs.rmSync(root, { recursive: true });
  }
});

test('a signal ends a watcher', async () => {
  const controller = new AbortController();
  const watcher = fs.watch('.', { signal: controller.signal });
  const closed = new Promise((resolve) => watcher.once('close', resolve));
  controller.abort();
  await closed;
});

test('arguments are checked, and what is not there cannot be watched', () => {
  const code = (call) => {
    try {
      call();
    } catch (error) {
      return error.code;
    }
    return undefined;
  };
  assertEq(code(() => fs.watch(1)), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => fs.watch('.', { recursive: 1 })), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => fs.watch('.', { encoding: 'none' })), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => fs.watch('.', { ignore: '' })), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => fs.watch('.', { ignore: [1] })), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => fs.watch('/no/such/thing')), 'ENOENT');
});

test('a promising watcher gives events until it is left or aborted', async () => {
  const root = folder();
  const timer = setInterval(() => fs.writeFileSync(path.join(root, 'a'), 'x'), 5);
  for await (const { eventType, filename } of fs.promises.watch(root)) {
    assertEq(['rename', 'change'].includes(eventType), true);
    assertEq(filename, 'a');
    break;
  }
  clearInterval(timer);
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  let error;
  try {
    for await (const event of fs.promises.watch(root, { signal: controller.signal })) void event;
  } catch (caught) {
    error = caught;
  }
  assertEq(error.name, 'AbortError');
  fs.rmSync(root, { recursive: true });
});

test('a watcher that is not held does not keep the program', () => {
  fs.watch('.').unref();
  fs.watch('.', { persistent: false });
});
