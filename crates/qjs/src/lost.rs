//! Objects that a runtime lost. When memory is out, QuickJS forgets a reference in some places, and what such an object
//! owns is never freed. Each runtime's objects with a Rust value are counted; those that are left when the runtime is
//! freed are lost.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use rquickjs::qjs as q;

use crate::runtime;
use crate::value::Cx;

static LOST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// This thread's runtimes and how many of their objects are alive. A runtime stays on its thread.
    static ALIVE: RefCell<Vec<(*mut q::JSRuntime, u64)>> = const { RefCell::new(Vec::new()) };
}

/// How many objects that own a Rust value were lost by the runtimes of this process that have ended.
pub fn lost_objects() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Begins to count a runtime's objects, if nobody has.
///
/// # Errors
/// When memory is out.
pub(crate) fn watch(cx: Cx<'_>) -> rquickjs::Result<()> {
    let runtime = cx.runtime();
    let known = ALIVE.with_borrow(|alive| alive.iter().any(|(known, _)| *known == runtime));
    if known {
        return Ok(());
    }
    runtime::at_end(cx, move || settle(runtime))?;
    ALIVE.with_borrow_mut(|alive| alive.push((runtime, 0)));
    Ok(())
}

#[inline]
fn count(runtime: *mut q::JSRuntime, change: impl Fn(u64) -> u64) {
    // A runtime that outlives its thread's variables is not counted.
    let _ = ALIVE.try_with(|alive| {
        if let Some((_, objects)) = alive.borrow_mut().iter_mut().find(|(known, _)| *known == runtime) {
            *objects = change(*objects);
        }
    });
}

#[inline]
pub(crate) fn made(runtime: *mut q::JSRuntime) {
    count(runtime, |objects| objects + 1);
}

#[inline]
pub(crate) fn ended(runtime: *mut q::JSRuntime) {
    count(runtime, |objects| objects.saturating_sub(1));
}

/// Counts what is left when the runtime has freed everything.
fn settle(runtime: *mut q::JSRuntime) {
    let left = ALIVE.try_with(|alive| {
        let mut alive = alive.borrow_mut();
        let at = alive.iter().position(|(known, _)| *known == runtime)?;
        Some(alive.swap_remove(at).1)
    });
    LOST.fetch_add(left.ok().flatten().unwrap_or(0), Ordering::Relaxed);
}
