//! What follows every task: the tick queue, the microtasks, unhandled rejections, the safe points.

use rquickjs::{Context, Ctx, Error, Persistent, Value};

use crate::{EventLoop, Origin};

/// The JavaScript value of an error that a native call returned.
pub(crate) fn thrown_value<'js>(ctx: &Ctx<'js>, error: Error) -> Value<'js> {
    if matches!(error, Error::Exception) {
        return ctx.catch();
    }
    let message = error.to_string();
    qjs::function::new_error(ctx, &message).unwrap_or_else(|_| ctx.catch())
}

/// Runs one task with its checkpoint and safe points.
pub(crate) fn run_task(
    context: &Context,
    event_loop: &EventLoop,
    task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()>,
) {
    let mailbox = event_loop.mailbox();
    mailbox.begin_task();
    guard(context, event_loop, task);
    checkpoint(context, event_loop);
    mailbox.end_task();
    event_loop.state.weakness.clear_kept_objects();
    safe_points(context, event_loop);
    event_loop.state.weakness.enqueue_cleanups(event_loop);
    if event_loop.state.ends_after_task.get() {
        event_loop.state.exit_requested.set(true);
        mailbox.set_stop(true);
    }
}

/// Runs `task`; what it throws becomes an uncaught error.
pub(crate) fn guard(
    context: &Context,
    event_loop: &EventLoop,
    task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()>,
) {
    context.with(|ctx| {
        if let Err(error) = task(&ctx) {
            let value = thrown_value(&ctx, error);
            uncaught(&ctx, event_loop, value, Origin::Exception);
        }
    });
}

/// Handles an error that nobody caught: a listener takes it, or the agent stops. The error by which an exit unwinds
/// does not count.
pub(crate) fn uncaught<'js>(ctx: &Ctx<'js>, event_loop: &EventLoop, error: Value<'js>, origin: Origin) {
    if event_loop.mailbox().is_stopping() || qjs::function::is_uncatchable(&error) {
        return;
    }
    let hooks = event_loop.state.hooks.borrow().clone();
    if hooks.uncaught(ctx, &error, origin) || event_loop.mailbox().is_stopping() {
        return;
    }
    event_loop.set_uncaught(ctx, &error, origin);
    event_loop.set_exit_code(Some(1));
    if let Err(error) = hooks.exit(ctx) {
        let value = thrown_value(ctx, error);
        if !event_loop.mailbox().is_stopping() {
            event_loop.set_uncaught(ctx, &value, Origin::Exception);
        }
    }
    event_loop.state.mailbox.set_stop(true);
}

/// Performs a microtask checkpoint (HTML §8.1.7.3) with Node's tick queue in front of it.
pub(crate) fn checkpoint(context: &Context, event_loop: &EventLoop) {
    let state = &event_loop.state;
    if state.jobs_first.replace(false) {
        run_jobs(context, event_loop);
    }
    loop {
        while !state.mailbox.is_stopping() {
            let Some(tick) = state.ticks.borrow_mut().pop_front() else { break };
            guard(context, event_loop, tick);
        }
        run_jobs(context, event_loop);
        if state.mailbox.is_stopping() {
            return;
        }
        if state.ticks.borrow().is_empty() && !notify_rejections(context, event_loop) {
            return;
        }
    }
}

/// Runs promise jobs until there are none. One that throws does not stop the others.
fn run_jobs(context: &Context, event_loop: &EventLoop) {
    while !event_loop.mailbox().is_stopping() {
        match context.runtime().execute_pending_job() {
            Ok(true) => {}
            Ok(false) => return,
            Err(failed) => failed.0.with(|ctx| {
                let error = ctx.catch();
                uncaught(&ctx, event_loop, error, Origin::Exception);
            }),
        }
    }
}

/// Reports the promises that were rejected and still have no handler. Returns whether there were any.
fn notify_rejections(context: &Context, event_loop: &EventLoop) -> bool {
    let rejections = event_loop.state.rejections.take();
    if rejections.is_empty() {
        return false;
    }
    for rejection in rejections {
        guard(context, event_loop, |ctx| {
            if event_loop.mailbox().is_stopping() {
                return Ok(());
            }
            let reason = Persistent::restore(rejection.reason, ctx)?;
            let promise = Persistent::restore(rejection.promise, ctx)?;
            let hooks = event_loop.state.hooks.borrow().clone();
            if !hooks.unhandled_rejection(ctx, &reason, &promise)? {
                uncaught(ctx, event_loop, reason, Origin::UnhandledRejection);
            }
            Ok(())
        });
    }
    true
}

/// Runs the safe-point callbacks.
pub(crate) fn safe_points(context: &Context, event_loop: &EventLoop) {
    let count = event_loop.state.safe_points.borrow().len();
    if count == 0 {
        return;
    }
    context.with(|ctx| {
        for index in 0..count {
            let callback = event_loop.state.safe_points.borrow().get(index).cloned();
            if let Some(callback) = callback {
                callback(&ctx);
            }
        }
    });
}
