//! Hands one declaration to the parser, and says in words what the parser does not understand.

use std::collections::BTreeSet;
use std::ops::Range;

use lang_c::ast::{Declaration, ExternalDeclaration};
use lang_c::driver::{Config, Flavor, SyntaxError, parse_preprocessed};
use lang_c::span::{Node, Span};

use crate::error::{Checked, Fault, fault};
use crate::outline::Outline;
use crate::tokens::{Kind, Token};

/// How many different expected things a message lists at the most.
const MOST_EXPECTED: usize = 4;

/// Keywords that may start a declaration.
const STARTS: [&str; 24] = [
    "_Bool",
    "_Noreturn",
    "char",
    "const",
    "double",
    "enum",
    "extern",
    "float",
    "inline",
    "int",
    "long",
    "register",
    "restrict",
    "short",
    "signed",
    "static",
    "struct",
    "typedef",
    "union",
    "unsigned",
    "void",
    "volatile",
    "__inline",
    "__restrict",
];

/// Those of them that a type still has to follow.
const QUALIFIERS: [&str; 12] = [
    "_Noreturn",
    "const",
    "extern",
    "inline",
    "register",
    "restrict",
    "static",
    "typedef",
    "volatile",
    "__const",
    "__inline",
    "__restrict",
];

/// All other keywords.
const KEYWORDS: [&str; 15] = [
    "auto", "break", "case", "continue", "default", "do", "else", "for", "goto", "if", "return", "sizeof", "switch",
    "while", "_Generic",
];

/// One declaration as the parser sees it.
pub(crate) struct Parsed {
    /// The declaration.
    pub(crate) declaration: Node<Declaration>,
    /// How many bytes the parser saw before it.
    ahead: usize,
    /// Where it starts in the source.
    start: usize,
}

impl Parsed {
    /// The tokens of a part of the declaration. There is always at least one.
    pub(crate) fn tokens(&self, outline: &Outline<'_>, span: Span) -> Range<usize> {
        let byte = |position: usize| (position + self.start).saturating_sub(self.ahead);
        let first = outline.token_at(byte(span.start));
        first..outline.token_at(byte(span.end)).max(first + 1)
    }
}

/// Parses the declaration of these tokens; `is_type` tells names of types from others.
pub(crate) fn parse(
    outline: &Outline<'_>,
    declaration: Range<usize>,
    is_type: impl Fn(&str) -> bool,
) -> Checked<Parsed> {
    let tokens = &outline.tokens[declaration.clone()];
    let types: BTreeSet<&str> =
        tokens.iter().filter(|token| token.kind == Kind::Word && is_type(token.text)).map(|token| token.text).collect();
    // All that the parser knows of earlier declarations is which names are types; which types they are does not matter
    // to it.
    let mut text = String::new();
    for name in types {
        text.push_str("typedef int ");
        text.push_str(name);
        text.push(';');
    }
    let (ahead, start) = (text.len(), tokens.first().map_or(0, |token| token.start));
    outline.show(declaration.clone(), &mut text);
    if !tokens.last().is_some_and(|last| last.is(";")) {
        // The body of a function would follow.
        text.push(';');
    }
    let config = Config { cpp_command: String::new(), cpp_options: Vec::new(), flavor: Flavor::GnuC11 };
    match parse_preprocessed(&config, text) {
        Ok(parse) => match parse.unit.0.into_iter().next_back().map(|node| node.node) {
            Some(ExternalDeclaration::Declaration(declaration)) => Ok(Parsed { declaration, ahead, start }),
            _ => fault(outline.tokens[declaration.start].at, "expected a declaration"),
        },
        Err(error) => {
            let failed = outline.token_at((error.offset + start).saturating_sub(ahead));
            Err(Diagnosis { outline, declaration, is_type: &is_type, failed }.find(&error))
        }
    }
}

/// Whether a word is a keyword.
pub(crate) fn is_keyword(word: &str) -> bool {
    STARTS.contains(&word) || QUALIFIERS.contains(&word) || KEYWORDS.contains(&word)
}

/// A declaration that the parser failed at.
struct Diagnosis<'a, 's> {
    outline: &'a Outline<'s>,
    declaration: Range<usize>,
    is_type: &'a dyn Fn(&str) -> bool,
    /// The token where it failed, or the one behind the declaration.
    failed: usize,
}

impl<'s> Diagnosis<'_, 's> {
    /// The likeliest mistake.
    fn find(&self, error: &SyntaxError) -> Fault {
        let end = self.missing_end();
        let unknown = self.unknown_type().filter(|(index, _)| *index <= self.failed);
        match (end, unknown) {
            (Some((index, fault)), Some((before, _))) if index < before => fault,
            (_, Some((_, fault))) | (Some((_, fault)), None) => fault,
            (None, None) => self.expected(error),
        }
    }

    fn token(&self, index: usize) -> Option<&Token<'s>> {
        self.outline.tokens[..self.declaration.end].get(index)
    }

    /// Whether a declaration can start with this token.
    fn is_start(&self, token: &Token<'_>) -> bool {
        token.kind == Kind::Word && (STARTS.contains(&token.text) || (self.is_type)(token.text))
    }

    /// A `;` that is missing: the next declaration seems to start.
    fn missing_end(&self) -> Option<(usize, Fault)> {
        let mut depth = 0usize;
        let mut opener = None;
        for index in self.declaration.clone() {
            let (token, next) = (self.token(index)?, self.token(index + 1)?);
            match (token.kind, token.text) {
                (Kind::Mark, "(" | "[" | "{") => {
                    opener = (depth == 0).then_some(index).or(opener);
                    depth += 1;
                }
                (Kind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > 0 || next.kind != Kind::Word || index >= self.failed {
                continue;
            }
            if token.is(")") {
                let message = match opener {
                    Some(opener) if self.is_list_of_names(opener + 1..index) => {
                        let at = self.outline.tokens[opener + 1].at;
                        let message = "lists of parameters without types, in the style of K&R, are not supported";
                        return Some((opener, Fault { at, message: message.to_owned() }));
                    }
                    _ => "expected `;` at the end of the declaration",
                };
                return Some((index, Fault { at: token.end(), message: message.to_owned() }));
            }
            let is_name = token.kind == Kind::Word && !is_keyword(token.text) && !(self.is_type)(token.text);
            let ends = is_name || token.is("}") || token.is("]");
            if ends && self.is_start(next) && next.at.line > token.at.line {
                let message = "expected `;` at the end of the declaration".to_owned();
                return Some((index, Fault { at: token.end(), message }));
            }
        }
        None
    }

    /// Whether there is at least one token here, and nothing but names and commas.
    fn is_list_of_names(&self, tokens: Range<usize>) -> bool {
        let is_name = |token: &Token<'_>| token.kind == Kind::Word && !is_keyword(token.text);
        !tokens.is_empty() && self.outline.tokens[tokens].iter().all(|token| token.is(",") || is_name(token))
    }

    /// A name where a type is expected that is not a type.
    fn unknown_type(&self) -> Option<(usize, Fault)> {
        // The brackets that are open.
        let mut open: Vec<&str> = Vec::new();
        let mut expected = true;
        for index in self.declaration.clone() {
            let token = self.token(index)?;
            let next = self.token(index + 1)?;
            if expected && token.kind == Kind::Word && QUALIFIERS.contains(&token.text) {
                continue;
            }
            if expected && token.kind == Kind::Word && !is_keyword(token.text) && !(self.is_type)(token.text) {
                // Parentheses next to a comma hold parameters.
                let in_list =
                    index > 0 && (next.is(",") || self.token(index - 1)?.is(",")) && open.last() == Some(&"(");
                let is_last = index == self.failed && !next.is("(");
                if next.kind == Kind::Word || next.is("*") || in_list || is_last {
                    let message = format!("unknown type name `{}`", token.text);
                    return Some((index, Fault { at: token.at, message }));
                } else if index == self.failed {
                    let message = format!("expected a type before `{}`", token.text);
                    return Some((index, Fault { at: token.at, message }));
                }
            }
            expected = false;
            match (token.kind, token.text) {
                (Kind::Mark, "(") => {
                    open.push("(");
                    expected = true;
                }
                (Kind::Mark, "{") => {
                    let before = &self.outline.tokens[self.declaration.start..index];
                    let is_enum = before.iter().rev().take(2).any(|token| token.is_word("enum"));
                    open.push(if is_enum { "enum" } else { "{" });
                    expected = !is_enum;
                }
                (Kind::Mark, ")" | "}") => {
                    open.pop();
                }
                (Kind::Mark, ",") => expected = open.last() == Some(&"("),
                (Kind::Mark, ";") => expected = open.last() == Some(&"{"),
                _ => {}
            }
        }
        None
    }

    /// What the parser expected instead.
    fn expected(&self, error: &SyntaxError) -> Fault {
        // The parser fails behind a keyword that it read as a name.
        let failed = if error.expected.contains("identifier") { self.failed.saturating_sub(1) } else { self.failed };
        let failed = failed.max(self.declaration.start);
        let at = match self.token(failed) {
            Some(token) => token.at,
            None => self.outline.tokens[self.declaration.end - 1].end(),
        };
        let found = if failed < self.declaration.end { self.outline.found(failed) } else { "the end".to_owned() };
        // Something that may follow almost anything, such as `(`, helps nobody.
        let known = [
            (",", "`,`"),
            (";", "`;`"),
            (")", "`)`"),
            ("]", "`]`"),
            ("}", "`}`"),
            ("{", "`{`"),
            ("identifier", "a name"),
            ("[_a-zA-Z]", "a name"),
            ("<typedef_name>", "a type"),
        ];
        // Behind a function the parser hopes for a body, or for types in the style of K&R.
        let is_function = [";", "{", "<typedef_name>"].iter().all(|theirs| error.expected.contains(theirs));
        let useful = |theirs: &str| {
            error.expected.contains(theirs) && !(is_function && ["{", "<typedef_name>"].contains(&theirs))
        };
        let expected: Vec<&str> = known.iter().filter(|(theirs, _)| useful(theirs)).map(|(_, ours)| *ours).collect();
        let message = match expected.split_last() {
            Some((last, [])) => format!("expected {last}, found {found}"),
            Some((last, others)) if others.len() < MOST_EXPECTED => {
                format!("expected {} or {last}, found {found}", others.join(", "))
            }
            _ => format!("unexpected {found}"),
        };
        Fault { at, message }
    }
}
