// The older half of node:url: `parse`, `format` and `resolve`, which see a URL as parts of a text.
/**
 * What Rust provides.
 * @type {{
 *   toAscii(domain: string): string,
 *   toUnicode(domain: string): string,
 * }}
 */
const native = rust;
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateObject, validateString } = require('validators');

const set = (...names) => {
  const made = new Set();
  for (const name of $.each(names)) {
    made.add(name);
    made.add($.text`${name}:`);
  }
  return made;
};
// Protocols that keep characters which others escape; that have no host; that are always followed by slashes.
const unsafe = set('javascript');
const hostless = set('javascript');
const slashed = set('http', 'https', 'ftp', 'gopher', 'file', 'ws', 'wss');

const invalidUrl = (input) => create('TypeError', 'ERR_INVALID_URL', 'Invalid URL', { input });
const escapes = (text) => $.replace(text, $.regex(/[\t\n\r "'<>\\^`{|}]/g),
  (char) => $.text`%${$.padStart($.toUpperCase($.toString($.charCodeAt(char, 0), 16)), 2, '0')}`);
const isNoSpace = (code) => !(code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0xfeff);
const trimmed = (text) => {
  let start = 0;
  let { length: end } = text;
  while (start < end && !isNoSpace($.charCodeAt(text, start))) start++;
  while (end > start && !isNoSpace($.charCodeAt(text, end - 1))) end--;
  return $.slice(text, start, end);
};
/** The text with slashes in place of the backslashes before the query and the fragment. */
const withSlashes = (text) => {
  const { index = text.length } = $.regex(/[?#]/).exec(text) ?? { __proto__: null };
  return $.replaceAll($.slice(text, 0, index), '\\', '/') + $.slice(text, index);
};
const queryOf = (text) => /** @type {any} */ (require('querystring')).parse(text);

// Where a host ends: at `/`, `?` or `#`; other characters end it as well, unless an `@` follows.
const splitHost = (rest) => {
  let at = -1;
  let end = -1;
  for (let i = 0; i < rest.length; i++) {
    const char = rest[i];
    if (char === '\t' || char === '\n' || char === '\r') {
      rest = $.slice(rest, 0, i) + $.slice(rest, i + 1);
      i--;
      continue;
    }
    if (char === '#' || char === '/' || char === '?') {
      if (end === -1) end = i;
      break;
    }
    if (char === '@') {
      at = i;
      end = -1;
    } else if (end === -1 && $.includes(' "%\';<>\\^`{|}', char)) {
      end = i;
    }
  }
  const stop = end === -1 ? rest.length : end;
  return { auth: at === -1 ? null : $.slice(rest, 0, at), host: $.slice(rest, at + 1, stop), rest: $.slice(rest, stop) };
};
const forbidden = $.regex(/[\0\t\n\r #%/:<>?@[\\\]^|]/);
const forbiddenIpv6 = $.regex(/[\0\t\n\r #%/<>?@\\^|]/);

/** @constructor */
function Url() {
  Object.assign(this, {
    protocol: null, slashes: null, auth: null, host: null, port: null, hostname: null, hash: null, search: null,
    query: null, pathname: null, path: null, href: null,
  });
}
const methods = {
  parse(url, parseQueryString, slashesDenoteHost) {
    validateString(url, 'url');
    let rest = withSlashes(trimmed(url));
    if (!slashesDenoteHost && !$.includes(url, '#') && !$.includes(url, '@')) {
      const simple = $.regex(/^(\/\/?(?!\/)[^?\s]*)(\?[^\s]*)?$/).exec(rest);
      if (simple !== null) {
        const { 1: pathname, 2: search } = simple;
        this.path = this.href = rest;
        this.pathname = pathname;
        if (search) {
          this.search = search;
          this.query = parseQueryString ? queryOf($.slice(search, 1)) : $.slice(search, 1);
        } else if (parseQueryString) {
          this.search = null;
          this.query = { __proto__: null };
        }
        return this;
      }
    }
    const { 0: proto } = $.regex(/^[a-z0-9.+-]+:/i).exec(rest) ?? [];
    const protocol = proto === undefined ? undefined : $.toLowerCase(proto);
    if (protocol !== undefined) {
      this.protocol = protocol;
      rest = $.slice(rest, protocol.length);
    }
    let hasSlashes = false;
    if (slashesDenoteHost || protocol !== undefined || $.regex(/^\/\/[^@/]+@[^@/]+/).test(rest)) {
      hasSlashes = $.startsWith(rest, '//');
      if (hasSlashes && !hostless.has(protocol)) {
        rest = $.slice(rest, 2);
        this.slashes = true;
      }
    }
    if (!hostless.has(protocol) && (hasSlashes || (protocol !== undefined && !slashed.has(protocol)))) {
      rest = takeHost(this, rest, url);
    }
    if (!unsafe.has(protocol)) rest = escapes(rest);
    const hash = $.indexOf(rest, '#');
    const end = hash === -1 ? rest.length : hash;
    if (hash !== -1) this.hash = $.slice(rest, hash);
    const question = $.indexOf($.slice(rest, 0, end), '?');
    if (question !== -1) {
      this.search = $.slice(rest, question, end);
      this.query = parseQueryString ? queryOf($.slice(rest, question + 1, end)) : $.slice(rest, question + 1, end);
    } else if (parseQueryString) {
      this.search = null;
      this.query = { __proto__: null };
    }
    const pathname = $.slice(rest, 0, question === -1 ? end : question);
    if (pathname !== '') this.pathname = pathname;
    if (slashed.has(protocol) && this.hostname && !this.pathname) this.pathname = '/';
    if (this.pathname || this.search) this.path = (this.pathname || '') + (this.search || '');
    this.href = this.format();
    return this;
  },
  parseHost() {
    let { host } = this;
    const { 0: port } = $.regex(/:[0-9]*$/).exec(host) ?? [];
    if (port !== undefined) {
      if (port !== ':') this.port = $.slice(port, 1);
      host = $.slice(host, 0, -port.length);
    }
    if (host) this.hostname = host;
  },
  format() {
    let auth = this.auth || '';
    if (auth) {
      auth = $.replace(encodeURIComponent(auth), $.regex(/%3A/gi), ':');
      auth = $.text`${auth}@`;
    }
    let protocol = this.protocol || '';
    let pathname = this.pathname || '';
    let hash = this.hash || '';
    let host = '';
    if (this.host) {
      host = auth + this.host;
    } else if (this.hostname) {
      const isIpv6 = $.includes(this.hostname, ':') && !$.startsWith(this.hostname, '[');
      host = auth + (isIpv6 ? $.text`[${this.hostname}]` : this.hostname) + (this.port ? $.text`:${this.port}` : '');
    }
    let query = '';
    if (this.query !== null && typeof this.query === 'object') {
      query = /** @type {any} */ (require('querystring')).stringify(this.query);
    }
    let search = this.search || (query && $.text`?${query}`) || '';
    if (protocol && !$.endsWith(protocol, ':')) protocol += ':';
    pathname = $.replace(pathname, $.regex(/[?#]/g), (char) => (char === '?' ? '%3F' : '%23'));
    if (this.slashes || slashed.has(protocol)) {
      if (this.slashes || host) {
        if (pathname && pathname[0] !== '/') pathname = $.text`/${pathname}`;
        host = $.text`//${host}`;
      } else if (protocol.length >= 4 && $.startsWith(protocol, 'file')) {
        host = '//';
      }
    }
    search = $.replaceAll(search, '#', '%23');
    if (hash && hash[0] !== '#') hash = $.text`#${hash}`;
    if (search && search[0] !== '?') search = $.text`?${search}`;
    return protocol + host + pathname + search + hash;
  },
  resolve(relative) {
    return this.resolveObject(parse(relative, false, true)).format();
  },
  resolveObject(relative) {
    return resolveObject(this, typeof relative === 'string' ? new AnyUrl().parse(relative, false, true) : relative);
  },
};
const takeHost = (url, text, input) => {
  const { auth, host, rest: after } = splitHost(text);
  let rest = after;
  if (auth !== null) url.auth = decode(auth);
  url.host = host;
  url.parseHost();
  if (typeof url.hostname !== 'string') url.hostname = '';
  const { hostname } = url;
  const isIpv6 = $.startsWith(hostname, '[') && $.endsWith(hostname, ']');
  // What is left of a port that is no number.
  if (!isIpv6 && $.includes(hostname, ':')) throw invalidArgValue('url', 'Invalid port in url', input);
  url.hostname = url.hostname.length > 255 ? '' : $.toLowerCase(url.hostname);
  if (url.hostname !== '') {
    if (isIpv6) {
      if (forbiddenIpv6.test(url.hostname)) throw invalidUrl(input);
    } else {
      url.hostname = native.toAscii(url.hostname);
      if (url.hostname === '' || forbidden.test(url.hostname)) throw invalidUrl(input);
    }
  }
  url.host = (url.hostname || '') + (url.port ? $.text`:${url.port}` : '');
  if (isIpv6) {
    url.hostname = $.slice(url.hostname, 1, -1);
    if (rest[0] !== '/') rest = $.text`/${rest}`;
  }
  return rest;
};
const decode = (text) => {
  try {
    return $.globals.decodeURIComponent(text);
  } catch {
    throw new (/** @type {any} */ ($.real).URIError ?? Error)('URI malformed');
  }
};
Object.assign(Url.prototype, methods);
/** @type {any} */
const AnyUrl = Url;

const resolveObject = (base, relative) => {
  const result = new AnyUrl();
  Object.assign(result, base);
  // The fragment is always that of the relative part.
  result.hash = relative.hash;
  if (relative.href === '') {
    result.href = result.format();
    return result;
  }
  const finish = () => {
    if (result.pathname !== null || result.search !== null) {
      result.path = (result.pathname || '') + (result.search || '');
    }
    result.href = result.format();
    return result;
  };
  if (relative.slashes && !relative.protocol) {
    for (const key of $.each(Object.keys(relative))) if (key !== 'protocol') result[key] = relative[key];
    if (slashed.has(result.protocol) && result.hostname && !result.pathname) result.path = result.pathname = '/';
    result.href = result.format();
    return result;
  }
  if (relative.protocol && relative.protocol !== result.protocol) {
    if (!slashed.has(relative.protocol)) {
      Object.assign(result, relative);
      result.href = result.format();
      return result;
    }
    result.protocol = relative.protocol;
    if (!relative.host && !$.regex(/^file:?$/).test(relative.protocol) && !hostless.has(relative.protocol)) {
      const parts = $.split(relative.pathname || '', '/');
      while (parts.length > 0 && !(relative.host = $.shift(parts)));
      relative.host ||= '';
      relative.hostname ||= '';
      if (parts[0] !== '') $.unshift(parts, '');
      if (parts.length < 2) $.unshift(parts, '');
      result.pathname = $.join(parts, '/');
    } else {
      result.pathname = relative.pathname;
    }
    result.search = relative.search;
    result.query = relative.query;
    result.host = relative.host || '';
    result.auth = relative.auth;
    result.hostname = relative.hostname || relative.host;
    result.port = relative.port;
    if (result.pathname || result.search) result.path = (result.pathname || '') + (result.search || '');
    result.slashes ||= relative.slashes;
    result.href = result.format();
    return result;
  }
  const isSourceAbsolute = result.pathname && result.pathname[0] === '/';
  const isRelativeAbsolute = relative.host || (relative.pathname && relative.pathname[0] === '/');
  let mustEndAbsolute = isRelativeAbsolute || isSourceAbsolute || (result.host && relative.pathname);
  const removeAllDots = mustEndAbsolute;
  let source = (result.pathname && $.split(result.pathname, '/')) || [];
  const parts = (relative.pathname && $.split(relative.pathname, '/')) || [];
  const isPathless = result.protocol && !slashed.has(result.protocol);
  if (isPathless) {
    // What other protocols have for a path begins with what would be a host.
    result.hostname = '';
    result.port = null;
    if (result.host) {
      if (source[0] === '') source[0] = result.host;
      else $.unshift(source, result.host);
    }
    result.host = '';
    if (relative.protocol) {
      relative.hostname = null;
      relative.port = null;
      result.auth = null;
      if (relative.host) {
        if (parts[0] === '') parts[0] = relative.host;
        else $.unshift(parts, relative.host);
      }
      relative.host = null;
    }
    mustEndAbsolute = mustEndAbsolute && (parts[0] === '' || source[0] === '');
  }
  if (isRelativeAbsolute) {
    if (relative.host || relative.host === '') {
      if (result.host !== relative.host) result.auth = null;
      result.host = relative.host;
      result.port = relative.port;
    }
    if (relative.hostname || relative.hostname === '') {
      if (result.hostname !== relative.hostname) result.auth = null;
      result.hostname = relative.hostname;
    }
    result.search = relative.search;
    result.query = relative.query;
    source = parts;
  } else if (parts.length > 0) {
    $.pop(source);
    source = [...$.each(source), ...$.each(parts)];
    result.search = relative.search;
    result.query = relative.query;
  } else if (relative.search !== null && relative.search !== undefined) {
    if (isPathless) takeAuth(result, source);
    result.search = relative.search;
    result.query = relative.query;
    return finish();
  }
  if (source.length === 0) {
    result.pathname = null;
    result.path = result.search ? $.text`/${result.search}` : null;
    result.href = result.format();
    return result;
  }
  const last = $.at(source, -1);
  const hasTrailingSlash = ((result.host || relative.host || source.length > 1) && (last === '.' || last === '..')) ||
    last === '';
  let up = 0;
  for (let i = source.length - 1; i >= 0; i--) {
    if (source[i] === '.') {
      $.splice(source, i, 1);
    } else if (source[i] === '..') {
      $.splice(source, i, 1);
      up++;
    } else if (up > 0) {
      $.splice(source, i, 1);
      up--;
    }
  }
  if (!mustEndAbsolute && !removeAllDots) for (; up > 0; up--) $.unshift(source, '..');
  if (mustEndAbsolute && source[0] !== '' && (!source[0] || source[0][0] !== '/')) $.unshift(source, '');
  if (hasTrailingSlash && !$.endsWith($.join(source, '/'), '/')) $.push(source, '');
  const isAbsolute = source[0] === '' || (source[0] && source[0][0] === '/');
  if (isPathless) takeAuth(result, source, isAbsolute);
  mustEndAbsolute = mustEndAbsolute || (result.host && source.length > 0);
  if (mustEndAbsolute && !isAbsolute) $.unshift(source, '');
  if (source.length === 0) {
    result.pathname = null;
    result.path = null;
  } else {
    result.pathname = $.join(source, '/');
  }
  if (result.pathname !== null || result.search !== null) {
    result.path = (result.pathname || '') + (result.search || '');
  }
  result.auth = relative.auth || result.auth;
  result.slashes = result.slashes || relative.slashes;
  result.href = result.format();
  return result;
};
/** Takes the host, and what stands before an `@`, out of the first name of a path. */
const takeAuth = (result, source, isAbsolute = false) => {
  result.hostname = result.host = isAbsolute ? '' : source.length > 0 ? $.shift(source) : '';
  const at = result.host ? $.indexOf(result.host, '@') : -1;
  if (at > 0) {
    result.auth = $.slice(result.host, 0, at);
    result.host = result.hostname = $.slice(result.host, at + 1);
  }
};

function urlParse(url, parseQueryString, slashesDenoteHost) {
  require('deprecation').warnProgram('`url.parse()` behavior is not standardized and prone to errors that have security ' +
    'implications. Use the WHATWG URL API instead. CVEs are not issued for `url.parse()` vulnerabilities.', 'DEP0169');
  return parse(url, parseQueryString, slashesDenoteHost);
}
function parse(url, parseQueryString, slashesDenoteHost) {
  if (url instanceof Url) return url;
  return new AnyUrl().parse(url, parseQueryString, slashesDenoteHost);
}
function urlFormat(urlObject, options) {
  if (typeof urlObject === 'string') {
    urlObject = parse(urlObject);
  } else if (typeof urlObject !== 'object' || urlObject === null) {
    throw invalidArgType('urlObject', 'one of type object or string', urlObject);
  } else if (urlObject instanceof require('url').URL) {
    const shown = { fragment: true, unicode: false, search: true, auth: true };
    if (options) {
      validateObject(options, 'options');
      for (const name of $.each(Object.keys(shown))) if (options[name] != null) shown[name] = Boolean(options[name]);
    }
    const copy = new (require('url').URL)(urlObject.href);
    if (!shown.fragment) copy.hash = '';
    if (!shown.search) copy.search = '';
    if (!shown.auth) copy.username = copy.password = '';
    const { href, hostname } = copy;
    if (!shown.unicode || hostname === '') return href;
    const at = $.indexOf(href, hostname, copy.protocol.length);
    return $.slice(href, 0, at) + native.toUnicode(hostname) + $.slice(href, at + hostname.length);
  }
  return Reflect.apply(methods.format, urlObject, []);
}
function urlResolve(source, relative) {
  return parse(source, false, true).resolve(relative);
}
function urlResolveObject(source, relative) {
  if (!source) return relative;
  return parse(source, false, true).resolveObject(relative);
}
exports.Url = Url;
exports.parse = urlParse;
exports.resolve = urlResolve;
exports.resolveObject = urlResolveObject;
exports.format = urlFormat;
exports.domainToASCII = function domainToASCII(domain) {
  return require('url').URL.parse($.text`ws://${domain}`)?.hostname ?? '';
};
exports.domainToUnicode = function domainToUnicode(domain) {
  const { hostname } = require('url').URL.parse($.text`ws://${domain}`) ?? { hostname: '' };
  return native.toUnicode(hostname);
};
