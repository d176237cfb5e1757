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

/** The call at a place in a text; the column may be anywhere in it. */
const callAt = (text, line, column) => {
  const lines = $.split(text, '\n');
  const first = lines[line - 1];
  if (first === undefined) return undefined;
  let start = column - 1;
  while (start > 0 && $.regex(/[\w$.]/).test(first[start - 1])) start--;
  const rest = $.slice(first, start);
  const name = $.regex(/^[\w$.]+\s*\(/).exec(rest);
  if (name === null) return undefined;
  const tail = $.join([rest, ...$.each($.slice(lines, line, line + 50))], '\n');
  const end = endOfCall(tail, name[0].length - 1);
  if (end < 0) return undefined;
  return $.map($.split($.slice(tail, 0, end), '\n'), (part, i) => {
    // The lines behind the first one lose as much space as stands before it.
    const indent = i === 0 ? 0 : Math.min($.regex(/^ */).exec(part)[0].length, $.regex(/^ */).exec(first)[0].length);
    return $.text`  ${$.slice(part, indent)}`;
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
