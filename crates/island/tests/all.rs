//! The tests of this crate in one program, except for those that measure the whole process: `lifetimes.rs`.

mod async_calls;
mod c_stack;
mod common;
mod foreign;
mod function_key;
mod interrupt;
mod memories;
mod reentry;
mod tiers;
mod traps;
mod units;
mod wasi;
