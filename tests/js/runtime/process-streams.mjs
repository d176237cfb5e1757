// Standard input, output and error, signals, and what else process has.
import process, { stdout } from 'node:process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import tty from 'node:tty';
import { test, assert, assertEq, assertList, thrown } from '../harness.mjs';

const folder = mkdtempSync(join(os.tmpdir(), 'streams-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const script = (text) => {
  const file = join(folder, `${count++}.mjs`);
  writeFileSync(file, text);
  return file;
};
const run = (text, options) => {
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, [script(text)], { encoding: 'utf8', ...options });
  return { stdout, stderr, status, signal };
};
const event = (emitter, name) => new Promise((resolve) => emitter.once(name, (...values) => resolve(values)));

test('standard input is a stream: a pipe', () => {
  const { stdout } = run(`
    let text = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
    console.log(text, process.stdin.isTTY, process.stdin.fd, process.stdin.readableEnded);
  `, { input: 'häuser' });
  assertEq(stdout, 'häuser undefined 0 true\n');
});

test('standard input is a stream: a file', () => {
  writeFileSync(join(folder, 'in'), 'from a file');
  const { stdout } = run(`
    process.stdin.on('data', (chunk) => console.log('data', String(chunk)));
    process.stdin.on('end', () => console.log('end'));
  `, { stdio: [openSync(join(folder, 'in')), 'pipe', 'pipe'] });
  assertEq(stdout, 'data from a file\nend\n');
});

test('standard input that nobody reads holds nothing, and can be let go', async () => {
  for (const text of ['process.stdin;', 'process.stdin.on("data", () => {}).unref();',
    'process.stdin.on("data", () => {}); process.stdin.pause();']) {
    const child = spawn(process.execPath, [script(text)]);
    // (Nothing is written, and the pipe stays open.)
    assertList(await event(child, 'exit'), [0, null], text);
  }
});

test('timers run while input is waited for', async () => {
  const child = spawn(process.execPath, [script(`
    import fs from 'node:fs';
    const timer = setInterval(() => console.log('tick'), 1);
    fs.read(0, Buffer.alloc(10), 0, 10, null, (error, count) => {
      clearInterval(timer);
      console.log('read', count);
    });
  `)]);
  await event(child.stdout, 'data');
  child.stdin.end('input');
  let last;
  child.stdout.on('data', (chunk) => { last = String(chunk); });
  await event(child, 'close');
  assert(last.endsWith('read 5\n'), last);
});

test('standard output and error are streams, in order with the console', () => {
  assert(process.stdout instanceof Writable);
  assertEq(stdout, process.stdout);
  const { stdout: out, stderr } = run(`
    console.log(1);
    process.stdout.write('2\\n');
    console.log(3);
    process.stdout.write(Buffer.from('4\\n'), () => console.log('written'));
    process.stderr.write('error\\n');
    console.log(process.stdout.fd, process.stderr.fd, process.stdout.isTTY, process.stdout.writable);
  `);
  assertEq(out, '1\n2\n3\n4\n1 2 undefined true\nwritten\n');
  assertEq(stderr, 'error\n');
});

test('signals', async () => {
  const child = spawn(process.execPath, [script(`
    const timer = setInterval(() => {}, 1000);
    process.on('SIGUSR2', (name, number) => console.log('got', name, number));
    process.once('SIGTERM', () => { console.log('ending'); clearInterval(timer); });
    console.log('ready');
  `)]);
  let out = '';
  child.stdout.on('data', (chunk) => { out += chunk; });
  await event(child.stdout, 'data');
  process.kill(child.pid, 'SIGUSR2');
  await event(child.stdout, 'data');
  child.kill('SIGTERM');
  assertList(await event(child, 'close'), [0, null]);
  assertEq(out, 'ready\ngot SIGUSR2 12\nending\n');
  // Once nobody listens, a signal does what it always does.
  const other = spawn(process.execPath, [script(`
    const listener = () => {};
    process.on('SIGTERM', listener);
    process.off('SIGTERM', listener);
    setInterval(() => {}, 1000);
    console.log('ready');
  `)]);
  await event(other.stdout, 'data');
  other.kill('SIGTERM');
  assertList(await event(other, 'exit'), [null, 'SIGTERM']);
  assertEq(thrown(() => process.kill(process.pid, 'SIGNONE'), 'an error').code, 'ERR_UNKNOWN_SIGNAL');
  assertEq(thrown(() => process.kill(2 ** 30, 0), 'an error').code, 'ESRCH');
  assertEq(process.kill(process.pid, 0), true);
});

test('exit codes', () => {
  assertEq(run('process.exitCode = 3;').status, 3);
  assertEq(run('process.exit(4);').status, 4);
  assertEq(run('process.exitCode = 5; process.on("exit", (code) => { process.exitCode = code + 1; });').status, 6);
  assertEq(run('process.abort();').signal, 'SIGABRT');
  assertEq(thrown(() => { process.exitCode = 'no'; }, 'an error').code, 'ERR_INVALID_ARG_TYPE');
  assertEq(thrown(() => { process.exitCode = 1.5; }, 'an error').code, 'ERR_OUT_OF_RANGE');
});

test('warnings', () => {
  const { stderr } = run(`
    process.on('warning', (warning) => console.log(warning.name, warning.code, warning.message));
    process.emitWarning('take care', 'OddWarning', 'ODD');
  `);
  assert(/^\(node:\d+\) \[ODD\] OddWarning: take care\n/.test(stderr), stderr);
});

test('what process says of itself', () => {
  assertEq(typeof process.versions.node, 'string');
  assertEq(process.release.name, 'node');
  assertEq(process.getBuiltinModule('fs').readFileSync, readFileSync);
  assertEq(process.getBuiltinModule('nothing'), undefined);
  const names = Object.keys(process.resourceUsage());
  assertEq(names[0], 'userCPUTime');
  assertEq(names.length, 16);
  assert(process.memoryUsage.rss() > 1e6);
  const [seconds, nanoseconds] = process.hrtime(process.hrtime());
  assert(seconds === 0 && nanoseconds > 0);
  assert(process.getgroups().every(Number.isInteger));
  const before = process.umask(0o77);
  assertEq(process.umask(before), 0o77);
  assertEq(process.umask(), before);
});

test('node:tty', () => {
  assertEq(tty.isatty(1e9), false);
  assertEq(tty.isatty(-1), false);
  assertEq(thrown(() => new tty.ReadStream(-1), 'an error').code, 'ERR_INVALID_FD');
  const depth = (env) => tty.WriteStream.prototype.getColorDepth(env);
  assertEq(depth({ TERM: 'xterm-256color' }), 8);
  assertEq(depth({ TERM: 'xterm' }), 4);
  assertEq(depth({ COLORTERM: 'truecolor', TERM: 'xterm' }), 24);
  assertEq(depth({ TERM: 'dumb' }), 1);
  assertEq(depth({ FORCE_COLOR: '2' }), 8);
});

test('node:os', () => {
  assertEq(os.EOL, '\n');
  assertEq(os.constants.signals.SIGTERM, 15);
  assertEq(os.constants.errno.ENOENT, 2);
  assertEq(os.userInfo().uid, process.getuid());
  assertEq(os.loadavg().length, 3);
  assert(os.cpus().length >= os.availableParallelism());
  assertList(Object.keys(os.cpus()[0].times), ['user', 'nice', 'sys', 'idle', 'irq']);
  const { lo } = os.networkInterfaces();
  assertEq(lo?.[0].cidr ?? '127.0.0.1/8', '127.0.0.1/8');
  assertEq(`${os.hostname}`, os.hostname());
  assertEq(os.getPriority(), os.getPriority(process.pid));
  assertEq(thrown(() => os.setPriority(0, 99), 'an error').code, 'ERR_OUT_OF_RANGE');
  assert(Readable !== undefined);
});
