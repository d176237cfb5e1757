//! WASI preview 1, linked natively: a guest's call goes straight to Rust, and from there to the system.
//!
//! The functions of `wasi_snapshot_preview1` are there, and those of its predecessor `wasi_unstable` with their own
//! layouts (Node offers the newer functions under both names).
//!
//! A guest's descriptors are the host's open files, and paths lead nowhere above the directories that a guest is given
//! (`beneath`). Whatever a guest passes wrongly is an error number. Calls block the calling thread until they are done
//! or the thread is [interrupted](crate::Interrupter); those that can be [suspended](Waiter) are suspended instead.
//!
//! Who owns what on which thread: a [`WasiContext`] is shared by all that use it. Its table of descriptors is locked for
//! look-ups; a file that one thread closes stays open until the calls that use it are done.

mod beneath;
mod call;
mod config;
mod context;
mod descriptor;
mod entries;
mod errno;
mod files;
mod functions;
mod guest;
mod link;
mod paths;
mod poll;
mod readdir;
mod sockets;
mod system;
pub mod threads;
mod transfer;
mod types;
mod wait;
mod waiter;

pub use config::{Input, Output, PREVIEW1, Sink, UNSTABLE, WasiConfig, WasiError};
pub use context::WasiContext;
pub use functions::{Function, functions};
pub use link::Precedence;
pub use waiter::Waiter;
