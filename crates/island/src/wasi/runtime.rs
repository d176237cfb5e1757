//! The threads of `wasmtime-wasi`'s Tokio runtime, which panics if the system refuses one: so it is started only when
//! they can be had.

use std::io;
use std::sync::OnceLock;

use crate::engine::threads::{Idle, idle};

/// Starts the threads, once per process.
pub(crate) fn start() -> io::Result<()> {
    static REFUSED: OnceLock<Option<i32>> = OnceLock::new();
    let start = || {
        let (threads, wanted) = match idle("wasi", "TOKIO_WORKER_THREADS", |(): ()| {}) {
            Ok(threads) => threads,
            Err(error) => return error.raw_os_error().or(Some(libc::EAGAIN)),
        };
        let all = threads.len() == wanted;
        for Idle { work, thread } in threads {
            drop(work);
            let _ = thread.join();
        }
        if !all {
            return Some(libc::EAGAIN);
        }
        // The descriptors that its event loop takes.
        match (0..4).map(|_| std::fs::File::open("/dev/null")).collect::<io::Result<Vec<_>>>() {
            Ok(files) => drop(files),
            Err(error) => return error.raw_os_error().or(Some(libc::EMFILE)),
        }
        wasmtime_wasi::runtime::with_ambient_tokio_runtime(|| ());
        None
    };
    REFUSED.get_or_init(start).map_or(Ok(()), |error| Err(io::Error::from_raw_os_error(error)))
}
