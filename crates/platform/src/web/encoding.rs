//! The native half of `TextEncoder` and `TextDecoder`.

use std::cell::RefCell;

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding};
use qjs::array::List;
use rquickjs::{
    ArrayBuffer, Class, Ctx, Exception, JsLifetime, Object, String as JsString, TypedArray, Value, class::Trace,
};

use crate::internal::{
    bytes, def,
    strings::{UsvString, to_rust},
};

/// A decoder between two calls of `decode(bytes, { stream: true })`.
#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct DecoderState {
    #[qjs(skip_trace)]
    encoding: &'static Encoding,
    fatal: bool,
    ignore_bom: bool,
    #[qjs(skip_trace)]
    decoder: RefCell<Option<Decoder>>,
}

impl DecoderState {
    /// The decode algorithm of the Encoding Standard, §7.2.
    fn decode<'js>(&self, ctx: &Ctx<'js>, bytes: &[u8], stream: bool) -> rquickjs::Result<JsString<'js>> {
        let mut slot = self.decoder.borrow_mut();
        if slot.is_none() && !stream {
            // The whole input at once; for UTF-8 this is just a validation, and the engine makes the string from the
            // same bytes.
            let bytes = if self.ignore_bom { bytes } else { self.without_bom(bytes) };
            let size = bytes.len().saturating_mul(3);
            qjs::room::check(ctx, size)?;
            if self.fatal {
                return match self.encoding.decode_without_bom_handling_and_without_replacement(bytes) {
                    Some(text) => JsString::from_str(ctx.clone(), &text),
                    None => Err(self.malformed(ctx)),
                };
            }
            return JsString::from_str(ctx.clone(), &self.encoding.decode_without_bom_handling(bytes).0);
        }
        let decoder = slot.get_or_insert_with(|| {
            if self.ignore_bom {
                self.encoding.new_decoder_without_bom_handling()
            } else {
                self.encoding.new_decoder_with_bom_removal()
            }
        });
        let mut text = String::new();
        let result = if self.fatal {
            let size = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
            text.try_reserve(size).map_err(|_| qjs::room::none(ctx, size))?;
            matches!(
                decoder.decode_to_string_without_replacement(bytes, &mut text, !stream).0,
                DecoderResult::InputEmpty
            )
        } else {
            let size = decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
            text.try_reserve(size).map_err(|_| qjs::room::none(ctx, size))?;
            matches!(decoder.decode_to_string(bytes, &mut text, !stream).0, CoderResult::InputEmpty)
        };
        if !stream || !result {
            *slot = None;
        }
        if result { JsString::from_str(ctx.clone(), &text) } else { Err(self.malformed(ctx)) }
    }

    fn without_bom<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        match Encoding::for_bom(bytes) {
            Some((encoding, length)) if encoding == self.encoding => &bytes[length..],
            _ => bytes,
        }
    }

    fn malformed(&self, ctx: &Ctx<'_>) -> rquickjs::Error {
        let name = self.encoding.name().to_ascii_lowercase();
        crate::internal::errors::throw(
            ctx,
            "TypeError",
            "ERR_ENCODING_INVALID_ENCODED_DATA",
            &format!("The encoded data was not valid for encoding {name}"),
        )
    }
}

/// The native functions of `encoding.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "label", |label: JsString<'_>| -> rquickjs::Result<Option<String>> {
        let encoding = Encoding::for_label_no_replacement(to_rust(&label)?.as_bytes());
        Ok(encoding.map(|encoding| encoding.name().to_ascii_lowercase()))
    })?;
    def(&native, "decoder", |ctx: Ctx<'js>, label: UsvString, fatal: bool, ignore_bom: bool| {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        Class::instance(ctx, DecoderState { encoding, fatal, ignore_bom, decoder: RefCell::new(None) })
    })?;
    def(
        &native,
        "decode",
        |ctx: Ctx<'js>,
         state: Class<'js, DecoderState>,
         input: Value<'js>,
         stream: bool|
         -> rquickjs::Result<JsString<'js>> {
            let bytes = if input.is_undefined() { Some(Vec::new()) } else { bytes::copy_from(&ctx, &input)? };
            let Some(bytes) = bytes else {
                return Err(crate::internal::errors::throw(
                    &ctx,
                    "TypeError",
                    "ERR_INVALID_ARG_TYPE",
                    "The \"list\" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.",
                ));
            };
            state.try_borrow()?.decode(&ctx, &bytes, stream)
        },
    )?;
    def(&native, "encode", |ctx: Ctx<'js>, text: JsString<'js>| -> rquickjs::Result<TypedArray<'js, u8>> {
        let buffer = ArrayBuffer::new(ctx, to_rust(&text)?.into_bytes())?;
        TypedArray::from_arraybuffer(buffer)
    })?;
    def(
        &native,
        "encodeInto",
        |ctx: Ctx<'js>, text: JsString<'js>, view: TypedArray<'js, u8>| -> rquickjs::Result<List<[usize; 2]>> {
            let room = view.as_raw().map_or(0, |bytes| bytes.len());
            let mut text = to_rust(&text)?;
            let written = if text.len() <= room { text.len() } else { text.floor_char_boundary(room) };
            let fitting = text.get(..written).unwrap_or_default();
            if fitting.is_empty() {
                return Ok(List([0, 0]));
            }
            let read = if fitting.is_ascii() { written } else { fitting.encode_utf16().count() };
            if written > i32::MAX as usize {
                return Err(Exception::throw_range(&ctx, "the string is too long"));
            }
            let view: Value<'js> = view.into_value();
            text.truncate(written);
            bytes::copy_into(&ctx, &view, text.into_bytes())?;
            Ok(List([read, written]))
        },
    )?;
    Ok(native)
}
