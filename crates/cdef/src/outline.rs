//! The outline of the source: where each declaration ends, and which brackets belong together.
//!
//! It is made before the parser sees anything. The parser goes down one level of its stack for each level of brackets,
//! so their depth is limited here; and it sees no constant expressions: those are computed from the tokens.

use std::collections::HashMap;
use std::ops::Range;

use crate::error::{Checked, Fault, Position, fault};
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
    /// The declarations, each with its `;` if it has one.
    pub(crate) declarations: Vec<Outlined>,
    /// For each bracket, the one that closes it.
    closing: HashMap<usize, usize>,
    /// The expressions behind `=` by the name before it, and those behind the `:` of a bit-field by that.
    values: HashMap<usize, Range<usize>>,
    show: Vec<Show>,
}

/// One declaration.
pub(crate) struct Outlined {
    /// Its tokens.
    pub(crate) tokens: Range<usize>,
    /// Whether the body of a function follows.
    pub(crate) has_body: bool,
    /// What is wrong with its brackets.
    pub(crate) fault: Option<Fault>,
}

/// Where a declaration ends.
struct End {
    /// Behind its last token.
    tokens: usize,
    /// Where the next one starts.
    next: usize,
    has_body: bool,
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
    pub(crate) fn new(tokens: Vec<Token<'s>>) -> Self {
        let show = vec![Show::AsIs; tokens.len()];
        let (closing, values) = (HashMap::new(), HashMap::new());
        let mut outline = Self { tokens, declarations: Vec::new(), closing, values, show };
        let mut first = 0;
        while first < outline.tokens.len() {
            first = match outline.scan(first) {
                Ok(End { tokens, next, has_body }) => {
                    outline.declarations.push(Outlined { tokens: first..tokens, has_body, fault: None });
                    next
                }
                Err((fault, at)) => {
                    let end = outline.resume(first, at);
                    let fault = Some(fault);
                    outline.declarations.push(Outlined { tokens: first..end, has_body: false, fault });
                    end
                }
            };
        }
        outline
    }

    /// Where the next declaration starts behind one with something wrong at the token `at`.
    fn resume(&self, first: usize, at: usize) -> usize {
        let mut depth = 0usize;
        for (index, token) in self.tokens.iter().enumerate().skip(first) {
            match (token.kind, token.text) {
                (Kind::Mark, "{") => depth += 1,
                (Kind::Mark, "}") => {
                    depth = depth.saturating_sub(1);
                    let goes_on = self.tokens.get(index + 1).is_some_and(|next| next.is(";") || next.is(","));
                    if depth == 0 && index >= at && !goes_on {
                        return index + 1;
                    }
                }
                (Kind::Mark, ";") if depth == 0 && index >= at => return index + 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Goes over the tokens of the declaration that starts at `first`, once.
    ///
    /// # Errors
    /// What is wrong, and at which token.
    fn scan(&mut self, first: usize) -> Result<End, (Fault, usize)> {
        let mut open: Vec<(Bracket, usize)> = Vec::new();
        let mut index = first;
        while let Some(&token) = self.tokens.get(index) {
            let inside = open.last().map(|(bracket, _)| *bracket);
            let here = index;
            let wrong = |message: String| Err((Fault { at: token.at, message }, here));
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
                "{" if inside.is_none() && self.is_body(first, index) => {
                    let next = self.brace_end(index);
                    return Ok(End { tokens: index, next, has_body: true });
                }
                "{" => match self.brace(first, index, inside) {
                    Ok(bracket) => open.push((bracket, index)),
                    Err(fault) => return Err((fault, index)),
                },
                ")" | "]" | "}" => match open.pop() {
                    Some((bracket, opener)) if bracket.closing() == token.text => {
                        self.closing.insert(opener, index);
                    }
                    Some((bracket, _)) => {
                        return wrong(format!("expected `{}`, found `{}`", bracket.closing(), token.text));
                    }
                    None => return wrong(format!("`{}` closes nothing", token.text)),
                },
                ";" => match inside {
                    None => return Ok(End { tokens: index + 1, next: index + 1, has_body: false }),
                    Some(Bracket::Fields) => {}
                    Some(bracket) => return wrong(format!("expected `{}`, found `;`", bracket.closing())),
                },
                "=" if inside == Some(Bracket::Enumerators) => {
                    let end = self.expression_end(index + 1);
                    if end == index + 1 {
                        let at = self.tokens.get(end).map_or(token.end(), |token| token.at);
                        return Err((Fault { at, message: "expected a value".to_owned() }, index));
                    }
                    self.hide(index + 1..end);
                    self.values.insert(index - 1, index + 1..end);
                    index = end - 1;
                }
                "=" if inside.is_none() => {
                    // What a variable is set to does not matter.
                    let end = self.value_end(index + 1);
                    self.show[index..end].fill(Show::Hidden);
                    index = end - 1;
                }
                ":" if inside == Some(Bracket::Fields) => {
                    let end = self.expression_end(index + 1);
                    self.hide(index + 1..end);
                    self.values.insert(index, index + 1..end);
                    index = end - 1;
                }
                _ => {}
            }
            if open.len() > DEEPEST {
                return wrong(format!("brackets are nested more than {DEEPEST} deep"));
            } else if token.is("(") && open.len() > DEEPEST_ROUND {
                let round = open.iter().filter(|(bracket, _)| *bracket == Bracket::Round).count();
                if round > DEEPEST_ROUND {
                    return wrong(format!("parentheses are nested more than {DEEPEST_ROUND} deep"));
                }
            }
            index += 1;
        }
        let end = self.tokens.len();
        if let Some((_, opener)) = open.first() {
            let token = self.tokens[*opener];
            return Err((Fault { at: token.at, message: format!("this `{}` is never closed", token.text) }, end));
        }
        let at = self.tokens.last().map_or(Position { file: 0, line: 1, column: 1 }, Token::end);
        Err((Fault { at, message: "expected `;` at the end of the declaration".to_owned() }, end))
    }

    /// Whether the brace at `index` opens the body of a function.
    fn is_body(&self, first: usize, index: usize) -> bool {
        index > first && self.tokens[index - 1].is(")")
    }

    /// Behind the brace that closes the one at `index`.
    fn brace_end(&self, index: usize) -> usize {
        let mut depth = 0usize;
        for (end, token) in self.tokens.iter().enumerate().skip(index) {
            depth += usize::from(token.is("{"));
            depth -= usize::from(token.is("}"));
            if depth == 0 {
                return end + 1;
            }
        }
        self.tokens.len()
    }

    /// Where the value of a variable that starts at `index` ends.
    fn value_end(&self, index: usize) -> usize {
        let mut depth = 0usize;
        for (end, token) in self.tokens.iter().enumerate().skip(index) {
            match (token.kind, token.text) {
                (Kind::Mark, "(" | "[" | "{") => depth += 1,
                (Kind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                (Kind::Mark, "," | ";") if depth == 0 => return end,
                _ => {}
            }
        }
        self.tokens.len()
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
        match keyword {
            Some(_) if inside == Some(Bracket::Round) => {
                fault(token.at, "a type cannot be defined within parentheses: define it first")
            }
            Some(keyword) if keyword.is_word("enum") => Ok(Bracket::Enumerators),
            Some(_) => Ok(Bracket::Fields),
            None => fault(token.at, "unexpected `{`"),
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
            into.extend(std::iter::repeat_n(' ', token.start.saturating_sub(end)));
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

    /// The expression that the enumerator whose name is at this index is set to, or that follows the colon at this index.
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
