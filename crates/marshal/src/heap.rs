//! A guest's heap as the host sees it: allocating, freeing, and the safe points in between.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use data_block::DataBlock;
use island::{CallError, Island};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::allocator::{Allocator, Routine};
use crate::block::GuestBlock;
use crate::error::HeapError;
use crate::guest_function::GuestFunction;
use crate::handle::HandleQueue;
use crate::reclaim::{self, Reclaim};
use crate::room::KeptRoom;
use crate::trace;

/// A guest's allocator, with the queue of the blocks that it should free.
///
/// It stays on its island's thread. Nothing calls into the guest but [`Heap::allocate`], [`Heap::free`],
/// [`GuestBlock::free`], [`Handle::close`](crate::Handle::close) and [`Heap::drain`], so dropping blocks is safe at any
/// time, even from inside a collection. A guest's allocator is not re-entrant: while it runs (it may call an import, to
/// grow the memory for one) a drain does nothing and the others say [`HeapError::Busy`].
pub struct Heap {
    island: Rc<Island>,
    routine: Routine,
    wide: bool,
    reclaim: Arc<Reclaim>,
    handles: Rc<HandleQueue>,
    /// The lengths of blocks from [`Heap::allocate`], if `free` must be told them.
    sizes: Option<RefCell<FxHashMap<u64, u64>>>,
    freed: RefCell<Freed>,
    allocating: Cell<bool>,
    kept: KeptRoom,
    pressure: RefCell<Option<Rc<dyn Fn()>>>,
    /// Whether a suspended call has the guest's only stack.
    stack_is_taken: Cell<bool>,
}

/// The addresses that [`Heap::free`] freed and that nobody can have got again: since then nothing of the guest ran but
/// its allocator, for this heap.
#[derive(Default)]
struct Freed {
    addresses: FxHashSet<u64>,
    /// How often the island had been entered when that was last true.
    entries: u64,
}

/// No more than this are remembered: a guest that never gives an address out twice would have the host remember all of
/// them.
const MOST_FREED: usize = 1 << 20;

impl Freed {
    /// Whether `address` is known to be free, `entries` being how often the island was entered.
    fn has(&mut self, entries: u64, address: u64) -> bool {
        self.catch_up(entries);
        self.addresses.contains(&address)
    }

    /// Forgets everything if the guest ran in between.
    fn catch_up(&mut self, entries: u64) {
        if self.entries != entries && !self.addresses.is_empty() {
            // Clearing a set takes as long as it once was long.
            self.addresses = FxHashSet::default();
        }
        self.entries = entries;
    }

    /// The allocator was called with the island entered `before` times, and `after` it has taken `address` back.
    fn add(&mut self, before: u64, after: u64, address: u64) {
        self.remove(before, after, address);
        if after != before.wrapping_add(1) {
            // What else ran may have got the block when the allocator already had it back.
            return;
        }
        if self.addresses.len() >= MOST_FREED {
            self.addresses = FxHashSet::default();
        }
        self.addresses.insert(address);
    }

    /// The same after it has given `address` out.
    fn remove(&mut self, before: u64, after: u64, address: u64) {
        self.catch_up(before);
        if after != before.wrapping_add(1) {
            // The island was entered again from inside: something else ran as well.
            self.catch_up(after);
        }
        self.entries = after;
        self.addresses.remove(&address);
    }
}

impl Heap {
    /// The heap in `block` that `malloc` and `free` manage, which may be of any [convention](Allocator).
    ///
    /// Heaps for the same memory and `free` share their queue.
    ///
    /// # Errors
    /// [`HeapError::Signature`]; [`HeapError::Foreign`] if a function is not of this island; [`HeapError::Busy`] from
    /// inside a host function that cannot call back.
    pub fn new(
        island: &Rc<Island>,
        block: Arc<DataBlock>,
        malloc: GuestFunction,
        free: GuestFunction,
    ) -> Result<Rc<Self>, HeapError> {
        Self::with(island, block, Allocator::Functions { allocate: malloc, free }, false)
    }

    /// The heap in `block` that `allocator` manages.
    ///
    /// If the memory is shared, every agent's instance frees what any agent gave up. The instances must be of one
    /// module, or at least have `free` at the same index.
    ///
    /// # Errors
    /// [`HeapError::Signature`]; [`HeapError::Foreign`] if a function is not of this island; [`HeapError::Busy`] from
    /// inside a host function that cannot call back.
    pub fn with(
        island: &Rc<Island>,
        block: Arc<DataBlock>,
        allocator: Allocator,
        shared: bool,
    ) -> Result<Rc<Self>, HeapError> {
        if !island.can_enter() {
            return Err(HeapError::Busy);
        }
        let (routine, wide) = Routine::new(island, allocator.clone())?;
        let key = match &allocator {
            Allocator::Functions { free, .. } | Allocator::AssemblyScript { unpin: free, .. } if shared => {
                reclaim::Key::Index(island.function_index(free.0))
            }
            Allocator::Functions { free, .. } | Allocator::AssemblyScript { unpin: free, .. } => {
                reclaim::Key::Function(free.key(island))
            }
            Allocator::Host(host) => reclaim::Key::Host(Rc::as_ptr(host).cast::<()>().addr()),
        };
        if trace::is_on() {
            trace::heap_made(&block, shared);
        }
        let sizes = routine.needs_size().then(RefCell::default);
        Ok(Rc::new(Self {
            island: island.clone(),
            routine,
            wide,
            reclaim: Reclaim::of(block, key, shared),
            handles: Rc::default(),
            sizes,
            freed: RefCell::default(),
            allocating: Cell::new(false),
            kept: KeptRoom::default(),
            pressure: RefCell::new(None),
            stack_is_taken: Cell::new(false),
        }))
    }

    /// The island that the guest lives on.
    pub fn island(&self) -> &Rc<Island> {
        &self.island
    }

    #[inline]
    pub(crate) fn kept(&self) -> &KeptRoom {
        &self.kept
    }

    pub(crate) fn handles(&self) -> &Rc<HandleQueue> {
        &self.handles
    }

    /// Whether the guest's own functions allocate and free.
    pub(crate) fn is_guests(&self) -> bool {
        !matches!(self.routine, Routine::Host(_))
    }

    pub(crate) fn is_assembly_script(&self) -> bool {
        matches!(self.routine, Routine::Guest { pin: Some(_), .. })
    }

    /// Takes the guest's only stack for a call, unless another one has it.
    pub(crate) fn take_stack(&self) -> bool {
        !self.stack_is_taken.replace(true)
    }

    pub(crate) fn give_stack_back(&self) {
        self.stack_is_taken.set(false);
    }

    /// How many handles are open or wait for their destructor.
    pub fn open_handles(&self) -> usize {
        self.handles.open()
    }

    /// The guest's memory.
    #[inline]
    pub fn data(&self) -> &Arc<DataBlock> {
        self.reclaim.data()
    }

    /// Whether the memory is shared, so that other threads work in it.
    #[inline]
    pub fn is_shared(&self) -> bool {
        self.reclaim.is_shared()
    }

    /// Whether the guest's pointers have 64 bits.
    #[inline]
    pub fn is_wide(&self) -> bool {
        self.wide
    }

    pub(crate) fn reclaim(&self) -> &Arc<Reclaim> {
        &self.reclaim
    }

    /// The bytes of the blocks that the host owns, including those that wait to be freed.
    #[inline]
    pub fn owned_bytes(&self) -> u64 {
        self.reclaim.owned_bytes()
    }

    /// Keeps an owned block from being freed, whoever drops its handles, until [`Heap::unpin`]: for a call that was
    /// given the block's address. Returns whether `address` is the beginning of an owned block, of this heap or of
    /// another in the same memory.
    pub fn pin(&self, address: u64) -> bool {
        self.reclaim.pin(address) || self.reclaim.owner_of(address).is_some_and(|owner| owner.pin(address))
    }

    /// Whether `address` is the beginning of a block that the host owns, of this heap or of another in the same memory.
    pub fn owns(&self, address: u64) -> bool {
        self.reclaim.is_owned(address) || self.reclaim.owner_of(address).is_some()
    }

    /// Ends one [`Heap::pin`] that returned true.
    pub fn unpin(&self, address: u64) {
        if !self.reclaim.unpin(address)
            && let Some(owner) = self.reclaim.owner_of(address)
        {
            owner.unpin(address);
        }
    }

    /// Ends a loan of a block that would have been freed meanwhile.
    pub(crate) fn unlend(&self, address: u64) {
        if !self.reclaim.unlend(address)
            && let Some(owner) = self.reclaim.owner_of(address)
        {
            owner.unlend(address);
        }
    }

    /// Whether nothing waits to be freed or closed.
    #[inline]
    pub fn is_drained(&self) -> bool {
        self.handles.is_empty() && self.reclaim.waiting() == 0
    }

    /// How many blocks of this heap the host owns, including those that wait to be freed.
    pub fn owned(&self) -> usize {
        self.reclaim.owned()
    }

    /// How many blocks wait to be freed, and handles for their destructor.
    pub fn waiting(&self) -> usize {
        self.reclaim.waiting() + self.handles.waiting()
    }

    /// Sets what to do when the guest has no memory left: to collect garbage, so that views that only garbage holds are
    /// dropped. It must not allocate in this heap.
    pub fn set_pressure_hook(&self, hook: impl Fn() + 'static) {
        let before = self.pressure.replace(Some(Rc::new(hook)));
        drop(before);
    }

    /// Whether the guest's allocator can be called now: it is not running already, and the island lets one in.
    #[inline]
    pub fn is_callable(&self) -> bool {
        !self.allocating.get() && (self.island.can_enter() || self.routine.is_hosts())
    }

    /// Allocates `bytes` bytes (one, if none) in the guest, after draining the queue. When the guest has none left, the
    /// pressure hook runs, the queue is drained again, and the guest is asked once more.
    ///
    /// The block is the caller's: it goes back by [`Heap::free`], or becomes a [`GuestBlock`] by [`Heap::adopt`].
    ///
    /// # Errors
    /// [`HeapError::OutOfMemory`]; [`HeapError::Call`] if `malloc` does not return, and [`HeapError::Reclaim`] if the
    /// drain met a `free` that did not; [`HeapError::BadAddress`] if what `malloc` returned is not in the memory;
    /// [`HeapError::Busy`].
    pub fn allocate(&self, bytes: u64) -> Result<u64, HeapError> {
        if !self.is_callable() {
            return Err(HeapError::Busy);
        }
        self.drain()?;
        let bytes = bytes.max(1);
        let before = self.island.entries();
        let mut address = self.malloc(bytes)?;
        if address == 0 {
            address = self.allocate_under_pressure(bytes)?;
        }
        self.data().range(address, bytes)?;
        if !self.freed.borrow().addresses.is_empty() {
            self.freed.borrow_mut().remove(before, self.island.entries(), address);
        }
        if let Some(sizes) = &self.sizes {
            sizes.borrow_mut().insert(address, bytes);
        }
        if trace::is_on() {
            trace::allocated(self.data(), address, bytes);
        }
        Ok(address)
    }

    #[cold]
    fn allocate_under_pressure(&self, bytes: u64) -> Result<u64, HeapError> {
        let hook = self.pressure.borrow().clone();
        if let Some(hook) = hook {
            hook();
        }
        self.drain()?;
        match self.malloc(bytes)? {
            0 => {
                let (memory, owned) = (self.data().len() as u64, self.owned());
                Err(HeapError::OutOfMemory { bytes, memory, owned })
            }
            address => Ok(address),
        }
    }

    /// Frees a block of [`Heap::allocate`] at once, or any block of the guest's if `free` takes nothing but the
    /// address. Nothing happens to a null pointer, as in C.
    ///
    /// Only a guest knows its blocks. These mistakes are seen from here: a block that the host owns; an address that no
    /// allocator gives out; and an address that was freed, if nothing of the guest ran since but its allocator, which
    /// did not give it out again.
    ///
    /// # Errors
    /// [`HeapError::AlreadyOwned`] if a [`GuestBlock`] has it or it waits in the queue; [`HeapError::AlreadyFreed`];
    /// [`HeapError::Misaligned`]; [`HeapError::Call`] if `free` does not return; [`HeapError::UnknownSize`];
    /// [`HeapError::BadAddress`]; [`HeapError::Busy`].
    pub fn free(&self, address: u64) -> Result<(), HeapError> {
        const ALIGN: u64 = 4;
        if !address.is_multiple_of(ALIGN) {
            return Err(HeapError::Misaligned { address, align: ALIGN as usize });
        }
        let bytes = match &self.sizes {
            Some(sizes) if address != 0 => sizes.borrow().get(&address).copied(),
            _ => Some(0),
        };
        if address != 0 && self.reclaim.owner_of(address).is_some() {
            return Err(HeapError::AlreadyOwned { address });
        }
        let before = self.island.entries();
        if self.freed.borrow_mut().has(before, address) {
            return Err(HeapError::AlreadyFreed { address });
        }
        self.free_sized(address, bytes.ok_or(HeapError::UnknownSize { address })?, 8)?;
        // The count of entries says nothing about what the host's own allocator gives out, or another thread's guest.
        if address != 0 && !matches!(self.routine, Routine::Host(_)) && !self.is_shared() {
            self.freed.borrow_mut().add(before, self.island.entries(), address);
        }
        Ok(())
    }

    /// [`Heap::free`] for a block of the guest's whose length is known, for allocators that must be told it.
    ///
    /// # Errors
    /// As [`Heap::free`].
    #[inline]
    pub fn free_sized(&self, address: u64, bytes: u64, align: u32) -> Result<(), HeapError> {
        if address == 0 {
            return Ok(());
        }
        if !self.is_callable() {
            return Err(HeapError::Busy);
        }
        self.data().range(address, 1)?;
        if self.reclaim.is_owned(address) {
            return Err(HeapError::AlreadyOwned { address });
        }
        if trace::is_on() {
            trace::freed(self.data(), address);
        }
        match self.island.uninterrupted(|| self.call_free(address, bytes, align)) {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err((*error).into()),
            None => Err(HeapError::Busy),
        }
    }

    /// [`Heap::free`] for a block of the host's own, from [`Heap::allocate`]: if the guest's allocator cannot be called
    /// now, the block waits in the queue with the others.
    ///
    /// # Errors
    /// As [`Heap::free`], but for [`HeapError::Busy`].
    pub fn give_back(&self, address: u64) -> Result<(), HeapError> {
        self.give_back_sized(address, self.size_of(address), 8)
    }

    fn size_of(&self, address: u64) -> u64 {
        self.sizes.as_ref().and_then(|sizes| sizes.borrow().get(&address).copied()).unwrap_or(1)
    }

    /// [`Heap::give_back`] that leaves the block to the next safe point.
    pub(crate) fn give_up(&self, address: u64) {
        self.give_up_sized(address, self.size_of(address), 8);
    }

    /// [`Heap::give_back_sized`] that leaves the block to the next safe point: nothing is called, so this may happen
    /// anywhere. A block that somebody owns by now is that one's to free.
    pub fn give_up_sized(&self, address: u64, bytes: u64, align: u32) {
        drop(self.adopt_aligned(address, bytes, align));
    }

    /// [`Heap::give_back`] for a block whose length is known, as [`Heap::free_sized`] is [`Heap::free`].
    ///
    /// # Errors
    /// As [`Heap::give_back`].
    #[inline]
    pub fn give_back_sized(&self, address: u64, bytes: u64, align: u32) -> Result<(), HeapError> {
        // Nearly every block is in order.
        let is_plain = address != 0 && self.is_callable() && self.data().range(address, 1).is_ok();
        if is_plain && !self.reclaim.is_owned(address) && !trace::is_on() {
            match self.island.uninterrupted(|| self.call_free(address, bytes, align)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => return Err((*error).into()),
                None => {}
            }
        }
        self.give_back_otherwise(address, bytes, align)
    }

    #[cold]
    fn give_back_otherwise(&self, address: u64, bytes: u64, align: u32) -> Result<(), HeapError> {
        match self.free_sized(address, bytes, align) {
            Err(HeapError::Busy) => self.adopt_aligned(address, bytes, align).map(drop),
            done => done,
        }
    }

    /// Gives an owned block to the guest, which frees it. Whoever still holds it no longer owns it. It may belong to
    /// another heap in the same memory.
    pub fn release(&self, address: u64) {
        match self.reclaim.is_owned(address) {
            true => self.reclaim.disown(address),
            false => self.reclaim.owner_of(address).into_iter().for_each(|owner| owner.disown(address)),
        }
    }

    /// Forgets a block of [`Heap::allocate`] that the guest has taken over.
    pub fn forget(&self, address: u64) {
        if let Some(sizes) = &self.sizes {
            sizes.borrow_mut().remove(&address);
        }
    }

    /// Takes ownership of a block that the guest, or [`Heap::allocate`], returned.
    ///
    /// # Errors
    /// [`HeapError::Null`], [`HeapError::BadAddress`], and [`HeapError::AlreadyOwned`] if it was returned before and is
    /// not freed yet.
    #[inline]
    pub fn adopt(&self, address: u64, bytes: u64) -> Result<GuestBlock, HeapError> {
        self.adopt_aligned(address, bytes, 8)
    }

    /// [`Heap::adopt`] for a block that the guest allocated with another alignment, for allocators that must be told
    /// it.
    ///
    /// # Errors
    /// As [`Heap::adopt`].
    #[inline]
    pub fn adopt_aligned(&self, address: u64, bytes: u64, align: u32) -> Result<GuestBlock, HeapError> {
        if address == 0 {
            return Err(HeapError::Null);
        }
        self.data().range(address, bytes)?;
        let generation = self.reclaim.own(address, bytes, align)?;
        Ok(GuestBlock::new(self.reclaim.clone(), address, bytes, generation))
    }

    /// The safe point: calls the destructors of the handles that wait in the queue, and frees the blocks that do. If
    /// the guest's allocator cannot be called now, it does nothing, and they go on waiting. What the host gives up
    /// while a destructor or `free` runs waits for the next time.
    ///
    /// # Errors
    /// [`HeapError::Reclaim`] if the guest's `free`, or a destructor, does not return. That block is given up; those
    /// after it stay for the next drain.
    #[inline]
    pub fn drain(&self) -> Result<(), HeapError> {
        if !self.handles.is_empty() {
            self.close_waiting()?;
        }
        match self.reclaim.waiting() {
            0 => Ok(()),
            waiting => self.free_waiting(waiting),
        }
    }

    #[cold]
    fn close_waiting(&self) -> Result<(), HeapError> {
        for _ in 0..self.handles.waiting() {
            if !self.is_callable() {
                break;
            }
            let Some((destructor, address)) = self.handles.next() else { break };
            self.destroy(&destructor, address).map_err(|error| match error {
                HeapError::Call(source) => HeapError::Reclaim { address, source },
                error => error,
            })?;
        }
        Ok(())
    }

    /// Frees a block now that its last handle is given up, at a safe point. If that cannot be, it waits in the queue.
    ///
    /// # Errors
    /// As [`Heap::drain`].
    #[inline]
    pub fn retire(&self, block: GuestBlock) -> Result<(), HeapError> {
        if !self.is_callable() {
            return Ok(());
        }
        let address = block.address();
        let freed = self.island.uninterrupted(|| {
            let (bytes, align) = block.take(self)?;
            Some(self.call_free(address, bytes, align))
        });
        match freed {
            Some(Some(Err(source))) => Err(HeapError::Reclaim { address, source: *source }),
            _ => Ok(()),
        }
    }

    fn free_waiting(&self, waiting: usize) -> Result<(), HeapError> {
        if !self.is_callable() {
            return Ok(());
        }
        for _ in 0..waiting {
            // A block that is taken out of the queue is freed: no interruption comes in between.
            let freed = self.island.uninterrupted(|| {
                let (address, bytes, align) = self.reclaim.next()?;
                let done = self.call_free(address, bytes, align);
                Some(done.map_err(|source| HeapError::Reclaim { address, source: *source }))
            });
            match freed.flatten() {
                Some(done) => done?,
                None => break,
            }
        }
        Ok(())
    }

    /// The address of the `len` bytes at `pointer`, if they lie in this heap's memory.
    #[inline]
    pub fn address_of(&self, pointer: NonNull<u8>, len: usize) -> Option<u64> {
        let address = pointer.addr().get().checked_sub(self.data().base().addr().get())? as u64;
        self.data().range(address, len as u64).ok().map(|_| address)
    }

    #[inline]
    fn malloc(&self, bytes: u64) -> Result<u64, HeapError> {
        // A 32-bit guest cannot even be asked for so much, so it does not have it.
        if !self.wide && bytes > u64::from(u32::MAX) {
            return Ok(0);
        }
        match self.island.uninterrupted(|| self.allocating(|| self.routine.allocate(bytes))) {
            Some(Ok(address)) => Ok(address),
            Some(Err(error)) => Err(error.into()),
            None => Err(CallError::Interrupted.into()),
        }
    }

    #[inline]
    fn call_free(&self, address: u64, bytes: u64, align: u32) -> Result<(), Box<CallError>> {
        if let Some(sizes) = &self.sizes {
            sizes.borrow_mut().remove(&address);
        }
        self.allocating(|| self.routine.free(address, bytes, align))
    }

    /// Runs `call` while the guest's allocator is marked as in use. The mark goes even if `call` panics.
    #[inline]
    fn allocating<R>(&self, call: impl FnOnce() -> R) -> R {
        struct Done<'a>(&'a Cell<bool>);
        impl Drop for Done<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.set(false);
            }
        }
        self.allocating.set(true);
        let _done = Done(&self.allocating);
        call()
    }
}

impl std::fmt::Debug for Heap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (owned, waiting) = (self.owned(), self.waiting());
        f.debug_struct("Heap").field("owned", &owned).field("waiting", &waiting).finish_non_exhaustive()
    }
}
