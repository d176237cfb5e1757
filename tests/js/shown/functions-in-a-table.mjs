// 30,000 JavaScript functions, one after another, put into a guest's table by way of a small module and taken out again
// (what glue code calls addFunction and removeFunction), in flat memory.
import { op, WasmBuilder } from '../wasm-builder.mjs';
import { claim, mib, MIB, resident } from './common.mjs';

const COUNT = 30_000;
const main = new WasmBuilder();
main.table({ min: 4 }, { export: 'table' });
main.func(['i32'], ['i32'], [op.localGet(0), op.i32(1), op.callIndirect(main.type(['i32'], ['i32']))], {
  export: 'run',
});
const { table, run } = main.instance().exports;

const wrapper = new WasmBuilder();
wrapper.export('f', 'function', wrapper.importFunc('host', 'f', ['i32'], ['i32']));
const module = wrapper.module();

let [early, wrong] = [0, 0];
for (let i = 1; i <= COUNT; i++) {
  const payload = new Array(100).fill(i);
  table.set(1, new WebAssembly.Instance(module, { host: { f: (x) => x + payload[0] } }).exports.f);
  if (run(1) !== i + 1) wrong += 1;
  table.set(1, null);
  if (i === COUNT / 10) early = resident();
}
const end = resident();
claim(`${COUNT} functions, ${wrong} of them gave a wrong result`, wrong === 0);
claim(
  `resident after ${COUNT / 10}: ${mib(early)}, after ${COUNT}: ${mib(end)} (10 MiB more allowed)`,
  end - early < 10 * MIB,
);
