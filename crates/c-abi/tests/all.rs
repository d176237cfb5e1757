//! Tests of the crate.

mod shapes;
mod variadic;
