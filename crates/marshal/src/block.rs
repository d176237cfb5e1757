//! One allocation in a guest's heap, owned by the host.

use std::ptr::NonNull;
use std::sync::Arc;

use data_block::DataBlock;
use island::uninterrupted;

use crate::error::HeapError;
use crate::heap::Heap;
use crate::reclaim::Reclaim;

/// One allocation in a guest's heap, owned by the host. Dropping it, on whichever thread, puts it into the reclaim
/// queue; its guest frees it at the next safe point ([`Heap::drain`]).
///
/// It keeps the mapping of its memory, so its bytes can be read after the island is gone, but never the island.
#[derive(Debug)]
pub struct GuestBlock {
    reclaim: Arc<Reclaim>,
    address: u64,
    len: u64,
    /// Which of the blocks at this address it is, in the queue's count.
    generation: u64,
    released: bool,
}

impl GuestBlock {
    /// A block that `reclaim` has entered as owned.
    pub(crate) fn new(reclaim: Arc<Reclaim>, address: u64, len: u64, generation: u64) -> Self {
        Self { reclaim, address, len, generation, released: false }
    }

    /// Where it is in the guest's memory, in bytes.
    #[inline]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// How many bytes it has.
    #[inline]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its first byte on the host. It stays there, and valid for [`GuestBlock::len`] bytes, as long as this handle
    /// lives; the guest may write to it at any time.
    #[inline]
    pub fn start(&self) -> NonNull<u8> {
        let start = self.data().range(self.address, self.len);
        start.expect("a block lay in its memory once, and memories do not shrink")
    }

    /// The memory that it lies in.
    #[inline]
    pub fn data(&self) -> &Arc<DataBlock> {
        self.reclaim.data()
    }

    /// Whether `heap` can free it.
    #[inline]
    pub fn is_of(&self, heap: &Heap) -> bool {
        Arc::ptr_eq(&self.reclaim, heap.reclaim())
    }

    /// Frees it now rather than at the next safe point.
    ///
    /// # Errors
    /// [`HeapError::NotOurs`] and [`HeapError::Busy`] leave it to be freed later. Any other error is about the guest's
    /// `free`, which is not tried again.
    pub fn free(self, heap: &Heap) -> Result<(), HeapError> {
        if !self.is_of(heap) {
            return Err(HeapError::NotOurs { address: self.address });
        }
        if !heap.is_callable() {
            return Err(HeapError::Busy);
        }
        uninterrupted(|| heap.free(self.release())).unwrap_or(Err(HeapError::Busy))
    }

    /// Gives the block up to be freed now: its length and alignment. `None` if it cannot be, or another heap's
    /// allocator has it: then it waits in the queue.
    #[inline]
    pub(crate) fn take(mut self, heap: &Heap) -> Option<(u64, u32)> {
        if !self.is_of(heap) {
            return None;
        }
        let taken = self.reclaim.take(self.address, self.generation);
        self.released = taken.is_some();
        taken
    }

    /// Gives the block up without freeing it, for a guest that takes it over. Returns the address.
    pub fn release(mut self) -> u64 {
        self.reclaim.disown(self.address);
        self.released = true;
        self.address
    }
}

impl Drop for GuestBlock {
    #[inline]
    fn drop(&mut self) {
        if !self.released {
            self.reclaim.enqueue(self.address, self.generation);
        }
    }
}
