// The standard streams of node:worker_threads.
import { assertEq, onV8, test } from '../harness.mjs';
import { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';

const exitOf = (worker) => new Promise((resolve) => worker.once('exit', resolve));
const textOf = async (stream) => {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  return text;
};

test('what a worker writes can be read as from any stream', async () => {
  const worker = new Worker("process.stdout.write('one '); console.log('two'); console.error('three')", {
    eval: true, stdout: true, stderr: true,
  });
  assertEq(worker.stdout instanceof Readable, true);
  assertEq(worker.stdin, null);
  const [out, err] = await Promise.all([textOf(worker.stdout), textOf(worker.stderr)]);
  assertEq(out, 'one two\n');
  assertEq(err, 'three\n');
});

test('a worker reads what its parent writes', async () => {
  const worker = new Worker("process.stdin.on('data', (chunk) => process.stdout.write(String(chunk).toUpperCase()))", {
    eval: true, stdin: true, stdout: true,
  });
  assertEq(worker.stdin instanceof Writable, true);
  worker.stdin.write('one ');
  worker.stdin.end('two');
  assertEq(await textOf(worker.stdout), 'ONE TWO');
});

test('more than fits into buffers comes through in its order', async () => {
  const worker = new Worker('process.stdin.pipe(process.stdout)', { eval: true, stdin: true, stdout: true });
  const pieces = Array.from({ length: 200 }, (_, i) => Buffer.alloc(5000, i));
  Readable.from(pieces).pipe(worker.stdin);
  const got = [];
  for await (const chunk of worker.stdout) got.push(chunk);
  assertEq(Buffer.concat(got).equals(Buffer.concat(pieces)), true);
});

// (In Node, it waits until its input has an end.)
if (!onV8) test('a worker that does not read its input ends', async () => {
  const worker = new Worker('', { eval: true, stdin: true });
  worker.stdin.write('unread');
  assertEq(await exitOf(worker), 0);
});

test('a worker without an input reads its end', async () => {
  const worker = new Worker("process.stdin.on('end', () => process.exit(3)).resume()", { eval: true });
  assertEq(await exitOf(worker), 3);
});

test('streams asked for after the end have ended', async () => {
  const worker = new Worker('', { eval: true });
  await exitOf(worker);
  assertEq(await textOf(worker.stdout), '');
});
