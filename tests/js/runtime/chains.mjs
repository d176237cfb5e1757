// Chains as deep as a script likes, of everything that is followed natively: walked, or refused with a RangeError; and
// let go of again. Each in the main agent and in a worker, whose stack is another. Takes long: 100,000 links of
// everything, twice.
import { Worker } from 'node:worker_threads';
import { assert, test } from '../harness.mjs';

const DEPTH = 100_000;

/** Calls `use`; a RangeError is as good as an end. */
const orRangeError = (use) => {
  try { use(); } catch (error) { if (!(error instanceof RangeError)) throw error; }
};

const chains = {
  'iterator helpers over iterator helpers': (repeat) => {
    for (const step of [(it) => it.map((x) => x), (it) => it.filter(Boolean), (it) => it.take(5), (it) => it.drop(0), (it) => it.flatMap((x) => [x])]) {
      const end = (use) => orRangeError(() => use(repeat([1, 2].values(), step)));
      end((it) => it.next());
      end((it) => it.return());
      end((it) => [...it]);
    }
  },
  'iterators from iterators': (repeat) => {
    const endless = { next: () => ({ done: false }) };
    orRangeError(() => repeat(endless, (it) => Iterator.from({ next: () => it.next() })).next());
    orRangeError(() => repeat(endless, (it) => Iterator.from(it).take(1)).next());
  },
  'bound functions': (repeat) => {
    const bound = repeat(() => 1, (f) => {
      Object.defineProperty(f, 'name', { value: '' });
      return f.bind(null);
    });
    orRangeError(() => bound());
    orRangeError(() => ({}) instanceof bound);
  },
  'prototypes': (repeat) => {
    const object = repeat({ found: 1 }, Object.create);
    if (object.found !== 1 || 'missing' in object) throw new Error('not found');
  },
  'proxies': (repeat) => {
    const proxy = repeat(function () {}, (target) => new Proxy(target, {}));
    const { getPrototypeOf, keys, isExtensible } = Object;
    for (const use of [() => proxy(), () => new proxy(), () => proxy.name, () => delete proxy.x, () => { proxy.x = 1; },
      () => getPrototypeOf(proxy), () => keys(proxy), () => isExtensible(proxy), () => Array.isArray(proxy),
      () => proxy instanceof Function, () => JSON.stringify([proxy])]) orRangeError(use);
  },
  'generators': (repeat) => {
    function* delegate(inner) { yield* inner; }
    orRangeError(() => repeat([1].values(), delegate).next());
  },
  'classes': (repeat) => {
    const Last = repeat(class {}, (Base) => class extends Base {});
    orRangeError(() => new Last());
  },
  'arrays and objects, as data': (repeat) => {
    for (const nested of [repeat([], (inner) => [inner]), repeat({}, (inner) => ({ inner })), repeat(new Map(), (inner) => new Map([[inner, inner]])),
      repeat(new Error('first'), (cause) => new Error('next', { cause }))]) {
      orRangeError(() => JSON.stringify(nested));
      orRangeError(() => `${nested}`);
      structuredClone(nested);
    }
    orRangeError(() => repeat([], (inner) => [inner]).flat(Infinity));
    for (const text of [`${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}`, `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`]) orRangeError(() => JSON.parse(text));
  },
  'what holds weakly': (repeat) => {
    repeat({}, (value) => {
      const key = {};
      new WeakMap([[key, value]]);
      return new WeakMap([[{}, key], [value, key]]) && key;
    });
    repeat({}, (held) => {
      const registry = new FinalizationRegistry(() => {});
      registry.register({}, held);
      return registry;
    });
  },
  'promises and closures': (repeat) => {
    repeat(Promise.resolve(), (promise) => promise.then(() => {}));
    repeat(new Promise(() => {}), (inner) => new Promise((resolve) => { resolve(inner); }));
    repeat(() => 1, (inner) => () => inner);
  },
  'conversions': (repeat) => {
    orRangeError(() => `${repeat({ toString: () => '' }, (inner) => ({ toString: () => `${inner}` }))}`);
  },
};

const repeat = (first, step) => {
  let last = first;
  for (let i = 0; i < DEPTH; i += 1) last = step(last);
  return last;
};

for (const [name, run] of Object.entries(chains)) {
  test(`${name}: in the main agent`, () => {
    run(repeat);
    gc();
  });
  test(`${name}: in a worker`, async () => {
    const source = `const DEPTH = ${DEPTH}; const orRangeError = ${orRangeError}; (${run})(${repeat}); gc();`;
    const code = await new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true });
      worker.on('error', reject);
      worker.on('exit', resolve);
    });
    assert(code === 0, `it ended with ${code}`);
  });
}
