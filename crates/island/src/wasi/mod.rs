//! WASI preview 1 by `wasmtime-wasi`, linked natively: a guest's call goes straight to Rust.
//!
//! The functions of `wasi_snapshot_preview1` are there, and those of its predecessor `wasi_unstable` with their own
//! layouts (Node offers the newer functions under both names).
//!
//! Calls block the calling thread, by means of a Tokio runtime that `wasmtime-wasi` starts at the first call that needs
//! it; so these functions must be called from outside any async context, as on agents' threads.
//!
//! Output that is [inherited](Output::Inherit) goes through [`std::io::stdout`] and [`std::io::stderr`] and is flushed
//! at the end of every write, so it is in order with what the host prints through the same two.

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
