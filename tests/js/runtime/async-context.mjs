// AsyncLocalStorage: what a call was started with is there wherever the work goes on.
import { test, assert } from '../harness.mjs';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { readFile } from 'node:fs';
import * as promises from 'node:fs/promises';
import vm from 'node:vm';

const here = new URL(import.meta.url);
const storage = new AsyncLocalStorage();
const now = () => storage.getStore();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Runs two calls at once, each with its own store, and returns what they saw. */
const both = (call) => Promise.all(['one', 'two'].map((store) => storage.run(store, call, store)));

test('an await keeps the store, whatever is awaited and however it ends', async () => {
  const opened = Promise.withResolvers();
  const seen = both(async (store) => {
    const list = [now()];
    const note = () => list.push(now());
    await null;
    note();
    await sleep(store === 'one' ? 4 : 2);
    note();
    await Promise.reject(new Error('no')).catch(note);
    try {
      await Promise.reject(new Error('no'));
    } catch {
      note();
    }
    try {
      await sleep(1).then(() => { throw new Error('no'); });
    } catch {
      note();
    }
    await opened.promise;
    note();
    await promises.readFile(here);
    note();
    await Promise.all([sleep(1), sleep(2)]).finally(note);
    note();
    return list;
  });
  // Somebody else opens what both wait for.
  setTimeout(() => storage.run('other', opened.resolve), 20);
  assert(now() === undefined);
  for (const [index, list] of (await seen).entries()) {
    assert(list.length === 10 && list.every((store) => store === ['one', 'two'][index]), list.join());
  }
  assert(now() === undefined);
});

test('the then of what is awaited has the store, too', async () => {
  const seen = await both(async () => {
    const query = { then(resolve) { resolve(now()); } };
    await sleep(1);
    return [await query, await Promise.resolve(query), now()];
  });
  assert(seen[0].join() === 'one,one,one' && seen[1].join() === 'two,two,two', seen.join(' '));
  const thrown = await storage.run('x', async () => {
    try {
      return await { then() { throw new Error(now()); } };
    } catch (error) {
      return error.message + now();
    }
  });
  assert(thrown === 'xx', thrown);
});

test('async generators and methods keep it as well', async () => {
  class Counter {
    async* [Symbol.asyncIterator]() {
      yield now();
      await sleep(1);
      yield now();
    }
    async read() {
      await sleep(1);
      return now();
    }
  }
  const seen = await both(async () => {
    const list = [];
    for await (const store of new Counter()) {
      await sleep(1);
      list.push(store, now());
    }
    return [...list, await new Counter().read()];
  });
  assert(seen[0].join() === 'one,one,one,one,one' && seen[1].join() === 'two,two,two,two,two', seen.join(' '));
});

test('enterWith lasts for the function that called it, and for what that starts', async () => {
  const call = async (store) => {
    storage.enterWith(store);
    await sleep(1);
    const inner = await (async () => {
      await null;
      return now();
    })();
    return inner === store && now() === store;
  };
  const results = await storage.run('outside', () => Promise.all([call('a'), call('b'), call('c')]));
  assert(results.every(Boolean));
  assert(now() === undefined);
});

test('callbacks of timers, ticks, microtasks and files have the store of their caller', async () => {
  const asked = [
    (done) => setTimeout(done, 1), (done) => setImmediate(done), (done) => queueMicrotask(done),
    (done) => process.nextTick(done), (done) => readFile(here, done),
    (done) => void Promise.resolve().then(done),
  ];
  for (const [index, ask] of asked.entries()) {
    const inside = new Promise((resolve) => storage.run(index, ask, () => resolve(now())));
    const outside = new Promise((resolve) => ask(() => resolve(now())));
    assert(await inside === index, `${index}`);
    assert(await outside === undefined, `${index}`);
  }
});

test('a resource keeps the store in which it was made, and exit leaves it', async () => {
  const resource = storage.run('made', () => new AsyncResource('test'));
  const seen = await storage.run('called', () => resource.runInAsyncScope(async () => {
    await sleep(1);
    return now();
  }));
  assert(seen === 'made');
  const left = await storage.run('called', () => storage.exit(async () => {
    await sleep(1);
    return now();
  }));
  assert(left === undefined);
});

test('a script in another context keeps it, too', async () => {
  const context = vm.createContext({ storage, sleep });
  const seen = await both(() => vm.runInContext(`(async () => {
    await sleep(1);
    return storage.getStore();
  })()`, context));
  assert(seen.join() === 'one,two');
});

test('an error in a function is the same with a store', async () => {
  const fails = async () => {
    await null;
    throw new TypeError('mine');
  };
  const error = await storage.run('x', () => fails().catch((thrown) => thrown));
  assert(error instanceof TypeError && error.message === 'mine');
  const stop = async () => {
    try {
      await sleep(1);
      return 'returned';
    } finally {
      assert(now() === 'y');
    }
  };
  assert(await storage.run('y', stop) === 'returned');
});
