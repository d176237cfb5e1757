// node:stream/consumers.
const blobOf = async (stream) => {
  const chunks = [];
  for await (const chunk of $.each(stream)) $.push(chunks, chunk);
  return new (require('blob').Blob)(chunks);
};
exports.arrayBuffer = async function arrayBuffer(stream) {
  return (await $.awaited(blobOf(stream))).arrayBuffer();
};
exports.blob = async function blob(stream) {
  return blobOf(stream);
};
exports.buffer = async function buffer(stream) {
  return require('buffer').Buffer.from(await $.awaited(exports.arrayBuffer(stream)));
};
exports.bytes = async function bytes(stream) {
  return new Uint8Array(await $.awaited(exports.arrayBuffer(stream)));
};
exports.text = async function text(stream) {
  const decoder = new (require('encoding').TextDecoder)();
  let text = '';
  for await (const chunk of $.each(stream)) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { __proto__: null, stream: true });
  }
  return text + decoder.decode();
};
exports.json = async function json(stream) {
  return JSON.parse(await $.awaited(exports.text(stream)));
};
