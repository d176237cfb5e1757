// The format in which V8 serializes values, version 15.
const { invalidArgType } = require('errors');
const { brand, isError, isTypedArray } = require('inspect');
const { BigUint64Array, DataView, Float64Array, RegExp: PlainRegExp } = $.globals;
const VERSION = 15;

const code = (char) => $.charCodeAt(char, 0);
const regexpFlags = ['g', 'i', 'm', 'y', 'u', 's', 'l', 'd', 'v'];
const errorTags = {
  __proto__: null, E: 'EvalError', R: 'RangeError', F: 'ReferenceError', S: 'SyntaxError', T: 'TypeError', U: 'URIError',
};
const viewTags = {
  __proto__: null, b: 'Int8Array', B: 'Uint8Array', C: 'Uint8ClampedArray', w: 'Int16Array', W: 'Uint16Array',
  d: 'Int32Array', D: 'Uint32Array', h: 'Float16Array', f: 'Float32Array', F: 'Float64Array', q: 'BigInt64Array',
  Q: 'BigUint64Array', '?': 'DataView',
};
const tagNamed = (tags, name) => $.find(Object.keys(tags), (tag) => tags[tag] === name);
const failure = (message) => new Error(message);
const valueOf = (kind, value) => $.uncurried($.pristine[$.text`${kind}.prototype`].valueOf)(value);

class Serializer {
  #bytes = new Uint8Array(64);
  #length = 0;
  #ids = new Map();
  #buffers = new Map();
  #viewsAreHosts = false;
  #reserve(count) {
    if (this.#length + count <= $.length(this.#bytes)) return;
    const grown = new Uint8Array(Math.max($.length(this.#bytes) * 2, this.#length + count));
    $.set(grown, $.subarray(this.#bytes, 0, this.#length));
    this.#bytes = grown;
  }
  #byte(value) {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }
  #tag(char) {
    this.#byte(code(char));
  }
  #varint(value) {
    while (value >= 0x80) {
      this.#byte((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    this.#byte(value);
  }
  #raw(bytes) {
    const length = $.length(bytes);
    this.#reserve(length);
    $.set(this.#bytes, bytes, this.#length);
    this.#length += length;
  }
  writeHeader() {
    this.#byte(0xff);
    this.#byte(VERSION);
  }
  writeUint32(value) {
    this.#varint(value >>> 0);
  }
  writeUint64(high, low) {
    let value = ($.real.BigInt(high >>> 0) << 32n) | $.real.BigInt(low >>> 0);
    while (value >= 0x80n) {
      this.#byte(Number(value & 0x7fn) | 0x80);
      value >>= 7n;
    }
    this.#byte(Number(value));
  }
  writeDouble(value) {
    this.#raw($.bytesOf(new Float64Array([value])));
  }
  writeRawBytes(source) {
    if (!$.isView(source) && !(typeof source === 'object' && source !== null && isBuffer(source))) {
      throw invalidArgType('source', 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', source);
    }
    this.#raw($.isView(source) ? $.bytesOf(source) : new Uint8Array(source));
  }
  releaseBuffer() {
    const bytes = new Uint8Array(this.#length);
    $.set(bytes, $.subarray(this.#bytes, 0, this.#length));
    this.#length = 0;
    const { Buffer } = /** @type {any} */ (require('buffer'));
    return Buffer.from($.buffer(bytes));
  }
  transferArrayBuffer(id, buffer) {
    this.#buffers.set(buffer, id >>> 0);
  }
  _setTreatArrayBufferViewsAsHostObjects(mode) {
    this.#viewsAreHosts = Boolean(mode);
  }
  _getDataCloneError(message) {
    return failure(message);
  }
  #string(text) {
    let isNarrow = true;
    for (let i = 0; i < text.length && isNarrow; i++) isNarrow = $.charCodeAt(text, i) < 256;
    if (isNarrow) {
      this.#tag('"');
      this.#varint(text.length);
      this.#reserve(text.length);
      for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = $.charCodeAt(text, i);
      return;
    }
    const size = text.length * 2;
    const digits = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x200000 ? 3 : size < 0x10000000 ? 4 : 5;
    // Two-byte characters begin at an even place.
    if ((this.#length + 1 + digits) % 2 === 1) this.#byte(0);
    this.#tag('c');
    this.#varint(size);
    this.#reserve(size);
    for (let i = 0; i < text.length; i++) {
      const unit = $.charCodeAt(text, i);
      this.#bytes[this.#length++] = unit & 0xff;
      this.#bytes[this.#length++] = unit >> 8;
    }
  }
  #bigint(value) {
    const isNegative = value < 0n;
    let rest = isNegative ? -value : value;
    const words = [];
    while (rest > 0n) {
      $.push(words, rest & 0xffffffffffffffffn);
      rest >>= 64n;
    }
    this.#varint((words.length * 8) << 1 | (isNegative ? 1 : 0));
    for (const word of $.each(words)) this.#raw($.bytesOf(new BigUint64Array([word])));
  }
  writeValue(value) {
    switch (typeof value) {
      case 'undefined': this.#tag('_'); break;
      case 'boolean': this.#tag(value ? 'T' : 'F'); break;
      case 'number':
        if (Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31 && !Object.is(value, -0)) {
          this.#tag('I');
          this.#varint(value < 0 ? -value * 2 - 1 : value * 2);
        } else {
          this.#tag('N');
          this.writeDouble(value);
        }
        break;
      case 'bigint':
        this.#tag('Z');
        this.#bigint(value);
        break;
      case 'string': this.#string(value); break;
      case 'object':
        if (value === null) this.#tag('0');
        else this.#object(value);
        break;
      default: {
        const text = typeof value === 'symbol' ? $.symbolText(value) : $.functionText(value);
        throw /** @type {any} */ (this)._getDataCloneError($.text`${text} could not be cloned.`);
      }
    }
    return true;
  }
  #object(value) {
    // The buffer of a view stands before it.
    if ($.isView(value) && !this.#viewsAreHosts && !this.#ids.has(value)) this.#buffer($.buffer(value));
    const id = this.#ids.get(value);
    if (id !== undefined) {
      this.#tag('^');
      this.#varint(id);
      return;
    }
    this.#ids.set(value, this.#ids.size);
    if ($.isArray(value)) return this.#array(value);
    if ($.isView(value)) return this.#viewsAreHosts ? this.#host(value) : this.#view(value);
    if (brand.Date(value)) {
      this.#tag('D');
      return this.writeDouble($.getTime(value));
    }
    const box = $.find(['Number', 'String', 'Boolean', 'BigInt'], (kind) => brand[kind](value));
    if (box !== undefined) return this.#box(valueOf(box, value));
    if (brand.RegExp(value)) {
      const { 1: source, 2: flags } = $.regex(/^\/([^]*)\/([a-z]*)$/).exec(String(value));
      this.#tag('R');
      this.#string(source);
      return this.#varint(this.#flagBits(flags));
    }
    if (brand.Map(value)) {
      const entries = [...$.eachIn(value, 'Map')];
      this.#tag(';');
      for (const { 0: key, 1: item } of $.each(entries)) {
        this.writeValue(key);
        this.writeValue(item);
      }
      this.#tag(':');
      return this.#varint(entries.length * 2);
    }
    if (brand.Set(value)) {
      const items = [...$.eachIn(value, 'Set')];
      this.#tag("'");
      for (const item of $.each(items)) this.writeValue(item);
      this.#tag(',');
      return this.#varint(items.length);
    }
    if (brand.ArrayBuffer(value) || brand.SharedArrayBuffer(value)) return this.#buffer(value, true);
    if (isError(value)) return this.#error(value);
    const kind = $.textOf(value);
    if (isHost(value, kind)) return this.#host(value);
    this.#tag('o');
    const count = this.#properties(value, Object.keys(value));
    this.#tag('{');
    return this.#varint(count);
  }
  #flagBits(flags) {
    let bits = 0;
    $.forEach(regexpFlags, (flag, i) => {
      if ($.includes(flags, flag)) bits += 2 ** i;
    });
    return bits;
  }
  #properties(value, keys) {
    let count = 0;
    for (const key of $.each(keys)) {
      // A getter may have removed it.
      if (!Object.hasOwn(value, key)) continue;
      if ($.regex(/^(0|[1-9]\d{0,8})$/).test(key)) this.writeValue(+key);
      else this.#string(key);
      this.writeValue(value[key]);
      count++;
    }
    return count;
  }
  #array(value) {
    const { length } = value;
    const isDense = Object.keys(value).length >= length && $.every($.slice(Object.keys(value), 0, length), (key, i) => +key === i);
    if (isDense) {
      this.#tag('A');
      this.#varint(length);
      for (let i = 0; i < length; i++) {
        if (Object.hasOwn(value, i)) this.writeValue(value[i]);
        else this.#tag('-');
      }
    } else {
      this.#tag('a');
      this.#varint(length);
    }
    const count = this.#properties(value, $.slice(Object.keys(value), isDense ? length : 0));
    this.#tag(isDense ? '$' : '@');
    this.#varint(count);
    this.#varint(length);
  }
  #box(value) {
    if (typeof value === 'boolean') return this.#tag(value ? 'y' : 'x');
    if (typeof value === 'number') {
      this.#tag('n');
      return this.writeDouble(value);
    }
    this.#tag(typeof value === 'bigint' ? 'z' : 's');
    return typeof value === 'bigint' ? this.#bigint(value) : this.#string(value);
  }
  #buffer(buffer, isKnown = false) {
    if (!isKnown) {
      if (this.#ids.has(buffer)) return;
      this.#ids.set(buffer, this.#ids.size);
    }
    if (brand.SharedArrayBuffer(buffer)) throw this._getDataCloneError('#<SharedArrayBuffer> could not be cloned.');
    const transferred = this.#buffers.get(buffer);
    if (transferred !== undefined) {
      this.#tag('t');
      this.#varint(transferred);
      return;
    }
    if ($.isDetached(buffer)) throw this._getDataCloneError('An ArrayBuffer is detached and could not be cloned.');
    const bytes = new Uint8Array(buffer);
    this.#tag('B');
    this.#varint($.length(bytes));
    this.#raw(bytes);
  }
  #view(view) {
    this.#tag('V');
    this.#tag(tagNamed(viewTags, isTypedArray(view) ? $.tagOf(view) : 'DataView'));
    this.#varint($.byteOffset(view));
    this.#varint($.byteLength(view));
    this.#varint(0);
  }
  #error(error) {
    this.#tag('r');
    const tag = tagNamed(errorTags, error.name);
    if (tag !== undefined) this.#tag(tag);
    if (Object.hasOwn(error, 'message')) {
      this.#tag('m');
      this.#string($.text`${error.message}`);
    }
    this.#tag('s');
    this.#string($.text`${error.stack}`);
    if (Object.hasOwn(error, 'cause')) {
      this.#tag('c');
      this.writeValue(error.cause);
    }
    this.#tag('.');
  }
  #host(value) {
    const it = /** @type {any} */ (this);
    if (typeof it._writeHostObject !== 'function') {
      throw it._getDataCloneError($.text`#<${value.constructor?.name ?? 'Object'}> could not be cloned.`);
    }
    this.#tag('\\');
    it._writeHostObject(value);
  }
}
const isBuffer = (value) => brand.ArrayBuffer(value) || brand.SharedArrayBuffer(value);
/** Objects of a class that is not JavaScript's own and cannot be written as its properties. */
const isHost = (value, kind) => kind !== '[object Object]' && kind !== '[object Arguments]' && (
  brand.WeakMap(value) || brand.WeakSet(value) || require('inspect').isPromise(value) ||
  require('inspect').isProxy(value));

class Deserializer {
  #bytes;
  #at = 0;
  #version = 0;
  #objects = [];
  #buffers = new Map();
  constructor(buffer) {
    if (!$.isView(buffer)) {
      throw invalidArgType('buffer', 'an instance of Buffer, TypedArray, or DataView', buffer);
    }
    /** @type {any} */ (this).buffer = buffer;
    this.#bytes = $.bytesOf(buffer);
  }
  #byte() {
    if (this.#at >= $.length(this.#bytes)) throw new Error('Unable to deserialize cloned data.');
    return this.#bytes[this.#at++];
  }
  #peek() {
    return this.#at < $.length(this.#bytes) ? $.fromCharCode(this.#bytes[this.#at]) : '';
  }
  #varint() {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
  #take(count) {
    if (count > $.length(this.#bytes) - this.#at) throw new Error('Unable to deserialize cloned data.');
    const part = $.subarray(this.#bytes, this.#at, this.#at + count);
    this.#at += count;
    return part;
  }
  /** A copy of so many bytes. */
  #copy(count) {
    const part = this.#take(count);
    const made = new Uint8Array(count);
    $.set(made, part);
    return made;
  }
  readHeader() {
    if (this.#peek() === '\u00ff') {
      this.#at++;
      this.#version = this.#varint();
      if (this.#version <= VERSION) return true;
    }
    throw new Error('Unable to deserialize cloned data due to invalid or unsupported version.');
  }
  getWireFormatVersion() {
    return this.#version;
  }
  readUint32() {
    return this.#varint() % 2 ** 32;
  }
  readUint64() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= $.real.BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return [Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn)];
  }
  readDouble() {
    return new Float64Array($.buffer(this.#copy(8)))[0];
  }
  _readRawBytes(length) {
    const at = this.#at;
    this.#take(length);
    return at;
  }
  readRawBytes(length) {
    const at = this._readRawBytes(length);
    const { Buffer } = /** @type {any} */ (require('buffer'));
    return Buffer.from($.buffer(this.#bytes), $.byteOffset(this.#bytes) + at, length);
  }
  transferArrayBuffer(id, buffer) {
    this.#buffers.set(id >>> 0, buffer);
  }
  #keep(object) {
    $.push(this.#objects, object);
    return object;
  }
  #string(tag) {
    if (tag === '"') {
      const bytes = this.#take(this.#varint());
      let text = '';
      for (let i = 0; i < $.length(bytes); i++) text += $.fromCharCode(bytes[i]);
      return text;
    }
    if (tag === 'S') return new (require('encoding').TextDecoder)().decode(this.#take(this.#varint()));
    const bytes = this.#take(this.#varint());
    let text = '';
    for (let i = 0; i + 1 < $.length(bytes); i += 2) text += $.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return text;
  }
  #bigint() {
    const bits = this.#varint();
    const bytes = this.#take(Math.floor(bits / 2));
    let value = 0n;
    for (let i = $.length(bytes) - 1; i >= 0; i--) value = (value << 8n) | $.real.BigInt(bytes[i]);
    return bits % 2 === 1 ? -value : value;
  }
  readValue() {
    const value = this.#read();
    return this.#peek() === 'V' && isBuffer(value ?? 0) ? this.#view(value) : value;
  }
  #read() {
    let tag = $.fromCharCode(this.#byte());
    while (tag === '\0') tag = $.fromCharCode(this.#byte());
    switch (tag) {
      case '_': return undefined;
      case '0': return null;
      case 'T': return true;
      case 'F': return false;
      case 'I': {
        const value = this.#varint();
        return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
      }
      case 'U': return this.#varint();
      case 'N': return this.readDouble();
      case 'Z': return this.#bigint();
      case '"': case 'c': case 'S': return this.#string(tag);
      case '^': {
        const id = this.#varint();
        if (id >= this.#objects.length) throw new Error('Unable to deserialize cloned data.');
        return this.#objects[id];
      }
      case 'o': return this.#properties(this.#keep({}), '{', 1);
      case 'A': {
        const length = this.#varint();
        if (length > $.length(this.#bytes)) throw new Error('Unable to deserialize cloned data.');
        const array = this.#keep(new Array(length));
        for (let i = 0; i < length; i++) {
          if (this.#peek() === '-') this.#at++;
          else put(array, i, this.readValue());
        }
        return this.#properties(array, '$', 2);
      }
      case 'a': {
        const array = this.#keep([]);
        array.length = this.#varint();
        return this.#properties(array, '@', 2);
      }
      case 'D': return this.#keep(new Date(this.readDouble()));
      case 'y': case 'x': return this.#keep($.real.Object(tag === 'y'));
      case 'n': return this.#keep($.real.Object(this.readDouble()));
      case 'z': return this.#keep($.real.Object(this.#bigint()));
      case 's': return this.#keep($.real.Object(this.#string($.fromCharCode(this.#byte()))));
      case 'R': {
        const source = this.readValue();
        const bits = this.#varint();
        const flags = $.join($.filter(regexpFlags, (flag, i) => Math.floor(bits / 2 ** i) % 2 === 1), '');
        return this.#keep(new PlainRegExp(source, flags));
      }
      case ';': {
        const map = this.#keep(new $.real.Map());
        const set = $.uncurried($.pristine['Map.prototype'].set);
        while (this.#peek() !== ':') set(map, this.readValue(), this.readValue());
        this.#at++;
        this.#varint();
        return map;
      }
      case "'": {
        const set = this.#keep(new $.real.Set());
        const add = $.uncurried($.pristine['Set.prototype'].add);
        while (this.#peek() !== ',') add(set, this.readValue());
        this.#at++;
        this.#varint();
        return set;
      }
      case 'B': return this.#keep($.buffer(this.#copy(this.#varint())));
      case 't': {
        const buffer = this.#buffers.get(this.#varint());
        if (buffer === undefined) throw new Error('Unable to deserialize cloned data.');
        return this.#keep(buffer);
      }
      case 'r': return this.#error();
      case '\\': {
        const id = this.#objects.length;
        $.push(this.#objects, undefined);
        const value = /** @type {any} */ (this)._readHostObject();
        this.#objects[id] = value;
        return value;
      }
      default: throw new Error('Unable to deserialize cloned data.');
    }
  }
  #properties(object, end, numbers) {
    while (this.#peek() !== end) {
      const key = this.readValue();
      put(object, key, this.readValue());
    }
    this.#at++;
    for (let i = 0; i < numbers; i++) this.#varint();
    return object;
  }
  #view(buffer) {
    this.#at++;
    const name = viewTags[$.fromCharCode(this.#byte())];
    const { 0: offset, 1: length } = [this.#varint(), this.#varint()];
    if (this.#version >= 14) this.#varint();
    const Class = name === 'DataView' ? DataView : name === undefined ? undefined : $.globals[name];
    if (Class === undefined) throw new Error('Unable to deserialize cloned data.');
    const size = Class === DataView ? 1 : Class.BYTES_PER_ELEMENT;
    return this.#keep(new Class(buffer, offset, length / size));
  }
  #error() {
    const id = this.#objects.length;
    $.push(this.#objects, undefined);
    let Class = $.real.Error;
    let message;
    let stack;
    /** @type {{ cause: unknown } | undefined} */
    let options;
    for (;;) {
      const tag = $.fromCharCode(this.#byte());
      if (tag === '.') break;
      if (errorTags[tag] !== undefined) Class = $.real[errorTags[tag]] ?? Class;
      else if (tag === 'm') message = this.readValue();
      else if (tag === 's') stack = this.readValue();
      else if (tag === 'c') options = { cause: this.readValue() };
      else throw new Error('Unable to deserialize cloned data.');
    }
    const error = options === undefined ? new Class(message) : new Class(message, options);
    Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true });
    this.#objects[id] = error;
    return error;
  }
}
const put = (object, key, value) =>
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
exports.Serializer = Serializer;
exports.Deserializer = Deserializer;
