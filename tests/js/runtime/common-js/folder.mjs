// A folder of files for one test script, which is gone when the script ends.
import { createRequire } from 'node:module';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const folder = realpathSync(mkdtempSync(join(tmpdir(), 'tombolo-modules-')));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Writes files, by their paths in the folder; what is no text is written as JSON. */
export function write(files) {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const isBytes = typeof content === 'string' || ArrayBuffer.isView(content);
    writeFileSync(path, isBytes ? content : JSON.stringify(content));
  }
}

export const path = (name) => join(folder, name);
export const url = (name) => pathToFileURL(path(name)).href;
export const require = createRequire(join(folder, 'test.mjs'));
export const load = (name) => import(url(name));
