//! The mailbox: how other threads reach an agent.
//!
//! The queue, the number of keep-alive guards and the stop flag stand behind one mutex; the agent's thread waits on its
//! condition variable, every other thread only pushes and notifies. The stop flag is mirrored in an atomic because the
//! engine's interrupt handler reads it from inside running JavaScript.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use rquickjs::Ctx;

/// What other threads post: runs on the agent's thread; an error it returns becomes an uncaught error of the agent.
pub type MailboxTask = Box<dyn for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()> + Send>;

/// A handle by which any thread posts tasks to an agent, holds its loop alive or stops it.
///
/// It outlives the agent: tasks posted to an agent that has ended are dropped with the last handle.
#[derive(Clone)]
pub struct Mailbox {
    shared: Arc<Shared>,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    stop: AtomicBool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<MailboxTask>,
    keep_alive: usize,
    closed: bool,
    exit_code: Option<i32>,
}

/// How long [`Mailbox::wait`] may block.
#[derive(Clone, Copy)]
pub(crate) enum Wait {
    /// Not at all.
    Poll,
    /// Until something arrives or this moment comes.
    Until(Instant),
    /// Until something arrives.
    Forever,
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State::default()),
                wake: Condvar::new(),
                stop: AtomicBool::new(false),
            }),
        }
    }

    /// Tasks never run while the lock is held, so a poisoned lock still guards consistent data.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a task for the agent's thread and wakes it. Returns false, and drops the task, when the agent has ended.
    pub fn post(&self, task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()> + Send + 'static) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.queue.push_back(Box::new(task));
        drop(state);
        self.shared.wake.notify_all();
        true
    }

    /// Keeps the agent's loop running until the guard is dropped, on whichever thread that happens.
    #[must_use]
    pub fn keep_alive(&self) -> KeepAlive {
        self.lock().keep_alive += 1;
        KeepAlive { mailbox: self.clone() }
    }

    /// Stops the agent: JavaScript that runs is interrupted with an error it cannot catch, and the loop ends with
    /// `exit_code`. No exit listener runs.
    pub fn terminate(&self, exit_code: i32) {
        self.lock().exit_code.get_or_insert(exit_code);
        self.set_stop(true);
        self.shared.wake.notify_all();
    }

    /// Whether the agent has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.shared.stop.load(Ordering::Acquire)
    }

    pub(crate) fn set_stop(&self, stop: bool) {
        self.shared.stop.store(stop, Ordering::Release);
    }

    /// The exit code that [`Mailbox::terminate`] asked for.
    pub(crate) fn termination(&self) -> Option<i32> {
        self.lock().exit_code
    }

    /// Whether a queued task or a keep-alive guard wants the loop to go on.
    pub(crate) fn is_alive(&self) -> bool {
        let state = self.lock();
        state.keep_alive > 0 || !state.queue.is_empty()
    }

    /// Takes the queued tasks, blocking as `wait` says while there are none. Returns early, with nothing, when a guard is
    /// dropped or the agent is stopped, so that the loop can look again.
    pub(crate) fn wait(&self, wait: Wait) -> VecDeque<MailboxTask> {
        let mut state = self.lock();
        if !state.queue.is_empty() || self.is_stopping() {
            return std::mem::take(&mut state.queue);
        }
        match wait {
            Wait::Poll => VecDeque::new(),
            Wait::Until(deadline) => {
                let timeout = deadline.saturating_duration_since(Instant::now());
                let (mut state, _) =
                    self.shared.wake.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut state.queue)
            }
            Wait::Forever if state.keep_alive == 0 => VecDeque::new(),
            Wait::Forever => {
                let mut state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut state.queue)
            }
        }
    }

    /// Refuses further tasks and drops the queued ones, outside the lock since a task may own anything.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let queue = std::mem::take(&mut state.queue);
        drop(state);
        drop(queue);
    }
}

/// Holds an agent's loop alive; see [`Mailbox::keep_alive`].
#[derive(Debug)]
pub struct KeepAlive {
    mailbox: Mailbox,
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.mailbox.lock().keep_alive -= 1;
        self.mailbox.shared.wake.notify_all();
    }
}
