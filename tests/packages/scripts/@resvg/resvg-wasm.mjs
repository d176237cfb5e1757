import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

await initWasm(readFile(new URL(import.meta.resolve('@resvg/resvg-wasm/index_bg.wasm'))));
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10">
  <rect width="10" height="10" fill="#ff8000"/><circle cx="15" cy="5" r="4" fill="blue"/></svg>`;
const image = new Resvg(svg, { fitTo: { mode: 'width', value: 40 } }).render();
assert.deepEqual([image.width, image.height], [40, 20]);
const pixel = (x, y) => [...image.pixels.slice((y * 40 + x) * 4, (y * 40 + x) * 4 + 4)];
assert.deepEqual(pixel(5, 5), [255, 128, 0, 255]);
assert.deepEqual(pixel(30, 10), [0, 0, 255, 255]);
assert.deepEqual(pixel(39, 0), [0, 0, 0, 0]);
assert.deepEqual([...image.asPng().slice(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
assert.throws(() => new Resvg('<svg'));
console.log('ok');
