// The text of a failed `assert(…)` in its file, for the message.
const HEAD = 'The expression evaluated to a falsy value';

/** The end of the call whose parenthesis opens at `open`; -1 if it has none. */
const endOfCall = (text, open) => {
  const closing = { __proto__: null, '(': ')', '[': ']', '{': '}' };
  const expected = [];
  for (let i = open; i < text.length; i++) {
    const char = text[i];
    if (closing[char] !== undefined) {
      $.push(expected, closing[char]);
    } else if (char === ')' || char === ']' || char === '}') {
      if ($.pop(expected) !== char) return -1;
      if (expected.length === 0) return i + 1;
    } else if (char === '"' || char === "'" || char === '`') {
      i++;
      while (i < text.length && text[i] !== char) i += text[i] === '\\' ? 2 : 1;
    } else if (char === '/' && text[i + 1] === '/') {
      i = $.indexOf(text, '\n', i);
      if (i < 0) return -1;
    }
  }
  return -1;
};

/** The call that ends at a place in a text, or the smallest one around it. */
const callAt = (text, line, column) => {
  const lines = $.split(text, '\n');
  if (lines[line - 1] === undefined) return undefined;
  const place = $.reduce($.slice(lines, 0, line - 1), (at, one) => at + one.length + 1, 0) + column - 1;
  const calls = $.regex(/[\p{ID_Start}$_][\p{ID_Continue}$.]*\s*\(/gu);
  // (A call has few lines.)
  calls.lastIndex = $.reduce($.slice(lines, 0, Math.max(0, line - 20)), (at, one) => at + one.length + 1, 0);
  let best;
  for (let found = calls.exec(text); found !== null && found.index <= place; found = calls.exec(text)) {
    const end = endOfCall(text, found.index + found[0].length - 1);
    if (end > place) best = { start: found.index, end };
    // What is between the parentheses may have calls as well.
    calls.lastIndex = found.index + found[0].length;
    if (end - 1 === place) break;
  }
  if (best === undefined) return undefined;
  const lineStart = $.lastIndexOf($.slice(text, 0, best.start), '\n') + 1;
  const indent = $.regex(/^ */).exec($.slice(text, lineStart))[0].length;
  return $.map($.split($.slice(text, best.start, best.end), '\n'), (part, i) => {
    // The lines behind the first one lose as much space as stands before it.
    const space = i === 0 ? 0 : Math.min($.regex(/^ */).exec(part)[0].length, indent);
    return $.text`  ${$.slice(part, space)}`;
  });
};

exports.falsy = (caller) => {
  try {
    const frames = require('stack').framesAbove(new Error(), caller);
    const frame = $.split(frames, '\n')[0];
    const { 1: place, 2: line, 3: column } = $.regex(/\(?((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/).exec(frame);
    const path = $.startsWith(place, 'file:') ? require('url').fileURLToPath(place) : place;
    const text = /** @type {any} */ (require('fs')).readFileSync(path, 'utf8');
    const call = callAt(text, +line, +column);
    if (call !== undefined) return $.text`${HEAD}:\n\n${$.join(call, '\n')}\n`;
  } catch {
    // There is no file, or no such place in it.
  }
  return undefined;
};
