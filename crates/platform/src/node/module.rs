//! The native half of `module.js`.

use rquickjs::{Ctx, Object};

use crate::internal::{def, strings::UsvString};
use crate::modules::{builtin_for_script, names};

/// The native functions of `module.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "names", |ctx: Ctx<'js>| names(&ctx))?;
    def(&native, "builtin", |ctx: Ctx<'js>, name: UsvString| builtin_for_script(&ctx, &name))?;
    Ok(native)
}
