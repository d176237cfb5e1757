// Details of Node's library that its own tests ask for: arguments, links that are copied, messages of clones.
import { assertEq, test } from '../harness.mjs';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { markAsUncloneable, MessageChannel } from 'node:worker_threads';

const codeOf = (call) => {
  try {
    call();
  } catch (error) {
    return error.code ?? error.name;
  }
  return undefined;
};
const rejectedCode = (promise) => promise.then(() => undefined, (error) => error.code ?? error.name);
const inFolder = async (body) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'details-'));
  try {
    await body((...parts) => path.join(root, ...parts));
  } finally {
    fs.rmSync(root, { recursive: true });
  }
};

test('cp neither puts links into what they lead to, nor over files', () => inFolder(async (at) => {
  fs.mkdirSync(at('a', 'b'), { recursive: true });
  fs.symlinkSync(at('a', 'b'), at('a', 'c'));
  fs.mkdirSync(at('file'));
  fs.writeFileSync(at('file', 'c'), 'kept');
  assertEq(await rejectedCode(fs.promises.cp(at('a'), at('file'), { recursive: true })), 'EEXIST');
  assertEq(fs.readFileSync(at('file', 'c'), 'utf8'), 'kept');
  fs.mkdirSync(at('inside'));
  fs.symlinkSync(at('a'), at('inside', 'c'));
  assertEq(codeOf(() => fs.cpSync(at('a'), at('inside'), { recursive: true })), 'ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY');
  assertEq(codeOf(() => fs.cpSync(at('a'), at('inside', 'c', 'd'), { recursive: true })), 'ERR_FS_CP_EINVAL');
}));

test('cp asks the filter before it looks, and minds folders that are there', () => inFolder(async (at) => {
  fs.mkdirSync(at('folder'));
  fs.writeFileSync(at('file'), '');
  fs.cpSync(at('folder'), at('file'), { recursive: true, filter: () => false });
  assertEq(codeOf(() => fs.cpSync(at('folder'), at('file'), { recursive: true })), 'ERR_FS_CP_DIR_TO_NON_DIR');
  fs.mkdirSync(at('other'));
  const options = { recursive: true, errorOnExist: true, force: false };
  assertEq(await rejectedCode(fs.promises.cp(at('folder'), at('other'), options)), 'ERR_FS_CP_EEXIST');
}));

test('a FIFO that is not to be waited for fails instead', () => inFolder((at) => {
  execFileSync('mkfifo', [at('fifo')]);
  const fd = fs.openSync(at('fifo'), fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  assertEq(codeOf(() => fs.readSync(fd, Buffer.alloc(1))), 'EAGAIN');
  fs.writeSync(fd, 'x');
  assertEq(fs.readSync(fd, Buffer.alloc(1)), 1);
  fs.closeSync(fd);
}));

test('arguments are complained about before a missing callback', () => {
  assertEq(codeOf(() => fs.fchmod(1, '123x')), 'ERR_INVALID_ARG_VALUE');
  assertEq(codeOf(() => fs.read(null, Buffer.alloc(1), 0, 1, 0)), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => fs.readSync(0, Buffer.alloc(1), 4)), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => fs.ftruncateSync(0, null)), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => fs.stat('.')), 'ERR_INVALID_ARG_TYPE');
});

test('files written in pieces, with flags that are null, and by odd encodings', () => inFolder(async (at) => {
  await fs.promises.appendFile(at('a'), 'x', { flag: null });
  await fs.promises.writeFile(at('b'), [Buffer.from('y'), 'z']);
  assertEq(await rejectedCode(fs.promises.writeFile(at('c'), [42])), 'ERR_INVALID_ARG_TYPE');
  const aborted = { signal: AbortSignal.abort() };
  assertEq(await rejectedCode(fs.promises.writeFile(at('c'), [], aborted)), 'ABORT_ERR');
  const fd = fs.openSync(at('d'), 'w');
  fs.writeSync(fd, 'abc', 0, 17);
  assertEq(codeOf(() => fs.writeSync(fd, 'abc', 0, 'hex')), 'ERR_INVALID_ARG_VALUE');
  fs.closeSync(fd);
  assertEq(['a', 'b', 'd'].map((name) => fs.readFileSync(at(name), 'utf8')).join(), 'x,yz,abc');
  assertEq(await promisify(fs.exists)(at('a')), true);
}));

test('the web stream of a file ends with it', async () => {
  const handle = await fs.promises.open(fileURLToPath(import.meta.url));
  const reader = handle.readableWebStream().getReader();
  assertEq(codeOf(() => handle.readableWebStream()), 'ERR_INVALID_STATE');
  await handle.close();
  await reader.closed;
  assertEq(codeOf(() => handle.readableWebStream()), 'ERR_INVALID_STATE');
});

test('file URLs that are not UTF-8', () => {
  assertEq(codeOf(() => fileURLToPath('file:///%82%A0')), 'URIError');
  assertEq(codeOf(() => fileURLToPath('file:///%zz')), 'URIError');
  assertEq(fileURLToPath('file:///%C3%A9'), '/é');
});

test('listeners that are passive, and that insist', async () => {
  const target = new EventTarget();
  target.addEventListener('a', (event) => event.preventDefault(), { passive: true });
  assertEq(target.dispatchEvent(new Event('a', { cancelable: true })), true);
  target.addEventListener('b', (event) => event.preventDefault());
  assertEq(target.dispatchEvent(new Event('b', { cancelable: true })), false);
  assertEq(codeOf(() => target.addEventListener('c', () => {}, { signal: null })), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => target.addEventListener('c')), 'ERR_MISSING_ARGS');
  const { signal, abort } = { signal: undefined, abort: undefined, ...(() => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  })() };
  let isTrusted;
  signal.addEventListener('abort', (event) => {
    ({ isTrusted } = event);
    event.stopImmediatePropagation();
  });
  const waiting = once(target, 'never', { signal });
  abort();
  assertEq(await rejectedCode(waiting), 'ABORT_ERR');
  assertEq(isTrusted, true);
  assertEq(codeOf(() => AbortSignal.any()), 'ERR_INVALID_ARG_TYPE');
  assertEq(codeOf(() => AbortSignal.any([1])), 'ERR_INVALID_ARG_TYPE');
});

test('what cannot be cloned or transferred, and why', () => {
  const why = (...args) => {
    try {
      structuredClone(...args);
    } catch (error) {
      return error.message;
    }
    return undefined;
  };
  const buffer = new ArrayBuffer(8);
  const { port1 } = new MessageChannel();
  assertEq(why(buffer, { transfer: [buffer, buffer] }), 'Transfer list contains duplicate ArrayBuffer');
  assertEq(why(port1, { transfer: [port1, port1] }), 'Transfer list contains duplicate MessagePort');
  assertEq(why(port1), 'Object that needs transfer was found in message but not listed in transferList');
  assertEq(why(1, { transfer: [{}] }), 'Found invalid value in transferList.');
  const object = { a: 1 };
  markAsUncloneable(object);
  assertEq(why({ object }), 'Cannot clone object of unsupported type.');
  port1.close();
  assertEq(why(port1, { transfer: [port1] }), 'MessagePort in transfer list is already detached');
});

test('timers whose callback is taken away end', async () => {
  let count = 0;
  const interval = setInterval(() => {
    count++;
    interval._onTimeout = null;
  }, 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEq(count, 1);
  interval.unref.call({});
});

test('process keeps its environment to plain variables, and holds what can be held', () => {
  assertEq(codeOf(() => Object.defineProperty(process.env, 'DETAIL', { value: 'x' })), 'ERR_INVALID_OBJECT_DEFINE_PROPERTY');
  assertEq(process.env.DETAIL, undefined);
  const calls = [];
  process.ref({ ref: () => calls.push('ref') });
  process.unref({ [Symbol.for('nodejs.unref')]: () => calls.push('unref') });
  assertEq(calls.join(), 'ref,unref');
  assertEq(codeOf(() => process.threadCpuUsage([])), 'ERR_INVALID_ARG_TYPE');
});
