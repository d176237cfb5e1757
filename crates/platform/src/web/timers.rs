//! The native half of `timers.js`: handles on the agent's loop, and `queueMicrotask`.

use std::time::Duration;

use agent::{EventLoop, ImmediateId, LocalTask, TimerId};
use rquickjs::{Ctx, Function, Object, Persistent, function::This};

use crate::internal::{self, def};

/// The native functions of `timers.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "set", |ctx: Ctx<'js>, handle: Object<'js>, delay: f64, refed: bool| -> rquickjs::Result<f64> {
        let task = fire(&ctx, handle, "fireTimeout");
        let id = EventLoop::of(&ctx)?.set_timer(Duration::from_millis(delay as u64), refed, task);
        Ok(id.0 as f64)
    })?;
    def(&native, "clear", |ctx: Ctx<'_>, id: f64| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.clear_timer(TimerId(id as u64));
        Ok(())
    })?;
    def(&native, "ref", |ctx: Ctx<'_>, id: f64, refed: bool| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.ref_timer(TimerId(id as u64), refed);
        Ok(())
    })?;
    let next = std::cell::Cell::new(0_u32);
    def(&native, "number", move || {
        next.set(next.get() + 1);
        next.get()
    })?;
    def(&native, "setImmediate", |ctx: Ctx<'js>, handle: Object<'js>| -> rquickjs::Result<f64> {
        let task = fire(&ctx, handle, "fireImmediate");
        Ok(EventLoop::of(&ctx)?.set_immediate(task).0 as f64)
    })?;
    def(&native, "clearImmediate", |ctx: Ctx<'_>, id: f64| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.clear_immediate(ImmediateId(id as u64));
        Ok(())
    })?;
    def(&native, "refImmediate", |ctx: Ctx<'_>, id: f64, refed: bool| -> rquickjs::Result<()> {
        EventLoop::of(&ctx)?.ref_immediate(ImmediateId(id as u64), refed);
        Ok(())
    })?;
    def(&native, "queueMicrotask", queue_microtask)?;
    Ok(native)
}

/// Has a function called when the script that runs has returned.
pub(crate) fn queue_microtask(callback: Function<'_>) -> rquickjs::Result<()> {
    // A deferred call is a job in the engine's queue, which is what a microtask is.
    callback.defer((This(rquickjs::Undefined),))
}

/// A task that passes the handle object to the firing function of `timers.js`.
fn fire<'js>(ctx: &Ctx<'js>, handle: Object<'js>, function: &'static str) -> LocalTask {
    let handle = Persistent::save(ctx, handle);
    Box::new(move |ctx| {
        let handle = handle.restore(ctx)?;
        internal::function(ctx, "timers", function)?.call((handle,))
    })
}
