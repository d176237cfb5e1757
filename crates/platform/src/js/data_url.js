// data: URLs (Fetch Standard, §6) and MIME types (MIME Sniffing Standard, §4).
const { TOKEN, trim } = require('headers');

// "Parse a MIME type", and back into text; undefined where it is none.
const mimeType = (input) => {
  const [essence, ...parameters] = trim(input).match(/(?:"(?:\\.|[^"\\])*"?|[^;"])+|(?<=;)(?=;|$)/gs) ?? [''];
  const [type, subtype, ...more] = trim(essence).split('/');
  if (!TOKEN.test(type) || subtype === undefined || !TOKEN.test(subtype) || more.length > 0) return undefined;
  const seen = new Map();
  for (const parameter of parameters) {
    const [, name, quoted, plain] = /^([^=]*)=(?:"((?:\\.|[^"\\])*)"?.*|(.*))$/s.exec(trim(parameter)) ?? [];
    if (name === undefined || !TOKEN.test(name) || seen.has(name.toLowerCase())) continue;
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/gs, '$1');
    if ((quoted === undefined && value === '') || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) continue;
    seen.set(name.toLowerCase(), value);
  }
  const list = [...seen].map(([name, value]) => `;${name}=${TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`);
  return `${type}/${subtype}`.toLowerCase() + list.join('');
};

const percentDecode = (text) => {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const escape = text[i] === '%' && /^[0-9a-f]{2}$/i.test(text.slice(i + 1, i + 3));
    bytes[length++] = escape ? parseInt(text.slice(i + 1, i + 3), 16) : text.charCodeAt(i);
    if (escape) i += 2;
  }
  return bytes.slice(0, length);
};

// The "data: URL processor": type and bytes, undefined for a failure. `url` is serialized, so it is ASCII.
exports.parse = (url) => {
  const [, type, data] = /^data:([^,]*),([^#]*)/s.exec(url) ?? [];
  if (type === undefined) return undefined;
  const trimmed = trim(type, '\t\n\f\r ');
  const [, before] = /^(.*); *base64$/is.exec(trimmed) ?? [];
  let bytes;
  if (before === undefined) {
    bytes = percentDecode(data);
  } else {
    try {
      bytes = Uint8Array.fromBase64(data.includes('%') ? new TextDecoder('latin1').decode(percentDecode(data)) : data);
    } catch {
      return undefined;
    }
  }
  const essence = before ?? trimmed;
  return { bytes, type: mimeType(essence.startsWith(';') ? `text/plain${essence}` : essence) ?? 'text/plain;charset=US-ASCII' };
};
