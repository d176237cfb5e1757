// Listeners by the ten thousand, removed in every order: each removal finds its listener without a search. Where one
// searched, this would take minutes.
// Takes long: 25,000 of them, many times.
import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { assert, assertEq, assertList, test } from '../harness.mjs';

const MANY = 25_000;
const functions = () => Array.from({ length: MANY }, () => () => {});

const orders = {
  'oldest first': (list) => list,
  'newest first': (list) => list.toReversed(),
  // 7919 has no divisor in common with the length.
  'all over the place': (list) => list.map((_, i) => list[(i * 7919) % list.length]),
};
const unlimited = (emitter) => emitter.setMaxListeners(0);
const emitters = {
  EventEmitter: () => unlimited(new EventEmitter()),
  process: () => unlimited(process),
  MessagePort: () => new MessageChannel().port1,
};
for (const [order, ordered] of Object.entries(orders)) {
  for (const [name, make] of Object.entries(emitters)) {
    test(`${name}: removed ${order}`, () => {
      const emitter = make();
      const list = functions();
      for (const listener of list) emitter.on('many', listener);
      assertEq(emitter.listenerCount('many'), MANY);
      for (const listener of ordered(list)) emitter.off('many', listener);
      assertEq(emitter.listenerCount('many'), 0);
      assertList(emitter.eventNames().filter((event) => event === 'many'), []);
    });
  }
  for (const [name, make] of Object.entries({ EventTarget: () => new EventTarget(), MessagePort: () => new MessageChannel().port1 })) {
    test(`${name}: its event listeners removed ${order}`, () => {
      const target = make();
      const list = functions();
      for (const listener of list) target.addEventListener('many', listener);
      for (const listener of ordered(list)) target.removeEventListener('many', listener);
      target.addEventListener('many', list[0], { once: true });
      target.dispatchEvent(new Event('many'));
    });
  }
}

test('many that hear once: each goes when it is called', () => {
  const { port1 } = new MessageChannel();
  for (const emitter of [unlimited(new EventEmitter()), port1]) {
    let calls = 0;
    for (let i = 0; i < MANY; i += 1) emitter.once('many', () => { calls += 1; });
    emitter.emit('many');
    assertEq(calls, MANY);
    assertEq(emitter.listenerCount('many'), 0);
  }
});

test('one function that hears many times goes as often as it came', () => {
  const emitter = unlimited(new EventEmitter());
  const listener = () => {};
  for (let i = 0; i < MANY; i += 1) emitter[i % 2 ? 'prependOnceListener' : 'on']('many', listener);
  for (let i = 0; i < MANY; i += 1) emitter.off('many', listener);
  assertEq(emitter.listenerCount('many'), 0);
});

test('all are removed where somebody hears of it, the newest first', () => {
  const emitter = unlimited(new EventEmitter());
  const list = functions();
  for (const listener of list) emitter.on('many', listener);
  const removed = [];
  emitter.on('removeListener', (_, listener) => removed.push(listener));
  emitter.removeAllListeners('many');
  assertEq(removed.length, MANY);
  assert(removed.every((listener, i) => listener === list[MANY - 1 - i]), 'the order');
});

// What holds for few listeners and for many: the same steps, with so many others in front.
for (const others of [0, 1, 63, 64, 65, 1000]) {
  const crowded = (note = () => {}) => {
    const emitter = unlimited(new EventEmitter());
    for (let i = 0; i < others; i += 1) emitter.on('event', () => note('other'));
    return emitter;
  };
  const named = (calls) => Object.fromEntries([...'abcd'].map((name) => [name, () => calls.push(name)]));

  test(`with ${others} others: the order of calls`, () => {
    const calls = [];
    const { a, b, c, d } = named(calls);
    crowded(() => calls.push('-')).on('event', a).prependListener('event', b).once('event', c).prependOnceListener('event', d).emit('event');
    assertEq(calls.join(''), `db${'-'.repeat(others)}ac`);
  });

  test(`with ${others} others: of several the last is removed, whether it hears once or always`, () => {
    const calls = [];
    const { a, b } = named(calls);
    const emitter = crowded().on('event', a).on('event', b).once('event', a).on('event', b).prependListener('event', a);
    const left = () => emitter.listeners('event').filter((x) => x === a || x === b).map((x) => (x === a ? 'a' : 'b')).join('');
    assertEq(left(), 'aabab');
    emitter.off('event', a);
    assertEq(left(), 'aabb');
    assertEq(emitter.rawListeners('event').filter((raw) => raw.listener === a).length, 0, 'the one that hears once is gone');
    emitter.off('event', b);
    assertEq(left(), 'aab');
    assertEq(emitter.listenerCount('event', a), 2);
    emitter.off('event', a).off('event', a).off('event', a);
    assertEq(left(), 'b');
    assertEq(emitter.listenerCount('event'), others + 1);
  });

  test(`with ${others} others: rawListeners gives wrappers, which can be removed and called`, () => {
    const calls = [];
    const { a } = named(calls);
    const emitter = crowded().once('event', a).once('event', a);
    const wrappers = emitter.rawListeners('event').slice(-2);
    assertList(wrappers.map(({ listener }) => listener), [a, a]);
    emitter.off('event', wrappers[0]);
    assertList(emitter.rawListeners('event').slice(others), [wrappers[1]]);
    wrappers[1]();
    wrappers[1]();
    assertEq(calls.join(''), 'a');
    assertEq(emitter.listenerCount('event'), others);
  });

  test(`with ${others} others: what is added and removed while an event is under way`, () => {
    const calls = [];
    const { b, c, d } = named(calls);
    const emitter = crowded();
    const first = () => { emitter.off('event', b).on('event', d).off('event', first); };
    emitter.on('event', first).on('event', b).on('event', c);
    emitter.emit('event');
    assertEq(calls.join(''), 'bc', 'those who were there when it began');
    emitter.emit('event');
    assertEq(calls.join(''), 'bccd');
  });
}
