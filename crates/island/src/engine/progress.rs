//! How far a compilation is, for whoever waits for it.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use cranelift_codegen::timing::{Pass, Profiler, set_thread_profiler};
use wasmparser::{Parser, Payload};

/// How far the compilation of a module is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// The size of the module in bytes.
    pub bytes: usize,
    /// How many functions the module has.
    pub functions: usize,
    /// How many of them are compiled; `None` if that is not known, because other modules are being compiled, too.
    pub compiled: Option<usize>,
    /// How long it has taken so far.
    pub elapsed: Duration,
    /// Whether nothing is left to do.
    pub is_done: bool,
}

/// How many functions the compiler's threads have begun to compile, for all modules.
static COMPILED: AtomicUsize = AtomicUsize::new(0);

/// How many modules are being compiled.
static COMPILING: AtomicUsize = AtomicUsize::new(0);

/// Counts functions, in the place of Cranelift's clock, which costs more.
struct Counter;

impl Profiler for Counter {
    fn start_pass(&self, pass: Pass) -> Box<dyn Any> {
        if pass == Pass::compile {
            COMPILED.fetch_add(1, Ordering::Relaxed);
        }
        Box::new(())
    }
}

/// Has this thread count what it compiles.
pub(crate) fn count() {
    drop(set_thread_profiler(Box::new(Counter)));
}

/// Compiles a module, and calls `tell` again and again once that has taken half a second.
pub(crate) fn watched<R>(tell: fn(&Progress), module: &[u8], compile: impl FnOnce() -> R) -> R {
    /// A person does not notice a shorter wait.
    const LONG: Duration = Duration::from_millis(500);
    const STEP: Duration = Duration::from_millis(100);
    let start = Instant::now();
    let (before, mut alone) = (COMPILED.load(Ordering::Relaxed), COMPILING.fetch_add(1, Ordering::Relaxed) == 0);
    let mut progress = Progress {
        bytes: module.len(),
        functions: functions(module),
        compiled: None,
        elapsed: Duration::ZERO,
        is_done: false,
    };
    let (compiling, compiled) = mpsc::channel::<()>();
    // If the system has no thread for this, nobody is told.
    let watch = thread::Builder::new().name("watch".into()).spawn(move || {
        let mut step = LONG;
        while compiled.recv_timeout(step) == Err(RecvTimeoutError::Timeout) {
            alone &= COMPILING.load(Ordering::Relaxed) == 1;
            let count = COMPILED.load(Ordering::Relaxed) - before;
            // What calls from and into the host need is compiled as well.
            progress.compiled = alone.then_some(count.min(progress.functions));
            progress.elapsed = start.elapsed();
            tell(&progress);
            step = STEP;
        }
        if step == STEP {
            tell(&Progress { is_done: true, elapsed: start.elapsed(), ..progress });
        }
    });
    let result = compile();
    drop(compiling);
    COMPILING.fetch_sub(1, Ordering::Relaxed);
    // It says that this is done before anything else happens.
    let _ = watch.map(thread::JoinHandle::join);
    result
}

fn functions(module: &[u8]) -> usize {
    let count = Parser::new(0).parse_all(module).find_map(|payload| match payload {
        Ok(Payload::CodeSectionStart { count, .. }) => Some(count as usize),
        _ => None,
    });
    count.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{Engine, EngineOptions, Module};

    static TOLD: Mutex<Vec<Progress>> = Mutex::new(Vec::new());

    #[test]
    fn it_is_told_until_it_is_done() {
        let module = wat::parse_str("(module (import \"m\" \"f\" (func)) (func) (func) (func))").unwrap();
        let tell: fn(&Progress) = |progress| TOLD.lock().unwrap().push(progress.clone());
        let result = watched(tell, &module, || {
            while TOLD.lock().unwrap().len() < 2 {
                thread::sleep(Duration::from_millis(5));
            }
            17
        });
        let told = TOLD.lock().unwrap();
        let (last, others) = told.split_last().unwrap();
        assert!(result == 17 && last.is_done && others.iter().all(|progress| !progress.is_done));
        assert!(told.iter().all(|progress| (progress.functions, progress.bytes) == (3, module.len())));
        assert!(told.is_sorted_by_key(|progress| progress.elapsed));
    }

    #[test]
    fn compilers_count() {
        let engine = Engine::new(&EngineOptions::default()).unwrap();
        let before = COMPILED.load(Ordering::Relaxed);
        Module::new(&engine, &wat::parse_str(format!("(module {})", "(func)".repeat(500))).unwrap()).unwrap();
        assert!(COMPILED.load(Ordering::Relaxed) - before >= 500);
    }
}
