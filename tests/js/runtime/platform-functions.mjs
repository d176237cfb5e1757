// The platform's own functions, which are compiled beforehand: how they are shown, and what stacks say of them.
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { test, assert, assertEq } from '../harness.mjs';

test('classes are shown as classes, and functions as functions', () => {
  const shown = (value) => inspect(value).split(' {')[0];
  for (const value of [URL, URLSearchParams, TextDecoder, TextEncoder, Event, EventTarget, AbortController]) {
    assert([`[class ${value.name}]`, `[class ${value.name} extends EventTarget]`].includes(shown(value)), shown(value));
  }
  for (const value of [structuredClone, setTimeout, queueMicrotask]) {
    assertEq(shown(value), `[Function: ${value.name}]`);
  }
  for (const value of [Map, Promise, Uint8Array, Error]) assertEq(shown(value), `[Function: ${value.name}]`);
  assertEq(shown(class Own extends URL {}), '[class Own extends URL]');
});

test('stacks have their names, files and lines', () => {
  let stack;
  try {
    new EventEmitter().on('x', 1);
  } catch (error) {
    ({ stack } = error);
  }
  assert(/\(node:(internal\/)?events:\d+:\d+\)/.test(stack), stack);
  try {
    new URL('no url');
  } catch (error) {
    ({ stack } = error);
  }
  assert(/URL \(node:internal\/url:\d+:\d+\)/.test(stack), stack);
});

test('their text says that they are native, or is JavaScript', () => {
  for (const value of [structuredClone, URL, TextDecoder]) {
    const text = Function.prototype.toString.call(value);
    assert(text.includes('[native code]') || text.includes(value.name), text);
  }
});
