// node:wasi: what a guest passes wrongly is an errno, never a trap and never more than that.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { assert, assertEq, onV8, test } from '../harness.mjs';
import { CREAT, E, Guest, errno, wasiModule } from '../wasi-guest.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const guest = new Guest({ args: ['one', 'two'], env: { A: 'b' }, preopens: { '/': folder } });
const { raw } = guest;
const file = guest.open('file', { how: CREAT });
const end = guest.bytes.length;

test('pointers outside of the memory', () => {
  const calls = {
    args_get: [[end, 0], [0, end - 1], [-4, -4]], args_sizes_get: [[end, 0], [0, end - 3]],
    environ_get: [[end, 0], [0, end]], environ_sizes_get: [[-4, 0]],
    clock_res_get: [[0, end - 7], [0, -8]], clock_time_get: [[0, 0n, end - 7], [1, 0n, -1]],
    fd_fdstat_get: [[3, end - 23]], fd_filestat_get: [[3, end - 63], [3, -64]], fd_prestat_get: [[3, end - 7]],
    fd_prestat_dir_name: [[3, end, 1], [3, -1, 1]], fd_read: [[file, end - 7, 1, 0], [file, 0, 1, end - 3]],
    fd_pread: [[file, end, 1, 0n, 0]], fd_write: [[file, end - 7, 1, 0], [file, 0, 1, -4]],
    fd_pwrite: [[file, end - 7, 1, 0n, 0]], fd_readdir: [[3, end - 10, 11, 0n, 0], [3, 0, 10, 0n, end]],
    fd_seek: [[file, 0n, 1, end - 7]], fd_tell: [[file, end]], path_create_directory: [[3, end - 1, 2]],
    path_filestat_get: [[3, 0, -1, 4, 0]], path_open: [[3, 0, end, 1, 0, 0n, 0n, 0, 0], [3, 0, 0, 1, 0, 0n, 0n, 0, end]],
    path_readlink: [[3, end, 1, 0, 0, 0]], path_remove_directory: [[3, end, 5]], path_rename: [[3, 0, 1, 3, end, 1]],
    path_symlink: [[end, 1, 3, 0, 1]], path_unlink_file: [[3, -2, 2]], path_link: [[3, 0, end, 1, 3, 0, 1]],
    poll_oneoff: [[end - 47, 0, 1, 0], [0, end - 31, 1, 0], [0, 0, 1, end - 3], [0, 0, 10_000, 0]],
    random_get: [[end - 4, 5], [-1, 1], [0, -1]],
  };
  for (const [name, all] of Object.entries(calls)) {
    for (const args of all) {
      guest.bytes.fill(0, 0, 64);
      guest.bytes[0] = 0x78;
      assert([E.FAULT, E.INVAL, 61].includes(raw[name](...args)), `${name}(${args}): ${raw[name](...args)}`);
    }
  }
  // An iovec in the memory, whose bytes are not.
  guest.view.setUint32(64, end - 1, true);
  guest.view.setUint32(68, 2, true);
  for (const name of ['fd_read', 'fd_write']) assert([E.FAULT, E.INVAL, 61].includes(raw[name](file, 64, 1, 0)), name);
});

test('pointers that are not aligned', () => {
  assertEq(raw.clock_time_get(0, 0n, 3), 0);
  assert(guest.view.getBigUint64(3, true) > 1_600_000_000_000_000_000n);
  assertEq(raw.args_sizes_get(1, 6), 0);
  assertEq(guest.view.getUint32(1, true), 2);
  assertEq(raw.fd_filestat_get(file, 5), 0);
  assertEq(guest.bytes[5 + 16], 4);
  guest.view.setUint32(65, 200, true);
  guest.view.setUint32(69, 3, true);
  assertEq(raw.fd_write(file, 65, 1, 9), 0);
  assertEq(guest.view.getUint32(9, true), 3);
});

test('numbers that mean nothing', () => {
  guest.bytes[1024] = 0x66;
  const path = [1024, 1];
  assertEq(raw.clock_time_get(4, 0n, 8), E.INVAL);
  assertEq(raw.clock_res_get(-1, 8), E.INVAL);
  assertEq(raw.fd_seek(file, 0n, 3, 8), E.INVAL);
  assertEq(raw.fd_advise(file, 0n, 0n, 9), E.INVAL);
  assertEq(raw.path_open(3, 0, ...path, 0xffff, 0n, 0n, 0, 8), E.INVAL);
  assertEq(raw.path_open(3, 0, ...path, 0, 2n, 0n, 0x8000, 8), E.INVAL);
  assert([E.INVAL, E.NOTCAPABLE].includes(raw.path_open(3, 0, ...path, 0, 1n << 50n, 0n, 0, 8)));
  assertEq(raw.path_open(3, 2, ...path, 0, 2n, 0n, 0, 8), E.INVAL);
  assertEq(raw.path_filestat_get(3, 8, ...path, 200), E.INVAL);
  assertEq(raw.fd_filestat_set_times(file, 0n, 0n, 0x80), E.INVAL);
  assertEq(raw.fd_fdstat_set_flags(file, 0x100), E.INVAL);
  assert([E.INVAL, E.NOTCAPABLE].includes(raw.fd_fdstat_set_rights(file, -1n, 0n)));
  assertEq(raw.poll_oneoff(64, 1024, 0, 8), E.INVAL);
  assertEq(raw.sock_shutdown(file, 1), E.NOTSOCK);
  assertEq(raw.sock_recv(file, 64, 0, 0, 8, 16), E.NOTSOCK);
}, { v8: 'uvwasi does not look at some of the flags' });

test('descriptors that are not open', () => {
  for (const [name, ...args] of [
    ['fd_close'], ['fd_sync'], ['fd_datasync'], ['fd_fdstat_get', 8], ['fd_filestat_get', 8], ['fd_read', 8, 0, 16],
    ['fd_write', 8, 0, 16], ['fd_pread', 8, 0, 0n, 16], ['fd_pwrite', 8, 0, 0n, 16], ['fd_seek', 0n, 0, 8], ['fd_tell', 8],
    ['fd_renumber', 0], ['fd_readdir', 8, 8, 0n, 64], ['fd_advise', 0n, 0n, 0], ['fd_allocate', 0n, 1n],
    ['fd_filestat_set_size', 0n], ['fd_filestat_set_times', 0n, 0n, 0], ['fd_fdstat_set_flags', 0],
    ['fd_prestat_get', 8], ['fd_prestat_dir_name', 8, 8], ['sock_shutdown', 1], ['sock_accept', 0, 8],
  ]) {
    for (const fd of [77, -1, 2 ** 31]) {
      // (To Node, numbers are invalid that have the highest bit, and sockets are not supported.)
      const expected = onV8 ? [E.BADF, E.INVAL, E.NOTSUP] : [E.BADF];
      assert(expected.includes(raw[name](fd, ...args)), `${name}(${fd}): ${raw[name](fd, ...args)}`);
    }
  }
});

test('many pieces, none, and more than there may be', () => {
  const at = 4096;
  for (let piece = 0; piece < 1025; piece++) {
    guest.view.setUint32(at + 8 * piece, 1024 + piece, true);
    guest.view.setUint32(at + 8 * piece + 4, 1, true);
  }
  guest.bytes.fill(0x7a, 1024, 2048);
  guest.call('fd_filestat_set_size', file, 0n);
  guest.seek(file, 0);
  assertEq(raw.fd_write(file, at, 1024, 8), 0);
  assertEq(guest.result(), 1024);
  assertEq(raw.fd_write(file, at, 0, 8), 0);
  assertEq(guest.result(), 0);
  if (!onV8) assertEq(raw.fd_write(file, at, 1025, 8), E.INVAL);
  guest.bytes.fill(0, 1024, 2048);
  assertEq(raw.fd_pread(file, at, 1000, 0n, 8), 0);
  assertEq(guest.result(), 1000);
  assertEq(guest.bytes[1024 + 999], 0x7a);
  assertEq(guest.bytes[1024 + 1000], 0);
});

test('the clocks of the process and of the thread', () => {
  for (const clock of [0, 1, 2, 3]) {
    assertEq(raw.clock_time_get(clock, 0n, 8), 0, `clock ${clock}`);
    assertEq(raw.clock_res_get(clock, 16), 0, `clock ${clock}`);
    assert(guest.view.getBigUint64(16, true) > 0n);
  }
  const used = () => {
    guest.call('clock_time_get', 3, 0n, 8);
    return guest.view.getBigUint64(8, true);
  };
  const before = used();
  while (used() === before);
  guest.call('clock_time_get', 2, 0n, 8);
  assert(guest.view.getBigUint64(8, true) >= before, 'the process has used as much as its thread');
});

test('a signal is not raised, and rights are not taken away', () => {
  // (Node raises it, and ends.)
  if (!onV8) assertEq(raw.proc_raise(6), E.NOTSUP);
  assertEq(raw.fd_fdstat_set_rights(file, 0n, 0n), E.NOTSUP);
}, { v8: 'uvwasi takes them away' });

test('the predecessor has its own layouts', () => {
  const wasi = new (guest.wasi.constructor)({ version: 'unstable', preopens: { '/': folder } });
  const old = new Guest({}, { module: wasiModule({ module: 'wasi_unstable' }), wasi });
  const fd = old.open('file');
  // SEEK_CUR, SEEK_END and SEEK_SET are 0, 1 and 2 there.
  assertEq(old.seek(fd, 5, 2), 5);
  assertEq(old.seek(fd, 2, 0), 7);
  old.call('fd_filestat_get', fd, 65_536);
  assertEq(old.view.getUint32(65_536 + 20, true), 1, 'links');
  assertEq(old.view.getBigUint64(65_536 + 24, true), BigInt(old.seek(fd, 0, 1)), 'size');
  // A clock has a name before its number.
  old.bytes.fill(0, 1024, 1024 + 112);
  old.view.setUint32(1024 + 24, 1, true);
  old.view.setBigUint64(1024 + 32, 1n, true);
  old.view.setUint32(1024 + 56 + 24, 1, true);
  old.view.setBigUint64(1024 + 56 + 32, 3_600_000_000_000n, true);
  assertEq(errno(() => old.call('poll_oneoff', 1024, 4096, 2, 8)), undefined);
  assertEq(old.result(), 1);
}, { v8: 'Node has the newer functions under both names' });
