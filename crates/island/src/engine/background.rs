//! Work that can wait: it is done when the processor has nothing better to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rayon_core::ThreadPoolBuilder;

use crate::engine::threads;

/// The least time that work waits. A program that ends sooner never needed it.
const DELAY: Duration = Duration::from_millis(500);

/// A piece of work, and the moment before which it does not start.
type DelayedWork = (Instant, Box<dyn FnOnce() + Send>);

/// Does `work` later, on threads of the lowest priority. Work that is not done when the process ends is dropped, as is
/// all work if the system has no threads left.
pub(crate) fn do_later(work: impl FnOnce() + Send + 'static) {
    static QUEUE: Mutex<Option<Sender<DelayedWork>>> = Mutex::new(None);
    let mut queue = QUEUE.lock().unwrap_or_else(|e| e.into_inner());
    let work: DelayedWork = (Instant::now() + DELAY, Box::new(work));
    let rejected = match &*queue {
        Some(queue) => queue.send(work).err().map(|rejected| rejected.0),
        None => Some(work),
    };
    let Some(work) = rejected else { return };
    let (sender, receiver) = mpsc::channel::<DelayedWork>();
    let worker = thread::Builder::new().name("background".into()).spawn(move || {
        for (due, work) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            run(work);
        }
    });
    *queue = worker.is_ok().then_some(sender).inspect(|queue| drop(queue.send(work)));
}

/// Runs work that may use the threads of rayon, and leaves a processor to the program.
fn run(work: Box<dyn FnOnce() + Send>) {
    let threads = threads::wanted("RAYON_NUM_THREADS").saturating_sub(1).max(1);
    let yields = |_| {
        // Elsewhere this would be the priority of the whole process. If it is refused, the work is done all the same.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, 19);
    };
    let name = |number| format!("background {number}");
    let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(name).start_handler(yields).build();
    if let Ok(pool) = pool {
        // What panicked has been reported; the other work is done all the same.
        let _ = catch_unwind(AssertUnwindSafe(|| pool.install(work)));
    }
}
