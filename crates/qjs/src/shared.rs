//! The memory behind `SharedArrayBuffer`s: counted by the process, so that several agents can stand on one.
//!
//! QuickJS asks three hooks of a runtime: to allocate, to count one more buffer on the same bytes, and one fewer. They may
//! run on any thread. A growable buffer gets its maximum at once, as QuickJS wants it.

use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard};

use rquickjs::{Ctx, qjs as q};

use crate::value::Cx;

/// Each allocation's bytes and the number of buffers on it, by address.
static BLOCKS: Mutex<Option<HashMap<usize, Block>>> = Mutex::new(None);

struct Block {
    buffers: usize,
    /// Kept for its memory. In 64-bit words, so that atomics of every size are aligned.
    _words: Box<[u64]>,
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

unsafe extern "C" fn allocate(_opaque: *mut c_void, size: q::size_t) -> *mut c_void {
    let count = (size as usize).div_ceil(8).max(1);
    let mut words = Vec::new();
    if words.try_reserve_exact(count).is_err() {
        return std::ptr::null_mut();
    }
    words.resize(count, 0u64);
    let mut words = words.into_boxed_slice();
    let start = words.as_mut_ptr();
    blocks().get_or_insert_default().insert(start.addr(), Block { buffers: 1, _words: words });
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
        map.remove(&start.addr());
    }
}
