// Classes of the Web that few programs use.
const { create } = require('errors');
const { Event } = require('abort');

class CloseEvent extends Event {
  #wasClean;
  #code;
  #reason;
  constructor(type, eventInitDict = undefined) {
    if (arguments.length === 0) throw create('TypeError', 'ERR_MISSING_ARGS', 'The "type" argument must be specified');
    super(type, eventInitDict);
    const { wasClean = false, code = 0, reason = '' } = eventInitDict ?? { __proto__: null };
    this.#wasClean = Boolean(wasClean);
    this.#code = code & 0xffff;
    this.#reason = $.text`${reason}`;
  }
  get wasClean() {
    return this.#wasClean;
  }
  get code() {
    return this.#code;
  }
  get reason() {
    return this.#reason;
  }
}

class QuotaExceededError extends DOMException {
  #quota = null;
  #requested = null;
  constructor(message = '', options = undefined) {
    super(message, 'QuotaExceededError');
    const { quota, requested } = options ?? { __proto__: null };
    const number = (value, name) => {
      const made = +value;
      if (!Number.isFinite(made)) throw new TypeError($.text`${name} is not a finite number`);
      if (made < 0) throw new RangeError($.text`${name} cannot be negative`);
      return made;
    };
    if (quota !== undefined) this.#quota = number(quota, 'quota');
    if (requested !== undefined) this.#requested = number(requested, 'requested');
    if (this.#quota !== null && this.#requested !== null && this.#requested < this.#quota) {
      throw new RangeError('requested cannot be less than quota');
    }
  }
  get quota() {
    return this.#quota;
  }
  get requested() {
    return this.#requested;
  }
}

// There is no client of this protocol; the class is there to be asked for.
class WebSocket extends require('abort').EventTarget {
  constructor() {
    super();
    throw create('Error', 'ERR_METHOD_NOT_IMPLEMENTED', 'WebSocket is not implemented');
  }
}
const states = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };
for (const name of $.each(Object.keys(states))) {
  for (const holder of $.each([WebSocket, WebSocket.prototype])) {
    Object.defineProperty(holder, name, { value: states[name], enumerable: true });
  }
}
for (const type of $.each([CloseEvent, QuotaExceededError, WebSocket])) {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
}
exports.CloseEvent = CloseEvent;
exports.QuotaExceededError = QuotaExceededError;
exports.WebSocket = WebSocket;
