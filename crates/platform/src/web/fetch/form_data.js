// FormData (XMLHttpRequest Standard, §5), and multipart/form-data (RFC 7578, HTML Standard §4.10.22.7).
/**
 * What Rust provides.
 * @type {{
 *   parse(bytes: Uint8Array, boundary: string): [string, string | null, string | null, number, number][] | undefined,
 * }}
 */
const native = rust;
const { asInterface } = require('web_streams_shared');
const { needArgs } = require('headers');
const { inspect } = require('lazy_inspect');
const { invalidArgType } = require('errors');
let entriesOf;
const blobs = () => require('blob');
const isBlob = (value) => typeof value === 'object' && value !== null && value instanceof blobs().Blob;
const usv = (value) => $.toWellFormed($.text`${value}`);

// "Create an entry": a Blob becomes a File.
const toEntry = (name, value, filename, hasFilename) => {
  if (!isBlob(value)) return { name: usv(name), value: usv(value) };
  const { File } = blobs();
  if (value instanceof File && !hasFilename) return { name: usv(name), value };
  const { type, lastModified = $.now() } = value;
  const fileName = hasFilename ? usv(filename) : 'blob';
  return { name: usv(name), value: new File([value], fileName, { __proto__: null, type, lastModified }) };
};

class FormData {
  #entries = [];
  constructor(form = undefined) {
    if (form !== undefined) throw invalidArgType('form', 'of type undefined', form);
  }
  static {
    entriesOf = (value, place) => {
      if (Object(value) !== value || !(#entries in value)) {
        throw new TypeError($.text`${place}: \`this\` is not a FormData`);
      }
      return value.#entries;
    };
  }
  append(name, value, filename = undefined) {
    const place = 'FormData.append';
    const entries = entriesOf(this, place);
    needArgs(arguments.length, 2, place);
    if (arguments.length > 2 && !isBlob(value)) throw new TypeError($.text`${place}: argument 2 must be a Blob`);
    $.push(entries, toEntry(name, value, filename, filename !== undefined));
  }
  delete(name) {
    const entries = entriesOf(this, 'FormData.delete');
    needArgs(arguments.length, 1, 'FormData.delete');
    name = usv(name);
    const kept = $.filter(entries, (entry) => entry.name !== name);
    entries.length = 0;
    $.push(entries, ...$.each(kept));
  }
  get(name) {
    const entries = entriesOf(this, 'FormData.get');
    needArgs(arguments.length, 1, 'FormData.get');
    name = usv(name);
    return $.find(entries, (entry) => entry.name === name)?.value ?? null;
  }
  getAll(name) {
    const entries = entriesOf(this, 'FormData.getAll');
    needArgs(arguments.length, 1, 'FormData.getAll');
    name = usv(name);
    return $.map($.filter(entries, (entry) => entry.name === name), ({ value }) => value);
  }
  has(name) {
    const entries = entriesOf(this, 'FormData.has');
    needArgs(arguments.length, 1, 'FormData.has');
    name = usv(name);
    return $.some(entries, (entry) => entry.name === name);
  }
  set(name, value, filename = undefined) {
    const place = 'FormData.set';
    const entries = entriesOf(this, place);
    needArgs(arguments.length, 2, place);
    if (arguments.length > 2 && !isBlob(value)) throw new TypeError($.text`${place}: argument 2 must be a Blob`);
    const entry = toEntry(name, value, filename, filename !== undefined);
    const first = $.findIndex(entries, (each) => each.name === entry.name);
    const kept = $.filter(entries, (each, i) => each.name !== entry.name || i === first);
    if (first === -1) $.push(kept, entry);
    else kept[first] = entry;
    entries.length = 0;
    $.push(entries, ...$.each(kept));
  }
  entries() {
    return iterate(this, 'FormData.entries', ({ name, value }) => [name, value]);
  }
  keys() {
    return iterate(this, 'FormData.keys', ({ name }) => name);
  }
  values() {
    return iterate(this, 'FormData.values', ({ value }) => value);
  }
  forEach(callback, thisArg = globalThis) {
    const entries = entriesOf(this, 'FormData.forEach');
    needArgs(arguments.length, 1, 'FormData.forEach');
    if (typeof callback !== 'function') {
      throw new TypeError($.text`FormData.forEach: argument 1 must be a function, got ${typeof callback}`);
    }
    for (let i = 0; i < entries.length; i++) {
      Reflect.apply(callback, thisArg, [entries[i].value, entries[i].name, this]);
    }
  }
}

// WebIDL's default iterator objects, which are live.
class FormDataIterator {
  #entries;
  #pick;
  #index = 0;
  constructor(entries, pick) {
    this.#entries = entries;
    this.#pick = pick;
  }
  next() {
    if (Object(this) !== this || !(#entries in this)) {
      throw new TypeError('FormData Iterator.next: `this` is not a FormData Iterator');
    }
    if (this.#index >= this.#entries.length) return { value: undefined, done: true };
    return { value: this.#pick(this.#entries[this.#index++]), done: false };
  }
}
const iterate = (form, place, pick) => new FormDataIterator(entriesOf(form, place), pick);
// Scripts cannot make one.
delete FormDataIterator.prototype.constructor;
Object.setPrototypeOf(FormDataIterator.prototype, $.real.Iterator.prototype);
Object.defineProperty(FormDataIterator.prototype, 'next', { enumerable: true });
Object.defineProperty(FormDataIterator.prototype, Symbol.toStringTag, {
  value: 'FormData Iterator', configurable: true,
});
asInterface(FormData, undefined);
Object.defineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries, writable: true, configurable: true,
});
Object.defineProperty(FormData.prototype, inspect.custom, {
  configurable: true, writable: true,
  value: { /** @this {any} */ inspect(depth, options) {
    const shown = { __proto__: null };
    for (const { name, value } of $.each(entriesOf(this, 'FormData'))) {
      const { [name]: there } = shown;
      shown[name] = there === undefined ? value : $.isArray(there) ? [...$.each(there), value] : [there, value];
    }
    // (As in Node, lines break as if the prototype were named.)
    const text = inspect(shown, options);
    return $.text`FormData ${$.slice(text, $.indexOf(text, ']') + 2)}`;
  } }.inspect,
});

// Names as browsers write them in a part's head.
const escape = (name) => $.replaceAll($.replaceAll($.replaceAll(name, '\n', '%0A'), '\r', '%0D'), '"', '%22');
const lines = (text) => $.replace(text, $.regex(/\r\n|\r|\n/g), '\r\n');
let boundaries = 0;
const newBoundary = () => {
  const digits = $.padStart($.text`${$.now() % 1e10}${++boundaries}`, 12, '0');
  return $.text`----formdata-tombolo-${digits}`;
};
/** A form as the body of a request, and its type. */
exports.encode = (form) => {
  const { ofBlob, ofBytes } = require('body');
  const boundary = newBoundary();
  const encoder = new (require('encoding').TextEncoder)();
  // Bytes and Blobs.
  const parts = [];
  let text = '';
  const flush = () => {
    $.push(parts, encoder.encode(text));
    text = '';
  };
  for (const { name, value } of $.each(entriesOf(form, 'FormData'))) {
    const head = $.text`--${boundary}\r\nContent-Disposition: form-data; name="${escape(lines(name))}"`;
    if (typeof value === 'string') {
      text += $.text`${head}\r\n\r\n${lines(value)}\r\n`;
    } else {
      text += $.text`${head}; filename="${escape(value.name)}"\r\n` +
        $.text`Content-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
      flush();
      $.push(parts, value);
      text = '\r\n';
    }
  }
  text += $.text`--${boundary}--\r\n`;
  flush();
  const type = $.text`multipart/form-data; boundary=${boundary}`;
  return { body: parts.length === 1 ? ofBytes(parts[0]) : ofBlob(new (blobs().Blob)(parts)), type };
};
/** The form in a body; undefined if it is not one. */
exports.parse = (bytes, boundary) => {
  const found = native.parse(bytes, boundary);
  if (found === undefined || found === null) return undefined;
  const form = new FormData();
  const entries = entriesOf(form, 'FormData');
  const decoder = new (require('encoding').TextDecoder)('utf-8', { __proto__: null, ignoreBOM: true });
  for (const { 0: name, 1: filename, 2: type, 3: start, 4: end } of $.each(found)) {
    const part = $.subarray(bytes, start, end);
    const value = filename === null || filename === undefined ? decoder.decode(part)
      : new (blobs().File)([part], filename, { __proto__: null, type: type ?? 'text/plain' });
    $.push(entries, { name, value });
  }
  return form;
};
exports.append = (form, name, value) => $.push(entriesOf(form, 'FormData'), { name, value });
exports.FormData = FormData;
