//! TypeScript without its types.

use rquickjs::Ctx;

/// The text without its types, every other character at its place.
pub(crate) fn strip_types(ctx: &Ctx<'_>, text: &str, _path: &str) -> rquickjs::Result<String> {
    let _ = text;
    Err(crate::internal::errors::throw(ctx, "Error", "ERR_METHOD_NOT_IMPLEMENTED", "TypeScript is not implemented"))
}
