//! What the agent may do with files: headers are read, and guests of WASI get folders.

use permissions::{Denied, Permissions};
use qjs::define::Put as _;
use qjs::{Ctx, Object, Result};
use rquickjs::JsLifetime;

/// An agent's permissions, if not everything is granted.
#[derive(JsLifetime)]
struct Granted(#[qjs(skip)] Permissions);

/// Restricts what the module does with files in this context to what is granted.
///
/// # Errors
/// When memory is out.
pub fn restrict(ctx: &Ctx<'_>, permissions: Permissions) -> Result<()> {
    ctx.store_userdata(Granted(permissions)).map(drop).map_err(|_| rquickjs::Error::Unknown)
}

/// What this context may do.
pub(crate) fn of(ctx: &Ctx<'_>) -> Permissions {
    ctx.userdata::<Granted>().map_or_else(Permissions::all, |granted| granted.0.clone())
}

/// Throws what says that something is not granted, with Node's code and properties.
pub(crate) fn throw(ctx: &Ctx<'_>, denied: &Denied) -> rquickjs::Error {
    let thrown = qjs::function::throw_error(ctx, &denied.to_string());
    let error = ctx.catch();
    let describe = |error: &Object<'_>| -> Result<()> {
        error.put("code", "ERR_ACCESS_DENIED")?;
        error.put("permission", denied.permission())?;
        error.put("resource", &*denied.resource)
    };
    match error.as_object().map(describe) {
        Some(Ok(())) => ctx.throw(error),
        _ => thrown,
    }
}
