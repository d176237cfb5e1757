//! WASI preview 1, linked natively, and programs of WASI that start threads.

pub(crate) mod context;
mod sleep;
mod stdin;
pub mod threads;

pub use context::{Input, Output, PREVIEW1, Sink, UNSTABLE, WasiConfig, WasiContext, WasiError, functions};
