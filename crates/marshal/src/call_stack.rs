//! C's stack of a call that may be suspended.

use std::rc::Rc;

use island::Callee;

use crate::block::GuestBlock;
use crate::error::HeapError;
use crate::heap::Heap;

/// What lies at the end of the stack until the guest writes over it. A large array may leave a small canary alone.
const CANARY: [u8; 4096] = [0xC5; 4096];

/// The stack that C has in a guest's memory during one call. Calls that are suspended end in any order, so none of them
/// can have its frames on a stack that others use.
#[derive(Debug)]
pub struct CallStack(Kind);

#[derive(Debug)]
enum Kind {
    /// A block of the heap. Dropping it frees it, at the next safe point.
    Own(GuestBlock),
    /// The guest's own stack, while no other such call has it.
    Exclusive(Rc<Heap>),
    /// The guest's own stack.
    Shared,
}

impl CallStack {
    /// The stack for a call of `callee`: a block of `bytes` bytes, or else of as many as the guest's own stack has, but at
    /// most a mebibyte.
    ///
    /// The call shares the guest's own stack if `bytes` is 0, if the guest has no stack that can be found, or if the
    /// allocator is not the guest's own. AssemblyScript's collector looks for values on the guest's own stack, so only one
    /// of its calls may be suspended at a time.
    ///
    /// # Errors
    /// As [`Heap::allocate`]; [`HeapError::StackInUse`].
    pub fn new(heap: &Rc<Heap>, callee: &Callee, bytes: Option<u64>) -> Result<Self, HeapError> {
        if heap.is_assembly_script() {
            return match heap.take_stack() {
                true => Ok(Self(Kind::Exclusive(heap.clone()))),
                false => Err(HeapError::StackInUse),
            };
        }
        let own = if heap.is_guests() && heap.is_callable() { heap.island().stack_bytes(callee) } else { None };
        let bytes = own.map_or(0, |own| bytes.unwrap_or(own));
        if bytes == 0 {
            return Ok(Self(Kind::Shared));
        }
        let bytes = bytes.saturating_add(CANARY.len() as u64).next_multiple_of(16);
        let address = heap.allocate(bytes)?;
        let block = heap.adopt(address, bytes)?;
        heap.data().write(address, &CANARY)?;
        Ok(Self(Kind::Own(block)))
    }

    /// The address at which the stack begins, if it is the call's own; it grows down. C expects multiples of 16.
    pub fn top(&self) -> Option<u64> {
        match &self.0 {
            Kind::Own(block) => Some((block.address() + block.len()) & !15),
            Kind::Exclusive(_) | Kind::Shared => None,
        }
    }

    /// Checks that the guest has not used more than there is.
    ///
    /// # Errors
    /// [`HeapError::StackOverflow`]
    pub fn check(&self) -> Result<(), HeapError> {
        let Kind::Own(block) = &self.0 else { return Ok(()) };
        let mut end = [0; CANARY.len()];
        block.data().read(block.address(), &mut end)?;
        match end {
            CANARY => Ok(()),
            _ => Err(HeapError::StackOverflow { bytes: block.len() - CANARY.len() as u64 }),
        }
    }
}

impl Drop for CallStack {
    fn drop(&mut self) {
        if let Kind::Exclusive(heap) = &self.0 {
            heap.give_stack_back();
        }
    }
}
