//! Reading and writing shared memories while others do the same.

#[cfg(feature = "wasi")]
use std::cell::UnsafeCell;
#[cfg(feature = "wasi")]
use std::sync::atomic::AtomicU8;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use wasmtime::SharedMemory;

use crate::memory::wait_lists::{Expected, Word};

/// Reads bytes that others may write at the same time.
#[cfg(feature = "wasi")]
pub(crate) fn read(from: &[UnsafeCell<u8>], to: &mut [u8]) {
    for (place, byte) in from.iter().zip(to) {
        // SAFETY: the byte is borrowed, so it stays; whoever else uses it has it as atomic or through a guest.
        *byte = unsafe { AtomicU8::from_ptr(place.get()) }.load(Ordering::Relaxed);
    }
}

/// Writes bytes that others may read and write at the same time.
#[cfg(feature = "wasi")]
pub(crate) fn write(to: &[UnsafeCell<u8>], from: &[u8]) {
    for (place, byte) in to.iter().zip(from) {
        // SAFETY: as for `read`.
        unsafe { AtomicU8::from_ptr(place.get()) }.store(*byte, Ordering::Relaxed);
    }
}

/// An aligned word of a shared memory.
pub(crate) struct SharedWord<'a> {
    memory: &'a SharedMemory,
    offset: usize,
}

impl<'a> SharedWord<'a> {
    /// The word of `size` bytes at `offset`.
    ///
    /// # Panics
    /// When it is not aligned, or outside.
    pub(crate) fn new(memory: &'a SharedMemory, offset: usize, size: usize) -> Self {
        assert!(offset.is_multiple_of(size) && offset + size <= memory.data_size());
        Self { memory, offset }
    }

    fn start(&self) -> *mut u8 {
        self.memory.data()[self.offset].get()
    }
}

impl Word for SharedWord<'_> {
    fn address(&self) -> usize {
        self.start().addr()
    }

    fn holds(&self, expected: Expected) -> bool {
        match expected {
            Expected::I32(value) => {
                // SAFETY: the word is aligned and in the memory, which never shrinks. Others write to it atomically, or
                // race as the memory model allows.
                let word = unsafe { AtomicI32::from_ptr(self.start().cast()) };
                i32::from_le(word.load(Ordering::SeqCst)) == value
            }
            Expected::I64(value) => {
                // SAFETY: as above.
                let word = unsafe { AtomicI64::from_ptr(self.start().cast()) };
                i64::from_le(word.load(Ordering::SeqCst)) == value
            }
        }
    }
}
