//! The mailbox: how other threads reach an agent.
//!
//! The queue, the number of keep-alive guards and the stop flag stand behind one mutex; the agent's thread waits on its
//! condition variable, every other thread only pushes and notifies. The stop flag is mirrored in an atomic because the
//! engine's interrupt handler reads it from inside running JavaScript.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use qjs::runtime::Starver;
use rquickjs::Ctx;

use crate::port::Port;

/// A task that other threads post. It runs on the agent's thread; an error that it returns becomes an uncaught error of
/// the agent.
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
    /// Counts whatever the agent's thread should look at, so that it sees without the lock whether there is anything.
    arrivals: AtomicUsize,
    stop: AtomicBool,
    interrupted: AtomicBool,
    /// How many pieces of the running task are broken off and have not ended yet.
    broken: AtomicUsize,
    /// What else stops with the agent, or goes on.
    on_stop: Mutex<Option<OnStop>>,
}

/// Called, on any thread, when what an agent runs is to stop (true), or may go on.
pub type OnStop = Arc<dyn Fn(bool) + Send + Sync>;

#[derive(Default)]
struct State {
    queue: VecDeque<MailboxTask>,
    /// Whether a queued task wants the loop to go on.
    holds: bool,
    keep_alive: usize,
    closed: bool,
    /// Whether a task is running.
    busy: bool,
    exit_code: Option<i32>,
    /// The agent's JavaScript, for as long as it may have to be starved.
    engine: Option<Starver>,
    is_starved: bool,
    is_cut_off: bool,
    /// The ports that the agent has, and some that are gone.
    ports: Vec<Weak<Port>>,
}

impl State {
    fn take_queue(&mut self) -> VecDeque<MailboxTask> {
        self.holds = false;
        std::mem::take(&mut self.queue)
    }
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
                arrivals: AtomicUsize::new(0),
                stop: AtomicBool::new(false),
                interrupted: AtomicBool::new(false),
                broken: AtomicUsize::new(0),
                on_stop: Mutex::new(None),
            }),
        }
    }

    /// Tasks never run while the lock is held, so a poisoned lock still guards consistent data.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether both reach the same agent.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Queues a task for the agent's thread and wakes it. Returns false, and drops the task, if the agent has ended.
    pub fn post(&self, task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()> + Send + 'static) -> bool {
        self.queue(Box::new(task), true)
    }

    /// As [`Mailbox::post`], for a task that is dropped if nothing else wants the loop to go on.
    pub fn post_idle(&self, task: impl for<'js> FnOnce(&Ctx<'js>) -> rquickjs::Result<()> + Send + 'static) -> bool {
        self.queue(Box::new(task), false)
    }

    /// Whether the agent has ended, or takes nothing more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn queue(&self, task: MailboxTask, holds: bool) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.queue.push_back(task);
        state.holds |= holds;
        drop(state);
        self.wake();
        true
    }

    /// Has the agent's thread look again.
    fn wake(&self) {
        self.shared.arrivals.fetch_add(1, Ordering::Release);
        self.shared.wake.notify_all();
    }

    /// Waits for a short while without giving the core away: what an agent waits for often comes soon, and going to
    /// sleep and being woken across cores costs some 50 µs.
    fn spin(&self, seen: usize) {
        const PATIENCE: Duration = Duration::from_micros(30);
        static CORES: OnceLock<usize> = OnceLock::new();
        if *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, Into::into)) > 1 {
            let end = Instant::now() + PATIENCE;
            while self.shared.arrivals.load(Ordering::Acquire) == seen && Instant::now() < end {
                (0..16).for_each(|_| std::hint::spin_loop());
            }
        }
    }

    /// Keeps the agent's loop running until the guard is dropped, on whichever thread that happens.
    #[must_use]
    pub fn keep_alive(&self) -> KeepAlive {
        self.lock().keep_alive += 1;
        KeepAlive { mailbox: self.clone() }
    }

    /// Stops the agent: running JavaScript is interrupted with an error that it cannot catch, and the loop ends with
    /// `exit_code`. No exit listener runs.
    pub fn terminate(&self, exit_code: i32) {
        let mut state = self.lock();
        state.exit_code.get_or_insert(exit_code);
        // Under the lock: the agent looks at it there before it sleeps.
        self.shared.stop.store(true, Ordering::Release);
        let closed = state.closed;
        drop(state);
        if !closed {
            self.tell(true);
        }
        self.wake();
    }

    /// Stops the task that is running, with an error that scripts cannot catch. The agent goes on with the next one. An
    /// agent that runs nothing takes no notice.
    pub fn interrupt(&self) {
        let state = self.lock();
        if state.busy {
            self.shared.interrupted.store(true, Ordering::Release);
            self.tell(true);
        }
    }

    /// Interrupts what runs if `breaks` says so, which is asked under the lock.
    pub(crate) fn break_off(&self, breaks: impl FnOnce() -> bool) -> bool {
        let _state = self.lock();
        let breaks = breaks();
        if breaks {
            self.shared.broken.fetch_add(1, Ordering::AcqRel);
            self.tell(true);
        }
        breaks
    }

    /// Takes back what [`Mailbox::break_off`] did, if `was_broken` says that it has done it.
    pub(crate) fn mend(&self, was_broken: impl FnOnce() -> bool) -> bool {
        let _state = self.lock();
        let was_broken = was_broken();
        if was_broken {
            self.shared.broken.fetch_sub(1, Ordering::AcqRel);
            if !self.is_interrupted() {
                self.tell(false);
            }
        }
        was_broken
    }

    /// Whether JavaScript that is running must not go on.
    pub fn is_interrupted(&self) -> bool {
        self.is_stopping()
            || self.shared.interrupted.load(Ordering::Acquire)
            || self.shared.broken.load(Ordering::Acquire) > 0
    }

    /// Whether the agent has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.shared.stop.load(Ordering::Acquire)
    }

    /// Sets what else stops when the agent's task is interrupted or the agent stops: guests, and waits. If the agent
    /// was stopped before, `hook` is called at once.
    pub fn on_stop(&self, hook: OnStop) {
        *self.shared.on_stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
        if self.is_stopping() {
            self.tell(true);
        }
    }

    fn tell(&self, stop: bool) {
        // Called under the lock, so that it is not called after it was forgotten.
        if let Some(hook) = &*self.shared.on_stop.lock().unwrap_or_else(PoisonError::into_inner) {
            hook(stop);
        }
    }

    /// Forgets what [`Mailbox::on_stop`] said: it is not called any more once this has returned.
    pub fn forget_on_stop(&self) {
        *self.shared.on_stop.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets an agent that was told to stop be starved ([`Mailbox::starve`]).
    pub(crate) fn set_engine(&self, engine: Starver) {
        self.lock().engine = Some(engine);
    }

    /// Takes memory and stack away from an agent that was told to stop and goes on: QuickJS seldom asks whether to
    /// stop, and within a native function not at all. No script runs in this agent any more.
    ///
    /// Not to be called while the agent may be compiling: QuickJS's compiler overlooks that it got no memory, and
    /// follows the pointer.
    pub fn starve(&self) {
        self.hold_back(Starver::starve);
    }

    /// Takes the stack away from an agent that was told to stop, as [`Mailbox::starve`] does, but leaves it its memory:
    /// from now on it calls nothing, and does not begin to compile anything.
    pub fn refuse_calls(&self) {
        self.hold_back(Starver::refuse_calls);
    }

    fn hold_back(&self, how: fn(&Starver)) {
        let mut state = self.lock();
        if let Some(engine) = state.engine.as_ref().filter(|_| self.is_stopping()) {
            // Under the lock, which is taken before the runtime is fed again.
            how(engine);
            state.is_starved = true;
        }
    }

    /// Cuts off an agent that was terminated and does not end, since what it runs asks nobody: its ports are closed,
    /// its mailbox takes nothing more, and what is in it is dropped. Does nothing and returns false if the agent is
    /// past all scripts and about to end.
    pub fn cut_off(&self) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.closed = true;
        state.is_cut_off = true;
        let (queue, ports) = (state.take_queue(), std::mem::take(&mut state.ports));
        drop(state);
        drop(queue);
        abandon(&ports);
        true
    }

    /// Notes a port that the agent has got. An agent that has been cut off gets no more ports: this one is closed.
    pub(crate) fn add_port(&self, port: &Arc<Port>) {
        let mut state = self.lock();
        if state.is_cut_off {
            drop(state);
            port.abandon();
            return;
        }
        let ports = &mut state.ports;
        if ports.len() == ports.capacity() {
            // Only when the list has doubled, so that this costs little for each port.
            ports.retain(|port| port.strong_count() > 0);
        }
        ports.push(Arc::downgrade(port));
    }

    /// Takes no more tasks and, unless the agent was terminated, lets the rest go on. Returns the exit code that
    /// [`Mailbox::terminate`] asked for. An agent that was starved gets `stack_bytes` of stack and all memory for its
    /// end.
    pub(crate) fn finish(&self, stack_bytes: usize) -> Option<i32> {
        let mut state = self.lock();
        state.closed = true;
        if let Some(engine) = state.engine.take().filter(|_| state.is_starved) {
            engine.feed(stack_bytes);
        }
        let queue = state.take_queue();
        let termination = state.exit_code;
        if termination.is_none() {
            self.shared.stop.store(false, Ordering::Release);
            self.tell(false);
        }
        drop(state);
        drop(queue);
        termination
    }

    pub(crate) fn set_stop(&self, stop: bool) {
        self.shared.stop.store(stop, Ordering::Release);
        self.tell(stop);
    }

    pub(crate) fn begin_task(&self) {
        self.lock().busy = true;
    }

    /// Ends a task, and the interruption that was meant for it.
    pub(crate) fn end_task(&self) {
        let mut state = self.lock();
        state.busy = false;
        if self.shared.interrupted.swap(false, Ordering::AcqRel) && !self.is_interrupted() {
            self.tell(false);
        }
    }

    /// Whether a queued task or a keep-alive guard wants the loop to go on.
    pub(crate) fn is_alive(&self) -> bool {
        let state = self.lock();
        state.keep_alive > 0 || state.holds
    }

    /// Takes the queued tasks; while there are none, blocks as `wait` says. Returns early, with nothing, when a guard
    /// is dropped or the agent is stopped, so that the loop can look again.
    pub(crate) fn wait(&self, wait: Wait) -> VecDeque<MailboxTask> {
        let seen = self.shared.arrivals.load(Ordering::Acquire);
        let mut state = self.lock();
        let blocks = match wait {
            Wait::Poll => false,
            Wait::Until(_) => true,
            Wait::Forever => state.keep_alive > 0,
        };
        if blocks && state.queue.is_empty() && !self.is_stopping() {
            drop(state);
            self.spin(seen);
            state = self.lock();
        }
        if !state.queue.is_empty() || self.is_stopping() {
            return state.take_queue();
        }
        match wait {
            Wait::Poll => VecDeque::new(),
            Wait::Until(deadline) => {
                let timeout = deadline.saturating_duration_since(Instant::now());
                let (mut state, _) =
                    self.shared.wake.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
                state.take_queue()
            }
            Wait::Forever if state.keep_alive == 0 => VecDeque::new(),
            Wait::Forever => {
                let mut state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.take_queue()
            }
        }
    }

    /// Refuses further tasks, closes the agent's ports and drops the queued tasks, outside the lock since a task may
    /// own anything.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.engine = None;
        let (queue, ports) = (state.take_queue(), std::mem::take(&mut state.ports));
        drop(state);
        drop(queue);
        // The ports that scripts had go with them, but some references are lost when memory is out.
        abandon(&ports);
    }
}

fn abandon(ports: &[Weak<Port>]) {
    ports.iter().filter_map(Weak::upgrade).for_each(|port| port.abandon());
}

/// Holds an agent's loop alive; see [`Mailbox::keep_alive`].
#[derive(Debug)]
pub struct KeepAlive {
    mailbox: Mailbox,
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.mailbox.lock().keep_alive -= 1;
        self.mailbox.wake();
    }
}
