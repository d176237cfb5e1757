//! The parts of a multipart/form-data body.

use qjs::array::List;
use rquickjs::{Ctx, IntoJs as _, Object, Value};

use crate::internal::strings::UsvString;
use crate::internal::{bytes, def};

/// What a part's head says, and where its content is.
struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    start: usize,
    end: usize,
}

/// The parts of a form, each a list of its properties.
type Parts<'js> = List<Vec<List<[Value<'js>; 5]>>>;

/// The native functions of `form_data.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(
        &native,
        "parse",
        |ctx: Ctx<'js>, body: Value<'js>, boundary: UsvString| -> rquickjs::Result<Option<Parts<'js>>> {
            let Some(body) = bytes::copy_from(&ctx, &body)? else { return Ok(None) };
            let Some(parts) = parse(&body, boundary.as_bytes()) else { return Ok(None) };
            let parts = parts.into_iter().map(|part| {
                Ok(List([
                    part.name.into_js(&ctx)?,
                    part.file_name.into_js(&ctx)?,
                    part.content_type.into_js(&ctx)?,
                    part.start.into_js(&ctx)?,
                    part.end.into_js(&ctx)?,
                ]))
            });
            parts.collect::<rquickjs::Result<_>>().map(|parts| Some(List(parts)))
        },
    )?;
    Ok(native)
}

/// "Multipart form data parser" of the Fetch Standard; `None` if the body is not well formed.
fn parse(body: &[u8], boundary: &[u8]) -> Option<Vec<Part>> {
    let delimiter = [b"\r\n--", boundary].concat();
    // (Text before the first boundary is allowed, and ignored.)
    let mut at = match body.strip_prefix(&delimiter[2..]) {
        Some(_) => delimiter.len() - 2,
        None => find(body, &delimiter, 0)? + delimiter.len(),
    };
    let mut parts = Vec::new();
    loop {
        let rest = &body[at..];
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        at += rest.strip_prefix(b"\r\n").map(|_| 2)?;
        let head_end = if body[at..].starts_with(b"\r\n") { at } else { find(body, b"\r\n\r\n", at)? + 2 };
        let mut part = Part { name: String::new(), file_name: None, content_type: None, start: head_end + 2, end: 0 };
        let mut named = false;
        for line in body[at..head_end].split(|&byte| byte == b'\n') {
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "content-disposition" => {
                    let (kind, rest) = value.split_once(';')?;
                    if !kind.trim().eq_ignore_ascii_case("form-data") {
                        return None;
                    }
                    part.name = parameter(rest, "name")?;
                    part.file_name = parameter(rest, "filename");
                    named = true;
                }
                "content-type" => part.content_type = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        part.end = find(body, &delimiter, part.start).filter(|_| named)?;
        at = part.end + delimiter.len();
        parts.push(part);
    }
}

/// A parameter of a Content-Disposition, with the escapes undone that browsers use.
fn parameter(mut rest: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_start_matches([';', ' ', '\t']);
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(';').unwrap_or((after.trim(), "")),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.replace("%0A", "\n").replace("%0D", "\r").replace("%22", "\""));
        }
        rest = next;
    }
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(body.get(from..)?, wanted).map(|at| at + from)
}
