// A program that forgets to forget: `tombolo --guest-memory=trace examples/trace.mjs` tells the line.
import { readFileSync } from 'node:fs';
import { ArrayType, Float64Type, FunctionPrototype, In, Int32Type, TypedArrayType, Wasi } from 'tombolo:marshal';

const wasi = new Wasi({});
const { instance } = await WebAssembly.instantiate(
  readFileSync(new URL('../guests/demo.wasm', import.meta.url)), { wasi_snapshot_preview1: wasi.imports() });
wasi.init(instance);

const f64 = new Float64Type();
const multiply = new FunctionPrototype(
  [new In(new ArrayType(f64)), new In(new ArrayType(f64)), new In(new Int32Type())],
  new TypedArrayType(f64, (_index, args) => args[2]));

const cache = new Map();

function product(a, b) {
  const key = `${a} ${b}`;
  if (!cache.has(key)) {
    cache.set(key, multiply.invoke(wasi.memoryManager, instance.exports.multiply, a, b, a.length));
  }
  return cache.get(key);
}

/** The sum of an image's bytes; the image itself is needed no longer. */
function brightness(width, height) {
  const image = wasi.uint8Array(width * height * 4).fill(3);
  return image.reduce((sum, byte) => sum + byte, 0);
}

for (let i = 0; i < 2000; i++) {
  product([i, i + 1, i + 2], [1, 2, 3]);
  if (i % 500 === 0) brightness(320, 200 + i / 10);
}
console.log(`${cache.size} products are in the cache`);
