const assert = require('node:assert/strict');
const { loadPyodide } = require('pyodide');

(async () => {
  const pyodide = await loadPyodide();
  assert.equal(await pyodide.runPythonAsync('1+1'), 2);
  const result = pyodide.runPython(`
import json, re, hashlib
{"primes": [n for n in range(2, 50) if all(n % m for m in range(2, n))], "md5": hashlib.md5(b"abc").hexdigest(),
 "words": len(re.findall(r"\\w+", "a bar of sand")), "json": json.dumps({"a": None})}
`).toJs({ dict_converter: Object.fromEntries });
  assert.deepEqual(result.primes, [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]);
  assert.deepEqual([result.md5, result.words, result.json], ['900150983cd24fb0d6963f7d28e17f72', 4, '{"a": null}']);
  pyodide.globals.set('callback', (x) => x * 2);
  assert.equal(pyodide.runPython('callback(21)'), 42);
  assert.throws(() => pyodide.runPython('1 / 0'), /ZeroDivisionError/);
  assert.equal(pyodide.runPython('try:\n  int("x")\nexcept ValueError as e:\n  r = str(e)\nr'), "invalid literal for int() with base 10: 'x'");
  console.log('ok');
})();
