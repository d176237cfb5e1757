//! Descriptors and times that somebody waits for, watched by one thread for the whole process.
//!
//! Any thread adds a watch or drops it; the thread says once that one has come. While there are watches it sleeps in
//! `poll`, and an event descriptor, the bell, tells it that there are others.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// Something with a descriptor that stays open while it is watched.
pub type Pollable = Arc<dyn AsFd + Send + Sync>;

/// What somebody waits for: that something happens to a descriptor, or that a time comes.
pub struct Readiness {
    wanted: Vec<(Pollable, PollFlags)>,
    until: Option<Instant>,
}

impl Readiness {
    /// The descriptors, each with what is to happen to it, and the time.
    pub(crate) fn new(wanted: Vec<(Pollable, PollFlags)>, until: Option<Instant>) -> Self {
        Self { wanted, until }
    }

    /// That there is something to read, or will never be.
    pub fn readable(source: Pollable) -> Self {
        Self::new(vec![(source, PollFlags::IN)], None)
    }

    /// Has `ready` called, once, when one of the descriptors is ready or the time has come: on a thread that all waits
    /// share, so it should neither block nor panic.
    ///
    /// # Errors
    /// When there is no thread or descriptor for it: then `ready` is given back.
    pub fn watch<F: FnOnce() + Send + 'static>(self, ready: F) -> Result<Watch, (io::Error, F)> {
        let mut watches = Watches::lock();
        let bell = match watches.begin() {
            Ok(bell) => bell,
            Err(error) => return Err((error, ready)),
        };
        watches.last += 1;
        let number = watches.last;
        watches.list.push(WatchEntry { number, readiness: Arc::new(self), ready: Box::new(ready) });
        ring(bell);
        Ok(Watch(number))
    }

    /// The same as a future.
    pub(crate) async fn come(self) -> io::Result<()> {
        let state = Arc::new(Mutex::new((false, None::<Waker>)));
        let told = state.clone();
        let _watch = self
            .watch(move || {
                let mut state = told.lock().unwrap_or_else(|e| e.into_inner());
                state.0 = true;
                let waker = state.1.take();
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            })
            .map_err(|(error, _)| error)?;
        poll_fn(|context| {
            let mut state = state.lock().unwrap_or_else(|e| e.into_inner());
            state.1 = Some(context.waker().clone());
            if state.0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(())
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readiness").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Watching for a [`Readiness`]. Dropping it ends that, if it has not come.
#[derive(Debug)]
pub struct Watch(u64);

impl Watch {
    /// Ends it. Returns false if what is watched for has come.
    pub fn cancel(self) -> bool {
        self.end()
    }

    /// Goes on until it comes, however long that takes.
    pub fn detach(self) {
        std::mem::forget(self);
    }

    fn end(&self) -> bool {
        let mut watches = Watches::lock();
        let found = watches.list.iter().position(|watched| watched.number == self.0);
        let gone = found.map(|at| watches.list.swap_remove(at));
        if let (Some(bell), true) = (BELL.get(), gone.is_some()) {
            ring(bell);
        }
        drop(watches);
        // (Not while others wait for the list: it may hold anything.)
        gone.is_some()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}

struct WatchEntry {
    number: u64,
    readiness: Arc<Readiness>,
    ready: Box<dyn FnOnce() + Send>,
}

/// All that is watched for, by any thread.
struct Watches {
    list: Vec<WatchEntry>,
    last: u64,
    is_running: bool,
}

static WATCHES: Mutex<Watches> = Mutex::new(Watches { list: Vec::new(), last: 0, is_running: false });

/// Tells the thread that the list has changed.
static BELL: OnceLock<OwnedFd> = OnceLock::new();

fn ring(bell: &OwnedFd) {
    // It fails if it has been rung very often, and then the thread is about to look.
    let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
}

impl Watches {
    /// How long the thread stays when there is nothing to do.
    const LINGER: Duration = Duration::from_secs(1);

    fn lock() -> MutexGuard<'static, Self> {
        WATCHES.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Sees to it that the thread is running.
    fn begin(&mut self) -> io::Result<&'static OwnedFd> {
        if BELL.get().is_none() {
            // The list is locked, so nobody else makes one.
            let _ = BELL.set(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        }
        let bell = BELL.get().expect("set just now");
        if !self.is_running {
            thread::Builder::new().name("poll".into()).stack_size(512 << 10).spawn(|| Self::run(bell))?;
            self.is_running = true;
        }
        Ok(bell)
    }

    fn run(bell: &OwnedFd) {
        loop {
            let watched: Vec<_> = Self::lock().list.iter().map(|one| (one.number, one.readiness.clone())).collect();
            let ready = Self::wait(bell, &watched);
            let mut watches = Self::lock();
            let mut taken: Vec<_> = watches.list.extract_if(.., |one| ready.contains(&one.number)).collect();
            // What was due earlier is told earlier, however late it is.
            taken.sort_by_key(|one| (one.readiness.until, one.number));
            if watched.is_empty() && watches.list.is_empty() {
                watches.is_running = false;
                return;
            }
            drop(watches);
            for one in taken {
                // What panics there, another program's waker perhaps, must not end the waits of all others.
                let _ = catch_unwind(AssertUnwindSafe(one.ready));
            }
        }
    }

    /// Waits until something has come, or the list has changed. Returns the numbers of what has come.
    fn wait(bell: &OwnedFd, watched: &[(u64, Arc<Readiness>)]) -> HashSet<u64> {
        let mut polled = vec![PollFd::new(bell, PollFlags::IN)];
        // The system refuses to poll more descriptors than a process may have, and of one there can be many watches.
        let mut places = HashMap::new();
        let place = |(source, flags): &(Pollable, PollFlags)| ((**source).as_fd().as_raw_fd(), flags.bits());
        for wanted in watched.iter().flat_map(|(_, readiness)| &readiness.wanted) {
            places.entry(place(wanted)).or_insert_with(|| {
                polled.push(PollFd::from_borrowed_fd((*wanted.0).as_fd(), wanted.1));
                polled.len() - 1
            });
        }
        let until = watched.iter().filter_map(|(_, readiness)| readiness.until).min();
        let left = match (watched.is_empty(), until) {
            (true, _) => Some(Self::LINGER),
            (false, until) => until.map(|until| until.saturating_duration_since(Instant::now())),
        };
        let timeout = left.map(timespec);
        if poll(&mut polled, timeout.as_ref()).is_err() {
            // A signal; or there is no memory now, and trying again does no harm after a while.
            thread::sleep(Duration::from_millis(1));
        }
        if !polled[0].revents().is_empty() {
            let _ = rustix::io::read(bell, &mut [0; 8]);
        }
        let now = Instant::now();
        let has_come = |readiness: &Readiness| {
            let happened = readiness.wanted.iter().any(|wanted| !polled[places[&place(wanted)]].revents().is_empty());
            happened || readiness.until.is_some_and(|until| until <= now)
        };
        watched.iter().filter(|(_, readiness)| has_come(readiness)).map(|(number, _)| *number).collect()
    }
}

/// A length of time as the system is told it.
pub(crate) fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn watch(readiness: Readiness, ready: impl FnOnce() + Send + 'static) -> Watch {
        readiness.watch(ready).map_err(|(error, _)| error).unwrap()
    }

    fn at(time: Instant) -> Readiness {
        Readiness::new(Vec::new(), Some(time))
    }

    #[test]
    fn what_comes_is_told_once() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let reader: Pollable = Arc::new(reader);
        let (told, hears) = channel();
        let wanted = || Readiness::new(vec![(reader.clone(), PollFlags::IN)], Some(Instant::now() + LONG));
        let watches: Vec<_> = (0..3)
            .map(|number| {
                let told = told.clone();
                watch(wanted(), move || told.send(number).unwrap())
            })
            .collect();
        let [_first, second, _third] = <[Watch; 3]>::try_from(watches).unwrap();
        drop(second);
        // A time that has come does not bring the others.
        let told_time = told.clone();
        let time = watch(at(Instant::now()), move || told_time.send(9).unwrap());
        assert_eq!(hears.recv_timeout(LONG), Ok(9));
        assert!(!time.cancel(), "it has come");
        rustix::io::write(&writer, b"x").unwrap();
        assert_eq!([(); 2].map(|()| hears.recv_timeout(LONG).unwrap()), [0, 2]);
        drop(told);
        // All that could be told is gone: nobody holds a sender any more.
        assert_eq!(hears.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn times_are_told_in_their_order() {
        let (told, hears) = channel();
        let now = Instant::now();
        let watches = [3, 1, 2].map(|number| {
            let told = told.clone();
            watch(at(now + Duration::from_millis(number)), move || told.send(number).unwrap())
        });
        assert_eq!([(); 3].map(|()| hears.recv_timeout(LONG).unwrap()), [1, 2, 3]);
        drop(watches);
    }

    #[test]
    fn what_is_cancelled_is_not_told_and_lets_go_of_its_descriptor() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let reader: Pollable = Arc::new(reader);
        let (told, hears) = channel::<()>();
        let watched = watch(Readiness::readable(reader.clone()), move || told.send(()).unwrap());
        assert!(watched.cancel());
        assert_eq!(hears.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
        while Arc::strong_count(&reader) > 1 {
            thread::yield_now();
        }
        drop(writer);
    }

    #[test]
    fn what_is_detached_is_told() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (told, hears) = channel();
        watch(Readiness::readable(Arc::new(reader)), move || told.send(()).unwrap()).detach();
        drop(writer);
        assert_eq!(hears.recv_timeout(LONG), Ok(()));
    }
}
