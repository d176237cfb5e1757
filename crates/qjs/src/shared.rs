//! The memory behind `SharedArrayBuffer`s: counted by the process, so that several agents can stand on one.
//!
//! QuickJS asks three hooks of a runtime: to allocate, to count one more buffer on the same bytes, and one fewer. They may
//! run on any thread. A growable buffer gets its maximum at once, as QuickJS wants it.

use std::any::Any;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

use rquickjs::{Ctx, Object, qjs as q};

use crate::value::Cx;

/// Each allocation's bytes and the number of buffers on it, by address.
static BLOCKS: Mutex<Option<HashMap<usize, Block>>> = Mutex::new(None);

struct Block {
    buffers: usize,
    /// Kept for what it owns.
    _owner: Owner,
}

enum Owner {
    /// The bytes, in 64-bit words, so that atomics of every size are aligned.
    Words { _words: Box<[u64]> },
    /// Whoever has the bytes.
    Foreign { _owner: Box<dyn Any + Send> },
}

fn blocks() -> MutexGuard<'static, Option<HashMap<usize, Block>>> {
    BLOCKS.lock().unwrap_or_else(|e| e.into_inner())
}

/// Gives the context's runtime the hooks, so that it can make `SharedArrayBuffer`s of every kind.
pub fn install(ctx: &Ctx<'_>) {
    let functions = q::JSSharedArrayBufferFunctions {
        sab_alloc: Some(allocate),
        sab_free: Some(release),
        sab_dup: Some(retain),
        sab_opaque: std::ptr::null_mut(),
    };
    // SAFETY: QuickJS copies the table; the hooks use no opaque value.
    unsafe { q::JS_SetSharedArrayBufferFunctions(Cx::of(ctx).runtime(), &functions) };
}

/// A `SharedArrayBuffer` of `len` bytes at `base`. `owner` is dropped when the last buffer at that address is gone, in
/// whichever runtime.
///
/// # Errors
/// A RangeError for a length that no buffer can have, or when memory is out.
///
/// # Safety
/// The bytes must be readable and writable for as long as `owner` lives, and nobody may hold a Rust reference to them.
/// The context's runtime must have the hooks ([`install`]).
pub unsafe fn foreign<'js, O: Any + Send>(
    ctx: &Ctx<'js>,
    base: NonNull<u8>,
    len: usize,
    owner: O,
) -> rquickjs::Result<Object<'js>> {
    let key = base.as_ptr().addr();
    // This call's own count, so that the owner is there when QuickJS adds the buffer's.
    blocks()
        .get_or_insert_default()
        .entry(key)
        .or_insert_with(|| Block { buffers: 0, _owner: Owner::Foreign { _owner: Box::new(owner) } })
        .buffers += 1;
    let cx = Cx::of(ctx);
    // SAFETY: the bytes live as long as their owner, by the caller's promise.
    let raw = unsafe { q::JS_NewArrayBuffer(cx.raw(), base.as_ptr(), len as _, 0, None, std::ptr::null_mut(), true) };
    let buffer = cx.take(raw);
    // SAFETY: gives the count back that was taken above.
    unsafe { release(std::ptr::null_mut(), base.as_ptr().cast()) };
    buffer?.into_object().ok_or(rquickjs::Error::Unknown)
}

unsafe extern "C" fn allocate(_opaque: *mut c_void, size: q::size_t) -> *mut c_void {
    let count = (size as usize).div_ceil(8).max(1);
    let mut words = Vec::new();
    if words.try_reserve_exact(count).is_err() {
        return std::ptr::null_mut();
    }
    words.resize(count, 0u64);
    let mut words = words.into_boxed_slice();
    let start = words.as_mut_ptr();
    blocks().get_or_insert_default().insert(start.addr(), Block { buffers: 1, _owner: Owner::Words { _words: words } });
    start.cast()
}

unsafe extern "C" fn retain(_opaque: *mut c_void, start: *mut c_void) {
    if let Some(block) = blocks().as_mut().and_then(|blocks| blocks.get_mut(&start.addr())) {
        block.buffers += 1;
    }
}

unsafe extern "C" fn release(_opaque: *mut c_void, start: *mut c_void) {
    let mut blocks = blocks();
    let Some(map) = blocks.as_mut() else { return };
    let Some(block) = map.get_mut(&start.addr()) else { return };
    block.buffers -= 1;
    if block.buffers == 0 {
        let last = map.remove(&start.addr());
        // After the lock: an owner's end is its own business.
        drop(blocks);
        drop(last);
    }
}
