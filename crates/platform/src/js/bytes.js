// Views over whatever kind of buffer a script hands over.
exports.viewOf = (value) => {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
  const tag = Object.prototype.toString.call(value);
  if (tag === '[object ArrayBuffer]' || tag === '[object SharedArrayBuffer]') {
    try {
      return new Uint8Array(value, 0);
    } catch {
      return undefined;
    }
  }
  return undefined;
};
