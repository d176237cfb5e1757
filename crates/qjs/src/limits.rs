//! Limits of a runtime that Rust code changes while it runs.

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// Sets the limit of the JavaScript heap, in bytes.
pub fn set_memory_limit(ctx: &Ctx<'_>, bytes: usize) {
    // SAFETY: the runtime is live.
    unsafe { q::JS_SetMemoryLimit(Cx::of(ctx).runtime(), bytes as _) };
}
