//! What concerns a runtime as a whole: its limits, which Rust code changes while it runs, and its end.

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// Sets the limit of the JavaScript heap, in bytes.
pub fn set_memory_limit(ctx: &Ctx<'_>, bytes: usize) {
    // SAFETY: the runtime is live.
    unsafe { q::JS_SetMemoryLimit(Cx::of(ctx).runtime(), bytes as _) };
}

/// How many bytes of the JavaScript heap are used, and their limit, if there is one. This takes as long as collecting.
pub fn memory_use(ctx: &Ctx<'_>) -> (u64, Option<usize>) {
    let mut usage = std::mem::MaybeUninit::<q::JSMemoryUsage>::zeroed();
    // SAFETY: the runtime is live, and fills in the structure, which has nothing but numbers.
    let usage = unsafe {
        q::JS_ComputeMemoryUsage(Cx::of(ctx).runtime(), usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.malloc_size as u64, usize::try_from(usage.malloc_limit).ok().filter(|&limit| limit > 0))
}

thread_local! {
    static BEFORE_COLLECTION: RefCell<Vec<fn()>> = const { RefCell::new(Vec::new()) };
}

/// Has `let_go` called on this thread before each [`collect`]: it gives up objects that are kept in case they are
/// useful, and runs no script. Asking for it again changes nothing.
pub fn before_collection(let_go: fn()) {
    BEFORE_COLLECTION.with_borrow_mut(|all| {
        if !all.iter().any(|known| std::ptr::fn_addr_eq(*known, let_go)) {
            all.push(let_go);
        }
    });
}

/// Collects garbage, and what is kept only in case it is useful.
pub fn collect(ctx: &Ctx<'_>) {
    let all = BEFORE_COLLECTION.with_borrow(Vec::clone);
    all.iter().for_each(|let_go| let_go());
    ctx.run_gc();
}

/// Throws if the JavaScript heap has no room for so many bytes in one piece.
///
/// # Errors
/// The engine's own error is pending in the context.
pub fn check_room(ctx: &Ctx<'_>, bytes: usize) -> rquickjs::Result<()> {
    let cx = Cx::of(ctx);
    // SAFETY: the memory is given back at once; if there is none, the exception is pending.
    unsafe {
        let memory = q::js_malloc(cx.raw(), bytes as _);
        if memory.is_null() {
            return Err(rquickjs::Error::Exception);
        }
        q::js_free(cx.raw(), memory);
    }
    Ok(())
}

/// Has `then` called on the runtime's thread when the runtime has freed everything else, just before it goes itself.
pub(crate) fn at_end<F: FnOnce() + 'static>(cx: Cx<'_>, then: F) -> rquickjs::Result<()> {
    let then = Box::into_raw(Box::new(then));
    // SAFETY: the runtime is live; it calls `end` once, with the pointer that fits it.
    if unsafe { q::JS_AddRuntimeFinalizer(cx.runtime(), Some(end::<F>), then.cast()) } == 0 {
        return Ok(());
    }
    // SAFETY: nobody else has it.
    drop(unsafe { Box::from_raw(then) });
    Err(rquickjs::Error::Allocation)
}

unsafe extern "C" fn end<F: FnOnce()>(_: *mut q::JSRuntime, then: *mut c_void) {
    // SAFETY: it was boxed in `at_end`, and this is called once.
    let then = unsafe { Box::from_raw(then.cast::<F>()) };
    if catch_unwind(AssertUnwindSafe(then)).is_err() {
        std::process::abort();
    }
}

/// Takes a runtime's memory and stack away, from any thread, to end scripts that nothing else ends. Does nothing to a
/// runtime that has ended.
///
/// QuickJS asks its interrupt handler once in 10,000 calls and turns of loops, so a script that only calls slow native
/// functions goes on, and so does a native function that loops by itself. A runtime that is starved refuses every
/// allocation and every call, which ends both as soon as they need either.
#[derive(Debug)]
pub struct Starver(Arc<Mutex<Option<Target>>>);

/// A live runtime.
#[derive(Debug)]
struct Target(NonNull<q::JSRuntime>);

// SAFETY: other threads only write three of the runtime's words, as `Starver::limit` says.
unsafe impl Send for Target {}

impl Starver {
    /// The starver of the context's runtime.
    ///
    /// # Errors
    /// When memory is out.
    pub fn new(ctx: &Ctx<'_>) -> rquickjs::Result<Self> {
        let cx = Cx::of(ctx);
        let target = Arc::new(Mutex::new(NonNull::new(cx.runtime()).map(Target)));
        let at_end = target.clone();
        self::at_end(cx, move || *at_end.lock().unwrap_or_else(PoisonError::into_inner) = None)?;
        Ok(Self(target))
    }

    /// Has every allocation and every call of the runtime fail from now on. Any thread may call this.
    pub fn starve(&self) {
        self.limit(Some(1), 1);
    }

    /// Has every call of the runtime fail from now on. An error that is being thrown stays what it is; without memory,
    /// QuickJS would replace it with another one, which a script could catch. Any thread may call this.
    pub fn refuse_calls(&self) {
        self.limit(None, 1);
    }

    /// Gives the runtime all the memory there is, and `stack_bytes` of its thread's stack. To be called only on its own
    /// thread.
    pub fn feed(&self, stack_bytes: usize) {
        self.limit(Some(0), stack_bytes);
    }

    fn limit(&self, memory: Option<usize>, stack: usize) {
        let target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Target(runtime)) = *target else { return };
        // SAFETY: the runtime is live: before it goes, it takes the lock and empties the target. Three aligned words are
        // written: the limit of memory, the size of the stack, and the address that follows from that size and from
        // where the stack begins. The runtime's own thread compares with the first and the last, afresh for each
        // allocation and each call, and writes the last only when it is entered on another stack. Whichever of the
        // values such a read gets, in whatever combination, the runtime can work with it as a limit: at worst it
        // refuses too early, or once too late.
        unsafe {
            if let Some(memory) = memory {
                q::JS_SetMemoryLimit(runtime.as_ptr(), memory as _);
            }
            q::JS_SetMaxStackSize(runtime.as_ptr(), stack as _);
        }
    }
}
