//! What was typed before, kept in a file if that can be.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// How many entries are kept.
const MOST: usize = 1000;

/// The lines that were typed, the oldest first.
pub(super) struct History {
    entries: Vec<String>,
    /// Where new ones are written.
    file: Option<File>,
}

impl History {
    /// Remembers this session only.
    pub(super) fn none() -> Self {
        Self { entries: Vec::new(), file: None }
    }

    /// What earlier sessions have left. If the file cannot be written, only this session is remembered.
    pub(super) fn open() -> Self {
        let Some(path) = path() else { return Self::none() };
        let text = fs::read_to_string(&path).unwrap_or_default();
        let mut entries: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if entries.len() > 2 * MOST {
            entries.drain(..entries.len() - MOST);
            // If this fails, the file stays long.
            let _ = fs::write(&path, entries.join("\n") + "\n");
        }
        if let Some(folder) = path.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let file = File::options().append(true).create(true).mode(0o600).open(path).ok();
        Self { entries, file }
    }

    /// Remembers a line, but not the same one twice in a row.
    pub(super) fn add(&mut self, line: &str) {
        if line.trim().is_empty() || self.entries.last().is_some_and(|last| last == line) {
            return;
        }
        self.entries.push(line.to_owned());
        // A history that cannot be kept is no reason to stop.
        let _ = self.file.as_mut().map(|file| file.write_all(format!("{line}\n").as_bytes()));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entry(&self, at: usize) -> &str {
        &self.entries[at]
    }
}

/// The file: `TOMBOLO_REPL_HISTORY`, or `tombolo_history` where programs keep what they remember.
fn path() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    match std::env::var_os("TOMBOLO_REPL_HISTORY") {
        Some(none) if none.is_empty() || none == "off" => None,
        Some(path) => Some(path.into()),
        None => absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/state")))
            .map(|folder| folder.join("tombolo_history")),
    }
}
