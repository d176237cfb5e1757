//! The memory behind `SharedArrayBuffer`s, which the process counts, so that buffers of several agents can stand on it.
//!
//! QuickJS calls three hooks of a runtime: to allocate, to count one more buffer on the same bytes, and to count one
//! fewer. They may run on any thread. A growable buffer gets its maximum at once, as QuickJS expects.

use std::any::Any;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard};

use rquickjs::{Ctx, Object, qjs as q};

use crate::value::Cx;

/// Each allocation's bytes and the number of buffers on it, by address.
static BLOCKS: Mutex<Option<HashMap<usize, Block>>> = Mutex::new(None);

struct Block {
    /// How many buffers and [`Hold`]s there are.
    buffers: usize,
    /// How many of the holds only wait ([`Hold::set_waiting`]).
    waiting: usize,
    /// How many bytes there are.
    len: usize,
    /// The length that growable buffers over them have reached.
    grown: usize,
    owner: Owner,
}

enum Owner {
    /// The bytes, in 64-bit words, so that atomics of every size are aligned.
    Words(#[allow(dead_code, reason = "kept for its end")] Box<[u64]>),
    /// Whoever has the bytes.
    Foreign(Box<dyn Any + Send>),
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

/// A `SharedArrayBuffer` of `len` bytes at `base`; with `max`, a growable one, whose `grow` is not checked with
/// anybody. `owner` is dropped when the last buffer at that address is gone, in whichever runtime.
///
/// # Errors
/// A RangeError for a length that no buffer can have, or when memory is out.
///
/// # Safety
/// All of the `max` bytes must be readable and writable for as long as `owner` lives (except those that the buffer is
/// never grown over), and nobody may hold a Rust reference to them. The context's runtime must have the hooks
/// ([`install`]).
pub unsafe fn foreign<'js, O: Any + Send>(
    ctx: &Ctx<'js>,
    base: NonNull<u8>,
    len: usize,
    max: Option<usize>,
    owner: O,
) -> rquickjs::Result<Object<'js>> {
    let key = base.as_ptr().addr();
    // This call's own count, so that the owner exists when QuickJS adds the buffer's.
    let hold = {
        let mut blocks = blocks();
        let block = blocks.get_or_insert_default().entry(key);
        let block = block.or_insert_with(|| Block {
            buffers: 0,
            waiting: 0,
            len,
            grown: 0,
            owner: Owner::Foreign(Box::new(owner)),
        });
        block.buffers += 1;
        block.len = block.len.max(len).max(max.unwrap_or(0));
        Hold { base, len: block.len, waits: false }
    };
    hold.buffer(ctx, len, max)
}

/// Whether `base` is where the bytes of a `SharedArrayBuffer` begin.
pub fn is_shared(base: NonNull<u8>) -> bool {
    blocks().as_ref().is_some_and(|blocks| blocks.contains_key(&base.as_ptr().addr()))
}

/// Whether only holds that wait are left on the bytes at `base`, and no buffer any more, so that they wait for nobody.
/// This is never so for bytes with an owner, who may do something with them.
pub fn has_only_waiting(base: NonNull<u8>) -> bool {
    let blocks = blocks();
    let block = blocks.as_ref().and_then(|blocks| blocks.get(&base.as_ptr().addr()));
    block.is_some_and(|block| block.buffers == block.waiting && matches!(block.owner, Owner::Words(_)))
}

/// The length that growable buffers over the bytes at `base` have reached; 0 if nobody has set it. QuickJS counts the
/// length for each buffer, so whoever grows one says so ([`set_grown`]), and whoever looks at another asks here.
pub fn grown(base: NonNull<u8>) -> usize {
    blocks().as_ref().and_then(|blocks| blocks.get(&base.as_ptr().addr())).map_or(0, |block| block.grown)
}

/// Notes that a growable buffer over the bytes at `base` has reached this length.
pub fn set_grown(base: NonNull<u8>, len: usize) {
    if let Some(block) = blocks().as_mut().and_then(|blocks| blocks.get_mut(&base.as_ptr().addr())) {
        block.grown = block.grown.max(len);
    }
}

/// Keeps the bytes of `SharedArrayBuffer`s, on any thread.
#[derive(Debug)]
pub struct Hold {
    base: NonNull<u8>,
    len: usize,
    waits: bool,
}

// SAFETY: the bytes belong to the process, and are counted under a lock.
unsafe impl Send for Hold {}
// SAFETY: as above; they are only reached by atomics.
unsafe impl Sync for Hold {}

/// Keeps the bytes that begin at `base`; `None` if no `SharedArrayBuffer`'s do.
pub fn hold(base: NonNull<u8>) -> Option<Hold> {
    let mut blocks = blocks();
    let block = blocks.as_mut()?.get_mut(&base.as_ptr().addr())?;
    block.buffers += 1;
    Some(Hold { base, len: block.len, waits: false })
}

impl Hold {
    /// Where the bytes begin.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Whether the bytes have an owner of their own, as [`foreign`] got it.
    pub fn is_foreign(&self) -> bool {
        let blocks = blocks();
        let block = blocks.as_ref().and_then(|blocks| blocks.get(&self.base.as_ptr().addr()));
        block.is_some_and(|block| matches!(block.owner, Owner::Foreign(_)))
    }

    /// Notes that this hold does nothing but wait for somebody else to do something with the bytes.
    pub fn set_waiting(&mut self) {
        if !std::mem::replace(&mut self.waits, true)
            && let Some(block) = blocks().as_mut().and_then(|blocks| blocks.get_mut(&self.base.as_ptr().addr()))
        {
            block.waiting += 1;
        }
    }

    /// A `SharedArrayBuffer` over the first `len` of the bytes; with `max`, a growable one.
    ///
    /// # Errors
    /// A RangeError for a length that no buffer can have, or when memory is out.
    ///
    pub fn buffer<'js>(&self, ctx: &Ctx<'js>, len: usize, max: Option<usize>) -> rquickjs::Result<Object<'js>> {
        if len > self.len {
            return Err(rquickjs::Exception::throw_range(ctx, "a SharedArrayBuffer is longer than its bytes"));
        }
        let cx = Cx::of(ctx);
        // QuickJS takes a maximum of 0 to mean none.
        let max = max.map_or(0, |max| max.max(1));
        // SAFETY: the bytes live as long as they are counted, and QuickJS counts the buffer's by `retain`.
        let raw = unsafe {
            let opaque = std::ptr::null_mut();
            q::JS_NewArrayBuffer(cx.raw(), self.base.as_ptr(), len as _, max as _, None, opaque, true)
        };
        cx.take(raw)?.into_object().ok_or(rquickjs::Error::Unknown)
    }

    /// The integer at an offset, loaded atomically.
    ///
    /// # Panics
    /// When the offset is not aligned, or outside.
    pub fn load_i32(&self, offset: usize) -> i32 {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.len);
        // SAFETY: the word lies in the bytes, which this value keeps; they are aligned to 8. Others only use atomics on
        // it, or are guests and scripts that race.
        unsafe { AtomicI32::from_ptr(self.base.as_ptr().add(offset).cast()) }.load(Ordering::SeqCst)
    }

    /// The integer at an offset, loaded atomically.
    ///
    /// # Panics
    /// When the offset is not aligned, or outside.
    pub fn load_i64(&self, offset: usize) -> i64 {
        assert!(offset.is_multiple_of(8) && offset + 8 <= self.len);
        // SAFETY: as above.
        unsafe { AtomicI64::from_ptr(self.base.as_ptr().add(offset).cast()) }.load(Ordering::SeqCst)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.waits
            && let Some(block) = blocks().as_mut().and_then(|blocks| blocks.get_mut(&self.base.as_ptr().addr()))
        {
            block.waiting -= 1;
        }
        // SAFETY: gives the count back that `hold` took.
        unsafe { release(std::ptr::null_mut(), self.base.as_ptr().cast()) };
    }
}

/// The owner of the bytes at `base`, as [`foreign`] got it; `None` if they are others'.
pub fn owner<O: Any + Clone>(base: NonNull<u8>) -> Option<O> {
    match &blocks().as_ref()?.get(&base.as_ptr().addr())?.owner {
        Owner::Foreign(owner) => owner.downcast_ref().cloned(),
        Owner::Words(_) => None,
    }
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
    blocks()
        .get_or_insert_default()
        .insert(start.addr(), Block { buffers: 1, waiting: 0, len: count * 8, grown: 0, owner: Owner::Words(words) });
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
        // Dropped after the lock: dropping an owner may do anything.
        drop(blocks);
        drop(last);
    }
}
