import assert from 'node:assert/strict';
import { Graphviz } from '@hpcc-js/wasm-graphviz';

const graphviz = await Graphviz.load();
const svg = graphviz.dot('digraph { a -> b; b -> c [label="two"]; }');
assert.equal(svg.match(/<g id="node/g).length, 3);
assert.equal(svg.match(/<g id="edge/g).length, 2);
assert.ok(svg.includes('>two</text>'));
const { objects, edges } = JSON.parse(graphviz.layout('graph { x -- y }', 'json', 'neato'));
assert.deepEqual([objects.length, edges.length], [2, 1]);
assert.throws(() => graphviz.dot('digraph { a -> '), /syntax error/);
console.log('ok');
