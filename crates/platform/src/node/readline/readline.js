// node:readline and node:readline/promises. A terminal edits its lines itself: an interface does not put it into raw mode,
// so there is no completion and no history to walk through.
const { abortError, create, invalidArgType, invalidArgValue } = require('errors');
const {
  validateAbortSignal, validateArray, validateBoolean, validateFunction, validateInteger, validateNumber,
  validateString, validateUint32,
} = require('validators');
const { EventEmitter } = require('events');
const { onAbort } = require('stream_shared');
const processOf = () => require('process').process;
const isSet = (value) => value !== undefined && value !== null;

const ENDING = () => $.regex(/\r?\n|\r(?!\n)|\u2028|\u2029/g);
const closedError = () => create('Error', 'ERR_USE_AFTER_CLOSE', 'readline was closed');
const MIN_CRLF_DELAY = 100;
// How many lines an iterator keeps before the input is paused.
const MANY_LINES = 1024;

// The arguments of the constructor, which may also come one by one.
const optionsOf = (input, output, completer, terminal) =>
  (input?.input ? input : { __proto__: null, input, output, completer, terminal });

class Interface extends EventEmitter {
  terminal = false;
  line = '';
  cursor = 0;
  closed = false;
  paused = false;
  input;
  output;
  history = [];
  historySize;
  removeHistoryDuplicates;
  crlfDelay;
  completer;
  tabSize;
  escapeCodeTimeout;
  #prompt;
  #oldPrompt;
  #decoder;
  // What has come of a line that has not ended.
  #rest = '';
  #sawReturnAt = 0;
  #question;
  #lines;
  #unlisten;
  constructor(input, output = undefined, completer = undefined, terminal = undefined) {
    super();
    const options = optionsOf(input, output, completer, terminal);
    ({ input, output, completer, terminal } = options);
    const {
      crlfDelay, escapeCodeTimeout = 500, history = [], historySize = 30, prompt = '> ',
      removeHistoryDuplicates = false, signal, tabSize = 8,
    } = options;
    if (isSet(completer) && typeof completer !== 'function') throw invalidArgValue('completer', completer);
    validateArray(history, 'history');
    validateNumber(historySize, 'historySize', 0);
    validateAbortSignal(signal, 'options.signal');
    validateUint32(tabSize, 'tabSize', true);
    if (!Number.isFinite(escapeCodeTimeout)) throw invalidArgValue('input.escapeCodeTimeout', escapeCodeTimeout);
    if (typeof input?.on !== 'function') throw invalidArgType('input', 'an instance of Stream', input);
    this.terminal = Boolean(terminal ?? output?.isTTY);
    Object.assign(this, { input, output, completer, history, historySize, tabSize, escapeCodeTimeout });
    this.removeHistoryDuplicates = Boolean(removeHistoryDuplicates);
    const delay = Number(crlfDelay);
    this.crlfDelay = delay > MIN_CRLF_DELAY ? delay : MIN_CRLF_DELAY;
    this.setPrompt(prompt);
    this.#decoder = new (/** @type {any} */ (require('string_decoder').StringDecoder))('utf8');
    const data = (chunk) => this.#receive(chunk);
    const end = () => {
      if (this.#rest !== '') this.#take(this.#rest);
      this.#rest = '';
      this.close();
    };
    const failed = (error) => this.emit('error', error);
    input.on('data', data);
    input.on('end', end);
    input.on('error', failed);
    this.#unlisten = () => {
      input.removeListener('data', data);
      input.removeListener('end', end);
      input.removeListener('error', failed);
    };
    if (signal) {
      const close = () => this.close();
      if (signal.aborted) processOf().nextTick(close);
      else this.once('close', onAbort(signal, close));
    }
    input.resume();
  }
  get columns() {
    return this.output?.columns || 1 / 0;
  }
  getPrompt() {
    return this.#prompt;
  }
  setPrompt(prompt) {
    this.#prompt = prompt;
  }
  prompt(_preserveCursor = undefined) {
    if (this.paused) this.resume();
    this.#write(this.#prompt);
  }
  #write(text) {
    if (this.closed) throw closedError();
    validateString(text, 'stringToWrite');
    if (isSet(this.output)) this.output.write(text);
  }
  question(query, options, callback = undefined) {
    callback = typeof options === 'function' ? options : callback;
    const { signal } = typeof options === 'object' && options !== null ? options : { signal: undefined };
    if (signal) {
      validateAbortSignal(signal, 'options.signal');
      if (signal.aborted) return;
      const stop = onAbort(signal, () => this.#cancelQuestion());
      const answered = callback;
      callback = typeof answered === 'function' ? (answer) => {
        stop();
        answered(answer);
      } : stop;
    }
    if (typeof callback === 'function') this.ask(query, callback);
  }
  ask(query, callback) {
    if (this.closed) throw closedError();
    if (this.#question) {
      this.prompt();
      return;
    }
    this.#oldPrompt = this.#prompt;
    this.setPrompt(query);
    this.#question = callback;
    this.prompt();
  }
  cancelQuestion() {
    this.#cancelQuestion();
  }
  #cancelQuestion() {
    if (!this.#question) return;
    this.#question = null;
    this.setPrompt(this.#oldPrompt);
  }
  #take(line) {
    if (this.terminal && line !== '' && this.historySize > 0) {
      if (this.removeHistoryDuplicates) this.history = $.filter(this.history, (each) => each !== line);
      if (this.history[0] !== line) {
        $.unshift(this.history, line);
        if (this.history.length > this.historySize) $.pop(this.history);
        this.emit('history', this.history);
      }
    }
    if (this.#question) {
      const answered = this.#question;
      this.#cancelQuestion();
      answered(line);
    } else {
      this.emit('line', line);
    }
  }
  #receive(chunk) {
    let text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    if (this.#sawReturnAt && $.now() - this.#sawReturnAt <= this.crlfDelay && text !== '') {
      if (text[0] === '\n') text = $.slice(text, 1);
      this.#sawReturnAt = 0;
    }
    const ending = ENDING();
    let found = ending.exec(text);
    if (found === null) {
      this.#rest += text;
      return;
    }
    this.#sawReturnAt = $.endsWith(text, '\r') ? $.now() : 0;
    const lines = [];
    let start = 0;
    for (; found !== null; found = ending.exec(text)) {
      $.push(lines, $.slice(text, start, found.index));
      start = ending.lastIndex;
    }
    lines[0] = this.#rest + lines[0];
    this.#rest = $.slice(text, start);
    for (const line of $.each(lines)) this.#take(line);
  }
  write(data, key = undefined) {
    if (this.closed) throw closedError();
    if (this.paused) this.resume();
    if (key?.ctrl && key.name === 'c') this.close();
    else if (isSet(data)) this.#receive($.text`${data}`);
  }
  pause() {
    if (this.closed) throw closedError();
    return this.#pause();
  }
  #pause() {
    if (this.paused) return this;
    this.input.pause();
    this.paused = true;
    this.emit('pause');
    return this;
  }
  resume() {
    if (this.closed) throw closedError();
    if (!this.paused) return this;
    this.input.resume();
    this.paused = false;
    this.emit('resume');
    return this;
  }
  close() {
    if (this.closed) return;
    this.#pause();
    this.#unlisten();
    this.closed = true;
    this.emit('close');
  }
  getCursorPos() {
    return { rows: 0, cols: $.text`${this.#prompt}${this.line}`.length };
  }
  [Symbol.dispose]() {
    this.close();
  }
  [Symbol.asyncIterator]() {
    this.#lines ??= linesOf(this);
    return this.#lines;
  }
}

// The lines as an iterator, which takes them from the moment when it is made.
const linesOf = (reader) => {
  const lines = [];
  let wake = () => {};
  let isOver = reader.closed;
  /** @type {{ error: unknown } | undefined} */
  let failure;
  const add = (line) => {
    $.push(lines, line);
    if (lines.length >= MANY_LINES && !reader.closed) reader.pause();
    wake();
  };
  const end = () => {
    isOver = true;
    wake();
  };
  const fail = (error) => {
    failure = { error };
    wake();
  };
  reader.on('line', add);
  reader.on('close', end);
  reader.on('error', fail);
  async function* each() {
    try {
      while (true) {
        while (lines.length > 0) {
          const line = $.shift(lines);
          if (lines.length === 0 && reader.paused && !reader.closed) reader.resume();
          yield line;
        }
        if (failure !== undefined) throw failure.error;
        if (isOver) return;
        await $.awaited(new Promise((resolve) => {
          wake = () => resolve();
        }));
      }
    } finally {
      reader.removeListener('line', add);
      reader.removeListener('close', end);
      reader.removeListener('error', fail);
    }
  }
  const iterator = each();
  // A loop that is left before it has begun stops listening as well.
  return iterator;
};

// A question whose answer is a promise.
const ask = (reader, query, options = { __proto__: null }) => new Promise((resolve, reject) => {
  let stop = () => {};
  const signal = /** @type {any} */ (options)?.signal;
  if (signal) {
    validateAbortSignal(signal, 'options.signal');
    if (signal.aborted) {
      reject(abortError(signal.reason));
      return;
    }
    stop = onAbort(signal, () => {
      reader.cancelQuestion();
      reject(abortError(signal.reason));
    });
  }
  const closed = () => {
    stop();
    reader.cancelQuestion();
    reject(abortError());
  };
  try {
    reader.once('close', closed);
    reader.ask(query, (answer) => {
      stop();
      reader.removeListener('close', closed);
      resolve(answer);
    });
  } catch (error) {
    reader.removeListener('close', closed);
    reject(error);
  }
});
class PromisesInterface extends Interface {
  question(query, options = undefined) {
    return ask(this, query, options);
  }
}
Object.defineProperty(PromisesInterface, 'name', { value: 'Interface' });
Object.defineProperty(Interface.prototype.question, $.symbolFor('nodejs.util.promisify.custom'), {
  value: { /** @this {any} */ question(query, options) {
    return ask(this, query, options);
  } }.question,
});
// What is not meant for scripts is not seen by them.
for (const name of $.each(['ask', 'cancelQuestion'])) {
  Object.defineProperty(Interface.prototype, name, { enumerable: false });
}

// Escape sequences for terminals.
const sequence = (stream, text, callback) => {
  if (callback !== undefined) validateFunction(callback, 'callback');
  if (!isSet(stream) || text === '') {
    if (typeof callback === 'function') processOf().nextTick(callback, null);
    return true;
  }
  return stream.write(text, callback);
};
const LINES = { '-1': '\x1b[1K', 1: '\x1b[0K', 0: '\x1b[2K' };
const clearLineText = (direction) => LINES[direction < 0 ? -1 : direction > 0 ? 1 : 0];
const moveText = (dx, dy) =>
  (dx < 0 ? $.text`\x1b[${-dx}D` : dx > 0 ? $.text`\x1b[${dx}C` : '') +
  (dy < 0 ? $.text`\x1b[${-dy}A` : dy > 0 ? $.text`\x1b[${dy}B` : '');
const toText = (x, y) => {
  if (Number.isNaN(x)) throw invalidArgValue('x', x);
  if (Number.isNaN(y)) throw invalidArgValue('y', y);
  if (typeof x !== 'number') {
    throw create('TypeError', 'ERR_INVALID_CURSOR_POS', 'Cannot set cursor row without setting its column');
  }
  return typeof y === 'number' ? $.text`\x1b[${y + 1};${x + 1}H` : $.text`\x1b[${x + 1}G`;
};

// The same, collected until `commit`.
class Readline {
  #stream;
  #autoCommit;
  #texts = [];
  constructor(stream, options = undefined) {
    if (typeof stream?.write !== 'function') throw invalidArgType('stream', 'an instance of Writable', stream);
    this.#stream = stream;
    if (options?.autoCommit !== undefined) validateBoolean(options.autoCommit, 'options.autoCommit');
    this.#autoCommit = Boolean(options?.autoCommit);
  }
  #add(text) {
    if (this.#autoCommit) processOf().nextTick(() => this.#stream.write(text));
    else $.push(this.#texts, text);
    return this;
  }
  cursorTo(x, y = undefined) {
    validateInteger(x, 'x');
    if (y !== undefined) validateInteger(y, 'y');
    return this.#add(toText(x, y));
  }
  moveCursor(dx, dy) {
    if (!dx && !dy) return this;
    validateInteger(dx, 'dx');
    validateInteger(dy, 'dy');
    return this.#add(moveText(dx, dy));
  }
  clearLine(direction) {
    validateInteger(direction, 'dir', -1, 1);
    return this.#add(clearLineText(direction));
  }
  clearScreenDown() {
    return this.#add('\x1b[0J');
  }
  commit() {
    return new Promise((resolve) => {
      this.#stream.write($.join(this.#texts, ''), resolve);
      this.#texts = [];
    });
  }
  rollback() {
    this.#texts = [];
    return this;
  }
}

// As in Node, this one can be called without `new`.
/**
 * @constructor
 * @param {any[]} args
 */
function AnyInterface(...args) {
  return Reflect.construct(Interface, args, new.target ?? AnyInterface);
}
Object.defineProperty(AnyInterface, 'name', { value: 'Interface' });
Object.defineProperty(AnyInterface, 'prototype', { value: Interface.prototype, writable: false });
Object.defineProperty(Interface.prototype, 'constructor', { value: AnyInterface, enumerable: false });
const creating = (Class) => ({
  createInterface: (input, output, completer, terminal) => new Class(input, output, completer, terminal),
});
exports['readline/promises'] = {
  Interface: PromisesInterface, Readline, ...creating(PromisesInterface),
};
exports.createInterface = creating(Interface).createInterface;
exports.readline = {
  Interface: AnyInterface,
  clearLine: (stream, direction, callback) => sequence(stream, clearLineText(direction), callback),
  clearScreenDown: (stream, callback) => sequence(stream, '\x1b[0J', callback),
  ...creating(Interface),
  cursorTo(stream, x, y, callback) {
    if (callback !== undefined) validateFunction(callback, 'callback');
    if (typeof y === 'function') {
      callback = y;
      y = undefined;
    }
    return sequence(stream, !isSet(stream) || (typeof x !== 'number' && typeof y !== 'number') ? '' : toText(x, y), callback);
  },
  emitKeypressEvents: (stream, iface) => require('readline_keys').emitKeypressEvents(stream, iface),
  moveCursor: (stream, dx, dy, callback) => sequence(stream, moveText(dx, dy), callback),
  promises: exports['readline/promises'],
};
