// Ports that wait in the queues of ports: however deep, and in a circle.
// Takes long: 100,000 ports, three times.
import { MessageChannel } from 'node:worker_threads';
import { assertEq, test } from '../harness.mjs';
import { nextOn } from './support.mjs';

const DEPTH = 100_000;

/** A port in whose queue a port waits in whose queue a port waits …; and the other end of the innermost. */
function chain() {
  const { port1: innermost, port2: peer } = new MessageChannel();
  let port = innermost;
  for (let i = 0; i < DEPTH; i += 1) {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(port, [port]);
    port = port2;
  }
  return [port, peer];
}

test('a closed port closes all that wait in its queue', async () => {
  const [port, peer] = chain();
  const closed = nextOn(peer, 'close');
  port.close();
  await closed;
});

test('so does one that a script has lost', async () => {
  let [port, peer] = chain();
  const closed = nextOn(peer, 'close');
  port = undefined;
  globalThis.gc?.();
  await closed;
});

test('a chain is unpacked from its outer end', async () => {
  let [port] = chain();
  for (let i = 0; i < 100; i += 1) port = await nextOn(port, 'message');
  port.close();
});

test('two ports that would wait in each other’s queues are closed, for nobody could ever receive either', async () => {
  const [first, second] = [new MessageChannel(), new MessageChannel()];
  // A port closes with its peer.
  const closes = [nextOn(first.port1, 'close'), nextOn(second.port1, 'close')];
  first.port1.postMessage('second', [second.port2]);
  second.port1.postMessage('first', [first.port2]);
  await Promise.all(closes);
});

test('three in a circle likewise', async () => {
  const channels = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  const closes = channels.map(({ port1 }) => nextOn(port1, 'close'));
  channels[0].port1.postMessage(null, [channels[1].port2]);
  channels[1].port1.postMessage(null, [channels[2].port2]);
  channels[2].port1.postMessage(null, [channels[0].port2]);
  await Promise.all(closes);
});

test('what is no circle arrives: a port posted to one that was posted before', async () => {
  const [first, second, third] = [new MessageChannel(), new MessageChannel(), new MessageChannel()];
  const received = (port) => new Promise((resolve) => { port.onmessage = ({ ports }) => resolve(ports[0]); });
  first.port1.postMessage(null, [second.port2]);
  second.port1.postMessage(null, [third.port2]);
  third.port1.postMessage('innermost');
  const innermost = await received(await received(first.port2));
  assertEq(await nextOn(innermost, 'message'), 'innermost');
  for (const { port1 } of [first, second, third]) port1.close();
});

test('a port goes to and fro without being taken for a circle', async () => {
  const { port1, port2 } = new MessageChannel();
  const { port1: traveller, port2: home } = new MessageChannel();
  let port = traveller;
  for (let i = 0; i < 3; i += 1) {
    const there = new Promise((resolve) => { port2.onmessage = ({ ports }) => resolve(ports[0]); });
    port1.postMessage(null, [port]);
    const back = new Promise((resolve) => { port1.onmessage = ({ ports }) => resolve(ports[0]); });
    port2.postMessage(null, [await there]);
    port = await back;
  }
  const heard = nextOn(home, 'message');
  port.postMessage('still connected');
  assertEq(await heard, 'still connected');
  home.close();
  port1.close();
});
