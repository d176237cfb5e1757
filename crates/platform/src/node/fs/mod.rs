//! The native half of `fs.js`: one function a system call, with Node's errors.
//!
//! Descriptors that scripts hold are kept in a table, so that only files which this agent opened can be read, written or
//! closed by number (besides the standard three).

mod descriptor;
mod path;

use rquickjs::{Ctx, Object};

pub(crate) use descriptor::Files;

/// The native functions of `fs.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    path::define(&native)?;
    descriptor::define(&native)?;
    Ok(native)
}
