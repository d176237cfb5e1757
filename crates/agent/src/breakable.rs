//! A piece of work within a task that other threads can break off, without ending the task.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::mailbox::Mailbox;

const RUNNING: u8 = 0;
const BROKEN: u8 = 1;
const OVER: u8 = 2;

/// What the agent's thread does until [`Breakable::end`]. Pieces may be nested.
#[derive(Debug)]
pub struct Breakable(Breaker);

/// Breaks off a [`Breakable`], from any thread.
#[derive(Clone)]
pub struct Breaker {
    mailbox: Mailbox,
    state: Arc<AtomicU8>,
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Breakable {
    /// Begins a piece of work of the agent whose thread this is.
    pub fn begin(mailbox: &Mailbox) -> Self {
        Self(Breaker { mailbox: mailbox.clone(), state: Arc::new(AtomicU8::new(RUNNING)) })
    }

    /// A handle for other threads.
    pub fn breaker(&self) -> Breaker {
        self.0.clone()
    }

    /// Ends the work. Returns whether it was broken off: then it has failed with an error that scripts cannot catch,
    /// unless it was about to end anyway. If something else stops the agent as well, that error is meant for it, too.
    pub fn end(self) -> bool {
        self.0.end()
    }
}

impl Drop for Breakable {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Breaker {
    /// Stops the scripts and guests that the work runs. Returns false if it is over, or broken off already.
    pub fn break_off(&self) -> bool {
        self.mailbox
            .break_off(|| self.state.compare_exchange(RUNNING, BROKEN, Ordering::AcqRel, Ordering::Acquire).is_ok())
    }

    fn end(&self) -> bool {
        self.mailbox.mend(|| self.state.swap(OVER, Ordering::AcqRel) == BROKEN)
    }
}
