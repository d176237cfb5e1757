import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import sharp from 'sharp';

const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
assert.ok(loaded.length === 0 || loaded.some((file) => file.includes('sharp-wasm32')), 'the WebAssembly build is used');
const red = { create: { width: 200, height: 100, channels: 3, background: { r: 255, g: 0, b: 0 } } };
const png = await sharp(red).png().toBuffer();
const metadata = await sharp(png).metadata();
assert.deepEqual([metadata.format, metadata.width, metadata.height, metadata.channels], ['png', 200, 100, 3]);

const overlay = await sharp({ create: { width: 50, height: 50, channels: 4, background: '#0000ff' } }).png().toBuffer();
const { data, info } = await sharp(png)
  .composite([{ input: overlay, top: 0, left: 0 }])
  .rotate(90)
  .raw()
  .toBuffer({ resolveWithObject: true });
assert.deepEqual([info.width, info.height], [100, 200]);
const pixel = (x, y) => [...data.subarray((y * info.width + x) * info.channels).subarray(0, 3)];
assert.deepEqual([pixel(0, 0), pixel(99, 199)], [[0, 0, 255], [255, 0, 0]]);

const formats = await Promise.all(['jpeg', 'webp', 'gif', 'tiff'].map(async (format) => {
  const made = await sharp(png).resize(40).toFormat(format).toBuffer();
  const { format: found, width, height } = await sharp(made).metadata();
  return [found, width, height].join();
}));
assert.deepEqual(formats, ['jpeg,40,20', 'webp,40,20', 'gif,40,20', 'tiff,40,20']);
const { channels } = await sharp(png).stats();
assert.deepEqual(channels.map(({ mean }) => mean), [255, 0, 0]);
await assert.rejects(sharp(Buffer.from('no image')).metadata(), /unsupported image format/);
console.log('ok');
