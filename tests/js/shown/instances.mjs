// 100,000 instances with a memory, each with an import closure that refers back to its instance, in flat memory.
// Takes long: 100,000 of them.
import { WasmBuilder, op } from '../wasm-builder.mjs';
import { claim, mib, MIB, resident } from './common.mjs';

const COUNT = 100_000;
const b = new WasmBuilder();
const look = b.importFunc('host', 'look', [], ['i32']);
b.memory({ min: 1 }, { export: 'memory' });
b.func([], ['i32'], [op.call(look)], { export: 'run' });
const module = b.module();

function one(i) {
  let bytes;
  const look = () => {
    bytes ??= new Uint8Array(instance.exports.memory.buffer);
    bytes[0] = i;
    return bytes[0];
  };
  const instance = new WebAssembly.Instance(module, { host: { look } });
  return instance.exports.run();
}

let [early, most, wrong] = [0, 0, 0];
for (let i = 1; i <= COUNT; i++) {
  if (one(i) !== (i & 0xff)) wrong += 1;
  if (i === 10_000) early = resident();
  if (i >= 10_000 && i % 1000 === 0) most = Math.max(most, resident());
}
const end = resident();
claim(`${COUNT} instances, ${wrong} of them gave a wrong result`, wrong === 0);
claim(
  `resident after 10,000: ${mib(early)}, after ${COUNT}: ${mib(end)}, at most ${mib(most)} (10 MiB more allowed)`,
  Math.max(end, most) - early < 10 * MIB,
);
