// URL, URLSearchParams and node:url.
/**
 * What Rust provides.
 * @type {{
 *   parse(input: string, base?: string): string[] | undefined,
 *   set(href: string, part: string, value: string): string[] | undefined,
 *   parseQuery(text: string): string[],
 *   formatQuery(list: string[]): string,
 *   pathToUrl(path: string): string,
 *   percentDecode(text: string): string | undefined,
 * }}
 */
const native = rust;
const { create, invalidArgType } = require('errors');
const { validateFunction } = require('validators');
const { inspect } = require('lazy_inspect');
const HREF = 0, ORIGIN = 1, PROTOCOL = 2, USERNAME = 3, PASSWORD = 4, HOST = 5, HOSTNAME = 6, PORT = 7, PATHNAME = 8,
  SEARCH = 9, HASH = 10;
const well = (value) => $.toWellFormed($.text`${value}`);
const needArgs = (given, names) => {
  if (given >= names.length) return;
  const list = $.map(names, (name) => $.text`"${name}"`);
  const text = list.length === 1 ? $.text`The ${list[0]} argument`
    : $.text`The ${$.join($.slice(list, 0, -1), ', ')} and ${$.at(list, -1)} arguments`;
  throw create('TypeError', 'ERR_MISSING_ARGS', $.text`${text} must be specified`);
};

const positions = new WeakMap();
const SearchParamsIterator = Object.setPrototypeOf({
  next() {
    const position = positions.get(/** @type {any} */ (this));
    if (position === undefined) {
      throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type URLSearchParamsIterator');
    }
    const list = position.list();
    if (position.at >= list.length) return { value: undefined, done: true };
    const value = position.pick(list[position.at], list[position.at + 1]);
    position.at += 2;
    return { value, done: false };
  },
  [inspect.custom](depth, options) {
    const { list, at, pick } = positions.get(/** @type {any} */ (this));
    if (typeof depth === 'number' && depth < 0) return options.stylize('[Object]', 'special');
    const rest = [];
    for (let i = at; i < list().length; i += 2) $.push(rest, inspect(pick(list()[i], list()[i + 1]), options));
    const line = $.text`URLSearchParams Iterator { ${$.join(rest, ', ')} }`;
    return line.length <= options.breakLength ? line : $.text`URLSearchParams Iterator {\n  ${$.join(rest, ',\n  ')} }`;
  },
}, $.globals.Iterator.prototype);
Object.defineProperty(SearchParamsIterator, Symbol.toStringTag, { value: 'URLSearchParams Iterator', configurable: true });
/** An iterator that sees what happens to the list meanwhile. */
const iterate = (list, pick) => {
  const iterator = Object.create(SearchParamsIterator);
  positions.set(iterator, { list, pick, at: 0 });
  return iterator;
};

let paramsOf;
let replaceParams;
let checkParams;
class URLSearchParams {
  #list = [];
  #url = null;
  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init === 'object' || typeof init === 'function') {
      const iterate = init[Symbol.iterator];
      if (iterate === this[Symbol.iterator] && #list in init) {
        this.#list = $.slice(init.#list);
      } else if (iterate !== null && iterate !== undefined) {
        if (typeof iterate !== 'function') {
          throw create('TypeError', 'ERR_ARG_NOT_ITERABLE', 'Query pairs must be iterable');
        }
        // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
        for (const pair of init) {
          const isObject = pair !== null && (typeof pair === 'object' || typeof pair === 'function');
          if (!isObject || typeof pair[Symbol.iterator] !== 'function') {
            throw create('TypeError', 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          }
          // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
          const items = [...pair];
          if (items.length !== 2) {
            throw create('TypeError', 'ERR_INVALID_TUPLE', 'Each query pair must be an iterable [name, value] tuple');
          }
          $.push(this.#list, well(items[0]), well(items[1]));
        }
      } else {
        for (const key of $.each(Reflect.ownKeys(init))) {
          const desc = Reflect.getOwnPropertyDescriptor(init, key);
          if (desc !== undefined && desc.enumerable) $.push(this.#list, well(key), well(init[key]));
        }
      }
    } else {
      this.#list = native.parseQuery($.replace(well(init), $.regex(/^\?/), ''));
    }
  }
  static {
    paramsOf = (url, query) => {
      const params = new URLSearchParams();
      params.#url = url;
      params.#list = native.parseQuery(query);
      return params;
    };
    replaceParams = (params, query) => {
      params.#list = native.parseQuery(query);
    };
    checkParams = (params) => {
      if (params === null || typeof params !== 'object' || !(#list in params)) {
        throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type URLSearchParams');
      }
    };
  }
  #changed() {
    if (this.#url !== null) changeSearch(this.#url, this.toString());
  }
  get size() {
    checkParams(this);
    return this.#list.length / 2;
  }
  append(name, value) {
    checkParams(this);
    needArgs(arguments.length, ['name', 'value']);
    $.push(this.#list, well(name), well(value));
    this.#changed();
  }
  delete(name, value = undefined) {
    checkParams(this);
    needArgs(arguments.length, ['name']);
    name = well(name);
    if (value !== undefined) value = well(value);
    const kept = [];
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === name && (value === undefined || this.#list[i + 1] === value)) continue;
      $.push(kept, this.#list[i], this.#list[i + 1]);
    }
    this.#list = kept;
    this.#changed();
  }
  get(name) {
    checkParams(this);
    needArgs(arguments.length, ['name']);
    name = well(name);
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return this.#list[i + 1];
    return null;
  }
  getAll(name) {
    checkParams(this);
    needArgs(arguments.length, ['name']);
    name = well(name);
    const values = [];
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) $.push(values, this.#list[i + 1]);
    return values;
  }
  has(name, value = undefined) {
    checkParams(this);
    needArgs(arguments.length, ['name']);
    name = well(name);
    if (value !== undefined) value = well(value);
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === name && (value === undefined || this.#list[i + 1] === value)) return true;
    }
    return false;
  }
  set(name, value) {
    checkParams(this);
    needArgs(arguments.length, ['name', 'value']);
    name = well(name);
    value = well(value);
    const kept = [];
    let found = false;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== name) $.push(kept, this.#list[i], this.#list[i + 1]);
      else if (!found) {
        found = true;
        $.push(kept, name, value);
      }
    }
    if (!found) $.push(kept, name, value);
    this.#list = kept;
    this.#changed();
  }
  sort() {
    checkParams(this);
    const pairs = [];
    for (let i = 0; i < this.#list.length; i += 2) $.push(pairs, [this.#list[i], this.#list[i + 1]]);
    $.sort(pairs, ({ 0: a }, { 0: b }) => (a < b ? -1 : a > b ? 1 : 0));
    this.#list = $.flat(pairs);
    this.#changed();
  }
  forEach(callback, thisArg = undefined) {
    checkParams(this);
    validateFunction(callback, 'callback');
    for (let i = 0; i < this.#list.length; i += 2) {
      Reflect.apply(callback, thisArg, [this.#list[i + 1], this.#list[i], this]);
    }
  }
  entries() {
    checkParams(this);
    return iterate(() => this.#list, (name, value) => [name, value]);
  }
  keys() {
    checkParams(this);
    return iterate(() => this.#list, (name) => name);
  }
  values() {
    checkParams(this);
    return iterate(() => this.#list, (name, value) => value);
  }
  toString() {
    checkParams(this);
    return native.formatQuery(this.#list);
  }
  [inspect.custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return options.stylize('[Object]', 'special');
    const pairs = [];
    for (let i = 0; i < this.#list.length; i += 2) {
      $.push(pairs, $.text`${inspect(this.#list[i], options)} => ${inspect(this.#list[i + 1], options)}`);
    }
    const line = $.text`URLSearchParams { ${$.join(pairs, ', ')} }`;
    if (pairs.length === 0) return 'URLSearchParams {}';
    return line.length <= options.breakLength ? line : $.text`URLSearchParams {\n  ${$.join(pairs, ',\n  ')} }`;
  }
}
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  value: URLSearchParams.prototype.entries, writable: true, configurable: true,
});

let changeSearch;
class URL {
  #parts;
  #params;
  constructor(input, base = undefined) {
    needArgs(arguments.length, ['url']);
    input = $.text`${input}`;
    const parts = native.parse(input, base === undefined ? undefined : $.text`${base}`);
    if (!parts) {
      const error = create('TypeError', 'ERR_INVALID_URL', 'Invalid URL');
      Object.assign(error, { input }, base === undefined ? undefined : { base: $.text`${base}` });
      throw error;
    }
    this.#parts = parts;
  }
  static {
    changeSearch = (url, query) => {
      url.#parts = native.set(url.#parts[HREF], 'search', query);
    };
  }
  static canParse(input, base = undefined) {
    needArgs(arguments.length, ['url']);
    return Boolean(native.parse($.text`${input}`, base === undefined ? undefined : $.text`${base}`));
  }
  static parse(input, base = undefined) {
    return URL.canParse(input, base) ? new URL(input, base) : null;
  }
  static createObjectURL(obj) {
    return require('blob').createObjectURL(obj);
  }
  static revokeObjectURL(url) {
    needArgs(arguments.length, ['url']);
    require('blob').revokeObjectURL(url);
  }
  #set(part, value) {
    this.#parts = native.set(this.#parts[HREF], part, $.text`${value}`) ?? this.#parts;
  }
  get href() {
    return this.#parts[HREF];
  }
  set href(value) {
    value = $.text`${value}`;
    const parts = native.parse(value);
    if (!parts) throw create('TypeError', 'ERR_INVALID_URL', 'Invalid URL', { input: value });
    this.#parts = parts;
    this.#refresh();
  }
  #refresh() {
    if (this.#params !== undefined) replaceParams(this.#params, $.slice(this.#parts[SEARCH], 1));
  }
  get origin() {
    return this.#parts[ORIGIN];
  }
  get protocol() {
    return this.#parts[PROTOCOL];
  }
  set protocol(value) {
    this.#set('protocol', value);
  }
  get username() {
    return this.#parts[USERNAME];
  }
  set username(value) {
    this.#set('username', value);
  }
  get password() {
    return this.#parts[PASSWORD];
  }
  set password(value) {
    this.#set('password', value);
  }
  get host() {
    return this.#parts[HOST];
  }
  set host(value) {
    this.#set('host', value);
  }
  get hostname() {
    return this.#parts[HOSTNAME];
  }
  set hostname(value) {
    this.#set('hostname', value);
  }
  get port() {
    return this.#parts[PORT];
  }
  set port(value) {
    this.#set('port', value);
  }
  get pathname() {
    return this.#parts[PATHNAME];
  }
  set pathname(value) {
    this.#set('pathname', value);
  }
  get search() {
    return this.#parts[SEARCH];
  }
  set search(value) {
    this.#set('search', value);
    this.#refresh();
  }
  get searchParams() {
    return (this.#params ??= paramsOf(this, $.slice(this.#parts[SEARCH], 1)));
  }
  get hash() {
    return this.#parts[HASH];
  }
  set hash(value) {
    this.#set('hash', value);
  }
  toString() {
    return this.#parts[HREF];
  }
  toJSON() {
    return this.#parts[HREF];
  }
  [inspect.custom](depth, options) {
    if (typeof depth === 'number' && depth < 0) return this;
    const shown = { __proto__: null };
    for (const key of $.each([
      'href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search',
      'searchParams', 'hash',
    ])) shown[key] = this[key];
    return $.text`URL ${inspect({ ...shown }, options)}`;
  }
}
for (const { prototype, name } of $.each([URL, URLSearchParams])) {
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
  for (const key of $.each(Object.getOwnPropertyNames(prototype))) {
    if (key !== 'constructor') Object.defineProperty(prototype, key, { enumerable: true });
  }
}
for (const hidden of $.each(['of', 'replace'])) Object.defineProperty(URLSearchParams, hidden, { enumerable: false });
for (const name of $.each(['canParse', 'parse', 'createObjectURL', 'revokeObjectURL'])) {
  Object.defineProperty(URL, name, { enumerable: true });
}

const fileUrl = (url) => {
  if (typeof url === 'string') url = new URL(url);
  else if (!(url instanceof URL) && !(url !== null && typeof url === 'object' && url.href && url.protocol)) {
    throw invalidArgType('path', 'of type string or an instance of URL', url);
  }
  if (url.protocol !== 'file:') throw create('TypeError', 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  return url;
};
const encodedSeparator = (what, url) => create('TypeError', 'ERR_INVALID_FILE_URL_PATH',
  $.text`File URL path ${what}`, { input: url });
/** The path of a file: URL with its percent signs, as that of Windows if so asked. */
const rawPath = (url, windows) => {
  const { hostname, pathname } = url;
  if (windows) {
    if ($.regex(/%2f|%5c/i).test(pathname)) throw encodedSeparator('must not include encoded \\ or / characters', url);
    const path = $.replaceAll(pathname, '/', '\\');
    if (hostname !== '') return $.text`\\\\${require('url_legacy').domainToUnicode(hostname)}${path}`;
    if (!$.regex(/^\\[a-z]:/i).test(path)) throw encodedSeparator('must be absolute', url);
    return $.slice(path, 1);
  }
  if (hostname !== '') {
    throw create('TypeError', 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  }
  if ($.regex(/%2f/i).test(pathname)) throw encodedSeparator('must not include encoded / characters', url);
  return pathname;
};
// What `decodeURIComponent` does.
const decodePart = (text) => {
  const decoded = native.percentDecode(text);
  if (decoded === undefined) throw new ($.globals.URIError)('URI malformed');
  return decoded;
};
/** @param {any} options */
const fileURLToPath = (path, options = { __proto__: null }) => decodePart(rawPath(fileUrl(path), options?.windows));
const fileURLToPathBuffer = (path, options = { __proto__: null }) => {
  const { Buffer } = /** @type {any} */ (require('buffer'));
  const raw = rawPath(fileUrl(path), /** @type {any} */ (options)?.windows);
  // Text beyond ASCII has been escaped by the parser.
  const bytes = [];
  for (let i = 0; i < raw.length; i++) {
    const isEscape = raw[i] === '%' && $.regex(/^[0-9a-f]{2}$/i).test($.slice(raw, i + 1, i + 3));
    $.push(bytes, isEscape ? parseInt($.slice(raw, i + 1, i + 3), 16) : $.charCodeAt(raw, i));
    if (isEscape) i += 2;
  }
  return Buffer.from(bytes);
};
/** @param {any} options */
const pathToFileURL = (filepath, options = { __proto__: null }) => {
  if (typeof filepath !== 'string') throw invalidArgType('path', 'of type string', filepath);
  const { posix } = require('path');
  if (options?.windows) return windowsPathToUrl(filepath, posix.win32);
  let resolved = posix.resolve(filepath);
  if ($.endsWith(filepath, '/') && !$.endsWith(resolved, '/')) resolved += '/';
  return new URL(native.pathToUrl(resolved));
};
const windowsPathToUrl = (path, win32) => {
  // `\\\\?\\C:\\x` is a long form of `C:\\x`.
  if ($.startsWith(path, '\\\\?\\') && path[5] === ':') path = $.slice(path, 4);
  const isLocal = !$.startsWith(path, '\\\\');
  let resolved = isLocal ? win32.resolve(path) : path;
  if (isLocal && ($.endsWith(path, '\\') || $.endsWith(path, '/')) && !$.endsWith(resolved, '\\')) resolved += '\\';
  const escaped = (text) => $.replace($.replaceAll(text, '\\', '/'), $.regex(/[%?#\n\r\t^|[\]]/g),
    (char) => $.text`%${$.padStart($.toUpperCase($.toString($.charCodeAt(char, 0), 16)), 2, '0')}`);
  if (isLocal) return new URL($.text`file:///${escaped(resolved)}`);
  const rest = $.replace(path, $.regex(/^\\\\(\?\\UNC\\)?/), '');
  const end = $.indexOf(rest, '\\');
  if (end === -1) {
    throw create('TypeError', 'ERR_INVALID_ARG_VALUE',
      $.text`The argument 'path' Missing UNC resource path. Received ${inspect(path)}`);
  }
  if (end === 0) {
    throw create('TypeError', 'ERR_INVALID_ARG_VALUE', $.text`The argument 'path' Empty UNC servername. Received ${inspect(path)}`);
  }
  return new URL($.text`file://${$.slice(rest, 0, end)}${escaped($.slice(rest, end))}`);
};
const urlToHttpOptions = (url) => {
  require('validators').validateObject(url, 'url', { __proto__: null, array: true, callable: true });
  const { hostname, pathname, port, username, password, search } = url;
  const bare = hostname && $.startsWith(hostname, '[') ? $.slice(hostname, 1, -1) : hostname;
  return {
    __proto__: null, ...url, protocol: url.protocol, hostname: bare, hash: url.hash, search, pathname,
    path: $.text`${pathname || ''}${search || ''}`, href: url.href,
    ...(port !== '' ? { port: Number(port) } : {}),
    ...(username || password
      ? { auth: $.text`${decodePart(username)}:${decodePart(password)}` } : {}),
  };
};
// There is no matcher of patterns; the class is there to be imported.
class URLPattern {
  constructor() {
    throw create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', 'URLPattern is not implemented');
  }
}
const named = (name, call) => Object.defineProperty(call, 'name', { value: name, configurable: true });
const legacy = (name, shown = name) =>
  named(shown, (...args) => require('url_legacy')[name](...$.each(args)));
exports.URL = URL;
exports.URLPattern = URLPattern;
exports.URLSearchParams = URLSearchParams;
exports.fileURLToPath = fileURLToPath;
exports.pathToFileURL = pathToFileURL;
exports.urlToHttpOptions = urlToHttpOptions;
exports.url = Object.defineProperty({
  Url: undefined, parse: legacy('parse', 'urlParse'), resolve: legacy('resolve', 'urlResolve'),
  resolveObject: legacy('resolveObject', 'urlResolveObject'), format: legacy('format', 'urlFormat'),
  URL, URLPattern, URLSearchParams, domainToASCII: legacy('domainToASCII'), domainToUnicode: legacy('domainToUnicode'),
  pathToFileURL, fileURLToPath, fileURLToPathBuffer, urlToHttpOptions,
}, 'Url', { enumerable: true, configurable: true, get: () => require('url_legacy').Url, set: undefined });
