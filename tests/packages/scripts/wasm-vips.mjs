import assert from 'node:assert/strict';
import Vips from 'wasm-vips';

const vips = await Vips();
const width = 320;
const pixels = Uint8Array.from({ length: width * width * 3 }, (_, at) => (at % 3 === 0 ? (at / 3) % width % 256 : at % 3 * 60));
const image = vips.Image.newFromMemory(pixels, width, width, 3, 'uchar');
assert.deepEqual([image.width, image.height, image.bands], [width, width, 3]);
assert.ok(Math.abs(image.avg() - (pixels.reduce((sum, byte) => sum + byte, 0) / pixels.length)) < 1e-9);
const png = image.writeToBuffer('.png');
assert.deepEqual([...png.subarray(1, 4)], [0x50, 0x4e, 0x47]);
const back = vips.Image.newFromBuffer(png);
assert.deepEqual(back.writeToMemory(), pixels);
// Work that is spread over threads.
const small = back.resize(0.25).gaussblur(2).colourspace('b-w');
assert.deepEqual([small.width, small.height, small.bands], [80, 80, 1]);
const [jpeg, webp] = [small.writeToBuffer('.jpg', { Q: 90 }), small.writeToBuffer('.webp')];
assert.equal(vips.Image.newFromBuffer(jpeg).width, 80);
assert.equal(vips.Image.newFromBuffer(webp).height, 80);
// What it throws is C++'s exception, whose message is a list of the class and the text.
const says = (text) => (error) => String(error.message).includes(text);
assert.throws(() => vips.Image.newFromBuffer(new Uint8Array(64)), says('not in a known format'));
assert.throws(() => image.extractArea(0, 0, 1000, 1000), says('extract_area'));
vips.shutdown();
console.log('ok');
