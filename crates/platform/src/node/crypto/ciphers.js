// Ciphers of node:crypto: AES in ECB, CBC, CTR and GCM.
/**
 * What Rust provides.
 * @type {{
 *   cipher(mode: string, key: ArrayBufferView, iv: ArrayBufferView, isEncrypting: boolean): object | undefined,
 *   setPadding(cipher: object, isPadded: boolean): void,
 *   authenticate(cipher: object, data: ArrayBufferView): void,
 *   update(cipher: object, data: ArrayBufferView, length: number): ArrayBuffer,
 *   finish(cipher: object, tag?: ArrayBufferView): ArrayBuffer[] | string,
 * }}
 */
const native = rust;
const { create, invalidArgType } = require('errors');
const { validateInt32, validateObject, validateString, validateUint32 } = require('validators');
const { viewOf } = require('bytes');
const { encode, fromBytes, Buffer } = require('buffer');
const { find, UTF8 } = require('encodings');
const { LazyTransform } = require('lazy_transform');
const { secretOf } = require('keys');
const kState = Symbol('kState');
const DATA = 'of type string or an instance of Buffer, TypedArray, or DataView';
const BYTES = 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView';
const MODES = [
  { mode: 'cbc', blockSize: 16, ivLength: 16, nids: [419, 423, 427] },
  { mode: 'ctr', blockSize: 1, ivLength: 16, nids: [904, 905, 906] },
  { mode: 'ecb', blockSize: 16, ivLength: undefined, nids: [418, 422, 426] },
  { mode: 'gcm', blockSize: 1, ivLength: 12, nids: [895, 898, 901] },
];
const ciphers = { __proto__: null };
for (let i = 0; i < 3; i++) {
  const bits = 128 + 64 * i;
  for (const { mode, blockSize, ivLength, nids } of $.each(MODES)) {
    const name = mode === 'gcm' ? $.text`id-aes${bits}-gcm` : $.text`aes-${bits}-${mode}`;
    const info = { mode, name, nid: nids[i], keyLength: bits / 8, blockSize, ivLength };
    ciphers[$.text`aes-${bits}-${mode}`] = info;
    if (mode === 'gcm') ciphers[name] = info;
    if (mode === 'cbc') ciphers[$.text`aes${bits}`] = info;
  }
}
const infoOf = (name) => ciphers[$.toLowerCase(name)];
exports.getCiphers = function getCiphers() {
  return $.sort(Object.keys(ciphers));
};
exports.getCipherInfo = function getCipherInfo(nameOrNid, options) {
  if (typeof nameOrNid !== 'string' && typeof nameOrNid !== 'number') {
    throw invalidArgType('nameOrNid', 'one of type string or number', nameOrNid);
  }
  const { keyLength, ivLength } = options ?? { __proto__: null };
  if (options !== undefined) validateObject(options, 'options');
  if (keyLength !== undefined) validateInt32(keyLength, 'options.keyLength');
  if (ivLength !== undefined) validateInt32(ivLength, 'options.ivLength');
  const info = typeof nameOrNid === 'string' ? infoOf(nameOrNid)
    : $.find(Object.values(ciphers), ({ nid }) => nid === nameOrNid);
  if (info === undefined || (keyLength !== undefined && keyLength !== info.keyLength)) return undefined;
  const made = { __proto__: null, ...info };
  if (ivLength !== undefined && ivLength !== info.ivLength) {
    if (info.mode !== 'gcm' || ivLength < 1) return undefined;
    made.ivLength = ivLength;
  }
  return made;
};

const invalidState = (operation) => create('Error', 'ERR_CRYPTO_INVALID_STATE',
  operation === undefined ? 'Invalid state' : $.text`Invalid state for operation ${operation}`);
const checkTagLength = (length) => {
  if (length === 4 || length === 8 || (length >= 12 && length <= 16)) return;
  throw create('TypeError', 'ERR_CRYPTO_INVALID_AUTH_TAG', $.text`Invalid authentication tag length: ${length}`);
};
const opensslError = (number, reason, code) => {
  const message = $.text`error:${number}:Provider routines::${reason}`;
  return Object.assign(new Error(message), {
    opensslErrorStack: [message], library: 'Provider routines', reason, code,
  });
};
const start = (self, cipher, key, iv, options, isEncrypting) => {
  validateString(cipher, 'cipher');
  const secret = secretOf(key, options?.encoding);
  const vector = iv === null ? Buffer.alloc(0) : typeof iv === 'string' ? encode(iv, UTF8) : viewOf(iv);
  if (vector === undefined) throw invalidArgType('iv', $.text`of type string or ${BYTES}`, iv);
  const tagLength = options?.authTagLength;
  if (tagLength !== undefined && tagLength !== null) validateUint32(tagLength, 'options.authTagLength');
  const info = infoOf(cipher);
  if (info === undefined) throw create('Error', 'ERR_CRYPTO_UNKNOWN_CIPHER', 'Unknown cipher');
  const { mode, keyLength, ivLength } = info;
  const wrongIv = mode === 'gcm' ? $.length(vector) === 0 : $.length(vector) !== (ivLength ?? 0);
  if (wrongIv) throw create('TypeError', 'ERR_CRYPTO_INVALID_IV', 'Invalid initialization vector');
  if ($.byteLength(secret) !== keyLength) {
    throw create('RangeError', 'ERR_CRYPTO_INVALID_KEYLEN', 'Invalid key length');
  }
  if (mode === 'gcm' && tagLength !== undefined && tagLength !== null) checkTagLength(tagLength);
  Reflect.apply(LazyTransform, self, [options]);
  Object.defineProperty(self, kState, { value: {
    native: native.cipher(mode, secret, vector, isEncrypting), mode, isEncrypting, tagLength: tagLength ?? undefined,
    tag: undefined, hasEnded: false, hasText: false, encoding: undefined,
  } });
};
// One operation gives text in one encoding.
const output = (state, buffer, outputEncoding) => {
  const bytes = fromBytes(new Uint8Array(buffer));
  if (!outputEncoding || outputEncoding === 'buffer') return bytes;
  if (state.decoder === undefined) {
    state.decoder = new (require('string_decoder').StringDecoder)(outputEncoding);
  } else if (find(state.decoder.encoding) !== find(outputEncoding)) {
    throw create('Error', 'ERR_INTERNAL_ASSERTION', 'Cannot change encoding');
  }
  return state.decoder.write(bytes);
};

/** @type {any} */
const methods = {
  _transform(chunk, encoding, callback) {
    this.push(this.update(chunk, encoding));
    callback();
  },
  _flush(callback) {
    try {
      this.push(this.final());
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  },
  update(data, inputEncoding, outputEncoding) {
    const state = this[kState];
    if (typeof data === 'string') data = encode(data, inputEncoding ? find(inputEncoding) ?? UTF8 : UTF8);
    else if (!$.isView(data)) throw invalidArgType('data', DATA, data);
    if (state.hasEnded) throw new Error('Trying to add data in unsupported state');
    state.hasText = true;
    return output(state, native.update(state.native, data, $.byteLength(data)), outputEncoding);
  },
  final(outputEncoding) {
    const state = this[kState];
    if (state.hasEnded) throw invalidState();
    state.hasEnded = true;
    const made = native.finish(state.native, state.isEncrypting ? undefined : state.tag);
    if (made === 'tag') throw new Error('Unsupported state or unable to authenticate data');
    if (made === 'length') {
      throw opensslError('1C80006B', 'wrong final block length', 'ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH');
    }
    if (typeof made === 'string') throw opensslError('1C800064', 'bad decrypt', 'ERR_OSSL_BAD_DECRYPT');
    if (state.mode === 'gcm' && state.isEncrypting) {
      state.tag = $.subarray(new Uint8Array(made[1]), 0, state.tagLength ?? 16);
    }
    const last = output(state, made[0], outputEncoding);
    return typeof last === 'string' ? last + state.decoder.end() : last;
  },
  setAutoPadding(autoPadding) {
    const state = this[kState];
    if (state.hasEnded) throw invalidState('setAutoPadding');
    native.setPadding(state.native, autoPadding === undefined ? true : Boolean(autoPadding));
    return this;
  },
  setAAD(aadbuf, options) {
    const state = this[kState];
    const encoding = options?.encoding;
    const data = typeof aadbuf === 'string' ? encode(aadbuf, encoding ? find(encoding) ?? UTF8 : UTF8) : viewOf(aadbuf);
    if (data === undefined) throw invalidArgType('buffer', $.text`of type string or ${BYTES}`, aadbuf);
    if (state.mode !== 'gcm' || state.hasEnded || state.hasText) throw invalidState('setAAD');
    native.authenticate(state.native, data);
    return this;
  },
  getAuthTag() {
    const { tag } = this[kState];
    if (tag === undefined) throw invalidState('getAuthTag');
    return fromBytes(new Uint8Array(tag));
  },
  setAuthTag(tagbuf, encoding) {
    const state = this[kState];
    const tag = typeof tagbuf === 'string' ? encode(tagbuf, encoding ? find(encoding) ?? UTF8 : UTF8) : viewOf(tagbuf);
    if (tag === undefined) throw invalidArgType('buffer', $.text`of type string or ${BYTES}`, tagbuf);
    if (state.mode !== 'gcm' || state.hasEnded || state.tag !== undefined) throw invalidState('setAuthTag');
    checkTagLength($.length(tag));
    if (state.tagLength !== undefined && state.tagLength !== $.length(tag)) {
      throw create('TypeError', 'ERR_CRYPTO_INVALID_AUTH_TAG',
        $.text`Invalid authentication tag length: ${$.length(tag)}`);
    }
    state.tag = new Uint8Array(tag);
    return this;
  },
};

/**
 * @constructor
 * @param {any} cipher
 * @param {any} key
 * @param {any} iv
 * @param {any} [options]
 */
function Cipheriv(cipher, key, iv, options) {
  if (!new.target) return new Cipheriv(cipher, key, iv, options);
  start(this, cipher, key, iv, options, true);
}
/**
 * @constructor
 * @param {any} cipher
 * @param {any} key
 * @param {any} iv
 * @param {any} [options]
 */
function Decipheriv(cipher, key, iv, options) {
  if (!new.target) return new Decipheriv(cipher, key, iv, options);
  start(this, cipher, key, iv, options, false);
}
const shared = ['_transform', '_flush', 'update', 'final', 'setAutoPadding'];
for (const { Class, names } of $.each([
  { Class: Cipheriv, names: [...$.each(shared), 'getAuthTag', 'setAAD'] },
  { Class: Decipheriv, names: [...$.each(shared), 'setAuthTag', 'setAAD'] },
])) {
  Object.setPrototypeOf(Class.prototype, LazyTransform.prototype);
  Object.setPrototypeOf(Class, LazyTransform);
  for (const name of $.each(names)) Class.prototype[name] = methods[name];
}
exports.Cipheriv = Cipheriv;
exports.Decipheriv = Decipheriv;
exports.createCipheriv = function createCipheriv(cipher, key, iv, options) {
  return new Cipheriv(cipher, key, iv, options);
};
exports.createDecipheriv = function createDecipheriv(cipher, key, iv, options) {
  return new Decipheriv(cipher, key, iv, options);
};
// For crypto.subtle: the whole message at once; undefined if it is not authentic or its padding is wrong.
exports.crypt = (mode, key, iv, data, isEncrypting, extra, tagLength) => {
  const cipher = native.cipher(mode, key, iv, isEncrypting);
  if (cipher === undefined) return undefined;
  if (extra !== undefined) native.authenticate(cipher, extra);
  const size = mode === 'gcm' && !isEncrypting ? $.length(data) - tagLength : $.length(data);
  if (size < 0) return undefined;
  const first = native.update(cipher, $.subarray(data, 0, size), size);
  const made = native.finish(cipher, $.subarray(data, size, $.length(data)));
  if (typeof made === 'string') return undefined;
  const { 0: last, 1: tag } = made;
  const parts = [new Uint8Array(first), new Uint8Array(last), $.subarray(new Uint8Array(tag), 0, mode === 'gcm' && isEncrypting ? tagLength : 0)];
  const whole = new Uint8Array($.reduce(parts, (sum, part) => sum + $.length(part), 0));
  let at = 0;
  for (const part of $.each(parts)) {
    $.set(whole, part, at);
    at += $.length(part);
  }
  return $.buffer(whole);
};
