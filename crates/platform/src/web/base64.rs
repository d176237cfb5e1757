//! The native half of `base64.js`.

use qjs::{Borrowed, Cx, string::Units};
use rquickjs::{Ctx, Object, Value};

use crate::internal::def;
use crate::node::buffer::encodings::{Encoding, forgiving_base64};

/// The native functions of `base64.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "decode", move |ctx: Ctx<'js>, text: Value<'js>| -> rquickjs::Result<Option<Value<'js>>> {
        let bytes = Units::of(Cx::of(&ctx), Borrowed::of(&text))?.and_then(forgiving_base64);
        bytes.map(|bytes| Encoding::Latin1.decode(&bytes).into_value(&ctx)).transpose()
    })?;
    def(&native, "encode", move |ctx: Ctx<'js>, text: Value<'js>| -> rquickjs::Result<Option<Value<'js>>> {
        let Some(units) = Units::of(Cx::of(&ctx), Borrowed::of(&text))? else { return Ok(None) };
        if units.iter().any(|unit| unit > 0xff) {
            return Ok(None);
        }
        let bytes = Encoding::Latin1.encode(&ctx, units)?;
        Encoding::Base64.decode(&bytes).into_value(&ctx).map(Some)
    })?;
    Ok(native)
}
