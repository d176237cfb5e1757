// BroadcastChannel: who hears what, in which order, and when no more; within one agent and between agents.
import * as threads from 'node:worker_threads';
import { assert, assertEq, assertList, assertProperty, test } from '../harness.mjs';
import { assertDataCloneError, assertDOMException, assertEndsWell, assertTypeError, turns, within } from './support.mjs';
import { spawn } from './spawn.mjs';

let names = 0;
/** `fn` with `count` channels of one new name, closed afterwards. */
const channelsTest = (name, count, fn, options) => test(name, async () => {
  names += 1;
  const channels = Array.from({ length: count }, () => new BroadcastChannel(`name ${names}`));
  try {
    await fn(...channels);
  } finally {
    for (const channel of channels) channel.close();
  }
}, options);

/** The data of the next `count` messages. */
const heard = (channel, count) => within(new Promise((resolve) => {
  const got = [];
  channel.onmessage = ({ data }) => { if (got.push(data) === count) resolve(got); };
}), `message ${count}`);

test('the interface', () => {
  // Made when it is first read.
  assert(BroadcastChannel);
  assertProperty(globalThis, 'BroadcastChannel', 'wc');
  assertEq(threads.BroadcastChannel, BroadcastChannel);
  assertEq(BroadcastChannel.length, 1);
  assertTypeError(() => BroadcastChannel('x'));
  assertTypeError(() => new BroadcastChannel());
  const channel = new BroadcastChannel('x');
  assert(channel instanceof EventTarget);
  assertEq(channel.onmessage, null);
  assertEq(channel.onmessageerror, null);
  assertTypeError(() => channel.postMessage());
  assertEq(channel.postMessage(1), undefined);
  assertEq(channel.close(), undefined);
});

test('the name is a string', () => {
  for (const name of ['', 'x', 5, null, undefined, { toString: () => 'text' }]) {
    const channel = new BroadcastChannel(name);
    assertEq(channel.name, `${name}`);
    channel.close();
    assertEq(channel.name, `${name}`);
  }
  assertTypeError(() => new BroadcastChannel(Symbol()));
});

channelsTest('others of the name hear it, the sender does not', 3, async (a, b, c) => {
  let own = 0;
  a.onmessage = () => { own += 1; };
  const all = [heard(b, 2), heard(c, 2)];
  a.postMessage(1);
  a.postMessage(2);
  for (const got of await Promise.all(all)) assertList(got, [1, 2]);
  const answer = within(new Promise((resolve) => { a.onmessage = resolve; }), 'an answer');
  c.postMessage('answer');
  assertEq((await answer).data, 'answer');
  assertEq(own, 0);
});

channelsTest('names are told apart, to the letter', 2, async (a, b) => {
  const others = ['', ' ', 'NAME', `${a.name} `, 'n'].map((name) => new BroadcastChannel(name));
  let wrong = 0;
  for (const other of others) other.onmessage = () => { wrong += 1; };
  const got = heard(b, 1);
  a.postMessage('x');
  await got;
  await turns();
  assertEq(wrong, 0);
  for (const other of others) other.close();
});

test('NUL is a letter', async () => {
  const [a, b, other] = ['x\0y', 'x\0y', 'x'].map((name) => new BroadcastChannel(name));
  let wrong = 0;
  other.onmessage = () => { wrong += 1; };
  const got = heard(b, 1);
  a.postMessage('x');
  await got;
  await turns();
  for (const channel of [a, b, other]) channel.close();
  assertEq(wrong, 0);
}, { v8: 'Node ends the name there' });

channelsTest('no start is needed: addEventListener', 2, async (a, b) => {
  const got = within(new Promise((resolve) => { b.addEventListener('message', resolve); }), 'a message');
  a.postMessage('x');
  assertEq((await got).data, 'x');
});

channelsTest('the event', 2, async (a, b) => {
  const got = within(new Promise((resolve) => { b.onmessage = resolve; }), 'a message');
  a.postMessage({ x: 1 });
  const event = await got;
  assert(event instanceof MessageEvent);
  assertList([event.type, event.target, event.ports.length, event.source, event.lastEventId], ['message', b, 0, null, '']);
  assertEq(event.data.x, 1);
});

channelsTest('delivery is a task, after the microtasks', 2, async (a, b) => {
  const log = [];
  const got = within(new Promise((resolve) => {
    b.onmessage = ({ data }) => {
      log.push(data);
      queueMicrotask(() => log.push(`micro ${data}`));
      if (data === 2) setTimeout(resolve, 0);
    };
  }), 'a message');
  a.postMessage(1);
  a.postMessage(2);
  Promise.resolve().then(() => log.push('promise'));
  log.push('sync');
  await got;
  assertList(log, ['sync', 'promise', 1, 'micro 1', 2, 'micro 2']);
});

channelsTest('each listener has a copy of its own, of the value as it was', 3, async (a, b, c) => {
  const value = { list: [1] };
  const all = [heard(b, 1), heard(c, 1)];
  a.postMessage(value);
  value.list.push(2);
  const [[one], [two]] = await Promise.all(all);
  assert(one !== value && one !== two);
  assertList(one.list, [1]);
  assertList(two.list, [1]);
});

channelsTest('a channel made later hears nothing of before', 2, async (a, b) => {
  a.postMessage('before');
  const late = new BroadcastChannel(a.name);
  const got = [heard(b, 2), heard(late, 1)];
  a.postMessage('after');
  assertList(await got[0], ['before', 'after']);
  assertList(await got[1], ['after']);
  late.close();
});

channelsTest('messages of several senders come in one order, the same for all', 4, async (a, b, c, d) => {
  const got = [heard(c, 40), heard(d, 40)];
  for (let i = 0; i < 20; i += 1) {
    a.postMessage(2 * i);
    b.postMessage(2 * i + 1);
  }
  const want = Array.from({ length: 40 }, (_, i) => i);
  assertList(await got[0], want);
  assertList(await got[1], want);
});

channelsTest('messages of one sender come in order', 2, async (a, b) => {
  const got = heard(b, 1000);
  for (let i = 0; i < 1000; i += 1) a.postMessage(i);
  assertList(await got, Array.from({ length: 1000 }, (_, i) => i));
});

channelsTest('what cannot be cloned: DataCloneError, and nobody hears', 2, async (a, b) => {
  for (const value of [() => {}, Symbol(), new WeakMap()]) assertDataCloneError(() => a.postMessage(value));
  const { port1 } = new MessageChannel();
  assertDataCloneError(() => a.postMessage(port1));
  const got = heard(b, 1);
  a.postMessage('only');
  assertList(await got, ['only']);
  port1.close();
});

channelsTest('there is no transfer', 2, async (a, b) => {
  const buffer = new ArrayBuffer(8);
  const got = heard(b, 1);
  a.postMessage(buffer, [buffer]);
  assertEq((await got)[0].byteLength, 8);
  assertEq(buffer.detached, false);
});

channelsTest('a BroadcastChannel is no data: DataCloneError', 2, (a) => {
  assertDataCloneError(() => structuredClone(0, { transfer: [a] }));
  assertDataCloneError(() => structuredClone(a));
  assertDataCloneError(() => a.postMessage(a));
}, { v8: 'Node takes it for a plain object' });

channelsTest('shared bytes reach everybody', 3, async (a, b, c) => {
  const buffer = new SharedArrayBuffer(8);
  const all = [heard(b, 1), heard(c, 1)];
  a.postMessage(buffer);
  const [[one], [two]] = await Promise.all(all);
  new Uint8Array(one)[0] = 7;
  assertEq(new Uint8Array(buffer)[0], 7);
  assertEq(new Uint8Array(two)[0], 7);
});

channelsTest('a module and a shared memory reach everybody', 2, async (a, b) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const got = heard(b, 1);
  a.postMessage({ memory, module });
  const [copy] = await got;
  new Uint8Array(copy.memory.buffer)[1] = 7;
  assertEq(new Uint8Array(memory.buffer)[1], 7);
  assert(copy.module instanceof WebAssembly.Module);
});

channelsTest('closed: posting is an InvalidStateError, closing again nothing', 1, (a) => {
  a.close();
  a.close();
  assertDOMException('InvalidStateError', 11, () => a.postMessage(1));
});

channelsTest('closed comes before cloned', 1, (a) => {
  a.close();
  assertDOMException('InvalidStateError', 11, () => a.postMessage(() => {}));
});

channelsTest('closed: nothing is heard, not even what was on its way', 3, async (a, b, c) => {
  let count = 0;
  b.onmessage = () => { count += 1; };
  const got = heard(c, 2);
  a.postMessage(1);
  b.close();
  a.postMessage(2);
  await got;
  await turns();
  assertEq(count, 0);
});

channelsTest('closed in a listener: no more', 3, async (a, b, c) => {
  const at = [];
  b.onmessage = ({ data }) => { at.push(data); b.close(); };
  const got = heard(c, 3);
  for (const value of [1, 2, 3]) a.postMessage(value);
  await got;
  await turns();
  assertList(at, [1]);
});

channelsTest('closing the sender takes nothing back', 2, async (a, b) => {
  const got = heard(b, 2);
  a.postMessage(1);
  a.postMessage(2);
  a.close();
  assertList(await got, [1, 2]);
});

channelsTest('onmessage: replaced and removed', 2, async (a, b) => {
  b.onmessage = () => { throw new Error('replaced'); };
  b.onmessage = null;
  assertEq(b.onmessage, null);
  b.onmessage = 5;
  assertEq(b.onmessage, null);
  const got = heard(b, 1);
  a.postMessage('x');
  await got;
});

// Between agents.

channelsTest('workers hear it, and each other', 1, async (a) => {
  const ready = heard(a, 2);
  const workers = [1, 2].map((number) => spawn(({ data }) => {
    const channel = new BroadcastChannel(data.name);
    channel.onmessage = ({ data: message }) => {
      if (message === 'go') channel.postMessage({ from: data.number });
      else if (message.from) channel.postMessage({ heard: message.from, by: data.number });
      else if (message === 'close') channel.close();
    };
    channel.postMessage({ ready: data.number });
  }, { name: a.name, number }));
  const ends = workers.map(assertEndsWell);
  await ready;
  const got = heard(a, 4);
  a.postMessage('go');
  const all = (await got).map((message) => JSON.stringify(message)).sort();
  assertList(all, ['{"from":1}', '{"from":2}', '{"heard":1,"by":2}', '{"heard":2,"by":1}']);
  a.postMessage('close');
  await Promise.all(ends);
});

channelsTest('shared bytes between agents', 1, async (a) => {
  const array = new Int32Array(new SharedArrayBuffer(8));
  const ready = heard(a, 1);
  const worker = spawn(({ data }) => {
    const channel = new BroadcastChannel(data);
    channel.onmessage = ({ data: shared }) => {
      Atomics.store(shared, 0, 5);
      channel.postMessage('stored');
      channel.close();
    };
    channel.postMessage('ready');
  }, a.name);
  const end = assertEndsWell(worker);
  await ready;
  const stored = heard(a, 1);
  a.postMessage(array);
  await stored;
  assertEq(array[0], 5);
  await end;
});

channelsTest('channels hear of a message in the order in which they were made', 4, async (a, b, c, d) => {
  const order = [];
  const all = [b, c, d].map((channel, index) => heard(channel, 1).then(() => order.push(index)));
  a.postMessage(0);
  await Promise.all(all);
  assertList(order, [0, 1, 2]);
});

test('a worker that was terminated hears no more, the others do', async () => {
  const [a, b] = [new BroadcastChannel('ends'), new BroadcastChannel('ends')];
  const ready = heard(a, 1);
  const worker = spawn(() => {
    const channel = new BroadcastChannel('ends');
    channel.onmessage = () => {};
    channel.postMessage('ready');
  });
  await ready;
  await worker.terminate();
  const got = heard(b, 1);
  a.postMessage('x');
  assertList(await got, ['x']);
  a.close();
  b.close();
});

// Node's methods.

channelsTest('Node: receiveMessageOnPort', 2, (a, b) => {
  a.postMessage({ x: 1 });
  assertEq(threads.receiveMessageOnPort(b).message.x, 1);
  assertEq(threads.receiveMessageOnPort(b), undefined);
});

test('Node: a channel that was unref’d does not keep the process running', () => {
  const channel = new BroadcastChannel('kept open');
  globalThis.keptOpen = channel;
  channel.onmessage = () => {};
  channel.unref();
  channel.ref();
  channel.unref();
});

test('a channel that is closed does not either', () => {
  const channel = new BroadcastChannel('kept open');
  channel.onmessage = () => {};
  channel.close();
});
