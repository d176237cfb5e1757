// Blob, File and blob URLs (File API).
import { resolveObjectURL } from 'node:buffer';
import { inspect } from 'node:util';
import { assert, assertEq, assertList, test, thrown } from '../harness.mjs';

test('a Blob is made of strings, buffers and other Blobs', async () => {
  const blob = new Blob(['a', new Uint8Array([98]), new Blob(['c']), new Uint16Array([100]), 5, '\ud800'],
    { type: 'TEXT/Plain' });
  assertEq(blob.type, 'text/plain');
  assertEq(blob.size, 9);
  assertEq(await blob.text(), 'abcd\x005\ufffd');
  assertEq(await new Blob(['a\r\nb\n'], { endings: 'native' }).text(), 'a\nb\n');
  assertEq(new Blob(['a'], { type: '\u00e9' }).type, '');
  assertEq(await new Blob(new Set(['x', 'y'])).text(), 'xy');
  assertEq(await new Blob(['\ufeffabc']).text(), 'abc');
  assertEq(thrown(() => new Blob('a'), 'an error').message,
    'The "sources" argument must be a sequence. Received type string (\'a\')');
});

test('slices and the ways to read', async () => {
  const blob = new Blob(['abcdef'], { type: 'x/y' });
  assertEq(await blob.slice(1, -1, 'X').text(), 'bcde');
  assertEq(blob.slice(1).type, '');
  assertEq(blob.slice(4, 2).size, 0);
  assertEq((await blob.arrayBuffer()).byteLength, 6);
  assertList(await blob.slice(-2).bytes(), [101, 102]);
  const bytes = await blob.bytes();
  bytes[0] = 0;
  assertEq(await blob.text(), 'abcdef', 'a copy was given out');
});

test('a Blob is a byte stream', async () => {
  const reader = new Blob(['abc']).stream().getReader();
  assertList((await reader.read()).value, [97, 98, 99]);
  assert((await reader.read()).done);
  const { value } = await new Blob(['abc']).stream().getReader({ mode: 'byob' }).read(new Uint8Array(2));
  assertList(value, [97, 98]);
});

test('a File has a name and a date', () => {
  const file = new File(['a'], 'n', { lastModified: 5, type: 'a/b' });
  assert(file instanceof Blob);
  assertEq(inspect(file), "File { size: 1, type: 'a/b', name: 'n', lastModified: 5 }");
  assertEq(inspect(new Blob()), "Blob { size: 0, type: '' }");
  assertEq(typeof new File([], 'x').lastModified, 'number');
  assertEq(Object.prototype.toString.call(file), '[object File]');
  assertEq(thrown(() => new File(['a']), 'an error').code, 'ERR_MISSING_ARGS');
});

test('Blobs have brands', async () => {
  assertEq(thrown(() => Blob.prototype.size, 'an error').code, 'ERR_INVALID_THIS');
  assertEq(thrown(() => File.prototype.name, 'an error').code, 'ERR_INVALID_THIS');
  const error = await Blob.prototype.text.call({}).catch((caught) => caught);
  assertEq(error.code, 'ERR_INVALID_THIS');
});

test('structured clone keeps Blobs and Files', async () => {
  const [blob, file] = structuredClone([new Blob(['abc'], { type: 'x/y' }), new File(['d'], 'n', { lastModified: 1 })]);
  assert(blob.constructor === Blob && file.constructor === File);
  assertEq(`${blob.type} ${await blob.text()} ${file.name} ${file.lastModified} ${await file.text()}`, 'x/y abc n 1 d');
});

test('blob URLs', async () => {
  const url = URL.createObjectURL(new Blob(['hi'], { type: 'text/plain' }));
  assert(url.startsWith('blob:nodedata:'));
  assertEq(await resolveObjectURL(url).text(), 'hi');
  assertEq(resolveObjectURL(url).type, 'text/plain');
  URL.revokeObjectURL(url);
  assertEq(resolveObjectURL(url), undefined);
  assertEq(thrown(() => URL.createObjectURL(5), 'an error').code, 'ERR_INVALID_ARG_TYPE');
});
