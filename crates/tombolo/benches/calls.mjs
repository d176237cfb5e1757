// Rows for calls in both directions, with 0 to 8 arguments of each type. The loop around an exported call is
// JavaScript's, the loop around an imported one is the guest's.
import { WasmBuilder, op } from '../../../tests/js/wasm-builder.mjs';

const MOST = 8;

/** An argument of each type as a guest makes it; the references are the parameters of `run`. */
const inGuest = {
  i32: op.i32(7), i64: op.i64(7), f32: op.f32(1.5), f64: op.f64(1.5), externref: op.localGet(1), funcref: op.localGet(2),
};

function guest(type) {
  const b = new WasmBuilder();
  const hosts = Array.from({ length: MOST + 1 }, (_, n) => b.importFunc('host', `take${n}`, Array(n).fill(type), []));
  hosts.forEach((host, n) => {
    const again = [op.localGet(0), op.i32(1), op.i32Sub, [0x22, 0], op.brIf(0)];
    const body = [op.loop(), Array(n).fill(inGuest[type]), op.call(host), again, op.end];
    b.func(['i32', 'externref', 'funcref'], [], body, { export: `run${n}` });
  });
  for (let n = 0; n <= MOST; n++) b.func(Array(n).fill(type), [], [], { export: `take${n}` });
  const host = {};
  for (let n = 0; n <= MOST; n++) host[`take${n}`] = new Function('return function () {}')();
  return b.instance({ host }).exports;
}

/** Adds the rows of each type to `rows`; a type's guest is made when the first of them runs. */
export function addCalls(rows) {
  const guests = new Map();
  const exportsFor = (type) => guests.get(type) ?? guests.set(type, guest(type)).get(type);
  for (const type of Object.keys(inGuest)) {
    for (let n = 0; n <= MOST; n++) {
      const args = Array(n).fill('a').join(', ');
      const loop = new Function('n', 'take', 'a', `for (let i = 0; i < n; i++) take(${args});`);
      rows[`exported/${type} x ${n}`] = (count) => {
        const exports = exportsFor(type);
        const value = { i32: 7, i64: 7n, f32: 1.5, f64: 1.5, externref: rows, funcref: exports.take0 }[type];
        loop(count, exports[`take${n}`], value);
      };
      rows[`imported/${type} x ${n}`] = (count) => {
        const exports = exportsFor(type);
        const run = exports[`run${n}`];
        for (let left = count; left > 0; left -= 1_000_000) run(Math.min(left, 1_000_000), rows, exports.take0);
      };
    }
  }
}
