//! C's stack, which lies in the guest's memory: where it ends now, and calls that have one of their own.
//!
//! A function of C's gives back what it has taken from its stack when it returns. A call that does not return gives
//! nothing back; and calls that are suspended do not return in the reverse order of their beginning, so each of them
//! needs a stack of its own.

use std::cell::Cell;

use wasmtime::Func;

use crate::call::island::Island;
use crate::call::raw::{code_of, instance_of};
use crate::engine::instrument::StackPointer;

/// The stack pointer of an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CStack {
    definition: *mut u8,
    ty: StackPointer,
}

impl CStack {
    /// How many bytes it has, or at most a mebibyte.
    pub(crate) fn bytes(self) -> u64 {
        self.ty.bytes
    }

    pub(crate) fn get(self) -> u64 {
        // SAFETY: `Island::find_c_stack` found the instance's own global, which has this type and lives as long as the store;
        // whoever asks has the island, on whose thread nothing of the guest runs now.
        unsafe {
            match self.ty.is_wide {
                true => self.definition.cast::<u64>().read(),
                false => self.definition.cast::<u32>().read().into(),
            }
        }
    }

    pub(crate) fn set(self, value: u64) {
        // SAFETY: as above.
        unsafe {
            match self.ty.is_wide {
                true => self.definition.cast::<u64>().write(value),
                // What is set was read, or is an address of the memory.
                false => self.definition.cast::<u32>().write(value as u32),
            }
        }
    }
}

impl Island {
    /// The stack of the instance that `func`, a function of this island, is of. The island must not be taken.
    #[cold]
    pub(crate) fn find_c_stack(&self, func: Func) -> Option<CStack> {
        let (code, instance) = self.enter(|mut store| (code_of(&mut store, func), instance_of(store, func)));
        let modules = self.modules.borrow();
        let module = modules.iter().find(|module| module.function_at(code).is_some())?;
        let ty = module.stack_pointer()?;
        // SAFETY: the function is one of this module's, and at this offset its instance has a global that it defines.
        let definition = unsafe { instance.cast_mut().byte_add(ty.offset as usize) };
        Some(CStack { definition, ty })
    }
}

/// The stack that a call has of its own.
#[derive(Debug)]
pub(crate) struct OwnStack {
    stack: CStack,
    /// Where it ends while the call is suspended.
    end: Cell<u64>,
}

impl OwnStack {
    /// A stack that begins at `top`, in place of the instance's own.
    pub(crate) fn new(stack: CStack, top: u64) -> Self {
        Self { stack, end: Cell::new(top) }
    }

    /// Has the guest use this stack, until the result is dropped.
    pub(crate) fn enter(&self) -> impl Drop {
        Entered { own: self, outer: self.exchange(self.end.get()) }
    }

    fn exchange(&self, end: u64) -> u64 {
        let before = self.stack.get();
        self.stack.set(end);
        before
    }
}

struct Entered<'a> {
    own: &'a OwnStack,
    outer: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.own.end.set(self.own.exchange(self.outer));
    }
}
