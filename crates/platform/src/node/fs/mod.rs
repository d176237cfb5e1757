//! The native half of `node:fs`: operations by name, which a script waits for or not.
//!
//! An operation's row (in `ops.rs` if it takes a path, in `content.rs` if it takes a descriptor) turns its arguments
//! into a [`job::Job`], which any thread can do. `perform` does it at once, `start` on another thread.

mod content;
mod copy;
pub(crate) mod files;
pub(crate) mod job;
mod ops;
mod tree;
mod watch;

use rquickjs::{Ctx, Exception, Function, Object, Value, function::Rest};

pub(crate) use files::Files;
use job::{Arguments, Job};

use crate::internal::{background, def, strings::UsvString};

/// The native functions of the files of `node:fs`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "perform", |ctx: Ctx<'js>, name: UsvString, values: Rest<Value<'js>>| {
        prepare(&ctx, &name, &values)?.perform(&ctx)
    })?;
    def(&native, "start", |ctx: Ctx<'js>, settle: Function<'js>, name: UsvString, values: Rest<Value<'js>>| {
        prepare(&ctx, &name, &values)?.start(&ctx, settle).map(|id| id as f64)
    })?;
    def(&native, "cancel", |ctx: Ctx<'js>, id: f64| background::cancel(&ctx, id as u64))?;
    def(&native, "setRef", |ctx: Ctx<'js>, id: f64, refed: bool| background::set_ref(&ctx, id as u64, refed))?;
    Ok(native)
}

fn prepare<'js>(ctx: &Ctx<'js>, name: &str, values: &[Value<'js>]) -> rquickjs::Result<Job> {
    let args = Arguments { ctx, values };
    let is_fd = values.first().is_some_and(Value::is_number);
    let job = if is_fd { content::prepare(name, &args)? } else { ops::prepare(name, &args)? };
    job.ok_or_else(|| Exception::throw_internal(ctx, &format!("no file operation is called {name}")))
}
