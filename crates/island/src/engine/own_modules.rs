//! Modules of our own: those that the host's memories come from, and small guests that do something for the host.

use wasmtime::{Instance, MemoryType, SharedMemory, Store};

use crate::engine::Engine;
use crate::engine::cache::Key;
use crate::engine::code::cache_for;

impl Engine {
    /// One of our own small modules, from its text, compiled once.
    pub(crate) fn own_module(&self, text: &str) -> wasmtime::Result<wasmtime::Module> {
        /// Further modules are compiled anew each time: a script can ask for memories of any number of types.
        const KEPT: usize = 256;
        let own = || self.own_modules.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(module) = own().get(text) {
            return Ok(module.clone());
        }
        // Not with the lock: a thread of rayon's that compiles may do anything meanwhile.
        let module = compile(self, text)?;
        let mut own = own();
        if own.len() < KEPT {
            own.insert(text.into(), module.clone());
        }
        Ok(module)
    }

    /// A module that defines and exports one memory of the type. An unshared memory begins with no pages and is put on
    /// a block that has them. Wasmtime asks its host-memory hook only for the memories of modules' instances, not for
    /// those that `Memory::new` and `SharedMemory::new` make.
    pub(crate) fn memory_module(&self, ty: &MemoryType) -> wasmtime::Result<wasmtime::Module> {
        let minimum = if ty.is_shared() { ty.minimum() } else { 0 };
        let maximum = ty.maximum().map(|maximum| maximum.to_string()).unwrap_or_default();
        let page = if ty.page_size_log2() == 16 { "" } else { "(pagesize 1)" };
        let (wide, shared) = (if ty.is_64() { "i64" } else { "" }, if ty.is_shared() { "shared" } else { "" });
        self.own_module(&format!(r#"(module (memory (export "") {wide} {minimum} {maximum} {shared} {page}))"#))
    }

    /// A shared memory, which stands on a block as instances' memories do ([`shared_block`](crate::shared_block)).
    ///
    /// # Errors
    /// When the type is not that of a shared memory, or the system refuses the address space or the memory.
    pub fn new_shared_memory(&self, ty: &MemoryType) -> wasmtime::Result<SharedMemory> {
        let module = self.memory_module(ty)?;
        let mut store = Store::new(&self.inner, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        instance
            .get_shared_memory(&mut store, "")
            .ok_or_else(|| wasmtime::Error::msg("the type is not that of a shared memory"))
    }
}

/// The code of one of our own modules, from its text: it is not instrumented.
fn compile(engine: &Engine, text: &str) -> wasmtime::Result<wasmtime::Module> {
    let bytes = text.as_bytes();
    let Some(cache) = cache_for(engine, bytes.len()) else { return engine.compile_text(text) };
    // (No module in the binary format has these bytes.)
    let key = Key::new(engine.configuration(), bytes);
    if let Some(found) = cache.load(&key)
        && let Ok(module) = found.code.load(&engine.inner)
    {
        return Ok(module);
    }
    let tier = engine.compiler.best_tier();
    let code = engine.precompile(bytes, tier)?;
    cache.store(&key, tier, bytes.len(), code, &[], &[]).0.load(&engine.inner)
}
