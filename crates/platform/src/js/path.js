// node:path, the posix flavour.
const { checkString, invalidArgType } = require('errors');

// Resolves . and .. in a path; `absolute` paths cannot climb above the root.
const normalizeParts = (path, absolute) => {
  const kept = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!absolute) kept.push('..');
  }
  return kept.join('/');
};
const path = {
  sep: '/',
  delimiter: ':',
  resolve(...parts) {
    let resolved = '';
    let absolute = false;
    for (let i = parts.length - 1; i >= -1 && !absolute; i--) {
      const part = i >= 0 ? parts[i] : process.cwd();
      checkString(part, i >= 0 ? `paths[${i}]` : 'cwd');
      if (part.length === 0) continue;
      resolved = `${part}/${resolved}`;
      absolute = part[0] === '/';
    }
    resolved = normalizeParts(resolved, absolute);
    return absolute ? `/${resolved}` : resolved || '.';
  },
  normalize(value) {
    checkString(value, 'path');
    if (value.length === 0) return '.';
    const absolute = value[0] === '/';
    let result = normalizeParts(value, absolute);
    if (result.length === 0) {
      if (absolute) return '/';
      return value.endsWith('/') ? './' : '.';
    }
    if (value.endsWith('/')) result += '/';
    return absolute ? `/${result}` : result;
  },
  isAbsolute(value) {
    checkString(value, 'path');
    return value[0] === '/';
  },
  join(...parts) {
    parts.forEach((part) => checkString(part, 'path'));
    const joined = parts.filter((part) => part.length > 0).join('/');
    return joined === '' ? '.' : path.normalize(joined);
  },
  relative(from, to) {
    checkString(from, 'from');
    checkString(to, 'to');
    if (from === to) return '';
    from = path.resolve(from);
    to = path.resolve(to);
    if (from === to) return '';
    const a = from.split('/').filter(Boolean);
    const b = to.split('/').filter(Boolean);
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  },
  toNamespacedPath: (value) => value,
  dirname(value) {
    checkString(value, 'path');
    if (value.length === 0) return '.';
    const root = value[0] === '/';
    const end = value.replace(/\/+$/, '').lastIndexOf('/');
    if (end === -1) return root ? '/' : '.';
    if (root && end === 0) return '/';
    if (root && end === 1) return '//';
    return value.slice(0, end);
  },
  basename(value, suffix) {
    if (suffix !== undefined) checkString(suffix, 'suffix');
    checkString(value, 'path');
    const trimmed = value.replace(/\/+$/, '');
    const base = trimmed.slice(trimmed.lastIndexOf('/') + 1);
    if (suffix !== undefined && suffix === value) return '';
    return suffix && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
  },
  extname(value) {
    checkString(value, 'path');
    const base = path.basename(value);
    const dot = base.lastIndexOf('.');
    return dot <= 0 || base === '..' ? '' : base.slice(dot);
  },
  format(parts) {
    if (parts === null || typeof parts !== 'object') throw invalidArgType('pathObject', 'of type object', parts);
    const folder = parts.dir || parts.root;
    const extension = parts.ext ? `${parts.ext[0] === '.' ? '' : '.'}${parts.ext}` : '';
    const base = parts.base || `${parts.name || ''}${extension}`;
    if (!folder) return base;
    return folder === parts.root ? `${folder}${base}` : `${folder}/${base}`;
  },
  parse(value) {
    checkString(value, 'path');
    const root = value[0] === '/' ? '/' : '';
    const trimmed = value.replace(/\/+$/, '');
    const base = trimmed.slice(trimmed.lastIndexOf('/') + 1);
    const ext = path.extname(base);
    const end = trimmed.lastIndexOf('/');
    let dir = end > 0 ? trimmed.slice(0, end) : root;
    if (end < 0) dir = base === '' ? root : '';
    return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) };
  },
  matchesGlob(value, pattern) {
    checkString(value, 'path');
    checkString(pattern, 'pattern');
    const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*\*\/?|\*|\?/g,
      (mark) => (mark.startsWith('**') ? '(?:.*)' : mark === '*' ? '[^/]*' : '[^/]'));
    return new RegExp(`^${source}$`).test(value);
  },
};
path.posix = path;
path.win32 = path;
path._makeLong = path.toNamespacedPath;
Object.assign(exports, path, { default: path });
