import assert from 'node:assert/strict';
import * as esbuild from 'esbuild-wasm';

const { code } = await esbuild.transform('const x: number = 1 as any; export default () => <p>{x}</p>', {
  loader: 'tsx', jsx: 'automatic', minify: true,
});
assert.match(code, /^import\{jsx as \w+\}from"react\/jsx-runtime";/);
assert.doesNotMatch(code, /number/);

const files = { entry: 'import { a } from "./dep"; console.log(a)', './dep': 'export const a = 6 * 7; export const b = "unused"' };
const { outputFiles } = await esbuild.build({
  entryPoints: ['entry'], bundle: true, write: false, format: 'esm', minifySyntax: true,
  plugins: [{
    name: 'memory',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path }) => ({ path, namespace: 'memory' }));
      build.onLoad({ filter: /.*/, namespace: 'memory' }, ({ path }) => ({ contents: files[path] }));
    },
  }],
});
assert.match(outputFiles[0].text, /console\.log\(42\)/);
assert.doesNotMatch(outputFiles[0].text, /unused/);
await assert.rejects(esbuild.transform('let 1'), ({ errors }) => errors[0].location.line === 1);
await esbuild.stop();
console.log('ok');
