// node:path. What the two kinds of paths share is made by a function, which is told what separates names.
const { invalidArgType } = require('errors');
const { validateString } = require('validators');

/** Resolves . and .. in a path; absolute paths cannot climb above the root. */
const normalizeParts = (path, absolute, sep) => {
  const kept = [];
  for (const part of $.each($.split(path, sep))) {
    if (part === '' || part === '.') continue;
    if (part !== '..') $.push(kept, part);
    else if (kept.length > 0 && $.at(kept, -1) !== '..') $.pop(kept);
    else if (!absolute) $.push(kept, '..');
  }
  return $.join(kept, sep);
};

/** Where the name before `end` starts, not before `least`. */
const startOfName = (path, isSep, least, end) => {
  let start = end;
  while (start > least && !isSep(path[start - 1])) start--;
  return start;
};
/** The end of the path without the separators behind it. */
const endOfName = (path, isSep, least) => {
  let end = path.length;
  while (end > least && isSep(path[end - 1])) end--;
  return end;
};
const extensionOf = (base) => {
  const dot = $.lastIndexOf(base, '.');
  return dot <= 0 || base === '..' ? '' : $.slice(base, dot);
};

/**
 * The functions that are alike.
 * @param {{ sep: string, delimiter: string, isSep(char: string): boolean, drive(path: string): number }} kind
 */
exports.shared = ({ sep, delimiter, isSep, drive }) => ({
  basename: function basename(path, suffix) {
    if (suffix !== undefined) validateString(suffix, 'suffix');
    validateString(path, 'path');
    const least = drive(path);
    const end = endOfName(path, isSep, least);
    const base = $.slice(path, startOfName(path, isSep, least, end), end);
    if (suffix === undefined || suffix === '' || suffix.length > path.length) return base;
    if (suffix === path) return '';
    if (base === '') return $.slice(path, least);
    return base !== suffix && $.endsWith(base, suffix) ? $.slice(base, 0, -suffix.length) : base;
  },
  extname: function extname(path) {
    validateString(path, 'path');
    const least = drive(path);
    const end = endOfName(path, isSep, least);
    return extensionOf($.slice(path, startOfName(path, isSep, least, end), end));
  },
  /** @this {unknown} */
  format: Object.defineProperty(function (parts) {
    if (parts === null || typeof parts !== 'object') throw invalidArgType('pathObject', 'of type object', parts);
    const folder = parts.dir || parts.root;
    const extension = parts.ext ? $.text`${parts.ext[0] === '.' ? '' : '.'}${parts.ext}` : '';
    const base = parts.base || $.text`${parts.name || ''}${extension}`;
    if (!folder) return base;
    return folder === parts.root ? $.text`${folder}${base}` : $.text`${folder}${sep}${base}`;
  }, 'name', { value: 'bound _format' }),
  matchesGlob: function matchesGlob(path, pattern) {
    validateString(path, 'path');
    validateString(pattern, 'pattern');
    return require('glob').matches(path, pattern, sep === '\\');
  },
  sep,
  delimiter,
});

/** What `parse` returns for a path whose root ends at `rootEnd`. */
exports.parts = (path, isSep, rootEnd) => {
  const root = $.slice(path, 0, rootEnd);
  const end = endOfName(path, isSep, rootEnd);
  const start = startOfName(path, isSep, rootEnd, end);
  const base = $.slice(path, start, end);
  const ext = extensionOf(base);
  const dir = start > rootEnd ? $.slice(path, 0, start - 1) : root;
  return { root, dir, base, ext, name: ext === '' ? base : $.slice(base, 0, -ext.length) };
};
exports.normalizeParts = normalizeParts;
exports.startOfName = startOfName;
exports.endOfName = endOfName;

const isSlash = (char) => char === '/';
const common = exports.shared({ sep: '/', delimiter: ':', isSep: isSlash, drive: () => 0 });
const posix = {
  resolve: function resolve(...paths) {
    let resolved = '';
    let absolute = false;
    for (let i = paths.length - 1; i >= -1 && !absolute; i--) {
      const part = i >= 0 ? paths[i] : require('process').process.cwd();
      validateString(part, i >= 0 ? $.text`paths[${i}]` : 'cwd');
      if (part.length === 0) continue;
      resolved = $.text`${part}/${resolved}`;
      absolute = part[0] === '/';
    }
    resolved = normalizeParts(resolved, absolute, '/');
    return absolute ? $.text`/${resolved}` : resolved || '.';
  },
  normalize: function normalize(path) {
    validateString(path, 'path');
    if (path.length === 0) return '.';
    const absolute = path[0] === '/';
    let result = normalizeParts(path, absolute, '/');
    if (result.length === 0) {
      if (absolute) return '/';
      return $.endsWith(path, '/') ? './' : '.';
    }
    if ($.endsWith(path, '/')) result += '/';
    return absolute ? $.text`/${result}` : result;
  },
  isAbsolute: function isAbsolute(path) {
    validateString(path, 'path');
    return path[0] === '/';
  },
  join: function join(...paths) {
    $.forEach(paths, (part) => validateString(part, 'path'));
    const joined = $.join($.filter(paths, (part) => part.length > 0), '/');
    return joined === '' ? '.' : posix.normalize(joined);
  },
  relative: function relative(from, to) {
    validateString(from, 'from');
    validateString(to, 'to');
    if (from === to) return '';
    from = posix.resolve(from);
    to = posix.resolve(to);
    if (from === to) return '';
    const a = $.filter($.split(from, '/'), Boolean);
    const b = $.filter($.split(to, '/'), Boolean);
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return $.join([...$.each($.map($.slice(a, same), () => '..')), ...$.each($.slice(b, same))], '/');
  },
  toNamespacedPath: function toNamespacedPath(path) {
    return path;
  },
  dirname: function dirname(path) {
    validateString(path, 'path');
    if (path.length === 0) return '.';
    const root = path[0] === '/';
    const end = startOfName(path, isSlash, root ? 1 : 0, endOfName(path, isSlash, root ? 1 : 0)) - 1;
    if (end < 0) return '.';
    if (root && end === 0) return '/';
    if (root && end === 1) return '//';
    return $.slice(path, 0, end);
  },
  basename: common.basename,
  extname: common.extname,
  format: common.format,
  parse: function parse(path) {
    validateString(path, 'path');
    return exports.parts(path, isSlash, path[0] === '/' ? 1 : 0);
  },
  matchesGlob: common.matchesGlob,
  sep: common.sep,
  delimiter: common.delimiter,
  win32: null,
  posix: null,
  _makeLong: undefined,
};
posix._makeLong = posix.toNamespacedPath;
posix.posix = posix;
// Few programs look at paths of Windows.
Object.defineProperty(posix, 'win32', {
  enumerable: true, configurable: true,
  get() {
    const { win32 } = require('win32');
    Object.defineProperty(posix, 'win32', { value: win32, writable: true, enumerable: true, configurable: true });
    return win32;
  },
});
exports.posix = posix;

exports.default = posix;
exports.path = posix;
exports['path/posix'] = posix;
Object.defineProperty(exports, 'path/win32', { enumerable: true, get: () => posix.win32 });
