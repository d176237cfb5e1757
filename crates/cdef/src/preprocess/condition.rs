//! The expressions of `#if`.

use super::Preprocessor;
use crate::constants::{self, Scope};
use crate::error::{Checked, Fault, fault};
use crate::literals::{Computed, Integer};
use crate::tokens::{Kind, Token};

/// Operators that ask whether the compiler knows something: it never does.
const QUESTIONS: [&str; 9] = [
    "__has_attribute",
    "__has_builtin",
    "__has_c_attribute",
    "__has_cpp_attribute",
    "__has_declspec_attribute",
    "__has_extension",
    "__has_feature",
    "__has_warning",
    "__has_embed",
];

/// Whether `#ifdef` says that there is this operator.
pub(super) fn is_operator(name: &str) -> bool {
    QUESTIONS.contains(&name) || ["__has_include", "__has_include_next", "__is_identifier"].contains(&name)
}

/// Names that no macro has mean 0.
struct Names;

impl Scope for Names {
    fn name(&self, token: &Token<'_>) -> Checked<Computed> {
        let value = i128::from(token.text == "true");
        Ok(Computed::Integer(Integer { value, wide: true, signed: true }))
    }

    fn is_wide(&self) -> bool {
        true
    }
}

impl<'s> Preprocessor<'s, '_> {
    /// Whether the expression of an `#if` is true; what is wrong with it otherwise.
    pub(super) fn condition(&mut self, word: &Token<'s>, tokens: &[Token<'s>]) -> Checked<Result<bool, Fault>> {
        let answered = match self.answered(tokens)? {
            Ok(answered) => answered,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut expanded = Vec::new();
        self.macros.expand(answered, &mut expanded)?;
        // A macro may have asked.
        let expanded = match self.answered(&expanded)? {
            Ok(answered) => answered,
            Err(fault) => return Ok(Err(fault)),
        };
        let end = tokens.last().map_or(word.end(), Token::end);
        let value = constants::evaluate(&Names, &expanded, end);
        Ok(value.and_then(|value| match value {
            Computed::Integer(integer) => Ok(integer.value != 0),
            _ => fault(word.at, format!("`#{}` needs an integer", word.text)),
        }))
    }

    /// The tokens with `defined` and its like replaced by numbers.
    fn answered(&mut self, tokens: &[Token<'s>]) -> Checked<Result<Vec<Token<'s>>, Fault>> {
        let mut answered = Vec::with_capacity(tokens.len());
        let mut rest = tokens;
        while let Some((token, after)) = rest.split_first() {
            rest = after;
            let is_question = token.kind == Kind::Word && (token.text == "defined" || is_operator(token.text));
            if !is_question {
                answered.push(*token);
                continue;
            }
            let (inside, behind) = match after.split_first() {
                Some((open, inside)) if open.is("(") => {
                    let mut depth = 1usize;
                    let end = inside.iter().position(|token| {
                        depth += usize::from(token.is("("));
                        depth -= usize::from(token.is(")"));
                        depth == 0
                    });
                    let Some(end) = end else {
                        return Ok(fault(open.at, "this `(` is never closed"));
                    };
                    (&inside[..end], &inside[end + 1..])
                }
                Some(_) if token.text == "defined" => after.split_at(1),
                _ => return Ok(fault(token.at, format!("expected `(` after `{}`", token.text))),
            };
            rest = behind;
            let holds = match token.text {
                "defined" => match inside {
                    [name] if name.kind == Kind::Word => self.macros.is_defined(name.text),
                    _ => return Ok(fault(token.at, "`defined` takes one name")),
                },
                "__has_include" | "__has_include_next" => match inside.split_first() {
                    Some((first, _)) if first.kind == Kind::Text => {
                        self.find(first.text.trim_matches('"'), true)?.is_some()
                    }
                    Some((first, name)) if first.is("<") => {
                        let name = name.iter().take_while(|token| !token.is(">")).map(|token| token.text);
                        let name: String = name.collect();
                        self.find(&name, false)?.is_some()
                    }
                    _ => false,
                },
                "__is_identifier" => true,
                _ => false,
            };
            answered.push(Token::made(Kind::Number, if holds { "1" } else { "0" }, token.at));
        }
        Ok(Ok(answered))
    }
}
