import assert from 'node:assert/strict';
import * as ort from 'onnxruntime-web';

// A model as the protocol buffer that ONNX is: C = A × B + A, of matrices with two rows and columns.
const number = (value) => value < 128 ? [value] : [value % 128 + 128, ...number(Math.floor(value / 128))];
const integer = (field, value) => [...number(field * 8), ...number(value)];
const bytes = (field, ...parts) => {
  const body = parts.flat();
  return [...number(field * 8 + 2), ...number(body.length), ...body];
};
const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
const node = (operator, inputs, output) =>
  bytes(1, ...inputs.map((input) => text(1, input)), text(2, output), text(4, operator));
const shape = bytes(2, bytes(1, integer(1, 2)), bytes(1, integer(1, 2)));
const value = (field, name) => bytes(field, text(1, name), bytes(2, bytes(1, integer(1, 1), shape)));
const graph = bytes(
  7, node('MatMul', ['A', 'B'], 'P'), node('Add', ['P', 'A'], 'C'), text(2, 'graph'),
  value(11, 'A'), value(11, 'B'), value(12, 'C'),
);
const model = Uint8Array.from([integer(1, 8), graph, bytes(8, text(1, ''), integer(2, 13))].flat());

const session = await ort.InferenceSession.create(model);
assert.deepEqual(session.inputNames, ['A', 'B']);
const A = new ort.Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]);
const B = new ort.Tensor('float32', Float32Array.of(5, 6, 7, 8), [2, 2]);
const { C } = await session.run({ A, B });
assert.deepEqual([...C.data], [20, 24, 46, 54]);
await session.release();
await assert.rejects(ort.InferenceSession.create(Uint8Array.of(1, 2, 3)));
console.log('ok');
