//! Waiting for descriptors, from which an interruption of the thread awakes. A call that can be suspended does not wait
//! itself: it stops with what it would wait for ([`Stop::Waits`]), and is run again when that has come.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno as Sys;

use crate::memory::interrupt::Interrupter;
use crate::readiness::{Pollable, Readiness, timespec};
use crate::wasi::errno::{Result, Stop};

thread_local! {
    /// Whether the function that is running can be suspended.
    static SUSPENDS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`, whose waits stop it with [`Stop::Waits`].
pub(crate) fn suspending<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SUSPENDS.set(self.0);
        }
    }
    let _restore = Restore(SUSPENDS.replace(true));
    body()
}

/// Waits until something has happened to one of the descriptors, or the time has come. Returns what has happened to
/// each.
pub(crate) fn wait(wanted: &[(BorrowedFd<'_>, PollFlags)], until: Option<Instant>) -> Result<Vec<PollFlags>> {
    let interrupter = Interrupter::current();
    let waker = interrupter.waker()?;
    let mut polled: Vec<PollFd<'_>> = wanted.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    polled.push(PollFd::from_borrowed_fd(waker.as_fd(), PollFlags::IN));
    loop {
        if interrupter.stops() {
            return Err(Stop::Interrupted);
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let suspends = SUSPENDS.get();
        let timeout = if suspends { Some(Duration::ZERO) } else { left };
        let timeout = timeout.map(timespec);
        match poll(&mut polled, timeout.as_ref()) {
            Err(Sys::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let (waked, others) = polled.split_last().expect("it was pushed");
        if !waked.revents().is_empty() {
            // An earlier wait may have ended before it was told.
            let _ = rustix::io::read(waker, &mut [0; 8]);
        }
        let is_over = left.is_some_and(|left| left.is_zero());
        if is_over || others.iter().any(|fd| !fd.revents().is_empty()) {
            return match interrupter.stops() {
                true => Err(Stop::Interrupted),
                false => Ok(others.iter().map(PollFd::revents).collect()),
            };
        }
        if suspends {
            return Err(Stop::Waits(readiness(wanted, until)?));
        }
    }
}

/// What a call that is suspended waits for. The descriptors are duplicates: the guest may close its own meanwhile.
fn readiness(wanted: &[(BorrowedFd<'_>, PollFlags)], until: Option<Instant>) -> rustix::io::Result<Readiness> {
    let duplicate = |&(fd, flags): &(BorrowedFd<'_>, PollFlags)| {
        let source: Pollable = Arc::new(rustix::io::fcntl_dupfd_cloexec(fd, 0)?);
        Ok((source, flags))
    };
    Ok(Readiness::new(wanted.iter().map(duplicate).collect::<rustix::io::Result<_>>()?, until))
}

/// What has happened to one descriptor by now.
pub(crate) fn look(fd: BorrowedFd<'_>, flags: PollFlags) -> Result<PollFlags> {
    let mut polled = [PollFd::from_borrowed_fd(fd, flags)];
    rustix::io::retry_on_intr(|| poll(&mut polled, Some(&timespec(Duration::ZERO))))?;
    Ok(polled[0].revents())
}

/// Sleeps.
pub(crate) fn sleep(time: Duration) -> Result {
    if SUSPENDS.get() && !time.is_zero() {
        return Err(Stop::Waits(Readiness::new(Vec::new(), Instant::now().checked_add(time))));
    }
    match crate::memory::wait_lists::sleep(time) {
        crate::memory::wait_lists::Outcome::Interrupted => Err(Stop::Interrupted),
        _ => Ok(()),
    }
}
