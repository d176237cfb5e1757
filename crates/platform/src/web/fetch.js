// Request, Response and fetch (Fetch Standard, §5), for `file:` and `data:` URLs. There are no streams yet: bodies are
// bytes, and `body` is null.
const { Headers, listOf, ofList, makeImmutable, asInterface, byteString, needArgs, TOKEN } = require('headers');
const { URL, URLSearchParams, fileURLToPath } = require('url');
const { inspect } = require('lazy_inspect');
const { isSharedArrayBuffer, viewOf } = require('bytes');
const { AbortSignal, any } = require('abort');
const TYPES = {
  wasm: 'application/wasm', json: 'application/json', map: 'application/json',
  js: 'text/javascript', mjs: 'text/javascript',
  css: 'text/css', html: 'text/html', htm: 'text/html', txt: 'text/plain', csv: 'text/csv', xml: 'application/xml',
  svg: 'image/svg+xml', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp',
};

// "Extract a body": a copy of its bytes, and the type that they have by default.
const extract = (value) => {
  // A BufferSource must not be shared.
  const view = isSharedArrayBuffer(value) ? undefined : viewOf(value);
  if (view !== undefined) return { bytes: new Uint8Array(view), type: null };
  if (value instanceof URLSearchParams) {
    const bytes = new (require('encoding').TextEncoder)().encode($.text`${value}`);
    return { bytes, type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  return { bytes: new (require('encoding').TextEncoder)().encode($.text`${value}`), type: 'text/plain;charset=UTF-8' };
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
const setBody = (state, { bytes, type }) => {
  state.bytes = bytes;
  if (type !== null && !state.headers.has('content-type')) state.headers.append('content-type', type);
};
const unusable = (state, place) => {
  if (state.used) throw new TypeError($.text`${place}: the body has been read already`);
};
// "Consume body".
const consume = (state, place) => {
  unusable(state, place);
  const { bytes } = state;
  if (bytes === null) return new Uint8Array();
  state.used = true;
  state.bytes = new Uint8Array();
  return bytes;
};
const decode = (bytes) => new (require('encoding').TextDecoder)().decode(bytes);

// The Body mixin. `find` returns the state of an object of the class, and undefined for anything else.
const includeBody = (Class, find) => {
  const stateOf = (value, place) => {
    const state = find(value);
    if (state === undefined) throw new TypeError($.text`${place}: \`this\` is not a ${Class.name}`);
    return state;
  };
  const reader = (name, convert) => ({ async [name]() {
    const place = $.text`${Class.name}.${name}`;
    return convert(consume(stateOf(this, place), place));
  } })[name];
  const readers = {
    arrayBuffer: (bytes) => $.buffer(bytes), bytes: (bytes) => bytes,
    text: decode, json: (bytes) => JSON.parse(decode(bytes)),
  };
  const define = (name, descriptor) =>
    Object.defineProperty(Class.prototype, name, { configurable: true, ...descriptor });
  for (const { 0: name, 1: convert } of $.each(Object.entries(readers))) {
    define(name, { value: reader(name, convert), writable: true });
  }
  define('body', { get: { body() {
    stateOf(this, $.text`${Class.name}.body`);
    return null;
  } }.body });
  define('bodyUsed', { get: { bodyUsed() {
    return stateOf(this, $.text`${Class.name}.bodyUsed`).used;
  } }.bodyUsed });
};
const copy = (state) => ({
  ...state, headers: ofList(listOf(state.headers)), bytes: state.bytes && new Uint8Array(state.bytes),
});

let responseOf;
class Response {
  #state = { type: 'default', url: '', status: 200, statusText: '', headers: undefined, bytes: null, used: false };
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
    setBody(this.#state, extract(body));
  }
  static {
    responseOf = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    exports.makeResponse = (parts) => {
      const response = new Response();
      Object.assign(response.#state, parts);
      return response;
    };
    includeBody(Response, responseOf);
  }
  static error() {
    return exports.makeResponse({ type: 'error', status: 0, headers: makeImmutable(new Headers()) });
  }
  static redirect(url, status = 302) {
    needArgs(arguments.length, 1, 'Response.redirect');
    url = $.text`${url}`;
    const code = unsignedShort(status);
    const location = new URL(url).href;
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
    setBody(response.#state, { ...extract(text), type: 'application/json' });
    return response;
  }
  get type() {
    return this.#state.type;
  }
  get url() {
    return this.#state.url;
  }
  get redirected() {
    return this.#state && false;
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
    const { type, url, status, statusText, headers, used } = this.#state;
    const { ok } = this;
    return $.text`Response ${inspect({
      status, statusText, headers, body: null, bodyUsed: used, ok, redirected: false, type, url,
    }, options)}`;
  }
}
asInterface(Response, ['error', 'redirect', 'json']);

let requestOf;
class Request {
  #state = { url: '', method: 'GET', headers: undefined, signal: undefined, bytes: null, used: false };
  constructor(input, init = undefined) {
    const place = 'new Request';
    needArgs(arguments.length, 1, place);
    const from = requestOf(input);
    const { body, headers, method, signal } = dictionary(init, $.text`${place}: argument 2`);
    const state = this.#state;
    if (from === undefined) {
      const url = URL.parse($.text`${input}`);
      if (url === null) throw new TypeError($.text`${place}: ${inspect($.text`${input}`)} is not an absolute URL`);
      if (url.username || url.password) {
        throw new TypeError($.text`${place}: ${inspect(url.href)} must not have credentials`);
      }
      state.url = url.href;
    } else {
      if (body === undefined || body === null) unusable(from, place);
      Object.assign(state, copy(from));
    }
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
    const source = signal === undefined ? state.signal : signal;
    state.signal = any(source ? [source] : []);
    if (((body !== undefined && body !== null) || state.bytes !== null) && $.includes(['GET', 'HEAD'], state.method)) {
      throw new TypeError($.text`${place}: a ${state.method} request must not have a body`);
    }
    if (body !== undefined && body !== null) setBody(state, extract(body));
    // The body moves from a request to the one that is made from it.
    else if (from !== undefined && from.bytes !== null) consume(from, place);
  }
  static {
    requestOf = (value) => (Object(value) === value && #state in value ? value.#state : undefined);
    includeBody(Request, requestOf);
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
  get signal() {
    return this.#state.signal;
  }
  clone() {
    unusable(this.#state, 'Request.clone');
    const clone = new Request(this.#state.url, { __proto__: null, signal: this.#state.signal });
    Object.assign(clone.#state, { ...copy(this.#state), signal: clone.#state.signal });
    return clone;
  }
  [inspect.custom](depth, options) {
    const { method, url, headers, signal } = this.#state;
    return $.text`Request ${inspect({ method, url, headers, signal }, options)}`;
  }
}
asInterface(Request);

const without = (url) => $.replace(url, $.regex(/#.*$/s), '');
const respond = (url, bytes, type) => {
  const headers = new Headers({ __proto__: null, ...(type === undefined ? {} : { 'content-type': type }) });
  return exports.makeResponse({
    type: 'basic', url: without(url), statusText: 'OK', bytes, headers: makeImmutable(headers),
  });
};
async function fetch(input, init = undefined) {
  needArgs(arguments.length, 1, 'fetch');
  const { url, method, signal } = new Request(input, init);
  signal.throwIfAborted();
  const scheme = $.slice(url, 0, $.indexOf(url, ':'));
  if (scheme !== 'file' && scheme !== 'data') {
    const http = scheme === 'http' || scheme === 'https';
    throw new TypeError(
      $.text`fetch: ${scheme}: URLs are not supported${http ? ' yet' : ''}, only file: and data: URLs are`);
  }
  if (scheme === 'data') {
    const data = require('data_url').parse(url);
    if (data === undefined) throw new TypeError($.text`fetch: ${inspect(url)} is not a valid data: URL`);
    return respond(url, method === 'HEAD' ? null : data.bytes, data.type);
  }
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
  return respond(url, bytes, TYPES[(extension && $.toLowerCase(extension))]);
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
  return consume(state, place);
};
exports.Headers = Headers;
exports.Request = Request;
exports.Response = Response;
exports.fetch = fetch;
