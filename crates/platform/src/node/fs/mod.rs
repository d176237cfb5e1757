//! The native half of `fs.js`: one function per system call, with Node's errors.
//!
//! The descriptors that scripts hold are kept in a table, so that (apart from the standard three) scripts can only
//! read, write or close files by number if this agent opened them.

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
