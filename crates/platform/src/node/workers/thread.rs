//! A worker's thread, as both sides see it, and how it is ended.
//!
//! Who owns what on which thread: the parent has the [`Thread`]; the worker's own thread has a [`Worker`], whose last
//! handle is dropped after everything else of the worker, and then reports the end. Both reach the state behind the
//! mutex, which is held for a few instructions. A thread that has ended, or was cut off, tells its parent nothing more.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::time::Duration;

use agent::Mailbox;
use agent::structured::Serialized;

/// How a worker's thread reaches its parent. Dropping the last handle reports that the worker has ended.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    thread: Arc<Thread>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.thread.end();
    }
}

/// A worker's thread.
pub(super) struct Thread {
    parent: Box<dyn Fn(Event) + Send + Sync>,
    id: u32,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    mailbox: Option<Mailbox>,
    terminated: bool,
    exit_code: Option<i32>,
    has_ended: bool,
    /// The threads of the workers that this one has started, some of which may have ended.
    children: Vec<Weak<Thread>>,
}

impl State {
    /// The worker's exit code.
    fn code(&self) -> i32 {
        if self.terminated { 1 } else { self.exit_code.unwrap_or(1) }
    }
}

/// What a worker tells its parent.
pub(crate) enum Event {
    Online,
    /// Output to standard output (1) or standard error (2).
    Output(u8, Vec<u8>),
    /// The value and, if it is an error, its own properties.
    Error {
        value: Serialized,
        properties: Serialized,
        details: Details,
    },
    Exit(i32),
}

/// Where an uncaught error was thrown.
#[derive(Default)]
pub(crate) struct Details {
    pub(crate) message: String,
    pub(crate) stack: String,
    pub(super) code: Option<&'static str>,
    /// The name and the class of an error.
    pub(super) name: Option<String>,
    pub(super) class: Option<&'static str>,
}

impl Worker {
    /// A worker that is about to start. `parent` is called, on any thread, with what happens to it.
    pub(super) fn new(parent: Box<dyn Fn(Event) + Send + Sync>) -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        let thread = Thread { parent, id, state: Mutex::default(), ended: Condvar::new() };
        Self { inner: Arc::new(Inner { thread: Arc::new(thread) }) }
    }

    pub(super) fn thread(&self) -> &Arc<Thread> {
        &self.inner.thread
    }

    pub(super) fn tell(&self, event: Event) {
        if !self.inner.thread.has_ended() {
            (self.inner.thread.parent)(event);
        }
    }

    /// Tells the parent about an error that no script has thrown: the worker could not be made.
    pub fn fail(&self, message: &str) {
        let details = Details { message: message.to_owned(), ..Details::default() };
        self.tell(Event::Error { value: Serialized::default(), properties: Serialized::undefined(), details });
        self.set_exit_code(1);
    }

    /// Lets the parent reach the worker's agent. Returns false if the parent has already terminated the worker.
    pub fn attach(&self, mailbox: Mailbox) -> bool {
        let mut state = self.inner.thread.lock();
        state.mailbox = Some(mailbox);
        !state.terminated
    }

    /// Sets the worker's exit code.
    pub fn set_exit_code(&self, code: i32) {
        self.inner.thread.lock().exit_code = Some(code);
    }
}

impl Thread {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// `threadId`.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The mailbox of the worker's agent, while there is one.
    pub(super) fn mailbox(&self) -> Option<Mailbox> {
        self.lock().mailbox.clone()
    }

    /// The worker's exit code.
    pub(super) fn code(&self) -> i32 {
        self.lock().code()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// Records a worker that this one has started, so that it does not outlive this one.
    pub(super) fn add_child(&self, child: &Arc<Self>) {
        let mut state = self.lock();
        let late = state.has_ended;
        state.children.retain(|child| child.strong_count() > 0);
        state.children.push(Arc::downgrade(child));
        drop(state);
        if late {
            child.terminate();
        }
    }

    /// Stops the worker, whatever it is doing, in four steps: its scripts are interrupted; if they do not check for
    /// that, their calls are refused; if there are no calls, the thread is cut off; and if it runs on even then, it is
    /// starved, which ends it at its next allocation. Starving comes last and late because QuickJS's compiler, which
    /// makes no calls, cannot cope with it.
    pub(super) fn terminate(self: &Arc<Self>) {
        /// How long a script that checks now and then may need.
        const UNTIL_REFUSED: Duration = Duration::from_millis(3);
        /// How long a native function that makes calls now and then may need.
        const UNTIL_CUT_OFF: Duration = Duration::from_millis(9);
        /// How long a compilation that has begun may need: some 5 s for 30 MB.
        const UNTIL_STARVED: Duration = Duration::from_secs(5);
        let mut state = self.lock();
        if state.has_ended || std::mem::replace(&mut state.terminated, true) {
            return;
        }
        let mailbox = state.mailbox.clone();
        drop(state);
        if let Some(mailbox) = mailbox {
            mailbox.terminate(1);
        }
        let thread = self.clone();
        let see_to_it = move || {
            if !thread.wait(UNTIL_REFUSED) {
                thread.mailbox().inspect(Mailbox::refuse_calls);
            }
            if thread.wait(UNTIL_CUT_OFF) {
                return;
            }
            let mailbox = thread.mailbox();
            if mailbox.as_ref().is_none_or(Mailbox::cut_off) {
                thread.end();
                std::thread::sleep(UNTIL_STARVED);
                mailbox.inspect(Mailbox::starve);
            }
        };
        // If there is no thread for this, the worker ends when it next checks.
        let _ = std::thread::Builder::new().name("terminate".into()).stack_size(128 << 10).spawn(see_to_it);
    }

    /// Records that the worker has ended or has to be treated as if it had: its thread may still be running something
    /// that nobody can stop, and keeps what it owns until that returns.
    fn end(&self) {
        let mut state = self.lock();
        state.mailbox = None;
        if std::mem::replace(&mut state.has_ended, true) {
            return;
        }
        let (code, children) = (state.code(), std::mem::take(&mut state.children));
        drop(state);
        children.iter().filter_map(Weak::upgrade).for_each(|child| child.terminate());
        (self.parent)(Event::Exit(code));
        self.ended.notify_all();
    }

    /// Waits until the worker has ended. Returns false if that takes longer than `patience`.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let waited = self.ended.wait_timeout_while(self.lock(), patience, |state| !state.has_ended);
        waited.unwrap_or_else(|e| e.into_inner()).0.has_ended
    }
}
