/**
 * What the tombolo runtime has of its own: `tombolo:` modules, the global `tombolo`, its part of `WebAssembly`, of
 * `import.meta` and of `process.versions`, and `.wasm` files as modules.
 *
 * What it has in common with others is declared elsewhere: `"lib": ["ESNext", "WebWorker"]` (or `"DOM"`), which this
 * builds on, and `@types/node` for `node:` modules and `process`.
 */
/// <reference path="./marshal.d.ts" />
/// <reference path="./webassembly.d.ts" />
/// <reference path="./wasm-modules.d.ts" />

interface TomboloGuestMemory {
  /** Guest blocks since the process began: each view is one, and each block that `freeWhenFinalized` took over. */
  readonly blocks: { readonly allocated: number; readonly freed: number; readonly alive: number };
  /** Bytes of guest blocks: now, and the most so far. */
  readonly bytes: { readonly alive: number; readonly peak: number };
}

interface Tombolo {
  readonly version: string;
  /** The books of guest memory, of all agents of the process. */
  guestMemory(): TomboloGuestMemory;
  readonly [Symbol.toStringTag]: 'tombolo';
}

/** Only this runtime has it: `globalThis.tombolo` tells it from others. */
declare var tombolo: Tombolo;

interface ImportMeta {
  /** Whether this is the file that was named on the command line. */
  main: boolean;
  /** The folder of the file; undefined if the module is not a file. */
  dirname: string;
  /** The path of the file. */
  filename: string;
}

declare namespace NodeJS {
  interface ProcessVersions {
    readonly tombolo: string;
    readonly quickjs: string;
  }
}
