//! The threads of the process that do what may block.
//!
//! They start when there is work and end when there has been none for a while. A few are enough for work that ends soon;
//! work that may wait for somebody else, such as opening a FIFO, says so ([`waiting`]) and does not count.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard},
    time::Duration,
};

use island::readiness::{Pollable, Readiness, Watch};

/// What a thread of the pool does once.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// How many threads work at once, not counting those that wait.
const BUSY: usize = 4;
/// How many threads there are at most.
const MOST: usize = 256;
/// How long a thread that has nothing to do stays.
const PATIENCE: Duration = Duration::from_secs(5);

struct Pool {
    queue: VecDeque<Work>,
    threads: usize,
    idle: usize,
    waiting: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { queue: VecDeque::new(), threads: 0, idle: 0, waiting: 0 });
static WAKE: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(|e| e.into_inner())
}

/// Does `work` on another thread. If the system gives the process not a single thread, it is done at once.
pub(crate) fn submit(work: Work) {
    let mut pool = lock();
    pool.queue.push_back(work);
    grow(&mut pool);
    let alone = if pool.threads == 0 { pool.queue.pop_back() } else { None };
    drop(pool);
    match alone {
        Some(work) => work(),
        None => WAKE.notify_one(),
    }
}

/// Starts a thread if there is more to do than there are threads for it.
fn grow(pool: &mut Pool) {
    if pool.queue.len() <= pool.idle || pool.threads >= MOST.min(BUSY + pool.waiting) {
        return;
    }
    pool.threads += 1;
    if std::thread::Builder::new().name("background".into()).stack_size(256 << 10).spawn(run).is_err() {
        pool.threads -= 1;
    }
}

fn run() {
    let mut pool = lock();
    loop {
        if let Some(work) = pool.queue.pop_front() {
            drop(pool);
            // The panic has been printed; it must not cost the pool its count.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            pool = lock();
            continue;
        }
        pool.idle += 1;
        let (back, waited) = WAKE.wait_timeout(pool, PATIENCE).unwrap_or_else(|e| e.into_inner());
        pool = back;
        pool.idle -= 1;
        if waited.timed_out() && pool.queue.is_empty() {
            pool.threads -= 1;
            return;
        }
    }
}

/// Runs `call`, which may wait for long, on a thread of the pool: another one may start in its place.
pub(crate) fn waiting<T>(call: impl FnOnce() -> T) -> T {
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            lock().waiting -= 1;
        }
    }
    let mut pool = lock();
    pool.waiting += 1;
    grow(&mut pool);
    drop(pool);
    let _done = Done;
    call()
}

/// Does `work` on the pool when `source` is readable, or at its end. If there can be no thread that watches, the pool's
/// thread waits itself.
pub(crate) fn when_readable(source: Pollable, work: Work) -> Option<Watch> {
    // Another process may take what there is to read, so that reading waits.
    let start = move || submit(Box::new(move || waiting(work)));
    match Readiness::readable(source).watch(start) {
        Ok(watch) => Some(watch),
        Err((_, start)) => {
            start();
            None
        }
    }
}
