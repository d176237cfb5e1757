// fs.watchFile and fs.unwatchFile.
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, assert, assertEq, thrown } from '../harness.mjs';

const folder = fs.mkdtempSync(join(tmpdir(), 'watching-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true }));

test('a file that is not there, then is, then changes, then goes', async () => {
  const path = join(folder, 'file');
  const seen = [];
  await new Promise((resolve) => {
    const steps = [
      () => fs.writeFileSync(path, 'one'), () => fs.appendFileSync(path, 'two'), () => fs.unlinkSync(path),
      () => {
        fs.unwatchFile(path);
        resolve();
      },
    ];
    fs.watchFile(path, { interval: 5 }, (now, before) => {
      seen.push([before.size, now.size, now instanceof fs.Stats, now.mtimeMs === 0]);
      steps.shift()();
    });
  });
  assertEq(JSON.stringify(seen), '[[0,0,true,true],[0,3,true,false],[3,6,true,false],[6,0,true,true]]');
});
test('one watcher serves all listeners of a file, until the last one goes', async () => {
  const path = join(folder, 'shared');
  fs.writeFileSync(path, '');
  const [one, two] = [() => {}, () => {}];
  const watcher = fs.watchFile(path, { interval: 5, bigint: true }, one);
  assertEq(fs.watchFile(path, two), watcher);
  const stopped = new Promise((resolve) => {
    watcher.on('stop', resolve);
  });
  fs.unwatchFile(path, one);
  assertEq(watcher.listenerCount('change'), 1);
  fs.unwatchFile(path, two);
  await stopped;
  assert(fs.watchFile(path, one) !== watcher);
  fs.unwatchFile(path);
});
test('arguments', () => {
  assertEq(thrown(() => fs.watchFile('x'), 'an error').code, 'ERR_INVALID_ARG_TYPE');
  assertEq(thrown(() => fs.watchFile('x', {}, 'y'), 'an error').code, 'ERR_INVALID_ARG_TYPE');
  assertEq(thrown(() => fs.watchFile({}, () => {}), 'an error').code, 'ERR_INVALID_ARG_TYPE');
  fs.unwatchFile(join(folder, 'nobody watches this'));
});
