// A guest whose malloc has nothing left: garbage is collected, malloc is asked once more, and only then comes an error.
import { MemoryManager } from 'tombolo:marshal';
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { claim } from './common.mjs';

const SLOTS = 8;
const free = [];
let asked = 0;
let freed = 0;
const b = new WasmBuilder();
const mallocImport = b.importFunc('host', 'malloc', [], ['i32']);
const freeImport = b.importFunc('host', 'free', ['i32']);
b.memory({ min: 1 }, { export: 'memory' });
b.func(['i32'], ['i32'], [op.call(mallocImport)], { export: 'malloc' });
b.func(['i32'], [], [op.localGet(0), op.call(freeImport)], { export: 'free' });
const { exports } = b.instance({
  host: {
    malloc() {
      asked += 1;
      return free.pop() ?? 0;
    },
    free(address) {
      freed += 1;
      free.push(address);
    },
  },
});
for (let slot = 1; slot <= SLOTS; slot++) free.push(1024 * slot);
const manager = new MemoryManager(exports.memory, exports.malloc, exports.free);

/** A view that only itself refers to. */
function garbage() {
  const view = manager.createTypedArray(Float64Array, 10);
  view.self = { view };
}

for (let i = 0; i < SLOTS; i++) garbage();
asked = 0;
const kept = [manager.createTypedArray(Float64Array, [1])];
claim(
  `with ${SLOTS} of ${SLOTS} blocks in garbage cycles malloc was asked ${asked} times, and ${freed} were freed`,
  asked === 2 && freed === SLOTS,
);

while (kept.length < SLOTS) kept.push(manager.createTypedArray(Float64Array, [1]));
asked = 0;
let thrown;
try {
  manager.createTypedArray(Float64Array, [1]);
} catch (error) {
  thrown = error;
}
claim(
  `with all of them in use it was asked ${asked} times, then came ${thrown}`,
  asked === 2 && thrown instanceof RangeError,
);
claim(
  'what was in use is as it was',
  kept.every((view) => view[0] === 1),
);
