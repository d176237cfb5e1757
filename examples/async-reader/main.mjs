// A C parser that asks for its next block of input, and waits while JavaScript reads it from a stream. Nothing in the C
// source knows of promises: `csv_parse` calls `read` as it would call any function.
//
//     tombolo examples/async-reader/main.mjs [FILE]
import { createReadStream, readFileSync } from 'node:fs';
import { header } from 'tombolo:marshal';

const here = (name) => new URL(name, import.meta.url);
const module = new WebAssembly.Module(readFileSync(here('csv.wasm')));
const instance = new WebAssembly.Instance(module, {});

// The header says nothing about promises either, so it is said beside it: `read` may return one, and so does a call of
// `csv_parse` then.
const { csv_parse } = header(instance, `${import.meta.dirname}/csv.h`, {
  declarations: `
    typedef long (*csv_read)(void *context, unsigned char *buffer [[view, length(size)]], size_t size);
    typedef void (*csv_row)(void *context, int fields, const char *text [[length(length)]], size_t length);
    long csv_parse(csv_read read [[async]], csv_row row, void *context) [[async]];
  `,
});

/** Copies from a stream what fits, as C wants it. */
function reader(stream) {
  const blocks = stream[Symbol.asyncIterator]();
  let rest = new Uint8Array();
  return async (context, buffer, size) => {
    if (rest.length === 0) rest = (await blocks.next()).value ?? rest;
    const count = Math.min(rest.length, size);
    buffer.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    return count;
  };
}

const file = process.argv[2] ?? here('towns.csv');
const rows = [];
const count = await csv_parse(reader(createReadStream(file)), (context, fields, text) => rows.push(text.split('\0', fields)), null);
console.log(count, 'rows');
for (const row of rows) console.log(row.join(' | '));
