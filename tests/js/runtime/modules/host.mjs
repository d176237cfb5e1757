// What counter.wasm imports.
export const log = [];
export function started(value) { log.push(`started ${value}`); }
export const offset = 100;
log.push('host.mjs');
