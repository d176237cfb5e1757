//! The `WebAssembly` namespace for a QuickJS context: the WebAssembly JavaScript API, one file per interface.
//!
//! [`install`] gives an existing `rquickjs` context the whole namespace. What the JavaScript values of one island hold
//! together is in [`island_realm`]. The files stand on three floors, `runtime`, `convert` and `interface`, each of
//! which uses those below it, and `install` is the roof.

// Output that cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod convert;
mod install;
mod interface;
mod runtime;

pub use convert::exception::throw_call_error;
pub use convert::function;
pub use convert::function::{ExportedFunction, call_host};
pub use convert::values::{from_number, to_number};
pub use install::{install, prepare_errors};
pub use interface::instance::{InstanceObject, is_exports_object};
pub use interface::memory::{MemoryObject, shared_memory_object};
pub use interface::module::ModuleObject;
pub use interface::promise_integration::{
    Complete, Settle, bind_continuations, promising_call, refuse_suspension, suspend_for,
};
pub use interface::table::bound_table;
pub use interface::{memory, module, module_record, wasi};
pub use runtime::api::{
    Api, AttentionHook, Options, Post, ResponseBytes, Task, TaskSink, ask_for_attention, set_attention_hook,
};
pub use runtime::buffers::is_memory_buffer;
pub use runtime::island_realm;
pub use runtime::island_realm::hold_island;
