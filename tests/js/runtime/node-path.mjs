// node:path in both kinds. The expected values are Node's.
import path from 'node:path';
import win32 from 'node:path/win32';
import { assert, assertEq, test, thrown } from '../harness.mjs';

const { posix } = path;
/** Node's errors are of classes of their own. */
const fails = (Class, call, pattern) => {
  const error = thrown(call, Class.name);
  assert(error instanceof Class && pattern.test(error.message), `${error}`);
  return error;
};

test('the two kinds know each other', () => {
  assertEq(path.win32, win32);
  assertEq(win32.posix, posix);
  assertEq(posix.posix, posix);
  assertEq(path.sep + win32.sep + path.delimiter + win32.delimiter, '/\\:;');
});

for (const [method, args, expected] of [
  ['normalize', ['C:/a/../b//c/.'], 'C:\\b\\c'], ['normalize', ['//server/share/../x'], '\\\\server\\share\\x'],
  ['normalize', ['./C:'], '.\\C:'], ['normalize', ['CON:x'], '.\\CON:x'], ['normalize', ['\\\\.\\pipe\\x'], '\\\\.\\pipe\\x'],
  ['join', ['//a', 'b'], '\\\\a\\b\\'], ['join', ['/', '/a'], '\\a'], ['join', ['c:', 'file'], 'c:\\file'],
  ['resolve', ['c:/ignore', 'd:\\a/b\\c/d', '\\e.exe'], 'd:\\e.exe'], ['resolve', ['//server/share', '..', 'relative\\'], '\\\\server\\share\\relative'],
  ['relative', ['c:/blah\\blah', 'd:/games'], 'd:\\games'], ['relative', ['C:\\foo\\bar', 'c:\\FOO\\baz'], '..\\baz'],
  ['dirname', ['\\\\unc\\share\\foo'], '\\\\unc\\share\\'], ['dirname', ['c:foo'], 'c:'], ['basename', ['C:aaa\\bbb', 'bb'], 'b'],
  ['extname', ['.\\file.ext\\\\'], '.ext'], ['toNamespacedPath', ['C:\\a/b'], '\\\\?\\C:\\a\\b'],
  ['toNamespacedPath', ['//srv/share/f'], '\\\\?\\UNC\\srv\\share\\f'], ['isAbsolute', ['C:/'], true], ['isAbsolute', ['C:a'], false],
  ['matchesGlob', ['foo\\bar.js', 'foo/*.js'], true],
]) {
  test(`win32.${method}(${args.join(', ')})`, () => assertEq(win32[method](...args), expected));
}

for (const [text, pattern, expected] of [
  ['a/b/c.js', '**/*.js', true], ['.a/b', '**', false], ['a', '**/a', true], ['foo', 'f{oo,ar}', true], ['a3', 'a{1..3}', true],
  ['b', '[!a]', true], ['ab', '+(a|b)', true], ['ab', '!(ab)', false], ['.x', '*', false], ['a/', 'a', true], ['a/b', '*', false],
]) {
  test(`${text} ${expected ? 'matches' : 'does not match'} ${pattern}`, () => assertEq(path.matchesGlob(text, pattern), expected));
}

test('parse and format', () => {
  assertEq(JSON.stringify(win32.parse('\\\\server\\share\\dir\\f.txt')),
    '{"root":"\\\\\\\\server\\\\share\\\\","dir":"\\\\\\\\server\\\\share\\\\dir","base":"f.txt","ext":".txt","name":"f"}');
  assertEq(JSON.stringify(path.parse('./a/.b')), '{"root":"","dir":"./a","base":".b","ext":"","name":".b"}');
  assertEq(path.format({ name: 'x', ext: 'y' }), 'x.y');
  assertEq(win32.format({ root: 'C:\\', dir: 'C:\\', base: 'f' }), 'C:\\f');
});

test('arguments are checked', () => {
  const error = fails(TypeError, () => win32.join('a', 1), /^The "path" argument must be of type string\. Received type number \(1\)$/);
  assertEq(error.code, 'ERR_INVALID_ARG_TYPE');
  assert(path.toNamespacedPath(null) === null, 'what is no path comes back');
});
