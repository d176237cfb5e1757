// Builds the small modules of the tests. Numbers are given as they are meant; code is a (nested) list of bytes and byte
// arrays, for which `op` has the instructions. Imports come before the definitions of their kind, since they take the
// first indices.
//
//     const b = new WasmBuilder();
//     const host = b.importFunc('host', 'f', ['i32'], []);
//     b.func(['i32'], ['i32'], [op.localGet(0), op.call(host), op.i32(7)], { export: 'seven' });
//     const { exports } = b.instance({ host: { f() {} } });

const VALUE_TYPES = {
  i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f, exnref: 0x69, anyref: 0x6e,
  eqref: 0x6d, i31ref: 0x6c, structref: 0x6b, arrayref: 0x6a, nullref: 0x71, nullexternref: 0x72, nullfuncref: 0x73,
  nullexnref: 0x74,
};
const KINDS = { function: 0, table: 1, memory: 2, global: 3, tag: 4 };
const SECTIONS = {
  type: 1, import: 2, function: 3, table: 4, memory: 5, tag: 13, global: 6, export: 7, start: 8, elem: 9, dataCount: 12,
  code: 10, data: 11,
};
const SECTION_ORDER = Object.keys(SECTIONS);

/** Unsigned LEB128, for numbers up to 2^53 and BigInts. */
export function u32(value) {
  const out = [];
  for (let rest = BigInt(value); ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === 0n) return [...out, low];
    out.push(low | 0x80);
  }
}

/** Signed LEB128. */
export function s64(value) {
  const out = [];
  for (let rest = BigInt(value); ;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && !(low & 0x40)) || (rest === -1n && low & 0x40)) return [...out, low];
    out.push(low | 0x80);
  }
}

const HEAP_TYPES = {
  func: 0x70, extern: 0x6f, any: 0x6e, eq: 0x6d, i31: 0x6c, struct: 0x6b, array: 0x6a, exn: 0x69,
  none: 0x71, noextern: 0x72, nofunc: 0x73, noexn: 0x74,
};

const bytesOf = (array) => [...new Uint8Array(array.buffer)];
const utf8 = (text) => [...new TextEncoder().encode(text)];
const name = (text) => { const bytes = typeof text === 'string' ? utf8(text) : text; return [u32(bytes.length), bytes]; };
const vec = (items) => [u32(items.length), items];
const valueType = (type) => (Array.isArray(type) ? type
  : VALUE_TYPES[type] ?? (() => { throw new Error(`no value type ${type}`); })());
const heapType = (heap) => (typeof heap === 'number' ? s64(heap) : [HEAP_TYPES[heap] ?? valueType(heap)]);

/**
 * A reference type that has no name: to the type at an index, or not nullable (`ref('func')`, the same as
 * `ref('funcref')`).
 */
export const ref = (heap, { nullable = false } = {}) => [nullable ? 0x63 : 0x64, ...heapType(heap)];
/** The nullable one. */
export const refNull = (heap) => ref(heap, { nullable: true });

const STORAGE_TYPES = { i8: 0x78, i16: 0x77 };
const fieldType = (type, mutable) => [STORAGE_TYPES[type] ?? valueType(type), mutable ? 1 : 0];
/** The bytes of types, for `rawType`: they may name types of their own group. */
export const funcTypeBytes = (params, results) => [0x60, vec(params.map(valueType)), vec(results.map(valueType))];
export const structTypeBytes = (fields, mutable = true) => [0x5f, vec(fields.map((type) => fieldType(type, mutable)))];
export const arrayTypeBytes = (element, mutable = true) => [0x5e, fieldType(element, mutable)];
/** A type that may have subtypes, below `supers`. */
export const subTypeBytes = (bytes, ...supers) => [0x50, vec(supers.map(u32)), bytes];
/** A group of types that may name each other. */
export const groupBytes = (...types) => [0x4e, vec(types)];
const blockType = (type) => {
  if (type === 'void') return 0x40;
  return typeof type === 'number' ? s64(type) : valueType(type);
};

/** A list of lists of … of bytes and Uint8Arrays, as one Uint8Array. (A stack of its own: some trees are deep.) */
function flatten(tree) {
  let out = new Uint8Array(64);
  let length = 0;
  const reserve = (count) => {
    if (length + count <= out.length) return;
    const larger = new Uint8Array(Math.max(length + count, 2 * out.length));
    larger.set(out);
    out = larger;
  };
  const stack = [[tree, 0]];
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    const [list, index] = top;
    if (index === list.length) {
      stack.pop();
      continue;
    }
    const item = list[index];
    top[1] += 1;
    if (typeof item === 'number') {
      reserve(1);
      out[length++] = item;
    } else if (item instanceof Uint8Array) {
      reserve(item.length);
      out.set(item, length);
      length += item.length;
    } else if (Array.isArray(item)) {
      stack.push([item, 0]);
    } else {
      throw new Error(`${item} is no byte`);
    }
  }
  return out.slice(0, length);
}

/** `{ min, max?, shared?, address? }`, as a descriptor of the JavaScript API would say `initial` and `maximum`. */
function limits({ min = 0, max, shared = false, address = 'i32' }) {
  const flags = (max === undefined ? 0 : 1) | (shared ? 2 : 0) | (address === 'i64' ? 4 : 0);
  return [flags, u32(min), max === undefined ? [] : u32(max)];
}
const tableType = ({ element = 'funcref', ...rest }) => [valueType(element), limits(rest)];
const globalType = ({ type, mutable = false }) => [valueType(type), mutable ? 1 : 0];

/**
 * Instructions. A constant expression is the same without the `end`, which the builder adds. The type of a block is a
 * value type, or the index of a function type.
 */
export const op = {
  unreachable: [0x00], nop: [0x01], else: [0x05], end: [0x0b], return: [0x0f], drop: [0x1a],
  block: (type = 'void') => [0x02, blockType(type)],
  loop: (type = 'void') => [0x03, blockType(type)],
  if: (type = 'void') => [0x04, blockType(type)],
  br: (depth) => [0x0c, u32(depth)],
  brIf: (depth) => [0x0d, u32(depth)],
  call: (index) => [0x10, u32(index)],
  callIndirect: (type, table = 0) => [0x11, u32(type), u32(table)],
  returnCall: (index) => [0x12, u32(index)],
  localGet: (index) => [0x20, u32(index)],
  localSet: (index) => [0x21, u32(index)],
  globalGet: (index) => [0x23, u32(index)],
  globalSet: (index) => [0x24, u32(index)],
  tableGet: (index) => [0x25, u32(index)],
  tableSet: (index) => [0x26, u32(index)],
  tableGrow: (index) => [0xfc, 0x0f, u32(index)],
  tableSize: (index) => [0xfc, 0x10, u32(index)],
  load8: (offset = 0) => [0x2d, 0, u32(offset)],
  store8: (offset = 0) => [0x3a, 0, u32(offset)],
  load32: (offset = 0) => [0x28, 2, u32(offset)],
  store32: (offset = 0) => [0x36, 2, u32(offset)],
  memorySize: (index = 0) => [0x3f, u32(index)],
  memoryGrow: (index = 0) => [0x40, u32(index)],
  i32: (value) => [0x41, s64(value)],
  i64: (value) => [0x42, s64(value)],
  f32: (value) => [0x43, bytesOf(Float32Array.of(value))],
  f64: (value) => [0x44, bytesOf(Float64Array.of(value))],
  i32Eqz: [0x45], i32Add: [0x6a], i32Sub: [0x6b], i32Mul: [0x6c], i32DivS: [0x6d], i32TruncF64: [0xaa],
  i64Add: [0x7c], f64Add: [0xa0],
  refNull: (type) => [0xd0, typeof type === 'number' ? s64(type) : valueType(type)],
  refIsNull: [0xd1],
  refFunc: (index) => [0xd2, u32(index)],
  arrayNewDefault: (type) => [0xfb, 0x07, u32(type)],
  arrayNewFixed: (type, count) => [0xfb, 0x08, u32(type), u32(count)],
  arrayGetU: (type) => [0xfb, 0x0d, u32(type)],
  arraySet: (type) => [0xfb, 0x0e, u32(type)],
  arrayLen: [0xfb, 0x0f],
  throw: (tag) => [0x08, u32(tag)],
  throwRef: [0x0a],
  /**
   * A block whose exceptions go to labels: `{ tag?, depth, ref? }` each, no tag for all, `ref` for the exnref as well.
   */
  tryTable: (type, ...clauses) => [0x1f, blockType(type), vec(clauses.map(({ tag, depth, ref = false }) =>
    (tag === undefined ? [ref ? 3 : 2, u32(depth)] : [ref ? 1 : 0, u32(tag), u32(depth)])))],
  // Legacy exception handling.
  try: (type = 'void') => [0x06, blockType(type)],
  catch: (tag) => [0x07, u32(tag)],
  catchAll: [0x19],
  rethrow: (depth) => [0x09, u32(depth)],
  delegate: (depth) => [0x18, u32(depth)],
  callRef: (type) => [0x14, u32(type)],
  returnCallRef: (type) => [0x15, u32(type)],
  localTee: (index) => [0x22, u32(index)],
  tableInit: (segment, table = 0) => [0xfc, 0x0c, u32(segment), u32(table)],
  tableCopy: (to, from) => [0xfc, 0x0e, u32(to), u32(from)],
  tableFill: (index) => [0xfc, 0x11, u32(index)],
  refEq: [0xd3],
  refAsNonNull: [0xd4],
  structNew: (type) => [0xfb, 0x00, u32(type)],
  structNewDefault: (type) => [0xfb, 0x01, u32(type)],
  structGet: (type, field) => [0xfb, 0x02, u32(type), u32(field)],
  structSet: (type, field) => [0xfb, 0x05, u32(type), u32(field)],
  refTest: (heap) => [0xfb, 0x14, heapType(heap)],
  refCast: (heap) => [0xfb, 0x16, heapType(heap)],
  /** Branches where what is on the stack, a `from` or null, is a `to` and not null. */
  brOnCast: (depth, from, to) => [0xfb, 0x18, 1, u32(depth), heapType(from), heapType(to)],
  anyConvertExtern: [0xfb, 0x1a],
  externConvertAny: [0xfb, 0x1b],
  refI31: [0xfb, 0x1c],
  i31GetS: [0xfb, 0x1d],
};

export class WasmBuilder {
  #types = [];
  #imports = [];
  #counts = { function: 0, table: 0, memory: 0, global: 0, tag: 0 };
  #defined = { function: [], table: [], memory: [], global: [], tag: [] };
  #code = [];
  #exports = [];
  #start;
  #elements = [];
  #data = [];
  #customs = [];

  /** The index of a function type, which is added if it is new. */
  type(params, results) {
    const key = JSON.stringify(funcTypeBytes(params, results));
    const found = this.#types.indexOf(key);
    return found !== -1 ? found : this.#types.push(key) - 1;
  }
  /** The index of a new type: the bytes of one entry of the type section, or of the last of `count` in a group. */
  rawType(bytes, count = 1) {
    this.#types.push(JSON.stringify(bytes), ...new Array(count - 1).fill(''));
    return this.#types.length - 1;
  }
  /** The index of a new array type, of `i8`, `i16` or a value type. */
  arrayType(element, mutable = true) {
    return this.rawType(arrayTypeBytes(element, mutable));
  }
  /** The index of a new struct type. */
  structType(fields, mutable = true) { return this.rawType(structTypeBytes(fields, mutable)); }

  #import(kind, module, field, description) {
    if (this.#defined[kind].length > 0) throw new Error(`import of a ${kind} after a definition`);
    this.#imports.push([name(module), name(field), KINDS[kind], description]);
    return this.#counts[kind]++;
  }

  importFunc(module, field, params = [], results = []) {
    return this.#import('function', module, field, u32(this.type(params, results)));
  }
  /** As `importFunc`, of a type that is there already. */
  importFuncOf(module, field, type) { return this.#import('function', module, field, u32(type)); }
  importTable(module, field, type) { return this.#import('table', module, field, tableType(type)); }
  importMemory(module, field, type) { return this.#import('memory', module, field, limits(type)); }
  importGlobal(module, field, type, mutable = false) {
    return this.#import('global', module, field, globalType({ type, mutable }));
  }
  importTag(module, field, params = []) {
    return this.#import('tag', module, field, [0, u32(this.type(params, []))]);
  }

  #define(kind, description, exportName) {
    this.#defined[kind].push(description);
    const index = this.#counts[kind]++;
    if (exportName !== undefined) this.export(exportName, kind, index);
    return index;
  }

  /** A function; `body` without its last `end`. Options: `export`, a name, and `locals`, a list of value types. */
  func(params, results, body, options = {}) { return this.funcOf(this.type(params, results), body, options); }
  /** As `func`, of a type that is there already. */
  funcOf(type, body, options = {}) {
    const locals = (options.locals ?? []).map((type) => [1, valueType(type)]);
    const code = flatten([vec(locals), body, op.end]);
    this.#code.push([u32(code.length), code]);
    return this.#define('function', u32(type), options.export);
  }
  /** A table; the option `init` is a constant expression for its elements. */
  table(type, options = {}) {
    const bytes = tableType(type);
    const description = options.init === undefined ? bytes : [0x40, 0x00, bytes, options.init, op.end];
    return this.#define('table', description, options.export);
  }
  memory(type, options = {}) { return this.#define('memory', limits(type), options.export); }
  /** A global with the constant expression `init`. */
  global(type, init, options = {}) {
    return this.#define('global', [globalType({ type, mutable: options.mutable }), init, op.end], options.export);
  }
  tag(params, options = {}) { return this.#define('tag', [0, u32(this.type(params, []))], options.export); }

  export(exportName, kind, index) {
    this.#exports.push([name(exportName), KINDS[kind], u32(index)]);
    return this;
  }
  start(index) { this.#start = index; return this; }

  /** An active segment of functions for `table`, from `offset` (a number or a constant expression). */
  elem(table, offset, functions) {
    const at = typeof offset === 'number' ? op.i32(offset) : offset;
    this.#elements.push([2, u32(table), at, op.end, 0, vec(functions.map(u32))]);
    return this;
  }
  /** A passive segment of constant expressions; its index. */
  passiveElem(type, expressions) {
    this.#elements.push([5, valueType(type), vec(expressions.map((expression) => [expression, op.end]))]);
    return this.#elements.length - 1;
  }
  /** Functions that `ref.func` may name. */
  declare(...functions) { this.#elements.push([3, 0, vec(functions.map(u32))]); return this; }
  /** An active segment of bytes for memory 0. */
  data(offset, bytes) {
    const at = typeof offset === 'number' ? op.i32(offset) : offset;
    this.#data.push([0, at, op.end, u32(bytes.length), [...bytes]]);
    return this;
  }
  /** A custom section at the end, or before the standard section that `options.before` names. */
  custom(sectionName, bytes, options = {}) {
    this.#customs.push({ before: options.before, bytes: [name(sectionName), [...bytes]] });
    return this;
  }
  /** The custom section "name" with names of functions: `{ index: name }`. */
  functionNames(names) {
    const entries = vec(Object.entries(names).map(([index, text]) => [u32(index), name(text)]));
    const size = flatten(entries).length;
    return this.custom('name', flatten([1, u32(size), entries]));
  }

  /** The module's bytes. */
  bytes() {
    const out = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    const add = (id, contents) => {
      const bytes = flatten(contents);
      out.push(id, u32(bytes.length), bytes);
    };
    const types = this.#types.filter((key) => key !== '').map((key) => JSON.parse(key));
    const contents = {
      type: types, import: this.#imports, ...this.#defined, export: this.#exports, elem: this.#elements,
      code: this.#code, data: this.#data,
    };
    for (const section of SECTION_ORDER) {
      for (const custom of this.#customs) if (custom.before === section) add(0, custom.bytes);
      if (section === 'start') { if (this.#start !== undefined) add(SECTIONS.start, [u32(this.#start)]); continue; }
      const items = contents[section] ?? [];
      if (items.length > 0) add(SECTIONS[section], [vec(items)]);
    }
    for (const custom of this.#customs) if (custom.before === undefined) add(0, custom.bytes);
    return flatten(out);
  }

  module(options) { return new WebAssembly.Module(this.bytes(), options); }
  instance(imports, options) { return new WebAssembly.Instance(this.module(options), imports); }
}

/** The smallest module: a header and nothing more. */
export const emptyModule = () => new WasmBuilder().bytes();

/** An exported function made of a body alone: for tests that need some wasm function. */
export function wasmFunction(params, results, body) {
  const b = new WasmBuilder();
  b.func(params, results, body, { export: 'f' });
  return b.instance().exports.f;
}
