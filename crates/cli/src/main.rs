//! The `tombolo` command: runs a JavaScript module, or a WASI command.

mod bind;
mod cache;
mod compile;
mod completions;
mod inspect;
mod options;
mod progress;
mod repl;
mod report;
mod sandbox;
mod script;
mod wasm;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use options::{Command, Task};
use report::Report;
use tombolo::Exceeded;

fn main() -> ExitCode {
    // A file that may not grow any more is an error for whoever writes to it, not the end of the process.
    // SAFETY: no handler is installed; the signal is ignored from here on.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    #[cfg(target_env = "gnu")]
    if tombolo::data_block::is_short() {
        // Each thread's own arena of glibc's allocator would take up to 128 MiB of addresses.
        // SAFETY: it is an option of the allocator, which no other thread uses yet.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
    }
    let task = match options::parse() {
        Ok(task) => task,
        Err(code) => return code,
    };
    // Programs run on a thread whose stack fits the limits that JavaScript and guests are given.
    let thread = std::thread::Builder::new().name("main".into()).stack_size(task.stack_size());
    let thread = thread.spawn(move || run(task));
    let code = match thread.map(|thread| thread.join()) {
        Ok(Ok(code)) => code,
        // The panic has been printed.
        Ok(Err(_)) => 101,
        Err(error) => {
            tell(format_args!("tombolo: cannot start a thread: {error}"));
            1
        }
    };
    // `main` does not return here: other threads may still be running, and nobody waits for them.
    std::process::exit(code)
}

fn run(task: Task) -> i32 {
    match task {
        Task::Run(command) => run_program(&command),
        Task::Bind(command) => bind::run(&command),
        Task::Cache(command) => cache::run(&command),
        Task::Compile(command) => compile::run(&command),
        Task::Completions(command) => completions::run(&command),
        Task::Inspect(command) => inspect::run(&command),
    }
}

fn run_program(command: &Command) -> i32 {
    let mut report = match Report::begin(command.guest_memory.clone()) {
        Ok(report) => report,
        Err(code) => return code,
    };
    let code = match command.wasi_command() {
        Some(file) => wasm::run(command, file),
        None => script::run(command, &mut report),
    };
    let code = report.end(code);
    if code == 0 && tombolo::platform::lost_output() { 1 } else { code }
}

/// Ends the process when this time is over, if it is still there.
fn end_process_after(patience: Duration, timeout: Duration) {
    let end = move || {
        std::thread::sleep(patience);
        tell_timeout(timeout);
        std::process::exit(Exceeded::Time.exit_code());
    };
    // (If there is no thread for this, there is none for what interrupts the program either, which is an error.)
    let _ = std::thread::Builder::new().name("timeout".into()).stack_size(128 << 10).spawn(end);
}

fn tell_timeout(timeout: Duration) {
    tell(format_args!("tombolo: the program was ended because it ran for {timeout:?} (--timeout)"));
}

fn tell_output(bytes: u64) {
    tell(format_args!("tombolo: the program was ended because it wrote more than {bytes} bytes (--max-output)"));
}

/// Writes to standard output. Returns whether all of it went there, or nobody wanted it.
fn print(text: &str) -> bool {
    !is_lost(std::io::stdout().write_all(text.as_bytes()))
}

/// Whether something that was written to standard output is lost. (It is not if the reader of a pipe has gone.)
fn is_lost(written: std::io::Result<()>) -> bool {
    let flushed = written.and_then(|()| std::io::stdout().flush());
    flushed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe)
}

/// Writes a line to standard error. If that is closed or full, there is nobody to tell.
fn tell(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
