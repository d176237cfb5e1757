// Event, EventTarget, AbortController and AbortSignal (DOM Standard, §2 and §3).
const { create, invalidArgType } = require('errors');
const { inspect } = require('inspect_later');
const { apply } = Reflect;
const now = () => (performance ??= require('performance').performance).now();
let performance;
let begin;
let end;
let trust;
let isEvent;
let isStopped;

// What an event is, in bits: there are many events.
const { 0: BUBBLES, 1: CANCELABLE, 2: COMPOSED, 3: CANCELED, 4: STOPPED, 5: IMMEDIATE, 6: TRUSTED } = [1, 2, 4, 8, 16, 32, 64];
class Event {
  #type;
  #flags = 0;
  #target = null;
  #current = null;
  #time = now();
  constructor(type, init = undefined) {
    // (`arguments` is an object to be made.)
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
    // For events that the platform itself dispatches.
    trust = (event) => {
      event.#flags |= TRUSTED;
      return event;
    };
    isEvent = (value) => typeof value === 'object' && value !== null && #type in value;
    isStopped = (event) => (event.#flags & IMMEDIATE) !== 0;
    // The type of an event whose dispatch begins.
    begin = (event, target) => {
      if (event.#current !== null) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
      event.#target = event.#current = target;
      return event.#type;
    };
    // Whether the event, whose dispatch ends, was not cancelled.
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
    if (this.#flags & CANCELABLE) this.#flags |= CANCELED;
  }
  stopPropagation() {
    this.#flags |= STOPPED;
  }
  stopImmediatePropagation() {
    this.#flags |= STOPPED | IMMEDIATE;
  }
}
Object.assign(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

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

class EventTarget {
  // By type; a list is not changed but replaced, for those who are going through it.
  #listeners = new Map();
  addEventListener(type, callback, options) {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') {
      throw invalidArgType('listener', 'an instance of EventListener', callback);
    }
    const { capture = false, once = false, signal } = typeof options === 'boolean' ? { __proto__: null, capture: options } : options ?? { __proto__: null };
    if (signal?.aborted) return;
    type = $.text`${type}`;
    const list = this.#listeners.get(type) ?? [];
    if ($.some(list, (entry) => entry.callback === callback && entry.capture === Boolean(capture))) return;
    const entry = { callback, capture: Boolean(capture), once: Boolean(once), removed: false };
    this.#listeners.set(type, [...$.each(list), entry]);
    signal?.addEventListener('abort', () => this.removeEventListener(type, callback, options), { __proto__: null, once: true });
  }
  removeEventListener(type, callback, options) {
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture);
    const list = this.#listeners.get($.text`${type}`);
    if (list === undefined) return;
    for (const entry of $.each(list)) if (entry.callback === callback && entry.capture === capture) entry.removed = true;
    this.#listeners.set($.text`${type}`, $.filter(list, (entry) => !entry.removed));
  }
  dispatchEvent(event) {
    if (!isEvent(event)) throw invalidArgType('event', 'an instance of Event', event);
    const list = this.#listeners.get(begin(event, this));
    if (list === undefined) return end(event);
    for (let i = 0; i < list.length; i++) {
      const entry = list[i];
      if (entry.removed) continue;
      const { callback } = entry;
      if (entry.once) this.removeEventListener(event.type, callback, entry.capture);
      try {
        if (typeof callback === 'function') apply(callback, this, [event]);
        else callback.handleEvent?.(event);
      } catch (error) {
        // Reported, not propagated: the other listeners still run.
        require('process').process.nextTick(() => {
          throw error;
        });
      }
      if (isStopped(event)) break;
    }
    return end(event);
  }
}

const secret = Symbol();
let abortSignal;
class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  #handler = null;
  #dependents = [];
  constructor(key) {
    if (key !== secret) throw create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    super();
  }
  static {
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#aborted = true;
      signal.#reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
      signal.dispatchEvent(new Event('abort'));
      for (const dependent of $.each(signal.#dependents)) abortSignal(dependent, signal.#reason);
    };
  }
  static abort(reason) {
    const signal = new AbortSignal(secret);
    abortSignal(signal, reason);
    return signal;
  }
  static timeout(delay) {
    const signal = new AbortSignal(secret);
    require('timers').setTimeout(() => abortSignal(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay).unref();
    return signal;
  }
  static any(signals) {
    const signal = new AbortSignal(secret);
    for (const source of $.each(signals)) {
      if (source.aborted) {
        abortSignal(signal, source.reason);
        return signal;
      }
    }
    for (const source of $.each(signals)) $.push(source.#dependents, signal);
    return signal;
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
Object.assign(exports, { Event, CustomEvent, EventTarget, AbortSignal, AbortController, any: AbortSignal.any, trust });
