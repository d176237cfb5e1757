//! The native half of `util_types.js`.

use rquickjs::{Ctx, Object, Value};

use crate::internal::def;

/// The native functions of `util_types.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "classOf", |value: Value<'js>| qjs::builtin_kind::class_of(&value).unwrap_or_default())?;
    Ok(native)
}
