//! The interfaces of the `WebAssembly` namespace, one file each, and what this crate defines outside of it.

pub(crate) mod atomics;
pub(crate) mod builtins;
pub(crate) mod compile_options;
pub(crate) mod global;
pub(crate) mod instance;
pub mod memory;
pub mod module;
pub mod module_record;
pub(crate) mod module_source;
pub(crate) mod namespace;
pub(crate) mod promise_integration;
pub(crate) mod streaming;
pub(crate) mod table;
pub(crate) mod tag;
pub mod wasi;
pub(crate) mod wasi_waits;
