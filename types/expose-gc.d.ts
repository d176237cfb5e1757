/**
 * `gc()`, which `--expose-gc` gives to scripts. This is a file of its own because `@types/node` declares a global of
 * this name, too: take one of them.
 */

/** Collects cycles now. An object that is in no cycle goes by itself, with its last reference. */
declare var gc: (() => void) | undefined;
