//! WebAssembly's objects in messages: their serialization and deserialization steps (WebAssembly JavaScript Interface,
//! and the threads proposal for memories).

use std::sync::Arc;

use agent::structured::{Plugins, Portable, throw_data_clone_error};
use island::wasmtime::{self, MemoryTypeBuilder};
use island::{DataBlock, Engine};
use js_api::{Api, MemoryObject, ModuleObject};
use qjs::{Ctx, Result, Value, class};

/// What structured serialize learns of the layers that it does not know.
pub(crate) const PLUGINS: Plugins = Plugins {
    serialization: &[module_steps, memory_steps, platform::blob_steps],
    is_ordinary: js_api::is_exports_object,
    stack_has_head: true,
    is_kept_in_place: js_api::is_memory_buffer,
};

/// A compiled module, which all agents of an engine can use as it is.
pub(crate) struct PortableModule(ModuleObject);

impl PortableModule {
    pub(crate) fn of(module: &island::Module) -> Self {
        Self(ModuleObject::new(module.clone()))
    }
}

impl Portable for PortableModule {
    fn deserialize<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        check_engine(ctx, self.0.module.wasmtime().engine(), "WebAssembly.Module")?;
        Ok(js_api::module::object_for(ctx, self.0.clone())?.into_value())
    }
}

fn module_steps<'js>(_: &Ctx<'js>, value: &Value<'js>) -> Result<Option<Arc<dyn Portable>>> {
    let module = class::of::<ModuleObject>(value);
    Ok(module.map(|module| Arc::new(PortableModule(module.clone())) as Arc<dyn Portable>))
}

/// A shared WebAssembly memory, for agents and for the host's own threads. A handle: clones are the same memory.
#[derive(Clone, Debug)]
pub struct SharedMemory {
    memory: wasmtime::SharedMemory,
    engine: Engine,
}

impl SharedMemory {
    /// One of so many pages of 64 KiB.
    pub(crate) fn new(engine: &Engine, initial: u32, maximum: u32) -> wasmtime::Result<Self> {
        let ty = MemoryTypeBuilder::new().shared(true).min(initial.into()).max(Some(maximum.into())).build()?;
        Ok(Self { memory: engine.new_shared_memory(&ty)?, engine: engine.clone() })
    }

    /// Its bytes, which are read and written by copies: agents may write to them at any time.
    pub fn data(&self) -> Arc<DataBlock> {
        island::shared_block(&self.memory).expect("every memory of this engine stands on a block")
    }
}

impl Portable for SharedMemory {
    fn deserialize<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        check_engine(ctx, self.engine.wasmtime(), "WebAssembly.Memory")?;
        js_api::shared_memory_object(ctx, self.memory.clone())
    }
}

fn memory_steps<'js>(ctx: &Ctx<'js>, value: &Value<'js>) -> Result<Option<Arc<dyn Portable>>> {
    let Some(memory) = class::of::<MemoryObject>(value) else { return Ok(None) };
    match memory.shared() {
        Some(memory) => {
            let (memory, engine) = (memory.clone(), Api::of(ctx)?.engine().clone());
            Ok(Some(Arc::new(SharedMemory { memory, engine })))
        }
        None => Err(throw_data_clone_error(ctx, "A WebAssembly.Memory that is not shared cannot be cloned.")),
    }
}

/// Agents of different engines are different clusters.
fn check_engine(ctx: &Ctx<'_>, engine: &wasmtime::Engine, what: &str) -> Result<()> {
    if wasmtime::Engine::same(engine, Api::of(ctx)?.engine().wasmtime()) {
        return Ok(());
    }
    let message = format!("A {what} cannot be used by an agent of another engine.");
    Err(throw_data_clone_error(ctx, &message))
}
