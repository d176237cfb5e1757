// A script that overwrites all of the language changes nothing in the platform's own JavaScript, nor in its Rust. What
// the test needs itself it takes before; from then on it must not iterate, spread, await, call methods or use template
// literals (which QuickJS makes by `String.prototype.concat`) either.
const { apply, construct, ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty } = Reflect;
const { then } = Promise.prototype;
const PromiseClass = Promise;
const { isArray } = Array;
const WasmModule = WebAssembly.Module;
const WasmInstance = WebAssembly.Instance;
const WasmMemory = WebAssembly.Memory;
const WasmTable = WebAssembly.Table;
const WasmGlobal = WebAssembly.Global;
const { instantiate, compile, validate } = WebAssembly;
const memoryBuffer = getOwnPropertyDescriptor(WasmMemory.prototype, 'buffer').get;
const instanceExports = getOwnPropertyDescriptor(WasmInstance.prototype, 'exports').get;
const { grow } = WasmMemory.prototype;
const { customSections, imports, exports } = WasmModule;
const Bytes = Uint8Array;
const ErrorClass = Error;
const DOMExceptionClass = DOMException;
const stackOf = getOwnPropertyDescriptor(Error.prototype, 'stack').get;
const MapClass = Map;
const SetClass = Set;
const DateClass = Date;
const { set: mapSet } = Map.prototype;
const wasm = new Bytes([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);
const isWorker = import.meta.url.endsWith('?worker');
const self = import.meta.url;

// What was called although no step asked for it, and what failed.
const called = [];
let calls = 0;
let step = '';
const failures = [];
let failed = 0;
const plain = (value, extra) => ({ __proto__: null, value, writable: true, enumerable: true, configurable: true, ...extra });
const note = (list, at, text) => defineProperty(list, at, plain(text));

// Every object that can be reached from the global one and from the syntax's own.
const intrinsics = new Set();
const visit = (value, path) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || intrinsics.has(value)) return;
  intrinsics.add(value);
  visit(getPrototypeOf(value));
  for (const key of ownKeys(value)) {
    const { value: part, get, set } = getOwnPropertyDescriptor(value, key);
    // The platform's own globals are accessors until they are used, but for the console, by which this script tells.
    if (value !== globalThis || (part !== undefined && key !== 'console')) visit(part);
    if (value !== globalThis) visit(get);
    if (value !== globalThis) visit(set);
  }
};
visit(globalThis);
for (const value of [
  [].values(), new Map().entries(), new Set().entries(), 'a'[Symbol.iterator](), 'a'.matchAll(/a/g), function* () {}, async function () {},
  async function* () {}, (function* () {})(), (async function* () {})(), Iterator.from({ next() {} }), [].values().map((x) => x),
]) visit(value);

const overwriteAll = () => {
  const all = [...intrinsics];
  const length = all.length;
  for (let i = 0; i < length; i++) {
    const object = all[i];
    const keys = ownKeys(object);
    for (let j = 0; j < keys.length; j++) {
      const key = keys[j];
      const found = getOwnPropertyDescriptor(object, key);
      if (object === globalThis && (found.get !== undefined || typeof found.value !== 'function')) continue;
      if (found.get === undefined && found.set === undefined && typeof found.value !== 'function') continue;
      const name = `${typeof object === 'function' ? object.name : ''} ${typeof key === 'symbol' ? key.description : key}`;
      const thrower = function () {
        note(called, calls++, step + ': ' + name + '\n' + apply(stackOf, new ErrorClass('here'), []));
        throw new ErrorClass('overwritten: ' + name);
      };
      if (found.get !== undefined || found.set !== undefined) {
        if (found.configurable) overwrites[overwrites.length] = [object, key, { __proto__: null, get: thrower, set: thrower, configurable: true }];
      } else if (found.configurable || found.writable) {
        overwrites[overwrites.length] = [object, key, { __proto__: null, value: thrower }];
      }
    }
  }
  // Names of options, and what descriptors and iterator results have.
  const names = ['get', 'set', 'value', 'writable', 'enumerable', 'configurable', 'done', 'return', 'once', 'signal', 'capture', 'passive',
    'encoding', 'flag', 'mode', 'recursive', 'force', 'depth', 'colors', 'showHidden', 'transfer', 'detail', 'bubbles', 'status', 'headers',
    'fatal', 'ignoreBOM', 'stream', 'exports', 'native', 'env', 'argv', 'stdout', 'name', 'type', 'ref', 'code', 'default', 'port', 'width'];
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const thrower = () => {
      note(called, calls++, step + ': Object.prototype.' + name + '\n' + apply(stackOf, new ErrorClass('here'), []));
      throw new ErrorClass('asked Object.prototype.' + name);
    };
    overwrites[overwrites.length] = [Object.prototype, name, { __proto__: null, get: thrower, set: thrower, configurable: true }];
  }
  const count = overwrites.length;
  for (let i = 0; i < count; i++) {
    const { 0: object, 1: key, 2: descriptor } = overwrites[i];
    try {
      defineProperty(object, key, descriptor);
    } catch {}
  }
  return count;
};
const overwrites = [];

const fail = (text) => note(failures, failed++, step + ': ' + text);
const equal = (got, wanted) => {
  if (got !== wanted) fail('got ' + (typeof got === 'object' ? 'an object' : got) + ', not ' + wanted);
};
// A promise's `then` that asks nothing of what was overwritten.
const settled = (promise, done) => {
  defineProperty(promise, 'constructor', { __proto__: null, value: undefined, configurable: true });
  apply(then, promise, [(value) => done(undefined, value), (error) => done(error)]);
};
const bare = (object) => ({ __proto__: null, ...object });
const builtin = (name) => process.getBuiltinModule(name);

const steps = {
  __proto__: null,
  console() {
    console.log('%s is %d of %j and %o', 'one', 1, 'json', { a: [1] });
    console.error({ a: 1, b: [1, 2, { c: new MapClass() }], e: /x/g, f: () => {}, g: 1n, h: Symbol.iterator });
    console.table([[1, 2], [3, 4]]);
    console.group();
    console.dir(new SetClass());
    console.groupEnd();
    console.time('t');
    console.timeEnd('t');
    console.count();
    console.assert(false, 'told');
    console.trace('here');
  },
  inspect() {
    const { inspect, format, types, isDeepStrictEqual, stripVTControlCharacters, styleText } = builtin('node:util');
    const map = new MapClass();
    apply(mapSet, map, [1, 2]);
    // (The names of classes are what the script made of them.)
    equal(typeof inspect({ a: 1, map, 'b-c': 'it\'s', long: 'x\n' }), 'string');
    inspect(new DateClass(0));
    inspect(new PromiseClass(() => {}));
    inspect({ get a() { return 1; } }, bare({ getters: true, showHidden: true, colors: true, sorted: true }));
    equal(format('%s:%i', 'a', '7'), 'a:7');
    equal(types.isMap(map), true);
    equal(types.isUint8Array(new Bytes(1)), true);
    equal(isDeepStrictEqual({ a: [1, map] }, { a: [1, map] }), true);
    equal(stripVTControlCharacters('\u001b[1mx\u001b[22m'), 'x');
    styleText('red', 'x');
  },
  assert() {
    const assert = builtin('node:assert');
    assert(true);
    assert.deepStrictEqual({ a: [1, new Bytes(2)] }, { a: [1, new Bytes(2)] });
    try {
      assert.deepStrictEqual({ a: 1, b: 2 }, { a: 1, b: 3 });
      fail('no error');
    } catch (error) {
      equal(error.code, 'ERR_ASSERTION');
    }
    assert.throws(() => assert.strictEqual(1, 2), (error) => error instanceof assert.AssertionError);
    assert.match('abc', /b/);
  },
  assertRejects(done) {
    settled(builtin('node:assert').rejects(new PromiseClass((_, reject) => reject(new ErrorClass('x'))), (error) => error instanceof ErrorClass), done);
  },
  events() {
    const EventEmitter = builtin('node:events');
    const emitter = new EventEmitter();
    let heard = 0;
    const listener = (by) => (heard += by);
    emitter.on('a', listener).once('a', listener).prependListener('a', listener);
    emitter.emit('a', 2);
    emitter.off('a', listener).emit('a', 1);
    equal(heard, 7);
    equal(emitter.listenerCount('a'), 1);
    emitter.eventNames();
    emitter.removeAllListeners();
    try {
      emitter.emit('error', new ErrorClass('told'));
    } catch (error) {
      equal(error.message, 'told');
    }
  },
  once(done) {
    const EventEmitter = builtin('node:events');
    const emitter = new EventEmitter();
    settled(EventEmitter.once(emitter, 'x'), (error, list) => done(error ?? (list[0] === 5 ? undefined : 'another value')));
    emitter.emit('x', 5);
  },
  eventTarget() {
    const target = new EventTarget();
    let heard = 0;
    target.addEventListener('x', () => heard++, bare({ once: true }));
    target.addEventListener('x', () => heard++);
    target.dispatchEvent(new Event('x'));
    target.dispatchEvent(new CustomEvent('x', bare({ detail: 1 })));
    equal(heard, 3);
  },
  abort() {
    const controller = new AbortController();
    let heard = 0;
    controller.signal.onabort = () => heard++;
    controller.signal.addEventListener('abort', () => heard++);
    controller.abort();
    equal(heard, 2);
    equal(AbortSignal.abort().aborted, true);
    AbortSignal.timeout(100000);
  },
  url() {
    const url = new URL('../b?c=d&e=f#g', 'file:///a/x/y');
    equal(url.href, 'file:///a/b?c=d&e=f#g');
    url.searchParams.append('h', 'i j');
    url.searchParams.sort();
    equal(url.searchParams.get('e'), 'f');
    url.searchParams.delete('e');
    equal(url.search, '?c=d&h=i+j');
    new URLSearchParams('a=b').forEach(() => {});
    new URLSearchParams(bare({ a: 'b' })).toString();
    const { fileURLToPath, pathToFileURL, parse, format, resolve } = builtin('node:url');
    equal(fileURLToPath('file:///a%20b'), '/a b');
    equal(pathToFileURL('/a b').href, 'file:///a%20b');
    equal(parse('http://a/b?c').pathname, '/b');
    format(url);
    equal(resolve('/one/two', 'three'), '/one/three');
    console.log(url, url.searchParams);
  },
  path() {
    const path = builtin('node:path');
    equal(path.join('/a', '..', 'b', './c.d'), '/b/c.d');
    equal(path.resolve('/a', 'b'), '/a/b');
    path.resolve('x');
    equal(path.relative('/a/b', '/a/c/d'), '../c/d');
    equal(path.basename('/a/b.c', '.c') + path.extname('x.y') + path.dirname('/q/r'), 'b.y/q');
    path.format(path.parse('/a/b.c'));
    path.isAbsolute('/');
  },
  os() {
    const os = builtin('node:os');
    os.cpus();
    os.tmpdir();
    os.hostname();
    os.userInfo();
    os.loadavg?.();
    equal(os.arch(), process.arch);
    navigator.userAgent;
  },
  process() {
    process.cwd();
    process.memoryUsage();
    process.hrtime();
    process.hrtime.bigint();
    process.uptime();
    process.env.OVERWRITTEN = 'x';
    equal(process.env.OVERWRITTEN, 'x');
    delete process.env.OVERWRITTEN;
    process.argv.length;
    process.stdout.write('');
    process.on('never', () => {});
    process.emit('never');
  },
  nextTick: (done) => process.nextTick((value) => done(value === 1 ? undefined : 'another value'), 1),
  microtask: (done) => queueMicrotask(() => done()),
  immediate: (done) => setImmediate((value) => done(value === 2 ? undefined : 'another value'), 2),
  timeout: (done) => {
    clearTimeout(setTimeout(() => fail('was cleared'), 1));
    let count = 0;
    const interval = setInterval((value) => {
      if (++count < 3) return;
      clearInterval(interval);
      done(value === 3 ? undefined : 'another value');
    }, 1, 3);
  },
  timersPromises: (done) => settled(builtin('node:timers/promises').setTimeout(1, 4), done),
  encoding() {
    equal(new TextDecoder().decode(new TextEncoder().encode('é€')), 'é€');
    equal(new TextDecoder('utf-16le').encoding, 'utf-16le');
    new TextEncoder().encodeInto('abc', new Bytes(2));
    equal(new TextDecoder('latin1', bare({ fatal: true })).decode(new Bytes(1)), '\0');
  },
  crypto() {
    crypto.getRandomValues(new Bytes(4));
    equal(crypto.randomUUID().length, 36);
  },
  performance() {
    performance.now();
    performance.mark('a');
    performance.measure('b', 'a');
    performance.getEntries();
    performance.getEntriesByName('a');
    performance.clearMarks();
  },
  fs() {
    const fs = builtin('node:fs');
    const path = builtin('node:path');
    const folder = fs.mkdtempSync(path.join(builtin('node:os').tmpdir(), 'overwritten-'));
    const file = path.join(folder, 'a');
    fs.writeFileSync(file, 'hello');
    fs.appendFileSync(file, new TextEncoder().encode(' you'));
    equal(fs.readFileSync(file, 'utf8'), 'hello you');
    fs.readFileSync(file);
    equal(fs.statSync(file).size, 9);
    fs.statSync(file).mtime;
    fs.statSync(file, bare({ bigint: true }));
    fs.mkdirSync(path.join(folder, 'x/y'), bare({ recursive: true }));
    fs.readdirSync(folder);
    fs.readdirSync(folder, bare({ withFileTypes: true, recursive: true }));
    const fd = fs.openSync(file, 'r+');
    fs.readSync(fd, new Bytes(4), 0, 4, 0);
    fs.writeSync(fd, 'x');
    fs.closeSync(fd);
    fs.copyFileSync(file, file + '2');
    fs.renameSync(file + '2', file + '3');
    fs.existsSync(file);
    fs.realpathSync(file);
    fs.accessSync(file);
    try {
      fs.readFileSync(path.join(folder, 'none'));
      fail('no error');
    } catch (error) {
      equal(error.code, 'ENOENT');
    }
    fs.rmSync(folder, bare({ recursive: true }));
  },
  fsCallback: (done) => builtin('node:fs').stat('/', (error, stats) => done(error ?? (stats.isDirectory() ? undefined : 'no folder'))),
  fsPromises: (done) => settled(builtin('node:fs/promises').readFile(builtin('node:url').fileURLToPath(self), 'utf8'), done),
  module() {
    const { builtinModules, isBuiltin } = builtin('node:module');
    equal(isArray(builtinModules), true);
    equal(isBuiltin('node:fs'), true);
    for (let i = 0; i < builtinModules.length; i++) if (builtin(builtinModules[i]) === undefined) fail(builtinModules[i]);
  },
  fetch(done) {
    const headers = new Headers(bare({ a: 'b', 'Set-Cookie': 'x' }));
    headers.append('a', 'c');
    headers.set('d', 'e');
    headers.delete('x');
    equal(headers.get('A'), 'b, c');
    headers.getSetCookie();
    headers.forEach(() => {});
    equal(headers.keys().next().value, 'a');
    console.log(headers);
    new Request('file:///a', bare({ method: 'post', body: 'x', headers: undefined })).clone();
    equal(new Response(null, bare({ status: 204 })).ok, true);
    Response.json({ a: 1 });
    settled(fetch('data:text/plain;charset=utf-8;base64,aGVsbG8='), (error, response) => {
      if (error !== undefined) return done(error);
      equal(response.headers.get('content-type'), 'text/plain;charset=utf-8');
      settled(response.text(), (error, text) => done(error ?? (text === 'hello' ? undefined : text)));
    });
  },
  fetchFile: (done) => settled(fetch(self), (error, response) => done(error ?? (response.ok ? undefined : 'not ok'))),
  streaming: (done) => settled(WebAssembly === undefined ? 0 : instantiate(wasm), done),
  responseJson: (done) => settled(new Response('{"a":1}').json(), (error, value) => done(error ?? (value.a === 1 ? undefined : 'other'))),
  structuredClone() {
    const map = new MapClass();
    apply(mapSet, map, ['k', { list: [1, , 3], date: new DateClass(5), error: new ErrorClass('m'), expression: /x/g, big: 5n }]);
    const copy = structuredClone({ map, bytes: new Bytes(3), set: new SetClass() });
    equal(copy.map === map, false);
    const bytes = new Bytes(4);
    structuredClone(bytes, bare({ transfer: undefined }));
    try {
      structuredClone(() => {});
      fail('no error');
    } catch (error) {
      equal(error instanceof DOMExceptionClass, true);
    }
  },
  ports(done) {
    const { port1, port2 } = new MessageChannel();
    port2.on('message', (message) => {
      port2.close();
      done(message.a === 1 ? undefined : 'another message');
    });
    port1.postMessage({ a: 1 });
  },
  portHandler(done) {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = ({ data, ports }) => {
      port1.close();
      done(data === 'x' && ports.length === 0 ? undefined : 'another message');
    };
    port1.postMessage('x');
  },
  receive() {
    const { receiveMessageOnPort } = builtin('node:worker_threads');
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(7);
    equal(receiveMessageOnPort(port2).message, 7);
    port1.close();
  },
  broadcast(done) {
    const one = new BroadcastChannel('overwritten' + process.pid + isWorker);
    const two = new BroadcastChannel('overwritten' + process.pid + isWorker);
    two.onmessage = () => {
      one.close();
      two.close();
      done();
    };
    one.postMessage(1);
  },
  wasm() {
    const module = new WasmModule(wasm);
    equal(apply(instanceExports, new WasmInstance(module), []).f(), 42);
    equal(validate(wasm), true);
    imports(module);
    exports(module);
    customSections(module, 'x');
    const memory = new WasmMemory(bare({ initial: 1 }));
    apply(memoryBuffer, memory, []);
    apply(grow, memory, [1]);
    new WasmTable(bare({ element: 'funcref', initial: 1 }));
    new WasmGlobal(bare({ value: 'i32', mutable: true }), 1);
    console.log(module, memory);
  },
  compile: (done) => settled(compile(wasm), done),
  wasi() {
    const { WASI } = builtin('node:wasi');
    new WASI(bare({ version: 'preview1', args: undefined, env: undefined })).getImportObject();
  },
  marshal() {
    const marshal = builtin('tombolo:marshal');
    if (marshal.Marshaller === undefined) fail('no Marshaller');
  },
};
if (!isWorker) {
  steps.thread = (done) => {
    const { Worker } = builtin('node:worker_threads');
    const worker = new Worker(new URL(self + '?worker'), bare({ workerData: { a: 1 } }));
    worker.on('error', (error) => done(error));
    let message;
    worker.on('message', (text) => (message = text));
    worker.on('exit', (code) => done(code === 0 && message === 'done' ? undefined : 'exit ' + code + ', ' + message));
    worker.postMessage('begin');
  };
  steps.webWorker = (done) => {
    const worker = new Worker('data:text/javascript,' + encodeWorker, bare({ type: 'module' }));
    worker.onmessage = ({ data }) => {
      worker.terminate();
      done(data === 2 ? undefined : 'another message');
    };
    worker.onerror = (event) => done(event.message);
    worker.postMessage(1);
  };
}
const encodeWorker = encodeURIComponent(`
  const { defineProperty, ownKeys } = Reflect;
  const all = [Map, Set, Promise, Object, Function, String, RegExp, Array];
  for (let i = 0; i < all.length; i++) {
    const { prototype } = all[i];
    const keys = ownKeys(prototype);
    for (let j = 0; j < keys.length; j++) {
      const key = keys[j];
      try { defineProperty(prototype, key, { __proto__: null, get() { throw new Error(String(key)); }, set() { throw 1; }, configurable: true }); } catch {}
    }
  }
  onmessage = ({ data }) => postMessage(data + 1);
`);

const names = ownKeys(steps);
const textOf = (error) => (typeof error === 'object' && error !== null ? error.message : '' + error);
const only = process.env.ONLY;
// A warning is an event, and whoever replaces `process.emit` replaces that.
process.noDeprecation = true;
const post = isWorker ? (await import('node:worker_threads')).parentPort : null;
const count = overwriteAll();
if (count < 700) fail('too little was overwritten');
const finish = () => {
  for (let i = 0; i < failed; i++) console.error('FAILED ' + failures[i]);
  for (let i = 0; i < calls; i++) console.error('CALLED ' + called[i]);
  // The last line that the runner of this folder looks for.
  if (!isWorker) console.log(names.length + ' passed, ' + (failed + calls) + ' failed');
  if (failed > 0 || calls > 0) process.exit(1);
  if (post !== null) {
    post.postMessage('done');
    post.close();
  }
};
const run = (index) => {
  if (index === names.length) return finish();
  step = names[index];
  if (only && step !== only) return run(index + 1);
  const call = steps[step];
  let over = false;
  const next = (error) => {
    if (over) return;
    over = true;
    if (error !== undefined) fail(textOf(error) + '\n' + (error instanceof ErrorClass ? apply(stackOf, error, []) : ''));
    run(index + 1);
  };
  try {
    call(next);
    if (call.length === 0) next();
  } catch (error) {
    next(error);
  }
};
run(0);
