//! The native half of `performance.js`: the agent's clock.

use agent::EventLoop;
use qjs::array::List;
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
    def(&native, "loopTimes", |ctx: Ctx<'_>| -> rquickjs::Result<List<Vec<f64>>> {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let times = EventLoop::of(&ctx)?.loop_times();
        Ok(List(times.map_or_else(Vec::new, |(age, idle)| vec![ms(age), ms(idle)])))
    })?;
    Ok(native)
}

/// Milliseconds since the agent's time origin.
pub(crate) fn now(ctx: Ctx<'_>) -> rquickjs::Result<f64> {
    Ok(EventLoop::of(&ctx)?.now().as_secs_f64() * 1e3)
}
