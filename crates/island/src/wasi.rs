//! WASI preview 1 by `wasmtime-wasi`, linked natively.

/// The WASI contexts of a store.
pub(crate) struct WasiState;
