//! The source as tokens: comments, `#define` lines and `[[…]]` annotations are told apart here, so that the rest of the
//! crate sees plain C.

use crate::error::{Checked, Position, fault};

/// The longest name that is read; C promises 63 characters. Annotations are copied, and their names with them.
const LONGEST_NAME: usize = 255;

/// Operators of more than one character, longer ones first.
const LONG_OPERATORS: [&str; 12] = ["...", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "::"];

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or keyword.
    Word,
    /// A number, not yet checked.
    Number,
    /// A character constant.
    Character,
    /// A string.
    Text,
    /// An operator or a bracket.
    Mark,
}

/// One token of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    /// What it is.
    pub(crate) kind: Kind,
    /// As it is written.
    pub(crate) text: &'s str,
    /// Where it starts, in bytes.
    pub(crate) start: usize,
    /// Where it starts, for people.
    pub(crate) at: Position,
}

impl Token<'_> {
    /// Whether this is the operator or bracket `mark`.
    pub(crate) fn is(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    /// Whether this is the name or keyword `word`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// The place right behind it. No token spans lines.
    pub(crate) fn end(&self) -> Position {
        Position { line: self.at.line, column: self.at.column + self.text.chars().count() }
    }
}

/// A `#define` with its value.
pub(crate) struct Define<'s> {
    /// The constant's name.
    pub(crate) name: Token<'s>,
    /// Its value, at least one token.
    pub(crate) value: Vec<Token<'s>>,
}

/// An annotation as it is written, `[[…]]`.
pub(crate) struct Note<'s> {
    /// Where it opens.
    pub(crate) at: Position,
    /// Where it opens, in bytes.
    pub(crate) start: usize,
    /// What stands between the brackets.
    pub(crate) tokens: Vec<Token<'s>>,
    /// The index of the token that follows it.
    pub(crate) next: usize,
}

/// The source taken apart; each list is in the order of the source.
#[derive(Default)]
pub(crate) struct Lexed<'s> {
    /// What is C.
    pub(crate) tokens: Vec<Token<'s>>,
    /// The constants.
    pub(crate) defines: Vec<Define<'s>>,
    /// The annotations.
    pub(crate) notes: Vec<Note<'s>>,
}

/// Takes `source` apart.
pub(crate) fn lex(source: &str) -> Checked<Lexed<'_>> {
    let mut lexer = Lexer { rest: source, start: 0, at: Position { line: 1, column: 1 } };
    let mut lexed = Lexed::default();
    if source.starts_with('\u{feff}') {
        lexer.advance('\u{feff}'.len_utf8());
    }
    let mut fresh = true;
    loop {
        fresh |= lexer.skip_blank(false)?;
        if lexer.rest.is_empty() {
            return Ok(lexed);
        } else if fresh && lexer.rest.starts_with('#') {
            lexed.defines.push(lexer.directive()?);
        } else if lexer.rest.starts_with("[[") {
            lexed.notes.push(lexer.note(lexed.tokens.len())?);
        } else {
            lexed.tokens.push(lexer.token()?);
        }
        fresh = false;
    }
}

/// What is left of the source.
struct Lexer<'s> {
    rest: &'s str,
    start: usize,
    at: Position,
}

impl<'s> Lexer<'s> {
    /// Passes over `length` bytes, which end at a character's boundary.
    fn advance(&mut self, length: usize) -> &'s str {
        let (passed, rest) = self.rest.split_at(length);
        for character in passed.chars() {
            if character == '\n' {
                self.at = Position { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
        self.start += length;
        passed
    }

    /// Passes over blanks and comments; `within_line` stops before the end of the line. Returns whether a line ended.
    fn skip_blank(&mut self, within_line: bool) -> Checked<bool> {
        let mut fresh = false;
        loop {
            let rest = self.rest;
            let length = match rest.as_bytes() {
                [b'\n', ..] if within_line => return Ok(fresh),
                [b'\n', ..] => {
                    fresh = true;
                    1
                }
                [b' ' | b'\t' | b'\r' | 0x0b | 0x0c, ..] => 1,
                [b'\\', b'\n', ..] => 2,
                [b'\\', b'\r', b'\n', ..] => 3,
                [b'/', b'/', ..] => line_length(rest),
                [b'/', b'*', ..] => match rest[2..].find("*/") {
                    Some(length) => length + 4,
                    None => return fault(self.at, "this comment is never closed"),
                },
                _ => return Ok(fresh),
            };
            self.advance(length);
        }
    }

    /// The next token. The rest must be neither empty nor blank.
    fn token(&mut self) -> Checked<Token<'s>> {
        let (start, at, rest) = (self.start, self.at, self.rest);
        let first = rest.chars().next().unwrap_or_default();
        let word = rest.find(|c: char| !is_word_character(c)).unwrap_or(rest.len());
        let literal =
            rest[word..].starts_with(['"', '\'']) && (word == 0 || ["L", "u", "U", "u8"].contains(&&rest[..word]));
        let (kind, length) = if literal {
            let kind = if rest[word..].starts_with('"') { Kind::Text } else { Kind::Character };
            match literal_length(&rest[word..]) {
                Some(length) => (kind, word + length),
                None if kind == Kind::Text => return fault(at, "this string is never closed"),
                None => return fault(at, "this character constant is never closed"),
            }
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            (Kind::Number, number_length(rest))
        } else if word > LONGEST_NAME {
            return fault(at, format!("this name has more than {LONGEST_NAME} characters"));
        } else if word > 0 {
            (Kind::Word, word)
        } else if let Some(operator) = LONG_OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            (Kind::Mark, operator.len())
        } else if "()[]{};,:*=+-/%&|^~!<>?".contains(first) {
            (Kind::Mark, 1)
        } else {
            return fault(at, format!("unexpected character {}", shown(first)));
        };
        Ok(Token { kind, text: self.advance(length), start, at })
    }

    /// An annotation, up to its `]]`.
    fn note(&mut self, next: usize) -> Checked<Note<'s>> {
        let (start, at) = (self.start, self.at);
        self.advance(2);
        let mut tokens = Vec::new();
        loop {
            self.skip_blank(false)?;
            if self.rest.starts_with("]]") {
                self.advance(2);
                return Ok(Note { at, start, tokens, next });
            } else if self.rest.is_empty() {
                return fault(at, "this annotation is never closed: expected `]]`");
            }
            let token = self.token()?;
            if token.kind == Kind::Mark && ["[", "]", "{", "}", ";"].contains(&token.text) {
                return fault(token.at, format!("expected `]]`, found `{}`", token.text));
            }
            tokens.push(token);
        }
    }

    /// A `#define`; there are no other directives.
    fn directive(&mut self) -> Checked<Define<'s>> {
        let at = self.at;
        self.advance(1);
        self.skip_blank(true)?;
        let length = self.rest.find(|c: char| !is_word_character(c)).unwrap_or(self.rest.len());
        let directive = self.advance(length);
        if directive != "define" {
            let message = "is not supported: there is no preprocessor, only `#define` with a constant";
            return fault(at, format!("`#{}` {message}", directive.chars().take(40).collect::<String>()));
        }
        self.skip_blank(true)?;
        let name = match self.rest.chars().next() {
            Some(first) if is_word_character(first) => self.token()?,
            _ => return fault(self.at, "expected a name after `#define`"),
        };
        if name.kind != Kind::Word {
            return fault(name.at, format!("expected a name after `#define`, found `{}`", name.text));
        } else if self.rest.starts_with('(') {
            let message = "has arguments: there is no preprocessor, only `#define` with a constant";
            return fault(name.at, format!("`#define {}` {message}", name.text));
        }
        let mut value = Vec::new();
        loop {
            self.skip_blank(true)?;
            if self.rest.is_empty() || self.rest.starts_with('\n') {
                break;
            }
            value.push(self.token()?);
        }
        if value.is_empty() {
            let message = "has no value: there is no preprocessor, only `#define` with a constant";
            return fault(name.at, format!("`#define {}` {message}", name.text));
        }
        Ok(Define { name, value })
    }
}

/// Whether `c` may stand in a name.
fn is_word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of a `//` comment: to the end of its line, or of the last line that it continues on.
fn line_length(rest: &str) -> usize {
    let mut end = 0;
    for line in rest.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        end += line.len();
        if !content.ends_with('\\') {
            // The line's end itself stays: it may end a directive too.
            return end - (line.len() - line.trim_end_matches('\n').len());
        }
    }
    end
}

/// The length of a string or character constant with its quotes; `None` if it does not end on its line.
fn literal_length(rest: &str) -> Option<usize> {
    let quote = *rest.as_bytes().first()?;
    let mut escaped = false;
    for (index, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

/// The length of a number: letters, digits and dots, and a sign behind an exponent's letter.
fn number_length(rest: &str) -> usize {
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut before = b'0';
    for (index, byte) in rest.bytes().enumerate() {
        let exponent = if hexadecimal { b'p' } else { b'e' };
        let sign = matches!(byte, b'+' | b'-') && before.eq_ignore_ascii_case(&exponent);
        if !(byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' || sign) {
            return index;
        }
        before = byte;
    }
    rest.len()
}

/// A character for a message.
fn shown(c: char) -> String {
    if c.is_control() || c.is_whitespace() { format!("U+{:04X}", u32::from(c)) } else { format!("`{c}`") }
}
