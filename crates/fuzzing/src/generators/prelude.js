import { builtinModules } from 'node:module';
import assert from 'node:assert';
import * as events from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import process from 'node:process';
import * as timersPromises from 'node:timers/promises';
import * as url from 'node:url';
import * as util from 'node:util';
import { WASI } from 'node:wasi';
import * as wt from 'node:worker_threads';
import * as marshal from 'tombolo:marshal';

// What a program needs itself, out of reach of what its lines do to the intrinsics.
const { imul, floor } = Math;
const { apply, construct, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
const { setTimeout: later_, gc: collect = () => {}, Promise: Promise_, Proxy: Proxy_, Set: Set_, Array: Array_, Object: Object_ } = globalThis;
const call = Function.prototype.call.bind(Function.prototype.call);
const { exit, on: listen } = process;
const { writeSync } = fs;
const includes = (list, value) => { for (let i = 0; i < list.length; i++) if (list[i] === value) return true; return false; };
const push = (list, value) => { Object.defineProperty(list, list.length, { value, writable: true, enumerable: true, configurable: true }); };

// Random numbers: one stream for the helpers, restarted by every line so that dropping one leaves the others as they
// were.
let state = CONFIG.seed | 1;
const restart = (line) => { state = imul(CONFIG.seed ^ imul(line + 1, 0x9e3779b1), 0x85ebca6b) | 1; };
const random = (end) => {
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  return (state >>> 0) % end;
};
const pick = (list) => list[random(list.length)];
const odds = (percent) => random(100) < percent;

// The last line of this file says what was going on when the process ended.
const log = fs.openSync('../trace', 'a');
let logged = 0;
const note = (text) => {
  if (logged++ < 20000) try { writeSync(log, `[${wt.threadId}] ${text}\n`); } catch {}
};

const hex = (text) => {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
};
const guest = (name) => fs.readFileSync(`../guests/${name}.wasm`);
const guests = ['callback', 'demo', 'growth', 'hello', 'shared', 'threads', 'values', 'vocabulary'];

// ---- Values --------------------------------------------------------------------------------------------------------

const big = [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53), 1e308, Infinity, -Infinity, 2 ** 31 - 1, -(2 ** 31), 1e6, 65536];
const small = [0, -0, 1, -1, 2, 3, 7, 8, 16, 100, 255, 256, 1000, 0.5, NaN, 1e-7];
const numbers = (few) => pick(few ? small : odds(40) ? big : small);
let few = false;
const strings = [
  '', 'a', '\0', '\ud800', 'x\udfff\ud800y', '__proto__', 'constructor', 'length', 'then', 'memory', 'i32', 'externref', '%s%d%o%j', '/*',
  'int f(int);', 'data:text/javascript,1', 'utf-16', 'ü€😀', '0', '-1', 'NaN', '9'.repeat(400), 'é'.repeat(70000), 'sub/file', 'wasm:js-string',
];
// Values that were made, by this program's lines and by what they called.
const pool = [];
const POOL = 300;
// Functions that end the process, or that could reach outside its folder.
const forbidden = new Set_();
const harmless = (value) => typeof value !== 'function' || !forbidden.has(value);
const keep = (value) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !harmless(value)) return value;
  if (value === fs || value === fs.default || value === fs.promises || value === process) return value;
  if (CONFIG.avoid) {
    try {
      if ((Array_.isArray(value) && value.length > 1e5) || (ArrayBuffer.isView(value) && value.byteLength > 1e7)) return value;
    } catch {}
  }
  if (pool.length < POOL) push(pool, value);
  else pool[random(POOL)] = value;
  return value;
};
const number = () => numbers(few || CONFIG.avoid && odds(60));
const text = () => pick(strings);
const any = () => {
  switch (random(14)) {
    case 0: case 1: return number();
    case 2: return text();
    case 3: return pick([undefined, null, true, false, 1n, -1n, 2n ** 64n, -(2n ** 63n), Symbol.iterator, Symbol('s'), document_]);
    case 4: return hostile();
    case 5: return fn();
    default: return pool.length === 0 ? number() : pick(pool);
  }
};
const document_ = Symbol.for('nodejs.util.inspect.custom');
/** A number of an object that gives it by way of a script. */
const lazily = (value) => {
  const give = () => { evil(); return typeof value === 'function' ? value() : value; };
  return pick([
    () => ({ valueOf: give }), () => ({ [Symbol.toPrimitive]: give }), () => ({ toString: give }),
    () => new Proxy_({}, { get: (_, key) => (key === Symbol.toPrimitive ? give : undefined) }),
  ])();
};
const fn = () => pick([
  () => function (...args) { evil(); return odds(50) ? args[0] : any(); },
  () => () => { evil(); throw odd(); },
  () => class extends pick([Object_, Array_, ArrayBuffer, Uint8Array, Error, Promise_, EventTarget]) { static get [Symbol.species]() { evil(); return fn(); } },
  () => async () => { evil(); return any(); },
  () => function* () { evil(); yield any(); yield any(); },
  () => (a) => a,
  () => function self(...args) { return self.apply(this, args); },
  () => { const f = () => { evil(); return 1; }; return f; },
])();
/** Anything that can be thrown. */
const odd = () => pick([
  () => null, () => undefined, () => 1, () => 'text', () => Symbol('thrown'), () => new Proxy_({}, {}),
  () => Object_.freeze(new Error('frozen')), () => new Proxy_(new Error('proxy'), handler()),
  () => Object_.defineProperty(new Error('stack'), 'stack', { get() { evil(); throw null; } }),
  () => Object_.defineProperty(new Error('message'), 'message', { get() { evil(); throw 1; } }),
  () => ({ get stack() { throw 1; }, get message() { throw 2; }, get name() { throw 3; }, toString() { throw 4; } }),
  () => { const e = new Error('cause'); e.cause = e; return e; }, () => new WebAssembly.RuntimeError('x'), () => fn(),
  () => { const { proxy, revoke } = Proxy_.revocable(new Error('revoked'), {}); revoke(); return proxy; },
  () => { let e = new Error('deep'); for (let i = 0; i < 20000; i++) e = { cause: e, __proto__: Error.prototype }; return e; },
])();
const handler = () => new Proxy_({}, {
  get: (_, trap) => (odds(15) ? undefined : (...args) => {
    evil();
    if (odds(10)) throw odd();
    if (trap === 'ownKeys') return odds(50) ? [] : [text(), Symbol.iterator];
    if (trap === 'get' && args[1] === 'length') return numbers(true);
    return odds(60) ? apply(Reflect[trap], undefined, args) : any();
  }),
});
const hostile = () => pick([
  () => new Proxy_({}, handler()), () => new Proxy_(() => {}, handler()), () => new Proxy_([], handler()),
  () => ({ get length() { evil(); return numbers(CONFIG.avoid); }, 0: any() }),
  () => ({ then(f) { evil(); f(any()); } }), () => ({ [Symbol.iterator]: function* () { for (let i = 0; i < 5; i++) { evil(); yield any(); } } }),
  () => lazily(number), () => lazily(() => odd()), () => new Proxy_(any_object(), handler()), () => Object_.create(null),
  () => ({ get initial() { evil(); return 1; }, get maximum() { evil(); return 3; }, get element() { evil(); return 'anyfunc'; }, get value() { evil(); return 'i32'; } }),
  () => { let deep = {}; for (let i = 0; i < 10000; i++) deep = { deep }; return deep; },
  () => { let deep = []; for (let i = 0; i < 10000; i++) deep = [deep]; return deep; },
  () => { const { proxy, revoke } = Proxy_.revocable(odds(50) ? {} : () => {}, {}); revoke(); return proxy; },
  () => { let chain = {}; for (let i = 0; i < 5000; i++) chain = Object_.create(chain); return chain; },
  () => { const ring = {}; ring.ring = ring; return ring; },
  () => { let p = {}; for (let i = 0; i < 5000; i++) p = new Proxy_(p, {}); return p; },
])();
const any_object = () => (pool.length === 0 ? {} : pick(pool));
const list = () => { const out = []; for (let n = random(5); n > 0; n--) push(out, any()); return out; };
/** The pool's values that a function takes for one of their own. */
const like = (test) => { const found = []; for (const one of pool) { try { if (test(one)) push(found, one); } catch {} } return found.length ? pick(found) : any(); };
const instanceOf = (constructor) => like((one) => one instanceof constructor);

// ---- What happens while something else does ------------------------------------------------------------------------

let fuel = 3000;
let nesting = 0;
const evil = () => {
  if (fuel-- <= 0 || nesting > 3 || odds(40)) return undefined;
  nesting++;
  try {
    return pick(acts)();
  } finally {
    nesting--;
  }
};
const quietly = (f) => { try { return keep(f()); } catch (error) { return keep(error); } };
const acts = [
  () => collect(), () => collect(),
  () => quietly(() => instanceOf(WebAssembly.Memory).grow(1)), () => quietly(() => instanceOf(WebAssembly.Table).grow(1, any())),
  () => quietly(() => instanceOf(ArrayBuffer).transfer()), () => quietly(() => { const b = instanceOf(ArrayBuffer); return structuredClone(b, { transfer: [b] }); }),
  () => quietly(() => instanceOf(ArrayBuffer).resize(number())), () => { throw odd(); },
  () => quietly(() => step()), () => quietly(() => step()), () => quietly(() => step()),
  () => quietly(() => instanceOf(wt.MessagePort).close()), () => quietly(() => instanceOf(wt.MessagePort).postMessage(any(), odds(50) ? [any_object()] : [])),
  () => quietly(() => wt.receiveMessageOnPort(instanceOf(wt.MessagePort))),
  () => quietly(() => instanceOf(wt.Worker).terminate()), () => quietly(() => any_object()[Symbol.dispose]()),
  () => quietly(() => Object_.setPrototypeOf(any_object(), any())), () => quietly(() => { const o = any_object(); return delete o[pick(ownKeys(o))]; }),
  () => quietly(() => { const o = any_object(); o[pick(ownKeys(o))] = any(); }),
  () => quietly(() => Object_.freeze(any_object())), () => brim(() => step()), () => { pool.length = random(pool.length + 1); collect(); },
  () => quietly(() => { const o = like((one) => one instanceof WebAssembly.Instance).exports; return o[pick(ownKeys(o))](any(), any(), any()); }),
  () => { later_(() => quietly(() => step()), random(5)); }, () => { Promise_.resolve().then(() => quietly(() => step())); },
  () => quietly(() => { Error.prepareStackTrace = pick([undefined, fn(), (e, frames) => frames, any()]); }),
  () => quietly(() => { Error.stackTraceLimit = any(); }),
  () => quietly(() => keep(new FinalizationRegistry(fn())).register({}, any())),
  () => quietly(() => queueMicrotask(fn())), () => quietly(() => process.nextTick(fn())),
];
/** Calls `f` where there is as good as no stack left. */
const brim = (f, slack = random(12)) => {
  let result;
  let done = false;
  const down = () => {
    try {
      return down() + 1;
    } catch (error) {
      if (done || slack-- > 0) throw error;
      done = true;
      result = f();
      return 0;
    }
  };
  down();
  return result;
};
/** Calls `f` where the heap is as good as full, if it has a limit. */
const poorly = (f) => {
  if (CONFIG.limits?.maxOldGenerationSizeMb === undefined || !CONFIG.inWorker) return f();
  let hoard = [];
  try {
    for (let size = 2 ** 22; size > 64; size >>>= 1) try { for (let i = 0; i < 8; i++) push(hoard, new Uint8Array(size)); } catch {}
    return f();
  } finally {
    hoard = null;
  }
};
/** Calls `f` from the midst of other calls. */
const within = (f) => pick([
  () => [1, 2].map(f), () => [3, 2, 1].sort(f), () => 'ab'.replace(/a|b/g, f), () => JSON.stringify({ toJSON: f }), () => JSON.parse('[1]', f),
  () => new Promise_(f), () => `${{ toString: f }}`, () => new Proxy_({}, { get: f }).x, () => structuredClone({ get x() { return f(); } }),
  () => new Int8Array({ length: 2, get 0() { return f(); } }), () => Array_.from([1, 2], f), () => { for (const _ of { *[Symbol.iterator]() { yield f(); } }) break; },
  () => util.inspect({ [util.inspect.custom]: f }), () => new events.EventEmitter().on('x', f).emit('x'), () => Reflect.construct(f, [], Date),
])();
const later = (f) => pick([
  () => later_(f, 0), () => setImmediate(f), () => queueMicrotask(f), () => process.nextTick(f), () => Promise_.reject(1).catch(f),
  () => { const { port1, port2 } = new MessageChannel(); port2.onmessage = f; port1.postMessage(1); later_(() => port2.close(), 30); },
  () => keep(new FinalizationRegistry(f)).register({}, 1), () => { using x = { [Symbol.dispose]: f }; },
])();

// ---- The reflective caller -----------------------------------------------------------------------------------------

const modules = { __proto__: null };
let entries;
/** Every function, accessor and constructor there is: `{ path, holder, key, own }`, the engine's own ones last. */
const surface = async () => {
  for (const name of builtinModules.map((name) => (name.startsWith('node:') ? name : `node:${name}`)).concat('tombolo:marshal')) modules[name] ??= await import(name);
};
const discover = () => {
  const found = [];
  const seen = new Set_([CONFIG, pool]);
  const queue = [];
  // Many globals are made when something asks for them.
  for (const key of ownKeys(globalThis)) try { globalThis[key]; } catch {}
  const visit = (value, path, depth, engine) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value) || depth > 5) return;
    seen.add(value);
    push(queue, { value, path, depth, engine });
  };
  const walk = () => {
    for (let next; (next = queue.shift()) !== undefined && found.length < 40000;) {
      const { value: holder, path, depth, engine } = next;
      let keys = [];
      try { keys = ownKeys(holder); } catch {}
      for (const key of keys) {
        let own;
        try { own = getOwnPropertyDescriptor(holder, key); } catch {}
        if (own === undefined) continue;
        const name = holder === globalThis ? String(key) : `${path}.${String(key)}`;
        const { get, set, value } = own;
        if (typeof value === 'function') push(found, { path: name, holder, key, value, engine });
        if (get) push(found, { path: `get ${name}`, holder, key, value: get, engine });
        if (set) push(found, { path: `set ${name}`, holder, key, value: set, engine });
        visit(value, name, depth + 1, engine);
      }
      visit(getPrototypeOf(holder), `${path}.__proto__`, depth + 1, engine);
    }
  };
  // The engine's first, so that what all objects inherit is not taken for ours.
  for (const key of ENGINE) visit(globalThis[key], key, 0, true);
  visit(getPrototypeOf(function* () {}), 'Generator', 0, true);
  visit(getPrototypeOf(async function* () {}), 'AsyncGenerator', 0, true);
  visit(getPrototypeOf(getPrototypeOf([][Symbol.iterator]())), 'Iterator', 0, true);
  walk();
  visit(globalThis, 'globalThis', 0, false);
  for (const name in modules) visit(modules[name], name, 0, false);
  walk();
  for (const value of pool) visit(getPrototypeOf(value), 'pool', 2, false);
  walk();
  return found;
};
// The engine's own globals, which its authors test as well.
const ENGINE = new Set_(['Object', 'Function', 'Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError',
  'InternalError', 'AggregateError', 'SuppressedError', 'Iterator', 'Array', 'Number', 'Boolean', 'String', 'Math', 'Reflect', 'Symbol',
  'DisposableStack', 'BigInt', 'Date', 'RegExp', 'JSON', 'Proxy', 'Map', 'Set', 'WeakMap', 'WeakSet', 'ArrayBuffer', 'SharedArrayBuffer',
  'Uint8ClampedArray', 'Int8Array', 'Uint8Array', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array',
  'Float16Array', 'Float32Array', 'Float64Array', 'DataView', 'Atomics', 'Promise', 'AsyncDisposableStack', 'WeakRef', 'FinalizationRegistry']);
// What waits without end, ends the process, or writes to files: only the grammars use it, with arguments of their own.
const FORBIDDEN = /^(set |get )?(node:fs|node:process|process|global\.process)\b.*\.(exit|reallyExit|abort|kill|chdir|getBuiltinModule|binding)$|^node:fs|createRequire|^node:module\.(Module|default)|\.fs\b|Atomics\.wait$|SHARE_ENV|setPriority|\.(exit|reallyExit|abort|kill|chdir|getBuiltinModule|createRequire)$/;
const prepareEntries = () => {
  entries = { ours: [], engine: [] };
  for (const entry of discover()) {
    if (FORBIDDEN.test(entry.path) || forbidden.has(entry.value)) forbidden.add(entry.value);
    else push(entry.engine ? entries.engine : entries.ours, entry);
  }
};
const describe = (value) => {
  try {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value);
    return `<${typeof value === 'function' ? 'function ' : ''}${getOwnPropertyDescriptor(getPrototypeOf(value) ?? {}, 'constructor')?.value?.name}>`;
  } catch {
    return '<odd>';
  }
};
/** One call of anything there is. */
const step = () => {
  if (entries === undefined) prepareEntries();
  const entry = pick(odds(75) ? entries.ours : entries.engine);
  few = CONFIG.avoid && entry.engine;
  const args = [];
  for (let n = pick([0, 1, 1, 2, 2, 3, 4]); n > 0; n--) push(args, any());
  const self = odds(65) ? like((one) => entry.holder === one || call(Object_.prototype.isPrototypeOf, entry.holder, one)) : odds(50) ? entry.holder : any();
  if (CONFIG.avoid && entry.engine && typeof self === 'object' && self !== null) {
    try { if (!(self.length < 1e5) && self.length !== undefined) return undefined; } catch {}
  }
  if (nesting === 0 || logged < 5000) note(`${entry.path}(${args.map(describe).join(', ')}) on ${describe(self)}`);
  const make = /^[A-Z]/.test(typeof entry.key === 'string' ? entry.key : '') ? 60 : 3;
  const invoke = odds(make) ? () => construct(entry.value, args, odds(80) ? entry.value : fn()) : () => apply(entry.value, self, args);
  const result = odds(6) ? brim(invoke) : odds(4) ? within(invoke) : odds(4) ? poorly(invoke) : invoke();
  few = false;
  return keep(result);
};

// ---- The pool to begin with ----------------------------------------------------------------------------------------

let instanceOfVocabulary;
const HEADER = `
  enum colour { RED, GREEN = 4, BLUE };
  struct pair { int32_t a, b; }; struct point { int32_t id; double x, y; }; struct wrapped { double value; };
  struct node { int32_t value; struct node *next; };
  struct person { char *name; int32_t age; double *scores [[length(score_count)]]; size_t score_count; };
  struct counter; struct cursor;
  struct pair *copy_pair(const struct pair *from) [[owned]]; struct pair echo_pair(struct pair value);
  struct person *copy_person(const struct person *from) [[owned]]; double weigh_person(const struct person *p);
  char *copy_string(const char *text) [[owned]]; size_t string_length(const char *text);
  int32_t *iota(int n) [[owned, length(n)]]; void sort(int32_t *a, int n, int (*compare)(const int32_t *, const int32_t *));
  char *join(const char *const *strings, int n, const char *separator) [[owned]];
  int each_string(const char *const *strings, int n, int (*f)(void *user, const char *text, int i), void *user);
  struct pair map_pair(struct pair p, struct pair (*f)(struct pair)); void store_callback(int (*f)(int)); int call_stored(int argument);
  int descend(int depth, int (*f)(int)); int counter_close(struct counter *c);
  struct counter *counter_open(int start) [[owned, free(counter_close)]]; int counter_next(struct counter *c);
  int length_of_made(char *(*make)(int), int argument); int hand_over(char *(*f)(char *text), const char *text);
  int status_of(int code) [[status]]; void eat(void *block [[consumed]]); double eat_doubles(double *a [[consumed]], int n);
  void *same(void *p); void call_void(void (*f)(void)); int grow_pages(int pages); void trap(void); void set_malloc_budget(int n);
  double sum_after_growth(const double *a, int n, int pages); void write_bytes(void *to, const void *from, size_t n);
  void keep_string(char *text [[consumed]]); const char *kept_string(void);`;
/** A guest with its library, by views or by copies; declarations that it does not take are left out. */
const library = (views = odds(50)) => {
  instanceOfVocabulary ??= new WebAssembly.Module(guest('vocabulary'));
  const wasi = new marshal.Wasi({});
  const instance = new WebAssembly.Instance(instanceOfVocabulary, { wasi_snapshot_preview1: wasi.imports() });
  wasi.init(instance);
  instance.exports._initialize();
  let text = '';
  for (const one of HEADER.split(/;(?=\s*\n|\s+(?:struct|void|int|char|double|const)\s)/)) {
    try { marshal.cdef(instance, `${text}${one};`); text = `${text}${one};`; } catch {}
  }
  const lib = marshal.cdef(wasi, text, { views });
  keep(instance); keep(wasi); keep(wasi.memoryManager); keep(lib);
  return lib;
};
const PROGRAMS = [
  'for (;;);', 'throw null', 'require("worker_threads").parentPort.on("message", (m) => require("worker_threads").parentPort.postMessage(m))',
  'process.exit(3)', 'const a = []; for (;;) a.push(new Uint8Array(1e5))', '(function f() { f(); })()', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)',
  'setInterval(() => gc(), 1)', 'new (require("worker_threads").Worker)("for (;;);", { eval: true }); for (;;);', 'Promise.reject(new Proxy({}, {}))',
  'Error.prepareStackTrace = (e, f) => { throw f; }; null.x', 'new WebAssembly.Memory({ initial: 1, maximum: 9, shared: true }); throw new WebAssembly.RuntimeError("x")',
  'const m = require("worker_threads"); for (let i = 0; i < 1000; i++) m.parentPort.postMessage(new ArrayBuffer(i))', '', 'syntax error',
  'let s = "x"; try { for (;;) s += s; } catch {} setTimeout(() => { throw s.length }, 10)', 'process.on("exit", () => { for (;;); })', 'queueMicrotask(function f() { queueMicrotask(f); })',
];
let workers = 0;
/** A worker, unless there are enough. */
const worker = (source = pick(PROGRAMS), options = {}) => {
  if (workers++ > 8) throw new Error('enough workers');
  const one = new wt.Worker(source, { eval: true, stderr: odds(50), resourceLimits: odds(50) ? { maxOldGenerationSizeMb: pick([4, 16, 64]), stackSizeMb: pick([0.2, 1, 4]) } : undefined, ...options });
  one.on('error', () => {});
  return keep(one);
};
const fill = () => {
  const makers = [
    () => [], () => ({}), () => [1, 'a', null, [2]], () => new Map([[1, 2]]), () => new Set([1]), () => new WeakMap(), () => new Date(0), () => /a(b)?/g,
    () => new ArrayBuffer(16), () => new ArrayBuffer(8, { maxByteLength: 64 }), () => new SharedArrayBuffer(8), () => new SharedArrayBuffer(8, { maxByteLength: 64 }),
    () => new Uint8Array(5), () => new Int32Array(new SharedArrayBuffer(16)), () => new Float64Array(3), () => new BigInt64Array(2), () => new DataView(new ArrayBuffer(8)),
    () => { const b = new ArrayBuffer(8); b.transfer(); return b; }, () => new Error('e'), () => Promise_.resolve(1), () => new WeakRef({}),
    () => new WebAssembly.Memory({ initial: 1, maximum: 5 }), () => new WebAssembly.Memory({ initial: 1, maximum: 5, shared: true }),
    () => new WebAssembly.Memory({ initial: 0n, address: 'i64' }), () => new WebAssembly.Table({ element: 'externref', initial: 3 }),
    () => new WebAssembly.Table({ element: 'anyfunc', initial: 3, maximum: 10 }), () => new WebAssembly.Global({ value: 'i32', mutable: true }, 1),
    () => new WebAssembly.Global({ value: 'externref', mutable: true }, {}), () => new WebAssembly.Tag({ parameters: ['i32', 'externref'] }),
    () => WebAssembly.JSTag, () => new WebAssembly.Exception(new WebAssembly.Tag({ parameters: ['i32'] }), [1]),
    () => new WebAssembly.Function({ parameters: ['i32'], results: ['i32'] }, fn()), () => new WebAssembly.Module(guest(pick(guests))),
    () => { const m = new WebAssembly.Memory({ initial: 1, maximum: 4 }); return m.toResizableBuffer(); },
    () => new WebAssembly.Instance(new WebAssembly.Module(guest('growth')), { host: { f: fn() } }), () => new wt.MessageChannel().port1, () => new MessageChannel(),
    () => { const b = new BroadcastChannel('x'); b.unref?.(); return b; }, () => new events.EventEmitter(), () => new EventTarget(), () => new Event('x'), () => new AbortController(),
    () => AbortSignal.timeout(5), () => new Headers({ a: 'b' }), () => new Request('data:,x'), () => new Response('x'), () => new TextDecoder('utf-16le'), () => new TextEncoder(),
    () => new URL('http://a:b@c.d/e?f#g'), () => new URLSearchParams('a=b'), () => new DOMException('x', 'AbortError'), () => setTimeout(() => {}, 1), () => fn(), () => performance.mark?.('x'),
    () => new WASI({ version: 'preview1' }), () => [].values(), () => function* () {}(), () => new FinalizationRegistry(fn()), () => worker(),
    () => new DisposableStack(), () => Iterator.from([1, 2]).map(fn()), () => new Intl_(),
  ];
  for (const make of makers) if (odds(60)) quietly(make);
  if (!CONFIG.marshal) return;
  const { Int32Type, StructType, ArrayType, TypedArrayType, StringType, FunctionPrototype, In, Out, InOut, PointerType, CallbackType, EnumType, HandleType, StatusType, UnionType } = marshal;
  for (const make of [
    () => new Int32Type(), () => new StructType({ a: new Int32Type(), b: new StringType() }), () => new ArrayType(new Int32Type(), 2), () => new TypedArrayType(new Int32Type(), { argument: 1 }),
    () => new StringType('utf-16'), () => new FunctionPrototype([new In(new Int32Type())], new Int32Type()), () => new Out(new ArrayType(new StringType())), () => new InOut(new PointerType(new Int32Type())),
    () => new CallbackType([new In(new Int32Type())], new Int32Type()), () => new EnumType({ A: 1 }), () => new HandleType(fn()), () => new StatusType(), () => new UnionType({ a: new Int32Type() }),
    () => library(), () => library().counter_open(1), () => library(true).iota(5), () => library(true).copy_pair({ a: 1, b: 2 }), () => new marshal.Pointer(1),
  ]) if (odds(60)) quietly(make);
  quietly(() => keep(instanceOf(marshal.MemoryManager).createTypedArray(Float64Array, 4)));
  quietly(() => keep(new marshal.Callback(instanceOf(marshal.MemoryManager), instanceOf(CallbackType), fn())));
  quietly(() => keep(new marshal.FunctionRegistry(instanceOf(marshal.MemoryManager))));
};
const Intl_ = class Odd {};

/** What a module imports, made of the pool's values and new ones. */
const imports_of = (module) => {
  const imports = {};
  for (const { module: from, name, kind, type } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = quietly(() => {
      if (kind === 'function' && odds(25)) return new WebAssembly.Suspending(odds(50) ? async (x) => x : fn());
      if (kind === 'function') return odds(30) ? instanceOf(WebAssembly.Function) : fn();
      if (kind === 'memory') return new WebAssembly.Memory({ ...type, initial: type.minimum });
      if (kind === 'table') return new WebAssembly.Table({ ...type, initial: type.minimum });
      if (kind === 'global') return new WebAssembly.Global(type, type.value === 'i64' ? 1n : 1);
      return new WebAssembly.Tag(type);
    });
  }
  return imports;
};
const instantiate = (module) => keep(new WebAssembly.Instance(module, imports_of(module)));
/** Uses all that an instance exports. */
const everything = ({ exports }) => {
  for (const key of ownKeys(exports)) {
    const one = exports[key];
    if (typeof one === 'function') for (const args of [[], [1, 1, 1, 1], [1n, 1n, 1n], [any(), any(), any()], list()]) quietly(() => one(...args));
    else keep(one);
  }
};
const wasi_program = (name, args) => {
  const wasi = new WASI({ version: 'preview1', args: [name, ...args], env: {}, preopens: { '/': '.' }, returnOnExit: odds(80) });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(guest(name)), wasi.getImportObject());
  return wasi.start(instance);
};
const web_worker = (script, options) => {
  if (workers++ > 8) throw new Error('enough workers');
  const one = keep(new Worker(script, options));
  one.onerror = (event) => event.preventDefault();
  return one;
};

// ---- Lines ---------------------------------------------------------------------------------------------------------

const swallow = () => {};
const then = Promise_.prototype.then;
/** A line: whatever it throws, the next one follows. */
const t = (line, f) => {
  note(`line ${line}`);
  restart(line);
  nesting = 0;
  try {
    const value = keep(f());
    if (value instanceof Promise_) apply(then, value, [keep, swallow]);
    return value;
  } catch (error) {
    keep(error);
    return undefined;
  }
};
const r = (line) => t(line, () => { for (let i = 0; i < 12; i++) quietly(step); });
const tick = () => new Promise_((done) => later_(done, 1));
const start = async (body) => {
  if (CONFIG.inWorker && wt.isMainThread) {
    // What ends the lines, whatever they do.
    const one = new wt.Worker(new URL(import.meta.url), { resourceLimits: CONFIG.limits });
    one.on('error', swallow);
    one.on('exit', () => exit(0));
    later_(async () => {
      note('terminate');
      await one.terminate();
      note('exit');
      exit(0);
    }, CONFIG.life);
    return;
  }
  if (!CONFIG.inWorker) later_(() => { note('exit'); exit(0); }, CONFIG.life);
  for (const event of ['uncaughtException', 'unhandledRejection']) if (CONFIG.seed % 4 !== 0) apply(listen, process, [event, swallow]);
  await surface();
  restart(-1);
  if (entries === undefined) prepareEntries();
  fill();
  await body();
  note('linger');
  await new Promise_((done) => later_(done, CONFIG.linger));
  note('end');
  if (odds(50)) exit(0);
};
const body = async () => {
