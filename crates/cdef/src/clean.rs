//! Takes out of the tokens what no declaration needs: `extern "C"`, attributes and keywords of compilers, assertions. What
//! annotations and attributes say is kept beside the tokens.

use std::collections::HashMap;

use crate::error::{Fault, Position};
use crate::tokens::{Kind, Note, Token, bad};

/// Attributes that change how a type lies in memory in ways that are not known here.
const LAYOUT: [&str; 5] = ["vector_size", "mode", "ms_struct", "scalar_storage_order", "transparent_union"];

/// C23's own attributes, which say nothing about a call.
const STANDARD: [&str; 8] =
    ["nodiscard", "deprecated", "maybe_unused", "noreturn", "_Noreturn", "fallthrough", "unsequenced", "reproducible"];

/// Keywords that say nothing about a call, or about memory.
const NOTHING: [&str; 38] = [
    "__extension__",
    "_Noreturn",
    "noreturn",
    "__volatile",
    "__volatile__",
    "volatile",
    "_Nonnull",
    "_Nullable",
    "_Null_unspecified",
    "_Nullable_result",
    "__nonnull",
    "__nullable",
    "__null_unspecified",
    "_Thread_local",
    "thread_local",
    "__thread",
    "constexpr",
    "register",
    "__cdecl",
    "_cdecl",
    "__stdcall",
    "_stdcall",
    "__fastcall",
    "__thiscall",
    "__vectorcall",
    "__clrcall",
    "__pascal",
    "__ptr32",
    "__ptr64",
    "__unaligned",
    "__w64",
    "__sptr",
    "__uptr",
    "__restrict__",
    "__restrict",
    "restrict",
    "__forceinline",
    "_Atomic",
];

/// The tokens that are left.
#[derive(Default)]
pub(crate) struct Cleaned<'s> {
    pub(crate) tokens: Vec<Token<'s>>,
    /// In the order of the tokens.
    pub(crate) notes: Vec<Note<'s>>,
    /// What is wrong with the token of this index; in their order.
    pub(crate) faults: Vec<(usize, Fault)>,
    /// The integer types that enums are of, by the index of the keyword.
    pub(crate) underlying: HashMap<usize, Vec<Token<'s>>>,
}

impl<'s> Cleaned<'s> {
    fn fault(&mut self, at: Position, message: impl Into<String>) {
        self.faults.push((self.tokens.len(), Fault { at, message: message.into() }));
    }

    fn note(&mut self, at: Position, tokens: Vec<Token<'s>>, is_attribute: bool) {
        self.notes.push(Note { at, tokens, next: self.tokens.len(), is_attribute });
    }
}

/// Goes over all tokens once.
pub(crate) fn clean<'s>(old: &[Token<'s>]) -> Cleaned<'s> {
    let mut new = Cleaned::default();
    // The open braces, with their place if they belong to an `extern "C"`; and how many others there are.
    let mut braces: Vec<Option<Position>> = Vec::new();
    let mut others = 0usize;
    let mut index = 0;
    while let Some(token) = old.get(index) {
        let rest = &old[index..];
        let length = match (token.kind, token.text) {
            (Kind::Mark, "[") if rest.get(1).is_some_and(|next| next.is("[") && !next.spaced) => note(rest, &mut new),
            (Kind::Word, "_Atomic") if rest.get(1).is_some_and(|next| next.is("(")) => {
                // The type between the parentheses stays.
                let length = group(rest, 1);
                let inside = rest.get(2..length - 1).unwrap_or_default();
                new.tokens.extend(inside);
                length
            }
            (Kind::Word, word) if NOTHING.contains(&word) => 1,
            (Kind::Word, "__attribute__" | "__attribute") => attribute(rest, &mut new),
            (Kind::Word, "__declspec" | "_declspec") => declspec(rest, &mut new),
            (Kind::Word, "_Alignas" | "alignas") if rest.get(1).is_some_and(|next| next.is("(")) => {
                let length = group(rest, 1);
                let mut tokens = vec![Token { text: "aligned", ..*token }];
                tokens.extend(&rest[1..length]);
                new.note(token.at, tokens, true);
                length
            }
            (Kind::Word, "_Static_assert" | "static_assert") if rest.get(1).is_some_and(|next| next.is("(")) => {
                let length = group(rest, 1);
                length + usize::from(rest.get(length).is_some_and(|next| next.is(";")))
            }
            (Kind::Word, "asm" | "__asm" | "__asm__") if rest.get(1).is_some_and(|next| next.is("(")) => group(rest, 1),
            (Kind::Word, "extern") if others == 0 => linkage(rest, &mut braces, &mut new),
            (Kind::Word, "enum") => underlying(rest, &mut new),
            (Kind::Word, word) => {
                if let Some(message) = unsupported(word) {
                    new.fault(token.at, message);
                }
                0
            }
            (Kind::Bad, _) => {
                new.fault(token.at, bad(token));
                0
            }
            (Kind::Mark, "{") => {
                braces.push(None);
                others += 1;
                0
            }
            (Kind::Mark, "}") => match braces.pop() {
                Some(Some(_)) => 1,
                Some(None) => {
                    others -= 1;
                    0
                }
                None => 0,
            },
            _ => 0,
        };
        if length == 0 {
            let replaced = match token.text {
                "__inline" | "__inline__" | "_inline" => "inline",
                "__const" | "__const__" => "const",
                "__signed" | "__signed__" => "signed",
                text => text,
            };
            let text = if token.kind == Kind::Word { replaced } else { token.text };
            new.tokens.push(Token { text, ..*token });
        }
        index += length.max(1);
    }
    if let Some(at) = braces.into_iter().flatten().next() {
        new.fault(at, "this `extern \"C\" {` is never closed");
    }
    new
}

/// How many tokens there are up to the parenthesis that closes the one at `open`.
fn group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        depth += usize::from(token.is("("));
        depth -= usize::from(token.is(")") && depth > 0);
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The length of `extern "C"` and of its brace; 0 for another `extern`.
fn linkage<'s>(tokens: &[Token<'s>], braces: &mut Vec<Option<Position>>, new: &mut Cleaned<'s>) -> usize {
    let [extern_, language, rest @ ..] = tokens else { return 0 };
    if language.kind != Kind::Text {
        return 0;
    } else if language.text != "\"C\"" {
        new.fault(language.at, format!("expected `\"C\"` after `extern`, found {}", language.text));
    }
    if rest.first().is_some_and(|token| token.is("{")) {
        braces.push(Some(extern_.at));
        return 3;
    }
    2
}

/// The length of a `[[…]]`, of which the annotations are kept.
fn note<'s>(tokens: &[Token<'s>], new: &mut Cleaned<'s>) -> usize {
    let at = tokens[0].at;
    let mut depth = 0usize;
    let mut end = None;
    for (index, token) in tokens.iter().enumerate().skip(2) {
        match (token.kind, token.text) {
            (Kind::Mark, "(") => depth += 1,
            (Kind::Mark, ")") => depth = depth.saturating_sub(1),
            (Kind::Mark, "]") if tokens.get(index + 1).is_some_and(|next| next.is("]") && !next.spaced) => {
                end = Some(index);
                break;
            }
            (Kind::Mark, "[" | "]" | "{" | "}" | ";") => {
                new.fault(token.at, format!("expected `]]`, found `{}`", token.text));
                return index;
            }
            _ => {}
        }
    }
    let Some(end) = end else {
        new.fault(at, "this annotation is never closed: expected `]]`");
        return tokens.len();
    };
    let inside = &tokens[2..end];
    // What other tools' attributes say is theirs.
    let mut kept: Vec<Token<'s>> = Vec::new();
    let mut depth = 0usize;
    for item in inside.split(|token| {
        depth += usize::from(token.is("("));
        depth -= usize::from(token.is(")") && depth > 0);
        depth == 0 && token.is(",")
    }) {
        match item {
            [prefix, colons, rest @ ..] if colons.is("::") && !prefix.is_word("tombolo") => {
                if let Some(word) = rest.first().filter(|_| ["gnu", "clang", "__gnu__"].contains(&prefix.text)) {
                    gnu(word, rest.get(1..).unwrap_or_default(), new);
                }
            }
            [word, ..] if STANDARD.contains(&word.text.trim_matches('_')) || word.text == "_Noreturn" => {}
            item => {
                if !kept.is_empty() {
                    let comma = item.first().map_or(at, |token| token.at);
                    kept.push(Token::made(Kind::Mark, ",", comma));
                }
                kept.extend(item);
            }
        }
    }
    if !kept.is_empty() || inside.is_empty() {
        new.note(at, kept, false);
    }
    end + 2
}

/// What an attribute of GNU's says that matters here.
fn gnu<'s>(word: &Token<'s>, arguments: &[Token<'s>], new: &mut Cleaned<'s>) {
    let name = word.text.trim_matches('_');
    if LAYOUT.contains(&name) {
        new.fault(word.at, format!("the attribute `{}` is not supported", word.text));
    } else if name == "packed" || name == "aligned" {
        let text = if name == "packed" { "packed" } else { "aligned" };
        let mut tokens = vec![Token { text, ..*word }];
        if name == "aligned" {
            tokens.extend(arguments);
        }
        new.note(word.at, tokens, true);
    }
}

/// The length of an `__attribute__((…))`.
fn attribute<'s>(tokens: &[Token<'s>], new: &mut Cleaned<'s>) -> usize {
    if !(tokens.get(1).is_some_and(|open| open.is("(")) && tokens.get(2).is_some_and(|inner| inner.is("("))) {
        new.fault(tokens[0].at, "expected `((` after `__attribute__`");
        return 1;
    }
    let length = group(tokens, 1);
    if !tokens[length - 1].is(")") {
        new.fault(tokens[1].at, "this `(` is never closed");
        return length;
    }
    let mut depth = 0;
    let mut index = 1;
    while index < length {
        let token = &tokens[index];
        depth += usize::from(token.is("("));
        depth -= usize::from(token.is(")") && depth > 0);
        index += 1;
        if depth == 2 && token.kind == Kind::Word {
            let has_arguments = tokens.get(index).is_some_and(|next| next.is("("));
            let end = if has_arguments { group(tokens, index) } else { index };
            gnu(token, &tokens[index..end], new);
            index = end;
        }
    }
    length
}

/// The length of a `__declspec(…)`.
fn declspec<'s>(tokens: &[Token<'s>], new: &mut Cleaned<'s>) -> usize {
    if !tokens.get(1).is_some_and(|open| open.is("(")) {
        return 1;
    }
    let length = group(tokens, 1);
    if let Some(at) = tokens[..length].iter().position(|token| token.is_word("align")) {
        let mut said = vec![Token { text: "aligned", ..tokens[at] }];
        said.extend(&tokens[at + 1..group(tokens, at + 1).min(length)]);
        new.note(tokens[at].at, said, true);
    }
    length
}

/// Takes the integer type of an enum out: `enum name : unsigned char {`. Returns how many tokens were passed over.
fn underlying<'s>(tokens: &[Token<'s>], new: &mut Cleaned<'s>) -> usize {
    let colon = match tokens {
        [_, colon, ..] if colon.is(":") => 1,
        [_, tag, colon, ..] if tag.kind == Kind::Word && colon.is(":") => 2,
        _ => return 0,
    };
    let is_type = |token: &Token<'_>| token.kind == Kind::Word;
    let words = tokens[colon + 1..].iter().take_while(|token| is_type(token)).count();
    let end = colon + 1 + words;
    if words == 0 || !tokens.get(end).is_some_and(|token| token.is("{") || token.is(";")) {
        return 0;
    }
    new.underlying.insert(new.tokens.len(), tokens[colon + 1..end].to_vec());
    new.tokens.extend(&tokens[..colon]);
    end
}

/// What is wrong with a keyword that no declaration here can have.
fn unsupported(word: &str) -> Option<&'static str> {
    Some(match word {
        "_Complex" | "__complex" | "__complex__" | "_Imaginary" => "complex numbers are not supported",
        "__int128" | "__int128_t" | "__uint128_t" | "_BitInt" => "integers of more than 64 bits are not supported",
        "typeof" | "__typeof" | "__typeof__" | "typeof_unqual" => "`typeof` is not supported",
        _ => return None,
    })
}
