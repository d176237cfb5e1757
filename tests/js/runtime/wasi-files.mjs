// node:wasi: files and directories as POSIX has them, and nothing above the folders that a guest is given.
import {
  chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync,
  statSync, symlinkSync, unlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import process from 'node:process';
import { assert, assertEq, assertList, test } from '../harness.mjs';
import { CREAT, DIRECTORY, E, EXCL, FOLLOW, Guest, READ, TRUNC, WRITE, errno } from '../wasi-guest.mjs';

/** Runs `fn(guest, folder)` with a folder of its own, which the guest has as /, inside of another one. */
function inFolder(fn) {
  const outer = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
  try {
    const folder = join(outer, 'inner');
    mkdirSync(folder);
    writeFileSync(join(outer, 'secret'), 'secret');
    return fn(new Guest({ preopens: { '/': folder } }), folder, outer);
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
}

/** Checks that something fails with one of these numbers. */
function fails(fn, expected, what) {
  const got = errno(fn);
  assert([expected].flat().includes(got), `${what ?? fn}: ${got}, expected ${expected}`);
}

/** What WASI says of a path that leads out; Node and others differ. */
const OUT = [E.NOTCAPABLE, E.PERM];

test('a file is made, written, read, and removed', () => inFolder((guest, folder) => {
  const fd = guest.open('note', { how: CREAT | EXCL });
  assertEq(guest.write(fd, 'moin'), 4);
  assertEq(guest.seek(fd, 0), 0);
  assertEq(guest.read(fd), 'moin');
  assertEq(guest.read(fd), '');
  assertEq(readFileSync(join(folder, 'note'), 'utf8'), 'moin');
  fails(() => guest.open('note', { how: CREAT | EXCL }), E.EXIST);
  guest.close(guest.open('note', { how: TRUNC }));
  assertEq(guest.stat('note').size, 0);
  guest.unlink('note');
  fails(() => guest.open('note'), E.NOENT);
  fails(() => guest.unlink('note'), E.NOENT);
  assertEq(guest.pwrite(fd, 2, 'x'), 1, 'it is open all the same');
  assertEq(guest.fstat(fd).links, 0);
}));

test('paths that lead out', () => inFolder((guest, folder, outer) => {
  mkdirSync(join(folder, 'sub'));
  symlinkSync('../secret', join(folder, 'up'));
  symlinkSync('..', join(folder, 'above'));
  symlinkSync('/', join(folder, 'root'));
  symlinkSync(join(outer, 'secret'), join(folder, 'absolute'));
  symlinkSync('../../secret', join(folder, 'sub', 'far'));
  for (const path of [
    '../secret', 'sub/../../secret', '/etc/passwd', './/..//secret', 'up', 'above/secret', 'root/etc/passwd',
    'absolute', 'sub/far', 'sub/../up', '..', 'above', 'root', 'sub/../..', '/', 'above/',
  ]) {
    fails(() => guest.open(path, { follow: FOLLOW, rights: READ }), OUT, path);
    fails(() => guest.stat(path, { follow: FOLLOW }), OUT, path);
  }
  for (const path of ['../made', 'above/made', 'root/made', '/made', 'sub/../../made']) {
    fails(() => guest.open(path, { how: CREAT }), OUT, path);
    fails(() => guest.mkdir(path), OUT, path);
    fails(() => guest.symlink('x', path), OUT, path);
    fails(() => guest.rename('sub', path), OUT, path);
  }
  for (const path of ['../secret', 'above/secret', '/secret']) {
    fails(() => guest.unlink(path), OUT, path);
    fails(() => guest.rename(path, 'stolen'), OUT, path);
    fails(() => guest.link(path, 'stolen'), OUT, path);
    fails(() => guest.readlink(path), OUT, path);
    fails(() => guest.call('path_filestat_set_times', 3, 0, ...guest.path(path), 0n, 0n, 5), OUT, path);
  }
  fails(() => guest.rmdir('../inner'), OUT);
  // A slash at the end follows the link before it, though nothing else does.
  for (const path of ['above/', 'root/']) {
    fails(() => guest.stat(path), OUT, path);
    fails(() => guest.open(path, { how: DIRECTORY, rights: READ }), OUT, path);
  }
  assertList(readdirSync(outer).sort(), ['inner', 'secret']);
  // A directory that the guest has opened is as closed as the one that it was given.
  const sub = guest.openDirectory('sub');
  fails(() => guest.open('../up', { dir: sub }), [...OUT, E.LOOP]);
  fails(() => guest.open('..', { dir: sub, rights: READ }), OUT);
}), { v8: 'uvwasi follows some of them within its folder' });

test('paths that stay inside', () => inFolder((guest, folder) => {
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'a/b/file'), 'found');
  symlinkSync('a/b', join(folder, 'link'));
  symlinkSync('../a/b/file', join(folder, 'a/deep'));
  symlinkSync('deep', join(folder, 'a/deeper'));
  for (const path of ['a/b/file', './a/./b//file', 'a/../a/b/file', 'link/file', 'link/../b/file', 'a/deeper']) {
    const fd = guest.open(path, { follow: FOLLOW, rights: READ });
    assertEq(guest.read(fd), 'found', path);
    guest.close(fd);
  }
  assertEq(guest.stat('link').type, 7);
  assertEq(guest.stat('link', { follow: FOLLOW }).type, 3);
  assertEq(guest.stat('.').type, 3);
  fails(() => guest.open('a/deep', { rights: READ }), E.LOOP, 'the last link is not followed');
  fails(() => guest.open('', { rights: READ }), E.NOENT);
  fails(() => guest.open('a/b/file/x', { rights: READ }), E.NOTDIR);
  fails(() => guest.open('a/none/x', { rights: READ }), E.NOENT);
}), { v8: 'uvwasi opens the last link' });

test('links', () => inFolder((guest, folder) => {
  guest.symlink('nowhere', 'dangling');
  assertEq(readlinkSync(join(folder, 'dangling')), 'nowhere');
  assertEq(guest.readlink('dangling'), 'nowhere');
  assertEq(guest.readlink('dangling', { length: 3 }), 'now');
  fails(() => guest.stat('dangling', { follow: FOLLOW }), E.NOENT);
  fails(() => guest.symlink('x', 'dangling'), E.EXIST);
  fails(() => guest.symlink('', 'empty'), E.NOENT);
  fails(() => guest.symlink('/etc/passwd', 'absolute'), OUT);
  fails(() => guest.readlink('.'), E.INVAL);
  // What is made through a link is made where it leads.
  guest.close(guest.open('dangling', { how: CREAT, follow: FOLLOW }));
  assertEq(lstatSync(join(folder, 'nowhere')).isFile(), true);
  fails(() => guest.open('dangling', { how: CREAT | EXCL, follow: FOLLOW }), E.EXIST);
  guest.symlink('loop', 'loop');
  fails(() => guest.open('loop', { follow: FOLLOW }), E.LOOP);
  fails(() => guest.stat('loop/x'), E.LOOP);
  for (let at = 0; at < 45; at++) guest.symlink(at === 0 ? 'nowhere' : `chain ${at - 1}`, `chain ${at}`);
  assertEq(guest.stat('chain 20', { follow: FOLLOW }).type, 4);
  fails(() => guest.stat('chain 44', { follow: FOLLOW }), E.LOOP);
  // Hard links.
  guest.link('nowhere', 'twin');
  assertEq(guest.stat('twin').links, 2);
  assertEq(guest.stat('twin').inode, guest.stat('nowhere').inode);
  fails(() => guest.link('nowhere', 'twin'), E.EXIST);
  guest.link('dangling', 'linked link');
  assertEq(guest.stat('linked link').type, 7);
  guest.link('dangling', 'linked file', { follow: FOLLOW });
  assertEq(guest.stat('linked file').type, 4);
  guest.mkdir('directory');
  fails(() => guest.link('directory', 'another'), E.PERM);
}), { v8: 'uvwasi follows links to themselves and makes absolute ones' });

test('slashes at the end', () => inFolder((guest, folder) => {
  mkdirSync(join(folder, 'dir'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('dir', join(folder, 'link'));
  assertEq(guest.stat('dir/').type, 3);
  assertEq(guest.stat('link/').type, 3);
  guest.close(guest.openDirectory('dir//'));
  for (const fn of [
    () => guest.stat('file/'), () => guest.open('file/'), () => guest.unlink('file/'), () => guest.rmdir('file/'),
    () => guest.rename('file/', 'x'), () => guest.rename('file', 'x/'), () => guest.link('file/', 'x'),
    () => guest.unlink('link/'), () => guest.rmdir('link/'),
  ]) fails(fn, E.NOTDIR);
  fails(() => guest.open('new/', { how: CREAT }), [E.ISDIR, E.NOENT]);
  fails(() => guest.unlink('dir/'), [E.ISDIR, E.PERM]);
  fails(() => guest.symlink('x', 'new/'), E.NOENT);
  fails(() => guest.symlink('x', 'dir/'), E.EXIST);
  guest.mkdir('made/');
  guest.rename('made/', 'moved/');
  guest.rmdir('moved/');
  assertList(readdirSync(folder).sort(), ['dir', 'file', 'link']);
}));

test('directories', () => inFolder((guest, folder) => {
  guest.mkdir('a');
  fails(() => guest.mkdir('a'), E.EXIST);
  fails(() => guest.mkdir('.'), E.EXIST);
  fails(() => guest.mkdir('x/y'), E.NOENT);
  guest.mkdir('a/b');
  fails(() => guest.rmdir('a'), E.NOTEMPTY);
  fails(() => guest.rmdir('.'), [E.INVAL, E.BUSY]);
  fails(() => guest.rmdir('a/b/..'), E.NOTEMPTY);
  fails(() => guest.unlink('a'), [E.ISDIR, E.PERM]);
  fails(() => guest.open('a'), E.ISDIR, 'to write to');
  fails(() => guest.open('new', { how: CREAT | DIRECTORY }), E.INVAL);
  fails(() => guest.open('a', { how: CREAT | DIRECTORY }), E.INVAL);
  assertList(readdirSync(folder), ['a']);
  const fd = guest.openDirectory('a');
  fails(() => guest.read(fd), [E.ISDIR, E.BADF]);
  fails(() => guest.write(fd, 'x'), [E.ISDIR, E.BADF]);
  fails(() => guest.seek(fd, 0), [E.ISDIR, E.BADF]);
  guest.rmdir('a/b');
  guest.rmdir('a');
  fails(() => guest.open('x', { dir: fd, how: CREAT }), E.NOENT, 'in a directory that has gone');
  fails(() => guest.open('x', { dir: 99 }), E.BADF);
  const file = guest.open('file', { how: CREAT });
  fails(() => guest.open('x', { dir: file }), E.NOTDIR);
  fails(() => guest.open('file', { how: DIRECTORY }), E.NOTDIR);
}), { v8: 'uvwasi makes a file for O_CREAT | O_DIRECTORY' });

test('names are moved within a folder and between folders', () => inFolder((_, folder) => {
  const [one, two] = ['one', 'two'].map((name) => join(folder, name));
  mkdirSync(one);
  mkdirSync(two);
  const guest = new Guest({ preopens: { '/one': one, '/two': two } });
  guest.close(guest.open('file', { how: CREAT }));
  guest.rename('file', 'moved', { dir: 3, other: 4 });
  assertList([readdirSync(one).join(), readdirSync(two).join()], ['', 'moved']);
  guest.rename('moved', 'moved', { dir: 4 });
  guest.mkdir('dir', { dir: 4 });
  guest.mkdir('dir/below', { dir: 4 });
  fails(() => guest.rename('dir', 'dir/below/dir', { dir: 4 }), E.INVAL, 'into itself');
  fails(() => guest.rename('moved', 'dir', { dir: 4 }), E.ISDIR);
  fails(() => guest.rename('dir', 'moved', { dir: 4 }), E.NOTDIR);
  fails(() => guest.rename('none', 'moved', { dir: 4 }), E.NOENT);
  fails(() => guest.rename('.', 'here', { dir: 4 }), [E.BUSY, E.INVAL]);
  fails(() => guest.rename('dir', '..', { dir: 4 }), [...OUT, E.BUSY]);
  guest.mkdir('full');
  guest.close(guest.open('full/file', { how: CREAT }));
  fails(() => guest.rename('dir', 'full', { dir: 4, other: 3 }), [E.NOTEMPTY, E.EXIST]);
  guest.link('moved', 'again', { dir: 4, other: 3 });
  assertEq(guest.stat('again').links, 2);
}));

test('a directory that the host moves away stays the guest\'s, and nothing above it', () => inFolder((guest, folder, outer) => {
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  const fd = guest.openDirectory('a/b');
  renameSync(join(folder, 'a'), join(outer, 'elsewhere'));
  guest.close(guest.open('file', { dir: fd, how: CREAT }));
  assertList(readdirSync(join(outer, 'elsewhere/b')), ['file']);
  fails(() => guest.open('../../secret', { dir: fd, rights: READ }), OUT);
}), { v8: 'uvwasi goes by the names that there were' });

test('cookies stay what they are while files come and go', () => inFolder((guest, folder) => {
  const names = Array.from({ length: 300 }, (_, at) => `file ${at}`);
  for (const name of names) writeFileSync(join(folder, name), '');
  const fd = guest.openDirectory('.');
  const seen = [];
  for (let cookie = 0n, more = true; more;) {
    const some = guest.someEntries(fd, cookie, 256);
    for (const entry of some.entries) {
      seen.push(entry.name);
      cookie = entry.cookie;
      if (entry.name !== '.' && entry.name !== '..') unlinkSync(join(folder, entry.name));
    }
    ({ more } = some);
    writeFileSync(join(folder, 'late'), '');
  }
  const left = seen.filter((name) => name !== '.' && name !== '..' && name !== 'late');
  assertList(left.sort(), names.slice().sort(), 'each was seen once');
  assertList(readdirSync(folder), ['late']);
  assertList(guest.someEntries(fd).entries.map(({ name }) => name).sort(), ['.', '..', 'late'], 'from the start');
  // The last entry is cut off if it does not fit, and the buffer is full then.
  const { entries, more } = guest.someEntries(fd, 0n, 30);
  assertEq(`${entries.length} ${more}`, '1 true');
  assertEq(guest.someEntries(fd, 1000n).entries.length, 0);
  fails(() => guest.someEntries(99), E.BADF);
  fails(() => guest.someEntries(guest.open('late')), [E.NOTDIR, E.BADF]);
}), { v8: 'uvwasi asks the file system to go on' });

test('entries say what they are', () => inFolder((guest, folder) => {
  mkdirSync(join(folder, 'dir'));
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('file', join(folder, 'link'));
  const { entries } = guest.someEntries(guest.openDirectory('.'));
  const types = Object.fromEntries(entries.map(({ name, type }) => [name, type]));
  assertEq(JSON.stringify([types.dir, types.file, types.link]), '[3,4,7]');
  assertEq(entries.find(({ name }) => name === 'file').inode, guest.stat('file').inode);
}), { v8: 'uvwasi has no inodes there' });

test('files with holes', () => inFolder((guest, folder) => {
  const fd = guest.open('sparse', { how: CREAT });
  const far = 5 * 2 ** 32;
  assertEq(guest.seek(fd, far), far);
  guest.write(fd, 'end');
  assertEq(guest.fstat(fd).size, far + 3);
  assertEq(statSync(join(folder, 'sparse')).size, far + 3);
  assert(statSync(join(folder, 'sparse')).blocks < 100);
  assertEq(guest.pread(fd, far - 2), '\0\0end');
  assertEq(guest.pread(fd, far * 2), '');
  guest.call('fd_filestat_set_size', fd, 10n);
  assertEq(guest.fstat(fd).size, 10);
  guest.call('fd_allocate', fd, 100n, 50n);
  assertEq(guest.fstat(fd).size, 150);
  fails(() => guest.call('fd_allocate', fd, 0n, 0n), E.INVAL);
  fails(() => guest.call('fd_filestat_set_size', fd, -1n), E.INVAL);
  fails(() => guest.pread(fd, -1n), E.INVAL);
  fails(() => guest.pwrite(fd, -1n, 'x'), E.INVAL);
  fails(() => guest.call('fd_filestat_set_size', guest.open('sparse', { rights: READ }), 1n), [E.BADF, E.INVAL, E.NOTCAPABLE]);
  guest.call('fd_sync', fd);
  guest.call('fd_datasync', fd);
  guest.call('fd_advise', fd, 0n, 10n, 3);
}), { v8: 'uvwasi asks for more rights than the file was opened with' });

test('permissions are the system\'s', () => inFolder((guest, folder) => {
  guest.close(guest.open('made', { how: CREAT }));
  guest.mkdir('dir');
  const umask = process.umask();
  assertEq(statSync(join(folder, 'made')).mode & 0o777, 0o666 & ~umask);
  assertEq(statSync(join(folder, 'dir')).mode & 0o777, 0o777 & ~umask);
  // The superuser may do everything.
  if (process.getuid() === 0) return;
  chmodSync(join(folder, 'made'), 0o400);
  fails(() => guest.open('made', { rights: WRITE }), E.ACCES);
  guest.close(guest.open('made', { rights: READ }));
  chmodSync(join(folder, 'dir'), 0);
  fails(() => guest.open('dir/x', { how: CREAT }), E.ACCES);
  chmodSync(join(folder, 'dir'), 0o700);
}));

test('times', () => inFolder((guest, folder) => {
  const fd = guest.open('file', { how: CREAT });
  const [ATIM, ATIM_NOW, MTIM, MTIM_NOW] = [1, 2, 4, 8];
  const set = (accessed, modified, what) => guest.call('fd_filestat_set_times', fd, accessed, modified, what);
  set(1_000_000_001n, 2_000_000_002n, ATIM | MTIM);
  const { accessed, modified } = guest.fstat(fd);
  assertEq(`${accessed} ${modified}`, '1000000001 2000000002');
  set(5n, 3_000_000_003n, MTIM);
  assertEq(guest.fstat(fd).accessed, 1_000_000_001n, 'what is not set stays');
  set(0n, 0n, MTIM_NOW);
  assert(Math.abs(Number(guest.fstat(fd).modified) / 1e6 - Date.now()) < 60_000);
  fails(() => set(0n, 0n, ATIM | ATIM_NOW), E.INVAL);
  fails(() => set(0n, 0n, MTIM | MTIM_NOW), E.INVAL);
  fails(() => set(0n, 0n, 16), E.INVAL);
  symlinkSync('file', join(folder, 'link'));
  const on = (path, follow, time) =>
    guest.call('path_filestat_set_times', 3, follow, ...guest.path(path), time, time, ATIM | MTIM);
  on('link', 0, 7_000_000_000n);
  on('link', FOLLOW, 8_000_000_000n);
  on('.', 0, 9_000_000_000n);
  assertEq(lstatSync(join(folder, 'link')).mtimeMs, 7000);
  assertEq(statSync(join(folder, 'file')).mtimeMs, 8000);
  assertEq(statSync(folder).mtimeMs, 9000);
}), { v8: 'uvwasi sets both at once' });

test('long paths', () => inFolder((guest) => {
  const name = 'n'.repeat(255);
  guest.close(guest.open(name, { how: CREAT }));
  assertEq(guest.stat(name).type, 4);
  fails(() => guest.stat(`${name}n`), E.NAMETOOLONG);
  // As many bytes as the system takes, its zero at the end included.
  const longest = `${'./'.repeat(1920)}${name}`;
  assertEq(longest.length, 4095);
  assertEq(guest.stat(longest).type, 4);
  fails(() => guest.stat(`.${longest}`), E.NAMETOOLONG);
  fails(() => guest.stat('x'.repeat(8000)), E.NAMETOOLONG);
  let path = '';
  for (let depth = 0; depth < 300; depth++) {
    path += `${depth === 0 ? '' : '/'}d`;
    guest.mkdir(path);
  }
  guest.close(guest.open(`${path}/file`, { how: CREAT }));
  assertEq(guest.stat(`${path}/file`).type, 4);
}), { v8: 'uvwasi has other limits' });

test('names are bytes', () => inFolder((guest, folder) => {
  const name = Uint8Array.of(0x61, 0xff, 0xfe, 0x62);
  guest.close(guest.open(name, { how: CREAT }));
  const found = readdirSync(Buffer.from(folder), { encoding: 'buffer' });
  assertEq(found.map((bytes) => bytes.toString('hex')).join(), '61fffe62');
  const [entry] = guest.someEntries(guest.openDirectory('.')).entries.filter(({ type }) => type === 4);
  assertEq(Buffer.from(entry.bytes).toString('hex'), '61fffe62');
  assertEq(guest.stat(entry.bytes).type, 4);
  guest.unlink(entry.bytes);
  assertEq(readdirSync(folder).length, 0);
  fails(() => guest.open('zero\0inside', { how: CREAT }), [E.INVAL, E.NOENT]);
  assertEq(readdirSync(folder).length, 0);
}));

test('folders that were given', () => inFolder((_, folder) => {
  mkdirSync(join(folder, 'b'));
  const guest = new Guest({ preopens: { '/': folder, 'some name': join(folder, 'b') } });
  const name = (fd) => {
    guest.call('fd_prestat_get', fd, 8);
    const length = guest.view.getUint32(12, true);
    guest.call('fd_prestat_dir_name', fd, 65_536, length);
    fails(() => guest.call('fd_prestat_dir_name', fd, 65_536, length - 1), [E.NAMETOOLONG, 42]);
    return guest.text(length);
  };
  assertList([name(3), name(4)], ['/', 'some name']);
  fails(() => name(5), E.BADF);
  fails(() => name(0), [E.BADF, E.INVAL]);
}));
