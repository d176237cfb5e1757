// A stack that is used up, in JavaScript, in a guest, in both at once: an exception that a script can catch, after
// which everything works on.
import { assert, assertEq, assertThrows, test } from '../harness.mjs';
import { demo, guest } from '../guests/load.mjs';
import { op, WasmBuilder } from '../wasm-builder.mjs';

const caught = (fn) => {
  let error;
  try {
    fn();
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof RangeError, `a RangeError, got ${error?.name}: ${error?.message}`);
  return error;
};
const works = () => {
  const depth = (n) => (n === 0 ? 0 : 1 + depth(n - 1));
  assertEq(depth(1000), 1000);
  assertEq(demo().exports.divide(9, 3), 3);
};

test('in JavaScript, three times in a row', () => {
  const forever = () => forever() + 1;
  for (let i = 0; i < 3; i++) {
    caught(forever);
    works();
  }
});

test('in a guest, three times in a row', () => {
  const { exports } = demo();
  for (let i = 0; i < 3; i++) {
    assertEq(caught(() => exports.recurse(0)).message, 'Maximum call stack size exceeded');
    assertEq(exports.divide(9, 3), 3);
    works();
  }
});

test('in mutual recursion through a guest and an import, three times in a row', () => {
  const { ping } = guest('callback', { host: { callback: (n) => ping(n + 2) } });
  for (let i = 0; i < 3; i++) {
    caught(() => ping(1));
    works();
  }
});

test('in mutual recursion of two guests', () => {
  const first = guest('callback', { host: { callback: (n) => second.ping(n + 2) } });
  const second = guest('callback', { host: { callback: (n) => first.ping(n + 2) } });
  for (let i = 0; i < 3; i++) {
    caught(() => first.ping(1));
    works();
  }
});

test('in functions of two guests that import each other’s exports without JavaScript between', () => {
  const build = () => {
    const b = new WasmBuilder();
    const next = b.importFunc('host', 'next', ['i32'], ['i32']);
    b.func(['i32'], ['i32'], [op.localGet(0), op.call(next), op.i32(1), op.i32Add], { export: 'f' });
    return b;
  };
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
  const b = new WasmBuilder();
  b.importTable('host', 'table', { min: 1 });
  const type = b.type(['i32'], ['i32']);
  b.func(['i32'], ['i32'], [op.localGet(0), op.i32(0), op.callIndirect(type)], { export: 'f' });
  const first = b.instance({ host: { table } }).exports.f;
  const second = build().instance({ host: { next: first } }).exports.f;
  table.set(0, second);
  for (let i = 0; i < 3; i++) {
    caught(() => first(1));
    works();
  }
});

test('caught at the bottom, in a callback, and the recursion goes on upwards', () => {
  let reached = 0;
  const { ping } = guest('callback', {
    host: {
      callback(n) {
        try {
          return ping(n + 2);
        } catch (error) {
          reached += error instanceof RangeError ? 1 : 0;
          return 1;
        }
      },
    },
  });
  for (let i = 0; i < 3; i++) {
    reached = 0;
    assert(ping(1) > 10);
    assert(reached >= 1);
  }
  works();
});

test('with a finally at every level', () => {
  let depth = 0;
  let unwound = 0;
  const { ping } = guest('callback', {
    host: {
      callback(n) {
        depth += 1;
        try {
          return ping(n + 2);
        } finally {
          unwound += 1;
        }
      },
    },
  });
  caught(() => ping(1));
  assertEq(unwound, depth);
  works();
});

test('in a start function', () => {
  const b = new WasmBuilder();
  b.func([], [], [op.call(0)]);
  b.start(0);
  const module = b.module();
  for (let i = 0; i < 3; i++) caught(() => new WebAssembly.Instance(module));
  works();
});

test('in a getter, a Proxy, a toString, JSON, a regular expression, a sort', () => {
  const attempts = {
    getter() {
      const o = {
        get x() {
          return this.x;
        },
      };
      return o.x;
    },
    proxy() {
      const p = new Proxy({}, { get: (t, k, r) => r[k] });
      return p.x;
    },
    toString() {
      const o = { toString: () => `${o}` };
      return `${o}`;
    },
    json() {
      let o = {};
      for (let i = 0; i < 1_000_000; i++) o = { o };
      return JSON.stringify(o);
    },
    sort() {
      const sort = () => [2, 1].sort(sort);
      return sort();
    },
    apply() {
      const f = (...a) => f.apply(null, a);
      return f();
    },
    constructor() {
      class A {
        constructor() {
          return new A();
        }
      }
      return new A();
    },
    generator() {
      function* g() {
        yield* g();
      }
      return [...g()];
    },
    valueOf() {
      const o = { valueOf: () => +o };
      return +o;
    },
    reduce() {
      const f = () => [1, 2].reduce(f);
      return f();
    },
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    let error;
    try {
      attempt();
    } catch (thrown) {
      error = thrown;
    }
    assert(
      error === undefined || error instanceof RangeError || error.name === 'InternalError',
      `${name}: ${error?.name}: ${error?.message}`,
    );
  }
  works();
});

test('after a deep recursion in a promise’s reaction', async () => {
  const forever = () => forever() + 1;
  for (let i = 0; i < 3; i++) {
    let error;
    await Promise.resolve()
      .then(forever)
      .catch((thrown) => {
        error = thrown;
      });
    assert(error instanceof RangeError, `${error?.name}`);
  }
  works();
});

test('a guest that is entered when little of JavaScript’s stack is left', () => {
  const { exports } = demo();
  let good = 0;
  const descend = () => {
    try {
      if (exports.divide(6, 3) === 2) good += 1;
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
    descend();
  };
  for (let i = 0; i < 3; i++) caught(descend);
  assert(good > 100);
  const recurse = () => {
    try {
      exports.recurse(0);
    } catch (error) {
      assert(error instanceof RangeError, String(error));
    }
  };
  let levels = 0;
  const deep = () => {
    levels += 1;
    if (levels % 200 === 0) recurse();
    deep();
  };
  caught(deep);
  works();
});

test('the message is the same everywhere', () => {
  const { exports } = demo();
  assertEq(
    caught(() => {
      const f = () => f() + 1;
      f();
    }).message,
    caught(() => exports.recurse(0)).message,
  );
  assertThrows(
    RangeError,
    () => {
      const f = () => f() + 1;
      f();
    },
    /Maximum call stack size exceeded/,
  );
});
