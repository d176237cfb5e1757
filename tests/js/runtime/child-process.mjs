// node:child_process.
import { ChildProcess, exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const folder = mkdtempSync(join(tmpdir(), 'children-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const text = async (stream) => {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
};
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...values) => resolve(values)));

test('a child has streams, and events in order', async () => {
  const child = spawn('cat');
  assert(child instanceof ChildProcess);
  assert(child.pid > 0);
  assertList(child.spawnargs, ['cat']);
  assertEq(child.spawnfile, 'cat');
  const seen = [];
  for (const name of ['spawn', 'exit', 'close']) child.on(name, (...values) => seen.push(name, ...values));
  const closed = event(child, 'close');
  child.stdin.write('one ');
  child.stdin.end('two');
  assertEq(await text(child.stdout), 'one two');
  await closed;
  assertList(seen, ['spawn', 'exit', 0, null, 'close', 0, null]);
  assertEq(child.exitCode, 0);
});

test('a program that is not there', async () => {
  const child = spawn('no-such-program', ['a', 'b']);
  const [error] = await event(child, 'error');
  assertEq(error.message, 'spawn no-such-program ENOENT');
  assertEq(error.code, 'ENOENT');
  assertEq(error.errno, -2);
  assertEq(error.syscall, 'spawn no-such-program');
  assertEq(error.path, 'no-such-program');
  assertList(error.spawnargs, ['a', 'b']);
  assertEq(child.pid, undefined);
  const { error: same, status } = spawnSync('no-such-program');
  assertEq(same.message, 'spawnSync no-such-program ENOENT');
  assertEq(status, null);
});

test('codes and signals', async () => {
  assertList(await event(spawn('sh', ['-c', 'exit 3']), 'exit'), [3, null]);
  const child = spawn('sleep', ['100']);
  assertEq(child.kill(), true);
  assertEq(child.killed, true);
  assertList(await event(child, 'exit'), [null, 'SIGTERM']);
  assertEq(child.kill(), false);
  assertEq(thrown(() => child.kill('SIGFOO'), 'an error').code, 'ERR_UNKNOWN_SIGNAL');
});

test('where a child runs, and what it finds there', () => {
  const run = (command, options) => execSync(command, { encoding: 'utf8', ...options });
  assertEq(run('pwd', { cwd: '/' }), '/\n');
  assertEq(run('echo $GREETING', { env: { GREETING: 'hello', PATH: process.env.PATH } }), 'hello\n');
  assertEq(run('cat', { input: 'input' }), 'input');
  assertEq(run('echo a b | tr " " "+"'), 'a+b\n');
  assertEq(execFileSync('echo', ['$HOME', 'x y'], { encoding: 'utf8' }), '$HOME x y\n');
});

test('what stdio may be', async () => {
  const fd = openSync(join(folder, 'out'), 'w');
  const child = spawn('sh', ['-c', 'echo out; echo err >&2; echo more >&3'], { stdio: ['ignore', fd, 'pipe', 'pipe'] });
  closeSync(fd);
  assertEq(child.stdin, null);
  assertEq(child.stdout, null);
  const [err, more] = await Promise.all([text(child.stderr), text(child.stdio[3])]);
  assertEq(err, 'err\n');
  assertEq(more, 'more\n');
  assertEq(readFileSync(join(folder, 'out'), 'utf8'), 'out\n');
  assertEq(thrown(() => spawn('x', { stdio: ['pipe', 'pipe', 'no'] }), 'an error').code,
    'ERR_INVALID_SYNC_FORK_INPUT');
});

test('spawnSync', () => {
  const result = spawnSync('sh', ['-c', 'echo out; echo err >&2; exit 5']);
  assertEq(result.status, 5);
  assertEq(result.signal, null);
  assertEq(result.stdout.toString(), 'out\n');
  assertEq(result.stderr.toString(), 'err\n');
  assertEq(result.output[0], null);
  const killed = spawnSync('sleep', ['100'], { timeout: 20 });
  assertEq(killed.signal, 'SIGTERM');
  assertEq(killed.error.code, 'ETIMEDOUT');
  const large = spawnSync('sh', ['-c', 'yes | head -c 100000'], { maxBuffer: 100 });
  assertEq(large.error.code, 'ENOBUFS');
  const echo = spawnSync('cat', { input: 'x'.repeat(1e6), maxBuffer: 2e6 });
  assertEq(echo.stdout.length, 1e6);
});

test('exec and execFile gather what a child writes', async () => {
  const [error, stdout, stderr] = await new Promise((resolve) =>
    exec('echo out; echo err >&2; exit 2', (...values) => resolve(values)));
  assertEq(error.code, 2);
  assertEq(error.message, 'Command failed: echo out; echo err >&2; exit 2\nerr\n');
  assertEq(error.cmd, 'echo out; echo err >&2; exit 2');
  assertEq(stdout, 'out\n');
  assertEq(stderr, 'err\n');
  assertEq((await promisify(execFile)('echo', ['x'])).stdout, 'x\n');
  const [large] = await new Promise((resolve) =>
    execFile('sh', ['-c', 'yes | head -c 100000'], { maxBuffer: 1000 }, (...values) => resolve(values)));
  assertEq(large.code, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER');
  const failed = thrown(() => execSync('exit 9', { stdio: 'pipe' }), 'an error');
  assertEq(failed.status, 9);
  assertEq(failed.message, 'Command failed: exit 9');
});

test('what ends a child early', async () => {
  const controller = new AbortController();
  const child = spawn('sleep', ['100'], { signal: controller.signal });
  const failed = event(child, 'error');
  controller.abort();
  assertEq((await failed)[0].name, 'AbortError');
  const [, signal] = await event(spawn('sleep', ['100'], { timeout: 10, killSignal: 'SIGKILL' }), 'exit');
  assertEq(signal, 'SIGKILL');
});

test('a program that is code forks a child that does not run the code again', () => {
  const file = join(folder, 'options.mjs');
  writeFileSync(file, 'console.log(JSON.stringify(process.execArgv))');
  const code = `if (process.argv[1]) process.exit(9); require('child_process').fork(${JSON.stringify(file)})`;
  const child = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
  assertEq([child.status, child.stdout].join(), '0,[]\n');
});

test('a child that is forked sends and gets messages', async () => {
  const file = join(folder, 'forked.mjs');
  writeFileSync(file, `
    process.on('message', (message) => {
      process.send({ got: message, argv: process.argv.slice(2), connected: process.connected });
      if (message === 'end') process.disconnect();
    });
    process.send('ready');
  `);
  const child = fork(file, ['x', 'y']);
  assertEq((await event(child, 'message'))[0], 'ready');
  const answer = event(child, 'message');
  assertEq(child.send({ a: [1, 'ü'] }), true);
  const [{ got, argv, connected }] = await answer;
  assertEq(JSON.stringify(got), '{"a":[1,"ü"]}');
  assertList(argv, ['x', 'y']);
  assertEq(connected, true);
  const gone = event(child, 'disconnect');
  const exited = event(child, 'exit');
  child.send('end');
  await gone;
  assertEq(child.connected, false);
  assertList(await exited, [0, null]);
});

test('wrong arguments', () => {
  const code = (call) => thrown(call, 'an error').code;
  assertEq(code(() => spawn()), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => spawn('')), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => spawn('x', 'y')), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => spawn('x', [], { cwd: 1 })), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => spawn('x\0')), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => spawnSync('x', { timeout: -1 })), 'ERR_OUT_OF_RANGE');
});

test('a time limit that never comes', () => {
  for (const timeout of [2 ** 53, 1e15, 1e30]) assertEq(spawnSync('true', { timeout }).status, 0, String(timeout));
});

test('a listener for uncaughtException that throws ends the program with 7, without exit listeners', () => {
  const file = join(folder, 'throws.cjs');
  writeFileSync(file, `process.on('uncaughtException', () => { throw new Error('second'); });
    process.on('exit', () => console.log('exit'));
    setTimeout(() => { throw new Error('first'); });`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  assertEq(status, 7);
  assertEq(stdout, '');
  assert(stderr.includes('second'), stderr);
});
