//! Limits of a runtime that Rust code changes while it runs.

use std::ptr::NonNull;

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// Sets the limit of the JavaScript heap, in bytes.
pub fn set_memory_limit(ctx: &Ctx<'_>, bytes: usize) {
    // SAFETY: the runtime is live.
    unsafe { q::JS_SetMemoryLimit(Cx::of(ctx).runtime(), bytes as _) };
}

/// Takes a runtime's memory and stack away, from any thread, to end scripts that nothing else ends.
///
/// QuickJS asks its interrupt handler once in 10,000 calls and turns of loops, so a script that only calls slow native
/// functions goes on, and so does a native function that loops by itself. A runtime that is starved refuses every
/// allocation and every call, which ends both as soon as they need either.
#[derive(Debug)]
pub struct Starver {
    runtime: NonNull<q::JSRuntime>,
}

// SAFETY: other threads only write two of the runtime's words, as `starve` says.
unsafe impl Send for Starver {}

impl Starver {
    /// The starver of the context's runtime.
    ///
    /// # Safety
    /// It must be dropped before the runtime is freed, even if `starve` is running on another thread then: a lock that
    /// guards it must be taken for both.
    pub unsafe fn new(ctx: &Ctx<'_>) -> Self {
        Self { runtime: NonNull::new(Cx::of(ctx).runtime()).expect("a context has a runtime") }
    }

    /// Has every allocation and every call of the runtime fail from now on. Any thread may call this.
    pub fn starve(&self) {
        // SAFETY: the runtime is live, as `new` demands. Three aligned words are written: the limit of memory, the size
        // of the stack, and the address that follows from that size and from where the stack begins. The runtime's own
        // thread compares with the first and the last, afresh for each allocation and each call, and writes the last
        // only when it is entered on another stack. Whichever of the values such a read gets, in whatever combination,
        // the runtime can work with it as a limit: at worst it refuses too early, or once too late.
        unsafe {
            q::JS_SetMemoryLimit(self.runtime.as_ptr(), 1);
            q::JS_SetMaxStackSize(self.runtime.as_ptr(), 1);
        }
    }

    /// Has every call of the runtime fail from now on. An error that is being thrown stays what it is; without memory,
    /// QuickJS would replace it with another one, which a script could catch. Any thread may call this.
    pub fn refuse_calls(&self) {
        // SAFETY: as in `starve`.
        unsafe { q::JS_SetMaxStackSize(self.runtime.as_ptr(), 1) };
    }

    /// Gives the runtime all the memory there is, and `stack_bytes` of its thread's stack. To be called only on its own
    /// thread.
    pub fn feed(&self, stack_bytes: usize) {
        // SAFETY: as in `starve`.
        unsafe {
            q::JS_SetMemoryLimit(self.runtime.as_ptr(), 0);
            q::JS_SetMaxStackSize(self.runtime.as_ptr(), stack_bytes as _);
        }
    }
}
