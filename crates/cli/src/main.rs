//! The `tombolo` command: runs a JavaScript module, or a WASI command.

mod bind;
mod cache;
mod compile;
mod options;
mod progress;
mod report;
mod sandbox;
mod wasm;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use options::{Command, Task};
use report::Report;
use tombolo::{Exceeded, Permissions, Runtime, RuntimeOptions};

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
        Task::Run(command) => run_program(command),
        Task::Bind(command) => bind::run(&command),
        Task::Cache(command) => cache::run(&command),
        Task::Compile(command) => compile::run(&command),
    }
}

fn run_program(command: Command) -> i32 {
    let mut report = match Report::begin(command.guest_memory.clone()) {
        Ok(report) => report,
        Err(code) => return code,
    };
    let code = if command.is_wasm() { wasm::run(&command) } else { run_script(command, &mut report) };
    let code = report.end(code);
    if code == 0 && tombolo::platform::lost_output() { 1 } else { code }
}

fn run_script(command: Command, report: &mut Report) -> i32 {
    // As with `require`, an extension may be left out, and a folder may be a package.
    let with = |extension: &str| {
        let mut path = command.file.clone().into_os_string();
        path.push(extension);
        std::path::Path::new(&path).is_file()
    };
    if !command.file.exists() && ![".js", ".json"].into_iter().any(with) {
        tell(format_args!("tombolo: cannot find the file {}", command.file.display()));
        return 1;
    }
    let is_program = ["package.json", "index.js"].iter().any(|name| command.file.join(name).is_file());
    if command.file.is_dir() && !is_program {
        tell(format_args!("tombolo: {} is a folder, not a file", command.file.display()));
        return 1;
    }
    let mut argv = vec![command.executable.clone(), command.absolute_file()];
    argv.extend(command.arguments.iter().cloned());
    let mut options = RuntimeOptions { one_island: command.one_island, ..RuntimeOptions::default() };
    options.platform.argv = argv;
    options.platform.exec_path = command.executable.clone();
    options.platform.expose_gc = command.expose_gc;
    options.limits = command.bounds.limits();
    if let Some(time) = command.bounds.timeout {
        // What cannot be interrupted, and cannot be starved either, ends with the process.
        const PATIENCE: Duration = Duration::from_secs(1);
        end_process_after(time + PATIENCE, time);
    }
    options.permissions = match command.sandbox.permissions(&command.file) {
        // What is machine code for later runs.
        Ok(permissions) => command.code().into_iter().fold(permissions, Permissions::protect),
        Err(error) => {
            tell(format_args!("tombolo: {error}"));
            return 2;
        }
    };
    let runtime = command
        .new_engine()
        .and_then(|engine| Runtime::with_engine(engine, options).map_err(|error| error.to_string()));
    match runtime {
        Ok(mut runtime) => {
            let code = runtime.run_file(&command.file).exit_code;
            report.look(&runtime);
            match runtime.exceeded() {
                Some(Exceeded::Time) => tell_timeout(command.bounds.timeout.unwrap_or_default()),
                Some(_) => tell_output(command.bounds.limits().output.unwrap_or_default()),
                None => {}
            }
            code
        }
        Err(error) => {
            tell(format_args!("tombolo: {error}"));
            1
        }
    }
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
