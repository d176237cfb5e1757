const assert = require('node:assert/strict');
const { parse_to_json, parse_to_uint32array, TokenTypes } = require('@one-ini/wasm');

const source = 'root = true\n\n[*.md]\n# spaces\nindent = 2\n';
const parsed = parse_to_json(source);
assert.equal(parsed.body[0].key, 'root');
assert.equal(parsed.body[1].name, '*.md');
assert.deepEqual(parsed.body[1].body.map(({ type }) => type), ['Comment', 'Pair']);

const bytes = Buffer.from(source);
const tokens = parse_to_uint32array(bytes);
const values = [];
for (let at = 0; at < tokens.length; at += 3) {
  if (tokens[at] === TokenTypes.Value) values.push(bytes.toString('utf8', tokens[at + 1], tokens[at + 2]));
}
assert.deepEqual(values, ['true', '2']);
console.log('ok');
