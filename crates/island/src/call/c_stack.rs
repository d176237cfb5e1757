//! C's stack, which lies in the guest's memory: where it ends now, and calls that have one of their own.
//!
//! A function of C's gives back what it has taken from its stack when it returns. A call that does not return gives
//! nothing back; and calls that are suspended do not return in the reverse order of their beginning, so each of them
//! needs a stack of its own.

use std::cell::Cell;

use wasmtime::Func;

use crate::call::function::Callee;
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
    fn get(self) -> u64 {
        // SAFETY: `Island::c_stack` found the instance's own global, which has this type and lives as long as the store;
        // whoever asks has the island, on whose thread nothing of the guest runs now.
        unsafe {
            match self.ty.is_wide {
                true => self.definition.cast::<u64>().read(),
                false => self.definition.cast::<u32>().read().into(),
            }
        }
    }

    fn set(self, value: u64) {
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

/// Where C's stack ended at some time: see [`Island::mark_stack`].
#[derive(Debug, Clone, Copy)]
pub struct StackMark(Option<u64>);

impl Island {
    #[inline]
    fn c_stack(&self, callee: &Callee) -> Option<CStack> {
        match callee.c_stack.get() {
            Some(known) if self.owns(&callee.func) => *known,
            Some(_) => None,
            None => self.find_c_stack(callee),
        }
    }

    #[cold]
    fn find_c_stack(&self, callee: &Callee) -> Option<CStack> {
        let func = callee.func;
        if !self.owns(&func) || !self.can_enter() {
            return None;
        }
        *callee.c_stack.get_or_init(|| self.c_stack_of(func))
    }

    fn c_stack_of(&self, func: Func) -> Option<CStack> {
        let (code, instance) = self.enter(|mut store| (code_of(&mut store, func), instance_of(store, func)));
        let modules = self.modules.borrow();
        let module = modules.iter().find(|module| module.function_at(code).is_some())?;
        let ty = module.stack_pointer()?;
        // SAFETY: the function is one of this module's, and at this offset its instance has a global that it defines.
        let definition = unsafe { instance.cast_mut().byte_add(ty.offset as usize) };
        Some(CStack { definition, ty })
    }

    /// Remembers where C's stack ends, in the guest that `callee` is of. If a call of it does not return,
    /// [`Island::unwind_stack`] gives back what it has taken.
    #[inline]
    pub fn mark_stack(&self, callee: &Callee) -> StackMark {
        StackMark(self.c_stack(callee).map(CStack::get))
    }

    /// Has C's stack end where it did.
    #[cold]
    pub fn unwind_stack(&self, callee: &Callee, mark: StackMark) {
        if let (Some(stack), StackMark(Some(end))) = (self.c_stack(callee), mark) {
            stack.set(end);
        }
    }

    /// How many bytes C's stack has in the guest that `callee` is of, or at most a mebibyte. `None` if the guest has no
    /// such stack, or none that can be found.
    pub fn stack_bytes(&self, callee: &Callee) -> Option<u64> {
        self.c_stack(callee).map(|stack| stack.ty.bytes)
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
    /// A stack that begins at `top`, if `callee` is of a guest that has one at all.
    pub(crate) fn new(island: &Island, callee: &Callee, top: u64) -> Option<Self> {
        Some(Self { stack: island.c_stack(callee)?, end: Cell::new(top) })
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
