//! What Node offers: each feature's Rust and JavaScript side by side.

pub(crate) mod child_process;
pub(crate) mod fs;
pub(crate) mod module;
pub(crate) mod os;
pub(crate) mod process;
pub(crate) mod tty;
pub(crate) mod wasi;
pub(crate) mod workers;
