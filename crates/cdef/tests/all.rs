//! The tests of this crate in one program.

mod annotations;
mod common;
mod constants;
mod errors;
mod headers;
mod hostile;
mod preprocessor;
mod records;
mod shapes;
mod types;
