// Prints what Node offers: a line for each built-in module with the names of its exports, and a line for each global
// with the attributes of its property (w, e and c as in the harness; `get` and `set` for accessors). `node-names.txt` is
// what Node 26 prints.
import { builtinModules } from 'node:module';

const lines = [];
for (const name of builtinModules) {
  if (name.startsWith('_') || name === 'tombolo:marshal') continue;
  const specifier = name.includes(':') ? name : `node:${name}`;
  lines.push(`${specifier} ${Object.keys(await import(specifier)).sort().join(' ')}`);
}
for (const key of Reflect.ownKeys(globalThis)) {
  if (typeof key === 'symbol') continue;
  const found = Reflect.getOwnPropertyDescriptor(globalThis, key);
  // What is made when it is first read is an accessor until then.
  if (found.get) void globalThis[key];
  const { writable, enumerable, configurable, get, set } = Reflect.getOwnPropertyDescriptor(globalThis, key);
  const kind = get ? ` get${set ? ' set' : ''}` : '';
  lines.push(`global ${key} ${writable ? 'w' : ''}${enumerable ? 'e' : ''}${configurable ? 'c' : ''}${kind}`);
}
console.log(lines.sort().join('\n'));
