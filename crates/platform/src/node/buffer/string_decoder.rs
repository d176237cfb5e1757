//! `node:string_decoder`: text that arrives in pieces, which may end inside a character.

use std::cell::RefCell;

use qjs::access;
use rquickjs::{ArrayBuffer, Class, Ctx, JsLifetime, Object, Value, class::Trace};

use super::check_length;
use super::encodings::{Encoding, Text};
use crate::internal::def;

#[derive(Trace, JsLifetime)]
#[rquickjs::class]
pub(crate) struct StringDecoderState {
    #[qjs(skip_trace)]
    encoding: Encoding,
    #[qjs(skip_trace)]
    tail: RefCell<Tail>,
}

/// The beginning of a character whose end has not come yet.
#[derive(Clone, Default)]
struct Tail {
    held: Vec<u8>,
    missing: usize,
}

impl Tail {
    /// What the bytes at the end of a piece begin and do not finish.
    fn of(encoding: Encoding, bytes: &[u8]) -> Self {
        let (held, missing) = match encoding {
            Encoding::Utf8 => {
                // (Three bytes can belong to an unfinished character, at most.)
                let lead = bytes.iter().rev().take(3).position(|byte| byte & 0xc0 != 0x80);
                lead.map_or((0, 0), |continuations| {
                    let expected = match bytes[bytes.len() - 1 - continuations] {
                        0xc0..=0xdf => 2,
                        0xe0..=0xef => 3,
                        0xf0..=0xf7 => 4,
                        _ => 0,
                    };
                    let held = continuations + 1;
                    if expected > held { (held, expected - held) } else { (0, 0) }
                })
            }
            Encoding::Utf16le if bytes.len() % 2 == 1 => (1, 1),
            Encoding::Utf16le if bytes.last().is_some_and(|byte| byte & 0xfc == 0xd8) => (2, 2),
            Encoding::Base64 | Encoding::Base64url if !bytes.len().is_multiple_of(3) => {
                (bytes.len() % 3, 3 - bytes.len() % 3)
            }
            _ => (0, 0),
        };
        Self { held: bytes[bytes.len() - held..].to_vec(), missing }
    }

    /// The text up to the last character that is complete.
    fn push(&mut self, encoding: Encoding, mut bytes: &[u8]) -> Text {
        let mut text = None;
        if self.missing > 0 {
            let fitting = bytes.len().min(self.missing);
            let wrong = bytes[..fitting].iter().position(|byte| byte & 0xc0 != 0x80);
            let wrong = wrong.filter(|_| encoding == Encoding::Utf8);
            let (first, rest) = bytes.split_at(wrong.unwrap_or(fitting));
            bytes = rest;
            self.held.extend(first);
            self.missing = if wrong.is_some() { 0 } else { self.missing - first.len() };
            if self.missing > 0 {
                return encoding.decode(&[]);
            }
            text = Some(encoding.decode(&std::mem::take(&mut self.held)));
        }
        *self = Self::of(encoding, bytes);
        let body = encoding.decode(&bytes[..bytes.len() - self.held.len()]);
        match text {
            Some(text) => text.followed_by(body),
            None => body,
        }
    }

    /// What is there of the last character.
    fn flush(&mut self, encoding: Encoding) -> Text {
        let Self { mut held, .. } = std::mem::take(self);
        if encoding == Encoding::Utf16le {
            held.truncate(held.len() & !1);
        }
        encoding.decode(&held)
    }
}

/// The native functions of `string_decoder.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    type State<'js> = Class<'js, StringDecoderState>;
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "decoder", |ctx: Ctx<'js>, encoding: Encoding| {
        Class::instance(ctx, StringDecoderState { encoding, tail: RefCell::default() })
    })?;
    def(&native, "write", |ctx: Ctx<'js>, state: State<'js>, bytes: Value<'js>, length: usize| {
        let state = state.try_borrow()?;
        let encoding = state.encoding;
        check_length(&ctx, encoding, length)?;
        let mut tail = state.tail.borrow().clone();
        let (text, tail) = access::read(&ctx, &bytes, 0..length, move |bytes| (tail.push(encoding, bytes), tail))?;
        state.tail.replace(tail);
        text.into_value(&ctx)
    })?;
    def(&native, "flush", |ctx: Ctx<'js>, state: State<'js>| {
        let state = state.try_borrow()?;
        let text = state.tail.borrow_mut().flush(state.encoding);
        text.into_value(&ctx)
    })?;
    def(&native, "reset", |state: State<'js>| {
        state.try_borrow()?.tail.take();
        Ok::<_, rquickjs::Error>(())
    })?;
    def(&native, "missing", |state: State<'js>| Ok::<_, rquickjs::Error>(state.try_borrow()?.tail.borrow().missing))?;
    def(&native, "held", |ctx: Ctx<'js>, state: State<'js>| {
        ArrayBuffer::new(ctx, state.try_borrow()?.tail.borrow().held.clone())
    })?;
    Ok(native)
}
