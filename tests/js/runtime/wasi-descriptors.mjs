// node:wasi: a guest's descriptors are the host's open files, with their position, their mode and their other end.
import { spawnSync } from 'node:child_process';
import {
  closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync, writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, onV8, test } from '../harness.mjs';
import { APPEND, CREAT, E, Guest, NONBLOCK, READ, WRITE, errno } from '../wasi-guest.mjs';

const self = fileURLToPath(import.meta.url);

/** What this file does as the child of itself: what it returns is the exit code. */
const children = {
  // Reads two bytes, has another guest read two, and leaves the rest to the host and its child.
  shares() {
    const [one, two] = [new Guest(), new Guest()];
    const read = [one.read(0, 2), two.read(0, 2)];
    const rest = spawnSync('head', ['-c', '2'], { stdio: ['inherit', 'pipe', 'inherit'] }).stdout.toString();
    const bytes = new Uint8Array(2);
    readSync(0, bytes, 0, 2, null);
    writeSync(2, `${read} ${rest} ${new TextDecoder().decode(bytes)}`);
    return 0;
  },
  // Writes until that fails.
  writes() {
    const guest = new Guest();
    const line = 'x'.repeat(1000);
    let failure;
    for (let at = 0; at < 100_000 && failure === undefined; at++) failure = errno(() => guest.write(1, line));
    writeSync(2, String(failure));
    return 0;
  },
  // Asks for an event and then for more than there is.
  polls() {
    const guest = new Guest();
    const [{ wish, hangup }] = guest.poll(['read', 0]);
    writeSync(2, `${wish} ${guest.read(0)} ${guest.read(0) === ''} ${hangup} ${guest.poll(['read', 0])[0].hangup}`);
    return 0;
  },
  // In between the script's own output, buffered or not.
  orders() {
    const guest = new Guest();
    process.stdout.write('a');
    guest.write(1, 'b');
    console.log('c');
    guest.write(1, 'd\n');
    return 0;
  },
  // Descriptor 3, whatever it is.
  third() {
    const guest = new Guest({ stdin: 3, stdout: 3 });
    const written = errno(() => writeSync(2, `${guest.write(1, 'ping')} `)) ?? '';
    const read = errno(() => writeSync(2, guest.read(0, 4))) ?? '';
    writeSync(2, `${written}${read} ${errno(() => guest.seek(0, 0))} ${errno(() => guest.call('sock_shutdown', 0, 3))}`);
    return 0;
  },
};

if (Object.hasOwn(children, process.argv[2])) {
  process.exit(children[process.argv[2]]());
}

const flags = onV8 ? ['--no-warnings'] : [];
/** Runs this file as a child by a shell's command, in which `$RUN` stands for it. */
function shell(command, name) {
  const run = [process.execPath, ...flags, self, name].map((part) => `'${part}'`).join(' ');
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command.replaceAll('$RUN', run)], { encoding: 'utf8' });
  return { stdout, stderr, status };
}

/** Runs `fn(folder)` with a folder of its own. */
function inFolder(fn) {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
  try {
    return fn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a file as output has one position for host and guest', () => inFolder((folder) => {
  const path = join(folder, 'out');
  const stdout = openSync(path, 'w');
  const guest = new Guest({ stdout, stderr: stdout });
  writeSync(stdout, 'head|');
  guest.write(1, 'body|');
  guest.write(2, 'aside|');
  writeSync(stdout, 'tail');
  assertEq(readFileSync(path, 'utf8'), 'head|body|aside|tail');
  assertEq(guest.tell(1), 20);
  closeSync(stdout);
  if (onV8) return;
  guest.write(1, '!');
  assertEq(readFileSync(path, 'utf8'), 'head|body|aside|tail!', 'the guest has a descriptor of its own');
}));

test('a file as input goes on where the host stopped, and the host where the guest stopped', () => inFolder((folder) => {
  const path = join(folder, 'in');
  writeFileSync(path, 'first\nsecond\nthird\n');
  const stdin = openSync(path, 'r');
  const bytes = new Uint8Array(6);
  readSync(stdin, bytes, 0, 6, null);
  assertEq(new Guest({ stdin }).read(0, 7), 'second\n');
  assertEq(new Guest({ stdin }).read(0, 2), 'th');
  assertEq(readSync(stdin, bytes, 0, 6, null), 4);
  closeSync(stdin);
}));

test('what a file was opened for is what can be done with it', () => inFolder((folder) => {
  const path = join(folder, 'file');
  writeFileSync(path, 'xxxxx');
  const [update, read, append] = ['r+', 'r', 'a'].map((mode) => openSync(path, mode));
  new Guest({ stdout: update }).write(1, 'AB');
  assertEq(readFileSync(path, 'utf8'), 'ABxxx');
  const reader = new Guest({ stdout: read, stdin: append });
  assert([E.BADF, E.NOTCAPABLE].includes(errno(() => reader.write(1, 'lost'))));
  assert([E.BADF, E.NOTCAPABLE].includes(errno(() => reader.read(0))));
  assertEq(readFileSync(path, 'utf8'), 'ABxxx');
  const appender = new Guest({ stdout: append });
  assertEq(appender.fdstat(1).flags & APPEND, APPEND);
  appender.write(1, '!');
  assertEq(readFileSync(path, 'utf8'), 'ABxxx!');
  [update, read, append].forEach((fd) => closeSync(fd));
}));

test('fd_pwrite writes where it says, and fd_write where the file ends', () => inFolder((folder) => {
  const path = join(folder, 'file');
  const guest = new Guest({ preopens: { '/': folder } });
  const fd = guest.open('file', { how: CREAT, flags: APPEND });
  guest.write(fd, 'one');
  guest.seek(fd, 0);
  guest.write(fd, 'two');
  assertEq(guest.tell(fd), 6);
  if (!onV8) {
    guest.pwrite(fd, 1, 'NE');
    assertEq(readFileSync(path, 'utf8'), 'oNEtwo');
    assertEq(guest.tell(fd), 6);
    const host = openSync(path, 'a');
    const other = new Guest({ stdout: host });
    other.pwrite(1, 3, 'T');
    assertEq(readFileSync(path, 'utf8'), 'oNETwo');
    other.write(1, '.');
    assertEq(readFileSync(path, 'utf8'), 'oNETwo.');
    // The host's open file appends as long as the guest says so.
    other.call('fd_fdstat_set_flags', 1, 0);
    other.seek(1, 6);
    other.write(1, ',');
    assertEq(readFileSync(path, 'utf8'), 'oNETwo,');
    other.call('fd_fdstat_set_flags', 1, APPEND);
    other.seek(1, 0);
    other.write(1, '.');
    assertEq(readFileSync(path, 'utf8'), 'oNETwo,.');
    closeSync(host);
  }
  guest.call('fd_fdstat_set_flags', fd, 0);
  guest.seek(fd, 0);
  guest.write(fd, 'ONE');
  assert(readFileSync(path, 'utf8').startsWith('ONE'));
  guest.call('fd_fdstat_set_flags', fd, APPEND);
  guest.seek(fd, 0);
  guest.write(fd, '$');
  assert(readFileSync(path, 'utf8').endsWith('$'));
}));

test('a full disk is an error', () => {
  const stdout = openSync('/dev/full', 'w');
  assertEq(errno(() => new Guest({ stdout }).write(1, 'important')), E.NOSPC);
  closeSync(stdout);
  assertEq(shell('$RUN > /dev/full', 'writes').stderr, String(E.NOSPC));
});

test('a reader that has gone is an error', () => {
  const { stderr } = shell('$RUN | head -c 5 > /dev/null', 'writes');
  // (Node's own output may have made the pipe one that is not waited for.)
  assert(stderr === String(E.PIPE) || (onV8 && stderr === String(E.AGAIN)), stderr);
});

test('input is read no further than the guest asked', () => inFolder((folder) => {
  assertEq(shell('printf abcdefgh | $RUN', 'shares').stderr, 'ab,cd ef gh', 'a pipe');
  const path = join(folder, 'in');
  writeFileSync(path, 'abcdefgh');
  assertEq(shell(`$RUN < '${path}'`, 'shares').stderr, 'ab,cd ef gh', 'a file');
}));

test('waiting for input, and its end', () => {
  assertEq(shell('(sleep 0.1; printf later; sleep 1) | $RUN', 'polls').stderr, '0 later true false true');
}, { v8: 'it does not wait a second time' });

test('a guest writes after what the script has written before', () => {
  assertEq(shell('$RUN', 'orders').stdout, 'abc\nd\n');
  assertEq(shell('$RUN | cat', 'orders').stdout, 'abc\nd\n');
});

test('pipes and FIFOs under another number', () => inFolder((folder) => {
  const none = `${E.NOTSOCK}`;
  assertEq(shell('$RUN 3<> <(:)', 'third').status, 0);
  const fifo = join(folder, 'fifo');
  assertEq(spawnSync('mkfifo', [fifo]).status, 0);
  // Opened for both, it gives back what was written.
  assertEq(shell(`$RUN 3<> '${fifo}'`, 'third').stderr, `4 ping ${E.SPIPE} ${none}`);
  const guest = new Guest({ preopens: { '/': folder } });
  const reader = guest.open('fifo', { rights: READ, flags: NONBLOCK });
  const writer = guest.open('fifo', { rights: WRITE });
  assertEq(errno(() => guest.read(reader)), E.AGAIN);
  guest.call('fd_fdstat_set_flags', reader, 0);
  assertEq(guest.read(reader, 0), '', 'nobody waits for nothing');
  guest.call('fd_fdstat_set_flags', reader, NONBLOCK);
  guest.write(writer, 'through');
  assertEq(guest.read(reader), 'through');
  const filled = (() => {
    guest.call('fd_fdstat_set_flags', writer, NONBLOCK);
    for (let total = 0; ; total += 4096) {
      if (errno(() => guest.write(writer, 'x'.repeat(4096))) !== undefined) return total;
    }
  })();
  assertEq(errno(() => guest.write(writer, 'x')), E.AGAIN);
  assertEq(guest.read(reader, 10), 'x'.repeat(10));
  assert(filled >= 4096);
  guest.close(writer);
  for (let left = filled - 10; left > 0; left -= guest.read(reader).length);
  assertEq(guest.read(reader), '', 'the end');
}), { v8: 'uvwasi knows sockets by their type alone' });

test('1,000 open files', () => inFolder((folder) => {
  const guest = new Guest({ preopens: { '/': folder } });
  const files = Array.from({ length: 1000 }, (_, at) => guest.open(`file ${at}`, { how: CREAT }));
  assertEq(new Set(files).size, 1000);
  files.forEach((fd, at) => guest.write(fd, `I am ${at}`));
  assertEq(readFileSync(join(folder, 'file 999'), 'utf8'), 'I am 999');
  guest.close(files[500]);
  assertEq(errno(() => guest.write(files[500], 'x')), E.BADF);
  assertEq(guest.open('file 1', {}), files[500], 'the lowest number that is free');
  files.forEach((fd) => guest.close(fd));
  assertEq(errno(() => guest.close(files[0])), E.BADF);
}));

test('fd_renumber closes one and moves another', () => inFolder((folder) => {
  const guest = new Guest({ preopens: { '/': folder } });
  const [one, two] = ['one', 'two'].map((name) => guest.open(name, { how: CREAT }));
  guest.call('fd_renumber', one, two);
  guest.write(two, 'here');
  assertEq(readFileSync(join(folder, 'one'), 'utf8'), 'here');
  assertEq(errno(() => guest.write(one, 'x')), E.BADF);
  assertEq(errno(() => guest.call('fd_renumber', two, one)), E.BADF);
  guest.call('fd_renumber', two, two);
  guest.write(two, '!');
}));

test('waiting for several things at once', () => inFolder((folder) => {
  const guest = new Guest({ preopens: { '/': folder } });
  const fd = guest.open('file', { how: CREAT });
  guest.write(fd, '12345');
  guest.seek(fd, 1);
  const events = guest.poll(['clock', 3_600_000_000_000], ['read', fd], ['write', fd]);
  assertList(events.map(({ wish }) => wish), [1, 2], 'files are always ready');
  assertEq(events[0].bytes, 4);
  assertList(guest.poll(['clock', 3_600_000_000_000], ['clock', 1]).map(({ wish }) => wish), [1]);
  assertList(guest.poll(['clock', 1, 0, 1]).map(({ errno }) => errno), [0], 'a time that has passed');
  assertList(guest.poll(['read', 77], ['clock', 3_600_000_000_000]).map((event) => [event.wish, event.errno].join()),
    [`0,${E.BADF}`]);
  assertList(guest.poll(['clock', 1, 9]).map(({ errno }) => errno), [E.INVAL], 'a clock that there is not');
}), { v8: 'uvwasi has no bytes for files and refuses what it does not know as a whole' });

test('terminate ends a guest that waits for input or for room', async () => {
  // (Node waits until there is input, which nobody gives.)
  if (onV8) return;
  for (const what of ['read(0)', 'write(1, "x".repeat(65_536)), guest.write(1, "x".repeat(65_536))', 'poll(["read", 0])']) {
    const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
    try {
      const fifo = join(folder, 'fifo');
      assertEq(spawnSync('mkfifo', [fifo]).status, 0);
      // Opened for both, it has no end.
      const fd = openSync(fifo, 'r+');
      const source = `
        import { parentPort } from 'node:worker_threads';
        import { Guest } from ${JSON.stringify(new URL('../wasi-guest.mjs', import.meta.url).href)};
        const guest = new Guest({ stdin: ${fd}, stdout: ${fd} });
        parentPort.postMessage('ready');
        guest.${what};
        parentPort.postMessage('not waited');`;
      const path = join(folder, 'worker.mjs');
      writeFileSync(path, source);
      const worker = new Worker(path);
      const messages = [];
      await new Promise((resolve) => worker.on('message', (message) => resolve(messages.push(message))));
      assertEq(await worker.terminate(), 1);
      assertList(messages, ['ready'], what);
      closeSync(fd);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
});

test('files are what they are', () => inFolder((folder) => {
  const path = join(folder, 'file');
  writeFileSync(path, 'four');
  const [file, null_] = [openSync(path, 'r'), openSync('/dev/null', 'r+')];
  const guest = new Guest({ stdin: file, stdout: null_, preopens: { '/': folder } });
  assertEq(guest.fdstat(0).type, 4);
  assertEq(guest.fstat(0).size, 4);
  assertEq(guest.fstat(0).inode, BigInt(statSync(path).ino));
  assertEq(guest.fdstat(1).type, 2);
  assertEq(guest.fdstat(3).type, 3);
  assertEq(guest.seek(0, -1, 2), 3);
  assertEq(guest.read(0), 'r');
  assertEq(errno(() => guest.seek(0, -10, 1)), E.INVAL);
  assertEq(guest.pread(0, 1, 2), 'ou');
  assert(existsSync(path));
  [file, null_].forEach((fd) => closeSync(fd));
}));
