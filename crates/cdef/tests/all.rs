//! The tests of this crate in one program.

mod annotations;
mod common;
mod constants;
mod errors;
mod headers;
mod hostile;
mod records;
mod types;
