// Smaller modules of Node's library. The expected values are Node's.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { Console } from 'node:console';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import EventEmitter, { once, on, getEventListeners, EventEmitterAsyncResource } from 'node:events';
import { createHistogram, performance, PerformanceObserver, timerify } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import { scheduler, setInterval, setTimeout as delay } from 'node:timers/promises';
import url from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import { assert, assertEq, test, thrown } from '../harness.mjs';

const json = (value) => JSON.stringify(value);

test('AsyncLocalStorage: calls, timers, ticks and reactions', async () => {
  const storage = new AsyncLocalStorage({ defaultValue: 'none', name: 'n' });
  const seen = [];
  const see = (what) => seen.push(`${what} ${storage.getStore()}`);
  await storage.run(1, () => new Promise((resolve) => {
    see('run');
    setTimeout(() => see('timer'), 0);
    process.nextTick(() => see('tick'));
    queueMicrotask(() => see('microtask'));
    setImmediate(() => { see('immediate'); setTimeout(resolve, 5); });
    Promise.resolve().then(() => see('then'));
    storage.exit(() => see('exit'));
    storage.run(2, () => see('inner'));
  }));
  assertEq(seen.slice().sort().join(), 'exit undefined,immediate 1,inner 2,microtask 1,run 1,then 1,tick 1,timer 1');
  assertEq(storage.name, 'n');
  assertEq(storage.getStore(), 'none');
  const snapshot = storage.run(3, () => AsyncLocalStorage.snapshot());
  assertEq(snapshot((x) => x + storage.getStore(), 1), 4);
});
test('AsyncResource', () => {
  const storage = new AsyncLocalStorage();
  const resource = storage.run('s', () => new AsyncResource('R'));
  assertEq(resource.runInAsyncScope((x) => x + storage.getStore(), null, 'a'), 'as');
  const emitter = storage.run('e', () => new EventEmitterAsyncResource({ name: 'E' }));
  emitter.on('x', () => assertEq(storage.getStore(), 'e'));
  emitter.emit('x');
});
test('diagnostics_channel', () => {
  const log = [];
  const one = channel('test:one');
  const heard = (message, name) => log.push(`${name} ${message}`);
  one.subscribe(heard);
  one.publish('m');
  assertEq(one.unsubscribe(heard) && !one.hasSubscribers, true);
  const traced = tracingChannel('test');
  traced.subscribe({ start: () => log.push('start'), end: () => log.push('end'), error: () => log.push('error') });
  assertEq(traced.traceSync((a, b) => a + b, {}, null, 1, 2), 3);
  thrown(() => traced.traceSync(() => { throw new Error(); }), 'an error');
  assertEq(log.join(), 'test:one m,start,end,start,error,end');
});
test('events: on, once, close, captured rejections', async () => {
  const emitter = new EventEmitter({ captureRejections: true });
  setTimeout(() => { emitter.emit('x', 1); emitter.emit('x', 2); emitter.emit('end'); }, 0);
  const got = [];
  for await (const [value] of on(emitter, 'x', { close: ['end'] })) got.push(value);
  assertEq(got.join(), '1,2');
  emitter.on('y', async () => { throw new Error('captured'); });
  const failure = once(emitter, 'error');
  emitter.emit('y');
  assertEq((await failure)[0].message, 'captured');
  const target = new EventTarget();
  const listener = () => {};
  target.addEventListener('z', listener);
  assertEq(getEventListeners(target, 'z')[0], listener);
});
test('performance: marks, measures, observers', async () => {
  const mark = performance.mark('a', { startTime: 5, detail: { x: 1 } });
  assertEq(`${mark.name} ${mark.entryType} ${mark.startTime} ${mark.duration} ${mark.detail.x}`, 'a mark 5 0 1');
  const measure = performance.measure('m', { start: 'a', duration: 2 });
  assertEq(`${measure.startTime} ${measure.duration}`, '5 2');
  assertEq(thrown(() => performance.measure('m', 'nope'), 'an error').name, 'SyntaxError');
  const names = await new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => { observer.disconnect(); resolve(list.getEntries().map((entry) => entry.name)); });
    observer.observe({ entryTypes: ['mark', 'function'] });
    performance.mark('b');
    timerify(function work() {})();
  });
  assertEq(names.join(), 'b,work');
  performance.clearMarks();
  performance.clearMeasures();
  assertEq(performance.getEntries().length, 0);
});
test('histograms', () => {
  const histogram = createHistogram();
  for (const value of [5, 10]) histogram.record(value);
  assertEq(`${histogram.min} ${histogram.max} ${histogram.mean} ${histogram.stddev} ${histogram.count}`, '5 10 7.5 2.5 2');
  assertEq(`${histogram.percentile(50)} ${[...histogram.percentiles].join(' ')}`, '5 0,5 50,5 75,10 100,10');
});
test('timers/promises', async () => {
  assertEq(await delay(1, 'v'), 'v');
  await scheduler.yield();
  const ticks = [];
  for await (const value of setInterval(1, 't')) if (ticks.push(value) === 3) break;
  assertEq(ticks.join(), 't,t,t');
  const controller = new AbortController();
  const waiting = delay(10000, null, { signal: controller.signal });
  controller.abort();
  assertEq(await waiting.catch((error) => `${error.name} ${error.code}`), 'AbortError ABORT_ERR');
});
test('the older half of url', () => {
  assertEq(json(url.parse('http://u:p@Host.com:80/p/a?q=1#h')), '{"protocol":"http:","slashes":true,"auth":"u:p","host":"host.com:80","port":"80","hostname":"host.com","hash":"#h","search":"?q=1","query":"q=1","pathname":"/p/a","path":"/p/a?q=1","href":"http://u:p@host.com:80/p/a?q=1#h"}');
  assertEq(url.resolve('/one/two/three', '../four'), '/one/four');
  assertEq(url.resolve('http://a.com/b/c', '//d.com/e'), 'http://d.com/e');
  assertEq(url.format({ protocol: 'http', host: 'a.com', pathname: 'x y', query: { a: 1 } }), 'http://a.com/x y?a=1');
  assertEq(url.domainToASCII('español.com'), 'xn--espaol-zwa.com');
  assertEq(url.domainToUnicode('xn--espaol-zwa.com'), 'español.com');
  assertEq(url.fileURLToPath('file:///C:/a%20b', { windows: true }), 'C:\\a b');
  assertEq(url.pathToFileURL('C:\\a b', { windows: true }).href, 'file:///C:/a%20b');
  assertEq(url.urlToHttpOptions(new URL('https://a:b@[::1]:8/c?d')).hostname, '::1');
});
test('v8: what it serializes', () => {
  const value = { a: [1, 2.5, 'x', 'é', null, undefined, true, 1n, new Date(0), new Map([[1, 2]]), /a/g, new Uint8Array([1, 2])] };
  const hex = 'ff0f6f220161410c49024e00000000000004402201782201e9305f545a1001000000000000004400000000000000003b490249043a0252220161015c0102010224000c7b01';
  assertEq(v8.serialize(value).toString('hex'), hex);
  const back = v8.deserialize(Buffer.from(hex, 'hex'));
  assertEq(`${back.a.length} ${back.a[7]} ${back.a[9].get(1)} ${back.a[10]} ${back.a[11][1]}`, '12 1 2 /a/g 2');
  const circle = { it: null };
  circle.it = circle;
  const again = v8.deserialize(v8.serialize(circle));
  assertEq(again.it, again);
  for (const bad of ['', 'ff0f', 'ff0f41ffffffff0f', 'ff0f5e05', 'ff0f22ff']) thrown(() => v8.deserialize(Buffer.from(bad, 'hex')), 'an error');
  assert(v8.getHeapStatistics().used_heap_size > 0);
});
test('vm: scripts, contexts and functions', () => {
  globalThis.fromVm = 1;
  assertEq(vm.runInThisContext('fromVm + 1'), 2);
  const sandbox = vm.createContext({ x: 2, out: [] });
  assertEq(vm.runInContext('var y = x * 21; globalThis.z = 1; x = 3; out.push(y); y', sandbox), 42);
  assertEq(json(sandbox), '{"x":3,"out":[42],"y":42,"z":1}');
  assertEq(vm.runInContext('typeof fromVm + typeof process + y', sandbox), 'undefinedundefined42');
  assert(vm.runInNewContext('[]') instanceof Array === false, 'a context has classes of its own');
  assertEq(vm.isContext(sandbox) && !vm.isContext({}), true);
  const error = thrown(() => new vm.Script('\nthrow new Error("at")', { filename: 'named.js', lineOffset: 10 }).runInThisContext(), 'an error');
  assert(/named\.js:12/.test(error.stack), error.stack);
  assertEq(thrown(() => new vm.Script('a b'), 'an error').name, 'SyntaxError');
  assertEq(vm.compileFunction('return a + b', ['a', 'b'])(1, 2), 3);
  thrown(() => vm.compileFunction('}); (function () {', []), 'a SyntaxError');
});
test('Console', () => {
  const lines = [];
  const stream = new Writable({ write(chunk, encoding, done) { lines.push(String(chunk)); done(); } });
  const own = new Console({ stdout: stream, colorMode: false, inspectOptions: { depth: 0 } });
  own.log('a %d', 1);
  own.group('g');
  own.error({ b: { c: 1 } });
  own.groupEnd();
  own.table([{ x: 1 }]);
  assertEq(lines.join(''), 'a 1\ng\n  { b: [Object] }\n┌─────────┬───┐\n│ (index) │ x │\n├─────────┼───┤\n│ 0       │ 1 │\n└─────────┴───┘\n');
  assert(own instanceof Console && console instanceof Console);
});
