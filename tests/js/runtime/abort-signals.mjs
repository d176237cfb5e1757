// AbortSignal.any holds no signal that nobody has, and listeners by the ten thousand are found.
import { assert, assertEq, assertList, test } from '../harness.mjs';

const later = () => new Promise((resolve) => { setTimeout(resolve, 0); });

test('signals that depend on a long-lived one go', async () => {
  const { signal } = new AbortController();
  const made = [];
  (() => { for (let i = 0; i < 1000; i += 1) made.push(new WeakRef(AbortSignal.any([signal, new AbortController().signal]))); })();
  await later();
  gc();
  assertEq(made.filter((reference) => reference.deref() !== undefined).length, 0);
});

test('one that somebody listens to stays, and aborts with its source', async () => {
  const controller = new AbortController();
  const got = [];
  (() => { AbortSignal.any([AbortSignal.any([controller.signal])]).addEventListener('abort', () => got.push('heard')); })();
  await later();
  gc();
  controller.abort();
  assertList(got, ['heard']);
});

test('the reason is the source’s, also where that was aborted before', () => {
  const controller = new AbortController();
  const dependent = AbortSignal.any([new AbortController().signal, controller.signal]);
  controller.abort('why');
  assertEq(dependent.reason, 'why');
  assertEq(AbortSignal.any(new Set([controller.signal])).reason, 'why');
});

test('listeners come in order; those that are removed or added meanwhile are not called', () => {
  const target = new EventTarget();
  const got = [];
  const [removed, added] = [() => got.push('removed'), () => got.push('added')];
  const first = () => {
    got.push('first');
    target.removeEventListener('x', removed);
    target.addEventListener('x', added);
  };
  target.addEventListener('x', first);
  target.addEventListener('x', first);
  target.addEventListener('x', removed);
  target.addEventListener('x', { handleEvent: () => got.push('once') }, { once: true });
  target.addEventListener('x', first, { capture: true });
  target.dispatchEvent(new Event('x'));
  assertList(got.splice(0), ['first', 'once', 'first']);
  target.dispatchEvent(new Event('x'));
  assertList(got, ['first', 'first', 'added']);
});

test('50,000 listeners are added, called and removed', () => {
  const target = new EventTarget();
  let calls = 0;
  const listeners = Array.from({ length: 50_000 }, () => () => { calls += 1; });
  for (const listener of listeners) target.addEventListener('x', listener);
  target.dispatchEvent(new Event('x'));
  for (const listener of listeners) target.removeEventListener('x', listener);
  target.dispatchEvent(new Event('x'));
  assert(calls === 50_000);
});
