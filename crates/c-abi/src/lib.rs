//! How C for WebAssembly lays out its types and passes them: what clang does, with addresses of 32 bits and of 64.
//!
//! The crate knows no engine and no language but C. It says what a number is ([`Scalar`]), how records are laid out
//! ([`RecordLayout`]), what goes by value and what by an address ([`Passed`]), which WebAssembly type a function has
//! ([`Signature`]), where variable arguments lie ([`variadic`]), how text is encoded ([`Text`]), and what the functions
//! and memories of a guest are called ([`names`]).
//!
//! ```
//! use c_abi::{Addresses, Layout, Member, Passed, RecordKind, RecordLayout, Scalar};
//!
//! let members = [Scalar::U8, Scalar::F64].map(|scalar| Member::of(Layout::scalar(scalar, Addresses::Narrow)));
//! let point = RecordLayout::new(RecordKind::Struct, &members, None).expect("a small struct");
//! assert_eq!((point.layout.size, point.layout.align), (16, 8));
//! assert_eq!(point.places[1].offset, 8);
//! assert_eq!(point.layout.passed, Passed::Address);
//! ```
//!
//! It is tested against guests that clang compiled: `guests/src/shapes.txt` lists them.

// A library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod layout;
pub mod names;
mod record;
mod scalar;
mod signature;
mod text;
pub mod variadic;

pub use layout::{Layout, Layouts, Members, Passed};
pub use record::{LARGEST, Member, Place, RecordKind, RecordLayout};
pub use scalar::{Addresses, Number, Scalar, enumeration};
pub use signature::Signature;
pub use text::Text;
