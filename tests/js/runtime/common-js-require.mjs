// `require` and `module`, as Node has them.
import { assert, assertEq, assertList, fail, test } from '../harness.mjs';
import { folder, path, require, write } from './common-js/folder.mjs';

const code = (call) => {
  try {
    call();
  } catch (error) {
    return error.code ?? `${error.name}: ${error.message}`;
  }
  return fail('nothing was thrown');
};

write({
  'a.cjs': 'exports.done = false; const b = require("./b.cjs"); exports.b = b.done; exports.sawOfB = b.sawOfA; exports.done = true;',
  'b.cjs': 'const a = require("./a.cjs"); exports.sawOfA = a.done; exports.done = true;',
  'vars.cjs': `module.exports = {
    self: this === module.exports, name: __filename, folder: __dirname, count: arguments.length,
    isStrict: (function () { return this === undefined; })(), newTarget: new.target,
    exports: exports === module.exports, main: require.main === module, id: module.id, loaded: module.loaded,
    paths: module.paths, parent: module.parent?.filename, filename: module.filename, path: module.path,
  };`,
  'strict.cjs': '"use strict"; module.exports = (function () { return this === undefined; })();',
  'return.cjs': 'exports.before = 1; return; exports.after = 1;',
  'data.json': '\ufeff{ "x": [1, 2] }',
  'bad.json': '{ "x": ',
  'folder/index.js': 'module.exports = "index";',
  'main/package.json': { main: './lib/start' },
  'main/lib/start.js': 'module.exports = "start";',
  'mainless/package.json': { main: './nothing.js' },
  'mainless/index.json': { from: 'index.json' },
  'guess.js': 'module.exports = "js";',
  'guess.json': '"json"',
  'guess/index.js': 'module.exports = "folder";',
  'only.json': '"only json"',
  'addon.node': 'not an addon',
  'hash.cjs': '#!/usr/bin/env node\nexports.where = new Error("x").stack;',
  'mark.cjs': '\ufeffexports.marked = true;',
  'nul.cjs': 'exports.text = "a\0b"; exports.length = exports.text.length; // \0',
  'throws.cjs': 'globalThis.runs = (globalThis.runs ?? 0) + 1; throw new Error("on purpose");',
  'syntax.cjs': 'let x = ;',
  'counter.cjs': 'globalThis.counted = (globalThis.counted ?? 0) + 1; module.exports = globalThis.counted;',
  'replaced.cjs': 'module.exports = 42;',
  'child.cjs': 'exports.parent = module.parent.filename; require("./counter.cjs"); exports.children = module.children.map((m) => m.filename);',
  'meta.cjs': 'exports.x = import.meta.url;',
  'globals.cjs': 'implicit = 5; exports.has = globalThis.implicit; delete globalThis.implicit; var require_ = require; exports.ok = typeof require_;',
  'import.cjs': 'module.exports = import("./answer.mjs").then((m) => m.answer);',
  'answer.mjs': 'export const answer = 42; export const from = import.meta.url;',
  'typeof.cjs': 'exports.kinds = [typeof exports, typeof require, typeof module, typeof __filename, typeof __dirname].join();',
});

test('cycles see what is there so far', () => {
  const a = require('./a.cjs');
  assertEq(a.sawOfB, false);
  assertEq(a.b, true);
  assertEq(a.done, true);
});

test('what is in scope in a module', () => {
  const vars = require('./vars.cjs');
  assertEq(vars.self, true, 'this');
  assertEq(vars.name, path('vars.cjs'), '__filename');
  assertEq(vars.folder, folder, '__dirname');
  assertEq(vars.count, 5, 'arguments');
  assertEq(vars.isStrict, false, 'sloppy');
  assertEq(vars.newTarget, undefined, 'new.target');
  assertEq(vars.exports, true, 'exports');
  assertEq(vars.main, false, 'require.main');
  assertEq(vars.id, path('vars.cjs'), 'module.id');
  assertEq(vars.loaded, false, 'module.loaded');
  assertEq(vars.filename, path('vars.cjs'), 'module.filename');
  assertEq(vars.path, folder, 'module.path');
  assertEq(vars.paths[0], path('node_modules'), 'module.paths');
  assertEq(vars.paths.at(-1), '/node_modules', 'module.paths');
  assertEq(vars.parent, path('test.mjs'), 'module.parent');
  assertEq(require('./strict.cjs'), true, '"use strict"');
  assertEq(require('./return.cjs').after, undefined, 'return');
  assertEq(require('./typeof.cjs').kinds, 'object,function,object,string,string');
  assertEq(require('./globals.cjs').has, 5, 'a global by assignment');
});

test('JSON', () => {
  assertList(require('./data.json').x, [1, 2]);
  assertEq(require('./data.json'), require('./data'), 'the same object');
  const error = code(() => require('./bad.json'));
  assert(error.startsWith(`SyntaxError: ${path('bad.json')}: `), error);
});

test('folders, main and guessed extensions', () => {
  assertEq(require('./folder'), 'index');
  assertEq(require('./main'), 'start');
  assertEq(require('./mainless').from, 'index.json');
  assertEq(require('./guess'), 'js');
  assertEq(require('./guess/'), 'folder');
  assertEq(require('./only'), 'only json');
  assertEq(require(path('guess.json')), 'json');
});

test('what cannot be found or loaded', () => {
  assertEq(code(() => require('./missing')), 'MODULE_NOT_FOUND');
  assertEq(code(() => require('no-such-package')), 'MODULE_NOT_FOUND');
  assertEq(code(() => require('')), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => require(1)), 'ERR_INVALID_ARG_TYPE');
  assertEq(code(() => require('node:nothing')), 'ERR_UNKNOWN_BUILTIN_MODULE');
  assertEq(code(() => require('./addon.node')), 'ERR_DLOPEN_FAILED');
  try {
    require('./missing');
  } catch (error) {
    assertEq(error.message, `Cannot find module './missing'\nRequire stack:\n- ${path('test.mjs')}`);
    assertList(error.requireStack, [path('test.mjs')]);
  }
});

test('built-in modules by either name', () => {
  assertEq(require('path'), require('node:path'));
  assertEq(require('fs').readFileSync, require('node:fs').readFileSync);
  assertEq(require('module'), require('node:module').Module);
  assertEq(require.resolve('fs'), 'fs');
  assertEq(require.resolve('node:fs'), 'node:fs');
  assertEq(require.resolve.paths('fs'), null);
});

test('shebang, byte order mark and NUL', () => {
  assert(require('./hash.cjs').where.includes(`${path('hash.cjs')}:2:`), require('./hash.cjs').where);
  assertEq(require('./mark.cjs').marked, true);
  assertEq(require('./nul.cjs').length, 3);
});

test('a module that throws is run again', () => {
  assertEq(code(() => require('./throws.cjs')), 'Error: on purpose');
  assertEq(code(() => require('./throws.cjs')), 'Error: on purpose');
  assertEq(globalThis.runs, 2);
  assertEq(require.cache[path('throws.cjs')], undefined);
  assert(code(() => require('./syntax.cjs')).startsWith('SyntaxError'));
  assert(code(() => require('./meta.cjs')) !== undefined, 'import.meta');
});

test('require.cache', () => {
  assertEq(require('./counter.cjs'), 1);
  assertEq(require('./counter.cjs'), 1);
  delete require.cache[require.resolve('./counter.cjs')];
  assertEq(require('./counter.cjs'), 2);
  assertEq(require.cache[path('counter.cjs')].exports, 2);
  assertEq(require.cache[path('counter.cjs')].loaded, true);
  require('./replaced.cjs');
  require.cache[path('replaced.cjs')].exports = 'mine';
  assertEq(require('./replaced.cjs'), 'mine');
});

test('parents and children', () => {
  const child = require('./child.cjs');
  assertEq(child.parent, path('test.mjs'));
  assertList(child.children, [path('counter.cjs')]);
});

test('require.resolve', () => {
  assertEq(require.resolve('./folder'), path('folder/index.js'));
  assertEq(require.resolve('./index.js', { paths: [path('folder')] }), path('folder/index.js'));
  assertEq(require.resolve('./guess', { paths: [path('guess'), folder] }), path('guess.js'));
  assertEq(code(() => require.resolve('./guess', { paths: [path('guess')] })), 'MODULE_NOT_FOUND');
  assertEq(code(() => require.resolve('./guess', { paths: 1 })), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => require.resolve(1)), 'ERR_INVALID_ARG_TYPE');
  assertList(require.resolve.paths('./x'), [folder]);
  assertEq(require.resolve.paths('x')[0], path('node_modules'));
  assertEq(require.main, undefined);
});

test('import() in a module starts at its file', async () => {
  assertEq(await require('./import.cjs'), 42);
});

test('a deep chain is a RangeError, and no crash', () => {
  const files = {};
  for (let i = 0; i < 3000; i++) files[`deep/${i}.cjs`] = `module.exports = require('./${i + 1}.cjs');`;
  files['deep/3000.cjs'] = 'module.exports = "bottom";';
  write(files);
  let result;
  try {
    result = require('./deep/0.cjs');
  } catch (error) {
    result = error.name;
  }
  assert(result === 'RangeError' || result === 'bottom', result);
  assertEq(require('./deep/2990.cjs'), 'bottom');
});

test('a text cannot end the function that is put around it', () => {
  globalThis.ran = false;
  const texts = [
    '}); (function () { globalThis.ran = true;', '}, function () { globalThis.ran = true;', '} { globalThis.ran = true;',
    '}); globalThis.ran = true; ({',
  ];
  texts.forEach((text, index) => {
    write({ [`broken-${index}.cjs`]: text });
    assert(code(() => require(`./broken-${index}.cjs`)).startsWith('SyntaxError'), text);
  });
  delete globalThis.ran;
});

test('the wrapper and other hooks of Module', () => {
  const Module = require('module');
  assertEq(new Module('x').constructor, Module);
  assertEq(new Module('/x/y').path, '/x');
  const made = new Module(path('made.js'));
  made.filename = path('made.js');
  made.paths = Module._nodeModulePaths(folder);
  made._compile('exports.sum = 1 + require("./replaced.cjs").length; exports.name = __filename;', path('made.js'));
  assertEq(made.exports.sum, 5);
  assertEq(made.exports.name, path('made.js'));
  Module._extensions['.txt'] = (module, filename) => { module.exports = `text of ${filename}`; };
  write({ 'some.txt': 'x', 'some.js': 'module.exports = 1;' });
  assertEq(require('./some.txt'), `text of ${path('some.txt')}`);
  delete Module._extensions['.txt'];
  const { _load } = Module;
  try {
    Module._load = function(request, ...rest) {
      return request === 'made-up' ? 'made up' : Reflect.apply(_load, this, [request, ...rest]);
    };
    assertEq(require('made-up'), 'made up');
    assertEq(require('./some.js'), 1);
  } finally {
    Module._load = _load;
  }
  assertEq(Module.wrap('x'), '(function (exports, require, module, __filename, __dirname) { x\n});');
  assertList(Module._nodeModulePaths('/a/node_modules/b'),
    ['/a/node_modules/b/node_modules', '/a/node_modules', '/node_modules']);
  assertEq(Module.isBuiltin('fs'), true);
  assertEq(Module.isBuiltin('node:fs'), true);
  assertEq(Module.isBuiltin('./fs'), false);
  assert(Module.builtinModules.includes('fs'));
});

test('createRequire', () => {
  const { createRequire } = require('module');
  assertEq(createRequire(`${folder}/`)('./replaced.cjs'), 'mine');
  assertEq(createRequire(new URL(`file://${folder}/x.js`))('./replaced.cjs'), 'mine');
  assertEq(createRequire(`file://${folder}/x.js`)('./replaced.cjs'), 'mine');
  assertEq(code(() => createRequire('relative.js')), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => createRequire(undefined)), 'ERR_INVALID_ARG_VALUE');
  assertEq(code(() => createRequire('https://example.com/x.js')), 'ERR_INVALID_ARG_VALUE');
});

test('own names of require and module', () => {
  assertList(Object.keys(require), ['resolve', 'main', 'extensions', 'cache']);
  assertEq(require.name, 'require');
  const module = require.cache[path('replaced.cjs')];
  assertList(Object.keys(module), ['id', 'path', 'exports', 'filename', 'loaded', 'children', 'paths']);
});
