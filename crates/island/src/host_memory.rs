//! Wasmtime's host-memory hook: every memory of an island stands on a [`DataBlock`], which buffers keep alive without
//! keeping the island alive.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use crate::engine::{GUARD, RESERVATION};
use data_block::{DataBlock, MapError};
use rustc_hash::FxHashMap;
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Address space for a memory whose addresses have 64 bits and that does not say where it ends.
const RESERVATION64: u64 = 16 << 30;

/// What passes between the hook and the island on whose behalf Wasmtime calls it. Both are on one thread.
#[derive(Default)]
struct Handover {
    /// A block made before its memory, for the next memory to stand on.
    offered: Option<Arc<DataBlock>>,
    /// Why the last memory that Wasmtime asked for was not made.
    failure: Option<String>,
}

thread_local! {
    static HANDOVER: RefCell<Handover> = RefCell::default();
    /// The block under each of the thread's memories, by its base address, for as long as the memory is there.
    static BLOCKS: RefCell<FxHashMap<usize, Weak<DataBlock>>> = RefCell::default();
    static GREW: Cell<bool> = const { Cell::new(false) };
    static GROWN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether any unshared memory of this thread grew since [`take_grown`] was last called, or [`ask_again`] was.
#[inline]
pub fn has_grown() -> bool {
    GREW.get()
}

/// The base addresses of the unshared memories of this thread that grew since this was last called.
pub fn take_grown() -> Vec<usize> {
    GREW.set(false);
    GROWN.take()
}

/// Makes [`has_grown`] say yes once: for owners of shared memories, whose growth nobody notes.
pub fn ask_again() {
    GREW.set(true);
}

/// Runs `body`; the next memory that Wasmtime makes in it stands on `block`.
pub(crate) fn with_offer<R>(block: Arc<DataBlock>, body: impl FnOnce() -> R) -> R {
    HANDOVER.with_borrow_mut(|handover| handover.offered = Some(block));
    let result = body();
    HANDOVER.with_borrow_mut(|handover| handover.offered = None);
    result
}

/// The block under the memory of this thread that begins at `base`.
pub(crate) fn block_at(base: usize) -> Option<Arc<DataBlock>> {
    BLOCKS.with_borrow(|blocks| blocks.get(&base)?.upgrade())
}

/// Why there was no room for a memory since this was last called on this thread.
pub(crate) fn take_failure() -> Option<String> {
    HANDOVER.with_borrow_mut(|handover| handover.failure.take())
}

/// The hook.
pub(crate) struct HostMemory;

// SAFETY: memories are reserved and guarded as asked for by `DataBlock::new`, are zero at first and never move; an
// offered block has the same shape, see `Island::new_memory`.
unsafe impl MemoryCreator for HostMemory {
    fn new_memory(
        &self,
        ty: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let offered = HANDOVER.with_borrow_mut(|handover| handover.offered.take());
        let block = match offered {
            Some(block) => block,
            None => {
                let capacity = capacity(&ty, minimum, maximum, reserved);
                let block = DataBlock::new(minimum, capacity, guard).map_err(|error| error.to_string());
                block.inspect_err(|message| {
                    HANDOVER.with_borrow_mut(|handover| handover.failure = Some(message.clone()));
                })?
            }
        };
        BLOCKS.with_borrow_mut(|blocks| blocks.insert(block.base().as_ptr().addr(), Arc::downgrade(&block)));
        Ok(Box::new(BlockMemory(block)))
    }
}

/// A block of the shape that the hook would make for `ty`.
pub(crate) fn block_for(ty: &MemoryType) -> Result<Arc<DataBlock>, MapError> {
    let bytes = |pages: u64| usize::try_from(pages.saturating_mul(ty.page_size())).unwrap_or(usize::MAX);
    let minimum = bytes(ty.minimum());
    let capacity = capacity(ty, minimum, ty.maximum().map(bytes), Some(RESERVATION as usize));
    DataBlock::new(minimum, capacity, GUARD as usize)
}

/// Bytes that the memory can grow to without moving.
fn capacity(ty: &MemoryType, minimum: usize, maximum: Option<usize>, reserved: Option<usize>) -> usize {
    let wanted = match (ty.is_64(), maximum) {
        (true, Some(maximum)) => maximum.min(RESERVATION64 as usize),
        (true, None) => RESERVATION64 as usize,
        (false, maximum) => maximum.unwrap_or(minimum),
    };
    wanted.max(minimum).max(reserved.unwrap_or(0))
}

struct BlockMemory(Arc<DataBlock>);

impl Drop for BlockMemory {
    fn drop(&mut self) {
        // At the thread's end there may be no map any more, and nobody who looks.
        let _ = BLOCKS.try_with(|blocks| blocks.borrow_mut().remove(&self.as_ptr().addr()));
    }
}

// SAFETY: the block's base is page-aligned and stays; its length is what Wasmtime last asked for.
unsafe impl LinearMemory for BlockMemory {
    fn byte_size(&self) -> usize {
        self.0.len()
    }

    fn byte_capacity(&self) -> usize {
        self.0.capacity()
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        self.0.grow_to(new_size)?;
        GREW.set(true);
        GROWN.with_borrow_mut(|grown| grown.push(self.as_ptr().addr()));
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.0.base().as_ptr()
    }
}
