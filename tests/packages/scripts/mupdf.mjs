import assert from 'node:assert/strict';
import * as mupdf from 'mupdf';

const pdf = new mupdf.PDFDocument();
const font = pdf.addSimpleFont(new mupdf.Font('Times-Roman'), 'Latin');
for (const text of ['A bar of sand', 'ties an island']) {
  const contents = `BT /F 24 Tf 1 0 0 1 72 144 Tm (${text}) Tj ET 1 0 0 rg 10 10 30 30 re f`;
  pdf.insertPage(-1, pdf.addPage([0, 0, 300, 200], 0, { Font: { F: font } }, contents));
}
pdf.setMetaData('info:Title', 'Tombolo');
const bytes = pdf.saveToBuffer('compress').asUint8Array().slice();
assert.equal(new TextDecoder().decode(bytes.subarray(0, 5)), '%PDF-');

const document = mupdf.Document.openDocument(bytes, 'application/pdf');
assert.equal(document.countPages(), 2);
assert.equal(document.getMetaData('info:Title'), 'Tombolo');
const page = document.loadPage(1);
assert.deepEqual(page.getBounds(), [0, 0, 300, 200]);
assert.equal(page.toStructuredText().asText().trim(), 'ties an island');
assert.equal(page.search('island').length, 1);
const pixmap = page.toPixmap(mupdf.Matrix.scale(2, 2), mupdf.ColorSpace.DeviceRGB, false);
assert.deepEqual([pixmap.getWidth(), pixmap.getHeight()], [600, 400]);
// The red square is at the bottom left.
const pixel = (x, y) => [...pixmap.getPixels().subarray(y * pixmap.getStride() + x * 3).subarray(0, 3)];
assert.deepEqual([pixel(40, 360), pixel(300, 20)], [[255, 0, 0], [255, 255, 255]]);
const png = pixmap.asPNG();
const image = new mupdf.Image(png);
assert.deepEqual([image.getWidth(), image.getHeight()], [600, 400]);
assert.throws(() => document.loadPage(7), /page|range/i);
assert.throws(() => mupdf.Document.openDocument(new Uint8Array(100), 'application/pdf'), Error);
console.log('ok');
