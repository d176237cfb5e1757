// What WASI waits for in promising calls: the call is suspended, and the agent goes on.
// (On Node it blocks the agent; nothing of this holds there.)
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { WASI } from 'node:wasi';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const { Instance, promising } = WebAssembly;
const EBADF = 8;
const EAGAIN = 6;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tombolo-wasi-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

const FUNCTIONS = {
  fd_read: ['i32', 'i32', 'i32', 'i32'], fd_write: ['i32', 'i32', 'i32', 'i32'], fd_close: ['i32'],
  fd_fdstat_set_flags: ['i32', 'i32'], poll_oneoff: ['i32', 'i32', 'i32', 'i32'], fd_seek: ['i32', 'i64', 'i32', 'i32'],
};
const GUEST = (() => {
  const b = new WasmBuilder();
  const names = Object.entries(FUNCTIONS);
  const imports = names.map(([name, params]) => b.importFunc('wasi_snapshot_preview1', name, params, ['i32']));
  const exit = b.importFunc('wasi_snapshot_preview1', 'proc_exit', ['i32']);
  b.memory({ min: 40 }, { export: 'memory' });
  names.forEach(([name, params], at) => {
    b.func(params, ['i32'], [params.map((_, i) => op.localGet(i)), op.call(imports[at])], { export: name });
  });
  const [read] = imports;
  b.func(['i32', 'i32', 'i32', 'i32'], [], [
    op.localGet(0), op.localGet(1), op.localGet(2), op.localGet(3), op.call(read), op.call(exit),
  ], { export: 'read_and_exit' });
  b.func([], [], [], { export: '_initialize' });
  return b.module();
})();

const readChunk = promisify(fs.read);
let fifos = 0;
/** A FIFO, open to be read and written. */
function fifo() {
  const file = path.join(folder, `fifo-${++fifos}`);
  execFileSync('mkfifo', [file]);
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  return { file, fd, write: (text) => fs.writeSync(fd, text) };
}

/** An instance whose descriptor 0 is `input`, and what is convenient. */
function guest({ input, output } = {}) {
  const wasi = new WASI({ version: 'preview1', stdin: input?.fd ?? 0, stdout: output?.fd ?? 1, returnOnExit: true });
  const { exports } = new Instance(GUEST, wasi.getImportObject());
  wasi.initialize({ exports });
  const view = () => new DataView(exports.memory.buffer);
  let top = 1024;
  const room = (size) => { top = (top + 15) & ~7; top += size; return top - size; };
  const vector = (at, size) => {
    const address = room(8);
    view().setUint32(address, at, true);
    view().setUint32(address + 4, size, true);
    return address;
  };
  const text = (at, size) => new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at, size));
  /** A call of fd_read: what it gives, or its error number. */
  async function read(size = 100, call = promising(exports.fd_read)) {
    const [at, done] = [room(size), room(4)];
    const errno = await call(0, vector(at, size), 1, done);
    return errno || text(at, view().getUint32(done, true));
  }
  /** A call of poll_oneoff for milliseconds and for what is to be read: the `userdata` of what has happened. */
  async function poll(wishes, call = promising(exports.poll_oneoff)) {
    const [from, to, done] = [room(48 * wishes.length), room(32 * wishes.length), room(4)];
    wishes.forEach((wish, i) => {
      const at = from + 48 * i;
      view().setBigUint64(at, BigInt(i), true);
      view().setUint8(at + 8, wish.ms === undefined ? 1 : 0);
      view().setUint32(at + 16, wish.ms === undefined ? wish.fd : 1, true);
      view().setBigUint64(at + 24, BigInt((wish.ms ?? 0) * 1e6), true);
    });
    const errno = await call(from, to, wishes.length, done);
    if (errno) return errno;
    return Array.from({ length: view().getUint32(done, true) }, (_, i) => Number(view().getBigUint64(to + 32 * i, true)));
  }
  return { exports, read, poll, room, vector, view };
}

test('a read waits, and timers go on', async () => {
  const input = fifo();
  const { read } = guest({ input });
  const log = [];
  const reading = read().then((text) => log.push(text));
  for (let i = 0; i < 3; i++) { await sleep(1); log.push(i); }
  input.write('hello');
  await reading;
  log.push('end');
  assertList(log, [0, 1, 2, 'hello', 'end']);
});

test('what is there already is read without a wait', async () => {
  const input = fifo();
  input.write('there');
  const { read } = guest({ input });
  let jobs = 0;
  const reading = read().then((text) => [text, jobs]);
  // Its turn comes with jobs alone: no task is needed.
  for (; jobs < 20; jobs++) await 0;
  const [text, when] = await reading;
  assertEq(text, 'there');
  assert(when < 20, `after ${when} jobs`);
});

test('an ordinary call blocks as ever', async () => {
  const input = fifo();
  input.write('now');
  const { exports, read } = guest({ input });
  assertEq(await read(3, exports.fd_read), 'now');
});

test('calls of one instance wait at once, and end in the order of what they wait for', async () => {
  const input = fifo();
  const { read, poll } = guest({ input });
  const log = [];
  const note = (what) => (value) => { log.push([what, value].join(' ')); };
  const clocks = [60, 5, 30].map((ms) => poll([{ ms }, { ms: 50_000 + ms }]).then(note(ms)));
  const reading = read();
  await clocks[1];
  input.write('x');
  assertEq(await reading, 'x');
  await Promise.all(clocks);
  assertList(log, ['5 0', '30 0', '60 0']);
});

test('a clock or a descriptor, whichever comes first', async () => {
  const input = fifo();
  const { poll } = guest({ input });
  assertList(await poll([{ fd: 0 }, { ms: 5 }]), [1]);
  const waiting = poll([{ fd: 0 }, { ms: 100_000 }]);
  await sleep(5);
  input.write('y');
  assertList(await waiting, [0]);
  // It is there still.
  assertList(await poll([{ ms: 100_000 }, { fd: 0 }]), [1]);
  assertEq(await poll([{ fd: 77 }, { ms: 100_000 }]).then((list) => list[0]), 0);
});

test('a descriptor that does not block does not', async () => {
  const input = fifo();
  const { exports, read } = guest({ input });
  assertEq(exports.fd_fdstat_set_flags(0, 4), 0);
  assertEq(await read(), EAGAIN);
});

test('a descriptor that is closed meanwhile', async () => {
  const input = fifo();
  const { exports, read } = guest({ input });
  const reading = read();
  await sleep(1);
  assertEq(exports.fd_close(0), 0);
  input.write('z');
  assertEq(await reading, EBADF);
});

test('writes wait for room, and nothing is written twice', async () => {
  const output = fifo();
  const { exports, room, vector, view } = guest({ output });
  const write = promising(exports.fd_write);
  const size = 500_000;
  const [at, done] = [room(size), room(4)];
  const bytes = new Uint8Array(exports.memory.buffer, at, size);
  bytes.forEach((_, i) => { bytes[i] = (i * 7 + (i >> 8)) & 0xff; });
  const received = [];
  let sent = 0;
  const sending = (async () => {
    while (sent < size) {
      assertEq(await write(1, vector(at + sent, size - sent), 1, done), 0);
      sent += view().getUint32(done, true);
    }
  })();
  const chunk = Buffer.alloc(10_000);
  while (received.length < size) {
    const { bytesRead } = await readChunk(output.fd, chunk);
    received.push(...chunk.subarray(0, bytesRead));
  }
  await sending;
  assertEq(sent, size);
  assertEq(received.findIndex((byte, i) => byte !== ((i * 7 + (i >> 8)) & 0xff)), -1);
  assertEq(received.length, size);
});

test('the memory grows and its guest goes on meanwhile', async () => {
  const input = fifo();
  const { exports, read } = guest({ input });
  const reading = read();
  await sleep(1);
  exports.memory.grow(10);
  assertEq(exports.fd_seek(9, 0n, 0, 0), EBADF);
  input.write('grown');
  assertEq(await reading, 'grown');
});

test('an exit after a wait', async () => {
  const input = fifo();
  const { exports, room, vector } = guest({ input });
  const exiting = promising(exports.read_and_exit)(0, vector(room(4), 4), 1, room(4));
  await sleep(1);
  input.write('end');
  const outcome = await exiting.then(() => 'returned', (error) => error);
  assert(outcome !== 'returned', 'it exited');
});

test('a worker is terminated while calls wait', async () => {
  const input = fifo();
  const worker = new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    const { WASI } = require('node:wasi');
    const wasi = new WASI({ version: 'preview1', stdin: workerData.fd });
    const { exports } = new WebAssembly.Instance(workerData.module, wasi.getImportObject());
    wasi.initialize({ exports });
    // A vector of one byte: nobody waits for none.
    new DataView(exports.memory.buffer).setUint32(68, 1, true);
    for (let i = 0; i < 100; i++) void WebAssembly.promising(exports.fd_read)(0, 64, 1, 128);
    setTimeout(() => parentPort.postMessage('waits'), 1);
  `, { eval: true, workerData: { module: GUEST, fd: input.fd } });
  await new Promise((resolve, reject) => { worker.once('message', resolve).once('error', reject); });
  assertEq(await worker.terminate(), 1);
});

test('a guest with references, collected while calls wait', async () => {
  const input = fifo();
  const b = new WasmBuilder();
  const read = b.importFunc('wasi_snapshot_preview1', 'fd_read', FUNCTIONS.fd_read, ['i32']);
  const box = b.structType(['externref']);
  b.memory({ min: 1 }, { export: 'memory' });
  b.func(['externref'], ['externref'], [
    op.i32(0), op.i32(64), op.i32(1), op.i32(128), op.call(read), op.drop, op.localGet(0),
  ], { export: 'run' });
  b.func([], [], [
    op.i32(300_000), op.localSet(0), op.loop(), op.refNull('externref'), op.structNew(box), op.drop,
    op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
  ], { export: 'collect', locals: ['i32'] });
  b.func([], [], [], { export: '_initialize' });
  const wasi = new WASI({ version: 'preview1', stdin: input.fd });
  const { exports } = b.instance(wasi.getImportObject());
  wasi.initialize({ exports });
  new DataView(exports.memory.buffer).setUint32(68, 1, true);
  const objects = Array.from({ length: 10 }, (_, i) => ({ i }));
  const running = objects.map((object) => promising(exports.run)(object));
  await sleep(1);
  exports.collect();
  input.write('0123456789');
  assertList(await Promise.all(running), objects);
});
