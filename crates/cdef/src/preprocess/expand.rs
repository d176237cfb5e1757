//! Macros, and what they expand to.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use bumpalo::Bump;

use super::condition::is_operator;
use crate::error::{Checked, Position, fault};
use crate::tokens::{self, Kind, Token};

/// How many tokens all macros together may expand to.
const MOST_TOKENS: usize = 1 << 20;

/// How deep macros may be nested in the arguments of macros.
const DEEPEST: usize = 48;

/// The longest token that `##` makes, in bytes.
const LONGEST: usize = 4096;

/// A `#define`.
#[derive(Clone, Debug)]
pub(crate) struct Macro<'s> {
    pub(crate) name: Token<'s>,
    /// The names of its parameters, if it takes arguments.
    pub(crate) params: Option<Vec<&'s str>>,
    /// The name of the last of them if that takes all arguments that are left.
    pub(crate) variadic: Option<&'s str>,
    pub(crate) body: Vec<Token<'s>>,
}

/// The macros that are defined.
pub(crate) struct Macros<'s> {
    arena: &'s Bump,
    macros: HashMap<&'s str, Rc<Macro<'s>>>,
    /// Those in the order of their definition, with some that are not defined any more.
    order: Vec<Rc<Macro<'s>>>,
    budget: usize,
    counter: usize,
}

/// Tokens that wait to be looked at.
struct Pending<'s> {
    tokens: Rc<[Token<'s>]>,
    next: usize,
    /// The macro that they come from, which is not expanded in them.
    from: Option<&'s str>,
}

impl<'s> Macros<'s> {
    pub(crate) fn new(arena: &'s Bump) -> Self {
        Self { arena, macros: HashMap::new(), order: Vec::new(), budget: MOST_TOKENS, counter: 0 }
    }

    pub(crate) fn insert(&mut self, made: Macro<'s>) {
        let made = Rc::new(made);
        self.macros.insert(made.name.text, made.clone());
        self.order.push(made);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.macros.remove(name);
    }

    pub(crate) fn is_defined(&self, name: &str) -> bool {
        self.macros.contains_key(name) || is_operator(name)
    }

    /// The macros that are defined, in the order of their definition.
    pub(crate) fn all(&self) -> Vec<Rc<Macro<'s>>> {
        let is_current =
            |made: &&Rc<Macro<'s>>| self.macros.get(made.name.text).is_some_and(|current| Rc::ptr_eq(current, made));
        self.order.iter().filter(is_current).cloned().collect()
    }

    /// Expands the macros in `input`, and adds what comes of it to `out`.
    ///
    /// # Errors
    /// Macros that expand to too much, or are nested too deep.
    pub(crate) fn expand(&mut self, input: Vec<Token<'s>>, out: &mut Vec<Token<'s>>) -> Checked<()> {
        self.expand_within(input.into(), out, &mut HashSet::new(), 0)
    }

    fn spend(&mut self, count: usize, at: Position) -> Checked<()> {
        match self.budget.checked_sub(count) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => fault(at, format!("macros expand to more than {MOST_TOKENS} tokens here")),
        }
    }

    /// `disabled` are the macros that all of it comes from.
    fn expand_within(
        &mut self,
        input: Rc<[Token<'s>]>,
        out: &mut Vec<Token<'s>>,
        disabled: &mut HashSet<&'s str>,
        depth: usize,
    ) -> Checked<()> {
        if depth > DEEPEST {
            let at = input.first().map_or(Position { file: 0, line: 1, column: 1 }, |token| token.at);
            return fault(at, format!("macros are nested more than {DEEPEST} deep in arguments"));
        }
        let mut pending = vec![Pending { tokens: input, next: 0, from: None }];
        while let Some(mut token) = next(&mut pending, disabled) {
            if token.kind != Kind::Word || token.frozen {
                out.push(token);
                continue;
            }
            let Some(made) = self.macros.get(token.text).cloned() else {
                match self.special(&token) {
                    Some(made) => out.push(made),
                    None => out.push(token),
                }
                continue;
            };
            if disabled.contains(token.text) {
                token.frozen = true;
                out.push(token);
                continue;
            }
            let arguments = match &made.params {
                None => Vec::new(),
                Some(params) => {
                    if !peek(&pending).is_some_and(|next| next.is("(")) {
                        out.push(token);
                        continue;
                    }
                    match arguments(&mut pending, disabled, params.len(), made.variadic.is_some()) {
                        Ok(arguments) => arguments,
                        // Not closed, or of another number: left as it is.
                        Err(taken) => {
                            out.push(token);
                            out.extend(taken);
                            continue;
                        }
                    }
                }
            };
            let replaced = self.replace(&made, &token, &arguments, disabled, depth)?;
            self.spend(cost(&replaced) + 1, token.at)?;
            disabled.insert(made.name.text);
            pending.push(Pending { tokens: replaced.into(), next: 0, from: Some(made.name.text) });
        }
        Ok(())
    }

    /// `__LINE__` and its like.
    fn special(&mut self, token: &Token<'s>) -> Option<Token<'s>> {
        let (kind, text): (_, &'s str) = match token.text {
            "__LINE__" => (Kind::Number, self.arena.alloc_str(&token.at.line.to_string())),
            "__FILE__" | "__FILE_NAME__" | "__BASE_FILE__" => (Kind::Text, "\"\""),
            "__DATE__" => (Kind::Text, "\"Jan  1 1970\""),
            "__TIME__" => (Kind::Text, "\"00:00:00\""),
            "__INCLUDE_LEVEL__" => (Kind::Number, "0"),
            "__COUNTER__" => {
                self.counter += 1;
                (Kind::Number, self.arena.alloc_str(&(self.counter - 1).to_string()))
            }
            _ => return None,
        };
        Some(Token { kind, text, ..*token })
    }

    /// The body of a macro with its arguments in the place of its parameters.
    fn replace(
        &mut self,
        made: &Macro<'s>,
        call: &Token<'s>,
        arguments: &[Vec<Token<'s>>],
        disabled: &mut HashSet<&'s str>,
        depth: usize,
    ) -> Checked<Vec<Token<'s>>> {
        let mut expanded: Vec<Option<Vec<Token<'s>>>> = vec![None; arguments.len()];
        let mut out: Vec<Token<'s>> = Vec::with_capacity(made.body.len());
        let params = made.params.as_deref().unwrap_or_default();
        let is_function = made.params.is_some();
        let index = |token: &Token<'s>| match token.kind {
            Kind::Word if is_function => params.iter().position(|param| *param == token.text),
            _ => None,
        };
        let body = &made.body;
        let mut at = 0;
        // Whether the next token is written together with the one before it.
        let mut joins = false;
        // Whether nothing is left of what stands before it: then it joins nothing, least of all what stands before that.
        let mut is_empty = true;
        while let Some(token) = body.get(at) {
            let token = Token { at: call.at, fresh: false, ..*token };
            at += 1;
            if token.is("##") && at > 1 && at < body.len() {
                joins = true;
                continue;
            }
            let is_option = |at: usize| {
                made.variadic.is_some()
                    && body.get(at).is_some_and(|word| word.is_word("__VA_OPT__"))
                    && body.get(at + 1).is_some_and(|next| next.is("("))
            };
            let mut part: Vec<Token<'s>> = if token.is("#") && is_function && is_option(at) {
                let (end, part) = self.option(made, at + 1, call, arguments, disabled, depth)?;
                at = end;
                vec![Token { kind: Kind::Text, text: self.quoted(&part), ..token }]
            } else if token.is("#") && is_function && body.get(at).is_some_and(|next| index(next).is_some()) {
                let argument = index(&body[at]).map(|index| arguments[index].as_slice()).unwrap_or_default();
                at += 1;
                vec![Token { kind: Kind::Text, text: self.quoted(argument), ..token }]
            } else if is_option(at - 1) {
                let (end, part) = self.option(made, at, call, arguments, disabled, depth)?;
                at = end;
                part
            } else if let Some(param) = index(&token) {
                // `, ## __VA_ARGS__` takes the comma away with the arguments.
                let is_rest = joins && made.variadic == Some(token.text) && out.last().is_some_and(|last| last.is(","));
                if is_rest {
                    joins = false;
                    if arguments[param].is_empty() {
                        out.pop();
                    }
                }
                if joins || body.get(at).is_some_and(|next| next.is("##")) {
                    arguments[param].clone()
                } else {
                    if expanded[param].is_none() {
                        expanded[param] = Some(self.argument(&arguments[param], call, disabled, depth)?);
                    }
                    expanded[param].clone().unwrap_or_default()
                }
            } else {
                vec![token]
            };
            self.spend(cost(&part), call.at)?;
            if let Some(first) = part.first_mut() {
                first.spaced = token.spaced;
            }
            let left_is_empty = std::mem::replace(&mut is_empty, part.is_empty());
            if std::mem::take(&mut joins) && !left_is_empty {
                is_empty = false;
                match (out.pop(), part.split_first()) {
                    (Some(left), Some((right, rest))) => {
                        let text = [left.text, right.text].concat();
                        let text: &'s str = if text.len() > LONGEST { "" } else { self.arena.alloc_str(&text) };
                        match tokens::single(text, left.at) {
                            Some(joined) => {
                                out.push(Token { spaced: left.spaced, ..joined });
                                out.extend(rest);
                            }
                            None => {
                                out.push(left);
                                out.extend(&part);
                            }
                        }
                    }
                    (left, _) => {
                        out.extend(left);
                        out.extend(&part);
                    }
                }
            } else {
                out.extend(part);
            }
        }
        if let Some(first) = out.first_mut() {
            first.spaced = call.spaced;
        }
        Ok(out)
    }

    /// The argument with its macros expanded.
    fn argument(
        &mut self,
        argument: &[Token<'s>],
        call: &Token<'s>,
        disabled: &mut HashSet<&'s str>,
        depth: usize,
    ) -> Checked<Vec<Token<'s>>> {
        let mut done = Vec::new();
        self.expand_within(argument.into(), &mut done, disabled, depth + 1)?;
        self.spend(cost(&done), call.at)?;
        Ok(done)
    }

    /// What is left of a `__VA_OPT__` whose parenthesis opens at `open`, and where the body goes on.
    fn option(
        &mut self,
        made: &Macro<'s>,
        open: usize,
        call: &Token<'s>,
        arguments: &[Vec<Token<'s>>],
        disabled: &mut HashSet<&'s str>,
        depth: usize,
    ) -> Checked<(usize, Vec<Token<'s>>)> {
        let mut level = 0usize;
        let close = made.body[open..].iter().position(|token| {
            level += usize::from(token.is("("));
            level -= usize::from(token.is(")") && level > 0);
            level == 0
        });
        let close = close.map_or(made.body.len(), |length| open + length);
        let next = (close + 1).min(made.body.len());
        let rest = arguments.last().map(Vec::as_slice).unwrap_or_default();
        // Arguments of which nothing is left once their macros are expanded are none.
        if depth >= DEEPEST || self.argument(rest, call, disabled, depth)?.is_empty() {
            return Ok((next, Vec::new()));
        }
        let inner = Macro { body: made.body[open + 1..close].to_vec(), ..made.clone() };
        self.spend(inner.body.len(), call.at)?;
        Ok((next, self.replace(&inner, call, arguments, disabled, depth + 1)?))
    }

    /// An argument as a string.
    fn quoted(&self, argument: &[Token<'s>]) -> &'s str {
        let mut text = String::from("\"");
        for (index, token) in argument.iter().enumerate() {
            if index > 0 && token.spaced {
                text.push(' ');
            }
            match token.kind {
                Kind::Text | Kind::Character => text.push_str(&token.text.replace('\\', "\\\\").replace('"', "\\\"")),
                _ => text.push_str(token.text),
            }
        }
        text.push('"');
        self.arena.alloc_str(&text)
    }
}

/// What tokens cost: long ones count for more than one.
fn cost(tokens: &[Token<'_>]) -> usize {
    tokens.iter().map(|token| 1 + token.text.len() / 64).sum()
}

/// The next token. Macros whose tokens have all been seen may be expanded again.
fn next<'s>(pending: &mut Vec<Pending<'s>>, disabled: &mut HashSet<&'s str>) -> Option<Token<'s>> {
    while let Some(last) = pending.last_mut() {
        if let Some(token) = last.tokens.get(last.next) {
            last.next += 1;
            return Some(*token);
        }
        if let Some(from) = last.from {
            disabled.remove(from);
        }
        pending.pop();
    }
    None
}

/// The next token, which stays.
fn peek<'s>(pending: &[Pending<'s>]) -> Option<Token<'s>> {
    pending.iter().rev().find_map(|pending| pending.tokens.get(pending.next).copied())
}

/// The arguments between parentheses.
///
/// # Errors
/// The tokens, if there is no end, or not as many arguments as `count`.
fn arguments<'s>(
    pending: &mut Vec<Pending<'s>>,
    disabled: &mut HashSet<&'s str>,
    count: usize,
    is_variadic: bool,
) -> Result<Vec<Vec<Token<'s>>>, Vec<Token<'s>>> {
    let mut taken = Vec::new();
    let mut arguments = vec![Vec::new()];
    let mut depth = 0usize;
    while let Some(token) = next(pending, disabled) {
        taken.push(token);
        match (token.kind, token.text) {
            (Kind::Mark, "(") => {
                depth += 1;
                if depth == 1 {
                    continue;
                }
            }
            (Kind::Mark, ")") => {
                depth -= 1;
                if depth == 0 {
                    if arguments.len() + 1 == count && is_variadic {
                        arguments.push(Vec::new());
                    }
                    let is_none = count == 0 && arguments.len() == 1 && arguments[0].is_empty();
                    return match arguments.len() == count {
                        true => Ok(arguments),
                        false if is_none => Ok(Vec::new()),
                        false => Err(taken),
                    };
                }
            }
            (Kind::Mark, ",") if depth == 1 && !(is_variadic && arguments.len() == count) => {
                arguments.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = arguments.last_mut() {
            last.push(Token { fresh: false, spaced: token.spaced || token.fresh, ..token });
        }
    }
    Err(taken)
}
