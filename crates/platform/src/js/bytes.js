// Views over the buffers that a script hands over.
const lengths = [ArrayBuffer, SharedArrayBuffer].map(
  ({ prototype }) => Object.getOwnPropertyDescriptor(prototype, 'byteLength').get);

const has = (getter, value) => {
  if (typeof value !== 'object' || value === null) return false;
  try {
    getter.call(value);
    return true;
  } catch {
    return false;
  }
};
const [isArrayBuffer, isSharedArrayBuffer] = lengths.map((getter) => (value) => has(getter, value));

exports.isSharedArrayBuffer = isSharedArrayBuffer;
exports.viewOf = (value) => {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isArrayBuffer(value) || isSharedArrayBuffer(value) ? new Uint8Array(value) : undefined;
};
