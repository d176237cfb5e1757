// The program of `tombolo bind`: see bind.rs for its arguments.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import process from 'node:process';
import { header, typings } from 'tombolo:marshal';

const [, , headerFile, moduleFile, output, format, ...flags] = process.argv;
const include = flags.filter((flag) => flag[0] === 'I').map((flag) => flag.slice(1));
const define = {};
for (const flag of flags.filter((flag) => flag[0] === 'D')) {
  const at = flag.indexOf('=');
  define[at < 0 ? flag.slice(1) : flag.slice(1, at)] = at < 0 ? '1' : flag.slice(at + 1);
}

/** An instance whose imports do nothing: it is looked at, not run. */
function instanceOf(module) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    switch (kind) {
      case 'function':
        imports[from][name] = () => 0;
        break;
      case 'memory':
        imports[from][name] = memoryFor();
        break;
      case 'table':
        imports[from][name] = new WebAssembly.Table({ element: 'anyfunc', initial: 10000 });
        break;
      default:
        imports[from][name] = globalFor(name);
    }
  }
  return new WebAssembly.Instance(module, imports);
}

function memoryFor() {
  return new WebAssembly.Memory({ initial: 1024, maximum: 65536 });
}

function globalFor(name) {
  // The stack pointer and where things lie, as a dynamic linker would set them.
  return new WebAssembly.Global({ value: 'i32', mutable: name === '__stack_pointer' }, 1 << 20);
}

/** Rows as columns. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, column) =>
    column === row.length - 1 ? cell : cell.padEnd(widths[column])).join('  ').trimEnd()).join('\n');
}

function print(report) {
  const rows = [];
  for (const name of report.functions) rows.push(['function', name, 'bound', '']);
  for (const name of report.variables) rows.push(['variable', name, 'bound', '']);
  for (const { kind, name, file, line, column, reason } of report.skipped) {
    const place = file.startsWith(`${process.cwd()}/`) ? relative(process.cwd(), file) : file;
    rows.push([kind, name || '–', 'left out', `${place && `${place}:`}${line}:${column}: ${reason}`]);
  }
  if (rows.length > 0) console.log(table(rows));
  const missed = report.skipped.filter(({ kind }) => kind === 'function').length;
  console.log(`\n${report.functions.length} functions bound, ${missed} left out; ${report.variables.length} variables, ` +
    `${report.constants.length} constants`);
}

/** The ES module's text. */
function script(folder) {
  const url = (file) => JSON.stringify(`./${relative(folder, resolve(file))}`);
  const options = { include: include.map((name) => `./${relative(folder, resolve(name))}/`), define };
  return `// Binds ${basename(headerFile)} to ${basename(moduleFile)}. Made by \`tombolo bind\`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { header, Wasi } from 'tombolo:marshal';

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Binds the library to an instance of its module. */
export function bind(instance, options = {}) {
  const { include = [], define = {}, ...others } = options;
  return header(instance, path(${url(headerFile)}), {
    include: [...${JSON.stringify(options.include)}.map(path), ...include],
    define: { ...${JSON.stringify(options.define)}, ...define },
    ...others,
  });
}

/** Instantiates the module, with \`imports\` besides those of WASI, and binds the library. */
export async function load(imports = {}, options = {}) {
  const wasi = new Wasi({});
  const bytes = readFileSync(path(${url(moduleFile)}));
  const { instance } = await WebAssembly.instantiate(bytes, { ...wasi.imports(), ...imports });
  wasi.init(instance);
  return bind(wasi, options);
}
`;
}

try {
  const module = new WebAssembly.Module(readFileSync(moduleFile));
  const options = { include, define };
  const library = header(instanceOf(module), resolve(headerFile), options);
  const names = Object.getOwnPropertyNames(library);
  const own = names.filter((name) => !['types', 'memoryManager', 'variables', 'skipped'].includes(name));
  const report = {
    functions: own.filter((name) => typeof library[name] === 'function'),
    variables: Object.keys(library.variables),
    constants: own.filter((name) => typeof library[name] !== 'function'),
    skipped: library.skipped,
  };
  if (format === 'json') console.log(JSON.stringify(report));
  else print(report);
  if (output) {
    if (!output.endsWith('.mjs')) throw new Error(`the output is an ES module: name it *.mjs, not ${basename(output)}`);
    writeFileSync(output, script(dirname(resolve(output))));
    const types = typings(resolve(headerFile), { ...options, only: [...own, ...report.variables] });
    writeFileSync(output.replace(/\.mjs$/, '.d.mts'), types);
  }
} catch (error) {
  console.error(`tombolo bind: ${error.message}`);
  process.exitCode = 1;
}
