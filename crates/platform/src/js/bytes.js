// Views over the buffers that a script hands over.
const { brand } = require('inspect');

exports.viewOf = (value) => {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return brand.ArrayBuffer(value) ? new Uint8Array(value) : undefined;
};
