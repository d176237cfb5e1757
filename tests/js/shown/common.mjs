// What the demonstrations share: a demo guest, figures, and a claim that fails by exit code.
import { readFileSync } from 'node:fs';
import { ArrayType, Float64Type, FunctionPrototype, In, Int32Type, TypedArrayType, Wasi } from 'tombolo:marshal';

export const MIB = 2 ** 20;

const line = (name) => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)[1]) * 1024;
};
/** Resident bytes of this process, now and at most so far. */
export const resident = () => line('VmRSS');
export const peakResident = () => line('VmHWM');

export const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

/** Prints a claim, and sets the exit code where it does not hold. */
export function claim(text, holds) {
  console.log(`${holds ? 'ok' : 'NOT OK'}: ${text}`);
  if (!holds) process.exitCode = 1;
}

/** The demo guest by the class `Wasi`. */
export function demo() {
  const wasi = new Wasi({});
  const bytes = readFileSync(new URL('../../../guests/demo.wasm', import.meta.url));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { wasi_snapshot_preview1: wasi.imports() });
  wasi.init(instance);
  instance.exports._initialize();
  return { wasi, exports: instance.exports, manager: wasi.memoryManager, memory: wasi.memory };
}

/** `iota_f64` of the demo guest: an array of 0, 1, 2, … as a view of the guest's block. */
export function iotaOf({ manager, exports }) {
  const prototype = new FunctionPrototype(
    [new In(new Int32Type())],
    new TypedArrayType(new Float64Type(), (_, [length]) => length),
  );
  return (length) => prototype.invoke(manager, exports.iota_f64, length);
}

/** Makes 2,000 results of 8 MB, gives each to `use`, and claims that they stay within 64 MB of the guest and 90 MiB. */
export async function manyResults(use = () => undefined) {
  const [count, length] = [2000, 1_000_000];
  const guest = demo();
  const iota = iotaOf(guest);
  let most = 0;
  for (let i = 0; i < count; i++) {
    const result = iota(length);
    if (result[length - 1] !== length - 1) throw new Error('wrong result');
    // Only what returns a promise lets other tasks run.
    const used = use(result);
    if (used) await used;
    most = Math.max(most, guest.memory.buffer.byteLength);
  }
  claim(`${count} results of ${mib(8 * length)}: ${mib(most)} of guest memory (less than 64)`, most < 64 * MIB);
  claim(`resident at most ${mib(peakResident())} (less than 90)`, peakResident() < 90 * MIB);
}

export { ArrayType, Float64Type, FunctionPrototype, In, Int32Type, TypedArrayType };
