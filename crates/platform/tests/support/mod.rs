//! Runs a script in an agent on a thread of its own and collects what it prints.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use agent::{Agent, AgentOptions, Outcome};
use tombolo_platform::Options;

/// A writer whose bytes another thread reads afterwards.
#[derive(Clone, Default)]
pub(crate) struct Capture(Arc<Mutex<Vec<u8>>>);

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Capture {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What a program printed and how it ended.
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a file as the main module.
pub(crate) fn run_file(path: &Path) -> Run {
    let path = path.to_string_lossy().into_owned();
    let (out, err) = (Capture::default(), Capture::default());
    let options = (out.clone(), err.clone());
    // JavaScript may use 4 MiB of stack, more than a test's thread has.
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(move || {
        let agent = Agent::new(AgentOptions::default()).unwrap();
        tombolo_platform::set_module_loader(&agent);
        let options = Options {
            argv: vec!["tombolo".into(), path.clone()],
            exec_path: "tombolo".into(),
            expose_gc: true,
            stdout: Some(std::sync::Arc::new(std::sync::Mutex::new(options.0))),
            stderr: Some(std::sync::Arc::new(std::sync::Mutex::new(options.1))),
            ..Options::default()
        };
        agent.with(|ctx| tombolo_platform::install(ctx, options)).unwrap();
        agent.run_task(|ctx| tombolo_platform::run_main(ctx, &path));
        agent.run()
    });
    let outcome = thread.unwrap().join().unwrap();
    Run { outcome, stdout: out.text(), stderr: err.text() }
}

/// A folder of files that is removed afterwards.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tombolo-platform-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder.canonicalize().unwrap())
    }

    /// Runs one of the files; in the output, `DIR` stands for the folder's name.
    pub(crate) fn run(&self, name: &str) -> Run {
        let mut run = run_file(&self.0.join(name));
        let folder = self.0.to_string_lossy();
        run.stdout = run.stdout.replace(&*folder, "DIR");
        run.stderr = run.stderr.replace(&*folder, "DIR");
        run
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a source text as the main module.
pub(crate) fn run(source: &str) -> Run {
    Folder::new(&[("main.mjs", source)]).run("main.mjs")
}
