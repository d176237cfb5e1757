// data: URLs (Fetch Standard, §6) and MIME types (MIME Sniffing Standard, §4).
const { TOKEN, trim } = require('headers');

// "Parse a MIME type", and back to text; undefined if it is not a MIME type.
const mimeType = (input) => {
  const parts = $.match(trim(input), $.regex(/(?:"(?:\\.|[^"\\])*"?|[^;"])+|(?<=;)(?=;|$)/gs)) ?? [''];
  const { 0: type, 1: subtype, length } = $.split(trim(parts[0]), '/');
  if (!TOKEN.test(type) || subtype === undefined || !TOKEN.test(subtype) || length > 2) return undefined;
  const seen = new Map();
  for (const parameter of $.each($.slice(parts, 1))) {
    const { 1: name, 2: quoted, 3: plain } =
      $.regex(/^([^=]*)=(?:"((?:\\.|[^"\\])*)"?.*|(.*))$/s).exec(trim(parameter)) ?? [];
    if (name === undefined || !TOKEN.test(name) || seen.has($.toLowerCase(name))) continue;
    const value = quoted === undefined ? plain : $.replace(quoted, $.regex(/\\(.)/gs), '$1');
    if ((quoted === undefined && value === '') || !$.regex(/^[\t\x20-\x7e\x80-\xff]*$/).test(value)) continue;
    seen.set($.toLowerCase(name), value);
  }
  const quote = (value) => $.text`"${$.replace(value, $.regex(/["\\]/g), '\\$&')}"`;
  const list = $.map([...$.each(seen)], ({ 0: name, 1: value }) =>
    $.text`;${name}=${TOKEN.test(value) ? value : quote(value)}`);
  return $.toLowerCase($.text`${type}/${subtype}`) + $.join(list, '');
};

const percentDecode = (text) => {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const escape = text[i] === '%' && $.regex(/^[0-9a-f]{2}$/i).test($.slice(text, i + 1, i + 3));
    bytes[length++] = escape ? parseInt($.slice(text, i + 1, i + 3), 16) : $.charCodeAt(text, i);
    if (escape) i += 2;
  }
  return new Uint8Array($.subarray(bytes, 0, length));
};

// The "data: URL processor": returns type and bytes, or undefined for a failure. `url` is serialized, so it is ASCII.
exports.parse = (url) => {
  const { 1: type, 2: data } = $.regex(/^data:([^,]*),([^#]*)/s).exec(url) ?? [];
  if (type === undefined) return undefined;
  const trimmed = trim(type, '\t\n\f\r ');
  const { 1: before } = $.regex(/^(.*); *base64$/is).exec(trimmed) ?? [];
  let bytes;
  if (before === undefined) {
    bytes = percentDecode(data);
  } else {
    try {
      bytes = $.fromBase64($.includes(data, '%')
        ? new (require('encoding').TextDecoder)('latin1').decode(percentDecode(data)) : data);
    } catch {
      return undefined;
    }
  }
  const essence = before ?? trimmed;
  const given = $.startsWith(essence, ';') ? $.text`text/plain${essence}` : essence;
  return { bytes, type: mimeType(given) ?? 'text/plain;charset=US-ASCII' };
};
