// readline.emitKeypressEvents: the keys that what a terminal sends stands for.
const ESC = '\x1b';
// The names of the keys whose sequences end in a letter, and of those that end in `~` after a number.
const LETTERS = {
  __proto__: null, A: 'up', B: 'down', C: 'right', D: 'left', E: 'clear', F: 'end', H: 'home', P: 'f1', Q: 'f2', R: 'f3',
  S: 'f4',
};
const NUMBERS = {
  __proto__: null, 1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pageup', 6: 'pagedown', 7: 'home', 8: 'end',
  11: 'f1', 12: 'f2', 13: 'f3', 14: 'f4', 15: 'f5', 17: 'f6', 18: 'f7', 19: 'f8', 20: 'f9', 21: 'f10', 23: 'f11',
  24: 'f12', 200: 'paste-start', 201: 'paste-end',
};
const SINGLE = { __proto__: null, '\r': 'return', '\n': 'enter', '\t': 'tab', '\b': 'backspace', '\x7f': 'backspace' };

// What a code such as `[3~` names, and which of Shift and Control the terminal has put into it.
const nameCode = (key, code) => {
  const { 1: number, 2: end } = $.regex(/^\[(\d+)([~^$])$/).exec(code) ?? [];
  const { 1: start, 2: letter } = $.regex(/^(\[\[?|O)([A-Za-z])$/).exec(code) ?? [];
  const { 1: page } = $.regex(/^\[\[([56])~$/).exec(code) ?? [];
  key.name = 'undefined';
  if (page !== undefined) key.name = NUMBERS[page];
  else if (number !== undefined) {
    // rxvt writes `$` for Shift, and `^` for Control.
    const isPlain = end === '~';
    const hasBoth = $.regex(/^[235678]$/).test(number);
    if (!isPlain && !hasBoth) return;
    key.name = NUMBERS[number] ?? 'undefined';
    if (end === '$') key.shift = true;
    if (end === '^') key.ctrl = true;
  } else if (start === '[[') {
    // The console of Linux.
    const at = $.indexOf('ABCDE', letter);
    if (at >= 0) key.name = $.text`f${at + 1}`;
  } else if (code === '[Z') {
    key.name = 'tab';
    key.shift = true;
  } else if (letter !== undefined) {
    const isSmall = letter >= 'a' && letter <= 'e';
    key.name = isSmall ? LETTERS[$.toUpperCase(letter)] : LETTERS[letter] ?? 'undefined';
    if (isSmall && start === '[') key.shift = true;
    if (isSmall && start === 'O') key.ctrl = true;
  }
};
// A sequence after its escapes: `[`, numbers and an end, or `O` and a letter.
const nameSequence = (key, text) => {
  let code;
  let modifier = 0;
  if (text[0] === 'O') {
    const hasModifier = text[1] >= '0' && text[1] <= '9';
    if (hasModifier) modifier = +text[1] - 1;
    code = $.text`O${$.slice(text, hasModifier ? 2 : 1)}`;
  } else {
    const start = text[1] === '[' ? '[[' : '[';
    const rest = $.slice(text, start.length);
    const numbered = $.regex(/^(?:(\d\d?)(?:;(\d))?([~^$])|(\d{3}~))$/).exec(rest);
    const lettered = $.regex(/^(?:(?:\d;)?(\d))?([A-Za-z])$/).exec(rest);
    if (numbered !== null) {
      const { 1: number, 2: by, 3: end, 4: long } = numbered;
      code = start + (long ?? number + end);
      modifier = +(by ?? 1) - 1;
    } else if (lettered !== null) {
      code = start + lettered[2];
      modifier = +(lettered[1] ?? 1) - 1;
    } else {
      code = start + rest;
    }
  }
  key.ctrl = (modifier & 4) !== 0;
  key.meta = (modifier & 10) !== 0;
  key.shift = (modifier & 1) !== 0;
  key.code = code;
  nameCode(key, code);
};
const nameCharacter = (key, char, isEscaped) => {
  if (SINGLE[char] !== undefined) {
    key.name = SINGLE[char];
    key.meta = isEscaped;
  } else if (char === ESC || char === ' ') {
    key.name = char === ESC ? 'escape' : 'space';
    key.meta = isEscaped;
  } else if (!isEscaped && char !== '' && char <= '\x1a') {
    key.name = $.fromCharCode($.charCodeAt(char, 0) + 96);
    key.ctrl = true;
  } else if ($.regex(/^[0-9A-Za-z]$/).test(char)) {
    key.name = $.toLowerCase(char);
    key.shift = $.regex(/^[A-Z]$/).test(char);
    key.meta = isEscaped;
  } else if (isEscaped) {
    key.name = char === '' ? 'escape' : undefined;
    key.meta = true;
  }
};

// Tells keys to `emit(text, key)` as characters come.
class Keys {
  // What may be the beginning of a sequence.
  #pending = '';
  #emit;
  constructor(emit) {
    this.#emit = emit;
  }
  push(char) {
    this.#pending += char;
    const { 0: escapes } = $.regex(/^\x1b{0,2}/).exec(this.#pending);
    const rest = $.slice(this.#pending, escapes.length);
    // Whether more is to come.
    if (escapes !== '' && (rest === '' || $.regex(/^(?:\[\[?\d{0,3}(?:;\d?)?|O\d?)$/).test(rest))) return;
    this.#tell(escapes, rest);
  }
  /** Nothing comes after an escape: it is the key itself. */
  flush() {
    if (this.#pending === '') return;
    const { 0: escapes } = $.regex(/^\x1b{0,2}/).exec(this.#pending);
    this.#tell(escapes, $.slice(this.#pending, escapes.length));
  }
  #tell(escapes, rest) {
    const sequence = this.#pending;
    this.#pending = '';
    const isEscaped = escapes !== '';
    const key = { sequence, name: undefined, ctrl: false, meta: false, shift: false };
    if (isEscaped && (rest[0] === '[' || rest[0] === 'O')) nameSequence(key, rest);
    else nameCharacter(key, rest, isEscaped);
    this.#emit(isEscaped ? undefined : sequence, key);
  }
}

const installed = Symbol('keypress');
exports.emitKeypressEvents = (stream, iface = { __proto__: null }) => {
  if (stream[installed] !== undefined) return;
  const keys = new Keys((text, key) => stream.emit('keypress', text, key));
  stream[installed] = keys;
  const decoder = new (/** @type {any} */ (require('string_decoder').StringDecoder))('utf8');
  const timers = require('timers');
  let timer;
  const data = (input) => {
    if (stream.listenerCount('keypress') === 0) {
      // Nobody is listening any more.
      stream.removeListener('data', data);
      stream.on('newListener', added);
      return;
    }
    const text = decoder.write(input);
    if (text === '') return;
    timers.clearTimeout(timer);
    for (let i = 0; i < text.length;) {
      const isPair = $.regex(/^[\ud800-\udbff][\udc00-\udfff]$/).test($.slice(text, i, i + 2));
      keys.push($.slice(text, i, i + (isPair ? 2 : 1)));
      i += isPair ? 2 : 1;
    }
    if ($.endsWith(text, ESC)) timer = timers.setTimeout(() => keys.flush(), iface.escapeCodeTimeout ?? 500);
  };
  const added = (event) => {
    if (event !== 'keypress') return;
    stream.on('data', data);
    stream.removeListener('newListener', added);
  };
  if (stream.listenerCount('keypress') > 0) stream.on('data', data);
  else stream.on('newListener', added);
};
