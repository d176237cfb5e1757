// Patterns of file names, as shells have them: `*`, `?`, `[…]`, `{a,b}`, `{1..3}`, `+(a|b)` and, for folders, `**`.

const special = $.regex(/[.+^${}()|[\]\\*?/]/g);
const literal = (text) => $.replace(text, special, '\\$&');

/** Where the group that opens at `at` closes; -1 if it does not. */
const closing = (text, at, open, close) => {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === open) depth++;
    else if (text[i] === close && --depth === 0) return i;
  }
  return -1;
};
/** Splits at the separators that are not in a group. */
const alternatives = (text, separator, open, close) => {
  const found = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === open) depth++;
    else if (text[i] === close) depth--;
    else if (text[i] === separator && depth === 0) {
      $.push(found, $.slice(text, start, i));
      start = i + 1;
    }
  }
  $.push(found, $.slice(text, start));
  return found;
};

// As many patterns as one with braces may stand for; and how long a range may be.
const MOST = 10000;
const range = (text) => {
  const { 1: from, 2: to, 3: by } = $.regex(/^(-?\d+|[a-zA-Z])\.\.(-?\d+|[a-zA-Z])(?:\.\.(-?\d+))?$/).exec(text) ?? [];
  if (from === undefined) return undefined;
  const isNumber = !Number.isNaN(+from);
  if (isNumber === Number.isNaN(+to)) return undefined;
  const code = (end) => (isNumber ? +end : $.charCodeAt(end, 0));
  const { 0: low, 1: high } = [code(from), code(to)];
  const step = Math.max(1, Math.trunc(+(by ?? 1) < 0 ? -by : +(by ?? 1)));
  const isPadded = $.regex(/^-?0\d/).test(from) || $.regex(/^-?0\d/).test(to);
  const width = isPadded ? Math.max(from.length, to.length) : 0;
  const made = [];
  for (let at = low; low <= high ? at <= high : at >= high; at += low <= high ? step : -step) {
    if (made.length >= MOST) break;
    const digits = $.padStart($.text`${at < 0 ? -at : at}`, at < 0 ? width - 1 : width, '0');
    $.push(made, isNumber ? (at < 0 ? '-' : '') + digits : $.fromCharCode(at));
  }
  return made;
};
const expand = (pattern) => {
  for (let at = $.indexOf(pattern, '{'); at !== -1; at = $.indexOf(pattern, '{', at + 1)) {
    const end = closing(pattern, at, '{', '}');
    if (end === -1) continue;
    const inner = $.slice(pattern, at + 1, end);
    const parts = alternatives(inner, ',', '{', '}');
    const made = parts.length > 1 ? $.flatMap(parts, expand) : range(inner);
    if (made === undefined) continue;
    const before = $.slice(pattern, 0, at);
    const rest = expand($.slice(pattern, end + 1));
    const all = [];
    for (const part of $.each(made)) {
      for (const tail of $.each(rest)) if (all.length < MOST) $.push(all, before + part + tail);
    }
    return all;
  }
  return [pattern];
};

const classes = {
  __proto__: null,
  alnum: '\\p{L}\\p{Nl}\\p{Nd}', alpha: '\\p{L}\\p{Nl}', ascii: '\\x00-\\x7f', blank: '\\p{Zs}\\t', cntrl: '\\p{Cc}',
  digit: '\\p{Nd}', lower: '\\p{Ll}', print: '\\x20-\\x7e', punct: '\\p{P}', space: '\\p{Z}\\t\\r\\n\\v\\f',
  upper: '\\p{Lu}', word: '\\p{L}\\p{Nl}\\p{Nd}\\p{Pc}', xdigit: 'A-Fa-f0-9',
};
/** A class such as `[!a-z[:digit:]]` and where it ends; undefined if it does not. */
const charClass = (text, at) => {
  const negated = text[at + 1] === '!' || text[at + 1] === '^';
  let i = at + (negated ? 2 : 1);
  let inside = '';
  for (let first = true; i < text.length && (text[i] !== ']' || first); first = false) {
    const named = $.regex(/^\[:(\w+):\]/).exec($.slice(text, i, i + 12));
    if (named !== null && classes[named[1]] !== undefined) {
      inside += classes[named[1]];
      i += named[0].length;
    } else if (text[i + 1] === '-' && i + 2 < text.length && text[i + 2] !== ']') {
      // A range that goes backwards matches nothing.
      if (text[i] <= text[i + 2]) inside += $.text`${literal(text[i])}-${literal(text[i + 2])}`;
      i += 3;
    } else {
      inside += text[i] === '-' ? '\\-' : literal(text[i]);
      i += 1;
    }
  }
  if (i >= text.length) return undefined;
  return { source: inside === '' ? '(?!)' : $.text`[${negated ? '^' : ''}${inside}]`, end: i };
};
const segment = (text) => {
  let source = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if ($.includes('?*+@!', char) && text[i + 1] === '(') {
      const end = closing(text, i + 1, '(', ')');
      if (end !== -1) {
        const inner = $.join($.map(alternatives($.slice(text, i + 2, end), '|', '(', ')'), segment), '|');
        source += char === '!' ? $.text`(?:(?!(?:${inner})${segment($.slice(text, end + 1))}$)[^/]*?)`
          : $.text`(?:${inner})${char === '@' ? '' : char}`;
        i = end;
        continue;
      }
    }
    const found = char === '[' ? charClass(text, i) : undefined;
    if (found !== undefined) {
      ({ end: i } = found);
      source += found.source;
    } else if (char === '*') {
      while (text[i + 1] === '*') i++;
      source += '[^/]*?';
    } else {
      source += char === '?' ? '[^/]' : literal(char);
    }
  }
  return source;
};
const everything = { test: (name) => name[0] !== '.' };
const matcher = (text) => {
  if (text === '**') return '**';
  // Names that begin with a dot are matched by patterns that do.
  const hidden = text[0] !== '.' && $.regex(/^[?*+@![]/).test(text) ? '(?!\\.)' : '';
  const some = $.regex(/^\*+$/).test(text) ? '(?=.)' : '';
  return $.regex(new RegExp($.text`^${hidden}${some}${segment(text)}$`, 'su'));
};
const matchSegments = (names, matchers) => {
  // Where the last `**` is, and how many names it has taken: it takes one more whenever the rest does not match.
  let star = -1;
  let taken = 0;
  let at = 0;
  let next = 0;
  while (at < names.length) {
    const one = matchers[next];
    // A slash at the end of the path alone changes nothing.
    if (one === undefined && at > 0 && at === names.length - 1 && names[at] === '') return true;
    if (one === '**') {
      star = next++;
      taken = at;
      if (next === matchers.length) {
        // At the end, it stands for at least one name.
        for (let i = at; i < names.length; i++) if (names[i] !== '' && !everything.test(names[i])) return false;
        return true;
      }
    } else if (one !== undefined && one.test(names[at])) {
      next++;
      at++;
    } else if (star !== -1 && everything.test(names[taken])) {
      at = ++taken;
      next = star + 1;
    } else {
      return false;
    }
  }
  return next === matchers.length;
};

/** Whether a path matches a pattern. In both, `\` separates names as well on Windows, and in patterns everywhere. */
exports.matches = (path, pattern, windows) => {
  const slashed = windows ? $.replaceAll(path, '\\', '/') : path;
  const names = $.split($.replace(slashed, $.regex(/\/+/g), '/'), '/');
  return $.some(expand($.replaceAll(pattern, '\\', '/')), (one) => {
    const parts = $.split($.replace(one, $.regex(/\/+/g), '/'), '/');
    return matchSegments(names, $.map(parts, matcher));
  });
};
