// MessageChannel, MessagePort, BroadcastChannel and structuredClone (HTML Standard, §2.7, §9.4 and §9.5). A MessagePort
// also has Node's interface.
/**
 * What Rust provides.
 * @type {{
 *   channel(): object[],
 *   post(port: object, value: unknown, transfer: object[]): void,
 *   start(port: object, callbacks: Record<'message' | 'messageerror' | 'close', Function>): void,
 *   stop(port: object, listens: boolean): void,
 *   receive(port: object): [unknown, object[]] | undefined,
 *   close(port: object): void,
 *   ref(port: object, refed: boolean): void,
 *   hasRef(port: object): boolean,
 *   isDetached(port: object): boolean,
 *   hooks(face: object): void,
 *   clone(value: unknown, transfer: object[]): unknown,
 *   join(name: string): object,
 *   broadcast(port: object, name: string, value: unknown): void,
 *   noteUncloneable(): void,
 * }}
 */
const native = rust;
const { Event, CustomEvent, EventTarget, trust } = require('abort');
const { asInterface } = require('headers');
const { create, invalidArgType } = require('errors');
const { validateFunction } = require('validators');
const { inspect } = require('lazy_inspect');
const { apply, getPrototypeOf } = Reflect;

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';
const needArgs = (given, name) => {
  if (given === 0) throw create('TypeError', 'ERR_MISSING_ARGS', $.text`The "${name}" argument must be specified`);
};
const invalid = (message) => create('TypeError', 'ERR_INVALID_ARG_TYPE', message);
const notImplemented = (name) => create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', $.text`${name} is not implemented`);
const stringOf = (value) => $.text`${value}`;

// WebIDL's `sequence<object>`.
const sequence = (value, place, iterate = isObject(value) ? value[Symbol.iterator] : undefined) => {
  if (typeof iterate !== 'function') throw invalid($.text`${place} must be an iterable`);
  const iterator = apply(iterate, value, []);
  if (!isObject(iterator) || typeof iterator.next !== 'function') throw invalid($.text`${place} must be an iterable`);
  // eslint-disable-next-line no-restricted-syntax -- This is meant to run the script.
  const items = [...{ [Symbol.iterator]: () => iterator }];
  for (const item of $.each(items)) {
    if (!isObject(item)) throw invalid($.text`${place} must only contain objects, got ${typeof item}`);
  }
  return items;
};
// The last argument of every postMessage: a sequence, or a dictionary that has one.
const transferOf = (argument) => {
  if (argument === undefined || argument === null) return [];
  if (!isObject(argument)) throw invalid('Optional transferList argument must be an iterable');
  const iterate = argument[Symbol.iterator];
  if (iterate !== undefined && iterate !== null) return sequence(argument, 'Optional transferList argument', iterate);
  const { transfer } = argument;
  return transfer === undefined ? [] : sequence(transfer, 'Optional options.transfer argument');
};
const dictionary = (value, place) => {
  if (value === undefined || value === null) return { __proto__: null };
  if (!isObject(value)) throw invalid($.text`${place} must be of type object, got ${typeof value}`);
  return value;
};

// Event handler attributes (HTML Standard, §8.1.8.1) for objects with `addEventListener`. `handlersOf` returns the
// object in which a target keeps them, and throws if its argument is not a target. A handler that is replaced keeps its
// place in the order.
const callHandler = (handler, target, event) => {
  if (apply(handler, target, [event]) === false) event.preventDefault();
};
const defineHandlers = (object, handlersOf, types, call = callHandler) => {
  const { addEventListener, removeEventListener } = object;
  for (const type of $.each(types)) {
    const name = $.text`on${type}`;
    const holder = {
      get [name]() {
        return handlersOf(this)[type]?.handler ?? null;
      },
      set [name](value) {
        const handlers = handlersOf(this);
        const entry = handlers[type];
        if (!isObject(value)) {
          if (entry === undefined) return;
          delete handlers[type];
          apply(removeEventListener, this, [type, entry.listener]);
        } else if (entry !== undefined) {
          entry.handler = value;
        } else {
          const entry = { handler: value, listener(event) {
            if (typeof entry.handler === 'function') call(entry.handler, this, event);
          } };
          handlers[type] = entry;
          apply(addEventListener, this, [type, entry.listener]);
        }
      },
    };
    Object.defineProperty(object, name, Object.getOwnPropertyDescriptor(holder, name));
  }
};

const secret = Symbol();
let handleOf;
let makeMessageEvent;
const noPorts = Object.freeze([]);
const checkPort = (port, name) => {
  if (handleOf(port) !== undefined) return;
  let text = '{}';
  try {
    if (!isObject(port)) text = stringOf(port);
  } catch {
    // It is a symbol.
  }
  throw new TypeError($.text`MessageEvent constructor: Expected eventInitDict.${name} ("${text}") to be ` +
    'an instance of MessagePort.');
};
class MessageEvent extends Event {
  #data;
  #ports;
  // What the messages of ports do not have.
  #more = null;
  constructor(type, init = undefined, ports = undefined) {
    if (type === secret) {
      super('message');
      this.#data = init;
      this.#ports = ports;
      return;
    }
    needArgs(arguments.length, 'type');
    super(type, init = dictionary(init, 'MessageEvent constructor: eventInitDict'));
    const { data = null, lastEventId = '', origin = '', ports: given, source = null } = init;
    if (given !== undefined && (!isObject(given) || typeof given[Symbol.iterator] !== 'function')) {
      throw new TypeError($.text`MessageEvent constructor: eventInitDict.ports (${inspect(given)}) is not iterable.`);
    }
    const list = given === undefined ? [] : [...$.each(given)];
    for (let i = 0; i < list.length; i++) checkPort(list[i], $.text`ports[${i}]`);
    if (source !== null) checkPort(source, 'source');
    this.#data = data;
    this.#ports = Object.freeze(list);
    this.#more = { origin: $.toWellFormed(stringOf(origin)), lastEventId: stringOf(lastEventId), source };
  }
  static {
    makeMessageEvent = (type, data, ports) => {
      const list = ports === undefined ? noPorts : Object.freeze(ports);
      if (type === 'message') return new MessageEvent(secret, data, list);
      const event = new MessageEvent(type);
      event.#data = data;
      event.#ports = list;
      return event;
    };
  }
  get data() {
    return this.#data;
  }
  get origin() {
    return this.#more?.origin ?? '';
  }
  get lastEventId() {
    return this.#more?.lastEventId ?? '';
  }
  get source() {
    return this.#more?.source ?? null;
  }
  get ports() {
    return this.#ports;
  }
  [inspect.custom](depth, options) {
    const { data, ports } = this;
    return $.text`MessageEvent ${inspect({ type: this.type, data, ...(ports.length > 0 ? { ports } : {}) }, options)}`;
  }
}
asInterface(MessageEvent);

class ErrorEvent extends Event {
  #state;
  constructor(type, init = undefined) {
    needArgs(arguments.length, 'type');
    super(type, init = dictionary(init, 'ErrorEvent constructor: eventInitDict'));
    const { colno = 0, error, filename = '', lineno = 0, message = '' } = init;
    this.#state = {
      message: stringOf(message), filename: $.toWellFormed(stringOf(filename)),
      lineno: lineno >>> 0, colno: colno >>> 0,
      error,
    };
  }
  get message() {
    return this.#state.message;
  }
  get filename() {
    return this.#state.filename;
  }
  get lineno() {
    return this.#state.lineno;
  }
  get colno() {
    return this.#state.colno;
  }
  get error() {
    return this.#state.error;
  }
  [inspect.custom](depth, options) {
    return $.text`ErrorEvent ${inspect({ type: this.type, ...this.#state }, options)}`;
  }
}
asInterface(ErrorEvent);

// What the listeners of Node's interface are passed for the event being dispatched, if that is not the event itself.
let plainEvent = null;
let plainArgs = null;
let adopt;
let connect;
// A port's listeners for one type: what was added, and the function that the EventTarget knows. Either one finds the
// entry.
class PortListeners {
  #entries = new Set();
  #known = [new Map(), new Map()];
  get size() {
    return this.#entries.size;
  }
  has(callback, capture) {
    return this.#known[capture ? 1 : 0].has(callback);
  }
  add(callback, listener, capture) {
    const entry = { callback, listener, capture: Boolean(capture) };
    this.#entries.add(entry);
    this.#known[capture ? 1 : 0].set(callback, entry).set(listener, entry);
  }
  // Takes out the entry for a listener.
  take(known, capture) {
    const entries = this.#known[capture ? 1 : 0];
    const entry = entries.get(known);
    if (entry === undefined) return undefined;
    entries.delete(entry.callback);
    entries.delete(entry.listener);
    this.#entries.delete(entry);
    return entry;
  }
  // In the order in which they were added.
  entries() {
    return [...$.each(this.#entries.values())];
  }
}

class MessagePort extends EventTarget {
  #handle;
  #handlers = { __proto__: null };
  // By type.
  #listeners = new Map();
  // Whether the native side has the callbacks.
  #watched = false;
  // The other end, if it was made together with this one: a port that holds the loop, as `new MessageChannel().port1`
  // can, stays open although nobody has the other end. With a listener alone it ends with its channel.
  #kept = { __proto__: null, port: undefined };
  #isHeld = false;
  // Its channel has been closed.
  #hasEnded = false;
  #maxListeners = 10;
  constructor(key = undefined, handle = undefined) {
    if (key !== secret) throw create('TypeError', 'ERR_CONSTRUCT_CALL_INVALID', 'Constructor cannot be called');
    super();
    this.#handle = handle;
  }
  static {
    adopt = (handle) => new MessagePort(secret, handle);
    connect = (port1, port2) => {
      port1.#kept.port = port2;
      port2.#kept.port = port1;
    };
    // Works for every value without running a script: private names are not looked up behind a Proxy.
    handleOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined);
    defineHandlers(MessagePort.prototype, (port) => port.#handlers, ['message', 'messageerror', 'close']);
  }
  #watch() {
    this.#watched = true;
    native.start(this.#handle, {
      message: (data, ports) => this.#dispatch(makeMessageEvent('message', data, ports), [data]),
      messageerror: (error) => this.#dispatch(makeMessageEvent('messageerror', error), [error]),
      close: () => {
        this.#hasEnded = true;
        this.#dispatch(new Event('close'), []);
      },
    });
  }
  // With what AsyncLocalStorage had when the port was made.
  #dispatch = $.bound((event, args) => {
    const outerEvent = plainEvent;
    const outerArgs = plainArgs;
    plainEvent = event;
    plainArgs = args;
    try {
      super.dispatchEvent(trust(event));
    } finally {
      plainEvent = outerEvent;
      plainArgs = outerArgs;
    }
  });
  // Node's rule, for the listeners of both interfaces: the first listener for `message` starts the port and holds the
  // loop.
  #add(type, callback, options, listener) {
    /** @type {Options<{ capture?: unknown, once?: unknown, signal?: any }>} */
    const { capture = false, once = false, signal } =
      isObject(options) ? options : { __proto__: null, capture: options };
    const list = this.#listeners.get(type) ?? new PortListeners();
    if (list.has(callback, capture) || signal?.aborted) return;
    super.addEventListener(type, listener, { __proto__: null, capture, once, signal });
    list.add(callback, listener, capture);
    this.#listeners.set(type, list);
    if (list.size > 1) return;
    if (type === 'message') {
      if (!this.#isHeld) this.#kept.port = undefined;
      native.ref(this.#handle, true);
      this.#watch();
    } else if (type === 'close' && !this.#watched) {
      // Ports that were not started get `close`, too.
      this.#watch();
      native.stop(this.#handle, true);
    }
  }
  #remove(type, list, entry) {
    if (entry === undefined) return;
    super.removeEventListener(type, entry.listener, entry.capture);
    if (list.size > 0) return;
    this.#listeners.delete(type);
    if (type === 'message') {
      native.ref(this.#handle, false);
      this.#watched = this.#listeners.has('close');
      native.stop(this.#handle, this.#watched);
    }
  }
  addEventListener(type, callback, options = undefined) {
    if (callback === null || callback === undefined) return;
    if (!isObject(callback)) throw invalidArgType('listener', 'an instance of EventListener', callback);
    this.#add(stringOf(type), callback, options, callback);
  }
  removeEventListener(type, callback, options = undefined) {
    const capture = isObject(options) ? options.capture : options;
    type = stringOf(type);
    const list = this.#listeners.get(type);
    this.#remove(type, list, list?.take(callback, capture));
  }

  postMessage(message, options = undefined) {
    const handle = this.#handle;
    needArgs(arguments.length, 'message');
    native.post(handle, message, transferOf(options));
  }
  start() {
    this.#watch();
  }
  close(listener = undefined) {
    const handle = this.#handle;
    if (typeof listener === 'function') this.once('close', listener);
    // Whoever is listening for the end by then is told about it.
    if (!this.#watched) {
      this.#watch();
      native.stop(handle, true);
    }
    native.close(handle);
  }

  ref() {
    // A port ends by itself when its channel does, but only ports with callbacks are told.
    if (!this.#watched) {
      this.#watch();
      native.stop(this.#handle, true);
    }
    this.#isHeld = true;
    native.ref(this.#handle, true);
  }
  unref() {
    this.#isHeld = false;
    native.ref(this.#handle, false);
  }
  hasRef() {
    return native.hasRef(this.#handle);
  }
  #on(type, listener, once) {
    validateFunction(listener, 'listener');
    const call = (event) => apply(listener, this, plainEvent === event ? plainArgs : [event]);
    this.#add(stringOf(type), listener, { __proto__: null, once }, call);
    return this;
  }
  on(type, listener) {
    return this.#on(type, listener, false);
  }
  addListener(type, listener) {
    return this.#on(type, listener, false);
  }
  once(type, listener) {
    return this.#on(type, listener, true);
  }
  off(type, listener, options = undefined) {
    this.removeEventListener(type, listener, options);
    return this;
  }
  removeListener(type, listener, options = undefined) {
    return this.off(type, listener, options);
  }
  removeAllListeners(type = undefined) {
    for (const name of $.each(type === undefined ? [...$.each(this.#listeners.keys())] : [stringOf(type)])) {
      delete this.#handlers[name];
      const list = this.#listeners.get(name);
      for (const { callback, capture } of $.each(list?.entries() ?? [])) {
        this.#remove(name, list, list.take(callback, capture));
      }
    }
    return this;
  }
  emit(type, value = undefined) {
    type = stringOf(type);
    const heard = this.#listeners.has(type);
    if (type === 'close') this.#dispatch(new Event(type), []);
    else if (type === 'message' || type === 'messageerror') this.#dispatch(makeMessageEvent(type, value), [value]);
    else this.#dispatch(new CustomEvent(type, { __proto__: null, detail: value }), [value]);
    return heard;
  }
  listeners(type) {
    return $.map(this.#listeners.get(stringOf(type))?.entries() ?? [], (entry) => entry.callback);
  }
  listenerCount(type) {
    return this.#listeners.get(stringOf(type))?.size ?? 0;
  }
  eventNames() {
    return [...$.each(this.#listeners.keys())];
  }
  // The number is only kept: there is no warning about too many listeners.
  setMaxListeners(count) {
    this.#maxListeners = count;
  }
  getMaxListeners() {
    return this.#maxListeners;
  }
  [inspect.custom](depth, options) {
    const active = !this.#hasEnded && !native.isDetached(this.#handle);
    return $.text`MessagePort ${inspect({ active, refed: active && native.hasRef(this.#handle) }, options)}`;
  }
}
asInterface(MessagePort);

class MessageChannel {
  #ports = $.map(native.channel(), adopt);
  constructor() {
    connect(this.#ports[0], this.#ports[1]);
  }
  get port1() {
    return this.#ports[0];
  }
  get port2() {
    return this.#ports[1];
  }
  [inspect.custom](depth, options) {
    return $.text`MessageChannel ${inspect({ port1: this.port1, port2: this.port2 }, options)}`;
  }
}
asInterface(MessageChannel);

let memberOf;
class BroadcastChannel extends EventTarget {
  #name;
  #handle;
  #active = true;
  #handlers = { __proto__: null };
  constructor(name) {
    needArgs(arguments.length, 'name');
    super();
    this.#name = stringOf(name);
    // An event that was under way when the channel was closed is not delivered.
    const deliver = (type, data) => {
      if (this.#active) super.dispatchEvent(trust(makeMessageEvent(type, data)));
    };
    this.#handle = native.join(this.#name);
    native.start(this.#handle, {
      message: (data) => deliver('message', data), messageerror: (error) => deliver('messageerror', error), close() {},
    });
    native.ref(this.#handle, true);
  }
  static {
    memberOf = (value) => (typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined);
    defineHandlers(BroadcastChannel.prototype, (channel) => channel.#handlers, ['message', 'messageerror']);
  }
  get name() {
    return this.#name;
  }
  postMessage(message) {
    const handle = this.#handle;
    needArgs(arguments.length, 'message');
    if (!this.#active) throw new DOMException('BroadcastChannel is closed.', 'InvalidStateError');
    native.broadcast(handle, this.#name, message);
  }
  close() {
    if (!this.#active) return;
    this.#active = false;
    native.close(this.#handle);
  }
  ref() {
    if (this.#active) native.ref(this.#handle, true);
    return this;
  }
  unref() {
    if (this.#active) native.ref(this.#handle, false);
    return this;
  }
  [inspect.custom](depth, options) {
    return $.text`BroadcastChannel ${inspect({ name: this.#name, active: this.#active }, options)}`;
  }
}
asInterface(BroadcastChannel);

// Written as a method, so that it is not a constructor.
const { structuredClone } = { structuredClone(value, options = undefined) {
  needArgs(arguments.length, 'value');
  if (options !== undefined && options !== null && !isObject(options)) {
    throw invalid("Failed to execute 'structuredClone': Options cannot be converted to a dictionary");
  }
  const transfer = options?.transfer;
  if (transfer === undefined) return native.clone(value, []);
  if (!isObject(transfer) || typeof transfer[Symbol.iterator] !== 'function') {
    throw invalid("Failed to execute 'structuredClone': transfer in Options can not be converted to sequence.");
  }
  return native.clone(value, sequence(transfer, 'structuredClone: options.transfer'));
} };

function receiveMessageOnPort(port) {
  const handle = handleOf(port) ?? memberOf(port);
  if (handle === undefined) throw invalid('The "port" argument must be a MessagePort instance');
  const received = native.receive(handle);
  return received === undefined ? undefined : { message: received[0] };
}
function moveMessagePortToContext(port) {
  const handle = handleOf(port);
  if (handle === undefined) throw invalid('The "port" argument must be a MessagePort instance');
  if (native.isDetached(handle)) {
    throw create('Error', 'ERR_CLOSED_MESSAGE_PORT', 'Cannot send data on closed MessagePort');
  }
  throw notImplemented('moveMessagePortToContext');
}

const { untransferable, unserializable } = require('bytes');
const uncloneable = new WeakSet();
const isUntransferable = (object) => untransferable.has(object);
function markAsUntransferable(object) {
  if (isObject(object)) untransferable.add(object);
}
function isMarkedAsUntransferable(object) {
  return isUntransferable(object);
}
// As in Node, this has no effect on buffers and their views.
function markAsUncloneable(object) {
  if (!isObject(object) || require('bytes').viewOf(object) !== undefined) return;
  uncloneable.add(object);
  native.noteUncloneable();
}

// The prototypes of the platform's objects that are not serializable or have steps of their own. This needs several files, so it is only made for
// the first object that is not a plain one.
let platform;
const findPlatform = () => {
  const { Headers, Request, Response } = require('fetch');
  const { URL, URLSearchParams } = require('url');
  const { TextEncoder, TextDecoder } = require('encoding');
  const { AbortController } = require('abort');
  const { Blob } = require('blob');
  return $.map([
    EventTarget, Event, AbortController, MessageChannel, URL, URLSearchParams, Headers, Request, Response, TextEncoder,
    TextDecoder, Blob,
  ], ({ prototype }) => prototype);
};
const { prototype: plainPrototype } = Object;
const { prototype: plainArrayPrototype } = Array;
// Whether an object must not be cloned, or has serialization steps. The native side recognizes ports itself.
const refuses = (object) => {
  if (uncloneable.has(object)) return true;
  if (handleOf(object) !== undefined) return false;
  try {
    let prototype = getPrototypeOf(object);
    if (prototype === plainPrototype || prototype === plainArrayPrototype || prototype === null) return false;
    platform ??= findPlatform();
    for (; prototype !== null; prototype = getPrototypeOf(prototype)) {
      if (unserializable.has(prototype)) return true;
      for (let i = 0; i < platform.length; i++) if (platform[i] === prototype) return true;
    }
    return false;
  } catch {
    // A Proxy in the chain that throws.
    return false;
  }
};

const streams = () => require('transferred_streams');
native.hooks({
  handleOf, adopt, refuses, isUntransferable,
  isSpokenTo: (value) => streams().isSpokenTo(value), isFree: (value) => streams().isFree(value),
  represent: (value) => streams().represent(value), revive: (kind, ports) => streams().revive(kind, ports),
});
exports.MessageChannel = MessageChannel;
exports.MessagePort = MessagePort;
exports.MessageEvent = MessageEvent;
exports.ErrorEvent = ErrorEvent;
exports.BroadcastChannel = BroadcastChannel;
exports.structuredClone = structuredClone;
exports.receiveMessageOnPort = receiveMessageOnPort;
exports.moveMessagePortToContext = moveMessagePortToContext;
exports.markAsUntransferable = markAsUntransferable;
exports.isMarkedAsUntransferable = isMarkedAsUntransferable;
exports.markAsUncloneable = markAsUncloneable;
// For workers.js.
exports.ports = native;
exports.adopt = adopt;
exports.transferOf = transferOf;
exports.sequence = sequence;
exports.dictionary = dictionary;
exports.defineHandlers = defineHandlers;
exports.makeMessageEvent = makeMessageEvent;
exports.needArgs = needArgs;
exports.notImplemented = notImplemented;
