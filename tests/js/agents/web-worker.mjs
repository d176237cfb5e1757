// Web Workers as HTML has them. Run by Deno or Bun for comparison, as Node has none.
import { assert, assertEq, assertList, assertProperty, test } from '../harness.mjs';
import { assertDataCloneError, assertTypeError, nextEvent, script, turns, within } from './support.mjs';

/** The mark for what Deno does otherwise. */
const deno = (why) => (globalThis.Deno ? { v8: `Deno ${why}` } : {});

/** `fn` with a module worker, terminated afterwards. */
const workerTest = (name, file, fn, options = {}) => test(name, async () => {
  const worker = new Worker(script(file), { type: 'module', name: 'my name' });
  try {
    await fn(worker);
  } finally {
    worker.terminate();
  }
}, options);

/** The data of the next message. */
const next = async (target) => (await nextEvent(target, 'message')).data;
async function ask(worker, run, value) {
  const answer = next(worker);
  worker.postMessage({ run, value });
  return answer;
}

test('the interface', () => {
  // Made when it is first read.
  assert(Worker);
  assertProperty(globalThis, 'Worker', 'wc');
  assertEq(Worker.length, 1);
  assertTypeError(() => Worker(script('web.mjs')));
});

test('Worker needs a script', () => {
  assertTypeError(() => new Worker());
}, deno('looks at the options first'));

workerTest('a worker is an EventTarget, without handlers at first', 'web.mjs', (worker) => {
  assert(worker instanceof EventTarget);
  assertList([worker.onmessage, worker.onmessageerror, worker.onerror], [null, null, null]);
  assertEq(Object.prototype.toString.call(worker), '[object Worker]');
});

test('the options: what type there is', () => {
  assertTypeError(() => new Worker(script('web.mjs'), { type: 'other' }));
});

workerTest('messages go both ways, in order', 'web.mjs', async (worker) => {
  const got = [];
  const all = within(new Promise((resolve) => {
    worker.onmessage = ({ data }) => { if (got.push(data) === 100) resolve(); };
  }), 'the last message');
  for (let value = 0; value < 100; value += 1) worker.postMessage({ run: 'echo', value });
  await all;
  assertList(got, Array.from({ length: 100 }, (_, i) => i));
});

workerTest('the event of a message', 'web.mjs', async (worker) => {
  const arrived = nextEvent(worker, 'message');
  worker.postMessage({ run: 'echo', value: { a: [1] } });
  const event = await arrived;
  assert(event instanceof MessageEvent);
  assertList([event.type, event.target, event.origin, event.source, event.lastEventId, event.ports.length],
    ['message', worker, '', null, '', 0]);
  assertEq(event.data.a[0], 1);
});

workerTest('postMessage clones, and throws what cloning throws', 'web.mjs', async (worker) => {
  const value = { list: [1], map: new Map([[1, 2n]]) };
  const answer = ask(worker, 'echo', value);
  value.list.push(2);
  const got = await answer;
  assertList(got.list, [1]);
  assertEq(got.map.get(1), 2n);
  assertDataCloneError(() => worker.postMessage(() => {}));
  assertTypeError(() => worker.postMessage());
  assertEq(worker.postMessage({}), undefined);
});

for (const [how, list] of [['transfer', (buffer) => [buffer]], ['transfer option', (buffer) => ({ transfer: [buffer] })]]) {
  workerTest(`${how}: buffers move there and back`, 'web.mjs', async (worker) => {
    const buffer = Uint8Array.of(1, 2, 3).buffer;
    const back = next(worker);
    worker.postMessage({ run: how, buffer }, list(buffer));
    assertEq(buffer.byteLength, 0);
    assertList(new Uint8Array(await back), [1, 2, 3]);
  });
}

workerTest('a port goes along', 'web.mjs', async (worker) => {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ run: 'port' }, [port2]);
  const got = await within(new Promise((resolve) => { port1.onmessage = resolve; }), 'a message');
  assertEq(got.data, 'through the port');
  port1.close();
});

workerTest('shared bytes', 'web.mjs', async (worker) => {
  const buffer = new SharedArrayBuffer(8);
  const got = await ask(worker, 'echo', buffer);
  assert(got !== buffer);
  new Uint8Array(got)[0] = 7;
  assertEq(new Uint8Array(buffer)[0], 7);
});

workerTest('a module and a shared memory', 'web.mjs', async (worker) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const got = await ask(worker, 'echo', { memory, module: new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) });
  assert(got.module instanceof WebAssembly.Module);
  new Uint8Array(got.memory.buffer)[0] = 7;
  assertEq(new Uint8Array(memory.buffer)[0], 7);
});

workerTest('self and its name', 'web.mjs', async (worker) => {
  const about = await ask(worker, 'about');
  assertEq(about.name, 'my name');
  assertEq(about.self, true);
  assertEq(about.module, script('web.mjs').href);
});

test('the name is empty by default', async () => {
  const worker = new Worker(script('web.mjs'), { type: 'module' });
  assertEq((await ask(worker, 'about')).name, '');
  worker.terminate();
});

workerTest('the scope', 'web-interfaces.mjs', async (worker) => {
  const { missing, scope, tag, location } = await next(worker);
  assertList(missing, []);
  assertEq(scope, true);
  assertEq(tag, '[object DedicatedWorkerGlobalScope]');
  assertEq(location, script('web-interfaces.mjs').href);
}, deno('has no onmessageerror'));

test('a URL as a string', async () => {
  const worker = new Worker(script('web.mjs').href, { type: 'module' });
  assertEq(await ask(worker, 'echo', 1), 1);
  worker.terminate();
});

test('a data: URL', async () => {
  const code = encodeURIComponent('self.postMessage(self === globalThis)');
  const worker = new Worker(`data:text/javascript,${code}`, { type: 'module' });
  assertEq(await next(worker), true);
  worker.terminate();
});

test('messages before it runs wait for it', async () => {
  const worker = new Worker(script('web.mjs'), { type: 'module' });
  worker.postMessage({ run: 'echo', value: 'early' });
  assertEq(await next(worker), 'early');
  worker.terminate();
});

// Ends.

workerTest('close: what was posted before arrives; the running script goes on, and posts to nobody', 'web.mjs', async (worker) => {
  const got = [];
  worker.addEventListener('message', ({ data }) => got.push(data));
  const first = next(worker);
  worker.postMessage({ run: 'close' });
  worker.postMessage({ run: 'echo', value: 'after' });
  await first;
  await turns(20);
  // What the worker posts after close() is lost by the text, and engines differ.
  assert(got.join() === 'closing' || got.join() === 'closing,closed', got.join());
});

workerTest('close: messages that wait, and timers, are dropped; microtasks are not', 'web-close.mjs', async (worker) => {
  assertEq(await next(worker), 'ready');
  const got = [];
  worker.onmessage = ({ data }) => got.push(data);
  for (const value of [0, 1, 2]) worker.postMessage(value);
  await within((async () => { while (got.length < 2) await turns(1); })(), 'two messages');
  await turns(20);
  assertList(got.filter((value) => value !== 'microtask'), ['got 0', 'got 1']);
});

workerTest('terminate: no more messages, and it may be called again', 'web.mjs', async (worker) => {
  assertEq(await ask(worker, 'echo', 1), 1);
  let more = 0;
  worker.onmessage = () => { more += 1; };
  worker.postMessage({ run: 'echo', value: 2 });
  assertEq(worker.terminate(), undefined);
  worker.terminate();
  worker.postMessage({ run: 'echo', value: 3 });
  await turns(20);
  assertEq(more, 0);
});

workerTest('terminate: a loop without end', 'web.mjs', async (worker) => {
  assertEq(await ask(worker, 'loop'), 'loops');
  worker.terminate();
});

test('terminate before it runs', async () => {
  const worker = new Worker(script('web.mjs'), { type: 'module' });
  let got = 0;
  worker.onmessage = () => { got += 1; };
  worker.postMessage({ run: 'echo', value: 1 });
  worker.terminate();
  await turns(20);
  assertEq(got, 0);
});

// Errors.

workerTest('an uncaught error: an ErrorEvent for the parent', 'web.mjs', async (worker) => {
  const failed = nextEvent(worker, 'error');
  worker.addEventListener('error', (event) => event.preventDefault());
  worker.postMessage({ run: 'throw', value: 'of a worker' });
  const event = await failed;
  assert(event instanceof ErrorEvent);
  assertEq(event.type, 'error');
  assertEq(event.target, worker);
  assert(event.message.includes('of a worker'), event.message);
  assertEq(event.cancelable, true);
});

workerTest('an ErrorEvent says where', 'web.mjs', async (worker) => {
  const failed = nextEvent(worker, 'error');
  worker.addEventListener('error', (event) => event.preventDefault());
  worker.postMessage({ run: 'throw', value: 'of a worker' });
  const event = await failed;
  assertEq(event.filename, script('web.mjs').href);
  assertEq(event.lineno, 6);
  assert(event.colno > 0);
});

workerTest('the error itself stays in the worker', 'web.mjs', async (worker) => {
  const failed = nextEvent(worker, 'error');
  worker.addEventListener('error', (event) => event.preventDefault());
  worker.postMessage({ run: 'throw', value: 'of a worker' });
  assertEq((await failed).error, null);
});

workerTest('worker.onerror gets the event', 'web.mjs', async (worker) => {
  const got = within(new Promise((resolve) => { worker.onerror = (...args) => { args[0].preventDefault(); resolve(args); }; }));
  worker.postMessage({ run: 'throw', value: 'of a worker' });
  const args = await got;
  assertEq(args.length, 1);
  assertEq(args[0].type, 'error');
});

workerTest('the worker lives on after an uncaught error', 'web.mjs', async (worker) => {
  worker.onerror = (event) => event.preventDefault();
  for (let i = 0; i < 3; i += 1) {
    const failed = nextEvent(worker, 'error');
    worker.postMessage({ run: 'throw', value: 'of a worker' });
    await failed;
    assertEq(await ask(worker, 'echo', i), i);
  }
}, deno('ends the worker'));

workerTest('a worker lives on that throws at once', 'web-throws.mjs', async (worker) => {
  worker.onerror = (event) => event.preventDefault();
  await nextEvent(worker, 'error');
  assertEq(await ask(worker, 'x'), 'lives on');
}, deno('ends the worker'));

workerTest('an unhandled rejection is no error of the worker', 'web.mjs', async (worker) => {
  let errors = 0;
  worker.onerror = (event) => { event.preventDefault(); errors += 1; };
  worker.postMessage({ run: 'reject', value: 'x' });
  assertEq(await ask(worker, 'echo', 1), 1);
  await turns(20);
  assertEq(await ask(worker, 'echo', 1), 1);
  assertEq(errors, 0);
}, deno('ends the worker'));

workerTest('self.onerror that returns true handles it: five arguments, no event for the parent', 'web-onerror.mjs', async (worker) => {
  let errors = 0;
  worker.onerror = (event) => { event.preventDefault(); errors += 1; };
  const answer = next(worker);
  worker.postMessage('handled');
  assertList(await answer, ['string', 'string', 'number', 'number', 'TypeError: handled']);
  const again = next(worker);
  worker.postMessage('again');
  assertEq((await again).at(-1), 'TypeError: again');
  await turns(10);
  assertEq(errors, 0);
});

workerTest('an error listener in the worker that prevents the default handles it', 'web-listener.mjs', async (worker) => {
  let errors = 0;
  worker.onerror = (event) => { event.preventDefault(); errors += 1; };
  const answer = next(worker);
  worker.postMessage('handled');
  const got = await answer;
  assertEq(got.error, 'handled');
  assert(got.message.includes('handled'));
  assertEq(got.filename, script('web-listener.mjs').href);
  assertEq(got.lineno, 7);
  await turns(10);
  assertEq(errors, 0);
});

for (const [what, file] of [['a script that is not there', 'is-not-there.mjs'], ['a syntax error', 'syntax-error.mjs'],
  ['an import that is not there', 'missing-import.mjs']]) {
  workerTest(`${what}: an error event`, file, async (worker) => {
    worker.onerror = (event) => event.preventDefault();
    assertEq((await nextEvent(worker, 'error')).type, 'error');
  });
}

test('ErrorEvent: constructor', () => {
  const error = new Error();
  const event = new ErrorEvent('error', { message: 'm', filename: 'f', lineno: 1, colno: 2, error, cancelable: true });
  assertList([event.type, event.message, event.filename, event.lineno, event.colno, event.error, event.cancelable],
    ['error', 'm', 'f', 1, 2, error, true]);
  const plain = new ErrorEvent('x');
  assertList([plain.message, plain.filename, plain.lineno, plain.colno], ['', '', 0, 0]);
});

test('ErrorEvent: error is undefined by default', () => {
  assertEq(new ErrorEvent('x').error, undefined);
});

// Nested, classic.

workerTest('workers within workers', 'web-nested.mjs', async (worker) => {
  assertEq((await next(worker)).inner, 'inner');
});

for (const options of [{ type: 'classic', name: 'my name' }, { name: 'my name' }]) {
  test(`a classic worker, ${options.type ? 'asked for' : 'by default'}: sloppy, global variables, importScripts`, async () => {
    const worker = new Worker(script('classic.js'), options);
    const got = await within(new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    }), 'a message or an error');
    assertEq(got.self, true);
    assertList([got.declared, got.undeclared, got.name], [1, 2, 'my name']);
    assertEq(got.parts, 3);
    assertEq(got.thrown, 'of the imported script');
    assertEq(got.missing, 'NetworkError');
    worker.terminate();
  }, deno('has no classic workers'));
}

workerTest('importScripts in a module worker: TypeError', 'web-imports-scripts.mjs', async (worker) => {
  assertEq(await next(worker), 'TypeError');
}, deno('has none'));

test('a worker that was terminated does not keep the process running, nor one that has closed', async () => {
  const worker = new Worker(script('web.mjs'), { type: 'module' });
  worker.onmessage = () => {};
  const answer = next(worker);
  worker.postMessage({ run: 'close' });
  await answer;
  globalThis.keptOpen = worker;
});
