//! The `WebAssembly` namespace for a QuickJS context: the WebAssembly JavaScript API, one file per interface.
//!
//! [`install`] gives an existing `rquickjs` context the whole namespace. Everything that JavaScript values of one island
//! hold together is in [`anchor`]; the conversions at the boundary are in `values`.

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

/// The numbers of this crate's classes.
pub(crate) mod ids {
    use qjs::ClassId;

    pub(crate) const ANCHOR: ClassId = ClassId::new(0);
    pub(crate) const EXPORTED_FUNCTION: ClassId = ClassId::new(1);
    pub(crate) const MODULE: ClassId = ClassId::new(2);
    pub(crate) const INSTANCE: ClassId = ClassId::new(3);
    pub(crate) const EXPORTS: ClassId = ClassId::new(4);
    pub(crate) const MEMORY: ClassId = ClassId::new(5);
    pub(crate) const TABLE: ClassId = ClassId::new(6);
    pub(crate) const GLOBAL: ClassId = ClassId::new(7);
    pub(crate) const PENDING: ClassId = ClassId::new(8);
    pub(crate) const WASI_HOST: ClassId = ClassId::new(9);
    pub(crate) const WASI_FUNCTION: ClassId = ClassId::new(10);
    pub(crate) const TAG: ClassId = ClassId::new(11);
    pub(crate) const EXCEPTION: ClassId = ClassId::new(12);
    pub(crate) const GC_OBJECT: ClassId = ClassId::new(13);
    pub(crate) const TYPED_FUNCTION: ClassId = ClassId::new(14);
    pub(crate) const STREAMING: ClassId = ClassId::new(15);
}
