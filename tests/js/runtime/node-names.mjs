// What Node 26 offers by name: the exports of its modules, and its globals. `tests/js/node-names.mjs` prints both.
import { readFileSync } from 'node:fs';
import { assertEq, assertList, onV8, test } from '../harness.mjs';

// Modules and globals that are not there yet, or lack names.
const modulesToCome = new Set([
  'node:constants', // names of OpenSSL's that node:crypto has no use for
  'node:process', // names that Node's own library uses
]);
// Globals that Node has and we do not: V8's, and storage of pages.
const absent = new Set(['Intl', 'Temporal', 'localStorage', 'sessionStorage', 'Storage']);

const modules = new Map();
const globals = new Map();
for (const line of readFileSync(new URL('../node-names.txt', import.meta.url), 'utf8').trim().split('\n')) {
  const [head, name, ...rest] = line.split(' ');
  if (head === 'global') globals.set(name, rest.join(' '));
  else modules.set(head, [name, ...rest]);
}

test('the list has modules and globals', () => {
  assertEq(modules.size > 50 && globals.size > 100, true);
});

for (const [name, exported] of modules) {
  const why = modulesToCome.has(name) && !onV8 ? 'to come' : undefined;
  if (why !== undefined) continue;
  test(`the exports of ${name}`, async () => {
    const names = new Set(Object.keys(await import(name)));
    assertList(exported.filter((one) => one !== 'module.exports' && !names.has(one)), []);
  });
}

test('the globals and their attributes', () => {
  const different = [];
  for (const [name, attributes] of globals) {
    if (!onV8 && absent.has(name)) continue;
    const found = Reflect.getOwnPropertyDescriptor(globalThis, name);
    if (found === undefined) {
      different.push(name);
      continue;
    }
    // Node makes some when they are read, as we make all of them: only what can be told from outside counts.
    const flags = attributes.split(' ')[0];
    const enumerable = flags.includes('e');
    if (found.enumerable !== enumerable) different.push(`${name} ${enumerable ? 'is' : 'is not'} enumerable`);
    if (found.configurable !== flags.includes('c')) different.push(`${name}: configurable`);
  }
  assertList(different, []);
});
