import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import decode, { init as initDecode } from '@jsquash/jpeg/decode.js';
import encode, { init as initEncode } from '@jsquash/jpeg/encode.js';

// Outside browsers the package is handed its modules, and a class for images.
globalThis.ImageData = class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
const compiled = async (name) => {
  const url = new URL(`codec/${name}`, import.meta.resolve('@jsquash/jpeg/decode.js'));
  return WebAssembly.compile(await readFile(url));
};
await initDecode(await compiled('dec/mozjpeg_dec.wasm'));
await initEncode(await compiled('enc/mozjpeg_enc.wasm'));

const data = Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, at) => [at >> 6, 128, 255 - (at >> 6), 255][at % 4]);
const jpeg = await encode(new ImageData(data, 64, 64), { quality: 95 });
assert.ok(jpeg.byteLength > 100 && jpeg.byteLength < data.length / 4);
const image = await decode(jpeg);
assert.deepEqual([image.width, image.height], [64, 64]);
assert.ok(image.data.every((value, at) => Math.abs(value - data[at]) < 12));
console.log('ok');
