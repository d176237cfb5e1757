// FinalizationRegistry and WeakRef, by ECMA-262's text. Objects die here when their last reference goes, so that most
// of this needs no collection.
import { Worker } from 'node:worker_threads';
import { assert, assertEq, assertList, assertThrows, test } from '../harness.mjs';

/** A macrotask later, in which callbacks that were due have run. */
const later = async () => { for (let i = 0; i < 3; i += 1) await new Promise((resolve) => { setTimeout(resolve, 0); }); };

/** A registry, and what it was called with. */
function recorder() {
  const got = [];
  return { got, registry: new FinalizationRegistry((value) => { got.push(value); }) };
}

test('a callback comes after the job in which the target died, never inside one', async () => {
  const { got, registry } = recorder();
  registry.register({}, 'held');
  assertList(got, []);
  await undefined;
  assertList(got, [], 'a microtask is too early');
  await later();
  assertList(got, ['held']);
});

test('a target that is its own token dies: what wasm-bindgen writes', async () => {
  const { got, registry } = recorder();
  // In a function of its own: a variable of one that waits keeps its value.
  (() => {
    for (let i = 0; i < 10_000; i += 1) {
      const object = {};
      registry.register(object, i, object);
    }
  })();
  await later();
  assertEq(got.length, 10_000);
  assertEq(got.reduce((sum, value) => sum + value), 49_995_000);
});

test('a token is held weakly, whether or not it is the target', async () => {
  const { got, registry } = recorder();
  const target = {};
  const tokens = recorder();
  (() => {
    const token = {};
    tokens.registry.register(token, 'token');
    registry.register(target, 'target', token);
  })();
  await later();
  assertList(tokens.got, ['token']);
  assertList(got, []);
});

test('a token that has died is no other object’s, whatever address that gets', async () => {
  const { got, registry } = recorder();
  (() => {
    const targets = [];
    for (let i = 0; i < 1000; i += 1) {
      const target = {};
      targets.push(target);
      registry.register(target, i, {});
      assertEq(registry.unregister({}), false);
    }
  })();
  await later();
  assertEq(got.length, 1000);
});

test('unregister removes the cells of a token, once, and says whether there were any', async () => {
  const { got, registry } = recorder();
  const [token, other] = [{}, Symbol('other')];
  let targets = [{}, {}, {}];
  registry.register(targets[0], 0, token);
  registry.register(targets[1], 1, token);
  registry.register(targets[2], 2, other);
  assertEq(registry.unregister(token), true);
  assertEq(registry.unregister(token), false);
  assertEq(registry.unregister({}), false);
  targets = undefined;
  await later();
  assertList(got, [2]);
});

test('unregister cancels a callback whose target has died', async () => {
  const { got, registry } = recorder();
  const token = {};
  registry.register({}, 'dead', token);
  assertEq(registry.unregister(token), true);
  await later();
  assertList(got, []);
});

test('a callback may unregister its sibling, register more, and let others die', async () => {
  const got = [];
  const token = {};
  let last = {};
  const registry = new FinalizationRegistry((value) => {
    got.push(value);
    if (value !== 'first') return;
    registry.unregister(token);
    registry.register({}, 'new');
    last = undefined;
  });
  registry.register(last, 'last');
  registry.register({}, 'first');
  registry.register({}, 'sibling', token);
  await later();
  await later();
  assertList(got.sort(), ['first', 'last', 'new']);
});

test('an error in one callback is an uncaught exception, and the others are called', async () => {
  const [got, uncaught] = [[], []];
  const listener = (error) => uncaught.push(error.message);
  process.on('uncaughtException', listener);
  const registry = new FinalizationRegistry((value) => {
    if (value % 2) throw new Error(`${value}`);
    got.push(value);
  });
  for (let i = 0; i < 6; i += 1) registry.register({}, i);
  await later();
  process.off('uncaughtException', listener);
  assertList(got, [0, 2, 4]);
  assertList(uncaught, ['1', '3', '5']);
});

test('what a callback leaves to microtasks runs before the next callback', async () => {
  const got = [];
  const registry = new FinalizationRegistry((value) => {
    got.push(value);
    Promise.resolve().then(() => got.push(`after ${value}`));
  });
  registry.register({}, 1);
  registry.register({}, 2);
  await later();
  assertList(got, [1, 'after 1', 2, 'after 2']);
});

test('one target in several registries and cells', async () => {
  const recorders = [recorder(), recorder(), recorder()];
  (() => {
    const target = {};
    for (const { registry } of recorders) {
      registry.register(target, 'a');
      registry.register(target, 'b', target);
    }
  })();
  await later();
  for (const { got } of recorders) assertList(got, ['a', 'b']);
});

test('targets in circles die by a collection, which tells', async () => {
  const { got, registry } = recorder();
  (() => {
    const [a, b] = [{}, {}];
    a.b = b;
    b.a = a;
    registry.register(a, 'a', b);
    registry.register(b, 'b', a);
  })();
  await later();
  assertList(got, []);
  gc();
  await later();
  assertList(got.sort(), ['a', 'b']);
});

test('a registry goes with its cells: through held values, callbacks and targets that lead back to it', async () => {
  const ends = recorder();
  (() => {
    for (let i = 0; i < 100; i += 1) {
      const registry = new FinalizationRegistry(() => registry);
      const target = { registry };
      // A held value that leads to the target keeps it for as long as there is the registry, and no longer.
      registry.register(target, { registry, target });
      registry.register({}, { registry });
      ends.registry.register(registry, i);
    }
  })();
  gc();
  await later();
  assertEq(ends.got.length, 100);
});

test('a registry that is gone calls nobody, also where a callback was due', async () => {
  const got = [];
  (() => { new FinalizationRegistry((value) => got.push(value)).register({}, 'due'); })();
  await later();
  assertList(got, []);
});

test('symbols, other than those of Symbol.for, can be targets and tokens', async () => {
  const { got, registry } = recorder();
  registry.register(Symbol('target'), 'symbol');
  registry.register(Symbol.iterator, 'well-known', Symbol.asyncIterator);
  assertThrows(TypeError, () => registry.register(Symbol.for('registered'), 1));
  assertThrows(TypeError, () => registry.register({}, 1, Symbol.for('registered')));
  assertThrows(TypeError, () => registry.unregister(Symbol.for('registered')));
  await later();
  assertList(got, ['symbol']);
  assertEq(registry.unregister(Symbol.asyncIterator), true);
});

test('what cannot be held weakly is refused, and so is a target that would keep itself', () => {
  const { registry } = recorder();
  for (const value of [undefined, null, 1, 'text', true, 1n]) {
    assertThrows(TypeError, () => registry.register(value, 1));
    assertThrows(TypeError, () => registry.unregister(value));
    if (value !== undefined) assertThrows(TypeError, () => registry.register({}, 1, value));
    assertThrows(TypeError, () => new WeakRef(value));
  }
  const target = {};
  assertThrows(TypeError, () => registry.register(target, target));
  assertThrows(TypeError, () => FinalizationRegistry(() => {}));
  assertThrows(TypeError, () => new FinalizationRegistry({}));
  assertThrows(TypeError, () => registry.register.call({}, target, 1));
  assertEq(registry.register(target, 1), undefined);
});

test('subclasses, and a prototype of NewTarget', () => {
  class Sub extends FinalizationRegistry { twice() { return 2; } }
  const sub = new Sub(() => {});
  assertEq(sub.twice(), 2);
  assertEq(sub.register({}, 1), undefined);
  class Ref extends WeakRef {}
  const target = {};
  assertEq(new Ref(target).deref(), target);
  assert(new Ref(target) instanceof WeakRef);
  assertEq(WeakRef.prototype.constructor, WeakRef);
  assertEq(Object.prototype.toString.call(sub), '[object FinalizationRegistry]');
});

test('a WeakRef keeps its target to the end of the job, and no longer', async () => {
  const reference = (() => new WeakRef({ there: true }))();
  assertEq(reference.deref()?.there, true, 'in the job that made it');
  await undefined;
  assertEq(reference.deref()?.there, true, 'in its microtasks');
  await later();
  assertEq(reference.deref(), undefined);
});

test('deref keeps it as well', async () => {
  let target = { there: true };
  const reference = new WeakRef(target);
  await later();
  reference.deref();
  target = undefined;
  assertEq(reference.deref()?.there, true);
  await later();
  assertEq(reference.deref(), undefined);
});

test('workers have their own, and end in the middle of it', async () => {
  const run = (source) => new Promise((resolve, reject) => {
    const got = [];
    const worker = new Worker(source, { eval: true });
    worker.on('message', (value) => got.push(value));
    worker.on('error', reject);
    worker.on('exit', (code) => resolve([code, ...got]));
  });
  const begin = `const { parentPort } = require('node:worker_threads');
    globalThis.registry = new FinalizationRegistry((value) => parentPort.postMessage(value));
    for (let i = 0; i < 3; i += 1) registry.register({}, i);`;
  assertList(await run(begin), [0, 0, 1, 2]);
  assertList(await run(`${begin} process.exit(4);`), [4]);
  assertList(await run(`${begin} globalThis.kept = {}; registry.register(kept, 'kept');`), [0, 0, 1, 2], 'not at the end');
});

test('a long-lived target remembers no cells that are gone', async () => {
  const target = {};
  const { registry } = recorder();
  const resident = () => process.memoryUsage().rss;
  const round = () => {
    for (let i = 0; i < 100_000; i += 1) {
      const token = {};
      registry.register(target, i, token);
      registry.unregister(token);
    }
  };
  round();
  const before = resident();
  for (let i = 0; i < 5; i += 1) round();
  assert(resident() - before < 8 << 20, `${(resident() - before) >> 10} KiB more`);
});
