//! Constant expressions: the values of macros and enumerators, the conditions of `#if`, the sizes of arrays, the arguments
//! of annotations.
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
}

/// What names and types in an expression mean.
pub(crate) trait Scope {
    /// The value of a name.
    fn name(&self, token: &Token<'_>) -> Checked<Computed>;

    /// Whether all integers have 64 bits, as in `#if`.
    fn is_wide(&self) -> bool {
        false
    }

    /// What the type is that these tokens name, if they do.
    fn ty(&self, _tokens: &[Token<'_>]) -> Option<Named> {
        None
    }
}

/// A type that an expression names.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Named {
    pub(crate) size: usize,
    pub(crate) align: usize,
    pub(crate) kind: NamedKind,
}

/// What a cast to a type does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum NamedKind {
    Signed,
    Unsigned,
    Bool,
    Float,
    Double,
    /// The value stays as it is.
    Pointer,
    /// There are no casts to it.
    Other,
}

impl Scope for Constants {
    fn name(&self, token: &Token<'_>) -> Checked<Computed> {
        match (self.get(token.text), token.text) {
            (Some(value), _) => Ok(value.clone()),
            (None, "true") => Ok(truth(true)),
            (None, "false") => Ok(truth(false)),
            (None, name) => fault(token.at, format!("`{name}` is not a constant")),
        }
    }
}

/// The value of an expression; `end` is where it ends, for errors.
pub(crate) fn evaluate(scope: &dyn Scope, tokens: &[Token<'_>], end: Position) -> Checked<Computed> {
    let mut expression = Expression { scope, tokens, end, unused: 0 };
    let value = expression.choice(0)?;
    match expression.tokens.first() {
        None => Ok(value),
        Some(token) => fault(token.at, format!("expected an operator, found {}", found(*token))),
    }
}

/// The value of an expression that must be an integer; `what` names it for errors.
pub(crate) fn integer(scope: &dyn Scope, tokens: &[Token<'_>], end: Position, what: &str) -> Checked<Integer> {
    let at = tokens.first().map_or(end, |token| token.at);
    match evaluate(scope, tokens, end)? {
        Computed::Integer(integer) => Ok(integer),
        _ => fault(at, format!("{what} must be an integer")),
    }
}

/// The rest of an expression.
struct Expression<'a, 's> {
    scope: &'a dyn Scope,
    tokens: &'a [Token<'s>],
    end: Position,
    /// How many operators around this place have no use for its value, so that nothing is wrong with it.
    unused: usize,
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

    /// The same for one that must be there.
    fn expect(&mut self, mark: &str) -> Checked<()> {
        match self.accept(|_| true) {
            Some(token) if token.is(mark) => Ok(()),
            Some(token) => fault(token.at, format!("expected `{mark}`, found {}", found(token))),
            None => fault(self.end, format!("expected `{mark}`")),
        }
    }

    /// `a ? b : c`, or less.
    fn choice(&mut self, depth: usize) -> Checked<Computed> {
        let condition = self.binary(0, depth)?;
        if self.accept(|token| token.is("?")).is_none() {
            return Ok(condition);
        }
        let holds = is_true(&condition);
        let chosen = self.unless(!holds, |this| this.choice(depth + 1))?;
        self.expect(":")?;
        let other = self.unless(holds, |this| this.choice(depth + 1))?;
        let (chosen, other) = if holds { (chosen, other) } else { (other, chosen) };
        Ok(match (chosen, other) {
            (Computed::Integer(chosen), Computed::Integer(other)) => {
                let wide = chosen.wide || other.wide;
                let signed = [chosen, other].iter().all(|integer| integer.signed || integer.wide != wide);
                let common = Integer { value: 0, wide, signed };
                Computed::Integer(Integer { value: wrapped(chosen.value, common), ..common })
            }
            (chosen @ Computed::Integer(_), Computed::Float(_)) => Computed::Float(as_float(&chosen)),
            (chosen, _) => chosen,
        })
    }

    /// A part whose value nobody needs if `unused`.
    fn unless(&mut self, unused: bool, part: impl FnOnce(&mut Self) -> Checked<Computed>) -> Checked<Computed> {
        self.unused += usize::from(unused);
        let value = part(self);
        self.unused -= usize::from(unused);
        value
    }

    /// What an operator made, or any value if nobody needs it.
    fn made(&self, value: Checked<Computed>) -> Checked<Computed> {
        if self.unused > 0 { Ok(value.unwrap_or_else(|_| truth(false))) } else { value }
    }

    /// Operands joined by operators that bind at least as strongly as `weakest`.
    fn binary(&mut self, weakest: u32, depth: usize) -> Checked<Computed> {
        let mut left = self.unary(depth)?;
        while let Some(operator) = self.accept(|token| strength(token) > weakest) {
            let decided = match operator.text {
                "&&" => !is_true(&left),
                "||" => is_true(&left),
                _ => false,
            };
            let right = self.unless(decided, |this| this.binary(strength(&operator), depth + 1))?;
            left = match operator.text {
                "&&" => truth(is_true(&left) && is_true(&right)),
                "||" => truth(is_true(&left) || is_true(&right)),
                _ => self.made(apply(operator, left, right))?,
            };
        }
        Ok(left)
    }

    /// The type between parentheses that begins here, if there is one; it is passed over then.
    fn ty(&mut self) -> Option<Named> {
        let (open, inside) = self.tokens.split_first()?;
        if !open.is("(") || !inside.first().is_some_and(|token| token.kind == Kind::Word) {
            return None;
        }
        let mut depth = 1usize;
        // A type is short.
        let end = inside.iter().take(64).position(|token| {
            depth += usize::from(token.is("("));
            depth -= usize::from(token.is(")"));
            depth == 0
        })?;
        let named = self.scope.ty(&inside[..end])?;
        self.tokens = &inside[end + 1..];
        Some(named)
    }

    /// An operand with its signs.
    fn unary(&mut self, depth: usize) -> Checked<Computed> {
        if depth > DEEPEST {
            let at = self.tokens.first().map_or(self.end, |token| token.at);
            return fault(at, format!("this expression is nested more than {DEEPEST} deep"));
        }
        if let Some(named) = self.ty() {
            let at = self.tokens.first().map_or(self.end, |token| token.at);
            let value = self.unary(depth + 1)?;
            return self.made(cast(named, value, at));
        }
        let Some(token) = self.accept(|_| true) else {
            return fault(self.end, "expected a value");
        };
        let wide = self.scope.is_wide();
        let widened = |integer: Integer| Computed::Integer(Integer { wide: integer.wide || wide, ..integer });
        match (token.kind, token.text) {
            (Kind::Number, _) => match literals::number(token)? {
                Computed::Integer(integer) => Ok(widened(integer)),
                other => Ok(other),
            },
            (Kind::Character, _) => literals::character(token).map(widened),
            (Kind::Text, _) => {
                let mut text = literals::text(token)?;
                while let Some(more) = self.accept(|token| token.kind == Kind::Text) {
                    text.push_str(&literals::text(more)?);
                    if text.len() > MOST_TEXT {
                        return fault(more.at, format!("this string has more than {MOST_TEXT} bytes"));
                    }
                }
                Ok(Computed::Text(text))
            }
            (Kind::Word, "sizeof" | "_Alignof" | "alignof" | "__alignof__" | "__alignof") => {
                let size = match self.ty() {
                    Some(named) if token.text == "sizeof" => named.size,
                    Some(named) => named.align,
                    None => match self.unary(depth + 1)? {
                        Computed::Integer(integer) => {
                            if integer.wide {
                                8
                            } else {
                                4
                            }
                        }
                        Computed::Float(_) => 8,
                        Computed::Text(text) => text.len() + 1,
                    },
                };
                Ok(Computed::Integer(Integer { value: size as i128, wide: false, signed: false }))
            }
            (Kind::Word, "__extension__") => self.unary(depth + 1),
            (Kind::Word, _) => self.scope.name(&token),
            (Kind::Mark, "(") => {
                let value = self.choice(depth + 1)?;
                self.expect(")")?;
                Ok(value)
            }
            (Kind::Mark, "+" | "-" | "~" | "!") => {
                let value = self.unary(depth + 1)?;
                self.made(negate(token, value))
            }
            (Kind::Bad, _) => fault(token.at, crate::tokens::bad(&token)),
            _ => fault(token.at, format!("expected a value, found {}", found(token))),
        }
    }
}

/// How strongly an operator binds; 0 for any other token.
fn strength(token: &Token<'_>) -> u32 {
    match (token.kind, token.text) {
        (Kind::Mark, "||") => 1,
        (Kind::Mark, "&&") => 2,
        (Kind::Mark, "|") => 3,
        (Kind::Mark, "^") => 4,
        (Kind::Mark, "&") => 5,
        (Kind::Mark, "==" | "!=") => 6,
        (Kind::Mark, "<" | ">" | "<=" | ">=") => 7,
        (Kind::Mark, "<<" | ">>") => 8,
        (Kind::Mark, "+" | "-") => 9,
        (Kind::Mark, "*" | "/" | "%") => 10,
        _ => 0,
    }
}

/// Whether a value counts as true.
fn is_true(value: &Computed) -> bool {
    match value {
        Computed::Integer(integer) => integer.value != 0,
        Computed::Float(value) => *value != 0.0,
        Computed::Text(_) => true,
    }
}

/// A value as another type.
fn cast(named: Named, value: Computed, at: Position) -> Checked<Computed> {
    let integer = match (&value, named.kind) {
        (_, NamedKind::Other) => return fault(at, "a value of this type is not a constant"),
        (Computed::Text(_), NamedKind::Pointer) => return Ok(value),
        (Computed::Text(_), _) => return fault(at, "a string cannot be cast to a number"),
        (_, NamedKind::Bool) => return Ok(truth(is_true(&value))),
        (_, NamedKind::Double) => return Ok(Computed::Float(as_float(&value))),
        (_, NamedKind::Float) => return Ok(Computed::Float(f64::from(as_float(&value) as f32))),
        (Computed::Integer(integer), NamedKind::Pointer) => return Ok(Computed::Integer(*integer)),
        (Computed::Integer(integer), _) => integer.value,
        (Computed::Float(value), _) => *value as i128,
    };
    let (bits, signed) = ((named.size * 8).min(64), named.kind == NamedKind::Signed);
    let shift = 128 - bits as u32;
    let value = if signed { integer << shift >> shift } else { ((integer as u128) << shift >> shift) as i128 };
    // What is smaller than an `int` becomes one.
    let (wide, signed) = if named.size < 4 { (false, true) } else { (named.size > 4, signed) };
    Ok(Computed::Integer(Integer { value, wide, signed }))
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
                "==" => return Ok(truth(left == right)),
                "!=" => return Ok(truth(left != right)),
                "<" => return Ok(truth(left < right)),
                ">" => return Ok(truth(left > right)),
                "<=" => return Ok(truth(left <= right)),
                ">=" => return Ok(truth(left >= right)),
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
        "==" => return Ok(truth(left == right)),
        "!=" => return Ok(truth(left != right)),
        "<" => return Ok(truth(left < right)),
        ">" => return Ok(truth(left > right)),
        "<=" => return Ok(truth(left <= right)),
        ">=" => return Ok(truth(left >= right)),
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
