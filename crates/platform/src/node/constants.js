// node:constants: those of node:os, node:fs and node:crypto together.
const { dlopen, errno, priority, signals } = /** @type {any} */ (require('os')).constants ?? {};
Object.assign(exports, dlopen, errno, priority, signals, /** @type {any} */ (require('fs')).constants);
const { constants } = /** @type {any} */ (require('crypto'));
Object.assign(exports, constants);
