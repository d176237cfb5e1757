// node:v8: serialization in V8's format, and figures of the heap. There is no V8 here: what cannot be told is zero.
const { notImplemented } = require('errors');
const { validateFunction, validateString } = require('validators');
const { Deserializer, Serializer } = require('wire');

// Views by their numbers in what Node serializes.
const views = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'DataView', 'Buffer', 'BigInt64Array', 'BigUint64Array', 'Float16Array'];

class DefaultSerializer extends Serializer {
  constructor() {
    super();
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }
  _writeHostObject(view) {
    if (!$.isView(view)) {
      throw this._getDataCloneError($.text`#<${/** @type {any} */ (view).constructor?.name}> could not be cloned.`);
    }
    const { Buffer } = /** @type {any} */ (require('buffer'));
    const name = view instanceof Buffer ? 'Buffer' : $.tagOf(view) ?? 'DataView';
    this.writeUint32($.indexOf(views, name));
    this.writeUint32($.byteLength(view));
    this.writeRawBytes(view);
  }
}
class DefaultDeserializer extends Deserializer {
  _readHostObject() {
    const name = views[this.readUint32()];
    const length = this.readUint32();
    const bytes = this.readRawBytes(length);
    if (name === 'Buffer' || name === undefined) return bytes;
    const copy = new Uint8Array(length);
    $.set(copy, bytes);
    const Class = $.globals[name] ?? $.real[name];
    return new Class($.buffer(copy), 0, name === 'DataView' ? length : length / Class.BYTES_PER_ELEMENT);
  }
}

function serialize(value) {
  const serializer = new DefaultSerializer();
  serializer.writeHeader();
  serializer.writeValue(value);
  return serializer.releaseBuffer();
}
function deserialize(buffer) {
  const deserializer = new DefaultDeserializer(buffer);
  deserializer.readHeader();
  return deserializer.readValue();
}

const usage = () => /** @type {any} */ (require('process')).process.memoryUsage();
function getHeapStatistics() {
  const { heapTotal, heapUsed, external } = usage();
  const limit = 2 ** 32;
  return {
    total_heap_size: heapTotal, total_heap_size_executable: 0, total_physical_size: heapTotal,
    total_available_size: limit - heapUsed, used_heap_size: heapUsed, heap_size_limit: limit,
    malloced_memory: heapUsed, peak_malloced_memory: heapTotal, does_zap_garbage: 0, number_of_native_contexts: 1,
    number_of_detached_contexts: 0, total_global_handles_size: 0, used_global_handles_size: 0,
    external_memory: external, total_allocated_bytes: heapTotal,
  };
}
const spaces = ['read_only_space', 'new_space', 'old_space', 'code_space', 'shared_space', 'trusted_space',
  'shared_trusted_space', 'new_large_object_space', 'large_object_space', 'code_large_object_space',
  'shared_large_object_space', 'shared_trusted_large_object_space', 'trusted_large_object_space'];
function getHeapSpaceStatistics() {
  const { heapTotal, heapUsed } = usage();
  return $.map(spaces, (name) => {
    const isOld = name === 'old_space';
    return {
      space_name: name, space_size: isOld ? heapTotal : 0, space_used_size: isOld ? heapUsed : 0,
      space_available_size: 0, physical_space_size: isOld ? heapTotal : 0,
    };
  });
}

const absent = (name) => ({ [name]() {
  throw notImplemented($.text`v8.${name}`);
} })[name];
class GCProfiler {
  start() {
    throw notImplemented('v8.GCProfiler');
  }
  stop() {}
}
const startupSnapshot = {
  addDeserializeCallback: absent('startupSnapshot.addDeserializeCallback'),
  addSerializeCallback: absent('startupSnapshot.addSerializeCallback'),
  setDeserializeMainFunction: absent('startupSnapshot.setDeserializeMainFunction'),
  isBuildingSnapshot: () => false,
};
// Nothing calls these hooks, so that taking one away is all that works.
const hook = (callback) => {
  validateFunction(callback, 'hook');
  return () => {};
};
Object.assign(exports, {
  cachedDataVersionTag: () => 0,
  getHeapSnapshot: absent('getHeapSnapshot'),
  getHeapStatistics, getHeapSpaceStatistics,
  getHeapCodeStatistics: () => ({
    code_and_metadata_size: 0, bytecode_and_metadata_size: 0, external_script_source_size: 0, cpu_profiler_metadata_size: 0,
  }),
  getCppHeapStatistics: absent('getCppHeapStatistics'),
  setFlagsFromString(flags) {
    validateString(flags, 'flags');
  },
  Serializer, Deserializer, DefaultSerializer, DefaultDeserializer, deserialize,
  takeCoverage() {}, stopCoverage() {}, serialize,
  writeHeapSnapshot: absent('writeHeapSnapshot'),
  promiseHooks: { createHook: () => () => {}, onInit: hook, onBefore: hook, onAfter: hook, onSettled: hook },
  queryObjects: absent('queryObjects'),
  startupSnapshot,
  setHeapSnapshotNearHeapLimit() {},
  GCProfiler,
  isStringOneByteRepresentation(content) {
    validateString(content, 'content');
    for (let i = 0; i < content.length; i++) if ($.charCodeAt(content, i) > 255) return false;
    return true;
  },
  startCpuProfile: absent('startCpuProfile'),
});
