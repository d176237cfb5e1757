//! Positions in the source, and the error that shows one.

use std::fmt;
use std::rc::Rc;

/// How many more errors one holds.
const MOST_OTHERS: usize = 50;

/// How many characters of a line an error shows.
const SHOWN: usize = 100;

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Which of the files that were read ([`Declarations::files`](crate::Declarations)), counted from 0: the header itself.
    pub file: u32,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters; a tab is one character.
    pub column: usize,
}

/// What is wrong with the declarations, and where. It displays as the message, the line in question and a mark below
/// it; if more than one thing is wrong, as all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    position: Position,
    message: Box<str>,
    /// The file's name, if it has one.
    file: Box<str>,
    excerpt: Box<str>,
    others: Vec<Error>,
    /// Whether there are even more.
    has_more: bool,
}

impl Error {
    /// An error at a place in one of the files.
    pub(crate) fn new(files: &[File], position: Position, message: String) -> Self {
        let file = files.get(position.file as usize);
        let text = file.map(|file| &*file.text).unwrap_or_default();
        let name = file.map(|file| file.name.as_str().into()).unwrap_or_default();
        let excerpt = excerpt(text, position).into();
        Self { position, message: message.into(), file: name, excerpt, others: Vec::new(), has_more: false }
    }

    /// Several errors as one, the first fifty of them; `None` if there are none.
    pub fn all(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        let others = errors.by_ref().take(MOST_OTHERS).collect();
        Some(Self { others, has_more: errors.next().is_some(), ..first })
    }

    /// Where it is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it is, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What else is wrong.
    pub fn others(&self) -> &[Self] {
        &self.others
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column, .. } = self.position;
        let file = if self.file.is_empty() { "C declarations" } else { &self.file };
        write!(f, "{file}, line {line}, column {column}: {}\n{}", self.message, self.excerpt)?;
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))?;
        if self.has_more { write!(f, "\n… and more") } else { Ok(()) }
    }
}

impl std::error::Error for Error {}

/// A file that was read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct File {
    /// Its name; empty for a text that has none.
    pub name: String,
    /// Whether it is a standard header and not the library's.
    pub is_system: bool,
    pub(crate) text: Rc<str>,
}

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
