//! Constant expressions: the values of `#define`s and enumerators, the sizes of arrays, the arguments of annotations.
//! They are computed as C computes them, in 32 and 64 bits, signed and unsigned; signed overflow is an error.

use std::collections::HashMap;

use crate::error::{Checked, Position, fault};
use crate::literals::{self, Computed, Integer, found};
use crate::tokens::{Kind, Token};

/// How deep parentheses and unary operators may nest.
const DEEPEST: usize = 64;

/// How many bytes of strings all constants together may hold.
const MOST_TEXT: usize = 4 << 20;

/// The constants so far.
#[derive(Default)]
pub(crate) struct Constants {
    values: HashMap<String, Computed>,
    text: usize,
}

impl Constants {
    /// The constant of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Computed> {
        self.values.get(name)
    }

    /// Adds a constant.
    pub(crate) fn insert(&mut self, name: &str, value: Computed, at: Position) -> Checked<()> {
        if let Computed::Text(text) = &value {
            self.text += text.len();
            if self.text > MOST_TEXT {
                return fault(at, format!("the strings of all constants together have more than {MOST_TEXT} bytes"));
            }
        }
        self.values.insert(name.to_owned(), value);
        Ok(())
    }

    /// The value of an expression; `end` is where it ends, for errors.
    pub(crate) fn evaluate(&self, tokens: &[Token<'_>], end: Position) -> Checked<Computed> {
        let mut expression = Expression { constants: self, tokens, end };
        let value = expression.binary(0, 0)?;
        match expression.tokens.first() {
            None => Ok(value),
            Some(token) => fault(token.at, format!("expected an operator, found {}", found(*token))),
        }
    }

    /// The value of an expression that must be an integer; `what` names it for errors.
    pub(crate) fn integer(&self, tokens: &[Token<'_>], end: Position, what: &str) -> Checked<Integer> {
        let at = tokens.first().map_or(end, |token| token.at);
        match self.evaluate(tokens, end)? {
            Computed::Integer(integer) => Ok(integer),
            _ => fault(at, format!("{what} must be an integer")),
        }
    }
}

/// The rest of an expression.
struct Expression<'a, 's> {
    constants: &'a Constants,
    tokens: &'a [Token<'s>],
    end: Position,
}

impl<'s> Expression<'_, 's> {
    /// The next token, if `wanted` likes it; it is passed over then.
    fn accept(&mut self, wanted: impl Fn(&Token<'s>) -> bool) -> Option<Token<'s>> {
        let (first, rest) = self.tokens.split_first()?;
        if !wanted(first) {
            return None;
        }
        self.tokens = rest;
        Some(*first)
    }

    /// Operands joined by operators that bind at least as strongly as `weakest`.
    fn binary(&mut self, weakest: u32, depth: usize) -> Checked<Computed> {
        let mut left = self.unary(depth)?;
        while let Some(operator) = self.accept(|token| strength(token) > weakest) {
            let right = self.binary(strength(&operator), depth + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    /// An operand with its signs.
    fn unary(&mut self, depth: usize) -> Checked<Computed> {
        let Some(token) = self.accept(|_| true) else {
            return fault(self.end, "expected a value");
        };
        if depth > DEEPEST {
            return fault(token.at, format!("this expression is nested more than {DEEPEST} deep"));
        }
        match (token.kind, token.text) {
            (Kind::Number, _) => literals::number(token),
            (Kind::Character, _) => literals::character(token).map(Computed::Integer),
            (Kind::Text, _) => {
                let mut text = literals::text(token)?;
                while let Some(more) = self.accept(|token| token.kind == Kind::Text) {
                    text.push_str(&literals::text(more)?);
                }
                Ok(Computed::Text(text))
            }
            (Kind::Word, name) => match self.constants.get(name) {
                Some(value) => Ok(value.clone()),
                None => fault(token.at, format!("`{name}` is not a constant")),
            },
            (Kind::Mark, "(") => {
                let value = self.binary(0, depth + 1)?;
                match self.accept(|_| true) {
                    Some(token) if token.is(")") => Ok(value),
                    Some(token) => fault(token.at, format!("expected `)`, found {}", found(token))),
                    None => fault(self.end, "expected `)`"),
                }
            }
            (Kind::Mark, "+" | "-" | "~" | "!") => negate(token, self.unary(depth + 1)?),
            _ => fault(token.at, format!("expected a value, found {}", found(token))),
        }
    }
}

/// How strongly an operator binds; 0 for any other token.
fn strength(token: &Token<'_>) -> u32 {
    match (token.kind, token.text) {
        (Kind::Mark, "|") => 1,
        (Kind::Mark, "^") => 2,
        (Kind::Mark, "&") => 3,
        (Kind::Mark, "<<" | ">>") => 4,
        (Kind::Mark, "+" | "-") => 5,
        (Kind::Mark, "*" | "/" | "%") => 6,
        _ => 0,
    }
}

/// `+`, `-`, `~`, `!` of a value.
fn negate(operator: Token<'_>, value: Computed) -> Checked<Computed> {
    match (operator.text, value) {
        ("!", Computed::Float(value)) => Ok(truth(value == 0.0)),
        ("!", Computed::Integer(integer)) => Ok(truth(integer.value == 0)),
        ("+", value @ (Computed::Integer(_) | Computed::Float(_))) => Ok(value),
        ("-", Computed::Float(value)) => Ok(Computed::Float(-value)),
        ("-", Computed::Integer(integer)) => settle(operator, -integer.value, integer),
        ("~", Computed::Integer(integer)) => settle(operator, !integer.value, integer),
        _ => fault(operator.at, format!("`{}` cannot be applied to this value", operator.text)),
    }
}

/// A truth value, an `int`.
fn truth(value: bool) -> Computed {
    Computed::Integer(Integer { value: i128::from(value), wide: false, signed: true })
}

/// One operator applied to two values.
fn apply(operator: Token<'_>, left: Computed, right: Computed) -> Checked<Computed> {
    match (left, right) {
        (Computed::Integer(left), Computed::Integer(right)) => integers(operator, left, right),
        (Computed::Text(_), _) | (_, Computed::Text(_)) => {
            fault(operator.at, format!("`{}` cannot be applied to a string", operator.text))
        }
        (left, right) => {
            let (left, right) = (as_float(&left), as_float(&right));
            let value = match operator.text {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" => left / right,
                text => return fault(operator.at, format!("`{text}` needs integers")),
            };
            if value.is_finite() {
                Ok(Computed::Float(value))
            } else {
                fault(operator.at, "the result is not a finite number")
            }
        }
    }
}

/// A number as a float.
fn as_float(value: &Computed) -> f64 {
    match value {
        Computed::Integer(integer) => integer.value as f64,
        Computed::Float(value) => *value,
        Computed::Text(_) => f64::NAN,
    }
}

/// One operator applied to two integers, after the usual conversions.
fn integers(operator: Token<'_>, left: Integer, right: Integer) -> Checked<Computed> {
    if let "<<" | ">>" = operator.text {
        let bits = if left.wide { 64 } else { 32 };
        if !(0..bits).contains(&right.value) {
            return fault(operator.at, format!("shifted by {}: the number has {bits} bits", right.value));
        }
        // `1 << 31` is negative, as in every compiler.
        let value =
            if operator.text == "<<" { wrapped(left.value << right.value, left) } else { left.value >> right.value };
        return settle(operator, value, left);
    }
    // The wider type wins; among equals the unsigned one.
    let wide = left.wide || right.wide;
    let signed = [left, right].iter().all(|integer| integer.signed || integer.wide != wide);
    let common = Integer { value: 0, wide, signed };
    let (left, right) = (wrapped(left.value, common), wrapped(right.value, common));
    let value = match operator.text {
        "|" => left | right,
        "^" => left ^ right,
        "&" => left & right,
        "+" => left + right,
        "-" => left - right,
        // Only the low bits of unsigned factors count, which wrapping keeps.
        "*" => left.wrapping_mul(right),
        "/" | "%" if right == 0 => return fault(operator.at, "division by zero"),
        "/" => left / right,
        _ => left % right,
    };
    settle(operator, value, common)
}

/// A result in the type of `like`: unsigned results wrap, signed ones must fit.
fn settle(operator: Token<'_>, value: i128, like: Integer) -> Checked<Computed> {
    let integer = Integer { value: if like.signed { value } else { wrapped(value, like) }, ..like };
    if integer.fits() {
        return Ok(Computed::Integer(integer));
    }
    fault(operator.at, format!("the result does not fit {} bits", if like.wide { 64 } else { 32 }))
}

/// The value modulo the type of `like`.
fn wrapped(value: i128, like: Integer) -> i128 {
    match (like.signed, like.wide) {
        (true, true) => i128::from(value as i64),
        (true, false) => i128::from(value as i32),
        (false, true) => i128::from(value as u64),
        (false, false) => i128::from(value as u32),
    }
}
