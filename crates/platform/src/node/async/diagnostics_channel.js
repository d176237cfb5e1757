// node:diagnostics_channel.
const { invalidArgType } = require('errors');
const { validateFunction } = require('validators');

// Channels by name: weakly held, unless somebody has subscribed to one.
const channels = new Map();
const held = new Set();
const find = (name) => channels.get(name)?.deref();
const report = (error) => require('process').process.nextTick(() => {
  throw error;
});

class Channel {
  name;
  #subscribers = [];
  // Storages, and what makes their stores of the data.
  #stores = new Map();
  constructor(name) {
    this.name = name;
    channels.set(name, new WeakRef(this));
  }
  #hold() {
    if (this.hasSubscribers) held.add(this);
    else held.delete(this);
  }
  subscribe(subscription) {
    validateFunction(subscription, 'subscription');
    this.#subscribers = [...$.each(this.#subscribers), subscription];
    this.#hold();
  }
  unsubscribe(subscription) {
    const index = $.indexOf(this.#subscribers, subscription);
    if (index === -1) return false;
    const rest = $.slice(this.#subscribers);
    $.splice(rest, index, 1);
    this.#subscribers = rest;
    this.#hold();
    return true;
  }
  bindStore(store, transform) {
    this.#stores.set(store, transform);
    this.#hold();
  }
  unbindStore(store) {
    const was = this.#stores.delete(store);
    this.#hold();
    return was;
  }
  get hasSubscribers() {
    return this.#subscribers.length > 0 || this.#stores.size > 0;
  }
  publish(data) {
    for (const subscriber of $.each(this.#subscribers)) {
      try {
        subscriber(data, this.name);
      } catch (error) {
        report(error);
      }
    }
  }
  runStores(data, fn, thisArg, ...args) {
    let run = () => {
      this.publish(data);
      return Reflect.apply(fn, thisArg, args);
    };
    for (const { 0: store, 1: transform } of $.each(this.#stores)) {
      const inner = run;
      run = () => {
        let context = data;
        if (transform) {
          try {
            context = transform(data);
          } catch (error) {
            report(error);
            return inner();
          }
        }
        return store.run(context, inner);
      };
    }
    return run();
  }
}

function channel(name) {
  const found = find(name);
  if (found !== undefined) return found;
  if (typeof name !== 'string' && typeof name !== 'symbol') {
    throw invalidArgType('channel', 'one of type string or symbol', name);
  }
  return new Channel(name);
}
function subscribe(name, subscription) {
  channel(name).subscribe(subscription);
}
function unsubscribe(name, subscription) {
  return channel(name).unsubscribe(subscription);
}
function hasSubscribers(name) {
  return find(name)?.hasSubscribers ?? false;
}

const events = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
class TracingChannel {
  constructor(nameOrChannels) {
    for (const event of $.each(events)) {
      const made = typeof nameOrChannels === 'string' ? channel($.text`tracing:${nameOrChannels}:${event}`)
        : nameOrChannels?.[event];
      if (!(made instanceof Channel)) {
        throw typeof nameOrChannels === 'object' && nameOrChannels !== null
          ? invalidArgType($.text`nameOrChannels.${event}`, 'an instance of Channel', made)
          : invalidArgType('nameOrChannels', 'of type string or an instance of TracingChannel or Object', nameOrChannels);
      }
      Object.defineProperty(this, event, { value: made, writable: false, enumerable: false, configurable: false });
    }
  }
  get hasSubscribers() {
    return $.some(events, (event) => this[event].hasSubscribers);
  }
  subscribe(handlers) {
    for (const event of $.each(events)) if (handlers[event]) this[event].subscribe(handlers[event]);
  }
  unsubscribe(handlers) {
    let done = true;
    for (const event of $.each(events)) {
      if (handlers[event] && !this[event].unsubscribe(handlers[event])) done = false;
    }
    return done;
  }
  traceSync(fn, context = {}, thisArg = undefined, ...args) {
    const { start, end, error } = /** @type {any} */ (this);
    if (!this.hasSubscribers) return Reflect.apply(fn, thisArg, args);
    return start.runStores(context, () => {
      try {
        const result = Reflect.apply(fn, thisArg, args);
        /** @type {any} */ (context).result = result;
        return result;
      } catch (thrown) {
        /** @type {any} */ (context).error = thrown;
        error.publish(context);
        throw thrown;
      } finally {
        end.publish(context);
      }
    });
  }
  tracePromise(fn, given = {}, thisArg = undefined, ...args) {
    const { start, end, asyncStart, asyncEnd, error } = /** @type {any} */ (this);
    if (!this.hasSubscribers) return Reflect.apply(fn, thisArg, args);
    const context = /** @type {any} */ (given);
    const settle = (name, value) => {
      context[name] = value;
      if (name === 'error') error.publish(context);
      asyncStart.publish(context);
      asyncEnd.publish(context);
    };
    return start.runStores(context, () => {
      try {
        const result = Reflect.apply(fn, thisArg, args);
        if (typeof result?.then !== 'function') {
          context.result = result;
          return result;
        }
        const promise = require('inspect').isPromise(result) ? result : $.resolved(result);
        return $.then(promise, (value) => {
          settle('result', value);
          return value;
        }, (reason) => {
          settle('error', reason);
          throw reason;
        });
      } catch (thrown) {
        context.error = thrown;
        error.publish(context);
        throw thrown;
      } finally {
        end.publish(context);
      }
    });
  }
  traceCallback(fn, position = -1, given = {}, thisArg = undefined, ...args) {
    if (!this.hasSubscribers) return Reflect.apply(fn, thisArg, args);
    const { start, end, asyncStart, asyncEnd, error } = /** @type {any} */ (this);
    const context = /** @type {any} */ (given);
    const at = position < 0 ? args.length + position : position;
    const callback = args[at];
    validateFunction(callback, 'callback');
    /** @this {unknown} */
    const wrapped = function (...results) {
      const { 0: failure, 1: result } = results;
      if (failure) {
        context.error = failure;
        error.publish(context);
      } else {
        context.result = result;
      }
      return asyncStart.runStores(context, () => {
        try {
          return Reflect.apply(callback, this, results);
        } finally {
          asyncEnd.publish(context);
        }
      });
    };
    $.splice(args, at, 1, wrapped);
    return start.runStores(context, () => {
      try {
        return Reflect.apply(fn, thisArg, args);
      } catch (thrown) {
        context.error = thrown;
        error.publish(context);
        throw thrown;
      } finally {
        end.publish(context);
      }
    });
  }
}
function tracingChannel(nameOrChannels) {
  return new TracingChannel(nameOrChannels);
}

exports.channel = channel;
exports.hasSubscribers = hasSubscribers;
exports.subscribe = subscribe;
exports.tracingChannel = tracingChannel;
exports.unsubscribe = unsubscribe;
exports.Channel = Channel;
