//! The native half of `performance.js`: the agent's clock.

use agent::EventLoop;
use rquickjs::{Ctx, Object};

use crate::internal::def;

/// The native functions of `performance.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "now", now)?;
    def(&native, "timeOrigin", |ctx: Ctx<'_>| -> rquickjs::Result<f64> {
        let origin = EventLoop::of(&ctx)?.time_origin();
        Ok(origin.duration_since(std::time::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64() * 1e3))
    })?;
    Ok(native)
}

/// Milliseconds since the agent's time origin.
pub(crate) fn now(ctx: Ctx<'_>) -> rquickjs::Result<f64> {
    Ok(EventLoop::of(&ctx)?.now().as_secs_f64() * 1e3)
}
