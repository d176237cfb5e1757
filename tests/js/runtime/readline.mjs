// node:readline and node:readline/promises on streams that are no terminals.

import readline from 'node:readline';
import * as promises from 'node:readline/promises';
import { PassThrough, Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const sink = () => {
  const stream = new Writable({ write(chunk, encoding, callback) { stream.text += chunk; callback(); } });
  stream.text = '';
  return stream;
};
const linesOf = async (...chunks) => {
  const lines = [];
  const input = new PassThrough();
  const reader = readline.createInterface({ input, crlfDelay: Infinity });
  reader.on('line', (line) => lines.push(line));
  for (const chunk of chunks) input.write(chunk);
  input.end();
  await once(reader, 'close');
  return lines;
};

test('lines end in several ways', async () => {
  assertList(await linesOf('a\nb\r\nc\rd\u2028e\n\nlast'), ['a', 'b', 'c', 'd', 'e', '', 'last']);
  assertList(await linesOf('a\r', '\nb', 'c\n'), ['a', 'bc']);
  const euro = Buffer.from('€');
  assertList(await linesOf(euro.subarray(0, 1), euro.subarray(1), '\n'), ['€']);
  assertList(await linesOf(), []);
});

test('lines are iterated', async () => {
  const lines = [];
  for await (const line of readline.createInterface({ input: Readable.from(['one\ntwo', '\nthree']) })) lines.push(line);
  assertList(lines, ['one', 'two', 'three']);
});

test('questions are asked and answered', async () => {
  const input = new PassThrough();
  const output = sink();
  const reader = readline.createInterface({ input, output });
  const answered = new Promise((resolve) => reader.question('name? ', resolve));
  assertEq(output.text, 'name? ');
  input.write('me\n');
  assertEq(await answered, 'me');
  const again = promisify(reader.question).call(reader, 'age? ');
  input.write('7\n');
  assertEq(await again, '7');
  reader.setPrompt('$ ');
  reader.prompt();
  assert(output.text.endsWith('$ '));
  assertEq(reader.getPrompt(), '$ ');
  reader.close();
  assertEq(reader.closed, true);
  assertEq(thrown(() => reader.question('x', () => {}), 'an error').code, 'ERR_USE_AFTER_CLOSE');
});

test('questions as promises', async () => {
  const input = new PassThrough();
  const reader = promises.createInterface({ input, output: sink() });
  const answer = reader.question('? ');
  input.write('yes\n');
  assertEq(await answer, 'yes');
  const controller = new AbortController();
  const aborted = reader.question('? ', { signal: controller.signal }).catch((error) => error.name);
  controller.abort();
  assertEq(await aborted, 'AbortError');
  reader.close();
});

test('pausing pauses the input', async () => {
  const input = new PassThrough();
  const reader = new readline.Interface({ input });
  const seen = [];
  for (const name of ['pause', 'resume', 'close']) reader.on(name, () => seen.push(name));
  reader.pause();
  assert(input.isPaused());
  reader.resume();
  assert(!input.isPaused());
  reader.close();
  reader.close();
  assertList(seen, ['pause', 'resume', 'pause', 'close']);
  assert(readline.Interface({ input: new PassThrough() }) instanceof readline.Interface);
  const controller = new AbortController();
  const ended = readline.createInterface({ input: new PassThrough(), signal: controller.signal });
  const close = once(ended, 'close');
  controller.abort();
  await close;
});

test('escape sequences', async () => {
  const output = sink();
  readline.cursorTo(output, 1, 2);
  readline.cursorTo(output, 3);
  readline.moveCursor(output, -1, 2);
  readline.clearLine(output, 0);
  readline.clearLine(output, -1);
  readline.clearScreenDown(output);
  assertEq(output.text, '\x1b[3;2H\x1b[4G\x1b[1D\x1b[2B\x1b[2K\x1b[1K\x1b[0J');
  const collected = sink();
  const screen = new promises.Readline(collected).clearLine(1).cursorTo(0);
  assertEq(collected.text, '');
  await screen.commit();
  assertEq(collected.text, '\x1b[0K\x1b[1G');
  assert(thrown(() => readline.createInterface({}), 'an error') instanceof TypeError);
});
