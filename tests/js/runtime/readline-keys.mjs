// Keys of a terminal: readline.emitKeypressEvents.
import { assertEq, test } from '../harness.mjs';
import readline from 'node:readline';
import { PassThrough } from 'node:stream';

const keysOf = (input, escapeCodeTimeout = 500) => {
  const stream = new PassThrough();
  readline.emitKeypressEvents(stream, { escapeCodeTimeout });
  const keys = [];
  stream.on('keypress', (text, key) => keys.push({ text, ...key }));
  for (const part of [input].flat()) stream.write(part);
  return keys;
};
// `C-`, `M-` and `S-` before the name.
const show = ({ name, ctrl, meta, shift }) => `${ctrl ? 'C-' : ''}${meta ? 'M-' : ''}${shift ? 'S-' : ''}${name}`;
const told = (input) => keysOf(input).map(show).join(' ');

test('characters are their own names', () => {
  assertEq(told('aB1 \r\n\t\x7f\x01'), 'a S-b 1 space return enter tab backspace C-a');
  const [{ text, sequence, name }] = keysOf('é');
  assertEq(`${text} ${sequence} ${name}`, 'é é undefined');
  assertEq(keysOf('😀').length, 1);
});

test('sequences of terminals are keys', () => {
  assertEq(told('\x1b[A\x1bOB\x1b[1;5C\x1b[5D'), 'up down C-right C-left');
  assertEq(told('\x1bOP\x1b[15~\x1b[24~\x1b[[A'), 'f1 f5 f12 f1');
  assertEq(told('\x1b[3~\x1b[3;2~\x1b[3$\x1b[3^\x1b[5~\x1b[Z'), 'delete S-delete S-delete C-delete pageup S-tab');
  assertEq(told('\x1b[200~x\x1b[201~'), 'paste-start x paste-end');
  const [{ text, sequence, code }] = keysOf('\x1b[1;5A');
  assertEq(text, undefined);
  assertEq(sequence, '\x1b[1;5A');
  assertEq(code, '[A');
});

test('an escape before a key is Meta', () => {
  assertEq(told('\x1ba\x1bB\x1b\x7f'), 'M-a M-S-b M-backspace');
  assertEq(keysOf('\x1b-')[0].sequence, '\x1b-');
});

test('a sequence may come in pieces', () => {
  assertEq(told(['\x1b[', '1;', '5A']), 'C-up');
  assertEq(keysOf([Buffer.from([0xc3]), Buffer.from([0xa9])])[0].sequence, 'é');
});

test('an escape that nothing follows is a key', async () => {
  const stream = new PassThrough();
  readline.emitKeypressEvents(stream, { escapeCodeTimeout: 1 });
  const { promise, resolve } = Promise.withResolvers();
  stream.on('keypress', (text, key) => resolve(key));
  stream.write('\x1b');
  assertEq(show(await promise), 'M-escape');
});

test('nothing is read before somebody listens', () => {
  const stream = new PassThrough();
  readline.emitKeypressEvents(stream);
  readline.emitKeypressEvents(stream);
  assertEq(stream.listenerCount('data'), 0);
  let count = 0;
  stream.on('keypress', () => count++);
  assertEq(stream.listenerCount('data'), 1);
  stream.write('ab');
  assertEq(count, 2);
});
