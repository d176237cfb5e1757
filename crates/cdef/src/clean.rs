//! Takes out of the tokens what no declaration needs: `extern "C"`, `__extension__` and attributes of GNU's kind.
//! Anything that is not supported at all, and that its keyword gives away, is refused here.

use crate::error::{Checked, Position, fault};
use crate::tokens::{Kind, Lexed, Note, Token};

/// Attributes that change how a type lies in memory, and that nobody would notice if they were ignored.
const LAYOUT: [&str; 6] = ["aligned", "vector_size", "mode", "ms_struct", "scalar_storage_order", "transparent_union"];

/// Removes what is not needed from `lexed.tokens`. `__attribute__((packed))` becomes an annotation.
pub(crate) fn clean(lexed: &mut Lexed<'_>) -> Checked<()> {
    let old = std::mem::take(&mut lexed.tokens);
    let mut notes = std::mem::take(&mut lexed.notes).into_iter().peekable();
    // The open braces, with their place if they belong to an `extern "C"`; and how many others there are.
    let mut braces: Vec<Option<Position>> = Vec::new();
    let mut others = 0;
    let mut index = 0;
    while let Some(token) = old.get(index) {
        while let Some(mut note) = notes.next_if(|note| note.next <= index) {
            note.next = lexed.tokens.len();
            lexed.notes.push(note);
        }
        let length = match (token.kind, token.text) {
            (Kind::Word, "__extension__") => 1,
            (Kind::Word, "__attribute__" | "__attribute") => attribute(&old[index..], lexed)?,
            (Kind::Word, "extern") if others == 0 => linkage(&old[index..], &mut braces)?,
            (Kind::Word, word) => match unsupported(word) {
                Some(message) => return fault(token.at, message),
                None => 0,
            },
            (Kind::Mark, "...") => {
                return fault(token.at, "functions with a variable number of arguments cannot be called");
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
            lexed.tokens.push(*token);
        }
        index += length.max(1);
    }
    for mut note in notes {
        note.next = lexed.tokens.len();
        lexed.notes.push(note);
    }
    match braces.into_iter().flatten().next() {
        Some(at) => fault(at, "this `extern \"C\" {` is never closed"),
        None => Ok(()),
    }
}

/// The length of `extern "C"` and of its brace; 0 for another `extern`.
fn linkage(tokens: &[Token<'_>], braces: &mut Vec<Option<Position>>) -> Checked<usize> {
    let [extern_, language, rest @ ..] = tokens else { return Ok(0) };
    if language.kind != Kind::Text {
        return Ok(0);
    } else if language.text != "\"C\"" {
        return fault(language.at, format!("expected `\"C\"` after `extern`, found {}", language.text));
    }
    if rest.first().is_some_and(|token| token.is("{")) {
        braces.push(Some(extern_.at));
        return Ok(3);
    }
    Ok(2)
}

/// The length of an `__attribute__((…))`.
fn attribute<'s>(tokens: &[Token<'s>], lexed: &mut Lexed<'s>) -> Checked<usize> {
    let [keyword, open, inner, ..] = tokens else {
        return fault(tokens[0].at, "expected `((` after `__attribute__`");
    };
    if !(open.is("(") && inner.is("(")) {
        return fault(keyword.at, "expected `((` after `__attribute__`");
    }
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(1) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth -= 1;
            if depth == 0 {
                return Ok(index + 1);
            }
        } else if depth == 2 && token.kind == Kind::Word {
            let name = token.text.trim_matches('_');
            if LAYOUT.contains(&name) {
                return fault(token.at, format!("the attribute `{}` is not supported", token.text));
            } else if name == "packed" {
                let word = Token { text: "packed", ..*token };
                let (at, start, next) = (token.at, token.start, lexed.tokens.len());
                lexed.notes.push(Note { at, start, tokens: vec![word], next });
            }
        }
    }
    fault(open.at, "this `(` is never closed")
}

/// What is wrong with a keyword that no declaration here can have.
fn unsupported(word: &str) -> Option<&'static str> {
    Some(match word {
        "_Complex" | "__complex" | "__complex__" | "_Imaginary" => "complex numbers are not supported",
        "__int128" | "_BitInt" => "integers of more than 64 bits are not supported",
        "typeof" | "__typeof" | "__typeof__" | "typeof_unqual" => "`typeof` is not supported",
        "_Alignas" | "alignas" => "`_Alignas` is not supported",
        "_Atomic" => "`_Atomic` is not supported",
        "_Static_assert" | "static_assert" => "`_Static_assert` is not supported",
        "_Thread_local" | "thread_local" | "__thread" => "variables are not supported",
        "asm" | "__asm" | "__asm__" => "`asm` is not supported: a function has the name that it is declared with",
        _ => return None,
    })
}
