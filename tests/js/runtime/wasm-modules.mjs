// WebAssembly as ES modules, after the ESM integration proposal. Small modules are written to a folder of their own.
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WasmBuilder, op, ref } from '../wasm-builder.mjs';
import { test, assert, assertEq, assertList, assertProperty, assertRejects, assertThrows, fail } from '../harness.mjs';
import { log } from './modules/host.mjs';
import eight, { increment, answer, count, 'a-b' as seven } from './modules/counter.wasm';
import * as counter from './modules/counter.wasm';
import * as handedOn from './modules/handed-on.mjs';
import { sixteen } from './modules/cycle.mjs';
import source counterSource from './modules/counter.wasm';

const { LinkError, RuntimeError, CompileError } = WebAssembly;
const folder = mkdtempSync(join(tmpdir(), 'tombolo-wasm-modules-'));
let files = 0;

/** Writes a file and returns its URL. */
function write(content, name = `${files++}.${typeof content === 'string' ? 'mjs' : 'wasm'}`) {
  const path = join(folder, name);
  writeFileSync(path, content instanceof WasmBuilder ? content.bytes() : content);
  return pathToFileURL(path).href;
}
const build = (fill) => {
  const builder = new WasmBuilder();
  fill(builder);
  return builder;
};
const load = (content) => import(write(content));
/** An error of this class, or of the same class in another realm of Node's loader. */
const rejected = (promise) => promise.then(() => fail('expected a rejection'), (error) => error);

test('exports are bindings by their names, whatever these are', () => {
  assertEq(seven(), 7);
  assertEq(eight(), 8);
  assertList(Object.keys(counter), ['a-b', 'answer', 'basename', 'count', 'default', 'increment', 'memory', 'nothing', 'offset', 'table']);
  assertEq(counter[Symbol.toStringTag], 'Module');
});

test('functions, memories and tables are the objects of the JavaScript API', () => {
  assertEq(typeof increment, 'function');
  assertEq(counter.increment, increment);
  assert(counter.memory instanceof WebAssembly.Memory);
  assertEq(counter.memory.buffer.byteLength, 65_536);
  assert(counter.table instanceof WebAssembly.Table);
  assertEq(counter.table.get(0), increment);
});

test('globals are unwrapped', () => {
  assertEq(answer, 42n);
  assertEq(counter.offset, 100);
  assertEq(counter.nothing, null);
  assertEq(typeof count, 'number');
});

test('imports are resolved as modules: relative, by imports of the package, built in', () => {
  assertEq(log.join(), 'host.mjs,started 5');
  assertEq(counter.basename('/a/b.c'), 'b.c');
});

test('a mutable global is a live binding', () => {
  const before = count;
  increment();
  assertEq(count, before + 1);
  assertEq(counter.count, before + 1);
  assertEq(handedOn.total, before + 1, 'through another module');
}, { v8: 'Node takes the value once' });

test('a live binding is up to date when the module calls out, and when it throws', async () => {
  const host = write('export let seen; export const hooks = {}; export function look() { hooks.look(); }');
  const { hooks } = await import(host);
  const module = await load(build((b) => {
    const look = b.importFunc(host, 'look');
    const global = b.global('i64', op.i64(1), { mutable: true, export: 'g' });
    b.func([], [], [op.i64(2), op.globalSet(global), op.call(look), op.i64(3), op.globalSet(global), op.unreachable], { export: 'f' });
  }));
  let seen;
  hooks.look = () => { seen = module.g; };
  assertThrows(RuntimeError, module.f);
  assertEq(seen, 2n);
  assertEq(module.g, 3n);
}, { v8: 'Node takes the value once' });

test('a mutable Global object of a script that is exported again is a live binding too', async () => {
  const host = write("export const global = new WebAssembly.Global({ value: 'externref', mutable: true }, 'one')");
  const { global } = await import(host);
  const module = await load(build((b) => b.export('g', 'global', b.importGlobal(host, 'global', 'externref', true))));
  assertEq(module.g, 'one');
  global.value = folder;
  assertEq(module.g, folder);
}, { v8: 'Node takes the value once' });

test('a global of type v128 is a binding without a value', async () => {
  const v128 = [0xfd, 0x0c, ...new Array(16).fill(1)];
  const module = await load(build((b) => {
    b.global('v128', v128, { export: 'v' });
    b.global('i32', op.i32(1), { export: 'w' });
  }));
  assertEq(module.w, 1);
  assertThrows(ReferenceError, () => module.v);
}, { v8: 'Node binds it to undefined' });

test('a global of type v128 can be imported', async () => {
  const v128 = [0xfd, 0x0c, ...new Array(16).fill(1)];
  const file = write(build((b) => b.global('v128', v128, { mutable: true, export: 'v' })));
  const importing = build((b) => {
    const global = b.importGlobal(file, 'v', 'v128', true);
    b.func([], ['i32'], [op.globalGet(global), 0xfd, 0x1b, 0], { export: 'lane' });
  });
  assertEq((await load(importing)).lane(), 0x01010101);
  const wrong = build((b) => b.importGlobal(file, 'v', 'i32'));
  assertEq((await rejected(load(wrong))).name, 'LinkError');
  const { v } = { __proto__: null, ...await import(write(`import * as all from ${JSON.stringify(file)}; export let v; try { v = all.v } catch (error) { v = error.name }`)) };
  assertEq(v, 'ReferenceError');
}, { v8: 'Node binds it to undefined' });

test('WebAssembly modules share globals and memories, also through JavaScript modules', async () => {
  const sharing = await import('./modules/sharing.wasm');
  assertEq(sharing.grow, increment);
  const value = counter.increment();
  assertList(sharing.read(), [value, value]);
  assertEq(sharing.answer(), 42n);
  sharing.set(1000);
  assertEq(counter.increment(), 1001);
  assertList([count, sharing.again, handedOn.total], [1001, 1001, 1001]);
}, { v8: 'Node sees exports of WebAssembly in direct imports alone' });

test('a module is instantiated once', async () => {
  assertEq(await import('./modules/counter.wasm'), counter);
  assertEq(log.filter((line) => line.startsWith('started')).length, 1);
  // A query makes it another module.
  const other = await import('./modules/counter.wasm?other');
  assert(other.memory !== counter.memory);
  assertEq(log.filter((line) => line.startsWith('started')).length, 2);
});

test('the instance stays', () => {
  globalThis.gc?.();
  const before = increment();
  globalThis.gc?.();
  assertEq(increment(), before + 1);
  assertEq(counter.memory.buffer.byteLength, 65_536);
});

test('hoisted functions of a module in a cycle can be imported', () => {
  assertEq(sixteen, 16);
});

test('a value of a module in a cycle that has not run yet is a ReferenceError', async () => {
  write(build((b) => b.importGlobal('./early.mjs', 'value', 'i32')), 'early.wasm');
  write("import './early.wasm'; export const value = 1;", 'early.mjs');
  const error = await rejected(import(pathToFileURL(join(folder, 'early.mjs')).href));
  assert(error instanceof ReferenceError, `${error}`);
  if (globalThis.tombolo) assertEq(/early\.wasm: import \.\/early\.mjs:value: it has no value yet/.test(error.message), true, error.message);
});

test('prepareStackTrace sees the values of bindings, also where an import has none yet', async () => {
  const exporting = write(build((b) => {
    b.global('i32', op.i32(5), { export: 'fixed' });
    b.global('i32', op.i32(6), { mutable: true, export: 'mutable' });
  }));
  const module = await import(exporting);
  write(build((b) => {
    b.importGlobal(exporting, 'fixed', 'i32');
    b.importGlobal('./traced.mjs', 'value', 'i32');
  }), 'traced.wasm');
  write("import './traced.wasm'; export const value = 1;", 'traced.mjs');
  const seen = [];
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = () => { seen.push(module.fixed, module.mutable); };
  let error;
  try {
    error = await rejected(import(pathToFileURL(join(folder, 'traced.mjs')).href));
  } finally {
    Error.prepareStackTrace = before;
  }
  assertEq(error.name, 'ReferenceError');
  assert(seen.length > 0);
  assertEq(seen.every((value) => value === 5 || value === 6), true, seen.map((value) => typeof value).join());
}, { v8: 'Node makes stacks when they are read' });

test('exports have no value before the instance is there', async () => {
  const host = write(`import * as m from './starting.wasm';
    export let seen;
    export function start() { try { seen = m.memory; } catch (error) { seen = error; } }`, 'starting.mjs');
  await import(write(build((b) => {
    b.importFunc('./starting.mjs', 'start');
    b.memory({ min: 1 }, { export: 'memory' });
    b.start(0);
  }), 'starting.wasm'));
  const { seen } = await import(host);
  assert(seen instanceof ReferenceError, `${seen}`);
}, { v8: 'Node binds them to undefined' });

test('dependencies are evaluated first, in the order of their imports', async () => {
  globalThis.order = [];
  write("globalThis.order.push('b')", 'order-b.mjs');
  write("globalThis.order.push('a'); export const f = () => globalThis.order.push('start')", 'order-a.mjs');
  write(build((b) => {
    b.importFunc('./order-a.mjs', 'f', [], []);
    b.start(0);
  }), 'order.wasm');
  await load("import './order-b.mjs'; import './order.wasm'; globalThis.order.push('end')");
  assertEq(globalThis.order.join(), 'b,a,start,end');
  delete globalThis.order;
});

test('an export that a module does not have is a SyntaxError', async () => {
  const wasm = write(build((b) => b.func([], [], [], { export: 'f' })));
  await assertRejects(SyntaxError, () => load(`import { nope } from ${JSON.stringify(wasm)}`), /nope/);
  await assertRejects(SyntaxError, () => load(`export { nope } from ${JSON.stringify(wasm)}`), /nope/);
});

test('an import that a module does not have is a SyntaxError', async () => {
  const host = write('export const one = 1');
  await assertRejects(SyntaxError, () => load(build((b) => b.importFunc(host, 'two'))), /two/);
}, { v8: 'Node gives instantiation an undefined value: a LinkError' });

test('an import of the wrong kind is a LinkError with the names of file and import', async () => {
  write('export const one = 1; export const f = () => {}', 'kinds.mjs');
  const cases = [
    [(b) => b.importFunc('./kinds.mjs', 'one'), /import \.\/kinds\.mjs:one: expected a function, got a number/],
    [(b) => b.importMemory('./kinds.mjs', 'f', { min: 1 }), /import \.\/kinds\.mjs:f: expected a WebAssembly\.Memory, got a function/],
    [(b) => b.importTable('./kinds.mjs', 'one', { min: 1 }), /import \.\/kinds\.mjs:one: expected a WebAssembly\.Table/],
    [(b) => b.importGlobal('./kinds.mjs', 'one', 'i32', true), /import \.\/kinds\.mjs:one: expected a mutable/],
    [(b) => b.importGlobal('./kinds.mjs', 'one', 'i64'), /import \.\/kinds\.mjs:one: expected a BigInt/],
  ];
  for (const [fill, message] of cases) {
    const error = await rejected(load(build(fill)));
    assertEq(Object.getPrototypeOf(error), LinkError.prototype);
    if (globalThis.tombolo) assert(message.test(error.message) && error.message.includes(`${folder}/`), error.message);
  }
});

test('reserved names are a LinkError, in both phases', async () => {
  const reserved = [
    (b) => b.importFunc('wasm-js:anything', 'f'),
    (b) => b.importFunc('./kinds.mjs', 'wasm:f'),
    (b) => b.importFunc('./kinds.mjs', 'wasm-js:f'),
    (b) => b.func([], [], [], { export: 'wasm:f' }),
    (b) => b.func([], [], [], { export: 'wasm-js:f' }),
  ];
  for (const fill of reserved) {
    const url = write(build(fill));
    await assertRejects(LinkError, () => import(url), /wasm/);
    await assertRejects(LinkError, () => import.source(url), /wasm/);
  }
});

test('bytes that are no module are a CompileError with the name of the file', async () => {
  const url = write(Uint8Array.of(0, 97, 115, 109, 2, 0, 0, 0), 'broken.wasm');
  const error = await rejected(import(url));
  assertEq(Object.getPrototypeOf(error), CompileError.prototype);
  if (globalThis.tombolo) assert(error.message.includes('broken.wasm'), error.message);
});

test('a start function that traps rejects the import, each time with the same error', async () => {
  const url = write(build((b) => b.start(b.func([], [], [op.unreachable]))));
  const first = await rejected(import(url));
  assertEq(Object.getPrototypeOf(first), RuntimeError.prototype);
  assertEq(await rejected(import(url)), first);
});

test('what a start function’s import throws is the error', async () => {
  const host = write("export function f() { throw globalThis; }");
  assertEq(await rejected(load(build((b) => b.start(b.importFunc(host, 'f'))))), globalThis);
});

test('packages, and files that are not there', async () => {
  mkdirSync(join(folder, 'node_modules/small'), { recursive: true });
  write('{ "exports": { ".": "./main.wasm", "./js": "./lib.mjs" } }', 'node_modules/small/package.json');
  write('export const three = () => 3', 'node_modules/small/lib.mjs');
  write(build((b) => b.export('three', 'function', b.importFunc('small/js', 'three', [], ['i32']))), 'node_modules/small/main.wasm');
  const { three } = await load("export * from 'small'");
  assertEq(three(), 3);
  const missing = await rejected(load(build((b) => b.importFunc('./not-there.mjs', 'f'))));
  assertEq(missing.code, 'ERR_MODULE_NOT_FOUND');
  assertEq((await rejected(load(build((b) => b.importFunc('not-there', 'f'))))).code, 'ERR_MODULE_NOT_FOUND');
});

test('names with quotes, backslashes and line ends', async () => {
  const names = ['"', '\\', '\n', '\u2028', 'é😀', '${x}', 'let', ' '];
  const module = await load(build((b) => names.forEach((name, i) => b.func([], ['i32'], [op.i32(i)], { export: name }))));
  names.forEach((name, i) => assertEq(module[name](), i, JSON.stringify(name)));
  assertEq(Object.keys(module).length, names.length);
});

test('an import attribute of another type is refused', async () => {
  const error = await rejected(import('./modules/counter.wasm', { with: { type: 'json' } }));
  assert(error instanceof TypeError || error instanceof SyntaxError, `${error}`);
});

test('the source phase gives the Module object, and instantiates nothing', async () => {
  assert(counterSource instanceof WebAssembly.Module);
  assertEq(await import.source('./modules/counter.wasm'), counterSource);
  const started = [];
  const imports = {
    './host.mjs': { started: (value) => started.push(value) }, '#host': { offset: -1 }, 'node:path': { basename: (text) => text },
  };
  const instance = new WebAssembly.Instance(counterSource, imports);
  assertList(started, [5]);
  assertEq(instance.exports.offset.value, -1);
  const url = write(build((b) => b.start(b.func([], [], [op.unreachable]))));
  assert(await import.source(url) instanceof WebAssembly.Module, 'nothing traps');
  assertEq(await import.source(url), await import.source(url));
});

test('import.source is no expression by itself, and its argument is one', async () => {
  write(new WasmBuilder(), 'empty.wasm');
  const wrong = [
    'import.source;', 'const f = import.source;', 'typeof import.source;', 'import.source = 1;', '(import.source)("./empty.wasm");',
    'new import.source("./empty.wasm");', 'new /* x */ import.source("./empty.wasm");',
    'import.source?.("./empty.wasm");', 'import.source`./empty.wasm`;', 'import.source();', 'import.source(...["./empty.wasm"]);',
    'import.source("./empty.wasm") = 1;', 'import.sourc\\u0065("./empty.wasm");', 'import.source.x;', 'import.source[0];',
  ];
  for (const text of wrong) {
    const error = await rejected(load(`${text}\nawait import.source("./empty.wasm");`));
    assertEq(error.name, 'SyntaxError', text);
  }
  const right = [
    'import.source("./empty.wasm")', 'import . source ( "./empty.wasm" )', 'import./* x */source\n("./empty.wasm")',
    'import.source(1 ? "./empty.wasm" : 0)', '(() => import.source("./empty.wasm"))()', '[import.source("./empty.wasm")][0]',
  ];
  for (const text of right) {
    const { it } = await load(`export const it = await ${text};`);
    assert(it instanceof WebAssembly.Module, text);
  }
  const { it } = await load('export const it = await new (import.source("./empty.wasm").constructor)((done) => done(3));');
  assertEq(it, 3);
});

test('modules inherit from AbstractModuleSource', () => {
  const AbstractModuleSource = Object.getPrototypeOf(WebAssembly.Module);
  assertEq(AbstractModuleSource.name, 'AbstractModuleSource');
  assertEq(AbstractModuleSource.length, 0);
  assertThrows(TypeError, () => new AbstractModuleSource());
  assertThrows(TypeError, () => AbstractModuleSource());
  const { prototype } = AbstractModuleSource;
  assertEq(Object.getPrototypeOf(WebAssembly.Module.prototype), prototype);
  assertEq(Object.getPrototypeOf(prototype), Object.prototype);
  const { get, set } = assertProperty(prototype, Symbol.toStringTag, 'c');
  assertEq(set, undefined);
  assertEq(get.name, 'get [Symbol.toStringTag]');
  assertEq(get.call(counterSource), 'WebAssembly.Module');
  for (const other of [{}, 5, undefined, counter, WebAssembly.Module.prototype]) assertEq(get.call(other), undefined);
});

test('namespaceInstance gives the instance behind a namespace', () => {
  assertProperty(WebAssembly, 'namespaceInstance', 'wec');
  const instance = WebAssembly.namespaceInstance(counter);
  assert(instance instanceof WebAssembly.Instance);
  assertEq(WebAssembly.namespaceInstance(counter), instance);
  assertEq(instance.exports.increment, increment);
  assertEq(instance.exports.count.value, count);
  instance.exports.count.value = -5;
  assertEq(count, -5);
  for (const other of [undefined, null, 5, {}, instance, handedOn, instance.exports]) {
    assertThrows(TypeError, () => WebAssembly.namespaceInstance(other));
  }
  assertThrows(TypeError, () => WebAssembly.namespaceInstance());
}, { v8: 'V8 does not have it' });

test('only WebAssembly has a source phase', async () => {
  await assertRejects(SyntaxError, () => import.source('./modules/host.mjs'), /[Ss]ource phase/);
  await assertRejects(SyntaxError, () => import.source('node:fs'), /[Ss]ource phase/);
  await assertRejects(SyntaxError, () => load(`import source m from ${JSON.stringify(write('export default 1'))}`), /[Ss]ource phase/);
  assertEq((await rejected(import.source('./not-there.wasm'))).code, 'ERR_MODULE_NOT_FOUND');
  const thrown = { toString() { throw thrown; } };
  assertEq(await rejected(import.source(thrown)), thrown);
});

test('import source stands wherever an import may', async () => {
  const url = JSON.stringify(write(build((b) => b.func([], [], [], { export: 'f' })), 'anywhere.wasm'));
  const isModule = (...names) => `export default [${names}].every((m) => m instanceof WebAssembly.Module)`;
  const texts = [
    `import source m from ${url}; ${isModule('m')}`,
    `import source from from ${url}; ${isModule('from')}`,
    `import source source from ${url}; ${isModule('source')}`,
    `import source a from ${url}; import source b from ${url}\nimport source c from ${url}; ${isModule('a', 'b', 'c')}`,
    `import\nsource\nm\nfrom\n${url}\n${isModule('m')}`,
    `/* import source x */ import /* 1 */ source /* import source */ m /**/ from /* " */ ${url}; ${isModule('m')}`,
    `// import source x from\nimport source // import source m\n m // from "x"\n from ${url}; ${isModule('m')}`,
    `const regex = /import source x from "/; const template = \`import source y from \${'import source z from'} \`; import source m from ${url}; ${isModule('m')}`,
    `const á = '😀'; /* ü */ import source m from ${url}; ${isModule('m')}`,
    `${isModule('m')}; { let y = 4 /2; y / 3 } import source m from ${url};`,
    `import { f } from ${url}; import source m from ${url}; f(); ${isModule('m')}`,
    `const m = await import.source(${url}), n = await import . /* c */ source (${url}); ${isModule('m', 'n')}`,
    `import source m from ${url}; const n = await import.source(${url}); export default m === n`,
  ];
  for (const text of texts) assertEq((await load(text)).default, true, text);
});

test('what looks like the source phase and is not stays as it is', async () => {
  const js = JSON.stringify(write('export default 5; export const from = 6'));
  const texts = [
    [`import source from ${js}; export default source`, 5],
    [`import { from as source } from ${js}; export default source`, 6],
    [`import source, { from } from ${js}; export default source + from`, 11],
    ["export default `import source m from './x.wasm'`", "import source m from './x.wasm'"],
    ['const source = (m) => m; /import source m/.test(""); export default source(4)', 4],
    ["export default 'import.source(1)' // import.source", 'import.source(1)'],
  ];
  for (const [text, value] of texts) assertEq((await load(text)).default, value, text);
  const wrong = [
    'import source m', 'import source m n from "./x.wasm"', 'import source { f } from "./x.wasm"', 'import source * as m from "./x.wasm"',
    'import source "./x.wasm"', 'foo(1 // import source\n m from "./x.wasm")', 'import source m from', 'import.sources("x")', 'import source m from x',
  ];
  for (const text of wrong) assertEq((await rejected(load(text))).name, 'SyntaxError', text);
});

test('import source does not depend on what a program does to Error', async () => {
  const url = JSON.stringify(write(new WasmBuilder()));
  const text = `import source m from ${url}; export default m instanceof WebAssembly.Module`;
  const own = (object, key) => [object, key, Object.getOwnPropertyDescriptor(object, key)];
  const before = [own(Error, 'stackTraceLimit'), own(Error, 'prepareStackTrace'), own(Error.prototype, 'stack'), own(SyntaxError.prototype, 'name')];
  let calls = 0;
  const count = () => { calls++; };
  const changes = [
    () => { Error.stackTraceLimit = 0; },
    () => { Error.prepareStackTrace = count; },
    () => { Error.prepareStackTrace = count; Error.stackTraceLimit = 0; },
    () => Object.defineProperty(Error, 'stackTraceLimit', { value: 0, configurable: true }),
    () => Object.defineProperty(Error.prototype, 'stack', { get: count, configurable: true }),
    () => Object.defineProperty(SyntaxError.prototype, 'name', { get: count, configurable: true }),
  ];
  const { stackTraceLimit, prepareStackTrace } = Error;
  for (const change of changes) {
    const file = write(text);
    let module;
    change();
    const [limit, prepare] = [Error.stackTraceLimit, Error.prepareStackTrace];
    try {
      module = await import(file).catch((error) => error);
      assertEq(calls, 0);
      assertEq(Error.stackTraceLimit, limit);
      assertEq(Error.prepareStackTrace, prepare);
    } finally {
      for (const [object, key, descriptor] of before) {
        if (descriptor === undefined) delete object[key];
        else Object.defineProperty(object, key, descriptor);
      }
      Object.assign(Error, { stackTraceLimit, prepareStackTrace });
    }
    assertEq(module.default, true, `${change}`);
  }
});

test('a later mistake in a text with a source phase import is reported where it is', async () => {
  const url = JSON.stringify(write(new WasmBuilder()));
  const error = await rejected(load(`import source m from ${url};\n\nlet x = ;`));
  assertEq(error.name, 'SyntaxError');
  if (globalThis.tombolo) assert(/:3:9/.test(error.stack), error.stack);
});

test('the builtins of strings and string constants need no module', async () => {
  const b = new WasmBuilder();
  const text = ref('extern');
  const length = b.importFunc('wasm:js-string', 'length', ['externref'], ['i32']);
  const concat = b.importFunc('wasm:js-string', 'concat', ['externref', 'externref'], [text]);
  const own = b.importFunc('./names.mjs', 'name', [], ['externref']);
  const greeting = b.importGlobal('wasm:js/string-constants', 'hällo ☺ ', text);
  b.export('greeting', 'global', greeting);
  b.func(['externref'], ['i32'], [op.localGet(0), op.call(length)], { export: 'length' });
  b.func([], [text], [op.globalGet(greeting), op.call(own), op.call(concat)], { export: 'greet' });
  writeFileSync(join(folder, 'names.mjs'), 'export const name = () => "world"');
  const { greet, length: count, greeting: constant } = await import(write(b));
  assertEq(constant, 'hällo ☺ ');
  assertEq(greet(), 'hällo ☺ world');
  assertEq(count('four'), 4);
});

test('the folder goes', () => rmSync(folder, { recursive: true }));
