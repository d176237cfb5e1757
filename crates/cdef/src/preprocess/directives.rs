//! Directives: lines that begin with `#`.

use super::{Condition, Preprocessor};
use crate::error::{Checked, Fault, File, Position};
use crate::literals;
use crate::preprocess::expand::Macro;
use crate::tokens::{self, Kind, Token};

/// How many parameters a macro may have; C promises 127.
const MOST_PARAMS: usize = 255;

impl<'s> Preprocessor<'s, '_> {
    /// One directive, with its `#`.
    pub(super) fn directive(&mut self, line: &[Token<'s>]) -> Checked<()> {
        let Some(word) = line.get(1) else { return Ok(()) };
        let rest = &line[2..];
        if let Some(last) = line.last()
            && tokens::is_unclosed_comment(last)
        {
            self.wrong(last.at, &tokens::bad(last));
            return Ok(());
        }
        if self.conditional(word, rest)? || !self.is_active() {
            return Ok(());
        }
        match word.text {
            _ if word.kind == Kind::Number => self.marker(&line[1..]),
            "line" => {
                self.flush()?;
                let mut expanded = Vec::new();
                self.macros.expand(rest.to_vec(), &mut expanded)?;
                self.marker(&expanded);
            }
            "define" => {
                self.flush()?;
                self.define(rest)?;
            }
            "undef" => {
                self.flush()?;
                if let Some(name) = rest.first() {
                    self.macros.remove(name.text);
                }
            }
            "include" | "include_next" | "import" => {
                self.flush()?;
                let name = match rest.first() {
                    Some(first) if first.kind == Kind::Word => {
                        let mut expanded = Vec::new();
                        self.macros.expand(rest.to_vec(), &mut expanded)?;
                        header_name(&expanded, None)
                    }
                    _ => header_name(rest, self.open.last().map(|open| open.text)),
                };
                match name {
                    Some((name, is_quoted)) => {
                        if word.text == "import" {
                            self.once.insert(name.clone());
                        }
                        self.include(&name, is_quoted, word.at)?;
                    }
                    None => self.wrong(word.at, "expected `\"file\"` or `<file>` after `#include`"),
                }
            }
            "pragma" => {
                self.flush()?;
                self.pragma(rest);
            }
            "error" => {
                let words: Vec<&str> = rest.iter().map(|token| token.text).collect();
                let at = word.at;
                self.faults.push(Fault { at, message: format!("the header says `#error {}`", words.join(" ")) });
            }
            "warning" | "ident" | "sccs" | "assert" | "unassert" => {}
            _ => {
                let message =
                    format!("`#{}` is no directive that is known", word.text.chars().take(40).collect::<String>());
                self.faults.push(Fault { at: word.at, message });
            }
        }
        Ok(())
    }

    fn wrong(&mut self, at: Position, message: &str) {
        self.faults.push(Fault { at, message: message.to_owned() });
    }

    /// The directives that decide what is read. Returns whether this is one.
    fn conditional(&mut self, word: &Token<'s>, rest: &[Token<'s>]) -> Checked<bool> {
        let outside = {
            let conditions = self.open.last().map(|open| open.conditions.as_slice()).unwrap_or_default();
            conditions.len() < 2 || conditions[conditions.len() - 2].is_active
        };
        match word.text {
            "if" | "ifdef" | "ifndef" => {
                let is_active = self.is_active();
                let holds = is_active && self.holds(word, rest)?;
                if let Some(open) = self.open.last_mut() {
                    let is_done = holds || !is_active;
                    open.conditions.push(Condition { at: word.at, is_active: holds, is_done, is_last: false });
                }
            }
            "elif" | "elifdef" | "elifndef" | "else" => {
                let is_else = word.text == "else";
                let Some(condition) = self.open.last_mut().and_then(|open| open.conditions.last_mut()) else {
                    self.wrong(word.at, "there is no `#if` before this");
                    return Ok(true);
                };
                if condition.is_last {
                    self.wrong(word.at, "there was an `#else` before this");
                    return Ok(true);
                }
                condition.is_last = is_else;
                condition.is_active = false;
                let is_open = outside && !condition.is_done;
                let holds = is_open && (is_else || self.holds(word, rest)?);
                if let Some(condition) = self.open.last_mut().and_then(|open| open.conditions.last_mut()) {
                    condition.is_active = holds;
                    condition.is_done |= holds;
                }
            }
            "endif" => {
                if self.open.last_mut().and_then(|open| open.conditions.pop()).is_none() {
                    self.wrong(word.at, "there is no `#if` before this");
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether the condition of an `#if` and its like holds.
    fn holds(&mut self, word: &Token<'s>, rest: &[Token<'s>]) -> Checked<bool> {
        match word.text {
            "ifdef" | "elifdef" => Ok(rest.first().is_some_and(|name| self.macros.is_defined(name.text))),
            "ifndef" | "elifndef" => Ok(rest.first().is_some_and(|name| !self.macros.is_defined(name.text))),
            _ => match self.condition(word, rest)? {
                Ok(holds) => Ok(holds),
                Err(wrong) => {
                    self.faults.push(wrong);
                    Ok(false)
                }
            },
        }
    }

    /// What stands behind `#define`.
    pub(super) fn define(&mut self, rest: &[Token<'s>]) -> Checked<()> {
        let Some((name, body)) = rest.split_first() else { return Ok(()) };
        if name.kind != Kind::Word {
            self.wrong(name.at, "expected a name after `#define`");
            return Ok(());
        }
        let mut made = Macro { name: *name, params: None, variadic: None, body: Vec::new() };
        let mut body = body;
        if let Some((open, inside)) = body.split_first()
            && open.is("(")
            && !open.spaced
        {
            let Some(end) = inside.iter().position(|token| token.is(")")) else {
                self.wrong(open.at, "this `(` is never closed");
                return Ok(());
            };
            let (inside, behind) = (&inside[..end], &inside[end + 1..]);
            let mut params = Vec::new();
            let mut items = inside.split(|token| token.is(",")).peekable();
            while let Some(item) = items.next().filter(|_| !inside.is_empty()) {
                let is_last = items.peek().is_none();
                let name = match item {
                    [name] if name.kind == Kind::Word => name.text,
                    [dots] if dots.is("...") && is_last => *made.variadic.insert("__VA_ARGS__"),
                    // `args...` names what `...` calls `__VA_ARGS__`.
                    [name, dots] if name.kind == Kind::Word && dots.is("...") && is_last => {
                        *made.variadic.insert(name.text)
                    }
                    item => {
                        self.wrong(item.first().unwrap_or(open).at, "expected the name of a parameter");
                        return Ok(());
                    }
                };
                params.push(name);
            }
            if params.len() > MOST_PARAMS {
                self.wrong(name.at, "this macro has too many parameters");
                return Ok(());
            }
            made.params = Some(params);
            body = behind;
        }
        // Whether it is used or not: what was left open may have swallowed anything.
        if let Some(unclosed) = body.iter().find(|token| tokens::is_unclosed(token)) {
            self.wrong(unclosed.at, &tokens::bad(unclosed));
        }
        made.body = body.to_vec();
        self.macros.insert(made);
        Ok(())
    }

    /// `#pragma`.
    pub(super) fn pragma(&mut self, rest: &[Token<'s>]) {
        let Some(word) = rest.first() else { return };
        match word.text {
            "once" => {
                if let Some(open) = self.open.last() {
                    self.once.insert(open.name.clone());
                }
            }
            "pack" => {
                let number = |token: &&Token<'_>| token.kind == Kind::Number;
                let pack = rest.iter().rev().find(number).and_then(|token| token.text.parse::<u8>().ok());
                let pack = pack.filter(|pack| *pack == 0 || pack.is_power_of_two());
                let says = |word: &str| rest.iter().any(|token| token.is_word(word));
                if says("push") {
                    // As deep as any header needs.
                    if self.packs.len() < 1000 {
                        self.packs.push(self.pack);
                    }
                    self.pack = pack.unwrap_or(self.pack);
                } else if says("pop") {
                    self.pack = self.packs.pop().unwrap_or(0);
                    self.pack = pack.unwrap_or(self.pack);
                } else {
                    self.pack = pack.unwrap_or(0);
                }
            }
            _ => {}
        }
    }

    /// `# 12 "file.h" 3`: the lines that follow are those of another file.
    fn marker(&mut self, rest: &[Token<'s>]) {
        let Some(line) = rest.first().and_then(|token| token.text.parse::<isize>().ok()) else { return };
        let at = rest[0].at;
        let flags = rest.iter().skip(2);
        let is_system = flags.clone().any(|flag| flag.text == "3");
        let before = self.open.last().and_then(|open| open.moved);
        let named = match rest.get(1) {
            Some(name) if name.kind == Kind::Text => literals::text(*name).ok().map(|name| (name, is_system)),
            Some(_) => None,
            None => self.files.get(at.file as usize).map(|file| (file.name.clone(), file.is_system)),
        };
        let Some((name, is_system)) = named else {
            self.wrong(at, "expected a line's number, and a file's name in quotes if any");
            return;
        };
        // Even if it is this very file: its lines are others than those that were read.
        let is_known = |file: &File| file.text.is_empty() && file.name == name && file.is_system == is_system;
        let file = match self.files.iter().position(is_known) {
            Some(known) => known as u32,
            // A hostile text does not get to fill the list.
            None if self.files.len() < super::MOST_FILES * 2 => self.add_file(&name, is_system, ""),
            None => before.map_or(at.file, |(file, _)| file),
        };
        if let Some(open) = self.open.last_mut() {
            // The directive's own place is already moved.
            let own = at.line as isize - before.map_or(0, |(_, lines)| lines);
            open.moved = Some((file, line - own - 1));
        }
    }
}

/// The name of a header, and whether it stands in quotes.
fn header_name(tokens: &[Token<'_>], text: Option<&str>) -> Option<(String, bool)> {
    let (first, rest) = tokens.split_first()?;
    if first.kind == Kind::Text || first.kind == Kind::Bad {
        return Some((first.text.trim_matches('"').to_owned(), true));
    }
    let end = rest.iter().position(|token| token.is(">")).filter(|_| first.is("<"))?;
    let name = match text {
        Some(text) => text.get(first.start + 1..rest[end].start)?.trim().to_owned(),
        None => rest[..end].iter().map(|token| token.text).collect(),
    };
    Some((name, false))
}
