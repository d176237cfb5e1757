//! A guest's heap as the host sees it: `malloc`, `free`, and the safe points in between.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use data_block::DataBlock;
use island::wasmtime::Func;
use island::{CallError, Callee, FunctionKey, Island, Kind, uninterrupted};

use crate::block::GuestBlock;
use crate::error::HeapError;
use crate::reclaim::{Allocator, Reclaim};

/// A guest's allocator, with the queue of the blocks that it should free.
///
/// It stays on its island's thread. Nothing calls into the guest but [`Heap::allocate`], [`Heap::free`],
/// [`GuestBlock::free`] and [`Heap::drain`], so dropping blocks is safe at any time, from inside a collection too.
/// A guest's allocator is not re-entrant: while it runs (it may call an import, to grow the memory for one) a drain does
/// nothing and the others say [`HeapError::Busy`].
pub struct Heap {
    island: Rc<Island>,
    malloc: Callee,
    free: Callee,
    wide: bool,
    reclaim: Arc<Reclaim>,
    allocating: Cell<bool>,
    pressure: RefCell<Option<Rc<dyn Fn()>>>,
}

impl Heap {
    /// The heap in `block` that these two functions manage: `(i32) -> i32` and `(i32) -> ()`, or the same with `i64` for
    /// a memory whose addresses have 64 bits.
    ///
    /// Heaps for the same memory and `free` share their queue.
    ///
    /// # Errors
    /// [`HeapError::Signature`].
    ///
    /// # Panics
    /// When a function is not of this island.
    pub fn new(island: &Rc<Island>, block: Arc<DataBlock>, malloc: Func, free: Func) -> Result<Rc<Self>, HeapError> {
        let allocator = Allocator::Function(island.enter(|store| FunctionKey::of(store, free)));
        Self::with(island, block, malloc, free, allocator)
    }

    /// As [`Heap::new`], for a shared memory: every agent's instance frees what any agent gave up. The instances must be
    /// of one module, or at least have `free` at the same index.
    ///
    /// # Errors
    /// [`HeapError::Signature`].
    ///
    /// # Panics
    /// When a function is not of this island.
    pub fn new_shared(
        island: &Rc<Island>,
        block: Arc<DataBlock>,
        malloc: Func,
        free: Func,
    ) -> Result<Rc<Self>, HeapError> {
        let allocator = Allocator::Index(island.function_index(free));
        Self::with(island, block, malloc, free, allocator)
    }

    fn with(
        island: &Rc<Island>,
        block: Arc<DataBlock>,
        malloc: Func,
        free: Func,
        allocator: Allocator,
    ) -> Result<Rc<Self>, HeapError> {
        let malloc = Callee::new(island, malloc);
        let free = Callee::new(island, free);
        let wide = match malloc.numeric().map(|ty| (&*ty.params, &*ty.results)) {
            Some(([Kind::I32], [Kind::I32])) => false,
            Some(([Kind::I64], [Kind::I64])) => true,
            _ => return Err(HeapError::Signature { function: "malloc", found: malloc.ty().to_string() }),
        };
        let pointer = if wide { Kind::I64 } else { Kind::I32 };
        if !free.numeric().is_some_and(|ty| *ty.params == [pointer] && ty.results.is_empty()) {
            return Err(HeapError::Signature { function: "free", found: free.ty().to_string() });
        }
        let reclaim = Reclaim::of(block, allocator);
        let (allocating, pressure) = (Cell::new(false), RefCell::new(None));
        Ok(Rc::new(Self { island: island.clone(), malloc, free, wide, reclaim, allocating, pressure }))
    }

    /// The island that the guest lives on.
    pub fn island(&self) -> &Rc<Island> {
        &self.island
    }

    /// The guest's memory.
    #[inline]
    pub fn data(&self) -> &Arc<DataBlock> {
        self.reclaim.data()
    }

    /// Whether the memory is shared, so that other threads work in it.
    pub fn is_shared(&self) -> bool {
        self.reclaim.is_shared()
    }

    /// Whether the guest's pointers have 64 bits.
    pub fn is_wide(&self) -> bool {
        self.wide
    }

    pub(crate) fn reclaim(&self) -> &Arc<Reclaim> {
        &self.reclaim
    }

    /// The bytes of the blocks that the host owns, with those that wait to be freed.
    pub fn owned_bytes(&self) -> u64 {
        self.reclaim.owned_bytes()
    }

    /// Keeps an owned block from being freed, whoever drops its handles, until [`Heap::unpin`]: for a call that was
    /// given the block's address. Says whether `address` is the beginning of an owned block.
    pub fn pin(&self, address: u64) -> bool {
        self.reclaim.pin(address)
    }

    /// Ends one [`Heap::pin`] that said yes.
    pub fn unpin(&self, address: u64) {
        self.reclaim.unpin(address);
    }

    /// Blocks of this heap that the host owns, with those that wait to be freed.
    pub fn owned(&self) -> usize {
        self.reclaim.owned()
    }

    /// Blocks that wait to be freed.
    pub fn waiting(&self) -> usize {
        self.reclaim.waiting()
    }

    /// What to do when the guest has no memory left: collect garbage, so that views which only garbage holds are
    /// dropped. It must not allocate in this heap.
    pub fn set_pressure_hook(&self, hook: impl Fn() + 'static) {
        let before = self.pressure.replace(Some(Rc::new(hook)));
        drop(before);
    }

    /// Whether the guest's allocator can be called now: it is not running already, and the island lets one in.
    #[inline]
    pub fn is_callable(&self) -> bool {
        !self.allocating.get() && self.island.can_enter()
    }

    /// Allocates `bytes` bytes (one, if none) in the guest, after draining the queue. When the guest has none left, the
    /// pressure hook runs, the queue is drained again, and the guest is asked once more.
    ///
    /// The block is the caller's: it goes back by [`Heap::free`], or becomes a [`GuestBlock`] by [`Heap::adopt`].
    ///
    /// # Errors
    /// [`HeapError::OutOfMemory`]; [`HeapError::Call`] when `malloc` does not return, and [`HeapError::Reclaim`] when the
    /// drain met a `free` that did not; [`HeapError::BadAddress`] when what `malloc` returned is not in the memory;
    /// [`HeapError::Busy`].
    pub fn allocate(&self, bytes: u64) -> Result<u64, HeapError> {
        if !self.is_callable() {
            return Err(HeapError::Busy);
        }
        self.drain()?;
        let bytes = bytes.max(1);
        let mut address = self.malloc(bytes)?;
        if address == 0 {
            address = self.allocate_under_pressure(bytes)?;
        }
        self.data().range(address, bytes)?;
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

    /// Frees a block at once. A null pointer is nothing to free, as in C.
    ///
    /// # Errors
    /// [`HeapError::AlreadyOwned`] when a [`GuestBlock`] has it or it waits in the queue; [`HeapError::Call`] when `free`
    /// does not return; [`HeapError::BadAddress`]; [`HeapError::Busy`].
    pub fn free(&self, address: u64) -> Result<(), HeapError> {
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
        Ok(uninterrupted(|| self.call_free(address)).ok_or(HeapError::Busy)??)
    }

    /// [`Heap::free`] for a block of the host's own, from [`Heap::allocate`]: where the guest's allocator cannot be called
    /// now, it waits in the queue with the others.
    ///
    /// # Errors
    /// As [`Heap::free`], but for [`HeapError::Busy`].
    pub fn give_back(&self, address: u64) -> Result<(), HeapError> {
        match self.free(address) {
            Err(HeapError::Busy) => self.adopt(address, 1).map(drop),
            done => done,
        }
    }

    /// Takes ownership of a block that the guest returned, or that [`Heap::allocate`] did.
    ///
    /// # Errors
    /// [`HeapError::Null`], [`HeapError::BadAddress`], and [`HeapError::AlreadyOwned`] when it was returned before and is
    /// not freed yet.
    #[inline]
    pub fn adopt(&self, address: u64, bytes: u64) -> Result<GuestBlock, HeapError> {
        if address == 0 {
            return Err(HeapError::Null);
        }
        self.data().range(address, bytes)?;
        self.reclaim.own(address, bytes)?;
        Ok(GuestBlock::new(self.reclaim.clone(), address, bytes))
    }

    /// The safe point: frees the blocks that wait in the queue. It does nothing where the guest's allocator cannot be
    /// called now; the blocks wait on. Blocks that `free` itself makes the host give up wait for the next time.
    ///
    /// # Errors
    /// [`HeapError::Reclaim`] when the guest's `free` does not return. That block is given up; those behind it stay for
    /// the next drain.
    #[inline]
    pub fn drain(&self) -> Result<(), HeapError> {
        match self.reclaim.waiting() {
            0 => Ok(()),
            waiting => self.free_waiting(waiting),
        }
    }

    fn free_waiting(&self, waiting: usize) -> Result<(), HeapError> {
        if !self.is_callable() {
            return Ok(());
        }
        for _ in 0..waiting {
            // What is taken out of the queue is freed: no interruption comes in between.
            let freed = uninterrupted(|| {
                let address = self.reclaim.next()?;
                Some(self.call_free(address).map_err(|source| HeapError::Reclaim { address, source }))
            });
            match freed.flatten() {
                Some(done) => done?,
                None => break,
            }
        }
        Ok(())
    }

    /// The address of the `len` bytes at `pointer`, if they lie in this heap's memory.
    pub fn address_of(&self, pointer: NonNull<u8>, len: usize) -> Option<u64> {
        let address = pointer.addr().get().checked_sub(self.data().base().addr().get())? as u64;
        self.data().range(address, len as u64).ok().map(|_| address)
    }

    #[inline]
    fn malloc(&self, bytes: u64) -> Result<u64, HeapError> {
        // What a 32-bit guest cannot even be asked for, it does not have.
        if !self.wide && bytes > u64::from(u32::MAX) {
            return Ok(0);
        }
        let call = || self.allocating(|| self.island.call_address(&self.malloc, bytes));
        Ok(uninterrupted(call).unwrap_or(Err(CallError::Interrupted))?)
    }

    #[inline]
    fn call_free(&self, address: u64) -> Result<(), CallError> {
        self.allocating(|| self.island.call_address(&self.free, address)).map(|_| ())
    }

    /// Runs `call` marked as a use of the guest's allocator, also when it panics.
    #[inline]
    fn allocating<R>(&self, call: impl FnOnce() -> R) -> R {
        struct Done<'a>(&'a Cell<bool>);
        impl Drop for Done<'_> {
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
