//! The tests of this crate in one program, but for those that count what the whole process has: `lifetimes.rs`.

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
