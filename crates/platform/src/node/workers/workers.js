// Workers: the Web's Worker and the global scope of dedicated workers (HTML Standard, §10), and node:worker_threads.
/**
 * What Rust provides.
 * @type {{
 *   spawn(options: object, callbacks: object): object,
 *   workerPort(worker: object): object,
 *   threadId(worker: object): number,
 *   terminate(worker: object): void,
 *   refWorker(worker: object, refed: boolean): void,
 *   worker(): {
 *     web: boolean, classic: boolean, threadId: number, name: string, url: string, port: object,
 *     data: unknown, resourceLimits: any, environmentData: any, input: object | undefined,
 *   } | undefined,
 *   closeSelf(): void,
 *   importScript(url: string): void,
 *   resolve(url: string, base: string | undefined): string,
 *   reportError(error: unknown): void,
 * }}
 */
const native = rust;
const { EventEmitter } = require('events');
const { Event, EventTarget, trust } = require('abort');
const { asInterface } = require('headers');
const { create, invalidArgType, invalidArgValue } = require('errors');
const { validateString } = require('validators');
const { inspect } = require('lazy_inspect');
const messaging = require('messaging');
const {
  ErrorEvent, adopt, defineHandlers, dictionary, makeMessageEvent, needArgs, notImplemented, ports, sequence,
  transferOf,
} = messaging;
const { apply } = Reflect;
const SHARE_ENV = $.symbolFor('nodejs.worker_threads.SHARE_ENV');
// What this agent is, if it is a worker; undefined in the main agent.
const self = native.worker();

// Variables in the form that the native functions take; undefined stands for this agent's own.
const flatten = (env) => $.flatMap(Object.entries(env), ({ 0: key, 1: value }) => [key, $.text`${value}`]);
const processOf = () => require('process').process;
const environmentData = new Map(self?.environmentData && $.eachIn(self.environmentData, 'Map'));
const spawn = (options, callbacks) => native.spawn({
  __proto__: null, web: false, classic: false, argv: [], execArgv: $.map(processOf().execArgv, String), transfer: [],
  ...options,
  ...(environmentData.size > 0 ? { environmentData } : {}),
}, callbacks);
// If one listener throws, the rest of the work still goes on.
const attempt = (call) => {
  try {
    call();
  } catch (error) {
    processOf().nextTick(() => {
      throw error;
    });
  }
};
// Messages that a worker posted before its end still arrive, ahead of `exit`.
const drain = (port, message, messageerror) => {
  try {
    for (let received; (received = ports.receive(port)) !== undefined;) {
      const { 0: data, 1: list } = received;
      attempt(() => message(data, list));
    }
  } catch (error) {
    attempt(() => messageerror(error));
  }
};

// The Web's interface.
const oneOf = (value, names, place) => {
  if (value === undefined) return names[0];
  const text = $.text`${value}`;
  if ($.includes(names, text)) return text;
  throw create('TypeError', 'ERR_INVALID_ARG_VALUE', $.text`${place} must be one of ${$.join(names, ', ')}`);
};
const resolveScript = (url) => {
  try {
    return native.resolve(url, undefined);
  } catch {
    throw new DOMException($.text`${inspect(url)} is not a valid URL for a script`, 'SyntaxError');
  }
};
const WebWorker = class Worker extends EventTarget {
  #handle;
  #port;
  #name;
  #handlers = { __proto__: null };
  #terminated = false;
  constructor(scriptURL, options = undefined) {
    needArgs(arguments.length, 'url');
    super();
    const script = $.text`${scriptURL}`;
    const { credentials, name = '', type } = dictionary(options, 'Worker constructor: options');
    oneOf(credentials, ['same-origin', 'omit', 'include'], 'Worker constructor: options.credentials');
    this.#name = $.text`${name}`;
    const classic = oneOf(type, ['classic', 'module'], 'Worker constructor: options.type') === 'classic';
    this.#handle = spawn(
      { web: true, url: resolveScript(script), classic, name: this.#name, env: flatten(processOf().env) },
      {
        online() {},
        error: (value, details) => this.#failed(value, details ?? { __proto__: null }),
        exit: () => this.#exited(),
      },
    );
    this.#port = native.workerPort(this.#handle);
    ports.start(this.#port, { message: this.#message, messageerror: this.#messageerror, close() {} });
  }
  static {
    defineHandlers(Worker.prototype, (worker) => worker.#handlers, ['message', 'messageerror', 'error']);
  }
  #message = (data, list) => {
    if (!this.#terminated) super.dispatchEvent(trust(makeMessageEvent('message', data, list)));
  };
  #messageerror = (error) => {
    if (!this.#terminated) super.dispatchEvent(trust(makeMessageEvent('messageerror', error)));
  };
  // The error is printed unless a listener prevents that, as the standard says. The parent goes on.
  #failed(_, { message = '', filename = '', lineno = 0, colno = 0, stack }) {
    if (this.#terminated) return;
    const event = trust(new ErrorEvent('error', {
      __proto__: null, message, filename, lineno, colno, error: null, cancelable: true,
    }));
    if (!super.dispatchEvent(event)) return;
    const place = this.#name === '' ? 'in worker' : $.text`in worker ${this.#name}`;
    processOf().stderr.write($.text`Uncaught (${place}) ${stack || message}\n`);
  }
  #exited() {
    drain(this.#port, this.#message, this.#messageerror);
    this.#terminated = true;
  }
  postMessage(message, options = undefined) {
    const port = this.#port;
    needArgs(arguments.length, 'message');
    ports.post(port, message, transferOf(options));
  }
  terminate() {
    const handle = this.#handle;
    if (this.#terminated) return;
    this.#terminated = true;
    native.terminate(handle);
  }
  ref() {
    native.refWorker(this.#handle, true);
  }
  unref() {
    native.refWorker(this.#handle, false);
  }
  [inspect.custom](depth, options) {
    return $.text`Worker ${inspect({ name: this.#name, threadId: native.threadId(this.#handle) }, options)}`;
  }
};
asInterface(WebWorker);

// node:worker_threads.
const LIMITS = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];
const bytesOf = (...megabytes) => {
  const sum = $.reduce(megabytes, (a, b) => a + (b ?? 0), 0);
  return sum > 0 ? sum * 2 ** 20 : undefined;
};
const checkArray = (value, name) => {
  if (!$.isArray(value)) throw invalidArgType(name, 'an instance of Array', value);
};
// Turns the constructor's first argument into a `url` or a `source`.
const scriptOf = (filename, options) => {
  const { URL, pathToFileURL, fileURLToPath } = require('url');
  if (options.eval) {
    if (typeof filename === 'string') return { source: filename, classic: true };
    throw invalidArgValue('options.eval', options.eval, "must be false when 'filename' is not a string");
  }
  if (filename instanceof URL) {
    if (filename.protocol !== 'data:') fileURLToPath(filename);
    return { url: filename.href };
  }
  if (typeof filename !== 'string') {
    throw invalidArgType('filename', 'of type string or an instance of URL', filename);
  }
  if (!$.regex(/^\.{0,2}\//).test(filename)) {
    const wrap = $.startsWith(filename, 'file://') ? ' Wrap file:// URLs with `new URL`.'
      : $.startsWith(filename, 'data:text/javascript') ? ' Wrap data: URLs with `new URL`.' : '';
    throw create('TypeError', 'ERR_WORKER_PATH', 'The worker script or module filename must be an absolute path or a ' +
      $.text`relative path starting with './' or '../'.${wrap} Received "${filename}"`);
  }
  return { url: pathToFileURL(filename).href };
};
const environmentOf = (env) => {
  if (env === SHARE_ENV) return undefined;
  if (env === undefined || env === null) return flatten(processOf().env);
  if (typeof env === 'object') return flatten(env);
  throw invalidArgType('options.env', 'of type object or one of undefined, null, or worker_threads.SHARE_ENV', env);
};

const workerStreams = () => require('worker_streams');

class Worker extends EventEmitter {
  // What a worker writes goes to the process's own streams, and does not come through these, unless the parent asks for
  // it. They are made when somebody first asks for them.
  #outputs = { __proto__: null, stdout: undefined, stderr: undefined };
  #input = null;
  #handle;
  #port;
  #name;
  #limits;
  #exit = $.withResolvers();
  constructor(filename, options = { __proto__: null }) {
    super();
    options ??= { __proto__: null };
    const { execArgv, argv, name, env, resourceLimits, workerData, transferList } = options;
    if (execArgv) checkArray(execArgv, 'options.execArgv');
    if (argv) checkArray(argv, 'options.argv');
    const script = scriptOf(filename, options);
    const variables = environmentOf(env);
    if (name) validateString(name, 'options.name');
    this.#name = name ? $.trim(name) : 'WorkerThread';
    this.#limits = {};
    for (const key of $.each(LIMITS)) if (resourceLimits?.[key] > 0) this.#limits[key] = Number(resourceLimits[key]);
    const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb } = this.#limits;
    const channel = options.stdin ? ports.channel() : undefined;
    if (channel !== undefined) this.#input = workerStreams().inputTo(channel[0]);
    this.#handle = spawn({
      ...script, name: this.#name, env: variables, data: workerData,
      ...(argv ? { argv: $.map(argv, String) } : {}), ...(execArgv ? { execArgv: $.map(execArgv, String) } : {}),
      transfer: transferList ? sequence(transferList, 'Optional options.transferList argument') : [],
      heapBytes: old === undefined ? undefined : bytesOf(old, young), stackBytes: bytesOf(stackSizeMb),
      resourceLimits: this.#limits, stdout: Boolean(options.stdout), stderr: Boolean(options.stderr), input: channel?.[1],
    }, {
      output: $.bound((descriptor, bytes) => {
        this.#output(descriptor === 1 ? 'stdout' : 'stderr').push(require('buffer').fromBytes(bytes));
      }),
      online: $.bound(() => this.emit('online')),
      error: $.bound((value, details) => this.#failed(value, details)),
      exit: $.bound((code) => this.#exited(code)),
    });
    this.#port = native.workerPort(this.#handle);
    // As in Node, messages wait until somebody listens, who holds the loop from then on, also after an `unref`.
    this.on('newListener', (event) => {
      if (event === 'message' && this.listenerCount(event) === 0) this.#listen(true);
    });
    this.on('removeListener', (event) => {
      if (event === 'message' && this.listenerCount(event) === 0) this.#listen(false);
    });
    Object.assign(this, { performance: { eventLoopUtilization: () => ({ idle: 0, active: 0, utilization: 0 }) } });
    processOf().nextTick(() => processOf().emit('worker', this));
  }
  #message = $.bound((data) => this.emit('message', data));
  #messageerror = $.bound((error) => this.emit('messageerror', error));
  #listen(on) {
    if (this.#port === undefined) return;
    ports.ref(this.#port, on);
    if (on) ports.start(this.#port, { message: this.#message, messageerror: this.#messageerror, close() {} });
    else ports.stop(this.#port, false);
  }
  #output(name) {
    if (this.#outputs[name] === undefined) {
      this.#outputs[name] = workerStreams().output();
      if (this.#handle === undefined) this.#outputs[name].push(null);
    }
    return this.#outputs[name];
  }
  get stdin() {
    return this.#input;
  }
  get stdout() {
    return this.#output('stdout');
  }
  get stderr() {
    return this.#output('stderr');
  }
  #failed(value, details) {
    if (details?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      value = create('Error', details.code, 'Worker terminated due to reaching memory limit: JS heap out of memory');
    }
    this.emit('error', value);
  }
  #exited(code) {
    drain(this.#port, this.#message, this.#messageerror);
    this.#handle = this.#port = undefined;
    for (const name of $.each(['stdout', 'stderr'])) attempt(() => this.#outputs[name]?.push(null));
    this.#exit.resolve(code);
    this.emit('exit', code);
  }
  postMessage(message, options = undefined) {
    needArgs(arguments.length, 'message');
    const transfer = transferOf(options);
    if (this.#port !== undefined) ports.post(this.#port, message, transfer);
  }
  terminate() {
    if (this.#handle === undefined) return $.resolved();
    // The returned promise needs the worker to hold the loop.
    this.ref();
    native.terminate(this.#handle);
    return this.#exit.promise;
  }
  async [Symbol.asyncDispose]() {
    await $.awaited(this.terminate());
  }
  #hold(on) {
    if (this.#handle === undefined) return;
    native.refWorker(this.#handle, on);
    ports.ref(this.#port, on);
  }
  ref() {
    this.#hold(true);
  }
  unref() {
    this.#hold(false);
  }
  get threadId() {
    return this.#handle === undefined ? -1 : native.threadId(this.#handle);
  }
  get threadName() {
    return this.#handle === undefined ? null : this.#name;
  }
  get resourceLimits() {
    return this.#handle === undefined ? {} : { ...this.#limits };
  }
  async #unavailable(name) {
    if (this.#handle === undefined) throw create('Error', 'ERR_WORKER_NOT_RUNNING', 'Worker instance not running');
    throw notImplemented($.text`Worker.${name}`);
  }
  getHeapSnapshot() {
    return this.#unavailable('getHeapSnapshot');
  }
  getHeapStatistics() {
    return this.#unavailable('getHeapStatistics');
  }
  cpuUsage() {
    return this.#unavailable('cpuUsage');
  }
  [inspect.custom](depth, options) {
    return $.text`Worker ${inspect({ threadId: this.threadId, threadName: this.threadName }, options)}`;
  }
}

const inNode = self !== undefined && !self.web;
const threads = {
  isMainThread: self === undefined, isInternalThread: false,
  threadId: self?.threadId ?? 0, threadName: self?.name ?? '',
  parentPort: inNode ? adopt(self.port) : null, workerData: inNode ? self.data : null,
  resourceLimits: self?.resourceLimits ?? {}, SHARE_ENV, Worker, locks: undefined,
  getEnvironmentData: (key) => environmentData.get(key),
  setEnvironmentData(key, value) {
    if (value === undefined) environmentData.delete(key);
    else environmentData.set(key, value);
  },
  async postMessageToThread() {
    throw notImplemented('worker_threads.postMessageToThread');
  },
};
for (const name of $.each([
  'MessageChannel', 'MessagePort', 'BroadcastChannel', 'receiveMessageOnPort', 'moveMessagePortToContext',
  'markAsUntransferable', 'isMarkedAsUntransferable', 'markAsUncloneable',
])) threads[name] = messaging[name];

// The global scope of a dedicated worker. An EventTarget behind it keeps its listeners, which see the scope instead.
const interfaceOf = (name, parent) => {
  const Interface = { [name]: class extends parent {
    // @ts-expect-error There is no `super()`, because there are no instances.
    constructor() {
      throw create('TypeError', 'ERR_ILLEGAL_CONSTRUCTOR', 'Illegal constructor');
    }
  } }[name];
  Object.defineProperty(Interface.prototype, Symbol.toStringTag, { value: name, configurable: true });
  return Interface;
};
const messageOf = (error) => {
  try {
    return $.text`Uncaught ${error}`;
  } catch {
    return 'Uncaught';
  }
};
// Where an error was made, according to its stack.
const placeOf = (error) => {
  try {
    const { 1: filename, 2: lineno, 3: colno } = $.regex(/^ +at (?:.* )?\(?(\S+?):(\d+):(\d+)\)?$/m).exec(error.stack);
    return { filename, lineno, colno };
  } catch {
    return { __proto__: null };
  }
};
const setUpScope = () => {
  const target = new EventTarget();
  const handlers = { __proto__: null };
  // The `error` event that is being reported; errors that its listeners throw are not reported to them again.
  let reporting;
  const listeners = new WeakMap();
  const listenerOf = (callback) => {
    if ((typeof callback !== 'object' && typeof callback !== 'function') || callback === null) return callback;
    let listener = listeners.get(callback);
    if (listener === undefined) {
      listener = (event) => {
        try {
          if (typeof callback === 'function') apply(callback, globalThis, [event]);
          else callback.handleEvent?.(event);
        } catch (error) {
          if (event !== reporting) throw error;
          native.reportError(error);
        }
      };
      listeners.set(callback, listener);
    }
    return listener;
  };
  const dispatch = (event) => {
    const scope = { value: globalThis, configurable: true };
    Object.defineProperties(event, { target: scope, srcElement: scope, currentTarget: scope });
    try {
      return target.dispatchEvent(event);
    } finally {
      delete event.currentTarget;
    }
  };
  const operations = {
    addEventListener(type, callback, options = undefined) {
      target.addEventListener(type, listenerOf(callback), options);
    },
    removeEventListener(type, callback, options = undefined) {
      target.removeEventListener(type, listenerOf(callback), options);
    },
    dispatchEvent(event) {
      if (!(event instanceof Event)) throw invalidArgType('event', 'an instance of Event', event);
      return dispatch(event);
    },
    postMessage(message, options = undefined) {
      needArgs(arguments.length, 'message');
      ports.post(self.port, message, transferOf(options));
    },
    close() {
      native.closeSelf();
    },
    importScripts(...urls) {
      if (!self.classic) throw new TypeError('importScripts: module workers must use import instead');
      for (const url of $.each($.map(urls, (url) => resolveScript($.text`${url}`)))) native.importScript(url);
    },
  };
  const values = { self: globalThis, name: self.name };
  const WorkerGlobalScope = interfaceOf('WorkerGlobalScope', EventTarget);
  const DedicatedWorkerGlobalScope = interfaceOf('DedicatedWorkerGlobalScope', WorkerGlobalScope);
  const define = (members, enumerable) => {
    for (const { 0: key, 1: value } of $.each(Object.entries(members))) {
      Object.defineProperty(globalThis, key, { value, writable: true, enumerable, configurable: true });
    }
  };
  define({ ...operations, ...values }, true);
  define({ WorkerGlobalScope, DedicatedWorkerGlobalScope }, false);
  Object.defineProperty(globalThis, 'location', {
    enumerable: true, configurable: true,
    get: { location() {
      const { URL } = require('url');
      const value = new URL(self.url);
      Object.defineProperty(globalThis, 'location', { value, enumerable: true, configurable: true });
      return value;
    } }.location,
  });
  // The engine's own tag is `global`.
  Reflect.deleteProperty(globalThis, Symbol.toStringTag);
  Object.setPrototypeOf(globalThis, DedicatedWorkerGlobalScope.prototype);
  const handlersOf = () => handlers;
  defineHandlers(globalThis, handlersOf, ['message', 'messageerror']);
  // OnErrorEventHandler: returning true prevents the default.
  defineHandlers(globalThis, handlersOf, ['error'], (handler, scope, event) => {
    const { message, filename, lineno, colno, error } = event;
    const args = event instanceof ErrorEvent ? [message, filename, lineno, colno, error] : [event];
    if (apply(handler, scope, args) === true) event.preventDefault();
  });
  exports.uncaught = (error) => {
    const event = trust(new ErrorEvent('error', {
      __proto__: null, message: messageOf(error), error, cancelable: true, ...placeOf(error),
    }));
    const outer = reporting;
    reporting = event;
    try {
      return !dispatch(event);
    } finally {
      reporting = outer;
    }
  };
  // Earlier messages wait until the script has ended; from then on, the port holds the loop until the worker is closed.
  exports.scriptDone = () => {
    ports.start(self.port, {
      message: (data, list) => dispatch(trust(makeMessageEvent('message', data, list))),
      messageerror: (error) => dispatch(trust(makeMessageEvent('messageerror', error))),
      close() {},
    });
    ports.ref(self.port, true);
  };
};

// For Rust, in a worker: before its script runs, for an uncaught error, and once the script has been evaluated.
exports.setUpWorker = () => {
  if (self?.web) setUpScope();
};
exports.uncaught = () => false;
exports.scriptDone = () => {};
// What the parent writes to this worker's standard input, if it does.
exports.input = self?.input;
exports.WebWorker = WebWorker;
exports.threads = threads;
