// Event, EventTarget, AbortController and AbortSignal (DOM Standard, §2 and §3).
const { create, invalidArgType } = require('errors');
const { inspect } = require('lazy_inspect');
const { apply } = Reflect;
const now = () => (performance ??= require('performance').performance).now();
let performance;
let begin;
let end;
let trust;
let isEvent;
let isStopped;
let setPassive;
let hasListeners;
let listenersOf;

// An event's properties as bits, because there are many events.
const { 0: BUBBLES, 1: CANCELABLE, 2: COMPOSED, 3: CANCELED, 4: STOPPED, 5: IMMEDIATE, 6: TRUSTED, 7: PASSIVE } =
  [1, 2, 4, 8, 16, 32, 64, 128];
class Event {
  #type;
  #flags = 0;
  #target = null;
  #current = null;
  #time = now();
  constructor(type, init = undefined) {
    // (Reading `arguments` makes an object.)
    if (type === undefined && arguments.length === 0) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    }
    this.#type = typeof type === 'string' ? type : $.text`${type}`;
    if (init === undefined || init === null) return;
    if (init.bubbles) this.#flags |= BUBBLES;
    if (init.cancelable) this.#flags |= CANCELABLE;
    if (init.composed) this.#flags |= COMPOSED;
  }
  static {
    // Marks an event that the platform itself dispatches.
    trust = (event) => {
      event.#flags |= TRUSTED;
      return event;
    };
    isEvent = (value) => typeof value === 'object' && value !== null && #type in value;
    setPassive = (event, passive) => {
      event.#flags = passive ? event.#flags | PASSIVE : event.#flags & ~PASSIVE;
    };
    isStopped = (event) => (event.#flags & IMMEDIATE) !== 0;
    // Begins to dispatch an event and returns its type.
    begin = (event, target) => {
      if (event.#current !== null) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
      event.#target = event.#current = target;
      return event.#type;
    };
    // Ends the dispatch of an event and returns whether the event was not cancelled.
    end = (event) => {
      event.#current = null;
      event.#flags &= ~(STOPPED | IMMEDIATE);
      return (event.#flags & CANCELED) === 0;
    };
  }
  get type() {
    return this.#type;
  }
  get target() {
    return this.#target;
  }
  get srcElement() {
    return this.#target;
  }
  get currentTarget() {
    return this.#current;
  }
  get eventPhase() {
    return this.#current === null ? 0 : 2;
  }
  get bubbles() {
    return (this.#flags & BUBBLES) !== 0;
  }
  get cancelable() {
    return (this.#flags & CANCELABLE) !== 0;
  }
  get composed() {
    return (this.#flags & COMPOSED) !== 0;
  }
  get defaultPrevented() {
    return (this.#flags & CANCELED) !== 0;
  }
  get returnValue() {
    return (this.#flags & CANCELED) === 0;
  }
  get cancelBubble() {
    return (this.#flags & STOPPED) !== 0;
  }
  get timeStamp() {
    return this.#time;
  }
  get isTrusted() {
    return (this.#flags & TRUSTED) !== 0;
  }
  composedPath() {
    return this.#current === null ? [] : [this.#current];
  }
  preventDefault() {
    if ((this.#flags & (CANCELABLE | PASSIVE)) === CANCELABLE) this.#flags |= CANCELED;
  }
  stopPropagation() {
    this.#flags |= STOPPED;
  }
  stopImmediatePropagation() {
    this.#flags |= STOPPED | IMMEDIATE;
  }
}
for (const { 0: name, 1: value } of $.each([['NONE', 0], ['CAPTURING_PHASE', 1], ['AT_TARGET', 2], ['BUBBLING_PHASE', 3]])) {
  Object.defineProperty(Event, /** @type {string} */ (name), { value, enumerable: true });
}

class CustomEvent extends Event {
  #detail;
  constructor(type, init = { __proto__: null }) {
    super(type, init);
    this.#detail = init?.detail ?? null;
  }
  get detail() {
    return this.#detail;
  }
}

// The listeners for one type, numbered in the order in which they were added, and found by callback.
class Listeners {
  last = 0;
  entries = new Map();
  #numbers = [new Map(), new Map()];
  get size() {
    return this.entries.size;
  }
  add(callback, { capture, once, passive, insists }) {
    const numbers = this.#numbers[capture ? 1 : 0];
    if (numbers.has(callback)) return false;
    this.last += 1;
    numbers.set(callback, this.last);
    this.entries.set(this.last, { callback, capture, once, passive, insists, number: this.last });
    return true;
  }
  remove(callback, capture) {
    const numbers = this.#numbers[capture ? 1 : 0];
    const number = numbers.get(callback);
    if (number === undefined) return false;
    numbers.delete(callback);
    return this.entries.delete(number);
  }
}

// A listener with this option is called although an earlier one has stopped the event.
const insists = Symbol('insists');
const defaults = { __proto__: null, capture: false, once: false, passive: false, insists: false, signal: undefined };
const listenerOptions = (options) => {
  if (options === undefined || options === null) return defaults;
  if (typeof options === 'boolean') return { ...defaults, capture: options };
  if (typeof options !== 'object' && typeof options !== 'function') {
    throw invalidArgType('options', 'of type object', options);
  }
  return {
    __proto__: null, once: Boolean(options.once), capture: Boolean(options.capture), passive: Boolean(options.passive),
    signal: options.signal, insists: Boolean(options[insists]),
  };
};

class EventTarget {
  // By type.
  #listeners = new Map();
  addEventListener(type, callback, options) {
    if (arguments.length < 2) {
      throw create('TypeError', 'ERR_MISSING_ARGS', 'The "type" and "listener" arguments must be specified');
    }
    const given = listenerOptions(options);
    const { signal, capture } = given;
    if (signal !== undefined) require('validators').validateAbortSignal(signal, 'options.signal');
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') {
      throw invalidArgType('listener', 'an instance of EventListener', callback);
    }
    if (signal?.aborted) return;
    type = $.text`${type}`;
    let listeners = this.#listeners.get(type);
    if (listeners === undefined) this.#listeners.set(type, listeners = new Listeners());
    if (!listeners.add(callback, given)) return;
    signal?.addEventListener(
      'abort', () => this.removeEventListener(type, callback, capture), { __proto__: null, once: true, [insists]: true });
  }
  removeEventListener(type, callback, options) {
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture);
    this.#listeners.get($.text`${type}`)?.remove(callback, capture);
  }
  static {
    listenersOf = (target, type) => {
      const found = target.#listeners.get(type);
      return found === undefined ? [] : $.map([...$.each(found.entries.values())], ({ callback }) => callback);
    };
    hasListeners = (target, type) => (target.#listeners.get(type)?.size ?? 0) > 0;
  }
  dispatchEvent(event) {
    if (!isEvent(event)) throw invalidArgType('event', 'an instance of Event', event);
    const listeners = this.#listeners.get(begin(event, this));
    if (listeners === undefined) return end(event);
    // Listeners added during the dispatch are not called, nor are those removed before their turn.
    const { last } = listeners;
    for (const entry of $.each(listeners.entries.values())) {
      const { callback, number, passive } = entry;
      if (number > last) break;
      if (isStopped(event) && !entry.insists) continue;
      if (entry.once) this.removeEventListener(event.type, callback, entry.capture);
      if (passive) setPassive(event, true);
      try {
        if (typeof callback === 'function') apply(callback, this, [event]);
        else callback.handleEvent?.(event);
      } catch (error) {
        // The error is reported, not propagated: the other listeners still run.
        require('process').process.nextTick(() => {
          throw error;
        });
      }
      if (passive) setPassive(event, false);
    }
    return end(event);
  }
}

const secret = Symbol();
let abortSignal;
let isSignal;
class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  #handler = null;
  // The signals that abort when this one does, held weakly; and those among them that have listeners.
  #dependents = [];
  #crowded = 16;
  #heard = new Set();
  // The signals that a dependent signal depends on, which themselves depend on none.
  #sources = undefined;
  constructor(key) {
    if (key !== secret) throw create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
  }
  static {
    isSignal = (value) => typeof value === 'object' && value !== null && #aborted in value;
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      signal.dispatchEvent(trust(new Event('abort')));
      const dependents = signal.#dependents;
      signal.#dependents = [];
      for (const dependent of $.each(dependents)) {
        const found = dependent.deref();
        if (found !== undefined) abortSignal(found, signal.#reason);
      }
      signal.#heard.clear();
    };
  }
  static abort(reason) {
    const signal = new AbortSignal(secret);
    abortSignal(signal, reason);
    return signal;
  }
  static timeout(delay) {
    const signal = new AbortSignal(secret);
    const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    require('timers').setTimeout(() => abortSignal(signal, reason()), delay).unref();
    return signal;
  }
  static any(signals) {
    const signal = new AbortSignal(secret);
    if (typeof signals !== 'object' || typeof signals?.[Symbol.iterator] !== 'function') {
      throw create('TypeError', 'ERR_INVALID_ARG_TYPE', 'signals can not be converted to sequence.');
    }
    const sources = [...$.each(signals)];
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i];
      if (!isSignal(source)) throw invalidArgType($.text`signals[${i}]`, 'an instance of AbortSignal', source);
    }
    for (const source of $.each(sources)) {
      if (source.#aborted) {
        abortSignal(signal, source.#reason);
        return signal;
      }
    }
    signal.#sources = [];
    for (const source of $.each(sources)) {
      for (const origin of $.each(source.#sources ?? [source])) signal.#depend(origin);
    }
    return signal;
  }
  #depend(source) {
    if ($.includes(this.#sources, source)) return;
    $.push(this.#sources, source);
    // Whenever the list has doubled, removes the signals that are gone.
    if (source.#dependents.length >= source.#crowded) {
      source.#dependents = $.filter(source.#dependents, (dependent) => dependent.deref() !== undefined);
      source.#crowded = 2 * source.#dependents.length + 16;
    }
    $.push(source.#dependents, new WeakRef(this));
  }
  // A dependent signal that has listeners must not be collected before its sources.
  #keep() {
    if (this.#sources === undefined) return;
    const isHeard = hasListeners(this, 'abort');
    for (const source of $.each(this.#sources)) {
      if (isHeard) source.#heard.add(this);
      else source.#heard.delete(this);
    }
  }
  addEventListener(type, callback, options) {
    apply(super.addEventListener, this, arguments.length < 2 ? [type] : [type, callback, options]);
    this.#keep();
  }
  removeEventListener(type, callback, options) {
    super.removeEventListener(type, callback, options);
    this.#keep();
  }
  get aborted() {
    return this.#aborted;
  }
  get reason() {
    return this.#reason;
  }
  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }
  get onabort() {
    return this.#handler;
  }
  set onabort(handler) {
    if (this.#handler) this.removeEventListener('abort', this.#handler);
    this.#handler = typeof handler === 'function' ? handler : null;
    if (this.#handler) this.addEventListener('abort', this.#handler);
  }
  [inspect.custom](depth, options) {
    return $.text`AbortSignal ${inspect({ aborted: this.#aborted }, options)}`;
  }
}
class AbortController {
  #signal = new AbortSignal(secret);
  get signal() {
    return this.#signal;
  }
  abort(reason) {
    abortSignal(this.#signal, reason);
  }
  [inspect.custom](depth, options) {
    return $.text`AbortController ${inspect({ signal: this.#signal }, options)}`;
  }
}
for (const type of $.each([Event, CustomEvent, EventTarget, AbortSignal, AbortController])) {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
}
exports.Event = Event;
exports.CustomEvent = CustomEvent;
exports.EventTarget = EventTarget;
exports.AbortSignal = AbortSignal;
exports.AbortController = AbortController;
exports.insists = insists;
exports.any = AbortSignal.any;
exports.trust = trust;
exports.listenersOf = (target, type) => listenersOf(target, type);
