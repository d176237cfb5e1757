//! Uncaught errors and how they are printed.

use agent::{EventLoop, Hooks, Origin};
use rquickjs::{Ctx, Function, Object, Value};

use crate::{
    internal::{self, def, state::Platform, strings::to_rust, uncaught},
    node::process,
};

/// What a program exits with if a listener for `uncaughtException` throws.
const LISTENER_THREW: i32 = 7;

/// The text that reports an uncaught value: `Uncaught` and the value as the console shows it, with the stack, the chain
/// of causes and the error's own extra properties.
pub fn report_uncaught<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> String {
    let report = || -> rquickjs::Result<String> {
        let function = internal::function(ctx, "report", "report")?;
        to_rust(&function.call::<_, rquickjs::String>((value.clone(),))?)
    };
    let failed = || {
        ctx.catch();
        raise_memory_limit(ctx);
        report()
    };
    report().or_else(|_| failed()).unwrap_or_else(|_| {
        ctx.catch();
        "Uncaught (an error that cannot be inspected)".into()
    })
}

/// Raises the heap's limit a little, if there is one, so that an error can be reported; but not again and again in a
/// program that goes on.
pub(crate) fn raise_memory_limit(ctx: &Ctx<'_>) {
    const SLACK: usize = 2 << 20;
    if let Ok(platform) = Platform::of(ctx)
        && !platform.has_made_room.replace(true)
        && let (_, Some(limit)) = qjs::runtime::memory_use(ctx)
    {
        qjs::runtime::set_memory_limit(ctx, limit.saturating_add(SLACK));
    }
}

/// The native functions of `report.js`.
pub(crate) fn natives<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    let native = qjs::pristine::bare_object(ctx)?;
    def(&native, "isError", |value: Value<'js>| value.is_error())?;
    Ok(native)
}

/// The platform's part in the loop: listeners of `process`, and printing.
pub(crate) struct PlatformHooks;

impl PlatformHooks {
    /// Whether `promise` is that of the main module: if it is rejected, that is an exception of the program.
    fn is_main<'js>(ctx: &Ctx<'js>, promise: &Value<'js>) -> rquickjs::Result<bool> {
        let main = Platform::of(ctx)?.main.borrow().clone();
        Ok(match main {
            Some((main, _)) => main.restore(ctx)?.as_value() == promise,
            None => false,
        })
    }

    /// If `error` says that the heap is exhausted, [makes room](raise_memory_limit) to report it. Returns whether the heap
    /// is exhausted, and the error to report.
    fn make_room<'js>(ctx: &Ctx<'js>, error: &Value<'js>) -> (bool, Value<'js>) {
        let message = error.as_exception().map(|error| error.message().unwrap_or_default());
        let is_told = message.as_deref() == Some("out of memory");
        // If there is no memory for an error or for its message, the engine throws null, or an error without one; and so
        // may a script.
        if !is_told && !error.is_null() && message.is_none_or(|message| !message.is_empty()) {
            return (false, error.clone());
        }
        let (used, Some(limit)) = qjs::runtime::memory_use(ctx) else { return (false, error.clone()) };
        if !is_told && used < limit as u64 / 2 {
            return (false, error.clone());
        }
        raise_memory_limit(ctx);
        if is_told {
            return (true, error.clone());
        }
        rquickjs::Exception::throw_internal(ctx, "out of memory");
        (true, ctx.catch())
    }

    fn try_uncaught<'js>(ctx: &Ctx<'js>, error: &Value<'js>, origin: Origin) -> rquickjs::Result<bool> {
        let platform = Platform::of(ctx)?;
        // This comes first, because what follows needs memory.
        let (is_exhausted, error) = match &platform.own_worker {
            Some(worker) => (worker.make_room(ctx, error), error.clone()),
            None => Self::make_room(ctx, error),
        };
        let (error, origin) = match origin {
            Origin::UnhandledRejection if !platform.main_failed.take() && !is_exhausted => {
                let wrap: Function = internal::function(ctx, "report", "rejection")?;
                (wrap.call((error,))?, "unhandledRejection")
            }
            _ => (error, "uncaughtException"),
        };
        if process::is_loaded(ctx)? {
            let listeners: Function = internal::function(ctx, "process", "uncaught")?;
            if listeners.call::<_, bool>((error.clone(), origin))? {
                return Ok(true);
            }
        }
        if platform.survives_errors.get() {
            crate::node::repl::report(ctx, &error)?;
            return Ok(true);
        }
        if let Some(worker) = &platform.own_worker {
            // The parent is told, and decides what is printed. A worker of the Web survives, and keeps its rejections
            // to itself.
            if worker.is_web() && origin == "unhandledRejection" {
                let text = report_uncaught(ctx, &error) + "\n";
                platform.stdio.err(text.as_bytes());
                return Ok(true);
            }
            let handled =
                worker.is_web() && internal::function(ctx, "workers", "uncaught")?.call::<_, bool>((error.clone(),))?;
            if !handled {
                crate::node::workers::report(ctx, &error);
            }
            return Ok(worker.is_web());
        }
        if platform.options.report_errors {
            platform.stdio.err(uncaught::text(ctx, &error).as_bytes());
        }
        Ok(false)
    }
}

impl Hooks for PlatformHooks {
    fn uncaught<'js>(&self, ctx: &Ctx<'js>, error: &Value<'js>, origin: Origin) -> bool {
        match Self::try_uncaught(ctx, error, origin) {
            Ok(handled) => handled,
            Err(rquickjs::Error::Exception) => {
                let thrown = ctx.catch();
                if let (Ok(platform), Ok(event_loop)) = (Platform::of(ctx), EventLoop::of(ctx))
                    && !event_loop.mailbox().is_stopping()
                {
                    match &platform.own_worker {
                        // If a listener throws, its error ends the worker instead of the one it was told about.
                        Some(worker) => {
                            worker.make_room(ctx, &thrown);
                            crate::node::workers::report(ctx, &thrown);
                        }
                        // In the main agent it ends the program at once, with an exit code of its own, as in Node.
                        None => {
                            platform.stdio.err(uncaught::text(ctx, &thrown).as_bytes());
                            event_loop.request_exit(LISTENER_THREW);
                        }
                    }
                }
                false
            }
            Err(_) => false,
        }
    }

    fn unhandled_rejection<'js>(
        &self,
        ctx: &Ctx<'js>,
        reason: &Value<'js>,
        promise: &Value<'js>,
    ) -> rquickjs::Result<bool> {
        if let Some(worker) = &Platform::of(ctx)?.own_worker {
            worker.make_room(ctx, reason);
        }
        if Self::is_main(ctx, promise)? {
            Platform::of(ctx)?.main_failed.set(true);
            return Ok(false);
        }
        if !process::is_loaded(ctx)? {
            return Ok(false);
        }
        internal::function(ctx, "process", "rejected")?.call((reason.clone(), promise.clone()))
    }

    fn before_ports(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        crate::web::messaging::load(ctx)
    }

    fn before_exit(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        if process::is_loaded(ctx)? {
            internal::function(ctx, "process", "emitBeforeExit")?.call::<_, Value>(())?;
        }
        Ok(())
    }

    fn exit(&self, ctx: &Ctx<'_>) -> rquickjs::Result<()> {
        let platform = Platform::of(ctx)?;
        let event_loop = EventLoop::of(ctx)?;
        let main = platform.main.borrow().clone();
        if let Some((promise, url)) = main
            && promise.restore(ctx)?.state() == rquickjs::promise::PromiseState::Pending
            && event_loop.exit_code().is_none()
        {
            event_loop.set_exit_code(Some(13));
            platform.stdio.err(format!("Warning: Detected unsettled top-level await at {url}\n").as_bytes());
        }
        if process::is_loaded(ctx)? {
            internal::function(ctx, "process", "emitExit")?.call::<_, Value>(())?;
        }
        if platform.own_worker.is_none() {
            crate::node::tty::restore();
        }
        Ok(())
    }
}
