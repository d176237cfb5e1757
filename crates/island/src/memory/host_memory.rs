//! Wasmtime's host-memory hook: every memory of an island stands on a [`DataBlock`], which buffers keep alive without
//! keeping the island alive; so does every shared memory. The memory that instrumentation adds to a module
//! (`crate::engine::instrument`) stands on one of the thread's poll pages.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, Weak};

use data_block::{Budget, DataBlock, MapError, PollPages};
use rustc_hash::FxHashMap;
use wasmtime::{LinearMemory, MemoryCreator, MemoryType, SharedMemory};

use crate::memory::ground::Ground;
use crate::memory::interrupt::Interrupter;
use crate::memory::layout::Layout;

/// Address space for a memory with 64-bit addresses and no maximum.
const RESERVATION64: usize = 16 << 30;

/// The most that a memory with 32-bit addresses can use.
const RESERVATION32: usize = 4 << 30;

/// If address space is short, a memory gets this fraction of what is left, and less the more memories there are, so
/// that there can be many.
const SHARES: usize = 8;

/// What the hook exchanges with the island for which Wasmtime calls it. Both are on one thread.
#[derive(Default)]
struct Handover {
    /// A block made before its memory, for the next memory to stand on.
    offered: Option<Arc<DataBlock>>,
    /// Why the last memory that Wasmtime asked for was not made.
    failure: Option<String>,
    /// What the next memories stand on, counting only those that have pages at first.
    grounds: VecDeque<Ground>,
    /// Which of the thread's poll pages [`Ground::PollPage`] means.
    poll_page: usize,
}

/// The blocks under shared memories, by their base address.
static SHARED: Mutex<Option<FxHashMap<usize, Weak<DataBlock>>>> = Mutex::new(None);

fn with_shared<R>(body: impl FnOnce(&mut FxHashMap<usize, Weak<DataBlock>>) -> R) -> R {
    body(SHARED.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert_default())
}

/// The block under a shared memory that was made on this crate's engine, in an instance or by
/// [`Engine::new_shared_memory`](crate::Engine::new_shared_memory).
pub fn shared_block(memory: &SharedMemory) -> Option<Arc<DataBlock>> {
    let base = memory.data().as_ptr().addr();
    with_shared(|blocks| blocks.get(&base)?.upgrade())
}

thread_local! {
    static HANDOVER: RefCell<Handover> = RefCell::default();
    /// The block under each of the thread's memories, by its base address, while the memory exists.
    static BLOCKS: RefCell<FxHashMap<usize, Weak<DataBlock>>> = RefCell::default();
    static BUDGET: RefCell<Option<Budget>> = const { RefCell::new(None) };
    static GREW: Cell<bool> = const { Cell::new(false) };
    static GROWN: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Whether any unshared memory of this thread grew, or [`ask_again`] was called, since the last call of [`take_grown`].
#[inline]
pub fn has_grown() -> bool {
    GREW.get()
}

/// The base addresses of this thread's unshared memories that grew since the last call.
pub fn take_grown() -> Vec<usize> {
    GREW.set(false);
    GROWN.take()
}

/// Makes [`has_grown`] return true until the next [`take_grown`]: for owners of shared memories, whose growth is not
/// recorded.
pub fn ask_again() {
    GREW.set(true);
}

/// Notes that this thread's unshared memory that begins at `base` grew, if only by 0 pages.
pub(crate) fn note_growth(base: usize) {
    GREW.set(true);
    GROWN.with_borrow_mut(|grown| {
        // A guest can do this any number of times before anybody asks.
        if !grown.contains(&base) {
            grown.push(base);
        }
    });
}

/// Runs `body`, which makes an instance of a module whose memories stand on `grounds`.
///
/// Wasmtime makes the memories in order. If there is no heap for the guest's objects yet, it first makes that, through
/// the same hook; the heap begins without pages, so memories without pages are not counted.
pub(crate) fn with_grounds<R>(grounds: &[Ground], poll_page: usize, body: impl FnOnce() -> R) -> R {
    if grounds.is_empty() {
        return body();
    }
    HANDOVER.with_borrow_mut(|handover| {
        handover.grounds = grounds.iter().cloned().collect();
        handover.poll_page = poll_page;
    });
    let _end = HandoverEnd;
    body()
}

/// Clears what was handed over and not used, even if Wasmtime panics.
struct HandoverEnd;

impl Drop for HandoverEnd {
    fn drop(&mut self) {
        HANDOVER.with_borrow_mut(|handover| {
            handover.grounds.clear();
            handover.offered = None;
        });
    }
}

/// Runs `body`; the next memory that Wasmtime makes in it stands on `block`.
pub(crate) fn with_offer<R>(block: Arc<DataBlock>, body: impl FnOnce() -> R) -> R {
    HANDOVER.with_borrow_mut(|handover| handover.offered = Some(block));
    let _end = HandoverEnd;
    body()
}

/// The block under this thread's memory that begins at `base`.
pub(crate) fn block_at(base: usize) -> Option<Arc<DataBlock>> {
    BLOCKS.with_borrow(|blocks| blocks.get(&base)?.upgrade())
}

/// Why there was no room for a memory since the last call on this thread.
pub(crate) fn take_failure() -> Option<String> {
    HANDOVER.with_borrow_mut(|handover| handover.failure.take())
}

/// The hook.
pub(crate) struct HostMemory;

// SAFETY: `DataBlock::new` reserves and guards memories as requested; they are zero at first and never move. An offered
// block has the requested shape or is refused.
unsafe impl MemoryCreator for HostMemory {
    fn new_memory(
        &self,
        ty: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let fail = |error: MapError| {
            let message = error.to_string();
            HANDOVER.with_borrow_mut(|handover| handover.failure = Some(message.clone()));
            message
        };
        let (offered, ground, poll_page) = HANDOVER.with_borrow_mut(|handover| {
            let ground = if minimum > 0 { handover.grounds.pop_front() } else { None };
            (handover.offered.take(), ground, handover.poll_page)
        });
        if let Some(Ground::PollPage) = ground {
            return Ok(Box::new(PollPage::new(poll_page).map_err(fail)?));
        }
        let block = match offered {
            // Compiled code omits checks that this shape makes unnecessary.
            Some(block) if !has_shape(&block, minimum, reserved.unwrap_or(0), guard) => {
                return Err("the block does not have the address space that a memory of this type needs".into());
            }
            Some(block) => block,
            None => map(minimum, capacity(&ty, minimum, maximum, reserved), guard).map_err(fail)?,
        };
        if let Some(Ground::Image(image)) = ground {
            image.write_to(&block).map_err(|error| error.to_string())?;
        }
        let (base, weak) = (block.base().as_ptr().addr(), Arc::downgrade(&block));
        match ty.is_shared() {
            true => {
                block.at_end(crate::memory::wait_lists::forget_within);
                with_shared(|blocks| blocks.insert(base, weak))
            }
            false => BLOCKS.with_borrow_mut(|blocks| blocks.insert(base, weak)),
        };
        Ok(Box::new(BlockMemory { block, shared: ty.is_shared() }))
    }
}

/// Whether a block can be under a memory for which Wasmtime asks for this shape.
fn has_shape(block: &DataBlock, minimum: usize, reserved: usize, guard: usize) -> bool {
    let capacity = block.capacity();
    block.len() >= minimum && capacity >= reserved && block.address_space() - capacity >= guard
}

/// Sets the budget that all memories share which this thread makes from now on.
pub fn set_memory_budget(budget: Option<Budget>) {
    BUDGET.set(budget);
}

/// The budget that [`set_memory_budget`] last set on this thread.
pub fn memory_budget() -> Option<Budget> {
    BUDGET.with_borrow(Clone::clone)
}

fn map(len: usize, capacity: usize, guard: usize) -> Result<Arc<DataBlock>, MapError> {
    DataBlock::on_budget(memory_budget(), len, capacity, guard)
}

/// A block for a memory of type `ty` that does not exist yet, of the shape that the hook would make:
/// [`Island::new_memory`](crate::Island::new_memory) makes a memory on it.
///
/// # Errors
/// When the system refuses the address space or the memory.
pub fn new_block(ty: &MemoryType) -> Result<Arc<DataBlock>, MapError> {
    let bytes = |pages: u64| usize::try_from(pages.saturating_mul(ty.page_size())).unwrap_or(usize::MAX);
    let minimum = bytes(ty.minimum());
    let layout = Layout::of_process();
    let capacity = capacity(ty, minimum, ty.maximum().map(bytes), Some(layout.reservation));
    map(minimum, capacity, layout.guard)
}

/// The size in bytes to which the memory can grow without moving.
fn capacity(ty: &MemoryType, minimum: usize, maximum: Option<usize>, reserved: Option<usize>) -> usize {
    if data_block::is_short() {
        let most = if ty.is_64() { RESERVATION64 } else { RESERVATION32 };
        let wanted = maximum.unwrap_or(most).min(most);
        let shares = SHARES + data_block::live().0;
        let share = data_block::room(wanted.saturating_mul(shares)) / shares;
        return (share - share % PollPages::PAGE).min(wanted).max(minimum);
    }
    let wanted = match (ty.is_64(), maximum) {
        (true, Some(maximum)) => maximum.min(RESERVATION64),
        (true, None) => RESERVATION64,
        (false, maximum) => maximum.unwrap_or(minimum),
    };
    wanted.max(minimum).max(reserved.unwrap_or(0))
}

struct BlockMemory {
    block: Arc<DataBlock>,
    shared: bool,
}

impl Drop for BlockMemory {
    fn drop(&mut self) {
        let base = self.as_ptr().addr();
        if self.shared {
            with_shared(|blocks| blocks.remove(&base));
            return;
        }
        // At the end of the thread, the map may be gone already, and nobody needs it.
        let _ = BLOCKS.try_with(|blocks| blocks.borrow_mut().remove(&base));
    }
}

// SAFETY: the block's base is page-aligned and stays where it is; its length is what Wasmtime last asked for.
unsafe impl LinearMemory for BlockMemory {
    fn byte_size(&self) -> usize {
        self.block.len()
    }

    fn byte_capacity(&self) -> usize {
        self.block.capacity()
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        self.block.grow_to(new_size)?;
        match self.shared {
            true => ask_again(),
            false => note_growth(self.as_ptr().addr()),
        }
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.block.base().as_ptr()
    }
}

/// A poll page as a memory: its module reads the first byte and nothing else, so no more is reserved.
struct PollPage {
    start: NonNull<u8>,
    /// Keeps the page mapped.
    _pages: Interrupter,
}

// SAFETY: the address is only passed on; the page belongs to the interrupter, which any thread may have.
unsafe impl Send for PollPage {}
// SAFETY: as above.
unsafe impl Sync for PollPage {}

impl PollPage {
    fn new(number: usize) -> Result<Self, MapError> {
        let interrupter = Interrupter::current();
        // If there is no address space for another page, the instance cannot be interrupted, which is better than no
        // instance.
        let page = interrupter.pages().page(number).or_else(|_| interrupter.pages().open_page())?;
        Ok(Self { start: page, _pages: interrupter })
    }
}

// SAFETY: the page is aligned, stays where it is, and never grows: instrumentation gives the memory a maximum of one
// page, and its only accesses are loads of the first byte.
unsafe impl LinearMemory for PollPage {
    fn byte_size(&self) -> usize {
        PollPages::PAGE
    }

    fn byte_capacity(&self) -> usize {
        PollPages::PAGE
    }

    fn grow_to(&mut self, _: usize) -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("a poll page does not grow"))
    }

    fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}
