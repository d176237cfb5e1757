// node:path, the posix flavour.
const { invalidArgType } = require('errors');
const { validateString } = require('validators');

// Resolves . and .. in a path; `absolute` paths cannot climb above the root.
const normalizeParts = (path, absolute) => {
  const kept = [];
  for (const part of $.each($.split(path, '/'))) {
    if (part === '' || part === '.') continue;
    if (part !== '..') $.push(kept, part);
    else if (kept.length > 0 && $.at(kept, -1) !== '..') $.pop(kept);
    else if (!absolute) $.push(kept, '..');
  }
  return $.join(kept, '/');
};
const path = {
  sep: '/',
  delimiter: ':',
  resolve(...parts) {
    let resolved = '';
    let absolute = false;
    for (let i = parts.length - 1; i >= -1 && !absolute; i--) {
      const part = i >= 0 ? parts[i] : require('process').process.cwd();
      validateString(part, i >= 0 ? $.text`paths[${i}]` : 'cwd');
      if (part.length === 0) continue;
      resolved = $.text`${part}/${resolved}`;
      absolute = part[0] === '/';
    }
    resolved = normalizeParts(resolved, absolute);
    return absolute ? $.text`/${resolved}` : resolved || '.';
  },
  normalize(value) {
    validateString(value, 'path');
    if (value.length === 0) return '.';
    const absolute = value[0] === '/';
    let result = normalizeParts(value, absolute);
    if (result.length === 0) {
      if (absolute) return '/';
      return $.endsWith(value, '/') ? './' : '.';
    }
    if ($.endsWith(value, '/')) result += '/';
    return absolute ? $.text`/${result}` : result;
  },
  isAbsolute(value) {
    validateString(value, 'path');
    return value[0] === '/';
  },
  join(...parts) {
    $.forEach(parts, (part) => validateString(part, 'path'));
    const joined = $.join($.filter(parts, (part) => part.length > 0), '/');
    return joined === '' ? '.' : path.normalize(joined);
  },
  relative(from, to) {
    validateString(from, 'from');
    validateString(to, 'to');
    if (from === to) return '';
    from = path.resolve(from);
    to = path.resolve(to);
    if (from === to) return '';
    const a = $.filter($.split(from, '/'), Boolean);
    const b = $.filter($.split(to, '/'), Boolean);
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return $.join([...$.each($.map($.slice(a, same), () => '..')), ...$.each($.slice(b, same))], '/');
  },
  toNamespacedPath: (value) => value,
  dirname(value) {
    validateString(value, 'path');
    if (value.length === 0) return '.';
    const root = value[0] === '/';
    const end = $.lastIndexOf($.replace(value, $.regex(/\/+$/), ''), '/');
    if (end === -1) return root ? '/' : '.';
    if (root && end === 0) return '/';
    if (root && end === 1) return '//';
    return $.slice(value, 0, end);
  },
  basename(value, suffix) {
    if (suffix !== undefined) validateString(suffix, 'suffix');
    validateString(value, 'path');
    const trimmed = $.replace(value, $.regex(/\/+$/), '');
    const base = $.slice(trimmed, $.lastIndexOf(trimmed, '/') + 1);
    if (suffix !== undefined && suffix === value) return '';
    return suffix && base !== suffix && $.endsWith(base, suffix) ? $.slice(base, 0, -suffix.length) : base;
  },
  extname(value) {
    validateString(value, 'path');
    const base = path.basename(value);
    const dot = $.lastIndexOf(base, '.');
    return dot <= 0 || base === '..' ? '' : $.slice(base, dot);
  },
  format(parts) {
    if (parts === null || typeof parts !== 'object') throw invalidArgType('pathObject', 'of type object', parts);
    const folder = parts.dir || parts.root;
    const extension = parts.ext ? $.text`${parts.ext[0] === '.' ? '' : '.'}${parts.ext}` : '';
    const base = parts.base || $.text`${parts.name || ''}${extension}`;
    if (!folder) return base;
    return folder === parts.root ? $.text`${folder}${base}` : $.text`${folder}/${base}`;
  },
  parse(value) {
    validateString(value, 'path');
    const root = value[0] === '/' ? '/' : '';
    const trimmed = $.replace(value, $.regex(/\/+$/), '');
    const base = $.slice(trimmed, $.lastIndexOf(trimmed, '/') + 1);
    const ext = path.extname(base);
    const end = $.lastIndexOf(trimmed, '/');
    let dir = end > 0 ? $.slice(trimmed, 0, end) : root;
    if (end < 0) dir = base === '' ? root : '';
    return { root, dir, base, ext, name: ext === '' ? base : $.slice(base, 0, -ext.length) };
  },
  matchesGlob(value, pattern) {
    validateString(value, 'path');
    validateString(pattern, 'pattern');
    const source = $.replace($.replace(pattern, $.regex(/[.+^${}()|[\]\\]/g), '\\$&'), $.regex(/\*\*\/?|\*|\?/g),
      (mark) => ($.startsWith(mark, '**') ? '(?:.*)' : mark === '*' ? '[^/]*' : '[^/]'));
    return $.regex(new RegExp($.text`^${source}$`)).test(value);
  },
};
path.posix = path;
path.win32 = path;
path._makeLong = path.toNamespacedPath;
Object.assign(exports, path);
exports.default = path;
