// Loads a guest of the folder guests/ for a test, with the little WASI that the reactors need and no marshalling.
import { readFileSync } from 'node:fs';

/** The module guests/<name>.wasm. */
export const guestModule = (name) =>
  new WebAssembly.Module(readFileSync(new URL(`../../../guests/${name}.wasm`, import.meta.url)));

/** The exports of guests/<name>.wasm with `imports`. */
export const guest = (name, imports = {}) => new WebAssembly.Instance(guestModule(name), imports).exports;

/** The initialised demo guest: its exports, what it wrote to each descriptor, and C strings. */
export function demo() {
  const written = { 1: '', 2: '' };
  const fd_write = (descriptor, vectors, count, result) => {
    const view = new DataView(exports.memory.buffer);
    let total = 0;
    for (let i = 0; i < count; i++) {
      const [from, length] = [view.getUint32(vectors + 8 * i, true), view.getUint32(vectors + 8 * i + 4, true)];
      written[descriptor] += new TextDecoder().decode(new Uint8Array(exports.memory.buffer, from, length));
      total += length;
    }
    view.setUint32(result, total, true);
    return 0;
  };
  const exports = guest('demo', { wasi_snapshot_preview1: { fd_write } });
  exports._initialize();
  const bytes = () => new Uint8Array(exports.memory.buffer);
  /** A block with these bytes and a zero behind them. */
  const put = (data) => {
    const address = exports.malloc(data.length + 1);
    bytes().set(data, address);
    bytes()[address + data.length] = 0;
    return address;
  };
  const putText = (text) => put(new TextEncoder().encode(text));
  /** The bytes up to the zero; frees the block. */
  const take = (address) => {
    const data = bytes().slice(address, bytes().indexOf(0, address));
    exports.free(address);
    return data;
  };
  const takeText = (address) => new TextDecoder().decode(take(address));
  return { exports, written, put, putText, take, takeText };
}
