// node:fs and node:fs/promises: what the three kinds of functions do, and what does not stop the program.
import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { test, assert, assertEq, assertList, onV8, thrown } from '../harness.mjs';

const folder = fs.mkdtempSync(join(tmpdir(), 'files-'));
const at = (...names) => join(folder, ...names);
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
const rejection = (promise) => promise.then(() => { throw new Error('was not rejected'); }, (error) => error);
const called = (call) => new Promise((resolve) => call((...values) => resolve(values)));

test('the three kinds of functions give the same', async () => {
  fs.writeFileSync(at('a'), 'häuser');
  assertEq(fs.readFileSync(at('a'), 'utf8'), 'häuser');
  assertEq(await fsp.readFile(at('a'), 'utf8'), 'häuser');
  assertList(await called((done) => fs.readFile(at('a'), { encoding: 'utf8' }, done)), [null, 'häuser']);
  assertEq(fs.readFileSync(at('a'), 'hex'), '68c3a475736572');
  assertEq(fs.readFileSync(at('a')).toString('latin1'), 'hÃ¤user');
});

test('errors of the system have the same message everywhere', async () => {
  const path = at('missing');
  const message = `ENOENT: no such file or directory, open '${path}'`;
  assertEq(thrown(() => fs.readFileSync(path), 'an error').message, message);
  assertEq((await rejection(fsp.readFile(path))).message, message);
  const [error] = await called((done) => fs.readFile(path, done));
  assertEq(error.message, message);
  assertEq(error.errno, -2);
  assertEq(error.syscall, 'open');
  assertEq(error.path, path);
  assertEq(thrown(() => fs.renameSync(path, at('b')), 'an error').dest, at('b'));
});

test('wrong arguments throw before anything is done', () => {
  const refused = (call) => thrown(call, 'an error');
  assertEq(refused(() => fs.stat(1, () => {})).code, 'ERR_INVALID_ARG_TYPE');
  assertEq(refused(() => fs.stat('x')).code, 'ERR_INVALID_ARG_TYPE');
  assertEq(refused(() => fs.readFileSync(at('a'), 'no-encoding')).message,
    "The argument 'encoding' is invalid encoding. Received 'no-encoding'");
  assertEq(refused(() => fs.openSync(at('a'), 'q')).message, "The argument 'flags' is invalid. Received 'q'");
  assertEq(refused(() => fs.closeSync(-1)).message,
    'The value of "fd" is out of range. It must be >= 0 && <= 2147483647. Received -1');
  assertEq(refused(() => fs.readSync(0, new Uint8Array(4), 2, 3)).message,
    'The value of "length" is out of range. It must be <= 2. Received 3');
  assert(refused(() => fs.statSync('a\0b')).message.includes('without null bytes'));
  assertEq(fs.existsSync('a\0b'), false);
});

test('descriptors', async () => {
  const fd = fs.openSync(at('d'), 'w+');
  assertEq(fs.writeSync(fd, 'abcdef'), 6);
  assertEq(fs.writeSync(fd, Buffer.from('XYZ'), 1, 2, 0), 2);
  const buffer = Buffer.alloc(8);
  assertEq(fs.readSync(fd, buffer, { position: 0 }), 6);
  assertEq(buffer.toString('latin1', 0, 6), 'YZcdef');
  const [error, count, same] = await called((done) => fs.read(fd, buffer, 0, 3, 3, done));
  assertEq(error, null);
  assertEq(count, 3);
  assertEq(same, buffer);
  assertEq(buffer.toString('latin1', 0, 3), 'def');
  assertEq(fs.writevSync(fd, [Buffer.from('1'), Buffer.from('23')], 4), 3);
  const parts = [Buffer.alloc(3), Buffer.alloc(10)];
  assertEq(fs.readvSync(fd, parts, 0), 7);
  assertEq(parts[0] + parts[1].toString('latin1', 0, 4), 'YZcd123');
  fs.ftruncateSync(fd, 2);
  assertEq(fs.fstatSync(fd).size, 2);
  fs.fchmodSync(fd, 0o600);
  assertEq(fs.fstatSync(fd).mode & 0o777, 0o600);
  fs.closeSync(fd);
  assertEq(thrown(() => fs.fstatSync(fd), 'an error').message, 'EBADF: bad file descriptor, fstat');
  assertEq(thrown(() => fs.closeSync(fd), 'an error').code, 'EBADF');
});

test('a FileHandle', async () => {
  const handle = await fsp.open(at('h'), 'w+');
  const written = await handle.write('hello');
  assertEq(written.bytesWritten, 5);
  assertEq(written.buffer, 'hello');
  assertEq((await handle.read(Buffer.alloc(3), 0, 3, 1)).buffer.toString(), 'ell');
  assertEq((await handle.stat()).size, 5);
  await handle.truncate(4);
  await handle.appendFile('!');
  await handle.sync();
  assertEq(fs.readFileSync(at('h'), 'utf8'), 'hell\0!');
  const { fd } = handle;
  assert(fd > 2);
  await handle.close();
  assertEq(handle.fd, -1);
  assertEq((await rejection(handle.read(Buffer.alloc(1)))).code, 'EBADF');
  let seen;
  {
    await using other = await fsp.open(at('h'));
    seen = other;
    assertEq(await other.readFile('latin1'), 'hell\0!');
  }
  assertEq(seen.fd, -1);
});

// (Node leaves the order to its threads.)
test('writes to one descriptor keep their order', async () => {
  if (onV8) return;
  const fd = fs.openSync(at('order'), 'w');
  let expected = '';
  const all = [];
  for (let i = 0; i < 200; i++) {
    expected += `${i},`;
    all.push(called((done) => fs.write(fd, `${i},`, done)));
  }
  await Promise.all(all);
  fs.closeSync(fd);
  assertEq(fs.readFileSync(at('order'), 'utf8'), expected);
});

test('a FIFO that nobody writes to does not stop the program', async () => {
  assertEq(spawnSync('mkfifo', [at('fifo')]).status, 0);
  const readers = [];
  for (let i = 0; i < 2; i++) readers.push(called((done) => fs.open(at('fifo'), 'r', done)));
  // Meanwhile, other operations go on.
  for (let i = 0; i < 20; i++) await fsp.stat(at('fifo'));
  const writer = fs.openSync(at('fifo'), 'r+');
  const opened = await Promise.all(readers);
  const buffer = Buffer.alloc(10);
  const reading = called((done) => fs.read(opened[0][1], buffer, 0, 10, null, done));
  let turns = 0;
  await new Promise((resolve) => setTimeout(resolve, 5));
  turns++;
  assertEq(turns, 1);
  fs.writeSync(writer, 'pipe');
  assertEq((await reading)[1], 4);
  for (const [, fd] of opened) fs.closeSync(fd);
  fs.closeSync(writer);
});

test('folders', async () => {
  assertEq(fs.mkdirSync(at('m', 'n', 'o'), { recursive: true }), at('m'));
  assertEq(fs.mkdirSync(at('m', 'n', 'o'), { recursive: true }), undefined);
  fs.writeFileSync(at('m', 'f'), '');
  fs.symlinkSync('f', at('m', 'l'));
  assertList(fs.readdirSync(at('m')), ['f', 'l', 'n']);
  assertList((await fsp.readdir(at('m'), { recursive: true })).sort(), ['f', 'l', 'n', 'n/o']);
  const entries = fs.readdirSync(at('m'), { withFileTypes: true });
  assertList(entries.map((entry) => `${entry.name} ${entry.isFile()} ${entry.isDirectory()} ${entry.isSymbolicLink()}`),
    ['f true false false', 'l false false true', 'n false true false']);
  assertEq(entries[0].parentPath, at('m'));
  assert(Buffer.isBuffer(fs.readdirSync(at('m'), 'buffer')[0]));
  const names = [];
  for await (const entry of await fsp.opendir(at('m'))) names.push(entry.name);
  assertList(names.sort(), ['f', 'l', 'n']);
  const dir = fs.opendirSync(at('m'));
  assertEq(dir.path, at('m'));
  dir.closeSync();
  assertEq(thrown(() => dir.readSync(), 'an error').code, 'ERR_DIR_CLOSED');
  assertEq(thrown(() => fs.rmdirSync(at('m')), 'an error').code, 'ENOTEMPTY');
  assertEq(thrown(() => fs.rmSync(at('m')), 'an error').code, 'ERR_FS_EISDIR');
  fs.rmSync(at('m'), { recursive: true });
  assertEq(fs.existsSync(at('m')), false);
  fs.rmSync(at('m'), { force: true });
});

test('cp', async () => {
  fs.mkdirSync(at('from', 'in'), { recursive: true });
  fs.writeFileSync(at('from', 'a'), '1');
  fs.writeFileSync(at('from', 'in', 'b'), '2');
  assertEq(thrown(() => fs.cpSync(at('from'), at('to')), 'an error').code, 'ERR_FS_EISDIR');
  fs.cpSync(at('from'), at('to'), { recursive: true });
  assertEq(fs.readFileSync(at('to', 'in', 'b'), 'utf8'), '2');
  await fsp.cp(at('from'), at('some'), { recursive: true, filter: async (source) => !source.endsWith('in') });
  assertList(fs.readdirSync(at('some')), ['a']);
  assertEq((await rejection(fsp.cp(at('from'), at('from', 'in', 'x'), { recursive: true }))).code, 'ERR_FS_CP_EINVAL');
  fs.writeFileSync(at('to', 'a'), 'changed');
  fs.cpSync(at('from'), at('to'), { recursive: true, force: false });
  assertEq(fs.readFileSync(at('to', 'a'), 'utf8'), 'changed');
  assertEq(thrown(() => fs.cpSync(at('from'), at('to'), { recursive: true, force: false, errorOnExist: true }),
    'an error').code, 'ERR_FS_CP_EEXIST');
});

test('glob', async () => {
  fs.mkdirSync(at('g', 'x', 'y'), { recursive: true });
  for (const name of ['a.js', 'b.ts', '.hidden.js', 'x/c.js', 'x/y/d.js']) fs.writeFileSync(at('g', name), '');
  const cwd = at('g');
  assertList(fs.globSync('*.js', { cwd }), ['a.js']);
  assertList(fs.globSync('**/*.js', { cwd }).sort(), ['a.js', 'x/c.js', 'x/y/d.js']);
  assertList(fs.globSync('{a,b}.{js,ts}', { cwd }).sort(), ['a.js', 'b.ts']);
  assertList(fs.globSync('**/*.js', { cwd, exclude: (path) => path === 'x' }), ['a.js']);
  const found = [];
  for await (const path of fsp.glob('x/**/[cd].js', { cwd })) found.push(path);
  assertList(found.sort(), ['x/c.js', 'x/y/d.js']);
});

test('metadata', async () => {
  fs.writeFileSync(at('s'), 'x', { mode: 0o640 });
  fs.utimesSync(at('s'), 1, 2.5);
  const stats = fs.statSync(at('s'));
  assertEq(stats.mtimeMs, 2500);
  assertEq(stats.atime.getTime(), 1000);
  assertEq(stats.mtime.toISOString(), '1970-01-01T00:00:02.500Z');
  const big = await fsp.stat(at('s'), { bigint: true });
  assertEq(big.size, 1n);
  assertEq(big.mtimeNs, 2_500_000_000n);
  assertEq(big.isFile(), true);
  assertEq(fs.statSync(at('nope'), { throwIfNoEntry: false }), undefined);
  fs.chmodSync(at('s'), '600');
  assertEq(fs.statSync(at('s')).mode & 0o777, 0o600);
  fs.linkSync(at('s'), at('s2'));
  assertEq(fs.statSync(at('s2')).nlink, 2);
  fs.symlinkSync('s', at('link'));
  assertEq(fs.readlinkSync(at('link')), 's');
  assertEq(fs.lstatSync(at('link')).isSymbolicLink(), true);
  assertEq(fs.realpathSync(at('link')), fs.realpathSync(at('s')));
  fs.lutimesSync(at('link'), 5, 6);
  assertEq(fs.lstatSync(at('link')).mtimeMs, 6000);
  assertEq(fs.statfsSync(folder).bsize > 0, true);
  fs.accessSync(at('s'), fs.constants.R_OK);
  assertEq((await rejection(fsp.access(at('s'), fs.constants.X_OK)))?.code ?? 'EACCES', 'EACCES');
  fs.truncateSync(at('s'));
  assertEq(fs.statSync(at('s')).size, 0);
  assertEq(thrown(() => fs.realpathSync('/nope/y'), 'an error').message,
    "ENOENT: no such file or directory, lstat '/nope'");
});

test('what an AbortSignal stops', async () => {
  const controller = new AbortController();
  const reading = fsp.readFile(at('a'), { signal: controller.signal });
  controller.abort();
  assertEq((await rejection(reading)).name, 'AbortError');
  const [error] = await called((done) => fs.readFile(at('a'), { signal: AbortSignal.abort() }, done));
  assertEq(error.code, 'ABORT_ERR');
});

test('content in pieces', async () => {
  await fsp.writeFile(at('pieces'), ['one ', 'two ', Buffer.from('three')]);
  assertEq(fs.readFileSync(at('pieces'), 'utf8'), 'one two three');
  await fsp.writeFile(at('pieces'), (async function* () { yield 'x'; yield 'y'; })());
  await fsp.appendFile(at('pieces'), 'z');
  assertEq(fs.readFileSync(at('pieces'), 'utf8'), 'xyz');
});

test('a buffer that goes while it is being read into', async () => {
  const bytes = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 8 }));
  const fd = fs.openSync(at('a'));
  const reading = called((done) => fs.read(fd, bytes, 0, 4, 0, done));
  bytes.buffer.resize(0);
  // (How many bytes Node says depends on when it reads.)
  assertEq((await reading)[0], null);
  const gone = new Uint8Array(8);
  const second = called((done) => fs.read(fd, gone, 0, 4, 0, done));
  structuredClone(gone, { transfer: [gone.buffer] });
  assertEq((await second)[0], null);
  fs.closeSync(fd);
});

test('streams', async () => {
  const out = fs.createWriteStream(at('stream'));
  out.write('abc');
  out.end('def');
  await new Promise((resolve) => out.on('close', resolve));
  assertEq(out.bytesWritten, 6);
  let text = '';
  for await (const chunk of fs.createReadStream(at('stream'), { encoding: 'utf8', start: 1, end: 4, highWaterMark: 2 })) {
    text += `${chunk}|`;
  }
  assertEq(text, 'bc|de|');
  const failed = fs.createReadStream(at('missing'));
  const error = await new Promise((resolve) => failed.on('error', resolve));
  assertEq(error.code, 'ENOENT');
  assert(failed instanceof fs.ReadStream);
  const handle = await fsp.open(at('stream'));
  text = '';
  for await (const chunk of handle.createReadStream()) text += chunk;
  assertEq(text, 'abcdef');
});

test('what is not there says so when it is called', () => {
  assertEq(typeof fs.watch, 'function');
});

test('the end of a worker closes no file that has got the number of one of its own', async () => {
  const { Worker } = await import('node:worker_threads');
  const worker = new Worker(`
    const { parentPort } = require('node:worker_threads');
    const fd = require('node:fs').openSync(${JSON.stringify(at('theirs'))}, 'w');
    parentPort.once('message', () => {});
    parentPort.postMessage(fd);
  `, { eval: true });
  const theirs = await new Promise((resolve) => worker.once('message', resolve));
  fs.closeSync(theirs);
  const own = fs.openSync(at('own'), 'w');
  assertEq(own, theirs);
  worker.postMessage('end');
  await new Promise((resolve) => worker.once('exit', resolve));
  assertEq(fs.writeSync(own, 'x'), 1);
  fs.closeSync(own);
});
