import assert from 'node:assert/strict';
import asc from 'assemblyscript/asc';

const source = `
export function sum(n: i32): i64 {
  let total: i64 = 0;
  for (let i = 0; i < n; ++i) total += i * i;
  return total;
}
`;
const files = new Map();
const { error, stderr } = await asc.main(['input.ts', '--outFile', 'out.wasm', '-O', '--runtime', 'stub'], {
  readFile: (name) => name === 'input.ts' ? source : null,
  writeFile: (name, contents) => { files.set(name, contents); },
  listFiles: () => [],
});
assert.equal(error, null, stderr.toString());
const { instance } = await WebAssembly.instantiate(files.get('out.wasm'));
assert.equal(instance.exports.sum(1000), 332833500n);

const failed = await asc.main(['bad.ts', '--outFile', 'bad.wasm'], {
  readFile: (name) => name === 'bad.ts' ? 'export function f(): i32 { return "text" }' : null,
  writeFile: () => {},
  listFiles: () => [],
});
assert.notEqual(failed.error, null);
assert.match(failed.stderr.toString(), /Type .* is not assignable to type 'i32'/);
console.log('ok');
