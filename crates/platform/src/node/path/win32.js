// node:path/win32.
const { endOfName, normalizeParts, parts, posix, shared, startOfName } = require('path');
const { validateString } = require('validators');

const isSep = (char) => char === '/' || char === '\\';
const hasDrive = (path) => path.length >= 2 && path[1] === ':' && $.regex(/^[A-Za-z]/).test(path);
const drive = (path) => (hasDrive(path) ? 2 : 0);
const reserved = $.regex(/^(CON|PRN|AUX|NUL|(COM|LPT)[1-9\u00b9\u00b2\u00b3])$/i);
/** Where the colon of a name such as `NUL:` is, with which a path begins; -1 if it does not. */
const reservedEnd = (path) => {
  const colon = $.indexOf(path, ':');
  return colon !== -1 && reserved.test($.slice(path, 0, colon)) ? colon : -1;
};
const backslashed = (path) => $.replaceAll(path, '/', '\\');

/** The end of a run of characters that are separators, or are not. */
const skip = (path, from, separators) => {
  let at = from;
  while (at < path.length && isSep(path[at]) === separators) at++;
  return at;
};

/**
 * The host and the share of a path such as `\\host\share\name`: where the host ends, where the share begins and ends;
 * undefined if one of them is missing.
 */
const network = (path) => {
  if (!isSep(path[0]) || !isSep(path[1])) return undefined;
  const hostEnd = skip(path, 2, false);
  const share = skip(path, hostEnd, true);
  const end = skip(path, share, false);
  if (hostEnd === 2 || hostEnd === path.length || share === path.length) return undefined;
  return { host: $.slice(path, 2, hostEnd), share: $.slice(path, share, end), end };
};

/** How a path begins: its device, where the root ends, and whether it is absolute. */
const root = (path) => {
  if (isSep(path[0])) {
    const found = network(path);
    if (found === undefined) return { device: '', end: 1, absolute: true };
    const { host, share, end } = found;
    // Devices such as `\\.\` have no share.
    if (host === '.' || host === '?') return { device: $.text`\\\\${host}`, end: 4, absolute: true };
    return { device: $.text`\\\\${host}\\${share}`, end, absolute: true };
  }
  if (!hasDrive(path)) return { device: '', end: 0, absolute: false };
  const absolute = path.length > 2 && isSep(path[2]);
  return { device: $.slice(path, 0, 2), end: absolute ? 3 : 2, absolute };
};

const common = shared({ sep: '\\', delimiter: ';', isSep, drive });
const win32 = {
  resolve: function resolve(...paths) {
    const { process } = require('process');
    let device = '';
    let tail = '';
    let absolute = false;
    for (let i = paths.length - 1; i >= -1; i--) {
      let path;
      if (i >= 0) {
        path = paths[i];
        validateString(path, $.text`paths[${i}]`);
        if (path.length === 0) continue;
      } else if (device === '') {
        path = process.cwd();
      } else {
        // Each drive has a working directory of its own.
        path = process.env[$.text`=${device}`] || process.cwd();
        if ($.toLowerCase($.slice(path, 0, 2)) !== $.toLowerCase(device) && path[2] === '\\') path = $.text`${device}\\`;
      }
      const start = root(path);
      if (start.device !== '') {
        if (device !== '' && $.toLowerCase(device) !== $.toLowerCase(start.device)) continue;
        if (device === '') ({ device } = start);
      }
      if (!absolute) {
        tail = $.text`${$.slice(path, start.end)}\\${tail}`;
        ({ absolute } = start);
      }
      if (absolute && device !== '') break;
    }
    tail = normalizeParts(backslashed(tail), absolute, '\\');
    return absolute ? $.text`${device}\\${tail}` : $.text`${device}${tail}` || '.';
  },
  normalize: function normalize(path) {
    validateString(path, 'path');
    if (path.length === 0) return '.';
    if (path.length === 1) return path === '/' ? '\\' : path;
    const colon = $.indexOf(path, ':');
    // (Without a colon, Node looks at all but the last character.)
    const isReserved = reserved.test($.slice(path, 0, colon));
    const { device, end, absolute } = isReserved
      ? { device: $.slice(path, 0, colon + 1), end: colon + 1, absolute: false } : root(path);
    const found = network(path);
    if (found?.end === path.length && end !== 4) return $.text`${device}\\`;
    let tail = normalizeParts(backslashed($.slice(path, end)), absolute, '\\');
    if (tail === '' && !absolute) tail = '.';
    if (tail !== '' && isSep($.at(path, -1))) tail += '\\';
    if (!absolute && device === '' && $.includes(path, ':')) {
      // A relative path must not turn into one with a drive, or into a stream of a file.
      if (hasDrive(tail)) return $.text`.\\${tail}`;
      for (let colon = $.indexOf(path, ':'); colon !== -1; colon = $.indexOf(path, ':', colon + 1)) {
        if (colon === path.length - 1 || isSep(path[colon + 1])) return $.text`.\\${tail}`;
      }
    }
    if (isReserved) return $.text`.\\${device}${tail}`;
    return absolute ? $.text`${device}\\${tail}` : $.text`${device}${tail}`;
  },
  isAbsolute: function isAbsolute(path) {
    validateString(path, 'path');
    return path.length > 0 && (isSep(path[0]) || (path.length > 2 && hasDrive(path) && isSep(path[2])));
  },
  join: function join(...paths) {
    $.forEach(paths, (part) => validateString(part, 'path'));
    const given = $.filter(paths, (part) => part.length > 0);
    if (given.length === 0) return '.';
    const first = given[0];
    let joined = $.join(given, '\\');
    // Only a first part that begins with exactly two separators means a host.
    const isNetwork = first.length > 2 && isSep(first[0]) && isSep(first[1]) && !isSep(first[2]);
    if (!isNetwork) {
      const start = skip(joined, 0, true);
      if (start >= 2) joined = $.text`\\${$.slice(joined, start)}`;
    }
    // Like Node, this only looks at what stands behind a backslash.
    if ($.some($.split(joined, '\\'), (name) => reservedEnd(name) !== -1)) return backslashed(joined);
    return win32.normalize(joined);
  },
  relative: function relative(from, to) {
    validateString(from, 'from');
    validateString(to, 'to');
    if (from === to) return '';
    from = win32.resolve(from);
    to = win32.resolve(to);
    if (from === to || $.toLowerCase(from) === $.toLowerCase(to)) return '';
    const names = (path) => $.filter($.split(path, '\\'), Boolean);
    const a = names(from);
    const b = names(to);
    let same = 0;
    while (same < a.length && same < b.length && $.toLowerCase(a[same]) === $.toLowerCase(b[same])) same++;
    if (same === 0 && a.length > 0 && b.length > 0) return to;
    return $.join([...$.each($.map($.slice(a, same), () => '..')), ...$.each($.slice(b, same))], '\\');
  },
  toNamespacedPath: function toNamespacedPath(path) {
    if (typeof path !== 'string' || path.length === 0) return path;
    const resolved = win32.resolve(path);
    if (resolved.length <= 2) return path;
    if ($.startsWith(resolved, '\\\\')) {
      return resolved[2] === '?' || resolved[2] === '.' ? resolved : $.text`\\\\?\\UNC\\${$.slice(resolved, 2)}`;
    }
    return hasDrive(resolved) && resolved[2] === '\\' ? $.text`\\\\?\\${resolved}` : resolved;
  },
  dirname: function dirname(path) {
    validateString(path, 'path');
    if (path.length === 0) return '.';
    if (path.length === 1) return isSep(path) ? path : '.';
    const rootEnd = rootOf(path);
    if (rootEnd === path.length && network(path)) return path;
    const end = startOfName(path, isSep, rootEnd, endOfName(path, isSep, rootEnd)) - 1;
    if (end >= rootEnd) return $.slice(path, 0, end);
    return rootEnd > 0 ? $.slice(path, 0, rootEnd) : '.';
  },
  basename: common.basename,
  extname: common.extname,
  format: common.format,
  parse: function parse(path) {
    validateString(path, 'path');
    return parts(path, isSep, rootOf(path));
  },
  matchesGlob: common.matchesGlob,
  sep: common.sep,
  delimiter: common.delimiter,
  win32: null,
  posix,
  _makeLong: undefined,
};
/** Where the root ends, with the separator behind a share. */
const rootOf = (path) => {
  const found = network(path);
  if (found !== undefined) return Math.min(found.end + 1, path.length);
  return isSep(path[0]) ? 1 : root(path).end;
};
win32._makeLong = win32.toNamespacedPath;
win32.win32 = win32;
exports.win32 = win32;
