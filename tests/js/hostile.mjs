// Runs functions while all of the language is overwritten: every function of every intrinsic and of the WebAssembly
// namespace is an accessor that throws, and so are the names that Tombolo uses, on `Object.prototype`, and indices on
// `Array.prototype`. What runs meanwhile must not iterate, call methods or use template literals.
const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, deleteProperty } = Reflect;
const ErrorClass = Error;

const NAMES = [
  'get', 'set', 'value', 'writable', 'enumerable', 'configurable', 'done', 'return', 'contents', 'MANGLED_NAME', 'message', 'stack', 'code',
  'exitCode', 'cause', 'maxByteLength', 'name', 'kind', 'module', 'instance', 'type', 'async', 'buffer', 'blocks', 'bytes', 'alive', 'peak',
  'allocated', 'freed', 'memoryManager', 'functionRegistry', 'FunctionRegistry', 'Marshaller', 'function', 'default', 'raw', 'argument', 'field',
  'until', 'length', 'prototype', 'parameters', 'results', 'minimum', 'maximum', 'shared', 'address', 'element', 'mutable', 'index', 'ports',
  'data', 'input', 'close', 'env', 'text', 'types',
];

const intrinsics = new Set();
const visit = (value) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || intrinsics.has(value)) return;
  intrinsics.add(value);
  visit(getPrototypeOf(value));
  for (const key of ownKeys(value)) {
    const { value: part, get, set } = getOwnPropertyDescriptor(value, key);
    visit(part);
    visit(get);
    visit(set);
  }
};
for (const name of ownKeys(globalThis)) {
  const { value } = getOwnPropertyDescriptor(globalThis, name);
  // The platform's own are classes of scripts' making as far as this is concerned.
  if (!['process', 'console', 'global', 'globalThis', 'tombolo', 'gc'].includes(name)) visit(value);
}
for (const value of [
  [].values(), new Map().entries(), new Set().entries(), 'a'[Symbol.iterator](), 'a'.matchAll(/a/g), function* () {}, async function () {},
  async function* () {}, (function* () {})(), (async function* () {})(), Iterator.from({ next() {} }), [].values().map((x) => x),
]) visit(value);

// What was asked for; the list has no prototype that could be asked.
const asked = { __proto__: null, count: 0 };
const trap = (name) => () => {
  asked[asked.count++] = name;
  throw new ErrorClass('overwritten: ' + name);
};
const plan = [];
const add = (object, key, name) => {
  const before = getOwnPropertyDescriptor(object, key);
  if (before !== undefined && !before.configurable) return;
  const thrower = trap(name);
  if (before !== undefined) Object.setPrototypeOf(before, null);
  plan.push({ __proto__: null, object, key, before, after: { __proto__: null, get: thrower, set: thrower, configurable: true } });
};
for (const object of intrinsics) {
  for (const key of ownKeys(object)) {
    const { value, get, set } = getOwnPropertyDescriptor(object, key);
    if (get === undefined && set === undefined && typeof value !== 'function') continue;
    add(object, key, `${typeof object === 'function' ? object.name : object?.constructor?.name ?? ''} ${String(key)}`);
  }
}
for (const name of ownKeys(globalThis)) {
  if (intrinsics.has(globalThis[name]) && typeof globalThis[name] === 'function') add(globalThis, name, `globalThis.${String(name)}`);
}
for (const name of NAMES) if (!Object.hasOwn(Object.prototype, name)) add(Object.prototype, name, `Object.prototype.${name}`);
for (let i = 0; i < 10; i++) add(Array.prototype, `${i}`, `Array.prototype[${i}]`);
/** How many properties are overwritten. */
export const overwritten = plan.length;

/** Overwrites the language; what it returns puts it back, and throws where something was asked for. */
export function overwrite() {
  asked.count = 0;
  const { length } = plan;
  for (let i = 0; i < length; i++) defineProperty(plan[i].object, plan[i].key, plan[i].after);
  return () => {
    for (let i = 0; i < length; i++) {
      const { object, key, before } = plan[i];
      if (before === undefined) deleteProperty(object, key);
      else defineProperty(object, key, before);
    }
    if (asked.count > 0) throw new ErrorClass(`asked for ${Array.from({ length: asked.count }, (_, i) => asked[i]).join(', ')}`);
  };
}

/** What `body` returns or throws, called with the language overwritten. */
export function hostile(body) {
  const restore = overwrite();
  let thrown;
  let result;
  let failed = false;
  try {
    result = body();
  } catch (error) {
    failed = true;
    thrown = error;
  }
  restore();
  if (failed) throw thrown;
  return result;
}

/**
 * What `begin` gives to its first argument, or throws, or gives to its second, with the language overwritten until
 * then. It begins in a task of its own: `await` asks a promise for its `constructor`.
 */
export function hostileUntil(begin) {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      const restore = overwrite();
      let over = false;
      const end = (settle) => (value) => {
        if (over) return;
        over = true;
        try {
          restore();
          settle(value);
        } catch (error) {
          reject(error);
        }
      };
      try {
        begin(end(resolve), end(reject));
      } catch (error) {
        end(reject)(error);
      }
    });
  });
}
