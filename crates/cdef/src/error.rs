//! Positions in the source, and the error that shows one.

use std::fmt;

/// How many characters of a line an error shows.
const SHOWN: usize = 100;

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters; a tab is one character.
    pub column: usize,
}

/// What is wrong with the declarations, and where. It displays as the message, the line in question and a mark below
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    position: Position,
    message: String,
    excerpt: String,
}

impl Error {
    /// An error about `source`.
    pub(crate) fn new(source: &str, position: Position, message: String) -> Self {
        Self { position, message, excerpt: excerpt(source, position) }
    }

    /// Where it is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it is, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "C declarations, line {line}, column {column}: {}\n{}", self.message, self.excerpt)
    }
}

impl std::error::Error for Error {}

/// The line at `position`, with a mark below it. A long line is cut to the part around the mark.
fn excerpt(source: &str, position: Position) -> String {
    let line = source.split('\n').nth(position.line.saturating_sub(1)).unwrap_or_default();
    let column = position.column.saturating_sub(1);
    let from = if column < SHOWN { 0 } else { column - SHOWN / 2 };
    let visible = |c: char| if c == '\t' || !c.is_control() { c } else { ' ' };
    let shown: String = line.trim_end_matches('\r').chars().skip(from).take(SHOWN).map(visible).collect();
    // Tabs stay tabs, so that the mark stands right whatever their width.
    let indent: String = shown
        .chars()
        .chain(std::iter::repeat(' '))
        .take(column - from)
        .map(|c| if c == '\t' { c } else { ' ' })
        .collect();
    format!("  {shown}\n  {indent}^")
}

/// An error within the crate: it knows no source yet.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where it is.
    pub(crate) at: Position,
    /// What it is.
    pub(crate) message: String,
}

/// The result of something that may find a fault.
pub(crate) type Checked<T> = Result<T, Fault>;

/// A fault at `at`.
pub(crate) fn fault<T>(at: Position, message: impl Into<String>) -> Checked<T> {
    Err(Fault { at, message: message.into() })
}
