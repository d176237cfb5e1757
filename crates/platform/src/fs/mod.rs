//! The native half of `fs.js`.

use rquickjs::{Ctx, Object};

/// Open files by descriptor.
#[derive(Default)]
pub(crate) struct Files;

/// The native functions of `fs.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    Object::new(ctx.clone())
}
