//! A process of its own for each program: a folder that goes away, limits, and its whole group killed at the end.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::chown;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, getuid, kill_process_group};

use super::End;

/// The guests that programs use.
const GUESTS: [(&str, &[u8]); 8] = [
    ("callback", include_bytes!("../../../../guests/callback.wasm")),
    ("demo", include_bytes!("../../../../guests/demo.wasm")),
    ("growth", include_bytes!("../../../../guests/growth.wasm")),
    ("hello", include_bytes!("../../../../guests/hello.wasm")),
    ("shared", include_bytes!("../../../../guests/shared.wasm")),
    ("threads", include_bytes!("../../../../guests/threads.wasm")),
    ("values", include_bytes!("../../../../guests/values.wasm")),
    ("vocabulary", include_bytes!("../../../../guests/vocabulary.wasm")),
];

/// The user that may do nothing. Programs run as this user if we may choose.
const NOBODY: u32 = 65534;

/// What a process may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From start to end.
    pub time: Duration,
    /// Of resident memory. The address space is not limited: a memory of WebAssembly reserves gigabytes.
    pub resident: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(20), resident: 3 << 30 }
    }
}

/// What is known of a process that has ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// What it wrote to standard error.
    pub stderr: String,
    /// The program's own notes of what it did.
    pub trace: String,
}

/// Runs programs.
#[derive(Debug, Clone)]
pub struct Oracle {
    /// What is run, before the program's name.
    command: Vec<OsString>,
    limits: Limits,
    user: Option<u32>,
}

impl Oracle {
    /// Runs programs by this command line, to which the program's path is added.
    pub fn new<A: AsRef<OsStr>>(command: impl IntoIterator<Item = A>, limits: Limits) -> Self {
        let command: Vec<_> = command.into_iter().map(|part| part.as_ref().to_os_string()).collect();
        let mut oracle = Self { command, limits, user: None };
        if getuid().is_root() {
            // The user nobody cannot even reach the command if that lies in somebody's home.
            let mut probe = Command::new("test");
            probe.arg("-x").arg(&oracle.command[0]).uid(NOBODY).stderr(Stdio::null());
            oracle.user = probe.status().is_ok_and(|status| status.success()).then_some(NOBODY);
        }
        oracle
    }

    /// Runs programs by this `tombolo`.
    pub fn of_tombolo(tombolo: &Path, limits: Limits) -> Self {
        Self::new([tombolo.as_os_str(), OsStr::new("--expose-gc")], limits)
    }

    /// Runs a program to its end.
    pub fn run(&self, source: &str) -> Result<Run> {
        let folder = Folder::new(self.user)?;
        folder.write("program.mjs", source.as_bytes())?;
        folder.create("guests")?;
        for (name, bytes) in GUESTS {
            folder.write(&format!("guests/{name}.wasm"), bytes)?;
        }
        folder.create("work")?;
        let read =
            |name: &str| String::from_utf8_lossy(&fs::read(folder.path.join(name)).unwrap_or_default()).into_owned();
        let end = self.wait(self.spawn(&folder)?)?;
        Ok(Run { end, stderr: read("stderr"), trace: read("trace") })
    }

    fn spawn(&self, folder: &Folder) -> Result<Child> {
        let stderr = fs::File::create(folder.path.join("stderr"))?;
        let mut command = Command::new("sh");
        // No core, and no file above 32 MiB, which is an error to the program and not a signal.
        command.args(["-c", "ulimit -c 0; ulimit -f 65536; trap '' XFSZ; exec \"$@\"", "sh"]);
        command.args(&self.command).arg("../program.mjs");
        command.current_dir(folder.path.join("work")).env("HOME", &folder.path).env("TMPDIR", folder.path.join("work"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).process_group(0);
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command.spawn().context("could not start a process")
    }

    fn wait(&self, mut child: Child) -> Result<End> {
        let start = Instant::now();
        let group = Pid::from_child(&child);
        let mut pause = Duration::from_millis(1);
        let end = loop {
            if let Some(status) = child.try_wait()? {
                return Ok(status.signal().map_or_else(|| End::Exit(status.code().unwrap_or_default()), End::Signal));
            }
            if start.elapsed() > self.limits.time {
                break End::TimedOut;
            }
            if resident(child.id()) > self.limits.resident {
                break End::TooLarge;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        };
        // The group exists until somebody has waited for its first process.
        let _ = kill_process_group(group, Signal::KILL);
        child.wait()?;
        Ok(end)
    }
}

/// The bytes of a process that are in memory; 0 if the system does not say.
fn resident(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages: Option<u64> = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or_default() * rustix::param::page_size() as u64
}

/// A folder for one run, which goes away with it.
struct Folder {
    path: PathBuf,
    owner: Option<u32>,
}

impl Folder {
    fn new(owner: Option<u32>) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tombolo-fuzzing-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Self { path: std::env::temp_dir().join(name), owner };
        folder.create("")?;
        Ok(folder)
    }

    fn create(&self, name: &str) -> Result<()> {
        let path = self.path.join(name);
        fs::create_dir(&path)?;
        self.give(&path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        fs::write(&path, bytes)?;
        self.give(&path)
    }

    fn give(&self, path: &Path) -> Result<()> {
        if let Some(owner) = self.owner {
            chown(path, Some(owner), Some(owner))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays is no reason to fail.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracles::finding;

    fn run(script: &str, time: Duration) -> Run {
        Oracle::new(["sh", "-c", script], Limits { time, ..Limits::default() }).run("").unwrap()
    }

    /// More than any machine takes to start a shell.
    const LONG: Duration = Duration::from_secs(120);

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(run("exit 0", LONG).end, End::Exit(0));
        assert_eq!(run("exit 101", LONG).end, End::Exit(101));
        assert_eq!(run("kill -ABRT $$", LONG).end, End::Signal(6));
        assert_eq!(run("kill -SEGV $$", LONG).end, End::Signal(11));
    }

    #[test]
    fn what_hangs_is_killed_with_all_that_it_started() {
        let run = run("sleep 1000 & echo $! >&2; wait", Duration::from_secs(1));
        assert_eq!(run.end, End::TimedOut);
        let child = run.stderr.trim();
        // A process that was killed is still there until it has had a core, and then a zombie until somebody has waited
        // for it.
        let lives = || {
            let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            !state.is_empty() && !state.contains(") Z")
        };
        while lives() {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(finding(&run, true).is_some());
    }

    #[test]
    fn memory_is_limited() {
        let script = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done";
        let limits = Limits { time: LONG, resident: 64 << 20 };
        assert_eq!(Oracle::new(["sh", "-c", script], limits).run("").unwrap().end, End::TooLarge);
    }

    #[test]
    fn a_run_has_a_folder_of_its_own() {
        let run = run("pwd >&2; ls .. >&2; echo note >../trace; echo x >file; ls >&2", LONG);
        assert!(run.stderr.contains("program.mjs") && run.stderr.ends_with("file\n"), "{}", run.stderr);
        assert_eq!(run.trace, "note\n");
        assert!(!Path::new(run.stderr.lines().next().unwrap()).exists());
    }
}
