//! What Wasmtime's fibers run on: stacks of a pool that all agents share.

use std::ops::Range;
use std::sync::Arc;

use data_block::{Stack, StackPool};
use wasmtime::{StackCreator, StackMemory};

/// Makes stacks for Wasmtime.
#[derive(Default)]
pub(crate) struct FiberStacks {
    pool: Arc<StackPool>,
}

// SAFETY: each stack has pages of its own, which are aligned and accessible, and an inaccessible one below them.
unsafe impl StackCreator for FiberStacks {
    fn new_stack(&self, size: usize, zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        assert!(!zeroed, "the configuration does not ask for it");
        let stack = self.pool.take(size).map_err(wasmtime::Error::new)?;
        Ok(Box::new(FiberStack { stack: Some(stack), pool: self.pool.clone() }))
    }
}

struct FiberStack {
    stack: Option<Stack>,
    pool: Arc<StackPool>,
}

impl FiberStack {
    fn stack(&self) -> &Stack {
        self.stack.as_ref().expect("there until it is dropped")
    }
}

// SAFETY: `Stack` promises what is asked for: its top is aligned to a page, and its guard lies below its range.
unsafe impl StackMemory for FiberStack {
    fn top(&self) -> *mut u8 {
        self.stack().top()
    }

    fn range(&self) -> Range<usize> {
        self.stack().range()
    }

    fn guard_range(&self) -> Range<*mut u8> {
        self.stack().guard()
    }
}

impl Drop for FiberStack {
    fn drop(&mut self) {
        // Wasmtime drops a stack when its fiber has ended.
        if let Some(stack) = self.stack.take() {
            self.pool.put(stack);
        }
    }
}
