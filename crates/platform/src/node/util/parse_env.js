// util.parseEnv: what stands in a file such as `.env`.
exports.parseEnv = (content) => {
  const found = { __proto__: null };
  const text = $.trim($.replaceAll($.replaceAll(content, '\r\n', '\n'), '\r', '\n'));
  let at = 0;
  const lineEnd = (from) => {
    const end = $.indexOf(text, '\n', from);
    return end === -1 ? text.length : end;
  };
  while (at < text.length) {
    if (text[at] === '\n') {
      at++;
      continue;
    }
    const end = lineEnd(at);
    const equals = $.indexOf(text, '=', at);
    if (text[at] === '#' || equals === -1 || equals > end) {
      at = end + 1;
      continue;
    }
    let name = $.trim($.slice(text, at, equals));
    if ($.startsWith(name, 'export ')) name = $.trim($.slice(name, 7));
    if (name === '') break;
    at = equals + 1;
    if (at < text.length && text[at] !== '\n') while ($.includes(' \t\n\r', text[at])) at++;
    const quote = text[at];
    const isQuoted = quote === '"' || quote === "'" || quote === '`';
    const close = isQuoted ? $.indexOf(text, quote, at + 1) : -1;
    if (close !== -1) {
      const value = $.slice(text, at + 1, close);
      found[name] = quote === '"' ? $.replaceAll(value, '\\n', '\n') : value;
      at = lineEnd(close + 1) + 1;
    } else {
      const stop = lineEnd(at);
      const value = $.slice(text, at, stop);
      const comment = $.indexOf(value, '#');
      found[name] = isQuoted ? value : $.trim(comment === -1 ? value : $.slice(value, 0, comment));
      at = stop + 1;
    }
  }
  const sorted = { __proto__: null };
  for (const name of $.each($.sort(Object.keys(found)))) sorted[name] = found[name];
  return sorted;
};
