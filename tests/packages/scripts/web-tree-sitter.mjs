import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Language, Parser, Query } from 'web-tree-sitter';

await Parser.init();
const language = await Language.load(fileURLToPath(import.meta.resolve('tree-sitter-json/tree-sitter-json.wasm')));
const parser = new Parser();
parser.setLanguage(language);
const source = '{"a": [1, 2, {"b": null}]}';
const tree = parser.parse(source);
const pair = (key, value) => `(pair key: (string (string_content)) value: ${value})`;
assert.equal(
  tree.rootNode.toString(),
  `(document (object ${pair('a', `(array (number) (number) (object ${pair('b', '(null)')}))`)}))`,
);
const captures = new Query(language, '(number) @n').captures(tree.rootNode);
assert.deepEqual(captures.map(({ node }) => node.text), ['1', '2']);
assert.ok(parser.parse('{"a": ').rootNode.hasError);
// Again after an edit, of which the guest is told where it was.
tree.edit({
  startIndex: 7, oldEndIndex: 8, newEndIndex: 9,
  startPosition: { row: 0, column: 7 }, oldEndPosition: { row: 0, column: 8 }, newEndPosition: { row: 0, column: 9 },
});
const again = parser.parse(`${source.slice(0, 7)}17${source.slice(8)}`, tree);
assert.equal(again.rootNode.descendantsOfType('number')[0].text, '17');
console.log('ok');
