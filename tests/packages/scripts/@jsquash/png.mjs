import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import decode, { init as initDecode } from '@jsquash/png/decode.js';
import encode, { init as initEncode } from '@jsquash/png/encode.js';

// Outside browsers the package is handed its module, and a class for images.
globalThis.ImageData = class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
const wasm = await readFile(new URL('codec/pkg/squoosh_png_bg.wasm', import.meta.resolve('@jsquash/png/decode.js')));
const module = await WebAssembly.compile(wasm);
await initDecode(module);
await initEncode(module);

const data = Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, at) => at % 4 === 3 ? 255 : at * 7 % 256);
const png = await encode(new ImageData(data, 64, 64));
const image = await decode(png);
assert.deepEqual([image.width, image.height], [64, 64]);
assert.deepEqual(image.data, data);
console.log('ok');
