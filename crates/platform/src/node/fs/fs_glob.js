// fs.glob: patterns with `*`, `?`, `[…]`, `{…}`, `**` and the groups `+(…)`, `*(…)`, `?(…)`, `@(…)` and `!(…)`.
const { perform, start, operations } = require('fs_operations');
const { invalidArgType } = require('errors');
const { validateObject, validateFunction } = require('validators');
const { toText } = require('fs_values');
const { Dirent } = require('fs_stats');

const special = '\\^$.|+()[]{}*?/-';
const escape = (char) => ($.includes(special, char) ? $.text`\\${char}` : char);
// `a{b,c}d` as `abd` and `acd`.
const expand = (pattern) => {
  let depth = 0;
  let open = -1;
  const commas = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '\\') i++;
    else if (char === '{' && depth++ === 0) open = i;
    else if (char === ',' && depth === 1) $.push(commas, i);
    else if (char === '}' && depth > 0 && --depth === 0) {
      const head = $.slice(pattern, 0, open);
      const rest = expand($.slice(pattern, i + 1));
      const body = $.slice(pattern, open + 1, i);
      const range = $.match(body, $.regex(/^(-?\d+)\.\.(-?\d+)$/));
      let parts = [];
      if (range) {
        const first = +range[1];
        const last = +range[2];
        const step = first <= last ? 1 : -1;
        for (let at = first; at !== last + step && parts.length < 65536; at += step) $.push(parts, $.text`${at}`);
      } else if (commas.length === 0) {
        return $.map(rest, (end) => $.text`${head}{${body}}${end}`);
      } else {
        const ends = [open, ...$.each(commas), i];
        for (let at = 1; at < ends.length; at++) $.push(parts, $.slice(pattern, ends[at - 1] + 1, ends[at]));
        parts = $.flatMap(parts, expand);
      }
      return $.flatMap(parts, (part) => $.map(rest, (end) => $.text`${head}${part}${end}`));
    }
  }
  return [pattern];
};
// A regular expression for one part of a path.
const expressionOf = (part) => {
  let made = '';
  const groups = [];
  for (let i = 0; i < part.length; i++) {
    const char = part[i];
    const next = part[i + 1];
    if (char === '\\' && next !== undefined) made += escape(part[++i]);
    else if ($.includes('+*?@!', char) && next === '(' && $.includes($.slice(part, i), ')')) {
      $.push(groups, char);
      made += char === '!' ? '(?!(?:' : '(?:';
      i++;
    } else if (char === ')' && groups.length > 0) {
      const kind = $.pop(groups);
      made += kind === '!' ? ')$)[^/]*' : kind === '@' ? ')' : $.text`)${kind}`;
    } else if (char === '|' && groups.length > 0) made += '|';
    else if (char === '*') made += '[^/]*';
    else if (char === '?') made += '[^/]';
    else if (char === '[') {
      let end = i + 1;
      if (part[end] === '!' || part[end] === '^') end++;
      if (part[end] === ']') end++;
      while (end < part.length && part[end] !== ']') end++;
      if (end >= part.length) made += '\\[';
      else {
        let set = $.slice(part, i + 1, end);
        const negated = set[0] === '!' || set[0] === '^';
        if (negated) set = $.slice(set, 1);
        set = $.replaceAll($.replaceAll(set, '\\', '\\\\'), '[', '\\[');
        set = $.replace(set, $.regex(/^\]/), '\\]');
        made += $.text`[${negated ? '^' : ''}${set}]`;
        i = end;
      }
    } else made += escape(char);
  }
  // A name that begins with a dot is only matched by a pattern that does.
  const hidden = part[0] === '.' ? '' : '(?!\\.)';
  try {
    return $.regex(new RegExp($.text`^${hidden}${made}$`));
  } catch {
    return $.regex(/^(?!)/);
  }
};
const magic = $.regex(/[*?[\]{}()!+@\\]/);
const partOf = (part) => (part === '**' ? { any: true }
  : $.test(magic, part) ? { expression: expressionOf(part) } : { text: part });

class Search {
  #options;
  #patterns;
  #excluded;
  root;
  constructor(pattern, options = { __proto__: null }) {
    validateObject(options, 'options');
    const { cwd, exclude, withFileTypes } = options;
    this.root = cwd === undefined ? '.' : toText(cwd, 'options.cwd');
    this.withFileTypes = Boolean(withFileTypes);
    if (typeof pattern !== 'string' && !($.isArray(pattern) && $.every(pattern, (one) => typeof one === 'string'))) {
      throw invalidArgType('patterns', 'of type string or an instance of Array', pattern);
    }
    if (exclude !== undefined && !$.isArray(exclude)) validateFunction(exclude, 'options.exclude');
    this.#options = options;
    this.#patterns = this.#compile(typeof pattern === 'string' ? [pattern] : pattern);
    this.#excluded = $.isArray(exclude) ? this.#compile(exclude) : [];
  }
  withFileTypes;
  #compile(patterns) {
    return $.map($.flatMap(patterns, expand), (pattern) => {
      const absolute = $.startsWith(pattern, '/');
      const parts = $.filter($.split(pattern, '/'), (part, i) => part !== '' || i === 0);
      return $.map(absolute ? parts : $.filter(parts, (part) => part !== '' && part !== '.'), partOf);
    });
  }
  /** Whether the whole path matches one of the patterns. */
  #isMatch(patterns, path) {
    const names = $.split(path, '/');
    const from = (parts, p, n) => {
      if (p === parts.length) return n === names.length;
      const part = parts[p];
      if (part.any) {
        if (from(parts, p + 1, n)) return true;
        return n < names.length && names[n][0] !== '.' && from(parts, p, n + 1);
      }
      if (n === names.length) return false;
      return (part.expression ? $.test(part.expression, names[n]) : part.text === names[n]) && from(parts, p + 1, n + 1);
    };
    return $.some(patterns, (parts) => from(parts, 0, 0));
  }
  // Whether a pattern may match something below the folder with these names.
  #mayContain(names) {
    return $.some(this.#patterns, (parts) => {
      for (let i = 0; i < names.length; i++) {
        const part = parts[i];
        if (part === undefined) return false;
        if (part.any) return true;
        if (part.expression ? !$.test(part.expression, names[i]) : part.text !== names[i]) return false;
      }
      return parts.length > names.length;
    });
  }
  isExcluded(entry, path) {
    const { exclude } = this.#options;
    if (typeof exclude === 'function') return exclude(this.withFileTypes ? entry : path);
    return this.#isMatch(this.#excluded, path);
  }
  // What one folder gives: the paths found, and the folders to look into.
  look(folder, entries, found, folders) {
    for (const entry of $.each(entries)) {
      const path = folder === '' ? entry.name : $.text`${folder}/${entry.name}`;
      if (this.isExcluded(entry, path)) continue;
      if (this.#isMatch(this.#patterns, path)) $.push(found, this.withFileTypes ? entry : path);
      if (entry.isDirectory() && this.#mayContain($.split(path, '/'))) $.push(folders, path);
    }
  }
  // Where to begin: the folder itself, and what patterns say outside of it.
  begin(found) {
    if ($.some(this.#patterns, (parts) => parts.length > 0 && $.every(parts, (part) => part.any))) {
      $.push(found, this.withFileTypes ? new Dirent('.', this.root, 2) : '.');
    }
    const folders = [''];
    if ($.some(this.#patterns, (parts) => parts[0]?.text === '')) $.push(folders, '/');
    return folders;
  }
  request(folder) {
    const path = folder === '' ? this.root : $.startsWith(folder, '/') ? folder : $.text`${this.root}/${folder}`;
    return {
      ...operations.readdir(path, { __proto__: null, withFileTypes: true }), failed: () => [],
    };
  }
}
exports.globSync = (pattern, options) => {
  const search = new Search(pattern, options);
  const found = [];
  const folders = search.begin(found);
  for (let i = 0; i < folders.length; i++) {
    search.look(folders[i] === '/' ? '' : folders[i], perform(search.request(folders[i])), found, folders);
  }
  return found;
};
exports.globAll = async (pattern, options) => {
  const search = new Search(pattern, options);
  const found = [];
  const folders = search.begin(found);
  for (let i = 0; i < folders.length; i++) {
    const entries = await $.awaited(new Promise((resolve, reject) =>
      start(search.request(folders[i]), (error, value) => (error === null ? resolve(value) : reject(error)))));
    search.look(folders[i] === '/' ? '' : folders[i], entries, found, folders);
  }
  return found;
};
exports.glob = async function* glob(pattern, options) {
  for (const path of $.each(await $.awaited(exports.globAll(pattern, options)))) yield path;
};
