//! The threads that Wasmtime starts for itself. If the system refuses one, Wasmtime panics or waits for ever; so the
//! threads that it needs are started before it begins.

use std::io;
use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::thread::Builder;

use crate::engine::progress::count;

/// As many threads as the machine can run at once, or as the environment variable says.
pub(crate) fn wanted(variable: &str) -> usize {
    let chosen = std::env::var(variable).ok().and_then(|count| count.parse().ok()).filter(|&count: &usize| count > 0);
    chosen.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
}

/// Starts as many threads as the machine can run at once, or as the environment variable says, or as the system allows:
/// at least one. What is sent to a thread is its work.
fn idle<T: Send + 'static>(name: &str, variable: &str, body: fn(T)) -> io::Result<Vec<Sender<T>>> {
    let wanted = wanted(variable);
    let mut threads = Vec::new();
    while threads.len() < wanted {
        let (work, receiver) = mpsc::channel();
        match Builder::new().name(name.into()).spawn(move || receiver.recv().into_iter().for_each(body)) {
            Ok(_) => threads.push(work),
            Err(_) if !threads.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(threads)
}

/// What the system said if it had no thread for the compiler; unset as long as nothing has been compiled.
static REFUSED: OnceLock<Option<String>> = OnceLock::new();

/// Whether this process has compiled anything.
pub(crate) fn has_compiled() -> bool {
    REFUSED.get().is_some()
}

/// Starts the threads that compile, once per process: as many as possible.
pub(crate) fn start_compilers() -> wasmtime::Result<()> {
    let start = || {
        let compile = |compiler: rayon_core::ThreadBuilder| {
            count();
            compiler.run();
        };
        let mut threads = match idle("compiler", "RAYON_NUM_THREADS", compile) {
            Ok(threads) => threads,
            Err(error) => return Some(error.to_string()),
        };
        let builder = rayon_core::ThreadPoolBuilder::new().num_threads(threads.len());
        let builder = builder.spawn_handler(|compiler| {
            let thread = threads.pop().ok_or(io::ErrorKind::WouldBlock)?;
            thread.send(compiler).map_err(|_| io::ErrorKind::BrokenPipe.into())
        });
        // If the embedder has started threads for this itself, those are used and ours end.
        let _ = builder.build_global();
        None
    };
    match REFUSED.get_or_init(start) {
        Some(error) => Err(wasmtime::Error::msg(format!("cannot start a compiler thread: {error}"))),
        None => Ok(()),
    }
}
