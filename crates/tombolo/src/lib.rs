//! Tombolo: WebAssembly for QuickJS, and guest memory for both sides of it.
//!
//! Take the layer that you need; each works without the ones below it in this list:
//!
//! - [`marshal`]: call functions of a guest from Rust with slices and strings; results are views of guest memory that
//!   free themselves. No JavaScript.
//! - [`js_api`]: [`js_api::install`] gives an existing `rquickjs` context the `WebAssembly` namespace.
//! - [`js_marshal`]: the module `tombolo:marshal` for such a context.
//! - [`Cluster`]: agents on threads of their own, which share modules and memories with each other and with the host.
//! - [`Runtime`]: a whole agent with modules, the platform's globals and WASI, as the `tombolo` command has it.

#![cfg_attr(doctest, doc = include_str!("../rust.md"))]

pub use {agent, data_block, island, js_api, js_marshal, marshal, platform, rquickjs};

mod cluster;
mod limits;
mod portable;
mod runtime;
mod worker_defaults;

pub use agent::structured::{Data, Serialized};
pub use cluster::{AgentHandle, AgentSpec, Cluster, Ended};
pub use limits::{Exceeded, Limits};
pub use permissions::{BadHost, Permissions};
pub use portable::SharedMemory;
pub use qjs::lost_objects;
pub use runtime::{Error, Runtime, RuntimeOptions};

/// This release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

// What any thread may have; a runtime stays on the thread that made it.
const _: () = {
    const fn any_thread<T: Send + Sync>() {}
    any_thread::<Cluster>();
    any_thread::<SharedMemory>();
    any_thread::<Limits>();
    any_thread::<Permissions>();
    any_thread::<Ended>();
    const fn another_thread<T: Send>() {}
    another_thread::<AgentSpec>();
    another_thread::<AgentHandle>();
};
