//! A memory on the JavaScript side, below its interface: the bytes, the island they are in, and the buffer that shows
//! them, which tells the truth (invariant 5).
//!
//! When an unshared memory grows, a buffer of fixed length over it is detached, and a resizable one gets the new
//! length, before any script can look. Growth of a shared memory, which other threads may grow as well, shows in a
//! growable buffer when this agent grew it, when a guest of this agent comes back to a script, after `Atomics.wait`,
//! and when the buffer is asked for its `byteLength`, grown or sliced (`crate::runtime::buffers`).

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use island::DataBlock;
use island::wasmtime::{Memory, MemoryType, SharedMemory};
use qjs::buffer::Resizer;
use qjs::{
    Borrowed, Ctx, Cx, Exception, Held, HostClass, Mark, MarkedRc, Object, Result, Value, WeakObject, class, define,
};

use crate::runtime::api::Api;
use crate::runtime::buffers::Originals;
use crate::runtime::island_realm::{Address, IslandHandle};

/// The longest buffer over a memory, in bytes: QuickJS counts a buffer's length in a C `int`, and programs that start
/// with 2 GiB and never look at the top can live with a whole number of pages below 2 GiB. A resizable buffer's
/// `maxByteLength` is no larger either.
pub(crate) const LONGEST_BUFFER: usize = (2 << 30) - (64 << 10);

/// The JavaScript API's implementation limit, in pages, for 32-bit and 64-bit addresses.
pub(crate) const MAX_PAGES: u64 = 65_536;
pub(crate) const MAX_PAGES64: u64 = 262_144;

/// The most bytes that a resizable or growable buffer can show of a memory of this type, which has a maximum.
pub(crate) fn longest(ty: &MemoryType) -> usize {
    let bytes = ty.maximum().unwrap_or(0).saturating_mul(ty.page_size());
    usize::try_from(bytes).unwrap_or(usize::MAX).min(LONGEST_BUFFER)
}

/// The bytes behind a memory.
pub(crate) enum MemoryBytes {
    Unshared(Arc<DataBlock>),
    /// A shared memory is in no island: any instance of any agent can have it as it is.
    Shared(SharedMemory),
}

impl MemoryBytes {
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

/// \[\[BufferObject]].
#[derive(Mark)]
struct BufferObject {
    held: Held,
    /// The memory's length when the buffer got its own.
    #[mark(skip)]
    seen: usize,
    #[mark(skip)]
    resizable: bool,
}

/// Where a memory is, if it is in an island.
#[derive(Mark)]
struct Bound {
    link: IslandHandle,
    #[mark(skip)]
    memory: Memory,
}

/// A memory, which its Memory object holds, and the buffer that may survive that object. Without the object it holds no
/// JavaScript value.
#[derive(Mark)]
pub(crate) struct MemoryCore {
    #[mark(skip)]
    api: Api,
    #[mark(skip)]
    ty: MemoryType,
    #[mark(skip)]
    bytes: MemoryBytes,
    bound: RefCell<Option<Bound>>,
    /// Made when it is first asked for.
    buffer: RefCell<Option<BufferObject>>,
    /// The buffer of fixed length made last. It is not kept alive; if a script still has it, it is detached when the
    /// memory grows, whatever became of the Memory object.
    #[mark(skip)]
    shown: RefCell<Option<WeakObject>>,
    /// Sets the length of the resizable buffer made last.
    #[mark(skip)]
    resizer: RefCell<Option<Rc<Resizer>>>,
    /// The growable buffer made last. It follows the memory's growth even when it is not the memory's buffer any more.
    growable: RefCell<Option<Held>>,
    /// The memory's length when that buffer last got its own.
    #[mark(skip)]
    followed: Cell<usize>,
    /// Whether the island keeps the Memory object.
    #[mark(skip)]
    pinned: Cell<bool>,
    /// Whether there is a [`CoreOwner`].
    #[mark(skip)]
    owned: Cell<bool>,
}

/// A Memory object's part in a core: the object reports the core's JavaScript values, which go with it.
#[derive(Mark)]
pub(crate) struct CoreOwner(MarkedRc<MemoryCore>);

impl CoreOwner {
    /// The part of a new Memory object over these bytes.
    ///
    /// # Panics
    /// When another Memory object has them.
    pub(crate) fn new(api: Api, ty: MemoryType, bytes: MemoryBytes) -> Self {
        let core = MemoryCore::new(api, ty, bytes);
        assert!(!core.owned.replace(true), "a memory has one Memory object");
        // SAFETY: the only `MarkedRc` of this core, as was just seen. Its `Drop` has the core let go of its values.
        Self(unsafe { MarkedRc::shared(core) })
    }
}

impl Drop for CoreOwner {
    fn drop(&mut self) {
        self.0.let_go();
        self.0.owned.set(false);
    }
}

impl Deref for CoreOwner {
    type Target = Rc<MemoryCore>;

    #[inline]
    fn deref(&self) -> &Rc<MemoryCore> {
        &self.0
    }
}

impl Drop for MemoryCore {
    fn drop(&mut self) {
        if !self.ty.is_shared() {
            self.api.state.memories.borrow_mut().remove(&self.key());
        }
    }
}

impl MemoryCore {
    /// The memory with these bytes: the one that a buffer has kept, or a new one.
    fn new(api: Api, ty: MemoryType, bytes: MemoryBytes) -> Rc<Self> {
        if let MemoryBytes::Unshared(block) = &bytes
            && let Some(core) = api.state.memories.borrow().get(&block.base().as_ptr().addr()).and_then(Weak::upgrade)
        {
            return core;
        }
        let core = Rc::new(Self {
            api,
            ty,
            bytes,
            bound: RefCell::default(),
            buffer: RefCell::default(),
            shown: RefCell::default(),
            resizer: RefCell::default(),
            growable: RefCell::default(),
            followed: Cell::default(),
            pinned: Cell::default(),
            owned: Cell::default(),
        });
        if !core.ty.is_shared() {
            core.api.state.memories.borrow_mut().insert(core.key(), Rc::downgrade(&core));
        }
        core
    }

    pub(crate) fn ty(&self) -> &MemoryType {
        &self.ty
    }

    pub(crate) fn bytes(&self) -> &MemoryBytes {
        &self.bytes
    }

    pub(crate) fn pages(&self) -> u64 {
        self.bytes.len() as u64 / self.ty.page_size()
    }

    fn key(&self) -> usize {
        self.bytes.base().as_ptr().addr()
    }

    /// What identifies the unshared memory on `block` in its store.
    pub(crate) fn address(block: &DataBlock) -> Address {
        Address::Memory(block.base().as_ptr().addr() as u64)
    }

    /// Ends the Memory object's part in this.
    fn let_go(&self) {
        drop(self.buffer.take());
        drop(self.growable.take());
        if let Some(bound) = self.bound.take() {
            bound.link.shared.forget_object(Address::Memory(self.key() as u64));
        }
    }

    pub(crate) fn bound(&self) -> Option<(IslandHandle, Memory)> {
        self.bound.borrow().as_ref().map(|bound| (bound.link.duplicate(), bound.memory))
    }

    /// Notes where the memory is. `object` is its Memory object, of class `T`, which lets go of the core at its end.
    pub(crate) fn set_bound<T: HostClass>(&self, link: &IslandHandle, memory: Memory, object: &Value<'_>) {
        link.shared.cache_object(Address::Memory(self.key() as u64), WeakObject::of::<T>(object));
        *self.bound.borrow_mut() = Some(Bound { link: link.duplicate(), memory });
        if self.resizer.borrow().is_some() {
            self.pin(object);
        }
    }

    /// Has the island keep the Memory object, since a resizable buffer that a script still has follows the guest's
    /// growth and can grow the memory, whatever became of the script's references to that object.
    fn pin(&self, object: &Value<'_>) {
        if let Some(Bound { link, .. }) = &*self.bound.borrow()
            && !self.pinned.replace(true)
        {
            link.shared.keep_import(object);
        }
    }

    /// Whether `value`, a buffer over these bytes, is this memory's buffer.
    pub(crate) fn is_buffer(&self, value: &Value<'_>) -> bool {
        // A core without a Memory object is kept by its resizable buffer alone.
        let buffer = self.buffer.borrow();
        buffer.as_ref().is_none_or(|own| class::identity(&own.held.get(value.ctx())) == class::identity(value))
    }

    /// The `buffer` getter.
    pub(crate) fn buffer<'js>(self: &Rc<Self>, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let len = self.bytes.len();
        if let Some(buffer) = self.buffer.borrow().as_ref().filter(|buffer| buffer.seen == len) {
            return Ok(buffer.held.get(ctx));
        }
        if self.buffer.borrow().is_some() {
            self.refresh(ctx);
        }
        if let Some(buffer) = self.buffer.borrow().as_ref() {
            return Ok(buffer.held.get(ctx));
        }
        // A growth would have detached it, so it shows all of the memory.
        let survivor = self.shown(ctx);
        if let Some(buffer) = survivor {
            *self.buffer.borrow_mut() = Some(BufferObject { held: Held::new(&buffer), seen: len, resizable: false });
            return Ok(buffer);
        }
        self.make_buffer(ctx, false)
    }

    /// "Create a fixed length memory buffer" or "create a resizable memory buffer", which becomes the memory's.
    fn make_buffer<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, resizable: bool) -> Result<Value<'js>> {
        let len = self.bytes.len();
        if len > LONGEST_BUFFER {
            self.api.warn_of_long_memory(len);
        }
        let shown = len.min(LONGEST_BUFFER);
        let buffer = match &self.bytes {
            MemoryBytes::Unshared(block) if resizable => {
                // SAFETY: the buffer owns the core and that owns the block, so the bytes stay; Rust makes no references
                // to them. No more are shown than the memory has.
                let (buffer, resizer) =
                    unsafe { qjs::buffer::resizable(ctx, block.base(), shown, longest(&self.ty), self.clone()) }?;
                *self.resizer.borrow_mut() = Some(Rc::new(resizer));
                buffer
            }
            MemoryBytes::Unshared(block) => {
                drop(self.resizer.take());
                let life = Rc::new(());
                let owner = (self.clone(), life.clone());
                // SAFETY: as above.
                let buffer = unsafe { qjs::buffer::foreign(ctx, block.base(), shown, owner) }?;
                // SAFETY: from the end of this block on, the buffer's contents alone own the life. They go before the
                // buffer's memory, since no script can transfer them to another buffer.
                *self.shown.borrow_mut() = Some(unsafe { WeakObject::while_owned(buffer.as_value(), &life) });
                buffer
            }
            MemoryBytes::Shared(memory) => {
                let max = resizable.then(|| longest(&self.ty));
                // SAFETY: as above; a shared memory's handle keeps its bytes.
                let buffer = unsafe { qjs::shared::foreign(ctx, self.bytes.base(), shown, max, memory.clone()) }?;
                define::freeze(&buffer)?;
                if resizable && self.growable.replace(Some(Held::new(buffer.as_value()))).is_none() {
                    self.api.state.growables.borrow_mut().push(Rc::downgrade(self));
                    island::ask_again();
                }
                buffer
            }
        };
        let made = BufferObject { held: Held::new(buffer.as_value()), seen: len, resizable };
        let before = self.buffer.replace(Some(made));
        if let Some(before) = before
            && !self.ty.is_shared()
            && let Some(before) = before.held.get(ctx).as_object()
        {
            qjs::buffer::detach(before);
        }
        Ok(buffer.into_value())
    }

    /// The `toFixedLengthBuffer` method. For a shared memory, the specification's text returns the buffer that there
    /// is, of whatever kind; here, as in V8, it returns one of fixed length, and the growable one goes on following.
    pub(crate) fn to_fixed_length_buffer<'js>(self: &Rc<Self>, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        self.to_buffer(ctx, false)
    }

    /// The `toResizableBuffer` method. `object` is the Memory object.
    pub(crate) fn to_resizable_buffer<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, object: &Value<'js>) -> Result<Value<'js>> {
        if self.ty.maximum().is_none() {
            let message = "WebAssembly.Memory.toResizableBuffer: the memory must have a maximum";
            return Err(Exception::throw_type(ctx, message));
        }
        let buffer = self.to_buffer(ctx, true)?;
        self.pin(object);
        Ok(buffer)
    }

    fn to_buffer<'js>(self: &Rc<Self>, ctx: &Ctx<'js>, resizable: bool) -> Result<Value<'js>> {
        let buffer = self.buffer(ctx)?;
        if self.buffer.borrow().as_ref().is_some_and(|own| own.resizable == resizable) {
            return Ok(buffer);
        }
        self.make_buffer(ctx, resizable)
    }

    /// "Refresh the memory buffer": a buffer of fixed length is detached (a shared one is only forgotten), and the
    /// getter makes a new one; a resizable buffer gets the memory's length.
    fn refresh(&self, ctx: &Ctx<'_>) {
        let Some(mut own) = self.buffer.take() else { return self.detach_shown(ctx) };
        let Some(buffer) = own.held.get(ctx).into_object() else { return };
        let len = self.bytes.len();
        if own.resizable && self.follow(ctx, &buffer) {
            own.seen = len;
            *self.buffer.borrow_mut() = Some(own);
        } else if !self.ty.is_shared() {
            qjs::buffer::detach(&buffer);
        }
    }

    /// The buffer of fixed length made last, if a script still has it.
    fn shown<'js>(&self, ctx: &Ctx<'js>) -> Option<Value<'js>> {
        self.shown.borrow().as_ref()?.get(ctx)
    }

    /// Detaches the buffer of fixed length that has survived the Memory object.
    fn detach_shown(&self, ctx: &Ctx<'_>) {
        let shown = self.shown(ctx);
        if let Some(buffer) = shown.as_ref().and_then(Value::as_object) {
            qjs::buffer::detach(buffer);
        }
    }

    /// Gives a resizable buffer the memory's length. Returns whether it has that length.
    pub(crate) fn follow<'js>(&self, ctx: &Ctx<'js>, buffer: &Object<'js>) -> bool {
        let len = self.bytes.len().min(longest(&self.ty));
        let resizer = self.resizer.borrow().clone();
        let done = match (&self.bytes, resizer) {
            (MemoryBytes::Shared(_), _) => return set_growable_length(ctx, buffer, len),
            (MemoryBytes::Unshared(_), None) => return false,
            (MemoryBytes::Unshared(_), Some(resizer)) => {
                let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), Borrowed::of(buffer.as_value()));
                let Some(from) = bytes.map(|bytes| bytes.len) else { return false };
                if from == len {
                    return true;
                }
                Originals::get(ctx, |own| &own.resize).and_then(|resize| {
                    // SAFETY: the memory has these bytes and never loses any; its guests run on this thread.
                    unsafe { resizer.set_length(&resize, buffer, from, len) }
                })
            }
        };
        if done.is_err() {
            drop(ctx.catch());
        }
        done.is_ok()
    }

    /// "Grow the memory buffer": the old length in pages, or `None` if it cannot grow so far.
    fn grow(&self, ctx: &Ctx<'_>, pages: u64) -> Option<u64> {
        let page = self.ty.page_size();
        let before = self.pages();
        let limit = if self.ty.is_64() { MAX_PAGES64 } else { MAX_PAGES } * 65_536 / page;
        let after =
            before.checked_add(pages).filter(|&after| after <= self.ty.maximum().unwrap_or(limit).min(limit))?;
        match (&self.bytes, &*self.bound.borrow()) {
            (_, Some(Bound { link, memory })) => {
                link.shared.island.enter(|store| memory.grow(store, pages)).ok()?;
            }
            (MemoryBytes::Unshared(block), None) => block.grow_to((after * page) as usize).ok()?,
            // Done below, since nothing may throw while the cell is borrowed.
            (MemoryBytes::Shared(_), None) => {}
        }
        if let MemoryBytes::Shared(memory) = &self.bytes {
            // Another agent may have grown it meanwhile, so Wasmtime's answer counts. The getter sees the new length.
            let before = memory.grow(pages).ok()?;
            follow_shared_growth(ctx, &self.api);
            return Some(before);
        }
        // The hook noted the growth of a memory that is in an island. This memory is refreshed here, so the note can
        // go.
        refresh_grown(Cx::of(ctx), &self.api);
        self.refresh(ctx);
        Some(before)
    }

    /// [`MemoryCore::grow`], or a RangeError that names `place`.
    pub(crate) fn grow_or_throw(&self, ctx: &Ctx<'_>, delta: u64, place: &str) -> Result<u64> {
        self.grow(ctx, delta).ok_or_else(|| {
            let maximum = self.ty.maximum().map(|pages| format!(" of at most {pages}")).unwrap_or_default();
            let message = format!("{place}: cannot add {delta} pages to a memory of {} pages{maximum}", self.pages());
            Exception::throw_range(ctx, &message)
        })
    }

    /// HostResizeArrayBuffer, for this memory's resizable buffer.
    pub(crate) fn host_resize<'js>(&self, ctx: &Ctx<'js>, buffer: &Object<'js>, wanted: f64) -> Result<()> {
        const PLACE: &str = "ArrayBuffer.prototype.resize";
        let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), Borrowed::of(buffer.as_value()));
        let len = bytes.map_or(0, |bytes| bytes.len);
        let delta = added_pages(ctx, PLACE, len, longest(&self.ty), self.ty.page_size(), wanted)?;
        self.grow_or_throw(ctx, delta, PLACE)?;
        // Without a Memory object, `refresh` knew no buffer.
        self.follow(ctx, buffer);
        Ok(())
    }

    /// Whether the memory's buffer is a resizable one.
    pub(crate) fn has_resizable_buffer(&self) -> bool {
        // Without a Memory object, the buffer that is left is the one made last.
        self.buffer.borrow().as_ref().map_or(self.resizer.borrow().is_some(), |own| own.resizable)
    }
}

/// The steps that HostResizeArrayBuffer and HostGrowSharedArrayBuffer share: they find by how many pages a memory has
/// to grow so that its buffer of `len` bytes has `wanted`.
///
/// # Errors
/// A RangeError if `wanted` is less than the buffer has, more than it can have, or not a whole number of pages.
pub(crate) fn added_pages(
    ctx: &Ctx<'_>,
    place: &str,
    len: usize,
    longest: usize,
    page: u64,
    wanted: f64,
) -> Result<u64> {
    let refuse = |what: String| Err(Exception::throw_range(ctx, &format!("{place}: {what}, got {wanted}")));
    if wanted > longest as f64 {
        return refuse(format!("the new length must be at most {longest}"));
    }
    if wanted < len as f64 {
        return refuse(format!("a memory cannot shrink: the new length must be at least {len}"));
    }
    // Exact: at most the longest buffer.
    let delta = wanted as u64 - len as u64;
    if !delta.is_multiple_of(page) {
        return refuse(format!("the new length must be a multiple of the page size, {page}"));
    }
    Ok(delta / page)
}

/// Gives a growable buffer a length that it has not reached yet. Returns whether it has that length.
pub(crate) fn set_growable_length<'js>(ctx: &Ctx<'js>, buffer: &Object<'js>, len: usize) -> bool {
    let bytes = qjs::buffer::array_buffer_bytes(Cx::of(ctx), Borrowed::of(buffer.as_value()));
    if bytes.is_some_and(|bytes| bytes.len >= len) {
        return true;
    }
    let grown = Originals::get(ctx, |own| &own.grow)
        .and_then(|grow| grow.call::<_, ()>((rquickjs::prelude::This(buffer.clone()), len as i32)));
    if grown.is_err() {
        drop(ctx.catch());
    }
    grown.is_ok()
}

/// Makes scripts see what guests have changed since this was last called: detaches the buffers of memories that grew
/// (those that are resizable get their new length), and brings the bindings of exported globals up to date.
#[inline]
pub(crate) fn refresh_grown(cx: Cx<'_>, api: &Api) {
    if island::has_grown() || api.state.live_bindings.get().is_some() {
        refresh_all(&cx.ctx(), api);
    }
}

#[cold]
fn refresh_all(ctx: &Ctx<'_>, api: &Api) {
    if island::has_grown() {
        refresh_buffers(ctx, api);
    }
    if let Some(refresh_bindings) = api.state.live_bindings.get() {
        refresh_bindings(ctx);
    }
    crate::runtime::api::attend(ctx, api);
}

fn refresh_buffers(ctx: &Ctx<'_>, api: &Api) {
    for base in island::take_grown() {
        let core = api.state.memories.borrow().get(&base).and_then(Weak::upgrade);
        if let Some(core) = core {
            core.refresh(ctx);
        }
    }
    follow_shared_growth(ctx, api);
}

/// Gives the growable buffers of this agent the lengths of their memories.
pub(crate) fn follow_shared_growth(ctx: &Ctx<'_>, api: &Api) {
    let mut grown = Vec::new();
    api.state.growables.borrow_mut().retain(|core| {
        let Some(core) = core.upgrade() else { return false };
        let growable = core.growable.borrow().as_ref().and_then(|held| held.get(ctx).into_object());
        let Some(growable) = growable else { return false };
        if core.followed.get() != core.bytes.len() {
            grown.push((core, growable));
        }
        true
    });
    for (core, growable) in grown {
        core.followed.set(core.bytes.len());
        core.follow(ctx, &growable);
    }
    if !api.state.growables.borrow().is_empty() {
        // Nobody notes the growth of shared memories.
        island::ask_again();
    }
}
