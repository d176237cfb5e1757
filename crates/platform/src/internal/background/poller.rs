//! One thread that waits for descriptors to become readable: pipes, terminals, sockets, and processes that end.
//!
//! Any thread adds a watch or takes it back; the poller hands what a watch is for to the pool, once.

use std::{
    collections::{BTreeMap, HashMap},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard},
};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use super::pool::{self, Work};

/// Something with a descriptor that stays open while it is watched.
pub(crate) type Watched = Arc<dyn AsFd + Send + Sync>;

#[derive(Default)]
struct Poller {
    last: u64,
    watches: BTreeMap<u64, (Watched, Work)>,
    /// Wakes the thread; there is one once there is a thread.
    wake: Option<Arc<OwnedFd>>,
}

static POLLER: Mutex<Poller> = Mutex::new(Poller { last: 0, watches: BTreeMap::new(), wake: None });

fn lock() -> MutexGuard<'static, Poller> {
    POLLER.lock().unwrap_or_else(|e| e.into_inner())
}

/// Names a watch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(u64);

/// Does `work` on the pool when `fd` is readable, or at its end. If there can be no thread that waits, the pool's thread
/// waits itself.
pub(crate) fn when_readable(fd: Watched, work: Work) -> Option<Watch> {
    let mut poller = lock();
    if poller.wake.is_none() {
        poller.wake = start();
    }
    let Some(wake) = poller.wake.clone() else {
        drop(poller);
        pool::submit(Box::new(move || pool::waiting(work)));
        return None;
    };
    poller.last += 1;
    let watch = Watch(poller.last);
    poller.watches.insert(watch.0, (fd, work));
    drop(poller);
    tell(&wake);
    Some(watch)
}

/// Takes a watch back. Returns false if its work has begun.
pub(crate) fn cancel(watch: Watch) -> bool {
    let mut poller = lock();
    let removed = poller.watches.remove(&watch.0);
    let wake = poller.wake.clone();
    drop(poller);
    // The thread must let go of the descriptor.
    if removed.is_some() {
        wake.inspect(|wake| tell(wake));
    }
    removed.is_some()
}

fn tell(wake: &OwnedFd) {
    let _ = rustix::io::write(wake, &1_u64.to_ne_bytes());
}

fn start() -> Option<Arc<OwnedFd>> {
    let wake = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?);
    let own = wake.clone();
    let thread = std::thread::Builder::new().name("poller".into()).stack_size(128 << 10);
    thread.spawn(move || run(&own)).ok().map(|_| wake)
}

fn run(wake: &OwnedFd) {
    loop {
        let watched: Vec<(u64, Watched)> = lock().watches.iter().map(|(id, (fd, _))| (*id, fd.clone())).collect();
        let mut polled = vec![PollFd::new(wake, PollFlags::IN)];
        // (The system refuses to poll more descriptors than a process may have; of one, there can be many watches.)
        let mut places = HashMap::new();
        for (_, fd) in &watched {
            let fd = (**fd).as_fd();
            places.entry(fd.as_raw_fd()).or_insert_with(|| {
                polled.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
                polled.len() - 1
            });
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // (Memory is short.)
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
        }
        let mut count = [0; 8];
        let _ = rustix::io::read(wake, &mut count);
        let is_ready = |fd: &Watched| !polled[places[&(**fd).as_fd().as_raw_fd()]].revents().is_empty();
        for (id, _) in watched.iter().filter(|(_, fd)| is_ready(fd)) {
            let found = lock().watches.remove(id);
            if let Some((_, work)) = found {
                // Another process may take what there is to read, so that reading waits.
                pool::submit(Box::new(move || pool::waiting(work)));
            }
        }
    }
}
