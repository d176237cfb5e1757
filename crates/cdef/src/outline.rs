//! The outline of the source: where each declaration ends, and which brackets belong together.
//!
//! It is made before the parser sees anything. The parser goes down one level of its stack for each level of brackets,
//! so their depth is limited here; and it sees no constant expressions: those are computed from the tokens.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Checked, fault};
use crate::literals::found;
use crate::tokens::{Kind, Token};

/// How deep brackets may nest. The parser needs up to 16 KiB of stack for a level, and 48 without optimizations.
const DEEPEST: usize = 16;

/// How deep parentheses may nest. The parser tries each `(t` as a list of parameters and as a declarator, so its time
/// doubles with each level, to at most 5 µs for a byte at this depth.
const DEEPEST_ROUND: usize = 8;

/// How a token is shown to the parser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    AsIs,
    Hidden,
    /// As a number, in the place of an expression.
    Number,
}

/// The tokens, and which of them belong together. All numbers are indices of tokens.
pub(crate) struct Outline<'s> {
    /// The tokens.
    pub(crate) tokens: Vec<Token<'s>>,
    /// The declarations, each with its `;`.
    pub(crate) declarations: Vec<Range<usize>>,
    /// For each bracket, the one that closes it.
    closing: HashMap<usize, usize>,
    /// The expressions behind `=`, by the name before it.
    values: HashMap<usize, Range<usize>>,
    show: Vec<Show>,
}

/// What kind of thing an open bracket opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Round,
    Square,
    Fields,
    Enumerators,
}

impl Bracket {
    /// What closes it.
    fn closing(self) -> &'static str {
        match self {
            Self::Round => ")",
            Self::Square => "]",
            Self::Fields | Self::Enumerators => "}",
        }
    }
}

impl<'s> Outline<'s> {
    /// Makes the outline.
    pub(crate) fn new(tokens: Vec<Token<'s>>) -> Checked<Self> {
        let show = vec![Show::AsIs; tokens.len()];
        let (closing, values) = (HashMap::new(), HashMap::new());
        let mut outline = Self { tokens, declarations: Vec::new(), closing, values, show };
        outline.scan()?;
        Ok(outline)
    }

    /// Goes over all tokens once.
    fn scan(&mut self) -> Checked<()> {
        let mut open: Vec<(Bracket, usize)> = Vec::new();
        let mut first = 0;
        let mut index = 0;
        while let Some(&token) = self.tokens.get(index) {
            let inside = open.last().map(|(bracket, _)| *bracket);
            if token.kind != Kind::Mark {
                index += 1;
                continue;
            }
            match token.text {
                "(" => open.push((Bracket::Round, index)),
                "[" => {
                    let end = self.expression_end(index + 1);
                    self.hide(index + 1..end);
                    open.push((Bracket::Square, index));
                    index = end - 1;
                }
                "{" => open.push((self.brace(first, index, inside)?, index)),
                ")" | "]" | "}" => match open.pop() {
                    Some((bracket, opener)) if bracket.closing() == token.text => {
                        self.closing.insert(opener, index);
                    }
                    Some((bracket, _)) => {
                        return fault(token.at, format!("expected `{}`, found `{}`", bracket.closing(), token.text));
                    }
                    None => return fault(token.at, format!("`{}` closes nothing", token.text)),
                },
                ";" => match inside {
                    None => {
                        self.declarations.push(first..index + 1);
                        first = index + 1;
                    }
                    Some(Bracket::Fields) => {}
                    Some(bracket) => {
                        return fault(token.at, format!("expected `{}`, found `;`", bracket.closing()));
                    }
                },
                "=" if inside == Some(Bracket::Enumerators) => {
                    let end = self.expression_end(index + 1);
                    if end == index + 1 {
                        let at = self.tokens.get(end).map_or(token.end(), |token| token.at);
                        return fault(at, "expected a value");
                    }
                    self.hide(index + 1..end);
                    self.values.insert(index - 1, index + 1..end);
                    index = end - 1;
                }
                "=" if inside.is_none() => {
                    let name = index.checked_sub(1).map_or(token, |before| self.tokens[before]);
                    let variable = if name.kind == Kind::Word { name } else { token };
                    return fault(variable.at, "variables are not supported");
                }
                ":" if inside == Some(Bracket::Fields) => return fault(token.at, "bit-fields are not supported"),
                ":" if inside.is_none() && self.tokens[first].is_word("enum") => {
                    return fault(token.at, "an enum with a chosen integer type is not supported");
                }
                _ => {}
            }
            if open.len() > DEEPEST {
                return fault(token.at, format!("brackets are nested more than {DEEPEST} deep"));
            } else if token.is("(") && open.len() > DEEPEST_ROUND {
                let round = open.iter().filter(|(bracket, _)| *bracket == Bracket::Round).count();
                if round > DEEPEST_ROUND {
                    return fault(token.at, format!("parentheses are nested more than {DEEPEST_ROUND} deep"));
                }
            }
            index += 1;
        }
        if let Some((_, opener)) = open.first() {
            let token = self.tokens[*opener];
            return fault(token.at, format!("this `{}` is never closed", token.text));
        }
        match self.tokens.last() {
            Some(last) if first < self.tokens.len() => fault(last.end(), "expected `;` at the end of the declaration"),
            _ => Ok(()),
        }
    }

    /// What a `{` opens, in the declaration that starts at `first`.
    fn brace(&self, first: usize, index: usize, inside: Option<Bracket>) -> Checked<Bracket> {
        let token = self.tokens[index];
        let before = &self.tokens[first..index];
        let keyword = match before {
            [.., keyword, name] if name.kind == Kind::Word && is_record_or_enum(keyword) => Some(keyword),
            [.., keyword] if is_record_or_enum(keyword) => Some(keyword),
            _ => None,
        };
        match (keyword, before.last()) {
            (Some(_), _) if inside == Some(Bracket::Round) => {
                fault(token.at, "a type cannot be defined within parentheses: define it first")
            }
            (Some(keyword), _) if keyword.is_word("enum") => Ok(Bracket::Enumerators),
            (Some(_), _) => Ok(Bracket::Fields),
            (None, last) if last.is_none_or(|last| last.is(")")) => {
                fault(token.at, "only declarations are read: a function cannot have a body")
            }
            (None, _) => fault(token.at, "unexpected `{`"),
        }
    }

    /// Where the expression that starts at `index` ends: at a comma or at what closes the bracket around it.
    fn expression_end(&self, index: usize) -> usize {
        let mut depth = 0usize;
        for (end, token) in self.tokens.iter().enumerate().skip(index) {
            match (token.kind, token.text) {
                (Kind::Mark, "(" | "[") => depth += 1,
                (Kind::Mark, ")" | "]") if depth > 0 => depth -= 1,
                (Kind::Mark, ")" | "]" | "}" | "{" | ";") => return end,
                (Kind::Mark, ",") if depth == 0 => return end,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Shows the parser a number in the place of an expression.
    fn hide(&mut self, expression: Range<usize>) {
        for index in expression.clone() {
            self.show[index] = if index == expression.start { Show::Number } else { Show::Hidden };
        }
    }

    /// The source of one declaration for the parser: each token where it was, blanks everywhere else.
    pub(crate) fn show(&self, declaration: Range<usize>, into: &mut String) {
        let mut end = self.tokens.get(declaration.start).map_or(0, |token| token.start);
        for (token, show) in self.tokens[declaration.clone()].iter().zip(&self.show[declaration]) {
            into.extend(std::iter::repeat_n(' ', token.start - end));
            match show {
                Show::AsIs => into.push_str(token.text),
                Show::Number => into.extend(std::iter::once('1').chain(std::iter::repeat_n(' ', token.text.len() - 1))),
                Show::Hidden => into.extend(std::iter::repeat_n(' ', token.text.len())),
            }
            end = token.start + token.text.len();
        }
    }

    /// The token at or behind this byte of the source.
    pub(crate) fn token_at(&self, byte: usize) -> usize {
        self.tokens.partition_point(|token| token.start < byte)
    }

    /// What closes the bracket at this index.
    pub(crate) fn closing(&self, opener: usize) -> usize {
        self.closing.get(&opener).copied().unwrap_or(opener)
    }

    /// The expression that the enumerator whose name is at this index is set to.
    pub(crate) fn value(&self, name: usize) -> Option<Range<usize>> {
        self.values.get(&name).cloned()
    }

    /// What a message says was found at this index.
    pub(crate) fn found(&self, index: usize) -> String {
        self.tokens.get(index).map_or_else(|| "the end".to_owned(), |token| found(*token))
    }
}

/// Whether a type with a body may start here.
fn is_record_or_enum(token: &Token<'_>) -> bool {
    ["struct", "union", "enum"].iter().any(|word| token.is_word(word))
}
