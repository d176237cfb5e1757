// util.MIMEType and util.MIMEParams (MIME Sniffing Standard, §4).
const { create } = require('errors');

const notToken = $.regex(/[^!#$%&'*+\-.^_`|~A-Za-z0-9]/);
const notQuoted = $.regex(/[^\t\u0020-~\u0080-\u00ff]/);
const isSpace = (char) => char === ' ' || char === '\t' || char === '\n' || char === '\r';
/** The letters of ASCII in lower case. */
const lower = (text) => $.replace(text, $.regex(/[A-Z]/g), (char) => $.toLowerCase(char));
const search = (pattern, text) => pattern.exec(text)?.index ?? -1;
const invalid = (part, text, index) => {
  const at = index === -1 ? '' : $.text` at ${index}`;
  return create('TypeError', 'ERR_INVALID_MIME_SYNTAX', $.text`The MIME syntax for a ${part} in "${text}" is invalid${at}`);
};
const quoted = (value) => {
  if (value.length === 0) return '""';
  if (search(notToken, value) === -1) return value;
  return $.text`"${$.replace(value, $.regex(/["\\]/g), '\\$&')}"`;
};

const typeAndSubtype = (text) => {
  let at = 0;
  while (at < text.length && isSpace(text[at])) at++;
  const slash = $.indexOf(text, '/', at);
  const type = slash === -1 ? $.slice(text, at) : $.slice(text, at, slash);
  const wrong = search(notToken, type);
  if (type === '' || slash === -1 || wrong !== -1) throw invalid('type', text, wrong);
  const start = slash + 1;
  const semicolon = $.indexOf(text, ';', start);
  let subtype = semicolon === -1 ? $.slice(text, start) : $.slice(text, start, semicolon);
  while (subtype !== '' && isSpace($.at(subtype, -1))) subtype = $.slice(subtype, 0, -1);
  const wrongPart = search(notToken, subtype);
  if (subtype === '' || wrongPart !== -1) throw invalid('subtype', text, wrongPart);
  return { type: lower(type), subtype: lower(subtype), end: semicolon === -1 ? text.length : semicolon + 1 };
};

let paramsOf;
class MIMEParams {
  #data = new Map();
  static {
    paramsOf = (text) => {
      const params = new MIMEParams();
      params.#parse(text);
      return params;
    };
  }
  #parse(text) {
    let at = 0;
    while (at < text.length) {
      while (at < text.length && isSpace(text[at])) at++;
      let end = at;
      while (end < text.length && text[end] !== ';' && text[end] !== '=') end++;
      const name = lower($.slice(text, at, end));
      at = end;
      if (text[at] === ';' || at >= text.length) {
        at++;
        continue;
      }
      at++;
      let value = '';
      if (text[at] === '"') {
        at++;
        for (; at < text.length && text[at] !== '"'; at++) {
          if (text[at] === '\\' && at + 1 < text.length) at++;
          value += text[at];
        }
        // (Like Node, this takes whatever stands behind the quotes for a semicolon.)
        at++;
      } else {
        let stop = $.indexOf(text, ';', at);
        if (stop === -1) stop = text.length;
        value = $.slice(text, at, stop);
        while (value !== '' && isSpace($.at(value, -1))) value = $.slice(value, 0, -1);
        at = stop;
        if (value === '') {
          at++;
          continue;
        }
      }
      at++;
      if (name !== '' && search(notToken, name) === -1 && search(notQuoted, value) === -1 && !this.#data.has(name)) {
        this.#data.set(name, value);
      }
    }
  }
  delete(name) {
    this.#data.delete($.text`${name}`);
  }
  get(name) {
    name = $.text`${name}`;
    return this.#data.has(name) ? this.#data.get(name) : null;
  }
  has(name) {
    return this.#data.has($.text`${name}`);
  }
  set(name, value) {
    name = $.text`${name}`;
    value = $.text`${value}`;
    const wrong = search(notToken, name);
    if (name.length === 0 || wrong !== -1) throw invalid('parameter name', name, wrong);
    const wrongValue = search(notQuoted, value);
    if (wrongValue !== -1) throw invalid('parameter value', value, wrongValue);
    this.#data.set(name, value);
  }
  *entries() {
    for (const { 0: name, 1: value } of $.each(this.#data)) yield [name, value];
  }
  *keys() {
    for (const { 0: name } of $.each(this.#data)) yield name;
  }
  *values() {
    for (const { 1: value } of $.each(this.#data)) yield value;
  }
  toString() {
    let text = '';
    for (const { 0: name, 1: value } of $.each(this.#data)) {
      text += $.text`${text === '' ? '' : ';'}${name}=${quoted(value)}`;
    }
    return text;
  }
  toJSON() {
    return this.toString();
  }
}
Object.defineProperty(MIMEParams.prototype, Symbol.iterator, {
  value: MIMEParams.prototype.entries, writable: true, configurable: true,
});

class MIMEType {
  #type;
  #subtype;
  #params;
  constructor(input) {
    input = $.text`${input}`;
    const { type, subtype, end } = typeAndSubtype(input);
    this.#type = type;
    this.#subtype = subtype;
    this.#params = paramsOf($.slice(input, end));
  }
  get type() {
    return this.#type;
  }
  set type(value) {
    value = $.text`${value}`;
    const wrong = search(notToken, value);
    if (value.length === 0 || wrong !== -1) throw invalid('type', value, wrong);
    this.#type = lower(value);
  }
  get subtype() {
    return this.#subtype;
  }
  set subtype(value) {
    value = $.text`${value}`;
    const wrong = search(notToken, value);
    if (value.length === 0 || wrong !== -1) throw invalid('subtype', value, wrong);
    this.#subtype = lower(value);
  }
  get essence() {
    return $.text`${this.#type}/${this.#subtype}`;
  }
  get params() {
    return this.#params;
  }
  toString() {
    const params = this.#params.toString();
    return params === '' ? this.essence : $.text`${this.essence};${params}`;
  }
  toJSON() {
    return this.toString();
  }
}
for (const { prototype } of $.each([MIMEType, MIMEParams])) {
  for (const key of $.each(Object.getOwnPropertyNames(prototype))) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: prototype === MIMEType.prototype });
  }
}
exports.MIMEType = MIMEType;
exports.MIMEParams = MIMEParams;
