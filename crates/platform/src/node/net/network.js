// node:net, node:tls, node:dns, node:dgram and node:http2: addresses and names. Sockets are there to be imported and
// derived from; what would open one says that it is not implemented.
/**
 * What Rust provides.
 * @type {{
 *   isIP(text: string): number,
 *   lookup(id: number, host: string): void,
 * }}
 */
const native = rust;
const { invalidArgType, notImplemented } = require('errors');
const { validateFunction, validateNumber, validateOneOf } = require('validators');

/** Names as functions, or as classes if they begin with a capital letter, that throw when they are called. */
const refusing = (module, names) => {
  const made = {};
  for (const name of $.each($.split(names, ' '))) {
    const full = $.text`${module}.${name}`;
    made[name] = $.regex(/^[A-Z]/).test(name) ? { [name]: class {
      constructor() {
        throw notImplemented(full);
      }
    } }[name] : { [name]: () => {
      throw notImplemented(full);
    } }[name];
  }
  return made;
};
exports.refusing = refusing;

const isIP = (input) => {
  if (typeof input === 'string') return native.isIP(input);
  if (input === null || input === undefined || typeof input === 'symbol') return 0;
  return native.isIP($.text`${input}`);
};
const lazily = (object, name, make) => Object.defineProperty(object, name, {
  enumerable: true, configurable: true,
  get() {
    const value = make();
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
    return value;
  },
});

// A socket that is never connected.
const makeSocket = () => {
  const { Duplex } = /** @type {any} */ (require('stream'));
  return class Socket extends Duplex {
    connecting = false;
    bytesRead = 0;
    bytesWritten = 0;
    timeout = undefined;
    constructor(options = undefined) {
      super({ ...options, autoDestroy: true, emitClose: true });
      if (options?.fd !== undefined || options?.handle) throw notImplemented('net.Socket with `fd` or `handle`');
    }
    get readyState() {
      return this.destroyed ? 'closed' : 'open';
    }
    get pending() {
      return true;
    }
    connect() {
      throw notImplemented('net.Socket.connect');
    }
    _read() {}
    _write(chunk, encoding, callback) {
      callback(notImplemented('net.Socket.write'));
    }
    setTimeout(delay, callback = undefined) {
      this.timeout = delay;
      if (callback !== undefined) this.once('timeout', callback);
      return this;
    }
    address() {
      return {};
    }
    setNoDelay() {
      return this;
    }
    setKeepAlive() {
      return this;
    }
    setTypeOfService() {
      return this;
    }
    ref() {
      return this;
    }
    unref() {
      return this;
    }
    destroySoon() {
      this.destroy();
    }
    resetAndDestroy() {
      return this.destroy();
    }
  };
};
let autoSelectFamily = true;
let autoSelectTimeout = 250;
/** @type {any} */
const net = {
  isIP, isIPv4: (input) => isIP(input) === 4, isIPv6: (input) => isIP(input) === 6,
  ...refusing('net', 'BlockList SocketAddress Server connect createConnection createServer _createServerHandle ' +
    '_normalizeArgs'),
  getDefaultAutoSelectFamily: () => autoSelectFamily,
  setDefaultAutoSelectFamily(value) {
    if (typeof value !== 'boolean') throw invalidArgType('value', 'of type boolean', value);
    autoSelectFamily = value;
  },
  getDefaultAutoSelectFamilyAttemptTimeout: () => autoSelectTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout(value) {
    validateNumber(value, 'value', 1);
    autoSelectTimeout = value < 10 ? 10 : value;
  },
};
lazily(net, 'Socket', makeSocket);
lazily(net, 'Stream', () => net.Socket);
exports.net = net;

// A socket around another stream can be made, since packages look at one for the classes that Node has inside; nothing
// goes through it.
const makeTLSSocket = () => {
  const { Duplex } = /** @type {any} */ (require('stream'));
  class JSStreamSocket extends net.Socket {
    constructor(stream) {
      super();
      this.stream = stream;
    }
  }
  return class TLSSocket extends net.Socket {
    encrypted = true;
    authorized = false;
    constructor(socket, options = undefined) {
      if (!(socket instanceof Duplex)) throw notImplemented('tls.TLSSocket');
      super(options);
      this._handle = { _parentWrap: socket instanceof net.Socket ? undefined : new JSStreamSocket(socket) };
    }
  };
};
const tls = {
  CLIENT_RENEG_LIMIT: 3, CLIENT_RENEG_WINDOW: 600, DEFAULT_CIPHERS: '', DEFAULT_ECDH_CURVE: 'auto',
  DEFAULT_MIN_VERSION: 'TLSv1.2', DEFAULT_MAX_VERSION: 'TLSv1.3', rootCertificates: Object.freeze([]),
  ...refusing('tls', 'getCiphers getCACertificates setDefaultCACertificates convertALPNProtocols ' +
    'checkServerIdentity createSecureContext SecureContext Server createServer connect'),
};
lazily(tls, 'TLSSocket', makeTLSSocket);
exports.tls = tls;
exports._tls_common = refusing('_tls_common', 'SecureContext createSecureContext translatePeerCertificate');
exports._tls_wrap = refusing('_tls_wrap', 'TLSSocket Server createServer connect');
exports.dgram = refusing('dgram', 'createSocket Socket');
exports.http2 = {
  ...refusing('http2', 'connect createServer createSecureServer getDefaultSettings getPackedSettings ' +
    'getUnpackedSettings performServerHandshake Http2ServerRequest Http2ServerResponse'),
  constants: {}, sensitiveHeaders: Symbol('sensitiveHeaders'),
};

// Names are looked up by the system, on a thread of their own.
const lookups = new Map();
let last = 0;
/** Called by the thread: addresses and their families, or undefined if there are none. */
exports.found = (id, addresses) => {
  const call = lookups.get(id);
  lookups.delete(id);
  call(addresses ?? undefined);
};
let order = 'verbatim';
const ORDERS = ['verbatim', 'ipv4first', 'ipv6first'];
const lookupAll = (hostname, options, callback) => {
  const family = { IPv4: 4, IPv6: 6 }[options.family] ?? options.family ?? 0;
  validateOneOf(family, 'options.family', [0, 4, 6]);
  if (hostname !== undefined && hostname !== null && hostname !== '' && typeof hostname !== 'string') {
    throw invalidArgType('hostname', 'of type string', hostname);
  }
  const finish = (all) => {
    const right = $.filter(all, (entry) => family === 0 || entry.family === family);
    const first = options.order ?? (options.verbatim === undefined ? order : options.verbatim ? 'verbatim' : 'ipv4first');
    const wanted = { ipv4first: 4, ipv6first: 6 }[first];
    if (wanted !== undefined) $.sort(right, (a, b) => Number(b.family === wanted) - Number(a.family === wanted));
    if (right.length > 0) {
      if (options.all) callback(null, right);
      else callback(null, right[0].address, right[0].family);
      return;
    }
    callback(Object.assign(new Error($.text`getaddrinfo ENOTFOUND ${hostname}`), {
      errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname,
    }));
  };
  if (!hostname) {
    require('process').process.nextTick(() => (options.all ? callback(null, []) : callback(null, null, family === 6 ? 6 : 4)));
    return;
  }
  const kind = isIP(hostname);
  if (kind !== 0) {
    require('process').process.nextTick(() =>
      (options.all ? callback(null, [{ address: hostname, family: kind }]) : callback(null, hostname, kind)));
    return;
  }
  const id = ++last;
  lookups.set(id, $.bound((addresses) =>
    finish($.map(addresses ?? [], (address) => ({ address, family: isIP(address) })))));
  try {
    native.lookup(id, hostname);
  } catch (error) {
    lookups.delete(id);
    require('process').process.nextTick(callback, error);
  }
};
const ERRORS = $.split('NODATA FORMERR SERVFAIL NOTFOUND NOTIMP REFUSED BADQUERY BADNAME BADFAMILY BADRESP CONNREFUSED ' +
  'TIMEOUT EOF FILE NOMEM DESTRUCTION BADSTR BADFLAGS NONAME BADHINTS NOTINITIALIZED LOADIPHLPAPI ' +
  'ADDRGETNETWORKPARAMS CANCELLED', ' ');
const RESOLVES = 'lookupService Resolver setServers getServers resolve resolve4 resolve6 resolveAny resolveCaa ' +
  'resolveCname resolveMx resolveNaptr resolveNs resolvePtr resolveSoa resolveSrv resolveTlsa resolveTxt reverse';
const shared = {
  getDefaultResultOrder: () => order,
  setDefaultResultOrder(value) {
    validateOneOf(value, 'dnsOrder', ORDERS);
    order = value;
  },
};
for (const name of $.each(ERRORS)) shared[name] = name === 'CANCELLED' ? 'ECANCELLED' : $.text`E${name}`;
const lookup = (hostname, options, callback) => {
  if (typeof options === 'function') {
    callback = options;
    options = { __proto__: null };
  }
  validateFunction(callback, 'callback');
  if (typeof options === 'number') options = { __proto__: null, family: options };
  else if (options !== undefined && options !== null && typeof options !== 'object') {
    throw invalidArgType('options', 'one of type integer or object', options);
  }
  lookupAll(hostname, options ?? { __proto__: null }, callback);
  return {};
};
Object.defineProperty(lookup, $.symbolFor('nodejs.util.promisify.customArgs'), { value: ['address', 'family'] });
exports.dns = {
  lookup, ...shared, ...refusing('dns', RESOLVES), ADDRCONFIG: 32, ALL: 16, V4MAPPED: 8,
};
exports['dns/promises'] = {
  lookup: (hostname, options = { __proto__: null }) => new Promise((resolve, reject) => {
    if (typeof options === 'number') options = { __proto__: null, family: options };
    lookupAll(hostname, options, (error, address, family) => {
      if (error) reject(error);
      else resolve(options.all ? address : { address, family });
    });
  }),
  ...shared, ...refusing('dns.promises', RESOLVES),
};
lazily(exports.dns, 'promises', () => exports['dns/promises']);
