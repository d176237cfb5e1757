// What lives and what goes: collection of instances, closures, externrefs, exceptions and objects of guests; what must
// stay because a script can tell. Wants `gc()`; without one (Node: --expose-gc) nothing is registered.
import { assert, assertEq, assertList, assertThrowsValue, test } from '../harness.mjs';
import { WasmBuilder, op, ref } from '../wasm-builder.mjs';

const { Exception, Global, JSTag, Memory, Table, Tag } = WebAssembly;

/** Lets the runtime clear what WeakRefs kept for the running job, and collects, until nothing more can be expected. */
async function collect() {
  for (let i = 0; i < 4; i++) {
    await (globalThis.setTimeout ? new Promise((resolve) => setTimeout(resolve, 0)) : undefined);
    globalThis.gc();
  }
}

/** What `make` returns, a list of objects or one, by WeakRefs; made in a frame of its own. */
const weakly = (make) => [make()].flat().map((object) => new WeakRef(object));

async function assertDies(make, why) {
  const refs = weakly(make);
  await collect();
  refs.forEach((weak, at) => assert(weak.deref() === undefined, `${why ?? 'object'} ${at} is alive`));
}

/** Everything a module can have in one: see the names of its exports. */
function everything() {
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['externref'], ['externref']);
  const js = b.importTag('m', 'js', ['externref']);
  b.table({ element: 'externref', min: 4 }, { export: 'externs' });
  b.table({ min: 4 }, { export: 'functions' });
  b.table({ element: 'exnref', min: 4 });
  b.table({ element: 'anyref', min: 4 }, { export: 'anys' });
  b.memory({ min: 1 }, { export: 'memory' });
  b.global('externref', op.refNull('externref'), { mutable: true, export: 'extern' });
  b.global('funcref', op.refNull('funcref'), { mutable: true, export: 'function' });
  b.global('anyref', op.refNull('anyref'), { mutable: true, export: 'any' });
  const box = b.structType(['externref', 'anyref']);
  const tag = b.tag(['externref'], { export: 'tag' });
  b.func(['externref'], ['externref'], [op.localGet(0), op.call(f)], { export: 'calls' });
  b.func(['externref'], [], [op.localGet(0), op.throw(tag)], { export: 'throws' });
  b.func(['externref'], [], [op.localGet(0), op.throw(js)], { export: 'throwsValue' });
  b.func(['externref'], [ref(box)], [op.localGet(0), op.refNull('anyref'), op.structNew(box)], { export: 'box' });
  b.func([ref(box), 'anyref'], [], [op.localGet(0), op.localGet(1), op.structSet(box, 1)], { export: 'setBox' });
  b.func([ref(box)], ['externref'], [op.localGet(0), op.structGet(box, 0)], { export: 'unbox' });
  b.func(['externref'], [], [
    op.i32(0), op.block('exnref'), op.tryTable('void', { depth: 0, ref: true }), op.localGet(0), op.call(f), op.drop, op.end,
    op.unreachable, op.end, op.tableSet(2),
  ], { export: 'keeps' });
  b.func([], [], [op.i32(0), op.tableGet(2), op.throwRef], { export: 'again' });
  return b.module();
}
const EVERYTHING = everything();
const make = (f = (value) => value) => new WebAssembly.Instance(EVERYTHING, { m: { f, js: JSTag } });

const gcTest = (name, fn, options) => { if (globalThis.gc) test(name, fn, options); };

gcTest('an instance with nothing around it', () => assertDies(() => {
  const instance = make();
  return [instance, instance.exports, instance.exports.calls, instance.exports.memory, instance.exports.tag];
}));

gcTest('an instance and the closure that it imports', () => assertDies(() => {
  const holder = {};
  const f = (value) => { holder.instance.exports.box(value); return holder; };
  holder.instance = make(f);
  holder.instance.exports.calls({});
  return [holder, f, holder.instance];
}));

for (const [name, tie] of Object.entries({
  'a global of externref': (exports, holder) => { exports.extern.value = holder; },
  'a global of anyref': (exports, holder) => { exports.any.value = holder; },
  'a global of a function': (exports, holder) => { exports.function.value = exports.calls; exports.calls.holder = holder; },
  'a table of externref': (exports, holder) => { exports.externs.set(1, holder); exports.externs.grow(2, holder); },
  'a table of anyref': (exports, holder) => exports.anys.set(1, holder),
  'a table of functions': (exports, holder) => {
    exports.functions.set(0, exports.calls);
    exports.functions.get(0).holder = holder;
  },
  'own properties of exports': (exports, holder) => { exports.memory.holder = holder; exports.tag.holder = holder; },
  'a struct that only the guest has': (exports, holder) => { exports.any.value = exports.box(holder); },
  'a struct that a script has': (exports, holder) => { holder.struct = exports.box(holder); },
  'an exception that a script has': (exports, holder) => {
    try { exports.throws(holder); } catch (error) { holder.error = error; error.holder = holder; }
  },
  'an exception that only the guest has': (exports, holder) => exports.keeps(holder),
  'a value that was thrown': (exports, holder) => { try { exports.throwsValue(holder); } catch { /* Thrown by us. */ } },
  'the memory\'s buffer': (exports, holder) => { holder.buffer = exports.memory.buffer; holder.buffer.holder = holder; },
})) {
  gcTest(`a cycle through ${name}`, () => assertDies(() => {
    const holder = {};
    holder.instance = make((value) => { throw Object.assign(value, { holder }); });
    tie(holder.instance.exports, holder);
    return [holder, holder.instance, holder.instance.exports.calls];
  }, name));
}

gcTest('two instances in a cycle of closures, across islands', () => assertDies(() => {
  const [first, second] = [{}, {}];
  first.instance = make((value) => second.instance.exports.calls(value));
  second.instance = make((value) => (first.instance ? value : null));
  first.instance.exports.functions.set(0, second.instance.exports.calls);
  second.instance.exports.functions.set(0, first.instance.exports.calls);
  first.instance.exports.function.value = second.instance.exports.box;
  first.instance.exports.calls({});
  return [first.instance, second.instance];
}));

gcTest('tables and globals of scripts that hold an instance that imports them', () => assertDies(() => {
  const table = new Table({ element: 'externref', initial: 2 });
  const global = new Global({ value: 'externref', mutable: true });
  const b = new WasmBuilder();
  b.importTable('m', 't', { element: 'externref', min: 1 });
  b.importGlobal('m', 'g', 'externref', true);
  const instance = b.instance({ m: { t: table, g: global } });
  table.set(0, instance);
  global.value = table;
  return [table, global, instance];
}));

gcTest('an unbound table and global that hold themselves', () => assertDies(() => {
  const table = new Table({ element: 'externref', initial: 1 });
  const global = new Global({ value: 'externref', mutable: true });
  table.set(0, global);
  global.value = table;
  return [table, global];
}));

gcTest('an Exception of a script that holds itself', () => assertDies(() => {
  const tag = new Tag({ parameters: ['externref'] });
  const holder = {};
  holder.exception = new Exception(tag, [holder]);
  tag.holder = holder;
  return [holder, holder.exception, tag];
}));

gcTest('an Exception that went through an instance', () => assertDies(() => {
  const tag = new Tag({ parameters: ['externref'] });
  const holder = {};
  const exception = new Exception(tag, [holder]);
  holder.exception = exception;
  const { calls } = make(() => { throw exception; }).exports;
  try { calls(null); } catch (error) { assertEq(error, exception); }
  return [holder, exception, tag];
}));

gcTest('arguments and results that a living instance has let go of', async () => {
  const { calls, box, throws, throwsValue, tag, extern, externs } = make().exports;
  const refs = weakly(() => {
    const objects = [];
    const fresh = () => { const object = {}; objects.push(object); return object; };
    for (let i = 0; i < 20; i++) {
      calls(fresh());
      box(fresh());
      extern.value = fresh();
      externs.set(0, fresh());
      try { throwsValue(fresh()); } catch { /* Thrown by us. */ }
      try { throws(fresh()); } catch (error) { assert(error.is(tag)); }
    }
    extern.value = null;
    externs.set(0, null);
    return objects;
  });
  // Enough crossings to make the guest's own collector run.
  for (let i = 0; i < 20_000; i++) calls({});
  for (let i = 0; i < 200; i++) { try { throws(null); } catch { /* Thrown by us. */ } }
  await collect();
  for (let i = 0; i < 20_000; i++) calls({});
  await collect();
  const alive = refs.filter((weak) => weak.deref() !== undefined).length;
  assertEq(alive, 0, 'alive');
});

gcTest('an exported function that is a WeakMap\'s key lives as long as its instance', async () => {
  const instance = make();
  const map = new WeakMap();
  const mark = () => {
    map.set(instance.exports.calls, 'calls');
    map.set(instance.exports.memory, 'memory');
    map.set(instance.exports.tag, 'tag');
    map.set(instance.exports.externs, 'table');
    map.set(instance.exports.extern, 'global');
    instance.exports.functions.set(2, instance.exports.box);
    map.set(instance.exports.functions.get(2), 'box');
  };
  mark();
  await collect();
  const marks = { calls: 'calls', memory: 'memory', tag: 'tag', externs: 'table', extern: 'global' };
  for (const [name, value] of Object.entries(marks)) {
    assertEq(map.get(instance.exports[name]), value);
  }
  assertEq(map.get(instance.exports.functions.get(2)), 'box');
  assertEq(map.get(instance.exports.box), 'box');
});

gcTest('a function that only a guest keeps has its properties when it comes back', async () => {
  const taker = make();
  (() => {
    const { calls } = make((value) => [value]).exports;
    calls.mark = 'own';
    taker.exports.functions.set(0, calls);
    taker.exports.function.value = calls;
  })();
  await collect();
  assertEq(taker.exports.functions.get(0).mark, 'own');
  assertEq(taker.exports.function.value, taker.exports.functions.get(0));
  assertEq(taker.exports.function.value(5)[0], 5);
});

gcTest('an object that only a guest keeps has its properties when it comes back', async () => {
  const { externs, any, extern, keeps, again } = make((value) => { throw value; }).exports;
  (() => {
    externs.set(0, { mark: 1 });
    any.value = { mark: 2 };
    extern.value = Object.assign(() => {}, { mark: 3 });
    keeps({ mark: 4 });
  })();
  await collect();
  assertList([externs.get(0).mark, any.value.mark, extern.value.mark], [1, 2, 3]);
  let thrown;
  try { again(); } catch (error) { thrown = error; }
  assertEq(thrown.mark, 4);
});

gcTest('a struct that only a guest keeps, as a key of a WeakMap', async () => {
  const { any, box } = make().exports;
  const map = new WeakMap();
  (() => {
    const object = box({});
    any.value = object;
    map.set(object, 'mark');
  })();
  await collect();
  assertEq(map.get(any.value), 'mark');
});

gcTest('a memory whose object is dropped comes back as the same', async () => {
  const b = new WasmBuilder();
  b.importMemory('m', 'memory', { min: 1 });
  b.export('memory', 'memory', 0);
  let weak;
  const instance = (() => {
    const memory = new Memory({ initial: 1 });
    memory.mark = 'own';
    weak = new WeakRef(memory);
    return b.instance({ m: { memory } });
  })();
  await collect();
  const { memory } = instance.exports;
  assertEq(memory.mark, 'own');
  assertEq(weak.deref(), memory);
});

gcTest('an imported memory, table, global and tag that are not exported by their instance', async () => {
  const first = new WasmBuilder();
  first.importMemory('m', 'memory', { min: 1 });
  first.importTable('m', 'table', { min: 1 });
  first.importGlobal('m', 'global', 'i32', true);
  first.importTag('m', 'tag');
  first.export('memory', 'memory', 0).export('table', 'table', 0).export('global', 'global', 0).export('tag', 'tag', 0);
  const instance = (() => {
    const imports = {
      memory: new Memory({ initial: 1 }), table: new Table({ element: 'anyfunc', initial: 1 }),
      global: new Global({ value: 'i32', mutable: true }, 5), tag: new Tag({ parameters: [] }),
    };
    for (const [name, object] of Object.entries(imports)) object.mark = name;
    return first.instance({ m: imports });
  })();
  await collect();
  for (const name of ['memory', 'table', 'global', 'tag']) assertEq(instance.exports[name].mark, name);
});

gcTest('a buffer outlives its instance and its memory', async () => {
  const refs = [];
  const view = (() => {
    const instance = make();
    refs.push(new WeakRef(instance), new WeakRef(instance.exports.memory));
    const bytes = new Uint8Array(instance.exports.memory.buffer);
    bytes[65535] = 7;
    return bytes;
  })();
  await collect();
  assertEq(view.length, 65536);
  assertEq(view[65535], 7);
  view[0] = 1;
  assertEq(view[0], 1);
  return refs;
});

gcTest('a buffer does not keep its instance', async () => {
  const refs = [];
  const view = (() => {
    const instance = make();
    refs.push(new WeakRef(instance), new WeakRef(instance.exports.calls));
    return new Uint8Array(instance.exports.memory.buffer);
  })();
  await collect();
  assertEq(refs.filter((weak) => weak.deref() !== undefined).length, 0);
  assertEq(view.length, 65536);
});

gcTest('each export alone keeps its instance working', async () => {
  const parts = ['calls', 'box', 'throws', 'tag', 'memory', 'externs', 'functions', 'extern'];
  const kept = parts.map((name) => make((value) => ({ value })).exports[name]);
  await collect();
  const [calls, box, throws, tag, memory, externs, functions, extern] = kept;
  assertEq(calls(3).value, 3);
  assertEq(typeof box(1), 'object');
  let thrown;
  try { throws('text'); } catch (error) { thrown = error; }
  assert(thrown instanceof Exception);
  assertEq(thrown.is(tag), false);
  assertEq(memory.grow(1), 1);
  externs.set(0, externs);
  assertEq(externs.get(0), externs);
  functions.set(0, calls);
  assertEq(functions.get(0), calls);
  extern.value = extern;
  assertEq(extern.value, extern);
});

gcTest('an exception or a struct alone keeps what it needs', async () => {
  const [thrown, tag] = (() => {
    const { throws, tag } = make().exports;
    try { throws({ mark: 1 }); } catch (error) { return [error, tag]; }
    return [];
  })();
  const [struct, unbox] = (() => {
    const { box, unbox } = make().exports;
    return [box({ mark: 2 }), unbox];
  })();
  await collect();
  assertEq(thrown.getArg(tag, 0).mark, 1);
  assertEq(unbox(struct).mark, 2);
});

gcTest('what FinalizationRegistries hear, and exceptions that their callbacks throw', async () => {
  const heard = [];
  const registry = new FinalizationRegistry((value) => { heard.push(value); });
  (() => {
    const instance = make();
    const { tag, throws, box } = instance.exports;
    registry.register(instance, 'instance');
    registry.register(instance.exports, 'exports');
    registry.register(tag, 'tag');
    registry.register(box(1), 'struct');
    try { throws(1); } catch (error) { registry.register(error, 'exception'); }
  })();
  await collect();
  await collect();
  assertList(heard.sort(), ['exception', 'exports', 'instance', 'struct', 'tag']);
});

gcTest('collection inside every callback', () => {
  const tag = new Tag({ parameters: ['externref', 'i32'] });
  const b = new WasmBuilder();
  const f = b.importFunc('m', 'f', ['externref', 'anyref'], ['externref', 'anyref']);
  const imported = b.importTag('m', 'tag', ['externref', 'i32']);
  const results = b.type([], ['externref', 'i32']);
  const struct = b.structType(['i32']);
  b.func(['externref'], ['externref', 'i32'], [
    op.block(results), op.tryTable('void', { tag: imported, depth: 0 }),
    op.localGet(0), op.i32(3), op.structNew(struct), op.call(f), op.drop, op.i32(1), op.throw(imported), op.end,
    op.unreachable, op.end,
  ], { export: 'run' });
  const throwing = { valueOf() { globalThis.gc(); return 5; } };
  let mode = 0;
  const { run } = b.instance({
    m: {
      tag,
      f(value, struct) {
        globalThis.gc();
        mode += 1;
        if (mode % 3 === 0) throw new Exception(tag, [{ from: 'exception' }, throwing]);
        if (mode % 3 === 1) {
          return {
            *[Symbol.iterator]() {
              globalThis.gc();
              yield { from: 'result', struct };
              globalThis.gc();
              yield {};
              globalThis.gc();
            },
          };
        }
        return [value, struct];
      },
    },
  }).exports;
  const seen = new Set();
  for (let i = 0; i < 30; i++) {
    const [value, number] = run({ from: 'argument' });
    seen.add(`${value.from} ${number}`);
  }
  assertList([...seen].sort(), ['argument 1', 'exception 5', 'result 1']);
});

gcTest('500 islands that hold exceptions of each other', async () => {
  const refs = weakly(() => {
    const tag = new Tag({ parameters: ['externref'] });
    let exception = new Exception(tag, [{}]);
    const instances = [];
    for (let i = 0; i < 500; i++) {
      const current = exception;
      const instance = make(() => { throw current; });
      instance.exports.keeps(instance);
      try { instance.exports.throws(current); } catch (error) { exception = error; }
      assertThrowsValue(current, () => instance.exports.again());
      instances.push(instance);
    }
    return instances;
  });
  await collect();
  assertEq(refs.filter((weak) => weak.deref() !== undefined).length, 0);
});

test('listing the names of exports makes no functions that differ', () => {
  const { exports } = make();
  assertList(Object.keys(exports).slice(0, 2), ['externs', 'functions']);
  assertEq(JSON.stringify(Object.keys(exports)), JSON.stringify(Reflect.ownKeys(exports)));
  assertEq(Object.getOwnPropertyDescriptor(exports, 'calls').value, exports.calls);
  assertEq({ ...exports }.calls, exports.calls);
  assertEq(Object.values(exports).indexOf(exports.calls) >= 0, true);
});
