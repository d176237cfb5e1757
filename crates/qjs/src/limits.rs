//! Limits of a runtime that Rust code changes while it runs.

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// Lifts the limit of the JavaScript heap: a runtime that is about to end because it has none left can then say so.
pub fn lift_memory_limit(ctx: &Ctx<'_>) {
    // SAFETY: the runtime is live; 0 is no limit.
    unsafe { q::JS_SetMemoryLimit(Cx::of(ctx).runtime(), 0) };
}
