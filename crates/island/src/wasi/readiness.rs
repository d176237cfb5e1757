//! What suspended calls wait for, watched by a thread of its own.

use std::collections::HashSet;
use std::future::poll_fn;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use crate::wasi::wait::timespec;

/// What a call of WASI waits for: that something happens to a descriptor, or that a time comes. The descriptors are
/// duplicates: the guest may close its own meanwhile.
#[derive(Debug)]
pub struct Readiness {
    wanted: Vec<(OwnedFd, PollFlags)>,
    until: Option<Instant>,
}

impl Readiness {
    pub(crate) fn new(wanted: &[(BorrowedFd<'_>, PollFlags)], until: Option<Instant>) -> rustix::io::Result<Self> {
        let duplicate =
            |&(fd, flags): &(BorrowedFd<'_>, PollFlags)| Ok((rustix::io::fcntl_dupfd_cloexec(fd, 0)?, flags));
        Ok(Self { wanted: wanted.iter().map(duplicate).collect::<rustix::io::Result<_>>()?, until })
    }

    /// Has `ready` called, once, when one of the descriptors is ready or the time has come: on a thread that all waits
    /// share, so it should neither block nor panic.
    ///
    /// # Errors
    /// When there is no thread or descriptor for it.
    pub fn watch(self, ready: impl FnOnce() + Send + 'static) -> io::Result<Watch> {
        let mut watches = Watches::lock();
        let bell = watches.begin()?;
        watches.last += 1;
        let number = watches.last;
        watches.list.push(Watched { number, readiness: Arc::new(self), ready: Box::new(ready) });
        ring(bell);
        Ok(Watch(number))
    }

    /// The same as a future.
    pub(crate) async fn come(self) -> io::Result<()> {
        let state = Arc::new(Mutex::new((false, None::<Waker>)));
        let told = state.clone();
        let _watch = self.watch(move || {
            let mut state = told.lock().unwrap_or_else(|e| e.into_inner());
            state.0 = true;
            let waker = state.1.take();
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        })?;
        poll_fn(|context| {
            let mut state = state.lock().unwrap_or_else(|e| e.into_inner());
            state.1 = Some(context.waker().clone());
            if state.0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        Ok(())
    }
}

/// Watching for a [`Readiness`]. Dropping it ends that, if it has not come.
#[derive(Debug)]
pub struct Watch(u64);

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watches = Watches::lock();
        let found = watches.list.iter().position(|watched| watched.number == self.0);
        let gone = found.map(|at| watches.list.swap_remove(at));
        if let (Some(bell), true) = (BELL.get(), gone.is_some()) {
            ring(bell);
        }
        drop(watches);
        // Not while others wait for the list: it may hold anything.
        drop(gone);
    }
}

struct Watched {
    number: u64,
    readiness: Arc<Readiness>,
    ready: Box<dyn FnOnce() + Send>,
}

/// All that is watched for, by any agent.
struct Watches {
    list: Vec<Watched>,
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
            thread::Builder::new().name("wasi".into()).stack_size(512 << 10).spawn(|| Self::run(bell))?;
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
            taken.sort_by_key(|one| one.readiness.until);
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
        let wanted = watched.iter().flat_map(|(_, readiness)| &readiness.wanted);
        polled.extend(wanted.map(|(fd, flags)| PollFd::new(fd, *flags)));
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
        let mut seen = polled[1..].iter();
        let mut ready = HashSet::new();
        for (number, readiness) in watched {
            let happened = seen.by_ref().take(readiness.wanted.len()).filter(|fd| !fd.revents().is_empty()).count();
            if happened > 0 || readiness.until.is_some_and(|until| until <= now) {
                ready.insert(*number);
            }
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_comes_is_told_once() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (told, hears) = channel();
        let wanted = || Readiness::new(&[(reader.as_fd(), PollFlags::IN)], Some(Instant::now() + LONG)).unwrap();
        let watches: Vec<_> = (0..3)
            .map(|number| {
                let told = told.clone();
                wanted().watch(move || told.send(number).unwrap()).unwrap()
            })
            .collect();
        let [_first, second, _third] = <[Watch; 3]>::try_from(watches).unwrap();
        drop(second);
        // A time that has come does not bring the others.
        let told_time = told.clone();
        let _time =
            Readiness::new(&[], Some(Instant::now())).unwrap().watch(move || told_time.send(9).unwrap()).unwrap();
        assert_eq!(hears.recv_timeout(LONG), Ok(9));
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
        let at = |number: u64| Readiness::new(&[], Some(now + Duration::from_millis(number))).unwrap();
        let watches = [3, 1, 2].map(|number| {
            let told = told.clone();
            at(number).watch(move || told.send(number).unwrap()).unwrap()
        });
        assert_eq!([(); 3].map(|()| hears.recv_timeout(LONG).unwrap()), [1, 2, 3]);
        drop(watches);
    }

    #[test]
    fn a_descriptor_that_is_closed_meanwhile_is_still_watched() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (told, hears) = channel();
        let readiness = Readiness::new(&[(reader.as_fd(), PollFlags::IN)], None).unwrap();
        drop(reader);
        let _watch = readiness.watch(move || told.send(()).unwrap()).unwrap();
        drop(writer);
        assert_eq!(hears.recv_timeout(LONG), Ok(()));
    }
}
