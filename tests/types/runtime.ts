// The runtime's globals, `.wasm` modules, and what `WebAssembly` has beyond TypeScript's own declarations.
import type { Equal, Expect } from './expect';
import exported, { increment } from './counter.wasm';

// tombolo
const version: string = tombolo.version;
const { blocks, bytes } = tombolo.guestMemory();
const counts: number[] = [blocks.allocated, blocks.freed, blocks.alive, bytes.alive, bytes.peak];
const elsewhere: boolean = globalThis.tombolo === undefined;
// @ts-expect-error: it cannot be replaced
tombolo = { version, guestMemory: tombolo.guestMemory };
// @ts-expect-error: takes nothing
tombolo.guestMemory('all');
// @ts-expect-error: the books are read only
blocks.alive = 0;

// gc, which may not be there
gc?.();
// @ts-expect-error: only with --expose-gc
gc();
// @ts-expect-error: takes nothing
gc?.(true);

// import.meta
const isMain: boolean = import.meta.main;
type _meta = [
  Expect<Equal<ImportMeta['main'], boolean>>,
  Expect<Equal<ImportMeta['dirname'], string>>,
  Expect<Equal<ImportMeta['filename'], string>>,
];
const beside: URL = new URL(import.meta.resolve('./counter.wasm'), import.meta.url);

// process.versions, where @types/node gives it a global
type _versions = Expect<Equal<NodeJS.ProcessVersions['tombolo'], string>>;

// .wasm files
increment();
const anything: number = exported;
const later: Promise<number> = import('./counter.wasm').then(({ count }) => count);

// WebAssembly
const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
const { minimum, maximum, shared, address } = memory.type();
type _memory = Expect<Equal<typeof address, 'i32' | 'i64'>>;
const element: string = new WebAssembly.Table({ initial: 1, element: 'anyfunc' }).type().element;
const mutable: boolean = new WebAssembly.Global({ value: 'i64', mutable: true }, 1n).type().mutable;
const parameters: string[] = new WebAssembly.Tag({ parameters: ['i32'] }).type().parameters;
const half = new WebAssembly.Function({ parameters: ['i32'], results: ['f64'] }, (x: number) => x / 2);
const results: string[] = half.type().results;
const isHalf: boolean = half instanceof WebAssembly.Function;
new WebAssembly.Table({ initial: 1, element: 'anyfunc' }).set(0, half);
// @ts-expect-error: what the results are must be said
new WebAssembly.Function({ parameters: ['i32'] }, (x: number) => x);
// @ts-expect-error: that is no function
new WebAssembly.Function({ parameters: [], results: [] }, 'x');
// A plain function is still an import.
const instance = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array()), { host: { log() {} } });
const tag: WebAssembly.Tag = WebAssembly.JSTag;
const behind: WebAssembly.Instance = WebAssembly.namespaceInstance(await import('./counter.wasm'));
const imported = WebAssembly.Module.imports(new WebAssembly.Module(new Uint8Array())).map(({ type }) => type);

export { isMain, anything, behind, beside, counts, elsewhere, imported, instance, isHalf, later, maximum, minimum, mutable };
export { element, parameters, results, shared, tag };
export type { _memory, _meta, _versions };
