//! Work that other threads do for an agent, and how its result comes back.
//!
//! The agent's own thread keeps what a script waits with (a function, and the guard that holds the loop) in its
//! [`Pending`] table, under a number. Other threads have a [`Ticket`] with that number, which they redeem by posting to
//! the agent's mailbox: no JavaScript value ever leaves its thread, and what arrives for an agent that has ended is
//! dropped.

pub(crate) mod pool;

use std::{cell::RefCell, collections::HashMap};

use agent::{EventLoop, KeepAlive, Mailbox};
use island::readiness::Watch;
use rquickjs::{Ctx, Function, Persistent, Value};

use crate::internal::{self, state::Platform};

/// What one agent waits for.
#[derive(Default)]
pub(crate) struct Pending(RefCell<Table>);

#[derive(Default)]
struct Table {
    last: u64,
    waiting: HashMap<u64, Waiting>,
}

struct Waiting {
    settle: Persistent<Function<'static>>,
    hold: Option<KeepAlive>,
    /// What its work waits for. If the entry goes, so does the work, unless it has begun.
    watch: Option<Watch>,
}

/// The right to settle one entry of an agent's [`Pending`].
#[derive(Clone)]
pub(crate) struct Ticket {
    mailbox: Mailbox,
    id: u64,
}

/// Notes that a script waits: `settle` will be called with `(error)` or `(null, value)`, and with what
/// AsyncLocalStorage has for the caller. The loop is held meanwhile.
pub(crate) fn expect<'js>(ctx: &Ctx<'js>, settle: Function<'js>) -> rquickjs::Result<Ticket> {
    let mailbox = EventLoop::of(ctx)?.mailbox().clone();
    let settle: Function<'js> = internal::function(ctx, "primordials", "bound")?.call((settle,))?;
    let platform = Platform::of(ctx)?;
    let mut table = platform.pending.0.borrow_mut();
    table.last += 1;
    let id = table.last;
    let waiting = Waiting { settle: Persistent::save(ctx, settle), hold: Some(mailbox.keep_alive()), watch: None };
    table.waiting.insert(id, waiting);
    Ok(Ticket { mailbox, id })
}

/// Sets whether an entry holds the loop alive.
pub(crate) fn set_ref(ctx: &Ctx<'_>, id: u64, refed: bool) -> rquickjs::Result<()> {
    let mailbox = EventLoop::of(ctx)?.mailbox().clone();
    if let Some(waiting) = Platform::of(ctx)?.pending.0.borrow_mut().waiting.get_mut(&id) {
        waiting.hold = match (refed, waiting.hold.take()) {
            (true, None) => Some(mailbox.keep_alive()),
            (true, hold) => hold,
            (false, _) => None,
        };
    }
    Ok(())
}

/// Notes what an entry's work waits for.
pub(crate) fn set_watch(ctx: &Ctx<'_>, id: u64, watch: Watch) -> rquickjs::Result<()> {
    if let Some(waiting) = Platform::of(ctx)?.pending.0.borrow_mut().waiting.get_mut(&id) {
        waiting.watch = Some(watch);
    }
    Ok(())
}

/// Takes back an entry whose work waits for something: its function will not be called, and nothing is read. Returns
/// false if it is too late.
pub(crate) fn cancel(ctx: &Ctx<'_>, id: u64) -> rquickjs::Result<bool> {
    let platform = Platform::of(ctx)?;
    let watch = platform.pending.0.borrow_mut().waiting.get_mut(&id).and_then(|waiting| waiting.watch.take());
    let cancelled = watch.is_some_and(Watch::cancel);
    if cancelled {
        forget(ctx, id)?;
    }
    Ok(cancelled)
}

/// Forgets an entry: its function will not be called.
pub(crate) fn forget(ctx: &Ctx<'_>, id: u64) -> rquickjs::Result<()> {
    let waiting = Platform::of(ctx)?.pending.0.borrow_mut().waiting.remove(&id);
    drop(waiting);
    Ok(())
}

impl Ticket {
    /// The number by which the script's side names the entry.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Settles the entry, in a turn of the agent's loop. `answer` makes the value there; what it throws is the error that
    /// the script gets.
    pub(crate) fn redeem(
        self,
        answer: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<Value<'js>> + Send + 'static,
    ) {
        let id = self.id;
        self.mailbox.post(move |ctx| {
            let waiting = Platform::of(ctx)?.pending.0.borrow_mut().waiting.remove(&id);
            waiting.map_or(Ok(()), |waiting| call(ctx, waiting.settle, answer))
        });
    }

    /// Whether the entry is that agent's.
    pub(crate) fn is_of(&self, ctx: &Ctx<'_>) -> bool {
        EventLoop::of(ctx).is_ok_and(|event_loop| event_loop.mailbox().is(&self.mailbox))
    }

    /// Whether the entry's agent has ended.
    pub(crate) fn is_void(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// Calls the entry's function and leaves the entry as it is, for what happens more than once. Returns false if the
    /// agent has ended.
    pub(crate) fn notify(
        &self,
        answer: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<Value<'js>> + Send + 'static,
    ) -> bool {
        let id = self.id;
        self.mailbox.post(move |ctx| {
            let settle = Platform::of(ctx)?.pending.0.borrow().waiting.get(&id).map(|waiting| waiting.settle.clone());
            settle.map_or(Ok(()), |settle| call(ctx, settle, answer))
        })
    }
}

fn call<'js>(
    ctx: &Ctx<'js>,
    settle: Persistent<Function<'static>>,
    answer: impl FnOnce(&Ctx<'js>) -> rquickjs::Result<Value<'js>>,
) -> rquickjs::Result<()> {
    let settle = settle.restore(ctx)?;
    match answer(ctx) {
        Ok(value) => settle.call((Value::new_null(ctx.clone()), value)),
        Err(rquickjs::Error::Exception) => {
            let error = ctx.catch();
            match qjs::function::is_uncatchable(&error) {
                true => Err(ctx.throw(error)),
                false => settle.call((error,)),
            }
        }
        Err(error) => Err(error),
    }
}
