//! What the Web offers: each feature's Rust and JavaScript side by side.

pub(crate) mod base64;
pub(crate) mod blob;
pub(crate) mod console;
pub(crate) mod crypto;
pub(crate) mod encoding;
pub(crate) mod fetch;
pub(crate) mod intl;
pub(crate) mod messaging;
pub(crate) mod performance;
pub(crate) mod timers;
pub(crate) mod url;
