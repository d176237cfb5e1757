//! Runs the command in a folder of its own. A failed expectation prints the command, the folder with its files, the
//! status and both streams.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a process may take. Only one that hangs should ever meet this.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The repository's folder.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate lies in the repository")
}

/// A file of guests/.
pub(crate) fn guest(name: &str) -> PathBuf {
    repository().join("guests").join(name)
}

/// A folder for one test, which goes away with it.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tombolo-cli-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self { path: path.canonicalize().expect("it was made just now") }
    }

    /// A folder with one file.
    pub(crate) fn with(name: &str, contents: impl AsRef<[u8]>) -> Self {
        Self::new().and(name, contents)
    }

    /// Adds a file, with the folders that its name has.
    pub(crate) fn and(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders can be made");
        std::fs::write(path, contents).expect("files can be written");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The command with these arguments, to be run in this folder.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Run {
        Run::new(&self.path, args)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A command to run.
pub(crate) struct Run {
    command: Command,
    stdin: Vec<u8>,
}

impl Run {
    pub(crate) fn new<A: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = A>) -> Self {
        Self::of(env!("CARGO_BIN_EXE_tombolo").as_ref(), folder, args)
    }

    /// Another program in the command's place.
    pub(crate) fn of<A: AsRef<OsStr>>(program: &OsStr, folder: &Path, args: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(program);
        command.args(args).current_dir(folder);
        Self { command, stdin: Vec::new() }
    }

    /// The command in the place of a shell that has run `setup`.
    pub(crate) fn behind(setup: &str, folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new("sh");
        let program = env!("CARGO_BIN_EXE_tombolo");
        command.args(["-c", &format!("{setup}; exec \"$0\" \"$@\""), program]).args(args).current_dir(folder);
        Self { command, stdin: Vec::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = text.into();
        self
    }

    /// Sends both streams to one pipe, so that their order shows.
    pub(crate) fn merged(mut self) -> String {
        let (mut reader, writer) = std::io::pipe().expect("pipes can be made");
        self.command.stdout(writer.try_clone().expect("pipes can be cloned")).stderr(writer).stdin(Stdio::null());
        let mut child = self.command.spawn().expect("the command can be started");
        // The command keeps the writing ends open until it is dropped.
        drop(self.command);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("the streams are text");
        child.wait().expect("the child is ours");
        text
    }

    /// Runs it to its end.
    pub(crate) fn outcome(mut self) -> Outcome {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the command can be started");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A program that reads nothing may be gone before this is written.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let (status, timed_out) = wait(&mut child);
        let text = |thread: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&thread.join().expect("reading does not panic")).into_owned()
        };
        Outcome { command: self.command, status, timed_out, stdout: text(stdout), stderr: text(stderr) }
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    let mut stream = stream.expect("it is piped");
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came until an error is shown; the expectations say whether it is enough.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

/// The exit status (128 + n for signal n, as shells have it), and whether it had to be ended.
fn wait(child: &mut Child) -> (i32, bool) {
    use std::os::unix::process::ExitStatusExt;
    let start = Instant::now();
    let mut timed_out = false;
    loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
            return (code.unwrap_or(-1), timed_out);
        }
        if start.elapsed() > TIMEOUT && !timed_out {
            timed_out = true;
            child.kill().expect("the child is ours");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What a command did.
pub(crate) struct Outcome {
    command: Command,
    pub(crate) status: i32,
    pub(crate) timed_out: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Fails with everything that is known, and `why`.
    #[track_caller]
    pub(crate) fn fail(&self, why: &str) -> ! {
        panic!("{why}\n{}", self.report());
    }

    /// Everything that is known.
    pub(crate) fn report(&self) -> String {
        let folder = self.command.get_current_dir().unwrap_or(Path::new("?"));
        let mut text = format!("command: {:?}\nfolder:  {}\nfiles:\n", self.command, folder.display());
        let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(|entry| entry.file_name());
        for entry in entries {
            let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
            text.push_str(&format!("  {} ({bytes} bytes)\n", entry.file_name().display()));
        }
        let late = if self.timed_out { ", ended after a timeout" } else { "" };
        text.push_str(&format!("status:  {}{late}\n", self.status));
        text.push_str(&format!("---- stdout ----\n{}\n---- stderr ----\n{}\n----", self.stdout, self.stderr));
        text
    }

    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        if self.timed_out || self.status != status {
            self.fail(&format!("expected the exit code {status}"));
        }
        self
    }

    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Self {
        if self.stdout != expected {
            self.fail(&format!("expected exactly this on stdout: {expected:?}"));
        }
        self
    }

    #[track_caller]
    pub(crate) fn stderr(self, expected: &str) -> Self {
        if self.stderr != expected {
            self.fail(&format!("expected exactly this on stderr: {expected:?}"));
        }
        self
    }

    /// These parts are on stdout, in this order.
    #[track_caller]
    pub(crate) fn stdout_has(self, parts: &[&str]) -> Self {
        match missing(&self.stdout, parts) {
            Some(part) => self.fail(&format!("expected on stdout, after what comes before it: {part:?}")),
            None => self,
        }
    }

    /// These parts are on stderr, in this order.
    #[track_caller]
    pub(crate) fn stderr_has(self, parts: &[&str]) -> Self {
        match missing(&self.stderr, parts) {
            Some(part) => self.fail(&format!("expected on stderr, after what comes before it: {part:?}")),
            None => self,
        }
    }
}

/// The first of `parts` that `text` does not have after those before it.
pub(crate) fn missing<'a>(mut text: &str, parts: &[&'a str]) -> Option<&'a str> {
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return Some(part),
        }
    }
    None
}
