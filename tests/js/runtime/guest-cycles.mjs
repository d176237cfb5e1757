// A guest's own objects that refer to each other in circles are collected.
import { WasmBuilder, op, refNull, structTypeBytes } from '../wasm-builder.mjs';
import { assert, test } from '../harness.mjs';

test('circles of structs are collected', () => {
  const b = new WasmBuilder();
  const node = b.type([], []) + 1;
  b.rawType(structTypeBytes([refNull(node), 'i64', 'i64']));
  b.func(['i32'], [], [
    op.loop(),
    op.refNull(node), op.i64(1), op.i64(2), op.structNew(node), op.localTee(1),
    op.localGet(1), op.structSet(node, 0),
    op.localGet(0), op.i32(1), op.i32Sub, op.localTee(0), op.brIf(0), op.end,
  ], { export: 'circles', locals: [refNull(node)] });
  const { circles } = b.instance().exports;
  circles(100_000);
  const before = process.memoryUsage().rss;
  // 2,000,000 of them are at least 48 MB.
  circles(2_000_000);
  const more = process.memoryUsage().rss - before;
  assert(more < 16 << 20, `${more >> 10} KiB more`);
});
