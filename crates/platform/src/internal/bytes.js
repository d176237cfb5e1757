// Views of the buffers that a script passes to us.
const lengths = [$.pristine['ArrayBuffer.prototype'].byteLength, $.pristine['SharedArrayBuffer.prototype'].byteLength];

const has = (getter, value) => {
  if (typeof value !== 'object' || value === null) return false;
  try {
    Reflect.apply(getter, value, []);
    return true;
  } catch {
    return false;
  }
};
const { 0: isArrayBuffer, 1: isSharedArrayBuffer } = $.map(lengths, (getter) => (value) => has(getter, value));

// ArrayBuffers that must not be transferred.
exports.untransferable = new WeakSet();
exports.isArrayBuffer = isArrayBuffer;
exports.isSharedArrayBuffer = isSharedArrayBuffer;
exports.viewOf = (value) => {
  if ($.isView(value)) return $.bytesOf(value);
  return isArrayBuffer(value) || isSharedArrayBuffer(value) ? new Uint8Array(value) : undefined;
};
// The prototypes of classes of the platform whose objects structured clone refuses, as far as they are in use.
exports.unserializable = new WeakSet();
