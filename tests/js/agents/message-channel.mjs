// MessageChannel and MessagePort within one agent: as HTML has them, and as node:worker_threads adds to them.
import * as threads from 'node:worker_threads';
import { assert, assertEq, assertList, assertProperty, test } from '../harness.mjs';
import { assertDataCloneError, assertTypeError, messages, nextEvent, nextOn, turn, turns, within } from './support.mjs';

const { receiveMessageOnPort } = threads;

/** A channel for `fn`, closed afterwards. */
const channelTest = (name, fn, options) => test(name, async () => {
  const { port1, port2 } = new MessageChannel();
  try {
    await fn(port1, port2);
  } finally {
    port1.close();
    port2.close();
  }
}, options);

test('the interfaces', () => {
  for (const name of ['MessageChannel', 'MessagePort', 'MessageEvent']) {
    // Made when it is first read.
    assert(globalThis[name]);
    assertProperty(globalThis, name, 'wc');
  }
  assertEq(threads.MessageChannel, MessageChannel);
  assertEq(threads.MessagePort, MessagePort);
  assertTypeError( () => new MessagePort());
  assertTypeError( () => MessageChannel());
  const channel = new MessageChannel();
  assert(channel.port1 instanceof MessagePort && channel.port2 instanceof MessagePort);
  assert(channel.port1 !== channel.port2);
  assertEq(channel.port1, channel.port1);
  assert(channel.port1 instanceof EventTarget);
  assertEq(channel.port1.onmessage, null);
  assertEq(channel.port1.onmessageerror, null);
});

test('the tags of the interfaces', () => {
  const channel = new MessageChannel();
  assertEq(Object.prototype.toString.call(channel), '[object MessageChannel]');
  assertEq(Object.prototype.toString.call(channel.port1), '[object MessagePort]');
  assertEq(Object.prototype.toString.call(new MessageEvent('x')), '[object MessageEvent]');
}, { v8: 'Node’s have those of their bases' });

channelTest('messages arrive in order, both ways', async (port1, port2) => {
  const [at1, at2] = [messages(port1, 100), messages(port2, 100)];
  for (let i = 0; i < 100; i += 1) {
    port1.postMessage(i);
    port2.postMessage(-i);
  }
  assertList(await at2, Array.from({ length: 100 }, (_, i) => i));
  assertList(await at1, Array.from({ length: 100 }, (_, i) => -i));
});

channelTest('a message is cloned when it is posted', async (port1, port2) => {
  const value = { list: [1] };
  value.self = value;
  port1.postMessage(value);
  value.list.push(2);
  const [got] = await messages(port2, 1);
  assert(got !== value);
  assertEq(got.self, got);
  assertList(got.list, [1]);
});

channelTest('postMessage returns nothing', (port1) => {
  assertEq(port1.postMessage(undefined), undefined);
}, { v8: 'Node returns true' });

channelTest('postMessage needs an argument', (port1) => {
  assertTypeError(() => port1.postMessage());
});

channelTest('onmessage starts the port', async (port1, port2) => {
  port1.postMessage('early');
  await turns(2);
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  assertEq(event.data, 'early');
});

channelTest('the first listener for messages starts the port, as in Node, however it is added', async (port1, port2) => {
  const got = [];
  port1.postMessage('first');
  port1.postMessage('second');
  await turns();
  port2.addEventListener('message', ({ data }) => got.push(data));
  await within((async () => { while (got.length < 2) await turn(); })(), 'two messages');
  assertList(got, ['first', 'second']);
});

channelTest('messages queue before start, and arrive later than the call', async (port1, port2) => {
  for (const value of [1, 2, 3]) port1.postMessage(value);
  await turns(2);
  const got = [];
  const all = within(new Promise((resolve) => {
    port2.addEventListener('message', ({ data }) => { if (got.push(data) === 3) resolve(); });
  }), 'three messages');
  port2.start();
  port2.start();
  assertList(got, []);
  await all;
  assertList(got, [1, 2, 3]);
});

channelTest('onmessage: replaced, removed, not a function', async (port1, port2) => {
  const got = [];
  port2.onmessage = () => got.push('wrong');
  port2.onmessage = ({ data }) => got.push(data);
  port1.postMessage('right');
  await nextEvent(port2, 'message');
  assertList(got, ['right']);
  port2.onmessage = 5;
  assertEq(port2.onmessage, null);
  const handler = () => {};
  port2.onmessage = handler;
  assertEq(port2.onmessage, handler);
  port2.onmessage = null;
  assertEq(port2.onmessage, null);
});

channelTest('listeners: all are called, in order, until one stops it', async (port1, port2) => {
  const got = [];
  port2.addEventListener('message', () => got.push('one'));
  port2.onmessage = () => got.push('two');
  port2.addEventListener('message', (event) => { got.push('three'); event.stopImmediatePropagation(); }, { once: true });
  port2.addEventListener('message', { handleEvent() { got.push('four'); } });
  port1.postMessage(0);
  port1.postMessage(0);
  await nextOn(port2, 'message');
  await turns(3);
  assertList(got, ['one', 'two', 'three', 'one', 'two', 'four']);
});

channelTest('the event', async (port1, port2) => {
  port1.postMessage({ a: 1 });
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  assert(event instanceof MessageEvent && event instanceof Event);
  assertEq(event.type, 'message');
  assertEq(event.target, port2);
  assertEq(event.data.a, 1);
  assertEq(event.data, event.data);
  assertEq(event.ports.length, 0);
  assertEq(event.lastEventId, '');
  assertList([event.bubbles, event.cancelable], [false, false]);
});

channelTest('the event has no origin and no source', async (port1, port2) => {
  port1.postMessage(0);
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  assertEq(event.origin, '');
  assertEq(event.source, null);
});

channelTest('the event is trusted, its list of ports frozen', async (port1, port2) => {
  port1.postMessage(0);
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  assertEq(event.isTrusted, true);
  assert(Object.isFrozen(event.ports));
}, { v8: 'Node’s are not' });

test('MessageEvent: constructor', () => {
  const { port1 } = new MessageChannel();
  const data = {};
  const event = new MessageEvent('mine', { data, origin: 'o', lastEventId: 'l', source: port1, ports: [port1] });
  assertList([event.type, event.data, event.origin, event.lastEventId, event.source], ['mine', data, 'o', 'l', port1]);
  assertList(event.ports, [port1]);
  const plain = new MessageEvent('mine');
  assertList([plain.data, plain.origin, plain.lastEventId, plain.source, plain.ports.length], [null, '', '', null, 0]);
  assertTypeError( () => new MessageEvent());
  assertTypeError( () => MessageEvent('mine'));
  port1.close();
});

channelTest('an event that a script dispatches reaches listeners', (port1) => {
  let got;
  port1.onmessage = ({ data }) => { got = data; };
  port1.dispatchEvent(new MessageEvent('message', { data: 5 }));
  assertEq(got, 5);
});

// What may be posted.

channelTest('transfer: a list, or an object with one', async (port1, port2) => {
  const [a, b] = [Uint8Array.of(1).buffer, Uint8Array.of(2).buffer];
  port1.postMessage(a, [a]);
  port1.postMessage({ b }, { transfer: [b] });
  assertEq(a.detached, true);
  assertEq(b.detached, true);
  const [first, second] = await messages(port2, 2);
  assertEq(new Uint8Array(first)[0], 1);
  assertEq(new Uint8Array(second.b)[0], 2);
});

channelTest('transfer: a buffer that is not in the message', async (port1, port2) => {
  const buffer = new ArrayBuffer(8);
  port1.postMessage('x', [buffer]);
  assertEq(buffer.detached, true);
  assertList(await messages(port2, 1), ['x']);
});

channelTest('what cannot be cloned: DataCloneError, and nothing arrives', async (port1, port2) => {
  const buffer = new ArrayBuffer(8);
  for (const value of [() => {}, Symbol(), Promise.resolve(), new WeakMap()]) {
    assertDataCloneError(() => port1.postMessage([buffer, value], [buffer]));
  }
  assertEq(buffer.detached, false);
  port1.postMessage('only');
  assertList(await messages(port2, 1), ['only']);
});

channelTest('the transfer list: duplicates and what cannot be: DataCloneError', (port1) => {
  const buffer = new ArrayBuffer(8);
  const { port1: other, port2: another } = new MessageChannel();
  assertDataCloneError(() => port1.postMessage(0, [buffer, buffer]));
  assertDataCloneError(() => port1.postMessage(0, [buffer, other, other]));
  assertDataCloneError(() => port1.postMessage(0, [new SharedArrayBuffer(1)]));
  assertDataCloneError(() => port1.postMessage(0, [buffer, {}]));
  assertEq(buffer.detached, false);
  other.close();
  another.close();
});

channelTest('a port that is not in the transfer list: DataCloneError', (port1) => {
  const { port1: other } = new MessageChannel();
  assertDataCloneError(() => port1.postMessage(other));
  assertDataCloneError(() => structuredClone(other));
  other.close();
});

channelTest('a channel is no data: DataCloneError', (port1) => {
  assertDataCloneError(() => structuredClone(new MessageEvent('x')));
  assertDataCloneError(() => port1.postMessage(new MessageChannel()));
});

channelTest('shared bytes', async (port1, port2) => {
  const buffer = new SharedArrayBuffer(8);
  port1.postMessage(buffer);
  const [copy] = await messages(port2, 1);
  new Uint8Array(copy)[1] = 7;
  assertEq(new Uint8Array(buffer)[1], 7);
});

channelTest('a module and a shared memory', async (port1, port2) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  port1.postMessage({ memory, module });
  const [copy] = await messages(port2, 1);
  assert(copy.memory instanceof WebAssembly.Memory && copy.memory !== memory);
  assert(copy.module instanceof WebAssembly.Module && copy.module !== module);
  new Uint8Array(copy.memory.buffer)[1] = 7;
  assertEq(new Uint8Array(memory.buffer)[1], 7);
});

// Ports in messages.

channelTest('a port in a message works where it arrives', async (port1, port2) => {
  const { port1: mine, port2: theirs } = new MessageChannel();
  port1.postMessage({ theirs }, [theirs]);
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  const { theirs: got } = event.data;
  assert(got instanceof MessagePort && got !== theirs);
  assertList(event.ports, [got]);
  const there = messages(got, 1);
  mine.postMessage('to');
  assertList(await there, ['to']);
  const back = messages(mine, 1);
  got.postMessage('from');
  assertList(await back, ['from']);
  mine.close();
});

channelTest('ports in the list but not in the message are in event.ports, in order', async (port1, port2) => {
  const [a, b] = [new MessageChannel(), new MessageChannel()];
  port1.postMessage('ports', [b.port2, new ArrayBuffer(1), a.port2]);
  const event = await within(new Promise((resolve) => { port2.onmessage = resolve; }), 'the message');
  assertEq(event.ports.length, 2);
  a.port1.postMessage('a');
  b.port1.postMessage('b');
  const [first, second] = event.ports.map((port) => messages(port, 1));
  assertList([...await first, ...await second], ['b', 'a']);
  a.port1.close();
  b.port1.close();
});

test('structuredClone transfers a port, too', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage('queued');
  const copy = structuredClone({ port2 }, { transfer: [port2] }).port2;
  assert(copy instanceof MessagePort && copy !== port2);
  port1.postMessage('later');
  assertList(await messages(copy, 2), ['queued', 'later']);
  assertDataCloneError(() => structuredClone(0, { transfer: [port2] }));
  port1.close();
});

channelTest('messages that wait in a port travel with it, before those that come later', async (port1, port2) => {
  const { port1: mine, port2: theirs } = new MessageChannel();
  mine.postMessage(1);
  mine.postMessage(2);
  await turns(2);
  port1.postMessage(theirs, [theirs]);
  mine.postMessage(3);
  await turns(2);
  mine.postMessage(4);
  const [got] = await messages(port2, 1);
  mine.postMessage(5);
  assertList(await messages(got, 5), [1, 2, 3, 4, 5]);
  mine.close();
});

test('a port travels along a chain of ports that travel themselves', async () => {
  const chain = Array.from({ length: 10 }, () => new MessageChannel());
  const { port1: mine, port2: theirs } = new MessageChannel();
  mine.postMessage('first');
  let port = theirs;
  for (const { port1, port2 } of chain) {
    port1.postMessage(port, [port]);
    port = port2;
  }
  for (let i = 0; i < chain.length; i += 1) [port] = await messages(port, 1);
  mine.postMessage('second');
  assertList(await messages(port, 2), ['first', 'second']);
  const back = messages(mine, 1);
  port.postMessage('back');
  assertList(await back, ['back']);
  mine.close();
  for (const { port1, port2 } of chain) { port1.close(); port2.close(); }
});

channelTest('both ends of a channel in one message, messages within', async (port1, port2) => {
  const { port1: a, port2: b } = new MessageChannel();
  a.postMessage('to b');
  b.postMessage('to a');
  port1.postMessage([a, b], [a, b]);
  const [[c, d]] = await messages(port2, 1);
  const both = [messages(c, 1), messages(d, 1)];
  assertList((await Promise.all(both)).flat(), ['to a', 'to b']);
  c.close();
});

test('a port through itself: DataCloneError', async () => {
  const { port1, port2 } = new MessageChannel();
  const buffer = new ArrayBuffer(1);
  assertDataCloneError(() => port1.postMessage(port1, [port1]));
  assertDataCloneError(() => port1.postMessage(0, [buffer, port1]));
  assertEq(buffer.detached, false);
  port1.postMessage('still works');
  assertList(await messages(port2, 1), ['still works']);
  port1.close();
});

test('a port is gone once it was transferred', async () => {
  const { port1, port2 } = new MessageChannel();
  const copy = structuredClone(port2, { transfer: [port2] });
  port2.postMessage('lost');
  assertDataCloneError(() => structuredClone(port2, { transfer: [port2] }));
  port1.postMessage('kept');
  let lost = true;
  port2.onmessage = () => { lost = false; };
  assertList(await messages(copy, 1), ['kept']);
  port2.close();
  port1.postMessage('still open');
  assertList(await messages(copy, 1), ['still open']);
  assert(lost);
  port1.close();
});

test('listeners stay with the object, not with the port that travels', async () => {
  const { port1, port2 } = new MessageChannel();
  let wrong = 0;
  port2.addEventListener('message', () => { wrong += 1; });
  const copy = structuredClone(port2, { transfer: [port2] });
  assertEq(copy.onmessage, null);
  port1.postMessage(0);
  await messages(copy, 1);
  assertEq(wrong, 0);
  port1.close();
});

// Closing.

test('the other end gets a close event, after what was posted before', async () => {
  const { port1, port2 } = new MessageChannel();
  const log = [];
  port2.onmessage = ({ data }) => log.push(data);
  const closed = nextEvent(port2, 'close');
  port1.postMessage('last words');
  port1.close();
  const event = await closed;
  assertEq(event.type, 'close');
  assertEq(event.target, port2);
  assert(event instanceof Event);
  assertList(log, ['last words']);
});

test('the close event comes once, however often one closes', async () => {
  const { port1, port2 } = new MessageChannel();
  let count = 0;
  port2.addEventListener('close', () => { count += 1; });
  port2.start();
  const closed = nextEvent(port2, 'close');
  port1.close();
  port1.close();
  await closed;
  port2.close();
  port1.close();
  await turns();
  assertEq(count, 1);
});

test('Node: both ends emit close', async () => {
  const { port1, port2 } = new MessageChannel();
  const closed = [nextOn(port1, 'close'), nextOn(port2, 'close')];
  port1.close();
  await Promise.all(closed);
});

test('Node: the callback of close', async () => {
  const { port1 } = new MessageChannel();
  await within(new Promise((resolve) => { port1.close(resolve); }), 'the callback');
});

test('posting to a port that is closed does nothing; what cannot be cloned still fails', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  port1.postMessage('x');
  port2.postMessage('y');
  await turns();
  port1.postMessage('x');
  port2.postMessage('y');
  port1.start();
  port2.start();
  assertEq(receiveMessageOnPort(port1), undefined);
});

test('posting from a closed port still clones: DataCloneError', async () => {
  const { port1 } = new MessageChannel();
  port1.close();
  await turns(2);
  assertDataCloneError(() => port1.postMessage(() => {}));
});

test('a buffer that is posted to a port whose other end is closed is detached all the same', async () => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  const buffer = new ArrayBuffer(1);
  port1.postMessage(0, [buffer]);
  assertEq(buffer.detached, true);
});

test('close in a listener does not keep what is on its way from coming', async () => {
  const { port1, port2 } = new MessageChannel();
  const got = [];
  const closed = nextOn(port1, 'close');
  port2.on('message', (value) => { got.push(value); if (value === 1) port2.close(); });
  for (const value of [0, 1, 2, 3]) port1.postMessage(value);
  await closed;
  await turns(3);
  port1.postMessage(4);
  await turns(3);
  assertList(got, [0, 1, 2, 3]);
});

test('a port that was closed cannot be transferred: DataCloneError', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.close();
  await nextOn(port1, 'close');
  assertDataCloneError(() => structuredClone(0, { transfer: [port1] }));
  port2.close();
});

// Order.

channelTest('a message is a task: it comes after the microtasks, one at a time', async (port1, port2) => {
  const log = [];
  const done = within(new Promise((resolve) => {
    port2.onmessage = ({ data }) => {
      log.push(`message ${data}`);
      queueMicrotask(() => { log.push(`microtask ${data}`); Promise.resolve().then(() => log.push(`and its own ${data}`)); });
      if (data === 2) setTimeout(resolve, 0);
    };
  }), 'the messages');
  port1.postMessage(1);
  port1.postMessage(2);
  Promise.resolve().then(() => Promise.resolve()).then(() => log.push('promise'));
  log.push('sync');
  await done;
  assertList(log, ['sync', 'promise', 'message 1', 'microtask 1', 'and its own 1', 'message 2', 'microtask 2', 'and its own 2']);
});

channelTest('process.nextTick runs between two messages', async (port1, port2) => {
  const log = [];
  port2.on('message', (value) => { log.push(value); process.nextTick(() => log.push(`tick ${value}`)); });
  port1.postMessage(1);
  port1.postMessage(2);
  await within((async () => { while (log.length < 4) await turn(); })(), 'four entries');
  assertList(log, [1, 'tick 1', 2, 'tick 2']);
});

channelTest('microtasks run between the listeners of one message', async (port1, port2) => {
  const log = [];
  for (const name of ['a', 'b']) {
    port2.addEventListener('message', () => { log.push(name); queueMicrotask(() => log.push(`micro ${name}`)); });
  }
  port2.start();
  port1.postMessage(0);
  await within((async () => { while (log.length < 4) await turn(); })(), 'four entries');
  assertList(log, ['a', 'micro a', 'b', 'micro b']);
}, { v8: 'Node calls all listeners in one task' });

channelTest('ping-pong does not starve timers', async (port1, port2) => {
  let going = true, rounds = 0;
  port1.on('message', (value) => { rounds += 1; if (going) port1.postMessage(value); });
  port2.on('message', (value) => { if (going) port2.postMessage(value); });
  port1.postMessage(0);
  while (rounds === 0) await turn();
  await turns(3);
  going = false;
});

channelTest('10,000 messages', async (port1, port2) => {
  const got = messages(port2, 10_000);
  for (let i = 0; i < 10_000; i += 1) port1.postMessage(i);
  assert((await got).every((value, i) => value === i));
});

// Node's methods.

channelTest('Node: on, once, off; the listener gets the value', async (port1, port2) => {
  const log = [];
  const on = (...args) => log.push(['on', ...args].join());
  const once = (value) => log.push(`once,${value}`);
  assertEq(port2.on('message', on), port2);
  assertEq(port2.once('message', once), port2);
  port1.postMessage(1);
  port1.postMessage(2);
  await within((async () => { while (log.length < 3) await turn(); })(), 'three entries');
  assertList(log, ['on,1', 'once,1', 'on,2']);
  assertEq(port2.off('message', on), port2);
  const last = nextOn(port2, 'message');
  port1.postMessage(3);
  assertEq(await last, 3);
  assertEq(log.length, 3);
});

channelTest('Node: addListener, removeListener, listenerCount', async (port1, port2) => {
  const listener = () => {};
  port2.addListener('message', listener);
  assertEq(port2.listenerCount('message'), 1);
  port2.removeListener('message', listener);
  assertEq(port2.listenerCount('message'), 0);
});

channelTest('Node: ref, unref, hasRef', (port1, port2) => {
  assertEq(port1.hasRef(), false, 'nobody listens');
  port1.ref();
  assertEq(port1.hasRef(), true);
  port1.unref();
  assertEq(port1.hasRef(), false);
  const listener = () => {};
  port2.on('message', listener);
  assertEq(port2.hasRef(), true, 'somebody listens');
  port2.off('message', listener);
  assertEq(port2.hasRef(), false, 'nobody listens any more');
  port2.onmessage = listener;
  assertEq(port2.hasRef(), true);
  port2.onmessage = null;
  assertEq(port2.hasRef(), false);
});

channelTest('Node: receiveMessageOnPort takes the oldest, without events', async (port1, port2) => {
  assertEq(receiveMessageOnPort(port2), undefined);
  port1.postMessage({ a: 1 });
  port1.postMessage(undefined);
  port1.postMessage('third');
  const first = receiveMessageOnPort(port2);
  assertList(Object.keys(first), ['message']);
  assertEq(first.message.a, 1);
  const second = receiveMessageOnPort(port2);
  assert('message' in second);
  assertEq(second.message, undefined);
  assertList(await messages(port2, 1), ['third']);
  assertEq(receiveMessageOnPort(port2), undefined);
});

channelTest('Node: receiveMessageOnPort on a port that has listeners', async (port1, port2) => {
  const got = [];
  port2.on('message', (value) => got.push(value));
  port1.postMessage(1);
  port1.postMessage(2);
  assertEq(receiveMessageOnPort(port2).message, 1);
  await within((async () => { while (got.length < 1) await turn(); })(), 'a message');
  assertList(got, [2]);
});

test('Node: receiveMessageOnPort needs a port', () => {
  for (const other of [undefined, null, 1, {}, new MessageChannel()]) assertTypeError( () => receiveMessageOnPort(other));
});

test('Node: receiveMessageOnPort gets ports and what is left in a port whose other end is closed', async () => {
  const { port1, port2 } = new MessageChannel();
  const { port1: mine, port2: theirs } = new MessageChannel();
  port1.postMessage(theirs, [theirs]);
  mine.postMessage('within');
  const { message: got } = receiveMessageOnPort(port2);
  assert(got instanceof MessagePort);
  assertEq(receiveMessageOnPort(got).message, 'within');
  port1.postMessage('left');
  port1.close();
  assertEq(receiveMessageOnPort(port2).message, 'left');
  mine.close();
});

channelTest('an exception of one listener does not keep others and later messages from coming', async (port1, port2) => {
  const reason = new Error('of a listener');
  const got = [];
  const uncaught = within(new Promise((resolve) => { process.once('uncaughtException', resolve); }), 'uncaughtException');
  port2.addEventListener('message', ({ data }) => { if (data === 0) throw reason; });
  port2.onmessage = ({ data }) => got.push(data);
  port1.postMessage(0);
  port1.postMessage(1);
  assertEq(await uncaught, reason);
  await within((async () => { while (got.length < 2) await turn(); })(), 'two messages');
  assertList(got, [0, 1]);
});

// Ends: what is left open here must not keep the process running.

test('a port nobody listens on does not keep the process running', () => {
  globalThis.keptOpen = [new MessageChannel()];
});

test('neither does one that was unref’d, nor one whose listener is gone', () => {
  const channels = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  globalThis.keptOpen.push(...channels);
  channels[0].port1.on('message', () => {});
  channels[0].port1.unref();
  const listener = () => {};
  channels[1].port1.on('message', listener);
  channels[1].port1.off('message', listener);
  channels[2].port1.start();
  channels[2].port1.unref();
});

test('neither does one whose other end is closed', () => {
  const { port1, port2 } = new MessageChannel();
  globalThis.keptOpen.push(port1, port2);
  port1.on('message', () => {});
  port2.close();
});

test('a ref’d port with a listener keeps it running until it is closed', () => {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => { port1.close(); });
  port2.postMessage('the end');
});

channelTest('a port through its own channel: the message is lost, and the channel with it', async (port1, port2) => {
  const closed = nextOn(port1, 'close');
  port1.postMessage(1, [port2]);
  await closed;
}, { v8: 'Node warns, and closes the port a message later' });

test('a port that is held and never started lets go with its channel', async () => {
  const { port1, port2 } = new MessageChannel();
  port1.ref();
  port2.close();
  while (port1.hasRef()) await turn();
});

test('a port that is held stays open although nobody has the other end', async () => {
  const port = new MessageChannel().port1;
  port.ref();
  globalThis.gc?.();
  await turn();
  assert(port.hasRef());
  port.close();
  while (port.hasRef()) await turn();
});

test('a getter that transfers the very port', async () => {
  const { port1, port2 } = new MessageChannel();
  const other = new MessageChannel();
  port1.postMessage({ get x() { other.port1.postMessage('the port', [port1]); return 1; } });
  const moved = nextOn(other.port2, 'message');
  assertEq(await moved, 'the port');
  for (const port of [port2, other.port1, other.port2]) port.close();
});

test('a getter that closes the port: what was being posted comes, and then the end', async () => {
  for (const close of [(port) => port.close(), (port) => { port.postMessage('inner'); port.close(); }]) {
    const { port1, port2 } = new MessageChannel();
    const heard = [];
    port2.on('message', (message) => heard.push(message.x ?? message));
    const closed = nextOn(port2, 'close');
    port1.postMessage('before');
    port1.postMessage({ get x() { close(port1); return 'posted'; } });
    port1.postMessage('after');
    await closed;
    assertList(heard.filter((message) => message !== 'inner'), ['before', 'posted']);
  }
});

test('a getter that closes the port and throws: the port is closed all the same', async () => {
  const { port1, port2 } = new MessageChannel();
  port2.on('message', () => assert(false, 'nothing was posted'));
  const closed = nextOn(port2, 'close');
  try {
    port1.postMessage({ get x() { port1.close(); throw 'thrown'; } });
    assert(false, 'it throws');
  } catch (error) {
    assertEq(error, 'thrown');
  }
  await closed;
});

test('a getter that transfers the port: the message goes to where it would have gone', async () => {
  const { port1, port2 } = new MessageChannel();
  const other = new MessageChannel();
  port1.postMessage({ get x() { other.port1.postMessage('the port', [port1]); return 'posted'; } });
  assertEq((await nextOn(port2, 'message')).x, 'posted');
  for (const port of [port2, other.port1, other.port2]) port.close();
}, { v8: 'Node loses the message' });
