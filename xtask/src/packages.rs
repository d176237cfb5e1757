//! Runs the scripts of `tests/packages` one after another, measures them, and compares the outcome with the list of
//! those that do not pass yet.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use testing::packages::{self, NotYet, Package};

/// How long a script may take, compilation included.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn run(args: &[&str]) -> ExitCode {
    super::report("packages", compare(args))
}

/// Everything that is not as the list says.
fn compare(args: &[&str]) -> io::Result<Vec<String>> {
    let (node, names) = match args {
        ["--node", node, names @ ..] => (Some(Path::new(node).canonicalize()?), names),
        names => (None, names),
    };
    let command = super::command()?;
    let list = NotYet::read().map_err(io::Error::other)?;
    let mut chosen = Package::all();
    if let Some(unknown) = names.iter().find(|name| chosen.iter().all(|package| package.name != **name)) {
        return Err(io::Error::other(format!("tests/packages has no script for {unknown}")));
    }
    chosen.retain(|package| names.is_empty() || names.contains(&&*package.name));
    if !chosen.iter().all(Package::is_installed) {
        install()?;
    }
    let scratch = Scratch::new()?;
    print_header(node.is_some());
    let mut problems = Vec::new();
    for (at, package) in chosen.iter().enumerate() {
        let cache = scratch.0.join(format!("cache-{at}"));
        let folder = scratch.0.join("command");
        let mut host = Host::new(&command, &folder, Some(&cache))?;
        let first = host.measure(package)?;
        // Nothing is said of how long a script takes that fails.
        let again = if first.failure.is_none() { Some(host.measure(package)?) } else { None };
        let there = match &node {
            Some(node) => Some(Host::new(node, &scratch.0.join("node"), None)?.measure(package)?),
            None => None,
        };
        print_row(package, &first, again.as_ref(), there.as_ref());
        let last = again.as_ref().unwrap_or(&first);
        problems.extend(list.judge(&package.name, last.failure.as_deref()).err());
        let broken = there.and_then(|ran| ran.failure);
        problems.extend(broken.map(|failure| format!("{}: with node: {failure}", package.name)));
    }
    Ok(problems)
}

fn install() -> io::Result<()> {
    let folder = packages::folder();
    let status =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(io::Error::other(format!("npm ci in {}: {status}", folder.display()))),
        Err(error) => Err(io::Error::new(error.kind(), format!("npm cannot be started: {error}"))),
    }
}

/// A folder that goes away with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tombolo-packages-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // One that stays does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What runs the scripts.
struct Host<'a> {
    program: &'a Path,
    /// Where output goes, and where `node` is this program.
    folder: &'a Path,
    /// Where compiled code is kept.
    cache: Option<&'a Path>,
}

/// How a run went.
struct Ran {
    failure: Option<String>,
    wall: Duration,
    /// Of all its threads, and the children that it waited for.
    cpu: Duration,
    /// The most memory that it, or a child, had at once, in bytes.
    peak: u64,
}

impl<'a> Host<'a> {
    fn new(program: &'a Path, folder: &'a Path, cache: Option<&'a Path>) -> io::Result<Self> {
        if !folder.exists() {
            packages::alias_node(program, folder)?;
        }
        Ok(Self { program, folder, cache })
    }

    fn measure(&mut self, package: &Package) -> io::Result<Ran> {
        let (stdout, stderr) = (self.folder.join("out"), self.folder.join("err"));
        let mut path = self.folder.as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(self.program);
        command.arg(&package.script).current_dir(packages::folder()).env("PATH", path).stdin(Stdio::null());
        command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        if let Some(cache) = self.cache {
            command.env("TOMBOLO_CACHE", cache);
        }
        let start = Instant::now();
        let (exit_code, usage) = wait(command.spawn()?, start + LIMIT)?;
        let wall = start.elapsed();
        let (stdout, stderr) = (fs::read(&stdout)?, fs::read(&stderr)?);
        let failure =
            packages::failure(exit_code, &String::from_utf8_lossy(&stdout), &String::from_utf8_lossy(&stderr));
        let seconds = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
        };
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
        Ok(Ran { failure, wall, cpu, peak: usage.ru_maxrss.unsigned_abs() * 1024 })
    }
}

/// Waits for a process, and ends it if it takes too long. Its exit code, if it ended by itself, and what it used.
fn wait(child: Child, limit: Instant) -> io::Result<(Option<i32>, libc::rusage)> {
    let id = child.id().cast_signed();
    loop {
        let mut status = 0;
        // SAFETY: all bytes zero are a value of this structure of integers.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both places can be written to; nobody else waits for this child, since `child` is ours.
        let ended = unsafe { libc::wait4(id, &raw mut status, libc::WNOHANG, &raw mut usage) };
        if ended < 0 {
            return Err(io::Error::last_os_error());
        }
        if ended == id {
            return Ok((libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)), usage));
        }
        if Instant::now() > limit {
            // SAFETY: the child has not been waited for, so the number is still its own.
            unsafe { libc::kill(id, libc::SIGKILL) };
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn print_header(with_node: bool) {
    let node = if with_node { " node | CPU | MB |" } else { "" };
    let line = if with_node { " --: | --: | --: |" } else { "" };
    println!("| package | version | outcome | first | again | CPU | MB |{node}");
    println!("| --- | --- | --- | --: | --: | --: | --: |{line}");
}

fn print_row(package: &Package, first: &Ran, again: Option<&Ran>, there: Option<&Ran>) {
    let last = again.unwrap_or(first);
    let outcome = last.failure.as_deref().unwrap_or("runs");
    let outcome: String = outcome.chars().take(120).collect();
    let version = packages::version(&package.name).unwrap_or_default();
    let mut row = format!("| {} | {version} | {} |", package.name, outcome.replace('|', "\\|"));
    let figures = |ran: &Ran| format!(" {} | {} | {} |", seconds(ran.wall), seconds(ran.cpu), ran.peak >> 20);
    if last.failure.is_none() {
        row += &format!(" {} |{}", seconds(first.wall), figures(last));
    } else {
        row += " | | | |";
    }
    if let Some(there) = there {
        row += &figures(there);
    }
    println!("{row}");
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
