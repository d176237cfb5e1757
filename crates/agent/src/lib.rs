//! An agent: one thread with its own QuickJS runtime, context and event loop.
//!
//! Who owns what on which thread: an [`Agent`] and its [`EventLoop`] never leave the thread that made them. Other
//! threads reach the agent only through its [`Mailbox`], which is `Send`: tasks posted there run on the agent's thread,
//! one at a time, each followed by a microtask checkpoint and the safe-point callbacks.
//!
//! The order of one turn follows Node: timers that are due, posted tasks (the only place that blocks), immediates.
//! After every task come the tick queue, the microtasks and the rejections that nobody handled.

mod agent;
mod breakable;
pub mod broadcast;
mod checkpoint;
mod event_loop;
mod hooks;
mod immediates;
mod mailbox;
pub mod port;
mod rejections;
pub mod structured;
mod timers;
mod weak;

pub use agent::{Agent, AgentOptions};
pub use breakable::{Breakable, Breaker};
pub use event_loop::{EventLoop, LocalTask, SafePoint};
pub use hooks::{Hooks, Origin, Outcome, Uncaught};
pub use immediates::ImmediateId;
pub use mailbox::{KeepAlive, Mailbox, MailboxTask, OnStop};
pub use timers::TimerId;

// What other threads have of an agent.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Mailbox>();
    any_thread::<Outcome>();
    const fn another_thread<T: Send>() {}
    another_thread::<KeepAlive>();
    another_thread::<structured::Data>();
    another_thread::<structured::Serialized>();
};
