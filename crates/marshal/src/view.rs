//! Results that are the guest's memory: checked views, and plain slices for guests that are trusted.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::block::GuestBlock;
use crate::copy::{read_into, read_slice, write_slice};
use crate::error::HeapError;
use crate::plain::Plain;

/// A slice in the guest's memory that the host owns. It is freed when it is dropped, at the guest's next safe point.
///
/// The guest may write to it at any time, so it is read and written by copies. Pass it to the guest's functions as
/// `&View<[T]>`: they get its address, and nothing is copied.
#[derive(Debug)]
pub struct View<T: ?Sized> {
    block: GuestBlock,
    kind: PhantomData<fn() -> Box<T>>,
}

impl<T: Plain> View<[T]> {
    pub(crate) fn new(block: GuestBlock) -> Self {
        Self { block, kind: PhantomData }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        (self.block.len() / size_of::<T>().max(1) as u64) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index` as it is now; `None` past the end.
    pub fn get(&self, index: usize) -> Option<T> {
        let mut value = [crate::plain::zero()];
        if index >= self.len() {
            return None;
        }
        read_into(self.block.data(), self.address_at(index), &mut value).expect("a block lies in its memory");
        Some(value[0])
    }

    /// Writes the element at `index`.
    ///
    /// # Panics
    /// When `index` is past the end.
    pub fn set(&self, index: usize, value: T) {
        assert!(index < self.len(), "index {index} of a view of {} elements", self.len());
        write_slice(self.block.data(), self.address_at(index), &[value]).expect("a block lies in its memory");
    }

    fn address_at(&self, index: usize) -> u64 {
        self.block.address() + (index * size_of::<T>()) as u64
    }

    /// A copy of all elements.
    pub fn to_vec(&self) -> Vec<T> {
        read_slice(self.block.data(), self.block.address(), self.len()).expect("a block lies in its memory")
    }

    /// The block, to hand it on.
    pub fn block(&self) -> &GuestBlock {
        &self.block
    }

    pub(crate) fn into_block(self) -> GuestBlock {
        self.block
    }

    /// The same memory as a plain slice.
    ///
    /// # Safety
    /// The promise of [`Guest::trusted_function`](crate::Guest::trusted_function), for this block.
    ///
    /// # Errors
    /// [`HeapError::Misaligned`] when the guest's block is not aligned as `T` is on the host.
    pub unsafe fn into_owned(self) -> Result<Owned<[T]>, HeapError> {
        Owned::new(self.block)
    }
}

/// A slice, or a string, in the guest's memory that the host owns and that reads like its own. It is freed when it is
/// dropped, at the guest's next safe point; it may be sent to other threads and dropped there.
///
/// It comes from [`Guest::trusted_function`](crate::Guest::trusted_function), whose caller promised that the guest
/// leaves the block alone.
#[derive(Debug)]
pub struct Owned<T: ?Sized> {
    block: GuestBlock,
    kind: PhantomData<fn() -> Box<T>>,
}

impl<T: ?Sized> Owned<T> {
    /// Where it is in the guest's memory.
    pub fn address(&self) -> u64 {
        self.block.address()
    }

    /// Gives the guarantee up, and returns the block.
    pub fn into_block(self) -> GuestBlock {
        self.block
    }
}

impl<T: Plain> Owned<[T]> {
    /// The slice in `block`; the promise was made where the function was bound.
    pub(crate) fn new(block: GuestBlock) -> Result<Self, HeapError> {
        let align = align_of::<T>();
        if !block.start().addr().get().is_multiple_of(align) {
            return Err(HeapError::Misaligned { address: block.address(), align });
        }
        Ok(Self { block, kind: PhantomData })
    }
}

impl<T: Plain> Deref for Owned<[T]> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let len = (self.block.len() / size_of::<T>().max(1) as u64) as usize;
        // SAFETY: the block's mapping lives as long as the block; `new` checked the alignment; any bytes are values of
        // a `Plain` type; and whoever bound the function promised that the guest leaves the block alone.
        unsafe { std::slice::from_raw_parts(self.block.start().as_ptr().cast(), len) }
    }
}

impl<T: Plain> DerefMut for Owned<[T]> {
    fn deref_mut(&mut self) -> &mut [T] {
        let len = (self.block.len() / size_of::<T>().max(1) as u64) as usize;
        // SAFETY: as in `deref`; and no two handles own the same block.
        unsafe { std::slice::from_raw_parts_mut(self.block.start().as_ptr().cast(), len) }
    }
}

impl Owned<str> {
    /// The string in `block`, whose bytes are checked now; the promise was made where the function was bound.
    pub(crate) fn new_str(block: GuestBlock) -> Result<Self, HeapError> {
        let this = Self { block, kind: PhantomData };
        match std::str::from_utf8(this.bytes()) {
            Ok(_) => Ok(this),
            Err(error) => Err(HeapError::NotUtf8 { address: this.address(), at: error.valid_up_to() }),
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: as in `Owned<[T]>::deref`; bytes are aligned anywhere.
        unsafe { std::slice::from_raw_parts(self.block.start().as_ptr(), self.block.len() as usize) }
    }
}

impl Deref for Owned<str> {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: `new_str` checked the bytes, and by the promise nobody changed them since.
        unsafe { std::str::from_utf8_unchecked(self.bytes()) }
    }
}
