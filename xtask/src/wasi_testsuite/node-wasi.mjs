// Runs a program by node:wasi. Arguments: the file, its name, the folder that it sees as / (or nothing), the
// environment as JSON, and the program's own arguments.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { WASI } from 'node:wasi';

const [file, name, root, env, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: 'preview1', args: [name, ...args], env: JSON.parse(env), preopens: root === '' ? {} : { '/': root },
});
const module = new WebAssembly.Module(readFileSync(file));
process.exitCode = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
