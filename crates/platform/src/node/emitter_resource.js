// EventEmitterAsyncResource of node:events.
const { EventEmitter } = require('events');
const { AsyncResource } = require('async_hooks');
const { create } = require('errors');

class EventEmitterReferencingAsyncResource extends AsyncResource {
  #emitter;
  constructor(emitter, type, options) {
    super(type, options);
    this.#emitter = emitter;
  }
  get eventEmitter() {
    return this.#emitter;
  }
}
class EventEmitterAsyncResource extends EventEmitter {
  #resource;
  constructor(options = undefined) {
    const name = typeof options === 'string' ? options : options?.name ?? new.target.name;
    super(typeof options === 'object' ? options : undefined);
    this.#resource = new EventEmitterReferencingAsyncResource(this, name, typeof options === 'object' ? options : undefined);
  }
  #own() {
    if (!(#resource in this)) throw create('TypeError', 'ERR_INVALID_THIS', 'Value of "this" must be of type EventEmitterAsyncResource');
    return this.#resource;
  }
  emit(event, ...args) {
    const resource = this.#own();
    return resource.runInAsyncScope(super.emit, this, event, ...$.each(args));
  }
  emitDestroy() {
    this.#own().emitDestroy();
  }
  get asyncId() {
    return this.#own().asyncId();
  }
  get triggerAsyncId() {
    return this.#own().triggerAsyncId();
  }
  get asyncResource() {
    return this.#own();
  }
}
exports.EventEmitterAsyncResource = EventEmitterAsyncResource;
