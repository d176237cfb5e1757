//! The ends of child processes.
//!
//! A process keeps its number until it is reaped. Reaping and killing happen under one lock, so that a signal never
//! reaches another process that got the number.

use std::{
    collections::HashSet,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::Child,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use agent::EventLoop;
use qjs::array::List;
use rquickjs::{Ctx, IntoJs, Value};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid},
};

use super::Started;
use crate::internal::{background::pool, system};

/// The children that have not been reaped.
static CHILDREN: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// How a process ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Status {
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
}

impl Status {
    pub(super) fn into_value<'js>(self, ctx: &Ctx<'js>) -> rquickjs::Result<Value<'js>> {
        List([self.code, self.signal]).into_js(ctx)
    }
}

fn children() -> std::sync::MutexGuard<'static, Option<HashSet<u32>>> {
    CHILDREN.lock().unwrap_or_else(|e| e.into_inner())
}

/// Sends a signal to a child that has not been reaped.
pub(super) fn kill(id: u32, signal: i32) -> Result<(), Errno> {
    let children = children();
    if !children.as_ref().is_some_and(|all| all.contains(&id)) {
        return Err(Errno::SRCH);
    }
    // The number is still the child's, see above.
    system::kill(id as i32, signal)
}

/// Waits for the end of a child and reaps it.
fn reap(mut child: Child) -> Status {
    let id = child.id();
    if let Some(pid) = Pid::from_raw(id as i32) {
        // The child stays until it is reaped under the lock.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == Errno::INTR) {}
    }
    let mut children = children();
    let status = child.wait();
    children.get_or_insert_default().remove(&id);
    drop(children);
    status.map_or_else(|_| Status::default(), |status| Status { code: status.code(), signal: status.signal() })
}

fn note(child: &Child) -> Option<OwnedFd> {
    children().get_or_insert_default().insert(child.id());
    pidfd_open(Pid::from_raw(child.id() as i32)?, PidfdFlags::empty()).ok()
}

/// Calls `ended`, on another thread, when a child has ended.
pub(super) fn when_ended(child: Child, ended: impl FnOnce(Status) + Send + 'static) {
    let notice = note(&child);
    let work: pool::Work = Box::new(move || ended(pool::waiting(|| reap(child))));
    match notice {
        Some(notice) => {
            if let Some(watch) = pool::when_readable(Arc::new(notice), work) {
                watch.detach();
            }
        }
        None => pool::submit(work),
    }
}

/// What `spawnSync` waits with.
pub(super) struct Limits {
    pub(super) inputs: Vec<Vec<u8>>,
    /// Milliseconds.
    pub(super) timeout: Option<f64>,
    pub(super) most: Option<usize>,
    pub(super) signal: i32,
}

/// How a child ended that was waited for, and what it wrote.
pub(super) struct Finished {
    pub(super) status: Status,
    pub(super) error: Option<Errno>,
    pub(super) outputs: Vec<Option<Vec<u8>>>,
}

/// Feeds a child, takes what it writes, and waits for its end. An agent that is told to stop stops waiting.
pub(super) fn finish(ctx: &Ctx<'_>, started: Started, limits: Limits) -> rquickjs::Result<Finished> {
    /// How often the agent looks whether it is to stop.
    const SLICE: Duration = Duration::from_millis(100);
    let mailbox = EventLoop::of(ctx)?.mailbox().clone();
    let Started { child, ends } = started;
    let id = child.id();
    let notice = note(&child);
    // (A time that is too long to be said never comes.)
    let timeout = limits.timeout.and_then(|timeout| Duration::try_from_secs_f64(timeout / 1e3).ok());
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut writers = Vec::new();
    let mut readers = Vec::new();
    let mut outputs: Vec<Option<Vec<u8>>> = Vec::new();
    for (index, end) in ends.into_iter().enumerate() {
        outputs.push((index > 0 && end.is_some()).then(Vec::new));
        let Some(end) = end else { continue };
        if index == 0 {
            let _ = rustix::io::ioctl_fionbio(&end, true);
            let input = limits.inputs.first().cloned().unwrap_or_default();
            if !input.is_empty() {
                writers.push((end, input, 0));
            }
        } else {
            readers.push((index, end));
        }
    }
    let mut error = None;
    let mut is_over = false;
    let stop = |reason: Errno, error: &mut Option<Errno>| {
        error.get_or_insert(reason);
        let _ = kill(id, limits.signal);
    };
    // A child that has ended may have left its pipes to others, who are waited for as well.
    while !(is_over && readers.is_empty()) {
        let mut fds: Vec<PollFd<'_>> = readers.iter().map(|(_, end)| PollFd::new(end, PollFlags::IN)).collect();
        fds.extend(writers.iter().map(|(end, ..)| PollFd::new(end, PollFlags::OUT)));
        if let Some(notice) = notice.as_ref().filter(|_| !is_over) {
            fds.push(PollFd::from_borrowed_fd(notice.as_fd(), PollFlags::IN));
        } else if readers.is_empty() {
            // Nothing tells of the end: it is waited for below.
            break;
        }
        let patience = deadline.map_or(SLICE, |deadline| SLICE.min(deadline.saturating_duration_since(Instant::now())));
        let patience = Timespec { tv_sec: patience.as_secs() as _, tv_nsec: patience.subsec_nanos().into() };
        let _ = poll(&mut fds, Some(&patience));
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        is_over |= ready.get(readers.len() + writers.len()).copied().unwrap_or(false);
        if mailbox.is_interrupted() {
            error.get_or_insert(Errno::INTR);
            let _ = kill(id, libc::SIGKILL);
            break;
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) && error.is_none() {
            stop(Errno::TIMEDOUT, &mut error);
            break;
        }
        let (can_read, can_write) = ready.split_at(readers.len());
        let mut can_write = can_write.iter();
        writers.retain_mut(|(end, input, at)| {
            if !can_write.next().copied().unwrap_or(false) {
                return true;
            }
            match rustix::io::write(&*end, &input[*at..]) {
                Ok(count) => *at += count,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return false,
            }
            *at < input.len()
        });
        let mut can_read = can_read.iter();
        readers.retain(|(index, end)| {
            if !can_read.next().copied().unwrap_or(false) {
                return true;
            }
            let mut chunk = [0; 64 << 10];
            match rustix::io::read(end, &mut chunk) {
                Ok(0) => false,
                Ok(count) => {
                    let Some(output) = outputs.get_mut(*index).and_then(Option::as_mut) else { return false };
                    output.extend_from_slice(&chunk[..count]);
                    if limits.most.is_some_and(|most| output.len() > most) {
                        stop(Errno::NOBUFS, &mut error);
                        return false;
                    }
                    true
                }
                Err(Errno::AGAIN | Errno::INTR) => true,
                Err(_) => false,
            }
        });
        if error == Some(Errno::NOBUFS) {
            break;
        }
    }
    drop(writers);
    drop(readers);
    Ok(Finished { status: reap(child), error, outputs })
}
