//! What Node offers: each feature's Rust and JavaScript side by side.

#[path = "async/mod.rs"]
pub(crate) mod async_context;
pub(crate) mod buffer;
pub(crate) mod child_process;
pub(crate) mod crypto;
pub(crate) mod fs;
pub(crate) mod module;
pub(crate) mod net;
pub(crate) mod os;
pub(crate) mod process;
pub(crate) mod punycode;
pub(crate) mod repl;
pub(crate) mod tty;
pub(crate) mod util;
pub(crate) mod vm;
pub(crate) mod wasi;
pub(crate) mod workers;
pub(crate) mod zlib;
