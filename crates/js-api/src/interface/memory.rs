//! `WebAssembly.Memory`: the interface. What is below it is in [`crate::runtime::memory_core`].

use std::sync::Arc;

use island::DataBlock;
use island::wasmtime::{Extern, Memory, MemoryType, MemoryTypeBuilder, SharedMemory};
use qjs::define::{self, Attributes};
use qjs::{Call, Ctx, Exception, HostClass, Mark, Object, Result, Value, class};

use crate::convert::types::{Sizes, memory_type};
use crate::runtime::api::Api;
use crate::runtime::island_realm::IslandHandle;
use crate::runtime::limits::{self, Limits};
use crate::runtime::memory_core::{CoreOwner, MAX_PAGES, MAX_PAGES64, MemoryBytes, MemoryCore};

/// A Memory object's value.
#[derive(HostClass, Mark)]
#[host_class(name = "WebAssembly.Memory")]
pub struct MemoryObject {
    core: CoreOwner,
}

impl MemoryObject {
    fn create<'js>(
        ctx: &Ctx<'js>,
        ty: MemoryType,
        bytes: MemoryBytes,
        prototype: Option<&Object<'js>>,
    ) -> Result<Object<'js>> {
        class::new_object(ctx, Self { core: CoreOwner::new(Api::of(ctx)?, ty, bytes) }, prototype)
    }

    fn ty(&self) -> &MemoryType {
        self.core.ty()
    }

    /// Why the memory cannot be imported as `wanted`; `None` if it can.
    pub(crate) fn mismatch(&self, wanted: &MemoryType) -> Option<String> {
        let ty = self.ty();
        let limits = limits::mismatch(wanted.minimum(), wanted.maximum(), self.core.pages(), ty.maximum(), "pages");
        if wanted.is_64() != ty.is_64() {
            Some(format!("expected a memory with {} addresses", if wanted.is_64() { "64-bit" } else { "32-bit" }))
        } else if wanted.is_shared() != ty.is_shared() {
            let kind = |shared| if shared { "a shared memory" } else { "a memory that is not shared" };
            Some(format!("expected {}, got {}", kind(wanted.is_shared()), kind(ty.is_shared())))
        } else if wanted.page_size() != ty.page_size() {
            Some(format!("expected pages of {} bytes, got {}", wanted.page_size(), ty.page_size()))
        } else {
            limits
        }
    }

    /// The memory's bytes; `None` for a shared memory, which is Wasmtime's own.
    pub fn block(&self) -> Option<&Arc<DataBlock>> {
        match self.core.bytes() {
            MemoryBytes::Unshared(block) => Some(block),
            MemoryBytes::Shared(_) => None,
        }
    }

    /// The value of the attribute `buffer`.
    ///
    /// # Errors
    /// When memory is out.
    pub fn buffer<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        self.core.buffer(ctx)
    }

    /// Whether its addresses have 64 bits.
    pub fn is_wide(&self) -> bool {
        self.core.ty().is_64()
    }

    /// The memory, if it is shared.
    pub fn shared(&self) -> Option<&SharedMemory> {
        match self.core.bytes() {
            MemoryBytes::Unshared(_) => None,
            MemoryBytes::Shared(memory) => Some(memory),
        }
    }

    /// Where the memory is, once an instance has it.
    pub fn bound(&self) -> Option<(IslandHandle, Memory)> {
        self.core.bound()
    }

    /// The memory in the link's island. It is made there if it is in none yet. `object` is this value's object.
    pub(crate) fn bind(&self, ctx: &Ctx<'_>, link: &IslandHandle, object: &Value<'_>) -> Result<Extern> {
        if let Some((_, memory)) = self.bound() {
            return Ok(Extern::Memory(memory));
        }
        let block = match self.core.bytes() {
            MemoryBytes::Unshared(block) => block.clone(),
            MemoryBytes::Shared(memory) => return Ok(Extern::SharedMemory(memory.clone())),
        };
        let made = link.shared.island.new_memory(self.ty().clone(), block);
        let memory = made.map_err(|error| crate::convert::values::out_of_memory(ctx, &error))?;
        self.core.set_bound::<Self>(link, memory, object);
        Ok(Extern::Memory(memory))
    }
}

/// The Memory object for a memory of the link's island: the one there is, or a new one.
pub(crate) fn memory_object<'js>(ctx: &Ctx<'js>, link: &IslandHandle, memory: Memory) -> Result<Value<'js>> {
    // It comes from the island itself.
    let block = link.shared.island.block_of(memory).ok_or(rquickjs::Error::Unknown)?;
    if let Some(object) = link.shared.object(ctx, MemoryCore::address(&block)) {
        return Ok(object);
    }
    let ty = link.shared.island.enter(|store| memory.ty(&store));
    let object = MemoryObject::create(ctx, ty, MemoryBytes::Unshared(block), None)?.into_value();
    let value = class::of::<MemoryObject>(&object).expect("made just now");
    value.core.set_bound::<MemoryObject>(link, memory, &object);
    Ok(object)
}

/// A new Memory object for a shared memory, as structured deserialize makes one. Several objects can stand on one
/// memory, in one agent or in several agents of one engine.
///
/// # Errors
/// When the API is not installed, or memory is out.
pub fn shared_memory_object<'js>(ctx: &Ctx<'js>, memory: SharedMemory) -> Result<Value<'js>> {
    Ok(MemoryObject::create(ctx, memory.ty(), MemoryBytes::Shared(memory), None)?.into_value())
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<MemoryObject>(ctx)?;
    let made = define::interface(namespace, "Memory", "WebAssembly.Memory", Attributes::Hidden, 1, constructor)?;
    define::method(&made.prototype, "grow", 1, grow)?;
    define::method(&made.prototype, "toFixedLengthBuffer", 0, to_fixed_length_buffer)?;
    define::method(&made.prototype, "toResizableBuffer", 0, to_resizable_buffer)?;
    define::getter(&made.prototype, "buffer", buffer)?;
    define::method(&made.prototype, "type", 0, type_of)?;
    class::set_prototype::<MemoryObject>(ctx, &made.prototype);
    Ok(())
}

fn constructor<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Memory";
    webidl::require_new(&call, PLACE)?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let ctx = &call.ctx;
    let argument = format!("{PLACE}: argument 1");
    let dictionary = webidl::dictionary(ctx, call.arg(0), &argument)?;
    let wide = limits::address_type(ctx, &dictionary, &argument)?;
    let limits = Limits::read(ctx, &dictionary, wide, &argument)?;
    let shared = webidl::boolean_member(&dictionary, "shared")?;
    let prototype = class::prototype_from_new_target::<MemoryObject>(&call)?;
    limits.check(ctx, &argument, if wide { MAX_PAGES64 } else { MAX_PAGES })?;
    if shared && limits.maximum.is_none() {
        return Err(Exception::throw_type(ctx, &format!("{PLACE}: a shared memory must have a maximum")));
    }
    let mut builder = MemoryTypeBuilder::new();
    builder.memory64(wide).shared(shared).min(limits.initial).max(limits.maximum);
    let ty = builder.build().map_err(|error| Exception::throw_range(ctx, &format!("{PLACE}: {error}")))?;
    crate::runtime::pressure::relieve_pressure(ctx);
    let refused = |error: &dyn std::fmt::Display| Exception::throw_range(ctx, &format!("{PLACE}: {error}"));
    let bytes = if shared {
        let memory = Api::of(ctx)?.engine().new_shared_memory(&ty);
        MemoryBytes::Shared(memory.map_err(|error| refused(&error))?)
    } else {
        MemoryBytes::Unshared(island::new_block(&ty).map_err(|error| refused(&error))?)
    };
    Ok(MemoryObject::create(ctx, ty, bytes, prototype.as_ref())?.into_value())
}

fn grow<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Memory.grow";
    let memory: &MemoryObject = webidl::this(&call, "grow")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let wide = memory.ty().is_64();
    let delta = limits::address_to_u64(&call.ctx, call.arg(0), wide, &format!("{PLACE}: argument 1"))?;
    let before = memory.core.grow_or_throw(&call.ctx, delta, PLACE)?;
    limits::u64_to_address(&call.ctx, before, wide)
}

fn to_fixed_length_buffer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "toFixedLengthBuffer")?;
    memory.core.to_fixed_length_buffer(&call.ctx)
}

fn to_resizable_buffer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "toResizableBuffer")?;
    memory.core.to_resizable_buffer(&call.ctx, &call.this())
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "type")?;
    let ty = memory.ty();
    let sizes = Sizes { minimum: memory.core.pages(), maximum: ty.maximum(), wide: ty.is_64() };
    Ok(memory_type(&call.ctx, &sizes, ty.is_shared())?.into_value())
}

fn buffer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "buffer")?;
    memory.buffer(&call.ctx)
}
