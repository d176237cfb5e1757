//! The source as tokens.

use crate::error::Position;

/// The longest name that is read; C promises 63 characters. Annotations are copied, and their names with them.
const LONGEST_NAME: usize = 255;

/// Operators of more than one character, longer ones first.
const LONG_OPERATORS: [&str; 13] = ["...", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "++", "--", "::", "##"];

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
    /// Something that is no token of C: [`bad`] says why.
    Bad,
}

/// One token of the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'s> {
    /// What it is.
    pub(crate) kind: Kind,
    /// As it is written.
    pub(crate) text: &'s str,
    /// Where it starts, in bytes: in its file, or among all tokens once the preprocessor is done.
    pub(crate) start: usize,
    /// Where it starts, for people.
    pub(crate) at: Position,
    /// Whether it is the first of its line.
    pub(crate) fresh: bool,
    /// Whether a blank or a comment stands before it.
    pub(crate) spaced: bool,
    /// Whether it names a macro that it is itself a part of, and so stands for itself.
    pub(crate) frozen: bool,
    /// The `#pragma pack` that holds here; 0 if none does.
    pub(crate) pack: u8,
}

impl<'s> Token<'s> {
    /// A token that a macro made.
    pub(crate) fn made(kind: Kind, text: &'s str, at: Position) -> Self {
        Self { kind, text, start: 0, at, fresh: false, spaced: true, frozen: false, pack: 0 }
    }

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
        Position { column: self.at.column + self.text.chars().count(), ..self.at }
    }
}

/// An annotation as it is written, `[[…]]`, or an attribute that changes how something lies in memory.
pub(crate) struct Note<'s> {
    /// Where it opens.
    pub(crate) at: Position,
    /// What stands between the brackets.
    pub(crate) tokens: Vec<Token<'s>>,
    /// The index of the token that follows it.
    pub(crate) next: usize,
    /// Whether it is a compiler's attribute, which may stand where it means nothing here.
    pub(crate) is_attribute: bool,
}

/// Takes the file `text` apart. What is no token of C is left in, as [`Kind::Bad`].
pub(crate) fn lex(text: &str, file: u32) -> Vec<Token<'_>> {
    let mut lexer = Lexer { rest: text, start: 0, at: Position { file, line: 1, column: 1 } };
    let mut tokens = Vec::new();
    if text.starts_with('\u{feff}') {
        lexer.advance('\u{feff}'.len_utf8());
    }
    let mut fresh = true;
    loop {
        let before = lexer.start;
        match lexer.skip_blank() {
            Ok(ended) => fresh |= ended,
            Err(comment) => {
                tokens.push(Token { fresh, ..comment });
                return tokens;
            }
        }
        if lexer.rest.is_empty() {
            return tokens;
        }
        let spaced = lexer.start > before;
        tokens.push(Token { fresh, spaced, ..lexer.token() });
        fresh = false;
    }
}

/// The token that `text` is; `None` if it is not exactly one.
pub(crate) fn single(text: &str, at: Position) -> Option<Token<'_>> {
    let mut lexer = Lexer { rest: text, start: 0, at };
    let token = if text.is_empty() { None } else { Some(lexer.token()) };
    token.filter(|token| lexer.rest.is_empty() && token.kind != Kind::Bad)
}

/// What is wrong with a token that is none of C's.
pub(crate) fn bad(token: &Token<'_>) -> String {
    let first = token.text.chars().next().unwrap_or_default();
    match token.text.find(['"', '\'']) {
        _ if token.text.starts_with("/*") => "this comment is never closed".to_owned(),
        Some(at) if token.text[at..].starts_with('"') => "this string is never closed".to_owned(),
        Some(_) => "this character constant is never closed".to_owned(),
        None if is_word_character(first) => format!("this name has more than {LONGEST_NAME} characters"),
        None => format!("unexpected character {}", shown(first)),
    }
}

/// Whether this is a comment that is never closed.
pub(crate) fn is_unclosed_comment(token: &Token<'_>) -> bool {
    token.kind == Kind::Bad && token.text.starts_with("/*")
}

/// Whether this is a comment, a string or a character constant that is never closed.
pub(crate) fn is_unclosed(token: &Token<'_>) -> bool {
    token.kind == Kind::Bad && (is_unclosed_comment(token) || token.text.contains(['"', '\'']))
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
                self.at = Position { line: self.at.line + 1, column: 1, ..self.at };
            } else {
                self.at.column += 1;
            }
        }
        self.rest = rest;
        self.start += length;
        passed
    }

    /// Passes over blanks and comments. Returns whether a line ended.
    ///
    /// # Errors
    /// A comment that is never closed, as a token.
    fn skip_blank(&mut self) -> Result<bool, Token<'s>> {
        let mut fresh = false;
        loop {
            let rest = self.rest;
            let length = match rest.as_bytes() {
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
                    None => return Err(Token::made(Kind::Bad, rest, self.at)),
                },
                _ => return Ok(fresh),
            };
            self.advance(length);
        }
    }

    /// The next token. The rest must be neither empty nor blank.
    fn token(&mut self) -> Token<'s> {
        let (start, at, rest) = (self.start, self.at, self.rest);
        let first = rest.chars().next().unwrap_or_default();
        let word = rest.find(|c: char| !is_word_character(c)).unwrap_or(rest.len());
        let literal =
            rest[word..].starts_with(['"', '\'']) && (word == 0 || ["L", "u", "U", "u8"].contains(&&rest[..word]));
        let (kind, length) = if literal {
            let kind = if rest[word..].starts_with('"') { Kind::Text } else { Kind::Character };
            match literal_length(&rest[word..]) {
                Some(length) => (kind, word + length),
                None => (Kind::Bad, rest.find('\n').unwrap_or(rest.len())),
            }
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            (Kind::Number, number_length(rest))
        } else if word > LONGEST_NAME {
            (Kind::Bad, word)
        } else if word > 0 {
            (Kind::Word, word)
        } else if let Some(operator) = LONG_OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            (Kind::Mark, operator.len())
        } else if "()[]{};,:*=+-/%&|^~!<>?#.".contains(first) {
            (Kind::Mark, 1)
        } else {
            (Kind::Bad, first.len_utf8())
        };
        Token { start, ..Token::made(kind, self.advance(length), at) }
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
