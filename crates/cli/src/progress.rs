//! Tells a person at a terminal why nothing happens.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard};

use tombolo::island::Progress;

/// Whether the terminal shows a line about a compilation.
static IS_SHOWN: Mutex<bool> = Mutex::new(false);

/// What shows how far a compilation is, if standard error is a terminal. The line goes when it is done, and before the
/// program prints anything.
pub(crate) fn of_compiling(is_cached: bool) -> Option<fn(&Progress)> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    tombolo::platform::before_output(|| clear(&mut is_shown()));
    let cached: fn(&Progress) = |progress| show(progress, "; the next run will not have to");
    let uncached: fn(&Progress) = |progress| show(progress, "");
    Some(if is_cached { cached } else { uncached })
}

fn is_shown() -> MutexGuard<'static, bool> {
    IS_SHOWN.lock().unwrap_or_else(|e| e.into_inner())
}

fn show(progress: &Progress, then: &str) {
    let mut is_shown = is_shown();
    if progress.is_done {
        return clear(&mut is_shown);
    }
    let done = match progress.compiled {
        Some(compiled) => format!("{compiled} of {} functions, ", progress.functions),
        None => String::new(),
    };
    let (megabytes, seconds) = (progress.bytes as f64 / 1e6, progress.elapsed.as_secs());
    *is_shown = true;
    // What does not fit into the line is cut off instead of going to the next one.
    write(&format!(
        "\r\x1b[K\x1b[?7ltombolo: compiling {megabytes:.1} MB of WebAssembly ({done}{seconds} s){then}\x1b[?7h"
    ));
}

fn clear(is_shown: &mut bool) {
    if std::mem::take(is_shown) {
        write("\r\x1b[K");
    }
}

fn write(text: &str) {
    // If the terminal is gone, there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
