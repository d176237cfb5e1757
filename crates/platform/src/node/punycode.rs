//! The native half of `punycode.js`: the algorithm of RFC 3492, by the `idna` crate.

use rquickjs::{Ctx, Object};

use crate::internal::{def, strings::UsvString};

/// The native functions of `punycode.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "encode", |text: UsvString| idna::punycode::encode_str(&text))?;
    def(&native, "decode", |text: UsvString| idna::punycode::decode_to_string(&text))?;
    Ok(native)
}
