//! Islands: Wasmtime stores with the instances that are linked to each other, and how the host gets in and out.
//!
//! - [`engine`]: which WebAssembly is accepted and how it is compiled.
//! - [`module`]: compiled modules, and what can be seen of them (imports, exports, custom sections).
//! - `prepare`: what is put into a module before it is compiled, so that it can be stopped and waits where scripts do.
//! - [`cache`]: compiled code that is kept from one run to the next.
//! - [`limits`]: implementation limits of the JavaScript API.
//! - [`island`](mod@island): a store that can be re-entered from a host function, with the mappings of its memories.
//! - [`call`]: calling guest functions, and being called by them, with as little in between as there can be.
//! - [`trap`]: what comes back when a call does not return, with the names of the functions on the way.
//! - [`interrupt`]: stopping a thread's guests from another thread.
//! - [`wait_lists`]: who waits on shared memory, and who is woken.
//! - [`wasi`]: WASI preview 1, linked natively.
//! - [`wasi_threads`]: programs of WASI that start threads.
//!
//! There is no JavaScript below this line. `unsafe` that touches the store or raw guest values is in `raw`.

// What cannot be written must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod array_copier;
mod atomic_imports;
pub mod cache;
pub mod call;
pub mod engine;
mod host_memory;
pub mod interrupt;
pub mod island;
pub mod limits;
pub mod module;
mod prepare;
mod raw;
mod threads;
pub mod trap;
pub mod wait_lists;
pub mod wasi;
mod wasi_sleep;
mod wasi_stdin;
pub mod wasi_threads;

pub use cache::CodeCache;
pub use call::{Callee, Frame, HostFunction, HostThrew, Kind};
pub use engine::{Engine, EngineOptions};
pub use host_memory::{ask_again, has_grown, memory_budget, set_memory_budget, shared_block, take_grown};
pub use interrupt::{Interrupter, uninterrupted};
pub use island::{InstantiateError, Island, StoreState};
pub use module::{CompileError, Export, Import, Module};
pub use raw::{FunctionKey, StoreObject, has_stack_room, lend};
pub use trap::{CallError, HostTrap, StackFrame, Trap, Uncaught};

pub use data_block::{Budget, DataBlock, MapError, OutOfBounds, address_of, live as live_blocks};
pub use wasmtime;
