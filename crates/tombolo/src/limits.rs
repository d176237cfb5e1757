//! What a program may use, and how it is ended when it has used it up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use agent::Mailbox;
use platform::OutputLimit;

/// What an agent, or a program with its workers, may use. Everything by default. Fields may be added: construct it with
/// `..Default::default()`.
///
/// ```
/// use std::time::Duration;
/// use tombolo::Limits;
///
/// let limits = Limits { heap: Some(64 << 20), time: Some(Duration::from_secs(5)), ..Limits::default() };
/// # assert_eq!(limits.output, None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Bytes of its JavaScript heap. An agent that needs more ends with an error. Each worker may use as much.
    pub heap: Option<usize>,
    /// Bytes of all memories that it makes, including shared ones; its workers share them. Memories beyond that fail, as
    /// they do when the system has no more.
    pub guest_memory: Option<usize>,
    /// Bytes of its stack for JavaScript.
    pub stack: Option<usize>,
    /// How long it may run, waiting included. Then it is terminated.
    pub time: Option<Duration>,
    /// Bytes that it and its workers may write to standard output and standard error together. Then it is terminated.
    pub output: Option<u64>,
}

/// The limit for which a program was terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exceeded {
    /// [`Limits::time`].
    Time,
    /// [`Limits::output`].
    Output,
}

impl Exceeded {
    /// The program's exit code: 124 as with `timeout`, or 1.
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Time => 124,
            Self::Output => 1,
        }
    }
}

/// Ends an agent that has reached a limit. Clones watch the same agent.
#[derive(Clone)]
pub(crate) struct LimitWatch(Arc<WatchState>);

struct WatchState {
    mailbox: Mailbox,
    state: Mutex<State>,
    has_ended: Condvar,
}

#[derive(Default)]
struct State {
    exceeded: Option<Exceeded>,
    has_ended: bool,
}

impl LimitWatch {
    pub(crate) fn new(mailbox: Mailbox) -> Self {
        Self(Arc::new(WatchState { mailbox, state: Mutex::default(), has_ended: Condvar::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit that the agent has reached.
    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.lock().exceeded
    }

    /// The agent has ended, and needs no watch any more.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
        self.0.has_ended.notify_all();
    }

    /// Waits until the agent has ended. Returns false if that takes longer than `patience`.
    fn wait(&self, patience: Duration) -> bool {
        let waited = self.0.has_ended.wait_timeout_while(self.lock(), patience, |state| !state.has_ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }

    /// Terminates the agent: first its scripts and guests are interrupted; a native function that goes on finds that
    /// nothing can be called any more; and what asks nobody gets no memory. (As for workers, see
    /// `crates/platform/src/node/workers/thread.rs`.)
    fn exceed(&self, limit: Exceeded) {
        const UNTIL_REFUSED: Duration = Duration::from_millis(3);
        const UNTIL_STARVED: Duration = Duration::from_secs(5);
        if self.lock().exceeded.replace(limit).is_some() {
            return;
        }
        self.0.mailbox.terminate(limit.exit_code());
        let this = self.clone();
        let see_to_it = move || {
            if !this.wait(UNTIL_REFUSED) {
                this.0.mailbox.refuse_calls();
            }
            if !this.wait(UNTIL_STARVED) {
                this.0.mailbox.starve();
            }
        };
        // If there is no thread for this, the agent ends when it next checks.
        let _ = std::thread::Builder::new().name("limit".into()).stack_size(128 << 10).spawn(see_to_it);
    }

    /// Ends the agent after this time.
    pub(crate) fn end_after(&self, time: Duration) -> std::io::Result<()> {
        let this = self.clone();
        let end = Instant::now().checked_add(time);
        let watch = move || {
            let patience = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if !this.wait(patience) {
                this.exceed(Exceeded::Time);
            }
        };
        std::thread::Builder::new().name("time limit".into()).stack_size(128 << 10).spawn(watch).map(drop)
    }

    /// A limit for what is written, at which the agent ends.
    pub(crate) fn output(&self, bytes: u64) -> OutputLimit {
        let this = self.clone();
        OutputLimit::new(bytes, move || this.exceed(Exceeded::Output))
    }
}
