import assert from 'node:assert/strict';
import { PhpNode } from 'php-wasm/PhpNode';

const php = new PhpNode();
let output = '';
let errors = '';
php.addEventListener('output', (event) => { output += event.detail.join(''); });
php.addEventListener('error', (event) => { errors += event.detail.join(''); });
async function run(code) {
  [output, errors] = ['', ''];
  await php.run(code);
  return output;
}
assert.match(await run('<?php echo PHP_VERSION;'), /^8\.\d+\.\d+/);
assert.equal(await run(`<?php
  function fib($n) { return $n < 2 ? $n : fib($n - 1) + fib($n - 2); }
  $islands = ['Chiloé' => 8394, 'Öland' => 1342, 'Gozo' => 67];
  arsort($islands);
  echo fib(20), ' ', implode(',', array_keys($islands)), ' ', preg_replace_callback('/\\d+/', fn ($m) => $m[0] * 2, 'a1b22');
`), '6765 Chiloé,Öland,Gozo a2b44');
assert.equal(await run(`<?php
  class Tide extends Exception {}
  try { throw new Tide('high', 7); } catch (Tide $tide) { echo get_class($tide), $tide->getMessage(), $tide->getCode(); }
  finally { echo '!'; }
`), 'Tidehigh7!');
assert.deepEqual(JSON.parse(await run("<?php echo json_encode(['π' => M_PI, 'list' => range(1, 5), 'crc' => crc32('sand')]);")),
  { π: Math.PI, list: [1, 2, 3, 4, 5], crc: 2692387345 | 0 });
assert.match(await run('<?php nowhere();'), /Call to undefined function nowhere/);
console.log('ok');
