// HTTP fetch (Fetch Standard, §4.3 to §4.6) as far as it concerns programs outside of a browser: redirects, credentials
// that do not cross origins, and bodies. There are no cookies, caches or cross-origin checks, as in Node.
const { Headers, listOf, makeImmutable, ofList } = require('headers');
const { URL } = require('url');
const { begin } = require('http_exchange');
const bodies = require('body');
const MAX_REDIRECTS = 20;
const failed = (cause) => new TypeError('fetch failed', { cause });

// The headers that a client sends by itself.
const withDefaults = (headers, body) => {
  const sent = ofList(listOf(headers));
  const defaults = {
    accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': 'cors', 'user-agent': 'tombolo',
    'accept-encoding': sent.has('range') ? 'identity' : 'br, gzip, deflate',
  };
  for (const { 0: name, 1: value } of $.each(Object.entries(defaults))) if (!sent.has(name)) sent.append(name, value);
  // The client itself says how long a body is.
  for (const name of $.each(['connection', 'keep-alive', 'transfer-encoding', 'expect', 'content-length'])) {
    sent.delete(name);
  }
  if (body !== null && body.length !== null) sent.set('content-length', $.text`${body.length}`);
  return $.flatMap(listOf(sent), ({ 0: name, 1: value }) => [name, value]);
};

// One request and the head of its response. The response's body is a stream that is read when it is wanted.
const exchange = (url, method, headers, body, signal) => new Promise((resolve, reject) => {
  // The reader of the request's body, and what the response's body waits for.
  let reader;
  let waiting;
  let stream;
  const isStream = body !== null && body.bytes === null;
  const streams = () => require('readable_stream');
  const abort = () => {
    exchanged.cancel();
    const error = signal.reason;
    reject(error);
    if (reader !== undefined) streams().ReadableStreamCancel(reader.stream, error);
    waiting?.reject(error);
    if (stream !== undefined) streams().errorStream(streams().slotsOf(stream), error);
  };
  const over = () => signal.removeEventListener('abort', abort);
  const fail = (error) => {
    over();
    reject(failed(error));
    waiting?.reject(failed(error));
  };
  const events = {
    head(status, reason, list) {
      const combined = new Headers();
      for (let i = 0; i + 1 < list.length; i += 2) combined.append(list[i], list[i + 1]);
      const hasNone = method === 'HEAD' || $.includes([101, 204, 205, 304], status);
      if (hasNone) over();
      else {
        stream = bodies.byteStream(() => {
          waiting = $.withResolvers();
          exchanged.pull();
          return waiting.promise;
        }, () => {
          over();
          exchanged.cancel();
        });
      }
      resolve({ status, statusText: reason, headers: combined, body: hasNone ? null : bodies.ofStream(stream) });
    },
    chunk(bytes) {
      if (bytes === null) over();
      waiting.resolve(bytes);
    },
    failed: fail,
    async wanted() {
      try {
        reader ??= streams().AcquireReadableStreamDefaultReader(streams().slotsOf(bodies.streamOf(body)));
        const { value, done } = await $.awaited(streams().read(reader));
        if (!done && $.tagOf(value) !== 'Uint8Array') {
          throw new TypeError('The stream of a body must have chunks that are Uint8Arrays');
        }
        exchanged.write(done ? null : value);
      } catch (error) {
        exchanged.cancel();
        over();
        reject(failed(error));
      }
    },
  };
  let exchanged;
  try {
    exchanged = begin({
      method, url, headers: withDefaults(headers, body), body: body === null ? null : isStream ? true : body.bytes,
      decodes: true,
    }, events);
  } catch (error) {
    reject(error?.code === 'ERR_ACCESS_DENIED' ? failed(error) : error);
    return;
  }
  signal.addEventListener('abort', abort);
});

exports.httpFetch = async (state) => {
  const { signal, redirect } = state;
  let { url, method, headers, body } = state;
  for (let redirects = 0; ; redirects++) {
    const sentBody = body;
    // (The bytes are kept for a redirect.)
    const isStream = body !== null && body.bytes === null;
    const response = await $.awaited(exchange(url, method, headers, sentBody, signal));
    const location = response.headers.get('location');
    const isRedirect = $.includes([301, 302, 303, 307, 308], response.status) && location !== null;
    const finish = (type) => {
      if (body !== null && body.bytes !== null) {
        body.used = true;
        body.bytes = null;
      }
      return require('fetch').makeResponse({
        type, url: $.replace(url, $.regex(/#.*$/s), ''), redirected: redirects > 0, status: response.status,
        statusText: response.statusText, headers: makeImmutable(response.headers), body: response.body,
      });
    };
    if (!isRedirect || redirect === 'manual') return finish('basic');
    if (response.body !== null) response.body.stream.cancel();
    if (redirect === 'error') throw failed(new Error('unexpected redirect'));
    const target = URL.parse(location, url);
    if (target === null || !$.includes(['http:', 'https:'], target.protocol)) {
      throw failed(new Error('URL scheme must be a HTTP(S) scheme'));
    }
    if (redirects === MAX_REDIRECTS) throw failed(new Error('redirect count exceeded'));
    const { status } = response;
    if (status !== 303 && isStream) throw failed(new Error('a body that is a stream cannot be sent again'));
    if (((status === 301 || status === 302) && method === 'POST') ||
      (status === 303 && !$.includes(['GET', 'HEAD'], method))) {
      method = 'GET';
      body = null;
      headers = ofList(listOf(headers));
      for (const name of $.each(['content-encoding', 'content-language', 'content-location', 'content-type'])) {
        headers.delete(name);
      }
    }
    const from = new URL(url);
    if (target.origin !== from.origin) {
      headers = ofList(listOf(headers));
      for (const name of $.each(['authorization', 'proxy-authorization', 'cookie', 'host'])) headers.delete(name);
    }
    if (target.hash === '') target.hash = from.hash;
    url = target.href;
  }
};
