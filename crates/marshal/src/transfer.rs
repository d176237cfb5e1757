//! Values on their way into a guest's memory and out of it, with all that they point to.
//!
//! What goes in is allocated and freed after the call. What comes out is copied, and what the guest gave away is freed.
//! Both happen even if something on the way fails; the writer and the reader keep lists for that.

use std::any::TypeId;

use data_block::DataBlock;
use island::NumberKind;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::argument::Call;
use crate::error::{GuestError, HeapError};
use crate::guest::Core;
use crate::heap::Heap;
use crate::layout::InGuest as _;
use crate::value::Marshal;

/// Bytes of a value on its way; those of most structs fit.
pub type Bytes = SmallVec<[u8; 64]>;

/// How deep structs may point to structs, so that no guest's cycle of pointers exhausts the host's stack.
const DEPTH: usize = 200;

/// What the types of a function are [bound](Marshal::bind) to: a guest.
pub struct Binder<'c> {
    pub(crate) core: &'c Core,
    seen: Vec<TypeId>,
}

impl<'c> Binder<'c> {
    pub(crate) fn new(core: &'c Core) -> Self {
        Self { core, seen: Vec::new() }
    }

    /// Whether `T` is here for the first time: types may point to themselves.
    pub fn is_new<T: 'static>(&mut self) -> bool {
        let id = TypeId::of::<T>();
        let is_new = !self.seen.contains(&id);
        self.seen.push(id);
        is_new
    }
}

/// Puts values into a guest's memory.
pub struct Writer<'c> {
    pub(crate) core: &'c Core,
    /// The blocks that were allocated, and whether the guest takes each over.
    pub(crate) blocks: SmallVec<[(u64, bool); 4]>,
    /// Whether the guest takes over what is allocated now.
    pub(crate) consumed: bool,
    /// Whether what is written now is read again after the call.
    pub(crate) comes_back: bool,
    /// What was written to blocks that are read again, by their addresses.
    pub(crate) images: FxHashMap<u64, Bytes>,
    depth: usize,
}

impl<'c> Writer<'c> {
    #[inline]
    pub(crate) fn new(core: &'c Core) -> Self {
        Self {
            core,
            blocks: SmallVec::new(),
            consumed: false,
            comes_back: false,
            images: FxHashMap::default(),
            depth: 0,
        }
    }

    /// How wide the guest's addresses are.
    #[inline]
    pub fn pointer(&self) -> NumberKind {
        self.core.pointer
    }

    pub(crate) fn heap(&self) -> &'c Heap {
        self.core.heap()
    }

    /// Notes a block that was allocated.
    pub(crate) fn note(&mut self, address: u64) -> u64 {
        self.blocks.push((address, self.consumed));
        address
    }

    /// Copies bytes to a new block. Returns its address.
    ///
    /// # Errors
    /// As [`Heap::allocate`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<u64, GuestError> {
        let address = self.heap().copy_in(bytes)?;
        Ok(self.note(address))
    }

    /// [`Writer::bytes`] for values that may have pointers in them, which the guest may change.
    pub(crate) fn pointers(&mut self, bytes: Bytes) -> Result<u64, GuestError> {
        let address = self.bytes(&bytes)?;
        if self.comes_back {
            self.images.insert(address, bytes);
        }
        Ok(address)
    }

    /// Stores values, one after another, in a new block. Returns its address.
    ///
    /// # Errors
    /// What [`Marshal::store`] fails with; [`GuestError::Depth`].
    pub fn values<T: Marshal>(&mut self, values: &[T]) -> Result<u64, GuestError> {
        if self.depth == DEPTH {
            return Err(GuestError::Depth);
        }
        self.depth += 1;
        let address = T::copy_in(values, self);
        self.depth -= 1;
        address
    }

    /// A value's bytes.
    ///
    /// # Errors
    /// What [`Marshal::store`] fails with.
    pub fn image<T: Marshal>(&mut self, values: &[T]) -> Result<Bytes, GuestError> {
        let size = T::LAYOUT.of(self.pointer()).size;
        let mut bytes = Bytes::from_elem(0, size * values.len());
        for (index, value) in values.iter().enumerate() {
            value.store(&mut bytes[index * size..][..size], self)?;
        }
        Ok(bytes)
    }

    /// Puts an address, or a size, into as many bytes as the guest has for one.
    ///
    /// # Errors
    /// [`GuestError::Range`].
    #[inline]
    pub fn address(&self, value: u64, bytes: &mut [u8]) -> Result<(), GuestError> {
        match self.pointer() {
            NumberKind::I64 => bytes.copy_from_slice(&value.to_le_bytes()),
            _ => bytes.copy_from_slice(&u32::try_from(value).map_err(|_| GuestError::Range { value })?.to_le_bytes()),
        }
        Ok(())
    }

    /// Frees what the guest did not take over. `kept` says whether the guest had the chance to.
    #[inline]
    pub(crate) fn finish(&self, kept: bool) -> Result<(), HeapError> {
        if self.blocks.is_empty() { Ok(()) } else { self.free_blocks(kept) }
    }

    /// [`Writer::finish`] that does not call into the guest.
    fn abandon(&self, kept: bool) {
        for &(address, consumed) in &self.blocks {
            match consumed && kept {
                true => self.core.heap().forget(address),
                false => self.core.heap().give_up(address),
            }
        }
    }

    fn free_blocks(&self, kept: bool) -> Result<(), HeapError> {
        let mut done = Ok(());
        for &(address, consumed) in &self.blocks {
            let freed = match consumed && kept {
                true => {
                    self.core.heap().forget(address);
                    Ok(())
                }
                false => self.core.heap().give_back(address),
            };
            done = done.and(freed);
        }
        done
    }
}

/// A call that may be suspended: it gives its blocks back, at a safe point, if it is dropped before it has ended.
pub(crate) struct Suspendable<'c> {
    pub(crate) call: Call<'c>,
    /// Whether the guest was called.
    pub(crate) committed: bool,
    pub(crate) ended: bool,
}

impl Drop for Suspendable<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.call.writer.abandon(self.committed);
        }
    }
}

/// Takes values out of a guest's memory.
pub struct Reader<'c> {
    pub(crate) core: &'c Core,
    /// Whether blocks that are pointed to are the host's now, as their types say.
    pub(crate) owned: bool,
    len: Option<usize>,
    /// What was in the blocks of arguments before the call.
    pub(crate) images: FxHashMap<u64, Bytes>,
    depth: usize,
    spent: u64,
    blocks: SmallVec<[Block; 2]>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    address: u64,
    bytes: u64,
    align: u32,
}

impl<'c> Reader<'c> {
    #[inline]
    pub(crate) fn new(core: &'c Core) -> Self {
        let (images, blocks) = (FxHashMap::default(), SmallVec::new());
        Self { core, owned: true, len: None, images, depth: 0, spent: 0, blocks }
    }

    /// How wide the guest's addresses are.
    #[inline]
    pub fn pointer(&self) -> NumberKind {
        self.core.pointer
    }

    pub(crate) fn data(&self) -> &'c DataBlock {
        self.core.heap().data()
    }

    /// Says how many elements the next slice has.
    #[inline]
    pub fn set_len(&mut self, len: Option<usize>) {
        self.len = len;
    }

    /// How many elements the slice that is being loaded has.
    ///
    /// # Errors
    /// [`GuestError::NoLength`].
    pub(crate) fn take_len(&mut self) -> Result<usize, GuestError> {
        self.len.take().ok_or(GuestError::NoLength)
    }

    /// The address, or size, in `bytes`.
    #[inline]
    pub fn address(&self, bytes: &[u8]) -> u64 {
        match *bytes {
            [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
            [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => unreachable!("an address has 4 bytes or 8"),
        }
    }

    /// As [`Reader::address`], for a pointer that must not be null.
    pub(crate) fn pointed(&self, bytes: &[u8]) -> Result<u64, GuestError> {
        match self.address(bytes) {
            0 => Err(HeapError::Null.into()),
            address => Ok(address),
        }
    }

    /// Notes that a block is the host's, to be freed when everything is copied.
    pub(crate) fn own(&mut self, address: u64, bytes: u64, align: usize) {
        if self.owned {
            self.blocks.push(Block { address, bytes, align: align as u32 });
        }
    }

    /// Counts bytes that are copied. A tree of blocks cannot have more bytes than the memory (apart from what is shared
    /// between them); pointers that lead back would have them without end.
    pub(crate) fn spend(&mut self, bytes: u64) -> Result<(), GuestError> {
        self.spent = self.spent.saturating_add(bytes);
        match self.spent > (self.data().len() as u64).saturating_mul(4) {
            true => Err(GuestError::Depth),
            false => Ok(()),
        }
    }

    /// `len` bytes at `address`.
    pub(crate) fn bytes(&mut self, address: u64, len: u64) -> Result<Bytes, GuestError> {
        self.data().range(address, len)?;
        self.spend(len)?;
        let mut bytes = Bytes::from_elem(0, len as usize);
        self.data().read(address, &mut bytes)?;
        Ok(bytes)
    }

    /// Loads `count` values at `address`, one after another.
    ///
    /// # Errors
    /// What [`Marshal::load`] fails with; [`GuestError::Depth`].
    pub fn values<T: Marshal>(&mut self, address: u64, count: usize) -> Result<Vec<T>, GuestError> {
        if self.depth == DEPTH {
            return Err(GuestError::Depth);
        }
        self.depth += 1;
        let values = T::copy_out(address, count, self);
        self.depth -= 1;
        values
    }

    /// Loads the one value at `address`.
    ///
    /// # Errors
    /// As [`Reader::values`].
    pub fn value<T: Marshal>(&mut self, address: u64) -> Result<T, GuestError> {
        if self.depth == DEPTH {
            return Err(GuestError::Depth);
        }
        let bytes = self.bytes(address, T::LAYOUT.of(self.pointer()).size as u64)?;
        self.depth += 1;
        let value = T::load(&bytes, self);
        self.depth -= 1;
        value
    }

    /// Takes over what the guest changed in values that [`Marshal::copy_in`] copied to `address`.
    ///
    /// # Errors
    /// As [`Reader::values`].
    pub fn update<T: Marshal>(&mut self, values: &mut [T], address: u64) -> Result<(), GuestError> {
        if self.depth == DEPTH {
            return Err(GuestError::Depth);
        }
        self.depth += 1;
        let done = T::copy_back(values, address, self);
        self.depth -= 1;
        done
    }

    /// Runs `load`; the blocks that it meets stay the guest's if `lent`.
    pub(crate) fn lending<R>(&mut self, lent: bool, load: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.owned;
        self.owned = before && !lent;
        let value = load(self);
        self.owned = before;
        value
    }

    /// Frees what was given away.
    ///
    /// # Errors
    /// [`HeapError::AlreadyOwned`] if a block was given away twice or is the host's already, as an argument of the call
    /// is, which `writer` frees. Also what `free` fails with.
    #[inline]
    pub(crate) fn finish(&mut self, writer: &Writer<'_>) -> Result<(), HeapError> {
        if self.blocks.is_empty() { Ok(()) } else { self.free_blocks(writer) }
    }

    fn free_blocks(&mut self, writer: &Writer<'_>) -> Result<(), HeapError> {
        let blocks = &mut self.blocks;
        let mut done = Ok(());
        blocks.sort_unstable();
        for (index, &Block { address, bytes, align }) in blocks.iter().enumerate() {
            let is_known = (index > 0 && blocks[index - 1].address == address)
                || writer.blocks.iter().any(|&(argument, consumed)| argument == address && !consumed);
            let freed = match is_known {
                true => Err(HeapError::AlreadyOwned { address }),
                false => self.core.heap().free_sized(address, bytes, align),
            };
            done = done.and(freed);
        }
        done
    }
}
