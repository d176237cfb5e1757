//! `node:buffer`: the work on bytes. `buffer.js` checks arguments.

pub(crate) mod encodings;
pub(crate) mod numbers;
mod search;
pub(crate) mod string_decoder;

use qjs::access;
use qjs::string::Units;
use qjs::{Borrowed, Cx};
use rquickjs::{ArrayBuffer, Ctx, Exception, IntoJs as _, Object, Value};

use self::encodings::Encoding;
use crate::internal::{bytes, def, errors};

/// `kStringMaxLength`, as in Node.
const LONGEST_STRING: usize = 0x1fff_ffe8;

fn units<'a>(ctx: &Ctx<'_>, text: &'a Value<'_>) -> rquickjs::Result<Units<'a>> {
    Units::of(Cx::of(ctx), Borrowed::of(text))?.ok_or_else(|| Exception::throw_type(ctx, "expected a string"))
}

/// Throws if the text of so many bytes is too long, or if there is no memory for it.
fn check_length(ctx: &Ctx<'_>, encoding: Encoding, length: usize) -> rquickjs::Result<()> {
    let characters = match encoding {
        Encoding::Hex => length * 2,
        Encoding::Base64 | Encoding::Base64url => length / 3 * 4,
        Encoding::Utf16le => length / 2,
        _ => length,
    };
    if characters > LONGEST_STRING {
        let message = format!("Cannot create a string longer than {LONGEST_STRING:#x} characters");
        return Err(errors::throw(ctx, "Error", "ERR_STRING_TOO_LONG", &message));
    }
    qjs::room::check(ctx, encoding.decoded_size(length) * 2)
}

/// The native functions of `buffer.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "byteLength", |ctx: Ctx<'js>, text: Value<'js>, encoding: Encoding| {
        Ok::<_, rquickjs::Error>(encoding.byte_length(units(&ctx, &text)?))
    })?;
    def(&native, "encode", |ctx: Ctx<'js>, text: Value<'js>, encoding: Encoding| {
        ArrayBuffer::new(ctx.clone(), encoding.encode(&ctx, units(&ctx, &text)?)?)
    })?;
    def(
        &native,
        "write",
        |ctx: Ctx<'js>, view: Value<'js>, text: Value<'js>, start: usize, end: usize, encoding: Encoding| {
            access::write_text(&ctx, &view, start..end, &text, move |into, text| encoding.write(text, into))
        },
    )?;
    def(&native, "decode", |ctx: Ctx<'js>, view: Value<'js>, start: usize, end: usize, encoding: Encoding| {
        check_length(&ctx, encoding, end.saturating_sub(start))?;
        access::read(&ctx, &view, start..end, move |bytes| encoding.decode(bytes))?.into_value(&ctx)
    })?;
    def(
        &native,
        "copy",
        |ctx: Ctx<'js>, target: Value<'js>, at: usize, source: Value<'js>, start: usize, end: usize| {
            access::copy(&ctx, &target, at, &source, start..end)
        },
    )?;
    def(&native, "fill", |ctx: Ctx<'js>, view: Value<'js>, start: usize, end: usize, pattern: Value<'js>| {
        let pattern = bytes::copy_from(&ctx, &pattern)?.unwrap_or_default();
        access::write(&ctx, &view, start..end, move |into| {
            if let [byte] = *pattern {
                into.fill(byte);
            } else {
                into.chunks_mut(pattern.len().max(1)).for_each(|part| part.copy_from_slice(&pattern[..part.len()]));
            }
            into.len()
        })
    })?;
    def(&native, "swap", |ctx: Ctx<'js>, view: Value<'js>, size: usize| {
        access::write(&ctx, &view, 0..usize::MAX, move |into| {
            into.chunks_exact_mut(size.max(1)).for_each(<[u8]>::reverse);
            into.len()
        })
        .map(drop)
    })?;
    def(&native, "isUtf8", |ctx: Ctx<'js>, view: Value<'js>| {
        access::read(&ctx, &view, 0..usize::MAX, |bytes| simdutf8::basic::from_utf8(bytes).is_ok())
    })?;
    def(&native, "isAscii", |ctx: Ctx<'js>, view: Value<'js>| {
        access::read(&ctx, &view, 0..usize::MAX, <[u8]>::is_ascii)
    })?;
    def(&native, "transcode", |ctx: Ctx<'js>, source: Value<'js>, from: Encoding, to: Encoding| {
        let made = access::read(&ctx, &source, 0..usize::MAX, move |bytes| encodings::transcode(bytes, from, to))?;
        match made {
            Some(bytes) => ArrayBuffer::new(ctx, bytes).map(ArrayBuffer::into_value),
            None => "U_INVALID_CHAR_FOUND".into_js(&ctx),
        }
    })?;
    search::define(&native)?;
    numbers::define(&native)?;
    Ok(native)
}
