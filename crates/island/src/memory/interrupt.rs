//! Interruption: how another thread stops the guests of this one, in a loop or in a wait.
//!
//! Who owns what on which thread: each thread that has islands has one [`Interrupter`], made when it is first asked
//! for; its handles go to any thread. [`Interrupter::interrupt`] raises a flag, closes the poll pages that the thread's
//! guests read at every loop head (`crate::engine::instrument`), and wakes the thread if it is waiting
//! ([`wait_lists`](crate::wait_lists)). Everything that runs on the thread then fails with
//! [`CallError::Interrupted`](crate::CallError::Interrupted), until [`Interrupter::clear`].
//!
//! A guest's allocator must not be stopped half-way if others go on using the same heap: what the host runs
//! [uninterrupted] is left alone for [`PATIENCE`], and is not begun once the flag is raised.

use std::cell::OnceCell;
use std::io::Write;
#[cfg(feature = "wasi")]
use std::os::fd::OwnedFd;
#[cfg(feature = "wasi")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, Thread};
use std::time::Duration;

use data_block::PollPages;

use crate::memory::layout::Layout;

/// How long uninterrupted work may go on before it is interrupted all the same.
const PATIENCE: Duration = Duration::from_millis(100);

/// Stops the guests of one thread. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Interrupter {
    shared: Arc<InterruptState>,
}

#[derive(Debug)]
struct InterruptState {
    raised: AtomicBool,
    /// How many nested pieces of uninterrupted work the thread is in.
    masks: AtomicU32,
    /// The uninterrupted work took too long.
    forced: AtomicBool,
    thread: Thread,
    pages: PollPages,
    /// Readable when an interruption is to end a wait for descriptors. Made when one is first waited for.
    #[cfg(feature = "wasi")]
    waker: OnceLock<OwnedFd>,
    /// Counts interruptions and their ends. The flag and the pages are only changed under this lock.
    generation: Mutex<u64>,
}

thread_local! {
    static CURRENT: OnceCell<Interrupter> = const { OnceCell::new() };
}

impl Interrupter {
    fn new() -> Self {
        Self {
            shared: Arc::new(InterruptState {
                raised: AtomicBool::new(false),
                masks: AtomicU32::new(0),
                forced: AtomicBool::new(false),
                thread: thread::current(),
                pages: PollPages::new(Layout::of_process().poll_claim()),
                #[cfg(feature = "wasi")]
                waker: OnceLock::new(),
                generation: Mutex::new(0),
            }),
        }
    }

    /// The calling thread's interrupter.
    pub fn current() -> Self {
        // Something that is dropped at the end of its thread may come after the thread's own interrupter is gone.
        CURRENT.try_with(|current| current.get_or_init(Self::new).clone()).unwrap_or_else(|_| Self::new())
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.shared.generation.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Stops what the thread's guests are doing now, and whatever they begin before [`Interrupter::clear`].
    pub fn interrupt(&self) {
        let mut generation = self.lock();
        if self.shared.raised.swap(true, SeqCst) {
            return;
        }
        *generation += 1;
        if self.shared.masks.load(SeqCst) == 0 {
            return self.close(&generation);
        }
        // The thread itself closes its pages when the work is done.
        let (late, own) = (self.clone(), *generation);
        let force = move || {
            thread::sleep(PATIENCE);
            let generation = late.lock();
            if *generation == own && late.shared.masks.load(SeqCst) > 0 {
                late.shared.forced.store(true, SeqCst);
                late.close(&generation);
            }
        };
        let spawned = thread::Builder::new().name("interrupt".into()).stack_size(64 << 10).spawn(force);
        if spawned.is_err() {
            self.shared.forced.store(true, SeqCst);
            self.close(&generation);
        }
    }

    /// Closes the pages, under the lock.
    fn close(&self, _locked: &MutexGuard<'_, u64>) {
        if let Err(error) = self.shared.pages.close() {
            // The flag still stops waits and scripts.
            let _ = writeln!(std::io::stderr(), "tombolo: a guest cannot be interrupted: {error}");
        }
        self.shared.thread.unpark();
        #[cfg(feature = "wasi")]
        if let Some(waker) = self.shared.waker.get() {
            // It fails only if it is readable anyway.
            let _ = rustix::io::write(waker, &1u64.to_ne_bytes());
        }
    }

    /// Closes the pages now that uninterrupted work is done, unless the interruption has ended meanwhile.
    #[cold]
    fn close_late(&self) {
        let generation = self.lock();
        if self.shared.raised.load(SeqCst) {
            self.close(&generation);
        }
    }

    /// What becomes readable when the thread is interrupted. It is made here, before the caller asks whether the thread
    /// has been.
    #[cfg(feature = "wasi")]
    pub(crate) fn waker(&self) -> rustix::io::Result<&OwnedFd> {
        use rustix::event::{EventfdFlags, eventfd};
        if self.shared.waker.get().is_none() {
            // Only the thread itself waits, so nobody else makes one.
            let _ = self.shared.waker.set(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        }
        Ok(self.shared.waker.get().expect("just made"))
    }

    /// Lets guests run again.
    pub fn clear(&self) {
        let mut generation = self.lock();
        *generation += 1;
        self.shared.raised.store(false, SeqCst);
        self.shared.forced.store(false, SeqCst);
        if let Err(error) = self.shared.pages.open() {
            let _ = writeln!(std::io::stderr(), "tombolo: guests stay interrupted: {error}");
        }
    }

    /// Whether the thread was interrupted.
    pub fn is_raised(&self) -> bool {
        self.shared.raised.load(SeqCst)
    }

    /// Whether the thread has to stop what it is doing now.
    pub(crate) fn stops(&self) -> bool {
        self.is_raised() && (self.shared.masks.load(SeqCst) == 0 || self.shared.forced.load(SeqCst))
    }

    pub(crate) fn pages(&self) -> &PollPages {
        &self.shared.pages
    }
}

/// Runs `body`, which calls into a guest and takes little time, without letting it be interrupted. Returns `None`
/// without running `body` if the thread has been interrupted already.
pub fn uninterrupted<R>(body: impl FnOnce() -> R) -> Option<R> {
    CURRENT.with(|current| uninterrupted_by(current.get_or_init(Interrupter::new), body))
}

/// [`uninterrupted`] by this thread's own interrupter.
#[inline]
pub(crate) fn uninterrupted_by<R>(current: &Interrupter, body: impl FnOnce() -> R) -> Option<R> {
    struct Unmask<'a>(&'a Interrupter);
    impl Drop for Unmask<'_> {
        #[inline]
        fn drop(&mut self) {
            let shared = &self.0.shared;
            // If the flag is raised after this, the interrupter sees that there is no mask; if before, this sees the
            // flag.
            if shared.masks.fetch_sub(1, SeqCst) == 1 && shared.raised.load(SeqCst) {
                self.0.close_late();
            }
        }
    }
    // Work that began before the interruption goes on to its end, including its nested parts.
    let nested = current.shared.masks.fetch_add(1, SeqCst) > 0;
    let _unmask = Unmask(current);
    (nested || !current.shared.raised.load(SeqCst)).then(body)
}

/// The error that an interrupted host function fails with.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}
