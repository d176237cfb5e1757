// Packages: exports, imports, self-reference, conditions, and Node's errors.
import { assertEq, fail, test } from '../harness.mjs';
import { load, path, require, url, write } from './common-js/folder.mjs';

write({
  'node_modules/plain/package.json': { name: 'plain', main: 'lib.js' },
  'node_modules/plain/lib.js': 'exports.name = "plain"; exports.sub = require("./sub").name;',
  'node_modules/plain/sub.js': 'exports.name = "plain/sub";',
  'node_modules/plain/deep/index.js': 'module.exports = "deep";',
  'node_modules/indexed/index.js': 'module.exports = "indexed";',
  'node_modules/@scope/name/package.json': { main: './m.js' },
  'node_modules/@scope/name/m.js': 'module.exports = "scoped";',
  'node_modules/conditions/package.json': {
    name: 'conditions',
    exports: {
      '.': { module: './never.js', browser: './never.js', 'node-addons-x': './never.js', import: './import.mjs', require: './require.cjs' },
      './node': { browser: './never.js', node: './node.cjs', default: './never.js' },
      './sync': { 'module-sync': './sync.mjs', default: './never.js' },
      './default': { other: './never.js', default: './default.cjs' },
      './nested': { node: { browser: './never.js', require: './require.cjs', import: './import.mjs' } },
      './null': null,
      './list': ['bad:target', './default.cjs'],
      './features/*.js': './src/*.js',
      './features/private/*': null,
      './pattern/*': './src/*.js',
      './pattern/long*': './src/long.js',
      './missing': './not-there.js',
      './out': '../out.js',
      './bare': 'plain',
      './modules': './node_modules/x.js',
      './package.json': './package.json',
    },
  },
  'node_modules/conditions/import.mjs': 'export default "import";',
  'node_modules/conditions/require.cjs': 'module.exports = "require";',
  'node_modules/conditions/node.cjs': 'module.exports = "node";',
  'node_modules/conditions/sync.mjs': 'export const kind = "sync";',
  'node_modules/conditions/default.cjs': 'module.exports = "default";',
  'node_modules/conditions/src/a.js': 'module.exports = "a";',
  'node_modules/conditions/src/long.js': 'module.exports = "long";',
  'node_modules/conditions/hidden.js': 'module.exports = "hidden";',
  'node_modules/sugar/package.json': { exports: './only.cjs' },
  'node_modules/sugar/only.cjs': 'module.exports = "sugar";',
  'node_modules/mixed/package.json': { exports: { '.': './x.js', import: './x.js' } },
  'node_modules/broken/package.json': '{ nonsense',
  'node_modules/broken/index.js': '',
  'node_modules/no-main/package.json': { exports: { './a': './a.js' } },
  'own/package.json': {
    name: 'own', type: 'commonjs', exports: { '.': './index.js', './inner': './inner.js' },
    imports: {
      '#inner': './inner.js', '#plain': 'plain', '#plain/*': 'plain/*.js', '#fs': 'fs', '#cond': { require: './inner.js', import: './inner.mjs' },
      '#missing': './missing.js', '#none': null, '#dir/*': './*.js', '#conditions': 'conditions',
    },
  },
  'own/index.js': 'module.exports = { own: true, require };',
  'own/inner.js': 'module.exports = "inner";',
  'own/inner.mjs': 'export default "inner.mjs";',
  'own/use.js': 'module.exports = require;',
  'own/use.mjs': 'export const load = (name) => import(name); export const resolve = import.meta.resolve;',
  'own/nested/package.json': {},
  'own/nested/use.js': 'module.exports = require;',
});

const failure = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return fail('nothing was thrown');
};
const code = async (call) => (await failure(call)).code;

test('packages by name', () => {
  assertEq(require('plain').sub, 'plain/sub');
  assertEq(require('plain/sub').name, 'plain/sub');
  assertEq(require('plain/sub.js').name, 'plain/sub');
  assertEq(require('plain/deep'), 'deep');
  assertEq(require('indexed'), 'indexed');
  assertEq(require('@scope/name'), 'scoped');
  assertEq(require('sugar'), 'sugar');
});

test('conditions of require', () => {
  assertEq(require('conditions'), 'require');
  assertEq(require('conditions/node'), 'node');
  assertEq(require('conditions/sync').kind, 'sync');
  assertEq(require('conditions/default'), 'default');
  assertEq(require('conditions/nested'), 'require');
  assertEq(require('conditions/list'), 'default');
  assertEq(require('conditions/features/a.js'), 'a');
  assertEq(require('conditions/pattern/a'), 'a');
  assertEq(require('conditions/pattern/longer'), 'long');
  assertEq(require('conditions/package.json').name, 'conditions');
});

test('conditions of import', async () => {
  const { load: from } = await load('own/use.mjs');
  assertEq((await from('conditions')).default, 'import');
  assertEq((await from('conditions/node')).default, 'node');
  assertEq((await from('conditions/sync')).kind, 'sync');
  assertEq((await from('conditions/nested')).default, 'import');
  assertEq((await from('conditions/features/a.js')).default, 'a');
  assertEq((await from('plain')).default.name, 'plain');
  assertEq((await from('indexed')).default, 'indexed');
});

test('what a package does not export', async () => {
  const { load: from } = await load('own/use.mjs');
  const place = path('node_modules/conditions/package.json');
  for (const name of ['null', 'hidden.js', 'src/a.js', 'features/private/x', 'features/b', '']) {
    assertEq(await code(() => require(`conditions/${name}`)), 'ERR_PACKAGE_PATH_NOT_EXPORTED', name);
    assertEq(await code(() => from(`conditions/${name}`)), 'ERR_PACKAGE_PATH_NOT_EXPORTED', name);
  }
  assertEq((await failure(() => require('conditions/hidden.js'))).message,
    `Package subpath './hidden.js' is not defined by "exports" in ${place}`);
  assertEq((await failure(() => from('conditions/hidden.js'))).message,
    `Package subpath './hidden.js' is not defined by "exports" in ${place} imported from ${path('own/use.mjs')}`);
  assertEq((await failure(() => require('no-main'))).message,
    `No "exports" main defined in ${path('node_modules/no-main/package.json')}`);
  assertEq(await code(() => require('conditions/missing')), 'MODULE_NOT_FOUND');
  assertEq(await code(() => from('conditions/missing')), 'ERR_MODULE_NOT_FOUND');
  for (const name of ['out', 'bare', 'modules']) {
    assertEq(await code(() => require(`conditions/${name}`)), 'ERR_INVALID_PACKAGE_TARGET', name);
    assertEq(await code(() => from(`conditions/${name}`)), 'ERR_INVALID_PACKAGE_TARGET', name);
  }
  assertEq((await failure(() => require('conditions/bare'))).message,
    `Invalid "exports" target "plain" defined for './bare' in the package config ${place}; targets must start with "./"`);
  assertEq(await code(() => require('mixed')), 'ERR_INVALID_PACKAGE_CONFIG');
  assertEq(await code(() => require('broken')), 'ERR_INVALID_PACKAGE_CONFIG');
  assertEq(await code(() => from('broken')), 'ERR_INVALID_PACKAGE_CONFIG');
  assertEq(await code(() => from('no-such-package')), 'ERR_MODULE_NOT_FOUND');
  assertEq((await failure(() => from('no-such-package'))).message,
    `Cannot find package 'no-such-package' imported from ${path('own/use.mjs')}`);
  assertEq(await code(() => from('./')), 'ERR_UNSUPPORTED_DIR_IMPORT');
  assertEq(await code(() => from('./inner')), 'ERR_MODULE_NOT_FOUND');
  assertEq(await code(() => from('.hidden')), 'ERR_INVALID_MODULE_SPECIFIER');
  assertEq(await code(() => from('https://example.com/')), 'ERR_UNSUPPORTED_ESM_URL_SCHEME');
});

test('a package refers to itself and has imports', async () => {
  const own = require('./own/use.js');
  const { load: from, resolve } = await load('own/use.mjs');
  assertEq(own('own').own, true);
  assertEq(own('own/inner'), 'inner');
  assertEq(await code(() => own('own/other')), 'ERR_PACKAGE_PATH_NOT_EXPORTED');
  assertEq((await from('own/inner')).default, 'inner');
  assertEq(own('#inner'), 'inner');
  assertEq(own('#plain').name, 'plain');
  assertEq(own('#plain/sub').name, 'plain/sub');
  assertEq(own('#cond'), 'inner');
  assertEq(own('#dir/inner'), 'inner');
  assertEq(own('#conditions'), 'require');
  assertEq((await from('#cond')).default, 'inner.mjs');
  assertEq((await from('#plain')).default.name, 'plain');
  assertEq((await from('#fs')).default, require('fs'));
  assertEq((await from('#conditions')).default, 'import');
  assertEq(resolve('#fs'), 'node:fs');
  assertEq(await code(() => own('#missing')), 'MODULE_NOT_FOUND');
  assertEq(await code(() => own('#none')), 'ERR_PACKAGE_IMPORT_NOT_DEFINED');
  assertEq(await code(() => own('#other')), 'ERR_PACKAGE_IMPORT_NOT_DEFINED');
  assertEq(await code(() => from('#other')), 'ERR_PACKAGE_IMPORT_NOT_DEFINED');
  assertEq(await code(() => from('#')), 'ERR_INVALID_MODULE_SPECIFIER');
  // A package without a name is a scope of its own.
  assertEq(await code(() => require('./own/nested/use.js')('own')), 'MODULE_NOT_FOUND');
  assertEq(await code(() => require('./own/nested/use.js')('#inner')), 'MODULE_NOT_FOUND');
});

test('findPackageJSON', () => {
  const { findPackageJSON } = require('module');
  assertEq(findPackageJSON('..', path('own/nested/x.js')), path('own/package.json'));
  assertEq(findPackageJSON('plain', path('own/use.js')), path('node_modules/plain/package.json'));
  assertEq(findPackageJSON('./use.js', path('own/nested/x.js')), path('own/nested/package.json'));
  assertEq(findPackageJSON(url('own/use.js'), import.meta.url), path('own/package.json'));
});

test('a map that is nested too deeply', async () => {
  for (const depth of [2000, 20_000]) {
    const name = `deep${depth}`;
    write({ [`node_modules/${name}/package.json`]: `{"exports":${'{"default":'.repeat(depth)}"./x.js"${'}'.repeat(depth)}}` });
    assertEq(await code(() => require(name)), 'ERR_INVALID_PACKAGE_CONFIG');
  }
});
