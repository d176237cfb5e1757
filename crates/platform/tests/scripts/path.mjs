// node:path over a table of awkward paths.
import path from 'node:path';
const paths = ['', '.', '..', '/', '//', '/a', '/a/', 'a', 'a/', 'a/b', './a', '../a', '/a/b/c.txt', 'a/b/../c', '/../a', 'a//b', '.bashrc',
  'a.b.c', '/x/.y', 'x/..', '...', 'a/b.js/', '..a', 'a..', '/a/./b/../../c', 'file.', 'dir/file.ext/', '///a//b//'];
for (const p of paths) {
  console.log([p, path.normalize(p), path.dirname(p), path.basename(p), path.extname(p), path.isAbsolute(p), path.resolve('/base', p)]);
  console.log(path.parse(p), path.format(path.parse(p)));
}
for (const a of paths) console.log(paths.map((b) => path.join(a, b)), paths.map((b) => path.relative(path.resolve('/r', a), path.resolve('/r', b))));
console.log(path.basename('a.js', '.js'), path.basename('.js', '.js'), path.basename('a.js/', '.js'), path.sep, path.delimiter, path.posix === path);
try { path.join(1); } catch (e) { console.log(e.code, e.message); }
