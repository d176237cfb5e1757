// node:http and node:https: clients. Each request is an exchange of `http_exchange.js`. There are no servers.
const { create, invalidArgType, notImplemented } = require('errors');
const { validateFunction, validateObject } = require('validators');
const { Readable, Writable } = /** @type {any} */ (require('stream'));
const { EventEmitter } = require('events');
const { URL, urlToHttpOptions } = /** @type {any} */ (require('url'));
const { nextTick, nop } = require('stream_shared');
const timers = () => require('timers');

const METHODS = $.split('ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY ' +
  'MKCALENDAR MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE ' +
  'SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE', ' ');
const STATUS_CODES = {};
for (const line of $.each($.split('100 Continue|101 Switching Protocols|102 Processing|103 Early Hints|200 OK|' +
  '201 Created|202 Accepted|203 Non-Authoritative Information|204 No Content|205 Reset Content|206 Partial Content|' +
  '207 Multi-Status|208 Already Reported|226 IM Used|300 Multiple Choices|301 Moved Permanently|302 Found|' +
  '303 See Other|304 Not Modified|305 Use Proxy|307 Temporary Redirect|308 Permanent Redirect|400 Bad Request|' +
  '401 Unauthorized|402 Payment Required|403 Forbidden|404 Not Found|405 Method Not Allowed|406 Not Acceptable|' +
  '407 Proxy Authentication Required|408 Request Timeout|409 Conflict|410 Gone|411 Length Required|' +
  '412 Precondition Failed|413 Payload Too Large|414 URI Too Long|415 Unsupported Media Type|' +
  "416 Range Not Satisfiable|417 Expectation Failed|418 I'm a Teapot|421 Misdirected Request|" +
  '422 Unprocessable Entity|423 Locked|424 Failed Dependency|425 Too Early|426 Upgrade Required|' +
  '428 Precondition Required|429 Too Many Requests|431 Request Header Fields Too Large|' +
  '451 Unavailable For Legal Reasons|500 Internal Server Error|501 Not Implemented|502 Bad Gateway|' +
  '503 Service Unavailable|504 Gateway Timeout|505 HTTP Version Not Supported|506 Variant Also Negotiates|' +
  '507 Insufficient Storage|508 Loop Detected|509 Bandwidth Limit Exceeded|510 Not Extended|' +
  '511 Network Authentication Required', '|'))) {
  STATUS_CODES[$.slice(line, 0, 3)] = $.slice(line, 4);
}

const { TOKEN } = require('headers');
const validateHeaderName = (name, label = 'Header name') => {
  if (typeof name === 'string' && TOKEN.test(name)) return;
  throw create('TypeError', 'ERR_INVALID_HTTP_TOKEN', $.text`${label} must be a valid HTTP token ["${name}"]`);
};
const validateHeaderValue = (name, value) => {
  if (value === undefined) {
    throw create('TypeError', 'ERR_HTTP_INVALID_HEADER_VALUE',
      $.text`Invalid value "${value}" for header "${name}"`);
  }
  if ($.regex(/[^\t\x20-\x7e\x80-\xff]/).test($.text`${value}`)) {
    throw create('TypeError', 'ERR_INVALID_CHAR', $.text`Invalid character in header content ["${name}"]`);
  }
};

// A message that is written: its headers, until they are sent.
class OutgoingMessage extends Writable {
  // [name as it was given, value or values] by name in lower case.
  #headers = new Map();
  headersSent = false;
  sendDate = false;
  shouldKeepAlive = true;
  socket = null;
  constructor(options = undefined) {
    super(options);
  }
  get connection() {
    return this.socket;
  }
  get finished() {
    return this.writableEnded;
  }
  #check(action) {
    if (!this.headersSent) return;
    throw create('Error', 'ERR_HTTP_HEADERS_SENT', $.text`Cannot ${action} headers after they are sent to the client`);
  }
  setHeader(name, value) {
    this.#check('set');
    validateHeaderName(name);
    for (const each of $.each($.isArray(value) ? value : [value])) validateHeaderValue(name, each);
    this.#headers.set($.toLowerCase(name), [name, value]);
    return this;
  }
  setHeaders(headers) {
    if (typeof headers?.entries !== 'function') throw invalidArgType('headers', 'an instance of Headers or Map', headers);
    // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
    for (const pair of headers) this.setHeader(pair[0], pair[1]);
    return this;
  }
  appendHeader(name, value) {
    this.#check('append');
    const there = this.getHeader(name);
    if (there === undefined) return this.setHeader(name, value);
    return this.setHeader(name, $.flat([there, value]));
  }
  getHeader(name) {
    if (typeof name !== 'string') throw invalidArgType('name', 'of type string', name);
    return this.#headers.get($.toLowerCase(name))?.[1];
  }
  getHeaderNames() {
    return [...$.each(this.#headers.keys())];
  }
  getRawHeaderNames() {
    return $.map([...$.each(this.#headers.values())], ({ 0: name }) => name);
  }
  getHeaders() {
    const made = { __proto__: null };
    for (const { 0: key, 1: { 1: value } } of $.each(this.#headers.entries())) made[key] = value;
    return made;
  }
  hasHeader(name) {
    if (typeof name !== 'string') throw invalidArgType('name', 'of type string', name);
    return this.#headers.has($.toLowerCase(name));
  }
  removeHeader(name) {
    if (typeof name !== 'string') throw invalidArgType('name', 'of type string', name);
    this.#check('remove');
    this.#headers.delete($.toLowerCase(name));
  }
  addTrailers() {
    throw notImplemented('http.OutgoingMessage.addTrailers');
  }
  flushHeaders() {}
}

// A message that is read.
class IncomingMessage extends Readable {
  httpVersionMajor = 1;
  httpVersionMinor = 1;
  httpVersion = '1.1';
  complete = false;
  rawHeaders = [];
  rawTrailers = [];
  aborted = false;
  url = '';
  method = null;
  statusCode = null;
  statusMessage = null;
  socket;
  /** @type {any} */
  req = undefined;
  joinDuplicateHeaders = false;
  constructor(socket = undefined) {
    super({ __proto__: null, highWaterMark: socket?.readableHighWaterMark });
    this.socket = socket;
  }
  get connection() {
    return this.socket;
  }
  get headers() {
    const made = {};
    for (let i = 0; i + 1 < this.rawHeaders.length; i += 2) addHeader(made, this.rawHeaders[i], this.rawHeaders[i + 1]);
    Object.defineProperty(this, 'headers', { value: made, writable: true, enumerable: true, configurable: true });
    return made;
  }
  get headersDistinct() {
    const made = { __proto__: null };
    for (let i = 0; i + 1 < this.rawHeaders.length; i += 2) {
      const name = $.toLowerCase(this.rawHeaders[i]);
      made[name] ??= [];
      $.push(made[name], this.rawHeaders[i + 1]);
    }
    return made;
  }
  get trailers() {
    return {};
  }
  get trailersDistinct() {
    return { __proto__: null };
  }
  setTimeout(delay, callback) {
    this.req?.setTimeout(delay, callback);
    return this;
  }
  _read() {}
}
const SINGLE = $.split('age authorization content-length content-type etag expires from host if-modified-since ' +
  'if-unmodified-since last-modified location max-forwards proxy-authorization referer retry-after server user-agent',
' ');
const addHeader = (headers, name, value) => {
  const key = $.toLowerCase(name);
  if (key === 'set-cookie') {
    if (Object.hasOwn(headers, key)) $.push(headers[key], value);
    else Object.defineProperty(headers, key, { value: [value], writable: true, enumerable: true, configurable: true });
  } else if (!Object.hasOwn(headers, key)) {
    Object.defineProperty(headers, key, { value, writable: true, enumerable: true, configurable: true });
  } else if (!$.includes(SINGLE, key)) {
    headers[key] += $.text`${key === 'cookie' ? '; ' : ', '}${value}`;
  }
};

// Connections are kept and shared by the platform itself, so an agent has nothing but its options.
class Agent extends EventEmitter {
  options;
  requests = { __proto__: null };
  sockets = { __proto__: null };
  freeSockets = { __proto__: null };
  keepAlive;
  keepAliveMsecs;
  maxSockets;
  maxFreeSockets;
  maxTotalSockets;
  scheduling;
  totalSocketCount = 0;
  defaultPort = 80;
  protocol = 'http:';
  constructor(options = undefined) {
    super();
    this.options = { __proto__: null, noDelay: true, path: null, ...options };
    const {
      keepAlive = false, keepAliveMsecs = 1000, maxSockets = 1 / 0, maxFreeSockets = 256, maxTotalSockets = 1 / 0,
      scheduling = 'lifo',
    } = this.options;
    Object.assign(this, { keepAlive, keepAliveMsecs, maxSockets, maxFreeSockets, maxTotalSockets, scheduling });
  }
  getName(options = { __proto__: null }) {
    const { host = 'localhost', port = '', localAddress = '', family } = options;
    return $.text`${host}:${port}:${localAddress}` + (family === 4 || family === 6 ? $.text`:${family}` : '');
  }
  destroy() {}
  createConnection() {
    throw notImplemented($.text`${$.slice(this.protocol, 0, -1)}.Agent.createConnection`);
  }
}
class HttpsAgent extends Agent {
  defaultPort = 443;
  protocol = 'https:';
}

// What the constructors are called with: a URL, options, and a listener for `response`.
const optionsOf = (input, options, callback) => {
  if (typeof input === 'string') input = urlToHttpOptions(new URL(input));
  else if (input instanceof URL) input = urlToHttpOptions(input);
  else {
    callback = options;
    options = input;
    input = null;
  }
  if (typeof options === 'function') {
    callback = options;
    options = input || { __proto__: null };
  } else {
    options = Object.assign(input || { __proto__: null }, options);
  }
  return { options, callback };
};
const connectionReset = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

class ClientRequest extends OutgoingMessage {
  method;
  path;
  host;
  protocol;
  agent;
  aborted = false;
  reusedSocket = false;
  maxHeadersCount = null;
  timeout;
  /** @type {any} */
  res = null;
  #url;
  // Parts of the body and their callbacks, which wait to be sent.
  #parts = [];
  #exchange;
  #wanted = false;
  #ended = false;
  #timer;
  constructor(input, options = undefined, callback = undefined) {
    ({ options, callback } = optionsOf(input, options, callback));
    validateObject(options, 'options');
    // (It is over with its response, not with its body.)
    super({ __proto__: null, autoDestroy: false });
    const {
      protocol = options._defaultAgent?.protocol ?? 'http:', hostname, host = hostname ?? 'localhost', path = '/',
      method = 'GET', headers, auth, timeout, signal, agent, setHost = true,
    } = options;
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw create('TypeError', 'ERR_INVALID_PROTOCOL', $.text`Protocol "${protocol}" not supported. Expected "http:"`);
    }
    if (typeof method !== 'string') throw invalidArgType('options.method', 'of type string', method);
    validateHeaderName(method, 'Method');
    if ($.regex(/[^\x21-\xff]/).test(path)) {
      throw create('TypeError', 'ERR_UNESCAPED_CHARACTERS', 'Request path contains unescaped characters');
    }
    if (options.socketPath) throw notImplemented('http.request with `socketPath`');
    const address = hostname ?? host;
    const defaultPort = protocol === 'https:' ? 443 : 80;
    const port = Number(options.port || options.defaultPort || defaultPort);
    this.method = $.toUpperCase(method);
    this.path = path || '/';
    this.host = address;
    this.protocol = protocol;
    this.agent = agent === undefined || agent === null ? (protocol === 'https:' ? httpsAgent : globalAgent) : agent;
    const inUrl = require('network').net.isIP(address) === 6 ? $.text`[${address}]` : address;
    const authority = port === defaultPort ? inUrl : $.text`${inUrl}:${port}`;
    this.#url = $.text`${protocol}//${authority}${this.path}`;
    if ($.isArray(headers)) {
      const flat = $.isArray(headers[0]) ? $.flat(headers) : headers;
      for (let i = 0; i + 1 < flat.length; i += 2) this.appendHeader(flat[i], flat[i + 1]);
    } else if (headers) {
      for (const name of $.each(Object.keys(headers))) this.setHeader(name, headers[name]);
    }
    if (setHost && !this.hasHeader('host')) this.setHeader('Host', authority);
    if (auth && !this.hasHeader('authorization')) {
      this.setHeader('Authorization', $.text`Basic ${require('buffer').Buffer.from(auth).toString('base64')}`);
    }
    if (callback !== undefined && callback !== null) {
      validateFunction(callback, 'cb');
      this.once('response', callback);
    }
    if (timeout !== undefined) this.setTimeout(timeout);
    if (signal) require('stream_finished').addAbortSignal(signal, this);
    this.socket = new (/** @type {any} */ (require('network').net).Socket)();
    nextTick(() => {
      if (!this.destroyed) this.emit('socket', this.socket);
    });
  }
  // Begins the exchange: `body` is all of the body, or true for parts that are written one by one.
  #begin(body) {
    if (this.#exchange !== undefined || this.destroyed) return;
    if (body === true) {
      if (!this.hasHeader('content-length') && !this.hasHeader('transfer-encoding')) {
        this.setHeader('Transfer-Encoding', 'chunked');
      }
    } else if (!this.hasHeader('content-length') && !this.hasHeader('transfer-encoding') &&
      (body !== null || !$.includes(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'], this.method))) {
      this.setHeader('Content-Length', $.text`${body === null ? 0 : $.byteLength(body)}`);
    }
    this.headersSent = true;
    const headers = [];
    for (const name of $.each(this.getRawHeaderNames())) {
      for (const value of $.each($.flat([this.getHeader(name)]))) $.push(headers, name, $.text`${value}`);
    }
    this.#exchange = require('http_exchange').begin({ method: this.method, url: this.#url, headers, body, decodes: false }, {
      head: (status, reason, list) => this.#respond(status, reason, list),
      chunk: (bytes) => this.#receive(bytes),
      failed: (error) => this.#fail(error),
      wanted: () => {
        this.#wanted = true;
        this.#send();
      },
    });
    this.#touch();
  }
  #send() {
    if (!this.#wanted) return;
    const part = $.shift(this.#parts);
    if (part === undefined && !this.#ended) return;
    this.#wanted = false;
    this.#touch();
    if (part === undefined) {
      this.#exchange.write(null);
    } else {
      this.#exchange.write(part.chunk);
      part.callback();
    }
  }
  _write(chunk, encoding, callback) {
    $.push(this.#parts, { chunk, callback });
    if (this.#exchange === undefined) {
      // A body that ends in this turn is sent whole, with its length.
      timers().setImmediate(() => {
        if (!this.#ended) this.#begin(true);
      });
      if (this.#parts.length === 1) {
        this.#parts[0].callback = nop;
        callback();
      }
    }
    this.#send();
  }
  _final(callback) {
    this.#ended = true;
    if (this.#exchange === undefined) {
      const chunks = $.map(this.#parts, ({ chunk }) => chunk);
      for (const { callback } of $.each(this.#parts)) callback();
      this.#parts = [];
      this.#begin(chunks.length === 0 ? null : require('buffer').Buffer.concat(chunks));
    } else {
      this.#send();
    }
    callback();
  }
  flushHeaders() {
    this.#begin(true);
  }
  #respond(status, reason, list) {
    this.#touch();
    const response = new IncomingMessage(this.socket);
    this.res = response;
    Object.assign(response, { statusCode: status, statusMessage: reason, rawHeaders: list, req: this });
    response._read = () => this.#exchange.pull();
    response._destroy = (error, callback) => {
      if (!response.readableEnded || !response.complete) {
        response.aborted = true;
        response.emit('aborted');
        if (!response.complete) this.#exchange.cancel();
        if (!error && !response.complete) error = connectionReset();
      }
      // (Only a listener makes it an error.)
      nextTick(() => callback(response.listenerCount('error') === 0 ? null : error));
      if (!this.destroyed) this.destroy();
    };
    const isHandled = this.emit('response', response);
    if (!isHandled) response.resume();
  }
  #receive(bytes) {
    this.#touch();
    if (bytes !== null) {
      this.res.push(require('buffer').fromBytes(bytes));
      return;
    }
    this.res.complete = true;
    this.#stopTimer();
    this.res.once('end', () => nextTick(() => this.destroy()));
    this.res.push(null);
  }
  #fail(error) {
    if (this.res) this.res.destroy(error.code === 'UND_ERR_SOCKET' ? Object.assign(hangUpAborted(), { cause: error }) : error);
    else this.destroy(error.code === 'UND_ERR_SOCKET' ? Object.assign(connectionReset(), { cause: error }) : error);
  }
  _destroy(error, callback) {
    this.#stopTimer();
    this.#exchange?.cancel();
    if (this.res) {
      if (!this.res.complete && !this.res.destroyed) this.res.destroy(error);
    } else if (!error) {
      error = connectionReset();
    }
    callback(this.res && !error ? null : error);
  }
  abort() {
    if (this.aborted) return;
    this.aborted = true;
    nextTick(() => this.emit('abort'));
    this.destroy();
  }
  #touch() {
    if (this.#timer !== undefined) this.#timer.refresh();
  }
  #stopTimer() {
    timers().clearTimeout(this.#timer);
    this.#timer = undefined;
  }
  setTimeout(delay, callback = undefined) {
    this.#stopTimer();
    this.timeout = delay;
    if (callback !== undefined) this.once('timeout', callback);
    if (delay > 0) this.#timer = timers().setTimeout(() => this.emit('timeout'), delay).unref();
    return this;
  }
  setNoDelay() {}
  setSocketKeepAlive() {}
  clearTimeout(callback = undefined) {
    return this.setTimeout(0, callback);
  }
}
const hangUpAborted = () => Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
const globalAgent = new Agent({ __proto__: null, keepAlive: true, scheduling: 'lifo', timeout: 5000 });
const httpsAgent = new HttpsAgent({ __proto__: null, keepAlive: true, scheduling: 'lifo', timeout: 5000 });

const client = (defaults) => {
  const request = (input, options, callback) => {
    const given = optionsOf(input, options, callback);
    return new ClientRequest({ ...defaults(), ...given.options }, given.callback);
  };
  return {
    request: function request_(input, options, callback) {
      return request(input, options, callback);
    },
    get: function get(input, options, callback) {
      const made = request(input, options, callback);
      made.end();
      return made;
    },
  };
};
const { refusing } = require('network');
const plain = client(() => ({ protocol: 'http:' }));
const secure = client(() => ({ protocol: 'https:' }));
for (const { request } of $.each([plain, secure])) Object.defineProperty(request, 'name', { value: 'request' });

const checks = { validateHeaderName, validateHeaderValue };
exports.http = {
  METHODS, STATUS_CODES, Agent, ClientRequest, IncomingMessage, OutgoingMessage, ...checks, ...plain, globalAgent,
  ...refusing('http', '_connectionListener Server ServerResponse createServer setGlobalProxyFromEnv WebSocket'),
  maxHeaderSize: 16384, setMaxIdleHTTPParsers() {},
};
for (const name of $.each(['CloseEvent', 'MessageEvent'])) {
  Object.defineProperty(exports.http, name, {
    enumerable: true, configurable: true, get: () => /** @type {any} */ (require('messaging'))[name],
  });
}
exports.https = {
  Agent: HttpsAgent, globalAgent: httpsAgent, ...secure, ...refusing('https', 'Server createServer'),
};
exports._http_agent = { Agent, globalAgent };
exports._http_client = { ClientRequest };
exports._http_common = {
  methods: METHODS, CRLF: '\r\n', chunkExpression: $.regex(/(?:^|\W)chunked(?:$|\W)/i),
  continueExpression: $.regex(/(?:^|\W)100-continue(?:$|\W)/i),
  _checkIsHttpToken: (text) => typeof text === 'string' && TOKEN.test(text),
  _checkInvalidHeaderChar: (text) => $.regex(/[^\t\x20-\x7e\x80-\xff]/).test($.text`${text}`),
  ...refusing('_http_common', 'HTTPParser freeParser isLenient prepareError'),
};
exports._http_incoming = { IncomingMessage, ...refusing('_http_incoming', 'readStart readStop') };
exports._http_outgoing = { OutgoingMessage, ...checks };
exports._http_server = {
  STATUS_CODES, ...refusing('_http_server', 'Server ServerResponse setupConnectionsTracking storeHTTPOptions ' +
    '_connectionListener httpServerPreClose'),
};
