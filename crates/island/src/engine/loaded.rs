//! Compiled code that was loaded from files, for the modules that it was compiled from.

use std::sync::{Mutex, MutexGuard};

use rustc_hash::FxHashMap;

use crate::engine::cache::{Key, Tier};

/// The code of one module.
#[derive(Clone, Debug)]
pub(crate) struct LoadedModule {
    pub(crate) wasm: wasmtime::Module,
    pub(crate) tier: Tier,
    /// What instrumentation added, as it is written to a file.
    pub(crate) record: Vec<u8>,
}

/// All such code of an engine, by the modules' keys.
#[derive(Debug, Default)]
pub(crate) struct LoadedCode(Mutex<FxHashMap<Key, LoadedModule>>);

impl LoadedCode {
    /// The code of a module, if there is any. `key` is only asked for the module's key if there is code at all.
    pub(crate) fn get(&self, key: impl FnOnce() -> Key) -> Option<LoadedModule> {
        if self.all().is_empty() {
            return None;
        }
        let key = key();
        self.all().get(&key).cloned()
    }

    pub(crate) fn insert(&self, key: Key, module: LoadedModule) {
        self.all().insert(key, module);
    }

    fn all(&self) -> MutexGuard<'_, FxHashMap<Key, LoadedModule>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}
