//! Numbers, times and places in words.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::{Amount, Frame};

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 block`, `2 blocks`.
pub(super) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `128 B`, `12.0 KiB`: three digits or four.
pub(super) fn bytes(number: u64) -> String {
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    // A value that would be rounded to 1024 is 1 of the next unit.
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 99.95 { 1 } else { 0 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `3 blocks, 24.0 KiB`.
pub(super) fn amount(amount: Amount) -> String {
    format!("{}, {}", counted(amount.blocks, "block"), bytes(amount.bytes))
}

/// `850 µs`, `12.3 ms`, `4.56 s`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..0.001 => format!("{} µs", time.as_micros()),
        ..1.0 => format!("{:.1} ms", seconds * 1e3),
        ..1000.0 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.0} s"),
    }
}

/// File names as they are shown: without `file://`, and without the current folder.
pub(super) struct Files {
    folder: Option<String>,
}

impl Files {
    pub(super) fn new() -> Self {
        let folder = std::env::current_dir().ok().map(|folder| format!("{}/", folder.display()));
        Self { folder }
    }

    /// `dir/app.mjs:3:14`.
    pub(super) fn place(&self, frame: &Frame) -> String {
        let Frame { file, line, column, .. } = frame;
        let path = match file.strip_prefix("file://") {
            Some(path) => decoded(path),
            None => Cow::Borrowed(&**file),
        };
        let path = self.folder.as_ref().and_then(|folder| path.strip_prefix(&**folder)).unwrap_or(&path);
        match line {
            0 => one_line(path),
            _ => format!("{}:{line}:{column}", one_line(path)),
        }
    }

    /// `dir/app.mjs:3:14 function`.
    pub(super) fn line(&self, frame: Option<&Frame>) -> String {
        match frame {
            None => UNKNOWN.into(),
            Some(frame) if frame.function.is_empty() => self.place(frame),
            Some(frame) => format!("{} {}", self.place(frame), one_line(&frame.function)),
        }
    }
}

/// A path as a `file:` URL has it, with its percent signs decoded; unchanged if that makes no text.
fn decoded(path: &str) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = if byte == b'%' { path.get(at + 1..at + 3) } else { None };
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (out.push(byte), at += 3),
            None => (out.push(byte), at += 1),
        };
    }
    String::from_utf8(out).map_or(Cow::Borrowed(path), Cow::Owned)
}

/// What is shown if no locator knew the place.
pub(super) const UNKNOWN: &str = "(outside of scripts)";

/// A script's own words, made so that they do not break a table.
pub(super) fn one_line(text: &str) -> String {
    // Marks that change the direction of the text after them go too, and so does what no document may contain.
    let is_foul = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}'..='\u{ffff}')
    };
    let shown = text.chars().map(|c| if is_foul(c) { '\u{fffd}' } else { c });
    shown.take(200).collect()
}

/// `main`, `main, worker`, `main, worker and 3 more`.
pub(super) fn agents(agents: &[Arc<str>]) -> String {
    let shown: Vec<_> = agents.iter().take(2).map(|agent| one_line(agent)).collect();
    match agents.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), count(more as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let counts = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        counts.iter().for_each(|&(number, text)| assert_eq!(count(number), text));
        let lengths = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (12_345, "12.1 KiB"),
            (102_400, "100 KiB"),
            (1_048_575, "1.0 MiB"),
            (1 << 20, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
        ];
        lengths.iter().for_each(|&(number, text)| assert_eq!(bytes(number), text));
        let times = [(12, "12 µs"), (1500, "1.5 ms"), (2_340_000, "2.34 s"), (1_234_567_890, "1235 s")];
        times.iter().for_each(|&(micros, text)| assert_eq!(time(Duration::from_micros(micros)), text));
    }

    #[test]
    fn places() {
        let folder = std::env::current_dir().unwrap();
        let files = Files::new();
        let place = |file: &str| files.line(Some(&Frame::new("f", file, 3, 14)));
        assert_eq!(place("/elsewhere/a.mjs"), "/elsewhere/a.mjs:3:14 f");
        assert_eq!(place(&format!("{}/dir/a.mjs", folder.display())), "dir/a.mjs:3:14 f");
        assert_eq!(place(&format!("file://{}/a.mjs", folder.display())), "a.mjs:3:14 f");
        assert_eq!(place("file:///x/a%20%3Cb%3E%C3%A9.mjs"), "/x/a <b>é.mjs:3:14 f");
        assert_eq!(place("file:///x/%ff%zz%.mjs"), "/x/%ff%zz%.mjs:3:14 f");
        assert_eq!(place("a\nb"), "a\u{fffd}b:3:14 f");
        assert_eq!(files.line(None), UNKNOWN);
    }
}
