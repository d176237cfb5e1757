// AssertionError and its messages, which show how two values differ.
const { inspect } = require('inspect');
const { validateObject } = require('validators');

const headlines = {
  __proto__: null,
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  partialDeepStrictEqual: 'Expected values to be partially and strictly deep-equal:',
  strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:',
  notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:',
};
const isObject = (value) => typeof value === 'object' && value !== null;
const show = (value) => inspect(value, {
  compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false,
  sorted: true, getters: true,
});

// As many equal lines in a row are shown.
const CONTEXT = 5;
// Values that are this short are shown beside each other.
const SHORT = 12;
const LONG = 512;

/** The colours of what is only on one side, if the terminal has colours. */
const paints = () => {
  const { process } = /** @type {any} */ (require('process'));
  const hasColors = require('util').shouldColor(process.stderr);
  const paint = (code) => (hasColors ? $.text`\u001b[${code}m` : '');
  return { green: paint(32), red: paint(31), blue: paint(34), gray: paint(90), white: paint(39), hasColors };
};

/** A line for each step of a difference, with long runs of equal lines cut out. */
const printDiff = (steps, isPartial, { green, red, blue, gray, white, hasColors }) => {
  const lines = [];
  let skipped = false;
  for (let i = 0; i < steps.length;) {
    const { 0: side, 1: line } = steps[i];
    if (side !== 0) {
      const plus = isPartial ? $.text`${gray}${hasColors ? ' ' : '+'} ${line}${white}` : $.text`${green}+${white} ${line}`;
      $.push(lines, side === 1 ? plus : $.text`${red}-${white} ${line}`);
      i++;
      continue;
    }
    let end = i;
    while (end < steps.length && steps[end][0] === 0) end++;
    const equal = $.map($.slice(steps, i, end), (step) => $.text`${white}  ${step[1]}`);
    if (end === steps.length) {
      $.push(lines, ...$.each($.slice(equal, 0, CONTEXT)));
    } else if (equal.length < CONTEXT + 3) {
      $.push(lines, ...$.each(equal));
    } else {
      $.push(lines, ...$.each($.slice(equal, 0, CONTEXT)), $.text`${blue}...${white}`, $.at(equal, -1));
      skipped = true;
    }
    i = end;
  }
  return { message: $.text`\n${$.replace($.join(lines, '\n'), $.regex(/\s+$/), '')}`, skipped };
};

/** For two values of one line each. */
const simple = (actual, shownActual, expected, shownExpected, paint) => {
  const { green, red, white } = paint;
  const quotes = (value) => (typeof value === 'string' ? 2 : 0);
  const length = shownActual.length + shownExpected.length - quotes(actual) - quotes(expected);
  if (length <= SHORT && (actual !== 0 || expected !== 0)) {
    return { message: $.text`${shownActual} !== ${shownExpected}`, header: '' };
  }
  const areStrings = typeof actual === 'string' && typeof expected === 'string';
  if (areStrings && paint.hasColors) {
    const steps = require('diff').myers($.split(shownActual, ''), $.split(shownExpected, ''));
    const colored = $.map(steps, ({ 0: side, 1: char }) =>
      $.text`${side === 1 ? green : side === -1 ? red : white}${char}${white}`);
    return { message: $.text`\n${$.join(colored, '')}`, header: $.text`${green}actual${white} ${red}expected${white}` };
  }
  let message = $.text`\n${green}+${white} ${shownActual}\n${red}- ${white}${shownExpected}`;
  const { stderr } = /** @type {any} */ (require('process')).process;
  if (areStrings && shownActual.length + shownExpected.length <= (stderr.isTTY ? stderr.columns : 80)) {
    let at = 0;
    while (at < shownActual.length && shownActual[at] === shownExpected[at]) at++;
    // (The first characters are easy to compare.)
    if (at >= 3 && at < shownActual.length) message += $.text`\n${$.repeat(' ', at + 2)}^`;
  }
  return { message, header: undefined };
};

const describeDifference = (actual, expected, operator, customMessage, kind) => {
  const paint = paints();
  const { green, red, gray, white, hasColors } = paint;
  const areReferences = (isObject(actual) && isObject(expected)) ||
    (typeof actual === 'function' && typeof expected === 'function');
  if (operator === 'strictEqual' && areReferences) operator = 'strictEqualObject';
  const shown = [show(actual), show(expected)];
  const left = $.split(shown[0], '\n');
  const right = $.split(shown[1], '\n');
  let header = $.text`${green}+ actual${white} ${red}- expected${white}`;
  let message;
  let skipped = false;
  if (left.length === 1 && right.length === 1 && !(isObject(actual) && isObject(expected))) {
    const made = simple(actual, left[0], expected, right[0], paint);
    ({ message } = made);
    header = made.header ?? header;
  } else if (shown[0] === shown[1]) {
    operator = 'notIdentical';
    header = '';
    skipped = left.length > 50 && kind !== 'full';
    message = skipped ? $.text`${$.join($.slice(left, 0, 50), '\n')}\n...}` : shown[0];
  } else {
    // The last entry of a list has no comma.
    const same = isObject(actual) ? (a, b) => a === b || $.text`${a},` === b || a === $.text`${b},` : (a, b) => a === b;
    const pick = (a, b) => (isObject(actual) && !$.endsWith(a, ',') ? b : a);
    const isPartial = operator === 'partialDeepStrictEqual';
    const made = printDiff(require('diff').myers(left, right, same, pick), isPartial, paint);
    ({ message, skipped } = made);
    if (isPartial) header = $.text`${gray}${hasColors ? '' : '+ '}actual${white} ${red}- expected${white}`;
  }
  return $.text`${customMessage || headlines[operator]}\n${header}${skipped ? '\n... Skipped lines' : ''}\n${message}\n`;
};

/** For `notStrictEqual` and the like: one of the values, because they are the same. */
const describeSameness = (actual, operator, kind) => {
  const { blue, white } = paints();
  const isReference = isObject(actual) || typeof actual === 'function';
  const head = headlines[operator === 'notStrictEqual' && isReference ? 'notStrictEqualObject' : operator];
  let lines = $.split(show(actual), '\n');
  if (lines.length > 50 && kind !== 'full') lines = [...$.each($.slice(lines, 0, 46)), $.text`${blue}...${white}`];
  if (lines.length > 1) return $.text`${head}\n\n${$.join(lines, '\n')}\n`;
  return $.text`${head}${lines[0].length > 5 ? '\n\n' : ' '}${lines[0]}`;
};

const describeOther = (actual, expected, operator, kind) => {
  const cut = (text, length, kept) => (text.length > length && kind !== 'full' ? $.text`${$.slice(text, 0, kept)}...` : text);
  const { 0: left, 1: right } = [show(actual), show(expected)];
  if (operator === 'notDeepEqual' && left === right) return cut($.text`${headlines[operator]}\n\n${left}`, 1024, 1021);
  const { 0: a, 1: b } = [cut(left, LONG, 509), cut(right, LONG, 509)];
  if (operator === 'deepEqual') return $.text`${headlines[operator]}\n\n${a}\n\nshould loosely deep-equal\n\n${b}`;
  if (operator === 'notDeepEqual') {
    return $.text`${headlines.notDeepEqualUnequal}\n\n${a}\n\nshould not loosely deep-equal\n\n${b}`;
  }
  return $.text`${a} ${operator} ${b}`;
};

const showsDifference = (operator) =>
  operator === 'deepStrictEqual' || operator === 'strictEqual' || operator === 'partialDeepStrictEqual';
const messageOf = (message, actual, expected, operator, kind) => {
  if (showsDifference(operator)) return describeDifference(actual, expected, operator, message, kind);
  if (message != null) return String(message);
  if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') return describeSameness(actual, operator, kind);
  return describeOther(actual, expected, operator, kind);
};
/** An error without its stack, so that two of them can be compared. */
const withoutStack = (error) => {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(error)), error);
  Object.defineProperty(copy, 'message', { value: error.message });
  if (Object.hasOwn(error, 'cause')) {
    const { cause } = error;
    Object.defineProperty(copy, 'cause', { value: cause instanceof Error ? withoutStack(cause) : cause });
  }
  return copy;
};

const shorter = (value) => {
  if (typeof value !== 'string') return value;
  const lines = $.split(value, '\n');
  if (lines.length > 10) return $.text`${$.join($.slice(lines, 0, 10), '\n')}\n...`;
  // (It is the beginning that Node leaves out.)
  return value.length > LONG ? $.text`${$.slice(value, LONG)}...` : value;
};

class AssertionError extends Error {
  constructor(options) {
    validateObject(options, 'options');
    const { message, operator, stackStartFn, stackStartFunction, details, diff = 'simple' } = options;
    let { actual, expected } = options;
    if (message == null && actual instanceof Error && expected instanceof Error) {
      actual = withoutStack(actual);
      expected = withoutStack(expected);
    }
    super(messageOf(message, actual, expected, operator, diff));
    const place = (name, value) => Object.assign(this, { [name]: value });
    place('generatedMessage', !message);
    place('code', 'ERR_ASSERTION');
    if (details) {
      for (const name of $.each(['actual', 'expected', 'operator'])) place(name, undefined);
      $.forEach($.arrayFrom(details), (detail, i) => {
        for (const name of $.each(['message', 'actual', 'expected', 'operator'])) place($.text`${name} ${i}`, detail[name]);
        place($.text`stack trace ${i}`, detail.stack);
      });
    } else {
      for (const { 0: name, 1: value } of $.each(Object.entries({ actual, expected, operator }))) place(name, value);
    }
    const hide = (name, value) =>
      Object.defineProperty(this, name, { value, enumerable: false, writable: true, configurable: true });
    hide('name', 'AssertionError');
    const frames = require('stack').framesAbove(this, stackStartFn || stackStartFunction);
    hide('stack', $.text`AssertionError [ERR_ASSERTION]: ${this.message}${frames === '' ? '' : $.text`\n${frames}`}`);
    place('diff', diff);
  }
  toString() {
    return $.text`${this.name} [${/** @type {any} */ (this).code}]: ${this.message}`;
  }
  [inspect.custom](depth, options) {
    const it = /** @type {any} */ (this);
    const { actual, expected } = it;
    it.actual = shorter(actual);
    it.expected = shorter(expected);
    const text = inspect(this, { ...options, customInspect: false, depth: 0 });
    it.actual = actual;
    it.expected = expected;
    return text;
  }
}
exports.AssertionError = AssertionError;
