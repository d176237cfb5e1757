// Request, Response and fetch (Fetch Standard, §5).
const { Headers, listOf, ofList, makeImmutable, asInterface, byteString, needArgs, TOKEN } = require('headers');
const { URL, fileURLToPath } = require('url');
const { inspect } = require('lazy_inspect');
const { AbortSignal, any } = require('abort');
const bodies = require('body');
const TYPES = {
  wasm: 'application/wasm', json: 'application/json', map: 'application/json',
  js: 'text/javascript', mjs: 'text/javascript',
  css: 'text/css', html: 'text/html', htm: 'text/html', txt: 'text/plain', csv: 'text/csv', xml: 'application/xml',
  svg: 'image/svg+xml', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp',
};

const unsignedShort = (value) => ((Math.trunc(+value) % 65536) + 65536) % 65536 || 0;
const dictionary = (value, place) => {
  if (value === undefined || value === null) return { __proto__: null };
  if (typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError($.text`${place} must be an object, got ${typeof value}`);
  }
  return value;
};
// Gives `state` a body; its type is used unless the headers have one.
const setBody = (state, { body, type }) => {
  state.body = body;
  if (type !== null && !state.headers.has('content-type')) state.headers.append('content-type', type);
};
const unusable = ({ body }, place) => {
  if (bodies.isUnusable(body)) throw new TypeError($.text`${place}: the body has been read already`);
};
const copy = (state) => ({ ...state, headers: ofList(listOf(state.headers)), body: bodies.clone(state.body) });
const member = (value, allowed, place) => {
  const text = $.text`${value}`;
  if ($.includes(allowed, text)) return text;
  throw new TypeError($.text`${place}: must be one of ${$.join(allowed, ', ')}, got ${inspect(text)}`);
};

const parseUrl = (text, message) => {
  try {
    return new URL(text);
  } catch (cause) {
    throw new TypeError(message, { cause });
  }
};
let responseOf;
class Response {
  #state = {
    type: 'default', url: '', redirected: false, status: 200, statusText: '', headers: undefined, body: null,
  };
  constructor(body = null, init = undefined) {
    const place = 'new Response';
    const { headers, status = 200, statusText = '' } = dictionary(init, $.text`${place}: argument 2`);
    const code = unsignedShort(status);
    const text = byteString(statusText, $.text`${place}: \`statusText\``);
    if (code < 200 || code > 599) {
      throw new RangeError($.text`${place}: \`status\` must be from 200 to 599, got ${status}`);
    }
    if (!$.regex(/^[\t\x20-\x7e\x80-\xff]*$/).test(text)) {
      throw new TypeError($.text`${place}: ${JSON.stringify(text)} is not a valid status text`);
    }
    Object.assign(this.#state, { status: code, statusText: text, headers: new Headers(headers) });
    if (body === null || body === undefined) return;
    if ($.includes([204, 205, 304], code)) {
      throw new TypeError($.text`${place}: a response with status ${code} must not have a body`);
    }
    setBody(this.#state, bodies.extract(body, place));
  }
  static {
    responseOf = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    exports.makeResponse = (parts) => {
      const response = new Response();
      Object.assign(response.#state, parts);
      return response;
    };
    bodies.includeBody(Response, responseOf);
  }
  static error() {
    return exports.makeResponse({ type: 'error', status: 0, headers: makeImmutable(new Headers()) });
  }
  static redirect(url, status = 302) {
    needArgs(arguments.length, 1, 'Response.redirect');
    url = $.text`${url}`;
    const code = unsignedShort(status);
    const location = parseUrl(url, $.text`Failed to parse URL from ${url}`).href;
    if (!$.includes([301, 302, 303, 307, 308], code)) {
      throw new RangeError($.text`Response.redirect: argument 2 must be 301, 302, 303, 307 or 308, got ${status}`);
    }
    return exports.makeResponse({ status: code, headers: makeImmutable(new Headers({ __proto__: null, location })) });
  }
  static json(data, init = undefined) {
    needArgs(arguments.length, 1, 'Response.json');
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Response.json: argument 1 cannot be converted to JSON');
    const response = new Response(null, init);
    const { status } = response.#state;
    if ($.includes([204, 205, 304], status)) {
      throw new TypeError($.text`Response.json: a response with status ${status} must not have a body`);
    }
    setBody(response.#state, { ...bodies.extract(text, 'Response.json'), type: 'application/json' });
    return response;
  }
  get type() {
    return this.#state.type;
  }
  get url() {
    return this.#state.url;
  }
  get redirected() {
    return this.#state.redirected;
  }
  get status() {
    return this.#state.status;
  }
  get ok() {
    return this.#state.status >= 200 && this.#state.status <= 299;
  }
  get statusText() {
    return this.#state.statusText;
  }
  get headers() {
    return this.#state.headers;
  }
  clone() {
    unusable(this.#state, 'Response.clone');
    return exports.makeResponse(copy(this.#state));
  }
  [inspect.custom](depth, options) {
    const { type, url, redirected, status, statusText, headers } = this.#state;
    const { ok } = this;
    const { body, bodyUsed } = /** @type {any} */ (this);
    return $.text`Response ${inspect({
      status, statusText, headers, body, bodyUsed, ok, redirected, type, url,
    }, options)}`;
  }
}
asInterface(Response, ['error', 'redirect', 'json']);

let requestOf;
const MODES = ['navigate', 'same-origin', 'no-cors', 'cors'];
const CREDENTIALS = ['omit', 'same-origin', 'include'];
const CACHES = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'];
const REDIRECTS = ['follow', 'error', 'manual'];
const POLICIES = [
  '', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin',
  'origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url',
];
class Request {
  #state = {
    url: '', method: 'GET', headers: undefined, signal: undefined, body: null, mode: 'cors',
    credentials: 'same-origin', cache: 'default', redirect: 'follow', referrer: 'about:client', referrerPolicy: '',
    integrity: '', keepalive: false,
  };
  constructor(input, init = undefined) {
    const place = 'new Request';
    needArgs(arguments.length, 1, place);
    const from = requestOf(input);
    const {
      body, cache, credentials, duplex, headers, integrity, keepalive, method, mode, redirect, referrer,
      referrerPolicy, signal, window,
    } = dictionary(init, $.text`${place}: argument 2`);
    const state = this.#state;
    if (window !== undefined && window !== null) throw new TypeError($.text`${place}: \`window\` must be null`);
    if (from === undefined) {
      const text = $.text`${input}`;
      const url = parseUrl(text, $.text`Failed to parse URL from ${text}`);
      if (url.username || url.password) {
        throw new TypeError($.text`Request cannot be constructed from a URL that includes credentials: ${text}`);
      }
      state.url = url.href;
    } else {
      if (body === undefined || body === null) unusable(from, place);
      Object.assign(state, from, { headers: ofList(listOf(from.headers)), body: null });
    }
    if (referrer !== undefined) {
      const text = $.text`${referrer}`;
      const url = text === '' ? null : parseUrl(text, $.text`Referrer "${text}" is not a valid URL.`);
      const isClient = url?.protocol === 'about:' && (url.hostname === 'client' || url.pathname === 'client');
      state.referrer = text === '' ? 'no-referrer' : isClient ? 'about:client' : url.href;
    }
    const choices = { cache: CACHES, credentials: CREDENTIALS, redirect: REDIRECTS, referrerPolicy: POLICIES };
    const given = { cache, credentials, redirect, referrerPolicy };
    for (const name of $.each(Object.keys(choices))) {
      if (given[name] !== undefined) state[name] = member(given[name], choices[name], $.text`${place}: \`${name}\``);
    }
    if (mode !== undefined) state.mode = member(mode, MODES, $.text`${place}: \`mode\``);
    if (state.mode === 'navigate') throw new TypeError($.text`${place}: \`mode\` must not be navigate`);
    if (state.cache === 'only-if-cached' && state.mode !== 'same-origin') {
      throw new TypeError($.text`${place}: \`cache\` can only be only-if-cached if \`mode\` is same-origin`);
    }
    if (integrity !== undefined) state.integrity = $.text`${integrity}`;
    if (keepalive !== undefined) state.keepalive = Boolean(keepalive);
    if (method !== undefined) {
      const name = byteString(method, $.text`${place}: \`method\``);
      if (!TOKEN.test(name)) throw new TypeError($.text`${place}: ${inspect(name)} is not a valid method`);
      const upper = $.toUpperCase(name);
      if ($.includes(['CONNECT', 'TRACE', 'TRACK'], upper)) {
        throw new TypeError($.text`${place}: the method ${name} is forbidden`);
      }
      state.method = $.includes(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'], upper) ? upper : name;
    }
    if (headers !== undefined || state.headers === undefined) state.headers = new Headers(headers);
    if (signal !== undefined && signal !== null && !(signal instanceof AbortSignal)) {
      throw new TypeError($.text`${place}: \`signal\` must be an AbortSignal`);
    }
    const source = signal === undefined ? from?.signal : signal;
    state.signal = any(source ? [source] : []);
    const hasBody = body !== undefined && body !== null;
    if ((hasBody || (from !== undefined && from.body !== null)) && $.includes(['GET', 'HEAD'], state.method)) {
      throw new TypeError($.text`${place}: a ${state.method} request must not have a body`);
    }
    if (duplex !== undefined) member(duplex, ['half'], $.text`${place}: \`duplex\``);
    if (hasBody) {
      const extracted = bodies.extract(body, place);
      if (extracted.body.stream !== null && duplex === undefined) {
        throw new TypeError($.text`${place}: \`duplex\` must be 'half' if the body is a stream`);
      }
      setBody(state, extracted);
    } else if (from !== undefined) {
      // The body moves from a request to the one that is made from it.
      state.body = bodies.move(from.body);
    }
  }
  static {
    requestOf = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    bodies.includeBody(Request, requestOf);
  }
  get method() {
    return this.#state.method;
  }
  get url() {
    return this.#state.url;
  }
  get headers() {
    return this.#state.headers;
  }
  get destination() {
    return this.#state && '';
  }
  get referrer() {
    const { referrer } = this.#state;
    return referrer === 'no-referrer' ? '' : referrer;
  }
  get referrerPolicy() {
    return this.#state.referrerPolicy;
  }
  get mode() {
    return this.#state.mode;
  }
  get credentials() {
    return this.#state.credentials;
  }
  get cache() {
    return this.#state.cache;
  }
  get redirect() {
    return this.#state.redirect;
  }
  get integrity() {
    return this.#state.integrity;
  }
  get keepalive() {
    return this.#state.keepalive;
  }
  get isReloadNavigation() {
    return this.#state && false;
  }
  get isHistoryNavigation() {
    return this.#state && false;
  }
  get signal() {
    return this.#state.signal;
  }
  get duplex() {
    return this.#state && 'half';
  }
  clone() {
    unusable(this.#state, 'Request.clone');
    const clone = new Request(this.#state.url, { __proto__: null, signal: this.#state.signal });
    Object.assign(clone.#state, { ...copy(this.#state), signal: clone.#state.signal });
    return clone;
  }
  [inspect.custom](depth, options) {
    const {
      method, url, headers, destination, referrer, referrerPolicy, mode, credentials, cache, redirect, integrity,
      keepalive, isReloadNavigation, isHistoryNavigation, signal,
    } = this;
    return $.text`Request ${inspect({
      method, url, headers, destination, referrer, referrerPolicy, mode, credentials, cache, redirect, integrity,
      keepalive, isReloadNavigation, isHistoryNavigation, signal,
    }, options)}`;
  }
}
asInterface(Request);

const without = (url) => $.replace(url, $.regex(/#.*$/s), '');
const respond = (url, body, type, more = undefined) => {
  const headers = new Headers({ __proto__: null, ...(type === undefined ? {} : { 'content-type': type }), ...more });
  return exports.makeResponse({ type: 'basic', url: without(url), statusText: 'OK', body, headers: makeImmutable(headers) });
};
// The bytes of a Blob that a header asks for: from one to another, from one on, or the last ones.
const respondInPart = (url, blob, range) => {
  const { size } = blob;
  const { 1: first, 2: last } = $.regex(/^bytes=(\d*)-(\d*)$/).exec(range) ?? [];
  const from = first === '' ? Math.max(size - +last, 0) : +first;
  const to = first === '' || last === '' ? size - 1 : Math.min(+last, size - 1);
  if (first === undefined || first + last === '' || from >= size || from > to) {
    throw new TypeError($.text`fetch: ${inspect(range)} is not a range of the Blob`);
  }
  const response = respond(url, bodies.ofBlob(blob.slice(from, to + 1, blob.type)), blob.type, {
    'content-length': $.text`${to + 1 - from}`, 'content-range': $.text`bytes ${from}-${to}/${size}`,
  });
  Object.assign(responseOf(response), { status: 206, statusText: 'Partial Content' });
  return response;
};
// How the schemes are fetched. Each returns a Response or a promise of one.
const schemes = {
  __proto__: null,
  data({ url, method }) {
    const data = require('data_url').parse(url);
    if (data === undefined) throw new TypeError($.text`fetch: ${inspect(url)} is not a valid data: URL`);
    return respond(url, method === 'HEAD' ? null : bodies.ofBytes(data.bytes), data.type);
  },
  blob({ url, method, headers }) {
    const blob = require('blob').resolveObjectURL(url);
    if (method !== 'GET' || blob === undefined) {
      throw new TypeError($.text`fetch: ${inspect(url)} is not the URL of a Blob, or the method is not GET`);
    }
    const range = headers.get('range');
    if (range !== null) return respondInPart(url, blob, range);
    return respond(url, bodies.ofBlob(blob), blob.type, { 'content-length': $.text`${blob.size}` });
  },
  async file({ url, method, signal }) {
    if (method !== 'GET') throw new TypeError($.text`fetch: a file: URL can only be fetched by GET, not by ${method}`);
    let bytes;
    try {
      const path = fileURLToPath($.replace(without(url), $.regex(/\?.*$/s), ''));
      bytes = await $.awaited(/** @type {any} */ (require('fs_promises')).readFile(path));
    } catch (cause) {
      throw new TypeError($.text`fetch: cannot read ${url}: ${cause.message}`, { cause });
    }
    signal.throwIfAborted();
    const { 1: extension } = $.regex(/\.([^./]*)$/).exec(new URL(url).pathname) ?? [];
    return respond(url, bodies.ofBytes($.bytesOf(bytes)), TYPES[(extension && $.toLowerCase(extension))]);
  },
  http: (state) => require('http_fetch').httpFetch(state),
  https: (state) => require('http_fetch').httpFetch(state),
};
async function fetch(input, init = undefined) {
  needArgs(arguments.length, 1, 'fetch');
  const state = requestOf(new Request(input, init));
  state.signal.throwIfAborted();
  const scheme = $.slice(state.url, 0, $.indexOf(state.url, ':'));
  const { [scheme]: begin } = schemes;
  if (begin === undefined) throw new TypeError($.text`fetch: ${scheme}: URLs are not supported`);
  return await $.awaited(begin(state));
}

// "Compile a potential WebAssembly response", up to the bytes.
exports.wasmBytes = async (source, place) => {
  const state = responseOf(source);
  if (state === undefined) {
    const came = inspect(source, { depth: -1 });
    throw new TypeError($.text`${place}: argument 1 must be a Response or a promise of one, got ${came}`);
  }
  const type = state.headers.get('content-type');
  if ((type && $.toLowerCase(type)) !== 'application/wasm') {
    const came = type === null ? 'it has none' : $.text`it is ${inspect(type)}`;
    throw new TypeError($.text`${place}: the response's Content-Type must be application/wasm, but ${came}`);
  }
  if (state.status < 200 || state.status > 299) {
    throw new TypeError($.text`${place}: the response's status must be from 200 to 299, got ${state.status}`);
  }
  return await $.awaited(bodies.consume(state.body, place));
};
exports.Headers = Headers;
exports.Request = Request;
exports.Response = Response;
exports.fetch = fetch;
