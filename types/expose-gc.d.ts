/**
 * `gc()`, which `--expose-gc` gives to scripts. A file of its own, for `@types/node` declares a global of this name too:
 * take one of them.
 */

/** Collects cycles now. What is in no cycle goes by itself, when its last reference does. */
declare var gc: (() => void) | undefined;
