// Runs a program by tombolo:marshal. Arguments: as for node-wasi.mjs.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Wasi } from 'tombolo:marshal';

const [file, name, root, env, ...args] = process.argv.slice(2);
const wasi = new Wasi(JSON.parse(env), { args: [name, ...args], preopens: root === '' ? {} : { '/': root } });
const module = new WebAssembly.Module(readFileSync(file));
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports() });
try {
  instance.exports._start();
} catch (error) {
  if (error.code !== 'ERR_WASI_EXIT') throw error;
  process.exitCode = error.exitCode;
}
