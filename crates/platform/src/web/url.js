// URL, URLSearchParams and node:url.
/**
 * What Rust provides.
 * @type {{
 *   parse(input: string, base?: string): string[] | undefined,
 *   set(href: string, part: string, value: string): string[] | undefined,
 *   parseQuery(text: string): string[],
 *   formatQuery(list: string[]): string,
 *   pathToUrl(path: string): string,
 *   percentDecode(text: string): string,
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
  static of(url, query) {
    const params = new URLSearchParams();
    params.#url = url;
    params.#list = native.parseQuery(query);
    return params;
  }
  static replace(params, query) {
    params.#list = native.parseQuery(query);
  }
  #changed() {
    if (this.#url !== null) changeSearch(this.#url, this.toString());
  }
  get size() {
    return this.#list.length / 2;
  }
  append(name, value) {
    needArgs(arguments.length, ['name', 'value']);
    $.push(this.#list, well(name), well(value));
    this.#changed();
  }
  delete(name, value = undefined) {
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
    needArgs(arguments.length, ['name']);
    name = well(name);
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return this.#list[i + 1];
    return null;
  }
  getAll(name) {
    needArgs(arguments.length, ['name']);
    name = well(name);
    const values = [];
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) $.push(values, this.#list[i + 1]);
    return values;
  }
  has(name, value = undefined) {
    needArgs(arguments.length, ['name']);
    name = well(name);
    if (value !== undefined) value = well(value);
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] === name && (value === undefined || this.#list[i + 1] === value)) return true;
    }
    return false;
  }
  set(name, value) {
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
    const pairs = [];
    for (let i = 0; i < this.#list.length; i += 2) $.push(pairs, [this.#list[i], this.#list[i + 1]]);
    $.sort(pairs, ({ 0: a }, { 0: b }) => (a < b ? -1 : a > b ? 1 : 0));
    this.#list = $.flat(pairs);
    this.#changed();
  }
  forEach(callback, thisArg = undefined) {
    validateFunction(callback, 'callback');
    for (let i = 0; i < this.#list.length; i += 2) {
      Reflect.apply(callback, thisArg, [this.#list[i + 1], this.#list[i], this]);
    }
  }
  *entries() {
    for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i], this.#list[i + 1]];
  }
  *keys() {
    for (let i = 0; i < this.#list.length; i += 2) yield this.#list[i];
  }
  *values() {
    for (let i = 0; i < this.#list.length; i += 2) yield this.#list[i + 1];
  }
  toString() {
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
    if (this.#params !== undefined) URLSearchParams.replace(this.#params, $.slice(this.#parts[SEARCH], 1));
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
    return (this.#params ??= URLSearchParams.of(this, $.slice(this.#parts[SEARCH], 1)));
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

const fileURLToPath = (url) => {
  if (typeof url === 'string') url = new URL(url);
  else if (!(url instanceof URL)) throw invalidArgType('path', 'of type string or an instance of URL', url);
  if (url.protocol !== 'file:') throw create('TypeError', 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file');
  if (url.hostname !== '') {
    throw create('TypeError', 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux');
  }
  if ($.regex(/%2f/i).test(url.pathname)) {
    throw create('TypeError', 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters');
  }
  return native.percentDecode(url.pathname);
};
const pathToFileURL = (path) => {
  if (typeof path !== 'string') throw invalidArgType('path', 'of type string', path);
  let resolved = require('path').default.resolve(path);
  if ($.endsWith(path, '/') && !$.endsWith(resolved, '/')) resolved += '/';
  return new URL(native.pathToUrl(resolved));
};
const urlToHttpOptions = (url) => ({
  protocol: url.protocol, hostname: url.hostname, hash: url.hash, search: url.search, pathname: url.pathname,
  path: $.text`${url.pathname}${url.search}`, href: url.href, ...(url.port !== '' ? { port: Number(url.port) } : {}),
});
// The legacy parser, as far as the WHATWG one can stand in for it.
const parse = (text) => {
  let url;
  try {
    url = new URL(text);
  } catch {
    const { 1: pathname, 2: search = null, 3: hash = null } = $.regex(/^([^?#]*)(\?[^#]*)?(#.*)?$/s).exec(text);
    return { protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash, search,
      query: search && $.slice(search, 1), pathname: pathname || null,
      path: $.text`${pathname}${search ?? ''}` || null, href: text };
  }
  const password = url.password ? $.text`:${url.password}` : '';
  return {
    protocol: url.protocol, slashes: $.includes(text, '//'),
    auth: url.username ? $.text`${url.username}${password}` : null,
    host: url.host, port: url.port || null, hostname: url.hostname, hash: url.hash || null, search: url.search || null,
    query: url.search ? $.slice(url.search, 1) : null, pathname: url.pathname,
    path: $.text`${url.pathname}${url.search}`, href: url.href,
  };
};
const format = (url, options = { __proto__: null }) => {
  if (typeof url === 'string') return url;
  if (url instanceof URL) {
    const copy = new URL(url);
    if (options.fragment === false) copy.hash = '';
    if (options.search === false) copy.search = '';
    if (options.auth === false) copy.username = copy.password = '';
    return copy.href;
  }
  const { protocol = '', host, hostname = '', port, pathname = '', search, query, hash = '' } = url;
  const place = host ?? (port ? $.text`${hostname}:${port}` : hostname);
  const tail = search ?? (query && typeof query === 'object' ? $.text`?${new URLSearchParams(query)}` : '');
  const colon = protocol && !$.endsWith(protocol, ':') ? ':' : '';
  const authority = place ? $.text`//${place}` : '';
  return $.text`${protocol ?? ''}${colon}${authority}${pathname ?? ''}${tail ?? ''}${hash ?? ''}`;
};
exports.URL = URL;
exports.URLSearchParams = URLSearchParams;
exports.fileURLToPath = fileURLToPath;
exports.pathToFileURL = pathToFileURL;
exports.urlToHttpOptions = urlToHttpOptions;
exports.parse = parse;
exports.format = format;
exports.resolve = (from, to) => $.replace(new URL(to, new URL(from, 'resolve://')).href, $.regex(/^resolve:\/\//), '');
exports.domainToASCII = (domain) => URL.parse($.text`ws://${domain}`)?.hostname ?? '';
exports.domainToUnicode = (domain) => URL.parse($.text`ws://${domain}`)?.hostname ?? '';
