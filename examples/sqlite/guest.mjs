// SQLite's own build for WebAssembly, instantiated with what databases in memory take, and no more; and its functions.
import { existsSync } from 'node:fs';
import process from 'node:process';
import { MemoryManager, header } from 'tombolo:marshal';
import source module from '@sqlite.org/sqlite-wasm/sqlite3.wasm';
import { annotations, declarations } from './annotations.mjs';

const PAGE = 65536;
const ENOENT = 44;

const imported = WebAssembly.Module.imports(module);
const { minimum: initial, maximum } = imported.find(({ name }) => name === 'memory').type;

/** The guest's memory, which it imports. */
const memory = new WebAssembly.Memory({ initial, maximum });

/** Tells that there are none. */
const noVariables = (count, bytes) => {
  const view = new DataView(memory.buffer);
  view.setUint32(count, 0, true);
  view.setUint32(bytes, 0, true);
  return 0;
};

const given = {
  memory,
  // malloc asks when the memory is full. 0 says that it cannot grow, and malloc then returns NULL.
  emscripten_resize_heap: (bytes) => {
    try {
      memory.grow(Math.ceil((bytes >>> 0) / PAGE) - memory.buffer.byteLength / PAGE);
      return 1;
    } catch {
      return 0;
    }
  },
  emscripten_get_heap_max: () => maximum * PAGE,
  // SQL's own clock (`datetime('now')`), which seeds its random numbers too.
  emscripten_date_now: Date.now,
  // Read once, when the guest starts. No variable is set, so that there is nothing to copy either.
  environ_sizes_get: noVariables,
  environ_get: () => 0,
  // There are no files: a database by name is "unable to open database file". SQLite also looks for /dev/urandom, and
  // makes do with the clock.
  __syscall_openat: () => -ENOENT,
  __syscall_lstat64: () => -ENOENT,
};

const imports = {};
for (const { module: from, name } of imported) {
  (imports[from] ??= {})[name] = given[name] ?? (() => {
    throw new Error(`sqlite3.wasm calls ${from}.${name}, which databases in memory should not need`);
  });
}

const instance = new WebAssembly.Instance(module, imports);
instance.exports.__wasm_call_ctors();

// SQLite's own allocator, so that what is allocated here is what SQLite can take over, and the other way round.
const { sqlite3_malloc: malloc, sqlite3_free: free, __indirect_function_table: table } = instance.exports;
// sqlite3.h as SQLite ships it, from Debian's libsqlite3-dev for example.
const path = [process.env.SQLITE3_H, '/usr/include/sqlite3.h', '/usr/local/include/sqlite3.h'].find((at) => at && existsSync(at));
if (!path) throw new Error('there is no sqlite3.h: install it (apt-get install libsqlite3-dev), or name it by SQLITE3_H');

/** SQLite's functions and constants. */
export const c = header(instance, path, {
  annotations,
  declarations,
  memoryManager: new MemoryManager(memory, malloc, free, { table }),
  lengths: {
    column_bytes: (_index, [stmt, column]) => c.sqlite3_column_bytes(stmt, column),
    value_bytes: (_index, [value]) => c.sqlite3_value_bytes(value),
  },
});
