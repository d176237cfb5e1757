// Event, EventTarget, AbortController and AbortSignal (DOM Standard, §2 and §3).
const { create, invalidArgType } = require('errors');
const { inspect } = require('inspect');
let dispatch;
let trust;

class Event {
  #type;
  #init;
  #canceled = false;
  #stopped = false;
  #immediate = false;
  #target = null;
  #current = null;
  #phase = 0;
  #time = performance.now();
  #trusted = false;
  constructor(type, init = {}) {
    if (arguments.length === 0) throw create('TypeError', 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    this.#type = `${type}`;
    this.#init = { bubbles: Boolean(init?.bubbles), cancelable: Boolean(init?.cancelable), composed: Boolean(init?.composed) };
  }
  static {
    // For events that the platform itself dispatches.
    trust = (event) => {
      event.#trusted = true;
      return event;
    };
    dispatch = (event, target, call) => {
      if (event.#phase !== 0) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
      event.#target = event.#current = target;
      event.#phase = 2;
      call(() => event.#immediate);
      event.#current = null;
      event.#phase = 0;
      event.#stopped = event.#immediate = false;
      return !event.#canceled;
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
    return this.#phase;
  }
  get bubbles() {
    return this.#init.bubbles;
  }
  get cancelable() {
    return this.#init.cancelable;
  }
  get composed() {
    return this.#init.composed;
  }
  get defaultPrevented() {
    return this.#canceled;
  }
  get returnValue() {
    return !this.#canceled;
  }
  get cancelBubble() {
    return this.#stopped;
  }
  get timeStamp() {
    return this.#time;
  }
  get isTrusted() {
    return this.#trusted;
  }
  composedPath() {
    return this.#current === null ? [] : [this.#current];
  }
  preventDefault() {
    if (this.#init.cancelable) this.#canceled = true;
  }
  stopPropagation() {
    this.#stopped = true;
  }
  stopImmediatePropagation() {
    this.#stopped = this.#immediate = true;
  }
}
Object.assign(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

class CustomEvent extends Event {
  #detail;
  constructor(type, init = {}) {
    super(type, init);
    this.#detail = init?.detail ?? null;
  }
  get detail() {
    return this.#detail;
  }
}

class EventTarget {
  #listeners = new Map();
  addEventListener(type, callback, options) {
    if (callback === null || callback === undefined) return;
    if (typeof callback !== 'function' && typeof callback !== 'object') {
      throw invalidArgType('listener', 'an instance of EventListener', callback);
    }
    const { capture = false, once = false, signal } = typeof options === 'boolean' ? { capture: options } : options ?? {};
    if (signal?.aborted) return;
    type = `${type}`;
    const list = this.#listeners.get(type) ?? [];
    if (list.some((entry) => entry.callback === callback && entry.capture === Boolean(capture))) return;
    this.#listeners.set(type, [...list, { callback, capture: Boolean(capture), once: Boolean(once) }]);
    signal?.addEventListener('abort', () => this.removeEventListener(type, callback, options), { once: true });
  }
  removeEventListener(type, callback, options) {
    const capture = Boolean(typeof options === 'boolean' ? options : options?.capture);
    const list = this.#listeners.get(`${type}`);
    if (list === undefined) return;
    for (const entry of list) if (entry.callback === callback && entry.capture === capture) entry.removed = true;
    this.#listeners.set(`${type}`, list.filter((entry) => !entry.removed));
  }
  dispatchEvent(event) {
    if (!(event instanceof Event)) throw invalidArgType('event', 'an instance of Event', event);
    return dispatch(event, this, (stopped) => {
      for (const entry of this.#listeners.get(event.type) ?? []) {
        if (entry.removed) continue;
        if (entry.once) this.removeEventListener(event.type, entry.callback, entry.capture);
        try {
          if (typeof entry.callback === 'function') entry.callback.call(this, event);
          else entry.callback.handleEvent?.(event);
        } catch (error) {
          // Reported, not propagated: the other listeners still run.
          process.nextTick(() => {
            throw error;
          });
        }
        if (stopped()) break;
      }
    });
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
      for (const dependent of signal.#dependents) abortSignal(dependent, signal.#reason);
    };
  }
  static abort(reason) {
    const signal = new AbortSignal(secret);
    abortSignal(signal, reason);
    return signal;
  }
  static timeout(delay) {
    const signal = new AbortSignal(secret);
    setTimeout(() => abortSignal(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay).unref();
    return signal;
  }
  static any(signals) {
    const signal = new AbortSignal(secret);
    for (const source of signals) {
      if (source.aborted) {
        abortSignal(signal, source.reason);
        return signal;
      }
    }
    for (const source of signals) source.#dependents.push(signal);
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
    return `AbortSignal ${inspect({ aborted: this.#aborted }, options)}`;
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
    return `AbortController ${inspect({ signal: this.#signal }, options)}`;
  }
}
for (const type of [Event, CustomEvent, EventTarget, AbortSignal, AbortController]) {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
}
Object.assign(exports, { Event, CustomEvent, EventTarget, AbortSignal, AbortController, any: AbortSignal.any, trust });
