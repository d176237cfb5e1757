//! WASI preview 1 by `wasmtime-wasi`, linked natively: a guest's call goes to Rust without a detour.
//!
//! The functions of `wasi_snapshot_preview1` are there, and those of its predecessor `wasi_unstable` with that one's own
//! layouts (Node hands out the newer functions under both names).
//!
//! Blocking happens on the calling thread, by a Tokio runtime that `wasmtime-wasi` starts at the first call that needs
//! one; so these functions must be called from outside any async context, as agents' threads are.
//!
//! Output that is [inherited](Output::Inherit) goes through [`std::io::stdout`] and [`std::io::stderr`] and is flushed at
//! the end of every write, so it is in order with what the host prints through the same two.

mod adapter;
mod config;
mod context;
mod runtime;
mod sink;
mod sleep;
mod stdin;
pub mod threads;

pub use config::{Input, Output, PREVIEW1, Sink, UNSTABLE, WasiConfig, WasiError};
pub use context::{WasiContext, functions};
