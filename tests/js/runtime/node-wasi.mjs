// node:wasi: the class as Node has it.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { assert, assertEq, assertList, assertThrows, assertThrowsValue, test } from '../harness.mjs';
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
  assertThrows(Error, () => wasi.finalizeBindings(b.instance()), /already started/);
});

test('an instance is started once', () => {
  const wasi = new WASI({ version: 'preview1' });
  const instance = new WebAssembly.Instance(demo, wasi.getImportObject());
  wasi.initialize(instance);
  assertThrows(Error, () => wasi.initialize(instance), /already started/);
  assertThrows(Error, () => wasi.start(instance), /already started/);
});

test('commands and reactors are told apart', () => {
  const wasi = () => new WASI({ version: 'preview1' });
  const [one, two] = [wasi(), wasi()];
  assertThrows(TypeError, () => one.start(new WebAssembly.Instance(demo, one.getImportObject())), /_start/);
  assertThrows(TypeError, () => two.initialize(new WebAssembly.Instance(hello, two.getImportObject())), /_start/);
});

test('wrong instances', () => {
  for (const wrong of [
    undefined,
    null,
    1,
    'x',
    {},
    { exports: {} },
    { exports: { memory: {} } },
    new WasmBuilder().instance(),
  ]) {
    for (const method of ['start', 'initialize', 'finalizeBindings']) {
      assertThrows(TypeError, () => new WASI({ version: 'preview1' })[method](wrong), new RegExp(`WASI.${method}`));
    }
  }
});

test('wrong options', () => {
  const make = (options) => () => new WASI(options);
  assertThrows(TypeError, () => WASI({ version: 'preview1' }));
  assertThrows(TypeError, make(), /version/);
  assertThrows(TypeError, make({}), /version/);
  assertThrows(TypeError, make({ version: 1 }), /version/);
  assertThrows(TypeError, make({ version: 'preview3' }), /version/);
  const version = 'preview1';
  assertThrows(TypeError, make({ version, args: 'x' }), /args/);
  assertThrows(TypeError, make({ version, env: 1 }), /env/);
  assertThrows(TypeError, make({ version, preopens: 'x' }), /preopens/);
  assertThrows(TypeError, make({ version, returnOnExit: 1 }), /returnOnExit/);
  for (const name of ['stdin', 'stdout', 'stderr']) {
    for (const wrong of ['1', -1, 1.5, {}]) assertThrows(TypeError, make({ version, [name]: wrong }), new RegExp(name));
  }
});

test('a folder that is not there', () => {
  assertThrows(
    Error,
    () => new WASI({ version: 'preview1', preopens: { '/': '/no/such/folder' } }),
    /\/no\/such\/folder/,
  );
});

test('import functions called with wrong memory, or before there is one', () => {
  const wasi = new WASI({ version: 'preview1' });
  let result;
  try {
    result = wasi.wasiImport.fd_write(1, 0, 0, 0);
  } catch (error) {
    assert(error instanceof Error, String(error));
    return;
  }
  assertEq(typeof result, 'number');
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
    assertThrows(Error, () => other.wasiImport.random_get(0, 0), /not linked/);
  }
});

test('functions that call each other through conversions end with the stack', () => {
  const wasi = new WASI({ version: 'preview1' });
  wasi.initialize(new WebAssembly.Instance(demo, wasi.getImportObject()));
  const { random_get } = wasi.wasiImport;
  const argument = {};
  argument.valueOf = random_get.bind(null, argument);
  assertThrows(RangeError, () => random_get(argument), /call stack/);
  const deeper = { valueOf: () => random_get(deeper, 0) };
  assertThrows(RangeError, () => random_get(deeper), /call stack/);
  assertEq(random_get(0, 0), 0);
});
