//! What happened when a program ran, and whether it may happen.

mod process;

use std::fmt;

pub use process::{Limits, Oracle, Run};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal that we did not send.
    Signal(i32),
    /// Not within its time.
    TimedOut,
    /// It took more memory than it may, and was killed. Scripts may do that.
    TooLarge,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("not ended in time"),
            Self::TooLarge => f.write_str("too much memory"),
        }
    }
}

/// What a process says before it aborts, or must never say.
const CONFESSIONS: [&str; 8] = [
    "panicked at",
    "internal error of tombolo",
    "has overflowed its stack",
    "Assertion",
    "fatal runtime error",
    "memory allocation of",
    "corrupted",
    "double free",
];

/// The code of a Rust program that panicked.
const PANICKED: i32 = 101;

/// The signature of a finding, by which two findings count as the same; `None` if nothing is wrong. A program that does
/// not see to its end itself (`ends` is false) may run for ever.
pub fn finding(run: &Run, ends: bool) -> Option<String> {
    let confession = run.stderr.lines().find(|line| CONFESSIONS[..2].iter().any(|text| line.contains(text)));
    match run.end {
        End::Signal(_) | End::Exit(PANICKED) => {
            let said = confession
                .or_else(|| run.stderr.lines().find(|line| CONFESSIONS.iter().any(|text| line.contains(text))));
            Some(match said {
                Some(line) if line.contains("overflowed its stack") => {
                    format!("{}: stack overflow in {}", run.end, doing(run))
                }
                Some(line) => format!("{}: {}", run.end, without_numbers(line)),
                None => format!("{} in {}", run.end, doing(run)),
            })
        }
        End::TimedOut if ends => Some(format!("{} in {}", run.end, doing(run))),
        _ => confession.map(without_numbers),
    }
}

/// The last thing that a program noted that it did, without its arguments.
fn doing(run: &Run) -> &str {
    let is_call = |line: &&str| !line.ends_with(" terminate") && !line.ends_with(" exit");
    let line = run.trace.lines().rev().find(is_call).unwrap_or_default();
    let call = line.split_once("] ").map_or(line, |(_, call)| call);
    call.split('(').next().unwrap_or(call)
}

/// A message without what differs from run to run: addresses, thread numbers, sizes. Places in files (`a.rs:1:2`) keep
/// theirs.
fn without_numbers(line: &str) -> String {
    let words = line.split(' ').map(|word| match word.contains(".rs:") || word.contains(".c:") {
        true => word.to_string(),
        false => {
            let mut out = String::new();
            for c in word.chars() {
                match c.is_ascii_digit() {
                    true if out.ends_with('#') => {}
                    true => out.push('#'),
                    false => out.push(c),
                }
            }
            out
        }
    });
    words.collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(end: End, stderr: &str) -> Run {
        Run {
            end,
            stderr: stderr.to_string(),
            trace: "[0] line 1\n[1] WebAssembly.Memory.grow(1) on <x>\n[0] exit\n".to_string(),
        }
    }

    #[test]
    fn what_is_a_finding() {
        let signature = |end, stderr| finding(&run(end, stderr), true);
        assert_eq!(signature(End::Exit(0), "all went well"), None);
        assert_eq!(signature(End::Exit(1), "Uncaught Error: x"), None);
        assert_eq!(signature(End::TooLarge, ""), None);
        let panic = "thread '<unnamed>' (123) panicked at crates/a/src/b.rs:1:2:\nno";
        let of_panic = "thread '<unnamed>' (#) panicked at crates/a/src/b.rs:1:2:";
        assert_eq!(signature(End::Exit(0), panic).unwrap(), of_panic);
        assert_eq!(signature(End::Exit(101), panic).unwrap(), format!("exit 101: {of_panic}"));
        assert_eq!(signature(End::Exit(101), "").unwrap(), "exit 101 in WebAssembly.Memory.grow");
        assert_eq!(signature(End::Signal(11), "").unwrap(), "signal 11 in WebAssembly.Memory.grow");
        let overflow = "thread 'main' (7) has overflowed its stack";
        assert_eq!(signature(End::Signal(6), overflow).unwrap(), "signal 6: stack overflow in WebAssembly.Memory.grow");
        assert_eq!(
            signature(End::Signal(6), "memory allocation of 77 bytes failed").unwrap(),
            "signal 6: memory allocation of # bytes failed"
        );
        assert_eq!(signature(End::Exit(1), "internal error of tombolo: 5").unwrap(), "internal error of tombolo: #");
    }

    #[test]
    fn only_what_ends_itself_must_end() {
        assert!(finding(&run(End::TimedOut, ""), true).is_some());
        assert_eq!(finding(&run(End::TimedOut, ""), false), None);
    }
}
