//! The `WebAssembly` namespace for a QuickJS context: the WebAssembly JavaScript API, one file per interface.
//!
//! [`install`] gives an existing `rquickjs` context the whole namespace. Everything that JavaScript values of one island
//! hold together is in [`anchor`]; the conversions at the boundary are in `values`.

// What cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod anchor;
mod api;
mod atomics;
mod buffers;
mod builtins;
mod elements;
mod errors;
mod exception;
pub mod function;
mod gc;
mod global;
mod guest_objects;
mod instance;
mod limits;
mod linking;
pub mod memory;
mod memory_core;
pub mod module;
pub mod module_record;
mod module_source;
mod namespace;
mod options;
mod streaming;
mod table;
mod tag;
mod typed_function;
mod types;
mod values;
pub mod wasi;

pub use anchor::hold_island;
pub use api::{
    Api, Arrivals, AttentionHook, Options, Post, ResponseBytes, Task, ask_for_attention, install, set_attention_hook,
};
pub use buffers::is_memory_buffer;
pub use errors::throw_call_error;
pub use function::{ExportedFunction, call_host};
pub use instance::{InstanceObject, is_exports_object};
pub use memory::{MemoryObject, shared_memory_object};
pub use module::ModuleObject;
pub use table::bound_table;
pub use values::{from_number, to_number};
