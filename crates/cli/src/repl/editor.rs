//! Edits a line at a terminal, as readline does: moving, killing, history with search, completion.

use std::io::{self, Write as _};

use unicode_width::UnicodeWidthChar as _;

use super::history::History;
use super::terminal::{self, Key, Keys, Raw};

/// How editing a line has ended.
pub(super) enum Event {
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D in an empty line, or the terminal has gone.
    End,
}

/// What completes the last word of a text: where that begins, and what it may become.
pub(super) type Complete<'a> = &'a dyn Fn(&str) -> (usize, Vec<String>);

/// The editor of a terminal.
#[derive(Default)]
pub(super) struct Editor {
    keys: Keys,
    /// What ended a search, which does what it does in any line.
    ended: Option<Key>,
    killed: String,
}

/// A line that is edited.
struct Line<'a> {
    prompt: &'a str,
    text: String,
    /// Where the cursor is, in bytes.
    at: usize,
    /// The row of the cursor on the terminal, below that of the prompt.
    row: usize,
}

impl Editor {
    /// Reads a line. The terminal is raw until it returns.
    pub(super) fn read(&mut self, prompt: &str, history: &History, complete: Complete<'_>) -> io::Result<Event> {
        let raw = Raw::begin()?;
        let mut line = Line { prompt, text: String::new(), at: 0, row: 0 };
        // What was being typed before the history was looked at, and where in the history we are.
        let (mut typed, mut place) = (String::new(), history.len());
        let mut tabs = 0;
        line.show()?;
        loop {
            let key = self.ended.take().unwrap_or_else(|| self.keys.next());
            tabs = if key == Key::Tab { tabs + 1 } else { 0 };
            match key {
                Key::Enter => {
                    line.end()?;
                    return Ok(Event::Line(line.text));
                }
                Key::Ctrl('C') => {
                    line.end()?;
                    return Ok(Event::Interrupt);
                }
                Key::Gone => return Ok(Event::End),
                Key::Ctrl('D') if line.text.is_empty() => {
                    write("\r\n")?;
                    return Ok(Event::End);
                }
                Key::Ctrl('Z') => {
                    line.end()?;
                    raw.pause(|| {
                        // SAFETY: the call has no requirements.
                        unsafe { libc::raise(libc::SIGTSTP) };
                    })?;
                    line.row = 0;
                }
                Key::Ctrl('L') => {
                    write("\x1b[H\x1b[2J")?;
                    line.row = 0;
                }
                Key::Tab => line.complete(complete, tabs)?,
                Key::Up | Key::Ctrl('P') if place > 0 => {
                    if place == history.len() {
                        typed = line.text.clone();
                    }
                    place -= 1;
                    line.replace(history.entry(place));
                }
                Key::Down | Key::Ctrl('N') if place < history.len() => {
                    place += 1;
                    line.replace(if place == history.len() { &typed } else { history.entry(place) });
                }
                Key::Ctrl('R') => {
                    if let Some(entry) = self.search(&mut line, history)? {
                        line.replace(&entry);
                    }
                }
                other => self.edit(&mut line, other),
            }
            line.show()?;
        }
    }

    fn edit(&mut self, line: &mut Line<'_>, key: Key) {
        match key {
            Key::Char(char) => {
                line.text.insert(line.at, char);
                line.at += char.len_utf8();
            }
            Key::Left | Key::Ctrl('B') => line.at = line.before(),
            Key::Right | Key::Ctrl('F') => line.at = line.after(),
            Key::WordLeft | Key::Alt('b') => line.at = line.word_before(),
            Key::WordRight | Key::Alt('f') => line.at = line.word_after(),
            Key::Home | Key::Ctrl('A') => line.at = 0,
            Key::End | Key::Ctrl('E') => line.at = line.text.len(),
            Key::Backspace => drop(line.cut(line.before(), line.at)),
            Key::Delete | Key::Ctrl('D') => drop(line.cut(line.at, line.after())),
            Key::Ctrl('K') => self.killed = line.cut(line.at, line.text.len()),
            Key::Ctrl('U') => self.killed = line.cut(0, line.at),
            Key::Ctrl('W') | Key::Alt('\u{8}') => self.killed = line.cut(line.word_before(), line.at),
            Key::Alt('d') => self.killed = line.cut(line.at, line.word_after()),
            Key::Ctrl('Y') => {
                line.text.insert_str(line.at, &self.killed);
                line.at += self.killed.len();
            }
            _ => {}
        }
    }

    /// Ctrl-R: the newest entry that contains what is typed.
    fn search(&mut self, line: &mut Line<'_>, history: &History) -> io::Result<Option<String>> {
        let (mut wanted, mut before) = (String::new(), history.len());
        loop {
            let found =
                (0..before).rev().find(|at| history.entry(*at).contains(&wanted)).filter(|_| !wanted.is_empty());
            let entry = found.map_or("", |at| history.entry(at));
            let prompt = format!("(reverse-i-search)`{wanted}': ");
            let mut shown = Line { prompt: &prompt, text: entry.to_owned(), at: entry.len(), row: line.row };
            shown.show()?;
            line.row = shown.row;
            match self.keys.next() {
                Key::Char(char) => {
                    wanted.push(char);
                    before = history.len();
                }
                Key::Backspace => {
                    wanted.pop();
                    before = history.len();
                }
                Key::Ctrl('R') => before = found.unwrap_or(before),
                Key::Ctrl('C' | 'G') | Key::Gone => return Ok(None),
                key => {
                    self.ended = Some(key);
                    return Ok(found.map(|_| entry.to_owned()));
                }
            }
        }
    }
}

impl Line<'_> {
    /// The start of the character before the cursor, with what combines with it.
    fn before(&self) -> usize {
        let mut before = self.text[..self.at].char_indices().rev();
        before.find(|(_, char)| char.width() != Some(0)).map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let mut after = self.text[self.at..].char_indices().skip(1);
        after.find(|(_, char)| char.width() != Some(0)).map_or(self.text.len(), |(at, _)| self.at + at)
    }

    fn word_before(&self) -> usize {
        let text = self.text[..self.at].trim_end_matches(|char: char| !is_word(char));
        text.trim_end_matches(is_word).len()
    }

    fn word_after(&self) -> usize {
        let rest = self.text[self.at..].trim_start_matches(|char: char| !is_word(char));
        self.text.len() - rest.trim_start_matches(is_word).len()
    }

    fn cut(&mut self, from: usize, to: usize) -> String {
        self.at = from;
        self.text.drain(from..to).collect()
    }

    fn replace(&mut self, text: &str) {
        self.text = text.to_owned();
        self.at = text.len();
    }

    /// Tab: puts in what all completions have in common, and shows them if that is nothing.
    fn complete(&mut self, complete: Complete<'_>, tabs: usize) -> io::Result<()> {
        let (start, names) = complete(&self.text[..self.at]);
        let common = common_prefix(&names);
        if common.len() > self.at - start {
            self.text.replace_range(start..self.at, &common);
            self.at = start + common.len();
        } else if names.len() > 1 && tabs > 1 {
            self.end()?;
            write(&columns_of(&names, terminal::columns()))?;
            self.row = 0;
        }
        Ok(())
    }

    /// Draws the line again.
    fn show(&mut self) -> io::Result<()> {
        let columns = terminal::columns();
        let prompt = width(self.prompt);
        let end = prompt + width(&self.text);
        let cursor = prompt + width(&self.text[..self.at]);
        let mut out = String::from("\r");
        if self.row > 0 {
            out.push_str(&format!("\x1b[{}A", self.row));
        }
        out.push_str("\x1b[J");
        out.push_str(self.prompt);
        out.push_str(&visible(&self.text));
        if end > 0 && end.is_multiple_of(columns) {
            // The cursor waits at the end of a full row; make it go to the next.
            out.push_str(" \r");
        }
        let (rows, row) = (end / columns, cursor / columns);
        if rows > row {
            out.push_str(&format!("\x1b[{}A", rows - row));
        }
        out.push('\r');
        if !cursor.is_multiple_of(columns) {
            out.push_str(&format!("\x1b[{}C", cursor % columns));
        }
        self.row = row;
        write(&out)
    }

    /// Goes to the line after the text.
    fn end(&mut self) -> io::Result<()> {
        self.at = self.text.len();
        self.show()?;
        write("\r\n")
    }
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || char == '$'
}

/// A text as it is shown: what would move the cursor is one column wide.
fn visible(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{b7}' } else { char }).collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or(1)).sum()
}

fn common_prefix(names: &[String]) -> String {
    let Some((first, rest)) = names.split_first() else { return String::new() };
    let mut length = first.len();
    for name in rest {
        let same = first.char_indices().zip(name.chars()).take_while(|((_, a), b)| a == b);
        length = length.min(same.last().map_or(0, |((at, char), _)| at + char.len_utf8()));
    }
    first[..length].to_owned()
}

/// Names in columns, from top to bottom.
fn columns_of(names: &[String], width_of_all: usize) -> String {
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0) + 2;
    let columns = (width_of_all / widest).max(1);
    let rows = names.len().div_ceil(columns);
    let mut text = String::new();
    for row in 0..rows {
        let line: String =
            names.iter().skip(row).step_by(rows).map(|name| name.clone() + &" ".repeat(widest - width(name))).collect();
        text.push_str(line.trim_end());
        text.push_str("\r\n");
    }
    text
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::{Editor, Line, columns_of, common_prefix};
    use crate::repl::terminal::Key;

    fn edited(text: &str, at: usize, keys: &[Key]) -> (String, usize) {
        let mut line = Line { prompt: "", text: text.into(), at, row: 0 };
        let mut editor = Editor::default();
        keys.iter().for_each(|key| editor.edit(&mut line, *key));
        (line.text, line.at)
    }

    #[test]
    fn keys_edit_the_line() {
        let end = |text: &str| (text.to_owned(), text.len());
        assert_eq!(edited("", 0, &[Key::Char('a'), Key::Char('é'), Key::Backspace, Key::Char('b')]), end("ab"));
        assert_eq!(edited("abc", 3, &[Key::Left, Key::Delete]), end("ab"));
        assert_eq!(edited("foo.bar baz", 11, &[Key::Ctrl('W')]), ("foo.bar ".into(), 8));
        assert_eq!(edited("foo bar", 7, &[Key::Ctrl('A'), Key::WordRight, Key::Ctrl('K')]), end("foo"));
        assert_eq!(edited("foo bar", 7, &[Key::Ctrl('U'), Key::Char('!'), Key::Ctrl('Y')]), end("!foo bar"));
        assert_eq!(edited("ae\u{301}", 4, &[Key::Backspace]), end("a"));
    }

    #[test]
    fn what_completions_have_in_common() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(common_prefix(&names(&["readFile", "readFileSync", "readdir"])), "read");
        assert_eq!(common_prefix(&names(&["é1", "é2"])), "é");
        assert_eq!(common_prefix(&[]), "");
        assert_eq!(columns_of(&names(&["a", "bb", "c"]), 8), "a   c\r\nbb\r\n");
    }
}
