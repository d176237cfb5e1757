//! Scripts that end when their time is up, or when the user presses Ctrl-C.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use agent::{Breakable, Breaker, EventLoop};
use qjs::function::is_uncatchable;
use rquickjs::{Ctx, Value};

use crate::internal::errors::{throw, throw_system};
use crate::node::process::signals;

/// What ends a script: milliseconds, and SIGINT.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeout: Option<u32>,
    pub(super) sigint: bool,
}

/// Runs a script, and throws Node's error in place of the one that no script can catch if a limit has ended it. Such an
/// error stays what it is if the agent is told to stop at the same time.
pub(super) fn limited<'js>(
    ctx: &Ctx<'js>,
    limits: Limits,
    run: impl FnOnce() -> rquickjs::Result<Value<'js>>,
) -> rquickjs::Result<Value<'js>> {
    if limits.timeout.is_none() && !limits.sigint {
        return run();
    }
    let mailbox = EventLoop::of(ctx)?.mailbox().clone();
    let within = |work: &Breakable| -> io::Result<_> {
        let timer =
            limits.timeout.map(|ms| Timer::start(work.breaker(), Duration::from_millis(ms.into()))).transpose()?;
        let sigint = limits.sigint.then(|| signals::break_on_interrupt(work.breaker())).transpose()?;
        Ok((timer, sigint))
    };
    let work = Breakable::begin(&mailbox);
    let (timer, sigint) = within(&work).map_err(|error| throw_system(ctx, &error, "vm.Script", None, None))?;
    let result = run();
    let was_broken = work.end();
    drop(sigint);
    if result.is_ok() || !was_broken {
        return result;
    }
    let thrown = ctx.catch();
    if !is_uncatchable(&thrown) || mailbox.is_interrupted() {
        return Err(ctx.throw(thrown));
    }
    Err(match (timer.is_some_and(Timer::has_broken), limits.timeout) {
        (true, Some(ms)) => {
            let message = format!("Script execution timed out after {ms}ms");
            throw(ctx, "Error", "ERR_SCRIPT_EXECUTION_TIMEOUT", &message)
        }
        _ => {
            let message = "Script execution was interrupted by `SIGINT`";
            throw(ctx, "Error", "ERR_SCRIPT_EXECUTION_INTERRUPTED", message)
        }
    })
}

/// A thread that breaks off a script when its time is up, unless this is dropped before.
struct Timer(Arc<TimerState>);

#[derive(Default)]
struct TimerState {
    /// Whether the script has ended, and whether the time was up before.
    ends: Mutex<(bool, bool)>,
    ended: Condvar,
}

impl Timer {
    fn start(breaker: Breaker, limit: Duration) -> io::Result<Self> {
        let state = Arc::new(TimerState::default());
        let own = state.clone();
        let wait = move || {
            let ends = own.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = own.ended.wait_timeout_while(ends, limit, |(has_ended, _)| !*has_ended);
            let (mut ends, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if !ends.0 {
                ends.1 = breaker.break_off();
            }
        };
        thread::Builder::new().name("timeout".into()).stack_size(64 << 10).spawn(wait)?;
        Ok(Self(state))
    }

    /// Whether the script was broken off because its time was up.
    fn has_broken(self) -> bool {
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner).0 = true;
        self.0.ended.notify_all();
    }
}
