//! The command at a terminal: a pseudo terminal, and what a person sees on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::harness::Folder;

/// How long something may take to appear. Only what never does should meet this.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The command at a terminal of 80 columns.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// Everything that was shown, and how much of it has been looked at.
    shown: String,
    at: usize,
}

impl Terminal {
    pub(crate) fn start(folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let (mut ours, mut theirs) = (0, 0);
        let size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the pointers are to two numbers, to nothing, and to a size.
        let made = unsafe { libc::openpty(&mut ours, &mut theirs, std::ptr::null_mut(), std::ptr::null(), &size) };
        assert_eq!(made, 0, "a pseudo terminal can be made");
        // SAFETY: both were opened just now, and nothing else has them.
        let (ours, theirs) = unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) };
        let mut command = Command::new(env!("CARGO_BIN_EXE_tombolo"));
        let end = || theirs.try_clone().expect("descriptors can be copied");
        command.args(args).current_dir(folder).stdin(end()).stdout(end()).stderr(end());
        for name in ["NO_COLOR", "FORCE_COLOR", "TOMBOLO_REPL_HISTORY"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color").env("XDG_STATE_HOME", folder.join("state"));
        command.envs(variables.iter().copied());
        // SAFETY: both calls may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            })
        };
        let child = command.spawn().expect("the command can be started");
        drop((command, theirs));
        let (sender, output) = mpsc::channel();
        let mut screen = ours.try_clone().expect("descriptors can be copied");
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard: ours, output, shown: String::new(), at: 0 }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until this is shown, after what was waited for before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        let end = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = self.shown[self.at..].find(text) {
                self.at += found + text.len();
                return;
            }
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => {
                    panic!("{text:?} is not shown after {:?}:\n{:?}", &self.shown[..self.at], &self.shown[self.at..])
                }
            }
        }
    }

    /// Types a line, and waits for what it gives.
    #[track_caller]
    pub(crate) fn line(&mut self, line: &str, gives: &str) {
        self.press(line);
        self.press("\r");
        self.sees(gives);
    }

    /// Waits for the end. Returns the exit code and what was shown from where we have looked.
    pub(crate) fn end(mut self) -> (i32, String) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().expect("the child is ours");
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_secs(1)) {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        (code, self.shown[self.at..].to_owned())
    }
}

fn ends(folder: &Folder, args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    Terminal::start(folder.path(), args, variables).end()
}

#[test]
fn values_are_colored() {
    let folder = Folder::new();
    let (code, shown) = ends(&folder, &["-p", "[1, 'a']"], &[]);
    assert_eq!((code, &*shown), (0, "[ \u{1b}[33m1\u{1b}[39m, \u{1b}[32m'a'\u{1b}[39m ]\r\n"));
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb"), ("NODE_DISABLE_COLORS", "1"), ("FORCE_COLOR", "0")] {
        let (code, shown) = ends(&folder, &["-p", "[1, 'a']"], &[(name, value)]);
        assert_eq!((code, &*shown), (0, "[ 1, 'a' ]\r\n"), "{name}={value}");
    }
}

#[test]
fn texts_are_not_colored() {
    let (code, shown) = ends(&Folder::new(), &["-p", "'a'"], &[]);
    assert_eq!((code, &*shown), (0, "a\r\n"));
}

#[test]
fn errors_are_colored() {
    let (code, shown) = ends(&Folder::new(), &["-e", "throw Object.assign(new Error('x'), { code: 1 })"], &[]);
    assert_eq!(code, 1);
    for part in ["[eval]:1\r\n", "\u{1b}[31mUncaught\u{1b}[39m Error: x", "code: \u{1b}[33m1\u{1b}[39m"] {
        assert!(shown.contains(part), "{part:?} in {shown:?}");
    }
}

#[test]
fn mistakes_in_the_command_line_are_colored() {
    let folder = Folder::new();
    let (code, shown) = ends(&folder, &["--no-such-flag"], &[]);
    assert!(code == 2 && shown.contains("\u{1b}[1m\u{1b}[31merror:"), "{shown:?}");
    let (code, shown) = ends(&folder, &["--no-such-flag"], &[("NO_COLOR", "1")]);
    assert!(code == 2 && shown.contains("error:") && !shown.contains('\u{1b}'), "{shown:?}");
}

#[test]
fn the_streams_are_terminals() {
    let code = "console.log(process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY, process.stdout.columns)";
    let (exit, shown) = ends(&Folder::new(), &["-e", code], &[("NO_COLOR", "1")]);
    assert_eq!((exit, &*shown), (0, "true true true 80\r\n"));
}

#[test]
fn a_key_interrupts_a_program() {
    let folder = Folder::new();
    let mut terminal = Terminal::start(folder.path(), &["-e", "console.log('runs'); for (;;);"], &[]);
    terminal.sees("runs");
    terminal.press("\u{3}");
    assert_eq!(terminal.end().0, 130);
    let listener = "process.on('SIGINT', (name, number) => { console.log(name, number); process.exit(4); });
                    console.log('runs'); setInterval(() => {}, 1000);";
    let mut terminal = Terminal::start(folder.path(), &["-e", listener], &[("NO_COLOR", "1")]);
    terminal.sees("runs");
    terminal.press("\u{3}");
    terminal.sees("SIGINT 2");
    assert_eq!(terminal.end().0, 4);
}
