// `header`: a C library's header as it is, its macros, its strange types, and what of it cannot be bound.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cdef, header, typings, Wasi } from 'tombolo:marshal';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';

const file = (name) => fileURLToPath(new URL(`../../../guests/${name}`, import.meta.url));
const path = file('src/library.h');
const module = new WebAssembly.Module(readFileSync(file('library.wasm')));

function instantiate() {
  const wasi = new Wasi({});
  wasi.init(new WebAssembly.Instance(module, wasi.imports()));
  return wasi;
}

const reasons = (library, kind) =>
  Object.fromEntries(library.skipped.filter((skipped) => skipped.kind === kind).map(({ name, reason }) => [name, reason]));

test('functions, constants, enums and handles', () => {
  const c = header(instantiate(), path);
  assertEq(c.library_add(2, 3), 5);
  assertEq(c.LIBRARY_VERSION, '2.7');
  assertEq(c.LIBRARY_LATER, 255);
  assertEq(c.LIBRARY_LIMIT, 256);
  assertEq(c.MODE_ALL, 9);
  assertEq(c.library_mode('MODE_A'), c.MODE_B);
  assertEq(c.library_apply((_data, value) => value * 3, null, 5), 15);
  const handle = c.library_open(7);
  assertList([c.library_next(handle), c.library_next(handle)], [7, 8]);
  c.library_close(handle);
});

test('bit-fields', () => {
  const c = header(instantiate(), path);
  const flags = { kind: 5, level: 30, balance: -7, on: true, wide: 2n ** 32n };
  // 5 + 30 + 1 + 0 (2^32 as an int) - 7
  assertEq(c.library_flags_sum(flags), 29);
  const made = c.library_flags_make(3, -32);
  assertList([made.kind, made.level, made.balance, made.on, made.wide], [3, 17, -32, true, 0x123456789n]);
  assertEq(c.types.flags.size, 8);
  using view = c.types.flags.create(c.memoryManager, flags);
  view.balance = 31;
  view.kind = 9; // what does not fit is cut off, as in C
  assertList([view.kind, view.level, view.balance, view.on, view.wide], [1, 30, 31, true, 2n ** 32n]);
  assertEq(c.library_flags_sum(view), 1 + 30 + 1 + 31);
});

test('members of records without a name', () => {
  const c = header(instantiate(), path);
  assertEq(c.library_value_real({ kind: 1, number: 12 }), 12);
  assertEq(c.library_value_real({ kind: 2, real: 1.5, left: 4, right: 1 }), 4.5);
  const made = c.library_value_make(2, -0.5);
  assertList([made.kind, made.real, made.left, made.right], [2, -0.5, -3, 4]);
  assertList(Object.values(c.types.value.offsets), [0, 8, 8, 8, 16, 18]);
});

test('arrays without a size', () => {
  const c = header(instantiate(), path);
  assertEq(c.types.list.size, 2);
  assertEq(c.types.list.offsets.items, 2);
  assertEq(c.library_list_sum({ count: 0 }), 0);
});

test('variables are the guest’s', () => {
  const c = header(instantiate(), path);
  assertEq(c.variables.library_counter, 40);
  c.library_add(1, 1);
  assertEq(c.variables.library_counter, 41);
  c.variables.library_counter = 7;
  c.library_add(1, 1);
  assertEq(c.variables.library_counter, 8);
  assertEq(c.variables.library_name, 'library');
  assertEq(c.variables.library_missing, undefined);
});

test('variadic functions take what is declared', () => {
  const c = header(instantiate(), path);
  const out = new Uint8Array(6);
  assertEq(c.library_format(out, 6, 'hello'), 5);
  assertEq(String.fromCharCode(...out.subarray(0, 5)), 'hello');
});

test('what is left out, and why', () => {
  const c = header(instantiate(), path);
  assertList(Object.keys(reasons(c, 'function')).sort(), ['library_gone', 'library_long']);
  assert(reasons(c, 'function').library_gone.includes('exports no function'));
  assert(reasons(c, 'function').library_long.includes('long double'));
  assertList(Object.keys(reasons(c, 'inline')), ['library_twice']);
  assertList(Object.keys(reasons(c, 'variable')), ['library_missing']);
  assert('LIBRARY_MAX' in reasons(c, 'macro'));
  const gone = c.skipped.find(({ name }) => name === 'library_gone');
  const lines = readFileSync(path, 'utf8').split('\n');
  assertEq(gone.file, path);
  assertEq(lines[gone.line - 1].slice(gone.column - 1, gone.column + 11), 'library_gone');
  assert(Object.isFrozen(c.skipped) && Object.isFrozen(gone));
});

test('strict: everything in one error', () => {
  const error = (() => {
    try {
      header(instantiate(), path, { strict: true });
    } catch (thrown) {
      return thrown;
    }
  })();
  for (const part of ['library_gone', 'long double', 'library_missing']) assert(error.message.includes(part), part);
  // A macro, or a body in the header, is nothing that a module has.
  assert(!error.message.includes('LIBRARY_MAX') && !error.message.includes('library_twice'));
});

test('cdef is strict, unless it is told not to be', () => {
  const text = 'int library_add(int a, int b);\nint nothing(void);\nint wrong(foo x);\nint library_gone(void);';
  const error = assertThrows(SyntaxError, () => cdef(instantiate(), text));
  void error;
  assertThrows(TypeError, () => cdef(instantiate(), 'int library_gone(void);'));
  const c = cdef(instantiate(), text, { strict: false });
  assertEq(c.library_add(1, 1), 2);
  assertList(c.skipped.map(({ name }) => name), ['nothing', 'wrong', 'library_gone']);
});

test('a text, defines, annotations and declarations', () => {
  const text = `
    #if WITH == 2 && defined(NAMED)
    int *library_numbers(int count);
    #endif
    struct handle;
    struct handle *library_open(int start);
    int library_next(struct handle *of);
    int library_apply(int (*)(void *, int), void *, int);
  `;
  const c = header(instantiate(), text, {
    define: { WITH: 2, NAMED: true, OTHER: false },
    annotations: { library_numbers: { result: '[[owned, length(count)]]' }, handle: '[[opaque(library_close)]]' },
    declarations: 'int library_apply(int (*function)(void *data, int value) [[nonnull]], void *data, int value);',
  });
  assertList(c.library_numbers(4), [0, 1, 4, 9]);
  using handle = c.library_open(1);
  assertEq(c.library_next(handle), 1);
  assertThrows(TypeError, () => c.library_apply(null, null, 1));
  assertEq(c.skipped.length, 0);
});

test('annotations for nothing are told', () => {
  const c = header(instantiate(), 'int library_add(int a, int b);', { annotations: { library_ad: '[[status]]' } });
  assertList(c.skipped.map(({ kind, name }) => `${kind} ${name}`), ['annotation library_ad']);
});

test('headers in folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headers-'));
  try {
    writeFileSync(join(folder, 'a.h'), '#include "b.h"\n#include <c.h>\nB library_add(B a, C b);\n');
    writeFileSync(join(folder, 'b.h'), '#pragma once\ntypedef int B;\n');
    const other = mkdtempSync(join(tmpdir(), 'headers-'));
    writeFileSync(join(other, 'c.h'), '#ifndef C_H\n#define C_H\ntypedef int C;\n#endif\n');
    assertEq(header(instantiate(), join(folder, 'a.h'), { include: [other] }).library_add(1, 2), 3);
    assertList(header(instantiate(), join(folder, 'a.h')).skipped.map(({ kind }) => kind), ['directive', 'function']);
    rmSync(other, { recursive: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
  assertThrows(Error, () => header(instantiate(), join(folder, 'a.h')));
});

test('a header from cc -E', () => {
  const text = '# 1 "lib.h"\n# 1 "/usr/include/stdio.h" 1 3\nextern int printf(const char *, ...);\n# 2 "lib.h" 2\n' +
    'int library_add(int a, int b);\nint library_gone(void);\n';
  const c = header(instantiate(), text);
  assertEq(c.library_add(1, 2), 3);
  assertList(c.skipped.map(({ name, file, line }) => `${name} ${file} ${line}`), ['library_gone lib.h 3']);
});

test('wrong arguments', () => {
  assertThrows(TypeError, () => header({}, path));
  assertThrows(TypeError, () => header(instantiate(), 5));
  for (const options of [{ include: 5 }, { include: [5] }, { annotations: { a: 5 } }, { define: 5 }, { declarations: 5 }]) {
    assertThrows(TypeError, () => header(instantiate(), 'int library_add(int a, int b);', options));
  }
});

test('typings', () => {
  const text = typings(path, { only: ['library_add', 'library_open', 'LIBRARY_VERSION', 'library_counter'] });
  for (const part of [
    'library_add(a: number, b: number): number;', 'library_open(start: number): handle | null;',
    'readonly LIBRARY_VERSION: string;', 'library_counter: number;', "export type mode = number | 'MODE_A'",
    'export interface handle extends Handle', 'export interface flags',
  ]) {
    assert(text.includes(part), part);
  }
  assert(!text.includes('library_gone'));
});
