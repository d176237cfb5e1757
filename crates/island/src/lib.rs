//! Islands: Wasmtime stores with the instances that are linked to each other, and how the host gets in and out.
//!
//! The files stand on five floors, each of which uses those below it:
//!
//! - [`readiness`]: descriptors and times that somebody waits for.
//! - `memory`: what guests' memories stand on, waiting on them, and stopping a thread's guests through one of their
//!   pages.
//! - `engine`: which WebAssembly is accepted, how it is instrumented, and how it is compiled.
//! - [`call`]: a store that can be re-entered from a host function, calls in both directions, and what comes back when
//!   a call does not return.
//! - `wasi`, a Cargo feature that is on by default: WASI preview 1, linked natively, with threads.
//!
//! There is no JavaScript below this line. `unsafe` that touches the store or raw guest values is in `call::raw`,
//! and in `call::fiber` for calls that can be suspended.

// Failing to write a message must not panic, and a library has no output of its own.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod call;
mod engine;
mod memory;
pub mod readiness;
#[cfg(feature = "wasi")]
pub mod wasi;

pub use call::fiber::{Arguments, Fiber, Resumed};
pub use call::function::Callee;
pub use call::host::{HostFunction, Results, SuspendingFunction};
pub use call::island::{InstantiateError, Island, StoreState};
pub use call::numbers::{Frame, NumberKind};
pub use call::raw::{FunctionKey, StoreObject, has_stack_room, lend};
pub use call::trap::{CallError, HostExit, HostThrew, HostTrap, StackFrame, Trap, UncaughtException};
pub use engine::cache::{self, CodeCache, Tier};
pub use engine::compile_error::CompileError;
pub use engine::debug_info::SourceLocation;
pub use engine::limits;
pub use engine::module::{Export, Import, Module, kind_name};
pub use engine::precompiled::DeserializeError;
pub use engine::progress::Progress;
pub use engine::{Compiler, Engine, EngineOptions};
pub use memory::host_memory::{
    ask_again, has_grown, memory_budget, new_block, set_memory_budget, shared_block, take_grown,
};
pub use memory::interrupt::{Interrupter, uninterrupted};
pub use memory::wait_lists;

pub use data_block::{Budget, DataBlock, MapError, OutOfBounds, address_of, live as live_blocks};
/// The engine's own crate, whose types appear in this crate's signatures: its major version is part of this crate's
/// interface.
pub use wasmtime;

// What any thread may have. An island, and everything that belongs to it, stays on the thread that made it.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Engine>();
    any_thread::<EngineOptions>();
    any_thread::<Module>();
    any_thread::<CompileError>();
    any_thread::<Trap>();
    any_thread::<Interrupter>();
    any_thread::<DataBlock>();
    any_thread::<Budget>();
    any_thread::<MapError>();
    any_thread::<OutOfBounds>();
};
