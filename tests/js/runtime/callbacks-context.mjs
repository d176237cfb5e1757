// What a program is called back about by native functions, ports, workers and child processes runs with the store that
// AsyncLocalStorage had when the program asked for it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns';
import fs from 'node:fs';
import { MessageChannel, Worker } from 'node:worker_threads';
import zlib from 'node:zlib';
import { assertEq, assertList, test } from '../harness.mjs';
import { WasmBuilder, op } from '../wasm-builder.mjs';

const storage = new AsyncLocalStorage();
const cases = {
  'zlib.gzip': (done) => zlib.gzip('x', done),
  'the end of a zlib stream': (done) => zlib.createGzip().on('end', done).resume().end('x'),
  'crypto.randomBytes': (done) => crypto.randomBytes(4, done),
  'crypto.pbkdf2': (done) => crypto.pbkdf2('a', 'b', 1, 8, 'sha1', done),
  'crypto.scrypt': (done) => crypto.scrypt('a', 'b', 8, done),
  'dns.lookup': (done) => dns.lookup('127.0.0.1', done),
  'dns.lookup of a name': (done) => dns.lookup('localhost', done),
  'fs.readFile': (done) => fs.readFile(new URL(import.meta.url), done),
  'a message of a port': (done) => {
    const { port1, port2 } = new MessageChannel();
    port2.once('message', () => {
      done();
      port1.close();
    });
    port1.postMessage(1);
  },
  'the close event of a port': (done) => {
    const { port1, port2 } = new MessageChannel();
    port2.on('close', done).ref();
    port1.close();
  },
  'a message of a worker': (done) =>
    new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true }).on('message', done),
  'the end of a worker': (done) => new Worker('', { eval: true }).on('exit', done),
  'the end of a child process': (done) => spawn('true').on('exit', done),
  'the output of a child process': (done) => spawn('echo', ['x']).stdout.on('data', done),
};
for (const [name, begin] of Object.entries(cases)) {
  test(name, async () => {
    const found = await new Promise((resolve) => {
      storage.run('own', () => begin(() => resolve(storage.getStore())));
    });
    assertEq(found, 'own');
    assertEq(storage.getStore(), undefined);
  });
}

test('guests that wait for promises', async () => {
  const b = new WasmBuilder();
  const wait = b.importFunc('m', 'wait', ['i32'], []);
  const note = b.importFunc('m', 'note', [], []);
  const waits = [op.localGet(0), op.call(wait), op.call(note)];
  b.func(['i32'], [], [op.call(note), waits, waits], { export: 'run' });
  const seen = [];
  const imports = {
    wait: new WebAssembly.Suspending((times) => storage.run('the import', async () => { while (times-- > 0) await 0; })),
    note() { seen.push(storage.getStore()); },
  };
  const run = WebAssembly.promising(b.instance({ m: imports }).exports.run);
  await Promise.all([storage.run('one', () => run(3)), storage.run('two', () => run(1)), run(2)]);
  const counts = ['one', 'two', undefined].map((store) => seen.filter((other) => other === store).length);
  assertList(counts, [3, 3, 3]);
  assertEq(seen.length, 9);
});
