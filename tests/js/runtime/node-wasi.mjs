// node:wasi: the class as Node has it.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { WASI } from 'node:wasi';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, onV8, test, thrown } from '../harness.mjs';
import { guestModule } from '../guests/load.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';

const hello = guestModule('hello');
const demo = guestModule('demo');

/** Runs `fn(folder)` with a folder of its own. */
function inFolder(fn) {
  const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasi-'));
  try {
    return fn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs hello.wasm with these options; its exit code and what it wrote. */
function run(options = {}, wrap = (imports) => imports) {
  return inFolder((folder) => {
    const [outPath, errPath] = [join(folder, 'stdout'), join(folder, 'stderr')];
    const [stdout, stderr] = [openSync(outPath, 'w'), openSync(errPath, 'w')];
    const wasi = new WASI({ version: 'preview1', stdout, stderr, ...options });
    const imports = wrap(wasi.getImportObject(), wasi);
    const instance = new WebAssembly.Instance(hello, imports);
    const code = wasi.start(instance);
    closeSync(stdout);
    closeSync(stderr);
    return { code, out: readFileSync(outPath, 'utf8'), err: readFileSync(errPath, 'utf8') };
  });
}

test('start: arguments, environment, exit code 0', () => {
  const { code, out, err } = run({ args: ['hello', 'one', 'zwei €'], env: { TOMBOLO_GREETING: 'moin', OTHER: 'x' } });
  assertEq(out, 'arg 0: hello\narg 1: one\narg 2: zwei €\ngreeting: moin\n');
  assertEq(err, '');
  assertEq(code, 0);
});

test('start: nothing is inherited that was not given', () => {
  assertEq(run().out, '');
});

test('start: an exit code is returned', () => {
  for (const exit of [1, 7, 42, 125]) assertEq(run({ args: ['hello', '--exit', String(exit)] }).code, exit);
  assertEq(run({ args: ['hello', '--exit', '7'], returnOnExit: true }).code, 7);
});

test('start: a trap is an exception', () => {
  assertThrows(WebAssembly.RuntimeError, () => run({ args: ['hello', '--trap'] }), /unreachable/);
});

test('preopens: a folder by its name in the guest, and nothing else', () => {
  inFolder((folder) => {
    writeFileSync(join(folder, 'note.txt'), 'in the sandbox\n');
    const read = (path) => run({ args: ['hello', '--read', path], preopens: { '/sandbox': folder } });
    assert(read('/sandbox/note.txt').out.endsWith('in the sandbox\n'));
    for (const path of ['/sandbox/none.txt', '/etc/passwd', '/sandbox/../../etc/passwd', 'note.txt']) {
      const { code, err } = read(path);
      assertEq(code, 1, path);
      assert(err.includes(path), `${path}: ${err}`);
    }
  });
});

test('stdin from a file', () => {
  inFolder((folder) => {
    writeFileSync(join(folder, 'input'), 'first line\nsecond line\n');
    const stdin = openSync(join(folder, 'input'), 'r');
    const { out } = run({ args: ['hello', '--stdin', '--stdin', '--stdin'], stdin });
    assert(out.endsWith('stdin: first line\nstdin: second line\nstdin: end of file\n'), out);
    closeSync(stdin);
  });
});

test('wasiImport: functions that are wrapped, replaced, called', () => {
  const calls = [];
  const { out } = run({ args: ['hello', 'x'] }, (imports, { wasiImport }) => {
    const wrapped = {};
    for (const [name, fn] of Object.entries(wasiImport)) {
      wrapped[name] = (...args) => {
        calls.push(name);
        return fn(...args);
      };
    }
    return { wasi_snapshot_preview1: wrapped };
  });
  assertEq(out, 'arg 0: hello\narg 1: x\n');
  for (const name of ['args_get', 'args_sizes_get', 'fd_write']) assert(calls.includes(name), `${name} was called`);
});

test('wasiImport: exit through a wrapped proc_exit', () => {
  const { code } = run({ args: ['hello', '--exit', '9'] }, (imports, { wasiImport }) => ({
    wasi_snapshot_preview1: { ...wasiImport, proc_exit: (status) => wasiImport.proc_exit(status) },
  }));
  assertEq(code, 9);
});

test('wasiImport: a replacement that throws', () => {
  const thrown = { mine: true };
  assertThrowsValue(thrown, () =>
    run({ args: ['hello'] }, (imports, { wasiImport }) => ({
      wasi_snapshot_preview1: {
        ...wasiImport,
        fd_write() {
          throw thrown;
        },
      },
    })),
  );
});

test('wasiImport: assigned over, as glue code does', () => {
  let written = 0;
  const { code } = run({ args: ['hello'] }, (_, wasi) => {
    const original = wasi.wasiImport.fd_write;
    wasi.wasiImport.fd_write = (...args) => {
      written += 1;
      return original(...args);
    };
    return { wasi_snapshot_preview1: wasi.wasiImport };
  });
  assertEq(code, 0);
  assert(written > 0);
});

test('getImportObject names the version', () => {
  const preview1 = new WASI({ version: 'preview1' });
  assertList(Object.keys(preview1.getImportObject()), ['wasi_snapshot_preview1']);
  assertEq(preview1.getImportObject().wasi_snapshot_preview1, preview1.wasiImport);
  assertList(Object.keys(new WASI({ version: 'unstable' }).getImportObject()), ['wasi_unstable']);
});

test('initialize: a reactor', () => {
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  assertEq(wasi.initialize(instance), undefined);
  assertEq(instance.exports.divide(8, 2), 4);
});

test('initialize: a module without _initialize; finalizeBindings', () => {
  const b = new WasmBuilder();
  b.memory({ min: 1 }, { export: 'memory' });
  assertEq(new WASI({ version: 'preview1' }).initialize(b.instance()), undefined);
  const wasi = new WASI({ version: 'preview1' });
  wasi.finalizeBindings(b.instance());
  assertEq(thrown(() => wasi.finalizeBindings(b.instance()), 'an error').code, 'ERR_WASI_ALREADY_STARTED');
});

test('an instance is started once', () => {
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  wasi.initialize(instance);
  assertEq(thrown(() => wasi.initialize(instance), 'an error').code, 'ERR_WASI_ALREADY_STARTED');
  assertEq(thrown(() => wasi.start(instance), 'an error').message, 'WASI instance has already started');
});

test('commands and reactors are told apart', () => {
  const wasi = () => new WASI({ version: 'preview1' });
  const [one, two] = [wasi(), wasi()];
  const failures = [
    thrown(() => one.start(new WebAssembly.Instance(demo, one.getImportObject())), 'an error'),
    thrown(() => two.initialize(new WebAssembly.Instance(hello, two.getImportObject())), 'an error'),
  ];
  for (const { code, message } of failures) {
    assertEq(code, 'ERR_INVALID_ARG_TYPE');
    assert(message.includes('_start'), message);
  }
});

test('wrong instances', () => {
  const wrongs = [undefined, null, 1, 'x', {}, { exports: {} }, { exports: { memory: {} } }, new WasmBuilder().instance()];
  for (const wrong of wrongs) {
    for (const method of ['start', 'initialize', 'finalizeBindings']) {
      const error = thrown(() => new WASI({ version: 'preview1' })[method](wrong), 'an error');
      assert(error instanceof TypeError);
      assertEq(error.code, 'ERR_INVALID_ARG_TYPE');
    }
  }
  const message = (instance) => thrown(() => new WASI({ version: 'preview1' }).start(instance), 'an error').message;
  assertEq(message(), 'The "instance" argument must be of type object. Received undefined');
  assertEq(message({}), 'The "instance.exports" property must be of type object. Received undefined');
  assertEq(message({ exports: {} }), '"instance.exports.memory" property must be a WebAssembly.Memory object');
  const memory = new WebAssembly.Memory({ initial: 1 });
  assertEq(message({ exports: { memory } }),
    'The "instance.exports._start" property must be of type function. Received undefined');
  assertEq(message({ exports: { memory, _start() {}, _initialize: 1 } }),
    'The "instance.exports._initialize" property must be undefined. Received type number (1)');
});

test('wrong options', () => {
  const code = (options) => thrown(() => new WASI(options), 'an error').code;
  const message = (options) => thrown(() => new WASI(options), 'an error').message;
  const version = 'preview1';
  assertThrows(TypeError, () => WASI({ version }));
  for (const options of [
    undefined, null, 1, {}, { version: 1 }, { version, args: 'x' }, { version, env: 1 }, { version, env: [] },
    { version, preopens: 'x' }, { version, returnOnExit: 1 }, { version, stdin: '1' }, { version, stderr: {} },
  ]) assertEq(code(options), 'ERR_INVALID_ARG_TYPE');
  assertEq(code({ version: 'preview3' }), 'ERR_INVALID_ARG_VALUE');
  assertEq(message({ version: 'preview3' }),
    "The property 'options.version' unsupported WASI version. Received 'preview3'");
  assertEq(message({ version, args: 1 }),
    'The "options.args" property must be an instance of Array. Received type number (1)');
  for (const name of ['stdin', 'stdout', 'stderr']) {
    for (const wrong of [-1, 1.5, 2 ** 31]) assertEq(code({ version, [name]: wrong }), 'ERR_OUT_OF_RANGE');
  }
  // What is converted is converted to text.
  new WASI({ version, args: [1, Symbol('x'), null], env: { a: undefined, b: 2 } });
  assertThrows(TypeError, () => new WASI({ version, env: { a: Symbol('x') } }));
});

test('a folder or a file that is not there', () => {
  const error = thrown(() => new WASI({ version: 'preview1', preopens: { '/': '/no/such/folder' } }), 'an error');
  assertList([error.code, error.errno, error.syscall], ['UVWASI_ENOENT', 44, 'uvwasi_init']);
  assert(error.message.startsWith('UVWASI_ENOENT, uvwasi_init'), error.message);
  assertEq(thrown(() => new WASI({ version: 'preview1', preopens: { '/': '/etc/passwd' } }), 'an error').code,
    'UVWASI_ENOTDIR');
  assertEq(thrown(() => new WASI({ version: 'preview1', stdout: 99_999 }), 'an error').code, 'UVWASI_EBADF');
});

test('import functions called before there is a memory', () => {
  const wasi = new WASI({ version: 'preview1' });
  const error = thrown(() => wasi.wasiImport.fd_write(1, 0, 0, 0), 'an error');
  assertList([error.code, error.message], ['ERR_WASI_NOT_STARTED', 'wasi.start() has not been called']);
});

test('import functions take numbers of their types and nothing else', () => {
  const wasi = new WASI({ version: 'preview1' });
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.finalizeBindings({ exports: { memory } });
  const { clock_time_get, random_get } = wasi.wasiImport;
  const EINVAL = 28;
  assertEq(random_get(0, 0), 0);
  for (const args of [[], [0], ['0', 0], [{ valueOf: () => 0 }, 0], [0n, 0], [0.5, 0], [NaN, 0], [2 ** 32, 0], [0, 0, 0]]) {
    assertEq(random_get(...args), EINVAL);
  }
  assertEq(clock_time_get(0, 0n, 0), 0);
  assertEq(clock_time_get(0, 0, 0), EINVAL);
  assert(new Uint8Array(memory.buffer, 0, 8).some((byte) => byte !== 0));
});

test('import functions called by a script after initialize', () => {
  const wasi = new WASI({ version: 'preview1', args: ['one', 'two'] });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  wasi.initialize(instance);
  const { exports } = instance;
  const block = exports.malloc(16);
  assertEq(wasi.wasiImport.args_sizes_get(block, block + 4), 0);
  const view = new DataView(exports.memory.buffer);
  assertEq(view.getUint32(block, true), 2);
  assertEq(view.getUint32(block + 4, true), 8);
  assertEq(wasi.wasiImport.random_get(block, 16), 0);
  assertEq(wasi.wasiImport.sched_yield(), 0);
  assertEq(wasi.wasiImport.fd_close(99), 8, 'EBADF');
});

test('pointers outside the memory are errors, never more', () => {
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  wasi.initialize(instance);
  const end = instance.exports.memory.buffer.byteLength;
  for (const [name, ...args] of [
    ['args_sizes_get', end, end],
    ['random_get', end - 4, 100],
    ['fd_write', 1, end - 4, 5, 0],
    ['environ_sizes_get', -4, -8],
    ['clock_time_get', 0, 0n, end - 1],
    ['fd_read', 0, end, 1, 0],
  ]) {
    let result;
    try {
      result = wasi.wasiImport[name](...args);
    } catch (error) {
      assert(error instanceof Error, String(error));
      continue;
    }
    assert(result !== 0, `${name} succeeded`);
  }
});

test('a proxy of an instance, as some glue code passes', () => {
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  wasi.initialize({ exports: { ...instance.exports, _initialize: instance.exports._initialize } });
  assertEq(instance.exports.divide(8, 2), 4);
});

test('a module without WASI', () => {
  const b = new WasmBuilder();
  let called = 0;
  const log = b.importFunc('host', 'f');
  b.memory({ min: 1 }, { export: 'memory' });
  b.func([], [], [op.call(log)], { export: '_start' });
  assertEq(
    new WASI({ version: 'preview1' }).start(
      b.instance({
        host: {
          f() {
            called += 1;
          },
        },
      }),
    ),
    0,
  );
  assertEq(called, 1);
});

test('memories of every kind, of other instances, by property or by getter', () => {
  const memories = [
    // Pages of one byte, which no descriptor can ask for yet: (module (memory (export "memory") 64 (pagesize 1)))
    new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.of(
      0, 97, 115, 109, 1, 0, 0, 0, 5, 4, 1, 8, 64, 0, 7, 10, 1, 6, 109, 101, 109, 111, 114, 121, 2, 0,
    ))).exports.memory,
    ...[{ min: 1 }, { min: 0, max: 0 }, { min: 1, address: 'i64' }].map((type) => {
      const b = new WasmBuilder();
      b.memory(type, { export: 'memory' });
      return b.instance().exports.memory;
    }),
  ];
  for (const memory of memories) {
    const wasi = new WASI({ version: 'preview1' });
    wasi.finalizeBindings({ exports: { memory } });
    assertEq(wasi.wasiImport.random_get(0, 0), 0);
    // The context of an instance that this memory's is not linked with.
    const other = new WASI({ version: 'preview1' });
    new WebAssembly.Instance(demo, other.getImportObject());
    other.finalizeBindings({ get exports() { return { memory }; } });
    assertEq(other.wasiImport.random_get(0, 0), 0);
  }
}, { v8: 'it has no pages of one byte' });

/** A command that exits with what its import `code` returns. */
function exiting({ start = '_start' } = {}) {
  const b = new WasmBuilder();
  const exit = b.importFunc('wasi_snapshot_preview1', 'proc_exit', ['i32']);
  const code = b.importFunc('env', 'code', [], ['i32']);
  b.memory({ min: 1 }, { export: 'memory' });
  b.func([], [], [op.call(code), op.call(exit)], { export: start });
  return new WebAssembly.Module(b.bytes());
}

const RETURN_ON_EXIT = 'return-on-exit';
if (process.argv[2] === RETURN_ON_EXIT) {
  const wasi = new WASI({ version: 'preview1', returnOnExit: false });
  const [, , , start, code] = process.argv;
  const instance = new WebAssembly.Instance(exiting({ start }),
    { ...wasi.getImportObject(), env: { code: () => Number(code) } });
  process.exitCode = 99;
  if (start === '_start') wasi.start(instance);
  else wasi.initialize(instance);
  instance.exports[start]();
}

test('exit codes have 32 bits', () => {
  for (const code of [0, 1, 125, 126, 127, 128, 134, 139, 255, 256, 2 ** 31 - 1, -(2 ** 31), -1]) {
    const wasi = new WASI({ version: 'preview1' });
    const instance = new WebAssembly.Instance(exiting(), { ...wasi.getImportObject(), env: { code: () => code } });
    assertEq(wasi.start(instance), code);
  }
});

test('returnOnExit: false ends the process', () => {
  const flags = onV8 ? ['--no-warnings'] : [];
  for (const start of ['_start', '_initialize', 'later']) {
    for (const code of [0, 3, 126, 255, 258]) {
      const args = [...flags, fileURLToPath(import.meta.url), RETURN_ON_EXIT, start, String(code)];
      assertEq(spawnSync(process.execPath, args).status, code & 0xff, `${start} with ${code}`);
    }
  }
});

test('one object for several instances', () => {
  const b = new WasmBuilder();
  const random = b.importFunc('wasi_snapshot_preview1', 'random_get', ['i32', 'i32'], ['i32']);
  b.importFunc('env', 'f', [], []);
  b.memory({ min: 1 }, { export: 'memory' });
  b.func([], [], [op.i32(0), op.i32(8), op.call(random), op.drop], { export: '_start' });
  const module = new WebAssembly.Module(b.bytes());
  const wasi = new WASI({ version: 'preview1' });
  assertThrows(TypeError, () => new WebAssembly.Instance(module, wasi.getImportObject()));
  assertThrows(WebAssembly.LinkError, () => new WebAssembly.Instance(module, { ...wasi.getImportObject(), env: { f: 1 } }));
  const instances = [1, 2, 3].map(() =>
    new WebAssembly.Instance(module, { ...wasi.getImportObject(), env: { f() {} } }));
  assertEq(wasi.start(instances[1]), 0);
  const filled = ({ exports }) => new Uint8Array(exports.memory.buffer, 0, 8).some((byte) => byte !== 0);
  assertEq(filled(instances[1]), true);
  if (onV8) return;
  // Each works on its own memory.
  instances[0].exports._start();
  assertList(instances.map(filled), [true, true, false]);
});

test('finalizeBindings: a memory that the instance does not export', () => {
  for (const shared of [false, true]) {
    const b = new WasmBuilder();
    const random = b.importFunc('wasi_snapshot_preview1', 'random_get', ['i32', 'i32'], ['i32']);
    b.importMemory('env', 'memory', { min: 1, max: 2, shared });
    b.func([], ['i32'], [op.i32(0), op.i32(64), op.call(random)], { export: 'fill' });
    const module = new WebAssembly.Module(b.bytes());
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared });
    const wasi = new WASI({ version: 'preview1' });
    const instance = new WebAssembly.Instance(module, { ...wasi.getImportObject(), env: { memory } });
    wasi.finalizeBindings(instance, { memory });
    assertEq(instance.exports.fill(), 0);
    assert(new Uint8Array(memory.buffer, 0, 64).some((byte) => byte !== 0));
    assertEq(wasi.wasiImport.random_get(128, 8), 0);
    assert(new Uint8Array(memory.buffer, 128, 8).some((byte) => byte !== 0));
  }
});

test('what glue code looks for', () => {
  const wasi = new WASI({ version: 'preview1' });
  const symbols = Object.getOwnPropertySymbols(wasi);
  assertList(symbols.map(({ description }) => description),
    ['kBindingName', 'kSetMemory', 'kStarted', 'kExitCode', 'kInstance']);
  const find = (name) => symbols.find(({ description }) => description === name);
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi[find('kInstance')] = { exports: { memory } };
  wasi[find('kSetMemory')](memory);
  assertEq(wasi.wasiImport.args_sizes_get(0, 4), 0);
  assertEq(thrown(() => wasi[find('kSetMemory')]({}), 'an error').code, 'ERR_INVALID_ARG_TYPE');
  // A proxy of an instance, whose exports are a proxy as well.
  const guest = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, guest.getImportObject());
  const exports = new Proxy(instance.exports, { get: (target, key) => target[key] });
  assertEq(guest.initialize(new Proxy(instance, { get: (_, key) => (key === 'exports' ? exports : undefined) })), undefined);
  assertEq(instance.exports.divide(8, 2), 4);
  assertList(Reflect.ownKeys(WASI.prototype), ['constructor', 'finalizeBindings', 'start', 'initialize', 'getImportObject']);
});
