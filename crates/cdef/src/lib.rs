//! Reads C declarations: which functions, structs, enums and constants a header declares, with annotations for what C's
//! types leave open.
//!
//! [`parse`] takes what is left of a header once the preprocessor is done with it, and constants besides:
//!
//! ```
//! let declarations = cdef::parse(r#"
//!     #define MAX_LEVEL 9
//!     typedef struct item { int id; char name[16]; } item;
//!     double *multiply(const double *a [[length(n)]], const double *b, int n) [[owned, length(n)]];
//! "#)?;
//! assert_eq!(declarations.functions[0].name, "multiply");
//! assert_eq!(declarations.constants[0].value, cdef::Value::Integer(9));
//!
//! let error = cdef::parse("int broken(foo bar);").unwrap_err();
//! assert_eq!(error.message(), "unknown type name `foo`");
//! # Ok::<(), cdef::Error>(())
//! ```
//!
//! # Annotations
//!
//! Annotations are attributes as C23 writes them, `[[owned, length(n)]]`, so an annotated header is still C; they may
//! have the prefix `tombolo::`. They belong to what they stand behind: a parameter, a field, a typedef's name, `struct`
//! or its tag or its closing brace; behind a function's parameters they belong to its result. At the start of a
//! declaration they belong to all that it declares. What a typedef says holds wherever its name stands: for the
//! parameter, field or result that has this type, unless that says otherwise, and for the [`Pointee`] of a pointer to
//! it. It is not kept for the elements of an array in a field.
//!
//! # Limits
//!
//! There is no preprocessor, and there are no variables, bit-fields, flexible array members, variadic functions,
//! `long double`, complex numbers, `_Atomic`, `_Alignas` or function bodies: each is an error. Brackets nest at most 16
//! deep, parentheses 8, and types, through typedefs, 64. Time and memory are linear in the source, which may be
//! hostile; 256 KiB of stack are enough, and 768 without optimizations.

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod annotations;
mod attach;
mod clean;
mod constants;
mod error;
mod literals;
mod lower;
mod model;
mod outline;
mod syntax;
mod tokens;

pub use annotations::{Annotations, At, Direction, Encoding, Length, Mode, Outcome, Ownership};
pub use error::{Error, Position};
pub use lower::predeclared;
pub use model::{
    Constant, Declarations, Enum, Field, Function, Param, Pointee, Record, RecordKind, Signature, Type, Typedef, Value,
    Width,
};

use crate::attach::Notes;
use crate::error::{Checked, Fault};
use crate::outline::Outline;

/// Reads C declarations.
///
/// # Errors
/// The first mistake, with its place.
pub fn parse(source: &str) -> Result<Declarations, Error> {
    match read(source) {
        Ok(declarations) => Ok(Declarations { source: source.to_owned(), ..declarations }),
        Err(Fault { at, message }) => Err(Error::new(source, at, message)),
    }
}

/// Takes the source apart, then puts together what it declares.
fn read(source: &str) -> Checked<Declarations> {
    let mut lexed = tokens::lex(source)?;
    clean::clean(&mut lexed)?;
    let outline = Outline::new(lexed.tokens)?;
    lower::lower(outline, Notes::new(lexed.notes), lexed.defines)
}
