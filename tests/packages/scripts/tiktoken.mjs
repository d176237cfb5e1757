import assert from 'node:assert/strict';
import { get_encoding } from 'tiktoken';

const encoding = get_encoding('gpt2');
assert.deepEqual([...encoding.encode('hello world')], [31373, 995]);
const text = 'Islands 🏝 are tied to the mainland by bars of sand. '.repeat(50);
assert.equal(new TextDecoder().decode(encoding.decode(encoding.encode(text))), text);
encoding.free();
console.log('ok');
