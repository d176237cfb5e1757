// HTTP requests, for `fetch` and node:http: one request and its response, without redirects. `http.rs` has the rest.
/**
 * What Rust provides.
 * @type {{
 *   start(id: number, options: object): object,
 *   pull(exchange: object): void,
 *   write(exchange: object, part: Uint8Array | null): void,
 *   cancel(exchange: object): void,
 * }}
 */
const native = rust;
const { create } = require('errors');

// What is to be called, as long as something is awaited: `head(status, reason, headers)`, `chunk(bytes)` with null at
// the end, `failed(error)`, and `wanted()` for the next part of the request's body.
const awaited = new Map();
let last = 0;

const failure = (code, message, errno, url) => {
  const { hostname, port, protocol } = new (require('url').URL)(url);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const number = code === 'ENOTFOUND' ? -3008 : -3001;
    const text = $.text`getaddrinfo ${code} ${hostname}`;
    return Object.assign(new Error(text), { errno: number, code, syscall: 'getaddrinfo', hostname });
  }
  if (code === '') return new Error(message);
  if (errno === undefined || errno === null) return create('Error', code, message);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  const connecting = $.includes(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ETIMEDOUT'], code);
  if (!connecting) return Object.assign(new Error($.text`read ${code}`), { errno, code, syscall: 'read' });
  const address = $.startsWith(hostname, '[') ? $.slice(hostname, 1, -1) : hostname === 'localhost' ? '127.0.0.1' : hostname;
  return Object.assign(new Error($.text`connect ${code} ${address}:${number}`), {
    errno, code, syscall: 'connect', address, port: number,
  });
};
/** Called by the thread of a request. */
exports.deliver = (id, event, ...values) => {
  const events = awaited.get(id);
  if (events === undefined) return;
  if (event !== 'wanted') awaited.delete(id);
  if (event === 'failed') events.failed(failure(values[0], values[1], values[2], events.url));
  else events[event](...$.each(values));
};
/**
 * Begins a request. `headers` is a list of names and values; `body` is bytes, null or true for parts that are written
 * later.
 * @param {{ method: string, url: string, headers: string[], body: Uint8Array | null | true, decodes: boolean }} options
 * @param {object} events
 */
exports.begin = (options, events) => {
  const { env } = require('process').process;
  const id = ++last;
  const known = { ...events, url: options.url };
  awaited.set(id, known);
  const exchange = native.start(id, {
    __proto__: null, ...options, trustsAny: env.NODE_TLS_REJECT_UNAUTHORIZED === '0',
    certificates: env.SSL_CERT_FILE,
  });
  return {
    pull() {
      awaited.set(id, known);
      native.pull(exchange);
    },
    write: (part) => native.write(exchange, part),
    cancel() {
      awaited.delete(id);
      native.cancel(exchange);
    },
  };
};
