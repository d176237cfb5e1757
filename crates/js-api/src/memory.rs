//! `WebAssembly.Memory`, and the `buffer` getter that tells the truth (invariant 5).

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use island::DataBlock;
use island::wasmtime::{Extern, Memory, MemoryType, MemoryTypeBuilder, SharedMemory};
use qjs::define::{self, Attributes};
use qjs::{Call, ClassId, Ctx, Cx, Exception, Held, HostClass, Marker, Object, Result, Value, class};

use crate::anchor::{Address, Link};
use crate::api::Api;
use crate::ids;
use crate::limits::{self, Limits};
use crate::types::{Sizes, memory_type};

/// The longest buffer over a memory, in bytes: QuickJS counts a buffer's length in a C `int`, and a whole number of
/// pages below 2 GiB is what programs that start with 2 GiB and never look at the top can live with.
pub const LONGEST_BUFFER: usize = (2 << 30) - (64 << 10);

/// The JavaScript API's implementation limit, in pages, for 32-bit and 64-bit addresses.
const MAX_PAGES: u64 = 65_536;
const MAX_PAGES64: u64 = 262_144;

/// A memory on the JavaScript side: its bytes and the buffer that shows them.
pub struct MemoryCore {
    api: Api,
    bytes: Bytes,
    buffer: RefCell<Option<Held>>,
    /// The memory's length when the buffer was made.
    seen: Cell<usize>,
}

/// The bytes behind a memory.
enum Bytes {
    Unshared(Arc<DataBlock>),
    /// In no island: any instance of any agent can have it as it is.
    Shared(SharedMemory),
}

impl Bytes {
    fn len(&self) -> usize {
        match self {
            Self::Unshared(block) => block.len(),
            Self::Shared(memory) => memory.data_size(),
        }
    }

    fn base(&self) -> NonNull<u8> {
        match self {
            Self::Unshared(block) => block.base(),
            // A slice's pointer is never null.
            Self::Shared(memory) => NonNull::from(memory.data()).cast(),
        }
    }
}

/// A Memory object's value.
pub struct MemoryObject {
    core: Rc<MemoryCore>,
    ty: MemoryType,
    bound: RefCell<Option<(Link, Memory)>>,
}

// SAFETY: the buffer and the link are marked once. A core belongs to one Memory object; others only borrow it for a
// moment. The number is this class's own.
unsafe impl HostClass for MemoryObject {
    const ID: ClassId = ids::MEMORY;
    const NAME: &'static std::ffi::CStr = c"WebAssembly.Memory";

    fn mark(&self, marker: &Marker) {
        self.core.buffer.borrow().iter().for_each(|buffer| marker.mark(buffer));
        self.bound.borrow().iter().for_each(|(link, _)| link.mark(marker));
    }
}

impl Drop for MemoryObject {
    fn drop(&mut self) {
        if !self.ty.is_shared() {
            self.core.api.state.memories.borrow_mut().remove(&self.core.key());
        }
        drop(self.core.buffer.take());
        if let Some((link, _)) = self.bound.take() {
            link.shared.forget_object(self.address());
        }
    }
}

impl MemoryCore {
    fn key(&self) -> usize {
        self.bytes.base().as_ptr().addr()
    }

    /// Whether `value` is this memory's buffer.
    pub(crate) fn is_buffer(&self, value: &Value<'_>) -> bool {
        self.buffer
            .borrow()
            .as_ref()
            .is_some_and(|held| class::identity(&held.get(value.ctx())) == class::identity(value))
    }

    /// "Refresh the memory buffer": the old buffer is detached, unless it is shared; the getter makes a new one.
    fn refresh(&self, ctx: &Ctx<'_>) {
        if matches!(self.bytes, Bytes::Shared(_)) {
            drop(self.buffer.take());
        } else if let Some(held) = self.buffer.take()
            && let Some(buffer) = held.get(ctx).as_object()
        {
            qjs::buffer::detach(buffer);
        }
    }
}

/// Makes scripts see what guests have changed since this was last called: detaches the buffers of memories that grew, and
/// brings the bindings of exported globals up to date.
#[inline]
pub(crate) fn refresh_grown(cx: Cx<'_>, api: &Api) {
    if island::has_grown() {
        refresh(&cx.ctx(), api);
    }
    if api.state.live_bindings.get() {
        crate::module_record::refresh_bindings(&cx.ctx());
    }
}

#[cold]
fn refresh(ctx: &Ctx<'_>, api: &Api) {
    for base in island::take_grown() {
        let core = api.state.memories.borrow().get(&base).and_then(std::rc::Weak::upgrade);
        if let Some(core) = core {
            core.refresh(ctx);
        }
    }
}

impl MemoryObject {
    fn create<'js>(
        ctx: &Ctx<'js>,
        ty: MemoryType,
        bytes: Bytes,
        prototype: Option<&Object<'js>>,
    ) -> Result<Object<'js>> {
        let api = Api::of(ctx)?;
        let core = Rc::new(MemoryCore { api: api.clone(), bytes, buffer: RefCell::default(), seen: Cell::default() });
        if !ty.is_shared() {
            api.state.memories.borrow_mut().insert(core.key(), Rc::downgrade(&core));
        }
        class::new_object(ctx, Self { core, ty, bound: RefCell::default() }, prototype)
    }

    /// Why the memory cannot be imported as `wanted`; none where it can.
    pub(crate) fn mismatch(&self, wanted: &MemoryType) -> Option<String> {
        let pages = self.core.bytes.len() as u64 / self.ty.page_size();
        let limits = limits::mismatch(wanted.minimum(), wanted.maximum(), pages, self.ty.maximum(), "pages");
        if wanted.is_64() != self.ty.is_64() {
            Some(format!("expected a memory with {} addresses", if wanted.is_64() { "64-bit" } else { "32-bit" }))
        } else if wanted.is_shared() != self.ty.is_shared() {
            let kind = |shared| if shared { "a shared memory" } else { "a memory that is not shared" };
            Some(format!("expected {}, got {}", kind(wanted.is_shared()), kind(self.ty.is_shared())))
        } else if wanted.page_size() != self.ty.page_size() {
            Some(format!("expected pages of {} bytes, got {}", wanted.page_size(), self.ty.page_size()))
        } else {
            limits
        }
    }

    fn address(&self) -> Address {
        Address::Memory(self.core.key() as u64)
    }

    /// The memory's bytes; none for a shared memory, which is Wasmtime's own.
    pub fn block(&self) -> Option<&Arc<DataBlock>> {
        match &self.core.bytes {
            Bytes::Unshared(block) => Some(block),
            Bytes::Shared(_) => None,
        }
    }

    /// The memory where it is shared.
    pub fn shared(&self) -> Option<&SharedMemory> {
        match &self.core.bytes {
            Bytes::Unshared(_) => None,
            Bytes::Shared(memory) => Some(memory),
        }
    }

    /// Where the memory is, once an instance has it.
    pub fn bound(&self) -> Option<(Link, Memory)> {
        self.bound.borrow().as_ref().map(|(link, memory)| (link.duplicate(), *memory))
    }

    /// The memory in the link's island, made there where it is in none yet. `object` is this value's object.
    pub(crate) fn bind(&self, ctx: &Ctx<'_>, link: &Link, object: &Value<'_>) -> Result<Extern> {
        if let Some((_, memory)) = self.bound.borrow().as_ref() {
            return Ok(Extern::Memory(*memory));
        }
        let block = match &self.core.bytes {
            Bytes::Unshared(block) => block.clone(),
            Bytes::Shared(memory) => return Ok(Extern::SharedMemory(memory.clone())),
        };
        let made = link.shared.island.new_memory(self.ty.clone(), block);
        let memory = made.map_err(|error| crate::values::out_of_memory(ctx, &error))?;
        // SAFETY: this value's `Drop` removes the entry.
        unsafe { link.shared.cache_object(self.address(), object) };
        *self.bound.borrow_mut() = Some((link.duplicate(), memory));
        Ok(Extern::Memory(memory))
    }

    /// The `buffer` getter.
    fn buffer<'js>(&self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let core = &self.core;
        let len = core.bytes.len();
        if let Some(held) = core.buffer.borrow().as_ref().filter(|_| core.seen.get() == len) {
            return Ok(held.get(ctx));
        }
        core.refresh(ctx);
        if len > LONGEST_BUFFER {
            core.api.warn_of_long_memory(len);
        }
        let shown = len.min(LONGEST_BUFFER);
        let buffer = match &core.bytes {
            // SAFETY: the buffer owns the block, so the bytes stay; Rust makes no references to them.
            Bytes::Unshared(block) => unsafe { qjs::buffer::foreign(ctx, block.base(), shown, block.clone()) }?,
            Bytes::Shared(memory) => {
                // SAFETY: as above; a shared memory's handle keeps its bytes.
                let buffer = unsafe { qjs::shared::foreign(ctx, core.bytes.base(), shown, memory.clone()) }?;
                define::freeze(&buffer)?;
                buffer
            }
        };
        core.seen.set(len);
        *core.buffer.borrow_mut() = Some(Held::new(buffer.as_value()));
        Ok(buffer.into_value())
    }

    /// "Grow the memory": the old length in pages, or none where it cannot grow so far.
    fn grow(&self, ctx: &Ctx<'_>, pages: u64) -> Option<u64> {
        let page = self.ty.page_size();
        let before = self.core.bytes.len() as u64 / page;
        let limit = if self.ty.is_64() { MAX_PAGES64 } else { MAX_PAGES } * 65_536 / page;
        let after =
            before.checked_add(pages).filter(|&after| after <= self.ty.maximum().unwrap_or(limit).min(limit))?;
        match &*self.bound.borrow() {
            Some((link, memory)) => {
                link.shared.island.enter(|store| memory.grow(store, pages)).ok()?;
                // The hook noted the growth; this memory is refreshed here, the note can go.
                refresh_grown(Cx::of(ctx), &self.core.api);
            }
            None => match &self.core.bytes {
                Bytes::Unshared(block) => block.grow_to((after * page) as usize).ok()?,
                // Another agent may have grown it meanwhile: Wasmtime's answer counts. The getter sees the new length.
                Bytes::Shared(memory) => return memory.grow(pages).ok(),
            },
        }
        self.core.refresh(ctx);
        Some(before)
    }
}

/// The Memory object for a memory of the link's island: the one there is, or a new one.
pub(crate) fn memory_object<'js>(ctx: &Ctx<'js>, link: &Link, memory: Memory) -> Result<Value<'js>> {
    let block = link.shared.island.block_of(memory);
    let address = Address::Memory(block.base().as_ptr().addr() as u64);
    if let Some(object) = link.shared.object(ctx, address) {
        return Ok(object);
    }
    let ty = link.shared.island.enter(|store| memory.ty(&store));
    let object = MemoryObject::create(ctx, ty, Bytes::Unshared(block), None)?.into_value();
    let value = class::of::<MemoryObject>(&object).expect("made just now");
    *value.bound.borrow_mut() = Some((link.duplicate(), memory));
    // SAFETY: the value's `Drop` removes the entry.
    unsafe { link.shared.cache_object(address, &object) };
    Ok(object)
}

/// A new Memory object for a shared memory.
pub(crate) fn shared_memory_object<'js>(ctx: &Ctx<'js>, memory: SharedMemory) -> Result<Value<'js>> {
    Ok(MemoryObject::create(ctx, memory.ty(), Bytes::Shared(memory), None)?.into_value())
}

pub(crate) fn define<'js>(ctx: &Ctx<'js>, namespace: &Object<'js>) -> Result<()> {
    class::register::<MemoryObject>(ctx)?;
    let made = define::interface(namespace, "Memory", "WebAssembly.Memory", Attributes::Hidden, 1, constructor)?;
    define::method(&made.prototype, "grow", 1, grow)?;
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
    crate::instance::relieve_pressure(ctx);
    let refused = |error: &dyn std::fmt::Display| Exception::throw_range(ctx, &format!("{PLACE}: {error}"));
    let bytes = if shared {
        let memory = SharedMemory::new(Api::of(ctx)?.engine().wasmtime(), ty.clone());
        Bytes::Shared(memory.map_err(|error| refused(&error))?)
    } else {
        Bytes::Unshared(island::island::new_block(&ty).map_err(|error| refused(&error))?)
    };
    Ok(MemoryObject::create(ctx, ty, bytes, prototype.as_ref())?.into_value())
}

fn grow<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    const PLACE: &str = "WebAssembly.Memory.grow";
    let memory: &MemoryObject = webidl::this(&call, "grow")?;
    webidl::require_arguments(&call, PLACE, 1)?;
    let delta = limits::address_to_u64(&call.ctx, call.arg(0), memory.ty.is_64(), &format!("{PLACE}: argument 1"))?;
    match memory.grow(&call.ctx, delta) {
        Some(before) => limits::u64_to_address(&call.ctx, before, memory.ty.is_64()),
        None => {
            let maximum = memory.ty.maximum().map(|pages| format!(" of at most {pages}")).unwrap_or_default();
            let pages = memory.core.bytes.len() as u64 / memory.ty.page_size();
            let message = format!("{PLACE}: cannot add {delta} pages to a memory of {pages} pages{maximum}");
            Err(Exception::throw_range(&call.ctx, &message))
        }
    }
}

fn type_of<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "type")?;
    let ty = &memory.ty;
    let pages = memory.core.bytes.len() as u64 / ty.page_size();
    let sizes = Sizes { minimum: pages, maximum: ty.maximum(), wide: ty.is_64() };
    Ok(memory_type(&call.ctx, &sizes, ty.is_shared())?.into_value())
}

fn buffer<'js>(call: Call<'_, 'js>) -> Result<Value<'js>> {
    let memory: &MemoryObject = webidl::this(&call, "buffer")?;
    memory.buffer(&call.ctx)
}
