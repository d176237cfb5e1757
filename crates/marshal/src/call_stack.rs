//! C's stack of a call that may be suspended.

use std::rc::Rc;

use island::Callee;

use crate::block::GuestBlock;
use crate::error::HeapError;
use crate::heap::Heap;

/// What lies at the end of the stack until the guest writes over it. A large array may leave a small canary alone.
const CANARY: [u8; 4096] = [0xC5; 4096];

/// A block of a guest's heap in which C has its stack during one call. Calls that are suspended end in any order, so none
/// of them can have its frames on a stack that others use. Dropping it frees the block, at the next safe point.
#[derive(Debug)]
pub struct CallStack(GuestBlock);

impl CallStack {
    /// Allocates a stack for a call of `callee`: of `bytes` bytes, or else of as many as the guest's own stack has, but
    /// at most a mebibyte. Returns `None` if the call has to use the guest's own stack: if `bytes` is 0, if the guest has
    /// no stack that can be found, or if the allocator is not the guest's own.
    ///
    /// # Errors
    /// As [`Heap::allocate`].
    pub fn new(heap: &Rc<Heap>, callee: &Callee, bytes: Option<u64>) -> Result<Option<Self>, HeapError> {
        if !heap.is_guests() || !heap.is_callable() {
            return Ok(None);
        }
        let (Some(own), bytes) = (heap.island().stack_bytes(callee), bytes) else { return Ok(None) };
        let bytes = bytes.unwrap_or(own);
        if bytes == 0 {
            return Ok(None);
        }
        let bytes = bytes.saturating_add(CANARY.len() as u64).next_multiple_of(16);
        let address = heap.allocate(bytes)?;
        let block = heap.adopt(address, bytes)?;
        heap.data().write(address, &CANARY)?;
        Ok(Some(Self(block)))
    }

    /// The address at which the stack begins; it grows down. C expects multiples of 16.
    pub fn top(&self) -> u64 {
        (self.0.address() + self.0.len()) & !15
    }

    /// Checks that the guest has not used more than there is.
    ///
    /// # Errors
    /// [`HeapError::StackOverflow`]
    pub fn check(&self) -> Result<(), HeapError> {
        let mut end = [0; CANARY.len()];
        self.0.data().read(self.0.address(), &mut end)?;
        match end {
            CANARY => Ok(()),
            _ => Err(HeapError::StackOverflow { bytes: self.0.len() - CANARY.len() as u64 }),
        }
    }
}
