// node:worker_threads: what a worker is given, what it tells, how it ends.
import { fileURLToPath } from 'node:url';
import * as threads from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { shared, spawn, told } from './spawn.mjs';
import { assertDataCloneError, assertEndsWell, assertTypeError, ended, messages, nextOn, script, within } from './support.mjs';
import { counter } from './workers/counter.mjs';

const { MessageChannel, Worker } = threads;

// The main agent.

test('the main agent', () => {
  assertEq(threads.isMainThread, true);
  assertEq(threads.threadId, 0);
  assertEq(threads.parentPort, null);
  assertEq(threads.workerData, null);
  assertEq(Object.keys(threads.resourceLimits).length, 0);
});

// Where the script comes from.

test('a script by URL, by absolute path, by relative path', async () => {
  const path = fileURLToPath(script('echo.mjs'));
  const sources = [script('echo.mjs'), path];
  const cwd = process.cwd();
  if (path.startsWith(`${cwd}/`)) sources.push(`./${path.slice(cwd.length + 1)}`);
  for (const source of sources) {
    const worker = new Worker(source);
    worker.postMessage('x');
    worker.postMessage('close');
    const end = assertEndsWell(worker);
    assertList(await messages(worker, 1), ['x']);
    await end;
  }
});

test('a script as a data: URL', async () => {
  const code = 'import { parentPort } from "node:worker_threads"; parentPort.postMessage("here");';
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), ['here']);
  await end;
});

test('eval: true', async () => {
  const code = 'const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");'
    + 'parentPort.postMessage(workerData + 1);';
  const worker = new Worker(code, { eval: true, workerData: 41 });
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), [42]);
  await end;
});

test('eval: true, with import()', async () => {
  const worker = new Worker('import("node:worker_threads").then(({ parentPort }) => parentPort.postMessage(1));', { eval: true });
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), [1]);
  await end;
});

test('eval: true, with require', async () => {
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1);', { eval: true });
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), [1]);
  await end;
});

test('eval: true, a syntax error', async () => {
  const { code, error } = await ended(new Worker('1 +* 2', { eval: true }));
  assertEq(code, 1);
  assertEq(error.name, 'SyntaxError');
});

test('a worker has modules of its own', async () => {
  counter.count = 100;
  const worker = new Worker(script('imports.mjs'));
  const end = assertEndsWell(worker);
  const [{ count, url, main }] = await messages(worker, 1);
  assertEq(count, 1);
  assertEq(url, script('imports.mjs').href);
  assertEq(main, fileURLToPath(script('imports.mjs')));
  assertEq(counter.count, 100);
  await end;
});

test('a worker has globals of its own', async () => {
  globalThis.mine = 1;
  Array.prototype.extra = 2;
  try {
    const [got] = await told(({ parentPort }) => parentPort.postMessage([typeof globalThis.mine, [].extra === undefined]));
    assertList(got, ['undefined', true]);
  } finally {
    delete Array.prototype.extra;
  }
});

test('wrong arguments: an error of the call', () => {
  assertTypeError(() => new Worker());
  assertTypeError(() => new Worker(5));
  assertTypeError(() => Worker(script('echo.mjs')));
  assertTypeError(() => new Worker(new URL('https://example.com/x.mjs')));
  assertTypeError(() => new Worker('no-dot.mjs'));
  assertTypeError(() => new Worker(script('echo.mjs'), { argv: 'no list' }));
  assertTypeError(() => new Worker(script('echo.mjs'), { env: 5 }));
  assertDataCloneError(() => new Worker(script('echo.mjs'), { workerData: () => {} }));
});

test('a file that is not there: error, and exit with 1', async () => {
  for (const source of [script('is-not-there.mjs'), script('missing-import.mjs')]) {
    const { code, error } = await ended(new Worker(source));
    assertEq(code, 1);
    assert(error instanceof Error);
    assert(/^(ERR_)?MODULE_NOT_FOUND$/.test(error.code), error.code);
    assert(error.message.includes('is-not-there.mjs'));
  }
});

test('a syntax error: error, and exit with 1', async () => {
  const { code, error } = await ended(new Worker(script('syntax-error.mjs')));
  assertEq(code, 1);
  assert(error instanceof SyntaxError);
});

// What a worker is given.

test('workerData is a clone', async () => {
  const data = { list: [1, new Map([[1, 2n]])], date: new Date(5) };
  data.self = data;
  const [got] = await told(({ data: given, parentPort }) => {
    given.list.push('added');
    parentPort.postMessage({ given, self: given.self === given });
  }, data);
  assertEq(got.self, true);
  assertEq(got.given.list[1].get(1), 2n);
  assertEq(got.given.date.getTime(), 5);
  assertEq(data.list.length, 2);
});

test('workerData is undefined when nothing is given', async () => {
  const code = 'const t = process.getBuiltinModule("node:worker_threads"); t.parentPort.postMessage(String(t.workerData));';
  assertList(await messages(new Worker(code, { eval: true }), 1), ['undefined']);
});

test('workerData with shared bytes and with a transfer list', async () => {
  const array = shared();
  const { port1, port2 } = new MessageChannel();
  const buffer = Uint8Array.of(1, 2, 3).buffer;
  const worker = spawn(({ data }) => {
    Atomics.store(data.array, 0, 7);
    data.port2.postMessage(new Uint8Array(data.buffer)[2]);
    data.port2.close();
  }, { array, port2, buffer }, { transferList: [port2, buffer] });
  assertEq(buffer.detached, true);
  const end = assertEndsWell(worker);
  assertList(await messages(port1, 1), [3]);
  assertEq(array[0], 7);
  await end;
});

test('workerData with a port that is not in the transfer list: an error', () => {
  const { port1, port2 } = new MessageChannel();
  assertDataCloneError(() => spawn(() => {}, port2));
  port1.close();
});

test('in a worker: isMainThread, threadId, parentPort', async () => {
  const [a, b] = await Promise.all([0, 1].map(() => told(({ isMainThread, threadId, parentPort }) => {
    parentPort.postMessage({ isMainThread, threadId, port: parentPort instanceof MessagePort, pid: process.pid });
  })));
  assertEq(a[0].isMainThread, false);
  assert(Number.isInteger(a[0].threadId) && a[0].threadId > 0);
  assert(a[0].threadId !== b[0].threadId);
  assertEq(a[0].port, true);
  assertEq(a[0].pid, process.pid);
});

test('worker.threadId is what threadId is in it, and -1 at the end', async () => {
  const worker = spawn(({ threadId, parentPort }) => parentPort.postMessage(threadId));
  const { threadId } = worker;
  const end = ended(worker);
  assertList(await messages(worker, 1), [threadId]);
  await end;
  assertEq(worker.threadId, -1);
});

test('env: a copy', async () => {
  process.env.TOMBOLO_TEST = 'main';
  const [got] = await told(({ parentPort }) => {
    const before = process.env.TOMBOLO_TEST;
    process.env.TOMBOLO_TEST = 'worker';
    process.env.TOMBOLO_OTHER = 'worker';
    parentPort.postMessage([before, process.env.TOMBOLO_TEST]);
  });
  assertList(got, ['main', 'worker']);
  assertEq(process.env.TOMBOLO_TEST, 'main');
  assertEq(process.env.TOMBOLO_OTHER, undefined);
});

test('env: an object', async () => {
  const [got] = await told(({ parentPort }) => parentPort.postMessage({ ...process.env }), undefined, { env: { A: 'a', B: '5' } });
  assertList(Object.keys(got).sort(), ['A', 'B']);
  assertList([got.A, got.B], ['a', '5']);
});

test('env: SHARE_ENV', async () => {
  assertEq(typeof threads.SHARE_ENV, 'symbol');
  process.env.TOMBOLO_TEST = 'main';
  const [got] = await told(({ parentPort }) => {
    const before = process.env.TOMBOLO_TEST;
    process.env.TOMBOLO_TEST = 'worker';
    parentPort.postMessage(before);
  }, undefined, { env: threads.SHARE_ENV });
  assertEq(got, 'main');
  assertEq(process.env.TOMBOLO_TEST, 'worker');
  delete process.env.TOMBOLO_TEST;
});

test('argv', async () => {
  const [got] = await told(({ parentPort }) => parentPort.postMessage(process.argv), undefined, { argv: ['a', 1, true] });
  assertEq(got[0], process.argv[0]);
  assertEq(got[1], fileURLToPath(script('run.mjs')));
  assertList(got.slice(2), ['a', '1', 'true']);
  const [none] = await told(({ parentPort }) => parentPort.postMessage(process.argv));
  assertEq(none.length, 2);
});

test('execArgv: the parent’s, or what is given', async () => {
  const [inherited] = await told(({ parentPort }) => parentPort.postMessage(process.execArgv));
  assertList(inherited, process.execArgv);
  const [none] = await told(({ parentPort }) => parentPort.postMessage(process.execArgv), undefined, { execArgv: [] });
  assertList(none, []);
});

test('name', async () => {
  const [got] = await told(({ parentPort, threadName }) => parentPort.postMessage(threadName), undefined, { name: 'my name' });
  assertEq(got, 'my name');
});

test('resourceLimits are reported', async () => {
  const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 2 };
  const worker = spawn(({ parentPort, resourceLimits: limits }) => parentPort.postMessage(limits), undefined, { resourceLimits });
  const end = assertEndsWell(worker);
  assertEq(worker.resourceLimits.maxOldGenerationSizeMb, 64);
  const [got] = await messages(worker, 1);
  for (const key of Object.keys(resourceLimits)) assertEq(got[key], resourceLimits[key], key);
  await end;
  assertEq(Object.keys(worker.resourceLimits).length, 0);
});

test('what only the main agent may do fails in a worker', async () => {
  const [got] = await told(({ parentPort }) => {
    try { process.chdir('/'); } catch (error) { parentPort.postMessage(error.code); }
  });
  assertEq(got, 'ERR_WORKER_UNSUPPORTED_OPERATION');
});

test('environment data', async () => {
  const { getEnvironmentData, setEnvironmentData } = threads;
  assertEq(getEnvironmentData('nothing'), undefined);
  const value = { a: [1] };
  setEnvironmentData('key', value);
  setEnvironmentData('gone', 1);
  setEnvironmentData('gone', undefined);
  assertEq(getEnvironmentData('key'), value);
  const [got] = await told(({ getEnvironmentData: get, setEnvironmentData: set, parentPort }) => {
    parentPort.postMessage([get('key').a[0], get('gone')]);
    set('key', 'changed in the worker');
  });
  assertList(got, [1, undefined]);
  assertEq(getEnvironmentData('key'), value, 'changes stay in the worker');
  setEnvironmentData('key', undefined);
});

// What it tells.

test('online, then messages, then exit', async () => {
  const log = [];
  const worker = spawn(({ parentPort }) => { parentPort.postMessage('one'); parentPort.postMessage('two'); });
  worker.on('online', () => log.push('online'));
  worker.on('message', (value) => log.push(value));
  worker.on('exit', (code) => log.push(`exit ${code}`));
  await assertEndsWell(worker);
  assertList(log, ['online', 'one', 'two', 'exit 0']);
});

test('what was posted right before the end arrives before exit', async () => {
  for (const last of [() => process.exit(0), () => {}]) {
    const got = [];
    const worker = spawn(({ parentPort, data }) => {
      for (let i = 0; i < 1000; i += 1) parentPort.postMessage(i);
      (0, eval)(data)();
    }, String(last));
    worker.on('message', (value) => got.push(value));
    await assertEndsWell(worker);
    assertEq(got.length, 1000);
  }
});

test('10,000 messages keep their order, both ways', async () => {
  const worker = new Worker(script('echo.mjs'));
  const end = assertEndsWell(worker);
  const got = messages(worker, 10_000);
  for (let i = 0; i < 10_000; i += 1) worker.postMessage(i);
  assert((await got).every((value, i) => value === i));
  worker.postMessage('close');
  await end;
});

test('messages before it is online wait for it', async () => {
  const worker = new Worker(script('echo.mjs'));
  worker.postMessage('early');
  const end = assertEndsWell(worker);
  assertList(await messages(worker, 1), ['early']);
  worker.postMessage('close');
  await end;
});

test('all that can be cloned goes both ways', async () => {
  const worker = new Worker(script('echo.mjs'));
  const end = assertEndsWell(worker);
  const array = shared();
  const value = {
    list: [undefined, -0, 2n ** 70n, 'x\ud800'], map: new Map([[1, new Set([2])]]), error: new RangeError('m', { cause: 1 }),
    bytes: Uint8Array.of(1, 2), date: new Date(NaN), regexp: /x/g, array,
  };
  value.self = value;
  worker.postMessage(value);
  const [got] = await messages(worker, 1);
  assertList(got.list, value.list);
  assertEq(got.map.get(1).has(2), true);
  assertEq(Object.getPrototypeOf(got.error), RangeError.prototype);
  assertEq(got.error.cause, 1);
  assertList(got.bytes, [1, 2]);
  assertEq(got.date.getTime(), NaN);
  assertEq(got.regexp.flags, 'g');
  assertEq(got.self, got);
  Atomics.store(got.array, 3, 9);
  assertEq(array[3], 9);
  worker.postMessage('close');
  await end;
});

test('buffers and ports are transferred', async () => {
  const worker = spawn(({ parentPort }) => {
    parentPort.once('message', ({ buffer, port }) => {
      const bytes = new Uint8Array(buffer);
      bytes[0] += 1;
      port.postMessage(buffer, [buffer]);
      parentPort.postMessage([bytes.length, buffer.detached]);
      port.close();
    });
  });
  const end = assertEndsWell(worker);
  const { port1, port2 } = new MessageChannel();
  const buffer = Uint8Array.of(1, 2).buffer;
  worker.postMessage({ buffer, port: port2 }, [buffer, port2]);
  assertEq(buffer.detached, true);
  const [[back], [state]] = await Promise.all([messages(port1, 1), messages(worker, 1)]);
  assertList(new Uint8Array(back), [2, 2]);
  assertList(state, [0, true]);
  await end;
});

test('a port that travels on, from worker to worker', async () => {
  const hop = ({ parentPort }) => parentPort.once('message', ({ port, next }) => {
    if (next) next.postMessage({ port }, [port]);
    else { port.postMessage('arrived'); port.close(); }
    next?.close();
  });
  const receive = ({ data }) => data.once('message', ({ port }) => {
    port.once('message', (value) => { port.postMessage(`${value}, answered`); port.close(); data.close(); });
  });
  const { port1, port2 } = new MessageChannel();
  const between = new MessageChannel();
  const second = spawn(receive, between.port2, { transferList: [between.port2] });
  const first = spawn(hop);
  const ends = [assertEndsWell(first), assertEndsWell(second)];
  port1.postMessage('before it travels');
  first.postMessage({ port: port2, next: between.port1 }, [port2, between.port1]);
  assertList(await messages(port1, 1), ['before it travels, answered']);
  await Promise.all(ends);
});

test('two workers talk through a channel', async () => {
  const { port1, port2 } = new MessageChannel();
  const play = ({ data, parentPort }) => {
    data.port.on('message', (value) => {
      if (value > 0) data.port.postMessage(value - 1);
      else { parentPort.postMessage('done'); data.port.close(); }
    });
    if (data.first) data.port.postMessage(100);
  };
  const one = spawn(play, { port: port1, first: true }, { transferList: [port1] });
  const two = spawn(play, { port: port2, first: false }, { transferList: [port2] });
  const ends = [one, two].map(assertEndsWell);
  const done = new Promise((resolve) => { for (const worker of [one, two]) worker.once('message', resolve); });
  assertEq(await within(done), 'done');
  await Promise.all(ends);
});

test('a port is closed where its worker ends', async () => {
  for (const how of [() => process.exit(0), () => setTimeout(() => { throw new Error('ends it'); }, 0),
    (port) => port.unref()]) {
    const { port1, port2 } = new MessageChannel();
    const worker = spawn(({ data }) => {
      data.port.on('message', () => {});
      data.port.postMessage('ready');
      (0, eval)(data.how)(data.port);
    }, { port: port2, how: String(how) }, { transferList: [port2] });
    const closed = nextOn(port1, 'close');
    const end = ended(worker);
    port1.on('message', () => {});
    await closed;
    await end;
  }
});

test('an uncaught error: class, message, stack, further properties; exit with 1', async () => {
  const { code, error } = await ended(new Worker(script('throws.mjs')));
  assertEq(code, 1);
  assert(error instanceof RangeError);
  assertEq(error.message, 'from a worker');
  assert(error.stack.includes('throws.mjs'), error.stack);
  assertEq(error.code, 'E_MINE');
  assertEq(error.extra.deep[0], 1);
});

test('an uncaught error in a later task', async () => {
  const { code, error } = await ended(spawn(() => { setTimeout(() => { throw new TypeError('later'); }, 0); }));
  assertEq(code, 1);
  assert(error instanceof TypeError);
});

test('an uncaught value that is no error', async () => {
  for (const [source, check] of [['42', (value) => value === 42], ['"text"', (value) => value === 'text'],
    ['({ a: [1] })', (value) => value.a[0] === 1], ['null', (value) => value === null],
    ['undefined', (value) => value === undefined]]) {
    const { code, error, failed } = await ended(spawn(({ data }) => { throw (0, eval)(data); }, source));
    assertEq(code, 1);
    assertEq(failed, true);
    assert(check(error), source);
  }
});

test('an uncaught value that cannot be cloned is an error event all the same', async () => {
  const { code, failed } = await ended(spawn(() => { throw () => {}; }));
  assertEq(code, 1);
  assertEq(failed, true);
});

test('an unhandled rejection: error, and exit with 1', async () => {
  const { code, error } = await ended(spawn(() => {
    setInterval(() => {}, 1000);
    Promise.reject(new RangeError('unhandled'));
  }));
  assertEq(code, 1);
  assert(error instanceof RangeError);
  assertEq(error.message, 'unhandled');
});

test('an error keeps its class and its name', async () => {
  const bytes = 'Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11)';
  for (const [code, name, Class] of [
    [`new WebAssembly.Instance(new WebAssembly.Module(${bytes})).exports.f();`, 'RuntimeError', Error],
    ['new WebAssembly.Module(new Uint8Array(3));', 'CompileError', Error],
    ['throw new RangeError("x");', 'RangeError', RangeError],
    ['throw new (class extends TypeError {})("x");', 'TypeError', TypeError],
    ['throw new (class Own extends Error { get name() { return "Own"; } })("x");', 'Own', Error],
    ['throw Object.assign(new Error("x"), { name: "Special" });', 'Special', Error],
    ['throw Object.assign(new SyntaxError("x"), { name: "Special" });', 'Special', SyntaxError],
    ['throw Object.freeze(new URIError("x"));', 'URIError', URIError],
  ]) {
    const error = await nextOn(new Worker(code, { eval: true }), 'error');
    assertEq(error.name, name, code);
    assertEq(Object.getPrototypeOf(error), Class.prototype, code);
    assert(error.stack.includes(`${name}: `), error.stack);
  }
});

test('an error comes after the messages that were posted before it', async () => {
  const log = [];
  const worker = spawn(({ parentPort }) => { parentPort.postMessage('before'); throw new Error('x'); });
  worker.on('message', (value) => log.push(value));
  worker.on('error', ({ message }) => log.push(message));
  worker.on('exit', (code) => log.push(code));
  await ended(worker);
  assertList(log, ['before', 'x', 1]);
});

test('uncaughtException in the worker keeps it going', async () => {
  const got = await told(({ parentPort }) => {
    process.once('uncaughtException', ({ message }) => parentPort.postMessage(message));
    setTimeout(() => { throw new Error('caught there'); }, 0);
    setTimeout(() => parentPort.postMessage('goes on'), 20);
  });
  assertList(got, ['caught there', 'goes on']);
});

test('an error event nobody listens to is uncaught in the parent', async () => {
  const uncaught = within(new Promise((resolve) => { process.once('uncaughtException', resolve); }), 'uncaughtException');
  const worker = new Worker(script('throws.mjs'));
  const exit = nextOn(worker, 'exit');
  assertEq((await uncaught).message, 'from a worker');
  assertEq(await exit, 1);
});

test('messageerror is not for what arrives well', async () => {
  const worker = new Worker(script('echo.mjs'));
  worker.on('messageerror', () => { throw new Error('messageerror'); });
  assertDataCloneError(() => worker.postMessage(() => {}));
  worker.postMessage('close');
  await assertEndsWell(worker);
});

// stdout.

test('stdout: true gives a stream of what the worker prints', async () => {
  const worker = spawn(() => { console.log('first %d', 1); process.stdout.write('second\n'); console.error('wrong'); }, undefined,
    { stdout: true, stderr: true });
  let [out, err] = ['', ''];
  worker.stdout.on('data', (chunk) => { out += chunk; });
  worker.stderr.on('data', (chunk) => { err += chunk; });
  const closed = Promise.all([worker.stdout, worker.stderr].map((stream) => nextOn(stream, 'end')));
  await assertEndsWell(worker);
  await closed;
  assertEq(out, 'first 1\nsecond\n');
  assertEq(err, 'wrong\n');
});

// Whoever runs this file looks for the line `# printed by a worker` in its output.
test('what a worker prints is printed', async () => {
  await assertEndsWell(spawn(() => { console.log('# printed by a worker'); }));
});
