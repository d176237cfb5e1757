// node:zlib: all formats at once, by callback and as streams; errors as in Node 26.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { assert, assertEq, test, thrown } from '../harness.mjs';

const text = 'the quick brown fox '.repeat(5000);
const pairs = [
  ['deflate', 'inflate'], ['gzip', 'gunzip'], ['deflateRaw', 'inflateRaw'], ['deflate', 'unzip'], ['gzip', 'unzip'],
  ['brotliCompress', 'brotliDecompress'], ['zstdCompress', 'zstdDecompress'],
];

test('what is compressed comes back, at once and by callback', async () => {
  for (const [compress, decompress] of pairs) {
    const small = zlib[`${compress}Sync`](text);
    assert(small.length < 2000, compress);
    assertEq(zlib[`${decompress}Sync`](small).toString(), text, decompress);
    const later = await new Promise((resolve, reject) => {
      zlib[compress](text, (error, made) => (error ? reject(error) : zlib[decompress](made, (failed, back) =>
        (failed ? reject(failed) : resolve(back)))));
    });
    assertEq(later.toString(), text, compress);
    assertEq(zlib[`${decompress}Sync`](zlib[`${compress}Sync`]('')).length, 0);
  }
});

test('known bytes are read (RFC 1950 to 1952, 7932, 8878)', () => {
  const read = (name, hex) => zlib[name](Buffer.from(hex, 'hex')).toString();
  assertEq(read('inflateSync', '789c4b4c4a0600024d0127'), 'abc');
  assertEq(read('gunzipSync', '1f8b08000000000000034b4c4a0600c241243503000000'), 'abc');
  assertEq(read('inflateRawSync', '4b4c4a0600'), 'abc');
  assertEq(read('brotliDecompressSync', '0b018061626303'), 'abc');
  assertEq(read('zstdDecompressSync', '28b52ffd2003190000616263'), 'abc');
  assertEq(zlib.deflateSync('abc').toString('hex'), '789c4b4c4a0600024d0127');
});

test('streams, in small chunks', async () => {
  for (const [compress, decompress] of pairs) {
    const [first, second] = [compress, decompress].map((name) => zlib[`create${name[0].toUpperCase()}${name.slice(1)}`]());
    const chunks = [];
    const parts = [];
    for (let i = 0; i < text.length; i += 7777) parts.push(text.slice(i, i + 7777));
    await pipeline(Readable.from(parts), first, second, async (source) => {
      for await (const chunk of source) chunks.push(chunk);
    });
    assertEq(Buffer.concat(chunks).toString(), text, compress);
    assertEq(first.bytesWritten, text.length, compress);
  }
});

test('flush sends what has been written', async () => {
  const deflate = zlib.createDeflateRaw();
  const inflate = zlib.createInflateRaw();
  deflate.pipe(inflate);
  deflate.write('abc');
  await new Promise((resolve) => deflate.flush(resolve));
  const [chunk] = await new Promise((resolve) => inflate.once('data', (data) => resolve([data])));
  assertEq(chunk.toString(), 'abc');
  await new Promise((resolve) => deflate.params(9, zlib.constants.Z_DEFAULT_STRATEGY, resolve));
  deflate.end('def');
  let rest = '';
  for await (const data of inflate) rest += data;
  assertEq(rest, 'def');
});

test('gzip files can have several members and padding', () => {
  const [a, b] = [zlib.gzipSync('a'), zlib.gzipSync('b')];
  assertEq(zlib.gunzipSync(Buffer.concat([a, b])).toString(), 'ab');
  assertEq(zlib.gunzipSync(Buffer.concat([a, Buffer.alloc(5)])).toString(), 'a');
  assertEq(thrown(() => zlib.gunzipSync(Buffer.concat([a, Buffer.from('xyz')])), 'an error').code, 'Z_DATA_ERROR');
  assertEq(zlib.inflateSync(Buffer.concat([zlib.deflateSync('a'), Buffer.from('xyz')])).toString(), 'a');
});

test('errors have codes and numbers', async () => {
  const cases = [
    [() => zlib.inflateSync(Buffer.from('abc')), 'Z_DATA_ERROR', -3, 'incorrect header check'],
    [() => zlib.gunzipSync(Buffer.from('abc')), 'Z_DATA_ERROR', -3, 'incorrect header check'],
    [() => zlib.inflateSync(zlib.deflateSync('abc').subarray(0, 5)), 'Z_BUF_ERROR', -5, 'unexpected end of file'],
    [() => zlib.inflateSync(Buffer.alloc(0)), 'Z_BUF_ERROR', -5, 'unexpected end of file'],
    [() => zlib.brotliDecompressSync(Buffer.from('abc')), 'Z_BUF_ERROR', -5, 'unexpected end of file'],
    [() => zlib.zstdDecompressSync(Buffer.from('abcdefgh')), 'ZSTD_error_prefix_unknown', 10, 'Unknown frame descriptor'],
  ];
  for (const [fn, code, errno, message] of cases) {
    const error = thrown(fn, code);
    assertEq(`${error.code} ${error.errno} ${error.message}`, `${code} ${errno} ${message}`);
  }
  const gunzip = zlib.createGunzip();
  const error = await new Promise((resolve) => { gunzip.on('error', resolve); gunzip.end('abc'); });
  assertEq(error.code, 'Z_DATA_ERROR');
  assertEq(thrown(() => zlib.deflateSync(5), 'an error').message, 'The "buffer" argument must be of type string or an ' +
    'instance of Buffer, TypedArray, DataView, or ArrayBuffer. Received type number (5)');
  assertEq(thrown(() => zlib.deflateSync('a', { level: 10 }), 'an error').message,
    'The value of "options.level" is out of range. It must be >= -1 and <= 9. Received 10');
  assertEq(thrown(() => zlib.brotliCompressSync('a', { params: { 9999: 1 } }), 'an error').code,
    'ERR_BROTLI_INVALID_PARAM');
});

test('maxOutputLength stops a bomb', async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(1 << 24));
  const error = thrown(() => zlib.gunzipSync(bomb, { maxOutputLength: 1 << 16 }), 'an error');
  assertEq(`${error.code} ${error.message}`, 'ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 65536 bytes');
  const later = await new Promise((resolve) => zlib.gunzip(bomb, { maxOutputLength: 100 }, resolve));
  assertEq(later.code, 'ERR_BUFFER_TOO_LARGE');
});

test('dictionaries, finishFlush and parameters', () => {
  const dictionary = Buffer.from('abcdef');
  const small = zlib.deflateSync('abcdefabc', { dictionary });
  assertEq(zlib.inflateSync(small, { dictionary }).toString(), 'abcdefabc');
  assertEq(thrown(() => zlib.inflateSync(small), 'an error').message, 'Missing dictionary');
  assertEq(thrown(() => zlib.inflateSync(small, { dictionary: Buffer.from('x') }), 'an error').message, 'Bad dictionary');
  const raw = zlib.deflateRawSync('abcdefabc', { dictionary });
  assertEq(zlib.inflateRawSync(raw, { dictionary }).toString(), 'abcdefabc');
  assertEq(zlib.inflateSync(zlib.deflateSync('abc').subarray(0, 9), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString(),
    'abc');
  const { BROTLI_PARAM_QUALITY, ZSTD_c_compressionLevel } = zlib.constants;
  assertEq(zlib.brotliDecompressSync(zlib.brotliCompressSync(text, { params: { [BROTLI_PARAM_QUALITY]: 1 } })).length,
    text.length);
  assertEq(zlib.zstdDecompressSync(zlib.zstdCompressSync(text, { params: { [ZSTD_c_compressionLevel]: 9 } })).length,
    text.length);
  const { buffer, engine } = zlib.deflateSync('abc', { info: true });
  assertEq(`${buffer.length} ${engine.bytesWritten} ${engine.constructor.name}`, '11 3 Deflate');
});

test('crc32', () => {
  assertEq(zlib.crc32('123456789'), 0xcbf43926);
  assertEq(zlib.crc32(Buffer.from('c'), zlib.crc32('ab')), zlib.crc32('abc'));
  assertEq(thrown(() => zlib.crc32(5), 'an error').code, 'ERR_INVALID_ARG_TYPE');
});

test('CompressionStream and DecompressionStream', async () => {
  for (const format of ['deflate', 'deflate-raw', 'gzip']) {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream(format))
      .pipeThrough(new DecompressionStream(format));
    assertEq(await new Response(stream).text(), text, format);
  }
  const broken = new Blob(['abc']).stream().pipeThrough(new DecompressionStream('gzip'));
  const error = await new Response(broken).text().catch((caught) => caught);
  assert(error instanceof TypeError);
});

test('Brotli has a window of 24 bits, unless it is to be a large one', () => {
  const { BROTLI_PARAM_LGWIN: window } = zlib.constants;
  const [usual, most] = [24, 30].map((bits) => zlib.brotliCompressSync(text, { params: { [window]: bits } }));
  assert(usual.equals(most));
  assertEq(zlib.brotliDecompressSync(most).toString(), text);
});
