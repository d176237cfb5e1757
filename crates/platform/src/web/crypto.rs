//! The native half of `crypto.js`.

use rquickjs::{Ctx, Object, Value};

use crate::internal::{bytes, def};

/// The native functions of `crypto.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "fill", |ctx: Ctx<'js>, view: Value<'js>, length: usize| {
        let random = random(&ctx, length)?;
        bytes::copy_into(&ctx, &view, random)
    })?;
    def(&native, "uuid", |ctx: Ctx<'js>| -> rquickjs::Result<String> {
        let mut random = random(&ctx, 16)?;
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in random.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        Ok(text)
    })?;
    Ok(native)
}

fn random(ctx: &Ctx<'_>, length: usize) -> rquickjs::Result<Vec<u8>> {
    let mut bytes = bytes::zeroed(ctx, length)?;
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(qjs::function::throw_error(ctx, &format!("cannot get random bytes: {error}"))),
    }
}
