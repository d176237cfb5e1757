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
//! # Real headers
//!
//! [`read`] takes a library's header as it is: it has a [preprocessor](Options), standard headers of its own, and leaves out
//! what it does not understand, with the place and the reason. [`parse`] is for declarations that somebody wrote for this
//! crate: whatever is wrong with them is an error.
//!
//! # Limits
//!
//! There are no complex numbers, integers of more than 64 bits, vectors or `typeof`: what uses them is left out. Brackets
//! nest at most 16 deep, parentheses 8, and types, through typedefs, 64. Time and memory are linear in the source, which
//! may be hostile; what macros expand to is bounded; 256 KiB of stack are enough, and 768 without optimizations.

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
mod preprocess;
mod syntax;
mod tokens;

pub use annotations::{Annotations, At, Direction, Encoding, Length, Mode, Outcome, Ownership};
pub use c_abi::Addresses;
pub use error::{Error, File, Position};
pub use lower::predeclared;
pub use model::{
    Constant, Declarations, Enum, Field, Function, Kind, Param, Pointee, Record, RecordKind, Signature, Skipped, Type,
    Typedef, Value, Variable, Width,
};

use bumpalo::Bump;

use crate::error::{Checked, Fault};

/// How a header is read.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// The header's name or path, for messages and for [`include`](Self::include).
    pub name: &'a str,
    /// Macros that are defined, and what they stand for. Those of clang for WebAssembly are defined besides.
    pub defines: &'a [(String, String)],
    /// Finds what an `#include` names: it gets the name, whether it stands in quotes, and the name of the file that
    /// includes it. Standard headers that it does not find are the crate's own.
    pub include: Option<&'a Include<'a>>,
    /// Annotations besides those in the text: of functions by their name, of parameters by `function.parameter`, of
    /// structs, unions and typedefs by theirs.
    pub annotations: &'a [(String, String)],
    /// Declarations that follow the header's and win over them: the same functions with more said about them, say.
    pub declarations: &'a str,
    /// How wide the addresses of the guest are.
    pub addresses: Addresses,
}

/// What finds the files that `#include` names, as [`Options::include`] says.
pub type Include<'a> = dyn Fn(&str, bool, &str) -> Option<Included> + 'a;

/// A file that an `#include` names.
#[derive(Clone, Debug, Default)]
pub struct Included {
    /// Its name or path, the same whenever it is the same file.
    pub name: String,
    /// What stands in it.
    pub text: String,
    /// Whether it is a standard header, of whose functions nobody wants to hear.
    pub is_system: bool,
}

/// Reads C declarations.
///
/// # Errors
/// All mistakes, each with its place.
pub fn parse(source: &str) -> Result<Declarations, Error> {
    let declarations = read(source, &Options::default())?;
    match declarations.missed() {
        Some(error) => Err(error),
        None => Ok(declarations),
    }
}

/// Reads a header: what it declares, and in [`Declarations::skipped`] what it declares besides.
///
/// # Errors
/// Macros that expand to too much, and files that include each other without end.
pub fn read(source: &str, options: &Options<'_>) -> Result<Declarations, Error> {
    let mut files = Vec::new();
    let arena = Bump::new();
    let done = read_all(source, &arena, options, &mut files);
    done.map_err(|Fault { at, message }| Error::new(&files, at, message))
}

fn read_all<'s>(
    source: &'s str,
    arena: &'s Bump,
    options: &Options<'_>,
    files: &mut Vec<File>,
) -> Checked<Declarations> {
    let preprocessed = preprocess::preprocess(source, arena, options, files)?;
    lower::lower(preprocessed, arena, options, files)
}
