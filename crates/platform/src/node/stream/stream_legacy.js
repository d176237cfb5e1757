// Stream, the class on which all others are based, with the `pipe` of old streams.
const { EventEmitter } = require('events');
const { addMethods, inherit } = require('stream_shared');

/**
 * @constructor
 * @param {object} [options]
 * @this {any}
 */
function Stream(options) {
  Reflect.apply(EventEmitter, this, [options]);
}
inherit(Stream, EventEmitter);

// Adds a listener that is called before those that are there.
exports.prependListener = (emitter, event, listener) => {
  if (typeof emitter.prependListener === 'function') {
    emitter.prependListener(event, listener);
    return;
  }
  // Emitters of other libraries may lack the method.
  const there = emitter._events?.[event];
  if (!there) emitter.on(event, listener);
  else if ($.isArray(there)) $.unshift(there, listener);
  else emitter._events[event] = [listener, there];
};

addMethods(Stream.prototype, {
  pipe(dest, options) {
    const data = (chunk) => {
      if (dest.writable && dest.write(chunk) === false && this.pause) this.pause();
    };
    const drain = () => {
      if (this.readable && this.resume) this.resume();
    };
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      dest.end();
    };
    const close = () => {
      if (ended) return;
      ended = true;
      if (typeof dest.destroy === 'function') dest.destroy();
    };
    /** @this {any} */
    const failed = function (error) {
      cleanup();
      // Without another listener, the error is uncaught.
      if (this.listenerCount?.('error') === 0) this.emit('error', error);
    };
    const own = [
      [this, 'data', data], [dest, 'drain', drain], [this, 'end', end], [this, 'close', close],
      [this, 'error', failed], [dest, 'error', failed],
    ];
    const cleanup = () => {
      for (const { 0: emitter, 1: event, 2: listener } of $.each(own)) emitter.removeListener(event, listener);
      for (const event of $.each(['end', 'close'])) this.removeListener(event, cleanup);
      dest.removeListener('close', cleanup);
    };
    this.on('data', data);
    dest.on('drain', drain);
    if (!dest._isStdio && (!options || options.end !== false)) {
      this.on('end', end);
      this.on('close', close);
    }
    exports.prependListener(this, 'error', failed);
    exports.prependListener(dest, 'error', failed);
    for (const event of $.each(['end', 'close'])) this.on(event, cleanup);
    dest.on('close', cleanup);
    dest.emit('pipe', this);
    return dest;
  },
});
exports.Stream = /** @type {any} */ (Stream);
