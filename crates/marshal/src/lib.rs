//! Marshalling between a host and the memory of its guests: the guest's allocator, blocks in it that the host owns,
//! and copies in and out. No JavaScript.
//!
//! - [`heap`]: a guest's `malloc` and `free`, and the safe points at which blocks are given back.
//! - [`block`]: one allocation, owned by the host; dropping it, on any thread, only enqueues it.
//! - [`copy`]: numbers and strings in and out, by copies that may race with the guest but never leave its memory.
//! - [`plain`]: which Rust types are nothing but bytes.
//! - [`report`](mod@report): how many blocks there were and are, in the whole process.
//! - [`error`]: what can go wrong.
//!
//! The reclaim queue behind them is in `reclaim`: who owns what on which thread is told there.

pub mod block;
pub mod copy;
pub mod error;
pub mod heap;
pub mod plain;
mod reclaim;
pub mod report;

pub use block::GuestBlock;
pub use error::HeapError;
pub use heap::Heap;
pub use plain::Plain;
pub use report::{Report, report};

pub use island;
