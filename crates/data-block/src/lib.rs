//! Data blocks: the raw bytes behind a WebAssembly memory, kept alive by reference count.
//!
//! A [`DataBlock`] reserves its whole address range once, so its base never moves: growing only makes more of the
//! range accessible. Whoever holds an `Arc<DataBlock>` (a Wasmtime store, an `ArrayBuffer`, a view) keeps the mapping
//! alive, and nothing else: a block knows no store, no instance and no JavaScript.
//!
//! This crate has no engine. Its `unsafe` stands in [`mapping`], [`poll`] and [`stack`] (address space) and [`block`]
//! (bytes that others may write at any time, and hence are only ever copied, never borrowed as a plain slice).

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod block;
pub mod budget;
pub mod mapping;
pub mod poll;
pub mod stack;

pub use block::{DataBlock, OutOfBounds, address_of, live};
pub use budget::Budget;
pub use mapping::{MapError, is_exhausted, is_short, room};
pub use poll::PollPages;
pub use stack::{Stack, StackPool};

// Any thread may have them.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<DataBlock>();
    any_thread::<Budget>();
    any_thread::<PollPages>();
    any_thread::<StackPool>();
    any_thread::<MapError>();
    any_thread::<OutOfBounds>();
};
