// What hashes and ciphers inherit: streams whose code is loaded when something uses one as a stream.
/**
 * @constructor
 * @param {object} [options] of the stream
 * @this {any}
 */
function LazyTransform(options) {
  this._options = options;
}
/** @type {any} */
const proto = LazyTransform.prototype;

const METHODS = [
  'addListener', 'cork', 'destroy', 'emit', 'end', 'eventNames', 'getMaxListeners', 'isPaused', 'listenerCount',
  'listeners', 'off', 'on', 'once', 'pause', 'pipe', 'prependListener', 'prependOnceListener', 'push', 'rawListeners',
  'read', 'removeAllListeners', 'removeListener', 'resume', 'setDefaultEncoding', 'setEncoding', 'setMaxListeners',
  'uncork', 'unpipe', 'unshift', 'wrap', 'write', Symbol.asyncIterator,
];
let isLoaded = false;
const load = () => {
  const { Transform } = /** @type {any} */ (require('stream'));
  if (isLoaded) return Transform;
  isLoaded = true;
  for (const name of $.each(METHODS)) delete proto[name];
  Object.setPrototypeOf(proto, Transform.prototype);
  return Transform;
};
const loading = (name) => /** @this {any} */ function (...args) {
  load();
  return this[name](...$.each(args));
};
for (const name of $.each(METHODS)) {
  Object.defineProperty(proto, name, { configurable: true, writable: true, value: loading(name) });
}
const own = (object, name, value) =>
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
for (const name of $.each(['_readableState', '_writableState'])) {
  const accessors = {
    /** @this {any} */
    get() {
      Reflect.apply(load(), this, [this._options]);
      this._writableState.decodeStrings = false;
      return this[name];
    },
    /** @this {any} */
    set(value) {
      own(this, name, value);
    },
  };
  Object.defineProperty(proto, name, { configurable: true, enumerable: true, get: accessors.get, set: accessors.set });
}
exports.LazyTransform = LazyTransform;
// Makes it a real one, and returns the class that it inherits from.
exports.load = load;
