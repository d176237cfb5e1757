//! The preprocessor: from the text of a header, and of what it includes, to the tokens that are left of it.
//!
//! Time and memory are linear in what is read and bounded in what macros expand to. Nothing recurses over files: those
//! that are open are on a stack of their own.

mod builtin;
mod condition;
mod directives;
mod expand;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bumpalo::Bump;
use c_abi::Addresses;

pub(crate) use expand::Macros;

use crate::error::{Checked, Fault, File, Position, fault};
use crate::tokens::{self, Kind, Token};
use crate::{Included, Options};

/// How many files may be included, each as often as it is.
const MOST_FILES: usize = 2000;

/// How many bytes all included files together may have.
const MOST_BYTES: usize = 64 << 20;

/// How deep files may include each other.
const DEEPEST: usize = 200;

/// The name of the text with the caller's own declarations.
pub(crate) const OWN: &str = "<declarations>";

/// A file that is being read.
struct Open<'s> {
    text: &'s str,
    tokens: Rc<[Token<'s>]>,
    next: usize,
    name: String,
    conditions: Vec<Condition>,
    /// What a line marker said: the file, and what is to be added to the lines.
    moved: Option<(u32, isize)>,
}

/// An `#if` that is open.
struct Condition {
    at: Position,
    /// Whether its lines are read now.
    is_active: bool,
    /// Whether none of its other branches can be read any more.
    is_done: bool,
    /// Whether there was an `#else`.
    is_last: bool,
}

/// What the preprocessor leaves.
pub(crate) struct Preprocessed<'s> {
    pub(crate) tokens: Vec<Token<'s>>,
    pub(crate) macros: Macros<'s>,
    /// Directives that could not be obeyed.
    pub(crate) faults: Vec<Fault>,
}

/// The preprocessor at work.
pub(crate) struct Preprocessor<'s, 'o> {
    arena: &'s Bump,
    options: &'o Options<'o>,
    macros: Macros<'s>,
    files: Vec<File>,
    known: HashMap<String, (&'s str, Rc<[Token<'s>]>)>,
    once: HashSet<String>,
    open: Vec<Open<'s>>,
    /// Lines without directives, whose macros are not expanded yet.
    run: Vec<Token<'s>>,
    out: Vec<Token<'s>>,
    pack: u8,
    packs: Vec<u8>,
    faults: Vec<Fault>,
    included: usize,
    bytes: usize,
}

/// Preprocesses `text`.
///
/// # Errors
/// Macros or files without end. All else is in [`Preprocessed::faults`].
pub(crate) fn preprocess<'s>(
    text: &'s str,
    arena: &'s Bump,
    options: &Options<'_>,
    files: &mut Vec<File>,
) -> Checked<Preprocessed<'s>> {
    let mut preprocessor = Preprocessor {
        arena,
        options,
        macros: Macros::new(arena),
        files: Vec::new(),
        known: HashMap::new(),
        once: HashSet::new(),
        open: Vec::new(),
        run: Vec::new(),
        out: Vec::new(),
        pack: 0,
        packs: Vec::new(),
        faults: Vec::new(),
        included: 0,
        bytes: 0,
    };
    let done = preprocessor.whole(text);
    files.append(&mut preprocessor.files);
    done?;
    let mut tokens = preprocessor.out;
    // From now on a token's place among all of them counts, with a blank between any two.
    let mut start = 0;
    for token in &mut tokens {
        token.start = start;
        start += token.text.len() + 1;
    }
    Ok(Preprocessed { tokens, macros: preprocessor.macros, faults: preprocessor.faults })
}

/// A file that was found: its name, its text and its tokens.
type Found<'s> = (String, &'s str, Rc<[Token<'s>]>);

impl<'s> Preprocessor<'s, '_> {
    fn whole(&mut self, text: &'s str) -> Checked<()> {
        self.files.push(File { name: self.options.name.to_owned(), is_system: false, text: text.into() });
        self.predefine()?;
        let tokens = tokens::lex(text, 0).into();
        let name = self.options.name.to_owned();
        self.open.push(Open { text, tokens, next: 0, name, conditions: Vec::new(), moved: None });
        while !self.open.is_empty() {
            self.line()?;
        }
        self.flush()?;
        let more: &'s str = self.arena.alloc_str(self.options.declarations);
        if !more.trim().is_empty() {
            let file = self.add_file(OWN, false, more);
            let (tokens, name) = (tokens::lex(more, file).into(), String::new());
            self.pack = 0;
            self.open.push(Open { text: more, tokens, next: 0, name, conditions: Vec::new(), moved: None });
            while !self.open.is_empty() {
                self.line()?;
            }
            self.flush()?;
        }
        Ok(())
    }

    /// The macros of the compiler, and those that the options give.
    fn predefine(&mut self) -> Checked<()> {
        let predefined = match self.options.addresses {
            Addresses::Narrow => [builtin::PREDEFINED, builtin::PREDEFINED_32],
            Addresses::Wide => [builtin::PREDEFINED, builtin::PREDEFINED_64],
        };
        let file = self.add_file("<predefined>", true, "");
        for line in predefined.iter().flat_map(|text| text.lines()) {
            let tokens = tokens::lex(line, file);
            self.define(&tokens)?;
        }
        let file = self.add_file("<options>", true, "");
        for (name, value) in self.options.defines {
            let line: &'s str = self.arena.alloc_str(&format!("{name} {value}"));
            let tokens = tokens::lex(line, file);
            self.define(&tokens)?;
        }
        Ok(())
    }

    fn add_file(&mut self, name: &str, is_system: bool, text: &str) -> u32 {
        self.files.push(File { name: name.to_owned(), is_system, text: text.into() });
        (self.files.len() - 1) as u32
    }

    /// One line of the innermost file, or its end.
    fn line(&mut self) -> Checked<()> {
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let tokens = open.tokens.clone();
        let first = open.next;
        let Some(token) = tokens.get(first) else {
            let unclosed = open.conditions.first().map(|condition| condition.at);
            self.open.pop();
            if let Some(at) = unclosed {
                self.faults.push(Fault { at, message: "this `#if` is never closed: expected `#endif`".to_owned() });
            }
            return Ok(());
        };
        let end = tokens[first + 1..].iter().position(|token| token.fresh).map_or(tokens.len(), |at| first + 1 + at);
        open.next = end;
        if token.is("#") {
            let line: Vec<Token<'s>> = tokens[first..end].iter().map(|token| self.moved(*token)).collect();
            return self.directive(&line);
        }
        if self.is_active() {
            let moved = tokens[first..end].iter().map(|token| self.moved(*token));
            let moved: Vec<Token<'s>> = moved.collect();
            self.run.extend(moved);
        }
        Ok(())
    }

    /// Whether the current line is read, and not skipped by an `#if`.
    fn is_active(&self) -> bool {
        self.open.last().is_none_or(|open| open.conditions.last().is_none_or(|condition| condition.is_active))
    }

    /// The token with the place that line markers give it.
    fn moved(&self, mut token: Token<'s>) -> Token<'s> {
        if let Some((file, lines)) = self.open.last().and_then(|open| open.moved) {
            token.at.file = file;
            token.at.line = token.at.line.saturating_add_signed(lines).max(1);
        }
        token
    }

    /// Expands the lines that were put off, and adds them to what is left.
    fn flush(&mut self) -> Checked<()> {
        let run = std::mem::take(&mut self.run);
        let mut expanded = Vec::with_capacity(run.len());
        self.macros.expand(run, &mut expanded)?;
        let mut rest = expanded.as_slice();
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            if token.is_word("_Pragma")
                && let [open, text, close, behind @ ..] = after
                && open.is("(")
                && text.kind == Kind::Text
                && close.is(")")
            {
                let line: &'s str = self.arena.alloc_str(&text.text.trim_matches('"').replace("\\\"", "\""));
                self.pragma(&tokens::lex(line, token.at.file));
                rest = behind;
                continue;
            }
            self.out.push(Token { pack: self.pack, ..*token });
        }
        Ok(())
    }

    /// The file of this name and its tokens, if it can be found.
    fn find(&mut self, name: &str, is_quoted: bool) -> Checked<Option<Found<'s>>> {
        let from = self.open.last().map(|open| open.name.clone()).unwrap_or_default();
        let found = self.options.include.and_then(|include| include(name, is_quoted, &from));
        let builtin = || {
            let text = builtin::header(name)?;
            Some(Included { name: format!("<{name}>"), text: text.to_owned(), is_system: true })
        };
        let Some(Included { name, text, is_system }) = found.or_else(builtin) else { return Ok(None) };
        if let Some((text, tokens)) = self.known.get(&name) {
            return Ok(Some((name, *text, tokens.clone())));
        }
        let text: &'s str = self.arena.alloc_str(&text);
        let file = self.add_file(&name, is_system, text);
        let tokens: Rc<[Token<'s>]> = tokens::lex(text, file).into();
        self.known.insert(name.clone(), (text, tokens.clone()));
        Ok(Some((name, text, tokens)))
    }

    /// Opens a file that is included.
    fn include(&mut self, name: &str, is_quoted: bool, at: Position) -> Checked<()> {
        let Some((name, text, tokens)) = self.find(name, is_quoted)? else {
            self.faults.push(Fault { at, message: format!("cannot find the header `{name}`") });
            return Ok(());
        };
        if self.once.contains(&name) {
            return Ok(());
        }
        self.included += 1;
        self.bytes += text.len();
        if self.included > MOST_FILES {
            return fault(at, format!("more than {MOST_FILES} files are included"));
        } else if self.bytes > MOST_BYTES {
            return fault(at, format!("the files that are included have more than {MOST_BYTES} bytes together"));
        } else if self.open.len() >= DEEPEST {
            return fault(at, format!("files include each other more than {DEEPEST} deep"));
        }
        self.open.push(Open { text, tokens, next: 0, name, conditions: Vec::new(), moved: None });
        Ok(())
    }
}
